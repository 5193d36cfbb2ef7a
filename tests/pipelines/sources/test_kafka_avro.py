"""Avro messages with schemas from a registry: values exact, schemas asked for once, registries that fail."""

import io
import json
from datetime import UTC, date, datetime, time
from decimal import Decimal
from uuid import UUID

import fastavro
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.declarations import Avro, Env, Kafka, SchemaRegistry
from pipelines.errors import SourceError
from pipelines.sources.kafka import avro
from pipelines.sources.kafka.schemas import exact
from tests.pipelines.sources import logs
from tests.pipelines.sources.logs import PATIENCE, Broker
from tests.pipelines.sources.reading import read, reasons

pytestmark = pytest.mark.live
FIELDS = [
    {"name": "id", "type": "long"},
    {"name": "premium", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
    {"name": "begin", "type": ["null", {"type": "int", "logicalType": "date"}]},
    {"name": "changed", "type": {"type": "long", "logicalType": "timestamp-micros"}},
]
V1 = {"type": "record", "name": "Policy", "namespace": "insurer", "fields": FIELDS}
V2 = V1 | {"fields": [*FIELDS, {"name": "tags", "type": {"type": "array", "items": "string"}, "default": []}]}
SCHEMA = pa.schema([
    ("id", pa.int64()), ("premium", pa.decimal128(9, 2)), ("begin", pa.date32()),
    ("changed", pa.timestamp("us", "UTC")),
])  # fmt: skip
MOMENT = datetime(2026, 3, 20, 12, 0, 0, 123456, UTC)


def framed(number, schema, value):
    written = io.BytesIO()
    fastavro.schemaless_writer(written, fastavro.parse_schema(schema), value)
    return b"\0" + number.to_bytes(4, "big") + written.getvalue()


def policy(number, premium="1.10", begin=date(2026, 3, 1), **more):
    return {"id": number, "premium": Decimal(premium), "begin": begin, "changed": MOMENT, **more}


@pytest.fixture(scope="module")
def broker():
    return Broker()


@pytest.fixture
def registry():
    with logs.registry() as served:
        served.schemas = {number: {"schema": json.dumps(schema)} for number, schema in {1: V1, 2: V2}.items()}
        yield served


@pytest.fixture
def reading(request, broker, registry, tmp_path):
    """Send messages to a topic of the test's own, and read them by the registry."""

    def sent(*values, schema=SCHEMA, access=None, **declared):
        topic = request.node.name.replace("[", "-").strip("]")
        broker.send(topic, *((None, value, 0) for value in values))
        value = Avro(SchemaRegistry(registry.url, **(access or {})))
        return read(Kafka(topic, broker.servers, value=value, patience=PATIENCE, **declared), tmp_path, schema)

    return sent


def test_messages_of_two_schemas_and_each_schema_is_asked_for_once(reading, registry):
    begins = [None if n == 3 else date(2026, 3, 1) for n in range(50)]
    values = [framed(1 + n % 2, (V1, V2)[n % 2], policy(n, begin=begin)) for n, begin in enumerate(begins)]

    rows, unreadable, kept = reading(*values)

    assert rows[1] == (0, Decimal("1.10"), date(2026, 3, 1), MOMENT)
    assert rows[4][2] is None
    assert len(rows) == 50
    assert unreadable == []
    assert kept.undeclared == ("tags",)
    assert sorted(path.partition("?")[0] for path in registry.asked) == ["/schemas/ids/1", "/schemas/ids/2"]


def test_decimals_with_more_digits_than_their_schema_says_are_not_rounded(reading):
    raw = V1 | {"fields": [{"name": "id", "type": "long"}, {"name": "premium", "type": "bytes"}, *FIELDS[2:]]}
    value = policy(1) | {"premium": (123456789012).to_bytes(6, "big", signed=True)}

    rows, unreadable, _ = reading(framed(1, raw, value))

    assert rows == {}
    assert reasons(unreadable) == {1: ("type", "premium", "expected decimal128(9, 2)")}
    assert json.loads(unreadable[0]["raw"])["premium"] == "1234567890.12"


def test_a_day_or_time_beyond_the_calendar_costs_a_row_only_where_it_is_read(reading):
    """Databases have infinite days and times, and write them as the largest number."""
    kinds = {"begin": ["null", "int"], "changed": "long"}
    raw = V1 | {"fields": [field | {"type": kinds.get(field["name"], field["type"])} for field in FIELDS]}
    value = policy(1) | {"begin": 2**31 - 1, "changed": 2**63 - 1}
    message, named = framed(1, raw, value), dict(zip(SCHEMA.names, SCHEMA, strict=True))

    rows, unreadable, _ = reading(message)
    assert rows == {}
    assert reasons(unreadable) == {1: ("type", "begin", "expected date32[day]")}
    assert json.loads(unreadable[0]["raw"]) == {
        "id": "1", "premium": "1.10", "begin": "2147483647 (date)",
        "changed": "9223372036854775807 (timestamp-micros)",
    }  # fmt: skip
    assert reading(message, schema=pa.schema([named["id"]]))[0] == {1: (1,), 2: (1,)}


def test_what_is_no_avro_of_its_schema_is_unreadable(reading):
    good = framed(1, V1, policy(1))

    rows, unreadable, _ = reading(good, b'{"id": 1}', good[:-1], good + b"\0", b"\0\0", good)

    assert list(rows) == [1, 6]
    assert reasons(unreadable) == {
        2: ("record", None, "expected the number of a schema in front"),
        3: ("record", None, "expected Avro of the schema it names"),
        4: ("record", None, "expected Avro of the schema it names, and nothing behind it"),
        5: ("record", None, "expected the number of a schema in front"),
    }


def test_schemas_that_refer_to_others(reading, registry):
    money = {"type": "record", "name": "Money", "namespace": "insurer", "fields": [FIELDS[1] | {"name": "amount"}]}
    outer = {
        "type": "record",
        "name": "Sum",
        "namespace": "insurer",
        "fields": [{"name": "of", "type": "insurer.Money"}],
    }
    reference = {"name": "insurer.Money", "subject": "money", "version": 3}
    registry.schemas[7] = {"schema": json.dumps(outer), "references": [reference]}
    registry.subjects["money", 3] = {"subject": "money", "id": 6, "version": 3, "schema": json.dumps(money)}
    whole = outer | {"fields": [{"name": "of", "type": money}]}

    rows, _, _ = reading(
        framed(7, whole, {"of": {"amount": Decimal("12.34")}}),
        schema=pa.schema([("amount", pa.decimal128(9, 2))]), paths={"amount": "/of/amount"},
    )  # fmt: skip

    assert rows == {1: (Decimal("12.34"),)}


@pytest.mark.parametrize(
    ("status", "number", "message", "transient"),
    [
        (200, 99, "schema 99: ", False),
        (500, 1, "schema 1: ", True),
        (401, 1, "does not accept user and password", False),
    ],
)
def test_a_registry_that_fails(reading, registry, status, number, message, transient):  # noqa: PLR0913, PLR0917
    registry.status = status

    with pytest.raises(SourceError, match=message) as refused:
        reading(framed(number, V1, policy(1)))
    assert refused.value.transient is transient


def test_a_registry_that_is_not_there(broker, tmp_path):
    with logs.registry() as served:
        url = served.url
    broker.send("lonely", (None, framed(1, V1, policy(1)), 0))

    with pytest.raises(SourceError, match=r"schema registry http://127\.0\.0\.1") as refused:
        read(Kafka("lonely", broker.servers, value=Avro(SchemaRegistry(url)), patience=PATIENCE), tmp_path, SCHEMA)
    assert refused.value.transient


def test_a_schema_that_is_none(reading, registry):
    registry.schemas[8] = {"schema": "message A {}", "schemaType": "PROTOBUF"}
    registry.schemas[9] = {"schema": '{"type": "nothing"}'}

    with pytest.raises(SourceError, match=r"schema 8 of .* is PROTOBUF, expected AVRO"):
        reading(framed(8, V1, policy(1)))
    with pytest.raises(SourceError, match="is PROTOBUF"):  # it is the first of the topic still
        reading(framed(9, V1, policy(1)))


def test_the_password_of_a_registry_is_in_no_message(reading, registry, monkeypatch):
    monkeypatch.setenv("REGISTRY_PASSWORD", "geheim-4711")
    registry.status = 401

    with pytest.raises(SourceError) as refused:
        reading(framed(1, V1, policy(1)), access={"user": "reader", "password": Env("REGISTRY_PASSWORD")})
    assert "geheim" not in f"{refused.value} {refused.value.__cause__}"


@pytest.mark.parametrize("url", ["registry:8081", "http://user:secret@registry:8081"])
def test_registries_that_cannot_be_declared(url):
    with pytest.raises(ValueError, match="url begins with"):
        SchemaRegistry(url)


KINDS = {
    "int": (st.integers(-(2**31), 2**31 - 1), {"type": "int"}, str),
    "long": (st.integers(-(2**63), 2**63 - 1), {"type": "long"}, str),
    "double": (st.floats(allow_nan=False), {"type": "double"}, repr),
    "string": (st.text(), {"type": "string"}, str),
    "boolean": (st.booleans(), {"type": "boolean"}, lambda value: value),
    "decimal": (
        st.decimals(-(10**30), 10**30, places=5),
        {"type": "bytes", "logicalType": "decimal", "precision": 40, "scale": 5},
        lambda value: format(value, "f"),
    ),
    "date": (st.dates(), {"type": "int", "logicalType": "date"}, date.isoformat),
    "time": (st.times(), {"type": "long", "logicalType": "time-micros"}, time.isoformat),
    "uuid": (st.uuids(), {"type": "string", "logicalType": "uuid"}, UUID.__str__),
    "bytes": (st.binary(), {"type": "bytes"}, bytes.hex),
}


@given(data=st.data(), kind=st.sampled_from(sorted(KINDS)))
def test_values_of_every_kind_are_said_with_nothing_lost(data, kind):
    values, schema, said = KINDS[kind]
    value = data.draw(values)
    record = {"type": "record", "name": "R", "fields": [{"name": "v", "type": ["null", schema]}]}

    read_as, problem = avro.decoded(framed(1, record, {"v": value}), fastavro.parse_schema(exact(record)))

    assert problem == ""
    assert read_as == {"v": said(value)}
