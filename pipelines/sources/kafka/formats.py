"""What the bytes of a message say: JSON, or Avro with the schema whose number stands in front.

Either way it becomes what `json_values` knows: objects, lists, texts, truth values, and numbers as their digits.
"""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Context, Decimal
from typing import Any
from uuid import UUID

import fastavro
from fastavro.read import LOGICAL_READERS

from pipelines.declared import declared
from pipelines.sources.json_values import Number, parsed
from pipelines.sources.kafka.registry import EXACT_DECIMAL, SchemaRegistry, Schemas

_MAGIC, _HEAD = b"\0", 5  # a byte, then the number of the schema in four
Read = Callable[[bytes], tuple[Any, str]]  # what a message says, or why it cannot be read


class Format(ABC):
    """How messages are written."""

    @abstractmethod
    def reader(self) -> Read:
        """What reads them, for as long as one reading lasts."""


@declared
class Json(Format):
    """Messages are JSON objects."""

    def reader(self) -> Read:
        return _json


@declared
class Avro(Format):
    """Messages are Avro, each with the number of its schema in a registry in front (Confluent's wire format)."""

    registry: SchemaRegistry

    def reader(self) -> Read:
        schemas = Schemas(self.registry)

        def read(raw: bytes) -> tuple[Any, str]:
            if raw[:1] != _MAGIC or len(raw) < _HEAD:
                return None, "expected the number of a schema in front"
            schema = schemas.avro(int.from_bytes(raw[1:_HEAD], "big"))
            return avro(raw, schema)

        return read


def _json(raw: bytes) -> tuple[Any, str]:
    value, problem, _ = parsed(raw)
    return value, problem


def avro(raw: bytes, schema: Any) -> tuple[Any, str]:  # noqa: ANN401 (what fastavro makes of a schema)
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


_WIDE = Context(prec=1000)  # digits: more than anybody keeps
LOGICAL_READERS[f"bytes-{EXACT_DECIMAL}"] = _exact_decimal
LOGICAL_READERS[f"fixed-{EXACT_DECIMAL}"] = _exact_decimal
