"""Kafka topics as sources: bounded, repeatable readings of a log.

`source` is the declaration, `ledger` says from where to where a partition reads, `log` reads that, `formats` what the
bytes of a message say (those of Avro `avro`, by the `schemas` of a `registry`), `envelopes` which row that is,
`folding` what remains of many changes of one row.
"""

from pipelines.sources.kafka.formats import Avro, Json
from pipelines.sources.kafka.log import Login
from pipelines.sources.kafka.registry import SchemaRegistry
from pipelines.sources.kafka.source import Kafka

__all__ = ["Avro", "Json", "Kafka", "Login", "SchemaRegistry"]
