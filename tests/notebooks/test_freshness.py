"""A measurement of other code is told, and decides nothing; changed words are no change of code."""

import ast
import hashlib
import json
from pathlib import Path

import nbformat
import pytest

from book.build import write_sources
from book.ledger import ledger_of, stale_lessons
from course_lib.registers import read_ledger, read_measurements
from course_lib.registers.ledger import VERDICT_MIME
from notebooks.make import __main__ as make
from notebooks.make import freshness
from notebooks.make.plan import Course

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = {
    "__init__.py": "",
    "show.py": "def table(rows):\n    return rows\n",
    "rank/__init__.py": "from course_lib.rank.lists import best as first\nfrom course_lib.rank import base\n",
    "rank/base.py": (
        'LIMIT = 3\n\n\nclass Base:\n    """A base."""\n\n    def of(self):\n        return LIMIT\n'
    ),
    "rank/lists.py": (
        "from course_lib.rank.base import Base\n\n\n"
        "def _half(x):\n    # half of it\n    return x / 2\n\n\n"
        'def best(x):\n    """The best."""\n    return Lists().of() + _half(x)\n\n\n'
        "def worst(x):\n    return -x\n\n\n"
        "class Lists(Base):\n    pass\n"
    ),
    "other.py": "def other():\n    return 1\n",
}
CELLS = {
    "first": "from course_lib import rank, show\nfrom course_lib.other import other as another",
    "second": "# what is best\nshow.table([rank.first(4)])",
}


def write(root, library=LIBRARY, cells=CELLS, more=(), fingerprint=None):
    """A course of one lesson, with a measurement at the larger scale; returns the course's root."""
    for name, text in library.items():
        (root / "course_lib" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "course_lib" / name).write_text(text, encoding="utf-8")
    outputs = [
        nbformat.v4.new_output(
            "display_data",
            data={
                VERDICT_MIME: {
                    "id": "D1-16",
                    "word": "correct",
                    "sentence": "It is.",
                    "full": {"word": "corrected", "parts": {}},
                },
                "text/html": "<div>card</div>",
            },
        )
    ]
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("# A lesson"),
            *map(nbformat.v4.new_code_cell, cells.values()),
            *more,
            nbformat.v4.new_code_cell("'verdict'", outputs=outputs),
        ]
    )
    (root / "notebooks").mkdir(exist_ok=True)
    (root / "notebooks" / "02_cosine.ipynb").write_text(nbformat.writes(notebook), encoding="utf-8")
    (root / "notebooks" / "plan.toml").write_text(
        (ROOT / "notebooks" / "plan.toml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    (root / "book" / "measurements" / "full").mkdir(parents=True, exist_ok=True)
    content = {"name": "full/02_cosine", "date": "2026-01-01", "processor": "P", "threads": 1}
    content |= {"fingerprint": fingerprint} if fingerprint else {}
    (root / "book" / "measurements" / "full" / "02_cosine.json").write_text(
        json.dumps(content), encoding="utf-8"
    )
    return root


def mark(root, **changes):
    return freshness.fingerprint("full/02_cosine", write(root, **changes))


def changed(file, before, after):
    assert before in LIBRARY[file]
    return {"library": {**LIBRARY, file: LIBRARY[file].replace(before, after)}}


EXERCISE = nbformat.v4.new_code_cell("answer = 7", metadata={"tags": ["exercise"]})


@pytest.mark.parametrize(
    "change",
    [
        changed("rank/lists.py", "# half of it", "# one half of it"),
        changed("rank/lists.py", "The best.", "The very best."),
        changed("rank/lists.py", "return -x", "return -2 * x"),
        changed("rank/base.py", "A base.", "Something else."),
        changed("show.py", "return rows", "return list(rows)"),
        changed("other.py", "return 1", "return 1  # one"),
        {"cells": {**CELLS, "second": CELLS["second"].replace("# what is best\n", "")}},
        {"more": [nbformat.v4.new_markdown_cell("More words.")]},
        {"more": [EXERCISE]},
    ],
)
def test_what_moves_no_finding_keeps_the_fingerprint(tmp_path, change):
    assert mark(tmp_path, **change) == mark(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        changed("rank/lists.py", "x / 2", "x / 3"),  # called by what the lesson calls
        changed("rank/lists.py", "Lists().of()", "2 * Lists().of()"),  # under another name in the package
        changed("rank/base.py", "LIMIT = 3", "LIMIT = 4"),  # a constant that a method of a base reads
        changed("rank/base.py", "return LIMIT", "return LIMIT + 1"),
        {"cells": {**CELLS, "second": CELLS["second"].replace("4", "5")}},
        {"cells": {**CELLS, "third": "another()"}},
        {"more": [nbformat.v4.new_code_cell("rank.base.LIMIT")]},
    ],
)
def test_what_may_move_a_finding_changes_the_fingerprint(tmp_path, change):
    assert mark(tmp_path, **change) != mark(tmp_path)


def test_a_function_that_only_one_lesson_calls_makes_the_other_no_staler(tmp_path):
    calls = {"cells": {**CELLS, "third": "another()"}}
    dearer = changed("other.py", "return 1", "return 2")
    assert mark(tmp_path, **dearer) == mark(tmp_path)
    assert mark(tmp_path, **calls) != mark(tmp_path, **calls, **dearer)


def test_a_stale_measurement_is_told_on_the_page_and_decides_no_word(tmp_path):
    fresh = mark(tmp_path / "fresh")
    for name, fingerprint, word, reason in (
        ("fresh", fresh, "corrected", ""),
        ("changed", "0" * 64, "correct", "changed after 2026-01-01"),
        ("old", None, "correct", "before fingerprints were kept"),
    ):
        root = write(tmp_path / name, fingerprint=fingerprint)
        assert reason in stale_lessons(root).get("02_cosine", "")
        assert (stale_lessons(root) == {}) == (name == "fresh")
        ledger = ledger_of(root / "notebooks")
        assert ledger.entries["D1-16"].word == word
        write_sources(root, tmp_path / f"{name}-pages")
        for page in ("02_cosine.ipynb", "ledger.md"):
            text = (tmp_path / f"{name}-pages" / page).read_text(encoding="utf-8")
            assert ("at full scale is stale and decides nothing" in text) == (name != "fresh"), page
            assert reason in text


def test_the_larger_scale_decides_parts_only_while_it_is_fresh():
    full = {"word": "supported", "parts": {"cost": {"word": "supported"}}}
    verdict = {"id": "D1-02", "word": "refuted", "parts": {"cost": {"word": "refuted"}}, "full": full}
    for stale, word in (({}, "supported"), ({"05_cf": "it is old"}, "refuted"), ({"04_x": "y"}, "supported")):
        entry = read_ledger().joined({"05_cf": [verdict]}, stale).entries["D1-02"]
        assert entry.part_words == {"cost": word}


def test_the_command_lists_what_is_stale_and_what_is_not_measured(tmp_path, capsys):
    root = write(tmp_path, fingerprint="0" * 64)
    (root / "notebooks" / "source").mkdir()
    for row in Course(ROOT).chapters:
        (root / "notebooks" / "source" / f"{row.key}.py").write_text("", encoding="utf-8")
    assert make._stale(Course(root), None) == 0
    out = capsys.readouterr().out
    assert "full/02_cosine: stale, its code, or something of course_lib that this calls, changed" in out
    assert "`python course.py benchmark full/02_cosine`" in out
    assert "1 of 1 are stale; not measured: seeds/02_cosine." in out
    write(root, fingerprint=freshness.fingerprint("full/02_cosine", root))
    make._stale(Course(root), None)
    assert "full/02_cosine: fresh\n0 of 1 are stale" in capsys.readouterr().out


def test_a_measurement_of_what_is_gone_is_stale(tmp_path):
    root = write(tmp_path, fingerprint="0" * 64)
    (root / "notebooks" / "02_cosine.ipynb").unlink()
    assert freshness.states(root) == {"full/02_cosine": "what it measures is gone"}


@pytest.mark.parametrize("chapter", Course(ROOT).chapters, ids=lambda chapter: chapter.key)
def test_everything_that_a_lesson_imports_is_followed(chapter):
    """No name of the library leads nowhere: whoever renames or moves something is not passed over."""
    library = freshness._Library(ROOT)
    source = Course(ROOT).source(chapter).read_text(encoding="utf-8")
    tree = freshness.prose.parsed(source)
    lost = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("course_lib"):
            for alias in node.names:
                path = f"{node.module}.{alias.name}"
                if path.startswith(freshness._NOT_FOLLOWED) or library.module(path):
                    continue
                if not [*library._imported(path.split("."))]:
                    lost.append(path)
    assert lost == []


@pytest.fixture
def benchmark_of_lessons(monkeypatch, tmp_path):
    """The benchmarks of single lessons with runs that are made up; returns what they were asked for."""
    lessons = pytest.importorskip("tests.benchmarks.lessons")
    asked = []

    def run(course, chapters, *, folder, **how):
        asked.append((chapters[0].key, folder.relative_to(ROOT / "build").as_posix(), how))
        word = "refuted" if how == {"parameters": {"seed": 3}} else "depends"
        found = {
            "id": "D1-02",
            "word": word,
            "sentence": "So.",
            "numbers": {},
            "parts": {},
            "data": "MovieLens",
        }
        found |= {"kind": "claim", "scope": "all", "waits_for": None, "full": None}
        rows = [{"key": "05_cf", "error": None, "seconds": 1.0, "verdicts": [found]}]
        return {"chapters": [{"key": "02_cosine", "error": None, "verdicts": []}, *rows]}

    monkeypatch.setattr(lessons.execution, "run", run)
    monkeypatch.setattr(lessons.execution, "snapshot", lambda course: {"05_cf": {"D1-02": "depends"}})
    monkeypatch.setattr(lessons.harness, "MEASUREMENTS", tmp_path / "book" / "measurements")
    return lessons, asked


def test_the_larger_scale_is_stored_as_cards_and_ledger_read_it(benchmark_of_lessons, tmp_path):
    lessons, asked = benchmark_of_lessons
    lessons.measure("full/05_cf")
    assert asked == [("05_cf", "full", {"scale": "full"})]
    found = read_measurements(tmp_path / "book" / "measurements")["full/05_cf"]
    assert found["set"] == "MovieLens-1M"
    assert found["verdicts"][0].keys() == {"id", "word", "sentence", "numbers", "parts", "data"}
    assert found["fingerprint"] == freshness.fingerprint("full/05_cf", ROOT)


def test_seeds_are_stored_with_the_words_that_turn(benchmark_of_lessons, tmp_path):
    lessons, asked = benchmark_of_lessons
    lessons.measure("seeds/05_cf")
    assert [how for _, _, how in asked] == [{"parameters": {"seed": seed}} for seed in (1, 2, 3, 4, 5)]
    found = read_measurements(tmp_path / "book" / "measurements")["seeds/05_cf"]
    assert found["depends_on_seed"] == ["D1-02"]
    assert found["verdicts"][0]["seeds"]["3"] == "refuted"
    assert not found.promises[0]["kept"]
    assert found["fingerprint"] == freshness.fingerprint("full/05_cf", ROOT)


def test_every_python_writes_a_tree_alike():
    code = "def f(a, w=None):\n    return f\"{a!r:>{w}} isn't {a['b']}\", [], 0\n"
    assert (
        hashlib.sha256(json.dumps(freshness._plain(ast.parse(code))).encode()).hexdigest()[:16]
        == "930d2cfe2e6a36c5"
    )


def test_a_class_is_no_module_of_another_case(tmp_path):
    write(tmp_path)
    library = freshness._Library(tmp_path)
    assert library.module("course_lib.Other") is None
    assert library.module("course_lib.other") is not None
