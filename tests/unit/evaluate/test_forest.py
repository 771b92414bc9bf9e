import numpy as np
import pytest
import scipy.sparse as sp

from course_lib.evaluate import compare, evaluate, forest_plot
from course_lib.retrieve import Candidates


@pytest.fixture
def reports():
    generator = np.random.default_rng(0)
    relevant = sp.csr_array((generator.random((60, 20)) < 0.2).astype(float))
    metrics = ["recall@5", "coverage@5"]
    scores = {"chance": generator.random((60, 20)), "truth": relevant.toarray()}
    return {
        name: evaluate(Candidates.from_catalogue_scores(values, 5), relevant, metrics)
        for name, values in scores.items()
    }


def drawn(figure):
    (axes,) = figure.axes
    lines = [collection.get_segments()[0][:, 0].tolist() for collection in axes.collections]
    points = [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "o"]
    return [tick.get_text() for tick in axes.get_yticklabels()], points, lines


def test_reports_are_drawn_with_their_intervals(reports):
    names, points, lines = drawn(forest_plot(reports, "recall@5"))
    assert names == ["chance", "truth"]
    assert points == [report.mean("recall@5") for report in reports.values()]
    assert lines == [list(report.interval("recall@5")) for report in reports.values()]


def test_comparisons_are_drawn_beside_zero(reports):
    better = compare(reports["truth"], reports["chance"], "recall@5")
    same = compare(reports["chance"], reports["chance"], "recall@5")
    figure = forest_plot({"truth": better, "itself": same})
    _, points, _ = drawn(figure)
    assert points == [better.difference, 0]
    faces = [line.get_markerfacecolor() for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert faces[0] != "white"
    assert faces[1] == "white"  # its interval does not leave out zero
    assert "difference" in figure.axes[0].get_xlabel()


def test_what_cannot_be_drawn_is_refused(reports):
    with pytest.raises(ValueError, match="nothing to draw"):
        forest_plot({})
    with pytest.raises(ValueError, match="which metric"):
        forest_plot(reports)
    with pytest.raises(ValueError, match=r"coverage@5 has no interval"):
        forest_plot(reports, "coverage@5")
    recall = compare(reports["truth"], reports["chance"], "recall@5")
    wider = compare(reports["truth"], reports["chance"], "recall@5", level=0.99)
    with pytest.raises(ValueError, match="one plot for each"):
        forest_plot({"a": recall, "b": wider})


def test_a_report_prints_as_its_table(reports):
    text = str(reports["chance"])
    assert "recall@5" in text
    assert f"{reports['chance'].mean('recall@5'):.4f}" in text
