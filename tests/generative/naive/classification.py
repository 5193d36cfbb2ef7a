"""Classification: one type and reason for every finding, and what identifies it from day to day."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from pipelines.declarations import Entity, Side
from tests.generative.naive import absence
from tests.generative.naive.absence import Absent
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


def of_linkage(entity: Entity, finding: Finding, why: Absent | None, watermark: datetime) -> Discrepancy:
    kind, reason = (why.type, why.reason) if why else ("key_linkage", finding.reason)
    behind, in_flight = absence.lag(why, watermark, entity.allowed_lag.total_seconds()) if why else (None, False)
    evidence = {"side": finding.side, "rows": finding.rows} | ({"problem": finding.problem} if finding.problem else {})
    evidence |= why.evidence if why else {}
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
        in_flight,
        behind,
        entity.linkage_criticality.value,
        entity.owner.team,
        entity.system_of_record.value,
        json.dumps(evidence),
    )


@dataclass(frozen=True)
class Known:
    """What is known of a difference: what the past says, the pattern it shows, when the rows were written."""

    past: Witness
    pattern: Pattern | None
    fallen_with: tuple[Mapping[str, str], ...]  # other fields of the row that fell back to a state that had this value
    written_us: int | None  # the replica's row
    last_change_us: int | None  # of the system of record


def of_values(entity: Entity, found: Difference, known: Known, watermark: datetime) -> Discrepancy:
    field = next(each for each in entity.fields if each.name == found.field)
    cause = _cause(found, known, watermark, entity.allowed_lag.total_seconds())
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


def _cause(found: Difference, known: Known, watermark: datetime, allowed: float) -> Cause:
    proof, pattern = known.past, known.pattern
    if found.verdict == UNTRANSLATABLE:
        evidence = {"rule": found.failure.rule, "failure": found.failure.reason}
        return Cause("invalid_transformation", "untranslatable", evidence)
    if proof.partition:
        return _behind(known, watermark, allowed)
    if found.verdict in PENDING_IN.values():
        return Cause("stale_replica", "behind_beyond_lag", {})
    if pattern:
        return Cause("invalid_transformation", *pattern)
    evidence = _written(known, allowed)
    if evidence:
        return Cause("semantic_contradiction", "written_by_replica", evidence)
    return Cause("unexplained", "no_evidence", {})


def _behind(known: Known, watermark: datetime, allowed: float) -> Cause:
    """A replica that shows what the system of record said before: late, or back there."""
    proof = known.past
    lag = max(0, (microseconds(watermark) - proof.ended_us) // 1_000_000)
    evidence = {"witness": proof.partition, "moved_on": proof.moved_on}
    if lag <= allowed:
        return Cause("stale_replica", "behind_within_lag", evidence, lag, in_flight=True)
    if proof.departed and proof.departed > proof.partition:
        evidence |= {"left": proof.departed, "fell_back": proof.returned}
        return Cause("out_of_order_update", "regressed_to_older_value", evidence)
    if known.fallen_with:
        first = min(known.fallen_with, key=json.dumps)
        return Cause("out_of_order_update", "regressed_to_older_value", first)
    return Cause("stale_replica", "behind_beyond_lag", evidence, lag)


def _written(known: Known, allowed: float) -> dict[str, object] | None:
    """What shows that the replica was written by itself."""
    if known.past.caught_up:
        return {"agreed": known.past.caught_up, "changed": known.past.strayed}
    written, changed = known.written_us, known.last_change_us
    if written is not None and changed is not None and written - changed > allowed * 1_000_000:
        return {"written_us": written, "last_change_us": changed}
    return None
