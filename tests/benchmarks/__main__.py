"""`python -m tests.benchmarks encode topk`: run benchmarks by name, or all when none is named."""

import importlib
import sys

BENCHMARKS = {"encode": "tests.benchmarks.encode", "topk": "tests.benchmarks.topk"}


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(
            f"There is no benchmark {', '.join(unknown)}: choose from {', '.join(BENCHMARKS)}.",
            file=sys.stderr,
        )
        return 2
    for name in names or BENCHMARKS:
        importlib.import_module(BENCHMARKS[name]).main()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
