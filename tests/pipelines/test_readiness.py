"""Readiness from the lake: which partitions and rows of it count, for entities that are cut by days and by months."""

import json
from dataclasses import replace
from datetime import date, timedelta

import pyarrow as pa
import pytest

from pipelines import readiness
from pipelines.declarations import Capability, Context, Daily, Monthly, Owner, SemanticRule, Side
from pipelines.job import Job
from pipelines.lake import Address, Lake
from pipelines.portfolio import Portfolio
from pipelines.readiness import Assessment
from tests.pipelines.test_gates import LED

OWNER = Owner("Team")
RULE = SemanticRule("r", ("days",), "days.a <> ''", owner=OWNER)
OF_LEGACY = SemanticRule("s", ("days",), "days.a <> ''", owner=OWNER, sides=(Side.LEGACY,))
CAPABILITY = Capability("c", ("days", "other.months"), description="C", owner=OWNER, steady_for=timedelta(days=20))
ONE = Context(
    "one",
    description="One",
    owner=OWNER,
    partitioning=Daily(date(2026, 1, 1)),
    entities=(replace(LED, name="days"),),
    semantic_rules=(RULE, OF_LEGACY),
    capabilities=(CAPABILITY,),
)
OTHER = Context(
    "other",
    description="Other",
    owner=OWNER,
    partitioning=Monthly(date(2026, 1, 1)),
    entities=(replace(LED, name="months"),),
)
PORTFOLIO = Portfolio((ONE, OTHER), {"one": "one.py", "other": "other.py"})


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path / "lake")


def judge(lake, path, day, verdict="met", causes=()):
    """Leave what a reconciliation of a day leaves, as far as it is read; both fields with this verdict."""
    context, entity = path.split(".")
    tables = {
        "drift": [{"field": field, "verdict": verdict} for field in ("a", "b")],
        "linkage": [{"verdict": "met"}],
        "lag": [{"verdict": "met"}],
        "discrepancies": list(causes),
    }
    schema = pa.schema([("type", pa.string()), ("reason", pa.string()), ("in_flight", pa.bool_())])
    with lake.transaction("r") as transaction:
        for stage, rows in tables.items():
            table = pa.Table.from_pylist(rows, schema if stage == "discrepancies" else None)
            transaction.write(Address(context, entity, stage, day), table)


def judge_rule(lake, day, verdict):
    rows = [
        {"rule": "r", "side": "service", "verdict": verdict},
        {"rule": "s", "side": "legacy", "verdict": "breached"},
    ]
    with lake.transaction("r") as transaction:
        transaction.write(Address("one", "days", "semantic_rules", day), pa.Table.from_pylist(rows))


def assessed(lake, day):
    asked = Assessment(PORTFOLIO, ONE, CAPABILITY, day, lake)
    readiness.assess(asked, run_id="r")
    return {row["gate"]: row | {"evidence": json.loads(row["evidence"])} for row in readiness.assessed(asked)}


def days(first, last):
    begin = date.fromisoformat(first)
    return [(begin + timedelta(days=n)).isoformat() for n in range((date.fromisoformat(last) - begin).days + 1)]


def test_days_and_months_that_are_in_the_window_are_read(lake):
    """Up to the end of 10 February these are 22 January to 10 February: of the months, both."""
    for day in days("2026-01-20", "2026-02-12"):
        judge(lake, "one.days", day, "breached" if day in {"2026-01-21", "2026-02-11"} else "met")
        judge_rule(lake, day, "met")
    for month in ("2026-01-01", "2026-02-01"):
        judge(lake, "other.months", month)

    gates = assessed(lake, "2026-02-10")

    assert {gate["status"] for gate in gates.values()} == {"met"}
    assert (gates["observation"]["measured"], gates["drift"]["required"]) == (20, 4)
    assert gates["semantic_rules"]["required"] == 1  # that of legacy does not count


def test_a_breach_on_either_edge_of_the_window_counts(lake):
    for day in days("2026-01-22", "2026-02-10"):
        judge(lake, "one.days", day, "breached" if day in {"2026-01-22", "2026-02-10"} else "met")
    for month in ("2026-01-01", "2026-02-01"):
        judge(lake, "other.months", month, "breached" if month == "2026-01-01" else "met")

    evidence = assessed(lake, "2026-02-10")["drift"]["evidence"]

    assert evidence == [
        {"entity": path, "field": field, "breached": count, "first": first, "last": last}
        for path, count, first, last in (
            ("one.days", 2, "2026-01-22", "2026-02-10"),
            ("other.months", 1, "2026-01-01", "2026-01-01"),
        )
        for field in ("a", "b")
    ]


def test_a_day_or_month_that_is_not_there_is_missing(lake):
    for day in days("2026-01-22", "2026-02-10"):
        if day not in {"2026-01-23", "2026-02-01"}:
            judge(lake, "one.days", day)
    judge(lake, "other.months", "2026-02-01")

    assert assessed(lake, "2026-02-10")["observation"]["evidence"] == [
        {"entity": "one.days", "days": 18, "partitions_missing": ["2026-01-23", "2026-02-01"]},
        {"entity": "other.months", "days": 10, "partitions_missing": ["2026-01-01"]},
    ]


def test_days_before_the_first_partition_are_missing_as_well(lake):
    for day in days("2026-01-01", "2026-01-05"):
        judge(lake, "one.days", day)
    judge(lake, "other.months", "2026-01-01")

    gate = assessed(lake, "2026-01-05")["observation"]

    assert (gate["measured"], gate["required"], gate["status"]) == (5, 20, "not_met")


def test_findings_are_counted_by_their_cause_unless_they_are_in_flight(lake):
    found = [("unexplained", "no_evidence", False)] * 2 + [("unexplained", "no_evidence", True)]
    found += [("semantic_contradiction", "written_by_replica", False), ("stale_replica", "behind_beyond_lag", False)]
    causes = [dict(zip(("type", "reason", "in_flight"), row, strict=True)) for row in found]
    judge(lake, "one.days", "2026-01-03", causes=causes)
    judge(lake, "other.months", "2026-01-01")

    gates = assessed(lake, "2026-01-03")

    assert (gates["explanation"]["measured"], gates["explanation"]["required"]) == (2, 4)
    assert gates["one_writer"]["evidence"] == [
        {"entity": "one.days", "findings": 1, "first": "2026-01-03", "last": "2026-01-03"}
    ]


def test_what_was_reconciled_is_assessed_once_on_the_dates_of_its_context(lake):
    of_days, of_months = (Job(context, context.entities[0], "", lake) for context in (ONE, OTHER))
    jobs = [replace(of_days, partition=day) for day in ("2026-02-01", "2026-02-02")]

    due = readiness.due(PORTFOLIO, [*jobs, replace(of_months, partition="2026-02-01")])

    assert [(one.path, one.partition) for one in due] == [("one.c", "2026-02-01"), ("one.c", "2026-02-02")]
    assert readiness.due(Portfolio((OTHER,), {"other": ""}), jobs) == []


def test_the_version_is_of_what_is_declared(lake):
    asked = Assessment(PORTFOLIO, ONE, CAPABILITY, "2026-01-01", lake)
    longer = replace(asked, capability=replace(CAPABILITY, steady_for=timedelta(days=21)))
    moved = replace(ONE, entities=(replace(ONE.entities[0], system_of_record=Side.LEGACY),))

    versions = {
        readiness.version(one) for one in (asked, longer, replace(asked, portfolio=Portfolio((moved, OTHER), {})))
    }

    assert len(versions) == 3
    assert readiness.version(replace(asked, partition="2026-01-02")) in versions
