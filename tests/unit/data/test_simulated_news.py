"""The simulated news: the same bytes everywhere, MIND's format, and a log that agrees with the truth."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from course_lib.data import AssetMissing, DataError, load_mind, load_mind_entities, load_simulated_truth
from course_lib.data.simulated_truth import LOG_STARTS, turned
from course_lib.evaluate import compare, evaluate_impressions
from data_scripts import fetch
from data_scripts.assets import read_assets
from data_scripts.simulated_news.articles import DAY, HISTORY_DAYS, SUBCATEGORIES, write_text
from data_scripts.simulated_news.entities import FIRST_ID
from data_scripts.simulated_news.log import simulate
from data_scripts.simulated_news.statistics import statistics
from data_scripts.simulated_news.write import make_world, write_simulated_news

PARTS = ("train", "dev")
PINNED = {file.name: file.sha256 for file in read_assets()["simulated-news"].files}


def hashes(folder):
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Size 1, seed 0: what `data get simulated-news` makes."""
    made = tmp_path_factory.mktemp("simulated")
    write_simulated_news(made)
    return made


@pytest.fixture(scope="module")
def loaded(folder, tmp_path_factory):
    """(news, truth) of that folder, with a cache of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_DATA", str(tmp_path_factory.mktemp("cache")))
        yield load_mind(train=folder / "train", dev=folder / "dev"), load_simulated_truth(folder)


@pytest.fixture(scope="module")
def dev(loaded):
    """(shown, clicked) of the dev part."""
    return loaded[0].dev.lists()


def test_the_same_seed_gives_the_pinned_bytes(folder):
    assert hashes(folder) == PINNED


def test_another_process_without_vector_instructions_gives_them_too(tmp_path):
    script = "import sys, pathlib, data_scripts.simulated_news as news; news.make(pathlib.Path(sys.argv[1]))"
    slow = "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR AVX2 FMA3 X86_V3 X86_V4"
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, str(tmp_path)],
        env=os.environ | {"PYTHONHASHSEED": "7", "NPY_DISABLE_CPU_FEATURES": slow},
        cwd=Path(__file__).parents[3],
        check=True,
    )
    assert hashes(tmp_path) == PINNED


def test_another_seed_gives_other_news(tmp_path):
    for seed in (0, 1):
        write_simulated_news(tmp_path / str(seed), 0.02, seed)
    first, second = hashes(tmp_path / "0"), hashes(tmp_path / "1")
    assert first.keys() == second.keys() == PINNED.keys()
    assert not set(first.values()) & set(second.values())


def test_the_asset_is_made_without_a_network(cache, monkeypatch):
    monkeypatch.setattr("socket.socket.connect", None)
    said = []
    asset = read_assets()["simulated-news"]
    assert fetch.status(asset, offline=True).where == "this machine, made by data_scripts.simulated_news"
    fetch.fetch(asset, offline=True, say=said.append)
    assert len(said) == 1
    assert load_simulated_truth().positions("dev").shape[0] == len(load_mind("simulated").dev)


@given(size=st.sampled_from([0.01, 0.03, 0.06]), seed=st.integers(0, 1_000))
@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
def test_what_is_written_is_what_is_loaded(tmp_path_factory, monkeypatch, size, seed):
    folder = tmp_path_factory.mktemp("written")
    monkeypatch.setenv("COURSE_DATA", str(folder / "cache"))
    write_simulated_news(folder, size, seed)
    news, truth = load_mind(train=folder / "train", dev=folder / "dev"), load_simulated_truth(folder)
    entities, articles, readers, histories, model = make_world(size, seed)
    item_ids = np.array([f"N{number}" for number in articles.numbers])
    user_ids = np.array([f"U{number}" for number in readers.numbers])
    blocks = {part: [] for part in PARTS}
    for day, block in simulate(size, seed, model, readers, histories, articles):
        blocks["dev" if day == 6 else "train"].append(block)

    for part in PARTS:
        got = getattr(news, part)
        of = {
            key: np.concatenate([getattr(block, key) for block in blocks[part]])
            for key in blocks[part][0]._fields
        }
        shown, clicked = got.lists()
        there = shown >= 0
        assert np.array_equal(got.user_ids[got.users], user_ids[of["users"]])
        assert np.array_equal(got.times, LOG_STARTS + of["seconds"].astype("timedelta64[s]"))
        assert np.array_equal(got.item_ids[shown[there]], item_ids[of["items"]])
        assert np.array_equal(clicked[there], of["clicked"])
        assert np.array_equal(there.sum(axis=1), of["lengths"])
        for row, user in zip(got.rows["history"], of["users"], strict=True):
            written = histories.items[histories.ends[user] : histories.ends[user + 1]]
            assert got.item_ids[row].tolist() == item_ids[written].tolist()
        assert np.array_equal(truth.positions(part)[there], of["places"])
        assert np.array_equal(truth.randomised(part), of["randomised"])
        assert np.array_equal(
            truth.attraction(part, shown)[there],
            model.attraction(
                np.repeat(of["users"], of["lengths"]),
                np.repeat(of["seconds"], of["lengths"]),
                of["items"][:, None],
            )[:, 0],
        )

    position = {item: place for place, item in enumerate(item_ids)}
    for row in news.catalogue.rows:
        article = position[row["item_id"]]
        text = write_text(articles, entities, article)
        assert (row["title"], row["abstract"]) == (text.title, text.abstract)
        assert (row["category"], row["subcategory"]) == SUBCATEGORIES[articles.subcategory[article]]
        for column, mentions in (("title", text.title_mentions), ("abstract", text.abstract_mentions)):
            assert row[f"{column}_entities"] == [entities.ids[entity] for entity, _ in mentions]


def test_the_files_follow_minds_format(folder):
    for part in PARTS:
        articles = [line.split("\t") for line in lines(folder / part / "news.tsv")]
        assert all(len(columns) == 8 for columns in articles)
        for columns in articles:
            for text, cell in ((columns[3], columns[6]), (columns[4], columns[7])):
                for entity in json.loads(cell):
                    start = entity["OccurrenceOffsets"][0]
                    assert text[start:].startswith(entity["SurfaceForms"][0])
                    assert int(entity["WikidataId"][1:]) >= FIRST_ID
        ids = {columns[0] for columns in articles}
        for number, line in enumerate(lines(folder / part / "behaviors.tsv"), start=1):
            impression, _, _, history, shown = line.split("\t")
            assert impression == str(number)
            shown = [item.split("-") for item in shown.split(" ")]
            assert "1" in {label for _, label in shown}
            assert {item for item, _ in shown} | set(history.split()) <= ids


def lines(path):
    return path.read_text(encoding="utf-8").splitlines()


def test_vectors_lie_near_those_of_their_topic(folder, loaded):
    ids, vectors = load_mind_entities(train=folder / "train", dev=folder / "dev")
    assert vectors.shape[1] == 100
    catalogue = loaded[0].catalogue.rows
    home = {}
    for category, named in zip(catalogue["category"], catalogue["title_entities"], strict=True):
        for entity in named[:1]:
            home.setdefault(entity, set()).add(category)
    known = [place for place, entity in enumerate(ids) if len(home.get(entity, ())) == 1]
    category = np.array([next(iter(home[ids[place]])) for place in known])
    directions = vectors[known] / np.linalg.norm(vectors[known], axis=1, keepdims=True)
    cosine = directions @ directions.T
    same = category[:, None] == category
    np.fill_diagonal(same, False)
    assert cosine[same].mean() > 0.3 > 0.1 > cosine[category[:, None] != category].mean()


@pytest.mark.parametrize("part", PARTS)
def test_clicks_by_place_and_by_attraction_agree_with_the_truth(loaded, part):
    news, truth = loaded
    shown, clicked = getattr(news, part).lists()
    chance, places = truth.click_probability(part, shown), truth.positions(part)
    there = shown >= 0
    by_attraction = np.searchsorted(
        np.quantile(truth.attraction(part, shown)[there], np.linspace(0.05, 0.95, 19)),
        truth.attraction(part, shown),
    )
    for groups in (places, by_attraction):
        for group in range(40 if groups is places else 20):
            chosen = there & (groups == group)
            expected, spread = chance[chosen].sum(), np.sqrt((chance * (1 - chance))[chosen].sum())
            assert abs((clicked[chosen] == 1).sum() - expected) < 4 * spread, group
    # And the two groupings are worth looking at: both matter.
    rate = [(clicked[there & (places == place)] == 1).mean() for place in (0, 5, 20)]
    assert rate[0] > 2 * rate[1] > 4 * rate[2]


def test_the_order_is_random_where_the_truth_says_so(loaded, dev):
    _, truth = loaded
    shown, _ = dev
    randomised, places = truth.randomised("dev"), truth.positions("dev")
    assert 0.07 < randomised.mean() < 0.13
    attraction = truth.attraction("dev", shown)
    ties = [
        np.corrcoef(places[row, shown[row] >= 0], attraction[row, shown[row] >= 0])[0, 1]
        for row in np.flatnonzero((shown >= 0).sum(axis=1) > 5)
    ]
    kept = randomised[(shown >= 0).sum(axis=1) > 5]
    ties = np.array(ties)
    assert abs(ties[kept].mean()) < 3 * ties[kept].std() / np.sqrt(kept.sum())
    assert ties[~kept].mean() < -0.05


def test_the_places_of_a_page_are_complete(loaded, dev):
    shown, _ = dev
    for row, places in enumerate(loaded[1].positions("dev")[:200]):
        length = (shown[row] >= 0).sum()
        assert sorted(places[:length]) == list(range(length))
        assert (places[length:] == -1).all()
    rows = np.array([7, 3])
    some = loaded[1].positions("dev", rows)
    assert np.array_equal(some, loaded[1].positions("dev")[rows][:, : some.shape[1]])


def test_the_truth_beats_every_simple_ranker_and_shuffled_clicks_are_chance(loaded, dev):
    news, truth = loaded
    shown, clicked = dev
    users = news.dev.users
    views, clicks = news.train.item_counts()
    names, category = np.unique(news.catalogue.rows["category"], return_inverse=True)
    profile = news.dev.histories().matrix @ np.eye(len(names))[category]
    scores = {
        "truth": truth.attraction("dev", shown),
        "popularity": clicks[shown].astype(float),
        "click rate": (clicks[shown] + 1) / (views[shown] + 25),
        "categories of the history": np.take_along_axis(profile, category[shown], axis=1),
    }
    reports = {
        name: evaluate_impressions(shown, values, clicked, users, metrics=["auc"])
        for name, values in scores.items()
    }
    assert reports["truth"].mean("auc") > 0.78
    for name in list(scores)[1:]:
        difference = compare(reports["truth"], reports[name], "auc")
        assert difference.interval[0] > 0.1, name
    assert 0.45 < reports["popularity"].mean("auc") < 0.57
    assert 0.56 < reports["categories of the history"].mean("auc") < 0.66

    rng = np.random.default_rng(0)
    order = np.argsort(np.where(shown >= 0, rng.random(shown.shape), 2), axis=1)
    shuffled = np.take_along_axis(clicked, order, axis=1)
    low, high = evaluate_impressions(shown, scores["truth"], shuffled, users, metrics=["auc"]).interval("auc")
    assert low < 0.5 < high


def test_interests_turn_and_recent_history_tells_more(loaded):
    news, truth = loaded
    model = truth.model

    def interests(day):
        cosine, sine = turned(np.array(day * DAY))
        return cosine * model.start + sine * model.end

    def alike(first, second):
        return np.corrcoef(interests(first).ravel(), interests(second).ravel())[0, 1]

    assert alike(-HISTORY_DAYS, 6.5) < alike(-7, 6.5) - 0.2
    assert alike(0, 6.5) < 0.99
    assert np.isclose(interests(-HISTORY_DAYS).std(), interests(6.5).std(), rtol=0.03)

    # A reader's last clicks before the log lie nearer to the interests in the log than the first ones.
    users, rows = np.unique(news.dev.users, return_index=True)
    histories = list(news.dev.select(rows).rows["history"])
    long = [place for place, history in enumerate(histories) if len(history) >= 20]
    later = interests(6.5)
    first, last = (
        np.mean([later[users[place], model.subcategory[histories[place][end]]].mean() for place in long])
        for end in (slice(0, 5), slice(-5, None))
    )
    assert last > first + 0.1


def test_articles_fade(loaded):
    news, truth = loaded
    item = np.argsort(truth.model.published)[-800:]
    users, seconds = np.zeros(len(item), np.int64), truth.model.published[item].astype(np.int64)
    fresh = truth.model.attraction(users, seconds, item[:, None])
    old = truth.model.attraction(users, seconds + 2 * DAY, item[:, None])
    assert old.mean() < 0.9 * fresh.mean()
    age = []
    for part in PARTS:
        shown, clicked = getattr(news, part).lists()
        row, column = np.nonzero(clicked == 1)
        seconds = (getattr(news, part).times - LOG_STARTS).astype(np.int64)
        age.append(seconds[row] - truth.model.published[shown[row, column]])
    age = np.concatenate(age)
    assert (age >= 0).all()
    assert (age < 2 * DAY).mean() > 0.8
    # Nothing is shown before it is out.
    assert truth.published("dev", news.dev.lists()[0]).sum() == (news.dev.lists()[0] >= 0).sum()


def test_statistics_are_near_minds(folder, loaded):
    table = statistics(folder).set_index("statistic")
    near = {
        "articles shown in an impression, median": 0.15,
        "articles shown in an impression, mean": 0.15,
        "clicks in an impression, mean": 0.1,
        "clicks per article shown": 0.15,
        "impressions with two clicks or more": 0.2,
        "history length, mean": 0.2,
        "history length, median": 0.2,
        "articles first shown on the dev day, of those shown on it": 0.2,
        "articles without an abstract": 0.25,
        "articles of news and sports": 0.1,
        "words in a title, mean": 0.1,
        "words in an abstract, mean": 0.15,
    }
    for statistic, share in near.items():
        simulated, mind = table.loc[statistic, ["simulated", "MIND"]]
        assert abs(simulated - mind) < share * mind, statistic
    assert table.loc["impressions without a click", "simulated"] == 0
    assert table.loc["titles that another article has too", "simulated"] < 0.01
    assert table["source"].notna().all()


def test_the_command_makes_a_folder_and_prints_the_statistics(tmp_path):
    command = ["-m", "data_scripts.simulated_news", str(tmp_path / "made"), "--size", "0.02", "--seed", "3"]
    done = subprocess.run(
        [sys.executable, *command],
        env=os.environ | {"COURSE_DATA": str(tmp_path / "cache")},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    assert hashes(tmp_path / "made").keys() == PINNED.keys()
    assert "clicks per article shown at place 0" in done.stdout
    assert "cannot be known: MIND's lists are shuffled" in done.stdout


def test_a_truth_of_other_news_is_refused(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "cache"))
    write_simulated_news(tmp_path, 0.02, 5)
    (tmp_path / "truth.npz").write_bytes((folder / "truth.npz").read_bytes())
    with pytest.raises(DataError, match="belongs to other news"):
        load_simulated_truth(tmp_path)
    (tmp_path / "truth.npz").unlink()
    with pytest.raises(AssetMissing, match=r"python -m data_scripts\.simulated_news"):
        load_simulated_truth(tmp_path)


def test_attraction_wants_a_row_for_each_impression(loaded, dev):
    truth, rows = loaded[1], np.array([5, 2])
    with pytest.raises(ValueError, match="one row"):
        truth.attraction("dev", dev[0][:3])
    with pytest.raises(ValueError, match="one row"):
        truth.attraction("dev", dev[0][0])
    some = truth.attraction("dev", dev[0][rows], rows)
    assert np.array_equal(some, truth.attraction("dev", dev[0])[rows])
