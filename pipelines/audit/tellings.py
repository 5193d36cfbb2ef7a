"""Tellings: damage that the event log tells of, tells in the wrong order, or does not tell.

Events are added to the copy of this partition's log, for rows that it tells nothing else of. Each function says by its
answer whether it could be done.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from random import Random

from pipelines import journal
from pipelines.audit import scratch
from pipelines.audit.mutations import lateness, lent, settled
from pipelines.audit.planting import Damage
from pipelines.audit.trials import Trials
from pipelines.audit.victims import Row, Victim
from pipelines.declarations import Effect, Field, Numbering, Side

_MINUTE = timedelta(minutes=1)
Change = tuple[Field, str, Row]  # the field, its legacy column, and the raw row in which that is another


def told_and_late(damage: Damage, trials: Trials, victim: Victim, chance: Random) -> bool:
    """Legacy moves on, an event tells it, and the service does not follow."""
    change = _change(damage, trials, victim, chance)
    if change is None or is_within_lag(damage, trials):
        return False
    _move(damage, victim, change)
    tell(damage, trials, victim, _values(trials, change))
    damage.plant(victim, change[0].name, ("stale_replica", "behind_beyond_lag"))
    return True


def in_flight(damage: Damage, trials: Trials, victim: Victim, chance: Random) -> bool:
    """The same, so lately that it is allowed."""
    change = _change(damage, trials, victim, chance)
    if change is None:
        return False
    _move(damage, victim, change)
    lately = damage.job.watermark - min(trials.entity.allowed_lag, damage.job.watermark - _began(damage)) / 2
    tell(damage, trials, victim, _values(trials, change), at=lately)
    damage.plant(victim, change[0].name, ("stale_replica", "behind_within_lag"))
    return True


def change_without_event(damage: Damage, trials: Trials, victim: Victim, chance: Random) -> bool:
    """Legacy moves on, and no event tells it."""
    return _untold(damage, trials, victim, chance, "change_without_event")


def sequence_gap(damage: Damage, trials: Trials, victim: Victim, chance: Random) -> bool:
    """The same, and the number of the event that would have told it is missing between two others."""
    if not _untold(damage, trials, victim, chance, "sequence_gap"):
        return False
    tell(damage, trials, victim, {}, effect=Effect.NOTES)
    tell(damage, trials, victim, {}, effect=Effect.NOTES, number=3, at=_began(damage) + 2 * _MINUTE)
    return True


def event_not_applied(damage: Damage, trials: Trials, victim: Victim, chance: Random) -> bool:
    """Two events tell two fields, and the service has followed the second one only."""
    first, second = (_change(damage, trials, victim, chance) for _ in range(2))
    if first is None or second is None or is_within_lag(damage, trials):
        return False
    (missed, column, raw), (followed, other_column, other_raw) = first, second
    if missed == followed or column == other_column or followed.name not in trials.free[Side.SERVICE]:
        return False
    damage.change(victim, Side.LEGACY, {column: raw[column], other_column: other_raw[other_column]})
    damage.change(victim, Side.SERVICE, {followed.name: trials.translated(other_raw, followed)[0]})
    tell(damage, trials, victim, _values(trials, first))
    tell(damage, trials, victim, _values(trials, second), number=2, at=_began(damage) + 2 * _MINUTE)
    damage.plant(victim, missed.name, ("missing_event", "event_not_applied"))
    return True


def older_event_applied_last(damage: Damage, trials: Trials, victim: Victim, chance: Random) -> bool:
    """Two events, the older of which is recorded after the newer; the service shows what the older one told."""
    change, older = (_change(damage, trials, victim, chance) for _ in range(2))
    if change is None or older is None or change[0] != older[0] or is_within_lag(damage, trials):
        return False
    field = change[0]
    shown, right = (trials.translated(raw, field)[0] for _, _, raw in (older, change))
    if field.name not in trials.free[Side.SERVICE] or not trials.differ(field, shown, right):
        return False
    _move(damage, victim, change)
    damage.change(victim, Side.SERVICE, {field.name: shown})
    began = _began(damage)
    tell(damage, trials, victim, _values(trials, older), recorded=began + 4 * _MINUTE)
    tell(damage, trials, victim, _values(trials, change), number=2, at=began + 2 * _MINUTE)
    damage.plant(victim, field.name, ("out_of_order_update", "older_event_applied_last"))
    return True


def tell(  # noqa: PLR0913 (what an event says, most of which has a default)
    damage: Damage,
    trials: Trials,
    victim: Victim,
    values: dict[str, str | None],
    *,
    effect: Effect = Effect.CHANGES,
    kind: str = "Audited",
    number: int = 1,
    at: datetime | None = None,
    recorded: datetime | None = None,
) -> None:
    """Add an event of a victim, by default a minute after the partition began; nothing where there is no log."""
    log = trials.entity.events
    if log is None or not journal.has_log(damage.job):
        return
    happened = at or _began(damage) + _MINUTE
    damage.events.append({
        "legacy_key": victim.legacy_key,
        "sequence": (log.older_rows_at or 0) + number if log.numbering is Numbering.PER_KEY else None,
        "event_time": happened,
        "recorded_time": recorded or happened + _MINUTE / 6,
        "event_type": kind,
        "effect": effect.value,
        "payload": json.dumps(values),
        "producer": "audit",
        "schema_version": None,
    })  # fmt: skip


def is_within_lag(damage: Damage, trials: Trials) -> bool:
    """Whether what has happened since this partition began may still be under way."""
    return damage.job.watermark - _began(damage) <= trials.entity.allowed_lag + 5 * _MINUTE


def unheard_within_lag(damage: Damage, trials: Trials, victim: Victim) -> bool:
    """Whether a victim's legacy row says itself that it changed so lately that it may still be under way."""
    raw, before = victim.raw[Side.LEGACY], scratch.past(damage.job)[-1]
    return lateness(damage, trials, raw, before) == "behind_within_lag"


def _untold(damage: Damage, trials: Trials, victim: Victim, chance: Random, reason: str) -> bool:
    change = _change(damage, trials, victim, chance)
    if change is None or lateness(damage, trials, change[2], scratch.past(damage.job)[-1]) == "behind_within_lag":
        return False
    _move(damage, victim, change)
    damage.plant(victim, change[0].name, ("missing_event", reason))
    return True


def _change(damage: Damage, trials: Trials, victim: Victim, chance: Random) -> Change | None:
    """What legacy can move on to, so that the service shows what legacy said the partition before."""
    before = victim.past.get((Side.LEGACY, scratch.past(damage.job)[-1]), {})
    for field in settled(trials, victim, chance):
        column = trials.source(field)
        if column is None or before.get(field.name) is None or before[field.name] != victim.values[field.name]:
            continue
        raw = lent(trials, victim, field, column, chance)
        if raw is not None:
            return field, column, raw
    return None


def _move(damage: Damage, victim: Victim, change: Change) -> None:
    _, column, raw = change
    damage.change(victim, Side.LEGACY, {column: raw[column]})


def _values(trials: Trials, change: Change) -> dict[str, str | None]:
    field, _, raw = change
    return {field.name: trials.text(field, trials.translated(raw, field)[0])}


def _began(damage: Damage) -> datetime:
    """When the partition began: when the one before was complete."""
    return damage.job.partitioning.watermark(scratch.past(damage.job)[-1])
