"""The server learns the sum, whoever drops out, and nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import floor, mp, mpf, pi
from scipy.stats import chisquare

from course_lib.privacy import (
    TooFewClients,
    additive_shares,
    from_ring,
    secure_sum,
    shamir_secret,
    shamir_shares,
    to_ring,
)
from course_lib.privacy import secure_aggregation as protocol

N = 10


@pytest.fixture(scope="module")
def vectors():
    return list(np.random.default_rng(0).normal(0, 3, (N, 50)))


@pytest.mark.parametrize("dropped", [[], [0], [9, 4], [1, 5, 8]])
def test_the_secure_sum_is_the_plain_sum_of_those_who_stayed(vectors, dropped):
    result = secure_sum(vectors, 7, dropped)
    plain = sum(vector for place, vector in enumerate(vectors) if place not in dropped)
    assert np.abs(result.total - plain).max() <= 1e-6
    assert result.survivors == [place for place in range(N) if place not in dropped]


def test_below_the_threshold_nothing_is_unmasked(vectors):
    with pytest.raises(TooFewClients, match="Only 6 of 10"):
        secure_sum(vectors, 7, [0, 1, 2, 3])


def test_the_servers_view_of_one_client_is_uniform_whatever_the_client_has():
    size = 4_000
    for value in (0.0, 1.5):
        same = [np.full(size, value)] * 4
        for view in secure_sum(same, 3).seen:
            counts = np.bincount(view.view(np.uint8), minlength=256)
            assert chisquare(counts).pvalue > 1e-6
            bits = np.unpackbits(view.view(np.uint8)).reshape(size, 64).mean(axis=0)
            assert np.abs(bits - 0.5).max() < 6 * 0.5 / np.sqrt(size)


def test_without_masks_the_same_test_sees_the_client():
    counts = np.bincount(to_ring(np.full(4_000, 1.5)).view(np.uint8), minlength=256)
    assert chisquare(counts).pvalue < 1e-6


def test_views_of_two_runs_have_nothing_in_common():
    same = [np.zeros(200)] * 3
    assert not (secure_sum(same, 2).seen == secure_sum(same, 2).seen).any()


def test_nobody_hands_out_both_secrets_of_one_client():
    clients = [protocol.Client(place) for place in range(3)]
    for client in clients:
        client.share_secrets(clients, 2)
    with pytest.raises(ValueError, match="both present and gone"):
        clients[0].reveal([1, 2], [2])


def test_both_ends_of_a_key_exchange_agree_and_a_third_party_does_not():
    a, b, c = (protocol.Client(place) for place in range(3))
    assert protocol.common_seed(a._key, b.public) == protocol.common_seed(b._key, a.public)
    assert protocol.common_seed(a._key, b.public) != protocol.common_seed(c._key, b.public)


def test_the_prime_is_that_of_group_14():
    mp.prec = 2200
    middle = int(floor(mpf(2) ** 1918 * pi)) + 124476
    assert 2**2048 - 2**1984 - 1 + 2**64 * middle == protocol.DH_PRIME


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**256), st.integers(1, 6), st.randoms())
def test_any_threshold_many_shares_give_the_secret(secret, threshold, random):
    shares = shamir_shares(secret, 6, threshold)
    assert shamir_secret(random.sample(shares, threshold)) == secret
    if threshold > 1:
        assert shamir_secret(shares[: threshold - 1]) != secret


def test_additive_shares_add_up_and_each_is_uniform():
    secret = to_ring(np.full(4_000, 7.25))
    shares = additive_shares(secret, 3)
    assert (from_ring(shares.sum(axis=0, dtype=np.uint64)) == 7.25).all()
    for share in shares:
        assert chisquare(np.bincount(share.view(np.uint8), minlength=256)).pvalue > 1e-6


@settings(max_examples=50)
@given(st.lists(st.floats(-(2**31) + 1, 2**31 - 1), min_size=1, max_size=5))
def test_fixed_point_is_exact_to_half_a_unit(values):
    assert np.abs(from_ring(to_ring(np.array(values))) - values).max() <= 2.0**-33


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="scale them down"):
        to_ring(np.array([2.0**31]))
    with pytest.raises(ValueError, match="scale them down"):
        to_ring(np.array([np.nan]))
    with pytest.raises(ValueError, match="two parties"):
        additive_shares(to_ring(np.ones(2)), 1)
    with pytest.raises(ValueError, match="threshold"):
        shamir_shares(1, 3, 4)
    with pytest.raises(ValueError, match="one length"):
        secure_sum([np.ones(2), np.ones(3)], 2)
