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
# # 06 · Evaluating the recall stage (召回评估)
#
# *How to know, and how to be fooled.*
#
# After this chapter you will be able to
#
# - derive every ranking metric (排序指标) of this course and compute it with a pencil;
# - say why a recall stage is judged by Recall@K at its candidate count, and not by accuracy or a threshold curve;
# - recognise nine ways in which an evaluation lies, each of which you will have seen lie;
# - compare two retrievers honestly: user by user, with an interval, and corrected when there are many;
# - measure what lists look like, whoever is right: coverage, concentration, novelty, diversity;
# - judge impressions (曝光), say what a click log cannot know, and mend what can be mended.
#
# You need: lesson 01a for the funnel, lesson 01b for intervals and pairs; chapter 05 for the retrievers (here they are only judged); chapter 04 for MIND. About 220 minutes.

# %% [markdown]
# ## The documents say
#
# | id | where | statement, in our words | what we do |
# |---|---|---|---|
# | D1-21 | D1 §5.2 | code: the precision-recall curve is computed from *item vectors* | run it, repair it, put the curve in its place |
# | D1-37 | D1 §5.2 | code: the tested user vector is built from the test purchases, and the metric never sees the recommended list | show what that inflates, even for vectors that know nothing |
# | D2-14 | D2 §9 Q2 | judge recall by NDCG, MAP and the like | derive both; test whether they judge the right thing |
# | D3-14 | D3 §9.3 | judge by accuracy, recall, coverage and novelty | a formula, a hand-checked case, and a use for each |
# | D3-02 | D3 §2.4 | large models raise diversity | MiniLM against collaborative filtering *at equal recall* |

# %% tags=["parameters"]
scale = "small"  # "small" is what the book shows; "full" runs the same code on more data
seed = 0

# %%
import itertools

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import scipy.sparse as sp
from implicit.evaluation import ranking_metrics_at_k
from scipy.stats import hypergeom, spearmanr
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    ndcg_score,
    precision_recall_curve,
    precision_score,
    recall_score,
    roc_auc_score,
)

from course_lib import learn, show
from course_lib.data import (
    Split,
    load_mind,
    load_movielens,
    load_simulated_truth,
    seeded_hash,
)
from course_lib.encode import TextEncoder
from course_lib.evaluate import (
    MIND_METRICS,
    auc,
    bootstrap_interval,
    compare,
    evaluate,
    evaluate_impressions,
    holm,
    inverse_propensity_rate,
)
from course_lib.evaluate import lists as looks
from course_lib.retrieve import (
    ALS,
    EASE,
    Candidates,
    FeatureRetriever,
    ItemKNN,
    Popularity,
    Random,
    UserKNN,
    genre_features,
    tfidf_features,
)
from course_lib.similarity import normalize, top_k
from course_lib.tune import tune

rng = np.random.default_rng(seed)
show.style()

# %% [markdown]
# ## 1 · One user, ten films: every metric by hand
#
# A shop has ten films, A to J. A retriever has ranked them for Lin. In the following week Lin watches four: **B, C, G and J**. Nobody told the retriever.
# The stage passes on the first $K=3$ films and forgets the rest.

# %%
ranking = list("ABCDEFGHIJ")  # best first
watched = set("BCGJ")
K = 3
hit = np.array([film in watched for film in ranking])

# %% tags=["hide-input"]
figure, axis = plt.subplots(figsize=(6.4, 1.35))
for place, film in enumerate(ranking):
    axis.add_patch(
        plt.Rectangle(
            (place, 0),
            0.9,
            0.9,
            color=show.PALETTE[0] if hit[place] else "0.85",
        )
    )
    axis.text(
        place + 0.45,
        0.45,
        film,
        ha="center",
        va="center",
        color="white" if hit[place] else "0.3",
    )
axis.axvline(K - 0.05, color=show.PALETTE[1], ls="--")
axis.text(K + 0.02, 1.0, "the list is cut here", color=show.PALETTE[1], size=9)
axis.set(
    xlim=(-0.1, 10),
    ylim=(0, 1.25),
    yticks=[],
    xticks=np.arange(10) + 0.45,
    xlabel="rank",
)
axis.set_xticklabels(range(1, 11))
axis.spines["left"].set_visible(False)
axis.grid(False)
show.figure(
    figure,
    alt="Ten boxes in a row, one a rank. The boxes at ranks 2, 3, 7 and 10, films B, C, G and J, are filled: Lin watched them. "
    "A dashed line cuts the list after rank 3.",
    table=pd.DataFrame(
        {"film": ranking, "watched": ["yes" if h else "" for h in hit]},
        index=pd.RangeIndex(1, 11, name="rank"),
    ).T,
    caption="Lin's list. Films that Lin watched are relevant (相关); a relevant film on the list is a hit.",
)

# %% [markdown]
# ### How many? Precision, recall, hit rate, accuracy
#
# The list of three has $2$ hits. What we divide by makes the metric:
#
# | metric | question | formula | here |
# |---|---|---|---|
# | precision (精确率) @K | how much of the list is right? | hits ÷ $K$ | $2/3\approx0.667$ |
# | **recall (召回率) @K** | how much of what is right is on the list? | hits ÷ relevant | $2/4=0.5$ |
# | capped recall @K | how much of what *could* be on the list is? | hits ÷ min($K$, relevant) | $2/3\approx0.667$ |
# | hit rate (命中率) @K | is anything right? | 1 if there is a hit | $1$ |
#
# Recall@3 cannot exceed $3/4=0.75$ here: three places, four relevant films. Some papers cap the denominator and still call it recall. Always ask.
#
# **Accuracy** (准确率) is another matter. It counts each film of the shop as a decision, shown or not shown, and asks how many decisions were right:
# with TP hits, FP wrong films shown, FN relevant films missed, TN wrong films rightly left out,
#
# $$\text{accuracy}=\frac{TP+TN}{N}=\frac{2+5}{10}=0.7 .$$
#
# Now recommend **nothing**. TP = 0, and all films but the relevant ones are decided rightly:
#
# $$\text{accuracy of the empty list}=\frac{N-|\text{relevant}|}{N}=1-\frac{|\text{relevant}|}{N}\;\longrightarrow\;1\quad\text{as the catalogue grows.}$$

# %%
shown_films = np.arange(10) < K
hits = hit[shown_films].sum()
assert (hits, hit.sum(), min(hits, 1)) == (2, 4, 1)
assert hits / K == hits / min(K, hit.sum()) == 2 / 3
assert round(hits / K, 3) == 0.667
assert hits / hit.sum() == 2 / 4 == 0.5 and K / hit.sum() == 3 / 4 == 0.75
assert np.mean(shown_films == hit) == 0.7  # accuracy

relevant_films = 4
show.table(
    pd.DataFrame(
        {
            "two hits in a list of three": [
                (2 + (n - 5)) / n for n in (10, 100, 1_682, 1_000_000)
            ],
            "empty list": [
                1 - relevant_films / n for n in (10, 100, 1_682, 1_000_000)
            ],
        },
        index=pd.Index([10, 100, 1_682, 1_000_000], name="films in the shop"),
    ),
    caption="Accuracy grows with the shop, not with the list",
    digits=6,
)

# %% [markdown]
# ### Where? Reciprocal rank, average precision, NDCG
#
# **Reciprocal rank** (倒数排名): $1/\text{rank of the first hit}=1/2$, and 0 without a hit. Its mean over users is MRR.
#
# **Average precision** (平均精度): at each hit, take the precision so far; add up; divide. At rank 2 it is $1/2$, at rank 3 it is $2/3$. The sum is
# $1/2+2/3=7/6$. Divided by what? Three answers are in use, all under the name MAP (mean over users of AP):
#
# | name in this course | divided by | here |
# |---|---|---|
# | `map` | relevant films (what trec_eval does) | $\frac{7}{6}/4=0.2917$ |
# | `map_capped` | min($K$, relevant) | $\frac{7}{6}/3=0.3889$ |
# | `map_of_hits` | hits in the list | $\frac{7}{6}/2=0.5833$ |
#
# The third one never notices a film that is missing: a list with one hit at the top and nothing else scores 1.
#
# **NDCG** (归一化折损累计增益): a hit at rank $r$ is worth $1/\log_2(r+1)$: 1, 0.631, 0.5, … Add up (DCG), and divide by the best possible sum, three hits on top (IDCG):
#
# $$\text{NDCG@3}=\frac{0.6309+0.5}{1+0.6309+0.5}=0.5307 .$$
#
# **Graded NDCG.** Some hits are better than others. Say Lin rates B with 1 star, C with 3, G with 2 and J with 1. Then a hit counts its stars, and the best list is C, G, B:
#
# $$\text{linear gain: }\frac{1\cdot0.6309+3\cdot0.5}{3\cdot1+2\cdot0.6309+1\cdot0.5}=0.4475 .$$
#
# Others take $2^{\text{stars}}-1$ as the gain (exponential: 1, 3, 7), which gives 0.4398 here. One more convention to ask for.
#
# **AUC** (ROC 曲线下面积): pick one relevant and one irrelevant film at random; how often does the relevant one rank higher? B beats five of the six irrelevant films, C five,
# G two, J none: $12$ of $24$ pairs, $0.5$. So a coin would do as well? Not at the top, where two of three places are hits. AUC gives every place of the ranking
# the same weight, and a recall stage lives at the top.

# %%
discount = 1 / np.log2([2, 3, 4])  # what a hit is worth at ranks 1, 2, 3
pencil = {
    "precision@3": 2 / 3,
    "recall@3": 2 / 4,
    "recall_capped@3": 2 / 3,
    "hit_rate@3": 1.0,
    "mrr@3": 1 / 2,
    "map@3": 7 / 6 / 4,
    "map_capped@3": 7 / 6 / 3,
    "map_of_hits@3": 7 / 6 / 2,
    "ndcg@3": discount @ [0, 1, 1] / discount.sum(),
    "ndcg_linear@3": discount @ [0, 1, 3] / (discount @ [3, 2, 1]),
    "ndcg_exponential@3": discount @ [0, 1, 7] / (discount @ [7, 3, 1]),
}
at_hits = [hit[:rank].mean() for rank in (1, 2, 3) if hit[rank - 1]]
beaten = [sum(~hit[place:]) for place in np.flatnonzero(hit)]  # by B, C, G, J
rounded = {metric: round(value, 4) for metric, value in pencil.items()}
assert rounded["mrr@3"] == 1 / (1 + hit.argmax()) == 1 / 2
assert at_hits == [1 / 2, 2 / 3] and np.isclose(sum(at_hits), 7 / 6)
assert (rounded["map@3"], rounded["map_capped@3"]) == (0.2917, 0.3889)
assert rounded["map_of_hits@3"] == 0.5833
assert np.round(discount, 4).tolist() == [1, 0.6309, 0.5]
assert round(discount[1], 3) == 0.631
assert (rounded["ndcg@3"], rounded["ndcg_linear@3"]) == (0.5307, 0.4475)
assert rounded["ndcg_exponential@3"] == 0.4398
assert beaten == [5, 5, 2, 0] and (sum(beaten), 4 * 6) == (12, 24)
assert sum(beaten) / (4 * 6) == 0.5

# %% [markdown]
# ## 2 · The library, and an independent one
#
# `course_lib.evaluate` takes ranked lists (`Candidates`) and a users × items matrix of what was relevant, and how much. One user, ten films:

# %%
lin = Candidates(np.arange(10)[None], np.arange(10, 0, -1)[None])
stars = np.array([0, 1, 3, 0, 0, 0, 2, 0, 0, 1])
relevant = sp.csr_array(stars[None].astype("float32"))
by_library = evaluate(lin, relevant, tuple(pencil))

scores = lin.scores  # 10, 9, …, 1: films stand in order of rank
listed = np.arange(10) < K
independent = {
    "precision@3": precision_score(hit, listed),
    "recall@3": recall_score(hit, listed),
    "ndcg@3": ndcg_score([hit], scores, k=3),
    "ndcg_linear@3": ndcg_score([stars], scores, k=3),
    "ndcg_exponential@3": ndcg_score([2**stars - 1], scores, k=3),
}

# %%
for metric, value in pencil.items():
    assert np.isclose(by_library.mean(metric), value), metric
for metric, value in independent.items():
    assert np.isclose(value, pencil[metric]), metric
assert np.isclose(accuracy_score(hit, listed), 0.7)
whole = evaluate(lin, relevant, ["map@10"]).mean("map@10")
assert np.isclose(average_precision_score(hit, scores[0]), whole)
area = auc(scores, hit[None].astype(int))[0]
assert np.isclose(area, 12 / 24) and np.isclose(
    roc_auc_score(hit, scores[0]), area
)
show.table(
    pd.DataFrame(
        {
            "by hand": pencil,
            "course_lib": {m: by_library.mean(m) for m in pencil},
            "scikit-learn": independent,
        }
    )
    .loc[list(pencil)]
    .map(lambda value: show.number(value, 4)),
    caption="Three times the same (–: scikit-learn has no such metric)",
)

# %% [markdown]
# One case proves little. So: random shops, random rankings, random users. Both libraries must agree wherever they mean the same thing.

# %%
largest = 0.0
for _ in range(300):
    labels = rng.random(40) < rng.uniform(0.05, 0.6)
    labels[:2] = True, False  # at least one of each
    values = rng.permutation(40).astype("float32")  # no ties
    one = Candidates.from_catalogue_scores(values[None], 40)
    wanted = sp.csr_array(labels[None].astype("float32"))
    ours = evaluate(one, wanted, ["ndcg@10", "map@40"])
    gaps = [
        ours.mean("ndcg@10") - ndcg_score([labels], [values], k=10),
        ours.mean("map@40") - average_precision_score(labels, values),
        auc(values[None], labels[None].astype(int))[0]
        - roc_auc_score(labels, values),
    ]
    largest = max(largest, *np.abs(gaps))
assert largest < 1e-9
show.say(
    "300 random cases: course_lib and scikit-learn give the same NDCG@10, the same AUC, and the same average precision of the whole ranking, to nine decimals."
)

# %% [markdown]
# ### Where they part
#
# 1. **Cut-off.** scikit-learn's average precision has no $K$: it walks down the whole ranking. A recall stage hands over $K$ items; what is behind them does not exist.
# 2. **Ties.** Give all ten films the same score. scikit-learn averages NDCG over all orders of tied films, and treats a tie as one step in average precision.
#    A real list has an order, so this course lists tied films by position, always. (Position must then mean nothing: trap 6.)
# 3. **No relevant film.** scikit-learn's NDCG is 0 for such a user, ours is NaN and the user is left out of the mean, with a count.

# %%
flat = np.zeros((1, 10), dtype="float32")
tied = Candidates.from_catalogue_scores(flat, 10)
nobody = sp.csr_array((1, 10), dtype="float32")
show.table(
    pd.DataFrame(
        {
            "course_lib": [
                whole,
                evaluate(lin, relevant, ["map@3"]).mean("map@3"),
                evaluate(tied, relevant, ["ndcg@3"]).mean("ndcg@3"),
                evaluate(lin, nobody, ["ndcg@3"]).mean("ndcg@3"),
            ],
            "scikit-learn": [
                average_precision_score(hit, scores[0]),
                np.nan,
                ndcg_score([hit], flat, k=3),
                ndcg_score(nobody.toarray(), scores, k=3),
            ],
        },
        index=[
            "average precision, whole ranking",
            "average precision, cut at 3",
            "NDCG@3, all films tied",
            "NDCG@3, no relevant film",
        ],
    ),
    caption="The same names, not always the same numbers (–: not defined)",
    digits=4,
)

# %% [markdown]
# ## 3 · A bench to judge on
#
# MovieLens; each user's last fifth of the ratings is the test (测试集), the tenth before it validation (验证集); every rating counts as *watched*. Chapter 05 introduced these retrievers.
# Three families get the same budget of trials on validation data. The others stand on the bench as somebody might have set them, one of them ALS **as its library ships it**. They were chosen to be of different kinds, some made for the top of a list and some for its depth: they are there to be judged, not to win.
# MiniLM text is the frozen encoder of chapter 04 with the mean of all vectors removed.

# %%
interactions, catalogue = load_movielens(scale)
split = Split.per_user_chronological(interactions, seed=seed)
vectors = TextEncoder("minilm").encode(
    catalogue.describe("title", "year", "genres")
)
centred = vectors - vectors.mean(0)
budget = 5
grids = {
    "item neighbours": {
        "neighbours": [50, 100, 200],
        "weighting": ["cosine", "tfidf"],
    },
    "ALS": {
        "factors": [16, 32],
        "regularization": [5, 10, 30],
        "alpha": [1, 4],
        "seed": [seed],
    },
    "EASE": {"regularization": [100, 200, 400, 800, 1600]},
}
families = {"item neighbours": ItemKNN, "ALS": ALS, "EASE": EASE}
tunings = {
    name: tune(
        families[name], grid, split, "recall@100", budget=budget, seed=seed
    )
    for name, grid in grids.items()
}
for tuning in tunings.values():
    show.say(str(tuning))


# %%
def make():
    """A fresh, unfitted copy of every retriever on the bench."""
    return {
        "popularity": Popularity(),
        "MiniLM text": FeatureRetriever(centred, "MiniLM text"),
        "item neighbours": ItemKNN(**tunings["item neighbours"].best),
        "item, 500 neighbours": ItemKNN(500),
        "item, BM25": ItemKNN(100, "bm25"),
        "user neighbours": UserKNN(100, "tfidf"),
        "ALS, defaults": ALS(seed=seed),
        "ALS": ALS(**tunings["ALS"].best),
        "ALS, alpha 80": ALS(16, 100, 80, seed=seed),
        "EASE": EASE(**tunings["EASE"].best),
        "EASE, weakly regularised": EASE(50),
    }


users = np.flatnonzero(split.test.user_counts)
test = split.test.matrix[users]
final = split.train_and_validation
fitted = {name: model.fit(final, catalogue) for name, model in make().items()}
lists = {name: model.retrieve(users, 500) for name, model in fitted.items()}
metrics = [
    "recall@10",
    "recall@100",
    "precision@10",
    "ndcg@10",
    "map@10",
    "map_capped@10",
    "map_of_hits@10",
]
reports = {
    name: evaluate(candidates, test, metrics, seed=seed)
    for name, candidates in lists.items()
}


# %%
def shown(report, metric):
    return show.interval(report.mean(metric), report.interval(metric))


show.table(
    pd.DataFrame(
        {
            metric: {name: shown(r, metric) for name, r in reports.items()}
            for metric in ("recall@10", "recall@100", "ndcg@10")
        }
    ).rename_axis("retriever"),
    caption=f"Test, {len(users):,} users, full ranking, 95 % bootstrap intervals over users",
)

# %% [markdown]
# The **interval** (置信区间) is made by the bootstrap (自助法): draw as many users as there are, with replacement, a thousand times; keep the middle 95 % of the thousand means.
# In two lines of numpy, beside the library:

# %%
one_each = reports["EASE"].per_user["recall@10"]
draws = rng.choice(one_each, (1000, len(users))).mean(axis=1)
in_numpy = np.percentile(draws, [2.5, 97.5])
middle = (draws >= in_numpy[0]) & (draws <= in_numpy[1])
assert round(middle.mean(), 2) == 0.95
assert np.allclose(in_numpy, reports["EASE"].interval("recall@10"), atol=0.003)

# %% [markdown]
# It answers *what if other users had come*, and nothing else: not another data set, not another split, not another seed of the model (trap 9).
#
# And accuracy? D3 §9.3 lists it first. (Its Chinese word, 准确率, is often used for precision, 精确率. Read so, it is a sound metric. We test the other reading, because the document's own English says *accuracy*.)
# For each user we count one decision a film.

# %%
n_items, n_relevant = interactions.n_items, test.sum(axis=1)
nothing = 1 - n_relevant / n_items  # accuracy of the empty list, each user
accuracy = {
    name: nothing - (10 - 2 * 10 * r.per_user["precision@10"]) / n_items
    for name, r in reports.items()
}
best = max(accuracy, key=lambda name: accuracy[name].mean())
lead = nothing - accuracy[best]
empty_leads = lead.mean(), bootstrap_interval(lead, seed=seed)
show.say(
    f"The best of {len(accuracy)} retrievers by accuracy is {best} with {accuracy[best].mean():.4f}; the **empty list has {nothing.mean():.4f}**. "
    f"Empty list minus {best}, paired: {show.interval(*empty_leads, 4)}. Users for whom the empty list is *not* the better one: {(lead <= 0).mean():.0%}."
)

# %% [markdown]
# A list of ten with $h$ hits has $h$ decisions more right than the empty list, and $10-h$ more wrong. So it needs more than five hits to be the better one.

# %% [markdown]
# ## 4 · A threshold curve is not a recall stage
#
# D1 §5.2 passes the **vectors** of the test items to scikit-learn's `precision_recall_curve`. It wants one score an item: a number that says how relevant the item is.

# %%
one_recall = reports["EASE"].per_user["recall@100"]
typical = np.abs(one_recall - np.nanmean(one_recall))
typical[(n_relevant < 20) | (n_relevant > 40)] = np.inf
row = int(np.argmin(typical))  # 20 to 40 test films, and a typical recall
labels = test[[row]].toarray()[0].astype(int)

with learn.fails(ValueError):
    precision_recall_curve(labels, centred)
with learn.fails(ValueError):
    average_precision_score(labels, centred)

# %% [markdown]
# Repaired: score each film by its similarity to the user, leave out what the user has seen, then ask for the curve.

# %%
every_film = np.tile(np.arange(n_items), (len(users), 1))
seen = final.matrix[users].toarray() > 0


def catalogue_scores(name):
    """Scores [users, films]; films that it does not offer last, seen films out."""
    scores = fitted[name].score(users, every_film).clip(min=-1e6)
    return np.where(seen, -np.inf, scores)


curves = {}
for name in ("EASE", "MiniLM text"):
    unseen = ~seen[row]
    one_user = catalogue_scores(name)[row, unseen]
    curves[name] = precision_recall_curve(labels[unseen], one_user)

# %% [markdown]
# A point of this curve is *a threshold* (阈值): keep all films that score above it. Our stage keeps *K films*, and each K is one point of the curve too. So for **one**
# user the curve is right, and it is the Recall@K curve in another coordinate system. (scikit-learn adds one last point that no list has: precision 1 at recall 0. We leave it out.)

# %% tags=["hide-input"]
figure, axis = plt.subplots(figsize=(5.6, 3.2))
points = []
for (name, (precision, recall, _)), colour in zip(
    curves.items(), map(show.colour, curves), strict=True
):
    axis.plot(recall[:-1], precision[:-1], color=colour, label=name, lw=1.5)
    for k, marker in ((10, "o"), (100, "s")):
        got = labels[lists[name].ids[row, :k]].sum()
        at = got / labels.sum(), got / k
        on_curve = np.isclose(recall, at[0]) & np.isclose(precision, at[1])
        assert on_curve.any()
        axis.plot(*at, marker, color=colour, ms=8, mec="black")
        points.append(
            {
                "retriever": name,
                "K": k,
                "hits": int(got),
                "recall": at[0],
                "precision": at[1],
            }
        )
axis.plot([], [], "o", color="0.6", mec="black", label="K = 10")
axis.plot([], [], "s", color="0.6", mec="black", label="K = 100")
axis.set(
    xlabel="recall",
    ylabel="precision",
    ylim=(-0.02, None),
)
axis.legend()
show.figure(
    figure,
    alt="Precision against recall for one user, one curve for EASE and one for MiniLM text. Circles and squares mark where a list of 10 and of 100 films lies on each curve.",
    table=pd.DataFrame(points),
    caption="The repaired curve of one user",
)

# %% [markdown]
# ### With many users the curve changes its meaning
#
# `precision_recall_curve` takes one long vector. So all users' scores go into one pool, and **one threshold serves everybody**. Scores of different users
# are on different scales: EASE adds up one term for each film of the history, so those who watch much get higher scores.

# %%
pool = catalogue_scores("EASE")
threshold = np.sort(pool[~seen])[::-1][100 * len(users) - 1]
above = (pool >= threshold).sum(axis=1)
low, middle, high = np.percentile(above, [5, 50, 95])
show.say(
    f"One threshold for all that passes 100 films a user *on average*: the median user gets **{middle:.0f}**, one in twenty gets {low:.0f} or fewer, "
    f"one in twenty {high:.0f} or more. Rank correlation with the length of the history: **{spearmanr(above, seen.sum(axis=1)).statistic:.2f}**."
)

# %% [markdown]
# Worse: multiply each user's scores by a positive number of that user's own. No list changes, so nothing that a user could notice changes.

# %%
factor = 2.0 ** rng.integers(-2, 3, size=(len(users), 1))  # ¼ to 4
rescaled = np.where(seen, -np.inf, pool * factor)
long_labels = test.toarray()[~seen]
pooled = [
    average_precision_score(long_labels, p[~seen]) for p in (pool, rescaled)
]
same = [
    evaluate(
        Candidates.from_catalogue_scores(p, 100), test, ["recall@100"]
    ).mean("recall@100")
    for p in (pool, rescaled)
]
assert same[0] == same[1] == reports["EASE"].mean("recall@100")
assert abs(pooled[0] - pooled[1]) > 0.01
show.table(
    pd.DataFrame(
        {"pooled average precision": pooled, "Recall@100": same},
        index=["EASE", "EASE, each user's scores rescaled"],
    ),
    caption="The same lists, judged twice",
)

# %% [markdown]
# ### Recall@K at the candidate count
#
# A recall stage has a capacity: the ranker behind it can score $K$ candidates a user, and everything that is not among them is lost (D1-01, chapter 01). So the question is:
# **of what the user wants, how much is among the K?** That is Recall@K. $K$ is not a matter of taste: it is the candidate count of the system. Here we say 100.

# %% tags=["hide-input"]
depths = [1, 2, 5, 10, 20, 50, 100, 200, 500]
chosen = ["EASE", "ALS, defaults", "popularity", "MiniLM text"]
depth_metrics = [f"recall@{k}" for k in depths]
by_depth = {
    name: evaluate(lists[name], test, depth_metrics, seed=seed)
    for name in chosen
}
figure, axis = plt.subplots(figsize=(6.2, 3.2))
for (name, report), colour, marker in zip(
    by_depth.items(), map(show.colour, by_depth), "os^D", strict=True
):
    axis.plot(
        depths,
        [report.mean(m) for m in depth_metrics],
        f"-{marker}",
        color=colour,
        label=name,
        ms=5,
    )
    bounds = np.array([report.interval(m) for m in depth_metrics])
    axis.fill_between(depths, *bounds.T, color=colour, alpha=0.2, lw=0)
axis.axvline(100, color="0.5", ls="--", lw=1)
axis.set(
    xscale="log",
    xlabel="K, number of candidates (log scale)",
    ylabel="Recall@K",
    xticks=depths,
)
axis.set_xticklabels(depths)
axis.minorticks_off()
axis.legend()
show.figure(
    figure,
    alt="Recall against the number of candidates, from 1 to 500, for EASE, ALS with default settings, popularity and MiniLM text, with narrow interval bands. "
    "All curves rise; a dashed line marks 100 candidates.",
    table=pd.DataFrame(
        {
            name: {k: r.mean(f"recall@{k}") for k in (10, 100, 500)}
            for name, r in by_depth.items()
        }
    )
    .T.add_prefix("Recall@")
    .rename_axis("retriever"),
    caption="The right curve for a recall stage: one point for each capacity",
)

# %%
crossing = [
    (a, b)
    for a, b in itertools.permutations(chosen, 2)
    if compare(
        by_depth[a], by_depth[b], "recall@10", permutations=1, seed=seed
    ).interval[0]
    > 0
    > compare(
        by_depth[a], by_depth[b], "recall@500", permutations=1, seed=seed
    ).interval[1]
]
show.say(
    "Ahead at 10 candidates and behind at 500, both clearly (paired intervals): "
    + (
        "; ".join(f"*{a}* against *{b}*" for a, b in crossing)
        + ". Who judges at the wrong K picks the wrong one."
        if crossing
        else "none of these four."
    )
)

# %% tags=["hide-input"]
learn.verdict(
    "D1-21",
    "corrected",
    "Vectors in place of scores raise a ValueError. Repaired with one score a film, the curve is right for one user. Pooled over users it judges a global "
    "threshold: rescaling each user's scores takes its average precision from {before} to {after} while every list, and Recall@100, stays {recall}. "
    "A stage with room for K candidates is judged by Recall@K.",
    numbers={
        "before": show.number(pooled[0]),
        "after": show.number(pooled[1]),
        "recall": shown(reports["EASE"], "recall@100"),
    },
    data=interactions.name,
    scale=scale,
)

# %% [markdown]
# ## 5 · NDCG and MAP: right metrics, whose job?
#
# D2 §9 advises NDCG and MAP. Both reward hits near the top. But **the ranker behind a recall stage re-orders the candidates anyway.** Take the text retriever's 100
# candidates, and let EASE put them in order. The same 100 films:

# %%
text = lists["MiniLM text"].top(100)
order = fitted["EASE"].score(users, text.ids).clip(min=-1e6)
reordered = Candidates.from_item_scores(text.ids, order)
before = evaluate(text, test, ["recall@100", "ndcg@10", "map@100"], seed=seed)
after = evaluate(
    reordered, test, ["recall@100", "ndcg@10", "map@100"], seed=seed
)
gains = {
    m: compare(after, before, m, seed=seed) for m in ("ndcg@10", "map@100")
}
assert np.allclose(
    before.per_user["recall@100"], after.per_user["recall@100"], equal_nan=True
)
show.table(
    pd.DataFrame(
        {
            m: [shown(before, m), shown(after, m)]
            for m in ("recall@100", "ndcg@10", "map@100")
        },
        index=["as retrieved", "the same films, ordered by EASE"],
    )
)

# %% [markdown]
# NDCG and MAP moved, Recall@100 did not and could not: it is the ceiling of what any ranker can do. So the two kinds of metric can disagree on which retriever to
# put in front. Do they? We look for such pairs on **validation** data, and ask the test to confirm them (section 6, trap 9, explains the correction by Holm).

# %%
validation_users = np.flatnonzero(split.validation.user_counts)
validation = split.validation.matrix[validation_users]
trained = {
    name: model.fit(split.train, catalogue) for name, model in make().items()
}
validation_reports = {
    name: evaluate(
        model.retrieve(validation_users, 100), validation, metrics, seed=seed
    )
    for name, model in trained.items()
}


# %%
def reversals(reports, one, other):
    """Pairs (a, b) with a clearly ahead by `one` and b clearly ahead by `other`."""
    found = []
    for a, b in itertools.permutations(reports, 2):
        ahead = compare(reports[a], reports[b], one, permutations=1, seed=seed)
        if ahead.interval[0] > 0:
            behind = compare(
                reports[a], reports[b], other, permutations=1, seed=seed
            )
            found += [(a, b)] if behind.interval[1] < 0 else []
    return found


def confirmed(reports, pairs, one, other):
    """The pairs in other reports, one row each; Holm over all these comparisons."""
    both = [
        [compare(reports[a], reports[b], m, seed=seed) for m in (one, other)]
        for a, b in pairs
    ]
    p = holm([c.p_value for row in both for c in row]).reshape(-1, 2)
    return pd.DataFrame(
        {
            "first − second": [f"{a} − {b}" for a, b in pairs],
            one: [show.interval(c.difference, c.interval) for c, _ in both],
            other: [show.interval(c.difference, c.interval) for _, c in both],
            "confirmed": [
                "yes"
                if c.difference > 0 > d.difference and (q < 0.05).all()
                else "no"
                for (c, d), q in zip(both, p, strict=True)
            ],
        }
    )


pairs = reversals(validation_reports, "ndcg@10", "recall@100")
n_confirmed = 0

# %% tags=["hide-input"]
if not pairs:
    show.say(
        "On validation, no pair of these retrievers is ordered clearly one way by NDCG@10 and clearly the other way by Recall@100."
    )
else:
    outcome = confirmed(reports, pairs, "ndcg@10", "recall@100")
    n_confirmed = int((outcome["confirmed"] == "yes").sum())
    show.table(
        outcome,
        caption="Pairs that NDCG@10 and Recall@100 order differently on validation; their differences on the test",
    )
    show.say(
        f"Confirmed on the test, both differences clear after Holm: **{n_confirmed} of {len(pairs)}**."
    )

# %% [markdown]
# A difference that the test does not confirm is no proof of agreement either: it only means *not clear with these users*.

# %% tags=["hide-input"]
moved = all(gain.is_clear for gain in gains.values())
learn.verdict(
    "D2-14",
    "depends" if moved or n_confirmed else "works",
    "Both metrics are sound (derived, hand-checked, equal to scikit-learn's), and both judge an order that the next stage will change: the same 100 candidates, "
    "re-ordered, gain {ndcg} in NDCG@10 and {map} in MAP@100 at an unchanged Recall@100 of {recall}. Pairs of retrievers that NDCG@10 and Recall@100 put in opposite orders: "
    "{pairs} on validation, {confirmed} of them confirmed on the test. Right for the last stage; for a recall stage Recall@K comes first.",
    numbers={
        "ndcg": (gains["ndcg@10"].difference, gains["ndcg@10"].interval),
        "map": (gains["map@100"].difference, gains["map@100"].interval),
        "recall": shown(before, "recall@100"),
        "pairs": len(pairs),
        "confirmed": n_confirmed,
    },
    data=interactions.name,
    scale=scale,
)

# %% [markdown]
# ## 6 · Nine traps
#
# ### Trap 1 · A hundred sampled negatives
#
# To save time, many papers rank each test item against 100 random items that the user did not take (负采样, negative sampling), and report HitRate@10 among these 101. What does that measure?
# Put one test film among the $N-1$ films that its user never took, and let $r$ be its rank there. It is in the top ten *of the sample* if at most 9 of the $r-1$ films above it were drawn:
#
# $$P(\text{hit}\mid r)=P\big(X\le 9\big),\qquad X\sim\text{Hypergeometric}(N-1,\;r-1,\;100).$$

# %% tags=["hide-input"]
never = interactions.matrix.toarray() == 0  # films that a user never took
rivals_each = int(never[users].sum(axis=1).mean())  # N − 1
ranks = np.arange(1, 401)
chance = hypergeom.cdf(9, rivals_each, ranks - 1, 100)
half = int(ranks[np.argmin(np.abs(chance - 0.5))])
rows = [1, 10, 50, 100, half, 200, 300]
figure, axis = plt.subplots(figsize=(6, 2.7))
axis.plot(ranks, ranks <= 10, color=show.PALETTE[0], label="all rivals")
axis.plot(
    ranks, chance, "--", color=show.PALETTE[1], label="100 rivals, sampled"
)
axis.set(
    xlabel="rank of the test film among all films that the user never took",
    ylabel="chance of a hit@10",
)
axis.legend()
show.figure(
    figure,
    alt="Chance that a film counts as a hit at 10, against its true rank. Against all rivals it drops from 1 to 0 after rank 10. "
    "Against 100 sampled rivals it stays near 1 for many dozen ranks and falls slowly to 0.",
    table=pd.DataFrame(
        {"rank": rows, "chance of a sampled hit": chance[np.array(rows) - 1]}
    ),
    caption="What HitRate@10 among 100 sampled negatives rewards",
)
show.say(
    f"Rank 1 is a sampled hit with probability {chance[0]:.3f}, rank 50 with {chance[49]:.3f}: the metric hardly tells them apart. "
    f"Its '@10' is a soft '@{half}': it judges another stage than the one that you think you are judging."
)


# %%
def hits_among(model, users, relevant, rivals):
    """Share of each user's test films with fewer than ten rivals ahead, for each kind of rivals (bool)."""
    films = np.tile(np.arange(n_items), (len(users), 1))
    scores = model.score(users, films)
    order = np.argsort(-scores, axis=1, kind="stable")  # ties by position
    rows, tested = relevant.nonzero()
    shares, ahead = {}, np.empty(order.shape, dtype="int64")
    for label, is_rival in rivals.items():
        counted = np.take_along_axis(is_rival, order, axis=1).cumsum(axis=1)
        np.put_along_axis(ahead, order, counted, axis=1)
        hit = ahead[rows, tested] < 10
        shares[label] = np.bincount(rows, hit) / np.bincount(rows)
    return shares


def a_hundred(rivals):
    """A hundred of each user's rivals, drawn once: the same for every retriever."""
    keys = np.where(rivals, rng.random(rivals.shape), 2)
    drawn = np.zeros_like(rivals)
    lowest = np.argsort(keys, axis=1, kind="stable")[:, :100]
    np.put_along_axis(drawn, lowest, True, axis=1)
    return drawn


# %% [markdown]
# The question is not whether the numbers are larger (of course they are), but whether the **order** survives. Everything stays the same, test films, users, scores; only the rivals change: all of them, or a hundred.
# Again we search on validation and confirm on the test.

# %%
for found, models, who, wanted in (
    (validation_reports, trained, validation_users, validation),
    (reports, fitted, users, test),
):
    rivals = {"all rivals": never[who], "100 rivals": a_hundred(never[who])}
    for name, model in models.items():
        shares = hits_among(model, who, wanted, rivals)
        for label, share in shares.items():
            found[name] = found[name].with_values(label, share)
pairs = reversals(validation_reports, "all rivals", "100 rivals")
show.table(
    pd.DataFrame(
        {
            f"HitRate@10, {m}": {n: shown(r, m) for n, r in reports.items()}
            for m in ("all rivals", "100 rivals")
        }
    ).rename_axis("retriever"),
    caption="Test: each test film against all films that its user never took, and against 100 of them",
)

# %% tags=["hide-input"]
if not pairs:
    show.say("No pair on this bench is clearly reversed by sampling.")
else:
    outcome = confirmed(reports, pairs, "all rivals", "100 rivals")
    yes = outcome[outcome["confirmed"] == "yes"]
    show.table(
        outcome,
        caption="Pairs that sampling reversed on validation; their differences in HitRate@10 on the test",
    )
    show.say(
        f"On the test **{len(yes)} of {len(pairs)}** reversals are confirmed, clear in both directions after Holm"
        + (
            ": against all rivals *{}* is ahead of *{}*, among 100 sampled ones it is behind.".format(
                *yes.iloc[0, 0].split(" − ")
            )
            if len(yes)
            else "."
        )
    )

# %% [markdown]
# Krichene and Rendle (KDD 2020) prove that sampled metrics are inconsistent in this sense, *not even in expectation*; with few samples all of them turn into AUC. Their advice is ours:
# rank everything. (`python course.py benchmark ncf` repeats a public test of MovieLens-1M: it shows sampled figures because the published ones are sampled, and full ones beside them.)

# %% [markdown]
# ### Trap 2 · The answer inside the question
#
# In D1 §5.2 the user vector that is tested is made from the *test* purchases, and then asked to find these purchases: a leak (数据泄漏). Let us do that on the whole catalogue, with the text vectors, and with a
# control that knows nothing at all: one **random** vector a film.

# %%
blank = FeatureRetriever(
    rng.normal(size=centred.shape).astype("float32"), "random vectors"
).fit(final, catalogue)
leak = {}
for name, model in {
    "MiniLM text": fitted["MiniLM text"],
    "random vectors": blank,
}.items():
    leak[name, "history before the test"] = model.retrieve(users, 100)
    leak[name, "the test purchases"] = model.retrieve(
        test, 100, exclude_seen=False
    )
leak_reports = {
    key: evaluate(c, test, ["recall@10", "recall@100", "map@100"], seed=seed)
    for key, c in leak.items()
}
show.table(
    pd.DataFrame(
        {
            m: {key: shown(r, m) for key, r in leak_reports.items()}
            for m in ("recall@10", "recall@100", "map@100")
        }
    ).rename_axis(["vectors", "user vector made from"]),
    caption="Asking for what was put in",
)

# %%
cheat = leak_reports["random vectors", "the test purchases"]
for name, honest in reports.items():
    for metric in ("recall@10", "recall@100"):
        lead = compare(cheat, honest, metric, permutations=1, seed=seed)
        assert lead.interval[0] > 0, name

# %% [markdown]
# Random vectors beat every honest retriever of this chapter (checked in pairs), because a mean contains its own summands: for $n$ random unit vectors in $d$ dimensions, the cosine of a summand with the mean is about
# $1/\sqrt n$, that of a stranger only about $\pm1/\sqrt d$. It is memory, not taste. The code has a second fault: the recommended list is computed and then ignored; the metric
# looks at the vectors. Judge the list.

# %% tags=["hide-input"]
key = "history before the test", "the test purchases"
inflation = compare(
    leak_reports["MiniLM text", key[1]],
    leak_reports["MiniLM text", key[0]],
    "recall@100",
    seed=seed,
)
learn.verdict(
    "D1-37",
    "corrected",
    "With the test purchases in the user vector Recall@100 is {leaked} for text, and {blank} for random vectors that know nothing. From the history before the test, "
    "judged on the list, it is {clean}, and {chance} for random vectors. The leak is worth {inflation} (paired).",
    numbers={
        "leaked": shown(leak_reports["MiniLM text", key[1]], "recall@100"),
        "blank": shown(leak_reports["random vectors", key[1]], "recall@100"),
        "clean": shown(leak_reports["MiniLM text", key[0]], "recall@100"),
        "chance": shown(leak_reports["random vectors", key[0]], "recall@100"),
        "inflation": (inflation.difference, inflation.interval),
    },
    data=interactions.name,
    scale=scale,
)

# %% [markdown]
# ### Trap 3 · A random split knows the future
#
# Draw the test at random, and the model trains on what each user did *after* the test event. First the leak itself, then what it does to the figures.


# %%
def own_future(split):
    """Share of pairs (training event, test event) of a user in which training is later, mean over users."""
    known = split.train_and_validation
    past = pd.Series(known.timestamps).groupby(known.users)
    shares = []
    for user, tested in pd.Series(split.test.timestamps).groupby(
        split.test.users
    ):
        times = np.sort(past.get_group(user))
        later = len(times) - np.searchsorted(times, tested, side="right")
        shares.append((later / len(times)).mean())
    return np.mean(shares)


shuffled = Split.random(interactions, seed=seed)
random_users = np.flatnonzero(shuffled.test.user_counts)
assert np.array_equal(users, random_users)
rows = []
for name in ("popularity", "item neighbours", "EASE", "MiniLM text"):
    model = make()[name].fit(shuffled.train_and_validation, catalogue)
    leaky = evaluate(
        model.retrieve(users, 10), shuffled.test.matrix[users], seed=seed
    )
    gap = compare(leaky, reports[name], "recall@10", seed=seed)
    rows.append(
        {
            "retriever": name,
            "Recall@10, by time": shown(reports[name], "recall@10"),
            "random": shown(leaky, "recall@10"),
            "random − by time, paired": show.interval(
                gap.difference, gap.interval
            ),
        }
    )
show.table(rows, caption="The same users, the same retrievers, two splits")
show.say(
    f"Take a training event and a test event of one user. Training is the later one in {own_future(split):.1%} of the pairs of the split by time, in **{own_future(shuffled):.1%}** of the random one."
)

# %% [markdown]
# Is that the leak, or is a random test simply easier? Two splits ask two sets of questions, so the table cannot say. A fairer experiment: **the same test, and the same amount of training**. Cut each user's history into five parts in time, 1 to 5,
# and test on the middle one. Train on two of the others:
#
# - parts 1 and 2: the past, all that a live system can have;
# - parts 2 and 4: the nearest on both sides, as in a random split, where training events stand right before and right after each test event;
# - parts 2 and 5: one of them in the future as well, but as far from the test as part 1 is.

# %%
frame = pd.DataFrame(
    {
        "user": interactions.users,
        "time": interactions.timestamps,
        "tie": seeded_hash(interactions.users, interactions.items, seed),
    }
).sort_values(["user", "time", "tie"], kind="stable")
number = frame.groupby("user").cumcount()
part = 1 + 5 * number // frame.groupby("user")["time"].transform("size")
part = part.sort_index().to_numpy()  # 1 … 5 for each interaction
middle = interactions.select(part == 3).matrix[users]
trainings = {
    "past": [1, 2],
    "near future": [2, 4],
    "far future": [2, 5],
}

# %%
rows, worth = [], {}
for name in ("popularity", "item neighbours", "EASE", "MiniLM text"):
    judged = {}
    for label, parts in trainings.items():
        known = interactions.select(np.isin(part, parts))
        found = make()[name].fit(known, catalogue).retrieve(users, 10)
        judged[label] = evaluate(found, middle, ["recall@10"], seed=seed)
    row = {
        "retriever": name,
        "trained on the past (1, 2)": shown(judged["past"], "recall@10"),
    }
    for label, parts in list(trainings.items())[1:]:
        gap = compare(judged[label], judged["past"], "recall@10", seed=seed)
        worth[name, label] = gap
        row[f"{label} {tuple(parts)}, minus past"] = show.interval(
            gap.difference, gap.interval
        )
    rows.append(row)
show.table(
    rows,
    caption="Recall@10 on the middle part; equal amounts of training, paired differences",
)


# %%
def gainers(label):
    names = [
        n
        for (n, which), c in worth.items()
        if which == label and c.interval[0] > 0
    ]
    return ", ".join(names) or "nobody"


show.say(
    f"Clearly better with the near future: **{gainers('near future')}**. With the far future: **{gainers('far future')}**. "
    f"For EASE the near future is worth {worth['EASE', 'near future'].difference:.3f}, the far one {worth['EASE', 'far future'].difference:.3f}."
    + (
        " So what a random split gives away is above all **nearness**."
        if all(
            worth[name, "near future"].difference
            > 2 * worth[name, "far future"].difference
            for name in ("item neighbours", "EASE")
        )
        else ""
    )
)

# %% [markdown]
# A random split asks the model to fill a gap between known events, when its job is to go on from the last one. The gift is not the same for all, so a random split can change who wins, not only by how much.
#
# Our own split is not innocent either: it orders each user's *own* events, but the training
# data of *other* users may be later than your test. Only a global cut in time (`Split.global_time_cut`) rules that out. What it costs here:

# %%
cut = Split.global_time_cut(interactions)
tested = np.flatnonzero(cut.test.user_counts)
with_past = int((cut.train_and_validation.user_counts[tested] > 0).sum())
span = frame.groupby("user")["time"].agg(np.ptp)
show.say(
    f"A cut that gives the last tenth of all ratings to the test leaves {len(tested):,} of {interactions.n_users:,} users to test, and {len(tested) - with_past} of them have no history at all. "
    f"The other **{with_past}** would make every interval about {np.sqrt(len(users) / with_past):.1f} times as wide as ours. The reason: {(span < 86_400).mean():.0%} of the users gave all their ratings within 24 hours. "
    "On this data the strictest cut tests mostly something else: newcomers, and few of them."
)

# %% [markdown]
# Ji, Sun, Zhang and Li (ACM TOIS 2023) measure this leak for four models and four data sets, and find that it makes the order of models unpredictable.

# %% [markdown]
# ### Trap 4 · Ties in time, broken by id
#
# One sitting means many ratings in one second. *The last fifth* then cuts through a second, and somebody must decide which films of that second are test.
# If we sort by time and let the id decide, the publisher's id decides. Here is the cut by hand, with the tie-breaker as an argument.

# %%
publisher_id = interactions.item_ids.astype(int)


def last_fifth(tie_breaker):
    """Mask of test interactions: each user's last fifth, ties in time by `tie_breaker`."""
    frame = pd.DataFrame(
        {
            "user": interactions.users,
            "time": interactions.timestamps,
            "tie": tie_breaker,
        }
    ).sort_values(["user", "time", "tie"], kind="stable")
    from_the_end = frame.groupby("user").cumcount(ascending=False)
    size = frame.groupby("user")["time"].transform("size")
    return (from_the_end < np.ceil(0.2 * size - 1e-9)).sort_index().to_numpy()


by_hash = seeded_hash(interactions.users, interactions.items, seed)
in_test = last_fifth(by_hash)
assert set(interactions.select(in_test).pair_keys) == set(split.test.pair_keys)

events = pd.DataFrame(
    {"user": interactions.users, "time": interactions.timestamps}
)
last_known = events[~in_test].groupby("user")["time"].max()
first_tested = events[in_test].groupby("user")["time"].min()
torn = int(last_known.eq(first_tested).sum())
show.say(
    f"The cut falls inside one second for **{torn} of {len(users)}** users."
)

# %%
of_film = publisher_id[interactions.items]
cuts = {
    "hash of (user, item)": by_hash,
    "publisher's id, rising": of_film,
    "publisher's id, falling": -of_film,
}
tie_reports = {}
for name, tie_breaker in cuts.items():
    mask = last_fifth(tie_breaker)
    popular = Popularity().fit(interactions.select(~mask))
    truth = interactions.select(mask).matrix[users]
    tie_reports[name] = evaluate(
        popular.retrieve(users, 10), truth, ["recall@10"], seed=seed
    )
base = tie_reports["hash of (user, item)"]
tie_gaps = {
    n: compare(r, base, "recall@10", seed=seed) for n, r in tie_reports.items()
}
show.table(
    pd.DataFrame(
        {
            "Recall@10 of popularity": {
                n: shown(r, "recall@10") for n, r in tie_reports.items()
            },
            "minus hash, paired": {
                n: show.interval(c.difference, c.interval)
                if n != "hash of (user, item)"
                else "–"
                for n, c in tie_gaps.items()
            },
        }
    ).rename_axis("ties in time broken by")
)

# %%
clear = [n for n, c in tie_gaps.items() if c.is_clear]
both_ways = compare(
    tie_reports["publisher's id, falling"],
    tie_reports["publisher's id, rising"],
    "recall@10",
    seed=seed,
)
show.say(
    f"Clearly different from the hash: {', '.join(clear) or 'none'}. "
    f"Falling minus rising id, paired: {show.interval(both_ways.difference, both_ways.interval)}."
)

# %% [markdown]
# Nothing changed but the order of films within a second. Why does the publisher's id matter? Because it is not a name but a measurement:

# %%
counts = interactions.item_counts
by_publisher = np.argsort(publisher_id, kind="stable")
tenth = len(counts) // 10
show.table(
    [
        {
            "order": name,
            "first tenth": counts[order[:tenth]].mean(),
            "middle": counts[order[tenth:-tenth]].mean(),
            "last tenth": counts[order[-tenth:]].mean(),
        }
        for name, order in {
            "publisher's ids": by_publisher,
            "positions in this course": np.arange(len(counts)),
        }.items()
    ],
    caption="Mean number of ratings of a film, by its place in the order",
)

# %% [markdown]
# In MovieLens-100K the first ids went to the films that were rated most. That is why the loader of this course numbers films by a hash, and splits break ties by another one.

# %% [markdown]
# ### Trap 5 · Seen films left in the list
#
# The data holds each pair once, so a film that the user has rated cannot be a test film: each seen film on the list is a wasted place.

# %%
rows, careless = [], {}
for name in ("popularity", "item neighbours", "EASE", "ALS", "MiniLM text"):
    found = fitted[name].retrieve(users, 10, exclude_seen=False)
    careless[name] = evaluate(found, test, ["recall@10"], seed=seed)
    gap = compare(careless[name], reports[name], "recall@10", seed=seed)
    wasted = np.take_along_axis(seen, found.ids, axis=1).mean()
    rows.append(
        {
            "retriever": name,
            "places wasted": f"{wasted:.0%}",
            "seen left out": shown(reports[name], "recall@10"),
            "seen left in": shown(careless[name], "recall@10"),
            "paired difference": show.interval(gap.difference, gap.interval),
            "recall lost": f"{-gap.difference / reports[name].mean('recall@10'):.0%}",
        }
    )
show.table(rows, caption="Recall@10 on the test")

# %%
mixed_up = compare(
    careless["EASE"], reports["popularity"], "recall@10", seed=seed
)
show.say(
    f"And if only one side forgets the filter? EASE without it minus popularity with it: {show.interval(mixed_up.difference, mixed_up.interval)}."
)

# %% [markdown]
# The damage is not the same for all. A comparison in which one side forgot the filter compares filters.
# (Where people buy the same thing again, seen items belong in the list. Then the test must contain repeats. Decide once, for everybody.)

# %% [markdown]
# ### Trap 6 · A constant scorer that wins
#
# A model that gives every film the same score knows nothing. What does it get? That depends on who breaks the tie.

# %%
silent = np.where(seen, -np.inf, 0.0)


def constant_scorer(order):
    """Report of a scorer that says 0 to everything; ties go by `order`."""
    tied = Candidates.from_catalogue_scores(silent[:, order], 10)
    return evaluate(tied, test[:, order], ["recall@10"], seed=seed)


orders = {
    "positions of this course": np.arange(n_items),
    "publisher's ids": by_publisher,
}
constant = {name: constant_scorer(order) for name, order in orders.items()}
drawn = np.array(
    [
        constant_scorer(rng.permutation(n_items)).mean("recall@10")
        for _ in range(40)
    ]
)
chance = (10 / (~seen).sum(axis=1)).mean()

# %%
show.table(
    pd.DataFrame(
        {
            "Recall@10": {
                n: shown(r, "recall@10") for n, r in constant.items()
            },
            "times chance": {
                n: r.mean("recall@10") / chance for n, r in constant.items()
            },
            "random orders that do better": {
                n: f"{np.sum(drawn > r.mean('recall@10'))} of {len(drawn)}"
                for n, r in constant.items()
            },
        }
    ).rename_axis("ties broken by"),
    caption=f"A scorer that says 0 to everything; chance is {chance:.4f}",
)
favour = compare(*reversed(constant.values()), "recall@10", seed=seed)
show.say(
    f"Forty random orders give {drawn.min():.4f} to {drawn.max():.4f}, mean {drawn.mean():.4f}: any fixed ten films are a little lucky or unlucky. "
    f"The publisher's order against ours: {show.interval(favour.difference, favour.interval)}"
    + (
        ", clearly more: **the tie-breaker is a popularity model in disguise.**"
        if favour.interval[0] > 0
        else ", not clearly more on this data."
    )
)

# %% [markdown]
# Constant models are not a joke: a network that has collapsed, an encoder that reads every text as `[UNK]` (chapter 04), a cold user. The worst form of this bug sits in test code for sampled negatives:
# the relevant film stands *first* in the list that is to be ranked, and a stable sort leaves it there.

# %%
of_user, own = test.nonzero()
hundred = np.nonzero(a_hundred(never[users]))[1].reshape(-1, 100)
to_rank = np.column_stack([own, hundred[of_user]])  # the answer comes first
says_zero = np.zeros(to_rank.shape, dtype="float32")
kept = np.argsort(-says_zero, axis=1, kind="stable")[:, :10]
by_id = Candidates.from_item_scores(to_rank, says_zero).top(10).ids
show.say(
    f"HitRate@10 of the scorer that says 0 to everything: **{(kept == 0).any(axis=1).mean():.2f}** with a stable sort, "
    f"{(by_id == own[:, None]).any(axis=1).mean():.2f} with ties by a meaningless position. Chance is {10 / 101:.2f}."
)

# %% [markdown]
# ### Trap 7 · One library's MAP is not another's
#
# Section 1 had three denominators. They are in use: trec_eval divides by the relevant items, `implicit` by the smaller of K and the relevant items, TorchMetrics with its `top_k` by the hits. On real lists:

# %%
show.table(
    pd.DataFrame(
        {
            m: {n: shown(r, m) for n, r in reports.items()}
            for m in ("map@10", "map_capped@10", "map_of_hits@10")
        }
    ).rename_axis("retriever"),
    caption="'MAP@10' of the same lists",
)
ratio = {
    n: r.mean("map_of_hits@10") / r.mean("map@10") for n, r in reports.items()
}
means = [r.mean("map@10") for r in reports.values()]
show.say(
    f"The largest of the three is {min(ratio.values()):.0f} to {max(ratio.values()):.0f} times the smallest; the best retriever's `map@10` is {max(means) / min(means):.0f} times the worst one's. "
    "A figure from a paper can be compared with yours only if you know its denominator."
)

# %% [markdown]
# Let us ask `implicit` itself. It wants a model; we give it one that answers with EASE's finished lists.


# %%
class FinishedLists:
    """What `implicit` needs of a model, answered with lists that exist already."""

    def __init__(self, candidates):
        self.ids = candidates.ids.astype("int32")
        self.scores = candidates.scores

    def recommend(self, userid, user_items, N, **_):
        return self.ids[userid, :N], self.scores[userid, :N]


def old_style(matrix):
    """The matrix with 32-bit indices, which `implicit` insists on."""
    parts = (matrix.indices.astype("int32"), matrix.indptr.astype("int32"))
    return sp.csr_matrix((matrix.data, *parts), shape=matrix.shape)


theirs = ranking_metrics_at_k(
    FinishedLists(lists["EASE"]),
    old_style(final.matrix[users]),
    old_style(test),
    K=10,
    show_progress=False,
)
hits = 10 * reports["EASE"].per_user["precision@10"]
pooled_recall = hits.sum() / np.minimum(n_relevant, 10).sum()
assert np.isclose(theirs["map"], reports["EASE"].mean("map_capped@10"))
assert np.isclose(theirs["ndcg"], reports["EASE"].mean("ndcg@10"))
assert np.isclose(theirs["precision"], pooled_recall)
show.table(
    pd.DataFrame(
        {
            "implicit": [theirs[m] for m in ("map", "ndcg", "precision")],
            "course_lib, same name": [
                reports["EASE"].mean(m)
                for m in ("map@10", "ndcg@10", "precision@10")
            ],
            "what it is here": [
                "map_capped@10",
                "ndcg@10",
                "hits of all users ÷ sum of min(10, relevant)",
            ],
        },
        index=pd.Index(["map", "ndcg", "precision"], name="metric at 10"),
    ),
    caption="The same lists of EASE, two libraries",
    digits=4,
)

# %% [markdown]
# NDCG is the same, MAP is the capped one, and `precision` is no precision: its denominator is not $K$, and it pools all users. None of this is wrong. It only has to be known before two numbers stand in one table.

# %% [markdown]
# ### Trap 8 · The baseline (基线) that nobody tuned
#
# A new model was tuned for weeks, its rival was imported. Here ALS plays both parts: with the defaults of its library, and with a handful of trials on validation.

# %%
rival = "item neighbours"
tuned_gap = compare(
    reports["ALS"], reports["ALS, defaults"], "recall@100", seed=seed
)
versus = {
    name: compare(reports[rival], reports[name], "recall@100", seed=seed)
    for name in ("ALS, defaults", "ALS")
}
show.table(
    pd.DataFrame(
        {
            "Recall@100": {n: shown(reports[n], "recall@100") for n in versus},
            f"{rival} minus this": {
                n: show.interval(c.difference, c.interval)
                for n, c in versus.items()
            },
            "reads as": {
                n: f"{rival} better"
                if c.interval[0] > 0
                else f"{rival} worse"
                if c.interval[1] < 0
                else "no clear difference"
                for n, c in versus.items()
            },
        }
    ).rename_axis("baseline")
)
show.say(
    f"{budget} trials gained {show.interval(tuned_gap.difference, tuned_gap.interval)} of Recall@100. "
    + (
        f"**{rival.capitalize()} win against the untuned baseline and lose against the tuned one.**"
        if versus["ALS, defaults"].interval[0] > 0
        and versus["ALS"].interval[1] < 0
        else "Compare that with the improvements that papers announce."
    )
)

# %% [markdown]
# Ferrari Dacrema, Cremonesi and Jannach (RecSys 2019) could reproduce 7 of 18 neural recommenders with reasonable effort; 6 of these 7 were often beaten by comparatively simple methods.

# %% [markdown]
# ### Trap 9 · A difference inside its interval
#
# Train ALS again, with other seeds for its starting point. Nothing has improved. Has the number?

# %%
twins = [reports["ALS"]]
for other in range(seed + 1, seed + 5):
    model = ALS(**{**tunings["ALS"].best, "seed": other}).fit(final)
    twins.append(evaluate(model.retrieve(users, 100), test, metrics, seed=seed))
reports["ALS, another seed"] = twins[1]
duels = [
    compare(a, b, "recall@10", permutations=1, seed=seed)
    for a, b in itertools.combinations(twins, 2)
]
widest = max(duels, key=lambda duel: abs(duel.difference))
levels = [r.mean("recall@10") for r in twins]
show.say(
    f"Five seeds of one model: Recall@10 from {min(levels):.4f} to {max(levels):.4f}. The largest of the ten differences is "
    f"**{show.interval(widest.difference, widest.interval, 4)}**. In {sum(duel.is_clear for duel in duels)} of the ten the interval leaves out zero."
)

# %% [markdown]
# The five numbers differ, and nobody would call the largest one progress. Keep in mind what the interval is about: *other users*. The seed is a second source of chance, and no interval over users holds it. If the model has a seed, show several.
#
# The **p-value** (p 值) of the permutation test (置换检验): if two retrievers were alike, each user's difference could as well have the other sign. Flip the signs at random, many times; $p$ is the share of flips that bring the mean
# at least as far from zero as it really is.
#
# **Paired (配对) or not?** Some users are easy for every retriever and some are hard. If you compare two separate means, this common luck is counted as noise. Taking the difference *user by user* removes it:
#
# $$\operatorname{Var}(\bar A-\bar B)=\tfrac1n\big(\sigma_A^2+\sigma_B^2-2\,\rho\,\sigma_A\sigma_B\big).$$
#
# The unpaired comparison forgets the last term.

# %%
one, other = "EASE", "ALS, defaults"
a, b = (reports[n].per_user["recall@10"] for n in (one, other))
paired = compare(reports[one], reports[other], "recall@10", seed=seed)
draws = [
    rng.choice(a, len(a)).mean() - rng.choice(b, len(b)).mean()
    for _ in range(1000)
]
unpaired = tuple(np.percentile(draws, [2.5, 97.5]))
flips = rng.choice([-1, 1], (2000, len(a))) @ (a - b)
p_in_numpy = np.mean(np.abs(flips) >= abs((a - b).sum()))
assert abs(p_in_numpy - paired.p_value) < 0.05
width = np.ptp(unpaired) / np.ptp(paired.interval)

# %% tags=["hide-input"]
show.table(
    pd.DataFrame(
        {
            f"{one} − {other}, Recall@10": [
                show.interval(paired.difference, bounds, 4)
                for bounds in (unpaired, paired.interval)
            ],
            "clear?": [
                "yes" if x[0] > 0 or x[1] < 0 else "no: the interval holds 0"
                for x in (unpaired, paired.interval)
            ],
        },
        index=["unpaired", "paired"],
    ),
    caption=f"Correlation between the two over users: {np.corrcoef(a, b)[0, 1]:.2f}",
)
show.say(
    f"The unpaired interval is {width:.1f} times as wide. To get the paired precision without pairing you would need about {width**2:.0f} times as many users."
)

# %% [markdown]
# **Many comparisons.** Each comparison at 5 % may raise a false alarm; $m$ of them do so with probability $1-0.95^m$. Holm's rule: sort the p-values, multiply the smallest by $m$, the next by $m-1$, and so on; none may fall below the one before it.
# As champion we take the retriever that was best on validation, not on the test: the best of many on the test owes part of its place to luck.

# %%
champion = max(
    validation_reports, key=lambda n: validation_reports[n].mean("recall@10")
)
rivals = [n for n in reports if n != champion]
comparisons = {
    n: compare(reports[n], reports[champion], "recall@10", seed=seed)
    for n in rivals
}
adjusted = holm([c.p_value for c in comparisons.values()])
alarm = 0.05  # a false one, in one comparison
assert (alarm, 1 - alarm) == (0.05, 0.95)
show.say(
    f"The champion of the validation data is *{champion}*. {len(rivals)} comparisons at {alarm:.0%} each: if all were equal, and independent, a false alarm would come up with probability **{1 - (1 - alarm) ** len(rivals):.0%}**."
)

# %% tags=["hide-input"]
order = sorted(rivals, key=lambda n: comparisons[n].difference)
figure, axis = plt.subplots(figsize=(6.4, 3.2))
for place, name in enumerate(order):
    c = comparisons[name]
    clear = adjusted[rivals.index(name)] < 0.05
    axis.plot(
        c.interval,
        [place, place],
        color=show.PALETTE[0] if clear else show.PALETTE[1],
    )
    axis.plot(
        c.difference,
        place,
        "o" if clear else "D",
        color=show.PALETTE[0] if clear else show.PALETTE[1],
    )
axis.axvline(0, color="0.5", lw=1)
axis.plot([], [], "-o", color=show.PALETTE[0], label="clear after Holm")
axis.plot([], [], "-D", color=show.PALETTE[1], label="not clear")
axis.set(
    yticks=range(len(order)),
    xlabel=f"Recall@10 minus that of {champion}, paired",
)
axis.set_yticklabels(order)
axis.legend(loc="upper left")
show.figure(
    figure,
    alt=f"Forest plot: for each of {len(order)} retrievers the paired difference in Recall@10 to {champion} with its interval; "
    "a vertical line marks zero, circles are clear after correction and diamonds are not.",
    table=pd.DataFrame(
        [
            {
                "retriever": n,
                "difference": show.interval(
                    comparisons[n].difference, comparisons[n].interval
                ),
                "p": f"{comparisons[n].p_value:.4f}",
                "p, Holm": f"{adjusted[rivals.index(n)]:.4f}",
            }
            for n in reversed(order)
        ]
    ),
    caption=f"Who differs from the champion, {champion}? Intervals of each comparison alone; colours after the correction for all",
)

# %% [markdown]
# ## 7 · Beyond being right
#
# Two lists with the same recall can look very different: the same ten films for everybody, or the whole catalogue spread out. Five formulas. $\ell_u$ is the list of user $u$, $e_i$ how many lists hold item $i$,
# $N$ the number of items, $\hat v_i$ the unit vector of item $i$:
#
# | | formula | of |
# |---|---|---|
# | coverage (覆盖率) | $\lvert\bigcup_u\ell_u\rvert/N$ | all lists |
# | Gini (基尼系数) | $\sum_{j=1}^N(2j-N-1)\,e_{(j)}\big/\big(N\sum_j e_{(j)}\big)$, $e_{(j)}$ rising | all lists |
# | novelty (新颖性) | mean over the list of $-\log_2\frac{\text{count}_i+1}{\text{users}+1}$ bits | one list |
# | average popularity (平均流行度) | mean over the list of $\text{count}_i/\text{users}$ | one list |
# | intra-list diversity (列表内多样性) | $1-$ mean of $\hat v_i^\top\hat v_j$ over pairs in the list | one list |
#
# By hand: four films, three lists of two, $\{0,1\},\{0,1\},\{0,2\}$. Film 0 is listed 3 times, then 2, 1, 0. Coverage is $3/4$. Gini: rising $0,1,2,3$ with weights $-3,-1,1,3$ gives
# $(0-1+2+9)/(4\cdot6)=10/24$. Of 7 training users 7, 3, 1 and 0 have the four films: that is $0,1,2,3$ bits. So the lists have novelty $\frac12,\frac12,1$, and average popularity $\frac{10}{14},\frac{10}{14},\frac{8}{14}$. With directions $\rightarrow,\rightarrow,\uparrow$ for the first three films,
# the pairs have cosines 1, 1, 0, so diversities 0, 0, 1.

# %%
three = np.array([[0, 1], [0, 1], [0, 2]])
arrows = np.array([[1.0, 0], [2, 0], [0, 1], [1, 1]])
by_library = [
    looks.coverage(three, 4),
    looks.gini(three, 4),
    looks.novelty(three, np.array([7, 3, 1, 0]), 7),
    looks.average_popularity(three, np.array([7, 3, 1, 0]), 7),
    looks.intra_list_diversity(three, arrows),
]
assert np.allclose(by_library[:2], [3 / 4, 10 / 24])
assert np.allclose(by_library[2], [1 / 2, 1 / 2, 1])
assert np.allclose(by_library[3], [10 / 14, 10 / 14, 8 / 14])
assert np.allclose(by_library[4], [0, 0, 1])
show.say("All five formulas agree with the library on the hand-made case.")

# %% [markdown]
# The last metric needs vectors, and **the vectors decide**: in MiniLM's own space MiniLM's lists must look uniform, since it picks neighbours there. So we look from two other sides: *genres*, and *who rated the film*.
# Neither side is neutral: genre words are part of the text, and raters are what CF learns from. To see how much that matters, a second text retriever reads the **titles alone**.
#
# First as the lists come. Two controls stand beside them: random lists, and the same full texts as word counts (TF-IDF, no model at all), with their mean removed as well.

# %%
genres = genre_features(catalogue)
raters = final.matrix.T.tocsr()


def look(candidates, k):
    """What lists of k films look like; two reports, one a kind of vector."""
    names = [
        f"{m}@{k}"
        for m in (
            "recall",
            "coverage",
            "gini",
            "novelty",
            "intra_list_diversity",
        )
    ]
    kinds = {"genres": genres, "raters": raters}
    return {
        kind: evaluate(
            candidates,
            test,
            names,
            train=final,
            item_vectors=vectors,
            seed=seed,
        )
        for kind, vectors in kinds.items()
    }


def look_table(looked):
    """One row a set of lists."""
    rows = []
    for name, (seen_by, k) in looked.items():
        report, other = seen_by["genres"], seen_by["raters"]
        rows.append(
            {
                "lists": name,
                "films each": k,
                "recall": shown(report, f"recall@{k}"),
                "diversity, genres": report.mean(f"intra_list_diversity@{k}"),
                "diversity, raters": other.mean(f"intra_list_diversity@{k}"),
                "novelty (bits)": report.mean(f"novelty@{k}"),
                "coverage": report.mean(f"coverage@{k}"),
                "Gini": report.mean(f"gini@{k}"),
            }
        )
    return pd.DataFrame(rows)


titles = TextEncoder("minilm").encode(catalogue.describe("title"))
words = tfidf_features(catalogue, "title", "year", "genres").toarray()
content = {
    "MiniLM text": centred,
    "MiniLM, titles only": titles - titles.mean(0),
    "TF-IDF text": words - words.mean(0),
}


def with_content(models, known):
    """The same retrievers, and those of `content` fitted on what is known."""
    return models | {
        name: FeatureRetriever(vectors, name).fit(known, catalogue)
        for name, vectors in content.items()
    }


on_train = with_content(trained, split.train)
on_all = with_content(fitted, final) | {"random": Random(seed).fit(final)}
compared = ["EASE", "item neighbours", "popularity", *content, "random"]
as_they_come = {
    n: (look(on_all[n].retrieve(users, 100), 100), 100) for n in compared
}

# %% tags=["hide-input"]
figure, axes = plt.subplots(1, 2, figsize=(8, 3), sharex=True)
for axis, metric in zip(
    axes, ("intra_list_diversity@100", "novelty@100"), strict=True
):
    for (name, (seen_by, _)), colour, marker in zip(
        as_they_come.items(), show.PALETTE, "osvD^PX", strict=False
    ):
        report = seen_by["genres"]
        axis.plot(
            report.mean("recall@100"),
            report.mean(metric),
            marker,
            color=colour,
            label=name,
            ms=8,
        )
    axis.set_xlabel("Recall@100")
axes[0].set_ylabel("diversity within a list (genres)")
axes[1].set_ylabel("novelty (bits)")
axes[1].legend(fontsize=8)
show.figure(
    figure,
    alt="Two scatter plots with Recall@100 on the horizontal axis: diversity of a list by genres, and novelty in bits. "
    "One point each for EASE, item neighbours, popularity, MiniLM on the full text and on titles only, TF-IDF text and random lists.",
    table=look_table(as_they_come),
    caption="Lists of 100, as they come: recall is far from equal",
)

# %% [markdown]
# Unequal recall makes this table unfair: see how well the random list does. So we **equalise recall on validation data**, in two ways, because each has a side effect:
#
# - **shorter lists**: give CF only as many places as it needs for the recall of text's 100. Side effect: lists differ in length, and shorter lists cover less.
# - **deeper lists**: give CF 100 places too, but start further down its ranking, at the depth where 100 films hold as much recall as text's. Side effect: nobody would use them.
#
# The word counts get as many places as they need, as a control that has no model.

# %%
deep = 600
places = [f"recall@{k}" for k in range(1, deep + 1)]


def recall_curve(name):
    """Recall@0, 1, …, 600 on validation."""
    found = on_train[name].retrieve(validation_users, deep)
    report = evaluate(found, validation, places)
    return np.array([0, *(report.mean(m) for m in places)])


curves = {n: recall_curve(n) for n in ("EASE", "item neighbours", *content)}


def as_good_as(target, name, deeper):
    """Test lists of `name` that had the recall `target` on validation."""
    whole, curve = on_all[name].retrieve(users, deep), curves[name]
    if not deeper:
        return whole.top(int(np.abs(curve - target).argmin()))
    start = int(np.abs(curve[100:] - curve[:-100] - target).argmin())
    part = slice(start, start + 100)
    return Candidates(whole.ids[:, part], whole.scores[:, part])


contests = {}
for ours in ("MiniLM text", "MiniLM, titles only"):
    target = curves[ours][100]
    for cf in ("EASE", "item neighbours"):
        for way in ("shorter", "deeper"):
            rival = as_good_as(target, cf, deeper=way == "deeper")
            contests[ours, f"{cf}, {way}"] = rival
control = "MiniLM text", "TF-IDF text"
contests[control] = as_good_as(
    curves["MiniLM text"][100], "TF-IDF text", deeper=False
)
looked = {
    contest: (look(rival, rival.width), rival.width)
    for contest, rival in contests.items()
}

# %% tags=["hide-input"]
show.table(
    look_table(
        {"MiniLM text": as_they_come["MiniLM text"]}
        | {n: seen_by for (o, n), seen_by in looked.items() if o == control[0]}
    ),
    caption=f"Recall {curves['MiniLM text'][100]:.3f} on validation for all; figures on the test",
)

# %% [markdown]
# Novelty and diversity exist for each user, so they can be compared in pairs. Coverage and Gini exist only for all lists together, and they change with the number of lists. So we
# look at 200 random halves of the users, the same half for both sides: the mean difference, and the interval that holds the middle of them.


# %%
def halves(first, second, measure):
    """Difference of an overall measure for half of the users: mean and middle 95 % of 200 draws."""
    draw = np.random.default_rng(seed)
    differences = []
    for _ in range(200):
        half = draw.permutation(len(users))[: len(users) // 2]
        differences.append(
            measure(first[half], n_items) - measure(second[half], n_items)
        )
    return np.mean(differences), tuple(np.percentile(differences, [2.5, 97.5]))


def paired_look(first, second, kind, metric):
    """Mean difference over users of a per-user measure, with its interval."""
    (a, k), (b, m) = first, second
    values = (
        a[kind].per_user[f"{metric}@{k}"] - b[kind].per_user[f"{metric}@{m}"]
    )
    return values.mean(), bootstrap_interval(values, seed=seed)


def evenness(ids, n):
    return 1 - looks.gini(ids, n)


findings = {}
for (ours, against), rival in contests.items():
    mine, theirs = as_they_come[ours], looked[ours, against]
    own_ids = on_all[ours].retrieve(users, 100).ids
    findings[ours, against] = {
        label: paired_look(mine, theirs, kind, metric)
        for label, kind, metric in (
            ("recall", "genres", "recall"),
            ("diversity, genres", "genres", "intra_list_diversity"),
            ("diversity, raters", "raters", "intra_list_diversity"),
            ("novelty (bits)", "genres", "novelty"),
        )
    } | {
        "coverage": halves(own_ids, rival.ids, looks.coverage),
        "evenness (1 − Gini)": halves(own_ids, rival.ids, evenness),
    }

# %% tags=["hide-input"]
for ours in ("MiniLM text", "MiniLM, titles only"):
    show.table(
        pd.DataFrame(
            {
                against: {m: show.interval(*d) for m, d in row.items()}
                for (name, against), row in findings.items()
                if name == ours
            }
        ),
        caption=f"{ours} minus the others at (nearly) equal recall; above 0: {ours} has more",
    )

# %% [markdown]
# The first row of each table is the check on the matching: recall was made equal on validation, and the test shows how equal it stayed. Only comparisons whose recall interval still holds zero count for the verdict.

# %% tags=["hide-input"]
fair = {
    contest: row
    for contest, row in findings.items()
    if contest != control and row["recall"][1][0] <= 0 <= row["recall"][1][1]
}
both_texts = len({ours for ours, _ in fair}) == 2
measures = [m for m in findings[control] if m != "recall"]


def direction(interval):
    return "more" if interval[0] > 0 else "less" if interval[1] < 0 else "?"


signs = {m: {direction(row[m][1]) for row in fair.values()} for m in measures}
more = [m for m in measures if signs[m] == {"more"}]
less = [m for m in measures if signs[m] == {"less"}]
mixed = [m for m in measures if m not in more + less]
word = (
    "supported"
    if both_texts and len(more) == len(measures)
    else "refuted"
    if both_texts and len(less) == len(measures)
    else "depends"
)
show.say(
    f"Recall stayed equal in {len(fair)} of the {len(findings) - 1} comparisons with CF. In all of these, MiniLM's lists have clearly **more**: {', '.join(more) or 'nothing'}; clearly **less**: {', '.join(less) or 'nothing'}; "
    f"not always the same way: {', '.join(mixed) or 'nothing'}."
)
learn.verdict(
    "D3-02",
    word,
    "In the {fair} of {all} comparisons with CF whose recall stayed equal, MiniLM lists always have more of: {more}; always less of: {less}; it varies for: {mixed}. "
    "Against EASE with lists of 100, diversity by genres differs by {genres} when genres are in the text and by {titles} with titles alone. Novelty: {novelty} bits more than EASE, "
    "{words} bits more than word counts that use no model.",
    numbers={
        "fair": len(fair),
        "all": len(findings) - 1,
        "more": ", ".join(more) or "nothing",
        "less": ", ".join(less) or "nothing",
        "mixed": ", ".join(mixed) or "nothing",
        "genres": findings["MiniLM text", "EASE, deeper"]["diversity, genres"],
        "titles": findings["MiniLM, titles only", "EASE, deeper"][
            "diversity, genres"
        ],
        "novelty": findings["MiniLM text", "EASE, deeper"]["novelty (bits)"],
        "words": findings[control]["novelty (bits)"],
    },
    data=interactions.name,
    scale=scale,
    scope="all-MiniLM-L6-v2, 22.7 million parameters, frozen and centred, mean of the history; text: title, year, genres, or title alone; against EASE and item neighbours, recall matched on validation",
)

# %% [markdown]
# *Diverse* is several different words: within one list or over all lists, by content or by audience. Somebody who says *more diverse* must say which. And what the lists look like depends on the text that was encoded, not only on the model that encoded it: compare the two rows of genre diversity.
#
# Is it the *large model* that brings the variety? The control answers: word counts, treated in the same way and brought to the same recall.

# %%
versus_words, versus_cf = (
    findings[control],
    findings[control[0], "EASE, deeper"],
)
show.say(
    "MiniLM minus TF-IDF at equal recall: "
    + "; ".join(f"{m} {show.interval(*versus_words[m])}" for m in measures[2:])
    + ". MiniLM minus EASE, deeper: "
    + "; ".join(f"{m} {show.interval(*versus_cf[m])}" for m in measures[2:])
    + "."
)

# %% [markdown]
# A retriever that never looks at what others do has no popularity to follow, with a large model or without. What remains for the model is its difference to the word counts.
#
# Which of D3's four should judge a recall stage? Recall does. Coverage and novelty describe *how*; neither is a goal by itself:

# %%
tops = {
    m: max(
        as_they_come,
        key=lambda n: as_they_come[n][0]["genres"].mean(f"{m}@100"),
    )
    for m in ("recall", "coverage", "novelty")
}
show.say(
    f"Of the {len(as_they_come)} sets of lists above, the best by each metric: "
    + ", ".join(f"{m}: **{n}**" for m, n in tops.items())
    + "."
)

# %% tags=["hide-input"]
learn.verdict(
    "D3-14",
    "depends" if empty_leads[1][0] > 0 else "works",
    "Recall judges a recall stage. Accuracy, read literally, does not: the empty list has {lead} more of it than the best of {retrievers} retrievers. Coverage and novelty are hand-checked and useful beside recall, never alone: "
    "a random list has coverage {coverage} and novelty {novelty} bits, EASE {ease_coverage} and {ease_novelty}.",
    numbers={
        "lead": show.interval(*empty_leads, 4),
        "retrievers": len(accuracy),
        **{
            f"{prefix}{m}": show.number(
                as_they_come[n][0]["genres"].mean(f"{m}@100")
            )
            for prefix, n in (("", "random"), ("ease_", "EASE"))
            for m in ("coverage", "novelty")
        },
    },
    data=interactions.name,
    scale=scale,
)

# %% [markdown]
# ## 8 · Judging impressions (曝光)
#
# A film catalogue tells what was watched. A news site also knows what it **showed**, and what of it was not clicked: an impression. Chapter 04 introduces MIND, the public log of this kind, and its licence, which forbids to pass it on.
# So `small` judges on **simulated news** in MIND's files, which the course makes itself; `full` takes MIND-small for the first half. The second half needs what no real log tells, the truth, and is always simulated.
#
# ### One impression by hand
#
# Five headlines were shown, P to T. A ranker puts them in this order, best first; the reader clicked **P** and **S**, ranks 1 and 4.
#
# - **AUC**: of the $2\cdot3$ pairs (clicked, not clicked), P wins three, S wins one: $4/6$.
# - **MRR as MIND defines it**: the mean of $1/\text{rank}$ over *all* clicks, $(1+\frac14)/2$. The MRR of section 1 takes the first hit only: $1$. The same name, again.
# - **nDCG@5** as in section 1: $(1+1/\log_2 5)/(1+1/\log_2 3)$. nDCG@10 is the same here, as there are only five.

# %%
headlines = np.arange(5)[None]  # P, Q, R, S, T
belief = np.array([[0.9, 0.8, 0.5, 0.4, 0.1]])
marks = np.array([[1, 0, 0, 1, 0]])
two_hits = (1 + 1 / np.log2(5)) / (1 + 1 / np.log2(3))
first_hit = evaluate(
    Candidates(headlines, belief),
    sp.csr_array(marks.astype("float32")),
    ["mrr@5"],
)
one_page = evaluate_impressions(headlines, belief, marks, users=np.array([0]))
pencil = {
    "auc": 4 / 6,
    "mrr": (1 + 1 / 4) / 2,
    "ndcg@5": two_hits,
    "ndcg@10": two_hits,
}
independent = {
    "auc": roc_auc_score(marks[0], belief[0]),
    "ndcg@5": ndcg_score(marks, belief, k=5),
    "ndcg@10": ndcg_score(marks, belief, k=10),
}

# %%
for metric, value in pencil.items():
    assert np.isclose(one_page.mean(metric), value), metric
    assert np.isclose(independent.get(metric, value), value), metric
assert first_hit.mean("mrr@5") == 1
assert np.isclose(one_page.mean("auc"), 4 / 6)
assert np.isclose(one_page.mean("mrr"), (1 + 1 / 4) / 2)
show.table(
    pd.DataFrame(
        {
            "by hand": pencil | {"mrr of section 1 (first hit)": 1.0},
            "course_lib": {m: one_page.mean(m) for m in pencil}
            | {"mrr of section 1 (first hit)": first_hit.mean("mrr@5")},
            "scikit-learn": independent,
        }
    ).map(lambda value: show.number(value, 4)),
    caption="One impression, five headlines, two clicks (–: scikit-learn has no such metric)",
)

# %% [markdown]
# ### The same rankers, judged twice
#
# Each ranker is a pair of arrays, so that a score is a dot product: `readers[impression] · articles[article]`. Popularity and click-through rate (点击率) say the same to every reader. Two profiles compare an article with the mean of what the reader clicked before: frozen MiniLM on the title, and the subcategory that the editors gave.
# Everything is learned on the train part.

# %%
news = load_mind({"small": "simulated", "full": "small"}[scale])
label = news.dev.name.partition(",")[0]
columns = news.catalogue.rows
_, kind = np.unique(columns["subcategory"], return_inverse=True)
subcategories = np.eye(kind.max() + 1, dtype="float32")[kind]
headline_vectors = TextEncoder("minilm").encode(
    news.catalogue.describe("title")
)
show.table(
    news.counts().pivot(index="part", columns="count", values="found"),
    caption=f"The data: {label}",
)


# %%
def same_for_all(values, log):
    """A ranker that says the same to every reader."""
    ones = np.ones((len(log), 1), "float32")
    return ones, values[:, None].astype("float32")


def popularity(days):
    def make(known, log):
        since = known.times.max() - np.timedelta64(days, "D")
        _, clicks = known.select(known.times > since).item_counts()
        return same_for_all(clicks, log)

    return make


def click_rate(prior):
    """Clicks ÷ times shown, as if shown `prior` more times at the mean rate."""

    def make(known, log):
        times, clicks = known.item_counts()
        mean = clicks.sum() / times.sum()
        return same_for_all((clicks + prior * mean) / (times + prior), log)

    return make


def profile(vectors):
    directions = normalize(vectors - vectors.mean(0))

    def with_half_life(half_life):
        def make(known, log):
            readers = log.histories().recency(half_life) @ directions
            return normalize(readers), directions

        return make

    return with_half_life


# %% [markdown]
# *Judged as rankers of impressions*: MIND's four metrics, on the articles that were shown. *Judged as recall stages*: the 100 best of **all** articles of the day, and Recall@100 of what was clicked. A reader comes more than once, so intervals draw readers, each with all their impressions.


# %%
def scores_of(ranker, items):
    """Scores of the articles of each impression, [n, m], some rows at a time."""
    readers, articles = ranker
    rows = max(1, 20_000_000 // (items.shape[1] * articles.shape[1]))
    parts = [slice(i, i + rows) for i in range(0, len(items), rows)]
    return np.concatenate(
        [np.einsum("nd,nmd->nm", readers[p], articles[items[p]]) for p in parts]
    )


def hundred_best(ranker, log):
    """The 100 best of all articles of these days, without those in the history."""
    readers, articles = ranker
    corpus = np.flatnonzero(log.item_counts()[0])
    known = log.histories().matrix[:, corpus]
    ids, scores = top_k(
        readers, articles[corpus], 100, measure="dot", exclude=known
    )
    return Candidates(np.where(ids < 0, -1, corpus[ids]), scores)


def judge(log, scores, candidates):
    """One report with the metrics of impressions and Recall@100."""
    items, clicked = log.lists()
    report = evaluate_impressions(items, scores, clicked, log.users, seed=seed)
    found = evaluate(
        candidates, log.relevant(), ["recall@100"], seed=seed, groups=log.users
    )
    return report.with_values("recall@100", found.per_user["recall@100"])


# %% [markdown]
# Three settings each, chosen by AUC on the last day of train. Two controls: a scorer that says 0 to everything, and **the site's own lists, shuffled**: a "recall stage" that returns just what the site showed, and a "ranker" that draws lots.

# %%
families = {
    "popularity": (popularity, [1, 2, 7]),
    "click-through rate": (click_rate, [1, 10, 100]),
    "subcategory profile": (profile(subcategories), [5, 20, None]),
    "MiniLM titles": (profile(headline_vectors), [5, 20, None]),
    "constant": (
        lambda _: lambda _, log: same_for_all(np.zeros(log.n_items), log),
        [0],
    ),
}
days = news.train.times.astype("datetime64[D]")
earlier, last_day = (
    news.train.select(mask) for mask in (days < days.max(), days == days.max())
)


def tuned_rankers():
    """The setting of each family that ranks the last day of train best."""
    items, clicked = last_day.lists()
    best = {}
    for name, (family, settings) in families.items():
        trials = [
            auc(scores_of(family(s)(earlier, last_day), items), clicked)
            for s in settings
        ]
        best[name] = family(
            settings[np.argmax([np.nanmean(t) for t in trials])]
        )
    return best


# %%
def judged_twice(known, log):
    reports = {}
    for name, make_ranker in makers.items():
        ranker = make_ranker(known, log)
        scores = scores_of(ranker, log.lists()[0])
        reports[name] = judge(log, scores, hundred_best(ranker, log))
    items = log.lists()[0]
    lots = np.random.default_rng(seed).random(items.shape)
    site = Candidates.from_item_scores(items, lots)
    site = site.padded(max(100, site.width))
    reports["the site's lists, shuffled"] = judge(log, lots, site)
    return reports


makers = tuned_rankers()
on_last_day = judged_twice(earlier, last_day)
on_dev = judged_twice(news.train, news.dev)

# %% tags=["hide-input"]
dev_items, dev_clicks = news.dev.lists()
corpus = np.unique(dev_items[dev_items >= 0])
figure, axis = plt.subplots(figsize=(6.2, 3.4))
for (name, report), colour, marker in zip(
    on_dev.items(), show.PALETTE, "osD^vP", strict=False
):
    x, y = (report.mean(m) for m in ("auc", "recall@100"))
    bounds = [report.interval(m) for m in ("auc", "recall@100")]
    axis.plot(bounds[0], [y, y], color=colour, lw=1)
    axis.plot([x, x], bounds[1], color=colour, lw=1)
    axis.plot(x, y, marker, color=colour, label=name, ms=7)
axis.axvline(0.5, color="0.5", ls="--", lw=1)
axis.axhline(100 / len(corpus), color="0.5", ls=":", lw=1)
axis.set(
    xlabel="AUC within impressions (dashed: chance)",
    ylabel="Recall@100 (dotted: 100 ÷ articles)",
    title=label,
)
axis.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
show.figure(
    figure,
    alt=f"Scatter plot on {label}: AUC within impressions on the horizontal axis, Recall@100 over all articles of the day on the vertical axis, "
    "one point with intervals for each of four rankers and two controls. The site's own lists, shuffled, stand at chance on the horizontal axis and at the top of the vertical one.",
    table=pd.DataFrame(
        {
            metric: {n: shown(r, metric) for n, r in on_dev.items()}
            for metric in (*MIND_METRICS, "recall@100")
        }
    ).rename_axis("ranker"),
    caption=f"{label}, dev: {len(news.dev):,} impressions, {len(corpus):,} articles in the corpus",
)

# %%
site = on_dev["the site's lists, shuffled"]
for name in set(on_dev) - {"the site's lists, shuffled"}:
    gain = compare(site, on_dev[name], "recall@100", permutations=1, seed=seed)
    assert gain.interval[0] > 0, name
pairs = reversals(on_last_day, "auc", "recall@100")
outcome = confirmed(on_dev, pairs, "auc", "recall@100")
among_rankers = [
    row for row in outcome["first − second"] if "the site's" not in row
]
show.table(
    outcome,
    caption=f"{label}: pairs that AUC and Recall@100 order differently on the last day of train; their differences on dev",
)
show.say(
    f"On {label} the two judges contradict each other in {len(pairs)} pairs, {(outcome['confirmed'] == 'yes').sum()} confirmed on dev, "
    + (
        "and all of them are with the site's own lists: among the rankers themselves there is **no** clear reversal here."
        if not among_rankers
        else f"{len(among_rankers)} of them among the rankers themselves."
    )
)

# %% [markdown]
# The control tells what the two judges do not see.
#
# - **The log is a recall stage's own work.** Clicks fall only on what was shown. So the site's lists are unbeatable in Recall@100, whatever is in them, and any other article counts as wrong, though nobody was asked.
# - **AUC begins after the choice.** It compares shown articles with each other; a ranker gets nothing for knowing what deserves a page, and nothing is said about the rest of the corpus. A merit that all the shown ones share has been spent already.
#
# How much of a ranker's knowledge is about the choice, and how much about the click?


# %%
def two_questions(ranker, log, rows):
    """Mean AUC of: shown against not shown; clicked against shown only."""
    items, clicked = log.select(rows).lists()
    everything = np.tile(corpus, (len(rows), 1))
    was_shown = np.array([np.isin(corpus, row) for row in items]).astype(int)
    some = ranker[0][rows], ranker[1]
    return (
        np.nanmean(auc(scores_of(some, everything), was_shown)),
        np.nanmean(auc(scores_of(some, items), clicked)),
    )


some_rows = np.arange(0, len(news.dev), max(1, len(news.dev) // 500))
answers = {
    name: two_questions(make_ranker(news.train, news.dev), news.dev, some_rows)
    for name, make_ranker in makers.items()
}
show.table(
    pd.DataFrame(
        answers, index=["shown before not shown", "clicked before shown only"]
    ).T.rename_axis("ranker"),
    caption=f"{label}: AUC for two questions, a sample of {len(some_rows)} impressions",
)
predicts_site = [n for n, (choice, click) in answers.items() if choice > click]
show.say(
    f"Knows more about the site's choice than about the reader's click, on {label}: **{', '.join(predicts_site) or 'nobody'}**."
)

# %% [markdown]
# **Whose mean?** MIND takes means over impressions, so a reader who comes ten times counts ten times. The rest of this course counts *each user once*. That is another mean:

# %%
rows = []
for name, report in on_dev.items():
    area = report.per_user["auc"]
    each = pd.Series(area).groupby(news.dev.users).mean().dropna().to_numpy()
    rows.append(
        {
            "ranker": name,
            "AUC, mean over impressions": shown(report, "auc"),
            "AUC, mean over users": show.interval(
                each.mean(), bootstrap_interval(each, seed=seed)
            ),
        }
    )
visits = np.sort(np.bincount(news.dev.users))[::-1]
busiest = visits[: int(np.ceil((visits > 0).sum() / 10))].sum() / visits.sum()
show.table(rows, caption=f"{label}, dev: two means of the same values")
show.say(
    f"The busiest tenth of the readers of {label} makes {busiest:.0%} of the impressions."
)

# %% [markdown]
# ### The log is biased, and here we know the truth
#
# Simulated news has a click model (点击模型). A click needs two things, a look and a liking:
#
# $$P(\text{click})=\underbrace{e(\text{place})}_{\text{examination}}\cdot\underbrace{a(\text{reader},\text{article},\text{time})}_{\text{attraction}} .$$
#
# The files, like MIND's, do not tell the place. `load_simulated_truth` does, and it knows $e$ and $a$. One page in ten was put in random order; on the others the site put on top what had been clicked often, what was fresh, and what suited the history.

# %%
twin = load_mind("simulated")
truth = load_simulated_truth()
pages, clicked = twin.train.lists()
there = pages >= 0
page, _ = there.nonzero()
place = truth.positions("train")[there]
log = pd.DataFrame(
    {
        "page": page,
        "hour": twin.train.times.astype("datetime64[h]").astype(int)[page],
        "random": truth.randomised("train")[page],
        "article": pages[there],
        "place": place,
        "look": truth.examination[place],
        "attraction": truth.attraction("train", pages)[there],
        "chance": truth.click_probability("train", pages)[there],
        "click": clicked[there],
    }
)

# %% [markdown]
# `chance` is the probability of each click *given that the page got at least one*: visits without a click are not in the log, here as in MIND.
#
# What can be learned about $e$ without the truth? On the random pages each place has articles of the same kind, on average. So there the click-through rate falls with the place only because fewer look. Divide it by that of the top place: an estimate of $e$.
# It is noisy where there are few pages, so we let it only fall (isotonic regression, 保序回归).


# %%
def estimated_look(clicks, rows):
    """e(place) for every place, from the clicks on some rows of the log; the top is 1."""
    by_place = pd.DataFrame({"c": clicks[rows], "place": log["place"][rows]})
    rates = by_place.groupby("place")["c"].agg(["mean", "size"])
    falling = IsotonicRegression(increasing=False, out_of_bounds="clip")
    falling.fit(rates.index, rates["mean"], sample_weight=rates["size"])
    curve = falling.predict(np.arange(log["place"].max() + 1))
    return (curve / curve[0]).clip(min=0.02)


from_random = estimated_look(log["click"], log["random"])
from_site = estimated_look(log["click"], ~log["random"])

# %% tags=["hide-input"]
edges = [0, 1, 2, 3, 5, 8, 12, 20, 35, 60, 300]
names = [
    str(a + 1) if b == a + 1 else f"{a + 1}–{b}"
    for a, b in itertools.pairwise(edges[:-1])
] + [f"from {edges[-2] + 1}"]
binned = log.assign(
    places=pd.cut(log["place"], edges, right=False, labels=names)
)
by_place = binned.pivot_table(
    index="places",
    columns="random",
    values=["click", "attraction"],
    observed=True,
)
by_place.columns = [
    f"{ {'click': 'clicked', 'attraction': 'true attraction'}[value] }, {'random' if r else 'site'} pages"
    for value, r in by_place.columns
]
seen_at = binned.assign(
    true=log["look"],
    random=from_random[log["place"]],
    site=from_site[log["place"]],
)
seen_at = seen_at.groupby("places", observed=True)[
    ["true", "random", "site"]
].mean()
seen_at.columns = [
    "true look",
    "look, from random pages",
    "look, from site pages",
]
figure, axes = plt.subplots(1, 2, figsize=(8.6, 3.2))
for axis, columns_, label_ in (
    (axes[0], by_place, "share of the articles shown"),
    (axes[1], seen_at, "P(look), top place = 1"),
):
    for (name, values), colour, marker in zip(
        columns_.items(), show.PALETTE, "os^D", strict=False
    ):
        axis.plot(
            range(len(names)),
            values,
            f"-{marker}",
            color=colour,
            label=name,
            ms=4,
        )
    axis.set(
        xlabel="place on the page", ylabel=label_, xticks=range(len(names))
    )
    axis.set_xticklabels(names, rotation=60, fontsize=7)
    axis.set_ylim(0)
    axis.legend(fontsize=7)
figure.suptitle("simulated news", size=9)
show.figure(
    figure,
    alt="Two line plots on simulated news, by place on the page. Left: the share clicked falls steeply with the place, on the site's pages and on random ones; the true attraction falls slowly on the site's pages and hardly on random ones. "
    "Right: the probability of a look falls with the place; the estimate from random pages lies a little below it, the one from the site's pages further below.",
    table=by_place.join(seen_at).rename_axis("place").reset_index(),
    caption="Simulated news, train: what is clicked, what is liked, and what is looked at, by place",
)

# %% [markdown]
# Two things are mixed in the falling curve of the site's pages: the top is looked at more, **and** better articles stand there. Who reads $e$ off the site's own pages takes the second for the first.
#
# Even the random pages give an $e$ that is too small at the bottom. The reason is in the word *given*: low places exist on long pages only, and a long page gets a click somewhere more surely than a short one. Of the short pages more visits are missing, those without a click; so the top looks more clicked than it is.
#
# ### Luck that feeds itself
#
# The site puts on top what has been clicked. Then clicks make looks, and looks make clicks (反馈回路, feedback). To see it pure, we need articles that are *equally good* and differ in clicks by accident. The truth knows the accident: **luck = clicks − expected clicks**, in six hours.
# Among articles with about the same expectation, we compare the luckier half with the other half. What happens to them in the *next* six hours?

# %%
log["quarter"] = log["hour"] // 6
key = ["article", "quarter"]
now = log.groupby(key).agg(
    expected=("chance", "sum"),
    clicks=("click", "sum"),
    attraction=("attraction", "mean"),
)
site_rows = log[~log["random"]]
later = site_rows.groupby(key).agg(
    times=("page", "size"), look=("look", "mean")
)
later.index = later.index.set_levels(later.index.levels[1] - 1, level=1)
now = now.join(later).dropna()
now["luck"] = now["clicks"] - now["expected"]
stratum = pd.qcut(now["expected"], 10, labels=False)
middle_luck = now.groupby(stratum)["luck"].transform("median")
now["half"] = np.where(now["luck"] > middle_luck, "lucky", "unlucky")

# %% tags=["hide-input"]
measured = {
    "expected": "clicks expected",
    "clicks": "clicks",
    "attraction": "true attraction",
    "look": "P(look) of their places, later",
    "times": "times shown, later",
}
halves_of_luck = now.groupby("half")[list(measured)].mean().T.map(show.number)
sign = np.where(now["half"] == "lucky", 1, -1)
gap = {}
for column in measured:
    centre = now.groupby(stratum)[column].transform("mean")
    value = (2 * sign * (now[column] - centre)).to_numpy()
    gap[column] = (
        value.mean(),
        bootstrap_interval(
            value, seed=seed, groups=now.index.get_level_values(0).to_numpy()
        ),
    )
halves_of_luck["lucky − unlucky"] = {
    m: show.interval(*g) for m, g in gap.items()
}
show.table(
    halves_of_luck.rename(index=measured).rename_axis(""),
    caption="Simulated news, train: articles in six hours and in the next six; the last column compares within strata of equal expectation, intervals over articles",
)
assert gap["attraction"][1][0] <= 0  # the lucky half is no better by itself
show.say(
    "The lucky half is not the more attractive one. On simulated news, luck alone "
    + (
        "**lifts an article to places that are looked at more**"
        if gap["look"][1][0] > 0
        else "does not clearly lift an article to better places"
    )
    + (
        " and gets it shown more often: the log then counts clicks that it has made itself."
        if gap["times"][1][0] > 0
        else "; that it is shown more often is not clear."
    )
)

# %% [markdown]
# ### Inverse propensity weighting (逆倾向加权)
#
# We want to know how attractive an article is: the mean $\bar a$ of its attraction to those to whom it was shown. If a click counts $1/e$, where $e$ is the chance that the place is looked at at all (its *propensity*), then on average
#
# $$\mathbb E\!\left[\frac{\text{click}}{e}\right]=\frac{e\cdot a}{e}=a ,\qquad\text{so}\qquad \hat a=\frac1n\sum_{\text{times shown}}\frac{\text{click}}{e}$$
#
# is right on average, wherever the article stood (Horvitz and Thompson 1952). The price is in the variance. A click that had probability $p$ adds
#
# $$\operatorname{Var}\!\left[\frac{\text{click}}{e}\right]=\frac{p\,(1-p)}{e^2},$$
#
# and at the bottom of the page a single click counts as many. **Clipping** (截断) takes $\max(e,c)$ in place of $e$: less variance, some bias back.

# %%
n_articles = twin.train.n_items
times_shown = np.bincount(log["article"], minlength=n_articles)


def rate(clicks, weight=1.0):
    """Weighted clicks ÷ times shown, each article; NaN where never shown."""
    total = np.bincount(log["article"], clicks * weight, minlength=n_articles)
    with np.errstate(invalid="ignore"):
        return total / times_shown


look_at_all = np.where(there, truth.examination[truth.positions("train")], 1.0)
by_library = inverse_propensity_rate(pages, clicked, look_at_all, n_articles)
by_hand = rate(log["click"], 1 / log["look"])
assert np.allclose(by_hand, by_library, equal_nan=True)

enough = times_shown >= 50
true_rate = rate(log["attraction"])  # the mean of what it estimates
show.say(
    f"Simulated news: {enough.sum()} articles were shown at least 50 times; those we look at. Their true mean attraction is {true_rate[enough].mean():.3f}, "
    f"their click-through rate {rate(log['click'])[enough].mean():.3f}, their weighted rate {by_hand[enough].mean():.3f}."
)

# %% [markdown]
# The weighted rate is *too high*, all over: the pages without a click are missing. On the pages that are in the log a click had the probability $e\,a/P(\text{page gets a click})$. Only the truth knows that factor, and it is not the same for all pages.
# So we ask two questions that a common factor does not disturb: the **order** of the articles (rank correlation, 等级相关, with the true attraction), and the **error** after one factor for all has been taken out.
#
# How much of the error would stay with an endless log (bias, 偏差), and how much is due to the few clicks of ours (variance, 方差)? The formulas above know both.

# %%
any_click = log["look"] * log["attraction"] / log["chance"]  # of the page
weights = {
    "click-through rate": np.ones(len(log)),
    "weighted": 1 / log["look"],
    "weighted, clipped at 0.3": 1 / log["look"].clip(lower=0.3),
    "weighted, and visits without a click": any_click / log["look"],
}


def order_and_error(estimate):
    """Rank correlation with the truth; RMS error once a common factor is out."""
    mine, real = estimate[enough], true_rate[enough]
    error = mine * real.mean() / mine.mean() - real
    return spearmanr(mine, real).statistic, np.sqrt((error**2).mean())


# %%
rows = []
for name, weight in weights.items():
    endless, ours = rate(log["chance"], weight), rate(log["click"], weight)
    spread = rate(log["chance"] * (1 - log["chance"]), weight**2) / times_shown
    factor = true_rate[enough].mean() / endless[enough].mean()
    rows.append(
        {
            "rate": name,
            "factor": factor,
            "bias": order_and_error(endless)[1],
            "standard deviation, our log": factor
            * np.sqrt(spread[enough].mean()),
            "rank correlation, our log": order_and_error(ours)[0],
            "endless log": order_and_error(endless)[0],
        }
    )
spread_of = {row["rate"]: row["standard deviation, our log"] for row in rows}
show.table(
    rows,
    caption="Simulated news: how each rate misses the true attraction (root mean squares over articles)",
)

# %%
_, biases, deviations = (
    [row[c] for row in rows]
    for c in ("rate", "bias", "standard deviation, our log")
)
assert biases[3] < 1e-9 < biases[1] < biases[0]  # weighting mends, not all
assert deviations[0] < deviations[2] < deviations[1]  # and is paid for
own_order = {row["rate"]: row["rank correlation, our log"] for row in rows}
show.say(
    "Weighting takes bias away and brings variance, clipping lies between, and only the last row, which no real log allows, has no bias at all. On simulated news of **this size** "
    + (
        "the naive click-through rate still orders the articles **better** than the weighted one: its bias is smaller than the noise that weighting adds."
        if own_order["click-through rate"] > own_order["weighted"]
        else "the weighted rate already orders the articles better than the click-through rate."
    )
)

# %% [markdown]
# ### When does it pay?
#
# Bias stays, variance shrinks. We know the chance of every click, so we can let the same pages be visited again and again, and draw the clicks anew. Now the propensities are also **estimated**, from the random pages of the same log, as one would have to.

# %%
sizes = [1, 4, 16, 64, 256]
draws = 5
curves_of = {}
for size in sizes:
    for draw in range(draws):
        again = rng.binomial(size, log["chance"]) / size
        estimated = estimated_look(again, log["random"])[log["place"]]
        for name, weight in (
            *list(weights.items())[:3],
            ("weighted, propensities estimated", 1 / estimated),
        ):
            found = order_and_error(rate(again, weight))
            curves_of[name, size, draw] = found
growth = pd.DataFrame(curves_of, index=["rank correlation", "error"]).T
growth = growth.groupby(level=[0, 1], sort=False).mean()

# %% tags=["hide-input"]
predicted = np.hypot(biases[1], deviations[1])  # of the true propensities
assert abs(growth.loc[("weighted", 1), "error"] / predicted - 1) < 0.1
largest = growth["rank correlation"].xs(sizes[-1], level=1)
assert largest.idxmin() == "click-through rate"
figure, axes = plt.subplots(1, 2, figsize=(8.2, 3), sharex=True)
for axis, measure in zip(axes, growth.columns, strict=True):
    for name, colour, marker in zip(
        growth.index.unique(0), show.PALETTE, "os^D", strict=False
    ):
        axis.plot(
            sizes,
            growth.loc[name, measure],
            f"-{marker}",
            color=colour,
            label=name,
            ms=4,
        )
    axis.set(
        xscale="log",
        xlabel="size of the log (ours = 1)",
        ylabel=measure,
        xticks=sizes,
    )
    axis.set_xticklabels(sizes)
    axis.minorticks_off()
axes[0].set_ylabel("rank correlation with the truth")
axes[1].set_ylabel("error of the attraction (RMS)")
axes[0].legend(fontsize=7)
figure.suptitle("simulated news, clicks drawn again", size=9)
show.figure(
    figure,
    alt="Two line plots on simulated news against the size of the log, from ours to 256 times as much. Left: rank correlation with the true attraction rises for all rates. "
    "Right: the error falls for all. With much data the weighted rates end ahead of the click-through rate.",
    table=growth["rank correlation"]
    .unstack(sort=False)
    .rename_axis("rank correlation, size of the log"),
    caption=f"Simulated news: the same pages, more visits; means of {draws} draws",
)


# %%
def pays_from(name):
    order = growth["rank correlation"].unstack(0)
    ahead = order[name] > order["click-through rate"]
    return next((s for s in sizes if ahead.loc[s:].all()), None)


for name in growth.index.unique(0)[1:]:
    first = pays_from(name)
    show.say(
        f"- *{name}*: "
        + (
            f"orders articles better than the click-through rate from a log of **{first} times** ours on"
            if first is not None
            else "does not overtake the click-through rate"
        )
        + " (simulated news)."
    )

# %% [markdown]
# One more thing that only the truth can show. In the redrawn logs the pages stay as they are. In the real one luck had a say in *what was shown afterwards*: an article with an unlucky start is not shown again, and its low rate stays as it is.

# %%
luck = rate(log["click"] - log["chance"])[enough]
noise = np.sqrt(rate(log["chance"] * (1 - log["chance"]))[enough])
often = times_shown[enough]
seldom = often < np.median(often)
in_units = luck * np.sqrt(often) / noise  # standard deviations of pure chance
show.say(
    f"Simulated news: the click-through rate of our own log has rank correlation **{own_order['click-through rate']:.3f}** with the truth, redrawn logs of this size have {growth.loc[('click-through rate', 1), 'rank correlation']:.3f}. "
    f"Luck of the articles that were shown less often than the median, in standard deviations: {show.interval(in_units[seldom].mean(), bootstrap_interval(in_units[seldom], seed=seed), 2)}; "
    f"of the others: {show.interval(in_units[~seldom].mean(), bootstrap_interval(in_units[~seldom], seed=seed), 2)}."
)

# %% [markdown]
# ### Does it help the next reader?
#
# Rank the pages of dev by either rate, learned on train: from our log, and from one without end (the same pages, expected clicks), where only bias is left. An article that train has never shown gets the median rate, so that both treat the new ones alike. Then ask **two judges**:
#
# - *the log*: clicks as they came, with the bias of the places in them; Recall@100 of these clicks;
# - *the truth*: readers who look at **every** place. Then article $i$ is clicked and $j$ is not with probability $a_i(1-a_j)$, so the AUC to expect is the share of these weights with $i$ before $j$. And for the recall stage: how many of the ten articles of the day that would attract this reader most are among its 100.

# %%
shown_then, marked = twin.dev.lists()
liking = truth.attraction("dev", shown_then)
of_the_day = np.flatnonzero(twin.dev.item_counts()[0])
everything = np.tile(of_the_day, (len(twin.dev), 1))
open_to_all = truth.published("dev", everything)
open_to_all[twin.dev.histories().matrix[:, of_the_day].nonzero()] = False
liked = np.where(open_to_all, truth.attraction("dev", everything), 0)
best_ten = of_the_day[np.argsort(-liked, axis=1, kind="stable")[:, :10]]
would_like = sp.csr_array(
    (
        np.ones(best_ten.size, "float32"),
        best_ten.ravel(),
        np.arange(0, best_ten.size + 1, 10),
    ),
    shape=(len(twin.dev), n_articles),
)


def liking_behind(scores, yes, no):
    """Sum of yes[i] · no[j] over pairs of a page with i before j; ties as they stand."""
    order = np.argsort(scores, axis=1, kind="stable")  # worst first
    yes, no = (np.take_along_axis(x, order, axis=1) for x in (yes, no))
    return (yes * (no.cumsum(axis=1) - no)).sum(axis=1)


def true_auc(scores):
    """The AUC to expect of readers who look at every place."""
    yes, no = liking, np.where(shown_then < 0, 0, 1 - liking)
    arrays = scores, yes, no
    forth = liking_behind(*arrays)
    back = liking_behind(*(x[:, ::-1] for x in arrays))  # a tie counts half
    pairs = yes.sum(axis=1) * no.sum(axis=1) - (yes * no).sum(axis=1)
    return (forth + back) / 2 / pairs


def two_judges(scores, candidates):
    """One report: AUC and Recall@100 by the log and by the truth."""
    report = evaluate_impressions(
        shown_then, scores, marked, twin.dev.users, ["auc"], seed
    )
    report = report.with_values("auc, truth", true_auc(scores))
    for name, wanted in (
        ("recall@100", twin.dev.relevant()),
        ("recall@100, truth", would_like),
    ):
        found = evaluate(candidates, wanted, ["recall@100"])
        report = report.with_values(name, found.per_user["recall@100"])
    return report


# %% [markdown]
# The shortcut by cumulative sums against the definition, pair by pair, on a few pages:

# %%
some_scores = rng.integers(0, 4, shown_then.shape).astype(float)  # with ties
quick = true_auc(some_scores)
for row in range(20):
    listed = shown_then[row] >= 0
    a, s = liking[row, listed], some_scores[row, listed]
    weight = a[:, None] * (1 - a)
    np.fill_diagonal(weight, 0)
    ahead = (s[:, None] > s) + 0.5 * (s[:, None] == s)
    assert np.isclose(quick[row], (weight * ahead).sum() / weight.sum())


# %%
def shrunk(clicks, weight, size, prior=20):
    """`rate`, as if each article had been shown `prior` more times at the median rate."""
    value, times = rate(clicks, weight), size * times_shown
    middle = np.nanmedian(value[of_the_day])
    return (np.nan_to_num(value) * times + prior * middle) / (times + prior)


def judged_by_both(ranker):
    return two_judges(
        scores_of(ranker, shown_then), hundred_best(ranker, twin.dev)
    )


logs = {"our log": (log["click"], 1), "endless log": (log["chance"], 1e6)}
rates = {
    (name, which): judged_by_both(
        same_for_all(shrunk(clicks, weights[name], size), twin.dev)
    )
    for which, (clicks, size) in logs.items()
    for name in ("click-through rate", "weighted")
}
judges = ("auc", "auc, truth", "recall@100", "recall@100, truth")
gains_of = {
    (which, m): compare(
        rates["weighted", which],
        rates["click-through rate", which],
        m,
        seed=seed,
    )
    for which in logs
    for m in judges
}

# %% tags=["hide-input"]
show.table(
    pd.DataFrame(
        {
            m: {
                f"{name}, {which}": shown(r, m)
                for (name, which), r in rates.items()
            }
            | {
                f"weighted − naive, {which}, paired": show.interval(
                    gains_of[which, m].difference, gains_of[which, m].interval
                )
                for which in logs
            }
            for m in judges
        }
    ).rename_axis("rate"),
    caption="Simulated news, dev: articles ranked by either rate; two metrics, two judges",
)


def opinion(c):
    return (
        "better"
        if c.interval[0] > 0
        else "worse"
        if c.interval[1] < 0
        else "not clearly different"
    )


for which in logs:
    show.say(
        f"Weighted against naive, {which} (simulated news): "
        + "; ".join(f"{m}: **{opinion(gains_of[which, m])}**" for m in judges)
        + "."
    )
unseen_by_log = [
    f"{m}, {which}"
    for which in logs
    for m in ("auc", "recall@100")
    if opinion(gains_of[which, m]) != opinion(gains_of[which, f"{m}, truth"])
]
show.say(
    "The two judges give different answers for: **"
    + ("; ".join(unseen_by_log) or "nothing")
    + "** (simulated news)."
)

# %% [markdown]
# ### A biased test likes a biased ranker
#
# The sharpest case. One "ranker" only knows **where the site put each article**; as a recall stage it returns the page. Beside it, the subcategory profile, which knows nothing of places, with no more articles than the page had. And two controls: the true attraction, and the same clicks shuffled within each page.

# %%
order_of_site = 1000.0 - truth.positions("dev")
site_hundred = Candidates.from_item_scores(shown_then, order_of_site)
site_hundred = site_hundred.padded(max(100, site_hundred.width))
best_hundred = Candidates.from_item_scores(
    everything, np.where(open_to_all, liked, -np.inf)
).top(100)
by_judges = {
    "place on the page": two_judges(order_of_site, site_hundred),
    "true attraction": two_judges(liking, best_hundred),
}
_, kinds = np.unique(twin.catalogue.rows["subcategory"], return_inverse=True)
kinds = np.eye(kinds.max() + 1, dtype="float32")[kinds]
titles_of_twin = TextEncoder("minilm").encode(twin.catalogue.describe("title"))
learned = {
    "popularity": popularity(1),
    "click-through rate": click_rate(10),
    "subcategory profile": profile(kinds)(20),
    "MiniLM titles": profile(titles_of_twin)(20),
}
for name, make_ranker in learned.items():
    by_judges[name] = judged_by_both(make_ranker(twin.train, twin.dev))
drawing = np.argsort(
    np.where(shown_then < 0, 2, rng.random(marked.shape)),
    axis=1,
    kind="stable",
)
shuffled_clicks = np.take_along_axis(marked, drawing, axis=1)

# %%
rival = profile(kinds)(20)(twin.train, twin.dev)
hundred = hundred_best(rival, twin.dev)
page_lengths = (shown_then >= 0).sum(axis=1, keepdims=True)
cut = np.arange(hundred.width) >= page_lengths
as_long = Candidates(
    np.where(cut, -1, hundred.ids), np.where(cut, -np.inf, hundred.scores)
)
as_long_name = "subcategory profile, as many as the page"
by_judges[as_long_name] = two_judges(scores_of(rival, shown_then), as_long)
duel = {
    m: compare(
        by_judges["place on the page"], by_judges[as_long_name], m, seed=seed
    )
    for m in judges
}

# %% tags=["hide-input"]
show.table(
    pd.DataFrame(
        {
            m: {n: shown(r, m) for n, r in by_judges.items()}
            | {
                "place − profile, as many as the page, paired": show.interval(
                    duel[m].difference, duel[m].interval
                )
            }
            for m in judges
        }
    ).rename_axis("ranker"),
    caption="Simulated news, dev: two judges",
)
show.say(
    "Place on the page against a profile with lists as long (simulated news): "
    + "; ".join(f"{m}: **{opinion(duel[m])}**" for m in judges)
    + "."
)

# %%
for name in learned:
    for metric in judges:
        ahead = compare(
            by_judges["true attraction"],
            by_judges[name],
            metric,
            permutations=1,
            seed=seed,
        )
        assert ahead.interval[0] > 0, (name, metric)
by_lot = {}
for name, make_ranker in learned.items():
    scores = scores_of(make_ranker(twin.train, twin.dev), shown_then)
    by_lot[name] = evaluate_impressions(
        shown_then, scores, shuffled_clicks, twin.dev.users, ["auc"], seed
    )
    assert abs(by_lot[name].mean("auc") - 0.5) < 0.03, name
show.say(
    "Controls on simulated news. The true attraction beats every learned ranker, by the two judges and both metrics (paired). With the clicks of each page shuffled, AUC is chance: "
    + ", ".join(f"{n} {shown(r, 'auc')}" for n, r in by_lot.items())
    + "."
)

# %% [markdown]
# A place is no taste: take the readers' looks away and its lead is gone. Yet a team that judges by its own log would keep the site's order, and train the next model on the clicks that this order makes.
#
# ### What stays wrong
#
# Weighting by looks mends *one* bias. Two others stay in every log of this kind:
#
# - **Visits without a click** are missing. That is the factor above, and it differs from page to page.
# - **Selection** (选择偏差): a rate is a mean over those to whom the article *was shown*, and the site shows an article to those it should suit. What was never shown has no rate at all, and no weight brings it back.

# %%
page_chance = any_click.groupby(log["page"]).first()
low, mid, high = np.percentile(page_chance, [5, 50, 95])
shown_there = (
    sp.csr_array(
        (
            np.ones((shown_then >= 0).sum()),
            (np.nonzero(shown_then >= 0)[0], shown_then[shown_then >= 0]),
        ),
        shape=(len(twin.dev), n_articles),
    )[:, of_the_day].toarray()
    > 0
)
both_ways = (shown_there.sum(0) >= 50) & (
    (open_to_all & ~shown_there).sum(0) >= 50
)
to_shown = (liked * shown_there).sum(0)[both_ways] / shown_there.sum(0)[
    both_ways
]
rest = open_to_all & ~shown_there
to_others = (liked * rest).sum(0)[both_ways] / rest.sum(0)[both_ways]
excess = to_shown - to_others
show.say(
    f"Simulated news. A page gets a click at all with probability {low:.2f} to {high:.2f} (middle nine tenths; median {mid:.2f}). "
    f"The same {both_ways.sum()} articles of dev attract those to whom they were shown with {to_shown.mean():.3f}, the others with {to_others.mean():.3f}; "
    f"difference {show.interval(excess.mean(), bootstrap_interval(excess, seed=seed))}. "
    f"In an average visit {1 - shown_there.sum() / open_to_all.sum():.0%} of the articles that are out stay unseen."
)

# %% [markdown]
# What helps in practice: keep a small share of pages in random order (they cost little and give the propensities), log the place and the visits without a click, and judge a recall stage on articles that *it* chose: in a live test, or on a slice of traffic that is shown a random choice.

# %% [markdown]
# ## 9 · A checklist
#
# Before you believe an offline figure, yours or anybody's:
#
# 1. **Metric**: Recall@K at the stage's own K? Denominator named? MAP of which kind?
# 2. **Candidates**: all items ranked, none sampled?
# 3. **Split**: by time? Whose future can the training data see? Ties in time broken by something meaningless?
# 4. **Leaks**: is any test event in a user vector, an item count, a vocabulary, a choice of settings?
# 5. **Seen items**: the same rule for every retriever?
# 6. **Ties**: what does a constant scorer get? It should be chance.
# 7. **Baselines**: the same budget of trials for all, on validation, and popularity among them?
# 8. **Difference**: paired, with an interval over users, corrected for the number of comparisons?
# 9. **Looks**: coverage, concentration, novelty, diversity beside recall, at equal recall?
# 10. **Impressions**: were clicks judged? Then: means over impressions or over users? MRR of the first click or of all? Who chose what was shown, and in what order? And was the judge a log that the winner, or a relative of it, has written?

# %% [markdown]
# ## Exercises
#
# Replace each `...`, run the cell, and read what comes back. (If Python does not know `learn`, run the first code cells of the chapter.) `learn.hint("06.1")` gives a hint, three times.
#
# **06.1** A list of four films has hits at ranks 1 and 4. The user has six relevant films. Fill in the four numbers.

# %% tags=["exercise"]
by_pencil = {
    "recall@4": ...,
    "recall_capped@4": ...,
    "map@4": ...,
    "map_of_hits@4": ...,
}

learn.check("06.1", by_pencil)

# %% [markdown] tags=["solution"]
# <details>
# <summary>Show a solution</summary>
#
# All four have the hits on top, plain or as precision at each hit. Only the denominators differ.
#
# ```python
# by_pencil = {
#     "recall@4": 2 / 6,
#     "recall_capped@4": 2 / 4,
#     "map@4": (1 / 1 + 2 / 4) / 6,
#     "map_of_hits@4": (1 / 1 + 2 / 4) / 2,
# }
# ```
#
# </details>

# %% [markdown]
# **06.2** Write `my_recall(ids, relevant, k)`. `ids` is an integer array `[n, width]`, best first, −1 in empty places; `relevant` is a list of n Python sets. Return an array of n numbers:
# hits in the first k ÷ relevant items, and NaN for a user without a relevant item.

# %% tags=["exercise"]
my_recall = ...

learn.check("06.2", my_recall)

# %% [markdown] tags=["solution"]
# <details>
# <summary>Show a solution</summary>
#
# −1 is in nobody's set, so an empty place is never a hit.
#
# ```python
# def my_recall(ids, relevant, k):
#     return np.array(
#         [
#             len(set(row[:k].tolist()) & wanted) / len(wanted)
#             if wanted
#             else np.nan
#             for row, wanted in zip(ids, relevant, strict=True)
#         ]
#     )
# ```
#
# </details>

# %% [markdown]
# **06.3** A paper reports HitRate@10 among 100 sampled negatives, in a shop where 20,000 items compete: the relevant one and 19,999 that the user never took. To which K of a *full-ranking* Recall@K does that come closest? Give the rank
# at which the relevant item has about an even chance to count as a hit.

# %% tags=["exercise"]
full_rank = ...

learn.check("06.3", full_rank)

# %% [markdown] tags=["solution"]
# <details>
# <summary>Show a solution</summary>
#
# At rank r, r − 1 items stand above the relevant one. It stays in the top ten while at most nine of them are drawn.
#
# ```python
# ranks = np.arange(1, 4001)
# even = hypergeom.cdf(9, 19_999, ranks - 1, 100)
# full_rank = int(ranks[np.argmin(np.abs(even - 0.5))])
# ```
#
# </details>

# %% [markdown]
# **06.4** *Find the flaws.* A colleague announces a new retriever. Read the code, then the announcement.

# %%
theirs = Split.random(interactions, seed=seed)
known, judged_on = theirs.train_and_validation, theirs.test.matrix
everybody = np.arange(interactions.n_users)


def recall_at_10(model):
    lists_of_ten = model.fit(known).retrieve(everybody, 10)
    return evaluate(lists_of_ten, judged_on, ["recall@10"]).mean("recall@10")


attempts = {r: recall_at_10(EASE(r)) for r in (20, 200, 2000)}
new = max(attempts.values())
old = recall_at_10(ALS(32, seed=seed))
show.say(
    f"*Our retriever reaches a Recall@10 of {new:.4f}, against {old:.4f} for ALS: {new / old - 1:+.1%}.*"
)

# %% [markdown]
# Which of these flaws does this evaluation have? Give a set of names:
#
# `"random split"` · `"tuned on test"` · `"untuned baseline"` · `"no interval"` · `"sampled negatives"` · `"seen items left in"` · `"test in the user vector"` · `"relevant item first in a tie"`

# %% tags=["exercise"]
flaws = ...

learn.check("06.4", flaws)

# %% [markdown] tags=["solution"]
# <details>
# <summary>Show a solution</summary>
#
# The split is by chance, not by time; three settings were tried, and the best was picked on the test set; the rival got none; and no interval is given.
#
# ```python
# flaws = {"random split", "tuned on test", "untuned baseline", "no interval"}
# ```
#
# </details>

# %% [markdown]
# **06.5** A headline was shown four times: at a place that everybody looks at, clicked; twice at a place that every second reader looks at, clicked once; and at a place that every fourth reader looks at, not clicked.
# Give its click-through rate, its weighted rate, and what the weighted rate would be if the fourth had been clicked as well.

# %% tags=["exercise"]
rates_of_one = {
    "naive": ...,
    "weighted": ...,
    "weighted, fourth clicked": ...,
}

learn.check("06.5", rates_of_one)

# %% [markdown] tags=["solution"]
# <details>
# <summary>Show a solution</summary>
#
# A click at a place where a share e of the readers look stands for 1/e clicks. The mean is over all four times shown.
#
# ```python
# rates_of_one = {
#     "naive": 2 / 4,
#     "weighted": (1 / 1 + 1 / 0.5) / 4,
#     "weighted, fourth clicked": (1 / 1 + 1 / 0.5 + 1 / 0.25) / 4,
# }
# ```
#
# </details>

# %% [markdown]
# ## What to read
#
# - W. Krichene, S. Rendle: *On Sampled Metrics for Item Recommendation*. KDD 2020; also Communications of the ACM 65 (7), 2022. Trap 1, proved.
# - M. Ferrari Dacrema, P. Cremonesi, D. Jannach: *Are We Really Making Much Progress? A Worrying Analysis of Recent Neural Recommendation Approaches*. RecSys 2019. Trap 8, at large.
# - Y. Ji, A. Sun, J. Zhang, C. Li: *A Critical Study on Data Leakage in Recommender System Offline Evaluation*. ACM Transactions on Information Systems, 2023. Trap 3.
# - R. Cañamares, P. Castells, A. Moffat: *Offline evaluation options for recommender systems*. Information Retrieval Journal 23 (2020), 387–410. Every choice in section 3, varied.
# - C.-N. Ziegler, S. M. McNee, J. A. Konstan, G. Lausen: *Improving Recommendation Lists Through Topic Diversification*. WWW 2005. Intra-list similarity.
# - T. Zhou, Z. Kuscsik, J.-G. Liu, M. Medo, J. R. Wakeling, Y.-C. Zhang: *Solving the apparent diversity-accuracy dilemma of recommender systems*. PNAS 107 (2010), 4511–4515. Self-information as novelty.
# - N. Craswell, O. Zoeter, M. Taylor, B. Ramsey: *An Experimental Comparison of Click Position-Bias Models*. WSDM 2008. Places in real logs, and models less simple than ours.
# - T. Joachims, A. Swaminathan, T. Schnabel: *Unbiased Learning-to-Rank with Biased Feedback*. WSDM 2017. Weighting by looks, for learning.
# - T. Schnabel, A. Swaminathan, A. Singh, N. Chandak, T. Joachims: *Recommendations as Treatments: Debiasing Learning and Evaluation*. ICML 2016. Selection.
#
# **You can now** read an offline evaluation like a detective. Whatever this course measures is judged by the rules of this chapter.
