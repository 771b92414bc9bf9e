"""Hand-made features: what content retrieval did before encoders."""

from __future__ import annotations

from typing import Literal

import numpy as np
import scipy.sparse as sp
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import MultiLabelBinarizer

from course_lib import arguments
from course_lib.data import Catalogue
from course_lib.retrieve.vectors import VectorRetriever


class FeatureRetriever(VectorRetriever):
    """Items are rows of a feature matrix `[n_items, d]` (CSR or array), in the order of the catalogue.

    `name` is how results are labelled; the others as in `VectorRetriever`.
    """

    def __init__(
        self,
        features: np.ndarray | sp.csr_array,
        name: str,
        user: Literal["mean", "recency"] = "mean",
        measure: Literal["cosine", "dot", "euclidean"] = "cosine",
        half_life: float = 10.0,
        centre: bool = False,
    ) -> None:
        super().__init__(user, measure, half_life, centre)
        self.features = features
        self.name = name

    def _make_item_vectors(self, catalogue: Catalogue | None) -> np.ndarray | sp.csr_array:
        return self.features


def genre_features(catalogue: Catalogue) -> np.ndarray:
    """One column a genre, in alphabetical order, 1 where the item has it: float32 `[n_items, n_genres]`.

    Raises ValueError for a catalogue without genres, and for an item whose genres are not a list.
    """
    if "genres" not in catalogue.rows.column_names:
        raise ValueError(
            f"{catalogue.name} has no field genres; it has {', '.join(catalogue.rows.column_names)}."
        )
    genres = list(catalogue.rows["genres"])
    for place, of_item in enumerate(genres):
        if not isinstance(of_item, list):
            raise ValueError(f"{catalogue.name}: the genres of item {place} are {of_item!r}; give a list.")
        if of_item:
            arguments.names(f"{catalogue.name}: the genres of item {place}", of_item)
    if not any(genres):
        raise ValueError(f"{catalogue.name}: no item has a genre, so there are no features.")
    return MultiLabelBinarizer().fit_transform(genres).astype(np.float32)


def tfidf_features(catalogue: Catalogue, *fields: str) -> sp.csr_array:
    """TF-IDF of the items' text by scikit-learn: float32 CSR `[n_items, n_words]`, rows of unit length.

    Raises ValueError if no text has a word of two letters or more.
    """
    vectorizer, texts = TfidfVectorizer(dtype=np.float32), catalogue.describe(*fields)
    if not any(map(vectorizer.build_analyzer(), texts)):
        raise ValueError(
            f"{catalogue.name}: {', '.join(fields)} hold no word of two letters or more; name other fields."
        )
    return sp.csr_array(vectorizer.fit_transform(texts))
