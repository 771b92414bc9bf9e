import numpy as np
import pytest

from course_lib.data import Interactions, Split
from course_lib.evaluate import evaluate
from course_lib.retrieve import EASE, ItemKNN, Popularity
from course_lib.tune import tune


@pytest.fixture(scope="module")
def split():
    generator = np.random.default_rng(0)
    tastes, films = generator.random((80, 3)), generator.random((30, 3))
    users, items = np.nonzero(tastes @ films.T > 0.9)
    whole = Interactions(
        users, items, None, None, np.arange(80).astype(str), np.arange(30).astype(str), name="toy"
    )
    return Split.random(whole)


def test_the_best_on_validation_wins_and_is_refitted(split):
    tuning = tune(ItemKNN, {"neighbours": [1, 5, 20], "weighting": ["cosine", "bm25"]}, split)
    assert len(tuning.trials) == tuning.possible == 6
    assert list(tuning.trials.columns) == ["neighbours", "weighting", "mean", "low", "high"]
    users = np.flatnonzero(split.validation.user_counts)
    for trial in tuning.trials.itertuples():
        model = ItemKNN(trial.neighbours, trial.weighting).fit(split.train)
        report = evaluate(model.retrieve(users, 10), split.validation.matrix[users], ["ndcg@10"])
        assert report.mean("ndcg@10") == trial.mean
        assert report.interval("ndcg@10") == (trial.low, trial.high)
    best = tuning.trials.loc[tuning.trials["mean"].idxmax()]
    assert tuning.best == {"neighbours": best["neighbours"], "weighting": best["weighting"]}
    final = ItemKNN(**tuning.best).fit(split.train_and_validation)
    np.testing.assert_array_equal(tuning.retriever.retrieve(users, 5).ids, final.retrieve(users, 5).ids)
    assert "6 of 6 combinations tried" in str(tuning)


def test_the_test_part_is_never_read(split):
    class Sealed(Split):
        def __post_init__(self):
            pass

        def __getattribute__(self, name):
            assert name != "test"
            return super().__getattribute__(name)

    sealed = Sealed(split.train, split.validation, None, "", "")
    assert tune(EASE, {"regularization": [1.0, 10.0]}, sealed).best


def test_a_large_grid_is_sampled_within_the_budget(split):
    grid = {"regularization": list(np.linspace(1, 50, 40))}
    first, again, other = (tune(EASE, grid, split, budget=5, seed=seed) for seed in (0, 0, 1))
    assert len(first.trials) == first.budget == 5
    assert first.possible == 40
    assert first.trials["regularization"].is_unique
    assert first.trials.equals(again.trials)
    assert set(first.trials["regularization"]) != set(other.trials["regularization"])


def test_no_settings_is_one_trial(split):
    tuning = tune(Popularity, {}, split, "recall@5")
    assert len(tuning.trials) == 1
    assert tuning.best == {}


def test_given_lists_are_ranked_instead_of_the_catalogue(split):
    lists = np.tile(np.arange(30)[::-1], (80, 1))[:, :12]
    lists[:, 3] = -1
    tuning = tune(Popularity, {}, split, "recall@12", lists=lists)
    offered = [
        np.isin(split.validation.items[split.validation.users == user], lists[user]).mean()
        for user in np.flatnonzero(split.validation.user_counts)
    ]
    assert tuning.trials["mean"][0] == pytest.approx(np.mean(offered))


def test_what_cannot_be_tuned_is_refused(split):
    with pytest.raises(ValueError, match="the budget must be a whole number from 1"):
        tune(EASE, {}, split, budget=0)
    with pytest.raises(ValueError, match="no value to try for regularization"):
        tune(EASE, {"regularization": []}, split)
    with pytest.raises(ValueError, match="one row a user"):
        tune(EASE, {}, split, lists=np.zeros((3, 5), dtype=int))
    nothing = split.validation.select(np.zeros(len(split.validation), dtype=bool))
    with pytest.raises(ValueError, match="no validation interactions"):
        tune(EASE, {}, Split(split.train, nothing, split.test, "", ""))
