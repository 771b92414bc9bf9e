import numpy as np
import pytest

from course_lib.data import Interactions


@pytest.fixture(scope="session")
def tastes() -> Interactions:
    """120 users of two tastes: 60 watch mostly films 0–19, 60 mostly films 20–39."""
    rng = np.random.default_rng(7)
    likes = np.full((120, 40), 0.1)
    likes[:60, :20] = likes[60:, 20:] = 0.6
    users, items = np.nonzero(rng.random((120, 40)) < likes)
    return Interactions(
        users, items, None, None, np.arange(120).astype(str), np.arange(40).astype(str), "two tastes"
    )
