"""Catalogue: titles in reading order, verbalised attributes, one file a content."""

import pandas as pd
import pytest

from course_lib.data import Catalogue, DataError
from course_lib.data.catalogue import reading_order

FILMS = pd.DataFrame(
    {
        "item_id": ["1", "2", "3"],
        "title": ["Toy Story", "Godfather, The", "unknown"],
        "year": pd.array([1995, 1972, None], dtype="Int64"),
        "genres": [["Animation", "Children's", "Comedy"], ["Crime"], []],
        "description": ["Toys live.", None, ""],
    },
    index=pd.RangeIndex(2, 5, name="line"),
)


@pytest.fixture
def films():
    return Catalogue.from_frame(FILMS, name="Toy films", source="toy.item")


@pytest.mark.parametrize(
    ("published", "spoken"),
    [
        ("Godfather, The", "The Godfather"),
        ("Clockwork Orange, A", "A Clockwork Orange"),
        ("Postino, Il", "Il Postino"),
        ("Eye of Vichy, The (Oeil de Vichy, L')", "The Eye of Vichy (L'Oeil de Vichy)"),
        ("Hate (Haine, La)", "Hate (La Haine)"),
        ("Good, The Bad and The Ugly, The", "The Good, The Bad and The Ugly"),
        ("I, Worst of All (Yo, la peor de todas)", "I, Worst of All (Yo, la peor de todas)"),
        ("Maybe, Maybe Not (Bewegte Mann, Der)", "Maybe, Maybe Not (Der Bewegte Mann)"),
        ("Toy Story", "Toy Story"),
    ],
)
def test_articles_are_put_where_they_are_spoken(published, spoken):
    assert reading_order(published) == spoken


def test_describe_verbalises(films):
    assert films.describe("title", "year", "genres") == [
        "Toy Story (1995). Genres: Animation, Children's, Comedy",
        "The Godfather (1972). Genres: Crime",
        "unknown. Genres: unknown",
    ]
    assert films.describe("title") == ["Toy Story", "The Godfather", "unknown"]
    assert films.describe("year", "genres")[1:] == [
        "Year: 1972. Genres: Crime",
        "Year: unknown. Genres: unknown",
    ]
    assert films.describe("title", "description")[:2] == ["Toy Story. Toys live", "The Godfather"]


def test_describe_refuses_what_it_does_not_know(films):
    with pytest.raises(ValueError, match=r"Toy films has no field 'plot'; choose from item_id, title"):
        films.describe("title", "plot")
    with pytest.raises(ValueError, match="at least one field"):
        films.describe()


def test_rows_and_titles(films):
    assert len(films) == 3
    assert films.titles[1] == "Godfather, The"
    assert films.rows[1]["title_plain"] == "The Godfather"
    assert films.rows[2]["year"] is None


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (FILMS.drop(columns="title"), r"toy\.item: the column title is missing"),
        (FILMS.iloc[:0], r"toy\.item: the file holds no item"),
        (FILMS.assign(item_id=["1", "2", "1"]), r"toy\.item, line 4: the item 1 occurs for the second time"),
        (FILMS.assign(title=["Toy Story", " ", "unknown"]), r"toy\.item, line 3: the title is empty"),
    ],
)
def test_bad_tables_are_refused(frame, message):
    with pytest.raises(DataError, match=message):
        Catalogue.from_frame(frame, name="Toy films", source="toy.item")


def test_a_stored_catalogue_keeps_what_was_computed_from_it(cache):
    def load_and_measure():
        rows = Catalogue.stored(FILMS, name="Toy films", source="toy.item").rows
        return rows.map(lambda row: {"length": len(row["title"])})

    first, second = load_and_measure(), load_and_measure()
    assert first["length"][1] == 14
    assert first._fingerprint == second._fingerprint
    assert len(list((cache / "catalogues").rglob("cache-*.arrow"))) == 1
    assert not list(cache.rglob("*.part"))


def test_another_content_is_another_file(cache):
    Catalogue.stored(FILMS, name="Toy films", source="toy.item")
    Catalogue.stored(FILMS.assign(title=["A", "B", "C"]), name="Toy films", source="toy.item")
    assert len(list((cache / "catalogues").iterdir())) == 2
