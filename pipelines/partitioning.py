"""Business dates: how an entity's snapshots are cut, and which partition came before."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import KW_ONLY
from datetime import UTC, date, datetime, timedelta

from pipelines.declared import declared


class Partitioning(ABC):
    """Ordered partition keys; a key is the ISO date on which the partition begins."""

    @abstractmethod
    def starts(self, until: date) -> list[date]:
        """The first days of all partitions that begin on or before `until`, in order."""

    @abstractmethod
    def end(self, start: date) -> date:
        """The day after the partition's last day."""

    def keys(self, until: date) -> list[str]:
        """Partition keys up to and including `until`."""
        return [start.isoformat() for start in self.starts(until)]

    def day(self, key: str) -> str:
        """The day that the rows of a partition are of, on which links must hold: its first, unless said otherwise."""
        return key

    def watermark(self, key: str) -> datetime:
        """The instant up to which a snapshot of this partition is complete: the end of it (UTC)."""
        end = self.end(date.fromisoformat(key))
        return datetime(end.year, end.month, end.day, tzinfo=UTC)


@declared
class Daily(Partitioning):
    """One partition a day, from `start`, through `end` when the series is closed."""

    start: date
    _: KW_ONLY
    last: date | None = None

    def starts(self, until: date) -> list[date]:
        stop = min(until, self.last or until)
        return [self.start + timedelta(days=n) for n in range((stop - self.start).days + 1)]

    def end(self, start: date) -> date:
        return start + timedelta(days=1)


@declared
class Monthly(Partitioning):
    """One partition a month; `start` is the first day of the first month."""

    start: date
    _: KW_ONLY
    last: date | None = None

    def starts(self, until: date) -> list[date]:
        stop, found, day = min(until, self.last or until), [], self.start
        while day <= stop:
            found.append(day)
            day = self.end(day)
        return found

    def end(self, start: date) -> date:
        return (start.replace(day=1) + timedelta(days=32)).replace(day=1)

    def day(self, key: str) -> str:
        """The last of the month: its rows are those of its end."""
        return (self.end(date.fromisoformat(key)) - timedelta(days=1)).isoformat()


@declared
class EffectiveDates(Partitioning):
    """Partitions at explicit dates, each in force until the next; the last one is taken to last a day so far."""

    dates: tuple[date, ...]

    def starts(self, until: date) -> list[date]:
        return [day for day in sorted(self.dates) if day <= until]

    def end(self, start: date) -> date:
        later = [day for day in sorted(self.dates) if day > start]
        return later[0] if later else start + timedelta(days=1)
