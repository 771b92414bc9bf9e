"""`data_scripts/sources.toml`: every set of files that the course can fetch."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from course_lib.registers.errors import RegisterError
from course_lib.registers.places import COURSE

SOURCES = COURSE / "data_scripts" / "sources.toml"


@dataclass(frozen=True)
class AssetFile:
    """One file: its name inside the asset's folder, its size in bytes, its sha256 in hex (None: unknown)."""

    name: str
    size: int
    sha256: str | None = None


@dataclass(frozen=True)
class Asset:
    """A set of files that are used together; the head of sources.toml says what the fields mean."""

    name: str
    title: str
    licence: str
    redistribute: bool
    needed_by: list[str]
    by_hand: str
    files: list[AssetFile]
    sources: list[dict[str, str]]
    mirror: str
    label: str = ""
    """What readers are told: `MovieLens-100K`. Loaders give it to what they load."""
    simulated: bool = False

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    @property
    def without_hash(self) -> list[str]:
        """The names of the files of which only the size is known."""
        return [file.name for file in self.files if file.sha256 is None]


def read_assets(path: Path = SOURCES) -> dict[str, Asset]:
    """Every asset by name, in the file's order. Raises `RegisterError` for a table that lacks a field."""
    assets = {}
    for name, table in tomllib.loads(path.read_text(encoding="utf-8")).items():
        try:
            files = [AssetFile(**file) for file in table["files"]]
            label = table["title"].partition(":")[0]
            assets[name] = Asset(**{"mirror": name, "label": label, **table, "name": name, "files": files})
        except (TypeError, KeyError) as error:
            raise RegisterError(f"{path.name}: the table of {name} is not complete: {error}.") from None
    return assets


def assets_named(names: Iterable[str]) -> list[Asset]:
    """Assets by their name or their label, in this order. Raises `RegisterError` for an unknown one."""
    assets = read_assets()
    labels = {asset.label: asset for asset in assets.values()}
    found = []
    for name in names:
        if name not in assets and name not in labels:
            raise RegisterError(
                f"There is no asset {name!r} in data_scripts/sources.toml; it has {', '.join(assets)}."
            )
        found.append(assets.get(name) or labels[name])
    return found
