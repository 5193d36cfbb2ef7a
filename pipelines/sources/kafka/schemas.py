"""The schemas of a registry: each is asked for once, by the number that a message names, and kept parsed.

The client is Confluent's; nothing else of it is known elsewhere. It is dear to import (most of a second).
"""

from __future__ import annotations

import json
from typing import Any

import fastavro
import httpx2
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError
from fastavro.schema import SchemaParseException, UnknownType

from pipelines.errors import SourceError
from pipelines.sources.kafka.registry import SchemaRegistry
from pipelines.sources.secret import without

Parsed = Any  # what fastavro makes of a schema
_FAILED = 500  # from this status on it is the registry's fault, and may pass
_UNAUTHORISED = (401, 403)
_SECONDS = 20.0
_HOLDING_SCHEMAS = ("type", "items", "values", "fields")
EXACT_DECIMAL = "exact-decimal"  # what decimals are called here, since fastavro's own reader of them rounds
FORGIVING = "forgiving-"  # and before what others are called, whose readers refuse a whole message for one value


class Schemas:
    """The schemas of a registry, by their numbers."""

    def __init__(self, registry: SchemaRegistry) -> None:
        self._registry = registry
        self._secret = registry.password.reveal() if registry.password else ""
        settings: dict[str, Any] = {"url": registry.url, "timeout": _SECONDS, "max.retries": 1}
        if self._secret:
            settings["basic.auth.user.info"] = f"{registry.user}:{self._secret}"
        self._client = SchemaRegistryClient(settings)
        self._known: dict[int, Parsed] = {}

    def avro(self, number: int) -> Parsed:
        """The schema of this number, parsed. Raises SourceError."""
        if number not in self._known:
            self._known[number] = self._parsed(number)
        return self._known[number]

    def _parsed(self, number: int) -> Parsed:
        try:
            schema = self._client.get_schema(number)
            named: dict[str, Any] = {}
            self._name_references(schema, named)
            return fastavro.parse_schema(exact(json.loads(self._text(schema, number))), named_schemas=named)
        except SchemaRegistryError as error:
            raise self._failed(number, error) from None
        except httpx2.HTTPError as error:
            why = without(f"{type(error).__name__} {error}", self._secret)
            raise SourceError(f"schema registry {self._registry.url}: {why}", transient=True) from None
        except (ValueError, SchemaParseException, UnknownType) as error:
            raise SourceError(f"schema {number} of {self._registry.url} cannot be read: {error}") from error

    def _name_references(self, schema: Schema, named: dict[str, Any]) -> None:
        """Parse the schemas that this one refers to, and those they refer to, first."""
        for reference in schema.references or ():
            inner = self._client.get_version(str(reference.subject), int(reference.version or 0)).schema
            self._name_references(inner, named)
            fastavro.parse_schema(exact(json.loads(self._text(inner, reference.name))), named_schemas=named)

    def _text(self, schema: Schema, what: object) -> str:
        if schema.schema_type != "AVRO" or schema.schema_str is None:
            raise SourceError(f"schema {what} of {self._registry.url} is {schema.schema_type}, expected AVRO")
        return schema.schema_str

    def _failed(self, number: int, error: SchemaRegistryError) -> SourceError:
        status = error.http_status_code
        if status in _UNAUTHORISED:
            return SourceError(f"schema registry {self._registry.url} does not accept user and password")
        why = without(str(error.error_message), self._secret)
        message = f"schema registry {self._registry.url}: schema {number}: {why}"
        return SourceError(message, transient=status >= _FAILED or status < 0)


def exact(schema: Any) -> Any:  # noqa: ANN401 (a schema is any JSON)
    """The schema with its decimals and other logical types under names of ours."""
    if isinstance(schema, list):
        return [exact(part) for part in schema]
    if isinstance(schema, dict):
        renamed = {key: exact(part) if key in _HOLDING_SCHEMAS else part for key, part in schema.items()}
        logical = schema.get("logicalType")
        if logical is None:
            return renamed
        return renamed | {"logicalType": EXACT_DECIMAL if logical == "decimal" else f"{FORGIVING}{logical}"}
    return schema
