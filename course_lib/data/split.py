"""Train, validation and test, with the rule that made them and the guarantee that they give."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, Self

import numpy as np

from course_lib.data.histories import Histories
from course_lib.data.interactions import DataError, Interactions

_EACH_USER_IN_ORDER = (
    "no test interaction of a user precedes one of the same user in validation or train, and none in "
    "validation precedes one in train; another user's training may be later"
)
_NOTHING_ABOUT_TIME = "it says nothing about time: training may be later than test"


@dataclass(frozen=True, eq=False, repr=False)
class Split:
    """Three disjoint parts of one `Interactions`, in the same id spaces.

    rule: how the parts were cut. guarantee: what that rules out, and what it does not. Every split
    guarantees that no (user, item) pair lies in two parts; the class methods check what else they promise,
    and raise `AssertionError` if it does not hold.

    Parts of each user are taken only from users with at least three interactions; the others stay in train.
    """

    train: Interactions
    validation: Interactions
    test: Interactions
    rule: str
    guarantee: str

    def __post_init__(self):
        parts = (self.train, self.validation, self.test)
        if len({(part.n_users, part.n_items) for part in parts}) > 1:
            raise DataError("The parts of a split must share their users and items; cut them from one table.")
        keys = np.sort(np.concatenate([part.pair_keys for part in parts]))
        if (keys[1:] == keys[:-1]).any():
            raise DataError("A (user, item) pair lies in two parts of the split; each pair belongs to one.")

    @cached_property
    def train_and_validation(self) -> Interactions:
        """Train and validation together: for the final fit, once tuning is over."""

        def joined(field):
            if getattr(self.train, field) is None:
                return None
            return np.concatenate([getattr(self.train, field), getattr(self.validation, field)])

        return Interactions(
            *(joined(field) for field in ("users", "items", "ratings", "timestamps")),
            self.train.user_ids,
            self.train.item_ids,
            self.train.name,
        )

    def histories(self, part: Literal["validation", "test"] = "test") -> Histories:
        """What is known of each user, [n_users], when a list is asked for that `part` judges.

        Before validation that is train, before test train and validation. `now` is the second of the user's
        first interaction in the part (without one there: of the latest known of anybody), or None where it is
        not later than all that is known, as in a split that says nothing about time.
        """
        if part not in ("validation", "test"):
            raise DataError(f"part must be validation or test, what the lists are judged by, got {part!r}.")
        known = self.train if part == "validation" else self.train_and_validation
        histories, asked = known.histories(), getattr(self, part)
        if known.timestamps is None or asked.timestamps is None or not len(known):
            return histories
        now = np.full(known.n_users, np.iinfo(np.int64).max)
        np.minimum.at(now, asked.users, asked.timestamps)
        now[asked.user_counts == 0] = known.timestamps.max()
        if (known.timestamps > now[known.users]).any():
            return histories
        return replace(histories, now=now)

    @classmethod
    def per_user_chronological(
        cls, interactions: Interactions, *, validation: float = 0.1, test: float = 0.2, seed: int = 0
    ) -> Self:
        """Each user's last interactions: the share `test` of them (rounded up), and before these the share
        `validation` (likewise); at least one stays in train.

        seed: orders interactions of one user in the same second, by a hash of (user, item). Raises
        `DataError` without timestamps, and for shares that leave no room for training.
        """
        _check_shares(validation, test)
        position = _position_from_the_end(interactions, _times(interactions), seed)
        split = cls._cut_by_position(
            interactions,
            position,
            validation,
            test,
            rule=f"the last {test:.0%} of each user's interactions are test, {validation:.0%} before them "
            f"validation; ties in time by a hash with seed {seed}",
            guarantee=_EACH_USER_IN_ORDER,
        )
        _assert_each_user_in_order(split)
        return split

    @classmethod
    def leave_last_out(cls, interactions: Interactions, *, seed: int = 0) -> Self:
        """Each user's last interaction is test, the one before it validation.

        seed: as in `per_user_chronological`. Raises `DataError` without timestamps.
        """
        position = _position_from_the_end(interactions, _times(interactions), seed)
        enough = interactions.user_counts[interactions.users] >= 3
        split = cls(
            interactions.select(~enough | (position >= 2)),
            interactions.select(enough & (position == 1)),
            interactions.select(enough & (position == 0)),
            rule="the last interaction of each user is test, the one before it validation; ties in time by a "
            f"hash with seed {seed}",
            guarantee=_EACH_USER_IN_ORDER,
        )
        _assert_each_user_in_order(split)
        return split

    @classmethod
    def global_time_cut(
        cls, interactions: Interactions, *, validation: float = 0.1, test: float = 0.1
    ) -> Self:
        """Two moments cut the whole table: what comes after the second is test, between them validation.

        The shares are met as nearly as whole seconds allow: a second is never cut, it goes to the earlier
        part. Users of the test part may have no training at all. Raises `DataError` without timestamps,
        and if a part would be empty.
        """
        _check_shares(validation, test)
        times = _times(interactions)
        if not len(times):
            raise DataError(f"{interactions.name} holds no interaction, so there is nothing to cut.")
        ordered = np.sort(times)
        first, second = (
            ordered[int(len(ordered) * (1 - share)) - 1] if len(ordered) * (1 - share) >= 1 else ordered[0]
            for share in (validation + test, test)
        )
        split = cls(
            interactions.select(times <= first),
            interactions.select((times > first) & (times <= second)),
            interactions.select(times > second),
            rule=f"the last {test:.0%} of all interactions are test, {validation:.0%} before them validation",
            guarantee="every training interaction of anybody precedes every one in validation, and these "
            "every one in test",
        )
        if not (len(split.validation) and len(split.test)):
            raise DataError(
                f"{interactions.name}: too many interactions share one second to cut off {validation:.0%} "
                f"and {test:.0%}; choose larger shares or Split.random."
            )
        if not (first < split.validation.timestamps.min() and second < split.test.timestamps.min()):
            raise AssertionError("A later part of the global time cut reaches back before an earlier one.")
        return split

    @classmethod
    def cold_items(cls, interactions: Interactions, *, share: float = 0.1, seed: int = 0) -> Self:
        """Hold out items: all interactions of the share `share` of the items are test, those of as many
        other items validation.

        Only items with an interaction are drawn (at least one for each part). Raises `DataError` if fewer
        than three items have one, or if `share` is not between 0 and a half.
        """
        _check_shares(share, share)
        seen = np.flatnonzero(interactions.item_counts)
        if len(seen) < 3:
            raise DataError(
                f"{interactions.name}: three items with interactions are needed, not {len(seen)}."
            )
        drawn = seen[np.argsort(seeded_hash(np.zeros_like(seen), seen, seed), kind="stable")]
        held_out = min(_share_of(len(seen), share), (len(seen) - 1) // 2)
        part = np.zeros(interactions.n_items, dtype=np.int8)
        part[drawn[:held_out]] = 2
        part[drawn[held_out : 2 * held_out]] = 1
        of_row = part[interactions.items]
        split = cls(
            *(interactions.select(of_row == number) for number in (0, 1, 2)),
            rule=f"{held_out:,} items are test and {held_out:,} others validation, drawn with seed {seed}",
            guarantee=f"no item lies in two parts; {_NOTHING_ABOUT_TIME}",
        )
        counts = [split.train.item_counts, split.validation.item_counts, split.test.item_counts]
        if (np.count_nonzero(counts, axis=0) > 1).any():
            raise AssertionError("An item lies in two parts of the cold-item split.")
        return split

    @classmethod
    def random(
        cls, interactions: Interactions, *, validation: float = 0.1, test: float = 0.2, seed: int = 0
    ) -> Self:
        """Shares of each user's interactions, drawn with `seed`; sizes as in `per_user_chronological`.

        The only rule for data without timestamps. Raises `DataError` for shares that leave no room for
        training.
        """
        _check_shares(validation, test)
        no_order = np.zeros(len(interactions), dtype=np.int64)
        return cls._cut_by_position(
            interactions,
            _position_from_the_end(interactions, no_order, seed),
            validation,
            test,
            rule=f"{test:.0%} of each user's interactions are test, {validation:.0%} validation, "
            f"drawn with seed {seed}",
            guarantee=f"no pair lies in two parts; {_NOTHING_ABOUT_TIME}",
        )

    @classmethod
    def _cut_by_position(cls, interactions, position, validation, test, *, rule, guarantee) -> Self:
        counts = interactions.user_counts[interactions.users]
        n_test = np.minimum(_share_of(counts, test), counts - 2)
        n_validation = np.minimum(_share_of(counts, validation), counts - n_test - 1)
        enough = counts >= 3
        in_test = enough & (position < n_test)
        in_validation = enough & ~in_test & (position < n_test + n_validation)
        return cls(
            interactions.select(~in_test & ~in_validation),
            interactions.select(in_validation),
            interactions.select(in_test),
            rule,
            guarantee,
        )

    def __repr__(self) -> str:
        sizes = ", ".join(f"{part} {len(getattr(self, part)):,}" for part in ("train", "validation", "test"))
        return f"{self.train.name} split: {sizes}. Rule: {self.rule}. Guarantee: {self.guarantee}."


def seeded_hash(users: np.ndarray, items: np.ndarray, seed: int = 0) -> np.ndarray:
    """uint64: a number for each (user, item) that looks random, the same on every machine.

    users and items are integer arrays that broadcast against each other; the result has their common shape.

    Three rounds of SplitMix64's mixing function (Steele, Lea and Flood 2014) over seed, user and item.
    Raises `ValueError` for a negative seed.
    """
    if seed < 0:
        raise ValueError(f"The seed must not be negative, and {seed} is; choose 0 or more.")
    key = _mix(np.array([seed], dtype=np.uint64))
    for ids in (users, items):
        key = _mix(key ^ np.asarray(ids).astype(np.uint64))
    return key


def meaningless_order(numbers: np.ndarray) -> np.ndarray:
    """int64 [n]: the places of the numbers (ids of items) in the order of their hash, the same wherever they
    stand. Loaders number items in this order, so that a tie broken by position says nothing."""
    numbers = np.asarray(numbers).astype(np.int64)
    return np.argsort(seeded_hash(np.zeros_like(numbers), numbers), kind="stable")


def _mix(x: np.ndarray) -> np.ndarray:
    # Arrays of uint64 wrap around without a warning; that is what the function wants.
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _position_from_the_end(interactions: Interactions, times: np.ndarray, seed: int) -> np.ndarray:
    """int64 [n]: 0 for the last interaction of each user, 1 for the one before it, and so on."""
    ties = seeded_hash(interactions.users, interactions.items, seed)
    order = np.lexsort((ties, times, interactions.users))
    counts = interactions.user_counts
    ends = np.repeat(np.cumsum(counts), counts)
    position = np.empty(len(interactions), dtype=np.int64)
    position[order] = ends - 1 - np.arange(len(interactions))
    return position


def _times(interactions: Interactions) -> np.ndarray:
    if interactions.timestamps is None:
        raise DataError(
            f"{interactions.name} has no timestamps, so it cannot be split by time; use Split.random."
        )
    return interactions.timestamps


def _check_shares(validation: float, test: float) -> None:
    if not (validation > 0 and test > 0 and validation + test < 1):
        raise DataError(
            f"The shares held out must be above 0 and leave room for training, {validation} and {test} "
            "do not; choose for example 0.1 and 0.2."
        )


def _share_of(count, share: float):
    # Rounded up; the small subtraction keeps 0.1 * 30, which may come out a hair above 3, at three.
    return np.ceil(np.asarray(count) * share - 1e-9).astype(np.int64)


def _assert_each_user_in_order(split: Split) -> None:
    earliest = np.full(split.train.n_users, np.iinfo(np.int64).max)
    for later, earlier in ((split.test, split.validation), (split.validation, split.train)):
        np.minimum.at(earliest, later.users, later.timestamps)
        if (earlier.timestamps > earliest[earlier.users]).any():
            raise AssertionError(
                "A user's held-out interaction precedes one of the same user before the cut."
            )
