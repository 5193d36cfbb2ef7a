"""The portfolio: all contexts that were loaded together, and the ways to find an entity among them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pipelines.declarations import Capability, Context, Entity, Reference
from pipelines.errors import DeclarationError, Problem, did_you_mean
from pipelines.rulebook import BoundRule, bind, path_of


@dataclass(frozen=True)
class Portfolio:
    """Sound contexts, by the files they were declared in."""

    contexts: tuple[Context, ...]
    files: Mapping[str, str]

    def entity(self, path: str) -> tuple[Context, Entity]:
        """The entity called `context.entity`. Raises DeclarationError for an unknown one."""
        found = self._by_path().get(path)
        if found is None:
            raise DeclarationError([_unknown("entity", path, self._by_path())])
        return found

    def entities(self) -> Iterator[tuple[Context, Entity]]:
        """All entities, those referred to before those that refer to them; within a circle, as declared."""
        by_path = self._by_path()
        placed: dict[str, None] = {}
        for path in by_path:
            self._place(path, placed, frozenset())
        return (by_path[path] for path in placed)

    def select(self, contexts: Iterable[str] = (), entities: Iterable[str] = ()) -> tuple[tuple[Context, Entity], ...]:
        """The entities of these contexts, of these names (`entity` or `context.entity`), or both; all without either.

        Raises DeclarationError for names that are not declared.
        """
        wanted_contexts, wanted = tuple(contexts), tuple(entities)
        names = {name for path, (_, entity) in self._by_path().items() for name in (path, entity.name)}
        unknown = [
            *(_unknown("context", name, self.files) for name in wanted_contexts if name not in self.files),
            *(_unknown("entity", name, names) for name in wanted if name not in names),
        ]
        if unknown:
            raise DeclarationError(unknown)
        return tuple(
            (context, entity)
            for context, entity in self.entities()
            if (not wanted_contexts or context.name in wanted_contexts)
            and (not wanted or {entity.name, f"{context.name}.{entity.name}"} & set(wanted))
        )

    def rules_of(self, context: Context, entity: Entity) -> tuple[BoundRule, ...]:
        """The semantic rules whose findings are about this entity: it comes first in them."""
        entities, own = self._by_path(), f"{context.name}.{entity.name}"
        return tuple(
            bind(context, rule, entities)
            for rule in context.semantic_rules
            if path_of(context.name, rule.over[0]) == own
        )

    def capabilities(self) -> Iterator[tuple[Context, Capability]]:
        """All capabilities, each with the context that declares it."""
        yield from ((context, capability) for context in self.contexts for capability in context.capabilities)

    def file_of(self, context: Context) -> str:
        """The file a context is declared in, for messages."""
        return self.files[context.name]

    def _by_path(self) -> dict[str, tuple[Context, Entity]]:
        return {
            f"{context.name}.{entity.name}": (context, entity)
            for context in self.contexts
            for entity in context.entities
        }

    def _place(self, path: str, placed: dict[str, None], waiting: frozenset[str]) -> None:
        """Append an entity after everything it refers to that is not itself waiting for it."""
        if path in placed or path in waiting:
            return
        _, entity = self._by_path()[path]
        rules = (rule for field in entity.fields for rule in field.rules())
        for reference in (reference for rule in rules for reference in rule.references()):
            if isinstance(reference, Reference):
                self._place(reference.to, placed, waiting | {path})
        placed[path] = None


def _unknown(what: str, name: str, valid: Iterable[str]) -> Problem:
    return Problem(name, what, f"there is no such {what}", did_you_mean(name, valid))
