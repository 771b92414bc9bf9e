"""What is known of a user when a list is asked for."""

import dataclasses

import numpy as np
import pytest
import scipy.sparse as sp

from course_lib.data import Histories, Interactions, Split


@pytest.fixture
def table() -> Interactions:
    """Three users of five items; user 0 has two items of one second, user 2 none."""
    users, items, times = np.array(
        [(0, 4, 30), (0, 1, 10), (0, 3, 20), (0, 2, 20), (1, 0, 7), (1, 4, 5)], dtype=np.int64
    ).T
    return Interactions(users, items, None, times, np.arange(3).astype(str), np.arange(5).astype(str), "toy")


def test_interactions_give_the_oldest_first(table):
    histories = table.histories()
    assert [row.tolist() for row in np.split(histories.items, histories.starts[1:-1])] == [
        [1, 3, 2, 4], [4, 0], []
    ]  # fmt: skip
    assert histories.times.tolist() == [10, 20, 20, 30, 5, 7]
    assert histories.users.tolist() == [0, 1, 2]
    assert histories.now is None
    assert (histories.matrix != table.matrix).nnz == 0
    assert histories is table.histories()


def test_latest_has_the_latest_first_and_pads(table):
    assert table.histories().latest(3).tolist() == [[4, 2, 3], [0, 4, -1], [-1, -1, -1]]
    with pytest.raises(ValueError, match="n must be a whole number from 1"):
        table.histories().latest(0)


def test_recency_halves_and_one_second_is_one_place(table):
    weights = table.histories().recency(1).toarray()
    np.testing.assert_allclose(weights, [[0, 1 / 16, 1 / 4, 1 / 4, 1 / 2], [1 / 2, 0, 0, 0, 1 / 4], [0] * 5])
    timeless = dataclasses.replace(table.histories(), times=None)
    np.testing.assert_allclose(timeless.recency(1).toarray()[0], [0, 1 / 16, 1 / 4, 1 / 8, 1 / 2])
    assert table.histories().recency(None) is table.histories().matrix


def test_recency_is_that_of_a_loop():
    generator = np.random.default_rng(0)
    rows = [np.sort(generator.integers(0, 40, generator.integers(0, 30))) for _ in range(50)]
    items = [generator.integers(0, 12, len(times)) for times in rows]
    histories = dataclasses.replace(Histories.from_lists(items, 12), times=np.concatenate(rows))
    expected = np.zeros((50, 12))
    for row, (times, taken) in enumerate(zip(rows, items, strict=True)):
        for time, item in zip(times, taken, strict=True):
            weight = 0.5 ** ((1 + (times > time).sum()) / 3)
            expected[row, item] = max(expected[row, item], weight)
    np.testing.assert_allclose(histories.recency(3).toarray(), expected, rtol=1e-6)


def test_an_item_that_comes_back_is_one_entry_with_its_latest_place():
    histories = Histories.from_lists([[2, 0, 2, 2, 1]], n_items=3)
    assert histories.matrix.toarray().tolist() == [[1, 1, 1]]
    np.testing.assert_allclose(histories.recency(1).toarray(), [[1 / 16, 1 / 2, 1 / 4]])
    assert histories.latest(4).tolist() == [[1, 2, 2, 0]]
    assert histories.items.tolist() == [2, 0, 2, 2, 1]  # nothing is sorted in place
    assert histories.lengths.tolist() == [5]


@pytest.mark.parametrize(
    "rows", [np.array([2, 0, 0]), [1], slice(1, None), np.array([True, False, True]), slice(0, 0), 1]
)
def test_some_rows_are_those_of_the_matrix(table, rows):
    part = dataclasses.replace(table.histories(), now=np.array([40, 50, 60]))[rows]
    which = np.atleast_1d(np.arange(3)[rows])
    assert part.matrix.toarray().tolist() == table.matrix[which].toarray().tolist()
    assert part.users.tolist() == which.tolist()
    assert part.now.tolist() == [[40, 50, 60][row] for row in which]
    np.testing.assert_array_equal(part.latest(2), table.histories().latest(2)[which])
    assert part.shape == (len(which), 5)


def test_order_that_is_not_known_is_never_made_up(table):
    timeless = dataclasses.replace(table, timestamps=None)
    weighted = sp.csr_array(np.array([[0.5, 0.25, 0], [0, 0, 1]]))
    for histories in (timeless.histories(), Histories.from_matrix(weighted)):
        for ask in (lambda h: h.recency(5), lambda h: h.latest(1)):
            with pytest.raises(ValueError, match=r"order .* is not known.*Histories\.from_lists"):
                ask(histories)
    assert timeless.histories().users.tolist() == [0, 1, 2]
    last = Histories.from_matrix(weighted)[[1]]  # one item has one order
    assert last.latest(2).tolist() == [[2, -1]]
    assert "order unknown" in repr(last)


def test_lists_of_nothing_are_histories():
    nothing = Histories.from_lists([[], []], n_items=4)
    assert nothing.matrix.nnz == nothing.recency(2).nnz == 0
    assert nothing.latest(2).tolist() == [[-1, -1]] * 2
    assert Histories.from_lists([], n_items=4).latest(1).shape == (0, 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"items": np.array([0, 5])}, r"items must lie in 0\.\.4"),
        ({"items": np.array([-1, 0])}, r"items must lie in 0\.\.4"),
        ({"items": np.array([0.0, 1.0])}, "items must be integers"),
        ({"starts": np.array([0, 1, 3])}, "starts must rise"),
        ({"starts": np.array([0, 3, 2])}, "starts must rise"),
        ({"times": np.array([3, 2])}, "history 0 is not in order of time"),
        ({"times": np.array([3])}, "times must be 2 signed integers"),
        ({"users": np.array([1.0, 2.0])}, "users must be 2 signed integers"),
        ({"times": np.array([3, 4]), "now": np.array([3, 9])}, "history 0 holds an event later than its now"),
    ],
)
def test_arrays_that_contradict_each_other_are_refused(change, message):
    histories = Histories.from_lists([[0, 1], []], n_items=5)
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(histories, **change)


def test_a_split_knows_what_is_known_and_when_the_list_is_asked_for():
    generator = np.random.default_rng(1)
    users, items = np.nonzero(generator.random((30, 40)) < 0.3)
    times = generator.integers(0, 500, len(users))
    table = Interactions(
        users, items, None, times, np.arange(30).astype(str), np.arange(40).astype(str), "toy"
    )
    split = Split.per_user_chronological(table)
    for part, known in (("validation", split.train), ("test", split.train_and_validation)):
        histories = split.histories(part)
        assert (histories.matrix != known.matrix).nnz == 0
        asked = getattr(split, part)
        first = [asked.timestamps[asked.users == user].min() for user in range(30)]
        assert histories.now.tolist() == first
    assert (Split.global_time_cut(table).histories().now > 0).all()
    assert Split.random(table).histories().now is None  # training may be later than test
    assert Split.random(dataclasses.replace(table, timestamps=None)).histories().now is None
    with pytest.raises(ValueError, match="part must be validation or test"):
        split.histories("train")
