"""Figures by their artists: what is drawn, in which colour, what is said beside it."""

import itertools

import numpy as np
import pytest
import scipy.sparse as sp
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex, to_rgb
from matplotlib.text import Text

from course_lib import show
from course_lib.evaluate import Comparison, Report, compare, evaluate
from course_lib.retrieve import Candidates
from course_lib.show import figures


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
    names, points, lines = drawn(show.forest_plot(reports, "recall@5"))
    assert names == ["chance", "truth"]
    assert points == [report.mean("recall@5") for report in reports.values()]
    assert lines == [list(report.interval("recall@5")) for report in reports.values()]


def test_comparisons_are_drawn_beside_zero(reports):
    better = compare(reports["truth"], reports["chance"], "recall@5")
    same = compare(reports["chance"], reports["chance"], "recall@5")
    figure = show.forest_plot({"truth": better, "itself": same})
    _, points, _ = drawn(figure)
    assert points == [better.difference, 0]
    faces = [line.get_markerfacecolor() for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert faces[0] != "white"
    assert faces[1] == "white"  # its interval does not leave out zero
    assert "difference" in figure.axes[0].get_xlabel()


def test_what_cannot_be_drawn_is_refused(reports):
    with pytest.raises(ValueError, match="nothing to draw"):
        show.forest_plot({})
    with pytest.raises(ValueError, match="which metric"):
        show.forest_plot(reports)
    with pytest.raises(ValueError, match=r"coverage@5 has no interval"):
        show.forest_plot(reports, "coverage@5")
    recall = compare(reports["truth"], reports["chance"], "recall@5")
    wider = compare(reports["truth"], reports["chance"], "recall@5", level=0.99)
    with pytest.raises(ValueError, match="one plot for each"):
        show.forest_plot({"a": recall, "b": wider})


def test_a_report_prints_as_its_table(reports):
    text = str(reports["chance"])
    assert "recall@5" in text
    assert f"{reports['chance'].mean('recall@5'):.4f}" in text


@pytest.fixture
def pictures(monkeypatch, shown):
    """The figures that were shown, with what came out beside them: a list of (figure, data of outputs)."""
    drawn = []
    as_png = figures._small_png

    def kept(fig):
        drawn.append(fig)
        return as_png(fig)

    monkeypatch.setattr(figures, "_small_png", kept)
    return drawn


def of(difference, low, high, metric="recall@10", level=0.95, unit="users"):
    return Comparison(metric, difference, (low, high), 0.5, 100, level, unit)


def texts_of(axes):
    return [text.get_text() for text in axes.texts]


def boxes_of(fig):
    """Where the direct labels stand once the figure is drawn, without their leaders."""
    renderer = FigureCanvasAgg(fig).get_renderer()
    fig.draw_without_rendering()
    (axes,) = fig.axes
    return [Text.get_window_extent(text, renderer) for text in axes.texts]


# ── Forest plots ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_forest_has_words_for_its_sides_and_a_table(pictures, shown):
    rows = {"EASE": of(0.02, 0.01, 0.03), "ALS": of(-0.02, -0.03, -0.01), "mine": of(0.0, -0.01, 0.01)}
    show.forest(rows, sides=("popularity is better", "the method is better"), caption="On the test")
    (axes,) = pictures[0].axes
    assert texts_of(axes) == ["← popularity is better", "the method is better →"]
    assert axes.get_xlabel() == "difference in Recall@10 (95 % interval over users)"
    assert [label.get_text() for label in axes.get_yticklabels()] == list(rows)
    zero = [line for line in axes.lines if list(line.get_xdata()) == [0, 0]]
    assert len(zero) == 1
    points = [line for line in axes.lines if line.get_marker() == "o"]
    assert [to_hex(p.get_color()) for p in points] == [
        colour.lower() for colour in (show.colour("EASE"), show.colour("ALS"), "#555555")
    ]
    assert [p.get_markerfacecolor() == "white" for p in points] == [False, False, True]
    (image, _), (table, _) = shown
    assert image["text/plain"] == (
        "Figure: Forest plot of differences in Recall@10 with 95 % intervals beside a line at zero. "
        "popularity is better: ALS; the method is better: EASE; not clear: mine."
    )
    lines = [line.split() for line in table["text/plain"].splitlines()]
    assert lines[0] == ["On", "the", "test"]
    assert lines[2] == ["EASE", "+0.020", "[0.010,", "0.030]", "the", "method", "is", "better"]
    assert lines[4] == ["mine", "0.000", "[-0.010,", "0.010]", "not", "clear"]


@pytest.mark.parametrize("away", [1, -1])
def test_zero_and_both_sides_are_in_the_picture(away):
    fig = show.forest_plot(
        {"a": of(0.5 * away, *sorted((0.45 * away, 0.55 * away)))}, sides=("less " * 12, "more")
    )
    (axes,) = fig.axes
    low, high = axes.get_xlim()
    assert low < -0.03 < 0.03 < high
    left, right = boxes_of(fig)
    assert left.x1 < right.x0
    assert left.y0 >= axes.get_window_extent().y1


def test_a_forest_of_reports_is_told_from_the_highest(pictures, shown, reports):
    show.forest(reports, "recall@5")
    (image, _), (table, _) = shown
    assert "Forest plot of Recall@5 with 95 % intervals. From the highest: truth" in image["text/plain"]
    assert show.mean(reports["chance"], "recall@5") in table["text/plain"]
    assert pictures[0].axes[0].get_xlabel() == "Recall@5 (95 % interval over users)"
    assert texts_of(pictures[0].axes[0]) == []


def test_own_words_and_an_own_table_take_the_place_of_the_made_ones(shown, reports):
    show.forest(reports, "recall@5", alt="Two rows, one far to the right.", table=[{"a": 1}])
    (image, _), (table, _) = shown
    assert image["text/plain"] == "Figure: Two rows, one far to the right."
    assert table["text/plain"].split() == ["a", "1"]


def test_units_and_levels_are_named_and_not_mixed(pictures, shown):
    seeds = Report.of({"recall@100": [0.1, 0.2, 0.3]}, unit="seeds")
    show.forest({"ALS": seeds}, "recall@100", level=0.9)
    assert pictures[0].axes[0].get_xlabel() == "Recall@100 (90 % interval over seeds)"
    assert "90 % intervals" in shown[0][0]["text/plain"]
    assert show.mean(seeds, "recall@100", level=0.9) in shown[1][0]["text/plain"]
    users = Report.of({"recall@100": [0.1, 0.2, 0.3]})
    with pytest.raises(ValueError, match="different units"):
        show.forest({"ALS": seeds, "EASE": users}, "recall@100")
    with pytest.raises(ValueError, match="do not share an axis"):
        show.forest({"ALS": seeds, "EASE": of(0, -1, 1)}, "recall@100")
    for sides in ("ab", ("one",), ("one", "two", "three"), ("lower", 1)):
        with pytest.raises(ValueError, match="sides"):
            show.forest({"ALS": of(0, -1, 1)}, sides=sides)
    with pytest.raises(ValueError, match="'ALS' is no report"):
        show.forest({"ALS": 0.5}, "recall@100")


# ── Curves ────────────────────────────────────────────────────────────────────────────────────────────────


def line_of(axes, name):
    (line,) = [line for line in axes.lines if line.get_label() == name]
    return line


def test_curves_have_bands_direct_labels_and_a_table(pictures, shown):
    lines = {
        "EASE": {100: (0.3, (0.28, 0.32)), 10: (0.1, (0.08, 0.12))},
        "popularity": {10: (0.05, (0.04, 0.06)), 100: (0.2, (0.19, 0.21))},
        "bound": {10: 0.4, 100: 0.5},
    }
    show.curves(lines, x="K", y="Recall@K", caption="The longer the list")
    (axes,) = pictures[0].axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("K", "Recall@K (95 % interval)")
    np.testing.assert_array_equal(line_of(axes, "EASE").get_xydata(), [[10, 0.1], [100, 0.3]])
    for name in lines:
        assert line_of(axes, name).get_color() == show.colour(name)
    assert sorted(texts_of(axes)) == sorted(lines)
    bands = [band for band in axes.collections if len(band.get_paths())]
    assert to_hex(bands[0].get_facecolor()[0]) == show.colour("EASE").lower()
    assert bands[0].get_paths()[0].get_extents().bounds == pytest.approx((10, 0.08, 90, 0.24))
    assert len({line_of(axes, name).get_marker() for name in lines}) == 3
    (image, _), (table, _) = shown
    assert image["text/plain"] == (
        "Figure: Recall@K against K. At the right end, from the highest: "
        "bound 0.500, EASE 0.300, popularity 0.200."
    )
    assert [line.split() for line in table["text/plain"].splitlines()] == [
        ["The", "longer", "the", "list"],
        ["K", "EASE", "popularity", "bound"],
        ["10", "0.100", "[0.080,", "0.120]", "0.050", "[0.040,", "0.060]", "0.400"],
        ["100", "0.300", "[0.280,", "0.320]", "0.200", "[0.190,", "0.210]", "0.500"],
    ]


def test_curves_of_reports_and_of_comparisons(pictures, shown):
    def report(shift, n=50):
        return Report.of({"ndcg@10": np.random.default_rng(0).random(n) + shift}, unit="readers")

    show.curves({"ALS": {1: report(0), 2: report(0.1)}}, "ndcg@10", x="epochs", level=0.9)
    (axes,) = pictures[0].axes
    assert axes.get_ylabel() == "NDCG@10 (90 % interval)"
    assert line_of(axes, "ALS").get_ydata()[1] == report(0.1).mean("ndcg@10")
    low, _ = report(0).interval("ndcg@10", 0.9)
    assert axes.collections[0].get_paths()[0].get_extents().y0 == pytest.approx(low)
    assert show.mean(report(0), "ndcg@10", level=0.9) in shown[1][0]["text/plain"]

    against = compare(report(0.1), report(0), "ndcg@10")
    show.curves({"ALS": {1: against, 2: against}}, x="epochs")
    (axes,) = pictures[1].axes
    assert axes.get_ylabel() == "difference in NDCG@10 (95 % interval)"
    assert [list(line.get_ydata()) for line in axes.lines].count([0, 0]) == 1
    assert show.difference(against) in shown[3][0]["text/plain"]


def test_numbers_alone_promise_no_interval(pictures, shown):
    show.curves({"a": {1: 1, 2: 2}, "b": {2: 1.5, 3: float("nan")}}, x="x", y="hours")
    (axes,) = pictures[0].axes
    assert axes.get_ylabel() == "hours"
    assert "from the highest: a 2.0, b 1.5" in shown[0][0]["text/plain"].replace("2.00", "2.0").replace(
        "1.50", "1.5"
    )
    last = shown[1][0]["text/plain"].splitlines()[-1].split()
    assert last == ["3", "–", "–"]


def test_a_log_axis_has_plain_numbers(pictures, shown):
    lines = {"a": {x: 0.5 for x in (0.5, 10, 99, 100, 20_000)}}
    show.curves(lines, x="items", y="share", log=True)
    (axes,) = pictures[0].axes
    assert axes.get_xscale() == "log"
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["20,000", "100", "10", "0.500"]


@pytest.mark.parametrize("spread", [0.0, 1e-4, 0.05])
def test_direct_labels_do_not_overlap_and_are_not_clipped(spread, pictures, shown):
    names = [*show.METHODS, "a method with a rather long name"]
    lines = {name: {1: 0.1, 100: (0.5 + spread * (7 * n % 16), (0.4, 0.9))} for n, name in enumerate(names)}
    show.curves(lines, x="K", y="Recall@K")
    (fig,) = pictures
    boxes = boxes_of(fig)
    assert len(boxes) == len(names)
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)
    assert all(fig.bbox.x0 <= box.x0 and box.x1 <= fig.bbox.x1 for box in boxes)
    assert all(fig.bbox.y0 <= box.y0 and box.y1 <= fig.bbox.y1 for box in boxes)
    inside = fig.axes[0].get_window_extent()
    assert all(box.x0 > inside.x1 for box in boxes)
    if spread == 0.05:  # wide enough: labels keep the order of the ends
        ends = {name: points[100][0] for name, points in lines.items()}
        heights = {text.get_text(): box.y0 for text, box in zip(fig.axes[0].texts, boxes, strict=True)}
        assert sorted(ends, key=ends.get) == sorted(heights, key=heights.get)


@pytest.mark.parametrize(
    ("lines", "options", "message"),
    [
        ({}, {}, "at least one line"),
        ([{1: 2, 2: 3}], {}, "pass {name"),
        ({"a": [1, 2]}, {}, "pass {name"),
        ({"a": {1: 0.5}}, {}, "'a' has 1 point"),
        ({"a": {1: 0.5, float("nan"): 0.5}}, {}, "an x of 'a' must be"),
        ({"a": {1: 0.5, "two": 0.5}}, {}, "an x of 'a' must be"),
        ({"a": {0: 0.5, 1: 0.5}}, {"log": True}, "an x of 'a' must be above 0"),
        ({"a": {1: np.nan, 2: np.nan}}, {}, "no defined value"),
        ({"a": {1: "0.5", 2: 0.5}}, {}, "a report, a comparison"),
        ({"a": {1: [0.1, 0.2], 2: 0.5}}, {}, "a report, a comparison"),
        ({"a": {1: Report.of({"m": [1.0]}), 2: Report.of({"m": [1.0]})}}, {}, "which metric"),
        ({"a": {1: of(0, -1, 1), 2: of(0, -1, 1, "ndcg@10")}}, {}, "differ in metric or level"),
        ({"a": {1: of(0, -1, 1), 2: of(0, -1, 1, unit="seeds")}}, {}, "different units"),
        ({"a": {1: of(0, -1, 1), 2: 0.5}}, {}, "do not share an axis"),
        ({"a": {1: 0.5, 2: 0.5}}, {"y": None}, "name the upright axis"),
    ],
)
def test_what_is_no_curve_is_refused(lines, options, message, shown):
    with pytest.raises(ValueError, match=message):
        show.curves(lines, x="x", **{"y": "y"} | options)
    assert shown == []


# ── Colours ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_method_has_one_colour_under_all_its_names():
    assert len(set(show.METHODS.values())) == len(show.METHODS)
    for name, hexes in show.METHODS.items():
        assert show.colour(name) == show.colour(name.upper()) == show.colour(f" {name} ") == hexes
    for other, name in {
        "item-KNN": "item neighbours",
        "item neighbours (bm25)": "item neighbours",
        "keywords (BM25)": "BM25",
        "ALS, defaults": "ALS",
        "genres, one-hot": "one-hot",
        "BERT": "text (BERT)",
        "LightGCN": "graph",
    }.items():
        assert show.colour(other) == show.METHODS[name]


def test_other_names_have_a_stable_colour_that_no_method_has():
    names = [f"setting {n}" for n in range(50)]
    first = [show.colour(name) for name in names]
    assert first == [show.colour(name) for name in names]
    assert show.colour("alpha = 5") == "#774433"  # the same in every process, on every machine
    assert len(set(first)) == len(figures._OTHER_COLOURS)
    assert not set(first) & set(show.METHODS.values())


def test_curves_of_other_names_have_different_colours_while_there_are_some(pictures, shown):
    names = [*(f"setting {n}" for n in range(len(figures._OTHER_COLOURS))), "ALS", "ALS, defaults"]
    assert len({show.colour(name) for name in names}) < len(names) - 1  # alone, some would share one
    show.curves({name: {1: 0.1, 2: 0.2} for name in names}, x="x", y="y")
    colours = [line_of(pictures[0].axes[0], name).get_color() for name in names]
    assert len(set(colours)) == len(names) - 1
    assert colours[-1] == colours[-2] == show.METHODS["ALS"]


@pytest.mark.parametrize("name", ["", "  ", None, 7, ("EASE",)])
def test_what_is_no_name_has_no_colour(name):
    with pytest.raises(ValueError, match="known by its name"):
        show.colour(name)


# How people without one kind of cone see linear RGB: Machado, Oliveira & Fernandes 2009, severity 1.
SIGHT = {
    "full": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def lab(colour, sight):
    """CIE L*a*b* of a colour as somebody with this sight sees it."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.asarray(SIGHT[sight]) @ linear, 0, 1)
    to_xyz = [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
    xyz = np.array(to_xyz) @ seen / [0.95047, 1, 1.08883]
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("sight", SIGHT)
def test_any_two_colours_differ_for_everybody(sight):
    colours = {**show.METHODS, **{colour: colour for colour in figures._OTHER_COLOURS}}
    seen = {name: lab(colour, sight) for name, colour in colours.items()}
    for one, other in itertools.combinations(seen, 2):
        assert np.linalg.norm(seen[one] - seen[other]) > 15, (one, other)


def test_no_colour_of_a_method_is_too_pale_for_a_line():
    for name, colour in show.METHODS.items():
        assert lab(colour, "full")[0] < 75, name
