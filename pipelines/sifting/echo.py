"""Echo: the service's rows of pairs that differ, told from legacy's rows, which say the same but for what differs.

To find a few rows in a file costs nearly as much as to read it whole; so what both sides say alike, to the last bit, is
found once. What differs, and which columns are held against each other, is `columnwise`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pyarrow.parquet as pq

from pipelines import places


class Said(NamedTuple):
    """What the service says in a column: what is `expected` of it, row by row, but for other values `at` some rows."""

    expected: pl.Series
    at: pl.Series
    other: pl.Series

    def values(self) -> pl.Series:
        """All of it, in the type of the service's column."""
        expected = self.expected.cast(self.other.dtype, strict=False)  # it need not fit where another value is said
        among = pl.int_range(len(expected), dtype=pl.get_index_type(), eager=True)
        others = pl.int_range(len(self.other), dtype=pl.get_index_type(), eager=True) + len(expected)
        return pl.concat([expected, self.other])[among.scatter(self.at, others)]


def rows(file: Path, at: pl.Series, said: Mapping[str, Said]) -> pl.DataFrame:
    """All columns of a file's rows at these places, in any order; only those of which nothing is `said` are read."""
    read = places.columns(file)
    names = pq.read_schema(file).names
    found = (said[name].values() if name in said else read(name)[at] for name in names)
    return pl.DataFrame([values.alias(name) for name, values in zip(names, found, strict=True)])
