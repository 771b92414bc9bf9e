"""course_lib.encode: pooling against a plain computation, order, cache, truncation, bad input.

A tiny random BERT with a real tokenizer stands in for MiniLM, so that nothing has to be fetched.
"""

import time
import warnings

import datasets
import numpy as np
import pytest
import torch
from transformers import AutoModel, BertConfig, BertModel, BertTokenizer

from course_lib import encode as encode_module
from course_lib.data import AssetMissing
from course_lib.encode import POOLINGS, TextEncoder

WORDS = [
    "toy",
    "story",
    "golden",
    "eye",
    "four",
    "rooms",
    "get",
    "short",
    "copy",
    "##cat",
    "babe",
    "dead",
    "man",
]
WORDS += ["walking", "richard", "iii"]
TEXTS = [
    "toy story",
    "golden eye four rooms get short copycat",
    "babe",
    "dead man walking",
    "richard iii toy",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny-bert")
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    BertTokenizer(vocab={word: i for i, word in enumerate(vocabulary)}).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=64,
        initializer_range=0.5,  # large enough for texts to differ
    )
    torch.manual_seed(0)
    BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "cache"))
    monkeypatch.delenv("COURSE_VECTORS", raising=False)


@pytest.fixture
def encoder(folder):
    return TextEncoder(folder, max_tokens=64)


def by_hand(encoder, text, pooling):
    """One text at a time, so without padding."""
    ids = torch.tensor([encoder.tokenizer(text)["input_ids"]])
    with torch.no_grad():
        last = encoder.model(input_ids=ids).last_hidden_state[0]
    pooled = {
        "mean": last.mean(dim=0),
        "cls": last[0],
        "max": last.max(dim=0).values,
        "word_embeddings": encoder.model.get_input_embeddings().weight[ids[0, 1:-1]].mean(dim=0),
    }[pooling]
    return (pooled / pooled.norm()).numpy()


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("batch_tokens", [1024, 12, 1])
def test_every_pooling_is_as_by_hand_in_the_order_of_the_texts(folder, pooling, batch_tokens, monkeypatch):
    monkeypatch.setattr(encode_module, "TOKENS_PER_BATCH", batch_tokens)
    encoder = TextEncoder(folder, pooling=pooling, max_tokens=64)
    vectors = encoder.encode(TEXTS, cache=False)
    assert vectors.shape == (5, 32)
    assert vectors.dtype == np.float32
    assert vectors == pytest.approx(np.stack([by_hand(encoder, text, pooling) for text in TEXTS]), abs=1e-5)


def test_in_float64_numpy_multiplies_what_torch_would_and_gradients_flow(folder, encoder):
    ids = torch.tensor([encoder.tokenizer(TEXTS[0])["input_ids"]])
    torchs = AutoModel.from_pretrained(folder, dtype=torch.float64)
    words = torchs.get_input_embeddings()(ids).detach().requires_grad_(True)

    def state(model, grad):
        with torch.set_grad_enabled(grad):
            return model(inputs_embeds=words).last_hidden_state

    expected = state(torchs, grad=True)
    for grad in (False, True):
        found = state(encoder.model, grad)
        assert found.dtype == torch.float64
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-13)
    slopes = [torch.autograd.grad(s.sum(), words)[0] for s in (found, expected)]
    torch.testing.assert_close(*slopes, rtol=0, atol=1e-12)


def test_vectors_have_length_one_unless_asked_otherwise(folder, encoder):
    raw = TextEncoder(folder, max_tokens=64, normalize=False).encode(TEXTS)
    unit = encoder.encode(TEXTS)
    assert np.linalg.norm(unit, axis=1) == pytest.approx(np.ones(5))
    assert raw / np.linalg.norm(raw, axis=1, keepdims=True) == pytest.approx(unit, abs=1e-6)


def test_several_threads_give_the_same_vectors_and_leave_the_count_alone(folder, monkeypatch):
    monkeypatch.setattr(encode_module, "TOKENS_PER_BATCH", 8)
    before = torch.get_num_threads()
    one, two = TextEncoder(folder, max_tokens=64), TextEncoder(folder, max_tokens=64)
    one.threads, two.threads = 1, 2
    try:
        assert two.encode(TEXTS * 4, cache=False) == pytest.approx(
            one.encode(TEXTS * 4, cache=False), abs=1e-6
        )
        assert torch.get_num_threads() == before
    finally:
        torch.set_num_threads(before)


def test_bfloat16_is_close(folder, encoder):
    half = TextEncoder(folder, dtype="bfloat16", max_tokens=64).encode(TEXTS)
    assert half.dtype == np.float32
    assert ((half * encoder.encode(TEXTS)).sum(axis=1) > 0.99).all()


def test_a_dataset_column_and_a_generator_are_texts_too(encoder):
    expected = encoder.encode(TEXTS, cache=False)
    column = datasets.Dataset.from_dict({"title": TEXTS})["title"]
    assert (encoder.encode(column) == expected).all()
    assert (encoder.encode(text for text in TEXTS) == expected).all()


def test_second_call_loads_from_disk(folder, encoder, monkeypatch, tmp_path):
    first = encoder.encode(TEXTS)
    assert len(list((tmp_path / "cache" / "vectors").glob("*.arrow"))) == 1
    again = TextEncoder(folder, max_tokens=64)
    monkeypatch.setattr(TextEncoder, "_compute", lambda *_: pytest.fail("computed again"))
    assert (again.encode(TEXTS) == first).all()
    assert "model" not in vars(again), "the weights need not be loaded for cached vectors"


@pytest.mark.parametrize(
    "setting",
    [{"pooling": "cls"}, {"dtype": "bfloat16"}, {"max_tokens": 63}, {"normalize": False}],
    ids=str,
)
def test_every_setting_has_a_cache_entry_of_its_own(folder, encoder, setting, tmp_path):
    encoder.encode(TEXTS)
    TextEncoder(folder, **{"max_tokens": 64} | setting).encode(TEXTS)
    encoder.encode(TEXTS[::-1])
    TextEncoder.random_like(folder, max_tokens=64).encode(TEXTS)
    assert len(list((tmp_path / "cache" / "vectors").glob("*.arrow"))) == 4


def test_random_like_is_seeded_and_of_the_same_shape(folder, encoder):
    state = torch.get_rng_state()
    one, same, other = (TextEncoder.random_like(folder, seed=seed, max_tokens=64) for seed in (1, 1, 2))
    vectors = one.encode(TEXTS, cache=False)
    assert (torch.get_rng_state() == state).all(), "the caller's random numbers must not move"
    assert (vectors == same.encode(TEXTS, cache=False)).all()
    assert not np.allclose(vectors, other.encode(TEXTS, cache=False))
    assert not np.allclose(vectors, encoder.encode(TEXTS, cache=False))
    shapes = [{name: w.shape for name, w in e.model.named_parameters()} for e in (one, encoder)]
    assert shapes[0] == shapes[1]
    assert "seed 1" in repr(one)


def test_tokens(encoder):
    assert encoder.tokens("toy copycat zzz") == ["[CLS]", "toy", "copy", "##cat", "[UNK]", "[SEP]"]


def test_hidden_states_look_inside(encoder):
    states = encoder.hidden_states(TEXTS[:3])
    assert states.hidden.shape == (3, 3, 10, 32)
    assert states.attention.shape == (2, 3, 4, 10, 10)
    assert states.mask.sum(axis=1).tolist() == [len(tokens) for tokens in states.tokens] == [4, 10, 3]
    assert states.attention.sum(axis=-1) == pytest.approx(np.ones((2, 3, 4, 10)), abs=1e-5)
    hidden = states.attention[0, 0, 0, 0]
    assert (hidden[4:] < 1e-6).all(), "no token may look at padding"
    pooled = states.hidden[-1][0][states.mask[0]].mean(axis=0)
    assert pooled / np.linalg.norm(pooled) == pytest.approx(
        encoder.encode(TEXTS[:1], cache=False)[0], abs=1e-5
    )
    with pytest.raises(ValueError, match="hidden_states got 65 texts"):
        encoder.hidden_states(["toy"] * 65)


def test_ten_thousand_words_are_cut_and_said_so_once(encoder):
    long = "toy " * 10_000
    with pytest.warns(UserWarning, match="2 of 3 texts are longer than 64 tokens and were cut") as caught:
        vectors = encoder.encode([long, "story", long], cache=False)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert vectors[0] == pytest.approx(by_hand(encoder, "toy " * 62, "mean"), abs=1e-5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encoder.encode(["toy " * 62], cache=False)


def test_batches_keep_to_the_token_budget_and_miss_nothing():
    lengths = np.random.default_rng(0).integers(3, 2_000, 500)
    batches = list(encode_module._batches_by_length(lengths))
    assert sorted(np.concatenate(batches)) == list(range(500))
    for batch in batches:
        assert len(batch) == 1 or lengths[batch].max() * len(batch) <= encode_module.TOKENS_PER_BATCH


def test_short_work_shows_no_bar_and_long_work_does(encoder, capsys, monkeypatch):
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    encoder.encode(TEXTS, cache=False)
    assert "Encoding" not in capsys.readouterr().err
    monkeypatch.setattr(encode_module, "TOKENS_PER_BATCH", 1)
    usual = TextEncoder._vectors
    monkeypatch.setattr(TextEncoder, "_vectors", lambda *rows: time.sleep(1.2) or usual(*rows))
    encoder.threads = 1
    encoder.encode(TEXTS[:3], cache=False)
    assert "Encoding" in capsys.readouterr().err
    monkeypatch.setenv("TQDM_DISABLE", "1")  # as in stored notebooks
    encoder.encode(TEXTS[:3], cache=False)
    assert "Encoding" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("texts", "error", "message"),
    [
        ([], ValueError, "texts is empty"),
        (["toy", "  "], ValueError, "the text at position 1 is empty"),
        (["toy", "\u200b"], ValueError, r"the text at position 1, .* holds no character that the tokenizer"),
        (["toy", None], ValueError, "the text at position 1 is NoneType, not str"),
        ("toy", ValueError, r"texts is one str: give a list of texts, for example \[text\]"),
    ],
)
@pytest.mark.parametrize("cache", [True, False])
def test_bad_texts_are_one_clear_error_and_leave_nothing_behind(
    encoder, texts, error, message, cache, tmp_path
):
    with pytest.raises(error, match=message):
        encoder.encode(texts, cache=cache)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pooling": "sum"}, "unknown pooling 'sum': choose one of mean, cls, max, word_embeddings"),
        ({"dtype": "int8"}, "unknown dtype 'int8': choose one of float64, float32, bfloat16"),
        ({"max_tokens": 65}, "reads 3 to 64 tokens"),
        ({"max_tokens": 2}, "reads 3 to 64 tokens"),
    ],
)
def test_bad_settings(folder, settings, message):
    with pytest.raises(ValueError, match=message):
        TextEncoder(folder, **{"max_tokens": 64} | settings)


def test_models_that_are_not_there(tmp_path, monkeypatch):
    with pytest.raises(AssetMissing, match="data get minilm"):
        TextEncoder("minilm")
    with pytest.raises(FileNotFoundError, match="there is no model folder"):
        TextEncoder(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"holds no config\.json"):
        TextEncoder(tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(OSError, match=r"'nobody/nothing' .* could not be had"):
        TextEncoder("nobody/nothing", revision="main")
