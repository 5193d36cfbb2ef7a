"""`coexist backfill`: partitions run again by a running Dagster, where each run is seen."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from typing import Annotated

import typer

from pipelines import backfill as backfills
from pipelines import loading
from pipelines.cli import selection, words
from pipelines.cli.exits import ExitCode
from pipelines.cli.options import AsJson, Dates, FirstDate, LastDate, OneDate, lake_at
from pipelines.cli.screen import Screen
from pipelines.webserver import URL

ContextName = Annotated[str, typer.Option("--context", "-c", metavar="NAME", help="The context.")]
EntityName = Annotated[str | None, typer.Option("--entity", "-e", metavar="NAME", help="Only this entity of it.")]
Stale = Annotated[bool, typer.Option("--stale", help="Only what is stale or missing, and what is made from it.")]
Url = Annotated[str, typer.Option("--url", envvar="COEXIST_DAGSTER_URL", metavar="URL", help="The Dagster web server.")]
Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why, for those who look at the runs.")]


def backfill(
    *, context: ContextName, entity: EntityName = None, date: OneDate = None, first: FirstDate = None,
    last: LastDate = None, stale: Stale = False, url: Url = URL, reason: Reason = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Launch a backfill in a running Dagster (make ui), and print its link.

    Choose partitions with --date, --from and --to, or --stale, or --stale within dates.
    """
    screen, dates = Screen.opened(as_json=as_json), Dates.of(date, first, last)
    if not (stale or date or first or last):
        raise typer.BadParameter("say which partitions", param_hint="--date / --from / --to / --stale")
    chosen = selection.entities(loading.load(), [context], [entity] if entity else None)
    wanted = sorted({job.partition for job in selection.jobs(chosen, dates, lake_at(None))})
    name = entity.rpartition(".")[2] if entity else None
    tags = {"requester": _requester()} | ({"reason": reason} if reason else {})
    if stale:
        within = wanted if date or first or last else None
        launched = backfills.refresh(url, context=context, entity=name, partitions=within, tags=tags)
    else:
        launched = backfills.launch(url, context=context, entity=name, partitions=wanted, tags=tags)
    link = f"{url.rstrip('/')}/runs/b/{launched}" if launched else None
    screen.emit({"exit_code": ExitCode.MET, "backfill": launched, "link": link, "partitions": [] if stale else wanted})
    screen.show(_said(context, entity, wanted, link, stale=stale))


def _said(context: str, entity: str | None, partitions: Sequence[str], link: str | None, *, stale: bool) -> str:
    what = entity or context
    if link is None:
        return f"Nothing of {what} is stale or missing: nothing to do."
    those = "what is stale or missing" if stale else words.plural(len(partitions), "partition")
    return f"Launched {those} of {what}: {link}"


def _requester() -> str:
    """Who asks; some containers know no name for their user."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"
