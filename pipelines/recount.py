"""A recount: all events between two partitions applied to the snapshot of the first, against that of the second.

For whoever wants to know whether an event log is complete before anything is built from it: every row is in question
here. What a fold is, is `fold`'s; the rows that reconciling has in question anyway are folded by `proving`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import pyarrow as pa

from pipelines import engine, journal, plan, proving, tombstones, translation
from pipelines.declarations import Entity, EventLog, Side
from pipelines.engine import Engine
from pipelines.errors import SourceError
from pipelines.expressions import literal, quote, substituted
from pipelines.job import Job
from pipelines.rows import row_key
from pipelines.witnesses import fold, history, rejections, silence, testimony

_ASKED = f"{Side.LEGACY} keys in question"
_NOTHING = {
    "suspects": pa.schema([("legacy_key", pa.string()), ("service_key", pa.string())]),
    "differences": pa.schema([
        *((name, pa.string()) for name in ("legacy_key", "service_key", "field", "system_of_record", "actual")),
        ("verdict", pa.int64()),
    ]),
}  # fmt: skip


@dataclass(frozen=True)
class Recount:
    """What the events of `partitions` make of the snapshot of `base`: how many rows and events, and what disagrees."""

    base: str
    partitions: tuple[str, ...]
    rows_then: int
    events: int
    rows_now: int
    findings: list[dict[str, object]]  # rows of `fold.SCHEMA`

    @property
    def agrees(self) -> bool:
        """Whether they make exactly the snapshot of the last partition."""
        return not self.findings


def recount(job: Job, base: str | None = None) -> Recount:
    """Apply all events after partition `base` (by default the one before) to its snapshot; compare with the job's.

    Only what legacy is right about is asked for. Raises SourceError when there is no log, or one of the partitions is
    not in the lake.
    """
    log = job.entity.events
    if log is None:
        raise SourceError(f"{job.context.name}.{job.entity.name} declares no events")
    base = base or job.previous(Side.LEGACY)
    if base is None or not base < job.partition:
        raise SourceError(f"{job.address(Side.LEGACY)} has no earlier snapshot to begin from")
    partitions = _partitions(job, base)
    with engine.opened() as session:
        if base not in proving.that_testify(session, job, Side.LEGACY, (base, job.partition)):
            raise SourceError(f"{job.at(Side.LEGACY, base)} is of a contract with another key or flag: begin later")
        _gather(session, job, base)
        _hear(session, job, log, base, partitions)
        fold.recount(session, _told_by_legacy(job.entity), job.deadline, base=base, now=job.partition)
        return Recount(
            base,
            partitions,
            _count(session, f'"legacy presence" WHERE partition_key = {literal(base)}'),
            _count(session, "heard"),
            _count(session, f'"legacy presence" WHERE partition_key = {literal(job.partition)}'),
            fold.findings(session, job.context, job.entity).read_all().to_pylist(),
        )


def _partitions(job: Job, base: str) -> tuple[str, ...]:
    """The partitions of the log between both, all of which must be there."""
    due = [key for key in job.partitioning.keys(date.fromisoformat(job.partition)) if base < key]
    for key in due:
        job.manifest(job.at("events", key))
    return tuple(due)


def _gather(session: Engine, job: Job, base: str) -> None:
    """Both snapshots, translated; nothing that was compared."""
    for name, schema in _NOTHING.items():
        session.register(name, schema.empty_table())
    plan.scan_rows(session, job)
    plan.resolve_references(session, job)
    plan.view_service(session, job, rows=Side.SERVICE)
    session.scan("legacy refused", [job.lake.file(job.address("legacy_rejected"))])
    rejections.read(session, Side.LEGACY)
    keys = (base, job.partition)
    session.scan("both snapshots", [job.lake.file(job.at(Side.LEGACY, key)) for key in keys], partitions=keys)
    session.scan("legacy history", [job.lake.file(job.address(Side.LEGACY))], partitions=[job.partition])
    tombstones.read(session, job, keys)


def _hear(session: Engine, job: Job, log: EventLog, base: str, partitions: Sequence[str]) -> None:
    told = [base, *partitions] if job.lake.manifest(job.at("events", base)) else partitions
    session.scan("all told", [job.lake.file(job.at("events", key)) for key in told], partitions=told)
    complete = literal(job.partitioning.watermark(base).isoformat())
    later = f"__partition <> {literal(base)} OR event_time > CAST({complete} AS TIMESTAMPTZ)"
    session.view("event history", f'SELECT * FROM "all told" WHERE {later}')
    key = row_key(job.entity.legacy)
    every = f'SELECT {key} AS row_key FROM "both snapshots" UNION ALL SELECT legacy_key AS row_key FROM "event history"'
    session.materialise(_ASKED, f"SELECT DISTINCT row_key FROM ({every}) AS keys WHERE row_key IS NOT NULL")
    earlier = {base: job.lake.file(job.at(Side.LEGACY, base))}
    silence.keep(session, job.entity, Side.LEGACY, earlier)
    history.look_back(session, job.entity, Side.LEGACY, asked=_ASKED, earlier=earlier)
    translation.translate(session, job.entity, rows="legacy past", into="translated past")
    session.materialise("absences", _rows_of_service(job.entity))
    testimony.hear(session, log, journal.coverage(job, partitions), asked=_ASKED)


def _told_by_legacy(entity: Entity) -> Entity:
    """The entity without the fields that the service is right about."""
    return replace(entity, fields=tuple(f for f in entity.fields if f.system_of_record is not Side.SERVICE))


def _rows_of_service(entity: Entity) -> str:
    """Rows of slices that the service is right about, in the shape of `absences`: what legacy says of them is late."""
    fields = {field.name: quote(field.name) for field in entity.fields}
    whens = " ".join(
        f"WHEN {substituted(part.when, fields)} THEN {literal(part.system_of_record)}" for part in entity.slices
    )
    record = f"CASE {whens} ELSE {literal(entity.system_of_record)} END" if whens else literal(entity.system_of_record)
    return f"""
        SELECT {literal(Side.LEGACY)} AS side, legacy_key AS own_key, CAST(NULL AS VARCHAR) AS other_key,
            {record} AS record
        FROM "translated past"
    """


def _count(session: Engine, relation: str) -> int:
    return session.number(f"SELECT COUNT(*) FROM {relation}")
