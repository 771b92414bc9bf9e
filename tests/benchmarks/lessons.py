"""What is measured of one lesson: `full/05_cf` at its larger scale, `seeds/05_cf` with five other seeds."""

from typing import Any

from course_lib.registers import assets_named
from course_lib.registers.places import COURSE
from notebooks.make import execution
from notebooks.make.plan import Chapter, Course
from tests.benchmarks import harness

SEEDS = (1, 2, 3, 4, 5)
LIBRARIES = ("numpy", "scipy", "implicit", "torch")


def measure(name: str) -> None:
    """Run the lesson that `name` ends with, and store what its first part asks for."""
    kind, _, key = name.partition("/")
    threads = harness.same_threads_for_all()
    course = Course(COURSE)
    (chapter,) = course.pick([key])
    content = {"full": _full, "seeds": _seeds}[kind](course, chapter)
    harness.write(f"{kind}/{chapter.key}", LIBRARIES, threads, {"lesson": chapter.key, **content})


def _full(course: Course, chapter: Chapter) -> dict[str, Any]:
    """The verdicts of the larger scale, as a card shows them beside those of the smaller one."""
    kept = ("id", "word", "sentence", "numbers", "parts", "data")
    row = _run(course, chapter, "full", scale="full")
    needs = chapter.needs_at("full")
    larger = [name for name in needs if name not in chapter.needs_at("small")]
    return {
        "set": ", ".join(asset.label for asset in assets_named(larger or needs)),
        "seconds": row["seconds"],
        "verdicts": [{key: verdict[key] for key in kept} for verdict in row["verdicts"]],
    }


def _seeds(course: Course, chapter: Chapter) -> dict[str, Any]:
    """The word of each verdict with each seed, and which of them turn."""
    committed = execution.snapshot(course)[chapter.key]
    found = {
        str(seed): execution.words(_run(course, chapter, f"seeds/{seed}", parameters={"seed": seed}))
        for seed in SEEDS
    }
    rows = []
    for entry, word in committed.items():
        others = {seed: words.get(entry) for seed, words in found.items()}
        flips = any(other != word for other in others.values())
        rows.append({"id": entry, "word": word, "seeds": others, "flips": flips})
        if flips:
            print(f"{entry} is {word!r} as committed and differs with another seed: {others}")
    turned = [row["id"] for row in rows if row["flips"]]
    return {
        "seeds": SEEDS,
        "verdicts": rows,
        "depends_on_seed": turned,
        "promises": [harness.promise("verdicts that flip with another seed", len(turned), at_most=0)],
    }


def _run(course: Course, chapter: Chapter, folder: str, **asked: Any) -> dict[str, Any]:
    """The row of one run, in a folder of its own, so that the reader's results in build/run stay."""
    report = execution.run(course, [chapter], folder=COURSE / "build" / folder, **asked)
    row = next(row for row in report["chapters"] if row["key"] == chapter.key)
    if row["error"]:
        raise SystemExit(f"{chapter.key} stopped, so nothing is written: {row['error']}")
    return row
