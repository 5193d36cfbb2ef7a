"""The oracle: what a reconciliation must come to, in plain Python, slow and obvious.

No SQL, no frames, and nothing of the product but the attributes of its frozen declarations. The parts are in `naive`;
this composes them for one partition of a world. Where oracle and product disagree, the docstrings and the design say
who is right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from pipelines.declarations import Entity, Side
from tests.generative.naive import (
    absence,
    classification,
    comparison,
    drift,
    history,
    identity,
    linkage,
    patterns,
    sides,
)
from tests.generative.naive.classification import Discrepancy, Identity, Pattern
from tests.generative.naive.comparators import microseconds
from tests.generative.naive.comparison import Difference, Rows
from tests.generative.naive.history import Past, Witness
from tests.generative.naive.identity import Link
from tests.generative.naive.linkage import Linked
from tests.generative.naive.surroundings import Row, Surroundings


@dataclass(frozen=True)
class Question:
    """What is asked: one partition of an entity, with everything a reconciliation of it may read."""

    entity: Entity
    partitions: Sequence[Past]  # oldest first, the one asked about last
    identity: Sequence[Row] = ()
    merges: Sequence[Row] = ()
    around: Surroundings = field(default_factory=Surroundings)

    @property
    def today(self) -> Past:
        return self.partitions[-1]

    @property
    def in_view(self) -> Sequence[Past]:
        """The partitions within the horizon, the present one last."""
        return self.partitions[-(self.entity.horizon + 1) :]

    @property
    def day(self) -> date:
        return date.fromisoformat(self.today.key)


@dataclass(frozen=True)
class Answer:
    """What a reconciliation must come to."""

    links: set[Link]
    linked: Linked
    verdicts: Mapping[tuple[str, str], Mapping[str, str]]
    differences: list[Difference]
    witnesses: Mapping[tuple[str, str, str], Witness]
    untranslatable: list[tuple[object, ...]]
    discrepancies: list[Discrepancy]
    measures: Mapping[str, Mapping[str, int]]
    drift: list[dict[str, object]]
    linkage: dict[str, object]
    lag: dict[str, object]

    @property
    def identities(self) -> list[Identity]:
        return [each.identity for each in self.discrepancies]


def answer(asked: Question) -> Answer:
    entity, around, today = asked.entity, asked.around, asked.today
    material = identity.Material(today.rows[Side.LEGACY], today.rows[Side.SERVICE], asked.identity, asked.merges)
    links = identity.links(entity, material, around)
    linked = linkage.link(entity, dict(today.rows), links, asked.day, around)
    compared = _rows_of_pairs(asked, linked)
    verdicts = {
        (rows.pair.legacy_key, rows.pair.service_key): {
            each.name: comparison.verdict(each, rows, around) for each in entity.fields
        }
        for rows in compared
    }
    differences, witnesses = _differences(asked, compared)
    known = known_links(asked)
    discrepancies = [
        classification.of_linkage(
            entity, each, absence.explain(entity, each, known, asked.in_view, around), today.watermark
        )
        for each in linked.findings
    ]
    rows = {(each.pair.legacy_key, each.pair.service_key): each for each in compared}
    explained = _patterns(asked, differences)
    for each in differences:
        keys = (each.legacy_key, each.service_key, each.field)
        clocks = _clocks(asked, each, rows[each.legacy_key, each.service_key])
        fallen_with = _fallen_with(asked, each, witnesses, differences, rows[each.legacy_key, each.service_key])
        facts = classification.Known(witnesses.get(keys, Witness()), explained.get(keys), fallen_with, *clocks)
        discrepancies.append(classification.of_values(entity, each, facts, today.watermark))
    measures = {
        each.name: drift.measures([of_pair[each.name] for of_pair in verdicts.values()]) for each in entity.fields
    }
    counts = {side: len(today.rows[side]) for side in Side}
    return Answer(
        links,
        linked,
        verdicts,
        differences,
        witnesses,
        _untranslatable(asked),
        discrepancies,
        measures,
        [drift.drift(entity, each, measures[each.name], discrepancies) for each in entity.fields],
        drift.linkage(entity, linked, counts, discrepancies),
        drift.lag(entity, linked, discrepancies),
    )


def _rows_of_pairs(asked: Question, linked: Linked) -> list[Rows]:
    """The raw rows of each pair that is compared. A paired key has exactly one live row on each side."""
    entity = asked.entity
    holders = {Side.LEGACY: entity.legacy, Side.SERVICE: entity.service}
    live = {
        side: {
            sides.key(holder, row): row
            for row in asked.today.rows[side]
            if sides.live(holder, row, asked.around) and sides.key(holder, row) is not None
        }
        for side, holder in holders.items()
    }
    return [
        Rows(pair, live[Side.LEGACY][pair.legacy_key], live[Side.SERVICE][pair.service_key])
        for pair in linked.pairs
        if pair.compared
    ]


def _differences(
    asked: Question, compared: Sequence[Rows]
) -> tuple[list[Difference], dict[tuple[str, str, str], Witness]]:
    differences, witnesses = [], {}
    for rows in compared:
        for each in asked.entity.fields:
            if not comparison.is_difference(comparison.verdict(each, rows, asked.around)):
                continue
            found = comparison.difference(asked.entity, each, rows, asked.around)
            differences.append(found)
            record = Side(found.system_of_record)
            proof = history.witness(asked.entity, each, record, rows, asked.in_view, asked.around)
            if proof:
                witnesses[found.legacy_key, found.service_key, found.field] = proof
    return differences, witnesses


def known_links(asked: Question) -> set[tuple[str, str]]:
    """Which keys belong together by any link that is or was certain."""
    found = set()
    for past in asked.in_view:
        rows = past.rows[Side.LEGACY], past.rows[Side.SERVICE]
        material = identity.Material(*rows, asked.identity, asked.merges)
        links = identity.links(asked.entity, material, asked.around)
        certain = [each for each in links if not each.is_merged and each.problem is None and each.confidence == 1]
        found |= {(each.legacy_key, each.service_key) for each in certain}
    return found


def _fallen_with(
    asked: Question,
    found: Difference,
    witnesses: Mapping[tuple[str, str, str], Witness],
    differences: Sequence[Difference],
    rows: Rows,
) -> tuple[Mapping[str, str], ...]:
    """What other fields of the row fell back to, where that state had this field's value too."""
    field = next(each for each in asked.entity.fields if each.name == found.field)
    allowed = asked.entity.allowed_lag.total_seconds()
    fallen = []
    for other in differences:
        proof = witnesses.get((other.legacy_key, other.service_key, other.field))
        same_row = (other.legacy_key, other.service_key) == (found.legacy_key, found.service_key)
        if not same_row or other.system_of_record != found.system_of_record or proof is None or not proof.partition:
            continue
        behind = max(0, (microseconds(asked.today.watermark) - proof.ended_us) // 1_000_000)
        past = next(each for each in asked.in_view if each.key == proof.partition)
        if behind <= allowed or not proof.departed or proof.departed <= proof.partition:
            continue
        if history.agreed_in(asked.entity, field, Side(found.system_of_record), rows, past, asked.around):
            told = {"witness": proof.partition, "left": proof.departed, "fell_back": proof.returned}
            fallen.append({**told, "with_field": other.field})
    return tuple(fallen)


def _clocks(asked: Question, found: Difference, rows: Rows) -> tuple[int | None, int | None]:
    """When the replica's row was written, and the system of record's; nothing unless both sides say so."""
    entity = asked.entity
    if entity.legacy.changed_at is None or entity.service.changed_at is None:
        return None, None
    moments = {
        Side.LEGACY: history.changed_at(entity.legacy.changed_at, rows.legacy, asked.around),
        Side.SERVICE: history.changed_at(entity.service.changed_at, rows.service, asked.around),
    }
    clocks = {side: microseconds(moment) if moment else None for side, moment in moments.items()}
    record = Side(found.system_of_record)
    return clocks[record.other], clocks[record]


def _patterns(asked: Question, differences: Sequence[Difference]) -> dict[tuple[str, str, str], Pattern]:
    """The pattern of each difference that shows one."""
    holder, every = asked.entity.legacy, patterns.likenesses(differences)
    raw = {
        each.name: [
            comparison.legacy_raw(each, row, asked.around)
            for row in asked.today.rows[Side.LEGACY]
            if sides.live(holder, row, asked.around)
        ]
        for each in asked.entity.fields
    }
    found = {(*one.pair, one.of.field): patterns.explain(one, every, raw) for one in every}
    return {keys: pattern for keys, pattern in found.items() if pattern}


def _untranslatable(asked: Question) -> list[tuple[object, ...]]:
    """legacy_key, field, rule, reason of every live legacy row, linked or not."""
    holder = asked.entity.legacy
    return [
        (sides.key(holder, row), name, outcome.failure.rule, outcome.failure.reason)
        for row in asked.today.rows[Side.LEGACY]
        if sides.live(holder, row, asked.around)
        for name, outcome in comparison.untranslatable(asked.entity, row, asked.around).items()
    ]
