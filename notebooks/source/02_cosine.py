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
# After this chapter you will be able to
#
# - derive the cosine from the law of cosines, and prove that it lies between −1 and 1;
# - say when cosine, dot product and Euclidean distance give **the same** ranking, and what each of them prefers when they do not;
# - recognise four errors around the cosine in published code, and write the one line that is right;
# - judge whether a cosine of 0.89 is *high* (often it is not);
# - search a catalogue by cosine quickly, and know what high dimension does to the result.
#
# You need: vectors and the dot product from school; Python with numpy. About 80 minutes.

# %% [markdown]
# ## The documents say
#
# D1 ranks items by the cosine between a user vector and an item vector, D2 by the cosine between a query and an item; D4 uses the plain dot product.
# Here is what D1 states about it, in our words.
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
import torch
from IPython import get_ipython
from scipy.stats import skew, spearmanr
from sklearn.metrics.pairwise import cosine_similarity

from course_lib import learn, show
from course_lib.data import load_movielens
from course_lib.encode import TextEncoder
from course_lib.similarity import cosine, euclidean, normalize, top_k

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
viewers

# %% tags=["hide-input"]
figure, axis = plt.subplots(figsize=(4.6, 3.6))
for name, colour, width in [
    ("Bo", show.PALETTE[1], 2),
    ("Ana", show.PALETTE[0], 5),
    ("Chen", show.PALETTE[2], 2),
]:
    x, y = viewers.loc[name]
    axis.annotate(
        "",
        (x, y),
        (0, 0),
        arrowprops={
            "arrowstyle": "-|>",
            "color": colour,
            "lw": width,
            "shrinkA": 0,
            "shrinkB": 0,
        },
    )
    axis.text(x + 0.15, y - 0.3, name, color=colour)
axis.set(
    xlim=(0, 7.2),
    ylim=(0, 4.6),
    aspect="equal",
    xlabel="action films watched",
    ylabel="love stories watched",
)
lengths = np.linalg.norm(viewers, axis=1)
show.figure(
    figure,
    alt="Three arrows from the origin. Ana and Bo point in the same direction, Bo's arrow is three times as long; "
    "Chen's arrow points much more steeply, towards love stories.",
    table=viewers.assign(
        length=lengths,
        angle_degrees=np.degrees(np.arctan2(viewers.romance, viewers.action)),
    ),
    caption="Ana and Bo share a taste; Bo only watches more.",
)

# %% [markdown]
# Who is most like Ana? By the distance between arrow tips it is Chen. By direction it is Bo: the same taste, three times the
# appetite. For retrieval we usually want the second answer, so we measure the **angle** (夹角) between the arrows
# and ignore their length.

# %%
pd.DataFrame(
    {
        "distance to Ana": euclidean(
            viewers.loc[["Ana"]].to_numpy(), viewers.to_numpy()
        )[0],
        "cosine with Ana": cosine(
            viewers.loc[["Ana"]].to_numpy(), viewers.to_numpy()
        )[0],
    },
    index=viewers.index,
).round(3)

# %% [markdown]
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
# Both right sides are equal, so the two last terms are:
#
# $$\boxed{\;\cos\theta=\frac{u^\top v}{\|u\|\,\|v\|}\;}$$
#
# Two vectors span a plane in any number of dimensions, also in 384; the triangle lies in that plane, and the formula holds there.

# %% [markdown]
# ### Why it stays between −1 and 1
#
# Divide each vector by its length: $\hat u=u/\|u\|$, $\hat v=v/\|v\|$. Squared lengths cannot be negative, so
#
# $$0\le\|\hat u-\hat v\|^2=2-2\cos\theta\quad\Rightarrow\quad\cos\theta\le 1,$$
#
# $$0\le\|\hat u+\hat v\|^2=2+2\cos\theta\quad\Rightarrow\quad\cos\theta\ge-1 .$$
#
# The first line will be useful later: **on unit vectors, Euclidean distance is a function of the cosine.**
# Mathematics promises the bounds; let us see what floating point makes of them.

# %%
a, b = rng.normal(size=(2, 100_000, 7))
cos = (a * b).sum(1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))
gap = np.abs(((normalize(a) - normalize(b)) ** 2).sum(1) - (2 - 2 * cos)).max()
assert np.abs(cos).max() <= 1 and gap < 1e-5

c = 3 * a  # exactly parallel to a
parallel = (a * c).sum(1) / (
    np.linalg.norm(a, axis=1) * np.linalg.norm(c, axis=1)
)
show.say(
    f"100,000 random pairs: the cosines run from {cos.min():.3f} to {cos.max():.3f}, and the identity "
    "$\\|\\hat u-\\hat v\\|^2=2-2\\cos\\theta$ holds to five decimals for every one of them."
)
show.say(
    f"100,000 *parallel* pairs, whose cosine is 1: in floating point {'some' if (parallel > 1).any() else 'none'} of them come out "
    "above 1, by less than $10^{-14}$. Clip to [−1, 1] before you take an arccosine."
)
assert np.abs(parallel - 1).max() < 1e-14

# %% [markdown]
# ### Turn the arrow yourself
#
# In JupyterLab the next cell gives you a slider: move it and watch the cosine. The curve below it shows all positions at once.


# %%
def turn(degrees=60):
    v = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    figure, axis = plt.subplots(figsize=(2.6, 2.6))
    axis.quiver(
        [0, 0],
        [0, 0],
        [1, v[0]],
        [0, v[1]],
        color=show.PALETTE[:2],
        angles="xy",
        scale_units="xy",
        scale=1,
    )
    axis.set(
        xlim=(-1.2, 1.2),
        ylim=(-1.2, 1.2),
        aspect="equal",
        title=f"cos {degrees}° = {v[0]:.3f}",
    )
    show.figure(
        figure,
        alt=f"Two unit arrows from the origin, {degrees} degrees apart; their cosine is {v[0]:.3f}.",
    )


learn.slider(turn, degrees=(0, 180, 5))

# %% tags=["hide-input"]
degrees = np.linspace(0, 180, 181)
marks = pd.DataFrame({"angle (degrees)": [0, 30, 60, 90, 120, 180]})
marks["cosine"] = np.cos(np.radians(marks["angle (degrees)"])).round(3) + 0.0
figure, axis = plt.subplots(figsize=(5, 2.8))
axis.plot(degrees, np.cos(np.radians(degrees)), color=show.PALETTE[0])
axis.plot(marks["angle (degrees)"], marks["cosine"], "o", color=show.PALETTE[1])
axis.axhline(0, color="0.7", lw=0.8)
axis.set(xlabel="angle (degrees)", ylabel="cosine", xticks=range(0, 181, 30))
show.figure(
    figure,
    alt="The cosine falls from 1 at 0 degrees through 0 at 90 degrees to minus 1 at 180 degrees, slowly near both ends "
    "and quickly in the middle.",
    table=marks,
    caption="The curve is flat near 0°: small angles all look like 'almost 1'.",
)

# %% [markdown]
# ## 2 · The documents' example, computed
#
# Document D1 (§4.3) lists seven numbers for a user who viewed and bought some goods, seven for one product, writes the fraction
# out, and stops. (The root in its denominator also lacks a closing bracket.) Let us finish, first with pencil and paper.

# %%
user = np.array([0.8, 0.5, 0.2, 0.9, 0.1, 0.3, 0.7])
item = np.array([0.4, 0.9, 0.5, 0.7, 0.3, 0.2, 0.8])

pencil = pd.DataFrame(
    {"u": user, "v": item, "u·v": user * item, "u²": user**2, "v²": item**2},
    index=range(1, 8),
)
pencil.loc["sum"] = pencil.sum()
pencil.loc["sum", ["u", "v"]] = np.nan  # nobody needs these two
show.table(pencil, caption="The columns of the hand computation")

# %% [markdown]
# So
#
# $$\cos\theta=\frac{2.15}{\sqrt{2.33\times2.48}}=\frac{2.15}{\sqrt{5.7784}}=\frac{2.15}{2.4038}=0.8944 .$$
#
# Now in code: one line of numpy, then everything else that claims to compute a cosine. They must agree.

# %%
by_hand = user @ item / np.sqrt((user @ user) * (item @ item))
sums = user @ item, user @ user, item @ item
assert np.allclose(sums, [2.15, 2.33, 2.48], rtol=0, atol=1e-9)
assert np.isclose(sums[1] * sums[2], 5.7784, rtol=0, atol=1e-9)
assert round(np.sqrt(sums[1] * sums[2]), 4) == 2.4038
assert round(by_hand, 4) == 0.8944 and round(by_hand, 2) == 0.89

u32, v32 = user[None].astype("float32"), item[None].astype("float32")
index = faiss.IndexFlatIP(7)  # inner products ...
index.add(normalize(v32))  # ... of unit vectors are cosines
answers = pd.Series(
    {
        "numpy, by the formula": by_hand,
        "torch": torch.cosine_similarity(
            torch.tensor(user), torch.tensor(item), dim=0
        ).item(),
        "scikit-learn": cosine_similarity(user[None], item[None]).item(),
        "FAISS": index.search(normalize(u32), 1)[0].item(),
        "course_lib": cosine(u32, v32).item(),
    },
    name="cosine",
)
assert np.allclose(answers, by_hand, rtol=0, atol=1e-6)
answers.round(4).to_frame()

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
strangers = cosine_similarity(
    rng.uniform(size=(2_000, 7)), rng.uniform(size=(2_000, 7))
).ravel()
with_signs = cosine_similarity(
    rng.normal(size=(2_000, 7)), rng.normal(size=(2_000, 7))
).ravel()
share = (strangers >= by_hand).mean()

# %% tags=["hide-input"]
figure, axis = plt.subplots(figsize=(6, 2.9))
bins = np.linspace(-1, 1, 81)
axis.hist(
    with_signs,
    bins,
    density=True,
    color=show.PALETTE[0],
    alpha=0.6,
    label="numbers of both signs",
)
axis.hist(
    strangers,
    bins,
    density=True,
    color=show.PALETTE[1],
    alpha=0.6,
    label="positive numbers only",
)
axis.axvline(by_hand, color="black", lw=1.5)
axis.annotate(
    "the example",
    (by_hand, axis.get_ylim()[1] * 0.86),
    (0.12, axis.get_ylim()[1] * 0.86),
    arrowprops={"arrowstyle": "->"},
)
axis.set(xlabel="cosine of two random 7-dimensional vectors", ylabel="density")
axis.legend(loc="upper left")
show.figure(
    figure,
    alt="Two histograms. Random vectors with both signs spread around zero. Random positive vectors pile up far to the right of it, "
    "and the document's example lies on the right shoulder of that pile, inside it.",
    table=pd.DataFrame(
        {
            "mean": [with_signs.mean(), strangers.mean()],
            "standard deviation": [with_signs.std(), strangers.std()],
            "share at or above the example": [
                (with_signs >= by_hand).mean(),
                share,
            ],
        },
        index=["both signs", "positive only"],
    ).round(3),
    caption="The same value is remarkable in one space and ordinary in another.",
)

# %%
show.say(
    f"Of all pairs of vectors with random entries between 0 and 1, **{share:.0%} score at least as high** as the documents' match. "
    "A cosine has no meaning by itself: compare it with what *unrelated* pairs score in the same space."
)

# %% [markdown]
# ## 3 · Do the numbers know their scenario?
#
# D1 §6 presents three scenarios, a shop, a newspaper and a social network, and writes the same fraction, of the same fourteen numbers, under each of them. The formula
# does not mind. It does not even mind if we shuffle the seven positions, as long as we do it to both vectors:

# %%
shuffle = rng.permutation(7)
assert np.isclose(
    cosine_similarity(user[None, shuffle], item[None, shuffle]).item(), by_hand
)
show.say(
    f"Positions shuffled to {list(map(int, shuffle + 1))}: the cosine is still {by_hand:.4f}."
)

# %% [markdown]
# What makes a scenario is **where the vectors come from**. Here are two real ones on MovieLens. First, goods in a shop: each film
# stands in for a product (prices and stock are missing, as chapter 01 says); its vector is what a sentence encoder makes of title and genres (chapter 04 opens that box).

# %%
interactions, catalogue = load_movielens(scale)
encoder = TextEncoder("minilm")
film_vectors = encoder.encode(catalogue.describe("title", "genres"))
titles = np.array(catalogue.titles)
film_vectors.shape


# %%
def neighbours(film, vectors, measure, k=5):
    """Titles of the k films most similar to `film`, itself left out."""
    ids, _ = top_k(vectors[[film]], vectors, k + 1, measure=measure)
    return [titles[i] for i in ids[0] if i != film][:k]


toy_story = int(np.flatnonzero(titles == "Toy Story")[0])
show.table(
    pd.DataFrame(
        {
            "most similar to Toy Story, by text": neighbours(
                toy_story, film_vectors, "cosine"
            )
        },
        index=range(1, 6),
    )
)

# %% [markdown]
# Second, a social network: each *person* is described by the films they rated; two people are close if they saw the same things. No text,
# no product, the same formula.

# %%
people = interactions.matrix
alike = cosine_similarity(people, dense_output=True).astype("float32")
np.fill_diagonal(alike, -1)
first, second = np.unravel_index(alike.argmax(), alike.shape)
show.table(
    [
        {
            "rated by the first": int(people[[first]].sum()),
            "rated by the second": int(people[[second]].sum()),
            "rated by both": int(
                people[[first]].multiply(people[[second]]).sum()
            ),
            "cosine": alike[first, second],
        }
    ],
    caption="The two most similar people: films they rated",
)

# %% tags=["hide-input"]
learn.verdict(
    "D1-24",
    "taught",
    "Fourteen numbers without a source stand for nothing: shuffled, they give the same {same}. Real vectors in the form of a shop (film texts as products) and of "
    "a social network (films rated by both; closest pair: {pair}) are above. Chapter 04 shows the newspaper.",
    numbers={
        "same": show.number(by_hand, 4),
        "pair": float(alike[first, second]),
    },
    data=[interactions.name],
    scale=scale,
    waits_for="encoding",
)

# %% [markdown]
# ## 4 · Cosine, dot product, Euclid: what does each prefer?
#
# On unit vectors all three give the same order, because $\|\hat u-\hat v\|^2=2-2\,\hat u^\top\hat v$. Without normalising they do not. Put
# $r=\|v\|$ for the length of a candidate and keep the angle fixed:
#
# - the **dot product** $\|u\|\,r\cos\theta$ grows with $r$ as long as $\cos\theta>0$: it prefers long vectors;
# - the **Euclidean distance** $\sqrt{\|u\|^2+r^2-2\|u\|r\cos\theta}$ is smallest at $r=\|u\|\cos\theta$, so it avoids vectors that are longer than the
#   query, and when nothing points the same way ($\cos\theta\approx0$) it prefers the shortest;
# - the **cosine** does not see $r$.
#
# Does it matter on real data? Describe each film by its column of the rating matrix: 1 for each person who rated it. The squared length
# of a column is then *the number of people who rated the film*. Length **is** popularity (流行度).

# %%
columns = interactions.matrix.T.toarray().astype("float32")
popularity = columns.sum(1)
assert np.allclose(np.linalg.norm(columns, axis=1) ** 2, popularity)

toy = {
    measure: neighbours(toy_story, columns, measure)
    for measure in ["dot", "cosine", "euclidean"]
}
show.table(
    pd.DataFrame(toy, index=range(1, 6)),
    caption="Most similar to Toy Story by who rated it",
)

# %% [markdown]
# Toy Story is itself popular, so the three lists have something in common. The preference shows on films of ordinary popularity.
# We take all films that 20 to 50 people rated, and look at how popular their ten neighbours are.

# %%
ordinary = np.flatnonzero((popularity >= 20) & (popularity <= 50))
lists = {}
for measure in ["dot", "cosine", "euclidean"]:
    ids, _ = top_k(columns[ordinary], columns, 11, measure=measure)
    lists[measure] = [
        [i for i in row if i != film][:10]
        for film, row in zip(ordinary, ids, strict=True)
    ]
neighbour_popularity = {
    measure: popularity[np.array(rows)].mean(1)
    for measure, rows in lists.items()
}

# %% tags=["hide-input"]
figure, axis = plt.subplots(figsize=(6, 2.7))
names = ["dot product", "cosine", "Euclidean"]
box = axis.boxplot(
    list(neighbour_popularity.values()),
    orientation="horizontal",
    patch_artist=True,
    showfliers=False,
    widths=0.6,
    tick_labels=names,
)
for patch, colour in zip(box["boxes"], show.PALETTE, strict=False):
    patch.set(facecolor=colour, alpha=0.6)
axis.axvspan(20, 50, color="0.85", zorder=0)
axis.text(35, 3.62, "the films themselves", ha="center", fontsize=9)
axis.set(
    xscale="log",
    xlim=(0.8, 700),
    xlabel="mean number of ratings of the ten neighbours",
    xticks=[1, 10, 100, 500],
)
axis.set_xticklabels([1, 10, 100, 500])
show.figure(
    figure,
    alt="Three box plots on a logarithmic axis. The neighbours of films with 20 to 50 ratings have several hundred ratings under the dot "
    "product, somewhat more than the films themselves under the cosine, and only a handful under the Euclidean distance.",
    table=pd.DataFrame(
        {
            name: np.percentile(values, [25, 50, 75])
            for name, values in zip(
                names, neighbour_popularity.values(), strict=True
            )
        },
        index=["lower quartile", "median", "upper quartile"],
    )
    .round(1)
    .T,
    caption=f"Neighbours of the {len(ordinary)} films that 20 to 50 people rated (grey band).",
)

# %%
overlap = np.mean(
    [
        len(set(a) & set(b)) / 10
        for a, b in zip(lists["dot"], lists["euclidean"], strict=True)
    ]
)
unit = normalize(columns)
by_dot, dots = top_k(unit[ordinary], unit, 11, measure="dot")
by_distance, distances = top_k(unit[ordinary], unit, 11, measure="euclidean")
agree = (by_dot == by_distance).all(1).mean()
assert np.allclose(distances**2, 2 - 2 * dots, atol=1e-5)
# where the lists differ, the two films at that place are equally similar
swapped = cosine(columns[ordinary], columns)
at_place = [
    np.take_along_axis(swapped, ids, axis=1) for ids in (by_dot, by_distance)
]
assert np.allclose(*at_place, atol=1e-6)
show.say(
    f"The lists by dot product and by Euclid share {overlap:.1%} of their films. After normalising each column, {agree:.1%} of the lists are "
    "identical, place by place; in the others two films are tied, and rounding decides which comes first."
)

# %% [markdown]
# So *"we use vector similarity"* is not yet a specification. For these films, the dot product recommends blockbusters and Euclid films that hardly
# anybody saw; the cosine changes the popularity least, counted as a factor. None of them is wrong; a retrieval stage that is judged by clicks may even want
# the dot product's taste for the popular (chapter 05 learns how much of it). Only know which one you chose.

# %% [markdown]
# ## 5 · The documents' code, run
#
# ### A loss is not a similarity
#
# D1 §5.2 ranks items with `tf.keras.losses.cosine_similarity`. TensorFlow documents this function as a **loss**: something to *minimise*, so
# it is the *negative* cosine. No TensorFlow is needed to see what follows; its formula is one line.


# %%
def keras_cosine_loss(y_true, y_pred):
    """What tf.keras.losses.cosine_similarity computes: minus the cosine, along the last axis."""
    return -(normalize(y_true) * normalize(y_pred)).sum(-1)


loss = keras_cosine_loss(film_vectors[[toy_story]], film_vectors)
largest = np.argsort(-loss, kind="stable")[
    :5
]  # what a top-k of this number returns
show.table(
    pd.DataFrame(
        {
            "what the document's code recommends": titles[largest],
            "its 'similarity'": loss[largest].round(3),
        },
        index=range(1, 6),
    ),
    caption="To somebody who likes Toy Story",
)

# %%
assert np.allclose(
    loss, -cosine(film_vectors[[toy_story]], film_vectors)[0], atol=1e-5
)
rank_of_itself = int((loss > loss[toy_story]).sum()) + 1
show.say(
    f"Toy Story itself comes out at place {rank_of_itself:,} of {len(titles):,}: the list is upside down."
)
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
# `torch.topk` for the best. Let us go as far as it lets us. First error: a list has no cosine.

# %%
user_vector = torch.tensor(film_vectors[toy_story])
item_list = [
    torch.tensor(v) for v in film_vectors
]  # one tensor an item, in a list

with learn.fails(TypeError):
    torch.cosine_similarity(user_vector, item_list, dim=1)

# %% [markdown]
# Stack the list into a matrix and give the user a row of its own; now PyTorch broadcasts. Second error: the result has **one** number per item, so
# there is no column 0 to take.

# %%
similarities = torch.cosine_similarity(
    user_vector[None], torch.stack(item_list), dim=1
)
print("shape:", tuple(similarities.shape))

with learn.fails(IndexError):
    similarities[:, 0]

# %% [markdown]
# It can be worse. Had each vector kept the batch row that an encoder returns, shape `[1, 384]`, the line would have **run**, and compared along an
# axis of length 1:

# %%
batched = [vector[None] for vector in item_list]
silent = torch.cosine_similarity(
    user_vector[None], torch.stack(batched), dim=1
)[:, 0]
print("values:", sorted(set(silent.round().tolist())))

# %% [markdown]
# Nothing but signs, and no error message. Now leave the column out. Third error: `tolist()` made a Python list, and `torch.topk` wants a tensor.

# %%
with learn.fails(TypeError):
    torch.topk(similarities.tolist(), k=5)  # no ties: it fails

# %% [markdown]
# Repaired: everything stays a matrix. For many users at once it is *one* matrix product of normalised vectors.

# %%
best = torch.topk(similarities, k=6)  # no ties: asserted below
repaired, _ = top_k(film_vectors[[toy_story]], film_vectors, 6)
assert best.indices.tolist() == repaired[0].tolist()
show.table(
    pd.DataFrame(
        {"film": titles[repaired[0]], "cosine": best.values.numpy().round(3)},
        index=range(1, 7),
    ),
    caption="The repaired line; the query film comes first, as it should",
)

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
# ## 6 · What high dimension does
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
    d: cosine_similarity(
        rng.normal(size=(400, d)), rng.normal(size=(400, d))
    ).ravel()
    for d in dimensions
}
concentration = pd.DataFrame(
    {
        "standard deviation, measured": [
            random_cosines[d].std() for d in dimensions
        ],
        "1/√d": [d**-0.5 for d in dimensions],
    },
    index=pd.Index(dimensions, name="d"),
).round(3)

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 4, figsize=(8, 2.1), sharex=True)
for axis, d, colour in zip(axes, dimensions, show.PALETTE, strict=False):
    axis.hist(random_cosines[d], np.linspace(-1, 1, 61), color=colour)
    axis.set(title=f"d = {d}", yticks=[], xticks=[-1, 0, 1])
axes[0].set_ylabel("pairs")
figure.supxlabel("cosine of two random vectors", fontsize=10)
show.figure(
    figure,
    alt="Four histograms of cosines between random vectors: in 2 dimensions they pile up at minus 1 and plus 1, in 7 they form a broad hill, "
    "in 32 a narrow one, in 384 a spike at zero.",
    table=concentration,
    caption="Concentration: the spread of the cosine shrinks like one over the root of the dimension.",
)

# %% [markdown]
# ### Real vectors are not random
#
# The film vectors have 384 dimensions too. If they used them evenly, their cosines would spread by about $1/\sqrt{384}$ around 0. Do they?

# %%
pairs = np.triu_indices(len(film_vectors), k=1)
film_cosines = cosine(film_vectors, film_vectors)[pairs]
centre = film_vectors.mean(0)
centred = film_vectors - centre
spread = cosine(centred, centred)[pairs].std()
mean, low, high = film_cosines.mean(), *np.percentile(film_cosines, [2.5, 97.5])
show.say(
    f"Two films picked at random have a mean cosine of **{mean:.3f}** (95 % of pairs between {low:.3f} and {high:.3f}), not 0. "
    f"With the common mean removed, the standard deviation is {spread:.3f}, as large as for random vectors in only **{1 / spread**2:.0f} dimensions**."
)

# %% [markdown]
# Two lessons. The zero point has moved: for this encoder and these texts, *unrelated* means the mean above and not 0, so a threshold carried over from
# another space says little (D1 §3.2 advises tuning one). And the vectors use far fewer directions than they have numbers. Chapter 04
# calls this anisotropy (各向异性) and measures it for several ways of pooling.

# %% [markdown]
# ### Hubs: the neighbours of everybody
#
# Ask for the ten nearest neighbours of each film and count how often each film is named, $N_{10}$. The average is 10 by construction. But the
# counts can be very uneven: a few **hubs** (枢纽点) stand in very many lists, and other films in none [Radovanović et al. 2010].
# The skewness (偏度) of $N_{10}$ measures it: 0 is symmetric. Hubs are often blamed on high dimension. Let us ask: random points in 3 and in 384
# dimensions, by angle and by distance, then our films.


# %%
def k_occurrences(vectors, k=10, measure="cosine"):
    """How often each row is among the k nearest of the other rows."""
    ids, _ = top_k(vectors, vectors, k + 1, measure=measure)
    others = [[i for i in row if i != own][:k] for own, row in enumerate(ids)]
    return np.bincount(np.ravel(others), minlength=len(vectors))


n = len(film_vectors)
points = {d: rng.normal(size=(n, d)) for d in (3, 384)}
counts = {
    "random, d = 3": k_occurrences(points[3]),
    "random, d = 384": k_occurrences(points[384]),
    "random, d = 384, Euclid": k_occurrences(points[384], measure="euclidean"),
    "films": k_occurrences(film_vectors),
    "films, mean removed": k_occurrences(centred),
}


# %%
def skewness_interval(values, draws=1_000):
    """Skewness with a 95 % bootstrap interval."""
    samples = rng.choice(values, (draws, len(values)))
    return skew(values), np.percentile(skew(samples, axis=1), [2.5, 97.5])


skewness = {name: skewness_interval(values) for name, values in counts.items()}

# %% tags=["hide-input"]
figure, axis = plt.subplots(figsize=(6, 2.9))
for (name, values), colour, line in zip(
    counts.items(), show.PALETTE, ["-", "--", "-.", "-", ":"], strict=False
):
    axis.plot(
        np.arange(1, n + 1),
        np.sort(values)[::-1] + 0.5,
        line,
        color=colour,
        label=name,
    )
axis.set(
    xscale="log",
    yscale="log",
    xlabel="film, from the most to the least often named",
    ylabel="$N_{10}$ + ½",
)
axis.legend()
show.figure(
    figure,
    alt="Curves of how often each item is named as a neighbour, sorted. By angle, random points in 3 and in 384 dimensions stay almost level. "
    "By distance, random points in 384 dimensions fall steeply, and so do the film vectors; films with the mean removed lie in between.",
    table=pd.DataFrame(
        {
            "skewness": [
                show.interval(value, bounds)
                for value, bounds in skewness.values()
            ],
            "most often named": [
                int(values.max()) for values in counts.values()
            ],
            "never named": [
                f"{(values == 0).mean():.1%}" for values in counts.values()
            ],
        },
        index=pd.Index(counts, name="vectors"),
    ),
    caption="Hubness of ten-nearest-neighbour lists, with 95 % bootstrap intervals.",
)

# %% [markdown]
# A surprise: the same 384-dimensional points make many hubs by distance and hardly any by angle. High dimension alone does not do it. Under the distance
# some points lie nearer to the centre of the cloud than others, and so are moderately near to everybody; random *directions* have no centre. Our films
# are compared by angle, but they do have one: the direction that they share. If this is the cause, nearness to it must predict how often a film is named.

# %%
nearness = cosine(film_vectors, centre[None])[:, 0]
rank_correlation = spearmanr(nearness, counts["films"]).statistic
hubs = np.lexsort((np.arange(n), -counts["films"]))[:5]
show.table(
    pd.DataFrame(
        {
            "hub": titles[hubs],
            "lists": counts["films"][hubs],
            "cosine with the centre": nearness[hubs],
        },
        index=range(1, 6),
    ),
    caption=f"The five most often named films (median cosine with the centre over all films: {np.median(nearness):.3f})",
)
never = {name: (values == 0).mean() for name, values in counts.items()}
show.say(
    f"Rank correlation between nearness to the centre and $N_{{10}}$: **{rank_correlation:.2f}**. Subtracting the mean vector first takes the skewness "
    f"from {skewness['films'][0]:.2f} to {skewness['films, mean removed'][0]:.2f}, and the share of films that are in nobody's list from "
    f"{never['films']:.1%} to {never['films, mean removed']:.1%}."
)

# %% [markdown]
# Hubs lie near the middle of the cloud, which says nothing about how good a film is. It is not the whole story: with the mean removed, some skewness is
# left. And a film that is in nobody's list is not found through any list of ten neighbours, however good it is. No document mentions this cost of retrieval
# by similarity. (Whether removing the mean also improves the recommendations is another question; chapter 04 answers it.)

# %% [markdown]
# ## 7 · From loop to matrix to index
#
# D2 §5.2 computes one cosine at a time, in a Python loop. The same numbers come from one matrix product, and from a FAISS index.
# First, that they *are* the same:

# %%
queries = film_vectors[:20]
by_loop = np.array(
    [
        [q @ v / (np.linalg.norm(q) * np.linalg.norm(v)) for v in film_vectors]
        for q in queries
    ]
)
loop_ids = np.argsort(-by_loop.round(5), axis=1, kind="stable")[:, :10]
exact_ids, _ = top_k(queries, film_vectors, 10)
flat_ids, _ = top_k(queries, film_vectors, 10, method="faiss_flat")
graph_ids, _ = top_k(queries, film_vectors, 10, method="faiss_hnsw")
share_found = np.mean(
    [
        len(set(a) & set(b)) / 10
        for a, b in zip(exact_ids, graph_ids, strict=True)
    ]
)
assert (
    all(set(a) == set(b) for a, b in zip(loop_ids, exact_ids, strict=True))
    and (exact_ids == flat_ids).all()
)
show.say(
    f"Loop, matrix product and FAISS Flat return the same films. FAISS HNSW, an approximate index, finds {share_found:.1%} of them."
)

# %% [markdown]
# Second, how long they take. Times differ from run to run, so they are measured apart (`python course.py benchmark topk`), stored, and read here.

# %% tags=["hide-input"]
measured = show.measurement("topk")
slowest_first = sorted(
    measured["peers"].items(), key=lambda row: row[1]["queries_per_second"]
)
loop_speed = slowest_first[0][1]["queries_per_second"]
show.table(
    pd.DataFrame(
        [
            {
                "way": way,
                "queries per second": row["queries_per_second"],
                "speed-up over the slowest": row["queries_per_second"]
                / loop_speed,
            }
            for way, row in slowest_first
        ]
    ),
    caption=f"Measured on {measured['date']}: {measured['processor']}, {measured['threads']} threads; "
    f"top {measured['k']} of {measured['items']:,} vectors in {measured['dimensions']} dimensions",
)
show.say(
    f"From {slowest_first[0][0]} to {slowest_first[-1][0]}: a factor of **{slowest_first[-1][1]['queries_per_second'] / loop_speed:.0f}**, with the same answers. "
    "Most of it is won by handing the whole matrix to one library call."
)

# %%
learn.live(
    lambda: get_ipython().run_line_magic(
        "timeit", "-n 3 -r 3 top_k(queries, film_vectors, 10)"
    ),
    still="In JupyterLab this cell times the search on your own machine.",
)

# %% [markdown]
# ## Exercises
#
# Replace each `...`, run the cell, and read what comes back. (If Python does not know `learn`, run the first code cells of the chapter.) `learn.hint("02.1")` gives a hint, three times.
#
# **02.1** Write `my_cosine(a, b)` for matrices `a` of shape `[n, d]` and `b` of shape `[m, d]`. It returns all `[n, m]` cosines. A row of zeros has
# no direction: let its cosines be 0.

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
# **02.2** Two unit vectors have a cosine of 0.8. How far apart are their tips?

# %% tags=["exercise"]
distance = ...

learn.check("02.2", distance)

# %% [markdown] tags=["solution"]
# <details>
# <summary>Show a solution</summary>
#
# For unit vectors the squared distance is 2 − 2 cos θ.
#
# ```python
# distance = np.sqrt(2 - 2 * 0.8)
# ```
#
# </details>

# %% [markdown]
# **02.3** You multiply **each item vector by a positive number of its own**. For which measures can the ranking of the items for a user change? Give a set,
# out of `"cosine"`, `"dot"`, `"euclidean"`.

# %% tags=["exercise"]
can_change = ...

learn.check("02.3", can_change)

# %% [markdown] tags=["solution"]
# <details>
# <summary>Show a solution</summary>
#
# The cosine divides by the item's length, so a positive factor cancels. In the other two it survives.
#
# ```python
# can_change = {"dot", "euclidean"}
# ```
#
# </details>

# %% [markdown] quoted="95%" reason="the question of the exercise"
# **02.4** How many dimensions does it take, at least, until 95 % of random pairs have a cosine between −0.1 and 0.1? Use the normal approximation
# (95 % of a bell curve lie within 1.96 standard deviations).

# %% tags=["exercise"]
enough = ...

learn.check("02.4", enough)

# %% [markdown] tags=["solution"]
# <details>
# <summary>Show a solution</summary>
#
# The cosine of two random vectors has a standard deviation of 1/√d, so 1.96/√d ≤ 0.1.
#
# ```python
# enough = int(np.ceil((1.96 / 0.1) ** 2))
# ```
#
# </details>

# %% [markdown]
# ## What to read
#
# - M. Radovanović, A. Nanopoulos, M. Ivanović: *Hubs in Space: Popular Nearest Neighbors in High-Dimensional Data*. Journal of Machine Learning Research 11 (2010), 2487–2531. Where the hubs come from.
# - H. Steck, C. Ekanadham, N. Kallus: *Is Cosine-Similarity of Embeddings Really About Similarity?* arXiv:2403.05440 (2024). Why the cosine of *learned* vectors can be arbitrary; read it after chapter 05.
# - TensorFlow's own page on `tf.keras.losses.cosine_similarity`: it gives the minus sign in its first formula.
#
# **You can now** compute, bound, compare and search by cosine, and you know three things that the documents do not say: what counts as high depends on the space,
# length can mean popularity, and vectors that share a centre make hubs. Chapter 04 makes the vectors.
