"""The protocol that every retriever obeys, and the machinery that they share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Self

import numpy as np
import scipy.sparse as sp
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError

from course_lib import arguments
from course_lib.data import Catalogue, Interactions, seeded_hash
from course_lib.retrieve.candidates import Candidates, best_of_block, checked_k

BLOCK_CELLS = 2**24  # score cells held at once: 64 MiB of float32


class CannotFoldIn(ValueError):
    """The model knows only the users of its training data."""


class Retriever(BaseEstimator, ABC):
    """Turns histories into ranked candidates.

    `histories` are either rows of a CSR matrix `[n, n_items]` — the users of the training data, new users,
    shortened or injected profiles alike — or an integer array `[n]` of training users, shorthand for their
    training rows. The stored entries are the items that were seen. Their values are weights, and most
    retrievers ignore them; a class that uses them says so (`recency_histories` makes such weights).

    A subclass writes `_fit` and `_score_block`; blocks, masks, ties and checks are done here, once. Its
    constructor keeps each parameter as it is given, under its name, and checks it: `repr`, `get_params`,
    `set_params` and `sklearn.base.clone` then come from scikit-learn.
    """

    name: str
    folds_in: ClassVar[bool] = True
    _repr_html_ = _repr_mimebundle_ = None  # scikit-learn's have random ids; a notebook shows the repr

    def fit(self, train: Interactions, catalogue: Catalogue | None = None) -> Self:
        """Learn from the training interactions (and the catalogue's text or attributes); returns `self`.

        Raises ValueError if the catalogue does not have one row for each item, or for a parameter that
        `set_params` made one that the constructor refuses.
        """
        type(self)(**self.get_params(deep=False))  # the constructor's checks
        if catalogue is not None and len(catalogue) != train.n_items:
            raise ValueError(
                f"{self.name}: the catalogue has {len(catalogue)} rows and the interactions have "
                f"{train.n_items} items; load both from the same data set."
            )
        self.n_users, self.n_items = train.n_users, train.n_items
        self._training_rows = self._training_histories(train)
        self._fit(train, catalogue)
        self._is_fitted = True
        return self

    def score(self, histories: sp.csr_array | np.ndarray, items: np.ndarray) -> np.ndarray:
        """Score given lists of items: impressions, sampled negatives, candidates of another retriever.

        Parameters
        ----------
        histories
            `[n, n_items]` CSR, or `[n]` training users.
        items
            int64 `[n, m]`, item indices in any order; −1 pads.

        Returns
        -------
        float32 `[n, m]`, higher is better; −inf for pads and for items that the retriever would not offer.
        """
        rows, users = self._checked_histories(histories)
        items = np.asarray(items)
        if items.ndim != 2 or items.shape[0] != rows.shape[0] or items.dtype.kind not in "iu":
            raise ValueError(
                f"{self.name}: items must be an integer array with one row for each of the {rows.shape[0]} "
                f"histories, got {items.dtype} {items.shape}."
            )
        if items.size and not (items.min() >= -1 and items.max() < self.n_items):
            raise ValueError(
                f"{self.name}: items must lie in 0…{self.n_items - 1} (−1 pads), got "
                f"{items.min()}…{items.max()}."
            )
        items = items.astype(np.int64, copy=False)
        scores = np.empty(items.shape, dtype=np.float32)
        for block in self._blocks(rows.shape[0]):
            whole = self._checked_scores(rows[block], None if users is None else users[block])
            scores[block] = np.take_along_axis(whole, np.maximum(items[block], 0), axis=1)
        scores[items < 0] = -np.inf
        return scores

    def retrieve(self, histories: sp.csr_array | np.ndarray, k: int, exclude_seen: bool = True) -> Candidates:
        """The `k` best items of the catalogue for each history, ties by item id.

        With `exclude_seen` the items stored in a history never appear in its list; where fewer than `k` items
        are left the list ends with pads. Raises ValueError unless 1 ≤ k ≤ n_items.
        """
        rows, users = self._checked_histories(histories)
        k = checked_k(k, self.n_items)
        ids = np.empty((rows.shape[0], k), dtype=np.int64)
        scores = np.empty((rows.shape[0], k), dtype=np.float32)
        for block in self._blocks(rows.shape[0]):
            seen = rows[block]
            whole = self._checked_scores(seen, None if users is None else users[block])
            if exclude_seen:
                if not whole.flags.writeable:
                    whole = whole.copy()
                whole[np.repeat(np.arange(seen.shape[0]), np.diff(seen.indptr)), seen.indices] = -np.inf
            ids[block], scores[block] = best_of_block(whole, k)
        return Candidates(ids, scores)

    @abstractmethod
    def _fit(self, train: Interactions, catalogue: Catalogue | None) -> None:
        """Learn; `self.n_users` and `self.n_items` are set."""

    @abstractmethod
    def _score_block(self, histories: sp.csr_array, users: np.ndarray | None) -> np.ndarray:
        """Scores `[n, n_items]` of a block of checked histories, in an array that the caller may overwrite
        (or a read-only one). `users` are training users, None for histories of unknown origin."""

    def __sklearn_clone__(self) -> Self:
        # Not a deep copy, as elsewhere: an encoder holds millions of weights, and nobody changes them.
        given = self.get_params(deep=False).items()
        return type(self)(**{name: clone(v) if isinstance(v, Retriever) else v for name, v in given})

    def _training_histories(self, train: Interactions) -> sp.csr_array:
        return train.matrix

    def _check_fitted(self) -> None:
        if not getattr(self, "_is_fitted", False):
            raise NotFittedError(f"{self.name}: call fit(train, catalogue) before asking for candidates.")

    def _blocks(self, n_rows: int) -> list[slice]:
        height = max(1, BLOCK_CELLS // self.n_items)
        return [slice(start, min(start + height, n_rows)) for start in range(0, n_rows, height)]

    def _checked_histories(
        self, histories: sp.csr_array | np.ndarray
    ) -> tuple[sp.csr_array, np.ndarray | None]:
        self._check_fitted()
        if sp.issparse(histories):
            if not self.folds_in:
                raise CannotFoldIn(
                    f"{self.name} has no vector for a history that it was not trained on; pass the integer "
                    "ids of training users, or train it again with these users."
                )
            return checked_matrix(histories, self.n_items, f"{self.name}: histories"), None
        users = np.asarray(histories)
        if users.ndim != 1 or users.dtype.kind not in "iu":
            raise ValueError(
                f"{self.name}: histories must be a sparse matrix [n, {self.n_items}] or a one-dimensional "
                f"integer array of training users, got {users.dtype} {users.shape}."
            )
        if users.size and not (users.min() >= 0 and users.max() < self.n_users):
            raise ValueError(
                f"{self.name}: training users lie in 0…{self.n_users - 1}, got {users.min()}…{users.max()}."
            )
        return self._training_rows[users], users

    def _checked_scores(self, histories: sp.csr_array, users: np.ndarray | None) -> np.ndarray:
        scores = np.asarray(self._score_block(histories, users), dtype=np.float32)
        if scores.shape != (histories.shape[0], self.n_items):
            raise ValueError(
                f"{self.name}: its scores have shape {scores.shape}, not "
                f"({histories.shape[0]}, {self.n_items}) = users × items; is a matrix transposed?"
            )
        if not (scores < np.inf).all():
            raise ValueError(f"{self.name}: a score is NaN or +inf; check its input and its training.")
        return scores


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


def rounded_product(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """`left` @ `right`, summed in float64 and rounded once: float32.

    Processors add up in different orders. In float32 that shows in the last digit, and so in the order of
    items whose scores should be equal; of a float64 sum, rounding leaves nothing of it.
    """
    return (np.asarray(left, np.float64) @ np.asarray(right, np.float64)).astype(np.float32)


def presence(histories: sp.csr_array) -> sp.csr_array:
    """The same entries, each with value 1."""
    ones = np.ones(histories.nnz, dtype=np.float32)
    return sp.csr_array((ones, histories.indices, histories.indptr), shape=histories.shape)


def set_keys(histories: sp.csr_array, seed: int = 0) -> np.ndarray:
    """uint64 `[n]`: a hash of the set of items in each row, so that equal sets have equal keys."""
    items = np.arange(histories.shape[1])
    item_keys = seeded_hash(np.zeros_like(items), items, seed)
    # The sum of the items' keys, modulo 2**64: the same in whatever order they are stored.
    running = np.zeros(histories.nnz + 1, dtype=np.uint64)
    np.cumsum(item_keys[histories.indices], out=running[1:])
    return running[histories.indptr[1:]] - running[histories.indptr[:-1]]


def recency_histories(interactions: Interactions, half_life: float = 10.0) -> sp.csr_array:
    """Histories whose values carry order: float32 CSR `[n_users, n_items]`, above 0 and below 1.

    The weight of an item is 0.5 ** (place / `half_life`), where the user's latest item has place 1 and any
    other 1 + the number of events that are strictly later; items of one second share a place. `half_life`
    is counted in events. Never 1, so that these histories can be told from those that say only what was
    seen. Raises ValueError if the interactions have no timestamps or `half_life` lies outside of
    0.01…1,000,000: beyond, float32 weights would be 0 or 1.
    """
    if interactions.timestamps is None:
        raise ValueError(f"{interactions.name} has no timestamps, so its histories have no order.")
    arguments.real("half_life", half_life, at_least=0.01, at_most=1e6)
    users, items, times = interactions.users, interactions.items, interactions.timestamps
    times = arguments.numbers("timestamps", times, "an event needs a time", integers=True)
    order = np.lexsort((-times, users))
    users, items, times = users[order], items[order], times[order]
    first_of_user = np.searchsorted(users, users)
    place = np.arange(len(users))
    starts_tie = np.ones(len(users), dtype=bool)
    starts_tie[1:] = (users[1:] != users[:-1]) | (times[1:] != times[:-1])
    later = np.maximum.accumulate(np.where(starts_tie, place, 0)) - first_of_user
    weights = (0.5 ** ((later + 1) / half_life)).astype(np.float32)
    # After a long history float32 has nothing left for the first items: still above 0.
    weights = np.maximum(weights, np.finfo(np.float32).smallest_subnormal)
    return sp.csr_array((weights, (users, items)), shape=(interactions.n_users, interactions.n_items))
