"""The sieve in lockstep: two files that stand in the order of what links their rows, read along side by side, once.

Most files do: both were written by key. A pair passes on the same conditions as through `direct`, which joins files in
any order; here values are held against each other column by column as they are read, and the rows that remain are at
hand, and need not be picked out again. Which rows belong together is `abreast`'s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import abreast, places, roll, room
from pipelines.declarations import Entity, Side
from pipelines.engine import Engine, Resources
from pipelines.likeness import are_alike, can_be_held
from pipelines.passed import Passed
from pipelines.translation import carried_by

_ROWS_AT_ONCE = 262_144  # of a side
_TOLD_AT_MOST = 0.25  # of the memory of an engine
_PAIR = pa.schema([("__pair", pa.int64())])
_NOWHERE = pa.schema([("position", pa.int64()), *_PAIR]).empty_table()


class _Saying(NamedTuple):
    """A field as both sides say it: the column of either file, or one that is told of legacy; and their types."""

    expected: str
    actual: str
    legacy: pa.DataType
    service: pa.DataType
    is_told: bool


class _Stretch(NamedTuple):
    """Places of both sides, from `begin` up to `end`, and the pairs within; no pair is only half in it."""

    begin: Mapping[Side, int]
    end: Mapping[Side, int]
    pairs: pl.DataFrame


@dataclass
class _Found:
    """What was found so far: pairs that passed, by the fields they compare; of the others, is their link primary."""

    alike: Counter[int] = field(default_factory=Counter)
    known: list[pl.Series] = field(default_factory=list)
    numbered: int = 0

    def count(self, judged: pl.DataFrame) -> pl.DataFrame:
        """Count pairs with `is_alike`; the same with `pair`, a number of each that is not."""
        for mask, count in judged.filter("is_alike").group_by("mask").len().iter_rows():
            self.alike[mask] += count
        apart = ~judged["is_alike"]
        numbers = pl.when(apart).then(apart.cast(pl.Int64).cum_sum() + (self.numbered - 1))
        self.known.append(judged["is_primary"].filter(apart))
        self.numbered += int(apart.sum())
        return judged.with_columns(pair=numbers)


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
        if sum(frame.height for frame in self.frames) >= _ROWS_AT_ONCE:
            self.clear()

    def clear(self) -> None:
        """Hand over what lies here."""
        self.engine.add_placed(self.side, self.file, places.stream(self.file, self.frames, knowing=_PAIR))
        self.frames = []


def sift(engine: Engine, entity: Entity, files: Mapping[Side, Path]) -> Passed | None:
    """Hold the rows of both sides against each other; None where that cannot be done in lockstep.

    Needs what `enrolment.enrol` does and makes. Makes what `sifting.sift` does.
    """
    sayings = _sayings(engine, entity, files)
    telling = [saying.expected for saying in sayings or [] if saying.is_told]
    if not sayings or (telling and not _fits(files[Side.LEGACY])):
        return None
    walk = abreast.walk(engine, entity, telling=telling)
    if not walk:
        return None
    for side in Side:
        engine.scan_places(side, files[side], _NOWHERE)
    heaps, found = [_Heap(engine, side, files[side]) for side in Side], _Found()
    for stretch in _stretches(walk.pairs, {side: pq.read_metadata(files[side]).num_rows for side in Side}):
        rows = _rows(files, stretch)
        judged = found.count(_judged(stretch, rows, walk.told, sayings))
        for heap in heaps:
            heap.add(_remaining(rows[heap.side], judged, heap.side))
    for heap in heaps:
        heap.clear()
    known = pl.DataFrame({"link_primary": pl.concat([pl.Series(dtype=pl.Boolean), *found.known])})
    engine.register("known pairs", known.with_row_index("pair").cast({"pair": pl.Int64}).to_arrow())
    return Passed(found.alike, found.numbered)


def _fits(file: Path) -> bool:
    """Whether what is told of its rows can be held beside the engine; it takes about as much as the rows themselves."""
    return room.needed([file]) <= _TOLD_AT_MOST * Resources().engine_memory


def _sayings(engine: Engine, entity: Entity, files: Mapping[Side, Path]) -> list[_Saying] | None:
    """How every field is said; None where one is said in types that cannot be held against each other."""
    legacy, service = (pq.read_schema(files[side]) for side in Side)
    told = engine.table('SELECT * FROM "legacy roll" LIMIT 0').schema
    sayings = []
    for said in entity.fields:
        column = carried_by(said)
        expected = column or roll.value_column(said.name)
        kind = (legacy if column else told).field(expected).type
        sayings.append(_Saying(expected, said.name, kind, service.field(said.name).type, is_told=not column))
    return sayings if all(can_be_held(saying.legacy, saying.service) for saying in sayings) else None


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


def _rows(files: Mapping[Side, Path], stretch: _Stretch) -> dict[Side, pl.DataFrame]:
    read = (places.stretch(files[side], stretch.begin[side], stretch.end[side] - stretch.begin[side]) for side in Side)
    return dict(zip(Side, pl.collect_all(read), strict=True))


def _judged(
    stretch: _Stretch, rows: Mapping[Side, pl.DataFrame], told: pl.DataFrame, sayings: list[_Saying]
) -> pl.DataFrame:
    """The pairs of a stretch, their places counted from its begin, and `is_alike`: whether they say the same."""
    pairs = stretch.pairs.with_columns(pl.col(side) - stretch.begin[side] for side in Side)
    legacy, service = rows[Side.LEGACY], rows[Side.SERVICE]
    told = told.slice(stretch.begin[Side.LEGACY], legacy.height)
    expected = pl.DataFrame(
        [(told if each.is_told else legacy)[each.expected].alias(f"expected {each.actual}") for each in sayings]
    )
    actual = pl.DataFrame([service[each.actual].alias(f"actual {each.actual}") for each in sayings])
    said = pl.concat([_at(expected, pairs[Side.LEGACY]), _at(actual, pairs[Side.SERVICE])], how="horizontal")
    alike = [
        are_alike(f"expected {each.actual}", f"actual {each.actual}", each.legacy, each.service) for each in sayings
    ]
    return pairs.hstack(said.select(is_alike=pl.all_horizontal(alike))).with_columns(
        pl.col("is_alike") & ~pl.col("failed")
    )


def _at(rows: pl.DataFrame, at: pl.Series) -> pl.DataFrame:
    """The rows at places that ascend; mostly these are all of them."""
    return rows if len(at) == rows.height else rows.select(pl.all().gather(at))


def _remaining(rows: pl.DataFrame, judged: pl.DataFrame, side: Side) -> pl.DataFrame:
    """The rows of a stretch that do not pass, with `__pair`, missing unless the pair is known."""
    passed, apart = judged.filter("is_alike"), judged.filter(~pl.col("is_alike"))
    remains = pl.repeat(value=True, n=rows.height, eager=True).scatter(passed[side], values=False)
    pair = pl.repeat(None, rows.height, dtype=pl.Int64, eager=True).scatter(apart[side], apart["pair"])
    return rows.with_columns(pair.alias("__pair")).filter(remains)
