"""Exercises of chapter 02, cosine similarity."""

import math

import numpy as np

from course_lib.learn.answers import as_array, as_choices, as_function, as_number, judged
from course_lib.learn.exercise import Exercise


def _cosines(answer):
    my_cosine = as_function(answer, "my_cosine(a, b)")
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(3, 5)), rng.normal(size=(4, 5))
    expected = _all_cosines(a, b)
    got = as_array(my_cosine(a, b))
    if got.shape != (3, 4):
        return f"for 3 and 4 rows the result has shape {got.shape}; it must be (3, 4), one cosine a pair."
    if np.allclose(got, a @ b.T):
        return "these are dot products: the lengths are still in them."
    if np.allclose(got, 1 - expected):
        return "this is the cosine distance, 1 − cosine: identical directions must give 1."
    if not _same(got, expected):
        return "some values are off. Is each row divided by its own length (axis=1, keepdims=True)?"
    a *= 0.01  # short vectors are not zero vectors
    a[1], b[2] = 0, 0
    expected[1], expected[:, 2] = 0, 0
    got = as_array(my_cosine(a, b))
    if not np.all(np.isfinite(got)):
        return "a row of zeros, in a or in b, gives NaN: it is divided by its length 0. Make its cosines 0."
    if got.shape != (3, 4) or not (np.allclose(got[1], 0) and np.allclose(got[:, 2], 0)):
        return "a row of zeros should have the cosine 0 with everything, in a and in b."
    if not _same(got, expected):
        return "zero rows are safe, but short vectors have changed: only a length of exactly 0 is special."
    a, b = rng.normal(size=(6, 2)), rng.normal(size=(2, 2))
    if not _same(as_array(my_cosine(a, b)), _all_cosines(a, b)):
        return "right for 3 and 4 rows of 5 numbers, wrong for 6 and 2 rows of 2: is a size built in?"
    return None


def _all_cosines(a, b):
    return a @ b.T / np.outer(np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1))


def _same(got, expected):
    """Equal but for rounding; float32 will do."""
    return got.shape == expected.shape and np.allclose(got, expected, rtol=1e-4, atol=1e-6)


def _tips(answer):
    mistakes = {
        0.4: "0.4 is the *squared* distance.",
        0.2: "0.2 is 1 − cosine, often called cosine distance; the question is about the straight line.",
        math.acos(
            0.8
        ): "this is the angle in radians, the way along the circle; the straight line is shorter.",
    }
    otherwise = "use the identity of section 1 that turns a cosine into a squared distance."
    return judged(as_number(answer), math.sqrt(0.4), mistakes, otherwise)


def _measures(answer):
    answer = as_choices(answer, ("cosine", "dot", "euclidean"))
    if "cosine" in answer:
        return "the cosine divides by the item's length, so a positive factor cancels."
    if answer == {"dot"}:
        return "the dot product changes, but so does another one: a tip that moves changes its distance too."
    if answer == {"euclidean"}:
        return "the distance changes, but so does another one: ten times the item is ten times the product."
    if not answer:
        return "section 4 shows neighbours that change with the length of the vectors."
    return None


def _dimensions(answer):
    value = as_number(answer)
    if value == 385:
        return None
    if 384 <= value < 385:
        return "nearly, but it must be a whole number, and large enough. Round up."
    if math.isclose(value, 100, abs_tol=1):
        return "in 100 dimensions one standard deviation is 0.1; that holds 68 % of the pairs, not 95 %."
    if math.isclose(value, 19.6, abs_tol=1):
        return "the standard deviation is 1/√d, not 1/d: a square is missing."
    if math.isclose(value, 1.96**2 / 0.1, abs_tol=1):
        return "the 0.1 must be squared as well."
    return "solve 1.96 · (standard deviation in d dimensions) ≤ 0.1 for d."


EXERCISES = (
    Exercise(
        key="02.1",
        question="All cosines between the rows of a and the rows of b; zero rows give 0.",
        judge=_cosines,
        hints=(
            "Divide every row of both matrices by its length first; then one matrix product is enough.",
            "`np.linalg.norm(x, axis=1, keepdims=True)` gives the lengths as a column, ready to divide by.",
            "Replace lengths of 0 by 1 before dividing: 0 / 1 stays 0.",
        ),
        wrong_examples=(
            lambda a, b: a @ b.T,
            lambda a, b: (a @ b.T) / np.outer(np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1)),
            lambda a, b: (a @ b.T) / (np.linalg.norm(a) * np.linalg.norm(b)),
            lambda a, b: (a[:3] * b[:3]).sum(1),
            lambda a, b: a @ b.T / np.maximum(np.outer(*(np.linalg.norm(x, axis=1) for x in (a, b))), 1),
            lambda a, b: np.nan_to_num(_all_cosines(a, b)) if len(a) == 3 else np.eye(len(a), len(b)),
            lambda a, b: None,
        ),
        right="Each row is divided by its own length, and zero rows are safe.",
    ),
    Exercise(
        key="02.2",
        question="The distance between the tips of two unit vectors whose cosine is 0.8.",
        judge=_tips,
        hints=(
            "Section 1 has an identity for unit vectors.",
            "‖û − v̂‖² = 2 − 2 cos θ.",
            "Put 0.8 in, and do not forget the root.",
        ),
        wrong_examples=(0.4, 0.2, math.acos(0.8), 1.0),
        right="√(2 − 2 · 0.8) = √0.4.",
    ),
    Exercise(
        key="02.3",
        question="Which rankings can change if each item vector gets a positive factor of its own?",
        judge=_measures,
        hints=(
            "Try it: two items, multiply the second by 10.",
            "In which formulas does the length of the item survive?",
            "Section 4 lists what r does to each of the three.",
        ),
        wrong_examples=({"cosine", "dot"}, {"dot"}, {"euclidean"}, set()),
        right="Only the cosine ignores lengths. (A common factor would leave the dot product's order alone.)",
    ),
    Exercise(
        key="02.4",
        question="The smallest d for which 95 % of random cosines lie between −0.1 and 0.1.",
        judge=_dimensions,
        hints=(
            "The cosine of two random vectors has mean 0 and variance 1/d.",
            "You need 1.96/√d ≤ 0.1.",
            "Square both sides: d ≥ (1.96/0.1)².",
        ),
        wrong_examples=(100, 19.6, 38.4, 1000, 384),
        right="It happens to be about the dimension of this course's encoder, 384.",
    ),
)
