"""Judging candidates: metrics a user, intervals over users, paired comparison."""

from course_lib.evaluate.accuracy import auc
from course_lib.evaluate.forest import forest_plot
from course_lib.evaluate.report import METRICS, Comparison, Report, compare, evaluate, side_by_side
from course_lib.evaluate.resampling import bootstrap_interval, holm, permutation_p_value

__all__ = [
    "METRICS",
    "Comparison",
    "Report",
    "auc",
    "bootstrap_interval",
    "compare",
    "evaluate",
    "forest_plot",
    "holm",
    "permutation_p_value",
    "side_by_side",
]
