"""Selection: from names and dates as typed to jobs, or an error that names the nearest valid choice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime

import typer

from pipelines.cli.options import Dates
from pipelines.declarations import Capability, Context, Entity
from pipelines.errors import DeclarationError, did_you_mean
from pipelines.job import Job
from pipelines.lake import Lake
from pipelines.portfolio import Portfolio

Pair = tuple[Context, Entity]


def entities(portfolio: Portfolio, contexts: Sequence[str] | None, names: Sequence[str] | None) -> list[Pair]:
    """The entities of these names. Raises BadParameter for names that are not declared, or not together."""
    try:
        chosen = list(portfolio.select(contexts or (), names or ()))
    except DeclarationError as error:
        problem = error.problems[0]
        raise typer.BadParameter(
            f'{problem.message} "{problem.file}"{f" ({problem.suggestion})" if problem.suggestion else ""}',
            param_hint=f"--{problem.path}",
        ) from None
    if not chosen:
        raise not_together(contexts or (), names or ())
    return chosen


def not_together(contexts: Sequence[str], names: Sequence[str]) -> typer.BadParameter:
    """The error that these contexts have none of these entities."""
    return typer.BadParameter(f"there is no {', '.join(names)} in {', '.join(contexts)}", param_hint="--entity")


def capabilities(
    portfolio: Portfolio, contexts: Sequence[str] | None, names: Sequence[str] | None
) -> list[tuple[Context, Capability]]:
    """The capabilities of these names, raising as `entities` does; all without names."""
    entities(portfolio, contexts, None)  # whose contexts are known
    declared = {f"{context.name}.{one.name}": (context, one) for context, one in portfolio.capabilities()}
    known = {name for path, (_, one) in declared.items() for name in (path, one.name)}
    for name in names or ():
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


def jobs(chosen: Iterable[Pair], dates: Dates, lake: Lake) -> list[Job]:
    """A job for every partition of these entities that is asked for: without dates, all that have ended by today.

    Raises BadParameter when no partition is.
    """
    known = {(context.name, entity.name): _partitions(context, entity, dates) for context, entity in chosen}
    found = [
        Job(context, entity, partition, lake)
        for context, entity in chosen
        for partition in known[context.name, entity.name]
        if dates.hold(partition)
    ]
    if not found:
        raise nothing_on(dates, {partition for partitions in known.values() for partition in partitions})
    return found


def latest(held: Sequence[tuple[Pair, Sequence[str]]], dates: Dates, lake: Lake) -> Iterator[Job]:
    """A job for the latest partition of each entity that is held and asked for.

    Raises BadParameter when none is.
    """
    chosen = [(pair, [key for key in keys if dates.hold(key)]) for pair, keys in held]
    if not any(keys for _, keys in chosen):
        raise nothing_on(dates, {key for _, keys in held for key in keys})
    for (context, entity), keys in chosen:
        if keys:
            yield Job(context, entity, keys[-1], lake)


def nothing_on(dates: Dates, partitions: Iterable[str]) -> typer.BadParameter:
    """The error that there is nothing on these dates, with the nearest partition."""
    valid = sorted(partitions)
    hint = "--date" if dates.exact else "--from / --to"
    wanted = dates.first or dates.last
    if not valid or wanted is None:
        return typer.BadParameter("no partition has ended yet", param_hint=hint)
    nearest = min(valid, key=lambda key: abs((date.fromisoformat(key) - wanted).days))
    shown = valid[0] if len(valid) == 1 else f"{valid[0]} to {valid[-1]}"
    asked = str(dates.first) if dates.exact else f"{dates.first or 'the beginning'} to {dates.last or 'today'}"
    message = f'no partition on {asked}; did you mean "{nearest}"? (there are {len(valid)}: {shown})'
    return typer.BadParameter(message, param_hint=hint)


def _partitions(context: Context, entity: Entity, dates: Dates) -> list[str]:
    """All partitions that have ended, and one that has only begun if its date is asked for."""
    partitioning, now = entity.partitioning or context.partitioning, datetime.now(UTC)
    return [
        key for key in partitioning.keys(now.date()) if dates.last is not None or partitioning.watermark(key) <= now
    ]
