"""Several means with their intervals in one picture."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure

from course_lib.evaluate.report import Comparison, Report


def forest_plot(
    rows: Mapping[str, Report] | Mapping[str, Comparison], metric: str | None = None, level: float = 0.95
) -> Figure:
    """One row a name: the mean as a point, its interval as a line, in the order given, first on top.

    Of reports: the mean of `metric` and its bootstrap interval at `level`. Of comparisons: the paired
    difference and its own interval, beside a line at zero; filled points are clear of it. Show it with
    `show.figure(forest_plot(…), alt=…)`. Raises ValueError without rows, without a metric for reports, for
    comparisons of several metrics or levels, or for a metric that has no interval (coverage, Gini).
    """
    if not isinstance(rows, Mapping):
        raise ValueError(f"forest_plot: pass {{name: report}}, got {type(rows).__name__}.")
    if not rows:
        raise ValueError("forest_plot: nothing to draw; pass at least one report or comparison.")
    if len({isinstance(row, Comparison) for row in rows.values()}) > 1:
        raise ValueError("forest_plot: reports and comparisons do not share an axis; draw one plot for each.")
    compared = all(isinstance(row, Comparison) for row in rows.values())
    if compared:
        measured = {(row.metric, row.level) for row in rows.values()}
        if len(measured) > 1:
            raise ValueError(
                "forest_plot: the comparisons differ in metric or level; draw one plot for each."
            )
        ((metric, level),) = measured
        points = [(row.difference, *row.interval, row.is_clear) for row in rows.values()]
    else:
        if metric is None:
            raise ValueError("forest_plot: say which metric of the reports to draw, such as recall@10.")
        points = [(row.mean(metric), *row.interval(metric, level), True) for row in rows.values()]
    if any(low != low for _, low, _, _ in points):
        raise ValueError(f"forest_plot: {metric} has no interval in one of the rows; show a table.")
    # Not through pyplot: nothing keeps the figure open, and it is shown once, where the caller wants it.
    figure = Figure(figsize=(6.4, 0.9 + 0.38 * len(points)), layout="constrained")
    axes = figure.add_subplot()
    for place, (mean, low, high, filled) in enumerate(points):
        axes.hlines(place, low, high, color="#0072B2", linewidth=2)
        axes.plot(mean, place, "o", color="#0072B2", markerfacecolor="#0072B2" if filled else "white")
    axes.set_yticks(range(len(points)), list(rows))
    axes.set_ylim(len(points) - 0.5, -0.5)
    if compared:
        axes.axvline(0, color="0.4", linewidth=1)
    difference = "difference in " if compared else ""
    axes.set_xlabel(f"{difference}{metric} ({level:.0%} interval)")
    axes.grid(axis="y", visible=False)
    return figure
