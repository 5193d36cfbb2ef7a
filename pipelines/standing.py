"""Standing: whether results in the lake are what a run would find again, so that it need not look.

They are when they were made from the same inputs, under the same declarations, by the same code: then a run takes them
as they are, and they keep the id of the run that made them. Anything else is worked out anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipelines.job import Job, content_version, package_version
from pipelines.lake import Manifest

MADE_BY = "made_by"


def still(job: Job, stages: Iterable[str], *, inputs: Mapping[str, str]) -> dict[str, Manifest]:
    """The manifests of these stages if all of them still stand, else nothing.

    The first stage says what all of them were made from; the others must be of the same run.
    """
    found = {stage: job.lake.manifest(job.address(stage)) for stage in stages}
    there = {stage: manifest for stage, manifest in found.items() if manifest is not None}
    if len(there) < len(found):
        return {}
    first = next(iter(there.values()))
    same_run = all(manifest.run_id == first.run_id for manifest in there.values())
    return there if same_run and first.inputs == inputs and first.notes.get(MADE_BY) == made_by(job) else {}


def made_by(job: Job) -> str:
    """What identifies all that decides about results beside their inputs: whatever is declared, and the code."""
    stamped = {name: said for name, said in job.stamp().items() if name != "run_id"}
    declared = repr((job.context.owner, job.entity, job.partitioning, job.partition, stamped))
    return content_version(package_version(), job.comparison_version, job.context.name, declared)
