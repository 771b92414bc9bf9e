"""Fixtures of the data tests: an empty cache folder, and small files in the formats that the loaders read."""

import pytest


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache folder; no mirror folder, not offline."""
    folder = tmp_path / "cache"
    folder.mkdir()
    monkeypatch.setenv("COURSE_DATA", str(folder))
    monkeypatch.delenv("COURSE_DATA_MIRROR", raising=False)
    monkeypatch.delenv("COURSE_OFFLINE", raising=False)
    return folder


SMALL_MOVIELENS_100K = {
    "ml-100k.item": [
        "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq",
        "1\tToy Story\t1995\tAnimation Children's Comedy",
        "2\tGodfather, The\t1972\tAction Crime Drama",
        "3\tunkonwn\tunkonwn\tunknown",
    ],
    "ml-100k.user": [
        "user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token",
        "1\t24\tM\ttechnician\t85711",
        "2\t53\tF\tother\t94043",
    ],
    "ml-100k.inter": [
        "user_id:token\titem_id:token\trating:float\ttimestamp:float",
        "2\t1\t3\t881250949",
        "1\t2\t5\t881250950",
        "1\t3\t1\t881250951",
    ],
}


@pytest.fixture
def small_movielens(cache):
    """A function that writes three hand-made MovieLens-100K files, with lines changed: {file: {line: text}}.

    A text of None removes the line; a file mapped to None is left empty.
    """

    def write(changes=None):
        folder = cache / "movielens-100k"
        folder.mkdir(exist_ok=True)
        for file, lines in SMALL_MOVIELENS_100K.items():
            changed = (changes or {}).get(file, {})
            if changed is None:
                (folder / file).write_text("")
                continue
            kept = [changed.get(number, line) for number, line in enumerate(lines, start=1)]
            (folder / file).write_text("".join(f"{line}\n" for line in kept if line is not None))

    return write
