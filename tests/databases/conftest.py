"""A Postgres of our own for every worker of the tests, a schema in it for every test, and ways to read from it."""

import itertools
import os
import shutil
import tempfile
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import adbc_driver_postgresql.dbapi
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.live import mariadb, postgres
from data.live.servers import Absent
from pipelines import snapshot
from pipelines.declarations import (
    Context,
    Daily,
    Entity,
    Env,
    Exact,
    Field,
    Holder,
    NaturalKey,
    Owner,
    Postgres,
    Same,
    Side,
    SqlDatabase,
    Table,
)
from pipelines.lake import Address, Lake
from pipelines.sources.source import Place

DAY = "2026-03-20"
URL, MARIADB_URL = "COEXIST_TEST_POSTGRES", "COEXIST_TEST_MARIADB"
_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def folder():
    """A folder that other users may enter, unlike pytest's own."""
    made = Path(tempfile.mkdtemp(prefix="coexist-servers-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def own_folder(folder):
    """The same for a server of a module's own, whatever other modules have left."""
    made = Path(tempfile.mkdtemp(dir=folder))
    made.chmod(0o755)
    return made


@pytest.fixture(scope="session")
def server(folder):
    with postgres.running(folder) as running:
        yield running


@dataclass(frozen=True)
class Schema:
    """A schema of the server; its tables are named without it."""

    server: postgres.Server
    name: str

    def run(self, *statements):
        with closing(adbc_driver_postgresql.dbapi.connect(self.server.url(), autocommit=True)) as connection:
            for statement in (f"SET search_path = {self.name}, public", *statements):
                with closing(connection.cursor()) as cursor:
                    cursor.execute(statement)

    def knows(self, role):
        connect = adbc_driver_postgresql.dbapi.connect
        with closing(connect(self.server.url())) as connection, closing(connection.cursor()) as cursor:
            cursor.execute(f"SELECT count(*) FROM pg_roles WHERE rolname = '{role}'")
            return cursor.fetchone() == (1,)

    def table(self, name, of=None, **about):
        return Table(f"{self.name}.{name}", of or Postgres(Env(URL)), **about)


@pytest.fixture(scope="session")
def schema_of():
    """Makes a schema of a server."""

    def make(server, name):
        schema = Schema(server, name)
        schema.run(f"CREATE SCHEMA {name}")
        return schema

    return make


@pytest.fixture(scope="session")
def schema_named(server, schema_of):
    """Makes a schema of the server that all tests share."""
    return lambda name: schema_of(server, name)


@pytest.fixture
def db(server, schema_named, monkeypatch):
    monkeypatch.setenv(URL, server.url())
    return schema_named(f"test_{next(_NUMBERS)}")


@pytest.fixture(scope="session")
def absent():
    """Skip for want of a server; or fail, where whoever runs the tests has installed it."""

    def tell(reason):
        if os.environ.get("CI_INSTALLS"):
            raise reason
        pytest.skip(str(reason))

    return tell


@pytest.fixture(scope="session")
def mariadb_server(folder, absent):
    try:
        with mariadb.running(folder) as running:
            yield running
    except Absent as reason:
        absent(reason)


@dataclass(frozen=True)
class Catalogue:
    """A database of the MariaDB server."""

    server: mariadb.Server
    name: str

    def run(self, *statements):
        with closing(self.server.connect()) as connection, connection.cursor() as cursor:
            cursor.execute("SET sql_mode = ''")  # so that zero dates can be stored
            for statement in (f"USE {self.name}", *statements):
                cursor.execute(statement)

    def ask(self, query):
        with closing(self.server.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())

    def table(self, name, of=None, **about):
        return Table(f"{self.name}.{name}", of or SqlDatabase(Env(MARIADB_URL)), **about)


@pytest.fixture(scope="session")
def catalogue_of():
    """Makes a database of a server."""

    def make(server, name):
        with closing(server.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        return Catalogue(server, name)

    return make


@pytest.fixture(scope="session")
def catalogue_named(mariadb_server, catalogue_of):
    """Makes a database of the server that all tests share."""
    return lambda name: catalogue_of(mariadb_server, name)


@pytest.fixture
def maria(mariadb_server, catalogue_named, monkeypatch):
    monkeypatch.setenv(MARIADB_URL, mariadb_server.url())
    return catalogue_named(f"test_{next(_NUMBERS)}")


@dataclass(frozen=True)
class Read:
    """Everything that was read."""

    rows: pa.Table
    unreadable: list
    undeclared: tuple
    notes: dict


@pytest.fixture
def read():
    """Read a source as a schema of these columns."""

    def whole(source, place=None, **columns):
        schema = pa.schema(list(columns.items()))
        with source.open(place or Place(Path(), DAY), schema) as reading:
            batches = list(reading.batches)
        rows = pa.Table.from_batches([batch.rows for batch in batches], schema)
        unreadable = [row for batch in batches for row in batch.unreadable.to_pylist()]
        assert reading.rows == rows.num_rows + len(unreadable)
        return Read(rows, unreadable, reading.undeclared, reading.notes)

    return whole


def entity_of(name, source, model, key):
    holder = Holder(source=source, contract=model, key=(key,))
    return Entity(
        name, description=name, owner=Owner("x"), legacy=holder, service=holder,
        identity=NaturalKey((Same(key),), (Same(key),)), fields=(Field(key, Same(key), Exact()),),
    )  # fmt: skip


@dataclass(frozen=True)
class Taking:
    """Snapshots into a lake of one's own."""

    lake: Lake
    root: Path

    def take(self, source, model, *, name="things", run_id="run 1", moments=None):
        entity = entity_of(name, source, model, "id")
        context = Context(
            "shop", description="x", owner=Owner("x"), partitioning=Daily(date(2026, 3, 1)), entities=(entity,),
            root=self.root,
        )  # fmt: skip
        return snapshot.take(
            entity, Side.LEGACY, context=context, partition=DAY, lake=self.lake, run_id=run_id, moments=moments
        )

    def address(self, name="things", stage="legacy"):
        return Address("shop", name, stage, DAY)

    def file(self, name="things", stage="legacy"):
        return self.lake.file(self.address(name, stage))

    def rows(self, name="things", stage="legacy"):
        return pq.read_table(self.file(name, stage)).to_pylist()


@pytest.fixture
def taking(tmp_path):
    return Taking(Lake(tmp_path / "lake"), tmp_path)
