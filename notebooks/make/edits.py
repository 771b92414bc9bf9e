"""What a person saved in a notebook is theirs: how the kit knows it, and where it keeps it.

Every notebook that the kit writes carries a seal: a hash of the whole file, in the metadata of that file. A
notebook whose seal does not fit was saved by somebody, answers, outputs or both. Nothing of the kit writes
over such a file before it has kept a copy. Standard library only: the launcher's `lab` must start at once.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from pathlib import Path

SEAL = "written_sha256"
UNSEALED = "0" * 64
# Inside a cell's text the quotation marks would be escaped, so this is found in metadata alone.
_SEAL = re.compile(rb'(?<=[^\\]"' + SEAL.encode() + rb'": ")[0-9a-f]{64}(?=")')


def sealed(text: str) -> str:
    """The text of a notebook, with the seal in its metadata (``course.written_sha256``) made to fit."""
    return _SEAL.sub(_seal(text.encode()), text.encode(), count=1).decode()


def is_as_written(notebook: Path) -> bool:
    """Whether a file is, byte for byte but for line ends, what the kit wrote there."""
    content = notebook.read_bytes().replace(b"\r\n", b"\n")
    found = _SEAL.search(content)
    return found is not None and found[0] == _seal(content)


def replace(path: Path, content: bytes) -> None:
    """Write a file in one step: whoever looks sees the old one or the new one, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def keep(notebook: Path, work: Path) -> Path:
    """Keep a copy of a notebook in the folder ``work`` under a new name, say so, and return where it is.

    A copy that is there already, byte for byte, is not made twice.
    """
    content = notebook.read_bytes()
    for kept in sorted(work.glob(f"{notebook.stem}.kept-*.ipynb")):
        if kept.read_bytes() == content:
            return kept
    kept = unused(work / f"{notebook.stem}.kept-{time.strftime('%Y-%m-%d-%H%M%S')}.ipynb")
    replace(kept, content)
    print(f"{shown(notebook)} was saved by hand. That version is kept: {shown(kept)}", flush=True)
    return kept


def keep_if_edited(notebook: Path, work: Path) -> None:
    """Keep a copy of a notebook that is about to be written over, if it is not as the kit wrote it."""
    if notebook.exists() and not is_as_written(notebook):
        keep(notebook, work)


def unused(path: Path) -> Path:
    """This path, or the first of ``name-2.ipynb``, ``name-3.ipynb`` … that no file has."""
    number, candidate = 1, path
    while candidate.exists():
        number += 1
        candidate = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return candidate


def shown(path: Path) -> str:
    """A path as it is printed: from the working folder, where it lies there."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _seal(content: bytes) -> bytes:
    return hashlib.sha256(_SEAL.sub(UNSEALED.encode(), content, count=1)).hexdigest().encode()
