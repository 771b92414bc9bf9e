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
# # 01b · Reading a result
#
# *A figure without an interval is an anecdote. A difference without a pair is two anecdotes.*
#
# After this lesson you will be able to
#
# - read a mean with its interval, and make such an interval yourself;
# - compare two retrievers on the same people, and several at once;
# - say how small a difference could have been seen, and when two are *the same*;
# - tell what a result speaks for: the model, the data, the source.
#
# You need: lesson 01a for the retrievers and Recall@K. About 65 minutes.
#
# ## The documents say
#
# | id | where | statement | what we do |
# |---|---|---|---|
# | D2-18 | D2 §2.1 | traditional recall is keywords, content, behaviour | measure one example of each |
# | D2-19 | D2 §2.2 | a large model has billions of parameters; BERT is one | count |
# | D2-11, D3-17 | D2 §6, D3 §6 | well-known platforms work this way | look for public evidence |
# | D4-11, D5-18 | D4 §6, D5 §6 | shops, video, news, social networks, education, ads, finance | say which of them our data can stand for |

# %% tags=["parameters"]
scale = "small"  # "small" is what the book shows; "full" runs the same code on more data
seed = 0

# %%
from io import StringIO

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
import transformers
from scipy.stats import norm
from sklearn.preprocessing import normalize

from course_lib import evaluate, learn, show
from course_lib.data import Split, load_movielens
from course_lib.encode import TextEncoder
from course_lib.retrieve import (
    FeatureRetriever,
    KeywordRetriever,
    Popularity,
    Random,
    TextRetriever,
    genre_features,
)

show.style()

# %% [markdown]
# ## 1 · From one person to everybody
#
# Lesson 01a built four lists for one person, picked *because* their taste shows in the genres. Now everybody is asked, and two more join the race: **random** films as the floor,
# and, as a first taste of what this course is about, the content channel with a pre-trained *sentence encoder* in the place of genres: it reads title and genres and returns 384 numbers
# (chapter 04 opens it).

# %%
interactions, catalogue = load_movielens(scale)
split = Split.per_user_chronological(interactions, seed=seed)
train, test = split.train_and_validation, split.test
everybody = np.arange(train.n_users)


def judged(retriever, k=100):
    """The report of a retriever's lists for everybody."""
    return evaluate.evaluate(
        retriever.retrieve(everybody, k),
        test.matrix,
        ["recall@10", "recall@100", "average_popularity@10"],
        train=train,
        seed=seed,
    )


encoder = TextEncoder("minilm")
both_fields = ("title", "genres")
columns = normalize(train.matrix.T.tocsr())  # a film as those who know it
retrievers = {
    "item neighbours": FeatureRetriever(columns, "neighbours", measure="dot"),
    "popularity": Popularity(),
    "keywords": KeywordRetriever(fields=both_fields),
    "genres": FeatureRetriever(genre_features(catalogue), "genres"),
    "sentence encoder": TextRetriever(encoder, fields=both_fields),
    "random": Random(seed),
}
reports = {
    name: judged(retriever.fit(train, catalogue))
    for name, retriever in retrievers.items()
}

# %% tags=["first-result", "hide-input"]
written = {
    metric.capitalize(): [show.mean(one, metric) for one in reports.values()]
    for metric in ("recall@10", "recall@100")
}
show.forest(
    reports,
    "recall@100",
    table=pd.DataFrame(written, index=pd.Index(reports, name="retriever")),
    caption=f"The mean over {train.n_users:,} people, in brackets how sure it is; {train.n_items:,} films. A recall stage is judged at the size of its candidate list, here 100; 10 stands beside it.",
)

# %% [markdown]
# For our one person in 01a keywords found the most hidden films. Over everybody two others are far ahead of them: that is what an anecdote is worth.
#
# ## 2 · How sure is a mean?
#
# The people of the test are a sample (样本). With other people the mean would have been another one; by how much? We cannot ask others, but we can draw from those we have, *with* replacement (有放回):
# some twice, some not at all. The mean of each such draw is a mean as it could have been. The middle 95 % of a thousand of them is the **bootstrap interval** (自助法置信区间).

# %% tags=["algorithm"]
values = reports["popularity"].per_user["recall@100"]  # one a person
rng = np.random.default_rng(seed)
means = []
for _ in range(1_000):
    drawn = rng.integers(0, len(values), len(values))
    means.append(values[drawn].mean())
low, high = np.percentile(means, [2.5, 97.5])

# %%
assert np.allclose((low, high), reports["popularity"].interval("recall@100"))
few, most = np.percentile(values, [2.5, 97.5])
spans = {
    "the thousand means": f"{low:.3f} to {high:.3f}",
    "the people": f"{few:.2f} to {most:.2f}",
}
inside = (low <= np.array(means)) & (np.array(means) <= high)
assert inside.mean() == 0.95  # the middle 95 %

# %% tags=["hide-input"]
figure, axis = plt.subplots(figsize=(6.4, 2.6))
axis.hist(means, bins=40, color=show.colour("popularity"), alpha=0.35)
axis.axvspan(low, high, color=show.PALETTE[3], alpha=0.3)
axis.axvline(values.mean(), color="black", lw=1.5)
axis.set(
    xlabel="Recall@100 of popularity, mean over the people drawn",
    ylabel="draws of 1,000",
)
show.figure(
    figure,
    alt="Histogram of a thousand bootstrap means, a bell around the mean of all people; a band marks the middle 95 %.",
    table=pd.DataFrame({"middle 95 % of": spans}),
    caption="The interval is about the mean. Single people differ far more.",
)

# %% [markdown]
# `show.mean` writes it as 'mean [low, high]', and so does the whole course. An interval speaks for *people like these*; it knows nothing of other films, other years, or a mistake in our code.
#
# ## 3 · A pair
#
# Do the words of the title help the keyword channel? We leave them out and compare. Often a person who is easy for one list is easy for the other. So look at **each person's difference** first, then at the mean:
# a *paired* comparison (配对比较).

# %%
genre_words = KeywordRetriever(fields=("genres",)).fit(train, catalogue)
reports["genre words"] = judged(genre_words)
title_words = evaluate.compare(
    reports["keywords"], reports["genre words"], "recall@100", seed=seed
)

# %% tags=["algorithm"]
first = reports["keywords"].per_user["recall@100"]
second = reports["genre words"].per_user["recall@100"]
rng = np.random.default_rng(seed)
gains = []
for _ in range(1_000):
    drawn = rng.integers(0, len(first), len(first))  # the same people for both
    gains.append((first[drawn] - second[drawn]).mean())
paired = np.percentile(gains, [2.5, 97.5])

# %%
assert np.allclose(paired, title_words.interval)

# %% [markdown]
# And if the two lists had gone to two groups of strangers? Then each mean is drawn on its own:

# %%
n = len(first)
strangers = [
    first[rng.integers(0, n, n)].mean() - second[rng.integers(0, n, n)].mean()
    for _ in range(1_000)
]
unpaired = np.percentile(strangers, [2.5, 97.5])
wider = float((unpaired[1] - unpaired[0]) / (paired[1] - paired[0]))
correlation = float(np.corrcoef(first, second)[0, 1])

# %% tags=["hide-input"]
written = {
    "keywords with titles": show.mean(reports["keywords"], "recall@100"),
    "keywords without": show.mean(reports["genre words"], "recall@100"),
    "difference, paired": show.difference(title_words),
    "difference, strangers": show.interval(title_words.difference, unpaired),
}
show.table(pd.DataFrame({"Recall@100": written.values()}, index=list(written)))
show.say(
    "The two go together (correlation {correlation} over people), so the pair takes out what they share: without it the interval is **{wider} times as wide**. Where two have little in common, a pair costs nothing. And do the titles help? Zero lies inside; section 6 says what may be concluded.",
    correlation=correlation,
    wider=show.number(wider, 2),
)

# %% [markdown]
# A `Comparison` knows its `side`: *above* or *below* when the whole interval leaves out zero, else *unclear*. So who is above the bar, popularity?

# %%
rivals = [name for name in reports if name not in ("popularity", "genre words")]
against = {
    name: evaluate.compare(
        reports[name], reports["popularity"], "recall@100", seed=seed
    )
    for name in rivals
}
show.forest(against, sides=("popularity is better", "it is better"))

# %% [markdown]
# How can lists that look so sensible score so low? Ask how well known the listed films are.

# %%
known_by = {
    name: reports[name].mean("average_popularity@10") for name in retrievers
}
blind = ["genres", "keywords", "sentence encoder"]
assert all(against[name].difference < 0 for name in blind)
assert max(known_by[name] for name in blind) < known_by["item neighbours"]
best_known = np.argsort(-train.item_counts, kind="stable")[:100]
in_catalogue = len(best_known) / train.n_items
in_hidden = test.matrix[:, best_known].sum() / test.matrix.sum()
assert in_hidden > in_catalogue

# %% tags=["hide-input"]
shares = [f"{value:.1%} of people" for value in known_by.values()]
show.table(
    pd.DataFrame(
        {"a film of its top 10 is known to": shares},
        index=pd.Index(known_by, name="retriever"),
    )
)
show.say(
    "What people rate next is more often popular than a film picked at random: the hundred most popular films, {catalogue} of the catalogue, hold **{hidden}** of the hidden ratings. (Popularity's Recall@100 is higher: its list skips what a person knows and so reaches further down, and there every person counts alike.)",
    catalogue=f"{in_catalogue:.0%}",
    hidden=f"{in_hidden:.0%}",
)

# %% [markdown]
# Keywords and content do not know that some films have an audience and others hardly any: to them an obscure cartoon is as good as a famous one. Behaviour knows both, the taste and the audience.
# Content recall still has its place: it is what remains when a film is **new** and has no behaviour at all. And what looks bad about the encoder is partly how we use it;
# chapter 04 asks how much can be won back.

# %%
at_10 = {
    name: evaluate.compare(
        reports[name], reports["popularity"], "recall@10", seed=seed
    )
    for name in rivals
}

# %% tags=["hide-input"]
numbers = {"popularity": show.mean(reports["popularity"], "recall@10")}
for name, key in [
    ("keywords", "keywords"),
    ("genres", "genres"),
    ("item neighbours", "behaviour"),
]:
    numbers[key] = show.mean(reports[name], "recall@10")
    numbers[f"{key}_gain"] = (
        f"{show.difference(at_10[name])}, {at_10[name].side}"
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
# **01b.1** Write `paired_interval(a, b, draws)`: the interval of the mean difference a − b, from the percentiles 2.5 and 97.5 of the resampled means. `a` and `b` hold one value a person, `draws` is whom each resample drew, whole numbers `[resamples, people]`.
# Give back two numbers, low and high. (`learn.hint("01b.1")` gives a hint, three times.)

# %% tags=["exercise"]
paired_interval = ...

learn.check("01b.1", paired_interval)

# %% [markdown] tags=["solution"]
# <details>
# <summary>Show a solution</summary>
#
# Whole numbers as an index pick a person's difference for every place of `draws`; the mean along the people is one a resample.
#
# ```python
# def paired_interval(a, b, draws):
#     means = (a - b)[draws].mean(axis=1)
#     return np.percentile(means, [2.5, 97.5])
# ```
#
# </details>

# %% [markdown]
# ## 4 · Several at once
#
# One such interval in twenty misses the truth. Who compares often will be wrong sometimes. Here is a family in which we *know* that nothing is to be found: twenty pairs of random lists.

# %%
lucky = [judged(Random(1_000 * seed + s).fit(train)) for s in range(40)]
family = {
    f"pair {i + 1}": evaluate.compare(
        lucky[2 * i], lucky[2 * i + 1], "recall@100", seed=seed
    )
    for i in range(20)
}
p_values = [pair.p_value for pair in family.values()]
corrected = evaluate.holm(p_values)

false_alarms = sum(pair.is_clear for pair in family.values())
after_holm = int((corrected < 0.05).sum())
smallest = sorted(family, key=lambda name: family[name].p_value)[:6]

# %% tags=["hide-input"]
show.forest(
    {name: family[name] for name in smallest},
    sides=("the second is luckier", "the first is luckier"),
    caption="The six pairs of twenty with the smallest p-values. Random against random: every clear difference is a false alarm.",
)
show.table(
    [
        {
            "pair": name.removeprefix("pair "),
            "p": f"{family[name].p_value:.3f}",
            "times": 20 - place,
            "p after Holm": f"{corrected[list(family).index(name)]:.2f}",
        }
        for place, name in enumerate(smallest)
    ],
)
show.say(
    "Clear differences: **{alarms}** of 20; after the correction: **{after}**. With twenty independent pairs the chance of one false alarm or more is {chance}.",
    alarms=false_alarms,
    after=after_holm,
    chance=f"{1 - 0.95**20:.0%}",
)

# %% [markdown]
# A *p-value* (p 值) is the chance of a difference at least this large by luck alone, if the two were alike. Here it is found by giving each person's difference a random sign, again and again, and counting how often the mean comes out at least as far from zero. **Holm's correction** (霍尔姆校正) multiplies the smallest of $m$ p-values by $m$, the next by $m-1$, and so on; none may fall below the one before.
# Those below 0.05 stand, all together: the chance of *any* false alarm is at most 5 %. What counts is how many comparisons were *made*, not how many are shown.

# %%
assert np.allclose(evaluate.holm([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06])
false_alarm = 1 - norm.cdf(1.96) + norm.cdf(-1.96)
assert round(false_alarm, 3) == 0.05  # 5 %

# %% [markdown]
# **01b.2** Two families of comparisons with their p-values. Which are clear at 0.05 after Holm's correction? By hand, please; a calculator may help.
#
# | | a | b | c | d | e |
# |---|---|---|---|---|---|
# | first | 0.0238 | 0.0013 | 0.3104 | 0.0117 | 0.0196 |
# | second | 0.0413 | 0.0159 | 0.0062 | 0.0204 | 0.0321 |

# %% tags=["exercise"]
clear = {"first": {...}, "second": {...}}  # such as {"a", "b"}

learn.check("01b.2", clear)

# %% [markdown] tags=["solution"]
# <details>
# <summary>Show a solution</summary>
#
# In the first family b counts five times and d four times, and both products stay below 0.05. The third smallest, that of e, counts three times: too much, and so nothing after it stands, whatever its own product is.
# In the second only c, times five, stays below 0.05: b, times four, does not, and so nothing after it stands.
#
# ```python
# first = {"a": 0.0238, "b": 0.0013, "c": 0.3104, "d": 0.0117, "e": 0.0196}
# second = {"a": 0.0413, "b": 0.0159, "c": 0.0062, "d": 0.0204, "e": 0.0321}
# clear = {}
# for family, p_values in {"first": first, "second": second}.items():
#     clear[family] = set()
#     for place, name in enumerate(sorted(p_values, key=p_values.get)):
#         if p_values[name] * (len(p_values) - place) >= 0.05:
#             break
#         clear[family].add(name)
# ```
#
# </details>

# %% [markdown]
# ## 5 · What could have been seen
#
# Is the sentence encoder better than random lists? `Report.only` takes some of the people, and we ask again and again, each time more. With few of them the band is wide; and where it happens to be
# clear of zero all the same, the difference looks far larger than it is: where the true difference is smaller than the half-width, only a lucky exaggeration is clear. Each crowd contains the one before.

# %%
order = np.random.default_rng(seed).permutation(train.n_users)
crowds = [30, 60, 120, 240, 480, train.n_users]
encoder_gain = {
    n: evaluate.compare(
        reports["sentence encoder"].only(order[:n]),
        reports["random"].only(order[:n]),
        "recall@100",
        seed=seed,
    )
    for n in crowds
}
show.curves(
    {"sentence encoder": encoder_gain},
    x="people (logarithmic)",
    y="Recall@100 minus random",
    log=True,
)

# %% [markdown]
# The band is a funnel of its own. Its half-width (半宽) shrinks with the *root* of the number of people:
#
# $$h\approx\frac{1.96\,s}{\sqrt n},\qquad s\text{: standard deviation of the differences.}$$
#
# A true difference of $h$ comes out clear in half of all experiments. For a chance (*power*, 检验功效) of 80 % it must be 1.43 times as large.

# %%
whole = encoder_gain[train.n_users]
spread = np.std(
    reports["sentence encoder"].per_user["recall@100"]
    - reports["random"].per_user["recall@100"]
)
formula = 1.96 * spread / np.sqrt(train.n_users)
assert np.isclose(formula, whole.half_width, rtol=0.15)
assert round(norm.ppf(0.975), 2) == 1.96
assert round(1 + norm.ppf(0.80) / norm.ppf(0.975), 2) == 1.43

# %%
quarter = encoder_gain[240]
narrower = quarter.half_width / whole.half_width

# %% tags=["hide-input"]
show.say(
    "All {n} people: {whole}, half-width {h}. A true difference of {h} comes out clear only in every second such experiment, a smaller one less often; from {power} on it does in four of five. "
    "240 people, about a quarter: half-width {quarter}, **{narrower} times as wide**. For a half-width of 0.002 we would need {needed} people.",
    n=train.n_users,
    whole=whole,
    h=show.number(whole.half_width, 2),
    power=show.number(1.43 * whole.half_width, 2),
    quarter=show.number(quarter.half_width, 2),
    narrower=show.number(narrower, 2),
    needed=f"about {float(f'{train.n_users * (whole.half_width / 0.002) ** 2:.2g}'):,.0f}",
)

# %% [markdown]
# Say the half-width *before* the test. Where it is larger than the smallest difference that matters, the data cannot decide, and the honest word is *undecided* (未定), not *no effect*.
#
# ## 6 · "The same" needs a margin
#
# An interval that holds zero does **not** say that two are the same; a wide one holds zero, too. *The same* needs a margin, fixed beforehand: the smallest difference that matters, here 0.01 of Recall@100. Two are
# equivalent (等效) when the **whole interval** lies within the margin. And a clear difference within the margin is real, but too small to matter.


# %%
def reads(comparison, margin=0.01):
    """What a comparison says, in a word."""
    if comparison.within(margin):
        return "the same"
    if comparison.side == "unclear":
        return "undecided"
    return "better" if comparison.side == "above" else "worse"


encoder_at_10 = evaluate.compare(
    reports["sentence encoder"], reports["random"], "recall@10", seed=seed
)
questions = {
    "keywords: title words, all": title_words,
    "keywords: title words, 30 people": evaluate.compare(
        reports["keywords"].only(order[:30]),
        reports["genre words"].only(order[:30]),
        "recall@100",
        seed=seed,
    ),
    "encoder − random, all": whole,
    "encoder − random, 60 people": encoder_gain[60],
}
assert reads.__defaults__ == (0.01,)

# %% tags=["hide-input"]
figure = show.forest_plot(questions, sides=("worse", "better"))
figure.axes[0].axvspan(-0.01, 0.01, color=show.PALETTE[2], alpha=0.2)
show.figure(
    figure,
    alt="Forest plot of four differences in Recall@100 with a band for the margin around zero. "
    + "; ".join(f"{name}: {reads(one)}" for name, one in questions.items())
    + ".",
    table=[
        {
            "question": name,
            "difference": show.difference(one),
            "zero inside?": "no" if one.is_clear else "yes",
            "reads": reads(one),
        }
        for name, one in questions.items()
    ],
    caption="The green band is the margin. Only an interval that lies in it altogether reads “the same”.",
)
assert reports["sentence encoder"].mean("recall@10") < 0.01
show.say(
    "At K = 10 the sentence encoder minus random is {at_10}: {word} within the margin. At K = 100 it reads *{at_100}*. Which K was asked belongs to every result. So does the margin: at K = 10 the encoder finds less than the margin of 0.01 itself, which is then too coarse to say much. And *better* says clear of zero; whether it is enough to matter is open as long as the low end lies within the margin.",
    at_10=encoder_at_10,
    word=reads(encoder_at_10),
    at_100=reads(whole),
)

# %% [markdown]
# **01b.3** Four sentences from reports, all about Recall@100 with a margin of 0.01. Read each difference yourself: `"better"`, `"worse"`, `"the same"` or `"undecided"`?
# One of the four sentences is right.
#
# | | new − old | the sentence |
# |---|---|---|
# | A | +0.0041 [−0.0203, 0.0285] | "There is no difference: zero lies inside." |
# | B | +0.0037 [0.0012, 0.0062] | "Significantly better, so we switch." |
# | C | −0.0314 [−0.0526, −0.0108] | "Worse, and by more than could be chance." |
# | D | −0.0058 [−0.0131, 0.0015] | "A loss of 0.0058 lies within the margin: the same." |

# %% tags=["exercise"]
readings = {"A": ..., "B": ..., "C": ..., "D": ...}

learn.check("01b.3", readings)

# %% [markdown] tags=["solution"]
# <details>
# <summary>Show a solution</summary>
#
# A's interval is far wider than the margin: nothing was decided. B is clear, and the whole interval lies within the margin: too small to matter. C is right. Of D only the *mean* lies within the margin; its interval reaches beyond.
#
# ```python
# margin = 0.01
# ends = {"A": (0.0041, -0.0203, 0.0285), "B": (0.0037, 0.0012, 0.0062)}
# ends |= {"C": (-0.0314, -0.0526, -0.0108), "D": (-0.0058, -0.0131, 0.0015)}
# readings = {}
# for name, (mean, low, high) in ends.items():
#     if -margin < low and high < margin:
#         readings[name] = "the same"
#     elif low <= 0 <= high:
#         readings[name] = "undecided"
#     else:
#         readings[name] = "better" if mean > 0 else "worse"
# ```
#
# </details>

# %% [markdown]
# ## 7 · What was drawn?
#
# So far people were drawn. The random list has a second source of chance: the list itself. Forty draws of it make a report whose rows are draws (`Report.of`), each with all its people.

# %%
of_draws = evaluate.Report.of(
    {"recall@100": np.array([r.per_user["recall@100"] for r in lucky])},
    unit="draws",
    seed=seed,
)
of_people = evaluate.Report.of(
    {"recall@100": np.mean([r.per_user["recall@100"] for r in lucky], axis=0)},
    unit="people",
    seed=seed,
)
show.table(
    [
        {
            "drawn anew": report.unit,
            "how many": report.n_drawn("recall@100"),
            "Recall@100 of random lists": show.mean(report, "recall@100", 4),
        }
        for report in (of_draws, of_people)
    ]
)

# %% [markdown]
# One mean, two intervals, two questions: how the mean of forty lists would come out with forty other lists for the same people, and how with other people for the same lists. One single list differs far more, as single people do; and both intervals are
# narrower than that of section 1, where each person had one random list. Resample the unit that your claim is about: films where films were hidden, seeds where
# training is a matter of luck.
#
# ## 8 · What a result speaks for
#
# An interval covers chance. What it never covers are another model, other data, and somebody else's word.
#
# ### The model: how large is a large model?
#
# D2 asks for *billions* of parameters (参数) and names BERT as an example. So we count.

# %%
with torch.device("meta"):  # shapes without memory: nothing is downloaded
    bert_base = transformers.BertModel(transformers.BertConfig())
parameters = {
    name: sum(p.numel() for p in model.parameters())
    for name, model in [
        ("the course's encoder", encoder.model),
        ("BERT-base", bert_base),
    ]
}
published = {  # quoted, not measured
    "GPT-3": (175e9, "Brown et al. 2020"),
    "Llama 3.1": (405e9, "Llama Team 2024"),
    "DeepSeek-V3, all": (671e9, "DeepSeek-AI 2024"),
    "DeepSeek-V3, used for a token": (37e9, "DeepSeek-AI 2024"),
}

# %%
billion = 1e9
sizes_of = pd.DataFrame(
    [(name, count, "counted here") for name, count in parameters.items()]
    + [(name, count, source) for name, (count, source) in published.items()],
    columns=["model", "parameters", "source"],
).sort_values("parameters", kind="stable", ignore_index=True)
assert parameters["BERT-base"] < billion
ratio = published["DeepSeek-V3, all"][0] / parameters["the course's encoder"]

# %% tags=["hide-input"]
figure, axis = plt.subplots(figsize=(6.6, 2.6))
here = sizes_of.source == "counted here"
colours = np.where(here, show.PALETTE[1], show.PALETTE[0])
axis.barh(sizes_of.model, sizes_of.parameters, color=colours, height=0.5)
axis.axvline(billion, color="black", lw=1, ls="--")
axis.text(billion * 1.15, -0.35, "D2's line: billions", fontsize=9)
axis.set(xscale="log", xlim=(1e7, 2e12), xlabel="parameters (logarithmic)")
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
    caption="One step on this axis is a factor of ten. Orange: counted here; blue: published.",
)
show.say(
    "By D2's own line BERT-base is **not** a large model: a billion is {times} times as many. And between our encoder and the largest model here lies a factor of about {ratio}.",
    times=show.number(billion / parameters["BERT-base"], 2),
    ratio=f"{float(f'{ratio:.3g}'):,.0f}",
)

# %% [markdown]
# What can a small sentence encoder say about large models? It depends on the claim:
#
# | claim of the documents | a small encoder can … |
# |---|---|
# | formulas and code (D1 §4, D3 §4.1) | settle it: they do not depend on the size |
# | a text vector serves cold items (D5 §3.1) | support it: what a small one can do is possible |
# | language vectors beat behaviour for warm items (D1 §3.3) | test it *for itself*: a failure says nothing certain about a larger one |
# | cost, latency (延迟), memory (D1 §3.3) | give a lower bound: larger is not cheaper |
# | privacy, robustness, explanation (D1, D4, D5) | show the mechanism; the size of an effect may differ |
# | generating text, dialogue | nothing: it has no decoder |
#
# That is why each verdict on large models names the encoder, its size and the text that it read: *holds for*. A reader with a larger machine can
# put any encoder from the hub in its place: `TextEncoder("owner/name")`.

# %% tags=["hide-input"]
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

# %% [markdown]
# ### Somebody else's word: evidence and hearsay
#
# D2 and D3 name platforms that are said to use large models for recommendation, and give no source. *Evidence* here
# is a paper or an engineering report by the platform's own people; anything else is hearsay (传闻). *Language model?* asks whether a large language
# model takes part, according to that source; – means that we found no description of the system.


# %% tags=["hide-input"]
def table_of(text):
    """A table written with bars between its columns."""
    return pd.read_csv(
        StringIO(text), sep=r"\s*\|\s*", engine="python", dtype=str
    )


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

# %% tags=["hide-input"]
show.say(
    "Of {all} platforms, {documented} have described a system of their own in public, and for **{large}** of them, {names}, a source has a large language model take part in retrieval. "
    "What runs inside today may differ, and later publications may exist that we did not find: absence of evidence, not evidence of absence.",
    all=len(platforms),
    documented=int(documented.sum()),
    large=int(with_model.sum()),
    names=" and ".join(platforms.platform[with_model]),
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
# ### The data: which scenarios can ours stand for?
#
# A verdict is as wide as its data. MovieLens is about films, films that volunteers had seen, and rated when the site listed them.

# %% tags=["hide-input"]
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
mine = scenarios[scenarios["named in"].str.contains("D5")]
covered = mine["our data can speak for it"] != "no"

# %% tags=["hide-input"]
learn.verdict(
    "D4-11",
    parts={
        part: learn.Part(rule_D4_11(speaks[field]), f"{reasons[field]}.")
        for part, field in fields.items()
    },
    data="MovieLens, MIND, Gowalla: what they hold",
)
learn.verdict(
    "D5-18",
    rule_D5_18(covered.mean()),
    "Our data can speak, fully or in part, for {covered} of {named} scenarios: {with_ours}. Beyond them: {beyond}.",
    numbers={
        "covered": int(covered.sum()),
        "named": len(mine),
        "with_ours": "; ".join(mine.scenario[covered]),
        "beyond": "; ".join(mine.scenario[~covered]),
    },
    data="MovieLens, MIND, Gowalla: what they hold",
)

# %% [markdown]
# ## In three lines
#
# - A mean comes with an interval over what was drawn; a comparison is made in pairs, and many at once are corrected for their number.
# - *Clear* is not yet *large*, and zero inside is not yet *the same*: fix a margin, and say the half-width before you look.
# - Beyond chance there is scope: name the model, the data, the K and the source.
#
# ### Five questions

# %% tags=["quiz"]
learn.quiz(
    "01b",
    q1=...,  # a letter, such as "A"
    q2=...,
    q3=...,
    q4=...,
    q5=...,
    found={
        "neighbours": against["item neighbours"],
        "encoder_at_10": encoder_at_10,
        "wider": wider,
        "narrower": narrower,
        "alarms": false_alarms,
        "after_holm": after_holm,
    },
)

# %% [markdown]
# ## What to read
#
# - B. Efron, R. Tibshirani: *An Introduction to the Bootstrap*. Chapman & Hall 1993. Section 2. S. Holm: *A Simple Sequentially Rejective Multiple Test Procedure*. Scandinavian Journal of Statistics 6(2), 1979. Section 4.
# - D. Schuirmann: *A Comparison of the Two One-Sided Tests Procedure and the Power Approach for Assessing the Equivalence of Average Bioavailability*. Journal of Pharmacokinetics and Biopharmaceutics 15, 1987. Section 6; its test needs a narrower interval, so that ours is the stricter one.
#
# **The models of section 8**
# - J. Devlin et al.: *BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding*. NAACL 2019. W. Wang et al.: *MiniLM: Deep Self-Attention Distillation for Task-Agnostic Compression of Pre-Trained Transformers*. NeurIPS 2020.
# - T. Brown et al.: *Language Models are Few-Shot Learners*. NeurIPS 2020. Llama Team: *The Llama 3 Herd of Models*. arXiv:2407.21783, 2024. DeepSeek-AI: *DeepSeek-V3 Technical Report*. arXiv:2412.19437, 2024.
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
# **You can now** refuse an anecdote, and read every figure of this course. Chapter 02 takes the formula that D1 and D2 rank with and looks at it from all sides.
