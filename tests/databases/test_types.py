"""Every type with its extreme values, as the tables of docs/databases.md show them: exact, rejected or refused."""

import re
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest

from pipelines.declarations import Env, SqlDatabase, Table
from pipelines.errors import SourceError
from pipelines.types import INT128

PAGE = Path(__file__).parents[2] / "docs" / "databases.md"
KINDS = {
    "Boolean": pa.bool_(), "Float64": pa.float64(), "String": pa.string(), "Date": pa.date32(),
    "Float32": pa.float32(), "Time": pa.time64("us"), "Duration": pa.duration("us"), "Binary": pa.binary(),
    "Int128": INT128, "List(Int64)": pa.list_(pa.int64()), "Datetime ms": pa.timestamp("ms"),
    "Struct": pa.struct([("a", pa.decimal128(5, 2)), ("b", pa.string())]),
    "Datetime": pa.timestamp("us"), "Datetime UTC": pa.timestamp("us", tz="UTC"),
    **{f"{sign}Int{bits}": getattr(pa, f"{sign.lower()}int{bits}")() for sign in ("", "U") for bits in (8, 16, 32, 64)},
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A row of a table of types; its column in the database is named by its number."""

    name: str
    type: str
    value: str
    declared: str
    arrives: str

    def __str__(self):
        return f"{self.type}-{self.value}-{self.declared}"

    @property
    def kind(self):
        digits = re.fullmatch(r"Decimal\((\d+), (\d+)\)", self.declared)
        return pa.decimal128(*map(int, digits.groups())) if digits else KINDS[self.declared]


def cases(heading):
    section = PAGE.read_text(encoding="utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in section.splitlines() if line.startswith("|")]
    cells = [[cell.strip().replace("&lt;", "<") for cell in row] for row in rows[2:]]
    return [Case(f"c{number}", *row) for number, row in enumerate(cells)]


POSTGRES, MARIADB, SQLITE = map(cases, ("Types: Postgres", "Types: MariaDB and MySQL", "Types: SQLite"))


def columns_of(some):
    return ", ".join(f"{case.name} {case.type}" for case in some)


def values_of(some):
    return ", ".join(case.value for case in some)


def shown(found):
    """What arrived, in the words of the table."""
    if found.unreadable:
        return f"rejected: {found.unreadable[0]['reason']}"
    (value,) = (row["it"] for row in found.rows.to_pylist())
    return "missing" if value is None else repr(value) if isinstance(value, str) else str(value)


def arrived(read, table, case):
    try:
        return shown(read(table, it=case.kind))
    except SourceError as error:
        return "refused: " + str(error).partition('column "it" ')[2]


@pytest.fixture(scope="module")
def postgres_types(schema_named):
    schema = schema_named("types")
    schema.run(
        "CREATE TYPE mood AS ENUM ('fair', 'foul')",
        "CREATE DOMAIN positive AS int4 CHECK (value > 0)",
        "CREATE TYPE pair AS (a int4, b text)",
        f"CREATE TABLE every ({columns_of(POSTGRES)})",
        f"INSERT INTO every VALUES ({values_of(POSTGRES)})",
        *(f"CREATE VIEW v_{case.name} AS SELECT {case.name} AS it FROM every" for case in POSTGRES),
    )
    return schema


@pytest.mark.parametrize("case", POSTGRES, ids=str)
def test_postgres(postgres_types, db, read, case):  # noqa: ARG001 (db sets the URL)
    assert arrived(read, postgres_types.table(f"v_{case.name}"), case) == case.arrives


@pytest.fixture(scope="module")
def mariadb_types(catalogue_named):
    catalogue = catalogue_named("types")
    catalogue.run(
        f"CREATE TABLE every ({columns_of(MARIADB)})",
        f"INSERT INTO every VALUES ({values_of(MARIADB)})",
        *(f"CREATE VIEW v_{case.name} AS SELECT {case.name} AS it FROM every" for case in MARIADB),
    )
    return catalogue


@pytest.mark.parametrize("case", MARIADB, ids=str)
def test_mariadb(mariadb_types, maria, read, case):  # noqa: ARG001 (maria sets the URL)
    assert arrived(read, mariadb_types.table(f"v_{case.name}"), case) == case.arrives


@pytest.mark.parametrize("case", SQLITE, ids=str)
def test_sqlite(tmp_path, monkeypatch, read, case):
    monkeypatch.setenv("SQLITE", f"sqlite:///{tmp_path}/it.db")
    with sqlite3.connect(tmp_path / "it.db") as connection:
        connection.execute(f"CREATE TABLE t (it {case.type})")
        connection.execute(f"INSERT INTO t VALUES ({case.value})")
    connection.close()

    assert arrived(read, Table("t", SqlDatabase(Env("SQLITE"))), case) == case.arrives
