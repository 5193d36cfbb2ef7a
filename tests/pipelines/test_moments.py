"""Which readings of a run share a moment: every table of one database, the one of the event log, too."""

from contextlib import nullcontext
from dataclasses import replace
from datetime import date

import polars as pl
import pytest
from pandera.polars import DataFrameModel

from pipelines import moments
from pipelines.declarations import (
    Context,
    Csv,
    Daily,
    Entity,
    Env,
    EventLog,
    Exact,
    Field,
    Holder,
    IdentityTable,
    Owner,
    Postgres,
    Same,
    Table,
)
from pipelines.job import Job
from pipelines.lake import Lake

HOST, OTHER = Postgres(Env("HOST")), Postgres(Env("OTHER"))


class Policy(DataFrameModel):
    id: pl.Int64


def job_with(folder, **sources):
    """A job whose sources are files, but for those that are said."""
    held = {name: Csv(f"{name}.csv") for name in ("legacy", "service", "identity", "events")} | sources
    entity = Entity(
        "policies", description="Policies", owner=Owner("policy"),
        legacy=Holder(source=held["legacy"], contract=Policy, key=("id",)),
        service=Holder(source=held["service"], contract=Policy, key=("id",)),
        identity=IdentityTable(held["identity"], legacy=("old",), service=("new",)),
        fields=(Field("id", Same("id"), Exact()),),
        events=EventLog(
            held["events"], key=("id",), sequence="number", event_time="at", recorded_time="at", type="type",
            payload="data",
        ),
    )  # fmt: skip
    days = Daily(date(2026, 3, 1))
    context = Context("policy", description="Policies", owner=Owner("policy"), partitioning=days, entities=(entity,))
    return Job(context, entity, "2026-03-01", Lake(folder))


@pytest.mark.parametrize("name", ["service", "identity", "events"])
def test_tables_of_one_database_share_its_moment(tmp_path, monkeypatch, name):
    monkeypatch.setattr(Postgres, "hold", lambda self: nullcontext(f"a moment of {self.url.name}"))
    job = job_with(tmp_path, legacy=Table("policies", HOST), **{name: Table(name, HOST)})

    with moments.keeping([job]) as keeper:
        assert list(keeper.holding(job).moments.values()) == ["a moment of HOST"]


def test_a_table_alone_needs_no_moment(tmp_path, monkeypatch):
    monkeypatch.setattr(Postgres, "hold", lambda self: nullcontext(f"a moment of {self.url.name}"))
    job = job_with(tmp_path, legacy=Table("policies", HOST), events=Table("events", OTHER))

    with moments.keeping([replace(job)]) as keeper:
        assert keeper.holding(job).moments == {}
