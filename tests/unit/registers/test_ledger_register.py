"""The ledger keeps its rules; the word of an entry follows from its parts; what breaks a rule is refused."""

import re

import pytest
import yaml

from course_lib.registers import RegisterError, read_ledger
from course_lib.registers.ledger import LEDGER, WHOLE

LEDGER_NOW = read_ledger()


def record(name, word="works", **more):
    return {"id": name, "word": word, "sentence": "So it is.", **more}


def by_parts(name, **words):
    parts = {
        part.replace("_", " "): {"word": word, "sentence": "", "numbers": {}} for part, word in words.items()
    }
    return record(name, "computed", parts=parts)


def changed(tmp_path, change):
    """A copy of the ledger's file after `change` was done to its content."""
    content = yaml.safe_load(LEDGER.read_text(encoding="utf-8"))
    change(content)
    path = tmp_path / "ledger.yml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return path


# ── The file ──────────────────────────────────────────────────────────────────────────────────────────────


def test_ids_are_numbered_through_each_document():
    of_document = {}
    for name in LEDGER_NOW.entries:
        of_document.setdefault(name[:2], []).append(name)
    assert {key: len(names) for key, names in of_document.items()} == {
        "D1": 45,
        "D2": 23,
        "D3": 20,
        "D4": 23,
        "D5": 23,
    }
    for key, names in of_document.items():
        assert sorted(names) == [f"{key}-{number:02d}" for number in range(1, len(names) + 1)]


def test_every_place_names_a_document_and_a_section():
    for name, entry in LEDGER_NOW.entries.items():
        assert re.fullmatch(rf"{entry.document} §\d[\d.§, Q-]*", entry.where), name
        for place in entry.see:
            assert re.fullmatch(r"D[1-5] §\d(\.\d)?", place), name


def test_every_part_is_a_sentence_of_its_own():
    for name, entry in LEDGER_NOW.entries.items():
        assert len(set(entry.parts.values())) == len(entry.parts), name
        for part, says in entry.parts.items():
            assert re.fullmatch(r"[A-Z].*\.", says), (name, part)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "rumour"}, "D1-01 has kind 'rumour'"),
        ({"chapter": "cooking"}, "D1-01 has chapter 'cooking'"),
        ({"says": ""}, "D1-01 has no says"),
        ({"id": "D9-01"}, "D9-01 names no known document"),
        ({"id": "D1-02"}, "D1-02 stands 2 times"),
        ({"sais": "x"}, "D1-01 has sais, which no reader knows"),
        ({"parts": {"one": "x"}}, "D1-01 has 1 parts; two to five"),
    ],
)
def test_a_broken_entry_is_named(tmp_path, change, message):
    path = changed(tmp_path, lambda content: content["entries"][0].update(change))
    with pytest.raises(RegisterError, match=re.escape(message)):
        read_ledger(path)


def test_a_word_without_a_tone_is_named(tmp_path):
    path = changed(tmp_path, lambda content: content["tones"]["confirms"].remove("works"))
    with pytest.raises(RegisterError, match=r"the word 'works' of (method|advice) has no tone"):
        read_ledger(path)


def test_a_missing_file_is_one_clear_error(tmp_path):
    with pytest.raises(RegisterError, match=r"There is no book/ledger\.yml"):
        read_ledger(tmp_path / "ledger.yml")


# ── The word of an entry ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("cost", "steadiness", "word", "undecided"),
    [
        ("refuted", "refuted", "refuted", ()),
        ("refuted", "supported", "depends", ()),
        ("refuted", "undecided", "refuted", ("steadiness",)),
        ("not testable here", "supported", "supported", ("cost",)),
        ("beyond our data", "supported", "supported", ("cost",)),
        ("undecided", "undecided", "undecided", ()),
        ("undecided", "not testable here", "undecided", ()),
        ("not testable here", "not testable here", "not testable here", ()),
    ],
)
def test_the_word_follows_from_the_parts(cost, steadiness, word, undecided):
    found = LEDGER_NOW.word_of("D1-02", {"steadiness": steadiness, "cost": cost})
    assert (found.word, found.undecided, found.missing) == (word, undecided, ())
    assert list(found.parts) == ["cost", "steadiness"]


def test_a_part_that_nobody_measured_is_named():
    assert LEDGER_NOW.word_of("D1-02", {"cost": "refuted"}).missing == ("steadiness",)


def test_scenarios_whose_parts_differ_are_taught_and_name_what_is_beyond():
    found = LEDGER_NOW.word_of("D5-18", {"advertising": "beyond our data", "video": "taught"})
    assert (found.word, found.undecided, found.missing) == ("taught", ("advertising",), ("goods", "finance"))


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"price": "refuted"}, "D1-02 has no part 'price'; its parts: cost, steadiness"),
        ({"cost": "works"}, "D1-02, cost: 'works' is no word here; use supported, refuted"),
        ({"cost": "depends"}, "D1-02, cost: 'depends' is no word here"),
        ({}, "D1-02 has no part with a word"),
    ],
)
def test_parts_and_words_that_the_ledger_lacks_are_refused(parts, message):
    with pytest.raises(RegisterError, match=re.escape(message)):
        LEDGER_NOW.word_of("D1-02", parts)


def test_an_entry_that_is_one_thing_has_one_part_that_may_depend():
    assert list(LEDGER_NOW.entries["D1-12"].parts) == [WHOLE]
    assert LEDGER_NOW.word_of("D1-12", {WHOLE: "depends"}).word == "depends"


# ── Verdicts joined ───────────────────────────────────────────────────────────────────────────────────────


def test_parts_from_several_lessons_make_one_word():
    ledger = LEDGER_NOW.joined({"05_cf": [by_parts("D1-02", cost="refuted")]})
    assert ledger.entries["D1-02"].state == "partly settled"
    assert ledger.entries["D1-02"].label == "partly settled"
    verdicts = {
        "05_cf": [by_parts("D1-02", cost="refuted")],
        "06_evaluation": [by_parts("D1-02", steadiness="supported")],
    }
    ledger = LEDGER_NOW.joined(verdicts)
    entry = ledger.entries["D1-02"]
    assert (entry.state, entry.word, entry.tone, entry.label) == ("settled", "depends", "mixed", "depends")
    assert ledger.tally() == {"settled": 1, "partly settled": 0, "open": 133}
    assert ledger.tally_of_words() == {"depends": 1}
    assert ledger.tally_of_parts() == (2, sum(len(entry.parts) for entry in ledger.entries.values()))


def test_the_word_of_the_larger_scale_decides():
    full = {"word": "supported", "parts": {}}
    small = record("D1-12", "refuted", full=full)
    ledger = LEDGER_NOW.joined({"12_serving": [small]})
    assert ledger.entries["D1-12"].word == "supported"
    assert ledger.entries["D1-12"].records[0].word == "refuted"
    verdict = by_parts("D1-02", cost="undecided", steadiness="refuted")
    verdict["full"] = {"word": "depends", "parts": {"cost": {"word": "supported"}}}
    ledger = LEDGER_NOW.joined({"05_cf": [verdict]})
    assert ledger.entries["D1-02"].part_words == {"cost": "supported", "steadiness": "refuted"}
    assert ledger.entries["D1-02"].word == "depends"


def test_a_verdict_on_the_whole_waits_or_settles():
    waiting = record("D1-24", "taught", waits_for="graph")
    ledger = LEDGER_NOW.joined({"02_cosine": [record("D1-16", "correct"), waiting]})
    assert ledger.tally() == {"settled": 1, "partly settled": 1, "open": 132}
    ledger = LEDGER_NOW.joined({"02_cosine": [waiting], "07_graph": [record("D1-24", "taught")]})
    entry = ledger.entries["D1-24"]
    assert entry.state == "settled"
    assert [found.lesson for found in entry.records] == ["02_cosine", "07_graph"]


@pytest.mark.parametrize(
    ("verdicts", "message"),
    [
        ({"02_cosine": [record("D1-99")]}, "02_cosine gives a verdict on D1-99, which is not in the ledger"),
        (
            {"02_cosine": [record("D1-16")]},
            "02_cosine calls D1-16 'works'; a formula is one of: correct, corrected",
        ),
        ({"02_cosine": [record("D1-16", "correct")] * 2}, "02_cosine gives two verdicts on D1-16"),
        (
            {"05_cf": [by_parts("D1-02", cost="refuted")], "06_x": [by_parts("D1-02", cost="refuted")]},
            "D1-02, cost: 05_cf and 06_x both measure it; keep one",
        ),
        ({"05_cf": [by_parts("D1-02", price="refuted")]}, "D1-02 has no part 'price'"),
    ],
)
def test_a_verdict_that_breaks_a_rule_is_refused(verdicts, message):
    with pytest.raises(RegisterError, match=re.escape(message)):
        LEDGER_NOW.joined(verdicts)
