"""Events that happened after the watermark: what is read in the morning knows more than the day before did."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipelines import declarations as say
from pipelines.job import Job
from pipelines.recount import recount
from tests.spec.given import Given, reconciled, rows

LOG = say.EventLog(
    say.Csv("events_{date}.csv"),
    key=("id",), sequence="no", event_time="at", recorded_time="at", type="what", payload={"name": "name"},
)  # fmt: skip
WORDS = tuple(
    say.EventType(name, "things", "It was", effect=effect)
    for name, effect in (("Made", say.Effect.CREATES), ("Named", say.Effect.CHANGES), ("Removed", say.Effect.DELETES))
)
MADE = """
    id | no | at                   | what | name
    1  | 1  | 2026-01-01T08:00:00Z | Made | Ada
"""
NAMED = """
    id | no | at                   | what  | name
    1  | 2  | 2026-01-03T03:00:00Z | Named | Ida
"""
REMOVED = """
    id | no | at                   | what    | name
    1  | 2  | 2026-01-03T03:00:00Z | Removed |
"""
NOTHING = """
    id | no | at | what | name
"""
ADA = """
    id | name | at: instant
    1  | Ada  | 2026-01-01T08:00:00Z
"""
IDA = """
    id | name | at: instant
    1  | Ida  | 2026-01-03T03:00:01Z
"""
NOBODY = """
    id | name | at: instant
"""


def read_in_the_morning(
    folder: Path, legacy: list[str], service: list[str], events: str, *, clocks: bool = True
) -> Job:
    """The log is read some hours after the end of the second day, which is complete up to midnight."""
    clock = {"changed_at": "at"} if clocks else {}
    kept = {} if clocks else {"dropped": {"at": "nobody asks"}, "service_only": {"at": "nobody asks"}}
    logs = [MADE, events, NOTHING]
    given = Given(
        legacy, service, legacy_holder=clock, service_holder=clock, entity={"events": LOG, **kept},
        tables={f"events_2026-01-0{day}": held for day, held in enumerate(logs[: len(legacy)], 1)},
        context={"event_types": WORDS},
    )  # fmt: skip
    return reconciled(given, folder)


def causes(job: Job) -> list[tuple[object, object]]:
    return [(row["type"], row["reason"]) for row in rows(job, "discrepancies")]


@pytest.mark.parametrize("clocks", [True, False])
def test_a_replica_that_is_ahead_has_not_missed_an_event_nor_been_written_by_itself(
    tmp_path: Path, *, clocks: bool
) -> None:
    """The service was read in the morning too, and has taken over what happened at three."""
    job = read_in_the_morning(tmp_path, [ADA, ADA], [ADA, IDA], NAMED, clocks=clocks)

    assert causes(job) == [("unexplained", "no_evidence")]
    assert rows(job, "fold_findings") == []
    assert recount(job).agrees


def test_what_both_have_read_in_the_morning_is_in_order(tmp_path: Path) -> None:
    job = read_in_the_morning(tmp_path, [ADA, IDA, IDA], [ADA, IDA, IDA], NAMED)

    for day in ("2026-01-02", "2026-01-03"):
        assert rows(replace(job, partition=day), "fold_findings") == []
        assert recount(replace(job, partition=day)).agrees


def test_what_was_told_too_early_counts_on_the_day_it_happened(tmp_path: Path) -> None:
    """The snapshot of the second day does not know of it, and that of the third does."""
    job = read_in_the_morning(tmp_path, [ADA, ADA, IDA], [ADA, ADA, IDA], NAMED)

    assert recount(job, base="2026-01-02").agrees
    assert recount(job, base="2026-01-01").agrees


def test_a_row_that_goes_in_the_morning_was_there_the_day_before(tmp_path: Path) -> None:
    job = read_in_the_morning(tmp_path, [ADA, ADA, NOBODY], [ADA, ADA, NOBODY], REMOVED)

    assert [rows(replace(job, partition=day), "fold_findings") for day in ("2026-01-02", "2026-01-03")] == [[], []]


def test_what_is_behind_with_it_is_in_flight(tmp_path: Path) -> None:
    """Legacy was read in the morning, the service at midnight."""
    job = read_in_the_morning(tmp_path, [ADA, IDA], [ADA, ADA], NAMED)

    (finding,) = rows(job, "discrepancies")
    assert (finding["reason"], finding["in_flight"], finding["lag_seconds"]) == ("behind_within_lag", True, 0)
