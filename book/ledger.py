"""The ledger with the verdicts of the committed notebooks, and what several pages say about it."""

import json
from collections import Counter
from collections.abc import Container
from pathlib import Path
from typing import Any

from course_lib.registers import Ledger, read_ledger
from course_lib.registers.ledger import VERDICT_MIME
from notebooks.make import freshness


def ledger_of(notebooks: Path) -> Ledger:
    """The ledger with every verdict found in the outputs of the lessons in `notebooks`.

    Where the measurement at the larger scale is of other code, the verdict of the smaller one decides.
    Raises RegisterError for a verdict that breaks the ledger's rules.
    """
    found = {}
    for path in lesson_notebooks(notebooks):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        found[path.stem] = [verdict for _, verdict in verdict_outputs(notebook)]
    return read_ledger().joined(found, stale_lessons(notebooks.parent))


def stale_lessons(root: Path) -> dict[str, str]:
    """The lessons whose stored verdicts of the larger scale are of other code, each with the reason."""
    return {
        name.removeprefix("full/"): why for name, why in freshness.states(root, of="full/").items() if why
    }


def lesson_notebooks(notebooks: Path) -> list[Path]:
    """The lessons of a folder (`02_cosine.ipynb`, `01a_stage.ipynb`) in course order."""
    return sorted(notebooks.glob("[0-9][0-9]*_*.ipynb"))


def chapter_of(stem: str, ledger: Ledger) -> str:
    """The ledger's key of a lesson's chapter: `cosine` for `02_cosine`, `background` for `01a_stage`."""
    return ledger.chapters[int(stem[:2]) - 1]


def verdict_outputs(notebook: dict[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """All (output, verdict) pairs of a parsed notebook, from top to bottom."""
    return [
        (output, output["data"][VERDICT_MIME])
        for cell in notebook["cells"]
        for output in cell.get("outputs", ())
        if VERDICT_MIME in output.get("data", {})
    ]


def planned_text(ledger: Ledger, existing: Container[str]) -> str:
    """The chapters that are not in `existing` (keys), each with the number of entries that wait for it, and
    how many entries of written chapters are open."""
    unsettled = [entry for entry in ledger.entries.values() if entry.state != "settled"]
    waiting = Counter(
        (entry.records[-1].waits_for if entry.records else "") or entry.chapter for entry in unsettled
    )
    planned = ", ".join(
        f"{ledger.chapter_number(key):02d} {key} ({waiting[key]})"
        for key in ledger.chapters
        if key not in existing
    )
    more = sum(waiting[key] for key in ledger.chapters if key in existing)
    return f"{planned}; and {more} more in chapters that are written" if more else planned
