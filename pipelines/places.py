"""Places: certain rows of Parquet files, by where they stand or by what they hold, as a stream.

Polars reads them at half of what they cost DuckDB. What the rows mean is not known here; types of ours come in the
words they are kept in (`types`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.types import as_kept

PARTITION = "__partition"
_PLACE = "__place"
_FILE = "__file"


def rows_at(file: Path, positions: pa.ChunkedArray) -> pa.RecordBatchReader:
    """All columns of the rows at these places (from 0), in the order of the file, in types as they are kept."""
    schema = pq.read_schema(file)
    rows = pl.scan_parquet(file, row_index_name=_PLACE, hive_partitioning=False)
    wanted = pl.Series(_PLACE, positions).cast(pl.get_index_type()).sort()
    found = (
        rows.slice(first, count).filter(_is_among(within)).select(map(_kept, schema))
        for first, count, within in _stretches(file, wanted)
    )
    batches = (batch for part in found for batch in _batches(part, as_kept(schema)))
    return pa.RecordBatchReader.from_batches(as_kept(schema), batches)


def _stretches(file: Path, wanted: pl.Series) -> Iterator[tuple[int, int, pl.Series]]:
    """Row groups side by side that hold places wanted (ascending): first row, rows, and the places in them.

    Nothing is read of row groups that hold none.
    """
    metadata = pq.read_metadata(file)
    sizes = pl.Series(
        [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)], dtype=pl.Int64
    )
    ends = sizes.cum_sum()
    places = wanted.to_frame().with_columns(_group=ends.search_sorted(wanted, side="right"))
    apart = (pl.col("_group").diff() > 1).fill_null(value=False).cum_sum()
    for _, part in places.group_by(apart, maintain_order=True):
        begin, end = part["_group"][0], part["_group"][-1]
        first = ends[begin] - sizes[begin]
        yield first, ends[end] - first, part[_PLACE]


def rows_holding(files: Mapping[str, Path], values: pa.Table) -> pa.RecordBatchReader:
    """All columns of the rows that hold one of the `values` in each column there named, in types as they are kept.

    The files have one schema; the key of each row's file stands in `__partition`.
    """
    schema = pq.read_schema(next(iter(files.values())))
    rows = pl.scan_parquet(list(files.values()), include_file_paths=_FILE, hive_partitioning=False)
    types = rows.collect_schema()
    held = (_is_among(pl.Series(name, values[name]).cast(types[name], strict=False)) for name in values.column_names)
    keys = pl.col(_FILE).replace_strict({str(file): key for key, file in files.items()}).alias(PARTITION)
    kept = as_kept(schema).append(pa.field(PARTITION, pa.string()))
    return pa.RecordBatchReader.from_batches(kept, _batches(rows.filter(*held).select(*map(_kept, schema), keys), kept))


def _is_among(values: pl.Series) -> pl.Expr:
    return pl.col(values.name).is_in(values.implode())


def _kept(field: pa.Field) -> pl.Expr:
    column = pl.col(field.name)
    return column.ext.storage() if isinstance(field.type, pa.ExtensionType) else column


def _batches(found: pl.LazyFrame, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for frame in found.collect_batches(maintain_order=True):
        yield from frame.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(schema).to_batches()
