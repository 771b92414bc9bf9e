"""MIND's files, written by hand: each quirk, each kind of damage, and a round trip of random impressions."""

import json
import os
import string
import tempfile
import warnings
import zipfile
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.data import (
    AssetMissing,
    DataError,
    Impressions,
    Interactions,
    load_mind,
    load_mind_entities,
    mind_files,
    news,
)
from course_lib.retrieve import recency_histories

ENTITY = '{"Label": "Queen \\"Bess\\" \\u00e9", "Type": "P", "WikidataId": "Q9682", "Confidence": 1.0}'
NEWS = {
    "train": [
        f'N1\tnews\tnewsus\tA "quoted title, and \'more\t"\thttps://example.org/1\t[{ENTITY}, {ENTITY}]\t[]',
        "N2\tsports\tgolf\tGolf\t\thttps://example.org/2\t[]\t",
        "N3\tlifestyle\troyals\tRoyals\tAbstract\thttps://example.org/3\t[]\t[]",
    ],
    "dev": [
        "N2\tsports\tgolf\tGolf, later\t\thttps://example.org/2\t[]\t[]",
        "N4\tnews\tnewsworld\tNouvelles d’été\tBref\thttps://example.org/4\t[]\t[]",
    ],
}
BEHAVIOURS = {
    "train": [
        "1\tU1\t11/9/2019 12:00:01 AM\tN3 N1 N3\tN2-0 N1-1",
        "2\tU2\t11/14/2019 11:59:59 PM\t\tN3-1 N2-1 N1-0",
        "3\tU1\t11/11/2019 9:05:58 AM\tN3 N1 N3\tN1-1",
    ],
    "dev": ["1\tU3\t11/15/2019 1:00:00 PM\tN2\tN4-1 N2-0"],
}
VECTORS = {"train": {"Q1": 1, "Q2": 2}, "dev": {"Q3": 3, "Q1": 9}}


def vector_line(entity, value, end="\t"):
    return "\t".join([entity, *[f"{value:.6f}"] * 100]) + end


@pytest.fixture
def parts(cache, tmp_path):
    """A function that writes both parts, with lines changed, and names them as `load_mind` wants.

    Changes are {"train/news.tsv": {line: text}}; a text of None removes the line.
    """

    def write(changes=None, newline="\n"):
        for part in ("train", "dev"):
            vectors = [vector_line(*of_entity) for of_entity in VECTORS[part].items()]
            files = {
                "news.tsv": NEWS[part],
                "behaviors.tsv": BEHAVIOURS[part],
                "entity_embedding.vec": vectors,
            }
            (tmp_path / part).mkdir(exist_ok=True)
            for file, lines in files.items():
                changed = (changes or {}).get(f"{part}/{file}", {})
                kept = [changed.get(number, line) for number, line in enumerate(lines, start=1)]
                kept += [text for number, text in changed.items() if number > len(lines)]
                text = "".join(line + newline for line in kept if line is not None)
                (tmp_path / part / file).write_bytes(text.encode("utf-8", "surrogateescape"))
        return {"train": tmp_path / "train", "dev": tmp_path / "dev"}

    return write


def tables(loaded):
    """Everything that was loaded, with ids instead of positions."""
    return [impressions_by_id(part) for part in loaded[:2]], articles_by_id(loaded)


def impressions_by_id(part):
    users, items = part.user_ids.tolist(), part.item_ids.tolist()
    return [
        {
            **row,
            "user": users[row["user"]],
            "history": [items[place] for place in row["history"]],
            "shown": [items[place] for place in row["shown"]],
        }
        for row in part.rows
    ]


def articles_by_id(loaded):
    assert loaded.train.item_ids.tolist() == list(loaded.catalogue.rows["item_id"])
    return {row["item_id"]: row for row in loaded.catalogue.rows}


def test_both_parts_share_one_space_of_users_and_articles(parts):
    loaded = load_mind(**parts())
    (train, dev), articles = tables(loaded)
    assert train[0] == {
        "impression_id": "1",
        "user": "U1",
        "time": datetime(2019, 11, 9, 0, 0, 1),
        "history": ["N3", "N1", "N3"],
        "shown": ["N2", "N1"],
        "clicked": [0, 1],
    }
    assert [row["time"].isoformat() for row in train[1:]] == ["2019-11-14T23:59:59", "2019-11-11T09:05:58"]
    assert dev[0]["time"].isoformat() == "2019-11-15T13:00:00"
    assert (dev[0]["shown"], dev[0]["clicked"]) == (["N4", "N2"], [1, 0])
    assert loaded.dev.user_ids.tolist() == ["U1", "U2", "U3"]
    assert sorted(articles) == ["N1", "N2", "N3", "N4"]
    assert articles["N2"]["title"] == "Golf"  # train's, where both have one
    in_parts = {key: (row["in_train"], row["in_dev"]) for key, row in articles.items()}
    assert in_parts == {"N1": (True, False), "N2": (True, True), "N3": (True, False), "N4": (False, True)}
    assert repr(loaded.train) == (
        "news in MIND's format, train: 3 impressions of 2 users, 6 articles shown, 4 of them clicked"
    )
    assert repr(loaded.dev) in repr(loaded)


def test_quotes_are_text(parts):
    article = articles_by_id(load_mind(**parts()))["N1"]
    assert article["title"] == article["title_plain"] == "A \"quoted title, and 'more"
    assert article["abstract"] == '"'


def test_an_empty_abstract_is_an_empty_text(parts):
    loaded = load_mind(**parts())
    assert articles_by_id(loaded)["N2"]["abstract"] == ""
    assert "Nouvelles d’été. Bref" in loaded.catalogue.describe("title", "abstract")


def test_entities_with_escapes_and_repetitions_and_an_empty_cell(parts):
    articles = articles_by_id(load_mind(**parts()))
    assert articles["N1"]["title_entities"] == ["Q9682"]
    assert articles["N2"]["abstract_entities"] == []


def test_an_empty_history_is_an_empty_list(parts):
    train = load_mind(**parts()).train
    assert train.rows[1]["history"] == []
    assert train.histories().matrix.indptr.tolist() == [0, 2, 2, 4]


def test_lines_may_end_with_cr_lf_and_the_last_with_nothing(parts):
    expected = tables(load_mind(**parts()))
    assert tables(load_mind(**parts(newline="\r\n"))) == expected
    folders = parts()
    path = folders["dev"] / "behaviors.tsv"
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    assert tables(load_mind(**folders)) == expected


def test_blocks_of_any_size_give_the_same_tables(parts, monkeypatch):
    expected = tables(load_mind(**parts()))
    for size in (1, 7, 60):
        monkeypatch.setattr(mind_files, "BLOCK_BYTES", size)
        monkeypatch.setattr(news, "_FORMAT", f"test {size}")
        assert tables(load_mind(**parts())) == expected


@pytest.mark.parametrize("inside", ["", "MINDsmall_train/"])
def test_a_zip_is_read_where_it_lies(parts, tmp_path, inside):
    folders = parts()
    expected = tables(load_mind(**folders))
    (tmp_path / "downloads").mkdir()
    packed = tmp_path / "downloads" / "MINDsmall_train.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("__MACOSX/._news.tsv", b"not a table")
        for path in folders["train"].iterdir():
            archive.write(path, inside + path.name)
    for train in (packed, tmp_path / "downloads"):  # the zip, and a folder with a zip in it
        assert tables(load_mind(train=train, dev=folders["dev"])) == expected
    assert list((tmp_path / "downloads").iterdir()) == [packed]


def test_a_folder_within_the_folder_is_found_and_two_are_not_guessed_between(parts, tmp_path):
    folders = parts()
    expected = tables(load_mind(**folders))
    outer = tmp_path / "outer"
    outer.mkdir()
    folders["train"].rename(outer / "MINDsmall_train")
    assert tables(load_mind(train=outer, dev=folders["dev"])) == expected
    folders["dev"].rename(outer / "MINDsmall_dev")
    with pytest.raises(DataError, match=r"there is 2 \(MINDsmall_dev/news.tsv, .*; name the folder"):
        load_mind(train=outer, dev=outer)


def test_missing_and_broken_files_are_named(parts, tmp_path):
    folders = parts()
    with pytest.raises(DataError, match="elsewhere is not there; name a folder or a zip"):
        load_mind(train=tmp_path / "elsewhere", dev=folders["dev"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"one news\.tsv was expected, there is none"):
        load_mind(train=tmp_path / "empty", dev=folders["dev"])
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"PK no zip")
    with pytest.raises(DataError, match=r"broken\.zip cannot be read as a zip file .*; fetch it again"):
        load_mind(train=broken, dev=folders["dev"])
    with zipfile.ZipFile(broken, "w") as archive:
        for path in folders["train"].iterdir():
            archive.write(path, path.name)
    broken.write_bytes(broken.read_bytes().replace(b"Royals", b"Roayls"))
    with pytest.raises(DataError, match=r"broken\.zip is a damaged zip file .*; fetch it again"):
        load_mind(train=broken, dev=folders["dev"])
    (folders["dev"] / "behaviors.tsv").unlink()
    with pytest.raises(DataError, match=r"dev has no behaviors\.tsv beside news\.tsv; put it there"):
        load_mind(**folders)
    with pytest.raises(AssetMissing, match=r"python course\.py data get mind-small"):
        load_mind()
    with pytest.raises(AssetMissing, match=r"python course\.py data get simulated-news"):
        load_mind("simulated")
    with pytest.raises(ValueError, match="There is no MIND of size 'medium'; choose from demo, small"):
        load_mind("medium")
    with pytest.raises(ValueError, match="Name both"):
        load_mind(train=tmp_path)
    with pytest.raises(ValueError, match="must be 'refuse' or 'skip', not 'mend'"):
        load_mind(**folders, malformed="mend")


DAMAGE = [
    (
        "train/behaviors.tsv",
        {2: "2\tU2\t11/14/2019 11:59:59 PM\tN3-1"},
        "5 columns, impression id to impressio",
    ),
    ("train/behaviors.tsv", {2: ""}, "5 columns, impression id to impressions, were expected, found 1"),
    ("train/behaviors.tsv", {3: "\tU1\t11/11/2019 9:05:58 AM\t\tN1-1"}, "the impression id is empty"),
    ("train/behaviors.tsv", {3: "3\t\t11/11/2019 9:05:58 AM\t\tN1-1"}, "the user id is empty"),
    ("train/behaviors.tsv", {1: "1\tU1\t2019-11-11 9:05\t\tN1-1"}, "the time '2019-11-11 9:05' is not like"),
    ("train/behaviors.tsv", {1: "1\tU1\t2/30/2019 9:05:58 AM\t\tN1-1"}, "the time '2/30/2019 9:05:58 AM' is"),
    ("train/behaviors.tsv", {1: "1\tU1\t2/3/2019 13:05:58 PM\t\tN1-1"}, "the time '2/3/2019 13:05:58 PM' is"),
    (
        "train/behaviors.tsv",
        {2: "2\tU2\t2/3/2019 9:05:58 AM\tN1 N9 N8\tN1-1"},
        "the history names 'N9', which",
    ),
    (
        "train/behaviors.tsv",
        {2: "2\tU2\t2/3/2019 9:05:58 AM\tN1  N3\tN1-1"},
        "the history names '', which no",
    ),
    (
        "train/behaviors.tsv",
        {2: "2\tU2\t2/3/2019 9:05:58 AM\t\tN1-1 N9-0"},
        "the impression 'N9-0' is not an",
    ),
    ("train/behaviors.tsv", {2: "2\tU2\t2/3/2019 9:05:58 AM\t\tN1-2"}, "the impression 'N1-2' is not an art"),
    ("train/behaviors.tsv", {2: "2\tU2\t2/3/2019 9:05:58 AM\t\tN1"}, "the impression 'N1' is not an article"),
    ("train/behaviors.tsv", {2: "2\tU2\t2/3/2019 9:05:58 AM\t\t"}, "no article is shown"),
    (
        "train/behaviors.tsv",
        {3: "1\tU1\t2/3/2019 9:05:58 AM\t\tN1-1"},
        "the impression id '1' occurs for the s",
    ),
    ("train/behaviors.tsv", {1: "1\tU\udcff\t2/3/2019 9:05:58 AM\t\tN1-1"}, "the line is not in UTF-8"),
    (
        "dev/news.tsv",
        {1: "N2\tsports\tgolf\tGolf\t"},
        "8 columns, news id to abstract entities, were expected,",
    ),
    ("dev/news.tsv", {1: "\tsports\tgolf\tGolf\t\t\t[]\t[]"}, "the news id is empty"),
    ("dev/news.tsv", {1: "N2\tsports\tgolf\t \t\t\t[]\t[]"}, "the title is empty"),
    (
        "dev/news.tsv",
        {2: "N2\tsports\tgolf\tGolf\t\t\t[]\t[]"},
        "the article id 'N2' occurs for the second time",
    ),
    (
        "dev/news.tsv",
        {2: "N4\tnews\tx\tT\t\t\t[{]\t[]"},
        "the title entities are not a JSON list of entities",
    ),
    ("dev/news.tsv", {2: 'N4\tnews\tx\tT\t\t\t[]\t[{"Label": "x"}]'}, "the abstract entities are not a JSON"),
    ("dev/news.tsv", {2: "N4\tnews\tx\tT\udcc3\t\t\t[]\t[]"}, "the line is not in UTF-8"),
]


@pytest.mark.parametrize(("file", "lines", "problem"), DAMAGE)
def test_a_malformed_line_is_refused_with_file_line_and_remedy(parts, cache, file, lines, problem):
    with pytest.raises(DataError) as caught:
        load_mind(**parts({file: lines}))
    assert str(caught.value).startswith(f"{file}, line {next(iter(lines))}: {problem}")
    assert str(caught.value).endswith("; repair the line, or skip such lines with malformed='skip'.")
    assert [path for path in cache.rglob("*") if path.is_file()] == []  # nothing half made


def test_malformed_lines_are_skipped_when_asked_counted_and_told_each_time(parts):
    changes = {
        "train/behaviors.tsv": {1: "1\tU0\tnever\t\tN1-1", 4: "4", 5: "5\tU1\t2/3/2019 1:00:00 AM\t\tN9-1"},
        "dev/behaviors.tsv": {2: "1\tU4\t2/3/2019 1:00:00 AM\t\tN4-1"},
    }
    for _ in range(2):  # the second time from the cache
        with pytest.warns(UserWarning, match="news in MIND's format: 4 malformed lines left out; ") as caught:
            loaded = load_mind(**parts(changes), malformed="skip")
        assert len(caught) == 1
        assert "first: train/behaviors.tsv, line 1: the time 'never'" in str(caught[0].message)
        assert str(caught[0].message).count(", line ") == 3
        assert [list(part.rows["impression_id"]) for part in loaded[:2]] == [["2", "3"], ["1"]]
        assert loaded.train.user_ids.tolist() == ["U2", "U1", "U3"]
    with pytest.raises(DataError, match=r"train/behaviors\.tsv, line 1"):
        load_mind(**parts(changes))


def test_a_line_that_was_malformed_does_not_take_the_id_of_a_good_one(parts):
    folders = parts({"train/behaviors.tsv": {1: "2\tU1\tnever\t\tN1-1"}})
    with pytest.warns(UserWarning, match="1 malformed"):
        assert list(load_mind(**folders, malformed="skip").train.rows["impression_id"]) == ["2", "3"]


def test_files_without_a_line_are_refused(parts):
    with pytest.raises(DataError, match=r"dev/behaviors\.tsv: the file holds no impression; fetch it again"):
        load_mind(**parts({"dev/behaviors.tsv": {1: None}}))
    with pytest.raises(DataError, match=r"dev/news\.tsv: the file holds no article; fetch it again"):
        load_mind(**parts({"dev/news.tsv": {1: None, 2: None}}))


def test_the_second_load_parses_nothing_and_other_content_is_parsed_anew(parts, monkeypatch):
    expected = tables(load_mind(**parts()))
    with monkeypatch.context() as patched:
        patched.setattr(news, "read_behaviours", None)
        again = load_mind(**parts())
    assert tables(again) == expected
    assert again.catalogue.rows._fingerprint == load_mind(**parts()).catalogue.rows._fingerprint
    changed = load_mind(**parts({"dev/behaviors.tsv": {1: "1\tU3\t11/15/2019 1:00:00 PM\tN2\tN4-0 N2-1"}}))
    assert changed.dev.rows[0]["clicked"] == [0, 1]


def test_published_counts_are_checked_where_the_size_is_named(parts):
    with pytest.raises(DataError, match="MIND-small, train: 51,282 news were expected, found 3; restore"):
        load_mind("small", **parts())
    counts = load_mind("demo", **parts()).counts().set_index(["part", "count"])
    assert counts.loc["train", "found"].to_dict() == {
        "news": 3,
        "impressions": 3,
        "users": 2,
        "shown": 6,
        "clicks": 4,
        "without history": 1,
        "without abstract": 1,
    }
    assert counts["published"].isna().all()


def test_simulated_news_are_always_named_so(parts, tmp_path):
    assert load_mind("simulated", **parts()).train.name == "simulated news, train"
    (tmp_path / "truth.npz").touch()
    loaded = load_mind("small", **parts())  # whatever size is claimed
    assert [part.name for part in loaded] == [f"simulated news, {x}" for x in ("train", "dev", "articles")]


def test_vectors_of_entities_from_both_parts(parts):
    ids, vectors = load_mind_entities(**parts())
    assert ids.tolist() == ["Q1", "Q2", "Q3"]
    assert (vectors.shape, vectors.dtype, vectors[:, 99].tolist()) == ((3, 100), np.float32, [1, 2, 3])


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("Q2\t1\t2", "line 2: 101 columns, entity id to value 100, were expected, found 3; repair the line."),
        (vector_line("Q2", 2).replace("2.000000", "2,5", 1), "line 2: value 1 is '2,5', not a number"),
    ],
)
def test_a_malformed_vector_is_refused(parts, line, problem):
    with pytest.raises(DataError, match=rf"train/entity_embedding\.vec, {problem}"):
        load_mind_entities(**parts({"train/entity_embedding.vec": {2: line}}))


def test_lists_and_relevant_articles(parts):
    train = load_mind(**parts()).train
    shown, clicked = train.lists()
    ids = np.append(train.item_ids, "-")
    assert ids[shown].tolist() == [["N2", "N1", "-"], ["N3", "N2", "N1"], ["N1", "-", "-"]]
    assert clicked.tolist() == [[0, 1, -1], [1, 1, 0], [1, -1, -1]]
    assert (shown.dtype, clicked.dtype) == (np.int64, np.int8)
    relevant = train.relevant().toarray()
    assert [sorted(train.item_ids[row == 1]) for row in relevant] == [["N1"], ["N2", "N3"], ["N1"]]


def test_how_often_each_article_was_shown_and_clicked(parts):
    train = load_mind(**parts()).train
    shown, clicked = train.item_counts()
    assert dict(zip(train.item_ids, shown.tolist(), strict=True)) == {"N1": 3, "N2": 2, "N3": 1, "N4": 0}
    assert dict(zip(train.item_ids, clicked.tolist(), strict=True)) == {"N1": 2, "N2": 1, "N3": 1, "N4": 0}


def test_histories_keep_the_latest_place_of_an_article(parts):
    train = load_mind(**parts()).train
    weights = dict(zip(train.item_ids, train.histories().recency(2).toarray()[0], strict=True))
    assert weights == pytest.approx({"N3": 0.5**0.5, "N1": 0.5**1, "N2": 0, "N4": 0})
    assert set(train.histories().matrix.data) == {1}
    with pytest.raises(ValueError, match=r"half_life must be at least 0\.01"):
        train.histories().recency(0)


def test_history_weights_are_those_of_the_retrievers(parts):
    folders = parts({"dev/behaviors.tsv": {1: "1\tU3\t11/15/2019 1:00:00 PM\tN3 N1 N4 N2\tN4-1"}})
    dev = load_mind(**folders).dev
    items = np.array(dev.rows[0]["history"], dtype=np.int64)
    clicks = Interactions(
        np.zeros(4, np.int64), items, None, np.arange(4), np.array(["U3"]), dev.item_ids, "clicks"
    )
    assert (dev.histories().recency(3) != recency_histories(clicks, half_life=3)).nnz == 0


def test_clicks_are_pairs_at_their_earliest_time(parts):
    train = load_mind(**parts()).train
    clicks = train.clicks()
    found = {
        (train.user_ids[user], train.item_ids[item]): datetime(1970, 1, 1) + timedelta(seconds=int(second))
        for user, item, second in zip(clicks.users, clicks.items, clicks.timestamps, strict=True)
    }
    assert found == {
        ("U1", "N1"): datetime(2019, 11, 9, 0, 0, 1),
        ("U2", "N2"): datetime(2019, 11, 14, 23, 59, 59),
        ("U2", "N3"): datetime(2019, 11, 14, 23, 59, 59),
    }
    assert (clicks.n_users, clicks.n_items) == (3, 4)


def test_select_by_mask_and_by_indices(parts):
    train = load_mind(**parts()).train
    rows = impressions_by_id(train)
    assert impressions_by_id(train.select(train.users == 0)) == [rows[0], rows[2]]
    picked = train.select([2, 0, 2])
    assert impressions_by_id(picked) == [rows[2], rows[0], rows[2]]
    assert impressions_by_id(picked.select([1])) == [rows[0]]
    assert picked.lists()[0].shape == (3, 2)
    assert picked.rows._fingerprint == train.select(np.array([2, 0, 2])).rows._fingerprint
    nothing = train.select(np.zeros(3, dtype=bool))
    assert (len(nothing), len(nothing.clicks()), nothing.relevant().shape) == (0, 0, (0, 4))
    assert nothing.lists()[0].shape == (0, 0)
    with pytest.raises(DataError, match=r"indices of impressions lie in 0\.\.2, found -1\.\.-1"):
        train.select([-1])
    with pytest.raises(DataError, match=r"select needs a bool mask of shape \(3,\)"):
        train.select(np.ones(2, dtype=bool))


def test_times_are_naive_and_as_published(parts):
    train = load_mind(**parts()).train
    assert train.times.dtype == np.dtype("datetime64[s]")
    assert str(train.times[2]) == "2019-11-11T09:05:58"


def test_positions_say_nothing_about_ids_or_order(cache, tmp_path):
    for part in ("train", "dev"):
        (tmp_path / part).mkdir()
        lines = [f"N{number}\tnews\tx\tTitle\t\t\t[]\t[]\n" for number in range(500)]
        (tmp_path / part / "news.tsv").write_text("".join(lines))
        (tmp_path / part / "behaviors.tsv").write_text("1\tU1\t2/3/2019 1:00:00 AM\t\tN1-1\n")
    ids = load_mind(train=tmp_path / "train", dev=tmp_path / "dev").train.item_ids
    assert abs(np.corrcoef(np.arange(500), [int(text[1:]) for text in ids])[0, 1]) < 0.15


_text = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\x85\u2028\u2029"), max_size=12
)
_names = st.text(string.ascii_letters + string.digits, min_size=1, max_size=4)


@st.composite
def _logs(draw):
    """({article: (title, abstract, entities)}, [(impression, user, time, history, shown with clicks)])"""
    ids = draw(st.lists(_names, min_size=1, max_size=6, unique=True))
    article = st.tuples(_text.filter(str.strip), _text, st.lists(_names, max_size=3, unique=True))
    articles = {key: draw(article) for key in ids}
    row = st.tuples(
        _names,
        st.datetimes(datetime(1999, 1, 1), datetime(2030, 1, 1)).map(
            lambda time: time.replace(microsecond=0)
        ),
        st.lists(st.sampled_from(ids), max_size=5),
        st.lists(
            st.tuples(st.sampled_from(ids), st.integers(0, 1)),
            min_size=1,
            max_size=5,
            unique_by=lambda shown: shown[0],
        ),
    )
    rows = draw(st.lists(row, min_size=1, max_size=6))
    keys = draw(st.lists(_names, min_size=len(rows), max_size=len(rows), unique=True))
    return articles, [(key, *of_row) for key, of_row in zip(keys, rows, strict=True)]


def _write_log(folder, log):
    folder.mkdir()
    articles, rows = log
    with (folder / "news.tsv").open("w", encoding="utf-8", newline="\n") as file:
        for key, (title, abstract, entities) in articles.items():
            cell = json.dumps([{"Label": abstract, "WikidataId": entity} for entity in entities])
            print(key, "news", "", title, abstract, "", cell, "[]", sep="\t", file=file)
    with (folder / "behaviors.tsv").open("w", encoding="utf-8", newline="\n") as file:
        for key, user, time, history, shown in rows:
            hour = time.strftime("%I:%M:%S %p").lstrip("0")
            labelled = " ".join(f"{article}-{label}" for article, label in shown)
            written = f"{time.month}/{time.day}/{time.year} {hour}"
            print(key, user, written, " ".join(history), labelled, sep="\t", file=file)


@settings(max_examples=60, deadline=None)
@given(_logs(), _logs(), st.integers(1, 200))
def test_what_is_written_is_what_is_loaded(train, dev, block_bytes):
    with tempfile.TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patched:
        patched.setitem(os.environ, "COURSE_DATA", str(Path(place) / "cache"))
        patched.setattr(mind_files, "BLOCK_BYTES", block_bytes)
        for part, log in (("train", train), ("dev", dev)):
            _write_log(Path(place) / part, log)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            loaded = load_mind(train=Path(place) / "train", dev=Path(place) / "dev")
        (*parts_by_id,), articles = tables(loaded)
    for found, (_, rows) in zip(parts_by_id, (train, dev), strict=True):
        assert [tuple(row.values()) for row in found] == [
            (key, user, time, history, [article for article, _ in shown], [label for _, label in shown])
            for key, user, time, history, shown in rows
        ]
    expected = {**dev[0], **train[0]}
    assert {
        key: (row["title"], row["abstract"], row["title_entities"]) for key, row in articles.items()
    } == expected
    assert isinstance(loaded.train, Impressions)
