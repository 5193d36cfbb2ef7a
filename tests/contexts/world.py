"""An insurer world, generated and reconciled as a user would: every entity and day of the five contexts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import pyarrow.parquet as pq

from data.insurer.generate import generate
from pipelines import campaign, loading
from pipelines.job import Job
from pipelines.lake import Lake
from pipelines.portfolio import Portfolio

SMALL = 600  # policies: the smallest world that has room for every kind of planting
CONTEXTS = ("party", "broker", "policy", "billing", "claims")


@dataclass(frozen=True)
class Reconciled:
    """A world and what became of it."""

    world: Path
    lake: Lake
    jobs: tuple[Job, ...]

    @cached_property
    def ledger(self) -> list[dict[str, object]]:
        """The rows of the ledger."""
        found: list[dict[str, object]] = pq.read_table(self.world / "ledger.parquet").to_pylist()
        return found

    def rows(self, job: Job, stage: str) -> list[dict[str, object]]:
        """The rows of a stage of a job."""
        found: list[dict[str, object]] = pq.read_table(self.lake.file(job.address(stage))).to_pylist()
        return found


def reconciled(folder: Path, *, seed: int, size: int = SMALL, workers: int = 1) -> Reconciled:
    """Generate a world and reconcile it whole."""
    world, lake = folder / "world", Lake(folder / "lake")
    generate(world, seed=seed, size=size)
    portfolio = loading.load("assets.contexts")
    jobs = tuple(_jobs(portfolio, world, lake))
    ended = campaign.run(campaign.plan(jobs, portfolio), count=workers)
    failures = [f"{job.address('discrepancies')}: {attempt.failure}" for job, attempt in ended if attempt.failure]
    assert not failures, "\n".join(failures)
    return Reconciled(world, lake, jobs)


def _jobs(portfolio: Portfolio, world: Path, lake: Lake) -> Sequence[Job]:
    found = []
    for context, entity in portfolio.select(contexts=CONTEXTS):
        here = replace(context, root=world)
        days = here.partitioning.keys(here.partitioning.last)
        found += [Job(here, entity, day, lake) for day in days]
    return found
