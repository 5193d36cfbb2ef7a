"""Links between keys: read from a table and its merges, or derived from natural keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from pipelines.declarations import Cardinality, Entity, Holder, IdentityTable, NaturalKey
from pipelines.rules import Rule
from tests.generative.naive import sides, texts
from tests.generative.naive.rules import translate
from tests.generative.naive.surroundings import Row, Surroundings


@dataclass(frozen=True)
class Link:
    """One row of an identity map."""

    legacy_key: str
    service_key: str
    valid_from: date | None = None
    valid_to: date | None = None
    provenance: str = "table"
    confidence: float = 1.0
    is_primary: bool = False
    is_merged: bool = False
    problem: str | None = None

    def holds_on(self, day: date) -> bool:
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day < self.valid_to)


@dataclass(frozen=True)
class Material:
    """What links are made from: the rows of both sides, of the identity table and of the merges."""

    legacy: Sequence[Row] = ()
    service: Sequence[Row] = ()
    identity: Sequence[Row] = ()
    merges: Sequence[Row] = ()


def links(entity: Entity, material: Material, around: Surroundings) -> set[Link]:
    if isinstance(entity.identity, NaturalKey):
        return _derived(entity, entity.identity, material, around)
    declared = {link for row in material.identity if (link := _declared(entity, entity.identity, row))}
    return _merged(declared, _survivors(entity, entity.identity, material))


def resolved(found: Sequence[Link], day: date) -> dict[str, str | None]:
    """The one service key each legacy key stands for: its only one, or its only primary one."""
    usable = [link for link in found if link.holds_on(day) and link.problem is None]
    standing = {}
    for key in {link.legacy_key for link in usable}:
        all_of_key = {link.service_key for link in usable if link.legacy_key == key}
        primary = {link.service_key for link in usable if link.legacy_key == key and link.is_primary}
        single = all_of_key if len(all_of_key) == 1 else primary
        standing[key] = next(iter(single)) if len(single) == 1 else None
    return standing


def _declared(entity: Entity, table: IdentityTable, row: Row) -> Link | None:
    legacy = sides.key(entity.legacy, row, table.legacy)
    service = sides.key(entity.service, row, table.service)
    if legacy is None or service is None:
        return None

    def given(column: str | None, otherwise: object) -> object:
        return otherwise if column is None or row[column] is None else row[column]

    return Link(
        legacy,
        service,
        given(table.valid_from, None),
        given(table.valid_to, None),
        given(table.provenance, "table"),
        given(table.confidence, 1.0),
        given(table.primary, otherwise=False),
    )


def _survivors(entity: Entity, table: IdentityTable, material: Material) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for row in material.merges if table.merges else ():
        merged = sides.key(entity.legacy, row, table.merges.merged)
        survivor = sides.key(entity.legacy, row, table.merges.survivor)
        if merged is not None and survivor is not None and merged != survivor:
            found.setdefault(merged, set()).add(survivor)
    return found


def _merged(declared: set[Link], survivors: Mapping[str, set[str]]) -> set[Link]:
    """Links of survivors also for the keys merged into them; links of keys whose merges lead nowhere, marked."""
    found = set()
    for link in declared:
        end, problem = _follow(link.legacy_key, survivors)
        if end == link.legacy_key or problem:
            found.add(replace(link, problem=problem))
    for merged in survivors:
        end, problem = _follow(merged, survivors)
        if problem is None:
            found |= {replace(link, legacy_key=merged, is_merged=True) for link in declared if link.legacy_key == end}
    return found


def _follow(key: str, survivors: Mapping[str, set[str]]) -> tuple[str, str | None]:
    """The last key of a chain of merges, or why it has none."""
    seen = set()
    while key in survivors:
        if key in seen:
            return key, "merge_cycle"
        seen.add(key)
        if len(survivors[key]) > 1:
            return key, "merge_conflict"
        (key,) = survivors[key]
    return key, None


def _derived(entity: Entity, natural: NaturalKey, material: Material, around: Surroundings) -> set[Link]:
    legacy = _business_keys(entity.legacy, natural.legacy, material.legacy, around)
    service = _business_keys(entity.service, natural.service, material.service, around)
    pairs = {(lk, sk) for lk, lb in legacy for sk, sb in service if lb == sb}
    found = set()
    for legacy_key, service_key in pairs:
        services, legacies = sum(lk == legacy_key for lk, _ in pairs), sum(sk == service_key for _, sk in pairs)
        too_many = (services > 1 and one_service(natural.cardinality)) or (
            legacies > 1 and one_legacy(natural.cardinality)
        )
        found.add(Link(legacy_key, service_key, provenance="natural_key", confidence=0.5 if too_many else 1.0))
    return found


def one_service(cardinality: Cardinality) -> bool:
    """Whether a legacy key may have one service counterpart only."""
    return cardinality in (Cardinality.ONE_TO_ONE, Cardinality.MANY_TO_ONE)


def one_legacy(cardinality: Cardinality) -> bool:
    """Whether a service key may have one legacy counterpart only."""
    return cardinality in (Cardinality.ONE_TO_ONE, Cardinality.ONE_TO_MANY)


def _business_keys(
    holder: Holder, rules: Sequence[Rule], rows: Sequence[Row], around: Surroundings
) -> set[tuple[str, str]]:
    found = set()
    for row in rows:
        own = sides.key(holder, row)
        business = texts.key_of([translate(rule, row, around).value for rule in rules])
        if sides.in_scope(holder, row, around) and own is not None and business is not None:
            found.add((own, business))
    return found
