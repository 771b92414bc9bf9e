"""Is what was stored still of this code? Fingerprints, for measurements that take minutes to hours.

The larger scale (`book/measurements/full/LESSON.json`) and other seeds (`seeds/LESSON.json`) are measured
once, as benchmarks are. Each file holds the fingerprint of what was run: the lesson's code cells, or the
benchmark's code, and the functions, classes and constants of `course_lib` that they reach, without comments
and docstrings. What only shows (`show`, `learn`) and what only reads the course's own books (`registers`) is
left out: it moves no finding. What is stale is told on the page and by `python -m notebooks.make stale`; it
decides no word, and fails no test.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from course_lib.registers import Measurement, read_measurements
from notebooks.make import prose

_NOT_FOLLOWED = ("course_lib.show", "course_lib.learn", "course_lib.registers")
_ANSWERS = {"exercise", "solution", "quiz"}
_Reached = tuple[str, str]  # module, name in it


def fingerprint(measurement: str, root: Path) -> str:
    """SHA-256 in hex of the code that a measurement (`full/05_cf`, `topk`) is made by, at `root`.

    Raises FileNotFoundError for one whose lesson or benchmark is not there.
    """
    return _fingerprint(measurement, _Library(root))


def states(root: Path, of: str = "") -> dict[str, str]:
    """Why each stored measurement whose name begins with `of` is stale, "" for a fresh one."""
    library = _Library(root)
    found = read_measurements(root / "book" / "measurements")
    return {name: _state(measurement, library) for name, measurement in found.items() if name.startswith(of)}


def _state(found: Measurement, library: _Library) -> str:
    try:
        now = _fingerprint(found.name, library)
    except FileNotFoundError:
        return "what it measures is gone"
    if "fingerprint" not in found:
        return "it was made before fingerprints were kept"
    if found["fingerprint"] != now:
        return f"its code, or something of course_lib that this calls, changed after {found.date}"
    return ""


def _fingerprint(measurement: str, library: _Library) -> str:
    kind, _, name = measurement.rpartition("/")
    if kind:
        cells = _cells(json.loads((library.root / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8")))
    else:
        cells = [(library.root / "tests" / "benchmarks" / f"{name}.py").read_text(encoding="utf-8")]
    trees = [_without_words(prose.parsed(code)) for code in cells]
    reached = [[*key, library.text(key)] for key in sorted(library.reached_from(trees))]
    return hashlib.sha256(json.dumps([_plain(trees), reached]).encode()).hexdigest()


def _cells(notebook: Mapping[str, Any]) -> list[str]:
    """The code of a lesson that leads to its findings."""
    return [
        "".join(cell["source"])
        for cell in notebook["cells"]
        if cell["cell_type"] == "code" and not _ANSWERS & set(cell["metadata"].get("tags", ()))
    ]


def _without_words(tree: ast.AST) -> Any:
    """A tree without docstrings; comments are not in a tree at all."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and body:
            kept = [one for one in body if not _is_text(one)]
            node.body = kept or ([] if isinstance(node, ast.Module) else [ast.Pass()])
    return tree


def _plain(part: Any) -> Any:
    """A tree as lists that every Python writes alike: `ast.unparse` writes f-strings in two ways, and some
    versions put empty pieces into them."""
    if isinstance(part, ast.JoinedStr):
        return [_plain(one) for one in part.values if not (isinstance(one, ast.Constant) and one.value == "")]
    if isinstance(part, ast.AST):
        fields = ((name, value) for name, value in ast.iter_fields(part) if value not in (None, []))
        return [type(part).__name__, *([name, _plain(value)] for name, value in fields)]
    return [*map(_plain, part)] if isinstance(part, list) else repr(part)


def _is_text(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


class _Library:
    """The modules of `course_lib` at one place, parsed when they are asked for."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @functools.cache  # noqa: B019 - as long as one fingerprint takes
    def module(self, name: str) -> _Module | None:
        path = self.root / Path(*name.split("."))
        for file in (path / "__init__.py", path.with_suffix(".py")):
            # Where case does not count, EASE.py is there as well as ease.py: a class is no module.
            if file.is_file() and file.name in {one.name for one in file.parent.iterdir()}:
                return _Module(ast.parse(file.read_text(encoding="utf-8")))
        return None

    def text(self, key: _Reached) -> list:
        module, name = key
        return _plain([*self.module(module).defined[name]])

    def reached_from(self, trees: Iterable[ast.Module]) -> set[_Reached]:
        """Everything that some code can name, directly or through what it names."""
        cells = ast.Module([line for tree in trees for line in tree.body], [])
        waiting = [*self._named("", _Module(cells), cells)]
        reached: set[_Reached] = set()
        while waiting:
            key = waiting.pop()
            if key not in reached:
                reached.add(key)
                module = self.module(key[0])
                for node in module.defined[key[1]]:
                    waiting += self._named(key[0], module, node)
        return reached

    def _named(self, name: str, module: _Module, node: ast.AST) -> Iterator[_Reached]:
        """What of the library the names and dotted names in `node`, a piece of `module`, stand for."""
        for part in ast.walk(node):
            dotted: list[str] = []
            while isinstance(part, ast.Attribute):
                dotted.insert(0, part.attr)
                part = part.value
            if isinstance(part, ast.Name):
                yield from self._found(name, module, [part.id, *dotted])

    def _found(self, name: str, module: _Module, dotted: list[str]) -> Iterator[_Reached]:
        """The definition that `a.b.c` leads to in a module: through its imports, and through packages."""
        first, *rest = dotted
        if name and first in module.defined:
            yield name, first
        elif first in module.imported:
            yield from self._imported([*module.imported[first], *rest])

    def _imported(self, path: list[str]) -> Iterator[_Reached]:
        """The definition at `course_lib.evaluate.compare`: the longest module, then the name in it."""
        for length in range(len(path), 0, -1):
            name = ".".join(path[:length])
            if name.startswith(_NOT_FOLLOWED):
                return
            if module := self.module(name):
                if length < len(path):  # a module that is named alone brings nothing of itself
                    yield from self._found(name, module, path[length:])
                return


class _Module:
    """What a module defines and imports at any depth, by name."""

    def __init__(self, tree: ast.Module) -> None:
        self.defined: dict[str, list[ast.stmt]] = {}
        self.imported: dict[str, list[str]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "course_lib":
                for alias in node.names:
                    self.imported[alias.asname or alias.name] = [*node.module.split("."), alias.name]
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    if alias.name.split(".")[0] == "course_lib":
                        path = alias.name.split(".") if alias.asname else ["course_lib"]
                        self.imported[alias.asname or "course_lib"] = path
        for line in _without_words(tree).body:
            for name in _bound(line):
                self.defined.setdefault(name, []).append(line)


def _bound(line: ast.stmt) -> set[str]:
    """The names that a line at the top of a module defines; imports lead elsewhere."""
    if isinstance(line, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {line.name}
    if isinstance(line, ast.Import | ast.ImportFrom):
        return set()
    names = {
        node.id for node in ast.walk(line) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    return names | {node.name for node in ast.walk(line) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
