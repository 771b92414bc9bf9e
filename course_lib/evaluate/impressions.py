"""Ranking what was shown: the metrics of MIND, one value an impression.

An impression (曝光) is a list that somebody saw, with a mark on what was clicked. A ranker puts the clicked
items first *among the shown ones*; whether it would have found them in a catalogue is another question.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from course_lib import arguments
from course_lib.evaluate import accuracy
from course_lib.evaluate.report import Report

MIND_METRICS = ("auc", "mrr", "ndcg@5", "ndcg@10")


def evaluate_impressions(
    items: np.ndarray,
    scores: np.ndarray,
    clicked: np.ndarray,
    users: np.ndarray,
    metrics: Sequence[str] = MIND_METRICS,
    seed: int = 0,
) -> Report:
    """Judge the order that `scores` give to the items of each impression, as the MIND leaderboard does.

    Parameters
    ----------
    items
        int64 `[n, m]`, items shown in each impression in any order, −1 pads.
    scores
        float `[n, m]`, higher is better, below +inf; −inf puts an item last.
    clicked
        int `[n, m]`: 1 clicked, 0 shown only, −1 where `items` is.
    users
        int `[n]`, whose impression it is: intervals take the impressions of a user together.
    metrics
        "auc", "mrr", "ndcg@k". Beware: this `mrr` is MIND's, the mean of 1 ÷ rank over **all** clicked items,
        where `evaluate` and most papers take the first hit only. Ties in score: one half in `auc`; in the
        others by item id, and not by place in the list (MIND's own script leaves it to the sort).
    seed
        of the bootstrap.

    Returns
    -------
    Report with one row an impression, NaN for one without a click (and in `auc`, without an item that was
    shown only). MIND takes means over impressions, and so does this.

    Raises
    ------
    ValueError
        for arrays of different shapes, marks other than 1, 0, −1, a pad with a mark or a mark without an
        item, an item shown twice in one impression, a score of NaN or +inf, an unknown metric.

    Source: Wu et al. 2020 (MIND, ACL), and the evaluation script that comes with the data.
    """
    metrics = arguments.names("metrics", metrics)
    items, scores, clicked = np.asarray(items), np.asarray(scores), np.asarray(clicked)
    area = accuracy.auc(scores, clicked)  # checks the shapes of the two, the marks and the scores
    _check_items(items, clicked)
    hits = np.take_along_axis(clicked == 1, _ranking(items, scores), axis=1)
    n_clicked = hits.sum(axis=1)
    per_impression: dict[str, np.ndarray] = {}
    for metric in metrics:
        name, _, k = metric.partition("@")
        if metric == "auc":
            per_impression[metric] = area
        elif metric == "mrr":
            per_impression[metric] = accuracy.reciprocal_rank_of_all(hits, n_clicked)
        elif name == "ndcg" and k.isdecimal() and int(k):
            per_impression[metric] = accuracy.ndcg(hits, n_clicked, int(k))
        else:
            raise ValueError(f"Unknown metric of impressions {metric!r}: choose auc, mrr or ndcg@k.")
    return Report(per_impression, {}, len(items), int((n_clicked == 0).sum()), seed, np.asarray(users))


def inverse_propensity_rate(
    items: np.ndarray, clicked: np.ndarray, examination: np.ndarray, n_items: int
) -> np.ndarray:
    """Estimate how often each item is clicked by those who look at it: Σ clicks ÷ examination, ÷ times shown.

    Parameters
    ----------
    items
        int64 `[n, m]`, −1 pads.
    clicked
        int `[n, m]`: 1, 0, −1 as in `evaluate_impressions`.
    examination
        float `[n, m]`: the propensity, P(looked at) of each place, in (0, 1]; anything at pads.
    n_items
        size of the catalogue.

    Returns
    -------
    float64 `[n_items]`, NaN for an item that was never shown. May exceed 1: an item clicked once where few
    look counts as many clicks. Unbiased if a click needs a look and what is clicked, once looked at, does
    not depend on the place; with `examination` 1 everywhere it is the plain click-through rate.

    Raises ValueError for shapes that differ, marks other than 1, 0, −1, an item beyond the catalogue, or a
    propensity outside (0, 1].
    Source: Horvitz & Thompson 1952; for clicks, Joachims, Swaminathan & Schnabel 2017.
    """
    items, clicked, examination = np.asarray(items), np.asarray(clicked), np.asarray(examination)
    n_items = arguments.whole("n_items", n_items, 1)
    if items.ndim != 2 or not items.shape == clicked.shape == examination.shape:
        raise ValueError(
            "inverse_propensity_rate: items, clicked and examination must be [n, m] alike, got "
            f"{items.shape}, {clicked.shape}, {examination.shape}."
        )
    accuracy.check_marks("inverse_propensity_rate", clicked)
    _check_items(items, clicked)
    if items.size and items.max() >= n_items:
        raise ValueError(
            f"inverse_propensity_rate: item {items.max()} was shown, and n_items is {n_items}; count it."
        )
    shown = items >= 0
    propensity = examination[shown]
    if not ((propensity > 0) & (propensity <= 1)).all():
        raise ValueError(
            "inverse_propensity_rate: examination must lie above 0 and at most at 1; a place that nobody "
            "looks at teaches nothing, leave it out."
        )
    weighted = np.bincount(items[shown], (clicked[shown] == 1) / propensity, minlength=n_items)
    times = np.bincount(items[shown], minlength=n_items)
    return np.divide(weighted, times, out=np.full(n_items, np.nan), where=times > 0)


def _ranking(items: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Places of each row in order of rank: by falling score, ties by item, pads last."""
    pads = items < 0
    scores = np.where(pads, 0, scores).astype(np.float64)  # signed: minus an unsigned 0 would stay on top
    return np.lexsort((items, -scores, pads), axis=1)


def _check_items(items: np.ndarray, clicked: np.ndarray) -> None:
    if items.shape != clicked.shape or items.dtype.kind not in "iu":
        raise ValueError(
            f"items must be integers [n, m] like clicked {clicked.shape}, got {items.dtype} {items.shape}."
        )
    if ((items < 0) != (clicked < 0)).any():
        raise ValueError("items and clicked must be −1 in the same places, which are the empty ones.")
    in_order = np.sort(items, axis=1)
    if ((in_order[:, 1:] == in_order[:, :-1]) & (in_order[:, 1:] >= 0)).any():
        raise ValueError("An impression shows an item twice; keep one of the two.")
