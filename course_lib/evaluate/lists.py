"""What lists look like, whoever is right: coverage, concentration, novelty, diversity.

Throughout: `ids` is int64 `[n, k]`, the lists cut at k, −1 in empty places. Lists of all users count, also of
those without a relevant item.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from sklearn.preprocessing import normalize

from course_lib import arguments
from course_lib.similarity import in_reach


def coverage(ids: np.ndarray, n_items: int) -> float:
    """Share of the catalogue that stands in at least one list, 0…1.

    >>> coverage(np.array([[0, 1], [0, -1]]), 4)
    0.5
    """
    return float((_exposures(ids, n_items) > 0).mean())


def gini(ids: np.ndarray, n_items: int) -> float:
    """Gini coefficient of how often each item of the catalogue is listed, never-listed ones included.

    0: all items equally often; (n_items − 1)/n_items: one item gets everything. NaN if all lists are empty.

    >>> gini(np.array([[0], [0], [0], [1]]), 2)
    0.25
    """
    exposures = np.sort(_exposures(ids, n_items))
    if exposures[-1] == 0:
        return float("nan")
    weights = 2 * np.arange(1, n_items + 1) - n_items - 1
    return float(weights @ exposures / (n_items * exposures.sum()))


def novelty(ids: np.ndarray, item_counts: np.ndarray, n_users: int) -> np.ndarray:
    """Mean self-information of the listed items, in bits: float64 `[n]`, NaN for an empty list.

    An item that `count` of `n_users` training users have carries −log2((count + 1)/(n_users + 1)) bits; the
    one added to both keeps an item that nobody has finite. Source: Zhou et al. 2010, with that smoothing.

    >>> novelty(np.array([[0, 1]]), np.array([3, 0]), 3)
    array([1.])
    """
    return _mean_over_list(ids, -np.log2((np.asarray(item_counts, dtype=np.float64) + 1) / (n_users + 1)))


def average_popularity(ids: np.ndarray, item_counts: np.ndarray, n_users: int) -> np.ndarray:
    """Mean share of training users that have a listed item: float64 `[n]` in 0…1, NaN for an empty list.

    >>> average_popularity(np.array([[0, 1]]), np.array([3, 0]), 3)
    array([0.5])
    """
    return _mean_over_list(ids, np.asarray(item_counts, dtype=np.float64) / n_users)


def intra_list_diversity(ids: np.ndarray, item_vectors: np.ndarray | sp.csr_array) -> np.ndarray:
    """1 − mean cosine over all pairs of items in a list: float64 `[n]`, NaN for fewer than two items.

    `item_vectors` is `[n_items, d]`, any length; a zero vector has cosine 0 with everything. Equal for all
    orders of the list. Source: Ziegler et al. 2005 (there as a similarity).

    >>> intra_list_diversity(np.array([[0, 1, 2]]), np.array([[1.0, 0], [0, 2], [3, 0]])).round(4)
    array([0.6667])
    """
    if not sp.issparse(item_vectors):  # scikit-learn takes a short dense row for zero
        item_vectors = in_reach(arguments.numbers("item_vectors", item_vectors, "repair them", n_dims=2))
    directions = normalize(item_vectors).astype(np.float64)
    listed = _membership(ids, directions.shape[0])
    # |Σv|² = Σ|v|² + 2 Σ over pairs, so that no list of pairs is ever built.
    sums = listed @ directions
    squared = sums.power(2) if sp.issparse(sums) else sums**2
    lengths = directions.power(2) if sp.issparse(directions) else directions**2
    similar_pairs = (np.asarray(squared.sum(axis=1)) - listed @ np.asarray(lengths.sum(axis=1))) / 2
    size = (ids >= 0).sum(axis=1)
    pairs = size * (size - 1) / 2
    return 1 - similar_pairs / np.where(pairs > 0, pairs, np.nan)


def _exposures(ids: np.ndarray, n_items: int) -> np.ndarray:
    return np.bincount(ids[ids >= 0], minlength=n_items)


def _membership(ids: np.ndarray, n_items: int) -> sp.csr_array:
    rows, places = np.nonzero(ids >= 0)
    return sp.csr_array((np.ones(len(rows)), (rows, ids[rows, places])), shape=(ids.shape[0], n_items))


def _mean_over_list(ids: np.ndarray, value_of_item: np.ndarray) -> np.ndarray:
    listed = ids >= 0
    size = listed.sum(axis=1)
    return np.where(listed, value_of_item[ids], 0).sum(axis=1) / np.where(size > 0, size, np.nan)
