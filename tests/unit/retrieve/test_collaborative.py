"""Collaborative retrievers against their formulas, written as loops or solved directly."""

from math import log, sqrt

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.data import Interactions
from course_lib.retrieve import ALS, BPR, EASE, CannotFoldIn, Hybrid, ItemKNN, Popularity, UserKNN
from course_lib.retrieve import base as base_module
from course_lib.retrieve.ease import invert_in_place

NO = -np.inf


def interactions_of(table):
    table = np.asarray(table)
    users, items = (places.astype(np.int64) for places in np.nonzero(table))
    n_users, n_items = table.shape
    return Interactions(
        users, items, None, None, np.arange(n_users).astype(str), np.arange(n_items).astype(str), name="toy"
    )


@st.composite
def tables(draw):
    """Never square; with empty rows, empty columns and equal rows."""
    n_users = draw(st.integers(2, 6))
    n_items = draw(st.integers(2, 7).filter(lambda n: n != n_users))
    cells = st.lists(st.booleans(), min_size=n_items, max_size=n_items)
    table = np.array(draw(st.lists(cells, min_size=n_users, max_size=n_users)), dtype=np.float32)
    return table if table.any() else np.eye(n_users, n_items, dtype=np.float32)


def every_score(retriever, histories):
    histories = sp.csr_array(np.asarray(histories, dtype=np.float32))
    n, n_items = histories.shape
    return retriever.score(histories, np.tile(np.arange(n_items), (n, 1)))


def weights_by_hand(row, table, weighting):
    """One row of 0 and 1 with the weights of its columns, as a list of floats."""
    n_rows = len(table)
    rarity = [log((1 + n_rows) / (1 + sum(column))) for column in zip(*table, strict=True)]
    if weighting == "cosine":
        values = [float(x) for x in row]
    else:
        values = [x * w for x, w in zip(row, rarity, strict=True)]
    if weighting == "bm25":
        lengths = [sum(other) for other in table if sum(other)]
        mean = sum(lengths) / len(lengths)
        return [v * 2.2 / (1.2 * (0.25 + 0.75 * sum(row) / mean) + 1) for v in values]
    length = sqrt(sum(v * v for v in values))
    return [v / length if length else 0.0 for v in values]


def nearest_by_hand(row, table, weighting, k, leave_out):
    mine = weights_by_hand(row, table, weighting)
    found = []
    for place, other in enumerate(table):
        if leave_out(place, other):
            continue
        theirs = weights_by_hand(other, table, weighting)
        # float32, as the library has it: what is a tie there must be one here.
        similarity = sum(a * b for a, b in zip(mine, theirs, strict=True))
        if similarity > 0:
            found.append((-similarity, place))
    return [(place, -negative) for negative, place in sorted(found)][:k]


def has_near_tie(nearest, everything):
    """Whether rounding could decide who is the last neighbour."""
    if len(everything) <= len(nearest) or not nearest:
        return False
    return abs(nearest[-1][1] - everything[len(nearest)][1]) < 1e-5


@pytest.mark.parametrize("weighting", ["cosine", "tfidf", "bm25"])
@settings(max_examples=60, deadline=None)
@given(table=tables(), k=st.integers(1, 4))
def test_user_neighbours_are_the_formula(weighting, table, k):
    scores = every_score(UserKNN(k, weighting).fit(interactions_of(table)), table)
    rows = table.tolist()
    for user, row in enumerate(rows):
        same = lambda place, other, row=row: other == row  # noqa: E731
        nearest = nearest_by_hand(row, rows, weighting, k, same)
        if has_near_tie(nearest, nearest_by_hand(row, rows, weighting, len(rows), same)):
            continue
        expected = [sum(s * rows[place][item] for place, s in nearest) for item in range(len(row))]
        np.testing.assert_allclose(scores[user], [e if e > 0 else NO for e in expected], rtol=1e-5)


@pytest.mark.parametrize("weighting", ["cosine", "tfidf", "bm25"])
@settings(max_examples=60, deadline=None)
@given(table=tables(), k=st.integers(1, 4))
def test_item_neighbours_are_the_formula(weighting, table, k):
    scores = every_score(ItemKNN(k, weighting).fit(interactions_of(table)), table)
    columns = table.T.tolist()
    for item, column in enumerate(columns):
        itself = lambda place, other, item=item: place == item  # noqa: E731
        nearest = nearest_by_hand(column, columns, weighting, k, itself)
        if has_near_tie(nearest, nearest_by_hand(column, columns, weighting, len(columns), itself)):
            continue
        expected = [sum(s * row[place] for place, s in nearest) for row in table.tolist()]
        np.testing.assert_allclose(scores[:, item], [e if e > 0 else NO for e in expected], rtol=1e-5)


def test_neighbours_in_small_blocks_are_the_same(monkeypatch):
    table = np.random.default_rng(0).random((30, 20)) < 0.3
    at_once = [every_score(knn(4).fit(interactions_of(table)), table) for knn in (UserKNN, ItemKNN)]
    monkeypatch.setattr(base_module, "BLOCK_CELLS", 50)
    in_blocks = [every_score(knn(4).fit(interactions_of(table)), table) for knn in (UserKNN, ItemKNN)]
    np.testing.assert_array_equal(at_once, in_blocks)


def test_tied_neighbours_go_by_index():
    # Users 1, 2 and 3 share one of two items with user 0: one vote, and the first of them has it.
    train = interactions_of([[1, 1, 0, 0, 0], [1, 0, 1, 0, 0], [1, 0, 0, 1, 0], [0, 1, 0, 0, 1]])
    assert UserKNN(1).fit(train).retrieve(np.array([0]), 5).ids.tolist() == [[2, -1, -1, -1, -1]]


@settings(max_examples=60, deadline=None)
@given(table=tables(), regularization=st.sampled_from([0.5, 3.0, 100.0]))
def test_ease_is_one_ridge_regression_an_item(table, regularization):
    ease = EASE(regularization).fit(interactions_of(table))
    for item in range(table.shape[1]):
        others = np.delete(np.arange(table.shape[1]), item)
        x, y = table[:, others].astype(float), table[:, item].astype(float)
        solved = np.linalg.solve(x.T @ x + regularization * np.eye(len(others)), x.T @ y)
        np.testing.assert_allclose(ease.weights[others, item], solved, atol=1e-5)
        assert ease.weights[item, item] == 0


@pytest.mark.parametrize(("n", "panel"), [(1, 4), (7, 7), (7, 3), (8, 4), (9, 4), (30, 7)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_inverse_in_panels(n, panel, dtype):
    x = np.random.default_rng(n).normal(size=(2 * n, n))
    matrix = (x.T @ x + np.eye(n)).astype(dtype)
    inverse = matrix.copy()
    invert_in_place(inverse, panel)
    np.testing.assert_allclose(inverse, np.linalg.inv(matrix.astype(float)), atol=1e-5)
    np.testing.assert_allclose(inverse, inverse.T, atol=1e-6)


def test_inverse_refuses_what_it_cannot_invert():
    with pytest.raises(ValueError, match=r"square float matrix, got float64 \(2, 3\)"):
        invert_in_place(np.ones((2, 3)), 2)
    with pytest.raises(ValueError, match="got int64"):
        invert_in_place(np.eye(2, dtype=np.int64), 2)
    with pytest.raises(np.linalg.LinAlgError):
        invert_in_place(np.array([[1.0, 2.0], [2.0, 1.0]]), 2)


@pytest.mark.parametrize("shape", [(20, 31), (31, 20)])
def test_ease_in_panels_is_the_same(shape, monkeypatch):
    train = interactions_of(np.random.default_rng(0).random(shape) < 0.3)
    at_once = EASE(2.0).fit(train).weights
    monkeypatch.setattr("course_lib.retrieve.ease.PANEL", 6)
    np.testing.assert_allclose(EASE(2.0).fit(train).weights, at_once, atol=1e-5)


def als_loss(users, items, table, alpha, regularization):
    confidence = np.where(table > 0, alpha, 1.0)
    error = (confidence * (table - users @ items.T) ** 2).sum()
    return error + regularization * ((users**2).sum() + (items**2).sum())


def test_als_solves_its_objective():
    """Users are the exact minimiser for the items, and items nearly so for users after many turns."""
    table = (np.random.default_rng(1).random((9, 7)) < 0.4).astype(float)
    als = ALS(factors=3, regularization=0.7, alpha=4.0, iterations=200).fit(interactions_of(table))
    for rows, fixed, found in (
        (table, als.item_factors, als.user_factors),
        (table.T, als.user_factors, als.item_factors),
    ):
        for row, vector in zip(rows, found, strict=True):
            confidence = np.where(row > 0, 4.0, 1.0)
            left = (fixed.T * confidence) @ fixed + 0.7 * np.eye(3)
            np.testing.assert_allclose(vector, np.linalg.solve(left, fixed.T @ (confidence * row)), atol=2e-3)
    rounds = [ALS(3, 0.7, 4.0, iterations=n).fit(interactions_of(table)) for n in (1, 3, 30)]
    losses = [als_loss(m.user_factors, m.item_factors, table, 4.0, 0.7) for m in rounds]
    assert losses == sorted(losses, reverse=True)


def two_camps():
    """Users of two tastes, each with four of the six films of their camp; two are left to find."""
    generator = np.random.default_rng(0)
    table = np.zeros((40, 12))
    for user in range(40):
        table[user, generator.permutation(6)[:4] + 6 * (user % 2)] = 1
    return table


@pytest.mark.parametrize(
    "retriever",
    [
        UserKNN(10),
        ItemKNN(10, "tfidf"),
        ALS(factors=4, regularization=1.0),
        BPR(factors=8, learning_rate=0.05, regularization=0.05, iterations=300),
        EASE(5.0),
        Hybrid(UserKNN(10), ItemKNN(10)),
    ],
    ids=lambda retriever: retriever.name,
)
def test_each_camp_is_offered_its_own_films(retriever):
    table = two_camps()
    lists = retriever.fit(interactions_of(table)).retrieve(np.arange(40), 2)
    assert (lists.ids // 6 == np.arange(40)[:, None] % 2).all()


@pytest.mark.parametrize(
    "make", [UserKNN, ItemKNN, lambda: ALS(4), lambda: BPR(4), EASE, lambda: Hybrid(UserKNN(), ItemKNN())]
)
def test_what_training_did_not_have_is_not_offered(make):
    table = np.hstack([two_camps(), np.zeros((40, 1))])
    table[7] = 0
    retriever = make().fit(interactions_of(table))
    assert not (retriever.retrieve(np.arange(40), 13, exclude_seen=False).ids == 12).any()
    assert (retriever.retrieve(np.array([7]), 3).ids == -1).all()
    if retriever.folds_in:
        knows_only_the_cold_item = sp.csr_array(np.eye(1, 13, 12, dtype=np.float32))
        assert (retriever.retrieve(knows_only_the_cold_item, 3).ids == -1).all()


@pytest.mark.parametrize("make", [UserKNN, ItemKNN, lambda: ALS(4, 1.0), lambda: EASE(5.0)])
def test_a_new_item_finds_the_camp_of_its_takers(make):
    table = two_camps()
    retriever = make().fit(interactions_of(table))
    takers = np.zeros((3, 40))
    takers[0, [0, 2, 4, 6, 8]] = 1
    takers[1, [1, 3, 5, 7, 9]] = 1
    scores = retriever.score_new_items(np.arange(40), sp.csr_array(takers))
    assert scores.dtype == np.float32
    by_row = retriever.score_new_items(sp.csr_array(table.astype(np.float32)), sp.csr_array(takers))
    np.testing.assert_allclose(scores, by_row, rtol=1e-5)
    later = np.arange(10, 40)
    assert (scores[later[later % 2 == 0], 0] > scores[later[later % 2 == 0], 1]).all()
    assert (scores[later[later % 2 == 1], 1] > scores[later[later % 2 == 1], 0]).all()
    assert (scores[:, 2] == NO).all()  # nobody took it
    with pytest.raises(ValueError, match=r"takers: expected .* looks transposed"):
        retriever.score_new_items(np.arange(40), sp.csr_array(takers.T))


@settings(max_examples=40, deadline=None)
@given(table=tables(), data=st.data())
def test_ease_predicts_a_new_item_as_if_trained_on_it(table, data):
    new = np.array(data.draw(st.lists(st.booleans(), min_size=len(table), max_size=len(table))), dtype=float)
    if not new.any():
        return
    with_it = EASE(2.0).fit(interactions_of(np.hstack([table, new[:, None]])))
    without = EASE(2.0).fit(interactions_of(table))
    scores = without.score_new_items(sp.csr_array(table), sp.csr_array(new[None, :]))
    known = (table @ (table.sum(axis=0) > 0)) > 0
    np.testing.assert_allclose(scores[known, 0], (table @ with_it.weights[:-1, -1])[known], atol=1e-5)


def test_user_neighbours_take_a_new_item_like_any_other():
    table = two_camps()
    whole = UserKNN(5).fit(interactions_of(table))
    column = sp.csr_array(table[:, [3]].T)
    np.testing.assert_array_equal(
        whole.score_new_items(np.arange(40), column)[:, 0],
        whole.score(np.arange(40), np.full((40, 1), 3))[:, 0],
    )


def test_bpr_cannot_place_a_new_item():
    bpr = BPR(3, iterations=1).fit(interactions_of(two_camps()))
    with pytest.raises(CannotFoldIn, match="not trained on"):
        bpr.score_new_items(np.arange(40), sp.csr_array(np.ones((1, 40))))


def standardised_by_hand(row):
    offered = [x for x in row if x > NO]
    mean = sum(offered) / len(offered)
    deviation = sqrt(sum((x - mean) ** 2 for x in offered) / len(offered))
    z = [(x - mean) / deviation if deviation else 0.0 for x in offered]
    filled = iter(z)
    return [next(filled) if x > NO else min(z) for x in row]


def test_hybrid_adds_standardised_scores():
    table = two_camps()
    train = interactions_of(table)
    users, items = UserKNN(3).fit(train), ItemKNN(2).fit(train)
    hybrid = Hybrid(UserKNN(3), ItemKNN(2), weight=0.3).fit(train)
    first, second, both = (every_score(r, table) for r in (users, items, hybrid))
    for a, b, c in zip(first, second, both, strict=True):
        expected = [
            0.3 * x + 0.7 * y if p > NO or q > NO else NO
            for x, y, p, q in zip(standardised_by_hand(a), standardised_by_hand(b), a, b, strict=True)
        ]
        np.testing.assert_allclose(c, expected, atol=1e-5)


@pytest.mark.parametrize("weight", [0, 1])
def test_hybrid_of_one_side_ranks_as_that_side(weight):
    table = (np.random.default_rng(3).random((20, 11)) < 0.4).astype(float)
    train = interactions_of(table)
    side = Popularity() if weight else EASE(2.0)
    hybrid = Hybrid(Popularity(), EASE(2.0), weight).fit(train).retrieve(train.matrix, 5)
    np.testing.assert_array_equal(hybrid.ids, side.fit(train).retrieve(train.matrix, 5).ids)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: UserKNN(0), "neighbours must be a whole number from 1"),
        (lambda: ItemKNN(2.5), "neighbours must be a whole number from 1"),
        (lambda: ItemKNN(weighting="pearson"), "cosine, tfidf, bm25"),
        (lambda: ALS(0), "factors must be a whole number from 1"),
        (lambda: ALS(regularization=-1), "regularization must be at least 0"),
        (lambda: BPR(learning_rate=0), "learning_rate must be above 0"),
        (lambda: EASE(0), "regularization must be above 0"),
        (lambda: EASE(float("nan")), "regularization must be above 0"),
        (lambda: Hybrid(UserKNN(), ItemKNN(), 1.5), "weight must be at least 0 and at most 1"),
    ],
)
def test_settings_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
