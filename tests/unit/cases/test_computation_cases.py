"""Outside cases of computation: inputs that somebody met (tests/cases/), then every place of their kind."""

import copy
import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch

from course_lib import arguments, show
from course_lib.data import Catalogue, Interactions, Split
from course_lib.evaluate import (
    Report,
    auc,
    bootstrap_interval,
    compare,
    evaluate,
    evaluate_impressions,
    holm,
    inverse_propensity_rate,
    lists,
    permutation_p_value,
    side_by_side,
)
from course_lib.privacy import (
    FederatedFactors,
    LocalPopularity,
    PrivateAutoencoder,
    PrivatePopularity,
    PrivateSVD,
    TooFewClients,
    accountant_epsilon,
    additive_shares,
    from_ring,
    gaussian_epsilon,
    groups_of_at_least,
    judge_attack,
    laplace_mechanism,
    likelihood_ratios,
    limit_contributions,
    noise_multiplier,
    publish_groups,
    randomized_response,
    secure_sum,
    shamir_secret,
    shamir_shares,
    share_of_true,
    to_ring,
    watched_in,
)
from course_lib.retrieve import (
    ALS,
    BPR,
    EASE,
    Candidates,
    FeatureRetriever,
    Hybrid,
    ItemKNN,
    KeywordRetriever,
    Popularity,
    Random,
    TextRetriever,
    UserKNN,
    genre_features,
    recency_histories,
    tfidf_features,
)
from course_lib.robustness import (
    InjectedEASE,
    InjectedUserKNN,
    UserWeightedEASE,
    fake_profiles,
    hit_rate,
    optimised_profiles,
    profile_features,
    swap_letters,
    with_false_edges,
    with_profiles,
    with_wrong_items,
    without_entries,
    without_events,
)
from course_lib.similarity import MEASURES, cosine, dot, euclidean, in_reach, normalize, top_k
from course_lib.tune import tune

CASES = Path(__file__).parents[2] / "cases"
NAN, INF = float("nan"), float("inf")
RNG = np.random.default_rng
HALF = "cut in the middle of an emoji \ud83d"


def case(name):
    return json.loads((CASES / name).read_text())


def interactions(rows):
    """Of a 0/1 table, users × items."""
    rows = np.asarray(rows)
    users, items = np.nonzero(rows)
    times = np.arange(len(users), dtype=np.int64)
    names = (np.arange(n).astype(str) for n in rows.shape)
    return Interactions(users.astype(np.int64), items.astype(np.int64), None, times, *names, "toy")


def catalogue(titles, genres=None):
    genres = genres or [["Drama"]] * len(titles)
    frame = pd.DataFrame({"item_id": list(map(str, range(len(titles)))), "title": titles, "genres": genres})
    return Catalogue.from_frame(frame, name="films", source="films.csv")


@pytest.fixture(scope="module")
def train():
    rows = (RNG(3).random((24, 15)) < 0.4).astype(int)
    rows[:, 0] = 1
    rows[:5, 0] = 0
    return interactions(rows)


@pytest.fixture
def shown(monkeypatch):
    outputs = []
    monkeypatch.setattr(
        "course_lib.show.outputs.display", lambda data, *, raw, metadata=None: outputs.append(data)
    )
    return outputs


# --- The cases themselves


def test_02_a_difference_that_is_missing_is_no_evidence():
    differences = np.array(case("02_differences_with_nan.json")["differences"], dtype=float)
    for test in (permutation_p_value, bootstrap_interval):
        with pytest.raises(ValueError, match=r"rows 2, 6 \(2 of 10\); leave out users without a value"):
            test(differences)
    assert permutation_p_value(differences[~np.isnan(differences)]) == 1


def test_03_a_perfect_attack_is_perfect_whatever_type_members_have():
    attack = case("03_attack.json")
    for dtype in (bool, int, np.uint8, np.int8, float):
        judged = judge_attack(np.array(attack["scores"]), np.array(attack["members"]).astype(dtype))
        assert (judged.auc, judged.tpr) == (1, 1)
        assert judged.interval("auc") == (1, 1)  # six users: some draws hold members only


def test_05_the_nearest_item_is_nearest_however_short_it_is():
    vectors = case("05_tiny_vector.json")
    queries, items = np.array(vectors["queries"]), np.array(vectors["items"])
    ids, scores = top_k(queries, items, vectors["k"])
    assert ids.tolist() == [[int(cosine(queries, items).argmax())]] == [[0]]
    assert scores.tolist() == [[1.0]]


def test_07_unsigned_relevance_and_stored_zeros():
    stored = case("07_relevance_uint8.json")
    for dtype in (stored["dtype"], "int8", "uint64", "float32", "float64"):
        relevant = sp.csr_array(
            (np.array(stored["data"], dtype), np.array(stored["indices"]), np.array(stored["indptr"])),
            shape=stored["shape"],
        )
        report = evaluate(Candidates([stored["list"]], [[1.0, 0.0]]), relevant, [stored["metric"]])
        assert report.per_user[stored["metric"]] == pytest.approx([1])


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """A small BERT with random weights, and words, marks and special tokens that it knows."""
    transformers = pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("tiny-bert")
    known = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        *["a", "fine", "text", "toy", "story", "night", "train"],
    ]
    (folder / "vocab.txt").write_text("\n".join(known))
    transformers.BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=len(known),
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
        max_position_embeddings=32,
    )
    transformers.BertModel(config).save_pretrained(folder)
    return lambda **settings: _encoder(folder, **settings)


def _encoder(folder, **settings):
    from course_lib.encode import TextEncoder

    return TextEncoder(folder, max_tokens=32, **settings)


def test_08_half_a_character_is_named_with_its_position(encoder):
    texts = case("08_half_characters.json")
    with pytest.raises(ValueError, match=f"the text at position {texts['row']} holds half a character"):
        encoder().encode(texts["texts"], cache=False)


def test_12_privacy_parameters_are_refused_by_name():
    asked = case("12_privacy_parameters.json")
    for row in asked["noise_multiplier"]:
        with pytest.raises(ValueError, match=r"^(epsilon|delta) must be .*, got"):
            noise_multiplier(float(row["epsilon"]), float(row["delta"]))
    for row in asked["accountant_epsilon"]:
        with pytest.raises(ValueError, match=r"^(multiplier|delta) .*(got|too small)"):
            accountant_epsilon(float(row["multiplier"]), float(row["delta"]))


def test_24_a_catalogue_of_stop_words_fits_and_finds_nothing():
    titles = pd.read_csv(CASES / "24_titles_of_stop_words.csv")
    films = Catalogue.from_frame(titles, name="films", source="films.csv")
    retriever = KeywordRetriever(("title",)).fit(interactions([[1, 1, 1]]), films)
    assert (retriever.search(["It", "something else"], 2).ids == -1).all()
    assert (retriever.retrieve(np.array([0]), 2, exclude_seen=False).ids == -1).all()


@pytest.mark.parametrize("normalize", [True, False])
def test_28_special_tokens_alone_are_no_text(encoder, normalize):
    special = case("28_special_tokens.json")
    words = encoder(pooling=special["pooling"], normalize=normalize)
    for place, text in enumerate(special["texts"]):
        texts = ["a toy"] * place + [text]
        with pytest.raises(ValueError, match=f"the text at position {place}, .* is special tokens alone"):
            words.encode(texts, cache=False)
    assert np.isfinite(words.encode(["a [SEP]", "what is this"], cache=False)).all()
    assert np.isfinite(encoder().encode(special["texts"], cache=False)).all()  # has a vector of its own


def test_32_play_counts_are_no_grades():
    plays = case("32_play_counts.json")
    listed = Candidates(np.array(plays["lists"]), np.array([[1.0, 0]] * 3))
    relevant = sp.csr_array(np.array(plays["relevance"], np.float32))
    with pytest.raises(ValueError, match=r"goes up to 3000 \(row 0\), and the limit is 31"):
        evaluate(listed, relevant, [plays["metric"]])
    assert evaluate(listed, relevant, ["ndcg_linear@2"]).per_user["ndcg_linear@2"] == pytest.approx([1, 1, 1])
    steep = sp.csr_array(np.array([[31, 5], [0, 31], [30, 31]], np.int64))
    values = evaluate(listed, steep, [plays["metric"]]).per_user[plays["metric"]]
    assert ((values >= 0) & (values <= 1)).all()


def test_33_a_secure_sum_does_not_wrap():
    with pytest.raises(ValueError, match=r"below 2\*\*31/3"):
        secure_sum([np.full(1, 1.5e9)] * 3, 2)
    assert secure_sum([np.full(1, 7e8)] * 3, 2).total == pytest.approx(2.1e9)
    assert secure_sum([[-7e8]] * 3, 2, dropped=[1]).total == pytest.approx(-1.4e9)


@pytest.mark.parametrize("neighbours", [1, 2, 3, 5, 100])
def test_34_with_few_users_fewer_vote_as_in_a_new_fit(neighbours):
    rows = np.array([[1, 1, 0, 0], [1, 0, 1, 0], [0, 1, 1, 1]])
    fakes = np.array([[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 0, 1]])  # the first is the double of user 0
    for some in (fakes, fakes[:1], fakes[:0], fakes.astype(bool), fakes.astype(np.uint8)):
        injected = InjectedUserKNN(interactions(rows), neighbours).scores(some)
        anew = UserKNN(neighbours).fit(with_profiles(interactions(rows), some))
        expected = anew.score(np.arange(3), np.tile(np.arange(4), (3, 1)))
        expected[rows == 1] = -np.inf
        assert injected == pytest.approx(expected, abs=1e-6)


def test_35_a_missing_number_is_a_dash(shown):
    show.table(pd.DataFrame({"a": pd.array([1.5, None], dtype="Float64")}))
    assert shown[0]["text/plain"].split() == ["a", "1.50", "–"]


# --- NaN, which compares as False, and infinity

VALUES = np.array([0.1, 0.2, -0.3, 0.4])


@pytest.mark.parametrize("bad", [NAN, INF, -INF, None, "x", pd.NA])
@pytest.mark.parametrize(
    "use",
    [
        permutation_p_value,
        bootstrap_interval,
        lambda v: bootstrap_interval(v, groups=np.arange(len(v))),
        holm,
    ],
    ids=["permutation", "bootstrap", "groups", "holm"],
)
def test_values_of_users_are_finite(use, bad):
    with pytest.raises(ValueError, match=r"\w"):
        use([*np.abs(VALUES), bad])


def test_too_large_for_a_sum_and_other_shapes():
    for use in (permutation_p_value, bootstrap_interval):
        with pytest.raises(ValueError, match="beyond float64"):
            use(np.full(4, 1.5e308))
        with pytest.raises(ValueError, match="1 dimension"):
            use(np.ones((3, 2)))
    with pytest.raises(ValueError, match="empty"):
        permutation_p_value([])
    assert permutation_p_value(np.array([True, False, True, True]), 99) <= 1  # a bool is a number here


@pytest.mark.parametrize("level", [0, 1, NAN, 95, "0.95", None])
def test_a_level_is_a_share(level):
    with pytest.raises(ValueError, match="level must be above 0 and below 1"):
        bootstrap_interval(VALUES, level)


@pytest.mark.parametrize("number", [0, -1, 2.5, NAN, True, "9", None])
def test_numbers_of_draws_are_whole(number):
    with pytest.raises(ValueError, match="permutations must be a whole number from 1"):
        permutation_p_value(VALUES, number)
    with pytest.raises(ValueError, match="resamples must be a whole number from 1"):
        bootstrap_interval(VALUES, resamples=number)


def test_compare_leaves_out_who_has_no_value_in_both_and_refuses_infinity():
    def of(values, **more):
        return Report({"ndcg@1": np.array(values)}, {}, len(values), 0, **more)

    found = compare(of([0.5, NAN, 1.0]), of([0.25, NAN, 0.5]), "ndcg@1")
    assert (found.n_users, found.difference) == (2, 0.375)
    with pytest.raises(ValueError, match="different users"):
        compare(of([0.5, NAN, 1.0]), of([0.25, 1.0, NAN]), "ndcg@1")
    with pytest.raises(ValueError, match=r"infinite in row 1 \(1 of 2\)"):
        of([0.0, INF])
    for groups in ([0.0, 1.0], [0, NAN], [0], "ab"):
        with pytest.raises(ValueError, match="groups must be one integer"):
            of([0.5, 1.0], groups=groups)
    assert (
        compare(of([0.5, 1.0, 0.0], groups=[0, 0, 1]), of([0.0] * 3, groups=[0, 0, 1]), "ndcg@1").n_users == 3
    )
    with pytest.raises(ValueError, match="one name"):
        compare(of([0.5]), of([0.5]), ["ndcg@1"])
    with pytest.raises(ValueError, match="no interval"):
        show.forest_plot({"alone": compare(of([0.5]), of([0.25]), "ndcg@1")})


@pytest.mark.parametrize("bad", [NAN, INF])
def test_other_doors_for_numbers_refuse_nan(bad, train):
    table = np.ones((3, 2))
    table[1, 0] = bad
    for use in (
        lambda: groups_of_at_least(1, table),
        lambda: watched_in(table, np.ones((3, 2))),
        lambda: watched_in(np.ones((3, 2)), table),
        lambda: likelihood_ratios(np.vstack([table] * 3), np.zeros((9, 2))),
        lambda: laplace_mechanism(table, 1, 1, RNG(0)),
        lambda: UserWeightedEASE(1.0, [1.0, bad]),
        lambda: UserWeightedEASE(1.0, [1.0, 1e-60]),
        lambda: FeatureRetriever(np.where(np.arange(15)[:, None] == 3, bad, np.ones((15, 2))), "f").fit(
            train
        ),
        lambda: FeatureRetriever(sp.csr_array(np.full((15, 2), bad)), "f").fit(train),
        lambda: Candidates(np.array([[0, 1]]), np.array([[bad, 0]])),
        lambda: Candidates.from_item_scores(np.array([[0, 1]]), np.array([[bad, 0]])),
        lambda: Candidates.from_catalogue_scores(np.array([[bad, 0]]), 1),
        lambda: auc(np.array([[bad, 0]]), np.array([[1, 0]])),
        lambda: fake_profiles("random", 0, 1, 2, [1, bad, 3], RNG(0)),
        lambda: to_ring(table),
        lambda: evaluate(Candidates([[0]], [[1.0]]), np.array([[bad, 1.0]]), ["recall@1"]),
        lambda: inverse_propensity_rate(np.array([[0]]), np.array([[1]]), np.array([[bad]]), 1),
    ):
        with pytest.raises(ValueError, match=r"\w"):
            use()
    for measure in (
        normalize,
        *(lambda x, f=f: f(x, x) for f in (cosine, dot, euclidean)),
        lambda x: top_k(x, x, 1),
    ):
        with pytest.raises(ValueError, match="NaN or infinity, first in row 1"):
            measure(table)
    with pytest.raises(ValueError, match="NaN"):
        hit_rate(np.full((2, 2), NAN), np.zeros((2, 2), bool), 0)


# --- ~ and minus on 0/1 and unsigned numbers


def as_types(marks):
    return [
        np.asarray(marks).astype(dtype) for dtype in (bool, int, np.int8, np.uint8, np.uint64, float, object)
    ]


def test_masks_of_every_type_mean_the_same(train):
    answers = RNG(0).normal(size=(8, 4))
    members = np.tile([[1, 0], [0, 1]], (4, 2))
    seen = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]])
    scores = np.array([[0.1, 0.9, 0.2], [0.3, 0.1, 0.2], [0.5, 0.1, 0.2]])
    expected = [
        (lambda m: likelihood_ratios(answers, m), members),
        (lambda m: judge_attack(answers, m, resamples=5).auc, members),
        (lambda m: hit_rate(scores, m, 2, 1), seen),
        (lambda m: randomized_response(m, 1.0, RNG(0)), members),
        (lambda m: share_of_true(m, 1.0), members[0]),
        (lambda m: InjectedEASE(train, 1.0).scores(m), np.eye(2, 15, dtype=int)),
        (lambda m: with_profiles(train, m).matrix.toarray(), np.eye(2, 15, dtype=int)),
    ]
    for use, marks in expected:
        right, *others = [np.asarray(use(m)) for m in as_types(marks)]
        assert all(np.array_equal(right, other) for other in others)


@pytest.mark.parametrize("wrong", [2, -1, 0.5, NAN, None, "1", pd.NA])
def test_what_is_no_mask_is_refused(wrong, train):
    marks = np.array([[1, 0, wrong]], dtype=object)
    for use in (
        lambda: judge_attack(np.ones((1, 3)), marks),
        lambda: likelihood_ratios(np.ones((1, 3)), marks),
        lambda: hit_rate(np.ones((1, 3)), marks, 0),
        lambda: randomized_response(marks, 1.0, RNG(0)),
        lambda: share_of_true(marks, 1.0),
        lambda: with_profiles(interactions([[1, 1, 1]]), marks),
        lambda: InjectedEASE(interactions([[1, 1, 1]]), 1.0).scores(marks),
        lambda: InjectedUserKNN(interactions([[1, 1, 1]]), 1).scores(marks),
    ):
        with pytest.raises(ValueError, match="must be bool, or 0 and 1"):
            use()


def test_unsigned_numbers_sort_as_others_do():
    counts = np.array([0, 3, 250, 7, 0, 255])
    for dtype in (np.uint8, np.uint64, np.int16, float):
        typed = counts.astype(dtype)
        hot = fake_profiles("bandwagon", 0, 3, 4, typed, RNG(0))
        assert hot[:, [2, 5]].all()
        assert lists.novelty(np.array([[5, 2]]), typed, 300) == pytest.approx(
            lists.novelty(np.array([[5, 2]]), counts, 300)
        )
        scores = np.array([[0, 3, 1]]).astype(dtype)
        assert Candidates.from_item_scores(np.array([[4, 5, 6]]), scores).ids.tolist() == [[5, 6, 4]]
        shown = evaluate_impressions(np.array([[4, 5, 6]]), scores, np.array([[0, 1, 0]]), np.array([0]))
        assert {name: values.tolist() for name, values in shown.per_user.items()} == {
            "auc": [1], "mrr": [1], "ndcg@5": [1], "ndcg@10": [1]
        }  # fmt: skip
        judged = judge_attack(scores, np.array([[0, 1, 0]]))
        assert judged.auc == 1
        people = groups_of_at_least(2, np.array([[-100], [100], [-99], [99]]).astype(np.int8))
        assert people[0] == people[2] != people[1] == people[3]


def test_unsigned_times_and_weights_keep_their_order(encoder):
    order = Interactions(
        np.zeros(3, np.int64), np.arange(3), None, np.array([0, 9, 5], np.uint32), ["u"], ["a", "b", "c"], "t"
    )
    weights = recency_histories(order).toarray()[0]
    assert weights.argsort().tolist() == [0, 2, 1]
    texts = TextRetriever(encoder(), ("title",), user="text", recent=1)
    texts.fit(order, catalogue(["toy", "story", "train"]))
    assert texts.history_text(order.histories(), 0) == texts._item_texts[1]


def test_weights_of_every_type_are_relevance_and_history(train):
    listed = Popularity().fit(train).retrieve(np.arange(4), 5, exclude_seen=False)
    relevant = train.matrix[:4] * 2
    names = ["recall@5", "ndcg_linear@5", "ndcg_exponential@5"]
    right = evaluate(listed, relevant, names)
    ease = EASE(5.0).fit(train)
    for dtype in (np.uint8, np.int8, np.uint64, np.int64, np.float64):
        typed = relevant.astype(dtype)
        found = evaluate(listed, typed, names)
        assert all(np.array_equal(found.per_user[n], right.per_user[n], equal_nan=True) for n in names)
        assert np.array_equal(ease.retrieve(typed, 3).ids, ease.retrieve(relevant, 3).ids)
    assert evaluate(listed, relevant.astype(bool), ["ndcg_linear@5"]).mean("ndcg_linear@5") > 0
    for wrong in (relevant.astype(complex), -relevant):
        with pytest.raises(ValueError, match="stored value"):
            evaluate(listed, wrong, names)


def test_ids_that_int64_does_not_hold_are_no_pads():
    for ids in (np.array([[2**64 - 1]], np.uint64), np.array([[True]]), np.array([[0.0]]), np.array([[-5]])):
        with pytest.raises(ValueError, match="id"):
            Candidates(ids, np.array([[1.0]]))
        with pytest.raises(ValueError, match="id"):
            Candidates.from_item_scores(ids, np.array([[1.0]]))
    with pytest.raises(ValueError, match="float32"):
        Candidates.from_item_scores(np.array([[0, 1]]), np.array([[-1e300, 1.0]]))


# --- Lengths: no epsilon decides what is a vector

LENGTHS = (
    1e-300,
    1e-200,
    1e-50,
    1e-38,
    1e-30,
    1e-20,
    1e-13,
    1e-7,
    1.0,
    1e7,
    1e15,
    1e25,
    1e30,
    1e38,
    1e200,
    1e300,
)


@pytest.mark.parametrize("many", [12, 4_000])
@pytest.mark.parametrize("method", ["exact", "faiss_flat"])
def test_cosines_of_vectors_of_any_length(many, method):
    directions = RNG(0).normal(size=(many, 8))
    factor = RNG(1).choice(LENGTHS, size=(many, 1))
    ids, scores = top_k(directions[:9] / 3, directions * factor, 1, method=method)
    assert ids.ravel().tolist() == list(range(9))
    assert scores == pytest.approx(np.ones((9, 1)), abs=1e-6)
    assert cosine(directions[:9], directions * factor) == pytest.approx(
        cosine(directions[:9], directions), abs=2e-7
    )
    assert normalize(directions * factor) == pytest.approx(normalize(directions), abs=2e-7)


@pytest.mark.parametrize("length", [1e-30, 1e-25, 1e-19, 1e-7, 1.0, 1e17])
@pytest.mark.parametrize("measure", MEASURES)
def test_exact_search_is_that_of_float64(measure, length):
    items = (RNG(0).normal(size=(3_000, 6)) * length).astype(np.float32)
    queries = (RNG(1).normal(size=(5, 6)) * length).astype(np.float32)
    scores = {"cosine": cosine, "dot": dot, "euclidean": lambda a, b: -euclidean(a, b)}[measure](
        queries, items
    )
    order = np.argsort(-scores, axis=1, kind="stable")[:, :10]
    ids, found = top_k(queries, items, 10, measure=measure)
    assert np.array_equal(ids, order)
    assert np.array_equal(found, np.take_along_axis(scores, order, axis=1))


def test_zero_vectors_stay_zero_and_inputs_are_not_changed():
    given = np.array([[0, 0], [1e-30, 0], [3, 4]], np.float32)
    kept = given.copy()
    assert cosine(given, given).tolist() == [[0, 0, 0], [0, 1, np.float32(0.6)], [0, np.float32(0.6), 1]]
    assert normalize(given)[:2].tolist() == [[0, 0], [1, 0]]
    top_k(given, given, 1)
    assert in_reach(given)[0].tolist() == [0, 0]
    assert np.array_equal(given, kept)


def test_results_beyond_float32_are_refused():
    long = np.full((2, 3), 1e30)
    with pytest.raises(ValueError, match="too long for dot"):
        dot(long, long)
    with pytest.raises(ValueError, match="too long for euclidean"):
        euclidean(long * 1e9, long)
    with pytest.raises(ValueError, match="too long for dot"):
        top_k(long, long, 1, measure="dot")
    assert cosine(long, long) == pytest.approx(np.ones((2, 2)))
    for wrong in (long * 1j, np.array([["a", "b"]]), np.array([[None, 1]])):
        with pytest.raises(ValueError, match=r"numbers|no number|NaN"):
            cosine(wrong, wrong)
    for k in (0, 3, 1.0, True, NAN, "1", None):
        with pytest.raises(ValueError, match="choose k from 1 to 2"):
            top_k(long, long, k)


@pytest.mark.parametrize("length", [1e-20, 1e-10, 1e-7, 1.0, 1e10])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_other_cosines_do_not_see_the_length_either(length, dtype, train):
    vectors = RNG(0).normal(size=(15, 4))
    scaled = (vectors * length).astype(dtype)
    ids = np.array([[0, 1, 2], [5, 3, -1]])
    assert lists.intra_list_diversity(ids, scaled) == pytest.approx(
        lists.intra_list_diversity(ids, vectors), abs=1e-5
    )
    usual = FeatureRetriever(vectors, "f").fit(train).score(np.arange(3), np.tile(np.arange(15), (3, 1)))
    short = FeatureRetriever(scaled, "f").fit(train).score(np.arange(3), np.tile(np.arange(15), (3, 1)))
    assert short == pytest.approx(usual, abs=1e-5)


def test_an_encoder_with_small_weights_still_gives_unit_vectors(encoder):
    usual = encoder(pooling="word_embeddings")
    small = encoder(pooling="word_embeddings")
    with torch.no_grad():
        small.model.get_input_embeddings().weight.mul_(1e-16)
    texts = ["a toy story", "night train"]
    assert small.encode(texts, cache=False) == pytest.approx(usual.encode(texts, cache=False), abs=1e-6)
    broken = encoder(pooling="word_embeddings")
    with torch.no_grad():
        broken.model.get_input_embeddings().weight.mul_(NAN)
    with pytest.raises(ValueError, match="position 0 holds NaN"):
        broken.encode(texts, cache=True)


def test_the_size_of_answers_does_not_matter_to_an_attack():
    answers, members = RNG(0).normal(size=(12, 5)), RNG(1).random((12, 5)) < 0.5
    members[:3], members[3:6] = True, False
    usual = likelihood_ratios(answers, members)
    for size in (1e-12, 1e12):
        assert likelihood_ratios(answers * size, members) == pytest.approx(usual, rel=1e-6)
    assert not likelihood_ratios(np.ones((12, 5)), members).any()


# --- Parameters that only one of two twins checked

WRONG_ABOVE_0 = (0, -1, NAN, "1", None, True, [1.0])
WRONG_WHOLE = (0, -1, 2.5, NAN, INF, True, "3", None)
SEEDS = (-1, 1.5, NAN, None, "0", 2**40)


def fake_encoder():
    return object()


@pytest.mark.parametrize(
    ("name", "wrong", "make"),
    [
        ("neighbours", WRONG_WHOLE, UserKNN),
        ("neighbours", WRONG_WHOLE, ItemKNN),
        ("neighbours", WRONG_WHOLE, lambda n: InjectedUserKNN(interactions(np.eye(3)), n)),
        ("neighbours", WRONG_WHOLE, lambda n: profile_features(sp.csr_array(np.ones((3, 3))), neighbours=n)),
        ("directions", WRONG_WHOLE, lambda n: profile_features(sp.csr_array(np.ones((3, 3))), directions=n)),
        ("regularization", (*WRONG_ABOVE_0, INF), EASE),
        ("regularization", (*WRONG_ABOVE_0, INF), lambda r: InjectedEASE(interactions(np.eye(3)), r)),
        ("regularization", (*WRONG_ABOVE_0, INF), lambda r: UserWeightedEASE(r, np.ones(3))),
        ("regularization", (-1, NAN, INF, "0"), lambda r: ALS(regularization=r)),
        ("regularization", (-1, NAN, INF, "0"), lambda r: BPR(regularization=r)),
        ("regularization", (-1, NAN, INF, "0"), lambda r: FederatedFactors(regularization=r)),
        ("factors", WRONG_WHOLE, ALS),
        ("factors", WRONG_WHOLE, BPR),
        ("factors", WRONG_WHOLE, FederatedFactors),
        ("factors", WRONG_WHOLE, lambda n: PrivateSVD(1.0, factors=n)),
        ("factors", WRONG_WHOLE, lambda n: PrivateAutoencoder(1.0, factors=n)),
        ("iterations", WRONG_WHOLE, lambda n: ALS(iterations=n)),
        ("iterations", WRONG_WHOLE, lambda n: BPR(iterations=n)),
        ("rounds", WRONG_WHOLE, lambda n: FederatedFactors(rounds=n)),
        ("steps", WRONG_WHOLE, lambda n: PrivateAutoencoder(1.0, steps=n)),
        ("local_steps", WRONG_WHOLE, lambda n: FederatedFactors(local_steps=n)),
        ("alpha", (*WRONG_ABOVE_0, INF), lambda a: ALS(alpha=a)),
        ("learning_rate", (*WRONG_ABOVE_0, INF), lambda a: BPR(learning_rate=a)),
        ("learning_rate", (*WRONG_ABOVE_0, INF), lambda a: FederatedFactors(learning_rate=a)),
        ("learning_rate", (*WRONG_ABOVE_0, INF), lambda a: PrivateAutoencoder(1.0, learning_rate=a)),
        ("clip", (*WRONG_ABOVE_0, INF), lambda a: PrivateAutoencoder(1.0, clip=a)),
        ("share", (0, 1.5, NAN), lambda a: FederatedFactors(share=a)),
        ("momentum", (-0.1, 1, NAN), lambda a: FederatedFactors(momentum=a)),
        ("epsilon", (*WRONG_ABOVE_0, -INF), PrivatePopularity),
        ("epsilon", (*WRONG_ABOVE_0, -INF), LocalPopularity),
        ("epsilon", (*WRONG_ABOVE_0, -INF), PrivateSVD),
        ("epsilon", (*WRONG_ABOVE_0, -INF), PrivateAutoencoder),
        ("epsilon", (*WRONG_ABOVE_0, -INF), lambda e: laplace_mechanism(VALUES, 1.0, e, RNG(0))),
        ("epsilon", (*WRONG_ABOVE_0, -INF, 1e-300), lambda e: randomized_response([1, 0], e, RNG(0))),
        ("epsilon", (*WRONG_ABOVE_0, -INF, 1e-300), lambda e: share_of_true([1, 0], e)),
        ("epsilon", (*WRONG_ABOVE_0, INF, 1e-3, 51), lambda e: noise_multiplier(e, 1e-5)),
        ("sensitivity", (*WRONG_ABOVE_0, INF), lambda s: laplace_mechanism(VALUES, s, 1.0, RNG(0))),
        ("delta", (*WRONG_ABOVE_0, 1, 1.5), lambda d: noise_multiplier(1.0, d)),
        ("delta", (*WRONG_ABOVE_0, 1, 1.5), lambda d: accountant_epsilon(1.0, d)),
        ("delta", (*WRONG_ABOVE_0, 1, 1.5), lambda d: gaussian_epsilon(1.0, d)),
        ("delta", (*WRONG_ABOVE_0, 1, 1.5), lambda d: PrivateSVD(1.0, d)),
        ("delta", (*WRONG_ABOVE_0, 1, 1.5), lambda d: PrivateAutoencoder(1.0, d)),
        ("multiplier", (*WRONG_ABOVE_0, INF, 1e-9), lambda m: accountant_epsilon(m, 1e-5)),
        ("multiplier", (*WRONG_ABOVE_0, INF, 1e-9), lambda m: gaussian_epsilon(m, 1e-5)),
        ("releases", WRONG_WHOLE, lambda n: noise_multiplier(1.0, 1e-5, n)),
        ("releases", WRONG_WHOLE, lambda n: accountant_epsilon(1.0, 1e-5, n)),
        ("releases", WRONG_WHOLE, lambda n: gaussian_epsilon(1.0, 1e-5, n)),
        ("per_user", WRONG_WHOLE, lambda n: PrivatePopularity(1.0, n)),
        ("per_user", WRONG_WHOLE, lambda n: limit_contributions(sp.csr_array(np.eye(3)), n)),
        ("questions", WRONG_WHOLE, lambda n: LocalPopularity(1.0, n)),
        ("questions", (4,), lambda n: LocalPopularity(1.0, n).fit(interactions(np.eye(3)))),
        ("films", WRONG_WHOLE, lambda n: PrivateSVD(1.0, films=n)),
        ("films", WRONG_WHOLE, lambda n: PrivateAutoencoder(1.0, films=n)),
        ("recent", WRONG_WHOLE, lambda n: TextRetriever(fake_encoder(), recent=n)),
        ("weight", (-0.1, 1.1, NAN, "0.5", None), lambda w: Hybrid(UserKNN(), ItemKNN(), w)),
        ("half_life", (*WRONG_ABOVE_0, 1e-6, 1e9), lambda h: recency_histories(interactions(np.eye(3)), h)),
        ("half_life", (*WRONG_ABOVE_0, 1e-6, 1e9), lambda h: FeatureRetriever(np.eye(3), "f", half_life=h)),
        ("half_life", (*WRONG_ABOVE_0, 1e-6, 1e9), lambda h: TextRetriever(fake_encoder(), half_life=h)),
        ("n", WRONG_WHOLE, lambda n: interactions(np.eye(3)).histories().latest(n)),
        ("threshold", (0, 4, 1.5, NAN), lambda t: secure_sum([np.ones(1)] * 3, t)),
        ("threshold", (0, 4, 1.5, NAN), lambda t: shamir_shares(1, 3, t)),
        ("parties", (0, 1, 2.5, NAN, None), lambda n: additive_shares(to_ring(np.ones(2)), n)),
        ("dropped", (-1, 3, 0.5), lambda p: secure_sum([np.ones(1)] * 3, 2, [p])),
        ("secret", (-1, 1.5, NAN, "1"), lambda s: shamir_shares(s, 3, 2)),
        ("target", (-1, 3, 0.5), lambda t: hit_rate(np.zeros((2, 3)), np.zeros((2, 3), bool), t)),
        ("target", (-1, 3, 0.5), lambda t: fake_profiles("random", t, 1, 2, [1, 2, 3], RNG(0))),
        ("target", (-1, 3, 0.5), lambda t: _optimised(target=t)),
        ("k", (0, 2.5, NAN), lambda k: hit_rate(np.zeros((2, 3)), np.zeros((2, 3), bool), 0, k)),
        ("k", (0, 4, 2.5, NAN), lambda k: _optimised(k=k)),
        ("k", (0, 4, 2.5, NAN), lambda k: groups_of_at_least(k, np.zeros((3, 1)))),
        ("n", WRONG_WHOLE, lambda n: _optimised(n=n)),
        ("n", WRONG_WHOLE, lambda n: fake_profiles("random", 0, n, 2, [1, 2, 3], RNG(0))),
        ("length", (1, 4, 2.5, NAN), lambda n: _optimised(length=n)),
        ("length", (1, 4, 2.5, NAN), lambda n: fake_profiles("random", 0, 1, n, [1, 2, 3], RNG(0))),
        ("disguise", (-0.1, 1.1, NAN), lambda d: _optimised(disguise=d)),
        ("pool_size", (1, 2.5, NAN), lambda p: _optimised(length=3, pool_size=p)),
        ("rng", (0, None), lambda r: _optimised(rng=r)),
        ("rng", (0, None), lambda r: fake_profiles("random", 0, 1, 2, [1, 2, 3], r)),
        ("rng", (0, None), lambda r: randomized_response([1], 1.0, r)),
        ("rng", (0, None), lambda r: laplace_mechanism([1], 1.0, 1.0, r)),
        ("rng", (0, None), lambda r: swap_letters("text", 1, r)),
        ("fpr", (-0.1, 1.1, NAN), lambda f: judge_attack(np.ones((1, 2)), [[1, 0]], fpr=f)),
        ("dose", (-0.1, 1.1, NAN, None), lambda d: without_events(interactions(np.eye(3)), d)),
        ("dose", (-0.1, 1.1, NAN, None), lambda d: with_wrong_items(interactions(np.eye(3)), d)),
        ("dose", (-0.1, 1.1, NAN, None), lambda d: without_entries(sp.csr_array(np.eye(3)), d)),
        ("dose", (-0.1, 1.1, NAN, None), lambda d: with_false_edges(sp.csr_array(np.eye(3)), d)),
        ("seed", SEEDS, Random),
        ("seed", SEEDS, lambda s: ALS(seed=s)),
        ("seed", SEEDS, lambda s: BPR(seed=s)),
        ("seed", SEEDS, lambda s: FederatedFactors(seed=s)),
        ("seed", SEEDS, lambda s: PrivatePopularity(1.0, seed=s)),
        ("seed", SEEDS, lambda s: LocalPopularity(1.0, seed=s)),
        ("seed", SEEDS, lambda s: PrivateSVD(1.0, seed=s)),
        ("seed", SEEDS, lambda s: PrivateAutoencoder(1.0, seed=s)),
        ("seed", SEEDS, lambda s: bootstrap_interval(VALUES, seed=s)),
        ("seed", SEEDS, lambda s: permutation_p_value(VALUES, seed=s)),
        ("seed", SEEDS, lambda s: judge_attack(np.ones((1, 2)), [[1, 0]], seed=s)),
        ("seed", SEEDS, lambda s: without_events(interactions(np.eye(3)), 0.5, s)),
    ],
)  # fmt: skip
def test_twins_refuse_the_same(name, wrong, make):
    for value in wrong:
        with pytest.raises(ValueError, match=name):
            make(value)


def _optimised(**change):
    model = InjectedEASE(interactions([[1, 1, 0], [0, 1, 1]]), 1.0)
    return optimised_profiles(model, **{"target": 0, "n": 1, "length": 2, "rng": RNG(0), "k": 2} | change)


def test_the_accountant_and_the_closed_form_agree_within_the_limits():
    for delta in (1e-12, 1e-5, 0.5):
        for epsilon in (0.02, 1.0, 50):
            multiplier = noise_multiplier(epsilon, delta)
            spent = accountant_epsilon(multiplier, delta)
            assert 0 <= gaussian_epsilon(multiplier, delta) <= spent + 1e-9
            assert spent <= epsilon
    assert accountant_epsilon(1.0, 0.5) == 0  # not below: no promise is better than a perfect one


def test_secrets_keep_their_types():
    assert shamir_secret(shamir_shares(np.int64(12345), 4, 3)[:3]) == 12345
    for wrong in ([], [(1, 2), (1, 3)], [(0, 5)], [(1.5, 2)]):
        with pytest.raises(ValueError, match=r"share|x must be"):
            shamir_secret(wrong)
    for use in (from_ring, lambda r: additive_shares(r, 2)):
        with pytest.raises(ValueError, match="uint64"):
            use(np.array([1.5]))
    with pytest.raises(TooFewClients):
        secure_sum([np.ones(1)] * 3, 3, dropped=[0])
    with pytest.raises(ValueError, match="one-dimensional"):
        secure_sum([], 1)


def test_an_area_needs_both_sides():
    for members in ([[1, 1]], [[0, 0]]):
        with pytest.raises(ValueError, match="some must be members"):
            judge_attack(np.ones((1, 2)), members)
    with pytest.raises(ValueError, match="alike"):
        judge_attack(np.ones(3), [1, 0, 1])
    ties = judge_attack(np.array([[INF, INF, -INF, -INF]]), [[1, 0, 1, 0]])
    assert ties.auc == 0.5  # two infinite scores are a tie
    with pytest.raises(ValueError, match="not of"):
        ties.interval("roc")


def test_published_groups_ignore_values_and_gaps():
    table = np.array([[1, 1, 0], [1, 0, 0], [0, 1, 1]])
    right = publish_groups(sp.csr_array(table), np.array([0, 0, 1])).toarray()
    for other in (table * 5, table.astype(np.uint8)):
        assert np.array_equal(publish_groups(sp.csr_array(other), np.array([3, 3, 7])).toarray(), right)
    for group in ([0, 0], [0.0, 1, 1], [-1, 0, 0]):
        with pytest.raises(ValueError, match="one integer from 0"):
            publish_groups(sp.csr_array(table), np.array(group))


# --- One string, one array, an empty list


def test_one_string_is_no_list(train, encoder):
    listed = Popularity().fit(train).retrieve(np.arange(2), 2)
    relevant = train.matrix[:2]
    report = evaluate(listed, relevant, ["recall@2"])
    shown = (np.array([[0, 1]]), np.array([[1.0, 0]]), np.array([[1, 0]]), np.array([0]))
    for use in (
        lambda names: evaluate(listed, relevant, names),
        lambda names: evaluate_impressions(*shown, metrics=names),
        lambda names: side_by_side({"a": report}, names),
        lambda names: KeywordRetriever(names),
        lambda names: TextRetriever(fake_encoder(), names),
    ):
        with pytest.raises(ValueError, match=r"is one string, .*: give a list"):
            use("recall@2")
        with pytest.raises(ValueError, match="is empty"):
            use([])
        with pytest.raises(ValueError, match=r"position 1|must be a list"):
            use(["recall@2" if use is not None else "", None])
    with pytest.raises(KeyError, match="has no 'ndcg@2'"):
        side_by_side({"a": report}, ["ndcg@2"])
    with pytest.raises(ValueError, match="no report"):
        side_by_side({}, ["recall@2"])
    with pytest.raises(ValueError, match="pass Candidates"):
        evaluate(np.array([[0, 1]]), relevant)
    with pytest.raises(ValueError, match=r"must be the same|pass {name"):
        show.forest_plot([report], "recall@2")


@pytest.mark.parametrize("text", [HALF, "", "  ", None, NAN, b"bytes", 7, pd.NA])
def test_every_door_for_texts_names_the_position(text, encoder):
    bert = encoder()
    films = catalogue(["a toy", "fine story", "night train"])
    three = interactions(np.ones((1, 3)))
    doors = [
        lambda texts: bert.encode(texts, cache=False),
        bert.hidden_states,
        lambda texts: KeywordRetriever(("title",)).fit(three, films).search(texts, 1),
        lambda texts: TextRetriever(bert, ("title",)).fit(three, films).search(texts, 1),
    ]
    for door in doors:
        with pytest.raises(ValueError, match="the text at position 1"):
            door(["a fine text", text])
        for wrong in ("one text", [], None):
            with pytest.raises(ValueError, match="texts"):
                door(wrong)
    with pytest.raises(ValueError, match="the text at position 0"):
        bert.tokens(text)
    if not isinstance(text, str) or text == HALF:
        with pytest.raises(ValueError, match="the text"):
            swap_letters(text, 1, RNG(0))


def test_the_text_attack_checks_what_it_is_given(encoder):
    from course_lib.robustness import add_words_by_gradient

    bert = encoder()
    right = {
        "text": "a toy", "users": np.eye(2, 8), "bars": np.zeros(2), "n": 1, "words": np.array([5, 6, 7])
    }  # fmt: skip

    def attack(**change):
        given = right | change
        return add_words_by_gradient(bert, given.pop("text"), given.pop("users"), given.pop("bars"), **given)

    assert len(attack()) == 1  # with fewer words than candidates
    assert attack(head=np.eye(8) * 1e-25) == attack(head=np.eye(8)) == attack()
    assert attack(words=np.array([5, 6, 7], np.uint32), users=np.eye(2, 8, dtype=int)) == attack()
    for change in (
        {"text": HALF}, {"text": ""}, {"text": None}, {"text": "a " * 40}, {"users": np.eye(2, 7)},
        {"users": np.full((2, 8), NAN)}, {"bars": np.array([NAN, 0])}, {"bars": np.zeros(3)}, {"n": 0},
        {"words": np.array([99])}, {"words": np.array([True])}, {"words": np.array([])}, {"candidates": 0},
        {"softness": 0}, {"softness": NAN}, {"head": np.eye(7)}, {"head": np.full((8, 8), NAN)},
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"\w"):
            attack(**change)


def test_features_of_texts_need_words_and_lists():
    with pytest.raises(ValueError, match="no word of two letters"):
        tfidf_features(catalogue(["M", "A"]), "title")
    with pytest.raises(ValueError, match="no item has a genre"):
        genre_features(catalogue(["Toy", "Train"], [[], []]))
    spoken = catalogue(["Toy", "Train"])
    spoken.rows = spoken.rows.remove_columns("genres").add_column("genres", ["Drama", "War"])
    with pytest.raises(ValueError, match="genres of item 0 are 'Drama'; give a list"):
        genre_features(spoken)
    spoken.rows = spoken.rows.remove_columns("genres")
    with pytest.raises(ValueError, match="has no field genres"):
        genre_features(spoken)


def test_arrays_of_another_shape_are_refused(train):
    for use in (
        lambda: Candidates.from_catalogue_scores(np.ones(3), 1),
        lambda: Candidates(np.arange(3), np.ones(3)),
        lambda: evaluate(Candidates([[0]], [[1.0]]), np.array([1.0, 0]), ["recall@1"]),
        lambda: evaluate(Candidates([[0]], [[1.0]]), [[1.0, 0]] * 2, ["recall@1"]),
        lambda: groups_of_at_least(1, np.arange(3.0)),
        lambda: InjectedEASE(train, 1.0).scores(np.ones(15)),
        lambda: hit_rate(np.ones(3), np.ones(3, bool), 0),
        lambda: inverse_propensity_rate(np.array([0]), np.array([1]), np.array([1.0]), 1),
        lambda: inverse_propensity_rate(np.array([[3]]), np.array([[1]]), np.array([[1.0]]), 2),
        lambda: inverse_propensity_rate(np.array([[0]]), np.array([[2]]), np.array([[1.0]]), 2),
        lambda: FeatureRetriever(np.ones(15), "f").fit(train),
    ):
        with pytest.raises(ValueError, match=r"\w"):
            use()
    with pytest.raises(ValueError, match="everybody has item"):
        hit_rate(np.ones((2, 2)), np.ones((2, 2)), 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"grid": {"weighting": "cosine"}}, "one string: give a list"),
        ({"grid": {"neighbours": 5}}, r"write \[5\]"),
        ({"grid": {"neighbours": []}}, "no value to try"),
        ({"grid": [("neighbours", [5])]}, "setting: values"),
        ({"metric": "recall"}, "a name and a cut-off"),
        ({"metric": ["recall@3"]}, "a name and a cut-off"),
        ({"metric": "coverage@3"}, "gives no user a value"),
        ({"budget": NAN}, "budget must be a whole number"),
        ({"budget": 1.5}, "budget must be a whole number"),
        ({"seed": -1}, "seed must be"),
        ({"lists": np.arange(24)}, "one row a user"),
    ],
)
def test_tune_refuses_before_it_fits(change, message, train):
    split = Split.random(train, validation=0.2, test=0.2)
    given = {"grid": {"neighbours": [3]}, "metric": "recall@3"} | change
    with pytest.raises(ValueError, match=message):
        tune(UserKNN, given.pop("grid"), split, **given)


# --- −1 in short lists


def test_pads_do_not_enter_statistics():
    short = Candidates(
        np.array([[2, -1, -1], [-1, -1, -1], [0, 2, -1]]), [[1.0, -INF, -INF], [-INF] * 3, [2, 1, -INF]]
    )
    relevant = sp.csr_array(np.array([[0, 0, 1, 1], [0, 0, 0, 1], [1, 0, 0, 0]], np.float32))
    vectors = np.array([[1.0, 0], [1, 0], [0, 1], [1e9, 1e9]])  # the last is what index −1 would read
    counts = interactions([[1, 1, 0, 1], [1, 0, 0, 1]])
    names = [
        "coverage@3",
        "gini@3",
        "novelty@3",
        "average_popularity@3",
        "intra_list_diversity@3",
        "recall@3",
        "ndcg@3",
    ]
    found = evaluate(short, relevant, names, train=counts, item_vectors=vectors)
    assert found.overall["coverage@3"] == 0.5
    assert found.overall["gini@3"] == pytest.approx(lists.gini(np.array([[2], [0], [2]]), 4))
    assert found.per_user["average_popularity@3"] == pytest.approx([0, NAN, 0.5], nan_ok=True)
    assert found.per_user["novelty@3"] == pytest.approx([np.log2(3), NAN, np.log2(3) / 2], nan_ok=True)
    assert found.per_user["intra_list_diversity@3"] == pytest.approx([NAN, NAN, 1], nan_ok=True)
    assert found.per_user["recall@3"].tolist() == [0.5, 0, 1]


@pytest.mark.parametrize("n_users", [2, 3, 5, 21])
def test_a_profile_is_not_its_own_neighbour_however_few_there_are(n_users):
    rows = (RNG(0).random((n_users, 9)) < 0.5).astype(int)
    rows[:, 0] = 1
    found = profile_features(sp.csr_array(rows))
    assert np.isfinite(found).all()
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    others = (unit @ unit.T)[~np.eye(n_users, dtype=bool)].reshape(n_users, -1)
    assert found[:, 1] == pytest.approx(others.mean(axis=1))
    assert found[:, 0] == pytest.approx(np.log1p(n_users - 1) * np.ones(n_users))
    if n_users <= 20:  # all directions are main ones
        assert found[:, 5] == pytest.approx(np.ones(n_users))
    for dtype in (np.uint8, bool, float):
        assert np.array_equal(profile_features(sp.csr_array(rows.astype(dtype))), found)


def test_empty_profiles_are_named_or_count_for_nothing():
    with pytest.raises(ValueError, match=r"row 1 \(1 of 2\) is empty"):
        profile_features(sp.csr_array(np.array([[1, 1], [0, 0]])))
    with pytest.raises(ValueError, match="two profiles at least"):
        profile_features(sp.csr_array(np.array([[1, 1]])))
    model = InjectedUserKNN(interactions([[1, 1, 0], [1, 0, 1]]), 2)
    assert np.array_equal(model.scores(np.zeros((1, 3))), model.scores(np.zeros((0, 3))))


def test_weights_of_recency_stay_between_0_and_1():
    long = interactions(np.ones((1, 3_000)))
    for half_life in (0.01, 10, 1e6):
        weights = recency_histories(long, half_life).data
        assert ((weights > 0) & (weights < 1)).all()


# --- Tables


@pytest.mark.parametrize(
    ("values", "dtype", "written"),
    [
        ([1.5, None], "Float64", ["1.50", "–"]),
        ([0.5, INF], "Float32", ["0.500", "∞"]),
        ([None, None], "Float64", ["–", "–"]),
        ([1995, None], "Int64", ["1995", "–"]),
        ([True, None], "boolean", ["yes", "–"]),
        (["a", None], "string", ["a", "–"]),
        ([1.5, None], "float64[pyarrow]", ["1.50", "–"]),
        ([7, None], "int64[pyarrow]", ["7", "–"]),
        ([1.5, NAN], "float16", ["1.50", "–"]),
        ([0.5, NAN, -INF, None], "object", ["0.500", "–", "−∞", "–"]),
        ([pd.NaT, pd.NA, np.float32(0.5), np.array([1.0, 2.0])], "object", ["–", "–", "0.500", "1.00, 2.00"]),
        ([{"b", "a"}, frozenset("z"), b"ab", torch.tensor(0.25)], "object", ["a, b", "z", "b'ab'", "0.250"]),
        (["<b>", "a & b"], "object", ["<b>", "a & b"]),
        (["1.5", None], "category", ["1.5", "–"]),
    ],
)
def test_columns_of_every_type(values, dtype, written, shown):
    column = pd.array(values, dtype=dtype) if dtype != "object" else pd.Series(values, dtype=object)
    show.table(pd.DataFrame({"x": column}))
    lines = [line.strip() for line in shown[0]["text/plain"].splitlines()]
    assert lines == ["x", *written]
    assert shown[0]["text/html"].count("<td") == len(values)
    assert "<b>" not in shown[0]["text/html"]


def test_headings_of_every_kind_and_no_column_is_lost(shown):
    show.table(pd.DataFrame([[1, 2.5]], columns=["a", "a"]))
    show.table(pd.DataFrame([[1, 2.5]], columns=[1, "1"]))
    show.table(pd.DataFrame([[1, 2.5]], columns=pd.MultiIndex.from_tuples([("a", "x"), ("a", "")])))
    show.table(pd.DataFrame({"a": [1.5]}, index=pd.Index(["p"], name="a")))
    plain = [output["text/plain"].split() for output in shown]
    assert plain == [["a", "a", "1", "2.50"], ["1", "1", "1", "2.50"], ["a", "·", "x", "a", "1", "2.50"],
                     ["a", "a", "p", "1.50"]]  # fmt: skip


def test_half_characters_are_replaced_where_a_notebook_would_store_them(shown):
    show.say(HALF)
    show.table([{"film": HALF}], caption=HALF)
    for output in shown:
        for text in output.values():
            text.encode()
            assert "\ufffd" in text


@pytest.mark.parametrize("rows", ["text", {"a": 1}, [], pd.DataFrame({"a": []}), pd.DataFrame(index=[1])])
def test_what_is_no_table_is_refused(rows, shown):
    with pytest.raises(ValueError, match="rows"):
        show.table(rows)


def test_numbers_that_are_missing_or_have_no_digits():
    assert [show.number(value) for value in (None, pd.NA, NAN, np.float32(NAN))] == ["–"] * 4
    assert show.interval(NAN, (NAN, INF)) == "– [–, ∞]"
    for digits in (0, -1, 1.5, None):
        with pytest.raises(ValueError, match="digits"):
            show.number(0.5, digits)


# --- The checks themselves


def test_numbers_of_other_types_pass():
    for five in (5, np.int8(5), np.uint64(5), np.array(5), torch.tensor(5)):
        assert arguments.whole("n", five, 1) == 5
    for half in (0.5, np.float16(0.5), np.array(0.5), torch.tensor(0.5)):
        arguments.real("share", half, above=0, below=1)
    with pytest.raises(ValueError, match=r"rows 0, 1, 2, 3, 4, … \(9 of 9\)"):
        arguments.numbers("values", np.full(9, NAN), "leave them out")


def test_good_input_passes_without_a_warning(train):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        before = copy.deepcopy(train.matrix.data)
        UserKNN(5).fit(train).retrieve(np.arange(3), 2)
        cosine(np.eye(3) * 1e-40, np.eye(3))
        judge_attack(np.array([[0.9, 0.1]]), [[1, 0]], resamples=20)
        assert np.array_equal(before, train.matrix.data)
