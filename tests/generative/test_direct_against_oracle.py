"""The direct sieve against plain Python: a pair passes when nothing else is linked alike and both rows say the same."""

from __future__ import annotations

import struct
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import direct, engine, enrolment, identity, roll, rows, translation
from pipelines.comparators import Exact
from pipelines.declarations import Field, NaturalKey, Side, SoftDelete
from pipelines.rules import Decode, Same
from tests.generative import harness

CODES = {"x": "X", "y": "Y"}
NAN = float("nan")
NUMBERS = st.sampled_from([None, 0.0, -0.0, NAN, 1.5, 1.5])
OWN = st.none() | st.integers(1, 9)
BUSINESS = st.sampled_from([None, 1, 2, 3, 4, 5, 6, 7, 8, 9])
SELDOM = st.sampled_from([False, False, False, False, False, True])
LEGACY = st.tuples(OWN, BUSINESS, SELDOM, NUMBERS, st.sampled_from(["x", "x", "y", None, "?"]))
SERVICE = st.tuples(OWN, BUSINESS, SELDOM, NUMBERS, st.sampled_from(["X", "X", "Y", None]))
LINK = st.tuples(OWN, OWN, st.booleans(), SELDOM, st.sampled_from([None, None, None, None, "merge_cycle"]))
COLUMNS = ["id", "business", "dead", "number", "code"]
FIELDS = (
    Field("number", Same("number"), Exact()),
    Field("code", Decode("code", CODES), Exact(), compared_when="number IS NULL OR link_primary"),
)
WAYS = {
    "own key": NaturalKey((Same("id"),), (Same("id"),)),
    "business key": NaturalKey((Same("business"),), (Same("business"),)),
    "table": None,
}


def entity(way):
    holders = {str(side): harness.holder(side, ["id"], deletion=SoftDelete("dead"), scope="id <> 9") for side in Side}
    return harness.entity(FIELDS, **holders, **({"identity": WAYS[way]} if WAYS[way] else {}))


def bits(number):
    return None if number is None else struct.pack("d", number)


def negated(number):
    return None if number is None else -number


def linked_by(row, way, legacy, links):
    """What a row is linked by: None when by nothing, or by a link that leaves doubt."""
    if way != "table":
        return row["id"] if way == "own key" else row["business"]
    if not legacy:
        return row["id"]
    of_row = [link for link in links if link["legacy_key"] == str(row["id"])]
    if len(of_row) != 1 or of_row[0]["is_merged"] or of_row[0]["problem"]:
        return None
    beside = [link for link in links if link["service_key"] == of_row[0]["service_key"]]
    return int(of_row[0]["service_key"]) if len(beside) == 1 else None


def beyond_doubt(legacy, service, links, way):
    """The places of the pairs so linked, is their link primary, are all fields compared, do both say the same."""
    keys = [[linked_by(row, way, of is legacy, links) for row in of] for of in (legacy, service)]
    own = [Counter(row["id"] for row in of) for of in (legacy, service)]
    found = []
    for i, row in enumerate(legacy):
        for j, other in enumerate(service):
            key = keys[0][i]
            linked = key is not None and key == keys[1][j] and all(of.count(key) == 1 for of in keys)
            alone = all(each["id"] is not None and own[at][each["id"]] == 1 for at, each in enumerate((row, other)))
            said = row["code"] is None or row["code"] in CODES
            same = (bits(row["number"]), CODES.get(row["code"])) == (bits(other["number"]), other["code"])
            live = not any(each["dead"] or each["id"] == 9 for each in (row, other))
            if linked and alone and live:
                primary = [link["is_primary"] for link in links if link["legacy_key"] == str(row["id"])] == [True]
                primary = primary and way == "table"
                found.append((i, j, primary, int(other["number"] is None or primary), said and same))
    return found


@contextmanager
def prepared(declared, tables, links):
    """An engine with what the direct sieve needs."""
    with TemporaryDirectory() as folder, engine.opened() as session:
        for side, table in tables.items():
            pq.write_table(table, Path(folder) / f"{side}.parquet")
            session.scan_rows(side, Path(folder) / f"{side}.parquet", adding=enrolment.keyed(declared, side))
        session.register("links", links)
        roll.single_links(session, links="links", on="2026-01-01")
        session.view("service values", f"SELECT * FROM service WHERE {rows.live(declared.service)}")
        translation.translate(session, declared, rows="legacy", into="legacy values")
        enrolment.enrol(session, declared)
        yield session


def as_table(held, code):
    kinds = {"id": pa.int64(), "business": pa.int64(), "dead": pa.bool_(), "number": pa.float64(), "code": pa.string()}
    schema = pa.schema([(name, code if name == "business" else kind) for name, kind in kinds.items()])
    return pa.Table.from_pylist(
        [row | ({"business": row["business"] and str(row["business"])} if code == pa.string() else {}) for row in held],
        schema,
    )


@pytest.mark.parametrize("way", WAYS)
def test_what_passes_and_what_remains(way):
    declared = entity(way)

    @settings(max_examples=40, deadline=None)
    @given(
        st.lists(LEGACY, max_size=9),
        st.lists(SERVICE, max_size=5),
        st.just([]) | st.lists(LINK, max_size=6),
        st.sampled_from(["", "copied", "negated"]),
        st.sampled_from([pa.int64(), pa.int16(), pa.string()]),
    )
    def check(legacy, service, links, copied, kind):
        copies = [(*row[:3], negated(row[3]) if copied == "negated" else row[3], CODES.get(row[4])) for row in legacy]
        both = [
            [dict(zip(COLUMNS, row, strict=True)) for row in of]
            for of in (legacy, service + (copies if copied else []))
        ]
        told = links or [(n, n, n % 2 == 0, False, None) for n in range(1, 10)]
        known = [
            {"legacy_key": str(of), "service_key": str(to), "is_primary": primary, "is_merged": merged, "problem": why}
            for of, to, primary, merged, why in told
            if of is not None and to is not None
        ]
        tables = {
            side: as_table(of, kind if side is Side.SERVICE else pa.int64())
            for side, of in zip(Side, both, strict=True)
        }
        with prepared(declared, tables, pa.Table.from_pylist(known, identity.SCHEMA)) as session:
            found = direct.sift(session, declared, rows=sum(map(len, both)))
        expected = beyond_doubt(*both, known, way)
        assert found.alike == Counter(mask for *_, mask, same in expected if same)
        for at, side in enumerate(Side):
            left = set(range(len(both[at]))) - {pair[at] for pair in expected if pair[-1]}
            assert sorted(found.places(side)["position"].to_pylist()) == sorted(left)
        primary = {row["pair"]: row["link_primary"] for row in found.known().to_pylist()}
        places = [{row["__pair"]: row["position"] for row in found.places(side).to_pylist()} for side in Side]
        assert sorted((*(of[pair] for of in places), is_primary) for pair, is_primary in primary.items()) == sorted(
            (i, j, is_primary) for i, j, is_primary, _, same in expected if not same
        )

    check()
