"""Choosing a retriever's settings: the same for every retriever, on validation data only, kept as data."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from course_lib import arguments
from course_lib.data import Catalogue, Split
from course_lib.evaluate import evaluate
from course_lib.evaluate.report import parsed_metric
from course_lib.retrieve import Candidates, Retriever


@dataclass(frozen=True)
class Tuning:
    """What was tried and what won.

    `trials` has one row a trial, in the order tried: the settings, then mean, low and high of `metric` on the
    validation users. `best` is the settings of the winner, `retriever` the winner fitted anew on training and
    validation data together, ready for the test. `budget` is the number of trials allowed, `possible` the
    number of combinations in the grid; a smaller grid is tried whole.
    """

    name: str
    metric: str
    budget: int
    possible: int
    trials: pd.DataFrame
    best: dict[str, Any]
    retriever: Retriever

    def __str__(self) -> str:
        settings = ", ".join(f"{setting} {value}" for setting, value in self.best.items()) or "no settings"
        row = self.trials.iloc[int(self.trials["mean"].argmax())]
        return (
            f"{self.name}: {settings} won with {self.metric} {row['mean']:.3f} on validation; "
            f"{len(self.trials)} of {self.possible} combinations tried, budget {self.budget}."
        )


def tune(
    make: Callable[..., Retriever],
    grid: Mapping[str, Sequence],
    split: Split,
    metric: str = "ndcg@10",
    *,
    budget: int = 12,
    catalogue: Catalogue | None = None,
    lists: np.ndarray | None = None,
    seed: int = 0,
) -> Tuning:
    """Try settings on the validation part of `split`, then fit the best on training and validation together.

    Parameters
    ----------
    make
        called with one value for each name in `grid`, returns an unfitted retriever; a class will do.
    grid
        the values to choose from for each setting; an empty grid is one trial.
    split
        fitted on `train`, judged on `validation`; `test` is never read.
    metric
        per-user metric with a cut-off, the higher the better; its mean over users decides.
    budget
        number of trials. Give every retriever that is compared the same: a baseline that was tried less
        often loses to the tuning, not to the model. A grid with more combinations is sampled without
        replacement.
    catalogue
        handed to `fit`.
    lists
        int64 `[n_users, m]`, items to rank for each user (−1 pads). Without it: the whole catalogue, less
        what the user has in training, which is what a recall stage is judged by.
    seed
        of the sample and of the intervals. The retriever's own seed is the business of `make`.

    Equal means go to the trial that comes first. Raises ValueError for a budget below 1, a setting without a
    list of values, an unknown metric, one that no user has a value of, a split without validation data, or
    lists that are not one row a user.
    """
    budget = arguments.whole("tune: the budget", budget, 1)
    seed = arguments.seed(seed)
    if not isinstance(grid, Mapping):
        raise ValueError(f"tune: the grid must be {{setting: values}}, got {type(grid).__name__}.")
    grid = {setting: _values(setting, values) for setting, values in grid.items()}
    _, k = parsed_metric(metric)
    if not len(split.validation):
        raise ValueError("tune: the split has no validation interactions, so nothing can be chosen on it.")
    if lists is not None:
        lists = np.asarray(lists)
        if lists.ndim != 2 or len(lists) != split.train.n_users:
            raise ValueError(
                f"tune: lists is {lists.shape} for {split.train.n_users} users; give one row a user."
            )
    combinations = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
    chosen = np.arange(len(combinations))
    if len(chosen) > budget:
        chosen = np.sort(np.random.default_rng(seed).choice(chosen, size=budget, replace=False))
    users = np.flatnonzero(split.validation.user_counts)
    relevant = split.validation.matrix[users]
    rows = []
    for place in chosen:
        settings = combinations[place]
        retriever = make(**settings).fit(split.train, catalogue)
        if lists is None:
            ranked = retriever.retrieve(users, k)
        else:
            ranked = Candidates.from_item_scores(lists[users], retriever.score(users, lists[users]))
        report = evaluate(ranked, relevant, [metric], seed=seed)
        if metric not in report.per_user or np.isnan(report.mean(metric)):
            raise ValueError(f"tune: {metric} gives no user a value, so nothing can be chosen by it.")
        low, high = report.interval(metric)
        rows.append({**settings, "mean": report.mean(metric), "low": low, "high": high})
        del retriever  # a large model leaves before the next one comes
    trials = pd.DataFrame(rows)
    best = combinations[chosen[int(trials["mean"].argmax())]]
    winner = make(**best).fit(split.train_and_validation, catalogue)
    return Tuning(winner.name, metric, budget, len(combinations), trials, best, winner)


def _values(setting: str, values: Sequence) -> list:
    if isinstance(values, str):
        raise ValueError(f"tune: the values of {setting} are one string: give a list, [{values!r}].")
    try:
        values = list(values)
    except TypeError:
        raise ValueError(
            f"tune: {setting} needs a list of values, got {values!r}: write [{values!r}]."
        ) from None
    if not values:
        raise ValueError(f"tune: no value to try for {setting}; list at least one.")
    return values
