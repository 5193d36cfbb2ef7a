"""A copy of one partition, with the two before it as its past, in a lake that may be damaged.

Copies what judging reads: snapshots of both sides, identity maps, event logs, and those of the entities referred to.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pipelines import journal, proving, reconciliation, translation
from pipelines.declarations import NaturalKey, Side
from pipelines.job import Job
from pipelines.lake import Address, Lake

PAST = 2  # partitions: enough for a replica that caught up and fell back


def copy(job: Job, root: Path) -> Job:
    """The same job in a lake under `root` with copies of its inputs. Raises SourceError when one is not there."""
    lake = Lake(root / "lake")
    for address in (*_inputs(job), *_witnesses(job)):
        job.manifest(address)
        shutil.copytree(job.lake.root / address.folder, lake.root / address.folder)
    return replace(job, lake=lake, run_id="audit")


def past(job: Job) -> list[str]:
    """The partitions before this one that testify in a copy, oldest first: those that both sides have."""
    held = [set(job.lake.partitions(job.context.name, job.entity.name, side)) for side in Side]
    return sorted(key for key in held[0] & held[1] if key < job.partition)[-PAST:]


def link_again(copied: Job) -> None:
    """Derive the identity map anew where it is derived from the rows."""
    if isinstance(copied.entity.identity, NaturalKey):
        reconciliation.map_identity(copied)


def _inputs(job: Job) -> Iterator[Address]:
    for partition in (*past(job), job.partition):
        for side in Side:
            yield job.at(side, partition)
    yield from dict.fromkeys(
        (
            job.address("identity_map"),
            *(job.address(f"{side}_rejected") for side in Side),
            *(job.other(reference.to) for reference in translation.references_of(job.entity)),
        )
    )


def _witnesses(job: Job) -> Iterator[Address]:
    """What may be there and testifies: earlier links, logs, and what is known of entities whose fields are repeated."""
    known = [job.at("identity_map", partition) for partition in past(job)]
    if journal.has_log(job):
        known += [job.at("events", partition) for partition in (*past(job), job.partition)]
    known += proving.repeated(job)
    yield from dict.fromkeys(address for address in known if job.lake.manifest(address) is not None)
