"""Every exercise tells a stub, right answers in all their forms, and wrong answers apart.

The right answers are the lessons' solutions, lifted out of the sources and run with the lesson's imports; in
the lesson's own kernel they are run when its notebook is compared (strict_nbval.py).
"""

import ast
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path

import jupytext
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch

from course_lib.learn.lesson_files import lesson_file
from notebooks.make import solutions
from notebooks.make.plan import Course

COURSE = Course(Path(__file__).resolve().parents[2])
ALL = {
    exercise.key: exercise
    for path in sorted((COURSE.folder / "exercises").glob("*.py"))
    for exercise in lesson_file(path.stem.removeprefix("lesson_")).EXERCISES
}
each_exercise = pytest.mark.parametrize("exercise", ALL.values(), ids=lambda exercise: exercise.key)
ITSELF = []
ITSELF.append(ITSELF)


@cache
def lifted():
    """The solutions of all lessons by the exercise's key, each with the names that its lesson imports."""
    found = {}
    for chapter in COURSE.chapters:
        notebook = jupytext.read(COURSE.source(chapter), fmt="py:percent")
        here, faults = solutions.lift(notebook)
        assert faults == []
        found |= {solution.key: (solution, _imports(notebook)) for solution in here.values()}
    return found


def _imports(notebook):
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    statements = [node for source in code for node in ast.parse(source).body]
    return [node for node in statements if isinstance(node, ast.Import | ast.ImportFrom)]


@cache
def right_answer(key):
    solution, imports = lifted()[key]
    used = {node.id for node in ast.walk(ast.parse(solution.code)) if isinstance(node, ast.Name)}
    needed = [node for node in imports if used & {name.asname or name.name for name in node.names}]
    names = {}
    exec(compile(ast.Module(needed, []), "imports", "exec"), names)
    return solution.value(names)


def forms(answer):
    """The same answer as other people write it, each with a name."""
    if isinstance(answer, str):
        yield from {
            "capitals": answer.upper(),
            "spaces": f" {answer}  ",
            "numpy text": np.str_(answer),
            "hyphens": answer.replace(" ", "-"),
        }.items()
    elif isinstance(answer, Callable):
        for name, change in CHANGES.items():
            yield name, _changed(answer, change)
    elif isinstance(answer, dict):
        yield "series", pd.Series(answer)
        yield "spaces in the keys", {f"{key} ": value for key, value in answer.items()}
        of_values = {key: dict(forms(value)) for key, value in answer.items()}
        for name in next(iter(of_values.values())):
            yield f"values: {name}", {key: made[name] for key, made in of_values.items()}
    elif isinstance(answer, set):
        names = sorted(answer, reverse=True)
        yield from {
            "frozenset": frozenset(names),
            "list": names,
            "tuple": tuple(names),
            "array": np.array(names),
            "series": pd.Series(names),
            "index": pd.Index(names),
            "keys": dict.fromkeys(names, 3).keys(),
            "dictionary": dict.fromkeys(names),
            "generator": (name for name in names),
            "capitals and spaces": {f" {name.title()} " for name in names},
        }.items()
    elif isinstance(answer, tuple):
        yield from {
            "list": list(answer),
            "array": np.array(answer),
            "capitals and spaces": tuple(f" {word.title()} " for word in answer),
        }.items()
    else:
        yield from number_forms(answer).items()


def number_forms(x):
    return {
        "float": float(x),
        "numpy scalar": np.float64(x),
        "float32": np.float32(x),
        "0-d array": np.array(x),
        "one-element array": np.array([x]),
        "one-element list": [x],
        "fraction": Fraction(float(x)).limit_denominator(10**9),
        "decimal": Decimal(float(x)),
        "torch": torch.tensor(float(x)),
        "torch with a gradient": torch.tensor([float(x)], requires_grad=True),
    }


CHANGES = {
    "list": lambda got: got.tolist() if isinstance(got, np.ndarray) and got.dtype != np.uint64 else got,
    "tuple": lambda got: tuple(got) if np.ndim(got) == 1 and not isinstance(got, np.ndarray) else got,
    "generator": lambda got: iter(got) if np.ndim(got) and np.asarray(got).dtype != np.uint64 else got,
    "torch": lambda got: _tensor(got),
    "sparse": lambda got: sp.csr_array(got) if np.ndim(got) == 2 else got,
    "frame": lambda got: pd.DataFrame(got) if np.ndim(got) == 2 else got,
    "float32": lambda got: np.asarray(got, np.float32) if np.asarray(got).dtype.kind == "f" else got,
    "one-element list": lambda got: [got] if np.ndim(got) == 0 else got,
    "one-element array": lambda got: np.array([got]) if np.ndim(got) == 0 else got,
    "fractions": lambda got: _fractions(got),
}


def _tensor(got):
    numeric = np.asarray(got).dtype.kind in "if"
    return torch.tensor(got) if numeric else got


def _fractions(got):
    if np.asarray(got).dtype.kind != "f":
        return got
    made = [Fraction(value) if np.isfinite(value) else value for value in np.ravel(got).tolist()]
    return made[0] if np.ndim(got) == 0 else np.array(made, dtype=object).reshape(np.shape(got)).tolist()


def _changed(function, change):
    return lambda *arguments: change(function(*arguments))


def wants_a_number(exercise):
    return isinstance(right_answer(exercise.key), int | float | np.number)


@each_exercise
def test_the_stub_is_not_attempted(exercise):
    assert exercise.assess(...)[0] == "not attempted"


def test_every_exercise_has_its_solution_in_a_lesson_and_no_other():
    assert lifted().keys() == ALL.keys()


def test_every_exercise_has_the_number_of_its_lesson():
    """Otherwise a check would look for it in another lesson's file."""
    for chapter in COURSE.chapters:
        found, _ = solutions.lift(jupytext.read(COURSE.source(chapter), fmt="py:percent"))
        keys = [solution.key for solution in found.values()]
        assert keys
        assert {key.partition(".")[0] for key in keys} == {chapter.number}


@each_exercise
def test_the_solution_is_right(exercise):
    assert exercise.assess(right_answer(exercise.key)) == ("right", exercise.right)


@each_exercise
def test_the_solution_is_right_in_every_form(exercise):
    found = {name: exercise.assess(answer) for name, answer in forms(right_answer(exercise.key))}
    assert len(found) >= 3
    assert {name: result for name, result in found.items() if result[0] != "right"} == {}


@each_exercise
def test_wrong_answers_get_messages_of_their_own(exercise):
    found = [exercise.assess(answer) for answer in exercise.wrong_examples]
    assert {status for status, _ in found} == {"wrong"}
    messages = [message for _, message in found]
    assert len(set(messages)) == len(messages)
    assert not any(message.startswith("checking your answer failed") for message in messages)


def strange_answers():
    """What no exercise asks for: other kinds, broken values, functions that give back nonsense or stop."""
    yield from (None, True, "", "0.4 ", b"1", float("nan"), float("inf"), 10**400, 1j, -7, object())
    yield from ([], {}, set(), [1, "a"], [[1], [1, 2]], {"a": 1}, {1: 2}, ITSELF, {"a": ITSELF})
    yield from (np.zeros((2, 2)), np.array(["a"]), pd.DataFrame({"a": [1]}), torch.ones(2))
    yield from ((word for word in ("a", 1)), int, print, len, lambda: 1)
    back = (None, "word", {1: 2}, float("nan"), np.zeros((2, 2)), np.array(None), ITSELF, object())
    yield from (_constant(value) for value in back)
    yield from (lambda *given: given, lambda *given: 1 / 0, lambda *given: exit_now())


def _constant(value):
    return lambda *given: value


@each_exercise
def test_no_answer_of_another_kind_is_right_or_stops_the_judge(exercise):
    for answer in strange_answers():
        status, message = exercise.assess(answer)
        assert status == "wrong", answer
        assert not message.startswith("checking your answer failed"), message


def exit_now():
    raise SystemExit


@each_exercise
def test_what_is_no_number_is_told_as_such(exercise):
    if wants_a_number(exercise):
        for answer, reason in (
            ("0.4", "a text"),
            (True, "truth value"),
            (float("nan"), "NaN"),
            (1e999, "infinite"),
        ):
            assert reason in exercise.assess(answer)[1]


@each_exercise
def test_a_submitted_function_that_fails_is_told_with_its_line_and_input(exercise):
    solution = right_answer(exercise.key)
    if not callable(solution):
        return

    def fails(*arguments):
        return {}["nothing"]

    line = fails.__code__.co_firstlineno + 1
    message = exercise.assess(fails)[1]
    assert (
        f"""your function raised KeyError in line {line} (`return {{}}["nothing"]`), called with `"""
        in message
    )
    assert "is a `return` missing?" in exercise.assess(lambda *arguments: None)[1]


def test_every_message_is_a_sentence():
    """A message continues "Not yet: …", so that a question or a piece of advice may stand there."""
    messages = [exercise.assess(answer)[1] for exercise in ALL.values() for answer in exercise.wrong_examples]
    assert not [message for message in messages if message[-1] not in ".?!"]
