"""`coexist demo`: the example worlds, made and reconciled, so that a newcomer sees a true answer first."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import pyarrow.parquet as pq
import typer
from rich.table import Table
from rich.text import Text

from pipelines import catalog, loading, readiness
from pipelines.cli import endings, figures, selection, tables, words
from pipelines.cli.exits import ExitCode
from pipelines.cli.figures import Figures
from pipelines.cli.live import CONTEXTS, live_servers
from pipelines.cli.options import AsJson, Dates, LakePath, Workers, lake_at
from pipelines.cli.running import run, run_by_date
from pipelines.cli.screen import Screen
from pipelines.errors import SourceError
from pipelines.job import Job
from pipelines.lake import Lake

# The examples are not known to `pipelines`; the generator is run as anybody would, and the contexts read this variable.
GENERATOR = "data.insurer"
WORLD = "COEXIST_INSURER_WORLD"
DEFAULT_WORLD = Path("data", "insurer", "world")
_LAKE = Path("data", "lake")

Size = Annotated[int, typer.Option("--size", min=600, metavar="N", help="Policies of the insurer.")]
Seed = Annotated[int, typer.Option("--seed", metavar="N", help="Another seed, another world.")]
Live = Annotated[
    bool,
    typer.Option("--live", help="Load the insurer into Postgres, MariaDB and Kafka started for it, and read those."),
]
World = Annotated[
    Path | None,
    typer.Option(
        "--world", envvar=WORLD, metavar="DIR", help=f"Where to write the insurer; {DEFAULT_WORLD} if not set."
    ),
]


def demo(
    *, size: Size = 2000, seed: Seed = 7, world: World = None, live: Live = False, count: Workers = None,
    lake: LakePath = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Generate an insurer whose two worlds disagree on purpose, and reconcile it and the bank registry.

    Prints the drift of every entity on its last day. Exits 0 when it ran: the breaches are by design.
    """
    screen, store, target = Screen.opened(as_json=as_json), lake_at(lake), world or DEFAULT_WORLD
    os.environ[WORLD] = str(target)
    with screen.waiting(f"generating an insurer with {size:,} policies and 14 days"):
        _generate(target, size, seed)
    with live_servers(screen) if live else nullcontext() as servers:
        portfolio = loading.load(CONTEXTS if servers else loading.DEFAULT)
        jobs = selection.jobs(list(portfolio.entities()), Dates(), store)
        if servers:
            ended = run_by_date(screen, jobs, portfolio, count, before=servers.publish)
        else:
            ended = run(screen, jobs, portfolio, count)
    readiness.follow(portfolio, jobs)
    path = catalog.publish(store, list(portfolio.entities()))
    done = [job for job, attempt in ended if not attempt.failure]
    code = ExitCode.MET if len(done) == len(ended) else ExitCode.FAILURE
    screen.emit({"exit_code": code, "world": str(target), "catalog": str(path)} | endings.document(ended, []))
    found = figures.read(store, [job.address("drift") for job in done])
    screen.show(*tables.report(found), *endings.failures(ended), _said(found, target), _next(done, path, store, target))
    raise typer.Exit(code)


def _generate(target: Path, size: int, seed: int) -> None:
    """Run the generator. Raises SourceError when it fails, with its last words."""
    options = ["--target", str(target), "--size", str(size), "--seed", str(seed)]
    ran = subprocess.run([sys.executable, "-m", GENERATOR, *options], capture_output=True, text=True, check=False)  # noqa: S603 (our own module)
    if ran.returncode:
        last = (ran.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise SourceError(f"the insurer could not be generated (python -m {GENERATOR}, from the checkout): {last}")


def _said(found: Sequence[Figures], target: Path) -> Text:
    """How many breaches there are, and that there should be."""
    partitions = sum(len(one.partitions) for one in found)
    last, every = figures.breaches(found, latest=True), figures.breaches(found, latest=False)
    return Text.assemble(
        (
            f"{words.plural(last, 'breach')} on the last dates, {every:,} over all {partitions} partitions: by design.",
            "bold",
        ),
        f" What was planted in the insurer stands in {target / 'ledger.csv'}; the banks are a real registry.",
    )


def _next(done: Sequence[Job], path: Path, lake: Lake, world: Path) -> Table:
    """What to try now."""
    table = Table.grid(padding=(0, 3))
    table.title, table.title_justify, table.title_style = "\nNext", "left", "bold"
    places = [] if lake.root == _LAKE else [f"COEXIST_LAKE={lake}"]
    places += [] if world == DEFAULT_WORLD else [f"{WORLD}={world}"]
    if places:
        table.add_row(f"export {' '.join(places)}", "so that what follows finds this lake and this world")
    example = _example(done)
    if example:
        table.add_row(f"coexist explain {example}", "one discrepancy and everything that led to it")
    table.add_row("coexist drift --breached", "every breach of every date")
    table.add_row("make ui", "the same in Dagster: assets, partitions, checks, backfills")
    table.add_row(str(path), "the tables for BI: drift, linkage, discrepancies, lag, runs")
    return table


def _example(done: Sequence[Job]) -> str | None:
    """The beginning of the id of a stale value, the latest there is."""
    for job in sorted(done, key=lambda job: job.partition, reverse=True):
        rows = pq.read_table(
            job.lake.file(job.address("discrepancies")), columns=["discrepancy_id", "reason"]
        ).to_pylist()
        for row in rows:
            if row["reason"] == "behind_beyond_lag":
                return str(row["discrepancy_id"])[:12]
    return None
