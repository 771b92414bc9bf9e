"""Questions whose right letter is typed, and quizzes that give something away, are refused."""

from pathlib import Path

import pytest

from course_lib.learn import Question
from course_lib.learn.lesson_files import lesson_file
from notebooks.make import execution, inspection, pairing, quizzes
from notebooks.make.plan import Course

COURSE = Course(Path(__file__).resolve().parents[2])
QUESTIONS = [
    pytest.param(question, id=question.key)
    for chapter in COURSE.chapters
    for question in getattr(lesson_file(chapter.number), "QUESTIONS", ())
]


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_right_letter_of_every_question_of_the_course_can_change(question):
    assert quizzes.tried(question) == []


@pytest.mark.parametrize("chapter", COURSE.chapters, ids=lambda chapter: chapter.key)
def test_a_lesson_has_five_questions_or_none(chapter):
    keys = [question.key for question in getattr(lesson_file(chapter.number), "QUESTIONS", ())]
    assert keys in ([], [f"{chapter.number}.q{number}" for number in range(1, 6)])
    assert ('tags=["quiz"]' in COURSE.source(chapter).read_text(encoding="utf-8")) == bool(keys)


def question(right, others=()):
    because = {"A": "not A.", "B": "not B.", "C": "not C."}
    return Question("02.q1", "Which?", ("one", "two", "three"), right, because, others)


def best(found):
    return {"ALS": "A", "EASE": "B"}.get(max(found["recall"], key=found["recall"].get), "C")


def by_name(found):
    names = ("ALS", "EASE")
    return "A" if found["winner"] == names[0] else "B" if found["winner"] == names[1] else "C"


@pytest.mark.parametrize(
    "asked",
    [
        question(lambda found: "A" if found["share"] > 0.5 else "B"),
        question(lambda found: "A" if found["text"] > found["popularity"] else "C"),
        question(lambda found: {"above": "A", "below": "B", "unclear": "C"}[found["gap"].side]),
        question(lambda found: "A" if found["gap"].within(0.005) else "B"),
        question(lambda found: "A" if found["holds"] else "B"),
        question(lambda found: "A" if found["gap"].side == "above" and found["ratio"] > 2 else "B"),
        question(by_name),
        question(best, ({"recall": {"ALS": 0.3, "EASE": 0.2}}, {"recall": {"ALS": 0.1, "EASE": 0.2}})),
    ],
)
def test_a_letter_that_follows_from_results_passes(asked):
    assert quizzes.tried(asked) == []


@pytest.mark.parametrize(
    ("asked", "fault"),
    [
        (question(lambda found: "B"), "B is right whatever was found"),
        (question(lambda found: "B" if found["gap"].side else "A"), "B is right whatever was found"),
        (question(lambda found: "A" if found["share"] >= 0 or found["share"] < 0 else "B"), "A is right"),
        (question(best), "no letter came out of any results; give it some in others"),
        (question(best, ({"recall": {"ALS": 0.3}},)), "A is right whatever was found"),
        (question(lambda found: "D" if found["share"] > 0.5 else "A"), "'D' came out as the right letter"),
        (question(lambda found: "A" if found["share"] > 0.5 else None), "None came out"),
    ],
)
def test_a_letter_that_cannot_change_is_found(asked, fault):
    (found,) = quizzes.tried(asked)
    assert found.startswith("02.q1: ")
    assert fault in found


def test_a_stored_quiz_shows_five_questions_that_nobody_answered(toy):
    assert execution.check(toy, toy.chapters[0]) == []
    notebook = pairing.read(toy.notebook(toy.chapters[0]))
    states = {record["key"]: record["status"] for _, record in inspection.checks(notebook)}
    assert states == dict.fromkeys(["02.1", *(f"02.q{number}" for number in range(1, 6))], "not attempted")
    assert "secret" not in toy.notebook(toy.chapters[0]).read_text(encoding="utf-8")


def drop_a_record(cell):
    del cell.outputs[2]


def answer_one(cell):
    cell.outputs[2].data["application/vnd.course.check+json"]["status"] = "right"


def replace(old, new):
    def change(cell):
        assert old in cell.source
        cell.source = cell.source.replace(old, new)

    return change


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (drop_a_record, "the quiz shows q1, q2, q4, q5: wanted are q1 to q5"),
        (answer_one, "question 02.q3 is right"),
        (replace('"02"', '"02a"'), "it asks the questions of 02a, in lesson 02"),
        (replace("values.mean()", "0.03"), "0.03 is typed"),
        (replace('"size": size', '"size": -(4 + 6)'), "-(4 + 6) is typed"),
        (replace('found={"mean"', 'found=results or {"mean"'), "is a dictionary of results"),
        (replace("learn.quiz(", "quiz("), "one call like learn.quiz"),
        (lambda cell: cell.metadata.tags.remove("quiz"), "stands in a cell that is not tagged 'quiz'"),
    ],
)
def test_what_is_amiss_with_a_quiz_is_told(toy, change, fault):
    notebook = pairing.read(toy.notebook(toy.chapters[0]))
    assert inspection.faults(notebook, toy.chapters[0]) == []
    change(next(cell for cell in notebook.cells if "quiz" in cell.metadata.get("tags", [])))
    assert fault in "\n".join(inspection.faults(notebook, toy.chapters[0]))


def test_a_second_quiz_is_one_too_many(toy):
    notebook = pairing.read(toy.notebook(toy.chapters[0]))
    notebook.cells.append(notebook.cells[-1])
    assert "has 2 cells tagged 'quiz'" in "\n".join(inspection.faults(notebook, toy.chapters[0]))
