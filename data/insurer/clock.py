"""Time: days count from 0, instants are seconds since the first midnight UTC, and only rendering makes them timestamps.

Wall time in Berlin follows from the European rule (last Sundays of March and October, 01:00 UTC), no time zone database
is asked. Instants whose wall time would mean an earlier instant are moved to that earlier one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from data.insurer.chance import Chance

DAY = 86_400
NEVER = 1 << 60
OLDEST_YEAR = 2016


def last_sunday(year: int, month: int) -> datetime:
    """01:00 UTC on the last Sunday of a month of 31 days."""
    last = date(year, month, 31)
    day = last - timedelta(days=(last.weekday() + 1) % 7)
    return datetime(day.year, day.month, day.day, 1)  # noqa: DTZ001 (UTC throughout, spelled naively as SQL does)


@dataclass(frozen=True)
class Clock:
    """The window of days that a world covers."""

    first_day: date
    days: int

    @property
    def last(self) -> int:
        """The number of the last day."""
        return self.days - 1

    @property
    def seconds(self) -> int:
        """The length of the window."""
        return self.days * DAY

    def day(self, number: int) -> date:
        """The business date of a day."""
        return self.first_day + timedelta(days=number)

    def second(self, moment: datetime) -> int:
        """An instant (UTC, naive) as seconds of this clock."""
        start = datetime(self.first_day.year, self.first_day.month, self.first_day.day)  # noqa: DTZ001
        return int((moment - start).total_seconds())

    def at(self, second: str) -> str:
        """Seconds as a timestamp without zone."""
        return f"(TIMESTAMP '{self.first_day} 00:00:00' + to_seconds({second}))"

    def instant(self, second: str) -> str:
        """Seconds as an instant."""
        return f"CAST({self.at(second)} AS TIMESTAMPTZ)"

    def wall(self, second: str) -> str:
        """Seconds as wall time in Berlin."""
        return self.at(f"({second} + {self.offset(second)})")

    def wall_text(self, second: str, pattern: str = "%Y-%m-%d %H:%M:%S") -> str:
        """Seconds as wall time in Berlin, written down."""
        return f"strftime({self.wall(second)}, '{pattern}')"

    def local_date(self, second: str) -> str:
        """The date in Berlin."""
        return f"CAST({self.wall(second)} AS DATE)"

    def offset(self, second: str) -> str:
        """Seconds by which clocks in Berlin are ahead of UTC."""
        summers = (f"{second} >= {start} AND {second} < {end}" for start, end in self._summers())
        return f"CASE WHEN {' OR '.join(summers)} THEN 7200 ELSE 3600 END"

    def unambiguous(self, second: str) -> str:
        """The instant that the wall time of this one means: an hour earlier in the second pass of a clock set back."""
        passes = (f"{second} >= {end} AND {second} < {end + 3600}" for _, end in self._summers())
        return f"CASE WHEN {' OR '.join(passes)} THEN {second} - 3600 ELSE {second} END"

    def moment(self, chance: Chance, name: str, *, oldest_days: int, newest_days: int = 1) -> dict[str, str]:
        """A random instant before the window as column `name`; one in twenty is near a change of the clocks."""
        spread = chance.number(name, (oldest_days - newest_days) * DAY)
        near = chance.number(f"{name} near a change", 6 * 3600)
        start, end = max(pair for pair in self._summers() if pair[1] < -DAY)
        drawn = (
            f"CASE {chance.number(f'{name} where', 40)} WHEN 0 THEN {end - 3 * 3600} + {near} "
            f"WHEN 1 THEN {start - 3 * 3600} + {near} ELSE -{newest_days * DAY} - {spread} END"
        )
        return {f"{name}_drawn": drawn, name: self.unambiguous(f"{name}_drawn")}

    def _summers(self) -> list[tuple[int, int]]:
        years = range(OLDEST_YEAR, self.day(self.last).year + 1)
        return [(self.second(last_sunday(year, 3)), self.second(last_sunday(year, 10))) for year in years]
