"""The plan of the course: which chapters there are, and what each one needs."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any


class CourseError(Exception):
    """Something that the person who typed the command can repair; the message says how."""


@dataclass(frozen=True)
class Chapter:
    """One row of ``plan.toml``; see the head of that file for what each field means."""

    key: str  # "02_cosine"
    title: str
    title_zh: str
    goal: str
    minutes: int
    needs: tuple[str, ...]
    timeout: int
    scales: dict[str, dict[str, Any]]

    @property
    def number(self) -> str:
        return self.key.split("_")[0]

    @property
    def name(self) -> str:
        return self.key.split("_", 1)[1]


@dataclass(frozen=True)
class Course:
    """The folder that holds ``notebooks/``: the repository, or the small course that a test makes."""

    root: Path

    @property
    def folder(self) -> Path:
        return self.root / "notebooks"

    @property
    def work(self) -> Path:
        """The learner's own folder, which git ignores: copies of the lessons, and all that was kept."""
        return self.root / "work"

    def source(self, chapter: Chapter) -> Path:
        return self.folder / "source" / f"{chapter.key}.py"

    def notebook(self, chapter: Chapter) -> Path:
        return self.folder / f"{chapter.key}.ipynb"

    @cached_property
    def chapters(self) -> list[Chapter]:
        """The rows of ``plan.toml`` in their order. Raises ``CourseError`` where rows and sources differ."""
        rows = tomllib.loads((self.folder / "plan.toml").read_text(encoding="utf-8"))["chapters"]
        for key in rows.keys() ^ {path.stem for path in (self.folder / "source").glob("*.py")}:
            lacks = "source" if key in rows else "row in notebooks/plan.toml"
            raise CourseError(f"{key} has no {lacks}: a chapter needs a row and a source, or neither.")
        chapters = []
        for key, row in rows.items():
            try:
                chapters.append(Chapter(key=key, **{**row, "needs": tuple(row["needs"])}))
            except (TypeError, KeyError) as error:
                raise CourseError(f"notebooks/plan.toml: the row of {key} is not complete: {error}") from None
        return chapters

    def pick(self, asked: list[str]) -> list[Chapter]:
        """Chapters by key (``02_cosine``), number (``02``, ``2``) or name (``cosine``); all if none is asked.

        Raises ``CourseError`` that lists the chapters for one that does not exist.
        """
        picked = []
        for word in asked:
            found = [
                chapter
                for chapter in self.chapters
                if word in (chapter.key, chapter.number, chapter.number.lstrip("0"), chapter.name)
            ]
            if not found:
                keys = ", ".join(chapter.key for chapter in self.chapters) or "none yet"
                raise CourseError(f"There is no chapter {word!r}. Chapters: {keys}.")
            picked += found
        return picked or self.chapters
