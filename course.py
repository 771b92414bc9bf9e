"""Launcher of the course. `python course.py` alone says what each command does and how long it takes.

It needs nothing but Python 3.11, 3.12 or 3.13. On first use it makes `.venv` beside itself and installs the
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

OLDEST, NEWEST = (3, 11), (3, 13)
if not OLDEST <= sys.version_info[:2] <= NEWEST:
    sys.exit(
        f"course: this is Python {sys.version_info[0]}.{sys.version_info[1]}, and the course needs "
        f"{OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]}, as its libraries do. Install one of these "
        "(https://www.python.org/downloads/) and start with it, for example: python3.11 course.py run"
    )

ROOT = Path(__file__).resolve().parent
LOCK = ROOT / "requirements.lock"
BENCHMARK_LOCK = ROOT / "tests" / "benchmarks" / "requirements.lock"
PLAN = ROOT / "notebooks" / "plan.toml"
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
TESTS = {  # the longest first: two of them run at a time
    "stored outputs": ["pytest", CHAPTER_TESTS],
    "another seed": ["pytest", SEED_TESTS],
    "all the rest": ["pytest", "tests", f"--ignore={CHAPTER_TESTS}", f"--ignore={SEED_TESTS}"],
}
MEMORY_OF_TWO = 6e9  # bytes: two lessons of at most 2 GB beside each other, and the tests' own
CUDA_PACKAGE = re.compile(r"(nvidia|cuda|triton)\b", re.IGNORECASE)

COMMANDS = {
    "run": ("fetch the data, run every chapter, print the verdicts, build the book", "10 min"),
    "test": ("check everything: style, library, every stored output of every chapter, book", "15 min"),
    "lab": ("open JupyterLab on your own copy of the chapters, in work/", "10 s"),
    "book": ("build the book from the chapters as they stand; `book serve` shows it", "1 min"),
    "data": ("list every data set, its licence and where it is; `data get NAME` fetches it", "10 s"),
    "check": ("for whoever edits: style, and lessons that differ from their source; `check 02`", "10 s"),
    "preview": ("for whoever edits: take over changed text and show the page, `preview 02`", "20 s"),
    "execute": ("for whoever edits: run lessons and store their outputs, `execute 02`", "1 min"),
    "benchmark": ("measure speed against other libraries: `benchmark encode`", "5 min"),
}


class Stop(Exception):
    """A failure that had to be expected. Its text says what happened, why, and what to do."""


def main(words):
    """Do what the words of the command line ask for; return the exit code."""
    if not words or words[0] in ("-h", "--help", "help"):
        print(overview())
        return 0
    options, more = read_command_line(words)
    chapters = chosen_chapters(getattr(options, "chapters", []))
    fresh = chosen_chapters(options.fresh) if options.command == "lab" and options.fresh else {}
    course = Course(find_or_make_environment(options), options.command, options.offline)
    if options.command == "run":
        return run(course, options, chapters)
    if options.command == "test":
        return test_as_another_machine(course) if options.other_machine else test(course)
    if options.command == "lab":
        return lab(course, fresh, more)
    if options.command == "check":
        return check(course, chapters, options.fix)
    if options.command == "preview":
        return preview(course, chapters)
    if options.command == "execute":
        return execute(course, chapters)
    if options.command == "book":
        return book(course, more)
    if options.command == "data":
        return course.module("data_scripts", *(more or ["list"]), *course.offline)
    return benchmark(course, more)


# ── What was typed ──────────────────────────────────────────────────────────────────────────────────────


def overview():
    lines = [
        "The first use of a command also installs what the course needs (some minutes, 3 GB of disk).",
        "",
    ]
    for name, (does, takes) in COMMANDS.items():
        lines.append(f"  python course.py {name:<10} {takes:>6}  {does}")
    return "\n".join([*lines, "", "The options of a command: python course.py COMMAND --help"])


class CommandLine(argparse.ArgumentParser):
    def error(self, message):
        raise Stop(f"{message}. `{self.prog} --help` shows what there is.")


def read_command_line(words):
    name = words[0]
    if name not in COMMANDS:
        raise Stop(f"there is no command {name!r}.\n\n{overview()}")
    line = CommandLine(f"python course.py {name}", description=COMMANDS[name][0], allow_abbrev=False)
    if name == "run":
        line.add_argument("chapters", nargs="*", help="such as 02 or 02_cosine; none: all of them")
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
    if name in ("check", "preview", "execute"):
        line.add_argument("chapters", nargs="*", help="such as 02 or 02_cosine; none: all of them")
    if name == "check":
        line.add_argument(
            "--fix",
            action="store_true",
            help="first take over changed text; keep in work/ what was saved by hand",
        )
    line.add_argument("--offline", action="store_true", help="make no connection beyond this machine")
    line.add_argument("--torch-index", metavar="URL", help="install torch from this index (see README.md)")
    line.add_argument("--allow-cuda", action="store_true", help="install CUDA although no GPU is seen")
    options, more = line.parse_known_args(words[1:])
    if more and name in (
        "run",
        "test",
        "check",
        "preview",
        "execute",
    ):  # the other commands hand on what they do not know themselves
        line.error(f"unrecognized arguments: {' '.join(more)}")
    options.command = name
    return options, more


def chosen_chapters(asked):
    """Rows of plan.toml for the chapters that were asked for, in its order; all of them if none was."""
    plan = read_toml(PLAN)["chapters"]
    chosen = {key: row for key, row in plan.items() if not asked or names_of(key) & set(asked)}
    for word in asked:
        if not any(word in names_of(key) for key in chosen):
            raise Stop(f"there is no chapter {word!r}. The chapters are: {', '.join(plan)}.")
    return chosen


def names_of(key):
    number, _, name = key.partition("_")
    return {key, number, number.lstrip("0"), name}


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


def run(course, options, chapters):
    choices = ["--scale", options.scale]
    choices += [] if options.seed is None else ["--seed", options.seed]
    choices += [word for pair in options.p for word in ("-p", pair)]
    rows = [part for row in chapters.values() for part in (row, row["scales"].get(options.scale, {}))]
    needs = [asset for row in rows for asset in row.get("needs", [])]
    if not options.chapters:  # the whole course: `test` shall then work without a network, too
        needs += assets_for("tests")
    carry_out("fetching the data", course.get(needs))
    carry_out("running the chapters", course.module("notebooks.make", "run", *chapters, *choices))
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


def check(course, chapters, fix):
    """What can be told in seconds about style and lessons; nothing is run."""
    words = ["notebooks.make", "check", *chapters, *(["--fix"] if fix else [])]
    done = one_by_one(course, {**STYLE, "lessons": words})
    return 0 if all(passed for passed, _ in done.values()) else 1


def preview(course, chapters):
    """The pages of the book, with the text of the sources as it is now, and outputs as they were stored."""
    carry_out("taking over the text", course.module("notebooks.make", "sync", *chapters))
    return course.module("book", "preview", *chapters)


def execute(course, chapters):
    """Run lessons as they are committed, and store their outputs."""
    needs = [asset for row in chapters.values() for asset in row["needs"]]
    carry_out("fetching the data", course.get(needs))
    return course.module("notebooks.make", "execute", *chapters)


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
    if course.module("data_scripts", "get", *course.offline):
        print("course: some data is missing, so some cells will fail. JupyterLab opens all the same.")
    quiet = (  # JupyterLab would ask its publisher for news and for a newer version
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    )
    put_first(course.variables, "JUPYTER_CONFIG_PATH", JUPYTER)  # where the question about news is answered
    return course.module("jupyterlab", WORK, *quiet, *more)


def book(course, more):
    if more:
        return course.module("book", *more)
    carry_out("building the book", course.module("book", "build"))
    print(f"Open {BOOK} in a browser. Its search needs a server: python course.py book serve")
    return 0


def benchmark(course, more):
    if BENCHMARK_LOCK.is_file() and compare_with_lock(course.python, BENCHMARK_LOCK)["missing"]:
        print("Installing the libraries to compare with ...", flush=True)
        pip_install(course.python, "-r", BENCHMARK_LOCK, "-c", LOCK, offline=bool(course.offline))
    needs = assets_for(*(f"benchmark {word}" for word in more))
    carry_out("fetching the data", course.get(needs))
    return course.module("tests.benchmarks", *more)


def assets_for(*uses):
    """Names of the assets that sources.toml says are needed by one of these uses."""
    return [name for name, asset in read_toml(SOURCES).items() if set(uses) & set(asset["needed_by"])]


def carry_out(what, exit_code):
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
        print(f"Installing {len(pins['missing'])} packages into {VENV} ...", flush=True)
        install_torch_without_surprise(pins["missing"], options)
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
    if re.search(r"No space left on device|Errno 28|WinError 112|not enough space", said):
        return f"the disk is full: the packages could not be installed. Free 5 GB and start again. {log}"
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


def install_torch_without_surprise(missing, options):
    """On Linux a registry's torch asks for gigabytes of CUDA: do not fetch them where no GPU is seen."""
    torch = next((pin for pin in missing if pin.startswith("torch==")), None)
    if torch is None:
        return
    if options.torch_index:
        index = ["--index-url", options.torch_index]
        pip_install(VENV_PYTHON, "--no-deps", *index, torch, offline=options.offline)
        return
    if options.allow_cuda or sys.platform != "linux" or nvidia_gpu_is_seen():
        return
    wheels = wheels_that_pip_would_fetch(torch, options.offline)
    if any(CUDA_PACKAGE.match(name) for name in wheels):
        raise Stop(
            f"no NVIDIA GPU is seen here, yet pip would fetch {total_size(wheels.values())} for {torch} and "
            "the CUDA packages that this build asks for. The course needs no GPU. Start again with "
            "--torch-index URL, where URL is the index of CPU builds that PyTorch's own install page names "
            "(see 'torch without CUDA' in README.md), or with --allow-cuda to have all of it."
        )


def nvidia_gpu_is_seen():
    return shutil.which("nvidia-smi") is not None or Path("/proc/driver/nvidia").exists()


def wheels_that_pip_would_fetch(requirement, offline):
    """{package: address of its wheel} for `requirement` and all that it needs, from a dry run of pip."""
    if pip_version() < (23, 3) and not offline:  # before that, pip fetches a wheel to see what it needs
        with contextlib.suppress(Stop):
            pip_install(VENV_PYTHON, "--upgrade", "pip")
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        dry_run = ["--dry-run", "--ignore-installed", "--report", report]
        pip_install(VENV_PYTHON, *dry_run, requirement, offline=offline)
        wheels = json.loads(report.read_text(encoding="utf-8"))["install"]
    return {wheel["metadata"]["name"]: wheel["download_info"]["url"] for wheel in wheels}


def pip_version():
    words = [str(VENV_PYTHON), "-c", "import pip; print(pip.__version__)"]
    version = subprocess.run(words, capture_output=True, text=True).stdout
    return tuple(int(part) for part in version.split(".")[:2])


def total_size(addresses):
    total = 0
    for address in addresses:
        try:
            with urlopen(Request(address, method="HEAD"), timeout=10) as answer:
                total += int(answer.headers["Content-Length"])
        except (OSError, TypeError, ValueError):  # no answer, or none that says how long it is
            return "several GB"
    return f"{total / 1e9:.1f} GB"


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
            sys.exit("course: the disk is full. Free 5 GB and start the same command again.")
        sys.exit(f"course: {problem.strerror or problem}: {problem.filename or 'file unknown'}.")
