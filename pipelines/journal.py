"""The journal: one partition of an entity's event log, taken from its source into the lake, and how much was read.

Events, entries that are none, and the ledger of places read come into the lake together or not at all. What an event
is, is `events`'; what events prove, `testimony`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from functools import partial

import pyarrow as pa
import stamina

from pipelines import disorder, engine, events
from pipelines.declarations import Context, Entity, EventLog
from pipelines.engine import Engine
from pipelines.errors import SourceError
from pipelines.expressions import literal
from pipelines.job import Job, content_version
from pipelines.lake import Manifest, Spool
from pipelines.sources.source import REJECTED, Reading
from pipelines.witnesses import testimony
from pipelines.witnesses.testimony import Coverage

_ATTEMPTS = 4
NUMBERING = "numbering"  # the note of how events are counted


def has_log(job: Job) -> bool:
    """Whether events of this partition are declared."""
    log = job.entity.events
    return log is not None and (log.begins is None or log.begins.isoformat() <= job.partition)


def take(job: Job) -> dict[str, Manifest]:
    """Write `events`, `events_rejected`, `event_offsets` and `event_findings`; nothing where there is no log.

    Raises SourceError, after a few attempts where the trouble may pass, and IntegrityError.
    """
    log = job.entity.events
    return _taken(job, log) if log is not None and has_log(job) else {}


def code_version_of(context: Context, entity: Entity, log: EventLog) -> str:
    """What the events in the lake depend on beside the data: the log, the words it may use, how keys are written."""
    words = events.vocabulary_of(context, entity)
    return content_version(repr(log), repr(words), repr((entity.legacy.key, entity.legacy.nullable_key)))


def _may_pass(error: Exception) -> bool:
    return isinstance(error, SourceError) and error.transient


@stamina.retry(on=_may_pass, attempts=_ATTEMPTS, wait_initial=0.2, wait_max=5.0)
def _taken(job: Job, log: EventLog) -> dict[str, Manifest]:
    schema = events.source_schema(job.entity, log)
    with (
        log.source.open(job.place_of("events"), schema) as reading,
        engine.opened() as session,
        job.lake.transaction(job.run_id) as transaction,
    ):
        spool = transaction.spool(REJECTED)
        held = schema.append(pa.field("__position", pa.int64()))
        session.register("entries read", pa.RecordBatchReader.from_batches(held, _entries(reading, spool)))
        session.materialise("log entries", 'SELECT * FROM "entries read"')
        events.judge(session, job.context, job.entity, log)
        with spool.reading() as unreadable:
            session.register("entries put by", unreadable)
            session.materialise("unreadable entries", 'SELECT * FROM "entries put by"')
        session.view("all refused", _ALL_REFUSED)
        version = code_version_of(job.context, job.entity, log)
        write = partial(transaction.write, code_version=version, watermark=job.watermark)
        numbered = {NUMBERING: log.numbering.value}  # for those who read the log without its declaration
        ordered = session.reader("SELECT * FROM events ORDER BY legacy_key, sequence, position")
        return {
            "events": write(
                job.address("events"), ordered.cast(events.SCHEMA), notes={"source": reading.notes, **numbered}
            ),
            "events_rejected": write(
                job.address("events_rejected"),
                session.reader('SELECT * FROM "all refused" ORDER BY row_number').cast(REJECTED),
            ),
            "event_findings": write(job.address("event_findings"), _findings(session, job, log)),
            "event_offsets": write(job.address("event_offsets"), _offsets(session, job, log)),
        }


def _entries(reading: Reading, spool: Spool) -> Iterator[pa.RecordBatch]:
    """What can be read, with its places; what cannot is put by."""
    with spool.filling() as put_by:
        for batch in reading.batches:
            put_by(batch.unreadable)
            yield batch.rows.append_column("__position", batch.row_numbers.cast(pa.int64()))


_ALL_REFUSED = """
    SELECT row_number, "check", field, reason, raw FROM "entries refused"
    UNION ALL
    SELECT row_number, "check", field, reason, raw FROM "unreadable entries"
"""


def coverage(job: Job, partitions: Sequence[str]) -> Coverage:
    """Since when the log is there without a break: back from the present, as long as it is among these partitions."""
    log = job.entity.events
    due = job.partitioning.keys(date.fromisoformat(job.partition))
    since = job.partition
    for key in reversed(due):
        if key not in partitions:
            break
        since = key
    first = log.begins.isoformat() if log and log.begins else due[0]
    return Coverage(since, from_its_beginning=since <= first)


def folded_from(job: Job, coverage: Coverage, snapshots: Sequence[str]) -> str | None:
    """The earliest of these partitions with a snapshot after which no event is missing from view; none before today."""
    if coverage.since is None:
        return None
    due = [key for key in job.partitioning.keys(date.fromisoformat(job.partition)) if key < coverage.since]
    earliest = due[-1] if due else coverage.since
    return min((key for key in snapshots if earliest <= key < job.partition), default=None)


def _findings(session: Engine, job: Job, log: EventLog) -> pa.RecordBatchReader:
    """What is wrong with the log itself, as far as this partition's events show it, as a stream."""
    names = (job.context.name, job.entity.name)
    before = [key for key in job.lake.partitions(*names, "events") if key < job.partition][-job.entity.horizon :]
    now = f"SELECT *, {literal(job.partition)} AS __partition FROM events"
    if before:
        session.scan("earlier events", [job.lake.file(job.at("events", key)) for key in before], partitions=before)
    earlier = 'UNION ALL SELECT * FROM "earlier events"' if before else ""
    session.view("event history", f"{now} {earlier}")
    session.view("keys told of", "SELECT legacy_key AS row_key FROM events")
    testimony.hear(session, log, coverage(job, [*before, job.partition]), asked="keys told of")
    found = f"SELECT {literal(names[0])} AS context, {literal(names[1])} AS entity, f.*"
    query = f"{found} FROM ({disorder.findings(job.partition)}) AS f ORDER BY legacy_key, sequence, problem"
    return session.reader(query).cast(events.FINDINGS)


def _offsets(session: Engine, job: Job, log: EventLog) -> pa.Table:
    return session.table(f"""
        SELECT {literal(job.context.name)} AS context, {literal(job.entity.name)} AS entity,
            {literal(log.source.describe())} AS source, MIN(place) AS first_position, MAX(place) AS last_position,
            COUNT(*) FILTER (WHERE taken) AS events, COUNT(*) FILTER (WHERE NOT taken) AS rejected,
            MIN(recorded_time) AS first_recorded, MAX(recorded_time) AS last_recorded
        FROM (
            SELECT position AS place, recorded_time, TRUE AS taken FROM events
            UNION ALL
            SELECT row_number AS place, CAST(NULL AS TIMESTAMPTZ) AS recorded_time, FALSE AS taken FROM "all refused"
        ) AS entries
    """).cast(events.OFFSETS)
