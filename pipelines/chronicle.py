"""The chronicle: what became of every finding over time, as of one partition, from all partitions up to it.

A finding is told in every partition in which it is there (new, ongoing or reopened), and once more in the one in which
it is gone (resolved). Nothing is carried over from an earlier chronicle: each is computed from the findings themselves,
so partitions may be taken in any order, and again. Which findings there are is `classification`'s and `semantics`'.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from pipelines.declarations import Context, Entity
from pipelines.engine import Engine
from pipelines.expressions import literal
from pipelines.schemas import column, table_schema

STATES = ("new", "ongoing", "reopened", "resolved")
COMPARISON = ""  # the source of the findings that comparing makes; a semantic rule's are told by its name

SCHEMA = table_schema(
    column("discrepancy_id", pa.string(), "Stable fingerprint, as in the table discrepancies"),
    column("context", pa.string(), "Bounded context"),
    column("entity", pa.string(), "Business entity"),
    column("legacy_key", pa.string(), "Key of the legacy row; missing when there is none"),
    column("service_key", pa.string(), "Key of the service row; missing when there is none"),
    column("field", pa.string(), "Field that differs; missing when the finding is about the whole row"),
    column("type", pa.string(), "Type of the discrepancy"),
    column("reason", pa.string(), "Reason when it was last seen"),
    column("in_flight", pa.bool_(), "Whether it was in flight when it was last seen"),
    column("criticality", pa.string(), "critical, major or minor"),
    column("owner", pa.string(), "Team that answers for it"),
    column("state", pa.string(), f"As of this partition: {', '.join(STATES)}"),
    column("first_seen", pa.date32(), "First partition in which it was ever found"),
    column("opened", pa.date32(), "First partition of its last unbroken run of partitions"),
    column("since", pa.date32(), "Partition of that run from which on the system of record has had the present value"),
    column("last_seen", pa.date32(), "Latest partition in which it was found, as of this one"),
    column("resolved", pa.date32(), "This partition, when the finding is gone in it; otherwise missing"),
    column("reopened", pa.int64(), "How many times it has come back after it was gone"),
    column("age_days", pa.int64(), "Days from since to last_seen"),
    column("run_id", pa.string(), "Run that wrote this row"),
)  # fmt: skip


def tell(engine: Engine, context: Context, entity: Entity, *, on: str, run_id: str) -> str:
    """The query of the chronicle (SCHEMA) of a partition, ordered by id.

    Needs `sightings` (`SIGHTED`, `record` and `partition_key`: every finding of every partition up to this one, with
    what was right, and its `source`), and `measured` (source, partition_key): which partitions could have found
    something, by source.
    """
    common = {"context": literal(context.name), "entity": literal(entity.name), "run_id": literal(run_id)}
    engine.materialise("positions", _POSITIONS)
    engine.materialise("latest", f"SELECT source, position FROM positions WHERE partition_key = {literal(on)}")
    engine.materialise("known before", _known_before(on))
    if engine.is_empty("known before"):
        return _rows(common, on, _new(on), _born(on))
    engine.materialise("told", _TOLD)
    engine.materialise("placed", _PLACED)
    engine.materialise("lives", _lives())
    born = ", ".join(f"{sql} AS {name}" for name, sql in _born(on).items())
    seen = f"{_KNOWN} UNION ALL SELECT n.*, {born} FROM ({_new(on)}) AS n"
    return _rows(common, on, seen, {name: f"s.{name}" for name in _born(on)})


SIGHTED = (
    "discrepancy_id",
    "legacy_key",
    "service_key",
    "field",
    "type",
    "reason",
    "in_flight",
    "criticality",
    "owner",
)

_POSITIONS = """
    SELECT source, partition_key, ROW_NUMBER() OVER (PARTITION BY source ORDER BY partition_key) AS position
    FROM measured
"""
# Of findings that are not new, those that are there now, or were when anybody looked before: others are told as gone.
_TOLD = """
    SELECT DISTINCT s.discrepancy_id
    FROM sightings AS s
    JOIN positions AS p ON p.source = s.source AND p.partition_key = s.partition_key
    JOIN latest AS l ON l.source = s.source
    WHERE p.position >= l.position - 1 AND s.discrepancy_id IN (SELECT discrepancy_id FROM "known before")
"""

_PLACED = """
    SELECT s.discrepancy_id, s.source, s.partition_key, s.record, p.position
    FROM sightings AS s
    JOIN positions AS p ON p.source = s.source AND p.partition_key = s.partition_key
    WHERE s.discrepancy_id IN (SELECT discrepancy_id FROM told)
"""


def _known_before(on: str) -> str:
    return f"SELECT DISTINCT discrepancy_id FROM sightings WHERE partition_key <> {literal(on)}"


def _lives() -> str:
    """Each finding's life: its runs of partitions one after the other, and how long its record has had its value."""
    return """
        SELECT discrepancy_id, source, MIN(partition_key) AS first_seen, MAX(partition_key) AS last_seen,
            MAX(position) AS last_position, MAX(CASE WHEN opens THEN partition_key END) AS opened,
            MAX(CASE WHEN opens OR moved THEN partition_key END) AS since, COUNT(*) FILTER (WHERE opens) - 1 AS reopened
        FROM (
            SELECT s.*, b.discrepancy_id IS NULL AS opens, b.record IS DISTINCT FROM s.record AS moved
            FROM placed AS s
            LEFT JOIN placed AS b ON b.discrepancy_id = s.discrepancy_id AND b.source = s.source
                AND b.position + 1 = s.position
        ) AS seen
        GROUP BY discrepancy_id, source
    """


_DAYS = ("first_seen", "opened", "since", "last_seen")
_SEEN = ", ".join(f"s.{name}" for name in SIGHTED)
# As it was last seen, with its life.
_KNOWN = f"""
    SELECT {_SEEN}, {", ".join(f"f.{day}" for day in _DAYS)}, f.reopened, f.last_position < t.position AS gone
    FROM lives AS f
    JOIN latest AS t ON t.source = f.source
    JOIN sightings AS s ON s.discrepancy_id = f.discrepancy_id AND s.partition_key = f.last_seen
"""


def _new(on: str) -> str:
    """Findings that were never there before."""
    return f"""
        SELECT {_SEEN}
        FROM sightings AS s
        JOIN latest AS t ON t.source = s.source
        WHERE s.partition_key = {literal(on)} AND NOT s.discrepancy_id IN (SELECT discrepancy_id FROM "known before")
    """


def _born(on: str) -> dict[str, str]:
    """The life of what was never there before: all of it is today."""
    return {**dict.fromkeys(_DAYS, literal(on)), "reopened": "0", "gone": "FALSE"}


def _rows(common: Mapping[str, str], on: str, seen: str, life: Mapping[str, str]) -> str:
    """What was `seen`, in order, with what its `life` says and what all have in `common`."""
    values = {
        **common,
        **{name: f"s.{name}" for name in SIGHTED},
        "state": f"CASE WHEN {life['gone']} THEN 'resolved' WHEN {life['opened']} < {life['last_seen']} THEN 'ongoing' "
        f"WHEN {life['reopened']} > 0 THEN 'reopened' ELSE 'new' END",
        **{day: f"CAST({life[day]} AS DATE)" for day in _DAYS},
        "resolved": f"CASE WHEN {life['gone']} THEN CAST({literal(on)} AS DATE) END",
        "reopened": life["reopened"],
        "age_days": f"epoch_days(CAST({life['last_seen']} AS DATE)) - epoch_days(CAST({life['since']} AS DATE))",
    }
    columns = ", ".join(f"{values[name]} AS {name}" for name in SCHEMA.names)
    return f"SELECT {columns} FROM ({seen}) AS s ORDER BY s.discrepancy_id"
