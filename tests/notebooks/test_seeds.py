"""Every chapter with another seed. Apart from test_chapters.py, so that the two can run beside each other."""

import json
from pathlib import Path

import pytest

from notebooks.make import execution
from notebooks.make.plan import Course

ROOT = Path(__file__).resolve().parents[2]
COURSE = Course(ROOT)


@pytest.mark.timeout(1800)  # a slow machine with a cold cache of vectors, beside another lesson
@pytest.mark.parametrize("chapter", COURSE.chapters, ids=lambda chapter: chapter.key)
def test_another_seed_runs_and_reaches_the_same_verdicts(chapter):
    folder = ROOT / "build" / "test"
    report = execution.run(COURSE, [chapter], parameters={"seed": 1}, folder=folder, fresh=True)
    row = next(row for row in report["chapters"] if row["key"] == chapter.key)
    assert row["error"] is None
    accepted = json.loads((ROOT / "book" / "verdicts.json").read_text(encoding="utf-8"))[chapter.key]
    assert execution.words(row) == accepted, "a verdict that flips with the seed is no verdict"
