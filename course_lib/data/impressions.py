"""What was shown to whom, and what was clicked."""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from course_lib.data.histories import Histories, csr_of_lists
from course_lib.data.interactions import DataError, Interactions

if TYPE_CHECKING:
    from datasets import Dataset


@dataclass(frozen=True, eq=False, repr=False)
class Impressions:
    """One part of a news log: users who came at some time, with a history, and saw a list of articles.

    rows: a `datasets.Dataset`, one row an impression, memory-mapped where it comes from a loader. Columns:
    impression_id (str); user (int32, position in `user_ids`); time (timestamp in seconds, naive as published:
    MIND names no time zone); history (list of int32, positions in `item_ids` of articles clicked earlier,
    oldest first); shown (list of int32, in the order of the file, which MIND has shuffled: the place on the
    page is not known); clicked (list of int8, 1 or 0 for each shown article).
    user_ids [n_users], item_ids [n_items]: the original ids as text, shared by both parts. name: to print.

    What the methods return is held in memory: take a large set block by block, with `select`.
    """

    rows: "Dataset"
    user_ids: np.ndarray
    item_ids: np.ndarray
    name: str

    @property
    def n_users(self) -> int:
        return len(self.user_ids)

    @property
    def n_items(self) -> int:
        return len(self.item_ids)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def users(self) -> np.ndarray:
        """int64 [n]: the user of each impression."""
        return self._column("user").to_numpy().astype(np.int64)

    @property
    def times(self) -> np.ndarray:
        """datetime64[s] [n]: when, naive as published."""
        return self._column("time").to_numpy().astype("datetime64[s]")

    def histories(self) -> Histories:
        """The history of each impression, [n]: clicked articles, oldest first, without times; an article may
        come back. `users` as in `users`, `now` the time of the impression in seconds, as in `clicks`."""
        items, starts = self._flat("history")
        return Histories(
            items=items,
            starts=starts,
            n_items=self.n_items,
            users=self.users,
            now=self.times.astype(np.int64),
        )

    def lists(self) -> tuple[np.ndarray, np.ndarray]:
        """(shown, clicked): what `Retriever.score` and `course_lib.evaluate.auc` take, m the longest list.

        shown: int64 [n, m], positions of the shown articles in the order of the file, -1 pads.
        clicked: int8 [n, m], 1 clicked, 0 shown only, -1 pads.
        """
        items, ends = self._flat("shown")
        lengths = np.diff(ends)
        there = np.arange(lengths.max(initial=0)) < lengths[:, None]
        shown = np.full(there.shape, -1, dtype=np.int64)
        clicked = np.full(there.shape, -1, dtype=np.int8)
        shown[there] = items
        clicked[there] = self._flat("clicked")[0]
        return shown, clicked

    def relevant(self) -> sparse.csr_array:
        """csr_array float32 [n, n_items]: 1 for the clicked articles of each impression."""
        items, ends = self._flat("shown")
        clicked = self._flat("clicked")[0] == 1
        clicks_before = np.concatenate([[0], np.cumsum(clicked)])
        ones = np.ones(int(clicked.sum()), dtype=np.float32)
        return csr_of_lists(ones, items[clicked], clicks_before[ends], self.n_items)

    def clicks(self) -> Interactions:
        """Who clicked what in these impressions: each pair once, at its earliest time, ordered by pair.

        Timestamps are Unix seconds as if the naive times were UTC: their differences and their order are
        right, their time zone is not known.
        """
        items, ends = self._flat("shown")
        clicked = self._flat("clicked")[0] == 1
        row = np.repeat(np.arange(len(self)), np.diff(ends))[clicked]
        users, items = self.users[row], items[clicked].astype(np.int64)
        seconds = self.times.astype(np.int64)[row]
        by_time = np.argsort(seconds, kind="stable")
        _, earliest = np.unique((users * self.n_items + items)[by_time], return_index=True)
        kept = by_time[earliest]
        return Interactions(
            users[kept],
            items[kept],
            None,
            seconds[kept],
            self.user_ids,
            self.item_ids,
            f"{self.name}, clicks",
        )

    def item_counts(self) -> tuple[np.ndarray, np.ndarray]:
        """(shown, clicked): how often each article was, over all impressions; int64 [n_items] both."""
        items, _ = self._flat("shown")
        clicked = self._flat("clicked")[0] == 1
        return tuple(np.bincount(which, minlength=self.n_items) for which in (items, items[clicked]))

    def select(self, rows: np.ndarray) -> Self:
        """Some impressions, held in memory: `rows` is a bool mask [n] or integer indices in any order.

        Raises `DataError` if the mask has another length or an index lies outside 0..n-1.
        """
        from datasets import Dataset
        from datasets.table import InMemoryTable

        rows = np.asarray(rows)
        if rows.dtype == bool and rows.shape == (len(self),):
            rows = np.flatnonzero(rows)
        elif rows.ndim != 1 or (rows.dtype.kind not in "iu" and rows.size):
            raise DataError(
                f"{self.name}: select needs a bool mask of shape ({len(self)},) or integer indices, "
                f"not {rows.dtype} {rows.shape}."
            )
        elif rows.size and not (rows.min() >= 0 and rows.max() < len(self)):
            raise DataError(
                f"{self.name}: indices of impressions lie in 0..{len(self) - 1}, "
                f"found {rows.min()}..{rows.max()}."
            )
        # A mask goes through the file batch by batch; taking indices would first copy the whole into memory.
        mask = np.zeros(len(self), dtype=bool)
        mask[rows.astype(np.int64)] = True
        table = self._table.filter(pa.array(mask)).combine_chunks()
        if (np.diff(rows) <= 0).any():
            table = table.take(pa.array(np.cumsum(mask)[rows] - 1))
        whole = self.rows._fingerprint  # noqa: SLF001 (there is no public name)
        digest = hashlib.sha256(whole.encode() + rows.astype(np.int64).tobytes())
        chosen = Dataset(InMemoryTable(table), fingerprint=digest.hexdigest()[:16])
        return type(self)(chosen, self.user_ids, self.item_ids, self.name)

    def __repr__(self) -> str:
        shown, clicked = self.n_shown_and_clicked
        return (
            f"{self.name}: {len(self):,} impressions of {len(np.unique(self.users)):,} users, "
            f"{shown:,} articles shown, {clicked:,} of them clicked"
        )

    @property
    def n_shown_and_clicked(self) -> tuple[int, int]:
        """How many articles were shown and how many of them were clicked, over all impressions."""
        clicked = pc.list_flatten(self._column("clicked"))
        return len(clicked), pc.sum(clicked).as_py() or 0

    @property
    def _table(self) -> pa.Table:
        return self.rows.data.table

    def _column(self, name: str) -> pa.ChunkedArray:
        return self._table.column(name)

    def _flat(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """The values of a column of lists, one after the other, and where each row's end: int64 [n + 1]."""
        column = self._column(name)
        lengths = pc.list_value_length(column).to_numpy()
        return pc.list_flatten(column).to_numpy(), np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
