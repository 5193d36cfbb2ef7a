"""Postgres into Parquet: our reader against a bare ADBC fetch, both written by the same Parquet writer.

`python -m benchmarks.extract [--rows N] [--pairs N]`. Starts a Postgres of its own; every reading is a process of its
own, whose CPU seconds and peak memory are measured. `take` is a whole snapshot: contract, digest, manifest, too.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Annotated

import adbc_driver_postgresql.dbapi
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from pandera.polars import DataFrameModel, Field

from data.live import postgres
from pipelines import contract, snapshot
from pipelines.declarations import Context, Daily, Entity, Env, Exact, Holder, NaturalKey, Owner, Postgres, Same, Side
from pipelines.declarations import Field as DeclaredField
from pipelines.declarations import Table as SourceTable
from pipelines.lake import Lake
from pipelines.sources.source import Place

URL = "COEXIST_BENCH_URL"
DAY = "2026-03-20"
CREATE = """
CREATE TABLE policies AS SELECT g::int8 AS id, 'P-' || g AS policy_no, (g % 7)::int4 AS product, g % 2 = 0 AS active,
    (g % 100000 + 0.25)::numeric(12, 2) AS premium, (g % 1000000 + 0.5)::numeric(14, 2) AS sum_insured,
    (g % 500)::numeric(12, 2) AS deductible, date '2020-01-01' + (g % 2000)::int AS inception,
    date '2027-01-01' + (g % 2000)::int AS expiry, timestamptz '2026-01-01' + g * interval '1 s' AS entered_at,
    timestamptz '2026-02-01' + g * interval '1 s' AS updated_at, 'Street ' || g % 5000 AS street,
    'City ' || g % 300 AS city, (g % 20)::int4 AS years, g / 3.0::float8 AS factor, 'agent' || g % 40 AS channel
FROM generate_series(1, {rows}) g
"""


class Policy(DataFrameModel):
    """One row per policy."""

    id: pl.Int64
    policy_no: pl.String
    product: pl.Int32
    active: pl.Boolean
    premium: Annotated[pl.Decimal, 12, 2] = Field(ge=0)
    sum_insured: Annotated[pl.Decimal, 14, 2]
    deductible: Annotated[pl.Decimal, 12, 2]
    inception: pl.Date
    expiry: pl.Date
    entered_at: Annotated[pl.Datetime, "us", "UTC"]
    updated_at: Annotated[pl.Datetime, "us", "UTC"]
    street: pl.String
    city: pl.String
    years: pl.Int32
    factor: pl.Float64
    channel: pl.String


SOURCE = SourceTable("policies", Postgres(Env(URL)))


def bare(target: Path) -> None:
    """What ADBC gives, as it gives it."""
    connect = adbc_driver_postgresql.dbapi.connect
    with closing(connect(os.environ[URL])) as connection, closing(connection.cursor()) as cursor:
        cursor.execute(f"SELECT {', '.join(contract.schema_of(Policy).names)} FROM policies")
        batches = cursor.fetch_record_batch()
        with pq.ParquetWriter(target / "bare.parquet", _plain(batches.schema), compression="zstd") as writer:
            for batch in batches:
                columns = [c.storage if isinstance(c, pa.ExtensionArray) else c for c in batch.columns]
                writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=_plain(batches.schema)))


def _plain(schema: pa.Schema) -> pa.Schema:
    kinds = [kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind for kind in schema.types]
    return pa.schema(list(zip(schema.names, kinds, strict=True)))


def ours(target: Path) -> None:
    """Our reader: exact types, guards, counted rows."""
    schema = contract.schema_of(Policy)
    with (
        SOURCE.open(Place(target, DAY), schema) as reading,
        pq.ParquetWriter(target / "ours.parquet", schema, compression="zstd") as writer,
    ):
        for batch in reading.batches:
            writer.write_batch(batch.rows)


def take(target: Path) -> None:
    """A whole snapshot."""
    holder = Holder(source=SOURCE, contract=Policy, key=("id",))
    entity = Entity(
        "policies", description="x", owner=Owner("x"), legacy=holder, service=holder,
        identity=NaturalKey((Same("id"),), (Same("id"),)), fields=(DeclaredField("id", Same("id"), Exact()),),
    )  # fmt: skip
    context = Context(
        "bench", description="x", owner=Owner("x"), partitioning=Daily(date(2026, 3, 1)), entities=(entity,)
    )
    snapshot.take(entity, Side.LEGACY, context=context, partition=DAY, lake=Lake(target / "lake"), run_id="bench")


WAYS = {"bare": bare, "ours": ours, "take": take}


def measured(way: str, target: Path) -> tuple[float, float]:
    """CPU seconds and peak memory in MB of one reading in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.extract", "--way", way, "--target", str(target)],
        check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    cpu, peak = map(float, done.stdout.split())
    return cpu, peak


def main() -> None:
    """Measure, or be measured."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--way", choices=WAYS)
    parser.add_argument("--target", type=Path)
    given = parser.parse_args()
    if given.way:
        began = resource.getrusage(resource.RUSAGE_SELF)
        WAYS[given.way](given.target)
        used = resource.getrusage(resource.RUSAGE_SELF)
        cpu = used.ru_utime + used.ru_stime - began.ru_utime - began.ru_stime
        print(cpu, used.ru_maxrss / 1024)
        return
    with tempfile.TemporaryDirectory(prefix="coexist-bench-") as folder:
        Path(folder).chmod(0o755)
        with postgres.running(Path(folder)) as server:
            os.environ[URL] = server.url()
            with closing(adbc_driver_postgresql.dbapi.connect(server.url(), autocommit=True)) as connection:
                connection.cursor().execute(CREATE.format(rows=given.rows))
            found: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
            for _ in range(given.pairs):
                for way in WAYS:
                    found[way].append(measured(way, Path(folder)))
                    print(way, *(f"{figure:.1f}" for figure in found[way][-1]), flush=True)
    for way in ("ours", "take"):
        ratios = [one[0] / other[0] for one, other in zip(found[way], found["bare"], strict=True)]
        peak = max(peak for _, peak in found[way])
        print(f"{way}: {statistics.median(ratios):.2f} times the CPU of a bare fetch, peak {peak:.0f} MB")


if __name__ == "__main__":
    main()
