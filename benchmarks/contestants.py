"""What is timed, each as a process of its own: `python -m benchmarks.contestants NAME FOLDER FIELDS`.

Prints how many rows differ. FOLDER holds legacy.parquet and service.parquet (see `worlds`); `coexist` keeps its lake
there, prepared before.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl

from benchmarks import entity, worlds
from pipelines import reconciliation, snapshot
from pipelines.declarations import Side
from pipelines.job import Job
from pipelines.lake import Lake

DAY = "2026-01-01"


def job(folder: Path, fields: int) -> Job:
    """The job that reconciles the folder's two files."""
    context = entity.context(folder, fields)
    return Job(context, context.entities[0], DAY, Lake(folder / "lake"))


def prepare(folder: Path, fields: int) -> None:
    """Take both snapshots, outside what is timed."""
    todo = job(folder, fields)
    for side in Side:
        snapshot.take(todo.entity, side, context=todo.context, partition=DAY, lake=todo.lake, run_id=todo.run_id)


def coexist(folder: Path, fields: int) -> int:
    """Our whole compare step: from two snapshots to the complete discrepancies, drift, linkage and lag."""
    todo = job(folder, fields)
    reconciliation.find_discrepancies(todo)
    reconciliation.judge_drift(todo)
    found = todo.lake.manifest(todo.address("discrepancies"))
    return found.rows if found else 0


def duckdb_scan(folder: Path, fields: int) -> int:
    """The measure of all: DuckDB reads every column of both snapshots once."""
    todo = job(folder, fields)
    columns = ", ".join(f"max({name})" for name in ["id", *worlds.field_names(fields)])
    with duckdb.connect(config={"memory_limit": "4GB", "threads": 2}) as connection:
        for side in Side:
            connection.sql(f"SELECT {columns} FROM '{todo.lake.file(todo.address(side))}'").fetchall()
    return 0


def polars_scan(folder: Path, fields: int) -> int:
    """The same by Polars."""
    todo = job(folder, fields)
    for side in Side:
        pl.scan_parquet(todo.lake.file(todo.address(side))).select(pl.all().max()).collect(engine="streaming")
    return 0


def full_join(folder: Path, fields: int) -> int:
    """What one writes first: one full join on the key, a condition a column."""
    todo = job(folder, fields)
    legacy, service = (todo.lake.file(todo.address(side)) for side in Side)
    differs = " OR ".join(f"l.{name} IS DISTINCT FROM s.{name}" for name in worlds.field_names(fields))
    with duckdb.connect(config={"memory_limit": "4GB", "threads": 2}) as connection:
        row = connection.sql(
            f"SELECT count(*) FROM '{legacy}' AS l FULL JOIN '{service}' AS s ON l.id = s.id WHERE {differs}"
        ).fetchone()
    return int(row[0]) if row else 0


CONTESTANTS: dict[str, Callable[[Path, int], int]] = {
    "duckdb scan": duckdb_scan,
    "polars scan": polars_scan,
    "coexist": coexist,
    "full join": full_join,
}

if __name__ == "__main__":
    name, folder, fields = sys.argv[1:]
    print(CONTESTANTS[name](Path(folder), int(fields)))
