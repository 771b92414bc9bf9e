"""What a cell stores: sentences, tables and pictures that are the same in every run.

No random ids, no addresses, no times: tests compare these outputs with fresh ones, so a float is always
printed with decimals and an integer never is.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from IPython.display import display

from course_lib import arguments
from course_lib.registers import Measurement, read_measurement
from course_lib.show.numbers import as_text, decimals_for, number, whole_characters, with_decimals


def markdown(text: str) -> None:
    """Show a text (Markdown) as it is."""
    text = whole_characters(text)
    display({"text/markdown": text, "text/plain": text}, raw=True)


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
    caption = None if caption is None else whole_characters(caption)
    plain = written.set_axis(headings, axis=1).to_string(index=False)
    display(
        {
            "text/html": _html_table(headings, written, numeric, caption),
            "text/plain": f"{caption}\n{plain}" if caption else plain,
        },
        raw=True,
    )


def image(png: bytes, *, alt: str, width: int) -> None:
    """Show a PNG, ``width`` pixels wide on the page. Its alt text is stored with it and as its plain text."""
    alt = whole_characters(alt)
    display(
        {"image/png": base64.b64encode(png).decode(), "text/plain": f"Figure: {alt}"},
        metadata={"image/png": {"width": width, "alt": alt}},
        raw=True,
    )


def measurement(name: str) -> Measurement:
    """Read a committed benchmark, ``book/measurements/NAME.json``.

    Durations do not repeat, so chapters quote a stored measurement and never time anything in a stored
    output. Raises ``RegisterError`` with the command that makes the file.
    """
    return read_measurement(name)


def _write_column(column: pd.Series, digits: int) -> list[str]:
    if not pd.api.types.is_float_dtype(column):
        return [as_text(value, digits) for value in column]
    values = column.to_numpy(dtype=float, na_value=np.nan)
    finite = np.abs(values[np.isfinite(values)])
    largest = float(finite.max()) if len(finite) else 0.0
    if 0 < largest < 1e-4:
        return [number(value, digits) for value in values]
    places = decimals_for(largest, digits)
    return [with_decimals(value, places) for value in map(float, values)]


def _write_heading(name: Any) -> str:
    """Of one column; the levels of a heading with several are joined, empty ones left out."""
    parts = [str(part) for part in (name if isinstance(name, tuple) else (name,))]
    return whole_characters(" · ".join([part for part in parts if part] or parts[:1]))


def _whole_texts(row: Any) -> Any:
    if not isinstance(row, Mapping):
        return row
    return {name: whole_characters(cell) if isinstance(cell, str) else cell for name, cell in row.items()}


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
