"""A campaign under a progress bar, for every command that runs one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby

from pipelines import campaign, workers
from pipelines.attempt import Attempt
from pipelines.campaign import Step
from pipelines.cli.endings import Ended
from pipelines.cli.screen import Screen
from pipelines.job import Job
from pipelines.portfolio import Portfolio
from pipelines.progress import heard


def run(screen: Screen, jobs: Sequence[Job], portfolio: Portfolio, count: int | None) -> Ended:
    """Reconcile these jobs with `count` workers, or as many as are worth it."""
    planned = campaign.plan(jobs, portfolio)
    with _bar(screen, len(planned.needs)) as advance:
        return campaign.run(planned, count=count or workers.fitting(len(planned.needs)), progress=advance)


def run_by_date(
    screen: Screen, jobs: Sequence[Job], portfolio: Portfolio, count: int | None, before: Callable[[str], object]
) -> Ended:
    """The same date by date, and `before` each one something else."""
    ended: list[tuple[Job, Attempt]] = []
    ordered = sorted(jobs, key=lambda job: job.partition)
    with _bar(screen, len(campaign.plan(jobs, portfolio).needs)) as advance:
        for date, of_date in groupby(ordered, key=lambda job: job.partition):
            before(date)
            planned = campaign.plan(of_date, portfolio)
            ended += campaign.run(planned, count=count or workers.fitting(len(planned.needs)), progress=advance)
    return ended


@contextmanager
def _bar(screen: Screen, steps: int) -> Iterator[Callable[[Step], None]]:
    """A progress bar, and how to move it on."""
    with screen.progress() as progress, heard(screen.note):
        task = progress.add_task("reconciling", total=steps)

        def advance(step: Step) -> None:
            progress.update(task, advance=1, description=f"{step.partition} {step.entity}")

        yield advance
