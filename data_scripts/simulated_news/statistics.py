"""How near simulated news come to MIND: its statistics beside published ones."""

import tomllib
from pathlib import Path

import numpy as np
import pandas as pd

from course_lib.data import Impressions, News, load_mind
from course_lib.data.simulated_truth import Truth, load_simulated_truth
from course_lib.evaluate.lists import gini

_MIND_FIGURES = Path(__file__).with_name("mind_figures.toml")
_PLACES = (0, 1, 2, 5, 10, 20, 40)
_BLOCK = 20_000  # impressions held at once


def statistics(folder: Path) -> pd.DataFrame:
    """One row a statistic: statistic, simulated (float), MIND (float, missing where none is known), source.

    folder: holds train, dev and truth.npz. Shares are in 0…1, lengths in articles, clicks or words.
    """
    news, truth = (
        load_mind("simulated", train=folder / "train", dev=folder / "dev"),
        load_simulated_truth(folder),
    )
    with _MIND_FIGURES.open("rb") as file:
        published = tomllib.load(file)
    found = _of_log(news, truth) | _of_articles(news)
    unknown = set(published["figures"]) - set(found)
    if unknown:
        raise ValueError(
            f"mind_figures.toml names statistics that do not exist: {', '.join(sorted(unknown))}."
        )
    rows = []
    for statistic, value in found.items():
        figure = published["figures"].get(statistic, {"value": np.nan, "source": "not_found"})
        rows.append((statistic, value, figure["value"], published["sources"][figure["source"]]))
    return pd.DataFrame(rows, columns=["statistic", "simulated", "MIND", "source"])


def _of_log(news: News, truth: Truth) -> dict[str, float]:
    """Both parts taken together, as MIND's figures are, unless a name says otherwise."""
    lengths, clicks, histories, in_histories = [], [], {}, np.zeros(news.train.n_items, dtype=bool)
    counts = {part: np.stack(getattr(news, part).item_counts()) for part in ("train", "dev")}
    at_place = np.zeros((2, len(truth.examination)), dtype=np.int64)
    for part in counts:
        of_part = []
        for rows, impressions in _blocks(getattr(news, part)):
            _, clicked = impressions.lists()
            places = truth.positions(part, rows)
            for row, mark in enumerate((clicked >= 0, clicked == 1)):
                at_place[row] += np.bincount(places[mark], minlength=at_place.shape[1])
            lengths.append((clicked >= 0).sum(axis=1))
            clicks.append((clicked == 1).sum(axis=1))
            history = impressions.histories().matrix
            in_histories[history.indices] = True
            of_part.append(np.diff(history.indptr))
        histories[part] = np.concatenate(of_part)
    lengths, clicks, history = map(np.concatenate, (lengths, clicks, list(histories.values())))
    shown_on = {part: count[0] > 0 for part, count in counts.items()}
    shown, clicked = counts["train"] + counts["dev"]
    new_on_dev = shown_on["dev"] & ~shown_on["train"]
    of_shown = np.cumsum(shown > 0) - 1
    return {
        "articles shown in an impression, mean": lengths.mean(),
        "articles shown in an impression, median": np.median(lengths),
        "articles shown in an impression, 95th percentile": np.percentile(lengths, 95),
        "articles shown in an impression, most": lengths.max(),
        "clicks in an impression, mean": clicks.mean(),
        "clicks in an impression, 95th percentile": np.percentile(clicks, 95),
        "impressions with two clicks or more": (clicks > 1).mean(),
        "impressions without a click": (clicks == 0).mean(),
        "clicks per article shown": clicks.sum() / lengths.sum(),
        **{
            f"clicks per article shown at place {place}": np.divide(*at_place[::-1, place])
            for place in _PLACES
        },
        "history length, mean": history.mean(),
        "history length, median": np.median(history),
        "history length, 95th percentile": np.percentile(history, 95),
        "history length, most": history.max(),
        "impressions with an empty history, train": (histories["train"] == 0).mean(),
        "impressions with an empty history, dev": (histories["dev"] == 0).mean(),
        "articles first shown on the dev day, of those shown on it": new_on_dev.sum() / shown_on["dev"].sum(),
        "places of dev pages with an article first shown on that day": (
            counts["dev"][0][new_on_dev].sum() / counts["dev"][0].sum()
        ),
        "articles of histories that are never shown": (shown[in_histories] == 0).mean(),
        "Gini coefficient of clicks over shown articles": gini(
            np.repeat(of_shown, clicked)[None], int((shown > 0).sum())
        ),
        "clicks on the most clicked hundredth of shown articles": (
            np.sort(clicked)[-max((shown > 0).sum() // 100, 1) :].sum() / clicked.sum()
        ),
        "articles whose last click comes within two days after the first": _short_lived(news),
    }


def _blocks(impressions: Impressions):
    for first in range(0, len(impressions), _BLOCK):
        rows = np.arange(first, min(first + _BLOCK, len(impressions)))
        yield rows, impressions.select(rows)


def _short_lived(news: News) -> float:
    """Of articles that were first clicked after the first day and at least three days before the end."""
    clicks = [news.train.clicks(), news.dev.clicks()]
    items, seconds = (
        np.concatenate([getattr(one, key) for one in clicks]) for key in ("items", "timestamps")
    )
    first, last = np.full(news.train.n_items, seconds.max() + 1), np.zeros(news.train.n_items, np.int64)
    np.minimum.at(first, items, seconds)
    np.maximum.at(last, items, seconds)
    day = 86_400
    counted = (first >= seconds.min() + day) & (first <= seconds.max() - 3 * day)
    return float((last - first <= 2 * day)[counted].mean())


def _of_articles(news: News) -> dict[str, float]:
    rows = news.catalogue.rows
    category, abstracts = np.array(rows["category"]), list(rows["abstract"])
    entities = zip(rows["title_entities"], rows["abstract_entities"], strict=True)
    titles = list(rows["title"])
    return {
        "articles without an abstract": float(np.mean([not text for text in abstracts])),
        "articles with an entity": float(np.mean([bool(title or abstract) for title, abstract in entities])),
        "words in a title, mean": float(np.mean([len(text.split()) for text in titles])),
        "words in an abstract, mean": float(np.mean([len(text.split()) for text in abstracts if text])),
        "titles that another article has too": 1 - len(set(titles)) / len(titles),
        "articles of news and sports": float(np.isin(category, ("news", "sports")).mean()),
    }
