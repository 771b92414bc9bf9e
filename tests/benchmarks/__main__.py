"""`python -m tests.benchmarks encode topk`: run benchmarks by name; course.py knows how long they take."""

import importlib
import sys

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
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown or not names:
        wrong = f"There is no benchmark {', '.join(unknown)}" if unknown else "Say which benchmark"
        print(f"{wrong}: choose from {', '.join(BENCHMARKS)}.", file=sys.stderr)
        return 2
    for name in names:
        importlib.import_module(BENCHMARKS[name]).main()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
