"""Privacy: attacks on histories and models, and the defences against them."""

from course_lib.privacy.anonymity import groups_of_at_least, publish_groups
from course_lib.privacy.federated import FederatedFactors, watched_in
from course_lib.privacy.mechanisms import (
    accountant_epsilon,
    gaussian_epsilon,
    laplace_mechanism,
    limit_contributions,
    noise_multiplier,
    randomized_response,
    share_of_true,
)
from course_lib.privacy.membership import Attack, judge_attack, likelihood_ratios
from course_lib.privacy.retrievers import LocalPopularity, PrivateAutoencoder, PrivatePopularity, PrivateSVD
from course_lib.privacy.secure_aggregation import (
    SecureSum,
    TooFewClients,
    additive_shares,
    from_ring,
    secure_sum,
    shamir_secret,
    shamir_shares,
    to_ring,
)

__all__ = [
    "Attack",
    "FederatedFactors",
    "LocalPopularity",
    "PrivateAutoencoder",
    "PrivatePopularity",
    "PrivateSVD",
    "SecureSum",
    "TooFewClients",
    "accountant_epsilon",
    "additive_shares",
    "from_ring",
    "gaussian_epsilon",
    "groups_of_at_least",
    "judge_attack",
    "laplace_mechanism",
    "likelihood_ratios",
    "limit_contributions",
    "noise_multiplier",
    "publish_groups",
    "randomized_response",
    "secure_sum",
    "shamir_secret",
    "shamir_shares",
    "share_of_true",
    "to_ring",
    "watched_in",
]
