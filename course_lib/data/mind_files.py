"""The files of MIND, read block by block.

A part, train or dev, is a folder or a zip file. A file in it is lines of tab-separated columns in UTF-8,
without header and without quoting (https://github.com/msnews/msnews.github.io, assets/doc/introduction.md).
"""

import codecs
import hashlib
import os
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from course_lib.data.interactions import DataError

_RIGHTS = "ask its owner for the right to read it, or name another file"
BLOCK_BYTES = 2**25  # of a file, held at once; what is made from them takes about ten times as much memory


class Part:
    """One part of MIND, train or dev: a folder, or a zip file that is read without being unpacked.

    The files may lie in one folder inside; a folder that holds a zip file and no `news.tsv` stands for that
    zip file. Raises `DataError` if there is no `news.tsv`, or more than one.
    """

    def __init__(self, place: str | Path):
        self.place = Path(place).expanduser()
        if not os.path.exists(self.place):  # False too where the folder above is closed to us
            raise DataError(f"{self.place} is not there; name a folder or a zip file with news.tsv in it.")
        found = self._members("news.tsv")
        if not found and self.place.is_dir():
            zips = sorted(self.place.glob("*.zip"))
            if len(zips) == 1:
                self.place = zips[0]
                found = self._members("news.tsv")
        if len(found) != 1:
            listed = f"{len(found)} ({', '.join(found)})" if found else "none"
            raise DataError(
                f"{self.place}: one news.tsv was expected, there is {listed}; name the folder or zip file of "
                "one part of MIND."
            )
        self._inside = PurePosixPath(found[0]).parent

    def source(self, file: str) -> str:
        """How messages name a file: "MINDsmall_train.zip/behaviors.tsv"."""
        return f"{self.place.name}/{file}"

    def fingerprint(self) -> str:
        """sha256 of the files that are read from the part, or of its zip file."""
        if not self.place.is_dir():
            try:
                with self.place.open("rb") as stream:
                    return hashlib.file_digest(stream, "sha256").hexdigest()
            except OSError as error:
                raise DataError(f"{self.place} cannot be read ({error.strerror}); {_RIGHTS}.") from None
        digest = hashlib.sha256()
        for file in ("news.tsv", "behaviors.tsv"):
            with self.open(file) as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
        return digest.hexdigest()

    @contextmanager
    def open(self, file: str) -> Iterator[BinaryIO]:
        """One file as bytes. Raises `DataError` if it is not there or the zip file is damaged."""
        member = str(self._inside / file)
        try:
            if self.place.is_dir():
                with (self.place / member).open("rb") as stream:
                    yield stream
            else:
                with zipfile.ZipFile(self.place) as archive, archive.open(member) as stream:
                    yield stream
        except (FileNotFoundError, KeyError):
            raise DataError(f"{self.place} has no {file} beside news.tsv; put it there.") from None
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
            raise DataError(f"{self.place} is a damaged zip file ({error}); fetch it again.") from None
        except OSError as error:
            raise DataError(f"{self.place}: {file} cannot be read ({error.strerror}); {_RIGHTS}.") from None

    def _members(self, file: str) -> list[str]:
        if self.place.is_dir():
            paths = [*self.place.glob(file), *self.place.glob(f"*/{file}")]
            return sorted(path.relative_to(self.place).as_posix() for path in paths)
        try:
            with zipfile.ZipFile(self.place) as archive:
                names = archive.namelist()
        except (zipfile.BadZipFile, OSError) as error:
            raise DataError(f"{self.place} cannot be read as a zip file ({error}); fetch it again.") from None
        return [name for name in names if name.split("/")[-1] == file and name.count("/") <= 1]


class Malformed:
    """What happens to lines that break the format: refused at the first one, or skipped and counted."""

    def __init__(self, mode: str, remedy: str = "repair the line"):
        if mode not in ("refuse", "skip"):
            raise ValueError(f"malformed must be 'refuse' or 'skip', not {mode!r}.")
        self.refuse = mode == "refuse"
        self._remedy = remedy
        self._count_of_file: Counter[str] = Counter()
        self._first_of_file: dict[str, str] = {}
        self.count = 0
        self.first: list[str] = []  # the first three

    def note(self, file: str, line: int, problem: str) -> None:
        if self.refuse:
            raise DataError(f"{file}, line {line}: {problem}; {self._remedy}.")
        self.count += 1
        self._count_of_file[file] += 1
        self._first_of_file.setdefault(file, problem)
        if len(self.first) < 3:
            self.first.append(f"{file}, line {line}: {problem}")

    def nothing_left(self, file: str, kind: str) -> NoReturn:
        """Raises the `DataError` for a file of which no line remains."""
        count = self._count_of_file[file]
        if count:
            raise DataError(
                f"{file}: all {count:,} lines are malformed; first: {self._first_of_file[file]}; name other "
                f"files, or repair the lines. The first line left out was {self.first[0]}."
            )
        raise DataError(f"{file}: the file holds no {kind}; fetch it again.")


class Block:
    """Consecutive lines of one file, split into columns, and what is wrong with them.

    columns: a string array for each column, all of one length; a line without the right number of columns
    or not in UTF-8 has empty cells.
    """

    def __init__(self, source: str, first_line: int, lines: pa.StringArray, names: tuple[str, ...]):
        self._source = source
        self._first_line = first_line
        self._problems: dict[int, str] = {}
        n_tabs = pc.count_substring(lines, "\t")
        right = pc.fill_null(pc.equal(n_tabs, len(names) - 1), False)
        fields = pc.split_pattern(pc.if_else(right, lines, "\t" * (len(names) - 1)), "\t")
        self.columns = [pc.list_element(fields, place) for place in range(len(names))]
        self.flag(pc.is_null(lines), lambda row: "the line is not in UTF-8")
        holds_nul = pc.fill_null(pc.match_substring(lines, "\0"), False)
        self.flag(holds_nul, lambda row: "the line holds a NUL byte")
        self.flag(
            pc.invert(right),
            lambda row: (
                f"{len(names)} columns, {names[0]} to {names[-1]}, were expected, "
                f"found {n_tabs[row].as_py() + 1}"
            ),
        )

    def __len__(self) -> int:
        return len(self.columns[0])

    def flag(self, wrong: pa.BooleanArray | np.ndarray, problem: Callable[[int], str]) -> None:
        """Remember the rows where `wrong` is true as malformed; what is flagged first is what is reported."""
        for row in np.flatnonzero(np.asarray(wrong)).tolist():
            if row not in self._problems:
                self._problems[row] = problem(row)

    @property
    def well_formed(self) -> np.ndarray:
        """bool [n]: the rows that were not flagged."""
        kept = np.ones(len(self), dtype=bool)
        kept[list(self._problems)] = False
        return kept

    def report(self, malformed: Malformed) -> None:
        """Hand over what was flagged, in the order of lines. Raises `DataError` if it is to be refused."""
        for row in sorted(self._problems):
            malformed.note(self._source, self._first_line + row, self._problems[row])


class Numbering:
    """Numbers 0, 1, … for ids in the order in which they first come, over many blocks."""

    def __init__(self):
        self.ids = pa.array([], pa.string())

    def of(self, ids: pa.StringArray) -> np.ndarray:
        """int32 [n]: the number of each id; new ones get the next."""
        known = pc.index_in(ids, value_set=self.ids)
        numbers = pc.fill_null(known, -1).to_numpy().copy()
        new = ids.filter(pc.is_null(known))
        fresh = pc.unique(new)
        numbers[numbers < 0] = len(self.ids) + pc.index_in(new, value_set=fresh).to_numpy()
        self.ids = pa.concat_arrays([self.ids, fresh])
        return numbers

    def is_repeated(self, ids: pa.StringArray) -> np.ndarray:
        """bool [n]: whether an id came before, in this block or an earlier one; numbers them."""
        highest = len(self.ids) - 1
        numbers = self.of(ids)
        return numbers <= np.maximum.accumulate(np.concatenate([[highest], numbers]))[:-1]


def read_blocks(part: Part, file: str, names: tuple[str, ...], line_end: str = "\r") -> Iterator[Block]:
    """The lines of a file in columns, about `BLOCK_BYTES` at a time.

    A line ends with LF; the characters of `line_end` before it are dropped too.
    """
    line = 1
    for block in _whole_lines(part, file):
        lines = _text(pc.split_pattern(pa.array([block]), b"\n").flatten())
        yield Block(part.source(file), line, pc.ascii_rtrim(lines, characters=line_end), names)
        line += len(lines)


def _whole_lines(part: Part, file: str) -> Iterator[bytes]:
    with part.open(file) as stream:
        rest = stream.read(len(codecs.BOM_UTF8)).removeprefix(codecs.BOM_UTF8)
        while block := stream.read(BLOCK_BYTES):
            lines, newline, rest = (rest + block).rpartition(b"\n")
            if newline:
                yield lines
    if rest:
        yield rest.removesuffix(b"\n")


def _text(lines: pa.BinaryArray) -> pa.StringArray:
    """The lines as text, null where a line is not UTF-8."""
    try:
        return lines.cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array([_decoded(line) for line in lines.to_pylist()], pa.string())


def _decoded(line: bytes) -> str | None:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return None
