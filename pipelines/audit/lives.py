"""Lives: damage to whole rows: born or deleted without the replica's knowing, back from the dead, without a key.

What a row's coming and going must be found as depends on whether there is an event log, and whether that tells it.
Damage to links and values is `mutations`', to what events tell of values `tellings`'.
"""

from __future__ import annotations

from dataclasses import astuple
from random import Random

from pipelines.audit import scratch, tellings
from pipelines.audit.figures import Planted
from pipelines.audit.planting import Damage
from pipelines.audit.trials import Trials
from pipelines.audit.victims import Victim
from pipelines.declarations import Effect, Side
from pipelines.keys import NO_VALUE, SEPARATOR


def pending_row(damage: Damage, trials: Trials, victim: Victim, _: Random) -> bool:
    """A row that legacy has got since the partition before, told by the log if there is one."""
    if not _born(damage, trials, victim):
        return False
    tellings.tell(damage, trials, victim, {}, effect=Effect.CREATES)
    damage.planted.append(Planted(victim.legacy_key, None, None, "stale_replica", "pending_row"))
    return True


def row_never_arrived(damage: Damage, trials: Trials, victim: Victim, _: Random) -> bool:
    """The same, and no event creates it."""
    if tellings.unheard_within_lag(damage, trials, victim) or not _born(damage, trials, victim):
        return False
    damage.planted.append(Planted(victim.legacy_key, None, None, "missing_event", "row_never_arrived"))
    return True


def deletion_not_propagated(damage: Damage, trials: Trials, victim: Victim, _: Random) -> bool:
    """Legacy deleted a row that it had the partition before, and the log tells it if there is one."""
    if not _died(damage, victim):
        return False
    tellings.tell(damage, trials, victim, {}, effect=Effect.DELETES)
    damage.planted.append(Planted(None, victim.service_key, None, "stale_replica", "deletion_not_propagated"))
    return True


def deletion_without_event(damage: Damage, trials: Trials, victim: Victim, _: Random) -> bool:
    """The same, and no event deletes it."""
    if tellings.is_within_lag(damage, trials) or not _died(damage, victim):
        return False
    damage.planted.append(Planted(None, victim.service_key, None, "missing_event", "deletion_without_event"))
    return True


def rebirth(damage: Damage, _: Trials, victim: Victim, __: Random) -> bool:
    """Both had deleted the row in the partition before; now the service has it again."""
    past = scratch.past(damage.job)
    if not all((side, past[0]) in victim.past for side in Side):
        return False
    damage.drop(victim, Side.LEGACY)
    for side in Side:
        damage.drop(victim, side, past[1])
    damage.cut.add(victim.legacy_key)
    damage.planted.append(Planted(None, victim.service_key, None, "semantic_contradiction", "rebirth"))
    return True


def null_key(damage: Damage, trials: Trials, victim: Victim, _: Random) -> bool:
    """A second legacy row like the victim's, with a part of the key missing. Rows shown alike are one finding."""
    part, parts = trials.missable_key[0], victim.legacy_key.split(SEPARATOR)
    if "\\" in victim.legacy_key or len(parts) != len(trials.entity.legacy.key):
        return False
    parts[trials.entity.legacy.key.index(part)] = NO_VALUE
    planted = Planted(SEPARATOR.join(parts), None, None, "key_linkage", "null_key")
    if planted in damage.planted or astuple(planted) in damage.there:
        return False
    damage.add(victim, Side.LEGACY, {part: None})
    damage.planted.append(planted)
    return True


def _born(damage: Damage, trials: Trials, victim: Victim) -> bool:
    """Let the legacy row be new, and the service not have it yet."""
    past = scratch.past(damage.job)
    if (Side.LEGACY, past[-1]) not in victim.past:
        return False
    for partition in past:
        damage.drop(victim, Side.LEGACY, partition)
        damage.drop(victim, Side.SERVICE, partition)
    damage.drop(victim, Side.SERVICE)
    if trials.has_table:
        damage.cut.add(victim.legacy_key)
    return True


def _died(damage: Damage, victim: Victim) -> bool:
    """Let the legacy row be gone since the partition before, and its link with it."""
    if (Side.LEGACY, scratch.past(damage.job)[-1]) not in victim.past:
        return False
    damage.drop(victim, Side.LEGACY)
    damage.cut.add(victim.legacy_key)
    return True
