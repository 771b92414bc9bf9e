"""What is known about each item, in the order of `Interactions.item_ids`."""

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd
import pyarrow as pa

from course_lib.data.cache import cache_folder
from course_lib.data.derived import as_dataset, place_for, read_table, write_table
from course_lib.data.interactions import DataError, check_columns, half_character, id_texts

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

        `title_plain` is added where it is missing. Arrays in cells become lists, whole numbers as titles
        become text, years whole numbers (1995.0 is 1995), a float column with holes integers where whole.

        Raises `DataError` for a missing column, an empty table, an empty item id or title, an item id that
        occurs twice, `genres` that are one text instead of a list, a year that is no whole number, half a
        character in a text, and a column of several types; the frame's index holds line numbers for messages.
        """
        from datasets import Dataset  # a second to import: only who builds a catalogue pays for it

        columns = _columns(frame, source)
        _table(columns, source)
        return cls(Dataset.from_dict(columns), name)

    @classmethod
    def stored(cls, frame: pd.DataFrame, *, name: str, source: str) -> Self:
        """As `from_frame`, in an Arrow file in the cache folder, named after its content.

        The loaders use it: `rows` is then memory-mapped and its fingerprint depends on the content alone,
        so whatever `rows.map` computes (an encoding) is found again by the next process. Where the cache
        folder cannot be written, `rows` stays in memory.
        """
        columns = _columns(frame, source)
        table = _table(columns, source)
        fingerprint = hashlib.sha256(json.dumps(columns, default=repr).encode()).hexdigest()[:16]
        key = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        path = cache_folder() / "catalogues" / f"{key}-{fingerprint}" / "rows.arrow"
        found = read_table(path)
        if found is None:
            try:
                with place_for(path) as part:
                    write_table(part, table.schema, table.to_batches())
            except OSError:
                pass  # a folder of others, a medium that is read-only, a full disk: the table is at hand
            found = read_table(path)
        return cls(as_dataset(table if found is None else found, path, fingerprint), name)

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
    check_columns(frame, ("item_id", "title"), source, "name the columns item_id and title")
    if frame.empty:
        raise DataError(f"{source}: the file holds no item; fetch it again.")

    def place(row: int) -> str:
        return f"{source}, {frame.index.name or 'row'} {frame.index[row]}"

    ids = id_texts(frame["item_id"], place)
    twice = np.flatnonzero(pd.Index(ids).duplicated())
    if len(twice):
        raise DataError(
            f"{place(twice[0])}: the item {ids[twice[0]]} occurs for the second time; "
            "keep one of the two lines."
        )
    columns: dict[str, list] = {}
    for column in frame:
        if not isinstance(column, str) or half_character(column):
            raise DataError(f"{source}: the column name {column!a} is no text; rename the column.")
        values = [_plain(value) for value in frame[column]]
        for row, value in enumerate(values):
            if _is_broken(value):
                raise DataError(f"{place(row)}: the {column} holds half a character; write it anew.")
        columns[column] = values
    columns["item_id"] = ids.tolist()
    columns["title"] = [_title(value, row, place) for row, value in enumerate(columns["title"])]
    columns["title_plain"] = [
        reading_order(title) if plain in (None, "") else str(plain)
        for title, plain in zip(
            columns["title"], columns.get("title_plain", [None] * len(frame)), strict=True
        )
    ]
    if "year" in columns:
        columns["year"] = [_year(value, row, place) for row, value in enumerate(columns["year"])]
    if "genres" in columns:
        columns["genres"] = [_genres(value, row, place) for row, value in enumerate(columns["genres"])]
    for column, values in columns.items():
        numbers = [value for value in values if value is not None]
        with_holes = 0 < len(numbers) < len(values)
        if with_holes and all(isinstance(value, float) and value.is_integer() for value in numbers):
            columns[column] = [None if value is None else int(value) for value in values]
    return columns


def _table(columns: dict[str, list], source: str) -> pa.Table:
    """The columns as Arrow. Raises `DataError` for a column that has no one type."""
    arrays = {}
    for column, values in columns.items():
        try:
            arrays[column] = pa.array(values)
        except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
            raise DataError(
                f"{source}: the column {column} holds values of several types ({error}); "
                "give all its cells one type, for example text."
            ) from None
    return pa.table(arrays)


def _plain(value):
    """A cell as JSON and Arrow know it: missing values become None, numpy's and Arrow's values become
    Python's, and every array in it a list."""
    if isinstance(value, pa.Scalar):
        value = value.as_py()
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | np.ndarray | pd.Series | pd.Index | pd.api.extensions.ExtensionArray):
        if getattr(value, "ndim", 1) == 0:
            return _plain(value.item())
        return [_plain(inner) for inner in value]
    if isinstance(value, set | frozenset):
        return [_plain(inner) for inner in sorted(value, key=str)]
    if pd.isna(value):
        return None
    return value.item() if isinstance(value, np.generic) else value


def _is_broken(value) -> bool:
    if isinstance(value, str):
        return half_character(value)
    if isinstance(value, dict):
        return any(_is_broken(inner) for pair in value.items() for inner in pair)
    return isinstance(value, list) and any(map(_is_broken, value))


def _title(value, row: int, place: Callable[[int], str]) -> str:
    if value is None or (isinstance(value, str) and not value.strip()):
        raise DataError(f"{place(row)}: the title is empty; write 'unknown' there.")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, str | int | float):
        raise DataError(f"{place(row)}: the title is {value!r:.40}, not text; give it as text.")
    return str(value)


def _year(value, row: int, place: Callable[[int], str]) -> int | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        if isinstance(value, bool) or not isinstance(value, str | int | float) or float(value) % 1:
            raise ValueError
        return int(float(value))
    except (ValueError, OverflowError):
        raise DataError(
            f"{place(row)}: the year is {value!r:.40}, not a whole number; "
            "write it as 1995, or leave it empty."
        ) from None


def _genres(value, row: int, place: Callable[[int], str]) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or any(isinstance(genre, list | dict) for genre in value):
        raise DataError(
            f"{place(row)}: the genres are {value!r:.40}, not a list of texts; "
            "make a list of them, for example with text.split('|')."
        )
    return [str(genre) for genre in value if genre is not None]


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
