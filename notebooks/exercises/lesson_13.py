"""Exercises of chapter 13, privacy."""

import itertools
import math

import numpy as np

from course_lib.learn.answers import as_array, as_choice, as_function, as_mapping, as_number, judged
from course_lib.learn.exercise import Exercise


def _share(answer):
    mistakes = {
        30: "this is per cent; give the share as a number between 0 and 1.",
        0.4: "this is the share of yes among the *reports*; some of these are lies, and you know how many.",
        0.15: "you took the false yes away, and now 2p − 1 is still to be divided by.",
        0.4 / 0.75: "dividing by p forgets those who said yes though the truth is no.",
        0.25: "this is 1 − p, the share of lies.",
    }
    otherwise = "write E[report] = p · share + (1 − p) · (1 − share), and solve for the share."
    return judged(as_number(answer), 0.3, mistakes, otherwise)


def _scale(answer):
    mistakes = {
        20: "this is the sensitivity; ε says how much noise goes with it.",
        0.5: "this protects one *rating*: without one user, up to 20 counts change.",
        40: "you multiplied by ε: a larger ε is less privacy, so it means less noise.",
        math.sqrt(20) / 2: "√20 is the change in L2, which Gaussian noise is measured by; Laplace noise goes "
        "by L1.",
        math.sqrt(2) * 10: "this is the standard deviation; the scale b is smaller by √2.",
        943 / 2: "the sensitivity is what *one* user can change, however many users there are.",
    }
    otherwise = "the scale is the L1 sensitivity ÷ ε. By how much can one user change all counts together?"
    return judged(as_number(answer), 10, mistakes, otherwise)


def _masked(answer):
    masked = as_function(answer, "masked(ring, place, common)")
    # Other numbers of clients, so that none is built in.
    if reason := _sent_by(masked, clients=4, length=5):
        return reason
    for clients, length in ((2, 3), (7, 1)):
        if reason := _sent_by(masked, clients, length):
            return f"right for 4 clients, wrong for {clients}: {reason}"
    return None


def _sent_by(masked, clients, length):
    rng = np.random.default_rng(13)
    secrets = rng.integers(0, 1000, (clients, length), dtype=np.uint64)
    pair = rng.integers(0, 2**64, (clients, clients, length), dtype=np.uint64)
    common = np.triu(np.ones((clients, clients), bool), 1)[:, :, None] * pair
    common = common + common.transpose(1, 0, 2)  # [u, v] and [v, u] are the same mask
    double = common.sum(axis=(0, 1), dtype=np.uint64)  # what is left if everybody adds
    diagonal = range(clients), range(clients)
    common[diagonal] = rng.integers(0, 2**64, (clients, length), dtype=np.uint64)  # not to be used
    own = common[diagonal].sum(axis=0, dtype=np.uint64)
    sent = [as_array(masked(secrets[u], u, list(common[u]))) for u in range(clients)]
    if any(vector.shape != (length,) for vector in sent):
        return "the result must have the shape of `ring`."
    if any(vector.dtype != np.uint64 for vector in sent):
        return "the result is not uint64: as a float, a mask swallows the secret, and nothing wraps around."
    if all(np.array_equal(vector, secret) for vector, secret in zip(sent, secrets, strict=True)):
        return "the secret goes out as it is: no mask was added."
    left = np.sum(sent, axis=0, dtype=np.uint64) - secrets.sum(axis=0, dtype=np.uint64)
    if not left.any():
        for place in range(clients):
            others = [common[place][v] for v in range(clients) if v != place]
            signed = itertools.product(*((mask, 0 - mask) for mask in others))
            alone = sent[place] - secrets[place]
            if not any(np.array_equal(alone, np.sum(masks, axis=0, dtype=np.uint64)) for masks in signed):
                return "not every common mask is used: whoever shares the few can take them off. Use all."
        return None
    if any(np.array_equal(left, wrong) for wrong in (double, double + own)):
        return "everybody adds, so the masks double instead of cancelling. Of each pair, one must subtract."
    if any(np.array_equal(left, 0 - wrong) for wrong in (double, double + own)):
        return "everybody subtracts, so the masks double instead of cancelling. Of each pair, one must add."
    if any(np.array_equal(left, wrong) for wrong in (own, 0 - own)):
        return "`common[place]` went in as well. Nobody else has it, so nobody takes it off: skip yourself."
    return "the masked vectors do not add up to the sum of the secrets. Who of a pair adds, who subtracts?"


_RIGHT = {
    "a thief takes the disk": "encryption",
    "the server reads single updates": "secure aggregation",
    "a customer asks the model who was in": "differential privacy",
    "an employee without need opens the table": "access control",
}
_DEFENCES = ("access control", "differential privacy", "encryption", "secure aggregation")


def _defences(answer):
    answer = {
        attack: as_choice(defence, _DEFENCES, f"the defence for “{attack}”")
        for attack, defence in as_mapping(answer, _RIGHT).items()
    }
    if answer["a customer asks the model who was in"] == "encryption":
        return "the model was trained on opened data and answers in the clear: encryption is over by then."
    if answer["a customer asks the model who was in"] == "secure aggregation":
        return "secure aggregation gives the *exact* sum, so the model that comes out remembers as much."
    if answer["a customer asks the model who was in"] == "access control":
        return "the customer is allowed to ask; access control lets exactly these questions through."
    if answer["the server reads single updates"] != "secure aggregation":
        return "the server takes part in the protocol and needs the sum; what must it not see?"
    if answer["a thief takes the disk"] != "encryption":
        return "a disk that is taken away asks no program for leave: what does the thief find on it?"
    if answer["an employee without need opens the table"] != "access control":
        return "the system opens the table for its own staff: who decides for whom?"
    return None


EXERCISES = (
    Exercise(
        key="13.1",
        question="The share of true yes behind the reports of randomised response.",
        judge=_share,
        hints=(
            "e^ε = 3, so the truth is told with probability p = 3/4.",
            "A yes is a true yes that was told, or a no that was turned round.",
            "0.4 = 0.75 · share + 0.25 · (1 − share).",
        ),
        wrong_examples=(0.4, 0.15, 0.4 / 0.75, 0.25, 30),
        right="0.4 = 0.25 + 0.5 · 0.3. The noise is gone from the mean, and stays in every single answer.",
    ),
    Exercise(
        key="13.2",
        question="The Laplace scale of DP-popularity.",
        judge=_scale,
        hints=(
            "Neighbours at user level: one user is there with everything, or not at all.",
            "That user adds 1 to at most 20 counts: by how much does the sum of all |changes| grow?",
            "b = sensitivity in L1 ÷ ε.",
        ),
        wrong_examples=(20, 0.5, 40, math.sqrt(20) / 2, math.sqrt(200), 943 / 2),
        right="20 counts may change by 1 each, and 20/2 = 10, whatever the number of users.",
    ),
    Exercise(
        key="13.3",
        question="The pairwise masks of secure aggregation.",
        judge=_masked,
        hints=(
            "Both clients of a pair know the same mask; it must cancel in the sum.",
            "Let the client with the smaller place add it and the other subtract it.",
            "Loop over `enumerate(common)`, skip your own place, and use + or − on uint64 arrays.",
        ),
        wrong_examples=(
            lambda ring, place, common: ring,
            lambda ring, place, common: ring + np.sum(common, axis=0, dtype=np.uint64),
            lambda ring, place, common: ring - np.sum(common, axis=0, dtype=np.uint64),
            lambda ring, place, common: ring + np.sum(np.array(common, dtype=float), axis=0),
            lambda ring, place, common: (
                ring
                + np.sum(common[place:], axis=0, dtype=np.uint64)
                - np.sum(common[:place], axis=0, dtype=np.uint64)
            ),
            lambda ring, place, common: (
                ring + common[place + 1] if place % 2 == 0 else ring - common[place - 1]
            ),
            lambda ring, place, common: (
                ring
                + np.sum(common[place + 1 : 4], axis=0, dtype=np.uint64)
                - np.sum(common[:place], axis=0, dtype=np.uint64)
            ),
            lambda ring, place, common: print(end=""),
        ),
        right="Each vector looks uniform, and each mask occurs once with + and once with −.",
    ),
    Exercise(
        key="13.4",
        question="Which defence stops which attack.",
        judge=_defences,
        choice=True,
        hints=(
            "Ask of each attacker: what do they see, and in what form?",
            "Encryption helps against those without the key, and only while the data are not in use.",
            "Only one of the four limits what the *finished model* tells about one person.",
        ),
        wrong_examples=(
            _RIGHT | {"a customer asks the model who was in": "encryption"},
            _RIGHT | {"a customer asks the model who was in": "secure aggregation"},
            _RIGHT | {"a customer asks the model who was in": "access control"},
            _RIGHT | {"the server reads single updates": "encryption"},
            _RIGHT | {"a thief takes the disk": "access control"},
        ),
        right="Four attackers, four defences, and none of them stands in for another.",
    ),
)
