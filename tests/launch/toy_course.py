"""A course in miniature: the real launcher beside modules that only write down how they were called."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import course
from course_lib import registers
from notebooks.make import plan

RECORDER = """
import json, os, sys, time
with open("calls.jsonl", "a", encoding="utf-8") as calls:
    call = dict(module=__spec__.parent, words=sys.argv[1:], python=sys.executable, variables=dict(os.environ))
    call["process"] = os.getpid()
    calls.write(json.dumps(call) + "\\n")
time.sleep(float(os.environ.get("TOY_SECONDS", 0)))
sys.exit(__spec__.parent == os.environ.get("TOY_FAILURE"))
"""
BUILD_BACKEND = """
import zipfile
def build_editable(folder, settings=None, metadata=None):
    name = "course_lib-0.1-py3-none-any.whl"
    with zipfile.ZipFile(folder + "/" + name, "w") as wheel:
        for file, text in FILES.items():
            wheel.writestr(file, text)
        wheel.writestr("course_lib-0.1.dist-info/RECORD", "".join(file + ",,\\n" for file in FILES))
    return name
FILES = {
    "course_lib_is_here.py": "",
    "course_lib-0.1.dist-info/METADATA": "Metadata-Version: 2.1\\nName: course-lib\\nVersion: 0.1\\n",
    "course_lib-0.1.dist-info/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
}
"""
PROJECT = """
[project]
version = "7.8.9"
[build-system]
requires = []
build-backend = "toy_backend"
backend-path = ["."]
"""
PLAN = """
[chapters.01_apples]
title = "Apples"
title_zh = "苹果"
goal = "count apples"
minutes = 1
needs = ["orchard"]
timeout = 1
scales.small = {}
[chapters.02_pears]
title = "Pears"
title_zh = "梨"
goal = "count pears"
minutes = 1
needs = ["orchard", "weather"]
timeout = 1
scales.small = {}
scales.full = { needs = ["climate"] }
"""
PARAMETERS = (
    'scale = "small"\nseed = 0\ndepth = 3\nshare: float = 0.5\nripe = True\nkinds = ["a"]\nname = "x"\n'
)
SOURCES = """
[orchard]
needed_by = []
[jars]
needed_by = ["tests"]
[scales]
needed_by = ["benchmark topk"]
"""
FOREIGN = (
    "PIP_",
    "COURSE_",
    "HF_",
    "TRANSFORMERS_",
    "PYTHON",
    "OMP_",
    "OPENBLAS_",
    "TQDM_",
    "JUPYTER_",
    "MPL",
    *course.OTHER_MACHINE,
)


def write_wheel(folder, name, version, requires=()):
    """A wheel that holds one module, as small as pip accepts it."""
    module, info = name.replace("-", "_"), f"{name.replace('-', '_')}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {requirement}\n" for requirement in requires)
    files = {
        f"{module}.py": f"version = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{file},,{len(text)}\n" for file, text in files.items())
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / f"{module}-{version}-py3-none-any.whl", "w") as wheel:
        for file, text in {**files, f"{info}/RECORD": record}.items():
            wheel.writestr(file, text)


class ToyCourse:
    """The folder, the wheels that it may install, and `start`, which types a command."""

    def __init__(self, folder, wheels):
        self.folder, self.wheels, self.venv = folder, wheels, folder / ".venv"
        self.pip = {}  # variables of pip that a test wants in place of "no index"
        modules = [
            "data_scripts",
            "notebooks.make",
            "book",
            "ruff",
            "pytest",
            "jupyterlab",
            "tests.benchmarks",
        ]
        files = {f"{module.replace('.', '/')}/__main__.py": RECORDER for module in modules}
        files |= {f"{module.replace('.', '/')}/__init__.py": "" for module in modules}
        files |= {"toy_backend.py": BUILD_BACKEND, "pyproject.toml": PROJECT, "course_lib/__init__.py": ""}
        files |= {"notebooks/plan.toml": PLAN, "data_scripts/sources.toml": SOURCES}
        files["notebooks/make/plan.py"] = Path(plan.__file__).read_text(encoding="utf-8")
        for module in Path(registers.__file__).parent.glob("*.py"):  # what plan.py reads the plan with
            files[f"course_lib/registers/{module.name}"] = module.read_text(encoding="utf-8")
        for chapter in ("01_apples", "02_pears"):
            parameters = {"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": [PARAMETERS]}
            files[f"notebooks/{chapter}.ipynb"] = json.dumps({"cells": [parameters]})
            files[f"notebooks/source/{chapter}.py"] = ""
        for name, text in files.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        shutil.copy(course.__file__, folder / "course.py")
        self.lock("apple==1.0", "pear==1.0")

    def lock(self, *pins):
        text = "\n".join(["# a toy lock", *pins, "windfall==7 ; python_version < '3'", ""])
        (self.folder / "requirements.lock").write_text(text, encoding="utf-8")

    def set_cpu_index(self, index):
        """Let this address stand in the launcher for that of PyTorch's CPU builds."""
        text = Path(course.__file__).read_text(encoding="utf-8")
        assert course.CPU_INDEX in text
        (self.folder / "course.py").write_text(text.replace(course.CPU_INDEX, index), encoding="utf-8")

    def uninstall(self, *packages):
        words = [str(self.python), "-m", "pip", "uninstall", "--yes", "--quiet", *packages]
        subprocess.run(words, check=True, capture_output=True)
        self.stamp.unlink(missing_ok=True)

    def start(self, *words, python=sys.executable, **variables):
        """Type `course.py words`; the answer has the exit code, what was printed, and the modules' calls."""
        started = self.begin(*words, python=python, **variables)
        out, err = started.communicate(timeout=120)
        answer = subprocess.CompletedProcess(started.args, started.returncode, out, err)
        answer.calls = self.calls()
        assert "Traceback" not in err, err
        return answer

    def begin(self, *words, python=sys.executable, **variables):
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        pip = {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": self.wheels.as_uri()}
        (self.folder / "calls.jsonl").unlink(missing_ok=True)
        return subprocess.Popen(
            [str(python), str(self.folder / "course.py"), *words],
            env={**inherited, **pip, **self.pip, **variables},
            cwd=self.folder.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def calls(self):
        file = self.folder / "calls.jsonl"
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True) if file.exists() else []
        return [json.loads(line) for line in lines if line.endswith("\n")]  # the last may be half written

    @property
    def python(self):
        return self.folder / course.VENV_PYTHON.relative_to(course.ROOT)

    @property
    def stamp(self):
        return self.venv / course.STAMP.name

    def installed(self, module):
        """Version of an installed toy module, read from its file; None if it is not there."""
        file = next(Path(self.venv).glob(f"**/site-packages/{module}.py"), None)
        return file and file.read_text(encoding="utf-8").removeprefix("version = ").strip().strip("'")
