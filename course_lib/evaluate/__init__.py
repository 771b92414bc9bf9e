"""Judging candidates: metrics a user, intervals over users, paired comparison."""

from course_lib.evaluate.accuracy import auc
from course_lib.evaluate.impressions import MIND_METRICS, evaluate_impressions, inverse_propensity_rate
from course_lib.evaluate.report import METRICS, Comparison, Report, compare, evaluate, side_by_side
from course_lib.evaluate.resampling import bootstrap_interval, holm, permutation_p_value

__all__ = [
    "METRICS",
    "MIND_METRICS",
    "Comparison",
    "Report",
    "auc",
    "bootstrap_interval",
    "compare",
    "evaluate",
    "evaluate_impressions",
    "holm",
    "inverse_propensity_rate",
    "permutation_p_value",
    "side_by_side",
]
