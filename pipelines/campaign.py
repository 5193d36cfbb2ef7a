"""A campaign: many entities and partitions reconciled together, in the order their results need each other.

    prepare   needs nothing; of an entity with an event log, the preparation of the partition before, whose events
              are read before its own
    judge     needs its own preparation, that of the entities it refers to on the same day, and the entity's partition
              before, because a finding keeps the day it was first seen; it waits for the preparation of those its
              semantic rules are about, and for the judgement of those whose fields it repeats

A job that fails is an outcome; those that refer to it fail with it, the others go on. What half a job is and how it can
fail is `attempt`'s; where it runs, `workers`'.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from graphlib import TopologicalSorter
from heapq import heappop, heappush
from itertools import pairwise

from pipelines import attempt, moments, translation, workers
from pipelines.attempt import Attempt, Failure
from pipelines.errors import SourceError
from pipelines.job import Job
from pipelines.moments import Keeper
from pipelines.portfolio import Portfolio
from pipelines.progress import LOG
from pipelines.rulebook import BoundRule
from pipelines.witnesses import projection


class Verb(IntEnum):
    """What a step does, in the order one job does it."""

    PREPARE = 0
    JUDGE = 1


@dataclass(frozen=True, order=True)
class Step:
    """One verb for one partition of an entity ("context.entity"). Ordered by date: days are finished one by one."""

    partition: str
    verb: Verb
    entity: str


@dataclass(frozen=True)
class Plan:
    """The jobs that were asked for, and the steps to take: the job of each, and the steps it needs."""

    asked: tuple[Job, ...]
    jobs: Mapping[Step, Job]
    needs: Mapping[Step, frozenset[Step]]
    rules: Mapping[str, tuple[BoundRule, ...]]  # by entity


def plan(asked: Iterable[Job], portfolio: Portfolio) -> Plan:
    """The steps of these jobs. Entities they refer to are prepared first, unless that was done before."""
    wanted = tuple(asked)
    jobs = {_step(verb, job): job for verb in Verb for job in wanted}
    needs = {}
    for job in wanted:
        for referred in _unprepared(job, portfolio):
            jobs.setdefault(_step(Verb.PREPARE, referred), referred)
        needs[_step(Verb.JUDGE, job)] = frozenset((_step(Verb.PREPARE, job), *_references(job)))
    rules = {step.entity: portfolio.rules_of(job.context, job.entity) for step, job in jobs.items() if step in needs}
    for step in needs:
        about = {member.path for bound in rules[step.entity] for member in bound.members}
        needs[step] |= {Step(step.partition, Verb.PREPARE, path) for path in about}
        needs[step] |= _repeated(step, jobs[step])
        needs[step] &= jobs.keys()
    needs |= {step: frozenset() for step in jobs if step.verb is Verb.PREPARE}
    for earlier, later in pairwise(sorted(needs, key=lambda step: (step.entity, step.verb, step.partition))):
        if (earlier.entity, earlier.verb) == (later.entity, later.verb) and _follows(later, jobs[later]):
            needs[later] |= {earlier}
    return Plan(wanted, jobs, needs, rules)


def run(
    planned: Plan, *, count: int = 1, progress: Callable[[Step], None] = lambda _: None
) -> list[tuple[Job, Attempt]]:
    """Take all steps, `count` at a time, telling `progress` of each; how every job that was asked for ended.

    Raises IntegrityError only when the workers themselves cannot go on.
    """
    taken: dict[Step, Attempt] = {}
    waiting: list[Step] = []
    running: dict[Future[Attempt], Step] = {}
    order = TopologicalSorter(planned.needs)
    order.prepare()
    preparing = [job for step, job in planned.jobs.items() if step.verb is Verb.PREPARE]
    with moments.keeping(preparing) as keeper, workers.opened(min(count, len(planned.jobs)), LOG) as pool:
        while order.is_active():
            for step in order.get_ready():
                heappush(waiting, step)
            while waiting and len(running) < count:
                step = heappop(waiting)
                running[_start(pool, step, planned, taken, keeper)] = step
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                step = running.pop(future)
                taken[step] = future.result()
                if step.verb is Verb.PREPARE:
                    keeper.prepared(planned.jobs[step])
                order.done(step)
                progress(step)
    return [(job, taken[_step(Verb.JUDGE, job)]) for job in planned.asked]


def _step(verb: Verb, job: Job) -> Step:
    return Step(job.partition, verb, f"{job.context.name}.{job.entity.name}")


def _follows(step: Step, job: Job) -> bool:
    """Whether a step goes on from the same one of the partition before: where that ended, and what its events told."""
    return step.verb is Verb.JUDGE or job.entity.events is not None


def _references(job: Job) -> list[Step]:
    """Preparations of the entities a job refers to."""
    return [Step(job.partition, Verb.PREPARE, reference.to) for reference in translation.references_of(job.entity)]


def _repeated(step: Step, job: Job) -> set[Step]:
    """Judgements of the entities whose fields a job repeats, itself apart."""
    return {Step(step.partition, Verb.JUDGE, path) for path in projection.paths_of(job.entity)} - {step}


def _unprepared(job: Job, portfolio: Portfolio) -> list[Job]:
    """Jobs for the entities a job refers to whose identity map is not in the lake."""
    return [
        Job(*portfolio.entity(step.entity), job.partition, job.lake)
        for step in _references(job)
        if job.lake.manifest(job.other(step.entity)) is None
    ]


def _start(pool: Executor, step: Step, planned: Plan, taken: Mapping[Step, Attempt], keeper: Keeper) -> Future[Attempt]:
    job = planned.jobs[step]
    if step.verb is Verb.PREPARE:
        return _prepare(pool, job, keeper)
    own = taken[_step(Verb.PREPARE, job)]
    if own.failure:
        return _done(own)
    broken = sorted({need.entity for need in _references(job) if need in taken and taken[need].failure})
    if broken:
        message = f"not judged: it refers to {', '.join(broken)}, which failed for {step.partition}"
        return _done(attempt.fail(job, own.started_at, Failure(SourceError.__name__, message)))
    return pool.submit(attempt.judge, job, own.started_at, planned.rules[step.entity])


def _prepare(pool: Executor, job: Job, keeper: Keeper) -> Future[Attempt]:
    """Prepare a job as of the moments it shares with others; without them it has failed."""
    try:
        return pool.submit(attempt.prepare, keeper.holding(job))
    except SourceError as error:
        return _done(attempt.fail(job, datetime.now(UTC), Failure(SourceError.__name__, str(error))))


def _done(ended: Attempt) -> Future[Attempt]:
    future: Future[Attempt] = Future()
    future.set_result(ended)
    return future
