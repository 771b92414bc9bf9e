"""Sentences with numbers in them: templates, so that one text can be translated and its numbers cannot."""

from __future__ import annotations

import re
from typing import Any

from course_lib.evaluate.report import Comparison, Report
from course_lib.show.numbers import as_text, interval, is_missing, is_pair, with_decimals
from course_lib.show.outputs import markdown

# Up to three braces on each side: {{name}} stands for {name} as it is (LaTeX), {{{name}}} for {value}.
_PLACE = re.compile(r"(\{{1,3})([^\W\d]\w*)(\}{1,3})")


def say(template: str, /, **values: Any) -> None:
    """Show a generated sentence (Markdown). Numbers in prose come from here and cannot contradict a run.

    Each ``{name}`` of the template is replaced by the value of that name: a text as it is, a number as
    ``number`` writes it, a pair ``(mean, (low, high))`` as ``interval`` does, a ``Comparison`` as
    ``difference`` does, anything else as text. For other digits give the text: ``gap=show.number(gap, 2)``.
    A value may go without a place: a template that was chosen among several need not name all. In a template
    with values, ``{{name}}`` is not a place and shows ``{name}``, as LaTeX wants it. Without values the text
    is shown as it is, braces and all.

    Raises ``ValueError`` for a place without a value, a place with a format of its own (``{gap:.2f}``), and a
    ``Report``, which has several means.
    """
    markdown(filled(template, values) if values else template)


def filled(template: str, values: dict[str, Any]) -> str:
    """The text of a template with its values in place, see ``say``."""
    formatted = [name for name in values if re.search(rf"(?<!\{{)\{{{re.escape(name)}[:.!\[]", template)]
    if formatted:
        raise ValueError(
            f"The place {{{formatted[0]}…}} of this sentence has a format or a part of its own: write "
            f"{{{formatted[0]}}}, and format the value, such as {formatted[0]}=show.number(…, 2)."
        )

    def value_of(place: re.Match) -> str:
        opening, name, closing = place.groups()
        braces = min(len(opening), len(closing))
        if braces == 2:
            text = f"{{{name}}}"
        elif name not in values:
            raise ValueError(
                f"This sentence has a place for {name!r} and no such value; it has {', '.join(values)}. "
                f"Braces that are none of ours are doubled, {{{{{name}}}}}."
            )
        else:
            text = written(values[name])
            text = f"{{{text}}}" if braces == 3 else text
        return opening[braces:] + text + closing[braces:]

    return _PLACE.sub(value_of, template)


def mean(report: Report, metric: str, decimals: int = 3, level: float = 0.95) -> str:
    """Write the mean of a metric with its bootstrap interval: "0.084 [0.079, 0.089]".

    A metric without an interval (coverage, Gini, one user) is its mean alone. Raises ``KeyError`` for a
    metric that the report does not have.
    """
    bounds = report.interval(metric, level)
    value = report.mean(metric)
    return with_decimals(value, decimals) if is_missing(bounds[0]) else interval(value, bounds, decimals)


def difference(comparison: Comparison, decimals: int = 3) -> str:
    """Write a paired difference with its interval, the difference with its sign: "+0.012 [0.004, 0.020]"."""
    text = interval(comparison.difference, comparison.interval, decimals)
    # What is rounded to zero has no sign: it would differ from machine to machine.
    rises = float(with_decimals(comparison.difference, decimals).replace(",", "")) > 0
    return f"+{text}" if rises else text


def written(value: Any) -> str:
    """A value as ``say`` puts it into its place."""
    if isinstance(value, Comparison):
        return difference(value)
    if isinstance(value, Report):
        raise ValueError("A report has several means: choose a metric, show.mean(report, metric).")
    return interval(*value) if is_pair(value) else as_text(value)
