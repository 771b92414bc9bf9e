"""What public functions ask of their arguments: one check, and one sentence with the remedy, for each kind.

Twins that share a parameter share its check. NaN is refused everywhere: it compares as False with everything,
so a comparison alone lets it through. All checks raise ValueError.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any

import numpy as np

ROWS_NAMED = 5  # of those that are wrong


def whole(name: str, value: Any, at_least: int, at_most: int | None = None) -> int:
    """`value` as an int, refused unless it is a whole number (no bool, no float) in the range."""
    try:
        number = None if isinstance(value, bool | np.bool_) else operator.index(value)
    except TypeError:
        number = None
    if number is None or number < at_least or (at_most is not None and number > at_most):
        upper = "" if at_most is None else f" to {at_most}"
        raise ValueError(f"{name} must be a whole number from {at_least}{upper}, got {value!r}.")
    return number


def seed(value: Any) -> int:
    """A seed as an int: a whole number from 0 that numpy's, torch's and implicit's generators all take."""
    return whole("seed", value, 0, 2**32 - 1)


def real(
    name: str,
    value: Any,
    *,
    above: float | None = None,
    at_least: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
    infinity: bool = False,
) -> None:
    """Refuse what is no number, NaN, outside of the range, or (unless `infinity`) infinite."""
    try:
        number = np.nan if isinstance(value, bool | np.bool_ | str) or np.ndim(value) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = np.nan
    bounds = (
        ("above", above, operator.gt),
        ("at least", at_least, operator.ge),
        ("below", below, operator.lt),
        ("at most", at_most, operator.le),
    )
    asked = [(word, bound, holds) for word, bound, holds in bounds if bound is not None]
    inside = all(holds(number, bound) for _, bound, holds in asked)
    if np.isnan(number) or not inside or (np.isinf(number) and not infinity):
        range_asked = " and ".join(f"{word} {bound}" for word, bound, _ in asked)
        bounded = infinity or below is not None or at_most is not None
        kind = "" if bounded else " and finite" if asked else "finite"
        raise ValueError(f"{name} must be {range_asked}{kind}, got {value!r}.")


def generator(value: Any) -> None:
    """Refuse what is not numpy's random generator, such as a seed."""
    if not isinstance(value, np.random.Generator):
        raise ValueError(f"rng must be a generator, np.random.default_rng(seed), got {value!r}.")


def numbers(name: str, values: Any, remedy: str, *, n_dims: int = 1, integers: bool = False) -> np.ndarray:
    """`values` as an array of `n_dims` dimensions, every value finite; float64 unless it was float already.

    With `integers` whole numbers become int64 instead. Either way the result is signed. `remedy` ends the
    message about NaN and infinity, which names the rows.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        try:
            # None becomes NaN; a text that looks like a number stays a text.
            array = array.astype(np.float64) if array.dtype.kind == "O" else None
        except (TypeError, ValueError):
            array = None
        if array is None:
            raise ValueError(f"{name} holds something that is no number; {remedy}.")
    if array.ndim != n_dims:
        raise ValueError(f"{name} must have {n_dims} dimension{'s' * (n_dims > 1)}, got shape {array.shape}.")
    if array.dtype.kind != "f":
        return array.astype(np.int64 if integers else np.float64)
    # One sum instead of a look at every value: it is finite only if all values are.
    with np.errstate(over="ignore", invalid="ignore"):
        if not np.isfinite(np.abs(array).sum(dtype=np.float64)):
            wrong = ~np.isfinite(array)
            wrong = wrong.reshape(len(array), -1).any(axis=1) if array.ndim else wrong[None]
            where = "its sum is beyond float64" if not wrong.any() else f"in {rows(wrong)}"
            raise ValueError(f"{name} holds NaN, infinity or too large numbers, {where}; {remedy}.")
    return array


def mask(name: str, values: Any) -> np.ndarray:
    """Truth values as a bool array: `values` is bool, or holds nothing but 0 and 1.

    Integers must not get further as they are: ~1 is −2, and an array of 0 and 1 picks rows 0 and 1.
    """
    array = np.asarray(values)
    if array.dtype == bool:
        return array
    try:
        truth = (array == 0) | (array == 1)
        if array.dtype.kind in "iufO" and truth.all():
            return array.astype(bool)
    except (TypeError, ValueError):  # what has no truth value, such as pandas' NA
        pass
    raise ValueError(f"{name} must be bool, or 0 and 1; it holds something else ({array.dtype}).")


def names(name: str, values: Any) -> tuple[str, ...]:
    """A list of names as a tuple; one string is refused, because its letters are a list as well."""
    if isinstance(values, str):
        raise ValueError(f"{name} is one string, {values!r}: give a list, [{values!r}].")
    listed = _listed(name, values)
    if not listed:
        raise ValueError(f"{name} is empty: give at least one name.")
    for place, value in enumerate(listed):
        if not isinstance(value, str):
            raise ValueError(f"{name}: position {place} holds {value!r}, and a name is a str.")
    return tuple(listed)


def texts(values: Iterable[str]) -> list[str]:
    """A list of texts, each a str with something in it that can be written in UTF-8; errors say where."""
    if isinstance(values, str):
        raise ValueError("texts is one str: give a list of texts, for example [text]")
    listed = _listed("texts", values)
    if not listed:
        raise ValueError("texts is empty: give at least one text")
    for position, value in enumerate(listed):
        if not isinstance(value, str):
            raise ValueError(
                f"the text at position {position} is {type(value).__name__}, not str: "
                "convert it, or leave it out"
            )
        if not value.strip():
            raise ValueError(f"the text at position {position} is empty: give it words, or leave it out")
        whole_characters(f"the text at position {position}", value)
    return listed


def whole_characters(name: str, text: str) -> None:
    """Refuse a text with half a character (a lone surrogate), which no tokenizer and no file can take."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{name} holds half a character, {text[error.start]!r} at character {error.start}: it was cut or "
            "decoded wrongly; drop that character"
        ) from None


def rows(wrong: np.ndarray) -> str:
    """Name the rows where `wrong`, bool `[n]`, is true: "rows 2, 6 (2 of 10)"."""
    places = np.flatnonzero(wrong)
    named = ", ".join(map(str, places[:ROWS_NAMED])) + (", …" if len(places) > ROWS_NAMED else "")
    return f"row{'s' * (len(places) > 1)} {named} ({len(places):,} of {len(wrong):,})"


def _listed(name: str, values: Any) -> list:
    try:
        return list(values)
    except TypeError:
        raise ValueError(f"{name} must be a list, got {values!r}.") from None
