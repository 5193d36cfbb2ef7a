"""Causes: every type and reason a finding can have, in the order in which they are believed, and the shape of a proof.

The vocabulary of classification and nothing else. A stage that can prove something makes a relation of proofs
(`PROOFS`); `classification` gives each finding the first cause that was proved. Why one comes before the other is said
here, at its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa

from pipelines.expressions import literal

TYPES = (
    "key_linkage", "missing_event", "out_of_order_update", "stale_replica", "invalid_transformation",
    "semantic_contradiction", "unexplained",
)  # fmt: skip

# What a stage that proves something says of a finding: whose it is, the number of the cause (`precedence`), since when
# the replica has been behind (microseconds since 1970; missing when it is not, or nobody knows), and the proof itself
# as a JSON object.
PROOFS = pa.schema([
    ("legacy_key", pa.string()), ("service_key", pa.string()), ("field", pa.string()), ("cause", pa.int32()),
    ("ended_us", pa.int64()), ("evidence", pa.string()),
])  # fmt: skip

_ORDER = (
    # Without a translated value there is nothing that could be late or lost.
    ("invalid_transformation", "untranslatable"),
    # A key that denotes nothing, or several things, explains everything that follows from it.
    ("key_linkage", "null_key"),
    ("key_linkage", "duplicate_key"),
    ("key_linkage", "ambiguous"),
    ("key_linkage", "cardinality_violated"),
    ("key_linkage", "out_of_scope"),
    ("key_linkage", "counterpart_rejected"),
    ("key_linkage", "dangling"),
    # What came back is not merely late, and whether it is gone elsewhere since yesterday does not matter.
    ("semantic_contradiction", "rebirth"),
    # Nothing is missing, out of order or late before the time that is allowed has passed.
    ("stale_replica", "behind_within_lag"),
    ("missing_event", "sequence_gap"),
    ("missing_event", "change_without_event"),
    ("missing_event", "row_never_arrived"),
    ("missing_event", "deletion_without_event"),
    ("out_of_order_update", "older_event_applied_last"),
    ("out_of_order_update", "regressed_to_older_value"),
    # Only what arrived in order and stayed can have left one out.
    ("missing_event", "event_not_applied"),
    ("stale_replica", "pending_row"),
    ("stale_replica", "deletion_not_propagated"),
    ("stale_replica", "behind_beyond_lag"),
    # Said of deleted rows only, of which nothing else is said.
    ("invalid_transformation", "deletion_became_otherwise"),
    # A rule that was in force explains a value better than a likeness; a likeness of two fields better than of one.
    ("invalid_transformation", "older_translation"),
    ("invalid_transformation", "swapped_fields"),
    ("invalid_transformation", "time_zone_shift"),
    ("invalid_transformation", "unit_or_scale"),
    ("invalid_transformation", "format_only"),
    ("invalid_transformation", "truncated"),
    ("invalid_transformation", "systematic_pattern"),
    ("semantic_contradiction", "written_by_replica"),
    # A row without a counterpart of which nothing more is known.
    ("key_linkage", "unmapped"),
    ("unexplained", "no_evidence"),
)


@dataclass(frozen=True)
class Deadline:
    """Up to when the replica is complete, and how far behind it may be."""

    watermark: datetime
    allowed: timedelta

    def lag(self, ended_us: str) -> str:
        """Canonical SQL: how long ago a state ended, in microseconds, never below zero; missing when unknown."""
        behind = f"{_microseconds(self.watermark)} - {ended_us}"
        # Not GREATEST: it passes over a missing value, and an unknown lag would read as none.
        return f"CASE WHEN {behind} > 0 THEN {behind} WHEN {behind} <= 0 THEN 0 END"

    def allows(self, ended_us: str) -> str:
        """Canonical condition: the state ended so lately that the replica may still show it. Unknown is not lately."""
        seconds = int(self.allowed.total_seconds())
        return f"COALESCE(whole_seconds({self.lag(ended_us)}) <= {seconds}, FALSE)"

    @property
    def complete_us(self) -> str:
        """Canonical SQL: the watermark. What happened later may be in the snapshots of this partition or not."""
        return str(_microseconds(self.watermark))


def precedence() -> pa.Table:
    """Every cause with its number, in the order in which they are believed: type, reason, cause."""
    return pa.table(
        {
            "type": [kind for kind, _ in _ORDER],
            "reason": [reason for _, reason in _ORDER],
            "cause": pa.array(range(len(_ORDER)), pa.int32()),
        }
    )


def number(kind: str, reason: str) -> int:
    """The number of a cause. One that is not in the order is our own defect."""
    if (kind, reason) not in _ORDER:
        raise ValueError(f"{kind}: {reason} is no known cause")
    return _ORDER.index((kind, reason))


def numbers(*kinds: str) -> str:
    """Canonical SQL: the numbers of all causes of some types, as a list for IN."""
    return ", ".join(str(at) for at, (kind, _) in enumerate(_ORDER) if kind in kinds)


def cause(kind: str, reason: str) -> str:
    """Canonical SQL: the column `cause` of a proof."""
    return f"{number(kind, reason)} AS cause"


def cause_of(kind: str, reason: str) -> str:
    """Canonical SQL: the same of any reason of a type, which is canonical SQL."""
    whens = " ".join(f"WHEN {literal(known)} THEN {at}" for at, (of, known) in enumerate(_ORDER) if of == kind)
    return f"CASE {reason} {whens} END AS cause"


def spelt(kind: str, reason: str) -> str:
    """Canonical SQL: the columns `type` and `reason` of a finding, which must be a cause that is known."""
    known, why = _ORDER[number(kind, reason)]
    return f"{literal(known)} AS type, {literal(why)} AS reason"


def told(numbers: Mapping[str, str] | None = None, **texts: str) -> str:
    """Canonical SQL of a JSON object of texts and numbers, both canonical SQL; parts that are missing are left out."""
    members = {name: f"json_text({text})" for name, text in texts.items()}
    members |= {name: f"text_of({number})" for name, number in (numbers or {}).items()}
    parts = [f"COALESCE(', \"{name}\": ' || {sql}, '')" for name, sql in members.items()]
    return f"'{{' || SUBSTRING({' || '.join(parts)}, 3) || '}}'"


def both(one: str, other: str) -> str:
    """Canonical SQL of one JSON object with the members of two, of which the other may be empty or missing."""
    joined = f"SUBSTRING({one}, 1, LENGTH({one}) - 1) || ', ' || SUBSTRING({other}, 2)"
    return (
        f"CASE WHEN {one} = '{{}}' THEN COALESCE({other}, '{{}}') WHEN LENGTH({other}) > 2 THEN {joined} ELSE {one} END"
    )


def _microseconds(instant: datetime) -> int:
    return int(instant.timestamp()) * 1_000_000
