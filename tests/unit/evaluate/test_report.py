import numpy as np
import pytest
import scipy.sparse as sp

from course_lib.data import Interactions
from course_lib.evaluate import Comparison, Report, bootstrap_interval, compare, evaluate, side_by_side
from course_lib.retrieve import Candidates


def lists_of(ids):
    ids = np.array(ids)
    return Candidates(ids, np.where(ids < 0, -np.inf, -np.arange(ids.shape[1], dtype=np.float32)))


@pytest.fixture
def relevant():
    """Three users, five items; the last user has nothing to find."""
    return sp.csr_array(np.array([[1.0, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 0, 0]]))


@pytest.fixture
def report(relevant):
    return evaluate(lists_of([[0, 4], [3, 2], [1, 2]]), relevant, ["recall@2", "mrr@1", "coverage@2"])


def test_users_without_relevant_items_are_left_out_and_counted(report):
    np.testing.assert_array_equal(report.per_user["recall@2"], [0.5, 1.0, np.nan])
    assert report.mean("recall@2") == 0.75
    assert (report.n_users, report.n_without_relevant) == (3, 1)
    assert report.metrics == ("recall@2", "mrr@1", "coverage@2")


def test_table_has_a_row_a_metric(report):
    table = report.table()
    assert list(table.columns) == ["mean", "low", "high", "users"]
    assert table.loc["recall@2", "users"] == 2
    assert table.loc["coverage@2", "users"] == 3
    assert table.loc["recall@2", "low"] <= 0.75 <= table.loc["recall@2", "high"]
    assert np.isnan(table.loc["coverage@2", "low"])
    assert table.loc["coverage@2", "mean"] == 1


def test_no_user_with_anything_to_find():
    report = evaluate(lists_of([[0]]), sp.csr_array((1, 3)), ["recall@1"])
    assert np.isnan(report.mean("recall@1"))
    assert np.isnan(report.interval("recall@1")).all()


def test_unknown_name_in_a_report(report):
    with pytest.raises(KeyError, match="recall@2, mrr@1"):
        report.mean("recall@3")


def test_side_by_side(report):
    both = side_by_side({"a": report, "b": report}, ["recall@2"])
    assert both.index.tolist() == [("a", "recall@2"), ("b", "recall@2")]


@pytest.mark.parametrize("metric", ["recall", "recall@0", "recall@-1", "recall@x", "Recall@2", "accuracy@2"])
def test_unknown_metric_is_refused(relevant, metric):
    with pytest.raises(ValueError, match="Unknown metric"):
        evaluate(lists_of([[0, 4], [3, 2], [1, 2]]), relevant, [metric])


def test_cut_off_beyond_the_list_is_refused_until_the_lists_are_called_complete(relevant):
    lists = lists_of([[0, 4], [3, 2], [1, 2]])
    with pytest.raises(ValueError, match=r"retrieve with k=5.*padded\(5\)"):
        evaluate(lists, relevant, ["recall@5"])
    assert evaluate(lists.padded(5), relevant, ["recall@5"]).mean("recall@5") == 0.75
    assert evaluate(lists.padded(5), relevant, ["precision@5"]).mean("precision@5") == pytest.approx(0.2)


def test_transposed_or_foreign_relevance_is_refused(relevant):
    lists = lists_of([[0, 4], [3, 2], [1, 2]])
    with pytest.raises(ValueError, match="transposed"):
        evaluate(lists, relevant.T, ["recall@2"])
    with pytest.raises(ValueError, match="same users"):
        evaluate(lists, relevant[:2], ["recall@2"])
    with pytest.raises(ValueError, match="item 4, but relevant has 4 items"):
        evaluate(lists, relevant[:, :4], ["recall@2"])


@pytest.mark.parametrize("value", [np.nan, -1.0, np.inf])
def test_relevance_that_is_no_grade_is_refused(value):
    with pytest.raises(ValueError, match="relevant: a stored value"):
        evaluate(lists_of([[0]]), sp.csr_array(np.array([[value, 1.0]])), ["recall@1"])


def test_metrics_that_need_more_say_what(relevant):
    lists = lists_of([[0, 4], [3, 2], [1, 2]])
    other = Interactions(
        np.array([0]), np.array([0]), None, None, np.array(["u"]), np.arange(9).astype(str), name="other"
    )
    for metric in ("novelty@2", "average_popularity@2"):
        with pytest.raises(ValueError, match="train=split"):
            evaluate(lists, relevant, [metric])
        with pytest.raises(ValueError, match="9 items"):
            evaluate(lists, relevant, [metric], train=other)
    with pytest.raises(ValueError, match="item_vectors="):
        evaluate(lists, relevant, ["intra_list_diversity@2"])
    with pytest.raises(ValueError, match="3 vectors for 5 items"):
        evaluate(lists, relevant, ["intra_list_diversity@2"], item_vectors=np.ones((3, 2)))


def test_comparison_is_paired():
    """Hard and easy users differ far more than the two retrievers do, and only pairing sees that."""
    generator = np.random.default_rng(0)
    n_users, n_items = 400, 60
    ease = np.repeat(generator.integers(1, 30, size=n_users)[:, None], n_items, axis=1)
    relevant = sp.csr_array((generator.random((n_users, n_items)) < ease / 60).astype(float))
    base = generator.random((n_users, n_items))
    better = base + 0.02 * relevant.toarray()
    metric = "precision@10"
    one, two = (
        evaluate(Candidates.from_catalogue_scores(scores, 10), relevant, [metric])
        for scores in (better, base)
    )
    difference = compare(one, two, metric)
    assert difference.difference == pytest.approx(one.mean(metric) - two.mean(metric), abs=1e-12)
    assert one.interval(metric)[0] < two.interval(metric)[1]  # the separate intervals overlap
    assert difference.is_clear
    assert difference.interval[0] < difference.difference < difference.interval[1]
    assert difference.p_value < 0.01
    back = compare(two, one, metric)
    assert back.difference == pytest.approx(-difference.difference)
    assert back.p_value == difference.p_value


def test_a_report_does_not_differ_from_itself(report):
    same = compare(report, report, "recall@2")
    assert (same.difference, same.interval, same.p_value, same.is_clear) == (0, (0, 0), 1, False)


def test_reports_of_different_users_are_not_compared(report, relevant):
    shorter = evaluate(lists_of([[0, 4], [3, 2]]), relevant[:2], ["recall@2"])
    others = evaluate(lists_of([[0, 4], [3, 2], [1, 2]]), relevant[[0, 2, 1]], ["recall@2"])
    for other in (shorter, others):
        with pytest.raises(ValueError, match="different users"):
            compare(report, other, "recall@2")
    with pytest.raises(KeyError, match="coverage@2"):
        compare(report, report, "coverage@2")


# ── Reports of one's own numbers, and what a comparison says ──────────────────────────────────────────────


def test_a_report_of_ones_own_numbers_is_like_any_other():
    draws = np.array([0.2, 0.4, np.nan, 0.6])
    report = Report.of({"recall@100": draws}, seed=3)
    assert report.mean("recall@100") == pytest.approx(0.4)
    assert report.interval("recall@100") == bootstrap_interval(draws[[0, 1, 3]], seed=3)
    with pytest.raises(ValueError, match="name at least one value"):
        Report.of({})
    with pytest.raises(ValueError, match="one number for each of the 4 rows"):
        Report.of({"a": draws, "b": draws[:2]})


def test_some_rows_of_a_report_are_those_rows(report):
    for rows in (np.array([True, False, True]), np.array([0, 2])):
        part = report.only(rows)
        np.testing.assert_array_equal(part.per_user["recall@2"], [0.5, np.nan])
        assert (part.n_users, part.n_without_relevant, part.overall) == (2, 1, {})
    by_user = Report.of({"auc": np.arange(4.0)}, groups=np.array([7, 7, 8, 9]))
    np.testing.assert_array_equal(by_user.only(np.array([1, 2])).groups, [7, 8])


def test_one_more_number_a_row_leaves_the_report_as_it_was(report):
    more = report.with_values("hours", np.array([1.0, 2.0, 3.0]))
    assert more.mean("hours") == 2
    assert more.mean("recall@2") == report.mean("recall@2")
    assert "hours" not in report.per_user


@pytest.mark.parametrize(
    ("interval", "side", "same"),
    [
        ((0.001, 0.004), "above", True),
        ((0.001, 0.2), "above", False),
        ((-0.2, -0.001), "below", False),
        ((-0.004, 0.004), "unclear", True),
        ((-0.2, 0.2), "unclear", False),
        ((0.0, 0.004), "unclear", True),
        ((float("nan"), float("nan")), "unclear", False),
    ],
)
def test_a_comparison_has_a_side_and_may_be_the_same_within_a_margin(interval, side, same):
    found = Comparison("recall@100", 0.0, interval, 1.0, 100, 0.95)
    assert (found.side, found.is_clear, found.within(0.005)) == (side, side != "unclear", same)


def test_what_could_not_have_been_seen_is_half_the_interval():
    assert Comparison("a", 0.01, (-0.02, 0.04), 0.4, 9, 0.95).half_width == pytest.approx(0.03)
    with pytest.raises(ValueError, match="margin"):
        Comparison("a", 0.01, (-0.02, 0.04), 0.4, 9, 0.95).within(0)
