"""The log: hour by hour, what the site shows to whom, where, and what is clicked.

The site knows its readers only by their histories. It fills a page from three channels: popular articles
(clicks so far, fading within days), articles of a subcategory that the reader clicked before, and fresh
articles; then it orders the page by a score of the same three and some noise. In one of ten impressions the
order is random.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from course_lib.data.simulated_truth import ClickModel
from data_scripts.simulated_news.articles import CATEGORY_OF, Articles
from data_scripts.simulated_news.draws import cumulative, draw, generator, long_tailed, normal
from data_scripts.simulated_news.readers import Histories, Readers, first_of_each, rank_in_group

LONGEST_LIST = 299  # as in MIND-small
EXAMINATION = (0.06 + 0.94 / (1 + np.arange(LONGEST_LIST + 1) / 5)).round(6)  # P(looks at | place)
SHARE_RANDOMISED = 0.1
# MIND-small's impressions per day: a weekend, four days, and the dev day, of which its publisher took more.
_DAILY = (13_570, 15_048, 32_799, 33_654, 31_624, 30_270, 73_152)
_HOURLY = (2, 1, 1, 1, 2, 4, 7, 9, 10, 10, 9, 9, 9, 9, 8, 8, 8, 7, 7, 7, 7, 6, 5, 3)
_MEDIAN_LIST, _LIST_SPREAD = 24.0, 0.97  # MIND-small: 24, 95 % below 118
_POPULAR, _SIMILAR = 0.5, 0.25  # shares of the channels; the rest are fresh
_KEPT_EACH_HOUR = 0.96  # of the popularity
_NOISE = 0.5
_BLOCK = 4_096  # impressions at once


class Impressions(NamedTuple):
    """n impressions of one hour; flat arrays hold `lengths` articles for each, in the order of the file."""

    users: np.ndarray  # int64 [n]
    seconds: np.ndarray  # int64 [n], from the start of the log
    randomised: np.ndarray  # bool [n]
    lengths: np.ndarray  # int64 [n]
    items: np.ndarray  # int64 [sum of lengths]
    places: np.ndarray  # int16, the place on the page
    clicked: np.ndarray  # bool


def simulate(
    size: float, seed: int, model: ClickModel, readers: Readers, histories: Histories, articles: Articles
) -> Iterator[tuple[int, Impressions]]:
    """(day, impressions) for blocks of at most 4,096 impressions of an hour, in the order of time."""
    rng = generator(seed, "log")
    site = _Site(readers, histories, articles)
    activity = cumulative(readers.activity)
    clicks = np.zeros(len(articles.published))
    for hour, count in enumerate(_hourly(size)):
        site.open(hour, clicks)
        now = np.zeros_like(clicks)
        for first in range(0, count, _BLOCK):
            users = draw(rng, activity, min(_BLOCK, count - first))
            seconds = 3_600 * hour + rng.integers(0, 3_600, len(users))
            block = _visit(rng, site, model, users, seconds)
            now += np.bincount(block.items[block.clicked], minlength=len(clicks))
            yield hour // 24, block
        clicks = (clicks * _KEPT_EACH_HOUR + now).round(6)


def _hourly(size: float) -> list[int]:
    """Impressions in each of 168 hours: 8,000 · size in all (at least 160)."""
    weights = np.outer(_DAILY, _HOURLY).ravel()
    so_far = weights.cumsum() * max(round(8_000 * size), 160) // weights.sum()
    return np.diff(so_far, prepend=0).tolist()


class _Site:
    """What the site can show in an hour, and what it thinks of it."""

    def __init__(self, readers: Readers, histories: Histories, articles: Articles):
        self._articles = articles
        self._histories = histories
        n_categories = CATEGORY_OF.max() + 1
        n_readers = len(readers.activity)
        lengths = np.diff(histories.ends)
        cell = np.repeat(np.arange(n_readers), lengths) * n_categories
        cell += CATEGORY_OF[articles.subcategory[histories.items]]
        counts = np.bincount(cell, minlength=n_readers * n_categories).reshape(n_readers, -1)
        self._profile = (counts / np.maximum(lengths, 1)[:, None]).round(6)  # share of each category

    def open(self, hour: int, clicks: np.ndarray) -> None:
        """Begin an hour: which articles are live, and how popular and fresh they are."""
        published, now = self._articles.published, 3_600 * hour
        live = np.flatnonzero((published <= now) & (self._articles.expires > now))
        if len(live) < 10:  # a very small simulation, at night
            live = np.arange(max(int(np.searchsorted(published, now)), 10))[-10:]
        age = (now - published[live]) / 3_600
        self.live = live
        self._popularity = cumulative(clicks[live] + 0.02 * clicks[live].mean() + 0.001)
        self._fresh = cumulative(np.exp(-age / 12))
        self._score = (np.log1p(clicks[live]) / max(np.log1p(clicks[live]).max(), 1)).round(6)
        self._score = (self._score + 0.5 * np.exp(-age / 12)).round(6)
        subcategory = self._articles.subcategory[live]
        self._by_subcategory = np.argsort(subcategory, kind="stable")
        self._starts = np.searchsorted(subcategory[self._by_subcategory], np.arange(len(CATEGORY_OF) + 1))

    def candidates(self, rng: np.random.Generator, users: np.ndarray) -> np.ndarray:
        """int64 [n]: for each user of a draw, an article as its position in `live`."""
        channel = rng.random(len(users))
        popular = draw(rng, self._popularity, len(users))
        fresh = draw(rng, self._fresh, len(users))
        items, ends = self._histories
        clicked = rng.integers(ends[users], np.maximum(ends[users + 1], ends[users] + 1))
        liked = self._articles.subcategory[items[np.minimum(clicked, len(items) - 1)]]
        low, high = self._starts[liked], self._starts[liked + 1]
        place = rng.integers(low, np.maximum(high, low + 1))
        similar = self._by_subcategory[np.minimum(place, len(self.live) - 1)]
        similar = np.where((high > low) & (ends[users + 1] > ends[users]), similar, popular)
        return np.where(channel < _POPULAR, popular, np.where(channel < _POPULAR + _SIMILAR, similar, fresh))

    def score(self, rng: np.random.Generator, users: np.ndarray, places: np.ndarray) -> np.ndarray:
        """float64 [n], six decimals: by which a page is ordered, for articles as positions in `live`."""
        category = CATEGORY_OF[self._articles.subcategory[self.live[places]]]
        return (
            self._score[places] + self._profile[users, category] + _NOISE * normal(rng, len(users))
        ).round(6)


def _visit(
    rng: np.random.Generator, site: _Site, model: ClickModel, users: np.ndarray, seconds: np.ndarray
) -> Impressions:
    count = len(users)
    wanted = long_tailed(rng, _MEDIAN_LIST, _LIST_SPREAD, count).clip(2, LONGEST_LIST)
    wanted = np.minimum(wanted.round().astype(np.int64), max(len(site.live) * 9 // 10, 2))
    row = np.repeat(np.arange(count), 4 * wanted + 6)
    drawn = site.candidates(rng, users[row])
    kept = first_of_each(row, drawn, len(site.live), wanted)
    row, drawn = row[kept], drawn[kept]
    randomised = rng.random(count) < SHARE_RANDOMISED
    score = np.where(randomised[row], rng.random(len(row)).round(6), site.score(rng, users[row], drawn))
    by_score = np.lexsort((-score, row))
    items = site.live[drawn[by_score]]
    place = rank_in_group(row)
    lengths = np.bincount(row, minlength=count)
    chance = np.zeros((count, lengths.max()))
    attraction = model.attraction(users[row], seconds[row], items[:, None])[:, 0]
    chance[row, place] = (attraction * model.examination[place]).round(6).clip(1e-6)
    clicked = _clicks(rng, chance)[row, place]
    # MIND shuffles its lists, so that the file does not tell the place.
    shuffled = np.lexsort((rng.random(len(row)), row))
    return Impressions(
        users,
        seconds,
        randomised,
        lengths,
        items[shuffled],
        place[shuffled].astype(np.int16),
        clicked[shuffled],
    )


def _clicks(rng: np.random.Generator, chance: np.ndarray) -> np.ndarray:
    """bool [n, m]: independent clicks with these chances [n, m], given at least one in each row:
    the first by its exact distribution, those below it freely."""
    none_so_far = np.cumprod(1 - chance, axis=1)
    reached = rng.random((len(chance), 1)) * (1 - none_so_far[:, -1:])
    first = (1 - none_so_far <= reached).sum(axis=1).clip(max=chance.shape[1] - 1)[:, None]
    place = np.arange(chance.shape[1])
    return (place == first) | ((place > first) & (rng.random(chance.shape) < chance))
