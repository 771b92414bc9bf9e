"""The ledger of the five documents, joined with the verdicts that executed chapters recorded.

A verdict travels in a notebook's outputs as JSON of the mime type `VERDICT_MIME`, written by `learn.verdict`:
{"id", "word", "sentence", "numbers": {name: text as shown}, "data", "scale", "scope", "waits_for"}. Without
`waits_for` the entry is settled; with it (a chapter key) it is partly settled and counts as open.
"""

import json
from collections import Counter
from collections.abc import Container
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

VERDICT_MIME = "application/vnd.course.verdict+json"
LEDGER_FILE = Path(__file__).with_name("ledger.yml")
STATES = ("settled", "partly settled", "open")


class LedgerError(Exception):
    """The ledger, or a verdict recorded for it, breaks a rule; the message names the entry and the remedy."""


@dataclass(frozen=True)
class Record:
    """One verdict as one chapter recorded it; `notebook` is the file's stem, for example `02_cosine`."""

    notebook: str
    word: str
    sentence: str
    numbers: dict[str, str]
    data: str
    scale: str
    scope: str
    waits_for: str


@dataclass(frozen=True)
class Entry:
    """One row of the ledger, with the verdicts recorded for it in course order (none: open)."""

    id: str
    where: str
    kind: str
    chapter: str
    says: str
    do: str
    records: tuple[Record, ...] = ()

    @property
    def document(self) -> str:
        return self.id.split("-")[0]

    @property
    def state(self) -> str:
        """`settled`, `partly settled` or `open`: the latest chapter that spoke decides."""
        if not self.records:
            return "open"
        return "partly settled" if self.records[-1].waits_for else "settled"

    @property
    def label(self) -> str:
        """The verdict word of a settled entry, else its state."""
        return self.records[-1].word if self.state == "settled" else self.state


@dataclass(frozen=True)
class Ledger:
    """Documents and chapter keys in order, the verdict words of each kind, and the entries in order."""

    documents: dict[str, dict[str, str]]
    chapters: tuple[str, ...]
    verdicts: dict[str, tuple[str, ...]]
    entries: tuple[Entry, ...]

    def chapter_number(self, key: str) -> int:
        """Number of a chapter key in course order, from 1."""
        return self.chapters.index(key) + 1


def read_ledger(path: Path = LEDGER_FILE) -> Ledger:
    """Read and check the ledger file, without verdicts.

    Raises LedgerError for a missing field, an id used twice, an unknown document, kind or chapter key.
    """
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    ledger = Ledger(
        documents=content["documents"],
        chapters=tuple(content["chapters"]),
        verdicts={kind: tuple(words) for kind, words in content["verdicts"].items()},
        entries=tuple(_entry(row) for row in content["entries"]),
    )
    for name, times in Counter(entry.id for entry in ledger.entries).items():
        if times > 1:
            raise LedgerError(f"{name} stands {times} times in {path.name}; keep one")
    for entry in ledger.entries:
        if entry.document not in ledger.documents:
            raise LedgerError(f"{entry.id} names no known document; known: {', '.join(ledger.documents)}")
        if entry.kind not in ledger.verdicts:
            raise LedgerError(f"{entry.id} has kind {entry.kind!r}; use one of {', '.join(ledger.verdicts)}")
        if entry.chapter not in ledger.chapters:
            raise LedgerError(f"{entry.id} has chapter {entry.chapter!r}; use {', '.join(ledger.chapters)}")
    return ledger


def _entry(row: dict[str, str]) -> Entry:
    fields = ("id", "where", "kind", "chapter", "says", "do")
    missing = [field for field in fields if not row.get(field)]
    if missing:
        raise LedgerError(
            f"{row.get('id', 'an entry')} has no {', '.join(missing)}; every entry needs all fields"
        )
    return Entry(**{field: row[field] for field in fields})


def chapter_notebooks(notebooks: Path) -> list[Path]:
    """The chapters of a folder (`NN_key.ipynb`) in course order."""
    return sorted(notebooks.glob("[0-9][0-9]_*.ipynb"))


def verdict_outputs(notebook: dict[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """All (output, verdict) pairs of a parsed notebook, from top to bottom."""
    return [
        (output, output["data"][VERDICT_MIME])
        for cell in notebook["cells"]
        for output in cell.get("outputs", ())
        if VERDICT_MIME in output.get("data", {})
    ]


def join_verdicts(ledger: Ledger, notebooks: Path) -> Ledger:
    """Return the ledger with every verdict found in the outputs of the chapters in `notebooks`.

    Raises LedgerError for an unknown id, a word that the entry's kind does not allow, or an id that one
    chapter settles twice.
    """
    kinds = {entry.id: entry.kind for entry in ledger.entries}
    records: dict[str, list[Record]] = {name: [] for name in kinds}
    for path in chapter_notebooks(notebooks):
        for _, verdict in verdict_outputs(json.loads(path.read_text(encoding="utf-8"))):
            name, word = verdict["id"], verdict["word"]
            if name not in kinds:
                raise LedgerError(f"{path.name} gives a verdict on {name}, which is not in the ledger")
            allowed = ledger.verdicts[kinds[name]]
            if word not in allowed:
                raise LedgerError(
                    f"{path.name} calls {name} {word!r}; a {kinds[name]} is one of: {', '.join(allowed)}"
                )
            if any(record.notebook == path.stem for record in records[name]):
                raise LedgerError(f"{path.name} gives two verdicts on {name}; keep one")
            records[name].append(_record(path.stem, verdict))
    entries = tuple(replace(entry, records=tuple(records[entry.id])) for entry in ledger.entries)
    return replace(ledger, entries=entries)


def _record(notebook: str, verdict: dict[str, Any]) -> Record:
    optional = {field: verdict.get(field) or "" for field in ("data", "scale", "scope", "waits_for")}
    return Record(
        notebook=notebook,
        word=verdict["word"],
        sentence=verdict["sentence"],
        numbers=dict(verdict.get("numbers") or {}),
        **optional,
    )


def tally(entries: tuple[Entry, ...]) -> dict[str, int]:
    """Count entries by state: {"settled": …, "partly settled": …, "open": …}; the last two are not done."""
    counts = Counter(entry.state for entry in entries)
    return {state: counts[state] for state in STATES}


def planned_text(ledger: Ledger, existing: Container[str]) -> str:
    """The chapters that are not in `existing` (keys), each with the number of entries that wait for it."""
    unsettled = [entry for entry in ledger.entries if entry.state != "settled"]
    waiting = Counter(entry.records[-1].waits_for if entry.records else entry.chapter for entry in unsettled)
    return ", ".join(
        f"{ledger.chapter_number(key):02d} {key} ({waiting[key]})"
        for key in ledger.chapters
        if key not in existing
    )


def tally_text(ledger: Ledger) -> str:
    """The tally as a few lines of text for a terminal: a sentence, then a row a document."""
    counts = tally(ledger.entries)
    lines = [
        f"Ledger: {counts['settled']} of {len(ledger.entries)} entries settled, "
        f"{counts['partly settled']} partly settled, {counts['open']} open."
    ]
    for document in ledger.documents:
        entries = tuple(entry for entry in ledger.entries if entry.document == document)
        words = Counter(entry.records[-1].word for entry in entries if entry.state == "settled")
        said = ", ".join(f"{count} {word}" for word, count in words.most_common()) or "nothing settled yet"
        lines.append(f"  {document}  {tally(entries)['settled']:>2} of {len(entries)}  {said}")
    return "\n".join(lines)
