"""Two sides and, in plain Python, which pairs are linked beyond doubt: when nothing else is linked alike."""

from __future__ import annotations

import struct
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

from pipelines import engine, rows, translation
from pipelines.comparators import Exact
from pipelines.declarations import Field, NaturalKey, Side, SoftDelete
from pipelines.rules import Decode, Same
from pipelines.sifting import enrolment, roll
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
    """An engine with the rolls of both sides, and the files they are of."""
    with TemporaryDirectory() as folder, engine.opened() as session:
        files = {side: Path(folder) / f"{side}.parquet" for side in Side}
        for side, table in tables.items():
            pq.write_table(table, files[side])
            session.scan_rows(side, files[side], adding=enrolment.keyed(declared, side))
        session.register("links", links)
        roll.single_links(session, links="links", on="2026-01-01")
        session.view("service values", f"SELECT * FROM service WHERE {rows.live(declared.service)}")
        translation.translate(session, declared, rows="legacy", into="legacy values")
        enrolment.enrol(session, declared)
        yield session, files


def as_table(held, key=None):
    """Rows as a table, their place in a column of its own; the business key as another type."""
    kinds = {
        "id": pa.int64(),
        "business": key or pa.int64(),
        "dead": pa.bool_(),
        "number": pa.float64(),
        "code": pa.string(),
    }
    read = str if key == pa.string() else int
    rows = [{**row, "business": row["business"] and read(row["business"])} for row in held]
    table = pa.Table.from_pylist(rows, pa.schema(list(kinds.items())))
    return table.append_column("place", pa.array(range(len(held)), pa.int64()))


def all_links(told):
    """A table of links (`identity.SCHEMA`) of those told; without any, every key is linked to itself."""
    listed = told or [(n, n, n % 2 == 0, False, None) for n in range(1, 10)]
    return [
        {"legacy_key": str(of), "service_key": str(to), "is_primary": primary, "is_merged": merged, "problem": why}
        for of, to, primary, merged, why in listed
        if of is not None and to is not None
    ]


def both_sides(legacy, service, copied):
    """Rows of both sides; the service may hold copies of legacy's as well, translated, or with another sign."""
    copies = [(*row[:3], negated(row[3]) if copied == "negated" else row[3], CODES.get(row[4])) for row in legacy]
    sides = (legacy, service + (copies if copied else []))
    return [[dict(zip(COLUMNS, row, strict=True)) for row in of] for of in sides]
