"""Retrievers trained under user-level differential privacy.

Neighbouring data sets differ in one user, whose row holds the whole history or is empty: the number of users
is the same in both, and may be public. What is protected is the *model*: counts, vectors, weights, whoever
gets to see them. Not so the training histories that every fitted retriever keeps to answer by user number: do
not hand them on with the model. A user's own list is made from the model and the user's own history, and may
reveal that history to whoever sees the list (Kearns et al. 2014 call this joint DP). ε of several releases is
added (basic composition).
"""

from __future__ import annotations

import warnings
from abc import abstractmethod

import numpy as np
import scipy.sparse as sp
import torch
from opacus import PrivacyEngine
from torch.utils.data import DataLoader, TensorDataset

from course_lib import arguments
from course_lib.data import Catalogue, Histories, Interactions
from course_lib.privacy.mechanisms import (
    accountant_epsilon,
    laplace_mechanism,
    limit_contributions,
    noise_multiplier,
    randomized_response,
    unbiased,
)
from course_lib.retrieve import FactorRetriever, SameForAll

SHARE_OF_COUNTS = 0.2  # of the budget: choosing among films needs far less than learning how they go together


class PrivatePopularity(SameForAll):
    """Items by the number of users that have them, each count with Laplace noise: pure ε-DP at user level.

    Each user counts with `per_user` items at most, so the L1 sensitivity is `per_user` and the noise of scale
    `per_user`/ε. Few items a user: little noise, little signal; the best number depends on ε. `epsilon=inf`
    adds no noise. After `fit`, `noisy_counts` is float64 `[n_items]`.
    """

    name = "DP-popularity"

    def __init__(self, epsilon: float, per_user: int = 20, seed: int = 0) -> None:
        arguments.real("epsilon", epsilon, above=0, infinity=True)
        arguments.whole("per_user", per_user, 1)
        arguments.seed(seed)
        self.epsilon = epsilon
        self.per_user = per_user
        self.seed = seed

    def _fit(self, train: Interactions, catalogue: Catalogue | None) -> None:
        self.noisy_counts = _noisy_counts(train.matrix, self.epsilon, self.per_user, self.seed)

    def _item_scores(self) -> np.ndarray:
        return self.noisy_counts


class LocalPopularity(SameForAll):
    """Items by their share of yes among noisy answers: local ε-DP at user level, by randomised response.

    Every user is asked about `questions` items, drawn without looking at the history, and answers each with
    ε/`questions`. Nobody, not even the collector, ever sees a true answer. After `fit`, `shares` is float64
    `[n_items]`; an item that nobody was asked about has share 0.
    """

    name = "randomised response"

    def __init__(self, epsilon: float, questions: int = 1, seed: int = 0) -> None:
        arguments.real("epsilon", epsilon, above=0, infinity=True)
        arguments.whole("questions", questions, 1)
        arguments.seed(seed)
        self.epsilon = epsilon
        self.questions = questions
        self.seed = seed

    def _fit(self, train: Interactions, catalogue: Catalogue | None) -> None:
        arguments.whole("questions", self.questions, 1, train.n_items)
        rng = np.random.default_rng(self.seed)
        # Sorted, not partitioned: which answer gets which noise goes by the order, and that of a partition
        # is the processor's own.
        asked = rng.random((train.n_users, train.n_items)).argsort(axis=1, kind="stable")
        asked = asked[:, : self.questions]
        truth = np.take_along_axis(train.matrix.toarray(), asked, axis=1) > 0
        epsilon = self.epsilon / self.questions
        reports = randomized_response(truth, epsilon, rng)
        answers = np.bincount(asked.ravel(), minlength=train.n_items)
        total = np.bincount(asked.ravel(), unbiased(reports, epsilon).ravel(), minlength=train.n_items)
        self.shares = total / np.maximum(answers, 1)

    def _item_scores(self) -> np.ndarray:
        return self.shares


class _OfFrequentItems(FactorRetriever):
    """Vectors of the `films` items with the largest noisy counts; the others have score −inf.

    Fewer items mean fewer noisy numbers. The counts take `SHARE_OF_COUNTS` of ε, the model the rest.
    After `fit`, `spent` is the ε of both together: pure for the counts, the accountant's for the model;
    `items` are the items kept, rising, and `item_factors` their vectors. Every history is answered, and what
    is offered goes by noisy counts: that nobody took an item must not show.
    """

    def __init__(self, epsilon: float, delta: float, films: int, factors: int, seed: int) -> None:
        # Not finite means no noise, so that NaN must not come through.
        arguments.real("epsilon", epsilon, above=0, infinity=True)
        arguments.real("delta", delta, above=0, below=1)
        arguments.whole("films", films, 1)
        arguments.whole("factors", factors, 1)
        arguments.seed(seed)
        self.epsilon = epsilon
        self.delta = delta
        self.films = films
        self.factors = factors
        self.seed = seed

    def _learn(self, matrix: sp.csr_array) -> None:
        for_counts = self.epsilon * SHARE_OF_COUNTS
        counts = _noisy_counts(matrix, for_counts, 20, self.seed)
        self.items = np.sort(np.argsort(-counts, kind="stable")[: min(self.films, self.n_items)])
        self._offered = np.isin(np.arange(self.n_items), self.items)
        kept = np.maximum(counts[self.items], 1)  # a noisy count may fall below zero
        self.log_popularity = np.log(kept / kept.sum()).astype(np.float32)
        rows = matrix[:, self.items].toarray()
        self.spent = for_counts + self._learn_factors(rows, self.epsilon - for_counts)

    def _learned(self, items: np.ndarray | slice) -> np.ndarray:
        return np.arange(self.n_items)[items]

    def _scores(self, histories: Histories, learned: np.ndarray) -> np.ndarray:
        kept = self._offered[learned]
        scores = np.full((len(histories), len(learned)), -np.inf, dtype=np.float32)
        scores[:, kept] = self._scores_of_kept(histories, np.searchsorted(self.items, learned[kept]))
        return scores

    def _scores_of_kept(self, histories: Histories, places: np.ndarray) -> np.ndarray:
        """Scores `[n, m]` of the items that stand at these places in `items`."""
        return super()._scores(histories, self.item_factors[places])

    def _has_known_item(self, histories: Histories) -> np.ndarray:
        return np.ones(len(histories), dtype=bool)

    @abstractmethod
    def _learn_factors(self, rows: np.ndarray, epsilon: float) -> float:
        """Learn from float32 `[n_users, films]` of 0 and 1; returns the ε that was spent."""


class PrivateSVD(_OfFrequentItems):
    """Matrix factorisation from one noisy table: which films are watched together, plus Gaussian noise.

    With x the history of a user at length 1, G = Σ x xᵀ. A user changes G by a matrix of Frobenius norm 1, so
    noise of standard deviation σ on each entry of its upper half makes it a Gaussian mechanism with
    multiplier σ; all that follows is post-processing. The item factors are the `factors` leading
    eigenvectors U of the noisy G, and a history x is scored by U Uᵀx: PureSVD (Cremonesi et al. 2010) on
    normalised histories. `epsilon=inf` adds no noise. Source: Dwork, Talwar, Thakurta & Zhang 2014.
    """

    name = "DP-SVD"

    def __init__(
        self, epsilon: float, delta: float = 1e-5, films: int = 200, factors: int = 4, seed: int = 0
    ) -> None:
        super().__init__(epsilon, delta, films, factors, seed)

    def _learn_factors(self, rows: np.ndarray, epsilon: float) -> float:
        rows = _unit(rows).astype(np.float64)
        gram = rows.T @ rows
        spent = 0.0
        if np.isfinite(epsilon):
            multiplier = noise_multiplier(epsilon, self.delta)
            noise = np.random.default_rng([self.seed, 1]).normal(0, multiplier, gram.shape)
            gram += np.triu(noise) + np.triu(noise, 1).T
            spent = accountant_epsilon(multiplier, self.delta)
        self.item_factors = np.linalg.eigh(gram)[1][:, -self.factors :].astype(np.float32)
        return spent

    def _fold_in(self, histories: sp.csr_array) -> np.ndarray:
        return _unit(histories[:, self.items].toarray().astype(np.float64)) @ self.item_factors


class PrivateAutoencoder(_OfFrequentItems):
    """Item embeddings trained by DP-SGD: from one half of a history, guess the other half.

    score = log popularity + A B x, with A `[films, factors]`, B `[factors, films]`, x half a history at
    length 1. One example is one user: opacus computes the gradient of each user, clips it to `clip`, adds
    Gaussian noise to the sum, and Adam steps. Every step sees all users. `epsilon=inf` is the same training
    without clipping and noise. Source: Abadi et al. 2016 (DP-SGD).
    """

    name = "DP-SGD"

    def __init__(
        self,
        epsilon: float,
        delta: float = 1e-5,
        films: int = 200,
        factors: int = 8,
        learning_rate: float = 0.05,
        steps: int = 20,
        clip: float = 0.3,
        seed: int = 0,
    ) -> None:
        super().__init__(epsilon, delta, films, factors, seed)
        arguments.real("learning_rate", learning_rate, above=0)
        arguments.whole("steps", steps, 1)
        arguments.real("clip", clip, above=0)
        self.learning_rate = learning_rate
        self.steps = steps
        self.clip = clip

    def _learn_factors(self, rows: np.ndarray, epsilon: float) -> float:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            return self._train(torch.from_numpy(rows), epsilon)

    def _train(self, rows: torch.Tensor, epsilon: float) -> float:
        films = rows.shape[1]
        self._model = torch.nn.Sequential(
            torch.nn.Linear(films, self.factors, bias=False), torch.nn.Linear(self.factors, films, bias=False)
        )
        for layer in self._model:
            torch.nn.init.normal_(layer.weight, std=0.3)
        prior = torch.from_numpy(self.log_popularity)
        model, users = self._model, DataLoader(TensorDataset(rows), batch_size=len(rows))
        optimizer = torch.optim.Adam(model.parameters(), lr=self.learning_rate)
        engine = None
        # opacus warns that its generator is no cryptographic one, torch about opacus' hooks
        with warnings.catch_warnings(action="ignore"):
            if np.isfinite(epsilon):
                engine = PrivacyEngine(accountant="prv")
                model, optimizer, users = engine.make_private(
                    module=model,
                    optimizer=optimizer,
                    data_loader=users,
                    noise_multiplier=noise_multiplier(epsilon, self.delta, self.steps),
                    max_grad_norm=self.clip,
                )
            for _ in range(self.steps):
                for (history,) in users:
                    shown = history * (torch.rand_like(history) < 0.5)
                    hidden = history - shown
                    log_share = torch.log_softmax(model(_unit(shown)) + prior, dim=1)
                    loss = -((hidden * log_share).sum(1) / hidden.sum(1).clamp(min=1)).mean()
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
            self._first, self.item_factors = (layer.weight.detach().numpy().copy() for layer in self._model)
        if engine is None:
            return 0.0
        ((multiplier, rate, steps),) = engine.accountant.history
        if rate != 1:  # the noise was chosen for steps that see everybody
            raise RuntimeError(f"{self.name}: opacus sampled a share {rate} of the users, and ε assumes all.")
        return accountant_epsilon(multiplier, self.delta, steps)

    def _fold_in(self, histories: sp.csr_array) -> np.ndarray:
        return _unit(histories[:, self.items].toarray().astype(np.float64)) @ self._first.T

    def _scores_of_kept(self, histories: Histories, places: np.ndarray) -> np.ndarray:
        return super()._scores_of_kept(histories, places) + self.log_popularity[places]


def _noisy_counts(matrix: sp.csr_array, epsilon: float, per_user: int, seed: int) -> np.ndarray:
    if np.isinf(epsilon):
        return np.asarray(matrix.sum(axis=0), dtype=np.float64)
    counts = np.asarray(limit_contributions(matrix, per_user, seed).sum(axis=0))
    return laplace_mechanism(counts, per_user, epsilon, np.random.default_rng(seed))


def _unit(rows):
    """Rows at length 1; a row of zeros stays."""
    lengths = (rows**2).sum(1) ** 0.5
    return rows / (lengths + (lengths == 0))[:, None]
