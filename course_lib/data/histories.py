"""What is known of a user when a list is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import scipy.sparse as sp

from course_lib import arguments


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Histories:
    """n histories, one behind the other: the items of history r are `items[starts[r] : starts[r + 1]]`.

    items: integers [total], positions 0..n_items-1, oldest first in each history; an item may come back.
    starts: int64 [n + 1], from 0 to total. n_items: size of the catalogue.
    times: int64 [total], Unix seconds, never falling within a history, or None. Without them the items are
    in order all the same, unless `ordered` is False: then only the set of items is known.
    users: int64 [n], whose histories they are (positions in the interactions that they come from), or None.
    now: int64 [n], the second in which each list is asked for, or None.

    `Interactions`, `Split` and `Impressions` make them; `from_lists` and `from_matrix` make them of what is
    at hand. `histories[rows]` (a slice, integers or a mask) are some of them. Raises ValueError if the arrays
    contradict each other.
    """

    items: np.ndarray
    starts: np.ndarray
    n_items: int
    times: np.ndarray | None = None
    users: np.ndarray | None = None
    now: np.ndarray | None = None
    ordered: bool = True

    def __post_init__(self) -> None:
        if self.starts[0] != 0 or self.starts[-1] != len(self.items) or (np.diff(self.starts) < 0).any():
            raise ValueError(f"Histories: starts must rise from 0 to the {len(self.items)} items.")
        if self.items.dtype.kind not in "iu" or self.items.ndim != 1:
            raise ValueError(f"Histories: items must be integers [total], got {self.items.dtype}.")
        if self.items.size and not (self.items.min() >= 0 and self.items.max() < self.n_items):
            raise ValueError(
                f"Histories: items must lie in 0..{self.n_items - 1}, got "
                f"{self.items.min()}..{self.items.max()}."
            )
        for name, length in (("times", len(self.items)), ("users", len(self)), ("now", len(self))):
            values = getattr(self, name)
            if values is not None and (values.shape != (length,) or values.dtype.kind != "i"):
                raise ValueError(
                    f"Histories: {name} must be {length} signed integers, got {values.dtype} {values.shape}."
                )
        if self.times is not None:
            falls = (np.diff(self.times) < 0) & (np.diff(self.rows) == 0)
            if falls.any():
                row = self.rows[falls.argmax()]
                raise ValueError(f"Histories: history {row} is not in order of time; give the oldest first.")
            early = np.zeros(0, bool) if self.now is None else self.times > self.now[self.rows]
            if early.any():
                row = self.rows[early.argmax()]
                raise ValueError(f"Histories: history {row} holds an event later than its now; leave it out.")

    @classmethod
    def from_lists(cls, lists: Sequence[Sequence[int]], n_items: int) -> Self:
        """One list of items a history, oldest first; times, users and the present are not known."""
        rows = [np.asarray(row, dtype=None if len(row) else np.int64) for row in lists]
        return cls(
            items=np.concatenate([np.zeros(0, np.int64), *rows]),
            starts=np.concatenate([[0], np.cumsum([len(row) for row in rows], dtype=np.int64)]),
            n_items=n_items,
        )

    @classmethod
    def from_matrix(cls, matrix: sp.sparray | sp.spmatrix) -> Self:
        """The stored entries of a sparse matrix [n, n_items], whatever their values; order is not known."""
        matrix = checked_matrix(matrix, np.shape(matrix)[-1], "Histories")
        return cls(
            items=matrix.indices,
            starts=matrix.indptr.astype(np.int64),
            n_items=matrix.shape[1],
            ordered=False,
        )

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __repr__(self) -> str:
        known = [name for name in ("times", "users", "now") if getattr(self, name) is not None]
        order = "oldest first" if self.ordered else "order unknown"
        return f"{len(self):,} histories of {len(self.items):,} items ({', '.join([order, *known])})"

    @property
    def shape(self) -> tuple[int, int]:
        """(n, n_items), as of `matrix`."""
        return len(self), self.n_items

    @property
    def lengths(self) -> np.ndarray:
        """int64 [n]: events of each history."""
        return np.diff(self.starts)

    @property
    def rows(self) -> np.ndarray:
        """int64 [total]: the history that each of `items` stands in."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def __getitem__(self, rows: slice | np.ndarray) -> Self:
        rows = np.atleast_1d(np.arange(len(self))[rows])
        lengths = self.lengths[rows]
        starts = np.concatenate([[0], np.cumsum(lengths)])
        places = np.arange(starts[-1]) + np.repeat(self.starts[rows] - starts[:-1], lengths)
        return type(self)(
            items=self.items[places],
            starts=starts,
            n_items=self.n_items,
            times=None if self.times is None else self.times[places],
            users=None if self.users is None else self.users[rows],
            now=None if self.now is None else self.now[rows],
            ordered=self.ordered,
        )

    @cached_property
    def matrix(self) -> sp.csr_array:
        """float32 CSR [n, n_items]: 1 where the item occurs, columns sorted in each row. Made once and
        shared: copy it before changing it in place."""
        return csr_of_lists(np.ones(len(self.items), dtype=np.float32), self.items, self.starts, self.n_items)

    def recency(self, half_life: float | None) -> sp.csr_array:
        """The same entries with weights that halve: float32 CSR [n, n_items], above 0 and below 1.

        An item weighs 0.5 ** (place / `half_life`), where the latest event has place 1 and any other 1 + the
        number of events that are strictly later; events of one second share a place, and an item that comes
        back has its latest. `half_life` is counted in events; None is none: every item weighs 1. Raises
        ValueError if the order is not known or `half_life` lies outside of 0.01..1,000,000: beyond, float32
        weights would be 0 or 1.
        """
        if half_life is None:
            return self.matrix
        arguments.real("half_life", half_life, at_least=0.01, at_most=1e6)
        self._require_order()
        last = np.arange(len(self.items))  # of the events that share a place
        if self.times is not None and len(last):
            tied = np.append((np.diff(self.times) == 0) & (np.diff(self.rows) == 0), False)
            last = np.minimum.accumulate(np.where(tied, len(last), last)[::-1])[::-1]
        place = np.repeat(self.starts[1:], self.lengths) - last
        weights = (0.5 ** (place / half_life)).astype(np.float32)
        # After a long history float32 has nothing left for the first items: still above 0.
        weights = np.maximum(weights, np.finfo(np.float32).smallest_subnormal)
        return csr_of_lists(weights, self.items, self.starts, self.n_items)

    def latest(self, n: int) -> np.ndarray:
        """int64 [len, n]: the `n` latest items of each history, the latest first, -1 where there are fewer.

        Raises ValueError if the order is not known.
        """
        n = arguments.whole("n", n, 1)
        self._require_order()
        places = self.starts[1:, None] - 1 - np.arange(n)
        there = places >= self.starts[:-1, None]
        found = np.full(there.shape, -1, dtype=np.int64)
        found[there] = self.items[places[there]]
        return found

    def _require_order(self) -> None:
        if not self.ordered and self.lengths.max(initial=0) > 1:
            raise ValueError(
                "The order of these histories is not known: they come from a matrix or from interactions "
                "without times. Pass interactions.histories() of interactions with times, or "
                "Histories.from_lists, oldest first."
            )


def csr_of_lists(values: np.ndarray, items: np.ndarray, starts: np.ndarray, n_items: int) -> sp.csr_array:
    """CSR [n, n_items] of n lists of items that begin at `starts` [n + 1], columns sorted in each row; of an
    item that is twice in a list the last value stays."""
    rows = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    _, kept = np.unique((rows * n_items + items)[::-1], return_index=True)
    kept = len(items) - 1 - kept
    return sp.csr_array((values[kept], (rows[kept], items[kept])), shape=(len(starts) - 1, n_items))


def checked_matrix(
    matrix: sp.sparray | sp.spmatrix, n_columns: int, what: str, axes: tuple[str, str] = ("users", "items")
) -> sp.csr_array:
    """`matrix` as CSR `[n, n_columns]` with sorted indices, or ValueError that names `what` and the remedy.

    `axes` names rows and columns in the message. Values of a type other than float32 and float64 become the
    narrower of the two that holds them.
    """
    if not (sp.issparse(matrix) or isinstance(matrix, np.ndarray)):
        raise ValueError(f"{what}: expected a sparse matrix, got {type(matrix).__name__}.")
    if matrix.ndim != 2 or matrix.shape[1] != n_columns:
        transposed = n_columns in matrix.shape
        hint = "it looks transposed, pass matrix.T" if transposed else f"one column for each of the {axes[1]}"
        raise ValueError(
            f"{what}: expected [n, {n_columns}] ({' × '.join(axes)}), got {matrix.shape}: {hint}."
        )
    matrix = sp.csr_array(matrix)
    if matrix.dtype.kind not in "biuf":
        raise ValueError(f"{what}: the stored values are {matrix.dtype}, and weights are real numbers.")
    if matrix.dtype not in (np.float32, np.float64):
        # Unsigned and bool values cannot be subtracted or negated.
        matrix = matrix.astype(np.float32 if matrix.dtype.itemsize <= 2 else np.float64)
    if not np.isfinite(matrix.data).all() or (matrix.size and matrix.data.min() < 0):
        raise ValueError(f"{what}: a stored value is negative, infinite or NaN; weights are finite and ≥ 0.")
    if not matrix.has_canonical_format:
        matrix = matrix.copy()
        matrix.sort_indices()
        if not matrix.has_canonical_format:
            raise ValueError(f"{what}: a row stores one item twice; call sum_duplicates() first.")
    return matrix


def presence(matrix: sp.csr_array) -> sp.csr_array:
    """The same entries, each with value 1."""
    ones = np.ones(matrix.nnz, dtype=np.float32)
    return sp.csr_array((ones, matrix.indices, matrix.indptr), shape=matrix.shape)
