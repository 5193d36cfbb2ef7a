"""Figures: what the lake says about drift, linkage, lag and semantic rules, by entity and partition.

Rendering is `tables`'.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import pyarrow.parquet as pq

from pipelines.lake import Address, Lake
from pipelines.service_level import Verdict

TABLES = ("drift", "linkage", "lag", "semantic_rules", "concentrations")
Row = dict[str, object]


@dataclass(frozen=True)
class Figures:
    """The judged tables of one entity: rows by table and partition, partitions in order."""

    context: str
    entity: str
    rows: dict[str, dict[str, list[Row]]]

    @property
    def path(self) -> str:
        """The entity's name with its context's."""
        return f"{self.context}.{self.entity}"

    @cached_property
    def partitions(self) -> list[str]:
        """The partitions with drift, oldest first."""
        return sorted(self.rows["drift"])

    def latest(self, table: str) -> list[Row]:
        """The rows of the last partition."""
        return self.rows[table].get(self.partitions[-1], [])

    def trend(self, field: str) -> list[Row | None]:
        """The drift of one field partition by partition; None where it was not there."""
        return [
            next((row for row in self.rows["drift"][partition] if row["field"] == field), None)
            for partition in self.partitions
        ]

    def of_fields(self, fields: Collection[str]) -> Figures:
        """The drift of these fields only."""
        drift = {
            partition: [row for row in rows if row["field"] in fields] for partition, rows in self.rows["drift"].items()
        }
        return Figures(self.context, self.entity, {table: {} for table in TABLES} | {"drift": drift})

    def all(self, table: str) -> Iterator[Row]:
        """Every row with its date, oldest first."""
        for partition in self.partitions:
            for row in self.rows[table].get(partition, []):
                yield {"business_date": partition} | row


def read(lake: Lake, addresses: Iterable[Address]) -> list[Figures]:
    """The figures of these partitions of these entities; the stage of an address does not matter."""
    found: dict[tuple[str, str], Figures] = {}
    for address in addresses:
        names = (address.context, address.entity)
        figures = found.setdefault(names, Figures(*names, {table: {} for table in TABLES}))
        for table in TABLES:
            file = lake.file(Address(*names, table, address.partition))
            figures.rows[table][str(address.partition)] = pq.read_table(file).to_pylist() if file.exists() else []
    return list(found.values())


def breaches(figures: Iterable[Figures], *, latest: bool) -> int:
    """How many verdicts are breached, in the last partitions or in all of them."""
    return sum(
        row.get("verdict") == Verdict.BREACHED
        for one in figures
        for table in TABLES
        for row in (one.latest(table) if latest else one.all(table))
    )


def document(figures: Iterable[Figures], *, breached: bool = False) -> dict[str, list[Row]]:
    """All rows by table, or the breached ones."""
    chosen = list(figures)
    return {
        table: [
            row for one in chosen for row in one.all(table) if not breached or row.get("verdict") == Verdict.BREACHED
        ]
        for table in TABLES
    }
