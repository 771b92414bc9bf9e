"""What a run says: the cell that it is in, how its verdicts compare with the book's, what it settles."""

import io
import re
import sys
import time

import pytest

from notebooks.make import execution
from notebooks.make.progress import WIDTH, Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def told(monkeypatch, out, seconds):
    monkeypatch.setattr(sys, "stdout", out)
    with Progress("[1/2] 02_toy", 40, seconds) as progress:
        progress.at_cell(cell_index=13, cell=None)
        deadline = time.monotonic() + 10
        while out.getvalue().count("cell 14 of 40") < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
    progress.done("done after 3 s")
    return out.getvalue()


def test_a_terminal_shows_the_cell_in_one_line_that_is_written_again(monkeypatch):
    text = told(monkeypatch, Terminal(), 0.02)
    assert text.count("\n") == 1
    first, *lines = text.rstrip("\n").split("\r")
    assert first == ""
    assert lines[0].strip() == "[1/2] 02_toy  starts"
    assert re.fullmatch(r"\[1/2\] 02_toy  cell 14 of 40, \d s", lines[1].strip())
    assert lines[-1].strip() == "[1/2] 02_toy  done after 3 s"
    assert {len(line) for line in lines} == {WIDTH}  # each line covers the one before


def test_a_file_gets_a_line_now_and_then(monkeypatch):
    *lines, last = told(monkeypatch, io.StringIO(), 0.02).splitlines()
    assert all(re.fullmatch(r"\[1/2\] 02_toy  cell 14 of 40, \d s", line) for line in lines)
    assert last == "[1/2] 02_toy  done after 3 s"


@pytest.mark.parametrize(("out", "seconds"), [(Terminal(), 1), (io.StringIO(), 60)])
def test_it_is_each_second_on_a_terminal_and_each_minute_elsewhere(monkeypatch, out, seconds):
    monkeypatch.setattr(sys, "stdout", out)
    assert Progress("02_toy", 1)._seconds == seconds


def test_a_run_tells_the_last_cell_that_it_was_in(toy, monkeypatch):
    seen = []
    monkeypatch.setattr(Progress, "at_cell", lambda self, cell_index, **_: seen.append(cell_index + 1))
    counted = []
    monkeypatch.setattr(Progress, "__enter__", lambda self: counted.append(self._cells) or self)
    monkeypatch.setattr(Progress, "__exit__", lambda self, *_: None)
    execution.run(toy, toy.chapters)
    assert seen == sorted(seen)
    assert seen[-1] <= counted[0]
    assert len(execution.pairing.read(toy.root / "build/run/02_toy.ipynb").cells) == counted[0]


def a_row(key, error=None, **words):
    verdicts = [
        {"id": name.replace("_", "-"), "word": word, "waits_for": None, "says": f"It says {name}."}
        for name, word in words.items()
    ]
    row = {"key": key, "seconds": 1.0, "peak_memory_mb": 1, "reused": False}
    return {**row, "error": error, "verdicts": verdicts}


BOOK = {"02_toy": {"D1-17": "corrected", "D1-16": "correct"}, "05_cf": {"D4-01": "works"}}


@pytest.mark.parametrize(
    ("rows", "same_run", "said"),
    [
        (
            [a_row("02_toy", D1_17="corrected", D1_16="correct"), a_row("05_cf", D4_01="works")],
            True,
            ["3 of 3 verdicts as in the book."],
        ),
        (
            [a_row("02_toy", D1_17="correct", D1_16="correct")],
            False,
            [
                "1 of 2 verdicts as in the book.",
                "  D1-17 (02_toy): correct; in the book: corrected",
                "This may happen: the run had another scale, seed or parameter than the book.",
            ],
        ),
        (
            [a_row("02_toy", D1_17="corrected", D1_16="correct", D1_18="taught")],
            True,
            [
                "2 of 3 verdicts as in the book.",
                "  D1-18 (02_toy): taught; in the book: none",
                "Nothing should differ at this scale and seed: see `python course.py test`.",
            ],
        ),
        (
            [a_row("02_toy", D1_17="corrected", D1_16="correct"), a_row("05_cf", error="cell 3: ValueError")],
            True,
            [
                "2 of 3 verdicts as in the book.",
                "  D4-01 (05_cf): none, for the chapter stopped; in the book: works",
                "Nothing should differ at this scale and seed: see `python course.py test`.",
            ],
        ),
    ],
)
def test_verdicts_are_compared_with_the_book(rows, same_run, said):
    keys = [row["key"] for row in rows]
    assert execution.compared({"chapters": rows}, keys, BOOK, same_run=same_run).splitlines() == said


def test_chapters_of_earlier_runs_and_stopped_ones_settle_nothing(toy):
    rows = {row["key"]: row for row in [a_row("02_toy", D1_17="corrected"), a_row("05_cf", D4_01="works")]}
    folder = toy.root / "build" / "run"
    tally = lambda keys: execution._write_report(toy, folder, rows, keys)["tally"]["settled"]  # noqa: E731
    assert tally(["02_toy"]) == 1
    assert tally([]) == 0
    rows["02_toy"]["error"] = "cell 1: ValueError"
    assert tally(["02_toy"]) == 0
