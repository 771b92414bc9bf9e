"""What can be fetched: sources.toml, and which chapter needs which asset."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path(__file__).with_name("sources.toml")
PLAN = Path(__file__).parent.parent / "notebooks" / "plan.toml"


@dataclass(frozen=True)
class AssetFile:
    """One file: its name inside the asset's folder, its size in bytes, its sha256 in hex (None: unknown)."""

    name: str
    size: int
    sha256: str | None = None


@dataclass(frozen=True)
class Asset:
    """A set of files that are used together; sources.toml says what the fields mean."""

    name: str
    title: str
    licence: str
    redistribute: bool
    needed_by: list[str]
    by_hand: str
    files: list[AssetFile]
    sources: list[dict[str, str]]
    mirror: str

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)

    @property
    def without_hash(self) -> list[str]:
        """The names of the files of which only the size is known."""
        return [file.name for file in self.files if file.sha256 is None]


def read_assets(path: Path = SOURCES) -> dict[str, Asset]:
    """Every asset of sources.toml, by name."""
    with path.open("rb") as file:
        tables = tomllib.load(file)
    return {
        name: Asset(
            name=name,
            mirror=table.pop("mirror", name),
            files=[AssetFile(**file) for file in table.pop("files")],
            **table,
        )
        for name, table in tables.items()
    }


def chapter_needs(path: Path = PLAN) -> dict[str, list[str]]:
    """The assets that each chapter of plan.toml needs, by chapter key such as "02_cosine".

    Empty where there is no plan.
    """
    if not path.is_file():
        return {}
    with path.open("rb") as file:
        chapters = tomllib.load(file).get("chapters", {})
    return {key: list(row.get("needs", [])) for key, row in chapters.items()}
