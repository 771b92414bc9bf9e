"""Matrix factorisation: a vector a user, a vector an item, the score their dot product."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np
import scipy.sparse as sp
from implicit.cpu.als import AlternatingLeastSquares
from implicit.cpu.bpr import BayesianPersonalizedRanking
from threadpoolctl import threadpool_limits

from course_lib import arguments
from course_lib.data import Histories
from course_lib.retrieve.base import CannotFoldIn, rounded_product
from course_lib.retrieve.collaborative import CollaborativeRetriever


class FactorRetriever(CollaborativeRetriever):
    """Users and items are vectors, and a score is their dot product.

    After `fit`: `item_factors` float32 `[n_items, d]`, and where training users keep vectors of their own
    `user_factors` float32 `[n_users, d]`. A subclass writes `_learn`, which sets them, and unless `folds_in`
    is False `_fold_in`; `_learn_items` too if it can place an item that it was not trained on.
    """

    user_factors: np.ndarray | None = None

    def _fold_in(self, histories: sp.csr_array) -> np.ndarray:
        """Vectors `[n, d]` of histories `[n, n_items]` of ones."""
        raise CannotFoldIn(f"{self.name} has no vector for a history; pass the ids of training users.")

    def _vectors(self, histories: Histories) -> np.ndarray:
        if self.user_factors is None:
            return self._fold_in(histories.matrix)
        if not self.folds_in:
            return self.user_factors[histories.users]
        # Folding in what the model was trained on finds the vector that it has already.
        trained = self._trained(histories)
        vectors = np.empty((len(histories), self.user_factors.shape[1]), dtype=self.user_factors.dtype)
        if trained.any():
            vectors[trained] = self.user_factors[histories.users[trained]]
        if not trained.all():
            vectors[~trained] = self._fold_in(histories.matrix[~trained])
        return vectors

    def _trained(self, histories: Histories) -> np.ndarray:
        """bool `[n]`: the histories of training users that hold just what they had in training."""
        trained = np.zeros(len(histories), dtype=bool)
        if histories.users is not None:
            trained[:] = (histories.users >= 0) & (histories.users < self.n_users)
            then = self._training.matrix[histories.users[trained]]
            trained[trained] = np.diff((histories.matrix[trained] != then).indptr) == 0
        return trained

    def _learned(self, items: np.ndarray | slice) -> np.ndarray:
        return self.item_factors[items]

    def _scores(self, histories: Histories, learned: np.ndarray) -> np.ndarray:
        return rounded_product(self._vectors(histories), learned.T)


class _ByImplicit(FactorRetriever):
    def _learn(self, matrix: sp.csr_array) -> None:
        # implicit runs its own threads; BLAS threads under them slow it down up to tenfold.
        with threadpool_limits(1, "blas"):
            self._model = self._make_model(matrix.shape)
            self._model.fit(sp.csr_matrix(matrix), show_progress=False)
            self.item_factors = self._model.item_factors.astype(np.float32)
            self.user_factors = self._final_user_factors(matrix).astype(np.float32)
        shapes = len(self.user_factors), len(self.item_factors)
        if shapes != matrix.shape:
            raise ValueError(f"{self.name}: factors for {shapes} users and items, data {matrix.shape}.")

    @abstractmethod
    def _make_model(self, shape: tuple[int, int]) -> AlternatingLeastSquares | BayesianPersonalizedRanking:
        """The unfitted model of `implicit` for a matrix of this shape."""

    def _final_user_factors(self, matrix: sp.csr_array) -> np.ndarray:
        return self._model.user_factors


class ALS(_ByImplicit):
    """Weighted least squares over every (user, item) pair, solved by turns for users and for items.

    Minimises Σ c (p − x·y)² + regularization (Σ|x|² + Σ|y|²) over all pairs: p = 1 and c = `alpha` for a pair
    that occurred, p = 0 and c = 1 for one that did not. Users end with one exact solve against the final
    items, so a training user and the same history given as a row have the same vector. The defaults are those
    of `implicit`, which are far from good on MovieLens (regularization is about a thousand times too small):
    tune them. The same seed gives the same factors, whatever the number of threads and the processor: they
    are solved in float64 and rounded once. (In float32 the turns carry what processors round differently into
    the third digit of a metric.)

    Folds in any history, and a new item from its takers, each by one least-squares solve. Source: Hu, Koren &
    Volinsky 2008; Takács, Pilászy & Tikk 2011 for the solver.

    Parameters
    ----------
    factors
        length of a vector.
    regularization
        ≥ 0, in units of a squared error.
    alpha
        weight of a pair that occurred; one that did not weighs 1.
    iterations
        turns, each for users and for items.
    seed
        of the first vectors.
    """

    name = "ALS"

    def __init__(
        self,
        factors: int = 100,
        regularization: float = 0.01,
        alpha: float = 1.0,
        iterations: int = 15,
        seed: int = 0,
    ) -> None:
        arguments.whole("factors", factors, 1)
        arguments.real("regularization", regularization, at_least=0)
        arguments.real("alpha", alpha, above=0)
        arguments.whole("iterations", iterations, 1)
        arguments.seed(seed)
        self.factors = factors
        self.regularization = regularization
        self.alpha = alpha
        self.iterations = iterations
        self.seed = seed

    def _make_model(self, shape: tuple[int, int]) -> AlternatingLeastSquares:
        model = AlternatingLeastSquares(
            factors=self.factors,
            regularization=self.regularization,
            alpha=self.alpha,
            dtype=np.float64,
            iterations=self.iterations,
        )
        start = np.random.default_rng(self.seed)  # the numbers that `implicit` starts from in float32
        model.user_factors, model.item_factors = (
            0.01 * start.random((rows, self.factors), dtype=np.float32).astype(np.float64) for rows in shape
        )
        return model

    def _final_user_factors(self, matrix: sp.csr_array) -> np.ndarray:
        return self._model.recalculate_user(np.arange(matrix.shape[0]), sp.csr_matrix(matrix))

    def _fold_in(self, histories: sp.csr_array) -> np.ndarray:
        with threadpool_limits(1, "blas"):
            return self._final_user_factors(histories).astype(np.float32)

    def _learn_items(self, takers: sp.csr_array) -> np.ndarray:
        with threadpool_limits(1, "blas"):
            found = self._model.recalculate_item(np.arange(takers.shape[0]), sp.csr_matrix(takers))
        return found.astype(np.float32)


class BPR(_ByImplicit):
    """Vectors trained so that an item that a user took scores above another that the user did not take.

    `implicit` takes the other item from a random interaction, so that popular items come up more often; the
    paper draws every item alike. If the user took that one too, the draw is skipped.

    Gradient ascent on Σ log σ(score(u, i) − score(u, j)) − regularization × squared lengths, over sampled
    triples; items also have a bias, kept as one more place of the vectors. The defaults are those of
    `implicit`. Trained by one thread: with more, threads overwrite each other's steps in an order that no
    seed fixes.

    Cannot fold in: a new user or item would need gradient steps of its own, which change with their number
    and their order. Pass training users, or train again. Source: Rendle et al. 2009.

    Parameters
    ----------
    factors
        length of a vector, without the bias.
    learning_rate
        size of a gradient step.
    regularization
        ≥ 0, pull towards zero at each step.
    iterations
        passes; one tries as many draws as there are interactions.
    seed
        of first vectors and triples.
    """

    name = "BPR"
    folds_in: ClassVar[bool] = False

    def __init__(
        self,
        factors: int = 100,
        learning_rate: float = 0.01,
        regularization: float = 0.01,
        iterations: int = 100,
        seed: int = 0,
    ) -> None:
        arguments.whole("factors", factors, 1)
        arguments.real("learning_rate", learning_rate, above=0)
        arguments.real("regularization", regularization, at_least=0)
        arguments.whole("iterations", iterations, 1)
        arguments.seed(seed)
        self.factors = factors
        self.learning_rate = learning_rate
        self.regularization = regularization
        self.iterations = iterations
        self.seed = seed

    def _make_model(self, shape: tuple[int, int]) -> BayesianPersonalizedRanking:
        return BayesianPersonalizedRanking(
            factors=self.factors,
            learning_rate=self.learning_rate,
            regularization=self.regularization,
            iterations=self.iterations,
            num_threads=1,
            random_state=self.seed,
        )
