"""The noise has the distribution that the proofs need, and the ε that is printed is right."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from opacus.accountants import RDPAccountant
from scipy.stats import binomtest, kstest, norm

from course_lib.privacy import (
    accountant_epsilon,
    gaussian_epsilon,
    laplace_mechanism,
    limit_contributions,
    noise_multiplier,
    randomized_response,
    share_of_true,
)

DELTA = 1e-5


@pytest.mark.parametrize("epsilon", [0.3, 1.0, 4.0])
@pytest.mark.parametrize("truth", [True, False])
def test_randomised_response_tells_the_truth_as_often_as_it_should(epsilon, truth):
    reports = randomized_response(np.full(50_000, truth), epsilon, np.random.default_rng(1))
    told = int((reports == truth).sum())
    assert binomtest(told, len(reports), np.exp(epsilon) / (1 + np.exp(epsilon))).pvalue > 1e-4


def test_the_estimate_of_the_share_is_unbiased_and_as_sharp_as_promised():
    rng = np.random.default_rng(2)
    truth = np.arange(400) < 120
    estimates = [share_of_true(randomized_response(truth, 1.0, rng), 1.0) for _ in range(2_000)]
    p = np.e / (1 + np.e)
    limit = 1 / (2 * (2 * p - 1) * np.sqrt(400))
    assert np.mean(estimates) == pytest.approx(0.3, abs=4 * limit / np.sqrt(2_000))
    assert np.std(estimates) < 1.05 * limit


@pytest.mark.parametrize(("sensitivity", "epsilon"), [(1, 1.0), (20, 0.5), (3, 7.0)])
def test_laplace_noise_has_the_scale_sensitivity_over_epsilon(sensitivity, epsilon):
    noisy = laplace_mechanism(np.full(20_000, 5), sensitivity, epsilon, np.random.default_rng(3))
    assert kstest(noisy - 5, "laplace", args=(0, sensitivity / epsilon)).pvalue > 1e-4
    # and the test can see a scale that is wrong by a tenth
    assert kstest(noisy - 5, "laplace", args=(0, 1.1 * sensitivity / epsilon)).pvalue < 1e-4


def test_laplace_results_of_neighbours_stay_within_the_bound():
    rng = np.random.default_rng(4)
    bins = np.linspace(6, 14, 9)
    a, b = (np.histogram(laplace_mechanism(np.full(200_000, v), 1, 1.0, rng), bins)[0] for v in (10, 9))
    assert np.abs(np.log(a / b)).max() < 1.1


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6))
def test_a_user_changes_limited_counts_by_no_more_than_the_sensitivity(seed, per_user):
    rng = np.random.default_rng(seed)
    matrix = sp.csr_array(rng.random((7, 12)) < 0.5).astype(np.float32)
    without = matrix.copy().tolil()
    without[3] = 0
    counts = [limit_contributions(sp.csr_array(m), per_user).sum(axis=0) for m in (matrix, without)]
    change = np.abs(counts[0] - counts[1])
    assert change.sum() <= per_user
    assert np.sqrt((change**2).sum()) <= np.sqrt(per_user) + 1e-6


def test_limited_contributions_are_a_subset_and_as_large_as_allowed():
    matrix = sp.csr_array(np.random.default_rng(5).random((30, 40)) < 0.4).astype(np.float32)
    limited = limit_contributions(matrix, 5)
    assert (limited.toarray() <= matrix.toarray()).all()
    np.testing.assert_array_equal(np.diff(limited.indptr), np.minimum(5, np.diff(matrix.indptr)))


def _delta_by_sampling(epsilon, sigma, releases):
    """δ(ε) = E[max(0, 1 − e^(ε − L))] over the privacy loss L of `releases` Gaussian releases together."""
    quantiles = norm.ppf((np.arange(2_000_000) + 0.5) / 2_000_000)
    mu = np.sqrt(releases) / sigma
    return np.maximum(0, 1 - np.exp(epsilon - (mu**2 / 2 + mu * quantiles))).mean()


@pytest.mark.parametrize(("sigma", "releases"), [(1.0, 1), (3.0, 20), (10.0, 40)])
def test_epsilon_is_recomputed_from_the_privacy_loss_itself(sigma, releases):
    exact = gaussian_epsilon(sigma, DELTA, releases)
    assert _delta_by_sampling(exact, sigma, releases) == pytest.approx(DELTA, rel=0.02)
    booked = accountant_epsilon(sigma, DELTA, releases)
    assert exact <= booked < exact + 0.02


@pytest.mark.parametrize(("epsilon", "releases"), [(0.4, 1), (4.0, 1), (4.0, 20), (8.0, 20)])
def test_the_noise_that_is_chosen_spends_no_more_than_what_is_allowed(epsilon, releases):
    multiplier = noise_multiplier(epsilon, DELTA, releases)
    assert gaussian_epsilon(multiplier, DELTA, releases) <= epsilon
    # not wasteful either: with 2 % less noise the budget would be exceeded
    assert gaussian_epsilon(0.98 * multiplier, DELTA, releases) > epsilon - 0.015
    rdp = RDPAccountant()
    rdp.history = [(multiplier, 1.0, releases)]
    with warnings.catch_warnings(action="ignore"):  # that its list of orders is short for a small ε
        assert rdp.get_epsilon(DELTA) >= gaussian_epsilon(multiplier, DELTA, releases)


def test_more_noise_spends_less_and_enough_noise_spends_nothing():
    spent = [gaussian_epsilon(sigma, DELTA) for sigma in (0.5, 1, 2, 4, 8)]
    assert spent == sorted(spent, reverse=True)
    assert gaussian_epsilon(1e6, DELTA) == 0


@pytest.mark.parametrize(
    "call",
    [
        lambda: randomized_response(np.array([True]), 0, np.random.default_rng()),
        lambda: laplace_mechanism(np.ones(3), 0, 1.0, np.random.default_rng()),
        lambda: laplace_mechanism(np.ones(3), 1, -1.0, np.random.default_rng()),
        lambda: limit_contributions(sp.csr_array((2, 2)), 0),
        lambda: gaussian_epsilon(0, DELTA),
        lambda: gaussian_epsilon(1, 0),
    ],
)
def test_settings_without_meaning_are_refused(call):
    with pytest.raises(ValueError, match="must"):
        call()
