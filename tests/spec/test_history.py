"""discrepancy_history: what became of a finding, partition by partition, in whatever order they were reconciled."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pyarrow.parquet as pq

from pipelines import declarations as say
from pipelines.job import Job
from pipelines.reconciliation import reconcile
from pipelines.staleness import outdated
from tests.spec.given import FIRST, Given, reconciled, rows

NAMED = """
    id | name
    1  | {}
"""
TOLD = ("state", "first_seen", "opened", "since", "last_seen", "resolved", "reopened", "age_days")


NO_PAST = {"horizon": 0}  # no witnesses: the type of these findings stays the same


def days(*names: str) -> list[str]:
    return [NAMED.format(name) for name in names]


def told(job: Job) -> list[tuple[str, ...]]:
    return [tuple("" if row[name] is None else str(row[name])[-2:] for name in TOLD) for row in histories(job)]


def histories(job: Job) -> list[dict[str, object]]:
    """The rows about values, of all partitions up to the job's."""
    keys = job.lake.partitions("spec", "things", "discrepancy_history")
    every = [row for key in keys for row in rows(replace(job, partition=key), "discrepancy_history")]
    return [row for row in every if row["field"] is not None]


def test_new_ongoing_resolved_reopened(tmp_path: Path) -> None:
    """Ada is right all the time. The service says so on the third day and on the fifth, and not on the others."""
    given = Given(
        legacy=days(*["Ada"] * 7), service=days("Ida", "Ida", "Ada", "Ida", "Ada", "Ada", "Ida"), entity=NO_PAST
    )

    assert told(reconciled(given, tmp_path)) == [
        # state     first  opened since last  resolved reopened age
        ("ew", "01", "01", "01", "01", "", "0", "0"),
        ("ng", "01", "01", "01", "02", "", "0", "1"),
        ("ed", "01", "01", "01", "02", "03", "0", "1"),
        ("ed", "01", "04", "04", "04", "", "1", "0"),
        ("ed", "01", "04", "04", "04", "05", "1", "0"),
        # on the sixth day there is nothing to tell
        ("ed", "01", "07", "07", "07", "", "2", "0"),
    ]


def test_age_restarts_when_the_system_of_record_moves(tmp_path: Path) -> None:
    """The same finding all the time, but from the third day on the service is wrong about something else."""
    given = Given(legacy=days("Ada", "Ada", "Eva", "Eva"), service=days("Ida", "Ida", "Ida", "Ida"), entity=NO_PAST)

    assert [(row["state"], str(row["since"]), row["age_days"]) for row in histories(reconciled(given, tmp_path))] == [
        ("new", "2026-01-01", 0),
        ("ongoing", "2026-01-01", 1),
        ("ongoing", "2026-01-03", 0),
        ("ongoing", "2026-01-03", 1),
    ]


def test_drift_counts_them(tmp_path: Path) -> None:
    given = Given(legacy=days(*["Ada"] * 4), service=days("Ida", "Ida", "Ada", "Ida"), entity=NO_PAST)
    job = reconciled(given, tmp_path)

    names = ("new", "ongoing", "reopened", "resolved")
    counted = []
    for key in job.lake.partitions("spec", "things", "drift"):
        (drift,) = rows(replace(job, partition=key), "drift")
        counted.append(tuple(drift[name] for name in names))
    assert counted == [(1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 0, 1), (0, 0, 1, 0)]


def test_a_hole_that_is_filled_later(tmp_path: Path) -> None:
    """Day 2 was passed over; once it is there, day 3 must be told again, and is said to be outdated until then."""
    given = Given(legacy=days("Ada", "Ada", "Ada"), service=days("Ida", "Ida", "Ida"), entity=NO_PAST)
    job = reconciled(given, tmp_path)
    pq.write_table(pq.read_table(tmp_path / "legacy_2026-01-02.parquet"), tmp_path / "service_2026-01-02.parquet")
    middle = replace(job, partition="2026-01-02")

    assert [row["state"] for row in histories(job)] == ["new", "ongoing", "ongoing"]
    reconcile(middle)  # with another result than before: nothing differs any more
    assert [late.partition for late in outdated([middle])] == ["2026-01-03"]
    assert [row["state"] for row in histories(job)] == ["new", "resolved", "ongoing"]
    reconcile(job)
    assert [row["state"] for row in histories(job)] == ["new", "resolved", "reopened"]
    assert outdated([middle]) == []


def test_any_order_gives_the_same_once_all_are_judged_again(tmp_path: Path) -> None:
    given = Given(legacy=days(*["Ada"] * 4), service=days("Ida", "Ada", "Ida", "Ida"), entity=NO_PAST)
    job = reconciled(given, tmp_path)
    expected = told(job)

    for key in ("2026-01-03", "2026-01-01", "2026-01-04", "2026-01-02", "2026-01-03", "2026-01-04"):
        reconcile(replace(job, partition=key))
    assert told(job) == expected


CLOCKED = """
    id | name | at: instant
    1  | {}   | 2026-01-{}:00:00Z
"""
CLOCK = {"changed_at": "at"}


def clocked(*states: tuple[str, str]) -> list[str]:
    return [CLOCKED.format(name, at) for name, at in states]


def landed(job: Job) -> list[tuple[object, ...]]:
    """Type, whether it is in flight, and since when it was, of all partitions up to the job's."""
    keys = job.lake.partitions("spec", "things", "discrepancies")
    found = [row for key in keys for row in rows(replace(job, partition=key), "discrepancies")]
    return [(r["type"], r["in_flight"], json.loads(str(r["evidence"])).get("in_flight_in")) for r in found]


def test_what_was_in_flight_and_has_arrived_is_not_said_to_be_missing(tmp_path: Path) -> None:
    """Ida has arrived on the third day. What is missing now is Eva."""
    given = Given(
        legacy=clocked(("Ada", "01T08"), ("Ida", "02T23"), ("Eva", "03T01")),
        service=clocked(("Ada", "01T08"), ("Ada", "01T08"), ("Ida", "03T00")),
        legacy_holder=CLOCK, service_holder=CLOCK, entity={"allowed_lag": timedelta(hours=2)},
    )  # fmt: skip

    assert landed(reconciled(given, tmp_path)) == [("stale_replica", True, None), ("stale_replica", False, None)]


def test_what_was_in_flight_and_was_never_told_has_not_arrived(tmp_path: Path) -> None:
    """It is another finding by then, of another type; that it was in flight is known all the same."""
    log = say.EventLog(
        say.Csv("events.csv"), key=("id",), sequence="no", event_time="when", recorded_time="when", type="what",
        payload={},
    )  # fmt: skip
    given = Given(
        legacy=clocked(("Ada", "01T08"), ("Ida", "02T23"), ("Ida", "02T23")),
        service=clocked(*[("Ada", "01T08")] * 3),
        legacy_holder=CLOCK, service_holder=CLOCK, entity={"allowed_lag": timedelta(hours=2), "events": log},
        tables={"events": "id | no | when | what"},
    )  # fmt: skip

    assert landed(reconciled(given, tmp_path)) == [
        ("stale_replica", True, None),
        ("missing_event", False, "2026-01-02"),
    ]


def test_age_restarts_when_what_cannot_be_translated_is_another_value(tmp_path: Path) -> None:
    """Nothing is expected on any day, for no code is in the table; on the third day legacy says another one."""
    colour = say.Field("colour", say.Decode("code", {"R": "red"}), say.Exact())
    sides = {"legacy": "id | code\n1 | {}", "service": "id | colour\n1 | red"}
    given = Given(
        legacy=[sides["legacy"].format(code) for code in "QQXX"], service=[sides["service"]] * 4, rules=(colour,)
    )
    job = reconciled(given, tmp_path)

    assert [(row["state"], str(row["since"]), row["age_days"]) for row in histories(job)] == [
        ("new", "2026-01-01", 0),
        ("ongoing", "2026-01-01", 1),
        ("ongoing", "2026-01-03", 0),
        ("ongoing", "2026-01-03", 1),
    ]
    assert {str(row["first_seen"]) for row in rows(job, "discrepancies")} == {"2026-01-03"}


def test_the_last_of_explicit_dates_ends_otherwise_once_there_is_a_next_one(tmp_path: Path) -> None:
    """It was taken to last a day. Until it is run again, how far the service is behind is that of its first day."""
    dates = [FIRST, FIRST + timedelta(days=1), FIRST + timedelta(days=9)]

    def declared(job: Job, *dates: date) -> Job:
        return replace(job, entity=replace(job.entity, partitioning=say.EffectiveDates(dates)))

    given = Given(
        legacy=days("Ada", "Ida"), service=days("Ada", "Ada"),
        entity={"partitioning": say.EffectiveDates(tuple(dates[:2])), "allowed_lag": timedelta(days=1)},
    )  # fmt: skip
    second = reconciled(given, tmp_path)
    assert [row["in_flight"] for row in rows(second, "discrepancies")] == [True]
    for side in ("legacy", "service"):
        shutil.copy(tmp_path / f"{side}_{dates[1]}.parquet", tmp_path / f"{side}_{dates[2]}.parquet")

    third = declared(replace(second, partition=dates[2].isoformat()), *dates)
    reconcile(third)
    (late,) = outdated([third])
    assert late.partition == second.partition
    reconcile(late)
    assert [row["in_flight"] for row in rows(late, "discrepancies")] == [False]
    assert [later.partition for later in outdated([late])] == [third.partition]
    reconcile(third)
    assert outdated([third]) == []
