"""docs/discrepancies.md: the types and reasons it lists are those that a small world with every trouble gives."""

import json
import re
from datetime import date, timedelta

import duckdb
import polars as pl
import pytest
from pandera.polars import DataFrameModel
from pandera.polars import Field as ContractField

from pipelines import catalog, causes, reconciliation
from pipelines.classification import TYPES
from pipelines.cli import remedies
from pipelines.declarations import (
    Clean,
    Context,
    Csv,
    Daily,
    Decode,
    Entity,
    Exact,
    Field,
    Holder,
    IdentityTable,
    Merges,
    Owner,
    SoftDelete,
)
from pipelines.job import Job
from pipelines.lake import Lake

PAGE = "docs/discrepancies.md"
DAYS = ("2026-03-02", "2026-03-03", "2026-03-04")

# Rows are the same on all days but for those that change: `value` may hold a value per day.
LEGACY = """
N,01,live,A,calm
N,02,live,A,calm A B B
N,03,live,A,calm A A B
N,04,live,Q,unknown code
N,05,live,A,other value
N,06,live,A,no link at all
N,07,live,A,link to a row that is not there
N,08,live,A,two candidates
N,09,live,A,two certain counterparts
N,10,live,A,counterpart out of scope
N,11,live,A,twice
N,11,live,A,twice
,12,live,A,no region
N,13,gone,A,deleted here only
N,14,live,A,deleted there only
N,15,live,A,merged into 01
N,16,live,A,in a circle of merges
N,17,live,A,in a circle of merges
N,18,test,A,not of this world
"""
SERVICE = """
s01,real,false,ACTIVE
s02,real,false,ACTIVE
s03,real,false,ACTIVE
s04,real,false,ACTIVE
s05,real,false,CANCELLED
s08a,real,false,ACTIVE
s08b,real,false,ACTIVE
s09a,real,false,ACTIVE
s09b,real,false,ACTIVE
s10,test,false,ACTIVE
s11,real,false,ACTIVE
s13,real,false,ACTIVE
s14,real,true,ACTIVE
s16,real,false,ACTIVE
"""
LINKS = """
N,01,s01,1
N,02,s02,1
N,03,s03,1
N,04,s04,1
N,05,s05,1
N,07,s07,1
N,08,s08a,0.5
N,08,s08b,0.5
N,09,s09a,1
N,09,s09b,1
N,10,s10,1
N,11,s11,1
N,13,s13,1
N,14,s14,1
N,16,s16,1
"""
MERGES = """
N,15,N,01
N,16,N,17
N,17,N,16
"""
WANTED = {
    ("N|02", "s02"): ("stale_replica", "behind_beyond_lag"),
    ("N|03", "s03"): ("stale_replica", "behind_within_lag"),
    ("N|04", "s04"): ("invalid_transformation", "untranslatable"),
    ("N|05", "s05"): ("unexplained", "no_evidence"),
    ("N|06", None): ("key_linkage", "unmapped"),
    ("N|07", "s07"): ("key_linkage", "dangling"),
    ("N|08", "s08a"): ("key_linkage", "ambiguous"),
    ("N|08", "s08b"): ("key_linkage", "ambiguous"),
    ("N|09", "s09a"): ("key_linkage", "cardinality_violated"),
    ("N|09", "s09b"): ("key_linkage", "cardinality_violated"),
    ("N|10", "s10"): ("key_linkage", "out_of_scope"),
    ("N|11", "s11"): ("key_linkage", "duplicate_key"),
    ("\\N|12", None): ("key_linkage", "null_key"),
    ("N|13", "s13"): ("stale_replica", "deletion_not_propagated"),
    ("N|14", "s14"): ("semantic_contradiction", "written_by_replica"),
    ("N|16", "s16"): ("key_linkage", "ambiguous"),
    ("N|17", None): ("key_linkage", "unmapped"),
}


class LegacyThing(DataFrameModel):
    REGION: pl.String = ContractField(nullable=True)
    NO: pl.String
    STATE: pl.String
    CODE: pl.String


class ServiceThing(DataFrameModel):
    thing_id: pl.String
    tenant: pl.String
    is_deleted: pl.Boolean
    code: pl.String


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    for number, day in enumerate(DAYS):
        write(folder / f"legacy_{day}.csv", "REGION,NO,STATE,CODE", (legacy(line, number) for line in lines(LEGACY)))
        write(folder / f"service_{day}.csv", "thing_id,tenant,is_deleted,code", lines(SERVICE))
        write(folder / f"links_{day}.csv", "REGION,NO,thing_id,confidence", lines(LINKS))
        write(folder / f"merges_{day}.csv", "FROM_REGION,FROM_NO,INTO_REGION,INTO_NO", lines(MERGES))
    context = Context(
        "world",
        description="Every trouble once",
        owner=Owner("Team"),
        partitioning=Daily(date(2026, 3, 2)),
        entities=(things(),),
        root=folder,
    )
    lake = Lake(folder / "lake")
    for day in DAYS:
        reconciliation.reconcile(Job(context, context.entities[0], day, lake))
    with duckdb.connect(str(catalog.publish(lake, [(context, context.entities[0])])), read_only=True) as connection:
        yield connection


def things():
    return Entity(
        "things",
        description="Things",
        owner=Owner("Team"),
        legacy=Holder(
            source=Csv("legacy_{date}.csv"),
            contract=LegacyThing,
            key=("REGION", "NO"),
            scope="STATE <> 'test'",
            deletion=SoftDelete("STATE = 'gone'"),
        ),
        service=Holder(
            source=Csv("service_{date}.csv"),
            contract=ServiceThing,
            key=("thing_id",),
            scope="tenant = 'real'",
            deletion=SoftDelete("is_deleted"),
        ),
        identity=IdentityTable(
            Csv("links_{date}.csv"),
            legacy=("REGION", "NO"),
            service=("thing_id",),
            confidence="confidence",
            merges=Merges(
                Csv("merges_{date}.csv"), merged=("FROM_REGION", "FROM_NO"), survivor=("INTO_REGION", "INTO_NO")
            ),
        ),
        fields=(Field("code", Decode(Clean("CODE"), {"A": "ACTIVE", "B": "BLOCKED"}), Exact()),),
        allowed_lag=timedelta(hours=36),
    )


def lines(text):
    return text.strip("\n").splitlines()


def legacy(line, day):
    region, number, state, code, about = line.split(",")
    changing = re.findall(r"\b[AB]\b", about)
    return ",".join((region, number, state, changing[day] if changing else code))


def write(path, head, rows):
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")


def test_every_row_is_found_with_its_type_and_reason(world):
    found = world.execute(
        "SELECT legacy_key, service_key, type, reason FROM discrepancies WHERE business_date = ?", [DAYS[-1]]
    ).fetchall()

    assert {(legacy_key, service_key): kind for legacy_key, service_key, *kind in found} == {
        keys: list(kind) for keys, kind in WANTED.items()
    }
    assert len(found) == len(WANTED)


def test_a_broken_merge_is_named_in_the_evidence(world):
    found = world.execute("SELECT evidence FROM discrepancies WHERE legacy_key = 'N|16'").fetchall()

    assert [json.loads(evidence)["problem"] for (evidence,) in found] == ["merge_cycle"] * len(DAYS)


def test_the_page_lists_every_cause_there_is(page):
    listed = [
        (part.section.strip("`"), row["reason"].strip("`"))
        for part in page(PAGE)
        for row in part.rows
        if part.section.strip("`") in TYPES and "reason" in row
    ]

    known = causes.precedence().to_pylist()
    assert sorted(listed) == sorted((row["type"], row["reason"]) for row in known)
    assert set(WANTED.values()) <= set(listed)


def test_what_to_do_is_what_explain_says(page):
    listed = {
        row["reason"].strip("`"): row["what to do"].replace("`", "")
        for part in page(PAGE)
        for row in part.rows
        if "what to do" in row
    }

    assert listed == {reason: remedies.of_reason(reason) for reason in listed}
    assert remedies.of_reason("rule_violated")
