"""History: which past state of the system of record the replica still shows, by looking at every past partition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pipelines.declarations import Entity, Field, Side
from tests.generative.naive import sides
from tests.generative.naive.comparators import judge, microseconds
from tests.generative.naive.comparison import AGREEING, Rows, present, verdict
from tests.generative.naive.rules import Outcome, translate
from tests.generative.naive.surroundings import Row, Surroundings


@dataclass(frozen=True)
class Past:
    """A partition: its key, up to when it is complete, and the rows of both sides."""

    key: str
    watermark: datetime
    rows: Mapping[Side, Sequence[Row]]


@dataclass(frozen=True)
class Witness:
    """What the past says of a difference.

    The latest partition in which the system of record said what the replica says now, the next one, and when that state
    had ended; the latest one in which the replica said what the system of record says now, and the one after; the
    latest one in which the replica said something else than now, and the one after.
    """

    partition: str | None = None
    moved_on: str | None = None
    ended_us: int | None = None
    caught_up: str | None = None
    strayed: str | None = None
    departed: str | None = None
    returned: str | None = None


def witness(
    entity: Entity, field: Field, record: Side, rows: Rows, partitions: Sequence[Past], around: Surroundings
) -> Witness | None:
    """`partitions` oldest first, the present one last."""
    stale = _stale(entity, field, record, rows, partitions, around) or (None, None, None)
    caught_up = _agreed(entity, field, record.other, rows, partitions, around)
    departed = _departed(entity, field, record.other, rows, partitions, around)
    keys = [past.key for past in partitions]

    def following(key: str | None) -> str | None:
        return keys[keys.index(key) + 1] if key else None

    found = Witness(*stale, caught_up, following(caught_up), departed, following(departed))
    return found if stale[0] or caught_up else None


def _departed(
    entity: Entity, field: Field, side: Side, rows: Rows, partitions: Sequence[Past], around: Surroundings
) -> str | None:
    """The latest earlier partition in which this side said something else than it says now."""
    holder = entity.legacy if side is Side.LEGACY else entity.service
    own = rows.pair.legacy_key if side is Side.LEGACY else rows.pair.service_key
    now = _said(field, side, rows.legacy if side is Side.LEGACY else rows.service, around)
    for earlier in reversed(partitions[:-1]):
        states = [
            row for row in earlier.rows[side] if sides.key(holder, row) == own and sides.live(holder, row, around)
        ]
        for row in states:
            then = _said(field, side, row, around)
            if then.failure is None and not _same(field, then, now):
                return earlier.key
    return None


def _said(field: Field, side: Side, row: Row, around: Surroundings) -> Outcome:
    return translate(field.rule, row, around) if side is Side.LEGACY else Outcome(row[field.name])


def _same(field: Field, then: Outcome, now: Outcome) -> bool:
    one, other = (present(field, said.value, said.text) for said in (then, now))
    if one is None or other is None:
        return one is None and other is None
    return judge(field.compare, one, other) in AGREEING


def agreed_in(entity: Entity, field: Field, record: Side, rows: Rows, past: Past, around: Surroundings) -> bool:
    """Whether in this partition the system of record said what the replica says now."""
    return _agreed(entity, field, record, rows, [past, past], around) is not None


def _agreed(
    entity: Entity, field: Field, side: Side, rows: Rows, partitions: Sequence[Past], around: Surroundings
) -> str | None:
    """The latest earlier partition in which this side said what the other one says now."""
    holder = entity.legacy if side is Side.LEGACY else entity.service
    own = rows.pair.legacy_key if side is Side.LEGACY else rows.pair.service_key
    for earlier in reversed(partitions[:-1]):
        states = [
            row for row in earlier.rows[side] if sides.key(holder, row) == own and sides.live(holder, row, around)
        ]
        if any(verdict(field, _then(rows, side, row), around) in AGREEING for row in states):
            return earlier.key
    return None


def _stale(
    entity: Entity, field: Field, record: Side, rows: Rows, partitions: Sequence[Past], around: Surroundings
) -> tuple[str, str, int] | None:
    holder = entity.legacy if record is Side.LEGACY else entity.service
    own = rows.pair.legacy_key if record is Side.LEGACY else rows.pair.service_key
    for earlier, later in reversed(list(zip(partitions, partitions[1:], strict=False))):
        states = [row for row in earlier.rows[record] if sides.key(holder, row) == own]
        living = [row for row in states if sides.live(holder, row, around)]
        if any(verdict(field, _then(rows, record, row), around) in AGREEING for row in living):
            changed = [
                moment
                for row in later.rows[record]
                if sides.key(holder, row) == own and (moment := changed_at(holder.changed_at, row, around))
            ]
            ended = max([earlier.watermark, *changed])
            return earlier.key, later.key, microseconds(ended)
    return None


def _then(rows: Rows, side: Side, past: Row) -> Rows:
    """The pair with one side as it was."""
    return Rows(rows.pair, past, rows.service) if side is Side.LEGACY else Rows(rows.pair, rows.legacy, past)


def changed_at(declared: object, row: Row, around: Surroundings) -> datetime | None:
    """When a row says it last changed: a column, or a rule."""
    return None if declared is None else translate(declared, row, around).value
