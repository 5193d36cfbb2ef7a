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
    """What a classification needs to know of the run: its id, its partition, and up to when replicas are complete."""

    run_id: str
    partition: date
    watermark: datetime


def classify(engine: Engine, context: Context, entity: Entity, run: Run) -> str:
    """The query of all discrepancies (SCHEMA), ordered by keys and field.

    Needs `linkage findings`, `differences`, `legacy witnesses` and `service witnesses` (`history`), and `earlier
    findings` (discrepancy_id, first_seen) of the partition before.
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
    """Linkage findings.

    A row kept on one side after its counterpart was marked deleted was linked well: who is right?
    """
    record = literal(entity.system_of_record)
    kept_by_replica = f"reason = 'counterpart_deleted' AND side <> {record}"
    kept_by_record = f"reason = 'counterpart_deleted' AND side = {record}"
    return f"""
        SELECT legacy_key, service_key, CAST(NULL AS VARCHAR) AS field,
            CASE WHEN {kept_by_replica} THEN 'stale_replica'
                WHEN {kept_by_record} THEN 'semantic_contradiction' ELSE 'key_linkage' END AS type,
            CASE WHEN {kept_by_replica} THEN 'deletion_not_propagated'
                WHEN {kept_by_record} THEN 'written_by_replica' ELSE reason END AS reason,
            CAST(NULL AS VARCHAR) AS legacy_raw, CAST(NULL AS VARCHAR) AS expected, CAST(NULL AS VARCHAR) AS actual,
            CAST(NULL AS DOUBLE) AS delta, FALSE AS in_flight, CAST(NULL AS BIGINT) AS lag_seconds,
            {literal(entity.linkage_criticality)} AS criticality, {literal(entity.owner.team)} AS owner,
            {record} AS system_of_record, side,
            '{{"side": ' || COALESCE(json_text(side), 'null') || ', "rows": ' || text_of(n)
                || COALESCE(', "problem": ' || json_text(problem), '') || '}}' AS evidence
        FROM "linkage findings"
    """


def _of_values(entity: Entity, run: Run) -> str:
    """Differing values: untranslatable, behind (witnessed, or declared to come later), or without evidence."""
    return f"""
        SELECT legacy_key, service_key, field,
            CASE WHEN is_untranslatable THEN 'invalid_transformation'
                WHEN is_behind THEN 'stale_replica' ELSE 'unexplained' END AS type,
            CASE WHEN is_untranslatable THEN 'untranslatable'
                WHEN is_within_lag THEN 'behind_within_lag'
                WHEN is_behind THEN 'behind_beyond_lag' ELSE 'no_evidence' END AS reason,
            legacy_raw, expected, actual, delta,
            NOT is_untranslatable AND is_within_lag AS in_flight,
            CASE WHEN NOT is_untranslatable THEN lag END AS lag_seconds,
            criticality, owner, system_of_record, CAST(NULL AS VARCHAR) AS side, {_EVIDENCE_OF_VALUES} AS evidence
        FROM (
            SELECT b.*, COALESCE(lag <= {int(entity.allowed_lag.total_seconds())}, FALSE) AS is_within_lag
            FROM ({_measured_values(run)}) AS b
        ) AS v
    """


def _measured_values(run: Run) -> str:
    """Each difference with what was declared of its field, its witness, and how long the replica has been behind."""
    behind = f"{_microseconds(run.watermark)} - w.ended_us"
    # Not GREATEST: it passes over a missing value, and an unknown lag would read as none.
    lag = f"CASE WHEN {behind} > 0 THEN whole_seconds({behind}) WHEN {behind} <= 0 THEN 0 END"
    return f"""
        SELECT d.*, f.criticality, f.owner, w.witness, w.moved_on, {lag} AS lag,
            d.verdict = {Verdict.UNTRANSLATABLE:d} AS is_untranslatable,
            w.witness IS NOT NULL
                OR d.verdict IN ({Verdict.PENDING_IN_LEGACY:d}, {Verdict.PENDING_IN_SERVICE:d}) AS is_behind
        FROM differences AS d
        JOIN "declared fields" AS f ON f.field = d.field
        LEFT JOIN witnesses AS w
            ON w.legacy_key = d.legacy_key AND w.service_key = d.service_key AND w.field = d.field
    """


_EVIDENCE_OF_VALUES = """
    CASE WHEN failure IS NOT NULL
            THEN '{"rule": ' || json_text(failed_rule) || ', "failure": ' || json_text(failure) || '}'
        WHEN witness IS NOT NULL
            THEN '{"witness": ' || json_text(witness) || ', "moved_on": ' || json_text(moved_on) || '}'
        ELSE '{}' END
"""


def _microseconds(instant: datetime) -> str:
    return str(int(instant.timestamp()) * 1_000_000)


def _fingerprint(context: Context, entity: Entity) -> str:
    """Every part with its length, a missing one told apart from an empty one: no two findings can share a text."""
    parts = [literal(context.name), literal(entity.name), "f.legacy_key", "f.service_key", "f.field", "f.type"]
    tagged = " || ".join(f"COALESCE(text_of(LENGTH({part})) || ':' || {part}, '-')" for part in parts)
    # Both ends of a link may be duplicated, and the link be ambiguous as well: three findings about the same two keys.
    of_link = "f.legacy_key IS NOT NULL AND f.service_key IS NOT NULL"
    side = f"CASE WHEN f.reason = 'duplicate_key' AND {of_link} THEN f.side ELSE '' END"
    return f"SUBSTRING(sha256_hex({tagged} || {side}), 1, 32)"


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
    return f"""
        SELECT {columns}
        FROM "identified findings" AS f
        LEFT JOIN "earlier findings" AS e ON e.discrepancy_id = f.discrepancy_id
        ORDER BY f.legacy_key, f.service_key, f.field, f.type, f.reason
    """
