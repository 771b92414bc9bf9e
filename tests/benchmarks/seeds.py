"""Chapters 05, 06, 13 and 14 with five other seeds: which verdicts hold, and which depend on the seed."""

from pathlib import Path

from notebooks.make import execution
from notebooks.make.plan import Course
from tests.benchmarks import harness

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = ["05_cf", "06_evaluation", "13_privacy", "14_robustness"]
SEEDS = (1, 2, 3, 4, 5)


def main() -> None:
    threads = harness.same_threads_for_all()
    course = Course(ROOT)
    chapters = course.pick(CHAPTERS)
    committed = execution.snapshot(course)
    found: dict[int, dict[str, dict[str, str]]] = {}
    for seed in SEEDS:
        print(f"\nseed {seed}")
        # Its own folder, so that the reader's own results in build/run stay.
        folder = ROOT / "build" / "seeds" / str(seed)
        report = execution.run(course, chapters, parameters={"seed": seed}, folder=folder)
        stopped = [f"{row['key']}: {row['error']}" for row in report["chapters"] if row["error"]]
        if stopped:
            raise SystemExit(
                f"With seed {seed} a chapter stopped, so nothing is written. {'; '.join(stopped)}"
            )
        found[seed] = {row["key"]: execution.words(row) for row in report["chapters"]}

    rows = []
    for chapter in CHAPTERS:
        for entry, word in committed[chapter].items():
            others = {str(seed): words[chapter].get(entry) for seed, words in found.items()}
            flipped = [seed for seed, other in others.items() if other != word]
            rows.append(
                {"chapter": chapter, "id": entry, "word": word, "seeds": others, "flips": bool(flipped)}
            )
            if flipped:
                print(
                    f"{entry} is {word!r} as committed and differs with seed {', '.join(flipped)}: {others}"
                )
    depends = [row["id"] for row in rows if row["flips"]]
    print()
    promises = [harness.promise("verdicts that flip with another seed", len(depends), at_most=0)]
    content = {
        "chapters": CHAPTERS,
        "seeds": SEEDS,
        "verdicts": rows,
        "depends_on_seed": depends,
        "promises": promises,
    }
    harness.write("seeds", ("numpy", "scipy", "implicit", "torch"), threads, content)
