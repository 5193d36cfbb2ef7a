"""What a context says about itself, and what entities say about each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipelines.declarations import Context, EventType, Projection, Reference
from pipelines.declared import is_broken, is_unfinished
from pipelines.errors import Problem, did_you_mean
from pipelines.soundness.names import badly_named, repeated
from pipelines.soundness.spot import Spot
from pipelines.soundness.subject import Subject, parts
from pipelines.soundness.timetable import partitioning_problems, schedule_problems


@dataclass(frozen=True)
class Known:
    """All entities by path, and the contexts whose file cannot be read, of which nothing is known."""

    entities: dict[str, Subject]
    unread: frozenset[str]

    def misses(self, path: str) -> bool:
        """Whether there is no such entity, for certain."""
        return path not in self.entities and path.split(".", maxsplit=1)[0] not in self.unread

    def knows_references(self, subject: Subject) -> bool:
        """Whether all references of an entity lead somewhere; one that does not was reported."""
        references = [found for field in subject.fields for found in field.rule.references()]
        return all(
            not found.problems() and not self.misses(found.to) for found in references if isinstance(found, Reference)
        )

    def repeated_by(self, path: str) -> set[str]:
        """The entities whose fields an entity repeats, and those that these repeat."""
        found: set[str] = set()
        asked = [path]
        while asked:
            subject = self.entities.get(asked.pop())
            fields = subject.fields if subject else ()
            of = {field.projects.of for field in fields if field.projects and not is_broken(field.projects)} - found
            found |= of
            asked += of
        return found

    def suggestion(self, path: str) -> str:
        """The entity that may have been meant."""
        return did_you_mean(path, self.entities)


def check(context: Context, spot: Spot, known: Known) -> Iterator[Problem]:
    """Problems of one context by itself, and of its vocabulary. Semantic rules are `semantics`'."""
    if is_unfinished(context):
        return
    yield from badly_named(spot, context.name)
    yield from repeated(
        spot.at("entities"), "entity", [entity.name for entity in context.entities if not is_unfinished(entity)]
    )
    yield from partitioning_problems(spot.at("partitioning"), context.partitioning)
    yield from schedule_problems(spot.at("schedule"), context.schedule)
    yield from _vocabulary(context, spot, known)


def check_references(subject: Subject, known: Known) -> Iterator[Problem]:
    """References lead to entities with as many legacy key parts, and one service key part to take."""
    for spot, rule in (found for field in subject.fields for found in subject.rules_of(field)):
        for reference in rule.references():
            if isinstance(reference, Reference) and not reference.problems():
                yield from _reference(spot, reference, known)


def check_projections(subject: Subject, known: Known) -> Iterator[Problem]:
    """Repeated fields are fields of an entity that has an event log, as of an instant that is a field here.

    Entities that repeat each other's fields would each have to be judged before the other.
    """
    for field in subject.fields:
        if field.projects is not None and not is_broken(field.projects):
            spot, own = subject.at_field(field, "projects"), subject.spot.path
            yield from _projection(subject, field.projects, spot, known)
            if field.projects.of != own and own in known.repeated_by(field.projects.of):
                yield spot.at("of").problem(f"{field.projects.of} repeats fields of {own} itself, if not directly")


def _projection(subject: Subject, of: Projection, spot: Spot, known: Known) -> Iterator[Problem]:
    names = [field.name for field in subject.fields]
    if of.as_of not in names:
        yield spot.at("as_of").problem(f'unknown field "{of.as_of}"', did_you_mean(of.as_of, names))
    if known.misses(of.of):
        yield spot.at("of").problem(f'unknown entity "{of.of}"', known.suggestion(of.of))
    target = known.entities.get(of.of)
    if target is None or not target.is_finished:
        return
    others = [field.name for field in target.fields]
    if of.field not in others:
        yield spot.at("field").problem(f'unknown field "{of.field}" of {of.of}', did_you_mean(of.field, others))
    if target.entity.events is None:
        yield spot.at("of").problem(f"{of.of} declares no events to repeat it from")
    if len(of.key) != len(target.entity.legacy.key):
        yield spot.at("key").problem(f"{len(of.key)} key parts given, the legacy key of {of.of} has another number")


def _reference(spot: Spot, reference: Reference, known: Known) -> Iterator[Problem]:
    if known.misses(reference.to):
        yield spot.problem(f'unknown entity "{reference.to}"', known.suggestion(reference.to))
    target = known.entities.get(reference.to)
    for side, holder in target.holders.items() if target else ():
        given, key = len(reference.of), ", ".join(holder.key)
        if side == "legacy" and given != len(holder.key):
            counts = f"{given} key part{'s' if given != 1 else ''} given, but the legacy key of {reference.to} has"
            yield spot.problem(f"{counts} {len(holder.key)}: {key}")
        if side == "service" and len(holder.key) > 1:
            message = f"the service key of {reference.to} is composite ({key}): no single value can refer to it"
            yield spot.problem(message, "declare an entity with a single service key, or list the columns as dropped")


def _vocabulary(context: Context, spot: Spot, known: Known) -> Iterator[Problem]:
    kinds = [kind for kind in parts(context, "event_types", EventType) if not is_broken(kind)]
    yield from repeated(spot.at("event_types"), "event type", [kind.name for kind in kinds])
    for kind in kinds:
        yield from check_entity(spot.at("event_types", kind.name, "entity", of=kind), context, kind.entity, known)


def check_entity(spot: Spot, context: Context, name: str, known: Known) -> Iterator[Problem]:
    """An entity of the same context by its name, or of any by its path."""
    path = name if "." in name else f"{context.name}.{name}"
    if known.misses(path):
        yield spot.problem(f'unknown entity "{name}"', known.suggestion(path))
