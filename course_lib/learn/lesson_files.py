"""What a lesson asks stands in ``notebooks/exercises/lesson_NN.py``: exercises, and the questions of a quiz.

These files are no part of the library, which finds them by their path.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from types import ModuleType

from course_lib.registers import RegisterError, places

LESSON = r"\d\d[a-z]?"
"""A lesson in a key: ``02``, or ``01a`` where a chapter has several."""


def lesson_file(lesson: str) -> ModuleType | None:
    """The module of a lesson (``02``, ``01a``), run once; None for a lesson that asks nothing.

    Raises ``RegisterError`` where the folder is absent: course_lib alone has no exercises.
    """
    if not places.EXERCISES.is_dir():
        raise RegisterError(
            "There is no notebooks/exercises beside course_lib: exercises need the whole course folder."
        )
    path = places.EXERCISES / f"lesson_{lesson}.py"
    if not re.fullmatch(LESSON, lesson) or not path.is_file():
        return None
    path = path.resolve()
    name = f"course_exercises.{path.stem}"
    if name in sys.modules and sys.modules[name].__file__ == str(path):
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # first, as an import does it: a dataclass looks its module up
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def lessons_of_chapter(chapter: str) -> list[str]:
    """The lessons that a chapter (``01``) was cut into, if it was: ``["01a", "01b"]``."""
    if not re.fullmatch(r"\d\d", chapter):
        return []
    return [
        path.stem.removeprefix("lesson_")
        for path in sorted(places.EXERCISES.glob(f"lesson_{chapter}[a-z].py"))
    ]
