"""The tools that make notebooks, on a course of one small chapter."""

import json
import time

import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from notebooks.make import execution, inspection, pairing
from notebooks.make.__main__ import main
from notebooks.make.plan import Course, CourseError


@pytest.fixture(autouse=True)
def no_kernel_outlives_its_chapter():
    """In every test here. A kernel holds a gigabyte; seven of them would not fit into a laptop."""
    before = set(psutil.Process().children(recursive=True))
    yield
    left = set(psutil.Process().children(recursive=True)) - before
    assert [child for child in left if child.status() != psutil.STATUS_ZOMBIE] == []


def edit(course, old, new):
    source = course.source(course.chapters[0])
    text = source.read_text(encoding="utf-8")
    assert old in text
    source.write_text(text.replace(old, new), encoding="utf-8")


def write_failing_source(course):
    source = (
        '# %% [markdown]\n# # Toy\n\n# %% tags=["parameters"]\nscale = "small"\nsize = 1\n\n# %%\n1 / 0\n'
    )
    course.source(course.chapters[0]).write_text(source, encoding="utf-8")


def add_a_chapter(course):
    """A second chapter, which runs well; returns all chapters."""
    plan = course.folder / "plan.toml"
    rows = plan.read_text(encoding="utf-8")
    plan.write_text(rows + rows.replace("02_toy", "03_other"), encoding="utf-8")
    source = '# %% [markdown]\n# # Other\n\n# %% tags=["parameters"]\nscale = "small"\n\n# %%\nscale\n'
    (course.folder / "source" / "03_other.py").write_text(source, encoding="utf-8")
    vars(course).pop("chapters")  # read again
    execution.sync(course, course.chapters[1])
    return course.chapters


def cells(course):
    return pairing.read(course.notebook(course.chapters[0])).cells


def test_execute_stores_outputs_and_counts(toy):
    code = [cell for cell in cells(toy) if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not any("execution" in cell.metadata for cell in code)
    assert "version" not in pairing.read(toy.notebook(toy.chapters[0])).metadata["language_info"]


def test_executing_twice_gives_the_same_file(toy):
    path = toy.notebook(toy.chapters[0])
    before = path.read_bytes()
    execution.execute(toy, toy.chapters[0])
    assert path.read_bytes() == before


def test_sync_keeps_ids_and_the_outputs_of_unchanged_cells(toy):
    before = cells(toy)
    assert not execution.sync(toy, toy.chapters[0])
    edit(toy, "size * 1.5", "size * 2.5")
    edit(toy, "# ## Numbers", "# ## Numbers\n#\n# They follow.\n\n# %%\nprint('new')")
    assert execution.sync(toy, toy.chapters[0])
    after = cells(toy)
    new = next(cell for cell in after if cell.source == "print('new')")
    assert new.id not in {cell.id for cell in before}
    assert [cell.id for cell in after if cell is not new] == [cell.id for cell in before]
    edited = next(cell for cell in after if cell.source == "size * 2.5")
    assert edited.outputs == []
    assert edited.execution_count is None
    kept = next(cell for cell in after if cell.source.startswith("show.say"))
    assert kept.outputs
    assert not execution.sync(toy, toy.chapters[0])


def test_a_stale_notebook_is_told_in_milliseconds(toy):
    began = time.perf_counter()
    assert execution.check(toy, toy.chapters[0]) == []
    assert time.perf_counter() - began < 0.5
    edit(toy, "size * 1.5", "size * 2.5")
    execution.sync(toy, toy.chapters[0])
    assert "its code changed" in execution.check(toy, toy.chapters[0])[0]


FAULTS = [
    ("size * 1.5", "__import__('warnings').warn('old')", "writes to stderr"),
    ("size * 1.5", "print(__import__('os').getcwd())", "a path of a machine"),
    ("size * 1.5", "object()", "an address in memory"),
    ("size * 1.5", "print('at 12:30:59')", "a time of day"),
    ("size * 1.5", "print('took 1.5 s')", "a duration"),
    ("size * 1.5", "print(0.1 + 0.2 - 0.3)", "a number below 0.00001"),
    ("show.figure(figure,", "plt.show(); show.figure(plt.figure(),", "without alt text"),
    ("# ## Exercise", "# #### Exercise", "skips a level"),
    ("answer = 42\n# ```", "answers = 42\n# ```", "solution of 02.1 gives no value to answer"),
    ("answer = ...", "answer = 41", "exercise 02.1 shows ['exercise: wrong']"),
    ("size * 1.5", "learn.verdict('D1-17', 'correct', 'Again.', data='none')", "given twice"),
    ('# %% tags=["parameters"]', "# %%", "tagged 'parameters'"),
    ('# %% tags=["quiz"]', '# %% tags=["quiz", "hide_input"]', "nothing knows the tag 'hide_input'"),
]


def test_execute_refuses_what_must_not_be_stored_and_names_every_fault(toy):
    """All faults at once: one run, and the committed notebook stays as it was."""
    path = toy.notebook(toy.chapters[0])
    before = path.read_bytes()
    for old, new, _ in FAULTS:
        if old == "size * 1.5":
            edit(toy, "# ## Numbers\n", f"# ## Numbers\n\n# %%\n{new}\n")
        else:
            edit(toy, old, new)
    with pytest.raises(CourseError) as caught:
        execution.execute(toy, toy.chapters[0])
    for _, _, fault in FAULTS:
        assert fault in str(caught.value)
    assert path.read_bytes() == before


def test_check_holds_a_lesson_to_its_bounds_and_a_chapter_that_is_not_cut_yet_to_its_minutes(toy):
    def checked(old, new):
        plan = toy.folder / "plan.toml"
        rows = plan.read_text(encoding="utf-8")
        plan.write_text(rows.replace(old, new, 1), encoding="utf-8")
        course = Course(toy.root)
        found = execution.check(course, course.chapters[0])
        plan.write_text(rows, encoding="utf-8")
        return found

    assert checked("minutes = 16", "minutes = 17") == []
    (found,) = checked("minutes = 16", "minutes = 30")
    assert "takes 16 honest minutes, and notebooks/plan.toml states 30" in found
    whole = checked("whole = false\n", "")
    assert [fault.split(" cell")[0] for fault in whole] == [
        "has 35 unfolded lines of code per 100 words, more than 15",
        "has no",
        "has 0",
    ]


def test_execute_names_the_error_of_a_chapter_that_stops(toy):
    before = toy.notebook(toy.chapters[0]).read_bytes()
    write_failing_source(toy)
    with pytest.raises(CourseError, match="02_toy stopped: ZeroDivisionError: division by zero"):
        execution.execute(toy, toy.chapters[0])
    assert toy.notebook(toy.chapters[0]).read_bytes() == before


@pytest.mark.parametrize("shown", ["1.0e-09", "error 9e-06,", "[-2.2E-16]", "1.23e-5 and 4e-10", "5.55e−17"])
def test_a_number_that_may_be_a_rounding_error_is_a_fault(shown):
    assert any("a number below 0.00001" in fault for fault in inspection.traces(printing(shown)))


@pytest.mark.parametrize(
    "shown", ["1e-05", "1.23e-4", "0.000001", "1e6", "file-1e-09x", "type-e-07", "arXiv e-10"]
)
def test_a_small_number_that_says_something_is_none(shown):
    assert inspection.traces(printing(shown)) == []


def printing(text):
    cell = new_code_cell("...", outputs=[new_output("stream", name="stdout", text=text)])
    return new_notebook(cells=[cell])


def test_a_tolerance_needs_a_reason(toy):
    notebook = pairing.read(toy.notebook(toy.chapters[0]))
    cell = next(cell for cell in notebook.cells if cell.source == "size * 1.5")
    cell.metadata["tags"] = ["tolerance=0.01"]
    assert any("needs reason" in fault for fault in inspection.faults(notebook))
    cell.metadata["reason"] = "a sum over threads"
    assert inspection.faults(notebook) == []


def test_a_run_reports_and_an_unchanged_chapter_is_reused(toy, capsys):
    report = execution.run(toy, toy.chapters, parameters={"seed": 1})
    (row,) = report["chapters"]
    assert row["error"] is None
    assert row["parameters"] == {"scale": "small", "seed": 1}
    assert row["peak_memory_mb"] > 50
    assert execution.words(row) == {"D1-17": "corrected"}
    assert report["tally"]["entries"] == report["tally"]["open"] + 1
    assert json.loads((toy.root / "build/run/report.json").read_text(encoding="utf-8")) == report
    mean = next(
        cell.outputs[0].data["text/markdown"] for cell in cells(toy) if 'show.say(f"The **mean' in cell.source
    )
    assert mean not in (toy.root / "build/run/02_toy.ipynb").read_text(encoding="utf-8")

    again = execution.run(toy, toy.chapters, parameters={"seed": 1})
    assert again["chapters"][0]["reused"]
    assert "reused" in capsys.readouterr().out
    summary = execution.summary(again)
    assert "1 (reused)" in summary
    assert "D1-17  corrected             A user and an item in seven dimensions" in summary
    assert "this chapter settles 1 of" in summary


def test_changed_exercises_are_a_reason_to_run_their_lesson_again_and_no_other(toy):
    """What a check shows depends on the judges."""
    marks = [execution._fingerprint(toy, toy.chapters[0], {"scale": "small"})]
    for name in ("lesson_03.py", "lesson_02.py"):
        with (toy.folder / "exercises" / name).open("a", encoding="utf-8") as file:
            file.write("# another judge\n")
        marks.append(execution._fingerprint(toy, toy.chapters[0], {"scale": "small"}))
    assert marks[0] == marks[1] != marks[2]


def test_a_chapter_that_stops_is_reported_and_not_reused(toy):
    write_failing_source(toy)
    execution.sync(toy, toy.chapters[0])
    (row,) = execution.run(toy, toy.chapters, scale="full")["chapters"]
    assert row["parameters"] == {"scale": "full", "size": 20}
    assert row["error"].endswith("ZeroDivisionError: division by zero")
    report = execution.run(toy, toy.chapters, scale="full")
    assert not report["chapters"][0]["reused"]
    assert "02_toy stopped: cell" in execution.summary(report)


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("assert 1 == 2", "AssertionError"),
        ("raise ValueError", "ValueError"),
        ("raise ValueError('\\n')", "ValueError"),
        ("import os; os._exit(3)", "DeadKernelError: Kernel died See 02_toy.log."),
    ],
)
def test_a_chapter_that_stops_without_a_word_does_not_keep_the_others_from_running(toy, cell, said):
    write_failing_source(toy)
    edit(toy, "1 / 0", cell)
    execution.sync(toy, toy.chapters[0])
    row, other = execution.run(toy, add_a_chapter(toy))["chapters"]
    assert row["error"].endswith(said)
    assert (other["key"], other["error"]) == ("03_other", None)
    stored = json.loads((toy.root / "build/run/report.json").read_text(encoding="utf-8"))
    assert [row["error"] is None for row in stored["chapters"]] == [False, True]


def test_what_papermill_would_pass_over_is_refused_first(toy):
    with pytest.raises(CourseError, match="no parameter 'depth': it has scale, seed, size"):
        execution.run(toy, toy.chapters, parameters={"depth": 1})
    with pytest.raises(CourseError, match="no scale 'huge': it has small, full"):
        execution.run(toy, toy.chapters, scale="huge")
    path = toy.notebook(toy.chapters[0])
    notebook = pairing.read(path)
    notebook.cells[1].metadata["tags"] = []
    pairing.write(notebook, path, toy.work)
    with pytest.raises(CourseError, match="no cell tagged 'parameters'"):
        execution.run(toy, toy.chapters)
    assert not (toy.root / "build" / "run").exists()


def test_a_chapter_can_be_named_in_three_ways(toy):
    for word in ("02_toy", "02", "2", "toy"):
        assert [chapter.key for chapter in toy.pick([word])] == ["02_toy"]
    assert toy.pick([]) == toy.chapters
    with pytest.raises(CourseError, match=r"no chapter '77'\. Chapters: 02_toy"):
        toy.pick(["77"])


def test_plan_and_sources_must_agree(toy):
    (toy.folder / "source" / "03_more.py").write_text("# %%\n1\n", encoding="utf-8")
    with pytest.raises(CourseError, match="03_more has no row"):
        _ = toy.chapters


def test_an_unknown_chapter_is_one_clear_line_on_the_command_line(capsys):
    assert main(["run", "no-such-chapter"]) == 1
    assert capsys.readouterr().err.startswith("There is no chapter 'no-such-chapter'. Chapters:")
