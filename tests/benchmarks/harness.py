"""Alternating repetitions of peers in one process, and the file that chapters read the result from."""

import json
import platform
import re
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import threadpoolctl
import torch

from course_lib.evaluate import Report
from course_lib.registers.measurements import MEASUREMENTS
from course_lib.registers.places import COURSE
from notebooks.make import freshness

REPETITIONS = 7


@dataclass(frozen=True)
class Timing:
    """seconds of each repetition, and what the peer's last call returned."""

    seconds: list[float]
    result: Any

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def alternate(peers: dict[str, Callable[[], Any]], repetitions: int = REPETITIONS) -> dict[str, Timing]:
    """Runs every peer once untimed, then all of them in turn, `repetitions` times over: whatever slows the
    machine meanwhile slows all of them. The turn starts with another peer each time."""
    seconds: dict[str, list[float]] = {name: [] for name in peers}
    results = {name: run() for name, run in peers.items()}
    names = list(peers)
    for repetition in range(repetitions):
        first = repetition % len(names)
        for name in names[first:] + names[:first]:
            start = time.perf_counter()
            results[name] = peers[name]()
            seconds[name].append(time.perf_counter() - start)
    return {name: Timing(seconds[name], results[name]) for name in peers}


def same_threads_for_all() -> int:
    """Gives torch, numpy and FAISS the threads that torch starts with (OMP_NUM_THREADS, else all cores)."""
    threads = torch.get_num_threads()
    faiss.omp_set_num_threads(threads)
    threadpoolctl.threadpool_limits(threads)
    torch.set_num_threads(threads)
    return threads


def processor() -> str:
    abilities = torch.cpu.get_capabilities()
    name = abilities.get("cpu_name") or platform.processor() or platform.machine()
    with_bf16 = [kind for kind in ("amx_bf16", "avx512_bf16", "bf16") if abilities.get(kind)]
    return f"{name}, {', '.join(with_bf16) or 'no bfloat16 arithmetic'}"


def has_bfloat16() -> bool:
    return "no bfloat16" not in processor()


def largest_size_so_far() -> int | None:
    """Bytes of memory that this process held at its largest; None on Windows."""
    status = Path("/proc/self/status")
    if status.is_file():  # Linux: getrusage would count what the parent process held, too
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1]) * 1024
    try:
        import resource
    except ImportError:
        return None
    in_bytes = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * in_bytes


def table(timings: dict[str, Timing], reference: str, amount: int, unit: str) -> dict[str, dict]:
    """Of each peer: median and extremes in seconds, `amount` per second, times as fast as `reference`."""
    base = timings[reference].median
    rows = {}
    print(f"{'':42}{'median s':>10}{unit + '/s':>14}{'ratio':>8}")
    for name, timing in timings.items():
        rows[name] = {
            "median_seconds": _digits(timing.median),
            "fastest_seconds": _digits(min(timing.seconds)),
            "slowest_seconds": _digits(max(timing.seconds)),
            f"{unit}_per_second": _digits(amount / timing.median),
            "ratio": _digits(base / timing.median),
        }
        print(f"{name:42}{timing.median:10.3f}{amount / timing.median:14,.0f}{base / timing.median:8.2f}")
    return rows


def column(key: str, title: str, *, unit: str = "", digits: int = 4) -> dict:
    """One column of the table on the book's page: where its cells stand in a row, and how they are shown."""
    return {"key": key, "title": title, "unit": unit, "digits": digits}


def cells(report: Report, prefix: str = "") -> dict[str, dict]:
    """Cells of a row from all metrics of a report: {mean, low, high, users} each."""
    return {f"{prefix}{metric}": row for metric, row in report.table().to_dict("index").items()}


def page(
    place: int,
    title: str,
    *,
    warning: str = "",
    caption: str = "",
    columns: Sequence[dict] = (),
    rows: Sequence[dict] = (),
    remarks: Sequence[str] = (),
) -> dict:
    """What `write` needs to know for the book's page of benchmarks: place, heading, and the table if any.

    A cell of a row is a text, a number, {mean, low, high}, or missing; "digits" in a row overrules those of
    the columns, for a figure that was published with fewer.
    """
    shown: dict[str, Any] = {"place": place, "title": title}
    if warning:
        shown["warning"] = warning
    if columns:
        shown["table"] = {
            "caption": caption,
            "columns": [*columns],
            "rows": [*rows],
            "remarks": [*remarks],
        }
    return shown


def promise(
    what: str, measured: float, *, at_least: float | None = None, at_most: float | None = None
) -> dict:
    kept = bool(measured >= at_least if at_least is not None else measured <= at_most)
    wanted = {"at_least": at_least} if at_least is not None else {"at_most": at_most}
    print(f"{'kept    ' if kept else 'NOT KEPT'}  {what}: {measured:.5g} (wanted: {_words(wanted)})")
    return {"what": what, "measured": _digits(measured, 6), **wanted, "kept": kept}


def write(name: str, libraries: tuple[str, ...], threads: int, content: dict) -> None:
    """Store a measurement as `name`.json, with what it was made on and the fingerprint of what made it."""
    measurement = {
        "name": name,
        "date": date.today().isoformat(),
        "processor": processor(),
        "threads": threads,
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {
            "python": platform.python_version(),
            **{library: version(library) for library in libraries},
        },
        "fingerprint": freshness.fingerprint(name, COURSE),
        "repetitions": REPETITIONS,
        **content,
    }
    path = MEASUREMENTS / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(measurement, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"Written to {path.relative_to(MEASUREMENTS.parents[1])}.")


def _digits(x: float, digits: int = 4) -> float:
    return float(np.format_float_positional(x, digits, unique=False, fractional=False))


def _words(wanted: dict[str, float]) -> str:
    return ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in wanted.items())
