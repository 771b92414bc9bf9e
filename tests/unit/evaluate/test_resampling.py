import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.evaluate import bootstrap_interval, holm, permutation_p_value


def test_interval_is_that_of_a_loop():
    values = np.random.default_rng(7).random(30)
    generator = np.random.default_rng(0)
    means = [values[generator.integers(30, size=30)].mean() for _ in range(4000)]
    low, high = bootstrap_interval(values, level=0.9, resamples=4000, seed=1)
    assert (low, high) == pytest.approx(np.percentile(means, [5, 95]), abs=0.005)


def test_interval_covers_the_truth_as_often_as_it_says():
    generator = np.random.default_rng(0)
    covered = 0
    for trial in range(200):
        low, high = bootstrap_interval(generator.normal(size=60), resamples=400, seed=trial)
        covered += low < 0 < high
    assert 0.90 <= covered / 200 <= 0.98


def test_interval_repeats_with_its_seed():
    values = np.random.default_rng(7).random(30)
    assert bootstrap_interval(values, seed=3) == bootstrap_interval(values, seed=3)
    assert bootstrap_interval(values, seed=3) != bootstrap_interval(values, seed=4)


def test_interval_of_equal_values_and_of_too_few():
    assert bootstrap_interval(np.full(5, 0.25)) == (0.25, 0.25)
    assert np.isnan(bootstrap_interval(np.array([0.5]))).all()


def test_permutation_test_is_the_count_of_all_sign_patterns():
    differences = np.array([0.5, 0.3, -0.1, 0.4, 0.2, 0.6, 0.1, 0.2])
    signs = 1 - 2 * ((np.arange(256)[:, None] >> np.arange(8)) & 1)
    exact = (np.abs(signs @ differences) >= abs(differences.sum()) - 1e-12).mean()
    assert permutation_p_value(differences, permutations=40_000) == pytest.approx(exact, abs=0.003)


def test_permutation_test_of_no_difference_and_of_a_large_one():
    assert permutation_p_value(np.zeros(50)) == 1
    assert permutation_p_value(np.ones(50), permutations=999) == 1 / 1000
    assert permutation_p_value(-np.ones(50), permutations=999) == 1 / 1000


def test_permutation_test_is_right_under_the_null():
    """p below 0.1 in about a tenth of the cases where both sides are alike."""
    generator = np.random.default_rng(0)
    p = [permutation_p_value(generator.normal(size=40), permutations=500, seed=i) for i in range(300)]
    assert 0.06 < np.mean(np.array(p) < 0.1) < 0.14


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_decides_as_the_step_down_rule(p_values):
    adjusted = holm(p_values)
    for alpha in (0.01, 0.05, 0.2):
        order = sorted(range(len(p_values)), key=lambda i: p_values[i])
        rejected = set()
        for step, i in enumerate(order):
            if p_values[i] * (len(p_values) - step) > alpha:
                break
            rejected.add(i)
        assert {i for i, p in enumerate(adjusted) if p <= alpha} == rejected


def test_holm_refuses_what_is_no_probability():
    for wrong in ([1.2], [-0.1], [float("nan")], 0.3):
        with pytest.raises(ValueError, match="from 0 to 1"):
            holm(wrong)
