"""What a profile looks like to who searches for fakes: a few numbers a user, for any detector."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import eigsh

from course_lib import arguments
from course_lib.data.histories import checked_matrix, presence

PROFILE_FEATURES = (
    "is a neighbour of",
    "likeness of its neighbours",
    "nearest profile",
    "length",
    "popularity of its items",
    "share inside the main directions",
)


def profile_features(matrix: sp.csr_array, neighbours: int = 30, directions: int = 20) -> np.ndarray:
    """Six numbers a profile, float64 `[n_users, 6]`, in the order of `PROFILE_FEATURES`.

    Of how many profiles it is among the `neighbours` nearest (log1p; the footprint of an attack on user
    neighbours); mean cosine to its own `neighbours` nearest (DegSim of Chirita, Nejdl & Zamfir 2005); cosine
    to the nearest; number of items (log); mean of the items' log counts; share of the profile's squared
    length inside the first `directions` singular vectors (the idea of PCA detection, Mehta & Nejdl 2009:
    fakes that are made alike lie inside).

    matrix: CSR `[n_users, n_items]`, two rows at least, no empty one; its values are ignored. With fewer
    other profiles than `neighbours` all of them are near, with fewer directions than `directions` all are
    main ones. Raises ValueError for fewer than two profiles, an empty one, and numbers below 1.
    """
    neighbours = arguments.whole("neighbours", neighbours, 1)
    directions = arguments.whole("directions", directions, 1)
    matrix = presence(checked_matrix(matrix, np.shape(matrix)[-1], "profile_features: matrix"))
    lengths = np.diff(matrix.indptr)
    if len(lengths) < 2 or not lengths.all():
        wrong = f", and {arguments.rows(lengths == 0)} is empty" if len(lengths) > 1 else ""
        raise ValueError(
            f"profile_features: two profiles at least, each with an item, got {len(lengths)}{wrong}."
        )
    unit = sp.csr_array(matrix.multiply(1 / np.sqrt(lengths)[:, None]), dtype=np.float64)
    alike = (unit @ unit.T).toarray()
    # The singular vectors of the profiles are the eigenvectors of their products.
    few = directions >= len(alike)
    values, found = np.linalg.eigh(alike) if few else eigsh(alike, k=directions, v0=np.ones(len(alike)))
    inside = found**2 @ values
    np.fill_diagonal(alike, -1)  # a profile is not its own neighbour: it comes last, and is cut off
    nearest = np.argsort(-alike, axis=1, kind="stable")[:, : min(neighbours, len(alike) - 1)]
    weights = np.take_along_axis(alike, nearest, axis=1)
    chosen = np.bincount(nearest.ravel(), minlength=len(lengths))
    log_counts = np.log(np.maximum(np.bincount(matrix.indices, minlength=matrix.shape[1]), 1))
    return np.column_stack(
        [
            np.log1p(chosen),
            weights.mean(axis=1),
            weights[:, 0],
            np.log(lengths),
            matrix @ log_counts / lengths,
            inside,
        ]
    )
