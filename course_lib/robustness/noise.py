"""Noise in doses. With one seed a larger dose contains a smaller one: curves over doses are smooth."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from course_lib import arguments
from course_lib.data import Interactions


def without_events(interactions: Interactions, dose: float, seed: int = 0) -> Interactions:
    """The interactions less a random share `dose` (0…1) of them, rounded. Raises ValueError for a dose
    outside 0…1."""
    hit = _drawn(len(interactions), dose, np.random.default_rng(arguments.seed(seed)))
    return interactions.select(~hit)


def with_wrong_items(interactions: Interactions, dose: float, seed: int = 0) -> Interactions:
    """The interactions with a random share `dose` (0…1) of their items replaced, users and times kept.

    A wrong item is drawn evenly from the catalogue. An event whose new item its user has already
    is left out, because a pair occurs once. Raises ValueError for a dose outside 0…1.
    """
    generator = np.random.default_rng(arguments.seed(seed))
    hit = _drawn(len(interactions), dose, generator)
    # Drawn for all events, whatever the dose: an event that is wrong in a small dose stays equally wrong.
    drawn = generator.integers(interactions.n_items, size=len(interactions))
    items = np.where(hit, drawn, interactions.items)
    keys = interactions.users * interactions.n_items + items
    # True events first, so that of two equal pairs the true one stays.
    order = np.argsort(hit, kind="stable")
    _, first = np.unique(keys[order], return_index=True)
    kept = np.sort(order[first])
    return Interactions(
        interactions.users[kept],
        items[kept],
        None if interactions.ratings is None else interactions.ratings[kept],
        None if interactions.timestamps is None else interactions.timestamps[kept],
        interactions.user_ids,
        interactions.item_ids,
        f"{interactions.name}, {dose:.0%} wrong",
    )


def without_entries(features: sp.csr_array, dose: float, seed: int = 0) -> sp.csr_array:
    """A feature matrix `[n_items, d]` less a random share `dose` (0…1) of its stored entries (edges of the
    graph). Raises ValueError for a dose outside 0…1."""
    rows, columns, values = _edges(features)
    kept = ~_drawn(len(rows), dose, np.random.default_rng(arguments.seed(seed)))
    return sp.csr_array((values[kept], (rows[kept], columns[kept])), shape=features.shape)


def with_false_edges(features: sp.csr_array, dose: float, seed: int = 0) -> sp.csr_array:
    """A feature matrix `[n_items, d]` in which a random share `dose` (0…1) of the entries end elsewhere.

    The hit edges exchange their ends (columns and values) among themselves at random: each film keeps its
    number of edges and, nearly, each attribute its number of films; of two edges that become one, one is
    kept. So only *what* an edge says changes. Raises ValueError for a dose outside 0…1.
    """
    generator = np.random.default_rng(arguments.seed(seed))
    rows, columns, values = _edges(features)
    hit = np.flatnonzero(_drawn(len(rows), dose, generator))
    other = generator.permutation(hit)
    columns[hit], values[hit] = columns[other], values[other]
    _, first = np.unique(rows * features.shape[1] + columns, return_index=True)
    return sp.csr_array((values[first], (rows[first], columns[first])), shape=features.shape)


def _edges(features: sp.csr_array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    edges = sp.coo_array(features)
    return edges.row.astype(np.int64), edges.col.astype(np.int64), edges.data.copy()


def _drawn(n: int, dose: float, generator: np.random.Generator) -> np.ndarray:
    arguments.real("A dose of noise", dose, at_least=0, at_most=1)
    return generator.permutation(n) < round(dose * n)
