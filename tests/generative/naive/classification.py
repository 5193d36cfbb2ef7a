"""Classification: one type and reason for every finding, and what identifies it from day to day."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from pipelines.declarations import Entity, Side
from tests.generative.naive.comparators import microseconds
from tests.generative.naive.comparison import PENDING_IN, UNTRANSLATABLE, Difference
from tests.generative.naive.history import Witness
from tests.generative.naive.linkage import Finding

Identity = tuple[object, ...]
Pattern = tuple[str, Mapping[str, object]]


@dataclass(frozen=True)
class Discrepancy:
    """One row of the table `discrepancies`, without what the run stamps on it."""

    legacy_key: str | None
    service_key: str | None
    field: str | None
    type: str
    reason: str
    legacy_raw: object
    expected: str | None
    actual: str | None
    delta: float | None
    in_flight: bool
    lag_seconds: int | None
    criticality: str
    owner: str
    system_of_record: str
    evidence: str

    @property
    def right(self) -> str | None:
        """What the system of record says."""
        return self.expected if self.system_of_record == Side.LEGACY else self.actual

    @property
    def identity(self) -> Identity:
        """What makes it the same discrepancy on another day."""
        return identity(self.as_row())

    def as_row(self) -> dict[str, object]:
        return asdict(self)


def identity(row: Mapping[str, object]) -> Identity:
    """What a row of `discrepancies` is about; of several findings about one link, those about its ends name the end."""
    of_an_end = row["reason"] == "duplicate_key" and row["legacy_key"] is not None and row["service_key"] is not None
    end = json.loads(row["evidence"])["side"] if of_an_end else None
    return (row["legacy_key"], row["service_key"], row["field"], row["type"], end)


def of_linkage(entity: Entity, finding: Finding) -> Discrepancy:
    kind, reason = "key_linkage", finding.reason
    if reason == "counterpart_deleted":
        # The side that kept its row: the replica has not followed, or the replica deleted what it does not own.
        kept_by_record = finding.side == entity.system_of_record
        kind = "semantic_contradiction" if kept_by_record else "stale_replica"
        reason = "written_by_replica" if kept_by_record else "deletion_not_propagated"
    evidence = {"side": finding.side, "rows": finding.rows} | ({"problem": finding.problem} if finding.problem else {})
    return Discrepancy(
        finding.legacy_key,
        finding.service_key,
        None,
        kind,
        reason,
        None,
        None,
        None,
        None,
        False,
        None,
        entity.linkage_criticality.value,
        entity.owner.team,
        entity.system_of_record.value,
        json.dumps(evidence),
    )


def of_values(
    entity: Entity, found: Difference, proof: Witness | None, pattern: Pattern | None, watermark: datetime
) -> Discrepancy:
    field = next(each for each in entity.fields if each.name == found.field)
    cause = _cause(found, proof or Witness(), pattern, watermark, entity.allowed_lag.total_seconds())
    return Discrepancy(
        found.legacy_key,
        found.service_key,
        found.field,
        cause.type,
        cause.reason,
        found.legacy_raw,
        found.expected,
        found.actual,
        found.delta,
        cause.in_flight,
        cause.lag,
        field.criticality.value,
        (field.owner or entity.owner).team,
        found.system_of_record,
        json.dumps(cause.evidence),
    )


@dataclass(frozen=True)
class Cause:
    """Why, how long a replica has been behind, and what proves it."""

    type: str
    reason: str
    evidence: Mapping[str, object]
    lag: int | None = None
    in_flight: bool = False


def _cause(found: Difference, proof: Witness, pattern: Pattern | None, watermark: datetime, allowed: float) -> Cause:
    if found.verdict == UNTRANSLATABLE:
        evidence = {"rule": found.failure.rule, "failure": found.failure.reason}
        return Cause("invalid_transformation", "untranslatable", evidence)
    if proof.partition:
        lag = max(0, (microseconds(watermark) - proof.ended_us) // 1_000_000)
        evidence = {"witness": proof.partition, "moved_on": proof.moved_on}
        if lag <= allowed:
            return Cause("stale_replica", "behind_within_lag", evidence, lag, in_flight=True)
        if proof.caught_up and proof.caught_up > proof.partition:
            evidence |= {"caught_up": proof.caught_up, "fell_back": proof.strayed}
            return Cause("out_of_order_update", "regressed_to_older_value", evidence)
        return Cause("stale_replica", "behind_beyond_lag", evidence, lag)
    if found.verdict in PENDING_IN.values():
        return Cause("stale_replica", "behind_beyond_lag", {})
    if pattern:
        return Cause("invalid_transformation", *pattern)
    if proof.caught_up:
        evidence = {"agreed": proof.caught_up, "changed": proof.strayed}
        return Cause("semantic_contradiction", "written_by_replica", evidence)
    return Cause("unexplained", "no_evidence", {})
