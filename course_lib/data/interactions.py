"""The table of who interacted with what, validated once, when it is built."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import pandas as pd
from scipy import sparse


class DataError(ValueError):
    """Data that cannot be trusted: one sentence with the file, the line, what is wrong, and the fix."""


@dataclass(frozen=True, eq=False, repr=False)
class Interactions:
    """Users, items and what happened between them, as parallel arrays of length n, each pair at most once.

    users, items: int64 [n], positions 0..n_users-1 and 0..n_items-1 in `user_ids` and `item_ids`.
    ratings: float32 [n], or None where the data set has none. timestamps: int64 [n], Unix seconds, or None.
    user_ids [n_users], item_ids [n_items]: the original ids as text. name: what to print.

    The parts of a split keep the id spaces of the whole, so that their matrices have the same shape.
    Raises `DataError` if the arrays contradict each other.
    """

    users: np.ndarray
    items: np.ndarray
    ratings: np.ndarray | None
    timestamps: np.ndarray | None
    user_ids: np.ndarray
    item_ids: np.ndarray
    name: str

    def __post_init__(self):
        for kind, positions, ids in (
            ("user", self.users, self.user_ids),
            ("item", self.items, self.item_ids),
        ):
            if positions.dtype != np.int64 or positions.ndim != 1:
                raise DataError(
                    f"{self.name}: {kind}s must be int64 [n], not {positions.dtype} {positions.shape}."
                )
            if len(positions) and not (positions.min() >= 0 and positions.max() < len(ids)):
                raise DataError(
                    f"{self.name}: {kind} positions must lie in 0..{len(ids) - 1}, found "
                    f"{positions.min()}..{positions.max()}; build it with Interactions.from_frame."
                )
        for field in ("items", "ratings", "timestamps"):
            values = getattr(self, field)
            if values is not None and values.shape != self.users.shape:
                raise DataError(
                    f"{self.name}: {field} has shape {values.shape}, users has {self.users.shape}; "
                    "they must be parallel."
                )
        if self.ratings is not None and np.isnan(self.ratings).any():
            raise DataError(f"{self.name}: a rating is NaN; drop the row or give it a value.")
        pairs = np.sort(self.pair_keys)
        if len(pairs) and (pairs[1:] == pairs[:-1]).any():
            raise DataError(f"{self.name}: a (user, item) pair occurs twice; keep one of the two rows.")

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        *,
        name: str,
        source: str,
        user_ids: np.ndarray | list | None = None,
        item_ids: np.ndarray | list | None = None,
    ) -> Self:
        """Validate a table with the columns `user`, `item` and optionally `rating` and `timestamp`.

        user_ids, item_ids: the original ids in the order that gives their positions, e.g. the ids of the
        catalogue; an id outside of it is an error. Without them the column must hold the positions
        themselves: integers 0..n-1, each at least once.
        source: the file's name, for messages; the frame's index holds its line numbers.
        timestamp: whole Unix seconds.

        Raises `DataError` for a missing column, an empty table, an empty cell, a negative or missing
        position, an unknown id, a rating that is no finite number, a time that is no whole number, and a
        pair that occurs twice.
        """
        missing = [column for column in ("user", "item") if column not in frame]
        if missing:
            raise DataError(
                f"{source}: the column {' and '.join(missing)} is missing (found: {', '.join(frame)}); "
                "name the columns user, item, rating, timestamp."
            )
        if frame.empty:
            raise DataError(f"{source}: the file holds no interaction; fetch it again.")
        users, user_ids = _positions(frame["user"], user_ids, source)
        items, item_ids = _positions(frame["item"], item_ids, source)
        duplicate = pd.Series(users * len(item_ids) + items, index=frame.index).duplicated()
        if duplicate.any():
            row = int(np.flatnonzero(duplicate)[0])
            same = np.flatnonzero((users == users[row]) & (items == items[row]))[0]
            raise DataError(
                f"{_line(source, frame, row)}: user {frame['user'].iloc[row]} and item "
                f"{frame['item'].iloc[row]} occur already in {_place(frame, same)}; keep one of the two."
            )
        ratings = timestamps = None
        if "rating" in frame:
            ratings = _numbers(frame, "rating", source).astype(np.float32)
        if "timestamp" in frame:
            seconds = _numbers(frame, "timestamp", source)
            timestamps = seconds.astype(np.int64)
            if (timestamps != seconds).any():
                row = int(np.flatnonzero(timestamps != seconds)[0])
                raise DataError(
                    f"{_line(source, frame, row)}: the timestamp {frame['timestamp'].iloc[row]} is not a "
                    "whole number of seconds; round it."
                )
        return cls(users, items, ratings, timestamps, user_ids, item_ids, name)

    @property
    def n_users(self) -> int:
        return len(self.user_ids)

    @property
    def n_items(self) -> int:
        return len(self.item_ids)

    def __len__(self) -> int:
        return len(self.users)

    @property
    def pair_keys(self) -> np.ndarray:
        """int64 [n]: one number a (user, item) pair, `user * n_items + item`, for set operations."""
        return self.users * self.n_items + self.items

    @cached_property
    def matrix(self) -> sparse.csr_array:
        """csr_array float32 [n_users, n_items]: 1 where the pair occurs, columns sorted in each row.

        Made once and shared: copy it before changing it in place.
        """
        ones = np.ones(len(self), dtype=np.float32)
        matrix = sparse.csr_array((ones, (self.users, self.items)), shape=(self.n_users, self.n_items))
        matrix.sort_indices()
        return matrix

    @property
    def user_counts(self) -> np.ndarray:
        """int64 [n_users]: interactions of each user."""
        return np.bincount(self.users, minlength=self.n_users)

    @property
    def item_counts(self) -> np.ndarray:
        """int64 [n_items]: interactions of each item, its popularity."""
        return np.bincount(self.items, minlength=self.n_items)

    def select(self, mask: np.ndarray) -> Self:
        """The rows where `mask` (bool [n]) is true, in the same id spaces.

        Raises `DataError` if the mask is not bool or not of length n.
        """
        mask = np.asarray(mask)
        if mask.dtype != bool or mask.shape != self.users.shape:
            raise DataError(
                f"{self.name}: select needs a bool mask of shape {self.users.shape}, "
                f"not {mask.dtype} {mask.shape}."
            )
        return type(self)(
            self.users[mask],
            self.items[mask],
            None if self.ratings is None else self.ratings[mask],
            None if self.timestamps is None else self.timestamps[mask],
            self.user_ids,
            self.item_ids,
            self.name,
        )

    def __repr__(self) -> str:
        carried = [field for field in ("ratings", "timestamps") if getattr(self, field) is not None]
        return (
            f"{self.name}: {len(self):,} interactions of {self.n_users:,} users with {self.n_items:,} items"
            f" ({' and '.join(carried) or 'no ratings, no timestamps'})"
        )


def _positions(column: pd.Series, ids, source: str) -> tuple[np.ndarray, np.ndarray]:
    frame = column.to_frame()
    empty = column.isna() | (column.astype(str).str.strip() == "")
    if empty.any():
        row = int(np.flatnonzero(empty)[0])
        raise DataError(
            f"{_line(source, frame, row)}: the {column.name} is empty; drop or complete the line."
        )
    if ids is None:
        if not pd.api.types.is_integer_dtype(column):
            raise DataError(
                f"{source}: the column {column.name} holds {column.dtype}, not positions 0..n-1; "
                f"pass {column.name}_ids, the list of known ids."
            )
        positions = column.to_numpy(np.int64)
        if positions.min() < 0:
            row = int(np.flatnonzero(positions < 0)[0])
            raise DataError(
                f"{_line(source, frame, row)}: the {column.name} {positions[row]} is negative; "
                "positions count from 0."
            )
        absent = np.flatnonzero(np.bincount(positions) == 0)
        if len(absent):
            raise DataError(
                f"{source}: {column.name} {absent[0]} never occurs, though the ids go up to "
                f"{positions.max()}; number them without a gap or pass {column.name}_ids."
            )
        return positions, np.arange(positions.max() + 1).astype(str)
    known = pd.Index(np.asarray(ids).astype(str))
    if known.has_duplicates:
        raise DataError(
            f"{source}: {column.name}_ids holds {known[known.duplicated()][0]} twice; keep one of the two."
        )
    positions = known.get_indexer(column.astype(str)).astype(np.int64)
    if (positions < 0).any():
        row = int(np.flatnonzero(positions < 0)[0])
        where = "the catalogue" if column.name == "item" else "the list of users"
        raise DataError(
            f"{_line(source, frame, row)}: the {column.name} {column.iloc[row]} is not in {where}; "
            "add it there or drop the line."
        )
    return positions, known.to_numpy(str)


def _numbers(frame: pd.DataFrame, column: str, source: str) -> np.ndarray:
    values = pd.to_numeric(frame[column], errors="coerce").to_numpy(np.float64)
    if not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values))[0])
        raise DataError(
            f"{_line(source, frame, row)}: the {column} is {frame[column].iloc[row]!s}, not a finite number; "
            "drop the line or give it a value."
        )
    return values


def _place(frame: pd.DataFrame, row: int) -> str:
    return f"{frame.index.name or 'row'} {frame.index[row]}"


def _line(source: str, frame: pd.DataFrame, row: int) -> str:
    return f"{source}, {_place(frame, row)}"
