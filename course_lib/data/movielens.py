"""The MovieLens data sets of GroupLens (Harper and Konstan 2015, doi:10.1145/2827872).

Every rating counts as an interaction, whatever its value, unless a chapter says otherwise.

Items get their positions in an order that means nothing, by a hash of their id. The publisher's ids follow
popularity, and rankings break ties by position: with the publisher's order a scorer that gives every film of
MovieLens-100K the same score reaches four times the Recall@10 of chance.
"""

import re

import numpy as np
import pandas as pd
import pyarrow as pa

from course_lib.data.cache import AssetMissing, asset_path
from course_lib.data.catalogue import Catalogue
from course_lib.data.interactions import DataError, Interactions
from course_lib.data.split import meaningless_order
from course_lib.data.text_files import check_rows, read_lines, read_rows, restore

_TITLE_WITH_YEAR = re.compile(r"^(?P<title>.+?)\s*\((?P<year>\d{4})\)\s*$")


def load_movielens_100k() -> tuple[Interactions, Catalogue]:
    """100,000 ratings (1 to 5) of 1,682 films by 943 users, September 1997 to April 1998, and the films.

    User ids run from 1 without a gap, position = id - 1; item positions are shuffled (see the top of this
    file). Two rows are repaired: film 1412, whose year stood in its title, and film 267, of which nothing is
    known, not even how to spell "unknown". Eighteen films occur under two ids with the same title and year;
    they are kept apart, as everywhere in the literature.

    Raises `AssetMissing` if it is not fetched, `DataError` if the files are not what they should be.
    """
    films = _movielens_100k_films()
    year_in_title = films["title"].str.extract(_TITLE_WITH_YEAR.pattern)
    has_year = year_in_title["year"].notna()
    films.loc[has_year, ["title", "year"]] = year_in_title[has_year]
    films["title"] = films["title"].replace("unkonwn", "unknown")
    years = films["year"].replace({"unkonwn": "0", "": "0"}).to_frame()
    check_rows(years, "movielens-100k", "ml-100k.item", numbers=["year"])
    films["year"] = years["year"].astype(int).astype("Int64").replace(0, pd.NA)
    films["genres"] = [[genre for genre in text.split() if genre != "unknown"] for text in films["genres"]]
    films = films.iloc[meaningless_order(films["item_id"])]
    ratings = _read_table(
        "movielens-100k", "ml-100k.inter", ["user", "item", "rating", "timestamp"], header=True
    )
    interactions = Interactions.from_frame(
        ratings,
        name="MovieLens-100K",
        source="ml-100k.inter",
        user_ids=_movielens_100k_users()["user"].to_numpy(),
        item_ids=films["item_id"].to_numpy(),
    )
    _expect(interactions, "movielens-100k", "ml-100k.inter", n=100_000, users=943, items=1_682)
    return interactions, Catalogue.stored(films, name="MovieLens-100K films", source="ml-100k.item")


def load_movielens_100k_users() -> pd.DataFrame:
    """The 943 users in the order of `Interactions.user_ids`: user (str), age (int, years), gender (M or F),
    occupation (one of 21 words), zip (str).

    Raises as `load_movielens_100k`.
    """
    users = check_rows(_movielens_100k_users(), "movielens-100k", "ml-100k.user", count=943)
    users["age"] = users["age"].astype(int)
    return users.reset_index(drop=True)


def load_movielens_100k_graph() -> tuple[pd.DataFrame, pd.DataFrame]:
    """A cut of Freebase around the films: the triples, and which film is which entity.

    Returns (triples, links). triples: 91,631 rows head, relation, tail (str; 24 relations, most of them in
    both directions under two names). links: 1,598 rows item (int, the item's position), entity (str); 84
    films have no entity. Raises as `load_movielens_100k`.

    Beware: as distributed, the links do not fit the films. All 1,598 are KB4Rec's, numbered as MovieLens-1M
    and later sets number their films, and the ratings are numbered as MovieLens-100K does: film 2 is
    GoldenEye here and Jumanji there. `item` follows the file as it is. To join rightly, go by title and year
    over the films of MovieLens-1M or latest-small.
    """
    triples = _read_table("movielens-100k-graph", "ml-100k.kg", ["head", "relation", "tail"], header=True)
    links = _read_table("movielens-100k-graph", "ml-100k.link", ["item", "entity"], header=True)
    films = _movielens_100k_films()
    ids = films["item_id"].to_numpy()[meaningless_order(films["item_id"])]
    asset = "movielens-100k-graph"
    check_rows(triples, asset, "ml-100k.kg", count=91_631)
    check_rows(links, asset, "ml-100k.link", unique="item", count=1_598)
    positions = pd.Index(ids).get_indexer(links["item"])
    if (positions < 0).any():
        bad = links[positions < 0].iloc[0]
        raise DataError(
            f"ml-100k.link, line {bad.name}: the item {bad['item']} is not in ml-100k.item; {restore(asset)}."
        )
    links["item"] = positions
    return triples.reset_index(drop=True), links.sort_values("item", kind="stable", ignore_index=True)


def load_movielens(scale: str) -> tuple[Interactions, Catalogue]:
    """The ratings of a chapter's `scale`: "small" is MovieLens-100K, "full" is MovieLens-1M.

    Raises as the two loaders do, and `ValueError` for another scale.
    """
    if scale not in ("small", "full"):
        raise ValueError(
            f"There is no scale {scale!r}; choose 'small' (MovieLens-100K) or 'full' (MovieLens-1M)."
        )
    return load_movielens_100k() if scale == "small" else load_movielens_1m()


def load_movielens_1m(variant: str = "full") -> tuple[Interactions, Catalogue]:
    """One million ratings of 3,706 films by 6,040 users, in one of three variants; the name tells which.

    variant "full": the publisher's file, with ratings and times. "pairs": the same pairs in the same order
    without ratings and times (for tests that need neither, and for who has only the mirror folder).
    "timed": the 487,650 ratings of users 1 to 2999, with times, of 3,615 films. Where the publisher's file
    is there, all three are made from it.

    Items are the films with at least one interaction. Raises `AssetMissing` if neither source is fetched,
    `DataError` if the files are not what they should be, `ValueError` for an unknown variant.
    """
    if variant not in _MOVIELENS_1M:
        raise ValueError(f"MovieLens-1M has no variant {variant!r}; choose from {', '.join(_MOVIELENS_1M)}.")
    asset, name, expected = _MOVIELENS_1M[variant]
    try:
        ratings, source = _movielens_1m_ratings("movielens-1m"), "ratings.dat"
        asset = "movielens-1m"
    except AssetMissing:
        if variant == "full":
            there = "pairs and timed are what the mirror folder has; load_movielens_1m('pairs') gives one."
            raise AssetMissing(
                "movielens-1m/ratings.dat is not there: run `python course.py data get movielens-1m`; "
                + there
            ) from None
        ratings, source = _movielens_1m_ratings(asset), _MOVIELENS_1M_FILES[asset]
    if variant == "pairs":
        ratings = ratings[["user", "item"]]
    elif variant == "timed":
        check_rows(ratings, asset, source, numbers=["user"])
        ratings = ratings[ratings["user"].astype(int) <= 2999]
    films = _read_table(
        asset, "movies.dat", ["item_id", "title", "genres"], separator="::", encoding="latin-1"
    )
    check_rows(films, asset, "movies.dat", numbers=["item_id"], unique="item_id")
    films = _with_year_and_genres(films)
    interactions, films = _only_seen(ratings, films, name=name, source=source)
    _expect(interactions, asset, source, **expected)
    return interactions, Catalogue.stored(films, name=f"{name} films", source="movies.dat")


def load_movielens_1m_users() -> pd.DataFrame:
    """The 6,040 users of MovieLens-1M: user (str), gender (M or F), age (int, the lower end of its band),
    occupation (int, the publisher's code), zip (str). Raises as `load_movielens_1m`."""
    columns = ["user", "gender", "age", "occupation", "zip"]
    for asset in ("movielens-1m", "movielens-1m-pairs", "movielens-1m-timed"):
        try:
            users = _read_table(asset, "users.dat", columns, separator="::", encoding="latin-1")
            break
        except AssetMissing as missing:
            absent = missing
    else:
        raise absent
    check_rows(users, asset, "users.dat", numbers=["age", "occupation"], unique="user", count=6_040)
    return users.astype({"age": int, "occupation": int}).reset_index(drop=True)


def load_movielens_1m_ncf_test() -> tuple[np.ndarray, np.ndarray]:
    """The public leave-one-out test of He et al. (2017, arXiv:1708.05031) on MovieLens-1M.

    Returns (held_out, negatives): int64 [6040], the held-out item of each user, and int64 [6040, 99], items
    sampled for that user; positions as in `load_movielens_1m("pairs")`. 156 of the 597,960 negatives are
    items that the user did rate; they are left as published. Raises as `load_movielens_1m`.
    """
    columns = ["user", "item", "rating", "timestamp"]
    asset, file = "ncf-ml-1m", "ml-1m.test.negative"
    held_out = _read_table(asset, "ml-1m.test.rating", columns)
    check_rows(held_out, asset, "ml-1m.test.rating", numbers=["user", "item"], count=6_040)
    held_out = held_out[["user", "item"]].astype(np.int64)
    fields = [line.split("\t") for line in read_lines(asset, file)]
    pairs = [f"({user},{item})" for user, item in zip(held_out["user"], held_out["item"], strict=True)]
    for number, pair in enumerate(pairs, start=1):
        row = fields[number - 1] if number <= len(fields) else []
        if len(row) != 100 or row[0] != pair or not all(map(_is_item_of_1m, row[1:])):
            raise DataError(
                f"{file}, line {number}: {pair} and 99 negatives were expected; {restore(asset)}."
            )
    if held_out["user"].tolist() != list(range(6_040)):
        raise DataError("ml-1m.test.rating: users 0..6039 were expected, one a line, in this order.")
    # The published files number the films in the order of their first rating.
    position = pd.unique(load_movielens_1m("pairs")[0].items)
    negatives = np.array([row[1:] for row in fields[:6_040]], dtype=np.int64)
    if held_out["item"].max() >= len(position) or len(fields) > 6_040:
        raise DataError(f"{file}: 6,040 lines with items 0..3705 were expected; {restore(asset)}.")
    return position[held_out["item"]], position[negatives]


def load_movielens_latest_small() -> tuple[Interactions, Catalogue]:
    """100,836 ratings (0.5 to 5) of 9,724 films by 610 users, 1996 to 2018 (the September 2018 release).

    Items are the films with at least one rating. The catalogue has also
    imdb_id and tmdb_id (str or None), the keys to posters and plots elsewhere. Raises `AssetMissing` if it
    is not fetched, `DataError` if the files are not what they should be.
    """
    asset = "movielens-latest-small"
    ratings = _read_table(asset, "ratings.csv", ["user", "item", "rating", "timestamp"], ",", header=True)
    films = _read_table(asset, "movies.csv", ["item_id", "title", "genres"], ",", header=True)
    links = _read_table(asset, "links.csv", ["item_id", "imdb_id", "tmdb_id"], ",", header=True)
    check_rows(films, asset, "movies.csv", numbers=["item_id"], unique="item_id")
    check_rows(links, asset, "links.csv", numbers=["item_id"], unique="item_id")
    line_numbers = films.index
    films = films.merge(links, on="item_id", how="left", validate="one_to_one").set_index(line_numbers)
    films[["imdb_id", "tmdb_id"]] = films[["imdb_id", "tmdb_id"]].replace("", None)
    films = _with_year_and_genres(films)
    films = films[films["item_id"].isin(ratings["item"])]
    films = films.iloc[meaningless_order(films["item_id"])]
    interactions = Interactions.from_frame(
        ratings,
        name="MovieLens latest-small",
        source="ratings.csv",
        user_ids=ratings["user"].unique(),
        item_ids=films["item_id"].to_numpy(),
    )
    _expect(interactions, asset, "ratings.csv", n=100_836, users=610, items=9_724)
    return interactions, Catalogue.stored(films, name="MovieLens latest-small films", source="movies.csv")


_MOVIELENS_1M = {
    "full": ("movielens-1m", "MovieLens-1M", {"n": 1_000_209, "users": 6_040, "items": 3_706}),
    "pairs": (
        "movielens-1m-pairs",
        "MovieLens-1M (all pairs, no times)",
        {"n": 1_000_209, "users": 6_040, "items": 3_706},
    ),
    "timed": (
        "movielens-1m-timed",
        "MovieLens-1M (users 1-2999)",
        {"n": 487_650, "users": 2_999, "items": 3_615},
    ),
}
_MOVIELENS_1M_FILES = {
    "movielens-1m": "ratings.dat",
    "movielens-1m-pairs": "pairs.parquet",
    "movielens-1m-timed": "ratings-users-1-2999.dat.gz",
}


def _movielens_1m_ratings(asset: str) -> pd.DataFrame:
    if asset == "movielens-1m-pairs":
        file = _MOVIELENS_1M_FILES[asset]
        path = asset_path(asset, file)
        try:
            pairs = pd.read_parquet(path).rename(columns={"userID": "user", "movieID": "item"})
            return pairs[["user", "item"]]
        except (OSError, pa.ArrowException, KeyError) as error:
            raise DataError(f"{file}: the file is cut or damaged ({error}); {restore(asset)}.") from None
    columns = ["user", "item", "rating", "timestamp"]
    return _read_table(asset, _MOVIELENS_1M_FILES[asset], columns, separator="::")


def _is_item_of_1m(text: str) -> bool:
    return text.isdecimal() and len(text) <= 4 and int(text) < 3_706


def _movielens_100k_films() -> pd.DataFrame:
    films = _read_table("movielens-100k", "ml-100k.item", ["item_id", "title", "year", "genres"], header=True)
    return check_rows(films, "movielens-100k", "ml-100k.item", numbers=["item_id"], unique="item_id")


def _movielens_100k_users() -> pd.DataFrame:
    columns = ["user", "age", "gender", "occupation", "zip"]
    users = _read_table("movielens-100k", "ml-100k.user", columns, header=True)
    return check_rows(users, "movielens-100k", "ml-100k.user", numbers=["user", "age"], unique="user")


def _only_seen(
    ratings: pd.DataFrame, films: pd.DataFrame, *, name: str, source: str
) -> tuple[Interactions, pd.DataFrame]:
    """Interactions over the films with at least one rating, and these films in the same order."""
    by_id = films.set_index("item_id", drop=False)
    item_ids = ratings["item"].unique()
    # Where a film is not known, from_frame names the line.
    known = np.isin(item_ids, by_id.index).all()
    item_ids = item_ids[meaningless_order(item_ids)] if known else by_id.index
    interactions = Interactions.from_frame(
        ratings, name=name, source=source, user_ids=ratings["user"].unique(), item_ids=item_ids
    )
    return interactions, by_id.loc[interactions.item_ids].reset_index(drop=True)


def _with_year_and_genres(films: pd.DataFrame) -> pd.DataFrame:
    """Split "Toy Story (1995)" into title and year, and "Comedy|Drama" into a list."""
    parts = films["title"].str.extract(_TITLE_WITH_YEAR.pattern)
    genres = films["genres"].replace("(no genres listed)", "").str.split("|")
    return films.assign(
        title=parts["title"].fillna(films["title"].str.strip()),
        year=pd.to_numeric(parts["year"]).astype("Int64"),
        genres=[[genre for genre in listed if genre] for listed in genres],
    )


def _read_table(
    asset: str,
    file: str,
    columns: list[str],
    separator: str = "\t",
    *,
    header: bool = False,
    encoding: str = "utf-8",
) -> pd.DataFrame:
    """Every field as text, the index = line numbers; in UTF-8, or with `encoding` "latin-1" in either.

    Raises `DataError` naming file, line and fix."""
    return read_rows(asset, file, columns, separator, header=header, or_latin_1=encoding == "latin-1")


def _expect(interactions: Interactions, asset: str, file: str, *, n: int, users: int, items: int) -> None:
    """The published counts: a file that parses is not yet the whole file."""
    found = (len(interactions), interactions.n_users, interactions.n_items)
    if found != (n, users, items):
        raise DataError(
            f"{interactions.name}: {n:,} interactions, {users:,} users and {items:,} items were expected, "
            f"found {found[0]:,}, {found[1]:,} and {found[2]:,}; "
            f"{file} or the files beside it were cut; {restore(asset)}."
        )
