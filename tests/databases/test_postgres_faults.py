"""What goes wrong with a Postgres: real servers and kills; nothing half-read is visible, and the next run succeeds."""

from datetime import timedelta

import polars as pl
import pytest
import stamina
from pandera.polars import DataFrameModel

from data.live import postgres
from pipelines.declarations import Env, Postgres, SecretFile, Table
from pipelines.errors import SourceError
from tests.databases.interruption import Interrupted

ROWS = 120_000
BYTES = 1_000  # in a row: a slow reader has 50 MB behind it, with what the driver fetches ahead and what sockets hold
FRAGILE = Postgres(Env("FRAGILE"))


class Thing(DataFrameModel):
    """One row per thing."""

    id: pl.Int64
    body: pl.String


@pytest.fixture(scope="module")
def fragile_server(own_folder):
    """A server that may be killed, with a table too large for the buffers on the way."""
    with postgres.running(own_folder) as server:
        yield server


@pytest.fixture(scope="module")
def filled(fragile_server, schema_of):
    schema = schema_of(fragile_server, "filled")
    schema.run(
        "CREATE TABLE things (id int8, body text)",
        f"INSERT INTO things SELECT g, repeat('x', {BYTES}) || g FROM generate_series(1, {ROWS}) g",
    )
    return schema


@pytest.fixture
def fragile(fragile_server, filled, monkeypatch):
    monkeypatch.setenv("FRAGILE", fragile_server.url())
    yield filled
    fragile_server.revive()


@pytest.fixture
def things(fragile):
    return fragile.table("things", FRAGILE)


@pytest.fixture
def impatient():
    """No waiting between attempts."""
    with stamina.set_testing(testing=True, attempts=2):
        yield


def test_a_connection_that_is_ended_during_the_reading_is_made_again(fragile, things, taking):
    # A block, not a query: the driver does not wait for rows that nobody fetches.
    kill = """DO $$ BEGIN
        PERFORM pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = 'coexist';
    END $$"""
    source = Interrupted(things, lambda: fragile.run(kill))

    taken = taking.take(source, Thing)

    assert source.opened == 2
    assert taken.manifest.rows == ROWS
    assert taken.manifest.digest == taking.take(things, Thing).manifest.digest


def test_a_server_that_is_restarted_during_the_reading_is_waited_for(fragile_server, things, taking):
    source = Interrupted(things, fragile_server.restart)

    assert taking.take(source, Thing).manifest.rows == ROWS
    assert source.opened == 2


@pytest.mark.usefixtures("impatient")
def test_a_server_that_stays_away_changes_nothing_and_the_next_run_succeeds(fragile_server, things, taking):
    before = taking.take(things, Thing, run_id="before").manifest

    with pytest.raises(SourceError, match=r"connection was lost|connection refused") as raised:
        taking.take(Interrupted(things, fragile_server.stop), Thing, run_id="during")

    assert raised.value.transient
    assert taking.lake.verify(taking.address(), thorough=True) == before
    fragile_server.start()
    assert taking.take(things, Thing, run_id="after").manifest.digest == before.digest


@pytest.mark.usefixtures("impatient")
def test_a_server_that_stands_still_is_given_up(fragile_server, fragile, taking):
    patient = fragile.table("things", Postgres(Env("FRAGILE"), silence=timedelta(seconds=1)))

    with pytest.raises(SourceError, match=r"no answer for 1 seconds") as raised:
        taking.take(Interrupted(patient, fragile_server.freeze, times=9), Thing)

    assert raised.value.transient
    assert taking.lake.addresses("legacy") == []
    fragile_server.freeze(thawed=True)
    assert taking.take(patient, Thing).manifest.rows == ROWS


def test_a_statement_that_takes_too_long_is_told(fragile, taking):
    fragile.run("CREATE VIEW slow AS SELECT 1::int8 AS id, pg_sleep(20)::text AS body")
    slow = fragile.table("slow", Postgres(Env("FRAGILE"), timeout=timedelta(milliseconds=200)))

    with pytest.raises(SourceError, match="longer than the declared timeout") as raised:
        taking.take(slow, Thing)
    assert not raised.value.transient


def test_a_table_that_changes_during_the_reading_is_read_as_it_was(fragile, things, taking):
    before = taking.take(things, Thing).manifest.digest

    def change():
        fragile.run("DELETE FROM things WHERE id % 2 = 0", "UPDATE things SET body = 'changed'")

    assert taking.take(Interrupted(things, change), Thing).manifest.digest == before
    assert taking.take(things, Thing).manifest.rows == ROWS // 2


def test_a_shared_moment_that_is_lost_fails_the_reading(fragile_server, things, taking):
    with FRAGILE.hold() as moment:
        fragile_server.restart()
        with pytest.raises(SourceError, match="the moment this run shares is gone") as raised:
            taking.take(things, Thing, moments={FRAGILE: moment})
    assert not raised.value.transient


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql://postgres:{password}@nosuch.invalid:{port}/postgres", "host"),
        ("postgresql://postgres:wrong-secret@127.0.0.1:{port}/postgres", "wrong password or role"),
        ("postgresql://nobody:wrong-secret@127.0.0.1:{port}/postgres", "wrong password or role"),
        ("postgresql://postgres:{password}@127.0.0.1:{port}/nosuch", "there is no such database"),
        ("postgresql://postgres:{password}@127.0.0.1:1/postgres", "nothing listens there"),
        ("mysql://postgres:{password}@127.0.0.1/postgres", "no postgresql://"),
        ("postgresql://postgres:sec/ret@127.0.0.1/postgres", "written %XX"),
        ("postgresql://postgres:sec@ret@127.0.0.1/postgres", "written %XX"),
        ("postgresql://postgres:sec#ret@127.0.0.1/postgres", "written %XX"),
    ],
)
@pytest.mark.usefixtures("impatient")
def test_no_way_in(server, taking, monkeypatch, url, message):
    monkeypatch.setenv("FRAGILE", url.format(password=server.password, port=server.port))

    with pytest.raises(SourceError, match=message) as raised:
        taking.take(Table("things", FRAGILE), Thing)
    assert raised.value.transient is ("nothing listens" in message or "looked up now" in str(raised.value))
    for secret in ("sec", "wrong-secret", server.password):
        assert secret not in str(raised.value).replace("second", "")


def test_a_password_kept_apart(server, db, taking, monkeypatch, tmp_path):
    db.run("CREATE TABLE things (id int8, body text)", "CREATE ROLE \"apart\" LOGIN PASSWORD 'p@ss/w#rd %'")
    db.run(f"GRANT USAGE ON SCHEMA {db.name} TO apart", "GRANT SELECT ON things TO apart")
    (tmp_path / "password").write_text("p@ss/w#rd %\n")
    monkeypatch.setenv("FRAGILE", f"postgresql://apart@127.0.0.1:{server.port}/postgres")
    database = Postgres(Env("FRAGILE"), password=SecretFile(str(tmp_path / "password")))

    assert taking.take(db.table("things", database), Thing).manifest.rows == 0
    with pytest.raises(SourceError, match="wrong password"):
        taking.take(db.table("things", FRAGILE), Thing)


YESTERDAYS = (
    ("REVOKE ALL ON things FROM reader", "the role may not read it", False),
    ("ALTER TABLE things ENABLE ROW LEVEL SECURITY", "the role may not read it", False),
    ("ALTER ROLE reader CONNECTION LIMIT 0", "not now", True),
    ("DROP TABLE things", "there is no such table", False),
    ("ALTER TABLE things RENAME body TO bodies", r'"body" is missing; did you mean "bodies"\?', False),
    ("ALTER TABLE things ALTER id TYPE interval USING NULL", '"id" is interval, expected int64', False),
)


@pytest.fixture
def reader(server, db, monkeypatch):
    """A role that may read one table."""
    db.run("DROP OWNED BY reader" if db.knows("reader") else "SELECT 1", "DROP ROLE IF EXISTS reader")
    db.run(
        "CREATE TABLE things (id int8, body text)",
        "INSERT INTO things VALUES (1, 'a')",
        "CREATE ROLE reader LOGIN PASSWORD 'secret'",
        f"GRANT USAGE ON SCHEMA {db.name} TO reader",
        "GRANT SELECT ON things TO reader",
    )
    monkeypatch.setenv("FRAGILE", server.url("reader", "secret"))
    return db


@pytest.mark.parametrize(("statement", "message", "passing"), YESTERDAYS)
@pytest.mark.usefixtures("impatient")
def test_what_was_readable_yesterday(reader, taking, statement, message, passing):
    table = reader.table("things", FRAGILE)
    yesterday = taking.take(table, Thing, run_id="yesterday").manifest

    reader.run(statement)

    with pytest.raises(SourceError, match=message) as raised:
        taking.take(table, Thing, run_id="today")
    assert raised.value.transient is passing
    assert taking.lake.verify(taking.address(), thorough=True) == yesterday


def test_a_value_that_sql_cannot_compute_with_is_not_shown(fragile, taking):
    """Far behind the first rows, where the driver knows no SQLSTATE."""
    fragile.run(
        "CREATE VIEW odd AS SELECT g::int8 AS id, (1 / (400000 - g))::text AS body FROM generate_series(1, 500000) g"
    )

    with pytest.raises(SourceError, match="cannot compute with a value of some row") as raised:
        taking.take(fragile.table("odd", FRAGILE), Thing)
    assert not raised.value.transient
    assert taking.lake.addresses("legacy") == []
