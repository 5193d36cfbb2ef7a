"""`coexist recount`: an event log applied to an earlier snapshot, against a later one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date as day
from typing import Annotated

import typer
from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from pipelines import loading
from pipelines import recount as recounting
from pipelines.cli import selection, words
from pipelines.cli.exits import ExitCode
from pipelines.cli.narrow import Fitting
from pipelines.cli.options import AsJson, ContextNames, Dates, EntityNames, LakePath, OneDate, lake_at, parse_date
from pipelines.cli.screen import Screen
from pipelines.errors import SourceError
from pipelines.job import Job
from pipelines.lake import Lake
from pipelines.recount import Recount

Base = Annotated[
    day | None,
    typer.Option("--base", metavar="DATE", parser=parse_date, help="Begin with this snapshot, not the one before."),
]
_SHOWN = 20


def recount(
    *, context: ContextNames = None, entity: EntityNames = None, date: OneDate = None, base: Base = None,
    lake: LakePath = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Apply all events after a snapshot to it, and compare what comes out with a later snapshot, row by row.

    Of each entity with an event log the latest partition in the lake, or the one of --date, from the snapshot before
    it. Nothing is written. Exits 1 when they disagree: then the log is not complete.
    """
    screen, store = Screen.opened(as_json=as_json), lake_at(lake)
    ended = []
    chosen = selection.entities(loading.load(), context, entity)
    jobs = list(_jobs(chosen, Dates.of(date, None, None), store))
    for job in jobs:
        _refuse_base(job, base)
    for job in jobs:
        with screen.waiting(f"recounting {_path(job)} {job.partition}"):
            ended.append((job, recounting.recount(job, str(base) if base else None)))
    code = ExitCode.MET if all(counted.agrees for _, counted in ended) else ExitCode.BREACH
    screen.emit({"exit_code": code, "recounts": [_document(*counted) for counted in ended]})
    for counted in ended:
        screen.show(*_report(*counted))
    raise typer.Exit(code)


def _jobs(chosen: Sequence[selection.Pair], dates: Dates, lake: Lake) -> Iterator[Job]:
    logged = [(context, entity) for context, entity in chosen if entity.events is not None]
    held = [(pair, lake.partitions(pair[0].name, pair[1].name, "events")) for pair in logged]
    if not held:
        raise typer.BadParameter("none of these entities has an event log", param_hint="--entity / --context")
    if not any(keys for _, keys in held):
        raise SourceError(f"the lake {lake} holds no events of these entities yet: run coexist reconcile")
    yield from selection.latest(held, dates, lake)


def _refuse_base(job: Job, base: day | None) -> None:
    """Raises BadParameter where there is no snapshot of that date, earlier than the job's, to begin with."""
    earlier = [key for key in job.lake.partitions(job.context.name, job.entity.name, "legacy") if key < job.partition]
    if base is None or str(base) in earlier:
        return
    shown = f"there are {', '.join(earlier[-_SHOWN:])}" if earlier else "there is none"
    raise typer.BadParameter(
        f"{base} is no date of an earlier snapshot of {_path(job)} than {job.partition} ({shown})", param_hint="--base"
    )


def _path(job: Job) -> str:
    return f"{job.context.name}.{job.entity.name}"


def _document(job: Job, counted: Recount) -> dict[str, object]:
    about = {"context": job.context.name, "entity": job.entity.name, "business_date": job.partition}
    counts = {name: getattr(counted, name) for name in ("base", "partitions", "rows_then", "events", "rows_now")}
    return about | counts | {"agrees": counted.agrees, "findings": counted.findings}


def _report(job: Job, counted: Recount) -> Iterator[RenderableType]:
    yield Text.assemble("\n", (_path(job), "bold cyan"), (f"  {counted.base} to {job.partition}", "dim"))
    rows, now = words.number(counted.rows_then), words.number(counted.rows_now)
    said = f"{rows} rows and {words.plural(counted.events, 'event')} make "
    if counted.agrees:
        yield Text(f"{said}exactly the {now} rows of {job.partition}", style="green")
        return
    problems = Counter(str(row["problem"]).replace("_", " ") for row in counted.findings)
    told = ", ".join(f"{words.number(n)} {problem}" for problem, n in problems.most_common())
    yield Text(f"{said}other rows than the {now} of {job.partition}: {told}", style="bold red")
    yield Fitting(_table(counted))


def _table(counted: Recount) -> Table:
    """Which rows and fields. Values stay in the lake: a screen is no place for them."""
    left = len(counted.findings) - _SHOWN
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for name in ("legacy key", "field", "problem", "last event"):
        table.add_column(name, overflow="fold")
    for row in counted.findings[:_SHOWN]:
        field, event = row["field"] or "(row)", row["sequence"]
        table.add_row(str(row["legacy_key"]), str(field), str(row["problem"]), "" if event is None else str(event))
    table.caption = f"and {words.number(left)} more: --json lists all" if left > 0 else None
    return table
