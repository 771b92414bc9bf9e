"""How sure a mean over users, draws or seeds is: bootstrap, permutation test, correction for several."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

from course_lib import arguments

FLIPS_AT_ONCE = 512
LEAVE_OUT = "leave out users without a value"


def bootstrap_interval(
    values: np.ndarray,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
    groups: np.ndarray | None = None,
) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean of `values` `[n]`, over the unit that was drawn.

    Draws n units (users, draws, seeds) with replacement, `resamples` times, and takes the middle `level` of
    the means. Where a unit has several values (a user's impressions, the users judged on one draw), `groups`
    int `[n]` says whose each one is: units are drawn, each with all its values, because values of one unit
    are alike and count for less than as many units would. `Report.of` makes the groups of `[draws, users]`.
    (NaN, NaN) for fewer than two units: one says nothing about others. Over few of them (five seeds) the
    interval is too narrow, by about a factor of √((n − 1)/n) and more. Raises ValueError for a value that is
    NaN or infinite (it names the rows), a `level` outside of 0…1 and fewer than one resample. Source: Efron &
    Tibshirani 1993; by groups: Davison & Hinkley 1997, §3.8.
    """
    arguments.real("level", level, above=0, below=1)
    resamples = arguments.whole("resamples", resamples, 1)
    seed = arguments.seed(seed)
    sums, counts = sums_by_group(values, groups)
    if len(sums) < 2:
        return float("nan"), float("nan")
    alone = groups is None
    result = stats.bootstrap(
        (sums,) if alone else (sums, counts),
        np.mean if alone else lambda s, c, axis: s.sum(axis=axis) / c.sum(axis=axis),
        paired=not alone,
        n_resamples=resamples,
        batch=64,
        confidence_level=level,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    return float(result.confidence_interval.low), float(result.confidence_interval.high)


def sums_by_group(values: np.ndarray, groups: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Sum and number of `values` `[n]` in each group, float64 `[n_groups]` both; without groups, each alone.

    Raises ValueError if a value is NaN or infinite, or `groups` is not one integer for each value.
    """
    values = arguments.numbers("values", values, LEAVE_OUT)
    if groups is None:
        return values.astype(np.float64), np.ones(len(values))
    groups = np.asarray(groups)
    if groups.shape != values.shape or groups.dtype.kind not in "iu":
        raise ValueError(
            f"groups must be one integer for each of the {len(values)} values, got {groups.dtype} "
            f"{groups.shape}."
        )
    _, place = np.unique(groups, return_inverse=True)
    return np.bincount(place, values), np.bincount(place).astype(np.float64)


def permutation_p_value(differences: np.ndarray, permutations: int = 10_000, seed: int = 0) -> float:
    """Two-sided p-value of a paired permutation test of "the mean difference is zero".

    If two retrievers were alike, each user's difference could as well have the other sign. The p-value is the
    share of random sign patterns whose mean is at least as far from zero as the observed one, the observed
    pattern counted among them: it is never 0. `differences` is float `[n]`. (scipy's `permutation_test` does
    the same some twenty times slower.) Raises ValueError for no difference at all, for one that is NaN or
    infinite (it names the rows), and for fewer than one permutation.
    """
    permutations = arguments.whole("permutations", permutations, 1)
    generator = np.random.default_rng(arguments.seed(seed))
    differences = arguments.numbers("differences", differences, LEAVE_OUT).astype(np.float64)
    if not len(differences):
        raise ValueError("differences is empty: no user has a value in both, so there is nothing to test.")
    total = differences.sum()
    # Sums of the same numbers in another order differ in the last bits; they count as equal.
    bar = abs(total) - 1e-9 * np.abs(differences).sum()
    n_bytes = -(-len(differences) // 8)
    extreme = 1
    for start in range(0, permutations, FLIPS_AT_ONCE):
        rows = min(FLIPS_AT_ONCE, permutations - start)
        bits = np.frombuffer(generator.bytes(rows * n_bytes), dtype=np.uint8).reshape(rows, n_bytes)
        kept = np.unpackbits(bits, axis=1, count=len(differences)) @ differences
        extreme += int((np.abs(2 * kept - total) >= bar).sum())
    return extreme / (permutations + 1)


def holm(p_values: Sequence[float]) -> np.ndarray:
    """Holm's adjusted p-values, float64 `[m]`, in the order given: one below α stands among all m.

    The smallest is multiplied by m, the next by m − 1, …, none may fall below the one before, none exceeds 1.
    Source: Holm 1979. Raises ValueError for a value outside 0…1.

    >>> holm([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    """
    try:
        p = np.asarray(p_values, dtype=np.float64)
    except (TypeError, ValueError):
        p = np.array(np.nan)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"holm: p-values must be a list of numbers from 0 to 1, got {p_values!r}.")
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepped, 1)
    return adjusted
