"""Sifting a job: its digests brought up to date in the lake, and the sieve run over them.

Digests are kept beside the snapshots and made anew only when rows, rules, links or references have changed. Small
inputs and entities whose pairs the sieve cannot vouch for are not sifted. What digests hold is `digests`', what passes
is `sieve`'s.
"""

from __future__ import annotations

import os

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import buckets, contract, digests, engine, plan, sieve, tombstones, translation
from pipelines.declarations import IdentityTable, Side
from pipelines.engine import Resources
from pipelines.job import Job, content_version
from pipelines.lake import WORKING, Manifest
from pipelines.rows import live
from pipelines.sieve import Digests, Sifted

_LEAST_PASSED = 4  # one pair in so many rows must pass: picking out most rows costs more than reading all
_WORTHWHILE = 100_000  # rows; below, making and reading digests costs more than it saves


def sift(job: Job) -> Sifted | None:
    """What of the job is beyond doubt; None when it is not sifted, or so little passed that all rows are looked at."""
    if not is_sifted(job):
        return None
    sifted = sieve.sift({side: held(job, side) for side in Side})
    return sifted if sifted.pairs * _LEAST_PASSED >= _rows(job) else None


def is_sifted(job: Job) -> bool:
    """Whether the job is large enough to be sifted, and holds only values that a hash can vouch for."""
    if tombstones.are_declared(job.entity.legacy):
        return False  # what is in the log is in no digest of the rows
    if _rows(job) < int(os.environ.get("COEXIST_SIEVE_FROM", _WORTHWHILE)):
        return False
    schema = contract.schema_of(job.entity.service.contract)
    return not any(pa.types.is_nested(schema.field(field.name).type) for field in job.entity.fields)


def held(job: Job, side: Side) -> Digests:
    """A side's digests, up to date."""
    digest_rows(job, side)
    table = pq.ParquetFile(job.lake.file(job.address(f"{side}_buckets"))).read()
    return Digests(job.lake.file(job.address(f"{side}_digests")), table)


def digest_rows(job: Job, side: Side) -> Manifest:
    """Write `<side>_digests` (`digests.SCHEMA`, ordered) and `<side>_buckets`, unless they are up to date."""
    inputs = _inputs(job, side)
    version = content_version(digests.version(), job.comparison_version)
    there = job.lake.manifest(job.address(f"{side}_digests"))
    if there and there.inputs == inputs and there.code_version == version:
        return there
    half = Resources().part(0.5)  # of the memory: there are two of them
    with engine.opened(half) as session, engine.opened(half) as sorter, job.lake.transaction(job.run_id) as transaction:
        make_values(session, job, side, into="values")
        sorter.register("hashed rows", digests.digest(session, job.entity, side, rows=side, values="values"))
        tally = buckets.Tally()
        ordered = sorter.reader(digests.ordered(job.entity, side, hashed="hashed rows")).cast(digests.SCHEMA)
        written = transaction.write(
            job.address(f"{side}_digests"),
            tally.watch(ordered),
            code_version=version,
            inputs=inputs,
            compression=WORKING,
        )
        transaction.write(job.address(f"{side}_buckets"), tally.table(), code_version=version, inputs=inputs)
    return written


def _rows(job: Job) -> int:
    return max(job.read(side).rows for side in Side)


def make_values(session: engine.Engine, job: Job, side: Side, *, into: str) -> None:
    """Make `<side>`, the raw rows, and `into`, the live ones in the service's language: what digests are made of."""
    session.scan_rows(side, job.lake.file(job.address(side)), adding=digests.keyed(job.entity, side))
    if side is Side.SERVICE:
        session.view(into, f"SELECT * FROM service WHERE {live(job.entity.service)}")
        return
    if not digests.is_natural(job.entity):
        session.scan("links", [job.lake.file(job.address("identity_map"))])
        digests.single_links(session, links="links", on=job.partition)
    plan.resolve_references(session, job)
    translation.translate(session, job.entity, rows="legacy", into=into)


def _inputs(job: Job, side: Side) -> dict[str, str]:
    """What the digests are made from, by content; what links legacy rows decides where they stand."""
    addresses = [job.address(side)]
    if side is Side.LEGACY:
        addresses += [job.address("identity_map")] if isinstance(job.entity.identity, IdentityTable) else []
        addresses += [job.other(reference.to) for reference in translation.references_of(job.entity)]
    return {str(address): job.manifest(address).digest for address in addresses}
