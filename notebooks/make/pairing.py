"""Sources and notebooks: an author edits ``source/NN_key.py``, a learner opens ``NN_key.ipynb``."""

from __future__ import annotations

import difflib
import hashlib
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
# Without a version number, or every notebook changes with the machine that ran it.
LANGUAGE = {
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
}


def source_hash(source: Path) -> str:
    """SHA-256 of a source with its line ends made equal, so that a Windows checkout has the same hash."""
    return hashlib.sha256(source.read_text(encoding="utf-8").encode()).hexdigest()


def paired(source: Path, notebook: Path) -> NotebookNode:
    """The notebook of a source: its cells, with the ids, outputs and counts that unchanged cells have.

    An edited cell keeps its id and loses its outputs. Ids of new cells come from their text: two people who
    sync the same source get the same file.
    """
    fresh = jupytext.read(source, fmt="py:percent")
    old = read(notebook).cells if notebook.exists() else []
    for before, cell in _matches(old, fresh.cells):
        cell.id = before.id
        if cell.cell_type == "code" and before.source == cell.source:
            cell.outputs, cell.execution_count = before.outputs, before.execution_count
    _name_new_cells(fresh.cells, {cell.id for cell in old})
    executed = read(notebook).metadata.get("course", {}) if notebook.exists() else {}
    fresh.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": LANGUAGE, "course": executed})
    fresh.nbformat, fresh.nbformat_minor = 4, 5
    return fresh


def read(notebook: Path) -> NotebookNode:
    return nbformat.read(notebook, as_version=4)


def write(notebook: NotebookNode, path: Path) -> bool:
    """Write a notebook in one step; leave the file alone, and return False, when it would not change."""
    nbformat.validate(notebook)
    text = nbformat.writes(notebook).rstrip("\n") + "\n"
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(text, encoding="utf-8", newline="\n")
    part.replace(path)
    return True


def stale(source: Path, notebook: Path) -> str | None:
    """Why the stored outputs are not those of the source, or None. Reads two files, runs nothing."""
    if not notebook.exists():
        return "it has no notebook yet"
    stored = read(notebook)
    if stored.metadata.get("course", {}).get("source_sha256") != source_hash(source):
        return "its source changed after the outputs were stored"
    want = [(cell.cell_type, cell.source) for cell in jupytext.read(source, fmt="py:percent").cells]
    if want != [(cell.cell_type, cell.source) for cell in stored.cells]:
        return "the notebook was edited, and not its source"
    return None


def _matches(old: list[NotebookNode], new: list[NotebookNode]) -> list[tuple[NotebookNode, NotebookNode]]:
    """Pairs of cells that are the same, or that changed in place, between the same neighbours."""
    texts = [[(cell.cell_type, cell.source) for cell in cells] for cells in (old, new)]
    pairs = []
    for operation, i, i_end, j, j_end in difflib.SequenceMatcher(None, *texts, autojunk=False).get_opcodes():
        if operation in ("equal", "replace"):
            together = zip(old[i:i_end], new[j:j_end], strict=False)
            pairs += [(a, b) for a, b in together if a.cell_type == b.cell_type]
    return pairs


def _name_new_cells(cells: list[NotebookNode], taken_before: set[str]) -> None:
    taken = {cell.id for cell in cells if cell.id in taken_before}
    for cell in cells:
        if cell.id in taken_before:
            continue
        text, repeat = f"{cell.cell_type}\n{cell.source}", 0
        while (name := hashlib.sha256(f"{repeat}\n{text}".encode()).hexdigest()[:8]) in taken:
            repeat += 1
        taken.add(name)
        cell.id = name
