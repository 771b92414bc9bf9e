"""TextEncoder against SentenceTransformer.encode: same weights, texts and threads, same run, no cache."""

import time
from functools import partial

import numpy as np
import scipy.sparse as sp
import torch
import transformers
from sentence_transformers import SentenceTransformer

from course_lib.data import AssetMissing, asset_folder, load_item_descriptions, load_movielens_100k
from course_lib.encode import TextEncoder
from course_lib.similarity import top_k
from tests.benchmarks import harness

DEFAULT_BATCH, OTHER_BATCHES = 32, (8, 128)
DEFAULT = f"SentenceTransformer, default batch of {DEFAULT_BATCH}"
PARAGRAPHS, CHARACTERS = 100, 1000
STEP_TEXTS, STEP_BATCH = 400, 64
NEIGHBOURS = 10


def main() -> None:
    threads = harness.same_threads_for_all()
    transformers.utils.logging.disable_progress_bar()
    peer = SentenceTransformer(str(asset_folder("minilm")), device="cpu", local_files_only=True)
    encoders = {
        f"TextEncoder, {dtype}": TextEncoder("minilm", dtype=dtype) for dtype in ("float32", "bfloat16")
    }
    print(f"{harness.processor()}; {threads} threads; {peer.max_seq_length} tokens a text at most")
    _, catalogue = load_movielens_100k()
    workloads = {
        "titles": _workload(catalogue.titles, "film titles of MovieLens-100K", peer, encoders),
        "paragraphs": _workload(*_paragraphs(catalogue.titles), peer, encoders),
    }
    steps = _steps(
        catalogue.describe("title", "year", "genres")[:STEP_TEXTS], encoders["TextEncoder, float32"]
    )
    print()
    promises = [promise for name, workload in workloads.items() for promise in _promises(name, workload)]
    content = {
        **harness.page(4, "Encoding text"),
        "weights": "all-MiniLM-L6-v2",
        "reference": DEFAULT,
        "workloads": workloads,
        "steps": steps,
        "promises": promises,
    }
    harness.write("encode", ("torch", "transformers", "sentence-transformers"), threads, content)


def _paragraphs(titles: list[str]) -> tuple[list[str], str]:
    """Texts of exactly CHARACTERS characters: film descriptions in a row, or film titles without them."""
    try:
        sentences = list(load_item_descriptions().values())
        origin = f"paragraphs of {CHARACTERS:,} characters from film descriptions"
    except AssetMissing:
        sentences = np.random.default_rng(0).permutation(titles * 5).tolist()
        origin = f"paragraphs of {CHARACTERS:,} characters made of film titles"
    running = " ".join(sentences)
    return [running[i * CHARACTERS : (i + 1) * CHARACTERS] for i in range(PARAGRAPHS)], origin


def _workload(
    texts: list[str], origin: str, peer: SentenceTransformer, encoders: dict[str, TextEncoder]
) -> dict:
    print(f"\n{len(texts):,} {origin}")

    def encode_with_peer(batch: int) -> np.ndarray:
        return peer.encode(texts, batch_size=batch, normalize_embeddings=True, show_progress_bar=False)

    encode_with_peer(DEFAULT_BATCH)  # the first call ever is slower
    best = min((DEFAULT_BATCH, *OTHER_BATCHES), key=lambda batch: _seconds(partial(encode_with_peer, batch)))
    peers = {DEFAULT: partial(encode_with_peer, DEFAULT_BATCH)}
    if best != DEFAULT_BATCH:
        peers[f"SentenceTransformer, its best batch, {best}"] = partial(encode_with_peer, best)
    peers |= {name: partial(encoder.encode, texts, cache=False) for name, encoder in encoders.items()}
    timings = harness.alternate(peers)
    rows = harness.table(timings, DEFAULT, len(texts), "texts")
    for name in encoders:
        ours, theirs = timings[name].result, timings[DEFAULT].result
        rows[name]["smallest_cosine"] = float((ours.astype(np.float64) * theirs).sum(axis=1).min())
        rows[name]["top_10_overlap"] = _overlap(ours, theirs)
    return {"texts": len(texts), "origin": origin, "peers": rows}


def _steps(texts: list[str], encoder: TextEncoder) -> dict:
    """From the documents' one text at a time, with gradients (D2 §5.2), to TextEncoder, a step at a time."""
    tokenizer, model = encoder.tokenizer, encoder.model

    def forward(some: list[str]) -> torch.Tensor:
        inputs = tokenizer(some, padding=True, return_tensors="pt")
        mask = inputs["attention_mask"][..., None]
        hidden = model(**inputs).last_hidden_state
        return torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1))

    def in_batches(ordered: list[str], size: int) -> torch.Tensor:
        return torch.cat([forward(ordered[i : i + size]) for i in range(0, len(ordered), size)])

    def without_gradients(ordered: list[str], size: int) -> np.ndarray:
        with torch.inference_mode():
            return in_batches(ordered, size).numpy()

    def with_gradients() -> np.ndarray:
        with torch.enable_grad():
            return in_batches(texts, 1).detach().numpy()

    by_length = sorted(texts, key=lambda text: len(tokenizer(text)["input_ids"]))
    first = "one text at a time, gradients kept"
    peers = {
        first: with_gradients,
        "one text at a time, inference mode": lambda: without_gradients(texts, 1),
        f"batches of {STEP_BATCH}, as they come": lambda: without_gradients(texts, STEP_BATCH),
        f"batches of {STEP_BATCH}, sorted by length": lambda: without_gradients(by_length, STEP_BATCH),
        "TextEncoder": lambda: encoder.encode(texts, cache=False),
    }
    print(f"\n{len(texts):,} film texts, a step at a time")
    timings = harness.alternate(peers)
    assert np.allclose(timings[first].result, timings["TextEncoder"].result, atol=1e-4)
    origin = "title, year and genres of films of MovieLens-100K"
    return {
        "texts": len(texts),
        "origin": origin,
        "peers": harness.table(timings, first, len(texts), "texts"),
    }


def _promises(name: str, workload: dict) -> list[dict]:
    single, half = (workload["peers"][f"TextEncoder, {dtype}"] for dtype in ("float32", "bfloat16"))
    promises = [
        harness.promise(f"{name}, float32, smallest cosine", single["smallest_cosine"], at_least=0.9999),
        harness.promise(f"{name}, bfloat16, smallest cosine", half["smallest_cosine"], at_least=0.999),
        harness.promise(f"{name}, bfloat16, top-10 overlap", half["top_10_overlap"], at_least=0.97),
    ]
    if name == "titles":
        promises.append(harness.promise(f"{name}, float32, speed ratio", single["ratio"], at_least=1.25))
    if harness.has_bfloat16():
        promises.append(harness.promise(f"{name}, bfloat16, speed ratio", half["ratio"], at_least=3))
    return promises


def _overlap(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Mean share of a text's ten nearest other texts that both encoders agree on."""
    itself = sp.eye_array(len(ours), format="csr")
    neighbours = [top_k(vectors, vectors, NEIGHBOURS, exclude=itself)[0] for vectors in (ours, theirs)]
    shared = [len(set(a) & set(b)) / NEIGHBOURS for a, b in zip(*neighbours, strict=True)]
    return float(np.mean(shared))


def _seconds(run) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start
