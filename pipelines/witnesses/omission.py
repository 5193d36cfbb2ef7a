"""Omission: a replica that shows the fold of all events but one has not applied that one, and it can be named.

Reads what `fold` came to. Where an event after it was applied, the one in between got lost on the way to the replica: a
proof. Where it is the last one, the replica is behind, which others prove; then it is a note beside their proof.
"""

from __future__ import annotations

import pyarrow as pa

from pipelines.causes import PROOFS, Deadline, cause, told
from pipelines.engine import Engine

NOTES = pa.schema([(name, pa.string()) for name in ("legacy_key", "service_key", "field", "evidence")])


def skip(engine: Engine, *, into: str) -> None:
    """Prove nothing: there is no fold."""
    engine.register("omissions noted", NOTES.empty_table())
    engine.register(into, PROOFS.empty_table())


def prove(engine: Engine, deadline: Deadline, *, into: str) -> None:
    """Make `into` (`causes.PROOFS`), and `omissions noted` (NOTES): which event the replica of a pair left out.

    Needs `folded values` (`fold`) and `differences`.
    """
    engine.materialise("omissions", _OMISSIONS)
    noted = told({"not_applied": "sequence"}, not_applied_in="partition_key")
    engine.materialise("omissions noted", f"SELECT legacy_key, service_key, field, {noted} AS evidence FROM omissions")
    skipped = told({"later_applied": "later_sequence"})
    engine.materialise(
        into,
        f"""
        SELECT legacy_key, service_key, field, {cause("missing_event", "event_not_applied")}, event_us AS ended_us,
            {skipped} AS evidence
        FROM omissions WHERE later_sequence IS NOT NULL AND in_order AND NOT {deadline.allows("event_us")}
        """,
    )


# Pairs of which all that differs was told last by one event, and is what was told before it.
_MISSED = """
    SELECT v.legacy_key, v.service_key, MAX(v.place) AS place, MAX(v.sequence) AS sequence, MAX(v.event_us) AS event_us,
        MAX(v.partition_key) AS partition_key,
        MIN(CASE WHEN v.before_arrival > v.arrival THEN 0 ELSE 1 END) = 1 AS in_order
    FROM "folded values" AS v
    JOIN (SELECT legacy_key, service_key, COUNT(*) AS n FROM differences GROUP BY legacy_key, service_key) AS c
        ON c.legacy_key = v.legacy_key AND c.service_key = v.service_key
    WHERE v.differs
    GROUP BY v.legacy_key, v.service_key
    HAVING COUNT(*) = MIN(c.n) AND MIN(v.place) = MAX(v.place) AND MIN(v.place) > 0
        AND MIN(CASE WHEN v.is_right AND v.before_is_shown THEN 1 ELSE 0 END) = 1
"""
# What the replica shows of other fields must be what the fold says, and changed by other events than the missed one.
_CHANGED = """
    SELECT legacy_key, service_key, place, sequence FROM "folded values" WHERE NOT differs AND NOT before_is_shown
"""
_OMISSIONS = f"""
    SELECT d.legacy_key, d.service_key, d.field, m.sequence, m.event_us, m.partition_key, m.in_order,
        l.sequence AS later_sequence
    FROM ({_MISSED}) AS m
    JOIN differences AS d ON d.legacy_key = m.legacy_key AND d.service_key = m.service_key
    LEFT JOIN (SELECT DISTINCT legacy_key, service_key, place FROM ({_CHANGED}) AS changed) AS p
        ON p.legacy_key = m.legacy_key AND p.service_key = m.service_key AND p.place = m.place
    LEFT JOIN (
        SELECT n.legacy_key, n.service_key, MIN(c.sequence) AS sequence
        FROM ({_MISSED}) AS n
        JOIN ({_CHANGED}) AS c ON c.legacy_key = n.legacy_key AND c.service_key = n.service_key AND c.place > n.place
        GROUP BY n.legacy_key, n.service_key
    ) AS l ON l.legacy_key = m.legacy_key AND l.service_key = m.service_key
    WHERE p.place IS NULL
"""
