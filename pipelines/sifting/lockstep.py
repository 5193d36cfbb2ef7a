"""The sieve in lockstep: two files read along side by side, once, and each pair held against each other in passing.

For files that stand in one order, as most do that were written by key; others are read by `columnwise`. The rows that
remain are at hand, and need not be picked out again. A pair passes on the same conditions as through `direct`. Which
rows belong together is `abreast`'s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pyarrow.parquet as pq

from pipelines import places
from pipelines.declarations import Side
from pipelines.engine import Engine
from pipelines.sifting import telling
from pipelines.sifting.abreast import Walk
from pipelines.sifting.partners import at_ascending, unpaired
from pipelines.sifting.passed import Passed, known_pairs
from pipelines.sifting.remaining import KNOWN_OF_ROWS, PAIR
from pipelines.sifting.telling import FAILED

_ROWS_AT_ONCE = 131_072  # of a side; as many as snapshots have in a row group
_ROWS_ON_HEAP = 262_144


class _Stretch(NamedTuple):
    """Places of both sides, from `begin` up to `end`, and the pairs within; no pair is only half in it."""

    begin: Mapping[Side, int]
    end: Mapping[Side, int]
    pairs: pl.DataFrame

    def rows(self, side: Side) -> int:
        """How many rows of a side."""
        return self.end[side] - self.begin[side]


@dataclass
class _Found:
    """What was found so far: pairs that passed, by the fields they compare; of the others, is their link primary."""

    alike: Counter[int] = field(default_factory=Counter)
    known: list[pl.Series] = field(default_factory=list)
    numbered: int = 0

    def count(self, judged: pl.DataFrame) -> pl.DataFrame:
        """Count pairs with `is_alike`; those that are not, with `pair`, their number."""
        for mask, count in judged["mask"].filter(judged["is_alike"]).value_counts().iter_rows():
            self.alike[mask] += count
        apart = judged.filter(~pl.col("is_alike"))
        self.known.append(apart["is_primary"])
        self.numbered += apart.height
        return apart.with_columns(pair=pl.int_range(self.numbered - apart.height, self.numbered))


@dataclass
class _Heap:
    """Rows of a side that remain, on their way into the engine: many at once, for each time costs something."""

    engine: Engine
    side: Side
    file: Path
    frames: list[pl.DataFrame] = field(default_factory=list)

    def add(self, rows: pl.DataFrame) -> None:
        """Put rows with `__pair` on the heap."""
        self.frames.append(rows)
        if sum(frame.height for frame in self.frames) >= _ROWS_ON_HEAP:
            self.clear()

    def clear(self) -> None:
        """Hand over what lies here."""
        self.engine.add_placed(self.side, self.file, places.stream(self.file, self.frames, knowing=KNOWN_OF_ROWS))
        self.frames = []


def sift(engine: Engine, files: Mapping[Side, Path], walk: Walk) -> Passed:
    """Hold the rows of both sides, whose pairs stand in one order, against each other.

    Makes what `sifting.sift` does.
    """
    for side in Side:
        engine.hold_places(side, files[side], KNOWN_OF_ROWS)
    along = {side: places.along(files[side]) for side in Side}
    heaps, found = [_Heap(engine, side, files[side]) for side in Side], _Found()
    with engine.lending(walk.told_share):
        for stretch in _stretches(walk.pairs, {side: pq.read_metadata(files[side]).num_rows for side in Side}):
            both = {side: along[side](stretch.begin[side], stretch.rows(side)) for side in Side}
            judged = _judged(stretch, both, walk)
            apart = found.count(judged)
            for heap in heaps:
                alone = unpaired(judged[heap.side], stretch.rows(heap.side))
                heap.add(_remaining(both[heap.side], alone, apart.select(at=heap.side, pair="pair")))
        for heap in heaps:
            heap.clear()
    engine.register("known pairs", known_pairs(pl.concat([pl.Series(dtype=pl.Boolean), *found.known])))
    return Passed(found.alike, found.numbered)


def _stretches(pairs: pl.DataFrame, rows: Mapping[Side, int]) -> Iterator[_Stretch]:
    """Both sides cut into stretches, none of too many rows: where the next pair lies beyond on one side, before it."""
    begin, done = dict.fromkeys(Side, 0), 0
    while begin != rows:
        end = {side: min(begin[side] + _ROWS_AT_ONCE, rows[side]) for side in Side}
        within = min(int(pairs[side].search_sorted(end[side], side="left")) for side in Side)
        if within < pairs.height:
            end = {side: min(end[side], pairs[side][within]) for side in Side}
        yield _Stretch(begin, end, pairs.slice(done, within - done))
        begin, done = end, within


def _judged(stretch: _Stretch, rows: Mapping[Side, pl.DataFrame], walk: Walk) -> pl.DataFrame:
    """The pairs of a stretch, their places counted from its begin, and `is_alike`: whether they say the same."""
    pairs = stretch.pairs.with_columns(pl.col(side) - stretch.begin[side] for side in Side)
    held = walk.told.slice(stretch.begin[Side.LEGACY], stretch.rows(Side.LEGACY))
    told = telling.tell(walk.tellings, rows[Side.LEGACY]).with_columns(held.get_columns())
    is_alike = ~(pairs["failed"] | at_ascending(told[FAILED], pairs[Side.LEGACY]))
    for saying in walk.sayings:
        expected = (told if saying.is_told else rows[Side.LEGACY])[saying.expected]
        both = (expected, pairs[Side.LEGACY]), (rows[Side.SERVICE][saying.actual], pairs[Side.SERVICE])
        is_alike &= saying.is_alike(*(at_ascending(values, at) for values, at in both))
    return pairs.with_columns(is_alike.alias("is_alike"))


def _remaining(rows: pl.DataFrame, alone: pl.Series, apart: pl.DataFrame) -> pl.DataFrame:
    """The rows of a stretch that did not pass, with `__pair`: theirs where they are `apart` (at, pair)."""
    at = pl.concat([apart.select("at", "pair"), pl.DataFrame({"at": alone, "pair": None}, schema=apart.schema)])
    return rows[at["at"]].with_columns(at["pair"].alias(PAIR))
