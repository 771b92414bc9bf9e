"""What the simulated news know and real logs never tell: who would click what, and what was looked at.

The click model (a click needs a look and an attraction: Richardson et al. 2007, doi:10.1145/1242572.1242643):

    P(click) = examination[place] · attraction(reader, time, article)
    attraction = 1 / (1 + exp(−u))
    u = BASE + willingness[reader] + quality[article]
        + cos(φ) · start[reader, subcategory] + sin(φ) · end[reader, subcategory]
        + FAVOURITE · (max(cos φ, 0) · old + max(sin φ, 0) · new) − FADING · age
    φ = TURN · days since the first history day; age in hours, cut to 0…96
    old, new: how many of the reader's old and new favourite entities the title names

A reader's interests turn from `start` to `end`, two sets of normal numbers: their spread stays the same while
what is liked changes, by 0.98 radians in the four weeks before the log and by 0.25 in its seven days. Every
attraction is rounded to six decimals.

Visits without a click are not in the log, as in MIND. So how often a shown article is clicked in the log is
not P(click) but P(click | a click in the impression) = P(click) / (1 − Π (1 − P(click))), the product over
all articles of the impression: `Truth.click_probability`.
"""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from course_lib.data.cache import AssetMissing, asset_folder
from course_lib.data.interactions import DataError
from course_lib.data.news import PARTS, load_mind

BASE = -3.9
FAVOURITE = 1.0
FADING = 0.006  # per hour
TURN = 0.035  # radians per day
HISTORY_DAYS = 28
LOG_STARTS = np.datetime64("2019-11-09T00:00:00", "s")  # MIND's first day
_BLOCK = 4_096  # impressions at once


@dataclass(frozen=True, eq=False)
class ClickModel:
    """Readers and articles, as far as clicks depend on them. Times are seconds from the start of the log.

    Of n_users readers: start, end (float [n_users, n_subcategories], the interests), favourites (int
    [n_users, 6], entities, the first three old, the others new), willingness (float [n_users]).
    Of n_items articles: subcategory, published (int [n_items]), quality (float [n_items]), entities (int
    [n_items, 4], those that the title names, −1 pads). examination: float [300].
    """

    start: np.ndarray
    end: np.ndarray
    favourites: np.ndarray
    willingness: np.ndarray
    subcategory: np.ndarray
    published: np.ndarray
    quality: np.ndarray
    entities: np.ndarray
    examination: np.ndarray

    def attraction(self, users: np.ndarray, seconds: np.ndarray, items: np.ndarray) -> np.ndarray:
        """float64 [n, m] in 0…1, six decimals: P(click | looked at) of items [n, m] for users [n] at seconds
        [n]; 0 where the item is −1. An article counts as new before its publication."""
        found = np.empty(items.shape)
        for first in range(0, len(items), _BLOCK):
            rows = slice(first, first + _BLOCK)
            found[rows] = self._attraction(users[rows, None], seconds[rows, None], items[rows])
        return found

    def _attraction(self, users: np.ndarray, seconds: np.ndarray, items: np.ndarray) -> np.ndarray:
        cosine, sine = turned(seconds)
        subcategory = self.subcategory[items]
        utility = BASE + self.willingness[users] + self.quality[items]
        utility = utility + cosine * self.start[users, subcategory] + sine * self.end[users, subcategory]
        entities, favourites = self.entities[items], self.favourites[users]
        named = np.zeros((2, *items.shape))
        for favourite in range(favourites.shape[-1]):
            same = (entities == favourites[..., favourite, None]).any(axis=-1)
            named[favourite // 3] += same
        utility += FAVOURITE * (np.maximum(cosine, 0) * named[0] + np.maximum(sine, 0) * named[1])
        utility -= FADING * ((seconds - self.published[items]) / 3_600).clip(0, 96)
        return np.where(items < 0, 0, (1 / (1 + np.exp(-utility))).round(6))


def turned(seconds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """cos φ and sin φ at these times, six decimals: the weights of a reader's first and second interests."""
    angle = TURN * (HISTORY_DAYS + np.asarray(seconds) / 86_400)
    return np.cos(angle).round(6), np.sin(angle).round(6)


@dataclass(frozen=True, eq=False)
class Truth:
    """The truth of simulated news; users, items and rows as in the `News` that `load_mind` gives for them.

    model: who likes what, see `ClickModel`.
    subcategories: their names, str [n_subcategories], to which `model.subcategory` and the columns of
    `model.start` and `model.end` refer. entity_ids: str [n_entities], to which `model.favourites` and
    `model.entities` refer. A part is "train" or "dev".
    """

    model: ClickModel
    subcategories: np.ndarray
    entity_ids: np.ndarray
    _log: dict[str, dict[str, np.ndarray]]

    @property
    def examination(self) -> np.ndarray:
        """float64 [300]: P(looks at | place on the page), place 0 is the top."""
        return self.model.examination

    def positions(self, part: str, rows: np.ndarray | None = None) -> np.ndarray:
        """int16 [n, m]: the place on the page of each article of `Impressions.lists()`, 0 the top, −1 pads.

        rows, here and below: which impressions (int [n]), as in `Impressions.select`; all if left out.
        """
        log = self._log[part]
        lengths = log["lengths"].astype(np.int64)
        starts = lengths.cumsum() - lengths
        if rows is not None:
            lengths, starts = lengths[rows], starts[rows]
        column = np.arange(lengths.max(initial=0))
        there = column < lengths[:, None]
        places = np.full(there.shape, -1, dtype=np.int16)
        places[there] = log["places"][(starts[:, None] + column)[there]]
        return places

    def randomised(self, part: str) -> np.ndarray:
        """bool [n]: impressions whose articles stood in random order; the others the site ordered."""
        return self._log[part]["randomised"]

    def attraction(self, part: str, items: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
        """float64 [n, m] in 0…1: P(click | looked at) of `items` for each impression's reader at its time.

        items: int [n, m], any articles, −1 pads, which get 0. Before it is published an article counts as
        new; `published` tells which are out. Raises ValueError unless each impression has one row of items.
        """
        users, seconds = self._visits(part, rows)
        items = np.asarray(items)
        if items.ndim != 2 or len(items) != len(users):
            raise ValueError(
                f"items must have one row for each of {len(users)} impressions, got {items.shape}."
            )
        return self.model.attraction(users, seconds, items)

    def published(self, part: str, items: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
        """bool [n, m]: whether each of `items` [n, m] was out when the impression was made; False for −1."""
        _, seconds = self._visits(part, rows)
        return (items >= 0) & (self.model.published[items] <= seconds[:, None])

    def click_probability(self, part: str, shown: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
        """float64 [n, m] in 0…1: P(click | a click in the impression) of the shown articles, 0 for pads.

        shown: int [n, m], the first result of the `Impressions.lists()` of these impressions.
        """
        looked_at = self.examination[self.positions(part, rows)]
        alone = self.attraction(part, shown, rows) * looked_at
        return alone / (1 - np.prod(1 - alone, axis=1, keepdims=True))

    def _visits(self, part: str, rows: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        log = self._log[part]
        chosen = slice(None) if rows is None else rows
        return log["users"][chosen], log["seconds"][chosen]


def load_simulated_truth(folder: str | Path | None = None) -> Truth:
    """The truth of the fetched simulated news, or of those in `folder`, which holds train, dev and truth.npz.

    It fits `load_mind("simulated")`, or `load_mind(train=folder / "train", dev=folder / "dev")`: the same
    positions of users and items, the same order of impressions.

    Raises `AssetMissing` if there is no truth, `DataError` if it belongs to other news.
    """
    folder = asset_folder("simulated-news") if folder is None else Path(folder)
    path = folder / "truth.npz"
    if not path.is_file():
        raise AssetMissing(
            f"{path} is not there: run `python -m data_scripts.simulated_news {folder}`, which makes it."
        )
    news = load_mind("simulated", train=folder / "train", dev=folder / "dev")
    arrays = _arrays(path)
    user_of, users = _matched(news.train.user_ids, arrays["user_ids"], path)
    item_of, _ = _matched(news.train.item_ids, arrays["item_ids"], path)
    log = {}
    for part in PARTS:
        prefix = f"{part}_"
        own = {key.removeprefix(prefix): array for key, array in arrays.items() if key.startswith(prefix)}
        log[part] = own | {"users": users[own["users"]], "seconds": own["seconds"].astype(np.int64)}
        impressions = getattr(news, part)
        if not np.array_equal(log[part]["users"], impressions.users):
            raise DataError(f"{path} belongs to other news than {folder / part}; make both again.")
    model = ClickModel(
        **{key: arrays[key][user_of] for key in ("start", "end", "favourites", "willingness")},
        **{key: arrays[key][item_of] for key in ("subcategory", "published", "quality", "entities")},
        examination=arrays["examination"],
    )
    return Truth(model, arrays["subcategories"], arrays["entity_ids"], log)


_OF_PART = ("users", "seconds", "randomised", "lengths", "places")
_OF_ALL = ("user_ids", "item_ids", "subcategories", "entity_ids", "examination", "start", "end", "favourites")


def _arrays(path: Path) -> dict[str, np.ndarray]:
    """All of the file, read and checked by its own check sums. Raises `DataError` if it is cut or damaged."""
    try:
        with np.load(path) as stored:
            arrays = dict(stored)
        of_parts = [f"{part}_{key}" for part in PARTS for key in _OF_PART]
        due = [*_OF_ALL, *of_parts]
        absent = [key for key in due if key not in arrays]
        problem = f"{absent[0]} is missing" if absent else ""
    except (
        OSError,
        EOFError,
        ValueError,
        TypeError,
        AttributeError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        problem = str(error)
    if problem:
        raise DataError(
            f"{path} is cut or damaged ({problem}); run `python course.py data get simulated-news`, or "
            f"make it with `python -m data_scripts.simulated_news {path.parent}`."
        )
    return arrays


def _matched(wanted: np.ndarray, stored: np.ndarray, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Where each wanted id is stored, and where each stored id is wanted."""
    if len(wanted) != len(stored):
        raise DataError(f"{path} belongs to other news than the folders beside it; make both again.")
    by_id = np.argsort(stored, kind="stable")
    places = by_id[np.searchsorted(stored, wanted, sorter=by_id).clip(max=len(stored) - 1)]
    if not np.array_equal(stored[places], wanted):
        raise DataError(f"{path} belongs to other news than the folders beside it; make both again.")
    inverse = np.empty_like(places)
    inverse[places] = np.arange(len(places))
    return places, inverse
