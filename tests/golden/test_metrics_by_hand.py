"""Every metric on one case that fits in the head; the arithmetic stands beside each figure.

Six items 0…5, three users, lists of four. A relevant item is marked *, its grade in brackets.

    user 0   list 3  0* 5* 1    relevant 0 (1), 5 (2), 2 (1)     hits at ranks 2 and 3 of 3 relevant items
    user 1   list 4* 1  2  –    relevant 4 (3)                   hit at rank 1 of 1; the list has three items
    user 2   list 0  1  2  3    relevant none                    left out of every accuracy metric

Discounts 1/log2(rank + 1): 1, 0.63093, 0.5, 0.43068 at ranks 1 to 4.
"""

import numpy as np
import pytest
import scipy.sparse as sp

from course_lib.data import Interactions
from course_lib.evaluate import auc, evaluate, holm
from course_lib.retrieve import Candidates

LISTS = Candidates(
    np.array([[3, 0, 5, 1], [4, 1, 2, -1], [0, 1, 2, 3]]),
    np.array([[0.9, 0.8, 0.7, 0.6], [0.9, 0.8, 0.7, -np.inf], [0.9, 0.8, 0.7, 0.6]]),
)
RELEVANT = sp.csr_array(np.array([[1.0, 0, 1, 0, 0, 2], [0, 0, 0, 0, 3, 0], [0, 0, 0, 0, 0, 0]]))

BY_HAND = {
    # metric: (user 0, user 1)
    "recall@2": (1 / 3, 1),  # one of three; one of one
    "recall@4": (2 / 3, 1),
    "recall_capped@2": (1 / 2, 1),  # min(2, 3) = 2; min(2, 1) = 1
    "recall_capped@4": (2 / 3, 1),  # min(4, 3) = 3
    "precision@2": (1 / 2, 1 / 2),
    "precision@4": (2 / 4, 1 / 4),  # user 1's empty place counts
    "hit_rate@1": (0, 1),
    "hit_rate@2": (1, 1),
    "mrr@1": (0, 1),
    "mrr@4": (1 / 2, 1),  # first hit at rank 2
    # Precision at the hits of user 0: 1/2 at rank 2, 2/3 at rank 3; their sum is 7/6.
    "map@2": ((1 / 2) / 3, 1),
    "map@4": ((7 / 6) / 3, 1),
    "map_capped@2": ((1 / 2) / 2, 1),
    "map_capped@4": ((7 / 6) / 3, 1),
    "map_of_hits@2": (1 / 2, 1),  # one hit
    "map_of_hits@4": ((7 / 6) / 2, 1),  # two hits
    # DCG of user 0: 0.63093 + 0.5 = 1.13093; the best is three hits on top, 1 + 0.63093 + 0.5 = 2.13093.
    "ndcg@4": (1.1309297535714575 / 2.1309297535714578, 1),
    # At 2: 0.63093 against two hits on top, 1 + 0.63093.
    "ndcg@2": (0.6309297535714575 / 1.6309297535714575, 1),
    # Grades of user 0 down the list: 0, 1, 2, 0 → 0.63093 + 2 · 0.5 = 1.63093;
    # best order 2, 1, 1 → 2 + 0.63093 + 0.5 = 3.13093.
    "ndcg_linear@4": (1.6309297535714575 / 3.1309297535714578, 1),
    # Gains 2^grade − 1: 0, 1, 3, 0 → 0.63093 + 3 · 0.5 = 2.13093; best 3, 1, 1 → 3 + 0.63093 + 0.5 = 4.13093.
    "ndcg_exponential@4": (2.1309297535714578 / 4.130929753571458, 1),
}


@pytest.mark.parametrize("metric", BY_HAND)
def test_accuracy(metric):
    report = evaluate(LISTS, RELEVANT, [metric])
    np.testing.assert_allclose(report.per_user[metric], [*BY_HAND[metric], np.nan], atol=1e-12)
    assert report.mean(metric) == pytest.approx(sum(BY_HAND[metric]) / 2)  # two users have something to find


def test_coverage_and_gini():
    # Cut at 2 the lists are 3 0 | 4 1 | 0 1: items 0, 1, 3, 4 of six.
    report = evaluate(LISTS, RELEVANT, ["coverage@2", "gini@2", "coverage@4", "gini@4"])
    assert report.mean("coverage@2") == pytest.approx(4 / 6)
    assert report.mean("coverage@4") == 1
    # Exposures at 2: 2 2 0 1 1 0, sorted 0 0 1 1 2 2, weights −5 −3 −1 1 3 5: 0 + 0 − 1 + 1 + 6 + 10 = 16;
    # 16 / (6 items · 6 places) = 4/9.
    assert report.mean("gini@2") == pytest.approx(4 / 9)
    # At 4: items 0…5 stand in 2 3 2 2 1 1 lists, sorted 1 1 2 2 2 3: −5 − 3 − 2 + 2 + 6 + 15 = 13;
    # 13 / (6 items · 11 places).
    assert report.mean("gini@4") == pytest.approx(13 / 66)


def test_novelty_and_popularity():
    # Three training users; items 0…5 have 3, 1, 1, 0, 0, 3 of them (pairs written user by user).
    users = np.array([0, 0, 0, 1, 1, 1, 2, 2])
    items = np.array([0, 1, 5, 0, 2, 5, 0, 5])
    train = Interactions(
        users, items, None, None, np.array(["a", "b", "c"]), np.arange(6).astype(str), name="three users"
    )
    report = evaluate(LISTS, RELEVANT, ["novelty@4", "average_popularity@4"], train=train)
    # −log2((count + 1)/4): 0 for count 3, 1 for count 1, 2 for count 0.
    # user 0: items 3 0 5 1 → 2 + 0 + 0 + 1 = 3 over 4; user 1: 4 1 2 → 2 + 1 + 1 = 4 over 3;
    # user 2: 0 1 2 3 → 0 + 1 + 1 + 2 = 4 over 4. Lists count without relevant items too.
    np.testing.assert_allclose(report.per_user["novelty@4"], [3 / 4, 4 / 3, 1])
    # Shares of the three users: 1, 1/3, 1/3, 0, 0, 1. user 0: (0 + 1 + 1 + 1/3)/4; user 1: (0 + 1/3 + 1/3)/3;
    # user 2: (1 + 1/3 + 1/3 + 0)/4.
    np.testing.assert_allclose(report.per_user["average_popularity@4"], [7 / 12, 2 / 9, 5 / 12])


def test_intra_list_diversity():
    vectors = np.array([[1.0, 0], [2, 0], [0, 3], [1, 1], [0, 0], [-1, 0]])
    report = evaluate(
        LISTS, RELEVANT, ["intra_list_diversity@2", "intra_list_diversity@4"], item_vectors=vectors
    )
    # At 2: (3, 0): cosine 1/√2; (4, 1): item 4 has no direction, cosine 0; (0, 1): cosine 1.
    np.testing.assert_allclose(
        report.per_user["intra_list_diversity@2"], [1 - 1 / np.sqrt(2), 1, 0], atol=1e-12
    )
    # user 0 at 4, items 3 0 5 1: pairs 30 .7071, 35 −.7071, 31 .7071, 05 −1, 01 1, 51 −1: sum −0.2929 over 6.
    # user 1, items 4 1 2: pairs 0, 0, 0. user 2, items 0 1 2 3: 01 1, 02 0, 03 .7071, 12 0, 13 .7071,
    # 23 .7071: sum 3.1213 over 6.
    root = 1 / np.sqrt(2)
    np.testing.assert_allclose(
        report.per_user["intra_list_diversity@4"], [1 - (root - 1) / 6, 1, 1 - (1 + 3 * root) / 6], atol=1e-12
    )


def test_auc():
    # Row 0: clicks at .8 and .3, others at .5 and .1. Pairs won: .8 beats both, .3 beats one: 3 of 4.
    # Row 1: the click ties with one of two others: ½ of a pair and 1 whole: 1.5 of 2. The pad counts nothing.
    scores = np.array([[0.8, 0.5, 0.3, 0.1], [0.5, 0.5, 0.2, 9.0]])
    clicked = np.array([[1, 0, 1, 0], [1, 0, 0, -1]])
    np.testing.assert_allclose(auc(scores, clicked), [3 / 4, 3 / 4])
    assert np.isnan(auc(np.array([[0.5, 0.2]]), np.array([[1, 1]]))).all()


def test_holm():
    # Sorted .01, .02, .04 → × 3, 2, 1 = .03, .04, .04.
    np.testing.assert_allclose(holm([0.04, 0.01, 0.02]), [0.04, 0.03, 0.04])
    # Sorted .01, .04, .05 → .03, .08, .05, and the last may not fall below .08.
    np.testing.assert_allclose(holm([0.05, 0.01, 0.04]), [0.08, 0.03, 0.08])
