"""What an entity says about itself beyond columns: names, identity, slices, deletions, limits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from pipelines.declarations import (
    FLAGGED,
    GONE,
    Context,
    Effect,
    HardDelete,
    Holder,
    IdentityTable,
    NaturalKey,
    ServiceLevel,
    Side,
    Tombstone,
)
from pipelines.declared import is_broken
from pipelines.errors import Problem, did_you_mean
from pipelines.soundness.names import badly_named, repeated
from pipelines.soundness.spot import Spot
from pipelines.soundness.subject import Subject
from pipelines.soundness.timetable import partitioning_problems

_BECOMES = (GONE, FLAGGED)


def check(subject: Subject, context: Context) -> Iterator[Problem]:
    """Problems of one entity by itself."""
    yield from badly_named(subject.spot, subject.entity.name)
    for field in subject.fields:
        yield from badly_named(subject.at_field(field, "name"), field.name)
        if field.service_level is not None:
            yield from check_level(subject.at_field(field, "service_level"), field.service_level)
    yield from repeated(subject.spot.at("fields"), "field", [field.name for field in subject.fields])
    if subject.is_finished:
        yield from _numbers(subject)
        yield from _identity(subject)
        yield from _deletions(subject, context)


def _numbers(subject: Subject) -> Iterator[Problem]:
    entity, spot = subject.entity, subject.spot
    if not entity.fields:
        yield spot.at("fields").problem("an entity without fields has nothing to compare")
    yield from repeated(spot.at("slices"), "slice", [part.name for part in subject.slices])
    yield from check_level(spot.at("service_level"), entity.service_level)
    yield from check_level(spot.at("linkage_level"), entity.linkage_level)
    if entity.horizon < 0:
        yield spot.at("horizon").problem(f"counts earlier partitions, {entity.horizon} is below zero")
    if entity.allowed_lag < timedelta(0):
        yield spot.at("allowed_lag").problem(f"{entity.allowed_lag} is below zero")
    if entity.partitioning is not None:
        yield from partitioning_problems(spot.at("partitioning"), entity.partitioning)


def check_level(spot: Spot, level: ServiceLevel) -> Iterator[Problem]:
    """Problems of a service level."""
    spot = spot.at(of=level)
    if is_broken(level):
        return
    if not 0 <= level.limit <= 1:
        yield spot.problem(f"the limit is a rate between 0 and 1, not {level.limit:g}")
    elif level.warn is not None and not 0 <= level.warn < level.limit:
        yield spot.problem(f"warn ({level.warn:g}) must be at least 0 and below the limit ({level.limit:g})")


def _identity(subject: Subject) -> Iterator[Problem]:
    identity = subject.identity
    if identity is None:
        return
    spot = subject.spot.at("identity", of=identity)
    if isinstance(identity, NaturalKey):
        if not identity.legacy or len(identity.legacy) != len(identity.service):
            counts = f"{len(identity.legacy)} in legacy, {len(identity.service)} in the service"
            yield spot.problem(f"a natural key has as many parts on both sides, and at least one: {counts}")
        return
    for side, columns in ((Side.LEGACY, identity.legacy), (Side.SERVICE, identity.service)):
        holder = subject.holders.get(side)
        if holder and len(columns) != len(holder.key):
            yield spot.at(side).problem(f"{len(columns)} key columns, but the {side} key has {len(holder.key)}")
    yield from _merges(spot, identity)


def _merges(spot: Spot, identity: IdentityTable) -> Iterator[Problem]:
    for name, columns in (
        (("merged", identity.merges.merged), ("survivor", identity.merges.survivor)) if identity.merges else ()
    ):
        if len(columns) != len(identity.legacy):
            yield spot.at("merges", name).problem(
                f"{len(columns)} key columns, but the legacy key has {len(identity.legacy)}"
            )


def _deletions(subject: Subject, context: Context) -> Iterator[Problem]:
    for side, holder in subject.holders.items():
        yield from _becomes(subject, side, holder)
        if not isinstance(holder.deletion, Tombstone):
            continue
        spot, name = subject.at_holder(side, "deletion"), holder.deletion.event
        vocabulary = [kind.name for kind in context.event_types]
        effects = {kind.name: kind.effect for kind in context.event_types}
        if subject.entity.events is None:
            yield spot.problem("a tombstone is an event, and the entity declares no events")
        elif vocabulary and name not in vocabulary:
            yield spot.at("event").problem(f'unknown event type "{name}"', did_you_mean(name, vocabulary))
        elif effects.get(name, Effect.DELETES) is not Effect.DELETES:
            yield spot.at("event").problem(f'"{name}" is declared with the effect {effects[name]}, not deletes')


def _becomes(subject: Subject, side: Side, holder: Holder) -> Iterator[Problem]:
    """What must follow from a deletion must be something that the other side can show."""
    spot, wanted = subject.at_holder(side, "deletion", "becomes"), holder.deletion.becomes
    if wanted not in ("", *_BECOMES):
        yield spot.problem(
            f'unknown "{wanted}": a deletion makes the other row gone or flagged', did_you_mean(wanted, _BECOMES)
        )
    other = subject.holders.get(side.other)
    if wanted == FLAGGED and other and isinstance(other.deletion, HardDelete):
        yield spot.problem(f"{side.other} has no flag and no event by which a row could be deleted and still be there")
