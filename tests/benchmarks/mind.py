"""Popularity, click-through rate and a frozen encoder on MIND-small, or on the simulated news of its size.

Two questions, two answers: how well is an impression ranked (MIND's four metrics), and does a click stand
among the hundred best of all news of the same days (Recall@100)? Settings are chosen on the last day of the
training log, four trials each; the winners are then fitted on the whole training log and judged on dev once.

The loader is measured too, on simulated impressions of the number that MIND-large has.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from sklearn.preprocessing import normalize
from tqdm.auto import tqdm

from course_lib.data import AssetMissing, Catalogue, Impressions, News, cache_folder, load_mind
from course_lib.encode import TextEncoder
from course_lib.evaluate import MIND_METRICS, Report, compare, evaluate, evaluate_impressions
from course_lib.retrieve import Candidates
from tests.benchmarks import harness

PUBLISHED = {  # AUC on MIND-small's dev part: NewsReX (arXiv:2508.21572), trained on its clicks
    "NRMS, published": 0.661,
    "NAML, published": 0.666,
    "CROWN, published": 0.678,
}
SMALL, LARGE = 25, 250  # sizes of simulated news: impressions as in MIND-small, and 2 million
COLUMNS = (
    harness.column("ranker", "ranker"),
    harness.column("auc", "AUC"),
    harness.column("mrr", "MRR"),
    harness.column("ndcg@5", "nDCG@5"),
    harness.column("ndcg@10", "nDCG@10"),
    harness.column("recall@100", "Recall@100"),
)
WARNING = (
    "**Simulated news.** MIND-small could not be had where this was measured, so every figure of "
    "ours in this table is from the simulated twin; the published ones are from MIND itself and "
    "stand here for orientation only. Who has MIND gets the real table from the same command."
)
K = 100
BLOCK = 2_000  # impressions scored at once


@dataclass(frozen=True)
class Scorer:
    """score(impression, article) = users[impression] · items[article]; a user of zeros gets no candidates."""

    users: np.ndarray  # float32 [n, d]
    items: np.ndarray  # float32 [n_items, d]

    def of_lists(self, items: np.ndarray) -> np.ndarray:
        """float32 [n, m] for items [n, m]; whatever at pads."""
        scores = np.empty(items.shape, dtype=np.float32)
        for start in range(0, len(items), BLOCK):
            rows = slice(start, start + BLOCK)
            scores[rows] = np.einsum("nd,nmd->nm", self.users[rows], self.items[items[rows]])
        return scores

    def candidates(self, corpus: np.ndarray, seen: sp.csr_array) -> Candidates:
        """The K best of `corpus` (rising item positions) for each impression, without the history `seen`."""
        of_corpus, seen_there = self.items[corpus], seen[:, corpus].tocsr()
        lists = []
        for start in tqdm(range(0, len(self.users), BLOCK), desc="retrieving", unit="block"):
            rows = slice(start, start + BLOCK)
            scores = self.users[rows] @ of_corpus.T
            scores[seen_there[rows].nonzero()] = -np.inf
            scores[~self.users[rows].any(axis=1)] = -np.inf
            lists.append(Candidates.from_catalogue_scores(scores, K))
        ids = np.concatenate([block.ids for block in lists])
        return Candidates(
            np.where(ids < 0, -1, corpus[ids]), np.concatenate([block.scores for block in lists])
        )


def popularity(log: Impressions, impressions: Impressions, days: int) -> Scorer:
    """Clicks in the last `days` of the log."""
    recent = log.select(log.times > log.times.max() - np.timedelta64(days, "D"))
    return _same_for_all(recent.item_counts()[1], impressions)


def click_rate(log: Impressions, impressions: Impressions, prior: int) -> Scorer:
    """Clicks ÷ times shown, drawn to the mean rate as if each article had been shown `prior` times more."""
    shown, clicks = log.item_counts()
    mean = clicks.sum() / shown.sum()
    return _same_for_all((clicks + prior * mean) / (shown + prior), impressions)


def text(vectors: np.ndarray) -> Callable[..., Scorer]:
    """Cosine of article and history; the history's latest clicks count more if `half_life` is not 0."""
    items = normalize(vectors - vectors.mean(axis=0))

    def make(log: Impressions, impressions: Impressions, half_life: float) -> Scorer:
        histories = impressions.histories().recency(half_life or None)
        return Scorer(normalize(normalize(histories, norm="l1") @ items), items)

    return make


def main() -> None:
    threads = harness.same_threads_for_all()
    news, simulated = _news()
    label = "simulated news" if simulated else "MIND-small"
    print(
        f"{harness.processor()}; {threads} threads\n{news}\n{news.counts().to_string(index=False)}",
        flush=True,
    )
    encoder = TextEncoder("minilm", dtype="float32")
    methods = {
        "popularity": (popularity, [1, 2, 4, 7]),
        "click-through rate": (click_rate, [1, 10, 100, 1000]),
        "MiniLM, frozen, title": (text(_vectors(encoder, news.catalogue, "title")), [0, 5, 20, 50]),
        "MiniLM, frozen, title and abstract": (
            text(_vectors(encoder, news.catalogue, "title", "abstract")),
            [0, 5, 20, 50],
        ),
    }
    days = news.train.times.astype("datetime64[D]")
    earlier, last_day = news.train.select(days < days.max()), news.train.select(days == days.max())
    reports, chosen = {}, {}
    for name, (make, values) in methods.items():
        trials = {value: _ranking(make(earlier, last_day, value), last_day).mean("auc") for value in values}
        chosen[name] = {"best": max(trials, key=trials.get), "auc_of_each_on_the_last_train_day": trials}
        scorer = make(news.train, news.dev, chosen[name]["best"])
        reports[name] = _ranking(scorer, news.dev), _retrieval(scorer, news.dev)
        print(f"\n{label}: {name}, {trials}\n{reports[name][0]}\n{reports[name][1]}", flush=True)
    cells = {
        name: harness.cells(ranking) | harness.cells(lists) for name, (ranking, lists) in reports.items()
    }
    loading = _load_large()
    promises = [
        harness.promise(
            "minutes to load 2 million simulated impressions", loading["first"]["seconds"] / 60, at_most=3
        ),
        harness.promise("GiB that it takes", loading["first"]["peak_GiB"], at_most=4),
        harness.promise("seconds of the second load", loading["second"]["seconds"], at_most=10),
    ]
    content = {
        "data": label,
        "simulated": simulated,
        "counts": json.loads(news.counts().to_json(orient="records")),
        "corpus": len(_corpus(news.dev)),
        **page(cells, simulated),
        "settings": chosen,
        "text_minus_popularity": _differences(reports),
        "loading": loading,
        "promises": promises,
    }
    harness.write("mind", ("numpy", "torch", "transformers", "datasets", "pyarrow"), threads, content)


def page(cells: dict[str, dict], simulated: bool) -> dict:
    """Cells of each ranker, with a word on simulated ones, and published figures below them."""
    rows = [
        {"ranker": f"{name} (simulated)" if simulated else name, **of_name} for name, of_name in cells.items()
    ]
    rows += [{"ranker": f"{name} on MIND-small", "auc": auc, "digits": 3} for name, auc in PUBLISHED.items()]
    return harness.page(
        3,
        "News: impressions and the whole corpus",
        warning=WARNING if simulated else "",
        caption="AUC to nDCG: the order inside each impression, by MIND's metrics. Recall@100: is a click "
        "among the hundred best of all news of the same days?",
        columns=COLUMNS,
        rows=rows,
    )


def _news() -> tuple[News, bool]:
    """MIND-small, or where it has not been fetched the simulated news of its size."""
    try:
        return load_mind("small"), False
    except AssetMissing as missing:
        print(
            f"MIND-small is not here ({missing}), or name your own files to load_mind. Everything below is "
            "measured on SIMULATED news of its size instead.",
            flush=True,
        )
        folder = _simulated(SMALL)
        return load_mind("simulated", train=folder / "train", dev=folder / "dev"), True


def _simulated(size: int) -> Path:
    """The folder of simulated news, made once."""
    folder = cache_folder() / f"simulated-news-{size}"
    if not (folder / "truth.npz").is_file():
        subprocess.run(
            [sys.executable, "-m", "data_scripts.simulated_news", str(folder), "--size", str(size)],
            check=True,
        )
    return folder


def _same_for_all(item_scores: np.ndarray, impressions: Impressions) -> Scorer:
    return Scorer(np.ones((len(impressions), 1), dtype=np.float32), item_scores[:, None].astype(np.float32))


def _vectors(encoder: TextEncoder, catalogue: Catalogue, *fields: str) -> np.ndarray:
    return encoder.encode(catalogue.describe(*fields))


def _ranking(scorer: Scorer, impressions: Impressions) -> Report:
    items, clicked = impressions.lists()
    return evaluate_impressions(items, scorer.of_lists(items), clicked, impressions.users, MIND_METRICS)


def _corpus(impressions: Impressions) -> np.ndarray:
    """Every article that was shown in these days, int64, rising."""
    return np.flatnonzero(impressions.item_counts()[0])


def _retrieval(scorer: Scorer, impressions: Impressions) -> Report:
    lists = scorer.candidates(_corpus(impressions), impressions.histories().matrix)
    return evaluate(lists, impressions.relevant(), [f"recall@{K}"], groups=impressions.users)


def _differences(reports: dict[str, tuple[Report, Report]]) -> list[dict]:
    """Each text ranker minus popularity and minus the click-through rate, paired, users drawn together."""
    rows = []
    for text_name in (name for name in reports if name.startswith("MiniLM")):
        for other in ("popularity", "click-through rate"):
            for which, metric in ((0, "auc"), (1, f"recall@{K}")):
                c = compare(reports[text_name][which], reports[other][which], metric)
                low, high = c.interval
                rows.append(
                    {
                        "first": text_name,
                        "second": other,
                        "metric": metric,
                        "difference": c.difference,
                        "low": low,
                        "high": high,
                    }
                )
    return rows


_LOAD = """
import json, sys, time
start = time.perf_counter()
from course_lib.data import load_mind
news = load_mind("simulated", train=sys.argv[1] + "/train", dev=sys.argv[1] + "/dev")
from tests.benchmarks.harness import largest_size_so_far
print(json.dumps([time.perf_counter() - start, (largest_size_so_far() or 0) / 2**30, len(news.train)]))
"""


def _load_large() -> dict:
    """Seconds and GiB of the first and the second load, each in a process of its own, imports included."""
    folder = _simulated(LARGE)
    measured = {}
    with tempfile.TemporaryDirectory(dir=cache_folder(), prefix="benchmark-") as empty_cache:
        for which in ("first", "second"):
            done = subprocess.run(
                [sys.executable, "-c", _LOAD, str(folder)],
                check=True,
                capture_output=True,
                text=True,
                env={**os.environ, "COURSE_DATA": empty_cache},
            )
            seconds, gibibytes, n_train = json.loads(done.stdout.splitlines()[-1])
            measured[which] = {
                "seconds": round(seconds, 1),
                "peak_GiB": round(gibibytes, 2),
                "train_impressions": n_train,
            }
            print(f"{which} load: {measured[which]}", flush=True)
    return measured
