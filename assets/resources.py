"""Resources: the lake, from it the job that a materialisation stands for, and the moments that its run holds."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import dagster as dg
from pydantic import PrivateAttr

from pipelines.declarations import Context, Entity
from pipelines.job import Job
from pipelines.lake import Lake, lake_in
from pipelines.moments import Keeper


class LakeResource(dg.ConfigurableResource):  # type: ignore[type-arg] # its parameter is the resource itself
    """Where everything is that the pipeline writes, a folder or a URL; without one, `$COEXIST_LAKE` or `data/lake`.

    It lives as long as a run (of one process), and so do the moments of databases that its steps share.
    """

    root: str = ""
    _keepers: dict[tuple[str, str], Keeper] = PrivateAttr(default_factory=dict)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["LakeResource"]:  # noqa: ARG002 (Dagster's)
        """The resource, for as long as a run lasts."""
        try:
            yield self
        finally:
            while self._keepers:
                self._keepers.popitem()[1].close()

    def lake(self) -> Lake:
        """The lake of `pipelines` there."""
        return lake_in(self.root)

    def job(self, context: dg.AssetExecutionContext, declared: Context, entity: Entity) -> Job:
        """The job of an entity and the partition that is being materialised, under Dagster's run id."""
        return Job(declared, entity, context.partition_key, self.lake(), run_id=context.run.run_id)

    def holding(self, job: Job) -> Job:
        """The job with the moments that the entities of its context share in this run. Raises SourceError."""
        place = (job.context.name, job.partition)
        if place not in self._keepers:
            self._keepers[place] = Keeper()
            self._keepers[place].expect(replace(job, entity=entity) for entity in job.context.entities)
        return self._keepers[place].holding(job)
