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
# - derive ALS, BPR and EASE from what each of them optimises, and write each in about a dozen lines;
# - tune with an equal budget, and say what a library's defaults cost;
# - predict what happens to each method when data get thin, and where it must fail;
# - place collaborative filtering beside the text encoder of chapter 04, and combine the two.
#
# You need: chapter 02 (cosine) and chapter 04 (the text retriever); least squares and derivatives. About 160 minutes.

# %% [markdown]
# ## The documents say
#
# | id | where | statement | what we do |
# |---|---|---|---|
# | D1-02 | D1 §1 | classic recall from behaviour is expensive to compute and unstable | time it, and vary seeds and time windows, beside BERT |
# | D4-01 | D4 §1.2 | three kinds: user-based; item-based, which finds buyers for an item; hybrid, which adds item attributes | say what the field means by each, compute all on a 4 × 5 matrix, tune and compare |
# | D4-02 | D4 §1.1 | it is limited by sparse data, cold start and poor diversity | thin the data step by step; hide films (cold start, 冷启动); look at the lists |
#
# "Large model" means what it meant in chapter 04: a small sentence-tuned BERT, frozen.

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
from implicit.cpu.als import AlternatingLeastSquares
from implicit.nearest_neighbours import CosineRecommender
from scipy.sparse import csr_array, csr_matrix, triu
from sklearn.model_selection import ParameterGrid

from course_lib import learn, show
from course_lib.data import Split, load_movielens, seeded_hash
from course_lib.encode import TextEncoder
from course_lib.evaluate import auc, compare, evaluate, holm
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
from course_lib.retrieve.neighbours import BM25_B, BM25_K1
from course_lib.tune import tune

rng = np.random.default_rng(seed)
show.style()

# %% [markdown]
# ## 1 · Four people, five films
#
# A 1 means *has watched*. Nothing else is known: no title is read, no genre, no rating. Such data are called **implicit feedback** (隐式反馈): nobody said *I like it*, and an empty cell is not a *no*.

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
people_like_ana = cosines_of_rows(R)[0, 1:]  # Bo, Chen, Dina
assert np.allclose(people_like_ana, [0.408, 0.667, 0.408], atol=1e-3)
assert np.allclose(user_based[0, 3:], [0.816, 0.667], atol=1e-3)
assert np.allclose(item_based[0, 3:], [0.816, 1.155], atol=1e-3)

# %% [markdown]
# The same matrix, the same cosine, and two different answers. The reason is one square root. The item-based cosine divides by the number of people who watched the
# *candidate*, so it favours the rare film E. The user-based score divides by nothing of the kind: it adds up votes, so it favours D, which more people watched.
#
# The proof that nothing else differs: leave all lengths away and count shared viewers. Then both become the same sum,
#
# $$\sum_v (RR^\top)_{uv}R_{vi}=(RR^\top R)_{ui}=\sum_j R_{uj}(R^\top R)_{ji}.$$
#
# (Leaving out $v=u$ or $j=i$ changes only films that the person has watched.) *Which rows you normalise decides whom popularity helps.*


# %%
def counts_of_rows(X):
    shared = X @ X.T
    np.fill_diagonal(shared, 0)
    return shared


by_people = counts_of_rows(R) @ R
by_films = R @ counts_of_rows(R.T)
assert np.allclose(by_people[R == 0], by_films[R == 0])
show.table(not_yet_watched(by_films), caption="Shared viewers, both ways")

# %% [markdown]
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
# | | the field | D4 §1.2 |
# |---|---|---|
# | user-based | people like me watched it [Resnick et al. 1994] | the same |
# | item-based | it is like the films that *I* watched: the answer is **a list of films for a person** [Sarwar et al. 2001] | finds possible buyers for an item: **a list of people for a film** |
# | hybrid (混合) | any combination: user- and item-based scores, or behaviour and content [Burke 2002] | user- and item-based, plus item attributes |
#
# D4's item-based question is a good one, only another one: it is what a shop asks when it has a new stock to announce. Both answers stand in the same table of scores: read a row for a person, a
# *column* for a film. But take care with columns: a score is a sum over the films that a person has watched, so people with long histories get high scores for everything. Section 2 shows how much.

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
assert np.nanargmax(np.where(R == 1, np.nan, both)[0]) == films.index("E")
show.say("With equal weights Ana gets **E**: here the item-based half wins.")

# %% [markdown]
# ## 2 · A thousand people
#
# The same on MovieLens. Protocol as in chapters 01 and 04: every rating counts as *watched*; each user's last fifth of the films is the test, the tenth before it the validation. **Every choice is made on
# validation.** The test only reports; nothing is ever chosen by it.

# %%
interactions, catalogue = load_movielens(scale)
split = Split.per_user_chronological(interactions, seed=seed)
assert round(len(split.test) / len(interactions), 1) == 0.2
assert round(len(split.validation) / len(interactions), 1) == 0.1
train, everybody = split.train, np.arange(interactions.n_users)
titles = np.array(catalogue.titles)
METRICS = ("recall@10", "recall@50", "ndcg@10", "coverage@10")


def judge(retriever, truth=split.validation):
    lists = retriever.retrieve(everybody, 50)
    return evaluate(lists, truth.matrix, METRICS, seed=seed)


def without_seen(scores, seen=train, k=50):
    """Lists from a whole matrix of scores [users, films]."""
    scores = np.array(scores, "float32")
    scores[seen.matrix.nonzero()] = -np.inf
    return Candidates.from_catalogue_scores(scores, k)


def with_interval(report, metric="recall@10"):
    return show.interval(report.mean(metric), report.interval(metric))


filled = len(train) / (train.n_users * train.n_items)
show.say(
    f"{train.n_users:,} people × {train.n_items:,} films, and **{1 - filled:.1%} of the cells are empty**."
)

# %% [markdown]
# Libraries keep only the $k$ nearest neighbours of a film. That saves memory; and it is often said that the many small cosines are only noise. First the code, then a look at that belief:


# %%
def item_neighbours(matrix, k):
    """Column i holds the k largest cosines of film i, and zeros."""
    X = matrix.toarray().astype(float)
    X = X / np.maximum(np.linalg.norm(X, axis=0), 1)
    similarity = X.T @ X
    np.fill_diagonal(similarity, 0)
    # Rounded, so that equal cosines tie and the lower id stays.
    rest = np.argsort(-similarity.round(9), axis=0, kind="stable")[k:]
    np.put_along_axis(similarity, rest, 0, axis=0)
    return similarity


ours = item_neighbours(train.matrix, 100)
library = ItemKNN(neighbours=100, weighting="cosine").fit(train)
# at place 100 equal cosines may swap; their sum cannot
assert np.allclose(ours.sum(0), library.similarity.sum(axis=0), rtol=1e-4)
neighbours_of = {"by who watched them": ours}

# %% [markdown]
# How many neighbours? Recall on validation when the lists of neighbours grow from ten to everybody:

# %%
everyone = max(train.n_items, train.n_users)
sizes = [10, 30, 100, 300, everyone]
by_size = {
    (kind.kind, k): judge(kind(k).fit(train))
    for kind in (ItemKNN, UserKNN)
    for k in sizes
}
bar = judge(Popularity().fit(train))

# %% tags=["hide-input"]
figure, axis = plt.subplots(figsize=(5.8, 3))
for kind, marker, colour in (("item", "o", 0), ("user", "s", 2)):
    means = np.array([by_size[kind, k].mean("recall@10") for k in sizes])
    ends = np.array([by_size[kind, k].interval("recall@10") for k in sizes]).T
    axis.errorbar(
        np.arange(5) + (0.05 if kind == "user" else -0.05),
        means,
        yerr=np.abs(ends - means),
        marker=marker,
        color=show.PALETTE[colour],
        capsize=3,
        label=f"{kind}s as neighbours",
    )
axis.axhline(
    bar.mean("recall@10"), color=show.PALETTE[1], ls="--", label="popularity"
)
axis.set(
    xticks=range(5),
    xticklabels=[*sizes[:-1], "all"],
    xlabel="neighbours kept",
    ylabel="Recall@10 (validation)",
    ylim=(0, None),
)
axis.legend(loc="lower center", ncols=3, fontsize=8.5)
show.figure(
    figure,
    alt="Recall at 10 against the number of neighbours kept, one line for films and one for people as neighbours, both above the line of popularity.",
    table=pd.DataFrame(
        {
            f"{kind}s": [with_interval(by_size[kind, k]) for k in sizes]
            for kind in ("item", "user")
        },
        index=pd.Index([*map(str, sizes[:-1]), "all"], name="neighbours kept"),
    ),
    caption="Cosine",
)
keep_all = {
    kind: compare(
        by_size[kind, everyone], by_size[kind, 100], "recall@10", seed=seed
    )
    for kind in ("item", "user")
}
show.say(
    " ".join(
        f"All {kind}s minus the nearest 100: {show.interval(c.difference, c.interval)}, {'so the small cosines **help**' if c.interval[0] > 0 else 'so the small cosines **harm**' if c.interval[1] < 0 else 'so they make no clear difference'}."
        for kind, c in keep_all.items()
    )
    + f" What everybody says about neighbours must be tried on the data at hand. `implicit` keeps {CosineRecommender().K} unless told otherwise."
)

# %% [markdown]
# And the columns? Take the film's best candidate among the people who have not watched it, and ask how long that person's history is.

# %%
scores = np.where(train.matrix.toarray() > 0, -np.inf, train.matrix @ ours)
longer = pd.Series(train.user_counts).rank(pct=True).to_numpy()
found = longer[scores[:, train.item_counts > 0].argmax(axis=0)]
show.say(
    f"In the middle (median), the best person for a film has a longer history than **{np.median(found):.0%}** of all people. So the raw column mostly finds people who watch everything; divide it by the length of the history, or use it with care."
)

# %% [markdown]
# What is like *Toy Story*? Chapter 02 asked the texts. Here is what the viewers say, beside it.

# %%
encoder = TextEncoder("minilm")
text_vectors = encoder.encode(catalogue.describe("title", "year", "genres"))
# centred, as in chapter 04
text_vectors = text_vectors - text_vectors.mean(0, dtype=float)
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
# That two people both watched the most popular film says little; that both watched a rare one says more. So runs the argument, borrowed from text search: weigh a column by its rarity before taking the cosine. With $n$ rows, of which $\text{count}$ have a 1 in this column,
#
# $$w=\log\frac{1+n}{1+\text{count}}\quad(\text{TF-IDF}).$$
#
# **BM25** uses the same $w$, but does not divide a row by its length. It only dampens long rows, by the factor
# $\frac{k_1+1}{k_1(1-b+b\,\text{length}/\text{mean length})+1}$ with $k_1=1.2$, $b=0.75$, and takes the dot product; so a long row keeps some of its weight. Chapter 04 searched words with it; here the "words" of a film are its viewers, and those of a person the films.

# %%
assert (BM25_K1, BM25_B) == (1.2, 0.75)
weightings = {
    (kind.kind, weighting): judge(kind(100, weighting).fit(train))
    for kind in (ItemKNN, UserKNN)
    for weighting in ("cosine", "tfidf", "bm25")
}
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

# %%
clear = [
    f"{weighting} for {kind}s ({'better' if c.difference > 0 else 'worse'} than cosine)"
    for (kind, weighting), report in weightings.items()
    if (
        c := compare(report, weightings[kind, "cosine"], "recall@10", seed=seed)
    ).is_clear
]
by_counts = evaluate(
    without_seen(train.matrix @ counts_of_rows(train.matrix.T.toarray())),
    split.validation.matrix,
    METRICS,
    seed=seed,
)
for w in ("cosine", "tfidf", "bm25"):
    items, users = weightings["item", w], weightings["user", w]
    assert compare(items, bar, "recall@10", seed=seed).interval[0] > 0
    assert compare(users, bar, "recall@10", seed=seed).interval[0] > 0
    assert items.mean("coverage@10") > users.mean("coverage@10")
    assert users.mean("coverage@10") > by_counts.mean("coverage@10")
show.say(
    f"With no training at all, every row is clearly above popularity. Rarity weights: the argument is good, the effect is mixed; clear differences are {', '.join(clear) or 'none'}. The last column: films as neighbours show more different films than people do, "
    f"and plain counts, with no length divided out on either side, show only {by_counts.mean('coverage@10') * len(titles):.0f}. That is the square root of section 1 at work."
)

# %% [markdown]
# ## 3 · ALS: a vector for everybody
#
# Neighbours compare rows as they are. **Matrix factorisation** (矩阵分解) gives every person a short vector $x_u$ and every film a short vector $y_i$, and wants $x_u^\top y_i$ to be large where there is a 1.
#
# But what about the empty cells? Say we ask only that watched pairs score 1. Then *all vectors equal, of length 1* is a perfect solution: everything scores 1, and nothing is ranked. The empty cells must weigh something. Yet an empty cell is not a "no": usually
# the person has never heard of the film. Hu, Koren and Volinsky (2008) therefore separate **preference** $p_{ui}\in\{0,1\}$ from **confidence** (置信度) $c_{ui}$: a watched film is a confident 1, an empty cell an unconfident 0.
#
# $$L=\sum_{u,i}c_{ui}\,(p_{ui}-x_u^\top y_i)^2+\lambda\Big(\sum_u\|x_u\|^2+\sum_i\|y_i\|^2\Big),\qquad c_{ui}=\begin{cases}\alpha&\text{watched}\\1&\text{empty}\end{cases}$$
#
# (In the paper a watched cell weighs $1+\alpha r$, with $r$ the number of times; in `implicit`, and here, it weighs $\alpha$.) The term with $\lambda$ is the regularisation (正则化): it keeps the vectors short.
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
# Then hold the people still and solve for the films, and so on in turns: **alternating least squares** (交替最小二乘). Each turn solves its half exactly, so $L$ can only fall. Let us see all of it run.


# %%
def solve(fixed, taken, regularization, alpha=1.0, empty=1.0):
    """Best vectors [n, d] for the rows of `taken` [n, m]; `fixed` [m, d] stays."""
    d = fixed.shape[1]
    outer = (fixed[:, :, None] * fixed[:, None, :]).reshape(-1, d * d)
    of_taken = (taken @ outer).reshape(-1, d, d)
    left = empty * fixed.T @ fixed + (alpha - empty) * of_taken
    left += regularization * np.eye(d)
    return np.linalg.solve(left, alpha * (taken @ fixed)[:, :, None])[:, :, 0]


# %%
watched = train.matrix.toarray() > 0


def loss(users, items, regularization, alpha):
    weights = np.where(watched, alpha, 1)
    misses = weights * (watched - users @ items.T) ** 2
    return misses.sum() + regularization * (
        np.square(users).sum() + np.square(items).sum()
    )


items = np.random.default_rng(seed).normal(0, 0.1, (train.n_items, 16))
fall = []
for _ in range(3):
    users = solve(items, train.matrix, 10, alpha=5)
    fall.append(loss(users, items, 10, alpha=5))
    items = solve(users, train.matrix.T.tocsr(), 10, alpha=5)
    fall.append(loss(users, items, 10, alpha=5))
assert np.all(np.diff(fall) < 0)

library = ALS(factors=32, regularization=10, alpha=5, seed=seed).fit(train)
by_hand = solve(library.item_factors, train.matrix, 10, alpha=5)
assert np.allclose(by_hand, library.user_factors, atol=1e-3)
show.say(
    f"L after each half turn: {' → '.join(f'{x:,.0f}' for x in fall)}. It only falls. And given the same films' vectors, `solve` and `implicit` agree on all {by_hand.size:,} numbers of the users' vectors, to three decimals."
)

# %% [markdown]
# (While it trains, `implicit` saves time: three steps of the conjugate gradient method (共轭梯度法) instead of each exact solution [Takács et al. 2011].)
#
# ### What are the empty cells worth?
#
# Our `solve` lets the weight of an empty cell vary from 0 (only what was watched counts) to 1. The claim above was that at 0 there is nothing to rank by. Another weight may want another $\lambda$, so each gets three of them.


# %%
def factorise(empty, regularization, turns=4, d=16):
    items = np.random.default_rng(seed).normal(0, 0.1, (train.n_items, d))
    for _ in range(turns):
        users = solve(items, train.matrix, regularization, empty=empty)
        items = solve(
            users, train.matrix.T.tocsr(), regularization, empty=empty
        )
    return users @ items.T


def judge_scores(scores):
    lists = without_seen(scores)
    return evaluate(lists, split.validation.matrix, METRICS, seed=seed)


weights, strengths = [0, 0.01, 0.1, 1], [0.01, 3, 10]
predicted = {(w, s): factorise(w, s) for w in weights for s in strengths}
by_weight = {key: judge_scores(p) for key, p in predicted.items()}
best_strength = {
    w: max(strengths, key=lambda s: by_weight[w, s].mean("recall@10"))
    for w in weights
}

# %% tags=["hide-input"]
figure, axis = plt.subplots(figsize=(5.6, 3))
for s, colour, marker in zip(strengths, (5, 2, 0), "^so", strict=True):
    means = np.array([by_weight[w, s].mean("recall@10") for w in weights])
    ends = np.array([by_weight[w, s].interval("recall@10") for w in weights]).T
    axis.errorbar(
        np.arange(4) + 0.05 * (strengths.index(s) - 1),
        means,
        yerr=np.abs(ends - means),
        marker=marker,
        color=show.PALETTE[colour],
        capsize=3,
        label=f"ALS, λ = {s}",
    )
axis.axhline(
    bar.mean("recall@10"), color=show.PALETTE[1], ls="--", label="popularity"
)
axis.set(
    xticks=range(4),
    xticklabels=weights,
    xlabel="weight of an empty cell (not to scale)",
    ylabel="Recall@10 (validation)",
    ylim=(0, None),
)
axis.legend()
crowd = Popularity().fit(train).retrieve(everybody, 10).ids


def shared_with(lists, others):
    """Share of two sets of top tens that is the same."""
    same = lists[:, :10, None] == others[:, None, :10]
    return same.sum() / lists[:, :10].size


show.figure(
    figure,
    alt="Recall at 10 against the weight of an empty cell, one line for each lambda. At weight zero all lines are at popularity or below; at weight one they are far above it.",
    table=[
        {
            "empty cell weighs": str(w),
            "λ": str(s),
            "Recall@10": with_interval(by_weight[w, s]),
            "mean prediction, watched": predicted[w, s][watched].mean(),
            "mean prediction, empty": predicted[w, s][~watched].mean(),
            "top ten shared with popularity": f"{shared_with(without_seen(predicted[w, s]).ids, crowd):.0%}",
        }
        for w in weights
        for s in (strengths if w == 0 else [best_strength[w]])
    ],
    caption="At weight 0 every λ is shown, at the others the best.",
)
for s in strengths:
    gap = compare(by_weight[0, s], bar, "recall@10", seed=seed)
    assert gap.interval[0] <= 0  # not clearly above popularity
    assert by_weight[1, s].mean("recall@10") > bar.mean("recall@10")
assert predicted[0, 0.01][watched].mean() > 0.99
assert predicted[0, 0.01][~watched].mean() > 0.7
weighted, ten = (
    compare(
        by_weight[w, best_strength[w]],
        by_weight[v, best_strength[v]],
        "recall@10",
        seed=seed,
    )
    for w, v in ((1, 0), (1, 0.1))
)
show.say(
    f"At weight 0 and next to no λ the model says *yes* to almost every cell, and its lists are poor. A larger λ brings them near popularity, and no further: it shortens the vectors of films with few viewers more. Weighing an empty cell as much as a watched one adds **{show.interval(weighted.difference, weighted.interval)}** to Recall@10: "
    f"the information is in what people did *not* watch, too. How much exactly it weighs matters less: 1 minus 0.1 is {show.interval(ten.difference, ten.interval)}."
)

# %% [markdown]
# ### The best fit is not the best list
#
# $\lambda$ pulls the vectors towards zero. `implicit` comes with 100 factors and $\lambda=0.01$. Let it grow, and look at two numbers: the error on the training cells, and the recall on validation.

# %%
as_it_comes = AlternatingLeastSquares()
assert (as_it_comes.factors, as_it_comes.regularization) == (100, 0.01)
regularizations = [as_it_comes.regularization, 3, 10, 100]
fits = {x: ALS(regularization=x, seed=seed).fit(train) for x in regularizations}
errors = [
    np.square(watched - m.user_factors @ m.item_factors.T).mean()
    for m in fits.values()
]
by_lambda = {x: judge(m) for x, m in fits.items()}

# %% tags=["hide-input"]
figure, (left, right) = plt.subplots(1, 2, figsize=(7.6, 2.8), sharex=True)
left.plot(range(4), errors, "s-", color=show.PALETTE[1])
left.set(
    xticks=range(4),
    xticklabels=regularizations,
    xlabel="λ (not to scale)",
    ylabel="mean squared error (training)",
    ylim=(0, None),
)
means = np.array([r.mean("recall@10") for r in by_lambda.values()])
ends = np.array([r.interval("recall@10") for r in by_lambda.values()]).T
right.errorbar(
    range(4),
    means,
    yerr=np.abs(ends - means),
    fmt="o-",
    color=show.PALETTE[0],
    capsize=3,
)
right.set(
    xlabel="λ (not to scale)", ylabel="Recall@10 (validation)", ylim=(0, None)
)
show.figure(
    figure,
    alt="Two curves over lambda. The training error rises all the way. Recall on validation is highest in the middle and lowest where lambda is largest.",
    table=pd.DataFrame(
        {
            "training error": errors,
            "Recall@10": [with_interval(r) for r in by_lambda.values()],
        },
        index=pd.Index([str(x) for x in regularizations], name="λ"),
    ),
    caption="ALS as implicit comes (100 factors, α = 1), but for λ",
)
assert np.all(np.diff(errors) > 0)
assert means.argmax() in (1, 2) and means.argmin() == 3
middle = regularizations[means.argmax()]
gap = compare(by_lambda[middle], by_lambda[0.01], "recall@10", seed=seed)
show.say(
    f"The smallest training error does not give the best list: λ = {middle} minus λ = 0.01 is {show.interval(gap.difference, gap.interval)} in Recall@10{'' if gap.is_clear else ', which is not clear'}. Too large a λ ruins both."
)

# %% [markdown]
# ## 4 · BPR: only the order counts
#
# ALS predicts ones and zeros, although nobody will ever see the predictions: a list shows only their **order**. **BPR** (贝叶斯个性化排序), by Rendle et al. (2009), trains the order itself. For a person $u$, a film $i$ that she watched and a film $j$ that she did not, write
# $x_{uij}=x_u^\top y_i-x_u^\top y_j$ and say that she prefers $i$ with probability
#
# $$P(i>_u j)=\sigma(x_{uij})=\frac1{1+e^{-x_{uij}}} .$$
#
# If all such comparisons are independent, and the vectors have a normal prior, the logarithm of the posterior (后验) is
#
# $$\ln\prod_{(u,i,j)}\sigma(x_{uij})\cdot e^{-\lambda\|\Theta\|^2}=\sum_{(u,i,j)}\ln\sigma(x_{uij})-\lambda\|\Theta\|^2 .$$
#
# Every watched film of a person makes a triple with each of her empty cells: far too many. So we draw some at random and climb. From $\sigma'=\sigma(1-\sigma)$ follows $\frac{d}{dx}\ln\sigma(x)=1-\sigma(x)=\sigma(-x)$, and so, up to the prior,
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
# Now climb: $d$ numbers a person and a film, and one more place for how liked a film is in general (its *bias*). One step for a batch of triples at a time:


# %%
def climb(draw, d=16, passes=20, rate=0.1, pull=0.01, batch=4096):
    """Vectors of users and films; draw(rng, n) proposes n films as j."""
    rng = np.random.default_rng(seed)
    X, Y = (rng.normal(0, 0.1, (n, d + 1)) for n in train.matrix.shape)
    for _ in range(passes * len(train) // batch):
        drawn = rng.integers(len(train), size=batch)
        u, i, j = train.users[drawn], train.items[drawn], draw(rng, batch)
        u, i, j = (a[~watched[u, j]] for a in (u, i, j))
        X[:, -1] = 1  # the last place of a film is its bias
        push = 1 / (1 + np.exp((X[u] * (Y[i] - Y[j])).sum(1, keepdims=True)))
        steps = push * (Y[i] - Y[j]), push * X[u], -push * X[u]
        for V, rows, step in zip((X, Y, Y), (u, i, j), steps, strict=True):
            np.add.at(V, rows, rate * (step - pull * V[rows]))
    X[:, -1] = 1
    return X, Y


def any_film(rng, n):
    return rng.integers(train.n_items, size=n)


def film_of_any_event(rng, n):
    return rng.choice(train.items, n)


# %% [markdown]
# Where does the film $j$ come from? In the paper from all films alike. `implicit` does something else (its source, `implicit/cpu/bpr.pyx`): it draws another *event* of the log and takes its film. Then a film is a $j$ as often as it is watched. It looks like a detail. Both ways by hand, each with the better of two step sizes, beside `implicit`. And for
# each the AUC on validation: how often a film that the person will watch stands above one that she will not, over all such pairs.


# %%
def better_climb(draw):
    orders = [
        np.dot(X, Y.T) for X, Y in (climb(draw, rate=r) for r in (0.03, 0.1))
    ]
    return max(orders, key=lambda o: judge_scores(o).mean("recall@10"))


def order_of(model):
    model.fit(train)
    return model.user_factors.astype(float) @ model.item_factors.T


orders = {
    "BPR by hand, j any film": better_climb(any_film),
    "BPR by hand, j film of any event": better_climb(film_of_any_event),
    "BPR of implicit": order_of(BPR(factors=16, seed=seed)),
    "ALS, λ = 3": order_of(ALS(16, regularization=3, seed=seed)),
    "popularity": np.tile(train.item_counts, (train.n_users, 1)),
}
future = np.where(watched, -1, split.validation.matrix.toarray()).astype(int)
by_order = {name: judge_scores(scores) for name, scores in orders.items()}
aucs = {n: np.nanmean(auc(scores, future)) for n, scores in orders.items()}
show.table(
    pd.DataFrame(
        {
            "AUC (validation)": list(aucs.values()),
            "Recall@10 (validation)": [
                with_interval(r) for r in by_order.values()
            ],
            "films in all top tens": [
                round(r.mean("coverage@10") * len(titles))
                for r in by_order.values()
            ],
        },
        index=pd.Index(by_order, name="order by"),
    ),
    caption="16 numbers a vector",
)

# %%
by_any, by_event, of_implicit, by_als, _ = by_order.values()
draws_differ = compare(by_any, by_event, "recall@10", seed=seed)
to_als = compare(by_als, by_any, "recall@10", seed=seed)
any_auc, event_auc, implicit_auc, als_auc, popular_auc = aucs.values()
assert any_auc > max(event_auc, implicit_auc) + 0.03
assert by_event.mean("coverage@10") > by_any.mean("coverage@10")
show.say(
    f"The detail moves the AUC from {event_auc:.3f} (an event's film) to **{any_auc:.3f}** (any film), and `implicit` stands with the events. Popularity alone has {popular_auc:.3f}. The reason: a film that is as often a j as it is an i is pushed down as often as up, so how popular it is cancels, and the model keeps taste alone. It shows more different films. "
    f"The top ten feels less of it: any film minus an event's film is {show.interval(draws_differ.difference, draws_differ.interval)} in Recall@10{'' if draws_differ.is_clear else ', which is not clear'}."
)
show.say(
    f"And the aim itself? BPR climbs, smoothly, towards a high AUC. ALS has an AUC of {als_auc:.3f}, BPR by hand {any_auc:.3f}; in Recall@10 ALS minus BPR is {show.interval(to_als.difference, to_als.interval)}. "
    + (
        "A method can be behind in AUC and ahead in the top ten: "
        if to_als.interval[0] > 0 and als_auc < any_auc
        else "AUC and top ten are two questions: "
    )
    + "the AUC counts every pair alike, a list only its first places. Chapter 06 comes back to it."
)

# %% [markdown]
# One more look at the factor $\sigma(-x_{uij})$: a pair that is already in the right order by a wide margin hardly pushes any more. How many random pairs still do, at the end?

# %%
drawn = rng.integers(len(train), size=20_000)
who, liked = train.users[drawn], train.items[drawn]
other = any_film(rng, len(drawn))
who, liked, other = (a[~watched[who, other]] for a in (who, liked, other))
order = orders["BPR by hand, j any film"]
push = 1 / (1 + np.exp(order[who, liked] - order[who, other]))
near = (order > np.sort(order, axis=1)[:, [-51]])[who, other].mean()

# %% tags=["hide-input"]
figure, axis = plt.subplots(figsize=(5.6, 2.8))
axis.hist(push, np.linspace(0, 1, 41), color=show.PALETTE[0])
axis.set(
    xlabel="push σ(−x) of a random training pair at the end",
    ylabel="number of pairs",
)
show.figure(
    figure,
    alt="Histogram of the push of random training pairs at the end: a pile at zero and a long, thin tail to one.",
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
)
show.say(
    f"{(push < 0.1).mean():.0%} of the random pairs have little left to teach, and only {near:.1%} of them have a j among the person's first fifty, where lists are decided."
)

# %% [markdown]
# ## 5 · EASE: one matrix, one inverse
#
# Item neighbours score with $XB$, where $X$ is the matrix of who watched what and $B$ holds cosines that somebody *chose*. Steck (2019) asks: why not **learn** $B$, so that $XB$ reproduces $X$ as well as possible?
#
# $$\min_B\;\|X-XB\|_F^2+\lambda\|B\|_F^2\qquad\text{so that}\quad\operatorname{diag}(B)=0 .$$
#
# Without the condition, $B=I$ makes the first term zero: every film predicts itself, and nothing is learned. With it, a film must be predicted from the *other* films.
#
# ### The closed form, derived
#
# A condition goes in with a Lagrange multiplier (拉格朗日乘子) each, $\gamma_i$ for $B_{ii}=0$. The derivative of
#
# $$\|X-XB\|_F^2+\lambda\|B\|_F^2+2\,\gamma^\top\operatorname{diag}(B)$$
#
# by $B$ must vanish. After division by 2: $-X^\top(X-XB)+\lambda B+\operatorname{diag}(\gamma)=0$, where $\operatorname{diag}(\gamma)$ is the diagonal matrix with $\gamma$ on it. So $(X^\top X+\lambda I)B=X^\top X-\operatorname{diag}(\gamma)$. Write $P=(X^\top X+\lambda I)^{-1}$:
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
    "Seven lines; equal to `course_lib`, and the gradient is zero everywhere off the diagonal. The objective is convex, so this is the optimum."
)

# %% [markdown]
# ### It can say no
#
# A cosine of counts is never negative. A learned weight may be: *watched this, so rather not that*. Does the "no" matter? Set the negative weights to zero, change nothing else, and see.

# %%
only_yes = judge_scores(train.matrix @ np.maximum(B, 0))
with_no = judge_scores(train.matrix @ B)
no_counts = compare(with_no, only_yes, "recall@10", seed=seed)
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
    "they help"
    if no_counts.interval[0] > 0
    else "they harm"
    if no_counts.interval[1] < 0
    else "no clear difference here"
)
show.say(
    f"{(B < 0).mean():.0%} of the weights are negative. Recall@10 with them minus without them: {show.interval(no_counts.difference, no_counts.interval)}, {verdict_on_no}."
)

# %% [markdown]
# ## 6 · The same budget for everybody
#
# Every method has settings (hyperparameters, 超参数). A comparison in which one method is tuned and the others run with defaults measures the tuning. So **every retriever gets the same budget of trials**, drawn from a grid of its own and judged by Recall@10 on validation; a grid with fewer
# combinations is tried whole. The winner is fitted again on training and validation together. `course_lib.tune` does it, and keeps what was tried.

# %%
budget = 8
text = dict(features=text_vectors, name="text (BERT)")
grids = {
    "popularity": (Popularity, {}),
    "text (BERT)": (
        lambda **settings: FeatureRetriever(**text, **settings),
        {
            "user": ["mean", "recency"],
            "measure": ["cosine", "dot", "euclidean"],
        },
    ),
    "item-KNN": (
        ItemKNN,
        {
            "neighbours": [30, 100, 300, train.n_items],
            "weighting": ["cosine", "tfidf", "bm25"],
        },
    ),
    "user-KNN": (
        UserKNN,
        {
            "neighbours": [30, 100, 300, train.n_users],
            "weighting": ["cosine", "tfidf", "bm25"],
        },
    ),
    "ALS": (
        ALS,
        {
            "factors": [16, 32, 64],
            "regularization": [1, 3, 10, 30],
            "alpha": [1, 5],
            "seed": [seed],
        },
    ),
    "BPR": (
        BPR,
        {
            "factors": [32, 100],
            "learning_rate": [0.003, 0.01, 0.03],
            "regularization": [0.003, 0.01, 0.03],
            "seed": [seed],
        },
    ),
    "EASE": (
        EASE,
        {"regularization": [20, 50, 100, 200, 500, 1000, 2000, 5000]},
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


def at_the_end(name):
    """Settings that won with the first or last of three or more numbers."""
    for setting, values in grids[name][1].items():
        numbers = [v for v in values if not isinstance(v, str)]
        if len(numbers) > 2 and tuned[name].best[setting] in (
            min(numbers),
            max(numbers),
        ):
            yield setting


show.table(
    pd.DataFrame(
        {
            "tried": [
                f"{len(t.trials)} of {t.possible}" for t in tuned.values()
            ],
            "worst": [t.trials["mean"].min() for t in tuned.values()],
            "best": [t.trials["mean"].max() for t in tuned.values()],
            "settings that won": [described(t.best) for t in tuned.values()],
            "at an end of their list": [
                ", ".join(at_the_end(name)) or "–" for name in tuned
            ],
        },
        index=pd.Index(tuned, name="retriever"),
    ),
    caption=f"Recall@10 on validation, at most {budget} trials each",
)

# %% [markdown]
# The last column is a warning sign: a winner at the end of its list says that a longer list might hold something better. (*All* neighbours is a natural end.)

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
defaults = {
    "item-KNN": ItemKNN(CosineRecommender().K),
    "ALS": ALS(seed=seed),
    "BPR": BPR(seed=seed),
}
by_default = {n: judge(m.fit(train)) for n, m in defaults.items()}
for name, report in by_default.items():
    axis.plot(
        report.mean("recall@10"),
        list(tuned).index(name),
        "x",
        ms=9,
        mew=2.5,
        color=show.PALETTE[1],
        label="implicit's defaults" if name == "BPR" else None,
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
    alt="One row a retriever, a dot for each trial, a diamond for the winner, a cross for the defaults of implicit. Every collaborative winner lies to the right of popularity, and popularity to the right of text.",
    table=[
        {
            "retriever": n,
            "implicit's defaults": r.mean("recall@10"),
            "best trial": tuned[n].trials["mean"].max(),
        }
        for n, r in by_default.items()
    ],
    caption="How much the settings matter",
)
best_trial = {name: t.trials["mean"].max() for name, t in tuned.items()}
assert best_trial["text (BERT)"] < best_trial["popularity"]
assert all(best_trial[n] > best_trial["popularity"] for n in list(tuned)[2:])

# %% [markdown]
# The winner of several trials is a little lucky on validation. The test, used now for the first time, does not know about the luck.

# %%
history = split.train_and_validation
tested = {name: judge(t.retriever, split.test) for name, t in tuned.items()}
as_they_come = {
    name: judge(model.fit(history), split.test)
    for name, model in defaults.items()
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
    + " Defaults are somebody's guess for somebody's data. You cannot know without trying."
)

# %% [markdown]
# ## 7 · The test
#
# Also in the race: the hybrid of user- and item-based neighbours. Its parts keep the settings found above; five values are tried for its one weight. (So in all the hybrid has had more trials than either part. If it wins, remember that.)

# %%
PARTS = {
    "user + item": ("user-KNN", "item-KNN"),
    "user + item + text": ("user + item", "text (BERT)"),
    "EASE + text": ("EASE", "text (BERT)"),
    "text + popularity": ("text (BERT)", "popularity"),
}


def anew(name, **changed):
    """A new, unfitted retriever with the settings that won."""
    settings = {**tuned[name].best, **changed}
    if name in PARTS:
        return Hybrid(*(anew(part) for part in PARTS[name]), **settings)
    return grids[name][0](**settings)


def tune_hybrid(name):
    return tune(
        lambda weight: Hybrid(*(anew(p) for p in PARTS[name]), weight=weight),
        {"weight": [0.1, 0.3, 0.5, 0.7, 0.9]},
        split,
        "recall@10",
        budget=budget,
        catalogue=catalogue,
        seed=seed,
    )


tuned["user + item"] = tune_hybrid("user + item")
tested["user + item"] = judge(tuned["user + item"].retriever, split.test)

# %% tags=["hide-input"]
in_order = sorted(tested, key=lambda name: -tested[name].mean("recall@10"))
show.figure(
    show.forest_plot({name: tested[name] for name in in_order}, "recall@10"),
    alt="Forest plot of Recall at 10 on the test part, best first. All collaborative methods lie to the right of popularity; text is last.",
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
    caption=f"Test part; settings chosen on validation, at most {budget} trials for each retriever and for the weight of the hybrid",
)
assert in_order[-2:] == ["popularity", "text (BERT)"]

# %% [markdown]
# Which of these differences are real? Six methods against popularity, and the winner *on validation* against the others: many comparisons, and one in twenty intervals misses by chance. (To pick the winner by the test would favour the lucky one.) **Holm's** correction (霍尔姆校正) raises the p-values accordingly (chapter 06 derives it).

# %%
cf = ["user-KNN", "item-KNN", "user + item", "ALS", "BPR", "EASE"]
pairs = [(name, "popularity") for name in cf]
best_trial["user + item"] = tuned["user + item"].trials["mean"].max()
leader = max(cf, key=best_trial.get)
pairs += [(leader, name) for name in cf if name != leader]
pairs += [("user + item", p) for p in PARTS["user + item"]]
pairs = list(dict.fromkeys(pairs))  # each pair once
comparisons = {
    pair: compare(tested[pair[0]], tested[pair[1]], "recall@10", seed=seed)
    for pair in pairs
}
adjusted = holm([c.p_value for c in comparisons.values()])
p_of = dict(zip(pairs, adjusted, strict=True))
show.table(
    [
        {
            "difference in Recall@10": f"{a} − {b}",
            "paired": show.interval(c.difference, c.interval),
            "p after Holm": f"{p:.3f}",
            "clear?": "yes" if p < 0.05 else "no",
        }
        for ((a, b), c), p in zip(comparisons.items(), adjusted, strict=True)
    ],
    caption=f"The winner on validation is {leader}",
)


# %%
def clearly(a, b):
    return p_of[a, b] < 0.05 and comparisons[a, b].difference > 0


above = [name for name in cf if clearly(name, "popularity")]
helps = [p for p in PARTS["user + item"] if clearly("user + item", p)]
show.say(
    f"{len(above)} of {len(cf)} collaborative methods are clearly above popularity; user- and item-based neighbours reach {tested['user-KNN'].mean('recall@10') / tested['popularity'].mean('recall@10'):.1f} "
    f"and {tested['item-KNN'].mean('recall@10') / tested['popularity'].mean('recall@10'):.1f} times its recall. "
    f"Their hybrid is clearly better than {' and '.join(helps) or 'neither part'}"
    + (
        ": the two views complete each other."
        if len(helps) == 2
        else ". That is no surprise: the two are views of the *same* matrix."
    )
    + " (BPR here is that of `implicit`, with the draw that section 4 describes.)"
)

# %% [markdown]
# ### A newcomer
#
# Somebody registers today and names two films. Nobody trains a model again for that. Neighbours and EASE score *any* row of 0 and 1, and ALS solves one least-squares problem for it: they **fold in** (折叠并入). BPR would need new gradient steps, and refuses.

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
# What the text knows is *not* in the matrix. So attributes should add more than a second view of the same matrix does. D4's hybrid, taken by the word, is user + item + attributes; beside it EASE + text. Each gets one more weight, and five values for it.

# %%
for name in ("text + popularity", "user + item + text", "EASE + text"):
    tuned[name] = tune_hybrid(name)
    tested[name] = judge(tuned[name].retriever, split.test)
    best_trial[name] = tuned[name].trials["mean"].max()


def difference(a, b):
    return compare(tested[a], tested[b], "recall@10", seed=seed)


gains = {
    "both − user-KNN": difference("user + item", "user-KNN"),
    "both − item-KNN": difference("user + item", "item-KNN"),
    "both + text − both": difference("user + item + text", "user + item"),
    "EASE + text − EASE": difference("EASE + text", "EASE"),
    "EASE − text (BERT)": difference("EASE", "text (BERT)"),
    "EASE − (text + popularity)": difference("EASE", "text + popularity"),
}

# %% tags=["hide-input"]
show.figure(
    show.forest_plot(gains),
    alt="Forest plot of six paired differences in Recall at 10. EASE is far ahead of text and less far ahead of text plus popularity; what hybrids add to their parts is small beside that.",
    table=pd.DataFrame(
        {
            "paired difference in Recall@10": [
                show.interval(c.difference, c.interval) for c in gains.values()
            ],
            "clear?": ["yes" if c.is_clear else "no" for c in gains.values()],
        },
        index=pd.Index(gains, name=" "),
    ),
    caption="What each addition brings, on the test part (warm films); both: user + item",
)
by_ease = gains["EASE − text (BERT)"].difference
assert all(abs(c.difference) < by_ease / 2 for c in list(gains.values())[:4])

# %%
sentences = []
for mixed, alone in (
    ("user + item + text", "user + item"),
    ("EASE + text", "EASE"),
):
    on_validation = best_trial[mixed] - best_trial[alone]
    on_test = difference(mixed, alone)
    sentences.append(
        f"To **{alone}** the text added {on_validation:.3f} on validation, and adds {show.interval(on_test.difference, on_test.interval)} on the test, which is "
        + ("clear" if on_test.is_clear else "not clear")
        + (
            ": what was chosen on validation flatters."
            if on_test.difference < on_validation
            else "."
        )
    )
won_weights = ", ".join(f"{n}: {tuned[n].best['weight']}" for n in PARTS)
show.say(
    f"{' '.join(sentences)} Weights of the first part that won: {won_weights}. Where a gain is not clear, the upper end of its interval says how large it may still be."
)

# %% [markdown]
# Now hide a tenth of the films completely, as in chapter 04: **cold** films, which nobody in training has watched. For collaborative filtering a cold film is a column of zeros. Its cosine with anything is 0; its ALS vector solves $(\dots)y=0$, so $y=0$; its
# column of $B$ is 0 since $P$ splits into blocks. There is nothing to rank by, and `course_lib` does not offer such a film at all.
#
# Settings that are good for warm films need not be good for cold ones. So another tenth of the films is hidden for validation, and the text and the weight of EASE + text are tuned on it. (For the final fit these films come back.)

# %%
cold = Split.cold_items(interactions, seed=seed)
known = cold.train_and_validation


def tune_cold(make, grid):
    return tune(
        make,
        grid,
        cold,
        "recall@10",
        budget=budget,
        catalogue=catalogue,
        seed=seed,
    )


cold_text = tune_cold(*grids["text (BERT)"])


def for_cold(weight):
    text = grids["text (BERT)"][0](**cold_text.best)
    return Hybrid(anew("EASE"), text, weight=weight)


cold_mix = tune_cold(for_cold, {"weight": [0.02, 0.1, 0.3, 0.5, 0.7]})
on_cold = {
    name: judge(anew(name).fit(known, catalogue), cold.test)
    for name in ("item-KNN", "ALS", "EASE", "popularity", "EASE + text")
}
tuned_for_cold = "EASE + text, tuned for cold"
on_cold["text (BERT)"] = judge(cold_text.retriever, cold.test)
on_cold[tuned_for_cold] = judge(cold_mix.retriever, cold.test)
tested[tuned_for_cold] = judge(
    for_cold(**cold_mix.best).fit(history, catalogue), split.test
)
coldly = [*on_cold]
assert all(
    on_cold[name].mean("recall@50") == 0
    for name in ("item-KNN", "ALS", "EASE", "popularity")
)

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 2, figsize=(7.8, 3), sharex=True, sharey=True)
for axis, (title, reports) in zip(
    axes, {"warm films": tested, "cold films": on_cold}.items(), strict=True
):
    for row, name in enumerate(coldly):
        low, high = reports[name].interval("recall@10")
        axis.barh(
            row,
            reports[name].mean("recall@10"),
            color=show.PALETTE[1 if "text" in name else 0],
            height=0.6,
        )
        axis.plot([low, high], [row, row], color="black", lw=1.2)
    axis.set(
        title=title,
        xlabel="Recall@10 (test)",
        yticks=range(len(coldly)),
        yticklabels=coldly,
    )
    axis.locator_params(axis="x", nbins=5)
axes[0].invert_yaxis()
show.figure(
    figure,
    alt="Two bar charts of Recall at 10. On warm films the collaborative methods are far ahead of text. On cold films they and popularity are exactly zero; text finds some.",
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
    caption="Orange: with text. On the left every setting was tuned on warm films, but for the last row; on the right text alone was tuned on cold ones, too.",
)

# %%
warm_gap, cold_gap = (
    gains["EASE − text (BERT)"],
    compare(on_cold["text (BERT)"], on_cold["EASE"], "recall@10", seed=seed),
)
mixed_gap = compare(
    on_cold[tuned_for_cold], on_cold["text (BERT)"], "recall@10", seed=seed
)
show.say(
    f"Warm: EASE is ahead of the text by {show.interval(warm_gap.difference, warm_gap.interval)}. Cold: the text is ahead by {show.interval(cold_gap.difference, cold_gap.interval)}, and EASE is 0 **by construction**. "
    f"The weighted sum cannot have both: with the weight for warm films (EASE {tuned['EASE + text'].best['weight']:.2f}) its cold recall is {on_cold['EASE + text'].mean('recall@10'):.3f}; with the weight for cold films (EASE {cold_mix.best['weight']:.2f}) it is {with_interval(on_cold[tuned_for_cold])}, "
    f"{show.interval(mixed_gap.difference, mixed_gap.interval)} beside the text alone, and its warm recall is {with_interval(tested[tuned_for_cold])}. In this sum a film that only the text offers starts with the lowest EASE score there is. Cold films want a place of their own (chapter 10, not written yet)."
)

# %% [markdown]
# ### The first viewers of a new film
#
# A new film does not stay without viewers. Neighbours, ALS and EASE can fold in an *item*, too: from the people who have watched it since. Give each hidden film its first one, three or ten viewers, and ask who comes after the tenth. The candidates are the new films only, a shelf as in
# chapter 04; nothing is trained again.

# %%
late = cold.test
ties = seeded_hash(late.users, late.items, seed)
in_time = np.lexsort((ties, late.timestamps, late.items))
arrival = pd.Series(late.items[in_time]).groupby(late.items[in_time]).cumcount()
place = np.empty(len(late), int)
place[in_time] = arrival
after = late.select(place >= 10)
new = np.flatnonzero(after.item_counts)
taken = late.select(place < 10).matrix[:, new].toarray() > 0


def on_the_shelf(scores):
    """Lists of new films only, without those that the user was a first viewer of."""
    whole = np.full((len(everybody), len(titles)), -np.inf, "float32")
    whole[:, new] = np.where(taken, -np.inf, scores)
    lists = Candidates.from_catalogue_scores(whole, 10)
    return evaluate(lists, after.matrix, ("recall@10",), seed=seed)


first_viewers = [1, 3, 10]
shelf = {}
for name in ("item-KNN", "ALS", "EASE"):
    model = anew(name).fit(known)
    for n in first_viewers:
        takers = late.select(place < n).matrix[:, new].T.tocsr()
        shelf[name, n] = on_the_shelf(model.score_new_items(everybody, takers))
every_new = np.tile(new, (len(everybody), 1))
shelf_text = on_the_shelf(cold_text.retriever.score(everybody, every_new))
table = pd.DataFrame(
    {
        f"{n} viewers" if n > 1 else "1 viewer": [
            with_interval(shelf[name, n])
            for name in ("item-KNN", "ALS", "EASE")
        ]
        for n in first_viewers
    },
    index=pd.Index(["item-KNN", "ALS", "EASE"], name="Recall@10"),
)
show.table(
    table,
    caption=f"A shelf of {len(new)} new films; the text, which needs no viewer, reaches {with_interval(shelf_text)}",
)
against_text = {
    name: compare(shelf[name, 10], shelf_text, "recall@10", seed=seed)
    for name in ("item-KNN", "ALS", "EASE")
}
ahead = [n for n, c in against_text.items() if c.interval[0] > 0]
behind = [n for n, c in against_text.items() if c.interval[1] < 0]
show.say(
    "After ten viewers, minus the text: "
    + "; ".join(
        f"{name} {show.interval(c.difference, c.interval)}"
        for name, c in against_text.items()
    )
    + f". Clearly ahead of the text: {', '.join(ahead) or 'none'}; clearly behind: {', '.join(behind) or 'none'}. Fold-in gives a film a place at once, without training again."
)

# %%
kinds = ["user-KNN", "item-KNN", "user + item", "user + item + text"]
over_popularity = {n: difference(n, "popularity") for n in kinds}
kinds_p = holm([c.p_value for c in over_popularity.values()])
clear_kinds = [
    n
    for (n, c), p in zip(over_popularity.items(), kinds_p, strict=True)
    if c.difference > 0 and p < 0.05
]
attribute_gain = difference("user + item + text", "user + item")
parts_gain = {p: difference("user + item", p) for p in PARTS["user + item"]}
learn.verdict(
    "D4-01",
    "works"
    if len(clear_kinds) == len(kinds)
    else "depends"
    if clear_kinds
    else "no effect",
    "Judged against popularity {popularity} (Recall@10): user-based {user}, item-based {item}, both {hybrid}, both with attributes {all_three}; {clear} of {kinds} are clearly above it (Holm). "
    "Combining is another matter: both together gain {over_user} over user-based and {over_item} over item-based, and attributes (film texts) add {attributes} to both. In the field item-based means films for a person; buyers for a film are a column of the same scores, which favours people with long histories.",
    numbers={
        **{
            k: (tested[n].mean("recall@10"), tested[n].interval("recall@10"))
            for k, n in zip(
                ("user", "item", "hybrid", "all_three", "popularity"),
                (*kinds, "popularity"),
                strict=True,
            )
        },
        "clear": len(clear_kinds),
        "kinds": len(kinds),
        "over_user": (
            parts_gain["user-KNN"].difference,
            parts_gain["user-KNN"].interval,
        ),
        "over_item": (
            parts_gain["item-KNN"].difference,
            parts_gain["item-KNN"].interval,
        ),
        "attributes": (attribute_gain.difference, attribute_gain.interval),
    },
    data=interactions.name,
    scale=scale,
    scope="warm films; attributes: all-MiniLM-L6-v2, 22.7 million parameters, frozen and centred; title, year, genres",
)

# %% [markdown]
# ## 9 · Less and less data
#
# D4 §1.1 says that sparse data (稀疏性), cold start and a lack of diversity limit collaborative filtering. Thin each user's history at random to 50, 25 and 10 %, and ask the same question of the same test part. Three cares for fairness: the thin sets are *nested*; films that were
# thinned out stay out of the lists, so everybody ranks the same candidates; and each method is **tuned again** on validation at each step (at most 3 trials), because settings that suit full data need not suit a tenth of it.


# %%
def thin(part, share):
    """Keep this share of each user's interactions; smaller shares are subsets."""
    draw = pd.Series(seeded_hash(part.users, part.items, seed))
    return part.select(
        (draw.groupby(part.users).rank(pct=True) <= share).to_numpy()
    )


three = ["cosine", "tfidf", "bm25"]
again = {
    "item-KNN": {"neighbours": [train.n_items], "weighting": three},
    "user-KNN": {"neighbours": [300], "weighting": three},
    "ALS": {"regularization": [10, 30, 100], "alpha": [5]},
    "EASE": {"regularization": [20, 200, 2000]},
    "text (BERT)": {"user": ["mean", "recency"]},
    "popularity": {},
    "text + popularity": {"weight": [0.3, 0.5, 0.7]},
}


# %%
every_film = np.tile(np.arange(train.n_items), (len(everybody), 1))


def at_share(name, share):
    """Test report and best validation mean, tuned and fitted on thin data."""

    def lists(settings, part):
        model = anew(name, **settings).fit(thin(part, share), catalogue)
        return without_seen(model.score(everybody, every_film), part)

    trials = ParameterGrid(again[name])
    means = [
        evaluate(lists(t, train), split.validation.matrix, METRICS).mean(
            "recall@10"
        )
        for t in trials
    ]
    report = evaluate(
        lists(trials[int(np.argmax(means))], history),
        split.test.matrix,
        (*METRICS, "average_popularity@10"),
        train=history,
        seed=seed,
    )
    return report, max(means)


shares = [1, 0.5, 0.25, 0.1]
really = [len(thin(train, share)) / len(train) for share in shares]
assert np.allclose(really, [1, 0.5, 0.25, 0.1], atol=0.02)
thin_methods = [*again]
thinned = {(name, 1): tested[name] for name in thin_methods}
when_tuned = {}
for share in shares[1:]:
    for name in thin_methods:
        thinned[name, share], when_tuned[name, share] = at_share(name, share)

# %% tags=["hide-input"]
figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.1))
for (name, colour), marker in zip(
    zip(thin_methods, map(show.colour, thin_methods), strict=True),
    "o>vsDP^",
    strict=True,
):
    reports = [thinned[name, share] for share in shares]
    means, ends = (
        np.array([r.mean("recall@10") for r in reports]),
        np.array([r.interval("recall@10") for r in reports]).T,
    )
    left.errorbar(
        np.arange(4) + 0.05 * (thin_methods.index(name) - 3),
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
    alt="Left: recall at 10 as histories shrink from 100 to 10 percent. The collaborative methods start highest and fall by more than popularity. Right: the share of the catalogue that stands in all top tens together; text covers most of it.",
    table=pd.DataFrame(
        {
            f"{s:.0%}": [with_interval(thinned[n, s]) for n in thin_methods]
            for s in shares
        },
        index=pd.Index(thin_methods, name="Recall@10"),
    ),
    caption="Thinner and thinner histories; every method with settings is tuned again at every step",
)
assert all(thinned["text (BERT)", s].mean("coverage@10") > 0.5 for s in shares)


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
# Look at the last column. When two films share one viewer, their cosine is the taste of one person; and if both films are rare, that cosine is large. The rare film then stands first in a list.

# %%
models = ["item-KNN", "user-KNN", "ALS", "EASE"]
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
draws = np.random.default_rng(seed).integers(
    len(everybody), size=(1_000, len(everybody))
)


def kept(name, chosen=everybody):
    """Recall with a tenth of the histories over recall with all, for these users."""
    thin_one, whole = (
        thinned[name, s].per_user["recall@10"][chosen].mean(axis=-1)
        for s in (0.1, 1)
    )
    return thin_one / whole


beside_text = {
    n: tuple(
        np.percentile(kept(n, draws) - kept("text (BERT)", draws), [2.5, 97.5])
    )
    for n in thin_methods
}
show.table(
    pd.DataFrame(
        {
            "100 % → 10 %": [
                show.interval(c.difference, c.interval) for c in falls.values()
            ],
            "of it kept": [f"{kept(n):.0%}" for n in thin_methods],
            "kept, minus what text keeps": [
                "–"
                if n == "text (BERT)"
                else show.interval(
                    kept(n) - kept("text (BERT)"), beside_text[n], 2
                )
                for n in thin_methods
            ],
            "viewers of a listed film at 10 %, share of all people": [
                thinned[n, 0.1].mean("average_popularity@10")
                for n in thin_methods
            ],
        },
        index=pd.Index(thin_methods, name="Recall@10"),
    )
)
assert all(falls[n].difference < falls["popularity"].difference for n in models)
films_of, people_of = (
    thinned[n, 0.1].mean("average_popularity@10")
    for n in ("item-KNN", "user-KNN")
)
assert films_of < people_of
still = [f"{s:.0%}" for s in shares if lead[s].interval[0] > 0]
strongest = max(models, key=lambda n: when_tuned[n, 0.1])
thinnest = compare(
    thinned[strongest, 0.1],
    thinned["text + popularity", 0.1],
    "recall@10",
    seed=seed,
)
show.say(
    f"With a tenth, films as neighbours list films that {films_of:.1%} of the people have watched, people as neighbours {people_of:.1%}: votes of many people add up to popularity where little else is known, and that saves them. "
    f"EASE is clearly above popularity with {', '.join(still) or 'none'} of the histories. With a tenth, {strongest} is the strongest of the four on validation; on the test, minus *text + popularity*, which never looks at other "
    f"people's histories except to count them, it is {show.interval(thinnest.difference, thinnest.interval)}: "
    f"{'the text has overtaken behaviour' if thinnest.interval[1] < 0 else 'behaviour still leads' if thinnest.interval[0] > 0 else 'the two cannot be told apart'}."
)

# %% [markdown]
# And diversity (多样性)? There are two: how much of the catalogue is shown to *anybody* (coverage, 覆盖率), and how different the ten films of *one* list are (intra-list diversity: 1 minus the mean cosine of two of its films). The second needs a yardstick, and whoever chooses the yardstick chooses the winner:
# the text picks films that are *described* alike, collaborative filtering picks films that are *watched* by the same people. So measure with both.

# %%
yardsticks = {"text": text_vectors, "viewers": csr_array(history.matrix.T)}
profiles, spread = {}, {}
for name in thin_methods:
    lists = tuned[name].retriever.retrieve(everybody, 10)
    profiles[name] = evaluate(
        lists,
        split.test.matrix,
        ("coverage@10", "average_popularity@10"),
        train=history,
        seed=seed,
    )
    for stick, vectors in yardsticks.items():
        spread[name, stick] = evaluate(
            lists,
            split.test.matrix,
            ("intra_list_diversity@10",),
            item_vectors=vectors,
            seed=seed,
        )
show.table(
    pd.DataFrame(
        {
            "films in all top tens": [
                round(r.mean("coverage@10") * len(titles))
                for r in profiles.values()
            ],
            **{
                f"diversity of a list by {stick}": [
                    with_interval(spread[n, stick], "intra_list_diversity@10")
                    for n in thin_methods
                ]
                for stick in yardsticks
            },
            "viewers of a listed film, share of all people": [
                with_interval(r, "average_popularity@10")
                for r in profiles.values()
            ],
        },
        index=pd.Index(profiles, name="retriever"),
    ),
    caption="All data; 0: all films of a list alike",
)

# %%
within = {
    (n, stick): compare(
        spread[n, stick],
        spread["text (BERT)", stick],
        "intra_list_diversity@10",
        seed=seed,
    )
    for n in models
    for stick in yardsticks
}


def narrower(stick):
    high, low = (
        max(within[n, stick].interval[1] for n in models),
        min(within[n, stick].interval[0] for n in models),
    )
    return "narrower" if high < 0 else "wider" if low > 0 else "mixed"


narrow_catalogue = all(
    profiles[n].mean("coverage@10")
    < profiles["text (BERT)"].mean("coverage@10")
    for n in models
)
sparse = [n for n in models if beside_text[n][1] < 0]
limits = [
    len(sparse) == len(models),
    cold_gap.interval[0] > 0,
    narrow_catalogue,
    *(narrower(stick) == "narrower" for stick in yardsticks),
]
learn.verdict(
    "D4-02",
    "supported" if all(limits) else "depends" if any(limits) else "refuted",
    "Measured beside the text. Sparsity: with a tenth of the histories EASE changes by {fall}; {sparse} of {models} methods keep a clearly smaller part of their recall than the text does. Cold start: {cold}; Recall@10 is 0 by construction where the text has {text}. "
    "Diversity: the catalogue shown is {catalogue} ({shown} of all films for EASE and the text); single lists are {by_text} if the text measures (EASE minus text {within_text}) and {by_viewers} if the viewers do ({within_viewers}).",
    numbers={
        "fall": (falls["EASE"].difference, falls["EASE"].interval),
        "sparse": len(sparse),
        "models": len(models),
        "cold": "yes" if limits[1] else "not clearly",
        "text": (
            on_cold["text (BERT)"].mean("recall@10"),
            on_cold["text (BERT)"].interval("recall@10"),
        ),
        "catalogue": "narrower" if narrow_catalogue else "not narrower",
        "shown": f"{profiles['EASE'].mean('coverage@10'):.0%} and {profiles['text (BERT)'].mean('coverage@10'):.0%}",
        "by_text": narrower("text"),
        "by_viewers": narrower("viewers"),
        "within_text": (
            within["EASE", "text"].difference,
            within["EASE", "text"].interval,
        ),
        "within_viewers": (
            within["EASE", "viewers"].difference,
            within["EASE", "viewers"].interval,
        ),
    },
    data=interactions.name,
    scale=scale,
    scope="compared with all-MiniLM-L6-v2, 22.7 million parameters, frozen and centred; title, year, genres",
)

# %% [markdown]
# ## 10 · Expensive and unstable?
#
# D1 §1 says that classic recall costs much and wavers. Cost first. Times differ from machine to machine, so they are measured apart (`python course.py benchmark cf`), stored, and read here. BERT's fit includes the encoding of all films; loading the encoder is not counted. The settings are usual ones, given in the table, not the winners of section 6.

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
            "settings": pd.Series(timing["settings"]),
        }
    ).loc[list(median["fit"].index)],
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
order = total.sort_values(kind="stable").index
for row, name in enumerate(order):
    axis.plot(
        total[name],
        row,
        "D" if name == bert else "o",
        ms=8,
        color=show.PALETTE[1 if name == bert else 0],
    )
axis.set(
    yticks=range(len(order)),
    yticklabels=order,
    xscale="log",
    xlim=(total.min() / 2, total.max() * 2),
    xlabel="fit + queries of everybody, seconds (logarithmic)",
)
axis.invert_yaxis()
show.figure(
    figure,
    alt="Points on a logarithmic axis: seconds to fit and to answer everybody. Retrieval by encoded text takes longest, popularity least.",
    table=pd.DataFrame(
        {
            "times as fast as BERT": cheaper.sort_values(
                ascending=False, kind="stable"
            )
        }
    ),
    caption="The stored measurement, fit and queries added",
)
assert order[-1] == bert and order[0] == "popularity"

# %% [markdown]
# In fairness: an encoder reads each film once, while a collaborative model must be fitted again when people have watched more; EASE's inverse grows with the third power of the number of films. How the costs *grow* is a question for chapter 12, not written yet.
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
    shared = np.mean([shared_with(lists[0].ids, x.ids) for x in lists[1:]])
    values = tested[name].values("recall@10")
    by_users = values.std(ddof=1) / np.sqrt(len(values))
    wobble[name] = np.std(recalls, ddof=1) / by_users
    rows.append(
        {
            "model": name,
            "lowest": min(recalls),
            "highest": max(recalls),
            "standard deviation": np.std(recalls, ddof=1),
            "standard error over users": by_users,
            "films shared by two top tens": f"{shared:.0%}",
        }
    )
show.table(rows, caption="Five seeds, Recall@10 on the test part")

# %%
show.say(
    f"Over seeds the average has a deviation of {wobble['ALS']:.0%} (ALS) and {wobble['BPR']:.0%} (BPR) of the standard error over users: {'the choice of users matters more than the seed' if max(wobble.values()) < 1 else 'the seed can matter as much as the choice of users'}. And the *lists*? Two seeds agree on "
    f"{rows[0]['films shared by two top tens']} and {rows[1]['films shared by two top tens']} of a top ten. A stable average may hide an unstable experience."
)

# %% [markdown]
# ### Time windows
#
# The same system in other months: cut the time line into five stretches of equal numbers of ratings. In each of the last four, the second half of what a user watched there is the test, and everything before is history. (Settings stay those of section 6. Some of these test events were among the data that chose them, so the levels flatter a little; the question here is only how they waver.)

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


def judge_those_tested(retriever, truth):
    users = np.flatnonzero(truth.user_counts)
    lists = retriever.retrieve(users, 10)
    return evaluate(lists, truth.matrix[users], ("recall@10",), seed=seed)


over_time = {
    (name, w): judge_those_tested(anew(name).fit(past, catalogue), test)
    for name in METHODS
    for w, (past, test) in enumerate(windows)
}

# %% tags=["hide-input"]
figure, axis = plt.subplots(figsize=(6.6, 3.2))
for (name, colour), marker in zip(
    zip(METHODS, map(show.colour, METHODS), strict=True), "sov^D<P", strict=True
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
    alt="Recall at 10 with intervals in four time windows, one line a method. All other methods stay above text in every window.",
    table=pd.DataFrame(
        {
            f"window {w + 1}": [with_interval(over_time[n, w]) for n in METHODS]
            for w in range(4)
        },
        index=pd.Index(METHODS, name="Recall@10"),
    ),
    caption=f"Users tested in the windows: {', '.join(str(len(over_time['EASE', w].values('recall@10'))) for w in range(4))}",
)
assert all(
    over_time[n, w].mean("recall@10")
    > over_time["text (BERT)", w].mean("recall@10")
    for n in METHODS[:-1]
    for w in range(4)
)

# %% [markdown]
# How much does a method waver *relative to its level*? Take the standard deviation of the four means over their average. Part of it is chance, because each window has other users: the second column says how much chance alone would give.
#
# Is CF's larger than BERT's? Draw the users of each window again and again, the same for both. Each draw adds chance of its own, and more of it to the method with fewer hits; reflecting the interval at the estimate (the *basic* bootstrap) takes that shift out.


# %%
def wavering(name, chosen):
    means = np.array(
        [
            over_time[name, w].values("recall@10")[chosen[w]].mean(-1)
            for w in range(4)
        ]
    )
    return means.std(axis=0, ddof=1) / means.mean(axis=0)


def by_chance(name):
    values = [over_time[name, w].values("recall@10") for w in range(4)]
    errors = [v.var(ddof=1) / len(v) for v in values]
    return np.sqrt(np.mean(errors)) / np.mean([v.mean() for v in values])


n_tested = [len(over_time["EASE", w].values("recall@10")) for w in range(4)]
draws = [rng.integers(n, size=(1_000, n)) for n in n_tested]
all_users = [np.arange(n) for n in n_tested]
gap = {
    n: wavering(n, all_users) - wavering("text (BERT)", all_users)
    for n in METHODS[:-1]
}
gap_interval = {}
for n in gap:
    drawn = wavering(n, draws) - wavering("text (BERT)", draws)
    low, high = np.percentile(drawn, [2.5, 97.5])
    gap_interval[n] = (2 * gap[n] - high, 2 * gap[n] - low)
show.table(
    pd.DataFrame(
        {
            "deviation ÷ mean over windows": [
                wavering(n, all_users) for n in METHODS
            ],
            "by chance alone": [by_chance(n) for n in METHODS],
            "minus BERT's": [
                show.interval(gap[n], gap_interval[n]) if n in gap else "–"
                for n in METHODS
            ],
        },
        index=pd.Index(METHODS, name="method"),
    )
)
width = np.mean([high - low for low, high in gap_interval.values()]) / 2
show.say(
    f"Four windows are a blunt tool: only differences of about {width:.2f} and more would show."
)


# %% tags=["rule", "hide-input"]
def rule_D1_02_cost(dearest_ratio, cheapest_ratio):
    """How many times as fast as the encoded text the slowest and the fastest classic method are."""
    margin = 2  # the smallest effect that a verdict about speed may rest on: a ratio of 2
    if cheapest_ratio <= 1 / margin:
        return "supported"  # even the fastest of them costs twice as much
    if dearest_ratio >= margin:
        return "refuted"
    return "undecided"


# %%
classic = METHODS[:-1]
costs_much = rule_D1_02_cost(
    dearest_ratio=cheaper[classic].min(), cheapest_ratio=cheaper[classic].max()
)
wavers = {
    n: "more" if low > 0 else "less" if high < 0 else "cannot be told"
    for n, (low, high) in gap_interval.items()
}
unstable = all(v == "more" for v in wavers.values())
stable = all(v == "less" for v in wavers.values()) and max(wobble.values()) < 1
learn.verdict(
    "D1-02",
    "supported"
    if costs_much == "supported" and unstable
    else "refuted"
    if costs_much == "refuted" and stable
    else "depends",
    "Cost: fit and queries together, {cheaper} of {methods} classic methods are at least twice as fast as BERT with its encoding (the slowest of them by a factor of {least}). "
    "Stability: over seeds the recall varies by {seeds} of its standard error over users at most, though two top tens of BPR share only {shared} of their films; over four time windows {more} methods waver clearly more than BERT, {less} clearly less, {open} cannot be told (only differences of about {width} would show).",
    numbers={
        "cheaper": int((cheaper[classic] >= 2).sum()),
        "methods": len(classic),
        "least": f"{cheaper[classic].min():.1f}",
        "seeds": f"{max(wobble.values()):.0%}",
        "shared": rows[1]["films shared by two top tens"],
        "more": sum(v == "more" for v in wavers.values()),
        "less": sum(v == "less" for v in wavers.values()),
        "open": sum(v == "cannot be told" for v in wavers.values()),
        "width": f"{width:.2f}",
    },
    data=f"{interactions.name}; times from the stored measurement",
    scale=scale,
    scope="all-MiniLM-L6-v2, 22.7 million parameters, on a processor without accelerator; title, year, genres; catalogues of this size",
)

# %% [markdown]
# ## Exercises
#
# Replace each `...`, run the cell, and read what comes back. (If Python does not know `learn`, run the first code cells of the chapter.) `learn.hint("05.1")` gives a hint, three times.
#
# **05.1** Eva is new and has watched A and B. Fold her in: what is the *item-based* score of film C for her, with the film similarities of the 4 × 5 matrix of section 1 as they are? (No neighbours are cut off.) Give the number to three decimals, or compute it.

# %% tags=["exercise"]
score_of_c = ...

learn.check("05.1", score_of_c)

# %% [markdown] tags=["solution"]
# <details>
# <summary>Show a solution</summary>
#
# A (1 viewer) and C (3 viewers) share Ana. B (3 viewers) and C share Ana and Chen.
#
# ```python
# score_of_c = 1 / np.sqrt(1 * 3) + 2 / np.sqrt(3 * 3)
# ```
#
# </details>

# %% [markdown]
# **05.2** Write `als_user(items, watched, regularization, alpha)`: `items` is `[n, d]`, `watched` a list of film numbers. It returns the vector `[d]` that minimises the loss of section 3 for this person. An empty cell weighs 1.

# %% tags=["exercise"]
als_user = ...

learn.check("05.2", als_user)

# %% [markdown] tags=["solution"]
# <details>
# <summary>Show a solution</summary>
#
# All films stand in the first sum once; each watched film then comes (alpha − 1) times more.
#
# ```python
# def als_user(items, watched, regularization, alpha):
#     own = items[watched]
#     left = items.T @ items + (alpha - 1) * own.T @ own
#     left = left + regularization * np.eye(items.shape[1])
#     return np.linalg.solve(left, alpha * own.sum(axis=0))
# ```
#
# </details>

# %% [markdown]
# **05.3** Somebody forgets the condition $\operatorname{diag}(B)=0$ of EASE and lets $\lambda\to0$ (suppose that $X^\top X$ has an inverse). What does $B$ tend to? Choose `"all zeros"`, `"the identity"`, `"the cosine matrix"` or `"the inverse of the gram matrix"`.

# %% tags=["exercise"]
without_condition = ...

learn.check("05.3", without_condition)

# %% [markdown] tags=["solution"]
# <details>
# <summary>Show a solution</summary>
#
# $B=(X^\top X+\lambda I)^{-1}X^\top X$, and that tends to the identity: every film predicts itself.
#
# ```python
# without_condition = "the identity"
# ```
#
# </details>

# %% [markdown]
# **05.4** You hand the matrix of MovieLens to an item-based recommender **transposed**, and there is no error. What does one of its lists then contain, and for whom? Give a tuple `(contents, receiver)` out of `"films"` and `"people"`: first what stands in the list, then what it is made for.

# %% tags=["exercise"]
contents, receiver = ..., ...

learn.check("05.4", (contents, receiver))

# %% [markdown] tags=["solution"]
# <details>
# <summary>Show a solution</summary>
#
# The rows are now films and the columns people: each film gets a list of people.
#
# ```python
# contents, receiver = "people", "films"
# ```
#
# </details>

# %% [markdown]
# ## What to read
#
# - P. Resnick, N. Iacovou, M. Suchak, P. Bergstrom, J. Riedl: *GroupLens: An Open Architecture for Collaborative Filtering of Netnews*. CSCW 1994, 175–186. User neighbours.
# - B. Sarwar, G. Karypis, J. Konstan, J. Riedl: *Item-Based Collaborative Filtering Recommendation Algorithms*. WWW 2001, 285–295. Item neighbours, and why they scale.
# - R. Burke: *Hybrid Recommender Systems: Survey and Experiments*. User Modeling and User-Adapted Interaction 12(4), 2002, 331–370. The ways to combine.
# - Y. Hu, Y. Koren, C. Volinsky: *Collaborative Filtering for Implicit Feedback Datasets*. ICDM 2008, 263–272. Preference and confidence; section 3 follows it.
# - G. Takács, I. Pilászy, D. Tikk: *Applications of the Conjugate Gradient Method for Implicit Feedback Collaborative Filtering*. RecSys 2011, 297–300. How `implicit` saves time.
# - S. Rendle, C. Freudenthaler, Z. Gantner, L. Schmidt-Thieme: *BPR: Bayesian Personalized Ranking from Implicit Feedback*. UAI 2009, arXiv:1205.2618. Section 4.
# - H. Steck: *Embarrassingly Shallow Autoencoders for Sparse Data*. WWW 2019, arXiv:1905.03375. Section 5.
# - A. Milogradskii et al.: *Revisiting BPR: A Replicability Study of a Common Recommender System Baseline*. RecSys 2024, arXiv:2409.14217. What implementations and tuning do to one baseline; compare section 4.
#
# **You can now** build a recommender that never reads a word, tune it fairly, and say where it must fail. It knows taste from company; the text knows films that have none yet. Chapter 06 asks how far the numbers of this chapter can be trusted.
