"""Robustness: noise in doses, injected profiles, attacks on texts, and what helps against them."""

from course_lib.robustness.detection import PROFILE_FEATURES, profile_features
from course_lib.robustness.fairness import UserWeightedEASE
from course_lib.robustness.injection import InjectedEASE, InjectedUserKNN, hit_rate, with_profiles
from course_lib.robustness.noise import with_false_edges, with_wrong_items, without_entries, without_events
from course_lib.robustness.profiles import KINDS, fake_profiles, optimised_profiles
from course_lib.robustness.text_attack import add_words_by_gradient, swap_letters, whole_words

__all__ = [
    "KINDS",
    "PROFILE_FEATURES",
    "InjectedEASE",
    "InjectedUserKNN",
    "UserWeightedEASE",
    "add_words_by_gradient",
    "fake_profiles",
    "hit_rate",
    "optimised_profiles",
    "profile_features",
    "swap_letters",
    "whole_words",
    "with_false_edges",
    "with_profiles",
    "with_wrong_items",
    "without_entries",
    "without_events",
]
