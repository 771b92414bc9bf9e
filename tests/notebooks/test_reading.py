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


ALGORITHM = "\n".join(["def mine(x):", *(f"    x += {number}" for number in range(4)), "    return x"])
ASSERTED = """from course_lib.similarity import cosine
theirs = cosine(1)
both = [mine(1), theirs]
assert both[0] == both[1]"""


def good(*more, asserted=ASSERTED, algorithm=ALGORITHM):
    """A lesson of about twelve minutes that keeps every bound."""
    return lesson(
        code("x = 1", "first-result"),
        new_markdown_cell("word " * 780),
        code(algorithm, "algorithm"),
        code(asserted),
        *more,
        code("learn.quiz('02')", "quiz", shows=[QUESTION] * 5),
    )


def test_a_good_lesson_has_no_fault():
    assert reading.faults(good(), 12) == []


@pytest.mark.parametrize(
    "asserted",
    [
        "np.testing.assert_allclose(mine(1), cosine(1))",
        "torch.testing.assert_close(mine(1), 2)",
        "def both(x):\n    return mine(x) - 2\nassert all(both(x) == 0 for x in (1, 2))",
        "found = {}\nfound['mine'] = mine(1)\nassert found['mine'] == 2",
        "for x, y in [(mine(1), 2)]:\n    assert x == y",
        "assert [ours for ours in map(mine, (1, 2))] == [2, 3]",
    ],
)
def test_an_assertion_may_look_at_what_was_made_of_an_algorithm(asserted):
    assert reading.faults(good(asserted=asserted), 12) == []


HIDDEN = """from course_lib import evaluate
def inner(x):
    return evaluate(x)
def outer(x):
    return inner(x)"""


@pytest.mark.parametrize(
    ("notebook", "minutes", "message"),
    [
        (good(), 15, "takes 12 honest minutes, and notebooks/plan.toml states 15"),
        (good(new_markdown_cell("word " * 10_000)), 89, "more than 75: make it two lessons"),
        (
            good(code("x = 1\n" * 251), new_markdown_cell("word " * 1300)),
            39,
            "has 262 unfolded lines of code, more than 250",
        ),
        (good(code("x = 1\n" * 251, "hide-input")), 12, "has 251 folded lines"),
        (good(code("x = 1\n" * 120)), 20, "unfolded lines of code per 100 words"),
        (lesson(new_markdown_cell("word " * 1500), *good().cells), 23, "has its first result after 12"),
        (lesson(*good().cells[1:]), 12, "has no cell tagged 'first-result'"),
        (lesson(*good().cells[:2], good().cells[-1]), 11, "has 0 cells tagged 'algorithm'"),
        (good(*(code(ALGORITHM, "algorithm") for _ in range(3))), 13, "has 4 cells tagged 'algorithm'"),
        (good(code("mine = 1", "algorithm")), 12, "an 'algorithm' cell has 1 lines"),
        (good(algorithm=ALGORITHM + "\n    x = 1" * 20), 13, "an 'algorithm' cell has 26 lines"),
        (good(algorithm=ALGORITHM + "\ncosine(1)"), 12, "uses cosine of course_lib: it must stand alone"),
        (good(code(HIDDEN), algorithm=ALGORITHM + "\nouter(1)"), 13, "uses outer of course_lib"),
        (good(code(ALGORITHM, "algorithm", "hide-input")), 12, "an 'algorithm' cell is folded"),
        (good(asserted="assert theirs == 1"), 12, "no assertion compares what an 'algorithm' cell gives"),
        (good(asserted="print(mine(1))"), 12, "no assertion compares what an 'algorithm' cell gives"),
        (lesson(*good().cells[:-1]), 7, "asks 0 questions in a cell tagged 'quiz': 5 are wanted"),
    ],
)
def test_each_bound_can_be_broken(notebook, minutes, message):
    (found,) = reading.faults(notebook, minutes)
    assert message in found


def test_a_chapter_that_is_not_cut_yet_is_held_to_its_minutes_only():
    long = lesson(new_markdown_cell("word " * 13_000), code("x = 1\n" * 600))
    assert len(reading.faults(long, 140)) > 4
    assert reading.faults(long, 140, whole=False) == []
    (found,) = reading.faults(long, 75, whole=False)
    assert "takes 140 honest minutes, and notebooks/plan.toml states 75" in found
