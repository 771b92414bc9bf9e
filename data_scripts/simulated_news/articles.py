"""The articles: what they are about, when they appear, how good they are, and their texts."""

import re
from typing import NamedTuple

import numpy as np

from data_scripts.simulated_news.draws import cumulative, draw, generator, long_tailed, normal
from data_scripts.simulated_news.entities import Entities
from data_scripts.simulated_news.words import ADJECTIVES, CATEGORIES, DAYS, QUOTES, SENTENCES

DAY = 86_400  # seconds; all times count from the start of the log, so that history days are negative
HISTORY_DAYS, LOG_DAYS = 28, 7
# Articles of the last two days before the log may still be shown in it. Of those before, only the part that
# somebody read is in MIND, so that they are fewer.
_DAILY = np.array([1.0] * (HISTORY_DAYS - 2) + [3.0, 3.0, 3.0, 3.1, 4.5, 4.2, 4.4, 3.8, 2.3])
_MEDIAN_LIFE, _LIFE_SPREAD = 18.0, 0.95  # hours for which the site goes on showing an article
_QUALITY_SPREAD = 0.6
_CAST = ("person", "org", "rival", "place")

SUBCATEGORIES = tuple((category, name) for category, row in CATEGORIES.items() for name in row.subcategories)
CATEGORY_OF = np.array([list(CATEGORIES).index(category) for category, _ in SUBCATEGORIES])


class Articles(NamedTuple):
    """n articles in the order of publication."""

    numbers: np.ndarray  # int64 [n], the number in the news id "N123", which tells nothing
    subcategory: np.ndarray  # int64 [n], position in SUBCATEGORIES
    published: np.ndarray  # int64 [n], seconds from the start of the log
    expires: np.ndarray  # int64 [n], seconds; not shown from then on
    quality: np.ndarray  # float64 [n]
    cast: np.ndarray  # int64 [n, 4], entities: person, organisation, rival, place
    entities: np.ndarray  # int64 [n, 4], those of the cast that the title names, else −1
    headline: np.ndarray  # int64 [n], pattern of the title
    tail: np.ndarray  # int64 [n], pattern of its end, −1 for none
    sentences: np.ndarray  # int64 [n, 3], patterns of the abstract, −1 for none
    picks: np.ndarray  # int64 [n, 4, 6], what fills the slots of title and sentences


class Text(NamedTuple):
    """What news.tsv says of one article; `mentions` are (entity, offset) pairs."""

    title: str
    abstract: str
    title_mentions: list[tuple[int, int]]
    abstract_mentions: list[tuple[int, int]]


def make_articles(size: float, seed: int, entities: Entities) -> Articles:
    """2,000 · size articles (at least 100) of four weeks before the log and its seven days."""
    rng = generator(seed, "articles")
    count = max(round(2_000 * size), 100)
    day = np.sort(draw(rng, cumulative(_DAILY), count)) - HISTORY_DAYS
    published = np.sort(day * DAY + rng.integers(0, DAY, count))
    life = (long_tailed(rng, _MEDIAN_LIFE, _LIFE_SPREAD, count).clip(2, 24 * 14) * 3_600).round()
    shares = [CATEGORIES[key].share / len(CATEGORIES[key].subcategories) for key, _ in SUBCATEGORIES]
    subcategory = draw(rng, cumulative(shares), count)
    cast = _cast(rng, subcategory, entities)
    headline, tail, named = _headlines(rng, subcategory)
    sentences = rng.integers(0, len(SENTENCES), (count, 1)) + rng.integers(1, 4, (count, 3)).cumsum(axis=1)
    sentences %= len(SENTENCES)
    many = rng.random(count)
    sentences[many < 0.5, 2] = -1
    sentences[many < 0.12, 1:] = -1
    sentences[rng.random(count) < 0.052] = -1  # no abstract, at MIND-small's rate
    return Articles(
        numbers=rng.permutation(2 * count)[:count] + 1,
        subcategory=subcategory,
        published=published,
        expires=published + life.astype(np.int64),
        quality=(_QUALITY_SPREAD * normal(rng, count)).round(6),
        cast=cast,
        entities=np.where(named, cast, -1),
        headline=headline,
        tail=tail,
        sentences=sentences,
        picks=generator(seed, "texts").integers(0, 2**31, (count, 4, 6)),
    )


def write_text(articles: Articles, entities: Entities, article: int) -> Text:
    """Title and abstract of one article, and where they name entities."""
    key, name = SUBCATEGORIES[articles.subcategory[article]]
    category = CATEGORIES[key]
    nouns = category.subcategories[name]
    cast = articles.cast[article].tolist()
    names = {slot: entities.names[entity] for slot, entity in zip(_CAST, cast, strict=True)}
    picks = articles.picks[article].tolist()
    title = category.headlines[articles.headline[article]]
    if articles.tail[article] >= 0:
        tail = category.tails[articles.tail[article]]
        title += tail if tail.startswith(",") else f" {tail}"
    title = _filled(title, nouns, names, picks[0])
    abstract = " ".join(
        _filled(SENTENCES[pattern], nouns, names, picks[1 + place])
        for place, pattern in enumerate(articles.sentences[article].tolist())
        if pattern >= 0
    )
    return Text(title, abstract, _mentions(title, cast, names), _mentions(abstract, cast, names))


def _cast(rng: np.random.Generator, subcategory: np.ndarray, entities: Entities) -> np.ndarray:
    """int64 [n, 4]: people and organisations of the subcategory, few of them in many articles (Zipf)."""
    cast = np.empty((len(subcategory), 4), dtype=np.int64)
    for one in range(len(SUBCATEGORIES)):
        rows = np.flatnonzero(subcategory == one)
        for column, known in ((0, entities.people[one]), (1, entities.organisations[one])):
            cast[rows, column] = known[draw(rng, popularity_of_rank(len(known)), len(rows))]
        known = entities.organisations[one]
        others = rng.integers(1, len(known), len(rows))
        cast[rows, 2] = known[(np.searchsorted(known, cast[rows, 1]) + others) % len(known)]
    cast[:, 3] = entities.places[draw(rng, popularity_of_rank(len(entities.places)), len(subcategory))]
    return cast


def popularity_of_rank(count: int) -> np.ndarray:
    """int64 [count]: running sums of 1 / (2 + rank), for `draw`."""
    return cumulative(1 / (2 + np.arange(count)))


def _headlines(
    rng: np.random.Generator, subcategory: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Patterns of title and tail, int64 [n] each, and which of the cast they name, bool [n, 4]."""
    count = len(subcategory)
    first, second, with_tail = rng.integers(0, 2**31, count), rng.integers(0, 2**31, count), rng.random(count)
    headline, tail = np.empty(count, np.int64), np.full(count, -1)
    named = np.zeros((count, 4), dtype=bool)
    for number, category in enumerate(CATEGORIES.values()):
        rows = np.flatnonzero(CATEGORY_OF[subcategory] == number)
        headline[rows] = first[rows] % len(category.headlines)
        complete = np.array([pattern.endswith("?") for pattern in category.headlines])[headline[rows]]
        tail[rows] = np.where(complete | (with_tail[rows] > 0.7), -1, second[rows] % len(category.tails))
        named[rows] = _slots(category.headlines)[headline[rows]]
        named[rows] |= _slots((*category.tails, ""))[tail[rows]]
    return headline, tail, named


def _slots(patterns: tuple[str, ...]) -> np.ndarray:
    """bool [patterns, 4]: which of the cast each pattern names."""
    return np.array([[f"{{{slot}}}" in pattern for slot in _CAST] for pattern in patterns])


def _filled(pattern: str, nouns: tuple[str, ...], names: dict[str, str], picks: list[int]) -> str:
    first = picks[0] % len(nouns)
    second = (first + 1 + picks[1] % (len(nouns) - 1)) % len(nouns)
    number, small = picks[3] % 90 + 10, picks[4] % 11 + 2
    text = pattern.format(
        noun=nouns[first],
        other=nouns[second],
        adjective=ADJECTIVES[picks[2] % len(ADJECTIVES)],
        number=number * 10 if picks[3] % 7 == 0 else number,
        small=small,
        score=f"{small + 1 + picks[3] % 5}-{small}",
        day=DAYS[picks[5] % len(DAYS)],
        quote=QUOTES[picks[5] % len(QUOTES)],
        **names,
    )
    text = re.sub(r"\b([Aa]) (?=[aeiou](?!ne-))", r"\1n ", text)
    return text[0].upper() + text[1:]


def _mentions(text: str, cast: list[int], names: dict[str, str]) -> list[tuple[int, int]]:
    """(entity, offset) of each member of the cast that the text names, by offset."""
    found = ((text.find(name), entity) for name, entity in zip(names.values(), cast, strict=True))
    return [(entity, offset) for offset, entity in sorted(found) if offset >= 0]
