"""Exercises of chapter 05, collaborative filtering."""

import numpy as np

from course_lib.learn.answers import Unfit, as_array, as_choice, as_function, as_list, as_number, judged
from course_lib.learn.exercise import Exercise


def _score(answer):
    mistakes = {
        6**-0.5
        + 2 * 12**-0.5: "Eva's films were counted into the columns: folded in, she changes no similarity.",
        2 * 6**-0.5 + 6**-0.5: "this adds the similarities of people, the user-based score. Compare columns.",
        3: "this counts shared viewers; a cosine also divides by both lengths.",
        1 / 3 + 2 / 9: "you divided by the product of the two numbers of viewers: its root is missing.",
        3**-0.5: "this is the part of film A. Eva has watched B, too.",
        2 / 3: "this is the part of film B. Eva has watched A, too.",
        (3**-0.5 + 2 / 3) / 2: "this is the mean over her films; the score of section 1 is the sum.",
        1.24: "that is right, and rounded too far: give three decimals.",
    }
    otherwise = (
        "go through Eva's films, A and B. How many viewers does each share with C, and how many has each?"
    )
    return judged(as_number(answer), 3**-0.5 + 2 / 3, mistakes, otherwise, decimals=3)


def _als_user(answer):
    als_user = as_function(answer, "als_user(items, watched, regularization, alpha)")
    # Two people, so that no number of the first is built in.
    return _one_user(als_user, (6, 3), [0, 2, 3], 2.0, 4.0) or _one_user(als_user, (9, 4), [8, 1], 0.5, 7.0)


def _one_user(als_user, shape, watched, regularization, alpha):
    items = np.random.default_rng(5).normal(size=shape)
    d = shape[1]
    own = items[watched]
    every, taken, ridge = items.T @ items, own.T @ own, regularization * np.eye(d)
    right = own.sum(axis=0)
    got = as_array(als_user(items, watched, regularization, alpha))
    if got.shape != (d,):
        return f"for vectors of length {d} the result has shape {got.shape}; it must be ({d},)."
    if np.allclose(got, np.linalg.solve(every + (alpha - 1) * taken + ridge, alpha * right), atol=1e-5):
        return None
    if np.allclose(got, np.linalg.solve(alpha * taken + ridge, alpha * right)):
        return "the empty cells weigh nothing here: the sum over all films is missing on the left."
    if np.allclose(got, np.linalg.solve(every + alpha * taken + ridge, alpha * right)):
        return "a watched film weighs alpha + 1 here: it stands in the sum over all films already."
    if np.allclose(got, np.linalg.solve(every + alpha * taken + ridge, (alpha + 1) * right)):
        return "a watched film weighs 1 + alpha here, as in the paper; in section 3 it weighs alpha."
    if np.allclose(got, np.linalg.solve(every + (alpha - 1) * taken, alpha * right)):
        return "the regularization is missing on the left."
    if np.allclose(got, np.linalg.solve(every + (alpha - 1) * taken + ridge, right)):
        return "the confidence alpha is missing on the right-hand side."
    if np.allclose(got, np.linalg.solve(every + ridge, right)):
        return "alpha is not used: a watched film weighs as much as an empty cell here."
    return "the vector does not minimise the loss. Write the boxed formula of section 3 line by line."


def _identity(answer):
    mistakes = {
        "all zeros": "zeros predict nothing, an error of |X|². Which B makes |X − XB|² exactly 0?",
        "the cosine matrix": "cosines are chosen, not learned; look for the B that makes |X − XB|² smallest.",
        "the inverse of the gram matrix": "that is P, one factor of the solution: XᵀX still multiplies it.",
    }
    return mistakes.get(as_choice(answer, (*mistakes, "the identity")))


def _transposed(answer):
    words = as_list(answer, "that")
    if len(words) != 2:
        raise Unfit("give two words: what stands in the list, and what it is made for.")
    contents, receiver = (as_choice(word, ("films", "people"), f"“{word}”") for word in words)
    if contents == receiver:
        return f"a list of {contents} for {receiver} has no use for the other side of the matrix."
    if (contents, receiver) == ("films", "people"):
        return "this is the list before transposing: the rows have changed places with the columns."
    return None


EXERCISES = (
    Exercise(
        key="05.1",
        question="The item-based score of film C for Eva, who is new and has watched A and B.",
        judge=_score,
        hints=(
            "Eva watched A and B. Add the cosine of the columns A and C to that of B and C.",
            "The cosine of two columns of 0 and 1: shared viewers ÷ √(viewers of one × of the other).",
            "Folding in leaves the columns as they are: A has one viewer, B and C have three each.",
        ),
        wrong_examples=(
            6**-0.5 + 2 * 12**-0.5,
            3 * 6**-0.5,
            3,
            1 / 3 + 2 / 9,
            3**-0.5,
            2 / 3,
            (3**-0.5 + 2 / 3) / 2,
            2,
            1.24,
            1.243,
        ),
        right="1/√3 from A, which shares Ana with C, and 2/3 from B, which shares Ana and Chen.",
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
            lambda items, watched, regularization, alpha: np.linalg.solve(
                items.T @ items
                + alpha * items[watched].T @ items[watched]
                + regularization * np.eye(items.shape[1]),
                (1 + alpha) * items[watched].sum(axis=0),
            ),
            lambda items, watched, regularization, alpha: np.linalg.solve(
                items.T @ items + regularization * np.eye(items.shape[1]), items[watched].sum(axis=0)
            ),
            lambda items, watched, regularization, alpha: items[watched].mean(axis=0),
        ),
        right="All films once, the watched ones (alpha − 1) times more.",
    ),
    Exercise(
        key="05.3",
        question="EASE without the zero diagonal and without regularisation.",
        judge=_identity,
        choice=True,
        hints=(
            "Without the condition there is no multiplier: set the derivative of |X − XB|² + λ|B|² to zero.",
            "It gives B = (XᵀX + λI)⁻¹ XᵀX.",
            "Let λ tend to 0: a matrix times its inverse.",
        ),
        wrong_examples=(
            "all zeros",
            "the cosine matrix",
            "the inverse of the gram matrix",
            "a diagonal matrix",
        ),
        right="Every film predicts itself, and nothing is recommended. The condition forbids exactly that.",
    ),
    Exercise(
        key="05.4",
        question="An item-based recommender that was given the transpose.",
        judge=_transposed,
        choice=True,
        hints=(
            "An item-based recommender compares columns and makes one list for each row.",
            "After transposing, the rows are films and the columns are people.",
            "The list of a row holds columns. D4 §1.2 would call it finding buyers.",
        ),
        wrong_examples=(("films", "people"), ("people", "people"), ("films", "films")),
        right="Buyers for a film: a sensible question, but not the one you meant to ask. Check the shapes.",
    ),
)
