"""Makes small folders that look like the repository to the book."""

import base64
import shutil
import struct
import zlib
from pathlib import Path

import nbformat

from course_lib.registers.ledger import VERDICT_MIME

ROOT = Path(__file__).resolve().parents[2]


def _png() -> str:
    """A grey picture of 2 × 2 pixels, base64."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 2, 2, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"\0\x80\x80" * 2)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + parts).decode()


def output(data: dict, metadata: dict | None = None) -> nbformat.NotebookNode:
    return nbformat.v4.new_output("display_data", data=data, metadata=metadata or {})


def verdict(name: str, word: str, sentence: str, **more: object) -> nbformat.NotebookNode:
    """An output as learn.verdict stores it."""
    found = {"id": name, "word": word, "sentence": sentence, "data": "MovieLens-100K", "numbers": {}} | more
    html = f'<div class="course-verdict">{name} {word}: {sentence}</div>'
    return output({VERDICT_MIME: found, "text/html": html, "text/plain": sentence})


def chapter(title: str, outputs: list, figure_alt: str = "A grey square.") -> nbformat.NotebookNode:
    """A small executed chapter with a figure, a formula, verdicts and a folded solution."""
    cells = [
        nbformat.v4.new_markdown_cell(
            f"# {title}\n\n## The documents say\n\n| id |\n|---|\n| D1-16 |\n\n$$x^2$$"
        ),
        nbformat.v4.new_code_cell(
            "figure", outputs=[output({"image/png": _png()}, {"image/png": {"alt": figure_alt}})]
        ),
        nbformat.v4.new_code_cell("verdicts", outputs=outputs),
        nbformat.v4.new_markdown_cell(
            "## Exercises\n\nTry (余弦相似度); arXiv:2403.05440.\n\n**02.1** How long is the arrow?"
        ),
        nbformat.v4.new_code_cell("answer = ...", metadata={"tags": ["exercise"]}),
        nbformat.v4.new_markdown_cell(
            "<details>\n<summary>Show a solution</summary>\n\n"
            "It is $1$.\n\n```python\nanswer = 1\n```\n\n</details>",
            metadata={"tags": ["solution"]},
        ),
    ]
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return nbformat.v4.new_notebook(cells=cells, metadata=kernel)


PLAN = """
[chapters.{stem}]
title = "{title}"
title_zh = "标题"
goal = "find films"
minutes = 10
needs = ["minilm"]
timeout = 60
was = {was}
scales.small = {{}}
"""


def write_course(
    root: Path, chapters: dict[str, nbformat.NotebookNode], was: dict[str, list[str]] | None = None
) -> Path:
    """A folder that looks like the repository to the book: notebooks, plan, and the real list of data."""
    (root / "notebooks").mkdir(parents=True)
    (root / "data_scripts").mkdir()
    shutil.copy(ROOT / "data_scripts" / "sources.toml", root / "data_scripts")
    for stem, notebook in chapters.items():
        nbformat.write(notebook, root / "notebooks" / f"{stem}.ipynb")
    plan = "".join(
        PLAN.format(stem=stem, title=f"Lesson {stem.partition('_')[0]}", was=(was or {}).get(stem, []))
        for stem in chapters
    )
    (root / "notebooks" / "plan.toml").write_text(plan, encoding="utf-8")
    return root
