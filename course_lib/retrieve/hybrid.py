"""Two retrievers, one list."""

from __future__ import annotations

import numpy as np

from course_lib import arguments
from course_lib.data import Catalogue, Histories, Interactions
from course_lib.retrieve.base import Retriever


class Hybrid(Retriever):
    """Weighted sum of two retrievers' standardised scores, for example user- and item-based CF (D1 §4).

    score = weight × z(first) + (1 − weight) × z(second). z takes the mean from a history's scores and divides
    by their standard deviation, both over the items that the retriever offers; an item that only the other
    one offers gets the lowest z of the list, one that neither offers is not offered. Standardised, because
    the two scores have different units.

    `fit` fits both. Folds in what both fold in. `weight` 0…1: 1 ranks as the first, 0 as the second, except
    for items that only the other offers.
    """

    def __init__(self, first: Retriever, second: Retriever, weight: float = 0.5) -> None:
        arguments.real("weight", weight, at_least=0, at_most=1)
        self.first = first
        self.second = second
        self.weight = weight

    @property
    def name(self) -> str:
        return f"{self.first.name} + {self.second.name}"

    @property
    def folds_in(self) -> bool:
        return self.first.folds_in and self.second.folds_in

    def _fit(self, train: Interactions, catalogue: Catalogue | None) -> None:
        self.first.fit(train, catalogue)
        self.second.fit(train, catalogue)

    def _score_block(self, histories: Histories) -> np.ndarray:
        total = np.zeros(histories.shape, dtype=np.float32)
        offered = np.zeros(total.shape, dtype=bool)
        for retriever, weight in ((self.first, self.weight), (self.second, 1 - self.weight)):
            scores = retriever.scores(histories)
            offered |= scores > -np.inf
            total += np.float32(weight) * _standardised(scores)
        total[~offered] = -np.inf
        return total


def _standardised(scores: np.ndarray) -> np.ndarray:
    """z-scores float32 of each row; −inf becomes the lowest z of the row, a constant row 0."""
    offered = scores > -np.inf
    size = np.maximum(offered.sum(axis=1, keepdims=True), 1)
    mean = np.where(offered, scores, 0).sum(axis=1, keepdims=True, dtype=np.float64) / size
    centred = np.where(offered, scores - mean, 0)
    deviation = np.sqrt((centred**2).sum(axis=1, keepdims=True) / size)
    z = np.divide(centred, deviation, out=np.zeros_like(centred), where=deviation > 0)
    return np.where(offered, z, z.min(axis=1, keepdims=True)).astype(np.float32)
