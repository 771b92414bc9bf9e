"""The two bars: everybody gets the same popular items, or everybody gets random ones."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from course_lib import arguments
from course_lib.data import Catalogue, Histories, Interactions, seeded_hash
from course_lib.retrieve.base import Retriever, set_keys


class SameForAll(Retriever):
    """An item has one score for everybody; the history only says what to leave out."""

    @abstractmethod
    def _item_scores(self) -> np.ndarray:
        """The score of each item, `[n_items]`."""

    def _score_block(self, histories: Histories) -> np.ndarray:
        return np.broadcast_to(self._item_scores().astype(np.float32), histories.shape)

    def _score_items(self, histories: Histories, items: np.ndarray) -> np.ndarray:
        return np.broadcast_to(self._item_scores()[items].astype(np.float32), (len(histories), len(items)))


class Popularity(SameForAll):
    """Ranks items by the number of training users that have them."""

    name = "popularity"

    def _fit(self, train: Interactions, catalogue: Catalogue | None) -> None:
        self.item_counts = train.item_counts

    def _item_scores(self) -> np.ndarray:
        return self.item_counts


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
        pass

    def _score_block(self, histories: Histories) -> np.ndarray:
        return self._score_items(histories, np.arange(self.n_items))

    def _score_items(self, histories: Histories, items: np.ndarray) -> np.ndarray:
        history_keys = set_keys(histories.matrix, self.seed)
        mixed = seeded_hash(history_keys[:, None], items[None, :], self.seed)
        return (mixed >> np.uint64(40)).astype(np.float32) / 2**24  # 24 bits: all that a float32 can hold
