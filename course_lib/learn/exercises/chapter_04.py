"""Exercises of chapter 04, encoding users and items."""

import math
import numbers

import numpy as np

from course_lib.learn.exercise import Exercise

_LOUD = {"ids in the constructor", "TensorFlow tensors"}
_SILENT = {"a model from a configuration", "words outside the vocabulary", "averaging without centring"}


def _mean_pool(answer):
    if not callable(answer):
        return (
            "that is not a function: define `mean_pool(hidden, mask)` and hand over its name, "
            "without calling it."
        )
    hidden = np.random.default_rng(4).normal(size=(2, 4, 3))
    mask = np.array([[True, True, True, True], [True, True, False, False]])
    expected = np.stack([hidden[0].mean(axis=0), hidden[1, :2].mean(axis=0)])
    got = np.asarray(answer(hidden.copy(), mask.copy()))
    if got.shape != (2, 3):
        return f"for 2 texts and 3 dimensions the result has shape {got.shape}; it must be (2, 3)."
    if np.allclose(got, hidden[:, 0]):
        return "this is the first token only, [CLS] pooling."
    if np.allclose(got, hidden.mean(axis=1)):
        return "padding is averaged with the rest: the mask is not used."
    if np.allclose(got, (hidden * mask[:, :, None]).mean(axis=1)):
        return "padding is left out of the sum, but still counted: divide by the number of real tokens."
    if np.allclose(got, (hidden * mask[:, :, None]).sum(axis=1)):
        return "this is the sum over the real tokens; a mean also divides by their number."
    if not np.allclose(got, expected):
        return "some values are off. Sum the real tokens of each text, then divide by their number."
    return None


def _silent(answer):
    if (
        not isinstance(answer, set | frozenset | list | tuple)
        or not all(isinstance(name, str) for name in answer)
        or not set(answer) <= _LOUD | _SILENT
    ):
        return "give a set made of the five names in the question, written as they stand there."
    answer = set(answer)
    if loud := sorted(answer & _LOUD):
        return f"section 2 shows the error that this one raises: {', '.join(loud)}."
    missing = sorted(_SILENT - answer)
    if missing == ["averaging without centring"]:
        return "one is missing. What did the lists of section 4 look like before the subtraction?"
    if missing == ["words outside the vocabulary"]:
        return "one is missing. What is the cosine of a mouse and a car, in Chinese?"
    if missing == ["a model from a configuration"]:
        return "one is missing. The same user was represented twice in section 2; did anything complain?"
    return "more than one is missing: go through sections 2 and 4 again." if missing else None


def _weights(answer):
    if isinstance(answer, bool) or not isinstance(answer, numbers.Real):
        return "that is not a number."
    value = float(answer)
    if math.isclose(value, 4, abs_tol=0.01):
        return None
    if math.isclose(value, 0.25, abs_tol=0.01):
        return "this is the old film's weight in units of the new one's: turn the ratio round."
    if math.isclose(value, 2, abs_tol=0.01):
        return "twice is one half-life; from place 1 to place 21 it is more."
    if math.isclose(value, 2**2.1, abs_tol=0.01):
        return "the newest film has place 1, so its own weight is a little below 1: count the places between."
    if math.isclose(value, 21, abs_tol=0.01):
        return "the weight falls by halves, not in proportion to the place."
    return "the weight halves every 10 places; count how many halvings lie between place 1 and place 21."


def _fused(first, second, constant=60):
    points = {}
    for ranking in (first, second):
        for rank, item in enumerate(ranking, start=1):
            points[item] = points.get(item, 0) + 1 / (constant + rank)
    return sorted(points, key=lambda item: (-points[item], item))


def _fusion(answer):
    if not callable(answer):
        return "that is not a function: define it and hand over its name, without calling it."
    first, second = ["a", "b", "c", "d"], ["e", "c", "b"]
    expected = _fused(first, second)
    got = list(answer(list(first), list(second)))
    if set(got) < set(expected):
        return f"for {first} and {second} something is missing: every item of either list must come back."
    if len(got) != len(set(got)):
        return "an item comes back twice: its points from the two lists must be added up."
    if got == expected[::-1]:
        return "the order is upside down: the most points come first."
    if got == ["a", "e", "b", "c", "d"]:
        return "an item that both lists name should overtake one that only one list names at its top."
    if got != expected:
        return f"for {first} and {second} the order should be {', '.join(expected)}."
    if list(answer(["z", "a"], ["a", "z"])) != ["a", "z"]:
        return "equal points must come in alphabetical order."
    return _long_lists(answer)


def _long_lists(answer):
    """Do places 61 to 63 in both lists beat a first place? That depends on the 60, and on ranks from 1."""
    first = [f"f{place:02d}" for place in range(1, 61)] + ["p", "q"]
    second = [f"s{place:02d}" for place in range(1, 62)] + ["p", "q"]
    got, expected = list(answer(list(first), list(second))), _fused(first, second)
    if got == expected:
        return None
    if got == _fused(first, second, 59):
        return "short lists are right, long ones are not: ranks start at 1, so a first place is worth 1/61."
    if set(got[:2]) == {"p", "q"}:
        return (
            "short lists are right, but an item that stands far down in both overtakes a first place too "
            "easily: add up 1/(60 + rank), not the number of lists."
        )
    if got.index("p") > got.index("f01"):
        return (
            "short lists are right, but in long ones the first places weigh too much: is the constant under "
            "the fraction line 60, and are the points fractions?"
        )
    return "short lists are right, lists of 60 items are not: sum 1/(60 + rank) and sort by that sum alone."


def _weighted_mean(history, vectors, half_life, *, newest_first=False, centre=None):
    """The reader of exercise 04.5; the two options are mistakes that people make."""
    place = np.arange(len(history)) + 1 if newest_first else np.arange(len(history), 0, -1)
    weights = 0.5 ** (place / half_life)
    centre = vectors.mean(axis=0) if centre is None else centre
    return weights @ (vectors - centre)[history] / weights.sum()


def _reader(answer):
    if not callable(answer):
        return (
            "that is not a function: define `reader(history, vectors, half_life)` and hand over its name, "
            "without calling it."
        )
    vectors = np.random.default_rng(4).normal(size=(7, 3)) + 2
    history, half_life = [5, 0, 2], 1.5
    got = np.asarray(answer(list(history), vectors.copy(), half_life))
    if got.shape != (3,):
        return f"for vectors of 3 dimensions the result has shape {got.shape}; it must be (3,)."
    mistakes = {
        "the vectors are averaged as they come: subtract the mean of all articles first.": _weighted_mean(
            history, vectors, half_life, centre=0
        ),
        "the mean of the history is subtracted, and with it what the reader likes: subtract the mean of all "
        "articles.": _weighted_mean(history, vectors, half_life, centre=vectors[history].mean(axis=0)),
        "the oldest article weighs most. The history is stored oldest first, so its last article has "
        "place 1.": _weighted_mean(history, vectors, half_life, newest_first=True),
        "all articles of the history weigh alike: use the half-life.": _weighted_mean(
            history, vectors, math.inf
        ),
    }
    for message, value in mistakes.items():
        if np.allclose(got, value):
            return message
    expected = _weighted_mean(history, vectors, half_life)
    sum_of_weights = (0.5 ** (np.arange(1, 4) / half_life)).sum()
    if np.allclose(got, expected * sum_of_weights):
        return "this is the weighted sum; a weighted mean also divides by the sum of the weights."
    if np.allclose(got, expected * sum_of_weights / 3):
        return "divide by the sum of the weights, not by the number of articles."
    if not np.allclose(got, expected):
        return "some values are off. Centre, weigh by 0.5 ** (place ÷ half-life), divide by the weights' sum."
    return None


EXERCISES = (
    Exercise(
        key="04.1",
        question="The mean over the real tokens of each text.",
        judge=_mean_pool,
        hints=(
            "Padding must count neither in the sum nor in the number that you divide by.",
            "`mask[:, :, None]` has the shape [n, length, 1]: it multiplies a token's dimensions by 1 or 0.",
            "Sum over axis 1, then divide by `mask.sum(axis=1, keepdims=True)`.",
        ),
        wrong_examples=(
            lambda hidden, mask: hidden.mean(axis=1),
            lambda hidden, mask: hidden[:, 0],
            lambda hidden, mask: (hidden * mask[:, :, None]).mean(axis=1),
            lambda hidden, mask: (hidden * mask[:, :, None]).sum(axis=1),
        ),
        right="Only real tokens count, above and below the fraction line.",
    ),
    Exercise(
        key="04.2",
        question="Which mistakes raise no error?",
        judge=_silent,
        hints=(
            "Two of the five stand in a cell with `learn.fails`.",
            "A model is happy to compute with random weights and with [UNK].",
            "Before section 4 subtracted the mean, everything ran, and the lists were poor.",
        ),
        wrong_examples=(
            {"a model from a configuration", "words outside the vocabulary"},
            {"ids in the constructor"},
            {"TensorFlow tensors", "a model from a configuration"},
            {"words outside the vocabulary", "averaging without centring"},
            set(),
        ),
        right="All three run and return numbers. A control finds them, or a look at the tokens.",
    ),
    Exercise(
        key="04.3",
        question="How many times the weight of the film at place 21 does the newest film (place 1) have? "
        "The half-life is 10 films.",
        judge=_weights,
        hints=(
            "The weight is 0.5 to the power of place ÷ half-life.",
            "Between place 1 and place 21 lie 20 places.",
            "20 places are two half-lives.",
        ),
        wrong_examples=(0.25, 2, 2**2.1, 21, 3),
        right="Two half-lives lie between them: 2 · 2.",
    ),
    Exercise(
        key="04.4",
        question="Two ranked lists, fused by reciprocal rank.",
        judge=_fusion,
        hints=(
            "Keep a dictionary from item to points, and go through both lists with `enumerate(…, start=1)`.",
            "`points[item] = points.get(item, 0) + 1 / (60 + rank)`.",
            "Sort by `(-points[item], item)`.",
        ),
        wrong_examples=(
            lambda first, second: [item for item in first if item in second],
            lambda first, second: [*first, *second],
            lambda first, second: ["d", "e", "a", "c", "b"],
            lambda first, second: ["a", "e", "b", "c", "d"],
            lambda first, second: _fused(first, second, 59),
            lambda first, second: _fused(first, second, 1),
            lambda first, second: _fused(first, second, 1000),
        ),
        right="An item in both lists collects points twice; the 60 keeps one top rank from deciding all.",
    ),
    Exercise(
        key="04.5",
        question="A reader's vector: the weighted mean of the centred vectors of her history.",
        judge=_reader,
        hints=(
            "`vectors.mean(axis=0)` is the mean of all articles; subtract it before you pick the history.",
            "The last article of the history has place 1: `np.arange(len(history), 0, -1)` are the places.",
            "`weights @ centred[history] / weights.sum()`.",
        ),
        wrong_examples=(
            lambda history, vectors, half_life: _weighted_mean(history, vectors, half_life, centre=0),
            lambda history, vectors, half_life: _weighted_mean(
                history, vectors, half_life, centre=vectors[history].mean(axis=0)
            ),
            lambda history, vectors, half_life: _weighted_mean(
                history, vectors, half_life, newest_first=True
            ),
            lambda history, vectors, half_life: (vectors - vectors.mean(axis=0))[history].mean(axis=0),
            lambda history, vectors, half_life: (
                0.5 ** (np.arange(len(history), 0, -1) / half_life)
                @ (vectors - vectors.mean(axis=0))[history]
            ),
            lambda history, vectors, half_life: (vectors - vectors.mean(axis=0))[history],
        ),
        right="The same few lines made users of films and readers of news.",
    ),
)
