"""Business dates as Dagster's partitions: the same keys, and which one is due."""

from datetime import UTC, date, datetime

import pytest

from assets import partitions
from pipelines.partitioning import Daily, EffectiveDates, Monthly

JANUARY = date(2026, 1, 1)
DATES = EffectiveDates((date(2026, 6, 8), date(2026, 3, 9)))


@pytest.mark.parametrize(
    ("partitioning", "now", "keys"),
    [
        pytest.param(Daily(JANUARY), date(2026, 1, 3), ["2026-01-01", "2026-01-02"], id="days that are over"),
        pytest.param(
            Daily(JANUARY, last=date(2026, 1, 2)),
            date(2026, 5, 1),
            ["2026-01-01", "2026-01-02"],
            id="a closed series of days",
        ),
        pytest.param(Daily(JANUARY, last=JANUARY), date(2026, 5, 1), ["2026-01-01"], id="a single day"),
        pytest.param(Daily(date(2027, 1, 1)), date(2026, 5, 1), [], id="not begun"),
        pytest.param(Monthly(JANUARY), date(2026, 3, 15), ["2026-01-01", "2026-02-01"], id="months that are over"),
        pytest.param(
            Monthly(JANUARY, last=date(2026, 2, 1)),
            date(2027, 1, 1),
            ["2026-01-01", "2026-02-01"],
            id="a closed series of months",
        ),
        pytest.param(
            Monthly(JANUARY, last=date(2026, 2, 20)),
            date(2027, 1, 1),
            ["2026-01-01", "2026-02-01"],
            id="closed within a month",
        ),
        pytest.param(DATES, date(2026, 5, 1), ["2026-03-09", "2026-06-08"], id="explicit dates, future ones too"),
    ],
)
def test_keys(partitioning, now, keys):
    noon = datetime(now.year, now.month, now.day, 12, tzinfo=UTC)

    assert partitions.definition(partitioning).get_partition_keys(noon) == keys


@pytest.mark.parametrize(
    ("partitioning", "today", "due"),
    [
        pytest.param(Daily(JANUARY), date(2026, 1, 3), "2026-01-02", id="yesterday"),
        pytest.param(Daily(JANUARY), JANUARY, None, id="the first day is not over"),
        pytest.param(
            Daily(JANUARY, last=date(2026, 1, 2)), date(2026, 5, 1), "2026-01-02", id="the last of a closed series"
        ),
        pytest.param(Monthly(JANUARY), date(2026, 3, 31), "2026-02-01", id="last month"),
        pytest.param(DATES, date(2026, 6, 7), "2026-03-09", id="the date in force"),
        pytest.param(DATES, date(2026, 6, 8), "2026-06-08", id="in force from its first day"),
        pytest.param(DATES, date(2026, 1, 1), None, id="none in force yet"),
    ],
)
def test_due(partitioning, today, due):
    assert partitions.due(partitioning, today) == due
