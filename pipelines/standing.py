"""Standing: whether results in the lake are what a run would find again, so that it need not look.

They are when they were made from the same inputs, under the same declarations, by the same code: then a run takes them
as they are, and they keep the id of the run that made them. Anything else is worked out anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa

from pipelines.job import Job, content_version
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
    return content_version(_code(), job.comparison_version, job.context.name, declared)


@lru_cache(maxsize=1)
def _code() -> str:
    """The sources of this package, and the engines it works with."""
    found = hashlib.sha256(f"{duckdb.__version__} {pl.__version__} {pa.__version__}".encode())
    root = Path(__file__).parent
    for path in sorted(root.rglob("*.py")):
        found.update(f"{path.relative_to(root)}:".encode())
        found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()[:16]
