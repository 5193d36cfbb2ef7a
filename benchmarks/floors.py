"""Floors: the least that some of what a run must do costs by itself, where a target leaves it less than that.

`python -m benchmarks.floors FOLDER WORLD`, in a folder that `contestants.prepare` has filled. Each runs in a process of
its own, as contestants do: nothing is compared, everything else is at hand already.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from benchmarks import compare, contestants
from benchmarks.contestants import Bench
from benchmarks.measured import report
from benchmarks.worlds import World, kind_of
from pipelines import engine, places
from pipelines.declarations import Side

WRITTEN = ("discrepancies", "discrepancy_history")
KERNELS: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "integer": lambda text: text.cast(pl.Int64, strict=False),
    "amount": lambda text: text.cast(pl.Decimal(14, 2), strict=False),
    "code": lambda text: text.str.strip_chars(),
    "name": lambda text: text.str.strip_chars(),
    "day": lambda text: text.str.to_date("%Y%m%d", strict=False),
}


def nothing(_: Bench) -> int:
    """The program, its three engines open, and no data: what it takes in memory."""
    with engine.opened(), engine.opened(), engine.opened():
        return 0


def written_again(bench: Bench) -> int:
    """The two tables of findings that a run has left, read whole and written as any table is."""
    todo = bench.job()
    rows = 0
    with todo.lake.transaction(todo.run_id) as transaction:
        for stage in WRITTEN:
            found = pq.ParquetFile(todo.lake.file(todo.address(stage))).read()
            transaction.write(todo.address(stage), found)
            rows += found.num_rows
    return rows


def kernels(bench: Bench) -> int:
    """Each column that is written as of old through the one cast or trim that it needs at least, and nothing after."""
    todo = bench.job()
    rows = pq.read_metadata(todo.lake.file(todo.address(Side.LEGACY))).num_rows
    along = places.along(todo.lake.file(todo.address(Side.LEGACY)))
    for first in range(0, rows, 131_072):
        raw = along(first, min(131_072, rows - first))
        for name in bench.world.old:
            raw.select(KERNELS[kind_of(name)](pl.col(name)))
    return rows


FLOORS = {"nothing": nothing, "written again": written_again, "kernels": kernels}


def measure(name: str, bench: Bench) -> compare.Cost:
    """One of them as a process of its own."""
    command = [sys.executable, "-m", "benchmarks.floors", str(bench.folder), json.dumps(vars(bench.world)), name]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return compare.Cost(**json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    folder, world, *one = sys.argv[1:]
    at = Bench(Path(folder), World(**json.loads(world)))
    if one:
        report(lambda: FLOORS[one[0]](at))
    else:
        contestants.coexist(at)
        for asked in FLOORS:
            cost = measure(asked, at)
            print(f"{asked:14} {cost.cpu:6.2f} s CPU, {cost.peak >> 20:5} MB")
