"""Items are vectors, a user is made from the vectors of the history: the shape of all content retrieval."""

from __future__ import annotations

from abc import abstractmethod
from typing import Literal

import numpy as np
import scipy.sparse as sp
from sklearn.metrics.pairwise import cosine_similarity, euclidean_distances, linear_kernel
from sklearn.preprocessing import normalize

from course_lib import arguments
from course_lib.data import Catalogue, Histories, Interactions
from course_lib.retrieve.base import Retriever
from course_lib.similarity import in_reach

# scikit-learn's, because feature matrices may be sparse; for dense vectors course_lib.similarity is the same.
MEASURES = {
    "cosine": cosine_similarity,
    "dot": linear_kernel,
    "euclidean": lambda users, items: -euclidean_distances(users, items),
}


class VectorRetriever(Retriever):
    """Scores an item by the similarity of its vector to the user's vector.

    Parameters
    ----------
    user
        "mean": the mean of the vectors of the items in the history; their order is ignored.
        "recency": the mean weighted by `Histories.recency(half_life)`; refuses histories without order.
    measure
        "cosine", "dot", or "euclidean" (minus the distance).
    half_life
        events after which an item weighs half, in a "recency".
    centre
        whether the mean of all item vectors is subtracted from each: encoders leave their vectors in a narrow
        cone, whose common direction says nothing about anybody. Dense vectors only.

    A user with an empty history has no vector and gets no candidates. After `fit`, `item_vectors` holds the
    `[n_items, d]` vectors (float array or CSR).
    """

    user_encoders: tuple[str, ...] = ("mean", "recency")

    def __init__(
        self,
        user: str = "mean",
        measure: Literal["cosine", "dot", "euclidean"] = "cosine",
        half_life: float = 10.0,
        centre: bool = False,
    ) -> None:
        if user not in self.user_encoders:
            raise ValueError(f"user must be one of {', '.join(self.user_encoders)}, got {user!r}.")
        if measure not in MEASURES:
            raise ValueError(f"measure must be one of {', '.join(MEASURES)}, got {measure!r}.")
        arguments.real("half_life", half_life, at_least=0.01, at_most=1e6)
        self.user = user
        self.measure = measure
        if not isinstance(centre, bool | np.bool_):
            raise ValueError(f"centre must be True or False, got {centre!r}.")
        self.half_life = half_life
        self.centre = centre

    @abstractmethod
    def _make_item_vectors(self, catalogue: Catalogue | None) -> np.ndarray | sp.csr_array:
        """Vectors `[n_items, d]`, one row an item."""

    def _fit(self, train: Interactions, catalogue: Catalogue | None) -> None:
        vectors = self._make_item_vectors(catalogue)
        what = f"{self.name}: the item vectors"
        if sp.issparse(vectors):
            vectors = sp.csr_array(vectors)
            arguments.numbers(what, vectors.data, "repair them")
        else:
            vectors = arguments.numbers(what, vectors, "repair them", n_dims=2)
        if vectors.ndim != 2 or vectors.shape[0] != self.n_items:
            hint = "; it looks transposed" if self.n_items in vectors.shape[1:] else ""
            raise ValueError(
                f"{self.name}: expected one vector for each of {self.n_items} items, got "
                f"{vectors.shape}{hint}."
            )
        self._origin = np.zeros(vectors.shape[1], dtype=vectors.dtype)
        if self.centre:
            if sp.issparse(vectors):
                raise ValueError(
                    f"{self.name}: centre needs dense vectors, because subtracting a mean leaves no zeros; "
                    "pass features.toarray(), or centre=False."
                )
            self._origin = vectors.mean(axis=0, dtype=np.float64).astype(vectors.dtype)
            vectors = vectors - self._origin
        self.item_vectors = vectors

    def _score_block(self, histories: Histories) -> np.ndarray:
        return self._score_items(histories, slice(None))

    def _score_items(self, histories: Histories, items: np.ndarray | slice) -> np.ndarray:
        scores = self._similarity(self._user_vectors(histories), items)
        scores[histories.lengths == 0] = -np.inf
        return scores

    def _similarity(
        self, vectors: np.ndarray | sp.csr_array, items: np.ndarray | slice = slice(None)
    ) -> np.ndarray:
        # In float64, rounded by the caller: see `rounded_product`.
        both = (vectors.astype(np.float64), self.item_vectors[items].astype(np.float64))
        if self.measure == "cosine":  # of any length: scikit-learn takes a very short dense row for zero
            both = tuple(x if sp.issparse(x) else in_reach(x) for x in both)
        return MEASURES[self.measure](*both)

    def _user_vectors(self, histories: Histories) -> np.ndarray | sp.csr_array:
        weights = histories.recency(self.half_life if self.user == "recency" else None)
        return normalize(weights.astype(np.float64), norm="l1") @ self.item_vectors
