"""Drift: rates of discrepancies per field, linkage and lag per entity, judged against the service levels.

Reads what one comparison counted (`measures`, `row verdicts`) and its discrepancies; the three tables it makes are what
BI shows. A changed limit only needs this stage again. Verdicts on a single rate are `service_level`'s.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from pipelines.accounting import Measured
from pipelines.causes import TYPES
from pipelines.chronicle import STATES
from pipelines.declarations import Context, Entity, Field, ServiceLevel, Side
from pipelines.engine import Engine
from pipelines.expressions import quote
from pipelines.schemas import column, table_schema
from pipelines.service_level import Verdict, judge

_VERDICT = column("verdict", pa.string(), "met, warned, breached or not_measured")
_OWNERSHIP = [
    column("owner", pa.string(), "Team that answers for it"),
    column("translation_version", pa.string(), "Declared version of the translation"),
    column("legacy_contract_version", pa.string(), "Version of the legacy contract"),
    column("service_contract_version", pa.string(), "Version of the service contract"),
    column("run_id", pa.string(), "Run that wrote this row"),
]

DRIFT_SCHEMA = table_schema(
    column("context", pa.string(), "Bounded context"),
    column("entity", pa.string(), "Business entity"),
    column("field", pa.string(), "Declared field"),
    column("compared", pa.int64(), "Linked pairs whose values of this field were compared"),
    column("equal", pa.int64(), "Pairs with equal values"),
    column("within_tolerance", pa.int64(), "Pairs that differ by no more than the declared tolerance"),
    column("discrepant", pa.int64(), "Pairs that differ and count as drift"),
    column("in_flight", pa.int64(), "Pairs that differ within the allowed lag: reported, not counted as drift"),
    *(column(name, pa.int64(), f"Discrepancies of type {name}, in flight or not") for name in TYPES),
    column("new", pa.int64(), "Discrepancies that were never found before, in flight or not"),
    column("ongoing", pa.int64(), "Discrepancies that were there in the partition before, in flight or not"),
    column("reopened", pa.int64(), "Discrepancies that were gone and are back, in flight or not"),
    column("resolved", pa.int64(), "Discrepancies of the partition before that are gone"),
    column("null_only_legacy", pa.int64(), "Pairs whose value is missing in legacy only"),
    column("null_only_service", pa.int64(), "Pairs whose value is missing in the service only"),
    column("drift_rate", pa.float64(), "discrepant / compared"),
    column("limit", pa.float64(), "Highest drift rate allowed"),
    _VERDICT,
    column("criticality", pa.string(), "critical, major or minor"),
    column("system_of_record", pa.string(), "Side that is right, unless a slice says otherwise"),
    column("abs_delta_p50", pa.float64(), "Median of |actual - expected| over the discrepancies"),
    column("abs_delta_p95", pa.float64(), "95th percentile of |actual - expected| over the discrepancies"),
    column("abs_delta_max", pa.float64(), "Largest |actual - expected| over the discrepancies"),
    *_OWNERSHIP,
)  # fmt: skip

_ROW_COUNTS = {
    "matched": "linked to a row of the other side",
    "only": "without a usable counterpart",
    "ambiguous": "whose counterpart cannot be told",
    "duplicate": "that share their key with another row of the side",
    "null_key": "with a missing part in the key",
    "deleted": "marked as deleted",
    "out_of_scope": "that do not take part",
}

LINKAGE_SCHEMA = table_schema(
    column("context", pa.string(), "Bounded context"),
    column("entity", pa.string(), "Business entity"),
    column("legacy_rows", pa.int64(), "Rows read from legacy"),
    column("service_rows", pa.int64(), "Rows read from the service"),
    column("matched", pa.int64(), "Linked pairs"),
    *(
        column(f"{side}_{name}", pa.int64(), f"Rows of {side} {meaning}")
        for side in Side
        for name, meaning in (_ROW_COUNTS | {"rejected": "that could not be read or break the contract"}).items()
    ),
    column("ambiguous", pa.int64(), "Findings: the counterpart cannot be told, or the cardinality is violated"),
    column("dangling", pa.int64(), "Findings: a link leads to no row"),
    column("duplicate", pa.int64(), "Findings: a key occurs more than once on a side"),
    column("linkage_rate", pa.float64(), "Linked rows of both sides / rows of both sides that take part"),
    column("limit", pa.float64(), "Highest rate of unlinked rows allowed"),
    _VERDICT,
    *_OWNERSHIP,
)  # fmt: skip

LAG_SCHEMA = table_schema(
    column("context", pa.string(), "Bounded context"),
    column("entity", pa.string(), "Business entity"),
    column("lag_p50_seconds", pa.int64(), "Median lag of the values a replica is behind with"),
    column("lag_p95_seconds", pa.int64(), "95th percentile of that lag"),
    column("lag_max_seconds", pa.int64(), "Largest lag"),
    column("allowed_seconds", pa.int64(), "Lag allowed"),
    column("rows_in_flight", pa.int64(), "Pairs with a value behind, but within the allowed lag"),
    column("rows_behind", pa.int64(), "Pairs with a value behind beyond the allowed lag"),
    _VERDICT,
    *_OWNERSHIP,
)  # fmt: skip


Stamp = Mapping[str, str]  # translation_version, legacy_contract_version, service_contract_version, run_id


def measure(engine: Engine, context: Context, entity: Entity, measured: Measured, stamp: Stamp) -> dict[str, pa.Table]:
    """The tables `drift`, `linkage` and `lag` of one partition.

    Needs the relations `discrepancies` (its rows of this run) and `discrepancy history` (`chronicle.SCHEMA`).
    """
    common = {"context": context.name, "entity": entity.name, **stamp}
    counted = {str(row["field"]): row for row in engine.rows(_PER_FIELD)}
    for row in engine.rows(_CHANGES):
        counted.setdefault(str(row["field"]), {}).update(row)
    drift = [
        common | _drift_row(entity, field, row, counted.get(field.name, {}))
        for field, row in _by_field(entity, measured)
    ]
    return {
        "drift": pa.Table.from_pylist(drift, DRIFT_SCHEMA),
        "linkage": pa.Table.from_pylist(
            [common | _linkage_row(entity, measured, engine.rows(_FINDINGS)[0])], LINKAGE_SCHEMA
        ),
        "lag": pa.Table.from_pylist([common | _lag_row(entity, measured, engine.rows(_LAG)[0])], LAG_SCHEMA),
    }


_PER_FIELD = f"""
    SELECT field,
        COUNT(*) FILTER (WHERE NOT in_flight) AS discrepant, COUNT(*) FILTER (WHERE in_flight) AS in_flight,
        {", ".join(f"COUNT(*) FILTER (WHERE type = '{name}') AS {name}" for name in TYPES)},
        discrete_quantile(ABS(delta), 0.5) AS abs_delta_p50, discrete_quantile(ABS(delta), 0.95) AS abs_delta_p95,
        MAX(ABS(delta)) AS abs_delta_max
    FROM discrepancies WHERE field IS NOT NULL GROUP BY field
"""
_CHANGES = f"""
    SELECT field, {", ".join(f"COUNT(*) FILTER (WHERE state = '{state}') AS {quote(state)}" for state in STATES)}
    FROM "discrepancy history" WHERE field IS NOT NULL GROUP BY field
"""
_FINDINGS = """
    SELECT COUNT(*) FILTER (WHERE reason IN ('ambiguous', 'cardinality_violated')) AS ambiguous,
        COUNT(*) FILTER (WHERE reason = 'dangling') AS dangling,
        COUNT(*) FILTER (WHERE reason = 'duplicate_key') AS duplicate
    FROM discrepancies WHERE field IS NULL
"""
# A value is behind for want of an event as it is for any other reason; why it is does not make it less late.
_BEHIND = "'stale_replica', 'missing_event'"
_LAG = f"""
    SELECT discrete_quantile(lag_seconds, 0.5) AS lag_p50_seconds,
        discrete_quantile(lag_seconds, 0.95) AS lag_p95_seconds,
        MAX(lag_seconds) AS lag_max_seconds,
        COUNT(DISTINCT CASE WHEN in_flight THEN pair END) AS rows_in_flight,
        COUNT(DISTINCT CASE WHEN NOT in_flight THEN pair END) AS rows_behind
    FROM (
        SELECT lag_seconds, in_flight, text_of(LENGTH(legacy_key)) || ':' || legacy_key || service_key AS pair
        FROM discrepancies WHERE type IN ({_BEHIND}) AND field IS NOT NULL
    ) AS behind
"""


def _by_field(entity: Entity, measured: Measured) -> list[tuple[Field, dict[str, object]]]:
    counts = {str(row["field"]): row for row in measured.fields}
    return [(field, counts[field.name]) for field in entity.fields]


def _drift_row(entity: Entity, field: Field, counts: dict[str, object], found: dict[str, object]) -> dict[str, object]:
    compared, discrepant = int(str(counts["compared"])), int(str(found.get("discrepant", 0)))
    level = field.service_level or entity.service_level
    rate = discrepant / compared if compared else None
    zeros = dict.fromkeys(("discrepant", "in_flight", *TYPES, *STATES), 0)
    return (
        {
            name: counts[name]
            for name in ("compared", "equal", "within_tolerance", "null_only_legacy", "null_only_service")
        }
        | zeros
        | {name: value for name, value in found.items() if name != "field"}
        | {
            "field": field.name,
            "drift_rate": rate,
            "limit": level.limit,
            "verdict": judge(rate, against=level),
            "criticality": field.criticality,
            "system_of_record": field.system_of_record or entity.system_of_record,
            "owner": (field.owner or entity.owner).team,
        }
    )


def _linkage_row(entity: Entity, measured: Measured, found: dict[str, object]) -> dict[str, object]:
    per_side = {f"{side}_{name}": measured.rows.get((side, name), 0) for side in Side for name in _ROW_COUNTS}
    linked = sum(per_side[f"{side}_matched"] for side in Side)
    taking_part = sum(
        measured.read[side] - per_side[f"{side}_deleted"] - per_side[f"{side}_out_of_scope"] for side in Side
    )
    rate = linked / taking_part if taking_part else None
    # Not 1 - rate: that is more than 3 / 10 where 3 of 10 are not linked.
    unlinked = (taking_part - linked) / taking_part if taking_part else None
    return (
        per_side
        | found
        | {f"{side}_rows": measured.read[side] for side in Side}
        | {f"{side}_rejected": measured.rejected[side] for side in Side}
        | {
            "matched": measured.pairs,
            "linkage_rate": rate,
            "owner": entity.owner.team,
            "limit": entity.linkage_level.limit,
        }
        | {"verdict": judge(unlinked, against=entity.linkage_level)}
    )


def _lag_row(entity: Entity, measured: Measured, found: dict[str, object]) -> dict[str, object]:
    behind = int(str(found["rows_behind"]))
    rate = behind / measured.pairs if measured.pairs else None
    return found | {
        "allowed_seconds": int(entity.allowed_lag.total_seconds()),
        "verdict": judge(rate, against=ServiceLevel(0.0)) if measured.pairs else Verdict.NOT_MEASURED,
        "owner": entity.owner.team,
    }
