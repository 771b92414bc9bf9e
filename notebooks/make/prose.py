"""Figures, arithmetic and references that somebody typed into a lesson: each is held by its code, or a fault.

Hand-written prose holds no measured number; a generated sentence does. What remains are hand computations,
settings, and figures that somebody else published. Three rules keep them true:

- A figure is a number with a decimal point, a percentage, a power such as 10^-5, or, inside a formula, a
  fraction of two whole numbers or a whole number that stands alone (``$12$``). It must stand in an ``assert``
  of its section (``##``) that also names something of the lesson, or in the solution of its exercise, or,
  where documents and papers state it, in the metadata of its own cell: ``quoted="0.72 95%" reason="…"``.
- An equality that can be computed (``3 / 5 = 0.6``, chains, ≈) must hold to the digits that are printed.
- A chapter that is named exists, or its sentence says *not written yet* or *planned*.

No figures: sections (§4.2), exercise keys, versions with two dots, ids of papers, addresses, fenced code.
"""

from __future__ import annotations

import ast
import builtins
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from nbformat import NotebookNode

_PLANNED = re.compile(r"not written yet|planned", re.IGNORECASE)


def faults(notebook: NotebookNode) -> list[str]:
    """Typed figures that nothing holds, and typed arithmetic that is wrong, each in one line."""
    found = []
    for place, cell, held in markdown(notebook):
        found += [f"{place}: {fault}" for fault in cell_faults(cell, held)]
    return found


def cell_faults(cell: NotebookNode, held: set[Value]) -> Iterator[str]:
    """What `faults` finds in one Markdown cell, whose figures may be among those that are ``held``."""
    for one in equalities(cell.source):
        if not one.holds:
            yield f"states {one.text!r}, and its left side is {sum(one.left) / 2:.6g}"
    stated, quoted = figures(cell.source), cell.metadata.get("quoted", "")
    if quoted and not cell.metadata.get("reason"):
        yield f'quoted="{quoted}" needs reason="…" beside it'
    given = figures(quoted, formula=True)
    for value, text in {one.value: one.text for one in given}.items():
        if value not in {one.value for one in stated}:
            yield f"quotes {text}, which its text does not state"
    for one in stated:
        if one.value not in held | {other.value for other in given}:
            yield (
                f"states {one.text!r}, and no assert of its section does: assert it where code computes it, "
                f'print it by show.say, or, if others state it, give quoted="{one.text}" and a reason'
            )


def counted(notebook: NotebookNode) -> tuple[int, int]:
    """How many typed figures are held, and how many typed equalities were computed."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    return (
        sum(len(figures(cell.source)) for cell in cells),
        sum(len(equalities(cell.source)) for cell in cells),
    )


# --- Figures

Value = Fraction | tuple[int, ...]  # a tuple for whole numbers: (12,), and (2, 4) for 2/4


@dataclass(frozen=True)
class Figure:
    """A typed figure: its text, where it begins and ends, its value (``20 %`` is 0.2, ``2/4`` a pair)."""

    text: str
    span: tuple[int, int]
    value: Value


_NO_FIGURE = re.compile(
    r"^(?P<fence>```+|~~~+).*?^(?P=fence)\s*$"  # fenced code
    r"|§§?\s?\d+(?:\.\d+)*(?:[–-]\d+(?:\.\d+)*)?"
    r"|\*\*\d\d[a-z]?\.q?\d+\*\*|[\"“']\d\d[a-z]?\.q?\d+[\"”']|[Ee]xercises? \d\d[a-z]?\.q?\d+"
    r"|arXiv:\S+|https?://\S+|\]\([^)\s]*\)"
    r"|\d+(?:\.\d+){2,}",  # a version
    re.MULTILINE | re.DOTALL,
)
_DIGITS = r"(?<![\w.,])(?:\d{1,3}(?:,\d{3})+|\d+)"
_FIGURE = re.compile(
    rf"(?P<percent>{_DIGITS}(?:\.\d+)?)"
    # also the 2 of "2, 5 and 10 %"
    r"(?=(?:(?:, \d+(?:\.\d+)?)*(?:,? and |,? or | to |–)\d+(?:\.\d+)?)?(?:\\,|\s)?(?:\\?%|per ?cent\b))"
    rf"|(?P<decimal>{_DIGITS}\.\d+(?:e[-+]?\d+)?)(?![\w]*\.\d)"
    r"|(?<!\w)(?P<base>[1-9]\d*)\^\{?(?P<power>[-−]\d+)\}?"
)
_FRACTION = re.compile(
    r"(?<![\w./}^_])(?P<a>\d+)\s?/\s?(?P<b>\d+)(?![\w./^_])"
    r"|\\[dt]?frac\s?\{(?P<c>\d+)\}\s?\{(?P<d>\d+)\}|\\[dt]?frac(?P<e>\d)(?P<f>\d)"
)
_FORMULA = re.compile(r"\$\$(?P<shown>.+?)\$\$|(?<!\\)\$(?P<inline>[^$\n]+?)(?<!\\)\$", re.DOTALL)


def figures(text: str, *, formula: bool = False) -> list[Figure]:
    """The typed figures of a Markdown text in order; ``formula`` reads all of it as one formula."""
    text = _blanked(text)
    found = [Figure(match[0], match.span(), _value(match)) for match in _FIGURE.finditer(text)]
    spans = [(0, len(text))] if formula else [match.span() for match in _FORMULA.finditer(text)]
    for start, end in spans:
        for match in _FRACTION.finditer(text, start, end):
            above, below = (int(part) for part in match.groups() if part is not None)
            found.append(Figure(match[0], match.span(), (above, below)))
        if whole := re.compile(r"\$(\d+)\$").fullmatch(text, start, end):
            found.append(Figure(whole[1], whole.span(1), (int(whole[1]),)))
    return sorted(found, key=lambda one: one.span)


def _value(match: re.Match[str]) -> Fraction:
    if match["power"]:
        return Fraction(match["base"]) ** int(match["power"].replace("−", "-"))
    number = Fraction((match["percent"] or match["decimal"]).replace(",", ""))
    return number / 100 if match["percent"] else number


def _blanked(text: str) -> str:
    """The text with everything that holds no figure replaced by blanks of the same length."""
    return _NO_FIGURE.sub(lambda match: " " * len(match[0]), text)


# --- Anchors


def markdown(notebook: NotebookNode) -> Iterator[tuple[str, NotebookNode, set[Value]]]:
    """Markdown cells with their places and the values that hold their figures.

    A section's figures are held by its own asserts, those of the opening (up to section 1) by all.
    """
    code = [cell.source if cell.cell_type == "code" else "" for cell in notebook.cells]
    modules = set().union(*map(_modules, code))
    section, sections, asserted = 0, [], {}
    for cell, source in zip(notebook.cells, code, strict=True):
        if cell.cell_type == "markdown":
            section += len(re.findall(r"^## ", _blanked(cell.source), re.MULTILINE))
        sections.append(section)
        if not _tagged(cell, "exercise"):
            asserted.setdefault(section, set()).update(_asserted(source, modules))
    everywhere = set().union(*asserted.values())
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type == "markdown":
            section = sections[number - 1]
            held = everywhere if section <= 1 else asserted[section]
            place = f"cell {number} ({(cell.source.strip().splitlines() or ['empty'])[0][:50]})"
            yield place, cell, held | _of_solution(notebook.cells[number - _tagged(cell, "solution") :])


def _of_solution(following: Iterable[NotebookNode]) -> set[Value]:
    """The numbers in the solution of the exercise that a cell states: the tests prove that it is right."""
    for cell in following:
        if _tagged(cell, "solution"):
            code = re.findall(r"^```python\n(.*?)^```", cell.source, re.MULTILINE | re.DOTALL)
            return set(_numbers(parsed("\n".join(code))))
        if not _tagged(cell, "exercise"):
            break
    return set()


def _tagged(cell: NotebookNode, tag: str) -> bool:
    return tag in cell.metadata.get("tags", [])


def parsed(code: str) -> ast.Module:
    """Code of a cell; lines for IPython (``%matplotlib``) left out."""
    return ast.parse("\n".join("" if line.startswith(("%", "!")) else line for line in code.splitlines()))


def _modules(code: str) -> set[str]:
    return {
        (name.asname or name.name).split(".")[0]
        for node in ast.walk(parsed(code))
        if isinstance(node, ast.Import)
        for name in node.names
    }


def _asserted(code: str, modules: set[str]) -> set[Value]:
    """The numbers in those asserts of a cell that run with it and look at a value of the lesson.

    ``assert np.isclose(0.9, 0.9)`` holds nothing, nor does an assert inside a function, which may never be
    called.
    """
    waiting, found = list(parsed(code).body), set()
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if isinstance(node, ast.Assert):
            called = {part.func for part in ast.walk(node.test) if isinstance(part, ast.Call)}
            names = {
                part.id for part in ast.walk(node.test) if isinstance(part, ast.Name) and part not in called
            }
            if names - modules - set(dir(builtins)):
                found |= set(_numbers(node.test))
        waiting += [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]
    return found


def _numbers(node: ast.AST) -> Iterator[Value]:
    """Numbers with a point, fractions of two whole numbers as written, and whole numbers that are compared.

    Tolerances (keywords) are no part of the claim.
    """
    if isinstance(node, ast.keyword):
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, float) and math.isfinite(node.value):
        yield Fraction(repr(node.value))
    if isinstance(node, ast.Compare | ast.Tuple | ast.List):  # what is compared, and no part of a calculation
        whole = [getattr(part, "value", None) for part in ast.iter_child_nodes(node)]
        yield from ((value,) for value in whole if type(value) is int)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        sides = [getattr(side, "value", None) for side in (node.left, node.right)]
        if all(type(side) is int for side in sides):
            yield tuple(sides)
    for child in ast.iter_child_nodes(node):
        yield from _numbers(child)


# --- Arithmetic


@dataclass(frozen=True)
class Equality:
    """Two neighbours in a typed chain of equals, each as the interval that its printed digits allow."""

    text: str
    left: tuple[float, float]
    right: tuple[float, float]

    @property
    def holds(self) -> bool:
        slack = 1e-9 * max(1.0, *map(abs, (*self.left, *self.right)))
        return self.left[0] <= self.right[1] + slack and self.right[0] <= self.left[1] + slack


# In a sentence, a run of arithmetic begins with a number, a bracket or a root, and holds a sign of equality.
_ARITHMETIC = r"[\d\s.,()+−–×·*/÷^√%-]"
_RUN = re.compile(rf"[\d(√−-]{_ARITHMETIC}*(?:[=≈]{_ARITHMETIC}+)+")
_OPERATORS = tuple("+−–×·*/÷^√=≈")
_BREAKS = re.compile(  # what ends a chain in a formula
    r"\\(?:le|leq|ge|geq|lt|gt|neq?|to|in|qquad|quad|Rightarrow|longrightarrow)(?![a-zA-Z])"
    r"|\\\\|[<>&]|(?<!\\)[;,](?=\s|\\)"
)


def equalities(text: str) -> list[Equality]:
    """Equalities of a Markdown text that can be computed, in formulas and between numbers in sentences."""
    text = re.sub(r"`[^`\n]*`", lambda match: " " * len(match[0]), _blanked(text))
    chains = [
        part for match in _FORMULA.finditer(text) for part in _BREAKS.split(match["shown"] or match["inline"])
    ]
    plain = _FORMULA.sub(lambda match: "$" * len(match[0]), text)
    for match in _RUN.finditer(plain):
        before, after = plain[: match.start()], plain[match.end() :]
        goes_on = re.search(r"[\w$]$", before) or before.rstrip().endswith(_OPERATORS)
        goes_on = goes_on or match[0].rstrip().endswith(_OPERATORS)
        goes_on = goes_on or (not match[0][-1].isspace() and re.match(r"[\w$]", after))
        if not goes_on:
            chains.append(match[0])
    return [equality for chain in chains for equality in _chain(chain)]


def _chain(text: str) -> Iterator[Equality]:
    sides = re.split(r"(=|≈|\\approx(?![a-zA-Z]))", text)
    for place in range(0, len(sides) - 2, 2):
        left, sign, right = sides[place : place + 3]
        about = sign != "="
        a, b = _evaluated(left, about), _evaluated(right, about)
        if a is not None and b is not None:
            yield Equality(f"{left.strip()} {sign} {right.strip()}", a, b)


_FUNCTIONS = {"sqrt": math.sqrt, "log2": math.log2, "ln": math.log, "exp": math.exp}
_OPERATIONS = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: a**b,
}
_ARGUMENT = r"\s*(\d|\{[^{}]*\})"
_WRITTEN_AS = [  # Markdown and TeX on the left, Python on the right; brackets are opened from the innermost
    (r"\\[dt]?frac" + _ARGUMENT * 2, r"((\1)/(\2))"),
    (r"\\sqrt" + _ARGUMENT, r"sqrt(\1)"),
    (r"√\s*(\d+(?:\.\d+)?|\([^()]*\))", r"sqrt(\1)"),
    (r"\\log_(?:2|\{2\})\s*(\d+(?:\.\d+)?|\([^()]*\))", r"log2(\1)"),
    (r"\\(ln|exp)\s*(\d+(?:\.\d+)?|\([^()]*\))", r"\1(\2)"),
    (r"\^" + _ARGUMENT, r"**(\1)"),
    (r"(?<![\w}])\{([^{}]*)\}", r"(\1)"),
]


_LABEL = re.compile(r"^\s*\\text\s*\{[^{}]*:\s*\}")  # \text{linear gain: }


def _evaluated(text: str, about: bool = False) -> tuple[float, float] | None:
    """The interval of an arithmetic expression, or None for anything else.

    A number that stands alone is known to half its last digit (a whole one is exact, but after ``≈``). Inside
    a longer expression that is so from three decimals on; shorter ones are taken as exact.
    """
    text = re.sub(r"(?:\s|\\[,; ]|[.,;:])+$", "", _LABEL.sub("", text)).strip()
    text = re.sub(r"\\(?:[,;:! ]|(?:left|right|[bB]igg?[lr]?|;)(?![a-zA-Z]))", " ", text)
    text = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text)
    for sign, plain in {"−": "-", "–": "-", "×": "*", "·": "*", "÷": "/"}.items():
        text = text.replace(sign, plain)
    text = re.sub(r"\\(?:cdot|times)(?![a-zA-Z])", "*", text)
    before = None
    while before != text:
        before = text
        for written, python in _WRITTEN_AS:
            text = re.sub(
                written, lambda match, to=python: match.expand(to).replace("{", "(").replace("}", ")"), text
            )
    alone = bool(re.fullmatch(r"-?\s*\d+(?:\.\d+)?\s*(?:\\?%)?", text))
    text = re.sub(r"(?<![\w.])(\d+(?:\.\d+)?)(?:\s*\\?(%))?", r'"\1\2"', text)
    try:
        return _interval(ast.parse(text.strip(), mode="eval").body, alone, about)
    except (SyntaxError, ValueError, ZeroDivisionError, OverflowError):
        return None


def _interval(node: ast.expr, alone: bool, about: bool) -> tuple[float, float]:
    """Raises ``ValueError`` for whatever is not arithmetic."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        number = node.value.rstrip("%")
        decimals = len(number.partition(".")[2])
        rounded = (alone and (decimals or about or "%" in node.value)) or decimals >= 3
        half = 0.5 * 10.0**-decimals if rounded else 0.0
        scale = 100 if "%" in node.value else 1
        return (float(number) - half) / scale, (float(number) + half) / scale
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        low, high = _interval(node.operand, alone, about)
        return -high, -low
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATIONS:
        sides = _interval(node.left, alone, about), _interval(node.right, alone, about)
        if isinstance(node.op, ast.Pow) and max(map(abs, (*sides[0], *sides[1]))) > 1000:
            raise ValueError("too large a power")
        corners = [_OPERATIONS[type(node.op)](a, b) for a in sides[0] for b in sides[1]]
        if any(isinstance(corner, complex) for corner in corners):
            raise ValueError("no real number")
        return min(corners), max(corners)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS:
        (argument,) = node.args
        low, high = (_FUNCTIONS[node.func.id](end) for end in _interval(argument, alone, about))
        return low, high
    raise ValueError("no arithmetic")


# --- References

_MENTION = re.compile(
    r"\b[Cc]hapters?\s+(\d\d[a-z]?(?:(?:,? (?:and|or|to) |, ?|–|-)\d\d[a-z]?)*)"
    r"|\]\([\w./]*?(\d\d[a-z]?)_\w+(?:\.\w+)?\)"
)
_PLANNED = re.compile(r"not written yet|planned", re.IGNORECASE)


def wrong_references(text: str, written: Iterable[str]) -> list[str]:
    """Sentences that send a reader to a chapter that is not written, or call one planned that is.

    ``written`` holds the numbers of the lessons that exist: ``"02"``, ``"04a"``.
    """
    written = set(written) | {number[:2] for number in written}
    found = []
    for sentence in re.split(r"(?<=[.!?])\s+(?=[^a-z])|\n\s*\n|\n\s*[-|*]", text):
        named = {
            number for match in _MENTION.finditer(sentence) for number in re.findall(r"\d\d[a-z]?", match[0])
        }
        if bool(named - written) != bool(named and _PLANNED.search(sentence)):
            found.append(f"{', '.join(sorted(named))}: {sentence.strip()[:200]}")
    return found
