"""Solutions: each is a folded Markdown cell below its exercise, so that nothing of it runs for a learner.

A solution gives the exercise's stub its value: the tests lift its code out of the Markdown, run it, and hand
to the judge what the exercise's own cell hands over.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode

from course_lib.learn.exercise import find

_FORM = re.compile(
    r"<details>\n<summary>[^\n]+</summary>\n\n(?:(?:(?!```).)*\n\n)?```python\n(?P<code>(?:(?!```).)+)\n```\n\n"
    r"</details>",
    re.DOTALL,
)


@dataclass(frozen=True)
class Solution:
    """The solution of one exercise: its ``code``, and the expression that ``learn.check`` gets (``answer``).

    Both run among the names that the lesson has defined when its reader comes to the exercise.
    """

    key: str
    code: str
    answer: str

    def value(self, names: dict[str, Any]) -> Any:
        """The answer that the code gives, in a copy of ``names``: the lesson's own names stay as they are."""
        space = dict(names)
        exec(compile(self.code, f"<solution {self.key}>", "exec"), space)
        return eval(self.answer, space)

    def assess(self, names: dict[str, Any]) -> tuple[str, str]:
        """What the judge says to it: status and sentence, as from ``Exercise.assess``."""
        return find(self.key).assess(self.value(names))


def lift(notebook: NotebookNode) -> tuple[dict[str, Solution], list[str]]:
    """The solutions of a notebook by the id of their exercise's cell, and a line for each that is amiss."""
    solutions: dict[str, Solution] = {}
    faults: list[str] = []
    waiting: NotebookNode | None = None  # an exercise that has no solution yet
    for number, cell in enumerate(notebook.cells, start=1):
        tags = cell.metadata.get("tags", [])
        if "exercise" in tags and cell.cell_type == "code":
            if waiting is not None:
                faults.append(_without(waiting))
            waiting = cell
        elif "solution" in tags and cell.cell_type != "markdown":
            faults.append(
                f"cell {number}: a solution that is code runs in a learner's kernel; "
                'make it a folded cell, `# %% [markdown] tags=["solution"]`'
            )
        elif "solution" in tags:
            if waiting is None:
                faults.append(f"cell {number}: a solution without an exercise before it")
                continue
            try:
                solutions[waiting.id] = _solution(waiting.source, cell.source)
            except ValueError as error:
                faults.append(f"cell {number}: {error}")
            waiting = None
    if waiting is not None:
        faults.append(_without(waiting))
    return solutions, faults


def _without(exercise: NotebookNode) -> str:
    first = exercise.source.strip().splitlines()[0]
    return f'the exercise `{first}` needs a Markdown cell tagged "solution" before the next exercise'


def _solution(exercise: str, solution: str) -> Solution:
    checks = [
        node
        for node in ast.walk(ast.parse(exercise))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "learn.check"
    ]
    if len(checks) != 1 or len(checks[0].args) != 2 or not isinstance(checks[0].args[0], ast.Constant):
        raise ValueError('an exercise\'s cell ends with one call like `learn.check("02.1", answer)`')
    key, answer = checks[0].args[0].value, checks[0].args[1]
    form = _FORM.fullmatch(solution.strip())
    if form is None:
        raise ValueError(
            f"the solution of {key} needs this form, empty lines included: <details>, "
            "<summary>…</summary>, words, one block of ```python, </details>"
        )
    try:
        tree = ast.parse(form["code"])
    except SyntaxError as error:
        raise ValueError(f"the solution of {key} is no Python: {error}") from None
    wanted = {node.id for node in ast.walk(answer) if isinstance(node, ast.Name)}
    given = {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    given |= {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    if missing := sorted(wanted - given):
        raise ValueError(f"the solution of {key} gives no value to {', '.join(missing)}")
    return Solution(key, form["code"], ast.unparse(answer))
