"""`python -m tests.benchmarks encode topk`: run benchmarks by name, or all short ones when none is named."""

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
LONG = ("gowalla", "mind", "ncf", "seeds")  # a quarter of an hour and more: only when named


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(
            f"There is no benchmark {', '.join(unknown)}: choose from {', '.join(BENCHMARKS)}.",
            file=sys.stderr,
        )
        return 2
    for name in names or [name for name in BENCHMARKS if name not in LONG]:
        importlib.import_module(BENCHMARKS[name]).main()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
