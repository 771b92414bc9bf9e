"""One idea of what a number, a choice, a set, a mapping, a list, an array, a function is."""

import sys
from collections import deque
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch

from course_lib.learn import Exercise
from course_lib.learn.answers import (
    Unfit,
    as_array,
    as_choice,
    as_choices,
    as_function,
    as_list,
    as_mapping,
    as_number,
    judged,
    near,
)

ITSELF = []
ITSELF.append(ITSELF)


@pytest.mark.parametrize(
    "answer",
    [
        0.5,
        np.float64(0.5),
        np.float16(0.5),
        np.longdouble(0.5),
        np.array(0.5),
        np.array([[0.5]]),
        [0.5],
        (np.array([0.5]),),
        Fraction(1, 2),
        [Fraction(1, 2)],
        np.array([Fraction(1, 2)]),
        Decimal("0.5"),
        torch.tensor(0.5),
        torch.tensor([0.5], requires_grad=True),
        torch.tensor(0.5, dtype=torch.bfloat16),
        pd.Series([0.5]),
    ],
    ids=repr,
)
def test_a_number_has_many_forms(answer):
    assert as_number(answer) == 0.5


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("0.5", "is a text"),
        (np.str_("0.5"), "is a text"),
        (np.array(["0.5"]), "is a text"),
        (True, "truth value"),
        (np.True_, "truth value"),
        (np.array([True]), "truth value"),
        (torch.tensor(True), "truth value"),
        (None, "None"),
        (1 + 2j, "complex"),
        (np.complex128(1), "complex"),
        (np.timedelta64(1, "s"), "timedelta64"),
        ({0.5}, "type set"),
        ({"x": 0.5}, "type dict"),
        (lambda: 0.5, "is a function"),
        (object(), "type object"),
        (float("nan"), "NaN"),
        (np.array([np.nan]), "NaN"),
        (torch.tensor(float("nan")), "NaN"),
        (Decimal("sNaN"), "not a number"),
        (float("-inf"), "infinite"),
        (10**400, "too large"),
        ([], "holds 0 values"),
        ([0.5, 0.5], "holds 2 values"),
        (np.ones((2, 3)), "holds 6 values"),
        (torch.ones(3), "holds 3 values"),
        (pd.Series([0.5, 1]), "holds 2 values"),
        (pd.DataFrame({"x": [0.5]}), "type DataFrame"),
        (sp.csr_array([[0.5]]), "type csr_array"),
        (ITSELF, "list of lists"),
    ],
    ids=repr,
)
def test_what_is_no_number_is_told(answer, reason):
    with pytest.raises(Unfit, match=reason):
        as_number(answer)
    with pytest.raises(Unfit, match=r"^the rate "):
        as_number(answer, "the rate")


@pytest.mark.parametrize(
    ("value", "wanted", "decimals", "is_near"),
    [
        (1 / 3, 1 / 3, 2, True),
        (0.33, 1 / 3, 2, True),
        (0.333, 1 / 3, 2, True),
        (0.33, 1 / 3, 3, False),
        (0.3, 1 / 3, 2, False),
        (0.34, 1 / 3, 2, False),
        (np.float32(0.33), 1 / 3, 2, True),
        (0.3992, 0.4, 2, False),
        (0.478, 0.4883, 2, False),
    ],
)
def test_near_allows_rounding_and_nothing_else(value, wanted, decimals, is_near):
    assert near(value, wanted, decimals) is is_near


def test_a_number_is_judged_by_the_mistake_that_leads_to_it():
    def judge(value):
        return judged(value, 1.2440, {2 / 3: "half of it."}, "begin again.", decimals=3)

    assert judge(1.244) is None
    assert judge(0.67) == "half of it."
    nearly = "nearly, but keep all digits on the way, and give at least 3 decimals at the end."
    assert judge(1.2) == judge(1.24) == judge(1.243) == nearly
    assert judge(7) == "begin again."


OPTIONS = ("the identity", "access control", "a group's weight")


@pytest.mark.parametrize(
    "answer",
    [
        "the identity",
        "Identity ",
        " THE  IDENTITY.",
        np.str_("the identity"),
        ["identity"],
        np.array("identity"),
    ],
    ids=repr,
)
def test_a_choice_may_be_spelled_freely(answer):
    assert as_choice(answer, OPTIONS) == "the identity"
    assert as_choice("Access-Control", OPTIONS) == "access control"
    assert as_choice("group’s weight", OPTIONS) == "a group's weight"


@pytest.mark.parametrize(
    "answer", ["identities", "", 3, None, True, ["identity", "identity"], {"identity"}, ITSELF]
)
def test_what_is_no_choice_is_told(answer):
    with pytest.raises(Unfit, match=r"none of the choices.*\"the identity\"|give one choice"):
        as_choice(answer, OPTIONS)


NAMES = ("cosine", "dot", "euclidean")


@pytest.mark.parametrize(
    "answer",
    [
        {"dot", "euclidean"},
        frozenset(("dot", "euclidean")),
        ["dot", "euclidean", "dot"],
        ("Dot", "euclidean "),
        np.array(["dot", "euclidean"]),
        pd.Series(["dot", "euclidean"]),
        pd.Index(["dot", "euclidean"]),
        dict.fromkeys(["dot", "euclidean"]),
        {"dot": 1, "euclidean": 2}.keys(),
        deque(["dot", "euclidean"]),
        (name for name in ("dot", "euclidean")),
    ],
    ids=lambda answer: type(answer).__name__,
)
def test_a_set_of_names_has_many_forms(answer):
    assert as_choices(answer, NAMES) == {"dot", "euclidean"}


def test_one_name_is_a_set_of_one():
    assert as_choices("dot", NAMES) == as_choices(np.array("dot"), NAMES) == {"dot"}
    assert as_choices(set(), NAMES) == set()


@pytest.mark.parametrize(
    "answer", [3, None, {"dots"}, [["dot"], 3], {"dot": True, "cosine": False}, len, ITSELF]
)
def test_what_is_no_set_of_names_is_told(answer):
    with pytest.raises(Unfit):
        as_choices(answer, NAMES)


@pytest.mark.parametrize(
    "answer", [{"Ana": 1, "Bo": 2}, {"bo ": 2, "ANA": 1}, pd.Series({"Ana": 1, "Bo": 2})]
)
def test_a_mapping_has_its_keys_in_order(answer):
    assert [*as_mapping(answer, ("Ana", "Bo")).items()] == [("Ana", 1), ("Bo", 2)]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"Ana": 1}, "Missing: Bo"),
        ({"Ana": 1, "Bo": 2, "Cy": 3}, "no other"),
        ({"Ana": 1, 3: 2}, "Missing: Bo"),
        ([1, 2], "give a dictionary"),
        ("Ana", "give a dictionary"),
        (None, "give a dictionary"),
        (pd.DataFrame({"Ana": [1], "Bo": [2]}), "give a dictionary"),
    ],
)
def test_what_is_no_such_mapping_is_told(answer, reason):
    with pytest.raises(Unfit, match=reason):
        as_mapping(answer, ("Ana", "Bo"))


@pytest.mark.parametrize(
    "value",
    [
        [1, 2],
        (1, 2),
        np.array([1, 2]),
        sp.csr_matrix([[1, 0], [0, 2]]).sum(axis=0),
        torch.tensor([1, 2]),
        pd.Series([1, 2]),
        {1: "x", 2: "y"}.keys(),
        range(1, 3),
        sp.csr_array([[1, 2]]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_list_has_many_forms(value):
    assert as_list(value) == [1, 2]


@pytest.mark.parametrize("value", [{1, 2}, {1: 2}, "12", 12, None], ids=repr)
def test_what_has_no_places_is_no_list(value):
    with pytest.raises(Unfit, match="wanted is a list"):
        as_list(value)


@pytest.mark.parametrize(
    "value",
    [
        [[1, 0], [0.5, 2]],
        np.array([[1, 0], [0.5, 2]], dtype=np.float32),
        sp.csr_matrix([[1, 0], [0.5, 2]]).todense(),
        sp.csr_array([[1, 0], [0.5, 2]]),
        sp.coo_matrix([[1, 0], [0.5, 2]]),
        torch.tensor([[1, 0], [0.5, 2]], requires_grad=True),
        torch.tensor([[1, 0], [0.5, 2]], dtype=torch.bfloat16),
        pd.DataFrame([[1, 0], [0.5, 2]]),
        [[Fraction(1), 0], [Fraction(1, 2), Decimal(2)]],
        [np.array([1, 0]), np.array([0.5, 2])],
        {"a": [1, 0], "b": [0.5, 2]}.values(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_array_has_many_forms(value):
    got = as_array(value)
    assert type(got) is np.ndarray
    assert got.tolist() == [[1, 0], [0.5, 2]]


def test_an_array_keeps_whole_numbers_and_nan():
    assert as_array(np.array([2**64 - 1], dtype=np.uint64)).dtype == np.uint64
    assert np.isnan(as_array([Fraction(1, 2), float("nan")])[1])


@pytest.mark.parametrize(
    "value",
    [[[1], [1, 2]], ["a"], {1, 2}, {"a": 1}, "a", [None, 1], [True, False], object(), ITSELF],
    ids=repr,
)
def test_what_is_no_array_of_numbers_is_told(value):
    with pytest.raises(Unfit):
        as_array(value)


def half_of(a, b):
    whole = a + b.sum()
    return int(whole) / 0


def test_a_function_that_raises_is_told_with_its_line_and_its_input():
    line = half_of.__code__.co_firstlineno + 2
    with pytest.raises(Unfit) as caught:
        as_function(half_of, "half_of(a, b)")(1, np.array([0.5, 2]))
    assert str(caught.value) == (
        f"your function raised ZeroDivisionError in line {line} (`return int(whole) / 0`), "
        "called with `a = 1`, `b = [0.5, 2. ]`: `division by zero`."
    )


def raises(error):
    def function(items, k):
        for _ in range(k):
            raise error

    return function


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ZeroDivisionError("division by zero"), "ZeroDivisionError in line"),
        (KeyError("x"), "KeyError in line"),
        (SystemExit(), "SystemExit in line"),
        (RecursionError("deep"), "RecursionError in line"),
        (AssertionError(), "AssertionError in line"),
    ],
)
def test_whatever_a_function_raises_is_told(error, told):
    with pytest.raises(Unfit) as caught:
        as_function(raises(error), "f(items, k)")(list(range(20)), 3)
    assert told in str(caught.value)
    assert "(`raise error`)" in str(caught.value)
    assert "called with `items = [0, 1, 2, 3, 4, 5, 6, 7, ...]`, `k = 3`" in str(caught.value)


def test_an_interrupt_is_not_an_answer():
    with pytest.raises(KeyboardInterrupt):
        as_function(raises(KeyboardInterrupt()), "f(items, k)")([], 1)


def test_a_function_of_a_cell_is_told_by_the_line_of_the_cell():
    space = {}
    exec("def f(x):\n    y = x\n    return helper(y)\n\n\ndef helper(y):\n    return {}[y]\n", space)
    with pytest.raises(Unfit, match=r"KeyError in line 7, called with `x = 2`: `2`\."):
        as_function(space["f"], "f(x)")(2)


def lazily(items):
    yield from items
    yield 1 / 0


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (3, r"not a function: define `f\(items\)` and hand over its name"),
        (None, "not a function"),
        (lambda items: None, "is a `return` missing"),
        (lambda items: ..., "three dots"),
        (lambda: 1, r"takes `\(\)`, and is called as `f\(items\)`"),
        (lambda items, more: 1, r"takes `\(items, more\)`"),
        (lazily, "ZeroDivisionError in line"),
    ],
)
def test_a_function_that_cannot_be_used_is_told(function, told):
    with pytest.raises(Unfit, match=told):
        as_function(function, "f(items)")([1])


def test_a_function_gets_copies_and_may_yield():
    given = [3, 1, 2]
    assert as_function(lambda items: items.sort() or items, "f(items)")(given) == [1, 2, 3]
    assert given == [3, 1, 2]
    assert as_function(lambda items: (item for item in items), "f(items)")(given) == given
    assert as_function(len, "f(items)")(given) == 3


def test_a_judge_may_say_unfit():
    exercise = Exercise("99.1", "?", lambda answer: as_number(answer) and None, ("", "", ""), (1, 2))
    assert exercise.assess("5") == (
        "wrong",
        "that is not a number: it is a text. Leave the quotation marks out.",
    )
    assert exercise.assess(5)[0] == "right"


def test_an_answer_that_stops_the_program_does_not_stop_the_lesson():
    exercise = Exercise("99.1", "?", lambda answer: sys.exit(answer), ("", "", ""), (1, 2))
    assert exercise.assess(5) == ("wrong", "checking your answer failed with SystemExit: 5")
