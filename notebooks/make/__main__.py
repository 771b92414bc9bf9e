"""``python -m notebooks.make``: sync, execute, check, run, stale, accept, readme, lessons."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from notebooks.make import desk, readme
from notebooks.make.plan import Course, CourseError, parameter

ROOT = Path(__file__).resolve().parents[2]
ACCEPTED = ROOT / "book" / "verdicts.json"


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the result is the exit status."""
    asked = _parser().parse_args(arguments)
    course = Course(ROOT)
    try:
        return asked.command(course, asked)
    except KeyboardInterrupt:
        print("\nInterrupted; the chapters that ended before are kept.", file=sys.stderr)
        return 130
    except CourseError as error:
        print(error, file=sys.stderr)
        return 1


def _execution() -> ModuleType:
    """The module that runs notebooks. Its libraries take seconds to load; not every command needs them."""
    from notebooks.make import execution

    return execution


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m notebooks.make", description="Make and run the notebooks."
    )
    commands = parser.add_subparsers(required=True, metavar="command")

    def add(name: str, command: Any, text: str, *, chapters: bool = True) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(command=command)
        if chapters:
            added.add_argument(
                "chapters", nargs="*", help="02_cosine, 02 or cosine; all of them if none is named"
            )
        return added

    add("sync", _sync, "Write notebooks from their sources; outputs of unchanged cells stay.")
    add(
        "execute", _execute, "Run notebooks with their own parameters and store the outputs, to be committed."
    )
    check = add("check", _check, "Look for stale or unclean notebooks; runs nothing.")
    check.add_argument(
        "--fix", action="store_true", help="first take over changed text, and keep what was saved by hand"
    )
    add("accept", _accept, "Accept the verdicts of the committed notebooks as they are now.", chapters=False)
    add("readme", _readme, "Write the picture, counts, results and chapter map of README.md.", chapters=False)
    lessons = add(
        "lessons", _lessons, "Lay copies of the lessons into work/, over nobody's changes.", chapters=False
    )
    lessons.add_argument("--fresh", metavar="LESSON", action="append", default=[], help="begin it anew")
    add(
        "stale",
        _stale,
        "List stored measurements that are of other code, and what makes them anew.",
        chapters=False,
    )
    run = add("run", _run, "Run chapters with parameters; results in build/run.")
    run.add_argument("--scale", default="small", help="small (the default) or full")
    run.add_argument("--seed", type=int, help="another seed than the notebook's own")
    run.add_argument(
        "-p", dest="parameters", metavar="NAME=VALUE", action="append", default=[], help="a parameter"
    )
    run.add_argument("--fresh", action="store_true", help="run unchanged chapters too")
    return parser


def _sync(course: Course, asked: argparse.Namespace) -> int:
    execution = _execution()
    for chapter in course.pick(asked.chapters):
        state = "written" if execution.sync(course, chapter) else "unchanged"
        print("\n  ".join([f"{chapter.key}: {state}", *execution.check(course, chapter)]))
    return 0


def _execute(course: Course, asked: argparse.Namespace) -> int:
    for chapter in course.pick(asked.chapters):
        print(f"{chapter.key}: ", end="", flush=True)
        _execution().execute(course, chapter)
        print("outputs stored")
    return 0


def _check(course: Course, asked: argparse.Namespace) -> int:
    from notebooks.make import pairing, prose

    execution = _execution()
    found = {}
    for chapter in course.pick(asked.chapters):
        if asked.fix:
            execution.sync(course, chapter)
        found[chapter.key] = execution.check(course, chapter)
    for chapter in course.pick(asked.chapters):
        faults = found[chapter.key]
        figures, equalities = prose.counted(pairing.read(course.notebook(chapter)))
        good = f"nothing to repair ({figures} typed figures and {equalities} typed equalities hold)"
        print("\n  ".join([f"{chapter.key}: {'' if faults else good}".rstrip(), *faults]))
    return 1 if any(found.values()) else 0


def _lessons(course: Course, asked: argparse.Namespace) -> int:
    desk.lay_out(course, fresh=course.pick(asked.fresh) if asked.fresh else [])
    return 0


def _run(course: Course, asked: argparse.Namespace) -> int:
    execution = _execution()
    chapters = course.pick(asked.chapters)
    parameters = dict(map(parameter, asked.parameters))
    if asked.seed is not None:
        parameters["seed"] = asked.seed
    report = execution.run(course, chapters, scale=asked.scale, parameters=parameters, fresh=asked.fresh)
    keys = [chapter.key for chapter in chapters]
    print(f"\n{execution.summary(report, keys)}\n")
    if ACCEPTED.exists():
        book = json.loads(ACCEPTED.read_text(encoding="utf-8"))
        same_run = asked.scale == "small" and not parameters
        print(execution.compared(report, keys, book, same_run=same_run))
    return 1 if any(row["error"] for row in report["chapters"] if row["key"] in keys) else 0


def _stale(course: Course, asked: argparse.Namespace) -> int:
    from notebooks.make import freshness

    states = freshness.states(course.root)
    for name, why in states.items():
        print(f"{name}: {'fresh' if not why else f'stale, {why}; `python course.py benchmark {name}`'}")
    lessons = [chapter.key for chapter in course.chapters if course.notebook(chapter).exists()]
    missing = [
        f"{kind}/{key}" for kind in ("full", "seeds") for key in lessons if f"{kind}/{key}" not in states
    ]
    count = sum(map(bool, states.values()))
    print(f"{count} of {len(states)} are stale; not measured: {', '.join(missing) or 'none'}.")
    return 0


def _accept(course: Course, asked: argparse.Namespace) -> int:
    before = json.loads(ACCEPTED.read_text(encoding="utf-8")) if ACCEPTED.exists() else {}
    now = _execution().snapshot(course)
    for key, words in now.items():
        for name, word in words.items():
            was = before.get(key, {}).get(name)
            if was != word:
                print(f"{key} {name}: {was or 'new'} → {word}")
    ACCEPTED.write_text(json.dumps(now, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{sum(map(len, now.values()))} verdicts accepted in book/verdicts.json")
    return 0


def _readme(course: Course, asked: argparse.Namespace) -> int:
    readme.write(course)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
