"""Numbers for readers: one way to write each kind, and the same text on every machine."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from course_lib import arguments


def number(value: float, digits: int = 3) -> str:
    """Write a number for a reader, with ``digits`` significant digits.

    Integers keep all their digits, with commas from 10,000 on (a year is not a quantity). Floats always keep
    at least one decimal; below 0.0001 they are written as powers of ten. What is missing (NaN, None, pandas'
    NA) is an en dash. Raises ``ValueError`` for fewer than one digit.

    >>> number(0.8944272), number(0.8944272, 4), number(100_000), number(1234.567), number(0.00001234)
    ('0.894', '0.8944', '100,000', '1234.6', '1.23e-05')
    """
    arguments.whole("digits", digits, 1)
    if is_missing(value):
        return "–"
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | np.integer):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    value = float(value)
    if not math.isfinite(value):
        return with_decimals(value, 0)
    if 0 < abs(value) < 1e-4:
        return f"{value:.{digits - 1}e}"
    return with_decimals(value, decimals_for(value, digits))


def interval(mean: float, bounds: tuple[float, float], decimals: int = 3) -> str:
    """Write a mean with its interval, all with the same number of decimals.

    >>> interval(0.0841, (0.0789, 0.0894))
    '0.084 [0.079, 0.089]'
    """
    low, high = bounds
    return (
        f"{with_decimals(mean, decimals)} [{with_decimals(low, decimals)}, {with_decimals(high, decimals)}]"
    )


def as_text(value: Any, digits: int = 3) -> str:
    """Anything for a reader: numbers as ``number`` does, the parts of a list or set one after the other."""
    if is_missing(value):
        return "–"
    if isinstance(value, np.ndarray) or type(value).__module__ == "torch":
        value = value.tolist()
    if isinstance(value, bool | int | float | np.integer | np.floating | np.bool_ | Decimal | Fraction):
        return number(value, digits)
    if isinstance(value, set | frozenset):
        value = sorted(value, key=str)  # its own order differs from run to run
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return ", ".join(as_text(part, digits) for part in value)
    return whole_characters(str(value))


def is_pair(value: Any) -> bool:
    """Whether a value is a mean with its interval, ``(mean, (low, high))``."""
    return (
        isinstance(value, tuple) and len(value) == 2 and np.ndim(value[0]) == 0 and np.shape(value[1]) == (2,)
    )


def decimals_for(value: float, digits: int) -> int:
    """Decimals that give ``digits`` significant digits; at least one, or a float looks like an integer."""
    if value == 0:
        return digits
    return max(1, digits - 1 - math.floor(math.log10(abs(value))))


def with_decimals(value: float, decimals: int) -> str:
    """A float with so many decimals, commas from 10,000 on; what is missing is an en dash."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = f"{value:,.{decimals}f}" if abs(value) >= 10_000 else f"{value:.{decimals}f}"
    # A rounded tiny negative number would print as -0.000 on one machine and 0.000 on another.
    return text.lstrip("-") if float(text.replace(",", "")) == 0 else text


def is_missing(value: Any) -> bool:
    return pd.api.types.is_scalar(value) and bool(pd.isna(value))


def whole_characters(text: str) -> str:
    """Half characters (lone surrogates) become the replacement character: a notebook cannot store them."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
