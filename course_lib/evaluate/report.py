"""From ranked lists to numbers with intervals: `evaluate`, `Report`, `compare`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

import numpy as np
import pandas as pd
import scipy.sparse as sp

from course_lib import arguments
from course_lib.data import Interactions
from course_lib.data.histories import checked_matrix
from course_lib.evaluate import accuracy, lists
from course_lib.evaluate.resampling import bootstrap_interval, permutation_p_value, sums_by_group
from course_lib.retrieve.candidates import Candidates

LOOKUP_CELLS = 2**18  # cells of the table in which relevant items are looked up: 1 MiB, fits a core's cache

HIT_METRICS: dict[str, Callable] = {
    "recall": accuracy.recall,
    "recall_capped": accuracy.recall_capped,
    "precision": accuracy.precision,
    "hit_rate": accuracy.hit_rate,
    "mrr": accuracy.reciprocal_rank,
    "map": accuracy.average_precision,
    "map_capped": accuracy.average_precision_capped,
    "map_of_hits": accuracy.average_precision_of_hits,
    "ndcg": accuracy.ndcg,
}
GRADED_METRICS: dict[str, Callable] = {  # how a gain is made of the relevance
    "ndcg_linear": lambda relevance: relevance,
    "ndcg_exponential": lambda relevance: np.exp2(relevance) - 1,
}
# Beyond it 2**relevance − 1 says nothing but which item is the first: the limit of xgboost and LightGBM. A
# sum of linear gains must stay below the largest float64.
LARGEST_RELEVANCE = {"ndcg_linear": 1e300, "ndcg_exponential": 31}
WHOLE_METRICS: dict[str, Callable] = {"coverage": lists.coverage, "gini": lists.gini}
POPULARITY_METRICS: dict[str, Callable] = {
    "novelty": lists.novelty,
    "average_popularity": lists.average_popularity,
}
METRICS = (*HIT_METRICS, *GRADED_METRICS, *WHOLE_METRICS, *POPULARITY_METRICS, "intra_list_diversity")


@dataclass(frozen=True, repr=False)
class Report:
    """Metrics of one set of lists; prints as its table, `show.forest({name: report}, metric)` draws it.

    `per_user` maps a metric such as "recall@10" to float64 `[n_users]`, NaN where it is undefined for a user;
    `overall` holds the metrics that exist for all lists together only (coverage, gini). Neither can be
    changed: `with_values` makes another report. `seed` drives the bootstrap.

    A row need not be a user: `unit` names what was drawn, in the plural (users, readers, draws, seeds), and
    stands in tables and messages. Where several rows belong to one unit (a user's impressions, the users
    judged on one draw of cold films), `groups` int `[n_users]` says which: means are over rows, intervals and
    p-values take the rows of a unit together.

    Raises ValueError for values that are no numbers, infinite or not one a row, groups that are not one
    integer a row, and a unit without a name.
    """

    per_user: Mapping[str, np.ndarray]
    overall: Mapping[str, float]
    n_users: int
    n_without_relevant: int
    seed: int = 0
    groups: np.ndarray | None = None
    unit: str = "users"

    def __post_init__(self) -> None:
        if not isinstance(self.unit, str) or not self.unit.strip():
            raise ValueError(f"unit must name what was drawn, such as users or draws, got {self.unit!r}.")
        per_user = {metric: self._checked(metric, values) for metric, values in self.per_user.items()}
        object.__setattr__(self, "per_user", MappingProxyType(per_user))
        object.__setattr__(self, "overall", MappingProxyType(dict(self.overall)))
        if self.groups is None:
            return
        groups = np.array(self.groups)
        if groups.shape != (self.n_users,) or groups.dtype.kind not in "iu":
            raise ValueError(
                f"groups must be one integer for each of the {self.n_users} rows, got {groups.dtype} "
                f"{groups.shape}."
            )
        groups.setflags(write=False)
        object.__setattr__(self, "groups", groups)

    def _checked(self, metric: str, values: np.ndarray) -> np.ndarray:
        """A copy of one number a row that nobody can write to."""
        try:
            values = np.array(values, dtype=np.float64)
        except (TypeError, ValueError):
            raise ValueError(f"{metric} must hold numbers, and NaN for a row without one.") from None
        if values.shape != (self.n_users,):
            raise ValueError(
                f"{metric} must be one number for each of the {self.n_users} rows, got {values.shape}."
            )
        if np.isinf(values).any():
            raise ValueError(
                f"{metric} is infinite in {arguments.rows(np.isinf(values))}; NaN marks a row without."
            )
        values.setflags(write=False)
        return values

    def __reduce__(self) -> tuple:
        """Copies and pickles are made anew: Python cannot pickle a read-only mapping."""
        parts = (dict(self.per_user), dict(self.overall), self.n_users, self.n_without_relevant)
        return Report, (*parts, self.seed, self.groups, self.unit)

    @classmethod
    def of(
        cls,
        values: Mapping[str, np.ndarray],
        *,
        seed: int = 0,
        groups: np.ndarray | None = None,
        unit: str = "users",
    ) -> Report:
        """A report of one's own numbers: `{name: float [n]}`, one for each row, NaN where it has none.

        A row is whatever was drawn, and `unit` names it: a user, a draw of cold films, a seed. With two
        levels, `{name: float [draws, users]}` and `unit="draws"`, the rows are those of all draws, one after
        the other, and intervals resample the draws, each with its users. Raises ValueError without a name,
        for `groups` beside two levels, and as the class does.
        """
        if not isinstance(values, Mapping) or not values:
            raise ValueError("Report.of: name at least one value, {name: numbers, one for each row}.")
        shape = np.shape(next(iter(values.values())))
        if len(shape) == 2:
            if groups is not None:
                raise ValueError("Report.of: rows of [draws, users] belong to their draws; leave out groups.")
            if wrong := [name for name, array in values.items() if np.shape(array) != shape]:
                raise ValueError(f"Report.of: {wrong[0]} must be {shape} as the others, draws × users.")
            groups = np.repeat(np.arange(shape[0]), shape[1])
            values = {name: np.ravel(array) for name, array in values.items()}
        elif len(shape) != 1:
            raise ValueError(f"Report.of: values must be one number for each row, got shape {shape}.")
        n = int(np.prod(shape))
        return cls(values, {}, n, 0, seed, groups, unit)

    def only(self, rows: np.ndarray) -> Report:
        """The same metrics of some rows: a bool mask `[n]` or integer indices. Overall metrics have none.

        Raises ValueError for a mask of another length, and for an index outside of 0 … n − 1.
        """
        rows = np.asarray(rows)
        if rows.dtype == bool and rows.shape == (self.n_users,):
            rows = np.flatnonzero(rows)
        elif rows.dtype.kind not in "iu" or rows.ndim != 1 or ((rows < 0) | (rows >= self.n_users)).any():
            raise ValueError(
                f"Report.only: rows must be bool [{self.n_users}] or row numbers from 0 to "
                f"{self.n_users - 1}, got {rows.dtype} {rows.shape}."
            )
        per_user = {metric: values[rows] for metric, values in self.per_user.items()}
        without = min(int(np.isnan(values).sum()) for values in per_user.values()) if per_user else 0
        groups = None if self.groups is None else self.groups[rows]
        return Report(per_user, {}, len(rows), without, self.seed, groups, self.unit)

    def with_values(self, name: str, values: np.ndarray) -> Report:
        """This report with one more number a row, or another in the place of one that it has."""
        return replace(self, per_user={**self.per_user, name: values})

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of all metrics in this report."""
        return (*self.per_user, *self.overall)

    def values(self, metric: str) -> np.ndarray:
        """The defined values of a per-user metric, float64, users without one left out."""
        if metric not in self.per_user:
            raise KeyError(
                f"No per-user values of {metric!r} in this report; it has {', '.join(self.per_user)}."
            )
        values = self.per_user[metric]
        return values[~np.isnan(values)]

    def groups_of(self, metric: str) -> np.ndarray | None:
        """The group of each of `values(metric)`, None without groups."""
        return None if self.groups is None else self.groups[~np.isnan(self.per_user[metric])]

    def mean(self, metric: str) -> float:
        """Mean over the rows for which the metric is defined (NaN if for none), or the overall value."""
        if metric in self.overall:
            return self.overall[metric]
        values = self.values(metric)
        return float(values.mean()) if len(values) else float("nan")

    def interval(self, metric: str, level: float = 0.95, resamples: int = 1000) -> tuple[float, float]:
        """Bootstrap interval over what was drawn; (NaN, NaN) for an overall metric: resampling shrinks it."""
        if metric in self.overall:
            return float("nan"), float("nan")
        return bootstrap_interval(self.values(metric), level, resamples, self.seed, self.groups_of(metric))

    def n_drawn(self, metric: str) -> int:
        """How many units (users, or what `unit` names) have a value of the metric."""
        if metric in self.overall:
            return self.n_users if self.groups is None else len(np.unique(self.groups))
        groups = self.groups_of(metric)
        return len(self.values(metric)) if groups is None else len(np.unique(groups))

    def table(self, level: float = 0.95) -> pd.DataFrame:
        """One row a metric: mean, low, high (ends of the interval), and how many units it is over.

        The last column has the name of the `unit`: users, if nothing else was said.
        """
        rows = []
        for metric in self.metrics:
            low, high = self.interval(metric, level)
            rows.append(
                {
                    "metric": metric,
                    "mean": self.mean(metric),
                    "low": low,
                    "high": high,
                    self.unit: self.n_drawn(metric),
                }
            )
        return pd.DataFrame(rows).set_index("metric")

    def __repr__(self) -> str:
        return self.table().to_string(float_format="{:.4f}".format)


@dataclass(frozen=True)
class Comparison:
    """Paired comparison of two reports: `difference` is the mean over rows of first − second.

    `interval` is its bootstrap interval at `level`, `p_value` that of a permutation test (two-sided), both
    over what was drawn, which `unit` names; `n_users` counts the rows.
    """

    metric: str
    difference: float
    interval: tuple[float, float]
    p_value: float
    n_users: int
    level: float
    unit: str = "users"

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.side != "unclear"

    @property
    def side(self) -> Literal["above", "below", "unclear"]:
        """Where the first stands to the second: the whole interval above zero, below zero, or neither."""
        low, high = self.interval
        return "above" if low > 0 else "below" if high < 0 else "unclear"

    @property
    def half_width(self) -> float:
        """Half the interval's width: a true difference of this size is clear in half of all samples."""
        return (self.interval[1] - self.interval[0]) / 2

    def within(self, margin: float) -> bool:
        """Whether the two are the same within `margin`, above 0: the interval lies in (-margin, margin).

        An interval that holds zero does not say so: it may be wide. Source: Schuirmann 1987, two one-sided
        tests; an interval at 95 % makes each of them a test at 2.5 %.
        """
        arguments.real("margin", margin, above=0)
        return bool(-margin < self.interval[0] and self.interval[1] < margin)


def evaluate(
    candidates: Candidates,
    relevant: sp.csr_array,
    metrics: Sequence[str] = ("recall@10", "ndcg@10"),
    *,
    train: Interactions | None = None,
    item_vectors: np.ndarray | sp.csr_array | None = None,
    seed: int = 0,
    groups: np.ndarray | None = None,
) -> Report:
    """Judge ranked lists against what users really took.

    Parameters
    ----------
    candidates
        n lists; the users in the order of `relevant`.
    relevant
        CSR `[n, n_items]`: a stored value above 0 makes an item relevant; graded metrics use it as relevance.
    metrics
        names with a cut-off, "recall@10". recall, recall_capped (÷ min(k, relevant)), precision, hit_rate,
        mrr, map (÷ relevant), map_capped (÷ min(k, relevant)), map_of_hits (÷ hits), ndcg (binary),
        ndcg_linear and ndcg_exponential (graded), coverage, gini, novelty and average_popularity (need
        `train`), intra_list_diversity (needs `item_vectors`). Formulas and edge cases stand in `accuracy`
        and `lists`.
    train
        training interactions: item counts.
    item_vectors
        `[n_items, d]`.
    seed
        of the bootstrap.
    groups
        int `[n]`, where a row is not a user: whose it is. See `Report`.

    Raises
    ------
    ValueError
        for an unknown metric, a cut-off beyond the width of the lists, a missing input, other users or
        another catalogue on the two sides, and (ndcg_exponential) a relevance above 31.
    """
    if not isinstance(candidates, Candidates):
        raise ValueError(
            f"evaluate: candidates is {type(candidates).__name__}: pass Candidates, such as from retrieve."
        )
    wanted = [(metric, *_parsed(metric, candidates.width)) for metric in arguments.names("metrics", metrics)]
    if not sp.issparse(relevant):
        relevant = arguments.numbers("relevant", relevant, "give a sparse matrix, users × items", n_dims=2)
    n_users, n_items = len(candidates), relevant.shape[-1]
    relevant = checked_matrix(relevant, n_items, "relevant")
    _check_same_users(candidates, relevant)
    width = max(k for _, _, k in wanted)
    ids = candidates.ids[:, :width]
    is_relevant = relevant.data > 0
    n_relevant = np.bincount(
        np.repeat(np.arange(n_users), np.diff(relevant.indptr))[is_relevant], minlength=n_users
    )
    hits = _values_of_places(ids, relevant, is_relevant)
    if graded := {family for _, family, _ in wanted} & set(GRADED_METRICS):
        relevant = relevant.astype(
            np.float64
        )  # signed and wide: grades come as counts and stars, of any type
        _check_grades(relevant, graded)
        relevance, best = _values_of_places(ids, relevant, relevant.data), _best_relevance(relevant, width)

    per_user: dict[str, np.ndarray] = {}
    overall: dict[str, float] = {}
    for metric, family, k in wanted:
        if family in HIT_METRICS:
            per_user[metric] = HIT_METRICS[family](hits, n_relevant, k)
        elif family in GRADED_METRICS:
            gain = GRADED_METRICS[family]
            per_user[metric] = accuracy.ndcg_graded(gain(relevance), gain(best), k)
        elif family in WHOLE_METRICS:
            overall[metric] = WHOLE_METRICS[family](ids[:, :k], n_items)
        elif family in POPULARITY_METRICS:
            counts = _item_counts(train, metric, n_items)
            per_user[metric] = POPULARITY_METRICS[family](ids[:, :k], counts, train.n_users)
        else:
            per_user[metric] = lists.intra_list_diversity(ids[:, :k], _vectors(item_vectors, metric, n_items))
    return Report(per_user, overall, n_users, int((n_relevant == 0).sum()), seed, groups)


def compare(
    first: Report,
    second: Report,
    metric: str,
    *,
    level: float = 0.95,
    resamples: int = 1000,
    permutations: int = 10_000,
    seed: int = 0,
) -> Comparison:
    """First minus second, row by row: user by user, draw by draw, seed by seed.

    Far sharper than two separate intervals, because a user who is hard for one is hard for the other.
    Raises ValueError unless both reports judge the same rows, of the same unit and in the same groups.
    """
    if not isinstance(metric, str):
        raise ValueError(f"compare: metric must be one name such as recall@10, got {metric!r}.")
    first.values(metric), second.values(metric)  # a clear error if either lacks the metric
    a, b = first.per_user[metric], second.per_user[metric]
    if a.shape != b.shape or not np.array_equal(np.isnan(a), np.isnan(b)):
        raise ValueError(
            f"compare: the reports give {metric} for different {first.unit}; evaluate both on the same rows."
        )
    if first.unit != second.unit:
        raise ValueError(
            f"compare: a row is one of the {first.unit} in the first report, and one of the {second.unit} in "
            "the second; give both the same unit."
        )
    differences = (a - b)[~np.isnan(a)]
    if not len(differences):
        raise ValueError(f"compare: none of the {first.unit} has a value of {metric}.")
    groups = first.groups_of(metric)
    if not np.array_equal(groups, second.groups_of(metric)):
        raise ValueError("compare: the reports group their rows differently; pass both the same groups.")
    return Comparison(
        metric,
        float(differences.mean()),
        bootstrap_interval(differences, level, resamples, seed, groups),
        permutation_p_value(sums_by_group(differences, groups)[0], permutations, seed),
        len(differences),
        level,
        first.unit,
    )


def side_by_side(reports: Mapping[str, Report], metrics: Sequence[str], level: float = 0.95) -> pd.DataFrame:
    """Several reports in one table: a row a (retriever, metric), columns mean, low, high, and the unit."""
    metrics = list(arguments.names("metrics", metrics))
    if not reports:
        raise ValueError("side_by_side: there is no report; pass {name: report}.")
    for name, report in reports.items():
        if missing := [metric for metric in metrics if metric not in report.metrics]:
            raise KeyError(
                f"The report of {name!r} has no {missing[0]!r}; it has {', '.join(report.metrics)}."
            )
    tables = {name: report.table(level).loc[metrics] for name, report in reports.items()}
    return pd.concat(tables, names=["retriever", "metric"])


def parsed_metric(metric: str) -> tuple[str, int]:
    """Name and cut-off of "recall@10"; ValueError for an unknown one."""
    match = re.fullmatch(r"([a-z_]+)@([1-9][0-9]*)", metric) if isinstance(metric, str) else None
    if not match or match[1] not in METRICS:
        raise ValueError(
            f"Unknown metric {metric!r}: write a name and a cut-off such as recall@10; names are "
            f"{', '.join(METRICS)}."
        )
    return match[1], int(match[2])


def metric_in_words(metric: str) -> str:
    """The name of a metric as a reader knows it, "NDCG@10", "Hit rate@5"; another name stays as it is.

    >>> metric_in_words("recall_capped@10"), metric_in_words("map@10"), metric_in_words("hours")
    ('Recall capped@10', 'MAP@10', 'hours')
    """
    name, at, k = metric.partition("@")
    if name not in (*METRICS, "auc"):
        return metric
    first, *rest = name.split("_")
    first = first.upper() if first in ("auc", "map", "mrr", "ndcg") else first.capitalize()
    return " ".join([first, *rest]) + at + k


def _parsed(metric: str, width: int) -> tuple[str, int]:
    family, k = parsed_metric(metric)
    if k > width:
        raise ValueError(
            f"{metric} needs lists with {k} places and these have {width}: retrieve with k={k}, or, if the "
            f"lists are complete as they are, use candidates.padded({k})."
        )
    return family, k


def _check_same_users(candidates: Candidates, relevant: sp.csr_array) -> None:
    if relevant.shape[0] != len(candidates):
        hint = "; it looks transposed" if relevant.shape[1] == len(candidates) else ""
        raise ValueError(
            f"evaluate: {len(candidates)} lists but relevant has shape {relevant.shape} (users × items)"
            f"{hint}; take the same users on both sides."
        )
    if candidates.ids.size and candidates.ids.max() >= relevant.shape[1]:
        raise ValueError(
            f"evaluate: a list holds item {candidates.ids.max()}, but relevant has {relevant.shape[1]} "
            "items; is it transposed, or of another catalogue?"
        )


def _check_grades(relevant: sp.csr_array, graded: set[str]) -> None:
    for metric in sorted(graded):
        if relevant.nnz and (largest := relevant.data.max()) > LARGEST_RELEVANCE[metric]:
            row = int(np.searchsorted(relevant.indptr, relevant.data.argmax(), side="right")) - 1
            raise ValueError(
                f"{metric}: the relevance goes up to {largest:g} (row {row}), and the limit is "
                f"{LARGEST_RELEVANCE[metric]:g}; grade it, for example by log2(1 + count), or use ndcg_linear"
            )


def _values_of_places(ids: np.ndarray, relevant: sp.csr_array, values: np.ndarray) -> np.ndarray:
    """What `values` (one for each stored entry of `relevant`) say about each place: `[n, K]` of their dtype.

    A small dense table for a few users at a time is much faster than searching in CSR rows; the first of its
    columns stays 0 and is what id −1 reads."""
    n_users, n_items = relevant.shape
    found = np.empty(ids.shape, dtype=values.dtype)
    height = min(max(1, LOOKUP_CELLS // (n_items + 1)), max(1, n_users))
    table = np.zeros(height * (n_items + 1), dtype=values.dtype)
    item_0 = np.arange(height) * (n_items + 1) + 1
    for start in range(0, n_users, height):
        stop = min(start + height, n_users)
        stored = slice(relevant.indptr[start], relevant.indptr[stop])
        counts = np.diff(relevant.indptr[start : stop + 1])
        cells = np.repeat(item_0[: stop - start], counts) + relevant.indices[stored]
        table[cells] = values[stored]
        # All ids were checked, and "clip" is the fastest way to say so.
        np.take(table, ids[start:stop] + item_0[: stop - start, None], out=found[start:stop], mode="clip")
        table[cells] = 0
    return found


def _best_relevance(relevant: sp.csr_array, width: int) -> np.ndarray:
    """Each user's stored relevance in falling order, float64 `[n, width]`, zeros after the last."""
    rows = np.repeat(np.arange(relevant.shape[0]), np.diff(relevant.indptr))
    falling = relevant.data[np.lexsort((-relevant.data, rows))]
    places = np.arange(len(rows)) - relevant.indptr[rows]
    best = np.zeros((relevant.shape[0], width))
    kept = places < width
    best[rows[kept], places[kept]] = falling[kept]
    return best


def _item_counts(train: Interactions | None, metric: str, n_items: int) -> np.ndarray:
    if train is None:
        raise ValueError(f"{metric} needs the training interactions: evaluate(…, train=split.train).")
    if train.n_items != n_items:
        raise ValueError(
            f"{metric}: train has {train.n_items} items and relevant {n_items}; use one data set."
        )
    return train.item_counts


def _vectors(
    item_vectors: np.ndarray | sp.csr_array | None, metric: str, n_items: int
) -> np.ndarray | sp.csr_array:
    if item_vectors is None:
        raise ValueError(f"{metric} needs vectors: evaluate(…, item_vectors=…), one row an item.")
    if item_vectors.shape[0] != n_items:
        raise ValueError(
            f"{metric}: {item_vectors.shape[0]} vectors for {n_items} items; give one row for each item."
        )
    return item_vectors
