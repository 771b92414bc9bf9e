"""nbval with the course's own kernel and comparison: every output, floats as far as they are printed.

A pytest plugin: `python -m pytest -p strict_nbval some.ipynb` compares one notebook.
"""

import pytest
from jupyter_client.manager import KernelManager
from nbval.kernel import RunningKernel
from nbval.plugin import IPyNbCell, IPyNbFile

from notebooks.make.compare import difference, tolerance_of
from notebooks.make.kernel import ThisPython, settings


class ChapterNotebook(IPyNbFile):
    """A notebook whose cells are tests, run in one kernel."""

    cell_timeout = 600  # seconds; the chapter's own, where it has one

    def setup(self):
        self.config.option.nbval_cell_timeout = self.cell_timeout
        self.kernel = ChapterKernel(self.path.parent)

    def collect(self):
        for cell in super().collect():
            yield ChapterCell.from_parent(
                self, name=cell.name, cell_num=cell.cell_num, cell=cell.cell, options=cell.options
            )


class ChapterCell(IPyNbCell):
    """One code cell: its stored outputs against fresh ones."""

    def compare_outputs(self, test, ref, skip_compare=None):
        found = difference(ref, test, tolerance_of(self.cell))
        self.comparison_traceback = [found] if found else []
        return found is None


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
