"""The sieve: pairs that are linked beyond doubt and say the same to the last bit, found from the digests alone.

Two values that are equal byte for byte are equal under every comparator, so these pairs need no further look; what
remains on either side goes through linkage and comparison as if there were nothing else. A pair passes only when
nothing about it could make a difference there: one live row on each side, one link between them, no other row with
either key. Pairs of which only that last thing is not so, that they say the same, need no linkage: they are known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines import places
from pipelines.declarations import Side
from pipelines.places import Along
from pipelines.sifting import buckets
from pipelines.sifting.partners import marked
from pipelines.sifting.passed import Passed
from pipelines.sifting.remaining import BUCKET, LINK_PRIMARY, PAIR, POSITION

_ROWS_AT_ONCE = 500_000  # of a side; small enough to stay in the processor's cache while it is joined
WORTH_LEAPING = 100_000  # rows; to begin anew behind fewer costs more than to read them
_WORTH_PICKING = 4  # of so many rows one may be open, for the open ones to be picked; else all are read
_MATCH = ["match_1", "match_2"]
_VALUE = ["value_1", "value_2"]
_MASKS = ["mask_primary", "mask_other"]
_PLACES = [str(side) for side in Side]
# Of a row: whether neither neighbour is linked by the same, or by what has the same first lane.
_APART = pl.col("match_1").ne_missing(pl.col("match_1").shift(1))
_ALONE = _APART & _APART.shift(-1, fill_value=True)
# Of a pair: whether both rows say the same, and which fields it compares.
_ALIKE = pl.all_horizontal(pl.col(name) == pl.col(f"{name}_right") for name in _VALUE).fill_null(value=False)
_BUCKET = (pl.col("match_1") // buckets.WIDTH).cast(pl.Int32).alias(BUCKET)
# Rows linked beyond doubt are alone with their first lane on either side, so that it numbers their pair.
_OF_PAIR = [pl.col("match_1").alias(PAIR), pl.col("is_primary").alias(LINK_PRIMARY)]
_MASK = pl.when("is_primary").then("mask_primary").otherwise("mask_other").alias("mask")


@dataclass(frozen=True)
class Digests:
    """A side's digests (`digests.SCHEMA`) in their order, and their buckets (`buckets.SCHEMA`)."""

    file: Path
    buckets: pa.Table

    @cached_property
    def along(self) -> Along:
        """How they are read along."""
        return places.along(self.file)


@dataclass(frozen=True)
class Carried:
    """What an earlier run found in buckets that hold what they held then (`carrying`): nothing in them is sifted again.

    `buckets` (int32) are their numbers, `pairs` are those that passed in them, `known` those linked beyond doubt that
    differ; `rows` the file, by side, of the rows that remained, each with its `__bucket`.
    """

    buckets: pl.Series
    pairs: int
    known: int
    rows: Mapping[Side, Path]

    def at_hand(self, side: Side) -> pa.RecordBatchReader:
        """The rows that remained on a side, raw, in types as they are kept, with what is known of their places."""
        file, within = pq.ParquetFile(self.rows[side]), self.buckets.to_arrow()
        batches = (batch.filter(pc.is_in(batch.column(BUCKET), within)) for batch in file.iter_batches())
        return pa.RecordBatchReader.from_batches(file.schema_arrow, batches)


Keep = Callable[[Side, pl.DataFrame], None]  # takes rows that remain on a side, with columns of `remaining.PLACES`


def sift(digests: Mapping[Side, Digests], keep: Keep, carried: Carried | None = None) -> Passed:
    """Hold the digests of both sides against each other, by buckets; those that are settled are not compared.

    What is carried passes with the rest, and is known with the rest; its rows are not kept.
    """
    both = _buckets(digests).with_columns(stands=_stands(carried)).with_columns(passes=_passes_whole())
    settled = pl.col("stands") | pl.col("passes")
    is_picked = bool(carried) or _are_few(both, settled)
    both = both.with_columns(settled=settled if is_picked else _leapt(settled))
    alike = Counter({0: int(both.filter("settled", ~pl.col("stands"))["legacy_rows"].sum())})
    alike[0] += carried.pairs if carried else 0
    known = carried.known if carried else 0
    still_open = both.filter(~pl.col("settled"))
    for part in _cut(still_open, pl.lit(0)) if is_picked else _neighbours(still_open):
        linked = _linked(*(_rows(held, side, part) for side, held in digests.items()))
        alike.update(dict(_by_mask(linked)))
        differing = linked.pairs.filter(linked.differs)
        known += differing.height
        for side in Side:
            keep(side, differing.select(pl.col(side).alias(POSITION), _BUCKET, *_OF_PAIR))
            keep(side, linked.rest.select(pl.col(side).alias(POSITION), _BUCKET).drop_nulls(POSITION))
    return Passed(+alike, known, by_hashes=True)


def pairs(digests: Mapping[Side, Digests]) -> Iterator[pa.Table]:
    """The positions of all pairs that pass, as columns `legacy` and `service`; no bucket is taken at its word."""
    for part in _neighbours(_buckets(digests)):
        linked = _linked(*(_rows(held, side, part) for side, held in digests.items()))
        yield linked.pairs.select(_PLACES).filter(linked.passes).to_arrow()


def _buckets(digests: Mapping[Side, Digests]) -> pl.DataFrame:
    """Every bucket that is on either side, in order: `place` from 0, and each column of `buckets.SCHEMA` by side."""
    legacy, service = (
        pl.DataFrame(held.buckets).select("bucket", pl.exclude("bucket").name.prefix(f"{side}_"))
        for side, held in digests.items()
    )
    counts = [f"{side}_rows" for side in Side]
    return (
        legacy.join(service, on="bucket", how="full", coalesce=True)
        .sort("bucket")
        .with_columns(pl.col(counts).fill_null(0))
        .with_row_index("place")
    )


def _passes_whole() -> pl.Expr:
    same = pl.all_horizontal(
        pl.col("legacy_is_plain"),
        pl.col("service_is_plain"),
        pl.col("legacy_rows") == pl.col("service_rows"),
        *(pl.col(f"legacy_said_{lane}") == pl.col(f"service_said_{lane}") for lane in (1, 2)),
    )
    return same.fill_null(value=False)


def _stands(carried: Carried | None) -> pl.Expr:
    return pl.col("bucket").is_in(carried.buckets.implode()) if carried else pl.lit(value=False)


def _are_few(both: pl.DataFrame, settled: pl.Expr) -> bool:
    """Whether the rows of other buckets are so few that to pick them costs less than to read and compare all."""
    rows = pl.sum_horizontal(pl.col(f"{side}_rows").sum() for side in Side)
    still_open, all_rows = (int(of.select(rows).item()) for of in (both.filter(~settled), both))
    return still_open * _WORTH_PICKING <= all_rows


def _leapt(settled: pl.Expr) -> pl.Expr:
    """Condition: the bucket is settled, and there are enough of them side by side to be worth leaping over."""
    return settled & (pl.col("legacy_rows").sum().over(settled.rle_id()) >= WORTH_LEAPING)


def _neighbours(both: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Buckets side by side put together to stretches that are worth reading at once."""
    return _cut(both, (pl.col("place").diff() != 1).fill_null(value=False).cum_sum())


def _cut(both: pl.DataFrame, apart: pl.Expr) -> Iterator[pl.DataFrame]:
    """Buckets in portions of so many rows, and what is `apart` apart."""
    most = pl.max_horizontal("legacy_rows", "service_rows")
    portion = most.cum_sum() // _ROWS_AT_ONCE
    grouped = both.with_columns(_part=pl.struct(apart.alias("apart"), portion.alias("portion")))
    yield from (part for _, part in grouped.group_by("_part", maintain_order=True))


def _rows(held: Digests, side: Side, part: pl.DataFrame) -> pl.DataFrame:
    """The digests of some buckets: what a side knows of its rows, their place called by the side."""
    known = ["is_primary"] if side is Side.LEGACY else _MASKS
    columns = [pl.col("position").alias(str(side)), "live", *_MATCH, *_VALUE, *known]
    first, count = pl.col(f"{side}_first"), pl.col(f"{side}_rows")
    there = part.filter(count > 0).select(first.alias("first"), (first + count).alias("end"))
    begin, end = int(str(there["first"].min() or 0)), int(str(there["end"].max() or 0))
    if end - begin == int(part[f"{side}_rows"].sum()):
        return held.along(begin, end - begin).select(columns)
    positions = there.select(pl.int_ranges("first", "end").explode().alias("position"))
    return pl.DataFrame(places.rows_at(held.file, positions.to_arrow()).read_all()).select(columns)


class _Linked(NamedTuple):
    """Rows of both sides side by side, which of them `passes` or `differs`, and the places of all the `rest`, by side.

    Pairs have `match_1`, the columns of both rows' places, `is_primary` and both masks. Of those that are linked beyond
    doubt, each either passes or differs. The rest has `match_1`.
    """

    pairs: pl.DataFrame
    passes: pl.Series
    differs: pl.Series
    rest: pl.DataFrame


def _linked(legacy: pl.DataFrame, service: pl.DataFrame) -> _Linked:
    """Where both sides hold the same keys, they stand in the same order; else they are joined."""
    if legacy.height == service.height and legacy["match_1"].equals(service["match_1"]):
        both = legacy.hstack(service.rename({name: f"{name}_right" for name in ("live", *_MATCH, *_VALUE)}))
        alone: list[pl.DataFrame] = []
    else:
        both, alone = _joined(legacy, service)
    certain = both.select(pl.all_horizontal("live", "live_right", _equal("match_2"), _ALONE)).to_series()
    alike = both.select(_ALIKE).to_series()
    rest = pl.concat([both.select("match_1", *_PLACES).filter(~certain), *alone], how="diagonal")
    return _Linked(both, certain & alike, certain & ~alike, rest)


def _joined(legacy: pl.DataFrame, service: pl.DataFrame) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Rows of both sides that share their first lane, side by side; the places of those that have no other, by side.

    Live rows that are joined are alone with their first lane, so that there is one partner at most. That they stand in
    its order is said, for then they are merged, at a tenth of what it costs to join them by hashes.
    """
    of_legacy, of_service = (
        rows.with_row_index("at").filter("live", _ALONE).with_columns(pl.col("match_1").set_sorted())
        for rows in (legacy, service)
    )
    both = of_legacy.join(of_service, on="match_1", how="inner")
    standing = (rows.select("match_1", place) for rows, place in zip((legacy, service), _PLACES, strict=True))
    return both, [
        rows.filter(~marked(both[at], rows.height)) for rows, at in zip(standing, ("at", "at_right"), strict=True)
    ]


def _by_mask(linked: _Linked) -> Iterator[tuple[int, int]]:
    """How many pairs pass, by the fields they compare; mostly these are all fields."""
    if linked.pairs.select(pl.any_horizontal((pl.col(_MASKS) != 0).any())).item():
        yield from linked.pairs.lazy().filter(linked.passes).group_by(_MASK).len().collect().iter_rows()
    else:
        yield 0, int(linked.passes.sum())


def _equal(name: str) -> pl.Expr:
    return pl.col(name) == pl.col(f"{name}_right")
