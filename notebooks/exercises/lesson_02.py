"""Exercises and questions of lesson 02, cosine similarity."""

import math

import numpy as np

from course_lib.learn import Question
from course_lib.learn.answers import Unfit, as_array, as_choices, as_function, as_mapping, as_number, near
from course_lib.learn.exercise import Exercise

# --- 02.1: all cosines


def _unit(x):
    lengths = np.linalg.norm(x, axis=1, keepdims=True)
    return x / np.where(lengths == 0, 1, lengths)


_COSINE_MISTAKES = {
    lambda a, b: a @ b.T: "these are dot products: the lengths are still in them.",
    lambda a, b: 1 - _unit(a) @ _unit(b).T: (
        "this is the cosine distance, 1 − cosine: identical directions must give 1."
    ),
    lambda a, b: _unit(a) @ b.T: "only the rows of a are divided by their lengths; those of b need it, too.",
    lambda a, b: a @ b.T / (np.linalg.norm(a) * np.linalg.norm(b)): (
        "everything is divided by the length of a whole matrix; each row has a length of its own (axis=1)."
    ),
    lambda a, b: (a / np.linalg.norm(a, axis=0)) @ (b / np.linalg.norm(b, axis=0)).T: (
        "columns are divided by their lengths; the vectors are the rows (axis=1)."
    ),
    lambda a, b: np.abs(_unit(a) @ _unit(b).T): "the sign is lost: opposite directions must give −1.",
}


def _cosines(answer):
    my_cosine = as_function(answer, "my_cosine(a, b)")
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(3, 5)), rng.normal(size=(4, 5))
    got = as_array(my_cosine(a, b))
    if got.shape != (3, 4):
        return f"for 3 and 4 rows the result has shape {got.shape}; it must be (3, 4), one cosine a pair."
    if not _same(got, _unit(a) @ _unit(b).T):
        for mistake, message in _COSINE_MISTAKES.items():
            if _same(got, mistake(a, b)):
                return message
        return "some values are off. Is each row divided by its own length (axis=1, keepdims=True)?"
    a *= 0.01  # short vectors are not zero vectors
    a[1], b[2] = 0, 0
    expected = _unit(a) @ _unit(b).T
    got = as_array(my_cosine(a, b))
    if not np.all(np.isfinite(got)):
        return "a row of zeros, in a or in b, gives NaN: it is divided by its length 0. Make its cosines 0."
    if got.shape != (3, 4) or not (np.allclose(got[1], 0) and np.allclose(got[:, 2], 0)):
        return "a row of zeros should have the cosine 0 with everything, in a and in b."
    if not _same(got, expected):
        return "zero rows are safe, but short vectors have changed: only a length of exactly 0 is special."
    a, b = rng.normal(size=(6, 2)), rng.normal(size=(2, 2))
    if not _same(as_array(my_cosine(a, b)), _unit(a) @ _unit(b).T):
        return "right for 3 and 4 rows of 5 numbers, wrong for 6 and 2 rows of 2: is a size built in?"
    return None


def _same(got, expected):
    """Equal but for rounding; float32 will do."""
    return got.shape == expected.shape and np.allclose(got, expected, rtol=1e-4, atol=1e-6)


# --- 02.2: from the cosine to the distance

_TIP_MISTAKES = {
    lambda c: 2 - 2 * c: "this is the *squared* distance: take its root.",
    lambda c: (
        1 - c
    ): "this is 1 − cosine, often called cosine distance; the question is about the straight line.",
    math.acos: "this is the angle in radians, the way along the circle; the straight line is shorter.",
    lambda c: math.sqrt(1 - c**2): "this is the sine: how far one tip is from the *other arrow's line*.",
    lambda c: math.sqrt(
        2 + 2 * c
    ): "this is the length of the sum of the two; the tips are joined by the difference.",
    lambda c: math.sqrt(1 - c): "nearly: the identity has 2 − 2 cos θ, not 1 − cos θ.",
}


def _tips(answer):
    tip_distance = as_function(answer, "tip_distance(c)")
    for c in (0.8, 0.3, -0.6):
        got = as_number(tip_distance(c), f"tip_distance({c})")
        if not near(got, math.sqrt(2 - 2 * c)):
            for mistake, message in _TIP_MISTAKES.items():
                if near(got, mistake(c)) and not near(mistake(c), math.sqrt(2 - 2 * c)):
                    return f"for a cosine of {c}, {message}"
            return f"for a cosine of {c} it gives {got:.4g}. Use the identity for unit vectors."
    for c, wanted, which in ((1.0, 0.0, "the same"), (-1.0, 2.0, "opposite")):
        if not near(as_number(tip_distance(c), f"tip_distance({c})"), wanted):
            return f"for a cosine of {c:g} it is not {wanted:g}: the two directions are {which}."
    too_large = 1 + 4 * np.finfo(float).eps
    try:
        rounded = as_number(tip_distance(too_large))
    except Unfit:
        return (
            "a cosine a tiny bit over 1 comes out of rounding; 2 − 2c is then negative and has no real root: "
            "clip first."
        )
    if not near(rounded, 0.0):
        return "a cosine a tiny bit over 1 comes out of rounding; parallel tips have the distance 0."
    return None


# --- 02.3: what a factor changes

_CASES = ("each item by a number of its own", "all items by the same number", "the user")
_MEASURES = {
    "cosine": lambda user, items: _unit(items) @ _unit(user[None])[0],
    "dot": lambda user, items: items @ user,
    "euclidean": lambda user, items: -np.linalg.norm(items - user, axis=1),
}


def _changing(case):
    """The measures whose ranking changed in one of many random draws of a user, six items and factors."""
    rng, found = np.random.default_rng(3), set()
    for _ in range(200):
        user, items = rng.normal(size=4), rng.normal(size=(6, 4))
        own, common = rng.uniform(0.2, 5, size=(6, 1)), rng.uniform(0.2, 5)
        after = {
            _CASES[0]: (user, items * own),
            _CASES[1]: (user, items * common),
            _CASES[2]: (user * common, items),
        }[case]
        found |= {
            name
            for name, measure in _MEASURES.items()
            if (np.argsort(measure(user, items)) != np.argsort(measure(*after))).any()
        }
    return found


def _measures(answer):
    chosen = {case: as_choices(value, _MEASURES) for case, value in as_mapping(answer, _CASES).items()}
    right = {case: _changing(case) for case in _CASES}
    if chosen == right:
        return None
    if any("cosine" in names for names in chosen.values()):
        return "the cosine divides by both lengths, so a positive factor cancels."
    if not any(chosen.values()):
        return "a positive factor keeps each direction, but not each length: two of the measures see lengths."
    if all(names == {"dot", "euclidean"} for names in chosen.values()):
        return (
            "not every factor that changes the *values* changes the *order*: if all dot products are "
            "multiplied by one number, who is first?"
        )
    if not any("euclidean" in names for names in chosen.values()):
        return "the distance is between tips: a factor moves a tip, also when it is the same factor for all."
    if "dot" not in chosen[_CASES[0]]:
        return "if one item is made ten times as long, its dot product is ten times as large."
    for case in _CASES:
        if chosen[case] != right[case]:
            return (
                f"look again at “{case}”: try the user (3, 0) with the items (1, 0) and (4, 0), and make all "
                "items 10 times as long."
            )
    return None


def _thrice(*names):
    """The same answer to all three cases."""
    return {case: set(names) for case in _CASES}


# --- 02.4: how many dimensions


def _ceil_of(formula):
    return lambda w: math.ceil(formula(w))


_DIMENSION_MISTAKES = {
    _ceil_of(lambda w: (1 / w) ** 2): (
        "you took w as *one* standard deviation; that holds 68 % of the pairs, not 95 %."
    ),
    _ceil_of(lambda w: 1.96 / w): "the standard deviation is 1/√d, not 1/d: a square is missing.",
    _ceil_of(lambda w: 1.96**2 / w): "the w must be squared as well.",
    _ceil_of(lambda w: (1.645 / w) ** 2): "1.645 leaves 5 % on *one* side; here both sides count.",
    _ceil_of(
        lambda w: (2 * 1.96 / w) ** 2
    ): "w is half the width of the interval already, from 0 to one side.",
    lambda w: math.floor((1.96 / w) ** 2): "rounded down, slightly fewer than 95 % lie inside. Round up.",
}


def _dimensions(answer):
    dimensions_for = as_function(answer, "dimensions_for(w)")
    for w in (0.1, 0.05, 0.3):
        got = as_number(dimensions_for(w), f"dimensions_for({w})")
        if got == math.ceil((1.96 / w) ** 2):
            continue
        if math.isclose(got, (1.96 / w) ** 2, abs_tol=0.05):
            return "nearly, but it must be a whole number, and large enough. Round up."
        for mistake, message in _DIMENSION_MISTAKES.items():
            if math.isclose(got, mistake(w), abs_tol=0.5):
                return f"for w = {w}, {message}"
        if w != 0.1:
            return f"right for w = 0.1, but not for w = {w}: is a number built in?"
        return "solve 1.96 · (standard deviation in d dimensions) ≤ w for d."
    return None


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
            *_COSINE_MISTAKES,
            lambda a, b: (a @ b.T) / np.outer(np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1)),
            lambda a, b: (a[:3] * b[:3]).sum(1),
            lambda a, b: a @ b.T / np.maximum(np.outer(*(np.linalg.norm(x, axis=1) for x in (a, b))), 1),
            lambda a, b: _unit(a) @ _unit(b).T if len(a) == 3 else np.eye(len(a), len(b)),
            lambda a, b: None,
        ),
        right="Each row is divided by its own length, and zero rows are safe.",
    ),
    Exercise(
        key="02.2",
        question="The distance between the tips of two unit vectors, from their cosine.",
        judge=_tips,
        hints=(
            "This section has an identity for unit vectors.",
            "‖û − v̂‖² = 2 − 2 cos θ.",
            "Take the root, and before it `max(0, …)`: rounding can make the square slightly negative.",
        ),
        wrong_examples=(
            *_TIP_MISTAKES,
            lambda c: math.sqrt(0.4),
            lambda c: np.sqrt(2 - 2 * c),
            lambda c: math.sqrt(abs(2 - 2 * c)) if c <= 1 else 1.0,
        ),
        right="√(2 − 2 cos θ), and rounding cannot hurt it.",
    ),
    Exercise(
        key="02.3",
        question="Which rankings can change if vectors are multiplied by positive numbers?",
        judge=_measures,
        choice=True,
        hints=(
            "Try it: two items, multiply the second by 10.",
            "In which formulas does the length of the item, or of the user, survive?",
            "Dot products keep their order under one common factor; a distance feels every tip that moves.",
        ),
        wrong_examples=(
            _thrice(),
            _thrice("dot", "euclidean"),
            _thrice("cosine", "dot", "euclidean"),
            dict(zip(_CASES, ({"dot"}, set(), set()), strict=True)),
            dict(zip(_CASES, ({"euclidean"}, {"euclidean"}, {"euclidean"}), strict=True)),
            dict(zip(_CASES, ({"dot", "euclidean"}, {"euclidean"}, set()), strict=True)),
        ),
        right="The cosine ignores every factor; the dot product minds only factors that differ.",
    ),
    Exercise(
        key="02.4",
        question="The smallest d for which 95 % of random cosines lie between −w and w.",
        judge=_dimensions,
        hints=(
            "The cosine of two random vectors has mean 0 and variance 1/d.",
            "You need 1.96/√d ≤ w.",
            "Square both sides: d ≥ (1.96/w)². Round up.",
        ),
        wrong_examples=(
            *_DIMENSION_MISTAKES,
            lambda w: (1.96 / w) ** 2,
            lambda w: 385,
            lambda w: 1000,
        ),
        right="For w = 0.1 it happens to be about the dimension of this course's encoder, 384.",
    ),
)


def _third(value, few, many, letters="ABC"):
    """The letter of a value that is below ``few``, above ``many``, or between."""
    return letters[0] if value < few else letters[1] if value > many else letters[2]


QUESTIONS = (
    Question(
        key="02.q1",
        text="The documents' user and product score 0.89. Take two *unrelated* vectors of seven random "
        "numbers between 0 and 1. How often do they score at least as high?",
        options=(
            "Hardly ever: in less than 1 % of the pairs.",
            "In more than half of the pairs.",
            "In between: often enough that 0.89 alone says little.",
        ),
        right=lambda found: _third(found["strangers_as_high"], 0.01, 0.5),
        because={
            "A": "that takes 0 for what strangers score; positive vectors start far above it (section 3).",
            "B": "“all positive vectors are alike” goes too far: see the right end of the histogram.",
            "C": "compare the example with the pile of positive vectors in the histogram (section 3).",
        },
    ),
    Question(
        key="02.q2",
        text="Films are described by who rated them, and compared by **dot product**. What are the ten "
        "neighbours of a film that 20 to 50 people rated?",
        options=(
            "Films rated by about as many people.",
            "Films rated by many more people: three times as many, or more.",
            "Films rated by far fewer people: a third, or less.",
        ),
        right=lambda found: _third(found["factor"], 1 / 3, 3, "CBA"),
        because={
            "A": "nothing in a dot product asks for equal popularity; see the measured boxes (section 5).",
            "B": "that is what long vectors do to a product; look at the measured boxes again (section 5).",
            "C": "that is the taste of the distance: short vectors are near to everything short (section 5).",
        },
    ),
    Question(
        key="02.q3",
        text="A search returns the top k of `tf.keras.losses.cosine_similarity`. The query is itself in the "
        "catalogue. Where does it come in the whole ranking?",
        options=("First, as it should.", "Somewhere in the middle.", "Last."),
        right=lambda found: "A" if found["place"] == 1 else "C" if found["place"] == found["films"] else "B",
        because={
            "A": "the name says similarity, the module says *losses*: a minus makes it small (section 6).",
            "B": "a wrong sign does not shuffle a list, it turns it round (section 6).",
            "C": "check the sign of what the function returns for two equal vectors (section 6).",
        },
    ),
    Question(
        key="02.q4",
        text="Random points in 384 dimensions, ten nearest neighbours of each. Where do strong hubs appear "
        "(skewness above 1)?",
        options=(
            "By angle and by distance: high dimension is enough.",
            "By distance, not by angle.",
            "By angle, not by distance.",
            "By neither.",
        ),
        right=lambda found: {
            (True, True): "A",
            (False, True): "B",
            (True, False): "C",
            (False, False): "D",
        }[(bool(found["hubs_by_angle"] > 1), bool(found["hubs_by_distance"] > 1))],
        because={
            "A": "“it is the dimension” is the usual suspicion; see the same points compared in two ways.",
            "B": "compare the two rows with 384 dimensions: random directions and random tips (section 7).",
            "C": "the other way round: which of the two comparisons knows a centre (section 7)?",
            "D": "random points can have hubs, too, if some lie nearer to the middle (section 7).",
        },
    ),
    Question(
        key="02.q5",
        text="You subtract the mean vector from all film vectors before the search. What becomes of the "
        "films that are in nobody's list of ten?",
        options=(
            "Nothing: subtracting one vector from all moves all of them alike.",
            "There are fewer than half as many of them.",
            "There are more than twice as many of them.",
        ),
        right=lambda found: _third(found["never_centred"] / found["never"], 0.5, 2, "BCA"),
        because={
            "A": "it leaves *distances* alone, but angles are measured from the origin (section 7).",
            "B": "read the last column of the table of hubs (section 7).",
            "C": "the shared direction is what hubs live on; without it the lists are more even.",
        },
    ),
)
