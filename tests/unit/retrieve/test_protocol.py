"""What every retriever promises, checked on all of them."""

import dataclasses

import numpy as np
import pytest
import scipy.sparse as sp
from IPython.core.formatters import DisplayFormatter
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from course_lib.data import Histories, Interactions
from course_lib.retrieve import (
    ALS,
    BPR,
    EASE,
    Candidates,
    CannotFoldIn,
    FeatureRetriever,
    Hybrid,
    ItemKNN,
    KeywordRetriever,
    Popularity,
    Random,
    Retriever,
    TextRetriever,
    UserKNN,
    genre_features,
    recency_histories,
    tfidf_features,
)
from course_lib.retrieve import base as base_module


class LetterEncoder:
    """A stand-in: counts of letters, of unit length."""

    def encode(self, texts):
        counts = np.array([[text.lower().count(letter) for letter in "abcdeghinorst"] for text in texts])
        return (counts / np.linalg.norm(counts, axis=1, keepdims=True)).astype(np.float32)


class Constant(Retriever):
    name = "constant"

    def _fit(self, train, catalogue):
        pass

    def _score_block(self, histories):
        return np.zeros(histories.shape, dtype=np.float32)


class Broken(Constant):
    name = "broken"

    def _score_block(self, histories):
        return np.full(histories.shape, np.nan)


class Transposed(Constant):
    name = "transposed"

    def _score_block(self, histories):
        return np.zeros(histories.shape[::-1])


class KnowsItsUsersOnly(Constant):
    name = "closed"
    folds_in = False

    def _score_block(self, histories):
        return np.eye(self.n_users, self.n_items, dtype=np.float32)[histories.users]


MAKERS = {
    "popularity": lambda catalogue: Popularity(),
    "random": lambda catalogue: Random(seed=3),
    "constant": lambda catalogue: Constant(),
    "keywords": lambda catalogue: KeywordRetriever(),
    "genres": lambda catalogue: FeatureRetriever(genre_features(catalogue), "genres"),
    "tfidf recency": lambda catalogue: FeatureRetriever(
        tfidf_features(catalogue, "title", "genres"), "tf-idf", user="recency"
    ),
    "genres euclidean": lambda catalogue: FeatureRetriever(
        genre_features(catalogue), "genres", measure="euclidean"
    ),
    "text mean": lambda catalogue: TextRetriever(LetterEncoder()),
    "text recency": lambda catalogue: TextRetriever(LetterEncoder(), user="recency"),
    "text text": lambda catalogue: TextRetriever(LetterEncoder(), user="text", recent=2),
    "text dot": lambda catalogue: TextRetriever(LetterEncoder(), measure="dot"),
    "user neighbours": lambda catalogue: UserKNN(2),
    "item neighbours": lambda catalogue: ItemKNN(3, weighting="bm25"),
    "ALS": lambda catalogue: ALS(factors=3, regularization=0.1),
    "EASE": lambda catalogue: EASE(1.0),
    "hybrid": lambda catalogue: Hybrid(UserKNN(), TextRetriever(LetterEncoder(), user="recency"), 0.3),
}


@pytest.fixture(params=MAKERS)
def unfitted(request, catalogue):
    return MAKERS[request.param](catalogue)


@pytest.fixture
def fitted(unfitted, train, catalogue):
    assert unfitted.fit(train, catalogue) is unfitted
    return unfitted


def test_clone_and_repr_know_every_parameter(unfitted, train, catalogue):
    unfitted.fit(train, catalogue)
    copy, given = clone(unfitted), unfitted.get_params(deep=False)
    for name, value in copy.get_params(deep=False).items():
        if isinstance(value, Retriever):
            assert value is not given[name]
        else:
            assert value is given[name]  # as it was given, and never copied: it may be an encoder
    assert repr(copy) == repr(unfitted)
    assert copy.name == unfitted.name
    with pytest.raises(NotFittedError):
        copy.retrieve(np.arange(2), 2)
    again = copy.fit(train, catalogue).retrieve(np.arange(4), 6)
    np.testing.assert_array_equal(again.ids, unfitted.retrieve(np.arange(4), 6).ids)


def test_repr_names_what_is_not_the_default_and_a_notebook_shows_nothing_else():
    hybrid = Hybrid(UserKNN(7), EASE(3.0), 0.2)
    assert repr(hybrid) == (
        "Hybrid(first=UserKNN(neighbours=7), second=EASE(regularization=3.0), weight=0.2)"
    )
    bundle, _ = DisplayFormatter().format(hybrid)
    assert list(bundle) == ["text/plain"]


@pytest.mark.parametrize(
    ("retriever", "parameter", "value"),
    [
        (ALS(3), "factors", 0),
        (BPR(3), "learning_rate", float("nan")),
        (EASE(1.0), "regularization", 0),
        (UserKNN(2), "neighbours", 0.5),
        (ItemKNN(2), "weighting", "pearson"),
        (Random(), "seed", -1),
        (KeywordRetriever(), "fields", "title"),
        (TextRetriever(LetterEncoder()), "recent", 0),
        (FeatureRetriever(np.ones((6, 2)), "f"), "measure", "manhattan"),
        (Hybrid(UserKNN(), EASE()), "weight", 2),
        (Hybrid(UserKNN(), EASE()), "first__neighbours", 0),
    ],
)
def test_a_parameter_that_was_set_wrong_is_refused_by_fit(retriever, parameter, value, train, catalogue):
    retriever.set_params(**{parameter: value})
    with pytest.raises(ValueError, match=parameter.removeprefix("first__")):
        retriever.fit(train, catalogue)


def test_a_name_follows_its_parameters():
    assert UserKNN().set_params(weighting="bm25").name == "user neighbours (bm25)"
    assert TextRetriever(LetterEncoder()).set_params(user="text").name == "text (text)"
    assert Hybrid(EASE(), ALS()).set_params(second=BPR()).name == "EASE + BPR"


def test_lists_leave_out_what_was_seen(fitted, train):
    histories = train.histories()
    lists = fitted.retrieve(histories, train.n_items)
    seen = train.matrix.toarray() > 0
    for row, ids in enumerate(lists.ids):
        listed = ids[ids >= 0]
        assert not seen[row, listed].any()
        assert len(listed) <= (~seen[row]).sum()
    assert isinstance(lists, Candidates)
    assert lists.ids.dtype == np.int64
    assert lists.scores.dtype == np.float32


def test_seen_items_come_back_on_request(fitted, train):
    histories = train.histories()
    new_only = fitted.retrieve(histories, train.n_items)
    everything = fitted.retrieve(histories, train.n_items, exclude_seen=False)
    assert (everything.ids >= 0).sum() > (new_only.ids >= 0).sum()


def test_score_and_retrieve_agree(fitted, train):
    histories = train.histories()
    lists = fitted.retrieve(histories, 3)
    np.testing.assert_array_equal(fitted.score(histories, lists.ids), lists.scores)


def test_score_ranks_any_list(fitted, train):
    histories = train.histories()
    every_item = np.tile(np.arange(train.n_items)[::-1], (train.n_users, 1))
    scores = fitted.score(histories, every_item)
    ranked = Candidates.from_item_scores(every_item, scores)
    whole = fitted.retrieve(histories, train.n_items, exclude_seen=False)
    np.testing.assert_array_equal(ranked.ids, whole.ids)
    assert scores.dtype == np.float32
    assert (fitted.score(histories, np.full((train.n_users, 2), -1)) == -np.inf).all()


def test_blocks_change_nothing(fitted, train, monkeypatch):
    histories = train.histories()
    at_once = fitted.retrieve(histories, 4)
    monkeypatch.setattr(base_module, "BLOCK_CELLS", 1)
    one_by_one = fitted.retrieve(histories, 4)
    np.testing.assert_array_equal(at_once.ids, one_by_one.ids)


def test_users_are_shorthand_for_their_training_rows(fitted, train):
    by_user = fitted.retrieve(np.array([2, 0]), 4)
    by_row = fitted.retrieve(train.histories()[[2, 0]], 4)
    np.testing.assert_array_equal(by_user.ids, by_row.ids)


def test_new_and_empty_histories_need_no_special_path(fitted):
    new = Histories.from_lists([[], [3, 1]], n_items=6)
    lists = fitted.retrieve(new, 4)
    assert not np.isin(lists.ids[1], [1, 3]).any()
    assert fitted.retrieve(new[:0], 2).ids.shape == (0, 2)


def test_scores_are_those_of_every_list(fitted, train):
    every_item = np.tile(np.arange(train.n_items), (train.n_users, 1))
    histories = train.histories()
    np.testing.assert_array_equal(fitted.scores(histories), fitted.score(histories, every_item))
    np.testing.assert_array_equal(fitted.scores(np.array([2])), fitted.scores(histories)[[2]])
    assert fitted.scores(histories[:0]).shape == (0, 6)


def test_listed_items_score_as_in_the_whole_catalogue(fitted, train):
    whole = fitted.scores(train.histories())
    for items in ([[1], [5], [0], [3]], [[4, 2, 0]] * 4, [[5, -1], [0, 1], [2, 2], [-1, 3]]):
        items = np.array(items)
        found = fitted.score(train.histories(), items)
        expected = np.where(items < 0, -np.inf, np.take_along_axis(whole, np.maximum(items, 0), axis=1))
        np.testing.assert_array_equal(found, expected.astype(np.float32))
    assert fitted.score(train.histories(), np.zeros((4, 0), dtype=int)).shape == (4, 0)


@pytest.mark.parametrize("exclude_seen", [True, False])
@pytest.mark.parametrize("pool", [[3], [0, 2, 5], [4, 1, 3, 2], [5, 0, 5]])
def test_a_pool_cuts_the_list_and_changes_no_order(fitted, train, pool, exclude_seen):
    whole = fitted.retrieve(train.histories(), 6, exclude_seen=exclude_seen)
    found = fitted.retrieve(train.histories(), 5, among=np.array(pool), exclude_seen=exclude_seen)
    assert found.ids.shape == (4, 5)
    for row, ids in enumerate(found.ids):
        inside = np.isin(whole.ids[row], pool)
        assert ids[ids >= 0].tolist() == whole.ids[row][inside][:5].tolist()
        np.testing.assert_array_equal(found.scores[row][ids >= 0], whole.scores[row][inside][:5])
    mask = np.isin(np.arange(6), pool)
    by_mask = fitted.retrieve(train.histories(), 5, mask, exclude_seen)
    np.testing.assert_array_equal(by_mask.ids, found.ids)
    everything = fitted.retrieve(train.histories(), 6, np.arange(6), exclude_seen)
    np.testing.assert_array_equal(everything.ids, whole.ids)


@pytest.mark.parametrize(
    "among",
    [[], [6], [-1, 2], [0.0, 1.0], [[0, 1]], np.zeros(6, bool), np.ones(5, bool), 3, False, True, "0"],
)
def test_a_pool_that_is_none_is_refused(train, among):
    with pytest.raises(ValueError, match="popularity: among must"):
        Popularity().fit(train).retrieve(train.histories(), 2, among)


class Counting(Constant):
    """Counts the cells that it scores; where it scores all, it fails."""

    def _score_block(self, histories):
        raise AssertionError("the whole catalogue was scored")

    def _score_items(self, histories, items):
        self.cells += len(histories) * len(items)
        return np.tile(-items.astype(np.float32), (len(histories), 1))


@pytest.fixture
def wide():
    """200 users, 5,000 items."""
    users, items = np.repeat(np.arange(200), 3), np.arange(600) * 8
    return Interactions(
        users, items, None, None, np.arange(200).astype(str), np.arange(5_000).astype(str), name="wide"
    )


@pytest.mark.parametrize(("m", "shared"), [(1, False), (30, False), (300, False), (40, True), (2_000, True)])
def test_only_what_is_listed_is_scored(wide, m, shared):
    generator = np.random.default_rng(0)
    lists = np.array([generator.permutation(5_000)[:m] for _ in range(200)])
    if shared:
        lists[:] = lists[0]
    counting = Counting().fit(wide)
    counting.cells = 0
    np.testing.assert_array_equal(counting.score(np.arange(200), lists), -lists)
    assert lists.size <= counting.cells <= (1 if shared else base_module.SHARED) * lists.size
    counting.cells = 0
    pool = np.arange(7, 5_000, 700)
    assert (counting.retrieve(np.arange(200), 3, among=pool).ids == pool[:3]).all()
    assert counting.cells == 200 * len(pool)


@pytest.mark.parametrize(
    "retriever",
    [
        Popularity(),
        Random(),
        FeatureRetriever(np.random.default_rng(0).normal(size=(5_000, 8)), "f"),
        FeatureRetriever(sp.eye_array(5_000, 5_000).tocsr(), "f", user="mean", measure="euclidean"),
        UserKNN(5),
        ItemKNN(5),
        ALS(4, 1.0),
        BPR(4),
    ],
)
def test_families_score_only_what_is_listed(retriever, wide, monkeypatch):
    lists = np.random.default_rng(1).integers(0, 5_000, (200, 20))
    retriever.fit(wide)
    whole = np.take_along_axis(retriever.scores(np.arange(200)), lists, axis=1)
    monkeypatch.setattr(type(retriever), "_score_block", Counting._score_block)
    np.testing.assert_allclose(retriever.score(np.arange(200), lists), whole, rtol=1e-6, atol=1e-7)


class Indexed(Constant):
    """Knows the best without a score for the others."""

    def _score_block(self, histories):
        raise AssertionError("the whole catalogue was scored")

    def _best(self, histories, k, pool, exclude_seen):
        assert exclude_seen
        best = np.arange(6)[::-1] if pool is None else pool[::-1]
        return np.tile(best[:k], (len(histories), 1)), np.tile(np.arange(k, 0.0, -1), (len(histories), 1))


def test_an_index_may_find_the_best(train):
    indexed = Indexed().fit(train)
    assert indexed.retrieve(np.arange(2), 2).ids.tolist() == [[5, 4]] * 2
    found = indexed.retrieve(np.arange(2), 3, among=[4, 0])
    assert found.ids.tolist() == [[4, 0, -1]] * 2
    assert found.scores[0].tolist() == [2, 1, -np.inf]


def test_a_matrix_has_no_order_whatever_its_values(fitted, train):
    """Values once meant recency; a retriever that needs the order must not take any for it."""
    weighted = train.matrix * 0.5
    if "recency" in repr(fitted) or "user='text'" in repr(fitted):
        for matrix in (train.matrix, weighted, recency_histories(train)):
            with pytest.raises(ValueError, match=r"interactions\.histories\(\)"):
                fitted.retrieve(matrix, 2)
        single = sp.csr_array(np.eye(6, dtype=np.float32)[:1])  # of one item, nothing is to be known
        by_list = fitted.retrieve(Histories.from_lists([[0]], n_items=6), 4)
        np.testing.assert_array_equal(fitted.retrieve(single, 4).ids, by_list.ids)
    else:
        by_history = fitted.scores(train.histories())
        np.testing.assert_array_equal(fitted.scores(train.matrix), by_history)
        np.testing.assert_array_equal(fitted.scores(weighted), by_history)


def test_a_history_counts_and_not_whose_it_is(fitted, train):
    """The users of other interactions are not taken for those of training."""
    other = train.select(train.timestamps > 2)
    for histories in (other.histories()[[1, 0]], train.histories()[[1, 0, 3]]):
        unnamed = dataclasses.replace(histories, users=None)
        np.testing.assert_array_equal(fitted.scores(histories), fitted.scores(unnamed))


def test_the_same_seed_gives_the_same_lists(unfitted, train, catalogue):
    first = unfitted.fit(train, catalogue).retrieve(train.histories(), 4)
    second = unfitted.fit(train, catalogue).retrieve(train.histories(), 4)
    np.testing.assert_array_equal(first.ids, second.ids)


def test_unfitted_is_refused(unfitted, train):
    for ask in (
        lambda: unfitted.retrieve(train.matrix, 2),
        lambda: unfitted.score(train.matrix, np.zeros((4, 1), dtype=np.int64)),
    ):
        with pytest.raises(NotFittedError, match="call fit"):
            ask()


@pytest.mark.parametrize("k", [0, 7, -1, 1.5])
def test_k_outside_the_catalogue_is_refused(fitted, train, k):
    with pytest.raises(ValueError, match="from 1 to the 6 items"):
        fitted.retrieve(train.histories(), k)


def test_transposed_histories_are_refused(fitted, train):
    with pytest.raises(ValueError, match="transposed"):
        fitted.retrieve(train.matrix.T, 2)


@pytest.mark.parametrize(
    ("histories", "message"),
    [
        (np.ones((4, 6)), "sparse matrix"),
        (Histories.from_lists([[0, 1]], n_items=7), "of 7 items"),
        (np.array([4]), "0…3"),
        (np.array([-1]), "0…3"),
        (np.array([0.0]), "integer array"),
        (sp.csr_array(np.array([[np.nan, 0, 0, 0, 0, 0]])), "NaN"),
        (sp.csr_array(np.array([[-1.0, 0, 0, 0, 0, 0]])), "negative"),
        (sp.csr_array(([1.0, 1.0], [2, 2], [0, 2]), shape=(1, 6)), "sum_duplicates"),
    ],
)
def test_histories_that_are_none_are_refused(train, histories, message):
    with pytest.raises(ValueError, match=message):
        Popularity().fit(train).retrieve(histories, 2)


@pytest.mark.parametrize(
    "items", [np.zeros(4, dtype=int), np.zeros((3, 2), dtype=int), np.full((4, 2), 6), np.zeros((4, 2))]
)
def test_items_that_cannot_be_scored_are_refused(train, items):
    with pytest.raises(ValueError, match="items must"):
        Popularity().fit(train).score(train.matrix, items)


def test_a_catalogue_of_another_data_set_is_refused(train, catalogue):
    longer = Interactions(
        train.users, train.items, None, None, train.user_ids, np.arange(7).astype(str), name="other"
    )
    with pytest.raises(ValueError, match="6 rows and the interactions have 7 items"):
        Popularity().fit(longer, catalogue)


@pytest.mark.parametrize("make", [KeywordRetriever, lambda: TextRetriever(LetterEncoder())])
def test_text_needs_a_catalogue(make, train):
    with pytest.raises(ValueError, match=r"fit\(train, catalogue\)"):
        make().fit(train)


def test_scores_that_cannot_be_ranked_are_refused(train):
    with pytest.raises(ValueError, match="broken: a score is NaN"):
        Broken().fit(train).retrieve(train.matrix, 2)
    with pytest.raises(ValueError, match=r"transposed: its scores have shape \(6, 4\)"):
        Transposed().fit(train).retrieve(train.matrix, 2)


def test_bpr_knows_its_users_only(train):
    bpr = BPR(factors=3, iterations=20).fit(train)
    with pytest.raises(CannotFoldIn, match="ids of training users"):
        bpr.retrieve(train.matrix, 2)
    with pytest.raises(CannotFoldIn, match="ids of training users"):
        Hybrid(UserKNN(), BPR(factors=3)).fit(train).retrieve(train.matrix, 2)
    lists = bpr.retrieve(np.arange(4), 6)
    again = BPR(factors=3, iterations=20).fit(train).retrieve(np.arange(4), 6)
    np.testing.assert_array_equal(lists.scores, again.scores)
    assert (lists.ids >= 0).sum() == (train.matrix.toarray()[:, train.item_counts > 0] == 0).sum()


def test_a_model_that_cannot_fold_in_says_so(train):
    closed = KnowsItsUsersOnly().fit(train)
    with pytest.raises(CannotFoldIn, match="ids of training users"):
        closed.retrieve(train.matrix, 2)
    assert closed.retrieve(np.array([3, 1]), 1, exclude_seen=False).ids.tolist() == [[3], [1]]
    assert closed.retrieve(train.histories()[[3, 1]], 1, exclude_seen=False).ids.tolist() == [[3], [1]]
    with pytest.raises(CannotFoldIn, match="ids of training users"):
        closed.retrieve(Histories.from_lists([[0]], n_items=6), 2)
    with pytest.raises(ValueError, match="0…3"):
        closed.retrieve(dataclasses.replace(train.histories(), users=np.arange(1, 5)), 2)


def test_a_constant_scorer_does_not_win_by_position(train):
    """The positive stands first among 20 items, as in many published evaluations; all scores are equal."""
    generator = np.random.default_rng(0)
    n_users, n_items = 500, 400
    wide = Interactions(
        np.arange(n_users),
        generator.integers(n_items, size=n_users),
        None,
        None,
        np.arange(n_users).astype(str),
        np.arange(n_items).astype(str),
        name="wide",
    )
    lists = np.array([generator.permutation(n_items)[:20] for _ in range(n_users)])
    scores = Constant().fit(wide).score(wide.matrix, lists)
    first_place = Candidates.from_item_scores(lists, scores).ids[:, 0]
    hits = (first_place == lists[:, 0]).mean()
    assert hits < 0.1  # 1 in 20 by chance; 1 if position decided
    by_id = np.sort(lists, axis=1)
    np.testing.assert_array_equal(Candidates.from_item_scores(lists, scores).ids, by_id)
