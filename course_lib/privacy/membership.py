"""Membership inference: was this person's history among the training data of that model?

The attacker has the person's history from elsewhere and may ask the model for scores. Shadow models, trained
by the attacker on data of the same kind, say how the model answers with and without the person.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from course_lib import arguments


def likelihood_ratios(answers: np.ndarray, members: np.ndarray) -> np.ndarray:
    """Log likelihood ratio "was in" against "was not in" of each user, every model attacked in turn.

    Parameters
    ----------
    answers
        float `[models, users]`: what the model says about the user, one number, higher for what it knows.
    members
        bool `[models, users]`: whether the user was among its training data.

    Returns
    -------
    float64 `[models, users]`. For the model in row j all other rows are the shadow models: for each user
    a normal distribution is fitted to the answers of those trained with, another to those without, with one
    standard deviation for both. Row j's own memberships are never read; draw memberships by independent
    coins, or the other rows give them away (if everybody is in exactly half of the models, by counting).

    Raises ValueError if the shapes differ, an answer is NaN or infinite, a membership is not 0 or 1, or a
    user lacks two shadow models of either kind. Source: Carlini et al. 2022 (LiRA), the online attack with a
    shared variance.
    """
    answers = arguments.numbers("answers", answers, "leave out users without an answer", n_dims=2)
    answers, members = answers.astype(np.float64), arguments.mask("members", members)
    if not answers.size or answers.shape != members.shape:
        raise ValueError(
            "likelihood_ratios: answers and members must be [models, users] alike, got "
            f"{answers.shape} and {members.shape}."
        )
    n_in, n_out = members.sum(axis=0), (~members).sum(axis=0)
    if min(n_in.min(), n_out.min()) < 3:
        raise ValueError(
            "likelihood_ratios: some user is in (or out of) fewer than three models; train more of them."
        )
    ratios = np.empty_like(answers)
    # Where all shadow models give one answer, in units of the answers: their size must not matter.
    least = 1e-12 * answers.var() or 1.0
    for attacked in range(len(answers)):
        shadow = np.arange(len(answers)) != attacked
        known, inside = answers[shadow], members[shadow]
        mean_in = np.average(known, axis=0, weights=inside)
        mean_out = np.average(known, axis=0, weights=~inside)
        variance = np.mean((known - np.where(inside, mean_in, mean_out)) ** 2, axis=0) + least
        own = answers[attacked]
        ratios[attacked] = ((own - mean_out) ** 2 - (own - mean_in) ** 2) / (2 * variance)
    return ratios


@dataclass(frozen=True)
class Attack:
    """How well scores tell members from others: area under the ROC curve and a true-positive rate, in 0…1.

    The draws float `[resamples]` are of a bootstrap over users, NaN where a draw has members only or none (a
    few users); the two rates float `[points]` are the curve.
    """

    auc: float
    tpr: float
    auc_draws: np.ndarray
    tpr_draws: np.ndarray
    false_positives: np.ndarray
    true_positives: np.ndarray

    def interval(self, what: str) -> tuple[float, float]:
        """95 % interval of "auc" or "tpr"."""
        if what not in ("auc", "tpr"):
            raise ValueError(f"There is an interval of auc and of tpr, not of {what!r}.")
        low, high = np.nanpercentile(getattr(self, f"{what}_draws"), [2.5, 97.5])
        return float(low), float(high)


def judge_attack(
    scores: np.ndarray, members: np.ndarray, *, fpr: float = 0.01, resamples: int = 500, seed: int = 0
) -> Attack:
    """ROC, its area, and the true-positive rate where the false-positive rate is at most `fpr`.

    `scores` float and `members` bool (or 0 and 1), both `[models, users]`; a pair with a NaN score is left
    out. The bootstrap draws users, each with the answers of all models, and the same seed draws the same
    users: draws of two attacks on the same users are paired. Equal scores count one half in the area. Raises
    ValueError for shapes that differ, other members, no member or nobody else, an `fpr` outside of 0…1 and no
    resample.
    """
    arguments.real("fpr", fpr, at_least=0, at_most=1)
    resamples = arguments.whole("resamples", resamples, 1)
    scores, members = np.asarray(scores), arguments.mask("members", members)
    if scores.dtype.kind not in "biuf" or scores.ndim != 2 or scores.shape != members.shape:
        raise ValueError(
            "judge_attack: scores (numbers) and members must be [models, users] alike, got "
            f"{scores.dtype} {scores.shape} and {members.shape}."
        )
    scores = scores.astype(np.float64)  # signed: minus an unsigned 0 would stay on top
    used = ~np.isnan(scores)
    users = np.broadcast_to(np.arange(scores.shape[1]), scores.shape)[used]
    flat, inside = scores[used], members[used]
    if inside.all() or not inside.any():
        raise ValueError("judge_attack: of the pairs with a score some must be members and some not.")
    order = np.argsort(-flat, kind="stable")
    users, flat, inside = users[order], flat[order], inside[order]
    last_of_tie = np.append(np.flatnonzero(flat[1:] != flat[:-1]), len(flat) - 1)

    def curve(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        of_pair = weights[users]
        true = np.cumsum(of_pair * inside)[last_of_tie]
        false = np.cumsum(of_pair * ~inside)[last_of_tie]
        return np.append(0, false / false[-1]), np.append(0, true / true[-1])

    def summary(weights: np.ndarray) -> tuple[float, float]:
        if not (weights[users[inside]].any() and weights[users[~inside]].any()):
            return np.nan, np.nan
        false, true = curve(weights)
        return np.trapezoid(true, false), true[np.searchsorted(false, fpr, side="right") - 1]

    n_users = scores.shape[1]
    rng = np.random.default_rng(arguments.seed(seed))
    drawn = np.array(
        [summary(rng.multinomial(n_users, np.full(n_users, 1 / n_users))) for _ in range(resamples)]
    )
    whole = np.ones(n_users)
    return Attack(*map(float, summary(whole)), drawn[:, 0], drawn[:, 1], *curve(whole))
