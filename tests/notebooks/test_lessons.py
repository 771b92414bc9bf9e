"""A chapter of several lessons: what each command makes of it, and what is left of the lesson that it was."""

import json

import pytest
from toy_chapter import EXERCISES, PLAN, SOURCE

from book.ledger import ledger_of
from course_lib.registers import read_ledger
from notebooks.make import __main__ as command_line
from notebooks.make import desk, execution, inspection, pairing, readme
from notebooks.make.plan import Course

SECOND = """\
# %% [markdown]
# # The other half

# %% tags=["parameters"]
scale = "small"
seed = 0

# %%
from course_lib import learn

learn.verdict("D4-01", "harms", "Less is found.", data="seven numbers")
"""


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """The toy as the first of two lessons of chapter 02, executed; it was 02_toy once."""
    course = Course(tmp_path_factory.mktemp("lessons"))
    (course.folder / "source").mkdir(parents=True)
    (course.folder / "exercises").mkdir()
    first = PLAN.replace("02_toy", "02a_first").replace("timeout", 'was = ["02_toy"]\ntimeout')
    second = PLAN.replace("02_toy", "02b_second").replace("A toy", "Another toy")
    (course.folder / "plan.toml").write_text(first + second, encoding="utf-8")
    text = SOURCE.replace('"02.1"', '"02a.1"').replace('quiz(\n    "02"', 'quiz(\n    "02a"')
    (course.folder / "source" / "02a_first.py").write_text(text, encoding="utf-8")
    (course.folder / "source" / "02b_second.py").write_text(SECOND, encoding="utf-8")
    judges = EXERCISES.replace('"02.', '"02a.')
    (course.folder / "exercises" / "lesson_02a.py").write_text(judges, encoding="utf-8")
    for lesson in course.chapters:
        execution.execute(course, lesson)
    return course


@pytest.fixture
def typed(course, monkeypatch):
    """What the command line answers in this course."""
    monkeypatch.chdir(course.root)
    monkeypatch.setattr(command_line, "ROOT", course.root)
    monkeypatch.setattr(command_line, "ACCEPTED", course.root / "verdicts.json")
    return command_line.main


def test_the_number_of_the_chapter_runs_all_its_lessons(course, typed, capsys):
    assert typed(["run", "02"]) == 0
    report = json.loads((course.root / "build/run/report.json").read_text(encoding="utf-8"))
    assert [row["key"] for row in report["chapters"]] == ["02a_first", "02b_second"]
    assert "[2/2] 02b_second" in capsys.readouterr().out
    assert typed(["run", "2b"]) == 0
    assert "[1/1] 02b_second  unchanged" in capsys.readouterr().out


def test_exercises_and_questions_have_the_letter_of_their_lesson(course):
    found = inspection.checks(pairing.read(course.notebook(course.chapters[0])))
    assert [record["key"] for _, record in found] == ["02a.1", *(f"02a.q{number}" for number in range(1, 6))]


def test_verdicts_are_kept_by_lesson(course, typed):
    assert typed(["accept"]) == 0
    kept = json.loads((course.root / "verdicts.json").read_text(encoding="utf-8"))
    assert kept == {"02a_first": {"D1-17": "corrected"}, "02b_second": {"D4-01": "harms"}}


def test_the_ledger_leads_to_the_lesson_and_the_map_has_a_row_for_each(course):
    entries = ledger_of(course.folder).entries
    assert [record.lesson for record in entries["D1-17"].records] == ["02a_first"]
    assert [record.lesson for record in entries["D4-01"].records] == ["02b_second"]
    table = readme.chapter_map(course.chapters)
    assert "| 02a | [A toy · 玩具](notebooks/02a_first.ipynb) |" in table
    assert "| 02b | [Another toy · 玩具](notebooks/02b_second.ipynb) |" in table


def test_a_chapter_that_has_lessons_is_not_called_planned(course):
    texts = readme._planned(ledger_of(course.folder), course)
    assert "02 cosine" not in texts
    assert "03 transformer (" in texts
    assert all(
        f"{number:02d} {key} (" in texts
        for number, key in enumerate(read_ledger().chapters, 1)
        if number != 2
    )


def test_a_reader_of_the_old_lesson_is_told_once_how_it_goes_on(course, typed, capsys):
    course.work.mkdir()
    old = course.work / "02_toy.ipynb"
    old.write_text("answers", encoding="utf-8")
    desk.lay_out(course)
    said = capsys.readouterr().out
    assert "02_toy goes on as work/02a_first.ipynb. Yours stays as it is: work/02_toy.ipynb" in said
    assert old.read_text(encoding="utf-8") == "answers"
    assert {"02a_first.ipynb", "02b_second.ipynb"} <= {path.name for path in course.work.iterdir()}
    desk.lay_out(course)
    assert capsys.readouterr().out == ""
