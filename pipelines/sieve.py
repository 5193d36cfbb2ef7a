"""The sieve: pairs that are linked beyond doubt and say the same to the last bit, found from the digests alone.

Two values that are equal byte for byte are equal under every comparator, so these pairs need no further look; what
remains on either side goes through linkage and comparison as if there were nothing else. A pair passes only when nothing
about it could make a difference there: one live row on each side, one link between them, no other row with either key.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pyarrow as pa

from pipelines.declarations import Side

_ROWS_AT_ONCE = 8_000_000
_MATCH = ["match_1", "match_2"]
_VALUE = ["value_1", "value_2"]


@dataclass
class Sifted:
    """What passed: how many pairs, by the fields they compare; and the positions that remain on each side."""

    alike: dict[int, int] = field(default_factory=dict)  # mask of compared fields -> pairs
    remaining: dict[Side, list[pa.Array]] = field(default_factory=lambda: {side: [] for side in Side})

    @property
    def pairs(self) -> int:
        """How many pairs passed."""
        return sum(self.alike.values())

    def positions(self, side: Side) -> pa.Table:
        """The positions that remain on a side, as column `position`."""
        chunks = pa.chunked_array(self.remaining[side], pa.int64())
        return pa.table({"position": chunks})


def sift(digests: dict[Side, Path]) -> Sifted:
    """Merge the digests of both sides, each ordered by what its rows are linked by, stretch by stretch of the hashes."""
    sifted = Sifted()
    frames = {side: pl.scan_parquet(path) for side, path in digests.items()}
    for stretch in _stretches(frames):
        merged = _merged([_of(frame, side, stretch) for side, frame in frames.items()])
        _count(merged, sifted)
        _keep(merged, sifted)
    return sifted


def _stretches(frames: dict[Side, pl.LazyFrame]) -> list[pl.Expr | None]:
    """Conditions on the first lane that cut both sides alike; hashes are even, so all hold about equally many rows."""
    rows = max(frame.select(pl.len()).collect().item() for frame in frames.values())
    count = rows // _ROWS_AT_ONCE + 1
    lane, width = pl.col("match_1"), 2**64 // count
    if count == 1:
        return [None]
    inner = [(lane >= n * width) & (lane < (n + 1) * width) for n in range(count - 1)]
    return [*inner, (lane >= (count - 1) * width) | lane.is_null()]


def _of(frame: pl.LazyFrame, side: Side, stretch: pl.Expr | None) -> pl.DataFrame:
    chosen = frame if stretch is None else frame.filter(stretch)
    columns = [*_MATCH, *_VALUE, "position", "live", "mask_other"]
    return chosen.select(*columns, pl.lit(side is Side.SERVICE).alias("of_service")).collect()


def _merged(sides: list[pl.DataFrame]) -> pl.DataFrame:
    """Rows of both sides in one order, with `opens`: the row and the next are a pair that is alike."""
    legacy, service = sides
    rows = legacy.merge_sorted(service, key="match_1")
    next_is_same = _equals_next(_MATCH)
    alone = next_is_same & ~next_is_same.shift(fill_value=False) & ~next_is_same.shift(-1, fill_value=False)
    both_live = pl.col("live") & pl.col("live").shift(-1, fill_value=False)
    both_sides = pl.col("of_service") != pl.col("of_service").shift(-1)
    opens = alone & both_live & both_sides & _equals_next(_VALUE)
    return rows.with_columns(opens.fill_null(value=False).alias("opens"))


def _equals_next(columns: list[str]) -> pl.Expr:
    equal = [pl.col(name) == pl.col(name).shift(-1) for name in columns]
    return pl.all_horizontal(equal).fill_null(value=False)


def _count(merged: pl.DataFrame, sifted: Sifted) -> None:
    mask = pl.col("mask_other") + pl.col("mask_other").shift(-1)  # the legacy row of the pair has none
    for value, count in merged.select(mask.filter(pl.col("opens")).alias("mask")).group_by("mask").len().iter_rows():
        sifted.alike[value] = sifted.alike.get(value, 0) + count


def _keep(merged: pl.DataFrame, sifted: Sifted) -> None:
    passed = pl.col("opens") | pl.col("opens").shift(fill_value=False)
    rest = merged.filter(~passed)
    for side in Side:
        of_side = rest.filter(pl.col("of_service") == (side is Side.SERVICE))
        sifted.remaining[side].append(of_side["position"].sort().to_arrow())
