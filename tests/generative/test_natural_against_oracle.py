"""Links by natural keys against plain Python: rows of both sides with one business key, however many there are."""

from __future__ import annotations

from collections import defaultdict

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines import identity
from pipelines.declarations import Cardinality, NaturalKey, Side
from pipelines.rules import Same
from tests.examples import examples
from tests.generative import harness
from tests.generative.alike import same_rows

SMALL = st.none() | st.integers(1, 3)
WIDE = st.integers(1, 12)
ROW = st.tuples(WIDE | SMALL, SMALL, WIDE | SMALL)
KINDS = {"integers": pa.int64(), "smaller integers": pa.int16(), "texts": pa.string()}
KEYS = {
    "own key": ("id", "sub"),
    "part of own key": ("id",),
    "business key": ("business",),
    "business key of two parts": ("business", "sub"),
}
COLUMNS = ("id", "sub", "business")


def text(key):
    return "|".join(r"\N" if part is None else str(part) for part in key)


def keys(rows, parts):
    """Own key and business key of each row that has both; the second part of the own one may be missing."""
    for row in (dict(zip(COLUMNS, values, strict=True)) for values in rows):
        business = tuple(row[part] for part in parts)
        if row["id"] is not None and row["id"] != 3 and None not in business:
            yield text((row["id"], row["sub"])), business


def links(legacy, service, parts, cardinality):
    """Every pair of own keys with a business key in common, and how sure it is."""
    found = {(one, other) for one, key in keys(legacy, parts) for other, of in keys(service, parts) if key == of}
    several = [defaultdict(int), defaultdict(int)]
    for pair in found:
        for at in (0, 1):
            several[at][pair[at]] += 1
    limited = (cardinality.one_service, cardinality.one_legacy)
    return [(*pair, 0.5 if any(limited[at] and several[at][pair[at]] > 1 for at in (0, 1)) else 1.0) for pair in found]


def held(rows, kind):
    columns = zip(*rows, strict=True) if rows else ([], [], [])
    cast = str if kind == pa.string() else int
    return pa.table({
        name: pa.array([None if value is None else cast(value) for value in column], kind)
        for name, column in zip(COLUMNS, columns, strict=True)
    })  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("parts", KEYS)
def test_links(parts, kind):
    parts, kind = KEYS[parts], KINDS[kind]
    holder = {
        str(side): harness.holder(side, ["id", "sub"], nullable_key=("sub",), scope="CAST(id AS BIGINT) <> 3")
        for side in Side
    }
    rule = tuple(map(Same, parts))

    # Rows that share their own key, and each its business key with one row of the other side.
    @example([(1, 1, 5), (1, 1, 6)], [(2, 1, 5), (2, 1, 6)], False, Cardinality.ONE_TO_ONE)
    @example([(1, 1, 5), (1, 1, 6)], [(2, 1, 5), (2, 2, 6)], False, Cardinality.ONE_TO_ONE)
    @settings(max_examples=examples(40))
    @given(st.lists(ROW, max_size=6), st.lists(ROW, max_size=4), st.booleans(), st.sampled_from(Cardinality))
    def check(legacy, service, copied, cardinality):
        service = service + (legacy if copied else [])
        entity = harness.entity(identity=NaturalKey(rule, rule, cardinality=cardinality), **holder)
        with harness.engine(legacy=held(legacy, pa.int64()), service=held(service, kind)) as engine:
            found = engine.table(identity.build(engine, entity)).cast(identity.SCHEMA).to_pylist()
        told = [(row["legacy_key"], row["service_key"], row["confidence"]) for row in found]
        same_rows(told, links(legacy, service, parts, cardinality))
        assert told == sorted(told)

    check()
