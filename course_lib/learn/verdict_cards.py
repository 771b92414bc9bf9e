"""Verdict cards: what the course found about one entry of the ledger, for readers and for machines."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from IPython.display import display
from markdown_it import MarkdownIt

from course_lib import show
from course_lib.registers import (
    Asset,
    Ledger,
    Word,
    assets_named,
    read_assets,
    read_ledger,
    read_measurements,
)
from course_lib.registers.ledger import VERDICT_MIME as MIME
from course_lib.registers.ledger import WHOLE

_LOOKS = {  # by tone; a sign as well as a colour: blue confirms, vermillion contradicts, grey leaves open
    "confirms": ("✓", "#0072B2"),
    "contradicts": ("✗", "#D55E00"),
    "mixed": ("≈", "#E69F00"),
    "undecided": ("?", "#CC79A7"),
    "open": ("○", "#707070"),
}
_inline = MarkdownIt("commonmark", {"html": False}).renderInline


@dataclass(frozen=True)
class Part:
    """What was found about one part of an entry: its word, and a sentence with places for its numbers."""

    word: str
    sentence: str
    numbers: Mapping[str, Any] = field(default_factory=dict)


def verdict(
    ledger_id: str,
    word: str | None = None,
    sentence: str = "",
    *,
    parts: Mapping[str, Part] | None = None,
    numbers: Mapping[str, Any] | None = None,
    data: str | Sequence[str],
    scale: str | None = None,
    scope: str | None = None,
    waits_for: str | None = None,
) -> None:
    """Show a verdict card, and store the same verdict for machines in the same output.

    Either ``word`` judges the whole entry, or ``parts`` gives each part that this lesson measured (a name of
    the ledger) its own word, and the entry's word is computed from them. ``sentence`` says in the course's
    own words what was found (Markdown); ``{name}`` in it is replaced by ``numbers["name"]``, and numbers
    without a place in it are listed below. A number is an int, a float, a text already formatted, or
    ``(mean, (low, high))``, shown with its interval. ``data`` is what it was found on: a list of assets,
    each by its name in data_scripts/sources.toml or by the label that its loader gives it
    (``[interactions.name]``); or, where no data were read, how it was found ("by proof"). ``scale`` is the
    notebook's parameter. ``scope`` (encoder, its size, the text it was given) is required for every entry
    about large models. ``waits_for`` is the key of the chapter that settles the rest of an entry that is
    judged as a whole: the sentence then says what is settled already, and the entry counts as open.

    A verdict of the larger scale that is stored in ``book/measurements/full`` stands beside it on the card.

    Raises ``RegisterError`` for an unknown id, part or asset and for a word that the ledger does not allow,
    and ``ValueError`` for a word beside parts or neither, a place without a number, an unknown chapter, a
    missing scope, and a claim settled on simulated data alone.
    """
    book = read_ledger()
    allowed = book.allowed(ledger_id)
    entry = book.entries[ledger_id]
    if (word is None) == (not parts):
        raise ValueError(f"Verdict {ledger_id} needs either a word for the whole or parts with their words.")
    if waits_for is not None and waits_for not in book.chapters:
        raise ValueError(
            f"Verdict {ledger_id} waits for {waits_for!r}, which is no chapter: use one of "
            f"{', '.join(book.chapters)}."
        )
    if parts:
        computed = book.word_of(ledger_id, {name: part.word for name, part in parts.items()})
        word = computed.word
    elif word not in allowed:
        raise ValueError(
            f"Verdict {ledger_id} cannot be {word!r}: it is a {entry.kind}, "
            f"and that is {' or '.join(allowed)}."
        )
    if entry.about == "large models" and not scope:
        raise ValueError(
            f"Verdict {ledger_id} is about large models: say which encoder, its size and its text (scope=…)."
        )
    found_on = _assets(data)
    words = {word, *(part.word for part in (parts or {}).values())}
    simulated = bool(found_on) and all(asset.simulated for asset in found_on)
    if entry.kind == "claim" and words & {"supported", "refuted"} and simulated:
        raise ValueError(
            f"Claim {ledger_id} cannot be {word} on simulated data alone: say 'depends' or wait for data."
        )
    sentence, written, listed = _filled(ledger_id, sentence, numbers or {})
    stored, more = {}, {}
    for name, part in (parts or {}).items():
        said, of_part, left = _filled(ledger_id, part.sentence, part.numbers)
        stored[name] = {"word": part.word, "sentence": said, "numbers": of_part}
        more[name] = left
    found = {
        "id": ledger_id,
        "kind": entry.kind,
        "where": entry.where,
        "says": entry.says,
        "word": word,
        "sentence": sentence or " ".join(part["sentence"] for part in stored.values()),
        "numbers": written,
        "parts": stored,
        "data": data if isinstance(data, str) else ", ".join(asset.label for asset in found_on),
        "scale": scale,
        "scope": scope,
        "waits_for": waits_for,
        "full": _full(ledger_id, stored),
    }
    card = _Card(book, found, listed, more, computed if parts else None)
    display({MIME: found, "text/html": card.html(), "text/plain": card.plain()}, raw=True)


def _filled(
    name: str, sentence: str, numbers: Mapping[str, Any]
) -> tuple[str, dict[str, str], dict[str, str]]:
    """The sentence with its numbers, all numbers as text, and those that have no place in the sentence."""
    written = {key: _write(value) for key, value in numbers.items()}
    placed = set(re.findall(r"\{(\w+)\}", sentence))
    if placed - set(written):
        raise ValueError(
            f"Verdict {name} has a place for {sorted(placed - set(written))}, and no such number."
        )
    for key in placed:
        sentence = sentence.replace(f"{{{key}}}", written[key])
    return sentence, written, {key: text for key, text in written.items() if key not in placed}


def _full(name: str, parts: Mapping[str, Any]) -> dict[str, Any] | None:
    """The verdict of the larger scale on the same entry and the same parts, from a stored measurement."""
    for measurement in read_measurements().values():
        for found in measurement.get("verdicts", []) if measurement.name.startswith("full/") else []:
            if found["id"] == name and set(found["parts"]) == set(parts):
                kept = ("word", "sentence", "numbers", "parts", "data")
                return {"set": measurement["set"], **{key: found[key] for key in kept}}
    return None


def _assets(data: str | Sequence[str]) -> list[Asset]:
    """What a verdict was found on. A text may be the label of an asset; any other names none."""
    if not isinstance(data, str):
        if not data:
            raise ValueError("A verdict is found on something: name its assets, or say how (data=…).")
        return assets_named(data)
    return [asset for asset in read_assets().values() if data in (asset.label, asset.name)]


def _write(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        mean, bounds = value
        return show.interval(mean, bounds)
    return show.number(value, digits=4)


@dataclass(frozen=True)
class _Card:
    """The two readable forms of a verdict. `more` holds the numbers of each part that no sentence places."""

    book: Ledger
    found: Mapping[str, Any]
    listed: Mapping[str, str]
    more: Mapping[str, Mapping[str, str]]
    computed: Word | None

    def html(self) -> str:
        found, (_, colour) = self.found, self.look(self.found["word"])
        line = "dashed" if self.unfinished() else "solid"
        small = "".join(
            f'<div style="font-size:.9em;opacity:.8">{title}: {html.escape(text)}</div>'
            for title, text in self.details()
        )
        said = f'<div style="margin:.35em 0">{_inline(found["sentence"])}</div>'
        return (
            f'<div class="course-verdict" style="border:1px solid rgba(128,128,128,.35);'
            f"border-left:6px {line} {colour};border-radius:4px;padding:.7em 1em;margin:.8em 0;"
            f'max-width:46em">'
            f"<div><strong>{found['id']}</strong> ({html.escape(found['where'])}) · "
            f'<strong style="border-bottom:2px solid {colour}">{self.word()}</strong></div>'
            f'<div style="opacity:.8">The document says: {html.escape(found["says"])}</div>'
            f"{self.parts_as_html() or said}{small}</div>"
        )

    def parts_as_html(self) -> str:
        rows = "".join(
            f'<li><span style="border-bottom:2px solid {self.look(part["word"])[1]}">'
            f"{self.signed(part['word'])}</span> · <strong>{html.escape(self.name(name))}</strong>: "
            f"{_inline(part['sentence'])}{html.escape(self.numbers_of(name))}</li>"
            for name, part in self.found["parts"].items()
        )
        return f'<ul style="margin:.35em 0;padding-left:1.2em">{rows}</ul>' if rows else ""

    def plain(self) -> str:
        found = self.found
        lines = [f"{found['id']} ({found['where']}) · {self.word()}"]
        lines += [
            f"- {self.signed(part['word'])} · {self.name(name)}: {part['sentence']}{self.numbers_of(name)}"
            for name, part in found["parts"].items()
        ] or [found["sentence"]]
        return "\n".join([*lines, *(f"{title}: {text}" for title, text in self.details())])

    def look(self, word: str) -> tuple[str, str]:
        return _LOOKS[self.book.tones[word]]

    def signed(self, word: str) -> str:
        return f"{self.look(word)[0]} {word}"

    def name(self, part: str) -> str:
        return "the whole" if part == WHOLE else part

    def unfinished(self) -> bool:
        return bool(self.found["waits_for"] or (self.computed and self.computed.missing))

    def word(self) -> str:
        word = self.found["word"]
        return f"{self.look(word)[0]} partly settled: {word}" if self.unfinished() else self.signed(word)

    def numbers_of(self, part: str) -> str:
        numbers = self.more[part]
        return f" ({' · '.join(f'{name} = {text}' for name, text in numbers.items())})" if numbers else ""

    def details(self) -> list[tuple[str, str]]:
        found, details = self.found, []
        if self.listed:
            details.append(("Numbers", " · ".join(f"{name} = {text}" for name, text in self.listed.items())))
        scale = f" · scale {found['scale']}" if found["scale"] else ""
        details.append(("Found on", found["data"] + scale))
        if found["scope"]:
            details.append(("Holds for", found["scope"]))
        if found["full"]:
            full = found["full"]
            said = f"{self.signed(full['word'])}. {full['sentence']}"
            details.append((f"At full scale ({full['set']})", said))
        if self.computed and self.computed.missing:
            details.append(("Still open", f"the parts {', '.join(self.computed.missing)}"))
        if found["waits_for"]:
            number = self.book.chapter_number(found["waits_for"])
            details.append(("Still open", f"the rest waits for chapter {number:02d}, {found['waits_for']}"))
        return details
