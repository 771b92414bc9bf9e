"""What a model recommends after fake profiles joined its training data, exactly and without fitting anew.

Trying hundreds of attacks means hundreds of fits. Two models allow a shortcut: EASE, because a few added rows
change its inverse by a matrix of low rank, and user neighbours, because a fake user can only push others out
of a list of nearest neighbours. Both give the scores that a new fit would give, which a test checks.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.sparse as sp

from course_lib import arguments
from course_lib.data import Interactions


class InjectedEASE:
    """EASE fitted on `train` and any fake profiles. `regularization` as in `course_lib.retrieve.EASE`.

    With P the inverse of XᵀX + regularization I, and F the fake rows: P_new = P − PFᵀ (I + FPFᵀ)⁻¹ FP
    (Sherman, Morrison and Woodbury). Items that no genuine user has stay without offer only if no fake has
    them either, as in a new fit.
    """

    width = 0.02  # how sharply the greedy attack sees the edge of a list, in units of the scores

    def __init__(self, train: Interactions, regularization: float) -> None:
        arguments.real("regularization", regularization, above=0)
        self.train = train
        self.seen = train.matrix.toarray() > 0
        rows = self.seen.astype(np.float64)
        gram = rows.T @ rows
        np.einsum("ii->i", gram)[:] += regularization
        self._inverse = np.linalg.inv(gram)
        self._projected = rows @ self._inverse

    def scores(self, fakes: np.ndarray) -> np.ndarray:
        """Scores float32 `[n_users, n_items]` of the genuine users after the profiles `fakes` `[m, n_items]`
        (0/1) joined; −inf for what a user has, and for items that nobody has. Raises ValueError for other
        profiles."""
        fakes = _profiles(fakes, self.train.n_items)
        through = fakes @ self._inverse
        middle = np.linalg.inv(np.eye(len(fakes)) + through @ fakes.T)
        diagonal = np.diag(self._inverse) - np.einsum("ai,ab,bi->i", through, middle, through)
        diagonal[(self.train.item_counts == 0) & (fakes.sum(axis=0) == 0)] = np.nan
        found = ((self._projected @ fakes.T) @ middle) @ through
        found -= self._projected
        found /= diagonal
        found = found.astype(np.float32)
        found[self.seen] = -np.inf
        found[:, np.isnan(diagonal)] = -np.inf
        return found

    def passing(
        self, target: int, pool: np.ndarray, copies: int, users: np.ndarray, bars: np.ndarray
    ) -> Callable[[np.ndarray], np.ndarray]:
        """The goal of a greedy attacker, as a function of the items `rest` that a profile has (int, the
        target among them): float64 `[pool]`, for each item of `pool` the share of `users` with whom the
        target passes their bar (float64 `[users]`) if `copies` equal profiles hold `rest` and that item.

        Passing is counted softly: a half at the bar, and nearly whole at `width` beyond it.
        """
        inverse, projected = self._inverse, self._projected
        of_pool = projected[np.ix_(users, pool)]
        own = projected[users, target][:, None]

        def share(rest: np.ndarray) -> np.ndarray:
            reach = inverse[rest].sum(axis=0)
            towards = reach[target] + inverse[target, pool]
            length = reach[rest].sum() + 2 * reach[pool] + inverse[pool, pool]
            weight = copies * towards / (1 + copies * length)
            scores = projected[np.ix_(users, rest)].sum(axis=1)[:, None] + of_pool
            scores *= weight
            scores -= own
            scores /= inverse[target, target] - weight * towards
            return _softly_above(scores, bars[:, None], self.width).mean(axis=0)

        return share


class InjectedUserKNN:
    """User neighbours by cosine, fitted on `train` and any fake profiles; `neighbours` as in `UserKNN`."""

    width = 0.15

    def __init__(self, train: Interactions, neighbours: int) -> None:
        self.train, self.neighbours = train, arguments.whole("neighbours", neighbours, 1)
        self._matrix = train.matrix.astype(np.float64)
        self.seen = train.matrix.toarray() > 0
        self._rows = self.seen.astype(np.float64)
        self._lengths = np.maximum(self.seen.sum(axis=1), 1)
        alike = self._cosines(self._rows)
        # As in UserKNN, a user with just the same items is no neighbour (nor is the user).
        alike[alike > 1 - 1e-9] = 0
        self._nearest = np.argsort(-alike, axis=1, kind="stable")[:, : self.neighbours]
        self._weights = np.take_along_axis(alike, self._nearest, axis=1)
        self._summed = (self._as_rows(self._weights) @ self._matrix).toarray()
        self._clean = self._offered(self._summed, self.seen)

    def scores(self, fakes: np.ndarray) -> np.ndarray:
        """As `InjectedEASE.scores`; −inf also for items that no neighbour has."""
        fakes = _profiles(fakes, self.train.n_items)
        alike = self._cosines(fakes)
        alike[alike > 1 - 1e-9] = 0
        nearest = self._weights.shape[1]  # fewer than `neighbours` where there are not so many users
        both = np.hstack([self._weights, alike])
        last = np.argsort(-both, axis=1, kind="stable")[:, self.neighbours :]
        kept = np.ones(both.shape, dtype=bool)
        np.put_along_axis(kept, last, False, axis=1)
        voting = np.where(kept[:, nearest:], alike, 0)
        changed = np.flatnonzero(voting.any(axis=1))
        displaced = np.where(kept[:, :nearest], 0, self._weights)
        found = self._clean.copy()
        lost = self._as_rows(displaced)[changed] @ self._matrix
        anew = self._summed[changed] + voting[changed] @ fakes - lost.toarray()
        found[changed] = self._offered(anew, self.seen[changed])
        return found

    def passing(
        self, target: int, pool: np.ndarray, copies: int, users: np.ndarray, bars: np.ndarray
    ) -> Callable[[np.ndarray], np.ndarray]:
        """As `InjectedEASE.passing`. A profile counts in full if it is clearly nearer than a user's last
        neighbour, in part if it is about as near."""
        rows = self._rows[users]
        has = rows[:, pool]
        summed, last = self._summed[users, target], self._weights[users, -1]

        def share(rest: np.ndarray) -> np.ndarray:
            shared = rows[:, rest].sum(axis=1)

            def passes(shared: np.ndarray) -> np.ndarray:
                alike = shared / np.sqrt(self._lengths[users] * (len(rest) + 1))
                joins = _softly_above(alike, last, 0.01)
                return _softly_above(summed + copies * alike * joins, bars, self.width)

            # An item is in common with a user or not: two values a user are all that there is to compute.
            without, with_it = passes(shared), passes(shared + 1)
            return (without.sum() + (with_it - without) @ has) / len(users)

        return share

    def _cosines(self, others: np.ndarray) -> np.ndarray:
        """Cosines of all users with profiles `others` `[m, n_items]` (0/1): float64 `[n_users, m]`.

        From the number of items that two share: a whole number, so equal cosines are equal to the bit.
        """
        shared = self._rows @ others.T
        return shared / np.sqrt(self._lengths[:, None] * np.maximum(others.sum(axis=1), 1))

    @staticmethod
    def _offered(summed: np.ndarray, seen: np.ndarray) -> np.ndarray:
        return np.where(seen | (summed < 1e-9), -np.inf, summed).astype(np.float32)

    def _as_rows(self, weights: np.ndarray) -> sp.csr_array:
        users = np.repeat(np.arange(len(weights)), weights.shape[1])
        shape = (len(weights), len(weights))
        rows = sp.csr_array((weights.ravel(), (users, self._nearest.ravel())), shape=shape)
        rows.eliminate_zeros()
        return rows


def _softly_above(values: np.ndarray, bars: np.ndarray, width: float) -> np.ndarray:
    """Sigmoid of (value − bar)/width."""
    margin = (bars - values) / width
    return 1 / (1 + np.exp(np.clip(margin, -30, 30, out=margin), out=margin))


def hit_rate(scores: np.ndarray, seen: np.ndarray, target: int, k: int = 50) -> float:
    """Share of the users without the target (`seen` bool `[n_users, n_items]`) in whose `k` best items it
    stands. `scores` float `[n_users, n_items]`, −inf for what is not offered; ties go to the lower item.
    Raises ValueError for other shapes, a NaN score, and where everybody has the target."""
    scores, seen = np.asarray(scores), arguments.mask("seen", seen)
    if scores.ndim != 2 or scores.shape != seen.shape or np.isnan(scores).any():
        raise ValueError(
            f"hit_rate: scores (no NaN) and seen must be [n_users, n_items] alike, got {scores.shape} and "
            f"{seen.shape}."
        )
    target = arguments.whole("target", target, 0, scores.shape[1] - 1)
    k = arguments.whole("k", k, 1)
    if seen[:, target].all():
        raise ValueError(f"hit_rate: everybody has item {target}, so nobody can be offered it.")
    users = ~seen[:, target]
    rows, own = scores[users], scores[users, target][:, None]
    before = (rows > own).sum(axis=1) + (rows[:, :target] == own).sum(axis=1)
    return float(((before < k) & (own[:, 0] > -np.inf)).mean())


def with_profiles(train: Interactions, fakes: np.ndarray) -> Interactions:
    """`train` and the profiles `fakes` `[m, n_items]` (0/1) as m more users, at the end, without ratings and
    times. Raises ValueError for other profiles."""
    fakes = _profiles(fakes, train.n_items)
    rows, items = np.nonzero(fakes)
    names = [f"fake {number}" for number in range(len(fakes))]
    return Interactions(
        np.concatenate([train.users, rows + train.n_users]),
        np.concatenate([train.items, items]),
        None,
        None,
        np.concatenate([train.user_ids, names]),
        train.item_ids,
        f"{train.name} with {len(fakes)} fake profiles",
    )


def _profiles(fakes: np.ndarray, n_items: int) -> np.ndarray:
    """Profiles as float64 `[m, n_items]` of 0 and 1, or ValueError."""
    fakes = arguments.mask("fakes", fakes)
    if fakes.ndim != 2 or fakes.shape[1] != n_items:
        raise ValueError(f"fakes must be [m, {n_items}], one row a profile, got {fakes.shape}.")
    return fakes.astype(np.float64)
