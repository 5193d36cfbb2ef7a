"""A campaign under a progress bar, for every command that runs one."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines import campaign, workers
from pipelines.campaign import Step
from pipelines.cli.endings import Ended
from pipelines.cli.screen import Screen
from pipelines.job import Job
from pipelines.portfolio import Portfolio
from pipelines.progress import heard


def run(screen: Screen, jobs: Sequence[Job], portfolio: Portfolio, count: int | None) -> Ended:
    """Reconcile these jobs with `count` workers, or as many as are worth it."""
    planned = campaign.plan(jobs, portfolio)
    with screen.progress() as progress, heard(screen.note):
        task = progress.add_task("reconciling", total=len(planned.needs))

        def advance(step: Step) -> None:
            progress.update(task, advance=1, description=f"{step.partition} {step.entity}")

        return campaign.run(planned, count=count or workers.fitting(len(planned.needs)), progress=advance)
