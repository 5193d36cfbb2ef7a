"""Tables of a Postgres: declared columns, exactly, as of one moment."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pandera.polars import DataFrameModel

from pipelines.declarations import ParquetFile
from pipelines.errors import SourceError


class Thing(DataFrameModel):
    """One row per thing."""

    id: pl.Int64
    name: pl.String


def test_declared_columns_are_read_and_others_reported(db, read):
    db.run(
        "CREATE TABLE policies (id int8, premium numeric(12, 2), since date, note text, clerk text)",
        "INSERT INTO policies VALUES (1, 10.5, '2026-01-31', 'ä', 'x'), (2, NULL, NULL, NULL, NULL)",
    )

    found = read(db.table("policies"), premium=pa.decimal128(12, 2), id=pa.int64(), since=pa.date32(), note=pa.string())

    assert found.rows.to_pylist() == [
        {"premium": Decimal("10.50"), "id": 1, "since": date(2026, 1, 31), "note": "ä"},
        {"premium": None, "id": 2, "since": None, "note": None},
    ]
    assert found.undeclared == ("clerk",)
    assert found.unreadable == []


def test_the_partition_chooses_rows(db, read):
    db.run(
        "CREATE TABLE history (id int4, valid_on date)",
        "INSERT INTO history VALUES (1, '2026-03-19'), (2, '2026-03-20'), (3, '2026-03-21')",
    )

    found = read(db.table("history", where="valid_on = {date}"), id=pa.int32())

    assert found.rows["id"].to_pylist() == [2]


def test_a_column_by_an_expression(db, read):
    db.run("CREATE TABLE things (nr int4, name char(5))", "INSERT INTO things VALUES (1, 'a')")
    table = db.table("things", columns={"id": "'T' || nr", "name": "rtrim(name)"})

    assert read(table, id=pa.string(), name=pa.string()).rows.to_pylist() == [{"id": "T1", "name": "a"}]


def test_a_view_and_names_that_need_quotes(db, read):
    db.run('CREATE TABLE "Odd ""table" ("select" int4)')
    db.run('CREATE VIEW seen AS SELECT "select" AS "A b" FROM "Odd ""table"')

    assert read(db.table("seen"), **{"A b": pa.int32()}).rows.num_rows == 0
    assert read(db.table('Odd "table'), select=pa.int32()).rows.num_rows == 0


@pytest.mark.parametrize("split_by", ["id", "name", "at", "half"])
def test_ranges_read_side_by_side_hold_every_row_once(db, read, split_by):
    db.run(
        "CREATE TABLE many (id int8, name text, at timestamptz, half int4)",
        "INSERT INTO many SELECT g, chr(97 + g % 26) || g, now() + g * interval '1 s', nullif(g % 3, 0) "
        "FROM generate_series(1, 20000) g",
    )
    columns = {"id": pa.int64(), "name": pa.string()}

    split = read(db.table("many", split_by=split_by, ranges=3), **columns)

    assert split.rows.sort_by("id").equals(read(db.table("many"), **columns).rows.sort_by("id"))
    assert split.rows.equals(read(db.table("many", split_by=split_by, ranges=3), **columns).rows)


def test_ranges_of_a_table_without_rows(db, read):
    db.run("CREATE TABLE none (id int8)")

    assert read(db.table("none", split_by="id"), id=pa.int64()).rows.num_rows == 0


def test_a_megabyte_of_text_arrives_whole(db, read):
    db.run("CREATE TABLE long (id int4, body text)", "INSERT INTO long VALUES (1, repeat('ä', 524288)), (2, 'short')")

    bodies = read(db.table("long"), id=pa.int32(), body=pa.string()).rows["body"].to_pylist()

    assert bodies == ["ä" * 524_288, "short"]


def test_the_manifest_and_the_file_say_which_moment_was_read(db, taking):
    db.run("CREATE TABLE things (id int8, name text)", "INSERT INTO things VALUES (1, 'a')")
    before = datetime.now(UTC)

    taken = taking.take(db.table("things"), Thing)

    told = taken.manifest.notes["source"]
    assert set(told) == {"snapshot", "lsn", "taken_at"}
    assert before <= datetime.fromisoformat(told["taken_at"]) <= datetime.now(UTC)
    footer = json.loads(pq.read_metadata(taking.file()).metadata[b"coexist.notes"])
    assert footer == taken.manifest.notes
    assert taking.rows() == [{"id": 1, "name": "a"}]


def test_the_same_rows_have_the_same_digest_as_from_a_file(db, taking):
    db.run("CREATE TABLE things (id int4, name varchar(9))", "INSERT INTO things VALUES (1, 'a'), (2, 'b')")
    pq.write_table(pa.table({"id": pa.array([1, 2], pa.int64()), "name": ["a", "b"]}), taking.root / "things.parquet")
    from_table = taking.take(db.table("things"), Thing)
    from_file = taking.take(ParquetFile("things.parquet"), Thing)

    assert from_table.manifest.digest == from_file.manifest.digest


@pytest.mark.parametrize(
    ("statement", "table", "message"),
    [
        ("CREATE TABLE things (id int8)", "thinks", r"there is no such table; did you mean \"test_\d+.things\"\?"),
        ("CREATE TABLE things (id int8, nam text)", "things", r'column "name" is missing; did you mean "nam"\?'),
        ("CREATE TABLE things (id interval, name text)", "things", 'column "id" is interval, expected int64'),
        ("CREATE TABLE things (id float8, name text)", "things", 'column "id" is float8, expected int64'),
    ],
)
def test_what_is_not_as_declared(db, taking, statement, table, message):
    db.run(statement)

    with pytest.raises(SourceError, match=message) as raised:
        taking.take(db.table(table), Thing)
    assert not raised.value.transient
    assert taking.lake.addresses("legacy") == []
