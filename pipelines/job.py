"""A job: one entity and partition to reconcile, where its inputs and results live, and what versions they carry.

Versions of extraction, translation, comparison and service levels are kept apart, so that a changed limit does not make
a comparison stale. Running the stages is `reconciliation`'s.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache, partial
from pathlib import Path
from uuid import uuid4

import duckdb
import polars as pl
import pyarrow as pa

from pipelines import contract, snapshot, translation
from pipelines.causes import Deadline
from pipelines.declarations import Context, Entity, EventLog, Holder, Side
from pipelines.errors import SourceError
from pipelines.lake import Address, Lake, Manifest
from pipelines.partitioning import Partitioning
from pipelines.sources.source import Held, Place


def content_version(*parts: str) -> str:
    """A short digest of texts, for code versions."""
    return hashlib.sha256("\x1f".join(f"{len(part)}:{part}" for part in parts).encode()).hexdigest()[:16]


@lru_cache(maxsize=1)
def package_version() -> str:
    """What identifies the code: the sources of this package, and the engines it works with."""
    found = hashlib.sha256(f"{duckdb.__version__} {pl.__version__} {pa.__version__}".encode())
    root = Path(__file__).parent
    for path in sorted(root.rglob("*.py")):
        found.update(f"{path.relative_to(root)}:".encode())
        found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()[:16]


@dataclass(frozen=True)
class Job:
    """One entity and partition, the lake, the id under which results are written, and the moments its run holds."""

    context: Context
    entity: Entity
    partition: str
    lake: Lake
    run_id: str = field(default_factory=lambda: uuid4().hex)
    moments: Held = field(default_factory=dict)

    @property
    def partitioning(self) -> Partitioning:
        """The entity's own partitioning, or its context's."""
        return self.entity.partitioning or self.context.partitioning

    @property
    def day(self) -> str:
        """The day that this partition's rows are of, on which links must hold."""
        return self.partitioning.day(self.partition)

    @property
    def watermark(self) -> datetime:
        """Up to when this partition's snapshots are complete."""
        return self.partitioning.watermark(self.partition)

    def place_of(self, stage: str, part: str = "") -> Place:
        """Which data the source of a stage means, and what it noted when the stage was taken before.

        When a stage has several sources, `part` says which is meant.
        """
        before = partial(snapshot.noted, self.lake, self.address(stage), part)
        return Place(self.context.root, self.partition, before, self.moments)

    @property
    def deadline(self) -> Deadline:
        """Up to when this partition is complete, and how far its replicas may be behind."""
        return Deadline(self.watermark, self.entity.allowed_lag)

    def address(self, stage: str) -> Address:
        """Where a stage of this job lives."""
        return self.at(stage, self.partition)

    def at(self, stage: str, partition: str) -> Address:
        """Where the same stage of another partition lives."""
        return Address(self.context.name, self.entity.name, str(stage), partition)

    def other(self, entity_path: str) -> Address:
        """Where the identity map of another entity ("context.entity") lives, for the same partition."""
        context, entity = entity_path.split(".")
        return Address(context, entity, "identity_map", self.partition)

    def read(self, stage: str) -> Manifest:
        """The manifest of a stage of this job. Raises SourceError when it has not been run."""
        return self.manifest(self.address(stage))

    def manifest(self, address: Address) -> Manifest:
        """The manifest at an address. Raises SourceError when nothing is there."""
        manifest = self.lake.manifest(address)
        if manifest is None:
            raise SourceError(f"{address} is not in the lake {self.lake}: run that stage first")
        return manifest

    def taken(self, side: Side) -> Manifest:
        """The manifest of a side's snapshot. Raises SourceError when there is none, or of a contract before today's."""
        manifest, address = self.read(side), self.address(side)
        lacking = snapshot.lacking(self.holder(side), self.lake.file(address))
        if lacking:
            raise SourceError(f"{address} is of another contract, without {', '.join(lacking)}: take it again")
        return manifest

    def latest(self, stage: str) -> str | None:
        """The latest partition of a stage in the lake, none after this one."""
        there = self.lake.partitions(self.context.name, self.entity.name, stage)
        return next((key for key in reversed(there) if key <= self.partition), None)

    def previous(self, stage: str) -> str | None:
        """The latest earlier partition of a stage in the lake."""
        earlier = [
            key for key in self.lake.partitions(self.context.name, self.entity.name, stage) if key < self.partition
        ]
        return earlier[-1] if earlier else None

    def holder(self, side: Side) -> Holder:
        """The declaration of one side."""
        return self.entity.holder(side)

    def key_types(self, side: Side) -> tuple[pa.DataType, ...]:
        """The Arrow types of a side's key columns."""
        schema = contract.schema_of(self.holder(side).contract)
        return tuple(schema.field(name).type for name in self.holder(side).key)

    @property
    def identity_version(self) -> str:
        """Version of everything that decides which keys are linked, and how these are written."""
        holders = [(holder.key, holder.nullable_key, holder.scope) for holder in map(self.holder, Side)]
        natural = [translation.rendered(rule) for side in Side for rule in self.entity.natural_key(side)]
        return content_version(repr(self.entity.identity), repr(holders), *natural)

    @property
    def comparison_version(self) -> str:
        """Version of everything that decides what is a discrepancy and why, limits excluded."""
        entity = self.entity
        fields = repr([(f.compare, f.missing, f.compared_when, f.system_of_record) for f in entity.fields])
        earlier = repr([
            (f.name, version, translation.rendered(rule)) for f in entity.fields for version, rule in f.earlier.items()
        ])  # fmt: skip
        decided = repr((entity.system_of_record, entity.slices, entity.allowed_lag, entity.horizon))
        rows = repr([(h.key, h.nullable_key, h.scope, h.deletion, h.changed_at) for h in map(self.holder, Side)])
        told = repr([field.projects for field in entity.fields]) + repr(_counted(entity.events))
        return content_version(translation.version(entity), self.identity_version, fields, earlier, decided, rows, told)

    @property
    def level_version(self) -> str:
        """Version of the limits and the ownership that drift is judged by, and of what may be told of where it is."""
        entity = self.entity
        levels = repr([(f.name, f.service_level, f.criticality, f.owner, f.classification) for f in entity.fields])
        linked = repr((entity.linkage_level, entity.linkage_criticality))
        return content_version(
            levels, linked, repr((entity.service_level, entity.allowed_lag, entity.owner, entity.segments))
        )

    def stamp(self) -> dict[str, str]:
        """What every row of a judged table says about its origin."""
        return {
            "translation_version": self.entity.translation_version,
            "legacy_contract_version": contract.version_of(self.entity.legacy.contract),
            "service_contract_version": contract.version_of(self.entity.service.contract),
            "run_id": self.run_id,
        }


def _counted(log: EventLog | None) -> tuple[object, ...]:
    """What is declared of a log that decides what its events prove; how they are read is their own version's."""
    return (log.numbering, log.first_number, log.begins, log.older_rows_at) if log else ()
