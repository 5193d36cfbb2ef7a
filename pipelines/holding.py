"""Holding: rows of a file that are looked at together, read from it as they stand, or held and taken in another order.

Of rows that are held, single columns are taken from all over the memory, which costs more than all else; so each is
taken by itself, looked at and let go, while the next finds its room still at hand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import polars as pl
import pyarrow.parquet as pq

from pipelines import places

_COLUMNS_AT_ONCE = 2  # more take more room while they are put together


class Rows(Protocol):
    """Rows of one side, in types as they are kept."""

    def column(self, name: str) -> pl.Series:
        """What they say in a column."""

    def at(self, places: pl.Series) -> pl.DataFrame:
        """All columns of some of them, by their places among these rows."""


Stretch = Callable[[int, int], Rows]  # so many rows from a place on


def reading(file: Path) -> Stretch:
    """Rows in the order they stand in, read when they are asked for."""
    along = places.along(file)
    return lambda first, count: _Read(along(first, count))


def holding(file: Path, order: pl.Series) -> Stretch:
    """Rows in this order of their places, read now.

    Each column in one piece: to look for a row among pieces costs several times what it costs to take it.
    """
    rows = places.stretch(file, 0, pq.read_metadata(file).num_rows)
    names = rows.collect_schema().names()
    read = (names[first : first + _COLUMNS_AT_ONCE] for first in range(0, len(names), _COLUMNS_AT_ONCE))
    held = pl.concat([rows.select(columns).collect().rechunk() for columns in read], how="horizontal")
    return lambda first, count: _Held(held, order.slice(first, count))


@dataclass(frozen=True)
class _Read:
    rows: pl.DataFrame

    def column(self, name: str) -> pl.Series:
        return self.rows[name]

    def at(self, places: pl.Series) -> pl.DataFrame:
        return self.rows[places]


@dataclass(frozen=True)
class _Held:
    rows: pl.DataFrame
    order: pl.Series

    def column(self, name: str) -> pl.Series:
        return self.rows[name][self.order]

    def at(self, places: pl.Series) -> pl.DataFrame:
        return self.rows[self.order[places]]
