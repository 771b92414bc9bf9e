"""Private and federated retrievers, membership inference, k-anonymous histories."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

from course_lib.privacy import (
    FederatedFactors,
    LocalPopularity,
    PrivateAutoencoder,
    PrivatePopularity,
    PrivateSVD,
    accountant_epsilon,
    groups_of_at_least,
    judge_attack,
    likelihood_ratios,
    noise_multiplier,
    publish_groups,
    watched_in,
)
from course_lib.retrieve import ALS, BPR, CannotFoldIn, FactorRetriever, Popularity


@pytest.mark.parametrize(
    "make",
    [
        lambda: PrivatePopularity(2.0, 5),
        lambda: LocalPopularity(2.0, 3),
        lambda: PrivateSVD(2.0, films=20, factors=2),
        lambda: PrivateAutoencoder(2.0, films=20, factors=2, steps=3),
        lambda: FederatedFactors(4, 1.0, rounds=2),
    ],
)
def test_they_obey_the_protocol_and_repeat(make, tastes):
    one = make().fit(tastes)
    two = clone(one).fit(tastes)
    assert repr(one) == repr(two)
    lists = one.retrieve(np.arange(5), 10)
    np.testing.assert_array_equal(lists.ids, two.retrieve(tastes.matrix[:5], 10).ids)
    listed = np.random.default_rng(0).integers(0, 40, (5, 2))
    whole = one.scores(tastes.matrix[:5])
    np.testing.assert_array_equal(one.score(np.arange(5), listed), np.take_along_axis(whole, listed, axis=1))
    seen = tastes.matrix[:5].toarray()
    for row, own in zip(lists.ids, seen, strict=True):
        assert not own[row[row >= 0]].any()


@pytest.mark.parametrize(
    "model",
    [
        ALS(4, 1.0),
        BPR(4),
        FederatedFactors(4, 1.0, rounds=2),
        PrivateSVD(2.0),
        PrivateAutoencoder(2.0, steps=2),
    ],
)
def test_a_score_of_factors_is_a_dot_product(model, tastes):
    assert isinstance(model, FactorRetriever)
    users, offered = np.arange(tastes.n_users), np.tile(np.arange(tastes.n_items), (tastes.n_users, 1))
    found = model.fit(tastes).score(users, offered)
    if isinstance(model, PrivateAutoencoder):
        found = found - model.log_popularity  # of items, beside the vectors
    if model.user_factors is not None:
        np.testing.assert_allclose(found, model.user_factors @ model.item_factors.T, atol=1e-5)
    else:  # of as many dimensions as a vector has
        assert np.linalg.matrix_rank(found.astype(float), tol=1e-3) == model.factors


def test_what_nobody_took_does_not_show_in_a_private_model(tastes):
    nobody = np.flatnonzero(tastes.items != 3)
    without = tastes.select(np.isin(np.arange(len(tastes)), nobody))
    for kind in (PrivateSVD, PrivateAutoencoder):
        model = kind(2.0, films=40, factors=2).fit(without)
        assert (model.retrieve(np.arange(5), 40, exclude_seen=False).ids == 3).any(axis=1).all()
        empty = sp.csr_array((1, 40), dtype=np.float32)
        assert (model.retrieve(empty, 40).ids >= 0).all()
        with pytest.raises(CannotFoldIn):
            model.score_new_items(empty, sp.csr_array((1, 120), dtype=np.float32))


def test_without_noise_popularity_is_popularity(tastes):
    users = np.arange(tastes.n_users)
    np.testing.assert_array_equal(
        PrivatePopularity(np.inf).fit(tastes).retrieve(users, 5).ids,
        Popularity().fit(tastes).retrieve(users, 5).ids,
    )


def test_laplace_counts_miss_by_the_noise_that_was_promised(tastes):
    errors = []
    for seed in range(60):
        model = PrivatePopularity(2.0, per_user=40, seed=seed).fit(tastes)  # 40: nobody is cut
        errors.append(model.noisy_counts - tastes.item_counts)
    assert np.mean(errors) == pytest.approx(0, abs=3)
    assert np.std(errors) == pytest.approx(np.sqrt(2) * 40 / 2.0, rel=0.1)


@pytest.mark.parametrize("kind", [PrivateSVD, PrivateAutoencoder])
@pytest.mark.parametrize("epsilon", [0.5, 5.0])
def test_what_is_spent_is_counts_plus_accountant_and_within_the_budget(kind, epsilon, tastes):
    model = kind(epsilon, films=20, factors=2).fit(tastes)
    releases = getattr(model, "steps", 1)
    multiplier = noise_multiplier(0.8 * epsilon, 1e-5, releases)
    booked = accountant_epsilon(multiplier, 1e-5, releases)
    assert model.spent == pytest.approx(0.2 * epsilon + booked)
    assert model.spent <= epsilon


def test_one_user_moves_the_gram_matrix_by_a_frobenius_norm_of_one_at_most():
    row = np.random.default_rng(0).random((1, 30)) < 0.3
    x = row / np.linalg.norm(row)
    assert np.linalg.norm(np.triu(x.T @ x)) <= 1


@pytest.mark.parametrize("kind", [PrivateSVD, PrivateAutoencoder])
def test_without_noise_they_learn_the_two_tastes_and_with_much_noise_they_do_not(kind, tastes):
    def own_side(epsilon):
        model = kind(epsilon, films=40, factors=2).fit(tastes)
        lists = model.retrieve(np.arange(120), 5).ids
        return ((lists < 20) == (np.arange(120) < 60)[:, None]).mean()

    assert own_side(np.inf) > 0.9
    assert own_side(0.05) < 0.75


@pytest.mark.parametrize(("local_steps", "allowed"), [(1, 1.01), (3, 1.08)])
def test_federated_training_reaches_the_loss_of_central_training(local_steps, allowed, tastes):
    X = tastes.matrix.toarray()

    def loss(items):
        left = items.T @ items + np.eye(4)
        users = np.linalg.solve(left, items.T @ X.T).T
        return ((X - users @ items.T) ** 2).sum() + (users**2).sum() + (items**2).sum()

    central = loss(ALS(4, 1.0, iterations=50).fit(tastes).item_factors)
    model = FederatedFactors(
        4, 1.0, rounds=200, share=1.0, local_steps=local_steps, learning_rate=0.9 / local_steps
    )
    # several local steps drift towards what is best for the client alone; one step is gradient descent
    assert loss(model.fit(tastes).item_factors) < allowed * central


def test_one_update_gives_the_history_away_and_anothers_does_not(tastes):
    model = FederatedFactors(4, 1.0, rounds=20, share=0.5).fit(tastes)
    items = model.item_factors
    updates = model.updates(items, tastes.matrix[:60])
    own = tastes.matrix[:60].toarray()
    area = [roc_auc_score(h, watched_in(d, items)) for h, d in zip(own, updates, strict=True)]
    others = np.roll(updates, 1, axis=0)
    wrong = [roc_auc_score(h, watched_in(d, items)) for h, d in zip(own, others, strict=True)]
    assert np.mean(area) > 0.97
    assert np.mean(wrong) < 0.9


def test_a_sum_that_is_handed_in_is_the_one_that_is_used(tastes):
    plain = FederatedFactors(4, 1.0, rounds=2).fit(tastes).item_factors
    summed = FederatedFactors(4, 1.0, rounds=2, aggregate=lambda u: np.sum(u, axis=0)).fit(tastes)
    np.testing.assert_allclose(summed.item_factors, plain, atol=1e-6)
    nothing = FederatedFactors(4, 1.0, rounds=2, aggregate=lambda u: 0 * u[0]).fit(tastes)
    assert not np.allclose(nothing.item_factors, plain)


def _coins(models, users, rng):
    members = rng.random((models, users)) < 0.5
    members[:3], members[3:6] = True, False  # nobody lacks shadow models of either kind
    return rng.permuted(members, axis=0)


def test_the_likelihood_ratio_finds_members_that_a_raw_score_hides():
    rng = np.random.default_rng(0)
    members = _coins(20, 300, rng)
    familiar = rng.normal(0, 10, 300)  # people differ far more than membership does
    answers = familiar + 1.0 * members + rng.normal(0, 0.3, members.shape)
    raw = judge_attack(answers, members)
    asked_rightly = judge_attack(likelihood_ratios(answers, members), members)
    assert raw.interval("auc")[1] < 0.6
    assert asked_rightly.interval("auc")[0] > 0.95
    assert asked_rightly.tpr > 0.5


def test_answers_that_do_not_depend_on_membership_cannot_be_attacked():
    rng = np.random.default_rng(1)
    members = _coins(16, 400, rng)
    attack = judge_attack(likelihood_ratios(rng.normal(size=members.shape), members), members)
    low, high = attack.interval("auc")
    assert low < 0.5 < high
    assert attack.tpr < 0.03


def test_the_area_is_that_of_scikit_learn_ties_included_and_nan_is_left_out():
    rng = np.random.default_rng(2)
    scores = rng.integers(0, 5, (4, 50)).astype(float)
    members = rng.random(scores.shape) < 0.5
    attack = judge_attack(scores, members)
    assert attack.auc == pytest.approx(roc_auc_score(members.ravel(), scores.ravel()))
    scores[0, :10] = np.nan
    used = ~np.isnan(scores)
    assert judge_attack(scores, members).auc == pytest.approx(roc_auc_score(members[used], scores[used]))


def test_an_attack_without_shadow_models_is_refused():
    members = np.array([[True, True], [False, False]] * 2)
    with pytest.raises(ValueError, match="fewer than three"):
        likelihood_ratios(np.zeros((4, 2)), members)
    with pytest.raises(ValueError, match="alike"):
        likelihood_ratios(np.zeros((4, 3)), members)


@pytest.mark.parametrize("k", [1, 2, 5, 20, 103])
def test_every_group_has_k_to_2k_minus_1_members(k):
    group = groups_of_at_least(k, np.random.default_rng(3).normal(size=(103, 4)))
    sizes = np.bincount(group)
    assert sizes.min() >= k
    assert sizes.max() <= 2 * k - 1


def test_published_rows_of_a_group_are_equal_never_empty_and_what_is_common():
    histories = sp.csr_array(
        np.array([[1, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 1], [0, 1, 0, 0], [1, 0, 0, 0]], "f")
    )
    rows = publish_groups(histories, np.array([0, 0, 1, 1, 1])).toarray()
    np.testing.assert_array_equal(rows[0], [1, 1, 1, 0])  # each film has half of the group
    np.testing.assert_array_equal(rows[0], rows[1])
    np.testing.assert_array_equal(rows[2:], [[1, 0, 0, 0]] * 3)  # nothing in common: the first of equals


def test_a_k_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="k must be a whole number from 1 to 3"):
        groups_of_at_least(4, np.zeros((3, 1)))
