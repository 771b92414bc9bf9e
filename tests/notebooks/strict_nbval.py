"""nbval with the course's own kernel and comparison: every output, floats as far as they are printed.

A pytest plugin: `python -m pytest -p strict_nbval some.ipynb` compares one notebook.
"""

import ast

import pytest
from jupyter_client.manager import KernelManager
from nbval.kernel import RunningKernel
from nbval.plugin import IPyNbCell, IPyNbFile

from notebooks.make import pairing, solutions
from notebooks.make.compare import difference, tolerance_of
from notebooks.make.kernel import ThisPython, settings


class ChapterNotebook(IPyNbFile):
    """A notebook whose cells are tests, run in one kernel."""

    cell_timeout = 600  # seconds; the chapter's own, where it has one

    def setup(self):
        self.config.option.nbval_cell_timeout = self.cell_timeout
        self.kernel = ChapterKernel(self.path.parent)

    def collect(self):
        found, _ = solutions.lift(pairing.read(self.path))  # what is missing is told by inspection
        for cell in super().collect():
            yield ChapterCell.from_parent(
                self, name=cell.name, cell_num=cell.cell_num, cell=cell.cell, options=cell.options
            )
            if cell.cell.id in found:
                solution = found[cell.cell.id]
                yield SolutionTrial.from_parent(self, name=f"Solution {solution.key}", solution=solution)


class ChapterCell(IPyNbCell):
    """One code cell: its stored outputs against fresh ones."""

    def compare_outputs(self, test, ref, skip_compare=None):
        found = difference(ref, test, tolerance_of(self.cell))
        self.comparison_traceback = [found] if found else []
        return found is None


class SolutionTrial(pytest.Item):
    """A solution lifted out of its Markdown cell, in the kernel that has just run the exercise's cell.

    It is evaluated among copies of the lesson's names, as an expression: the lesson goes on as if nothing
    had happened.
    """

    def __init__(self, *, solution, **options):
        super().__init__(**options)
        self.solution = solution

    def runtest(self):
        trial = f"__import__({solutions.__name__!r}, fromlist=['*']).{self.solution!r}.assess(globals())"
        reply = self.parent.kernel.kc.execute(
            "",
            silent=True,
            user_expressions={"assessed": trial},
            reply=True,
            timeout=self.config.option.nbval_cell_timeout,
        )
        assessed = reply["content"]["user_expressions"]["assessed"]
        assert assessed["status"] == "ok", "\n".join(assessed["traceback"])
        status, message = ast.literal_eval(assessed["data"]["text/plain"])
        assert status == "right", f"the solution of exercise {self.solution.key} is {status}: {message}"

    def reportinfo(self):
        return self.path, None, self.name


class ChapterKernel(RunningKernel):
    """nbval's kernel, started as `notebooks.make` starts its own."""

    def __init__(self, folder):
        self.km = KernelManager(kernel_name="python3", kernel_spec_manager=ThisPython())
        self.km.start_kernel(**settings(folder))
        self.kc = self.km.client()
        self.kc.start_channels()
        self.kc.wait_for_ready(timeout=60)
        self._ensure_iopub_up()


def pytest_collect_file(file_path, parent):
    """Take every notebook that pytest is pointed at."""
    if file_path.suffix == ".ipynb":
        return ChapterNotebook.from_parent(parent, path=file_path)


def chapters_of(course):
    """A collector of the committed notebooks of a course, wherever their folder is."""

    class Chapters(pytest.File):
        def collect(self):
            for chapter in course.chapters:
                if course.notebook(chapter).exists():
                    notebook = ChapterNotebook.from_parent(self, path=course.notebook(chapter))
                    notebook.cell_timeout = chapter.timeout
                    yield notebook

    return Chapters
