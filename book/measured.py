"""The page of benchmarks: what `python course.py benchmark` measured, beside published figures and peers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from course_lib.registers import read_measurements

# name: (title, what the table compares). In the order of the page; one without a file is left out.
BENCHMARKS = {
    "ncf": (
        "MovieLens-1M, the leave-one-out test of He et al. 2017",
        "One held-out film a user, ranked among 99 sampled ones (the published test) and among the whole "
        "catalogue. Settings were chosen on a random training film of each user, never on the test.",
    ),
    "gowalla": (
        "Gowalla, the split of LightGCN",
        "All 40,981 places ranked. Settings were chosen on the validation file, three trials each.",
    ),
    "mind": (
        "News: impressions and the whole corpus",
        "AUC to nDCG: the order inside each impression, by MIND's metrics. Recall@100: is a click among the "
        "hundred best of all news of the same days?",
    ),
    "encode": ("Encoding text", ""),
    "topk": ("Exact nearest neighbours", ""),
    "metrics": ("Metrics", ""),
}


def measured_page() -> str:
    """Markdown of the page, from the stored measurements."""
    template = Path(__file__).with_name("pages").joinpath("measured.md").read_text(encoding="utf-8")
    found = read_measurements()
    sections = [
        _section(title, about, found[name]) for name, (title, about) in BENCHMARKS.items() if name in found
    ]
    return template.replace("@@sections@@", "\n\n".join(sections) or "No benchmark has been run yet.")


def _section(title: str, about: str, found: Mapping[str, Any]) -> str:
    tables = {"ncf": _ncf, "gowalla": _gowalla, "mind": _mind}
    parts = [f"## {title}", about]
    if found.get("simulated"):
        parts.append(
            "**Simulated news.** MIND-small could not be had where this was measured, so every figure of "
            "ours in this table is from the simulated twin; the published ones are from MIND itself and "
            "stand here for orientation only. Who has MIND gets the real table from the same command."
        )
    if found["name"] in tables:
        parts.append(tables[found["name"]](found))
    parts.append(_table([["what", "measured", "wanted", "kept?"], *map(_promise, found["promises"])]))
    parts.append(
        f"Measured on {found['date']}, {found['processor'].split(',')[0]}, {found['threads']} threads, with "
        f"`python course.py benchmark {found['name']}`."
    )
    return "\n\n".join(part for part in parts if part)


def _ncf(found: Mapping[str, Any]) -> str:
    columns = ["sampled hit_rate@10", "sampled ndcg@10", "full hit_rate@10", "full ndcg@10"]
    rows = [
        [row["retriever"], *(_interval(row[c], row[f"{c} low"], row[f"{c} high"]) for c in columns)]
        for row in found["rows"]
    ]
    rows += [
        [name, f"{values['hit_rate@10']:.4f}", f"{values['ndcg@10']:.4f}", "–", "–"]
        for name, values in found["published"].items()
    ]
    head = ["retriever", "HR@10, 99 sampled", "NDCG@10, 99 sampled", "HR@10, all films", "NDCG@10, all films"]
    turned = [
        f"By {row['metric']} the sampled test prefers {row['sampled_prefers']}, the whole catalogue "
        f"{row['full_prefers']}; both differences are clear of zero."
        for row in found["reversals"]
    ]
    return "\n\n".join([_table([head, *rows]), *turned])


def _gowalla(found: Mapping[str, Any]) -> str:
    rows = _by_name(found["rows"], "retriever", found["metrics"])
    rows += [
        [name, *(f"{values[metric]:.4f}" for metric in found["metrics"])]
        for name, values in found["published"].items()
    ]
    return _table([["retriever", "Recall@20", "NDCG@20"], *rows])


def _mind(found: Mapping[str, Any]) -> str:
    metrics = ["auc", "mrr", "ndcg@5", "ndcg@10", "recall@100"]
    label = " (simulated)" if found["simulated"] else ""
    rows = [[f"{name}{label}", *cells] for name, *cells in _by_name(found["rows"], "ranker", metrics)]
    rows += [
        [f"{name} on MIND-small", f"{auc:.3f}", "–", "–", "–", "–"]
        for name, auc in found["published_auc_on_mind_small"].items()
    ]
    return _table([["ranker", "AUC", "MRR", "nDCG@5", "nDCG@10", "Recall@100"], *rows])


def _by_name(rows: list[dict[str, Any]], key: str, metrics: list[str]) -> list[list[str]]:
    """One row a name, a cell a metric."""
    cells: dict[str, dict[str, str]] = {}
    for row in rows:
        cells.setdefault(row[key], {})[row["metric"]] = _interval(row["mean"], row["low"], row["high"])
    return [[name, *(of_name[metric] for metric in metrics)] for name, of_name in cells.items()]


def _promise(promise: dict[str, Any]) -> list[str]:
    wanted = f"≥ {promise['at_least']:g}" if "at_least" in promise else f"≤ {promise['at_most']:g}"
    return [promise["what"], f"{promise['measured']:.4g}", wanted, "yes" if promise["kept"] else "**no**"]


def _interval(mean: float, low: float, high: float) -> str:
    return f"{mean:.4f} [{low:.4f}, {high:.4f}]"


def _table(rows: list[list[str]]) -> str:
    head, *body = rows
    lines = [head, [":--", *["--:"] * (len(head) - 1)], *body]
    return "\n".join("| " + " | ".join(cell.replace("|", "/") for cell in line) + " |" for line in lines)
