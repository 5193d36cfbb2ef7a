"""Ownership: a replica's row that was written when the system of record had nothing to tell.

Proved by what both rows say of when they were last written, and by the event log where there is one; or by snapshots,
and by the log: that the replica had the right value, and nobody ever said what it shows now.
"""

from __future__ import annotations

from pipelines.causes import Deadline, cause, told
from pipelines.comparison import Verdict
from pipelines.declarations import Entity, Side
from pipelines.engine import Engine


def prove(engine: Engine, entity: Entity, deadline: Deadline, *, into: str) -> None:
    """Make `into` (`causes.PROOFS`): written later than the allowed lag after all that the replica could have heard.

    Or left a value that is right for one that never was; in either case for none that an event tells. Needs
    `differences`, `witnesses` (`history`), `written rows`, `heard` and `sayings` (`testimony`).
    """
    clocks = entity.legacy.changed_at is not None and entity.service.changed_at is not None
    engine.materialise(into, f"{_STRAYED} UNION ALL {_proofs(deadline)}" if clocks else _STRAYED)


_WRITTEN = cause("semantic_contradiction", "written_by_replica")
# Condition: an event tells what the replica shows, be it one that happened after the watermark.
_TOLD = """EXISTS (
    SELECT 1 FROM sayings AS s
    WHERE s.legacy_key = w.legacy_key AND s.service_key = w.service_key AND s.field = w.field AND s.is_shown
)"""
_STRAYED = f"""
    SELECT legacy_key, service_key, field, {_WRITTEN}, CAST(NULL AS BIGINT) AS ended_us,
        {told(agreed="caught_up", changed="strayed")} AS evidence
    FROM witnesses AS w
    WHERE witness IS NULL AND caught_up IS NOT NULL AND NOT {_TOLD}
"""


def _proofs(deadline: Deadline) -> str:
    evidence = told({"written_us": "replica_us", "last_change_us": "right_us"})
    allowed = int(deadline.allowed.total_seconds()) * 1_000_000
    return f"""
        SELECT legacy_key, service_key, field, {_WRITTEN}, CAST(NULL AS BIGINT) AS ended_us, {evidence} AS evidence
        FROM (
            SELECT d.legacy_key, d.service_key, d.field, {_of("legacy", "service")} AS replica_us,
                GREATEST({_of("service", "legacy")}, COALESCE(h.recorded_us, {_of("service", "legacy")})) AS right_us
            FROM differences AS d
            JOIN "written rows" AS r ON r.legacy_key = d.legacy_key AND r.service_key = d.service_key
            LEFT JOIN (SELECT legacy_key, MAX(recorded_us) AS recorded_us FROM heard GROUP BY legacy_key) AS h
                ON h.legacy_key = d.legacy_key
            WHERE d.verdict <> {Verdict.UNTRANSLATABLE:d}
        ) AS w
        WHERE replica_us - right_us > {allowed} AND NOT {_TOLD}
    """


def _of(when_service: str, when_legacy: str) -> str:
    """When the row of one side was written: which side, depends on the system of record."""
    return f"CASE d.system_of_record WHEN '{Side.SERVICE}' THEN r.{when_service}_us ELSE r.{when_legacy}_us END"
