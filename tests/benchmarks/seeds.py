"""Chapters 05, 06, 13 and 14 with five other seeds: which verdicts hold, and which depend on the seed."""

from tests.benchmarks import lessons

CHAPTERS = ["05_cf", "06_evaluation", "13_privacy", "14_robustness"]


def main() -> None:
    for key in CHAPTERS:
        lessons.measure(f"seeds/{key}")
