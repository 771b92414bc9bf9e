"""Exercises and questions of lesson 01a, background: the recall stage."""

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
from course_lib.learn.questions import Question

# Whose list, in order; K; what is relevant.
LISTS = {"Ana": ((7, 3, 9, 1, 5), 3, {1, 3, 4, 8, 9}), "Bo": ((2, 6, 8, 4, 1), 4, {4, 5})}

# What a learner may compute instead of Recall@K, each from the same list, K and relevant films.
RECALL_MISTAKES = {
    "{name}: this divides the hits by K (Precision@K), or by the smaller of K and the number of relevant "
    "films, which is another convention. Here all that could be found stand below the line.": (
        lambda ids, k, relevant: len(set(ids[:k]) & relevant) / k
    ),
    "{name}: this looks at the whole list, and only the first {k} places count.": (
        lambda ids, k, relevant: len(set(ids) & relevant) / len(relevant)
    ),
    "{name}: this is the number of hits; Recall is a share of something.": (
        lambda ids, k, relevant: len(set(ids[:k]) & relevant)
    ),
    "{name}: this leaves out place {k}. A list of K places has a K-th one, too.": (
        lambda ids, k, relevant: len(set(ids[: k - 1]) & relevant) / len(relevant)
    ),
}


def _recall(answer):
    for name, value in as_mapping(answer, LISTS).items():
        ids, k, relevant = LISTS[name]
        got, right = as_number(value, f"the answer for {name}"), len(set(ids[:k]) & relevant) / len(relevant)
        if near(got, right):
            continue
        for message, mistake in RECALL_MISTAKES.items():
            if near(got, mistake(ids, k, relevant)):
                return message.format(name=name, k=k)
        return f"{name}: count the hits among the first {k}, and divide by the number of relevant films."
    return None


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


# Relevant films, those among the candidates, those on the screen of ten places.
PEOPLE = {"Ana": (10, 2, 2), "Bo": (10, 9, 1), "Chen": (30, 28, 10), "Dana": (12, 10, 9)}
PLACES = 10


def _stage_to_blame(relevant, found, shown):
    lost_by_retrieval = min(PLACES, relevant) - min(PLACES, found)
    lost_by_ranking = min(PLACES, found) - shown
    if not lost_by_retrieval and not lost_by_ranking:
        return "neither"
    return "retrieval" if lost_by_retrieval > lost_by_ranking else "ranking"


def _blame(answer):
    for name, stage in as_mapping(answer, PEOPLE).items():
        stage = as_choice(stage, ("retrieval", "ranking", "neither"), f"the answer for {name}")
        relevant, found, shown = PEOPLE[name]
        right = _stage_to_blame(relevant, found, shown)
        if stage == right:
            continue
        if stage == "retrieval":
            lost = min(PLACES, relevant) - min(PLACES, found)
            return (
                f"{name}: what retrieval lost costs {lost} of the {PLACES} places. And what did the ranker "
                f"make of the {found} that it had?"
            )
        if stage == "ranking":
            return (
                f"{name}: {found} relevant films reached the ranker, {shown} are shown in {PLACES} places. "
                "A ranker cannot show what it was not given, nor more than there are places."
            )
        return (
            f"{name}: of {relevant} relevant films {shown} are shown, although there are {PLACES} places. "
            "So something was lost on the way: before the ranker, or by it?"
        )
    return None


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
        return (
            "{people} people, k = {k}, and you give back {people} ids: that is one count a person, "
            "and wanted is one count an item."
        )
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
        key="01a.1",
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
    Exercise(
        key="01a.2",
        question="Recall@K of two lists.",
        judge=_recall,
        hints=(
            "Cut each list after its K places first.",
            "Which of these films are relevant?",
            "Divide the hits by all relevant films, also those that are nowhere in the list.",
        ),
        wrong_examples=(
            {"Ana": 2 / 3, "Bo": 1 / 4},
            {"Ana": 3 / 5, "Bo": 1 / 2},
            {"Ana": 2, "Bo": 1},
            {"Ana": 1 / 5, "Bo": 0},
            {"Ana": 2 / 5, "Bo": 0},
            {"Ana": 2 / 5, "Bo": 1 / 4},
            {"Ana": 2 / 5, "Bo": 1},
            {"Ana": 0.3992, "Bo": 1 / 2},
            {"Ana": 2 / 5, "Bo": 0.1},
            {"Ana": "0.4", "Bo": 0.5},
        ),
        right="Films that a list never shows count in the denominator, too: 2 of 5, and 1 of 2.",
    ),
    Exercise(
        key="01a.3",
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
        key="01a.4",
        question="Which stage is to blame for what is missing on the screen?",
        judge=_blame,
        choice=True,
        hints=(
            "A ranker can only show what it was given.",
            "Compare two numbers: what was among the candidates, and what is on the screen.",
            "The screen has ten places. Could they be filled better with what was at hand?",
        ),
        wrong_examples=(
            {"Ana": "ranking", "Bo": "ranking", "Chen": "ranking", "Dana": "ranking"},
            {"Ana": "retrieval", "Bo": "retrieval", "Chen": "retrieval", "Dana": "retrieval"},
            {"Ana": "retrieval", "Bo": "ranking", "Chen": "retrieval", "Dana": "retrieval"},
            {"Ana": "retrieval", "Bo": "ranking", "Chen": "neither", "Dana": "retrieval"},
            {"Ana": "neither", "Bo": "ranking", "Chen": "neither", "Dana": "ranking"},
            {"Ana": "retrieval", "Bo": "ranking", "Chen": "ranking", "Dana": "ranking"},
            {"Ana": "retrieval", "Bo": "ranking", "Chen": "neither", "Dana": "neither"},
        ),
        right="Chen's Recall@10 is only 1/3, and nobody did anything wrong: look at the ceiling first.",
    ),
)

CHANNELS = ("popularity", "keywords", "genres", "item neighbours")


def _half_of_the_quality(found):
    """Which stage loses more of a perfect NDCG@10: 1 − ceiling, or ceiling − reached."""
    return "A" if 1 - found["ceiling"] > found["ceiling"] - found["reached"] else "B"


QUESTIONS = (
    Question(
        key="01a.q1",
        text="Which of the four lists holds most of our person's hidden films (section 2)?",
        options=CHANNELS,
        right=lambda found: "ABCD"[max(range(4), key=lambda place: found["hits"][place])],
        because={
            "A": "popularity shows everybody the same ten films: it is the bar over all people, not for one.",
            "B": "the words of the known films found fewer ✓ than another list.",
            "C": "the same genres are not yet the same films: another list has more ✓.",
            "D": "what is best on average need not be best for one person: count the ✓.",
        },
        others=({"hits": [3, 1, 0, 2]}, {"hits": [0, 1, 0, 2]}),
    ),
    Question(
        key="01a.q2",
        text="A far better, far larger ranker is put behind the 100 popular candidates. What is the highest "
        "NDCG@10 that it can reach?",
        options=(
            "1, if it is good enough",
            "less than half of 1",
            "more than half of 1, less than 1",
            "what our ranker reaches",
        ),
        right=lambda found: (
            "A"
            if found["ceiling"] > 0.999
            else "D"
            if found["ceiling"] - found["reached"] < 0.01
            else "C"
            if found["ceiling"] > 0.5
            else "B"
        ),
        because={
            "A": "no ranker can show a film that is no candidate, however large the ranker is.",
            "B": "that is too low: the perfect ranker of section 3 reached {ceiling} with these candidates.",
            "C": "look at the ceiling at K = 100 once more.",
            "D": "our ranker is far from perfect: it leaves hits of its candidates below place ten.",
        },
    ),
    Question(
        key="01a.q3",
        text="From 100 to 1,000 candidates, with our ranker behind them: what grows more?",
        options=("the ceiling", "what the ranker reaches", "both alike, within a tenth"),
        right=lambda found: (
            "C"
            if abs(found["ceiling_gain"] - found["ranker_gain"]) < 0.1 * abs(found["ceiling_gain"])
            else "A"
            if found["ceiling_gain"] > found["ranker_gain"]
            else "B"
        ),
        because={
            "A": "the ceiling is only what could be reached; compare the two gains.",
            "B": "more hits among the candidates do not help a ranker that cannot tell them apart: it "
            "gained {ranker_gain}, the ceiling {ceiling_gain}.",
            "C": "the ranker does not get a fixed share of the ceiling: compare the two gains.",
        },
    ),
    Question(
        key="01a.q4",
        text="With 100 popular candidates, which stage loses more of a perfect NDCG@10?",
        options=("retrieval", "ranking"),
        right=_half_of_the_quality,
        because={
            "A": "what retrieval loses is 1 − ceiling. Is it more than what lies between ceiling and result?",
            "B": "what ranking loses is ceiling − result. Is that more than what lies above the ceiling?",
        },
    ),
    Question(
        key="01a.q5",
        text="How many of the main packages, in the versions of the lock, accept the documents' Python 3.8?",
        options=("none of them", "some of them", "all of them"),
        right=lambda found: (
            "A" if found["accepting"] == 0 else "C" if found["accepting"] == found["packages"] else "B"
        ),
        because={
            "A": "the table has a column for it: some say yes.",
            "B": "a package says in its metadata which Python it wants; count them in the table.",
            "C": "that pip finds *some* old version for 3.8 does not mean that it finds the pinned one.",
        },
    ),
)
