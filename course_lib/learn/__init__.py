"""What makes a chapter answer back: self-checking exercises, errors on purpose, verdict cards, live cells."""

from course_lib.learn.exercise import Exercise, check, find, hint
from course_lib.learn.failing import NothingFailed, fails
from course_lib.learn.live_cells import is_live, live, slider
from course_lib.learn.questions import Question, quiz
from course_lib.learn.verdict_cards import Part, verdict

__all__ = [
    "Exercise",
    "NothingFailed",
    "Part",
    "Question",
    "check",
    "fails",
    "find",
    "hint",
    "is_live",
    "live",
    "quiz",
    "slider",
    "verdict",
]
