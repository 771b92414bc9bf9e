"""The two bars: everybody gets the same popular items, or everybody gets random ones."""

from __future__ import annotations

import numpy as np

from course_lib import arguments
from course_lib.data import Catalogue, Histories, Interactions, seeded_hash
from course_lib.retrieve.base import Retriever, set_keys


class Popularity(Retriever):
    """Ranks items by the number of training users that have them; the history only says what to leave out."""

    name = "popularity"

    def _fit(self, train: Interactions, catalogue: Catalogue | None) -> None:
        self.item_counts = train.item_counts

    def _score_block(self, histories: Histories) -> np.ndarray:
        counts = self.item_counts.astype(np.float32)
        return np.broadcast_to(counts, histories.shape)


class Random(Retriever):
    """Ranks items at random: a fixed function of seed, history and item.

    So `score` and `retrieve` agree, and an answer does not depend on which other users are asked about. Equal
    histories get equal lists. Expected Recall@k with seen items excluded: k / (n_items − seen).
    """

    name = "random"

    def __init__(self, seed: int = 0) -> None:
        arguments.seed(seed)
        self.seed = seed

    def _fit(self, train: Interactions, catalogue: Catalogue | None) -> None:
        self._items = np.arange(self.n_items)

    def _score_block(self, histories: Histories) -> np.ndarray:
        history_keys = set_keys(histories.matrix, self.seed)
        mixed = seeded_hash(history_keys[:, None], self._items[None, :], self.seed)
        return (mixed >> np.uint64(40)).astype(np.float32) / 2**24  # 24 bits: all that a float32 can hold
