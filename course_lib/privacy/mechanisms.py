"""Differential privacy by hand: randomised response, the Laplace mechanism, what Gaussian noise is worth.

A mechanism M is (ε, δ)-differentially private if for all *neighbouring* data D, D' and every set S of
outputs P[M(D) ∈ S] ≤ e^ε P[M(D') ∈ S] + δ. What the promise means hangs on the word *neighbouring*. Here it
is always said: *user level* means that one of the two lacks everything that one user did (the row is empty);
*rating level*, that it lacks one single rating. δ is probability that the factor e^ε need not cover; 0 is
called pure DP.

Two warnings for anybody who deploys what is taught here. The random generators are ordinary ones with a seed,
so that a chapter repeats; who knows the seed subtracts the noise. And noise in floating point leaks through
its low bits (Mironov 2012): deployed code draws discrete noise.
"""

from __future__ import annotations

import functools
import warnings

import numpy as np
import scipy.sparse as sp
from opacus.accountants import PRVAccountant
from opacus.accountants.utils import get_noise_multiplier
from scipy.optimize import brentq
from scipy.stats import norm

from course_lib import arguments
from course_lib.data import seeded_hash

LARGEST_EPSILON = 50  # e^50 promises nothing; far beyond, the accountant's grid grows without end
MOST_RELEASES = 1_000  # the same: the accountant takes seconds for so many


def randomized_response(bits: np.ndarray, epsilon: float, rng: np.random.Generator) -> np.ndarray:
    """Tell the truth with probability p = e^ε/(1 + e^ε), else the opposite, independently for every bit.

    `bits` is bool, any shape; so is the result. Each bit is ε-DP by itself, and in the *local* model: the
    noise is added before the answer leaves the user. Proof: whatever is reported, its probability is p under
    one truth and 1 − p under the other, and p/(1 − p) = e^ε. A user who answers m questions spends m ε.
    Raises ValueError for bits other than 0 and 1 and unless ε ≥ 10⁻⁹ (below, the answers say nothing that
    float64 can tell). Source: Warner 1965.
    """
    _check_answers(epsilon)
    arguments.generator(rng)
    bits = arguments.mask("bits", bits)
    truthful = rng.random(bits.shape) < 1 / (1 + np.exp(-epsilon))
    return np.where(truthful, bits, ~bits)


def unbiased(reports: np.ndarray, epsilon: float) -> np.ndarray:
    """What each report of randomised response counts for, so that the mean over the noise is the truth.

    E[report] = (2p − 1) truth + 1 − p, solved for the truth: two numbers, one below 0 and one above 1.
    float64, in the shape of `reports` (bool). Raises ValueError as `randomized_response` does.
    """
    _check_answers(epsilon)
    reports = arguments.mask("reports", reports)
    p = 1 / (1 + np.exp(-epsilon))
    return (np.asarray(reports, dtype=np.float64) - (1 - p)) / (2 * p - 1)


def share_of_true(reports: np.ndarray, epsilon: float) -> float:
    """Estimate, without bias, the share of true bits behind `reports` (bool `[n]`) of randomised response.

    It may come out below 0 or above 1. Its standard deviation is at most 1/(2 (2p − 1) √n). Raises ValueError
    as `randomized_response` does, and for no report.
    """
    if not np.size(reports):
        raise ValueError("share_of_true: reports is empty; a share of nobody is no number.")
    return float(unbiased(reports, epsilon).mean())


def laplace_mechanism(
    values: np.ndarray, sensitivity: float, epsilon: float, rng: np.random.Generator
) -> np.ndarray:
    """Add Laplace noise of scale b = `sensitivity`/ε to each of `values`; pure ε-DP for all of them together.

    `sensitivity` is the most that Σ |value| can change between neighbours (L1). Proof: the densities of one
    output y under D and D' have the ratio Π exp((|y − v'| − |y − v|)/b) ≤ exp(Σ |v − v'|/b) ≤ e^ε. The noise
    of each value has mean 0 and standard deviation √2 b. float64, in the shape of `values`. Raises ValueError
    unless both parameters are above 0 (ε may be infinite: no noise), and for values that are NaN or infinite.
    Source: Dwork, McSherry, Nissim & Smith 2006.
    """
    arguments.real("sensitivity", sensitivity, above=0)
    arguments.real("epsilon", epsilon, above=0, infinity=True)
    arguments.real("the scale sensitivity/epsilon", float(sensitivity) / float(epsilon))
    arguments.generator(rng)
    values = arguments.numbers("values", values, "noise cannot hide them", n_dims=np.ndim(values))
    return values + rng.laplace(0.0, sensitivity / epsilon, size=values.shape)


def limit_contributions(matrix: sp.csr_array, per_user: int, seed: int = 0) -> sp.csr_array:
    """Keep at most `per_user` items of each row of `matrix` `[n, n_items]`, drawn by a hash.

    What is kept of one user does not depend on any other user. So adding or removing a user changes the
    column sums of the result by at most `per_user` in L1 and by at most √`per_user` in L2: its sensitivity at
    user level. Raises ValueError for `per_user` below 1.
    """
    per_user = arguments.whole("per_user", per_user, 1)
    matrix = sp.csr_array(matrix)
    users = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    order = np.lexsort((seeded_hash(users, matrix.indices, seed), users))
    kept = order[np.arange(len(users)) - matrix.indptr[users] < per_user]
    ones = np.ones(len(kept), dtype=np.float32)
    return sp.csr_array((ones, (users[kept], matrix.indices[kept])), shape=matrix.shape)


def noise_multiplier(epsilon: float, delta: float, releases: int = 1) -> float:
    """Standard deviation ÷ L2 sensitivity of Gaussian noise, so that `releases` together are (ε, δ)-DP.

    The inverse of `accountant_epsilon`, searched by opacus; what it returns never spends more than ε. Raises
    ValueError unless 0.02 ≤ ε ≤ 50 (the accountant rounds up by less than 0.02), 10⁻¹² ≤ δ < 1 and `releases`
    is 1 to 1,000.
    """
    arguments.real("epsilon", epsilon, at_least=0.02, at_most=LARGEST_EPSILON)
    _check_accountant(delta, releases)
    return _noise_multiplier(float(epsilon), float(delta), int(releases))


@functools.cache
def _noise_multiplier(epsilon: float, delta: float, releases: int) -> float:
    with warnings.catch_warnings(action="ignore"):  # of a logarithm of 0 at sample rate 1, without effect
        return get_noise_multiplier(
            target_epsilon=epsilon,
            target_delta=delta,
            sample_rate=1.0,
            steps=releases,
            accountant="prv",
            epsilon_tolerance=0.001,
        )


def accountant_epsilon(multiplier: float, delta: float, releases: int = 1) -> float:
    """ε that opacus' PRV accountant (Gopi, Lee & Wutschitz 2021) books for `releases` Gaussian releases.

    Every release sees everybody (sample rate 1): no amplification by sampling is claimed. The accountant
    rounds up, by less than 0.02. Raises ValueError for `delta` and `releases` as `noise_multiplier` does, for
    a `multiplier` as `gaussian_epsilon` does, and for so little noise that ε would pass 50.
    """
    _check_accountant(delta, releases)
    exact = gaussian_epsilon(multiplier, delta, releases)
    if exact > LARGEST_EPSILON:
        raise ValueError(
            f"multiplier {multiplier!r} is too small: ε would be {exact:.3g}, and above {LARGEST_EPSILON} "
            "nothing is promised; take more noise."
        )
    return _accountant_epsilon(float(multiplier), float(delta), int(releases))


@functools.cache
def _accountant_epsilon(multiplier: float, delta: float, releases: int) -> float:
    accountant = PRVAccountant()
    accountant.history = [(multiplier, 1.0, releases)]
    with warnings.catch_warnings(action="ignore"):  # as above
        return max(0.0, float(accountant.get_epsilon(delta)))


def gaussian_epsilon(multiplier: float, delta: float, releases: int = 1) -> float:
    """The exact ε of `releases` Gaussian releases in a closed form, without any accountant.

    T releases with noise σ tell as much as one with σ/√T, and one release is (ε, δ)-DP exactly where
    δ ≥ Φ(1/2σ − εσ) − e^ε Φ(−1/2σ − εσ). Source: Balle & Wang 2018, theorem 8; Dong, Roth & Su 2022 for the
    composition. Raises ValueError unless 10⁻⁶ ≤ `multiplier` ≤ 10⁶, 0 < `delta` < 1 and `releases` ≥ 1.
    """
    arguments.real("multiplier", multiplier, at_least=1e-6, at_most=1e6)
    arguments.real("delta", delta, above=0, below=1)
    releases = arguments.whole("releases", releases, 1)
    sigma = multiplier / np.sqrt(releases)

    def too_much(epsilon: float) -> float:
        # e^ε Φ(·) by logarithms, which do not overflow
        second = np.exp(epsilon + norm.logcdf(-1 / (2 * sigma) - epsilon * sigma))
        return norm.cdf(1 / (2 * sigma) - epsilon * sigma) - second - delta

    if too_much(0.0) <= 0:
        return 0.0
    return float(brentq(too_much, 0.0, 1 / (2 * sigma**2) + 20 / sigma))


def _check_accountant(delta: float, releases: int) -> None:
    # Below 10⁻¹² the accountant's own rounding errors would decide.
    arguments.real("delta", delta, at_least=1e-12, below=1)
    arguments.whole("releases", releases, 1, MOST_RELEASES)


def _check_answers(epsilon: float) -> None:
    arguments.real("epsilon", epsilon, at_least=1e-9, infinity=True)
