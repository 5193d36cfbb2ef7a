"""Business dates as Dagster partitions: the same keys that `pipelines.partitioning` gives, and which one is due.

Series of days and months show a partition when it is over; an explicit effective date is one from the beginning.
"""

from datetime import date, timedelta

import dagster as dg

from pipelines.partitioning import Daily, EffectiveDates, Monthly, Partitioning

_KEY = "%Y-%m-%d"  # of months too: everywhere a key is the first day


def definition(partitioning: Partitioning) -> dg.PartitionsDefinition[str]:
    """The partitions Dagster shows for a declared partitioning, in UTC like every watermark."""
    match partitioning:
        case Daily(start=start, last=last):
            return dg.DailyPartitionsDefinition(start.isoformat(), end_date=_after(partitioning, last))
        case Monthly(start=start, last=last):
            return dg.MonthlyPartitionsDefinition(start.isoformat(), end_date=_after(partitioning, last), fmt=_KEY)
        case EffectiveDates(dates=dates):
            return dg.StaticPartitionsDefinition([day.isoformat() for day in sorted(dates)])
    raise TypeError(f"{type(partitioning).__name__} has no counterpart among Dagster's partitions")


def due(partitioning: Partitioning, today: date) -> str | None:
    """The partition a schedule takes today: the latest one that is over, or of explicit dates the one in force."""
    begun = partitioning.starts(today)
    if not isinstance(partitioning, EffectiveDates):
        begun = [start for start in begun if partitioning.end(start) <= today]
    return begun[-1].isoformat() if begun else None


def _after(partitioning: Partitioning, last: date | None) -> str | None:
    """The day after the last partition of a closed series."""
    if last is None:
        return None
    starts = partitioning.starts(last)
    return partitioning.end(starts[-1] if starts else last - timedelta(days=1)).isoformat()
