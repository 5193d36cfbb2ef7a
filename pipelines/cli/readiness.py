"""`coexist readiness`: whether legacy may be switched off for a capability, gate by gate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated
from uuid import uuid4

import typer

from pipelines import catalog, loading
from pipelines import readiness as assessing
from pipelines.cli import gates, selection
from pipelines.cli.exits import ExitCode
from pipelines.cli.options import AsJson, ContextNames, Dates, FirstDate, LakePath, LastDate, OneDate, lake_at
from pipelines.cli.screen import Screen
from pipelines.errors import SourceError
from pipelines.gates import Status
from pipelines.readiness import Assessment

CapabilityNames = Annotated[
    list[str] | None, typer.Option("--capability", metavar="NAME", help="Only this capability; may be repeated.")
]


def readiness(
    *, context: ContextNames = None, capability: CapabilityNames = None, date: OneDate = None, first: FirstDate = None,
    last: LastDate = None, lake: LakePath = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Assess whether legacy may be switched off for a capability: of what was judged in the lake, and what is declared.

    Without dates: as of the latest date of its entities in the lake. Writes the table `readiness`. Exits 1 when a gate
    of the latest date is not met.
    """
    screen, portfolio, store = Screen.opened(as_json=as_json), loading.load(), lake_at(lake)
    declared = selection.capabilities(portfolio, context, capability)
    chosen = [Assessment(portfolio, of, one, "", store) for of, one in declared]
    asked, run_id = list(_dated(screen, chosen, Dates.of(date, first, last))), uuid4().hex
    for one in asked:
        assessing.assess(one, run_id=run_id)
    found = [(one, assessing.assessed(one)) for one in asked]
    path, latest = catalog.build(store), {one.path: rows for one, rows in found}
    is_ready = all(row["status"] == Status.MET for rows in latest.values() for row in rows)
    code = ExitCode.MET if is_ready and len(latest) == len(chosen) else ExitCode.BREACH
    screen.emit({"exit_code": code, "catalog": str(path), "readiness": gates.document(found)})
    screen.show(*gates.report(found))
    raise typer.Exit(code)


def _dated(screen: Screen, chosen: Sequence[Assessment], dates: Dates) -> Iterator[Assessment]:
    """Each capability on the dates asked for, else on the latest of which anything is known.

    Says of which nothing is. Raises SourceError when that is all of them, BadParameter for dates there are none of.
    """
    unknown = []
    for one in chosen:
        keys = _keys(one, dates)
        yield from (replace(one, partition=key) for key in keys)
        if not keys:
            unknown.append(one.path)
    for path in unknown:
        screen.note(f"nothing of {path} is judged in the lake yet: run coexist reconcile", style="yellow")
    if len(unknown) == len(chosen):
        raise SourceError(f"there is nothing judged of {', '.join(unknown)} in the lake {chosen[0].lake}")


def _keys(asked: Assessment, dates: Dates) -> list[str]:
    every = asked.context.partitioning.keys(datetime.now(UTC).date())
    if dates != Dates():
        held = [key for key in every if dates.hold(key)]
        if not held:
            raise selection.nothing_on(dates, every)
        return held
    known = [
        key for context, entity in asked.entities() for key in asked.lake.partitions(context.name, entity.name, "drift")
    ]
    return [key for key in every if key <= max(known)][-1:] if known else []
