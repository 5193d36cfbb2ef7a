"""History: which past state of the system of record the replica still shows, by looking at every past partition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pipelines.declarations import Entity, Field, Side
from tests.generative.naive import sides
from tests.generative.naive.comparators import microseconds
from tests.generative.naive.comparison import AGREEING, Rows, verdict
from tests.generative.naive.rules import translate
from tests.generative.naive.surroundings import Row, Surroundings


@dataclass(frozen=True)
class Past:
    """A partition: its key, up to when it is complete, and the rows of both sides."""

    key: str
    watermark: datetime
    rows: Mapping[Side, Sequence[Row]]


@dataclass(frozen=True)
class Witness:
    """The partition that proves a replica stale, the next one, and when the state it still shows had ended."""

    partition: str
    moved_on: str
    ended_us: int


def witness(
    entity: Entity, field: Field, record: Side, rows: Rows, partitions: Sequence[Past], around: Surroundings
) -> Witness | None:
    """`partitions` oldest first, the present one last."""
    holder = entity.legacy if record is Side.LEGACY else entity.service
    own = rows.pair.legacy_key if record is Side.LEGACY else rows.pair.service_key
    for earlier, later in reversed(list(zip(partitions, partitions[1:], strict=False))):
        states = [row for row in earlier.rows[record] if sides.key(holder, row) == own]
        living = [row for row in states if sides.live(holder, row, around)]
        if any(verdict(field, _then(rows, record, row), around) in AGREEING for row in living):
            changed = [
                moment
                for row in later.rows[record]
                if sides.key(holder, row) == own and (moment := _changed_at(holder.changed_at, row, around))
            ]
            ended = max([earlier.watermark, *changed])
            return Witness(earlier.key, later.key, microseconds(ended))
    return None


def _then(rows: Rows, record: Side, past: Row) -> Rows:
    """The pair with the system of record as it was."""
    return Rows(rows.pair, past, rows.service) if record is Side.LEGACY else Rows(rows.pair, rows.legacy, past)


def _changed_at(declared: object, row: Row, around: Surroundings) -> datetime | None:
    return None if declared is None else translate(declared, row, around).value
