"""The annals: from the lake what `chronicle` tells of, every finding of an entity up to a partition.

Findings of comparing and of semantic rules alike. What is not in the lake was not measured: a hole between two
partitions is passed over as if there were no partition, until it is filled and the later ones are judged again.
"""

from __future__ import annotations

import pyarrow as pa

from pipelines import chronicle, classification
from pipelines.engine import Engine
from pipelines.expressions import literal, quote
from pipelines.job import Job
from pipelines.lake import Address

_OF_RULES = "violations"
_STAGES = {"discrepancies": literal(chronicle.COMPARISON), _OF_RULES: "rule"}  # with where the source is told
_MEASURED = "measured"  # the note of which rules were


def addresses(job: Job) -> list[Address]:
    """All tables of findings of the job's entity up to its partition."""
    return [
        job.at(stage, key)
        for stage in _STAGES
        for key in job.lake.partitions(job.context.name, job.entity.name, stage)
        if key <= job.partition
    ]


def contents(job: Job) -> dict[str, str]:
    """What is in these tables, by address; and which rules were measured, which a table without findings does not say.

    A finding is gone where its rule was measured and did not find it again, and not where nobody could look.
    """
    found = {str(address): (address, job.manifest(address)) for address in addresses(job)}
    said = {path: manifest.digest for path, (_, manifest) in found.items()}
    of_rules = {path: manifest for path, (address, manifest) in found.items() if address.stage == _OF_RULES}
    return said | {f"{path} measured": ", ".join(manifest.notes[_MEASURED]) for path, manifest in of_rules.items()}


def read(session: Engine, job: Job) -> None:
    """Make `sightings` and `measured`, which `chronicle.tell` needs."""
    found = addresses(job)
    parts = []
    for stage, source in _STAGES.items():
        of_stage = [address for address in found if address.stage == stage]
        if of_stage:
            partitions = [str(address.partition) for address in of_stage]
            session.scan(f"all {stage}", [job.lake.file(address) for address in of_stage], partitions=partitions)
            columns = ", ".join(chronicle.SIGHTED)
            parts.append(
                f"SELECT {columns}, {source} AS source, {classification.right()} AS record, "
                f"__partition AS partition_key FROM {quote(f'all {stage}')}"
            )
    session.view("sightings", " UNION ALL ".join(parts))
    measured = [(source, str(address.partition)) for address in found for source in _measured(job, address)]
    sources, keys = zip(*measured, strict=True)
    session.register("measured", pa.table({"source": sources, "partition_key": keys}))


def _measured(job: Job, address: Address) -> list[str]:
    """Which sources could have found something in a table of findings."""
    if address.stage == _OF_RULES:
        return list(job.manifest(address).notes[_MEASURED])
    return [chronicle.COMPARISON]
