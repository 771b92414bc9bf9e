"""The parts of README.md that code writes: the picture, what is settled, results, the chapter map.

Each part stands between two comments, ``<!-- NAME begins: … -->`` and ``<!-- NAME ends -->``. It is made from
the plan, the ledger and the verdicts in the committed notebooks: README.md cannot promise more than these.
"""

from __future__ import annotations

import re

from book.drawings import overview, overview_text
from book.ledger import chapter_of, ledger_of, lesson_notebooks, planned_text
from course_lib.registers import Entry, Ledger, RegisterError
from notebooks.make.plan import Chapter, Course, CourseError

PICTURE = "book/overview.svg"
# Three settled entries that show what a verdict is: a piece of code, a method, a claim.
RESULTS = ("D1-19", "D1-04", "D5-15")


def write(course: Course) -> None:
    """Write README.md and its picture anew. Raises CourseError as `fresh` does."""
    path = course.root / "README.md"
    path.write_text(fresh(path.read_text(encoding="utf-8"), course), encoding="utf-8")
    (course.root / PICTURE).write_text(overview(_ledger(course)), encoding="utf-8")


def fresh(readme: str, course: Course) -> str:
    """README.md's text with every such part made anew.

    Raises CourseError for a part whose comments are lost, a verdict that breaks the ledger's rules, and a
    result that is not settled.
    """
    ledger = _ledger(course)
    parts = {
        "picture": f"![{overview_text(ledger)}]({PICTURE})",
        "settled": _settled(ledger),
        "documents": _documents(ledger),
        "results": _results(ledger),
        "chapter map": chapter_map(course.chapters),
        "planned": _planned(ledger, course),
    }
    for name, text in parts.items():
        readme = with_part(readme, name, text)
    return readme


def with_part(readme: str, name: str, text: str) -> str:
    """`readme` with `text` between the two comments of the part `name`; CourseError where they are lost."""
    begins, ends = f"<!-- {name} begins: python -m notebooks.make readme -->", f"<!-- {name} ends -->"
    if readme.count(begins) != 1 or readme.count(ends) != 1 or readme.index(begins) > readme.index(ends):
        raise CourseError(
            f"README.md has lost the markers of its part {name!r}: it needs {begins} and {ends}, once each."
        )
    head, rest = readme.split(begins)
    return f"{head}{begins}\n{text}\n{ends}{rest.split(ends)[1]}"


def chapter_map(chapters: list[Chapter]) -> str:
    """A table of the chapters that exist, and what all of them take."""
    rows = [
        f"| {chapter.number} | [{chapter.title} · {chapter.title_zh}](notebooks/{chapter.key}.ipynb) "
        f"| {chapter.goal} | {chapter.minutes} min |"
        for chapter in chapters
    ]
    hours, minutes = divmod(sum(chapter.minutes for chapter in chapters), 60)
    return "\n".join(
        [
            "| | chapter | what you will be able to do | time |",
            "|---|---|---|---|",
            *rows,
            f"| | all of them | | {hours} h {minutes} min |",
        ]
    )


def _ledger(course: Course) -> Ledger:
    try:
        return ledger_of(course.folder)
    except RegisterError as error:
        raise CourseError(str(error)) from error


def _settled(ledger: Ledger) -> str:
    counts = ledger.tally()
    return (
        f"**{counts['settled']} of {len(ledger.entries)} statements are settled so far**, "
        f"{counts['partly settled']} in part; {counts['open']} are open."
    )


def _planned(ledger: Ledger, course: Course) -> str:
    existing = {chapter_of(path.stem, ledger) for path in lesson_notebooks(course.folder)}
    return (
        "The numbers have gaps because the other chapters are planned, not written. In brackets, how many "
        f"statements wait for each: {planned_text(ledger, existing)}."
    )


def _documents(ledger: Ledger) -> str:
    return "\n".join(
        f"- **{name}** {about['title']} · {about['title_zh']}" for name, about in ledger.documents.items()
    )


def _results(ledger: Ledger) -> str:
    rows = [_result(ledger.entries[name]) for name in RESULTS]
    return "\n".join(["| a document says | measured here | verdict |", "|---|---|---|", *rows])


def _result(entry: Entry) -> str:
    if entry.state != "settled":
        raise CourseError(
            f"README.md shows {entry.id} as a result, and it is {entry.state}: "
            "change RESULTS in notebooks/make/readme.py."
        )
    record = entry.records[-1]
    measured = re.split(r"(?<=\.) (?=[A-Z])", record.sentence)[0]
    scope = "; ".join(text for text in (record.data, record.scope) if text)
    chapter = f"[chapter {record.lesson.partition('_')[0]}](notebooks/{record.lesson}.ipynb)"
    cells = [f"{entry.id}: {entry.says}", f"{measured} *{scope}*", f"**{entry.word}**, {chapter}"]
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"
