"""Readiness: whether legacy may be switched off for a capability, gate by gate, as of a business date.

Reads what was declared of its entities and what was judged of them in the last `steady_for` days; runs nothing. What a
gate asks is `gates`'. The table is written to the lake under the capability's name.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from uuid import uuid4

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.declarations import Capability, Context, Entity, Phase, Side
from pipelines.gates import Gate, Proof, Row, Window, pass_through
from pipelines.job import Job, content_version
from pipelines.lake import Address, Lake, Manifest
from pipelines.portfolio import Portfolio
from pipelines.rulebook import path_of
from pipelines.schemas import column, table_schema

STAGE = "readiness"
SCHEMA = table_schema(
    column("context", pa.string(), "Bounded context that declares the capability"),
    column("capability", pa.string(), "What is taken over as a whole"),
    column("gate", pa.string(), "What must hold before legacy is switched off for it"),
    column("phase", pa.string(), "Where the migration stands: of its entities, the one that is least far"),
    column("status", pa.string(), "met, not_met or not_measured"),
    column("measured", pa.int64(), "How much of it is there"),
    column("required", pa.int64(), "How much of it must be"),
    column("unit", pa.string(), "What is counted: entity, field, day, rule or discrepancy"),
    column("evidence", pa.string(), "Everything that is not there, as a JSON list"),
    column("owner", pa.string(), "Team that answers for the capability"),
    column("run_id", pa.string(), "Run that wrote this row"),
)
_JUDGED = ("drift", "linkage", "lag", "semantic_rules")


@dataclass(frozen=True)
class Assessment:
    """A capability of a context, as of a business date, in a lake."""

    portfolio: Portfolio
    context: Context
    capability: Capability
    partition: str
    lake: Lake

    @property
    def path(self) -> str:
        """The capability's name with its context's."""
        return f"{self.context.name}.{self.capability.name}"

    @property
    def address(self) -> Address:
        """Where it lives."""
        return Address(self.context.name, self.capability.name, STAGE, self.partition)

    @property
    def window(self) -> Window:
        """The days up to the end of the partition in which everything must have held."""
        end = self.context.partitioning.end(date.fromisoformat(self.partition))
        return Window(end - self.capability.steady_for, end)

    def entities(self) -> Iterator[tuple[Context, Entity]]:
        """The entities of the capability, each with its context."""
        for name in self.capability.entities:
            yield self.portfolio.entity(path_of(self.context.name, name))


def assess(asked: Assessment, *, run_id: str) -> Manifest:
    """Write `readiness` (SCHEMA, a row per gate) of a capability and date.

    Raises SourceError or IntegrityError when the lake cannot be read or written.
    """
    proofs = [_proof(asked, *found) for found in asked.entities()]
    gates = pass_through(asked.capability, proofs, asked.window)
    rows = pa.Table.from_pylist([_row(asked, gate) | {"run_id": run_id} for gate in gates], SCHEMA)
    with asked.lake.transaction(run_id) as transaction:
        return transaction.write(
            asked.address, rows, code_version=version(asked), inputs=_inputs(asked, proofs), volatile=("run_id",)
        )


def assessed(asked: Assessment) -> list[Row]:
    """The gates (SCHEMA) as they were assessed last."""
    found: list[Row] = pq.read_table(asked.lake.file(asked.address), partitioning=None).to_pylist()
    return found


def follow(portfolio: Portfolio, jobs: Iterable[Job]) -> None:
    """Assess what is due after these jobs. Raises SourceError or IntegrityError as `assess` does."""
    run_id = uuid4().hex
    for one in due(portfolio, jobs):
        assess(one, run_id=run_id)


def due(portfolio: Portfolio, jobs: Iterable[Job]) -> list[Assessment]:
    """What is to be assessed after these jobs: every capability that one of its entities is of, on dates of its own."""
    done = {(job.context.name, job.entity.name, job.partition): job.lake for job in jobs}
    found = {
        (context.name, capability.name, partition): Assessment(portfolio, context, capability, partition, lake)
        for context, capability in portfolio.capabilities()
        for (of, entity, partition), lake in done.items()
        if f"{of}.{entity}" in {path_of(context.name, name) for name in capability.entities}
        and partition in context.partitioning.keys(date.fromisoformat(partition))
    }
    return [found[at] for at in sorted(found)]


def version(asked: Assessment) -> str:
    """Version of everything declared that decides the outcome, limits excluded: they were judged before."""
    return content_version(repr(asked.capability), *(_declared(entity) for _, entity in asked.entities()))


def phase_of(asked: Assessment) -> Phase:
    """Where the migration of the capability stands: what is least far of its entities decides."""
    order = list(Phase)
    return min((entity.phase for _, entity in asked.entities()), key=order.index)


def _declared(entity: Entity) -> str:
    fields = [(field.name, field.system_of_record) for field in entity.fields]
    return repr((entity.phase, entity.system_of_record, entity.slices, fields))


def _proof(asked: Assessment, context: Context, entity: Entity) -> Proof:
    spans = _spans(asked, context, entity)
    there = [set(asked.lake.partitions(context.name, entity.name, stage)) for stage in ("drift", "discrepancies")]
    reconciled = [key for key in spans if all(key in keys for keys in there)]
    rules = [bound.rule for bound in asked.portfolio.rules_of(context, entity)]
    path = f"{context.name}.{entity.name}"
    return Proof(
        path=path,
        entity=entity,
        rules=[rule.name for rule in rules if Side.SERVICE in rule.sides],
        spans=spans,
        reconciled=reconciled,
        judged={
            table: [row for key in reconciled for row in _rows(asked.lake, _at(path, table, key))] for table in _JUDGED
        },
        causes=[row for key in reconciled for row in _causes(asked.lake, _at(path, "discrepancies", key))],
    )


def _at(path: str, stage: str, key: str) -> Address:
    context, entity = path.split(".")
    return Address(context, entity, stage, key)


def _spans(asked: Assessment, context: Context, entity: Entity) -> dict[str, date]:
    """The partitions of an entity that are in force within the window, up to the date asked for."""
    partitioning = entity.partitioning or context.partitioning
    ends = {start: partitioning.end(start) for start in partitioning.starts(date.fromisoformat(asked.partition))}
    return {start.isoformat(): end for start, end in ends.items() if asked.window.shared(start, end)}


def _rows(lake: Lake, address: Address) -> list[Row]:
    """The rows of a judged table, each with its `business_date`; none where there is no such table."""
    file = lake.file(address)
    found = pl.read_parquet(file, hive_partitioning=False).to_dicts() if file.exists() else []
    return [{"business_date": address.partition} | row for row in found]


def _causes(lake: Lake, address: Address) -> list[Row]:
    """How many `findings` of a partition there are by type and reason; those in flight are none yet."""
    found = pl.scan_parquet(lake.file(address), hive_partitioning=False).filter(~pl.col("in_flight"))
    counted = found.group_by("type", "reason").agg(pl.len().cast(pl.Int64).alias("findings")).sort("type", "reason")
    return [{"business_date": address.partition} | row for row in counted.collect().to_dicts()]


def _row(asked: Assessment, gate: Gate) -> dict[str, object]:
    return {
        "context": asked.context.name,
        "capability": asked.capability.name,
        "gate": gate.name,
        "phase": phase_of(asked).value,
        "status": gate.status.value,
        "measured": gate.measured,
        "required": gate.required,
        "unit": gate.unit,
        "evidence": json.dumps(gate.evidence, ensure_ascii=False),
        "owner": asked.capability.owner.team,
    }


def _inputs(asked: Assessment, proofs: Iterable[Proof]) -> dict[str, str]:
    """What was read, by content."""
    addresses = [
        _at(proof.path, stage, key)
        for proof in proofs
        for key in proof.reconciled
        for stage in (*_JUDGED, "discrepancies")
    ]
    manifests = {str(address): asked.lake.manifest(address) for address in addresses}
    return {address: manifest.digest for address, manifest in manifests.items() if manifest}
