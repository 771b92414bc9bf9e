"""The table of who interacted with what, validated once, when it is built."""

import numbers
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy import sparse

from course_lib.data.histories import Histories


class DataError(ValueError):
    """Data that cannot be trusted: one sentence with the file, the line, what is wrong, and the fix."""


# Unix seconds beyond it lie after the year 5138; as milliseconds it is the year 1973.
_LAST_SECOND = 10**11


@dataclass(frozen=True, eq=False, repr=False)
class Interactions:
    """Users, items and what happened between them, as parallel arrays of length n, each pair at most once.

    users, items: int64 [n], positions 0..n_users-1 and 0..n_items-1 in `user_ids` and `item_ids`.
    ratings: float32 [n], or None where the data set has none. timestamps: int64 [n], Unix seconds, or None.
    user_ids [n_users], item_ids [n_items]: the original ids as text. name: what to print.

    The parts of a split keep the id spaces of the whole, so that their matrices have the same shape.
    Raises `DataError` if the arrays contradict each other.
    """

    users: np.ndarray
    items: np.ndarray
    ratings: np.ndarray | None
    timestamps: np.ndarray | None
    user_ids: np.ndarray
    item_ids: np.ndarray
    name: str

    def __post_init__(self):
        for kind, positions, ids in (
            ("user", self.users, self.user_ids),
            ("item", self.items, self.item_ids),
        ):
            _check_array(self.name, f"{kind}s", positions, "int64")
            if len(positions) and not (positions.min() >= 0 and positions.max() < len(ids)):
                raise DataError(
                    f"{self.name}: {kind} positions must lie in 0..{len(ids) - 1}, found "
                    f"{positions.min()}..{positions.max()}; build it with Interactions.from_frame."
                )
        for field, dtype in (("ratings", "float"), ("timestamps", "whole numbers")):
            if getattr(self, field) is not None:
                _check_array(self.name, field, getattr(self, field), dtype)
        for field in ("items", "ratings", "timestamps"):
            values = getattr(self, field)
            if values is not None and values.shape != self.users.shape:
                raise DataError(
                    f"{self.name}: {field} has shape {values.shape}, users has {self.users.shape}; "
                    "they must be parallel."
                )
        if self.ratings is not None and not np.isfinite(self.ratings).all():
            first = self.ratings[~np.isfinite(self.ratings)][0]
            shown = "NaN" if np.isnan(first) else first
            raise DataError(f"{self.name}: a rating is {shown}; drop the row or give it a value.")
        if self.timestamps is not None:
            beyond = np.flatnonzero(_beyond(self.timestamps))
            if len(beyond):
                raise DataError(f"{self.name}: the timestamp {_no_second(self.timestamps[beyond[0]])}")
            # Unsigned numbers would make the difference of two times wrap around.
            object.__setattr__(self, "timestamps", self.timestamps.astype(np.int64, copy=False))
        pairs = np.sort(self.pair_keys)
        if len(pairs) and (pairs[1:] == pairs[:-1]).any():
            raise DataError(f"{self.name}: a (user, item) pair occurs twice; keep one of the two rows.")

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        *,
        name: str,
        source: str,
        user_ids: np.ndarray | list | None = None,
        item_ids: np.ndarray | list | None = None,
    ) -> Self:
        """Validate a table with the columns `user`, `item` and optionally `rating` and `timestamp`.

        user_ids, item_ids: the original ids in the order that gives their positions, e.g. the ids of the
        catalogue; an id outside of it is an error. Without them the column must hold the positions
        themselves: integers 0..n-1, each at least once. An id is text or a whole number; a float column of
        whole numbers counts as integers (1.0 is the id 1).
        source: the file's name, for messages; the frame's index holds its line numbers.
        timestamp: whole Unix seconds, or dates with a time (of any unit; UTC where they name no time zone).

        Raises `DataError` for a missing column, an empty table, an empty cell, a negative or missing
        position, an unknown id, a rating that is no finite number, a time that is no whole number of seconds
        or lies beyond the year 5138 (milliseconds, mostly), and a pair that occurs twice.
        """
        check_columns(frame, ("user", "item"), source, "name the columns user, item, rating, timestamp")
        if frame.empty:
            raise DataError(f"{source}: the file holds no interaction; fetch it again.")
        users, user_ids = _positions(frame["user"], user_ids, source)
        items, item_ids = _positions(frame["item"], item_ids, source)
        duplicate = pd.Series(users * len(item_ids) + items, index=frame.index).duplicated()
        if duplicate.any():
            row = int(np.flatnonzero(duplicate)[0])
            same = np.flatnonzero((users == users[row]) & (items == items[row]))[0]
            raise DataError(
                f"{_line(source, frame, row)}: user {frame['user'].iloc[row]} and item "
                f"{frame['item'].iloc[row]} occur already in {_place(frame, same)}; keep one of the two."
            )
        ratings = timestamps = None
        if "rating" in frame:
            ratings = _numbers(frame, "rating", source, largest=np.finfo(np.float32).max).astype(np.float32)
        if "timestamp" in frame:
            timestamps = _seconds(frame, source)
        return cls(users, items, ratings, timestamps, user_ids, item_ids, name)

    @property
    def n_users(self) -> int:
        return len(self.user_ids)

    @property
    def n_items(self) -> int:
        return len(self.item_ids)

    def __len__(self) -> int:
        return len(self.users)

    @property
    def pair_keys(self) -> np.ndarray:
        """int64 [n]: one number a (user, item) pair, `user * n_items + item`, for set operations."""
        return self.users * self.n_items + self.items

    @cached_property
    def matrix(self) -> sparse.csr_array:
        """csr_array float32 [n_users, n_items]: 1 where the pair occurs, columns sorted in each row.

        Made once and shared: copy it before changing it in place.
        """
        ones = np.ones(len(self), dtype=np.float32)
        matrix = sparse.csr_array((ones, (self.users, self.items)), shape=(self.n_users, self.n_items))
        matrix.sort_indices()
        return matrix

    def histories(self) -> Histories:
        """The history of each user, [n_users]: oldest first where there are timestamps, with users.

        Items of one second, and all items without timestamps, say nothing about order; they stand by falling
        position (loaders number items by a hash). Made once and shared.
        """
        return self._histories

    @cached_property
    def _histories(self) -> Histories:
        everybody = np.arange(self.n_users)
        if self.timestamps is None:
            return replace(Histories.from_matrix(self.matrix), users=everybody)
        order = np.lexsort((-self.items, self.timestamps, self.users))
        return Histories(
            items=self.items[order],
            starts=np.concatenate([[0], np.cumsum(self.user_counts)]),
            n_items=self.n_items,
            times=self.timestamps[order],
            users=everybody,
        )

    @property
    def user_counts(self) -> np.ndarray:
        """int64 [n_users]: interactions of each user."""
        return np.bincount(self.users, minlength=self.n_users)

    @property
    def item_counts(self) -> np.ndarray:
        """int64 [n_items]: interactions of each item, its popularity."""
        return np.bincount(self.items, minlength=self.n_items)

    def select(self, mask: np.ndarray) -> Self:
        """The rows where `mask` (bool [n]) is true, in the same id spaces.

        Raises `DataError` if the mask is not bool or not of length n.
        """
        mask = np.asarray(mask)
        if mask.dtype != bool or mask.shape != self.users.shape:
            raise DataError(
                f"{self.name}: select needs a bool mask of shape {self.users.shape}, "
                f"not {mask.dtype} {mask.shape}."
            )
        return type(self)(
            self.users[mask],
            self.items[mask],
            None if self.ratings is None else self.ratings[mask],
            None if self.timestamps is None else self.timestamps[mask],
            self.user_ids,
            self.item_ids,
            self.name,
        )

    def __repr__(self) -> str:
        carried = [field for field in ("ratings", "timestamps") if getattr(self, field) is not None]
        return (
            f"{self.name}: {len(self):,} interactions of {self.n_users:,} users with {self.n_items:,} items"
            f" ({' and '.join(carried) or 'no ratings, no timestamps'})"
        )


def check_columns(frame: pd.DataFrame, needed: tuple[str, ...], source: str, remedy: str) -> None:
    """Raises `DataError` if a needed column is missing or any name stands twice."""
    found = ", ".join(map(str, frame.columns)) or "none"
    missing = [column for column in needed if column not in frame]
    if missing:
        raise DataError(
            f"{source}: the column {' and '.join(missing)} is missing (found: {found}); {remedy}."
        )
    if not frame.columns.is_unique:
        raise DataError(f"{source}: two columns have the same name (found: {found}); keep one of the two.")


def id_texts(column: pd.Series, place: Callable[[int], str]) -> np.ndarray:
    """object [n], str: ids as text, whatever they were read as; whole numbers without a decimal point.

    place: how a message names a row. Raises `DataError` for an empty cell and for what is no id: bool, bytes,
    a list, a number that is not whole or that a float cannot hold exactly, half a character.
    """

    def refuse(row: int, problem: str, remedy: str):
        raise DataError(f"{place(row)}: the {column.name} {problem}; {remedy}.")

    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    empty = np.array(column.isna(), dtype=bool)
    if not empty.any() and pd.api.types.is_integer_dtype(column):
        return column.astype(str).to_numpy(object)
    if not empty.any() and pd.api.types.is_float_dtype(column):
        values = column.to_numpy(np.float64)
        wrong = ~(np.isfinite(values) & (values == np.floor(values)) & (np.abs(values) < 2**53))
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            refuse(row, f"is {values[row]}, not exactly a whole number", "read the column as text")
        return values.astype(np.int64).astype(str).astype(object)
    texts = column.to_numpy(object)
    if pd.api.types.is_string_dtype(column) and column.dtype != object:
        empty = (column.str.strip() == "").to_numpy(dtype=bool, na_value=False) | empty
    else:
        texts = texts.copy()
        for row, value in enumerate(texts):
            if empty[row]:
                continue
            if isinstance(value, str):
                empty[row] = not value.strip()
                if half_character(value):
                    refuse(row, f"{value!a} holds half a character", "write the id anew")
            elif isinstance(value, numbers.Real) and not isinstance(value, bool | np.bool_):
                if value != value // 1 or (isinstance(value, float | np.floating) and abs(value) >= 2**53):
                    refuse(row, f"is {value}, not exactly a whole number", "read the column as text")
                texts[row] = str(int(value))
            else:
                refuse(row, f"is {value!r:.40}, not text or a whole number", "give each an id as text")
    if empty.any():
        refuse(int(np.flatnonzero(empty)[0]), "is empty", "drop or complete the line")
    return texts


def half_character(text: str) -> bool:
    """Whether a text holds half of a pair of UTF-16 surrogates: no file, Arrow table or model takes it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _positions(column: pd.Series, ids, source: str) -> tuple[np.ndarray, np.ndarray]:
    frame = column.to_frame()
    if ids is None:
        return _given_positions(column, source)
    texts = id_texts(column, lambda row: _line(source, frame, row))
    known = _known(ids, f"{column.name}_ids", source)
    positions = known.get_indexer(texts).astype(np.int64)
    if (positions < 0).any():
        row = int(np.flatnonzero(positions < 0)[0])
        where = "the catalogue" if column.name == "item" else "the list of users"
        raise DataError(
            f"{_line(source, frame, row)}: the {column.name} {texts[row]} is not in {where}; "
            "add it there or drop the line."
        )
    return positions, known.to_numpy(str)


def _known(ids, name: str, source: str) -> pd.Index:
    """The ids that a caller lists, as text. Raises `DataError` unless they are a list, each id once."""
    listed = isinstance(
        ids, list | tuple | np.ndarray | pd.Series | pd.Index | pd.api.extensions.ExtensionArray
    )
    if not listed or getattr(ids, "ndim", 1) != 1:
        raise DataError(f"{source}: {name} is {type(ids).__name__}, not a list of ids; give them in a list.")
    column = (
        pd.Series(ids) if isinstance(ids, np.ndarray | pd.Series | pd.Index) else pd.Series(ids, dtype=object)
    )
    known = pd.Index(
        id_texts(column.rename("id"), lambda row: f"{source}, {name}, position {row}"), dtype=object
    )
    ends_with_nul = [place for place, text in enumerate(known) if text[-1] == "\0"]
    if ends_with_nul:  # numpy's strings drop it
        raise DataError(f"{source}, {name}, position {ends_with_nul[0]}: the id ends with NUL; remove it.")
    if known.has_duplicates:
        raise DataError(f"{source}: {name} holds {known[known.duplicated()][0]} twice; keep one of the two.")
    return known


def _given_positions(column: pd.Series, source: str) -> tuple[np.ndarray, np.ndarray]:
    """A column that holds positions itself, as int64, and their texts."""
    frame = column.to_frame()
    if not (pd.api.types.is_integer_dtype(column) or pd.api.types.is_float_dtype(column)):
        if column.dtype == object or pd.api.types.is_string_dtype(column):
            id_texts(column, lambda row: _line(source, frame, row))  # an empty cell is the better message
        raise DataError(
            f"{source}: the column {column.name} holds {column.dtype}, not positions 0..n-1; "
            f"pass {column.name}_ids, the list of known ids."
        )
    texts = id_texts(column, lambda row: _line(source, frame, row))
    largest = int(column.max())
    if column.min() < 0:
        row = int(np.flatnonzero(column.to_numpy() < 0)[0])
        raise DataError(
            f"{_line(source, frame, row)}: the {column.name} {texts[row]} is negative; "
            "positions count from 0."
        )
    # Before anything is counted: a single id of a shop or of a platform can be larger than any memory.
    present = np.unique(column[column <= len(column)].to_numpy(np.int64))
    gap = np.flatnonzero(present != np.arange(len(present)))
    absent = int(gap[0]) if len(gap) else len(present)
    if absent <= largest:
        raise DataError(
            f"{source}: {column.name} {absent} never occurs, though the ids go up to "
            f"{largest}; number them without a gap or pass {column.name}_ids."
        )
    return column.to_numpy(np.int64), np.arange(largest + 1).astype(str)


def _numbers(frame: pd.DataFrame, column: str, source: str, *, largest: float) -> np.ndarray:
    """float64 [n]: a column of finite numbers up to `largest`, or of texts that are such numbers."""
    given = frame[column]
    odd = given.dtype == object or isinstance(given.dtype, pd.PeriodDtype)
    kind = pd.api.types.infer_dtype(given, skipna=True) if odd else given.dtype.kind
    if kind in ("b", "c", "M", "m", "boolean", "complex", "bytes", "datetime", "date", "timedelta", "period"):
        raise DataError(
            f"{source}: the column {column} holds {given.dtype} ({kind}), not numbers; convert it."
        )
    values = pd.to_numeric(given, errors="coerce")
    values = (
        values.to_numpy(np.float64, na_value=np.nan)
        if values.dtype.kind != "c"
        else np.full(len(given), np.nan)
    )
    wrong = ~(np.abs(values) <= largest)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise DataError(
            f"{_line(source, frame, row)}: the {column} is {given.iloc[row]!s:.40}, not a finite number; "
            "drop the line or give it a value."
        )
    return values


def _seconds(frame: pd.DataFrame, source: str) -> np.ndarray:
    """int64 [n]: the column `timestamp` in Unix seconds. Dates have a unit, numbers must be seconds."""
    given = frame["timestamp"]
    column = given
    if column.dtype == object and pd.api.types.infer_dtype(column) in ("datetime", "datetime64", "date"):
        column = pd.to_datetime(column, utc=True, errors="coerce")
    if pd.api.types.is_datetime64_any_dtype(column):
        if isinstance(column.dtype, pd.ArrowDtype) and pa.types.is_date(column.dtype.pyarrow_dtype):
            column = column.astype(pd.ArrowDtype(pa.timestamp("s")))
        if column.dt.tz is not None:
            column = column.dt.tz_convert("UTC").dt.tz_localize(None)
        times = column.to_numpy()
        whole = times.astype("datetime64[s]")
        wrong, seconds = whole != times, whole.astype(np.int64)  # NaT is not equal to itself
    else:
        values = _numbers(frame, "timestamp", source, largest=np.finfo(np.float64).max)
        wrong = np.floor(values) != values
        seconds = np.where(_beyond(values), 0, values).astype(np.int64)
        beyond = np.flatnonzero(_beyond(values))
        if len(beyond):
            raise DataError(
                f"{_line(source, frame, beyond[0])}: the timestamp {_no_second(values[beyond[0]])}"
            )
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise DataError(
            f"{_line(source, frame, row)}: the timestamp {given.iloc[row]} is not a whole number of seconds; "
            + ("drop the line or give it a time." if pd.isna(given.iloc[row]) else "round it.")
        )
    return seconds


def _beyond(times: np.ndarray) -> np.ndarray:
    return (times >= _LAST_SECOND) | (times <= -_LAST_SECOND)


def _no_second(time: float) -> str:
    """The end of a message on a number that is too large for seconds, with the unit that it looks like."""
    size = abs(int(time))
    unit, factor = next(
        (unit, factor)
        for unit, factor, limit in (
            ("milliseconds", "1,000", 10**14),
            ("microseconds", "1,000,000", 10**17),
            ("nanoseconds", "1,000,000,000", np.inf),
        )
        if size < limit
    )
    return f"{int(time)} is not in Unix seconds, it looks like {unit}; divide by {factor}."


def _check_array(name: str, field: str, values, dtype: str) -> None:
    kinds = {"float": "fiu", "whole numbers": "iu", "int64": "i"}[dtype]
    fits = isinstance(values, np.ndarray) and values.ndim == 1 and values.dtype.kind in kinds
    if not fits or (dtype == "int64" and values.dtype != np.int64):
        found = f"{values.dtype} {values.shape}" if isinstance(values, np.ndarray) else type(values).__name__
        raise DataError(f"{name}: {field} must be {dtype} [n], not {found}.")


def _place(frame: pd.DataFrame, row: int) -> str:
    return f"{frame.index.name or 'row'} {frame.index[row]}"


def _line(source: str, frame: pd.DataFrame, row: int) -> str:
    return f"{source}, {_place(frame, row)}"
