"""What is known about each item, in the order of `Interactions.item_ids`."""

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pandas as pd

from course_lib.data.cache import cache_folder
from course_lib.data.interactions import DataError

if TYPE_CHECKING:
    from datasets import Dataset

# These fields are sentences or names by themselves; every other field is introduced by its name.
_SPEAKS_FOR_ITSELF = {"title", "title_plain", "description", "abstract"}

_ARTICLES = "The|A|An|Le|La|Les|L'|Il|Lo|I|Gli|El|Los|Las|Der|Die|Das|Det|Den|De|O|Os"
_MOVED_ARTICLE = re.compile(rf"^(?P<rest>.+), (?P<article>{_ARTICLES})$")
_WITH_SECOND_TITLE = re.compile(r"^(?P<first>.+?) \((?P<second>.+)\)$")


class Catalogue:
    """One row an item: text and attributes.

    rows: a `datasets.Dataset`; row i describes item i of the `Interactions` that came with it. Columns:
    item_id (str), title (str, as published), title_plain (str, the same in reading order: "The Godfather"),
    year (int or None), genres (list of str, empty where unknown), and what else the data set has.
    """

    def __init__(self, rows: "Dataset", name: str):
        self.rows = rows
        self.name = name

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, *, name: str, source: str) -> Self:
        """Build a catalogue in memory from a table with at least the columns `item_id` and `title`.

        `title_plain` is added where it is missing. Raises `DataError` for a missing column, an empty table,
        an empty title and an item id that occurs twice; the frame's index holds line numbers for messages.
        """
        from datasets import Dataset  # a second to import: only who builds a catalogue pays for it

        return cls(Dataset.from_dict(_columns(frame, source)), name)

    @classmethod
    def stored(cls, frame: pd.DataFrame, *, name: str, source: str) -> Self:
        """As `from_frame`, in an Arrow file in the cache folder, named after its content.

        The loaders use it: `rows` is then memory-mapped and its fingerprint depends on the content alone,
        so whatever `rows.map` computes (an encoding) is found again by the next process.
        """
        import pyarrow as pa
        from datasets import Dataset
        from datasets.table import MemoryMappedTable

        columns = _columns(frame, source)
        fingerprint = hashlib.sha256(json.dumps(columns).encode()).hexdigest()[:16]
        key = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        path = cache_folder() / "catalogues" / f"{key}-{fingerprint}" / "rows.arrow"
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            table = pa.table(columns)
            # Written beside and renamed, so that an interruption never leaves half a table under this name.
            handle, part = tempfile.mkstemp(dir=path.parent, suffix=".part")
            try:
                with os.fdopen(handle, "wb") as file, pa.ipc.new_stream(file, table.schema) as stream:
                    stream.write_table(table)
                os.replace(part, path)
            except BaseException:
                Path(part).unlink(missing_ok=True)
                raise
        return cls(Dataset(MemoryMappedTable.from_file(str(path)), fingerprint=fingerprint), name)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def titles(self) -> list[str]:
        """list of str [n_items]: the titles as published."""
        return list(self.rows["title"])

    def describe(self, *fields: str) -> list[str]:
        """Verbalise the named fields into one text an item: list of str [n_items].

        `describe("title", "year", "genres")` gives "Toy Story (1995). Genres: Animation, Children's, Comedy".
        A title is read in its natural order ("The Godfather"), a year that follows it stands in brackets,
        any other field is introduced by its name; a missing value is "unknown", except a year in brackets
        and a description, which are left out.

        Raises `ValueError` if no field is named, or one that the catalogue does not have.
        """
        known = self.rows.column_names
        unknown = [field for field in fields if field not in known]
        if unknown or not fields:
            wrong = f"has no field {unknown[0]!r}" if unknown else "needs at least one field to describe"
            raise ValueError(f"{self.name} {wrong}; choose from {', '.join(known)}.")
        columns = {field: list(self.rows[field]) for field in fields}
        if "title" in columns:
            columns["title"] = list(self.rows["title_plain"])
        return [
            _verbalise({field: values[row] for field, values in columns.items()}) for row in range(len(self))
        ]

    def __repr__(self) -> str:
        return f"{self.name}: {len(self):,} items with {', '.join(self.rows.column_names)}"


def reading_order(title: str) -> str:
    """A title with its article where it is spoken: "Godfather, The" becomes "The Godfather".

    A second title in brackets is treated alike: "Hate (Haine, La)" becomes "Hate (La Haine)".
    """
    both = _WITH_SECOND_TITLE.match(title)
    if both:
        return f"{reading_order(both['first'])} ({reading_order(both['second'])})"
    moved = _MOVED_ARTICLE.match(title)
    if not moved:
        return title
    space = "" if moved["article"].endswith("'") else " "
    return f"{moved['article']}{space}{moved['rest']}"


def _columns(frame: pd.DataFrame, source: str) -> dict[str, list]:
    missing = [column for column in ("item_id", "title") if column not in frame]
    if missing:
        raise DataError(
            f"{source}: the column {' and '.join(missing)} is missing (found: {', '.join(frame)})."
        )
    if frame.empty:
        raise DataError(f"{source}: the file holds no item; fetch it again.")
    place = frame.index.name or "row"
    twice = frame["item_id"].duplicated()
    if twice.any():
        first = frame[twice].iloc[:1]
        raise DataError(
            f"{source}, {place} {first.index[0]}: the item {first['item_id'].item()} occurs for the second "
            "time; keep one of the two lines."
        )
    titleless = frame["title"].isna() | (frame["title"].astype(str).str.strip() == "")
    if titleless.any():
        raise DataError(
            f"{source}, {place} {frame.index[titleless][0]}: the title is empty; write 'unknown' there."
        )
    columns = {column: [_plain(value) for value in frame[column]] for column in frame}
    columns["item_id"] = [str(value) for value in columns["item_id"]]
    columns.setdefault("title_plain", [reading_order(title) for title in columns["title"]])
    return columns


def _plain(value):
    """A cell as JSON and Arrow know it: pandas' missing values become None, numpy numbers become Python's."""
    if isinstance(value, list):
        return value
    if pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value


def _verbalise(values: dict[str, object]) -> str:
    parts = []
    previous = None
    for field, value in values.items():
        if field == "year" and previous in ("title", "title_plain"):
            if value is not None:
                parts[-1] += f" ({value})"
        elif field in _SPEAKS_FOR_ITSELF:
            if value:
                parts.append(str(value).rstrip("."))
        else:
            listed = isinstance(value, Sequence) and not isinstance(value, str)
            words = ", ".join(map(str, value)) if listed else ("" if value is None else str(value))
            parts.append(f"{field.replace('_', ' ').capitalize()}: {words or 'unknown'}")
        previous = field
    return ". ".join(parts)
