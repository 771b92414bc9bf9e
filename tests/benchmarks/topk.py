"""Exact top-10 of 1,000 queries over 50,000 × 384 unit vectors, ranked by dot product, against four peers."""

import faiss
import numpy as np
import psutil
import torch

from course_lib.similarity import top_k
from tests.benchmarks import harness

QUERIES, ITEMS, DIMENSIONS, K = 1_000, 50_000, 384, 10
LOOPED_QUERIES = 2  # the loop takes minutes for all of them
OURS, REFERENCE, LOOP = "course_lib top_k, exact", "FAISS Flat", "Python loop, one cosine at a time"


def main() -> None:
    threads = harness.same_threads_for_all()
    print(f"{harness.processor()}; {threads} threads; {QUERIES:,} queries, {ITEMS:,} × {DIMENSIONS} vectors")
    items, queries = _unit_vectors(ITEMS, seed=0), _unit_vectors(QUERIES, seed=1)
    top_k(queries[:2], items[:5_000], K)  # libraries allocate for themselves at their first call

    # Before the peers, which would raise the process' largest size so far. That record may be older than this
    # call, so the difference is the most that the call can have taken.
    before = psutil.Process().memory_info().rss
    top_k(queries, items, K, measure="dot")
    largest = harness.largest_size_so_far()
    extra_bytes = None if largest is None else largest - before

    index = faiss.IndexFlatIP(DIMENSIONS)
    index.add(items)
    peers = {
        OURS: lambda: top_k(queries, items, K, measure="dot")[0],
        "numpy, full sort": lambda: np.argsort(-(queries @ items.T), axis=1)[:, :K],
        "numpy, argpartition": lambda: _by_argpartition(queries, items),
        "torch.topk": lambda: torch.topk(
            torch.from_numpy(queries) @ torch.from_numpy(items).T, K
        ).indices.numpy(),
        "FAISS Flat": lambda: index.search(queries, K)[1],
    }
    timings = harness.alternate(peers)
    looped = harness.alternate({LOOP: lambda: _by_loop(queries[:LOOPED_QUERIES], items)})[LOOP]
    for_all = [seconds * QUERIES / LOOPED_QUERIES for seconds in looped.seconds]
    rows = harness.table(
        {LOOP: harness.Timing(for_all, looped.result), **timings}, REFERENCE, QUERIES, "queries"
    )
    truth = _brute_force(queries, items)
    assert (looped.result == truth[:LOOPED_QUERIES]).all()
    for name, timing in timings.items():
        rows[name]["rows_as_brute_force"] = int((timing.result == truth).all(axis=1).sum())
    fastest_peer = min(timing.median for name, timing in timings.items() if name != OURS)
    promises = [
        harness.promise(
            "queries with the ids of float64 brute force", rows[OURS]["rows_as_brute_force"], at_least=QUERIES
        ),
        harness.promise(
            "time, as a share of the fastest peer's", timings[OURS].median / fastest_peer, at_most=1.1
        ),
    ]
    if extra_bytes is not None:
        promises.append(
            harness.promise("peak memory beyond the vectors, GiB", extra_bytes / 2**30, at_most=1)
        )
    content = {
        **harness.page(5, "Exact nearest neighbours"),
        "queries": QUERIES,
        "items": ITEMS,
        "dimensions": DIMENSIONS,
        "k": K,
        "notes": "FAISS's index is built outside the timing; the others start from the plain vectors. "
        f"The loop was timed for {LOOPED_QUERIES} queries and multiplied.",
        "reference": REFERENCE,
        "peers": rows,
        "promises": promises,
    }
    harness.write("topk", ("numpy", "torch", "faiss-cpu"), threads, content)


def _unit_vectors(n: int, seed: int) -> np.ndarray:
    x = np.random.default_rng(seed).standard_normal((n, DIMENSIONS), dtype=np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return x


def _by_loop(queries: np.ndarray, items: np.ndarray) -> np.ndarray:
    def cosine(a, b):
        return a @ b / (np.linalg.norm(a) * np.linalg.norm(b))

    return np.argsort([[-cosine(query, item) for item in items] for query in queries], axis=1)[:, :K]


def _by_argpartition(queries: np.ndarray, items: np.ndarray) -> np.ndarray:
    scores = queries @ items.T
    best = np.argpartition(scores, ITEMS - K, axis=1)[:, -K:]
    order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1)
    return np.take_along_axis(best, order, axis=1)


def _brute_force(queries: np.ndarray, items: np.ndarray) -> np.ndarray:
    """Every score in float64, rounded to float32, sorted; equal scores by lower id."""
    scores = (queries.astype(np.float64) @ items.astype(np.float64).T).astype(np.float32)
    return np.argsort(-scores, axis=1, kind="stable")[:, :K]
