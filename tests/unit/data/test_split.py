"""Splits: the guarantees as properties, the order of ties as golden numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.data import DataError, Interactions, Split, load_movielens_100k, seeded_hash
from course_lib.data.split import _mix

RULES = {
    "per_user_chronological": lambda data, seed: Split.per_user_chronological(data, seed=seed),
    "leave_last_out": lambda data, seed: Split.leave_last_out(data, seed=seed),
    "global_time_cut": lambda data, seed: Split.global_time_cut(data),
    "cold_items": lambda data, seed: Split.cold_items(data, seed=seed),
    "random": lambda data, seed: Split.random(data, seed=seed),
}


def interactions(pairs, times):
    users, items = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    n_users, n_items = (int(ids.max()) + 1 if len(ids) else 1 for ids in (users, items))
    return Interactions(
        users.copy(),
        items.copy(),
        None,
        None if times is None else np.array(times, dtype=np.int64),
        np.arange(n_users).astype(str),
        np.arange(n_items).astype(str),
        "Toy",
    )


@st.composite
def histories(draw):
    """Few users and items, and so few seconds that ties are everywhere."""
    pairs = draw(
        st.lists(st.tuples(st.integers(0, 5), st.integers(0, 11)), min_size=3, max_size=60, unique=True)
    )
    times = draw(st.lists(st.integers(0, 4), min_size=len(pairs), max_size=len(pairs)))
    return interactions(pairs, times)


def parts(split):
    return split.train, split.validation, split.test


@pytest.mark.parametrize("rule", RULES)
@settings(max_examples=80, deadline=None)
@given(data=histories(), seed=st.integers(0, 5))
def test_every_pair_lies_in_exactly_one_part(rule, data, seed):
    try:
        split = RULES[rule](data, seed)
    except DataError:
        return  # too few items, or all in one second: refused with a sentence, tested below
    keys = np.concatenate([part.pair_keys for part in parts(split)])
    assert sorted(keys) == sorted(data.pair_keys)
    assert {part.matrix.shape for part in parts(split)} == {data.matrix.shape}
    assert len(split.train_and_validation) == len(split.train) + len(split.validation)
    assert split.rule
    assert split.guarantee


@pytest.mark.parametrize("rule", ["per_user_chronological", "leave_last_out"])
@settings(max_examples=80, deadline=None)
@given(data=histories(), seed=st.integers(0, 5))
def test_no_held_out_interaction_precedes_an_earlier_part_of_its_user(rule, data, seed):
    split = RULES[rule](data, seed)
    for user in range(data.n_users):
        train, validation, test = (part.timestamps[part.users == user] for part in parts(split))
        if (data.users == user).sum() < 3:
            assert len(validation) == len(test) == 0
            continue
        assert min(len(train), len(validation), len(test)) >= 1
        assert train.max() <= validation.min()
        assert validation.max() <= test.min()


@settings(max_examples=80, deadline=None)
@given(data=histories())
def test_a_global_cut_orders_everybody(data):
    try:
        split = Split.global_time_cut(data, validation=0.3, test=0.3)
    except DataError:
        return  # too many in one second: tested below
    assert split.train.timestamps.max() < split.validation.timestamps.min()
    assert split.validation.timestamps.max() < split.test.timestamps.min()


@settings(max_examples=80, deadline=None)
@given(data=histories(), seed=st.integers(0, 5))
def test_cold_items_have_no_training(data, seed):
    if np.count_nonzero(data.item_counts) < 3:
        return  # refused, tested below
    split = Split.cold_items(data, share=0.3, seed=seed)
    items = [set(part.items.tolist()) for part in parts(split)]
    assert not items[0] & items[1]
    assert not items[0] & items[2]
    assert not items[1] & items[2]
    assert all(items)


@settings(max_examples=40, deadline=None)
@given(data=histories(), order=st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing(data, order):
    rows = list(range(len(data)))
    order.shuffle(rows)
    shuffled = Interactions(
        data.users[rows],
        data.items[rows],
        None,
        data.timestamps[rows],
        data.user_ids,
        data.item_ids,
        data.name,
    )
    for rule in ("per_user_chronological", "leave_last_out", "cold_items", "random"):
        if rule == "cold_items" and np.count_nonzero(data.item_counts) < 3:
            continue
        first, second = RULES[rule](data, 0), RULES[rule](shuffled, 0)
        assert sorted(first.test.pair_keys) == sorted(second.test.pair_keys)


def test_shares_are_rounded_up_as_documented():
    data = interactions([(0, item) for item in range(30)], range(30))
    split = Split.per_user_chronological(data)
    assert [len(part) for part in parts(split)] == [21, 3, 6]
    assert split.test.items.tolist() == list(range(24, 30))
    last = Split.leave_last_out(data)
    assert (last.validation.items.tolist(), last.test.items.tolist()) == ([28], [29])


def test_the_hash_is_splitmix64_and_stable():
    # 0xE220A8397B1DCDAF is the first output of SplitMix64 started at 0, as published with the function.
    zeros = np.zeros(1, dtype=np.int64)
    assert _mix(zeros.astype(np.uint64))[0] == 0xE220A8397B1DCDAF
    found = seeded_hash(np.array([0, 0, 1, 942]), np.array([0, 1, 0, 1681]), seed=0)
    assert found.dtype == np.uint64
    assert found.tolist() == [0x238275BC38FCBE91, 0x2F32A78496C67C60, 0x44E5B98100C67FB0, 0x4805AF2B2EF2B0DF]
    assert not np.array_equal(found, seeded_hash(np.array([0, 0, 1, 942]), np.array([0, 1, 0, 1681]), seed=1))
    with pytest.raises(ValueError, match="must not be negative"):
        seeded_hash(zeros, zeros, seed=-1)


def test_ties_are_broken_by_the_seed_and_not_by_the_id():
    same_second = interactions([(0, item) for item in range(100)], [7] * 100)
    tests = [set(Split.per_user_chronological(same_second, seed=seed).test.items) for seed in range(3)]
    assert tests[0] != tests[1] != tests[2]
    for held_out in tests:
        assert 30 < np.mean(list(held_out)) < 70  # neither the first nor the last ids


def test_movielens_100k_splits_are_the_same_everywhere():
    data, _ = load_movielens_100k()
    chronological = Split.per_user_chronological(data)
    assert [len(part) for part in parts(chronological)] == [69_180, 10_439, 20_381]
    assert int(chronological.test.pair_keys.sum()) == 15_836_261_576
    last = Split.leave_last_out(data)
    assert [len(part) for part in parts(last)] == [98_114, 943, 943]
    assert int(last.test.pair_keys.sum()) == 747_828_268
    cold = Split.cold_items(data)
    assert int(cold.test.pair_keys.sum()) == 6_562_577_490
    cut = Split.global_time_cut(data)
    assert [len(part) for part in parts(cut)] == [80_003, 9_997, 10_000]
    assert [len(part) for part in parts(Split.random(data))] == [69_180, 10_439, 20_381]


def test_in_movielens_100k_half_of_the_cuts_fall_inside_one_second():
    data, _ = load_movielens_100k()
    split = Split.per_user_chronological(data, validation=0.1, test=0.2)
    before = split.train_and_validation
    latest, earliest = np.zeros(943, dtype=np.int64), np.full(943, np.iinfo(np.int64).max)
    np.maximum.at(latest, before.users, before.timestamps)
    np.minimum.at(earliest, split.test.users, split.test.timestamps)
    assert (latest == earliest).sum() == 470


def test_what_cannot_be_split_is_said():
    timeless = interactions([(0, 0), (0, 1), (0, 2)], None)
    for rule in ("per_user_chronological", "leave_last_out", "global_time_cut"):
        with pytest.raises(DataError, match=r"Toy has no timestamps.*Split\.random"):
            RULES[rule](timeless, 0)
    assert len(Split.random(timeless).test) == 1
    with pytest.raises(DataError, match="three items with interactions are needed, not 1"):
        Split.cold_items(interactions([(0, 0), (1, 0)], [1, 2]))
    with pytest.raises(DataError, match="leave room for training"):
        Split.random(timeless, validation=0.5, test=0.5)
    with pytest.raises(DataError, match="share one second"):
        Split.global_time_cut(interactions([(0, 0), (0, 1), (0, 2)], [5, 5, 5]))


def test_a_split_made_by_hand_is_checked_too():
    data = interactions([(0, 0), (0, 1), (0, 2)], [1, 2, 3])
    with pytest.raises(DataError, match="lies in two parts"):
        Split(data, data, data, rule="none", guarantee="none")
