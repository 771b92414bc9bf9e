"""Exercises that tell a learner at once whether the answer is right, and if not, why."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from IPython.display import display
from markdown_it import MarkdownIt

from course_lib.learn.answers import Unfit
from course_lib.learn.lesson_files import LESSON, lesson_file, lessons_of_chapter

MIME = "application/vnd.course.check+json"
"""Machine-readable twin of a check, in the same output: tests read from it what a notebook shows."""

LOOKS = {  # a sign and a word as well as a colour: none is told by colour alone
    "not attempted": ("○", "#56B4E9", "Not attempted yet"),
    "wrong": ("✗", "#D55E00", "Not yet:"),
    "right": ("✓", "#009E73", "Right"),
}
_inline = MarkdownIt("commonmark", {"html": False}).renderInline
_hints_given: dict[str, int] = {}
_wrong_choices: dict[str, list[str]] = {}


@dataclass(frozen=True)
class Exercise:
    """One exercise: its question, the judge of an answer, and the help that a learner can ask for.

    ``judge(answer)`` returns ``None`` for a right answer, else a sentence that says what is wrong and gives a
    direction without giving the answer; it may raise ``Unfit`` instead (``course_lib.learn.answers``). The
    sentence continues "Not yet: …". ``wrong_examples`` are at least two answers that learners are likely
    to give; each must get a sentence of its own, and a test holds the judge to that. ``right`` is said after
    a right answer. The reference solution is not here: it stands in the notebook, in the Markdown cell
    tagged ``solution``. ``choice``: the answer is one of few options, which can be guessed, so that a
    wrong one is shown with the number of the try, and from the third on a reason is asked for.
    """

    key: str  # "02.1", "01a.1": lesson, exercise
    question: str
    judge: Callable[[Any], str | None]
    hints: tuple[str, str, str]
    wrong_examples: tuple[Any, ...]
    right: str = ""
    choice: bool = False

    def __post_init__(self) -> None:
        if not re.fullmatch(rf"{LESSON}\.\d", self.key):
            raise ValueError(
                f"Exercise key {self.key!r} must look like '02.1' or '01a.1': lesson, dot, number."
            )
        if len(self.hints) != 3:
            raise ValueError(f"Exercise {self.key} needs three hints, and has {len(self.hints)}.")
        if len(self.wrong_examples) < 2:
            raise ValueError(
                f"Exercise {self.key} needs two wrong examples, and has {len(self.wrong_examples)}."
            )

    def assess(self, answer: Any) -> tuple[str, str]:
        """The status (``not attempted``, ``wrong`` or ``right``) and the sentence that goes with it."""
        return self.judged(answer)[:2]

    def judged(self, answer: Any) -> tuple[str, str, bool]:
        """As ``assess``, and whether the answer is of the kind asked for: a misspelled option is none."""
        if _has_gap(answer):
            return "not attempted", "Replace the three dots by your answer and run the cell again.", False
        try:
            reason = self.judge(answer)
        except Unfit as unfit:
            return "wrong", str(unfit), False
        except (
            Exception,
            SystemExit,
        ) as error:  # an answer of an unexpected type is wrong, not a crash of the chapter
            first_line = str(error).split("\n")[0]
            return "wrong", f"checking your answer failed with {type(error).__name__}: {first_line}", False
        return ("right", self.right, True) if reason is None else ("wrong", reason, True)


def find(key: str) -> Exercise:
    """Look up an exercise by key, in the file of its lesson in ``notebooks/exercises``.

    Raises ``KeyError`` that lists the keys of the lesson, and ``RegisterError`` where that folder is absent.
    """
    lesson = str(key).partition(".")[0]
    module = lesson_file(lesson)
    exercises = {exercise.key: exercise for exercise in getattr(module, "EXERCISES", ())}
    if not exercises:
        cut = ", ".join(lessons_of_chapter(lesson))  # a learner's copy may be older
        instead = f"; chapter {lesson} has the lessons {cut}" if cut else ""
        raise KeyError(f"There is no exercise {key!r}: lesson {lesson!r} has no exercises{instead}.")
    if key not in exercises:
        raise KeyError(f"There is no exercise {key!r}: lesson {lesson} has {', '.join(exercises)}.")
    return exercises[key]


def check(key: str, answer: Any) -> None:
    """Show whether ``answer`` to exercise ``key`` is *not attempted*, *not yet* right, and why, or *right*.

    An answer is not attempted while it is ``...``, or a list, tuple, set or dictionary that still holds it.
    """
    exercise = find(key)
    status, message, fits = exercise.judged(answer)
    if exercise.choice and fits and status == "wrong":
        message += f" {number_of_try(key, answer)}"
    sign, colour, word = LOOKS[status]
    sentence = f"{word} {message}" if status == "wrong" else f"{word}. {message}".rstrip()
    more = "" if status == "right" else f" Help: <code>learn.hint({key!r})</code>"
    display(
        {
            MIME: {"key": key, "status": status, "message": message},
            "text/html": (
                '<div class="course-check" style="padding:.4em .9em;margin:.4em 0;'
                f'border-left:4px solid {colour}">'
                f"<strong>{sign} Exercise {key}</strong> · {_inline(sentence)}{more}</div>"
            ),
            "text/plain": f"{sign} Exercise {key} · {sentence}",
        },
        raw=True,
    )


def number_of_try(key: str, answer: Any) -> str:
    """Of a wrong answer among few options: "(Try 2.)", and from the third on a request for a reason.

    The same answer once more, as when all cells run again, or in other capitals, is no new try.
    """
    tries, given = _wrong_choices.setdefault(key, []), repr(answer).casefold()
    if given not in tries:
        tries.append(given)
    asked = " Before the next one, write down in a sentence why it should be right." if len(tries) > 2 else ""
    return f"(Try {len(tries)}.{asked})"


def hint(key: str) -> None:
    """Show the next of the three hints to exercise ``key``; after the third, say where the solution is."""
    exercise = find(key)
    given = _hints_given.get(key, 0)
    _hints_given[key] = given + 1
    if given < 3:
        text = f"**Hint {given + 1} of 3** · {exercise.hints[given]}"
    else:
        text = "**No more hints** · Below the exercise stands *Show a solution*: open it."
    display({"text/markdown": text, "text/plain": text}, raw=True)


def _has_gap(answer: Any) -> bool:
    waiting, seen = [answer], set()  # a list may contain itself
    while waiting:
        part = waiting.pop()
        if part is ...:
            return True
        if isinstance(part, dict | list | tuple | set | frozenset) and id(part) not in seen:
            seen.add(id(part))
            waiting.extend(part.values() if isinstance(part, dict) else part)
    return False
