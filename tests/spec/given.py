"""Two small models one can see at a glance, reconciled through the public path.

A test says in tables what both sides hold and what must be found. Columns are texts unless the heading says `id:int`;
an empty cell is missing. Everything else about the entity has a default and is given by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

import pandera.polars as pa
import polars as pl
import pyarrow.parquet as pq
from pandera.polars import DataFrameModel, Field

from pipelines import declarations as say
from pipelines.job import Job
from pipelines.lake import Lake
from pipelines.reconciliation import reconcile

FIRST = date(2026, 1, 1)
OWNER = say.Owner("spec")
KINDS = {"": pl.String, "int": pl.Int64, "float": pl.Float64, "day": pl.Date}


@dataclass(frozen=True)
class Given:
    """What both sides hold, on one day or day by day, and how the entity is declared."""

    legacy: str | list[str]
    service: str | list[str]
    key: tuple[str, ...] = ("id",)
    service_key: tuple[str, ...] | None = None
    identity: say.IdentityTable | say.NaturalKey | None = None
    tables: Mapping[str, str] = field(default_factory=dict)
    rules: tuple[say.Field, ...] = (say.Field("name", say.Same("name"), say.Exact()),)
    legacy_holder: Mapping[str, object] = field(default_factory=dict)
    service_holder: Mapping[str, object] = field(default_factory=dict)
    entity: Mapping[str, object] = field(default_factory=dict)

    def days(self, side: str) -> list[str]:
        """The tables of a side, one a day."""
        held = self.legacy if side == "legacy" else self.service
        return [held] if isinstance(held, str) else held


def reconciled(given: Given, folder: Path) -> Job:
    """Reconcile all days; the job of the last one, to look at its results."""
    context = _context(given, folder)
    days = max(len(given.days("legacy")), len(given.days("service")))
    keys = [(FIRST + timedelta(days=n)).isoformat() for n in range(days)]
    for side in ("legacy", "service"):
        for key, table in zip(keys, given.days(side), strict=True):
            (folder / f"{side}_{key}.csv").write_text(_csv(table), encoding="utf-8")
    for name, table in given.tables.items():
        (folder / f"{name}.csv").write_text(_csv(table), encoding="utf-8")
    job = Job(context, context.entities[0], keys[0], Lake(folder / "lake"))
    for key in keys:
        job = replace(job, partition=key)
        reconcile(job)
    return job


def rows(job: Job, stage: str) -> list[dict[str, object]]:
    """The rows of one of the job's tables."""
    found: list[dict[str, object]] = pq.ParquetFile(job.lake.file(job.address(stage))).read().to_pylist()
    return found


def found(given: Given, folder: Path) -> list[tuple[object, ...]]:
    """What was found on the last day: keys, field, type and reason, in their order, missing ones last."""
    names = ("legacy_key", "service_key", "field", "type", "reason")
    findings = [tuple(row[name] for name in names) for row in rows(reconciled(given, folder), "discrepancies")]
    return sorted(findings, key=lambda finding: [(value is None, str(value)) for value in finding])


def _csv(table: str) -> str:
    """A table with `|` between cells as CSV; headings lose their kind."""
    lines = [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]
    head, *body = lines
    cells = [[name.split(":")[0] for name in head], *body]
    return "".join(",".join(f'"{cell}"' if cell else "" for cell in line) + "\n" for line in cells)


def _contract(table: str) -> type[DataFrameModel]:
    names = [name.strip().partition(":") for name in table.strip().splitlines()[0].split("|")]
    members = {name: Field(nullable=True, description=name) for name, _, _ in names}
    annotations = {name: KINDS[kind] for name, _, kind in names}
    return type("Held", (pa.DataFrameModel,), {"__annotations__": annotations, "__module__": __name__, **members})


def _context(given: Given, folder: Path) -> say.Context:
    keys = {"legacy": given.key, "service": given.service_key or given.key}
    more = {"legacy": given.legacy_holder, "service": given.service_holder}
    holders = {
        side: say.Holder(
            source=say.Csv(f"{side}_{{date}}.csv"),
            contract=_contract(given.days(side)[0]),
            key=keys[side],
            **more[side],
        )
        for side in keys
    }
    natural = say.NaturalKey(legacy=_same(keys["legacy"]), service=_same(keys["service"]))
    entity = say.Entity(
        "things",
        description="Things",
        owner=OWNER,
        identity=given.identity or natural,
        fields=given.rules,
        **holders,
        **given.entity,
    )
    return say.Context(
        "spec", description="Spec", owner=OWNER, partitioning=say.Daily(FIRST), entities=(entity,), root=folder
    )


def _same(columns: tuple[str, ...]) -> tuple[say.Same, ...]:
    return tuple(map(say.Same, columns))
