"""The sieve in lockstep: two files read along side by side, once, and each pair held against each other in passing.

Most stand in one order: both were written by key. Where they do not, the service's rows are held in memory, and taken
in legacy's order. Values are held against each other column by column, and the rows that remain are at hand, and need
not be picked out again. A pair passes on the same conditions as through `direct`. Which rows belong together is
`abreast`'s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import abreast, places, roll, room
from pipelines.abreast import Walk
from pipelines.declarations import Entity, Side
from pipelines.engine import Engine, Resources
from pipelines.holding import Rows, holding, reading
from pipelines.likeness import are_alike, can_be_held
from pipelines.partners import marked
from pipelines.passed import Passed
from pipelines.translation import carried_by

_ROWS_AT_ONCE = 131_072  # of a side; as many as snapshots have in a row group
_ROWS_ON_HEAP = 262_144
_TOLD_AT_MOST = 0.25  # of the memory of an engine, which it takes beside the engine's own
_HELD_AT_MOST = 0.7  # all that is told and held, which the engine does without as long
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
        self.engine.add_placed(self.side, self.file, places.stream(self.file, self.frames, knowing=_PAIR))
        self.frames = []


def sift(engine: Engine, entity: Entity, files: Mapping[Side, Path]) -> Passed | None:
    """Hold the rows of both sides against each other; None where that cannot be done in lockstep.

    Needs what `enrolment.enrol` does and makes. Makes what `sifting.sift` does.
    """
    sayings = _sayings(engine, entity, files)
    telling = [saying.expected for saying in sayings or [] if saying.is_told]
    told = [files[Side.LEGACY]] if telling else []
    if not sayings or _share(told) > _TOLD_AT_MOST:
        return None
    walk = abreast.walk(engine, entity, files, telling=telling)
    held = [files[Side.SERVICE]] if walk and walk.order is not None else []
    if not walk or _share(told + held) > _HELD_AT_MOST:
        return None
    with engine.lending(_share(told + held)):
        return _sifted(engine, files, walk, sayings)


def _share(files: Sequence[Path]) -> float:
    """How much of an engine's memory the rows of these files take, or what is told of them."""
    return room.needed(files) / (Resources().engine_memory or 1)


def _sifted(engine: Engine, files: Mapping[Side, Path], walk: Walk, sayings: list[_Saying]) -> Passed:
    for side in Side:
        engine.scan_places(side, files[side], _NOWHERE)
    rows = {side: reading(files[side]) for side in Side}
    if walk.order is not None:
        rows[Side.SERVICE] = holding(files[Side.SERVICE], walk.order)
    heaps, found = [_Heap(engine, side, files[side]) for side in Side], _Found()
    for stretch in _stretches(walk.pairs, {side: pq.read_metadata(files[side]).num_rows for side in Side}):
        both = {side: rows[side](stretch.begin[side], stretch.rows(side)) for side in Side}
        judged = _judged(stretch, both, walk.told, sayings)
        apart = found.count(judged)
        for heap in heaps:
            alone = _alone(judged[heap.side], stretch.rows(heap.side))
            heap.add(_remaining(both[heap.side], alone, apart.select(at=heap.side, pair="pair")))
    for heap in heaps:
        heap.clear()
    known = pl.DataFrame({"link_primary": pl.concat([pl.Series(dtype=pl.Boolean), *found.known])})
    engine.register("known pairs", known.with_row_index("pair").cast({"pair": pl.Int64}).to_arrow())
    return Passed(found.alike, found.numbered)


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


def _judged(stretch: _Stretch, rows: Mapping[Side, Rows], told: pl.DataFrame, sayings: list[_Saying]) -> pl.DataFrame:
    """The pairs of a stretch, their places counted from its begin, and `is_alike`: whether they say the same."""
    pairs = stretch.pairs.with_columns(pl.col(side) - stretch.begin[side] for side in Side)
    told = told.slice(stretch.begin[Side.LEGACY], stretch.rows(Side.LEGACY))
    is_alike = ~pairs["failed"]
    for each in sayings:
        expected = told[each.expected] if each.is_told else rows[Side.LEGACY].column(each.expected)
        actual = rows[Side.SERVICE].column(each.actual)
        both = _at(expected, pairs[Side.LEGACY]), _at(actual, pairs[Side.SERVICE])
        is_alike &= are_alike(*both, each.legacy, each.service)
    return pairs.with_columns(is_alike.alias("is_alike"))


def _at(values: pl.Series, at: pl.Series) -> pl.Series:
    """The values at places that ascend; mostly these are all of them."""
    if len(at) == len(values):
        return values
    return values.filter(marked(at, len(values)))


def _alone(paired: pl.Series, count: int) -> pl.Series:
    """Of so many rows, the places of those that are in no pair; mostly there are none."""
    return paired.clear() if len(paired) == count else (~marked(paired, count)).arg_true()


def _remaining(rows: Rows, alone: pl.Series, apart: pl.DataFrame) -> pl.DataFrame:
    """The rows of a stretch that did not pass, with `__pair`: theirs where they are `apart` (at, pair)."""
    at = pl.concat([apart.select("at", "pair"), pl.DataFrame({"at": alone, "pair": None}, schema=apart.schema)])
    return rows.at(at["at"]).with_columns(at["pair"].alias("__pair"))
