"""Hand-made features: what content retrieval did before encoders."""

from __future__ import annotations

from typing import Literal

import numpy as np
import scipy.sparse as sp
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import MultiLabelBinarizer

from course_lib.data import Catalogue
from course_lib.retrieve.vectors import VectorRetriever


class FeatureRetriever(VectorRetriever):
    """Items are rows of a feature matrix `[n_items, d]` (CSR or array), in the order of the catalogue.

    `name` is how results are labelled; `user` and `measure` as in `VectorRetriever`.
    """

    def __init__(
        self,
        features: np.ndarray | sp.csr_array,
        name: str,
        user: Literal["mean", "recency"] = "mean",
        measure: Literal["cosine", "dot", "euclidean"] = "cosine",
    ) -> None:
        super().__init__(user, measure)
        self.features = features
        self.name = name

    def _make_item_vectors(self, catalogue: Catalogue | None) -> np.ndarray | sp.csr_array:
        return self.features


def genre_features(catalogue: Catalogue) -> np.ndarray:
    """One column a genre, in alphabetical order, 1 where the item has it: float32 `[n_items, n_genres]`."""
    return MultiLabelBinarizer().fit_transform(catalogue.rows["genres"]).astype(np.float32)


def tfidf_features(catalogue: Catalogue, *fields: str) -> sp.csr_array:
    """TF-IDF of the items' text by scikit-learn: float32 CSR `[n_items, n_words]`, rows of unit length."""
    return sp.csr_array(TfidfVectorizer(dtype=np.float32).fit_transform(catalogue.describe(*fields)))
