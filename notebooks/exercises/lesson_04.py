"""Exercises of chapter 04, encoding users and items."""

import math

import numpy as np

from course_lib.learn.answers import as_array, as_choices, as_function, as_list, as_number, judged
from course_lib.learn.exercise import Exercise

_LOUD = {"ids in the constructor", "TensorFlow tensors"}
_SILENT = {"a model from a configuration", "words outside the vocabulary", "averaging without centring"}


def _mean_pool(answer):
    mean_pool = as_function(answer, "mean_pool(hidden, mask)")
    rng = np.random.default_rng(4)
    hidden = rng.normal(size=(2, 4, 3))
    mask = np.array([[True, True, True, True], [True, True, False, False]])
    got = as_array(mean_pool(hidden, mask))
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
    if not _same(got, _means(hidden, mask)):
        return "some values are off. Sum the real tokens of each text, then divide by their number."
    # Texts of other lengths; in the last two the padding does not stand at the end.
    hidden = rng.normal(size=(5, 7, 2))
    mask = np.arange(7) < np.array([[7], [3], [1], [0], [0]])
    mask[3, 4:], mask[4, [0, 3, 6]] = True, True
    got = as_array(mean_pool(hidden, mask))
    if got.shape != (5, 2) or not _same(got[:3], _means(hidden, mask)[:3]):
        return "right for 2 texts of 4 and 2 tokens, wrong for 3 texts of 7, 3 and 1: is a number built in?"
    if not _same(got, _means(hidden, mask)):
        return "right only where the padding stands at the end: ask the mask which tokens are real."
    return None


def _means(hidden, mask):
    return np.stack([text[real].mean(axis=0) for text, real in zip(hidden, mask, strict=True)])


def _same(got, expected):
    """Equal but for rounding; float32 will do."""
    return got.shape == expected.shape and np.allclose(got, expected, rtol=1e-4, atol=1e-6)


def _silent(answer):
    answer = as_choices(answer, sorted(_LOUD | _SILENT))
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
    mistakes = {
        0.25: "this is the old film's weight in units of the new one's: turn the ratio round.",
        2: "twice is one half-life; from place 1 to place 21 it is more.",
        4.287: "the newest film has place 1, so its own weight is a little below 1: count places between.",
        21: "the weight falls by halves, not in proportion to the place.",
    }
    otherwise = "the weight halves every 10 places; count how many halvings lie between place 1 and place 21."
    return judged(as_number(answer), 4, mistakes, otherwise)


def _fused(first, second, constant=60):
    points = {}
    for ranking in (first, second):
        for rank, item in enumerate(ranking, start=1):
            points[item] = points.get(item, 0) + 1 / (constant + rank)
    return sorted(points, key=lambda item: (-points[item], item))


def _fusion(answer):
    function = as_function(answer, "reciprocal_rank_fusion(first, second)")

    def fuse(first, second):
        return as_list(function(first, second))

    first, second = ["a", "b", "c", "d"], ["e", "c", "b"]
    expected = _fused(first, second)
    got = fuse(first, second)
    if not all(isinstance(item, str) for item in got):
        return f"“{got[0]}” is not a name: wanted is a list of names, without their points."
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
    if fuse(["z", "a"], ["a", "z"]) != ["a", "z"]:
        return "equal points must come in alphabetical order."
    if fuse([], ["y", "x"]) != ["y", "x"]:
        return "if one list is empty, the other comes back as it is."
    return _long_lists(fuse)


def _long_lists(fuse):
    """Do places 61 to 63 in both lists beat a first place? That depends on the 60, and on ranks from 1."""
    first = [f"f{place:02d}" for place in range(1, 61)] + ["p", "q"]
    second = [f"s{place:02d}" for place in range(1, 62)] + ["p", "q"]
    got, expected = fuse(first, second), _fused(first, second)
    if got == expected:
        return None
    if set(got) != set(expected):
        return "short lists are right, but of long ones not every item comes back."
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
    reader = as_function(answer, "reader(history, vectors, half_life)")
    rng = np.random.default_rng(4)
    vectors = rng.normal(size=(7, 3)) + 2
    history, half_life = [5, 0, 2], 1.5
    got = as_array(reader(history, vectors, half_life))
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
    if not _same(got, expected):
        return "some values are off. Centre, weigh by 0.5 ** (place ÷ half-life), divide by the weights' sum."
    # Other readers: one with a longer memory, one of a longer history, one of a single article.
    vectors = rng.normal(size=(9, 4)) - 1
    for history, half_life in (([8, 1, 3], 4), ([2, 6, 0, 7, 4], 1.5), ([3], 10)):
        got = as_array(reader(history, vectors, half_life))
        if not _same(got, _weighted_mean(history, vectors, half_life)):
            return (
                f"right for a history of 3 and a half-life of 1.5, wrong for {len(history)} and {half_life}: "
                "is a number built in?"
            )
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
            lambda hidden, mask: (hidden * mask[:, :, None]).sum(axis=1) / np.array([[4], [2]]),
            lambda hidden, mask: np.stack(
                [text[: real.sum()].mean(axis=0) for text, real in zip(hidden, mask, strict=True)]
            ),
        ),
        right="Only real tokens count, above and below the fraction line.",
    ),
    Exercise(
        key="04.2",
        question="Which mistakes raise no error?",
        judge=_silent,
        choice=True,
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
            lambda first, second: dict.fromkeys(_fused(first, second), 1.0),
            lambda first, second: [(name, 1.0) for name in _fused(first, second)],
            lambda first, second: print(end=""),
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
            lambda history, vectors, half_life: _weighted_mean(history, vectors, 1.5),
            lambda history, vectors, half_life: _weighted_mean(history[:3], vectors, half_life),
        ),
        right="The same few lines made users of films and readers of news.",
    ),
)
