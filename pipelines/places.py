"""Places: the rows of one Parquet file that stand at certain places in it, as a stream.

Columns are decoded only for the rows that are wanted, which Polars can and DuckDB cannot. What the rows mean is not
known here; types of ours come in the words they are kept in (`types`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.types import as_kept

_PLACE = "__place"


def rows_at(file: Path, positions: pa.ChunkedArray) -> pa.RecordBatchReader:
    """All columns of the rows at these places (from 0), in the order of the file, in types as they are kept."""
    schema = pq.read_schema(file)
    rows = pl.scan_parquet(file, row_index_name=_PLACE, hive_partitioning=False)
    wanted = pl.Series(positions).cast(pl.get_index_type()).implode()
    found = rows.filter(pl.col(_PLACE).is_in(wanted)).select(map(_kept, schema))
    return pa.RecordBatchReader.from_batches(as_kept(schema), _batches(found, as_kept(schema)))


def _kept(field: pa.Field) -> pl.Expr:
    column = pl.col(field.name)
    return column.ext.storage() if isinstance(field.type, pa.ExtensionType) else column


def _batches(found: pl.LazyFrame, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for frame in found.collect_batches(maintain_order=True):
        yield from frame.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(schema).to_batches()
