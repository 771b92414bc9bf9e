"""How results look: numbers, sentences, tables and figures, the same in every lesson."""

from course_lib.show.figures import (
    LARGEST_IMAGE,
    METHODS,
    PALETTE,
    colour,
    curves,
    figure,
    forest,
    forest_plot,
    style,
)
from course_lib.show.numbers import interval, number
from course_lib.show.outputs import measurement, table
from course_lib.show.sentences import difference, mean, say

__all__ = [
    "LARGEST_IMAGE",
    "METHODS",
    "PALETTE",
    "colour",
    "curves",
    "difference",
    "figure",
    "forest",
    "forest_plot",
    "interval",
    "mean",
    "measurement",
    "number",
    "say",
    "style",
    "table",
]
