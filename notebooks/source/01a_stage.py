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
# # 01a · Background: the recall stage (召回)
#
# *Ten places on the screen, a whole catalogue behind it. What never becomes a candidate can never be shown.*
#
# After this lesson you will be able to
#
# - say what the recall stage does, and keep it apart from the metric that has the same name;
# - retrieve films for a person in three classic ways: by keyword, by content, by behaviour;
# - compute what a miss at the recall stage costs at the end, even behind a perfect ranker;
# - find your way on the map of the course, and in its environment.
#
# You need: Python with a little numpy. About 65 minutes. How to judge whether one list is *better* than another is lesson 01b.

# %% [markdown] quoted="3.8" reason="D1 and D5 ask for it"
# ## The documents say
#
# Five documents (D1 to D5) on recall with large models are the subject of this course. What they say about the stage, in our words:
#
# | id | where | statement | what we do |
# |---|---|---|---|
# | D1-01 | D1 §1 | recall cuts a huge catalogue down to what a user may want, without losing good items | draw the funnel, price a miss |
# | D1-03 | D1 §2.1 | five notions belong together | draw our own map |
# | D5-01 | D5 §2.1 | six terms are introduced | look them up, in two languages |
# | D1-36, D5-20 | D1 §5.1, D5 §5.1 | install with conda, Python 3.8, no versions | run into the consequence, check ours |

# %% tags=["parameters"]
scale = "small"  # "small" is what the book shows; "full" runs the same code on more data
seed = 0

# %%
from importlib import metadata
from importlib.util import find_spec
from io import StringIO
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
import transformers
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version
from sklearn.preprocessing import normalize

import course_lib
from course_lib import evaluate, learn, show
from course_lib.data import Split, load_movielens
from course_lib.registers import read_glossary, read_ledger
from course_lib.retrieve import (
    Candidates,
    FeatureRetriever,
    KeywordRetriever,
    Popularity,
    Random,
    genre_features,
)

show.style()

# %% [markdown]
# ## 1 · One word, two meanings
#
# The documents write *recall* for two things. We keep them apart from the first page on:
#
# - the **stage**: *candidate retrieval*, or the recall stage (召回). It picks a few hundred candidates out of the whole catalogue;
# - the **metric**: *Recall@K* (召回率@K). Of all items that turn out to be relevant, which share is among the first K?
#
# What comes after the stage is *ranking* (排序): a slower, finer model puts the candidates in order, and the top of that order reaches the screen.
#
# ## 2 · Three classic ways to recall, for one person
#
# MovieLens holds real ratings of real films by real people. A rating is used here as a sign of interest: this person rated that film. Each person's
# **last** films are hidden (the test part), and we ask which method would have found them.
# (The time is that of the rating, not of the evening in the cinema.)

# %%
interactions, catalogue = load_movielens(scale)
split = Split.per_user_chronological(interactions, seed=seed)
train, test = split.train_and_validation, split.test
known, titles = train.matrix, np.array(catalogue.titles)
assert known.shape == (train.n_users, train.n_items)  # people × films

# %% tags=["hide-input"]
hidden_part = test.matrix.nnz / (known.nnz + test.matrix.nnz)
show.say(
    "{people} people, {films} films. {known} ratings are known; the last {part} of each person's, {hidden} in all, are hidden.",
    people=f"{train.n_users:,}",
    films=f"{train.n_items:,}",
    known=f"{known.nnz:,}",
    part=f"{hidden_part:.0%}",
    hidden=f"{test.matrix.nnz:,}",
)

# %% [markdown]
# We want somebody whose taste we can read. Of all people with 20 to 60 known films, take the one with the largest share of children's films.

# %%
genres = genre_features(catalogue)  # [films, genres], 0 or 1
genre_names = sorted({name for row in catalogue.rows["genres"] for name in row})
share = (known @ genres)[:, genre_names.index("Children's")] / np.maximum(
    train.user_counts, 1
)
few = (train.user_counts >= 20) & (train.user_counts <= 60)
person = int(np.where(few, share, -1).argmax())
seen, hidden = known[[person]].indices, test.matrix[[person]].indices

# %% tags=["hide-input"]
show.say(
    "**Known, {n} films:** {films}",
    n=len(seen),
    films=" · ".join(titles[seen]),
)
show.say(
    "**Hidden, {n} films, rated later:** {films}",
    n=len(hidden),
    films=" · ".join(titles[hidden]),
)

# %% [markdown]
# Would you have guessed some of the hidden ones? So can a machine, in three ways.
#
# ### By keyword (关键词召回)
#
# Split every film's text into words and look for words that it shares with a query. BM25, the standard score, gives rare words more weight than common ones.
# It needs nobody's history: type something. (For a person, the query is made of all words of all films that they know.)

# %% tags=["first-result"]
keyword = KeywordRetriever(fields=("title", "genres")).fit(train, catalogue)
query = "a dog adventure for children"
answers = titles[keyword.search([query], 5).ids[0]]
show.table(pd.DataFrame({query: answers}, index=range(1, 6)))

# %% [markdown]
# ### By content (内容召回)
#
# Describe each film by its genres, a row of zeros and ones. A person is the mean of their films. Rank the films by the cosine (余弦)
# between the two, the subject of chapter 02.

# %%
content = FeatureRetriever(genres, "genres").fit(train, catalogue)

# %% tags=["hide-input"]
profile = genres[seen].mean(0)
largest = np.argsort(-profile, kind="stable")[:3]
show.say(
    "Our person as a mean of films, the three largest genres: {parts}.",
    parts=", ".join(f"{genre_names[i]} {profile[i]:.0%}" for i in largest),
)

# %% [markdown]
# ### By behaviour (行为召回)
#
# Forget what films *are*; look at who rated them. Let $n_i$ be the number of people who know film $i$, and $n_{ij}$ the number who know both $i$ and $j$.
# Then
#
# $$s_{ij}=\frac{n_{ij}}{\sqrt{n_i\,n_j}}$$
#
# is again a cosine, that of two columns of the zero-one matrix. Films that the same people know are *neighbours* (邻居); a candidate's score is its mean similarity to the films that the person knows.
# Amazon published this idea, item-to-item collaborative filtering (基于物品的协同过滤), in 2003 [Linden et al.]; chapter 05 goes on from here. The whole method by hand:

# %% tags=["algorithm"]
both = (known.T @ known).toarray()  # n_ij; the diagonal holds n_i
n = np.maximum(both.diagonal(), 1)
similarity = both / np.sqrt(np.outer(n, n))
score = similarity[seen].mean(0)
new = np.setdiff1d(np.arange(len(score)), seen)  # a known film is no find
ten_by_hand = new[np.argsort(-score[new], kind="stable")][:10]

# %% [markdown]
# The library does the same as a mean of unit columns (`normalize`), compared by the dot product:

# %%
neighbours = FeatureRetriever(
    normalize(known.T.tocsr()), "item neighbours", measure="dot"
).fit(train)
every_film = np.arange(train.n_items)[None]
by_library = neighbours.score(np.array([person]), every_film)[0]
assert np.allclose(by_library, score, atol=1e-5)

# %% [markdown]
# ### Four lists for one person
#
# Beside the three stands the simplest list of all: **popularity** (热门), the same for everybody. Films that the person knows are always left out. A ✓ marks
# a hidden film: a hit.

# %%
popularity = Popularity().fit(train)
channels = {
    "popularity": popularity,
    "keywords": keyword,
    "genres": content,
    "item neighbours": neighbours,
}
ten = {
    name: channel.retrieve(np.array([person]), 10).ids[0]
    for name, channel in channels.items()
}
assert set(ten["item neighbours"]) == set(ten_by_hand)

# %% tags=["hide-input"]
marked = {
    name: [("✓ " if i in hidden else "") + titles[i] for i in ids]
    for name, ids in ten.items()
}
show.table(
    pd.DataFrame(marked, index=range(1, 11)),
    caption="Ten films each for our person",
)
hits = {name: int(np.isin(ids, hidden).sum()) for name, ids in ten.items()}
show.say(
    "Hits: {hits}.",
    hits=", ".join(f"{name} **{count}**" for name, count in hits.items()),
)

# %% [markdown]
# It is tempting to stop here and write an article about the winner. Do not. **One person is an anecdote**, and we picked this one *because*
# their taste shows in the genres. Lesson 01b asks everybody, and the order of the four is another one there.
#
# **01a.1** Write `most_popular(train_matrix, k)`: the ids of the `k` items that most people have, best first, equal counts in order of rising id. `train_matrix` is a sparse
# zero-one matrix, people × items. It is the bar that everything in this course must beat. (`learn.hint("01a.1")` gives a hint, three times.)

# %% tags=["exercise"]
most_popular = ...

learn.check("01a.1", most_popular)

# %% [markdown] tags=["solution"]
# <details>
# <summary>Show a solution</summary>
#
# A stable sort keeps equal counts as they stood, and they stood in order of id.
#
# ```python
# def most_popular(train_matrix, k):
#     counts = np.asarray(train_matrix.sum(axis=0)).ravel()
#     return np.argsort(-counts, kind="stable")[:k]
# ```
#
# </details>

# %% [markdown]
# ### From hits to Recall@K
#
# For user $u$ let $R_u$ be the hidden films and $L_u^K$ the first $K$ of the list:
#
# $$\mathrm{Recall@}K(u)=\frac{|L_u^K\cap R_u|}{|R_u|}$$
#
# The denominator is *all* that could be found, not $K$.


# %% tags=["algorithm"]
def recall_at(k, listed, relevant):
    """The share of the relevant films that stand among the first k."""
    found = 0
    for film in listed[:k]:
        if film in relevant:
            found += 1
    return found / len(relevant)


# %%
everybody = np.arange(train.n_users)
lists = {"popularity": popularity.retrieve(everybody, 1_000)}
report = evaluate.evaluate(lists["popularity"], test.matrix, ["recall@10"])
by_hand = [
    recall_at(10, ids, set(test.matrix[[u]].indices))
    for u, ids in enumerate(lists["popularity"].ids[:50])
]
assert by_hand == list(report.per_user["recall@10"][:50])

# %% [markdown]
# **01a.2** Two lists, and what turned out to be relevant:
#
# | | the list, in this order | K | relevant |
# |---|---|---|---|
# | Ana | 7, 3, 9, 1, 5 | 3 | 1, 3, 4, 8, 9 |
# | Bo | 2, 6, 8, 4, 1 | 4 | 4, 5 |
#
# What is each one's Recall@K?

# %% tags=["exercise"]
recall = {"Ana": ..., "Bo": ...}

learn.check("01a.2", recall)

# %% [markdown] tags=["solution"]
# <details>
# <summary>Show a solution</summary>
#
# Only the first K places count, and the denominator is the number of relevant films. Ana: films 3 and 9 of five. Bo: film 4, at place four, of two.
#
# ```python
# recall = {
#     "Ana": len({7, 3, 9} & {1, 3, 4, 8, 9}) / 5,
#     "Bo": len({2, 6, 8, 4} & {4, 5}) / 2,
# }
# ```
#
# </details>

# %% [markdown]
# ## 3 · The funnel, and what a miss costs
#
# Why two stages at all? Because the model that ranks best is too slow for a whole catalogue (ours is small, and we act as if). Taobao's search goes from billions of goods to tens of thousands,
# thousands and at last dozens [Li et al. 2021]; Twitter took about 1,500 candidates out of some 500 million posts a day [Twitter 2023]. We build the same funnel (漏斗)
# in small: popularity recalls, item neighbours rank.

# %%
K = 100
candidates = lists["popularity"].ids[:, :K]
ranked = Candidates.from_item_scores(
    candidates, neighbours.score(everybody, candidates)
)
relevant = test.matrix.toarray()  # [people, films], 1 = hidden
n_hidden = relevant.sum(1).astype(int)
n_found = np.take_along_axis(relevant, candidates, axis=1).sum(1).astype(int)
n_shown = np.take_along_axis(relevant, ranked.ids[:, :10], axis=1).sum(1)
assert (candidates >= 0).all() and (n_shown <= n_found).all()

# %% tags=["hide-input"]
stages = ["catalogue", "not yet seen", f"candidates (K = {K})", "on the screen"]
unseen = train.n_items - train.user_counts.mean()
kept = [n_hidden.mean(), n_hidden.mean(), n_found.mean(), n_shown.mean()]
funnel = pd.DataFrame(
    {
        "films": [f"{count:,.0f}" for count in (train.n_items, unseen, K, 10)],
        "hidden films still in": [f"{count:.1f}" for count in kept],
    },
    index=pd.Index(stages, name="stage"),
)
figure, axes = plt.subplots(1, 2, figsize=(7.6, 2.5), sharey=True)
widths = [np.array([train.n_items, unseen, K, 10]), np.array(kept)]
for axis, column, width, colour in zip(
    axes, funnel, widths, show.PALETTE, strict=False
):
    axis.barh(stages, width, left=-width / 2, color=colour, height=0.75)
    for stage, value in enumerate(funnel[column]):
        axis.text(width.max() * 0.53, stage, value, va="center")
    limits = (-width.max() * 0.55, width.max() * 0.75)
    axis.set(title=column, xlim=limits, xticks=[])
    axis.tick_params(left=False)
    axis.grid(False)
    axis.spines[:].set_visible(False)
axes[0].invert_yaxis()
axes[0].set_xlabel("width: number of films")
axes[1].set_xlabel("width: mean count per person")
show.figure(
    figure,
    alt="Two funnels side by side, both narrowing from the catalogue over the unseen films and the candidates to the screen: one counts films, "
    "the other the hidden films that are still among them.",
    table=funnel,
    caption="Means per person, each funnel on its own scale. A hidden film that is lost at one level is missing on all below it; few of the films hold many of the hidden ones.",
)

# %% [markdown]
# ### A bound without any model
#
# The final list is a subset of the candidates, so it cannot hold more hits than they do. The best that **any** ranker can do is to put all hits
# on top. If $h_u$ of the $|R_u|$ relevant films are among the candidates, a list of ten reaches at most
#
# $$\mathrm{Recall@10}\le\frac{\min(10,h_u)}{|R_u|},\qquad
# \mathrm{NDCG@10}\le\frac{\sum_{r=1}^{\min(10,h_u)}1/\log_2(r+1)}{\sum_{r=1}^{\min(10,|R_u|)}1/\log_2(r+1)} .$$
#
# (NDCG (归一化折损累计增益) rewards hits more the higher they stand: a hit at place $r$ counts $1/\log_2(r+1)$, divided by the best possible sum.)


# %% tags=["algorithm"]
def best_ndcg(found, relevant, k=10):
    """NDCG@k of a perfect ranker: the `found` hits stand on top."""
    places = np.arange(1, k + 1)
    gains = 1 / np.log2(places + 1)
    reached = gains[: min(k, found)].sum()
    possible = gains[: min(k, relevant)].sum()
    return reached / possible


# %% [markdown]
# A *perfect ranker* is easy to write, because we can cheat: it scores each candidate by the hidden truth. It reaches the bound, to the last digit.


# %%
def behind(ids, scores):
    """Report of the ten best of the candidates `ids`, by `scores`; both are [people, K]."""
    return evaluate.evaluate(
        Candidates.from_item_scores(ids, scores),
        test.matrix,
        ["ndcg@10", "recall@10"],
        seed=seed,
    )


def perfect(ids):
    return behind(ids, np.take_along_axis(relevant, ids, axis=1))


ceiling = perfect(candidates)
bound = [
    best_ndcg(found, possible)
    for found, possible in zip(n_found, n_hidden, strict=True)
]
assert np.allclose(bound, ceiling.per_user["ndcg@10"])

# %% [markdown]
# Now turn the one dial of the recall stage, the number of candidates $K$.

# %%
sizes = [10, 20, 50, 100, 200, 500, 1_000]
channels["random"] = Random(seed).fit(train)
ceilings = {}
for name in ["item neighbours", "popularity", "random"]:
    lists[name] = channels[name].retrieve(everybody, 1_000)
    ceilings[name] = {
        size: perfect(lists[name].ids[:, :size]) for size in sizes
    }

# %% tags=["hide-input"]
show.curves(
    ceilings,
    "ndcg@10",
    x="candidates K (logarithmic)",
    y="highest possible NDCG@10",
    log=True,
    caption="No ranker, however large, gets above these curves.",
)
better_recall = evaluate.compare(
    ceilings["item neighbours"][K],
    ceilings["popularity"][K],
    "ndcg@10",
    seed=seed,
)
show.say(
    "With {K} popular candidates a *perfect* ranker stops at NDCG@10 = **{ceiling}** (in brackets: how sure that is, lesson 01b): "
    "{cost} of the quality is gone before ranking begins. Changing only the recall stage, from popularity to item neighbours, moves this ceiling by {moved}.",
    K=K,
    ceiling=show.mean(ceiling, "ndcg@10"),
    cost=f"{1 - ceiling.mean('ndcg@10'):.0%}",
    moved=better_recall,
)

# %% [markdown]
# (The highest Recall@10 cannot reach 1 however many candidates there are: many people have more than ten hidden films, and ten places hold ten.)
#
# **01a.3** Write `ceiling_of(candidates, relevant, k)` for one person: the highest Recall@k that *any* ranker can reach which may only reorder `candidates` (a list of ids).
# `relevant` is a set of ids, never empty.

# %% tags=["exercise"]
ceiling_of = ...

learn.check("01a.3", ceiling_of)

# %% [markdown] tags=["solution"]
# <details>
# <summary>Show a solution</summary>
#
# No ranker shows more hits than there are among the candidates, and none shows more than `k`.
#
# ```python
# def ceiling_of(candidates, relevant, k):
#     return min(k, len(set(candidates) & relevant)) / len(relevant)
# ```
#
# </details>

# %% [markdown]
# ### And a real ranker?
#
# It stays below the ceiling, of course. That lets us split the loss for every $K$: what the recall stage lost, and what the ranker failed to use.

# %%
real = {}
for size in sizes:
    ids = lists["popularity"].ids[:, :size]
    real[size] = behind(ids, neighbours.score(everybody, ids))

reached = np.array([real[size].mean("ndcg@10") for size in sizes])
possible = np.array(
    [ceilings["popularity"][size].mean("ndcg@10") for size in sizes]
)
blame = pd.DataFrame(
    {
        "reached": reached,
        "lost by ranking": possible - reached,
        "lost by retrieval": 1 - possible,
    },
    index=pd.Index(sizes, name="K"),
)

more = evaluate.compare(real[1_000], real[K], "ndcg@10", seed=seed)
worse = blame["lost by ranking"] > blame["lost by retrieval"]
ceiling_gain = ceilings["popularity"][1_000].mean("ndcg@10") - ceiling.mean(
    "ndcg@10"
)

# %% tags=["hide-input"]
figure, axis = plt.subplots(figsize=(6.6, 2.9))
colours = [show.PALETTE[i] for i in (2, 4, 1)]
blame.plot.bar(stacked=True, ax=axis, color=colours, width=0.8, rot=0)
axis.set(
    xlabel="candidates K (popularity)", ylabel="share of a perfect NDCG@10"
)
axis.legend(loc="upper left", bbox_to_anchor=(1, 1), reverse=True)
show.figure(
    figure,
    alt="Stacked bars of three parts for growing K. "
    + "; ".join(
        f"{column}: from {blame[column].iloc[0]:.0%} at K = {sizes[0]} to {blame[column].iloc[-1]:.0%} at K = {sizes[-1]:,}"
        for column in blame
    )
    + ".",
    table=blame.round(3),
    caption="Popularity recalls K candidates, item neighbours rank them.",
)
show.say(
    (
        "At K = {turn} ranking loses more than retrieval for the first time. "
        if worse.any()
        else "Retrieval loses more than ranking at every K. "
    )
    + "Ten times the candidates ({K} → 1,000) lift the ceiling by {ceiling}, and what this ranker reaches by {more}.",
    turn=int(worse.idxmax()),
    K=K,
    ceiling=ceiling_gain,
    more=more,
)
learn.verdict(
    "D1-01",
    "taught",
    "The funnel goes from {films} films through {K} candidates to 10. What recall misses stays lost: behind {K} popular candidates even a perfect ranker "
    "reaches NDCG@10 {ceiling} and Recall@10 {recall}; a real one reaches {real}. Fewer misses is one goal, not the only one: candidates that the ranker "
    "cannot use are worth little.",
    numbers={
        "films": f"{train.n_items:,}",
        "K": K,
        "ceiling": show.mean(ceiling, "ndcg@10"),
        "recall": show.mean(ceiling, "recall@10"),
        "real": show.mean(real[K], "ndcg@10"),
    },
    data=[interactions.name],
    scale=scale,
)

# %% [markdown]
# Our catalogue is tiny: a hundred candidates are a sizeable part of it. With a billion items and still a few hundred candidates we may expect to stand further left
# in the last figure, where more is lost by retrieval. That is why recall is worth five documents, and a course.
#
# **01a.4** Ten films are shown to each. Which stage deserves the blame for what is missing on the screen: `"retrieval"`, `"ranking"` or `"neither"`?
#
# | | relevant films | of these among the candidates | of these on the screen |
# |---|---|---|---|
# | Ana | 10 | 2 | 2 |
# | Bo | 10 | 9 | 1 |
# | Chen | 30 | 28 | 10 |
# | Dana | 12 | 10 | 9 |

# %% tags=["exercise"]
to_blame = {"Ana": ..., "Bo": ..., "Chen": ..., "Dana": ...}

learn.check("01a.4", to_blame)

# %% [markdown] tags=["solution"]
# <details>
# <summary>Show a solution</summary>
#
# The two films that reached Ana's ranker are both on the screen, so retrieval lost the other eight. Bo's ranker had nine good films and showed one. Chen's ten places are all filled well.
# Dana's ranker had ten good films for ten places and showed nine; the two that retrieval lost would have found no place anyway.
#
# ```python
# to_blame = {"Ana": "retrieval", "Bo": "ranking", "Chen": "neither", "Dana": "ranking"}
# ```
#
# </details>

# %% [markdown]
# ## 4 · The map
#
# D1 names five notions and draws how they hang together. As a graph, its drawing has four arrows:

# %%
drawn = [
    ("large model", "similarity"),
    ("large model", "knowledge graph"),
    ("large model", "collaborative filtering"),
    ("similarity", "recall strategy"),
]
leads_on = {source for source, _ in drawn}
dead_ends = {target for _, target in drawn} - leads_on
assert dead_ends == {
    "knowledge graph",
    "collaborative filtering",
    "recall strategy",
}

# %% [markdown]
# The recall strategy is the goal, so it may be an end. But the knowledge graph (知识图谱) and collaborative filtering (协同过滤) lead nowhere in that drawing, although
# D1's own text sends both of them into recall. Our map follows the data: text, relations and behaviour each become vectors, similarity turns vectors into
# candidates (section 2 did so twice), a strategy merges the candidates, and evaluation judges the outcome.

# %% tags=["hide-input"]
boxes = pd.read_csv(
    StringIO("""box | 中文 | chapter | module | x | y
data | 数据 | 01 | course_lib.data | 0 | 1
large model | 大模型 | 04 (planned: 03, 09) | course_lib.encode | 1 | 2.1
knowledge graph | 知识图谱 | (planned: 07) | course_lib.retrieve | 1 | 1
collaborative filtering | 协同过滤 | 05 | course_lib.retrieve | 1 | -0.1
similarity | 相似度 | 02 | course_lib.similarity | 2 | 1
recall strategy | 召回策略 | (planned: 08) | course_lib.retrieve | 3 | 1
evaluation | 评估 | 06 | course_lib.evaluate | 4 | 1
cold start, context | 冷启动、情境 | (planned: 10, 11) | course_lib.data | 0 | -1.6
serving | 线上服务 | (planned: 12) | course_lib.similarity | 1 | -1.6
privacy, robustness | 隐私、鲁棒性 | 13, 14 | course_lib.privacy, course_lib.robustness | 2 | -1.6
explanation, images | 解释、图像 | (planned: 15, 16) | course_lib.encode | 3 | -1.6
verdicts | 结论 | (planned: 17) | course_lib.learn | 4 | -1.6"""),
    sep=r"\s*\|\s*",
    engine="python",
    dtype=str,
)
boxes = boxes.set_index("box").astype({"x": float, "y": float})

# %%
arrows = [("data", notion) for notion in boxes.index[1:4]]
arrows += [(notion, "similarity") for notion in boxes.index[1:4]]
arrows += [("similarity", "recall strategy"), ("recall strategy", "evaluation")]
assert all(
    find_spec(module) for row in boxes.module for module in row.split(", ")
)  # every module on the map exists

# %% tags=["hide-input"]
leads = [
    ", ".join(to for source, to in arrows if source == name) or "–"
    for name in boxes.index
]
figure, axis = plt.subplots(figsize=(8.6, 4.4))
fills = dict.fromkeys(["data", "evaluation"], "#FCFAD9")
fills |= dict.fromkeys(["similarity", "recall strategy"], "#CCECE3")
drawn = {}
for name, box in boxes.iterrows():
    fill = "#EEEEEE" if box.y < -1 else fills.get(name, "#CCE3F0")
    words = name.replace("tive f", "tive\nf").replace(", ", ",\n")
    label = f"{words}\nchapter {box.chapter}\n{box.module}"
    look = dict(boxstyle="round,pad=0.5", facecolor=fill, edgecolor="0.4")
    centre = dict(ha="center", va="center", fontsize=9, linespacing=1.4)
    label = label.replace(", c", ",\nc")
    drawn[name] = axis.text(box.x, box.y, label, bbox=look, **centre)
axis.set(xlim=(-0.48, 4.48), ylim=(-2.15, 2.6))
axis.axis("off")
figure.canvas.draw()  # now the boxes know their edges, where arrows begin and end
for source, target in arrows:
    ends = [drawn[name].get_bbox_patch() for name in (source, target)]
    style = dict(arrowstyle="-|>", color="0.25", lw=1.3, shrinkA=2, shrinkB=2)
    style |= dict(patchA=ends[0], patchB=ends[1])
    centres = [tuple(boxes.loc[name, ["x", "y"]]) for name in (target, source)]
    axis.annotate("", *centres, arrowprops=style)
axis.axhline(-0.92, color="0.8", lw=1)
axis.text(-0.45, -0.87, "around it:", fontsize=9, color="0.35", va="bottom")
show.figure(
    figure,
    alt="A diagram that flows from left to right. Data leads to three boxes: large model, knowledge graph and collaborative filtering. All three lead to "
    "similarity, that to the recall strategy, and that to evaluation. Each box names chapter and module. A row below holds "
    "cold start and context, serving, privacy and robustness, explanation and images, verdicts.",
    table=boxes[["中文", "chapter", "module"]].assign(**{"leads to": leads}),
    caption="The map of the course: every box with its chapter and the module that its code lives in. Planned chapters are not written yet.",
)

# %%
five = list(boxes.index[1:6])  # D1's notions
for notion in five:  # follow the arrows as far as they go
    while notion in dict(arrows):
        notion = dict(arrows)[notion]
    assert notion == "evaluation"

# %% tags=["hide-input"]
learn.verdict(
    "D1-03",
    "taught",
    "The {notions} notions with their chapters and modules are on the map above. In D1's own drawing two of them, knowledge graph and collaborative filtering, lead nowhere; "
    "on ours each of the five notions leads on to evaluation.",
    numbers={"notions": len(five)},
    data="the documents' drawing and the course's map",
    scope="a drawing; no model is measured here",
)

# %% [markdown]
# D5 introduces six terms. All of them, and the rest of the course's vocabulary, stand on the book's glossary page (术语表) in English and Chinese;
# here is what it says about the six.

# %%
six = [
    "Recommender system",
    "Deep learning",
    "Large model",
    "Collaborative filtering",
    "Cold start",
    "Multi-armed bandit",
]
terms = {term.en: term for term in read_glossary()}

# %% tags=["hide-input"]
chapters = read_ledger().chapter_number
rows = [(name, terms[name]) for name in six]
show.table(
    pd.DataFrame(
        [(n, t.zh, t.means, f"{chapters(t.chapter):02d}") for n, t in rows],
        columns=["English", "中文", "meaning", "chapter"],
    )
)
learn.verdict(
    "D5-01",
    "taught",
    "All {terms} terms stand on the glossary page in English and Chinese, each with its meaning and the chapter that teaches it. "
    "One of D5's explanations is turned round: with its bandit the *user* chooses among options; in a multi-armed bandit the *system* does.",
    numbers={"terms": len(six)},
    data="the course's glossary",
    scope="definitions; no model is measured here",
)

# %% [markdown] quoted="3.8 3.6 11.1" reason="D1, D4 and D5 ask for Python 3.8 and CUDA 11.1, D2 for Python 3.6"
# ## 5 · The environment, checked
#
# D1, D4 and D5 begin with conda lines: Python 3.8, CUDA 11.1, and packages without versions. D2 asks for Python 3.6 or later. What can go wrong?
#
# D4 §5.2 takes its optimiser from `transformers`, and D4 gives no version of it. On its Python 3.8, pip still picks 4.46.3 (the last for 3.8), where the line works
# with a warning. But 3.8 gets no fixes any more; whoever moves to a supported Python gets today's version:

# %%
with learn.fails(AttributeError):
    transformers.AdamW

# %% [markdown] quoted="4.50" reason="the release notes of transformers"
# It was removed in 2025 (version 4.50). The optimiser lives in PyTorch; to repair the line, change one word of the import, `transformers` to `torch.optim`:

# %%
from torch.optim import AdamW

optimiser = AdamW(torch.nn.Linear(2, 1).parameters(), lr=2e-5)

# %% [markdown] quoted="3.8 3.6" reason="the versions that the documents ask for"
# So the old Python silently chose old packages. Nobody wrote that choice down, and with the next Python it is gone. This course pins (锁定) every package in `requirements.lock`. Is what runs
# here what is pinned there, and would Python 3.8 or 3.6 have done?

# %%
lock = Path(course_lib.__file__).parents[1] / "requirements.lock"
pins = {}
for line in lock.read_text(encoding="utf-8").splitlines():
    if line.strip() and not line.startswith("#"):
        pin = Requirement(line)
        if pin.marker is None or pin.marker.evaluate():
            pins[pin.name] = next(iter(pin.specifier)).version

main = ["numpy", "scipy", "pandas", "scikit-learn", "torch", "transformers"]
main += ["datasets", "faiss-cpu", "implicit", "matplotlib", "jupyterlab"]
checked = pd.DataFrame(
    [
        {
            "package": name,
            "pinned": pins[name],
            "runs here": Version(metadata.version(name)).public,
            "wants Python": metadata.metadata(name)["Requires-Python"],
        }
        for name in main
    ]
)
checked["same"] = checked["pinned"] == checked["runs here"]
for old in ["3.8", "3.6"]:
    checked[f"allows {old}"] = [
        old in SpecifierSet(wanted) for wanted in checked["wants Python"]
    ]

# %% tags=["hide-input"]
show.table(checked, caption="The main packages: pinned, and really here?")
refuse = int((~checked["allows 3.8"]).sum())
accepting = len(checked) - refuse
show.say(
    "{state} {refuse} of {all} refuse Python 3.8, the choice of D1, D4 and D5, and {older} refuse 3.6.",
    state=(
        f"All {len(checked)} run in the pinned version."
        if checked.same.all()
        else f"**{(~checked.same).sum()} differ from the lock**: numbers below may differ from the book's."
    ),
    refuse=refuse,
    all=len(checked),
    older=int((~checked["allows 3.6"]).sum()),
)

# %% [markdown] quoted="3.8 3.6 11.1 2.5 3.11 3.13" reason="the documents' versions, PyTorch's announcement, and the versions that the course is tested with"
# The rest of those lines, one by one:
#
# | line | what is wrong | instead |
# |---|---|---|
# | `python=3.8` (D1, D4, D5), `3.6+` (D2) | 3.8 has had no fixes since October 2024 | 3.11 to 3.13, tested |
# | `cudatoolkit=11.1` (D1, D4, D5) | ties everybody to one version of a GPU library, with a GPU or without | the CPU build; no chapter needs a GPU |
# | `-c pytorch` | PyTorch closed its own channel after 2.5 (announced October 2024) | the wheel from the package index |
# | `-c tensorflow`, `-c conda-forge` in one line (D1) | builds of different origin mixed in one environment | one source |
# | TensorFlow *and* PyTorch (D1, D4, D5) | D4's and D5's code imports PyTorch only; D5 installs five TensorFlow packages (`tensorflow`, `-cpu`, `-estimator`, `-hub`, `-io`) and uses none | one framework |
# | `pip install` after `conda install`, no versions | two solvers that do not know of each other; a result that depends on the day | one lock, compiled once |
# | what is missing | D1 and D4 import `transformers` and never install it; D1 makes `tf-env` and then speaks of `pytorch-env` as well | `python course.py run` |

# %% tags=["hide-input"]
accept = f"only {accepting}" if accepting else "none"
d1 = "D1 also leaves out a package that its code imports."
d5 = "D5 also installs five TensorFlow packages, and its code imports none of them."
for ledger_id, where, rest in [("D1-36", "D1", d1), ("D5-20", "D5", d5)]:
    learn.verdict(
        ledger_id,
        "corrected",
        f"{where} §5.1 fixes no version but those of Python and CUDA. Its Python 3.8 has reached the end of its life, and {accept} of the {{packages}} main packages in the versions pinned here "
        "accepts it. How a line can break without a pin is shown on D4's AdamW. One lock replaces it; here {same} of {packages} versions match it. "
        + rest,
        numbers={"packages": len(checked), "same": int(checked.same.sum())},
        data="this environment and requirements.lock",
    )

# %% [markdown]
# ## In three lines
#
# - The recall stage picks candidates; Recall@K counts which share of the relevant items is among the first K. Keywords, content and behaviour recall in three ways, and popularity is the bar.
# - What is no candidate is lost: count the hits among the candidates, and you know the ceiling of *every* ranker behind them.
# - More candidates raise the ceiling, and only a ranker that can use them comes nearer to it: ask which stage lost what.
#
# ### Five questions

# %% tags=["quiz"]
learn.quiz(
    "01a",
    q1=...,  # a letter, such as "A"
    q2=...,
    q3=...,
    q4=...,
    q5=...,
    found={
        "hits": [hits[name] for name in list(channels)[:4]],
        "ceiling": ceiling.mean("ndcg@10"),
        "reached": real[K].mean("ndcg@10"),
        "ceiling_gain": ceiling_gain,
        "ranker_gain": more.difference,
        "accepting": accepting,
        "packages": len(checked),
    },
)

# %% [markdown]
# ## What to read
#
# - P. Covington, J. Adams, E. Sargin: *Deep Neural Networks for YouTube Recommendations*. RecSys 2016. Still the clearest picture of the funnel.
# - G. Linden, B. Smith, J. York: *Amazon.com Recommendations: Item-to-Item Collaborative Filtering*. IEEE Internet Computing 7(1), 2003, 76–80. Our behaviour channel.
# - S. Li et al.: *Embedding-based Product Retrieval in Taobao Search*. KDD 2021. Twitter: *Twitter's Recommendation Algorithm*, engineering blog and repository `twitter/the-algorithm`, 2023. The two funnels of section 3.
#
# **You can now** build a funnel and price its misses. Lesson 01b asks what a figure such as the ceiling above is worth: how sure, better than what, and for whom.
