"""Columnwise: two files whose rows stand in different orders, held against each other one column after the other.

Of no side is more in memory than one column, and its room is the next one's: new memory costs more than to read what
lies in it. A pair passes on the same conditions as in `lockstep`. The rows that remain are not at hand here, and are
looked for in the files; but where few differ, the service's are told by `echo`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import places
from pipelines.declarations import Side
from pipelines.engine import Engine
from pipelines.places import Columns
from pipelines.sifting import echo, room, telling
from pipelines.sifting.abreast import Walk
from pipelines.sifting.echo import Said
from pipelines.sifting.partners import PLACE, at_ascending, unpaired
from pipelines.sifting.passed import Passed, known_pairs
from pipelines.sifting.remaining import KNOWN_OF_ROWS, PAIR
from pipelines.sifting.sayings import Saying
from pipelines.sifting.telling import FAILED, VALUE
from pipelines.sifting.whole import Memory

_COLUMNS = 2  # at once: of either side, or of one as it is read and in one piece; and one as it is told, if any is
_HELD_AT_MOST = 0.7  # of the memory of an engine, which does without as long
_ROWS_AT_ONCE = 131_072  # pairs; what is taken of them from all over a column fits into the processor's cache
_FEW = 8  # of so many pairs one differs at most, for what differs to be kept


@dataclass
class _Found:
    """Of every pair, whether both rows say the same; by field, while they are few, what the service says in the others.

    These are frames of `number` (of the pair, from 0, ascending) and `actual`.
    """

    is_alike: pl.Series
    others: dict[str, pl.DataFrame] = field(default_factory=dict)
    are_few: bool = True

    def add(self, column: str, is_alike: pl.Series, others: pl.DataFrame) -> None:
        """What was found in a field."""
        self.is_alike &= is_alike
        self.are_few = self.are_few and (~self.is_alike).sum() * _FEW <= len(self.is_alike)
        self.others = {**self.others, column: others} if self.are_few else {}


def sift(engine: Engine, files: Mapping[Side, Path], walk: Walk) -> Passed | None:
    """Hold the rows of both sides against each other; None where there is no room for a column and what is told.

    Makes what `sifting.sift` does.
    """
    columns = _COLUMNS + bool(walk.tellings)
    taken = walk.told_share + columns * max(room.share(room.widest(files[side])) for side in Side)
    if taken > _HELD_AT_MOST:
        return None
    with engine.lending(taken):
        found = _found(files, walk)
        number = (~found.is_alike).arg_true().alias("number")
        apart = walk.pairs[number].with_columns(number).with_row_index("pair")
        _hand_over(engine, files, walk, found, apart)
    engine.register("known pairs", known_pairs(apart["is_primary"]))
    masks = walk.pairs["mask"].filter(found.is_alike).value_counts()
    return Passed(dict(masks.iter_rows()), apart.height)


def _found(files: Mapping[Side, Path], walk: Walk) -> _Found:
    found = _Found(~walk.pairs["failed"])
    said = _said(files, walk, found)
    along, across = sorted(Side, key=lambda side: not walk.pairs[side].is_sorted())
    pairs, memory = walk.pairs.select(along, across), Memory(pq.read_metadata(files[across]).num_rows)
    for saying in walk.sayings:
        found.add(saying.actual, *_compared(saying, said, pairs, memory))
    return found


def _said(files: Mapping[Side, Path], walk: Walk, found: _Found) -> dict[Side, Callable[[Saying], pl.Series]]:
    """What a side says in a field, in all rows."""
    legacy, service = (places.columns(files[side]) for side in Side)
    return {
        Side.LEGACY: lambda saying: _expected(saying, walk, legacy, found),
        Side.SERVICE: lambda saying: service(saying.actual),
    }


def _expected(saying: Saying, walk: Walk, read: Columns, found: _Found) -> pl.Series:
    """What legacy says in a field, in all rows; no pair of one that could not be translated is alike."""
    if saying.expected not in walk.tellings:
        return walk.told[saying.expected] if saying.is_told else read(saying.expected)
    by_itself = walk.tellings[saying.expected]
    told = by_itself.tell(read(by_itself.column))
    if told[FAILED].any():
        found.is_alike &= ~told[FAILED][walk.pairs[Side.LEGACY]]
    return told[VALUE]


def _compared(
    saying: Saying, said: Mapping[Side, Callable[[Saying], pl.Series]], pairs: pl.DataFrame, memory: Memory
) -> tuple[pl.Series, pl.DataFrame]:
    """Of every pair, whether both rows say the same in a field; and what the service says in others, as in `_Found`.

    The first column of `pairs` ascends. The other side is read first, for its pieces are gone before the next is read.
    """
    along, across = map(Side, pairs.columns)
    whole = memory.of(said[across](saying))
    values = {across: whole, along: said[along](saying)}
    is_alike = _are_alike(saying, values, pairs)
    number = (~is_alike).arg_true().alias("number")
    actual = values[Side.SERVICE][pairs[Side.SERVICE][number]].alias("actual")
    return is_alike, pl.DataFrame([number, actual])


def _are_alike(saying: Saying, values: Mapping[Side, pl.Series], pairs: pl.DataFrame) -> pl.Series:
    """Of every pair, whether both rows say the same in a field; of the side that is not read along, in one piece."""
    along, across = map(Side, pairs.columns)
    outcomes = [pl.Series(dtype=pl.Boolean)]
    for stretch in pairs.iter_slices(_ROWS_AT_ONCE):
        at = stretch[along]
        within = values[along].slice(at[0], at[-1] - at[0] + 1)
        taken = {along: at_ascending(within, at, at[0]), across: values[across][stretch[across]]}
        outcomes.append(saying.is_alike(taken[Side.LEGACY], taken[Side.SERVICE]))
    return pl.concat(outcomes)


def _hand_over(engine: Engine, files: Mapping[Side, Path], walk: Walk, found: _Found, apart: pl.DataFrame) -> None:
    """Give the engine the rows that are in no pair, and both rows of those that are apart (with `pair`, a number)."""
    rows = _told_rows(files, walk, found, apart) if found.are_few else {}
    for side in Side:
        alone = unpaired(walk.pairs[side], pq.read_metadata(files[side]).num_rows)
        engine.hold_places(side, files[side], KNOWN_OF_ROWS)
        looked_for = _looked_for(alone, apart.clear() if rows else apart, side)
        engine.add_placed(side, files[side], places.rows_at(files[side], looked_for))
        if rows:
            told = rows[side].with_columns(apart["pair"].alias(PAIR))
            engine.add_placed(side, files[side], places.stream(files[side], [told], knowing=KNOWN_OF_ROWS))


def _told_rows(files: Mapping[Side, Path], walk: Walk, found: _Found, apart: pl.DataFrame) -> dict[Side, pl.DataFrame]:
    """Both rows of every pair that is apart: legacy's out of the file, the service's by what differs from it."""
    at = apart[Side.LEGACY]
    legacy = places.found(files[Side.LEGACY], at.sort())[at.arg_sort().arg_sort()]
    told = telling.tell(walk.tellings, legacy).with_columns(column[at] for column in walk.told)
    said = {}
    for saying in walk.sayings:
        others = found.others[saying.actual]
        within = apart["number"].search_sorted(others["number"])
        expected = (told if saying.is_told else legacy)[saying.expected]
        said[saying.actual] = Said(expected, within, others["actual"])
    return {Side.LEGACY: legacy, Side.SERVICE: echo.rows(files[Side.SERVICE], apart[Side.SERVICE], said)}


def _looked_for(alone: pl.Series, apart: pl.DataFrame, side: Side) -> pa.Table:
    """The places of rows that are looked for in a file, ascending, and the numbers of pairs that are known."""
    known = apart.select(pl.col(side).alias(PLACE), pl.col("pair").alias(PAIR))
    wanted = pl.concat([known, pl.DataFrame({PLACE: alone})], how="diagonal")
    return wanted.sort(PLACE).cast(pl.Int64).to_arrow()
