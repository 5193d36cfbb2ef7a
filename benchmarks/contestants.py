"""What is timed, each as a process of its own: `python -m benchmarks.contestants NAME FOLDER WORLD`.

WORLD is a world as JSON, FOLDER holds its files (see `worlds`) and a lake for each way of linking, prepared before. A
contestant prints how many rows it found to differ, and what it cost.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import polars as pl

from benchmarks import entity, worlds
from benchmarks.measured import report
from benchmarks.worlds import World
from pipelines import reconciliation, sifting
from pipelines.declarations import Side
from pipelines.job import Job
from pipelines.lake import Lake

DAY = "2026-01-01"
_NEVER_SIFTED = str(10**12)


@dataclass(frozen=True)
class Bench:
    """A world's files, and the lake that they are reconciled in."""

    folder: Path
    world: World

    def job(self, *, by_table: bool = False) -> Job:
        """The job that reconciles the two files, linked by their key or through a table."""
        identity = entity.BY_TABLE if by_table else entity.BY_KEY
        context = entity.context(self.folder, self.world, identity)
        return Job(context, context.entities[0], DAY, Lake(self.folder / ("lake_by_table" if by_table else "lake")))

    def snapshots(self) -> list[Path]:
        """The files of both snapshots."""
        todo = self.job()
        return [todo.lake.file(todo.address(side)) for side in Side]


def coexist(bench: Bench, *, by_table: bool = False) -> int:
    """Our whole compare step: from two snapshots to the complete discrepancies, drift, linkage and lag."""
    todo = bench.job(by_table=by_table)
    reconciliation.find_discrepancies(todo)
    reconciliation.judge_drift(todo)
    found = todo.lake.manifest(todo.address("discrepancies"))
    return found.rows if found else 0


def anew(bench: Bench, *, by_table: bool = False) -> int:
    """The same when its results are not there yet, nor anything that could be carried; digests are."""
    for stage in ("discrepancies", "drift", "buckets_held"):
        _forget(bench.job(by_table=by_table), stage)
    return coexist(bench, by_table=by_table)


def carrying(bench: Bench) -> int:
    """The same when a run before left what can be carried, and a few rows have changed since on both sides."""
    for stage in ("discrepancies", "drift"):
        _forget(bench.job(), stage)
    shutil.copytree(bench.folder / "left", bench.job().lake.root, dirs_exist_ok=True)
    return coexist(bench)


def through_table(bench: Bench) -> int:
    """The same, linked through a table of links."""
    return anew(bench, by_table=True)


def unsifted(bench: Bench) -> int:
    """The same with every row linked and compared."""
    os.environ["COEXIST_SIEVE_FROM"] = _NEVER_SIFTED
    return anew(bench)


def without_digests(bench: Bench) -> int:
    """The same for two snapshots of which no digests stand, as on the first run of a day: both are read in lockstep."""
    os.environ[sifting.WAY] = sifting.Way.JOIN
    return anew(bench)


def foreign_files(bench: Bench) -> int:
    """The same for two Parquet files beside which nothing stands, rows kept unpacked neither."""
    with _packed(bench):
        return without_digests(bench)


def making_digests(bench: Bench) -> int:
    """The same when the digests have to be made as well."""
    os.environ[sifting.WAY] = sifting.Way.DIGESTS
    for side in Side:
        _forget(bench.job(), f"{side}_digests")
    return anew(bench)


def verified(bench: Bench) -> int:
    """The same with `--verify`: all that passed on the evidence of hashes is looked at again."""
    os.environ["COEXIST_VERIFY"] = "1"
    return anew(bench)


def snapshots(bench: Bench) -> int:
    """Both snapshots taken, with their digests."""
    todo = replace(bench.job(), lake=Lake(bench.folder / "lake_of_snapshots"))
    for side in Side:
        reconciliation.take_snapshot(todo, side)
        _forget(todo, f"{side}_digests")
        sifting.digest_rows(todo, side)
    return 0


def plain_rewrite(bench: Bench) -> int:
    """Both files written again as plain Parquet by DuckDB."""
    with duckdb.connect(config={"memory_limit": "4GB", "threads": 2}) as connection:
        for side in Side:
            target = bench.folder / "rewritten.parquet"
            connection.execute(
                f"COPY (FROM '{bench.folder / f'{side}.parquet'}') TO '{target}' (FORMAT parquet, COMPRESSION zstd)"
            )
    return 0


def duckdb_scan(bench: Bench) -> int:
    """The measure of all: DuckDB reads every column of both snapshots once."""
    columns = ", ".join(f"max({name})" for name in ["id", *bench.world.names])
    with duckdb.connect(config={"memory_limit": "4GB", "threads": 2}) as connection:
        for file in bench.snapshots():
            connection.sql(f"SELECT {columns} FROM '{file}'").fetchall()
    return 0


def polars_scan(bench: Bench) -> int:
    """The same by Polars."""
    for file in bench.snapshots():
        pl.scan_parquet(file, hive_partitioning=False).select(pl.all().max()).collect(engine="streaming")
    return 0


def full_join(bench: Bench) -> int:
    """What one writes first: one full join on the key, a condition a column."""
    legacy, service = bench.snapshots()
    differs = " OR ".join(f"l.{name} IS DISTINCT FROM s.{name}" for name in bench.world.names)
    with duckdb.connect(config={"memory_limit": "4GB", "threads": 2}) as connection:
        rows = connection.sql(
            f"SELECT count(*) FROM '{legacy}' AS l FULL JOIN '{service}' AS s ON l.id = s.id WHERE {differs}"
        ).fetchall()
    return int(rows[0][0])


CONTESTANTS: dict[str, Callable[[Bench], int]] = {
    "duckdb scan": duckdb_scan,
    "polars scan": polars_scan,
    "coexist": anew,
    "coexist unchanged": coexist,
    "coexist carrying": carrying,
    "coexist without digests": without_digests,
    "coexist foreign files": foreign_files,
    "coexist making digests": making_digests,
    "coexist unsifted": unsifted,
    "coexist verified": verified,
    "coexist through a table": through_table,
    "full join": full_join,
    "snapshots with digests": snapshots,
    "plain rewrite": plain_rewrite,
}


def prepare(bench: Bench) -> None:
    """Write the world's files, take both snapshots and make their digests, outside what is timed."""
    if bench.world.touched:
        _leave(bench)
    worlds.write(bench.folder, bench.world)
    for by_table in (False, True):
        _take(bench.job(by_table=by_table))


def _leave(bench: Bench) -> None:
    """What earlier runs leave: of the world before, and of one in which a tenth of the changes have come about."""
    for touched in (0, 10 * bench.world.touched):
        worlds.write(bench.folder, replace(bench.world, touched=touched))
        _take(bench.job())
        coexist(bench)
    lake = bench.job().lake
    for stage in ("buckets_held", *(f"{side}_at_hand" for side in Side)):
        left = bench.job().address(stage).folder
        shutil.copytree(lake.root / left, bench.folder / "left" / left)


@contextmanager
def _packed(bench: Bench) -> Iterator[None]:
    """The snapshots without what is kept of them unpacked."""
    beside = [(file.with_suffix(".arrow"), file.with_suffix(".aside")) for file in bench.snapshots()]
    for unpacked, aside in beside:
        unpacked.rename(aside)
    try:
        yield
    finally:
        for unpacked, aside in beside:
            aside.rename(unpacked)


def _take(todo: Job) -> None:
    for side in Side:
        reconciliation.take_snapshot(todo, side)
    reconciliation.map_identity(todo)
    for side in Side:
        sifting.digest_rows(todo, side)


def _forget(job: Job, stage: str) -> None:
    """Let a table be made anew: as if it had not been there."""
    for file in (job.lake.root / job.address(stage).folder).glob("_manifest.json"):
        file.unlink()


if __name__ == "__main__":
    name, folder, world = sys.argv[1:]
    at = Bench(Path(folder), World(**json.loads(world)))
    report(lambda: CONTESTANTS[name](at))
