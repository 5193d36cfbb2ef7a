"""Carrying: what a run found in buckets that hold what they held then is taken forward, and not looked for again.

A run that is sifted by digests leaves what every bucket held on both sides. Where most of them hold what they held in
the run before, it leaves as well the rows that remained of its sieve, as they are in the snapshots. The next run, of
the same partition taken again or of a later one, sifts only the buckets that hold something else by now. What follows
from the rows that remain (links, verdicts, causes, ages) is worked out anew, from the same rows as if all had been
sifted: nothing that was concluded is carried.

That is right because the sieve looks at nothing but the digests of a bucket's rows, and what a bucket holds
(`buckets.SCHEMA`) covers all of these and every column of the rows: what they are linked by, whether they take part,
what they say in the service's language. Links, references and rules that change, change the digests of the rows they
touch, and so what the buckets of these hold.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import contract
from pipelines.declarations import Side
from pipelines.engine import Engine
from pipelines.job import Job, content_version, package_version
from pipelines.lake import HASHES, WORKING, Transaction
from pipelines.schemas import column, table_schema
from pipelines.sifting import digests, roll
from pipelines.sifting.remaining import BUCKET, PAIR
from pipelines.sifting.sieve import Carried, Digests

BUCKETS_HELD = table_schema(
    column("bucket", pa.int32(), "Number: the leading bits of the link hash"),
    column("held_1", pa.uint64(), "Digest of all that the rows of both sides hold: first lane"),
    column("held_2", pa.uint64(), "Digest of all that the rows of both sides hold: second lane"),
)
_STAGE = "buckets_held"
_AT_HAND = {side: f"{side}_at_hand" for side in Side}
STAGES = (_STAGE, *_AT_HAND.values())  # tables that only make a later run faster
_WORTHWHILE = 0.75  # of the buckets; where more have changed, all are sifted as fast
_FRESH = 0.9  # of the buckets; while so many are carried, what was left before serves the next run as well
_FEW = 10  # one row in so many may remain, for them to be kept
_SEED = 11_000_003


def find(job: Job, held: Mapping[Side, Digests]) -> Carried | None:
    """What can be carried from the latest run that left something; None when it left no rows, or too much changed."""
    partition = _before(job)
    if partition is None or not _has_rows(job, partition):
        return None
    standing = _standing(job, partition, _held_by_both(held))
    if standing is None:
        return None
    files = {side: job.lake.file(job.at(_AT_HAND[side], partition)) for side in Side}
    passing = pl.DataFrame(held[Side.LEGACY].buckets).filter(pl.col("bucket").is_in(standing.implode()))
    legacy = pl.DataFrame(pq.ParquetFile(files[Side.LEGACY]).read([BUCKET, PAIR]))
    remaining = legacy.filter(pl.col(BUCKET).is_in(standing.implode()))
    return Carried(standing, int(passing["rows"].sum()) - len(remaining), int(remaining[PAIR].count()), files)


def leaving(job: Job, held: Mapping[Side, Digests], carried: Carried | None) -> pa.Table | None:
    """What is to be left for later runs (BUCKETS_HELD); nothing where what was left before serves them as well."""
    now = _held_by_both(held)
    is_fresh = carried is not None and len(carried.buckets) >= _FRESH * now.height
    return now.to_arrow().cast(BUCKETS_HELD) if _can_be_carried(job) and not is_fresh else None


def leave(session: Engine, job: Job, transaction: Transaction, held: pa.Table) -> None:
    """Leave it, and, once most buckets have stood, what `sifting.sift` made of the rows that remain."""
    version, before = _version(job), _before(job)
    transaction.write(job.address(_STAGE), held, code_version=version, compression=HASHES)
    if before is None or _standing(job, before, pl.DataFrame(held)) is None or _are_many(session, job):
        return
    for side in Side:
        rows = session.placed(side, job.lake.file(job.address(side)))
        transaction.write(job.address(_AT_HAND[side]), rows, code_version=version, compression=WORKING)


def _standing(job: Job, partition: str, now: pl.DataFrame) -> pl.Series | None:
    """The buckets that hold what they held then; None when these are too few."""
    then = pl.DataFrame(pq.ParquetFile(job.lake.file(job.at(_STAGE, partition))).read())
    standing = now.join(then, on=BUCKETS_HELD.names, how="semi")["bucket"]
    return standing if len(standing) >= _WORTHWHILE * now.height else None


def _can_be_carried(job: Job) -> bool:
    """Whether what passed can be told from what remained, and all that a row holds from its hash."""
    schemas = [contract.schema_of(job.holder(side).contract) for side in Side]
    return not roll.masked_fields(job.entity) and not any(
        pa.types.is_nested(kind) for of in schemas for kind in of.types
    )


def _before(job: Job) -> str | None:
    """The latest partition for which something was left, if by this code and under these declarations."""
    partition = job.latest(_STAGE)
    there = job.lake.manifest(job.at(_STAGE, partition)) if partition else None
    return partition if there and there.code_version == _version(job) else None


def _has_rows(job: Job, partition: str) -> bool:
    """Whether the same run left rows as well."""
    found = [job.lake.manifest(job.at(stage, partition)) for stage in (_STAGE, *_AT_HAND.values())]
    return len({manifest.run_id if manifest else None for manifest in found}) == 1


def _version(job: Job) -> str:
    contracts = [contract.version_of(job.holder(side).contract) for side in Side]
    return content_version(package_version(), digests.version(), job.comparison_version, *contracts)


def _are_many(session: Engine, job: Job) -> bool:
    """Whether so many rows remain that to keep them would cost more than to find them again."""
    return any(session.has_more(f"{side} placed", than=job.read(side).rows // _FEW) for side in Side)


def _held_by_both(held: Mapping[Side, Digests]) -> pl.DataFrame:
    """What each bucket holds on both sides together, as BUCKETS_HELD."""
    legacy, service = (pl.DataFrame(held[side].buckets).select(BUCKETS_HELD.names) for side in Side)
    both = legacy.join(service, on="bucket", how="full", coalesce=True)
    return both.select("bucket", *(_together(f"held_{lane}", lane * _SEED) for lane in (1, 2))).sort("bucket")


def _together(name: str, seed: int) -> pl.Expr:
    return pl.sum_horizontal(pl.col(name).hash(seed=seed), pl.col(f"{name}_right").hash(seed=seed + 1)).alias(name)
