"""Generate a world: everything is written aside and renamed, so a killed run leaves no half world."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from data.insurer import (
    brokers,
    claims,
    endorsements,
    events,
    identity_files,
    invoices,
    ledger,
    parties,
    planting,
    policies,
    rendering,
)  # fmt: skip
from data.insurer.clock import Clock
from data.insurer.model import Model, Side
from data.insurer.population import Population

DEFAULT_SEED, DEFAULT_SIZE, DEFAULT_DAYS, DEFAULT_FIRST_DAY = 7, 2_000, 14, date(2026, 3, 20)
SMALLEST, FEWEST_DAYS = 600, 2
MEMORY = "600MB"


@dataclass(frozen=True)
class World:
    """What was generated, and where. `rows` per entity and side, of the last day; `events` over all days."""

    target: Path
    seed: int
    size: int
    days: int
    first_day: date
    rows: dict[str, dict[str, int]]
    events: dict[str, int]
    ledger_rows: int


def generate(
    target: Path,
    *,
    seed: int = DEFAULT_SEED,
    size: int = DEFAULT_SIZE,
    days: int = DEFAULT_DAYS,
    first_day: date = DEFAULT_FIRST_DAY,
) -> World:
    """Write a world of `size` policies to `target`, replacing what is there.

    Raises ValueError for fewer policies or days than plants need.
    """
    if size < SMALLEST or days < FEWEST_DAYS:
        raise ValueError(f"a world needs at least {SMALLEST} policies and {FEWEST_DAYS} days, not {size} and {days}")
    people = Population(seed, size, Clock(first_day, days))
    with _aside(target) as folder, _engine(folder) as con:
        world = _write(con, people, target, folder)
        (folder / "world.json").write_text(json.dumps(_described(world), indent=2) + "\n", encoding="utf-8")
    return world


def models(people: Population) -> tuple[Model, ...]:
    """All entities, in the order in which they are planted on: claims follow the policies they project."""
    claimed = claims.claimed_policies(people)
    return (
        parties.model(people),
        brokers.model(people),
        policies.model(people, claimed),
        endorsements.model(people),
        invoices.model(people),
        claims.model(people),
    )


def _write(con: duckdb.DuckDBPyConnection, people: Population, target: Path, folder: Path) -> World:
    rows: dict[str, dict[str, int]] = {}
    counted: dict[str, int] = {}
    planting.prepare(con)
    ledger.prepare(con)
    entities = models(people)
    for model in entities:
        planting.plant(con, model, people.size)
    for model in entities:
        ledger.enter(con, model)
        rows[model.entity] = {str(side): rendering.write(con, model, side, folder)[people.clock.last] for side in Side}
        identity_files.write(con, model, people, folder)
        counted[model.entity] = events.write(con, model, folder)
    ledger_rows = ledger.write(con, entities[0], folder)
    return World(
        target, people.seed, people.size, people.clock.days, people.clock.first_day, rows, counted, ledger_rows
    )


def _described(world: World) -> dict[str, object]:
    kept = {name: value for name, value in vars(world).items() if name != "target"}
    return kept | {"first_day": world.first_day.isoformat()}


@contextmanager
def _engine(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """An engine in memory that spills beside the world and knows no local time."""
    spill = folder.with_name(folder.name + ".spill")
    config: dict[str, str | bool | int | float | list[str]] = {"memory_limit": MEMORY, "temp_directory": str(spill)}
    try:
        with duckdb.connect(config=config) as con:
            con.execute("SET TimeZone = 'UTC'")
            con.execute("SET enable_progress_bar = false")
            yield con
    finally:
        shutil.rmtree(spill, ignore_errors=True)


@contextmanager
def _aside(target: Path) -> Iterator[Path]:
    """A folder beside the target that takes its name when all went well, and goes when not."""
    folder = target.with_name(f".{target.name}.{os.getpid()}")
    folder.mkdir(parents=True)
    try:
        yield folder
        if target.exists():
            shutil.rmtree(target)
        folder.rename(target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
