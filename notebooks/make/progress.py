"""What a run shows while a chapter runs: one live line on a terminal, a line a minute anywhere else."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any, Self

WIDTH = 78


class Progress:
    """A context in which ``at_cell`` tells how far a chapter is; ``done`` writes the line that stays.

    ``label`` names the chapter, ``cells`` is how many its notebook has, and ``seconds`` how often a line is
    written: each second where standard output is a terminal, each minute elsewhere.
    """

    def __init__(self, label: str, cells: int, seconds: float | None = None) -> None:
        self._label, self._cells, self._cell = label, cells, 0
        self._live = sys.stdout.isatty()
        self._seconds = seconds or (1 if self._live else 60)
        self._began, self._ended = time.monotonic(), threading.Event()
        self._writer = threading.Thread(target=self._write, daemon=True)

    def __enter__(self) -> Self:
        if self._live:
            self._show(f"{self._label}  starts", end="")
        self._writer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._writer.join()

    def at_cell(self, cell_index: int, **_: Any) -> None:
        """A hook of nbclient: this cell of the notebook, counted from 0, is about to run."""
        self._cell = cell_index + 1

    def done(self, words: str) -> None:
        """Write the last line of the chapter, once the context was left."""
        self._show(f"{self._label}  {words}", end="\n")

    def _write(self) -> None:
        while not self._ended.wait(self._seconds):
            passed = time.monotonic() - self._began
            where = f"cell {self._cell} of {self._cells}" if self._cell else "the kernel starts"
            self._show(f"{self._label}  {where}, {passed:.0f} s", end="" if self._live else "\n")

    def _show(self, text: str, end: str) -> None:
        # Spaces wipe out what a longer line has left. A console that knows no escape codes understands them.
        print(f"\r{text[:WIDTH]:<{WIDTH}}" if self._live else text, end=end, flush=True)
