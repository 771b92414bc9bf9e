"""Sources and notebooks: an author edits ``source/NN_key.py``, a learner opens ``NN_key.ipynb``."""

from __future__ import annotations

import difflib
import hashlib
import json
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

from notebooks.make import edits

FOLDED = "hide-input"
"""The tag of a code cell whose code is folded: by the book itself, and in JupyterLab by what pairing adds."""
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
# Without a version number, or every notebook changes with the machine that ran it.
LANGUAGE = {
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
}


def code_hash(notebook: NotebookNode) -> str:
    """SHA-256 of the code cells of a notebook: what its outputs depend on. Prose is not code."""
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    return hashlib.sha256(json.dumps(code).encode()).hexdigest()


def paired(source: Path, notebook: Path) -> NotebookNode:
    """The notebook of a source: its cells, with the ids, outputs and counts that unchanged cells have.

    An edited cell keeps its id and loses its outputs. Ids of new cells come from their text: two people who
    sync the same source get the same file. Of a notebook that somebody saved by hand, no output is taken.
    """
    fresh = jupytext.read(source, fmt="py:percent")
    for cell in fresh.cells:
        _fold(cell)
    trusted = notebook.exists() and edits.is_as_written(notebook)
    old = read(notebook) if trusted else _as_it_was_saved(notebook)
    for before, cell in _matches(old.cells, fresh.cells):
        cell.id = before.id
        if trusted and cell.cell_type == "code" and before.source == cell.source:
            cell.outputs, cell.execution_count = before.outputs, before.execution_count
    _name_new_cells(fresh.cells, {cell.id for cell in old.cells})
    executed = old.metadata.get("course", {}) if trusted else {}
    fresh.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": LANGUAGE, "course": executed})
    fresh.nbformat, fresh.nbformat_minor = 4, 5
    return fresh


def read(notebook: Path) -> NotebookNode:
    return nbformat.read(notebook, as_version=4)


def write(notebook: NotebookNode, path: Path, work: Path) -> bool:
    """Write a notebook, sealed, in one step. Leaves the file alone and returns False if it would not change.

    If somebody saved the file that is there, a copy of it is kept in the folder ``work`` first.
    """
    text = text_of(notebook)
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    edits.keep_if_edited(path, work)
    edits.replace(path, text.encode())
    return True


def text_of(notebook: NotebookNode) -> str:
    """The file of a notebook: checked, sealed, the same on every platform."""
    notebook.metadata.setdefault("course", {})[edits.SEAL] = edits.UNSEALED
    nbformat.validate(notebook)
    return edits.sealed(nbformat.writes(notebook).rstrip("\n") + "\n")


def stale(source: Path, notebook: Path) -> str | None:
    """Why a notebook is not the one that its source gives, and what to do, or None. Runs nothing."""
    key = source.stem
    execute, fix = f"run `python course.py execute {key}`", f"run `python course.py check {key} --fix`"
    if not notebook.exists():
        return f"has no notebook yet: {execute}"
    if not edits.is_as_written(notebook):
        return f"was saved by hand: {fix}, which keeps that version in work/ and puts back the course's own"
    fresh = paired(source, notebook)
    if read(notebook).metadata.get("course", {}).get("code_sha256") != code_hash(fresh):
        return f"is stale, its code changed after its outputs were stored: {execute}"
    if text_of(fresh) != notebook.read_text(encoding="utf-8"):
        return f"has an older text than its source: {fix}; nothing has to be run"
    return None


def _fold(cell: NotebookNode) -> None:
    """Give a cell what JupyterLab folds it by, if it has the tag, and take it away if it has not."""
    if cell.cell_type == "code" and FOLDED in cell.metadata.get("tags", ()):
        cell.metadata["jupyter"] = {"source_hidden": True}
    else:
        cell.metadata.pop("jupyter", None)


def _as_it_was_saved(notebook: Path) -> NotebookNode:
    """A notebook that somebody saved, or one without cells where there is none that can be read."""
    try:
        return read(notebook)
    except Exception:  # absent, cut short, with the marks of a merge: nothing can be taken from it
        return nbformat.v4.new_notebook()


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
