"""The quiz: right letters follow from results, and each wrong letter is answered."""

import json

import pytest

from course_lib import learn
from course_lib.evaluate import Comparison
from course_lib.learn import exercise as exercise_module
from course_lib.learn import questions as questions_module
from course_lib.learn.exercise import MIME
from course_lib.registers import places

QUESTION = learn.Question(
    key="99.q1",
    text="Which one finds *more*?",
    options=("ALS", "popularity", "it is not clear"),
    right=lambda found: {"above": "A", "below": "B", "unclear": "C"}[found["gap"].side],
    because={
        "A": "popularity is a strong bar: look at the interval.",
        "B": "the interval lies on the other side of zero.",
        "C": "the interval leaves zero out.",
    },
)
FILE = """
from course_lib.learn import Question

QUESTIONS = tuple(
    Question(
        key=f"99a.q{number}",
        text="Is it more than a half?",
        options=("yes", "no"),
        right=lambda found: "A" if found["share"] > 0.5 else "B",
        because={"A": "the mean is no share.", "B": "the share is of all films."},
    )
    for number in range(1, 6)
)
"""


def gap(low, high):
    return {"gap": Comparison("recall@100", (low + high) / 2, (low, high), 0.5, 100, 0.95)}


@pytest.fixture
def shown(monkeypatch, tmp_path):
    (tmp_path / "lesson_99a.py").write_text(FILE, encoding="utf-8")
    (tmp_path / "lesson_98.py").write_text("EXERCISES = ()\n", encoding="utf-8")
    monkeypatch.setattr(places, "EXERCISES", tmp_path)
    monkeypatch.setattr(exercise_module, "_wrong_choices", {})
    outputs = []
    monkeypatch.setattr(questions_module, "display", lambda data, *, raw: outputs.append(data))
    return outputs


@pytest.mark.parametrize(
    ("interval", "right"), [((0.01, 0.03), "A"), ((-0.03, -0.01), "B"), ((-0.01, 0.01), "C")]
)
def test_another_result_makes_another_letter_right(interval, right):
    states = {letter: QUESTION.assess(letter, gap(*interval)) for letter in "ABC"}
    assert states == {
        letter: ("right", "") if letter == right else ("wrong", QUESTION.because[letter]) for letter in "ABC"
    }


def test_a_message_holds_the_results_as_they_were_found():
    because = {**QUESTION.because, "B": "it is {gap}, and not $e^{{x}}$."}
    question = learn.Question(**{**QUESTION.__dict__, "because": because})
    assert question.assess("B", gap(0.01, 0.03))[1] == "it is +0.020 [0.010, 0.030], and not $e^{x}$."
    unknown = learn.Question(**{**QUESTION.__dict__, "because": {**because, "B": "it is {gain}."}})
    for answer in (..., "A", "B"):  # also before anybody answers: the lesson is not stored
        with pytest.raises(ValueError, match="a place for 'gain' and no such value"):
            unknown.assess(answer, gap(0.01, 0.03))


@pytest.mark.parametrize("answer", ["a", " A ", "A.", ["A"], ("a",)])
def test_a_letter_may_be_written_in_many_ways(answer):
    assert QUESTION.assess(answer, gap(0.01, 0.03)) == ("right", "")


@pytest.mark.parametrize("answer", ["D", "", "ALS", None, 1, True, ["A", "B"], {"A"}, b"A", 1j, object()])
def test_what_is_no_letter_is_wrong_and_says_which_there_are(answer):
    status, message = QUESTION.assess(answer, gap(0.01, 0.03))
    assert status == "wrong"
    assert "none of the choices" in message or "give one choice" in message


def test_before_an_answer_nothing_is_given_away(shown):
    learn.quiz("99a", q1=..., found={"share": 0.7})
    before = json.dumps(shown)
    shown.clear()
    learn.quiz("99a", found={"share": 0.3})  # another letter is right, and the same is shown
    assert json.dumps(shown) == before
    assert [data[MIME]["key"] for data in shown] == [f"99a.q{number}" for number in range(1, 6)]
    assert {data[MIME]["status"] for data in shown} == {"not attempted"}
    assert "A. yes\nB. no\n○ Not attempted yet. Give one of the letters A, B." in shown[0]["text/plain"]
    assert "the mean is no share" not in before


def test_each_answer_is_told_where_it_stands(shown):
    learn.quiz("99a", q1="A", q3="B", found={"share": 0.3})
    none = "not attempted"
    assert [data[MIME]["status"] for data in shown] == ["wrong", none, "right", none, none]
    assert "✗ Not yet: the mean is no share. (Try 1.)" in shown[0]["text/plain"]
    assert "✓ Right" in shown[2]["text/plain"]
    assert "<li>yes</li>" in shown[0]["text/html"]


def test_another_spelling_is_no_new_try_and_what_is_no_letter_is_none(shown):
    for answer in ("a", "A", " a ", "Z", 7):
        learn.quiz("99a", q1=answer, found={"share": 0.3})
    said = [data["text/plain"] for data in shown[::5]]
    assert ["(Try 1.)" in text for text in said] == [True, True, True, False, False]


def test_a_quiz_or_an_answer_that_there_is_not_is_told(shown):
    with pytest.raises(ValueError, match=r"no question q7: it has q1, q2, q3, q4, q5"):
        learn.quiz("99a", q7="A", found={"share": 0.3})
    for lesson in ("98", "97", "../99a"):
        with pytest.raises(KeyError, match="has no quiz"):
            learn.quiz(lesson, q1="A", found={"share": 0.3})
    with pytest.raises(KeyError, match=r"no exercise '99a\.q1'"):
        learn.find("99a.q1")
    assert shown == []


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"key": "99.1"}, "must look like"),
        ({"key": "9.q1"}, "must look like"),
        ({"right": "A"}, "never typed"),
        ({"options": ("one",)}, "two to six options"),
        ({"options": ("one", "one")}, "two to six options"),
        ({"because": {"B": "no.", "C": "never."}}, "no message for A"),
        ({"because": {**QUESTION.because, "C": ""}}, "no message for C"),
        ({"because": {**QUESTION.because, "D": "what?"}}, "a message for D"),
        ({"because": {**QUESTION.because, "C": QUESTION.because["A"]}}, "the same to two letters"),
    ],
)
def test_an_incomplete_question_is_refused(change, error):
    with pytest.raises(ValueError, match=error):
        learn.Question(**{**QUESTION.__dict__, **change})


@pytest.mark.parametrize("letter", ["D", "a", "", "AB", None, 1])
def test_a_right_letter_that_is_none_is_the_questions_fault(letter):
    question = learn.Question(**{**QUESTION.__dict__, "right": lambda found: letter})
    with pytest.raises(ValueError, match="is none of its letters, ABC"):
        question.assess("A", {})
