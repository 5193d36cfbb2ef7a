"""A trap: two small tables in which a careless comparison sees too much or too little, and the truth about them.

The truth is told in numbers that any tool can be asked for, so that the same battery judges all: how many pairs of rows
say the same, which cells differ, and how many rows of either side have no counterpart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipelines.declarations import Comparator, Exact, Missing, NaturalKey

Cell = tuple[str, str]  # key as it is shown, column


@dataclass(frozen=True)
class Truth:
    """What is so: equal pairs, differing cells, rows without a counterpart on either side."""

    same: int = 0
    cells: frozenset[Cell] = frozenset()
    legacy_only: int = 0
    service_only: int = 0


@dataclass(frozen=True)
class Trap:
    """Two tables, how they are compared, and the truth. Columns that `compare` does not name are compared exactly."""

    name: str
    legacy: str
    service: str
    truth: Truth
    key: tuple[str, ...] = ("id",)
    compare: Mapping[str, Comparator] = field(default_factory=dict)
    missing: Missing = field(default_factory=Missing)
    identity: NaturalKey | None = None  # where the key alone does not say it

    def comparator(self, column: str) -> Comparator:
        """How a column is compared."""
        return self.compare.get(column, Exact())


def differs(*cells: str, same: int = 0, legacy_only: int = 0, service_only: int = 0) -> Truth:
    """The truth with differing cells written as `key.column`."""
    found = frozenset((cell.rpartition(".")[0], cell.rpartition(".")[2]) for cell in cells)
    return Truth(same, found, legacy_only, service_only)


def agrees(rows: int, *, legacy_only: int = 0, service_only: int = 0) -> Truth:
    """The truth when no linked rows differ."""
    return Truth(rows, legacy_only=legacy_only, service_only=service_only)
