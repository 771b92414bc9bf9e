"""What a profile looks like to who searches for fakes: a few numbers a user, for any detector."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import eigsh

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

    matrix: CSR `[n_users, n_items]` of ones, no empty row.
    """
    lengths = np.diff(matrix.indptr)
    unit = sp.csr_array(matrix.multiply(1 / np.sqrt(lengths)[:, None]), dtype=np.float64)
    alike = (unit @ unit.T).toarray()
    # The singular vectors of the profiles are the eigenvectors of their products.
    values, directions_found = eigsh(alike, k=directions, v0=np.ones(len(alike)))
    inside = directions_found**2 @ values
    np.fill_diagonal(alike, -1)
    nearest = np.argsort(-alike, axis=1, kind="stable")[:, :neighbours]
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
