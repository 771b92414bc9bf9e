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
    return Measurement(name, content)


def read_measurements(folder: Path = MEASUREMENTS) -> dict[str, Measurement]:
    """All measurements of a folder, by name, sorted; those of `full/` and `seeds/` under `full/LESSON`."""
    names = sorted(path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.json"))
    return {name: read_measurement(name, folder) for name in names}
