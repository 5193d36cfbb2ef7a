"""The ledger of a log: from which offset to which each partition of the data was read, decided once and kept.

A partition that was taken before is read again between the same offsets. A new one begins where the one before it
ended, and ends where the log ends now, or where the one after it begins. Offsets that the log no longer has are an
error, never a shorter reading. How a log is asked is `log`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.errors import SourceError
from pipelines.sources.source import NotesByPartition


@dataclass(frozen=True)
class Stretch:
    """Offsets of one partition of a topic: from the first, up to but without the second."""

    partition: int
    low: int
    high: int


Extent = Mapping[int, tuple[int, int]]  # by partition of the topic, the first offset it still has and the next one
Ledger = Mapping[str, Extent]  # by partition of the data, from where to where each partition of the topic was read


def stretches(topic: str, extent: Extent, noted: NotesByPartition, date: str, *, whole: bool) -> list[Stretch]:
    """What to read of a topic for a partition of the data; with `whole` from the beginning of the log.

    Raises SourceError when the log does not have it, or no longer.
    """
    ledger = {day: _offsets(notes) for day, notes in noted.items() if notes.get("topic") == topic}
    if date in ledger:
        found = [Stretch(partition, low, high) for partition, (low, high) in sorted(ledger[date].items())]
    else:
        found = [_new(partition, extent, ledger, date, whole=whole) for partition in sorted(extent)]
    for stretch in found:
        _check(topic, stretch, extent)
    return found


def note(topic: str, read: list[Stretch], messages: int) -> dict[str, Any]:
    """What the manifest says of a reading."""
    offsets = {str(stretch.partition): [stretch.low, stretch.high] for stretch in read}
    return {"topic": topic, "offsets": offsets, "messages": messages}


def messages_noted(topic: str, noted: NotesByPartition, date: str) -> int | None:
    """How many messages the same reading had when it was taken before; None when it was not."""
    notes = noted.get(date, {})
    return int(notes["messages"]) if notes.get("topic") == topic else None


def _offsets(notes: Mapping[str, Any]) -> dict[int, tuple[int, int]]:
    return {int(partition): (low, high) for partition, (low, high) in notes["offsets"].items()}


def _new(partition: int, extent: Extent, ledger: Ledger, date: str, *, whole: bool) -> Stretch:
    first, end = extent[partition]
    if whole:
        return Stretch(partition, 0, end)
    low = max((high for _, high in _of(partition, ledger, lambda day: day < date)), default=first)
    high = min((low for low, _ in _of(partition, ledger, lambda day: day > date)), default=end)
    return Stretch(partition, low, max(low, high))


def _of(partition: int, ledger: Ledger, wanted: Callable[[str], bool]) -> Iterator[tuple[int, int]]:
    """What was read of a partition of the topic for some partitions of the data."""
    return (offsets[partition] for day, offsets in ledger.items() if wanted(day) and partition in offsets)


def _check(topic: str, stretch: Stretch, extent: Extent) -> None:
    if stretch.partition not in extent:
        raise SourceError(f"topic {topic} has no partition {stretch.partition} any more: it was made anew")
    first, end = extent[stretch.partition]
    where = f"topic {topic}, partition {stretch.partition}"
    if stretch.low < first and stretch.low < stretch.high:
        raise SourceError(
            f"{where}: offsets {stretch.low} to {min(first, stretch.high) - 1} are gone: "
            f"the log was cut off and begins at {first}"
        )
    if stretch.high > end:
        raise SourceError(f"{where}: the log ends at {end}, before {stretch.high} that was read: it was made anew")
