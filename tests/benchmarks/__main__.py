"""`python -m tests.benchmarks encode topk full/05_cf`: run benchmarks by name; course.py knows their minutes.

`full/LESSON` is a lesson at its larger scale, `seeds/LESSON` the same with five other seeds.
"""

import importlib
import sys

from course_lib.registers import read_lessons

BENCHMARKS = {
    "cf": "tests.benchmarks.cf",
    "encode": "tests.benchmarks.encode",
    "gowalla": "tests.benchmarks.gowalla",
    "metrics": "tests.benchmarks.metrics",
    "mind": "tests.benchmarks.mind",
    "ncf": "tests.benchmarks.ncf",
    "seeds": "tests.benchmarks.seeds",
    "topk": "tests.benchmarks.topk",
}


def main(names: list[str]) -> int:
    of_lessons = {f"{kind}/{key}" for kind in ("full", "seeds") for key in read_lessons()}
    unknown = [name for name in names if name not in BENCHMARKS and name not in of_lessons]
    if unknown or not names:
        wrong = f"There is no benchmark {', '.join(unknown)}" if unknown else "Say which benchmark"
        print(f"{wrong}: choose from {', '.join(BENCHMARKS)}, full/LESSON, seeds/LESSON.", file=sys.stderr)
        return 2
    for name in names:
        if name in of_lessons:
            importlib.import_module("tests.benchmarks.lessons").measure(name)
        else:
            importlib.import_module(BENCHMARKS[name]).main()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
