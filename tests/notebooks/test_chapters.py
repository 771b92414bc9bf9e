"""The promises of every committed chapter. Their cells are collected beside this file (conftest.py)."""

import json
from pathlib import Path

import pytest

from notebooks.make import execution, inspection, pairing, reading
from notebooks.make.compare import difference
from notebooks.make.plan import Course

ROOT = Path(__file__).resolve().parents[2]
COURSE = Course(ROOT)
each_chapter = pytest.mark.parametrize("chapter", COURSE.chapters, ids=lambda chapter: chapter.key)


def accepted():
    return json.loads((ROOT / "book" / "verdicts.json").read_text(encoding="utf-8"))


@each_chapter
def test_the_notebook_is_that_of_its_source_and_clean(chapter):
    faults = execution.check(COURSE, chapter)
    assert not faults, f"{chapter.key} " + "\n".join(faults)


@each_chapter
def test_the_stated_minutes_are_honest(chapter):
    notebook = pairing.read(COURSE.notebook(chapter))
    assert reading.faults(notebook, chapter.minutes, whole=chapter.whole) == []
    assert f"About {chapter.minutes} minutes." in notebook.cells[0].source


@each_chapter
def test_a_lost_output_is_noticed_in_nearly_every_cell(chapter):
    cells = [cell for cell in pairing.read(COURSE.notebook(chapter)).cells if cell.get("outputs")]
    compared = [
        cell
        for cell in cells
        if not set(cell.metadata.get("tags", [])) & set(inspection.UNCOMPARED)
        and difference(cell.outputs, cell.outputs[1:])
    ]
    assert len(compared) / len(cells) >= 0.95


def test_every_verdict_is_an_accepted_one():
    assert execution.snapshot(COURSE) == accepted(), (
        "verdicts changed: if that is right, run `python -m notebooks.make accept`"
    )
