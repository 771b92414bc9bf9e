"""The readers: their interests, how these turn, and what they clicked in the four weeks before the log."""

from typing import NamedTuple

import numpy as np

from course_lib.data.simulated_truth import turned
from data_scripts.simulated_news.articles import (
    CATEGORY_OF,
    DAY,
    HISTORY_DAYS,
    SUBCATEGORIES,
    Articles,
    popularity_of_rank,
)
from data_scripts.simulated_news.draws import cumulative, draw, draw_rows, generator, long_tailed, normal
from data_scripts.simulated_news.entities import Entities

_CATEGORY_SPREAD, _SUBCATEGORY_SPREAD = 1.2, 0.6
_WILLINGNESS_SPREAD = 0.9
_FAVOURITES = 3  # of the old and of the new ones
_ACTIVITY_SPREAD = 0.9
_MEDIAN_HISTORY, _HISTORY_SPREAD, _LONGEST_HISTORY = 19.0, 1.05, 558  # MIND-small: 19, 95 % below 108, 558
_SHARE_WITHOUT_HISTORY = 0.024
_SHARE_FROM_FAVOURITES = 0.15
_DRAWS = 3  # for each place of a history: many are thrown away as repeated
_WEEKS = HISTORY_DAYS // 7
_BLOCK = 1 << 16  # draws at once


class Readers(NamedTuple):
    """n readers; the first four as in `course_lib.data.simulated_truth.ClickModel`."""

    start: np.ndarray
    end: np.ndarray
    favourites: np.ndarray
    willingness: np.ndarray
    activity: np.ndarray  # float64 [n], how often a reader comes, relative to others
    history_length: np.ndarray  # int64 [n], wanted
    numbers: np.ndarray  # int64 [n], the number in the user id "U123", which tells nothing


class Histories(NamedTuple):
    """Articles clicked before the log, oldest first; those of reader r are items[ends[r] : ends[r + 1]]."""

    items: np.ndarray
    ends: np.ndarray


def make_readers(size: float, seed: int, entities: Entities) -> Readers:
    """1,500 · size readers (at least 30)."""
    rng = generator(seed, "readers")
    count = max(round(1_500 * size), 30)
    start, end = _interests(rng, count), _interests(rng, count)
    length = long_tailed(rng, _MEDIAN_HISTORY, _HISTORY_SPREAD, count).clip(1, _LONGEST_HISTORY)
    length[rng.random(count) < _SHARE_WITHOUT_HISTORY] = 0
    return Readers(
        start,
        end,
        np.hstack([_favourites(rng, interests, entities) for interests in (start, end)]),
        (_WILLINGNESS_SPREAD * normal(rng, count)).round(6),
        long_tailed(rng, 1.0, _ACTIVITY_SPREAD, count),
        length.round().astype(np.int64),
        rng.permutation(2 * count)[:count] + 1,
    )


def _interests(rng: np.random.Generator, count: int) -> np.ndarray:
    """float32 [count, subcategories], two decimals: taste for the category + for the subcategory."""
    category = normal(rng, count, CATEGORY_OF.max() + 1)[:, CATEGORY_OF]
    own = normal(rng, count, len(SUBCATEGORIES))
    return (_CATEGORY_SPREAD * category + _SUBCATEGORY_SPREAD * own).round(2).astype(np.float32)


def _favourites(rng: np.random.Generator, interests: np.ndarray, entities: Entities) -> np.ndarray:
    """int64 [n, 3]: people or organisations of subcategories that the reader likes."""
    sums = cumulative(np.exp(2.0 * interests.astype(np.float64)))
    liked = np.stack([draw_rows(rng, sums) for _ in range(_FAVOURITES)], axis=1)
    chosen = np.empty_like(liked)
    for subcategory in range(len(SUBCATEGORIES)):
        places = np.nonzero(liked == subcategory)
        known = np.column_stack([entities.people[subcategory], entities.organisations[subcategory]]).ravel()
        chosen[places] = known[draw(rng, popularity_of_rank(len(known)), len(places[0]))]
    return chosen


def make_histories(seed: int, readers: Readers, articles: Articles) -> Histories:
    """Draw histories: a week, a subcategory by interest and supply, then an article of both by its quality;
    or an article that names a favourite. No article twice; shorter than wanted where too little is left."""
    rng = generator(seed, "histories")
    past = int(np.searchsorted(articles.published, -DAY // 4))  # so that a click on any of them fits in
    wanted = np.minimum(readers.history_length, past // 3)
    owner = np.repeat(np.arange(len(wanted)), _DRAWS * wanted)
    cells, by_cell = _by_week_and_subcategory(articles, past)
    quality = np.concatenate([[0], cumulative(np.exp(articles.quality[by_cell]))])
    supply = np.maximum(quality[cells[1:]] - quality[cells[:-1]], 1).reshape(_WEEKS, -1) / 1e6
    midweek = turned((np.arange(_WEEKS) * 7 + 3.5 - HISTORY_DAYS) * DAY)
    articles_of = _ByEntity(articles, past)
    drawn = np.empty(len(owner), dtype=np.int64)
    for first in range(0, len(owner), _BLOCK):
        rows = slice(first, first + _BLOCK)
        users = owner[rows]
        week = rng.integers(0, _WEEKS, len(users))
        taste = midweek[0][week, None] * readers.start[users] + midweek[1][week, None] * readers.end[users]
        subcategory = draw_rows(rng, cumulative(np.exp(taste) * supply[week]))
        cell = week * len(SUBCATEGORIES) + subcategory
        low, high = quality[cells[cell]], quality[cells[cell + 1]]
        place = np.searchsorted(quality, rng.integers(low, np.maximum(high, low + 1)), side="right") - 1
        ordinary = np.where(high > low, by_cell[np.minimum(place, past - 1)], -1)
        favourite = readers.favourites[
            users, rng.integers(0, _FAVOURITES, len(users)) + _FAVOURITES * (week // 2)
        ]
        named = articles_of.draw(rng, favourite)
        drawn[rows] = np.where(rng.random(len(users)) < _SHARE_FROM_FAVOURITES, named, ordinary)
    owner, drawn = owner[drawn >= 0], drawn[drawn >= 0]
    kept = first_of_each(owner, drawn, len(articles.published), wanted)
    owner, drawn = owner[kept], drawn[kept]
    # Clicked on within six hours after it came out.
    clicked = articles.published[drawn] + rng.integers(0, DAY // 4, len(drawn))
    ends = np.concatenate([[0], np.bincount(owner, minlength=len(wanted)).cumsum()])
    return Histories(drawn[np.lexsort((drawn, clicked, owner))], ends)


def first_of_each(owner: np.ndarray, items: np.ndarray, n_items: int, wanted: np.ndarray) -> np.ndarray:
    """int64: the first `wanted[owner]` places in `owner` (rising) and `items` of each, no pair twice."""
    kept = np.sort(np.unique(owner * n_items + items, return_index=True)[1])
    return kept[rank_in_group(owner[kept]) < wanted[owner[kept]]]


def rank_in_group(groups: np.ndarray) -> np.ndarray:
    """int64: 0, 1, … within each run of equal numbers.

    >>> rank_in_group(np.array([4, 4, 7]))
    array([0, 1, 0])
    """
    first = np.ones(len(groups), dtype=bool)
    first[1:] = groups[1:] != groups[:-1]
    starts = np.flatnonzero(first)
    return np.arange(len(groups)) - np.repeat(starts, np.diff(np.append(starts, len(groups))))


def _by_week_and_subcategory(articles: Articles, past: int) -> tuple[np.ndarray, np.ndarray]:
    """Articles before the log, sorted by week and subcategory: where each of these cells begins (and the last
    ends), and the articles."""
    week = (articles.published[:past] + HISTORY_DAYS * DAY) // (7 * DAY)
    cell = week * len(SUBCATEGORIES) + articles.subcategory[:past]
    by_cell = np.argsort(cell, kind="stable")
    return np.searchsorted(cell[by_cell], np.arange(_WEEKS * len(SUBCATEGORIES) + 1)), by_cell


class _ByEntity:
    """Articles before the log by the entities that their titles name."""

    def __init__(self, articles: Articles, past: int):
        entity, article = articles.entities[:past].ravel(), np.repeat(np.arange(past), 4)
        entity, article = entity[entity >= 0], article[entity >= 0]
        order = np.argsort(entity, kind="stable")
        self._entity, self._article = entity[order], article[order]

    def draw(self, rng: np.random.Generator, entities: np.ndarray) -> np.ndarray:
        """int64 [n]: an article that names each entity, −1 where none does."""
        low, high = (np.searchsorted(self._entity, entities, side=side) for side in ("left", "right"))
        place = rng.integers(low, np.maximum(high, low + 1))
        return np.where(high > low, self._article[np.minimum(place, len(self._article) - 1)], -1)
