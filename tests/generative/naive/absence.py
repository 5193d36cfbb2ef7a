"""Absence: why a row has no counterpart, by following both rows through all earlier partitions. There are no events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pipelines.declarations import Entity, Holder, Side
from tests.generative.naive import sides
from tests.generative.naive.comparators import microseconds
from tests.generative.naive.history import Past, changed_at
from tests.generative.naive.linkage import Finding
from tests.generative.naive.rules import translate
from tests.generative.naive.surroundings import Row, Surroundings

RANKS = ["rebirth", "pending_row", "deletion_not_propagated", "written_by_replica"]


@dataclass(frozen=True)
class Absent:
    """What is proved of a row without a counterpart."""

    type: str
    reason: str
    ended_us: int | None
    evidence: Mapping[str, object]


@dataclass(frozen=True)
class _Case:
    """A row of `side`, the key of its counterpart if any is known, and all there is to see."""

    entity: Entity
    finding: Finding
    other_key: str | None
    partitions: Sequence[Past]
    around: Surroundings

    @property
    def side(self) -> Side:
        return Side(self.finding.side)

    @property
    def own_key(self) -> str | None:
        return self.finding.legacy_key if self.side is Side.LEGACY else self.finding.service_key

    def holder(self, side: Side) -> Holder:
        return self.entity.legacy if side is Side.LEGACY else self.entity.service

    def rows(self, side: Side, past: Past) -> list[Row]:
        key = self.own_key if side is self.side else self.other_key
        return [row for row in past.rows[side] if key is not None and sides.key(self.holder(side), row) == key]

    def is_there(self, side: Side, past: Past) -> bool:
        return any(sides.live(self.holder(side), row, self.around) for row in self.rows(side, past))

    def changed_us(self, side: Side) -> int | None:
        declared = self.holder(side).changed_at
        moments = [changed_at(declared, row, self.around) for row in self.rows(side, self.partitions[-1])]
        known = [microseconds(moment) for moment in moments if moment]
        return max(known, default=None)

    def next_of(self, past: Past | None) -> str | None:
        keys = [each.key for each in self.partitions]
        return keys[keys.index(past.key) + 1] if past else None


def explain(
    entity: Entity,
    finding: Finding,
    known: Iterable[tuple[str, str]],
    partitions: Sequence[Past],
    around: Surroundings,
) -> Absent | None:
    """The first cause that any counterpart it may have had proves; `known` are keys that ever were linked."""
    if finding.reason not in ("unmapped", "counterpart_deleted"):
        return None
    given = finding.service_key if finding.side == Side.LEGACY else finding.legacy_key
    own = finding.legacy_key if finding.side == Side.LEGACY else finding.service_key
    at = 0 if finding.side == Side.LEGACY else 1
    linked = {pair[1 - at] for pair in known if pair[at] == own}
    others = [given] if given is not None else sorted(linked) or [None]
    found = [each for other in others for each in _proofs(_Case(entity, finding, other, partitions, around)) if each]
    return min(found, key=_order, default=None)


def _order(one: Absent) -> tuple:
    return RANKS.index(one.reason), one.ended_us is None, one.ended_us or 0, str(one.evidence)


def _proofs(case: _Case) -> list[Absent | None]:
    return [_birth(case), _deleted_by_replica(case)] if case.side is _record(case) else [_death(case)]


def _record(case: _Case) -> Side:
    """Who is right about the row, by its own fields."""
    (row,) = case.rows(case.side, case.partitions[-1])[:1]
    fields = {
        each.name: row[each.name] if case.side is Side.SERVICE else translate(each.rule, row, case.around).value
        for each in case.entity.fields
    }
    for part in case.entity.slices:
        if case.around.holds(part.when, fields, otherwise=False):
            return part.system_of_record
    return case.entity.system_of_record


def _last(case: _Case, side: Side, *, there: bool) -> Past | None:
    """The latest earlier partition in which a side's row was there, or was not."""
    found = [past for past in case.partitions[:-1] if case.is_there(side, past) is there]
    return found[-1] if found and (case.other_key is not None or side is case.side) else None


def _complete(past: Past | None) -> int | None:
    return microseconds(past.watermark) if past else None


def _birth(case: _Case) -> Absent | None:
    absent, there = _last(case, case.side, there=False), _last(case, case.side.other, there=True)
    there_now = case.is_there(case.side.other, case.partitions[-1])
    if absent is None or there_now or (there and there.key > absent.key):
        return None
    changed = case.changed_us(case.side)
    due = changed if changed is not None and changed > _complete(absent) else _complete(absent)
    return Absent("stale_replica", "pending_row", due, {"absent": absent.key, "there": case.next_of(absent)})


def _deleted_by_replica(case: _Case) -> Absent | None:
    if case.finding.reason != "counterpart_deleted":
        return None
    return Absent("semantic_contradiction", "written_by_replica", None, {})


def _death(case: _Case) -> Absent | None:
    absent, there = _last(case, case.side, there=False), _last(case, case.side.other, there=True)
    changed = case.changed_us(case.side.other)
    ended = changed if changed is not None else _complete(there)
    marked = case.finding.reason == "counterpart_deleted"
    if case.is_there(case.side.other, case.partitions[-1]) or (ended is None and not marked):
        return None
    told = {"other_key": case.other_key, "there": there and there.key, "gone": case.next_of(there)}
    if absent and ended is not None and _complete(absent) > ended and (there is None or absent.key > there.key):
        told = {**told, "absent": absent.key, "back": case.next_of(absent)}
        del told["there"]
        return Absent("semantic_contradiction", "rebirth", None, _known(told))
    return Absent("stale_replica", "deletion_not_propagated", ended, _known(told))


def _known(told: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in told.items() if value is not None}


def lag(found: Absent, watermark: datetime, allowed: float) -> tuple[int | None, bool]:
    """How long the replica has been behind in seconds, and whether that is allowed."""
    if found.type != "stale_replica" or found.ended_us is None:
        return None, False
    seconds = max(0, (microseconds(watermark) - found.ended_us) // 1_000_000)
    return seconds, seconds <= allowed
