"""Pictures of the cover and the ledger, drawn from data. Colours, for both themes, are in static/book.css."""

import math
import random
from html import escape

from course_lib.registers import Entry, Ledger
from course_lib.registers.ledger import tally

# How a verdict word looks; a sign and the word itself always stand beside the colour.
SIGNS = {"holds": "✓", "fails": "✗", "mixed": "≈", "beyond": "○", "partly": "◐", "open": "·"}
# The colour of a word's tone in the ledger. What is undecided and what nobody could test look alike.
TONES = {
    "confirms": "holds",
    "contradicts": "fails",
    "mixed": "mixed",
    "undecided": "beyond",
    "open": "beyond",
}
# What a square of each tone says.
MEANINGS = (
    ("holds", "holds as stated, works, or is taught"),
    ("fails", "does not hold, or is corrected"),
    ("mixed", "depends, or no effect"),
    ("beyond", "our data cannot tell"),
    ("partly", "partly settled"),
    ("open", "open"),
)
# The sizes of MovieLens-100K's catalogue, of the candidate list and of the final list in the funnel.
FUNNEL = (1682, 100, 10)


def tone(entry: Entry) -> str:
    """Colour class of an entry: the tone of its settled verdict, `partly` or `open`."""
    if entry.state == "settled":
        return TONES[entry.tone]
    return "partly" if entry.records else "open"


def funnel(catalogue: int, candidates: int, shown: int) -> str:
    """The three stages of a recommender as three fields of dots: one dot is one film.

    The candidates are scattered at random (fixed seed) over the catalogue and the shown films over the
    candidates, so that the eye sees how few remain and how many are never looked at again.
    """
    everything, narrowed, final = _stages(catalogue, candidates, shown)
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
    alt = funnel_text(catalogue, candidates, shown)
    return (
        f'<figure class="funnel"><div class="funnel-stages" role="img" aria-label="{alt}">{panels}</div>'
        "<figcaption>One dot is one film of MovieLens-100K. This course is about the first step. "
        "What it misses, no later step can bring back.</figcaption></figure>"
    )


def funnel_text(catalogue: int, candidates: int, shown: int) -> str:
    """What the funnel shows, for those who do not see it."""
    return (
        f"The funnel of a recommender. A field of {catalogue:,} dots, one for each film of MovieLens-100K; "
        f"{candidates} scattered dots are picked out as candidates; {shown} of these become the list that is "
        "shown. A film that is not among the candidates can never be shown."
    )


def _stages(catalogue: int, candidates: int, shown: int) -> tuple[str, str, str]:
    """The marks of the three stages; dots and rows of the list are ten units apart."""
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
    return everything, narrowed, final


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


# The colours of static/book.css once more: a picture file cannot see the style sheet of the page around it.
_OVERVIEW_STYLE = """
  svg { --ink: #24292f; --ground: #fff; --line: #d9dee4; --dot: #b9c3cd; --quiet: #5d6470;
        --holds: #0072b2; --fails: #c04f00; --mixed: #e69f00; --beyond: #666; }
  @media (prefers-color-scheme: dark) {
    svg { --ink: #e6e9ed; --ground: #14181d; --line: #3a424c; --dot: #4b5663; --quiet: #a4adb8;
          --holds: #6cbcec; --fails: #f59a5b; --mixed: #d99a1c; --beyond: #a9b0b8; } }
  text { font: 15px system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; fill: var(--quiet); }
  .number { font-size: 22px; font-weight: 650; fill: var(--ink); }
  path { stroke: var(--dot); stroke-width: 5.4; stroke-linecap: round; }
  path.candidate { stroke: var(--holds); stroke-width: 7; }
  path.shown { stroke: var(--fails); stroke-width: 8.4; }
  path.arrow { stroke: var(--quiet); stroke-width: 2; fill: none; }
  circle.shown { fill: var(--fails); }
  rect.ground { fill: var(--ground); stroke: var(--line); }
  rect.bar { fill: var(--line); }
  .square { fill: none; stroke: var(--dot); }
  .holds { fill: var(--holds); stroke: var(--holds); } .fails { fill: var(--fails); stroke: var(--fails); }
  .mixed { fill: var(--mixed); stroke: var(--mixed); } .beyond { fill: var(--beyond); stroke: var(--beyond); }
  .partly { stroke: var(--holds); stroke-dasharray: 3 2; }
"""


def overview(ledger: Ledger) -> str:
    """The funnel and, below it, the wall of the ledger, as a picture file (SVG) that stands alone."""
    everything, narrowed, final = _stages(*FUNNEL)
    numbers = zip((30, 656, 796), FUNNEL, ("films", "candidates", "shown"), strict=True)
    labels = "".join(
        f'<text x="{x}" y="352"><tspan class="number">{number:,}</tspan> {word}</text>'
        for x, number, word in numbers
    )
    arrows = "".join(f'<path class="arrow" d="M{x} 270h18m-6 -5l6 5l-6 5"/>' for x in (622, 764))
    walls = "".join(
        _overview_row(document, 396 + 24 * row, ledger) for row, document in enumerate(ledger.documents)
    )
    bottom = 396 + 24 * len(ledger.documents)
    legend = "".join(
        f'<rect class="square {name}" x="{30 + 295 * (place % 3)}" y="{bottom + 14 + 26 * (place // 3)}" '
        f'width="13" height="13" rx="3"/><text x="{50 + 295 * (place % 3)}" '
        f'y="{bottom + 26 + 26 * (place // 3)}">{text}</text>'
        for place, (name, text) in enumerate(MEANINGS)
    )
    height = bottom + 80
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 920 {height}" role="img">\n'
        f"<title>{overview_text(ledger)}</title>\n<style>{_OVERVIEW_STYLE}</style>\n"
        f'<rect class="ground" x="0.5" y="0.5" width="919" height="{height - 1}" rx="10"/>\n'
        f'<g transform="translate(30 32)">{everything}</g>\n'
        f'<g transform="translate(656 222)">{narrowed}</g>\n'
        f'<g transform="translate(796 222)">{final}</g>\n'
        f"{arrows}{labels}\n{walls}\n{legend}\n</svg>\n"
    )


def _overview_row(document: str, y: int, ledger: Ledger) -> str:
    entries = ledger.of_document(document)
    squares = "".join(
        f'<rect class="square {tone(entry)}" x="{66 + 18 * place}" y="{y - 12}" '
        'width="13" height="13" rx="3"/>'
        for place, entry in enumerate(entries)
    )
    settled = f"{tally(entries)['settled']} of {len(entries)} settled"
    return f'<text x="30" y="{y}">{document}</text>{squares}<text x="770" y="{y}">{settled}</text>'


def overview_text(ledger: Ledger) -> str:
    """What the overview shows, for those who do not see it."""
    return f"{funnel_text(*FUNNEL)} Below it: {wall_text(ledger)}"


def wall_text(ledger: Ledger) -> str:
    """What the wall of squares shows, for those who do not see it."""
    counts = ledger.tally()
    return (
        f"The {len(ledger.entries)} entries of the ledger as squares, a row for each document: "
        f"{counts['settled']} settled, {counts['partly settled']} partly settled, {counts['open']} open."
    )


def ledger_wall(ledger: Ledger) -> str:
    """One square an entry, one row a document, filled by verdict: how far the course has come at a glance.

    A square leads to its entry on the ledger page, a row's name to the first entry of its document. It starts
    with a div: Markdown takes it for a block only so, and would wrap a link into a paragraph.
    """
    rows = "".join(_wall_row(document, ledger) for document in ledger.documents)
    return f'<div class="ledger-wall" role="group" aria-label="{wall_text(ledger)}">{rows}</div>'


def _wall_row(document: str, ledger: Ledger) -> str:
    entries = ledger.of_document(document)
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


def intervals(numbers: dict[str, tuple[float, float, float]], unit: str, alt: str) -> str:
    """Dot-and-line plot of named means with their intervals, largest first; the axis shows `unit`s."""
    top = max(0.0, *(high for _, _, high in numbers.values()))
    bottom = min(0.0, *(low for _, low, _ in numbers.values()))
    span = (top - bottom) or 1.0

    def place(value: float) -> float:
        return round(100 * (value - bottom) / span, 2)

    rows = "".join(
        f'<div class="interval-row"><span class="interval-name">{escape(name)}</span>'
        f'<svg viewBox="-2 0 104 8" preserveAspectRatio="none" aria-hidden="true">'
        f'<path class="axis" d="M0 4H100"/><path class="zero" d="M{place(0)} 0V8"/>'
        f'<path class="range" d="M{place(low)} 4H{place(high)}"/>'
        f'<path class="mean" d="M{place(mean)} 0.5V7.5"/></svg></div>'
        for name, (mean, low, high) in sorted(numbers.items(), key=lambda item: -item[1][0])
    )
    step = next(size for size in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0) if span / size <= 5 or size == 1)
    ticks = "".join(
        f'<span style="left: {(place(count * step) + 2) / 1.04:.2f}%">{count * step:g}</span>'
        for count in range(math.ceil(bottom / step), math.floor(top / step) + 1)
    )
    axis = (
        f'<div class="interval-row interval-axis" aria-hidden="true"><span>{escape(unit)}</span>'
        f'<span class="ticks">{ticks}</span></div>'
    )
    return f'<div class="intervals" role="img" aria-label="{escape(alt)}">{rows}{axis}</div>'
