"""Verdict cards: what the course found about one entry of the ledger, for readers and for machines."""

from __future__ import annotations

import functools
import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from IPython.display import display
from markdown_it import MarkdownIt

from course_lib import show

MIME = "application/vnd.course.verdict+json"
"""Machine-readable twin of a card, in the same output: the runner and the ledger page read it."""

LEDGER = Path(__file__).resolve().parents[2] / "book" / "ledger.yml"

_LOOKS = {  # a sign as well as a colour: blue confirms, vermillion contradicts, grey leaves open
    **dict.fromkeys(("supported", "correct", "works", "taught", "exists"), ("✓", "#0072B2")),
    **dict.fromkeys(("refuted", "corrected", "harms", "misdescribed", "not found"), ("✗", "#D55E00")),
    **dict.fromkeys(("depends", "no effect"), ("≈", "#E69F00")),
    **dict.fromkeys(("not testable here", "beyond our data"), ("○", "#707070")),
}
_inline = MarkdownIt("commonmark", {"html": False}).renderInline


@dataclass(frozen=True)
class Ledger:
    """``book/ledger.yml``: entries by id, chapter keys in course order, the verdict words of each kind."""

    entries: dict[str, dict[str, str]]
    chapters: list[str]
    words: dict[str, list[str]]


@functools.cache
def ledger() -> Ledger:
    """Read the ledger once. Raises ``FileNotFoundError`` where the course's ``book`` folder is not there."""
    if not LEDGER.exists():
        raise FileNotFoundError(
            "There is no book/ledger.yml beside course_lib: verdicts need the whole course folder."
        )
    read = yaml.safe_load(LEDGER.read_text(encoding="utf-8"))
    return Ledger({entry["id"]: entry for entry in read["entries"]}, read["chapters"], read["verdicts"])


def verdict(
    ledger_id: str,
    word: str,
    sentence: str,
    *,
    numbers: Mapping[str, Any] | None = None,
    data: str,
    scale: str | None = None,
    scope: str | None = None,
    waits_for: str | None = None,
) -> None:
    """Show a verdict card, and store the same verdict for machines in the same output.

    ``sentence`` says in the course's own words what was found (Markdown); ``{name}`` in it is replaced by
    ``numbers["name"]``, and numbers without a place in it are listed below. A number is an int, a float, a
    text already formatted, or ``(mean, (low, high))``, shown with its interval. ``data`` names what it was
    found on ("by proof" counts), ``scale`` is the notebook's parameter. ``scope`` (encoder, its size, the
    text it was given) is required for every entry about large models. ``waits_for`` is the key of
    the chapter that settles the rest: the sentence then says what is settled already, and the entry counts as
    open.

    Raises ``ValueError`` for an unknown id, a word that this kind of entry does not have, a place without a
    number, an unknown chapter, a missing scope, and a claim settled on simulated data alone.
    """
    entry = _entry(ledger_id, word)
    if waits_for is not None and waits_for not in ledger().chapters:
        raise ValueError(
            f"Verdict {ledger_id} waits for {waits_for!r}, which is no chapter: use one of "
            f"{', '.join(ledger().chapters)}."
        )
    if re.search(r"large[- ]model|pre-trained|BERT", entry["says"], re.IGNORECASE) and not scope:
        raise ValueError(
            f"Verdict {ledger_id} is about large models: say which encoder, its size and its text (scope=…)."
        )
    if entry["kind"] == "claim" and word in ("supported", "refuted") and _only_simulated(data):
        raise ValueError(
            f"Claim {ledger_id} cannot be {word} on simulated data alone: say 'depends' or wait for data."
        )
    written = {name: _write(value) for name, value in (numbers or {}).items()}
    placed = set(re.findall(r"\{(\w+)\}", sentence))
    if placed - set(written):
        raise ValueError(
            f"Verdict {ledger_id} has a place for {sorted(placed - set(written))}, and no such number."
        )
    for name in placed:
        sentence = sentence.replace(f"{{{name}}}", written[name])
    found = {
        "id": ledger_id,
        "kind": entry["kind"],
        "where": entry["where"],
        "says": entry["says"],
        "word": word,
        "sentence": sentence,
        "numbers": written,
        "data": data,
        "scale": scale,
        "scope": scope,
        "waits_for": waits_for,
    }
    listed = {name: text for name, text in written.items() if name not in placed}
    display({MIME: found, "text/html": _card(found, listed), "text/plain": _plain(found, listed)}, raw=True)


def _entry(ledger_id: str, word: str) -> dict[str, str]:
    if ledger_id not in ledger().entries:
        raise ValueError(f"The ledger has no entry {ledger_id!r}: see book/ledger.yml for the ids.")
    entry = ledger().entries[ledger_id]
    words = ledger().words[entry["kind"]]
    if word not in words:
        raise ValueError(
            f"Verdict {ledger_id} cannot be {word!r}: it is a {entry['kind']}, "
            f"and that is {' or '.join(words)}."
        )
    return entry


def _only_simulated(data: str) -> bool:
    parts = [part for part in re.split(r",|;|\+| and ", data) if part.strip()]
    return bool(parts) and all("simulated" in part.lower() for part in parts)


def _write(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        mean, bounds = value
        return show.interval(mean, bounds)
    return show.number(value, digits=4)


def _details(found: Mapping[str, Any], listed: Mapping[str, str]) -> list[tuple[str, str]]:
    details = []
    if listed:
        details.append(("Numbers", " · ".join(f"{name} = {text}" for name, text in listed.items())))
    details.append(("Found on", found["data"] + (f" · scale {found['scale']}" if found["scale"] else "")))
    if found["scope"]:
        details.append(("Holds for", found["scope"]))
    if found["waits_for"]:
        number = ledger().chapters.index(found["waits_for"]) + 1
        details.append(("Still open", f"the rest waits for chapter {number:02d}, {found['waits_for']}"))
    return details


def _word(found: Mapping[str, Any]) -> str:
    sign, _ = _LOOKS[found["word"]]
    return f"{sign} partly settled: {found['word']}" if found["waits_for"] else f"{sign} {found['word']}"


def _card(found: Mapping[str, Any], listed: Mapping[str, str]) -> str:
    _, colour = _LOOKS[found["word"]]
    line = "dashed" if found["waits_for"] else "solid"
    small = "".join(
        f'<div style="font-size:.9em;opacity:.8">{title}: {html.escape(text)}</div>'
        for title, text in _details(found, listed)
    )
    return (
        f'<div class="course-verdict" style="border:1px solid rgba(128,128,128,.35);'
        f'border-left:6px {line} {colour};border-radius:4px;padding:.7em 1em;margin:.8em 0;max-width:46em">'
        f"<div><strong>{found['id']}</strong> ({html.escape(found['where'])}) · "
        f'<strong style="border-bottom:2px solid {colour}">{_word(found)}</strong></div>'
        f'<div style="opacity:.8">The document says: {html.escape(found["says"])}</div>'
        f'<div style="margin:.35em 0">{_inline(found["sentence"])}</div>{small}</div>'
    )


def _plain(found: Mapping[str, Any], listed: Mapping[str, str]) -> str:
    lines = [f"{found['id']} ({found['where']}) · {_word(found)}", found["sentence"]]
    return "\n".join([*lines, *(f"{title}: {text}" for title, text in _details(found, listed))])
