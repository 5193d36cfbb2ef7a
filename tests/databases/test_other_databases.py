"""Databases through SQLAlchemy: MariaDB for real where it is installed, SQLite everywhere."""

import sqlite3
from contextlib import closing
from datetime import datetime

import polars as pl
import pyarrow as pa
import pytest
from pandera.polars import DataFrameModel

from pipelines.declarations import Env, Holder, SqlDatabase, Table
from pipelines.errors import IntegrityError, SourceError
from pipelines.sources.relational import session

SQLITE = SqlDatabase(Env("COEXIST_TEST_SQLITE"))


class Thing(DataFrameModel):
    """One row per thing."""

    id: pl.Int64
    name: pl.String


@pytest.fixture
def lite(tmp_path, monkeypatch):
    """Run statements on a SQLite file, which `SQLITE` refers to."""
    monkeypatch.setenv("COEXIST_TEST_SQLITE", f"sqlite:///{tmp_path / 'it.db'}")

    def run(*statements):
        with closing(sqlite3.connect(tmp_path / "it.db")) as connection, connection:
            for statement in statements:
                connection.execute(statement)

    return run


def test_declared_columns_are_read_and_others_reported(maria, read):
    maria.run(
        "CREATE TABLE policies (id bigint, note varchar(20), `select` int, clerk text)",
        "INSERT INTO policies VALUES (1, 'a: 100 %', 5, 'x'), (2, NULL, NULL, NULL)",
    )

    found = read(maria.table("policies"), note=pa.string(), select=pa.int8(), id=pa.int64())

    assert found.rows.to_pylist() == [
        {"note": "a: 100 %", "select": 5, "id": 1},
        {"note": None, "select": None, "id": 2},
    ]
    assert found.undeclared == ("clerk",)
    assert datetime.fromisoformat(found.notes["taken_at"]).tzinfo is not None


@pytest.mark.parametrize("kind", ["maria", "lite"])
def test_the_partition_chooses_rows_and_expressions_make_columns(request, read, kind):
    made = request.getfixturevalue(kind)
    statements = (
        "CREATE TABLE history (id int, valid_on date)",
        "INSERT INTO history VALUES (1, '2026-03-19'), (2, '2026-03-20'), (3, '2026-03-20')",
    )
    about = {"where": "valid_on = {date} AND '10:00' > '10%:01'", "columns": {"twice": "2 * id"}}
    if kind == "maria":
        made.run(*statements)
        table = made.table("history", **about)
    else:
        made(*statements)
        table = Table("history", SQLITE, **about)

    assert read(table, twice=pa.int32()).rows["twice"].to_pylist() == [4, 6]


def test_expressions_of_single_precision_have_all_their_digits(maria, read):
    """MariaDB writes six digits of them, unless it is told otherwise."""
    maria.run("CREATE TABLE things (id int, weight float)", "INSERT INTO things VALUES (1, 16777216), (2, 1.23456789)")
    table = maria.table("things", columns={"heavy": "weight", "whole": "id"})

    found = read(table, heavy=pa.float64(), whole=pa.int64(), id=pa.int64())

    assert found.rows["heavy"].to_pylist() == [16777216.0, 1.2345678806304932]
    assert found.unreadable == []


def test_many_rows_and_long_texts_arrive_in_batches(maria, read):
    maria.run(
        "CREATE TABLE many (id int, body longtext)",
        "INSERT INTO many SELECT seq, IF(seq % 5000 = 0, REPEAT('ä', 524288), seq) FROM seq_1_to_20000",
    )

    found = read(maria.table("many"), id=pa.int32(), body=pa.string())

    assert found.rows["id"].to_pylist() == list(range(1, 20_001))
    bodies = found.rows["body"].to_pylist()
    assert [body for body in bodies if len(body) > 10] == ["ä" * 524_288] * 4


def test_a_row_that_does_not_fit_is_rejected_and_the_others_stay(lite, read):
    lite("CREATE TABLE things (id, name)", "INSERT INTO things VALUES (1, 'a'), ('x', 'b'), (3, 3.5), (NULL, NULL)")

    found = read(Table("things", SQLITE), id=pa.int64(), name=pa.string())

    assert found.rows.to_pylist() == [{"id": 1, "name": "a"}, {"id": 3, "name": "3.5"}, {"id": None, "name": None}]
    assert found.unreadable == [
        {
            "row_number": 2,
            "check": "type",
            "field": "id",
            "reason": "expected int64",
            "raw": '{"id": "x", "name": "b"}',
        }
    ]


@pytest.mark.parametrize(
    ("statement", "table", "message"),
    [
        ("CREATE TABLE things (id bigint)", "thinks", r"there is no such table; did you mean \"test_\d+.things\"\?"),
        ("CREATE TABLE things (id bigint, nam text)", "things", r'column "name" is missing; did you mean "nam"\?'),
        ("CREATE TABLE things (id time, name text)", "things", 'column "id" is TIME, expected int64'),
    ],
)
def test_what_is_not_as_declared(maria, taking, statement, table, message):
    maria.run(statement)

    with pytest.raises(SourceError, match=message) as raised:
        taking.take(maria.table(table), Thing)
    assert not raised.value.transient
    assert taking.lake.addresses("legacy") == []


def test_another_number_of_rows_than_counted_is_no_snapshot(lite, taking, monkeypatch):
    lite("CREATE TABLE things (id, name)", "INSERT INTO things VALUES (1, 'a'), (2, 'b')")
    honest = session.Session.rows
    monkeypatch.setattr(session.Session, "rows", lambda self, sql: [(3,)] if "COUNT" in sql else honest(self, sql))

    with pytest.raises(IntegrityError, match="2 rows were read, but the source counts 3"):
        taking.take(Table("things", SQLITE), Thing)
    assert taking.lake.addresses("legacy") == []


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("no url: secret", "no URL of a database"),
        ("nosuch://role:secret@host/db", "no URL of a database"),
        ("postgresql://role:secret@host/db", "declare it as Postgres"),
        ("oracle+oracledb://role:secret@host/db", "driver oracledb is not installed"),
        ("sqlite:////no/such/folder/secret.db", "the file cannot be opened"),
    ],
)
def test_urls_that_lead_nowhere_are_told_without_showing_them(monkeypatch, read, url, message):
    monkeypatch.setenv("COEXIST_TEST_SQLITE", url)

    with pytest.raises(SourceError, match=message) as raised:
        read(Table("things", SQLITE), id=pa.int64())
    assert "secret" not in str(raised.value)
    assert not raised.value.transient


def test_only_postgres_is_read_in_ranges():
    found = list(Table("things", SQLITE, split_by="id", columns={"nam": "x"}).misfits(["id", "name"]))

    assert [(misfit.attribute, misfit.hint) for misfit in found] == [
        ("columns", 'did you mean "name"?'),
        ("split_by", ""),
    ]
    assert Holder(source=Table("things", SQLITE), contract=Thing, key=("id",)).source.describe()
