"""What an explanation says of the time after a finding, of deleted rows, and of declarations that changed since."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
from pandera.polars import DataFrameModel
from pandera.polars import Field as Column
from rich.console import Console

from pipelines import declarations as say
from pipelines import explanation
from pipelines.cli import evidence, explained
from pipelines.explanation import Explanation
from pipelines.job import Job
from pipelines.portfolio import Portfolio
from tests.spec.given import Given, reconciled, rows

ADA, IDA, EVA, NOBODY = ("id | name\n1  | Ada", "id | name\n1  | Ida", "id | name\n1  | Eva", "id | name | gone: bool")
SOFT = {"deletion": say.SoftDelete("gone")}


def told_on(job: Job, day: str, stage: str = "discrepancies") -> Explanation:
    """The explanation of the only finding of a day."""
    then = replace(job, partition=day)
    (finding,) = rows(then, stage)
    return explanation.explain(job.lake, Portfolio((job.context,), {}), day, finding)


def sheet(told: Explanation, entity: say.Entity) -> str:
    console = Console(width=120)
    with console.capture() as captured:
        for part in explained.sheet(told, entity):
            console.print(part)
    return captured.get()


def test_a_finding_that_is_gone_is_said_to_be_gone(tmp_path: Path) -> None:
    job = reconciled(Given([ADA, ADA, ADA], [IDA, IDA, ADA]), tmp_path)
    told = told_on(job, "2026-01-02")

    assert (told.resolved, told.followed_by) == ("2026-01-03", {})
    assert "since     2026-01-01, last seen 2026-01-02, gone on 2026-01-03" in sheet(told, job.entity)


def test_one_that_is_still_there_is_not(tmp_path: Path) -> None:
    job = reconciled(Given([ADA, ADA], [IDA, IDA]), tmp_path)
    told = told_on(job, "2026-01-02")

    assert told.resolved == ""
    assert "gone on" not in sheet(told, job.entity)


def test_what_it_became_when_only_its_type_is_another(tmp_path: Path) -> None:
    """On the first day nobody knows why; then both are what the other was before: of legacy that is a witness."""
    job = reconciled(Given([ADA, IDA], [EVA, ADA]), tmp_path)
    told = told_on(job, "2026-01-01")

    assert (told.finding["reason"], told.resolved) == ("no_evidence", "2026-01-02")
    assert told.followed_by["reason"] == "behind_beyond_lag"
    assert f"then      stale replica: behind beyond lag ({str(told.followed_by['discrepancy_id'])[:12]})" in sheet(
        told, job.entity
    )


def test_a_row_that_is_marked_as_deleted_is_not_merely_there(tmp_path: Path) -> None:
    """The service has followed the deletion by its flag, and has the row again."""
    there, flagged, nobody = f"{NOBODY}\n1 | Ada | false", f"{NOBODY}\n1 | Ada | true", f"{NOBODY}\n2 | Ida | false"
    other = "\n2 | Ida | false"
    days = [there + other, flagged + other, there + other]
    job = reconciled(Given([there + other, nobody, nobody], days, service_holder=SOFT), tmp_path)
    told = told_on(job, "2026-01-03")

    assert told.finding["reason"] == "rebirth"
    assert [(day["legacy"], day["service"], day.get("deleted", [])) for day in told.presence] == [
        (True, True, []),
        (False, True, ["service"]),
        (False, True, []),
    ]
    assert "2026-01-02   no row   marked as deleted" in sheet(told, job.entity)


def test_a_rule_that_is_another_by_now_is_not_shown_as_what_was_found(tmp_path: Path) -> None:
    job = reconciled(Given([ADA], [IDA]), tmp_path)
    upper = (say.Field("name", say.Sql("upper_text(name)"), say.Exact()),)
    entity = replace(job.entity, fields=upper, translation_version="2")
    now = replace(job, entity=entity, context=replace(job.context, entities=(entity,)))
    shown = sheet(told_on(now, job.partition), entity)

    assert "when found, by version 1  Ada" in shown
    assert "translation 2" in shown
    assert "found by translation 1" in shown


class NamedThing(DataFrameModel):
    """Things of the service, none of which may be without a name."""

    id: pl.String
    name: pl.String = Column(nullable=False)


def test_the_check_that_a_counterpart_failed_is_named_by_natural_keys_too(tmp_path: Path) -> None:
    held = {"contract": NamedThing}
    job = reconciled(Given([ADA], ["id | name\n1  |"], service_holder=held), tmp_path)
    told = told_on(job, job.partition)

    assert told.finding["reason"] == "counterpart_rejected"
    assert evidence.in_words(told) == (
        "The row that belongs to this legacy row came from the service, but broke its contract (not_nullable), and was "
        "kept apart."
    )
