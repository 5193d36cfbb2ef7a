"""Buckets: stretches of the link hash, each with digests of what the digests of its rows say and of all its rows hold.

Rows that are linked are in buckets of the same number on both sides. Where both sides' buckets *say* the same, every
row of them has its equal on the other side, and none of them needs to be read. Where a bucket *holds* the same as in an
earlier run, its rows are the same rows, whatever places they stand at.

A digest has 128 bits: two lanes, each the sum of one 64-bit hash a row, which is a hash of the sum of one hash a
column, all differently seeded. So neither the order of rows nor how they were cut on their way can be told from it, and
an exchange of values between rows or columns cannot hide in it.
"""

from __future__ import annotations

import polars as pl
import pyarrow as pa

from pipelines.schemas import column, table_schema

COUNT = 65_536
SCHEMA = table_schema(
    column("bucket", pa.int32(), "Number: the leading bits of the link hash"),
    column("first", pa.int64(), "Place of the bucket's first row among the digests, from 0"),
    column("rows", pa.int64(), "Rows in the bucket"),
    column(
        "is_plain", pa.bool_(), "All rows live, translated, linked by a hash of their own and compared in all fields"
    ),
    column("said_1", pa.uint64(), "Digest of what its rows are linked by and what they say: first lane"),
    column("said_2", pa.uint64(), "Digest of what its rows are linked by and what they say: second lane"),
    column("held_1", pa.uint64(), "Digest of all that its rows hold and what is known of them: first lane"),
    column("held_2", pa.uint64(), "Digest of all that its rows hold and what is known of them: second lane"),
)
RAW = ("raw_1", "raw_2")  # beside each digest on its way: what the whole row holds, both lanes
WIDTH = 2**64 // COUNT
_SAID = ("match_1", "match_2", "value_1", "value_2")
_KNOWN = (*_SAID, "live", "is_primary", "mask_primary", "mask_other")
_SUMMED = ("said_1", "said_2", "held_1", "held_2")
_LANE = pl.col("match_1")
_SEED = 7_000_003


class Tally:
    """Buckets of digests that pass by in order."""

    def __init__(self) -> None:
        self._found: list[pl.DataFrame] = []
        self._last: int | None = None  # first lane of the latest row

    def watch(self, ordered: pa.RecordBatchReader) -> pa.RecordBatchReader:
        """The digests, counted as they pass; what the whole rows hold (`RAW`) is needed no further."""
        kept = pa.schema([field for field in ordered.schema if field.name not in RAW])
        return pa.RecordBatchReader.from_batches(kept, (self._add(batch).select(kept.names) for batch in ordered))

    def table(self) -> pa.Table:
        """The buckets of what has passed (SCHEMA)."""
        parts = pl.concat([pl.DataFrame(schema=_PART), *self._found])
        # A bucket that was cut on its way is put together again.
        whole = parts.group_by("bucket", maintain_order=True).agg(
            pl.col("rows").sum(), pl.col("is_plain").all(), pl.col(_SUMMED).sum()
        )
        first = (pl.col("rows").cum_sum() - pl.col("rows")).alias("first")
        return whole.with_columns(first).select(SCHEMA.names).to_arrow().cast(SCHEMA)

    def _add(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        if batch.num_rows:
            rows = pl.DataFrame(batch)
            lanes = {f"{of}_{lane}": _row(names, lane) for of, names in _OF.items() for lane in (1, 2)}
            told = rows.select((_LANE // WIDTH).cast(pl.Int32).alias("bucket"), is_plain=self._plain(), **lanes)
            summed = told.group_by("bucket", maintain_order=True).agg(
                pl.len().cast(pl.Int64).alias("rows"), pl.col("is_plain").all(), pl.col(_SUMMED).sum()
            )
            self._found.append(summed)
            self._last = rows["match_1"][-1]
        return batch

    def _plain(self) -> pl.Expr:
        before = _LANE.shift(fill_value=pl.lit(self._last, pl.UInt64))
        return pl.all_horizontal(
            pl.col("live"),
            pl.col("value_1").is_not_null(),
            _LANE.ne_missing(before),
            pl.col("mask_primary") == 0,
            pl.col("mask_other") == 0,
        )


_OF = {"said": _SAID, "held": (*_KNOWN, *RAW)}
_PART = {"bucket": pl.Int32, "rows": pl.Int64, "is_plain": pl.Boolean, **dict.fromkeys(_SUMMED, pl.UInt64)}


def _row(names: tuple[str, ...], lane: int) -> pl.Expr:
    """One lane of a row's hash. It is hashed as a whole: sums of columns would not tell whose value is whose."""
    seed = lane * _SEED
    return pl.sum_horizontal(pl.col(name).hash(seed=seed + n) for n, name in enumerate(names, 1)).hash(seed=seed)
