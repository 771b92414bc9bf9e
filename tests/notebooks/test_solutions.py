"""A solution is a folded Markdown cell: it is lifted from there, and nothing of it runs for a learner."""

import re
from pathlib import Path

import nbformat
import pytest
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

from course_lib.learn import find
from notebooks.make import inspection, pairing, solutions
from notebooks.make.kernel import ThisPython, settings
from notebooks.make.plan import Course

COURSE = Course(Path(__file__).resolve().parents[2])
CODE = 'answer = ...\nlearn.check("02.1", answer)'
TEXT = "<details>\n<summary>Show</summary>\n\nWords.\n\n```python\nanswer = 42\n```\n\n</details>"


def notebook(*cells):
    new = {"markdown": nbformat.v4.new_markdown_cell, "code": nbformat.v4.new_code_cell}
    return nbformat.v4.new_notebook(
        cells=[new[kind](source, metadata={"tags": [tag]}) for kind, tag, source in cells]
    )


EXERCISE = ("code", "exercise", CODE)


def test_a_solution_is_lifted_with_the_answer_that_its_exercise_hands_over():
    found, faults = solutions.lift(notebook(EXERCISE, ("markdown", "solution", TEXT)))
    assert faults == []
    assert [*found.values()] == [solutions.Solution("02.1", "answer = 42", "answer")]
    names = {"answer": ...}
    assert next(iter(found.values())).value(names) == 42
    assert names == {"answer": ...}


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        ([EXERCISE], "needs a Markdown cell"),
        ([EXERCISE, EXERCISE, ("markdown", "solution", TEXT)], "needs a Markdown cell"),
        ([EXERCISE, ("code", "solution", "answer = 42")], "runs in a learner's kernel"),
        ([("markdown", "solution", TEXT)], "without an exercise"),
        ([EXERCISE, ("markdown", "solution", TEXT.replace("</details>", ""))], "needs this form"),
        (
            [EXERCISE, ("markdown", "solution", TEXT.replace("\n\n```python", "\n```python"))],
            "needs this form",
        ),
        ([EXERCISE, ("markdown", "solution", TEXT.replace("```python", "```"))], "needs this form"),
        ([EXERCISE, ("markdown", "solution", TEXT.replace("42", "(42"))], "is no Python"),
        ([EXERCISE, ("markdown", "solution", TEXT.replace("answer", "other"))], "gives no value to answer"),
        ([("code", "exercise", "answer = ..."), ("markdown", "solution", TEXT)], "ends with one call"),
    ],
)
def test_what_is_amiss_with_a_solution_is_told(cells, fault):
    found, (line, *_) = solutions.lift(notebook(*cells))
    assert fault in line
    assert not found or len(cells) == 3


def run_as_a_learner(course, chapter, typed):
    """*Restart and run all* on a fresh copy of a lesson, not headless, after an answer was typed in."""
    lesson = pairing.paired(course.source(chapter), course.notebook(chapter))
    for cell in lesson.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
            for stub, answer in typed.items():
                cell.source = cell.source.replace(stub, answer)
    options = settings(course.folder)
    del options["env"]["COURSE_HEADLESS"]
    kernel = AsyncKernelManager(kernel_spec_manager=ThisPython())
    NotebookClient(lesson, km=kernel, timeout=chapter.timeout).execute(**options)
    return lesson


def shown(lesson):
    return [text for cell in lesson.cells for output in cell.get("outputs", ()) for text in _texts(output)]


def _texts(output):
    return [output.get("text", ""), *map(str, output.get("data", {}).values())]


def assert_nothing_is_given_away(lesson, wrong):
    found, faults = solutions.lift(lesson)
    assert faults == []
    states = {check["key"]: check["status"] for _, check in inspection.checks(lesson)}
    asked = {key for key in states if ".q" in key} | {solution.key for solution in found.values()}
    assert states == dict.fromkeys(asked, "not attempted") | {wrong: "wrong"}
    texts = "\n".join(shown(lesson))
    assert not re.search(r"✓ Exercise|Right\.", texts)
    for solution in found.values():
        assert solution.code not in texts


def test_running_the_toy_shows_no_answer_and_no_right(toy):
    (chapter,) = toy.chapters
    lesson = run_as_a_learner(toy, chapter, {"answer = ...": "answer = 41"})
    assert_nothing_is_given_away(lesson, "02.1")
    assert "Yes." not in "\n".join(shown(lesson))
    assert "secret" not in "\n".join(shown(lesson))


@pytest.mark.timeout(300)
def test_running_a_lesson_after_a_wrong_answer_shows_no_answer_and_no_right():
    (chapter,) = COURSE.pick(["02"])
    lesson = run_as_a_learner(COURSE, chapter, {"distance = ...": "distance = 0.4"})
    assert_nothing_is_given_away(lesson, "02.2")
    texts = "\n".join(shown(lesson))
    for number in (1, 2, 3, 4):
        assert find(f"02.{number}").right not in texts
