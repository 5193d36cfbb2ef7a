"""Deaths: rows deleted on both sides, of which one became something else than the declarations say.

How a side deletes is declared; damage is done the same way: a row is dropped, flagged, or told dead by an event. What
a flag looks like is taken from a row that bears it. Rows that one side alone deleted are `lives`'.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from pipelines import journal
from pipelines.audit import scratch, tellings
from pipelines.audit.planting import Damage
from pipelines.audit.trials import Trials
from pipelines.audit.victims import Row, Victim
from pipelines.declarations import FLAGGED, Effect, HardDelete, Side, SoftDelete, Tombstone


@dataclass(frozen=True)
class _Way:
    """How a pair dies wrongly: what becomes of the row of each side (None: dropped), and which events tell it."""

    side: Side  # whose deletion something must follow from
    rows: dict[Side, Row | None]
    events: tuple[str, ...]


def became_otherwise(damage: Damage, trials: Trials, victim: Victim, _: Random) -> bool:
    """Both rows are deleted, that of one side as that side does it, the other's as it must not be."""
    before = scratch.past(damage.job)[-1]
    way = next(_ways(trials))
    held = all((side, before) in victim.past for side in Side)
    if not held or tellings.is_within_lag(damage, trials) or _lately(damage, trials, victim, way):
        return False
    for side, values in way.rows.items():
        if values is None:
            damage.drop(victim, side)
        else:
            damage.change(victim, side, values)
    if way.rows[way.side] is None:
        damage.cut.add(victim.legacy_key)
    for number, kind in enumerate(way.events, 1):
        tellings.tell(damage, trials, victim, {}, effect=Effect.DELETES, number=number, kind=kind)
    damage.plant(victim, None, ("invalid_transformation", "deletion_became_otherwise"))
    return True


def hindrance(trials: Trials) -> str:
    """Why no pair can die wrongly here; empty when one can."""
    if not any(trials.job.holder(side).deletion.becomes for side in Side):
        return "nothing is declared that a deletion must become"
    unshown = "what is declared to become of deletions cannot go wrong, or the copy does not tell how it would look"
    return "" if next(_ways(trials), None) else unshown


def _ways(trials: Trials) -> Iterator[_Way]:
    """All ways, those first in which what the system of record deletes is not followed."""
    record = trials.entity.system_of_record
    for side in (record, record.other):
        deletion = trials.job.holder(side).deletion
        own, other = _marked(trials, side), _marked(trials, side.other)
        if deletion.becomes == FLAGGED:
            # A flagged row is asked for by today's link, which natural keys only give rows that are there.
            flagged = own if isinstance(deletion, SoftDelete) else None
            if not isinstance(deletion, SoftDelete) or (flagged is not None and trials.has_table):
                yield from _possible(trials, side, {side: flagged, side.other: None})
        elif deletion.becomes and other is not None and (own is not None or isinstance(deletion, HardDelete)):
            yield from _possible(trials, side, {side: own, side.other: other})


def _possible(trials: Trials, side: Side, rows: dict[Side, Row | None]) -> Iterator[_Way]:
    """The way with the events that it takes, if they can be told."""
    deletions = {each: trials.job.holder(each).deletion for each in Side}
    needed = [each for each in Side if each is side or rows[each] is not None]
    events = [deletion.event for each in needed if isinstance(deletion := deletions[each], Tombstone)]
    if not events or journal.has_log(trials.job):
        yield _Way(side, rows, tuple(dict.fromkeys(events)))


def _marked(trials: Trials, side: Side) -> Row | None:
    """What a row of a side that is there and deleted has in its columns; None where that cannot be."""
    deletion = trials.job.holder(side).deletion
    if isinstance(deletion, SoftDelete):
        return trials.flag(side)
    return {} if isinstance(deletion, Tombstone) else None


def _lately(damage: Damage, trials: Trials, victim: Victim, way: _Way) -> bool:
    """Whether the row that is flagged says that it changed so lately that the other side may not be so far."""
    changed = trials.changed_us(victim.raw[way.side], way.side) if way.rows[way.side] else None
    if changed is None:
        return False
    behind = int(damage.job.watermark.timestamp()) - changed // 1_000_000
    return behind <= trials.entity.allowed_lag.total_seconds()
