"""A Kafka topic as the source of a side or of an event log: the declaration, and one reading put together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import KW_ONLY, field
from datetime import timedelta
from itertools import chain
from typing import Literal

import pyarrow as pa

from pipelines.declared import Span, declared
from pipelines.errors import SourceError
from pipelines.sources.json_lines import misfits_of_pointers
from pipelines.sources.json_values import Document, Documents
from pipelines.sources.kafka import ledger, log
from pipelines.sources.kafka.envelopes import DELETE, UNTOLD, Envelope
from pipelines.sources.kafka.folding import latest
from pipelines.sources.kafka.formats import Avro, Json
from pipelines.sources.kafka.log import Brokers, Login, Message
from pipelines.sources.source import Batch, Misfit, Place, Reading, Source


@declared
class Kafka(Source):
    """A topic, read between offsets that are decided once for each partition of the data and kept in its manifest.

    With `keep="events"` every message since the partition before is a row. With `"latest"` the rows are the state at
    the end: of each message key the last message, unless it says that the row was deleted. With `envelope="debezium"` a
    message tells a change of a row.

    A column is the key of its name in the row, or what the JSON pointer in `paths` leads to. There `$key`,
    `$partition`, `$offset`, `$timestamp` and `$op` are what is known of the message; of a Debezium change also
    `$before`, `$after`, `$source` and `$ts_ms`.
    """

    topic: str
    servers: str
    _: KW_ONLY
    value: Json | Avro = field(default_factory=Json)
    envelope: Literal["none", "debezium"] = "none"
    keep: Literal["events", "latest"] = "events"
    paths: Mapping[str, str] = field(default_factory=dict)
    null_texts: tuple[str, ...] = ()
    login: Login | None = None
    tls: bool = False
    authorities: str | None = None
    patience: Span = timedelta(seconds=30)

    def __post_init__(self) -> None:
        if self.patience <= timedelta(0):
            raise ValueError("patience is how long an answer may take: more than no time")

    def describe(self) -> str:
        return f"Kafka topic {self.topic} at {self.servers}"

    def misfits(self, columns: Sequence[str]) -> Iterator[Misfit]:
        yield from misfits_of_pointers(self.paths, columns)

    @contextmanager
    def open(self, place: Place, schema: pa.Schema) -> Iterator[Reading]:
        patience = self.patience.total_seconds()
        brokers = Brokers(self.servers, self.login, self.tls, self.authorities, patience)
        noted = place.noted()
        with log.opened(self.topic, brokers) as opened:
            whole = self.keep == "latest"
            read = ledger.stretches(self.topic, opened.extent(), noted, place.partition, whole=whole)
            before = ledger.messages_noted(self.topic, noted, place.partition)
            reading = Reading(iter(()))
            reading.batches = self._batches(self._counted(opened, read, reading, before), schema, reading)
            yield reading

    def _counted(
        self, opened: log.Log, read: list[ledger.Stretch], reading: Reading, before: int | None
    ) -> Iterator[list[Message]]:
        """All messages; and at the end the note of them, or an error when there were others the first time."""
        count = 0
        for some in chain.from_iterable(map(opened.messages, read)):
            count += len(some)
            yield some
        if before is not None and count != before:
            raise SourceError(
                f"topic {self.topic}: {count} messages where {before} were read before: the log was compacted since"
            )
        reading.notes = ledger.note(self.topic, read, count)

    def _batches(self, messages: Iterator[list[Message]], schema: pa.Schema, reading: Reading) -> Iterator[Batch]:
        untold = UNTOLD if self.envelope == "debezium" else frozenset()
        documents = Documents(schema, self.paths, self.null_texts, untold)
        if self.keep == "latest":
            with latest(messages) as kept:
                yield from self._rows(kept, documents)
        else:
            yield from self._rows(messages, documents)
        reading.undeclared = tuple(key for key in documents.undeclared if not key.startswith("$"))

    def _rows(self, messages: Iterator[list[Message]], documents: Documents) -> Iterator[Batch]:
        envelope = Envelope(self.value.reader(), debezium=self.envelope == "debezium")
        first = 1
        for some in messages:
            found: list[Document] = []
            for message in some:
                document = self._document(envelope, first + len(found), message)
                if document is not None:
                    found.append(document)
            first += len(found)
            yield documents.batch(found)

    def _document(self, envelope: Envelope, number: int, message: Message) -> Document | None:
        """The row that a message is; None when it is none."""
        if self.keep == "events" and self.envelope == "debezium" and message.value is None:
            return None  # it repeats the deletion before it, for the sake of compaction
        if self.keep == "latest" and message.key is None:
            where = f"partition {message.partition}, offset {message.offset}"
            return Document(number, None, "expected a key", message.value or b"", where)
        document = envelope.document(number, message)
        deleted = not document.problem and document.value["$op"] == DELETE
        return None if deleted and self.keep == "latest" else document
