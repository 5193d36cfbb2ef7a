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
from pipelines.declarations import Capability, Context
from pipelines.errors import SourceError, did_you_mean
from pipelines.gates import Status
from pipelines.portfolio import Portfolio
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
    chosen = [
        Assessment(portfolio, of, one, "", store) for of, one in _chosen(portfolio, context or [], capability or [])
    ]
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


def _chosen(portfolio: Portfolio, contexts: Sequence[str], names: Sequence[str]) -> list[tuple[Context, Capability]]:
    """The capabilities of these names and contexts, all without either. Raises BadParameter for others."""
    selection.entities(portfolio, contexts, None)
    declared = {f"{context.name}.{one.name}": (context, one) for context, one in portfolio.capabilities()}
    known = {name for path, (_, one) in declared.items() for name in (path, one.name)}
    for name in names:
        if name not in known:
            message = f'there is no capability "{name}" ({did_you_mean(name, known)})'
            raise typer.BadParameter(message, param_hint="--capability")
    found = [
        (context, one)
        for path, (context, one) in declared.items()
        if (not contexts or context.name in contexts) and (not names or {path, one.name} & set(names))
    ]
    if not found:
        raise typer.BadParameter("no capability is declared there: see docs/readiness.md", param_hint="--capability")
    return found


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
