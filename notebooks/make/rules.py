"""Verdict rules: each is a folded code cell that holds one pure function, so that a test can try it out.

A cell tagged `rule` defines exactly one function, `rule_D1_02_cost` for part *cost* of entry D1-02 or
`rule_D5_18` for a whole entry (or for each of its parts alike). It is given comparisons, of which it uses
`.side`, `.within(margin)`, `.difference` and `.interval` alone, and numbers whose names end in a word of
`RANGES`. It returns a word. Whether it can return every word of its entry's kind is found by feeding it.
"""

from __future__ import annotations

import ast
import builtins
import itertools
import re
import symtable
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from nbformat import NotebookNode

from course_lib.evaluate import Comparison
from course_lib.registers import Ledger, read_ledger

RANGES: dict[str, tuple[float, ...]] = {
    "ratio": (0.01, 0.25, 0.5, 0.9, 1.0, 1.1, 2.0, 4.0, 100.0),
    "share": (0.0, 0.01, 0.25, 0.49, 0.5, 0.75, 0.99, 1.0),
    "count": (0, 1, 2, 3, 5, 10, 100, 10_000),
    "correlation": (-1.0, -0.5, -0.1, 0.0, 0.1, 0.5, 1.0),
}
"""What a number may be, by the last word of its name: `slowest_ratio`, `covered_share`."""

_USED = ("side", "within", "difference", "interval")
_PURE = ("abs", "all", "any", "bool", "float", "int", "len", "max", "min", "round", "set", "sorted", "sum")
# Not what a rule of comparisons finds: parts alone make an entry depend, and nobody measures an absence.
_NOT_FOUND = ("depends", "not testable here")
_NAME = re.compile(r"rule_(D[1-5])_(\d\d)(?:_(\w+))?")
_MOST = 20_000


@dataclass(frozen=True)
class Rule:
    """One rule: its name, the entry and the part ("" for none) that it judges, code and parameters."""

    name: str
    entry: str
    part: str
    code: str
    parameters: tuple[str, ...]

    def function(self) -> Any:
        """The function, defined among harmless builtins alone."""
        space: dict[str, Any] = {"__builtins__": {name: getattr(builtins, name) for name in _PURE}}
        exec(compile(self.code, f"<{self.name}>", "exec"), space)
        return space[self.name]

    def wanted(self, ledger: Ledger) -> tuple[str, ...]:
        """The words that it must be able to give: claims have three, methods and advice four."""
        return tuple(word for word in ledger.allowed(self.entry) if word not in _NOT_FOUND)

    def allowed(self, ledger: Ledger) -> set[str]:
        """The words that it may give; a part never depends."""
        of_a_part = set(ledger.allowed(self.entry, part=True))
        return of_a_part if self.part else of_a_part | set(ledger.allowed(self.entry))


def lift(notebook: NotebookNode) -> tuple[list[Rule], list[str]]:
    """The rules of a notebook, and a line for each cell tagged `rule` that holds none."""
    rules, faults = [], []
    for number, cell in enumerate(notebook.cells, start=1):
        tags = cell.metadata.get("tags", [])
        if "rule" not in tags:
            continue
        try:
            if cell.cell_type != "code" or "hide-input" not in tags:
                raise ValueError("a rule is a code cell tagged `rule` and `hide-input`")
            rules.append(_rule(cell.source, read_ledger()))
        except ValueError as error:
            faults.append(f"cell {number}: {error}")
    return rules, faults


def faults(notebook: NotebookNode) -> list[str]:
    """What is wrong with the rules of a notebook: their form, and words that they cannot give."""
    rules, found = lift(notebook)
    return [*found, *(fault for rule in rules for fault in tried(rule))]


def tried(rule: Rule) -> list[str]:
    """Feed one rule until it has given every word of its kind; a line for each that did not come out.

    It is also refused where it stops, gives something that is no word of its entry, or gives two words for
    the same findings.
    """
    ledger, function = read_ledger(), rule.function()
    given: set[str] = set()
    for values in _fed(rule.parameters):
        shown = ", ".join(f"{name}={_shown(value)}" for name, value in values.items())
        try:
            word = function(**values)
            again = function(**values)
        except Exception as error:
            return [
                f"{rule.name}({shown}) stops with {type(error).__name__}: {error}. A parameter is a "
                f"Comparison, or a number whose name ends in {', '.join(RANGES)}"
            ]
        if word not in rule.allowed(ledger):
            return [f"{rule.name}({shown}) gives {word!r}, which is no word of {rule.entry}"]
        if word != again:
            return [f"{rule.name}({shown}) gives {word!r}, and then {again!r}"]
        given.add(word)
    missing = [word for word in rule.wanted(ledger) if word not in given]
    return [f"{rule.name} can never give {word!r}: it gave {', '.join(sorted(given))}" for word in missing]


def _rule(code: str, ledger: Ledger) -> Rule:
    try:
        body = ast.parse(code).body
    except SyntaxError as error:
        raise ValueError(f"a rule is no Python: {error}") from None
    if len(body) != 1 or not isinstance(body[0], ast.FunctionDef):
        raise ValueError(
            f"a rule's cell holds exactly one function and nothing else, not {len(body)} statements"
        )
    (function,) = body
    name = function.name
    match = _NAME.fullmatch(name)
    if match is None:
        raise ValueError(f"{name} must be called like rule_D1_02_cost: entry and, after it, part")
    entry = f"{match[1]}-{match[2]}"
    if entry not in ledger.entries:
        raise ValueError(f"{name}: the ledger has no entry {entry}")
    parts = {re.sub(r"\W", "_", part): part for part in ledger.entries[entry].parts}
    if match[3] and match[3] not in parts:
        raise ValueError(f"{name}: {entry} has no part {match[3]!r}; its parts: {', '.join(parts)}")
    given = function.args
    if given.vararg or given.kwarg or given.defaults or any(given.kw_defaults) or function.decorator_list:
        raise ValueError(f"{name} takes parameters by name alone: no *, no defaults, no decorator")
    parameters = tuple(one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs))
    if given.posonlyargs or not parameters:
        raise ValueError(f"{name} takes parameters by name, at least one")
    _check_pure(function, code, parameters)
    return Rule(name, entry, parts.get(match[3] or "", ""), code, parameters)


def _check_pure(function: ast.FunctionDef, code: str, parameters: tuple[str, ...]) -> None:
    name = function.name
    for node in ast.walk(function):
        if isinstance(node, ast.Attribute) and node.attr not in _USED:
            raise ValueError(f"{name} uses .{node.attr}; of a comparison a rule uses {', '.join(_USED)}")
        inner = (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node is not function
        )
        if inner or isinstance(node, ast.Import | ast.ImportFrom | ast.Global | ast.Nonlocal):
            raise ValueError(f"{name} holds a function, class, import or global of its own")
    outer = _read_from_outside(symtable.symtable(code, name, "exec").get_children()[0])
    if outer := sorted(outer - set(_PURE)):
        raise ValueError(f"{name} reads {', '.join(outer)} from outside: pass it as a parameter")
    read = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
    if unread := [parameter for parameter in parameters if parameter not in read]:
        raise ValueError(f"{name} does not use {', '.join(unread)}")


def _read_from_outside(scope: symtable.SymbolTable) -> set[str]:
    own = {symbol.get_name() for symbol in scope.get_symbols() if symbol.is_global()}
    return own.union(*map(_read_from_outside, scope.get_children()))


def _fed(parameters: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Values for all parameters: every combination, or where all comparisons agree and a random sample."""
    kinds = [RANGES.get(name.rpartition("_")[2]) for name in parameters]
    values = [kind or tuple(comparisons()) for kind in kinds]
    if np.prod([float(len(kind)) for kind in values]) <= _MOST:
        chosen: Any = itertools.product(*values)
    else:
        rng = np.random.default_rng(0)
        drawn = ([kind[rng.integers(len(kind))] for kind in values] for _ in range(_MOST))
        alike = (
            itertools.product(*(kind or (comparison,) for kind in kinds)) for comparison in comparisons()
        )
        chosen = itertools.chain(*(itertools.islice(some, _MOST) for some in alike), drawn)
    return (dict(zip(parameters, each, strict=True)) for each in chosen)


def comparisons() -> Iterator[Comparison]:
    """Above, below and unclear, each far inside any margin, about as large as one, and far beyond it."""
    for size in (1e-4, 1e-2, 1.0, 100.0):
        for low, high in ((0.8, 1.2), (-1.2, -0.8), (-0.9, 1.1), (0.0, 1.0)):
            low, high = low * size, high * size
            yield Comparison("recall@100", (low + high) / 2, (low, high), 0.5, 1_000, 0.95)


def _shown(value: Any) -> str:
    if isinstance(value, Comparison):
        return f"{value.side} [{value.interval[0]:g}, {value.interval[1]:g}]"
    return f"{value:g}"
