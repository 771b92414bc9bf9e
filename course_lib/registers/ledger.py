"""`book/ledger.yml`: what the documents say, part by part, and the verdicts that the lessons recorded.

A verdict travels in a notebook's outputs as JSON of the mime type `VERDICT_MIME` (see `learn.verdict`). An
entry has one part or several; each part gets its word in one lesson, and the entry's word follows from them.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from course_lib.registers.errors import RegisterError
from course_lib.registers.places import COURSE

LEDGER = COURSE / "book" / "ledger.yml"
VERDICT_MIME = "application/vnd.course.verdict+json"
STATES = ("settled", "partly settled", "open")
WHOLE = "whole"
"""Name of the only part of an entry that is one thing."""


@dataclass(frozen=True)
class Kind:
    """What an entry can be: the words that its verdict may have, and its word where parts differ."""

    name: str
    words: tuple[str, ...]
    mixed: str


@dataclass(frozen=True)
class Record:
    """What one lesson found about one entry.

    `parts` holds the word of each part that the lesson measured. It is empty where the lesson spoke about the
    whole entry at once: then `word` is that word, and `waits_for` names the chapter that settles the rest.
    """

    lesson: str
    word: str
    sentence: str
    parts: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)
    data: str = ""
    scale: str = ""
    scope: str = ""
    waits_for: str = ""
    full: str = ""
    """The word that the whole entry gets at the larger scale, where that was measured."""
    stale: str = ""
    """Why the measurement at the larger scale decides nothing: it is of other code."""


@dataclass(frozen=True)
class Word:
    """The word of an entry, the words of its parts, and the parts that left it to others or have none yet."""

    word: str
    parts: dict[str, str]
    undecided: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entry:
    """One row of the ledger; with its records in course order (none: open), its word and that word's tone."""

    id: str
    where: str
    kind: str
    chapter: str
    says: str
    do: str
    parts: dict[str, str]
    see: tuple[str, ...] = ()
    about: str = ""
    records: tuple[Record, ...] = ()
    word: str = ""
    tone: str = ""

    @property
    def document(self) -> str:
        return self.id.partition("-")[0]

    @property
    def part_words(self) -> dict[str, str]:
        """The word of every part that a lesson measured, in the ledger's order."""
        found = {part: word for record in self.records for part, word in record.parts.items()}
        return {part: found[part] for part in self.parts if part in found}

    @property
    def state(self) -> str:
        """`settled`, `partly settled` or `open`."""
        if not self.records:
            return "open"
        if self.part_words:
            return "settled" if len(self.part_words) == len(self.parts) else "partly settled"
        return "partly settled" if self.records[-1].waits_for else "settled"

    @property
    def label(self) -> str:
        """The verdict word of a settled entry, else its state."""
        return self.word if self.state == "settled" else self.state


@dataclass(frozen=True)
class Ledger:
    """Documents and chapter keys in order, kinds of entries, tones of words, and the entries by id."""

    documents: dict[str, dict[str, str]]
    chapters: tuple[str, ...]
    kinds: dict[str, Kind]
    tones: dict[str, str]
    """The tone of every word: confirms, contradicts, mixed, undecided or open."""
    entries: dict[str, Entry]

    def chapter_number(self, key: str) -> int:
        """Number of a chapter key in course order, from 1."""
        return self.chapters.index(key) + 1

    def allowed(self, name: str, *, part: bool = False) -> tuple[str, ...]:
        """The words that an entry, or a part of it, may have. Raises `RegisterError` for an unknown id."""
        if name not in self.entries:
            raise RegisterError(f"The ledger has no entry {name!r}: see book/ledger.yml for the ids.")
        kind = self.kinds[self.entries[name].kind]
        words = [word for word in kind.words if not (part and word == kind.mixed == "depends")]
        return tuple(dict.fromkeys([*words, "beyond our data"] if part else words))

    def word_of(self, name: str, parts: Mapping[str, str]) -> Word:
        """The word of entry `name` from the words of its parts.

        Parts that all have one word give it. Parts that differ give the kind's mixed word (*depends* for
        claims, methods and advice), with the parts as its condition. A part that is *undecided*, *not
        testable here* or *beyond our data* leaves the word to the others, and is named in `undecided`. A
        part without a word is named in `missing`: the entry is then settled in part only. Raises
        `RegisterError` for a part that the ledger lacks, and for a word that it may not have.
        """
        entry, allowed = self.entries[name], self.allowed(name, part=len(self.entries[name].parts) > 1)
        for part, word in parts.items():
            if part not in entry.parts:
                raise RegisterError(f"{name} has no part {part!r}; its parts: {', '.join(entry.parts)}.")
            if word not in allowed:
                raise RegisterError(f"{name}, {part}: {word!r} is no word here; use {', '.join(allowed)}.")
        if not parts:
            raise RegisterError(f"{name} has no part with a word: it is open.")
        silent = {part: word for part, word in parts.items() if self.tones[word] in ("undecided", "open")}
        speaking = {word for part, word in parts.items() if part not in silent}
        if len(speaking) == 1:
            (word,) = speaking
        elif speaking:
            word = self.kinds[entry.kind].mixed
        else:  # none of them speaks: what could be decided with more data comes first
            word = min(silent.values(), key=("undecided", "not testable here", "beyond our data").index)
        return Word(
            word=word,
            parts={part: parts[part] for part in entry.parts if part in parts},
            undecided=tuple(part for part in entry.parts if part in silent) if speaking else (),
            missing=tuple(part for part in entry.parts if part not in parts),
        )

    def joined(
        self, verdicts: Mapping[str, Iterable[Mapping[str, Any]]], stale: Mapping[str, str] | None = None
    ) -> Ledger:
        """This ledger with `{lesson: [what learn.verdict recorded]}`, lessons in course order.

        A verdict of the larger scale decides, unless `stale` says of its lesson why it is of other code.

        Raises `RegisterError` for an unknown id or part, a word that the entry may not have, an id that one
        lesson judges twice, and a part that two lessons measure.
        """
        records: dict[str, list[Record]] = {name: [] for name in self.entries}
        for lesson, found in verdicts.items():
            for verdict in found:
                name = verdict["id"]
                if name not in records:
                    raise RegisterError(f"{lesson} gives a verdict on {name}, which is not in the ledger.")
                record = _record(lesson, verdict, (stale or {}).get(lesson, ""))
                self._check(name, record, records[name])
                records[name].append(record)
        entries = {name: self._with(entry, tuple(records[name])) for name, entry in self.entries.items()}
        return replace(self, entries=entries)

    def _with(self, entry: Entry, records: tuple[Record, ...]) -> Entry:
        """The entry with its records, its word (that of the larger scale where there is one) and its tone."""
        entry = replace(entry, records=records)
        if not records:
            return entry
        parts = entry.part_words
        word = self.word_of(entry.id, parts).word if parts else records[-1].full or records[-1].word
        return replace(entry, word=word, tone=self.tones[word])

    def _check(self, name: str, record: Record, before: list[Record]) -> None:
        if any(other.lesson == record.lesson for other in before):
            raise RegisterError(f"{record.lesson} gives two verdicts on {name}; keep one.")
        for part in record.parts:
            for other in before:
                if part in other.parts:
                    raise RegisterError(
                        f"{name}, {part}: {other.lesson} and {record.lesson} both measure it; keep one."
                    )
        if record.parts:
            self.word_of(name, record.parts)
        elif record.word not in self.allowed(name):
            kind, words = self.entries[name].kind, ", ".join(self.allowed(name))
            raise RegisterError(f"{record.lesson} calls {name} {record.word!r}; a {kind} is one of: {words}.")

    def of_document(self, name: str) -> list[Entry]:
        """The entries of one document, in order."""
        return [entry for entry in self.entries.values() if entry.document == name]

    def tally(self) -> dict[str, int]:
        """How many entries are settled, partly settled and open; the last two are not done."""
        return tally(self.entries.values())

    def tally_of_words(self) -> dict[str, int]:
        """How many settled entries have each word, by word."""
        return dict(
            sorted(Counter(entry.word for entry in self.entries.values() if entry.state == "settled").items())
        )

    def tally_of_parts(self) -> tuple[int, int]:
        """Parts that have a word, and parts in all; a verdict on a whole entry speaks for all its parts."""
        done = sum(
            len(entry.part_words) or (len(entry.parts) if entry.state == "settled" else 0)
            for entry in self.entries.values()
        )
        return done, sum(len(entry.parts) for entry in self.entries.values())


def tally(entries: Iterable[Entry]) -> dict[str, int]:
    """How many of some entries are settled, partly settled and open; the last two are not done."""
    counts = Counter(entry.state for entry in entries)
    return {state: counts[state] for state in STATES}


@functools.cache
def read_ledger(path: Path = LEDGER) -> Ledger:
    """Read and check the ledger, without verdicts. Read once: the result is frozen.

    Raises `RegisterError` for a missing file or field, an id used twice, an unknown document, kind, chapter
    or field, and parts that are fewer than two or more than five.
    """
    import yaml  # here, because the launcher reads the plan before anything is installed

    if not path.exists():
        raise RegisterError(
            "There is no book/ledger.yml beside course_lib: verdicts need the whole course folder."
        )
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    kinds = {name: Kind(name, tuple(row["words"]), row["mixed"]) for name, row in content["verdicts"].items()}
    rows = content["entries"]
    for name, times in Counter(row.get("id") for row in rows).items():
        if times > 1:
            raise RegisterError(f"{path.name}: {name} stands {times} times; keep one.")
    ledger = Ledger(
        documents=content["documents"],
        chapters=tuple(content["chapters"]),
        kinds=kinds,
        tones={word: tone for tone, words in content["tones"].items() for word in words},
        entries={row["id"]: entry for row, entry in zip(rows, _entries(rows, path), strict=True)},
    )
    for fault in _faults(ledger):
        raise RegisterError(f"{path.name}: {fault}")
    return ledger


def _entries(rows: list[dict[str, Any]], path: Path) -> Iterator[Entry]:
    needed, free = ("id", "where", "kind", "chapter", "says", "do"), ("parts", "see", "about")
    for row in rows:
        name = row.get("id", "an entry")
        if missing := [key for key in needed if not row.get(key)]:
            raise RegisterError(f"{path.name}: {name} has no {', '.join(missing)}; every entry needs them.")
        if unknown := row.keys() - {*needed, *free}:
            raise RegisterError(
                f"{path.name}: {name} has {', '.join(sorted(unknown))}, which no reader knows."
            )
        if "parts" in row and not 2 <= len(row["parts"]) <= 5:
            raise RegisterError(f"{path.name}: {name} has {len(row['parts'])} parts; two to five, or none.")
        parts = {str(part): says for part, says in row.get("parts", {WHOLE: row["says"]}).items()}
        yield Entry(
            **{key: row[key] for key in needed},
            parts=parts,
            see=tuple(row.get("see", ())),
            about=row.get("about", ""),
        )


def _faults(ledger: Ledger) -> Iterator[str]:
    for kind in ledger.kinds.values():
        for word in (*kind.words, kind.mixed):
            if word not in ledger.tones:
                yield f"the word {word!r} of {kind.name} has no tone."
    for name, entry in ledger.entries.items():
        if entry.document not in ledger.documents:
            yield f"{name} names no known document; known: {', '.join(ledger.documents)}."
        if entry.kind not in ledger.kinds:
            yield f"{name} has kind {entry.kind!r}; use one of {', '.join(ledger.kinds)}."
        if entry.chapter not in ledger.chapters:
            yield f"{name} has chapter {entry.chapter!r}; use {', '.join(ledger.chapters)}."


def _record(lesson: str, verdict: Mapping[str, Any], stale: str) -> Record:
    texts = {key: verdict.get(key) or "" for key in ("sentence", "data", "scale", "scope", "waits_for")}
    full = verdict.get("full") or {}
    texts["stale"] = stale if full else ""
    full = {} if stale else full
    judged = {**(verdict.get("parts") or {}), **(full.get("parts") or {})}  # the larger scale decides
    parts = {part: found["word"] for part, found in judged.items()}
    numbers = dict(verdict.get("numbers") or {})
    word = "" if parts else full.get("word", "")
    return Record(lesson, verdict["word"], parts=parts, numbers=numbers, full=word, **texts)
