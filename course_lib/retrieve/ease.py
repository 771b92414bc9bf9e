"""EASE: one linear regression an item, all solved by one matrix inverse."""

from __future__ import annotations

import numpy as np
import scipy.linalg
import scipy.sparse as sp

from course_lib import arguments
from course_lib.data import Histories
from course_lib.retrieve.collaborative import CollaborativeRetriever

PANEL = 8_192  # rows inverted by one call to LAPACK; a matrix up to this size is inverted in float64


class EASE(CollaborativeRetriever):
    """Predicts each item from the others by ridge regression: score(history, i) = Σ B[j, i] over its items j.

    B minimises |X − X B|² + regularization |B|² with a diagonal of zeros. With P the inverse of
    XᵀX + regularization × I: B[j, i] = −P[j, i]/P[i, i]. After `fit`, `weights` is B, float32
    `[n_items, n_items]`; memory grows with n_items², time with the cube of n_items or n_users, whichever is
    fewer. Up to 8,192 of these the inverse is computed in float64; beyond, in float32, in place.

    Folds in any history, and exactly so: B does not depend on whose history it is. A new item is predicted
    from the old ones by its own regression P Xᵀx, which is the column that training on it would give.
    Source: Steck 2019.

    Parameters
    ----------
    regularization
        > 0, in interactions: an item with far fewer predicts almost nothing.
    """

    name = "EASE"

    def __init__(self, regularization: float = 500.0) -> None:
        arguments.real("regularization", regularization, above=0)
        self.regularization = regularization

    def _learn(self, matrix: sp.csr_array) -> None:
        self._matrix = matrix
        n_users, n_items = matrix.shape
        inverse = self._inverse_by_users(matrix) if n_users < n_items else self._inverse_gram(matrix)
        diagonal = np.einsum("ii->i", inverse)
        self._inverse_diagonal = diagonal.copy()
        inverse /= -self._inverse_diagonal
        diagonal[:] = 0
        self.weights = inverse.astype(np.float32, copy=False)

    def _inverse_gram(self, matrix: sp.csr_array) -> np.ndarray:
        """(XᵀX + regularization I)⁻¹ for X = `matrix` `[m, n]`: an array `[n, n]`."""
        n = matrix.shape[1]
        columns = matrix.T.tocsr()
        gram = np.empty((n, n), dtype=np.float64 if n <= PANEL else np.float32)
        for start in range(0, n, PANEL):  # in panels, so that no second copy of it ever exists
            gram[start : start + PANEL] = (columns[start : start + PANEL] @ matrix).toarray()
        np.einsum("ii->i", gram)[:] += self.regularization
        invert_in_place(gram, PANEL)
        return gram

    def _inverse_by_users(self, matrix: sp.csr_array) -> np.ndarray:
        """The same P by Woodbury's identity, from the smaller inverse of X Xᵀ + regularization I:
        P = (I − Xᵀ (X Xᵀ + regularization I)⁻¹ X)/regularization."""
        n_items = matrix.shape[1]
        by_item = matrix.T.tocsr()
        of_users = self._inverse_gram(by_item)
        inverse = np.empty((n_items, n_items), dtype=of_users.dtype)
        for start in range(0, n_items, PANEL):
            panel = by_item[start : start + PANEL] @ of_users
            inverse[start : start + PANEL] = panel @ matrix
        inverse /= -self.regularization
        np.einsum("ii->i", inverse)[:] += 1 / self.regularization
        return inverse

    def _learned(self, items: np.ndarray | slice) -> np.ndarray:
        return self.weights[:, items]

    def _learn_items(self, takers: sp.csr_array) -> np.ndarray:
        shared = (takers @ self._matrix).T.toarray()  # Xᵀx, one column a new item
        # P = (I − B) diag(P), so that P itself need not be kept.
        scaled = self._inverse_diagonal[:, None] * shared
        return (scaled - self.weights @ scaled).astype(np.float32)

    def _scores(self, histories: Histories, learned: np.ndarray) -> np.ndarray:
        return histories.matrix @ learned


def invert_in_place(matrix: np.ndarray, panel: int) -> None:
    """Replace a symmetric positive definite matrix `[n, n]`, float32 or float64, by its inverse.

    The sweep operator, a panel of rows at a time, so that LAPACK never sees more than `panel` rows. Swept
    panels hold −1 × the inverse of their part, so the matrix stays symmetric all the way and only the upper
    blocks are computed: n³ multiply-adds in all, and one copy of a panel of rows beyond the matrix. Raises
    ValueError for another shape; scipy's LinAlgError if the matrix is not positive definite.
    """
    n = len(matrix)
    if matrix.shape != (n, n) or matrix.dtype not in (np.float32, np.float64):
        raise ValueError(
            f"invert_in_place: expected a square float matrix, got {matrix.dtype} {matrix.shape}."
        )
    blocks = [slice(start, min(start + panel, n)) for start in range(0, n, panel)]
    for place, pivot in enumerate(blocks):
        # The whole row of the pivot; left of it only the upper triangle is up to date, so it is transposed.
        row = np.hstack([matrix[b, pivot].T for b in blocks[:place]] + [matrix[pivot, pivot.start :]])
        inverse = scipy.linalg.inv(row[:, pivot], assume_a="pos", check_finite=False)
        for i, upper in enumerate(blocks):
            if i == place:
                continue
            left = row[:, upper].T @ inverse  # [upper, pivot]
            for j, other in enumerate(blocks[i:], start=i):
                if j != place:
                    matrix[upper, other] -= left @ row[:, other]
            if i < place:
                matrix[upper, pivot] = left
            else:
                matrix[pivot, upper] = left.T
        matrix[pivot, pivot] = -inverse
    for i, upper in enumerate(blocks):
        for other in blocks[i:]:
            matrix[upper, other] *= -1
            if other != upper:
                matrix[other, upper] = matrix[upper, other].T
