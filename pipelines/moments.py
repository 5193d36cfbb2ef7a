"""Moments: tables of one database that are read by one run are read as of one moment, whoever reads them.

A run holds the moment of a database for the jobs of one partition, from the first reading to the last: a moment that is
held keeps the server from cleaning up. When it is lost (the server was restarted) the readings that need it fail, for
tables of two moments would disagree for no reason. A table that shares its database with none needs no moment held.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace

from pipelines.declarations import Entity, IdentityTable
from pipelines.job import Job
from pipelines.sources.source import Moment, Moments, Source
from pipelines.trying import again


@contextmanager
def keeping(jobs: Iterable[Job]) -> Iterator[Keeper]:
    """Moments for the jobs that will be prepared; those still held are let go at the end."""
    keeper = Keeper()
    keeper.expect(jobs)
    try:
        yield keeper
    finally:
        keeper.close()


@dataclass
class _Held:
    """What is held for one partition."""

    until: ExitStack = field(default_factory=ExitStack)
    moments: dict[Moments, Moment] = field(default_factory=dict)


class Keeper:
    """Who holds the moments of a run."""

    def __init__(self) -> None:
        self._left: Counter[str] = Counter()
        self._tables: Counter[tuple[str, Moments]] = Counter()
        self._held: dict[str, _Held] = {}

    def expect(self, jobs: Iterable[Job]) -> None:
        """Say which jobs will be prepared: what they have in common is read as of one moment."""
        for job in jobs:
            self._left[job.partition] += 1
            self._tables.update((job.partition, database) for database in _databases(job.entity))

    def holding(self, job: Job) -> Job:
        """The job, with the moments that it shares with others. Raises SourceError."""
        held = self._held.setdefault(job.partition, _Held())
        for database in _databases(job.entity):
            if database not in held.moments and self._tables[job.partition, database] > 1:
                held.moments[database] = _hold(held.until, database)
        return replace(job, moments=dict(held.moments))

    def prepared(self, job: Job) -> None:
        """Say that a job has read what it needs; after the last one of a partition its moments are let go."""
        self._left[job.partition] -= 1
        if not self._left[job.partition] and job.partition in self._held:
            self._held.pop(job.partition).until.close()

    def close(self) -> None:
        """Let go of everything."""
        while self._held:
            self._held.popitem()[1].until.close()


@again
def _hold(until: ExitStack, database: Moments) -> Moment:
    return until.enter_context(database.hold())


def _databases(entity: Entity) -> list[Moments]:
    """What can hold moments for an entity's sources, once for each source."""
    found = (source.moments() for source in _sources(entity))
    return [database for database in found if database is not None]


def _sources(entity: Entity) -> Iterator[Source]:
    """Everything that is read to prepare an entity."""
    yield from (entity.legacy.source, entity.service.source)
    if isinstance(entity.identity, IdentityTable):
        yield entity.identity.source
        if entity.identity.merges:
            yield entity.identity.merges.source
    if entity.events:
        yield entity.events.source
