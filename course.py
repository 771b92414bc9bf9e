"""Launcher of the course. `python course.py` alone says what each command does and how long it takes.

It needs nothing but Python 3.11 to 3.14. On first use it makes `.venv` beside itself and installs the
exact versions of requirements.lock there; an environment that has them already (conda, Binder) is used as it
is. No syntax and no import here may be newer than Python 3.6, or an old Python could not say that it is old.
"""

import argparse
import contextlib
import csv
import errno
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.request import Request, urlopen

OLDEST, NEWEST = (3, 11), (3, 14)
if not OLDEST <= sys.version_info[:2] <= NEWEST:
    sys.exit(
        f"course: this is Python {sys.version_info[0]}.{sys.version_info[1]}, and the course needs "
        f"{OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]}, as its libraries do. Install one of these "
        "(https://www.python.org/downloads/) and start with it, for example: python3.11 course.py run"
    )

ROOT = Path(__file__).resolve().parent
LOCK = ROOT / "requirements.lock"
BENCHMARK_LOCK = ROOT / "tests" / "benchmarks" / "requirements.lock"
SOURCES = ROOT / "data_scripts" / "sources.toml"
BOOK = ROOT / "build" / "book" / "index.html"
RUN = ROOT / "build" / "run"
WORK = ROOT / "work"
JUPYTER = ROOT / "notebooks" / "make" / "jupyter"
PIP_LOG = ROOT / "build" / "pip.log"
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "course-stamp"
MIRROR = ROOT.parent / "shared" / "datasets"
# What makes this processor round as another does: one thread, and no vector instruction newer than AVX2.
OTHER_MACHINE = {
    "ATEN_CPU_CAPABILITY": "avx2",  # torch's own kernels
    "ONEDNN_MAX_CPU_ISA": "AVX2",  # those that it takes from oneDNN
    "MKL_CBWR": "COMPATIBLE",  # its linear algebra
    "OPENBLAS_CORETYPE": "Haswell",  # that of numpy, scipy and faiss
    "FAISS_SIMD_LEVEL": "AVX2",  # in capitals: `avx2` ends the process
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
STYLE = {"style": ["ruff", "check", "."], "format": ["ruff", "format", "--check", "."]}
CHAPTER_TESTS = "tests/notebooks/test_chapters.py"
SEED_TESTS = "tests/notebooks/test_seeds.py"
LIBRARY_TESTS = ("tests/unit", "tests/golden")
TESTS = {  # the longest first: two of them run at a time
    "stored outputs": ["pytest", CHAPTER_TESTS],
    "another seed": ["pytest", SEED_TESTS],
    "the library": ["pytest", *LIBRARY_TESTS],
    "all the rest": [
        *("pytest", "tests"),
        *(f"--ignore={done}" for done in (CHAPTER_TESTS, SEED_TESTS, *LIBRARY_TESTS)),
    ],
}
MEMORY_OF_TWO = 6e9  # bytes: two lessons of at most 2 GB beside each other, and the tests' own
CPU_INDEX = "https://download.pytorch.org/whl/cpu"  # PyTorch's own index of builds without CUDA
DISK_FULL = re.compile(r"No space left on device|Errno 28|WinError 112|not enough space")
CUDA_PACKAGE = re.compile(r"(nvidia|cuda|triton)\b", re.IGNORECASE)

# Every time and size that help texts name, on 2 cores. The README says the same, held by a test.
COMMANDS = {
    "run": ("fetch the data, run every chapter, print the verdicts, build the book", "17 min"),
    "test": ("check everything: style, library, every stored output of every chapter, book", "20 min"),
    "lab": ("open JupyterLab on your own copy of the chapters, in work/", "10 s"),
    "book": ("build the book from the chapters as they stand; `book serve` shows it", "1 min"),
    "data": ("list every data set, its licence and where it is; `data get NAME` fetches it", "10 s"),
    "check": ("for whoever edits: style, and lessons that differ from their source; `check 02`", "10 s"),
    "preview": ("for whoever edits: take over changed text and show the page, `preview 02`", "20 s"),
    "execute": ("for whoever edits: run lessons and store their outputs, `execute 02`", "1 min"),
    "benchmark": ("measure speed and quality against other libraries; alone it names the choices", "1 s"),
}
BENCHMARKS = {
    "cf": ("fitting and asking of collaborative retrievers, MovieLens-100K", "5 min"),
    "encode": ("turning texts into vectors, beside SentenceTransformer", "5 min"),
    "gowalla": ("neighbours, ALS and EASE on the public split of Gowalla", "40 min"),
    "metrics": ("ranking metrics, beside trec_eval and ranx", "5 min"),
    "mind": ("news: impressions and the whole corpus, and its loader", "20 min"),
    "ncf": ("the leave-one-out test of He et al. on MovieLens-1M", "30 min"),
    "seeds": ("chapters 05, 06, 13 and 14 with five other seeds", "60 min"),
    "topk": ("exact nearest neighbours, beside FAISS", "5 min"),
}
INSTALLATION = ("3 min", "4 GB")  # without CUDA
# In GB, of an installed package other than torch, and of torch without CUDA: on disk, and to download.
OF_A_PACKAGE, OF_TORCH = (0.008, 0.003), (0.8, 0.2)
SIZE_OF_EMPTY_VENV = 20e6  # bytes
UNPACKED = 1.7  # CUDA packages on disk, in sizes of their downloads


class Stop(Exception):
    """A failure that had to be expected. Its text says what happened, why, and what to do."""


def main(words):
    """Do what the words of the command line ask for; return the exit code."""
    if not words or words in (["-h"], ["--help"], ["help"]):
        print(overview())
        return 0
    if words == ["--version"]:
        print(f"course {read_toml(ROOT / 'pyproject.toml')['project']['version']}")
        return 0
    if words[0] == "help":
        words = [words[1], "--help"]
    options, more = read_command_line(words)
    if options.command == "benchmark" and not options.names:
        print(choices_of_benchmarks())
        return 0
    course = Course(find_or_make_environment(options), options.command, options.offline)
    if options.command == "run":
        return run(course, options)
    if options.command == "test":
        return test_as_another_machine(course) if options.other_machine else test(course)
    if options.command == "lab":
        return lab(course, options.fresh, more)
    if options.command == "check":
        return check(course, options.lessons, options.fix)
    if options.command == "preview":
        return preview(course, options.lessons)
    if options.command == "execute":
        return execute(course, options.lessons)
    if options.command == "book":
        return book(course, options)
    if options.command == "data":
        return data(course, options)
    return benchmark(course, options)


# ── What was typed ──────────────────────────────────────────────────────────────────────────────────────


def overview():
    takes, disk = INSTALLATION
    lines = [
        f"The first use of a command also installs what the course needs (about {takes}, {disk} of disk).",
        "",
    ]
    for name, (does, takes) in COMMANDS.items():
        lines.append(f"  python course.py {name:<10} {takes:>6}  {does}")
    return "\n".join([*lines, "", "The options of a command: python course.py COMMAND --help"])


def choices_of_benchmarks():
    lines = [
        "Choose what to measure, or `all`; the first one also installs the libraries to compare with.",
        "",
    ]
    for name, (does, takes) in BENCHMARKS.items():
        lines.append(f"  python course.py benchmark {name:<8} {takes:>6}  {does}")
    lines.append("One lesson: `full/05_cf` at its larger scale, `seeds/05_cf` with five other seeds.")
    return "\n".join(lines)


class CommandLine(argparse.ArgumentParser):
    def error(self, message):
        raise Stop(f"{message}. `{self.prog} --help` shows what there is.")


def read_command_line(words):
    """The words as options, each compared with what there is: for a wrong one, nothing is installed.

    Returns the options, and the words that are none of the launcher's: JupyterLab may know them.
    """
    name = words[0]
    if name not in COMMANDS:
        raise Stop(f"there is no command {name!r}.\n\n{overview()}")
    line = CommandLine(
        f"python course.py {name}",
        description=COMMANDS[name][0],
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    if name == "run":
        line.add_argument("chapters", nargs="*", help="such as 02, 02_cosine or cosine; none: all of them")
        line.add_argument("--scale", choices=["small", "full"], default="small", help="how much data")
        line.add_argument("--seed", type=int, help="another seed than the 0 of the stored outputs")
        line.add_argument(
            "-p", action="append", default=[], metavar="NAME=VALUE", help="a chapter's parameter"
        )
    if name == "test":
        line.add_argument(
            "--other-machine", action="store_true", help="compute as an older processor does, on one thread"
        )
    if name == "lab":
        line.add_argument(
            "--fresh",
            metavar="LESSON",
            action="append",
            help="begin this lesson anew, and keep your version beside it",
        )
        line.epilog = (
            "Every other option goes to JupyterLab, such as --port 8899, --no-browser, --allow-root."
        )
    if name in ("check", "preview", "execute"):
        line.add_argument("chapters", nargs="*", help="such as 02, 02_cosine or cosine; none: all of them")
    if name == "check":
        line.add_argument(
            "--fix",
            action="store_true",
            help="first take over changed text; keep in work/ what was saved by hand",
        )
    if name == "book":
        words_of_book = (
            "build makes it, as no word does; serve shows it to this machine: its search needs that"
        )
        line.add_argument(
            "what",
            nargs="?",
            choices=["build", "serve"],
            default="build",
            metavar="build|serve",
            help=words_of_book,
        )
        line.add_argument("--port", type=int, default=8000, help="where `book serve` shows it (8000)")
    if name == "data":
        words_of_data = "list names all, as no word does; get fetches those named, or what all chapters need"
        line.add_argument(
            "what", nargs="?", choices=["list", "get"], default="list", metavar="list|get", help=words_of_data
        )
        line.add_argument("names", nargs="*", metavar="NAME", help="data sets to get, named as in the list")
        line.add_argument(
            "--for", dest="chapters", nargs="+", default=[], metavar="CHAPTER", help="get what these need"
        )
        line.epilog = f"The names: {', '.join(read_toml(SOURCES))}."
    if name == "benchmark":
        line.add_argument("names", nargs="*", metavar="NAME", help="what to measure; `all` for all of it")
        line.epilog = choices_of_benchmarks()
    line.add_argument("--offline", action="store_true", help="make no connection beyond this machine")
    line.add_argument("--torch-index", metavar="URL", help="install torch from this index (see README.md)")
    line.add_argument("--cpu-only", action="store_true", help="stop rather than install CUDA")
    options, more = line.parse_known_intermixed_args(words[1:])
    if more and name == "test":
        raise Stop(
            f"`test` checks the whole course and takes no such word: {' '.join(more)}. For one chapter: "
            "python course.py run 02, or python course.py check 02"
        )
    if name == "lab" and more and not more[0].startswith("-"):
        raise Stop(
            f"`lab` opens all lessons and takes no such word: {more[0]}. `lab --help` shows its options."
        )
    if more and name != "lab":
        line.error(f"unrecognized arguments: {' '.join(more)}")
    options.command = name
    compare_with_what_there_is(options)
    return options, more


def compare_with_what_there_is(options):
    """Look for every chapter, parameter, data set and benchmark that is named; Stop for one that is not.

    Afterwards `options.lessons` are the plan's rows for the chapters that were named, or for all.
    """
    from notebooks.make import plan  # here, and not above, because older Pythons do not know its words

    try:
        lessons = plan.Course(ROOT)
        options.lessons = lessons.pick(getattr(options, "chapters", []))
        if options.command == "run":
            given = dict(plan.parameter(pair) for pair in options.p)
            given.update({} if options.seed is None else {"seed": options.seed})
            for lesson in options.lessons:
                lessons.parameters(lesson, options.scale, given)
        if options.command == "lab":
            options.fresh = [lesson.key for lesson in lessons.pick(options.fresh)] if options.fresh else []
    except plan.CourseError as error:
        raise Stop(str(error)) from None
    if options.command == "data":
        refuse_unknown("data set", options.names, read_toml(SOURCES))
        if options.what == "list" and (options.names or options.chapters):
            raise Stop("names and --for go with `data get`; `data list` names everything.")
    if options.torch_index and not re.match(r"(https?|file)://", options.torch_index):
        raise Stop(f"--torch-index is an address such as {CPU_INDEX}, and not {options.torch_index!r}.")
    if options.command == "book" and not 0 <= options.port < 65536:
        raise Stop(f"a port is a number from 0 to 65535, and not {options.port}.")
    if options.command == "benchmark":
        known = [*BENCHMARKS, "all", *lessons_to_measure(options.lessons)]
        refuse_unknown("benchmark", options.names, known)


def refuse_unknown(kind, names, known):
    for name in names:
        if name not in known:
            raise Stop(f"there is no {kind} {name!r}: choose from {', '.join(known)}.")


def read_toml(path):
    import tomllib  # here, and not above, because older Pythons do not know it

    return tomllib.loads(path.read_text(encoding="utf-8"))


# ── The commands ────────────────────────────────────────────────────────────────────────────────────────


class Course:
    """Runs modules of the course by the Python that has everything, with settings that make runs repeat."""

    def __init__(self, python, command, offline):
        self.python = python
        self.offline = ["--offline"] if offline else []
        self.variables = variables_for_children(python, command, offline)

    def get(self, assets):
        """Fetch data that is not in the cache yet; return the exit code."""
        return self.module("data_scripts", "get", *dict.fromkeys(assets), *self.offline) if assets else 0

    def module(self, name, *arguments):
        """Run `python -m name arguments` in the folder of the course; return its exit code."""
        sys.stdout.flush()
        words = [str(self.python), "-m", name, *map(str, arguments)]
        with subprocess.Popen(words, cwd=ROOT, env=self.variables) as child:
            try:
                while child.returncode is None:
                    # Ctrl-C reaches the child as well, and JupyterLab asks before it stops: wait for it.
                    with contextlib.suppress(KeyboardInterrupt):
                        child.wait()
            except SystemExit:  # told to end (see the last lines of this file), and the child was not
                child.terminate()
                raise
        return child.returncode


def variables_for_children(python, command, offline):
    variables = dict(os.environ)
    variables.pop("PYTHONHOME", None)
    variables.pop("OPENBLAS_CORETYPE", None)  # the processor's own, but for `test --other-machine`
    variables.pop("MPLBACKEND", None)  # figures must appear in the notebook, whatever the shell prefers
    if python == VENV_PYTHON:
        variables.pop("PYTHONPATH", None)  # packages from elsewhere would hide the locked ones
    else:
        put_first(variables, "PYTHONPATH", ROOT)  # course_lib need not be installed there
    put_first(variables, "PATH", python.parent)
    prefix = VENV if python == VENV_PYTHON else Path(sys.prefix)
    put_first(
        variables, "JUPYTER_PATH", prefix / "share" / "jupyter"
    )  # `python3` is then this Python's kernel
    variables.setdefault("OMP_NUM_THREADS", str(min(2, os.cpu_count() or 1)))
    variables.setdefault("OPENBLAS_NUM_THREADS", "1")  # `implicit` has threads of its own
    variables.update(PYTHONHASHSEED="0", PYTHONUTF8="1", PIP_DISABLE_PIP_VERSION_CHECK="1")
    if command in ("run", "test"):  # a progress bar is never the same twice, and outputs are compared
        variables.update(TQDM_DISABLE="1", HF_DATASETS_DISABLE_PROGRESS_BARS="1")
    if command in ("test", "benchmark") and MIRROR.is_dir():
        variables.setdefault("COURSE_DATA_MIRROR", str(MIRROR))
    if offline:
        switches = ("COURSE_OFFLINE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE")
        variables.update(dict.fromkeys(switches, "1"))
    return variables


def put_first(variables, name, path):
    variables[name] = os.pathsep.join(filter(None, [str(path), variables.get(name)]))


def run(course, options):
    choices = ["--scale", options.scale]
    choices += [] if options.seed is None else ["--seed", options.seed]
    choices += [word for pair in options.p for word in ("-p", pair)]
    needs = [asset for lesson in options.lessons for asset in lesson.needs_at(options.scale)]
    if not options.chapters:  # the whole course: `test` shall then work without a network, too
        needs += assets_for("tests")
    carry_out("fetching the data", course.get(needs))
    words = ["run", *keys(options.lessons), *choices]
    carry_out("running the chapters", course.module("notebooks.make", *words))
    carry_out("building the book", course.module("book", "build"))
    print(f"\nThe chapters as they ran: {RUN}\nThe book:                 {BOOK}")
    print("Next: `python course.py lab` to read the chapters and to do the exercises.")
    return 0


def test(course):
    """Everything that continuous integration checks; a failure does not keep the later steps from running."""
    began = time.monotonic()
    first = {
        **STYLE,
        "lessons": ["notebooks.make", "check"],
        "data": ["data_scripts", "get", *course.offline],
    }
    done = {**one_by_one(course, first)}
    if cores() > 1 and free_memory() > MEMORY_OF_TWO:
        done.update(two_at_a_time(course, TESTS))
    else:
        done.update(one_by_one(course, TESTS))
    lines = [
        f"  {name:<14} {'passed' if passed else 'FAILED'} {seconds:6.0f} s"
        for name, (passed, seconds) in done.items()
    ]
    print("\n".join(["", "Summary", *lines, f"  {'all of it':<21} {time.monotonic() - began:6.0f} s"]))
    return 0 if all(passed for passed, _ in done.values()) else 1


def one_by_one(course, steps):
    """Run modules as {name: words} says; returns {name: (passed, seconds)}."""
    done = {}
    for name, words in steps.items():
        started = time.monotonic()
        passed = course.module(*words) == 0
        done[name] = passed, time.monotonic() - started
    return done


def two_at_a_time(course, steps):
    """As one_by_one, with two modules beside each other, each on one thread.

    What a module says goes to build/test/NAME.log, and is printed as a whole when it ends.
    """
    variables = {**course.variables, "OMP_NUM_THREADS": "1"}
    logs = ROOT / "build" / "test"
    logs.mkdir(parents=True, exist_ok=True)
    print(
        f"\nTwo at a time, {', '.join(steps)}. What they say comes when they end; so far: {logs}", flush=True
    )
    waiting, running, done = list(steps.items()), {}, {}
    try:
        while waiting or running:
            while waiting and len(running) < 2:
                name, words = waiting.pop(0)
                log = (logs / f"{name.replace(' ', '-')}.log").open("w+", encoding="utf-8", errors="replace")
                words = [str(course.python), "-m", *words]
                child = subprocess.Popen(words, cwd=ROOT, env=variables, stdout=log, stderr=subprocess.STDOUT)
                running[name] = child, log, time.monotonic()
            time.sleep(0.2)
            for name, (child, log, started) in list(running.items()):
                if child.poll() is not None:
                    done[name] = child.returncode == 0, time.monotonic() - started
                    log.seek(0)
                    print(f"\n── {name} ──\n{log.read()}", end="", flush=True)
                    log.close()
                    del running[name]
    finally:  # interrupted, or told to end
        for child, log, _ in running.values():
            child.terminate()
            child.wait()
            log.close()
    return {name: done[name] for name in steps}


def cores():
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def free_memory():
    """Bytes that new processes may take, as Linux tells; 0 elsewhere, where it is not known."""
    told = Path("/proc/meminfo")
    if not told.is_file():
        return 0
    free = int(re.search(r"MemAvailable: *(\d+) kB", told.read_text(encoding="utf-8"))[1]) * 1024
    group = Path("/sys/fs/cgroup")  # a container may have less than its machine
    limit, used = group / "memory.max", group / "memory.current"
    if limit.is_file() and limit.read_text(encoding="utf-8").strip() != "max":
        free = min(free, int(limit.read_text(encoding="utf-8")) - int(used.read_text(encoding="utf-8")))
    return free


def check(course, lessons, fix):
    """What can be told in seconds about style and lessons; nothing is run."""
    words = ["notebooks.make", "check", *keys(lessons), *(["--fix"] if fix else [])]
    done = one_by_one(course, {**STYLE, "lessons": words})
    return 0 if all(passed for passed, _ in done.values()) else 1


def preview(course, lessons):
    """The pages of the book, with the text of the sources as it is now, and outputs as they were stored."""
    carry_out("taking over the text", course.module("notebooks.make", "sync", *keys(lessons)))
    return course.module("book", "preview", *keys(lessons))


def execute(course, lessons):
    """Run lessons as they are committed, and store their outputs."""
    needs = [asset for lesson in lessons for asset in lesson.needs]
    carry_out("fetching the data", course.get(needs))
    return course.module("notebooks.make", "execute", *keys(lessons))


def test_as_another_machine(course):
    """`test` under OTHER_MACHINE, with every vector computed anew: what is stored must be what all get."""
    with tempfile.TemporaryDirectory(prefix="course-vectors-") as no_vectors:
        course.variables.update(OTHER_MACHINE, COURSE_VECTORS=no_vectors)
        print(
            "As on another machine: one thread, no instruction newer than AVX2, every vector computed anew."
        )
        return test(course)


def lab(course, fresh, more):
    """Open JupyterLab on copies of the lessons: whatever a learner saves, the course stays as it is."""
    anew = [word for key in fresh for word in ("--fresh", key)]
    carry_out("laying out the lessons", course.module("notebooks.make", "lessons", *anew))
    print(f"Your copies of the chapters are in {WORK}; nothing writes over what you save there.")
    if course.module("data_scripts", "get", *course.offline):
        print("course: some data is missing, so some cells will fail. JupyterLab opens all the same.")
    quiet = (  # JupyterLab would ask its publisher for news and for a newer version
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    )
    put_first(course.variables, "JUPYTER_CONFIG_PATH", JUPYTER)  # where the question about news is answered
    return course.module("jupyterlab", WORK, *quiet, *more)


def book(course, options):
    if options.what == "serve":
        if not BOOK.is_file():
            raise Stop("there is no book yet. `python course.py book` builds it.")
        return course.module("book", "serve", "--port", options.port)
    carry_out("building the book", course.module("book", "build"))
    print(f"Open {BOOK} in a browser. Its search needs a server: python course.py book serve")
    return 0


def data(course, options):
    chapters = ["--for", *keys(options.lessons)] if options.chapters else []
    return course.module("data_scripts", options.what, *options.names, *chapters, *course.offline)


def benchmark(course, options):
    names = list(BENCHMARKS) if "all" in options.names else options.names
    if BENCHMARK_LOCK.is_file() and compare_with_lock(course.python, BENCHMARK_LOCK)["missing"]:
        print("Installing the libraries to compare with ...", flush=True)
        pip_install(course.python, "-r", BENCHMARK_LOCK, "-c", LOCK, offline=bool(course.offline))
    needs = assets_for(*(f"benchmark {name}" for name in names))
    for name, of_lesson in lessons_to_measure(options.lessons).items():
        needs += of_lesson if name in names else []
    carry_out("fetching the data", course.get(needs))
    return course.module("tests.benchmarks", *names)


def lessons_to_measure(lessons):
    """What can be measured of single lessons (`full/05_cf`, `seeds/05_cf`), with the data that it needs."""
    scales = {"full": "full", "seeds": "small"}
    return {
        f"{kind}/{lesson.key}": list(lesson.needs_at(scale))
        for kind, scale in scales.items()
        for lesson in lessons
        if scale in lesson.scales
    }


def keys(lessons):
    return [lesson.key for lesson in lessons]


def assets_for(*uses):
    """Names of the assets that sources.toml says are needed by one of these uses."""
    return [name for name, asset in read_toml(SOURCES).items() if set(uses) & set(asset["needed_by"])]


def carry_out(what, exit_code):
    if exit_code in (130, -signal.SIGINT):
        raise KeyboardInterrupt
    if exit_code:
        raise Stop(f"{what} failed; the lines above say why. What was finished before that is kept.")


# ── The environment ─────────────────────────────────────────────────────────────────────────────────────


def find_or_make_environment(options):
    """Path of a Python that has every pin of the lock: the one that runs this, or that of `.venv`."""
    inside_venv = VENV.exists() and Path(sys.prefix).resolve() == VENV.resolve()
    if not inside_venv and locked_packages_are_here():
        return Path(sys.executable)
    if VENV_PYTHON.exists() and STAMP.exists() and STAMP.read_text(encoding="utf-8") == stamp():
        return VENV_PYTHON
    STAMP.unlink(missing_ok=True)
    pins = compare_with_lock(VENV_PYTHON, LOCK) if VENV_PYTHON.exists() else None
    if pins is None or pins["broken"]:
        make_venv(inside_venv)
        pins = compare_with_lock(VENV_PYTHON, LOCK)
    if pins["missing"]:
        stop_if_a_disk_is_too_full(pins["missing"])
        print(
            f"Installing {len(pins['missing'])} packages into {VENV}: about {INSTALLATION[0]} ...", flush=True
        )
        install_torch(pins["missing"], options)
        pip_install(VENV_PYTHON, "-r", LOCK, offline=options.offline)
    pip_install(VENV_PYTHON, "--no-deps", "--no-build-isolation", "-e", ROOT, offline=options.offline)
    pins = compare_with_lock(VENV_PYTHON, LOCK)
    if pins["missing"] or pins["broken"]:
        wrong = ", ".join(pins["missing"] + pins["broken"])
        raise Stop(f"pip ended well but {wrong} is not there as locked. Delete {VENV} and start again.")
    STAMP.write_text(stamp(), encoding="utf-8")
    return VENV_PYTHON


def stamp():
    """What an installation depends on: the lock, the venv's Python, the folder that holds course_lib."""
    parts = [LOCK.read_bytes(), (VENV / "pyvenv.cfg").read_bytes(), str(ROOT).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def make_venv(inside_venv):
    if inside_venv:
        raise Stop(f"the environment {VENV} is damaged. Run `deactivate` and start again: it is made anew.")
    why = "the one that is there is damaged" if VENV.exists() else "first use"
    print(f"Making the environment {VENV} ({why}) ...", flush=True)
    words = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    made = subprocess.run(words, capture_output=True, text=True)
    if made.returncode and shutil.disk_usage(ROOT).free < SIZE_OF_EMPTY_VENV:
        raise OSError(errno.ENOSPC, "the disk is full")
    if made.returncode:
        raise Stop(
            f"Python could not make the environment {VENV}. It said:\n{(made.stdout + made.stderr).strip()}\n"
            "On Debian and Ubuntu, the package python3-venv has to be installed first."
        )


def locked_packages_are_here():
    try:
        return not check_pins(LOCK, only_versions=True)["missing"]
    except ImportError:  # neither pip nor `packaging`: then the lock's packages are not here either
        return False


def compare_with_lock(python, lock):
    """check_pins, done by another Python. None if that Python does not even start."""
    ask = "import sys; sys.path.insert(0, sys.argv[1]); import course; course.print_pins(sys.argv[2])"
    words = [str(python), "-c", ask, str(ROOT), str(lock)]
    variables = variables_for_children(python, "install", offline=True)
    answer = subprocess.run(words, capture_output=True, text=True, env=variables)
    return json.loads(answer.stdout) if answer.returncode == 0 else None


def print_pins(lock):
    print(json.dumps(check_pins(lock)))


def check_pins(lock, only_versions=False):
    """Compare the running Python's packages with a lock: {"missing": [pins], "broken": [pins]}.

    A pin is missing if its marker holds here and no such version is installed. It is broken if files that its
    record names are gone or too short, as a killed installation leaves them. `only_versions` does not look at
    files, and the first missing pin ends the comparison.
    """
    try:
        from packaging.requirements import InvalidRequirement, Requirement
    except ImportError:
        from pip._vendor.packaging.requirements import InvalidRequirement, Requirement
    pins = {"here": [], "missing": [], "broken": []}
    for line in Path(lock).read_text(encoding="utf-8").splitlines():
        text = line.partition("#")[0].strip()
        try:
            pin = Requirement(text) if text else None
        except InvalidRequirement:
            raise Stop(
                f"{lock}: {text!r} is no pin such as `name==1.2 ; marker`. Restore the file."
            ) from None
        if pin and (pin.marker is None or pin.marker.evaluate()):
            pins[state_of(pin, only_versions)].append(f"{pin.name}{pin.specifier}")
        if only_versions and pins["missing"]:
            break
    return pins


def state_of(pin, only_versions):
    from importlib import metadata

    try:
        package = metadata.distribution(pin.name)
        version = package.version
    except (metadata.PackageNotFoundError, KeyError):
        return "missing"
    if not only_versions and not is_whole(package):
        return "broken"
    return "here" if version and pin.specifier.contains(version, prereleases=True) else "missing"


def is_whole(package):
    rows = list(csv.reader((package.read_text("RECORD") or "").splitlines()))
    for path, _, size in rows:
        file = Path(package.locate_file(path))
        if file.suffix != ".pyc" and (not file.exists() or file.stat().st_size < int(size or 0)):
            return False
    return bool(rows)


# ── Installing ──────────────────────────────────────────────────────────────────────────────────────────


def pip_install(python, *arguments, offline=False):
    """Run `pip install` quietly, and turn a failure into one clear message."""
    words = [str(python), "-m", "pip", "install", "--no-input", *map(str, arguments)]
    words += ["--no-index"] if offline else []
    said = []
    with subprocess.Popen(
        words,
        cwd=ROOT,
        env=variables_for_children(python, "install", offline),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as pip:
        for line in pip.stdout:
            said.append(line)
            if sys.stdout.isatty() and line.startswith(("Collecting", "  Downloading", "Installing")):
                print(f"\r  {line.strip()[:75]:<75}", end="", flush=True)
    if sys.stdout.isatty():
        print(f"\r{'':<77}\r", end="", flush=True)
    if pip.returncode:
        raise Stop(why_pip_failed("".join(said), offline))


def why_pip_failed(said, offline):
    PIP_LOG.parent.mkdir(exist_ok=True)
    PIP_LOG.write_text(said, encoding="utf-8")
    log = f"All that pip said is in {PIP_LOG}."
    if DISK_FULL.search(said):
        return f"the disk is full: pip could not install all. Free {INSTALLATION[1]} and start again. {log}"
    if offline:
        return f"not everything is installed, and --offline forbids to fetch it. Start once without it. {log}"
    if re.search(r"Failed to establish a new connection|[Nn]ame ?[Rr]esolution|ProxyError|timed out", said):
        return (
            "the package registry does not answer, so the packages could not be installed. Check the network "
            f"(and HTTPS_PROXY, if you need a proxy) and start again; what was downloaded is kept. {log}"
        )
    absent = re.search(r"No matching distribution found for (\S+)", said)
    if absent:
        return (
            f"the package registry that pip uses has no {absent[1]} for this machine and this Python. Try "
            f"Python 3.11 (delete {VENV} first) or another registry (PIP_INDEX_URL). {log}"
        )
    errors = [line for line in said.splitlines() if line.startswith("ERROR")] or said.splitlines()[-1:]
    return "pip could not install the packages. It said:\n" + "\n".join([*errors[:3], log])


def install_torch(missing, options):
    """Install torch if it comes from an index of its own; otherwise pip takes it with the other pins."""
    torch = next((pin for pin in missing if pin.startswith("torch==")), None)
    index = options.torch_index
    if torch and not index and sys.platform == "linux":
        index = index_instead_of_cuda(torch, missing, options)
    if torch and index:
        pip_install(VENV_PYTHON, "--no-deps", "--index-url", index, torch, offline=options.offline)


def index_instead_of_cuda(torch, missing, options):
    """PyTorch's index of CPU builds where no NVIDIA GPU is seen and pip would fetch gigabytes of CUDA.

    None where pip may take what it finds: that is no CUDA, or a GPU is there, or the index does not answer.
    Then the size is said, and --cpu-only stops.
    """
    wheels = wheels_that_pip_would_fetch(options.offline, torch)
    if not any(CUDA_PACKAGE.match(wheel["metadata"]["name"]) for wheel in wheels):
        return None
    size, why_not = total_size(wheels), None
    if options.cpu_only or not nvidia_gpu_is_seen():
        why_not = why_no_cpu_build(torch, options.offline)
        if why_not is None:
            print(f"Taking the CPU build of {torch} from {CPU_INDEX}: no NVIDIA GPU is used.", flush=True)
            return CPU_INDEX
    if options.cpu_only:
        raise Stop(
            f"{why_not}. The {torch} in reach comes with CUDA, {size:.1f} GB, and --cpu-only refuses it. "
            "Start again with --torch-index URL if you know another index of CPU builds, or without "
            "--cpu-only: the course works with that build, too."
        )
    stop_if_a_disk_is_too_full(missing, size)
    if why_not:
        print(
            f"{why_not}. So torch comes with CUDA, {size:.1f} GB to download and {size * UNPACKED:.1f} GB on "
            "disk; it works without a GPU, too. Ctrl-C stops this; --cpu-only refuses it; --torch-index URL "
            "takes torch from elsewhere.",
            flush=True,
        )
    return None


def why_no_cpu_build(torch, offline):
    """None if PyTorch's index has a CPU build for this machine and answers; else the reason, in words."""
    if offline:
        return f"--offline forbids to ask PyTorch's own index ({CPU_INDEX})"
    quickly = ["--retries", 0, "--timeout", 8]  # where a firewall swallows every question, too
    try:
        found = wheels_that_pip_would_fetch(False, "--no-deps", "--index-url", CPU_INDEX, *quickly, torch)
    except Stop:
        found = []
    if any(wheel["metadata"]["version"].endswith("+cpu") for wheel in found):
        return None
    return f"PyTorch's own index of CPU builds ({CPU_INDEX}) does not answer or has none for this machine"


def nvidia_gpu_is_seen():
    return shutil.which("nvidia-smi") is not None or Path("/proc/driver/nvidia").exists()


def wheels_that_pip_would_fetch(offline, *arguments):
    """What `pip install arguments` would fetch, as pip's own report says it: a list of wheels."""
    if pip_version() < (23, 3) and not offline:  # before that, pip fetches a wheel to see what it needs
        with contextlib.suppress(Stop):
            pip_install(VENV_PYTHON, "--upgrade", "pip")
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        dry_run = ["--dry-run", "--ignore-installed", "--report", report]
        pip_install(VENV_PYTHON, *dry_run, *arguments, offline=offline)
        return json.loads(report.read_text(encoding="utf-8"))["install"]


def pip_version():
    words = [str(VENV_PYTHON), "-c", "import pip; print(pip.__version__)"]
    version = subprocess.run(words, capture_output=True, text=True).stdout
    return tuple(int(part) for part in version.split(".")[:2])


def total_size(wheels):
    """Size of wheels in GB; where a registry does not tell, a CUDA build is taken to be 3 GB."""
    total = 0
    for wheel in wheels:
        try:
            with urlopen(Request(wheel["download_info"]["url"], method="HEAD"), timeout=10) as answer:
                total += int(answer.headers["Content-Length"])
        except (OSError, TypeError, ValueError):  # no answer, or none that says how long it is
            return 3.0
    return total / 1e9


def stop_if_a_disk_is_too_full(missing, cuda=None):
    """Before anything is downloaded: is there room for these pins? `cuda`: size of torch with CUDA, in GB.

    pip keeps a download twice: in the temporary folder until it is installed, and in its cache.
    """
    torch = any(pin.startswith("torch==") for pin in missing)
    others = len(missing) - torch
    on_disk = others * OF_A_PACKAGE[0] + (torch * OF_TORCH[0] if cuda is None else cuda * UNPACKED)
    to_download = others * OF_A_PACKAGE[1] + (torch * OF_TORCH[1] if cuda is None else cuda)
    said = subprocess.run([str(VENV_PYTHON), "-m", "pip", "cache", "dir"], capture_output=True, text=True)
    cache = Path(said.stdout.strip() or tempfile.gettempdir())
    needs = {}
    for folder, size in ((VENV, on_disk), (Path(tempfile.gettempdir()), to_download), (cache, to_download)):
        while not folder.exists():
            folder = folder.parent
        needs.setdefault(folder.stat().st_dev, []).append((folder, size))
    for parts in needs.values():
        needed, free = sum(size for _, size in parts), shutil.disk_usage(parts[0][0]).free / 1e9
        if needed > free:
            folders = ", ".join(dict.fromkeys(str(folder) for folder, _ in parts))
            raise Stop(
                f"too little free disk: {needed:.1f} GB are needed and {free:.1f} GB are free on the disk of "
                f"{folders}. Nothing was downloaded. Free some, or name folders on another disk (TMPDIR and "
                "PIP_CACHE_DIR), and start again."
            )


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(main(sys.argv[1:]))
    except Stop as stop:
        sys.exit(f"course: {stop}")
    except KeyboardInterrupt:
        print("\ncourse: interrupted. Nothing half-done is trusted: start it again.", file=sys.stderr)
        sys.exit(130)
    except OSError as problem:
        if problem.errno == errno.ENOSPC:
            sys.exit(f"course: the disk is full. Free {INSTALLATION[1]} and start the same command again.")
        sys.exit(f"course: {problem.strerror or problem}: {problem.filename or 'file unknown'}.")
