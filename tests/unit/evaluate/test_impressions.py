"""MIND's metrics against a loop over its definitions, and the propensity estimate against a known truth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from course_lib.evaluate import bootstrap_interval, compare, evaluate_impressions, inverse_propensity_rate


def mind(scores, labels):
    """The definitions, one impression: AUC, mean reciprocal rank of all clicks, nDCG at 5 and 10."""
    order = sorted(range(len(labels)), key=lambda place: -scores[place])
    ranked = [labels[place] for place in order]
    reciprocal = sum(label / rank for rank, label in enumerate(ranked, 1)) / sum(labels)

    def gain(sequence, k):
        return sum((2**label - 1) / np.log2(rank + 1) for rank, label in enumerate(sequence[:k], 1))

    ideal = sorted(labels, reverse=True)
    return [
        roc_auc_score(labels, scores),
        reciprocal,
        *(gain(ranked, k) / gain(ideal, k) for k in (5, 10)),
    ]


@given(
    st.lists(st.tuples(st.integers(2, 30), st.integers(1, 29)), min_size=1, max_size=6), st.integers(0, 99)
)
def test_the_four_metrics_are_those_of_mind(sizes, seed):
    generator = np.random.default_rng(seed)
    width = max(shown for shown, _ in sizes)
    items = np.full((len(sizes), width), -1)
    clicked = np.full((len(sizes), width), -1)
    scores = generator.random((len(sizes), width))
    wanted = []
    for row, (shown, n_clicks) in enumerate(sizes):
        labels = np.zeros(shown, dtype=int)
        labels[: min(n_clicks, shown - 1)] = 1
        generator.shuffle(labels)
        items[row, :shown] = generator.permutation(100)[:shown]
        clicked[row, :shown] = labels
        wanted.append(mind(scores[row, :shown].tolist(), labels.tolist()))
    report = evaluate_impressions(items, scores, clicked, np.arange(len(sizes)))
    found = np.stack([report.per_user[metric] for metric in ("auc", "mrr", "ndcg@5", "ndcg@10")], axis=1)
    assert found == pytest.approx(np.array(wanted), abs=1e-12)


def test_ties_go_by_item_and_not_by_place():
    items = np.array([[7, 3, 5]])
    clicked = np.array([[1, 0, 0]])
    report = evaluate_impressions(items, np.zeros((1, 3)), clicked, np.array([0]))
    assert report.mean("auc") == 0.5
    assert report.mean("mrr") == pytest.approx(1 / 3)
    moved = evaluate_impressions(items[:, ::-1], np.zeros((1, 3)), clicked[:, ::-1], np.array([0]))
    assert moved.mean("mrr") == report.mean("mrr")


def test_an_item_that_a_retriever_would_not_offer_stands_last():
    report = evaluate_impressions(
        np.array([[1, 9, -1]]), np.array([[-np.inf, -5, 3]]), np.array([[1, 0, -1]]), np.array([0])
    )
    assert (report.mean("auc"), report.mean("mrr")) == (0, 0.5)


def test_an_impression_without_a_click_is_left_out():
    items, clicked = np.array([[1, 2], [1, 2]]), np.array([[0, 0], [1, 0]])
    report = evaluate_impressions(items, np.array([[2, 1], [2, 1]]), clicked, np.array([0, 0]))
    assert report.n_without_relevant == 1
    assert np.isnan(report.per_user["mrr"][0])
    assert report.mean("mrr") == 1


def test_intervals_resample_users():
    """A hundred impressions of two users know no more than two users do."""
    items = np.tile([1, 2], (100, 1))
    clicked = np.tile([1, 0], (100, 1))
    users = np.repeat([0, 1], 50)
    scores = np.where(users[:, None] == 0, [2, 1], [1, 2])  # right for one user, wrong for the other
    report = evaluate_impressions(items, scores, clicked, users)
    assert report.mean("auc") == 0.5
    assert report.interval("auc") == (0, 1)
    alone = evaluate_impressions(items, scores, clicked, np.arange(100))
    low, high = alone.interval("auc")
    assert 0.35 < low < high < 0.65
    assert compare(report, report, "auc").p_value == 1
    with pytest.raises(ValueError, match="group their rows differently"):
        compare(report, alone, "auc")


def test_intervals_of_groups_of_one_are_the_plain_ones():
    generator = np.random.default_rng(0)
    items, scores = np.tile(np.arange(4), (60, 1)), generator.random((60, 4))
    clicked = np.eye(4, dtype=int)[generator.integers(4, size=60)]
    report = evaluate_impressions(items, scores, clicked, np.arange(60))
    assert report.interval("mrr") == pytest.approx(bootstrap_interval(report.values("mrr")), abs=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scores": np.zeros((1, 2))}, "alike"),
        ({"items": np.array([[1, 2]])}, "like clicked"),
        ({"items": np.array([[1.0, 2.0, 3.0]])}, "integers"),
        ({"items": np.array([[1, 2, -1]])}, "same places"),
        ({"items": np.array([[1, 2, 2]])}, "twice"),
        ({"clicked": np.array([[1, 2, 0]])}, "other than 1"),
        ({"scores": np.array([[np.nan, 0, 0]])}, "NaN"),
        ({"metrics": ["recall@5"]}, "Unknown metric"),
        ({"metrics": ["ndcg@0"]}, "Unknown metric"),
        ({"users": np.array([0, 1])}, "groups"),
    ],
)
def test_refused(change, message):
    right = {
        "items": np.array([[1, 2, 3]]),
        "scores": np.zeros((1, 3)),
        "clicked": np.array([[1, 0, 0]]),
        "users": np.array([0]),
    }
    with pytest.raises(ValueError, match=message):
        evaluate_impressions(**{**right, **change}).interval("auc")


def test_inverse_propensity_finds_what_position_hides():
    """Item 0 is as attractive as item 1 and stands lower: its click rate is lower, its estimate not."""
    generator = np.random.default_rng(0)
    looks = np.array([0.9, 0.3])
    attraction = np.array([0.4, 0.4, 0.1])
    items = np.array([[1, 0]] * 20_000 + [[0, 1]] * 5_000 + [[2, 0]] * 20_000)
    examination = np.tile(looks, (len(items), 1))
    clicked = (generator.random(items.shape) < examination * attraction[items]).astype(int)
    naive = inverse_propensity_rate(items, clicked, np.ones(items.shape), 4)
    mended = inverse_propensity_rate(items, clicked, examination, 4)
    assert naive[0] < 0.6 * naive[1]
    assert mended[:3] == pytest.approx(attraction, abs=0.02)
    assert np.isnan(mended[3])


def test_inverse_propensity_refuses_a_place_that_nobody_sees():
    with pytest.raises(ValueError, match="teaches nothing"):
        inverse_propensity_rate(np.array([[1, 2]]), np.array([[1, 0]]), np.array([[1.0, 0.0]]), 3)
    with pytest.raises(ValueError, match="alike"):
        inverse_propensity_rate(np.array([[1, 2]]), np.array([[1, 0]]), np.ones((2, 1)), 3)
