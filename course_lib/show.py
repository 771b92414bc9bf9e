"""How results look: sentences, numbers, tables and figures, the same in every chapter.

Everything is sent to the notebook as an output that repeats: no random ids, no addresses, no times. Tests
compare these outputs with fresh ones, so a float is always printed with decimals and an integer never is.
"""

from __future__ import annotations

import base64
import html
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import display
from matplotlib.figure import Figure
from PIL import Image

from course_lib import arguments
from course_lib.registers import Measurement, read_measurement

# Okabe and Ito's colours can be told apart with every common form of colour blindness. Yellow, too pale for a
# line on white, comes last.
PALETTE = ["#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9", "#CC79A7", "#000000", "#F0E442"]

LARGEST_IMAGE = 60_000
"""Bytes that a figure may take: notebooks are read in browsers and kept in version control."""


def say(markdown: str) -> None:
    """Show a generated sentence (Markdown). Numbers in prose come from here and cannot contradict a run."""
    markdown = _whole_characters(markdown)
    display({"text/markdown": markdown, "text/plain": markdown}, raw=True)


def number(value: float, digits: int = 3) -> str:
    """Write a number for a reader, with ``digits`` significant digits.

    Integers keep all their digits, with commas from 10,000 on (a year is not a quantity). Floats always keep
    at least one decimal; below 0.0001 they are written as powers of ten. What is missing (NaN, None, pandas'
    NA) is an en dash. Raises ``ValueError`` for fewer than one digit.

    >>> number(0.8944272), number(0.8944272, 4), number(100_000), number(1234.567), number(0.00001234)
    ('0.894', '0.8944', '100,000', '1234.6', '1.23e-05')
    """
    arguments.whole("digits", digits, 1)
    if _is_missing(value):
        return "–"
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | np.integer):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    value = float(value)
    if not math.isfinite(value):
        return _fixed(value, 0)
    if 0 < abs(value) < 1e-4:
        return f"{value:.{digits - 1}e}"
    return _fixed(value, _decimals(value, digits))


def interval(mean: float, bounds: tuple[float, float], decimals: int = 3) -> str:
    """Write a mean with its interval, all with the same number of decimals.

    >>> interval(0.0841, (0.0789, 0.0894))
    '0.084 [0.079, 0.089]'
    """
    low, high = bounds
    return f"{_fixed(mean, decimals)} [{_fixed(low, decimals)}, {_fixed(high, decimals)}]"


def table(
    rows: pd.DataFrame | Iterable[Mapping[str, Any]], *, caption: str | None = None, digits: int = 3
) -> None:
    """Show a table. Floats of one column get the same number of decimals, chosen by its largest value.

    ``rows`` is a DataFrame (an index other than 0, 1, 2 … becomes the first columns) or a list of
    dictionaries. What is missing, in whatever dtype, is an en dash. A table without rows or columns, one
    dictionary and one string raise ``ValueError``.
    """
    if isinstance(rows, str | bytes | Mapping):
        raise ValueError("A table is made of rows: pass a DataFrame or a list of dictionaries, [{…}].")
    arguments.whole("digits", digits, 1)
    frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame([_whole_texts(row) for row in rows])
    if frame.empty:
        raise ValueError(
            "This table has no rows: pass at least one, or say in a sentence that there is none."
        )
    columns = [(name, column) for name, column in frame.items()]
    if not frame.index.equals(pd.RangeIndex(len(frame))):
        # Unnamed row names get an empty heading.
        columns = [
            (name or " " * level, frame.index.get_level_values(level).to_series())
            for level, name in enumerate(frame.index.names)
        ] + columns
    # Side by side and not by name: two columns may have the same.
    headings = [_write_heading(name) for name, _ in columns]
    written = pd.DataFrame(list(zip(*(_write_column(column, digits) for _, column in columns), strict=True)))
    numeric = [pd.api.types.is_numeric_dtype(column) for _, column in columns]
    caption = None if caption is None else _whole_characters(caption)
    plain = written.set_axis(headings, axis=1).to_string(index=False)
    display(
        {
            "text/html": _html_table(headings, written, numeric, caption),
            "text/plain": f"{caption}\n{plain}" if caption else plain,
        },
        raw=True,
    )


def figure(
    fig: Figure,
    *,
    alt: str,
    table: pd.DataFrame | Iterable[Mapping[str, Any]] | None = None,
    caption: str | None = None,
) -> None:
    """Show a Matplotlib figure as a small PNG, then the small table of what it shows, and close the figure.

    ``alt`` says in one or two sentences what a reader who cannot see the figure should know. It is stored
    with the image and as its plain text. An empty ``alt`` raises ``ValueError``.
    """
    if len(alt.split()) < 4:
        raise ValueError("This figure has no real alt text: say in a sentence what it shows (alt=…).")
    alt = _whole_characters(alt)
    width = round(fig.get_figwidth() * 96)
    png = base64.b64encode(_small_png(fig)).decode()
    plt.close(fig)
    display(
        {"image/png": png, "text/plain": f"Figure: {alt}"},
        metadata={"image/png": {"width": width, "alt": alt}},
        raw=True,
    )
    if table is not None:
        globals()["table"](table, caption=caption)
    elif caption:
        say(f"*{caption}*")


def style() -> None:
    """Set Matplotlib's defaults for the course: Okabe-Ito colours, quiet axes, legible type."""
    plt.rcdefaults()
    plt.rcParams.update(
        {
            "axes.prop_cycle": plt.cycler(color=PALETTE[:-1]),
            "axes.grid": True,
            "axes.axisbelow": True,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlesize": "medium",
            "figure.constrained_layout.use": True,
            "figure.figsize": (6.4, 3.8),
            "font.size": 10.5,
            "grid.color": "0.9",
            "legend.frameon": False,
            "lines.linewidth": 2,
        }
    )


def measurement(name: str) -> Measurement:
    """Read a committed benchmark, ``book/measurements/NAME.json``.

    Durations do not repeat, so chapters quote a stored measurement and never time anything in a stored
    output. Raises ``RegisterError`` with the command that makes the file.
    """
    return read_measurement(name)


def _decimals(value: float, digits: int) -> int:
    """Decimals that give ``digits`` significant digits; at least one, or a float looks like an integer."""
    if value == 0:
        return digits
    return max(1, digits - 1 - math.floor(math.log10(abs(value))))


def _fixed(value: float, decimals: int) -> str:
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = f"{value:,.{decimals}f}" if abs(value) >= 10_000 else f"{value:.{decimals}f}"
    # A rounded tiny negative number would print as -0.000 on one machine and 0.000 on another.
    return text.lstrip("-") if float(text.replace(",", "")) == 0 else text


def _write_column(column: pd.Series, digits: int) -> list[str]:
    if not pd.api.types.is_float_dtype(column):
        return [_write_cell(value, digits) for value in column]
    values = column.to_numpy(dtype=float, na_value=np.nan)
    finite = np.abs(values[np.isfinite(values)])
    largest = float(finite.max()) if len(finite) else 0.0
    if 0 < largest < 1e-4:
        return [number(value, digits) for value in values]
    decimals = _decimals(largest, digits)
    return [_fixed(value, decimals) for value in map(float, values)]


def _write_cell(value: Any, digits: int) -> str:
    if _is_missing(value):
        return "–"
    if isinstance(value, np.ndarray) or type(value).__module__ == "torch":
        value = value.tolist()
    if isinstance(value, bool | int | float | np.integer | np.floating | np.bool_ | Decimal | Fraction):
        return number(value, digits)
    if isinstance(value, set | frozenset):
        value = sorted(value, key=str)  # its own order differs from run to run
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return ", ".join(_write_cell(part, digits) for part in value)
    return _whole_characters(str(value))


def _write_heading(name: Any) -> str:
    """Of one column; the levels of a heading with several are joined, empty ones left out."""
    parts = [str(part) for part in (name if isinstance(name, tuple) else (name,))]
    return _whole_characters(" · ".join([part for part in parts if part] or parts[:1]))


def _is_missing(value: Any) -> bool:
    return pd.api.types.is_scalar(value) and bool(pd.isna(value))


def _whole_characters(text: str) -> str:
    """Half characters (lone surrogates) become the replacement character: a notebook cannot store them."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _whole_texts(row: Any) -> Any:
    if not isinstance(row, Mapping):
        return row
    return {name: _whole_characters(cell) if isinstance(cell, str) else cell for name, cell in row.items()}


def _html_table(headings: list[str], written: pd.DataFrame, numeric: list[bool], caption: str | None) -> str:
    align = ["text-align:right" if right else "text-align:left" for right in numeric]

    def line(tag: str, cells: Iterable[str]) -> str:
        inner = (
            f'<{tag} style="{side}">{html.escape(cell)}</{tag}>'
            for side, cell in zip(align, cells, strict=True)
        )
        return f"<tr>{''.join(inner)}</tr>"

    head = f"<thead>{line('th', headings)}</thead>"
    body = "\n".join(line("td", row) for row in written.itertuples(index=False, name=None))
    title = f'<caption style="text-align:left">{html.escape(caption)}</caption>' if caption else ""
    return f'<table class="course-table dataframe">{title}{head}\n<tbody>\n{body}\n</tbody></table>'


def _small_png(fig: Figure) -> bytes:
    """Draw sharply, then spend fewer colours and fewer pixels until the image fits."""
    for dpi, colours in ((144, 64), (110, 32), (80, 16)):
        drawn = io.BytesIO()
        fig.savefig(drawn, format="png", dpi=dpi, facecolor="white")
        small = io.BytesIO()
        # No Software or date fields: the same picture gives the same bytes.
        Image.open(drawn).convert("RGB").quantize(colours, dither=Image.Dither.NONE).save(
            small, "png", optimize=True
        )
        if small.tell() <= LARGEST_IMAGE:
            break
    return small.getvalue()
