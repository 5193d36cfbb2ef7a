"""Staleness: results in the lake that were made from another past, or other rows of others, than are there now.

Read from manifests alone: what a result was made from, against what is there now. Results whose rules have changed are
told by their code versions, which the orchestrator compares.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipelines import annals, proving, ruling, tombstones, translation
from pipelines.declarations import Context, Entity, Side
from pipelines.job import Job
from pipelines.lake import Address
from pipelines.portfolio import Portfolio
from pipelines.witnesses import projection


def outdated(jobs: Sequence[Job]) -> list[Job]:
    """Later partitions of these jobs' entities, themselves not among the jobs, judged with another past.

    And the one before the first, where it ends at another time by now: on the next of explicit dates.
    """
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
    before = [
        Job(job.context, job.entity, partition, job.lake)
        for names, job in first.items()
        for partition in [key for key in job.lake.partitions(*names, "discrepancies") if key < job.partition][-1:]
    ]
    late = [job for job in later if _judged_otherwise(job) or _told_otherwise(job)]
    return [job for job in before if _ends_otherwise(job)] + late


def elsewhere(jobs: Sequence[Job], portfolio: Portfolio) -> list[Job]:
    """Partitions of other entities, themselves not among the jobs, judged with what these jobs' entities held before.

    Of those that refer to them, repeat their fields, or have a semantic rule over them.
    """
    chosen = {(_path(job.context, job.entity), job.partition) for job in jobs}
    first: dict[str, str] = {}
    for path, partition in sorted(chosen, key=lambda one: one[1]):
        first.setdefault(path, partition)
    found = []
    for context, entity in portfolio.entities():
        since = min((first[path] for path in _needed(context, entity, portfolio) & first.keys()), default=None)
        keys = jobs[0].lake.partitions(context.name, entity.name, "discrepancies") if since else []
        asked = [key for key in keys if since and key >= since and (_path(context, entity), key) not in chosen]
        found += [Job(context, entity, key, jobs[0].lake) for key in asked]
    return [job for job in found if _judged_otherwise(job) or _ruled_otherwise(job)]


def _path(context: Context, entity: Entity) -> str:
    return f"{context.name}.{entity.name}"


def _needed(context: Context, entity: Entity, portfolio: Portfolio) -> set[str]:
    """The other entities that results of this one are made from."""
    ruled = {path for bound in portfolio.rules_of(context, entity) for path, _ in ruling.needed(bound)}
    referred = {reference.to for reference in translation.references_of(entity)}
    return {*referred, *ruled, *projection.paths_of(entity)} - {_path(context, entity)}


def _judged_otherwise(job: Job) -> bool:
    used = job.read("discrepancies").inputs
    witnesses = proving.witness_partitions(job)
    usable = {str(job.at(stage, partition)) for stage, keys in witnesses.items() for partition in keys}
    usable |= {str(address) for address in (*tombstones.sources(job), *proving.repeated(job))}
    return any(_digest(job, path) != used.get(path) for path in usable | used.keys())


def _ends_otherwise(job: Job) -> bool:
    manifest = job.lake.manifest(job.address(Side.LEGACY))
    return manifest is not None and manifest.watermark != job.watermark


def _ruled_otherwise(job: Job) -> bool:
    """Whether semantic rules were evaluated over other rows than are there now."""
    manifest = job.lake.manifest(job.address("violations"))
    return manifest is not None and any(_digest(job, path) != said for path, said in manifest.inputs.items())


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
