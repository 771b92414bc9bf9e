"""Text to vectors with a frozen transformer encoder (BERT and its kin), on the CPU, by plain `transformers`.

What makes it fast, in the order of what it saves: texts are sorted by their number of tokens and cut into
batches of a fixed number of tokens, so that hardly a padding token is computed; several batches run side by
side, each on its share of the threads, so that no core waits for another between two small operations; and,
where it is asked for and the processor has it, bfloat16 (`python course.py benchmark encode` measures both).
Stored results must be the same on every machine, so the default is the slowest dtype, float64.

Sources: Devlin et al. 2019 (BERT), Reimers and Gurevych 2019 (pooling of sentence encoders).
"""

from __future__ import annotations

import copy
import hashlib
import os
import warnings
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property, partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
import transformers
from datasets.fingerprint import Hasher
from tqdm.auto import tqdm

from course_lib import arguments
from course_lib.data import asset_folder, cache_folder
from course_lib.data.derived import place_for, read_table, write_table
from course_lib.similarity import in_reach

POOLINGS = ("mean", "cls", "max", "word_embeddings")
DTYPES = {"float64": torch.float64, "float32": torch.float32, "bfloat16": torch.bfloat16}

# Part of every cache key: raise it when a change in this file changes vectors.
ENCODE_VERSION = 4

# Padded tokens in one batch: measured fastest for short and long texts, in float32 and bfloat16. Half of it
# is nearly as fast, twice as much is slower.
TOKENS_PER_BATCH = 2048

# hidden_states keeps every layer's attention: 19 MB for a text of 256 tokens in a MiniLM.
MOST_TEXTS_TO_LOOK_INTO = 64


@dataclass(frozen=True)
class TokenStates:
    """What an encoder holds for each token of a few texts. Padding is on the right, where `mask` is False.

    tokens: list of n lists of str, special tokens included, without padding.
    mask: bool [n, length].
    hidden: float32 [layers + 1, n, length, dimensions]; hidden[0] is the embedding layer (word, position,
        segment), hidden[-1] the output.
    attention: float32 [layers, n, heads, length, length]; attention[..., i, :] is where token i looks and
        sums to 1.
    """

    tokens: list[list[str]]
    mask: np.ndarray
    hidden: np.ndarray
    attention: np.ndarray


class TextEncoder:
    """A frozen text encoder: list of texts in, one vector a text out.

    model: name of a fetched asset ("minilm"), a local folder with config, tokenizer and weights, or the name
        of a Hugging Face hub repository ("owner/name"), which alone may be downloaded; `revision` names its
        commit or tag.
    pooling: how token vectors become one vector.
        "mean": average of the last layer over all tokens of the text, special tokens included, padding not.
        "cls": the last layer at the first token.
        "max": largest value of each dimension over all tokens of the text, padding left out.
        "word_embeddings": average of the input embedding rows of the text's own tokens (no special tokens, no
        position, no transformer layer): what a bag of words knows.
    dtype: what is computed in; vectors are float32 in any case. "float64" gives the same vectors on every
        processor and number of threads, because rounding to float32 hides where they differ. "float32" takes
        half the time and differs by some 1e-7, which now and then exchanges two near-ties. "bfloat16" is
        faster still where the processor computes in it, slower elsewhere, and exchanges many.
    max_tokens: longer texts are cut to this many tokens, special tokens included, with one warning.
    normalize: divide each vector by its Euclidean length, so that a dot product is a cosine.

    Computation uses as many CPU threads as `torch.get_num_threads()` says when the encoder is made
    (`encoder.threads`). Weights are loaded at the first text that is not in the cache.

    Raises ValueError (unknown pooling or dtype, max_tokens out of range), FileNotFoundError (no such folder,
    or a folder without a model), AssetMissing (asset not fetched yet), OSError (hub repository out of reach).
    """

    def __init__(
        self,
        model: str | Path,
        pooling: str = "mean",
        dtype: str = "float64",
        max_tokens: int = 256,
        normalize: bool = True,
        *,
        revision: str | None = None,
    ):
        if pooling not in POOLINGS:
            raise ValueError(f"unknown pooling {pooling!r}: choose one of {', '.join(POOLINGS)}")
        if dtype not in DTYPES:
            raise ValueError(f"unknown dtype {dtype!r}: choose one of {', '.join(DTYPES)}")
        self.name = str(model)
        self.pooling, self.dtype, self.max_tokens, self.normalize = pooling, dtype, max_tokens, normalize
        self.threads = torch.get_num_threads()
        self._random_seed: int | None = None
        self._folder = _model_folder(model, revision)
        self.config = transformers.AutoConfig.from_pretrained(self._folder, local_files_only=True)
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(self._folder, local_files_only=True)
        longest = self.config.max_position_embeddings
        shortest = self.tokenizer.num_special_tokens_to_add() + 1
        if not shortest <= arguments.whole("max_tokens", max_tokens, 1) <= longest:
            raise ValueError(
                f"max_tokens is {max_tokens}, but {self.name!r} reads {shortest} to {longest} tokens: "
                "choose a number in that range"
            )

    @classmethod
    def random_like(cls, model: str | Path, *, seed: int = 0, **settings) -> TextEncoder:
        """An encoder of the same architecture and tokenizer whose weights are random: the control of every
        claim that pretraining helps. Weights are drawn by the architecture's own initialisation after seeding
        with `seed`; `settings` are those of TextEncoder."""
        seed = arguments.seed(seed)
        encoder = cls(model, **settings)
        encoder._random_seed = seed
        encoder.name = f"random like {encoder.name}, seed {seed}"
        return encoder

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return self.config.hidden_size

    @cached_property
    def model(self) -> transformers.PreTrainedModel:
        """The `transformers` model in evaluation mode, in the encoder's dtype."""
        with _no_loading_bar():
            if self._random_seed is None:
                model = transformers.AutoModel.from_pretrained(
                    self._folder, local_files_only=True, dtype=DTYPES[self.dtype]
                )
            else:
                with torch.random.fork_rng(devices=[]):
                    torch.manual_seed(self._random_seed)
                    # A copy, because a model writes its own settings into the config that it is given. In
                    # float64, because processors draw a float32 in several ways, and round in each.
                    model = transformers.AutoModel.from_config(
                        copy.deepcopy(self.config), dtype=torch.float64
                    )
                model = model.to(DTYPES[self.dtype])
        model = model.eval().requires_grad_(False)
        if self.dtype == "float64":
            for layer in model.modules():
                if isinstance(layer, torch.nn.Linear):
                    layer.forward = partial(_by_numpy, layer)
        return model

    def encode(self, texts: Sequence[str] | Iterable[str], *, cache: bool = True) -> np.ndarray:
        """Vectors of texts: float32 [n, dimensions], row i for text i; unit length if `normalize`.

        texts: list of str, a column of a `datasets.Dataset`, or any iterable of str.
        cache: keep the vectors in the folder `COURSE_VECTORS` if that is set, else in the course's cache
            folder, under a `datasets` fingerprint of the texts, the model's files and every setting that
            changes a vector, and load them from there next time. A file that is damaged is made again; where
            the folder cannot be written, the vectors are not kept, with one warning.

        Warns once if texts are cut to `max_tokens`, with their number.
        Raises ValueError, with the position: no text, one str instead of a list, something else than a str,
        an empty or unreadable text, half a character, and with "word_embeddings" a text of special tokens
        alone.
        """
        texts = arguments.texts(texts)
        # Before the cache is asked: the warning and the errors are the same at every call.
        token_ids = self._token_ids(texts)
        if not cache:
            return self._compute(token_ids)
        fingerprint = Hasher.hash((self._cache_key, texts))
        path = Path(os.environ.get("COURSE_VECTORS") or cache_folder() / "vectors") / f"{fingerprint}.arrow"
        stored = read_table(path)
        kind = pa.list_(pa.float32(), self.dimensions)
        if (
            stored is not None
            and stored.schema.equals(pa.schema({"vector": kind}))
            and len(stored) == len(texts)
        ):
            vectors = stored.column("vector").combine_chunks().flatten().to_numpy()
            return vectors.reshape(len(texts), self.dimensions).copy()
        vectors = self._compute(token_ids)
        rows = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), type=kind)
        batch = pa.record_batch([rows], names=["vector"])
        try:
            with place_for(path) as part:
                write_table(part, batch.schema, [batch])
        except OSError as error:
            warnings.warn(
                f"the vectors cannot be kept in {path.parent} ({error.strerror}) and are computed at every "
                "call: name a folder of your own with COURSE_DATA, or only for vectors with COURSE_VECTORS",
                stacklevel=2,
            )
        return vectors

    def tokens(self, text: str) -> list[str]:
        """The tokens that the encoder reads for one text, special tokens included, cut to `max_tokens`."""
        (ids,) = self._token_ids(arguments.texts([text]))
        return self.tokenizer.convert_ids_to_tokens(ids)

    def hidden_states(self, texts: Sequence[str]) -> TokenStates:
        """Token-level states and attentions of a few texts (64 at most, else ValueError). Never cached."""
        texts = arguments.texts(texts)
        if len(texts) > MOST_TEXTS_TO_LOOK_INTO:
            raise ValueError(
                f"hidden_states got {len(texts)} texts and keeps every layer in memory: "
                f"give it {MOST_TEXTS_TO_LOOK_INTO} at most"
            )
        rows = self._token_ids(texts)
        ids, mask = self._padded(rows)
        usual = self.model.config._attn_implementation  # noqa: SLF001 (there is no public name)
        # The fast attention kernel never forms the weights; "eager" is the same formula, written out.
        self.model.set_attn_implementation("eager")
        try:
            with torch.inference_mode():
                output = self.model(
                    input_ids=ids,
                    attention_mask=mask.long(),
                    output_hidden_states=True,
                    output_attentions=True,
                )
        finally:
            self.model.set_attn_implementation(usual)
        return TokenStates(
            tokens=[self.tokenizer.convert_ids_to_tokens(row) for row in rows],
            mask=mask.numpy(),
            hidden=torch.stack(output.hidden_states).float().numpy(),
            attention=torch.stack(output.attentions).float().numpy(),
        )

    def __repr__(self) -> str:
        return (
            f"TextEncoder({self.name!r}, pooling={self.pooling!r}, dtype={self.dtype!r}, "
            f"max_tokens={self.max_tokens}, normalize={self.normalize}, {self.dimensions} dimensions, "
            f"{self.threads} threads)"
        )

    @cached_property
    def _cache_key(self) -> tuple:
        """Everything besides the texts that a vector depends on."""
        files = _hash_of_files(self._folder, weights=self._random_seed is None)
        settings = (self.pooling, self.dtype, self.max_tokens, self.normalize, self._random_seed)
        return (ENCODE_VERSION, files, settings)

    def _compute(self, token_ids: list[list[int]]) -> np.ndarray:
        batches = list(_batches_by_length([len(row) for row in token_ids]))
        vectors = np.empty((len(token_ids), self.dimensions), dtype=np.float32)

        def fill(batch: np.ndarray) -> int:
            vectors[batch] = self._vectors([token_ids[i] for i in batch])
            return len(batch)

        # tqdm's notebook bar does not read this variable itself, and its terminal bar only at import.
        no_bar = os.environ.get("TQDM_DISABLE") == "1"
        _ = self.model  # load before the threads start: loading is not safe in two threads at once
        with (
            tqdm(total=len(token_ids), desc="Encoding", unit=" texts", delay=2, disable=no_bar) as bar,
            _side_by_side(min(self.threads, len(batches)), self.threads) as side_by_side,
        ):
            for done in side_by_side(fill, batches):
                bar.update(done)
        if len(bad := np.flatnonzero(~np.isfinite(vectors).all(axis=1))):
            raise ValueError(
                f"the vector of the text at position {bad[0]} holds NaN or infinity ({len(bad)} of "
                f"{len(vectors)} do): the weights of {self.name!r} are broken, or {self.dtype} is too "
                "narrow for them"
            )
        return vectors

    @torch.inference_mode()
    def _vectors(self, rows: list[list[int]]) -> np.ndarray:
        ids, mask = self._padded(rows)
        if self.pooling == "word_embeddings":
            special = torch.isin(ids, torch.tensor(self.tokenizer.all_special_ids))
            # [UNK] is a special id to the tokenizer, yet it stands for a word of the text.
            mask &= ~special | (ids == self.tokenizer.unk_token_id)
            states = self.model.get_input_embeddings()(ids)
        else:
            # Without padding no mask is needed, and attention without a mask is faster.
            attend = None if mask.all() else mask.long()
            states = self.model(input_ids=ids, attention_mask=attend).last_hidden_state
        if self.dtype == "bfloat16":
            states = states.float()
        if self.pooling == "cls":
            pooled = states[:, 0]
        elif self.pooling == "max":
            pooled = states.masked_fill(~mask[:, :, None], -torch.inf).amax(dim=1)
        else:
            pooled = (states * mask[:, :, None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)
        if self.normalize:
            # PyTorch takes a vector shorter than 10⁻¹² for zero.
            pooled = torch.nn.functional.normalize(torch.from_numpy(in_reach(pooled.numpy())), dim=1)
        return pooled.float().numpy()

    def _padded(self, rows: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        """Token ids int64 [n, longest] and mask bool [n, longest], padded on the right."""
        longest = max(map(len, rows))
        pad = self.tokenizer.pad_token_id
        ids = torch.tensor([row + [pad] * (longest - len(row)) for row in rows])
        mask = torch.arange(longest) < torch.tensor([len(row) for row in rows])[:, None]
        return ids, mask

    def _token_ids(self, texts: list[str]) -> list[list[int]]:
        def tokenized(some: list[str], **settings) -> list[list[int]]:
            only_ids = {"return_attention_mask": False, "return_token_type_ids": False}
            return self.tokenizer(some, verbose=False, **only_ids, **settings)["input_ids"]

        rows = tokenized(texts)
        added = self.tokenizer.num_special_tokens_to_add()
        for position, row in enumerate(rows):
            if len(row) <= added:
                raise ValueError(
                    f"the text at position {position}, {texts[position][:20]!r}, holds no character that the "
                    f"tokenizer of {self.name!r} reads: give it words, or leave it out"
                )
        too_long = [position for position, row in enumerate(rows) if len(row) > self.max_tokens]
        if too_long:
            warnings.warn(
                f"{len(too_long)} of {len(texts)} texts are longer than {self.max_tokens} tokens and were "
                "cut: raise max_tokens, or shorten them",
                stacklevel=3,
            )
            cut = tokenized([texts[i] for i in too_long], truncation=True, max_length=self.max_tokens)
            for position, row in zip(too_long, cut, strict=True):
                rows[position] = row
        if self.pooling == "word_embeddings":
            # [UNK] is a special id to the tokenizer, yet it stands for a word of the text.
            left_out = set(self.tokenizer.all_special_ids) - {self.tokenizer.unk_token_id}
            for position, row in enumerate(rows):
                if left_out.issuperset(row):
                    raise ValueError(
                        f"the text at position {position}, {texts[position][:20]!r}, is special tokens "
                        "alone, and word_embeddings averages the others: give it words, or leave it out"
                    )
        return rows


def _batches_by_length(lengths: Sequence[int]) -> Iterator[np.ndarray]:
    """Positions, longest text first, cut so that rows × longest row ≤ TOKENS_PER_BATCH (one row at least)."""
    lengths = np.asarray(lengths)
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        rows = max(1, TOKENS_PER_BATCH // lengths[order[start]])
        yield order[start : start + rows]
        start += rows


@contextmanager
def _side_by_side(workers: int, threads: int):
    """Gives `map` for a function that computes with torch: `workers` calls at a time, each with its share of
    `threads`. Results come in order."""
    if workers == 1:
        yield map
        return
    before, share = torch.get_num_threads(), threads // workers
    try:
        with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(share,)) as pool:
            yield pool.map
    finally:
        # What a worker sets is also what later threads of the process would get.
        torch.set_num_threads(before)


def _model_folder(model: str | Path, revision: str | None) -> Path:
    folder = Path(model)
    if folder.is_dir() or folder.is_absolute() or isinstance(model, Path):
        if not folder.is_dir():
            raise FileNotFoundError(f"there is no model folder {folder}: check the path")
    elif "/" in model:
        folder = _from_hub(model, revision)
    else:
        folder = asset_folder(model)
    if not (folder / "config.json").is_file():
        raise FileNotFoundError(f"{folder} holds no config.json: name a folder with a transformers model")
    return folder


def _from_hub(repository: str, revision: str | None) -> Path:
    import huggingface_hub

    try:
        return Path(
            huggingface_hub.snapshot_download(
                repository, revision=revision, allow_patterns=["*.json", "*.txt", "*.model", "*.safetensors"]
            )
        )
    except (OSError, huggingface_hub.errors.HfHubHTTPError) as error:
        raise OSError(
            f"the hub model {repository!r} (revision {revision or 'default'}) could not be had "
            f"({type(error).__name__}): check the name and the network, or set HF_ENDPOINT to a hub in reach"
        ) from error


def _by_numpy(layer: torch.nn.Linear, states: torch.Tensor) -> torch.Tensor:
    """What a linear layer gives, multiplied by numpy where no gradient is wanted.

    In float64 the OpenBLAS of numpy is faster than the MKL of torch on AMD (40 and 32 GFLOP/s on one core),
    and four times as fast where MKL is held to instructions that every processor has.
    """
    if torch.is_grad_enabled():
        return torch.nn.functional.linear(states, layer.weight, layer.bias)
    found = states.flatten(0, -2).numpy() @ layer.weight.numpy().T
    if layer.bias is not None:
        found += layer.bias.numpy()
    return torch.from_numpy(found).unflatten(0, states.shape[:-1])


@cache
def _hash_of_files(folder: Path, *, weights: bool) -> str:
    """SHA-256 over config, tokenizer and (if asked for) weights, by name and content."""
    total = hashlib.sha256()
    suffixes = {".json", ".txt", ".model"} | ({".safetensors", ".bin"} if weights else set())
    for path in sorted(folder.iterdir()):
        if path.suffix in suffixes:
            with path.open("rb") as file:
                total.update(f"{path.name} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return total.hexdigest()


@contextmanager
def _no_loading_bar():
    """No bar for the weights of one small model: it would land in every stored notebook."""
    logging = transformers.utils.logging
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
