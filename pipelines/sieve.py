"""The sieve: pairs that are linked beyond doubt and say the same to the last bit, found from the digests alone.

Two values that are equal byte for byte are equal under every comparator, so these pairs need no further look; what
remains on either side goes through linkage and comparison as if there were nothing else. A pair passes only when
nothing about it could make a difference there: one live row on each side, one link between them, no other row with
either key.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import polars as pl
import pyarrow as pa

from pipelines.declarations import Side
from pipelines.digests import key_lanes

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


@dataclass(frozen=True)
class Links:
    """An identity map (`identity.SCHEMA`) as of a day, through which the legacy side is linked."""

    file: Path
    on: str


def sift(digests: dict[Side, Path], links: Links | None) -> Sifted:
    """Merge the digests of both sides, each ordered by what its rows are linked by, stretch by stretch of the hashes.

    Without links, equal link hashes are the link; with them, legacy rows take the hash of the row they are linked to.
    """
    sifted = Sifted()
    frames = {side: _alone(pl.scan_parquet(path, hive_partitioning=False)) for side, path in digests.items()}
    if links is not None:
        frames[Side.LEGACY] = _linked(frames[Side.LEGACY], links)
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


def _alone(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Where a row's own key is not what links it, a row that shares its key is not beyond doubt."""
    unlinked = frame.with_columns(pl.lit(value=False).alias("primary"))
    if not frame.select(pl.col("row_1").is_not_null().any()).collect().item():
        return unlinked
    return unlinked.with_columns(pl.col("live") & ~pl.struct("row_1", "row_2").is_duplicated())


def _linked(legacy: pl.LazyFrame, links: Links) -> pl.LazyFrame:
    """The legacy rows with the hash of the one service row they are linked to, in its order; without one, not live."""
    on = pl.lit(date.fromisoformat(links.on))
    valid = (pl.col("valid_from").is_null() | (pl.col("valid_from") <= on)) & (
        pl.col("valid_to").is_null() | (pl.col("valid_to") > on)
    )
    ends = {
        side: [lane.alias(f"{side}_{n}") for n, lane in enumerate(key_lanes(pl.col(f"{side}_key")), 1)] for side in Side
    }
    single = [~pl.struct(f"{side}_1", f"{side}_2").is_duplicated() for side in Side]
    usable = pl.all_horizontal(*single, ~pl.col("is_merged"), pl.col("problem").is_null())
    known = (
        pl.scan_parquet(links.file, hive_partitioning=False)
        .filter(valid)
        .select(
            *ends[Side.LEGACY], *ends[Side.SERVICE], "is_merged", "problem", pl.col("is_primary").alias("link_primary")
        )
        .filter(usable)
    )
    joined = legacy.join(known, left_on=_MATCH, right_on=["legacy_1", "legacy_2"], how="left")
    has_link = pl.col("service_1").is_not_null()
    return joined.with_columns(
        (pl.col("live") & has_link).alias("live"),
        pl.coalesce("service_1", "match_1").alias("match_1"),
        pl.coalesce("service_2", "match_2").alias("match_2"),
        pl.col("link_primary").fill_null(value=False).alias("primary"),
    ).sort(*_MATCH)


def _of(frame: pl.LazyFrame, side: Side, stretch: pl.Expr | None) -> pl.DataFrame:
    chosen = frame if stretch is None else frame.filter(stretch)
    columns = [*_MATCH, *_VALUE, "position", "live", "primary", "mask_primary", "mask_other"]
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
    # Only the legacy row of a pair knows whether its link is primary; only the service row has masks, else 0.
    primary = pl.col("primary") | pl.col("primary").shift(-1)
    both = {name: pl.col(name) + pl.col(name).shift(-1) for name in ("mask_primary", "mask_other")}
    mask = pl.when(primary).then(both["mask_primary"]).otherwise(both["mask_other"])
    for value, count in merged.select(mask.filter(pl.col("opens")).alias("mask")).group_by("mask").len().iter_rows():
        sifted.alike[value] = sifted.alike.get(value, 0) + count


def _keep(merged: pl.DataFrame, sifted: Sifted) -> None:
    passed = pl.col("opens") | pl.col("opens").shift(fill_value=False)
    rest = merged.filter(~passed)
    for side in Side:
        of_side = rest.filter(pl.col("of_service") == (side is Side.SERVICE))
        sifted.remaining[side].append(of_side["position"].sort().to_arrow())
