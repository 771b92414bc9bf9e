import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from course_lib.retrieve import Candidates
from course_lib.retrieve.candidates import best_of_block

NO = -np.inf
tied_scores = hnp.arrays(
    np.float32,
    st.tuples(st.integers(0, 4), st.integers(1, 9)),
    elements=st.sampled_from([NO, -1.0, 0.0, 0.5, 2.0]),
)


def ranked_by_hand(scores):
    offered = [(-score, item) for item, score in enumerate(scores) if score > NO]
    return [(item, -negative) for negative, item in sorted(offered)]


@given(tied_scores, st.data())
def test_top_k_is_the_sorted_list_cut(scores, data):
    n_items = scores.shape[1]
    k = data.draw(st.integers(1, n_items))
    ids, best = best_of_block(scores, k)
    for row in range(len(scores)):
        expected = ranked_by_hand(scores[row])[:k]
        missing = k - len(expected)
        assert ids[row].tolist() == [item for item, _ in expected] + [-1] * missing
        assert best[row].tolist() == [score for _, score in expected] + [NO] * missing
    Candidates(ids, best)


@given(tied_scores, st.randoms(use_true_random=False))
def test_order_of_the_given_list_does_not_matter(scores, shuffler):
    n, n_items = scores.shape
    order = list(range(n_items))
    shuffler.shuffle(order)
    items = np.tile(np.array(order, dtype=np.int64), (n, 1))
    shuffled = Candidates.from_item_scores(items, scores[:, order])
    straight = Candidates.from_catalogue_scores(scores, n_items)
    np.testing.assert_array_equal(shuffled.ids, straight.ids)
    np.testing.assert_array_equal(shuffled.scores, straight.scores)


def test_pads_in_given_lists_go_to_the_end():
    ranked = Candidates.from_item_scores(np.array([[-1, 4, 2]]), np.array([[9.0, 1.0, 3.0]]))
    assert ranked.ids.tolist() == [[2, 4, -1]]
    assert ranked.scores.tolist() == [[3.0, 1.0, NO]]


@pytest.mark.parametrize(
    ("ids", "scores", "message"),
    [
        ([[1, 2]], [[1.0]], "one shape"),
        ([[1.0, 2.0]], [[1.0, 0.0]], "must be integers"),
        ([[1, 2]], [[1.0, np.nan]], "NaN"),
        ([[1, -2]], [[1.0, NO]], "only negative id"),
        ([[1, -1]], [[1.0, 0.0]], "empty place"),
        ([[1, 2]], [[1.0, NO]], "empty place"),
        ([[-1, 2]], [[NO, 1.0]], "not sorted"),
        ([[1, 2]], [[1.0, 2.0]], "not sorted"),
        ([[2, 1]], [[1.0, 1.0]], "order of item id"),
        ([[2, 3, 2]], [[3.0, 2.0, 1.0]], "lists an item twice"),
        ([[2, 2]], [[1.0, 1.0]], "lists an item twice"),
    ],
)
def test_refused(ids, scores, message):
    with pytest.raises(ValueError, match=message):
        Candidates(np.array(ids), np.array(scores))


def test_given_list_with_a_nan_score_or_a_duplicate_is_refused():
    with pytest.raises(ValueError, match="NaN"):
        Candidates.from_item_scores(np.array([[0, 1]]), np.array([[np.nan, 1.0]]))
    with pytest.raises(ValueError, match="twice"):
        Candidates.from_item_scores(np.array([[7, 7]]), np.array([[2.0, 1.0]]))


@pytest.mark.parametrize("k", [0, 4, -1, 2.0, True])
def test_k_outside_the_catalogue_is_refused(k):
    with pytest.raises(ValueError, match="from 1 to the 3 items"):
        best_of_block(np.zeros((2, 3)), k)


def test_cutting_and_padding():
    lists = Candidates(np.array([[3, 1]]), np.array([[2.0, 1.0]]))
    assert lists.top(1).ids.tolist() == [[3]]
    assert lists.padded(4).ids.tolist() == [[3, 1, -1, -1]]
    with pytest.raises(ValueError, match="from 1 to 2"):
        lists.top(3)
    with pytest.raises(ValueError, match=r"use top\(1\)"):
        lists.padded(1)


def test_arrays_cannot_be_changed():
    lists = Candidates(np.array([[3, 1]]), np.array([[2.0, 1.0]]))
    with pytest.raises(ValueError, match="read-only"):
        lists.ids[0, 0] = 5
