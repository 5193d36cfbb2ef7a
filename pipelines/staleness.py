"""Staleness: results in the lake that were made from another past than the present one.

Read from manifests alone: what a result was made from, against what is there now. Results whose rules have changed are
told by their code versions, which the orchestrator compares.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipelines import annals, proving, tombstones
from pipelines.job import Job
from pipelines.lake import Address


def outdated(jobs: Sequence[Job]) -> list[Job]:
    """Later partitions of these jobs' entities, themselves not among the jobs, judged with another past."""
    chosen = {(job.context.name, job.entity.name, job.partition) for job in jobs}
    first: dict[tuple[str, str], Job] = {}
    for job in sorted(jobs, key=lambda job: job.partition):
        first.setdefault((job.context.name, job.entity.name), job)
    later = [
        Job(job.context, job.entity, partition, job.lake)
        for names, job in first.items()
        for partition in job.lake.partitions(*names, "discrepancies")
        if partition > job.partition and (*names, partition) not in chosen
    ]
    return [job for job in later if _judged_otherwise(job) or _told_otherwise(job)]


def _judged_otherwise(job: Job) -> bool:
    used = job.read("discrepancies").inputs
    witnesses = proving.witness_partitions(job)
    usable = {str(job.at(stage, partition)) for stage, keys in witnesses.items() for partition in keys}
    usable |= {str(address) for address in tombstones.sources(job)}
    return any(_digest(job, path) != used.get(path) for path in usable | used.keys())


def _told_otherwise(job: Job) -> bool:
    """Whether the history of findings was told from other findings than are there now."""
    manifest = job.lake.manifest(job.address("discrepancy_history"))
    if manifest is None:
        return False  # it was never judged, or before there was a history
    now, used = annals.contents(job), manifest.inputs
    paths = {str(address) for address in annals.addresses(job)} | used.keys()
    return any((now.get(path) or _digest(job, path)) != used.get(path) for path in paths)


def _digest(job: Job, path: str) -> str | None:
    manifest = job.lake.manifest(Address(*path.split("/")))
    return manifest.digest if manifest else None
