"""`coexist drift`: the figures of the lake, without running anything."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Annotated

import typer

from pipelines.cli import figures, selection, tables
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
    lake_at,
)
from pipelines.cli.screen import Screen
from pipelines.errors import SourceError, did_you_mean
from pipelines.lake import Address, Lake

FieldNames = Annotated[
    list[str] | None, typer.Option("--field", "-f", metavar="NAME", help="Only this field; may be repeated.")
]
Breached = Annotated[bool, typer.Option("--breached", help="List every breached verdict of the dates instead.")]


def drift(
    *, context: ContextNames = None, entity: EntityNames = None, field: FieldNames = None, date: OneDate = None,
    first: FirstDate = None, last: LastDate = None, breached: Breached = False, lake: LakePath = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Show drift per field, linkage and lag from the lake: the latest of the dates, with the trend up to it.

    Exits 1 when the latest partition of an entity breaches a level (with --breached: when any partition does). JSON
    holds every partition of the dates.
    """
    screen, dates, store = Screen.opened(as_json=as_json), Dates.of(date, first, last), lake_at(lake)
    found = figures.read(store, _addresses(store, context or [], entity or [], dates))
    if field:
        _refuse(field, {str(row["field"]) for one in found for row in one.all("drift")}, "--field")
        found = [one.of_fields(field) for one in found]
    count = figures.breaches(found, latest=not breached)
    code = ExitCode.BREACH if count else ExitCode.MET
    screen.emit({"exit_code": code, "breaches": count} | figures.document(found, breached=breached))
    screen.show(*([tables.breached(found)] if breached else tables.report(found)))
    raise typer.Exit(code)


def _addresses(lake: Lake, contexts: Sequence[str], entities: Sequence[str], dates: Dates) -> list[Address]:
    """The judged partitions asked for.

    Raises SourceError when there are none at all, BadParameter for unknown names and dates.
    """
    every = lake.addresses("drift")
    if not every:
        raise SourceError(f"nothing has been reconciled in the lake {lake} yet: run coexist reconcile")
    _refuse(contexts, {address.context for address in every}, "--context")
    _refuse(entities, {name for address in every for name in _names(address)}, "--entity")
    chosen = [
        address
        for address in every
        if (not contexts or address.context in contexts) and (not entities or _names(address) & set(entities))
    ]
    on_dates = [address for address in chosen if dates.hold(str(address.partition))]
    if not chosen:
        raise selection.not_together(contexts, entities)
    if not on_dates:
        raise selection.nothing_on(dates, {str(address.partition) for address in chosen})
    return on_dates


def _names(address: Address) -> set[str]:
    return {address.entity, f"{address.context}.{address.entity}"}


def _refuse(names: Sequence[str], known: Collection[str], option: str) -> None:
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known)
            raise typer.BadParameter(f'the lake holds nothing of "{name}" ({hint})', param_hint=option)
