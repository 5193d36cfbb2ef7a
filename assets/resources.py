"""Resources: the lake, and from it the job that a materialisation stands for."""

from pathlib import Path

import dagster as dg

from pipelines.declarations import Context, Entity
from pipelines.job import Job
from pipelines.lake import Lake


class LakeResource(dg.ConfigurableResource):  # type: ignore[type-arg] # its parameter is the resource itself
    """The folder of everything the pipeline writes; without one, `$COEXIST_LAKE` or `data/lake`."""

    root: str = ""

    def lake(self) -> Lake:
        """The lake of `pipelines` in that folder."""
        return Lake(Path(self.root)) if self.root else Lake.default()

    def job(self, context: dg.AssetExecutionContext, declared: Context, entity: Entity) -> Job:
        """The job of an entity and the partition that is being materialised, under Dagster's run id."""
        return Job(declared, entity, context.partition_key, self.lake(), run_id=context.run.run_id)
