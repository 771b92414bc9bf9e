"""Exercises of chapter 01, background: the recall stage."""

import math

import numpy as np
import scipy.sparse as sp

from course_lib.learn.exercise import Exercise


def _recall(answer):
    if isinstance(answer, bool | np.bool_ | str | bytes) or np.ndim(answer):
        return "that is not a number."
    try:
        value = float(answer)  # a fraction, a numpy or a torch number will do
    except (TypeError, ValueError):
        return "that is not a number."
    if math.isclose(value, 2 / 5, abs_tol=2e-3):
        return None
    if math.isclose(value, 2 / 3, abs_tol=7e-3):
        return "2/3 divides by K = 3: that is Precision@3, the share of the list that is relevant."
    if math.isclose(value, 3 / 5, abs_tol=2e-3):
        return "3/5 counts film 1 as well, and it stands at place 4: only the first three places count."
    if math.isclose(value, 2, abs_tol=2e-3):
        return "2 is the number of hits; Recall is a share of something."
    return "count the hits among the first three, and divide by the number of relevant films."


def _ceiling(answer):
    if not callable(answer):
        return "that is not a function: define `ceiling_of(candidates, relevant, k)` and hand over its name."
    candidates, relevant = list(range(20)), {0, 3, 5, 11, 17, 19, 40, 41}  # 6 of 8 are candidates
    got = answer(list(candidates), set(relevant), 4)
    if got is None:
        return "your function gives nothing back: is a `return` missing?"
    got = float(got)
    if math.isclose(got, 6 / 8, abs_tol=1e-6):
        return "with k = 4 you let all 6 hits of the candidates on the screen: only k places are shown."
    if math.isclose(got, 1.0, abs_tol=1e-6):
        return "you divide by k, or by min(k, …): the denominator of Recall is the number of relevant items."
    if math.isclose(got, 2 / 8, abs_tol=1e-6):
        return "this is what the given order reaches; a perfect ranker would first move all hits to the top."
    if not math.isclose(got, 4 / 8, abs_tol=1e-6):
        return f"for k = 4, 8 relevant items and 6 of them among the candidates you give {got:.3f}."
    got = float(answer(list(candidates), set(relevant), 10))
    if math.isclose(got, 1.0, abs_tol=1e-6):
        return "two relevant items are no candidates, so no ranker can show them: 1.0 is out of reach."
    if not math.isclose(got, 6 / 8, abs_tol=1e-6):
        return f"for k = 10 all 6 hits fit on the screen, out of 8 relevant items, and you give {got:.3f}."
    got = float(answer([2, 9, 4], {9, 50, 51}, 5))
    if not math.isclose(got, 1 / 3, abs_tol=1e-6):
        return (
            f"for the candidates 2, 9, 4, the relevant items 9, 50, 51 and k = 5 you give {got:.3f}, "
            "although a longer list came out right: does a number of one case stand in your function?"
        )
    return None


def _blame(answer):
    if not isinstance(answer, dict) or set(answer) != {"Ana", "Bo", "Chen"}:
        return "give a dictionary with the keys Ana, Bo and Chen."
    if not set(answer.values()) <= {"retrieval", "ranking", "neither"}:
        return 'the values are "retrieval", "ranking" or "neither".'
    if answer["Ana"] == "ranking":
        return "Ana: both relevant films that reached the ranker are shown. It never had the other eight."
    if answer["Ana"] == "neither":
        return "Ana: eight relevant films are missing although there was room for them on the screen."
    if answer["Bo"] == "retrieval":
        return "Bo: nine of ten relevant films were among the candidates. Who left eight of them there?"
    if answer["Bo"] == "neither":
        return (
            "Bo: nine of ten places hold something irrelevant, although eight more good films were at hand."
        )
    if answer["Chen"] == "retrieval":
        return "Chen: two films were lost at retrieval, but would finding them have changed the screen?"
    if answer["Chen"] == "ranking":
        return "Chen: all ten places hold relevant films. No ranker can do better with ten places."
    return None


def _crowd():
    """20 people × 60 items with many equal counts: an unstable sort shows its hand."""
    people, items = np.ogrid[:20, :60]
    return (people < items * 7 % 11 + items % 3).astype(np.float32)


def _ids(got):
    """The answer as a list of numbers, or a sentence that says why it is none."""
    if got is None:
        return "your function gives nothing back: is a `return` missing?"
    if isinstance(got, set | frozenset | dict | str):
        return f"you give back a {type(got).__name__}: wanted is a list or an array of ids, best first."
    ids = np.asarray(got).ravel()
    if ids.dtype.kind not in "iuf":
        return "wanted is a list or an array of ids, and what you give back holds no numbers."
    return ids.tolist()


def _most_popular(answer):
    if not callable(answer):
        return "that is not a function: define `most_popular(train_matrix, k)` and hand over its name."
    crowd = _crowd()
    counts, items = crowd.sum(axis=0), np.arange(crowd.shape[1])
    for k in (30, 2):
        got = _ids(answer(sp.csr_array(crowd), k))
        if isinstance(got, str):
            return got
        if got == np.lexsort((items, -counts))[:k].tolist():
            continue
        if got == np.lexsort((-items, -counts))[:k].tolist():
            return "of equally popular items you put the highest id first: ties go by rising id."
        if got == np.lexsort((items, counts))[:k].tolist():
            return "this is the wrong end: the least popular items come first."
        if k == 30 and len(got) == len(crowd):
            return f"20 people, k = {k}, and you give back {len(got)} ids: do you add up over the people?"
        if len(got) != k:
            return f"for k = {k} you give back {len(got)} ids: the list must have k places."
        if got == np.sort(counts)[::-1][:k].tolist():
            return "these are the counts; wanted are the ids of the items that have them."
        if len(set(got)) < k or not set(got) <= set(items.tolist()):
            return "an id stands in your list twice, or belongs to no item: 60 items have the ids 0 to 59."
        if np.array_equal(counts[np.array(got, dtype=int)], np.sort(counts)[::-1][:k]):
            return (
                "the counts fall as they should, but equally popular items do not stand in order of rising "
                "id. Does your sort promise to keep the order of equals?"
            )
        return f"for 60 items and k = {k}, your list does not hold the most popular items in falling order."
    return None


EXERCISES = (
    Exercise(
        key="01.1",
        question="Recall@3 of the list 7, 3, 9, 1, 5 when 1, 3, 4, 8 and 9 are relevant.",
        judge=_recall,
        hints=(
            "Cut the list after three places first.",
            "Which of 7, 3 and 9 are relevant?",
            "Divide the hits by all relevant films, also those that are nowhere in the list.",
        ),
        wrong_examples=(2 / 3, 3 / 5, 2, 0.5, "0.4"),
        right="Two hits, five relevant films: 2/5. Films 4 and 8, which the list never shows, count too.",
    ),
    Exercise(
        key="01.2",
        question="The highest Recall@k that any order of the candidates can reach.",
        judge=_ceiling,
        hints=(
            "How many relevant items are among the candidates? No ranker can show more.",
            "How many of them fit into k places?",
            "Divide the smaller of the two numbers by the number of relevant items.",
        ),
        wrong_examples=(
            lambda candidates, relevant, k: len(set(candidates) & relevant) / len(relevant),
            lambda candidates, relevant, k: min(k, len(set(candidates) & relevant)) / min(k, len(relevant)),
            lambda candidates, relevant, k: len(set(candidates[:k]) & relevant) / len(relevant),
            lambda candidates, relevant, k: min(k, len(relevant)) / len(relevant),
            lambda candidates, relevant, k: min(k, 6) / len(relevant),
            lambda candidates, relevant, k: min(k, len(set(candidates) & relevant)) / 8,
            lambda candidates, relevant, k: None,
        ),
        right="min(k, hits among the candidates) / relevant: the two stages each set a bound.",
    ),
    Exercise(
        key="01.3",
        question="Which stage is to blame for what is missing on the screen?",
        judge=_blame,
        hints=(
            "A ranker can only show what it was given.",
            "Compare two numbers: what was among the candidates, and what is on the screen.",
            "The screen has ten places. Could they be filled better with what was at hand?",
        ),
        wrong_examples=(
            {"Ana": "ranking", "Bo": "ranking", "Chen": "neither"},
            {"Ana": "retrieval", "Bo": "retrieval", "Chen": "neither"},
            {"Ana": "retrieval", "Bo": "ranking", "Chen": "ranking"},
            {"Ana": "retrieval", "Bo": "ranking", "Chen": "retrieval"},
        ),
        right="Chen's Recall@10 is only 1/3, and nobody did anything wrong: look at the ceiling first.",
    ),
    Exercise(
        key="01.4",
        question="The k most popular items of a people × items matrix, ties by id.",
        judge=_most_popular,
        hints=(
            "Sum over the people (axis=0): one count an item.",
            "Sort the negative counts, so that the largest come first.",
            'np.argsort(-counts, kind="stable") keeps equal counts in order of id.',
        ),
        wrong_examples=(
            lambda matrix, k: np.argsort(np.asarray(matrix.sum(axis=0)).ravel(), kind="stable")[::-1][:k],
            lambda matrix, k: np.argsort(np.asarray(matrix.sum(axis=0)).ravel(), kind="stable")[:k],
            lambda matrix, k: np.argsort(-np.asarray(matrix.sum(axis=1)).ravel(), kind="stable")[:k],
            lambda matrix, k: np.argsort(-np.asarray(matrix.sum(axis=0)).ravel(), kind="stable")[:30],
            lambda matrix, k: np.lexsort((np.arange(60) * 7 % 60, -np.asarray(matrix.sum(axis=0)).ravel()))[
                :k
            ],
            lambda matrix, k: -np.sort(-np.asarray(matrix.sum(axis=0)).ravel())[:k],
            lambda matrix, k: set(np.argsort(-np.asarray(matrix.sum(axis=0)).ravel(), kind="stable")[:k]),
            lambda matrix, k: None,
        ),
        right="Ties by id make the list the same on every machine.",
    ),
)
