"""Resources: the lake, and from it the job that a materialisation stands for."""

import dagster as dg

from pipelines.declarations import Context, Entity
from pipelines.job import Job
from pipelines.lake import Lake, lake_in


class LakeResource(dg.ConfigurableResource):  # type: ignore[type-arg] # its parameter is the resource itself
    """Where everything is that the pipeline writes, a folder or a URL; without one, `$COEXIST_LAKE` or `data/lake`."""

    root: str = ""

    def lake(self) -> Lake:
        """The lake of `pipelines` there."""
        return lake_in(self.root)

    def job(self, context: dg.AssetExecutionContext, declared: Context, entity: Entity) -> Job:
        """The job of an entity and the partition that is being materialised, under Dagster's run id."""
        return Job(declared, entity, context.partition_key, self.lake(), run_id=context.run.run_id)
