# ---
# jupyter:
#   jupytext:
#     formats: ipynb,source//py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 02 · Cosine similarity (余弦相似度)
#
# *An angle as a measure of taste.*
#
# After this lesson you will be able to
#
# - derive the cosine from the law of cosines, prove that it lies between −1 and 1, and search a catalogue with it in a few lines;
# - say when cosine, dot product and Euclidean distance give **the same** ranking, and what each of them prefers when they do not;
# - recognise four errors around the cosine in published code, and write the line that is right;
# - judge whether a cosine of 0.89 is *high* (often it is not), and know what high dimension does to a search.
#
# You need: vectors and the dot product from school; Python with numpy. About 75 minutes.

# %% [markdown]
# ## The documents say
#
# D1 ranks items by the cosine between a user vector and an item vector, D2 by the cosine between a query and an item; D4 uses the plain dot product.
# What D1 states about it, in our words:
#
# | id | where | statement | what we do |
# |---|---|---|---|
# | D1-16 | D1 §4.1 | similarity is the dot product divided by the product of the two lengths | derive it, prove its bounds, check it against four libraries |
# | D1-17 | D1 §4.3 | an example with 7 numbers for a user and 7 for an item; the result is never given | compute it |
# | D1-19 | D1 §5.2 | a TensorFlow *loss* serves as the similarity | find its sign |
# | D1-20 | D1 §5.2 | a PyTorch version for lists of vectors | run it until it breaks, three times |
# | D1-24 | D1 §6.1–6.3 | the same 14 numbers stand for a shop, a newspaper and a social network | ask what the numbers know of their scenario |

# %% tags=["parameters"]
scale = "small"  # "small" is what the book shows; "full" runs the same code on more data
seed = 0

# %%
import faiss
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import scipy.sparse as sp
import torch
from scipy.stats import skew, spearmanr
from sklearn.metrics.pairwise import cosine_similarity

from course_lib import learn, show
from course_lib.data import load_movielens
from course_lib.encode import TextEncoder
from course_lib.similarity import cosine, dot, euclidean, normalize, top_k

rng = np.random.default_rng(seed)
show.style()

# %% [markdown]
# ## 1 · Direction is taste, length is volume
#
# Describe three viewers by two numbers each: how many action films and how many love stories they watched.

# %%
viewers = pd.DataFrame(
    {"action": [2, 6, 1], "romance": [1, 3, 4]}, index=["Ana", "Bo", "Chen"]
)


# %% tags=["hide-input"]
def draw_arrows(axis, tips, colours=show.PALETTE[0]):
    start = np.zeros((2, len(tips)))
    as_drawn = {"angles": "xy", "scale_units": "xy", "scale": 1}
    axis.quiver(*start, *np.transpose(tips), color=colours, **as_drawn)
    axis.set(aspect="equal")


arrows = viewers.to_numpy(float)
figure, axis = plt.subplots(figsize=(4.6, 3.4))
draw_arrows(axis, arrows[::-1], show.PALETTE[2::-1])
for name, tip, hue in zip(viewers.index, arrows, show.PALETTE, strict=False):
    axis.text(tip[0] + 0.15, tip[1] - 0.35, name, color=hue)
axis.set(xlim=(0, 7.2), ylim=(0, 4.6))
axis.set(xlabel="action films watched", ylabel="love stories watched")
angles = np.degrees(np.arctan2(viewers["romance"], viewers["action"]))
viewers["length"] = np.linalg.norm(arrows, axis=1)
viewers["from Ana's tip"] = euclidean(arrows, arrows)[0]
viewers["angle with Ana (degrees)"] = (angles - angles["Ana"]).round(1)
show.figure(
    figure,
    alt="Three arrows from the origin. Ana and Bo point in the same direction, Bo's arrow is three times as long; "
    "Chen's arrow points much more steeply, towards love stories.",
    table=viewers,
    caption="Ana and Bo share a taste; Bo only watches more.",
)

# %% [markdown]
# Who is most like Ana? By the distance between the tips of the arrows it is Chen. By direction it is Bo: the same taste, three times the
# appetite. For retrieval we usually want the second answer, so we measure the **angle** (夹角) between the arrows
# and ignore their length.
#
# ### The formula, derived
#
# Take a triangle with sides $u$, $v$ and $u-v$, and the angle $\theta$ between $u$ and $v$. The law of cosines says
#
# $$\|u-v\|^2=\|u\|^2+\|v\|^2-2\,\|u\|\,\|v\|\cos\theta .$$
#
# Expanding the left side as a dot product (点积) gives
#
# $$\|u-v\|^2=(u-v)^\top(u-v)=\|u\|^2+\|v\|^2-2\,u^\top v .$$
#
# Both right sides are equal, so their last terms are equal, too:
#
# $$\boxed{\;\cos\theta=\frac{u^\top v}{\|u\|\,\|v\|}\;}$$
#
# Any two vectors lie in a plane, in any number of dimensions, also in 384; their triangle lies in that plane, and the formula holds there.
#
# ### A search, by hand
#
# With this formula we can search. Take the films of MovieLens. A sentence encoder (句子编码器) turns the title and the genres of each film into
# 384 numbers (chapter 04 opens that box); one row of the matrix below is one film.

# %%
interactions, catalogue = load_movielens(scale)
titles = np.array(catalogue.titles)
encoder = TextEncoder("minilm")
film_vectors = encoder.encode(catalogue.describe("title", "genres"))
toy_story = int(np.flatnonzero(titles == "Toy Story")[0])
film_vectors.shape


# %% tags=["algorithm"]
def search(query, vectors, k):
    """The k rows most similar to `query`, best first: numbers and cosines."""
    dots = vectors @ query
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(query)
    cosines = dots / lengths
    best = np.argsort(-cosines, kind="stable")[:k]
    return best, cosines[best]


best, cosines = search(film_vectors[toy_story], film_vectors, 6)

# %% [markdown]
# The course's library does the same for many queries at once. Does it find the same films?

# %% tags=["first-result"]
ids, scores = top_k(film_vectors[[toy_story]], film_vectors, 6)
assert ids[0].tolist() == best.tolist()
assert np.allclose(scores[0], cosines, atol=1e-6)
show.table(
    pd.DataFrame({"film": titles[best], "cosine": cosines}, range(1, 7)),
    caption="Nearest to Toy Story, by hand and by the library; the query comes first, as it should",
)

# %% [markdown]
# Children's films, found by an angle between texts. Try another film: `titles[42]` is a name, and `search(film_vectors[42], film_vectors, 6)` gives the numbers of its neighbours.
#
# ### Exercise 02.1
#
# Our `search` takes one query. Write `my_cosine(a, b)` for matrices `a` of shape `[n, d]` and `b` of shape `[m, d]`. It returns all `[n, m]` cosines.
# A row of zeros has no direction: let its cosines be 0.
#
# Replace `...`, run the cell, and read what comes back. `learn.hint("02.1")` gives a hint, three times. (If Python does not know `learn`, run the
# first code cells of the lesson.)

# %% tags=["exercise"]
my_cosine = ...

learn.check("02.1", my_cosine)

# %% [markdown] tags=["solution"]
# <details>
# <summary>Show a solution</summary>
#
# Each row is divided by its own length; a length of 0 is replaced by 1, and 0 / 1 stays 0.
#
# ```python
# def my_cosine(a, b):
#     def unit(x):
#         length = np.linalg.norm(x, axis=1, keepdims=True)
#         return x / np.where(length == 0, 1, length)
#
#     return unit(a) @ unit(b).T
# ```
#
# </details>

# %% [markdown]
# ## 2 · Between −1 and 1
#
# Divide each vector by its length: $\hat u=u/\|u\|$, $\hat v=v/\|v\|$. Squared lengths cannot be negative, so
#
# $$0\le\|\hat u-\hat v\|^2=2-2\cos\theta\quad\Rightarrow\quad\cos\theta\le 1,$$
#
# $$0\le\|\hat u+\hat v\|^2=2+2\cos\theta\quad\Rightarrow\quad\cos\theta\ge-1 .$$
#
# The first line will be useful again: **on unit vectors (单位向量), Euclidean distance (欧氏距离) is a function of the cosine.** The picture shows all angles at once.


# %% tags=["hide-input"]
def turn(degrees=60):
    at = np.radians([degrees, 0, 15, 30, 60, 90, 120, 180])
    degree = np.degrees(at).round().astype(int)
    marks = pd.DataFrame({"cosine": np.cos(at), "distance": 2 * np.sin(at / 2)})
    figure, (left, right) = plt.subplots(1, 2, figsize=(7, 2.7))
    tips = np.array([[1, 0], [np.cos(at[0]), np.sin(at[0])]])
    draw_arrows(left, tips, show.PALETTE[:2])
    left.plot(*tips.T, "--", color="0.4")
    left.set(xlim=(-1.2, 1.2), ylim=(-0.2, 1.2))
    left.set(title=f"{degrees}°: distance {marks['distance'][0]:.3f}")
    right.plot(np.cos(np.radians(range(181))), color="0.4")
    right.plot(degrees, np.cos(at[0]), "o", color=show.PALETTE[1])
    right.set(xlabel="angle (degrees)", xticks=range(0, 181, 30))
    right.set(title=f"cosine {marks['cosine'][0]:.3f}")
    show.figure(
        figure,
        alt=f"Left: two unit arrows from the origin, {degrees} degrees apart, their tips joined by a dashed line. "
        "Right: the cosine falls from 1 at 0 degrees through 0 at 90 degrees to minus 1 at 180 degrees, slowly near both ends and quickly in the middle.",
        table=marks[1:].set_axis(degree[1:]).rename_axis("angle (degrees)"),
        caption="The curve is flat near 0°: small angles all look like 'almost 1'.",
    )


learn.slider(turn, degrees=(0, 180, 5))

# %% [markdown]
# Mathematics promises the bounds. Let us see what floating point makes of them, on vectors that are parallel.

# %%
a = rng.normal(size=(100_000, 7))
c = 3 * a  # parallel to a, up to rounding: the cosine is 1
lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(c, axis=1)
parallel = (a * c).sum(1) / lengths
assert (parallel > 1).any() and np.abs(parallel - 1).max() < 1e-14

# %% [markdown]
# Some of these computed cosines are above 1, by less than $10^{-14}$. So clip a cosine to [−1, 1] before you take an arccosine or a root.
#
# ### Exercise 02.2
#
# You have only the cosine of two unit vectors. Write `tip_distance(c)`: how far apart are their tips? A number such as the `parallel` ones above may come in,
# a tiny bit over 1.

# %% tags=["exercise"]
tip_distance = ...

learn.check("02.2", tip_distance)

# %% [markdown] tags=["solution"]
# <details>
# <summary>Show a solution</summary>
#
# For unit vectors the squared distance is 2 − 2 cos θ. Rounding may push it below zero, so it is cut off there.
#
# ```python
# def tip_distance(c):
#     return np.sqrt(max(0, 2 - 2 * c))
# ```
#
# </details>

# %% [markdown]
# ## 3 · The documents' example, computed
#
# D1 (§4.3) lists seven numbers for a user who viewed and bought some goods, seven for one product, writes the fraction
# out, and stops. (The root in its denominator also lacks a closing bracket.) We finish it, first with pencil and paper.

# %%
user = np.array([0.8, 0.5, 0.2, 0.9, 0.1, 0.3, 0.7])
item = np.array([0.4, 0.9, 0.5, 0.7, 0.3, 0.2, 0.8])
sums = user @ item, user @ user, item @ item
by_hand = sums[0] / np.sqrt(sums[1] * sums[2])

assert np.allclose(sums, [2.15, 2.33, 2.48], rtol=0, atol=1e-9)
assert np.isclose(sums[1] * sums[2], 5.7784, rtol=0, atol=1e-9)
assert round(np.sqrt(sums[1] * sums[2]), 4) == 2.4038
assert round(by_hand, 4) == 0.8944 and round(by_hand, 2) == 0.89

# %% tags=["hide-input"]
products = {"u·v": user * item, "u²": user**2, "v²": item**2}
pencil = pd.DataFrame({"u": user, "v": item} | products, range(1, 8))
pencil.loc["sum"] = pencil.sum()
show.table(pencil, caption="The columns of the hand computation")

# %% [markdown]
# So
#
# $$\cos\theta=\frac{2.15}{\sqrt{2.33\times2.48}}=\frac{2.15}{\sqrt{5.7784}}=\frac{2.15}{2.4038}=0.8944 .$$
#
# Other code that claims to compute a cosine must agree. FAISS, the search library, knows no cosine at all: it multiplies, and the multiplied vectors
# must be unit vectors.

# %%
u32, v32 = user[None].astype("float32"), item[None].astype("float32")
index = faiss.IndexFlatIP(7)  # inner products ...
index.add(normalize(v32))  # ... of unit vectors are cosines
answers = [
    by_hand,
    torch.cosine_similarity(*map(torch.tensor, (user, item)), dim=0).item(),
    cosine_similarity(user[None], item[None]).item(),  # scikit-learn
    index.search(normalize(u32), 1)[0].item(),
    cosine(u32, v32).item(),  # course_lib
]
assert np.allclose(answers, by_hand, rtol=0, atol=1e-6)

# %% tags=["hide-input"]
learn.verdict(
    "D1-17",
    "corrected",
    "The value that the document leaves open is {cosine}; the root in its formula lacks a bracket.",
    numbers={"cosine": show.number(by_hand, 4)},
    data=f"the document's {len(user)} + {len(item)} numbers",
)
learn.verdict(
    "D1-16",
    "correct",
    "The formula is right: derived above, bounded by −1 and 1, and it agrees with {libraries} libraries to six decimals.",
    numbers={"libraries": len(answers) - 1},
    data=f"proof, and the document's {len(user)} + {len(item)} numbers",
)

# %% [markdown]
# ### Is that high?
#
# Any reader would say: 0.89, nearly 1, a strong match. But look at the numbers again: **all of them are positive.** Two arrows that live
# in the positive corner of space cannot be more than 90° apart. What would two *unrelated* vectors score there?

# %%
unrelated = pd.DataFrame(
    {
        "both signs": cosine_similarity(
            *rng.normal(size=(2, 2_000, 7))
        ).ravel(),
        "positive": cosine_similarity(*rng.uniform(size=(2, 2_000, 7))).ravel(),
    }
)
as_high = (unrelated >= by_hand).mean()

# %% tags=["hide-input"]
figure, axis = plt.subplots(figsize=(6, 2.9))
unrelated.plot.hist(
    ax=axis, bins=np.linspace(-1, 1, 81), density=True, alpha=0.6
)
axis.axvline(by_hand, color="black", label="the example")
axis.set(xlabel="cosine of two random 7-dimensional vectors", ylabel="density")
axis.legend(loc="upper left")
spread = {"mean": unrelated.mean(), "standard deviation": unrelated.std()}
show.figure(
    figure,
    alt="Two histograms. Random vectors with both signs spread around zero. Random positive vectors pile up far to the right of it, "
    "and the document's example lies on the right shoulder of that pile, inside it.",
    table=pd.DataFrame(spread | {"share as high as the example": as_high}),
    caption="The same value is remarkable in one space and ordinary in another.",
)
show.say(
    "Of all pairs of vectors with random entries between 0 and 1, **{share} score at least as high** as the documents' match. "
    "A cosine has no meaning by itself: compare it with what *unrelated* pairs score in the same space.",
    share=f"{as_high['positive']:.0%}",
)

# %% [markdown]
# ## 4 · Do the numbers know their scenario?
#
# D1 §6 presents a shop, a newspaper and a social network, and writes the same fraction, of the same fourteen numbers, under each of them. The formula
# does not mind. It does not even mind if we shuffle the seven positions, as long as we do it to both vectors; the cosine stays the same:

# %%
shuffle = rng.permutation(7)
shuffled = cosine_similarity(user[None, shuffle], item[None, shuffle]).item()
assert np.isclose(shuffled, by_hand)

# %% [markdown]
# What makes a scenario is **where the vectors come from**. You have seen one already: films in place of a shop's goods, described by their text
# (section 1; prices and stock are missing). Here is a second one, a social network: each *person* is described by the films that they
# rated. No text, no product, the same formula. Which two people are closest?

# %%
people = interactions.matrix  # a row a person, a 1 for each film rated
alike = cosine_similarity(people, dense_output=True).astype("float32")
np.fill_diagonal(alike, -1)
first, second = np.unravel_index(alike.argmax(), alike.shape)
pair = float(alike[first, second])
rated = people[[first, second]].toarray() > 0
show.say(
    "They rated {films} films, {both} of them the same: their cosine is {pair}.",
    films=" and ".join(map(str, rated.sum(1))),
    both=rated.all(0).sum(),
    pair=pair,
)

# %% tags=["hide-input"]
learn.verdict(
    "D1-24",
    "taught",
    "The cosine does not know what its positions mean: shuffled alike in both vectors, the fourteen numbers give the same {same}; only a source makes them a scenario. Real vectors in the form of a shop (film texts as products) and of "
    "a social network (films rated by both; closest pair: {pair}) are above. Chapter 04 shows the newspaper.",
    numbers={"same": show.number(by_hand, 4), "pair": pair},
    data=[interactions.name],
    scale=scale,
    waits_for="encoding",
)

# %% [markdown]
# ## 5 · Cosine, dot product, Euclid: what does each prefer?
#
# On unit vectors all three give the same order, because $\|\hat u-\hat v\|^2=2-2\,\hat u^\top\hat v$. Without normalising they do not. Write
# $r=\|v\|$ for the length of an item's vector and keep the angle fixed:
#
# - the **dot product** $\|u\|\,r\cos\theta$ grows with $r$ as long as $\cos\theta>0$: it prefers long vectors;
# - the **Euclidean distance** $\sqrt{\|u\|^2+r^2-2\|u\|r\cos\theta}$ is smallest at $r=\|u\|\cos\theta$, so at a fixed angle it likes best an item a little shorter than the
#   query, and when nothing points the same way ($\cos\theta\approx0$) it prefers the shortest;
# - the **cosine** does not see $r$.
#
# The cell below checks the first sentence on the search of section 1. In the picture after it, the black arrow asks and three items answer. A line joins
# places that are equally good; the darker, the better. The star wins.

# %%
closer = {  # larger is better, so the distance has a minus sign
    "dot product": dot,
    "cosine": cosine,
    "Euclid": lambda a, b: -euclidean(a, b),
}
unit = normalize(film_vectors)
for measure in ("dot", "cosine", "euclidean"):
    same, _ = top_k(unit[[toy_story]], unit, 6, measure=measure)
    assert same[0].tolist() == best.tolist()

# %% tags=["hide-input"]
query = np.array([[2.0, 1.0]])
things = pd.DataFrame([[1, 0.7], [1.6, 1.7], [4, 1]], list("ABC"))
x, y = np.meshgrid(np.linspace(0.02, 5, 120), np.linspace(0.02, 3, 80))
plane = np.column_stack([x.ravel(), y.ravel()])
figure, axes = plt.subplots(1, 3, figsize=(8.4, 2.3), sharey=True)
values = {"length": np.linalg.norm(things, axis=1)}
for axis, (name, measure) in zip(axes, closer.items(), strict=True):
    field = measure(query, plane)[0]
    levels = np.unique(np.quantile(field, np.linspace(0, 1, 10)))
    axis.contour(
        x, y, field.reshape(x.shape), levels, cmap="Greens", linewidths=1
    )
    draw_arrows(axis, query, "black")
    values[name] = np.abs(measure(query, things)[0])
    wins = things.index[measure(query, things)[0].argmax()]
    for letter, tip in things.iterrows():
        axis.plot(*tip, "*" if letter == wins else "o", color="black", ms=9)
        axis.annotate(letter, tip, (5, 4), textcoords="offset points")
    axis.set(title=f"{name}: {wins} wins")
show.figure(
    figure,
    alt="Three panels with the same query arrow and three items: A is short and points almost as the arrow does, B is about as long as the arrow, C is long. "
    "Equally good places form parallel lines for the dot product, rays from the origin for the cosine, and rings around the arrow's tip for Euclid.",
    table=pd.DataFrame(values, things.index),
    caption="One query, three measures; of the distances, the smallest is best",
)

# %% [markdown]
# In code, all three come from the same dot products; only what is done with the lengths differs.


# %% tags=["algorithm"]
def three_measures(query, vectors):
    """Dot product, cosine and distance of one query to every row."""
    dots = vectors @ query
    squares, own = (vectors**2).sum(1), query @ query
    lengths = np.sqrt(squares)
    return {
        "dot product": dots,
        "cosine": dots / (lengths * np.sqrt(own)),
        "Euclid": np.sqrt(squares + own - 2 * dots),
    }


# %% [markdown]
# Does it matter on real data? Describe each film by its column of the rating matrix: 1 for each person who rated it. The squared length
# of a column is then *the number of people who rated the film*. The longer a column, the more popular the film (流行度). We ask for a film of ordinary popularity, one
# that 20 to 50 people rated: the first such neighbour of Toy Story.

# %%
columns = interactions.matrix.T.toarray().astype("float32")
popularity = columns.sum(1).astype(int)
ordinary = np.flatnonzero((popularity >= 20) & (popularity <= 50))
near_toy_story, _ = search(film_vectors[toy_story], film_vectors, 100)
film = next(i for i in near_toy_story if i in ordinary)

by_measure = three_measures(columns[film], columns)
for name, library in closer.items():
    theirs = np.abs(library(columns[[film]], columns)[0])
    assert np.allclose(by_measure[name], theirs, atol=1e-4)

# %% tags=["hide-input"]
answer = {}
for name, value in by_measure.items():
    order = np.argsort(value if name == "Euclid" else -value, kind="stable")
    others = order[order != film][:5]
    answer[name] = [f"{titles[i]} ({popularity[i]})" for i in others]
caption = f"Nearest to {titles[film]} ({popularity[film]}) by who rated it; in brackets: people who rated the film"
show.table(pd.DataFrame(answer, range(1, 6)), caption=caption)

# %% [markdown]
# Three answers that have little in common, and not by chance. Now all films of ordinary popularity: how popular are their ten neighbours?


# %%
def ten_neighbours(vectors, rows, measure):
    """The ten nearest other rows of each of `rows`: [n, 10]."""
    own = sp.eye_array(len(vectors)).tocsr()[rows]  # nobody is its own
    return top_k(vectors[rows], vectors, 10, measure=measure, exclude=own)[0]


lists = {
    "dot product": ten_neighbours(columns, ordinary, "dot"),
    "cosine": ten_neighbours(columns, ordinary, "cosine"),
    "Euclid": ten_neighbours(columns, ordinary, "euclidean"),
}
of_neighbours = pd.DataFrame(
    {name: popularity[ids].mean(1) for name, ids in lists.items()}
)

# %% tags=["hide-input"]
figure, axis = plt.subplots(figsize=(6, 2.7))
as_drawn = {"orientation": "horizontal", "showfliers": False, "widths": 0.6}
axis.boxplot(of_neighbours, tick_labels=list(of_neighbours), **as_drawn)
axis.axvspan(20, 50, color="0.85", zorder=0)
axis.text(32, 3.62, "the films themselves", ha="center", fontsize=9)
axis.set(xscale="log", xlim=(0.8, 700))
axis.set_xticks([1, 10, 100, 500], [1, 10, 100, 500])
axis.set(xlabel="mean number of ratings of the ten neighbours (log scale)")
show.figure(
    figure,
    alt="Three box plots on a logarithmic axis. The neighbours of films with 20 to 50 ratings have several hundred ratings under the dot "
    "product, somewhat more than the films themselves under the cosine, and only a handful under the Euclidean distance.",
    table=of_neighbours.describe().T[["25%", "50%", "75%"]].round(1),
    caption=f"Neighbours of the {len(ordinary)} films that 20 to 50 people rated (grey band)",
)

# %% [markdown]
# So *"we use vector similarity"* says too little. For these films, the dot product recommends blockbusters and Euclid films that hardly
# anybody saw; the cosine changes the popularity least, counted as a factor. None of them is wrong, and clicks may even reward
# the dot product's taste for the popular. Only know which one you chose.
#
# ### Exercise 02.3
#
# Predict, then measure if you like. Somebody multiplies vectors by positive numbers before the search. For which measures can a user's *ranking of the
# items* change? Give a set out of `"cosine"`, `"dot"`, `"euclidean"` for each of the three cases; `set()` is the empty one.

# %% tags=["exercise"]
can_change = {
    "each item by a number of its own": ...,
    "all items by the same number": ...,
    "the user": ...,
}

learn.check("02.3", can_change)

# %% [markdown] tags=["solution"]
# <details>
# <summary>Show a solution</summary>
#
# The cosine divides by both lengths, so it never changes. A common factor multiplies all dot products alike. A distance changes whenever a tip moves.
#
# ```python
# can_change = {
#     "each item by a number of its own": {"dot", "euclidean"},
#     "all items by the same number": {"euclidean"},
#     "the user": {"euclidean"},
# }
# ```
#
# </details>

# %% [markdown]
# ## 6 · The documents' code, run
#
# ### A loss is not a similarity
#
# D1 §5.2 ranks items with `tf.keras.losses.cosine_similarity`. TensorFlow documents this function as a **loss** (损失): something to *minimise*, so
# it is the *negative* cosine. No TensorFlow is needed to see what it recommends to somebody who likes Toy Story; its formula is one line.


# %%
def keras_cosine_loss(y_true, y_pred):
    """What tf.keras.losses.cosine_similarity computes, along the last axis."""
    return -(normalize(y_true) * normalize(y_pred)).sum(-1)


loss = keras_cosine_loss(film_vectors[[toy_story]], film_vectors)
largest = np.argsort(-loss, kind="stable")[:5]  # a top-k of this number
rank_of_itself = int((loss > loss[toy_story]).sum()) + 1
similarity = cosine(film_vectors[[toy_story]], film_vectors)[0]
assert np.allclose(loss, -similarity, atol=1e-5)
titles[largest].tolist()

# %% tags=["hide-input"]
learn.verdict(
    "D1-19",
    "corrected",
    "The function returns minus the cosine, so its top-k are the least similar items: the query film itself comes last, at place {place} of {films}. "
    "Use the dot product of normalised vectors, or minus the loss.",
    numbers={"place": rank_of_itself, "films": len(titles)},
    data=[interactions.name],
    scale=scale,
)

# %% [markdown]
# ### Three errors in a few lines of PyTorch
#
# The PyTorch version takes the cosine of a user and a *Python list* of item vectors along `dim=1`, keeps column 0, turns the result into a list, and asks
# `torch.topk` for the best. We go as far as it lets us. First error: a list has no cosine.

# %%
user_vector = torch.tensor(film_vectors[toy_story])
item_list = [torch.tensor(v) for v in film_vectors]  # one tensor an item

with learn.fails(TypeError):
    torch.cosine_similarity(user_vector, item_list, dim=1)

# %% [markdown]
# Stack the list into a matrix and give the user a row of its own; now PyTorch broadcasts (it repeats the user's row for every item). Second error:
# the result has **one** number per item, so there is no column 0 to take.

# %%
stacked = torch.stack(item_list)
similarities = torch.cosine_similarity(user_vector[None], stacked, dim=1)
print("shape:", tuple(similarities.shape))

with learn.fails(IndexError):
    similarities[:, 0]

# %% [markdown]
# It can be worse. Had each vector kept the batch row that an encoder returns, shape `[1, 384]`, the line would have **run**, and compared along an
# axis of length 1. A vector of one number can only point forwards or backwards:

# %%
batched = torch.stack([vector[None] for vector in item_list])
silent = torch.cosine_similarity(user_vector[None], batched, dim=1)[:, 0]
print("values:", sorted(set(silent.round().tolist())))

# %% [markdown]
# Nothing but signs, and no error message. Now leave the column out. Third error: `tolist()` made a Python list, and `torch.topk` wants a tensor.
# Without it, the cosines stay a tensor, and the answer is that of section 1.

# %%
with learn.fails(TypeError):
    torch.topk(similarities.tolist(), k=6)  # no ties: it fails

repaired = torch.topk(similarities, k=6)  # no ties: asserted
assert repaired.indices.tolist() == best.tolist()

# %% tags=["hide-input"]
learn.verdict(
    "D1-20",
    "corrected",
    "The code fails three times: a list where a tensor must be, a second dimension that does not exist, and a list where topk wants a tensor. "
    "Stacked into a matrix it gives the same ids as course_lib.",
    data=[interactions.name],
    scale=scale,
)

# %% [markdown]
# ## 7 · What high dimension does
#
# ### Random arrows are orthogonal
#
# Take two independent random unit vectors $\hat u,\hat v$ in $d$ dimensions. Turn the coordinate system so that $\hat v$ is the first axis: the cosine is
# then just the first coordinate of $\hat u$. The $d$ squared coordinates add up to 1 and none is special, so each has mean $1/d$:
#
# $$\mathbb E[\cos\theta]=0\ \text{ (}\hat u\text{ and }-\hat u\text{ are equally likely)},\qquad\operatorname{Var}[\cos\theta]=\frac1d .$$
#
# In 2 dimensions anything can happen; in 384 nearly every pair of random directions is nearly orthogonal (正交).

# %%
dimensions = [2, 7, 32, 384]
random_cosines = {
    d: cosine_similarity(*rng.normal(size=(2, 400, d))).ravel()
    for d in dimensions
}

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 4, figsize=(8, 2.1), sharex=True)
for axis, d in zip(axes, dimensions, strict=True):
    axis.hist(random_cosines[d], np.linspace(-1, 1, 61))
    axis.set(title=f"d = {d}", yticks=[], xticks=[-1, 0, 1])
figure.supxlabel("cosine of two random vectors", fontsize=10)
spreads = [random_cosines[d].std() for d in dimensions]
table = pd.DataFrame({"standard deviation, measured": spreads}, dimensions)
table["1/√d"] = np.power(dimensions, -0.5)
show.figure(
    figure,
    alt="Four histograms of cosines between random vectors: in 2 dimensions they pile up at minus 1 and plus 1, in 7 they form a broad hill, "
    "in 32 a narrow one, in 384 a spike at zero.",
    table=table.rename_axis("d").round(3),
    caption="Concentration: the spread of the cosine shrinks like one over the root of the dimension.",
)

# %% [markdown] quoted="95%" reason="the question of the exercise"
# ### Exercise 02.4
#
# How many dimensions does it take, at least, until 95 % of random pairs have a cosine between −w and w? Write `dimensions_for(w)`, a whole number.
# Use the normal approximation (95 % of a bell curve lie within 1.96 standard deviations), and try it with w = 0.1.

# %% tags=["exercise"]
dimensions_for = ...

learn.check("02.4", dimensions_for)

# %% [markdown] tags=["solution"]
# <details>
# <summary>Show a solution</summary>
#
# The cosine of two random vectors has a standard deviation of 1/√d, so 1.96/√d ≤ w.
#
# ```python
# def dimensions_for(w):
#     return int(np.ceil((1.96 / w) ** 2))
#
#
# dimensions_for(0.1)
# ```
#
# </details>

# %% [markdown]
# ### Real vectors are not random
#
# The film vectors have 384 dimensions, too. If they used them evenly, their cosines would spread by about $1/\sqrt{384}$ around 0. Do they?

# %%
pairs = np.triu_indices(len(film_vectors), k=1)  # every pair once
film_cosines = cosine(film_vectors, film_vectors)[pairs]
centre = film_vectors.mean(0)
centred = film_vectors - centre
spread = cosine(centred, centred)[pairs].std()

# %% tags=["hide-input"]
show.say(
    "Two films picked at random have a mean cosine of **{mean}** (95 % of pairs between {low} and {high}), not 0. "
    "With the common mean removed, the standard deviation is {spread}, as large as for random vectors in only **{d} dimensions**.",
    mean=film_cosines.mean(),
    low=np.percentile(film_cosines, 2.5),
    high=np.percentile(film_cosines, 97.5),
    spread=spread,
    d=round(1 / spread**2),
)
turns = np.radians([18, 27, 33, 40, 47, 52, 60, 66, 74])
cone = np.column_stack([np.cos(turns), np.sin(turns)])
figure, axes = plt.subplots(1, 2, figsize=(6.4, 2.6))
stages = {"as encoded": cone, "mean removed": cone - cone.mean(0)}
for axis, (name, tips) in zip(axes, stages.items(), strict=True):
    draw_arrows(axis, tips)
    axis.plot(*tips.mean(0), "o", color=show.PALETTE[1], zorder=3)
    reach = 1.1 * np.abs(tips).max() * np.array([-1, 1])
    axis.set(xlim=reach, ylim=reach, xticks=[], yticks=[])
    alike_now = cosine(tips, tips)[np.triu_indices(len(tips), 1)].mean()
    axis.set(title=f"{name}: mean cosine {alike_now + 0:.2f}")
show.figure(
    figure,
    alt="A sketch. Left: nine arrows from the origin form a narrow cone, all to the upper right, around their mean. "
    "Right: with the mean subtracted, the same nine arrows point in all directions, mostly along one line.",
    caption="A sketch in two dimensions: vectors in a cone look alike only because they share a centre (the dot).",
)

# %% [markdown]
# Two lessons. The zero point has moved: for this encoder and these texts, *unrelated* means the mean above and not 0; a threshold carried over from
# another space says little: all vectors lean towards one common direction, which chapter 04 calls anisotropy (各向异性). And they use their directions very unevenly.
#
# ### Hubs: the neighbours of everybody
#
# Ask for the ten nearest neighbours of each film and count how often each film is named, $N_{10}$. The average is 10, because each film names ten. But the
# counts can be very uneven: a few **hubs** (枢纽点) stand in very many lists, and other films in none [Radovanović et al. 2010].


# %% tags=["algorithm"]
def times_named(vectors, k=10):
    """How often each row is among the k nearest of the other rows."""
    rows = vectors.astype("float64")
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    cosines = (unit @ unit.T).astype("float32")
    np.fill_diagonal(cosines, -np.inf)  # nobody names itself
    nearest = np.argsort(-cosines, axis=1, kind="stable")[:, :k]
    return np.bincount(nearest.ravel(), minlength=len(vectors))


# %% [markdown]
# Hubs are often blamed on high dimension. We ask: random points by angle, in 3 and in 384 dimensions; those in 384 also by distance; then our films. The
# skewness (偏度) of $N_{10}$ measures how uneven the counts are: near 0 there is no long tail, above 1 a few stand far out.

# %%
n = len(film_vectors)
points = {d: rng.normal(size=(n, d)) for d in (3, 384)}
by_euclid = ten_neighbours(points[384], np.arange(n), "euclidean")
counts = {
    "random, d = 3": times_named(points[3]),
    "random, d = 384": times_named(points[384]),
    "random, d = 384, Euclid": np.bincount(by_euclid.ravel(), minlength=n),
    "films": times_named(film_vectors),
    "films, mean removed": times_named(centred),
}
library = ten_neighbours(film_vectors, np.arange(n), "cosine")
assert (np.bincount(library.ravel(), minlength=n) == counts["films"]).all()

# %%
skewness = {}
for name, values in counts.items():
    drawn_again = rng.choice(values, (1_000, n))  # a bootstrap of the items
    bounds = np.percentile(skew(drawn_again, axis=1), [2.5, 97.5])
    skewness[name] = skew(values), bounds
never = {name: (values == 0).mean() for name, values in counts.items()}

# %% tags=["hide-input"]
hubness = pd.DataFrame(
    {
        "skewness": [show.interval(*found) for found in skewness.values()],
        "most often named": pd.DataFrame(counts).max(),
        "never named": [f"{part:.1%}" for part in never.values()],
    }
)
show.table(
    hubness,
    caption="Hubness of ten-nearest-neighbour lists, with 95 % bootstrap intervals",
)

# %% [markdown]
# A surprise: the same 384-dimensional points make strong hubs by distance and hardly any by angle. High dimension alone does not do it; it needs a centre, too. By distance,
# a point that is only a little nearer to the centre than the rest is a little nearer to everybody, and where all distances are almost equal, this little decides; random *directions* have no centre. Our films
# are compared by angle, but they do have one: the direction that they share. If this is the cause, nearness to it must predict how often a film is named.

# %%
nearness = cosine(film_vectors, centre[None])[:, 0]
rank_correlation = spearmanr(nearness, counts["films"]).statistic

# %% tags=["hide-input"]
hubs = np.argsort(-counts["films"], kind="stable")[:5]
figure, axis = plt.subplots(figsize=(6, 3))
axis.plot(nearness, counts["films"], ".", alpha=0.3)
axis.plot(nearness[hubs], counts["films"][hubs], "o", color=show.PALETTE[1])
axis.set(xlabel="cosine of the film with the centre of all films")
axis.set(ylabel="lists that name it")
show.figure(
    figure,
    alt="A cloud of points, one a film. Films far from the centre are hardly ever named; only films near it are named often, and the five hubs, marked, are among the nearest.",
    table=pd.DataFrame(
        {
            "hub": titles[hubs],
            "lists": counts["films"][hubs],
            "cosine with the centre": nearness[hubs],
        },
        range(1, 6),
    ),
    caption=f"The five most often named films, marked above (median cosine with the centre over all films: {np.median(nearness):.3f})",
)
show.say(
    "Rank correlation between nearness to the centre and $N_{10}$: **{correlation}**.",
    correlation=show.number(rank_correlation, 2),
)

# %% [markdown]
# Hubs lie near the middle of the cloud, which says nothing about how good a film is. The last row of the table of hubness agrees: with the mean removed, the same films
# have fewer hubs, and fewer films are never named (some skewness is left, so it is not the whole story). A film that is in nobody's list is not found through
# any list of ten neighbours, however good it is: a cost of retrieval by similarity that no document mentions. Whether removing the mean also improves the
# recommendations is another question; chapter 04 answers it.

# %% [markdown]
# ## 8 · From loop to matrix to index
#
# D2 §5.2 computes one cosine at a time, in a Python loop. The same numbers come from one matrix product, and the same films from an index of FAISS.

# %%
queries = film_vectors[:20]
by_loop = [
    [q @ v / (np.linalg.norm(q) * np.linalg.norm(v)) for v in film_vectors]
    for q in queries
]
assert np.allclose(by_loop, cosine(queries, film_vectors), atol=1e-5)
exact, _ = top_k(queries, film_vectors, 10)
flat, _ = top_k(queries, film_vectors, 10, method="faiss_flat")
assert (exact == flat).all()

# %% [markdown]
# Times differ from run to run, so they are measured apart (`python course.py benchmark topk`), stored, and read here.

# %% tags=["hide-input"]
measured = show.measurement("topk")
peers = pd.DataFrame(measured["peers"]).T
peers = peers.sort_values("queries_per_second", kind="stable")
speeds = peers["queries_per_second"].astype(float)
factors = (speeds / speeds.iloc[0]).rename("times the slowest")
show.table(
    pd.concat([speeds.rename("queries per second"), factors], axis=1),
    caption=f"Measured on {measured['date']}: {measured['processor']}, {measured['threads']} threads; "
    f"top {measured['k']} of {measured['items']:,} vectors in {measured['dimensions']} dimensions",
)
show.say(
    "From {slowest} to {fastest}: a factor of **{factor}**. The first step away from the loop alone gives {first}.",
    slowest=speeds.index[0],
    fastest=speeds.index[-1],
    factor=round(factors.iloc[-1]),
    first=round(factors.iloc[1]),
)

# %% [markdown]
# ## In three lines
#
# - The cosine compares directions: divide by both lengths, and dot product, cosine and distance rank alike. Leave the lengths in, and they decide; in data of who rated what, a long vector is a popular film.
# - A cosine means something only beside what *unrelated* pairs score in the same space. Positive numbers and a shared centre move that zero; the number of directions that are really used sets the spread around it.
# - A wrong sign or a wrong axis ranks without an error message. Search for a vector that is in the catalogue: by cosine, it must find itself first.
#
# ## Five questions
#
# Write a letter in place of `...` and run the cell. Which letter is right follows from what this lesson measured.

# %% tags=["quiz"]
learn.quiz(
    "02",
    q1=...,
    q2=...,
    q3=...,
    q4=...,
    q5=...,
    found={
        "strangers_as_high": as_high["positive"],
        "factor": of_neighbours["dot product"].median()
        / np.median(popularity[ordinary]),
        "place": rank_of_itself,
        "films": len(titles),
        "hubs_by_angle": skewness["random, d = 384"][0],
        "hubs_by_distance": skewness["random, d = 384, Euclid"][0],
        "never": never["films"],
        "never_centred": never["films, mean removed"],
    },
)

# %% [markdown]
# ## What to read
#
# - M. Radovanović, A. Nanopoulos, M. Ivanović: *Hubs in Space: Popular Nearest Neighbors in High-Dimensional Data*. Journal of Machine Learning Research 11 (2010), 2487–2531. Where the hubs come from.
# - H. Steck, C. Ekanadham, N. Kallus: *Is Cosine-Similarity of Embeddings Really About Similarity?* arXiv:2403.05440 (2024). Why the cosine of *learned* vectors can be arbitrary; read it after chapter 05.
# - TensorFlow's own page on `tf.keras.losses.cosine_similarity`: it gives the minus sign in its first formula.
#
# Chapter 04 makes the vectors.
