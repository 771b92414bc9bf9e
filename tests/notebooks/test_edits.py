"""What a learner saved survives every command: byte for byte, or kept in work/ with its path printed."""

import json
import subprocess

import nbformat
import pytest

from notebooks.make import __main__ as command_line
from notebooks.make import desk, edits, execution, pairing
from notebooks.make.plan import CourseError

ANSWER = "answer = ...  # ask Eva: (1, 2) or (2, 1)?"


@pytest.fixture
def here(toy, monkeypatch):
    """The toy course as the folder that one stands in, and as the course of the command line."""
    monkeypatch.chdir(toy.root)
    monkeypatch.setattr(command_line, "ROOT", toy.root)
    monkeypatch.setattr(command_line, "ACCEPTED", toy.root / "verdicts.json")
    (toy.root / "README.md").write_text("# Toy\n", encoding="utf-8")
    return toy


def notebook(course):
    return course.notebook(course.chapters[0])


def type_an_answer(path):
    """Save a notebook as JupyterLab does, with an answer, and without its solution's outputs."""
    saved = nbformat.read(path, as_version=4)
    cell = next(cell for cell in saved.cells if "exercise" in cell.metadata.get("tags", []))
    cell.source = cell.source.replace("answer = ...", ANSWER)
    nbformat.write(saved, path)
    return path.read_bytes()


def run_a_cell(path):
    """Save a notebook in which one cell was run once more."""
    saved = nbformat.read(path, as_version=4)
    cell = next(cell for cell in saved.cells if cell.get("outputs"))
    cell.execution_count = 77
    nbformat.write(saved, path)
    return path.read_bytes()


def save_from_elsewhere(path):
    """Save a notebook by a tool that keeps no metadata, and types one space."""
    saved = nbformat.read(path, as_version=4)
    saved.metadata.pop("course")
    saved.cells[0].source += " "
    nbformat.write(saved, path)
    return path.read_bytes()


def cut_short(path):
    """Half a notebook, as a full disk or a merge leaves it."""
    path.write_bytes(path.read_bytes()[:-100])
    return path.read_bytes()


each_edit = pytest.mark.parametrize("edit", [type_an_answer, run_a_cell, save_from_elsewhere, cut_short])


def change_source(course, old, new):
    source = course.source(course.chapters[0])
    text = source.read_text(encoding="utf-8")
    assert old in text
    source.write_text(text.replace(old, new), encoding="utf-8")


def places_of(content, course):
    """All files of a course that have this content."""
    return [path for path in course.root.rglob("*.ipynb") if path.read_bytes() == content]


# ── The seal ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_notebook_of_the_kit_is_known_with_any_line_ends(toy):
    path = notebook(toy)
    assert edits.is_as_written(path)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert edits.is_as_written(path)


@each_edit
def test_a_saved_notebook_is_told_from_one_of_the_kit(toy, edit):
    edit(notebook(toy))
    assert not edits.is_as_written(notebook(toy))


def test_a_seal_that_a_cell_quotes_is_text_like_any_other(toy):
    path = notebook(toy)
    saved = pairing.read(path)
    saved.cells[0].source += f'\n"{edits.SEAL}": "{"a" * 64}"'
    pairing.write(saved, path, toy.work)
    assert edits.is_as_written(path)
    path.write_text(path.read_text(encoding="utf-8").replace("a" * 64, "b" * 64), encoding="utf-8")
    assert not edits.is_as_written(path)


# ── Commands ──────────────────────────────────────────────────────────────────────────────────────────────


def test_every_command_leaves_or_keeps_what_a_learner_saved(here, capsys):
    """All commands that there are, one after the other, over edits in every folder that holds notebooks."""
    change_source(
        here, "# ## Numbers", "# ## Numbers and words"
    )  # so that every command has a reason to write
    desk.lay_out(here)
    name = notebook(here).name
    folders = {"notebooks": notebook(here), "work": here.work / name}
    folders |= {folder: here.root / "build" / folder / name for folder in ("run", "execute")}
    for folder in ("run", "execute"):
        edits.replace(folders[folder], folders["notebooks"].read_bytes())
    (there,) = (action for action in command_line._parser()._actions if action.choices)
    words = {command: [command] for command in there.choices}
    words["check"] += ["--fix"]
    words["lessons"] += ["--fresh", "toy"]
    words["run"] += ["--fresh"]
    for number, (command, typed) in enumerate(words.items()):
        saved = {}
        for folder, path in folders.items():
            content = type_an_answer(path).replace(
                ANSWER.encode(), f"answer = ...  # {number}{folder}".encode()
            )
            path.write_bytes(content)
            saved[folder] = content
        capsys.readouterr()
        # check: without outputs it is stale; readme: that of the toy has no parts that code writes
        assert command_line.main(typed) == (command in ("check", "readme")), command
        printed = capsys.readouterr().out
        for folder, content in saved.items():
            found = places_of(content, here)
            assert found, f"{command} lost the edit in {folder}"
            if folders[folder] not in found:
                assert str(found[0].relative_to(here.root)) in printed, f"{command} hid the edit in {folder}"


@each_edit
def test_sync_keeps_the_edit_and_takes_no_output_from_it(toy, edit, capsys):
    content = edit(notebook(toy))
    (fault,) = execution.check(toy, toy.chapters[0])
    assert fault.startswith("was saved by hand: run `python course.py check 02_toy --fix`")
    execution.sync(toy, toy.chapters[0])
    (kept,) = toy.work.glob("02_toy.kept-*.ipynb")
    assert kept.read_bytes() == content
    assert str(kept) in capsys.readouterr().out
    assert not any(cell.get("outputs") for cell in pairing.read(notebook(toy)).cells)
    assert "execute 02_toy" in execution.check(toy, toy.chapters[0])[0]


def test_a_run_tells_that_somebody_saved_a_notebook(toy, capsys):
    type_an_answer(notebook(toy))
    with pytest.raises(CourseError, match="no parameter 'depth'"):  # refused before it runs
        execution.run(toy, toy.chapters, parameters={"depth": 1})
    assert "was saved by hand, and is run as it is" in capsys.readouterr().out
    cut_short(notebook(toy))
    with pytest.raises(CourseError, match=r"cannot be read .* check 02_toy --fix"):
        execution.run(toy, toy.chapters)


@each_edit
def test_where_git_has_the_notebook_it_is_put_back_whole(toy, edit):
    before = notebook(toy).read_bytes()
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["add", "."], [*identity, "commit", "-q", "-m", "a"]):
        subprocess.run(["git", *words], cwd=toy.root, check=True)
    content = edit(notebook(toy))
    execution.sync(toy, toy.chapters[0])
    assert notebook(toy).read_bytes() == before
    assert execution.check(toy, toy.chapters[0]) == []
    assert len(places_of(content, toy)) == 1


def test_the_same_version_is_kept_once(toy, capsys):
    content = type_an_answer(notebook(toy))
    first = edits.keep(notebook(toy), toy.work)
    assert edits.keep(notebook(toy), toy.work) == first
    run_a_cell(notebook(toy))
    second = edits.keep(notebook(toy), toy.work)  # within the same second, too
    assert second != first
    assert first.read_bytes() == content
    assert capsys.readouterr().out.count("That version is kept: ") == 2


def test_a_run_that_is_killed_leaves_the_last_result(toy, monkeypatch):
    path = toy.root / "build" / "run" / notebook(toy).name
    before = notebook(toy).read_bytes()
    edits.replace(path, before)

    def killed(source, trial, *_, **__):
        nbformat.write(nbformat.v4.new_notebook(), trial)
        raise KeyboardInterrupt

    monkeypatch.setattr(execution.papermill, "execute_notebook", killed)
    with pytest.raises(KeyboardInterrupt):
        execution.run(toy, toy.chapters, fresh=True)
    assert path.read_bytes() == before


# ── Prose and code ────────────────────────────────────────────────────────────────────────────────────────


def test_changed_prose_needs_no_run(toy):
    outputs = [cell.get("outputs") for cell in pairing.read(notebook(toy)).cells]
    change_source(toy, "# ## Numbers", "# ## Numbers and words")
    (fault,) = execution.check(toy, toy.chapters[0])
    assert "older text" in fault
    assert "check 02_toy --fix" in fault
    assert execution.sync(toy, toy.chapters[0])
    assert execution.check(toy, toy.chapters[0]) == []
    assert [cell.get("outputs") for cell in pairing.read(notebook(toy)).cells] == outputs


@pytest.mark.parametrize(
    ("old", "new"),
    [("size * 1.5", "size * 2.5"), ("# %%\nsize * 1.5\n", ""), ("# %%\nsize", "# %%\n1\n\n# %%\nsize")],
)
def test_changed_code_needs_a_run_also_after_sync(toy, old, new):
    change_source(toy, old, new)
    assert "is stale, its code changed" in execution.check(toy, toy.chapters[0])[0]
    execution.sync(toy, toy.chapters[0])
    assert "is stale, its code changed" in execution.check(toy, toy.chapters[0])[0]


def test_changed_tags_are_taken_over_without_a_run(toy):
    change_source(toy, "# %%\nsize * 1.5", '# %% tags=["hide-input"]\nsize * 1.5')
    assert "older text" in execution.check(toy, toy.chapters[0])[0]
    execution.sync(toy, toy.chapters[0])
    assert execution.check(toy, toy.chapters[0]) == []


FOLDED, OPEN = '# %% tags=["hide-input"]\nsize * 1.5', "# %%\nsize * 1.5"


def folded_cells(path):
    """The code of the cells that JupyterLab shows folded."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["metadata"].get("jupyter")]


def ids_outputs_and_hash(path):
    read = pairing.read(path)
    return [(cell.id, cell.get("outputs")) for cell in read.cells], pairing.code_hash(read)


def test_a_tag_folds_a_cell_in_jupyterlab_too_and_nothing_else_changes(here, capsys):
    before = ids_outputs_and_hash(notebook(here))
    assert folded_cells(notebook(here)) == []
    change_source(here, OPEN, FOLDED)
    assert command_line.main(["check", "--fix"]) == 0
    assert folded_cells(notebook(here)) == ["size * 1.5"]
    cell = next(cell for cell in pairing.read(notebook(here)).cells if "jupyter" in cell.metadata)
    assert cell.metadata["jupyter"] == {"source_hidden": True}
    desk.lay_out(here)
    assert folded_cells(here.work / "02_toy.ipynb") == ["size * 1.5"]
    assert ids_outputs_and_hash(notebook(here)) == before
    change_source(here, FOLDED, OPEN)
    assert command_line.main(["check", "--fix"]) == 0
    assert folded_cells(notebook(here)) == []
    assert ids_outputs_and_hash(notebook(here)) == before


def test_a_notebook_that_is_not_folded_as_its_tags_say_is_told_and_repaired(here, capsys):
    change_source(here, OPEN, FOLDED)
    execution.sync(here, here.chapters[0])
    old = pairing.read(notebook(here))  # as it was written before tags folded anything
    for cell in old.cells:
        cell.metadata.pop("jupyter", None)
    pairing.write(old, notebook(here), here.work)
    before = ids_outputs_and_hash(notebook(here))
    assert "older text" in execution.check(here, here.chapters[0])[0]
    assert command_line.main(["check", "--fix"]) == 0
    assert folded_cells(notebook(here)) == ["size * 1.5"]
    assert ids_outputs_and_hash(notebook(here)) == before
    assert not here.work.exists()  # nothing was saved by hand, so nothing had to be kept


def test_words_cannot_be_folded_and_metadata_of_a_source_does_not_fold_either(here):
    change_source(here, OPEN, '# %% jupyter={"source_hidden": true}\nsize * 1.5')
    change_source(here, "# %% [markdown]\n# # A toy", '# %% [markdown] tags=["hide-input"]\n# # A toy')
    execution.sync(here, here.chapters[0])
    assert folded_cells(notebook(here)) == []


# ── The desk ──────────────────────────────────────────────────────────────────────────────────────────────


def renew(course, words="# ## Other numbers"):
    """A newer version of the lesson, as a new release of the course brings it."""
    change_source(course, "# ## Numbers", words)
    execution.sync(course, course.chapters[0])
    change_source(course, words, "# ## Numbers")
    return notebook(course).read_bytes()


def files(course):
    return sorted(path.name for path in course.work.iterdir())


def test_a_desk_holds_the_lessons_and_nothing_else(here, capsys):
    desk.lay_out(here)
    assert files(here) == [".lessons.json", "02_toy.ipynb"]
    assert (here.work / "02_toy.ipynb").read_bytes() == notebook(here).read_bytes()
    assert capsys.readouterr().out == ""


def test_a_copy_that_nobody_changed_is_renewed_silently(here, capsys):
    desk.lay_out(here)
    new = renew(here)
    desk.lay_out(here)
    assert files(here) == [".lessons.json", "02_toy.ipynb"]
    assert (here.work / "02_toy.ipynb").read_bytes() == new
    assert capsys.readouterr().out == ""


@each_edit
def test_a_newer_lesson_is_laid_beside_a_changed_copy_once(here, edit, capsys):
    desk.lay_out(here)
    mine = edit(here.work / "02_toy.ipynb")
    desk.lay_out(here)
    assert capsys.readouterr().out == ""
    new = renew(here)
    desk.lay_out(here)
    assert (here.work / "02_toy.ipynb").read_bytes() == mine
    assert (here.work / "02_toy.newer.ipynb").read_bytes() == new
    assert "work/02_toy.newer.ipynb" in capsys.readouterr().out.replace("\\", "/")
    (here.work / "02_toy.newer.ipynb").unlink()  # read, and not wanted
    desk.lay_out(here)
    assert files(here) == [".lessons.json", "02_toy.ipynb"]
    assert capsys.readouterr().out == ""


def test_a_newer_lesson_that_was_changed_too_is_not_written_over(here):
    desk.lay_out(here)
    first = type_an_answer(here.work / "02_toy.ipynb")
    renew(here)
    desk.lay_out(here)
    second = run_a_cell(here.work / "02_toy.newer.ipynb")
    third = renew(here, "# ## Still other numbers")
    desk.lay_out(here)
    laid = [here.work / f"02_toy{name}.ipynb" for name in ("", ".newer", ".newer-2")]
    assert [path.read_bytes() for path in laid] == [first, second, third]


def test_fresh_begins_anew_and_keeps_the_old_version_beside(here, capsys):
    desk.lay_out(here)
    kept = []
    for edit in (type_an_answer, run_a_cell):
        kept.append(edit(here.work / "02_toy.ipynb"))
        desk.lay_out(here, fresh=here.chapters)
        assert (here.work / "02_toy.ipynb").read_bytes() == notebook(here).read_bytes()
    assert [(here.work / name).read_bytes() for name in ("02_toy.old.ipynb", "02_toy.old-2.ipynb")] == kept
    printed = capsys.readouterr().out.replace("\\", "/")
    assert "work/02_toy.old.ipynb" in printed
    assert "work/02_toy.old-2.ipynb" in printed
    desk.lay_out(here, fresh=here.chapters)
    assert "as the course has it" in capsys.readouterr().out
    assert len(files(here)) == 4


@pytest.mark.parametrize("damage", [None, b"", b"[1]", b'{"02_toy": 5}', b"\xff"])
def test_without_notes_every_copy_is_somebodys(here, damage):
    desk.lay_out(here)
    mine = type_an_answer(here.work / "02_toy.ipynb")
    if damage is None:
        (here.work / desk.NOTES).unlink()
    else:
        (here.work / desk.NOTES).write_bytes(damage)
    new = renew(here)
    desk.lay_out(here)
    assert (here.work / "02_toy.ipynb").read_bytes() == mine
    assert (here.work / "02_toy.newer.ipynb").read_bytes() == new
    assert json.loads((here.work / desk.NOTES).read_text(encoding="utf-8"))


def test_answers_that_were_saved_in_the_course_itself_come_along_and_stay(here):
    """As after the time in which JupyterLab opened the committed notebooks."""
    before = notebook(here).read_bytes()
    mine = type_an_answer(notebook(here))
    desk.lay_out(here)
    assert (here.work / "02_toy.ipynb").read_bytes() == mine
    notebook(here).write_bytes(before)
    desk.lay_out(here)
    assert (here.work / "02_toy.ipynb").read_bytes() == mine
    assert (here.work / "02_toy.newer.ipynb").read_bytes() == before


def test_a_file_in_the_place_of_the_desk_is_one_clear_line(here, capsys):
    here.work.write_text("mine", encoding="utf-8")
    assert command_line.main(["lessons"]) == 1
    assert capsys.readouterr().err.startswith("work is a file")
    assert here.work.read_text(encoding="utf-8") == "mine"
