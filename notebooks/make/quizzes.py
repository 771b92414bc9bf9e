"""Quizzes: the right letter of a question follows from results, so that other results make another one right.

`tried` calls `right` of a question with results as they might have come out, until two letters have come out.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from types import CodeType
from typing import Any

import numpy as np
from nbformat import NotebookNode

from course_lib.learn import Question
from course_lib.learn.exercise import MIME
from notebooks.make.rules import comparisons

QUESTIONS_A_LESSON = 5
_SIZES = (0.0, 0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 100.0, 10_000.0)
_MOST = 4_000


def tried(question: Question) -> list[str]:
    """Why the right letter of a question is not computed, in one line, or nothing."""
    letters = set()
    for found in _fed(question):
        try:
            letter = question.right(found)
        except Exception:  # these results are of another kind than its own
            continue
        if letter not in [*question.letters]:
            return [f"{question.key}: {letter!r} came out as the right letter; it has {question.letters}"]
        letters.add(letter)
        if len(letters) == 2:
            return []
    if letters:
        always = f"{question.key}: {letters.pop()} is right whatever was found"
        return [f"{always}; ask for what the lesson measured, or give results in others=(…)"]
    return [f"{question.key}: no letter came out of any results; give it some in others=(…)"]


def faults(notebook: NotebookNode, lesson: str | None = None) -> Iterator[str]:
    """What is wrong with the quiz of an executed lesson, if it has one; of the lesson of that number."""
    tagged = [cell for cell in notebook.cells if "quiz" in cell.metadata.get("tags", [])]
    shown = {
        cell.id: [output.data[MIME] for output in cell.outputs if MIME in output.get("data", {})]
        for cell in notebook.cells
        if cell.cell_type == "code"
    }
    if len(tagged) > 1:
        yield f"has {len(tagged)} cells tagged 'quiz': one is enough"
    for cell in tagged:
        try:
            _check_call(cell, lesson)
        except ValueError as error:
            yield f"the quiz: {error}"
            continue
        keys = [record["key"].partition(".")[2] for record in shown[cell.id]]
        if keys != [f"q{number}" for number in range(1, QUESTIONS_A_LESSON + 1)]:
            yield f"the quiz shows {', '.join(keys) or 'nothing'}: wanted are q1 to q{QUESTIONS_A_LESSON}"
        for record in shown[cell.id]:
            if record["status"] != "not attempted":
                yield f"question {record['key']} is {record['status']}: wanted is one that is not attempted"
    for cell in notebook.cells:
        if cell not in tagged:
            for record in shown.get(cell.id, []):
                if ".q" in record["key"]:
                    yield f"question {record['key']} stands in a cell that is not tagged 'quiz'"


def _check_call(cell: NotebookNode, lesson: str | None) -> None:
    """Raise ValueError unless a cell calls `learn.quiz` once, and hands over names, not typed results."""
    if cell.cell_type != "code":
        raise ValueError("it is a code cell")
    calls = [
        node
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "learn.quiz"
    ]
    if len(calls) != 1 or not calls[0].args or not isinstance(calls[0].args[0], ast.Constant):
        raise ValueError('its cell holds one call like learn.quiz("02", q1=..., found={"gap": gap})')
    if lesson is not None and calls[0].args[0].value != lesson:
        raise ValueError(f"it asks the questions of {calls[0].args[0].value}, in lesson {lesson}")
    found = next((word.value for word in calls[0].keywords if word.arg == "found"), None)
    if not isinstance(found, ast.Dict) or not found.values:
        raise ValueError('its found={…} is a dictionary of results, such as {"gap": gap}')
    for value in found.values:
        if not any(isinstance(node, ast.Name) for node in ast.walk(value)):
            raise ValueError(f"{ast.unparse(value)} is typed: hand over what the lesson computed")


class _Found(dict):
    """Results that are made up when they are asked for."""

    def __init__(self, rng: np.random.Generator, texts: list[str], known: Mapping[str, Any]) -> None:
        super().__init__(known)
        self._rng, self._texts = rng, texts

    def __missing__(self, name: str) -> Any:
        kinds: list[Any] = [_NUMBERS, _COMPARISONS, (True, False)]
        if self._texts:
            kinds.append(self._texts)
        kind = kinds[self._rng.integers(len(kinds))]
        self[name] = kind[self._rng.integers(len(kind))]
        return self[name]


_NUMBERS = tuple(sign * size for size in _SIZES for sign in (1, -1))
_COMPARISONS = tuple(comparisons())


def _fed(question: Question) -> Iterator[Mapping[str, Any]]:
    yield from question.others
    rng, texts = np.random.default_rng(0), sorted(_texts(getattr(question.right, "__code__", None)))
    known = question.others or ({},)  # some results of those that are given, the others made up
    for number in range(_MOST):
        yield _Found(rng, texts, known[number % len(known)] if number % 2 else {})


def _texts(code: CodeType | None) -> set[str]:
    """The texts that a function's code names: what a result may be called."""
    found: set[str] = set()
    waiting: list[Any] = [code]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            found.add(part)
        elif isinstance(part, tuple | frozenset):
            waiting.extend(part)
        elif isinstance(part, CodeType):
            waiting.extend(part.co_consts)
    return found
