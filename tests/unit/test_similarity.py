"""course_lib.similarity: golden values, properties, exact search against brute force, bad input."""

import faiss
import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics.pairwise import cosine_similarity

from course_lib.similarity import MEASURES, METHODS, cosine, dot, euclidean, normalize, top_k

U = np.array([[0.8, 0.5, 0.2, 0.9, 0.1, 0.3, 0.7]])
V = np.array([[0.4, 0.9, 0.5, 0.7, 0.3, 0.2, 0.8]])

LARGE = 12_000  # catalogue size that takes the exact search by groups, not by sorting


def unit_vectors(n, d=16, seed=0):
    return normalize(np.random.default_rng(seed).standard_normal((n, d)))


def brute_force(queries, items, k, measure, exclude=None):
    """Float64, one item after the other, rounded to float32; equal scores by lower id."""
    q, x = np.asarray(queries, np.float64), np.asarray(items, np.float64)
    if measure == "euclidean":
        scores = -np.stack([np.sqrt(((x - row) ** 2).sum(axis=1)) for row in q])
    else:
        scores = q @ x.T
    if measure == "cosine":
        scores /= np.linalg.norm(q, axis=1)[:, None] * np.linalg.norm(x, axis=1)
    scores = scores.astype(np.float32)
    if exclude is not None:
        scores[exclude.toarray() != 0] = -np.inf
    ids = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    scores = np.take_along_axis(scores, ids, axis=1)
    return np.where(np.isinf(scores), -1, ids), scores


def test_cosine_of_the_documents_example_agrees_with_three_libraries():
    ours = cosine(U, V)[0, 0]
    index = faiss.IndexFlatIP(7)
    index.add(normalize(V))
    assert round(float(ours), 4) == 0.8944
    assert ours == pytest.approx(cosine_similarity(U, V)[0, 0], abs=1e-6)
    assert ours == pytest.approx(
        torch.nn.functional.cosine_similarity(torch.tensor(U), torch.tensor(V))[0].item(), abs=1e-6
    )
    assert ours == pytest.approx(index.search(normalize(U), 1)[0][0, 0], abs=1e-6)


def test_by_hand():
    a, b = [[3.0, 4.0]], [[4.0, 3.0], [0.0, 2.0], [-3.0, -4.0]]
    assert dot(a, b).tolist() == [[24.0, 8.0, -25.0]]
    assert cosine(a, b).tolist() == [[np.float32(0.96), np.float32(0.8), -1.0]]
    assert euclidean(a, b) == pytest.approx(np.sqrt([[2.0, 13.0, 100.0]]))
    assert all(f(a, b).dtype == np.float32 and f(a, b).shape == (1, 3) for f in (dot, cosine, euclidean))


def test_a_zero_vector_has_cosine_zero_and_stays_zero():
    zero_first = np.array([[0.0, 0.0], [1.0, 1.0]])
    assert cosine(zero_first, zero_first).tolist() == [[0.0, 0.0], [0.0, 1.0]]
    assert normalize(zero_first)[0].tolist() == [0.0, 0.0]
    ids, scores = top_k(zero_first[:1], zero_first, 2)
    assert ids.tolist() == [[0, 1]]
    assert scores.tolist() == [[0.0, 0.0]]


some_vectors = arrays(np.float32, (5, 4), elements=st.floats(-100, 100, width=32).map(lambda x: round(x, 2)))


@settings(max_examples=50, deadline=None)
@given(some_vectors, some_vectors)
def test_symmetry_and_bounds(a, b):
    for measure in (cosine, dot, euclidean):
        assert measure(a, b) == pytest.approx(measure(b, a).T, rel=1e-6, abs=1e-6)
    assert (np.abs(cosine(a, b)) <= 1).all()
    assert (euclidean(a, b) >= 0).all()
    assert (np.diag(euclidean(a, a)) == 0).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 50))
def test_on_the_unit_sphere_squared_distance_is_two_minus_two_cosine(seed, d):
    a, b = unit_vectors(6, d, seed), unit_vectors(7, d, seed + 1)
    assert euclidean(a, b) ** 2 == pytest.approx(2 - 2 * cosine(a, b), abs=1e-5)
    orders = [top_k(a, b, 7, measure=measure)[0] for measure in MEASURES]
    assert (orders[0] == orders[1]).all()
    assert (orders[0] == orders[2]).all()


@pytest.mark.parametrize("measure", MEASURES)
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 60), share=st.floats(0, 0.9), data=st.data())
def test_exact_is_brute_force_on_small_catalogues(measure, seed, n, share, data):
    rng = np.random.default_rng(seed)
    items = rng.integers(-3, 4, (n, 3)) + 0.25  # few distinct values: many ties, no zero vector
    queries = rng.integers(-3, 4, (8, 3)) + 0.25
    exclude = sp.csr_array(rng.random((8, n)) < share)
    k = data.draw(st.integers(1, n))
    ids, scores = top_k(queries, items, k, measure=measure, exclude=exclude)
    expected_ids, expected_scores = brute_force(queries, items, k, measure, exclude)
    assert (ids == expected_ids).all()
    assert scores == pytest.approx(expected_scores)
    assert ids.dtype == np.int64
    assert scores.dtype == np.float32


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("kind", ["unit", "any length", "duplicates", "near-duplicates"])
def test_exact_is_brute_force_on_large_catalogues(measure, kind):
    rng = np.random.default_rng(3)
    items = unit_vectors(LARGE + 7)  # no multiple of the group size
    if kind == "any length":
        items = items * rng.uniform(0.1, 30, (len(items), 1)).astype(np.float32)
    if kind == "duplicates":
        items = items[rng.integers(0, 500, len(items))]  # each vector about 24 times: place k always ties
    if kind == "near-duplicates":
        items = items[rng.integers(0, 500, len(items))] + rng.normal(0, 1e-7, items.shape).astype(np.float32)
    queries = unit_vectors(40, seed=1)
    exclude = sp.random_array((40, len(items)), density=0.02, rng=rng, format="csr")
    for hidden in (None, exclude):
        ids, scores = top_k(queries, items, 10, measure=measure, exclude=hidden)
        expected_ids, expected_scores = brute_force(queries, items, 10, measure, hidden)
        assert (ids == expected_ids).all()
        assert scores == pytest.approx(expected_scores, rel=1e-6)


@pytest.mark.parametrize("n", [30, LARGE])
@pytest.mark.parametrize("measure", MEASURES)
def test_constant_vectors_tie_and_the_lower_id_wins(n, measure):
    ids, scores = top_k(np.ones((3, 16)), np.full((n, 16), 0.1), 10, measure=measure)
    assert (ids == np.arange(10)).all()
    assert (scores == scores[0, 0]).all()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n", [50, LARGE])
def test_items_that_are_left_are_fewer_than_k(method, n):
    items = unit_vectors(n)
    exclude = sp.lil_array((2, n), dtype=np.float32)
    exclude[0, 3:] = 1
    ids, scores = top_k(unit_vectors(2, seed=1), items, 5, method=method, exclude=exclude.tocsr())
    assert (ids[0, 3:] == -1).all()
    assert (scores[0, 3:] == -np.inf).all()
    # A graph search may miss far-away items; whatever it returns is allowed.
    assert set(ids[0, :3]) <= {-1, 0, 1, 2}
    if method != "faiss_hnsw":
        assert set(ids[0, :3]) == {0, 1, 2}
    assert (ids[1] >= 0).all()


@pytest.mark.parametrize("measure", MEASURES)
def test_faiss_flat_agrees_with_exact(measure):
    items, queries = 3 * unit_vectors(2_000), unit_vectors(50, seed=1)
    exclude = sp.random_array((50, 2_000), density=0.05, rng=np.random.default_rng(0), format="csr")
    ids, scores = top_k(queries, items, 10, measure=measure, exclude=exclude)
    flat_ids, flat_scores = top_k(queries, items, 10, measure=measure, method="faiss_flat", exclude=exclude)
    assert (ids == flat_ids).mean() > 0.99
    assert flat_scores == pytest.approx(scores, abs=1e-5)


def test_hnsw_recall_on_clustered_vectors_and_repeats():
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((40, 32))
    items = centres[rng.integers(0, 40, 4_000)] + 0.4 * rng.standard_normal((4_000, 32))
    queries = centres[rng.integers(0, 40, 100)] + 0.4 * rng.standard_normal((100, 32))
    exact, _ = top_k(queries, items, 10)
    found, scores = top_k(queries, items, 10, method="faiss_hnsw")
    recall = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(exact, found, strict=True)])
    assert recall > 0.9
    again, _ = top_k(queries, items, 10, method="faiss_hnsw")
    assert (found == again).all()
    assert (np.diff(scores, axis=1) <= 0).all()


def test_input_is_not_changed():
    items, queries = unit_vectors(LARGE), unit_vectors(3, seed=1)
    before = items.copy(), queries.copy()
    for method in ("exact", "faiss_flat"):
        top_k(queries, items, 5, method=method)
    assert (items == before[0]).all()
    assert (queries == before[1]).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: top_k(U, V, 0), "k is 0, but there are 1 items: choose k from 1 to 1"),
        (lambda: top_k(U, V, 2), "k is 2, but there are 1 items"),
        (lambda: top_k(U, V[:, :6], 1), "queries have 7 dimensions and items have 6"),
        (lambda: top_k(U[0], V, 1), r"queries must be \[rows, dimensions\], got shape \(7,\)"),
        (lambda: top_k(U, V, 1, measure="manhattan"), "unknown measure 'manhattan': choose one of cosine"),
        (lambda: top_k(U, V, 1, method="annoy"), "unknown method 'annoy': choose one of exact"),
        (lambda: top_k(U, V, 1, exclude=sp.csr_array((1, 2))), r"exclude has shape \(1, 2\)"),
        (lambda: cosine(U, V * np.nan), "b holds NaN or infinity, first in row 0"),
        (lambda: dot([[1.0], [np.inf]], [[1.0]]), "a holds NaN or infinity, first in row 1"),
        (lambda: euclidean(np.empty((0, 3)), np.ones((1, 3))), r"a is empty, shape \(0, 3\)"),
        (lambda: normalize(np.ones((1, 2, 3))), r"x must be \[rows, dimensions\]"),
    ],
)
def test_bad_input_is_one_clear_error(call, message):
    with pytest.raises(ValueError, match=message):
        call()
