"""Exercises of chapter 06, evaluation."""

import math

import numpy as np

from course_lib.learn.answers import as_array, as_choices, as_function, as_mapping, as_number, near
from course_lib.learn.exercise import Exercise

FLAWS = {
    "random split": "when does the test happen, compared with the training? See the first line.",
    "tuned on test": "three settings were tried. On which data was the best one picked?",
    "untuned baseline": "how many settings did the rival get to try?",
    "no interval": "would the difference survive other users? Nothing in the announcement says so.",
}
NOT_THERE = {
    "sampled negatives": "`retrieve` ranks the whole catalogue here; nothing is sampled.",
    "seen items left in": "`retrieve` leaves out seen items unless it is told otherwise.",
    "test in the user vector": "users are ids of the training data, so their vectors come from training.",
    "relevant item first in a tie": "the lists come from the whole catalogue, in a meaningless order.",
}


def _numbers(answer, names):
    """A dictionary of numbers, checked one by one."""
    return {name: as_number(value, f"“{name}”") for name, value in as_mapping(answer, names).items()}


def _pencil(answer):
    values = _numbers(answer, ("recall@4", "recall_capped@4", "map@4", "map_of_hits@4"))
    recall, capped, mean_precision, of_hits = values.values()  # near: 0.33 will do for one third
    if near(recall, 2 / 4) and near(capped, 2 / 6):
        return "the two recalls are swapped: plain recall divides by all six relevant films."
    if not near(recall, 2 / 6):
        return "recall@4 is wrong: two hits, divided by everything that is relevant."
    if not near(capped, 2 / 4):
        return "recall_capped@4 is wrong: no list of four can hold more than four of the six."
    if near(mean_precision, 1.5 / 4):
        return "map@4 is divided by 4 here; that is `map_capped`. `map` divides by the relevant films."
    if not near(mean_precision, 1.5 / 6):
        return "map@4 is wrong: add the precision at each hit (rank 1 and rank 4), then divide."
    if not near(of_hits, 1.5 / 2):
        return "map_of_hits@4 is wrong: the same sum as for map, divided by the number of hits."
    return None


def _recalls(ids, relevant, k):
    """The right answer to exercise 06.2."""
    hits = [len(set(row[:k].tolist()) & wanted) for row, wanted in zip(ids, relevant, strict=True)]
    return np.array([n / len(wanted) if wanted else np.nan for n, wanted in zip(hits, relevant, strict=True)])


def _recall(answer):
    my_recall = as_function(answer, "my_recall(ids, relevant, k)")
    # The last item of the shop, 9, is relevant to the user with empty places: −1 as an index would find it.
    ids = np.array([[3, 1, 4, 0], [2, 5, -1, -1], [0, 1, 2, 3], [9, 8, 7, 6]])
    relevant = [{1, 0, 7, 8, 9}, {5, 9}, set(), {1, 2}]
    got = as_array(my_recall(ids, relevant, 3))
    if got.shape != (4,):
        return f"for 4 users the result has shape {got.shape}; it must be one number a user."
    if np.isclose(got[0], 1 / 3):
        return "you divide by k or by min(k, relevant); the question asks for all relevant items."
    if np.isclose(got[0], 2 / 5):
        return "an item behind place k was counted as a hit: cut the list first."
    if not np.isclose(got[0], 1 / 5):
        return "the first of our cases is wrong: list 3, 1, 4 with the relevant items 0, 1, 7, 8, 9."
    if not np.isnan(got[2]):
        return "a user without a relevant item must give NaN: there is nothing to judge."
    if got[1] > 1 / 2:
        return "an empty place, −1, was counted as a hit."
    if not np.allclose(got[[1, 3]], [1 / 2, 0]):
        return "a list with empty places, or one without a hit, gives a wrong number."
    # The same users in another order and at other cut-offs, and other users, so that no answer is right by
    # heart. The last lists are shorter than k.
    order = [3, 2, 1, 0]
    cases = [(ids[order], [relevant[user] for user in order], k) for k in (1, 4)]
    rng = np.random.default_rng(6)
    for n, width, k in ((7, 6, 3), (5, 8, 5), (6, 4, 4), (3, 4, 6)):
        lists = np.stack([rng.permutation(12)[:width] for _ in range(n)])
        lists[0, width // 2 :] = -1
        wanted = [set(rng.permutation(12)[:size].tolist()) for size in rng.integers(0, 7, n)]
        cases.append((lists, wanted, k))
    for lists, wanted, k in cases:
        got = as_array(my_recall(lists, wanted, k))
        if got.shape != (len(lists),) or not np.allclose(got, _recalls(lists, wanted, k), equal_nan=True):
            return f"right at k = 3 for our first users, wrong for others at k = {k}: is anything fixed?"
    return None


def _even_chance(answer):
    value = as_number(answer)
    if 1850 <= value <= 2050:
        return None
    if math.isclose(value, 10):
        return "10 is the cut-off among the 101 sampled items; the question is about the rank among 20,000."
    if math.isclose(value, 1800, abs_tol=20):
        return "at 1,800 nine of the items above are drawn on average, and nine still leave room: go further."
    if 135 <= value <= 175:
        return "that was the answer for the films of this chapter; this shop is larger."
    if math.isclose(value, 200, abs_tol=5):
        return "200 is 20,000 ÷ 100, the rank that sends *one* item ahead into the sample; ten have room."
    return "how many of the items above it can land in a sample of 100 before it drops out of the top ten?"


def _flaws(answer):
    answer = as_choices(answer, (*FLAWS, *NOT_THERE))
    wrong = sorted(answer & set(NOT_THERE))
    if wrong:
        return f"“{wrong[0]}” is not among the flaws: {NOT_THERE[wrong[0]]}"
    missing = [flaw for flaw in FLAWS if flaw not in answer]
    if missing:
        found = len(FLAWS) - len(missing)
        return f"you found {found} of {len(FLAWS)}. A question for the next one: {FLAWS[missing[0]]}"
    return None


def _rates(answer):
    naive, weighted, more = _numbers(answer, ("naive", "weighted", "weighted, fourth clicked")).values()
    if not near(naive, 2 / 4):
        return "the naive rate is wrong: clicks divided by the number of times shown."
    if near(weighted, 1.5 / 4):
        return "you multiply a click by the chance of a look. A click where few look stands for more: divide."
    if near(weighted, 3 / 2.25):
        return "you divide by the sum of the propensities; the weights have dealt with them, divide by 4."
    if near(weighted, 2 / 2.25):
        return (
            "clicks ÷ expected looks is a ratio, another estimate. Here each *click* is divided by its own e."
        )
    if near(weighted, 3 / 2):
        return "you divide by the number of clicks; the mean is over all times shown, clicked or not."
    if near(weighted, 9 / 4):
        return "only clicks are weighted; a time shown without a click adds 0, whatever its place."
    if not near(weighted, 3 / 4):
        return "the weighted rate is wrong: 1 ÷ e for each click, added up, divided by the times shown."
    if near(more, 1):
        return "a rate above 1 looks wrong, but do not cut it off: the mean over many articles needs it."
    if not near(more, 7 / 4):
        return "the fourth click is at a place with e = 1/4: how many clicks does it stand for?"
    return None


EXERCISES = (
    Exercise(
        key="06.1",
        question="Recall, capped recall, MAP, MAP of hits: hits at ranks 1 and 4, 6 relevant films.",
        judge=_pencil,
        hints=(
            "All four have a sum on top; only the denominators differ.",
            "For the two MAPs add the precision at rank 1 and the precision at rank 4.",
            "The denominators are 6, min(4, 6), 6 and 2.",
        ),
        wrong_examples=(
            {"recall@4": 0.5, "recall_capped@4": 1 / 3, "map@4": 0.25, "map_of_hits@4": 0.75},
            {"recall@4": 1 / 3, "recall_capped@4": 0.5, "map@4": 0.375, "map_of_hits@4": 0.75},
            {"recall@4": 1 / 3, "recall_capped@4": 0.5, "map@4": 0.25, "map_of_hits@4": 0.25},
            {"recall@4": 0.5, "recall_capped@4": 0.5, "map@4": 0.25, "map_of_hits@4": 0.75},
        ),
        right="The same two hits are worth between 0.25 and 0.75: name your denominator.",
    ),
    Exercise(
        key="06.2",
        question="Recall@k of each user, NaN for a user without a relevant item.",
        judge=_recall,
        hints=(
            "Cut each row to its first k places before you count.",
            "`set(row[:k].tolist()) & wanted` are the hits; −1 is in nobody's set.",
            "Divide by `len(wanted)`, and return `np.nan` where it is 0.",
        ),
        wrong_examples=(
            lambda ids, relevant, k: np.array(
                [len(set(row[:k]) & wanted) / k for row, wanted in zip(ids, relevant, strict=True)]
            ),
            lambda ids, relevant, k: np.array(
                [
                    len(set(row) & wanted) / max(1, len(wanted))
                    for row, wanted in zip(ids, relevant, strict=True)
                ]
            ),
            lambda ids, relevant, k: np.array(
                [
                    len(set(row[:k]) & wanted) / max(1, len(wanted))
                    for row, wanted in zip(ids, relevant, strict=True)
                ]
            ),
            lambda ids, relevant, k: np.array([0.2, 0.5, np.nan, 0.0]),
            lambda ids, relevant, k: {
                3: np.array([0.2, 0.5, np.nan, 0.0]),
                1: np.array([0, np.nan, 0, 0]),
                4: np.array([0, np.nan, 0.5, 0.4]),
            }[k][: len(ids)],
            lambda ids, relevant, k: np.array(
                [
                    len({i % 10 for i in row[:k].tolist()} & wanted) / len(wanted) if wanted else np.nan
                    for row, wanted in zip(ids, relevant, strict=True)
                ]
            ),
        ),
        right="Pads, short lists and users without a relevant item are all handled.",
    ),
    Exercise(
        key="06.3",
        question="The full rank at which HitRate@10 among 100 of 19,999 rivals becomes an even bet.",
        judge=_even_chance,
        hints=(
            "An item at rank r has r − 1 items above it. How many of these does the sample catch?",
            "About 100 · (r − 1) / 20,000. The item stays in the top ten while at most 9 are caught.",
            "Solve 100 · r / 20,000 ≈ 10, or read it off `hypergeom.cdf(9, 19_999, r - 1, 100)`.",
        ),
        wrong_examples=(10, 155, 200, 1000, 1800),
        right="So that HitRate@10 is a soft Recall at about 2,000: a metric for another stage.",
    ),
    Exercise(
        key="06.4",
        question="The flaws of an evaluation that is given as code.",
        judge=_flaws,
        choice=True,
        hints=(
            "Go through the checklist above, line by line of the code.",
            "Ask of each decision (split, settings, rival) which data made it, and how many tries it had.",
            "There are four flaws. Every list is a full ranking without seen items; that is in order.",
        ),
        wrong_examples=(
            {"random split", "sampled negatives"},
            {"seen items left in"},
            {"random split", "tuned on test"},
            {"tuned on test", "untuned baseline", "no interval"},
        ),
        right="None of the four shows in the announcement. So publish evaluations as code.",
    ),
    Exercise(
        key="06.5",
        question="Click-through rate and weighted rate of a headline shown four times, by hand.",
        judge=_rates,
        hints=(
            "The naive rate does not ask for the place.",
            "A click where a share e of the readers look stands for 1 ÷ e clicks; no click stands for none.",
            "The clicks count 1 and 2; had the fourth been one, it would count 4. Divide by 4 times shown.",
        ),
        wrong_examples=(
            {"naive": 2 / 3, "weighted": 0.75, "weighted, fourth clicked": 1.75},
            {"naive": 0.5, "weighted": 0.375, "weighted, fourth clicked": 0.4375},
            {"naive": 0.5, "weighted": 3 / 2.25, "weighted, fourth clicked": 7 / 2.25},
            {"naive": 0.5, "weighted": 2 / 2.25, "weighted, fourth clicked": 3 / 2.25},
            {"naive": 0.5, "weighted": 1.5, "weighted, fourth clicked": 7 / 3},
            {"naive": 0.5, "weighted": 2.25, "weighted, fourth clicked": 2.25},
            {"naive": 0.5, "weighted": 0.75, "weighted, fourth clicked": 1.0},
        ),
        right="One click at the bottom moved the rate by 1, to above 1: unbiased, and very noisy.",
    ),
)
