"""How close the comparison comes to reading the files: ratios against a bare scan from alternating paired runs.

`python -m benchmarks.compare --rows 4000000` prints the table and writes `benchmarks/results/compare.json`.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from benchmarks import contestants, worlds

RESULTS = Path(__file__).parent / "results" / "compare.json"
BASE = "duckdb scan"
FINDS_NOTHING = {BASE, "polars scan"}


@dataclass(frozen=True)
class Cost:
    """What one whole process took: seconds of processor and clock, peak memory in bytes, and what it printed."""

    cpu: float
    wall: float
    peak: float
    said: str


@dataclass(frozen=True)
class Ratio:
    """A contestant against the bare scan, medians of paired runs; whether it found what is there."""

    name: str
    rows: int
    fields: int
    drift: float
    cpu_ratio: float
    wall_ratio: float
    peak_ratio: float
    agrees: bool


def run(name: str, folder: Path, fields: int) -> Cost:
    """One contestant as a process of its own."""
    command = [sys.executable, "-m", "benchmarks.contestants", name, str(folder), str(fields)]
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, stdout=output)
        _, status, usage = os.wait4(process.pid, 0)
        output.seek(0)
        said = output.read().strip()
    if status:
        raise SystemExit(f"{name} failed with status {status}")
    return Cost(usage.ru_utime + usage.ru_stime, time.perf_counter() - started, usage.ru_maxrss * 1024, said)


def pair(name: str, folder: Path, shape: tuple[int, int, float], runs: int) -> Ratio:
    """Contestant and bare scan by turns, so that both meet the same machine."""
    rows, fields, drift = shape
    pairs = [(run(name, folder, fields), run(BASE, folder, fields)) for _ in range(runs)]
    expected = str(worlds.differences(rows, drift))

    def ratio(what: str) -> float:
        return round(statistics.median(getattr(ours, what) / getattr(base, what) for ours, base in pairs), 2)

    agrees = name in FINDS_NOTHING or all(ours.said == expected for ours, _ in pairs)
    return Ratio(name, rows, fields, drift, ratio("cpu"), ratio("wall"), ratio("peak"), agrees)


def main(rows: int = 1_000_000, fields: int = 16, drifts: str = "0,0.001,0.01,0.1", runs: int = 3) -> None:
    """Print the ratios of every contestant at every drift rate and write them down."""
    found: list[Ratio] = []
    for drift in map(float, drifts.split(",")):
        with tempfile.TemporaryDirectory(prefix="coexist-bench-") as name:
            folder = Path(name)
            worlds.write(folder, rows, fields, drift)
            contestants.prepare(folder, fields)
            run("coexist", folder, fields)  # digests belong to writing the snapshots, not to comparing them
            names = [contestant for contestant in contestants.CONTESTANTS if contestant != BASE]
            found += [pair(contestant, folder, (rows, fields, drift), runs) for contestant in names]
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps([asdict(ratio) for ratio in found], indent=2) + "\n", encoding="utf-8")
    show(found)


def show(found: list[Ratio]) -> None:
    """The ratios as a table."""
    table = Table(title="Ratios to a bare DuckDB scan of both snapshots")
    for heading in Ratio.__dataclass_fields__:
        table.add_column(heading, justify="left" if heading == "name" else "right")
    for ratio in found:
        table.add_row(*map(str, asdict(ratio).values()))
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
