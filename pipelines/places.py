"""Places: certain rows of Parquet files, by where they stand or by what they hold, as frames or as a stream.

Polars reads them at half of what they cost DuckDB. Where a file's rows stand unpacked beside it, and are asked for by
place, or stretch by stretch, they are taken from there. What the rows mean is not known here; types of ours come in the
words they are kept in (`types`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import unpacked
from pipelines.types import as_kept, as_stored
from pipelines.unpacked import Unpacked

PARTITION = "__partition"
_PLACE = "__place"
_FILE = "__file"
Along = Callable[[int, int], pl.DataFrame]  # all columns of so many rows from a place on, in types as they are kept
Columns = Callable[[str], pl.Series]  # one column of all rows, in the type as it is kept
_ROWS_AT_ONCE = 65_536  # each batch costs on its way, column by column; few rows are found in each stretch read


def rows_at(file: Path, places: pa.Table) -> pa.RecordBatchReader:
    """All columns of the rows at these places, in types as they are kept, with what else is known of each place.

    `places` has the column `position` (from 0, ascending), and others that are put beside the row.
    """
    wanted, known = pl.DataFrame(places.select(["position"]))["position"], places.drop_columns("position")
    rows, kept = unpacked.beside(file), as_kept(pq.read_schema(file))
    found = _looked_up(rows, wanted, kept) if rows else _packed(file, wanted, kept)
    together = pa.schema([*kept, *known.schema])
    return pa.RecordBatchReader.from_batches(together, _beside(found, known, together))


def found(file: Path, at: pl.Series) -> pl.DataFrame:
    """All columns of the rows at these places, which ascend."""
    rows = unpacked.beside(file)
    if rows:
        return pl.concat([_none(rows), *(pl.DataFrame(_stored(batch)) for batch in rows.at(at))])
    return pl.concat([stretch(file, 0, 0).collect(), *(rows.collect() for rows in _decoded(file, at))])


def stretch(file: Path, first: int, count: int) -> pl.LazyFrame:
    """All columns of so many rows from a place on, in types as they are kept."""
    rows = pl.scan_parquet(file, hive_partitioning=False).slice(first, count)
    return rows.select(map(_kept, pq.read_schema(file)))


def along(file: Path) -> Along:
    """How the rows of a file are read along."""
    rows = unpacked.beside(file)
    if not rows:
        return lambda first, count: stretch(file, first, count).collect()
    return lambda first, count: _looked_along(rows, first, count)


def columns(file: Path) -> Columns:
    """How the rows of a file are read column by column; each until the next is read."""
    rows, schema = unpacked.beside(file), pq.read_schema(file)
    if rows:
        return lambda name: _looked_down(rows, name)
    packed = pl.scan_parquet(file, hive_partitioning=False)
    return lambda name: packed.select(_kept(schema.field(name))).collect().to_series()


def stream(file: Path, frames: Iterable[pl.DataFrame], *, knowing: pa.Schema) -> pa.RecordBatchReader:
    """Rows of a file, in types as they are kept, with what else is known of them in columns of this schema."""
    kept = pa.schema([*as_kept(pq.read_schema(file)), *knowing])
    return pa.RecordBatchReader.from_batches(kept, (batch for frame in frames for batch in _arrow(frame, kept)))


def _looked_along(rows: Unpacked, first: int, count: int) -> pl.DataFrame:
    rows.let_go()  # of the stretch before
    looked_at = (pl.DataFrame(_stored(batch)) for batch in rows.stretch(first, count))
    return pl.concat([_none(rows), *looked_at], rechunk=False)


def _looked_down(rows: Unpacked, name: str) -> pl.Series:
    rows.let_go()  # of the column before
    looked_at = (pl.DataFrame(_stored(batch.select([name]))) for batch in rows.stretch(0, rows.count))
    return pl.concat([_none(rows).select(name), *looked_at], rechunk=False).to_series()


def _none(rows: Unpacked) -> pl.DataFrame:
    return pl.DataFrame(as_stored(rows.file.schema).empty_table())


def _looked_up(rows: Unpacked, wanted: pl.Series, kept: pa.Schema) -> Iterator[pa.RecordBatch]:
    for batch in rows.at(wanted):
        cast = [values.cast(field.type) for values, field in zip(_stored(batch).columns, kept, strict=True)]
        yield pa.RecordBatch.from_arrays(cast, schema=kept)


def _stored(batch: pa.RecordBatch) -> pa.RecordBatch:
    columns = [values.storage if isinstance(values.type, pa.ExtensionType) else values for values in batch.columns]
    return pa.RecordBatch.from_arrays(columns, schema=as_stored(batch.schema))


def _packed(file: Path, wanted: pl.Series, kept: pa.Schema) -> Iterator[pa.RecordBatch]:
    for rows in _decoded(file, wanted):
        yield from _batches(rows, kept)


def _decoded(file: Path, wanted: pl.Series) -> Iterator[pl.LazyFrame]:
    schema, packed = pq.read_schema(file), pq.read_metadata(file)
    rows = pl.scan_parquet(file, row_index_name=_PLACE, hive_partitioning=False)
    for first, count, within in _stretches(file, wanted.cast(pl.get_index_type()).alias(_PLACE)):
        there = rows.slice(first, count).filter(_is_among(within), _of_a_column(packed, schema.names))
        yield there.select(map(_kept, schema))


def _beside(found: Iterable[pa.RecordBatch], known: pa.Table, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The rows found, as they come, with the next rows of another table beside them."""
    passed, columns = 0, [pa.concat_arrays(values.chunks) for values in known.columns]
    for rows in found:
        beside = (values.slice(passed, rows.num_rows) for values in columns)
        yield pa.RecordBatch.from_arrays([*rows.columns, *beside], schema=schema)
        passed += rows.num_rows


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


def _of_a_column(file: pq.FileMetaData, names: Sequence[str]) -> pl.Expr:
    """What is true of every row, and asks a column for it: one that takes little, for it is decoded whole.

    Where no column is asked, Polars decodes all of them whole before it filters, which costs half as much again.
    """
    group = file.row_group(0)
    sizes = {
        chunk.path_in_schema: chunk.total_uncompressed_size for chunk in map(group.column, range(group.num_columns))
    }
    column = pl.col(min(names, key=lambda name: sizes.get(name, math.inf)))
    return column.is_null() | column.is_not_null()


def _is_among(values: pl.Series) -> pl.Expr:
    return pl.col(values.name).is_in(values.implode())


def _kept(field: pa.Field) -> pl.Expr:
    column = pl.col(field.name)
    return column.ext.storage() if isinstance(field.type, pa.ExtensionType) else column


def _batches(found: pl.LazyFrame, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for frame in found.collect_batches(maintain_order=True, chunk_size=_ROWS_AT_ONCE):
        yield from _arrow(frame, schema)


def _arrow(frame: pl.DataFrame, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    yield from frame.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(schema).to_batches()
