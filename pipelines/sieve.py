"""The sieve: pairs that are linked beyond doubt and say the same to the last bit, found from the digests alone.

Two values that are equal byte for byte are equal under every comparator, so these pairs need no further look; what
remains on either side goes through linkage and comparison as if there were nothing else. A pair passes only when
nothing about it could make a difference there: one live row on each side, one link between them, no other row with
either key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pyarrow as pa

from pipelines.declarations import Side

_ROWS_AT_ONCE = 500_000  # of a side; small enough to stay in the processor's cache while it is joined
WORTH_LEAPING = 100_000  # rows; to begin anew behind fewer costs more than to read them
_MATCH = ["match_1", "match_2"]
_VALUE = ["value_1", "value_2"]
_MASKS = ["mask_primary", "mask_other"]


@dataclass
class Sifted:
    """What passed: how many pairs, by the fields they compare; and the positions that remain on each side."""

    alike: dict[int, int] = field(default_factory=dict)  # mask of compared fields -> pairs
    remaining: dict[Side, list[pa.Array]] = field(default_factory=lambda: {side: [] for side in Side})
    by_hashes: bool = False  # whether that pairs passed rests on hashes

    @property
    def pairs(self) -> int:
        """How many pairs passed."""
        return sum(self.alike.values())

    def positions(self, side: Side) -> pa.ChunkedArray:
        """The positions that remain on a side, in no order."""
        return pa.chunked_array(self.remaining[side], pa.int64())


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
        legacy, service = (_rows(frames[side], side, stretch) for side in Side)
        passing = _passing(legacy, service)
        for mask, count in passing["mask"].value_counts().iter_rows():
            _count(sifted, mask, count)
        for side, rows in ((Side.LEGACY, legacy), (Side.SERVICE, service)):
            sifted.remaining[side].append(_others(rows, passing[str(side)]))
    return sifted


def pairs(digests: Mapping[Side, Digests]) -> Iterator[pa.Table]:
    """The positions of all pairs that pass, as columns `legacy` and `service`; no bucket is taken at its word."""
    frames = {side: pl.scan_parquet(held.file, hive_partitioning=False) for side, held in digests.items()}
    for stretch in _stretches(_buckets(digests)):
        rows = {side: _rows(frames[side], side, stretch) for side in Side}
        passing = _passing(rows[Side.LEGACY], rows[Side.SERVICE])
        positions = {str(side): rows[side]["position"].gather(passing[str(side)]).to_arrow() for side in Side}
        yield pa.table(positions)


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
    """The digests of a stretch; `live` only where no neighbour is linked by the same (or the same first lane)."""
    lane = pl.col("match_1")
    alone = (lane != lane.shift()).fill_null(value=True) & (lane != lane.shift(-1)).fill_null(value=True)
    first, count = stretch[f"{side}_first"].min(), int(stretch[f"{side}_rows"].sum())
    known = ["is_primary"] if side is Side.LEGACY else _MASKS
    rows = frame.slice(int(str(first)) if count else 0, count)
    return rows.select("position", pl.col("live") & alone, *_MATCH, *_VALUE, *known).with_row_index("row").collect()


def _passing(legacy: pl.DataFrame, service: pl.DataFrame) -> pl.DataFrame:
    """The pairs that pass: `legacy` and `service` (rows of these frames, from 0) and `mask` of the fields they compare.

    Mostly both sides hold the same keys, and so stand in the same order; else they are joined.
    """
    mask = pl.when("is_primary").then("mask_primary").otherwise("mask_other").alias("mask")
    equal = [pl.col(name) == pl.col(f"{name}_right") for name in ("match_2", *_VALUE)]
    if legacy.height == service.height and legacy["match_1"].equals(service["match_1"]):
        beside = service.drop("match_1", *_MASKS).rename(lambda name: f"{name}_right").hstack(service.select(_MASKS))
        passing = legacy.hstack(beside).lazy().filter("live", "live_right", *equal)
        return passing.select(pl.col("row").alias("legacy"), pl.col("row_right").alias("service"), mask).collect()
    # Live rows are alone with their first lane: the join finds one partner at most.
    joined = legacy.lazy().filter("live").join(service.lazy().filter("live"), on="match_1", how="inner")
    passing = joined.filter(*equal)
    return passing.select(pl.col("row").alias("legacy"), pl.col("row_right").alias("service"), mask).collect()


def _others(rows: pl.DataFrame, passing: pl.Series) -> pa.Array:
    """The positions of the rows that do not pass."""
    stays = pl.repeat(value=True, n=rows.height, eager=True).scatter(passing, values=False)
    return rows["position"].filter(stays).to_arrow()


def _count(sifted: Sifted, mask: int, pairs: int) -> None:
    if pairs:
        sifted.alike[mask] = sifted.alike.get(mask, 0) + pairs
