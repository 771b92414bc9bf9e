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
# # 05 · Collaborative filtering (协同过滤)
#
# *Recommending films without reading a single word about them.*
#
# After this chapter you will be able to
#
# - compute user-based and item-based recommendations by hand, and say why they disagree;
# - derive ALS, BPR and EASE from what each of them minimises, and write each in a dozen lines or fewer;
# - tune with an equal budget, and say what a library's defaults cost;
# - predict what happens to each method when data get thin, and where it must fail;
# - place collaborative filtering beside the text encoder of chapter 04, and combine the two.
#
# You need: chapter 02 (cosine) and chapter 04 (the text retriever); least squares and derivatives. About 90 minutes.

# %% [markdown]
# ## The documents say
#
# | id | where | statement | what we do |
# |---|---|---|---|
# | D1-02 | D1 §1 | classic recall from behaviour is expensive to compute and unstable | time it, and vary seeds and time windows, beside BERT |
# | D4-01 | D4 §1.2 | three kinds: user-based; item-based, which finds buyers for an item; hybrid, which adds item attributes | say what the field means by each, compute all on a 4 × 5 matrix, tune and compare |
# | D4-02 | D4 §1.1 | it is limited by sparse data, cold start and poor diversity | thin the data step by step; hide films; look at the lists |
#
# "Large model" means what it meant in chapter 04: a sentence-tuned BERT of 22.7 million parameters, frozen.

# %% tags=["parameters"]
scale = "small"  # "small" is what the book shows; "full" runs the same code on more data
seed = 0

# %%
import warnings
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from implicit.nearest_neighbours import CosineRecommender
from scipy.sparse import csr_array, csr_matrix, triu

from course_lib import learn, show
from course_lib.data import Split, load_movielens, seeded_hash
from course_lib.encode import TextEncoder
from course_lib.evaluate import compare, evaluate, forest_plot, holm
from course_lib.retrieve import (
    ALS,
    BPR,
    EASE,
    Candidates,
    CannotFoldIn,
    FeatureRetriever,
    Hybrid,
    ItemKNN,
    Popularity,
    UserKNN,
)
from course_lib.tune import tune

rng = np.random.default_rng(seed)
show.style()

# %% [markdown]
# ## 1 · Four people, five films
#
# A 1 means *has watched*. Nothing else is known: no title is read, no genre, no rating.

# %%
people, films = ["Ana", "Bo", "Chen", "Dina"], list("ABCDE")
R = np.array(
    [[1, 1, 1, 0, 0], [0, 1, 0, 1, 0], [0, 1, 1, 0, 1], [0, 0, 1, 1, 0]], float
)
show.table(
    pd.DataFrame(R.astype(int), people, films), caption="R: who watched what"
)

# %% [markdown]
# What should Ana watch next, D or E? **User-based** (基于用户): who is like Ana? The rows of $R$ are vectors, so chapter 02 gives the similarity of two people,
# and a film gets the sum of the similarities of those who watched it:
#
# $$\text{score}(u,i)=\sum_{v\neq u}\cos(R_u,R_v)\,R_{vi}.$$
#
# Ana and Chen share 2 films and have 3 each: $\cos=\frac{2}{\sqrt{3\cdot3}}=0.667$. Ana and Bo: $\frac1{\sqrt{3\cdot2}}=0.408$; Ana and Dina the same. D was watched by Bo
# and Dina, so it gets $0.408+0.408=0.816$; E by Chen alone: $0.667$. **Ana gets D.**
#
# **Item-based** (基于物品): which films are like Ana's? Now the *columns* are the vectors:
#
# $$\text{score}(u,i)=\sum_{j\neq i}R_{uj}\,\cos(R_{\cdot j},R_{\cdot i}).$$
#
# E was watched by Chen only. It shares one viewer with B and one with C, and each of these has three: $2\cdot\frac1{\sqrt{1\cdot3}}=1.155$. D has two viewers and
# shares one with B and one with C: $2\cdot\frac1{\sqrt{2\cdot3}}=0.816$. **Ana gets E.**


# %%
def cosines_of_rows(X):
    X = X / np.linalg.norm(X, axis=1, keepdims=True)
    similarity = X @ X.T
    np.fill_diagonal(similarity, 0)  # nobody is a neighbour of herself
    return similarity


def not_yet_watched(scores):
    written = pd.DataFrame(scores, people, films).map("{:.3f}".format)
    return written.where(R == 0, "–")


user_based = cosines_of_rows(R) @ R
item_based = R @ cosines_of_rows(R.T)
both_ways = {"user-based": user_based, "item-based": item_based}
show.table(
    pd.DataFrame(
        {how: not_yet_watched(s).loc["Ana"] for how, s in both_ways.items()}
    ).T,
    caption="Ana's scores",
)
assert np.allclose(user_based[0, 3:], [0.816, 0.667], atol=1e-3)
assert np.allclose(item_based[0, 3:], [0.816, 1.155], atol=1e-3)

# %% [markdown]
# The same matrix, the same cosine, and two different answers. The reason is one square root: the item-based cosine divides by the number of people who watched the
# *candidate*, so it favours the rare film E. The user-based score adds up votes, so it favours D, which more people watched. Keep this in mind: *which rows you normalise decides whom
# popularity helps.*
#
# The library `implicit` has item-based neighbours. It wants user × item; hand it the transpose and it finds neighbours of *people*:

# %%
for matrix in (R, R.T):
    library = CosineRecommender(K=9)
    with warnings.catch_warnings(action="ignore"):  # of its own making
        library.fit(csr_matrix(matrix), show_progress=False)
    theirs = library.similarity.toarray()
    np.fill_diagonal(theirs, 0)
    assert np.allclose(theirs, cosines_of_rows(matrix.T))
show.say(
    "`implicit` agrees with the hand computation, for films and, transposed, for people."
)

# %% [markdown]
# ### Three words, and what the field means by them
#
# | | the field [Sarwar et al. 2001] | D4 §1.2 |
# |---|---|---|
# | user-based | people like me watched it | the same |
# | item-based | it is like the films that *I* watched: the answer is **a list of films for a person** | finds possible buyers for an item: **a list of people for a film** |
# | hybrid | any combination: user- and item-based scores, or behaviour and content | adds item attributes |
#
# D4's item-based question is a good one, only another one: it is what a shop asks when it has a new stock to announce. Both answers stand in the same table of scores: read a row for a person, a
# *column* for a film.

# %%
show.table(
    not_yet_watched(item_based),
    caption="Item-based scores of everything not yet watched",
)
unseen = np.where(R == 1, np.nan, item_based)
for_ana = films[np.nanargmax(unseen[0])]
for_film_a = people[np.nanargmax(unseen[:, 0])]
show.say(
    f"Row of Ana: show her **{for_ana}**. Column of film A: offer it to **{for_film_a}**."
)

# %% [markdown]
# A hybrid of the two adds their scores, each first brought to mean 0 and deviation 1, because a sum of people's similarities and a sum of films' have different units. (D4's hybrid,
# with attributes, comes in section 8.)


# %%
def standardised(scores):
    return (scores - scores.mean(1, keepdims=True)) / scores.std(
        1, keepdims=True
    )


both = 0.5 * standardised(user_based) + 0.5 * standardised(item_based)
show.table(not_yet_watched(both), caption="Hybrid, equal weights")

# %% [markdown]
# ## 2 · A thousand people
#
# The same on MovieLens. Protocol as in chapters 01 and 04: every rating counts as *watched*; each user's last 20 % of films are the test, the 10 % before them the validation. **All choices are made on
# validation**; the test is used once, at the end.

# %%
interactions, catalogue = load_movielens(scale)
split = Split.per_user_chronological(interactions, seed=seed)
train, everybody = split.train, np.arange(interactions.n_users)
titles = np.array(catalogue.titles)
METRICS = ("recall@10", "recall@50", "ndcg@10", "coverage@10")


def judge(retriever, truth=split.validation):
    lists = retriever.retrieve(everybody, 50)
    return evaluate(lists, truth.matrix, METRICS, seed=seed)


def with_interval(report, metric="recall@10"):
    return show.interval(report.mean(metric), report.interval(metric))


filled = len(train) / (train.n_users * train.n_items)
show.say(
    f"{train.n_users:,} people × {train.n_items:,} films, and **{1 - filled:.1%} of the cells are empty**."
)

# %% [markdown]
# Most cosines between films are small, and many small ones add up to noise. So an item keeps only its $k$ nearest neighbours:


# %%
def item_neighbours(matrix, k):
    """Column i holds the k largest cosines of film i, and zeros."""
    X = matrix.toarray()
    X = X / np.maximum(np.linalg.norm(X, axis=0), 1)
    similarity = X.T @ X
    np.fill_diagonal(similarity, 0)
    rest = np.argsort(-similarity, axis=0, kind="stable")[k:]
    np.put_along_axis(similarity, rest, 0, axis=0)
    return similarity


ours = item_neighbours(train.matrix, 100)
library = ItemKNN(neighbours=100, weighting="cosine").fit(train)
# at place 100 equal cosines may swap; their sum cannot
assert np.allclose(ours.sum(0), library.similarity.sum(axis=0), rtol=1e-4)
neighbours_of = {"by who watched them": ours}

# %% [markdown]
# What is like *Toy Story*? Chapter 02 asked the texts. Here is what the viewers say, beside it.

# %%
encoder = TextEncoder("minilm")
text_vectors = encoder.encode(catalogue.describe("title", "year", "genres"))
text_vectors = text_vectors - text_vectors.mean(0)  # centred, as in chapter 04
unit = text_vectors / np.linalg.norm(text_vectors, axis=1, keepdims=True)
neighbours_of["by text (chapter 04)"] = unit @ unit.T
toy_story = int(np.flatnonzero(titles == "Toy Story")[0])


def first_five(similarity):
    near = similarity[:, toy_story].round(5)
    order = np.lexsort((np.arange(len(near)), -near))
    return titles[order[order != toy_story][:5]]


show.table(
    pd.DataFrame(
        {how: first_five(s) for how, s in neighbours_of.items()}, range(1, 6)
    ),
    caption="Nearest to Toy Story",
)

# %% [markdown]
# The text finds films that are *described* alike; the viewers find films that the same people *went to see*. Neither is wrong. They answer different questions, and section 8 uses both.
#
# ### Not all shared films say the same
#
# That two people both watched the most popular film says little; that both watched a rare one says much. The old trick from text search is to weigh a column by its rarity before taking the cosine:
#
# $$w=\log\frac{1+n}{1+\text{count}}\quad(\text{TF-IDF}).$$
#
# **BM25** goes on: it does not divide by the length of a row but dampens it, so a long history keeps some of its weight. Chapter 04 used the same formula to search words; here the words are people or films.

# %%
weightings = {
    (kind.kind, weighting): judge(kind(100, weighting).fit(train))
    for kind in (ItemKNN, UserKNN)
    for weighting in ("cosine", "tfidf", "bm25")
}
bar = judge(Popularity().fit(train))
rows = []
for (kind, weighting), report in weightings.items():
    gap = compare(report, weightings[kind, "cosine"], "recall@10", seed=seed)
    rows.append(
        {
            "neighbours are": kind + "s",
            "weighting": weighting,
            "Recall@10 (validation)": with_interval(report),
            "minus cosine, paired": "–"
            if weighting == "cosine"
            else show.interval(gap.difference, gap.interval),
            "films in all top tens": round(
                report.mean("coverage@10") * len(titles)
            ),
        }
    )
show.table(
    rows,
    caption=f"100 neighbours; popularity reaches {with_interval(bar)}",
)

# %% [markdown]
# Counting who watched what, with no training at all, already leaves popularity far behind. And look at the last column: item neighbours show more different films than user neighbours, for the reason that the 4 × 5 matrix
# gave away.

# %%
for kind in ("item", "user"):
    for weighting in ("cosine", "tfidf", "bm25"):
        report = weightings[kind, weighting]
        assert compare(report, bar, "recall@10", seed=seed).interval[0] > 0
for w in ("cosine", "tfidf", "bm25"):
    shown = {
        kind: weightings[kind, w].mean("coverage@10")
        for kind in ("item", "user")
    }
    assert shown["item"] > shown["user"]

# %% [markdown]
# ## 3 · ALS: a vector for everybody
#
# Neighbours compare rows as they are. **Matrix factorisation** (矩阵分解) gives every person a short vector $x_u$ and every film a short vector $y_i$, and wants $x_u^\top y_i$ to be large where there is a 1.
#
# But what about the empty cells? Say we ask only that watched pairs score 1. Then *all vectors equal* is a perfect solution: everything scores 1, and nothing is ranked. The empty cells must weigh something. Yet an empty cell is not a "no": usually
# the person has never heard of the film. Hu, Koren and Volinsky (2008) therefore separate **preference** $p_{ui}\in\{0,1\}$ from **confidence** (置信度) $c_{ui}$: a watched film is a confident 1, an empty cell an unconfident 0.
#
# $$L=\sum_{u,i}c_{ui}\,(p_{ui}-x_u^\top y_i)^2+\lambda\Big(\sum_u\|x_u\|^2+\sum_i\|y_i\|^2\Big),\qquad c_{ui}=\begin{cases}\alpha&\text{watched}\\1&\text{empty}\end{cases}$$
#
# ### The update, derived
#
# $L$ is a polynomial of degree four in all vectors. But hold the films still: then it is an ordinary weighted least-squares problem for each person. Set the derivative by $x_u$ to zero:
#
# $$-2\sum_i c_{ui}(p_{ui}-y_i^\top x_u)\,y_i+2\lambda x_u=0\quad\Rightarrow\quad\Big(\sum_i c_{ui}\,y_iy_i^\top+\lambda I\Big)x_u=\sum_i c_{ui}p_{ui}\,y_i .$$
#
# The sum on the left runs over *all* films, for every person. Here is the trick that makes it cheap. Write $c_{ui}=1+(c_{ui}-1)$; the second part is zero except for watched films:
#
# $$\boxed{\;x_u=\Big(\underbrace{Y^\top Y}_{\text{once for everybody}}+(\alpha-1)\sum_{i\in u}y_iy_i^\top+\lambda I\Big)^{-1}\alpha\sum_{i\in u}y_i\;}$$
#
# Then hold the people still and solve for the films, and so on in turns: **alternating least squares** (交替最小二乘). Each turn solves its half exactly, so $L$ can only fall.


# %%
def solve(fixed, taken, regularization, alpha=1.0, empty=1.0):
    """Best vectors [n, d] for the rows of `taken` [n, m]; `fixed` [m, d] stays."""
    d = fixed.shape[1]
    outer = (fixed[:, :, None] * fixed[:, None, :]).reshape(-1, d * d)
    of_taken = (taken @ outer).reshape(-1, d, d)
    left = empty * fixed.T @ fixed + (alpha - empty) * of_taken
    left += regularization * np.eye(d)
    return np.linalg.solve(left, alpha * (taken @ fixed)[:, :, None])[:, :, 0]


library = ALS(factors=32, regularization=10, seed=seed).fit(train)
by_hand = solve(library.item_factors, train.matrix, regularization=10)
assert np.allclose(by_hand, library.user_factors, atol=1e-4)
show.say(
    f"Eight lines of numpy and `implicit` agree on all {by_hand.size:,} numbers of the users' vectors, to four decimals."
)

# %% [markdown]
# ### What are the empty cells worth?
#
# Our `solve` lets the weight of an empty cell vary from 0 (only what was watched counts) to 1. The claim above was that at 0 there is nothing to rank by.


# %%
def factorise(empty, turns=4, d=32):
    items = np.random.default_rng(seed).normal(0, 0.1, (train.n_items, d))
    for _ in range(turns):
        users = solve(items, train.matrix, 10, empty=empty)
        items = solve(users, train.matrix.T.tocsr(), 10, empty=empty)
    return users @ items.T


def without_seen(scores, seen=train, k=50):
    scores = np.array(scores, "float32")
    scores[seen.matrix.nonzero()] = -np.inf
    return Candidates.from_catalogue_scores(scores, k)


weights = [0, 0.01, 0.1, 1]
predicted = {w: factorise(w) for w in weights}
by_weight = {
    w: evaluate(without_seen(p), split.validation.matrix, METRICS, seed=seed)
    for w, p in predicted.items()
}

# %% tags=["hide-input"]
figure, axis = plt.subplots(figsize=(5.6, 3))
means = np.array([r.mean("recall@10") for r in by_weight.values()])
ends = np.array([r.interval("recall@10") for r in by_weight.values()]).T
axis.errorbar(
    range(4),
    means,
    yerr=np.abs(ends - means),
    fmt="o-",
    color=show.PALETTE[0],
    capsize=3,
    label="ALS",
)
axis.axhline(
    bar.mean("recall@10"),
    color=show.PALETTE[1],
    ls="--",
    label="popularity",
)
axis.set(
    xticks=range(4),
    xticklabels=weights,
    xlabel="weight of an empty cell",
    ylabel="Recall@10 (validation)",
    ylim=(0, None),
)
axis.legend()
watched = train.matrix.toarray() > 0
show.figure(
    figure,
    alt="Recall at 10 against the weight of an empty cell. At weight zero it is near the line of popularity; it rises with every step up to weight one.",
    table=pd.DataFrame(
        {
            "Recall@10": [with_interval(r) for r in by_weight.values()],
            "mean prediction, watched": [
                p[watched].mean() for p in predicted.values()
            ],
            "mean prediction, empty": [
                p[~watched].mean() for p in predicted.values()
            ],
        },
        index=pd.Index(
            [str(w) for w in weights], name="weight of an empty cell"
        ),
    ),
    caption="Without the empty cells the model learns that everything is liked.",
)
weighted = compare(by_weight[1], by_weight[0], "recall@10", seed=seed)
show.say(
    f"Weighing the empty cells adds **{show.interval(weighted.difference, weighted.interval)}** to Recall@10. The information is in what people did *not* watch, too."
)

# %% [markdown]
# ### A better fit, a worse list
#
# $\lambda$ pulls the vectors towards zero. The default of `implicit` is 0.01. Let it grow (64 factors, 10 turns), and look at two numbers: the error on the training cells, and the recall on validation.

# %%
regularizations = [0.01, 3, 10, 100]
fits = {
    strength: ALS(64, regularization=strength, iterations=10, seed=seed).fit(
        train
    )
    for strength in regularizations
}
errors = [
    np.square(watched - m.user_factors @ m.item_factors.T).mean()
    for m in fits.values()
]
by_lambda = [judge(m) for m in fits.values()]

# %% tags=["hide-input"]
figure, (left, right) = plt.subplots(1, 2, figsize=(7.6, 2.8), sharex=True)
left.plot(range(4), errors, "s-", color=show.PALETTE[1])
left.set(
    xticks=range(4),
    xticklabels=regularizations,
    xlabel="λ",
    ylabel="mean squared error (training)",
)
means = np.array([r.mean("recall@10") for r in by_lambda])
ends = np.array([r.interval("recall@10") for r in by_lambda]).T
right.errorbar(
    range(4),
    means,
    yerr=np.abs(ends - means),
    fmt="o-",
    color=show.PALETTE[0],
    capsize=3,
)
right.set(xlabel="λ", ylabel="Recall@10 (validation)", ylim=(0, None))
show.figure(
    figure,
    alt="Two curves over lambda. The training error rises all the way. Recall on validation first rises, is highest in the middle, and falls when lambda is large.",
    table=pd.DataFrame(
        {
            "training error": errors,
            "Recall@10": [with_interval(r) for r in by_lambda],
        },
        index=pd.Index([str(x) for x in regularizations], name="λ"),
    ),
    caption="ALS with 64 factors: the smallest training error does not give the best list.",
)
assert np.all(np.diff(errors) > 0)

# %% [markdown]
# ## 4 · BPR: only the order counts
#
# ALS predicts ones and zeros, although nobody will ever see the predictions: a list shows only their **order**. Rendle et al. (2009) train the order itself. For a person $u$, a film $i$ that she watched and a film $j$ that she did not, write
# $x_{uij}=x_u^\top y_i-x_u^\top y_j$ and say that she prefers $i$ with probability
#
# $$P(i>_u j)=\sigma(x_{uij})=\frac1{1+e^{-x_{uij}}} .$$
#
# If all such comparisons are independent, and the vectors have a normal prior, the logarithm of the posterior (后验) is
#
# $$\ln\prod_{(u,i,j)}\sigma(x_{uij})\cdot e^{-\lambda\|\Theta\|^2}=\sum_{(u,i,j)}\ln\sigma(x_{uij})-\lambda\|\Theta\|^2 .$$
#
# There are as many triples as watched cells times empty cells, so we draw some and climb. From $\sigma'=\sigma(1-\sigma)$ follows $\frac{d}{dx}\ln\sigma(x)=1-\sigma(x)=\sigma(-x)$, and so, up to the prior,
#
# $$\boxed{\;\nabla_{x_u}=\sigma(-x_{uij})\,(y_i-y_j),\qquad\nabla_{y_i}=\sigma(-x_{uij})\,x_u,\qquad\nabla_{y_j}=-\sigma(-x_{uij})\,x_u\;}$$
#
# Let automatic differentiation check the algebra:

# %%
x, yi, yj = (
    torch.randn(3, 8, generator=torch.Generator().manual_seed(seed))
    .requires_grad_(True)
    .unbind()
)
gradients = torch.autograd.grad(
    torch.nn.functional.logsigmoid(x @ yi - x @ yj), (x, yi, yj)
)
push = torch.sigmoid(-(x @ yi - x @ yj))
for derived, automatic in zip(
    (push * (yi - yj), push * x, -push * x), gradients, strict=True
):
    assert torch.allclose(derived, automatic, atol=1e-6)
show.say("The three derived gradients are those of PyTorch.")

# %% [markdown]
# Read the factor $\sigma(-x_{uij})$: a pair that is already in the right order by a wide margin pushes hardly at all. That is sensible, and it is also a weakness. Train BPR, draw new random pairs, and look at how hard they still push.

# %%
trained = BPR(factors=32, seed=seed).fit(train)
drawn = rng.integers(len(train), size=20_000)
who, liked = train.users[drawn], train.items[drawn]
other = rng.integers(train.n_items, size=len(drawn))
who, liked, other = (a[~watched[who, other]] for a in (who, liked, other))
scores = trained.user_factors @ trained.item_factors.T
push = 1 / (1 + np.exp(scores[who, liked] - scores[who, other]))

# %% tags=["hide-input"]
figure, axis = plt.subplots(figsize=(5.6, 2.8))
axis.hist(push, np.linspace(0, 1, 41), color=show.PALETTE[0])
axis.set(xlabel="push σ(−x) of a random pair after training", ylabel="pairs")
show.figure(
    figure,
    alt="Histogram of the push of random pairs after training: a high pile at zero and a long, thin tail to one.",
    table=[
        {
            "push": name,
            "share of pairs": f"{((push >= low) & (push < high)).mean():.1%}",
        }
        for name, low, high in (
            ("below 0.1: hardly any", 0, 0.1),
            ("0.1 to 0.5", 0.1, 0.5),
            ("0.5 and more: wrong order", 0.5, 1.01),
        )
    ],
    caption="After training many random pairs push hardly at all.",
)
right_order = (push < 0.5).mean()
show.say(
    f"**{right_order:.1%}** of the random pairs stand in the right order: that share is the AUC, and it is what BPR maximises, smoothly. But a top ten is decided among the few best films, which random pairs seldom visit. "
    "A high AUC is not yet a good top ten; chapter 06 comes back to it."
)

# %% [markdown]
# ## 5 · EASE: one matrix, one inverse
#
# Item neighbours score with $XB$, where $X$ is the matrix of who watched what and $B$ holds cosines that somebody *chose*. Steck (2019) asks: why not **learn** $B$, so that $XB$ reproduces $X$ as well as possible?
#
# $$\min_B\;\|X-XB\|_F^2+\lambda\|B\|_F^2\qquad\text{so that}\quad\operatorname{diag}(B)=0 .$$
#
# Without the condition the best $B$ is nearly the identity: every film predicts itself, and nothing else. With it, a film must be predicted from the *other* films.
#
# ### The closed form, derived
#
# A condition goes in with a Lagrange multiplier (拉格朗日乘子) each, $\gamma_i$ for $B_{ii}=0$. The derivative of
#
# $$\|X-XB\|_F^2+\lambda\|B\|_F^2+2\,\gamma^\top\operatorname{diag}(B)$$
#
# by $B$ must vanish: $-X^\top(X-XB)+\lambda B+\operatorname{diag}(\gamma)=0$. Collect $B$, and write $P=(X^\top X+\lambda I)^{-1}$:
#
# $$B=P\,\big(X^\top X-\operatorname{diag}(\gamma)\big)=P\,\big(P^{-1}-\lambda I-\operatorname{diag}(\gamma)\big)=I-P\operatorname{diag}(\lambda+\gamma) .$$
#
# Each column of $P$ is multiplied by one number. The condition says which: $0=B_{ii}=1-P_{ii}(\lambda+\gamma_i)$, so $\lambda+\gamma_i=1/P_{ii}$, and
#
# $$\boxed{\;B_{ii}=0,\qquad B_{ji}=-\frac{P_{ji}}{P_{ii}}\quad(j\neq i)\;}$$


# %%
def ease(matrix, regularization):
    gram = (matrix.T @ matrix).toarray().astype("float64")
    gram[np.diag_indices_from(gram)] += regularization
    P = np.linalg.inv(gram)
    B = -P / np.diag(P)  # column i divided by P_ii
    np.fill_diagonal(B, 0)
    return B


B = ease(train.matrix, 200)
library = EASE(regularization=200).fit(train)
assert np.allclose(B, library.weights, atol=1e-5)
gradient = (
    train.matrix.T @ (train.matrix @ B - train.matrix.toarray()) + 200 * B
)
np.fill_diagonal(gradient, 0)  # the diagonal is held by the condition
assert np.abs(gradient).max() < 1e-3
show.say(
    "Seven lines; equal to `course_lib`, and the gradient is zero everywhere off the diagonal: this is the optimum."
)

# %% [markdown]
# ### It can say no
#
# A cosine of counts is never negative. A learned weight may be: *watched this, so rather not that*. Does the "no" matter? Cut the negative weights off and see.

# %%
only_yes = evaluate(
    without_seen(train.matrix @ np.maximum(B, 0)),
    split.validation.matrix,
    METRICS,
    seed=seed,
)
with_no = evaluate(
    without_seen(train.matrix @ B), split.validation.matrix, METRICS, seed=seed
)
loss = compare(with_no, only_yes, "recall@10", seed=seed)
order = np.lexsort((np.arange(len(titles)), B[:, toy_story].round(5)))
show.table(
    pd.DataFrame(
        {
            "speaks for Toy Story": titles[order[::-1][:5]],
            "weight": B[order[::-1][:5], toy_story],
            "speaks against it": titles[order[:5]],
            "weight ": B[order[:5], toy_story],
        },
        range(1, 6),
    )
)
verdict_on_no = (
    "they matter" if loss.interval[0] > 0 else "no clear difference here"
)
show.say(
    f"{(B < 0).mean():.0%} of the weights are negative. With them Recall@10 is higher by {show.interval(loss.difference, loss.interval)}: {verdict_on_no}."
)

# %% [markdown]
# ## 6 · The same budget for everybody
#
# Five methods, and each has settings. A comparison in which one method is tuned and the others run with defaults measures the tuning. So **every retriever gets the same number of trials**, drawn from a grid of its own, judged by Recall@10 on validation; the winner is
# fitted again on training and validation together. `course_lib.tune` does it, and keeps what was tried.

# %%
budget = 8
text = dict(features=text_vectors, name="text (BERT)")
grids = {
    "popularity": (Popularity, {}),
    "text (BERT)": (
        lambda user: FeatureRetriever(**text, user=user),
        {"user": ["mean", "recency"]},
    ),
    "item-KNN": (
        ItemKNN,
        {
            "neighbours": [10, 30, 100, 300],
            "weighting": ["cosine", "tfidf", "bm25"],
        },
    ),
    "user-KNN": (
        UserKNN,
        {
            "neighbours": [10, 30, 100, 300],
            "weighting": ["cosine", "tfidf", "bm25"],
        },
    ),
    "ALS": (
        ALS,
        {
            "factors": [32, 64],
            "regularization": [1, 3, 10, 30],
            "alpha": [1, 5],
            "seed": [seed],
        },
    ),
    "BPR": (
        BPR,
        {
            "factors": [32, 100],
            "learning_rate": [0.005, 0.01],
            "regularization": [0.003, 0.01, 0.03],
            "seed": [seed],
        },
    ),
    "EASE": (
        EASE,
        {"regularization": [20, 50, 100, 200, 300, 500, 1000, 2000]},
    ),
}
tuned = {
    name: tune(
        make,
        grid,
        split,
        "recall@10",
        budget=budget,
        catalogue=catalogue,
        seed=seed,
    )
    for name, (make, grid) in grids.items()
}


# %%
def described(settings):
    return (
        ", ".join(f"{k} {v}" for k, v in settings.items() if k != "seed")
        or "none"
    )


show.table(
    pd.DataFrame(
        {
            "tried": [
                f"{len(t.trials)} of {t.possible}" for t in tuned.values()
            ],
            "worst": [t.trials["mean"].min() for t in tuned.values()],
            "best": [t.trials["mean"].max() for t in tuned.values()],
            "settings that won": [described(t.best) for t in tuned.values()],
        },
        index=pd.Index(tuned, name="retriever"),
    ),
    caption=f"Recall@10 on validation, at most {budget} trials each",
)

# %% tags=["hide-input"]
figure, axis = plt.subplots(figsize=(6.4, 3.2))
for row, t in enumerate(tuned.values()):
    axis.plot(
        t.trials["mean"],
        np.full(len(t.trials), row),
        "o",
        color=show.PALETTE[4],
        alpha=0.8,
        label="a trial" if row == 0 else None,
    )
    axis.plot(
        t.trials["mean"].max(),
        row,
        "D",
        color=show.PALETTE[0],
        label="the winner" if row == 0 else None,
    )
defaults = {"ALS": ALS(seed=seed).fit(train), "BPR": BPR(seed=seed).fit(train)}
for name, model in defaults.items():
    axis.plot(
        judge(model).mean("recall@10"),
        list(tuned).index(name),
        "x",
        ms=9,
        mew=2.5,
        color=show.PALETTE[1],
        label="implicit's defaults" if name == "ALS" else None,
    )
axis.set(
    yticks=range(len(tuned)),
    yticklabels=list(tuned),
    xlabel="Recall@10 (validation)",
    xlim=(0, None),
)
axis.invert_yaxis()
axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
show.figure(
    figure,
    alt="One row a retriever, one dot a trial. The trials of the collaborative methods spread over a range; their winners lie close together, far to the right of popularity and of text. The defaults of ALS lie left of its winner.",
    table=[
        {
            "retriever": n,
            "implicit's defaults": judge(m).mean("recall@10"),
            "best trial": tuned[n].trials["mean"].max(),
        }
        for n, m in defaults.items()
    ],
    caption="How much the settings matter",
)

# %% [markdown]
# The winner of several trials is a little lucky on validation. The test, used now for the first time, does not know about the luck.

# %%
history = split.train_and_validation
tested = {name: judge(t.retriever, split.test) for name, t in tuned.items()}
as_they_come = {
    "ALS": judge(ALS(seed=seed).fit(history), split.test),
    "BPR": judge(BPR(seed=seed).fit(history), split.test),
}
costs = {
    name: compare(tested[name], report, "recall@10", seed=seed)
    for name, report in as_they_come.items()
}
show.table(
    [
        {
            "model": name,
            "defaults": with_interval(as_they_come[name]),
            "tuned": with_interval(tested[name]),
            "tuned − defaults, paired": show.interval(c.difference, c.interval),
            "clear?": "yes" if c.is_clear else "no",
        }
        for name, c in costs.items()
    ],
    caption="What implicit's defaults cost: Recall@10 on the test part",
)
show.say(
    " ".join(
        f"**{name}**: {'tuning gains clearly' if c.interval[0] > 0 else 'tuning loses clearly' if c.interval[1] < 0 else 'tuning makes no clear difference' if c.difference else 'the defaults themselves won'}."
        for name, c in costs.items()
    )
    + " Defaults are somebody's guess for somebody's data: sometimes good, and you cannot know without trying."
)

# %% [markdown]
# ## 7 · The test
#
# Also in the race: the hybrid of user- and item-based neighbours, with the settings found above and one weight, which gets the same budget.

# %%
eighths = [0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95]


def tune_hybrid(first, second):
    def make(weight):
        parts = [grids[name][0](**tuned[name].best) for name in (first, second)]
        return Hybrid(*parts, weight=weight)

    return tune(
        make,
        {"weight": eighths},
        split,
        "recall@10",
        budget=budget,
        catalogue=catalogue,
        seed=seed,
    )


tuned["user + item"] = tune_hybrid("user-KNN", "item-KNN")
tested["user + item"] = judge(tuned["user + item"].retriever, split.test)

# %% tags=["hide-input"]
in_order = sorted(tested, key=lambda name: -tested[name].mean("recall@10"))
show.figure(
    forest_plot({name: tested[name] for name in in_order}, "recall@10"),
    alt="Forest plot of Recall at 10 on the test part. The collaborative methods lie close together at the right, BPR a little behind; popularity and then text follow far to the left.",
    table=pd.DataFrame(
        {
            "Recall@10": [with_interval(tested[n]) for n in in_order],
            "Recall@50": [
                with_interval(tested[n], "recall@50") for n in in_order
            ],
            "NDCG@10": [with_interval(tested[n], "ndcg@10") for n in in_order],
            "films in all top tens": [
                round(tested[n].mean("coverage@10") * len(titles))
                for n in in_order
            ],
        },
        index=pd.Index(in_order, name="retriever"),
    ),
    caption=f"Test part, every retriever tuned with at most {budget} trials on validation",
)

# %% [markdown]
# Which of these differences are real? Six methods against popularity, and the best against the others: many comparisons, and one in twenty intervals misses by chance. **Holm's** correction (霍尔姆校正) raises the p-values accordingly (chapter 06 derives it).

# %%
cf = ["user-KNN", "item-KNN", "user + item", "ALS", "BPR", "EASE"]
pairs = [(name, "popularity") for name in cf]
pairs += [("EASE", name) for name in cf[:-1]] + [
    ("user + item", "user-KNN"),
    ("user + item", "item-KNN"),
]
comparisons = {
    pair: compare(tested[pair[0]], tested[pair[1]], "recall@10", seed=seed)
    for pair in pairs
}
adjusted = holm([c.p_value for c in comparisons.values()])
show.table(
    [
        {
            "difference in Recall@10": f"{a} − {b}",
            "paired": show.interval(c.difference, c.interval),
            "p after Holm": f"{p:.3f}",
            "clear?": "yes" if p < 0.05 else "no",
        }
        for ((a, b), c), p in zip(comparisons.items(), adjusted, strict=True)
    ]
)

# %%
above = [name for name in cf if comparisons[name, "popularity"].interval[0] > 0]
lift = {
    part: comparisons["user + item", part] for part in ("user-KNN", "item-KNN")
}
helps = all(c.interval[0] > 0 for c in lift.values())
show.say(
    f"{len(above)} of {len(cf)} collaborative methods are clearly above popularity; user- and item-based neighbours reach {tested['user-KNN'].mean('recall@10') / tested['popularity'].mean('recall@10'):.1f} "
    f"and {tested['item-KNN'].mean('recall@10') / tested['popularity'].mean('recall@10'):.1f} times its recall. "
    f"Their hybrid is {'clearly better than both' if helps else 'not clearly better than both of its parts'}: two views of the *same* matrix know much the same."
)

# %% [markdown]
# ### A newcomer
#
# Somebody registers today and names two films. Nobody trains a model again for that. Neighbours and EASE score *any* row of 0 and 1, and ALS solves one least-squares problem for it: they **fold in** (并入). BPR would need new gradient steps, and refuses.

# %%
named = ["Toy Story", "Aladdin"]
newcomer = np.isin(titles, named)[None].astype("float32")
newcomer = csr_array(newcomer)
first = {
    name: tuned[name].retriever.retrieve(newcomer, 5)
    for name in ("item-KNN", "ALS", "EASE")
}


def titles_of(lists):
    order = np.lexsort((lists.ids[0], -lists.scores[0].round(4)))
    return titles[lists.ids[0][order]]


show.table(
    pd.DataFrame(
        {name: titles_of(c) for name, c in first.items()}, range(1, 6)
    ),
    caption=f"For somebody who names {' and '.join(named)}",
)
with learn.fails(CannotFoldIn):
    tuned["BPR"].retriever.retrieve(newcomer, 5)

# %% [markdown]
# ## 8 · Beside the text, warm and cold
#
# What the text knows is *not* in the matrix. So D4's kind of hybrid, behaviour plus attributes, should gain more than user plus item. Each gets one weight and the same budget.

# %%
for name, pair in {
    "text + popularity": ("text (BERT)", "popularity"),
    "item-KNN + text": ("item-KNN", "text (BERT)"),
    "EASE + text": ("EASE", "text (BERT)"),
}.items():
    tuned[name] = tune_hybrid(*pair)
    tested[name] = judge(tuned[name].retriever, split.test)
gains = {
    "user + item − user-KNN": lift["user-KNN"],
    "user + item − item-KNN": lift["item-KNN"],
    "item-KNN + text − item-KNN": compare(
        tested["item-KNN + text"], tested["item-KNN"], "recall@10", seed=seed
    ),
    "EASE + text − EASE": compare(
        tested["EASE + text"], tested["EASE"], "recall@10", seed=seed
    ),
    "EASE − text (BERT)": compare(
        tested["EASE"], tested["text (BERT)"], "recall@10", seed=seed
    ),
    "EASE − (text + popularity)": compare(
        tested["EASE"], tested["text + popularity"], "recall@10", seed=seed
    ),
}

# %% tags=["hide-input"]
show.figure(
    forest_plot(gains),
    alt="Forest plot of six paired differences in Recall at 10. The gains of hybrids over their parts lie near zero or a little above it; EASE is ahead of text, and ahead of text plus popularity, by much more.",
    table=pd.DataFrame(
        {
            "paired difference in Recall@10": [
                show.interval(c.difference, c.interval) for c in gains.values()
            ],
            "clear?": ["yes" if c.is_clear else "no" for c in gains.values()],
        },
        index=pd.Index(gains, name=" "),
    ),
    caption="What each addition brings, on the test part (warm films)",
)

# %%
best_trial = {name: t.trials["mean"].max() for name, t in tuned.items()}
on_validation = best_trial["EASE + text"] - best_trial["EASE"]
on_test = gains["EASE + text − EASE"]
won_weights = ", ".join(
    f"{name}: {tuned[name].best['weight']}" for name in tuned if " + " in name
)
show.say(
    f"Weights of the first part that won: {won_weights}. On validation the text added {on_validation:.3f} to EASE; on the test it adds "
    f"{show.interval(on_test.difference, on_test.interval)}, which is {'clear' if on_test.is_clear else 'not clear'}. {'A figure that was chosen on validation flatters: the test is the one to believe. ' if on_test.difference < on_validation else ''}"
    f"{'What the text knows about films with many viewers, their viewers had mostly told already.' if not on_test.is_clear else 'The text knows something that the viewers had not told.'}"
)

# %% [markdown]
# Now hide a tenth of the films completely, as in chapter 04: **cold** films, which nobody in training has watched. For collaborative filtering a cold film is a column of zeros. Its cosine with anything is 0; its ALS vector solves $(\dots)y=0$, so $y=0$; its
# column of $B$ is 0 since $P$ splits into blocks. There is nothing to rank by, and `course_lib` does not offer such a film at all.

# %%
cold = Split.cold_items(interactions, seed=seed)
coldly = ["item-KNN", "ALS", "EASE", "popularity", "text (BERT)", "EASE + text"]


def anew(name):
    """A new, unfitted retriever with the settings that won."""
    if " + " in name:
        first, second = {"user + item": ("user-KNN", "item-KNN")}.get(
            name,
            [
                part if part != "text" else "text (BERT)"
                for part in name.split(" + ")
            ],
        )
        return Hybrid(anew(first), anew(second), **tuned[name].best)
    return grids[name][0](**tuned[name].best)


on_cold = {
    name: judge(anew(name).fit(cold.train, catalogue), cold.test)
    for name in coldly
}
assert all(
    on_cold[name].mean("recall@50") == 0 for name in ("item-KNN", "ALS", "EASE")
)

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 2, figsize=(7.6, 2.9), sharey=True)
for axis, (title, reports) in zip(
    axes, {"warm films": tested, "cold films": on_cold}.items(), strict=True
):
    for row, name in enumerate(coldly):
        low, high = reports[name].interval("recall@10")
        axis.barh(
            row,
            reports[name].mean("recall@10"),
            color=show.PALETTE[row],
            height=0.6,
        )
        axis.plot([low, high], [row, row], color="black", lw=1.2)
    axis.set(
        title=title,
        xlabel="Recall@10 (test)",
        yticks=range(len(coldly)),
        yticklabels=coldly,
    )
axes[0].invert_yaxis()
show.figure(
    figure,
    alt="Two bar charts of Recall at 10. On warm films the collaborative methods are far ahead of text. On cold films they and popularity are exactly zero, and only text finds some.",
    table=pd.DataFrame(
        {
            title: [with_interval(reports[n]) for n in coldly]
            for title, reports in {
                "warm films": tested,
                "cold films": on_cold,
            }.items()
        },
        index=pd.Index(coldly, name="Recall@10 (test)"),
    ),
    caption="Where the one is strong the other is weak.",
)

# %%
warm_gap, cold_gap = (
    gains["EASE − text (BERT)"],
    compare(on_cold["text (BERT)"], on_cold["EASE"], "recall@10", seed=seed),
)
mixed_cold = on_cold["EASE + text"].mean("recall@10")
show.say(
    f"Warm: EASE is ahead of the text by {show.interval(warm_gap.difference, warm_gap.interval)}. Cold: the text is ahead by {show.interval(cold_gap.difference, cold_gap.interval)}, and EASE is 0 **by construction**. "
    f"The weighted hybrid keeps {mixed_cold / max(on_cold['text (BERT)'].mean('recall@10'), 1e-9):.0%} of the text's cold recall: a film that only the text offers starts with the lowest CF score there is. A cold film needs a place of its own (chapter 10), not a share of a sum."
)

# %%
attribute_gain = gains["EASE + text − EASE"]
learn.verdict(
    "D4-01",
    "works" if len(above) == len(cf) else "depends" if above else "no effect",
    "User-based {user}, item-based {item} and their hybrid {hybrid} against popularity {popularity} (Recall@10); {clear} of {methods} methods are clearly above it. In the field item-based means films for a person; buyers for a film are a column of the same scores. "
    "User + item gains {over_user} over user-based and {over_item} over item-based; attributes (film texts) add {attributes} to EASE.",
    numbers={
        **{
            k: (tested[n].mean("recall@10"), tested[n].interval("recall@10"))
            for k, n in (
                ("user", "user-KNN"),
                ("item", "item-KNN"),
                ("hybrid", "user + item"),
                ("popularity", "popularity"),
            )
        },
        "clear": len(above),
        "methods": len(cf),
        "over_user": (lift["user-KNN"].difference, lift["user-KNN"].interval),
        "over_item": (lift["item-KNN"].difference, lift["item-KNN"].interval),
        "attributes": (attribute_gain.difference, attribute_gain.interval),
    },
    data=interactions.name,
    scale=scale,
    scope="attributes: all-MiniLM-L6-v2, 22.7 million parameters, frozen and centred; title, year, genres",
)

# %% [markdown]
# ## 9 · Less and less data
#
# D4 §1.1 says that sparse data (稀疏性), cold start and a lack of diversity limit collaborative filtering. Thin each user's history at random to 50, 25 and 10 %, and ask the same question of the same test part. Three cares for fairness: the thin sets are *nested*; films that were
# thinned out stay out of the lists, so everybody ranks the same candidates; and each method is **tuned again** at each step (3 trials), because settings that suit full data need not suit a tenth of it.


# %%
def thin(part, share):
    """Keep this share of each user's interactions; smaller shares are subsets."""
    draw = pd.Series(seeded_hash(part.users, part.items, seed))
    return part.select(
        (draw.groupby(part.users).rank(pct=True) <= share).to_numpy()
    )


best = {name: dict(t.best) for name, t in tuned.items()}


def with_best(name, **changed):
    return grids[name][0](**{**best[name], **changed})


again = {
    "item-KNN": ("neighbours", [100, 300, 1000]),
    "user-KNN": ("neighbours", [30, 100, 300]),
    "ALS": ("regularization", [10, 30, 100]),
    "EASE": ("regularization", [20, 200, 2000]),
    "text (BERT)": ("user", ["mean", "recency"]),
}


# %%
def at_share(name, share):
    """Tune on the thin training part, fit on the thin history; rank the same candidates as ever."""
    parts = Split(
        thin(train, share),
        split.validation,
        split.test,
        split.rule,
        split.guarantee,
    )
    if name in again:
        setting, values = again[name]
        found = tune(
            lambda value: with_best(name, **{setting: value}),
            {"value": values},
            parts,
            "recall@10",
            budget=3,
            catalogue=catalogue,
            seed=seed,
        ).best["value"]
        retriever = with_best(name, **{setting: found})
    else:
        retriever = anew(name)
    retriever.fit(thin(history, share), catalogue)
    all_items = np.tile(np.arange(history.n_items), (len(everybody), 1))
    lists = without_seen(retriever.score(everybody, all_items), history)
    return evaluate(lists, split.test.matrix, METRICS, seed=seed)


shares = [1, 0.5, 0.25, 0.1]
thin_methods = [*again, "popularity", "text + popularity"]
thinned = {(name, 1): tested[name] for name in thin_methods}
for share in shares[1:]:
    for name in thin_methods:
        thinned[name, share] = at_share(name, share)

# %% tags=["hide-input"]
figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.1))
for (name, colour), marker in zip(
    zip(thin_methods, show.PALETTE, strict=False), "o>vsDP^", strict=True
):
    reports = [thinned[name, share] for share in shares]
    means, ends = (
        np.array([r.mean("recall@10") for r in reports]),
        np.array([r.interval("recall@10") for r in reports]).T,
    )
    left.errorbar(
        range(4),
        means,
        yerr=np.abs(ends - means),
        marker=marker,
        color=colour,
        capsize=2,
        label=name,
    )
    right.plot(
        range(4),
        [r.mean("coverage@10") for r in reports],
        marker=marker,
        color=colour,
    )
for axis, label in (
    (left, "Recall@10 (test)"),
    (right, "share of films in all top tens"),
):
    axis.set(
        xticks=range(4),
        xticklabels=[f"{s:.0%}" for s in shares],
        xlabel="share of each history that is kept",
        ylabel=label,
        ylim=(0, None),
    )
figure.legend(
    *left.get_legend_handles_labels(),
    loc="outside lower center",
    ncols=4,
    fontsize=8.5,
    columnspacing=1,
)
show.figure(
    figure,
    alt="Left: recall at 10 as histories shrink from 100 to 10 percent. The collaborative methods start highest and fall by more than popularity, which hardly changes. Right: the share of the catalogue that stands in all top tens together; text covers most of it.",
    table=pd.DataFrame(
        {
            f"{s:.0%}": [with_interval(thinned[n, s]) for n in thin_methods]
            for s in shares
        },
        index=pd.Index(thin_methods, name="Recall@10"),
    ),
    caption="Thinner and thinner histories; collaborative methods and text tuned again at every step",
)


# %%
def what_is_left(share):
    left = thin(history, share)
    missing = left.item_counts == 0
    together = triu(left.matrix.T @ left.matrix, k=1).data
    return {
        "kept": f"{share:.0%}",
        "interactions": len(left),
        "films without any viewer": f"{missing.mean():.1%}",
        "test events on such films": f"{missing[split.test.items].mean():.1%}",
        "pairs of films with a shared viewer": len(together),
        "of them, only one": f"{(together == 1).mean():.0%}",
    }


show.table(
    [what_is_left(s) for s in shares],
    caption="The other side of sparsity: what collaborative filtering has to work with",
)

# %% [markdown]
# The last columns say why neighbours of *films* suffer: when two films share one viewer, their cosine is the taste of one person, and if both are rare it is even large. Neighbours of *people* add up many votes, and where votes are few the sum leans on popularity.

# %%
falls = {
    n: compare(thinned[n, 0.1], thinned[n, 1], "recall@10", seed=seed)
    for n in thin_methods
}
lead = {
    s: compare(
        thinned["EASE", s], thinned["popularity", s], "recall@10", seed=seed
    )
    for s in shares
}
show.table(
    pd.DataFrame(
        {
            "100 % → 10 %": [
                show.interval(c.difference, c.interval) for c in falls.values()
            ],
            "of it kept": [
                f"{thinned[n, 0.1].mean('recall@10') / thinned[n, 1].mean('recall@10'):.0%}"
                for n in thin_methods
            ],
        },
        index=pd.Index(thin_methods, name="Recall@10"),
    )
)
assert all(
    falls[n].difference < falls["popularity"].difference
    for n in ("item-KNN", "user-KNN", "ALS", "EASE")
)
still = [f"{s:.0%}" for s in shares if lead[s].interval[0] > 0]
strongest = max(again, key=lambda n: thinned[n, 0.1].mean("recall@10"))
thinnest = compare(
    thinned[strongest, 0.1],
    thinned["text + popularity", 0.1],
    "recall@10",
    seed=seed,
)
show.say(
    f"EASE is clearly above popularity with {', '.join(still) or 'none'} of the histories. With a tenth, {strongest} is the strongest collaborative method; minus *text + popularity*, which never looks at other "
    f"people's histories except to count them, it is {show.interval(thinnest.difference, thinnest.interval)}: "
    f"{'the text has overtaken behaviour' if thinnest.interval[1] < 0 else 'behaviour still leads' if thinnest.interval[0] > 0 else 'the two cannot be told apart'}."
)

# %% [markdown]
# And diversity (多样性)? There are two: how much of the catalogue is shown to *anybody* (coverage), and how different the ten films of *one* list are (intra-list diversity; measured here with the text vectors, 0: all alike). They need not agree.

# %%
profiles = {}
for name in thin_methods:
    lists = tuned[name].retriever.retrieve(everybody, 10)
    profiles[name] = evaluate(
        lists,
        split.test.matrix,
        ("intra_list_diversity@10", "coverage@10", "average_popularity@10"),
        train=history,
        item_vectors=text_vectors,
        seed=seed,
    )
show.table(
    pd.DataFrame(
        {
            "films in all top tens": [
                round(r.mean("coverage@10") * len(titles))
                for r in profiles.values()
            ],
            "diversity within a list": [
                with_interval(r, "intra_list_diversity@10")
                for r in profiles.values()
            ],
            "viewers of a listed film, share": [
                with_interval(r, "average_popularity@10")
                for r in profiles.values()
            ],
        },
        index=pd.Index(profiles, name="retriever"),
    )
)

# %%
models = ["item-KNN", "user-KNN", "ALS", "EASE"]
sparse = all(falls[n].interval[1] < 0 for n in models)
within = {
    n: compare(
        profiles[n],
        profiles["text (BERT)"],
        "intra_list_diversity@10",
        seed=seed,
    )
    for n in models
}
narrow_catalogue = all(
    profiles[n].mean("coverage@10")
    < profiles["text (BERT)"].mean("coverage@10")
    for n in models
)
narrow_lists = all(c.interval[1] < 0 for c in within.values())
parts = [sparse, cold_gap.interval[0] > 0, narrow_catalogue, narrow_lists]
learn.verdict(
    "D4-02",
    "supported" if all(parts) else "refuted" if not any(parts) else "depends",
    "Sparsity: {sparse}; with a tenth of the histories EASE changes by {fall}. Cold start: {cold}; Recall@10 is 0 by construction where the text has {text}. Diversity beside the text: the catalogue shown is {catalogue} ({shown} of all films), single lists are {lists} (EASE minus text {within}).",
    numbers={
        "sparse": "yes" if sparse else "not clearly",
        "fall": (falls["EASE"].difference, falls["EASE"].interval),
        "cold": "yes" if parts[1] else "not clearly",
        "text": (
            on_cold["text (BERT)"].mean("recall@10"),
            on_cold["text (BERT)"].interval("recall@10"),
        ),
        "catalogue": "narrower" if narrow_catalogue else "not narrower",
        "shown": f"{profiles['EASE'].mean('coverage@10'):.0%} against {profiles['text (BERT)'].mean('coverage@10'):.0%}",
        "lists": "narrower" if narrow_lists else "not narrower",
        "within": (within["EASE"].difference, within["EASE"].interval),
    },
    data=interactions.name,
    scale=scale,
    scope="compared with all-MiniLM-L6-v2, 22.7 million parameters, frozen and centred; title, year, genres",
)

# %% [markdown]
# ## 10 · Expensive and unstable?
#
# D1 §1 says that classic recall costs much and wavers. Cost first. Times differ from machine to machine, so they are measured apart (`python course.py benchmark cf`), stored, and read here. BERT's fit includes the encoding of all films; loading the encoder is not counted.

# %%
timing = show.measurement("cf")
bert = timing["reference"]
median = {
    step: pd.Series(
        {n: row["median_seconds"] for n, row in timing[step].items()}
    )
    for step in ("fit", "query")
}
show.table(
    pd.DataFrame(
        {
            "fit, milliseconds": 1000 * median["fit"],
            f"top {timing['k']} for everybody, milliseconds": 1000
            * median["query"],
        }
    ),
    caption=f"Measured on {timing['date']}, {timing['processor']}, {timing['threads']} threads; {timing['users']:,} users, {timing['items']:,} films, "
    f"{timing['interactions']:,} interactions; medians of {timing['repetitions']} runs",
)
total = median["fit"] + median["query"]
cheaper = total[bert] / total.drop(bert)
slowest = (median["query"].drop(bert) / median["query"][bert]).idxmax()
show.say(
    f"The queries alone tell another story: the slowest classic method there, {slowest}, takes {median['query'][slowest] / median['query'][bert]:.1f} times as long as BERT, "
    "which has nothing left to do but a matrix product. User neighbours do all their work at query time."
)

# %% tags=["hide-input"]
figure, axis = plt.subplots(figsize=(6.2, 3))
order = total.sort_values().index
axis.barh(
    range(len(order)),
    total[order],
    color=[show.PALETTE[1] if n == bert else show.PALETTE[0] for n in order],
)
axis.set(
    yticks=range(len(order)),
    yticklabels=order,
    xscale="log",
    xlabel="fit + queries of everybody, seconds (logarithmic)",
)
axis.invert_yaxis()
show.figure(
    figure,
    alt="Bars on a logarithmic axis: seconds to fit and to answer everybody. Retrieval by encoded text takes longest, popularity least.",
    table=pd.DataFrame(
        {"times as fast as BERT": cheaper.sort_values(ascending=False)}
    ),
    caption="The stored measurement, fit and queries added",
)

# %% [markdown]
# In fairness: an encoder reads each film once, while a collaborative model must be fitted again when people have watched more; EASE's inverse grows with the third power of the number of films. Chapter 12 measures how the costs *grow*.
#
# ### Seeds
#
# Popularity, neighbours and EASE have no randomness. ALS and BPR start from random vectors. Fit each with five seeds, and ask two questions: does the *recall* change, and do the *lists*?

# %%
METHODS = [
    "popularity",
    "item-KNN",
    "user-KNN",
    "ALS",
    "BPR",
    "EASE",
    "text (BERT)",
]
rows, wobble = [], {}
for name in ("ALS", "BPR"):
    lists = [
        grids[name][0](**{**tuned[name].best, "seed": seed + s})
        .fit(history)
        .retrieve(everybody, 10)
        for s in range(5)
    ]
    recalls = [
        evaluate(found, split.test.matrix, ("recall@10",)).mean("recall@10")
        for found in lists
    ]
    shared = np.mean(
        [
            (lists[0].ids[:, :, None] == other.ids[:, None, :]).sum()
            / lists[0].ids.size
            for other in lists[1:]
        ]
    )
    low, high = tested[name].interval("recall@10")
    wobble[name] = np.std(recalls, ddof=1) / ((high - low) / 2)
    rows.append(
        {
            "model": name,
            "lowest": min(recalls),
            "highest": max(recalls),
            "standard deviation": np.std(recalls, ddof=1),
            "half width of the interval over users": (high - low) / 2,
            "films shared by two top tens": f"{shared:.0%}",
        }
    )
show.table(rows, caption="Five seeds, Recall@10 on the test part")

# %%
show.say(
    f"The average hardly moves: its deviation over seeds is {wobble['ALS']:.0%} (ALS) and {wobble['BPR']:.0%} (BPR) of the uncertainty that comes from the choice of users. The *lists* do move: two seeds agree on "
    f"{rows[0]['films shared by two top tens']} and {rows[1]['films shared by two top tens']} of a top ten. A stable average may hide an unstable experience."
)

# %% [markdown]
# ### Time windows
#
# The same system in other months: cut the time line into five stretches of equal numbers of ratings. In each of the last four, the second half of what a user watched there is the test, and everything before is history. (Settings stay those of section 6.)

# %%
edges = np.quantile(interactions.timestamps, [0.2, 0.4, 0.6, 0.8, 1])


def in_window(low, high):
    """History and test of one window, as boolean masks."""
    inside = (interactions.timestamps > low) & (interactions.timestamps <= high)
    moment = pd.DataFrame(
        {
            "time": interactions.timestamps,
            "tie": seeded_hash(interactions.users, interactions.items, seed),
        }
    )
    order = moment.sort_values(["time", "tie"], kind="stable").index
    place = pd.Series(np.arange(len(order)), index=order).sort_index()[inside]
    late = place.groupby(interactions.users[inside]).rank(pct=True) > 0.5
    test = np.zeros(len(interactions), bool)
    test[late.index[late]] = True
    return (interactions.timestamps <= high) & ~test, test


windows = [
    tuple(interactions.select(mask) for mask in in_window(*ends))
    for ends in pairwise(edges)
]
over_time = {
    (name, w): judge(anew(name).fit(known, catalogue), later)
    for name in METHODS
    for w, (known, later) in enumerate(windows)
}

# %% tags=["hide-input"]
figure, axis = plt.subplots(figsize=(6.6, 3.2))
for (name, colour), marker in zip(
    zip(METHODS, show.PALETTE, strict=False), "sov^D<P", strict=True
):
    reports = [over_time[name, w] for w in range(4)]
    means, ends = (
        np.array([r.mean("recall@10") for r in reports]),
        np.array([r.interval("recall@10") for r in reports]).T,
    )
    axis.errorbar(
        np.arange(4) + 0.05 * (METHODS.index(name) - 3),
        means,
        yerr=np.abs(ends - means),
        marker=marker,
        color=colour,
        capsize=2,
        lw=1.2,
        label=name,
    )
axis.set(
    xticks=range(4),
    xticklabels=[f"window {w + 1}" for w in range(4)],
    ylabel="Recall@10",
    ylim=(0, None),
)
axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
show.figure(
    figure,
    alt="Recall at 10 with intervals in four time windows, one line a method. The collaborative methods stay above text in every window; most intervals of one method overlap from window to window.",
    table=pd.DataFrame(
        {
            f"window {w + 1}": [with_interval(over_time[n, w]) for n in METHODS]
            for w in range(4)
        },
        index=pd.Index(METHODS, name="Recall@10"),
    ),
    caption=f"Users tested in the windows: {', '.join(str(len(over_time['EASE', w].values('recall@10'))) for w in range(4))}",
)

# %% [markdown]
# How much does a method waver *relative to its level*? Take the standard deviation of the four means over their average. Is CF's larger than BERT's? Four windows are few, so the users of every window are drawn again and again, the same for both.


# %%
def wavering(name, chosen):
    means = np.array(
        [
            over_time[name, w].values("recall@10")[chosen[w]].mean(-1)
            for w in range(4)
        ]
    )
    return means.std(axis=0, ddof=1) / means.mean(axis=0)


sizes = [len(over_time["EASE", w].values("recall@10")) for w in range(4)]
draws = [rng.integers(n, size=(1_000, n)) for n in sizes]
all_users = [np.arange(n) for n in sizes]
gap = {
    n: wavering(n, draws) - wavering("text (BERT)", draws) for n in METHODS[:-1]
}
gap_interval = {n: tuple(np.percentile(g, [2.5, 97.5])) for n, g in gap.items()}
show.table(
    pd.DataFrame(
        {
            "deviation ÷ mean over windows": [
                wavering(n, all_users) for n in METHODS
            ],
            "minus BERT's": [
                show.interval(
                    wavering(n, all_users) - wavering("text (BERT)", all_users),
                    gap_interval[n],
                )
                if n in gap
                else "–"
                for n in METHODS
            ],
        },
        index=pd.Index(METHODS, name="method"),
    )
)

# %%
classic = METHODS[:-1]
costly = {
    n: "cheaper" if r >= 2 else "dearer" if r <= 0.5 else "alike"
    for n, r in cheaper.items()
    if n in classic
}
wavers = {
    n: "more" if low > 0 else "less" if high < 0 else "alike"
    for n, (low, high) in gap_interval.items()
}
expensive = all(v == "dearer" for v in costly.values())
cheap = all(v == "cheaper" for v in costly.values())
unstable = all(v == "more" for v in wavers.values())
stable = all(v == "less" for v in wavers.values()) and max(wobble.values()) < 1
learn.verdict(
    "D1-02",
    "supported"
    if expensive and unstable
    else "refuted"
    if cheap and stable
    else "depends",
    "Cost: fit and queries together, {cheaper} of {methods} classic methods are at least twice as fast as BERT with its encoding (the slowest of them by a factor of {least}). "
    "Stability: over seeds the recall varies by {seeds} of its interval's half width at most, though two top tens of BPR share only {shared} of their films; over four time windows {more} methods waver clearly more than BERT, {less} clearly less, and the others cannot be told apart.",
    numbers={
        "cheaper": sum(v == "cheaper" for v in costly.values()),
        "methods": len(classic),
        "least": f"{cheaper[classic].min():.1f}",
        "seeds": f"{max(wobble.values()):.0%}",
        "shared": rows[1]["films shared by two top tens"],
        "more": sum(v == "more" for v in wavers.values()),
        "less": sum(v == "less" for v in wavers.values()),
    },
    data=f"{interactions.name}; times from the stored measurement",
    scale=scale,
    scope="all-MiniLM-L6-v2, 22.7 million parameters, on a processor without accelerator; title, year, genres; catalogues of this size",
)

# %% [markdown]
# ## Exercises
#
# Replace each `...`, run the cell, and read what comes back. `learn.hint("05.1")` gives a hint, three times.
#
# **05.1** In the 4 × 5 matrix of section 1: what is the *item-based* score of film A for Dina, who watched C and D? (No neighbours are cut off.) Give the number to three decimals, or compute it.

# %% tags=["exercise"]
score_of_a = ...

learn.check("05.1", score_of_a)

# %% tags=["solution"]
# One solution
# A has 1 viewer, C has 3, and they share Ana; A and D share nobody
score_of_a = 1 / np.sqrt(1 * 3) + 0

learn.check("05.1", score_of_a)

# %% [markdown]
# **05.2** Write `als_user(items, watched, regularization, alpha)`: `items` is `[n, d]`, `watched` a list of film numbers. It returns the vector `[d]` that minimises the loss of section 3 for this person. An empty cell weighs 1.

# %% tags=["exercise"]
als_user = ...

learn.check("05.2", als_user)


# %% tags=["solution"]
# One solution
def als_user(items, watched, regularization, alpha):
    own = items[watched]
    left = items.T @ items + (alpha - 1) * own.T @ own
    left = left + regularization * np.eye(items.shape[1])
    return np.linalg.solve(left, alpha * own.sum(axis=0))


learn.check("05.2", als_user)

# %% [markdown]
# **05.3** Somebody forgets the condition $\operatorname{diag}(B)=0$ of EASE and lets $\lambda\to0$ ($X^\top X$ has an inverse). What is $B$ then? Choose `"all zeros"`, `"the identity"`, `"the cosine matrix"` or `"the inverse of the gram matrix"`.

# %% tags=["exercise"]
without_condition = ...

learn.check("05.3", without_condition)

# %% tags=["solution"]
# One solution
# B = (XᵀX + λI)⁻¹ XᵀX, and that tends to I: every film predicts itself
without_condition = "the identity"

learn.check("05.3", without_condition)

# %% [markdown]
# **05.4** You hand the matrix of MovieLens to an item-based recommender **transposed**, and there is no error. What does one of its lists then contain, and for whom? Give a tuple `(contents, receiver)` out of `"films"` and `"people"`: first what stands in the list, then what it is made for.

# %% tags=["exercise"]
contents, receiver = ..., ...

learn.check("05.4", (contents, receiver))

# %% tags=["solution"]
# One solution
contents, receiver = "people", "films"

learn.check("05.4", (contents, receiver))

# %% [markdown]
# ## What to read
#
# - B. Sarwar, G. Karypis, J. Konstan, J. Riedl: *Item-Based Collaborative Filtering Recommendation Algorithms*. WWW 2001, 285–295. Item neighbours, and why they scale.
# - Y. Hu, Y. Koren, C. Volinsky: *Collaborative Filtering for Implicit Feedback Datasets*. ICDM 2008, 263–272. Preference and confidence; section 3 follows it.
# - S. Rendle, C. Freudenthaler, Z. Gantner, L. Schmidt-Thieme: *BPR: Bayesian Personalized Ranking from Implicit Feedback*. UAI 2009, arXiv:1205.2618. Section 4.
# - H. Steck: *Embarrassingly Shallow Autoencoders for Sparse Data*. WWW 2019, arXiv:1905.03375. Section 5, in four pages.
# - A. Milogradskii et al.: *Revisiting BPR: A Replicability Study of a Common Recommender System Baseline*. RecSys 2024, arXiv:2409.14217. What implementations and tuning do to one baseline.
#
# **You can now** build a recommender that never reads a word, tune it fairly, and say where it must fail. It knows taste from company; the text knows films that have none yet. Chapter 06 asks how far the numbers of this chapter can be trusted.
