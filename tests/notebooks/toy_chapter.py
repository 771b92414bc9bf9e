"""A course of one small chapter that has everything a chapter can have; it needs no data."""

from notebooks.make.plan import Course

PLAN = """
[chapters.02_toy]
title = "A toy"
title_zh = "玩具"
goal = "see every kind of output"
minutes = 16
needs = []
timeout = 60
whole = false
scales.small = {}
scales.full = { parameters = { size = 20 } }
"""

SOURCE = """\
# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A toy

# %% tags=["parameters"]
scale = "small"
seed = 0
size = 10

# %%
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from course_lib import learn, show
from course_lib.registers import places

places.EXERCISES = Path("exercises")  # the toy's own
values = np.random.default_rng(seed).normal(size=size)

# %% [markdown] quoted="0.72" reason="a paper states it"
# ## By hand
#
# The cosine of (3, 4) and (4, 3) is $\\frac{3\\cdot4+4\\cdot3}{5\\cdot5}=\\frac{24}{25}=0.96$.
# So 1 − 0.96 = 0.04 is missing. A paper has 0.72 (§4.2).

# %%
one, other = np.array([3, 4]), np.array([4, 3])
nearness = one @ other / 5 / 5
assert round(nearness, 2) == 24 / 25 == 0.96 and round(1 - nearness, 2) == 0.04

# %% [markdown]
# ## Numbers

# %%
show.say(f"The **mean** of {size} values is {values.mean():.3f}.")

# %%
pd.DataFrame({"value": values}).describe().round(3)

# %%
show.table([{"name": "smallest", "value": values.min()}, {"name": "largest", "value": values.max()}])

# %%
print("whole", 12_345, "version 2.13.0")

# %%
size * 1.5

# %%
figure, axis = plt.subplots(figsize=(4, 2))
axis.plot(np.sort(values))
axis.set(xlabel="place", ylabel="value")
alt = "A line of sorted values that rises from left to right."
show.figure(figure, alt=alt, table=[{"largest": values.max()}])

# %%
with learn.fails(ZeroDivisionError):
    1 / 0

# %%
def draw(angle=60):
    show.say(f"The angle is {angle}°.")


learn.slider(draw, angle=(0, 180, 5))

# %%
learn.verdict("D1-17", "corrected", "It is {x}.", numbers={"x": 0.894427}, data="seven numbers")

# %% [markdown]
# ## Exercise

# %% tags=["exercise"]
answer = ...
learn.check("02.1", answer)

# %% [markdown] tags=["solution"]
# <details>
# <summary>Show a solution</summary>
#
# It is the answer to everything.
#
# ```python
# answer = 42
# ```
#
# </details>

# %% [markdown]
# ## Questions

# %% tags=["quiz"]
learn.quiz(
    "02",
    q1=...,
    q2=...,
    q3=...,
    q4=...,
    q5=...,
    found={"mean": values.mean(), "nearness": nearness, "size": size},
)
"""

EXERCISES = """\
from course_lib.learn import Exercise, Question

EXERCISES = [
    Exercise(
        key="02.1",
        question="Which number?",
        judge=lambda answer: None if answer == 42 else "no.",
        hints=("a", "b", "c"),
        wrong_examples=(1, 2),
        right="Yes.",
    )
]


def side(found):
    return "A" if found["mean"] > 0 else "B"


QUESTIONS = [
    Question(
        key=f"02.q{number}",
        text="On which side of *zero* does the mean lie?",
        options=("above", "below", "it has no side"),
        right=side,
        because={"A": "a secret of A.", "B": "a secret of B.", "C": "a secret of C."},
    )
    for number in range(1, 6)
]
"""


def make_toy_course(root):
    """Write the toy's plan, source and exercises below `root`."""
    (root / "notebooks" / "source").mkdir(parents=True)
    (root / "notebooks" / "plan.toml").write_text(PLAN, encoding="utf-8")
    (root / "notebooks" / "source" / "02_toy.py").write_text(SOURCE, encoding="utf-8")
    (root / "notebooks" / "exercises").mkdir()
    (root / "notebooks" / "exercises" / "lesson_02.py").write_text(EXERCISES, encoding="utf-8")
    return Course(root)
