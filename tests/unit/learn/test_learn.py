"""Exercises, errors on purpose, verdict cards, live cells."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from course_lib import learn, show
from course_lib.learn import exercise as exercise_module
from course_lib.learn import verdict_cards
from course_lib.learn.answers import Unfit
from course_lib.registers import Measurement, RegisterError, places, read_ledger

FILE = """
from dataclasses import dataclass

from course_lib.learn import Exercise


@dataclass
class Triangle:
    longest: int


def judge(answer):
    if answer < 0:
        return "a length is never negative."
    return None if answer == Triangle(5).longest else "use *Pythagoras*."


EXERCISES = [
    Exercise(
        key="99.1",
        question="How long is the vector (3, 4)?",
        judge=judge,
        hints=("Draw it.", "Square both sides.", "9 + 16 = 25."),
        wrong_examples=(-5, 7),
        right="3, 4, 5 is the smallest whole one.",
    )
]
"""

ITSELF = []
ITSELF.append(ITSELF)


@pytest.fixture(autouse=True)
def lesson_99(monkeypatch, tmp_path):
    """A lesson of exercises that exists only here."""
    (tmp_path / "lesson_99.py").write_text(FILE, encoding="utf-8")
    for number in ("96a", "96c"):
        (tmp_path / f"lesson_{number}.py").write_text("EXERCISES = ()\n", encoding="utf-8")
    (tmp_path / "lesson_99b.py").write_text(FILE.replace("99.1", "99b.1"), encoding="utf-8")
    monkeypatch.setattr(places, "EXERCISES", tmp_path)
    monkeypatch.setattr(exercise_module, "_hints_given", {})
    monkeypatch.setattr(exercise_module, "_wrong_choices", {})


@pytest.fixture
def shown(monkeypatch):
    outputs = []
    for module in (exercise_module, verdict_cards, show.outputs):
        monkeypatch.setattr(module, "display", lambda data, *, raw: outputs.append(data))
    return outputs


@pytest.mark.parametrize(
    ("answer", "status", "word"),
    [
        (..., "not attempted", "Not attempted yet"),
        ([3, ...], "not attempted", "Not attempted yet"),
        ({"x": (..., 1)}, "not attempted", "Not attempted yet"),
        ({...}, "not attempted", "Not attempted yet"),
        (ITSELF, "wrong", "Not yet: checking your answer failed with TypeError"),
        (-5, "wrong", "Not yet: a length is never negative."),
        (7, "wrong", "Not yet: use *Pythagoras*."),
        ("five", "wrong", "Not yet: checking your answer failed with TypeError"),
        (5, "right", "Right. 3, 4, 5 is the smallest whole one."),
    ],
)
def test_check_says_where_an_answer_stands(shown, answer, status, word):
    learn.check("99.1", answer)
    (data,) = shown
    assert data[exercise_module.MIME]["status"] == status
    assert word in data["text/plain"]
    assert ("learn.hint" in data["text/html"]) == (status != "right")


def test_three_hints_then_the_solution(shown):
    for _ in range(4):
        learn.hint("99.1")
    texts = [data["text/plain"] for data in shown]
    assert [text.split(" · ")[1] for text in texts[:3]] == list(learn.find("99.1").hints)
    assert "solution" in texts[3]


def test_an_exercise_is_found_by_its_lesson():
    assert learn.find("99.1") is learn.find("99.1")
    assert learn.find("99b.1").key == "99b.1"


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("99.2", r"no exercise '99\.2': lesson 99 has 99\.1"),
        ("99b.2", r"no exercise '99b\.2': lesson 99b has 99b\.1"),
        ("98.1", r"lesson '98' has no exercises\.\W?$"),
        ("96.1", "lesson '96' has no exercises; chapter 96 has the lessons 96a, 96c"),
        ("../lesson_99.1", "has no exercises"),
        (99.1, r"no exercise 99\.1: lesson 99 has 99\.1"),
    ],
)
def test_an_unknown_exercise_names_the_known_ones(key, message):
    with pytest.raises(KeyError, match=message):
        learn.find(key)


def test_a_choice_tells_the_number_of_the_try_and_asks_for_a_reason_from_the_third_on(shown, monkeypatch):
    choice = replace(learn.find("99.1"), choice=True)
    monkeypatch.setattr(exercise_module, "find", lambda key: choice)
    for answer in (-1, -2, -2, -3, -4, 5):  # -2 twice: running all cells again is no new try
        learn.check("99.1", answer)
    said = [output["text/plain"] for output in shown]
    assert [re.search(r"\(Try (\d)\.", text)[1] for text in said[:5]] == ["1", "2", "2", "3", "4"]
    assert ["a sentence why" in text for text in said] == [False, False, False, True, True, False]
    assert "Try" not in said[5]  # right


def test_an_answer_of_another_kind_is_no_try(shown, monkeypatch):
    def judge(answer):
        raise Unfit("that is none of the choices.")

    choice = replace(learn.find("99.1"), choice=True, judge=judge)
    monkeypatch.setattr(exercise_module, "find", lambda key: choice)
    learn.check("99.1", "retreival")
    assert "none of the choices" in shown[0]["text/plain"]
    assert "Try" not in shown[0]["text/plain"]


def test_a_number_is_no_choice_and_has_no_tries(shown):
    learn.check("99.1", -1)
    assert "Try" not in shown[0]["text/plain"]


def test_a_file_that_stops_half_way_is_read_again_once_it_is_repaired(tmp_path):
    broken = tmp_path / "lesson_97.py"
    broken.write_text("EXERCISES = nothing\n", encoding="utf-8")
    for _ in range(2):
        with pytest.raises(NameError):
            learn.find("97.1")
    broken.write_text(FILE.replace("99.1", "97.1"), encoding="utf-8")
    assert learn.find("97.1").key == "97.1"


def test_without_the_folder_of_the_course_one_sentence_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(places, "EXERCISES", tmp_path / "none")
    with pytest.raises(RegisterError, match="no notebooks/exercises beside course_lib"):
        learn.check("99.1", 5)


def test_a_copy_in_another_folder_is_checked_and_the_library_imports_no_notebooks(tmp_path):
    trial = (
        "import sys; from course_lib import learn; print(learn.find('06.3').assess(10)[1]);"
        "print(sorted(name for name in sys.modules if name.split('.')[0] in ('notebooks', 'tests', 'book')))"
    )
    root = Path(places.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", trial],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    checked, imported = done.stdout.splitlines()
    assert checked.startswith("10 is the cut-off among the 101 sampled items")
    assert imported == "[]"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"key": "1"}, "must look like"),
        ({"key": "01A.1"}, "must look like"),
        ({"hints": ("a",)}, "three hints"),
        ({"wrong_examples": (1,)}, "two wrong"),
    ],
)
def test_an_incomplete_exercise_is_refused(change, error):
    with pytest.raises(ValueError, match=error):
        learn.Exercise(**{**learn.find("99.1").__dict__, **change})


def test_fails_prints_class_and_first_line(capsys):
    with learn.fails(ValueError, KeyError):
        raise ValueError("no such film\nsecond line")
    assert capsys.readouterr().out == "ValueError: no such film\n"


def test_fails_wants_a_failure_of_the_named_kind():
    with pytest.raises(learn.NothingFailed, match="expected to raise ValueError"), learn.fails(ValueError):
        pass
    with pytest.raises(KeyError), learn.fails(ValueError):
        raise KeyError("other")
    with pytest.raises(TypeError, match="Name the error"):
        learn.fails()


def test_verdict_shows_a_card_and_stores_a_machine_readable_twin(shown):
    learn.verdict(
        "D1-17",
        "corrected",
        "The *value* is {cosine}.",
        numbers={"cosine": 0.894427, "difference": (0.01, (-0.01, 0.03)), "terms": 7},
        data="the seven numbers",
        scale="small",
    )
    (data,) = shown
    found = data[verdict_cards.MIME]
    assert found["id"] == "D1-17"
    assert found["kind"] == "example"
    assert found["word"] == "corrected"
    assert found["sentence"] == "The *value* is 0.8944."
    assert found["numbers"] == {"cosine": "0.8944", "difference": "0.010 [-0.010, 0.030]", "terms": "7"}
    assert "The <em>value</em> is 0.8944." in data["text/html"]
    assert "difference = 0.010 [-0.010, 0.030] · terms = 7" in data["text/plain"]
    assert "cosine =" not in data["text/plain"]
    assert "✗ corrected" in data["text/plain"]


def test_a_partly_settled_verdict_says_what_it_waits_for(shown):
    learn.verdict("D1-24", "taught", "Two of three.", data="MovieLens-100K", waits_for="encoding")
    assert "partly settled: taught" in shown[0]["text/plain"]
    assert "the rest waits for chapter 04, encoding" in shown[0]["text/plain"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"ledger_id": "D9-99"}, "no entry 'D9-99'"),
        ({"word": "supported"}, "it is a example, and that is correct or corrected"),
        ({"sentence": "It is {x}."}, "a place for"),
        ({"waits_for": "someday"}, "no chapter"),
        ({"ledger_id": "D1-09", "word": "supported"}, "about large models"),
        ({"ledger_id": "D1-02", "word": "refuted", "data": "simulated news"}, "simulated data alone"),
        ({"ledger_id": "D1-02", "word": "supported", "data": ["simulated-news"]}, "simulated data alone"),
        ({"data": ["MovieLens-7"]}, "no asset 'MovieLens-7' in data_scripts/sources.toml; it has movielens"),
        ({"data": []}, "found on something"),
    ],
)
def test_a_verdict_that_breaks_the_rules_of_the_ledger_is_refused(shown, arguments, error):
    usual = {"ledger_id": "D1-17", "word": "correct", "sentence": "It is.", "data": "by proof"}
    with pytest.raises((ValueError, RegisterError), match=error):
        learn.verdict(**{**usual, **arguments})
    assert shown == []


def test_real_data_beside_simulated_data_may_settle_a_claim(shown):
    learn.verdict("D1-02", "refuted", "It is cheap.", data=["MovieLens-100K", "simulated-news"])
    assert "Found on: MovieLens-100K, simulated news" in shown[0]["text/plain"]
    assert shown[0][verdict_cards.MIME]["data"] == "MovieLens-100K, simulated news"
    learn.verdict("D1-02", "refuted", "It is cheap.", data="MovieLens-100K; times as stored")
    learn.verdict("D4-01", "works", "It does.", data=["simulated-news"])
    assert len(shown) == 3


def test_a_text_says_the_same_as_the_list_of_its_one_asset(shown):
    for data in ("MovieLens-100K", ["MovieLens-100K"], ["movielens-100k"]):
        learn.verdict("D1-16", "correct", "It is.", data=data)
    assert [card[verdict_cards.MIME]["data"] for card in shown] == ["MovieLens-100K"] * 3


def test_every_tone_of_the_ledger_has_a_look():
    assert set(read_ledger().tones.values()) == set(verdict_cards._LOOKS)


def test_parts_are_judged_one_by_one_and_the_word_is_computed(shown):
    cost = learn.Part("refuted", "EASE fits {times} times as fast.", {"times": 3.2, "runs": 7})
    steady = learn.Part("supported", "Lists changed by {churn}.", {"churn": (0.21, (0.19, 0.23))})
    learn.verdict("D1-02", parts={"cost": cost, "steadiness": steady}, data="MovieLens-100K")
    (data,) = shown
    found = data[verdict_cards.MIME]
    assert found["word"] == "depends"
    assert found["parts"] == {
        "cost": {
            "word": "refuted",
            "sentence": "EASE fits 3.200 times as fast.",
            "numbers": {"times": "3.200", "runs": "7"},
        },
        "steadiness": {
            "word": "supported",
            "sentence": "Lists changed by 0.210 [0.190, 0.230].",
            "numbers": {"churn": "0.210 [0.190, 0.230]"},
        },
    }
    lines = data["text/plain"].splitlines()
    assert lines[0] == "D1-02 (D1 §1) · ≈ depends"
    assert lines[1] == "- ✗ refuted · cost: EASE fits 3.200 times as fast. (runs = 7)"
    assert "<strong>steadiness</strong>: Lists changed by 0.210" in data["text/html"]


def test_a_part_that_is_missing_leaves_the_entry_partly_settled(shown):
    learn.verdict("D1-02", parts={"cost": learn.Part("undecided", "Less than {x}.", {"x": 2})}, data="x")
    text = shown[0]["text/plain"]
    assert "? partly settled: undecided" in text
    assert "Still open: the parts steadiness" in text


def test_the_larger_scale_stands_beside(shown, monkeypatch):
    content = {
        "set": "1M-order",
        "verdicts": [
            {
                "id": "D1-02",
                "word": "supported",
                "sentence": "It is dear.",
                "numbers": {},
                "parts": {},
                "data": "MovieLens-1M",
            }
        ],
    }
    stored = {"full/05_cf": Measurement("full/05_cf", content), "topk": Measurement("topk", {})}
    monkeypatch.setattr(verdict_cards, "read_measurements", lambda: stored)
    learn.verdict("D1-02", "refuted", "It is cheap.", data="MovieLens-100K")
    assert "At full scale (1M-order): ✓ supported. It is dear." in shown[0]["text/plain"]
    assert shown[0][verdict_cards.MIME]["full"]["word"] == "supported"
    learn.verdict("D1-16", "correct", "Yes.", data="by proof")
    assert shown[1][verdict_cards.MIME]["full"] is None


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"word": "refuted"}, "either a word for the whole or parts"),
        ({"parts": None}, "either a word for the whole or parts"),
        ({"parts": {"price": learn.Part("refuted", "")}}, "has no part 'price'"),
        ({"parts": {"cost": learn.Part("works", "")}}, "'works' is no word here"),
        ({"parts": {"cost": learn.Part("refuted", "{x}")}}, "a place for"),
        ({"data": "simulated news"}, "simulated data alone"),
    ],
)
def test_parts_that_break_the_rules_are_refused(shown, arguments, error):
    usual = {"parts": {"cost": learn.Part("refuted", "It is cheap.")}, "data": "MovieLens-100K"}
    with pytest.raises((ValueError, RegisterError), match=error):
        learn.verdict("D1-02", **{**usual, **arguments})
    assert shown == []


def draw(angle=60):
    show.say(f"{angle}°")


def test_a_slider_stands_still_in_a_stored_run(shown, monkeypatch):
    monkeypatch.setenv("COURSE_HEADLESS", "1")
    learn.slider(draw, angle=(0, 180, 5))
    assert shown[-1]["text/plain"] == "60°"


def test_a_slider_is_a_widget_for_a_person(monkeypatch):
    ipywidgets = pytest.importorskip("ipywidgets")
    made = {}
    monkeypatch.delenv("COURSE_HEADLESS", raising=False)
    monkeypatch.setattr(ipywidgets, "interact", lambda function, **widgets: made.update(widgets))
    learn.slider(draw, angle=(0, 180, 5))
    assert (made["angle"].min, made["angle"].max, made["angle"].step, made["angle"].value) == (0, 180, 5, 60)


def test_a_slider_starts_at_a_default_inside_its_range():
    with pytest.raises(ValueError, match="default between 90 and 180"):
        learn.slider(draw, angle=(90, 180, 5))
    with pytest.raises(ValueError, match="'width' a default"):
        learn.slider(draw, width=(0, 1, 0.1))


def test_a_live_action_runs_for_a_person_only(shown, monkeypatch):
    calls = []
    monkeypatch.setenv("COURSE_HEADLESS", "1")
    learn.live(lambda: calls.append(1), still="Run this cell to time it on your machine.")
    assert not calls
    assert shown[0]["text/plain"].startswith("Run this cell")
    monkeypatch.delenv("COURSE_HEADLESS")
    learn.live(lambda: calls.append(1), still="-")
    assert calls
