"""The rooms of course_lib: imports run one way, nothing outside is imported, and the library stays small."""

import ast
import io
import tokenize
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = (  # each imports from those before it
    *("registers", "arguments", "data", "similarity", "encode", "index", "retrieve", "evaluate", "search"),
    *("tune", "privacy", "robustness", "show", "learn"),
)
NEVER = {"book", "course", "data_scripts", "notebooks", "tests"}
MOST_LINES = 7_500  # without docstrings, comments and blank lines


def modules(library):
    """{"course_lib.data.split": tree} of all modules of a library."""
    files = {path.relative_to(library.parent).with_suffix(""): path for path in library.rglob("*.py")}
    return {
        ".".join(name.parts).removesuffix(".__init__"): ast.parse(path.read_text(encoding="utf-8"))
        for name, path in files.items()
    }


def imports(trees):
    """{module: the modules that it names in its imports}, those inside functions included."""
    found = {}
    for module, tree in trees.items():
        found[module] = named = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                named |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                whole = {f"{node.module}.{alias.name}" for alias in node.names}
                named |= (whole & trees.keys()) or {node.module}
    return found


def room(module):
    return module.split(".")[1] if "." in module else None


def faults(library):
    """What breaks the order of the rooms, as sentences."""
    found = imports(modules(library))
    wrong = [
        f"{module} imports {other}"
        for module, others in found.items()
        for other in sorted(others)
        if other.split(".")[0] in NEVER
        or (
            other.startswith("course_lib.")
            and None is not room(module) != room(other)
            and ROOMS.index(room(other)) > ROOMS.index(room(module))
        )
    ]
    inside = {module: {o for o in others if o in found} for module, others in found.items()}
    try:
        TopologicalSorter(inside).prepare()
    except CycleError as error:
        wrong.append("a circle: " + " → ".join(error.args[1]))
    return wrong


def lines_of_code(text):
    """Lines that hold code: no blank line, no comment, no docstring."""
    tree = ast.parse(text)
    documented = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
            documented.update(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    nothing = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    held = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in nothing | {tokenize.ENDMARKER}:
            held.update(range(token.start[0], token.end[0] + 1))
    return len(held - documented)


def test_imports_run_one_way_and_there_is_no_circle():
    assert faults(ROOT / "course_lib") == []


@pytest.mark.parametrize(
    ("planted", "fault"),
    [
        ({"data/a.py": "from course_lib.show import b\n"}, "course_lib.data.a imports course_lib.show.b"),
        ({"data/a.py": "def f():\n    import notebooks.make\n"}, "course_lib.data.a imports notebooks.make"),
        (
            {"show/a.py": "from course_lib.show import b\n", "show/b.py": "import course_lib.show.a\n"},
            "a circle",
        ),
    ],
)
def test_a_planted_import_is_seen(tmp_path, planted, fault):
    for name in {"show/b.py": "", "data/a.py": ""} | planted:
        file = tmp_path / "course_lib" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(planted.get(name, ""), encoding="utf-8")
    assert [found for found in faults(tmp_path / "course_lib") if fault in found]


def test_the_library_stays_small(capsys):
    total = sum(
        lines_of_code(path.read_text(encoding="utf-8")) for path in (ROOT / "course_lib").rglob("*.py")
    )
    with capsys.disabled():
        print(f"\ncourse_lib: {total:,} lines without docstrings, comments and blank lines")
    assert total <= MOST_LINES


def test_what_is_a_line_of_code():
    text = '"""Text."""\n\n# why\nx = """two\nlines"""\n\ndef f():\n    "Doc."\n    return 1\n'
    assert lines_of_code(text) == 4
