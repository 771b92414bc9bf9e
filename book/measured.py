"""The page of benchmarks: what `python course.py benchmark` measured, beside published figures and peers.

A measurement says itself what its heading, its table and its place on the page are.
"""

from pathlib import Path
from typing import Any

from course_lib.registers import Measurement, read_measurements


def measured_page() -> str:
    """Markdown of the page, from the stored measurements that have a place on it."""
    template = Path(__file__).with_name("pages").joinpath("measured.md").read_text(encoding="utf-8")
    shown = sorted((found for found in read_measurements().values() if found.title), key=lambda m: m.place)
    sections = "\n\n".join(map(_section, shown))
    return template.replace("@@sections@@", sections or "No benchmark has been run yet.")


def _section(found: Measurement) -> str:
    parts = [f"## {found.title}"]
    if table := found.table:
        parts += [table.caption, found.warning, _table(table.texts), *table.remarks]
    parts.append(_table([["what", "measured", "wanted", "kept?"], *map(_promise, found.promises)]))
    parts.append(
        f"Measured on {found.date}, {found.processor}, {found.threads} threads, with "
        f"`python course.py benchmark {found.name}`."
    )
    return "\n\n".join(part for part in parts if part)


def _promise(promise: dict[str, Any]) -> list[str]:
    wanted = f"≥ {promise['at_least']:g}" if "at_least" in promise else f"≤ {promise['at_most']:g}"
    return [promise["what"], f"{promise['measured']:.4g}", wanted, "yes" if promise["kept"] else "**no**"]


def _table(rows: list[list[str]]) -> str:
    head, *body = rows
    lines = [head, [":--", *["--:"] * (len(head) - 1)], *body]
    return "\n".join("| " + " | ".join(cell.replace("|", "/") for cell in line) + " |" for line in lines)
