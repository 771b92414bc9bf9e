"""One build of the book a test session: of a small stand-in course, and of the committed notebooks."""

from pathlib import Path

import pytest
from small_course import ROOT, chapter, verdict, write_course

from book.build import build


@pytest.fixture(scope="session")
def small_book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built book of a course of two chapters, the second in two lessons, with a verdict of each state."""
    intervals = {"warm": "-0.027 [-0.035, -0.020]", "cold": "0.185 [0.165, 0.204]", "world": "films"}
    chapters = {
        "02_cosine": chapter(
            "02 · Cosine similarity (余弦相似度)",
            [
                verdict("D1-16", "correct", "It lies between −1 and 1."),
                verdict("D1-17", "corrected", "It is 0.8944."),
                verdict("D1-24", "taught", "The numbers say nothing of a shop.", waits_for="graph"),
            ],
        ),
        "04a_texts": chapter("04a · Texts", [verdict("D4-01", "harms", "Fewer hits.", parts={})]),
        "04b_people": chapter(
            "04b · People",
            [
                verdict(
                    "D1-09",
                    "refuted",
                    "Popularity wins.",
                    numbers=intervals,
                    scope="all-MiniLM-L6-v2",
                    scale="small",
                )
            ],
        ),
    }
    root = write_course(tmp_path_factory.mktemp("small"), chapters, {"04a_texts": ["04_encoding"]})
    build(root, root / "build" / "book")
    return root / "build" / "book"


@pytest.fixture(scope="session")
def committed_book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The book of the repository, built outside it."""
    site = tmp_path_factory.mktemp("committed") / "book"
    build(ROOT, site)
    return site


@pytest.fixture(scope="session", params=["small_book", "committed_book"])
def site(request: pytest.FixtureRequest) -> Path:
    """Each of the two books: what must hold for any book is tested on both."""
    return request.getfixturevalue(request.param)
