"""Do the variables of `test --other-machine` take hold? (How it is asked for stands in test_launcher.py.)"""

import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

import course
from notebooks.make.kernel import settings

# Each library says what it computes with; MKL and oneDNN only do while they work.
ASK = """
import json, sys
import faiss, implicit.cpu.als, numpy, scipy.linalg, threadpoolctl, torch
from numpy._core._multiarray_umath import __cpu_features__ as features

torch.rand(8, 8) @ torch.rand(8, 8)
torch.relu(torch.rand(4, 4).to_mkldnn())
said = {
    "torch": torch.backends.cpu.get_cpu_capability(),
    "torch threads": torch.get_num_threads(),
    "faiss": faiss.SIMDConfig.get_level_name(),
    "faiss threads": faiss.omp_get_max_threads(),
    "numpy": [name for name, used in features.items() if used],
    "pools": [
        [pool["internal_api"], pool.get("architecture"), pool["num_threads"]]
        for pool in threadpoolctl.threadpool_info()
    ],
}
print("said:", json.dumps(said))
"""
AVX2_HERE = platform.machine() in ("x86_64", "AMD64") and "avx2" in (
    Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").exists() else ""
)


def asked(**variables):
    """What the libraries say in a process with these variables, and what MKL and oneDNN print meanwhile."""
    inherited = {name: value for name, value in os.environ.items() if name not in course.OTHER_MACHINE}
    talk = {"MKL_VERBOSE": "1", "ONEDNN_VERBOSE": "1"}
    answer = subprocess.run(
        [sys.executable, "-c", ASK], env={**inherited, **talk, **variables}, capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stderr
    said = json.loads(answer.stdout.partition("said:")[2])
    said["mkl"] = re.findall(r"CNR:(\S+)", answer.stdout)
    said["onednn"] = re.findall(r"cpu,isa:(.+)", answer.stdout)
    return said


@pytest.mark.skipif(not AVX2_HERE, reason="this processor has no AVX2")
def test_the_emulation_takes_hold_of_every_library():
    said = asked(**course.OTHER_MACHINE)
    assert (said["torch"], said["faiss"], said["onednn"]) == ("AVX2", "AVX2", ["Intel AVX2"])
    assert said["mkl"] == ["COMPATIBLE"]
    assert "X86_V3" in said["numpy"]
    assert not [name for name in said["numpy"] if name.startswith("AVX512") or name == "X86_V4"]
    assert (said["torch threads"], said["faiss threads"]) == (1, 1)
    assert {threads for _, _, threads in said["pools"]} == {1}
    blas = [architecture for kind, architecture, _ in said["pools"] if kind == "openblas"]
    assert len(blas) >= 2
    assert set(blas) == {"Haswell"}


@pytest.mark.skipif(not AVX2_HERE, reason="this processor has no AVX2")
def test_what_is_asked_would_show_that_it_did_not():
    others = {
        "OPENBLAS_CORETYPE": "Sandybridge",
        "ATEN_CPU_CAPABILITY": "default",
        "FAISS_SIMD_LEVEL": "NONE",
    }
    said = asked(**others, ONEDNN_MAX_CPU_ISA="SSE41", NPY_DISABLE_CPU_FEATURES="X86_V3", OMP_NUM_THREADS="2")
    assert (said["torch"], said["faiss"], said["onednn"]) == ("DEFAULT", "NONE", ["Intel SSE4.1"])
    assert said["mkl"] == ["OFF"]
    assert "X86_V3" not in said["numpy"]
    assert said["torch threads"] == 2
    assert "Sandybridge" in {architecture for _, architecture, _ in said["pools"]}


def test_launcher_and_kernel_agree_on_what_they_both_set(monkeypatch):
    for name in (*course.OTHER_MACHINE, "PYTHONPATH"):
        monkeypatch.delenv(name, raising=False)
    launcher = course.variables_for_children(Path(sys.executable), "test", offline=False)
    kernel = settings(course.ROOT / "notebooks")["env"]
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "PYTHONHASHSEED", "TQDM_DISABLE"):
        assert launcher[name] == kernel[name]
    assert launcher["HF_DATASETS_DISABLE_PROGRESS_BARS"] == kernel["HF_DATASETS_DISABLE_PROGRESS_BARS"]


def test_the_kernel_takes_over_the_emulation(monkeypatch):
    for name, value in course.OTHER_MACHINE.items():
        monkeypatch.setenv(name, value)
    kernel = settings(course.ROOT / "notebooks")["env"]
    assert course.OTHER_MACHINE.items() <= kernel.items()
