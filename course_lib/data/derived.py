"""Files in the cache that are made from others, and can be made anew.

Each is an Arrow stream followed by the SHA-256 of its bytes. It is read only if that fits, so a file that was
cut, emptied, or half written counts as not there and is made again. It enters its place whole, by a rename,
with the rights that the umask gives: who shares a cache folder shares its files.
"""

import hashlib
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from datasets import Dataset

PARTIAL = ".partial-"  # the fetcher sweeps old files and folders of this prefix away
_DIGEST = hashlib.sha256().digest_size


@contextmanager
def place_for(target: Path) -> Iterator[Path]:
    """A free path beside `target` for a file or a folder, which then takes the target's place.

    After an exception nothing is left of it. Raises OSError where the folder cannot be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{PARTIAL}{uuid.uuid4().hex}")
    try:
        yield part
        if part.is_dir():
            shutil.rmtree(target, ignore_errors=True)
        os.replace(part, target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
        part.unlink(missing_ok=True)


def write_table(path: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
    """Write a table under a name that nobody reads yet, see `place_for`."""
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, schema) as stream:
        for batch in batches:
            stream.write_batch(batch)
    with path.open("rb+") as file:
        file.write(hashlib.file_digest(file, "sha256").digest())


def read_table(path: Path) -> pa.Table | None:
    """The table of a file that `write_table` wrote, memory-mapped; None if it is absent or not as written."""
    try:
        with pa.memory_map(str(path)) as file:
            data = file.read_buffer()
        written = data.slice(0, max(data.size - _DIGEST, 0))
        if hashlib.sha256(memoryview(written)).digest() != data.slice(written.size).to_pybytes():
            return None
        return pa.ipc.open_stream(written).read_all()
    except OSError:
        return None


def as_dataset(table: pa.Table, path: Path, fingerprint: str) -> "Dataset":
    """The table as a `datasets.Dataset`. What `map` computes from it is kept beside `path`, if that is a file
    in a folder that may be written, and otherwise in memory."""
    from datasets import Dataset  # a second to import: only who builds one pays for it
    from datasets.table import InMemoryTable, MemoryMappedTable

    if path.is_file() and os.access(path.parent, os.W_OK):
        return Dataset(MemoryMappedTable(table, str(path)), fingerprint=fingerprint)
    return Dataset(InMemoryTable(table), fingerprint=fingerprint)
