"""Gates: what must hold before legacy may be switched off for a capability, and what of it does.

Every gate counts alike: so many of so many, and it is met when none is left. What is left stands beside it, whole. Says
nothing of where the evidence comes from; that is `readiness`'.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from pipelines.declarations import Capability, Entity, Field, Phase, Side
from pipelines.service_level import Verdict

Row = Mapping[str, object]
LED = (Phase.SERVICE_LEADS, Phase.DECOMMISSIONED)
ENTITY = "entity"


class Status(StrEnum):
    """What a gate comes to."""

    MET = "met"
    NOT_MET = "not_met"
    NOT_MEASURED = "not_measured"


class Window(NamedTuple):
    """The days that count: from `begin` up to `end`, which is not among them."""

    begin: date
    end: date

    @property
    def days(self) -> int:
        """How many."""
        return (self.end - self.begin).days

    def shared(self, begin: date, end: date) -> int:
        """How many of these days are in another window."""
        return max((min(end, self.end) - max(begin, self.begin)).days, 0)


@dataclass(frozen=True)
class Proof:
    """What is known of an entity (`path`) in the window.

    `spans` are its partitions there by key, each with the day after its last; `judged` the rows of the judged tables of
    those that are reconciled, `causes` how many `findings`, in flight apart, these have by type and reason. Every row
    has its `business_date`, the key of the partition. `rules` are the semantic rules about it that the service is to
    keep, by name.
    """

    path: str
    entity: Entity
    rules: Sequence[str]
    spans: Mapping[str, date]
    reconciled: Sequence[str]
    judged: Mapping[str, Sequence[Row]]
    causes: Sequence[Row]

    @property
    def latest(self) -> str | None:
        """The last partition that is reconciled."""
        return max(self.reconciled, default=None)


@dataclass(frozen=True)
class Gate:
    """How much of what is `required` is there, counted in `unit`, and everything that is not."""

    name: str
    status: Status
    measured: int
    required: int
    unit: str
    evidence: Sequence[Mapping[str, object]]


def pass_through(capability: Capability, proofs: Sequence[Proof], window: Window) -> list[Gate]:
    """All gates, in the order in which a migration comes to them.

    What asks for results is not measured before every entity has some.
    """
    asked = [_phase(proofs), _ownership(proofs), _observation(capability, proofs, window)]
    unseen: list[Row] = [{"entity": proof.path} for proof in proofs if not proof.reconciled]
    if unseen:
        return [*asked, *(Gate(name, Status.NOT_MEASURED, 0, 0, unit, unseen) for name, unit, _ in _OF_RESULTS)]
    return [*asked, *(_gate(name, unit, list(looked_at(proofs))) for name, unit, looked_at in _OF_RESULTS)]


class _Case(NamedTuple):
    """One thing that a gate looks at: so many of its unit, and what keeps them from passing."""

    blocked_by: Mapping[str, object] | None
    size: int = 1


def _gate(name: str, unit: str, cases: Sequence[_Case]) -> Gate:
    required = sum(case.size for case in cases)
    blocking = [case for case in cases if case.blocked_by is not None]
    measured = required - sum(case.size for case in blocking)
    evidence = [case.blocked_by for case in blocking if case.blocked_by is not None]
    return Gate(name, Status.NOT_MET if blocking else Status.MET, measured, required, unit, evidence)


def _phase(proofs: Sequence[Proof]) -> Gate:
    """Entities that the service leads."""
    cases = [
        _Case(None if proof.entity.phase in LED else {"entity": proof.path, "phase": proof.entity.phase.value})
        for proof in proofs
    ]
    return _gate("phase", ENTITY, cases)


def _ownership(proofs: Sequence[Proof]) -> Gate:
    """Fields of which the service is the system of record, for every row."""
    cases = [
        _Case(None if _is_the_services(proof.entity, field) else {"entity": proof.path, "field": field.name})
        for proof in proofs
        for field in proof.entity.fields
    ]
    return _gate("ownership", "field", cases)


def _is_the_services(entity: Entity, field: Field) -> bool:
    if field.system_of_record is not None:
        return field.system_of_record is Side.SERVICE
    owners = {entity.system_of_record, *(part.system_of_record for part in entity.slices)}
    return owners == {Side.SERVICE}


def _observation(capability: Capability, proofs: Sequence[Proof], window: Window) -> Gate:
    """Days that were reconciled, of the entity that has fewest."""
    days, blocking = [], []
    for proof in proofs:
        spans = {key: (date.fromisoformat(key), end) for key, end in proof.spans.items()}
        seen = sum(window.shared(*spans[key]) for key in proof.reconciled)
        days.append(seen)
        if seen < window.days:
            missing = sorted(set(proof.spans) - set(proof.reconciled))
            blocking.append({"entity": proof.path, "days": seen, "partitions_missing": missing})
    required, measured = capability.steady_for // timedelta(days=1), min(days, default=0)
    return Gate("observation", Status.NOT_MET if blocking else Status.MET, measured, required, "day", blocking)


def _drift(proofs: Sequence[Proof]) -> Iterator[_Case]:
    """Fields whose drift was measured, and never breached its limit."""
    for proof in proofs:
        for field in proof.entity.fields:
            rows = [row for row in proof.judged["drift"] if row["field"] == field.name]
            yield _Case(_breach({"entity": proof.path, "field": field.name}, rows))


def _linkage(proofs: Sequence[Proof]) -> Iterator[_Case]:
    """Entities whose linkage was measured, and never breached its limit."""
    for proof in proofs:
        yield _Case(_breach({"entity": proof.path}, proof.judged["linkage"]))


def _lag(proofs: Sequence[Proof]) -> Iterator[_Case]:
    """Entities whose replicas were never behind for longer than allowed; where nothing is compared, none is."""
    for proof in proofs:
        measured = [row for row in proof.judged["lag"] if row["verdict"] != Verdict.NOT_MEASURED]
        yield _Case(_breach({"entity": proof.path}, measured) if measured else None)


def _rules(proofs: Sequence[Proof]) -> Iterator[_Case]:
    """Semantic rules that the service was seen to keep; what legacy does with them is of the past."""
    for proof in proofs:
        of_service = [row for row in proof.judged["semantic_rules"] if row["side"] == Side.SERVICE]
        for rule in proof.rules:
            rows = [row for row in of_service if row["rule"] == rule]
            yield _Case(_breach({"entity": proof.path, "rule": rule}, rows))


def _breach(about: dict[str, object], rows: Sequence[Row]) -> Mapping[str, object] | None:
    """When it was breached, or that nothing was ever measured; None where it was measured, and never breached."""
    breached = [str(row["business_date"]) for row in rows if row["verdict"] == Verdict.BREACHED]
    if breached:
        return about | {"breached": len(breached), "first": min(breached), "last": max(breached)}
    if all(row["verdict"] == Verdict.NOT_MEASURED for row in rows):
        return about | {"never_measured_in": len(rows)}
    return None


def _explained(proofs: Sequence[Proof]) -> Iterator[_Case]:
    """Discrepancies that are there now, and of which it is known why."""
    for proof in proofs:
        for row in proof.causes:
            if row["business_date"] == proof.latest:
                count = int(str(row["findings"]))
                found = {"entity": proof.path, "business_date": proof.latest, "findings": count}
                yield _Case(found if row["type"] == "unexplained" else None, count)


def _one_writer(proofs: Sequence[Proof]) -> Iterator[_Case]:
    """Entities of which no side changed what the other owns."""
    for proof in proofs:
        written = [row for row in proof.causes if row["reason"] == "written_by_replica"]
        dates = [str(row["business_date"]) for row in written]
        count = sum(int(str(row["findings"])) for row in written)
        found = {"entity": proof.path, "findings": count}
        yield _Case(found | {"first": min(dates), "last": max(dates)} if dates else None)


_OF_RESULTS: tuple[tuple[str, str, Callable[[Sequence[Proof]], Iterator[_Case]]], ...] = (
    ("drift", "field", _drift),
    ("linkage", ENTITY, _linkage),
    ("lag", ENTITY, _lag),
    ("semantic_rules", "rule", _rules),
    ("explanation", "discrepancy", _explained),
    ("one_writer", ENTITY, _one_writer),
)
