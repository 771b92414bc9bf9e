"""k-anonymity of histories: everybody is published as one of at least k who look alike."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from course_lib import arguments
from course_lib.data.histories import presence


def groups_of_at_least(k: int, coordinates: np.ndarray) -> np.ndarray:
    """Cut people into groups of k to 2k − 1 neighbours: int64 `[n]`, the group of each.

    `coordinates` is float `[n, d]`. A part with at least 2k people is cut at the median of the coordinate in
    which it is widest, and so on: Mondrian (LeFevre, DeWitt & Ramakrishnan 2006). Raises ValueError unless
    1 ≤ k ≤ n, and for a coordinate that is NaN or infinite.
    """
    coordinates = arguments.numbers("coordinates", coordinates, "everybody needs a place", n_dims=2)
    if not coordinates.size:
        raise ValueError(f"coordinates must be [people, dimensions], got shape {coordinates.shape}.")
    k = arguments.whole("groups_of_at_least: k", k, 1, len(coordinates))
    group = np.empty(len(coordinates), dtype=np.int64)
    waiting, found = [np.arange(len(coordinates))], 0
    while waiting:
        part = waiting.pop()
        if len(part) < 2 * k:
            group[part] = found
            found += 1
            continue
        inside = coordinates[part]
        widest = int(np.argmax(inside.max(axis=0) - inside.min(axis=0)))
        order = part[np.argsort(inside[:, widest], kind="stable")]
        waiting += [order[: len(part) // 2], order[len(part) // 2 :]]
    return group


def publish_groups(histories: sp.csr_array, group: np.ndarray) -> sp.csr_array:
    """Replace each history by what its group has in common: the items of at least half of the group.

    CSR float32 of the shape of `histories`; all members of a group get the same row. A group without any such
    item gets its most frequent one (the first of equals), so that no row is empty. The values of `histories`
    are ignored. Raises ValueError unless `group` is one integer from 0 for each row.
    """
    histories, group = presence(sp.csr_array(histories)), np.asarray(group)
    if group.shape != histories.shape[:1] or group.dtype.kind not in "iu" or group.min(initial=0) < 0:
        raise ValueError(
            f"group must be one integer from 0 for each of the {histories.shape[0]} rows, got {group.dtype} "
            f"{group.shape}."
        )
    # Numbers without a gap: of nobody there is no share.
    group = np.unique(group, return_inverse=True)[1]
    size = np.bincount(group)
    membership = sp.csr_array(
        (np.ones(len(group), dtype=np.float32), (group, np.arange(len(group)))),
        shape=(len(size), len(group)),
    )
    share = (membership @ histories).toarray() / size[:, None]
    common = share >= np.minimum(0.5, share.max(axis=1, keepdims=True))
    lonely = share.max(axis=1) < 0.5
    common[lonely] = False
    common[lonely, share[lonely].argmax(axis=1)] = True
    return sp.csr_array(common[group].astype(np.float32))
