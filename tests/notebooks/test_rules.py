"""Verdict rules: each is fed synthetic findings until it has given every word of its kind."""

import re
from pathlib import Path

import jupytext
import nbformat
import pytest

from notebooks.make import inspection, rules
from notebooks.make.plan import Course

COURSE = Course(Path(__file__).resolve().parents[2])

CLAIM = """def rule_D1_02_cost(gap):
    margin = 0.005  # Recall@100 on 6,000 people or more
    if gap.within(margin):
        return "refuted"
    return {"above": "supported", "below": "refuted", "unclear": "undecided"}[gap.side]
"""
METHOD = """def rule_D4_01_user_based(gain, listed_share):
    if gain.side == "unclear":
        return "no effect" if gain.within(0.01) else "undecided"
    return "works" if gain.side == "above" and listed_share > 0.5 else "harms"
"""
MANY = """def rule_D1_02_steadiness(a, b, c, d, e, f, seeds_ratio):
    sides = {one.side for one in (a, b, c, d, e, f)}
    if sides == {"above"}:
        return "supported"
    return "refuted" if sides == {"below"} and seeds_ratio < 1 else "undecided"
"""


def notebook(*sources, tags=("rule", "hide-input")):
    cells = [nbformat.v4.new_code_cell(source, metadata={"tags": [*tags]}) for source in sources]
    return nbformat.v4.new_notebook(cells=cells)


RULES = [
    pytest.param(rule, id=f"{chapter.key}-{rule.name}")
    for chapter in COURSE.chapters
    for rule in rules.lift(jupytext.read(COURSE.source(chapter), fmt="py:percent"))[0]
]


@pytest.mark.parametrize("rule", RULES)
def test_every_word_of_the_kind_can_come_out_of_a_rule_of_the_course(rule):
    assert rules.tried(rule) == []


@pytest.mark.parametrize("chapter", COURSE.chapters, ids=lambda chapter: chapter.key)
def test_a_cell_that_is_tagged_as_a_rule_holds_one_that_the_lesson_uses(chapter):
    found, faults = rules.lift(jupytext.read(COURSE.source(chapter), fmt="py:percent"))
    assert faults == []
    source = COURSE.source(chapter).read_text(encoding="utf-8")
    assert [rule.name for rule in found if source.count(f"{rule.name}(") < 2] == []


def test_the_course_has_rules():
    names = {rule.values[0].name for rule in RULES}
    assert {"rule_D1_02_cost", "rule_D4_11", "rule_D5_18"} <= names


@pytest.mark.parametrize("source", [CLAIM, METHOD, MANY])
def test_a_rule_that_gives_every_word_passes(source):
    assert rules.faults(notebook(source)) == []


def test_a_claim_needs_three_words_and_a_method_four():
    (claim, method), faults = rules.lift(notebook(CLAIM, METHOD))
    assert faults == []
    assert claim.wanted(rules.read_ledger()) == ("supported", "refuted", "undecided")
    assert method.wanted(rules.read_ledger()) == ("works", "no effect", "harms", "undecided")
    assert (method.entry, method.part) == ("D4-01", "user-based")


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        # zero in an interval is taken for "the same": a claim that nothing can leave undecided
        (CLAIM.replace('"unclear": "undecided"', '"unclear": "refuted"'), "can never give 'undecided'"),
        (CLAIM.replace("supported", "undecided"), "can never give 'supported'"),
        # both ask for more than a share can be
        (METHOD.replace("> 0.5", "> 1.5"), "can never give 'works'"),
        (METHOD.replace("within(0.01)", "within(1e-9)"), "can never give 'no effect'"),
        (METHOD.replace("harms", "no effect"), "can never give 'harms'"),
        (MANY.replace("< 1", "< 0"), "can never give 'refuted'"),
        (CLAIM.replace("supported", "depends"), "'depends', which is no word of D1-02"),
        (CLAIM.replace("supported", "proven"), "'proven', which is no word of D1-02"),
        (
            CLAIM.replace("(gap)", "(gap, days)").replace("gap.within", "days > 3 and gap.within"),
            "stops with",
        ),
    ],
)
def test_a_rule_that_cannot_give_one_of_its_words_is_found(source, fault):
    (found,) = rules.faults(notebook(source))
    assert fault in found


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        (CLAIM + "\n\ndef second(gap):\n    return gap\n", "exactly one function"),
        (CLAIM + "\nmargin = 0.005\n", "exactly one function"),
        ("import numpy\n\n" + CLAIM, "exactly one function"),
        (
            CLAIM.replace("    margin = 0.005  # Recall@100 on 6,000 people or more\n", ""),
            "reads margin from",
        ),
        (CLAIM.replace("margin = 0.005", "margin = max(float(seed), 0.005)"), "reads seed from outside"),
        (CLAIM.replace("margin = 0.005", "margin = [scale for _ in (1,)][0]"), "reads scale from outside"),
        (CLAIM.replace("margin = 0.005", "margin = open('margin')"), "reads open from outside"),
        (CLAIM.replace("margin = 0.005", "margin = gap.p_value"), r"uses \.p_value"),
        (CLAIM.replace("margin = 0.005", "global margin; margin = 0.005"), "global of its own"),
        (CLAIM.replace("margin = 0.005", "import math; margin = 0.005"), "import or global of its own"),
        (CLAIM.replace("(gap)", "(gap, margin=0.005)"), "no defaults"),
        (CLAIM.replace("(gap)", "(*gap)"), r"no \*"),
        (CLAIM.replace("(gap)", "(gap, other)"), "does not use other"),
        ("@cache\n" + CLAIM, "no decorator"),
        (CLAIM.replace("D1_02_cost", "cost"), "called like rule_D1_02_cost"),
        (CLAIM.replace("D1_02", "D1_99"), "no entry D1-99"),
        (CLAIM.replace("cost", "price"), "no part 'price'"),
        (CLAIM.replace("return {", "return {{"), "no Python"),
    ],
)
def test_a_cell_that_is_no_rule_is_found(source, fault):
    found, faults = rules.lift(notebook(source))
    assert found == []
    assert len(faults) == 1
    assert re.search(fault, faults[0])


def test_a_rule_is_folded_and_is_code():
    (fault,) = rules.faults(notebook(CLAIM, tags=("rule",)))
    assert fault == "cell 1: a rule is a code cell tagged `rule` and `hide-input`"
    markdown = nbformat.v4.new_markdown_cell(CLAIM, metadata={"tags": ["rule", "hide-input"]})
    assert len(rules.faults(nbformat.v4.new_notebook(cells=[markdown]))) == 1


def test_a_lesson_with_a_rule_that_lacks_a_word_is_not_stored():
    planted = notebook(CLAIM.replace("supported", "undecided"))
    assert any("can never give 'supported'" in fault for fault in inspection.faults(planted))
