"""The questions at the end of a lesson. Which letter is right follows from what the lesson measured."""

from __future__ import annotations

import html
import re
import string
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from IPython.display import display
from markdown_it import MarkdownIt

from course_lib.learn.answers import Unfit, as_choice
from course_lib.learn.exercise import LOOKS, MIME, number_of_try
from course_lib.learn.lesson_files import LESSON, lesson_file
from course_lib.show.sentences import filled

_inline = MarkdownIt("commonmark", {"html": False}).renderInline


@dataclass(frozen=True)
class Question:
    """One question of a quiz, with lettered options: the first is A.

    ``right(found)`` gives the right letter from the lesson's results; it is never typed, and with other
    results it is another letter. So each letter can be wrong, and ``because`` has a message for each, which
    continues "Not yet: …" and names the misconception that leads there. A ``{name}`` in a message is replaced
    by that result, as ``show.say`` does it; braces of a formula are doubled.

    A test calls ``right`` with numbers, truth values, Comparisons and the texts that its code names, until
    two letters have come out. For results of another kind, ``others`` gives it some, as they might have been
    found.
    """

    key: str  # "02.q1", "01a.q1": lesson, question
    text: str
    options: tuple[str, ...]
    right: Callable[[Mapping[str, Any]], str]
    because: Mapping[str, str]
    others: tuple[Mapping[str, Any], ...] = ()

    def __post_init__(self) -> None:
        if not re.fullmatch(rf"{LESSON}\.q\d", self.key):
            raise ValueError(
                f"Question key {self.key!r} must look like '02.q1' or '01a.q1': lesson, dot, number."
            )
        if not 2 <= len(self.options) <= 6 or len(set(self.options)) != len(self.options):
            raise ValueError(f"Question {self.key} needs two to six options, each another.")
        if not callable(self.right):
            raise ValueError(
                f"Question {self.key}: the right letter is computed from what was found, never typed; "
                "give a function, such as `lambda found: …`."
            )
        if missing := [letter for letter in self.letters if not self.because.get(letter)]:
            raise ValueError(
                f"Question {self.key} has no message for {', '.join(missing)}: "
                "the right letter is computed, so that each letter can be wrong."
            )
        if unknown := sorted(self.because.keys() - set(self.letters)):
            raise ValueError(
                f"Question {self.key} has a message for {', '.join(unknown)}, which is none of its letters."
            )
        if len(set(self.because.values())) != len(self.because):
            raise ValueError(f"Question {self.key} says the same to two letters: give each its own message.")

    @property
    def letters(self) -> str:
        """The letters of the options: ``ABCD``."""
        return string.ascii_uppercase[: len(self.options)]

    def letter(self, found: Mapping[str, Any]) -> str:
        """The right letter after these results. Raises ``ValueError`` for what is none of the letters."""
        letter = self.right(found)
        if not (isinstance(letter, str) and len(letter) == 1 and letter in self.letters):
            raise ValueError(f"Question {self.key}: {letter!r} is none of its letters, {self.letters}.")
        return letter

    def read(self, answer: Any) -> str:
        """The letter that an answer names. Raises ``Unfit`` for what is none."""
        return as_choice(answer, self.letters, f"{answer!r}"[:60])

    def assess(self, answer: Any, found: Mapping[str, Any]) -> tuple[str, str]:
        """The status (``not attempted``, ``wrong`` or ``right``) and the sentence that goes with it."""
        right = self.letter(found)
        # Each of them, so that a place without a result stops the lesson and not its reader.
        because = {letter: filled(text, dict(found)) for letter, text in self.because.items()}
        if answer is ...:
            return "not attempted", f"Give one of the letters {', '.join(self.letters)}."
        try:
            letter = self.read(answer)
        except Unfit as unfit:
            return "wrong", str(unfit)
        return ("right", "") if letter == right else ("wrong", because[letter])


def questions(lesson: str) -> dict[str, Question]:
    """The questions of a lesson (``02``, ``01a``) by their names in a call, ``q1`` and so on.

    Raises ``KeyError`` for a lesson without any, ``RegisterError`` as ``lesson_file`` does.
    """
    found = getattr(lesson_file(lesson), "QUESTIONS", ())
    if not found:
        raise KeyError(
            f"Lesson {lesson!r} has no quiz: notebooks/exercises/lesson_{lesson}.py has no QUESTIONS."
        )
    return {question.key.partition(".")[2]: question for question in found}


def quiz(lesson: str, *, found: Mapping[str, Any], **answers: Any) -> None:
    """Show the questions of a lesson, and of each whether it is *not attempted*, *not yet* right, or *right*.

    ``answers`` are letters, ``q1="B"``, or ``...`` as long as there is none. ``found`` are the results of the
    lesson from which the right letters are computed. Raises ``KeyError`` as ``questions`` does, and
    ``ValueError`` for an answer to a question that there is not.
    """
    asked = questions(lesson)
    if unknown := [name for name in answers if name not in asked]:
        raise ValueError(f"Quiz {lesson} has no question {', '.join(unknown)}: it has {', '.join(asked)}.")
    for name, question in asked.items():
        answer = answers.get(name, ...)
        status, message = question.assess(answer, found)
        if status == "wrong":
            with suppress(Unfit):  # what is no letter is no try
                message += f" {number_of_try(question.key, question.read(answer))}"
        _show(question, status, message)


def _show(question: Question, status: str, message: str) -> None:
    sign, colour, word = LOOKS[status]
    said = f"{word} {message}" if status == "wrong" else f"{word}. {message}".rstrip()
    options = "".join(f"<li>{_inline(option)}</li>" for option in question.options)
    lettered = [f"{letter}. {text}" for letter, text in zip(question.letters, question.options, strict=True)]
    display(
        {
            MIME: {"key": question.key, "status": status, "message": message},
            "text/html": (
                '<div class="course-check" style="padding:.4em .9em;margin:.4em 0;'
                f'border-left:4px solid {colour}">'
                f"<strong>Question {html.escape(question.key)}</strong> · {_inline(question.text)}"
                f'<ol type="A" style="margin:.3em 0">{options}</ol>'
                f"<strong>{sign}</strong> {_inline(said)}</div>"
            ),
            "text/plain": "\n".join(
                [f"Question {question.key} · {question.text}", *lettered, f"{sign} {said}"]
            ),
        },
        raw=True,
    )
