"""The rulebook: a semantic rule bound to the entities it is about, and how their rows belong together.

Rows are linked through fields that refer: `invoices.policy_id` leads from an invoice to its policy on either side. What
is bound here is evaluated by `semantics`; whether it can be bound is asked when declarations are loaded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipelines.declarations import Context, Entity, Field, Reference, SemanticRule
from pipelines.expressions import columns_of, flattened
from pipelines.partitioning import Partitioning

QUALIFIER = "."


@dataclass(frozen=True)
class Member:
    """An entity a rule is about; in the condition its fields are qualified by its name."""

    context: str
    entity: Entity
    partitioning: Partitioning

    @property
    def path(self) -> str:
        """The entity's name with its context's."""
        return f"{self.context}.{self.entity.name}"

    def qualified(self, field: str) -> str:
        """A field as the condition names it."""
        return f"{self.entity.name}{QUALIFIER}{field}"


@dataclass(frozen=True)
class Join:
    """A member's field leads to another member's row; both by their places in `over`."""

    referring: int
    field: Field
    referred: int

    @property
    def ends(self) -> frozenset[int]:
        """Both places."""
        return frozenset((self.referring, self.referred))

    @property
    def last(self) -> int:
        """The later place: from there on both rows are known."""
        return max(self.ends)


@dataclass(frozen=True)
class BoundRule:
    """A rule, its entities in their order, and the joins between them."""

    rule: SemanticRule
    members: tuple[Member, ...]
    joins: tuple[Join, ...]

    @property
    def condition(self) -> str:
        """The condition over columns that are called like qualified fields."""
        return flattened(self.rule.condition)

    def read_of(self, member: Member) -> tuple[Field, ...]:
        """The fields of a member that the condition reads."""
        read = set(columns_of(self.condition))
        return tuple(field for field in member.entity.fields if member.qualified(field.name) in read)


def path_of(context: str, name: str) -> str:
    """An entity of the same context is called by its name, one of another by its path."""
    return name if "." in name else f"{context}.{name}"


def bind(context: Context, rule: SemanticRule, entities: Mapping[str, tuple[Context, Entity]]) -> BoundRule:
    """A sound rule of a context, bound to `entities` (by path, each with its own context)."""
    paths = [path_of(context.name, name) for name in rule.over]
    members = tuple(
        Member(of.name, entity, entity.partitioning or of.partitioning)
        for of, entity in map(entities.__getitem__, paths)
    )
    fields = [member.entity.fields for member in members]
    found = candidates(paths, fields)
    return BoundRule(rule, members, tuple(join for name, join in found.items() if not rule.links or name in rule.links))


def candidates(paths: Sequence[str], fields: Sequence[Sequence[Field]]) -> dict[str, Join]:
    """Every field of one of these entities that refers to another of them, as `entity.field`."""
    return {
        f"{path.split('.')[1]}{QUALIFIER}{field.name}": Join(at, field, paths.index(field.rule.to))
        for at, path in enumerate(paths)
        for field in fields[at]
        if isinstance(field.rule, Reference) and field.rule.to in paths and paths.index(field.rule.to) != at
    }
