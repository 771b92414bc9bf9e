"""The pages that are generated at build time, as Markdown: cover, ledger, glossary, data and licences."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from itertools import groupby
from pathlib import Path

from book.drawings import FUNNEL, MEANINGS, SIGNS, funnel, intervals, ledger_wall, tone
from book.ledger import chapter_of, planned_text
from course_lib.registers import Asset, Entry, Ledger, Record, Term, read_glossary, read_ledger
from course_lib.registers.ledger import WHOLE, tally

STALE = "What was measured at full scale is stale and decides nothing: {why}."
# What the cover draws: an entry, the unit of its intervals, and in words what each of its numbers compares.
HEADLINE = "D1-09"
HEADLINE_UNIT = "difference in Recall@10"
HEADLINE_NUMBERS = {
    "warm": "people with a past: text minus popularity",
    "added": "people with a past: popularity with text minus popularity",
    "cold": "new films: text minus a random list",
    "hand": "new films: text minus genres and year, one-hot",
}


@dataclass(frozen=True)
class Chapter:
    """A chapter that exists: its file stem (`02_cosine`), its row of the plan, and what its notebook holds.

    `needs` are the names of all data that any scale of the chapter reads; exercises and verdicts are counts.
    """

    stem: str
    title: str
    title_zh: str
    minutes: int
    goal: str
    needs: tuple[str, ...]
    exercises: int
    verdicts: int

    @property
    def number(self) -> str:
        return _number(self.stem)

    @property
    def key(self) -> str:
        """The key of its chapter in the ledger: `cosine`."""
        return chapter_of(self.stem, read_ledger())


def _number(stem: str) -> str:
    """The number of a lesson: `02`, `01a`."""
    return stem.partition("_")[0]


def _first_lessons(chapters: list[Chapter]) -> dict[str, Chapter]:
    """The first lesson of each chapter that exists, by the chapter's key."""
    return {chapter.key: chapter for chapter in reversed(chapters)}


def anchor(entry_id: str) -> str:
    """Name of the place in a chapter where the verdict on `entry_id` stands."""
    return f"verdict-{entry_id.lower()}"


def _cell(record: Record, entry_id: str) -> str:
    return f"{record.lesson}.html#{anchor(entry_id)}"


def cover(chapters: list[Chapter], ledger: Ledger) -> str:
    """The first page."""
    template = Path(__file__).with_name("pages").joinpath("index.md").read_text(encoding="utf-8")
    parts = {
        "funnel": funnel(*FUNNEL),
        "chapters": _chapter_cards(chapters),
        "headline": _headline(ledger),
        "tally": _tally_sentence(ledger),
        "wall": ledger_wall(ledger) + _legend(),
        "toctree": "\n".join(chapter.stem for chapter in chapters),
        "entries": str(len(ledger.entries)),
        "settled": str(ledger.tally()["settled"]),
        "planned": planned_text(ledger, {chapter.key for chapter in chapters}),
    }
    return _fill(template, parts)


def _fill(template: str, parts: dict[str, str]) -> str:
    return re.sub(r"@@(\w+)@@", lambda match: parts[match[1]], template)


def _chapter_cards(chapters: list[Chapter]) -> str:
    cards = []
    for chapter in chapters:
        facts = [
            f"{chapter.minutes} minutes",
            _count(chapter.exercises, "exercise"),
            _count(chapter.verdicts, "verdict"),
        ]
        cards.append(
            f'<a class="chapter-card" href="{chapter.stem}.html">'
            f'<span class="chapter-number">{chapter.number}</span>'
            f'<span class="chapter-title">{escape(chapter.title)} {_chinese(chapter.title_zh)}</span>'
            f'<span class="chapter-goal">{escape(chapter.goal[0].upper() + chapter.goal[1:])}.</span>'
            f'<span class="chapter-facts">{" · ".join(facts)}</span></a>'
        )
    return f'<div class="chapter-cards">{"".join(cards)}</div>'


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _tally_sentence(ledger: Ledger) -> str:
    counts = ledger.tally()
    done, parts = ledger.tally_of_parts()
    return (
        f"**{counts['settled']} of {len(ledger.entries)} entries are settled**, "
        f"{counts['partly settled']} partly, {counts['open']} are open. Many entries have several parts: of "
        f"all {parts} parts, {done} have a word."
    )


def _legend() -> str:
    return (
        '<ul class="legend">'
        + "".join(
            f'<li><span class="swatch tone-{name}" aria-hidden="true"></span>{text}</li>'
            for name, text in MEANINGS
        )
        + "</ul>"
    )


def _headline(ledger: Ledger) -> str:
    """One measured result with its intervals drawn; empty while no chapter has recorded it."""
    entry = ledger.entries[HEADLINE]
    if not entry.records:
        return ""
    record = entry.records[-1]
    measured = {
        f"{words}: {record.numbers[name]}": bounds
        for name, words in HEADLINE_NUMBERS.items()
        if (bounds := _interval(record.numbers.get(name, "")))
    }
    if not measured:
        return ""
    drawing = intervals(measured, HEADLINE_UNIT, f"{HEADLINE_UNIT}; {'; '.join(measured)}")
    scope = "; ".join(text for text in (record.data, record.scope) if text)
    return (
        '<figure class="headline"><blockquote><span>The documents say:</span> '
        f"{escape(entry.says)}</blockquote>{drawing}"
        f"<figcaption>{_word(record).capitalize()}. {escape(scope)}. "
        f'<a class="entry-link" href="{_cell(record, HEADLINE)}">{HEADLINE}, '
        f"chapter {_number(record.lesson)}</a>"
        "</figcaption></figure>"
    )


def _interval(text: str) -> tuple[float, float, float] | None:
    """Read "0.084 [0.079, 0.089]" as (mean, low, high); anything else is None."""
    number = r"(-?\d[\d,]*\.?\d*)"
    match = re.fullmatch(rf"{number} \[{number}, {number}\]", text)
    return tuple(float(part.replace(",", "")) for part in match.groups()) if match else None


def ledger_page(ledger: Ledger, chapters: list[Chapter]) -> str:
    """All entries with their verdicts, a tally on top, and a filter that appears where JavaScript runs."""
    template = Path(__file__).with_name("pages").joinpath("ledger.md").read_text(encoding="utf-8")
    existing = _first_lessons(chapters)
    rows = "\n".join(_ledger_row(entry, ledger, existing) for entry in ledger.entries.values())
    head = "".join(
        f'<th scope="col">{title}</th>' for title in ("Entry", "The document says, we do", "Verdict")
    )
    parts = {
        "sentence": _tally_sentence(ledger),
        "wall": ledger_wall(ledger) + _legend(),
        "tally": _tally_table(ledger),
        "documents": "\n".join(
            f'- **{name}** {about["title"]} (<span lang="zh">{about["title_zh"]}</span>)'
            for name, about in ledger.documents.items()
        ),
        "words": "\n".join(f"| {kind.name} | {' · '.join(kind.words)} |" for kind in ledger.kinds.values()),
        "filter": _filter_bar(ledger),
        "table": f'<table class="ledger" id="ledger-table"><thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{rows}\n</tbody></table>",
    }
    return _fill(template, parts)


def _ledger_row(entry: Entry, ledger: Ledger, existing: dict[str, Chapter]) -> str:
    return (
        f'<tr id="{entry.id.lower()}" data-document="{entry.document}" data-kind="{entry.kind}" '
        f'data-verdict="{entry.label}">'
        f'<th scope="row"><h3 class="entry-id" id="entry-{entry.id.lower()}">'
        f'<a href="#{entry.id.lower()}">{entry.id}</a></h3>'
        f'<span class="entry-where">{escape(_section(entry))}</span>'
        f'<span class="entry-kind">{entry.kind}</span></th>'
        f'<td><p>{escape(entry.says)}</p>{_parts(entry)}<p class="entry-do">{escape(entry.do)}</p></td>'
        f"<td>{_verdict_cell(entry, ledger, existing)}</td></tr>"
    )


def _section(entry: Entry) -> str:
    """Where in the document: `D5 §4.1` becomes `§4.1`, because the id names the document already."""
    return entry.where.removeprefix(entry.document).strip()


def _parts(entry: Entry) -> str:
    """The parts of an entry, each with its word where a lesson measured it; none for what is one thing."""
    if WHOLE in entry.parts:
        return ""
    found = entry.part_words
    rows = "".join(
        f"<li>{escape(says)}{f' <strong>{escape(found[part])}</strong>' if part in found else ''}</li>"
        for part, says in entry.parts.items()
    )
    return f'<ul class="entry-parts">{rows}</ul>'


def _verdict_cell(entry: Entry, ledger: Ledger, existing: dict[str, Chapter]) -> str:
    if not entry.records:
        where = _chapter_named(entry.chapter, ledger, existing)
        if entry.chapter in existing:
            where += ", no verdict recorded yet"
        return f'<p class="verdict-word tone-open">open</p><p class="evidence">{where}</p>'
    cards = "".join(_recorded(entry, record, ledger, existing) for record in entry.records)
    if entry.chapter in {chapter_of(record.lesson, ledger) for record in entry.records}:
        return cards
    first = _chapter_named(entry.chapter, ledger, existing)
    return f'{cards}<p class="evidence">Taught first in {first}</p>'


def _chapter_named(key: str, ledger: Ledger, existing: dict[str, Chapter]) -> str:
    """A chapter by its number: a link, or, for one that is only planned, its key and "to come"."""
    name = f"chapter {ledger.chapter_number(key):02d}"
    return f'<a href="{existing[key].stem}.html">{name}</a>' if key in existing else f"{name}, {key}, to come"


def _word(record: Record) -> str:
    return f"partly settled: {record.word}" if record.waits_for else record.word


def _recorded(entry: Entry, record: Record, ledger: Ledger, existing: dict[str, Chapter]) -> str:
    colour = "partly" if record.waits_for else tone(entry) if record is entry.records[-1] else "partly"
    details = [
        escape(f"{name.replace('_', ' ')}: {text}")
        for name, text in record.numbers.items()
        if text not in record.sentence
    ]
    if record.data:
        scale = f", scale {record.scale}" if record.scale else ""
        details.append(escape(f"Data: {record.data}{scale}"))
    if record.scope:
        details.append(escape(f"Holds for: {record.scope}"))
    if record.stale:
        details.append(escape(STALE.format(why=record.stale)))
    if record.waits_for:
        rest = _chapter_named(record.waits_for, ledger, existing)
        counted = "Counts as open; the rest waits for" if entry.state != "settled" else "The rest is in"
        details.append(f"{counted} {rest}")
    return (
        f'<p class="verdict-word tone-{colour}">{SIGNS[colour]} {escape(_word(record))}</p>'
        f'<p class="verdict-sentence">{escape(record.sentence)}</p>'
        f'<ul class="evidence">{"".join(f"<li>{text}</li>" for text in details)}'
        f'<li><a href="{_cell(record, entry.id)}">See it in chapter {_number(record.lesson)}</a></li></ul>'
    )


def _tally_table(ledger: Ledger) -> str:
    """Settled entries of all entries, by kind (rows) and document (columns)."""

    def cell(entries: list[Entry]) -> str:
        return f"{tally(entries)['settled']}/{len(entries)}" if entries else "–"

    documents = list(ledger.documents)
    lines = [
        "| settled / all | " + " | ".join(documents) + " | all |",
        "|:--|" + "--:|" * (len(documents) + 1),
    ]
    for kind in [*ledger.kinds, "all"]:
        chosen = [entry for entry in ledger.entries.values() if kind in (entry.kind, "all")]
        cells = [cell([entry for entry in chosen if entry.document == name]) for name in documents]
        lines.append(f"| {kind} | " + " | ".join([*cells, cell(chosen)]) + " |")
    return "\n".join(lines)


def _filter_bar(ledger: Ledger) -> str:
    """Three menus; hidden until the script of the page shows it."""
    labels = sorted({entry.label for entry in ledger.entries.values()})
    menus = {"document": list(ledger.documents), "kind": list(ledger.kinds), "verdict": labels}
    selects = "".join(
        f'<label>{name} <select name="{name}"><option value="">all</option>'
        + "".join(f'<option value="{value}">{value}</option>' for value in values)
        + "</select></label>"
        for name, values in menus.items()
    )
    shown = '<output aria-live="polite"></output>'
    return f'<form class="ledger-filter" id="ledger-filter" hidden>{selects}{shown}</form>'


def glossary_page(chapters: list[Chapter], ledger: Ledger) -> str:
    """Terms in English and Chinese, by subject; a term links to its chapter once that exists."""
    existing = _first_lessons(chapters)
    template = Path(__file__).with_name("pages").joinpath("glossary.md").read_text(encoding="utf-8")
    sections = []
    for (group, group_zh), terms in groupby(read_glossary(), lambda term: (term.group, term.group_zh)):
        text = "\n\n".join(_term(term, ledger, existing) for term in terms)
        sections.append(f"## {group} {_chinese(group_zh)}\n\n{text}")
    return _fill(template, {"terms": "\n\n".join(sections)})


def term_places() -> dict[str, tuple[str, str]]:
    """For each Chinese term of the glossary its English name and the id of its place on the page.

    A term such as 召回（阶段） is found without its addition in brackets, too.
    """
    places = {}
    for term in read_glossary():
        for chinese in (term.zh, term.zh.split("（")[0]):
            places.setdefault(chinese, (term.en, f"term-{term.slug}"))
    return places


def _term(term: Term, ledger: Ledger, existing: dict[str, Chapter]) -> str:
    return (
        f'<div class="term"><h3 id="term-{term.slug}"><dfn>{escape(term.en)}</dfn> '
        f"{_chinese(term.zh)}</h3>\n\n{term.means.strip()}\n\n"
        f'<p class="term-zh" lang="zh">{escape(term.means_zh.strip())}</p>\n\n'
        f"<p>({_chapter_named(term.chapter, ledger, existing)})</p>\n\n</div>"
    )


def _chinese(text: str) -> str:
    return f'<span lang="zh">{escape(text)}</span>'


def data_page(assets: Iterable[Asset], chapters: list[Chapter]) -> str:
    """Every asset that can be fetched: size, licence, redistribution, and what reads it."""
    template = Path(__file__).with_name("pages").joinpath("data.md").read_text(encoding="utf-8")
    lines = [
        "| name | what it is | size | licence | may be passed on | used by |",
        "|:--|:--|--:|:--|:--|:--|",
    ]
    lines += [_asset_row(asset, chapters) for asset in assets]
    return _fill(template, {"assets": "\n".join(lines)})


def _asset_row(asset: Asset, chapters: list[Chapter]) -> str:
    users = [
        f"[chapter {chapter.number}]({chapter.stem})" for chapter in chapters if asset.name in chapter.needs
    ]
    used_by = ", ".join([*users, *asset.needed_by]) or "chapters to come"
    redistribute = "yes" if asset.redistribute else "no"
    cells = [f"`{asset.name}`", asset.title, _megabytes(asset.size), asset.licence, redistribute, used_by]
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.1f} kB"
