import numpy as np
import pandas as pd
import pytest

from course_lib.data import Catalogue, Interactions

FILMS = [
    ("Toy Box", 1995, ["Animation", "Comedy"]),
    ("Toy Box Returns", 1999, ["Animation", "Comedy"]),
    ("Night Train", 1980, ["Horror"]),
    ("Night Bus", 1984, ["Horror", "Comedy"]),
    ("Long March", 1962, ["War"]),
    ("Quiet River", 2001, ["Drama"]),
]


@pytest.fixture
def catalogue():
    rows = [
        {"item_id": str(place), "title": title, "year": year, "genres": genres}
        for place, (title, year, genres) in enumerate(FILMS)
    ]
    return Catalogue.from_frame(pd.DataFrame(rows), name="films", source="films.csv")


@pytest.fixture
def train():
    """Four users and six films: not square, so that a transposed matrix is seen."""
    pairs = [(0, 0, 10), (0, 2, 30), (0, 3, 20), (1, 0, 5), (1, 4, 5), (2, 5, 1), (3, 0, 1), (3, 2, 2)]
    users, items, times = np.array(pairs, dtype=np.int64).T
    return Interactions(
        users,
        items,
        None,
        times,
        user_ids=np.arange(4).astype(str),
        item_ids=np.arange(len(FILMS)).astype(str),
        name="toy",
    )
