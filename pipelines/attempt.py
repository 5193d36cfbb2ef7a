"""An attempt: half a job tried, and what it came to. A source or the lake that fails is a result, recorded as a run.

The two halves are `prepare` (snapshots and identity map) and `judge` (discrepancies and drift): between them the
identity maps of other entities must be there. Their order over many jobs is `campaign`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pyarrow.parquet as pq

from pipelines import reconciliation, ruling, runs
from pipelines.declarations import Side
from pipelines.errors import IntegrityError, SourceError
from pipelines.job import Job
from pipelines.rulebook import BoundRule
from pipelines.service_level import Verdict

JUDGED = ("drift", "linkage", "lag", "semantic_rules")
Verdicts = Mapping[str, tuple[Verdict, ...]]  # by judged table


@dataclass(frozen=True)
class Failure:
    """Why a job has no result; `family` is the name of the error."""

    family: str
    message: str


@dataclass(frozen=True)
class Attempt:
    """What half a job came to: nothing more to say, the verdicts, or a failure."""

    started_at: datetime
    verdicts: Verdicts = field(default_factory=dict)
    failure: Failure | None = None


def prepare(job: Job) -> Attempt:
    """Take both snapshots and the events, and map the identities."""
    started_at = datetime.now(UTC)
    try:
        for side in Side:
            reconciliation.take_snapshot(job, side)
        reconciliation.take_events(job)
        reconciliation.map_identity(job)
    except (SourceError, IntegrityError) as error:
        return fail(job, started_at, _failure(error))
    return Attempt(started_at)


def judge(job: Job, started_at: datetime, rules: Sequence[BoundRule] = ()) -> Attempt:
    """Find the discrepancies, evaluate the rules, judge the drift, record the run that began at `started_at`."""
    try:
        reconciliation.find_discrepancies(job)
        ruling.rule(job, rules)
        reconciliation.judge_drift(job)
        verdicts = {table: _verdicts(job, table) for table in JUDGED}
        runs.record(job, started_at, runs.Ending(tuple(verdict for found in verdicts.values() for verdict in found)))
    except (SourceError, IntegrityError) as error:
        return fail(job, started_at, _failure(error))
    return Attempt(started_at, verdicts)


def fail(job: Job, started_at: datetime, failure: Failure) -> Attempt:
    """Record a failed run, if the lake still takes it."""
    try:
        runs.record(job, started_at, runs.Ending(error=failure.message))
    except IntegrityError as error:
        if str(error) != failure.message:
            failure = Failure(failure.family, f"{failure.message}; and the run cannot be recorded: {error}")
    return Attempt(started_at, failure=failure)


def _failure(error: SourceError | IntegrityError) -> Failure:
    return Failure(type(error).__name__, str(error))


def _verdicts(job: Job, table: str) -> tuple[Verdict, ...]:
    if table == "semantic_rules":
        return tuple(Verdict(str(row["verdict"])) for row in ruling.results(job))
    column = pq.read_table(job.lake.file(job.address(table)), columns=["verdict"])["verdict"]
    return tuple(Verdict(verdict) for verdict in column.to_pylist())
