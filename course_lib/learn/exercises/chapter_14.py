"""Exercises of chapter 14, robustness."""

import math

import numpy as np

from course_lib.learn.exercise import Exercise


def _number(answer):
    if isinstance(answer, str | bool) or np.size(answer) != 1:
        return None
    try:
        return float(np.squeeze(np.asarray(answer)))
    except (TypeError, ValueError):
        return None


def _vote(answer):
    value = _number(answer)
    if value is None:
        return "that is not a number."
    # 12 shared of 36 and 16 films; three such fakes.
    right = 3 * 12 / math.sqrt(36 * 16)
    if math.isclose(value, right, abs_tol=0.005):
        return None
    mistakes = {
        right / 3: "that is one fake's vote, and there are three.",
        36.0: "those are the shared films, summed: each vote is a cosine, so divide by both lengths.",
        3 * 12 / 36: "you divided by the length of one profile only: the cosine takes the root of both.",
        3 * 12 / 16: "you divided by Mei's number of films only: the cosine takes the root of both numbers.",
        3 * 12 / (36 * 16): "the root over the product of the two lengths is missing.",
        3 * 12 / (36 + 16 - 12): "that is the share of the union, Jaccard's measure; the vote is a cosine.",
    }
    for mistake, message in mistakes.items():
        if math.isclose(value, mistake, abs_tol=0.005):
            return message
    return "one neighbour votes with shared films ÷ √(films of one × films of the other). Add three votes."


def _detector(answer):
    value = _number(answer)
    if value is None:
        return "that is not a number."
    right = 9 / (9 + 9.43)
    if math.isclose(value, right, abs_tol=0.011):
        return None
    if math.isclose(value, 0.5, abs_tol=0.0005):
        return "nearly: do not round the number of flagged people before you divide; 1 % of 943 is 9.43."
    if math.isclose(value, 0.99, abs_tol=0.005):
        return "0.99 is the share of genuine people who pass. Of the *flagged*, how many are fake?"
    if math.isclose(value, 1.0, abs_tol=0.005):
        return "that is the recall: all fakes are found. But genuine people were flagged, too."
    if math.isclose(value, 0.01, abs_tol=0.0003):
        return "that is the false-positive rate; precision has another denominator."
    if math.isclose(value, 9 / 943, abs_tol=0.002) or math.isclose(value, 9 / 952, abs_tol=0.002):
        return "that is the share of fakes among *all*; precision looks at the flagged only."
    return "count the flagged: nine fakes, and one per cent of 943 genuine people. Which share is fake?"


def _propensity(answer):
    if not callable(answer):
        return "that is not a function: hand over `attraction_of` itself, without calling it."
    clicked = np.array([1, 0, 1, 0])
    looked = np.array([0.5, 0.5, 0.25, 1.0])
    value = _number(answer(clicked.copy(), looked.copy()))
    if value is None:
        return "the function must return one number, the estimate for the article."
    if math.isclose(value, 1.5, abs_tol=1e-6):
        again = _number(answer(np.array([0, 1, 1]), np.array([1.0, 0.2, 0.5])))
        if again is not None and math.isclose(again, 7 / 3, abs_tol=1e-6):
            return None
        return "right for one article and not for another: is a number of the first built in?"
    if math.isclose(value, 0.5, abs_tol=1e-6):
        return "that is the plain click rate: each click must count 1 ÷ its propensity."
    if math.isclose(value, 3.0, abs_tol=1e-6):
        return "you divided by the number of clicks; the mean is over all times the article was *shown*."
    if math.isclose(value, 0.75 / 4, abs_tol=1e-6):
        return "you multiplied by the propensity. A click where few look must count for *more*."
    if math.isclose(value, 2 / 2.25, abs_tol=1e-6):
        return (
            "clicks ÷ looks expected: a sensible ratio with less noise, but not the weighting of section 5, "
            "which divides click by click."
        )
    if math.isclose(value, 6.0, abs_tol=1e-6):
        return "that is the sum; divide by how often the article was shown."
    return "weigh each click by 1 ÷ its propensity, add, and divide by the number of times shown."


_CHOICES = (
    "a group's weight was too small in the objective",
    "the model served the others worse",
    "the gap cannot be told",
    "the constraint works",
)


def _fairness(answer):
    if not isinstance(answer, str) or answer not in _CHOICES:
        return "choose one of the four sentences of the question, as a string."
    mistakes = {
        _CHOICES[
            0
        ]: "a weight that was too small shows when the weighted group gains; here it gained nothing.",
        _CHOICES[2]: "the report says *clearly*: the change can be told. Who paid for it?",
        _CHOICES[3]: "a gap is a difference of two numbers. Look at both before you call it a success.",
    }
    return mistakes.get(answer)


EXERCISES = (
    Exercise(
        key="14.1",
        question="The votes of three fake neighbours.",
        judge=_vote,
        hints=(
            "A neighbour votes for each of its films with its similarity, the cosine of two sets.",
            "Cosine of sets: shared ÷ √(size of one × size of the other).",
            "√(36 · 16) = 24.",
        ),
        wrong_examples=(0.5, 36, 1.0, 2.25, 3 * 12 / (36 * 16), 0.9),
        right="Three votes of 12/24. Genuine neighbours who have this film must add up to more, or it rises.",
    ),
    Exercise(
        key="14.2",
        question="The precision of a perfect detector at a 1 % threshold.",
        judge=_detector,
        hints=(
            "Precision = true fakes among the flagged ÷ all flagged.",
            "One per cent of the 943 genuine people are flagged by the choice of the threshold.",
            "9 ÷ (9 + 9.43).",
        ),
        wrong_examples=(0.99, 1.0, 9 / 943, 0.01, 0.7, 0.5),
        right="Half of the accused are innocent, although the detector never missed a fake: fakes are rare.",
    ),
    Exercise(
        key="14.3",
        question="An estimate by inverse propensity.",
        judge=_propensity,
        hints=(
            "A click at a place where one in four looks stands for four clicks.",
            "Divide the vector of clicks by the vector of propensities.",
            "`np.mean(clicked / looked)`",
        ),
        wrong_examples=(
            lambda clicked, looked: clicked.mean(),
            lambda clicked, looked: (clicked / looked).sum() / clicked.sum(),
            lambda clicked, looked: (clicked * looked).mean(),
            lambda clicked, looked: clicked.sum() / looked.sum(),
            lambda clicked, looked: (clicked / looked).sum(),
            lambda clicked, looked: 1.5,
        ),
        right="It may exceed 1: it is an average over many, not a probability for one.",
    ),
    Exercise(
        key="14.4",
        question="What made the gap smaller?",
        judge=_fairness,
        hints=(
            "Write down the recall of both groups before and after.",
            "The group served worst has the same recall as before.",
            "So the other group must have lost.",
        ),
        wrong_examples=(_CHOICES[0], _CHOICES[2], _CHOICES[3]),
        right="Levelling down. A fairness goal must name what it will not do to get there.",
    ),
)
