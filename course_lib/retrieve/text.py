"""Retrieval by what items say: a pre-trained encoder turns their text into vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from course_lib import arguments
from course_lib.data import Catalogue, Histories
from course_lib.retrieve.candidates import Candidates
from course_lib.retrieve.vectors import VectorRetriever

if TYPE_CHECKING:  # the encoder brings torch, which the other retrievers do not need
    from course_lib.encode import TextEncoder


class TextRetriever(VectorRetriever):
    """Items are encoded attributes, users are encoded histories (D1 §3.2, three ways).

    Parameters
    ----------
    encoder
        a `TextEncoder`; it is used as it is, nothing is trained.
    fields
        attributes of the catalogue that make an item's text.
    user
        "mean" and "recency" as in `VectorRetriever`; "text": one text built from the `recent` latest items,
        latest first, encoded like an item; refuses histories without order.
    measure
        "cosine", "dot", or "euclidean".
    recent
        number of items in the text of a user. Long texts are cut by the encoder.
    half_life, centre
        as in `VectorRetriever`; the text of a user and of a query is centred like an item.
    """

    user_encoders = ("mean", "recency", "text")

    def __init__(
        self,
        encoder: TextEncoder,
        fields: Sequence[str] = ("title", "genres"),
        user: Literal["mean", "recency", "text"] = "mean",
        measure: Literal["cosine", "dot", "euclidean"] = "cosine",
        recent: int = 5,
        half_life: float = 10.0,
        centre: bool = False,
    ) -> None:
        super().__init__(user, measure, half_life, centre)
        self.encoder = encoder
        arguments.names("fields", fields)
        self.fields = fields
        arguments.whole("recent", recent, 1)
        self.recent = recent

    @property
    def name(self) -> str:
        return f"text ({self.user})"

    def search(self, texts: Sequence[str], k: int) -> Candidates:
        """The `k` items nearest to each query text; no user is involved. Needs `fit`.

        Raises ValueError for a query that is empty, no str, or holds half a character, with its position.
        """
        self._check_fitted()
        return Candidates.from_catalogue_scores(self._similarity(self._encoded(arguments.texts(texts))), k)

    def _make_item_vectors(self, catalogue: Catalogue | None) -> np.ndarray:
        if catalogue is None:
            raise ValueError(f"{self.name}: items are made from text, so call fit(train, catalogue).")
        self._item_texts = catalogue.describe(*self.fields)
        return self.encoder.encode(self._item_texts)

    def _user_vectors(self, histories: Histories) -> np.ndarray:
        if self.user != "text":
            return super()._user_vectors(histories)
        vectors = np.zeros((len(histories), self.item_vectors.shape[1]), dtype=np.float32)
        known = np.flatnonzero(histories.lengths)
        if known.size:
            vectors[known] = self._encoded([self.history_text(histories, row) for row in known])
        return vectors

    def _encoded(self, texts: list[str]) -> np.ndarray:
        return self.encoder.encode(texts) - self._origin

    def history_text(self, histories: Histories, row: int) -> str:
        """The text that stands for the history in `row` when `user="text"`."""
        (latest,) = histories[[row]].latest(self.recent)
        return "; ".join(self._item_texts[item] for item in latest[latest >= 0])
