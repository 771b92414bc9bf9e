"""Gowalla check-ins in the split of He et al. (2020, LightGCN, arXiv:2002.02126)."""

import numpy as np
import pandas as pd

from course_lib.data.interactions import DataError, Interactions
from course_lib.data.split import Split
from course_lib.data.text_files import read_lines, restore

_FIX = restore("gowalla")


def load_gowalla() -> Split:
    """The published split: 29,858 users, 40,981 places, 217,242 pairs in test, no ratings, no times.

    Their training set is `split.train_and_validation` (810,128 pairs); the validation part (91,047) was cut
    from it at random by Lee et al. (LightGCN++, 2024). Raises `AssetMissing` if it is not fetched,
    `DataError` if the files are not what they should be.
    """
    frames = [_read_adjacency(file) for file in ("train.txt", "valid.txt", "test.txt")]
    part = np.repeat([0, 1, 2], [len(frame) for frame in frames])
    whole = Interactions.from_frame(
        pd.concat(frames), name="Gowalla", source="Gowalla train, valid, test.txt"
    )
    sizes = (*np.bincount(part), whole.n_users, whole.n_items)
    if sizes != (719_081, 91_047, 217_242, 29_858, 40_981):
        raise DataError(
            "Gowalla: 719,081 + 91,047 + 217,242 pairs of 29,858 users and 40,981 items were expected, found "
            f"{' + '.join(map(str, sizes[:3]))} of {sizes[3]} and {sizes[4]}; {_FIX}."
        )
    return Split(
        *(whole.select(part == number) for number in (0, 1, 2)),
        rule="as published: a random part of each user's check-ins is test, one of the rest validation",
        guarantee="no pair lies in two parts; it says nothing about time",
    )


def _read_adjacency(file: str) -> pd.DataFrame:
    """A line is a user and that user's items, all positions."""
    users, items, numbers = [], [], []
    for number, line in enumerate(read_lines("gowalla", file), start=1):
        try:
            user, *of_user = map(int, line.split())
            if max(user, *of_user, 0) >= 2**31:
                raise ValueError
        except ValueError:
            raise DataError(
                f"{file}, line {number}: a user and items, all whole numbers, were expected; {_FIX}."
            ) from None
        users += [user] * len(of_user)
        items += of_user
        numbers += [number] * len(of_user)
    return pd.DataFrame({"user": users, "item": items}, index=pd.Index(numbers, name="line"), dtype=np.int64)
