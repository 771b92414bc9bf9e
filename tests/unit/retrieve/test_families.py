"""What each family computes, on cases that can be checked by eye."""

import dataclasses
import os
import subprocess
import sys
from functools import partial

import bm25s
import numpy as np
import pytest
import scipy.sparse as sp

from course_lib.data import AssetMissing, Histories, Interactions, Split, load_movielens_100k
from course_lib.evaluate import evaluate
from course_lib.retrieve import (
    FeatureRetriever,
    KeywordRetriever,
    Popularity,
    Random,
    TextRetriever,
    genre_features,
    recency_histories,
)
from course_lib.tune import tune


def history(*weights):
    return sp.csr_array(np.array([weights], dtype=np.float32))


def test_popularity_counts_training_users_and_breaks_ties_by_id(train):
    # Counts are 3, 0, 2, 1, 1, 1; user 2 has item 5.
    lists = Popularity().fit(train).retrieve(np.array([2]), 5)
    assert lists.ids.tolist() == [[0, 2, 3, 4, 1]]
    assert lists.scores.tolist() == [[3, 2, 1, 1, 0]]


def test_random_finds_what_chance_finds():
    """10 of 40 items are seen, so each unseen one is among the first 6 with probability 6 / 30."""
    generator = np.random.default_rng(1)
    n_users, n_items = 600, 40
    taken = np.array([generator.permutation(n_items)[:15] for _ in range(n_users)])
    rows = np.repeat(np.arange(n_users), 10)
    seen = Interactions(
        rows,
        taken[:, :10].ravel(),
        None,
        None,
        np.arange(n_users).astype(str),
        np.arange(n_items).astype(str),
        name="chance",
    )
    relevant = np.zeros((n_users, n_items))
    np.put_along_axis(relevant, taken[:, 10:], 1, axis=1)
    lists = Random(seed=0).fit(seen).retrieve(seen.matrix, 6)
    low, high = evaluate(lists, sp.csr_array(relevant), ["recall@6"]).interval("recall@6", level=0.99)
    assert low < 6 / 30 < high
    other = Random(seed=1).fit(seen).retrieve(seen.matrix, 6)
    assert (other.ids != lists.ids).mean() > 0.9


def test_random_asks_only_for_the_history(train):
    random = Random().fit(train)
    whole = random.retrieve(train.matrix, 3)
    np.testing.assert_array_equal(random.retrieve(train.matrix[[3, 1]], 3).ids, whole.ids[[3, 1]])


def test_recency_weights_halve_with_every_half_life(train):
    weights = recency_histories(train, half_life=1).toarray()
    np.testing.assert_allclose(weights[0], [0.125, 0, 0.5, 0.25, 0, 0])  # times 10, 30, 20
    np.testing.assert_allclose(weights[1], [0.5, 0, 0, 0, 0.5, 0])  # the same second
    np.testing.assert_array_equal(weights > 0, train.matrix.toarray() > 0)
    with pytest.raises(ValueError, match="half_life"):
        recency_histories(train, half_life=0)


def test_recency_needs_times(train):
    timeless = Interactions(
        train.users, train.items, None, None, train.user_ids, train.item_ids, name="timeless"
    )
    with pytest.raises(ValueError, match="timeless has no timestamps"):
        recency_histories(timeless)


def test_centre_subtracts_the_mean_of_all_items(train, catalogue):
    features = genre_features(catalogue) + 3
    by_hand = FeatureRetriever(features - features.mean(axis=0), "centred").fit(train)
    centred = FeatureRetriever(features, "centred", centre=True).fit(train)
    np.testing.assert_allclose(centred.scores(np.arange(4)), by_hand.scores(np.arange(4)), atol=1e-6)
    with pytest.raises(ValueError, match=r"sparse: centre needs dense vectors.*toarray\(\)"):
        FeatureRetriever(sp.csr_array(features), "sparse", centre=True).fit(train)
    for wrong in (None, 1, "yes", float("nan")):
        with pytest.raises(ValueError, match="centre must be True or False"):
            FeatureRetriever(features, "f", centre=wrong)


def test_texts_of_users_and_queries_are_centred_like_items(train, catalogue):
    text = TextRetriever(Recorder(), ("title",), user="text", measure="dot", recent=1, centre=True)
    text.fit(train, catalogue)
    lengths = np.array([len(title) for title in catalogue.rows["title"]])
    around = lengths - lengths.mean()
    np.testing.assert_allclose(text.scores(np.array([2]))[0], around[5] * around, rtol=1e-5)
    query = len("Toy Box") - lengths.mean()
    found = text.search(["Toy Box"], 6)
    np.testing.assert_allclose(found.scores[0], np.sort(query * around)[::-1], rtol=1e-5)


def test_tune_reaches_half_life_and_centre(train, catalogue):
    everything = Split(train, train.select(train.items < 0), train.select(train.items < 0), "none", "none")
    split = dataclasses.replace(
        everything, train=train.select(train.items != 2), validation=train.select(train.items == 2)
    )
    features = genre_features(catalogue)
    grid = {"half_life": [0.5, 50], "centre": [True, False]}
    tuned = tune(partial(FeatureRetriever, features, "genres", "recency"), grid, split, "ndcg@3")
    assert len(tuned.trials) == 4
    assert {name: tuned.retriever.get_params()[name] for name in grid} == tuned.best


def test_genres_find_the_nearest_film(train, catalogue):
    features = genre_features(catalogue)
    assert features.shape == (6, 5)  # Animation, Comedy, Drama, Horror, War
    assert features[3].tolist() == [0, 1, 0, 1, 0]
    genres = FeatureRetriever(features, "genres").fit(train, catalogue)
    lists = genres.retrieve(history(1, 0, 0, 0, 0, 0), 2)
    assert lists.ids.tolist() == [[1, 3]]
    # Animation and Comedy against the same, then against Horror and Comedy: 1 and 1/2.
    np.testing.assert_allclose(lists.scores, [[1, 0.5]], rtol=1e-6)


def test_dense_and_sparse_features_are_the_same(train, catalogue):
    features = genre_features(catalogue)
    for measure in ("cosine", "dot", "euclidean"):
        dense = FeatureRetriever(features, "dense", measure=measure).fit(train)
        sparse = FeatureRetriever(sp.csr_array(features), "sparse", measure=measure).fit(train)
        every_item = np.tile(np.arange(6), (4, 1))
        np.testing.assert_allclose(
            dense.score(train.matrix, every_item), sparse.score(train.matrix, every_item), atol=1e-6
        )


def test_mean_ignores_order_and_recency_uses_it(train, catalogue):
    features = genre_features(catalogue)
    horror_last, horror_first = Histories.from_lists([[0, 2]], 6), Histories.from_lists([[2, 0]], 6)
    mean = FeatureRetriever(features, "genres").fit(train)
    np.testing.assert_array_equal(mean.scores(horror_last), mean.scores(horror_first))
    recency = FeatureRetriever(features, "genres", user="recency", half_life=1).fit(train)
    assert recency.retrieve(horror_last, 1).ids.tolist() == [[3]]
    assert recency.retrieve(horror_first, 1).ids.tolist() == [[1]]


@pytest.mark.parametrize("half_life", [0.5, 3, 40])
def test_half_life_is_a_parameter(train, catalogue, half_life):
    features = genre_features(catalogue)
    dot = FeatureRetriever(features, "genres", user="recency", measure="dot", half_life=half_life).fit(train)
    weights = recency_histories(train, half_life).toarray()
    expected = weights / weights.sum(axis=1, keepdims=True) @ features @ features.T
    np.testing.assert_allclose(dot.scores(np.arange(4)), expected, rtol=1e-5)


def test_empty_history_gets_no_content_candidates(train, catalogue):
    nothing = history(0, 0, 0, 0, 0, 0)
    for retriever in (FeatureRetriever(genre_features(catalogue), "genres"), KeywordRetriever()):
        assert (retriever.fit(train, catalogue).retrieve(nothing, 3).ids == -1).all()


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (np.ones((5, 6)), "transposed"),
        (np.ones((5, 2)), "one vector for each of 6 items"),
        (np.full((6, 2), np.nan), "NaN"),
    ],
)
def test_features_that_do_not_fit_are_refused(train, features, message):
    with pytest.raises(ValueError, match=message):
        FeatureRetriever(features, "features").fit(train)


def test_unknown_choices_are_refused():
    with pytest.raises(ValueError, match="mean, recency"):
        FeatureRetriever(np.ones((6, 2)), "features", user="text")
    with pytest.raises(ValueError, match="cosine, dot, euclidean"):
        FeatureRetriever(np.ones((6, 2)), "features", measure="manhattan")


class Recorder:
    """An encoder that keeps the texts it is given."""

    def __init__(self):
        self.texts = []

    def encode(self, texts):
        self.texts = texts
        return np.array([[len(text), 1.0] for text in texts], dtype=np.float32)


def test_history_as_one_text_has_the_latest_first(train, catalogue):
    encoder = Recorder()
    retriever = TextRetriever(encoder, fields=("title",), user="text", recent=2).fit(train, catalogue)
    retriever.retrieve(Histories.from_lists([[0, 3, 2], [], [5]], 6), 1)
    assert encoder.texts == ["Night Train; Night Bus", "Quiet River"]
    retriever.retrieve(np.array([0, 1]), 1)  # of one second, the lower item first
    assert encoder.texts == ["Night Train; Night Bus", "Toy Box; Long March"]


def test_search_ranks_the_catalogue_for_a_text(train, catalogue):
    text = TextRetriever(Recorder(), fields=("title",), measure="euclidean").fit(train, catalogue)
    assert text.search(["1234567"], 1).ids.tolist() == [[0]]  # "Toy Box" has seven letters
    keywords = KeywordRetriever(("title",)).fit(train, catalogue)
    found = keywords.search(["the night", "toy box returns", "unknown word"], 3)
    assert found.ids.tolist() == [[2, 3, -1], [1, 0, -1], [-1, -1, -1]]


def test_keyword_scores_are_those_of_the_library(train, catalogue):
    keywords = KeywordRetriever().fit(train, catalogue)
    words = bm25s.tokenize(catalogue.describe("title", "genres"), return_ids=False, show_progress=False)
    index = bm25s.BM25()
    index.index(words, show_progress=False)
    every_item = np.tile(np.arange(6), (4, 1))
    mine = keywords.score(train.matrix, every_item)
    for user in range(4):
        query = [word for item in train.items[train.users == user] for word in words[item]]
        expected = index.get_scores(query)
        np.testing.assert_allclose(np.where(mine[user] > 0, mine[user], 0), expected, rtol=1e-5)


@pytest.fixture(scope="module")
def movielens():
    try:
        interactions, _ = load_movielens_100k()
    except AssetMissing as missing:
        pytest.skip(str(missing))
    return Split.per_user_chronological(interactions)


def test_popularity_on_movielens(movielens):
    """Recall@10 against a loop over users; the figure moves with how ties in time are broken."""
    train, test = movielens.train_and_validation, movielens.test
    lists = Popularity().fit(train).retrieve(train.matrix, 10)
    reported = evaluate(lists, test.matrix, ["recall@10"]).mean("recall@10")
    counts = train.item_counts
    by_popularity = sorted(range(train.n_items), key=lambda item: (-counts[item], item))
    recalls = []
    for user in range(train.n_users):
        seen = set(train.items[train.users == user])
        found = [item for item in by_popularity if item not in seen][:10]
        wanted = set(test.items[test.users == user])
        recalls.append(len(wanted & set(found)) / len(wanted))
    assert reported == pytest.approx(np.mean(recalls), abs=1e-12)
    assert 0.060 < reported < 0.075
    liked = test.select(test.ratings >= 4)
    assert 0.07 < evaluate(lists, liked.matrix, ["recall@10"]).mean("recall@10") < 0.09


def test_random_on_movielens(movielens):
    train = movielens.train_and_validation
    report = evaluate(Random().fit(train).retrieve(train.matrix, 10), movielens.test.matrix, ["recall@10"])
    low, high = report.interval("recall@10", level=0.99)
    assert low < (10 / (train.n_items - train.user_counts)).mean() < high


KEYWORD_SCORES = """
import numpy as np, pandas as pd
from course_lib.data import Catalogue, Interactions
from course_lib.retrieve import KeywordRetriever
rng = np.random.default_rng(0)
words = ["".join(letters) for letters in rng.choice(list("bcdfgklm"), size=(200, 5))]
titles = [" ".join(rng.choice(words, 30)) for _ in range(40)]
frame = pd.DataFrame({"item_id": [str(place) for place in range(40)], "title": titles})
films = Catalogue.from_frame(frame, name="films", source="films.csv")
everything = Interactions(np.zeros(40, np.int64), np.arange(40), None, None, ["u"], frame["item_id"], "toy")
scores = KeywordRetriever(("title",)).fit(everything, films).score(np.array([0]), np.arange(40)[None])
print(scores.tobytes().hex())
"""


def test_keyword_scores_are_the_same_in_every_process():
    """bm25s numbers words by a set, whose order differs with Python's hash seed."""
    found = {
        subprocess.run(
            [sys.executable, "-c", KEYWORD_SCORES],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1
