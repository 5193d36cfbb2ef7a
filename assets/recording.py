"""Recording: a step's end in the table of runs, and its failure in words that Dagster shows.

A failed source or lake fails the step without a stack trace of ours; only a passing trouble may be tried again.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import dagster as dg

from checks.asset_checks import Row
from pipelines import attempt, runs
from pipelines.errors import IntegrityError, SourceError
from pipelines.job import Job
from pipelines.service_level import Verdict


@contextmanager
def recorded(run: dg.AssetExecutionContext, job: Job) -> Iterator[None]:
    """What fails in this block is recorded as a failed run and fails the step."""
    try:
        yield
    except (SourceError, IntegrityError) as error:
        attempt.fail(job, _began(run), attempt.Failure(type(error).__name__, str(error)))
        again = isinstance(error, SourceError) and error.transient
        raise dg.Failure(f"{type(error).__name__}: {error}", allow_retries=again) from None


def record(run: dg.AssetExecutionContext, job: Job, judged: Sequence[Row]) -> None:
    """Record a run that reached these verdicts."""
    runs.record(job, _began(run), runs.Ending(tuple(Verdict(row["verdict"]) for row in judged)))


def _began(run: dg.AssetExecutionContext) -> datetime:
    """When the run this step belongs to began."""
    known = run.instance.get_run_record_by_id(run.run_id)
    start = known.start_time if known else None
    return datetime.fromtimestamp(start, UTC) if start else datetime.now(UTC)
