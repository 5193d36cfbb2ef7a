"""Drift: rates and verdicts, counted by hand."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from pipelines.declarations import Entity, Field, ServiceLevel, Side
from tests.generative.naive.classification import Discrepancy
from tests.generative.naive.comparators import EQUAL, WITHIN
from tests.generative.naive.comparison import MISSING_IN, NOT_COMPARED, PENDING_IN, UNTRANSLATABLE
from tests.generative.naive.linkage import Linked

TYPES = (
    "key_linkage", "missing_event", "out_of_order_update", "stale_replica", "invalid_transformation",
    "semantic_contradiction", "unexplained",
)  # fmt: skip
STATES = ("matched", "only", "ambiguous", "duplicate", "null_key", "deleted", "out_of_scope")
Number = TypeVar("Number", int, float)


def judged(rate: float | None, level: ServiceLevel) -> str:
    if rate is None:
        return "not_measured"
    if rate > level.limit:
        return "breached"
    return "warned" if level.warn is not None and rate > level.warn else "met"


def quantile(values: Iterable[Number], share: float) -> Number | None:
    """The smallest value at or below which that share of all lies."""
    ordered = sorted(values)
    for count, value in enumerate(ordered, start=1):
        if count >= share * len(ordered):
            return value
    return None


def measures(verdicts: Sequence[str]) -> dict[str, int]:
    """What the verdicts on one field add up to."""
    counts = Counter(verdicts)
    return {
        "compared": len(verdicts) - counts[NOT_COMPARED],
        "equal": counts[EQUAL],
        "within_tolerance": counts[WITHIN],
        "null_only_legacy": counts[MISSING_IN[Side.LEGACY]] + counts[PENDING_IN[Side.LEGACY]],
        "null_only_service": counts[MISSING_IN[Side.SERVICE]] + counts[PENDING_IN[Side.SERVICE]],
        "untranslatable": counts[UNTRANSLATABLE],
    }


def drift(entity: Entity, field: Field, counts: Mapping[str, int], found: Sequence[Discrepancy]) -> dict[str, object]:
    own = [each for each in found if each.field == field.name]
    level = field.service_level or entity.service_level
    discrepant = sum(not each.in_flight for each in own)
    rate = discrepant / counts["compared"] if counts["compared"] else None
    deltas = [abs(each.delta) for each in own if each.delta is not None and not math.isnan(each.delta)]
    return {
        **{name: counts[name] for name in counts if name != "untranslatable"},
        "field": field.name,
        "discrepant": discrepant,
        "in_flight": len(own) - discrepant,
        **{kind: sum(each.type == kind for each in own) for kind in TYPES},
        "drift_rate": rate,
        "limit": level.limit,
        "verdict": judged(rate, level),
        "criticality": field.criticality.value,
        "system_of_record": (field.system_of_record or entity.system_of_record).value,
        "owner": (field.owner or entity.owner).team,
        "abs_delta_p50": quantile(deltas, 0.5),
        "abs_delta_p95": quantile(deltas, 0.95),
        "abs_delta_max": max(deltas, default=None),
    }


def linkage(
    entity: Entity, linked: Linked, rows: Mapping[Side, int], found: Sequence[Discrepancy]
) -> dict[str, object]:
    reasons = Counter(each.reason for each in found if each.field is None)
    verdicts = linked.row_verdicts
    left_out = sum(verdicts[side.value, state] for side in Side for state in ("deleted", "out_of_scope"))
    taking_part = sum(rows.values()) - left_out
    matched = sum(verdicts[side.value, "matched"] for side in Side)
    rate = matched / taking_part if taking_part else None
    return {
        "legacy_rows": rows[Side.LEGACY],
        "service_rows": rows[Side.SERVICE],
        "matched": linked.count,
        **{f"{side}_{state}": verdicts[side.value, state] for side in Side for state in STATES},
        "ambiguous": reasons["ambiguous"] + reasons["cardinality_violated"],
        "dangling": reasons["dangling"],
        "duplicate": reasons["duplicate_key"],
        "linkage_rate": rate,
        "limit": entity.linkage_level.limit,
        "verdict": judged((taking_part - matched) / taking_part if taking_part else None, entity.linkage_level),
        "owner": entity.owner.team,
    }


def lag(entity: Entity, linked: Linked, found: Sequence[Discrepancy]) -> dict[str, object]:
    behind = [each for each in found if each.type in ("stale_replica", "missing_event") and each.field is not None]
    lags = [each.lag_seconds for each in behind if each.lag_seconds is not None]
    in_flight = {(each.legacy_key, each.service_key) for each in behind if each.in_flight}
    too_late = {(each.legacy_key, each.service_key) for each in behind if not each.in_flight}
    rate = len(too_late) / linked.count if linked.count else None
    return {
        "lag_p50_seconds": quantile(lags, 0.5),
        "lag_p95_seconds": quantile(lags, 0.95),
        "lag_max_seconds": max(lags, default=None),
        "allowed_seconds": int(entity.allowed_lag.total_seconds()),
        "rows_in_flight": len(in_flight),
        "rows_behind": len(too_late),
        "verdict": judged(rate, ServiceLevel(0.0)),
        "owner": entity.owner.team,
    }
