"""A group's share in the objective."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from course_lib import arguments
from course_lib.retrieve import EASE


class UserWeightedEASE(EASE):
    """EASE whose error counts `user_weights[u]` times for training user u.

    B minimises Σ_u w_u |x_u − x_u B|² + regularization |B|² with a diagonal of zeros: EASE on rows
    multiplied by √w_u. Equal weights of 1 give EASE. Raising a group's weight is how a constraint "this
    group's error is at most …" enters the objective: the weight is its Lagrange multiplier plus one.

    Parameters
    ----------
    regularization
        as in EASE.
    user_weights
        float `[n_users]`, > 0, one for each training user.
    """

    name = "EASE, users weighted"

    def __init__(self, regularization: float, user_weights: np.ndarray) -> None:
        super().__init__(regularization)
        weights = arguments.numbers("user_weights", user_weights, "they must be finite and above 0")
        with np.errstate(over="ignore"):
            self.user_weights = weights.astype(np.float32)
        wrong = ~((self.user_weights > 0) & (self.user_weights < np.inf))
        if wrong.any():
            raise ValueError(
                f"user_weights must be finite and above 0 in float32; {arguments.rows(wrong)} is not."
            )

    def _learn(self, matrix: sp.csr_array) -> None:
        if len(self.user_weights) != matrix.shape[0]:
            raise ValueError(
                f"{self.name}: {len(self.user_weights)} weights for {matrix.shape[0]} training users."
            )
        super()._learn(sp.csr_array(sp.diags_array(np.sqrt(self.user_weights)) @ matrix))
