"""Fit and query times of collaborative retrievers on MovieLens-100K, beside retrieval by encoded text."""

from collections.abc import Callable

import numpy as np
import transformers

from course_lib.data import Split, load_movielens_100k
from course_lib.encode import TextEncoder
from course_lib.retrieve import ALS, BPR, EASE, FeatureRetriever, ItemKNN, Popularity, Retriever, UserKNN
from tests.benchmarks import harness

K = 100
FIELDS = ("title", "year", "genres")
TEXT = "BERT text, encoding included"
MAKE: dict[str, tuple[Callable[[], Retriever], str]] = {
    "popularity": (Popularity, "no settings"),
    "item-KNN": (lambda: ItemKNN(100, "tfidf"), "100 neighbours, TF-IDF"),
    "user-KNN": (lambda: UserKNN(100, "bm25"), "100 neighbours, BM25"),
    "ALS": (lambda: ALS(32, 10.0, 1.0, 15), "32 factors, regularization 10, 15 iterations"),
    "BPR": (lambda: BPR(32, 0.01, 0.01, 100), "32 factors, 100 iterations, one thread by design"),
    "EASE": (lambda: EASE(200.0), "regularization 200"),
}


def main() -> None:
    threads = harness.same_threads_for_all()
    transformers.utils.logging.disable_progress_bar()
    interactions, catalogue = load_movielens_100k()
    train = Split.per_user_chronological(interactions, seed=0).train_and_validation
    users = np.arange(train.n_users)
    encoder = TextEncoder("minilm", dtype="float32")
    texts = catalogue.describe(*FIELDS)
    print(f"{harness.processor()}; {threads} threads; {len(train):,} interactions, {len(texts):,} films")

    def encode_and_fit() -> Retriever:
        vectors = encoder.encode(texts, cache=False)
        return FeatureRetriever(vectors - vectors.mean(axis=0), TEXT).fit(train, catalogue)

    def fit(make: Callable[[], Retriever]) -> Callable[[], Retriever]:
        return lambda: make().fit(train, catalogue)

    print("\nfit")
    fitted = harness.alternate({name: fit(make) for name, (make, _) in MAKE.items()} | {TEXT: encode_and_fit})
    fit_rows = harness.table(fitted, TEXT, len(train), "interactions")
    retrievers = {name: timing.result for name, timing in fitted.items()}

    def query(retriever: Retriever) -> Callable[[], np.ndarray]:
        return lambda: retriever.retrieve(users, K).ids

    print(f"\ntop {K} of all users")
    asked = harness.alternate({name: query(retriever) for name, retriever in retrievers.items()})
    query_rows = harness.table(asked, TEXT, len(users), "users")
    content = {
        "data": train.name,
        "users": train.n_users,
        "items": train.n_items,
        "interactions": len(train),
        "k": K,
        "settings": {name: settings for name, (_, settings) in MAKE.items()}
        | {TEXT: f"all-MiniLM-L6-v2, {', '.join(FIELDS)}; the encoder is loaded before, the cache is off"},
        "reference": TEXT,
        "fit": fit_rows,
        "query": query_rows,
    }
    harness.write("cf", ("numpy", "scipy", "implicit", "torch", "transformers"), threads, content)
