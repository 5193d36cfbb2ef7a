"""What saying why costs against what seeing that costs: classification with a long history, and the comparison.

`python -m benchmarks.classify --rows 4000000` prints both and writes `benchmarks/results/classify.json`. Every
hundredth row differs in one field; the system of record said thirteen partitions long what the replica says today, so
every difference has its witnesses. Each part runs in a process of its own, by turns.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path

import typer

from benchmarks import entity, worlds
from benchmarks.measured import report
from benchmarks.worlds import World
from pipelines import classification, comparison, engine, plan, proving, reconciliation, sifting
from pipelines.declarations import Side
from pipelines.engine import Engine
from pipelines.job import Job
from pipelines.lake import Lake

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "classify.json"
DAYS = [f"2026-01-{day:02}" for day in range(1, 15)]  # the last one is judged, the others are its history


@dataclass(frozen=True)
class Measured:
    """One part in one size, medians of paired runs: seconds of processor and clock, and peak memory."""

    part: str
    rows: int
    fields: int
    differences: int
    partitions: int
    cpu: float
    wall: float
    peak_mb: int


@dataclass(frozen=True)
class Parts:
    """One job up to the point where a part begins; the parts share an engine."""

    session: Engine
    job: Job

    def compared(self, *, sifted: bool) -> int:
        """From two snapshots to all differences."""
        passed = sifting.sift(self.job) if sifted else None
        if passed:
            plan.link_and_translate_rest(self.session, self.job, passed)
        else:
            plan.link_and_translate(self.session, self.job)
        comparison.compare(self.session, self.job.entity)
        return int(str(self.session.rows("SELECT COUNT(*) AS n FROM differences")[0]["n"]))

    def classified(self) -> int:
        """From differences to discrepancies, each with type, reason and evidence."""
        witnesses = proving.witness_partitions(self.job)
        proofs = proving.prove(self.session, self.job, witnesses)
        self.session.register("earlier findings", classification.EARLIER.empty_table())
        run = classification.Run(self.job.run_id, date.fromisoformat(self.job.partition), self.job.deadline)
        query = classification.classify(self.session, self.job.context, self.job.entity, run, proofs=proofs)
        return sum(batch.num_rows for batch in self.session.reader(query).cast(classification.SCHEMA))


def job(folder: Path, world: World) -> Job:
    """The last day; all days before it may testify."""
    context = entity.context(folder, world)
    declared = replace(context.entities[0], horizon=len(DAYS))
    return Job(replace(context, entities=(declared,)), declared, DAYS[-1], Lake(folder / "lake"))


def prepare(folder: Path, world: World) -> None:
    """Take the last day's snapshots, and the first day's, in which legacy said what the service says today.

    The days between are copies of the first: what is in a snapshot does not change what reading it costs.
    """
    worlds.write(folder, world)
    last = job(folder, world)
    for side in Side:
        reconciliation.take_snapshot(last, side)
    (folder / "legacy.parquet").unlink()
    os.link(folder / "service.parquet", folder / "legacy.parquet")
    first = replace(last, partition=DAYS[0])
    for side in Side:
        reconciliation.take_snapshot(first, side)
        for day in DAYS[1:-1]:
            _copy(first, side, day)
    reconciliation.map_identity(last)
    for side in Side:
        sifting.digest_rows(last, side)


def _copy(first: Job, side: Side, day: str) -> None:
    here, there = (first.lake.root / first.at(side, key).folder for key in (first.partition, day))
    there.mkdir(parents=True)
    for file in here.iterdir():
        os.link(file, there / file.name)


@contextmanager
def _opened(folder: Path, world: World) -> Iterator[Parts]:
    with engine.opened() as session:
        yield Parts(session, job(folder, world))


def run(part: str, folder: Path, world: World) -> None:
    """Do one part in this process and print its cost."""
    with _opened(folder, world) as parts:
        if part == "comparison":
            report(lambda: parts.compared(sifted=False))
        elif part == "comparison by digests":
            report(lambda: parts.compared(sifted=True))
        else:
            parts.compared(sifted=True)
            report(parts.classified)


PARTS = ("comparison", "comparison by digests", "classification")


def main(rows: int = 4_000_000, fields: int = 16, drift: float = 0.01, runs: int = 3) -> None:
    """Measure the parts by turns, print them and write them down."""
    world = World(rows, fields, drift)
    with tempfile.TemporaryDirectory(prefix="coexist-bench-") as folder:
        prepare(Path(folder), world)
        costs = [[_cost(part, Path(folder), world) for part in PARTS] for _ in range(runs)]
    found = [_median(part, world, [turn[at] for turn in costs]) for at, part in enumerate(PARTS)]
    for one in found:
        print(json.dumps(asdict(one)))
    RESULTS.write_text(json.dumps([asdict(one) for one in found], indent=2) + "\n", encoding="utf-8")


def _cost(part: str, folder: Path, world: World) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.classify", "part", part, str(folder), json.dumps(asdict(world))]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=HERE.parent)
    cost: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    if cost["found"] != world.differences:
        raise SystemExit(f"{part} found {cost['found']} instead of {world.differences}")
    return cost


def _median(part: str, world: World, costs: list[dict[str, float]]) -> Measured:
    cpu, wall, peak = (statistics.median(cost[what] for cost in costs) for what in ("cpu", "wall", "peak"))
    return Measured(
        part, world.rows, world.fields, world.differences, len(DAYS), round(cpu, 3), round(wall, 3), int(peak) >> 20
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["part"]:
        run(sys.argv[2], Path(sys.argv[3]), World(**json.loads(sys.argv[4])))
    else:
        typer.run(main)
