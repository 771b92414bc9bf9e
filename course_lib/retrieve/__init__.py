"""Candidate retrievers. All obey one protocol, `Retriever`; one file a family."""

from course_lib.retrieve.base import CannotFoldIn, Retriever, recency_histories
from course_lib.retrieve.baselines import Popularity, Random, SameForAll
from course_lib.retrieve.candidates import Candidates
from course_lib.retrieve.collaborative import CollaborativeRetriever
from course_lib.retrieve.ease import EASE
from course_lib.retrieve.factors import ALS, BPR, FactorRetriever
from course_lib.retrieve.features import FeatureRetriever, genre_features, tfidf_features
from course_lib.retrieve.hybrid import Hybrid
from course_lib.retrieve.keyword import KeywordRetriever
from course_lib.retrieve.neighbours import ItemKNN, UserKNN
from course_lib.retrieve.text import TextRetriever
from course_lib.retrieve.vectors import VectorRetriever

__all__ = [
    "ALS",
    "BPR",
    "EASE",
    "Candidates",
    "CannotFoldIn",
    "CollaborativeRetriever",
    "FactorRetriever",
    "FeatureRetriever",
    "Hybrid",
    "ItemKNN",
    "KeywordRetriever",
    "Popularity",
    "Random",
    "Retriever",
    "SameForAll",
    "TextRetriever",
    "UserKNN",
    "VectorRetriever",
    "genre_features",
    "recency_histories",
    "tfidf_features",
]
