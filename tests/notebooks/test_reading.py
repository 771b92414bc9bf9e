"""The honest minutes of a lesson: counted as DESIGN counts them, and each bound can be broken."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from notebooks.make import reading
from notebooks.make.reading import Reading, reading_of


def code(source, *tags, shows=()):
    outputs = [new_output("display_data", data) for data in shows]
    return new_code_cell(source, metadata={"tags": list(tags)}, outputs=outputs, execution_count=1)


def lesson(*cells):
    return new_notebook(cells=list(cells))


SENTENCE = {"text/markdown": "Twelve of **twenty** films were found.", "text/plain": "…"}
TABLE = {"text/html": "<table><tr><td>1</td></tr></table>", "text/plain": "1"}
CARD = {"text/html": '<div class="course-verdict"><b>D1-16</b> is right</div>', "text/plain": "…"}
QUESTION = {"application/vnd.course.check+json": {"key": "02.q1"}, "text/html": "…"}


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (new_markdown_cell("## One · two\n\n- three `not this` $nor + this$ four"), Reading(words=4)),
        (new_markdown_cell("So\n\n$$a = b$$\n\n```\nnot this\n```"), Reading(words=16)),
        (code("# a comment\nx = 1\n\ny = 2"), Reading(open_lines=2)),
        (code("x = 1\ny = 2", "hide-input", shows=[SENTENCE]), Reading(words=6, folded_lines=2)),
        (code("x", shows=[TABLE]), Reading(open_lines=1, tables=1)),
        (code("x", shows=[{"image/png": "…"}, TABLE]), Reading(open_lines=1, pictures=1, tables=1)),
        (code("x", "hide-input", shows=[CARD]), Reading(words=3, folded_lines=1)),
        (code("answer = ...\nlearn.check('02.1', answer)", "exercise", shows=[CARD]), Reading(exercises=1)),
        (code("learn.quiz('02')", "quiz", shows=[QUESTION] * 5), Reading(questions=5)),
        (new_markdown_cell("<details>much</details>", metadata={"tags": ["solution"]}), Reading()),
    ],
)
def test_what_a_cell_gives_to_read(cell, expected):
    assert reading_of(lesson(cell)) == expected


def test_minutes_are_the_sum_of_their_parts():
    read = Reading(words=260, open_lines=30, folded_lines=99, pictures=1, tables=1, exercises=1, questions=2)
    assert read.minutes == pytest.approx(2 + 2 + 0.5 + 0.5 + 6 + 2)


def test_sections_add_up_to_the_whole():
    notebook = lesson(
        new_markdown_cell("# Title"),
        new_markdown_cell("## First\n\nwords here"),
        code("x = 1"),
        new_markdown_cell("## Second"),
    )
    parts = reading.sections(notebook)
    assert list(parts) == ["start", "First", "Second"]
    assert parts["First"] == Reading(words=3, open_lines=1)
    assert sum(parts.values(), Reading()) == reading_of(notebook)


ALGORITHM = "\n".join(f"a{number} = {number}" for number in range(6))


def good(*more):
    """A lesson of about six minutes that keeps every bound."""
    words = new_markdown_cell("word " * 780)
    return lesson(code("x = 1", "first-result"), words, code(ALGORITHM, "algorithm"), *more)


def test_a_good_lesson_has_no_fault():
    assert reading.faults(good(), 6) == []


@pytest.mark.parametrize(
    ("notebook", "minutes", "message"),
    [
        (good(), 9, "takes 6 honest minutes, and notebooks/plan.toml states 9"),
        (good(new_markdown_cell("word " * 10_000)), 83, "more than 75: make it two lessons"),
        (good(code("x = 1\n" * 251)), 23, "has 258 unfolded lines of code, more than 250"),
        (good(code("x = 1\n" * 251, "hide-input")), 6, "has 251 folded lines"),
        (good(code("x = 1\n" * 120)), 15, "unfolded lines of code per 100 words"),
        (lesson(new_markdown_cell("word " * 1500), *good().cells), 18, "has its first result after 12"),
        (lesson(*good().cells[1:]), 6, "has no cell tagged 'first-result'"),
        (lesson(*good().cells[:2]), 6, "has 0 cells tagged 'algorithm'"),
        (good(code("a = 1", "algorithm")), 6, "an 'algorithm' cell has 1 lines"),
        (
            good(code("from course_lib import show"), code(ALGORITHM + "\nshow.say('x')", "algorithm")),
            7,
            "uses show of course_lib: it must stand alone",
        ),
    ],
)
def test_each_bound_can_be_broken(notebook, minutes, message):
    found = "\n".join(reading.faults(notebook, minutes))
    assert message in found, found
