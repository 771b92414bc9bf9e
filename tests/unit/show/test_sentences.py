"""Templates with values, means and differences in words."""

import doctest
import re
from pathlib import Path

import numpy as np
import pytest

from course_lib import show
from course_lib.evaluate import Comparison, Report, compare, report
from course_lib.show import numbers


def text(shown, template, /, **values):
    show.say(template, **values)
    data, _ = shown.pop()
    assert data["text/markdown"] == data["text/plain"]
    return data["text/plain"]


def of(difference, interval, metric="recall@10", level=0.95, unit="users"):
    return Comparison(metric, difference, interval, 0.5, 100, level, unit)


@pytest.mark.parametrize(
    "finished",
    ["**so**", "{a}", "$\\frac{a}{b}$ and {{x}} and {}", "{gap:.2f}", "{", "100 % of {name}", "{{{n}}}"],
)
def test_a_finished_text_is_shown_as_it_is(finished, shown):
    assert text(shown, finished) == finished


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("*EASE*", "*EASE*"),
        ("", ""),
        (3, "3"),
        (np.int64(100_000), "100,000"),
        (0.8944272, "0.894"),
        (np.float32(0.5), "0.500"),
        (-0.0004, "-0.000400"),
        (True, "yes"),
        (None, "–"),
        (float("nan"), "–"),
        ((0.0841, (0.0789, 0.0894)), "0.084 [0.079, 0.089]"),
        ((np.float64(0.0841), np.array([0.0789, 0.0894])), "0.084 [0.079, 0.089]"),
        (of(0.0123, (0.004, 0.02)), "+0.012 [0.004, 0.020]"),
        (["ALS", "EASE"], "ALS, EASE"),
        ((1, 2), "1, 2"),
        ({"b", "a"}, "a, b"),
        (Path("a/b"), "a/b"),
        ("{other}", "{other}"),
    ],
)
def test_values_are_written_by_their_kind(value, written, shown):
    assert text(shown, "is {it}.", it=value) == f"is {written}."


def test_a_place_may_come_twice_and_a_value_may_have_none(shown):
    assert text(shown, "{n} of {n}, {name}", n=2, name="EASE", unused=7) == "2 of 2, EASE"
    assert text(shown, "{template}", template="a name like any other") == "a name like any other"
    assert text(shown, "{名} {_1}", 名="中", _1="x") == "中 x"


def test_braces_that_are_no_places_stay(shown):
    template = r"$\frac{1}{\sqrt{{n}}}$, $x^{-1}$, $e^{{{power}}}$, $\{0\}$, {} and {{power}}: {power}"
    assert (
        text(shown, template, power=2)
        == r"$\frac{1}{\sqrt{n}}$, $x^{-1}$, $e^{2}$, $\{0\}$, {} and {power}: 2"
    )
    assert text(shown, r"$\frac{1}{{k}}$", k=9) == r"$\frac{1}{k}$"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{gapp} wide", r"a place for 'gapp' and no such value; it has gap"),
        (r"$\frac{a}{b}$ {gap}", r"'a'.*doubled, \{\{a\}\}"),
        ("{gap:.2f}", r"gap=show\.number"),
        ("{gap!r}", "format or a part"),
        ("{gap.difference}", "format or a part"),
        ("{gap[0]}", "format or a part"),
    ],
)
def test_a_template_that_does_not_fit_its_values_is_refused(template, message, shown):
    with pytest.raises(ValueError, match=message):
        show.say(template, gap=0.5)
    assert shown == []


def test_a_report_has_several_means(shown):
    with pytest.raises(ValueError, match=r"choose a metric, show\.mean\(report, metric\)"):
        show.say("{recall}", recall=Report.of({"a": [0.5]}))


def test_half_characters_of_values_are_replaced(shown):
    assert text(shown, "{film}", film="\ud83d") == "\ufffd"


def test_a_mean_stands_with_its_interval():
    values = np.random.default_rng(0).random(300)
    own = Report(
        {"recall@10": values, "one": np.where(np.arange(300) == 7, 0.25, np.nan)},
        {"coverage@10": 0.5},
        300,
        0,
    )
    assert show.mean(own, "recall@10") == show.interval(values.mean(), own.interval("recall@10"))
    assert show.mean(own, "recall@10", 4) == show.interval(values.mean(), own.interval("recall@10"), 4)
    wider = show.mean(own, "recall@10", level=0.99)
    assert (
        wider == show.interval(values.mean(), own.interval("recall@10", 0.99)) != show.mean(own, "recall@10")
    )
    assert (show.mean(own, "coverage@10"), show.mean(own, "one")) == ("0.500", "0.250")
    with pytest.raises(KeyError, match="ndcg@10"):
        show.mean(own, "ndcg@10")


@pytest.mark.parametrize(
    ("difference", "interval", "decimals", "written"),
    [
        (0.0123, (0.004, 0.02), 3, "+0.012 [0.004, 0.020]"),
        (-0.0123, (-0.02, -0.004), 3, "-0.012 [-0.020, -0.004]"),
        (0.0004, (-0.001, 0.001), 3, "0.000 [-0.001, 0.001]"),
        (-0.0004, (-0.001, 0.001), 3, "0.000 [-0.001, 0.001]"),
        (0.0, (0.0, 0.0), 3, "0.000 [0.000, 0.000]"),
        (12_345.6, (1.0, 20_000.0), 1, "+12,345.6 [1.0, 20,000.0]"),
        (0.5, (float("nan"), float("nan")), 2, "+0.50 [–, –]"),
    ],
)
def test_a_difference_stands_with_its_sign(difference, interval, decimals, written):
    assert show.difference(of(difference, interval), decimals) == written


def test_a_comparison_of_any_unit_is_written():
    first, second = (Report.of({"a": [x, x + 0.1, x + 0.3]}, unit="seeds") for x in (0.5, 0.4))
    assert show.difference(compare(first, second, "a")) == "+0.100 [0.100, 0.100]"


def test_examples_in_the_docstrings_run():
    for module in (numbers, report):
        result = doctest.testmod(module)
        assert result.attempted >= 1
        assert result.failed == 0


def test_stored_sentences_of_the_chapters_take_no_values_yet_and_keep_their_braces(shown):
    """Whatever a chapter prints today as a finished text comes out as it went in."""
    sources = Path(__file__).parents[3] / "notebooks" / "source"
    literals = [
        literal
        for source in sorted(sources.glob("*.py"))
        for literal in re.findall(r'"([^"\n]*\{[^"\n]*)"', source.read_text(encoding="utf-8"))
    ]
    assert len(literals) > 100
    for literal in literals:
        assert text(shown, literal) == literal
