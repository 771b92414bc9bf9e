"""Ranking metrics of one list a user, from `hits`.

Throughout: `hits` is bool `[n, K]`, True where the list of a user holds a relevant item at that place
(empty places are False); `n_relevant` is int `[n]`, the number of relevant items of each user; `k` ≤ K is
the cut-off; `rank` counts from 1. Each function returns float64 `[n]`, one value a user, in 0…1, and NaN
for a user without a relevant item: nothing could be found, so there is nothing to judge. A list with fewer
than k items counts its empty places as misses.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata


def recall(hits: np.ndarray, n_relevant: np.ndarray, k: int) -> np.ndarray:
    """Hits in the first k ÷ relevant items. Below 1 even for a perfect list when a user has more than k.

    >>> recall(np.array([[True, False, True]]), np.array([4]), 3)
    array([0.5])
    """
    return hits[:, :k].sum(axis=1) / _or_nan(n_relevant)


def recall_capped(hits: np.ndarray, n_relevant: np.ndarray, k: int) -> np.ndarray:
    """Hits in the first k ÷ min(k, relevant items): 1 for a perfect list. Some papers call this Recall@k.

    >>> recall_capped(np.array([[True, False, True]]), np.array([4]), 3).round(3)
    array([0.667])
    """
    return hits[:, :k].sum(axis=1) / _or_nan(np.minimum(n_relevant, k))


def precision(hits: np.ndarray, n_relevant: np.ndarray, k: int) -> np.ndarray:
    """Hits in the first k ÷ k, also when the list is shorter than k.

    >>> precision(np.array([[True, False, True]]), np.array([4]), 2)
    array([0.5])
    """
    return np.where(n_relevant > 0, hits[:, :k].sum(axis=1) / k, np.nan)


def hit_rate(hits: np.ndarray, n_relevant: np.ndarray, k: int) -> np.ndarray:
    """1 if the first k hold a relevant item, else 0.

    >>> hit_rate(np.array([[False, True], [False, False]]), np.array([1, 1]), 2)
    array([1., 0.])
    """
    return np.where(n_relevant > 0, hits[:, :k].any(axis=1), np.nan)


def reciprocal_rank(hits: np.ndarray, n_relevant: np.ndarray, k: int) -> np.ndarray:
    """1 ÷ rank of the first hit, 0 if the first k hold none; its mean over users is MRR@k.

    >>> reciprocal_rank(np.array([[False, True], [False, False]]), np.array([1, 1]), 2)
    array([0.5, 0. ])
    """
    first = hits[:, :k]
    return np.where(n_relevant > 0, first.any(axis=1) / (first.argmax(axis=1) + 1.0), np.nan)


def reciprocal_rank_of_all(hits: np.ndarray, n_relevant: np.ndarray) -> np.ndarray:
    """Σ 1 ÷ rank over all hits ÷ relevant items: what MIND calls MRR. No cut-off; 1 only for a single item.

    >>> reciprocal_rank_of_all(np.array([[False, True, True]]), np.array([2])).round(4)
    array([0.4167])
    """
    return (hits / np.arange(1, hits.shape[1] + 1)).sum(axis=1) / _or_nan(n_relevant)


def average_precision(hits: np.ndarray, n_relevant: np.ndarray, k: int) -> np.ndarray:
    """Sum of the precision at each hit in the first k ÷ relevant items; its mean is MAP@k.

    trec_eval calls it `map_cut`.

    >>> average_precision(np.array([[True, False, True]]), np.array([4]), 3).round(4)
    array([0.4167])
    """
    return _precision_at_hits(hits, k) / _or_nan(n_relevant)


def average_precision_capped(hits: np.ndarray, n_relevant: np.ndarray, k: int) -> np.ndarray:
    """As `average_precision`, ÷ min(k, relevant items): 1 for a perfect list.

    >>> average_precision_capped(np.array([[True, False, True]]), np.array([4]), 3).round(4)
    array([0.5556])
    """
    return _precision_at_hits(hits, k) / _or_nan(np.minimum(n_relevant, k))


def average_precision_of_hits(hits: np.ndarray, n_relevant: np.ndarray, k: int) -> np.ndarray:
    """As `average_precision`, ÷ hits in the first k (0 without a hit): blind to what the list misses.

    Kept because some libraries call it MAP, and their figures can be several times larger.

    >>> average_precision_of_hits(np.array([[True, False, True]]), np.array([4]), 3).round(4)
    array([0.8333])
    """
    found = np.maximum(hits[:, :k].sum(axis=1), 1)
    return np.where(n_relevant > 0, _precision_at_hits(hits, k) / found, np.nan)


def ndcg(hits: np.ndarray, n_relevant: np.ndarray, k: int) -> np.ndarray:
    """Binary NDCG: Σ 1/log2(rank + 1) over the hits in the first k ÷ the most that sum can be.

    The most: min(k, relevant items) hits, all on top.

    Source: Järvelin & Kekäläinen 2002, with the discount that starts at rank 2 as trec_eval and most papers
    have it.

    >>> ndcg(np.array([[False, True]]), np.array([1]), 2).round(4)
    array([0.6309])
    """
    weights = _discounts(k)
    best = np.concatenate(([np.nan], np.cumsum(weights)))
    return hits[:, :k] @ weights[: hits.shape[1]] / best[np.minimum(n_relevant, k)]


def ndcg_graded(gains: np.ndarray, best_gains: np.ndarray, k: int) -> np.ndarray:
    """NDCG with graded relevance: Σ gain/log2(rank + 1) of the first k ÷ the same of the best possible list.

    `gains` float `[n, K]` is the gain at each place of the list (0: not relevant or empty); `best_gains`
    float `[n, K']` holds the gains of all relevant items of each user in falling order, zeros after the
    last. Linear gain (the relevance itself) is trec_eval's; exponential gain 2**relevance − 1 is that of
    Burges et al. 2005.

    >>> ndcg_graded(np.array([[1.0, 3.0]]), np.array([[3.0, 1.0]]), 2).round(4)
    array([0.7967])
    """
    reached = gains[:, :k] @ _discounts(k)[: gains.shape[1]]
    best = best_gains[:, :k] @ _discounts(k)[: best_gains.shape[1]]
    return reached / np.where(best > 0, best, np.nan)


def auc(scores: np.ndarray, clicked: np.ndarray) -> np.ndarray:
    """Area under the ROC curve of each impression: how often a click scores above an item only shown.

    Parameters
    ----------
    scores
        float `[n, m]`, higher is better, below +inf; anything where `clicked` is −1.
    clicked
        int `[n, m]`: 1 clicked, 0 shown only, −1 no item at this place.

    Returns
    -------
    float64 `[n]` in 0…1; a tie counts one half; NaN without a click or without an item that was shown only.

    >>> auc(np.array([[0.9, 0.1, 0.5]]), np.array([[1, 0, 0]]))
    array([1.])
    """
    scores, clicked = np.asarray(scores), np.asarray(clicked)
    if scores.ndim != 2 or scores.shape != clicked.shape:
        raise ValueError(
            f"auc: scores and clicked must be [n, m] alike, got {scores.shape} and {clicked.shape}."
        )
    if scores.dtype.kind not in "biuf":
        raise ValueError(f"auc: scores must be numbers, got {scores.dtype}.")
    check_marks("auc", clicked)
    shown = clicked >= 0
    if not (scores[shown] < np.inf).all():
        raise ValueError("auc: a score is NaN or +inf; find out which retriever made it.")
    # Empty places go on top, where they cannot change the rank of an item below.
    ranks = rankdata(np.where(shown, scores, np.inf), axis=1)
    n_clicked = (clicked == 1).sum(axis=1)
    n_other = (clicked == 0).sum(axis=1)
    # Mann–Whitney: the ranks of the clicked items, less what they would be among themselves.
    pairs_won = (ranks * (clicked == 1)).sum(axis=1) - n_clicked * (n_clicked + 1) / 2
    return pairs_won / _or_nan(n_clicked * n_other)


def check_marks(who: str, clicked: np.ndarray) -> None:
    """Refuse marks on impressions other than 1, 0 and −1."""
    if clicked.dtype.kind not in "biuf" or not np.isin(clicked, (-1, 0, 1)).all():
        raise ValueError(
            f"{who}: clicked holds something other than 1 (clicked), 0 (shown only) and −1 (no item)."
        )


def _or_nan(count: np.ndarray) -> np.ndarray:
    return np.where(count > 0, count, np.nan)


def _discounts(k: int) -> np.ndarray:
    return 1 / np.log2(np.arange(2, k + 2))


def _precision_at_hits(hits: np.ndarray, k: int) -> np.ndarray:
    users, places = np.nonzero(hits[:, :k])  # few places are hits, so only these are looked at
    first_of_user = np.searchsorted(users, np.arange(len(hits)))
    found_so_far = np.arange(1, len(users) + 1) - first_of_user[users]
    return np.bincount(users, found_so_far / (places + 1), minlength=len(hits))
