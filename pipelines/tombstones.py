"""Tombstones: legacy rows that an event of the log deleted, though they may still be among its rows.

Makes of the log who is dead as of a partition, and marks raw rows with it; what follows from a row's being deleted is
the same as for rows that bear a flag, and is `linkage`'s and `absence`'s. The log knows rows by their legacy keys, so
only legacy says by an event that a row is deleted. Where no tombstone is declared, nothing is read and nothing marked.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.declarations import Holder, Numbering, Side, Tombstone
from pipelines.engine import Engine
from pipelines.events import TELLS_OF_LIFE
from pipelines.expressions import literal, quote
from pipelines.job import Job
from pipelines.lake import Address
from pipelines.rows import row_key


def are_declared(holder: Holder) -> bool:
    """Whether this side says by an event that a row is deleted."""
    return isinstance(holder.deletion, Tombstone)


def logs(job: Job) -> list[Address]:
    """Where everything stands that was ever told of the rows' coming and going, the oldest first; none undeclared."""
    if not are_declared(job.entity.legacy):
        return []
    keys = job.lake.partitions(job.context.name, job.entity.name, "events")
    return [job.at("events", key) for key in keys if key <= job.partition]


def unmarked(job: Job, side: Side) -> str:
    """The name of the relation of a side's rows as they are read, before they are marked."""
    return f"{side} unmarked" if are_declared(job.holder(side)) else str(side)


def scan(engine: Engine, job: Job, side: Side, partitions: Sequence[str], *, into: str) -> None:
    """Make `into` the raw rows of a side in these partitions (`__partition`), marked as `mark` does."""
    files = [job.lake.file(job.at(side, key)) for key in partitions]
    if not are_declared(job.holder(side)):
        engine.scan(into, files, partitions=partitions)
        return
    engine.scan(f"{into} unmarked", files, partitions=partitions)
    mark(engine, job.holder(side), rows=f"{into} unmarked", into=into, partition="__partition")


def read(engine: Engine, job: Job, partitions: Sequence[str]) -> None:
    """Make `dead rows` (`__dead_key`, `__dead_in`): keys that are deleted as of each of these partitions.

    Nothing where no tombstone is declared.
    """
    deletion, found = job.entity.legacy.deletion, logs(job)
    if not isinstance(deletion, Tombstone):
        return
    if not found:
        engine.materialise("dead rows", _NOBODY)
        return
    files = {str(address.partition): job.lake.file(address) for address in found}
    engine.scan("everything told", list(files.values()), partitions=list(files))
    days = " UNION ALL ".join(f"SELECT {literal(key)} AS day" for key in dict.fromkeys(partitions))
    engine.materialise("dead rows", _dead(deletion.event, _order(job), days))


def mark(engine: Engine, holder: Holder, *, rows: str, into: str, partition: str) -> None:
    """Make `into` of raw rows, with `__deleted` saying who is dead as of a partition (canonical SQL).

    Needs `read`, of which it keeps what it needs: another entity may be read in the same session.
    """
    dead = f"{into} dead"
    engine.materialise(dead, 'SELECT __dead_key, __dead_in FROM "dead rows"')
    engine.view(
        into,
        f"""
        SELECT r.*, d.__dead_key IS NOT NULL AS __deleted
        FROM {quote(rows)} AS r
        LEFT JOIN {quote(dead)} AS d ON d.__dead_key = {row_key(holder)} AND d.__dead_in = {partition}
        """,
    )


_NOBODY = "SELECT CAST(NULL AS VARCHAR) AS __dead_key, CAST(NULL AS VARCHAR) AS __dead_in WHERE FALSE"


def _order(job: Job) -> str:
    log = job.entity.events
    return "__partition DESC, sequence DESC" if log and log.numbering is Numbering.PER_PARTITION else "sequence DESC"


def _dead(event: str, order: str, days: str) -> str:
    """Of each key the last event by number that says whether the row is there; dead if that is a tombstone."""
    of_type = f"event_type = {literal(event)}"
    return f"""
        SELECT legacy_key AS __dead_key, day AS __dead_in
        FROM (
            SELECT e.legacy_key, e.event_type, a.day,
                ROW_NUMBER() OVER (PARTITION BY a.day, e.legacy_key ORDER BY {order}) AS back
            FROM "everything told" AS e
            JOIN ({days}) AS a ON e.__partition <= a.day
            WHERE {TELLS_OF_LIFE}
                AND e.legacy_key IN (SELECT t.legacy_key FROM "everything told" AS t WHERE t.{of_type})
        ) AS told
        WHERE back = 1 AND {of_type}
    """
