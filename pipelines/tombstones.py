"""Tombstones: rows that an event of the log deleted, though they may still be among the rows of their side.

Makes of the log who is dead as of a partition, and marks raw rows with it; what follows from a row's being deleted is
the same as for rows that bear a flag, and is `linkage`'s and `absence`'s. The log names legacy keys: of the service,
the rows that are or were linked with them are meant, or bear their natural key. Where no tombstone is declared, nothing
is read and nothing marked.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from pipelines import identity, namesakes
from pipelines.declarations import Entity, Holder, Numbering, Side, Tombstone
from pipelines.engine import Engine
from pipelines.events import GIVES_LIFE
from pipelines.expressions import literal, quote
from pipelines.job import Job
from pipelines.lake import Address
from pipelines.rows import row_key

_MAPS = "identity_map"


def are_declared(holder: Holder) -> bool:
    """Whether this side says by an event that a row is deleted."""
    return isinstance(holder.deletion, Tombstone)


def sources(job: Job) -> list[Address]:
    """All that says who is dead: whatever was ever told, and for the service whatever was ever linked; oldest first."""
    stages = ["events"] if any(are_declared(job.holder(side)) for side in Side) else []
    stages += [_MAPS] if are_declared(job.entity.service) else []
    return [job.at(stage, key) for stage in stages for key in _upto(job, stage, job.partition)]


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
    mark(engine, job.entity, side, rows=f"{into} unmarked", into=into, partition="__partition")


def read(engine: Engine, job: Job, partitions: Sequence[str]) -> None:
    """Make `<side> dead rows` (`__dead_key`, `__dead_in`): keys that are deleted as of each of these partitions.

    Of those sides that declare a tombstone.
    """
    days = sorted(set(partitions))
    declared = {side: job.holder(side).deletion for side in Side}
    if any(isinstance(deletion, Tombstone) for deletion in declared.values()):
        _scan_all(engine, job, "events", days[-1], into="everything told")
    for side, deletion in declared.items():
        if isinstance(deletion, Tombstone):
            into = {Side.LEGACY: "legacy dead rows", Side.SERVICE: "dead to the service"}[side]
            there = _upto(job, "events", days[-1])
            engine.materialise(into, _dead(deletion.event, _order(job), _listed(days)) if there else _NOBODY)
    if are_declared(job.entity.service):
        _scan_all(engine, job, _MAPS, days[-1], into="everything linked")
        there = _upto(job, _MAPS, days[-1])
        engine.register("days of links", _days(job, there))
        engine.materialise("certain links ever", _LINKS if there else _NEVER)
        engine.materialise("service dead rows", _linked(_listed(days)))
        _read_namesakes(engine, job.entity)


def mark(engine: Engine, entity: Entity, side: Side, *, rows: str, into: str, partition: str) -> None:  # noqa: PLR0913
    """Make `into` of raw rows, with `__deleted` saying who is dead as of a partition (canonical SQL).

    Needs `read`, of which it keeps what it needs: another entity may be read in the same session.
    """
    dead, holder = f"{into} dead", entity.holder(side)
    known = f"SELECT __dead_key, __dead_in FROM {quote(f'{side} dead rows')}"
    by_name = side is Side.SERVICE and namesakes.are_known(entity)
    engine.materialise(dead, f"{known} UNION ALL {_namesakes(entity, rows, partition)}" if by_name else known)
    engine.view(
        into,
        f"""
        SELECT r.*, d.__dead_key IS NOT NULL AS __deleted
        FROM {quote(rows)} AS r
        LEFT JOIN {quote(dead)} AS d ON d.__dead_key = {row_key(holder)} AND d.__dead_in = {partition}
        """,
    )


def _read_namesakes(engine: Engine, entity: Entity) -> None:
    """`dead business keys` (business_key, __dead_in) of legacy rows that nobody need have seen."""
    if namesakes.are_known(entity):
        engine.materialise("keys of the dead", 'SELECT DISTINCT __dead_key AS row_key FROM "dead to the service"')
        namesakes.name(engine, entity, keys="keys of the dead", into="names of the dead")
        engine.materialise(
            "dead business keys",
            """
            SELECT DISTINCT n.business_key, d.__dead_in FROM "names of the dead" AS n
            JOIN "dead to the service" AS d ON d.__dead_key = n.row_key
            """,
        )


def _namesakes(entity: Entity, rows: str, partition: str) -> str:
    """Service rows with the natural key of a dead legacy row, that were never linked with any."""
    named = identity.business_keys(entity, Side.SERVICE, relation=rows, also=partition)
    return f"""
        SELECT DISTINCT s.row_key AS __dead_key, b.__dead_in
        FROM ({named}) AS s
        JOIN "dead business keys" AS b ON b.business_key = s.business_key AND b.__dead_in = s.also
        WHERE NOT EXISTS (
            SELECT 1 FROM "certain links ever" AS l WHERE l.service_key = s.row_key AND l.__partition <= s.also
        )
    """


_NOBODY = "SELECT CAST(NULL AS VARCHAR) AS __dead_key, CAST(NULL AS VARCHAR) AS __dead_in WHERE FALSE"


def _days(job: Job, keys: Sequence[str]) -> pa.Table:
    """The day on which the links of each of these partitions must hold."""
    days = [job.partitioning.day(key) for key in keys]
    return pa.table({"__partition": pa.array(keys, pa.string()), "day": pa.array(days, pa.string())})


def _upto(job: Job, stage: str, latest: str) -> list[str]:
    return [key for key in job.lake.partitions(job.context.name, job.entity.name, stage) if key <= latest]


def _scan_all(engine: Engine, job: Job, stage: str, latest: str, *, into: str) -> None:
    """All partitions of a stage that are in the lake up to the latest one asked for; nothing if there are none."""
    keys = _upto(job, stage, latest)
    if keys:
        engine.scan(into, [job.lake.file(job.at(stage, key)) for key in keys], partitions=keys)


def _listed(days: Sequence[str]) -> str:
    return " UNION ALL ".join(f"SELECT {literal(key)} AS day" for key in days)


def _order(job: Job) -> str:
    """The last event first; of several with one number the one recorded first is meant, as everywhere."""
    log = job.entity.events
    per_partition = log is not None and log.numbering is Numbering.PER_PARTITION
    return f"{'e.__partition DESC, ' if per_partition else ''}sequence DESC, recorded_time, e.__partition, position"


def _dead(event: str, order: str, days: str) -> str:
    """Legacy keys that a tombstone deleted, and nothing behind it by number made, stated or changed again."""
    of_type = f"event_type = {literal(event)}"
    return f"""
        SELECT legacy_key AS __dead_key, day AS __dead_in
        FROM (
            SELECT e.legacy_key, a.day, {of_type} AS is_end, {GIVES_LIFE} AS gives_life,
                ROW_NUMBER() OVER (PARTITION BY a.day, e.legacy_key ORDER BY {order}) AS back
            FROM "everything told" AS e
            JOIN ({days}) AS a ON e.__partition <= a.day
            WHERE e.legacy_key IN (SELECT t.legacy_key FROM "everything told" AS t WHERE t.{of_type})
        ) AS told
        GROUP BY legacy_key, day
        HAVING MIN(CASE WHEN is_end THEN back END) < COALESCE(MIN(CASE WHEN gives_life THEN back END), COUNT(*) + 1)
    """


_LINKS = """
    SELECT l.legacy_key, l.service_key, l.__partition
    FROM "everything linked" AS l
    JOIN "days of links" AS d ON d.__partition = l.__partition
    WHERE NOT l.is_merged AND l.problem IS NULL AND l.confidence = 1
        AND COALESCE(l.valid_from <= CAST(d.day AS DATE), TRUE)
        AND COALESCE(l.valid_to > CAST(d.day AS DATE), TRUE)
"""
_NEVER = """
    SELECT CAST(NULL AS VARCHAR) AS legacy_key, CAST(NULL AS VARCHAR) AS service_key,
        CAST(NULL AS VARCHAR) AS __partition
    WHERE FALSE
"""


def _linked(days: str) -> str:
    """Service keys all of whose certain links, in the latest partition that has one of them, lead to the dead."""
    return f"""
        SELECT w.service_key AS __dead_key, w.day AS __dead_in
        FROM (
            SELECT l.legacy_key, l.service_key, l.__partition, a.day,
                MAX(l.__partition) OVER (PARTITION BY l.service_key, a.day) AS latest
            FROM "certain links ever" AS l
            JOIN ({days}) AS a ON l.__partition <= a.day
            WHERE l.service_key IN (
                SELECT m.service_key FROM "certain links ever" AS m
                JOIN "dead to the service" AS d ON d.__dead_key = m.legacy_key
            )
        ) AS w
        LEFT JOIN "dead to the service" AS x ON x.__dead_key = w.legacy_key AND x.__dead_in = w.day
        WHERE w.__partition = w.latest
        GROUP BY w.service_key, w.day
        HAVING COUNT(*) = COUNT(x.__dead_key)
    """
