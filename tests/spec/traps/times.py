"""Traps in dates, times and durations: zones, clocks that are set back, digits behind the second."""

from __future__ import annotations

from datetime import timedelta

from pipelines.declarations import Day, Elapsed, Instant, Rounding
from tests.spec.traps.trap import Trap, agrees, differs

MILLISECOND = timedelta(milliseconds=1)
TIMES = (
    Trap(
        "UTC against Paris, over the change of clocks",
        "id | at: instant\n1 | 2024-03-31T00:30:00+00:00\n2 | 2024-10-27T00:30:00+00:00\n3 | 2024-10-27T01:30:00+00:00",
        "id | at: instant Paris\n1 | 2024-03-31T01:30:00+01:00\n2 | 2024-10-27T02:30:00+02:00\n"
        "3 | 2024-10-27T02:30:00+01:00",
        agrees(3),
        compare={"at": Instant()},
    ),
    Trap(
        "an hour that occurs twice",
        "id | at: instant\n1 | 2024-10-27T00:30:00+00:00",
        "id | at: instant Paris\n1 | 2024-10-27T02:30:00+01:00",
        differs("1.at"),
        compare={"at": Instant()},
    ),
    Trap(
        "microseconds",
        "id | at: wall\n1 | 2026-01-01T00:00:00.000001\n2 | 2026-01-01T00:00:00.000001",
        "id | at: wall\n1 | 2026-01-01T00:00:00.000002\n2 | 2026-01-01T00:00:00.000001",
        differs("1.at", same=1),
        compare={"at": Instant()},
    ),
    Trap(
        "microseconds against truncated milliseconds",
        "id | at: instant\n1 | 2026-01-01T00:00:00.123999+00:00\n2 | 2026-01-01T00:00:00.123999+00:00\n"
        "3 | 1960-01-01T00:00:00.123999+00:00",
        "id | at: instant ms\n1 | 2026-01-01T00:00:00.123+00:00\n2 | 2026-01-01T00:00:00.124+00:00\n"
        "3 | 1960-01-01T00:00:00.123+00:00",
        differs("2.at", same=2),
        compare={"at": Instant(precision=MILLISECOND)},
    ),
    Trap(
        "microseconds against rounded milliseconds",
        "id | at: wall\n1 | 2026-01-01T00:00:00.123500\n2 | 2026-01-01T00:00:00.123499",
        "id | at: wall ms\n1 | 2026-01-01T00:00:00.124\n2 | 2026-01-01T00:00:00.124",
        differs("2.at", same=1),
        compare={"at": Instant(precision=MILLISECOND, rounding=Rounding.ROUND)},
    ),
    Trap(
        "tolerance of time, at its edge",
        "id | at: instant\n1 | 2026-01-01T00:00:00+00:00\n2 | 2026-01-01T00:00:00+00:00",
        "id | at: instant\n1 | 2026-01-01T00:00:05+00:00\n2 | 2026-01-01T00:00:05.000001+00:00",
        differs("2.at", same=1),
        compare={"at": Instant(tolerance=timedelta(seconds=5))},
    ),
    Trap(
        "days far from 1970",
        "id | on: day\n1 | 0001-01-01\n2 | 9999-12-31\n3 | 1582-10-15",
        "id | on: day\n1 | 0001-01-01\n2 | 9999-12-30\n3 | 1582-10-15",
        differs("2.on", same=2),
        compare={"on": Day()},
    ),
    Trap(
        "a day of tolerance over a leap day",
        "id | on: day\n1 | 2024-02-28\n2 | 2023-02-28\n3 | 2024-02-28",
        "id | on: day\n1 | 2024-02-29\n2 | 2023-03-01\n3 | 2024-03-01",
        differs("3.on", same=2),
        compare={"on": Day(tolerance_days=1)},
    ),
    Trap(
        "durations",
        "id | t: seconds\n1 | 86400\n2 | 0.000001\n3 | -1",
        "id | t: seconds\n1 | 86400\n2 | 0.000002\n3 | 1",
        differs("2.t", "3.t", same=1),
        compare={"t": Elapsed()},
    ),
    Trap(
        "tolerance of durations",
        "id | t: seconds\n1 | 60\n2 | 60",
        "id | t: seconds\n1 | 61\n2 | 61.5",
        differs("2.t", same=1),
        compare={"t": Elapsed(tolerance=timedelta(seconds=1))},
    ),
    Trap(
        "times of day",
        "id | t: time\n1 | 23:59:59.999999\n2 | 00:00:00",
        "id | t: time\n1 | 23:59:59.999998\n2 | 00:00:00",
        differs("1.t", same=1),
    ),
)
