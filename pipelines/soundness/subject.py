"""What the checks of one entity start from: its parts that are fit to be checked.

A part that failed validation was reported already and is left out here, so that one mistake is not reported again in
other words. Which columns a rule reads is asked here, since an unsound rule has no answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import pyarrow as pa

from pipelines import contract
from pipelines.declarations import Context, Entity, EventLog, Field, Holder, IdentityTable, NaturalKey, Side, Slice
from pipelines.declared import is_broken, is_unfinished
from pipelines.rules import Rule
from pipelines.soundness.spot import Spot

T = TypeVar("T")


@dataclass(frozen=True)
class Subject:
    """An entity under check. `fields`, `holders` and `schemas` (of usable contracts) have the sound ones only."""

    spot: Spot
    entity: Entity
    fields: tuple[Field, ...]
    holders: Mapping[Side, Holder]
    schemas: Mapping[Side, pa.Schema]

    @property
    def identity(self) -> IdentityTable | NaturalKey | None:
        """How keys are linked, unless that is broken."""
        identity = vars(self.entity).get("identity")
        return identity if isinstance(identity, IdentityTable | NaturalKey) and not is_broken(identity) else None

    @property
    def log(self) -> EventLog | None:
        """The log of events, if there is one and it is not broken."""
        log = vars(self.entity).get("events")
        return log if isinstance(log, EventLog) and not is_broken(log) else None

    @property
    def slices(self) -> list[Slice]:
        """The slices that are not broken."""
        return [part for part in parts(self.entity, "slices", Slice) if not is_broken(part)]

    @property
    def is_finished(self) -> bool:
        """Whether the entity's own attributes can be trusted."""
        return not is_unfinished(self.entity)

    @property
    def is_whole(self) -> bool:
        """Whether nothing is broken anywhere inside, so that what is absent is absent indeed."""
        return not is_broken(self.entity) and len(self.schemas) == len(Side) and all(map(is_sound, self._rules()))

    def _rules(self) -> Iterator[Rule]:
        yield from (rule for field in self.fields for rule in field.rules())
        yield from (holder.changed_at for holder in self.holders.values() if isinstance(holder.changed_at, Rule))
        if isinstance(self.identity, NaturalKey):
            yield from (*self.identity.legacy, *self.identity.service)

    def columns(self, side: Side) -> tuple[str, ...]:
        """The column names of a side's contract; call it for sides in `schemas` only."""
        return tuple(self.schemas[side].names)

    def at_field(self, field: Field, *names: str) -> Spot:
        """The place of a field, or of a part of it."""
        return self.spot.at("fields", field.name, of=field).part(field, *names)

    def rules_of(self, field: Field) -> Iterator[tuple[Spot, Rule]]:
        """The rules of a field, the one in force first, each with its place."""
        yield self.at_field(field, "rule"), field.rule
        for version, rule in field.earlier.items():
            yield self.at_field(field, "earlier").at(version, of=rule), rule

    def at_holder(self, side: Side, *names: str) -> Spot:
        """The place of a side's holder, or of a part of it."""
        holder = self.holders.get(side)
        return self.spot.at(side, of=holder).part(holder, *names)


def subjects_of(context: Context, spot: Spot) -> Iterator[Subject]:
    """Every entity of a context that has a name to report it by."""
    for entity in parts(context, "entities", Entity):
        if isinstance(vars(entity).get("name"), str):
            yield _subject(entity, spot.at(entity.name, of=entity))


def parts(declaration: object, attribute: str, kind: type[T]) -> list[T]:
    """The members of a declaration's tuple that are of the right kind, though itself may be unfinished."""
    members = vars(declaration).get(attribute)
    return [member for member in members if isinstance(member, kind)] if isinstance(members, tuple | list) else []


def is_sound(rule: Rule) -> bool:
    """Whether the rule can render its SQL."""
    return not rule.all_problems()


def columns_of(rule: Rule) -> tuple[str, ...]:
    """The raw columns a rule reads; none of an unsound one."""
    return rule.columns() if is_sound(rule) else ()


def _subject(entity: Entity, spot: Spot) -> Subject:
    holders = {side: vars(entity).get(side) for side in Side}
    sound = {side: holder for side, holder in holders.items() if isinstance(holder, Holder) and not is_broken(holder)}
    usable = {side: holder.contract for side, holder in sound.items() if not contract.problems_of(holder.contract)}
    return Subject(
        spot=spot,
        entity=entity,
        fields=tuple(field for field in parts(entity, "fields", Field) if not is_broken(field)),
        holders=sound,
        schemas={side: contract.schema_of(model) for side, model in usable.items()},
    )
