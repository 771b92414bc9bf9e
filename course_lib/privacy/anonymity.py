"""k-anonymity of histories: everybody is published as one of at least k who look alike."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp


def groups_of_at_least(k: int, coordinates: np.ndarray) -> np.ndarray:
    """Cut people into groups of k to 2k − 1 neighbours: int64 `[n]`, the group of each.

    `coordinates` is float `[n, d]`. A part with at least 2k people is cut at the median of the coordinate in
    which it is widest, and so on: Mondrian (LeFevre, DeWitt & Ramakrishnan 2006). Raises ValueError unless
    1 ≤ k ≤ n.
    """
    if not 1 <= k <= len(coordinates):
        raise ValueError(f"groups_of_at_least: k must lie in 1…{len(coordinates)}, got {k!r}.")
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
    item gets its most frequent one (the first of equals), so that no row is empty.
    """
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
