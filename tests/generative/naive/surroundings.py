"""What the oracle cannot read off a declaration: what a piece of SQL means, and where references lead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Row = Mapping[str, object]


@dataclass(frozen=True)
class Meaning:
    """What a piece of SQL says, in Python: the columns it reads and its value for a row."""

    columns: tuple[str, ...]
    value: Callable[[Row], object]


@dataclass(frozen=True)
class Surroundings:
    """SQL texts with their meanings; per entity referred to, the service key each legacy key stands for."""

    sql: Mapping[str, Meaning] = field(default_factory=dict)
    references: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)

    def holds(self, condition: str | None, row: Row, *, otherwise: bool) -> bool:
        """Whether a condition is true; neither true nor false counts as false, no condition at all as `otherwise`."""
        return otherwise if condition is None else self.sql[condition].value(row) is True
