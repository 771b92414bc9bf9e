"""Exercises and questions of lesson 01b, reading a result."""

import numpy as np

from course_lib.evaluate import holm
from course_lib.learn.answers import as_array, as_choice, as_choices, as_function, as_mapping
from course_lib.learn.exercise import Exercise
from course_lib.learn.questions import Question

# --- 01b.1

# What a learner may compute instead of the middle 95 % of the mean paired difference, from the same data.
PAIRED_MISTAKES = {
    "this is b − a: the first minus the second was asked for.": (
        lambda a, b, draws: np.percentile((b - a)[draws].mean(axis=1), [2.5, 97.5])
    ),
    "this is where single people's differences lie; asked is how sure their mean is. Take a mean for each "
    "resample first.": lambda a, b, draws: np.percentile(a - b, [2.5, 97.5]),
    "this is the middle 90 %: 5 % are cut off on each side, and 2.5 % were to be.": (
        lambda a, b, draws: np.percentile((a - b)[draws].mean(axis=1), [5, 95])
    ),
    "these are means along the resamples, one a place: each resample needs one over its people (axis=1).": (
        lambda a, b, draws: np.percentile((a - b)[draws].mean(axis=0), [2.5, 97.5])
    ),
    "these are the smallest and the largest mean: one lucky resample would make the interval wide.": (
        lambda a, b, draws: np.array([(a - b)[draws].mean(axis=1).min(), (a - b)[draws].mean(axis=1).max()])
    ),
    "these are the ends of two intervals, subtracted. The pair is lost: subtract person by person first.": (
        lambda a, b, draws: (
            np.percentile(a[draws].mean(axis=1), [2.5, 97.5])
            - np.percentile(b[draws].mean(axis=1), [2.5, 97.5])
        )
    ),
    "this is the interval of a alone: where is b?": (
        lambda a, b, draws: np.percentile(a[draws].mean(axis=1), [2.5, 97.5])
    ),
    "the high end comes first: give back low, high.": (
        lambda a, b, draws: np.percentile((a - b)[draws].mean(axis=1), [97.5, 2.5])
    ),
}


def _paired_cases():
    """Two values a person that go together, and whom each resample drew; of several sizes."""
    for people, resamples in ((40, 200), (7, 500), (150, 50)):
        rng = np.random.default_rng(people)
        b = rng.random(people)
        a = 0.8 * b + 0.3 * rng.random(people)
        yield a, b, rng.integers(0, people, (resamples, people))


def _right_interval(a, b, draws):
    return np.percentile((a - b)[draws].mean(axis=1), [2.5, 97.5])


def _paired(answer):
    paired_interval = as_function(answer, "paired_interval(a, b, draws)")
    for case, (a, b, draws) in enumerate(_paired_cases()):
        got = as_array(paired_interval(a, b, draws)).ravel()
        if got.shape != (2,):
            return f"wanted are two numbers, low and high; the result of your function has size {got.size}."
        if np.allclose(got, _right_interval(a, b, draws), rtol=1e-3, atol=1e-5):
            continue
        for message, mistake in PAIRED_MISTAKES.items():
            if np.allclose(got, mistake(a, b, draws), rtol=1e-3, atol=1e-5):
                return message
        if case:
            return (
                f"right for another case, wrong for {len(a)} people and {len(draws)} resamples: does a size "
                "or a number of one case stand in your function?"
            )
        return "draw the same people for both, take the mean of each resample, then the middle 95 % of them."
    return None


# --- 01b.2

FAMILIES = {
    "first": {"a": 0.0238, "b": 0.0013, "c": 0.3104, "d": 0.0117, "e": 0.0196},
    "second": {"a": 0.0413, "b": 0.0159, "c": 0.0062, "d": 0.0204, "e": 0.0321},
}
ALPHA = 0.05


def _chosen(p_values, clear):
    return {name for name, one in zip(p_values, clear, strict=True) if one}


def _holm(p_values):
    return _chosen(p_values, holm(list(p_values.values())) < ALPHA)


def _without_a_stop(p_values):
    rising = sorted(p_values, key=p_values.get)
    return {name for place, name in enumerate(rising) if p_values[name] * (len(rising) - place) < ALPHA}


def _from_the_wrong_end(p_values):
    rising = sorted(p_values, key=p_values.get)
    return {name for place, name in enumerate(rising, 1) if p_values[name] * place < ALPHA}


HOLM_MISTAKES = {
    "{family} family: these are the p-values below 0.05 as they are. Five comparisons were made: correct for "
    "their number.": lambda p_values: _chosen(p_values, [p < ALPHA for p in p_values.values()]),
    "{family} family: you multiply every p-value by five. That is Bonferroni's correction: safe, too, "
    "but Holm multiplies the second smallest by four.": (
        lambda p_values: _chosen(p_values, [p * len(p_values) < ALPHA for p in p_values.values()])
    ),
    "{family} family: each product is right, but once one is not below 0.05, none of the larger p-values "
    "stands any more.": _without_a_stop,
    "{family} family: the smallest p-value is multiplied by five, not by one: it is the luckiest of five.": (
        _from_the_wrong_end
    ),
    "{family} family: these are the ones that are *not* clear.": lambda p_values: (
        set(p_values) - _holm(p_values)
    ),
}


def _clear(answer):
    for family, value in as_mapping(answer, FAMILIES).items():
        p_values = FAMILIES[family]
        got = as_choices(value, p_values)
        if got == _holm(p_values):
            continue
        for message, mistake in HOLM_MISTAKES.items():
            if got == mistake(p_values):
                return message.format(family=family)
        return (
            f"{family} family: put the p-values in rising order, multiply by 5, 4, 3, 2, 1, and stop at the "
            "first product that is not below 0.05."
        )
    return None


# --- 01b.3

MARGIN = 0.01
DIFFERENCES = {  # new − old, and its interval
    "A": (0.0041, -0.0203, 0.0285),
    "B": (0.0037, 0.0012, 0.0062),
    "C": (-0.0314, -0.0526, -0.0108),
    "D": (-0.0058, -0.0131, 0.0015),
}
WORDS = ("better", "worse", "the same", "undecided")


def _sign(mean, low, high):
    return "better" if mean > 0 else "worse"


def _reading(mean, low, high):
    if low > -MARGIN and high < MARGIN:
        return "the same"
    return "undecided" if low <= 0 <= high else _sign(mean, low, high)


READING_MISTAKES = {
    "{name}: neither zero inside nor a mean within the margin makes two the same. Where do the ends, {low} "
    "and {high}, lie?": (
        lambda mean, low, high: "the same" if low <= 0 <= high or abs(mean) < MARGIN else None
    ),
    "{name}: clear of zero, yes. But is a difference between {low} and {high} large enough to matter?": (
        lambda mean, low, high: _sign(mean, low, high) if not low <= 0 <= high else None
    ),
    "{name}: you read the sign of the mean. The truth may lie anywhere from {low} to {high}.": (
        lambda mean, low, high: _sign(mean, low, high) if low <= 0 <= high else None
    ),
}


def _readings(answer):
    for name, value in as_mapping(answer, DIFFERENCES).items():
        word = as_choice(value, WORDS, f"the answer for {name}")
        mean, low, high = DIFFERENCES[name]
        if word == _reading(mean, low, high):
            continue
        for message, mistake in READING_MISTAKES.items():
            if word == mistake(mean, low, high):
                return message.format(name=name, low=low, high=high)
        return (
            f"{name}: look at the two ends, {low} and {high}. Are both on one side of zero? Are both within "
            f"{MARGIN} of it?"
        )
    return None


EXERCISES = (
    Exercise(
        key="01b.1",
        question="The middle 95 % of the mean paired difference, for given resamples.",
        judge=_paired,
        hints=(
            "Subtract first, person by person: then there is one column of numbers left.",
            "`(a - b)[draws]` is the differences of those who were drawn, one row a resample.",
            "The mean along axis=1, then `np.percentile(means, [2.5, 97.5])`.",
        ),
        wrong_examples=(
            *PAIRED_MISTAKES.values(),
            lambda a, b, draws: (a - b).mean(),
            lambda a, b, draws: np.std((a - b)[draws].mean(axis=1)) * np.array([-1.96, 1.96]),
            lambda a, b, draws: np.percentile((a[:40] - b[:40])[draws % 40].mean(axis=1)[:200], [2.5, 97.5]),
            lambda a, b, draws: None,
        ),
        right="One difference a person, one mean a resample, and the middle of the means.",
    ),
    Exercise(
        key="01b.2",
        question="Which comparisons of two families are clear after Holm's correction?",
        judge=_clear,
        choice=True,
        hints=(
            "Write the five p-values of a family in rising order.",
            "Multiply them by 5, 4, 3, 2 and 1.",
            "Go from the left as long as the product stays below 0.05, and stop there for good.",
        ),
        wrong_examples=(
            *({"first": mistake(FAMILIES["first"]), "second": set()} for mistake in HOLM_MISTAKES.values()),
            {"first": _holm(FAMILIES["first"]), "second": set(FAMILIES["second"])},
            {"first": _holm(FAMILIES["first"]), "second": _from_the_wrong_end(FAMILIES["second"])},
        ),
        right="After the first product that is too large nothing stands: its own product does not help a.",
    ),
    Exercise(
        key="01b.3",
        question="Better, worse, the same or undecided? Four differences with a margin of 0.01.",
        judge=_readings,
        choice=True,
        hints=(
            "Two questions: does the whole interval lie within the margin? Does it leave out zero?",
            "Within the margin altogether: the same, also when it is clear of zero.",
            "Neither within the margin nor clear of zero: undecided.",
        ),
        wrong_examples=(
            {"A": "the same", "B": "the same", "C": "worse", "D": "undecided"},
            {"A": "undecided", "B": "better", "C": "worse", "D": "undecided"},
            {"A": "undecided", "B": "the same", "C": "worse", "D": "the same"},
            {"A": "better", "B": "better", "C": "worse", "D": "worse"},
            {"A": "undecided", "B": "the same", "C": "undecided", "D": "undecided"},
            {"A": "undecided", "B": "the same", "C": "worse", "D": "worse"},
        ),
        right="The margin and both ends decide, never the mean alone, nor zero alone.",
    ),
)


def _alarms(found):
    if not found["alarms"] and not found["after_holm"]:
        return "C"
    return "A" if found["after_holm"] < found["alarms"] else "B"


QUESTIONS = (
    Question(
        key="01b.q1",
        text="Item neighbours against popularity, over everybody, Recall@100: what does the comparison say?",
        options=("item neighbours find more", "popularity finds more", "it cannot tell"),
        right=lambda found: {"above": "A", "below": "B", "unclear": "C"}[found["neighbours"].side],
        because={
            "A": "look at the whole interval in the forest of section 3: does it lie right of zero?",
            "B": "popularity is the bar here: on which side of zero does this interval lie?",
            "C": "*unclear* is an interval with zero inside; look at this one.",
        },
    ),
    Question(
        key="01b.q2",
        text="At K = 10, sentence encoder minus random, margin 0.01. The right sentence is …",
        options=(
            "the two are the same within the margin",
            "zero lies inside, hence there is no difference",
            "undecided: the data cannot tell",
            "they differ by more than could be chance",
        ),
        right=lambda found: (
            "A"
            if found["encoder_at_10"].within(0.01)
            else "C"
            if found["encoder_at_10"].side == "unclear"
            else "D"
        ),
        because={
            "A": "the same needs the whole interval within the margin, and this one reaches beyond.",
            "B": "zero inside is never a proof of *no difference*: an interval may be as wide as a barn.",
            "C": "the interval is narrow: compare both its ends with the margin.",
            "D": "that would need an interval that leaves out zero.",
        },
    ),
    Question(
        key="01b.q3",
        text="From about a quarter of the people to all of them: how much narrower did the interval become?",
        options=("to about a quarter", "to about a half", "it stayed as it was"),
        right=lambda found: "ABC"[min(range(3), key=lambda place: abs(found["narrower"] - (4, 2, 1)[place]))],
        because={
            "A": "the width shrinks with the root of the number of people, not with the number.",
            "B": "compare the two half-widths: four times the people would make the interval half as wide.",
            "C": "more people do make a mean surer: compare the two half-widths.",
        },
    ),
    Question(
        key="01b.q4",
        text="Twenty pairs of random lists: what did Holm's correction do to the clear differences?",
        options=(
            "it took false alarms away",
            "nothing: as many stayed clear as before",
            "there was no false alarm to take away",
        ),
        right=_alarms,
        because={
            "A": "compare the two counts: fewer after the correction than before?",
            "B": "compare the two counts, before the correction and after it: are they equal?",
            "C": "random against random gives false alarms now and then: look at the first count.",
        },
    ),
    Question(
        key="01b.q5",
        text="Keywords with and without titles, taken as two groups of strangers and not as pairs: the "
        "interval of the difference becomes …",
        options=("wider", "narrower", "neither, within a tenth"),
        right=lambda found: "C" if abs(found["wider"] - 1) < 0.1 else "A" if found["wider"] > 1 else "B",
        because={
            "A": "that holds where easy people are easy for both; look at the table of section 3.",
            "B": "strangers differ in how easy they are, and that adds to the noise.",
            "C": "a pair takes out what the two lists share, and here they share much.",
        },
    ),
)
