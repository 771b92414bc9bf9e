"""Exercises of chapter 14, robustness."""

import math

import numpy as np

from course_lib.learn.answers import as_choice, as_function, as_number, judged, near
from course_lib.learn.exercise import Exercise


def _vote(answer):
    right = 3 * 12 / math.sqrt(36 * 16)  # 12 shared of 36 and 16 films; three such fakes
    mistakes = {
        right / 3: "that is one fake's vote, and there are three.",
        36.0: "those are the shared films, summed: each vote is a cosine, so divide by both lengths.",
        3 * 12 / 36: "you divided by the length of one profile only: the cosine takes the root of both.",
        3 * 12 / 16: "you divided by Mei's number of films only: the cosine takes the root of both numbers.",
        3 * 12 / (36 * 16): "the root over the product of the two lengths is missing.",
        3 * 12 / (36 + 16 - 12): "that is the share of the union, Jaccard's measure; the vote is a cosine.",
    }
    otherwise = (
        "one neighbour votes with shared films ÷ √(films of one × films of the other). Add three votes."
    )
    return judged(as_number(answer), right, mistakes, otherwise)


def _detector(answer):
    mistakes = {
        0.5: "nearly, but do not round the number of flagged people before you divide; 1 % of 943 is 9.43.",
        0.99: "0.99 is the share of genuine people who pass. Of the *flagged*, how many are fake?",
        1.0: "that is the recall: all fakes are found. But genuine people were flagged, too.",
        0.01: "that is the false-positive rate; precision has another denominator.",
        9 / 943: "that is the share of fakes among *all*; precision looks at the flagged only.",
        9 / 952: "that is the share of fakes among *all*; precision looks at the flagged only.",
    }
    otherwise = "count the flagged: nine fakes, and one per cent of 943 genuine people. Which share is fake?"
    return judged(as_number(answer), 9 / (9 + 9.43), mistakes, otherwise)


def _propensity(answer):
    attraction_of = as_function(answer, "attraction_of(clicked, looked)")

    def given(clicked, looked):
        return as_number(attraction_of(clicked, looked), "what your function gives back")

    value = given(np.array([1, 0, 1, 0]), np.array([0.5, 0.5, 0.25, 1.0]))
    mistakes = {
        0.5: "that is the plain click rate: each click must count 1 ÷ its propensity.",
        3.0: "you divided by the number of clicks; the mean is over all times the article was *shown*.",
        0.75 / 4: "you multiplied by the propensity. A click where few look must count for *more*.",
        2
        / 2.25: "clicks ÷ looks expected: a sensible ratio with less noise, but not the weighting of section "
        "5, which divides click by click.",
        6.0: "that is the sum; divide by how often the article was shown.",
    }
    otherwise = "weigh each click by 1 ÷ its propensity, add, and divide by the number of times shown."
    if not near(value, 1.5, 4):
        return judged(value, 1.5, mistakes, otherwise)
    # Other articles, so that no number of the first is built in, and places where hardly anybody looks.
    rng = np.random.default_rng(14)
    for times, lowest in ((3, 0.2), (4, 0.25), (4, 0.02), (9, 0.01), (1, 0.05)):
        clicked = rng.integers(0, 2, times)
        clicked[0] = 1
        looked = rng.uniform(lowest, 1, times)
        looked[0] = lowest
        if not math.isclose(given(clicked, looked), np.mean(clicked / looked), rel_tol=1e-4):
            if lowest < 0.2:
                return (
                    f"right where many look, and wrong where {lowest} of the readers do: are small "
                    "propensities or large results cut off? The mean over many articles needs them."
                )
            return "right for one article and not for another: is a number of the first built in?"
    return None


_CHOICES = (
    "a group's weight was too small in the objective",
    "the model served the others worse",
    "the gap cannot be told",
    "the constraint works",
)


def _fairness(answer):
    mistakes = {
        _CHOICES[
            0
        ]: "a weight that was too small shows when the weighted group gains; here it gained nothing.",
        _CHOICES[2]: "the report says *clearly*: the change can be told. Who paid for it?",
        _CHOICES[3]: "a gap is a difference of two numbers. Look at both before you call it a success.",
    }
    return mistakes.get(as_choice(answer, _CHOICES))


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
        wrong_examples=(0.99, 1.0, 9 / 943, 0.01, 0.7, 0.5, 0.478, "0.49"),
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
            lambda clicked, looked: np.mean(clicked / np.maximum(looked, 0.2)),
            lambda clicked, looked: None,
            lambda clicked, looked: clicked / looked,
        ),
        right="It may exceed 1: it is an average over many, not a probability for one.",
    ),
    Exercise(
        key="14.4",
        question="What made the gap smaller?",
        judge=_fairness,
        choice=True,
        hints=(
            "Write down the recall of both groups before and after.",
            "The group served worst has the same recall as before.",
            "So the other group must have lost.",
        ),
        wrong_examples=(_CHOICES[0], _CHOICES[2], _CHOICES[3]),
        right="Levelling down. A fairness goal must name what it will not do to get there.",
    ),
)
