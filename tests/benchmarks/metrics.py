"""Ranking metrics of 6,000 users × top-100 at four cut-offs, beside trec_eval's own code and ranx."""

from itertools import pairwise

import numba
import numpy as np
import pytrec_eval
import ranx
import scipy.sparse as sp

from course_lib.evaluate import bootstrap_interval, evaluate
from course_lib.retrieve import Candidates
from tests.benchmarks import harness

USERS, ITEMS, WIDTH = 6_000, 4_000, 100
CUT_OFFS = (5, 10, 20, 100)
RESAMPLES = 1_000
# The metrics that all of them have: ours, trec_eval's name, ranx's name.
METRICS = (
    ("precision", "P", "precision"),
    ("recall", "recall", "recall"),
    ("hit_rate", "success", "hit_rate"),
    ("map", "map_cut", "map"),
    ("ndcg", "ndcg_cut", "ndcg"),
)
OURS, TREC = "course_lib.evaluate", "pytrec_eval-terrier"


def main() -> None:
    threads = harness.same_threads_for_all()
    numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
    ids, scores, relevant = _lists()
    n_metrics = len(METRICS) * len(CUT_OFFS)
    print(f"{harness.processor()}; {threads} threads; {USERS:,} users × top-{WIDTH}, {n_metrics} metrics")
    peers = {
        OURS: lambda: _by_course_lib(ids, scores, relevant),
        TREC: lambda: _by_trec_eval(ids, relevant),
        "ranx, dictionaries": lambda: _by_ranx(*_ranx_dictionaries(ids, relevant)),
        "ranx, arrays": lambda: _by_ranx(*_ranx_arrays(ids, relevant)),
    }
    timings = harness.alternate(peers)
    rows = harness.table(timings, OURS, USERS, "users")
    furthest = max(
        abs(timing.result[metric] - timings[OURS].result[metric])
        for timing in timings.values()
        for metric in timings[OURS].result
    )
    fastest_peer = min(timing.median for name, timing in timings.items() if name != OURS)

    print()
    generator = np.random.default_rng(2)
    differences = generator.random(USERS) - generator.random(USERS)
    bootstrap = harness.alternate(
        {"paired bootstrap": lambda: bootstrap_interval(differences, resamples=RESAMPLES)}
    )["paired bootstrap"]
    promises = [
        harness.promise("largest difference between two libraries' means", furthest, at_most=1e-6),
        harness.promise(
            "time, as a share of the fastest peer's", timings[OURS].median / fastest_peer, at_most=0.2
        ),
        harness.promise(
            f"{RESAMPLES:,} paired bootstrap resamples of {USERS:,} users, seconds",
            bootstrap.median,
            at_most=1,
        ),
    ]
    content = {
        **harness.page(6, "Metrics"),
        "users": USERS,
        "items": ITEMS,
        "width": WIDTH,
        "cut_offs": CUT_OFFS,
        "metrics": [ours for ours, _, _ in METRICS],
        "notes": "Each peer starts from the same arrays of ids, scores and relevant items, and the time "
        "includes building its own input: ranked lists with their checks here, dictionaries of strings for "
        "trec_eval, dictionaries or padded arrays for ranx. ranx's compilation is left out.",
        "reference": OURS,
        "peers": rows,
        "bootstrap_median_seconds": bootstrap.median,
        "promises": promises,
    }
    harness.write("metrics", ("numpy", "scipy", "pytrec_eval-terrier", "ranx", "numba"), threads, content)


def _lists() -> tuple[np.ndarray, np.ndarray, sp.csr_array]:
    """Ids and scores `[USERS, WIDTH]`, and relevant items: 1 to 40 a user; popular ones oftener in both."""
    generator = np.random.default_rng(0)
    popularity = 1 / np.arange(1, ITEMS + 1) ** 0.8
    noise = generator.gumbel(size=(USERS, ITEMS)).astype(np.float32)
    lists = Candidates.from_catalogue_scores(np.log(popularity) + noise, WIDTH)
    sizes = generator.integers(1, 41, size=USERS)
    taken = [generator.choice(ITEMS, size, replace=False, p=popularity / popularity.sum()) for size in sizes]
    rows = np.repeat(np.arange(USERS), sizes)
    ones = np.ones(len(rows), dtype=np.float32)
    relevant = sp.csr_array((ones, (rows, np.concatenate(taken))), shape=(USERS, ITEMS))
    relevant.sort_indices()
    return np.array(lists.ids), np.array(lists.scores), relevant


def _by_course_lib(ids: np.ndarray, scores: np.ndarray, relevant: sp.csr_array) -> dict[str, float]:
    names = [f"{ours}@{k}" for ours, _, _ in METRICS for k in CUT_OFFS]
    report = evaluate(Candidates(ids, scores), relevant, names)
    return {name: report.mean(name) for name in names}


def _by_trec_eval(ids: np.ndarray, relevant: sp.csr_array) -> dict[str, float]:
    cuts = ",".join(map(str, CUT_OFFS))
    judged, runs = _dictionaries(ids, relevant)
    evaluator = pytrec_eval.RelevanceEvaluator(judged, {f"{trec}.{cuts}" for _, trec, _ in METRICS})
    of_users = list(evaluator.evaluate(runs).values())
    return {
        f"{ours}@{k}": float(np.mean([user[f"{trec}_{k}"] for user in of_users]))
        for ours, trec, _ in METRICS
        for k in CUT_OFFS
    }


def _by_ranx(judged: ranx.Qrels | np.ndarray, runs: ranx.Run | np.ndarray) -> dict[str, float]:
    found = ranx.evaluate(judged, runs, [f"{name}@{k}" for _, _, name in METRICS for k in CUT_OFFS])
    return {f"{ours}@{k}": float(found[f"{name}@{k}"]) for ours, _, name in METRICS for k in CUT_OFFS}


def _ranx_dictionaries(ids: np.ndarray, relevant: sp.csr_array) -> tuple[ranx.Qrels, ranx.Run]:
    judged, runs = _dictionaries(ids, relevant)
    return ranx.Qrels(judged), ranx.Run(runs)


def _ranx_arrays(ids: np.ndarray, relevant: sp.csr_array) -> tuple[np.ndarray, np.ndarray]:
    """`[n, m, 2]`, item and relevance or score; items with relevance 0 pad the judgements."""
    counts = np.diff(relevant.indptr)
    judged = np.zeros((USERS, counts.max(), 2))
    judged[..., 0] = -1
    places = np.arange(relevant.nnz) - np.repeat(relevant.indptr[:-1], counts)
    judged[np.repeat(np.arange(USERS), counts), places] = np.column_stack([relevant.indices, relevant.data])
    runs = np.empty((USERS, WIDTH, 2))
    runs[..., 0], runs[..., 1] = ids, -np.arange(WIDTH)
    return judged, runs


def _dictionaries(ids: np.ndarray, relevant: sp.csr_array) -> tuple[dict, dict]:
    """Judgements and runs with score = −rank, because both libraries break ties their own way."""
    items, bounds = relevant.indices.tolist(), relevant.indptr.tolist()
    judged = {
        str(user): {str(item): 1 for item in items[start:stop]}
        for user, (start, stop) in enumerate(pairwise(bounds))
    }
    runs = {
        str(user): {str(item): -float(rank) for rank, item in enumerate(row)}
        for user, row in enumerate(ids.tolist())
    }
    return judged, runs
