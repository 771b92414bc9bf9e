"""The same numbers as trec_eval, by its own C code, wherever both have the metric.

Its conventions: it sorts by score and breaks ties its own way, so it is given score = −rank; users without a
relevant item are left out; NDCG has linear gain; recall and MAP divide by all relevant items.
"""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.evaluate import evaluate
from course_lib.retrieve import Candidates

pytrec_eval = pytest.importorskip("pytrec_eval", reason="pytrec_eval-terrier is not installed")

CUT_OFFS = (1, 3, 5, 10)
SAME = {
    "P": "precision",
    "recall": "recall",
    "success": "hit_rate",
    "map_cut": "map",
    "ndcg_cut": "ndcg_linear",
}


@st.composite
def cases(draw):
    """Graded relevance, tied and missing scores, users with nothing to find, lists shorter than k."""
    n_users, n_items = draw(st.integers(1, 4)), draw(st.integers(1, 12))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scores = generator.choice([-np.inf, 0.0, 0.25, 0.5, 1.0], size=(n_users, n_items))
    relevance = generator.choice([0, 0, 0, 1, 2, 3], size=(n_users, n_items))
    return scores, relevance


@settings(max_examples=600, deadline=None, derandomize=True)
@given(cases())
def test_agreement(case):
    scores, relevance = case
    n_users, n_items = scores.shape
    lists = Candidates.from_catalogue_scores(scores, n_items)
    judged = {
        str(user): {str(item): int(relevance[user, item]) for item in range(n_items)}
        for user in range(n_users)
    }
    runs = {
        str(user): {str(item): -float(rank) for rank, item in enumerate(lists.ids[user]) if item >= 0}
        for user in range(n_users)
    }
    cuts = ",".join(map(str, CUT_OFFS))
    theirs = pytrec_eval.RelevanceEvaluator(judged, {f"{name}.{cuts}" for name in SAME} | {"recip_rank"})
    theirs = theirs.evaluate(runs)
    wide = lists.padded(max(n_items, *CUT_OFFS))
    names = [f"{ours}@{k}" for ours in SAME.values() for k in CUT_OFFS]
    report = evaluate(wide, sp.csr_array(relevance.astype(float)), [*names, f"mrr@{wide.width}"])
    for user in range(n_users):
        if not relevance[user].any():
            assert all(np.isnan(values[user]) for values in report.per_user.values())
            continue
        for name, ours in SAME.items():
            for k in CUT_OFFS:
                expected = theirs[str(user)][f"{name}_{k}"]
                assert report.per_user[f"{ours}@{k}"][user] == pytest.approx(expected, abs=1e-6), (ours, k)
        expected = theirs[str(user)]["recip_rank"]
        assert report.per_user[f"mrr@{wide.width}"][user] == pytest.approx(expected, abs=1e-6)
