"""Random draws that come out the same on every machine.

The generators' integers and uniforms are exact. Normal numbers, exponentials and sums may differ in their
last bit between processors, so whatever is computed from them is rounded to six decimals before it decides a
draw, and draws by weight compare integers only.
"""

import numpy as np

_STREAMS = ("entities", "articles", "texts", "readers", "histories", "log")


def generator(seed: int, stream: str) -> np.random.Generator:
    """The generator of one part of the simulation, so that a change in one part leaves the others alone."""
    return np.random.Generator(np.random.PCG64([seed, _STREAMS.index(stream)]))


def normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Standard normal numbers, float64, rounded to six decimals."""
    return rng.standard_normal(shape).round(6)


def cumulative(weights: np.ndarray) -> np.ndarray:
    """int64, same shape: running sums along the last axis of weights in millionths, at least one each."""
    return np.maximum((np.asarray(weights) * 1e6).round(), 1).astype(np.int64).cumsum(axis=-1)


def draw(rng: np.random.Generator, sums: np.ndarray, count: int) -> np.ndarray:
    """int64 [count]: places drawn with replacement by the weights that `cumulative` made `sums` [n] of."""
    return np.searchsorted(sums, rng.integers(0, sums[-1], count), side="right")


def draw_rows(rng: np.random.Generator, sums: np.ndarray) -> np.ndarray:
    """int64 [n]: one place drawn in each row of `sums` [n, m]."""
    return (sums <= rng.integers(0, sums[:, -1])[:, None]).sum(axis=1)


def long_tailed(rng: np.random.Generator, median: float, spread: float, count: int) -> np.ndarray:
    """float64 [count]: log-normal numbers, rounded to six decimals; `spread` is that of the logarithm."""
    return (median * np.exp(spread * normal(rng, count))).round(6)
