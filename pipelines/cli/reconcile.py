"""`coexist reconcile`: take snapshots, compare, judge, for every entity and partition asked for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from pipelines import catalog, loading, readiness, staleness, verification
from pipelines.cli import endings, selection
from pipelines.cli.exits import ExitCode
from pipelines.cli.options import (
    AsJson,
    ContextNames,
    Dates,
    EntityNames,
    FirstDate,
    LakePath,
    LastDate,
    OneDate,
    Workers,
    lake_at,
)  # fmt: skip
from pipelines.cli.running import run
from pipelines.cli.screen import Screen
from pipelines.errors import IntegrityError, did_you_mean
from pipelines.job import Job
from pipelines.lake import Lake
from pipelines.portfolio import Portfolio

ENGINES = ("duckdb",)
EngineName = Annotated[str, typer.Option("--engine", metavar="NAME", help="What runs the comparison: duckdb.")]
Verify = Annotated[
    bool, typer.Option("--verify", help="Look again, value by value, at all that passed on the evidence of hashes.")
]


def reconcile(
    *, context: ContextNames = None, entity: EntityNames = None, date: OneDate = None, first: FirstDate = None,
    last: LastDate = None, engine: EngineName = ENGINES[0], verify: Verify = False, count: Workers = None,
    lake: LakePath = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Reconcile partitions: take both snapshots, link, compare, judge, and publish the catalogue.

    Without dates: every partition that has ended. A source that fails does not stop the others. Exits 1 when a level is
    breached, 3 when a partition could not be reconciled.
    """
    if engine not in ENGINES:
        raise typer.BadParameter(
            f'there is no engine "{engine}" ({did_you_mean(engine, ENGINES)})', param_hint="--engine"
        )
    if verify:
        os.environ[verification.WANTED] = "1"  # of worker processes too
    screen, portfolio, store = Screen.opened(as_json=as_json), loading.load(), lake_at(lake)
    chosen = selection.entities(portfolio, context, entity)
    ended = run(screen, selection.jobs(chosen, Dates.of(date, first, last), store), portfolio, count)
    screen.show(*endings.report(ended))
    path, late, broken = _afterwards(store, portfolio, ended)
    code = ExitCode.FAILURE if broken else endings.exit_code(ended)
    screen.emit(
        {"exit_code": code, "catalog": path and str(path)}
        | endings.document(ended, late)
        | ({"error": {"family": type(broken).__name__, "message": str(broken)}} if broken else {})
    )
    for line in endings.warnings(late):
        screen.note(line, style="yellow")
    if broken:
        screen.note(f"Error: {broken}", style="red")
    raise typer.Exit(code)


def _afterwards(
    store: Lake, portfolio: Portfolio, ended: endings.Ended
) -> tuple[Path | None, list[Job], IntegrityError | None]:
    """The catalogue, what should be run again, and what in the lake is broken: the results are there all the same.

    Capabilities of what was reconciled are assessed.
    """
    path, late = None, []
    try:
        done = [job for job, attempt in ended if not attempt.failure]
        late = staleness.outdated(done) + staleness.elsewhere(done, portfolio)
        readiness.follow(portfolio, [job for job, _ in ended])
        path = catalog.publish(store, list(portfolio.entities()))
    except IntegrityError as error:
        return path, late, error
    return path, late, None
