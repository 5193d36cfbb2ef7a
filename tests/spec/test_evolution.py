"""Contracts that change from one day to the next: what earlier snapshots testify of, and of what they say nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from pipelines import declarations as say
from pipelines.errors import SourceError
from pipelines.explanation import explain
from pipelines.job import Job
from pipelines.portfolio import Portfolio
from pipelines.reconciliation import find_discrepancies
from pipelines.recount import recount
from tests.spec.given import FIRST, Given, reconciled, rows

STALE, UNKNOWN = ("stale_replica", "behind_beyond_lag"), ("unexplained", "no_evidence")


def same(*names: str) -> tuple[say.Field, ...]:
    return tuple(say.Field(name, say.Same(name), say.Exact()) for name in names)


def evolved(folder: Path, *days: Given) -> Job:
    """These days reconciled one after the other, each as it is declared; the job of the last one."""
    for number, day in enumerate(days):
        job = reconciled(day, folder, first=FIRST + timedelta(days=number))
    return job


def causes(job: Job) -> Mapping[object, tuple[object, object]]:
    """Type and reason by field."""
    return {row["field"]: (row["type"], row["reason"]) for row in rows(job, "discrepancies")}


BEFORE = """
    id | name
    1  | Ada
"""
LEGACY, SERVICE = (
    """
    id | city | name
    1  | Ulm  | Ida
""",
    """
    id | city | name
    1  |      | Ada
""",
)


def test_a_new_column_does_not_hide_what_others_said(tmp_path: Path) -> None:
    """The service shows no city. That legacy had no such column is no reason to say that it had none either."""
    job = evolved(tmp_path, Given(BEFORE, BEFORE), Given(LEGACY, SERVICE, rules=same("name", "city")))

    assert causes(job) == {"name": STALE, "city": UNKNOWN}


def test_a_column_that_is_left_out(tmp_path: Path) -> None:
    before = LEGACY.replace("Ida", "Ada")
    job = evolved(
        tmp_path, Given(before, before, rules=same("name", "city")), Given(BEFORE.replace("Ada", "Ida"), BEFORE)
    )

    assert causes(job) == {"name": STALE}


def test_columns_in_another_order(tmp_path: Path) -> None:
    """Ida lives in Ada, which is a town in Ohio, and used to live in Ulm."""
    before = """
        id | name | city
        1  | Ida  | Ulm
    """
    now = """
        city | name | id
        Ada  | Ida  | 1
    """
    fields = same("name", "city")
    job = evolved(
        tmp_path, Given(before, before, rules=fields), Given(now, now.replace("Ada  |", "Ulm  |"), rules=fields)
    )

    assert causes(job) == {"city": STALE}


def whole(kind: pa.DataType, *values: object) -> list[pa.Array]:
    """Columns of one value each: of both sides once, then of legacy, then of the service."""
    return [pa.array([value], kind) for value in values]


def amount(scale: int, *values: str) -> list[pa.Array]:
    return whole(pa.decimal128(12, scale), *map(Decimal, values))


@pytest.mark.parametrize(
    ("then", "now", "cause"),
    [
        (whole(pa.int32(), 1), whole(pa.int64(), 2, 1), STALE),
        (whole(pa.int64(), 1), whole(pa.int16(), 2, 1), STALE),
        (amount(2, "1.10"), amount(4, "2.0000", "1.1000"), STALE),
        # Whether such values are the same, nobody can say of all of them.
        (amount(4, "1.1000"), amount(2, "2.00", "1.10"), UNKNOWN),
        (whole(pa.string(), "1"), whole(pa.int64(), 2, 1), UNKNOWN),
        (whole(pa.string(), "n/a"), whole(pa.int64(), 2, None), UNKNOWN),
    ],
)
def test_a_column_of_another_type(
    tmp_path: Path, then: list[pa.Array], now: list[pa.Array], cause: tuple[str, str]
) -> None:
    (both,), (legacy, service) = ([pa.table({"id": [1], "value": held}) for held in day] for day in (then, now))

    job = evolved(tmp_path, Given(both, both, rules=same("value")), Given(legacy, service, rules=same("value")))
    assert causes(job) == {"value": cause}


def test_a_snapshot_with_another_key_does_not_testify(tmp_path: Path) -> None:
    """Row 2 is alone today. Nobody knows whether it was there before: it bore another key then."""
    before = """
        no | name
        1  | Ada
    """
    now = """
        id | name
        1  | Ada
        2  | Ida
    """
    events = """
        id | no | at                   | what | tells
        2  | 1  | 2026-01-02T09:00:00Z | Seen | {}
    """
    log = say.EventLog(
        say.Csv("events.csv"),
        key=("id",), sequence="no", event_time="at", recorded_time="at", type="what", payload="tells",
        begins=FIRST + timedelta(days=1),
    )  # fmt: skip
    seen = say.EventType("Seen", "things", "Somebody looked at it", effect=say.Effect.NOTES)
    told = {"tables": {"events": events}, "entity": {"events": log}, "context": {"event_types": (seen,)}}
    job = evolved(tmp_path, Given(before, before, key=("no",)), Given(now, BEFORE, **told))

    assert causes(job) == {None: ("key_linkage", "unmapped")}
    assert rows(job, "fold_findings") == []
    with pytest.raises(SourceError, match="another key or flag"):
        recount(job)


def test_a_snapshot_with_another_flag_does_not_testify(tmp_path: Path) -> None:
    flagged = """
        id | name | gone
        1  | Ada  | N
    """
    soft = {"deletion": say.SoftDelete("gone = 'Y'")}
    now = Given(flagged.replace("Ada", "Ida"), BEFORE, legacy_holder=soft)

    assert causes(evolved(tmp_path, Given(BEFORE, BEFORE), now)) == {"name": UNKNOWN}


def test_the_past_is_explained_as_far_as_it_is_known(tmp_path: Path) -> None:
    job = evolved(tmp_path, Given(BEFORE, BEFORE), Given(LEGACY, SERVICE, rules=same("name", "city")))
    found = {str(row["field"]): row for row in rows(job, "discrepancies")}
    portfolio = Portfolio((job.context,), {})

    told = {field: explain(job.lake, portfolio, job.partition, row).earlier for field, row in found.items()}
    assert told == {
        "name": [
            {"business_date": "2026-01-01", "legacy": "Ada", "service": "Ada"},
            {"business_date": "2026-01-02", "legacy": "Ida", "service": "Ada"},
        ],
        "city": [{"business_date": "2026-01-02", "legacy": "Ulm", "service": None}],
    }


def test_a_snapshot_of_another_contract_must_be_taken_again(tmp_path: Path) -> None:
    """A finding of the first day, which is gone on the second, cannot be explained by what is declared today."""
    before = Given(BEFORE, BEFORE.replace("Ada", "Ida"))
    job = evolved(tmp_path, before, Given(LEGACY, LEGACY, rules=same("name", "city")))
    first = replace(job, partition="2026-01-01")
    (finding,) = rows(first, "discrepancies")

    for asked in (
        lambda: explain(job.lake, Portfolio((job.context,), {}), "2026-01-01", finding),
        lambda: find_discrepancies(first),
    ):
        with pytest.raises(SourceError, match="legacy/2026-01-01 is of another contract, without city: take it again"):
            asked()
