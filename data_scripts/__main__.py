"""`python -m data_scripts list` and `get`: what `python course.py data` calls."""

import argparse
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from course_lib.registers.lessons import words_of
from data_scripts.assets import Asset, chapter_needs, read_assets
from data_scripts.fetch import FetchFailed, fetch, megabytes, status


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns 0, 1 if something could not be had, 2 for a name that is unknown."""
    assets, chapters = read_assets(), chapter_needs()
    options = _parser().parse_args(arguments)
    offline = options.offline or os.environ.get("COURSE_OFFLINE") == "1"
    if options.command == "get":
        wanted, unknown = _chosen(options.assets, options.chapters, assets, chapters)
        if unknown:
            print(unknown, file=sys.stderr)
            return 2
        return _get(wanted, offline)
    _list(list(assets.values()), chapters, offline)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python course.py data", description="Fetch the data and weights of the course, and check them."
    )
    parser.set_defaults(offline=False)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--offline",
        action="store_true",
        help="use only the cache and the mirror folder (also: COURSE_OFFLINE=1)",
    )
    commands = parser.add_subparsers(dest="command", metavar="list|get")
    commands.add_parser("list", parents=[common], help="every asset: have, can get or cannot get (default)")
    get = commands.add_parser("get", parents=[common], help="fetch assets into the cache folder")
    get.add_argument("assets", nargs="*", metavar="ASSET", help="names from the list")
    get.add_argument(
        "--for",
        dest="chapters",
        nargs="+",
        default=[],
        metavar="CHAPTER",
        help="what these chapters need, e.g. 02; without names: what all chapters and the tests need",
    )
    return parser


def _chosen(
    names: list[str], keys: list[str], assets: dict[str, Asset], chapters: dict[str, list[str]]
) -> tuple[list[Asset], str | None]:
    """The assets asked for, without repetition, and a message if a name is unknown."""
    everything = not names and not keys
    names = list(names)
    for key in keys or (list(chapters) if everything else []):
        matching = [chapter for chapter in chapters if key in words_of(chapter)]
        if not matching:
            known = ", ".join(chapters) or "none, for notebooks/plan.toml is missing"
            return [], f"There is no chapter {key!r}; chapters: {known}."
        names += [name for chapter in matching for name in chapters[chapter]]
    if everything and chapters:
        names += [asset.name for asset in assets.values() if "tests" in asset.needed_by]
    for name in names:
        if name not in assets:
            return [], f"There is no asset {name!r}; assets: {', '.join(assets)}."
    if not names:
        return [], f"Say what to get; assets: {', '.join(assets)}."
    return [assets[name] for name in dict.fromkeys(names)], None


def _get(wanted: list[Asset], offline: bool) -> int:
    failures = []
    for asset in wanted:
        try:
            folder = fetch(asset, offline=offline, say=partial(print, flush=True))
            print(f"{asset.name}: {len(asset.files)} files, {megabytes(asset.size)}, checked, in {folder}")
            if asset.without_hash:
                names = ", ".join(asset.without_hash)
                print(f"{asset.name}: only the size was checked, for no hash is known: {names}")
        except FetchFailed as failure:
            failures.append(str(failure))
    print("\n".join(failures), end="\n" if failures else "", file=sys.stderr)
    return 1 if failures else 0


def _list(assets: list[Asset], chapters: dict[str, list[str]], offline: bool) -> None:
    with ThreadPoolExecutor() as pool:
        states = list(pool.map(partial(status, offline=offline), assets))
    for asset, state in zip(assets, states, strict=True):
        users = [key for key, needs in chapters.items() if asset.name in needs] + asset.needed_by
        print(f"{state.word:<10}  {asset.name:<22}  {megabytes(asset.size):>8}  {asset.title}")
        print(f"{'':<12}from: {state.where}")
        print(f"{'':<12}licence: {asset.licence}" + (f"; used by: {', '.join(users)}" if users else ""))


if __name__ == "__main__":
    sys.exit(main())
