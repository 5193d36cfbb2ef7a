"""What remains of a sieve: the places of the rows that did not pass, kept until they are picked.

Any number may remain, so the engine keeps them, which spills; they are given back stretch by stretch of their file.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import polars as pl
import pyarrow as pa

from pipelines.declarations import Side
from pipelines.engine import Engine

POSITION, BUCKET, PAIR, LINK_PRIMARY = "position", "__bucket", "__pair", "__link_primary"
# Of a row: its place in its file, which bucket it is in, if in any. Of one in a pair that is linked beyond doubt: the
# number of this pair, the same on both sides, and whether its link is primary.
PLACES = pa.schema([
    (POSITION, pa.int64()), (BUCKET, pa.int32()), (PAIR, pa.uint64()), (LINK_PRIMARY, pa.bool_()),
])  # fmt: skip
KNOWN_OF_ROWS = pa.schema([(PAIR, pa.int64())])  # where rows are at hand, and their places need not be kept
KNOWN_OF_PLACES = pa.schema([field for field in PLACES if field.name != POSITION])
_ON_HEAP = 262_144  # rows; to hand some over to the engine costs as much as many
_AT_ONCE = 1_000_000  # rows


class Remaining:
    """The rows of both sides that remain: `keep` them as they are found, in any order."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._kept: dict[Side, int] = dict.fromkeys(Side, 0)
        self._heaps: dict[Side, list[pl.DataFrame]] = {side: [] for side in Side}
        for side in Side:
            engine.register("no places", PLACES.empty_table())
            engine.materialise(_places(side), 'SELECT * FROM "no places"')

    def keep(self, side: Side, places: pl.DataFrame) -> None:
        """Add rows, each once; columns of PLACES that are not there are missing of all of them."""
        self._kept[side] += places.height
        self._heaps[side].append(places)
        if sum(frame.height for frame in self._heaps[side]) >= _ON_HEAP:
            self._hand_over(side)

    def places(self, side: Side, rows: int) -> Iterator[pa.Table]:
        """All that remain of so many rows of a side, as PLACES, ascending; never very many at once."""
        self._hand_over(side)
        stretches = 1 + self._kept[side] // _AT_ONCE
        bounds = [rows * number // stretches for number in range(stretches + 1)]
        for begin, end in pairwise(bounds):
            within = f"{POSITION} >= {begin} AND {POSITION} < {end}"
            found = self._engine.table(f'SELECT * FROM "{_places(side)}" WHERE {within} ORDER BY {POSITION}')
            if found.num_rows:
                yield found

    def _hand_over(self, side: Side) -> None:
        if not self._heaps[side]:
            return
        rows = pl.concat([pl.DataFrame(PLACES.empty_table()), *self._heaps[side]], how="diagonal")
        self._engine.add(_places(side), rows.to_arrow().cast(PLACES))
        self._heaps[side] = []


def _places(side: Side) -> str:
    return f"{side} places"
