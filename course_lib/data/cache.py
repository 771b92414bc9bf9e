"""Where fetched files lie, and how a chapter finds one."""

import os
from pathlib import Path

import pooch

COMPLETE = ".complete"  # an empty file of this name says that all files of an asset are there


class AssetMissing(FileNotFoundError):
    """A file that a chapter needs has not been fetched yet; the message names the command that fetches it."""


def cache_folder() -> Path:
    """The folder that holds every fetched asset: `COURSE_DATA` if set, else the platform's cache folder.

    The folder need not exist yet.
    """
    chosen = os.environ.get("COURSE_DATA")
    return Path(chosen).expanduser().resolve() if chosen else Path(pooch.os_cache("recall-course"))


def asset_folder(asset: str) -> Path:
    """The folder of one fetched asset, e.g. `asset_folder("minilm")`.

    Raises `AssetMissing` if the asset is not in the cache, or not with all its files.
    """
    folder = cache_folder() / asset
    if not os.path.isfile(folder / COMPLETE):  # False, not an error, in a folder that is closed to this user
        raise AssetMissing(_remedy(asset, folder))
    return folder


def asset_path(asset: str, file: str) -> Path:
    """The path of one file of a fetched asset, e.g. `asset_path("movielens-100k", "ml-100k.inter")`.

    Raises `AssetMissing` if the file is not in the cache. Files enter the cache only after their hash was
    checked, so a file that is there is whole.
    """
    path = cache_folder() / asset / file
    if not os.path.isfile(path):
        raise AssetMissing(_remedy(asset, path))
    return path


def _remedy(asset: str, path: Path) -> str:
    return f"{path} is not there: run `python course.py data get {asset}` and try again."
