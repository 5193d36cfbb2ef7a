"""Two small models one can see at a glance, reconciled through the public path.

A test says in tables (see `tables`) what both sides hold and what must be found. Everything else about the entity has a
default and is given by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from pipelines import declarations as say
from pipelines.job import Job
from pipelines.lake import Lake
from pipelines.reconciliation import reconcile
from tests.spec.contracts import contract
from tests.spec.tables import table

FIRST = date(2026, 1, 1)
OWNER = say.Owner("spec")


@dataclass(frozen=True)
class Given:
    """What both sides hold, on one day or day by day, and how the entity is declared."""

    legacy: str | pa.Table | list[str]
    service: str | pa.Table | list[str]
    key: tuple[str, ...] = ("id",)
    service_key: tuple[str, ...] | None = None
    identity: say.IdentityTable | say.NaturalKey | None = None
    tables: Mapping[str, str] = field(default_factory=dict)
    rules: tuple[say.Field, ...] = (say.Field("name", say.Same("name"), say.Exact()),)
    legacy_holder: Mapping[str, object] = field(default_factory=dict)
    service_holder: Mapping[str, object] = field(default_factory=dict)
    entity: Mapping[str, object] = field(default_factory=dict)
    context: Mapping[str, object] = field(default_factory=dict)

    def days(self, side: str) -> list[pa.Table]:
        """The tables of a side, one a day."""
        held = self.legacy if side == "legacy" else self.service
        return [_table(day) for day in (held if isinstance(held, list) else [held])]


def reconciled(given: Given, folder: Path, *, first: date = FIRST) -> Job:
    """Reconcile all days from the first; the job of the last one, to look at its results."""
    context = _context(given, folder)
    days = max(len(given.days("legacy")), len(given.days("service")))
    keys = [(first + timedelta(days=n)).isoformat() for n in range(days)]
    for side in ("legacy", "service"):
        for key, held in zip(keys, given.days(side), strict=True):
            pq.write_table(held, folder / f"{side}_{key}.parquet")
    for name, held in given.tables.items():
        pc.write_csv(table(held), folder / f"{name}.csv")
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


def _table(held: str | pa.Table) -> pa.Table:
    return table(held) if isinstance(held, str) else held


def _context(given: Given, folder: Path) -> say.Context:
    keys = {"legacy": given.key, "service": given.service_key or given.key}
    more = {"legacy": given.legacy_holder, "service": given.service_holder}
    holders = {
        side: say.Holder(
            source=say.ParquetFile(f"{side}_{{date}}.parquet"),
            key=keys[side],
            **{"contract": contract("Held", given.days(side)[0].schema)} | more[side],
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
        "spec",
        description="Spec",
        owner=OWNER,
        partitioning=say.Daily(FIRST),
        entities=(entity,),
        root=folder,
        **given.context,
    )


def _same(columns: tuple[str, ...]) -> tuple[say.Same, ...]:
    return tuple(map(say.Same, columns))
