"""Folding: of all messages with one key the last one, which is what remains when changes are put together to a state.

Messages are put by on disk while they are read, so that memory does not grow with the log; the engine picks them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import engine, temporary
from pipelines.sources.kafka.log import Message

_SCHEMA = pa.schema([
    ("partition", pa.int32()), ("position", pa.int64()), ("time", pa.timestamp("us", "UTC")),
    ("message_key", pa.binary()), ("value", pa.binary()),
])  # fmt: skip
# Where partitions were added a key is in several: its messages are in no common order but that of their times.
_LAST = """
WITH latest AS (
    SELECT MAX(position) AS position, "partition", message_key FROM messages
    GROUP BY "partition", message_key, CASE WHEN message_key IS NULL THEN position END
), scattered AS (
    SELECT message_key FROM latest WHERE NOT message_key IS NULL GROUP BY message_key HAVING COUNT(*) > 1
), placed AS (
    SELECT m."partition", m.position,
        ROW_NUMBER() OVER (PARTITION BY m.message_key ORDER BY m.time DESC NULLS LAST, m."partition" DESC) AS place
    FROM messages AS m
    INNER JOIN latest AS l ON m.position = l.position AND m."partition" = l."partition"
    INNER JOIN scattered AS s ON m.message_key = s.message_key
)
SELECT m."partition", m.position, m.time, m.message_key, m.value
FROM messages AS m
INNER JOIN latest AS l ON m.position = l.position AND m."partition" = l."partition"
WHERE NOT EXISTS (
    SELECT 1 FROM placed AS p WHERE p.place > 1 AND p.position = m.position AND p."partition" = m."partition"
)
ORDER BY m."partition", m.position
"""


@contextmanager
def latest(messages: Iterable[list[Message]]) -> Iterator[Iterator[list[Message]]]:
    """The last message of each key, in the order of partitions and offsets."""
    with temporary.Folder("log") as folder:
        spooled = folder / "messages.parquet"
        with pq.ParquetWriter(spooled, _SCHEMA) as writer:
            for some in messages:
                writer.write_batch(pa.RecordBatch.from_pylist([_row(message) for message in some], _SCHEMA))
        with engine.opened() as folding:
            folding.scan("messages", [spooled])
            yield (_messages(batch) for batch in folding.reader(_LAST))


def _row(message: Message) -> dict[str, object]:
    return dict(zip(_SCHEMA.names, message, strict=True))


def _messages(batch: pa.RecordBatch) -> list[Message]:
    return [Message(**dict(zip(Message._fields, row.values(), strict=True))) for row in batch.to_pylist()]
