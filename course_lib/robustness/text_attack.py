"""Attacks on what an item says of itself: typing errors, and words chosen by the encoder's own gradient."""

from __future__ import annotations

import numpy as np
import torch

from course_lib import arguments
from course_lib.encode import TextEncoder
from course_lib.similarity import in_reach


def swap_letters(text: str, n: int, rng: np.random.Generator, start: int = 0, stop: int | None = None) -> str:
    """`text` with `n` swaps of two neighbouring, different letters inside a word, between `start` and `stop`
    (characters); fewer where there are fewer such places. The first letter of a word stays, as in most typing
    errors. Raises ValueError for what is no str, half a character, and negative numbers."""
    if not isinstance(text, str):
        raise ValueError(f"swap_letters: the text is {type(text).__name__}, not str.")
    arguments.whole_characters("the text", text)
    n, start = arguments.whole("n", n, 0), arguments.whole("start", start, 0)
    arguments.generator(rng)
    letters = list(text)
    stop = len(letters) if stop is None else arguments.whole("stop", stop, 0)
    for _ in range(n):
        places = [
            i
            for i in range(max(start, 1), min(stop, len(letters)) - 1)
            if letters[i - 1].isalpha()
            and letters[i].isalpha()
            and letters[i + 1].isalpha()
            and letters[i].lower() != letters[i + 1].lower()
        ]
        if not places:
            break
        i = int(rng.choice(places))
        letters[i], letters[i + 1] = letters[i + 1], letters[i]
    return "".join(letters)


def whole_words(encoder: TextEncoder) -> np.ndarray:
    """int64 `[n]`: ids of the encoder's tokens that are English-looking words of at least four letters."""
    vocabulary = encoder.tokenizer.get_vocab()
    return np.array(
        sorted(i for word, i in vocabulary.items() if word.isascii() and word.isalpha() and len(word) > 3)
    )


def add_words_by_gradient(
    encoder: TextEncoder,
    text: str,
    users: np.ndarray,
    bars: np.ndarray,
    n: int = 3,
    *,
    words: np.ndarray,
    candidates: int = 24,
    head: np.ndarray | None = None,
    softness: float = 0.03,
) -> list[str]:
    """`n` words that, appended to `text`, let its vector pass the bars of as many users as possible.

    A word is a row of the embedding table. For each place the derivative of the goal by that row says, to
    first order, what any word of the vocabulary would gain there; the `candidates` that promise most are
    tried, and the best stays (the idea of HotFlip: Ebrahimi, Rao, Lowd & Dou 2018).

    Parameters
    ----------
    encoder
        mean pooling, as `TextEncoder` has it by default; the text must leave room for `n` tokens.
    users
        float `[m, d]`, unit length: vectors of the users to win.
    bars
        float `[m]`: the cosine that a text must reach with each. The goal is the mean over users of
        sigmoid((cosine − bar)/`softness`).
    words
        int `[v]`: token ids to choose from (`whole_words`).
    head
        float `[d, d]` or None: a matrix applied to the encoder's vector (`vector @ head`), for an attacker
        who knows of it.

    Raises ValueError for another pooling, a text that is empty, no str, holds half a character or leaves no
    room, arrays of other shapes, NaN and infinity, and ids that are no token.
    """
    if encoder.pooling != "mean":
        raise ValueError(f"add_words_by_gradient needs mean pooling, not {encoder.pooling!r}.")
    arguments.texts([text])
    n = arguments.whole("n", n, 1)
    arguments.real("softness", softness, above=0)
    table = encoder.model.get_input_embeddings().weight
    words = np.asarray(words)
    if words.ndim != 1 or not words.size or words.dtype.kind not in "iu":
        raise ValueError(f"words must be token ids, int [v], got {words.dtype} {words.shape}.")
    if words.min() < 0 or words.max() >= len(table):
        raise ValueError(
            f"words must be token ids from 0 to {len(table) - 1}, got {words.min()}…{words.max()}."
        )
    candidates = min(arguments.whole("candidates", candidates, 1), len(words))
    users = arguments.numbers("users", users, "leave such users out", n_dims=2)
    bars = arguments.numbers("bars", bars, "leave such users out")
    if not len(users) or users.shape != (len(bars), table.shape[1]):
        raise ValueError(
            f"users must be [m, {table.shape[1]}] and bars [m], m ≥ 1, got {users.shape} and {bars.shape}."
        )
    users, bars = (torch.tensor(x, dtype=table.dtype) for x in (users, bars))
    words = torch.tensor(words.astype(np.int64))
    if head is not None:
        head = arguments.numbers("head", head, "train it again", n_dims=2)
        if head.shape != (table.shape[1],) * 2:
            raise ValueError(f"head must be [{table.shape[1]}, {table.shape[1]}], got {head.shape}.")
        # The size of a head does not matter, and PyTorch takes a vector shorter than 10⁻¹² for zero.
        head = torch.tensor(in_reach(head.reshape(1, -1)).reshape(head.shape), dtype=table.dtype)

    def goal(embedded: torch.Tensor) -> torch.Tensor:
        mask = torch.ones(embedded.shape[:2], dtype=torch.long)
        states = encoder.model(inputs_embeds=embedded, attention_mask=mask).last_hidden_state
        vectors = torch.nn.functional.normalize(states.mean(dim=1), dim=1)
        if head is not None:
            vectors = torch.nn.functional.normalize(vectors @ head, dim=1)
        return torch.sigmoid((vectors @ users.T - bars) / softness).mean(dim=1)

    ids = encoder.tokenizer(text)["input_ids"]
    if len(ids) + n > encoder.max_tokens:
        raise ValueError(
            f"the text has {len(ids)} tokens and the encoder reads {encoder.max_tokens}: no room for {n} more"
        )
    added = []
    for _ in range(n):
        place = len(ids) - 1  # before the closing token
        ids = [*ids[:place], encoder.tokenizer.mask_token_id, ids[place]]
        embedded = table[torch.tensor([ids])].detach().clone().requires_grad_(True)
        (gradient,) = torch.autograd.grad(goal(embedded).sum(), embedded)
        promise = table[words] @ gradient[0, place]
        tried = words[promise.argsort(descending=True, stable=True)[:candidates]]
        texts = torch.tensor([ids]).repeat(candidates, 1)
        texts[:, place] = tried
        with torch.no_grad():
            # Rounded, so that of two that are equal the more promising is taken, on every processor.
            best = int(goal(table[texts]).round(decimals=6).argmax())
        ids[place] = int(tried[best])
        added.append(encoder.tokenizer.convert_ids_to_tokens(ids[place]))
    return added
