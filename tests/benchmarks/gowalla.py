"""Item neighbours, ALS and EASE on the LightGCN split of Gowalla, full ranking, beside published figures.

Each retriever has three trials on the published validation part, which LightGCN's training set contains; the
winner is fitted on that whole training set.
"""

import time

import numpy as np

from course_lib.data import Split, load_gowalla
from course_lib.evaluate import Report, evaluate
from course_lib.retrieve import ALS, EASE, ItemKNN, Popularity, Retriever
from course_lib.retrieve.ease import PANEL, invert_in_place
from course_lib.tune import tune
from tests.benchmarks import harness

BUDGET = 3
METRICS = ("recall@20", "ndcg@20")
GRIDS = {
    "item neighbours": (
        lambda **settings: ItemKNN(weighting="tfidf", **settings),
        {"neighbours": [20, 50, 200]},
    ),
    "ALS": (lambda **settings: ALS(256, alpha=5.0, **settings), {"regularization": [3.0, 10.0, 30.0]}),
    "EASE": (EASE, {"regularization": [50.0, 100.0, 200.0]}),
}
PUBLISHED = {
    "EASE, published": (0.1765, 0.1467),
    "LightGCN, published": (0.1820, 0.1547),
    "SimpleX, published": (0.1872, 0.1557),
}
COLUMNS = (
    harness.column("retriever", "retriever"),
    harness.column("recall@20", "Recall@20"),
    harness.column("ndcg@20", "NDCG@20"),
)


def main() -> None:
    threads = harness.same_threads_for_all()
    start = time.perf_counter()
    split = load_gowalla()
    print(f"{harness.processor()}; {threads} threads; {split}")
    print(f"About {_expected_minutes(split):.0f} minutes for the inverses of EASE.", flush=True)
    reports = {"popularity": _report(Popularity().fit(split.train_and_validation), split)}
    settings, trials, seconds = {}, {}, {}
    for name, (make, grid) in GRIDS.items():
        before = time.perf_counter()
        tuning = tune(make, grid, split, "ndcg@20", budget=BUDGET)
        reports[name] = _report(tuning.retriever, split)
        settings[name], trials[name] = tuning.best, tuning.trials.to_dict("records")
        seconds[name] = round(time.perf_counter() - before)
        print(f"{tuning} {seconds[name]} s\n{reports[name]}", flush=True)
        del tuning  # EASE's weights take 7 GB
    minutes = (time.perf_counter() - start) / 60
    published_recall, published_ndcg = PUBLISHED["EASE, published"]
    ease = reports["EASE"]
    promises = [
        harness.promise(
            "EASE, Recall@20, as a share of the published",
            ease.mean("recall@20") / published_recall,
            at_least=0.99,
        ),
        harness.promise(
            "EASE, NDCG@20, as a share of the published", ease.mean("ndcg@20") / published_ndcg, at_least=0.99
        ),
        harness.promise("minutes in all", minutes, at_most=60),
    ]
    if (peak := harness.largest_size_so_far()) is not None:
        promises.append(harness.promise("peak memory, GiB", peak / 2**30, at_most=20))
    content = {
        "data": split.train.name,
        "metrics": METRICS,
        "budget": BUDGET,
        **page({name: harness.cells(report) for name, report in reports.items()}),
        "settings": settings,
        "trials": trials,
        "seconds": seconds,
        "promises": promises,
    }
    harness.write("gowalla", ("numpy", "scipy", "implicit"), threads, content)


def page(cells: dict[str, dict]) -> dict:
    """Cells of each retriever, and published figures below them."""
    rows = [{"retriever": name, **of_name} for name, of_name in cells.items()]
    rows += [
        {"retriever": name, **dict(zip(METRICS, values, strict=True))} for name, values in PUBLISHED.items()
    ]
    return harness.page(
        2,
        "Gowalla, the split of LightGCN",
        caption="All 40,981 places ranked. Settings were chosen on the validation file, three trials each.",
        columns=COLUMNS,
        rows=rows,
    )


def _report(retriever: Retriever, split: Split) -> Report:
    users = np.flatnonzero(split.test.user_counts)
    return evaluate(retriever.retrieve(users, 20), split.test.matrix[users], METRICS)


def _expected_minutes(split: Split) -> float:
    """From a small inverse. The matrix is users × users, because there are fewer users than items."""
    small = np.eye(PANEL, dtype=np.float32)
    small += 1e-4
    start = time.perf_counter()
    invert_in_place(small, PANEL // 4)
    seconds = time.perf_counter() - start
    return (BUDGET + 1) * seconds * (split.train.n_users / PANEL) ** 3 / 60
