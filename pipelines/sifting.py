"""Sifting a job: its digests brought up to date in the lake, and the sieve run over them.

Digests are kept beside the snapshots and made anew only when rows, rules or references have changed. Small inputs and
entities whose pairs the sieve cannot vouch for are not sifted. What digests hold is `digests`', what passes is
`sieve`'s.
"""

from __future__ import annotations

import os

from pipelines import digests, engine, plan, sieve, translation
from pipelines.declarations import Side
from pipelines.job import Job, content_version
from pipelines.lake import Manifest
from pipelines.rows import live
from pipelines.sieve import Links, Sifted

_LEAST_PASSED = 4  # one pair in so many rows must pass: picking out most rows costs more than reading all
_WORTHWHILE = 100_000  # rows; below, making and reading digests costs more than it saves


def sift(job: Job) -> Sifted | None:
    """What of the job is beyond doubt; None when it is not sifted, or so little passed that all rows are looked at."""
    smallest = int(os.environ.get("COEXIST_SIEVE_FROM", _WORTHWHILE))
    rows = max(job.read(side).rows for side in Side)
    if rows < smallest:
        return None
    for side in Side:
        digest_rows(job, side)
    sifted = sieve.sift({side: job.lake.file(job.address(f"{side}_digests")) for side in Side}, _links(job))
    return sifted if sifted.pairs * _LEAST_PASSED >= rows else None


def digest_rows(job: Job, side: Side) -> Manifest:
    """Write `<side>_digests` (`digests.SCHEMA`, ordered by what rows are linked by), unless they are up to date."""
    inputs = _inputs(job, side)
    version = content_version(digests.version(), job.comparison_version)
    there = job.lake.manifest(job.address(f"{side}_digests"))
    if there and there.inputs == inputs and there.code_version == version:
        return there
    with engine.opened() as session, engine.opened() as sorter, job.lake.transaction(job.run_id) as transaction:
        _values(session, job, side)
        sorter.register("hashed rows", digests.digest(session, job.entity, side, rows=side, values="values"))
        ordered = sorter.reader(digests.ORDERED).cast(digests.SCHEMA)
        return transaction.write(job.address(f"{side}_digests"), ordered, code_version=version, inputs=inputs)


def _values(session: engine.Engine, job: Job, side: Side) -> None:
    """The relations `<side>` (raw rows) and `values` (live ones in the service's language) that digests are made of."""
    session.scan_rows(side, job.lake.file(job.address(side)), adding=digests.keyed(job.entity, side))
    if side is Side.SERVICE:
        session.view("values", f"SELECT * FROM service WHERE {live(job.entity.service)}")
        return
    plan.resolve_references(session, job)
    translation.translate(session, job.entity, rows="legacy", into="values")


def _inputs(job: Job, side: Side) -> dict[str, str]:
    addresses = [job.address(side)]
    if side is Side.LEGACY:
        addresses += [job.other(reference.to) for reference in translation.references_of(job.entity)]
    return {str(address): job.manifest(address).digest for address in addresses}


def _links(job: Job) -> Links | None:
    """The identity map, where it is a table; natural keys are linked by what they hash to."""
    if digests.is_natural(job.entity):
        return None
    return Links(job.lake.file(job.address("identity_map")), job.partition)
