"""Lessons, assets, glossary and measurements: read as they stand, refused where they are broken."""

import ast
import json
import re

import pytest

from course_lib.data.movielens import _MOVIELENS_1M
from course_lib.registers import (
    RegisterError,
    assets_named,
    pick_lessons,
    read_assets,
    read_glossary,
    read_ledger,
    read_lessons,
    read_measurement,
    read_measurements,
)
from course_lib.registers.measurements import MEASUREMENTS
from course_lib.registers.places import COURSE

ROW = """
title = "T"
title_zh = "T"
goal = "g"
minutes = 1
needs = ["a"]
timeout = 60
scales = { small = {}, full = { needs = ["b"] } }
"""


def plan(tmp_path, *keys, row=ROW):
    path = tmp_path / "plan.toml"
    path.write_text("".join(f"[chapters.{key}]\n{row}" for key in keys), encoding="utf-8")
    return path


def test_lessons_know_their_chapter_their_assets_and_what_they_are_called(tmp_path):
    lessons = read_lessons(plan(tmp_path, "01a_stage", "01b_reading", "02_cosine"))
    first = lessons["01a_stage"]
    assert (first.number, first.chapter, first.name) == ("01a", 1, "stage")
    assert (first.needs_at(), first.needs_at("full")) == (("a",), ("a", "b"))
    for words, keys in {
        ("01",): ["01a_stage", "01b_reading"],
        ("1b", "cosine"): ["01b_reading", "02_cosine"],
        ("2", "02_cosine"): ["02_cosine"],
        (): ["01a_stage", "01b_reading", "02_cosine"],
    }.items():
        assert [lesson.key for lesson in pick_lessons(lessons.values(), words)] == keys
    with pytest.raises(
        RegisterError, match=r"no chapter '77'\. Chapters: 01a_stage, 01b_reading, 02_cosine\."
    ):
        pick_lessons(lessons.values(), ["77"])


def test_a_lesson_may_have_had_another_key_and_may_not_be_cut_yet(tmp_path):
    (usual,) = read_lessons(plan(tmp_path, "01_x")).values()
    assert (usual.was, usual.whole) == ((), True)
    more = 'was = ["01_old", "02_older"]\nwhole = false\n'
    (lesson,) = read_lessons(plan(tmp_path, "01_x", row=more + ROW)).values()
    assert (lesson.was, lesson.whole) == (("01_old", "02_older"), False)
    assert pick_lessons([lesson], ["01"]) == [lesson]
    with pytest.raises(RegisterError, match="no chapter '01_old'"):
        pick_lessons([lesson], ["01_old"])


@pytest.mark.parametrize(
    ("keys", "row", "message"),
    [
        (["1_x"], ROW, "'1_x' must look like"),
        (["01_x"], ROW.replace("minutes = 1\n", ""), "the row of 01_x lacks, or has without need: minutes"),
        (["01_x"], ROW + "colour=1\n", "the row of 01_x lacks, or has without need: colour"),
        (["01_x", "01b_y"], ROW, "chapter 01 has 01_x, 01b_y: give each a letter"),
        (["01_x"], 'was = ["01_x"]\n' + ROW, "was = ['01_x'] must name a key that no lesson has any more"),
        (["01_x"], 'was = ["background"]\n' + ROW, "was = ['background'] must name a key"),
        (["01a_x", "01b_y"], 'was = ["01_old"]\n' + ROW, "was = ['01_old'] must name a key"),
    ],
)
def test_a_broken_plan_is_named(tmp_path, keys, row, message):
    with pytest.raises(RegisterError, match=re.escape(message)):
        read_lessons(plan(tmp_path, *keys, row=row))


def test_every_asset_that_a_lesson_needs_exists():
    assets = read_assets()
    for lesson in read_lessons().values():
        for scale in lesson.scales:
            assert set(lesson.needs_at(scale)) <= set(assets), lesson.key


def test_loaders_call_their_data_by_the_labels_of_assets():
    assets = read_assets()
    assert [name for name, asset in assets.items() if asset.simulated] == ["simulated-news"]
    assert len({asset.label for asset in assets.values()}) == len(assets)
    for asset, label, _ in _MOVIELENS_1M.values():
        assert assets[asset].label == label
    written = {  # what the other loaders call theirs
        node.value
        for path in (COURSE / "course_lib" / "data").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    for name in ("movielens-100k", "movielens-latest-small", "gowalla", "mind-small", "simulated-news"):
        assert assets[name].label in written


def test_assets_are_found_by_name_or_label():
    assert [asset.name for asset in assets_named(["MovieLens-100K", "simulated-news"])] == [
        "movielens-100k",
        "simulated-news",
    ]
    with pytest.raises(RegisterError, match="There is no asset 'plums'"):
        assets_named(["plums"])


def test_a_broken_asset_is_named(tmp_path):
    path = tmp_path / "sources.toml"
    path.write_text('[plums]\ntitle = "Plums"\nfiles = []\n', encoding="utf-8")
    with pytest.raises(RegisterError, match=r"sources\.toml: the table of plums is not complete"):
        read_assets(path)


def test_terms_name_a_chapter_and_stand_once(tmp_path):
    terms = read_glossary()
    assert {term.chapter for term in terms} <= set(read_ledger().chapters)
    assert len({term.slug for term in terms}) == len(terms)
    term = "{en: Hub, zh: 枢纽, chapter: cosine, means: m, means_zh: m}"
    path = tmp_path / "glossary.yml"
    path.write_text(f"- {{group: G, group_zh: G, terms: [{term}, {term}]}}\n", encoding="utf-8")
    with pytest.raises(RegisterError, match="'Hub' stands twice"):
        read_glossary(path)
    path.write_text("- {group: G, group_zh: G, terms: [{en: Hub}]}\n", encoding="utf-8")
    with pytest.raises(RegisterError, match="'Hub' is not complete"):
        read_glossary(path)


def test_every_measurement_says_when_and_on_what_it_was_made(tmp_path):
    for found in read_measurements().values():
        assert found.date
        assert found.processor
        assert found.threads >= 1
        assert found["name"] == found.content["name"]
    with pytest.raises(RegisterError, match=r"make it with `python course\.py benchmark nothing`"):
        read_measurement("nothing", MEASUREMENTS)
    (tmp_path / "odd.json").write_text(json.dumps({"name": "odd"}), encoding="utf-8")
    with pytest.raises(
        RegisterError, match=r"odd\.json is no measurement: it lacks date, processor, threads"
    ):
        read_measurement("odd", tmp_path)


def measurement(folder, **content):
    """A measurement called `odd` with this content, read back."""
    made = {"name": "odd", "date": "2026-01-01", "processor": "P, amx", "threads": 1, **content}
    (folder / "odd.json").write_text(json.dumps(made), encoding="utf-8")
    return read_measurement("odd", folder)


COLUMNS = [
    {"key": "way", "title": "way"},
    {"key": "recall", "title": "Recall@10", "digits": 2},
    {"key": "fit", "title": "fit", "unit": "seconds", "digits": 1},
]
WHOLE = {"mean": 0.1234, "low": 0.1, "high": 0.15, "users": 7}


def test_a_measurement_says_how_its_table_is_shown(tmp_path):
    rows = [
        {"way": "ours", "recall": WHOLE, "fit": 2},
        {"way": "published", "recall": 0.12345, "digits": 4},
    ]
    table = {"caption": "What it compares.", "columns": COLUMNS, "rows": rows, "remarks": ["So."]}
    found = measurement(tmp_path, title="Odd", place=1, table=table)
    assert found.table.texts == [
        ["way", "Recall@10", "fit (seconds)"],
        ["ours", "0.12 [0.10, 0.15]", "2.0"],
        ["published", "0.1235", "–"],
    ]
    assert (found.table.caption, found.table.remarks, found.warning) == ("What it compares.", ("So.",), "")
    plain = measurement(tmp_path)
    assert (plain.title, plain.table, plain.processor) == ("", None, "P")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"title": "Odd"}, "a title needs a place on the page"),
        ({"place": 1}, "a place needs a title"),
        ({"columns": [{"key": "way"}]}, "its table is not complete"),
        ({"columns": [*COLUMNS, COLUMNS[0]]}, "two columns of its table have the same key"),
        ({"columns": [{**COLUMNS[0], "colour": "red"}]}, "its table is not complete"),
        ({"rows": [{"recall": {"mean": 0.1}}]}, "its table is not complete: KeyError('low')"),
        ({"rows": [{"fit": [1, 2]}]}, "its table is not complete"),
    ],
)
def test_a_measurement_that_cannot_be_shown_is_refused(tmp_path, content, message):
    if not {"title", "place"} & content.keys():
        table = {"caption": "", "columns": COLUMNS, "rows": [], "remarks": []}
        content = {"title": "Odd", "place": 1, "table": {**table, **content}}
    with pytest.raises(RegisterError, match=re.escape(message)):
        measurement(tmp_path, **content)


def test_every_measurement_on_the_page_has_a_place_of_its_own():
    places = [found.place for found in read_measurements().values() if found.title]
    assert sorted(places) == list(range(1, len(places) + 1))
