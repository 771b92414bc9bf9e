"""`notebooks/plan.toml`: the lessons of the course, a row each, in course order."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

from course_lib.registers.errors import RegisterError
from course_lib.registers.places import COURSE

PLAN = COURSE / "notebooks" / "plan.toml"
_KEY = re.compile(r"(\d\d)([a-z]?)_([a-z0-9]+)")


@dataclass(frozen=True)
class Lesson:
    """One notebook that a reader finishes in one sitting; the head of plan.toml says what each field means.

    A chapter has one lesson (`02_cosine`) or several (`01a_stage`, `01b_reading`).
    """

    key: str
    title: str
    title_zh: str
    goal: str
    minutes: int
    needs: tuple[str, ...]
    timeout: int
    scales: dict[str, dict[str, Any]]
    was: tuple[str, ...] = ()
    whole: bool = True

    @property
    def number(self) -> str:
        """The chapter's two digits and the lesson's letter, if it has one: `02`, `01a`."""
        return self.key.partition("_")[0]

    @property
    def chapter(self) -> int:
        """The chapter's number, from 1."""
        return int(self.key[:2])

    @property
    def name(self) -> str:
        return self.key.partition("_")[2]

    @property
    def words(self) -> frozenset[str]:
        """What it can be called: `02_cosine`, `cosine`, `02`, `2`; and `01a_stage` by `01a`, `01`, …"""
        return words_of(self.key)

    def needs_at(self, scale: str = "small") -> tuple[str, ...]:
        """Names of the assets that the lesson reads at a scale, those of the small scale among them."""
        return (*self.needs, *self.scales.get(scale, {}).get("needs", ()))


def words_of(key: str) -> frozenset[str]:
    """What the lesson with this key can be called; several lessons share the number of their chapter."""
    number, _, name = key.partition("_")
    return frozenset({key, name, number, key[:2], number.lstrip("0"), key[:2].lstrip("0")})


def read_lessons(path: Path = PLAN) -> dict[str, Lesson]:
    """The lessons by key, in their order.

    Raises `RegisterError` for a file that cannot be read, a key of another form, a row that lacks a field or
    has one that nobody knows, for a chapter that has a lesson without a letter beside others, and for an old
    key (`was`) that a lesson has now or that two lessons claim.
    """
    lessons: dict[str, Lesson] = {}
    names = {field.name for field in fields(Lesson)} - {"key"}
    needed = {field.name for field in fields(Lesson) if field.default is MISSING} - {"key"}
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8"))["chapters"]
    except (OSError, ValueError, KeyError) as error:
        raise RegisterError(f"{path.name} cannot be read: {error}.") from None
    for key, row in rows.items():
        if not _KEY.fullmatch(key):
            raise RegisterError(f"{path.name}: {key!r} must look like 02_cosine or 01a_stage.")
        if wrong := (needed - row.keys()) | (row.keys() - names):
            what = ", ".join(sorted(wrong))
            raise RegisterError(f"{path.name}: the row of {key} lacks, or has without need: {what}.")
        lessons[key] = Lesson(
            key=key, **{**row, "needs": tuple(row["needs"]), "was": tuple(row.get("was", ()))}
        )
    for lesson in lessons.values():
        others = [other.key for other in lessons.values() if other.chapter == lesson.chapter]
        if len(others) > 1 and lesson.number.isdigit():
            raise RegisterError(
                f"{path.name}: chapter {lesson.number} has {', '.join(others)}: give each a letter."
            )
    old_keys = [old for lesson in lessons.values() for old in lesson.was]
    for old in old_keys:
        if not _KEY.fullmatch(old) or old in lessons or old_keys.count(old) > 1:
            raise RegisterError(
                f"{path.name}: was = [{old!r}] must name a key that no lesson has any more, in one row alone."
            )
    return lessons


def pick_lessons(lessons: Iterable[Lesson], asked: Iterable[str]) -> list[Lesson]:
    """The lessons that the words ask for, in course order and once each; all of them if no word is given.

    Raises `RegisterError` that lists the lessons for a word that means none.
    """
    lessons, asked = list(lessons), list(asked)
    for word in asked:
        if not any(word in lesson.words for lesson in lessons):
            known = ", ".join(lesson.key for lesson in lessons) or "none yet"
            raise RegisterError(f"There is no chapter {word!r}. Chapters: {known}.")
    return [lesson for lesson in lessons if not asked or lesson.words & set(asked)]
