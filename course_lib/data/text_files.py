"""The text files of data sets, read with a look at every row: encoding, byte-order mark, number of fields.

Each problem is one `DataError` that names the file, the line and the command that restores the file.
"""

import codecs
import csv
import gzip
import re
import zlib
from collections.abc import Iterable

import pandas as pd

from course_lib.data.cache import asset_path
from course_lib.data.interactions import DataError

_BYTE_ORDER_MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def read_lines(asset: str, file: str, *, or_latin_1: bool = False) -> list[str]:
    """The lines of one fetched file in UTF-8 (or UTF-16 with its mark), without their ends; blank lines
    at the end are left out.

    or_latin_1: a line that is not UTF-8 is Latin-1. Text in Latin-1 with accents is practically never valid
    UTF-8, so each line tells for itself. Raises `DataError`, and `AssetMissing` if it is not fetched.
    """
    data = read_bytes(asset, file)
    if data[:2] in _BYTE_ORDER_MARKS:
        try:
            data = data.decode(_BYTE_ORDER_MARKS[data[:2]]).encode()
        except UnicodeError:
            raise DataError(f"{file}: begins as UTF-16 and is none; {restore(asset)}.") from None
    data = data.removeprefix(codecs.BOM_UTF8).replace(b"\r\n", b"\n")
    if b"\n" not in data:
        data = data.replace(b"\r", b"\n")
    try:
        if b"\0" in data or b"\r" in data:
            raise ValueError
        lines = data.decode().split("\n")
    except ValueError:  # line by line, to name the line or to find its encoding
        lines = [
            _decoded(line, f"{file}, line {number}", or_latin_1, asset)
            for number, line in enumerate(data.split(b"\n"), start=1)
        ]
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def read_bytes(asset: str, file: str) -> bytes:
    """One fetched file, unpacked if its name ends in .gz. Raises `DataError` if it cannot be read."""
    path = asset_path(asset, file)
    try:
        data = path.read_bytes()
        return gzip.decompress(data) if path.suffix == ".gz" else data
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{file}: the file is cut or damaged ({error}); {restore(asset)}.") from None
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror}); ask its owner for the right to read it, or name a "
            "folder of your own with COURSE_DATA."
        ) from None


def read_rows(
    asset: str,
    file: str,
    columns: list[str],
    separator: str = "\t",
    *,
    header: bool = False,
    or_latin_1: bool = False,
) -> pd.DataFrame:
    """Every field as text, the index = line numbers. Fields between commas may be quoted.

    Raises `DataError` for an empty file, a first line that is no header where one is due, and a row with more
    or fewer fields than columns.
    """
    fix = restore(asset)
    lines = read_lines(asset, file, or_latin_1=or_latin_1)
    if not lines[header:]:
        raise DataError(f"{file}: the file is empty; {fix}.")
    found = [field.strip() for field in lines[0].split(separator)]
    if header and (len(found) != len(columns) or found[0].isdigit()):
        raise DataError(
            f"{file}, line 1: the columns {', '.join(columns)} were expected, found {lines[0]!r:.80}; {fix}."
        )
    if separator == ",":
        numbers, rows = _quoted(lines, file, fix)
    else:
        numbers, rows = range(1, len(lines) + 1), [line.split(separator) for line in lines]
    for number, row in zip(numbers[header:], rows[header:], strict=True):
        if len(row) != len(columns):
            raise DataError(
                f"{file}, line {number}: {len(columns)} fields were expected, found {len(row)}; {fix}."
            )
    frame = pd.DataFrame(rows[header:], columns=columns, dtype=str)
    frame.index = pd.Index(numbers[header:], name="line")
    return frame


def check_rows(
    frame: pd.DataFrame,
    asset: str,
    file: str,
    *,
    numbers: Iterable[str] = (),
    unique: str | None = None,
    count: int | None = None,
) -> pd.DataFrame:
    """The table itself, if the named columns hold whole numbers of up to 18 digits, each value of `unique`
    stands once, and there are `count` rows; else raises `DataError`."""
    fix = restore(asset)
    for column in numbers:
        wrong = ~frame[column].str.fullmatch(r"[0-9]{1,18}").to_numpy(dtype=bool)
        if wrong.any():
            bad = frame[wrong].iloc[0]
            raise DataError(
                f"{file}, line {bad.name}: the {column} is {bad[column]!r:.40}, not a whole number; {fix}."
            )
    if unique is not None and not frame[unique].is_unique:
        bad = frame[frame[unique].duplicated()].iloc[0]
        raise DataError(
            f"{file}, line {bad.name}: the {unique} {bad[unique]} occurs for the second time; {fix}."
        )
    if count is not None and len(frame) != count:
        raise DataError(f"{file}: {count:,} rows were expected, found {len(frame):,}; {fix}.")
    return frame


def restore(asset: str) -> str:
    """What mends a file of an asset, as the end of a message."""
    return f"restore the file with `python course.py data get {asset}`"


def _quoted(lines: list[str], file: str, fix: str) -> tuple[list[int], list[list[str]]]:
    """The rows, and the line on which each begins: a quoted field may go over several."""
    reader = csv.reader((line + "\n" for line in lines), strict=True)
    numbers, rows = [], []
    begins = 1
    try:
        for row in reader:
            numbers.append(begins)
            rows.append(row)
            begins = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"{file}, line {begins}: quotes that do not fit ({error}); {fix}.") from None
    return numbers, rows


def _decoded(line: bytes, place: str, or_latin_1: bool, asset: str) -> str:
    if b"\0" in line or b"\r" in line:
        wrong = "a NUL byte" if b"\0" in line else "a carriage return in the middle"
        raise DataError(f"{place}: the line holds {wrong}; {restore(asset)}.")
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        # Bytes from 0x80 to 0x9f are no letters in Latin-1: the text is in yet another encoding.
        if or_latin_1 and not re.search(rb"[\x80-\x9f]", line):
            return line.decode("latin-1")
        byte = line[error.start]
        expected = "UTF-8 or Latin-1" if or_latin_1 else "UTF-8"
        raise DataError(
            f"{place}: byte 0x{byte:02x} is not {expected}; save the file in UTF-8, or {restore(asset)}."
        ) from None
