"""The plan of the course: which chapters there are, what each one needs, and which parameters it takes.

Only the standard library is imported here: the launcher asks before anything is installed.
"""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from course_lib.registers import Lesson, RegisterError, pick_lessons, read_lessons

Chapter = Lesson


class CourseError(Exception):
    """Something that the person who typed the command can repair; the message says how."""


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
        try:
            lessons = read_lessons(self.folder / "plan.toml")
        except RegisterError as error:
            raise CourseError(f"notebooks/{error}") from None
        for key in lessons.keys() ^ {path.stem for path in (self.folder / "source").glob("*.py")}:
            lacks = "source" if key in lessons else "row in notebooks/plan.toml"
            raise CourseError(f"{key} has no {lacks}: a chapter needs a row and a source, or neither.")
        return list(lessons.values())

    def pick(self, asked: list[str]) -> list[Chapter]:
        """Chapters by key (``02_cosine``), number (``02``, ``2``) or name (``cosine``); all if none is asked.

        They come once each, in the plan's order. Raises ``CourseError`` that lists the chapters for one that
        does not exist.
        """
        try:
            return pick_lessons(self.chapters, asked)
        except RegisterError as error:
            raise CourseError(str(error)) from None

    def parameters(self, chapter: Chapter, scale: str, given: dict[str, Any]) -> dict[str, Any]:
        """What a run passes to a chapter's notebook: ``scale``, what the scale sets, and what is ``given``.

        Raises ``CourseError`` for a scale or a parameter that the chapter does not have, for a value of
        another kind than the notebook's own, and for a notebook without a cell tagged ``parameters``.
        papermill would pass over all of these.
        """
        path = self.notebook(chapter)
        if not path.exists():
            raise CourseError(
                f"{chapter.key} has no notebook yet: run `python course.py execute {chapter.key}`."
            )
        if scale not in chapter.scales:
            raise CourseError(f"{chapter.key} has no scale {scale!r}: it has {', '.join(chapter.scales)}.")
        if "scale" in given:
            raise CourseError(
                f"The scale is not chosen with -p: use --scale {' or --scale '.join(chapter.scales)}."
            )
        own = _own_parameters(chapter, path)
        for name, value in given.items():
            if name not in own:
                raise CourseError(f"{chapter.key} has no parameter {name!r}: it has {', '.join(own)}.")
            kind = _KINDS.get(type(own[name]))
            if kind and type(value) not in kind[0]:
                raise CourseError(
                    f"{chapter.key}: {name} is {kind[1]} such as {own[name]!r}, and not {value!r}."
                )
            if name == "seed" and not 0 <= value < 2**32:
                raise CourseError(f"A seed is a whole number from 0 to {2**32 - 1}, and not {value}.")
        return {"scale": scale, **chapter.scales[scale].get("parameters", {}), **given}


_KINDS = {  # kind of a notebook's own value: kinds that may replace it, and its name
    bool: ((bool,), "True or False"),
    int: ((int,), "a whole number"),
    float: ((int, float), "a number"),
    str: ((str,), "a text"),
    list: ((list,), "a list"),
}


def _own_parameters(chapter: Chapter, path: Path) -> dict[str, Any]:
    """Names and values that the cell tagged ``parameters`` sets; a value that is no literal is None here."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        tagged = [
            "".join(cell["source"]) for cell in cells if "parameters" in cell["metadata"].get("tags", [])
        ]
        lines = ast.parse(tagged[0]).body if tagged else []
    except (
        ValueError,
        SyntaxError,
        KeyError,
        TypeError,
        AttributeError,
    ) as error:  # half saved, or merged by git
        raise CourseError(
            f"{path.name} cannot be read ({error}). `python course.py check {chapter.key} --fix` keeps it in "
            "work/ and puts back the course's own."
        ) from None
    if not tagged:
        raise CourseError(f"{chapter.key} has no cell tagged 'parameters', so nothing can be passed to it.")
    own: dict[str, Any] = {}
    for line in lines:
        if isinstance(line, ast.Assign | ast.AnnAssign) and line.value is not None:
            targets = line.targets if isinstance(line, ast.Assign) else [line.target]
            own |= {name.id: _literal(line.value, None) for name in targets if isinstance(name, ast.Name)}
    return own


def parameter(text: str) -> tuple[str, Any]:
    """``NAME=VALUE`` as name and value: a Python literal (``3``, ``True``, ``[1, 2]``), or else a text."""
    name, equals, value = text.partition("=")
    if not (name.isidentifier() and equals):
        raise CourseError(f"-p {text!r} must look like NAME=VALUE.")
    read = _literal(value.strip(), value)
    if isinstance(read, tuple):
        read = list(read)
    try:
        json.dumps(read, allow_nan=False)  # the notebook and the report must be able to hold it
    except (TypeError, ValueError):
        read = value
    return name, read


def _literal(expression: str | ast.expr, otherwise: Any) -> Any:
    try:
        return ast.literal_eval(expression)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):  # what literal_eval may raise
        return otherwise
