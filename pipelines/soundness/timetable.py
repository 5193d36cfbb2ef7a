"""When things happen: partitionings that make sense, and schedules that cron understands."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipelines.declarations import Daily, EffectiveDates, Monthly
from pipelines.declared import is_broken
from pipelines.errors import Problem
from pipelines.partitioning import Partitioning
from pipelines.soundness.spot import Spot

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_CRON = (
    ("minute", range(60), ()), ("hour", range(24), ()), ("day of the month", range(1, 32), ()),
    ("month", range(1, 13), _MONTHS), ("day of the week", range(8), _DAYS),
)  # fmt: skip


def partitioning_problems(spot: Spot, partitioning: Partitioning) -> Iterator[Problem]:
    """Partitionings that have no partition, or one twice."""
    spot = spot.at(of=partitioning)
    if is_broken(partitioning):
        return
    if isinstance(partitioning, EffectiveDates):
        if not partitioning.dates:
            yield spot.at("dates").problem("no dates given")
        if len(set(partitioning.dates)) < len(partitioning.dates):
            yield spot.at("dates").problem("a date is given twice")
    if isinstance(partitioning, Monthly) and partitioning.start.day != 1:
        first = partitioning.start.replace(day=1)
        yield spot.at("start").problem(f"{partitioning.start} is not the first day of a month", f"for instance {first}")
    if isinstance(partitioning, Daily | Monthly) and partitioning.last and partitioning.last < partitioning.start:
        yield spot.at("last").problem(f"{partitioning.last} is before the start")


def schedule_problems(spot: Spot, schedule: str) -> Iterator[Problem]:
    """What keeps a schedule from being a cron expression of five fields."""
    fields = schedule.split()
    if len(fields) != len(_CRON):
        message = f'"{schedule}" is not a cron expression of five fields: minute hour day month weekday'
        yield spot.problem(message, 'for instance "0 6 * * *", every day at six')
        return
    for text, (name, valid, words) in zip(fields, _CRON, strict=True):
        if not all(_is_cron(item, valid, words) for item in text.split(",")):
            yield spot.problem(f'"{text}" is no {name} of a cron expression')


def _is_cron(item: str, valid: range, words: tuple[str, ...]) -> bool:
    """Whether one item of a list is `*`, a value or a range, with or without a step."""
    parts = re.fullmatch(r"(?:\*|(\w+)(?:-(\w+))?)(?:/(\d+))?", item)
    if not parts or parts[3] == "0":
        return False
    values = [_cron_value(text, valid, words) for text in parts.group(1, 2) if text]
    return all(value in valid for value in values) and values == sorted(values, key=int)


def _cron_value(text: str, valid: range, words: tuple[str, ...]) -> int:
    if text.lower() in words:
        return valid[words.index(text.lower())]
    return int(text) if text.isdecimal() and text.isascii() else -1
