import numpy as np
import pytest

from course_lib.evaluate import auc


@pytest.mark.parametrize(
    ("scores", "clicked", "message"),
    [
        (np.zeros((2, 3)), np.zeros((3, 2)), "alike"),
        (np.zeros(3), np.zeros(3), "alike"),
        (np.zeros((1, 2)), np.array([[0, 2]]), "other than 1"),
        (np.array([[np.nan, 0.0]]), np.array([[1, 0]]), "NaN"),
        (np.array([[np.inf, 0.0]]), np.array([[1, 0]]), "inf"),
    ],
)
def test_refused(scores, clicked, message):
    with pytest.raises(ValueError, match=message):
        auc(scores, clicked)


def test_a_score_in_an_empty_place_does_not_matter():
    clicked = np.array([[1, 0, -1]])
    for score in (np.nan, np.inf, 0.0):
        assert auc(np.array([[0.2, 0.1, score]]), clicked) == 1
