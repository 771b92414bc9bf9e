"""From the lines of MIND's files to tables of positions, block by block and without a loop over rows."""

import hashlib
import json
from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from course_lib.data.mind_files import Block, Malformed, Numbering, Part, read_blocks
from course_lib.data.split import meaningless_order

_NEWS_COLUMNS = (
    *("news id", "category", "subcategory", "title", "abstract", "url"),
    *("title entities", "abstract entities"),
)
_BEHAVIOURS_COLUMNS = ("impression id", "user id", "time", "history", "impressions")
_DIMENSIONS = 100  # of the published entity vectors
_NUMBER = r"^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$"

ARTICLES = pa.schema(
    [
        (name, pa.string())
        for name in ("item_id", "title", "title_plain", "category", "subcategory", "abstract")
    ]
    + [(name, pa.list_(pa.string())) for name in ("title_entities", "abstract_entities")]
)
IMPRESSIONS = pa.schema(
    {
        "impression_id": pa.string(),
        "user": pa.int32(),
        "time": pa.timestamp("s"),
        "history": pa.list_(pa.int32()),
        "shown": pa.list_(pa.int32()),
        "clicked": pa.list_(pa.int8()),
    }
)


def read_articles(part: Part, malformed: Malformed) -> pa.Table:
    """The well-formed articles of news.tsv, in its order, as `ARTICLES`.

    Raises `DataError` for a malformed line that is refused, and for a file without an article.
    """
    seen = Numbering()
    batches = []
    for block in read_blocks(part, "news.tsv", _NEWS_COLUMNS):
        ids, category, subcategory, title, abstract, _, *cells = block.columns
        block.flag(pc.equal(ids, ""), lambda row: "the news id is empty")
        block.flag(pc.equal(pc.utf8_trim_whitespace(title), ""), lambda row: "the title is empty")
        entities = [[_wikidata_ids(cell) for cell in column.to_pylist()] for column in cells]
        for lists, name in zip(entities, _NEWS_COLUMNS[-2:], strict=True):
            block.flag(
                np.array([ids_of_cell is None for ids_of_cell in lists], dtype=bool),
                lambda row, name=name: f"the {name} are not a JSON list of entities with a WikidataId",
            )
        _flag_repeated(block, ids, seen, "article")
        columns = [ids, title, title, category, subcategory, abstract, *entities]
        arrays = [pa.array(column, kind) for column, kind in zip(columns, ARTICLES.types, strict=True)]
        batches.append(pa.record_batch(arrays, schema=ARTICLES).filter(pa.array(block.well_formed)))
        block.report(malformed)
    table = pa.Table.from_batches(batches, ARTICLES)
    if not len(table):
        malformed.nothing_left(part.source("news.tsv"), "article")
    return table.combine_chunks()


def in_one_order(train: pa.Table, dev: pa.Table) -> pa.Table:
    """The articles of both parts, each once, in an order that means nothing, with in_train and in_dev."""
    ids = {"in_train": train.column("item_id"), "in_dev": dev.column("item_id")}
    only_dev = pc.invert(pc.is_in(ids["in_dev"], value_set=ids["in_train"]))
    table = pa.concat_tables([train, dev.filter(only_dev)])
    numbers = [
        int.from_bytes(hashlib.blake2b(item_id.encode(), digest_size=8).digest(), "little", signed=True)
        for item_id in table.column("item_id").to_pylist()
    ]
    table = table.combine_chunks().take(pa.array(meaningless_order(numbers)))
    for name, own in ids.items():
        table = table.append_column(name, pc.is_in(table.column("item_id"), value_set=own))
    return table.combine_chunks()


def read_behaviours(
    part: Part, item_ids: pa.StringArray, users: Numbering, malformed: Malformed
) -> Iterator[pa.RecordBatch]:
    """The well-formed impressions of behaviors.tsv, in its order, as `IMPRESSIONS`; numbers new users.

    Raises `DataError` for a malformed line that is refused, and for a file without an impression.
    """
    # "N1-0" and "N1-1" for every article: one look-up checks a token and gives its position and its click.
    labelled = pa.concat_arrays([pc.binary_join_element_wise(item_ids, label, "-") for label in ("0", "1")])
    seen = Numbering()
    n_impressions = 0
    for block in read_blocks(part, "behaviors.tsv", _BEHAVIOURS_COLUMNS):
        impression_ids, user_ids, times, histories, impressions = block.columns
        block.flag(pc.equal(impression_ids, ""), lambda row: "the impression id is empty")
        block.flag(pc.equal(user_ids, ""), lambda row: "the user id is empty")
        seconds = _seconds(times)
        block.flag(
            pc.is_null(seconds),
            lambda row, times=times: f"the time {times[row].as_py()!r} is not like 11/11/2019 9:05:58 AM",
        )
        history = _look_up(
            block, histories, item_ids, lambda token: f"the history names {token!r}, which no news.tsv has"
        )
        block.flag(pc.equal(impressions, ""), lambda row: "no article is shown")
        shown = _look_up(
            block,
            impressions,
            labelled,
            lambda token: f"the impression {token!r} is not an article of a news.tsv with -0 or -1",
        )
        _flag_shown_twice(block, shown, item_ids)
        _flag_repeated(block, impression_ids, seen, "impression")
        well_formed = pa.array(block.well_formed)
        block.report(malformed)
        place = shown.values.to_numpy()
        arrays = [
            impression_ids,
            pa.array(users.of(user_ids.filter(well_formed))),
            seconds,
            history,
            pa.ListArray.from_arrays(shown.offsets, pa.array(place % len(item_ids))),
            pa.ListArray.from_arrays(shown.offsets, pa.array((place // len(item_ids)).astype(np.int8))),
        ]
        kept = [
            array if name == "user" else array.filter(well_formed)
            for array, name in zip(arrays, IMPRESSIONS.names, strict=True)
        ]
        n_impressions += len(kept[0])
        yield pa.record_batch(kept, schema=IMPRESSIONS)
    if not n_impressions:
        malformed.nothing_left(part.source("behaviors.tsv"), "impression")


def read_vectors(part: Part, remedy: str) -> tuple[np.ndarray, np.ndarray]:
    """(ids, vectors) of entity_embedding.vec: str [n] and float32 [n, 100]. Raises `DataError` with the
    remedy."""
    names = ("entity id", *(f"value {place}" for place in range(1, _DIMENSIONS + 1)))
    ids, vectors = [np.array([], dtype=str)], [np.empty((0, _DIMENSIONS), dtype=np.float32)]
    # MIND's lines end with a tab.
    for block in read_blocks(part, "entity_embedding.vec", names, line_end="\t\r"):
        values = []
        block.flag(pc.equal(block.columns[0], ""), lambda row: "the entity id is empty")
        for column, name in zip(block.columns[1:], names[1:], strict=True):
            is_number = pc.match_substring_regex(column, _NUMBER)
            block.flag(
                pc.invert(is_number),
                lambda row, column=column, name=name: f"{name} is {column[row].as_py()!r}, not a number",
            )
            numbers = pc.if_else(is_number, column, "0").cast(pa.float32())
            block.flag(
                pc.invert(pc.is_finite(numbers)),
                lambda row, column=column, name=name: f"{name} is {column[row].as_py()}, too large",
            )
            values.append(numbers.to_numpy())
        block.report(Malformed("refuse", remedy))
        ids.append(block.columns[0].to_numpy(zero_copy_only=False).astype(str))
        vectors.append(np.stack(values, axis=1))
    return np.concatenate(ids), np.concatenate(vectors)


def _wikidata_ids(cell: str) -> list[str] | None:
    """The ids in a cell of entities, each once, in their order; None if the cell is malformed."""
    if not cell:
        return []  # a few articles of MIND have an empty cell instead of []
    try:
        ids = list(dict.fromkeys(entity["WikidataId"] for entity in json.loads(cell)))
        " ".join(ids).encode()  # an id that is no text, or that holds half a character
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return ids if all(ids) else None


def _seconds(times: pa.StringArray) -> pa.TimestampArray:
    """Naive times such as "11/11/2019 9:05:58 AM"; null where a text is no such time."""
    seconds = pc.strptime(times, format="%m/%d/%Y %I:%M:%S %p", unit="s", error_is_null=True)
    # strptime takes 2/30 for 3/1: the day must come back as it was written.
    written = pc.struct_field(pc.extract_regex(times, r"^\d+/(?P<day>\d{1,2})/"), "day")
    same_day = pc.equal(pc.day(seconds), written.cast(pa.int64()))
    return pc.if_else(same_day, seconds, pa.scalar(None, seconds.type))


def _look_up(
    block: Block, cells: pa.StringArray, known: pa.StringArray, problem: Callable[[str], str]
) -> pa.ListArray:
    """Lists of int32: for each cell, the places of its tokens (separated by single spaces) among the known.

    An empty cell is an empty list. A cell with an unknown token is flagged, and the token has place 0.
    """
    tokens = pc.split_pattern(pc.if_else(pc.equal(cells, ""), None, cells), " ")
    places = pc.index_in(tokens.values, value_set=known)
    unknown = np.flatnonzero(pc.is_null(places))
    rows = np.searchsorted(tokens.offsets.to_numpy(), unknown, side="right") - 1
    first_of_row = dict(zip(rows[::-1].tolist(), unknown[::-1].tolist(), strict=True))
    wrong = np.zeros(len(block), dtype=bool)
    wrong[rows] = True
    block.flag(wrong, lambda row: problem(tokens.values[first_of_row[row]].as_py()))
    return pa.ListArray.from_arrays(tokens.offsets, pc.fill_null(places, 0))


def _flag_shown_twice(block: Block, shown: pa.ListArray, item_ids: pa.StringArray) -> None:
    """Flag lines that show an article twice: was it clicked or not?"""
    item = shown.values.to_numpy() % len(item_ids)
    row = np.repeat(np.arange(len(block)), np.diff(shown.offsets.to_numpy()))
    order = np.lexsort((item, row))
    same = (row[order][1:] == row[order][:-1]) & (item[order][1:] == item[order][:-1])
    first_of_row = dict(
        zip(row[order][1:][same][::-1].tolist(), item[order][1:][same][::-1].tolist(), strict=True)
    )
    wrong = np.zeros(len(block), dtype=bool)
    wrong[list(first_of_row)] = True
    block.flag(wrong, lambda row: f"the article {item_ids[first_of_row[row]].as_py()!r} is shown twice")


def _flag_repeated(block: Block, ids: pa.StringArray, seen: Numbering, kind: str) -> None:
    """Flag well-formed lines whose id the file had before."""
    well_formed = block.well_formed
    wrong = np.zeros(len(block), dtype=bool)
    wrong[well_formed] = seen.is_repeated(ids.filter(pa.array(well_formed)))
    block.flag(wrong, lambda row: f"the {kind} id {ids[row].as_py()!r} occurs for the second time")
