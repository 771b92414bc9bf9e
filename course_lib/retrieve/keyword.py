"""Retrieval by shared words: BM25, the bar for every text vector."""

from __future__ import annotations

from collections.abc import Sequence

import bm25s
import numpy as np
import scipy.sparse as sp

from course_lib import arguments
from course_lib.data import Catalogue, Histories, Interactions
from course_lib.retrieve.base import Retriever
from course_lib.retrieve.candidates import Candidates


class KeywordRetriever(Retriever):
    """BM25 over the items' text (`bm25s`, Lucene's variant, k1 = 1.5, b = 0.75, English stop words left out).

    BM25 adds up over the words of a query, so a user's query is every word of every item in the history, as
    often as it occurs there; their order is ignored. An item that shares no word with the
    query is not offered; in a catalogue of stop words alone no query finds anything.
    """

    name = "keywords (BM25)"

    def __init__(self, fields: Sequence[str] = ("title", "genres")) -> None:
        arguments.names("fields", fields)
        self.fields = fields

    def search(self, texts: Sequence[str], k: int) -> Candidates:
        """The `k` items with the highest BM25 score for each query; no user is involved. Needs `fit`.

        Raises ValueError for a query that is empty, no str, or holds half a character, with its position.
        """
        self._check_fitted()
        words = _words(arguments.texts(texts))
        return Candidates.from_catalogue_scores(self._scores_of_queries(self._word_counts(words)), k)

    def _fit(self, train: Interactions, catalogue: Catalogue | None) -> None:
        if catalogue is None:
            raise ValueError(f"{self.name}: items are made from text, so call fit(train, catalogue).")
        item_words = _words(catalogue.describe(*self.fields))
        if not any(map(any, item_words)):  # bm25s cannot index nothing
            self._word_ids, self._word_scores = {}, sp.csr_array((0, self.n_items), dtype=np.float32)
            self._item_word_counts = self._word_counts(item_words)
            return
        index = bm25s.BM25()
        index.index(item_words, show_progress=False)
        self._word_ids = {word: place for word, place in index.vocab_dict.items() if word}
        parts = index.scores  # bm25s scores every (item, word) pair when it builds the index
        self._word_scores = sp.csc_array(
            (parts["data"], parts["indices"], parts["indptr"]), shape=(self.n_items, len(parts["indptr"]) - 1)
        ).T
        self._item_word_counts = self._word_counts(item_words)

    def _score_block(self, histories: Histories) -> np.ndarray:
        return self._scores_of_queries(histories.matrix @ self._item_word_counts)

    def _score_items(self, histories: Histories, items: np.ndarray) -> np.ndarray:
        return self._scores_of_queries(histories.matrix @ self._item_word_counts, items)

    def _word_counts(self, texts: list[list[str]]) -> sp.csr_array:
        known = [[self._word_ids[word] for word in words if word in self._word_ids] for words in texts]
        rows = np.repeat(np.arange(len(known)), [len(words) for words in known])
        columns = np.concatenate([np.asarray(words, dtype=np.int64) for words in known])
        counts = np.ones(len(columns), dtype=np.float32)
        return sp.csr_array((counts, (rows, columns)), shape=(len(known), self._word_scores.shape[0]))

    def _scores_of_queries(self, word_counts: sp.csr_array, items: slice = slice(None)) -> np.ndarray:
        # In float64, rounded by the caller: bm25s numbers the words in another order in every process.
        scores = (word_counts.astype(np.float64) @ self._word_scores[:, items]).toarray()
        scores[scores <= 0] = -np.inf
        return scores


def _words(texts: Sequence[str]) -> list[list[str]]:
    return bm25s.tokenize(list(texts), stopwords="english", return_ids=False, show_progress=False)
