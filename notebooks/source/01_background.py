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
# # 01 · Background: the recall stage (召回)
#
# *Ten places on the screen, a whole catalogue behind it. What never becomes a candidate can never be shown.*
#
# After this chapter you will be able to
#
# - say what the recall stage does, and keep it apart from the metric that has the same name;
# - retrieve films for a person in three classic ways: by keyword, by content, by behaviour;
# - tell a good anecdote from a measurement, with popularity as the bar to beat;
# - compute what a miss at the recall stage costs at the end, even behind a perfect ranker;
# - place the words *large model* on a scale, and say which claims a small encoder can speak for.
#
# You need: Python with a little numpy. About 100 minutes.

# %% [markdown] quoted="3.8" reason="D1 and D5 ask for it"
# ## The documents say
#
# Five documents (D1 to D5) on recall with large models are the subject of this course. What they say about the background, in our words:
#
# | id | where | statement | what we do |
# |---|---|---|---|
# | D1-01 | D1 §1 | recall cuts a huge catalogue down to what a user may want, without losing good items | draw the funnel, price a miss |
# | D2-18 | D2 §2.1 | traditional recall is keywords, content, behaviour | one working example of each, then measure them |
# | D1-03 | D1 §2.1 | five notions belong together | draw our own map |
# | D5-01 | D5 §2.1 | six terms are introduced | look them up, in two languages |
# | D2-19 | D2 §2.2 | a large model has billions of parameters; BERT is one | count |
# | D1-36, D5-20 | D1 §5.1, D5 §5.1 | install with conda, Python 3.8, no versions | run into the consequence, check ours |
# | D2-11, D3-17 | D2 §6, D3 §6 | well-known platforms work this way | look for public evidence |
# | D4-11, D5-18 | D4 §6, D5 §6 | shops, video, news, social networks, education, ads, finance | say which of them our data can stand for |

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
from course_lib.encode import TextEncoder
from course_lib.registers import read_glossary, read_ledger
from course_lib.retrieve import (
    Candidates,
    FeatureRetriever,
    KeywordRetriever,
    Popularity,
    Random,
    TextRetriever,
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
# D5 introduces six more terms. All of them, and the rest of the course's vocabulary, stand on the book's glossary page (术语表) in English and Chinese;
# here is what it says about the six.

# %%
terms = {term.en: term for term in read_glossary()}
six = [
    "Recommender system",
    "Deep learning",
    "Large model",
    "Collaborative filtering",
    "Cold start",
    "Multi-armed bandit",
]
show.table(
    [
        {
            "English": name,
            "中文": terms[name].zh,
            "meaning": terms[name].means,
            "chapter": f"{read_ledger().chapter_number(terms[name].chapter):02d}",
        }
        for name in six
    ]
)

# %%
learn.verdict(
    "D5-01",
    "taught",
    "All {terms} terms stand on the glossary page in English and Chinese, each with its meaning and the chapter that teaches it.",
    numbers={"terms": len(six)},
    data="the course's glossary",
    scope="definitions; no model is measured here",
)

# %% [markdown]
# ## 2 · Three classic ways to recall, for one person
#
# MovieLens holds real ratings of real films by real people. A rating is used here as a sign of interest: this person rated that film. Each person's
# **last** films are hidden (the test part), and we ask which method would have found them.
# (The time is that of the rating, not of the evening in the cinema.)

# %%
interactions, catalogue = load_movielens(scale)
split = Split.per_user_chronological(interactions, seed=seed)
train, test = split.train_and_validation, split.test
titles = np.array(catalogue.titles)

hidden_part = test.matrix.nnz / (train.matrix.nnz + test.matrix.nnz)
show.say(
    f"{train.n_users:,} people, {train.n_items:,} films. {train.matrix.nnz:,} ratings are known; "
    f"the last {hidden_part:.0%} of each person's, {test.matrix.nnz:,} in all, are hidden."
)

# %% [markdown]
# We want somebody whose taste we can read. Of all people with 20 to 60 known films, take the one with the largest share of children's films.

# %%
genres = genre_features(catalogue)  # [films, genres], 0 or 1
genre_names = sorted({name for row in catalogue.rows["genres"] for name in row})
known = train.matrix  # [people, films], 1 = rated
share = (known @ genres)[:, genre_names.index("Children's")] / np.maximum(
    train.user_counts, 1
)
person = int(
    np.where(
        (train.user_counts >= 20) & (train.user_counts <= 60), share, -1
    ).argmax()
)

seen, hidden = known[[person]].indices, test.matrix[[person]].indices
show.say(f"**Known, {len(seen)} films:** " + " · ".join(titles[seen]))
show.say(
    f"**Hidden, {len(hidden)} films, rated later:** "
    + " · ".join(titles[hidden])
)

# %% [markdown]
# Would you have guessed some of the hidden ones? So can a machine, in three ways.
#
# ### By keyword (关键词召回)
#
# Split every film's text into words and look for words that it shares with a query. BM25, the standard score, gives rare words more weight than common ones.
# It needs nobody's history: type something.

# %%
keyword = KeywordRetriever(fields=("title", "genres")).fit(train, catalogue)
query = "a dog adventure for children"
show.table(
    pd.DataFrame(
        {query: titles[keyword.search([query], 5).ids[0]]}, index=range(1, 6)
    )
)

# %% [markdown]
# For a person, the query is made of all words of all films that they know (`keyword.retrieve`).
#
# ### By content (内容召回)
#
# Describe each film by its genres, a row of zeros and ones. A person is the mean of their films. Rank the films by the cosine (余弦)
# between the two; chapter 02 is all about it.

# %%
profile = genres[seen].mean(0)
lengths = np.linalg.norm(genres, axis=1) * np.linalg.norm(profile)
by_hand = (
    genres @ profile / np.where(lengths == 0, 1, lengths)
)  # a film without a genre has length 0

content = FeatureRetriever(genres, "genres").fit(train, catalogue)
films = np.arange(train.n_items)
assert np.allclose(
    content.score(np.array([person]), films[None])[0], by_hand, atol=1e-5
)
show.table(
    [
        {
            name: f"{part:.0%}"
            for name, part in zip(genre_names, profile, strict=True)
            if part
        }
    ],
    caption="The person as a mean of films: share of films with a genre",
)

# %% [markdown]
# ### By behaviour (行为召回)
#
# Forget what films *are*; look at who rated them. Let $n_i$ be the number of people who know film $i$, and $n_{ij}$ the number who know both $i$ and $j$.
# Then
#
# $$s_{ij}=\frac{n_{ij}}{\sqrt{n_i\,n_j}}$$
#
# is again a cosine, that of two columns of the zero-one matrix. A candidate's score is its mean similarity to the films that the person knows. Amazon published
# this idea, item-to-item collaborative filtering (基于物品的协同过滤), in 2003 [Linden et al.]; chapter 05 goes on from here.

# %%
both = (known.T @ known).toarray()  # n_ij; the diagonal holds n_i
n = np.maximum(both.diagonal(), 1)
similarity = both / np.sqrt(np.outer(n, n))
by_hand = similarity[seen].mean(0)

# the same as a mean of unit columns, compared by the dot product
behaviour = FeatureRetriever(
    normalize(known.T.tocsr()), "behaviour", measure="dot"
).fit(train)
assert np.allclose(
    behaviour.score(np.array([person]), films[None])[0], by_hand, atol=1e-5
)

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
    "behaviour": behaviour,
}
ten = {
    name: channel.retrieve(np.array([person]), 10).ids[0]
    for name, channel in channels.items()
}
marked = {
    name: [("✓ " if i in hidden else "") + titles[i] for i in ids]
    for name, ids in ten.items()
}
show.table(
    pd.DataFrame(marked, index=range(1, 11)),
    caption="Ten films each for our person",
)

# %%
hits = {name: int(np.isin(ids, hidden).sum()) for name, ids in ten.items()}
show.say(
    "Hits: "
    + ", ".join(f"{name} **{count}**" for name, count in hits.items())
    + "."
)

# %% [markdown]
# It is tempting to stop here and write an article about the winner. Do not. **One person is an anecdote**, and we picked this one *because*
# their taste shows in the genres.

# %% [markdown]
# ## 3 · From anecdote to measurement
#
# For user $u$ let $R_u$ be the hidden films and $L_u^K$ the first $K$ of the list:
#
# $$\mathrm{Recall@}K(u)=\frac{|L_u^K\cap R_u|}{|R_u|}$$
#
# The denominator is *all* that could be found, not $K$. In one line of Python, against `course_lib`:

# %%
everybody = np.arange(train.n_users)
metrics = ("recall@10", "recall@50", "recall@100")


def judged(ids_and_scores):
    return evaluate.evaluate(
        ids_and_scores,
        test.matrix,
        (*metrics, "average_popularity@10"),
        train=train,
        seed=seed,
    )


lists = {"popularity": popularity.retrieve(everybody, 1_000)}
reports = {"popularity": judged(lists["popularity"])}

by_hand = len(set(ten["popularity"]) & set(hidden)) / len(hidden)
assert reports["popularity"].per_user["recall@10"][person] == by_hand

# %% [markdown]
# Now everybody, with two more columns in the race: **random** films as the floor, and, as a first taste of what this course is about, the
# content channel with a pre-trained *sentence encoder* in the place of genres: it reads title and genres and returns 384 numbers (chapter 04 opens it).

# %%
encoder = TextEncoder("minilm")
text = TextRetriever(encoder, fields=("title", "genres"))
channels["sentence encoder"] = text.fit(train, catalogue)
channels["random"] = Random(seed).fit(train)
for name, channel in channels.items():
    lists[name] = channel.retrieve(everybody, 1_000)
    reports[name] = judged(lists[name])


def written(report, metric, decimals=3):
    """Mean and interval of a metric, as text."""
    return show.interval(report.mean(metric), report.interval(metric), decimals)


order = [
    "random",
    "sentence encoder",
    "genres",
    "keywords",
    "popularity",
    "behaviour",
]

# %% tags=["hide-input"]
figure, axis = plt.subplots(figsize=(6.6, 3.2))
for place, name in enumerate(order):
    for metric, colour, marker in zip(
        metrics, show.PALETTE, "os^", strict=False
    ):
        mean, (low, high) = (
            reports[name].mean(metric),
            reports[name].interval(metric),
        )
        axis.errorbar(
            mean,
            place,
            xerr=[[mean - low], [high - mean]],
            fmt=marker,
            color=colour,
            capsize=3,
            label=metric.capitalize() if place == 0 else None,
        )
axis.axvline(
    reports["popularity"].mean("recall@10"), color=show.PALETTE[0], lw=1, ls=":"
)
axis.set(
    yticks=range(len(order)),
    yticklabels=order,
    xlabel="share of the hidden films found",
    xlim=(0, None),
)
axis.legend(loc="lower right")
show.figure(
    figure,
    alt=f"Recall at 10, 50 and 100 of six retrievers with intervals. From the lowest to the highest Recall@10: "
    f"{', '.join(sorted(order, key=lambda name: reports[name].mean('recall@10')))}.",
    table=pd.DataFrame(
        {
            metric: [written(reports[name], metric) for name in order]
            for metric in metrics
        },
        index=pd.Index(order, name="retriever"),
    ),
    caption=f"{train.n_users:,} people, {train.n_items:,} films; means with 95 % bootstrap intervals. The dotted line is the bar to beat.",
)

# %% [markdown]
# "Better" needs a **paired** comparison: the same people, one difference each. Its interval must leave out zero.

# %%
against = {
    name: evaluate.compare(
        reports[name], reports["popularity"], "recall@10", seed=seed
    )
    for name in order
    if name != "popularity"
}


def side(comparison):
    return (
        "not clearly different"
        if not comparison.is_clear
        else "above"
        if comparison.difference > 0
        else "below"
    )


show.table(
    [
        {
            "retriever": name,
            "Recall@10 minus popularity": show.interval(
                c.difference, c.interval
            ),
            "reads": side(c),
        }
        for name, c in against.items()
    ],
    caption="Paired differences to popularity",
)

# %% tags=["hide-input"]
encoder_vs_random = evaluate.compare(
    reports["sentence encoder"],
    reports["random"],
    "recall@10",
    seed=seed,
)
verbs = {
    "above": "beats it",
    "below": "stays below it",
    "not clearly different": "cannot be told apart from it",
}
show.say(
    f"For our one person keywords and content found {hits['keywords']} and {hits['genres']}, popularity {hits['popularity']}. Against the bar, over everybody: "
    + "; ".join(
        f"*{name}* {verbs[side(against[name])]}"
        for name in order
        if name in ("genres", "keywords", "behaviour")
    )
    + f". And the sentence encoder, at K = 10, minus **random**: {show.interval(encoder_vs_random.difference, encoder_vs_random.interval)}"
    + (
        ", an interval that includes zero."
        if not encoder_vs_random.is_clear
        else "."
    )
)

# %% [markdown]
# How can lists that look so sensible score so low? Ask how well known the listed films are.

# %%
known_by = {name: reports[name].mean("average_popularity@10") for name in order}
show.table(
    pd.DataFrame(
        {
            "a listed film is known to": [
                f"{value:.1%} of people" for value in known_by.values()
            ]
        },
        index=pd.Index(known_by, name="retriever"),
    )
)
assert all(
    against[name].difference < 0
    for name in [
        "genres",
        "keywords",
        "sentence encoder",
    ]
)
assert (
    max(
        known_by["genres"],
        known_by["keywords"],
        known_by["sentence encoder"],
    )
    < known_by["behaviour"]
)

# %% [markdown]
# Keywords and content do not know that some films have an audience and others hardly any: to them an obscure cartoon is as good as a famous one.

# %% tags=["hide-input"]
best_known = np.argsort(-train.item_counts, kind="stable")[:100]
in_catalogue = len(best_known) / train.n_items
in_hidden = test.matrix[:, best_known].sum() / test.matrix.sum()
assert in_hidden > in_catalogue
show.say(
    "What people rate next is more often popular than a film picked at random: the hundred most popular films, "
    f"{in_catalogue:.0%} of the catalogue, hold **{in_hidden:.0%}** of the hidden ratings."
)

# %% [markdown]
# Behaviour knows both, the taste and the audience. Content recall still has its place: it is what remains
# when a film is **new** and has no behaviour at all (chapter 10, not written yet). And what looks bad about the encoder here is partly how we use it; chapter 04 asks how
# much can be won back.

# %% tags=["hide-input"]
three = ["keywords", "genres", "behaviour"]
numbers = {
    name: written(reports[name], "recall@10") for name in [*three, "popularity"]
}
for name in three:
    gain = against[name]
    numbers[f"{name}_gain"] = (
        f"{show.interval(gain.difference, gain.interval)}, {side(gain)}"
    )
learn.verdict(
    "D2-18",
    "taught",
    "One working example of each. Recall@10: keywords {keywords}, content by genres {genres}, behaviour {behaviour}; the bar, popularity, {popularity}. "
    "Minus popularity: keywords {keywords_gain}; genres {genres_gain}; behaviour {behaviour_gain}.",
    numbers=numbers,
    data=[interactions.name],
    scale=scale,
    scope="no large model: BM25, genre vectors, item-to-item cosine",
)

# %% [markdown]
# ## 4 · The funnel, and what a miss costs
#
# Why two stages at all? Because the model that ranks best is too slow for a whole catalogue. Taobao's search goes from billions of goods to tens of thousands,
# thousands and at last dozens [Li et al. 2021]; Twitter took about 1,500 candidates out of some 500 million posts a day [Twitter 2023]. We build the same funnel (漏斗)
# in small: popularity recalls, item-to-item behaviour ranks.

# %%
K = 100
candidates = lists["popularity"].ids[:, :K]
ranked = Candidates.from_item_scores(
    candidates, behaviour.score(everybody, candidates)
)

relevant = test.matrix.toarray()  # [people, films], 1 = hidden
found = np.take_along_axis(relevant, candidates, axis=1).sum(1)
on_screen = np.take_along_axis(relevant, ranked.ids[:, :10], axis=1).sum(1)
assert (candidates >= 0).all() and (on_screen <= found).all()

unseen, hidden_films = train.n_items - train.user_counts.mean(), relevant.sum(1)
funnel = pd.DataFrame(
    [
        ("catalogue", train.n_items, hidden_films.mean()),
        ("not yet seen", unseen, hidden_films.mean()),
        (f"candidates (K = {K})", K, found.mean()),
        ("on the screen", 10, on_screen.mean()),
    ],
    columns=["stage", "films", "hidden films still in"],
).set_index("stage")

# %% tags=["hide-input"]
figure, (left, right) = plt.subplots(1, 2, figsize=(7.6, 2.5), sharey=True)
stages = range(len(funnel))[::-1]
for axis, column, colour in [
    (left, "films", show.PALETTE[0]),
    (right, "hidden films still in", show.PALETTE[1]),
]:
    widths = np.log10(funnel[column]) if column == "films" else funnel[column]
    axis.barh(stages, widths, left=-widths / 2, color=colour, height=0.75)
    for stage, value in zip(stages, funnel[column], strict=True):
        axis.text(
            widths.max() * 0.53,
            stage,
            f"{value:,.0f}" if column == "films" else f"{value:.1f}",
            va="center",
        )
    axis.set(
        yticks=stages,
        yticklabels=funnel.index,
        xticks=[],
        title=column,
        xlim=(-widths.max() * 0.55, widths.max() * 0.75),
    )
    axis.tick_params(left=False)
    axis.grid(False)
    for spine in axis.spines.values():
        spine.set_visible(False)
left.set_xlabel("width: logarithm of the count")
right.set_xlabel("width: mean count per person")
show.figure(
    figure,
    alt="Two funnels side by side, both narrowing from the catalogue over the unseen films and the candidates to the screen: one counts films, "
    "the other the hidden films that are still among them.",
    table=funnel.assign(
        **{
            "films": [f"{count:,.0f}" for count in funnel["films"]],
            "hidden films still in": [
                f"{count:.1f}" for count in funnel["hidden films still in"]
            ],
        }
    ),
    caption="Means per person. A hidden film that is lost at one level is missing on all below it.",
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
# (NDCG (归一化折损累计增益) rewards hits more the higher they stand: a hit at place $r$ counts $1/\log_2(r+1)$, divided by the best possible sum.) A *perfect ranker* is easy to
# write, because we can cheat: it scores each candidate by the hidden truth.


# %%
def behind(order_by, candidates, metrics=("ndcg@10", "recall@10")):
    """Report of the ten best of `candidates` [people, K], put in order by the scores `order_by` [people, K]."""
    return evaluate.evaluate(
        Candidates.from_item_scores(candidates, order_by),
        test.matrix,
        metrics,
        seed=seed,
    )


truth = np.take_along_axis(relevant, candidates, axis=1)
ceiling = behind(truth, candidates)

# the sums for 0, 1, ... 10 hits on top
gains = np.cumsum([0, *1 / np.log2(np.arange(2, 12))])
bound = (
    gains[np.minimum(found, 10).astype(int)]
    / gains[np.minimum(hidden_films, 10).astype(int)]
)
assert np.allclose(bound, ceiling.per_user["ndcg@10"])

# %% [markdown]
# Now turn the one dial of the recall stage, the number of candidates $K$.

# %%
sizes = [10, 20, 50, 100, 200, 500, 1_000]
ceilings = {}
for name in ["random", "popularity", "behaviour"]:
    for size in sizes:
        ids = lists[name].ids[:, :size]
        ceilings[name, size] = behind(
            np.take_along_axis(relevant, ids, axis=1), ids
        )

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 2, figsize=(7.8, 3.1), sharey=True)
for axis, metric in zip(axes, ["ndcg@10", "recall@10"], strict=True):
    for (name, marker), colour in zip(
        [
            ("behaviour", "o"),
            ("popularity", "s"),
            ("random", "^"),
        ],
        show.PALETTE,
        strict=False,
    ):
        line = [ceilings[name, size].mean(metric) for size in sizes]
        band = np.array(
            [ceilings[name, size].interval(metric) for size in sizes]
        )
        axis.plot(sizes, line, marker=marker, ms=4, color=colour, label=name)
        axis.fill_between(
            sizes, band[:, 0], band[:, 1], color=colour, alpha=0.2
        )
    axis.set(
        xscale="log",
        xlabel="candidates K",
        title=f"highest possible {metric.replace('ndcg', 'NDCG').replace('recall', 'Recall')}",
        ylim=(0, 1),
        xticks=[10, 100, 1_000],
    )
    axis.set_xticklabels(["10", "100", "1,000"])
axes[1].legend(loc="upper left")
axes[0].set_ylabel("ceiling (mean over people)")
show.figure(
    figure,
    alt="Two panels of rising curves: with more candidates the highest possible NDCG@10 and Recall@10 rise, for each of three retrievers.",
    table=pd.DataFrame(
        {
            f"K = {size}": [
                written(ceilings[name, size], "ndcg@10", 2)
                for name in ["behaviour", "popularity", "random"]
            ]
            for size in [10, 100, 1_000]
        },
        index=pd.Index(
            ["behaviour", "popularity", "random"],
            name="NDCG@10 at most",
        ),
    ),
    caption="No ranker, however large, gets above these curves.",
)

# %%
better_recall = evaluate.compare(
    ceilings["behaviour", K],
    ceilings["popularity", K],
    "ndcg@10",
    seed=seed,
)
cost = 1 - ceiling.mean("ndcg@10")
show.say(
    f"With {K} popular candidates a *perfect* ranker stops at NDCG@10 = **{written(ceiling, 'ndcg@10')}**: "
    f"{cost:.0%} of the quality is gone before ranking begins. Changing only the recall stage, from popularity to behaviour, moves this ceiling by "
    f"{show.interval(better_recall.difference, better_recall.interval)}."
)

# %% [markdown]
# (The Recall@10 panel cannot reach 1 however many candidates there are: many people have more than ten hidden films, and ten places hold ten.)
#
# ### And a real ranker?
#
# It stays below the ceiling, of course. That lets us split the loss for every $K$: what the recall stage lost, and what the ranker failed to use.

# %%
real = {}
for size in sizes:
    ids = lists["popularity"].ids[:, :size]
    real[size] = behind(behaviour.score(everybody, ids), ids)
blame = pd.DataFrame(
    {
        "reached": [real[size].mean("ndcg@10") for size in sizes],
        "lost by ranking": [
            ceilings["popularity", size].mean("ndcg@10")
            - real[size].mean("ndcg@10")
            for size in sizes
        ],
        "lost by retrieval": [
            1 - ceilings["popularity", size].mean("ndcg@10") for size in sizes
        ],
    },
    index=pd.Index(sizes, name="K"),
)
assert np.allclose(blame.sum(axis=1), 1)

# %% tags=["hide-input"]
figure, axis = plt.subplots(figsize=(6.2, 2.9))
start = np.zeros(len(sizes))
for column, colour, hatch in zip(
    blame,
    [show.PALETTE[2], show.PALETTE[4], show.PALETTE[1]],
    ["", "//", ""],
    strict=True,
):
    axis.bar(
        [f"{size:,}" for size in sizes],
        blame[column],
        bottom=start,
        color=colour,
        hatch=hatch,
        edgecolor="white",
        label=column,
    )
    start += blame[column]
axis.set(
    xlabel="candidates K (popularity)",
    ylabel="share of a perfect NDCG@10",
    ylim=(0, 1),
)
axis.legend(loc="upper left", bbox_to_anchor=(1, 1))
show.figure(
    figure,
    alt="Stacked bars of three parts for growing K. "
    + "; ".join(
        f"{column}: from {blame[column].iloc[0]:.0%} at K = {sizes[0]} to {blame[column].iloc[-1]:.0%} at K = {sizes[-1]:,}"
        for column in blame
    )
    + ".",
    table=blame.round(3),
    caption="Popularity recalls K candidates, item-to-item behaviour ranks them.",
)

# %% tags=["hide-input"]
more = evaluate.compare(real[1_000], real[K], "ndcg@10", seed=seed)
turn = next(
    (
        size
        for size in sizes
        if blame.loc[size, "lost by ranking"]
        > blame.loc[size, "lost by retrieval"]
    ),
    None,
)
show.say(
    (
        f"At K = {turn} ranking loses more than retrieval for the first time. "
        if turn
        else "Retrieval loses more than ranking at every K. "
    )
    + f"Ten times the candidates ({K} → 1,000) lift the ceiling by {ceilings['popularity', 1_000].mean('ndcg@10') - ceiling.mean('ndcg@10'):.3f}, and what this ranker "
    f"reaches by {show.interval(more.difference, more.interval)}."
)
learn.verdict(
    "D1-01",
    "taught",
    "The funnel goes from {films} films over {K} candidates to 10. What recall misses stays lost: behind {K} popular candidates even a perfect ranker "
    "reaches NDCG@10 {ceiling} and Recall@10 {recall}; a real one reaches {real}. Fewer misses is one goal, not the only one: candidates that the ranker "
    "cannot use are worth little.",
    numbers={
        "films": f"{train.n_items:,}",
        "K": K,
        "ceiling": written(ceiling, "ndcg@10"),
        "recall": written(ceiling, "recall@10"),
        "real": written(real[K], "ndcg@10"),
    },
    data=[interactions.name],
    scale=scale,
)

# %% [markdown]
# Our catalogue is tiny: a hundred candidates are a sizeable part of it. With a billion items and still a few hundred candidates we may expect to stand further left
# in the last figure, where more is lost by retrieval. That is why recall is worth five documents, and a course.

# %% [markdown]
# ## 5 · The map
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
assert len(drawn) == 4
print(
    "dead ends:",
    *sorted({target for _, target in drawn} - leads_on),
    sep="\n  ",
)

# %% [markdown]
# The recall strategy is the goal, so it may be an end. But the knowledge graph (知识图谱) and collaborative filtering (协同过滤) lead nowhere in that drawing, although
# D1's own text sends both of them into recall. Our map follows the data: text, relations and behaviour each become vectors, similarity turns vectors into
# candidates (section 2 did so twice), a strategy merges the candidates, and evaluation judges the outcome.


# %%
def table_of(text):
    """A table written with bars between its columns."""
    return pd.read_csv(
        StringIO(text), sep=r"\s*\|\s*", engine="python", dtype=str
    )


boxes = table_of("""box | 中文 | chapter | module | x | y
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
verdicts | 结论 | (planned: 17) | course_lib.learn | 4 | -1.6""")
boxes = boxes.set_index("box").astype({"x": float, "y": float})
arrows = [("data", notion) for notion in boxes.index[1:4]]
arrows += [(notion, "similarity") for notion in boxes.index[1:4]]
arrows += [("similarity", "recall strategy"), ("recall strategy", "evaluation")]
assert all(
    find_spec(module) for row in boxes.module for module in row.split(", ")
)  # every module on the map exists

# %% tags=["hide-input"]
figure, axis = plt.subplots(figsize=(8.6, 4.4))
fills = {
    "data": "#FCFAD9",
    "evaluation": "#FCFAD9",
    "similarity": "#CCECE3",
    "recall strategy": "#CCECE3",
}
for name, box in boxes.iterrows():
    fill = "#EEEEEE" if box.y < -1 else fills.get(name, "#CCE3F0")
    words = name.replace(
        "collaborative filtering", "collaborative\nfiltering"
    ).replace(", ", ",\n")
    axis.text(
        box.x,
        box.y,
        f"{words}\nchapter {box.chapter}\n{box.module}".replace(", c", ",\nc"),
        ha="center",
        va="center",
        fontsize=9,
        linespacing=1.4,
        bbox={
            "boxstyle": "round,pad=0.5",
            "facecolor": fill,
            "edgecolor": "0.4",
        },
    )
for source, target in arrows:
    a, b = boxes.loc[source], boxes.loc[target]
    axis.annotate(
        "",
        (b.x - 0.44, b.y + 0.2 * (a.y - b.y)),
        (a.x + 0.44, a.y),
        arrowprops={"arrowstyle": "-|>", "color": "0.25", "lw": 1.3},
    )
axis.axhline(-0.92, color="0.8", lw=1)
axis.text(
    -0.45,
    -0.87,
    "around it:",
    fontsize=9,
    color="0.35",
    va="bottom",
)
axis.set(xlim=(-0.48, 4.48), ylim=(-2.15, 2.6))
axis.axis("off")
show.figure(
    figure,
    alt="A diagram that flows from left to right. Data leads to three boxes: large model, knowledge graph and collaborative filtering. All three lead to "
    "similarity, that to the recall strategy, and that to evaluation. Each box names chapter and module. A row below holds "
    "cold start and context, serving, privacy and robustness, explanation and images, verdicts.",
    table=boxes[["中文", "chapter", "module"]].assign(
        **{
            "leads to": [
                ", ".join(to for source, to in arrows if source == name) or "–"
                for name in boxes.index
            ]
        }
    ),
    caption="The map of the course: every box with its chapter and the module that its code lives in. Planned chapters are not written yet.",
)

# %%
five = list(boxes.index[1:6])  # D1's notions


def leads_to_evaluation(box):
    return box == "evaluation" or any(
        leads_to_evaluation(target)
        for source, target in arrows
        if source == box
    )


assert all(leads_to_evaluation(notion) for notion in five)
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
# ## 6 · How large is a large model?
#
# D2 asks for *billions* of parameters (参数) and names BERT as an example. Let us count. A BERT of $L$ layers has width $H$, an inner width $I$ and tables for $V$ words,
# $P$ positions and $T$ segment types:
#
# $$\underbrace{(V+P+T)H+2H}_{\text{embeddings}}+L\,\underbrace{\bigl(4(H^2+H)+(HI+I)+(IH+H)+4H\bigr)}_{\text{attention, feed-forward, two normalisations}}+\underbrace{H^2+H}_{\text{pooler}}$$


# %%
def bert_parameters(c):
    """Parameters of a BERT with configuration `c`, by the formula."""
    H, inner = c.hidden_size, c.intermediate_size
    embeddings = (
        c.vocab_size + c.max_position_embeddings + c.type_vocab_size
    ) * H + 2 * H
    layer = 4 * (H * H + H) + (H * inner + inner) + (inner * H + H) + 4 * H
    return embeddings + c.num_hidden_layers * layer + H * H + H


with torch.device(
    "meta"
):  # shapes without memory: nothing is downloaded or filled
    bert_base = transformers.BertModel(transformers.BertConfig())
counted = {"the course's encoder": encoder.model, "BERT-base": bert_base}
parameters = {
    name: sum(p.numel() for p in model.parameters())
    for name, model in counted.items()
}
assert all(
    bert_parameters(model.config) == parameters[name]
    for name, model in counted.items()
)

# %% [markdown]
# Formula and model agree to the last parameter. Beside them, the counts that others have published; they are quoted, not measured.

# %%
published = {
    "GPT-3": (175e9, "Brown et al. 2020"),
    "Llama 3.1": (405e9, "Llama Team 2024"),
    "DeepSeek-V3, all": (671e9, "DeepSeek-AI 2024"),
    "DeepSeek-V3, used for a token": (37e9, "DeepSeek-AI 2024"),
}
sizes_of = pd.DataFrame(
    [(name, count, "counted here") for name, count in parameters.items()]
    + [(name, count, source) for name, (count, source) in published.items()],
    columns=["model", "parameters", "source"],
).sort_values("parameters", kind="stable", ignore_index=True)
billion = 1e9

# %% tags=["hide-input"]
figure, axis = plt.subplots(figsize=(6.6, 2.8))
here = sizes_of.source == "counted here"
axis.hlines(sizes_of.index, 1e7, sizes_of.parameters, color="0.85")
axis.plot(
    sizes_of.parameters[here],
    sizes_of.index[here],
    "o",
    ms=8,
    color=show.PALETTE[1],
    label="counted here",
)
axis.plot(
    sizes_of.parameters[~here],
    sizes_of.index[~here],
    "s",
    ms=7,
    color=show.PALETTE[0],
    label="published",
)
axis.axvline(billion, color="black", lw=1, ls="--")
axis.text(billion * 1.15, -0.35, "D2's line: billions", fontsize=9)
axis.set(
    xscale="log",
    xlim=(1e7, 2e12),
    xlabel="parameters (logarithmic)",
    yticks=sizes_of.index,
    yticklabels=sizes_of.model,
    ylim=(-0.6, len(sizes_of) - 0.4),
)
axis.legend(loc="lower right")
show.figure(
    figure,
    alt="Six models on a logarithmic axis of parameters. The course's encoder and BERT-base lie left of the line at one billion; DeepSeek-V3's active part, GPT-3, "
    "Llama 3.1 and the whole of DeepSeek-V3 lie right of it.",
    table=sizes_of.assign(
        parameters=[
            f"{count / 1e6:,.1f} million"
            if count < billion
            else f"{count / 1e9:,.0f} billion"
            for count in sizes_of.parameters
        ]
    ),
    caption="One step on this axis is a factor of ten.",
)

# %%
assert parameters["BERT-base"] < billion
assert round(parameters["the course's encoder"] / 1e6, 1) == 22.7
ratio = published["DeepSeek-V3, all"][0] / parameters["the course's encoder"]
show.say(
    f"By D2's own line BERT-base is **not** a large model: a billion is {billion / parameters['BERT-base']:.1f} times as many. "
    f"And between our encoder and the largest model here lies a factor of about {float(f'{ratio:.3g}'):,.0f}."
)

# %% [markdown]
# So what can a course with a small sentence encoder say about large models? It depends on the claim:
#
# | claim of the documents | a small encoder can … |
# |---|---|
# | formulas and code: cosine, attention, `[CLS]` vectors, losses (D1 §4, D3 §4.1) | settle it: the formulas do not depend on the size |
# | a text vector serves cold items, which behaviour cannot (D5 §3.1) | support it: what a small one can do is possible |
# | language vectors beat behaviour for warm items (D1 §3.3) | test it *for itself*: a failure says nothing certain about a larger one |
# | cost, latency (延迟), memory (D1 §3.3) | give a lower bound: larger is not cheaper |
# | privacy, robustness, explanation (D1, D4, D5) | show the mechanism; the size of an effect may differ |
# | generating text, dialogue | nothing: it has no decoder |
# | reasoning, knowledge of the world | not tested here |
#
# That is why each verdict on large models in this course names the encoder, its size and the text that it read: *holds for*. A reader with a larger machine can
# put any encoder from the hub in its place: `TextEncoder("owner/name")`.

# %%
learn.verdict(
    "D2-19",
    "taught",
    "BERT-base has {base} parameters, this course's encoder {small}: neither has billions, so D2's example misses D2's own definition. Formulas and mechanisms can be settled "
    "with a small encoder; a defeat of a small one is no defeat of a large one.",
    numbers={
        "base": parameters["BERT-base"],
        "small": parameters["the course's encoder"],
    },
    data="counted from model and configuration",
    scope="all-MiniLM-L6-v2 and BERT-base, counted; larger models as published; no text was encoded",
)

# %% [markdown] quoted="3.8 3.6 11.1" reason="D1, D4 and D5 ask for Python 3.8 and CUDA 11.1, D2 for Python 3.6"
# ## 7 · The environment, checked
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

optimiser = AdamW(encoder.model.parameters(), lr=2e-5)

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

main = [
    "numpy",
    "scipy",
    "pandas",
    "scikit-learn",
    "torch",
    "transformers",
    "datasets",
    "faiss-cpu",
    "implicit",
    "matplotlib",
    "jupyterlab",
]
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
show.table(checked, caption="The main packages: pinned, and really here?")

# %%
refuse = int((~checked["allows 3.8"]).sum())
show.say(
    (
        f"All {len(checked)} run in the pinned version. "
        if checked.same.all()
        else f"**{(~checked.same).sum()} differ from the lock**: numbers below may differ from the book's. "
    )
    + f"{refuse} of {len(checked)} refuse Python 3.8, the choice of D1, D4 and D5, and {int((~checked['allows 3.6']).sum())} refuse 3.6."
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

# %%
accept = "none" if refuse == len(checked) else f"only {len(checked) - refuse}"
for ledger_id, where in [("D1-36", "D1 §5.1"), ("D5-20", "D5 §5.1")]:
    learn.verdict(
        ledger_id,
        "corrected",
        f"{where} fixes no version but those of Python and CUDA. Its Python 3.8 has reached the end of its life, and {accept} of the {{packages}} main packages in the versions pinned here "
        "accepts it. How a line can break without a pin is shown on D4's AdamW. One lock replaces it; here {same} of {packages} versions match it."
        + (
            " D5 also installs five TensorFlow packages, and its code imports none of them."
            if ledger_id == "D5-20"
            else " D1 also leaves out a package that its code imports."
        ),
        numbers={
            "packages": len(checked),
            "same": int(checked.same.sum()),
        },
        data="this environment and requirements.lock",
    )

# %% [markdown]
# ## 8 · Who really does this? Evidence and hearsay
#
# D2 and D3 name platforms that are said to use large models for recommendation, and give no source. We looked for what the platforms themselves have published. *Evidence* here
# is a paper or an engineering report by the platform's own people; anything else is hearsay (传闻). *Language model?* asks whether a large language
# model takes part, according to that source; – means that we found no description of the system.

# %%
platforms = table_of("""platform | named in | what is documented | language model? | source
Taobao (Alibaba) | D2 §6.1, D3 §6.2 | a language model rewrites rare search queries, in service since October 2023; vector retrieval before that | yes | Peng et al. 2024; Li et al. 2021
WeChat | D2 §6.2 | an attention model that finds readers similar to those of an article | no | Liu et al. 2019
Weibo | D2 §6.3 | a click prediction model by its researchers; not the system | – | Huang, Zhang and Zhang 2019
Facebook | D3 §6.1 | vector retrieval in search; News Feed ranked by multitask networks | no | Huang et al. 2020; Meta 2021
Twitter | D3 §6.1 | graph and cluster embeddings retrieve, a neural network ranks; code published | no | Twitter 2023
Instagram | D3 §6.1 | Explore: two-tower retrieval, then three ranking stages | no | Meta 2023
Amazon | D3 §6.2 | item-to-item collaborative filtering | no | Linden et al. 2003
eBay | D3 §6.2 | item and user vectors from content and activity | no | Wang et al. 2021
Spotify | D3 §6.3 | a bandit chooses and explains what the home page shows | no | McInerney et al. 2018
YouTube | D3 §6.3 | one network retrieves, another ranks; in 2025 a pre-trained language model, adapted to retrieve by generating item codes | yes | Covington et al. 2016; He et al. 2025
Netflix | D3 §6.3 | a family of ranking algorithms, tested online | no | Gomez-Uribe and Hunt 2015
The New York Times | D3 §6.4 | contextual bandits beside editors | no | Coenen 2019, a talk
BBC | D3 §6.4 | three models compared with random and popularity | no | Panteli et al. 2019
CNN | D3 §6.4 | experiments announced in a talk; no method found | – | none found""")
show.table(
    platforms,
    caption="What the named platforms have published about themselves, as far as we found",
)

# %%
documented = platforms["language model?"] != "–"
with_model = platforms["language model?"] == "yes"
show.say(
    f"Of {len(platforms)} platforms, {documented.sum()} have described a system of their own in public, and for **{with_model.sum()}** of them, {' and '.join(platforms.platform[with_model])}, a source has a large language model take part in retrieval. "
    "What runs inside today may differ, and later publications may exist that we did not find: absence of evidence here, not evidence of absence."
)
for ledger_id, section in [("D2-11", "D2"), ("D3-17", "D3")]:
    mine = platforms["named in"].str.contains(section)
    learn.verdict(
        ledger_id,
        "taught",
        "Of {named} platforms that the document names, {documented} have described their system in public; for {large} of them a source that we found has a large language model take part "
        "in retrieval. The rest of the claim is hearsay: the document cites nothing.",
        numbers={
            "named": int(mine.sum()),
            "documented": int((mine & documented).sum()),
            "large": int((mine & with_model).sum()),
        },
        data="public descriptions, listed above",
        scope="published descriptions, checked by title, authors and year; no model is measured here",
    )

# %% [markdown]
# Notice what recurs in the table: vectors of behaviour, and retrieval kept apart from ranking (Facebook, Twitter, Instagram, YouTube).
#
# ### And which scenarios can our data stand for?
#
# A verdict of this course is as wide as its data. MovieLens is about films, chosen by volunteers from a list of films that they had seen.

# %%
scenarios = table_of("""scenario | named in | our data can speak for it | with what, or why not
video, films | D4 §6.2, D5 §6.3 | yes | MovieLens; ratings, not minutes watched
news | D4 §6.3 | partly | MIND, where it can be had; a simulation stands for nothing but itself
social network | D4 §6.4 | partly | Gowalla: places that people checked in at; without the friendships
shop, goods | D4 §6.1, D5 §6.2 | no | no purchases or baskets; in chapter 02 films stand in as products, without prices or stock
education | D4 §6.5 | no | no learners; a good next exercise is not the most liked one
advertising | D5 §6.1 | no | no auction, no bids, no budgets
finance | D5 §6.4 | no | suitability and law decide there, not taste""")
show.table(scenarios)

# %% [markdown]
# D4 names five fields of use, and each is judged by itself: *taught* if our data speak for it fully or in part, else *beyond our data*. D5's four are judged together:
# *taught* if our data speak, fully or in part, for at least half of them.


# %% tags=["rule", "hide-input"]
def rule_D4_11(covered_share):
    """One field of use: 1 if our data can speak for it, 0.5 if in part, 0 if not.

    No margin: nothing is estimated here, and one data set that speaks in part is enough to teach with.
    """
    return "taught" if covered_share > 0 else "beyond our data"


# %% tags=["rule", "hide-input"]
def rule_D5_18(covered_share):
    """All fields of use together: the share of them that our data can speak for, fully or in part."""
    half = 0.5  # no effect of a size: where most of a list is out of reach, so is the list
    return "taught" if covered_share >= half else "beyond our data"


# %%
speaks = scenarios["our data can speak for it"].map(
    {"yes": 1, "partly": 0.5, "no": 0}
)
speaks.index = scenarios.scenario
fields = {  # parts of D4-11 in the ledger
    "shops": "shop, goods",
    "video": "video, films",
    "news": "news",
    "social": "social network",
    "education": "education",
}
reasons = scenarios.set_index("scenario")["with what, or why not"]
learn.verdict(
    "D4-11",
    parts={
        part: learn.Part(rule_D4_11(speaks[field]), f"{reasons[field]}.")
        for part, field in fields.items()
    },
    data="MovieLens, MIND, Gowalla: what they hold",
)

mine = scenarios[scenarios["named in"].str.contains("D5")]
covered = mine["our data can speak for it"] != "no"
learn.verdict(
    "D5-18",
    rule_D5_18(covered.mean()),
    "Our data can speak, fully or in part, for {covered} of {named} scenarios: "
    + "; ".join(mine.scenario[covered])
    + ". Beyond them: "
    + "; ".join(mine.scenario[~covered])
    + ".",
    numbers={"covered": int(covered.sum()), "named": len(mine)},
    data="MovieLens, MIND, Gowalla: what they hold",
)

# %% [markdown]
# ## Exercises
#
# Replace each `...`, run the cell, and read what comes back. (If Python does not know `learn`, run the first code cells of the chapter.) `learn.hint("01.1")` gives a hint, three times.
#
# **01.1** A list shows the films 7, 3, 9, 1, 5 in this order. The relevant films are 1, 3, 4, 8 and 9. What is Recall@3?

# %% tags=["exercise"]
recall_at_3 = ...

learn.check("01.1", recall_at_3)

# %% [markdown] tags=["solution"]
# <details>
# <summary>Show a solution</summary>
#
# Only the first three places count. Films 3 and 9 are relevant, film 7 is not; five films are relevant in all.
#
# ```python
# recall_at_3 = len({7, 3, 9} & {1, 3, 4, 8, 9}) / 5
# ```
#
# </details>

# %% [markdown]
# **01.2** Write `ceiling_of(candidates, relevant, k)` for one person: the highest Recall@k that *any* ranker can reach which may only reorder `candidates` (a list of ids).
# `relevant` is a set of ids, never empty.

# %% tags=["exercise"]
ceiling_of = ...

learn.check("01.2", ceiling_of)

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
# **01.3** Ten films are shown to each. Which stage deserves the blame for what is missing on the screen: `"retrieval"`, `"ranking"` or `"neither"`?
#
# | | relevant films | of these among the candidates | of these on the screen |
# |---|---|---|---|
# | Ana | 10 | 2 | 2 |
# | Bo | 10 | 9 | 1 |
# | Chen | 30 | 28 | 10 |

# %% tags=["exercise"]
to_blame = {"Ana": ..., "Bo": ..., "Chen": ...}

learn.check("01.3", to_blame)

# %% [markdown] tags=["solution"]
# <details>
# <summary>Show a solution</summary>
#
# The two films that reached Ana's ranker are both on the screen, so retrieval lost the other eight. Bo's ranker had nine good films and showed one. Chen's ten places are all filled well.
#
# ```python
# to_blame = {"Ana": "retrieval", "Bo": "ranking", "Chen": "neither"}
# ```
#
# </details>

# %% [markdown]
# **01.4** Write `most_popular(train_matrix, k)`: the ids of the `k` items that most people have, best first, equal counts in order of rising id. `train_matrix` is a sparse
# zero-one matrix, people × items. It is the bar that everything in this course must beat.

# %% tags=["exercise"]
most_popular = ...

learn.check("01.4", most_popular)

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
# ## What to read
#
# **The two stages**
# - P. Covington, J. Adams, E. Sargin: *Deep Neural Networks for YouTube Recommendations*. RecSys 2016. Still the clearest picture of the funnel.
# - G. Linden, B. Smith, J. York: *Amazon.com Recommendations: Item-to-Item Collaborative Filtering*. IEEE Internet Computing 7(1), 2003, 76–80. Our behaviour channel.
#
# **The platforms of section 8**
# - S. Li et al.: *Embedding-based Product Retrieval in Taobao Search*. KDD 2021. W. Peng et al.: *Large Language Model based Long-tail Query Rewriting in Taobao Search*. WWW 2024, arXiv:2311.03758.
# - Y. Liu, K. Ge, X. Zhang, L. Lin: *Real-time Attention Based Look-alike Model for Recommender System*. KDD 2019.
# - T. Huang, Z. Zhang, J. Zhang: *FiBiNET: Combining Feature Importance and Bilinear Feature Interaction for Click-Through Rate Prediction*. RecSys 2019.
# - J.-T. Huang et al.: *Embedding-based Retrieval in Facebook Search*. KDD 2020. Meta Engineering: *How machine learning powers Facebook's News Feed ranking algorithm*, 2021; *Scaling the Instagram Explore recommendations system*, 2023.
# - Twitter: *Twitter's Recommendation Algorithm*, engineering blog and repository `twitter/the-algorithm`, 2023.
# - T. Wang, Y. M. Brovman, S. Madhvanath: *Personalized Embedding-based e-Commerce Recommendations at eBay*. arXiv:2102.06156, 2021.
# - J. McInerney et al.: *Explore, Exploit, and Explain: Personalizing Explainable Recommendations with Bandits*. RecSys 2018.
# - C. A. Gomez-Uribe, N. Hunt: *The Netflix Recommender System: Algorithms, Business Value, and Innovation*. ACM TMIS 6(4), 2015, article 13.
# - A. Coenen: *Algorithmic Recommendations at The New York Times*, talk at Data Science Salon New York, 2019.
# - R. He et al.: *PLUM: Adapting Pre-trained Language Models for Industrial-scale Generative Recommendations*. arXiv:2510.07784, 2025. YouTube's.
# - M. Panteli et al.: *Recommendation Systems for News Articles at the BBC*. CEUR Workshop Proceedings 2554, 2019.
#
# **The models of section 6**
# - J. Devlin et al.: *BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding*. NAACL 2019. W. Wang et al.: *MiniLM: Deep Self-Attention Distillation for Task-Agnostic Compression of Pre-Trained Transformers*. NeurIPS 2020.
# - T. Brown et al.: *Language Models are Few-Shot Learners*. NeurIPS 2020. Llama Team: *The Llama 3 Herd of Models*. arXiv:2407.21783, 2024. DeepSeek-AI: *DeepSeek-V3 Technical Report*. arXiv:2412.19437, 2024.
#
# **You can now** build a funnel, price its misses, and refuse an anecdote. Chapter 02 takes the formula that D1 and D2 rank with and looks at it from all sides.
