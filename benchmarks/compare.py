"""How close the comparison comes to reading the files: ratios against a bare scan from alternating paired runs.

`python -m benchmarks.compare --rows 4000000` prints the table and writes `benchmarks/results/compare.json`. Results of
other sizes, drifts and names that are there stay.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks import contestants, peers
from benchmarks.contestants import CONTESTANTS, Bench
from benchmarks.worlds import World

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "compare.json"
BASE = "duckdb scan"
COUNTS_NOTHING = {BASE, "polars scan", "snapshots with digests", "plain rewrite"}
ALONE = {BASE, "coexist carrying"}  # the measure of all; what makes sense elsewhere only
# What is asked of a world of its own: by name the contestant, and what is other about the world.
ELSEWHERE: dict[str, tuple[str, dict[str, int]]] = {
    "coexist ten rules": ("coexist", {"spelt_as_of_old": 10}),
    "coexist ten rules without digests": ("coexist without digests", {"spelt_as_of_old": 10}),
    "coexist foreign files shuffled": ("coexist foreign files", {"shuffled": True}),
    "coexist 1% of buckets changed": ("coexist carrying", {"touched": 6100}),  # a bucket holds 61 rows of 4 million
    "coexist 0.1% of rows changed": ("coexist carrying", {"touched": 1000}),
}
# What a peer is asked for: a count is the cheapest, a report is what our step gives (but for causes and drift).
PEERS = {f"{name} {what}": (name, what) for name in peers.PINNED for what in ("count", "report")}


@dataclass(frozen=True)
class Cost:
    """What one process came to: rows found, seconds of processor and clock after its imports, peak memory in bytes."""

    found: int
    cpu: float
    wall: float
    peak: int


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
    cpu: float  # seconds
    peak_mb: int


def ours(name: str, bench: Bench) -> Cost:
    """One of our contestants as a process of its own."""
    command = [sys.executable, "-m", "benchmarks.contestants", name, str(bench.folder), json.dumps(asdict(bench.world))]
    return _cost(name, command)


def peer(name: str, bench: Bench, what: str) -> Cost:
    """A peer in its own environment, asked for a `count`, a `report`, or to `prepare`."""
    files = map(str, bench.snapshots())
    return _cost(name, [str(peers.python(name)), "-m", "benchmarks.peer", name, *files, what])


def _cost(name: str, command: list[str]) -> Cost:
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=HERE.parent)
    if done.returncode:
        raise SystemExit(f"{name} failed with status {done.returncode}:\n{done.stderr}")
    return Cost(**json.loads(done.stdout.splitlines()[-1]))


def run(name: str, bench: Bench) -> Cost:
    """A contestant of ours or a peer, once."""
    asked, what = PEERS.get(name, ("", ""))
    return peer(asked, bench, what) if asked else ours(name, bench)


def pair(name: str, bench: Bench, runs: int) -> Ratio:
    """Contestant and bare scan by turns, so that both meet the same machine."""
    pairs = [(run(name, bench), ours(BASE, bench)) for _ in range(runs)]

    def ratio(what: str) -> float:
        return round(statistics.median(getattr(cost, what) / getattr(base, what) for cost, base in pairs), 3)

    world = bench.world
    return Ratio(
        name, world.rows, world.fields, world.drift, ratio("cpu"), ratio("wall"), ratio("peak"),
        name in COUNTS_NOTHING or all(cost.found == world.differences for cost, _ in pairs),
        round(statistics.median(cost.cpu for cost, _ in pairs), 3),
        round(statistics.median(cost.peak for cost, _ in pairs)) >> 20,
    )  # fmt: skip


def measured(world: World, names: list[str], runs: int, folder: Path) -> Iterator[Ratio]:
    """All contestants on one world."""
    bench = Bench(folder, world)
    contestants.prepare(bench)
    ours("coexist", bench)  # something that can stand
    for name in names:
        if name.startswith("reladiff"):
            peer("reladiff", bench, "prepare")
        yield pair(name, bench, runs)


def elsewhere(name: str, world: World, runs: int, folder: Path) -> Ratio:
    """Our step on a world that differs in more than rows."""
    contestant, other = ELSEWHERE[name]
    (ratio,) = measured(replace(world, **other), [contestant], runs, folder)
    return replace(ratio, name=name)


def main(
    rows: int = 1_000_000,
    fields: str = "16",
    drifts: str = "0,0.01",
    runs: int = 3,
    only: Annotated[str, typer.Option(help="Contestants, with commas between; else all, peers too.")] = "",
) -> None:
    """Measure the contestants at every drift and number of fields, print their ratios and write them down."""
    names = only.split(",") if only else [*(name for name in CONTESTANTS if name not in ALONE), *ELSEWHERE, *PEERS]
    found: list[Ratio] = []
    for width in map(int, fields.split(",")):
        for drift in map(float, drifts.split(",")):
            world = World(rows, width, drift)
            with tempfile.TemporaryDirectory(prefix="coexist-bench-") as folder:
                for ratio in ratios(world, names, runs, Path(folder)):
                    found.append(ratio)
                    keep(found)
    show(found)


def ratios(world: World, names: list[str], runs: int, folder: Path) -> Iterator[Ratio]:
    """These contestants on one world, each as soon as it is known."""
    among = [name for name in names if name not in ELSEWHERE]
    if among:
        yield from measured(world, among, runs, folder / "plain")
    for name in names:
        if name in ELSEWHERE:
            yield elsewhere(name, world, runs, folder / name)


def keep(found: list[Ratio]) -> None:
    """Write ratios down among those that are there."""
    kept = {_case(entry): entry for entry in (json.loads(RESULTS.read_text()) if RESULTS.exists() else [])}
    kept |= {_case(entry): entry for entry in map(asdict, found)}
    RESULTS.parent.mkdir(exist_ok=True)
    in_order = sorted(kept.values(), key=lambda entry: (entry["rows"], entry["fields"], entry["drift"]))
    RESULTS.write_text(json.dumps(in_order, indent=2) + "\n", encoding="utf-8")


def _case(entry: dict[str, object]) -> tuple[object, ...]:
    return tuple(entry[what] for what in ("name", "rows", "fields", "drift"))


def show(found: list[Ratio]) -> None:
    """The ratios as a table."""
    table = Table(title="Ratios to a bare DuckDB scan of both snapshots")
    for heading in Ratio.__dataclass_fields__:
        table.add_column(heading, justify="left" if heading == "name" else "right")
    for ratio in found:
        table.add_row(*map(str, asdict(ratio).values()))
    Console(width=140).print(table)


if __name__ == "__main__":
    typer.run(main)
