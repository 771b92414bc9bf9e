"""The protocol that every retriever obeys, and the machinery that they share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Self

import numpy as np
import scipy.sparse as sp
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError

from course_lib import arguments
from course_lib.data import Catalogue, Histories, Interactions, seeded_hash
from course_lib.data.histories import checked_matrix
from course_lib.retrieve.candidates import Candidates, best_of_block, checked_k

AnyHistories = Histories | sp.csr_array | np.ndarray

BLOCK_CELLS = 2**24  # score cells held at once: 64 MiB of float32
SHARED = 16  # a product of matrices is faster a cell than products row by row, by more than this


class CannotFoldIn(ValueError):
    """The model knows only the users of its training data."""


class Retriever(BaseEstimator, ABC):
    """Turns histories into ranked candidates.

    `histories` are `Histories` `[n]` of the same items — of the users of the training data, of new users,
    shortened or injected profiles alike. Shorthand: an integer array `[n]` of training users for what they
    had in training; a CSR matrix `[n, n_items]`, whose stored entries are the items that were seen, whatever
    their values, in an order that is not known. A class that needs the order says so and refuses that.

    A subclass writes `_fit` and `_score_block`; blocks, masks, ties and checks are done here, once. Two more
    hooks it may override: `_score_items`, if a few items cost less than all, and `_best`, if an index finds
    the best without scoring the others. Its constructor keeps each parameter as it is given, under its name,
    and checks it: `repr`, `get_params`, `set_params` and `sklearn.base.clone` then come from scikit-learn.
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
        self._training = train
        self._fit(train, catalogue)
        self._is_fitted = True
        return self

    def score(self, histories: AnyHistories, items: np.ndarray) -> np.ndarray:
        """Score given lists of items: impressions, sampled negatives, candidates of another retriever.

        Parameters
        ----------
        histories
            `Histories`, `[n]` training users, or `[n, n_items]` CSR.
        items
            int64 `[n, m]`, item indices in any order; −1 pads.

        Returns
        -------
        float32 `[n, m]`, higher is better; −inf for pads and for items that the retriever would not offer.

        Only what is listed is computed, unless a class can only score all: rows whose lists share their items
        are scored together, at most `SHARED` times the cells that were asked for.
        """
        histories = self._checked_histories(histories)
        items = np.asarray(items)
        if items.ndim != 2 or items.shape[0] != len(histories) or items.dtype.kind not in "iu":
            raise ValueError(
                f"{self.name}: items must be an integer array with one row for each of the {len(histories)} "
                f"histories, got {items.dtype} {items.shape}."
            )
        if items.size and not (items.min() >= -1 and items.max() < self.n_items):
            raise ValueError(
                f"{self.name}: items must lie in 0…{self.n_items - 1} (−1 pads), got "
                f"{items.min()}…{items.max()}."
            )
        items = items.astype(np.int64, copy=False)
        scores = np.empty(items.shape, dtype=np.float32)
        for block in self._blocks(len(histories) if items.size else 0):
            scores[block] = self._scores_of_lists(histories[block], np.maximum(items[block], 0))
        scores[items < 0] = -np.inf
        return scores

    def scores(self, histories: AnyHistories) -> np.ndarray:
        """Scores float32 `[n, n_items]` of the whole catalogue; −inf for items that are not offered."""
        histories = self._checked_histories(histories)
        blocks = [self._scores_of(histories[block], None) for block in self._blocks(len(histories))]
        return np.concatenate(blocks) if blocks else np.empty(histories.shape, dtype=np.float32)

    def retrieve(
        self,
        histories: AnyHistories,
        k: int,
        among: np.ndarray | None = None,
        exclude_seen: bool = True,
    ) -> Candidates:
        """The `k` best items for each history, ties by item id.

        Parameters
        ----------
        histories
            as in `score`.
        k
            1…n_items.
        among
            the pool: item indices in any order, or a bool mask `[n_items]`; without it the whole catalogue.
        exclude_seen
            whether the items of a history are left out of its list.

        Where fewer than `k` items are left the list ends with pads. Raises ValueError for another k or pool.
        """
        histories = self._checked_histories(histories)
        k = checked_k(k, self.n_items)
        pool = None if among is None else self._checked_pool(among)
        ids = np.full((len(histories), k), -1, dtype=np.int64)
        scores = np.full((len(histories), k), -np.inf, dtype=np.float32)
        width = k if pool is None else min(k, len(pool))
        for block in self._blocks(len(histories)):
            found = self._best(histories[block], width, pool, exclude_seen)
            ids[block, :width], scores[block, :width] = found
        return Candidates(ids, scores)

    @abstractmethod
    def _fit(self, train: Interactions, catalogue: Catalogue | None) -> None:
        """Learn; `self.n_users` and `self.n_items` are set."""

    @abstractmethod
    def _score_block(self, histories: Histories) -> np.ndarray:
        """Scores `[n, n_items]` of a block of checked histories, in an array that the caller may overwrite
        (or a read-only one). Their `users` are training users if `folds_in` is False."""

    def _score_items(self, histories: Histories, items: np.ndarray) -> np.ndarray:
        """The columns `items` (int64 `[m]`, rising) of `_score_block`: `[n, m]`, on the same conditions."""
        return np.asarray(self._score_block(histories))[:, items]

    def _best(
        self, histories: Histories, k: int, pool: np.ndarray | None, exclude_seen: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """(ids, scores) `[n, k]` of the best of `pool` (int64, rising, at least k; None: all items), by
        falling score, then by rising id; −1 and −inf where a history is offered fewer."""
        scores = self._scores_of(histories, pool)
        if exclude_seen:
            rows, columns = histories.rows, histories.items
            if pool is not None:
                columns = np.minimum(np.searchsorted(pool, columns), len(pool) - 1)
                pooled = pool[columns] == histories.items
                rows, columns = rows[pooled], columns[pooled]
            if not scores.flags.writeable:
                scores = scores.copy()
            scores[rows, columns] = -np.inf
        ids, scores = best_of_block(scores, k)
        return ids if pool is None else np.where(ids < 0, -1, pool[ids]), scores

    def __sklearn_clone__(self) -> Self:
        # Not a deep copy, as elsewhere: an encoder holds millions of weights, and nobody changes them.
        given = self.get_params(deep=False).items()
        return type(self)(**{name: clone(v) if isinstance(v, Retriever) else v for name, v in given})

    def _check_fitted(self) -> None:
        if not getattr(self, "_is_fitted", False):
            raise NotFittedError(f"{self.name}: call fit(train, catalogue) before asking for candidates.")

    def _blocks(self, n_rows: int) -> list[slice]:
        height = max(1, BLOCK_CELLS // self.n_items)
        return [slice(start, min(start + height, n_rows)) for start in range(0, n_rows, height)]

    def _checked_histories(self, histories: AnyHistories) -> Histories:
        self._check_fitted()
        if sp.issparse(histories):
            histories = checked_matrix(histories, self.n_items, f"{self.name}: histories")
            histories = Histories.from_matrix(histories)
        if isinstance(histories, Histories):
            if histories.n_items != self.n_items:
                raise ValueError(
                    f"{self.name}: these histories are of {histories.n_items} items and the training data "
                    f"have {self.n_items}; take both from the same data set."
                )
            if self.folds_in:
                return histories
            if histories.users is None:
                raise CannotFoldIn(
                    f"{self.name} has no vector for a history that it was not trained on; pass the integer "
                    "ids of training users, or train it again with these users."
                )
            users = histories.users
        else:
            users, histories = np.asarray(histories), None
        if users.ndim != 1 or users.dtype.kind not in "iu":
            raise ValueError(
                f"{self.name}: histories must be Histories, a sparse matrix [n, {self.n_items}] or a "
                f"one-dimensional integer array of training users, got {users.dtype} {users.shape}."
            )
        if users.size and not (users.min() >= 0 and users.max() < self.n_users):
            raise ValueError(
                f"{self.name}: training users lie in 0…{self.n_users - 1}, got {users.min()}…{users.max()}."
            )
        return self._training.histories()[users] if histories is None else histories

    def _checked_pool(self, among: np.ndarray) -> np.ndarray:
        pool = np.asarray(among)
        if pool.dtype == bool and pool.shape == (self.n_items,):
            pool = np.flatnonzero(pool)
        if pool.ndim != 1 or not pool.size or pool.dtype.kind not in "iu":
            raise ValueError(
                f"{self.name}: among must hold one item at least, as an integer array [m] or a bool mask "
                f"({self.n_items},), got {pool.dtype} {pool.shape}."
            )
        if not (pool.min() >= 0 and pool.max() < self.n_items):
            raise ValueError(
                f"{self.name}: among must lie in 0…{self.n_items - 1}, got {pool.min()}…{pool.max()}."
            )
        return np.unique(pool.astype(np.int64))

    def _scores_of_lists(self, histories: Histories, items: np.ndarray) -> np.ndarray:
        """Checked scores `[n, m]` of lists without pads."""
        pool = np.unique(items)
        if len(pool) <= SHARED * items.shape[1] or len(items) == 1:
            scores = self._scores_of(histories, pool)
            return np.take_along_axis(scores, np.searchsorted(pool, items), axis=1)
        half = len(items) // 2
        parts = (slice(None, half), slice(half, None))
        return np.concatenate([self._scores_of_lists(histories[part], items[part]) for part in parts])

    def _scores_of(self, histories: Histories, items: np.ndarray | None) -> np.ndarray:
        """Checked scores float32 `[n, m]` of the items, or of all."""
        if items is None or len(items) == self.n_items:
            scores, shape = self._score_block(histories), histories.shape
        else:
            scores, shape = self._score_items(histories, items), (len(histories), len(items))
        scores = np.asarray(scores, dtype=np.float32)
        if scores.shape != shape:
            raise ValueError(
                f"{self.name}: its scores have shape {scores.shape}, not {shape} = users × items; "
                "is a matrix transposed?"
            )
        if not (scores < np.inf).all():
            raise ValueError(f"{self.name}: a score is NaN or +inf; check its input and its training.")
        return scores


def rounded_product(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """`left` @ `right`, summed in float64 and rounded once: float32.

    Processors add up in different orders. In float32 that shows in the last digit, and so in the order of
    items whose scores should be equal; of a float64 sum, rounding leaves nothing of it.
    """
    return (np.asarray(left, np.float64) @ np.asarray(right, np.float64)).astype(np.float32)


def set_keys(histories: sp.csr_array, seed: int = 0) -> np.ndarray:
    """uint64 `[n]`: a hash of the set of items in each row, so that equal sets have equal keys."""
    items = np.arange(histories.shape[1])
    item_keys = seeded_hash(np.zeros_like(items), items, seed)
    # The sum of the items' keys, modulo 2**64: the same in whatever order they are stored.
    running = np.zeros(histories.nnz + 1, dtype=np.uint64)
    np.cumsum(item_keys[histories.indices], out=running[1:])
    return running[histories.indptr[1:]] - running[histories.indptr[:-1]]


def recency_histories(interactions: Interactions, half_life: float = 10.0) -> sp.csr_array:
    """`interactions.histories().recency(half_life)`: float32 CSR `[n_users, n_items]`, weights by recency.

    Raises ValueError if the interactions have no timestamps or `half_life` lies outside of 0.01…1,000,000.
    """
    if interactions.timestamps is None:
        raise ValueError(f"{interactions.name} has no timestamps, so its histories have no order.")
    arguments.real("half_life", half_life, above=0)  # unlike there, not None
    return interactions.histories().recency(half_life)
