import copy
import pickle

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


# ── What was drawn ────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_in_a_report_can_be_changed(report):
    mine = np.array([0.1, 0.2, 0.3])
    own = Report.of({"mine": mine}, groups=np.array([0, 0, 1]))
    mine[0] = 9
    assert own.mean("mine") == pytest.approx(0.2)
    for change in (
        lambda: own.per_user.update({"more": mine}),
        lambda: own.per_user.__setitem__("more", mine),
        lambda: report.overall.__setitem__("coverage@2", 0.0),
    ):
        with pytest.raises((AttributeError, TypeError)):
            change()
    for array in (own.per_user["mine"], own.groups):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 9


def test_a_report_is_copied_and_pickled_whole():
    own = Report.of({"a": np.array([0.1, np.nan])}, seed=4, groups=np.array([3, 5]), unit="readers")
    for again in (copy.deepcopy(own), pickle.loads(pickle.dumps(own))):
        np.testing.assert_array_equal(again.per_user["a"], own.per_user["a"])
        np.testing.assert_array_equal(again.groups, own.groups)
        assert (again.seed, again.unit, again.n_users) == (4, "readers", 2)


def test_the_unit_stands_in_tables_and_messages_and_is_kept():
    seeds = Report.of({"recall@100": np.array([0.2, 0.4, np.nan, 0.6])}, unit="seeds")
    assert seeds.table().loc["recall@100", "seeds"] == 3
    more = seeds.only([0, 1]).with_values("b", [1.0, 2.0])
    assert more.unit == "seeds"
    difference = compare(more, Report.of({"b": [0.5, 1.0]}, unit="seeds"), "b")
    assert (difference.unit, difference.difference) == ("seeds", 0.75)
    with pytest.raises(ValueError, match=r"seeds in the first report, and one of the users"):
        compare(more, Report.of({"b": [0.5, 1.0]}), "b")
    with pytest.raises(ValueError, match="for different seeds"):
        compare(seeds, more, "recall@100")
    with pytest.raises(ValueError, match="none of the draws"):
        compare(*[Report.of({"b": [np.nan]}, unit="draws")] * 2, "b")
    for unit in ("", "  ", 7, None):
        with pytest.raises(ValueError, match="unit must name"):
            Report.of({"b": [0.5]}, unit=unit)


def test_draws_are_resampled_where_users_are_judged_on_each():
    """Ten draws of films differ much, their 200 users little: users alone would give a narrow interval."""
    generator = np.random.default_rng(1)
    values = generator.normal(0.3, 0.1, size=(10, 1)) + generator.normal(0, 0.02, size=(10, 200))
    values[2, 5] = np.nan
    drawn = Report.of({"recall@100": values}, seed=2, unit="draws")
    rows, groups = np.ravel(values), np.repeat(np.arange(10), 200)
    defined = ~np.isnan(rows)
    assert drawn.mean("recall@100") == pytest.approx(np.nanmean(values))
    assert drawn.interval("recall@100") == bootstrap_interval(rows[defined], seed=2, groups=groups[defined])
    by_draw = bootstrap_interval(np.nanmean(values, axis=1), seed=2)
    assert drawn.interval("recall@100") == pytest.approx(by_draw, abs=1e-3)
    alone = bootstrap_interval(rows[defined], seed=2)
    assert np.diff(drawn.interval("recall@100")) > 5 * np.diff(alone)
    assert drawn.table().loc["recall@100", "draws"] == 10


def test_draws_are_compared_in_pairs():
    generator = np.random.default_rng(3)
    of_draw = generator.normal(0.3, 0.2, size=(8, 1))
    first = Report.of({"a": of_draw + 0.02 + generator.normal(0, 0.01, (8, 50))}, unit="draws")
    second = Report.of({"a": of_draw + generator.normal(0, 0.01, (8, 50))}, unit="draws")
    difference = compare(first, second, "a")
    assert difference.side == "above"
    assert difference.within(0.05)
    assert not difference.within(0.01)
    assert difference.p_value == pytest.approx(2 / 2**8, abs=0.005)  # both all-alike sign patterns of 8 draws
    assert difference.unit == "draws"


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        ([0.5], {}, "name at least one value"),
        ({"a": 0.5}, {}, "one number for each row"),
        ({"a": np.zeros((2, 2, 2))}, {}, "one number for each row"),
        ({"a": np.zeros((2, 3)), "b": np.zeros(6)}, {}, "b must be"),
        ({"a": np.zeros((2, 3))}, {"groups": np.zeros(6, int)}, "leave out groups"),
        ({"a": ["good", "bad"]}, {}, "a must hold numbers"),
        ({"a": [1.0, np.inf]}, {}, "a is infinite in row 1"),
        ({"a": [1.0, 2.0]}, {"groups": np.array([0.0, 1.0])}, "groups must be one integer"),
    ],
)
def test_what_is_no_report_is_refused(values, options, message):
    with pytest.raises(ValueError, match=message):
        Report.of(values, **options)


@pytest.mark.parametrize(
    "rows", [[True, False], [3], [-1], [0.0, 1.0], ["0"], [[0, 1]], 1, [True, False, True, False]]
)
def test_rows_that_a_report_does_not_have_are_refused(report, rows):
    with pytest.raises(ValueError, match=r"rows must be bool \[3\] or row numbers from 0 to 2"):
        report.only(rows)
