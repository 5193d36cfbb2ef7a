"""Passed: what came through a sieve, as counts. The rows that did not are in the engine, to be linked and compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl
import pyarrow as pa


@dataclass(frozen=True)
class Passed:
    """How many pairs passed, by the fields they compare; how many did not and yet are linked beyond doubt."""

    alike: Mapping[int, int] = field(default_factory=dict)  # mask of compared fields -> pairs
    known: int = 0
    by_hashes: bool = False  # whether that pairs passed rests on hashes
    leaving: pa.Table | None = None  # what is to be left for later runs to carry on from (`carrying.BUCKETS_HELD`)

    @property
    def pairs(self) -> int:
        """How many pairs passed."""
        return sum(self.alike.values())


def known_pairs(is_primary: pl.Series) -> pa.Table:
    """The relation `known pairs` (pair, link_primary) of pairs that are numbered in this order."""
    return pl.DataFrame({"link_primary": is_primary}).with_row_index("pair").cast({"pair": pl.Int64}).to_arrow()
