"""Vectorised metrics against definitions as loops, on ties, pads, empty users and K above the list."""

import doctest
from itertools import combinations, pairwise
from math import log2, nan, sqrt

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.data import Interactions
from course_lib.evaluate import METRICS, accuracy, auc, evaluate, lists
from course_lib.evaluate.report import GRADED_METRICS, HIT_METRICS
from course_lib.retrieve import Candidates

TOLERANCE = 1e-9


@st.composite
def cases(draw):
    n_users, n_items = draw(st.integers(1, 5)), draw(st.integers(2, 8))
    cells = st.lists(st.sampled_from([-np.inf, 0.0, 0.5, 1.0]), min_size=n_items, max_size=n_items)
    grades = st.lists(st.sampled_from([0, 0, 0, 1, 2, 3]), min_size=n_items, max_size=n_items)
    scores = np.array(draw(st.lists(cells, min_size=n_users, max_size=n_users)), dtype=np.float32)
    relevance = np.array(draw(st.lists(grades, min_size=n_users, max_size=n_users)), dtype=float)
    k = draw(st.integers(1, n_items + 2))
    return scores, relevance, k


def relevant_matrix(relevance):
    """Every cell is stored, zeros too: a stored zero is not relevant."""
    n_users, n_items = relevance.shape
    columns = np.tile(np.arange(n_items), n_users)
    return sp.csr_array((relevance.ravel(), columns, np.arange(n_users + 1) * n_items), shape=relevance.shape)


def one_list(scores, k):
    return [item for _, item in sorted((-s, item) for item, s in enumerate(scores) if s > -np.inf)][:k]


def dcg(gains):
    return sum(gain / log2(rank + 1) for rank, gain in enumerate(gains, start=1))


def by_definition(ranked, grades, k):
    """All metrics of one user, from the list of items and the grade of each item."""
    relevant = {item for item, grade in enumerate(grades) if grade > 0}
    if not relevant:
        return dict.fromkeys([*HIT_METRICS, *GRADED_METRICS], nan)
    hit_ranks = [rank for rank, item in enumerate(ranked, start=1) if item in relevant]
    found = len(hit_ranks)
    precisions = sum(place / rank for place, rank in enumerate(hit_ranks, start=1))
    falling = sorted(grades, reverse=True)[:k]
    return {
        "recall": found / len(relevant),
        "recall_capped": found / min(k, len(relevant)),
        "precision": found / k,
        "hit_rate": float(found > 0),
        "mrr": 1 / hit_ranks[0] if found else 0.0,
        "map": precisions / len(relevant),
        "map_capped": precisions / min(k, len(relevant)),
        "map_of_hits": precisions / found if found else 0.0,
        "ndcg": dcg([item in relevant for item in ranked]) / dcg([1] * min(k, len(relevant))),
        "ndcg_linear": dcg([grades[item] for item in ranked]) / dcg(falling),
        "ndcg_exponential": dcg([2 ** grades[item] - 1 for item in ranked])
        / dcg([2**g - 1 for g in falling]),
    }


@settings(max_examples=300, deadline=None)
@given(cases())
def test_accuracy_is_the_definition(case):
    scores, relevance, k = case
    n_items = scores.shape[1]
    candidates = Candidates.from_catalogue_scores(scores, n_items).padded(max(k, n_items))
    expected = [
        by_definition(one_list(row, k), grades, k) for row, grades in zip(scores, relevance, strict=True)
    ]
    report = evaluate(candidates, relevant_matrix(relevance), [f"{metric}@{k}" for metric in expected[0]])
    for metric in expected[0]:
        np.testing.assert_allclose(
            report.per_user[f"{metric}@{k}"],
            [user[metric] for user in expected],
            rtol=0,
            atol=TOLERANCE,
            err_msg=metric,
        )
    assert report.n_without_relevant == sum(not grades.any() for grades in relevance)


def cosine(a, b):
    lengths = sqrt(a @ a) * sqrt(b @ b)
    return (a @ b) / lengths if lengths else 0.0


def mean_or_nan(values):
    return sum(values) / len(values) if values else nan


@settings(max_examples=200, deadline=None)
@given(cases(), st.integers(0, 10_000))
def test_list_metrics_are_the_definition(case, seed):
    scores, relevance, k = case
    n_items = scores.shape[1]
    generator = np.random.default_rng(seed)
    vectors = generator.integers(-1, 2, size=(n_items, 3)).astype(float)
    pairs = generator.random((6, n_items)) < 0.4
    users, items = (indices.astype(np.int64) for indices in np.nonzero(pairs))
    train = Interactions(
        users, items, None, None, np.arange(6).astype(str), np.arange(n_items).astype(str), name="train"
    )
    ranked = [one_list(row, k) for row in scores]
    counts = pairs.sum(axis=0)
    exposures = [sum(item in row for row in ranked) for item in range(n_items)]
    differences = sum(abs(a - b) for a in exposures for b in exposures)
    total = sum(exposures)

    candidates = Candidates.from_catalogue_scores(scores, n_items).padded(max(k, n_items))
    names = ("coverage", "gini", "novelty", "average_popularity", "intra_list_diversity")
    for dense in (True, False):
        report = evaluate(
            candidates,
            relevant_matrix(relevance),
            [f"{name}@{k}" for name in names],
            train=train,
            item_vectors=vectors if dense else sp.csr_array(vectors),
        )
        expected = {
            "novelty": [mean_or_nan([-log2((counts[item] + 1) / 7) for item in row]) for row in ranked],
            "average_popularity": [mean_or_nan([counts[item] / 6 for item in row]) for row in ranked],
            "intra_list_diversity": [
                mean_or_nan([1 - cosine(vectors[a], vectors[b]) for a, b in combinations(row, 2)])
                for row in ranked
            ],
        }
        for name, values in expected.items():
            np.testing.assert_allclose(
                report.per_user[f"{name}@{k}"], values, rtol=0, atol=TOLERANCE, err_msg=name
            )
        assert report.mean(f"coverage@{k}") == pytest.approx(
            len({item for row in ranked for item in row}) / n_items, abs=TOLERANCE
        )
        # Gini as half the relative mean absolute difference of all pairs.
        assert report.mean(f"gini@{k}") == pytest.approx(
            differences / (2 * n_items * total) if total else nan, abs=TOLERANCE, nan_ok=True
        )


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.lists(
            st.tuples(st.sampled_from([-np.inf, -1.0, 0.0, 1.0, 2.0]), st.sampled_from([-1, 0, 0, 1])),
            min_size=4,
            max_size=4,
        ),
        min_size=1,
        max_size=4,
    )
)
def test_auc_is_the_share_of_pairs_won(impressions):
    scores = np.array([[score for score, _ in row] for row in impressions])
    clicked = np.array([[click for _, click in row] for row in impressions])
    expected = []
    for row in impressions:
        wins = [
            (mine > other) + 0.5 * (mine == other)
            for mine, click in row
            for other, shown in row
            if click == 1 and shown == 0
        ]
        expected.append(mean_or_nan(wins))
    np.testing.assert_allclose(auc(scores, clicked), expected, rtol=0, atol=TOLERANCE)


def test_cut_offs_nest():
    """Recall and hit rate never fall as k grows, whatever the list."""
    generator = np.random.default_rng(0)
    candidates = Candidates.from_catalogue_scores(generator.random((50, 40)), 40)
    relevant = sp.csr_array((generator.random((50, 40)) < 0.2).astype(float))
    report = evaluate(
        candidates, relevant, [f"{m}@{k}" for m in ("recall", "hit_rate") for k in (1, 5, 20, 40)]
    )
    for metric in ("recall", "hit_rate"):
        for small, large in pairwise((1, 5, 20, 40)):
            assert (report.per_user[f"{metric}@{small}"] <= report.per_user[f"{metric}@{large}"]).all()
    assert report.mean("recall@40") == 1


def test_many_users_in_small_blocks_give_the_same(monkeypatch):
    generator = np.random.default_rng(0)
    candidates = Candidates.from_catalogue_scores(generator.random((30, 20)), 10)
    relevant = sp.csr_array((generator.random((30, 20)) < 0.2).astype(float))
    metrics = ["recall@10", "ndcg@10"]
    at_once = evaluate(candidates, relevant, metrics)
    monkeypatch.setattr("course_lib.evaluate.report.LOOKUP_CELLS", 50)
    in_blocks = evaluate(candidates, relevant, metrics)
    for metric in metrics:
        np.testing.assert_array_equal(at_once.per_user[metric], in_blocks.per_user[metric])


def test_examples_in_the_docstrings_run():
    for module in (accuracy, lists):
        result = doctest.testmod(module)
        assert result.attempted >= 5
        assert result.failed == 0


def test_every_metric_has_a_definition_here():
    tested = set(by_definition([0], [1], 1)) | {
        "coverage",
        "gini",
        "novelty",
        "average_popularity",
        "intra_list_diversity",
    }
    assert tested == set(METRICS)
