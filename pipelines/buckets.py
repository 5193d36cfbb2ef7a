"""Buckets: stretches of the link hash, each with a digest of all that the digests of its rows say.

Rows that are linked are in buckets of the same number on both sides. Where both sides' buckets have one digest, every
row of them has its equal on the other side, and none of them needs to be read. The digest is SHA-256 over the bucket's
rows in order: 256 bits, fed with every value's full width.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.schemas import column, table_schema

if TYPE_CHECKING:
    from hashlib import _Hash as Hash

COUNT = 1024
SCHEMA = table_schema(
    column("bucket", pa.int32(), "Number: the leading bits of the link hash"),
    column("first", pa.int64(), "Place of the bucket's first row among the digests, from 0"),
    column("rows", pa.int64(), "Rows in the bucket"),
    column(
        "is_plain", pa.bool_(), "All rows live, translated, linked by a hash of their own and compared in all fields"
    ),
    column("digest", pa.string(), "SHA-256 of what its rows are linked by and what they say, in order"),
)
_SHIFT = 64 - COUNT.bit_length() + 1
_SAID = ("match_1", "match_2", "value_1", "value_2")


class Tally:
    """Buckets of digests that pass by in order."""

    def __init__(self) -> None:
        self._found: list[_Bucket] = []
        self._rows = 0

    def watch(self, digests: pa.RecordBatchReader) -> pa.RecordBatchReader:
        """The same digests, counted as they pass."""
        return pa.RecordBatchReader.from_batches(digests.schema, map(self._add, digests))

    def table(self) -> pa.Table:
        """The buckets of what has passed (SCHEMA)."""
        columns = {
            "bucket": [bucket.number for bucket in self._found],
            "first": [bucket.first for bucket in self._found],
            "rows": [bucket.rows for bucket in self._found],
            "is_plain": [bucket.is_plain for bucket in self._found],
            "digest": [bucket.digest() for bucket in self._found],
        }
        return pa.table(columns, SCHEMA)

    def _add(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        for number, part, is_plain in _parts(batch):
            if not self._found or self._found[-1].number != number:
                self._found.append(_Bucket(number, self._rows))
            self._found[-1].add(part, is_plain=is_plain)
            self._rows += part.num_rows
        return batch


@dataclass
class _Bucket:
    number: int
    first: int
    rows: int = 0
    is_plain: bool = True
    last: int | None = None  # first lane of the latest row
    hashes: list[Hash] = field(default_factory=lambda: [hashlib.sha256() for _ in _SAID])

    def add(self, part: pa.RecordBatch, *, is_plain: bool) -> None:
        """Add the bucket's next rows; they are plain among themselves or not."""
        lane = part.column("match_1")
        self.is_plain = self.is_plain and self.last != lane[0].as_py() and is_plain
        self.rows += part.num_rows
        self.last = lane[-1].as_py()
        for name, fed in zip(_SAID, self.hashes, strict=True):
            values = pc.fill_null(part.column(name), 0)
            begin, width = values.offset, values.type.bit_width // 8
            fed.update(memoryview(values.buffers()[1])[begin * width : (begin + len(values)) * width])

    def digest(self) -> str:
        """The digest of the rows added; wherever they were cut on their way, it is the same."""
        return hashlib.sha256(b"".join(fed.digest() for fed in self.hashes)).hexdigest()


def _parts(batch: pa.RecordBatch) -> Iterator[tuple[int, pa.RecordBatch, bool]]:
    """The batch cut at the borders of buckets: number, rows, and whether all of them are plain among themselves."""
    lane = pl.col("match_1")
    plain = pl.all_horizontal(
        pl.col("live"),
        pl.col("value_1").is_not_null(),
        (lane != lane.shift()).fill_null(value=True),
        pl.col("mask_primary") == 0,
        pl.col("mask_other") == 0,
    )
    number = pl.Series(pc.shift_right(batch.column("match_1"), pa.scalar(_SHIFT, pa.uint64())))
    rows = pl.DataFrame(batch).select(plain.alias("plain"), number.alias("number"))
    begin = 0
    for of, count, is_plain in (
        rows.group_by("number", maintain_order=True).agg(pl.len(), pl.col("plain").all()).iter_rows()
    ):
        yield of, batch.slice(begin, count), is_plain
        begin += count
