"""Data and files that broke the loaders once (tests/cases, by number), and others of the same kinds."""

import codecs
import datetime
import errno
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from course_lib.data import (
    Catalogue,
    DataError,
    Interactions,
    Split,
    load_gowalla,
    load_item_descriptions,
    load_kb4rec,
    load_mind,
    load_simulated_truth,
    movielens,
)
from course_lib.data.derived import place_for, read_table, write_table
from data_scripts import __main__ as command
from data_scripts import fetch, places
from data_scripts.assets import Asset, AssetFile

CASES = Path(__file__).parents[2] / "cases"
ROOT = Path(__file__).parents[3]
FILMS = ["item_id", "title", "genres"]
HALF = "\ud83d"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache folder."""
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "cache"))
    monkeypatch.delenv("COURSE_VECTORS", raising=False)
    monkeypatch.delenv("COURSE_DATA_MIRROR", raising=False)
    (tmp_path / "cache").mkdir()
    return tmp_path / "cache"


def interactions(frame, **ids):
    return Interactions.from_frame(frame, name="Toy", source="toy.csv", **ids)


def catalogue(**columns):
    filled = {"item_id": ["1", "2"], "title": ["One", "Two"]} | columns
    frame = pd.DataFrame({key: pd.Series(values) for key, values in filled.items()})
    return Catalogue.from_frame(frame, name="Toy", source="toy.csv")


def objects(*values):
    return pd.Series([*values], dtype=object)


# --- times (case 04) ---------------------------------------------------------------------------------------


def timed(times):
    return interactions(
        pd.DataFrame({"user": [0, 1], "item": [0, 1], "timestamp": times})
    ).timestamps.tolist()


def test_04_dates_become_unix_seconds():
    frame = pd.read_csv(CASES / "04_dates.csv", parse_dates=["timestamp"])
    assert interactions(frame).timestamps.tolist() == [978307200, 978393600]


DAYS = pd.Series(pd.to_datetime(["2001-01-01", "2001-01-02"]))


@pytest.mark.parametrize(
    "times",
    [
        *(DAYS.astype(f"datetime64[{unit}]") for unit in ("s", "ms", "us", "ns")),
        DAYS.dt.tz_localize("UTC").dt.tz_convert("Asia/Shanghai"),
        DAYS.astype(pd.ArrowDtype(pa.timestamp("ms"))),
        DAYS.dt.tz_localize("UTC").astype(pd.ArrowDtype(pa.timestamp("us", "UTC"))),
        objects(datetime.date(2001, 1, 1), datetime.date(2001, 1, 2)),
        objects(datetime.date(2001, 1, 1), datetime.date(2001, 1, 2)).astype(pd.ArrowDtype(pa.date32())),
        objects(*DAYS),
        objects("978307200", "978393600"),
        pd.Series([978307200, 978393600], dtype="Int64"),
        pd.Series([978307200.0, 978393600.0]),
    ],
    ids=str,
)
def test_times_of_every_unit_are_the_same_seconds(times):
    assert timed(times) == [978307200, 978393600]


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([978307200000, 978393600000], "row 0: .* looks like milliseconds; divide by 1,000"),
        ([1, 978393600000000], "row 1: .* looks like microseconds"),
        ([978307200 * 10**9] * 2, "nanoseconds"),
        ([1e300, 1], "not in Unix seconds"),
        (DAYS + pd.Timedelta("1ms"), "not a whole number of seconds; round it"),
        (objects(pd.Timestamp("2001-01-01"), pd.NaT), "row 1: the timestamp NaT .*drop the line"),
        (DAYS.where([True, False]), "row 1: the timestamp NaT"),
        (["2001-01-01", "2001-01-02"], "row 0: the timestamp is 2001-01-01, not a finite number"),
        (pd.Series([1, None], dtype="Int64"), "row 1: the timestamp is <NA>"),
        ([True, False], "holds bool"),
        (pd.to_timedelta([1, 2], unit="s"), "holds timedelta"),
        (pd.period_range("2001", periods=2, freq="D"), "holds period"),
        (objects([1], {}), "row 0: the timestamp is \\[1\\]"),
    ],
    ids=str,
)
def test_what_is_no_time_is_refused(times, message):
    with pytest.raises(DataError, match=message):
        timed(times)


def test_the_constructor_checks_what_from_frame_checks():
    two = np.arange(2)
    ids = np.array(["a", "b"])
    for ratings, times, message in (
        (None, np.array(["2001", "2002"], "datetime64[s]"), "timestamps must be whole numbers"),
        (None, two + 978307200000, "milliseconds"),
        (np.array([1, np.inf], np.float32), None, "a rating is inf"),
        (np.array([True, False]), None, "ratings must be float"),
    ):
        with pytest.raises(DataError, match=message):
            Interactions(two, two, ratings, times, ids, ids, "Toy")
    with pytest.raises(DataError, match="users must be int64"):
        Interactions([0, 1], two, None, None, ids, ids, "Toy")


# --- ids (cases 29, 30) ------------------------------------------------------------------------------------


def test_29_a_huge_id_is_no_position():
    with pytest.raises(
        DataError, match=r"item 1 never occurs, though the ids go up to 76561197960265728; number"
    ):
        interactions(pd.read_csv(CASES / "29_ids.csv"))


@pytest.mark.parametrize(
    ("users", "message"),
    [
        (pd.Series([0, 2**64 - 1], dtype="uint64"), "user 1 never occurs, though"),
        ([0, -5], "row 1: the user -5 is negative"),
        ([0.0, None], "row 1: the user is empty"),
        ([0.0, 1.5], "row 1: the user is 1.5, not exactly a whole number"),
        ([True, False], "holds bool, not positions"),
        (pd.Series([0, None], dtype="Int64"), "row 1: the user is empty"),
        (["a", "b"], "pass user_ids"),
    ],
)
def test_positions_that_are_none(users, message):
    with pytest.raises(DataError, match=message):
        interactions(pd.DataFrame({"user": users, "item": [0, 1]}))


def test_integers_stay_integers_whatever_they_were_read_as():
    assert interactions(pd.DataFrame({"user": [0.0, 1.0], "item": [0, 1]})).user_ids.tolist() == ["0", "1"]
    for column in ([7.0, 9.0], objects(7, "9"), pd.Series([7, 9], dtype="Int64"), pd.Categorical([7, 9])):
        for ids in ([7, 9], ["7", "9"], np.array([7.0, 9.0]), pd.Series([7, 9])):
            frame = pd.DataFrame({"user": column, "item": [0, 1]})
            assert interactions(frame, user_ids=ids).user_ids.tolist() == ["7", "9"]


@pytest.mark.parametrize(
    "bad", [None, np.nan, pd.NA, "", " ", True, b"1", 1.5, float("inf"), HALF, [1], 2.0**60], ids=ascii
)
def test_what_is_no_id_is_refused_everywhere(bad):
    with pytest.raises(DataError, match="row 1"):
        catalogue(item_id=objects("1", bad))
    with pytest.raises(DataError, match="row 1: the user"):
        interactions(pd.DataFrame({"user": objects("1", bad), "item": [0, 1]}), user_ids=["1", "2"])
    with pytest.raises(DataError, match="user_ids, position 1"):
        interactions(pd.DataFrame({"user": ["1", "1"], "item": [0, 1]}), user_ids=["1", bad])


@pytest.mark.parametrize("ids", ["ab", "a", {"a", "b"}, np.array([["a", "b"]]), (x for x in "ab")], ids=repr)
def test_ids_that_are_no_list_are_refused(ids):
    with pytest.raises(DataError, match=r"user_ids is .*, not a list"):
        interactions(pd.DataFrame({"user": ["a", "b"], "item": [0, 1]}), user_ids=ids)


@pytest.mark.parametrize("ids", [objects(1, "1"), objects(1.0, 1), ["x", "x"]], ids=str)
def test_an_id_twice_is_found_whatever_its_type(ids):
    with pytest.raises(DataError, match=r"row 1: the item .* occurs for the second time"):
        catalogue(item_id=ids)


def test_messages_can_be_built_from_odd_tables():
    with pytest.raises(DataError, match=r"missing \(found: 0, 1\)"):
        interactions(pd.DataFrame([[0, 1]]))
    with pytest.raises(DataError, match=r"missing \(found: none\)"):
        Catalogue.from_frame(pd.DataFrame(), name="t", source="s")
    with pytest.raises(DataError, match="two columns have the same name"):
        interactions(pd.DataFrame([[0, 0, 1]], columns=["user", "user", "item"]))


def test_ratings_beyond_float32_and_ratings_that_are_dates():
    for ratings, message in (
        ([1, 1e300], "row 1: the rating is 1e"),
        (DAYS, "the column rating holds datetime"),
    ):
        with pytest.raises(DataError, match=message):
            interactions(pd.DataFrame({"user": [0, 1], "item": [0, 1], "rating": ratings}))


# --- cells of a catalogue (cases 11, 30, 31) ---------------------------------------------------------------


def test_11_arrays_become_lists(cache):
    frame = pd.read_parquet(CASES / "11_genres.parquet")
    for build in (Catalogue.from_frame, Catalogue.stored):
        assert build(frame, name="c", source="s").rows["genres"][:] == [["Drama", "War"], ["Comedy"]]


def test_30_an_empty_id_is_refused_and_years_are_integers():
    frame = pd.read_csv(CASES / "30_catalogue.csv")
    with pytest.raises(DataError, match="row 1: the item_id is empty"):
        Catalogue.from_frame(frame, name="c", source="30_catalogue.csv")
    whole = frame.assign(item_id=[1, 2])
    assert Catalogue.from_frame(whole, name="c", source="s").describe("title", "year") == [
        "Film (1995)",
        "Other",
    ]


def test_31_titles_of_digits():
    frame = pd.read_csv(CASES / "31_titles_of_digits.csv")
    assert Catalogue.from_frame(frame, name="c", source="s").titles == ["1984", "300"]
    assert catalogue(title=[1984.0, 300.0]).titles == ["1984", "300"]
    assert catalogue(title=objects("Up", 300)).titles == ["Up", "300"]


@pytest.mark.parametrize(
    "cell",
    [np.array(["a", "b"], object), ("a", "b"), pd.array(["a", "b"]), pa.scalar(["a", "b"]), ["a", None, "b"]],
    ids=repr,
)
def test_every_array_in_a_cell_is_a_list(cache, cell):
    frame = pd.DataFrame({"item_id": ["1", "2"], "title": ["x", "y"], "genres": objects(cell, None)})
    for build in (Catalogue.from_frame, Catalogue.stored):
        assert build(frame, name="c", source="s").rows["genres"][:] == [["a", "b"], []]


def test_missing_values_inside_lists_are_none():
    nested = objects([np.array([1.0, np.nan]), None], [pd.NA])
    assert catalogue(more=nested).rows["more"][:] == [[[1.0, None], None], [None]]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"genres": ["Drama|War", "War"]}, "row 0: the genres are 'Drama|War', not a list"),
        ({"title": objects("x", ["y"])}, "row 1: the title is"),
        ({"title": objects("x", pd.NA)}, "row 1: the title is empty"),
        ({"title": objects("x", HALF)}, "row 1: the title holds half a character"),
        ({"tags": objects([["a"]], [[HALF]])}, "row 1: the tags holds half a character"),
        ({"year": [1995.5, None]}, "row 0: the year is 1995.5, not a whole number"),
        ({"year": objects("1995", "soon")}, "row 1: the year is 'soon'"),
        ({"year": [np.inf, 1995]}, "row 0: the year is inf"),
        ({"director": objects("x", 3)}, "the column director holds values of several types"),
    ],
    ids=ascii,
)
def test_cells_that_fit_no_column_are_refused(columns, message):
    with pytest.raises(DataError, match=message.replace("|", "\\|")):
        catalogue(**columns)


def test_a_missing_reading_order_is_made():
    assert catalogue(title=["Up, The", "Two"], title_plain=objects(None, "2")).describe("title") == [
        "The Up",
        "2",
    ]


# --- files read row by row (cases 13 to 16) ----------------------------------------------------------------


def read(cache, data, columns=FILMS, **options):
    (cache / "a").mkdir(exist_ok=True)
    (cache / "a" / "case").write_bytes(data)
    return movielens._read_table("a", "case", columns, **options).values.tolist()


CSV = {"separator": ",", "header": True}
DAT = {"separator": "::", "encoding": "latin-1"}


def test_13_to_16_are_read_rightly_or_named(cache):
    with pytest.raises(DataError, match=r"case, line 1: the columns .*; restore the file with"):
        read(cache, (CASES / "13_movies_more_columns.csv").read_bytes(), **CSV)
    with pytest.raises(DataError, match=r"case, line 3: .*; restore the file with"):
        read(cache, (CASES / "14_movies_whole_line_quoted.csv").read_bytes(), **CSV)
    assert read(cache, (CASES / "15_movies_utf8.dat").read_bytes(), **DAT)[0][1] == "Misérables, Les (1995)"
    with pytest.raises(
        DataError, match=r"case, line 2: byte 0xe9 is not UTF-8; save the file in UTF-8, or restore"
    ):
        read(cache, (CASES / "16_films_latin1.item").read_bytes(), [*FILMS, "year"], header=True)


GOOD = 'movieId,title,genres\n1,"Né, \u2028Le (1995)",Drama\n2,"He said ""no""",War\n'
ROWS = [["1", "Né, \u2028Le (1995)", "Drama"], ["2", 'He said "no"', "War"]]


@pytest.mark.parametrize(
    "data",
    [
        GOOD.encode(),
        codecs.BOM_UTF8 + GOOD.encode(),
        GOOD.encode("utf-16"),
        codecs.BOM_UTF16_BE + GOOD.encode("utf-16-be"),
        GOOD.replace("\n", "\r\n").encode(),
        GOOD.replace("\n", "\r").encode(),
        GOOD.encode() + b"\n \r\n\n",
        GOOD.encode().rstrip(),
    ],
    ids=lambda data: ascii(data[:3] + data[-3:]),
)
def test_marks_ends_and_blank_lines_at_the_end_change_nothing(cache, data):
    assert read(cache, data, **CSV) == ROWS


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "case: the file is empty"),
        (b"\n\n", "case: the file is empty"),
        (b"1,a,b\n2,c,d\n", "line 1: the columns"),
        (b"m,t,g\n1,a,b\n\n2,c,d\n", "line 3: 3 fields were expected, found 0"),
        (b"m,t,g\n1,a,b\n2,c\n", "line 3: 3 fields were expected, found 2"),
        (b"m,t,g\n1,a,b,c\n", "line 2: 3 fields were expected, found 4"),
        (b'm,t,g\n1,a,b\n2,"c,d\n', "line 3: quotes that do not fit"),
        (b"m,t,g\n1,a\0,b\n", "line 2: the line holds a NUL byte"),
        (b"m,t,g\n1,a\rb,b\n", "line 2: the line holds a carriage return"),
        (b"m,t,g\n1,\xff\xfe,b\n", "line 2: byte 0xff is not UTF-8"),
        (b"m,t,g\n1,\xed\xa0\xbd,b\n", "line 2: byte 0xed is not UTF-8"),
        (b"\xff\xfem\0,", "begins as UTF-16 and is none"),
    ],
    ids=ascii,
)
def test_damaged_text_is_named_with_line_and_remedy(cache, data, message):
    with pytest.raises(DataError, match=message + ".*python course.py data get a"):
        read(cache, data, **CSV)


def test_a_file_in_two_encodings_is_read_line_by_line_and_a_third_is_refused(cache):
    lines = "1::é::x\n".encode() + "2::é::x\n".encode("latin-1")
    assert [row[1] for row in read(cache, lines, **DAT)] == ["é", "é"]
    with pytest.raises(DataError, match="line 1: byte 0x92 is not UTF-8 or Latin-1"):
        read(cache, b"1::it\x92s::x\n", **DAT)


def put(cache, asset, file, data):
    (cache / asset).mkdir(exist_ok=True)
    (cache / asset / file).write_bytes(data)


def test_raw_files_that_were_cut_are_named_with_the_command(cache):
    put(cache, "kb4rec", "ml2fb.txt", b"1\tm.1\n2\n")
    with pytest.raises(DataError, match=r"ml2fb\.txt, line 2: .*data get kb4rec"):
        load_kb4rec()
    put(cache, "kb4rec", "ml2fb.txt", b"1\tm.1\n1\tm.2\n")
    with pytest.raises(DataError, match=r"ml2fb\.txt, line 2: the item_id 1 occurs for the second time"):
        load_kb4rec()
    for data in (
        b'{"1": "a',
        b'{"1": null}',
        b'["a"]',
        b'{"1": "\\ud83d"}',
        b"[" * 100_000,
        b'{"1": "\xff"}',
    ):
        put(cache, "item-descriptions", "llm_response_item.json", data)
        with pytest.raises(DataError, match=r"llm_response_item\.json.*data get item-descriptions"):
            load_item_descriptions()
    for data in (b"0 1\n1 x\n", b"0 1\n1 \xe9\n", b"0 1\n1 99999999999999999999\n"):
        put(cache, "gowalla", "train.txt", data)
        with pytest.raises(DataError, match=r"train\.txt, line 2: .*data get gowalla"):
            load_gowalla()
    put(cache, "movielens-1m-timed", "ratings-users-1-2999.dat.gz", b"\x1f\x8b\x08\x00cut")
    put(cache, "movielens-1m-pairs", "pairs.parquet", b"PAR1cut")
    for variant, file in (("timed", "ratings-users"), ("pairs", "pairs")):
        with pytest.raises(DataError, match=file + r".*cut or damaged.*data get movielens-1m-" + variant):
            movielens.load_movielens_1m(variant)


# --- MIND (cases 18 to 21) ---------------------------------------------------------------------------------


def mind(folder, mode="skip"):
    return load_mind(train=folder, dev=folder, malformed=mode)


def test_18_to_21_tell_the_line(cache):
    for case in ("18_mind_half_character_in_entity", "19_mind_deep_entity"):
        place = rf"{case}/news\.tsv, line 2: the title entities are not a JSON list"
        for mode in ("skip", "refuse"):  # without N2, the only impression goes too
            with pytest.raises(DataError, match=place):
                mind(CASES / case, mode)
    with pytest.raises(DataError, match="all 1 lines are malformed; first: the history names 'N7', which no"):
        mind(CASES / "20_mind_sample_without_its_articles")
    with pytest.raises(DataError, match=r"behaviors\.tsv, line 1: the article 'N2' is shown twice; repair"):
        mind(CASES / "21_mind_article_shown_twice", "refuse")


def small_news(folder, news=b"", behaviours=b""):
    folder.mkdir(exist_ok=True)
    (folder / "news.tsv").write_bytes(b"N1\tn\tu\tOne\tA\tu\t[]\t[]\nN2\tn\tu\tTwo\tA\tu\t[]\t[]\n" + news)
    line = b"1\tU1\t11/11/2019 9:05:58 AM\tN1\tN2-1 N1-0\n"
    (folder / "behaviors.tsv").write_bytes(line + behaviours)
    return folder


@pytest.mark.parametrize(
    "cell",
    [
        '[{"WikidataId": "\\udc00"}]',
        "[" * 9_999,
        '[{"WikidataId": null}]',
        '[{"WikidataId": 5}]',
        '[{"WikidataId": ""}]',
        "{}x",
        "7",
        "[7]",
        "[1" + "0" * 5_000 + "]",
        "\0",
    ],
    ids=lambda cell: ascii(cell[:30]),
)
def test_any_malformed_line_is_skipped_and_counted(cache, tmp_path, cell):
    folder = small_news(
        tmp_path / "news", f"N3\tn\tu\tThree\tA\tu\t{cell}\t[]\n".encode(), b"2\tU2\tnow\t\tN1-1\n"
    )
    with pytest.warns(UserWarning, match=r"4 malformed lines left out; first: news/news\.tsv, line 3"):
        loaded = mind(folder)
    assert (len(loaded.train), sorted(loaded.catalogue.rows["item_id"])) == (1, ["N1", "N2"])


def test_a_byte_order_mark_is_no_part_of_an_id(cache, tmp_path):
    folder = small_news(tmp_path / "news")
    for file in ("news.tsv", "behaviors.tsv"):
        (folder / file).write_bytes(codecs.BOM_UTF8 + (folder / file).read_bytes())
    assert sorted(mind(folder, "refuse").train.item_ids) == ["N1", "N2"]


def test_a_truth_that_was_cut_is_named_with_the_command(cache, tmp_path):
    for part in ("train", "dev"):
        small_news(tmp_path / part)
    np.savez(tmp_path / "truth.npz", user_ids=np.array(["U1"]))
    whole = (tmp_path / "truth.npz").read_bytes()
    for data in (b"", whole[:40], whole[:-9], b"x" * 99, whole):
        (tmp_path / "truth.npz").write_bytes(data)
        with pytest.raises(DataError, match=r"truth\.npz is cut or damaged .*data get simulated-news"):
            load_simulated_truth(tmp_path)


def test_nothing_cannot_be_cut_by_time():
    one = interactions(pd.DataFrame({"user": [0], "item": [0], "timestamp": [1]}))
    with pytest.raises(DataError, match="holds no interaction"):
        Split.global_time_cut(one.select(np.array([False])))


# --- derived files are made anew (case 09), modes and users (06, 10) ---------------------------------------


def damaged(path):
    """Ways in which a file is not what was written, each applied to a fresh copy."""
    whole = path.read_bytes()
    yield from (
        whole[: len(whole) // 2],
        b"",
        whole[:-1],
        b"\0" * len(whole),
        whole[:-100] + b"\0" * 100,
        b"x" * 9,
    )


def test_every_derived_table_is_made_anew(cache, tmp_path):
    frame = pd.DataFrame({"item_id": ["1"], "title": ["One"]})
    folder = small_news(tmp_path / "news")

    def load():
        stored = Catalogue.stored(frame, name="c", source="s")
        loaded = mind(folder)
        return [stored.rows[:], loaded.catalogue.rows[:], loaded.dev.rows[:], loaded.train.user_ids.tolist()]

    expected = load()
    tables = sorted(cache.rglob("*.arrow"))
    assert len(tables) == 5
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for path in tables:
            for data in damaged(path):
                path.write_bytes(data)
                assert load() == expected
                assert read_table(path) is not None, path
            path.unlink()
            assert load() == expected
    assert sorted(path for path in cache.rglob("*") if path.is_file()) == tables  # no part is left


@pytest.fixture
def encoder(tmp_path):
    """A tiny model with random weights."""
    import torch
    import transformers

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "one", "two"]
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(words))
    transformers.BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    config = transformers.BertConfig(
        vocab_size=7,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
        max_position_embeddings=300,
    )
    torch.manual_seed(0)
    transformers.BertModel(config).save_pretrained(folder)
    from course_lib.encode import TextEncoder

    return TextEncoder(folder)


def test_09_vectors_that_were_cut_are_computed_again(cache, encoder):
    expected = encoder.encode(["one", "two"])
    (path,) = (cache / "vectors").glob("*.arrow")
    for data in damaged(path):
        path.write_bytes(data)
        assert np.array_equal(encoder.encode(["one", "two"]), expected)
        assert read_table(path) is not None
    encoder._compute = None  # whole: found, not computed
    assert np.array_equal(encoder.encode(["one", "two"]), expected)


def test_10_vectors_that_cannot_be_kept_come_with_one_warning(cache, encoder, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("course_lib.encode.write_table", full)
    with pytest.warns(UserWarning, match=r"cannot be kept in .*No space left.*COURSE_DATA") as caught:
        assert encoder.encode(["one", "two"]).shape == (2, 8)
    assert len(caught) == 1
    assert not [path for path in cache.rglob("*") if path.is_file()]


def test_06_files_in_the_cache_have_the_rights_of_the_umask(cache, tmp_path):
    before = os.umask(0o002)
    try:
        Catalogue.stored(pd.DataFrame({"item_id": ["1"], "title": ["One"]}), name="c", source="s")
        mind(small_news(tmp_path / "news"))
    finally:
        os.umask(before)
    for path in cache.rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o775 if path.is_dir() else 0o664), path


def test_a_place_that_is_not_filled_leaves_nothing(tmp_path):
    def interrupted():
        with place_for(tmp_path / "a" / "b") as part:
            write_table(part, pa.schema({"x": pa.int64()}), [])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list((tmp_path / "a").iterdir()) == []


AS_ANOTHER_USER = """
import os, sys, warnings
import course_lib.data, datasets
os.setgroups([]); os.setgid(65534); os.setuid(int(sys.argv[1])); os.umask(0o022)
os.environ["HOME"] = "/nonexistent"
import pandas as pd
from course_lib.data import Catalogue, load_mind
warnings.simplefilter("error")
stored = Catalogue.stored(pd.DataFrame({"item_id": ["1"], "title": ["One"]}), name="c", source="s")
rows = stored.rows.map(lambda row: {"length": len(row["title"])})
news = load_mind(train=sys.argv[2], dev=sys.argv[2])
print(rows["length"][:], len(news.train), len(news.catalogue))
"""


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can be two users")
@pytest.mark.parametrize("mode", [0o777, 0o555])
def test_06_and_10_two_users_share_a_cache_and_a_closed_one_is_read(tmp_path, mode):
    shared = Path("/tmp") / f"course-two-users-{os.getpid()}-{mode}"
    shutil.rmtree(shared, ignore_errors=True)
    try:
        (shared / "cache").mkdir(parents=True)
        shared.chmod(0o755)
        (shared / "cache").chmod(mode)
        folder = small_news(shared / "news")
        results = [
            subprocess.run(
                [sys.executable, "-c", AS_ANOTHER_USER, uid, str(folder)],
                cwd=ROOT,
                env=os.environ
                | {"COURSE_DATA": str(shared / "cache"), "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"},
                capture_output=True,
                text=True,
                check=False,
            )
            for uid in ("4242", "4343")
        ]
        assert [(done.stdout, done.stderr[-500:]) for done in results] == [("[3] 1 2\n", "")] * 2
    finally:
        shutil.rmtree(shared)


# --- a full disk (case 27) ---------------------------------------------------------------------------------


def toy(sources=()):
    files = [AssetFile("a.txt", 3_000_000), AssetFile("b.txt", 10)]
    return Asset("toy", "Toy", "CC0", True, [], "ask", files, list(sources), "toy")


def fill(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("where", ["mirror", "web", "make", "cache"])
def test_27_a_full_disk_is_named_and_nothing_is_left(cache, tmp_path, monkeypatch, capsys, where):
    sources = {"web": [{"web": "https://example.org/"}], "make": [{"make": "simulated_news"}]}.get(where, [])
    if where == "mirror":
        (tmp_path / "mirror" / "toy").mkdir(parents=True)
        monkeypatch.setenv("COURSE_DATA_MIRROR", str(tmp_path / "mirror"))
        monkeypatch.setattr(places.shutil, "copyfile", fill)
    elif where == "web":
        monkeypatch.setattr(places.pooch.HTTPDownloader, "__call__", fill)
    elif where == "make":
        monkeypatch.setattr("data_scripts.simulated_news.make", fill)
    else:
        monkeypatch.setattr(fetch, "_sweep", fill)
    monkeypatch.setattr(command, "read_assets", lambda: {"toy": toy(sources)})
    assert command.main(["get", "toy"]) == 1
    said = capsys.readouterr().err
    assert f"toy: the disk is full: it needs 3.0 MB in {cache}" in said
    assert list(cache.rglob("*")) == []


def test_27_what_a_failed_place_left_is_not_set_aside(cache, tmp_path, monkeypatch):
    (tmp_path / "mirror" / "toy").mkdir(parents=True)
    (tmp_path / "mirror" / "toy" / "a.txt").write_bytes(b"half")
    monkeypatch.setenv("COURSE_DATA_MIRROR", str(tmp_path / "mirror"))
    with pytest.raises(fetch.FetchFailed, match=r"cannot read b\.txt"):
        fetch.fetch(toy(), offline=True, say=lambda _: None)
    assert list(cache.rglob("*.rejected")) == []


def test_a_closed_cache_is_one_sentence(cache, monkeypatch, capsys):
    def closed(*_):
        raise PermissionError(errno.EACCES, "Permission denied", str(cache))

    monkeypatch.setattr(fetch, "_sweep", closed)
    monkeypatch.setattr(command, "read_assets", lambda: {"toy": toy()})
    assert command.main(["get", "toy"]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "Permission denied" in said
    assert "COURSE_DATA" in said
