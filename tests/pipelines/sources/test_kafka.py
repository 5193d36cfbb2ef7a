"""Kafka topics as sources, from a real broker: order, repeatable readings, folding, Debezium, faults."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pandera.polars as pandera
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines import journal, reconciliation, snapshot
from pipelines.declarations import (
    Context,
    Daily,
    Entity,
    Env,
    EventLog,
    EventType,
    Exact,
    Field,
    Holder,
    IdentityTable,
    Kafka,
    Login,
    NaturalKey,
    Owner,
    Same,
    Side,
)
from pipelines.errors import SourceError
from pipelines.job import Job
from pipelines.lake import Address, Lake
from pipelines.sources.kafka import log
from pipelines.sources.source import Place
from tests.pipelines.sources.logs import PATIENCE, Broker
from tests.pipelines.sources.reading import read, reasons

pytestmark = pytest.mark.live
ROOT = Path(__file__).parents[3]
IMPATIENCE = timedelta(seconds=1)
SCHEMA = pa.schema([("id", pa.int64()), ("name", pa.string()), ("premium", pa.decimal128(9, 2))])
D1, D2, D3 = "2026-03-20", "2026-03-21", "2026-03-22"


@pytest.fixture(scope="module")
def broker():
    return Broker()


@pytest.fixture
def topic(request, broker):
    """A topic of the test's own, to be sent to and read from."""
    name = request.node.name.replace("[", "-").strip("]").replace(" ", "_")[:200]

    class Topic:
        def send(self, *messages):
            broker.send(name, *messages)

        def source(self, **declared):
            return Kafka(name, broker.servers, patience=PATIENCE, **declared)

    return Topic()


def row(number, name="Ann", **more):
    return {"id": number, "name": name, **more}


def test_messages_come_in_the_order_of_partitions_and_offsets(topic, tmp_path):
    topic.send((None, row(1, premium=1.10), 1), ("k", row(2, x=0), 0), (None, row(3), 1), (None, row(4), 0))
    schema = pa.schema([*SCHEMA, ("key", pa.string()), ("part", pa.int32()), ("at", pa.int64())])
    paths = {"key": "/$key", "part": "/$partition", "at": "/$offset"}

    rows, unreadable, reading = read(topic.source(paths=paths), tmp_path, schema)

    assert rows == {
        1: (2, "Ann", None, "k", 0, 0),
        2: (4, "Ann", None, None, 0, 1),
        3: (1, "Ann", Decimal("1.10"), None, 1, 0),
        4: (3, "Ann", None, None, 1, 1),
    }
    assert unreadable == []
    assert reading.undeclared == ("x",)
    assert reading.notes["offsets"]["0"] == [0, 2]
    assert reading.notes["messages"] == 4


def test_times_of_messages(topic, tmp_path):
    before = datetime.now(UTC)
    topic.send((None, {}, 0))

    rows, _, _ = read(
        topic.source(paths={"at": "/$timestamp"}), tmp_path, pa.schema([("at", pa.timestamp("us", "UTC"))])
    )

    assert abs((rows[1][0] - before).total_seconds()) < 10


def test_messages_that_say_nothing_are_unreadable_and_say_where_they_are(topic, tmp_path):
    topic.send((None, b"{", 0), (None, row("x"), 0), (None, b"\xff", 0), (None, row(4), 0))

    rows, unreadable, _ = read(topic.source(), tmp_path, SCHEMA)

    assert list(rows) == [4]
    assert reasons(unreadable) == {
        1: ("record", None, "expected a JSON object"),
        2: ("type", "id", "expected int64"),
        3: ("encoding", None, "expected valid utf-8"),
    }
    assert json.loads(unreadable[0]["raw"]) == {"at": "partition 0, offset 0", "record": "{"}


def test_a_partition_reads_the_same_again_and_the_next_one_goes_on(topic, tmp_path):
    noted = {}

    def taken(day):
        rows, _, reading = read_for(topic.source(), tmp_path, day, noted)
        noted[day] = reading.notes
        return [values[0] for values in rows.values()]

    topic.send(*((None, row(n), n % 2) for n in range(10)))
    first = taken(D1)
    topic.send(*((None, row(n), n % 2) for n in range(10, 16)))
    third = taken(D3)

    assert first == [0, 2, 4, 6, 8, 1, 3, 5, 7, 9]
    assert third == [10, 12, 14, 11, 13, 15]
    assert taken(D1) == first
    assert taken(D2) == []
    assert taken(D3) == third


def read_for(source, folder, day, noted):
    with source.open(Place(folder, day, lambda: noted), SCHEMA) as reading:
        batches = list(reading.batches)
    rows = [tuple(row.values()) for batch in batches for row in batch.rows.to_pylist()]
    return dict(enumerate(rows, 1)), batches, reading


def test_what_remains_of_many_changes_is_what_a_dictionary_would_hold(topic, tmp_path):
    chance, state, messages = random.Random(5), {}, []  # noqa: S311 (values of a test)
    for n in range(3000):
        key = chance.randrange(200)
        value = None if chance.random() < 0.2 else row(n, name=f"key {key}")
        messages.append((str(key), value, key % 3))
        state.pop(key, None)
        if value:
            state[key] = n
    topic.send(*messages)

    rows, unreadable, reading = read(topic.source(keep="latest"), tmp_path, SCHEMA)

    assert unreadable == []
    assert {values[1]: values[0] for values in rows.values()} == {f"key {key}": n for key, n in state.items()}
    assert len(rows) == len(state)
    assert reading.notes["messages"] == 3000


def test_a_key_that_is_in_another_partition_since_there_are_more_has_one_state(topic, tmp_path):
    topic.send(*((key, row(n, name="old"), 0) for n, key in enumerate("abc")))
    time.sleep(0.01)  # the clock of messages has milliseconds
    topic.send(("a", row(0, name="new"), 1), ("b", None, 1), (None, row(3), 1), (None, row(4), 0))

    rows, _, _ = read(topic.source(keep="latest"), tmp_path, SCHEMA)

    assert [values[:2] for values in rows.values()] == [(2, "old"), (0, "new")]


def test_messages_without_a_key_have_no_state(topic, tmp_path):
    topic.send((None, row(1), 0), (None, row(2), 0), ("k", row(3), 0))

    rows, unreadable, _ = read(topic.source(keep="latest"), tmp_path, SCHEMA)

    assert rows == {3: (3, "Ann", None)}
    assert set(reasons(unreadable).values()) == {("record", None, "expected a key")}
    assert len(unreadable) == 2


def change(op, before, after, lsn=0):
    return {"op": op, "before": before, "after": after, "source": {"lsn": lsn, "table": "policies"}, "ts_ms": 1}


DEBEZIUM = (
    ("1", change("r", None, row(1), 10), 0),
    ("2", change("c", None, row(2), 11), 0),
    ("1", {"schema": {"type": "struct"}, "payload": change("u", row(1), row(1, name="Ida"), 12)}, 0),
    ("2", change("d", row(2), None, 13), 0),
    ("2", None, 0),
    ("3", change("x", None, row(3)), 0),
    ("4", row(4), 0),
)


def test_debezium_changes_kept_as_events(topic, tmp_path):
    topic.send(*DEBEZIUM)
    schema = pa.schema([
        *list(SCHEMA)[:2], ("op", pa.string()), ("lsn", pa.int64()), ("was", pa.string()), ("payload", pa.string()),
    ])  # fmt: skip
    paths = {"op": "/$op", "lsn": "/$source/lsn", "was": "/$before/name", "payload": "/$after"}

    rows, unreadable, _ = read(topic.source(envelope="debezium", paths=paths), tmp_path, schema)

    assert rows == {
        1: (1, "Ann", "r", 10, None, '{"id": 1, "name": "Ann"}'),
        2: (2, "Ann", "c", 11, None, '{"id": 2, "name": "Ann"}'),
        3: (1, "Ida", "u", 12, "Ann", '{"id": 1, "name": "Ida"}'),
        4: (2, "Ann", "d", 13, "Ann", None),
    }
    assert set(reasons(unreadable).values()) == {("record", None, "expected a change as Debezium tells it")}
    assert list(reasons(unreadable)) == [5, 6]


def test_debezium_changes_folded_into_a_state(topic, tmp_path):
    topic.send(*DEBEZIUM[:5], ("5", change("d", row(5), None), 0), ("6", change("c", None, row(6)), 0))

    rows, unreadable, _ = read(topic.source(envelope="debezium", keep="latest"), tmp_path, SCHEMA)

    assert [values[:2] for values in rows.values()] == [(1, "Ida"), (6, "Ann")]
    assert unreadable == []


UNTOLD = "__debezium_unavailable_value"


@pytest.mark.parametrize("keep", ["latest", "events"])
def test_what_debezium_does_not_tell_is_no_value(topic, tmp_path, keep):
    """Postgres logs no large text that did not change; what is there in its place must not be taken for it."""
    topic.send(
        ("1", change("u", None, row(1, name=UNTOLD)), 0), ("2", change("u", None, row(2, note=UNTOLD)), 0),
        ("3", change("u", row(3, name=UNTOLD), row(3)), 0),
    )  # fmt: skip

    schema = pa.schema([*list(SCHEMA)[:2], ("was", pa.string()), ("now", pa.string())])
    paths = {"was": "/$before", "now": "/$after"}

    rows, unreadable, _ = read(topic.source(envelope="debezium", keep=keep, paths=paths), tmp_path, schema)

    assert list(rows.values()) == [
        (2, "Ann", None, '{"id": 2, "name": "Ann"}'),
        (3, "Ann", '{"id": 3}', '{"id": 3, "name": "Ann"}'),
    ]
    assert reasons(unreadable) == {1: ("record", "name", f"expected a value, found that it is not told ({UNTOLD})")}
    assert json.loads(unreadable[0]["raw"])["id"] == "1"


def test_a_tombstone_among_events_is_a_deletion_with_the_columns_of_its_key(topic, tmp_path):
    topic.send(({"id": 1}, row(1), 0), ({"id": 1}, None, 0))
    schema = pa.schema([("id", pa.int64()), ("op", pa.string())])

    assert read(topic.source(paths={"op": "/$op"}), tmp_path, schema)[0] == {1: (1, "u"), 2: (1, "d")}


# Snapshots: what is in the lake afterwards.


class Policy(pandera.DataFrameModel):
    id: pl.Int64
    name: pl.String


def take(source, lake, root, day=D1):
    holder = Holder(source=source, contract=Policy, key=("id",))
    entity = Entity(
        "policies", description="Policies", owner=Owner("policy"), legacy=holder, service=holder,
        identity=NaturalKey((Same("id"),), (Same("id"),)), fields=(Field("id", Same("id"), Exact()),),
    )  # fmt: skip
    context = Context(
        "policy", description="Policies", owner=Owner("policy"), partitioning=Daily(date(2026, 3, 1)),
        entities=(entity,), root=root,
    )  # fmt: skip
    return snapshot.take(entity, Side.LEGACY, context=context, partition=day, lake=lake, run_id="run").manifest


def test_the_ledger_is_kept_in_the_lake_and_a_snapshot_taken_again_is_byte_for_byte_the_same(topic, tmp_path):
    lake, address = Lake(tmp_path / "lake"), Address("policy", "policies", "legacy", D1)
    topic.send(*((None, row(n), n % 3) for n in range(1000)))
    first = take(topic.source(), lake, tmp_path)
    pages = data_of(lake.file(address))
    topic.send(*((None, row(n), n % 3) for n in range(1000, 1300)))
    second = take(topic.source(), lake, tmp_path, D2)

    again = take(topic.source(), lake, tmp_path)

    assert (first.rows, second.rows, again.rows) == (1000, 300, 1000)
    assert again.digest == first.digest
    assert data_of(lake.file(address)) == pages
    assert again.notes["source"] == first.notes["source"]
    footer = json.loads(pq.read_metadata(lake.file(address)).metadata[b"coexist.notes"])
    assert footer["source"]["offsets"]["0"] == [0, 334]


def data_of(file):
    """The bytes of all pages: the footer tells run and time, and is of every writing its own."""
    content = file.read_bytes()
    return content[: len(content) - 8 - int.from_bytes(content[-8:-4], "little")]


def test_a_log_that_was_cut_off_is_an_error_and_leaves_nothing(topic, tmp_path):
    lake = Lake(tmp_path / "lake")
    topic.send(*((None, row(n), 0) for n in range(10)))
    take(topic.source(), lake, tmp_path)
    topic.send(*((None, row(n, name="x" * 50_000), 0) for n in range(300)))  # the broker keeps 5 MB

    with pytest.raises(SourceError, match="are gone: the log was cut off and begins at") as refused:
        take(topic.source(), lake, tmp_path, D2)

    assert not refused.value.transient
    assert lake.manifest(Address("policy", "policies", "legacy", D2)) is None
    assert lake.manifest(Address("policy", "policies", "legacy", D1)).rows == 10
    with pytest.raises(SourceError, match="are gone"):
        take(topic.source(keep="latest"), lake, tmp_path, D3)


def test_offsets_that_are_gone_when_they_are_read(topic, tmp_path, monkeypatch):
    topic.send(*((None, row(n, name="x" * 50_000), 0) for n in range(300)))
    extent = log.Log.extent
    monkeypatch.setattr(log.Log, "extent", lambda self: {0: (0, extent(self)[0][1])})

    with pytest.raises(SourceError, match="the log no longer has these offsets") as refused:
        read(topic.source(), tmp_path, SCHEMA)
    assert not refused.value.transient


def test_a_topic_that_is_not_there(broker, tmp_path):
    broker.send("policies", (None, row(1), 0))

    with pytest.raises(SourceError, match='there is no such topic; did you mean "policies"') as refused:
        read(Kafka("polices", broker.servers, patience=PATIENCE), tmp_path, SCHEMA)
    assert not refused.value.transient


def test_a_broker_that_is_not_there_may_come_back(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as gone:
        servers = f"127.0.0.1:{gone.getsockname()[1]}"

    with pytest.raises(SourceError, match=f"topic policies at {servers}: ") as refused:
        read(Kafka("policies", servers, patience=IMPATIENCE), tmp_path, SCHEMA)
    assert refused.value.transient


def test_a_password_is_in_no_message(broker, tmp_path, monkeypatch):
    monkeypatch.setenv("KAFKA_PASSWORD", "geheim-4711")
    source = Kafka("policies", broker.servers, login=Login("reader", Env("KAFKA_PASSWORD")), patience=IMPATIENCE)

    with pytest.raises(SourceError) as refused:
        read(source, tmp_path, SCHEMA)

    assert "geheim" not in f"{refused.value} {refused.value.__cause__} {source!r} {source.describe()}"


def test_sides_and_identity_from_topics_reconcile_to_the_same_again(broker, tmp_path):
    broker.send("old", *((str(n), row(n, name="Ann"), 0) for n in range(5)))
    broker.send("new", *((str(n), row(n + 100, name="Ida" if n == 3 else "Ann"), 0) for n in range(5)))
    broker.send("links", *((str(n), {"old_id": n, "new_id": n + 100}, 0) for n in range(5)))
    old, new, links = (
        Kafka(name, broker.servers, keep="latest", patience=PATIENCE) for name in ("old", "new", "links")
    )
    entity = Entity(
        "policies", description="Policies", owner=Owner("policy"),
        legacy=Holder(source=old, contract=Policy, key=("id",)),
        service=Holder(source=new, contract=Policy, key=("id",)),
        identity=IdentityTable(links, legacy=("old_id",), service=("new_id",)),
        fields=(Field("name", Same("name"), Exact()),),
    )  # fmt: skip
    context = Context(
        "policy", description="Policies", owner=Owner("policy"), partitioning=Daily(date(2026, 3, 1)),
        entities=(entity,), root=tmp_path,
    )  # fmt: skip
    lake = Lake(tmp_path / "lake")

    first = reconciliation.reconcile(Job(context, entity, D1, lake))
    broker.send("new", ("1", row(101, name="Eve"), 0), ("2", None, 0))
    broker.send("links", ("4", None, 0))
    again = reconciliation.reconcile(Job(context, entity, D1, lake))

    found = pq.read_table(lake.file(Address("policy", "policies", "discrepancies", D1)), partitioning=None)
    assert found.select(["legacy_key", "expected", "actual"]).to_pylist() == [
        {"legacy_key": "3", "expected": "Ann", "actual": "Ida"}
    ]
    assert again["identity_map"].digest == first["identity_map"].digest
    assert again["discrepancies"].digest == first["discrepancies"].digest
    assert again["identity_map"].notes["source"]["identity_table"]["messages"] == 5


def test_an_event_log_is_read_on_from_where_the_partition_before_ended(topic, tmp_path):
    def event(number):
        at = f"2026-03-20T10:00:{number:02d}Z"
        return {"key": 1, "n": number, "at": at, "recorded": at, "type": "Renamed", "data": {"name": "Ann"}}

    paths = {"payload": "/data"}
    log = EventLog(
        topic.source(paths=paths), key=("key",), sequence="n", event_time="at", recorded_time="recorded",
        type="type", payload="payload",
    )  # fmt: skip
    holder = Holder(source=topic.source(keep="latest"), contract=Policy, key=("id",))
    entity = Entity(
        "policies", description="Policies", owner=Owner("policy"), legacy=holder, service=holder,
        identity=NaturalKey((Same("id"),), (Same("id"),)), fields=(Field("id", Same("id"), Exact()),), events=log,
    )  # fmt: skip
    context = Context(
        "policy", description="Policies", owner=Owner("policy"), partitioning=Daily(date(2026, 3, 1)),
        entities=(entity,), root=tmp_path, event_types=(EventType("Renamed", "policies", "a new name"),),
    )  # fmt: skip
    lake = Lake(tmp_path / "lake")

    topic.send(*((None, event(n), 0) for n in range(1, 4)))
    first = journal.take(Job(context, entity, D1, lake))["events"]
    topic.send(*((None, event(n), 0) for n in range(4, 6)))
    second = journal.take(Job(context, entity, D2, lake))["events"]
    again = journal.take(Job(context, entity, D1, lake))["events"]

    assert (first.rows, second.rows, again.rows) == (3, 2, 3)
    assert again.digest == first.digest
    assert second.notes["source"]["offsets"]["0"] == [3, 5]


SERVED = """
import sys, time
from tests.pipelines.sources.logs import Broker
broker = Broker()
broker.send("policies", *((None, {"id": n, "name": "x" * 1000}, 0) for n in range(4000)))
print(broker.servers, flush=True)
time.sleep(300)
"""


def test_a_broker_killed_in_the_middle_leaves_nothing_and_the_next_run_succeeds(tmp_path, monkeypatch):
    monkeypatch.setattr(log, "_AT_ONCE", 50)
    monkeypatch.setattr(log, "_BUFFER", 64)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    lake = Lake(tmp_path / "lake")

    def served():
        process = subprocess.Popen([sys.executable, "-c", SERVED], stdout=subprocess.PIPE, text=True, env=environment)
        return process, process.stdout.readline().strip()

    process, servers = served()
    messages, killed = log.Log.messages, []

    def killing(self, stretch):
        for some in messages(self, stretch):
            yield some
            if not killed:
                killed.append(process.pid)
                process.send_signal(signal.SIGKILL)
                process.wait()
                time.sleep(0.2)

    monkeypatch.setattr(log.Log, "messages", killing)
    with pytest.raises(SourceError) as refused:
        take(Kafka("policies", servers, patience=timedelta(seconds=4)), lake, tmp_path)
    process.stdout.close()
    assert killed
    assert refused.value.transient
    assert lake.addresses("legacy") == []
    assert not list((tmp_path / "lake").rglob("*.parquet"))

    process, servers = served()
    assert take(Kafka("policies", servers, patience=PATIENCE), lake, tmp_path).rows == 4000
    process.kill()
    process.wait()
    process.stdout.close()
