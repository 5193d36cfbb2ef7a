"""The command line `coexist`: one module per command, modules named after what they render, nothing computed here.

A command reads its options, calls `pipelines`, shows the result and says it again as an exit code.
"""

from __future__ import annotations

import gc
import traceback
from contextlib import ExitStack
from importlib.metadata import version
from typing import Annotated

import typer

from pipelines.cli.audit import audit
from pipelines.cli.backfill import backfill
from pipelines.cli.check import check
from pipelines.cli.demo import demo
from pipelines.cli.drift import drift
from pipelines.cli.exits import ExitCode
from pipelines.cli.explain import explain
from pipelines.cli.group import Commands
from pipelines.cli.publish import publish
from pipelines.cli.purge import purge
from pipelines.cli.readiness import readiness
from pipelines.cli.reconcile import reconcile
from pipelines.cli.recount import recount

app = typer.Typer(
    name="coexist",
    cls=Commands,
    no_args_is_help=True,
    suggest_commands=False,  # click itself does: twice is once too often
    pretty_exceptions_enable=False,  # a defect of ours shows as Python shows it: without the values of local variables
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 all levels met, 1 breach, 2 bad declaration or usage, 3 source or integrity failure.",
)
for command in (demo, check, reconcile, backfill, drift, explain, readiness, audit, recount, publish, purge):
    app.command()(command)


def _show_version(wanted: bool) -> None:  # noqa: FBT001 (how Typer calls it)
    if wanted:
        typer.echo(f"coexist {version('coexist')}")
        raise typer.Exit


@app.callback()
def coexist(
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Two models of the same business that may disagree: visibly, explained, owned and within limits."""


def main() -> None:
    """The console script."""
    gc.freeze()  # what was imported stays; to look through it again and again costs a third of a small run
    with ExitStack() as ending:
        ending.callback(gc.unfreeze)  # libraries that are still held when the process ends complain of it
        ending.push(_tell_defect)
        app()


def _tell_defect(_kind: object, error: BaseException | None, _trace: object) -> None:
    """A defect of ours is told as Python tells it, but not with Python's exit code: that is the one of a breach."""
    if isinstance(error, Exception):
        traceback.print_exception(error)
        raise SystemExit(ExitCode.FAILURE) from None
