"""What a retriever hands to an evaluator: ranked item ids with their scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from course_lib import arguments


@dataclass(frozen=True)
class Candidates:
    """Ranked lists, one row a user (or query).

    Parameters
    ----------
    ids
        int64 `[n, k]`, item indices, best first; −1 fills the places that stay empty, always at the end.
    scores
        float32 `[n, k]`, higher is better, −inf where `ids` is −1.

    Raises
    ------
    ValueError
        if the shapes differ, a score is NaN or +inf, an id stands twice in a row, a row is not sorted by
        falling score, two equal scores are not in order of rising id, or a pad stands before an item.

    Both arrays are made read-only. Ties go by item id and never by the position in which a caller listed the
    items: otherwise a scorer that gives every item the same score would "find" whatever stands first.
    """

    ids: np.ndarray
    scores: np.ndarray

    def __post_init__(self) -> None:
        ids, scores = np.asarray(self.ids), _as_scores(self.scores)
        if ids.ndim != 2 or ids.shape != scores.shape:
            raise ValueError(
                f"Candidates: ids and scores must be two [n, k] arrays of one shape, got {ids.shape} and "
                f"{scores.shape}."
            )
        ids = _as_ids(ids)
        _check_ranked(ids, scores)
        for name, array in (("ids", ids), ("scores", scores)):
            view = array.view()
            view.flags.writeable = False
            object.__setattr__(self, name, view)

    def __len__(self) -> int:
        return self.ids.shape[0]

    @property
    def width(self) -> int:
        """Places in each list, empty ones included."""
        return self.ids.shape[1]

    @classmethod
    def from_catalogue_scores(cls, scores: np.ndarray, k: int) -> Self:
        """The `k` best of a block of scores `[n, n_items]`, one column an item; −inf is never listed."""
        return cls(*best_of_block(scores, k))

    @classmethod
    def from_item_scores(cls, items: np.ndarray, scores: np.ndarray) -> Self:
        """Rank given lists: `items` int64 `[n, m]` (−1 pads) with `scores` float32 `[n, m]`.

        An item with score −inf is not offered, so it leaves the list.
        """
        items, scores = np.asarray(items), _as_scores(scores)
        if items.ndim != 2 or items.shape != scores.shape:
            raise ValueError(
                f"Candidates: items and scores must be two [n, m] arrays of one shape, got {items.shape} and "
                f"{scores.shape}."
            )
        items = _as_ids(items)
        offered = (items >= 0) & (scores > -np.inf)
        scores = np.where(offered, scores, np.float32(-np.inf))
        items = np.where(offered, items, np.iinfo(np.int64).max)
        order = np.lexsort((items, -scores), axis=1)
        items = np.take_along_axis(items, order, axis=1)
        scores = np.take_along_axis(scores, order, axis=1)
        return cls(np.where(scores > -np.inf, items, -1), scores)

    def top(self, k: int) -> Self:
        """The first `k` places."""
        k = arguments.whole(f"Candidates: k of lists with {self.width} places", k, 1, self.width)
        return type(self)(self.ids[:, :k], self.scores[:, :k])

    def padded(self, width: int) -> Self:
        """The same lists with empty places up to `width`: says that they are complete, not cut short."""
        missing = arguments.whole("Candidates: width", width, 1) - self.width
        if missing < 0:
            raise ValueError(
                f"Candidates: the lists have {self.width} places already; use top({width}) to cut."
            )
        fill = ((0, 0), (0, missing))
        return type(self)(
            np.pad(self.ids, fill, constant_values=-1), np.pad(self.scores, fill, constant_values=-np.inf)
        )


def best_of_block(scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Ids int64 `[n, k]` and scores float32 `[n, k]` of the `k` highest in each row, ties by lower column.

    A partition finds the k-th highest score without sorting the row. Where several items share that score,
    the partition alone would keep arbitrary ones; those rows are decided by counting the tied items from
    the left.
    """
    scores = _as_scores(scores)
    if scores.ndim != 2:
        raise ValueError(f"Scores must be [n, n_items], got shape {scores.shape}; one list is one row.")
    n_rows, n_items = scores.shape
    k = checked_k(k, n_items)
    threshold = np.partition(scores, n_items - k, axis=1)[:, n_items - k, None]
    kept = scores >= threshold
    tied = np.flatnonzero(kept.sum(axis=1) > k)
    if tied.size:
        above = scores[tied] > threshold[tied]
        at = scores[tied] == threshold[tied]
        room = k - above.sum(axis=1, keepdims=True)
        kept[tied] = above | (at & (np.cumsum(at, axis=1) <= room))
    ids = np.nonzero(kept)[1].reshape(n_rows, k)
    best = np.take_along_axis(scores, ids, axis=1)
    order = np.argsort(-best, axis=1, kind="stable")
    ids = np.take_along_axis(ids, order, axis=1)
    best = np.take_along_axis(best, order, axis=1)
    return np.where(best > -np.inf, ids, -1), best


def checked_k(k: int, n_items: int) -> int:
    """`k` as a plain integer, or ValueError unless 1 ≤ k ≤ `n_items`."""
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or not 1 <= k <= n_items:
        raise ValueError(f"k must be an integer from 1 to the {n_items} items of the catalogue, got {k!r}.")
    return int(k)


def _as_scores(scores: np.ndarray) -> np.ndarray:
    """float32; refused: what is no number, NaN, +inf, and finite scores that float32 does not hold."""
    given = np.asarray(scores)
    if given.dtype.kind not in "biuf":
        raise ValueError(f"Candidates: scores must be numbers, got {given.dtype}.")
    with np.errstate(over="ignore"):
        scores = given.astype(np.float32, copy=False)
    if not (scores < np.inf).all():
        raise ValueError(
            "Candidates: a score is NaN or +inf (or beyond float32); find out which retriever made it."
        )
    if scores is not given and ((scores == -np.inf) & (given > -np.inf)).any():
        raise ValueError("Candidates: a finite score is below what float32 holds; scale the scores down.")
    return scores


def _as_ids(ids: np.ndarray) -> np.ndarray:
    """int64; refused: what is no integer, and what is negative other than −1."""
    if ids.dtype.kind not in "iu":
        raise ValueError(f"Candidates: ids must be integers, got {ids.dtype}; cast them to int64.")
    if ids.dtype == np.uint64 and ids.max(initial=0) > np.iinfo(np.int64).max:
        raise ValueError(
            f"Candidates: an id is {ids.max()}, which int64 does not hold; −1 is an empty place."
        )
    ids = ids.astype(np.int64, copy=False)
    if (ids < -1).any():
        raise ValueError(
            f"Candidates: an id is {ids.min()}; the only negative id allowed is −1, an empty place."
        )
    return ids


def _check_ranked(ids: np.ndarray, scores: np.ndarray) -> None:
    empty = ids < 0
    if not np.array_equal(empty, scores == -np.inf):
        raise ValueError("Candidates: an empty place has id −1 and score −inf, and nothing else has either.")
    earlier, later = scores[:, :-1], scores[:, 1:]
    if (later > earlier).any():
        row = int(np.flatnonzero((later > earlier).any(axis=1))[0])
        raise ValueError(
            f"Candidates: row {row} is not sorted by falling score; build it with from_item_scores, "
            "which sorts."
        )
    tied = (later == earlier) & ~empty[:, 1:]
    swapped = tied & (ids[:, 1:] < ids[:, :-1]) if tied.any() else tied
    if swapped.any():
        row = int(np.flatnonzero(swapped.any(axis=1))[0])
        raise ValueError(
            f"Candidates: row {row} has equal scores that are not in order of item id; build it with "
            "from_item_scores, which sorts."
        )
    in_order = np.sort(ids, axis=1)
    twice = in_order[:, 1:] == in_order[:, :-1]
    if empty.any():
        twice &= in_order[:, 1:] >= 0
    if twice.any():
        row = int(np.flatnonzero(twice.any(axis=1))[0])
        raise ValueError(f"Candidates: row {row} lists an item twice; a list holds each item at most once.")
