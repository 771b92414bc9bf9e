"""What a notebook must be before it is stored: complete, clean, readable, and without traces of a machine."""

from __future__ import annotations

import ast
import base64
import getpass
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from course_lib.learn.exercise import MIME as CHECK
from course_lib.learn.verdict_cards import MIME as VERDICT
from course_lib.registers import Lesson
from course_lib.show import LARGEST_IMAGE
from notebooks.make import prose, quizzes, rules, solutions

_OWN_PLACES = (str(Path.home()), str(Path(__file__).resolve().parents[2]), sys.prefix)
_TRACES = {
    "a path of a machine": re.compile(
        r"(?<![\w./])/(?:home|Users|root|tmp|var|opt|mnt|usr|private)/\w|\b[A-Za-z]:\\\w"
        + "".join(f"|{re.escape(place)}" for place in _OWN_PLACES if len(place) > 3)
    ),
    "an address in memory": re.compile(r"\b0x[0-9a-fA-F]{6,}\b"),
    "a time of day": re.compile(r"\b\d{1,2}:\d{2}:\d{2}\b"),
    "a random id": re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"),
    "a progress bar": re.compile(r"\d%\||\bit/s\b"),
    # Errors of rounding differ from machine to machine: show whether one is below a bound, not what it is.
    "a number below 0.00001": re.compile(r"(?<![\w.])\d(?:\.\d+)?[eE][-−](?:0?[6-9]|0*[1-9]\d+)\b"),
}
_DURATION = re.compile(r"\d\.\d+ ?(?:s|ms|µs|us|ns|seconds)\b")
_WIDGET = "application/vnd.jupyter.widget-view+json"


def verdicts(notebook: NotebookNode) -> list[dict[str, Any]]:
    """The verdicts that a notebook recorded, in order, each with the id of its ``cell``."""
    return [{**found, "cell": cell.id} for cell, found in _found(notebook, VERDICT)]


def checks(notebook: NotebookNode) -> list[tuple[NotebookNode, dict[str, Any]]]:
    """The exercise checks that a notebook shows, with their cells."""
    return [*_found(notebook, CHECK)]


def traces(notebook: NotebookNode) -> list[str]:
    """Everything in the outputs that would not repeat elsewhere, or that the learner should not see."""
    faults = []
    names = {getpass.getuser(), Path.home().name} - {"root", "user", "admin", "runner", "home"}
    user = re.compile("|".join(rf"\b{re.escape(name)}\b" for name in names if len(name) > 3) or r"(?!)")
    for place, cell in _code(notebook):
        measured = "measurement(" in cell.source
        for output in cell.outputs:
            if output.output_type == "error":
                faults.append(f"{place}: stores an error, {output.ename}; show it with learn.fails")
            if output.get("name") == "stderr":
                faults.append(f"{place}: writes to stderr: {output.text.strip()[:160]}")
            if _WIDGET in output.get("data", {}):
                faults.append(f"{place}: stores a widget; use learn.slider, which stores a still picture")
            for text in _texts(output):
                found = {
                    what: pattern.search(text) for what, pattern in {**_TRACES, "a user name": user}.items()
                }
                faults += [
                    f"{place}: its output holds {what}: {match[0]!r}"
                    for what, match in found.items()
                    if match
                ]
                if not measured and (match := _DURATION.search(text)):
                    faults.append(
                        f"{place}: its output holds a duration, {match[0]!r}; read it with show.measurement"
                    )
    return faults


def faults(notebook: NotebookNode, lesson: Lesson | None = None) -> list[str]:
    """Everything that keeps a notebook from being stored or shown, each in one line that names the cell.

    With the row of its ``lesson``, also what does not fit that row.
    """
    return [
        *traces(notebook),
        *_unfinished(notebook),
        *_headings(notebook),
        *_images(notebook),
        *_exercises(notebook),
        *quizzes.faults(notebook, lesson.number if lesson else None),
        *_repeated_verdicts(notebook),
        *_reasons(notebook),
        *_unknown_tags(notebook),
        *_functions(notebook),
        *rules.faults(notebook),
        *prose.faults(notebook),
    ]


def _code(notebook: NotebookNode) -> Iterator[tuple[str, NotebookNode]]:
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type == "code":
            yield (
                f"cell {number} ({(cell.source.strip().splitlines() or ['empty'])[0][:50]})",
                cell,
            )


def _found(notebook: NotebookNode, mime: str) -> Iterator[tuple[NotebookNode, dict[str, Any]]]:
    for _, cell in _code(notebook):
        for output in cell.outputs:
            if mime in output.get("data", {}):
                yield cell, output.data[mime]


def _texts(output: NotebookNode) -> Iterator[str]:
    if output.output_type == "stream":
        yield output.text
    for mime, value in output.get("data", {}).items():
        if not mime.startswith("image/"):
            yield value if isinstance(value, str) else str(value)


def _tagged(cell: NotebookNode, tag: str) -> bool:
    return tag in cell.metadata.get("tags", [])


def _unfinished(notebook: NotebookNode) -> Iterator[str]:
    if sum(_tagged(cell, "parameters") for _, cell in _code(notebook)) != 1:
        yield "needs one code cell tagged 'parameters', with scale and seed"
    for place, cell in _code(notebook):
        if not cell.source.strip():
            yield f"{place}: has no code"
        elif cell.execution_count is None:
            yield f"{place}: has not been run"


def _headings(notebook: NotebookNode) -> Iterator[str]:
    level = 0
    for cell in notebook.cells:
        if cell.cell_type != "markdown":
            continue
        text = re.sub(r"^```.*?^```", "", cell.source, flags=re.MULTILINE | re.DOTALL)
        for match in re.finditer(r"^(#{1,6}) +(.+)$", text, re.MULTILINE):
            depth, heading = len(match[1]), match[2]
            if depth > level + 1:
                yield f"heading {heading!r} skips a level"
            if depth == 1 and level:
                yield f"heading {heading!r} is a second title"
            level = depth
    if not level:
        yield "has no title"


def _images(notebook: NotebookNode) -> Iterator[str]:
    for place, cell in _code(notebook):
        for output in cell.outputs:
            for mime, value in output.get("data", {}).items():
                if not mime.startswith("image/"):
                    continue
                if not output.metadata.get(mime, {}).get("alt"):
                    yield f"{place}: shows an image without alt text; use show.figure"
                if mime == "image/png" and len(base64.b64decode(value)) > LARGEST_IMAGE:
                    yield f"{place}: stores an image of more than {LARGEST_IMAGE // 1000} kB; draw less"


def _exercises(notebook: NotebookNode) -> Iterator[str]:
    found, faults = solutions.lift(notebook)
    yield from faults
    shown: dict[str, list[str]] = {solution.key: [] for solution in found.values()}
    for cell, check in checks(notebook):
        if ".q" in check["key"]:  # a question: see quizzes
            continue
        kind = "exercise" if _tagged(cell, "exercise") else "untagged"
        shown.setdefault(check["key"], []).append(f"{kind}: {check['status']}")
    for key, states in shown.items():
        if states != ["exercise: not attempted"]:
            yield f"exercise {key} shows {states}: wanted is one cell tagged 'exercise' that is not attempted"


def _repeated_verdicts(notebook: NotebookNode) -> Iterator[str]:
    ids = [verdict["id"] for verdict in verdicts(notebook)]
    yield from (
        f"verdict {name} is given twice" for name in sorted({name for name in ids if ids.count(name) > 1})
    )


def _reasons(notebook: NotebookNode) -> Iterator[str]:
    for place, cell in _code(notebook):
        for tag in cell.metadata.get("tags", []):
            if (tag.startswith("tolerance=") or tag in UNCOMPARED) and not cell.metadata.get("reason"):
                yield f'{place}: the tag {tag!r} needs reason="…" beside it'


def _unknown_tags(notebook: NotebookNode) -> Iterator[str]:
    """A tag that is misspelled does nothing, and nobody would see it."""
    for number, cell in enumerate(notebook.cells, start=1):
        for tag in cell.metadata.get("tags", []):
            if tag not in TAGS and not tag.startswith("tolerance="):
                yield f"cell {number}: nothing knows the tag {tag!r}; there are {', '.join(sorted(TAGS))}"


def _functions(notebook: NotebookNode) -> Iterator[str]:
    """A function that a later cell defines again: whoever runs cells out of order calls the wrong one."""
    defined: dict[str, str] = {}
    for place, cell in _code(notebook):
        if _tagged(cell, "exercise") or _tagged(cell, "solution"):
            continue
        for node in prose.parsed(cell.source).body:
            if not isinstance(node, ast.FunctionDef | ast.ClassDef):
                continue
            first = defined.setdefault(node.name, place)
            if first != place:
                yield f"{place}: defines {node.name!r} again, after {first}; give it a name of its own"


UNCOMPARED = ("nbval-ignore-output", "nbval-skip")
"""Tags that keep a cell's outputs out of the comparison."""

TAGS = {
    "algorithm",  # what the lesson is about, in lines that a reader could have written: see reading
    "exercise",
    "first-result",  # the first thing worth knowing: see reading
    "hide-input",  # folded, see pairing
    "parameters",  # what a run may set
    "quiz",  # the questions at the end, see quizzes
    "rule",  # what makes a verdict, see rules
    "solution",
    *UNCOMPARED,
}
"""Every tag that a cell may have, beside `tolerance=…`."""
