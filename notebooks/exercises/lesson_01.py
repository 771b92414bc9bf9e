"""Exercises of chapter 01, background: the recall stage."""

from collections import Counter

import numpy as np
import scipy.sparse as sp

from course_lib.learn.answers import (
    as_array,
    as_choice,
    as_function,
    as_list,
    as_mapping,
    as_number,
    judged,
    near,
)
from course_lib.learn.exercise import Exercise


def _recall(answer):
    mistakes = {
        2 / 3: "2/3 divides by K = 3: that is Precision@3, the share of the list that is relevant.",
        3 / 5: "3/5 counts film 1 as well, and it stands at place 4: only the first three places count.",
        2: "2 is the number of hits; Recall is a share of something.",
    }
    otherwise = "count the hits among the first three, and divide by the number of relevant films."
    return judged(as_number(answer), 2 / 5, mistakes, otherwise)


def _ceiling(answer):
    ceiling_of = as_function(answer, "ceiling_of(candidates, relevant, k)")

    def given(candidates, relevant, k):
        return as_number(ceiling_of(candidates, relevant, k), "what your function gives back")

    candidates, relevant = list(range(20)), {0, 3, 5, 11, 17, 19, 40, 41}  # 6 of 8 are candidates
    got = given(candidates, relevant, 4)
    mistakes = {
        6 / 8: "with k = 4 you let all 6 hits of the candidates on the screen: only k places are shown.",
        1.0: "you divide by k, or by min(k, …): the denominator of Recall is the number of relevant items.",
        2 / 8: "this is what the given order reaches; a perfect ranker would first move all hits to the top.",
    }
    otherwise = f"for k = 4, 8 relevant items and 6 of them among the candidates you give {got:.3f}."
    if not near(got, 4 / 8, 4):
        return judged(got, 4 / 8, mistakes, otherwise)
    got = given(candidates, relevant, 10)
    if near(got, 1.0):
        return "two relevant items are no candidates, so no ranker can show them: 1.0 is out of reach."
    if not near(got, 6 / 8, 4):
        return f"for k = 10 all 6 hits fit on the screen, out of 8 relevant items, and you give {got:.3f}."
    # Other people, so that no answer is right by heart.
    rng = np.random.default_rng(1)
    cases = [([2, 9, 4], {9, 50, 51}, 5), ([7, 1], {8, 30}, 2)]
    for places in range(1, 13):
        candidates = rng.permutation(60)[: rng.integers(3, 15)].tolist()
        cases.append((candidates, set(rng.permutation(60)[: rng.integers(2, 30)].tolist()), places))
    for candidates, relevant, k in cases:
        got, hits = given(candidates, relevant, k), len(relevant.intersection(candidates))
        if not near(got, min(k, hits) / len(relevant), 4):
            return (
                f"for k = {k}, {len(relevant)} relevant items and {hits} of them among the candidates you "
                f"give {got:.3f}, although other lists came out right: does a number of one case stand in "
                "your function?"
            )
    return None


def _hits(candidates, relevant):
    return len(relevant.intersection(candidates))


def _blame(answer):
    blame = {
        name: as_choice(stage, ("retrieval", "ranking", "neither"), f"the answer for {name}")
        for name, stage in as_mapping(answer, ("Ana", "Bo", "Chen")).items()
    }
    mistakes = {
        ("Ana", "ranking"): "Ana: both relevant films that reached the ranker are shown. It never had the "
        "other eight.",
        ("Ana", "neither"): "Ana: eight relevant films are missing although there was room for them on the "
        "screen.",
        ("Bo", "retrieval"): "Bo: nine of ten relevant films were among the candidates. Who left eight of "
        "them there?",
        ("Bo", "neither"): "Bo: nine of ten places hold something irrelevant, although eight more good films "
        "were at hand.",
        ("Chen", "retrieval"): "Chen: two films were lost at retrieval, but would finding them have changed "
        "the screen?",
        ("Chen", "ranking"): "Chen: all ten places hold relevant films. No ranker can do better with ten "
        "places.",
    }
    return next((mistakes[found] for found in blame.items() if found in mistakes), None)


def _crowds():
    """Matrices with many equal counts: an unstable sort, or an order of first sight, shows its hand."""
    people, items = np.ogrid[:20, :60]
    yield (people < items * 7 % 11 + items % 3).astype(np.float32)
    lively = np.random.default_rng(14).random((15, 44)) < 0.3
    lively[0, :20] = False  # the first person has no item with a low id
    yield lively.astype(np.float32)


def _ids(got):
    """The answer as a list of whole numbers."""
    return as_array(as_list(got)).ravel().tolist()


def _most_popular(answer):
    most_popular = as_function(answer, "most_popular(train_matrix, k)")
    for crowd in _crowds():
        people, items = crowd.shape
        for k in (30, 2, items):
            if reason := _popular_list(_ids(most_popular(sp.csr_array(crowd), k)), crowd, k):
                return reason.format(people=people, items=items, last=items - 1, k=k)
    return None


def _popular_list(got, crowd, k):
    counts, items = crowd.sum(axis=0), np.arange(crowd.shape[1])
    if got == np.lexsort((items, -counts))[:k].tolist():
        return None
    if got == np.lexsort((-items, -counts))[:k].tolist():
        return "of equally popular items you put the highest id first: ties go by rising id."
    if got == np.lexsort((items, counts))[:k].tolist():
        return "this is the wrong end: the least popular items come first."
    if k > len(crowd) == len(got):
        return "{people} people, k = {k}, and you give back {people} ids: do you add up over the people?"
    if len(got) != k:
        return f"for {{items}} items and k = {{k}} you give back {len(got)} ids: the list must have k places."
    if got == np.sort(counts)[::-1][:k].tolist():
        return "these are the counts; wanted are the ids of the items that have them."
    if len(set(got)) < k or not set(got) <= set(items.tolist()):
        return (
            "an id stands in your list twice, or belongs to no item: {items} items have the ids 0 to {last}."
        )
    if np.array_equal(counts[np.array(got, dtype=int)], np.sort(counts)[::-1][:k]):
        return (
            "the counts fall as they should, but equally popular items do not stand in order of rising id. "
            "Does your sort promise to keep the order of equals?"
        )
    return "for {items} items and k = {k}, your list does not hold the most popular items in falling order."


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
        wrong_examples=(2 / 3, 3 / 5, 2, 0.5, "0.4", 0.3992, None, float("nan"), float("inf"), True),
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
            lambda candidates, relevant, k: (
                min(k, _hits(candidates, relevant)) / (2 + _hits(candidates, relevant))
            ),
            lambda candidates, relevant, k: {4: 1 / 2, 10: 3 / 4, 5: 1 / 3}[k],
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
            lambda matrix, k: [item for item, _ in Counter(matrix.tocoo().col.tolist()).most_common(k)],
        ),
        right="Ties by id make the list the same on every machine.",
    ),
)
