"""Messages in Avro, each with the number of its schema in front, as JSON would hold what they say."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Context, Decimal
from typing import Any
from uuid import UUID

import fastavro
from fastavro.read import LOGICAL_READERS

from pipelines.sources.json_values import Number
from pipelines.sources.kafka.formats import Read
from pipelines.sources.kafka.registry import SchemaRegistry
from pipelines.sources.kafka.schemas import EXACT_DECIMAL, FORGIVING, Schemas

_MAGIC, _HEAD = b"\0", 5  # a byte, then the number of the schema in four


def reader(registry: SchemaRegistry) -> Read:
    """What reads messages whose schemas are in the registry."""
    schemas = Schemas(registry)

    def read(raw: bytes) -> tuple[Any, str]:
        if raw[:1] != _MAGIC or len(raw) < _HEAD:
            return None, "expected the number of a schema in front"
        return decoded(raw, schemas.avro(int.from_bytes(raw[1:_HEAD], "big")))

    return read


def decoded(raw: bytes, schema: Any) -> tuple[Any, str]:  # noqa: ANN401 (what fastavro makes of a schema)
    """What a message says by its schema, as JSON would hold it; or why it says nothing."""
    file = io.BytesIO(raw)
    file.seek(_HEAD)
    try:
        value = fastavro.schemaless_reader(file, schema, None)
    except (EOFError, ValueError, IndexError, OverflowError, TypeError, KeyError):
        return None, "expected Avro of the schema it names"
    if file.tell() != len(raw):
        return None, "expected Avro of the schema it names, and nothing behind it"
    return (_plain(value), "") if isinstance(value, dict) else (None, "expected an Avro record")


def _plain(value: Any) -> Any:  # noqa: ANN401 (whatever Avro can hold)
    """A value of Avro as JSON would hold it, with nothing lost."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, dict):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return _SCALARS[type(value)](value)


def _exact_decimal(data: bytes, writer: dict[Any, Any] | None, _reader: object = None) -> Decimal:
    """The decimal as it was written, also where it has more digits than its schema says: that is the contract's."""
    scale = int(writer.get("scale", 0)) if writer else 0
    return Decimal(int.from_bytes(data, "big", signed=True)).scaleb(-scale, _WIDE)


_SCALARS: dict[type, Callable[[Any], str]] = {
    int: lambda value: Number(repr(value)),
    float: lambda value: Number(repr(value)),
    Decimal: lambda value: Number(format(value, "f")),
    datetime: lambda value: value.isoformat(),
    date: lambda value: value.isoformat(),
    time: lambda value: value.isoformat(),
    UUID: str,
    bytes: lambda value: value.hex(),
}


def _forgiving(read: Callable[..., Any], logical: str) -> Callable[..., Any]:
    """A reader that gives a value beyond the logical type as a text that is none: it costs its cell alone."""

    def reading(data: Any, writer: Any = None, reader: Any = None) -> Any:  # noqa: ANN401 (whatever Avro can hold)
        try:
            return read(data, writer, reader)
        except (ValueError, OverflowError):
            return data if isinstance(data, str) else f"{data} ({logical})"

    return reading


_WIDE = Context(prec=1000)  # digits: more than anybody keeps
for _name, _read in [(name, read) for name, read in LOGICAL_READERS.items() if not name.endswith("-decimal")]:
    _kind, _, _logical = _name.partition("-")
    LOGICAL_READERS[f"{_kind}-{FORGIVING}{_logical}"] = _forgiving(_read, _logical)
LOGICAL_READERS[f"bytes-{EXACT_DECIMAL}"] = _exact_decimal
LOGICAL_READERS[f"fixed-{EXACT_DECIMAL}"] = _exact_decimal
