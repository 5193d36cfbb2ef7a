"""Capabilities: their entities are there, each once, and they ask for at least a day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from pipelines.declarations import Capability, Context
from pipelines.declared import is_broken, is_unfinished
from pipelines.errors import Problem
from pipelines.rulebook import path_of
from pipelines.soundness.contexts import Known, check_entity
from pipelines.soundness.names import badly_named, repeated
from pipelines.soundness.spot import Spot
from pipelines.soundness.subject import parts

_DAY = timedelta(days=1)


def check(context: Context, spot: Spot, known: Known) -> Iterator[Problem]:
    """Problems of the capabilities of one context."""
    if is_unfinished(context):
        return
    sound = [part for part in parts(context, "capabilities", Capability) if not is_broken(part)]
    yield from repeated(spot.at("capabilities"), "capability", [capability.name for capability in sound])
    for capability in sound:
        place = spot.at("capabilities", capability.name, of=capability)
        yield from badly_named(place, capability.name)
        yield from _entities(place.at("entities"), context, capability, known)
        if capability.steady_for < _DAY or capability.steady_for % _DAY:
            message = f"{capability.steady_for} is no whole number of days, one at least"
            yield place.at("steady_for").problem(message, "for instance timedelta(days=30)")


def _entities(spot: Spot, context: Context, capability: Capability, known: Known) -> Iterator[Problem]:
    if not capability.entities:
        yield spot.problem("a capability of no entities is always ready")
    yield from repeated(spot, "entity", [path_of(context.name, name) for name in capability.entities])
    for name in capability.entities:
        yield from check_entity(spot, context, name, known)
