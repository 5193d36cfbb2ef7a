"""Mutations: every kind of damage, with the type and reason that the pipeline must give to what it does to a row.

Each says by its answer whether it could be done to a victim. What it plants is certain: values are tried on translation
and comparator first, and chosen so that no other cause explains them. Kinds that an entity's declaration leaves no room
for (links without a table, codes without text) are not planted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random

import pyarrow as pa

from pipelines.audit import scratch
from pipelines.audit.figures import Planted
from pipelines.audit.planting import Damage
from pipelines.audit.trials import Trials
from pipelines.audit.victims import Row, Victim
from pipelines.declarations import Field, Reference, Side

Mutation = Callable[[Damage, Trials, Victim, Random], bool]
NONSENSE = "~audit~"  # no code, no number, no date, no key
_FACTOR = 100
_CUT_FROM, _SWAP_FROM = 8, 3  # characters
_OFF, _MANY = timedelta(days=11), 100  # what days are off by, and rows in which they could be


def unmapped(damage: Damage, trials: Trials, victim: Victim, _: Random) -> bool:
    """No link any more, both rows are there."""
    if not trials.has_table:
        return False
    damage.cut.add(victim.legacy_key)
    damage.planted.append(Planted(victim.legacy_key, None, None, "key_linkage", "unmapped"))
    damage.planted.append(Planted(None, victim.service_key, None, "key_linkage", "unmapped"))
    return True


def dangling(damage: Damage, trials: Trials, victim: Victim, _: Random) -> bool:
    """The link leads to a row that is not there."""
    if not trials.has_table:
        return False
    damage.drop(victim, Side.SERVICE)
    damage.plant(victim, None, ("key_linkage", "dangling"))
    return True


def ambiguous(damage: Damage, trials: Trials, victim: Victim, _: Random) -> bool:
    """A second counterpart, which is a candidate only."""
    return _second_link(damage, trials, victim, 0.5, "ambiguous")


def cardinality_violated(damage: Damage, trials: Trials, victim: Victim, _: Random) -> bool:
    """A second counterpart, as certain as the first."""
    return _second_link(damage, trials, victim, 1.0, "cardinality_violated")


def duplicate_key(damage: Damage, _: Trials, victim: Victim, __: Random) -> bool:
    """The service's row twice."""
    damage.repeat(victim, Side.SERVICE)
    damage.plant(victim, None, ("key_linkage", "duplicate_key"))
    return True


def untranslatable(damage: Damage, trials: Trials, victim: Victim, chance: Random) -> bool:
    """A legacy value that no rule knows."""
    for field in settled(trials, victim, chance):
        column = trials.source(field)
        if column is None or not pa.types.is_string(trials.type_of(Side.LEGACY, column)):
            continue
        if trials.translated(victim.raw[Side.LEGACY] | {column: NONSENSE}, field)[1]:
            damage.change(victim, Side.LEGACY, {column: NONSENSE})
            damage.plant(victim, field.name, ("invalid_transformation", "untranslatable"))
            return True
    return False


def behind(damage: Damage, trials: Trials, victim: Victim, chance: Random) -> bool:
    """Legacy moves on to what another row says; the service shows what legacy said the partition before."""
    past = scratch.past(damage.job)
    for field in settled(trials, victim, chance):
        said = victim.past.get((Side.LEGACY, past[-1]), {}).get(field.name) if past else None
        column = trials.source(field)
        if column is None or said is None or said != victim.values[field.name]:
            continue
        raw = lent(trials, victim, field, column, chance)
        if raw is not None:
            damage.change(victim, Side.LEGACY, {column: raw[column]})
            damage.plant(victim, field.name, ("stale_replica", lateness(damage, trials, raw, past[-1])))
            return True
    return False


def regressed(damage: Damage, trials: Trials, victim: Victim, chance: Random) -> bool:
    """Two partitions ago legacy said something else, the service followed, and now shows that again."""
    past = scratch.past(damage.job)
    if len(past) < scratch.PAST:
        return False
    for field in settled(trials, victim, chance):
        column = trials.source(field)
        caught_up = all(
            victim.past.get((side, past[1]), {}).get(field.name) == victim.values[field.name] for side in Side
        )
        there = victim.past.get((Side.LEGACY, past[0])) is not None
        if column is None or not there or not caught_up or field.name not in trials.free[Side.SERVICE]:
            continue
        raw = lent(trials, victim, field, column, chance)
        if raw is not None:
            older = trials.translated(raw, field)[0]
            damage.change(victim, Side.LEGACY, {column: raw[column]}, past[0])
            damage.change(victim, Side.SERVICE, {field.name: older})
            damage.plant(victim, field.name, ("out_of_order_update", "regressed_to_older_value"))
            return True
    return False


def written_by_replica(damage: Damage, trials: Trials, victim: Victim, chance: Random) -> bool:
    """The service showed what is right the partition before, and now something that nobody ever said."""
    past = scratch.past(damage.job)
    for field in settled(trials, victim, chance):
        said = victim.past.get((Side.SERVICE, past[-1]), {}).get(field.name) if past else None
        if said is not None and said == victim.values[field.name]:
            value = _unheard_of(victim.values[field.name], chance)
            if _show(damage, trials, victim, field, value):
                damage.plant(victim, field.name, ("semantic_contradiction", "written_by_replica"))
                return True
    return False


def no_evidence(damage: Damage, trials: Trials, victim: Victim, chance: Random) -> bool:
    """The service has shown all the time something that nobody ever said."""
    for field in settled(trials, victim, chance):
        value = _unheard_of(victim.values[field.name], chance)
        if _show(damage, trials, victim, field, value):
            for side, partition in victim.past:
                if side is Side.SERVICE:
                    damage.change(victim, side, {field.name: value}, partition)
            damage.plant(victim, field.name, ("unexplained", "no_evidence"))
            return True
    return False


def older_translation(damage: Damage, trials: Trials, victim: Victim, chance: Random) -> bool:
    """The service shows what an earlier version of the translation made of the legacy value."""
    for field in settled(trials, victim, chance):
        for rule in field.earlier.values():
            value, failed = trials.translated(victim.raw[Side.LEGACY], field, rule)
            if not failed and value is not None and _show(damage, trials, victim, field, value):
                damage.plant(victim, field.name, ("invalid_transformation", "older_translation"))
                return True
    return False


def likeness(make: Callable[[object], object], reason: str) -> Mutation:
    """Damage to one value of the service that leaves it alike in one way."""

    def mutate(damage: Damage, trials: Trials, victim: Victim, chance: Random) -> bool:
        for field in settled(trials, victim, chance):
            value = make(victim.values[field.name])
            fits = value is not None and not isinstance(field.rule, Reference) and not _heard(victim, field, value)
            if fits and _show(damage, trials, victim, field, value):
                damage.plant(victim, field.name, ("invalid_transformation", reason))
                return True
        return False

    return mutate


def reformatted(value: object) -> object:
    """A text in other letters."""
    changed = value.swapcase() if isinstance(value, str) and value.isascii() else None
    return changed if changed != value else None


def cut(value: object) -> object:
    """The first half of a text."""
    half = value[: len(value) // 2] if isinstance(value, str) and len(value) >= _CUT_FROM else ""
    return half if half[-1:].isalnum() else None


def scaled(value: object) -> object:
    """A number a hundred times as large."""
    fit = isinstance(value, Decimal) and abs(value) >= 1
    return value * _FACTOR if fit and isinstance(value, Decimal) else None


def shifted(value: object) -> object:
    """An instant two hours later."""
    return value + timedelta(hours=2) if isinstance(value, datetime) else None


def systematic(damage: Damage, trials: Trials, victim: Victim, _: Random) -> bool:
    """A day of the service is off by as many days as in all other rows this is done to."""
    days = [field for field in trials.entity.fields if pa.types.is_date(trials.type_of(Side.SERVICE, field.name))]
    for field in days:
        enough = sum(field.name in other.settled for other in trials.pool) >= _MANY
        value = victim.values[field.name]
        if not enough or field.name not in victim.settled or not isinstance(value, date):
            continue
        if not _heard(victim, field, value + _OFF) and _show(damage, trials, victim, field, value + _OFF):
            damage.plant(victim, field.name, ("invalid_transformation", "systematic_pattern"))
            return True
        return False
    return False


def swapped_fields(damage: Damage, trials: Trials, victim: Victim, chance: Random) -> bool:
    """Two texts of the service have changed places."""
    texts = [
        field
        for field in settled(trials, victim, chance)
        if field.name in trials.free[Side.SERVICE]
        and isinstance(victim.values[field.name], str)
        and len(str(victim.values[field.name])) >= _SWAP_FROM
    ]
    for one, other in pairwise(texts):
        values = {one.name: victim.values[other.name], other.name: victim.values[one.name]}
        alike = str(values[one.name])[0].casefold() == str(values[other.name])[0].casefold()
        fields = (one, other)
        if alike or any(_heard(victim, field, values[field.name]) for field in fields):
            continue
        if all(trials.differ(field, victim.values[field.name], values[field.name]) for field in fields):
            damage.change(victim, Side.SERVICE, values)
            for field in fields:
                damage.plant(victim, field.name, ("invalid_transformation", "swapped_fields"))
            return True
    return False


def settled(trials: Trials, victim: Victim, chance: Random) -> Iterator[Field]:
    """The fields of a victim that can be damaged, in an order of chance."""
    fields = [field for field in trials.entity.fields if field.name in victim.settled]
    yield from chance.sample(fields, len(fields))


def _second_link(damage: Damage, trials: Trials, victim: Victim, confidence: float, reason: str) -> bool:
    if not trials.has_table or not trials.entity.identity.cardinality.one_service:
        return False
    ghost = f"{victim.service_key}{NONSENSE}"
    damage.links.append(
        {"legacy_key": victim.legacy_key, "service_key": ghost, "provenance": "audit", "confidence": confidence}
        | dict.fromkeys(("is_primary", "is_merged"), False)
    )  # fmt: skip
    damage.plant(victim, None, ("key_linkage", reason))
    damage.planted.append(Planted(victim.legacy_key, ghost, None, "key_linkage", reason))
    return True


def _show(damage: Damage, trials: Trials, victim: Victim, field: Field, value: object) -> bool:
    """Let the service show another value, if its column is free to and its comparator sees it."""
    free = value is not None and field.name in trials.free[Side.SERVICE]
    if not free or not trials.differ(field, victim.values[field.name], value):
        return False
    damage.change(victim, Side.SERVICE, {field.name: value})
    return True


def _heard(victim: Victim, field: Field, value: object) -> bool:
    """Whether legacy said this before: then a replica that shows it is stale."""
    return any(values.get(field.name) == value for (side, _), values in victim.past.items() if side is Side.LEGACY)


def lent(trials: Trials, victim: Victim, field: Field, column: str, chance: Random) -> Row | None:
    """The victim's legacy row with another row's value of a column, which neither side has ever shown."""
    for donor in chance.sample(trials.pool, min(len(trials.pool), 40)):
        raw = victim.raw[Side.LEGACY] | {column: donor.raw[Side.LEGACY][column]}
        value, new = donor.values[field.name], donor.values[field.name] != victim.values[field.name]
        shown = any(values.get(field.name) == value for values in victim.past.values())
        sound = new and not shown and value is not None and trials.translated(raw, field) == (value, False)
        if sound and trials.differ(field, victim.values[field.name], value):
            return raw
    return None


def lateness(damage: Damage, trials: Trials, raw: Row, before: str) -> str:
    """Within the lag or beyond it: the state of before ended when the row says so, and not before it was witnessed."""
    complete = int(damage.job.partitioning.watermark(before).timestamp()) * 1_000_000
    ended = max(trials.changed_us(raw) or complete, complete)
    lag = int(damage.job.watermark.timestamp()) - ended // 1_000_000
    return "behind_within_lag" if lag <= trials.entity.allowed_lag.total_seconds() else "behind_beyond_lag"


def _unheard_of(value: object, chance: Random) -> object:
    """Another value of the same kind that no likeness explains, and that nobody ever said; none of a flag."""
    odd = chance.randrange(1, 800)
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return f"{NONSENSE}{chance.getrandbits(32):08x}"
    if isinstance(value, int | Decimal):
        return value + 1009 + odd
    later = timedelta(days=100 + odd)
    return value + later + timedelta(seconds=odd) if isinstance(value, datetime) else _later(value, later)


def _later(value: object, by: timedelta) -> object:
    return value + by if isinstance(value, date) else None
