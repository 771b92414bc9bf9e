"""`book/measurements/`: what was measured once and is read back, because durations do not repeat.

Every file says when, on what and with which versions it was made. Files in `full/` and `seeds/` hold the
verdicts of one lesson each, at the larger scale and with other seeds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_lib.registers.errors import RegisterError
from course_lib.registers.places import COURSE

MEASUREMENTS = COURSE / "book" / "measurements"


@dataclass(frozen=True)
class Column:
    """One column of a table: the key of its cells, its title, their unit, and the digits after the point.

    Without a unit its numbers are shares or scores.
    """

    key: str
    title: str
    unit: str = ""
    digits: int = 4

    @property
    def head(self) -> str:
        return f"{self.title} ({self.unit})" if self.unit else self.title

    def text(self, row: Mapping[str, Any]) -> str:
        """The cell of a row: a text, a number or {mean, low, high}. A row may have `digits` of its own."""
        cell, digits = row.get(self.key), row.get("digits", self.digits)
        if cell is None:
            return "–"
        if isinstance(cell, str):
            return cell
        if isinstance(cell, Mapping):
            return f"{cell['mean']:.{digits}f} [{cell['low']:.{digits}f}, {cell['high']:.{digits}f}]"
        return f"{cell:.{digits}f}"


@dataclass(frozen=True)
class Table:
    """The table of a measurement as it says itself how to show it; remarks are sentences to stand below."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[dict[str, Any], ...]
    remarks: tuple[str, ...] = ()

    @property
    def texts(self) -> list[list[str]]:
        """Head and rows, rounded."""
        return [
            [column.head for column in self.columns],
            *([column.text(row) for column in self.columns] for row in self.rows),
        ]


@dataclass(frozen=True)
class Measurement(Mapping[str, Any]):
    """One file, read like a dictionary; what every file has stands as attributes."""

    name: str
    content: dict[str, Any]

    @property
    def date(self) -> str:
        return self.content["date"]

    @property
    def processor(self) -> str:
        """The processor's name, without what it can do."""
        return self.content["processor"].split(",")[0]

    @property
    def threads(self) -> int:
        return self.content["threads"]

    @property
    def promises(self) -> list[dict[str, Any]]:
        """What the benchmark promised: {what, measured, at_least or at_most, kept} each."""
        return self.content.get("promises", [])

    @property
    def title(self) -> str:
        """Its heading on the book's page of benchmarks; "" for one that has no place there."""
        return self.content.get("title", "")

    @property
    def place(self) -> int:
        """Its place on that page, from 1."""
        return self.content["place"]

    @property
    def warning(self) -> str:
        """What must be known before any of its figures is read, or ""."""
        return self.content.get("warning", "")

    @property
    def table(self) -> Table | None:
        found = self.content.get("table")
        return found and Table(
            found["caption"],
            tuple(Column(**column) for column in found["columns"]),
            tuple(found["rows"]),
            tuple(found["remarks"]),
        )

    def __getitem__(self, key: str) -> Any:
        return self.content[key]

    def __iter__(self):
        return iter(self.content)

    def __len__(self) -> int:
        return len(self.content)


def read_measurement(name: str, folder: Path = MEASUREMENTS) -> Measurement:
    """One measurement by name: `topk`, `full/05_cf`.

    Raises `RegisterError` for a name that has no file, with the command that makes it, and for a file that is
    no measurement.
    """
    path = folder / f"{name}.json"
    if not path.is_file():
        raise RegisterError(
            f"There is no measurement called {name!r}: make it with `python course.py benchmark {name}`."
        )
    content = json.loads(path.read_text(encoding="utf-8"))
    if missing := {"name", "date", "processor", "threads"} - content.keys():
        raise RegisterError(f"{path.name} is no measurement: it lacks {', '.join(sorted(missing))}.")
    measurement = Measurement(name, content)
    if fault := _fault(measurement):
        raise RegisterError(f"{path.name}: {fault}; `python course.py benchmark {name}` writes it anew.")
    return measurement


def _fault(found: Measurement) -> str | None:
    """What keeps a measurement from being shown as it says."""
    if bool(found.title) != ("place" in found):
        return "a title needs a place on the page, and a place needs a title"
    try:
        table = found.table
        written = table.texts if table else []
    except (TypeError, KeyError, ValueError) as error:
        return f"its table is not complete: {error!r}"
    if table and len({column.key for column in table.columns}) < len(written[0]):
        return "two columns of its table have the same key"
    return None


def read_measurements(folder: Path = MEASUREMENTS) -> dict[str, Measurement]:
    """All measurements of a folder, by name, sorted; those of `full/` and `seeds/` under `full/LESSON`."""
    names = sorted(path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.json"))
    return {name: read_measurement(name, folder) for name in names}
