"""Bring an asset into the cache folder, or say what was tried and what to do by hand."""

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pooch

from course_lib.data.cache import COMPLETE, cache_folder
from course_lib.data.derived import PARTIAL
from data_scripts.assets import Asset, AssetFile
from data_scripts.places import PlaceFailed, is_full, places_of


class FetchFailed(Exception):
    """An asset could not be had from anywhere; the message lists every place and why it failed."""


@dataclass(frozen=True)
class Status:
    """What is known about an asset without downloading it. word: "have", "can get" or "cannot get"."""

    word: str
    where: str


def fetch(asset: Asset, *, offline: bool, say: Callable[[str], None] = print) -> Path:
    """Make sure that every file of the asset is in the cache, with the right hash; returns its folder.

    Looks in the cache, then in each place of the asset. A file is downloaded under a temporary name, hashed,
    and only then moved to its own; one with a wrong hash is kept beside as NAME.rejected, and the next place
    is tried. Of a place that failed, only whole files are kept. Raises `FetchFailed`, also for a full disk
    and for a cache folder that cannot be written.
    """
    try:
        return _fetch(asset, offline=offline, say=say)
    except OSError as error:
        raise FetchFailed(_cannot_write(asset, error)) from error


def _fetch(asset: Asset, *, offline: bool, say: Callable[[str], None]) -> Path:
    folder = cache_folder() / asset.name
    tried: list[str] = []
    missing = _not_whole(asset, folder, tried, say)
    if not missing:
        return _complete(folder)
    (folder / COMPLETE).unlink(missing_ok=True)
    tried.append(f"cache folder {folder}: {_names(missing)} not there")
    cache_folder().mkdir(parents=True, exist_ok=True)
    _sweep(cache_folder())
    if not os.environ.get("COURSE_DATA_MIRROR"):
        tried.append("mirror folder: the environment variable COURSE_DATA_MIRROR names none")
    for place in places_of(asset, offline=offline):
        say(f"{asset.name}: asking {place} ({megabytes(sum(file.size for file in missing))})")
        with tempfile.TemporaryDirectory(dir=cache_folder(), prefix=PARTIAL) as part:
            delivered = True
            try:
                place.deliver(missing, Path(part))
            except PlaceFailed as failure:
                tried.append(f"{place}: {failure}")
                delivered = False
            for file in missing:
                got = Path(part) / file.name
                if delivered or _wrong(got, file) is None:  # what a failed place left half goes with `part`
                    _accept(got, folder / file.name, file, place, tried, say)
        missing = [file for file in missing if not (folder / file.name).is_file()]
        if not missing:
            return _complete(folder)
    if offline:
        tried.append("registry and publisher: not asked, because of --offline (or COURSE_OFFLINE=1)")
    places = "\n".join(f"  {number}. {line}" for number, line in enumerate(tried, start=1))
    raise FetchFailed(
        f"{asset.name} cannot be had; missing: {_names(missing)}. Tried:\n{places}\n"
        f"  By hand: {asset.by_hand}. Put the files under these names into {folder}\n"
        f"  and run `python course.py data get {asset.name}`, which checks them."
    )


def status(asset: Asset, *, offline: bool) -> Status:
    """Whether the asset is there, and if not, the first place that has it; downloads nothing."""
    folder = cache_folder() / asset.name
    missing = [file for file in asset.files if _wrong(folder / file.name, file)]
    if not missing:
        return Status("have", str(folder))
    for place in places_of(asset, offline=offline):
        if place.has(missing):
            return Status("can get", str(place))
    if offline:
        return Status("cannot get", "offline, and neither cache nor mirror folder has it")
    nowhere = "no source answers" if asset.sources else "only a mirror folder has it (COURSE_DATA_MIRROR)"
    return Status("cannot get", nowhere)


def _cannot_write(asset: Asset, error: OSError) -> str:
    """One sentence on a disk or a folder that refuses: which one, what it lacks, what to do."""
    folder = cache_folder()
    if is_full(error):
        there = next(place for place in (folder, *folder.parents) if place.exists())
        return (
            f"{asset.name}: the disk is full: it needs {megabytes(asset.size)} in {folder}, where "
            f"{megabytes(shutil.disk_usage(there).free)} are free; make room there, or name a folder on "
            "another disk with COURSE_DATA. Nothing was left behind."
        )
    return (
        f"{asset.name}: {error.filename or folder} cannot be written or read ({error.strerror or error}); "
        "name a folder of your own with COURSE_DATA, or ask the owner of this one for the right."
    )


def megabytes(size: int) -> str:
    """A size in bytes for readers: "96.5 MB"."""
    return f"{size / 1e6:.1f} MB"


def _complete(folder: Path) -> Path:
    if not (folder / COMPLETE).is_file():
        (folder / COMPLETE).touch()
    return folder


def _not_whole(asset: Asset, folder: Path, tried: list[str], say: Callable[[str], None]) -> list[AssetFile]:
    missing = []
    for file in asset.files:
        problem = _wrong(folder / file.name, file)
        if problem and (folder / file.name).is_file():
            _set_aside(folder / file.name, folder / file.name, problem, "the cache", tried, say)
        if problem:
            missing.append(file)
    return missing


def _accept(got: Path, target: Path, file: AssetFile, place, tried: list[str], say) -> None:
    if not got.is_file():
        return
    problem = _wrong(got, file)
    if problem:
        return _set_aside(got, target, problem, place, tried, say)
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(got, target)


def _wrong(path: Path, file: AssetFile) -> str | None:
    """What is wrong with a file, or None if its size, and its hash if known, are as they should be."""
    if not os.path.isfile(path):  # False, not an error, in a folder that is closed to this user
        return "is not there"
    size = path.stat().st_size
    if size != file.size:
        return f"has {size:,} bytes, not {file.size:,}"
    if not os.access(path, os.R_OK):
        return "may not be read by this user"
    if file.sha256 is None:
        return None
    found = pooch.file_hash(str(path), alg="sha256")
    return None if found == file.sha256 else f"has sha256 {found}, not {file.sha256}"


def _set_aside(path: Path, target: Path, problem: str, origin, tried: list[str], say) -> None:
    rejected = target.with_name(target.name + ".rejected")
    rejected.parent.mkdir(parents=True, exist_ok=True)
    os.replace(path, rejected)
    line = f"{origin}: {target.name} {problem}; kept aside as {rejected}"
    tried.append(line)
    say(line)


def _sweep(folder: Path) -> None:
    """Remove what a run that was killed left behind a day ago or earlier; younger ones may be in use."""
    for left in [*folder.glob(f"{PARTIAL}*"), *folder.glob(f"*/{PARTIAL}*")]:
        with contextlib.suppress(OSError):  # another user's, or gone meanwhile
            if time.time() - left.stat().st_mtime > 24 * 3600:
                shutil.rmtree(left) if left.is_dir() else left.unlink()


def _names(files: list[AssetFile]) -> str:
    return ", ".join(file.name for file in files)
