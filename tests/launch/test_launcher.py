"""The launcher, started as a reader starts it, on a toy course without a network."""

import ast
import errno
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from toy_course import ToyCourse, write_wheel

import course
from tests.benchmarks.__main__ import BENCHMARKS

SEES_GPU = course.nvidia_gpu_is_seen()


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheels")
    write_wheel(folder, "apple", "1.0")
    write_wheel(folder, "apple", "2.0")
    write_wheel(folder, "pear", "1.0")
    write_wheel(folder, "torch", "2.13.0", requires=["nvidia-foo"])
    write_wheel(folder, "nvidia-foo", "1.0")
    return folder


@pytest.fixture(scope="module")
def installed(tmp_path_factory, wheels):
    """A course that was started once. Tests may change its lock: a start brings everything in line again."""
    toy = ToyCourse(tmp_path_factory.mktemp("toy") / "a course", wheels)
    toy.first = toy.start("data")
    return toy


@pytest.fixture
def toy(installed):
    installed.lock("apple==1.0", "pear==1.0")
    return installed


@pytest.fixture
def empty(tmp_path, wheels):
    """A course that was never started."""
    return ToyCourse(tmp_path / "empty", wheels)


def modules(answer):
    return [call["module"] for call in answer.calls]


def words(answer):
    return [" ".join([call["module"], *call["words"]]) for call in answer.calls]


# ── The environment ───────────────────────────────────────────────────────────────────────────────────────


def test_first_start_installs_the_lock_and_the_library(installed):
    assert installed.first.returncode == 0, installed.first.stderr
    assert "first use" in installed.first.stdout
    assert (installed.installed("apple"), installed.installed("pear")) == ("1.0", "1.0")
    assert installed.installed("course_lib_is_here") is not None
    assert installed.installed("windfall") is None
    assert Path(installed.first.calls[0]["python"]) == installed.python


def test_second_start_installs_nothing(toy):
    toy.start("data")
    before = toy.stamp.stat().st_mtime_ns
    answer = toy.start("data", PIP_FIND_LINKS="")
    assert (answer.returncode, answer.stdout, toy.stamp.stat().st_mtime_ns) == (0, "", before)


def test_changed_lock_is_installed(toy):
    toy.lock("apple==2.0", "pear==1.0")
    assert toy.start("data").returncode == 0
    assert toy.installed("apple") == "2.0"


def test_missing_package_is_one_clear_error_and_no_success(toy):
    toy.lock("apple==1.0", "plum==3.0")
    answer = toy.start("data")
    assert answer.returncode == 1
    assert "has no plum==3.0" in answer.stderr
    assert not toy.stamp.exists()
    assert answer.calls == []


def test_no_network_is_one_clear_error(toy):
    toy.lock("apple==1.0", "plum==3.0")
    nobody_listens = {"PIP_NO_INDEX": "0", "PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_RETRIES": "1"}
    answer = toy.start("data", **nobody_listens)
    assert answer.returncode == 1
    assert "registry does not answer" in answer.stderr


def test_offline_start_of_an_incomplete_environment_says_what_to_do(toy):
    toy.lock("apple==1.0", "plum==3.0")
    assert "Start once without it" in toy.start("data", "--offline").stderr


@pytest.mark.parametrize("damage", ["file gone", "file cut short", "record gone"])
def test_half_installed_package_is_seen(toy, damage):
    toy.start("data")
    assert course.compare_with_lock(toy.python, toy.folder / "requirements.lock")["broken"] == []
    module = next(toy.venv.glob("**/site-packages/pear.py"))
    record = module.with_name("pear-1.0.dist-info") / "RECORD"
    broken, content = (
        (record, record.read_bytes()) if damage == "record gone" else (module, module.read_bytes())
    )
    broken.unlink()
    if damage == "file cut short":
        broken.write_bytes(content[:3])
    pins = course.compare_with_lock(toy.python, toy.folder / "requirements.lock")
    broken.write_bytes(content)
    assert pins["broken"] == ["pear==1.0"]


def test_interrupted_installation_is_made_anew(toy):
    toy.start("data")
    toy.stamp.unlink()
    next(toy.venv.glob("**/site-packages/pear.py")).unlink()
    answer = toy.start("data")
    assert answer.returncode == 0
    assert "damaged" in answer.stdout
    assert toy.installed("pear") == "1.0"


def test_environment_that_has_the_lock_is_used_as_it_is(toy, empty):
    toy.start("data")
    answer = empty.start("data", python=toy.python)
    assert answer.returncode == 0
    assert not empty.venv.exists()
    assert Path(answer.calls[0]["python"]) == toy.python
    assert answer.calls[0]["variables"]["PYTHONPATH"].split(os.pathsep)[0] == str(empty.folder)


# ── torch and CUDA ────────────────────────────────────────────────────────────────────────────────────────


only_where_cuda_is_a_surprise = pytest.mark.skipif(
    sys.platform != "linux" or SEES_GPU, reason="CUDA is no surprise here"
)


@pytest.fixture
def cpu_index(toy, tmp_path):
    """An index with a CPU build of torch, in the place of PyTorch's own."""
    index = tmp_path / "simple"
    write_wheel(index / "torch", "torch", "2.13.0+cpu")
    page = '<a href="torch-2.13.0+cpu-py3-none-any.whl">torch-2.13.0+cpu-py3-none-any.whl</a>'
    (index / "torch" / "index.html").write_text(page, encoding="utf-8")
    toy.lock("apple==1.0", "torch==2.13.0")
    (tmp_path / "registry").mkdir()
    toy.pip = {"PIP_NO_INDEX": "0", "PIP_INDEX_URL": (tmp_path / "registry").as_uri()}
    yield index
    toy.pip = {}
    toy.uninstall("torch", "nvidia-foo")
    toy.set_cpu_index(course.CPU_INDEX)


@only_where_cuda_is_a_surprise
def test_without_a_gpu_the_cpu_build_is_taken_from_pytorchs_own_index(toy, cpu_index):
    toy.set_cpu_index(cpu_index.as_uri())
    answer = toy.start("data")
    assert answer.returncode == 0, answer.stderr
    (line,) = [line for line in answer.stdout.splitlines() if "CPU build" in line]
    assert line == f"Taking the CPU build of torch==2.13.0 from {cpu_index.as_uri()}: no NVIDIA GPU is used."
    assert (toy.installed("torch"), toy.installed("nvidia_foo")) == ("2.13.0+cpu", None)


@only_where_cuda_is_a_surprise
def test_without_that_index_the_build_in_reach_is_taken_and_its_size_is_said(toy, cpu_index):
    toy.set_cpu_index("http://127.0.0.1:9/")
    answer = toy.start("data", "--cpu-only")
    assert (answer.returncode, toy.installed("torch")) == (1, None)
    for said in ("comes with CUDA, 0.0 GB, and --cpu-only refuses it", "--torch-index URL"):
        assert said in answer.stderr
    answer = toy.start("data")
    assert answer.returncode == 0, answer.stderr
    (line,) = [line for line in answer.stdout.splitlines() if "CUDA" in line]
    for said in ("PyTorch's own index", "0.0 GB to download", "Ctrl-C", "--cpu-only", "--torch-index URL"):
        assert said in line
    assert (toy.installed("torch"), toy.installed("nvidia_foo")) == ("2.13.0", "1.0")


@only_where_cuda_is_a_surprise
def test_torch_can_be_taken_from_an_index_that_is_named(toy, cpu_index):
    answer = toy.start("data", "--torch-index", cpu_index.as_uri())
    assert answer.returncode == 0, answer.stderr
    assert (toy.installed("torch"), toy.installed("nvidia_foo")) == ("2.13.0+cpu", None)


def test_too_little_disk_is_said_with_numbers_before_anything_is_downloaded(toy, tmp_path):
    """The disk of this test is as free as a sitecustomize says; pip would fail if it were asked."""
    patch = "import shutil\nshutil.disk_usage = lambda folder: shutil._ntuple_diskusage(10**9, 0, 10**7)\n"
    (tmp_path / "sitecustomize.py").write_text(patch, encoding="utf-8")
    toy.lock("apple==1.0", *(f"plum{number}==1.0" for number in range(9)))
    answer = toy.start("data", PYTHONPATH=str(tmp_path), PIP_FIND_LINKS="")
    assert answer.returncode == 1
    assert "too little free disk: 0.1 GB are needed and 0.0 GB are free on the disk of" in answer.stderr
    assert str(toy.venv) in answer.stderr
    assert "Nothing was downloaded" in answer.stderr
    assert not toy.stamp.exists()


def test_a_disk_too_full_for_an_empty_environment_is_not_blamed_on_python(monkeypatch, tmp_path):
    monkeypatch.setattr(course, "VENV", tmp_path / ".venv")
    failed = subprocess.CompletedProcess([], 1, "Error: ensurepip returned non-zero exit status 1", "")
    monkeypatch.setattr(course.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(course.Stop, match="python3-venv"):
        course.make_venv(inside_venv=False)
    monkeypatch.setattr(course.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 10**5))
    with pytest.raises(OSError, match="full") as caught:
        course.make_venv(inside_venv=False)
    assert caught.value.errno == errno.ENOSPC


def test_cuda_and_the_folders_of_pip_count_as_disk_that_is_needed(monkeypatch, tmp_path):
    monkeypatch.setattr(course, "VENV_PYTHON", sys.executable)
    monkeypatch.setattr(course, "VENV", tmp_path)
    monkeypatch.setattr(course.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**10, 0, 4 * 10**9))
    pins = ["torch==2.13.0", *["pear==1.0"] * 190]
    course.stop_if_a_disk_is_too_full(pins)
    with pytest.raises(course.Stop, match=r"\d\d\.\d GB are needed and 4\.0 GB are free"):
        course.stop_if_a_disk_is_too_full(pins, cuda=2.7)


# ── What is refused ───────────────────────────────────────────────────────────────────────────────────────


def test_every_python_since_3_7_can_read_the_launcher():
    ast.parse(Path(course.__file__).read_text(encoding="utf-8"), feature_version=(3, 7))


@pytest.mark.parametrize("version", [(3, 8, 18), (3, 10, 13), (3, 15, 0)])
def test_other_pythons_are_refused_in_words(version):
    pretend = f"import runpy, sys; sys.version_info = {version}; runpy.run_path({course.__file__!r})"
    answer = subprocess.run([sys.executable, "-c", pretend], capture_output=True, text=True)
    assert answer.returncode == 1
    assert answer.stderr.startswith(
        f"course: this is Python {version[0]}.{version[1]}, and the course needs 3.11 to 3.14"
    )


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["rnu"], "there is no command 'rnu'"),
        (["--rnu"], "there is no command '--rnu'"),
        (["run", "09_plums"], "There is no chapter '09_plums'. Chapters: 01_apples, 02_pears."),
        (["run", ""], "There is no chapter ''. Chapters: 01_apples, 02_pears."),
        (["run", "--sed", "1"], "unrecognized arguments: --sed"),
        (["run", "--seed", "one"], "invalid int value: 'one'"),
        (["run", "--seed", "-1"], "A seed is a whole number from 0 to 4294967295, and not -1."),
        (["run", "--scale", "huge"], "invalid choice: 'huge'"),
        (["run", "--scale", "full"], "01_apples has no scale 'full': it has small."),
        (["run", "-p"], "argument -p: expected one argument"),
        (["run", "-p", "scale"], "-p 'scale' must look like NAME=VALUE."),
        (["run", "-p", "=3"], "-p '=3' must look like NAME=VALUE."),
        (["run", "-p", "scale=big"], "The scale is not chosen with -p: use --scale small."),
        (["run", "-p", "size=[1"], "01_apples has no parameter 'size': it has scale, seed, depth, share,"),
        (["run", "-p", "depth=[1"], "depth is a whole number such as 3, and not '[1'."),
        (["run", "-p", "depth=2.5"], "depth is a whole number such as 3, and not 2.5."),
        (["run", "-p", "depth="], "depth is a whole number such as 3, and not ''."),
        (["run", "-p", "depth=True"], "depth is a whole number such as 3, and not True."),
        (["run", "-p", "seed=2020-01-01"], "seed is a whole number such as 0, and not '2020-01-01'."),
        (["run", "-p", "seed=-1"], "A seed is a whole number from 0"),
        (["run", "-p", "share=1e999"], "share is a number such as 0.5, and not '1e999'."),
        (["run", "-p", "share=" + "(" * 5000], "share is a number such as 0.5"),
        (["run", "-p", "ripe=yes"], "ripe is True or False such as True, and not 'yes'."),
        (["run", "-p", "kinds={1}"], "kinds is a list such as ['a'], and not '{1}'."),
        (["run", "-p", "name=5"], "name is a text such as 'x', and not 5."),
        (["test", "02"], "`test` checks the whole course and takes no such word: 02."),
        (["test", "--other"], "`test` checks the whole course and takes no such word: --other."),
        (["book", "nosuch"], "argument build|serve: invalid choice: 'nosuch'"),
        (["book", "serve", "--port", "99999"], "a port is a number from 0 to 65535, and not 99999."),
        (["data", "nosuch"], "argument list|get: invalid choice: 'nosuch'"),
        (["data", "list", "orchard"], "names and --for go with `data get`"),
        (["data", "get", "nosuch"], "there is no data set 'nosuch': choose from orchard, jars, scales."),
        (["data", "get", "--for", "plums"], "There is no chapter 'plums'. Chapters: 01_apples, 02_pears."),
        (["benchmark", "nosuch"], "there is no benchmark 'nosuch': choose from cf, encode,"),
        (["benchmark", "full/1_apples"], "there is no benchmark 'full/1_apples': choose from cf,"),
        (["lab", "--torch-index"], "argument --torch-index: expected one argument"),
        (["lab", "02"], "`lab` opens all lessons and takes no such word: 02."),
        (["lab", "--fresh", "plums"], "There is no chapter 'plums'. Chapters: 01_apples, 02_pears."),
        (["check", "plums"], "There is no chapter 'plums'. Chapters: 01_apples, 02_pears."),
        (["run", "--torch-index", "cpu"], "--torch-index is an address such as https://"),
        (["run", "--allow-cuda"], "unrecognized arguments: --allow-cuda"),
    ],
)
def test_what_is_not_there_is_said_before_anything_is_installed(empty, typed, said):
    answer = empty.start(*typed)
    assert answer.returncode == 1
    assert said in answer.stderr
    assert (
        answer.stderr.count("\n") == 1 or "python course.py run " in answer.stderr
    )  # a sentence, or the help
    assert not empty.venv.exists()


@pytest.mark.parametrize("saved", ['{"cells": [{', "[]", '{"cells": [{"metadata": 3}]}', "<<<<<<< HEAD"])
def test_half_a_notebook_is_told_before_anything_is_installed(empty, saved):
    (empty.folder / "notebooks" / "02_pears.ipynb").write_text(saved, encoding="utf-8")
    answer = empty.start("run", "-p", "depth=2")
    assert answer.returncode == 1
    assert "02_pears.ipynb cannot be read" in answer.stderr
    assert "python course.py check 02_pears --fix" in answer.stderr
    assert not empty.venv.exists()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["--version"], "course 7.8.9"),
        (["help", "book"], "--port"),
        (["run", "--help"], "NAME=VALUE"),
        (["test", "--help"], "--other-machine"),
        (["book", "--help"], "serve shows it"),
        (["data", "--help"], "get fetches"),
        (["data", "--help"], "orchard, jars, scales"),
        (["lab", "--help"], "--no-browser"),
        (["benchmark", "--help"], "benchmark gowalla"),
        (["benchmark"], "benchmark gowalla"),
    ],
)
def test_help_names_the_words_of_a_command_and_installs_nothing(empty, typed, said):
    answer = empty.start(*typed)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert said in answer.stdout
    assert not empty.venv.exists()


def test_benchmarks_that_the_launcher_names_are_those_that_there_are():
    assert list(course.BENCHMARKS) == list(BENCHMARKS)


def test_alone_it_names_every_command(empty):
    answer = empty.start()
    assert answer.returncode == 0
    for command in course.COMMANDS:
        assert f"python course.py {command}" in answer.stdout


def test_full_disk_is_told_from_other_failures(tmp_path, monkeypatch):
    monkeypatch.setattr(course, "PIP_LOG", tmp_path / "build" / "pip.log")
    reason = f"[Errno {errno.ENOSPC}] {os.strerror(errno.ENOSPC)}"
    said = f"ERROR: Could not install packages due to an OSError: {reason}\n"
    assert "the disk is full" in course.why_pip_failed(said, offline=False)
    assert "the disk is full" not in course.why_pip_failed("ERROR: something else\n", offline=False)


# ── The commands ──────────────────────────────────────────────────────────────────────────────────────────


def test_run_fetches_what_its_chapters_need_runs_them_and_builds_the_book(toy):
    answer = toy.start("run", "pears", "--scale", "full", "--seed", "7", "-p", "depth=2")
    assert answer.returncode == 0
    assert words(answer) == [
        "data_scripts get orchard weather climate",
        "notebooks.make run 02_pears --scale full --seed 7 -p depth=2",
        "book build",
    ]
    assert "python course.py lab" in answer.stdout


def test_run_without_chapters_means_all_and_fetches_what_the_tests_need(toy):
    assert words(toy.start("run"))[:2] == [
        "data_scripts get orchard weather jars",
        "notebooks.make run 01_apples 02_pears --scale small",
    ]


@pytest.fixture
def two_lessons(toy):
    """A third chapter of two lessons, for as long as a test takes."""
    plan = toy.folder / "notebooks" / "plan.toml"
    rows = plan.read_text(encoding="utf-8")
    row = rows.partition("[chapters.02_pears]")[0].replace("orchard", "jars")
    plan.write_text(
        rows + row.replace("01_apples", "03a_plums") + row.replace("01_apples", "03b_figs"), encoding="utf-8"
    )
    files = [toy.folder / "notebooks" / name for name in ("03a_plums.ipynb", "03b_figs.ipynb")]
    sources = [toy.folder / "notebooks" / "source" / f"{file.stem}.py" for file in files]
    for file, source in zip(files, sources, strict=True):
        shutil.copy(toy.folder / "notebooks" / "01_apples.ipynb", file)
        source.touch()
    yield toy
    plan.write_text(rows, encoding="utf-8")
    for file in (*files, *sources):
        file.unlink()


def test_the_number_of_a_chapter_means_all_its_lessons(two_lessons):
    def run(*names):
        return words(two_lessons.start("run", *names))[:2]

    both = "notebooks.make run 03a_plums 03b_figs --scale small"
    assert run("03") == run("3") == ["data_scripts get jars", both]
    assert run("03b") == ["data_scripts get jars", "notebooks.make run 03b_figs --scale small"]
    assert run("plums", "1")[1] == "notebooks.make run 01_apples 03a_plums --scale small"
    for command in ("check", "preview", "execute"):
        assert any("03a_plums 03b_figs" in line for line in words(two_lessons.start(command, "03")))
    assert words(two_lessons.start("lab", "--fresh", "03"))[0] == (
        "notebooks.make lessons --fresh 03a_plums --fresh 03b_figs"
    )


def test_run_stops_at_a_failure_and_says_so(toy):
    answer = toy.start("run", TOY_FAILURE="notebooks.make")
    assert answer.returncode == 1
    assert "running the chapters failed" in answer.stderr
    assert modules(answer) == ["data_scripts", "notebooks.make"]


def test_test_does_everything_and_reports_a_failure(toy):
    answer = toy.start("test")
    assert answer.returncode == 0
    chapters, seeds = course.CHAPTER_TESTS, course.SEED_TESTS
    first = ["ruff check .", "ruff format --check .", "notebooks.make check", "data_scripts get"]
    assert words(answer)[:4] == first
    library = course.LIBRARY_TESTS
    rest = " ".join(f"--ignore={done}" for done in (chapters, seeds, *library))
    parts = [f"pytest {chapters}", f"pytest {seeds}", f"pytest {' '.join(library)}", f"pytest tests {rest}"]
    assert sorted(words(answer)[4:]) == sorted(parts)
    assert all((course.ROOT / place).exists() for place in (chapters, seeds, *library))
    for module, failures in {"pytest": 4, "ruff": 2, "notebooks.make": 1}.items():
        failed = toy.start("test", TOY_FAILURE=module)
        assert failed.returncode == 1
        assert failed.stdout.count("FAILED") == failures
        assert sorted(modules(failed)) == sorted(modules(answer))


def test_two_at_a_time_say_what_they_say_as_a_whole_and_end_together(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(course, "ROOT", tmp_path)
    say = "import os, sys, time\nfor _ in range(5):\n"
    say += "    time.sleep(0.2)\n    print(sys.argv[1], os.environ['OMP_NUM_THREADS'], flush=True)\n"
    (tmp_path / "say.py").write_text(f"{say}sys.exit(sys.argv[1] == 'b')", encoding="utf-8")
    toy = course.Course(Path(sys.executable), "test", offline=True)
    began = time.monotonic()
    done = course.two_at_a_time(toy, {name: ["say", name] for name in "abc"})
    assert {name: passed for name, (passed, _) in done.items()} == {"a": True, "b": False, "c": True}
    assert sum(seconds for _, seconds in done.values()) > time.monotonic() - began
    printed = capfd.readouterr().out
    for name in "abc":
        assert f"── {name} ──\n" + f"{name} 1\n" * 5 in printed


def test_free_memory_is_that_of_this_machine_or_unknown():
    free = course.free_memory()
    assert free == 0 if sys.platform != "linux" else 1e8 < free <= psutil.virtual_memory().total
    assert 1 <= course.cores() <= os.cpu_count()


def test_what_whoever_edits_types(toy):
    style = ["ruff check .", "ruff format --check ."]
    assert words(toy.start("check")) == [*style, "notebooks.make check 01_apples 02_pears"]
    assert words(toy.start("check", "2", "--fix")) == [*style, "notebooks.make check 02_pears --fix"]
    assert toy.start("check", TOY_FAILURE="ruff").returncode == 1
    assert words(toy.start("preview", "pears")) == ["notebooks.make sync 02_pears", "book preview 02_pears"]
    needs = "data_scripts get orchard weather"
    assert words(toy.start("execute", "pears")) == [needs, "notebooks.make execute 02_pears"]


def test_the_other_commands_hand_on_their_words(toy):
    assert words(toy.start("data")) == ["data_scripts list"]
    assert words(toy.start("data", "get", "orchard")) == ["data_scripts get orchard"]
    assert words(toy.start("data", "get", "--for", "pears", "1")) == [
        "data_scripts get --for 01_apples 02_pears"
    ]
    assert words(toy.start("data", "--offline", "get", "jars")) == ["data_scripts get jars --offline"]
    assert words(toy.start("book")) == ["book build"]
    assert words(toy.start("benchmark", "topk")) == ["data_scripts get scales", "tests.benchmarks topk"]
    assert words(toy.start("benchmark", "all")) == [
        "data_scripts get scales",
        f"tests.benchmarks {' '.join(course.BENCHMARKS)}",
    ]
    assert words(toy.start("benchmark", "full/02_pears", "seeds/01_apples")) == [
        "data_scripts get orchard weather climate",
        "tests.benchmarks full/02_pears seeds/01_apples",
    ]


def test_the_book_is_served_once_there_is_one(toy):
    answer = toy.start("book", "serve", "--port", "8123")
    assert (answer.returncode, answer.calls) == (1, [])
    assert "`python course.py book` builds it" in answer.stderr
    page = toy.folder / "build" / "book" / "index.html"
    page.parent.mkdir(parents=True)
    page.write_text("a book", encoding="utf-8")
    assert words(toy.start("book", "serve", "--port", "8123")) == ["book serve --port 8123"]


def test_lab_opens_copies_of_the_lessons_and_answers_the_question_about_news(toy):
    answer = toy.start("lab", "--fresh", "pears", "--port", "8899")
    lessons, data, opened = words(answer)
    assert (lessons, data) == ("notebooks.make lessons --fresh 02_pears", "data_scripts get")
    assert opened.startswith(f"jupyterlab {toy.folder / 'work'} ")
    assert opened.endswith("--port 8899")
    assert "--LabApp.news_url=None" in opened
    settings = answer.calls[-1]["variables"]["JUPYTER_CONFIG_PATH"].split(os.pathsep)[0]
    assert Path(settings) == toy.folder / course.JUPYTER.relative_to(course.ROOT)
    assert toy.start("lab", "--fresh", "plums").stderr.startswith("course: There is no chapter 'plums'.")


def test_jupyterlab_knows_the_settings_that_the_course_gives_it():
    """A name that it does not know would be passed over, and the question would pop up."""
    schemas = Path(sys.prefix) / "share" / "jupyter" / "lab" / "schemas"
    given = json.loads((course.JUPYTER / "labconfig" / "default_setting_overrides.json").read_text("utf-8"))
    for plugin, settings in given.items():
        package, _, name = plugin.partition(":")
        known = json.loads((schemas / package / f"{name}.json").read_text("utf-8"))["properties"]
        for setting, value in settings.items():
            kind = known[setting]
            assert value in [choice["const"] for choice in kind.get("oneOf", [{"const": value}])]
            assert type(value) is {"string": str, "boolean": bool}[kind["type"]]


def test_offline_reaches_every_child(toy):
    answer = toy.start("run", "--offline")
    assert answer.calls[0]["words"][-1] == "--offline"
    for call in answer.calls:
        for switch in ("COURSE_OFFLINE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE"):
            assert call["variables"][switch] == "1"


def test_children_get_settings_that_make_runs_repeatable(toy):
    (call,) = toy.start("data", MPLBACKEND="agg", PYTHONPATH="elsewhere").calls
    set_for_all = call["variables"]
    assert int(set_for_all["OMP_NUM_THREADS"]) == min(2, os.cpu_count())
    assert (set_for_all["OPENBLAS_NUM_THREADS"], set_for_all["PYTHONHASHSEED"]) == ("1", "0")
    assert set_for_all["JUPYTER_PATH"] == str(toy.venv / "share" / "jupyter")
    for unset in ("MPLBACKEND", "PYTHONPATH", "COURSE_OFFLINE", "TQDM_DISABLE"):
        assert unset not in set_for_all
    for call in toy.start("test").calls:
        assert call["variables"]["TQDM_DISABLE"] == "1"
        assert call["variables"]["HF_DATASETS_DISABLE_PROGRESS_BARS"] == "1"


def test_another_machine_reaches_every_step_and_brings_an_empty_folder_of_vectors(toy):
    answer = toy.start("test", "--other-machine", OPENBLAS_CORETYPE="Zen", OMP_NUM_THREADS="2")
    assert answer.returncode == 0, answer.stderr
    assert "one thread" in answer.stdout
    assert "pytest" in modules(answer)
    for call in answer.calls:
        assert course.OTHER_MACHINE.items() <= call["variables"].items()
        assert not Path(call["variables"]["COURSE_VECTORS"]).exists()  # gone with the command


def test_a_usual_test_computes_as_the_processor_does(toy):
    for call in toy.start("test", OPENBLAS_CORETYPE="Haswell").calls:
        emulated = set(course.OTHER_MACHINE) - {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"}
        assert not emulated & set(call["variables"])
        assert "COURSE_VECTORS" not in call["variables"]


@pytest.mark.skipif(os.name == "nt", reason="Windows ends a process without asking it")
def test_launcher_that_is_told_to_end_leaves_no_child_behind(toy):
    toy.start("data")
    launcher = toy.begin("data", TOY_SECONDS="60")
    deadline = time.monotonic() + 30
    while not toy.calls() and time.monotonic() < deadline:
        time.sleep(0.05)
    (call,) = toy.calls()
    launcher.terminate()
    launcher.communicate(timeout=30)
    assert launcher.returncode == 143
    with pytest.raises(ProcessLookupError):
        os.kill(call["process"], 0)


def test_mirror_folder_is_for_tests_and_benchmarks_only(toy):
    mirror = toy.folder.parent / "shared" / "datasets"
    mirror.mkdir(parents=True)
    seen = {
        words[0]: toy.start(*words).calls[-1]["variables"].get("COURSE_DATA_MIRROR")
        for words in (["test"], ["benchmark", "topk"], ["run"], ["data"])
    }
    chosen = toy.start("test", COURSE_DATA_MIRROR="mine").calls[-1]["variables"]["COURSE_DATA_MIRROR"]
    shutil.rmtree(mirror.parent)
    assert seen == {"test": str(mirror), "benchmark": str(mirror), "run": None, "data": None}
    assert chosen == "mine"
