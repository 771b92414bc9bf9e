"""Exercises of chapter 05, collaborative filtering."""

import math

import numpy as np

from course_lib.learn.exercise import Exercise

_CHOICES = ("all zeros", "the identity", "the cosine matrix", "the inverse of the gram matrix")


def _score(answer):
    if isinstance(answer, bool) or not isinstance(answer, int | float | np.number):
        return "that is not a number."
    value = float(answer)
    if math.isclose(value, 3**-0.5, abs_tol=0.002):
        return None
    if math.isclose(value, 6**-0.5, abs_tol=0.002):
        return "this is the similarity of Dina and Ana, the user-based score. Compare columns, not rows."
    if math.isclose(value, 1, abs_tol=0.002):
        return "this counts shared viewers; a cosine also divides by both lengths."
    if math.isclose(value, 1 / 3, abs_tol=0.002):
        return "you divided by the product of the two numbers of viewers: its root is missing."
    return "go through Dina's films, C and D. How many viewers does each share with A, and how many has each?"


def _als_user(answer):
    if not callable(answer):
        return (
            "that is not a function: define `als_user(items, watched, regularization, alpha)` "
            "and hand over its name, without calling it."
        )
    items = np.random.default_rng(5).normal(size=(6, 3))
    watched, regularization, alpha = [0, 2, 3], 2.0, 4.0
    own = items[watched]
    every, taken, ridge = items.T @ items, own.T @ own, regularization * np.eye(3)
    right = own.sum(axis=0)
    got = np.asarray(answer(items.copy(), list(watched), regularization, alpha))
    if got.shape != (3,):
        return f"for vectors of length 3 the result has shape {got.shape}; it must be (3,)."
    if np.allclose(got, np.linalg.solve(every + (alpha - 1) * taken + ridge, alpha * right)):
        return None
    if np.allclose(got, np.linalg.solve(alpha * taken + ridge, alpha * right)):
        return "the empty cells weigh nothing here: the sum over all films is missing on the left."
    if np.allclose(got, np.linalg.solve(every + alpha * taken + ridge, alpha * right)):
        return "a watched film weighs alpha + 1 here: it stands in the sum over all films already."
    if np.allclose(got, np.linalg.solve(every + (alpha - 1) * taken, alpha * right)):
        return "the regularization is missing on the left."
    if np.allclose(got, np.linalg.solve(every + (alpha - 1) * taken + ridge, right)):
        return "the confidence alpha is missing on the right-hand side."
    return "the vector does not minimise the loss. Write the boxed formula of section 3 line by line."


def _identity(answer):
    if not isinstance(answer, str) or answer.strip() not in _CHOICES:
        return f"give one of: {', '.join(_CHOICES)}."
    answer = answer.strip()
    if answer == "all zeros":
        return "zeros predict nothing, an error of |X|². Which B makes |X − XB|² exactly 0?"
    if answer == "the cosine matrix":
        return "cosines are chosen, not learned; put B into |X − XB|² and look for the smallest value."
    if answer == "the inverse of the gram matrix":
        return "that is P, one factor of the solution: it is still multiplied by XᵀX."
    return None


def _transposed(answer):
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        return "give two words: what stands in the list, and what it is made for."
    if any(word not in ("films", "people") for word in answer):
        return 'use the words "films" and "people" only.'
    contents, receiver = answer
    if contents == receiver:
        return f"a list of {contents} for {receiver} has no use for the other side of the matrix."
    if (contents, receiver) == ("films", "people"):
        return "this is the list before transposing: the rows have changed places with the columns."
    return None


EXERCISES = (
    Exercise(
        key="05.1",
        question="The item-based score of film A for Dina.",
        judge=_score,
        hints=(
            "Dina watched C and D. Add the cosine of the columns A and C to that of A and D.",
            "The cosine of two columns of 0 and 1: shared viewers ÷ √(viewers of one × of the other).",
            "A has one viewer, Ana. She watched C, which has three viewers, and not D.",
        ),
        wrong_examples=(6**-0.5, 1, 1 / 3, 2),
        right="One shared viewer with C gives 1/√3, and D shares nobody with A.",
    ),
    Exercise(
        key="05.2",
        question="The ALS update of one user.",
        judge=_als_user,
        hints=(
            "The boxed formula has three terms on the left: all films, the watched ones, the identity.",
            "`own = items[watched]` are the watched films; `own.T @ own` sums their outer products.",
            "Left: `items.T @ items + (alpha - 1) * own.T @ own + …`, right: `alpha * own.sum(0)`.",
        ),
        wrong_examples=(
            lambda items, watched, regularization, alpha: np.linalg.solve(
                alpha * items[watched].T @ items[watched] + regularization * np.eye(items.shape[1]),
                alpha * items[watched].sum(axis=0),
            ),
            lambda items, watched, regularization, alpha: np.linalg.solve(
                items.T @ items
                + alpha * items[watched].T @ items[watched]
                + regularization * np.eye(items.shape[1]),
                alpha * items[watched].sum(axis=0),
            ),
            lambda items, watched, regularization, alpha: np.linalg.solve(
                items.T @ items + (alpha - 1) * items[watched].T @ items[watched],
                alpha * items[watched].sum(axis=0),
            ),
            lambda items, watched, regularization, alpha: items[watched].mean(axis=0),
        ),
        right="All films once, the watched ones (alpha − 1) times more.",
    ),
    Exercise(
        key="05.3",
        question="EASE without the zero diagonal and without regularisation.",
        judge=_identity,
        hints=(
            "Without the condition there is no multiplier: set the derivative of |X − XB|² + λ|B|² to zero.",
            "It gives B = (XᵀX + λI)⁻¹ XᵀX.",
            "Put λ = 0: a matrix times its inverse.",
        ),
        wrong_examples=("all zeros", "the cosine matrix", "the inverse of the gram matrix"),
        right="Every film predicts itself, and nothing is recommended. The condition forbids exactly that.",
    ),
    Exercise(
        key="05.4",
        question="An item-based recommender that was given the transpose.",
        judge=_transposed,
        hints=(
            "An item-based recommender compares columns and makes one list for each row.",
            "After transposing, the rows are films and the columns are people.",
            "The list of a row holds columns. D4 §1.2 would call it finding buyers.",
        ),
        wrong_examples=(("films", "people"), ("people", "people"), ("films", "films")),
        right="Buyers for a film: a sensible question, but not the one you meant to ask. Check the shapes.",
    ),
)
