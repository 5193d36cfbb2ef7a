"""Classification: every finding gets one type and a reason, with its evidence and a stable identity.

Reads linkage findings, differences and what other stages proved of them; writes the `discrepancies` table. It proves
nothing itself: of several causes that were proved the first one in the order of `causes` counts, and a finding of which
nothing was proved stays `unexplained`, never a guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from pipelines.causes import PROOFS, TYPES, Deadline, both, cause, number, numbers, precedence, told
from pipelines.comparison import Verdict
from pipelines.declarations import Context, Entity, Side
from pipelines.engine import Engine
from pipelines.expressions import literal, quote
from pipelines.schemas import column, table_schema

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
    column("first_seen", pa.date32(), "First partition of its unbroken run in which today's value was right"),
    column("last_seen", pa.date32(), "Latest partition in which it was found, as of this one"),
    column("evidence", pa.string(), "JSON: what proves type and reason"),
    column("translation_version", pa.string(), "Declared version of the translation"),
    column("run_id", pa.string(), "Run that wrote this row"),
)  # fmt: skip

# What is read of the findings of the partition before, `partition_key`.
EARLIER = pa.schema([
    ("discrepancy_id", pa.string()), ("legacy_key", pa.string()), ("service_key", pa.string()), ("field", pa.string()),
    ("reason", pa.string()), ("first_seen", pa.date32()), ("in_flight", pa.bool_()), ("legacy_raw", pa.string()),
    ("expected", pa.string()), ("actual", pa.string()), ("system_of_record", pa.string()),
    ("partition_key", pa.string()),
])  # fmt: skip


@dataclass(frozen=True)
class Run:
    """What a classification needs to know of the run: its id, its partition, and what of a lag is allowed when."""

    run_id: str
    partition: date
    deadline: Deadline


def classify(engine: Engine, context: Context, entity: Entity, run: Run, *, proofs: Sequence[str]) -> str:
    """The query of all discrepancies (SCHEMA), ordered by keys and field.

    `proofs` are relations of proofs (`causes.PROOFS`) about `linkage findings` (without a field) and `differences`.
    Needs those two, `earlier findings` (EARLIER) of the partition before, `omissions noted` (`omission.NOTES`), and
    `deletions followed` (`following`).
    """
    engine.register("declared fields", _declared_fields(entity))
    engine.register("causes", _causes())
    engine.view("all proofs", _all_proofs(proofs))
    engine.materialise("contested findings", _CONTESTED)
    best = _UNCONTESTED if engine.is_empty("contested findings") else _FIRST
    engine.materialise("best proofs", _best_proofs(run.deadline, best))
    engine.forget(*proofs, "contested findings")
    engine.materialise("in flight before", _IN_FLIGHT_BEFORE)
    return _discrepancies(context, entity, run, _findings(engine, entity))


def _declared_fields(entity: Entity) -> pa.Table:
    rows = [
        {
            "field": field.name,
            "criticality": field.criticality.value,
            "owner": (field.owner or entity.owner).team,
            "tagged": _tagged(field.name),
        }
        for field in entity.fields
    ]
    return pa.Table.from_pylist(rows)


def _causes() -> pa.Table:
    known = precedence()
    return known.append_column("tagged", pa.array([_tagged(kind) for kind in known["type"].to_pylist()]))


def _all_proofs(proofs: Sequence[str]) -> str:
    """What other stages proved, and what findings say of themselves."""
    columns = ", ".join(PROOFS.names)
    proved = [f"SELECT {columns} FROM {quote(relation)}" for relation in proofs]
    return " UNION ALL ".join([*proved, _UNTRANSLATABLE, _PENDING])


_UNTRANSLATABLE = f"""
    SELECT legacy_key, service_key, field, {cause("invalid_transformation", "untranslatable")},
        CAST(NULL AS BIGINT) AS ended_us, {told(rule="failed_rule", failure="failure")} AS evidence
    FROM differences WHERE verdict = {Verdict.UNTRANSLATABLE:d}
"""
# Declared to come later, and nobody knows since when it is due.
_PENDING = f"""
    SELECT legacy_key, service_key, field, {cause("stale_replica", "behind_beyond_lag")},
        CAST(NULL AS BIGINT) AS ended_us, '{{}}' AS evidence
    FROM differences WHERE verdict IN ({Verdict.PENDING_IN_LEGACY:d}, {Verdict.PENDING_IN_SERVICE:d})
"""


_CONTESTED = """
    SELECT legacy_key, service_key, field FROM "all proofs" GROUP BY legacy_key, service_key, field HAVING COUNT(*) > 1
"""
_IS_CONTESTED = " AND ".join(f"c.{key} IS NOT DISTINCT FROM p.{key}" for key in ("legacy_key", "service_key", "field"))
_PROVED = ", ".join(PROOFS.names)
_UNCONTESTED = f'SELECT {_PROVED} FROM "all proofs"'
# Of several causes the first in order; of equal ones the one that knows since when. Most findings have only one.
_FIRST = f"""
    {_UNCONTESTED} AS p
    WHERE NOT EXISTS (SELECT 1 FROM "contested findings" AS c WHERE {_IS_CONTESTED})
    UNION ALL
    SELECT {_PROVED}
    FROM (
        SELECT p.*, ROW_NUMBER() OVER (
            PARTITION BY p.legacy_key, p.service_key, p.field
            ORDER BY p.cause, CASE WHEN p.ended_us IS NULL THEN 1 ELSE 0 END, p.ended_us, p.evidence
        ) AS place
        FROM "all proofs" AS p
        JOIN "contested findings" AS c ON {_IS_CONTESTED}
    ) AS ranked
    WHERE place = 1
"""
_BEHIND = numbers("stale_replica", "missing_event")


def _best_proofs(deadline: Deadline, best: str) -> str:
    """For each finding the proof that counts, which `best` selects, with what it says of a lag."""
    lag = deadline.lag("ended_us")
    return f"""
        SELECT legacy_key, service_key, field, cause, evidence,
            CASE WHEN cause IN ({_BEHIND}) THEN whole_seconds({lag}) END AS lag_seconds,
            cause IN ({numbers("stale_replica")}) AND {deadline.allows("ended_us")} AS in_flight
        FROM ({best}) AS best
    """


def _of_linkage(entity: Entity) -> str:
    """Linkage findings, with what was proved of them beyond what the linkage itself says."""
    # Missing is said here, not left out: the finding is about the link then, not about one of its ends.
    linked = told({"rows": "n"}, problem="problem")
    side = f"'{{\"side\": ' || COALESCE(json_text(f.side), 'null') || ', ' || SUBSTRING({linked}, 2)"
    return f"""
        SELECT f.legacy_key, f.service_key, CAST(NULL AS VARCHAR) AS field,
            COALESCE(c.type, 'key_linkage') AS type, COALESCE(c.reason, f.reason) AS reason,
            CAST(NULL AS VARCHAR) AS legacy_raw, CAST(NULL AS VARCHAR) AS expected, CAST(NULL AS VARCHAR) AS actual,
            CAST(NULL AS DOUBLE) AS delta, COALESCE(p.in_flight, FALSE) AS in_flight, p.lag_seconds,
            {literal(entity.linkage_criticality)} AS criticality, {literal(entity.owner.team)} AS owner,
            {literal(entity.system_of_record)} AS system_of_record, f.side, {both(side, "p.evidence")} AS evidence,
            '-' || COALESCE(c.tagged, {literal(_tagged("key_linkage"))}) AS tagged
        FROM "linkage findings" AS f
        LEFT JOIN "best proofs" AS p ON p.field IS NULL AND f.reason IN ({_OPEN})
            AND p.legacy_key IS NOT DISTINCT FROM f.legacy_key AND p.service_key IS NOT DISTINCT FROM f.service_key
        LEFT JOIN causes AS c ON c.cause = p.cause
    """


# Of the others the linkage knows the cause itself.
_OPEN = "'unmapped', 'dangling', 'counterpart_deleted'"
# Which event was left out says more of a replica that is behind, and nothing of one that is wrong for another reason.
_NOTED = f"CASE WHEN p.cause IN ({_BEHIND}) THEN n.evidence END"
_OF_VALUES = f"""
    SELECT d.legacy_key, d.service_key, d.field, c.type, c.reason, d.legacy_raw, d.expected, d.actual, d.delta,
        COALESCE(p.in_flight, FALSE) AS in_flight, p.lag_seconds, f.criticality, f.owner, d.system_of_record,
        CAST(NULL AS VARCHAR) AS side, {both("COALESCE(p.evidence, '{}')", _NOTED)} AS evidence,
        f.tagged || c.tagged AS tagged
    FROM differences AS d
    JOIN "declared fields" AS f ON f.field = d.field
    LEFT JOIN "best proofs" AS p
        ON p.legacy_key = d.legacy_key AND p.service_key = d.service_key AND p.field = d.field
    LEFT JOIN "omissions noted" AS n
        ON n.legacy_key = d.legacy_key AND n.service_key = d.service_key AND n.field = d.field
    JOIN causes AS c ON c.cause = COALESCE(p.cause, {number("unexplained", "no_evidence")})
"""


def _of_deletions(entity: Entity) -> str:
    """Deletions that became something else on the other side; nothing is compared there."""
    texts = ", ".join(f"CAST(NULL AS VARCHAR) AS {name}" for name in ("legacy_raw", "expected", "actual"))
    return f"""
        SELECT f.legacy_key, f.service_key, CAST(NULL AS VARCHAR) AS field, f.type, f.reason, {texts},
            CAST(NULL AS DOUBLE) AS delta, f.in_flight, f.lag_seconds,
            {literal(entity.linkage_criticality)} AS criticality, {literal(entity.owner.team)} AS owner,
            {literal(entity.system_of_record)} AS system_of_record, f.side, f.evidence,
            '-' || {_tag("f.type")} AS tagged
        FROM "deletions followed" AS f
    """


def _findings(engine: Engine, entity: Entity) -> str:
    """All findings with type and reason, of every kind that there is: to plan for a kind costs more than to ask."""
    others = {"linkage findings": _of_linkage(entity), "deletions followed": _of_deletions(entity)}
    return " UNION ALL ".join([_OF_VALUES, *(sql for of, sql in others.items() if not engine.is_empty(of))])


def _identified(context: Context, entity: Entity, findings: str) -> str:
    """The same with their identity."""
    return f"SELECT {_fingerprint(context, entity)} AS discrepancy_id, f.* FROM ({findings}) AS f"


def _fingerprint(context: Context, entity: Entity) -> str:
    """Every part with its length, a missing one told apart from an empty one: no two findings can share a text.

    Of field and type, which many findings share, that is said already (`tagged`).
    """
    of = literal(_tagged(context.name) + _tagged(entity.name))
    # Both ends of a link may be duplicated, and the link be ambiguous as well: three findings about the same two keys.
    of_link = "f.legacy_key IS NOT NULL AND f.service_key IS NOT NULL"
    side = f"CASE WHEN f.reason = 'duplicate_key' AND {of_link} THEN f.side ELSE '' END"
    return (
        f"SUBSTRING(sha256_hex({of} || {_tag('f.legacy_key')} || {_tag('f.service_key')} || f.tagged || {side}), 1, 32)"
    )


def _tag(part: str) -> str:
    """Canonical SQL: a text with its length."""
    return f"COALESCE(text_of(LENGTH({part})) || ':' || {part}, '-')"


def _tagged(part: str) -> str:
    """The same of a text that is known."""
    return f"{len(part)}:{part}"


def _discrepancies(context: Context, entity: Entity, run: Run, findings: str) -> str:
    """Findings with their age, which restarts when the system of record moves: what it says now was not there before.

    What was in flight before has not arrived where the replica still shows what it showed then, whatever is the cause
    by now: that too is part of the evidence.
    """
    today = f"CAST({literal(run.partition.isoformat())} AS DATE)"
    landed = f"CASE WHEN NOT f.in_flight THEN {told(in_flight_in='i.partition_key')} END"
    special = {
        "context": literal(context.name),
        "entity": literal(entity.name),
        "first_seen": f"CASE WHEN {right('e.')} IS NOT DISTINCT FROM {right('f.')} "
        f"THEN COALESCE(e.first_seen, {today}) ELSE {today} END",
        "last_seen": today,
        "evidence": both("f.evidence", landed),
        "translation_version": literal(entity.translation_version),
        "run_id": literal(run.run_id),
    }
    columns = ", ".join(f"{special.get(name, 'f.' + name)} AS {name}" for name in SCHEMA.names)
    return f"""
        SELECT {columns}
        FROM ({_identified(context, entity, findings)}) AS f
        LEFT JOIN "earlier findings" AS e ON e.discrepancy_id = f.discrepancy_id
        LEFT JOIN "in flight before" AS i ON i.shown IS NOT DISTINCT FROM {_shown("f")} AND {_IS_SAME}
        ORDER BY f.legacy_key, f.service_key, f.field, f.type, f.reason
    """


def right(of: str = "") -> str:
    """Canonical SQL: what the system of record says, of a finding; what cannot be translated stands for itself."""
    said = f"CASE WHEN {of}reason = 'untranslatable' THEN 'untranslatable: ' || {of}legacy_raw ELSE {of}expected END"
    return f"CASE {of}system_of_record WHEN '{Side.LEGACY}' THEN {said} ELSE {of}actual END"


def _shown(alias: str) -> str:
    return f"CASE {alias}.system_of_record WHEN '{Side.LEGACY}' THEN {alias}.actual ELSE {alias}.expected END"


_ABOUT = ("legacy_key", "service_key", "field")
_IS_SAME = " AND ".join(f"i.{name} IS NOT DISTINCT FROM f.{name}" for name in _ABOUT)
_IN_FLIGHT_BEFORE = f"""
    SELECT DISTINCT {", ".join(_ABOUT)}, {_shown("e")} AS shown, partition_key
    FROM "earlier findings" AS e WHERE in_flight
"""
