"""The kernel that runs chapters: this Python, in ``notebooks/``, quiet, and the same on every machine."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import IO, Any

from ipykernel.kernelspec import RESOURCES, get_kernel_dict
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import run_sync

# Chapters import the course_lib that stands beside them, whether or not one is installed.
_REPOSITORY = Path(__file__).resolve().parents[2]


class ThisPython(KernelSpecManager):
    """Knows one kernel: the Python that runs this code, and no ``python3`` of somewhere else."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        return KernelSpec(resource_dir=RESOURCES, **get_kernel_dict())


class ChapterKernel(AsyncKernelManager):
    """A kernel manager for nbclient and papermill that starts ``ThisPython`` with ``settings``."""

    def __init__(self, folder: Path, stderr: IO[Any] | int = subprocess.DEVNULL) -> None:
        super().__init__(kernel_name="python3", kernel_spec_manager=ThisPython())
        self._settings = settings(folder, stderr)

    async def start_kernel(self, **options: Any) -> None:
        await super().start_kernel(**{**options, **self._settings})

    def stop(self) -> None:
        """End the kernel, if it runs: nbclient leaves alive what it was given, often a gigabyte."""
        if self.has_kernel:
            run_sync(self.shutdown_kernel)(now=True)


def settings(folder: Path, stderr: IO[Any] | int = subprocess.DEVNULL) -> dict[str, Any]:
    """Working folder, environment and error stream of a kernel, as arguments of ``start_kernel``."""
    environment = {
        # Where the caller has set a number of threads, it stays. OpenBLAS beside OpenMP only costs time
        # (implicit).
        "OMP_NUM_THREADS": str(min(2, os.cpu_count() or 1)),
        "OPENBLAS_NUM_THREADS": "1",
        **os.environ,
        "COURSE_HEADLESS": "1",  # live cells show their still version
        "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(_REPOSITORY), os.environ.get("PYTHONPATH")])),
        "TOKENIZERS_PARALLELISM": "false",
        "TQDM_DISABLE": "1",  # bars show times, and times do not repeat
    }
    return {"cwd": str(folder), "env": environment, "stderr": stderr}
