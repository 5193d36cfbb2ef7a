"""Snapshots: one side's rows of an entity as of a partition, taken from its source into the lake.

One pass in bounded memory: rows that keep the contract become the side's table, the others its `_rejected` table, both
at once or not at all. What the rows mean is not known here; personal data is `privacy`'s.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import contract, progress, unpacked
from pipelines.declarations import Context, Entity, Holder, Side
from pipelines.errors import IntegrityError
from pipelines.lake import WORKING, Address, Lake, Manifest, Spool
from pipelines.sources.source import REJECTED, Batch, Held, Notes, Place, Reading, Source
from pipelines.trying import again


@dataclass(frozen=True)
class Snapshot:
    """What was taken: the side's rows and its rejected rows."""

    manifest: Manifest
    rejected: Manifest


def take(  # noqa: PLR0913 (who, which side, of when, into what, by which run, as of which moments)
    entity: Entity,
    side: Side,
    *,
    context: Context,
    partition: str,
    lake: Lake,
    run_id: str,
    moments: Held | None = None,
) -> Snapshot:
    """Take one side's snapshot of a partition; again, a few times, when its source is in trouble that may pass."""
    address = Address(context.name, entity.name, str(side), partition)
    order = _Order(
        holder=entity.holder(side),
        place=Place(context.root, partition, lambda: noted(lake, address), moments or {}),
        address=address,
        watermark=(entity.partitioning or context.partitioning).watermark(partition),
    )
    return _taken(order, lake, run_id)


class Small(NamedTuple):
    """A small source as a whole: its rows, those that cannot be read (`REJECTED`), and what it noted of itself."""

    rows: pa.Table
    unreadable: pa.Table
    notes: Notes


def read(source: Source, schema: pa.Schema, place: Place) -> Small:
    """All rows of a small source, such as an identity map."""
    rows, unreadable = [], []
    with source.open(place, schema) as reading:
        for batch in _counted(source, reading):
            rows.append(batch.rows)
            unreadable.append(batch.unreadable)
    together = pa.Table.from_batches(rows, schema), pa.Table.from_batches(unreadable, REJECTED)
    return Small(*together, reading.notes)


def noted(lake: Lake, address: Address, part: str = "") -> dict[str, Notes]:
    """What readings of a source noted when the partitions of this stage were taken, by partition.

    When a stage has several sources, `part` says which is meant.
    """
    found = {}
    for partition in lake.partitions(address.context, address.entity, address.stage):
        manifest = lake.manifest(replace(address, partition=partition))
        if manifest is not None and "source" in manifest.notes:
            notes = manifest.notes["source"]
            found[partition] = notes.get(part, {}) if part else notes
    return found


def code_version_of(holder: Holder) -> str:
    """What a snapshot depends on beside the data: the contract, and how the source is read."""
    return f"{contract.version_of(holder.contract)}.{hashlib.sha256(repr(holder.source).encode()).hexdigest()[:8]}"


def lacking(holder: Holder, file: Path) -> list[str]:
    """The columns of a contract that a snapshot does not hold as what they are: it was taken under another one."""
    held = {field.name: _kind(field.type) for field in pq.read_schema(file)}
    return [field.name for field in contract.schema_of(holder.contract) if held.get(field.name) != _kind(field.type)]


def _kind(kind: pa.DataType) -> str:
    """A type by its name; parts of lists and structs are called otherwise once they are written."""
    return "nested" if pa.types.is_nested(kind) else str(kind)


@dataclass(frozen=True)
class _Order:
    """What is to be taken."""

    holder: Holder
    place: Place
    address: Address
    watermark: datetime


class _Pass:
    """One pass over a source: valid rows go on, rejected ones are put by, all are counted."""

    def __init__(self, order: _Order, reading: Reading, spool: Spool) -> None:
        self._order, self._reading, self._spool = order, reading, spool
        self.rows_in = 0
        self.notes: dict[str, Any] = {}

    def valid(self) -> Iterator[pa.RecordBatch]:
        """The rows that keep the contract."""
        rejected, holder = 0, self._order.holder
        arriving = _counted(holder.source, self._reading)
        with self._spool.filling() as put_by:
            for batch in progress.metered(arriving, str(self._order.address), self._reading.rows):
                judged = contract.validate(holder.contract, batch.rows, batch.row_numbers)
                self.rows_in += batch.rows.num_rows + batch.unreadable.num_rows
                for refused in (batch.unreadable, judged.rejected):
                    rejected += refused.num_rows
                    put_by(refused)
                yield judged.valid
        self.notes |= {"rows_in": self.rows_in, "rejected": rejected, "undeclared": list(self._reading.undeclared)}
        if self._reading.notes:
            self.notes["source"] = self._reading.notes


def _counted(source: Source, reading: Reading) -> Iterator[Batch]:
    """The batches of a reading. Raises IntegrityError when they are not as many rows as the source itself counts."""
    read = 0
    for batch in reading.batches:
        read += batch.rows.num_rows + batch.unreadable.num_rows
        yield batch
    if reading.rows is not None and read != reading.rows:
        raise IntegrityError(f"{source.describe()}: {read} rows were read, but the source counts {reading.rows}")


@again
def _taken(order: _Order, lake: Lake, run_id: str) -> Snapshot:
    schema = contract.schema_of(order.holder.contract)
    refused_address = replace(order.address, stage=f"{order.address.stage}_rejected")
    version = code_version_of(order.holder)
    with order.holder.source.open(order.place, schema) as reading, lake.transaction(run_id) as transaction:
        spool = transaction.spool(REJECTED)
        rows = _Pass(order, reading, spool)
        valid = pa.RecordBatchReader.from_batches(schema, rows.valid())
        taken = transaction.write(
            order.address,
            valid,
            code_version=version,
            watermark=order.watermark,
            notes=rows.notes,
            compression=WORKING,
            unpacked_from=unpacked.worthwhile(),
        )
        with spool.reading() as refused:
            rejected = transaction.write(refused_address, refused, code_version=version, watermark=order.watermark)
        if rows.rows_in != taken.rows + rejected.rows:
            counted = f"{taken.rows} valid and {rejected.rows} rejected of {rows.rows_in}"
            raise IntegrityError(f"{order.address}: rows do not balance: {counted}")
    return Snapshot(taken, rejected)
