"""Collects the committed notebooks beside test_chapters.py; makes a small course to test the tools on."""

import shutil
from pathlib import Path

import pytest
from strict_nbval import chapters_of
from toy_chapter import make_toy_course

from notebooks.make import execution
from notebooks.make.plan import Course

ROOT = Path(__file__).resolve().parents[2]


def pytest_collect_file(file_path, parent):
    if file_path.name == "test_chapters.py":
        return chapters_of(Course(ROOT)).from_parent(parent, path=file_path)


@pytest.fixture(scope="session")
def executed_toy(tmp_path_factory):
    """A course of one small chapter, executed once. Tests copy it before they change it."""
    course = make_toy_course(tmp_path_factory.mktemp("toy"))
    execution.execute(course, course.chapters[0])
    return course


@pytest.fixture
def toy(executed_toy, tmp_path):
    """A copy of the executed small course, to be changed at will."""
    shutil.copytree(executed_toy.root, tmp_path / "course")
    return Course(tmp_path / "course")
