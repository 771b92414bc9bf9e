"""Every exercise tells a stub, a right answer and wrong answers apart. (Right answers: see test_chapters.)"""

import importlib
import pkgutil

import pytest

from course_lib.learn import exercises

ALL = [
    exercise
    for module in pkgutil.iter_modules(exercises.__path__)
    for exercise in importlib.import_module(f"{exercises.__name__}.{module.name}").EXERCISES
]
each_exercise = pytest.mark.parametrize("exercise", ALL, ids=lambda exercise: exercise.key)


@each_exercise
def test_the_stub_is_not_attempted(exercise):
    assert exercise.assess(...)[0] == "not attempted"


@each_exercise
def test_wrong_answers_get_messages_of_their_own(exercise):
    found = [exercise.assess(answer) for answer in exercise.wrong_examples]
    assert {status for status, _ in found} == {"wrong"}
    messages = [message for _, message in found]
    assert len(set(messages)) == len(messages)
    assert not any(message.startswith("checking your answer failed") for message in messages)


def test_no_key_is_used_twice():
    keys = [exercise.key for exercise in ALL]
    assert len(set(keys)) == len(keys)
