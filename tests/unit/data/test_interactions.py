"""Interactions: what is validated, and how it is said."""

import numpy as np
import pandas as pd
import pytest

from course_lib.data import DataError, Interactions


def table(**columns):
    frame = pd.DataFrame(columns)
    frame.index = pd.RangeIndex(2, 2 + len(frame), name="line")  # as after a header
    return frame


def build(frame, **ids):
    return Interactions.from_frame(frame, name="Toy", source="toy.inter", **ids)


@pytest.fixture
def toy():
    frame = table(user=["b", "a", "a"], item=["x", "y", "x"], rating=[4, 5, 1], timestamp=[30, 20, 10])
    return build(frame, user_ids=["a", "b"], item_ids=["x", "y", "z"])


def test_positions_follow_the_given_ids(toy):
    assert toy.users.tolist() == [1, 0, 0]
    assert toy.items.tolist() == [0, 1, 0]
    assert (toy.users.dtype, toy.items.dtype) == (np.int64, np.int64)
    assert (toy.ratings.dtype, toy.timestamps.dtype) == (np.float32, np.int64)
    assert (toy.n_users, toy.n_items, len(toy)) == (2, 3, 3)
    assert toy.item_ids[toy.items].tolist() == ["x", "y", "x"]


def test_matrix_is_binary_float32_and_made_once(toy):
    assert toy.matrix.toarray().tolist() == [[1, 1, 0], [1, 0, 0]]
    assert toy.matrix.dtype == np.float32
    assert toy.matrix is toy.matrix
    assert toy.item_counts.tolist() == [2, 1, 0]
    assert toy.user_counts.tolist() == [2, 1]


def test_select_keeps_the_id_spaces(toy):
    part = toy.select(np.array([True, False, False]))
    assert part.matrix.shape == (2, 3)
    assert part.timestamps.tolist() == [30]
    with pytest.raises(DataError, match="bool mask"):
        toy.select(np.array([0, 1]))


def test_integer_columns_are_positions_without_given_ids():
    built = build(table(user=[0, 1], item=[1, 0]))
    assert built.item_ids.tolist() == ["0", "1"]
    assert built.ratings is None
    assert built.timestamps is None


GOOD = {"user": ["a", "b"], "item": ["x", "y"], "rating": [1.0, 2.0], "timestamp": [1, 2]}
IDS = {"user_ids": ["a", "b"], "item_ids": ["x", "y"]}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"user": ["a", "a"], "item": ["x", "x"]},
            "toy.inter, line 3: user a and item x occur already in line 2",
        ),
        ({"rating": [1.0, float("nan")]}, "toy.inter, line 3: the rating is nan, not a finite number"),
        ({"rating": ["1", "good"]}, "toy.inter, line 3: the rating is good, not a finite number"),
        ({"timestamp": [1, 2.5]}, "toy.inter, line 3: the timestamp 2.5 is not a whole number"),
        ({"item": ["x", "q"]}, "toy.inter, line 3: the item q is not in the catalogue"),
        ({"user": ["a", "q"]}, "toy.inter, line 3: the user q is not in the list of users"),
        ({"item": ["x", None]}, "toy.inter, line 3: the item is empty"),
        ({"user": ["", "b"]}, "toy.inter, line 2: the user is empty"),
    ],
)
def test_a_bad_row_is_named_with_file_line_and_fix(changes, message):
    with pytest.raises(DataError) as caught:
        build(table(**(GOOD | changes)), **IDS)
    assert str(caught.value).startswith(message)
    assert ";" in str(caught.value)  # what to do follows


@pytest.mark.parametrize(
    ("users", "message"),
    [
        ([0, -1], "toy.inter, line 3: the user -1 is negative"),
        ([0, 2], "toy.inter: user 1 never occurs"),
        (["a", "b"], "toy.inter: the column user holds"),
    ],
)
def test_positions_must_be_contiguous(users, message):
    with pytest.raises(DataError) as caught:
        build(table(user=users, item=[0, 1]))
    assert str(caught.value).startswith(message)


def test_a_missing_column_an_empty_table_and_a_repeated_id_are_refused():
    with pytest.raises(DataError, match=r"toy\.inter: the column item is missing"):
        build(table(user=[0]))
    with pytest.raises(DataError, match=r"toy\.inter: the file holds no interaction"):
        build(table(user=[], item=[]))
    with pytest.raises(DataError, match="item_ids holds x twice"):
        build(table(**GOOD), user_ids=["a", "b"], item_ids=["x", "y", "x"])


def test_arrays_that_contradict_each_other_are_refused(toy):
    fields = {field: getattr(toy, field) for field in toy.__dataclass_fields__}
    for change, message in [
        ({"users": toy.users.astype(np.int32)}, "users must be int64"),
        ({"items": np.array([0, 1, 3])}, "item positions must lie in 0..2"),
        ({"ratings": toy.ratings[:2]}, "ratings has shape"),
        ({"ratings": np.array([1, np.nan, 1], dtype=np.float32)}, "a rating is NaN"),
        ({"users": np.zeros(3, dtype=np.int64)}, "occurs twice"),
    ]:
        with pytest.raises(DataError, match=message):
            Interactions(**(fields | change))
