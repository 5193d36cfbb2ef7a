"""The sieve: pairs that are linked beyond doubt and say the same to the last bit, found from the digests alone.

Two values that are equal byte for byte are equal under every comparator, so these pairs need no further look; what
remains on either side goes through linkage and comparison as if there were nothing else. A pair passes only when
nothing about it could make a difference there: one live row on each side, one link between them, no other row with
either key. Pairs of which only that last thing is not so, that they say the same, need no linkage: they are known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pyarrow as pa

from pipelines.declarations import Side

_ROWS_AT_ONCE = 500_000  # of a side; small enough to stay in the processor's cache while it is joined
WORTH_LEAPING = 100_000  # rows; to begin anew behind fewer costs more than to read them
_MATCH = ["match_1", "match_2"]
_VALUE = ["value_1", "value_2"]
_MASKS = ["mask_primary", "mask_other"]
_PLACES = [str(side) for side in Side]
_KNOWN = {**dict.fromkeys(_PLACES, pl.Int64), "is_primary": pl.Boolean}
# Of a row: whether neither neighbour is linked by the same, or by what has the same first lane.
_ALONE = pl.all_horizontal(pl.col("match_1").ne_missing(pl.col("match_1").shift(by)) for by in (1, -1))
# Of a pair: whether both rows say the same, and which fields it compares.
_ALIKE = pl.all_horizontal(pl.col(name) == pl.col(f"{name}_right") for name in _VALUE).fill_null(value=False)
_MASK = pl.when("is_primary").then("mask_primary").otherwise("mask_other").alias("mask")
_TOLD = [*_PLACES, "is_primary", *_MASKS, _ALIKE.alias("alike")]


@dataclass
class Sifted:
    """What passed: how many pairs, by the fields they compare; the positions that remain on each side, in no order.

    And of these the pairs that are linked beyond doubt and differ: their positions, as the columns of `_KNOWN`.
    """

    alike: dict[int, int] = field(default_factory=dict)  # mask of compared fields -> pairs
    remaining: dict[Side, list[pa.Array]] = field(default_factory=lambda: {side: [] for side in Side})
    differing: list[pl.DataFrame] = field(default_factory=list)
    by_hashes: bool = False  # whether that pairs passed rests on hashes

    @property
    def pairs(self) -> int:
        """How many pairs passed."""
        return sum(self.alike.values())

    def known(self) -> pa.Table:
        """The pairs that are linked beyond doubt and differ: a number of their own, and whether their link is primary.

        Columns: `pair` (int64, from 0), `link_primary`.
        """
        return self._known().select("pair", pl.col("is_primary").alias("link_primary")).to_arrow()

    def places(self, side: Side) -> pa.Table:
        """The rows that remain on a side, ascending: `position`, and `__pair`, missing unless the pair is known."""
        remaining = pl.DataFrame(pa.table({"position": pa.chunked_array(self.remaining[side], pa.int64())}))
        known = self._known().select(pl.col(str(side)).alias("position"), pl.col("pair").alias("__pair"))
        return remaining.join(known, on="position", how="left").sort("position").to_arrow()

    def _known(self) -> pl.DataFrame:
        differing = pl.concat([pl.DataFrame(schema=_KNOWN), *self.differing])
        return differing.with_columns(pl.int_range(pl.len(), dtype=pl.Int64).alias("pair"))


@dataclass(frozen=True)
class Digests:
    """A side's digests (`digests.SCHEMA`) in their order, and their buckets (`buckets.SCHEMA`)."""

    file: Path
    buckets: pa.Table


def sift(digests: Mapping[Side, Digests]) -> Sifted:
    """Hold the digests of both sides against each other, by buckets; many equal ones in a row are not even read."""
    sifted = Sifted(by_hashes=True)
    both = _buckets(digests).with_columns(_leapt().alias("leapt"))
    leapt = both.filter("leapt")
    _count(sifted, 0, int(leapt["legacy_rows"].sum()))
    frames = {side: pl.scan_parquet(held.file, hive_partitioning=False) for side, held in digests.items()}
    for stretch in _stretches(both.filter(~pl.col("leapt"))):
        linked = _linked(*(_rows(frames[side], side, stretch) for side in Side))
        masks, differing, rest = pl.collect_all([
            linked.pairs.filter("alike").group_by(_MASK).len(),
            linked.pairs.filter(~pl.col("alike")).select(*_PLACES, "is_primary"),
            linked.rest,
        ])  # fmt: skip
        for mask, count in masks.iter_rows():
            _count(sifted, mask, count)
        sifted.differing.append(differing)
        for side in Side:
            sifted.remaining[side] += [found[str(side)].drop_nulls().to_arrow() for found in (differing, rest)]
    return sifted


def pairs(digests: Mapping[Side, Digests]) -> Iterator[pa.Table]:
    """The positions of all pairs that pass, as columns `legacy` and `service`; no bucket is taken at its word."""
    frames = {side: pl.scan_parquet(held.file, hive_partitioning=False) for side, held in digests.items()}
    for stretch in _stretches(_buckets(digests)):
        linked = _linked(*(_rows(frames[side], side, stretch) for side in Side))
        yield linked.pairs.filter("alike").select(_PLACES).collect().to_arrow()


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
        pl.col("legacy_digest") == pl.col("service_digest"),
    )
    return same.fill_null(value=False)


def _leapt() -> pl.Expr:
    """Condition: the bucket passes as a whole, and there are enough of them side by side to be worth leaping over."""
    passes = _passes_whole()
    return passes & (pl.col("legacy_rows").sum().over(passes.rle_id()) >= WORTH_LEAPING)


def _stretches(both: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Neighbouring buckets put together to stretches that are worth reading at once."""
    most = pl.max_horizontal("legacy_rows", "service_rows")
    apart = (pl.col("place").diff() != 1).fill_null(value=False).cum_sum()
    grouped = both.with_columns(_part=pl.struct(apart, most.cum_sum() // _ROWS_AT_ONCE))
    yield from (part for _, part in grouped.group_by("_part", maintain_order=True))


def _rows(frame: pl.LazyFrame, side: Side, stretch: pl.DataFrame) -> pl.DataFrame:
    """The digests of a stretch: what a side knows of its rows, their place called by the side."""
    first, count = stretch[f"{side}_first"].min(), int(stretch[f"{side}_rows"].sum())
    known = ["is_primary"] if side is Side.LEGACY else _MASKS
    rows = frame.slice(int(str(first)) if count else 0, count)
    return rows.select(pl.col("position").alias(str(side)), "live", *_MATCH, *_VALUE, *known).collect()


class _Linked(NamedTuple):
    """Rows of both sides: the `pairs` that are linked beyond doubt, and the places of all the `rest`, by side.

    Pairs have the columns of both rows' places, `is_primary`, both masks, and `alike`: whether they say the same.
    """

    pairs: pl.LazyFrame
    rest: pl.LazyFrame


def _linked(legacy: pl.DataFrame, service: pl.DataFrame) -> _Linked:
    """Mostly both sides hold the same keys, and so stand in the same order; else they are joined."""
    if legacy.height == service.height and legacy["match_1"].equals(service["match_1"]):
        beside = service.rename({name: f"{name}_right" for name in ("live", *_MATCH, *_VALUE)})
        certain = pl.all_horizontal("live", "live_right", _equal("match_2"), _ALONE).alias("certain")
        # What is told of every row is told at once: filtered first, all else would be copied to tell it.
        both = legacy.hstack(beside).select(*_TOLD, certain).lazy()
        return _Linked(both.filter("certain"), both.filter(~pl.col("certain")).select(_PLACES))
    # Live rows are alone with their first lane: the join finds one partner at most.
    of_legacy, of_service = (rows.lazy().filter("live", _ALONE) for rows in (legacy, service))
    both = of_legacy.join(of_service, on="match_1", how="inner").filter(_equal("match_2")).select(_TOLD)
    pairs = both.collect().lazy()
    rest = [
        rows.lazy().select(place).join(pairs, on=place, how="anti")
        for rows, place in zip((legacy, service), _PLACES, strict=True)
    ]
    return _Linked(pairs, pl.concat(rest, how="diagonal"))


def _equal(name: str) -> pl.Expr:
    return pl.col(name) == pl.col(f"{name}_right")


def _count(sifted: Sifted, mask: int, pairs: int) -> None:
    if pairs:
        sifted.alike[mask] = sifted.alike.get(mask, 0) + pairs
