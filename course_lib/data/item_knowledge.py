"""What others wrote down about films: links to Freebase, and descriptions made by a language model."""

import json

import pandas as pd

from course_lib.data.interactions import DataError, half_character
from course_lib.data.text_files import check_rows, read_lines, read_rows, restore


def load_kb4rec() -> pd.DataFrame:
    """25,982 links from MovieLens film ids to Freebase (KB4Rec, Zhao et al. 2019, arXiv:1807.11141).

    Returns a table item_id (str, the id in MovieLens-1M, 20M and latest), entity (str, such as "m.0dyb1").
    3,655 of the 3,706 films of MovieLens-1M have a link. Raises `AssetMissing` if it is not fetched,
    `DataError` if the file is not what it should be.
    """
    links = read_rows("kb4rec", "ml2fb.txt", ["item_id", "entity"])
    check_rows(links, "kb4rec", "ml2fb.txt", numbers=["item_id"], unique="item_id", count=25_982)
    return links.reset_index(drop=True)


def load_item_descriptions() -> dict[str, str]:
    """A paragraph on each of the 3,883 films of MovieLens-1M, written by a large language model.

    Returns {item_id: text of about 1,000 characters}; one film (id 1122) has an empty text, as published.
    They were made for CoLaKG (Cui et al. 2025, arXiv:2410.12229) from title and genres, and may hold what
    became known of a film after the ratings were given. Raises `AssetMissing` if it is not fetched,
    `DataError` if the file is not what it should be.
    """
    asset, file = "item-descriptions", "llm_response_item.json"
    try:
        descriptions = json.loads("\n".join(read_lines(asset, file)))
    except json.JSONDecodeError as error:
        raise DataError(f"{file}, line {error.lineno}: not valid JSON; {restore(asset)}.") from None
    except RecursionError:
        raise DataError(f"{file}: brackets without an end; {restore(asset)}.") from None
    texts = descriptions.values() if isinstance(descriptions, dict) else [None]
    if not all(isinstance(text, str) and not half_character(text) for text in texts):
        raise DataError(f"{file}: a text for each film id was expected; {restore(asset)}.")
    if len(descriptions) != 3_883:
        raise DataError(
            f"{file}: 3,883 descriptions were expected, found {len(descriptions):,}; {restore(asset)}."
        )
    return descriptions
