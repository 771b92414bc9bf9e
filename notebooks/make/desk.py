"""The learner's desk: copies of the lessons in ``work/``, where JupyterLab opens them.

The committed notebooks stay as they are, whatever a learner saves. A copy that the learner changed is never
written over: a newer lesson is laid beside it. What was laid out is noted in ``work/.lessons.json``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from notebooks.make import edits
from notebooks.make.plan import Chapter, Course, CourseError

NOTES = ".lessons.json"


def lay_out(course: Course, fresh: Iterable[Chapter] = ()) -> None:
    """Lay a copy of every lesson into ``work/`` where there is none, and say what is new.

    A copy that nobody changed becomes the newest version silently. One that was changed stays; the newest
    version is laid beside it, once, as ``NN_key.newer.ipynb``. A lesson in ``fresh`` begins anew: the old
    file is kept beside it as ``NN_key.old.ipynb``. Raises ``CourseError`` where ``work`` is no folder.
    """
    if course.work.exists() and not course.work.is_dir():
        raise CourseError(f"{edits.shown(course.work)} is a file, and lessons go into a folder of that name.")
    notes = _read(course.work / NOTES)
    for chapter in course.chapters:
        if course.notebook(chapter).exists():
            laid = notes.setdefault(chapter.key, [])
            if not laid:
                _tell_of_old_copies(course, chapter)
            _lay_out(course, chapter, laid, fresh=chapter in fresh)
    text = json.dumps(notes, indent=1) + "\n"
    edits.replace(course.work / NOTES, text.encode())


def _tell_of_old_copies(course: Course, chapter: Chapter) -> None:
    """The exercises of a lesson that was cut up or renamed have new keys: its old copy cannot be checked."""
    for old in chapter.was:
        copy = course.work / f"{old}.ipynb"
        if copy.exists():
            new = edits.shown(course.work / course.notebook(chapter).name)
            print(f"{old} goes on as {new}. Yours stays as it is: {edits.shown(copy)}")


def _lay_out(course: Course, chapter: Chapter, laid: list[str], *, fresh: bool) -> None:
    """One lesson; ``laid`` are the hashes of all versions of it that were ever laid out, and grows."""
    lesson = course.notebook(chapter)
    mine = course.work / lesson.name
    content = lesson.read_bytes()
    new = _hash(content) not in laid
    if not mine.exists() or _untouched(mine, laid):
        if not mine.exists() or mine.read_bytes() != content:
            edits.replace(mine, content)
        if fresh:
            print(f"{edits.shown(mine)} is as the course has it.")
    elif fresh:
        kept = edits.unused(mine.with_name(f"{mine.stem}.old.ipynb"))
        mine.rename(kept)
        edits.replace(mine, content)
        print(f"{edits.shown(mine)} begins anew. Your version is kept: {edits.shown(kept)}")
    elif new and mine.read_bytes() != content:
        beside = mine.with_name(f"{mine.stem}.newer.ipynb")
        if beside.exists() and not _untouched(beside, laid):
            beside = edits.unused(beside)
        edits.replace(beside, content)
        print(
            f"There is a newer version of {edits.shown(mine)}: {edits.shown(beside)}. Yours stays as it is."
        )
    if new:
        laid.append(_hash(content))


def _untouched(copy: Path, laid: list[str]) -> bool:
    """Whether nobody saved this copy: it is a version that was laid out, and as the kit wrote it.

    The second holds by itself unless somebody saved the committed notebook, of which this is a copy then.
    """
    return _hash(copy.read_bytes()) in laid and edits.is_as_written(copy)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _read(notes: Path) -> dict[str, list[str]]:
    """The hashes of the versions that were laid out, by lesson; none where the file is not there or damaged.

    Without them every copy counts as changed, and newer lessons are laid beside it.
    """
    try:
        return {key: [*map(str, laid)] for key, laid in json.loads(notes.read_text("utf-8")).items()}
    except FileNotFoundError:
        return {}
    except (ValueError, AttributeError, TypeError):
        print(f"{edits.shown(notes)} cannot be read and is made anew; all files in that folder stay.")
        return {}
