"""``execute`` fills the committed notebooks; ``run`` runs the course, also with other parameters."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple
from pathlib import Path
from typing import Any

import papermill
import psutil
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from course_lib.registers import read_assets, read_ledger
from notebooks.make import edits, inspection, pairing, reading
from notebooks.make.kernel import ChapterKernel
from notebooks.make.plan import Chapter, Course, CourseError
from notebooks.make.progress import Progress


def sync(course: Course, chapter: Chapter) -> bool:
    """Write the notebook of a chapter; outputs of unchanged cells stay. True if the file changed.

    A version that somebody saved by hand is kept in ``work/``.
    """
    source, path = course.source(chapter), course.notebook(chapter)
    put_back(course, path)
    return pairing.write(pairing.paired(source, path), path, course.work)


def put_back(course: Course, notebook: Path) -> None:
    """Keep a notebook that somebody saved by hand, and put back the committed one, where git has it.

    Without git it stays as it is, for ``pairing``, which takes no output from it.
    """
    if not notebook.exists() or edits.is_as_written(notebook):
        return
    edits.keep(notebook, course.work)
    show = ["git", "show", f"HEAD:./{notebook.name}"]
    try:
        committed = subprocess.run(show, cwd=notebook.parent, capture_output=True, check=False)
    except FileNotFoundError:  # no git on this machine
        return
    if committed.returncode == 0:
        edits.replace(notebook, committed.stdout)


def execute(course: Course, chapter: Chapter) -> None:
    """Run a chapter as it will be committed, and store its outputs; with a fault, nothing is stored.

    What was executed is left under ``build/execute`` to look at. Raises ``CourseError`` with every fault
    found.
    """
    source, path = course.source(chapter), course.notebook(chapter)
    put_back(course, path)
    notebook = pairing.paired(source, path)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    kernel = ChapterKernel(course.folder)
    client = NotebookClient(
        notebook,
        km=kernel,
        kernel_name="python3",
        timeout=chapter.timeout,
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
    )
    trial = course.root / "build" / "execute" / path.name
    try:
        client.execute()
    except CellExecutionError as error:
        pairing.write(notebook, trial, course.work)
        raise CourseError(f"{chapter.key} stopped: {error.ename}: {error.evalue}. {_where(error)}") from None
    finally:
        kernel.stop()
    notebook.metadata["language_info"] = pairing.LANGUAGE
    notebook.metadata["course"] = {"code_sha256": pairing.code_hash(notebook)}
    found = inspection.faults(notebook, chapter)
    pairing.write(notebook, trial, course.work)
    if found:
        raise CourseError("\n  ".join([f"{chapter.key} was not stored:", *found]))
    pairing.write(notebook, path, course.work)


def check(course: Course, chapter: Chapter) -> list[str]:
    """What is wrong with a committed notebook, found without running it."""
    why = pairing.stale(course.source(chapter), course.notebook(chapter))
    if why:
        return [why]
    notebook = pairing.read(course.notebook(chapter))
    return [
        *inspection.faults(notebook, chapter),
        *reading.faults(notebook, chapter.minutes, whole=chapter.whole),
    ]


def run(
    course: Course,
    chapters: Iterable[Chapter],
    *,
    scale: str = "small",
    parameters: dict[str, Any] | None = None,
    folder: Path | None = None,
    fresh: bool = False,
) -> dict[str, Any]:
    """Run chapters with papermill; write their notebooks and ``report.json`` to ``folder`` (``build/run``).

    Returns the report: a row a chapter with seconds, peak memory, verdicts, parameters and error, in plan
    order, and the ledger's tally of the chapters that were asked for. A chapter whose source, library, pins,
    data and parameters are those of its last run is reused, unless ``fresh``. A chapter that stops does not
    keep the others from running. Everything asked for is looked at before anything runs: raises
    ``CourseError`` for what ``Course.parameters`` refuses.
    """
    chapters, folder = list(chapters), folder or course.root / "build" / "run"
    for chapter in chapters:
        _refuse_or_tell_what_was_saved(course.notebook(chapter))
    keys = [chapter.key for chapter in chapters]
    asked = {chapter.key: course.parameters(chapter, scale, parameters or {}) for chapter in chapters}
    marks = {chapter.key: _fingerprint(course, chapter, asked[chapter.key]) for chapter in chapters}
    report = _read_report(folder)
    rows = {row["key"]: row for row in report["chapters"]}
    width = max(map(len, keys), default=0)
    for place, chapter in enumerate(chapters, start=1):
        label = f"[{place}/{len(chapters)}] {chapter.key:<{width}}"
        before = rows.get(chapter.key)
        if not fresh and before and before["fingerprint"] == marks[chapter.key] and not before["error"]:
            rows[chapter.key] = {**before, "reused": True}
            print(f"{label}  unchanged: result of an earlier run reused", flush=True)
            continue
        row = rows[chapter.key] = _run_one(course, chapter, asked[chapter.key], folder, label)
        row["fingerprint"] = marks[chapter.key]
        _write_report(course, folder, rows, keys)
    return _write_report(course, folder, rows, keys)


def summary(report: dict[str, Any], keys: Iterable[str] | None = None) -> str:
    """What a run prints at its end: a line a chapter, errors, a line a verdict, and the ledger's tally."""
    wanted = [row for row in report["chapters"] if keys is None or row["key"] in set(keys)]
    width = max([len("chapter"), *(len(row["key"]) for row in wanted)])
    lines = [f"{'chapter':<{width}}  seconds  memory MB  verdicts"]
    for row in wanted:
        end = " (reused)" if row["reused"] else ""
        lines.append(
            f"{row['key']:<{width}}  {row['seconds']:7.1f}  {row['peak_memory_mb']:9d}  "
            f"{'stopped' if row['error'] else len(row['verdicts']) or '–'}{end}"
        )
    lines += [f"\n{row['key']} stopped: {row['error']}" for row in wanted if row["error"]]
    found = [verdict for row in wanted for verdict in row["verdicts"]]
    if found:
        lines.append("\nentry  verdict               on what the documents say")
    room = max(shutil.get_terminal_size((110, 0)).columns - 30, 30)
    for verdict in found:
        says = textwrap.shorten(verdict["says"], room, placeholder=" …")
        lines.append(f"{verdict['id']:<5}  {_word(verdict):<20}  {says}")
    counts = report["tally"]
    settled = ", ".join(f"{count} {word}" for word, count in counts["words"].items()) or "none"
    lines.append(
        f"\nLedger: {'these chapters settle' if len(wanted) > 1 else 'this chapter settles'} "
        f"{counts['settled']} of {counts['entries']} entries ({settled}) and {counts['partly']} partly."
    )
    return "\n".join(lines)


def compared(
    report: dict[str, Any], keys: Iterable[str], book: dict[str, dict[str, str]], *, same_run: bool
) -> str:
    """*N of N verdicts as in the book*, those that differ, and whether that was to be expected.

    ``book`` is what ``snapshot`` returned, ``same_run`` tells that scale and parameters are the book's too.
    """
    same, differ = 0, []
    for row in (row for row in report["chapters"] if row["key"] in set(keys)):
        now, stored = ({} if row["error"] else words(row)), book.get(row["key"], {})
        for name in dict.fromkeys([*stored, *now]):
            if stored.get(name) == now.get(name):
                same += 1
            else:
                is_now = now.get(name, "none, for the chapter stopped" if row["error"] else "none")
                differ.append(f"  {name} ({row['key']}): {is_now}; in the book: {stored.get(name, 'none')}")
    lines = [f"{same} of {same + len(differ)} verdicts as in the book.", *differ]
    if differ and same_run:
        lines.append("Nothing should differ at this scale and seed: see `python course.py test`.")
    elif differ:
        lines.append("This may happen: the run had another scale, seed or parameter than the book.")
    return "\n".join(lines)


def tally(verdicts: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Count the ledger's entries as settled, partly settled (open too, in the end) and open.

    ``verdicts`` are those of each lesson, in course order.
    """
    ledger = read_ledger().joined(verdicts)
    counts = ledger.tally()
    return {
        "entries": len(ledger.entries),
        "settled": counts["settled"],
        "partly": counts["partly settled"],
        "open": counts["open"],
        "words": ledger.tally_of_words(),
    }


def snapshot(course: Course) -> dict[str, dict[str, str]]:
    """The verdict words of the committed notebooks, by chapter and id; ``accept`` writes them."""
    return {
        chapter.key: _words(inspection.verdicts(pairing.read(course.notebook(chapter))))
        for chapter in course.chapters
        if course.notebook(chapter).exists()
    }


def words(row: dict[str, Any]) -> dict[str, str]:
    """The verdict words of one row of a report: by id, and of each part by id and part (``D1-02 cost``)."""
    return _words(row["verdicts"])


def _words(verdicts: Iterable[dict[str, Any]]) -> dict[str, str]:
    found = {}
    for verdict in verdicts:
        found[verdict["id"]] = _word(verdict)
        for part, judged in verdict.get("parts", {}).items():
            found[f"{verdict['id']} {part}"] = judged["word"]
    return found


def _word(found: dict[str, Any]) -> str:
    """The word of a verdict; *partly* where another chapter, or a part without a word, is still to come."""
    parts = found.get("parts")  # a report of an earlier run may have none
    missing = parts and parts.keys() != read_ledger().entries[found["id"]].parts.keys()
    return f"partly: {found['word']}" if found["waits_for"] or missing else found["word"]


def _refuse_or_tell_what_was_saved(notebook: Path) -> None:
    """A notebook that somebody saved by hand is run as it is, if it can be read at all."""
    if not notebook.exists() or edits.is_as_written(notebook):
        return
    remedy = (
        f"`python course.py check {notebook.stem} --fix` keeps it in work/ and puts back the course's own"
    )
    try:
        pairing.read(notebook)
    except Exception as error:
        raise CourseError(f"{edits.shown(notebook)} cannot be read ({error}). {remedy}.") from None
    print(f"{edits.shown(notebook)} was saved by hand, and is run as it is; {remedy}.", flush=True)


def _run_one(
    course: Course, chapter: Chapter, parameters: dict[str, Any], folder: Path, label: str
) -> dict[str, Any]:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / course.notebook(chapter).name
    trial = folder / f".{path.stem}.part.ipynb"  # a run that is killed leaves the last whole result alone
    trial.unlink(missing_ok=True)
    log = folder / f"{chapter.key}.log"
    error, began = None, time.perf_counter()
    # papermill adds a cell with the parameters to those of the notebook
    progress = Progress(label, 1 + len(pairing.read(course.notebook(chapter)).cells))
    with log.open("w", encoding="utf-8") as stderr, _peak_memory() as peak, progress:
        kernel = ChapterKernel(course.folder, stderr)
        try:
            papermill.execute_notebook(
                str(course.notebook(chapter)),
                str(trial),
                parameters,
                kernel_name="python3",
                progress_bar=False,
                cwd=str(course.folder),
                km=kernel,
                on_cell_execute=progress.at_cell,
                execution_timeout=chapter.scales[parameters["scale"]].get("timeout", chapter.timeout),
            )
        except papermill.PapermillExecutionError as failed:
            error = f"cell {failed.cell_index + 1}: {_first_line(failed.ename, failed.evalue)}"
        except Exception as failed:  # a dead kernel or a time-out stops this chapter, and not the course
            error = f"{_first_line(type(failed).__name__, str(failed))} See {log.name}."
        finally:
            kernel.stop()
    if not error:
        log.unlink()  # what a kernel writes there is of interest only when it died
    notebook = NotebookNode(cells=[])
    if trial.exists():
        notebook = pairing.read(trial)
        pairing.write(notebook, path, course.work)
        trial.unlink()
    seconds = time.perf_counter() - began
    progress.done(f"{'stopped' if error else 'done'} after {seconds:.0f} s")
    return {
        "key": chapter.key,
        "title": chapter.title,
        "parameters": parameters,
        "seconds": round(seconds, 1),
        "peak_memory_mb": round(peak() / 2**20),
        "verdicts": inspection.verdicts(notebook),
        "error": error,
        "reused": False,
    }


def _first_line(name: str, message: str) -> str:
    """Name and first line of an error; `assert` and many others come without a message."""
    return ": ".join([name, *message.strip().splitlines()[:1]])[:300]


@contextmanager
def _peak_memory() -> Iterator[Any]:
    """Watch this process's children, the kernel among them; yields their largest sum of resident bytes."""
    largest, done, here = 0, threading.Event(), psutil.Process()

    def resident(process: psutil.Process) -> int:
        try:
            return process.memory_info().rss
        except psutil.Error:  # it ended between being listed and being asked
            return 0

    def watch() -> None:
        nonlocal largest
        while not done.wait(0.2):
            largest = max(largest, sum(map(resident, here.children(recursive=True))))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield lambda: largest
    finally:
        done.set()
        watcher.join()


def _fingerprint(course: Course, chapter: Chapter, parameters: dict[str, Any]) -> str:
    """A hash of everything that the result of a chapter may depend on."""
    digest = hashlib.sha256(json.dumps([parameters, sys.version, sys.platform], sort_keys=True).encode())
    notebook = pairing.read(course.notebook(chapter))
    digest.update(json.dumps([[cell.cell_type, cell.source] for cell in notebook.cells]).encode())
    files = [
        *(course.root / "course_lib").rglob("*.py"),
        course.folder / "exercises" / f"lesson_{chapter.number}.py",
        course.root / "requirements.lock",
        course.root / "book" / "ledger.yml",
        *(course.root / "book" / "measurements").rglob("*.json"),
    ]
    for path in sorted(path for path in files if path.exists()):
        digest.update(path.relative_to(course.root).as_posix().encode() + path.read_bytes())
    digest.update(json.dumps(_data_hashes(course, chapter, parameters["scale"]), sort_keys=True).encode())
    return digest.hexdigest()


def _data_hashes(course: Course, chapter: Chapter, scale: str) -> list[Any]:
    """Names, sizes and hashes of the files that a chapter reads, from ``data_scripts/sources.toml``."""
    needs = sorted({*chapter.needs, *chapter.scales[scale].get("needs", [])})
    assets = read_assets(course.root / "data_scripts" / "sources.toml") if needs else {}
    unknown = [name for name in needs if name not in assets]
    if unknown:
        raise CourseError(
            f"{chapter.key} needs {', '.join(unknown)}, which data_scripts/sources.toml does not have."
        )
    return [[name, *map(astuple, assets[name].files)] for name in needs]


def _where(error: CellExecutionError) -> str:
    """The last line of this cell that the traceback names, without colours."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", error.traceback)
    arrows = [line.strip() for line in plain.splitlines() if line.lstrip().startswith("-") and "> " in line]
    return f"At: {arrows[0]}" if arrows else ""


def _read_report(folder: Path) -> dict[str, Any]:
    path = folder / "report.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"chapters": []}


def _write_report(
    course: Course, folder: Path, rows: dict[str, dict[str, Any]], keys: list[str]
) -> dict[str, Any]:
    order = [chapter.key for chapter in course.chapters]
    chapters = [rows[key] for key in order if key in rows]
    # Rows of earlier runs stay, perhaps of another scale or seed: only this run's chapters are counted.
    counted = [row for row in chapters if row["key"] in keys and not row["error"]]
    report = {
        "python": sys.version.split()[0],
        "chapters": chapters,
        "tally": tally({row["key"]: row["verdicts"] for row in counted}),
    }
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(report, indent=1, ensure_ascii=False, default=str)
    (folder / "report.json").write_text(text + "\n", encoding="utf-8")
    return report
