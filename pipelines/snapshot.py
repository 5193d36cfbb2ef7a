"""Snapshots: one side's rows of an entity as of a partition, taken from its source into the lake.

One pass in bounded memory: rows that keep the contract become the side's table, the others its `_rejected` table, both at
once or not at all. What the rows mean is not known here; personal data is `privacy`'s.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import stamina

from pipelines import contract
from pipelines.declarations import Context, Entity, Holder, Side
from pipelines.errors import IntegrityError, SourceError
from pipelines.lake import Address, Lake, Manifest, Spool
from pipelines.sources.source import REJECTED, Place, Reading, Source

_ATTEMPTS = 4


@dataclass(frozen=True)
class Snapshot:
    """What was taken: the side's rows and its rejected rows."""

    manifest: Manifest
    rejected: Manifest


def take(entity: Entity, side: Side, *, context: Context, partition: str, lake: Lake, run_id: str) -> Snapshot:
    """Take one side's snapshot of a partition, again when the source has a passing trouble."""
    for attempt in stamina.retry_context(on=_is_transient, attempts=_ATTEMPTS, wait_initial=0.2, wait_max=5.0):
        with attempt:
            return _take(entity, side, context, partition, lake, run_id)
    raise IntegrityError("unreachable: the last attempt returns or raises")


def read(source: Source, schema: pa.Schema, place: Place) -> tuple[pa.Table, pa.Table]:
    """All rows of a small source such as an identity map, and those that cannot be read (`REJECTED`)."""
    rows, unreadable = [], []
    with source.open(place, schema) as reading:
        for batch in reading.batches:
            rows.append(batch.rows)
            unreadable.append(batch.unreadable)
    return pa.Table.from_batches(rows, schema), pa.Table.from_batches(unreadable, REJECTED)


def code_version_of(holder: Holder) -> str:
    """What a snapshot depends on beside the data: the contract, and how the source is read."""
    return f"{contract.version_of(holder.contract)}.{hashlib.sha256(repr(holder.source).encode()).hexdigest()[:8]}"


class _Pass:
    """One pass over a source: valid rows go on, rejected ones are put by, all are counted."""

    def __init__(self, holder: Holder, reading: Reading, spool: Spool) -> None:
        self._holder, self._reading, self._spool = holder, reading, spool
        self.rows_in = 0
        self.notes: dict[str, Any] = {"undeclared": list(reading.undeclared)}

    def valid(self) -> Iterator[pa.RecordBatch]:
        """The rows that keep the contract."""
        rejected = 0
        with self._spool.filling() as put_by:
            for batch in self._reading.batches:
                judged = contract.validate(self._holder.contract, batch.rows, batch.row_numbers)
                self.rows_in += batch.rows.num_rows + batch.unreadable.num_rows
                for refused in (batch.unreadable, judged.rejected):
                    rejected += refused.num_rows
                    put_by(refused)
                yield judged.valid
        self.notes |= {"rows_in": self.rows_in, "rejected": rejected}


def _take(entity: Entity, side: Side, context: Context, partition: str, lake: Lake, run_id: str) -> Snapshot:
    holder = entity.legacy if side is Side.LEGACY else entity.service
    schema = contract.schema_of(holder.contract)
    watermark = (entity.partitioning or context.partitioning).watermark(partition)
    version = code_version_of(holder)

    def address(stage: str) -> Address:
        return Address(context.name, entity.name, stage, partition)

    with holder.source.open(Place(context.root, partition), schema) as reading, lake.transaction(run_id) as transaction:
        spool = transaction.spool(REJECTED)
        rows = _Pass(holder, reading, spool)
        valid = pa.RecordBatchReader.from_batches(schema, rows.valid())
        taken = transaction.write(address(side), valid, code_version=version, watermark=watermark, notes=rows.notes)
        with spool.reading() as refused:
            rejected = transaction.write(address(f"{side}_rejected"), refused, code_version=version, watermark=watermark)
        if rows.rows_in != taken.rows + rejected.rows:
            counted = f"{taken.rows} valid and {rejected.rows} rejected of {rows.rows_in}"
            raise IntegrityError(f"{address(side)}: rows do not balance: {counted}")
    return Snapshot(taken, rejected)


def _is_transient(error: Exception) -> bool:
    return isinstance(error, SourceError) and error.transient
