"""Neighbours: users who took the same items, items that the same users took."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
import scipy.sparse as sp
from sklearn.preprocessing import normalize

from course_lib import arguments
from course_lib.data import Histories
from course_lib.retrieve import base
from course_lib.retrieve.base import set_keys
from course_lib.retrieve.candidates import best_of_block
from course_lib.retrieve.collaborative import CollaborativeRetriever

WEIGHTINGS = ("cosine", "tfidf", "bm25")
BM25_K1, BM25_B = 1.2, 0.75  # the values that Robertson & Zaragoza 2009 recommend


class RowSimilarity:
    """Similarity of rows of 0 and 1 to the rows of a reference matrix `[n, m]`.

    "cosine": shared entries ÷ root of the product of both counts. "tfidf": the cosine after each column is
    weighted by log((1 + n)/(1 + count)), so that a column that most rows have says little. "bm25": the dot
    product of rows with that weight × (k1 + 1)/(k1 (1 − b + b length/mean length) + 1), k1 = 1.2, b = 0.75,
    which grows with what two rows share and dampens long rows less than the cosine does.

    Everything is sparse and summed in a fixed order, so a result does not depend on threads.
    """

    def __init__(self, reference: sp.csr_array, weighting: str) -> None:
        self.weighting = weighting
        counts = np.bincount(reference.indices, minlength=reference.shape[1])
        self._column_weights = np.log((1 + reference.shape[0]) / (1 + counts)).astype(np.float32)
        self._mean_length = max(1.0, reference.nnz / max(1, (np.diff(reference.indptr) > 0).sum()))
        self._reference = self._weighted(reference).T.tocsr()

    def nearest(self, rows: sp.csr_array, n_nearest: int, excluded: np.ndarray | None = None) -> sp.csr_array:
        """The `n_nearest` reference rows most similar to each of `rows` `[q, m]`, ties by lower index.

        Returns float32 CSR `[q, n]`; a similarity of 0 is never stored. `excluded` is a pair of integer
        arrays, a key for each of `rows` `[q]` and for each reference row `[n]`: equal keys are never near.
        """
        rows = self._weighted(rows)
        n_reference = self._reference.shape[1]
        height = max(1, base.BLOCK_CELLS // n_reference)
        parts = []
        for start in range(0, rows.shape[0], height):
            block = slice(start, start + height)
            similarity = (rows[block] @ self._reference).toarray()
            if excluded is not None:
                similarity[excluded[0][block, None] == excluded[1][None, :]] = 0
            similarity[similarity <= 0] = -np.inf
            ids, best = best_of_block(similarity, min(n_nearest, n_reference))
            kept = ids >= 0
            starts = np.concatenate(([0], np.cumsum(kept.sum(axis=1))))
            parts.append(sp.csr_array((best[kept], ids[kept], starts), shape=similarity.shape))
        if not parts:
            return sp.csr_array((0, n_reference), dtype=np.float32)
        return sp.csr_array(sp.vstack(parts, format="csr"))

    def _weighted(self, rows: sp.csr_array) -> sp.csr_array:
        if self.weighting == "cosine":
            return normalize(rows)
        weighted = rows.copy()
        weighted.data = self._column_weights[rows.indices]
        if self.weighting == "tfidf":
            return normalize(weighted)
        lengths = np.diff(rows.indptr)
        dampened = BM25_K1 * (1 - BM25_B + BM25_B * lengths / self._mean_length) + 1
        weighted.data *= np.repeat((BM25_K1 + 1) / dampened, lengths).astype(np.float32)
        return weighted


class _Neighbours(CollaborativeRetriever):
    kind: ClassVar[str]

    def __init__(
        self, neighbours: int = 100, weighting: Literal["cosine", "tfidf", "bm25"] = "cosine"
    ) -> None:
        if weighting not in WEIGHTINGS:
            raise ValueError(f"weighting must be one of {', '.join(WEIGHTINGS)}, got {weighting!r}.")
        arguments.whole("neighbours", neighbours, 1)
        self.neighbours = neighbours
        self.weighting = weighting

    @property
    def name(self) -> str:
        return f"{self.kind} neighbours ({self.weighting})"


class UserKNN(_Neighbours):
    """Offers what the most similar training users took (D1 §4, user-based CF).

    score(history, i) = Σ similarity(history, v) over the nearest training users v that have i. Similarity as
    in `RowSimilarity`, users as rows. A training user with exactly the same items as the history is not a
    neighbour: such a user has nothing new to offer, and it is how a user's own row is left out. An item that
    no neighbour has is not offered (−inf).

    Folds in any history, and a new item from its takers. Source: Resnick et al. 1994, in the form for data
    without ratings.

    Parameters
    ----------
    neighbours
        how many users vote, at least 1; fewer where fewer share an item.
    weighting
        "cosine", "tfidf" or "bm25".
    """

    kind = "user"

    def _learn(self, matrix: sp.csr_array) -> None:
        self._matrix = matrix
        self._keys = set_keys(matrix)
        self._similarity = RowSimilarity(matrix, self.weighting)

    def _learned(self, items: np.ndarray | slice) -> sp.csr_array:
        return self._matrix[:, items]

    def _voters(self, histories: Histories) -> sp.csr_array:
        keys = set_keys(histories.matrix), self._keys
        return self._similarity.nearest(histories.matrix, self.neighbours, excluded=keys)

    def _learn_items(self, takers: sp.csr_array) -> sp.csr_array:
        return takers.T.tocsr()

    def _scores(self, histories: Histories, learned: sp.csr_array) -> np.ndarray:
        return _unsupported_left_out(self._voters(histories) @ learned)


class ItemKNN(_Neighbours):
    """Offers the items most similar to those in the history (D1 §4, item-based CF).

    score(history, i) = Σ similarity(i, j) over the items j of the history that are among the items nearest to
    i. Similarity as in `RowSimilarity`, items as rows; an item is not its own neighbour. An item without a
    neighbour in the history is not offered (−inf). After `fit`, `similarity` is float32 CSR
    `[n_items, n_items]`, row j and column i holding similarity(i, j) where j is a neighbour of i.

    Folds in any history, and a new item from its takers. Source: Sarwar et al. 2001, in the form for data
    without ratings.

    Parameters
    ----------
    neighbours
        how many neighbours an item has, at least 1; fewer where fewer share a user.
    weighting
        "cosine", "tfidf" or "bm25".
    """

    kind = "item"

    def _learn(self, matrix: sp.csr_array) -> None:
        by_item = matrix.T.tocsr()
        itself = np.arange(by_item.shape[0])
        self._row_similarity = RowSimilarity(by_item, self.weighting)
        nearest = self._row_similarity.nearest(by_item, self.neighbours, excluded=(itself, itself))
        self.similarity = nearest.T.tocsr()

    def _learned(self, items: np.ndarray | slice) -> sp.csr_array:
        return self.similarity[:, items]

    def _learn_items(self, takers: sp.csr_array) -> sp.csr_array:
        return self._row_similarity.nearest(takers, self.neighbours).T.tocsr()

    def _scores(self, histories: Histories, learned: sp.csr_array) -> np.ndarray:
        return _unsupported_left_out(histories.matrix @ learned)


def _unsupported_left_out(scores: sp.csr_array) -> np.ndarray:
    scores = scores.toarray()
    scores[scores <= 0] = -np.inf
    return scores
