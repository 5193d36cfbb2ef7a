"""What the bytes of a message say: JSON, or Avro with the schema whose number stands in front.

Either way it becomes what `json_values` knows: objects, lists, texts, truth values, and numbers as their digits.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from pipelines.declared import declared
from pipelines.sources.json_values import parsed
from pipelines.sources.kafka.registry import SchemaRegistry

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
        from pipelines.sources.kafka import avro  # noqa: PLC0415 (what reads it is loaded where it is needed)

        return avro.reader(self.registry)


def _json(raw: bytes) -> tuple[Any, str]:
    value, problem, _ = parsed(raw)
    return value, problem
