"""Write simulated news as MIND's files, and the truth beside them."""

import io
import json
import zipfile
from pathlib import Path
from typing import NamedTuple, TextIO

import numpy as np

from course_lib.data.simulated_truth import LOG_STARTS, ClickModel
from data_scripts.simulated_news.articles import LOG_DAYS, SUBCATEGORIES, Articles, make_articles, write_text
from data_scripts.simulated_news.entities import FIRST_ID, Entities, make_entities
from data_scripts.simulated_news.log import EXAMINATION, Impressions, simulate
from data_scripts.simulated_news.readers import Histories, Readers, make_histories, make_readers

PARTS = ("train", "dev")  # the log's first six days and its last


class World(NamedTuple):
    """Everything but the log."""

    entities: Entities
    articles: Articles
    readers: Readers
    histories: Histories
    model: ClickModel


def make_world(size: float, seed: int) -> World:
    """Entities, articles, readers and their histories, and the model by which readers click."""
    entities = make_entities(size, seed)
    articles = make_articles(size, seed, entities)
    readers = make_readers(size, seed, entities)
    model = ClickModel(
        *readers[:4],
        subcategory=articles.subcategory,
        published=articles.published,
        quality=articles.quality,
        entities=articles.entities,
        examination=EXAMINATION,
    )
    return World(entities, articles, readers, make_histories(seed, readers, articles), model)


def write_simulated_news(folder: Path, size: float = 1, seed: int = 0) -> None:
    """Make folder/train, folder/dev and folder/truth.npz; the same bytes for the same size and seed."""
    entities, articles, readers, histories, model = make_world(size, seed)
    parts = {part: _Part(folder / part, readers, histories, articles) for part in PARTS}
    for day, impressions in simulate(size, seed, model, readers, histories, articles):
        parts["dev" if day == LOG_DAYS - 1 else "train"].add(impressions)
    for part in parts.values():
        part.finish(entities)
    _write_truth(folder / "truth.npz", model, readers, articles, entities, parts)


class _Part:
    """One folder of the log, written while it is simulated; keeps in memory only what the truth needs."""

    def __init__(self, folder: Path, readers: Readers, histories: Histories, articles: Articles):
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._behaviours = _open(folder / "behaviors.tsv")
        self._articles = articles
        self._histories = histories
        self._user_ids = [f"U{number}" for number in readers.numbers]
        self._item_ids = [f"N{number}" for number in articles.numbers]
        self._labelled = [f"{item}-{label}" for label in (0, 1) for item in self._item_ids]
        self._history_texts: dict[int, str] = {}
        self.has_article = np.zeros(len(articles.numbers), dtype=bool)
        self.kept: dict[str, list[np.ndarray]] = {
            "users": [],
            "seconds": [],
            "randomised": [],
            "lengths": [],
            "places": [],
        }
        self._count = 0

    def add(self, impressions: Impressions) -> None:
        for key, arrays in self.kept.items():
            array = getattr(impressions, key)
            arrays.append(array.astype(np.int32) if array.dtype == np.int64 else array)
        self.has_article[impressions.items] = True
        labelled = impressions.items + len(self._item_ids) * impressions.clicked
        tokens = [self._labelled[place] for place in labelled.tolist()]
        ends = np.concatenate([[0], impressions.lengths.cumsum()]).tolist()
        times = _written_times(impressions.seconds)
        lines = []
        for row, user in enumerate(impressions.users.tolist()):
            self._count += 1
            shown = " ".join(tokens[ends[row] : ends[row + 1]])
            lines.append(
                f"{self._count}\t{self._user_ids[user]}\t{times[row]}\t{self._history(user)}\t{shown}\n"
            )
        self._behaviours.writelines(lines)

    def _history(self, user: int) -> str:
        """A reader's history as text; it stays the same during the log, as MIND's does."""
        if user not in self._history_texts:
            items = self._histories.items[self._histories.ends[user] : self._histories.ends[user + 1]]
            self.has_article[items] = True
            self._history_texts[user] = " ".join([self._item_ids[item] for item in items.tolist()])
        return self._history_texts[user]

    def finish(self, entities: Entities) -> None:
        """Write what remains: the articles that occur, and the vectors of the entities that they name."""
        self._behaviours.close()
        named: set[int] = set()
        # In the order of their numbers, which tells nothing.
        order = np.flatnonzero(self.has_article)
        order = order[np.argsort(self._articles.numbers[order], kind="stable")]
        with _open(self._folder / "news.tsv") as file:
            for article in order.tolist():
                text = write_text(self._articles, entities, article)
                item = self._item_ids[article]
                columns = [
                    item,
                    *SUBCATEGORIES[self._articles.subcategory[article]],
                    text.title,
                    text.abstract,
                    f"https://simulated.example/{item}.html",  # .example: reserved, leads nowhere
                    _as_json(entities, text.title_mentions),
                    _as_json(entities, text.abstract_mentions),
                ]
                named.update(entity for entity, _ in text.title_mentions + text.abstract_mentions)
                file.write("\t".join(columns) + "\n")
        with _open(self._folder / "entity_embedding.vec") as file:
            for entity in sorted(named):
                if entities.has_vector[entity]:
                    _write_vector(file, entities.ids[entity], entities.vectors[entity])
        with _open(self._folder / "relation_embedding.vec") as file:
            for number, vector in enumerate(entities.relations):
                _write_vector(file, f"P{FIRST_ID + number}", vector)


def _open(path: Path) -> TextIO:
    return path.open("w", encoding="utf-8", newline="\n")


def _written_times(seconds: np.ndarray) -> list[str]:
    """Times as MIND writes them: 11/9/2019 9:05:58 AM."""
    texts = []
    for time in (LOG_STARTS + seconds.astype("timedelta64[s]")).tolist():
        half, hour = ("AM", "PM")[time.hour >= 12], time.hour % 12 or 12
        texts.append(f"{time.month}/{time.day}/{time.year} {hour}:{time:%M:%S} {half}")
    return texts


def _as_json(entities: Entities, mentions: list[tuple[int, int]]) -> str:
    return json.dumps(
        [
            {
                "Label": entities.names[entity],
                "Type": entities.kinds[entity],
                "WikidataId": entities.ids[entity],
                "Confidence": 1.0,
                "OccurrenceOffsets": [offset],
                "SurfaceForms": [entities.names[entity]],
            }
            for entity, offset in mentions
        ]
    )


def _write_vector(file: TextIO, name: str, vector: np.ndarray) -> None:
    file.write("\t".join([name, *(f"{number:.6f}" for number in vector.tolist())]) + "\n")


def _write_truth(
    path: Path,
    model: ClickModel,
    readers: Readers,
    articles: Articles,
    entities: Entities,
    parts: dict[str, _Part],
) -> None:
    logs = {
        f"{name}_{key}": np.concatenate(arrays)
        for name, part in parts.items()
        for key, arrays in part.kept.items()
    }
    users = np.unique(np.concatenate([logs[f"{name}_users"] for name in parts]))
    items = np.flatnonzero(np.logical_or.reduce([part.has_article for part in parts.values()]))
    for name in parts:
        logs[f"{name}_users"] = np.searchsorted(users, logs[f"{name}_users"]).astype(np.int32)
    arrays = {
        "user_ids": np.array([f"U{number}" for number in readers.numbers[users]]),
        "item_ids": np.array([f"N{number}" for number in articles.numbers[items]]),
        "entity_ids": np.array(entities.ids),
        "subcategories": np.array([name for _, name in SUBCATEGORIES]),
        "examination": model.examination,
        **{key: getattr(model, key)[users] for key in ("start", "end", "favourites", "willingness")},
        **{key: getattr(model, key)[items] for key in ("subcategory", "published", "quality", "entities")},
        **logs,
    }
    with zipfile.ZipFile(path, "w") as archive:  # what numpy.savez writes depends on the platform
        for name, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(
                content, array.astype(array.dtype.newbyteorder("<")), allow_pickle=False
            )
            member = zipfile.ZipInfo(f"{name}.npy")
            member.create_system = 3
            archive.writestr(member, content.getvalue())
