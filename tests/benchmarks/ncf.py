"""The public leave-one-out test on MovieLens-1M (He et al. 2017): 99 sampled negatives, HR@10 and NDCG@10.

Beside each sampled figure stands the one of ranking the full catalogue, and what that reverses. Settings are
chosen on one random training item a user, with negatives drawn in the same way: half the users have no times,
so validation is a random item where the test is the last one, and is much easier.
"""

from itertools import combinations
from typing import Self

import numpy as np
import pandas as pd
import scipy.sparse as sp

from course_lib.data import Interactions, Split, load_movielens_1m, load_movielens_1m_ncf_test, seeded_hash
from course_lib.evaluate import Report, compare, evaluate
from course_lib.registers import Measurement
from course_lib.retrieve import ALS, BPR, EASE, Candidates, Hybrid, ItemKNN, Popularity, Retriever, UserKNN
from course_lib.tune import Tuning, tune
from tests.benchmarks import harness

BUDGET = 8
NEGATIVES = 99
METRICS = ("hit_rate@10", "ndcg@10")
GRIDS = {
    "user neighbours": (UserKNN, {"neighbours": [50, 100, 200, 400], "weighting": ["cosine", "tfidf"]}),
    "item neighbours": (ItemKNN, {"neighbours": [20, 50, 100, 200], "weighting": ["cosine", "tfidf"]}),
    "BPR": (
        lambda **settings: BPR(iterations=50, **settings),
        {"factors": [32, 64], "learning_rate": [0.02, 0.05], "regularization": [0.002, 0.01]},
    ),
    "ALS": (ALS, {"factors": [64, 192], "regularization": [25.0, 50.0], "alpha": [2.0, 5.0]}),
    "EASE": (EASE, {"regularization": [200.0, 350.0, 500.0, 700.0, 1000.0, 1400.0, 2000.0, 3000.0]}),
}
HYBRID_WEIGHTS = [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
PUBLISHED = {
    "popularity, published": (0.4531, 0.2542),
    "matrix factorisation, published (Rendle et al. 2020)": (0.7294, 0.4523),
}
COLUMNS = (
    harness.column("retriever", "retriever"),
    harness.column("sampled hit_rate@10", "HR@10, 99 sampled"),
    harness.column("sampled ndcg@10", "NDCG@10, 99 sampled"),
    harness.column("full hit_rate@10", "HR@10, all films"),
    harness.column("full ndcg@10", "NDCG@10, all films"),
)


def main() -> None:
    threads = harness.same_threads_for_all()
    split, test_lists = _split_and_test_lists()
    print(f"{harness.processor()}; {threads} threads; {split}")
    validation_lists = _with_random_negatives(split)
    retrievers: dict[str, Retriever] = {
        "popularity": Popularity().fit(split.train_and_validation),
        "ALS, defaults of implicit": ALS().fit(split.train_and_validation),
    }
    tunings: dict[str, Tuning] = {}
    for name, (make, grid) in GRIDS.items():
        tunings[name] = tune(make, grid, split, "ndcg@10", budget=BUDGET, lists=validation_lists)
        print(tunings[name], flush=True)
    ease, als = (FittedOnce(GRIDS[name][0](**tunings[name].best)) for name in ("EASE", "ALS"))
    tunings["EASE + ALS"] = tune(
        lambda weight: Hybrid(ease, als, weight),
        {"weight": HYBRID_WEIGHTS},
        split,
        "ndcg@10",
        budget=BUDGET,
        lists=validation_lists,
    )
    print(tunings["EASE + ALS"], flush=True)
    retrievers |= {name: tuning.retriever for name, tuning in tunings.items()}
    sampled = {name: _sampled(retriever, test_lists) for name, retriever in retrievers.items()}
    full = {name: _full(retriever, test_lists[:, 0]) for name, retriever in retrievers.items()}

    reversals = _reversals(sampled, full)
    cells = {
        name: harness.cells(sampled[name], "sampled ") | harness.cells(full[name], "full ")
        for name in retrievers
    }
    shown = page(cells, reversals)
    print(pd.DataFrame(Measurement("ncf", shown).table.texts).to_string(header=False, index=False))
    print(*shown["table"]["remarks"], sep="\n")
    best = max(tunings, key=lambda name: tunings[name].trials["mean"].max())  # not by the test
    promises = _promises(sampled, len(reversals))
    content = {
        "data": split.train.name,
        "metrics": METRICS,
        "negatives": NEGATIVES,
        "budget": BUDGET,
        "validation": split.rule,
        **shown,
        "best": best,
        "settings": {name: tuning.best for name, tuning in tunings.items()},
        "trials": {name: tuning.trials.to_dict("records") for name, tuning in tunings.items()},
        "reversals": reversals,
        "promises": promises,
    }
    harness.write("ncf", ("numpy", "scipy", "implicit"), threads, content)


class FittedOnce(Retriever):
    """A retriever that keeps what it learned as long as it is given the same training data."""

    def __init__(self, retriever: Retriever) -> None:
        self.retriever = retriever
        self.name = retriever.name

    def fit(self, train: Interactions, catalogue=None) -> Self:
        if getattr(self, "_train", None) is not train:
            self.retriever.fit(train, catalogue)
            super().fit(train, catalogue)
            self._train = train
        return self

    def _fit(self, train, catalogue) -> None:
        pass

    def _score_block(self, histories):
        return self.retriever.scores(histories)


def _split_and_test_lists() -> tuple[Split, np.ndarray]:
    """The split, and int64 `[n_users, 100]`: the held-out item, then the published negatives."""
    interactions, _ = load_movielens_1m("pairs")
    held_out, negatives = load_movielens_1m_ncf_test()
    n_users = interactions.n_users
    in_test = np.isin(interactions.pair_keys, np.arange(n_users) * interactions.n_items + held_out)
    drawn = seeded_hash(interactions.users, interactions.items)
    order = np.lexsort((drawn, in_test, interactions.users))
    in_validation = np.zeros(len(interactions), dtype=bool)
    in_validation[order[np.searchsorted(interactions.users[order], np.arange(n_users))]] = True
    split = Split(
        interactions.select(~in_test & ~in_validation),
        interactions.select(in_validation),
        interactions.select(in_test),
        rule="the published last interaction of each user is test, a random other one validation",
        guarantee="no pair lies in two parts; validation may be later or earlier than training",
    )
    lists = np.column_stack([held_out, negatives])
    # Some negatives occur twice or are the held-out item; as in the published evaluation they count once.
    for row in lists:
        first = np.unique(row, return_index=True)[1]
        row[np.setdiff1d(np.arange(len(row)), first)] = -1
    return split, lists


def _with_random_negatives(split: Split) -> np.ndarray:
    """int64 `[n_users, 100]`: the validation item and random items that the user did not take in training."""
    generator = np.random.default_rng(0)
    taken = split.train_and_validation.matrix
    lists = np.empty((taken.shape[0], 1 + NEGATIVES), dtype=np.int64)
    lists[split.validation.users, 0] = split.validation.items
    for user in range(len(lists)):
        others = np.ones(taken.shape[1], dtype=bool)
        others[taken.indices[taken.indptr[user] : taken.indptr[user + 1]]] = False
        lists[user, 1:] = generator.choice(np.flatnonzero(others), NEGATIVES, replace=False)
    return lists


def _sampled(retriever: Retriever, lists: np.ndarray) -> Report:
    users = np.arange(len(lists))
    ranked = Candidates.from_item_scores(lists, retriever.score(users, lists))
    return evaluate(ranked, _one_relevant(lists[:, 0], retriever.n_items), METRICS)


def _full(retriever: Retriever, held_out: np.ndarray) -> Report:
    lists = retriever.retrieve(np.arange(len(held_out)), 10)
    return evaluate(lists, _one_relevant(held_out, retriever.n_items), METRICS)


def _one_relevant(items: np.ndarray, n_items: int) -> sp.csr_array:
    ones = np.ones(len(items), dtype=np.float32)
    return sp.csr_array((ones, items, np.arange(len(items) + 1)), shape=(len(items), n_items))


def page(cells: dict[str, dict], reversals: list[dict[str, str]]) -> dict:
    """Cells of each retriever, published figures below them, and what the sample turns round."""
    rows = [{"retriever": name, **of_name} for name, of_name in cells.items()]
    rows += [
        {
            "retriever": name,
            **{f"sampled {metric}": value for metric, value in zip(METRICS, values, strict=True)},
        }
        for name, values in PUBLISHED.items()
    ]
    return harness.page(
        1,
        "MovieLens-1M, the leave-one-out test of He et al. 2017",
        caption="One held-out film a user, ranked among 99 sampled ones (the published test) and among the "
        "whole catalogue. Settings were chosen on a random training film of each user, never on the test.",
        columns=COLUMNS,
        rows=rows,
        remarks=[
            f"By {row['metric']} the sampled test prefers {row['sampled_prefers']}, the whole catalogue "
            f"{row['full_prefers']}; both differences are clear of zero."
            for row in reversals
        ],
    )


def _reversals(sampled: dict[str, Report], full: dict[str, Report]) -> list[dict[str, str]]:
    """Pairs of which the 95 % intervals of the two paired differences lie on opposite sides of zero."""
    found = []
    for metric in METRICS:
        for a, b in combinations(sampled, 2):
            by_sample = compare(sampled[a], sampled[b], metric, permutations=1)
            by_catalogue = compare(full[a], full[b], metric, permutations=1)
            both_clear = by_sample.is_clear and by_catalogue.is_clear
            if both_clear and by_sample.difference * by_catalogue.difference < 0:
                first, second = (a, b) if by_sample.difference > 0 else (b, a)
                found.append({"metric": metric, "sampled_prefers": first, "full_prefers": second})
    return found


def _promises(sampled: dict[str, Report], n_reversals: int) -> list[dict]:
    popularity = {"hit_rate@10": 0.4538, "ndcg@10": 0.2543}
    als = {"hit_rate@10": 0.725, "ndcg@10": 0.450}
    print()
    return [
        *(
            harness.promise(
                f"popularity, {metric}, distance from {value}",
                abs(sampled["popularity"].mean(metric) - value),
                at_most=0.002,
            )
            for metric, value in popularity.items()
        ),
        *(
            harness.promise(f"ALS, {metric}", sampled["ALS"].mean(metric), at_least=value)
            for metric, value in als.items()
        ),
        harness.promise("pairs that sampled negatives put in the wrong order", n_reversals, at_least=1),
    ]
