"""Both sides in a database: declared, reconciled as one campaign, as of one moment."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Annotated

import polars as pl
import pyarrow.parquet as pq
import pytest
from pandera.polars import DataFrameModel

from pipelines import campaign
from pipelines.declarations import (
    Amount,
    Context,
    Daily,
    Decode,
    Entity,
    Exact,
    Field,
    Holder,
    IdentityTable,
    Owner,
    Scale,
)
from pipelines.job import Job
from pipelines.lake import Lake
from pipelines.portfolio import Portfolio

DAYS = ("2026-03-19", "2026-03-20")
TEAM = Owner("Contracts")


class LegacyContract(DataFrameModel):
    """One row per contract of the host."""

    NR: pl.Int32
    STATE: pl.String
    PREMIUM_CT: pl.Int64


class ServiceContract(DataFrameModel):
    """One row per contract."""

    contract_id: pl.String
    status: pl.String
    premium: Annotated[pl.Decimal, 12, 2]


STATEMENTS = (
    "CREATE TYPE status AS ENUM ('ACTIVE', 'ENDED')",
    'CREATE TABLE host (day date, "NR" int4, "STATE" char(1), "PREMIUM_CT" int8)',
    "CREATE TABLE contracts (day date, contract_id uuid, status status, premium numeric(12, 2))",
    "CREATE TABLE links (nr int4, contract_id uuid)",
    "INSERT INTO links SELECT g, md5(g::text)::uuid FROM generate_series(1, 10) g",
    "INSERT INTO host SELECT d, g, 'A', g * 100 FROM generate_series(1, 10) g, unnest(ARRAY[{days}]::date[]) d",
    'INSERT INTO contracts SELECT day, md5("NR"::text)::uuid, \'ACTIVE\', "NR" FROM host',
    "UPDATE contracts SET premium = premium + 0.01 WHERE contract_id = md5('3')::uuid AND day = '2026-03-20'",
    "UPDATE contracts SET status = 'ENDED' WHERE contract_id = md5('4')::uuid",
)


@pytest.fixture
def portfolio(db):
    days = ", ".join(f"'{day}'" for day in DAYS)
    db.run(*(statement.replace("{days}", days) for statement in STATEMENTS))
    contracts = Entity(
        "contracts",
        description="Contracts",
        owner=TEAM,
        legacy=Holder(source=db.table("host", where="day = {date}"), contract=LegacyContract, key=("NR",)),
        service=Holder(
            source=db.table("contracts", where="day = {date}"), contract=ServiceContract, key=("contract_id",)
        ),
        identity=IdentityTable(db.table("links"), legacy=("nr",), service=("contract_id",)),
        fields=(
            Field("status", Decode("STATE", {"A": "ACTIVE", "E": "ENDED"}), Exact()),
            Field("premium", Scale("PREMIUM_CT", Decimal("0.01"), precision=12), Amount()),
        ),
    )
    context = Context(
        "contracts", description="Contracts", owner=TEAM, entities=(contracts, replace(contracts, name="again")),
        partitioning=Daily(date(2026, 3, 19), last=date(2026, 3, 20)),
    )  # fmt: skip
    return Portfolio((context,), {"contracts": "contracts.py"})


def found_of(lake, job):
    rows = pq.read_table(lake.file(job.address("discrepancies"))).to_pylist()
    return [(row["field"], row["legacy_raw"], row["actual"]) for row in rows]


@pytest.mark.parametrize("workers", [1, 2])
def test_tables_of_one_database_are_reconciled_as_of_one_moment(portfolio, tmp_path, workers):
    lake = Lake(tmp_path / "lake")
    jobs = [Job(context, entity, day, lake) for context, entity in portfolio.entities() for day in DAYS]

    ended = campaign.run(campaign.plan(jobs, portfolio), count=workers)

    assert [attempt.failure for _, attempt in ended] == [None] * 4
    found = [found_of(lake, job) for job in jobs]
    status, premium = ("status", "A", "ENDED"), ("premium", "300", "3.01")
    assert list(map(sorted, found)) == [[status], [premium, status]] * 2
    for day in DAYS:
        moments = {
            str(lake.manifest(job.address(side)).notes["source"])
            for job in jobs if job.partition == day for side in ("legacy", "service")
        }  # fmt: skip
        assert len(moments) == 1
