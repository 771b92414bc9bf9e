"""Attacks and defences against what can be computed another way."""

import numpy as np
import pytest
import scipy.sparse as sp

from course_lib.data import AssetMissing, Interactions
from course_lib.encode import TextEncoder
from course_lib.retrieve import EASE, UserKNN
from course_lib.robustness import (
    InjectedEASE,
    InjectedUserKNN,
    UserWeightedEASE,
    add_words_by_gradient,
    fake_profiles,
    hit_rate,
    optimised_profiles,
    profile_features,
    swap_letters,
    whole_words,
    with_false_edges,
    with_profiles,
    with_wrong_items,
    without_entries,
    without_events,
)

N_USERS, N_ITEMS = 80, 60


def made(seed=0):
    generator = np.random.default_rng(seed)
    taste = generator.normal(size=(N_USERS, 4)) @ generator.normal(size=(4, N_ITEMS))
    taste += generator.normal(size=N_ITEMS) + generator.normal(size=taste.shape)
    users, items = np.nonzero(taste > 1.5)
    ids = np.arange(N_USERS).astype(str), np.arange(N_ITEMS).astype(str)
    return Interactions(users, items, None, np.arange(len(users)), *ids, "made up")


@pytest.fixture(scope="module")
def train():
    return made()


def some_fakes(train, n=4):
    return fake_profiles("average", 7, n, 12, train.item_counts, np.random.default_rng(1))


@pytest.mark.parametrize(
    ("injected", "fitted"),
    [
        (lambda train: InjectedEASE(train, 20.0), lambda: EASE(20.0)),
        (lambda train: InjectedUserKNN(train, 10), lambda: UserKNN(10)),
    ],
    ids=["EASE", "user neighbours"],
)
@pytest.mark.parametrize("kind", ["random", "average", "bandwagon"])
def test_scores_after_an_injection_are_those_of_a_new_fit(train, injected, fitted, kind):
    fakes = fake_profiles(kind, 7, 5, 12, train.item_counts, np.random.default_rng(1))
    expected = fitted().fit(with_profiles(train, fakes)).retrieve(train.matrix, N_ITEMS)
    scores = injected(train).scores(fakes)
    equal = []
    for user in range(N_USERS):
        ids = expected.ids[user][expected.ids[user] >= 0]
        equal.append(
            np.allclose(scores[user, ids], expected.scores[user, : len(ids)], rtol=1e-3, atol=1e-5)
            and (scores[user] > -np.inf).sum() == len(ids)
        )
    # Two users that are equally near may change places in the last digit: a rare user may differ.
    assert np.mean(equal) > 0.97 if isinstance(injected(train), InjectedUserKNN) else all(equal)


@pytest.mark.parametrize(
    "model", [lambda t: InjectedEASE(t, 20.0), lambda t: InjectedUserKNN(t, 10)], ids=["EASE", "users"]
)
def test_the_attackers_goal_is_what_the_attack_reaches(train, model):
    model = model(train)
    target, rest, pool = 7, np.array([1, 2, 3, 7]), np.arange(10, 24)
    users = np.flatnonzero(~model.seen[:, target])
    clean = model.scores(np.zeros((0, N_ITEMS)))[users]
    bars = -np.partition(-clean, 4, axis=1)[:, 4].astype(float)
    promised = model.passing(target, pool, 3, users, bars)(rest)
    assert promised.shape == pool.shape
    reached = []
    for item in pool:
        fakes = np.zeros((3, N_ITEMS))
        fakes[:, np.append(rest, item)] = 1
        margin = (model.scores(fakes)[users, target] - bars) / model.width
        reached.append((1 / (1 + np.exp(-np.clip(margin, -30, 30)))).mean())
    if isinstance(model, InjectedEASE):
        np.testing.assert_allclose(promised, reached, rtol=1e-4)
    else:  # soft at the edge, and blind to whom a fake displaces
        assert np.corrcoef(promised, reached)[0, 1] > 0.9


def test_hit_rate_counts_by_place_with_ties_to_the_lower_item():
    seen = np.zeros((3, 4), bool)
    seen[2, 1] = True
    scores = np.array([[0.5, 0.5, 0.1, 0.2], [0.1, 0.9, 0.3, 0.2], [9, -np.inf, 9, 9]])
    assert hit_rate(scores, seen, 1, k=1) == 0.5  # user 0: item 0 has the same score and comes first
    assert hit_rate(scores, seen, 1, k=2) == 1.0
    scores[0, 1] = -np.inf
    assert hit_rate(scores, seen, 1, k=4) == 0.5


def test_profiles_hold_the_target_and_have_the_length_that_was_asked_for(train):
    for kind in ("random", "average", "bandwagon"):
        fakes = fake_profiles(kind, 7, 6, 12, train.item_counts, np.random.default_rng(0))
        assert (fakes[:, 7] == 1).all()
        assert (fakes.sum(axis=1) == 12).all()
        assert set(np.unique(fakes)) == {0, 1}
    hot = np.argsort(-train.item_counts, kind="stable")[:6]
    assert (fakes[:, hot] == 1).all()
    with pytest.raises(ValueError, match="not 'loud'"):
        fake_profiles("loud", 7, 6, 12, train.item_counts, np.random.default_rng(0))
    with pytest.raises(ValueError, match="from 2 to 60, got 1"):
        fake_profiles("random", 7, 6, 1, train.item_counts, np.random.default_rng(0))


def test_optimised_profiles_beat_random_ones(train):
    model = InjectedUserKNN(train, 10)
    target = int(np.argsort(train.item_counts)[5])
    rng = np.random.default_rng(0)
    best = optimised_profiles(model, target, 4, 10, rng, pool_size=40, k=5)
    blind = fake_profiles("random", target, 4, 10, train.item_counts, rng)
    assert (best.sum(axis=1) == 10).all()
    assert (best[:, target] == 1).all()
    assert len(np.unique(best, axis=0)) == 4
    after = [hit_rate(model.scores(fakes), model.seen, target, 5) for fakes in (best, blind)]
    assert after[0] > after[1]


def test_a_larger_dose_contains_a_smaller_one(train):
    kept = [set(without_events(train, dose).pair_keys) for dose in (0.2, 0.5)]
    assert kept[1] < kept[0] < set(train.pair_keys)
    assert len(kept[1]) == len(train) - round(0.5 * len(train))
    wrong = [set(with_wrong_items(train, dose).pair_keys) - set(train.pair_keys) for dose in (0.2, 0.5)]
    assert wrong[0] <= wrong[1]
    assert len(wrong[0]) > 0
    assert set(with_wrong_items(train, 0.0).pair_keys) == set(train.pair_keys)
    with pytest.raises(ValueError, match="at least 0 and at most 1"):
        without_events(train, 1.5)


def test_false_edges_keep_the_degrees_of_items():
    generator = np.random.default_rng(0)
    features = sp.csr_array((generator.random((50, 200)) < 0.02).astype(np.float32))
    false = with_false_edges(features, 1.0)
    assert np.abs(np.diff(false.indptr) - np.diff(features.indptr)).mean() < 0.5
    assert (false.multiply(features)).sum() < 0.2 * features.sum()
    assert (with_false_edges(features, 0.0) != features).nnz == 0
    assert without_entries(features, 0.5).nnz == features.nnz - round(0.5 * features.nnz)


def test_profile_features_by_hand():
    rows = np.array([[1, 1, 0, 0], [1, 1, 0, 0], [1, 0, 1, 0], [0, 0, 1, 1]])
    found = profile_features(sp.csr_array(rows.astype(np.float32)), neighbours=1, directions=2)
    assert found.shape == (4, 6)
    np.testing.assert_allclose(found[:, 2], [1, 1, 0.5, 0.5])  # the nearest profile
    # Users 0 and 1 choose one another; 2 is as near to 0 as to 3 and takes the first; 3 takes 2.
    np.testing.assert_allclose(np.expm1(found[:, 0]), [2, 1, 1, 0])
    np.testing.assert_allclose(found[0, 4], (np.log(3) + np.log(2)) / 2)
    assert (found[:, 5] > -1e-9).all()
    assert (found[:, 5] < 1).all()


def test_equal_weights_are_ease_and_a_weight_of_two_is_a_user_twice(train):
    plain = EASE(20.0).fit(train).weights
    np.testing.assert_allclose(UserWeightedEASE(20.0, np.ones(N_USERS)).fit(train).weights, plain, atol=1e-5)
    twice = np.ones(N_USERS)
    twice[:10] = 2
    doubled = with_profiles(train, train.matrix[:10].toarray())
    np.testing.assert_allclose(
        UserWeightedEASE(20.0, twice).fit(train).weights, EASE(20.0).fit(doubled).weights, atol=1e-4
    )
    with pytest.raises(ValueError, match="above 0"):
        UserWeightedEASE(20.0, np.zeros(N_USERS))
    with pytest.raises(ValueError, match="3 weights"):
        UserWeightedEASE(20.0, np.ones(3)).fit(train)


def test_swapped_letters_stay_in_their_word():
    rng = np.random.default_rng(0)
    text = "The Godfather (1972). Genres: Action"
    swapped = swap_letters(text, 2, rng)
    assert sorted(swapped) == sorted(text)
    assert swapped != text
    assert swap_letters(text, 3, rng, stop=13)[13:] == text[13:]
    assert swap_letters("12 (34)", 3, rng) == "12 (34)"


def test_words_chosen_by_gradient_win_more_users_than_random_words():
    try:
        encoder = TextEncoder("minilm")
    except AssetMissing as missing:
        pytest.skip(str(missing))
    crowd = encoder.encode([f"A moving war film, part {n}" for n in range(8)], cache=False)
    bars = np.full(8, 0.6, dtype=np.float32)
    words, text = whole_words(encoder), "Toy Story (1995). Genres: Animation"
    chosen = add_words_by_gradient(encoder, text, crowd, bars, 2, words=words, candidates=8)
    drawn = np.random.default_rng(0).choice(words, 2)
    random_words = encoder.tokenizer.convert_ids_to_tokens(drawn.tolist())
    vectors = encoder.encode([f"{text} {' '.join(w)}" for w in (chosen, random_words)], cache=False)
    near = (vectors @ crowd.T).mean(axis=1)
    assert len(chosen) == 2
    assert near[0] > near[1] + 0.1
    with pytest.raises(ValueError, match="mean pooling"):
        add_words_by_gradient(TextEncoder("minilm", pooling="cls"), text, crowd, bars, words=words)
