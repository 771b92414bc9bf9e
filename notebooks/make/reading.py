"""How long a lesson takes to read, counted and not wished, and where its time goes.

Minutes = words / 130 + code lines / 15 + half a minute a picture and a table + 6 an exercise + 1 a question.
Words are those of Markdown cells without code and formulas (a displayed formula counts as 15 words), and of
the sentences and cards that code generates; folded solutions are not read on the way. Code lines are those of
unfolded cells outside exercises that are neither blank nor comments; sources are formatted at 80 columns.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass

from nbformat import NotebookNode

from notebooks.make import prose
from notebooks.make.pairing import FOLDED

WORDS_A_MINUTE, LINES_A_MINUTE = 130, 15
A_PICTURE, A_TABLE, AN_EXERCISE, A_QUESTION = 0.5, 0.5, 6, 1
WORDS_A_FORMULA = 15
MOST_MINUTES, MOST_OPEN_LINES, MOST_FOLDED_LINES, MOST_LINES_PER_100_WORDS = 75, 250, 250, 15
FIRST_RESULT_BEFORE = 10  # minutes
QUESTIONS = 5
ALGORITHM_CELLS, ALGORITHM_LINES = (1, 3), (6, 25)


@dataclass(frozen=True)
class Reading:
    """What there is to read in a part of a lesson; two of them add up."""

    words: int = 0
    open_lines: int = 0
    folded_lines: int = 0
    pictures: int = 0
    tables: int = 0
    exercises: int = 0
    questions: int = 0

    @property
    def minutes(self) -> float:
        return (
            self.words / WORDS_A_MINUTE
            + self.open_lines / LINES_A_MINUTE
            + A_PICTURE * self.pictures
            + A_TABLE * self.tables
            + AN_EXERCISE * self.exercises
            + A_QUESTION * self.questions
        )

    def __add__(self, other: Reading) -> Reading:
        return Reading(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))


def reading_of(notebook: NotebookNode) -> Reading:
    """What there is to read in an executed lesson."""
    return sum(map(_of_cell, notebook.cells), Reading())


def minutes_before(notebook: NotebookNode, tag: str) -> float | None:
    """Minutes of reading up to the first cell with a tag; None where no cell has it."""
    so_far = Reading()
    for cell in notebook.cells:
        if tag in _tags(cell):
            return so_far.minutes
        so_far += _of_cell(cell)
    return None


def sections(notebook: NotebookNode) -> dict[str, Reading]:
    """What there is to read under each second-level heading, and before the first (`start`)."""
    found, heading = {"start": Reading()}, "start"
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and (match := re.search(r"(?m)^## +(.+)$", cell.source)):
            heading = match[1]
            found[heading] = Reading()
        found[heading] += _of_cell(cell)
    return found


def faults(notebook: NotebookNode, stated: int, *, whole: bool = True) -> list[str]:
    """Where an executed lesson leaves the bounds of an honest sitting, each in one line.

    A chapter that is not cut into lessons yet (`whole` is false) is held to its stated minutes only.
    """
    read, found = reading_of(notebook), minutes_faults(notebook, stated)
    if not whole:
        return found
    if read.minutes > MOST_MINUTES:
        found.append(
            f"takes {read.minutes:.0f} honest minutes, more than {MOST_MINUTES}: make it two lessons"
        )
    for lines, most, kind in (
        (read.open_lines, MOST_OPEN_LINES, "unfolded"),
        (read.folded_lines, MOST_FOLDED_LINES, "folded"),
    ):
        if lines > most:
            found.append(f"has {lines} {kind} lines of code, more than {most}")
    if read.open_lines > MOST_LINES_PER_100_WORDS * read.words / 100:
        found.append(
            f"has {100 * read.open_lines / max(read.words, 1):.0f} unfolded lines of code per 100 words, "
            f"more than {MOST_LINES_PER_100_WORDS}"
        )
    first = minutes_before(notebook, "first-result")
    if first is None or first > FIRST_RESULT_BEFORE:
        when = (
            "has no cell tagged 'first-result'"
            if first is None
            else f"has its first result after {first:.0f}"
        )
        found.append(f"{when}: it must come within {FIRST_RESULT_BEFORE} minutes")
    if read.questions != QUESTIONS:
        found.append(f"asks {read.questions} questions in a cell tagged 'quiz': {QUESTIONS} are wanted")
    return [*found, *_algorithm_faults(notebook)]


def minutes_faults(notebook: NotebookNode, stated: int) -> list[str]:
    """Whether the stated minutes are within 15 % of what an executed lesson gives to read."""
    minutes = reading_of(notebook).minutes
    if abs(stated - minutes) <= 0.15 * minutes:
        return []
    return [f"takes {minutes:.0f} honest minutes, and notebooks/plan.toml states {stated}"]


def _algorithm_faults(notebook: NotebookNode) -> list[str]:
    cells = [cell for cell in notebook.cells if "algorithm" in _tags(cell)]
    (fewest, most), (shortest, longest) = ALGORITHM_CELLS, ALGORITHM_LINES
    found = []
    if not fewest <= len(cells) <= most:
        found.append(f"has {len(cells)} cells tagged 'algorithm': {fewest} to {most} are wanted")
    library = _library_names(notebook)
    for cell in cells:
        if cell.cell_type != "code" or FOLDED in _tags(cell):
            found.append(
                "an 'algorithm' cell is folded, or no code: a reader must see what the lesson is about"
            )
            continue
        if not _is_asserted(cell, notebook):
            found.append("no assertion compares what an 'algorithm' cell gives with course_lib")
        lines = _lines(cell.source)
        if not shortest <= lines <= longest:
            found.append(f"an 'algorithm' cell has {lines} lines: {shortest} to {longest} are wanted")
        if used := sorted(_names(prose.parsed(cell.source)) & library):
            found.append(f"an 'algorithm' cell uses {', '.join(used)} of course_lib: it must stand alone")
    return found


def _of_cell(cell: NotebookNode) -> Reading:
    if "solution" in _tags(cell) or cell.cell_type not in ("markdown", "code"):
        return Reading()
    if cell.cell_type == "markdown":
        return Reading(words=_words(cell.source))
    shown = [output.get("data", {}) for output in cell.outputs]
    pictures = sum("image/png" in data for data in shown)
    tables = sum("<table" in _text(data.get("text/html", "")) for data in shown)
    if "exercise" in _tags(cell):
        return Reading(exercises=1)
    if "quiz" in _tags(cell):
        return Reading(questions=sum("application/vnd.course.check+json" in data for data in shown))
    folded = FOLDED in _tags(cell)
    lines = _lines(cell.source)
    said = sum(map(_said, shown))
    return Reading(said, 0 if folded else lines, lines if folded else 0, pictures, tables)


def _said(data: dict) -> int:
    """Words of a generated sentence or of a card, which has no Markdown form."""
    if "text/markdown" in data:
        return _words(_text(data["text/markdown"]))
    html = _text(data.get("text/html", ""))
    return 0 if "<table" in html else len(re.sub(r"<[^>]+>", " ", html).split())


def _words(markdown: str) -> int:
    formulas = len(re.findall(r"\$\$.+?\$\$", markdown, re.DOTALL))
    text = re.sub(r"\$\$.+?\$\$|```.+?```", " ", markdown, flags=re.DOTALL)
    text = re.sub(r"\$[^$\n]+\$|`[^`\n]+`|<[^>]+>", " ", text)
    return len(re.findall(r"\S*\w\S*", text)) + WORDS_A_FORMULA * formulas


def _lines(source: str) -> int:
    return sum(bool(line.strip()) and not line.lstrip().startswith("#") for line in source.splitlines())


def _tags(cell: NotebookNode) -> set[str]:
    return set(cell.metadata.get("tags", ()))


def _text(value: str | list[str]) -> str:
    return value if isinstance(value, str) else "".join(value)


def _nodes(notebook: NotebookNode) -> list[ast.AST]:
    """All nodes of the code of a lesson that is no exercise, from top to bottom."""
    return [
        node
        for cell in notebook.cells
        if cell.cell_type == "code" and "exercise" not in _tags(cell)
        for node in ast.walk(prose.parsed(cell.source))
    ]


def _library_names(notebook: NotebookNode) -> set[str]:
    """Every name that a lesson imports from course_lib, and its own functions that use one of these."""
    nodes = _nodes(notebook)
    found = {
        (alias.asname or alias.name).partition(".")[0]
        for node in nodes
        if isinstance(node, ast.ImportFrom | ast.Import)
        for alias in node.names
        if (getattr(node, "module", None) or alias.name).split(".")[0] == "course_lib"
    }
    functions = {node.name: _names(node) for node in nodes if isinstance(node, ast.FunctionDef)}
    return _reached(found, functions.items())


def _is_asserted(algorithm: NotebookNode, notebook: NotebookNode) -> bool:
    """Whether an assertion of the lesson uses what a cell defines, or something that was made of it."""
    nodes = _nodes(notebook)
    made = [
        (name, _names(node))
        for node in nodes
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.For | ast.comprehension)
        for name in _stored(node)
    ]
    made += [(node.name, _names(node)) for node in nodes if isinstance(node, ast.FunctionDef)]
    tree = prose.parsed(algorithm.source)
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.ClassDef):
            defined |= _stored(node)
    own = _reached(defined, made)
    asserted = [node for node in nodes if isinstance(node, ast.Assert)]
    asserted += [  # as numpy and torch have them
        node
        for node in nodes
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1].startswith("assert_")
    ]
    return any(_names(node) & own for node in asserted)


def _reached(start: set[str], made: Iterable[tuple[str, set[str]]]) -> set[str]:
    """`start`, and every name that is made of one that is reached already."""
    reached, made = set(start), list(made)
    while more := {name for name, parts in made if parts & reached} - reached:
        reached |= more
    return reached


def _names(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def _stored(node: ast.AST) -> set[str]:
    """Names that get a value, or a part of theirs does, as in `found["mine"] = …`."""
    stored = [part for part in ast.walk(node) if isinstance(getattr(part, "ctx", None), ast.Store)]
    return {name for part in stored for name in _names(part)}
