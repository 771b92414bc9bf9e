"""How alike vectors are (cosine, dot product, Euclidean distance), and the k most alike of a catalogue.

Vectors are rows. All results are float32, computed in float64 and rounded once, so that they do not depend on
thread counts or block sizes. A zero vector has no direction: its cosine with anything is 0 here, as in
scikit-learn and PyTorch. Any other has one, however short or long it is, where these two take a length of
about 10⁻⁶ or 10⁻¹² for zero. Sources: D1 §2, D2 §2; Johnson et al. 2017 (FAISS), Malkov and Yashunin 2018
(HNSW).
"""

from __future__ import annotations

import faiss
import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike
from scipy.spatial.distance import cdist

MEASURES = ("cosine", "dot", "euclidean")
METHODS = ("exact", "faiss_flat", "faiss_hnsw")

# Scores held at once while sorting: 4 million take about 130 MB with what sorting needs.
SCORES_PER_BLOCK = 2**22

# Candidates' values gathered at once in float64: 256 kB, well inside a core's own cache.
VALUES_PER_BLOCK = 2**15

# Candidates beyond k that the exact search ranks, so that a near-tie at place k rarely needs the slow way.
SPARE_CANDIDATES = 3

# Links of a node, width of the search while building and (at least) while asking.
# Lengths that float32 can square, and that no library takes for zero. A vector outside is scaled before its
# cosine.
SHORTEST, LONGEST = 2.0**-16, 2.0**60

HNSW_LINKS, HNSW_BUILD_WIDTH, HNSW_SEARCH_WIDTH = 32, 80, 128


def normalize(x: ArrayLike) -> np.ndarray:
    """Rows divided by their Euclidean length: [n, d] -> float32 [n, d]. A zero row stays zero.

    Raises ValueError (not two-dimensional, NaN or infinity)."""
    return _unit(_vectors(x, "x", "cosine")[0].astype(np.float64)).astype(np.float32)


def cosine(a: ArrayLike, b: ArrayLike) -> np.ndarray:
    """Cosine of the angle between every row of a [n, d] and of b [m, d]: float32 [n, m] in [-1, 1], 0 for a
    zero row.

    Raises ValueError (not two-dimensional, unequal d, NaN or infinity). Source: D1 §2."""
    return _scores(*_pair(a, b, ("a", "b"), "cosine")[:2], "cosine")


def dot(a: ArrayLike, b: ArrayLike) -> np.ndarray:
    """Dot product of every row of a [n, d] with every row of b [m, d]: float32 [n, m].

    Raises ValueError as `cosine` does, and for vectors so long that a result may pass the largest float32."""
    return _scores(*_pair(a, b, ("a", "b"), "dot")[:2], "dot")


def euclidean(a: ArrayLike, b: ArrayLike) -> np.ndarray:
    """Euclidean distance of every row of a [n, d] to every row of b [m, d]: float32 [n, m], ≥ 0, not squared.

    On unit vectors distance² = 2 − 2·cosine. Raises ValueError as `dot` does."""
    return -_scores(*_pair(a, b, ("a", "b"), "euclidean")[:2], "euclidean")


def in_reach(x: np.ndarray) -> np.ndarray:
    """Rows [n, d] with the same directions, and lengths whose squares float32 holds.

    Rows that are very short or long are multiplied by a power of two, which changes no digit; the others, and
    zero rows, stay as they are. For libraries that take a short vector for a zero one."""
    lengths = _lengths(x)
    odd = np.flatnonzero(~((lengths >= SHORTEST) & (lengths <= LONGEST)))
    if not len(odd):
        return x
    x = x.copy()
    x[odd] = _scaled(x[odd])
    return x


def top_k(
    queries: ArrayLike,
    items: ArrayLike,
    k: int,
    *,
    measure: str = "cosine",
    method: str = "exact",
    exclude: sp.sparray | sp.spmatrix | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The k best items of every query: (ids int64 [n, k], scores float32 [n, k]), best first.

    queries: [n, d]. items: [m, d]; an item's id is its row. 1 ≤ k ≤ m.
    measure: "cosine" or "dot"; "euclidean" scores are distances with a minus sign, so that larger is better.
    method: "exact" returns what sorting all scores, computed in float64 and rounded to float32, would return,
        equal scores by lower id; it works in blocks of queries, so a large n × m matrix is never held.
        "faiss_flat" computes in float32: scores closer than its rounding may come in another order.
        "faiss_hnsw" searches a graph that is built in this call, in one thread so that it repeats:
        approximate, and meant for vectors of similar length ("cosine", "euclidean").
    exclude: sparse [n, m]; an item stored in a query's row, with whatever value, is not returned to it.
    Where fewer than k items are left (or found), ids end with -1 and scores with -inf.

    Raises ValueError (unknown measure or method, k out of range, wrong shapes, NaN or infinity).
    """
    if measure not in MEASURES:
        raise ValueError(f"unknown measure {measure!r}: choose one of {', '.join(MEASURES)}")
    queries, items, *lengths = _pair(queries, items, ("queries", "items"), measure)
    if method not in METHODS:
        raise ValueError(f"unknown method {method!r}: choose one of {', '.join(METHODS)}")
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or not 1 <= k <= len(items):
        raise ValueError(f"k is {k!r}, but there are {len(items)} items: choose k from 1 to {len(items)}")
    if exclude is not None:
        exclude = sp.csr_array(exclude)
        if exclude.shape != (len(queries), len(items)):
            raise ValueError(
                f"exclude has shape {exclude.shape}, but {len(queries)} queries and {len(items)} items need "
                f"({len(queries)}, {len(items)}): one row a query, one column an item"
            )
    if method != "exact":
        return _top_k_faiss(queries, items, k, measure, method, exclude)
    return _top_k_exact(queries, items, k, measure, exclude, lengths)


def _top_k_exact(queries, items, k, measure, exclude, lengths):
    """FAISS finds candidates by float32 scores, float64 scores rank them. A bound on the float32 error says
    which queries' candidates are sure to hold the answer; the others (ties, mostly) are sorted whole."""
    found = k + SPARE_CANDIDATES + _most_excluded(exclude)
    if found > len(items) // 2:
        return _top_k_by_sorting(queries, items, k, measure, exclude)
    fast, ids, error = _float32_candidates(queries, items, found, measure, lengths)
    left_out = fast[:, -1].copy()  # no item that was not found scores more than this
    if exclude is not None:
        fast[_is_excluded(ids, exclude)] = -np.inf
        order = np.argsort(-fast, axis=1, kind="stable")[:, : k + SPARE_CANDIDATES]
        fast, ids = np.take_along_axis(fast, order, axis=1), np.take_along_axis(ids, order, axis=1)
        left_out = np.maximum(left_out, fast[:, -1])
    # An item can belong to the answer only if its float32 score is within two errors of the one at place k.
    sure = left_out < fast[:, k - 1] - 2 * error
    scores = _scores_of_candidates(queries, items, ids, measure)
    scores[fast == -np.inf] = -np.inf
    ids, scores = _best_first(ids, scores, k)
    unsure = np.flatnonzero(~sure)
    if len(unsure):
        theirs = None if exclude is None else exclude[unsure]
        ids[unsure], scores[unsure] = _top_k_by_sorting(queries[unsure], items, k, measure, theirs)
    return ids, scores


def _top_k_by_sorting(queries, items, k, measure, exclude):
    """Float64 scores of a block of queries, rounded to float32, sorted whole."""
    ids = np.empty((len(queries), k), dtype=np.int64)
    scores = np.empty((len(queries), k), dtype=np.float32)
    for block in _blocks(len(queries), max(1, SCORES_PER_BLOCK // len(items))):
        of_block = _scores(queries[block], items, measure)
        if exclude is not None:
            row, item = _entries(exclude[block])
            of_block[row, item] = -np.inf
        order = np.argsort(-of_block, axis=1, kind="stable")[
            :, :k
        ]  # stable: equal scores stay in order of id
        best = np.take_along_axis(of_block, order, axis=1)
        ids[block], scores[block] = np.where(best == -np.inf, -1, order), best
    return ids, scores


def _top_k_faiss(queries, items, k, measure, method, exclude):
    if measure == "cosine":
        queries, items = normalize(queries), normalize(items)
    metric = faiss.METRIC_L2 if measure == "euclidean" else faiss.METRIC_INNER_PRODUCT
    # FAISS knows nothing of a query's excluded items: ask for as many more, and drop them.
    asked = min(len(items), k + _most_excluded(exclude))
    if method == "faiss_flat":
        index = faiss.IndexFlat(items.shape[1], metric)
        index.add(items)
    else:
        index = faiss.IndexHNSWFlat(items.shape[1], HNSW_LINKS, metric)
        index.hnsw.efConstruction = HNSW_BUILD_WIDTH
        index.hnsw.efSearch = max(HNSW_SEARCH_WIDTH, 2 * asked)
        threads = faiss.omp_get_max_threads()
        faiss.omp_set_num_threads(1)
        try:
            index.add(items)
        finally:
            faiss.omp_set_num_threads(threads)
    scores, ids = index.search(queries, asked)
    if measure == "euclidean":
        scores = -np.sqrt(np.maximum(scores, 0))
    scores[ids < 0] = -np.inf
    if exclude is not None:
        scores[_is_excluded(ids, exclude)] = -np.inf
    return _best_first(ids, scores, k)


def _best_first(ids: np.ndarray, scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The first k of each row by falling score, then rising id; what scores -inf becomes id -1."""
    ids = np.broadcast_to(ids, scores.shape)
    by_id = np.argsort(ids, axis=1, kind="stable")
    order = np.argsort(-np.take_along_axis(scores, by_id, axis=1), axis=1, kind="stable")
    order = np.take_along_axis(by_id, order, axis=1)[:, :k]
    ids, scores = np.take_along_axis(ids, order, axis=1), np.take_along_axis(scores, order, axis=1)
    return np.where(scores == -np.inf, -1, ids), scores


def _scores(a: np.ndarray, b: np.ndarray, measure: str) -> np.ndarray:
    """Larger is better: float32 [n, m], computed in float64."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    if measure == "euclidean":
        return -cdist(a, b).astype(np.float32)
    if measure == "cosine":
        return np.clip(_unit(a) @ _unit(b).T, -1, 1).astype(np.float32)
    return (a @ b.T).astype(np.float32)


def _scores_of_candidates(queries, items, candidates, measure):
    """The same as `_scores`, for candidates [n, c] of each query only: float32 [n, c]."""
    scores = np.empty(candidates.shape, dtype=np.float32)
    for block in _blocks(len(queries), max(1, VALUES_PER_BLOCK // (candidates.shape[1] * items.shape[1]))):
        a, b = queries[block].astype(np.float64), items[candidates[block]].astype(np.float64)
        if measure == "euclidean":
            exact = -np.linalg.norm(a[:, None, :] - b, axis=2)
        else:
            exact = np.matvec(b, a)
            if measure == "cosine":
                lengths = np.linalg.norm(a, axis=1, keepdims=True) * np.linalg.norm(b, axis=2)
                exact = np.clip(np.divide(exact, lengths, out=np.zeros_like(exact), where=lengths > 0), -1, 1)
        scores[block] = exact
    return scores


def _float32_candidates(queries, items, found, measure, lengths) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The best `found` items by float32 scores: scores [n, found], ids [n, found], and a bound on the error
    of these scores, float64 [n]. "euclidean" scores are -distance², which rank in the same order.

    The bound is the standard one for a dot product of d terms in any order of summation (Higham 2002, §3.1:
    d · u · |a|·|b|, u = 2⁻²⁴), once more for the two lengths that a cosine divides by, with some terms more
    for the other roundings, the final one included. Terms below the smallest normal number, 2⁻¹²⁶, may be
    lost whole, d of them.
    """
    if measure == "cosine":
        # Lengths are in reach of float32 here, or 0.
        queries, items = (
            x / np.where(of_x > 0, of_x, 1).astype(np.float32)[:, None]
            for x, of_x in zip((queries, items), lengths, strict=True)
        )
        lengths = [np.ones(len(queries)), np.ones(1)]
    lengths, longest = lengths[0], lengths[1].max()
    relative, lost = (2 * queries.shape[1] + 16) * 2.0**-24, 4 * queries.shape[1] * 2.0**-126
    if measure == "euclidean":
        squares, ids = faiss.knn(queries, items, found, metric=faiss.METRIC_L2)
        return -squares, ids, relative * (lengths + longest) ** 2 + lost
    scores, ids = faiss.knn(queries, items, found, metric=faiss.METRIC_INNER_PRODUCT)
    return scores, ids, relative * lengths * longest + lost


def _unit(x: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(x, axis=1, keepdims=True)
    return np.divide(x, lengths, out=np.zeros_like(x), where=lengths > 0)


def _entries(matrix: sp.csr_array) -> tuple[np.ndarray, np.ndarray]:
    """Row and column of every stored entry, explicit zeros included."""
    return np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr)), matrix.indices


def _most_excluded(exclude: sp.csr_array | None) -> int:
    return 0 if exclude is None else int(np.diff(exclude.indptr).max())


def _is_excluded(ids: np.ndarray, exclude: sp.csr_array) -> np.ndarray:
    """bool, shaped like ids [n, c]: is this item stored in this row of exclude?"""
    row, item = _entries(exclude)
    width = exclude.shape[1]
    return np.isin(np.arange(len(ids))[:, None] * width + ids, row * width + item) & (ids >= 0)


def _blocks(total: int, size: int) -> list[slice]:
    return [slice(start, min(start + size, total)) for start in range(0, total, size)]


def _pair(a: ArrayLike, b: ArrayLike, names: tuple[str, str], measure: str) -> tuple[np.ndarray, ...]:
    """Both as float32 matrices, then the lengths of their rows. For "cosine" rows may have been scaled."""
    (a, lengths_a), (b, lengths_b) = _vectors(a, names[0], measure), _vectors(b, names[1], measure)
    if a.shape[1] != b.shape[1]:
        raise ValueError(
            f"{names[0]} have {a.shape[1]} dimensions and {names[1]} have {b.shape[1]}: "
            "both must come from the same encoder"
        )
    longest = lengths_a.max(), lengths_b.max()
    largest = {"cosine": 1.0, "dot": longest[0] * longest[1], "euclidean": sum(longest)}[measure]
    if not largest < 2.0**127:
        raise ValueError(
            f"{names[0]} and {names[1]} are too long for {measure} in float32, {longest[0]:.3g} and "
            f"{longest[1]:.3g}: scale them down, or use cosine, which no length changes"
        )
    return a, b, lengths_a, lengths_b


def _vectors(x: ArrayLike, name: str, measure: str) -> tuple[np.ndarray, np.ndarray]:
    """float32 [n, d], checked, and the lengths of its rows, float64 [n]."""
    x = np.asarray(x)
    if x.dtype.kind == "O":
        try:
            x = x.astype(np.float64)
        except (TypeError, ValueError):
            raise ValueError(f"{name} holds something that is no number: give a matrix of numbers") from None
    if x.dtype.kind not in "biuf":
        raise ValueError(f"{name} holds {x.dtype}: give a matrix of real numbers")
    if x.ndim != 2:
        hint = "one vector is a matrix with one row, x[None, :]" if x.ndim == 1 else "give a matrix"
        raise ValueError(f"{name} must be [rows, dimensions], got shape {x.shape}: {hint}")
    if 0 in x.shape:
        raise ValueError(f"{name} is empty, shape {x.shape}: give at least one vector of one dimension")
    given = x
    with np.errstate(over="ignore", under="ignore"):
        x = np.ascontiguousarray(x, dtype=np.float32)
    # A length is finite only if the row is: one pass finds both. Only rows whose length is odd are looked at
    # again: they hold NaN or infinity, or numbers whose squares float32 does not hold.
    lengths = _lengths(x)
    odd = np.flatnonzero(~((lengths >= SHORTEST) & (lengths <= LONGEST)))
    if not len(odd):
        return x, lengths
    rows = given[odd].astype(np.float64)
    if len(bad := odd[~np.isfinite(rows).all(axis=1)]):
        raise ValueError(f"{name} holds NaN or infinity, first in row {bad[0]}: drop or repair that vector")
    if measure == "cosine" and rows.any():
        rows = _scaled(rows).astype(np.float32)
        x = x.copy() if np.may_share_memory(x, given) else x
        x[odd] = rows
    with np.errstate(over="ignore"):
        lengths[odd] = np.linalg.norm(rows.astype(np.float64), axis=1)
    return x, lengths


def _lengths(x: np.ndarray) -> np.ndarray:
    """Lengths of rows as their own precision has them, float64 [n]."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        return np.sqrt(np.vecdot(x, x), dtype=np.float64)


def _scaled(rows: np.ndarray) -> np.ndarray:
    """Each row times the power of two that brings its largest number to between ½ and 1; a zero row stays."""
    _, exponents = np.frexp(np.abs(rows).max(axis=1, keepdims=True))
    return np.ldexp(rows, -exponents)
