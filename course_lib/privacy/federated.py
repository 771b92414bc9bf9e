"""Federated averaging of a factor model, one client a user, and what one update gives away.

The model is that of ALS with weight 1 for every cell: Σ (p − x·y)² + regularization (Σ|x|² + Σ|y|²). The item
vectors Y are shared and travel. The user vector x is computed on the user's device from Y and the history,
and neither of the two ever leaves it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.sparse as sp
import torch

from course_lib import arguments
from course_lib.retrieve import FactorRetriever

CLIENTS_AT_ONCE = 32  # simulated together; each holds a copy of all item vectors


class FederatedFactors(FactorRetriever):
    """FedAvg (McMahan et al. 2017) over users, with momentum on the server (Hsu, Qi & Brown 2019).

    In each of `rounds` the server draws a `share` of the clients and sends them Y. Each client takes
    `local_steps` gradient steps on its own loss, solving for its x before each, and sends back what changed:
    Y' − Y. The server averages these updates and adds them to Y, with momentum. Folds in any history, on the
    device, by one solve. `aggregate` maps a list of updates float64 `[n_items, factors]` to their sum; the
    plain sum by default, a secure sum in its place. After `fit`: `item_factors` float32 `[n_items, factors]`.

    Parameters
    ----------
    learning_rate
        of the clients' steps. The average over many clients shrinks what a single one does, so it is large.
    momentum
        in [0, 1) of the server.
    regularization
        ≥ 0; its part for the items is shared out evenly over all clients.
    """

    name = "FedAvg"

    def __init__(
        self,
        factors: int = 16,
        regularization: float = 10.0,
        rounds: int = 40,
        share: float = 0.1,
        local_steps: int = 3,
        learning_rate: float = 0.5,
        momentum: float = 0.9,
        seed: int = 0,
        aggregate: Callable[[list[np.ndarray]], np.ndarray] | None = None,
    ) -> None:
        arguments.whole("factors", factors, 1)
        arguments.real("regularization", regularization, at_least=0)
        arguments.whole("rounds", rounds, 1)
        arguments.real("share", share, above=0, at_most=1)
        arguments.whole("local_steps", local_steps, 1)
        arguments.real("learning_rate", learning_rate, above=0)
        arguments.real("momentum", momentum, at_least=0, below=1)
        arguments.seed(seed)
        self.factors = factors
        self.regularization = regularization
        self.rounds = rounds
        self.share = share
        self.local_steps = local_steps
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.seed = seed
        self.aggregate = aggregate

    def _learn(self, matrix: sp.csr_array) -> None:
        rng = np.random.default_rng(self.seed)
        n_users, n_items = matrix.shape
        self._n_clients = n_users
        items = torch.from_numpy(rng.normal(0, 0.1, (n_items, self.factors)))
        velocity = torch.zeros_like(items)
        for _ in range(self.rounds):
            drawn = np.sort(rng.permutation(n_users)[: max(1, round(self.share * n_users))])
            updates = self.updates(items.numpy(), matrix[drawn])
            if self.aggregate is None:
                total = updates.sum(axis=0, dtype=np.float64)
            else:
                total = self.aggregate(list(updates.astype(np.float64)))
            velocity = self.momentum * velocity + torch.from_numpy(total / len(drawn))
            items = items + velocity
        self.item_factors = items.float().numpy()

    def updates(self, items: np.ndarray, histories: sp.csr_array) -> np.ndarray:
        """What each client sends: float32 `[n, n_items, factors]`, from `items` float `[n_items, factors]`
        and `histories` CSR `[n, n_items]`, one row a client."""
        # In float64, rounded for the way: forty rounds would carry the last digit of a float32 far.
        start = torch.from_numpy(items).double()
        ridge = self.regularization * torch.eye(self.factors, dtype=torch.double)
        shrink = self.regularization / self._n_clients
        sent = []
        for first in range(0, histories.shape[0], CLIENTS_AT_ONCE):
            watched = torch.from_numpy(histories[first : first + CLIENTS_AT_ONCE].toarray())[
                :, :, None
            ].double()
            own = start.expand(len(watched), *start.shape)
            for _ in range(self.local_steps):
                turned = own.transpose(1, 2)
                user = torch.linalg.solve(turned @ own + ridge, turned @ watched)
                gradient = (own @ user - watched) @ user.transpose(1, 2) + shrink * own
                own = own - self.learning_rate * gradient
            sent.append(own - start)
        return torch.cat(sent).float().numpy()

    def _fold_in(self, histories: sp.csr_array) -> np.ndarray:
        Y = self.item_factors.astype(np.float64)
        left = Y.T @ Y + self.regularization * np.eye(self.factors)
        return np.linalg.solve(left, (histories @ Y).T).T


def watched_in(update: np.ndarray, items: np.ndarray) -> np.ndarray:
    """Guess from one client's update what the client watched: float64 `[n_items]`, higher is likelier.

    `update` and the `items` that the server had sent are float `[n_items, d]`. A client's step moves item i
    by (p_i − x·y_i) x times a constant: all rows are multiples of the secret x. Their common direction is the
    first singular vector, up to its sign; the right sign is the one with which x scores the items above zero
    on the whole. Along it watched items (p = 1) move up, the others (p = 0) hardly or down. Raises ValueError
    for arrays of different shapes, NaN and infinity.
    """
    update = arguments.numbers("update", update, "the client must send it again", n_dims=2)
    items = arguments.numbers("items", items, "the server must send it again", n_dims=2)
    if not update.size or update.shape != items.shape:
        raise ValueError(
            f"update and items must be [n_items, d] alike, got {update.shape} and {items.shape}."
        )
    direction = np.linalg.svd(update, full_matrices=False)[2][0]
    if (items @ direction).sum() < 0:
        direction = -direction
    return np.asarray(update @ direction, dtype=np.float64)
