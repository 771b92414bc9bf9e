"""Figures that look alike in every lesson: one colour a method, curves with bands, forest plots."""

from __future__ import annotations

import io
import re
import textwrap
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image
from scipy.optimize import isotonic_regression

from course_lib import arguments
from course_lib.evaluate.report import Comparison, Report, metric_in_words
from course_lib.show import outputs
from course_lib.show.numbers import is_missing, is_pair, number
from course_lib.show.sentences import mean, written

LARGEST_IMAGE = 60_000
"""Bytes that a figure may take: notebooks are read in browsers and kept in version control."""

# Okabe and Ito's colours can be told apart with every common form of colour blindness. Yellow, too pale for a
# line on white, comes last.
PALETTE = ["#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9", "#CC79A7", "#000000", "#F0E442"]

METHODS = {
    "popularity": "#000000",
    "random": "#775577",
    "user neighbours": "#CC79A7",
    "item neighbours": "#E69F00",
    "ALS": "#009E73",
    "BPR": "#56B4E9",
    "EASE": "#0072B2",
    "text (BERT)": "#D55E00",
    "TF-IDF": "#662200",
    "one-hot": "#668844",
    "BM25": "#8899FF",
    "fusion": "#6600BB",
    "graph": "#AA22FF",
    "two-tower": "#88BB77",
    "sequence": "#552266",
}
"""The printed name of each method of the course, and its colour (hex) in every figure."""

_ALSO_CALLED = {  # in lower case: names of the retrievers, of tables, of the literature
    "user-knn": "user neighbours",
    "item-knn": "item neighbours",
    "bert": "text (BERT)",
    "text": "text (BERT)",
    "minilm text": "text (BERT)",
    "sentence encoder": "text (BERT)",
    "tf-idf text": "TF-IDF",
    "tf-idf of the text": "TF-IDF",
    "genres": "one-hot",
    "genres, one-hot": "one-hot",
    "keywords": "BM25",
    "hybrid": "fusion",
    "lightgcn": "graph",
    "sasrec": "sequence",
} | {name.lower(): name for name in METHODS}
# For names that the course does not know; with METHODS, any two differ for every common form of colour
# blindness (a test simulates three).
_OTHER_COLOURS = ["#004499", "#994411", "#444444", "#8855DD", "#774433", "#0000FF"]
_MARKERS = "osD^vP*X<>"
_LABEL_POINTS = 13  # that one line of a direct label takes


def colour(name: str) -> str:
    """The colour (hex) of a method, the same in every figure of the course.

    ``METHODS`` has the printed names; other common names of theirs (item-KNN, keywords) and a note after it,
    "item neighbours (bm25)", "ALS, defaults", give the same colour. Any other name has a colour of its own
    that does not depend on what stands beside it; few are left, so two such names may share one, and
    ``curves`` then gives the second another. Raises ``ValueError`` for what is no name.
    """
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"A method is known by its name, such as {next(iter(METHODS))!r}; got {name!r}.")
    known = _known(name)
    return METHODS[known] if known else _OTHER_COLOURS[zlib.crc32(name.encode()) % len(_OTHER_COLOURS)]


def figure(
    fig: Figure,
    *,
    alt: str,
    table: pd.DataFrame | Iterable[Mapping[str, Any]] | None = None,
    caption: str | None = None,
) -> None:
    """Show a Matplotlib figure as a small PNG, then the small table of what it shows, and close the figure.

    ``alt`` says in one or two sentences what a reader who cannot see the figure should know. It is stored
    with the image and as its plain text. An empty ``alt`` raises ``ValueError``.
    """
    if len(alt.split()) < 4:
        raise ValueError("This figure has no real alt text: say in a sentence what it shows (alt=…).")
    outputs.image(_small_png(fig), alt=alt, width=round(fig.get_figwidth() * 96))
    plt.close(fig)
    if table is not None:
        outputs.table(table, caption=caption)
    elif caption:
        outputs.markdown(f"*{caption}*")


def curves(
    lines: Mapping[str, Mapping[float, Any]],
    metric: str | None = None,
    *,
    x: str,
    y: str | None = None,
    level: float = 0.95,
    log: bool = False,
    alt: str | None = None,
    table: pd.DataFrame | Iterable[Mapping[str, Any]] | None = None,
    caption: str | None = None,
) -> None:
    """Show lines with their intervals as bands, each with its name at its right end, and their table.

    ``lines`` is ``{name: {x: value}}``, two values of x at least: a ``Report`` (of which ``metric`` is drawn,
    with its interval at ``level``), a ``Comparison`` (beside a line at zero), a pair ``(mean, (low, high))``,
    or a number, which has no band. ``x`` and ``y`` name the axes with their units; without ``y`` it is the
    metric in words. ``log`` spaces x by ratios. Without ``alt`` and ``table`` both are made of the values.

    Raises ``ValueError`` for a line of fewer than two points or without a defined one, an x that is no finite
    number (above 0 for ``log``), reports without a metric, comparisons beside something else or of several
    metrics, levels or units, and a missing name of an axis.
    """
    if not isinstance(lines, Mapping) or not lines or not all(isinstance(p, Mapping) for p in lines.values()):
        raise ValueError("curves: pass {name: {x: value}}, at least one line.")
    values = [value for points in lines.values() for value in points.values()]
    metric, level = _one_measure("curves", values, metric, level)
    compared = isinstance(values[0] if values else None, Comparison)
    if y is None:
        if metric is None:
            raise ValueError("curves: name the upright axis and its unit, y=….")
        y = f"difference in {metric_in_words(metric)}" if compared else metric_in_words(metric)
    drawn = {name: _points(name, points, metric, level, log) for name, points in lines.items()}
    fig = _drawn_curves(drawn, x, y, level, log, zero=compared)
    if table is None:
        cells = {
            name: {at: _cell(value, metric, level) for at, value in points.items()}
            for name, points in lines.items()
        }
        table = pd.DataFrame(cells).sort_index().rename_axis(x)
    if alt is None:
        ends = {name: points[1][~np.isnan(points[1])][-1] for name, points in drawn.items()}
        alt = f"{y} against {x}. At the right end, from the highest: {_from_the_highest(ends)}."
    figure(fig, alt=alt, table=table, caption=caption)


def forest(
    rows: Mapping[str, Report] | Mapping[str, Comparison],
    metric: str | None = None,
    *,
    sides: tuple[str, str] = ("lower", "higher"),
    level: float = 0.95,
    alt: str | None = None,
    table: pd.DataFrame | Iterable[Mapping[str, Any]] | None = None,
    caption: str | None = None,
) -> None:
    """Show a forest plot (see ``forest_plot``) and its table: means, or differences and how they read.

    ``sides`` says in words what lies left and right of zero, such as ``("popularity is better", "EASE is
    better")``. Without ``alt`` and ``table`` both are made of the values.
    """
    fig = forest_plot(rows, metric, level, sides)
    metric, level = _one_measure("forest_plot", rows.values(), metric, level)
    words, with_intervals = metric_in_words(metric), f"with {100 * level:g} % intervals"
    columns = {words: [_cell(row, metric, level) for row in rows.values()]}
    if all(isinstance(row, Comparison) for row in rows.values()):
        reads = {"below": sides[0], "above": sides[1], "unclear": "not clear"}
        columns = {
            f"difference in {words}": columns[words],
            "reads as": [reads[row.side] for row in rows.values()],
        }
        groups = [(word, [n for n, row in rows.items() if row.side == side]) for side, word in reads.items()]
        said = "; ".join(f"{word}: {', '.join(names)}" for word, names in groups if names)
        made = f"Forest plot of differences in {words} {with_intervals} beside a line at zero. {said}."
    else:
        means = {name: row.mean(metric) for name, row in rows.items()}
        made = f"Forest plot of {words} {with_intervals}. From the highest: {_from_the_highest(means)}."
    table = pd.DataFrame(columns, index=list(rows)) if table is None else table
    figure(fig, alt=made if alt is None else alt, table=table, caption=caption)


def forest_plot(
    rows: Mapping[str, Report] | Mapping[str, Comparison],
    metric: str | None = None,
    level: float = 0.95,
    sides: tuple[str, str] = ("lower", "higher"),
) -> Figure:
    """One row a name: the mean as a point, its interval as a line, in the order given, first on top.

    Of reports: the mean of `metric` and its bootstrap interval at `level`. Of comparisons: the paired
    difference and its own interval, beside a line at zero with words for the `sides` of it; filled points are
    clear of zero. A method has its colour. `forest` shows it with a table. Raises ValueError without rows,
    without a metric for reports, for rows of several metrics, levels or units, or for a metric that has no
    interval (coverage, Gini).
    """
    if not isinstance(rows, Mapping):
        raise ValueError(f"forest_plot: pass {{name: report}}, got {type(rows).__name__}.")
    if not rows:
        raise ValueError("forest_plot: nothing to draw; pass at least one report or comparison.")
    if wrong := [name for name, row in rows.items() if not isinstance(row, Report | Comparison)]:
        raise ValueError(f"forest_plot: {wrong[0]!r} is no report and no comparison.")
    metric, level = _one_measure("forest_plot", rows.values(), metric, level)
    points = [_measured(row, metric, level) for row in rows.values()]
    if any(is_missing(low) for _, low, _ in points):
        raise ValueError(f"forest_plot: {metric} has no interval in one of the rows; show a table.")
    compared = isinstance(next(iter(rows.values())), Comparison)
    # Not through pyplot: nothing keeps the figure open, and it is shown once, where the caller wants it.
    fig = Figure(figsize=(6.4, 0.9 + 0.38 * len(points) + 0.3 * compared), layout="constrained")
    axes = fig.add_subplot()
    for place, (name, row) in enumerate(rows.items()):
        value, low, high = points[place]
        own = METHODS.get(_known(name), "#555555")  # grey: what is no method has none of their colours
        filled = not compared or row.is_clear
        axes.hlines(place, low, high, color=own, linewidth=2)
        axes.plot(value, place, "o", color=own, markerfacecolor=own if filled else "white")
    axes.set_yticks(range(len(points)), list(rows))
    axes.set_ylim(len(points) - 0.5, -0.5)
    words = metric_in_words(metric)
    if compared:
        _zero_with_sides(axes, sides)
        words = f"difference in {words}"
    unit = next(iter(rows.values())).unit
    axes.set_xlabel(f"{words} ({100 * level:g} % interval over {unit})")
    axes.grid(axis="y", visible=False)
    return fig


def style() -> None:
    """Set Matplotlib's defaults for the course: Okabe-Ito colours, quiet axes, legible type."""
    plt.rcdefaults()
    plt.rcParams.update(
        {
            "axes.prop_cycle": plt.cycler(color=PALETTE[:-1]),
            "axes.grid": True,
            "axes.axisbelow": True,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlesize": "medium",
            "figure.constrained_layout.use": True,
            "figure.figsize": (6.4, 3.8),
            "font.size": 10.5,
            "grid.color": "0.9",
            "legend.frameon": False,
            "lines.linewidth": 2,
        }
    )


def _known(name: str) -> str | None:
    """The printed name of a method of the course, None for another."""
    lower = name.strip().lower()
    return _ALSO_CALLED.get(lower) or _ALSO_CALLED.get(re.split(r" \(|, ", lower)[0])


def _colours(names: Iterable[str]) -> dict[str, str]:
    """The colour of each, and another one for a second name that no method has while colours are left."""
    given: dict[str, str] = {}
    for name in names:
        taken = given.values()
        free = [colour(name), *_OTHER_COLOURS] if not _known(name) else []
        given[name] = next((other for other in free if other not in taken), colour(name))
    return given


def _one_measure(
    caller: str, values: Iterable[Any], metric: str | None, level: float
) -> tuple[str | None, float]:
    """The metric and level that all values share on one axis: comparisons bring their own."""
    values = list(values)
    if len({isinstance(value, Comparison) for value in values}) > 1:
        raise ValueError(f"{caller}: reports and comparisons do not share an axis; draw one plot for each.")
    judged = [value for value in values if isinstance(value, Report | Comparison)]
    if len({value.unit for value in judged}) > 1:
        raise ValueError(f"{caller}: the intervals are over different units; draw one plot for each.")
    if judged and isinstance(judged[0], Comparison):
        if len({(value.metric, value.level) for value in judged}) > 1:
            raise ValueError(f"{caller}: the comparisons differ in metric or level; draw one plot for each.")
        return judged[0].metric, judged[0].level
    if judged and metric is None:
        raise ValueError(f"{caller}: say which metric of the reports to draw, such as recall@10.")
    return metric, level


def _measured(value: Any, metric: str | None, level: float) -> tuple[float, float, float]:
    """Mean, low and high of a value; NaN for the ends of one without an interval."""
    if isinstance(value, Comparison):
        return (value.difference, *value.interval)
    if isinstance(value, Report):
        return (value.mean(metric), *value.interval(metric, level))
    if is_pair(value):
        return (float(value[0]), *map(float, value[1]))
    if np.ndim(value) or isinstance(value, str):
        raise ValueError(
            f"A value is a report, a comparison, (mean, (low, high)) or a number, got {value!r}."
        )
    return float(value), np.nan, np.nan


def _cell(value: Any, metric: str | None, level: float) -> str:
    return mean(value, metric, level=level) if isinstance(value, Report) else written(value)


def _points(
    name: str, points: Mapping[float, Any], metric: str | None, level: float, log: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The x, means, lows and highs of one line, in the order of x."""
    if len(points) < 2:
        raise ValueError(f"curves: {name!r} has {len(points)} point; a line needs two, a forest plot one.")
    for at in points:
        arguments.real(f"curves: an x of {name!r}", at, **({"above": 0} if log else {}))
    found = [(float(at), *_measured(value, metric, level)) for at, value in points.items()]
    columns = tuple(np.array(sorted(found)).T)
    if np.isnan(columns[1]).all():
        raise ValueError(f"curves: {name!r} has no defined value; leave it out, and say so.")
    return columns


def _drawn_curves(
    lines: Mapping[str, tuple[np.ndarray, ...]], x: str, y: str, level: float, log: bool, zero: bool
) -> Figure:
    fig = Figure(figsize=(6.4, max(3.8, 1.2 + len(lines) * _LABEL_POINTS / 72)), layout="constrained")
    axes = fig.add_subplot()
    if log:
        axes.set_xscale("log")
        _plain_ticks(axes, np.unique(np.concatenate([points[0] for points in lines.values()])))
    if zero:
        axes.axhline(0, color="0.4", linewidth=1)
    banded = False
    colours = _colours(lines)
    for place, (name, (at, means, lows, highs)) in enumerate(lines.items()):
        own = colours[name]
        axes.fill_between(at, lows, highs, color=own, alpha=0.15, linewidth=0)
        axes.plot(at, means, color=own, marker=_MARKERS[place % len(_MARKERS)], markersize=5, label=name)
        banded |= not np.isnan(lows).all()
    axes.set(xlabel=x, ylabel=f"{y} ({100 * level:g} % interval)" if banded else y)
    _name_the_ends(axes)
    return fig


def _plain_ticks(axes: Axes, at: np.ndarray) -> None:
    """Mark the measured places on a log axis with plain numbers, as many as have room."""
    kept: list[float] = []
    for value in at[::-1]:
        if not kept or np.log(kept[-1] / value) > 0.08 * np.log(at[-1] / at[0]):
            kept.append(value)
    axes.set_xticks(kept, [number(int(value) if value.is_integer() else float(value)) for value in kept])
    axes.minorticks_off()


def _name_the_ends(axes: Axes) -> None:
    """Write each line's name beside its last point, far enough from the next name to be read."""
    fig = axes.figure
    fig.draw_without_rendering()  # places the axes; their height is known from here on
    step = _LABEL_POINTS / 72 * fig.dpi / axes.get_window_extent().height
    lines = [line for line in axes.lines if not line.get_label().startswith("_")]
    ends = [line.get_xydata()[~np.isnan(line.get_ydata())][-1] for line in lines]
    heights = axes.transAxes.inverted().transform(axes.transData.transform(ends))[:, 1]
    order = np.argsort(heights, kind="stable")
    rungs = step * np.arange(len(order))
    # The nearest places that keep the order and the distance: a regression on what is left without the rungs.
    free = isotonic_regression(heights[order] - rungs).x
    places = np.clip(free, 0, max(0, 1 - rungs[-1])) + rungs
    for line, height in zip(np.array(lines, dtype=object)[order], places, strict=True):
        axes.annotate(
            line.get_label(),
            line.get_xydata()[~np.isnan(line.get_ydata())][-1],
            xytext=(1.04, height),
            textcoords="axes fraction",
            va="center",
            size=9.5,
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": line.get_color(),
                "linewidth": 0.8,
                "shrinkA": 0,
                "shrinkB": 3,
            },
        )


def _zero_with_sides(axes: Axes, sides: tuple[str, str]) -> None:
    """A line at zero with some room on both sides, and above the axes what each side means."""
    low, high = axes.get_xlim()
    room = 0.1 * (max(high, 0) - min(low, 0))
    axes.set_xlim(min(low, -room), max(high, room))
    axes.axvline(0, color="0.4", linewidth=1)
    if len(arguments.names("sides", sides)) != 2:
        raise ValueError(f"sides are two, what lies left and what lies right of zero; got {sides!r}.")
    left, right = (textwrap.fill(side, 28) for side in sides)
    for text, place, side in ((f"← {left}", 0, "left"), (f"{right} →", 1, "right")):
        axes.text(place, 1.02, text, ha=side, va="bottom", size=9, color="0.25", transform=axes.transAxes)


def _from_the_highest(values: Mapping[str, float]) -> str:
    """Names with their values, sorted as printed: near-ties must not swap from machine to machine."""
    order = sorted(values, key=lambda name: -round(float(values[name]), 5))
    return ", ".join(f"{name} {number(float(values[name]))}" for name in order)


def _small_png(fig: Figure) -> bytes:
    """Draw sharply, then spend fewer colours and fewer pixels until the image fits."""
    for dpi, colours in ((144, 64), (110, 32), (80, 16)):
        drawn = io.BytesIO()
        fig.savefig(drawn, format="png", dpi=dpi, facecolor="white")
        small = io.BytesIO()
        # No Software or date fields: the same picture gives the same bytes.
        Image.open(drawn).convert("RGB").quantize(colours, dither=Image.Dither.NONE).save(
            small, "png", optimize=True
        )
        if small.tell() <= LARGEST_IMAGE:
            break
    return small.getvalue()
