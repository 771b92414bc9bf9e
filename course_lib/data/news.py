"""MIND, the Microsoft News Dataset (Wu et al. 2020, doi:10.18653/v1/2020.acl-main.331), and news simulated in
its format.

MIND stands under the Microsoft Research License Terms (https://github.com/msnews/MIND): it may be used for
research and teaching that make no money; it may not be passed on, and no part of it that matters may be
published. So nothing of it is in the course: who wants it fetches it, or names files that are there.

The first load parses the files block by block and leaves Arrow files in the cache folder, named after the
content that was read; every further load checks them and maps them into memory. Where the cache folder cannot
be written, every load parses, and keeps the tables in memory.
"""

import hashlib
import json
import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from course_lib.data.cache import asset_folder, asset_path, cache_folder
from course_lib.data.catalogue import Catalogue
from course_lib.data.derived import as_dataset, place_for, read_table, write_table
from course_lib.data.impressions import Impressions
from course_lib.data.interactions import DataError
from course_lib.data.mind_files import Malformed, Numbering, Part
from course_lib.data.mind_tables import (
    IMPRESSIONS,
    in_one_order,
    read_articles,
    read_behaviours,
    read_vectors,
)

if TYPE_CHECKING:
    from datasets import Dataset

PARTS = ("train", "dev")

# Counts of the published files; the paper's own leave out impressions with an empty history. None were found
# for MIND-demo.
_COUNTED = ("news", "impressions", "users", "shown", "clicks")
_PUBLISHED = {
    ("MIND-small", "train"): (51_282, 156_965, 50_000, 5_843_444, 236_344),
    ("MIND-small", "dev"): (42_416, 73_152, 50_000, 2_740_998, 111_383),
    ("MIND-large", "train"): (101_527, 2_232_748, 711_222, 83_507_374, 3_383_656),
    ("MIND-large", "dev"): (72_023, 376_471, 255_990, 14_085_557, None),
}
_SIZES = ("demo", "small", "large", "simulated")

_FORMAT = "2"  # to be raised when the stored tables change, so that older ones are not taken for them


class News(NamedTuple):
    """The two parts of a news log and their articles; both share one space of users and one of items."""

    train: Impressions
    dev: Impressions
    catalogue: Catalogue

    def counts(self) -> pd.DataFrame:
        """What each part holds, beside what is published of it: one row a part and count.

        Columns: part; count (news: articles of its news.tsv; impressions; users: with an impression; shown
        and clicks: over all impressions; without history: impressions; without abstract: articles); found
        (int); published (int, missing where nothing is published).
        """
        name = self.train.name.partition(",")[0]
        rows = [
            (part, count, found, _published(name, part).get(count))
            for part in PARTS
            for count, found in self.counts_found(part).items()
        ]
        frame = pd.DataFrame(rows, columns=["part", "count", "found", "published"])
        return frame.astype({"published": "Int64"})

    def counts_found(self, part: str) -> dict[str, int]:
        impressions = getattr(self, part)
        shown, clicks = impressions.n_shown_and_clicked
        articles = self.catalogue.rows.data.table
        of_part = articles.column(f"in_{part}")
        no_abstract = pc.equal(articles.column("abstract"), "")
        history = pc.list_value_length(impressions.rows.data.table.column("history"))
        return {
            "news": pc.sum(of_part).as_py() or 0,
            "impressions": len(impressions),
            "users": len(np.unique(impressions.users)),
            "shown": shown,
            "clicks": clicks,
            "without history": pc.sum(pc.equal(history, 0)).as_py() or 0,
            "without abstract": pc.sum(pc.and_(of_part, no_abstract)).as_py() or 0,
        }

    def __repr__(self) -> str:
        return "\n".join(map(repr, self))


def load_mind(
    size: str | None = None,
    *,
    train: str | Path | None = None,
    dev: str | Path | None = None,
    malformed: str = "refuse",
) -> News:
    """Load MIND, or news in its files, as (train, dev, catalogue).

    size: "demo", "small" (taken if nothing is named) or "large" for MIND as fetched, "simulated" for the
    course's simulated news. train and dev: the reader's own files, a folder or a zip file for each part. With
    them, size only says what they are: the counts of "small" and "large" are checked, "simulated" is a name.
    Whatever lies beside a `truth.npz`, as the simulator leaves it, is named simulated.

    The catalogue has one row for each article of either news.tsv: item_id, title, title_plain (the same),
    category, subcategory, abstract ('' where there is none), title_entities and abstract_entities (lists of
    Wikidata ids, each once, in their order), in_train, in_dev (bool: which news.tsv has it). An article that
    both have is taken from train's. Items are numbered in an order that means nothing, as in
    `course_lib.data.movielens`; users in the order in which they first come.

    malformed: "refuse" raises at the first malformed line; "skip" leaves malformed lines out and warns once,
    with their number and the first three; published counts are then not checked. A line is malformed if

    - it has other than 5 columns (behaviors.tsv) or 8 (news.tsv), or is not in UTF-8;
    - an id, the title or the list of shown articles is empty;
    - the time is not like "11/11/2019 9:05:58 AM", or entities are not a JSON list with a WikidataId each;
    - a shown article does not end in -0 or -1, or an article is in neither news.tsv;
    - it holds a NUL byte, or an article is shown twice in it;
    - the file has had its id before (each part of MIND numbers its impressions from 1, so an impression id
      may well be in both).

    Raises `AssetMissing` if the data are not fetched; `DataError` with file, line and remedy for a malformed
    line, a damaged file and counts other than the published; ValueError for an unknown size.
    """
    Malformed(malformed)  # a wrong word is told before any file is looked for
    parts = _find_parts(size, train, dev)
    name = _name(size, train, dev, parts)
    remedy = f"{_restore(size, train)}, or skip such lines with malformed='skip'"
    tables, note = _tables(parts, partial(Malformed, malformed, remedy))
    user_ids, item_ids = _ids(tables["users"], "user_id"), _ids(tables["catalogue"], "item_id")
    news = News(
        *(Impressions(tables[part], user_ids, item_ids, f"{name}, {part}") for part in PARTS),
        Catalogue(tables["catalogue"], f"{name}, articles"),
    )
    if note["count"]:
        warnings.warn(
            f"{name}: {note['count']:,} malformed lines left out; first: {' | '.join(note['first'])}.",
            stacklevel=2,
        )
    else:
        _check_counts(news, name)
    return news


def load_mind_entities(
    size: str | None = None, *, train: str | Path | None = None, dev: str | Path | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The vectors of the entities that articles name, from TransE on Wikidata (Bordes et al. 2013).

    The arguments are those of `load_mind`. Returns (ids, vectors): str [n], Wikidata ids, each once, train's
    first, then those that only dev's file has; float32 [n, 100], as published, not normalised. MIND has no
    vector for some of the entities that its articles name. Raises as `load_mind`.
    """
    tables = [read_vectors(part, _restore(size, train)) for part in _find_parts(size, train, dev).values()]
    ids = np.concatenate([of_part for of_part, _ in tables])
    vectors = np.concatenate([of_part for _, of_part in tables])
    first = np.sort(np.unique(ids, return_index=True)[1])
    return ids[first], vectors[first]


def _find_parts(size: str | None, train: str | Path | None, dev: str | Path | None) -> dict[str, Part]:
    if size not in (None, *_SIZES):
        raise ValueError(f"There is no MIND of size {size!r}; choose from {', '.join(_SIZES)}.")
    if (train is None) != (dev is None):
        raise ValueError("Name both, train= and dev=, or neither.")
    if train is not None:
        return {"train": Part(train), "dev": Part(dev)}
    if size == "simulated":
        return {part: Part(asset_folder("simulated-news") / part) for part in PARTS}
    size = size or "small"
    return {part: Part(asset_path(f"mind-{size}", f"MIND{size}_{part}.zip")) for part in PARTS}


def _restore(size: str | None, train: str | Path | None) -> str:
    """What mends a file: for the reader's own that is up to the reader."""
    if train is not None:
        return "repair the line"
    asset = "simulated-news" if size == "simulated" else f"mind-{size or 'small'}"
    return f"restore the files with `python course.py data get {asset}`"


def _name(size: str | None, train, dev, parts: dict[str, Part]) -> str:
    if size == "simulated" or any((part.place.parent / "truth.npz").is_file() for part in parts.values()):
        return "simulated news"
    if train is None or size:
        return f"MIND-{size or 'small'}"
    return "news in MIND's format"


def _published(name: str, part: str) -> dict[str, int]:
    counts = zip(_COUNTED, _PUBLISHED.get((name, part), ()), strict=False)
    return {count: number for count, number in counts if number is not None}


def _check_counts(news: News, name: str) -> None:
    for part in PARTS:
        published = _published(name, part)
        found = news.counts_found(part) if published else {}
        for count, number in published.items():
            if found[count] != number:
                raise DataError(
                    f"{name}, {part}: {number:,} {count} were expected, found {found[count]:,}; restore the "
                    f"files with `python course.py data get {name.lower()}`, or name no size for other files."
                )


def _tables(parts: dict[str, Part], malformed: Callable[[], Malformed]) -> tuple[dict[str, "Dataset"], dict]:
    """The tables of these parts by name: from their Arrow files, which are made if they are not there or not
    whole, or in memory where the cache folder cannot be written; and what was left out of them."""
    contents = [_FORMAT, str(malformed().refuse), *(part.fingerprint() for part in parts.values())]
    fingerprint = hashlib.sha256(" ".join(contents).encode()).hexdigest()[:16]
    folder = cache_folder() / "news" / fingerprint
    found = _read(folder)
    if found is None:
        try:
            with place_for(folder) as made:
                made.mkdir()
                for name, schema, batches in _parsed(parts, malformed()):
                    write_table(made / f"{name}.arrow", schema, batches)
        except OSError:
            pass  # another process was faster, or the folder cannot be written: then in memory
        found = _read(folder) or {
            name: pa.Table.from_batches(batches, schema)
            for name, schema, batches in _parsed(parts, malformed())
        }
    note = json.loads(found["users"].schema.metadata[b"left out"])
    return {
        name: as_dataset(table, folder / f"{name}.arrow", f"{fingerprint}-{name}")
        for name, table in found.items()
    }, note


def _read(folder: Path) -> dict[str, pa.Table] | None:
    tables = {name: read_table(folder / f"{name}.arrow") for name in ("catalogue", *PARTS, "users")}
    return None if any(table is None for table in tables.values()) else tables


def _parsed(
    parts: dict[str, Part], malformed: Malformed
) -> Iterator[tuple[str, pa.Schema, Iterable[pa.RecordBatch]]]:
    """Name, schema and batches of each table, one after the other; users last, with what was left out."""
    catalogue = in_one_order(*(read_articles(parts[part], malformed) for part in PARTS))
    yield "catalogue", catalogue.schema, catalogue.to_batches()
    item_ids = catalogue.column("item_id").combine_chunks()
    users = Numbering()
    for part in PARTS:
        yield part, IMPRESSIONS, read_behaviours(parts[part], item_ids, users, malformed)
    user_ids = pa.record_batch([users.ids], names=["user_id"])
    left_out = json.dumps({"count": malformed.count, "first": malformed.first})
    yield "users", user_ids.schema.with_metadata({"left out": left_out}), [user_ids]


def _ids(rows: "Dataset", column: str) -> np.ndarray:
    return rows.data.table.column(column).to_numpy().astype(str)
