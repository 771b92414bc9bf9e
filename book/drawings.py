"""Pictures of the cover and the ledger, drawn from data. Colours, for both themes, are in static/book.css."""

import random
from html import escape

from book.ledger import Entry, Ledger, tally

# How a verdict word looks; a sign and the word itself always stand beside the colour.
SIGNS = {"holds": "✓", "fails": "✗", "mixed": "≈", "beyond": "○", "partly": "◐", "open": "·"}
TONES = {
    "supported": "holds",
    "correct": "holds",
    "works": "holds",
    "taught": "holds",
    "exists": "holds",
    "refuted": "fails",
    "corrected": "fails",
    "harms": "fails",
    "misdescribed": "fails",
    "depends": "mixed",
    "no effect": "mixed",
    "not testable here": "beyond",
    "beyond our data": "beyond",
    "not found": "fails",
}


def tone(entry: Entry) -> str:
    """Colour class of an entry: the tone of its settled verdict, `partly` or `open`."""
    if entry.state == "settled":
        return TONES[entry.records[-1].word]
    return "partly" if entry.records else "open"


def funnel(catalogue: int, candidates: int, shown: int) -> str:
    """The three stages of a recommender as three fields of dots: one dot is one film.

    The candidates are scattered at random (fixed seed) over the catalogue and the shown films over the
    candidates, so that the eye sees how few remain and how many are never looked at again.
    """
    chance = random.Random(5)
    kept = set(chance.sample(range(catalogue), candidates))
    best = set(chance.sample(sorted(kept), shown))
    everything = _dots(catalogue, 58, {"candidate": kept - best, "shown": best})
    order = sorted(kept)
    narrowed = _dots(
        candidates, 10, {"candidate": set(range(candidates))}, {order.index(dot) for dot in best}
    )
    final = "".join(
        f'<rect class="bar" x="14" y="{10 * row + 2.5:g}" width="{86 - 5 * row}" height="5" rx="2.5"/>'
        f'<circle class="shown" cx="5" cy="{10 * row + 5}" r="3"/>'
        for row in range(shown)
    )
    height = 10 * (-(-catalogue // 58))
    stages = [
        (f"{catalogue:,}", "films in the catalogue", "全部物品", f'viewBox="0 0 580 {height}"', everything),
        (f"{candidates}", "candidates, found in milliseconds", "召回", 'viewBox="0 0 100 100"', narrowed),
        (f"{shown}", "films that you see, ranked", "排序", f'viewBox="0 0 100 {10 * shown}"', final),
    ]
    panels = '<span class="funnel-arrow" aria-hidden="true"></span>'.join(
        f'<div class="funnel-stage"><svg {box} aria-hidden="true">{drawing}</svg>'
        f'<p><strong>{number}</strong> {label} <span lang="zh">{chinese}</span></p></div>'
        for number, label, chinese, box, drawing in stages
    )
    alt = (
        f"The funnel of a recommender. A field of {catalogue:,} dots, one for each film of MovieLens-100K; "
        f"{candidates} scattered dots are picked out as candidates; {shown} of these become the list that is "
        "shown. "
        "A film that is not among the candidates can never be shown."
    )
    return (
        f'<figure class="funnel"><div class="funnel-stages" role="img" aria-label="{alt}">{panels}</div>'
        "<figcaption>One dot is one film of MovieLens-100K. This course is about the first step. "
        "What it misses, no later step can bring back.</figcaption></figure>"
    )


def _dots(count: int, columns: int, marked: dict[str, set[int]], shown: set[int] = frozenset()) -> str:
    """Dots on a grid, ten units apart; the marked ones are drawn last, in their own class."""
    special = set().union(*marked.values(), shown)
    groups = {"dot": [dot for dot in range(count) if dot not in special]}
    groups |= {name: sorted(dots - shown) for name, dots in marked.items()} | (
        {"shown": sorted(shown)} if shown else {}
    )
    # A zero-length line with round ends is the shortest way to write a dot.
    return "".join(
        f'<path class="{name}" d="'
        + "".join(f"M{10 * (dot % columns) + 5} {10 * (dot // columns) + 5}h0" for dot in dots)
        + '"/>'
        for name, dots in groups.items()
    )


def ledger_wall(ledger: Ledger) -> str:
    """One square an entry, one row a document, filled by verdict: how far the course has come at a glance.

    A square leads to its entry on the ledger page, a row's name to the first entry of its document. It starts
    with a div: Markdown takes it for a block only so, and would wrap a link into a paragraph.
    """
    counts = tally(ledger.entries)
    label = (
        f"The {len(ledger.entries)} entries of the ledger as squares, a row for each document: "
        f"{counts['settled']} settled, {counts['partly settled']} partly settled, {counts['open']} open."
    )
    rows = "".join(_wall_row(document, ledger) for document in ledger.documents)
    return f'<div class="ledger-wall" role="group" aria-label="{label}">{rows}</div>'


def _wall_row(document: str, ledger: Ledger) -> str:
    entries = tuple(entry for entry in ledger.entries if entry.document == document)
    summary = f"{document}: {tally(entries)['settled']} of {len(entries)} settled"
    squares = "".join(
        f'<i class="tone-{tone(entry)}">{_to_entry(entry, f"{entry.id}: {entry.label}")}</i>'
        for entry in entries
    )
    first = _to_entry(entries[0], summary, document) if entries else document
    return f'<div class="wall-row"><b>{first}</b>{squares}</div>'


def _to_entry(entry: Entry, name: str, text: str = "") -> str:
    """A link to an entry of the ledger; `name` is what a pointer and a screen reader are told."""
    name = escape(name)
    return f'<a href="ledger.html#{entry.id.lower()}" title="{name}" aria-label="{name}">{text}</a>'


def intervals(numbers: dict[str, tuple[float, float, float]], alt: str) -> str:
    """Dot-and-line plot of named means with their intervals, on a shared axis from zero; largest first."""
    top = max(high for _, _, high in numbers.values())
    bottom = min(0.0, *(low for _, low, _ in numbers.values()))
    span = (top - bottom) or 1.0
    rows = []
    for name, (mean, low, high) in sorted(numbers.items(), key=lambda item: -item[1][0]):
        place = {key: 100 * (value - bottom) / span for key, value in (("m", mean), ("l", low), ("h", high))}
        rows.append(
            f'<div class="interval-row"><span class="interval-name">{escape(name)}</span>'
            f'<svg viewBox="-2 0 104 8" preserveAspectRatio="none" aria-hidden="true">'
            f'<path class="axis" d="M0 4H100"/><path class="range" d="M{place["l"]:.2f} 4H{place["h"]:.2f}"/>'
            f'<path class="mean" d="M{place["m"]:.2f} 0.5V7.5"/></svg></div>'
        )
    return f'<div class="intervals" role="img" aria-label="{escape(alt)}">{"".join(rows)}</div>'
