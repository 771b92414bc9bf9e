"""The ledger file keeps its rules, and verdicts join it or are refused with a reason."""

import re

import pytest
import yaml
from small_course import chapter, verdict, write_course

from book.ledger import LEDGER_FILE, LedgerError, join_verdicts, read_ledger, tally, tally_text


def test_all_113_entries_are_there_once():
    ledger = read_ledger()
    ids = [entry.id for entry in ledger.entries]
    sizes = {"D1": 37, "D2": 19, "D3": 18, "D4": 19, "D5": 20}
    assert ids == [f"{name}-{number:02d}" for name, size in sizes.items() for number in range(1, size + 1)]
    assert len(ids) == 113
    assert len(ledger.chapters) == 17


def test_every_entry_names_its_own_document_and_a_section():
    for entry in read_ledger().entries:
        assert re.fullmatch(rf"{entry.document} §\d[\d.§, Q-]*", entry.where), entry.id


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "rumour"}, "D1-01 has kind 'rumour'"),
        ({"chapter": "cooking"}, "D1-01 has chapter 'cooking'"),
        ({"says": ""}, "D1-01 has no says"),
        ({"id": "D9-01"}, "D9-01 names no known document"),
        ({"id": "D1-02"}, "D1-02 stands 2 times"),
    ],
)
def test_a_broken_entry_is_named(tmp_path, change, message):
    content = yaml.safe_load(LEDGER_FILE.read_text(encoding="utf-8"))
    content["entries"][0] |= change
    path = tmp_path / "ledger.yml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    with pytest.raises(LedgerError, match=re.escape(message)):
        read_ledger(path)


def joined(tmp_path, outputs_of: dict[str, list]):
    chapters = {stem: chapter(stem, outputs) for stem, outputs in outputs_of.items()}
    return join_verdicts(read_ledger(), write_course(tmp_path, chapters) / "notebooks")


def state(ledger, name):
    return next(entry.state for entry in ledger.entries if entry.id == name)


def test_a_partly_settled_entry_counts_as_open(tmp_path):
    outputs = [verdict("D1-16", "correct", "Yes."), verdict("D1-24", "taught", "So far.", waits_for="graph")]
    ledger = joined(tmp_path, {"02_cosine": outputs})
    assert state(ledger, "D1-16") == "settled"
    assert state(ledger, "D1-24") == "partly settled"
    assert tally(ledger.entries) == {"settled": 1, "partly settled": 1, "open": 111}
    assert tally_text(ledger).startswith("Ledger: 1 of 113 entries settled, 1 partly settled, 111 open.")


def test_the_latest_chapter_decides_and_the_earlier_verdict_is_kept(tmp_path):
    early = verdict("D1-24", "taught", "So far.", waits_for="graph")
    ledger = joined(tmp_path, {"02_cosine": [early], "07_graph": [verdict("D1-24", "taught", "All of it.")]})
    entry = next(entry for entry in ledger.entries if entry.id == "D1-24")
    assert entry.state == "settled"
    assert [record.notebook for record in entry.records] == ["02_cosine", "07_graph"]


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        (
            [verdict("D1-99", "correct", "x")],
            "02_cosine.ipynb gives a verdict on D1-99, which is not in the ledger",
        ),
        ([verdict("D1-16", "works", "x")], "02_cosine.ipynb calls D1-16 'works'; a formula is one of"),
        ([verdict("D1-16", "correct", "x")] * 2, "02_cosine.ipynb gives two verdicts on D1-16"),
    ],
)
def test_a_verdict_that_breaks_a_rule_is_refused(tmp_path, outputs, message):
    with pytest.raises(LedgerError, match=re.escape(message)):
        joined(tmp_path, {"02_cosine": outputs})
