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
from pipelines.progress import heard
from pipelines.service_level import Verdict

PATIENCE = 30  # seconds: a source has been tried four times within seconds before it is left alone for a while


@contextmanager
def recorded(context: dg.AssetExecutionContext, job: Job, *, retries: int = 0) -> Iterator[None]:
    """What fails in this block is recorded as a failed run and fails the step; a passing trouble is tried again.

    How far long readings have come goes into the log of the step.
    """
    try:
        with heard(context.log.info):
            yield
    except (SourceError, IntegrityError) as error:
        attempt.fail(job, _began(context), attempt.Failure(type(error).__name__, str(error)))
        if retries and isinstance(error, SourceError) and error.transient:
            raise dg.RetryRequested(max_retries=retries, seconds_to_wait=PATIENCE) from error
        raise dg.Failure(f"{type(error).__name__}: {error}", allow_retries=False) from None


def record(context: dg.AssetExecutionContext, job: Job, judged: Sequence[Row]) -> None:
    """Record a run that reached these verdicts."""
    runs.record(job, _began(context), runs.Ending(tuple(Verdict(row["verdict"]) for row in judged)))


def _began(context: dg.AssetExecutionContext) -> datetime:
    """When the run this step belongs to began."""
    known = context.instance.get_run_record_by_id(context.run.run_id)
    start = known.start_time if known else None
    return datetime.fromtimestamp(start, UTC) if start else datetime.now(UTC)
