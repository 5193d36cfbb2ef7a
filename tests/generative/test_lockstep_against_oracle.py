"""The sieve in lockstep against plain Python: in whatever order both sides stand, the same passes as through any other.

What remains is handed over: exactly the rows at the places that remain, each once, with the number of its pair.
"""

from __future__ import annotations

from collections import Counter
from random import Random

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines import identity
from pipelines.declarations import Side
from pipelines.sifting import abreast, columnwise, lockstep
from tests.examples import examples
from tests.generative import sides

ORDERS = st.sampled_from(["as they are", "ascending", "shuffled"])
# In one order on both sides or in two, so that every way is taken whatever is drawn; of one row the code differs.
SAME = [(n, n, False, 1.5, "Y" if n == 4 else "X") for n in range(1, 9)]
OTHERWISE = {
    "legacy": [(n, n, False, 1.5, "x") for n in range(1, 9)], "links": [], "copied": "", "kind": pa.int64(),
    "at_once": 3, "alone": True, "orders": ("as they are", "as they are"), "drawn": Random(0),  # noqa: S311 (nothing is kept secret)
}  # fmt: skip


def links_of(rows, way, side, links):
    """What the rows of a side are linked by; those that are linked by nothing are left out."""
    linked = [sides.linked_by(row, way, side is Side.LEGACY, links) for row in rows]
    return [key for key in linked if key is not None]


def are_crowded(both, way, links):
    """Whether so many rows share what links them that there are more pairs than rows."""
    legacy, service = (links_of(rows, way, side, links) for side, rows in zip(Side, both, strict=True))
    return sum(service.count(key) for key in legacy) > min(len(legacy), len(service))


def linking(way):
    return "business" if way == "business key" else "id"


def in_order(rows, way, order, drawn):
    """Rows by what links them, those without it in front, or shuffled; copies stand in one order as they are."""
    if order == "shuffled":
        return drawn.sample(rows, len(rows))
    return sorted(rows, key=lambda row: row[linking(way)] or -1) if order == "ascending" else rows


def one_each(rows):
    """Of rows that share a key, the last."""
    for name in ("id", "business"):
        rows = list({row[name]: row for row in rows}.values())
    return rows


@pytest.mark.parametrize("way", sides.WAYS)
def test_what_passes_and_what_is_handed_over(way, monkeypatch):
    declared, walked, ways = sides.entity(way), [], Counter()

    @example(service=SAME, few=0, **OTHERWISE)
    @example(service=SAME[::-1], few=0, **OTHERWISE)
    @example(service=SAME[::-1], few=1000, **OTHERWISE)
    @settings(max_examples=examples(80))
    @given(
        st.lists(sides.LEGACY, max_size=3) | st.lists(sides.LEGACY, min_size=12, max_size=16),
        st.lists(sides.SERVICE, max_size=8),
        st.just([]) | st.just([]) | st.lists(sides.LINK, max_size=6),
        st.sampled_from(["", "copied", "copied", "negated"]),
        st.sampled_from([pa.int64(), pa.int16()]),
        st.sampled_from([1, 2, 3, 100]),
        st.sampled_from([0, 1000]),
        st.sampled_from([False, True, True, True]),
        st.tuples(ORDERS, ORDERS),
        st.randoms(use_true_random=True),
    )
    def check(legacy, service, links, copied, kind, at_once, few, alone, orders, drawn):
        monkeypatch.setattr(lockstep, "_ROWS_AT_ONCE", at_once)
        monkeypatch.setattr(columnwise, "_ROWS_AT_ONCE", at_once)
        monkeypatch.setattr(columnwise, "_FEW", few)
        known = sides.all_links(links)
        both = [one_each(rows) if alone else rows for rows in sides.both_sides(legacy, service, copied)]
        both = [in_order(rows, way, order, drawn) for rows, order in zip(both, orders, strict=True)]
        tables = dict(zip(Side, (sides.as_table(both[0]), sides.as_table(both[1], kind)), strict=True))
        with sides.prepared(declared, tables, pa.Table.from_pylist(known, identity.SCHEMA)) as (session, files):
            walk = abreast.walk(session, declared, files)
            if walk is None:
                assert are_crowded(both, way, known)
                return
            taken = lockstep if walk.is_in_one_order else columnwise
            found = taken.sift(session, files, walk)
            walked.append(found)
            ways[taken, few] += 1
            handed = [session.table(f'SELECT * FROM "{side} placed"').to_pylist() for side in Side]
            primary = {row["pair"]: row["link_primary"] for row in session.rows('SELECT * FROM "known pairs"')}
        expected = sides.beyond_doubt(*both, known, way)
        assert found.alike == Counter(mask for *_, mask, same in expected if same)
        assert found.known == len(primary)
        for at, side in enumerate(Side):
            left = sorted(set(range(len(both[at]))) - {pair[at] for pair in expected if pair[-1]})
            as_they_are = tables[side].take(pa.array(left, pa.int64())).to_pylist()
            rows = sorted(handed[at], key=lambda row: row["place"])
            assert repr([{name: row[name] for name in row if name != "__pair"} for row in rows]) == repr(as_they_are)
        places = [{row["__pair"]: row["place"] for row in rows if row["__pair"] is not None} for rows in handed]
        assert sorted((*(of[pair] for of in places), is_primary) for pair, is_primary in primary.items()) == sorted(
            (i, j, is_primary) for i, j, is_primary, _, same in expected if not same
        )

    check()
    assert {(columnwise, 0), (columnwise, 1000), (lockstep, 0)} <= {*ways}, "all of them are taken"
    assert any(found.pairs for found in walked)
    assert any(found.known for found in walked)
