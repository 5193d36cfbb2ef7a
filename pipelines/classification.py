"""Classification: every finding gets one type and a reason, with its evidence and a stable identity.

Reads linkage findings, differences and the witnesses of `history`; writes the `discrepancies` table. Precedence and
names are those of the design: key linkage, then what is proved about values, then `unexplained`, never a guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import pyarrow as pa

from pipelines.comparison import Verdict
from pipelines.declarations import Context, Entity
from pipelines.engine import Engine
from pipelines.expressions import literal
from pipelines.schemas import column, table_schema

TYPES = (
    "key_linkage", "missing_event", "out_of_order_update", "stale_replica", "invalid_transformation",
    "semantic_contradiction", "unexplained",
)  # fmt: skip


SCHEMA = table_schema(
    column("discrepancy_id", pa.string(), "Stable fingerprint of entity, keys, field and type"),
    column("context", pa.string(), "Bounded context"),
    column("entity", pa.string(), "Business entity"),
    column("legacy_key", pa.string(), "Key of the legacy row, canonical text; missing when there is none"),
    column("service_key", pa.string(), "Key of the service row, canonical text; missing when there is none"),
    column("field", pa.string(), "Field that differs; missing when the finding is about the whole row"),
    column("type", pa.string(), f"One of {', '.join(TYPES)}"),
    column("reason", pa.string(), "Reason within the type"),
    column("legacy_raw", pa.string(), "Raw legacy value, or a JSON object of several"),
    column("expected", pa.string(), "Legacy value in the service's language"),
    column("actual", pa.string(), "Service value"),
    column("delta", pa.float64(), "actual - expected: numbers in their unit, dates in days, times in seconds"),
    column("in_flight", pa.bool_(), "Within the allowed lag: reported, not counted as drift"),
    column("lag_seconds", pa.int64(), "How long the replica has been behind, when it is"),
    column("criticality", pa.string(), "critical, major or minor"),
    column("owner", pa.string(), "Team that answers for it"),
    column("system_of_record", pa.string(), "Side that is right for this field of this row"),
    column("first_seen", pa.date32(), "First partition of the unbroken run in which it was found"),
    column("last_seen", pa.date32(), "Latest partition in which it was found, as of this one"),
    column("evidence", pa.string(), "JSON: what proves type and reason"),
    column("translation_version", pa.string(), "Declared version of the translation"),
    column("run_id", pa.string(), "Run that wrote this row"),
)  # fmt: skip


@dataclass(frozen=True)
class Run:
    """What a classification needs to know of the run: its id, its partition, and up to when the replicas are complete."""

    run_id: str
    partition: date
    watermark: datetime


def classify(engine: Engine, context: Context, entity: Entity, run: Run) -> str:
    """The query of all discrepancies (SCHEMA), ordered by keys and field.

    Needs `linkage findings`, `differences`, `legacy witnesses` and `service witnesses` (`history`), and `earlier findings`
    (discrepancy_id, first_seen) of the partition before.
    """
    engine.register("declared fields", _declared_fields(entity))
    engine.view("witnesses", 'SELECT * FROM "legacy witnesses" UNION ALL SELECT * FROM "service witnesses"')
    engine.view("typed findings", f"{_of_linkage(entity)} UNION ALL {_of_values(entity, run)}")
    engine.view(
        "identified findings",
        f'SELECT {_fingerprint(context, entity)} AS discrepancy_id, f.* FROM "typed findings" AS f',
    )
    return _discrepancies(context, entity, run)


def _declared_fields(entity: Entity) -> pa.Table:
    rows = [
        {"field": field.name, "criticality": field.criticality.value, "owner": (field.owner or entity.owner).team}
        for field in entity.fields
    ]
    return pa.Table.from_pylist(rows)


def _of_linkage(entity: Entity) -> str:
    """Linkage findings. A row kept on one side after its counterpart was marked deleted was linked well: see who is right."""
    record = literal(entity.system_of_record)
    kept_by_replica = f"reason = 'counterpart_deleted' AND side <> {record}"
    kept_by_record = f"reason = 'counterpart_deleted' AND side = {record}"
    return (
        "SELECT legacy_key, service_key, CAST(NULL AS VARCHAR) AS field, "
        f"CASE WHEN {kept_by_replica} THEN 'stale_replica' WHEN {kept_by_record} THEN 'semantic_contradiction' ELSE 'key_linkage' END AS type, "
        f"CASE WHEN {kept_by_replica} THEN 'deletion_not_propagated' WHEN {kept_by_record} THEN 'written_by_replica' ELSE reason END AS reason, "
        "CAST(NULL AS VARCHAR) AS legacy_raw, CAST(NULL AS VARCHAR) AS expected, CAST(NULL AS VARCHAR) AS actual, "
        "CAST(NULL AS DOUBLE) AS delta, FALSE AS in_flight, CAST(NULL AS BIGINT) AS lag_seconds, "
        f"{literal(entity.linkage_criticality)} AS criticality, {literal(entity.owner.team)} AS owner, {record} AS system_of_record, "
        "'{\"side\": ' || COALESCE(json_text(side), 'null') || ', \"rows\": ' || text_of(n) || '}' AS evidence "
        'FROM "linkage findings"'
    )


def _of_values(entity: Entity, run: Run) -> str:
    behind = f"{_microseconds(run.watermark)} - w.ended_us"
    # Not GREATEST: it passes over a missing value, and an unknown lag would read as none.
    lag = f"CASE WHEN {behind} > 0 THEN whole_seconds({behind}) WHEN {behind} <= 0 THEN 0 END"
    within = f"{lag} <= {int(entity.allowed_lag.total_seconds())}"
    kind = (
        f"CASE WHEN d.verdict = {Verdict.UNTRANSLATABLE:d} THEN 'invalid_transformation' "
        f"WHEN w.witness IS NOT NULL OR d.verdict = {Verdict.PENDING:d} THEN 'stale_replica' ELSE 'unexplained' END"
    )
    reason = (
        f"CASE WHEN d.verdict = {Verdict.UNTRANSLATABLE:d} THEN 'untranslatable' WHEN {within} THEN 'behind_within_lag' "
        f"WHEN w.witness IS NOT NULL OR d.verdict = {Verdict.PENDING:d} THEN 'behind_beyond_lag' ELSE 'no_evidence' END"
    )
    return (
        f"SELECT d.legacy_key, d.service_key, d.field, {kind} AS type, {reason} AS reason, d.legacy_raw, d.expected, d.actual, d.delta, "
        f"COALESCE(d.verdict <> {Verdict.UNTRANSLATABLE:d} AND {within}, FALSE) AS in_flight, "
        f"CASE WHEN d.verdict <> {Verdict.UNTRANSLATABLE:d} THEN {lag} END AS lag_seconds, "
        f"f.criticality, f.owner, d.system_of_record, {_evidence_of_values()} AS evidence FROM differences AS d "
        'JOIN "declared fields" AS f ON f.field = d.field LEFT JOIN witnesses AS w '
        "ON w.legacy_key = d.legacy_key AND w.service_key = d.service_key AND w.field = d.field"
    )


def _evidence_of_values() -> str:
    return (
        "CASE WHEN d.failure IS NOT NULL THEN '{\"rule_failure\": ' || json_text(d.failure) || '}' WHEN w.witness IS NOT NULL "
        "THEN '{\"witness\": ' || json_text(w.witness) || ', \"moved_on\": ' || json_text(w.moved_on) || '}' ELSE '{}' END"
    )


def _microseconds(instant: datetime) -> str:
    return str(int(instant.timestamp()) * 1_000_000)


def _fingerprint(context: Context, entity: Entity) -> str:
    """Every part with its length, a missing one told apart from an empty one: no two findings can share a text."""
    parts = [literal(context.name), literal(entity.name), "f.legacy_key", "f.service_key", "f.field", "f.type"]
    tagged = " || ".join(f"COALESCE(text_of(LENGTH({part})) || ':' || {part}, '-')" for part in parts)
    return f"SUBSTRING(sha256_hex({tagged}), 1, 32)"


def _discrepancies(context: Context, entity: Entity, run: Run) -> str:
    today = f"CAST({literal(run.partition.isoformat())} AS DATE)"
    special = {
        "context": literal(context.name),
        "entity": literal(entity.name),
        "first_seen": f"COALESCE(e.first_seen, {today})",
        "last_seen": today,
        "translation_version": literal(entity.translation_version),
        "run_id": literal(run.run_id),
    }
    columns = ", ".join(f"{special.get(name, 'f.' + name)} AS {name}" for name in SCHEMA.names)
    return (
        f'SELECT {columns} FROM "identified findings" AS f LEFT JOIN "earlier findings" AS e ON e.discrepancy_id = f.discrepancy_id '
        "ORDER BY f.legacy_key, f.service_key, f.field, f.type, f.reason"
    )
