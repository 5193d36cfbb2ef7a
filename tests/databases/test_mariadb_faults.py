"""What goes wrong with a MariaDB: real servers and kills; nothing half-read is visible, and the next run succeeds."""

import signal
from datetime import timedelta

import polars as pl
import pytest
import stamina
from pandera.polars import DataFrameModel

from data.live import mariadb
from data.live.servers import Absent
from pipelines.declarations import Env, SqlDatabase, Table
from pipelines.errors import SourceError
from tests.databases.interruption import Interrupted

pytestmark = pytest.mark.slow
ROWS = 60_000
FRAGILE = SqlDatabase(Env("FRAGILE"))


class Thing(DataFrameModel):
    """One row per thing."""

    id: pl.Int64
    body: pl.String


@pytest.fixture(scope="module")
def fragile_server(own_folder, absent):
    try:
        with mariadb.running(own_folder) as server:
            yield server
    except Absent as reason:
        absent(reason)


@pytest.fixture(scope="module")
def filled(fragile_server, catalogue_of):
    catalogue = catalogue_of(fragile_server, "filled")
    catalogue.run(
        "CREATE TABLE things (id bigint, body text)",
        f"INSERT INTO things SELECT seq, CONCAT(REPEAT('x', 600), seq) FROM seq_1_to_{ROWS}",
    )
    return catalogue


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
    reading = "SELECT id FROM information_schema.processlist WHERE command = 'Query' AND id <> connection_id()"

    def kill():
        for (process,) in fragile.ask(reading):
            fragile.run(f"KILL {process}")

    source = Interrupted(things, kill)

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
    patient = fragile.table("things", SqlDatabase(Env("FRAGILE"), silence=timedelta(seconds=1)))
    stop = Interrupted(patient, lambda: fragile_server.process.send_signal(signal.SIGSTOP), times=9)

    with pytest.raises(SourceError, match="no answer for 1 seconds") as raised:
        taking.take(stop, Thing)

    assert raised.value.transient
    assert taking.lake.addresses("legacy") == []
    fragile_server.revive()
    assert taking.take(patient, Thing).manifest.rows == ROWS


def test_a_statement_that_takes_too_long_is_told(fragile, taking):
    fragile.run("CREATE VIEW slow AS SELECT id, CAST(SLEEP(0.1) AS CHAR) AS body FROM things")
    slow = fragile.table("slow", SqlDatabase(Env("FRAGILE"), timeout=timedelta(milliseconds=500)))

    with pytest.raises(SourceError, match="longer than the declared timeout") as raised:
        taking.take(slow, Thing)
    assert not raised.value.transient


def test_a_table_that_changes_during_the_reading_is_read_as_it_was(fragile, things, taking):
    before = taking.take(things, Thing).manifest.digest

    def change():
        fragile.run("DELETE FROM things WHERE id % 2 = 0", "UPDATE things SET body = 'changed'")

    assert taking.take(Interrupted(things, change), Thing).manifest.digest == before
    assert taking.take(things, Thing).manifest.rows == ROWS // 2


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mariadb+pymysql://coexist:{password}@nosuch.invalid:{port}/mysql", "host"),
        ("mariadb+pymysql://coexist:wrong-secret@127.0.0.1:{port}/mysql", "wrong password or role"),
        ("mariadb+pymysql://coexist:{password}@127.0.0.1:{port}/nosuch", "there is no such database"),
        ("mariadb+pymysql://coexist:{password}@127.0.0.1:1/mysql", "nothing listens there"),
    ],
)
@pytest.mark.usefixtures("impatient")
def test_no_way_in(mariadb_server, taking, monkeypatch, url, message):
    monkeypatch.setenv("FRAGILE", url.format(password=mariadb_server.password, port=mariadb_server.port))

    with pytest.raises(SourceError, match=message) as raised:
        taking.take(Table("things", FRAGILE), Thing)
    assert raised.value.transient is ("nothing listens" in message or "looked up now" in str(raised.value))
    assert "wrong-secret" not in str(raised.value)
    assert mariadb_server.password not in str(raised.value)


YESTERDAYS = (
    ("REVOKE ALL ON things FROM reader@'%'", "there is no such table|may not read"),
    ("DROP TABLE things", "there is no such table"),
    ("ALTER TABLE things CHANGE body bodies text", r'"body" is missing; did you mean "bodies"\?'),
    ("ALTER TABLE things MODIFY id time", '"id" is TIME, expected int64'),
)


@pytest.fixture
def reader(mariadb_server, maria, monkeypatch):
    """A role that may read two tables."""
    maria.run(
        "CREATE TABLE things (id bigint, body text)",
        "INSERT INTO things VALUES (1, 'a')",
        "CREATE TABLE others (id bigint)",
        "CREATE OR REPLACE USER reader@'%' IDENTIFIED BY 'secret'",
        "GRANT SELECT ON things TO reader@'%'",
        "GRANT SELECT ON others TO reader@'%'",
    )
    monkeypatch.setenv("FRAGILE", mariadb_server.url(maria.name, "reader", "secret"))
    return maria


@pytest.mark.parametrize(("statement", "message"), YESTERDAYS)
def test_what_was_readable_yesterday(reader, taking, statement, message):
    table = Table("things", FRAGILE)
    yesterday = taking.take(table, Thing, run_id="yesterday").manifest

    reader.run(statement)

    with pytest.raises(SourceError, match=message) as raised:
        taking.take(table, Thing, run_id="today")
    assert not raised.value.transient
    assert taking.lake.verify(taking.address(), thorough=True) == yesterday
