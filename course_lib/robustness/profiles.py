"""Fake profiles (shilling): users made up to push one item. Without ratings, a profile is a set of items.

Sources: Lam & Riedl 2004 and Mobasher, Burke, Bhaumik & Williams 2007 for the three blind kinds, here carried
over from ratings to sets; the greedy one is the idea of data poisoning (Li et al. 2016) for a set.
"""

from __future__ import annotations

import numpy as np

from course_lib import arguments
from course_lib.robustness.injection import InjectedEASE, InjectedUserKNN

KINDS = ("random", "average", "bandwagon")


def fake_profiles(
    kind: str, target: int, n: int, length: int, item_counts: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """`n` profiles, each the target and `length` − 1 other items: float64 `[n, n_items]` of 0 and 1.

    kind: "random", others drawn evenly; "average", drawn in proportion to `item_counts` (int `[n_items]`),
    as an average person would have them; "bandwagon", one half the most popular items, the rest drawn
    evenly. Raises ValueError for another kind, a length outside 2…n_items, a target that there is not, counts
    that are negative or NaN, and ("average") too few items with a count.
    """
    if kind not in KINDS:
        raise ValueError(f"fake_profiles knows {', '.join(KINDS)}, not {kind!r}.")
    item_counts = arguments.numbers(
        "item_counts", item_counts, "count all items"
    )  # signed, for the sort below
    if not (item_counts >= 0).all():
        raise ValueError(f"item_counts is negative in {arguments.rows(item_counts < 0)}.")
    n = arguments.whole("n", n, 1)
    length = arguments.whole("The length of a profile", length, 2, len(item_counts))
    target = arguments.whole("target", target, 0, len(item_counts) - 1)
    arguments.generator(rng)
    fakes = np.zeros((n, len(item_counts)))
    fakes[:, target] = 1
    if kind == "bandwagon":
        hot = np.argsort(-item_counts, kind="stable")[: length // 2]
        fakes[:, hot] = 1
    chance = item_counts if kind == "average" else np.ones(len(item_counts))
    for row in fakes:
        _fill(row, length, chance, rng)
    return fakes


def optimised_profiles(
    model: InjectedEASE | InjectedUserKNN,
    target: int,
    n: int,
    length: int,
    rng: np.random.Generator,
    pool_size: int = 150,
    disguise: float = 0.02,
    k: int = 50,
) -> np.ndarray:
    """`n` profiles of `length` items made against `model` by an attacker who knows its data and its method.

    Greedy: start from the most popular items, then go once through the places of the profile and put there
    whichever of the `pool_size` most popular items lets the target pass the `k`-th place of most users; the
    bar of each user is the one before the attack, and passing it is counted softly. All profiles share
    the result, but each exchanges the share `disguise` of it (one item at least) for items drawn by
    popularity. Float64 `[n, n_items]`. Raises ValueError for a pool smaller than the profile, numbers out of
    range, and a target that everybody has.
    """
    counts = model.train.item_counts
    n = arguments.whole("n", n, 1)
    length = arguments.whole("The length of a profile", length, 2, len(counts))
    target = arguments.whole("target", target, 0, len(counts) - 1)
    arguments.whole("pool_size", pool_size, length - 1)
    arguments.real("disguise", disguise, at_least=0, at_most=1)
    k = arguments.whole("k", k, 1, len(counts))
    arguments.generator(rng)
    if model.seen[:, target].all():
        raise ValueError(f"optimised_profiles: everybody has item {target}, so there is nobody to win.")
    users = np.flatnonzero(~model.seen[:, target])
    clean = model.scores(np.zeros((0, len(counts))))[users]
    bars = -np.partition(-clean, k - 1, axis=1)[:, k - 1].astype(np.float64)
    by_count = np.argsort(-counts, kind="stable")
    pool = by_count[by_count != target][:pool_size]
    profile = np.append(pool[: length - 1], target)
    pool.sort()
    passing = model.passing(target, pool, n, users, bars)
    for place in range(length - 1):
        rest = np.delete(profile, place)
        free = ~np.isin(pool, rest)
        # Rounded, so that of equally good ones the lowest id is taken, on every processor.
        profile[place] = pool[free][passing(rest)[free].round(9).argmax()]
    fakes = np.zeros((n, len(counts)))
    for row in fakes:
        leaves = rng.choice(length - 1, max(1, round(disguise * (length - 1))), replace=False)
        row[np.delete(profile, leaves)] = 1  # the target stands last and stays
        _fill(row, length, counts.astype(float), rng)
    return fakes


def _fill(row: np.ndarray, length: int, chance: np.ndarray, rng: np.random.Generator) -> None:
    """Add items to a profile, drawn by `chance`, until it has `length`."""
    free = np.flatnonzero((row == 0) & (chance > 0))
    missing = length - int(row.sum())
    if missing > len(free):
        raise ValueError(
            f"A profile of {length} items needs {missing} more, and only {len(free)} have a count above 0; "
            "make it shorter."
        )
    if missing > 0:
        row[rng.choice(free, missing, replace=False, p=chance[free] / chance[free].sum())] = 1
