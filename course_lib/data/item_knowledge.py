"""What others wrote down about films: links to Freebase, and descriptions made by a language model."""

import json

import pandas as pd

from course_lib.data.cache import asset_path
from course_lib.data.interactions import DataError


def load_kb4rec() -> pd.DataFrame:
    """25,982 links from MovieLens film ids to Freebase (KB4Rec, Zhao et al. 2019, arXiv:1807.11141).

    Returns a table item_id (str, the id in MovieLens-1M, 20M and latest), entity (str, such as "m.0dyb1").
    3,655 of the 3,706 films of MovieLens-1M have a link. Raises `AssetMissing` if it is not fetched,
    `DataError` if the file is not what it should be.
    """
    links = pd.read_csv(
        asset_path("kb4rec", "ml2fb.txt"),
        sep="\t",
        names=["item_id", "entity"],
        dtype=str,
        keep_default_na=False,
    )
    if len(links) != 25_982 or not links["item_id"].is_unique:
        raise DataError(
            f"ml2fb.txt: 25,982 links, one a film, were expected, found {len(links):,}; "
            "restore the file with `python course.py data get kb4rec`."
        )
    return links


def load_item_descriptions() -> dict[str, str]:
    """A paragraph on each of the 3,883 films of MovieLens-1M, written by a large language model.

    Returns {item_id: text of about 1,000 characters}; one film (id 1122) has an empty text, as published.
    They were made for CoLaKG (Cui et al. 2025, arXiv:2410.12229) from title and genres, and may hold what
    became known of a film after the ratings were given. Raises `AssetMissing` if it is not fetched,
    `DataError` if the file is not what it should be.
    """
    path = asset_path("item-descriptions", "llm_response_item.json")
    try:
        descriptions = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise DataError(
            f"{path.name}, line {error.lineno}: not valid JSON; "
            "restore the file with `python course.py data get item-descriptions`."
        ) from None
    if len(descriptions) != 3_883:
        raise DataError(
            f"{path.name}: 3,883 descriptions were expected, found {len(descriptions):,}; "
            "restore the file with `python course.py data get item-descriptions`."
        )
    return descriptions
