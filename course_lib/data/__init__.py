"""Interactions, catalogues and splits, and the loaders that make them from fetched files.

Nothing here touches the network: `python course.py data get NAME` fetches, these functions read.
"""

from course_lib.data.cache import AssetMissing, asset_folder, asset_path, cache_folder
from course_lib.data.catalogue import Catalogue
from course_lib.data.gowalla import load_gowalla
from course_lib.data.histories import Histories
from course_lib.data.impressions import Impressions
from course_lib.data.interactions import DataError, Interactions
from course_lib.data.item_knowledge import load_item_descriptions, load_kb4rec
from course_lib.data.movielens import (
    load_movielens,
    load_movielens_1m,
    load_movielens_1m_ncf_test,
    load_movielens_1m_users,
    load_movielens_100k,
    load_movielens_100k_graph,
    load_movielens_100k_users,
    load_movielens_latest_small,
)
from course_lib.data.news import News, load_mind, load_mind_entities
from course_lib.data.simulated_truth import Truth, load_simulated_truth
from course_lib.data.split import Split, seeded_hash

__all__ = [
    "AssetMissing",
    "Catalogue",
    "DataError",
    "Histories",
    "Impressions",
    "Interactions",
    "News",
    "Split",
    "Truth",
    "asset_folder",
    "asset_path",
    "cache_folder",
    "load_gowalla",
    "load_item_descriptions",
    "load_kb4rec",
    "load_mind",
    "load_mind_entities",
    "load_movielens",
    "load_movielens_1m",
    "load_movielens_1m_ncf_test",
    "load_movielens_1m_users",
    "load_movielens_100k",
    "load_movielens_100k_graph",
    "load_movielens_100k_users",
    "load_movielens_latest_small",
    "load_simulated_truth",
    "seeded_hash",
]
