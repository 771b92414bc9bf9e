"""What collaborative retrievers share: they know users and items by who took what, and by nothing else."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
import scipy.sparse as sp

from course_lib.data import Catalogue, Histories, Interactions
from course_lib.data.histories import checked_matrix, presence
from course_lib.retrieve.base import AnyHistories, CannotFoldIn, Retriever


class CollaborativeRetriever(Retriever):
    """Learns from the matrix of interactions alone; ratings, times and the order of a history are ignored.

    An item that nobody took in training has score −inf and is never offered: whatever number the formula
    leaves for it says nothing. A history without any item of the training data gets no candidates. Both are
    the cold start that content retrieval is for.
    """

    def score_new_items(self, histories: AnyHistories, takers: sp.csr_array) -> np.ndarray:
        """Score items that were not in training from the training users that took them since.

        Parameters
        ----------
        histories
            as in `score`.
        takers
            CSR `[m, n_users]` (items × users): one row a new item, an entry for each training user that took
            it; the values are ignored.

        Returns
        -------
        float32 `[n, m]`, comparable with what `score` gives for the same histories; −inf where an item has no
        taker or a history no known item. Nothing is stored: the next call does not know these items.

        Raises
        ------
        CannotFoldIn
            if the model has no formula for it.
        ValueError
            if `takers` has another shape.
        """
        histories = self._checked_histories(histories)
        takers = presence(
            checked_matrix(takers, self.n_users, f"{self.name}: takers", axes=("items", "users"))
        )
        learned = self._learn_items(takers)
        scores = np.empty((len(histories), takers.shape[0]), dtype=np.float32)
        for block in self._blocks(len(histories)):
            part = histories[block]
            scores[block] = self._scores(part, learned)
            scores[block][~self._has_known_item(part)] = -np.inf
        scores[:, np.diff(takers.indptr) == 0] = -np.inf
        return scores

    def _fit(self, train: Interactions, catalogue: Catalogue | None) -> None:
        self._offered = train.item_counts > 0
        self._learn(train.matrix)

    def _score_block(self, histories: Histories) -> np.ndarray:
        return self._score_items(histories, slice(None))

    def _score_items(self, histories: Histories, items: np.ndarray | slice) -> np.ndarray:
        scores = self._scores(histories, self._learned(items))
        scores[:, ~self._offered[items]] = -np.inf
        scores[~self._has_known_item(histories)] = -np.inf
        return scores

    def _has_known_item(self, histories: Histories) -> np.ndarray:
        return histories.matrix @ self._offered > 0

    @abstractmethod
    def _learn(self, matrix: sp.csr_array) -> None:
        """Learn from float32 CSR `[n_users, n_items]` of ones; it is shared, so copy before changing it."""

    @abstractmethod
    def _learned(self, items: np.ndarray | slice) -> object:
        """What was learned of these items, or of all: `slice(None)`."""

    @abstractmethod
    def _scores(self, histories: Histories, learned: object) -> np.ndarray:
        """Scores float32 `[n, m]` of the m items that `learned` describes, in an array that the caller may
        overwrite."""

    def _learn_items(self, takers: sp.csr_array) -> object:
        """What is learned of new items; `takers` is `[m, n_users]` of ones."""
        raise CannotFoldIn(
            f"{self.name} cannot place an item that it was not trained on; train it again with that item."
        )
