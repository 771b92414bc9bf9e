"""README.md says what the plan, the ledger and the committed notebooks say, and its links arrive."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from book.drawings import overview
from book.ledger import ledger_of
from notebooks.make import readme
from notebooks.make.plan import Course, CourseError

ROOT = Path(__file__).resolve().parents[2]
COURSE = Course(ROOT)
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
PICTURE = (ROOT / readme.PICTURE).read_text(encoding="utf-8")
REMEDY = "run `python -m notebooks.make readme`"


@pytest.fixture(scope="module")
def ledger():
    return ledger_of(ROOT / "notebooks")


def test_what_code_writes_is_current(ledger):
    assert readme.fresh(TEXT, COURSE) == TEXT, REMEDY
    assert overview(ledger) == PICTURE, REMEDY


def test_the_count_is_that_of_the_ledger(ledger):
    counts = ledger.tally()
    assert f"**{counts['settled']} of {len(ledger.entries)} statements are settled so far**" in TEXT
    wrong = TEXT.replace(f"**{counts['settled']} of", f"**{counts['settled'] + 1} of")
    assert wrong != TEXT
    assert readme.fresh(wrong, COURSE) == TEXT


def test_results_are_verdicts_of_the_committed_notebooks(ledger):
    for name in readme.RESULTS:
        record = ledger.entries[name].records[-1]
        row = next(line for line in TEXT.splitlines() if line.startswith(f"| {name}: "))
        assert f"**{record.word}**" in row
        assert re.findall(r"\d+\.\d+|\d+ of \d+", row.split("*")[0]), "a result shows its numbers"
        assert row.split(" | ")[1].split(" *")[0] in record.sentence


def test_a_result_that_is_not_settled_is_refused(monkeypatch, ledger):
    unsettled = next(entry.id for entry in ledger.entries.values() if entry.state == "open")
    monkeypatch.setattr(readme, "RESULTS", (unsettled,))
    with pytest.raises(CourseError, match=f"{unsettled} as a result, and it is open"):
        readme.fresh(TEXT, COURSE)


def test_every_chapter_is_either_in_the_map_or_named_as_planned(ledger):
    planned = re.search(r"<!-- planned begins.*?-->(.*?)<!-- planned ends", TEXT, re.DOTALL)[1]
    for key in ledger.chapters:
        number = f"{ledger.chapter_number(key):02d}"
        mapped = bool(re.search(rf"\]\(notebooks/{number}(?:_{key}|[a-z]_\w+)\.ipynb\)", TEXT))
        assert mapped != (f"{number} {key} (" in planned), key
    counts = ledger.tally()
    waiting = re.findall(r"\((\d+)\)|and (\d+) more", planned)
    assert sum(int(one or other) for one, other in waiting) == counts["partly settled"] + counts["open"]


def test_the_picture_is_small_stands_alone_and_shows_every_entry(ledger):
    assert len(PICTURE.encode()) < 150_000
    drawing = ET.fromstring(PICTURE)
    assert not re.search(r"href|url\(|@import|<script", PICTURE)
    squares = [shape for shape in drawing.iter() if shape.get("class", "").startswith("square ")]
    assert len(squares) == len(ledger.entries) + 6  # and the six of the legend


def test_every_link_inside_the_repository_arrives():
    links = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", TEXT)
    assert readme.PICTURE in links
    for link in links:
        assert link.startswith("https://") or (ROOT / link).is_file(), link


def test_a_part_is_written_between_its_markers():
    begins, ends = "<!-- map begins: python -m notebooks.make readme -->", "<!-- map ends -->"
    text = f"# Course\n{begins}\nold\n{ends}\nEnd\n"
    fresh = readme.with_part(text, "map", "new")
    assert fresh == f"# Course\n{begins}\nnew\n{ends}\nEnd\n"
    assert readme.with_part(fresh, "map", "new") == fresh
    for broken in ("# Course", text.replace(ends, ""), text * 2, f"{ends}{begins}"):
        with pytest.raises(CourseError, match="lost the markers of its part 'map'"):
            readme.with_part(broken, "map", "new")


def test_the_map_has_a_row_a_chapter_and_the_time_of_all(toy):
    table = readme.chapter_map(toy.chapters * 7)
    assert table.count("[A toy · 玩具](notebooks/02_toy.ipynb)") == 7
    minutes = 7 * toy.chapters[0].minutes
    assert f"| all of them | | {minutes // 60} h {minutes % 60} min |" in table
