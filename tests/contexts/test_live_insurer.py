"""The insurer on live servers is the insurer in files: the same drift, row by row, from a Postgres and a MariaDB."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import pyarrow.parquet as pq
import pytest

from data.insurer.generate import generate
from data.live import declaring
from pipelines import campaign, loading
from pipelines.job import Job
from pipelines.lake import Lake
from tests.contexts.world import CONTEXTS, SMALL

DAYS = ("2026-03-20", "2026-03-21")
TABLES = ("drift", "linkage", "lag", "discrepancies", "untranslatable")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    target = tmp_path_factory.mktemp("insurer") / "world"
    generate(target, seed=7, size=SMALL)
    return target


@pytest.fixture(scope="module")
def servers(world):
    """The servers, loaded, as `coexist demo --live` starts them; what leads to them is in the environment."""
    command, pipe = [sys.executable, "-m", "data.live.insurer"], subprocess.PIPE
    said = os.environ | {declaring.WORLD: str(world)}
    with (
        subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=said) as process,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in json.loads(process.stdout.readline())["environment"].items():
            patch.setenv(name, value)
        yield process
        process.stdin.close()
        assert process.wait(60) == 0


def reconciled(package, world, folder):
    """The rows of all tables of the first days, by entity, day and table, without the run they are from."""
    portfolio, lake = loading.load(package), Lake(folder)
    jobs = [
        Job(replace(context, root=world), entity, day, lake)
        for context, entity in portfolio.select(contexts=CONTEXTS)
        for day in DAYS
    ]
    for job, attempt in campaign.run(campaign.plan(jobs, portfolio), count=2):
        assert attempt.failure is None, (job.entity.name, job.partition, attempt.failure)
    return {
        (job.entity.name, job.partition, table): [
            {name: value for name, value in row.items() if name != "run_id"}
            for row in pq.read_table(lake.file(job.address(table))).to_pylist()
        ]
        for job in jobs
        for table in TABLES
    }


@pytest.mark.slow
def test_servers_and_files_give_the_same_drift(world, servers, tmp_path):
    assert servers.poll() is None
    in_files = reconciled("assets.contexts", world, tmp_path / "files")
    in_databases = reconciled("data.live.contexts", world, tmp_path / "databases")

    assert sum(map(len, in_files.values())) > 200
    for place, rows in in_files.items():
        assert in_databases[place] == rows, place
    parties = loading.load("data.live.contexts").entity("party.parties")[1]
    assert "Postgres" in parties.service.source.describe()
