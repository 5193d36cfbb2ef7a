"""Envelopes: which row a message is about. It is the row, or tells a change of one, as Debezium does.

The row becomes a document whose keys are its columns. Beside them, under names with a `$`, stands what else is known.
"""

from __future__ import annotations

from typing import Any

from pipelines.sources.json_values import Document, Number, parsed
from pipelines.sources.kafka.formats import Read
from pipelines.sources.kafka.log import Message

UPSERT, DELETE = "u", "d"
# Stands where a large value is that did not change, which Postgres does not log; as bytes in JSON and in Avro.
UNTOLD = frozenset({
    "__debezium_unavailable_value", "X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==",
    b"__debezium_unavailable_value".hex(),
})  # fmt: skip
_IMAGES = {"c": "after", "u": "after", "r": "after", "d": "before"}  # what of the row Debezium tells, by operation


class Envelope:
    """From messages to documents."""

    def __init__(self, read: Read, *, debezium: bool) -> None:
        self._read, self._debezium = read, debezium

    def document(self, number: int, message: Message) -> Document:
        """What a message says of a row; a tombstone says that it was deleted, and has the columns of its key only."""
        about: dict[str, Any] = {"$partition": Number(message.partition), "$offset": Number(message.offset)}
        about["$timestamp"] = None if message.time is None else message.time.isoformat()
        about["$key"] = None if message.key is None else message.key.decode(errors="backslashreplace")
        where = f"partition {message.partition}, offset {message.offset}"
        if message.value is None:
            return Document(number, {**self._key(message), **about, "$op": DELETE}, where=where)
        value, problem = self._read(message.value)
        row, problem = ({}, problem) if problem else self._row(value)
        if problem:
            return Document(number, None, problem, message.value, where)
        return Document(number, row | about, where=where)

    def _row(self, value: dict[str, Any]) -> tuple[dict[str, Any], str]:
        if not self._debezium:
            return value | {"$op": UPSERT}, ""
        value = _unwrapped(value)
        operation = value.get("op")
        image = value.get(_IMAGES.get(str(operation), ""))
        if operation == "t":
            return {}, "a table was emptied: what became of its rows cannot be told"
        if operation not in _IMAGES or not isinstance(image, dict):
            return {}, "expected a change as Debezium tells it"
        parts = {f"${part}": value.get(part) for part in ("source", "ts_ms", "op")}
        return image | parts | {f"${part}": _told(value.get(part)) for part in ("before", "after")}, ""

    def _key(self, message: Message) -> dict[str, Any]:
        """The columns that a key tells, when it is an object like the messages."""
        if message.key is None:
            return {}
        key, problem = self._read(message.key)
        if problem:
            key, problem, _ = parsed(message.key)
        return {} if problem else _unwrapped(key)


def _told(image: Any) -> Any:  # noqa: ANN401 (whatever a message holds)
    """What an image of a row tells: a document with fewer members, not one with members that mean something else."""
    if not isinstance(image, dict):
        return image
    return {name: value for name, value in image.items() if not (isinstance(value, str) and value in UNTOLD)}


def _unwrapped(value: dict[str, Any]) -> dict[str, Any]:
    """JSON converters put the schema beside what they tell, unless they are told not to."""
    payload = value.get("payload")
    return payload if isinstance(payload, dict) and "schema" in value else value
