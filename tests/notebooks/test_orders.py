"""Which of two equal things comes first must not be the choice of a processor.

numpy's quicksort and partition, and torch's topk, order ties by the vector instructions at hand.
"""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = [
    path
    for folder in ("course_lib", "notebooks/source", "data_scripts")
    for path in sorted((ROOT / folder).rglob("*.py"))
]
STABLE = {("kind", "stable"), ("kind", "mergesort"), ("stable", True)}
JUSTIFIED = "# no ties:"  # then why there are none, or why they do not matter, on the line of the call's name


def unstable(code):
    """Line numbers of calls that order ties as they like."""
    lines = code.splitlines()
    found = []
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", None))
        said = {(word.arg, getattr(word.value, "value", None)) for word in node.keywords}
        never_stable = name in ("argpartition", "topk")
        if never_stable or (name in ("argsort", "sort_values") and not said & STABLE):
            line = node.func.end_lineno
            if JUSTIFIED not in lines[line - 1]:
                found.append(line)
    return sorted(found)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_ties_are_ordered_by_the_code(path):
    found = unstable(path.read_text(encoding="utf-8"))
    assert not found, (
        f'lines {found}: say kind="stable", sort by a key that decides ties, or "{JUSTIFIED} why"'
    )


@pytest.mark.parametrize(
    ("line", "is_found"),
    [
        ("np.argsort(-x)", True),
        ("(-x).argsort(axis=1)", True),
        ("argsort(x, kind='quicksort')", True),
        ("np.argsort(x, kind=chosen)", True),
        ("np.argpartition(x, 3)", True),
        ("frame.sort_values('a')", True),
        ("scores.topk(5)", True),
        ("torch.topk(scores, k=5)", True),
        ("scores.argsort(descending=True)", True),
        ("np.argsort(x, kind='stable')", False),
        ("frame.sort_values(['a', 'b'], kind='stable')", False),
        ("scores.argsort(descending=True, stable=True)", False),
        ("np.argpartition(x, 3)  # no ties: a permutation", False),
        ("np.lexsort((ids, -x)), np.sort(x), sorted(x)", False),
    ],
)
def test_the_guard_knows_them(line, is_found):
    assert unstable(line) == [1] * is_found
