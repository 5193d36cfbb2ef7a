"""Parquet files: typed already, so a column holds the declared type, or one that says the same, or the file is refused.

Only texts are judged cell by cell, as in text files. Any other column whose values would lose something, or would mean
something else, has changed its type: that is the whole file's fault and not a row's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.declared import declared
from pipelines.errors import SourceError, did_you_mean
from pipelines.sources import typed
from pipelines.sources.files import FilePath, answering, misfits_of_path, opened
from pipelines.sources.source import Batch, Misfit, Place, Reading, Source

_ROWS = 65_536
_BUFFER = 1024 * 1024
_REACH = (1 << 63) // 1000 - 1  # microseconds since 1970 that nanoseconds can say


@declared
class ParquetFile(Source):
    """A Parquet file. `{date}` in the path is the partition; relative paths start at the context's root."""

    path: str

    def describe(self) -> str:
        return f"Parquet file {self.path}"

    def misfits(self, columns: Sequence[str]) -> Iterator[Misfit]:  # noqa: ARG002 (the file names its columns itself)
        yield from misfits_of_path(self.path)

    @contextmanager
    def open(self, place: Place, schema: pa.Schema) -> Iterator[Reading]:
        path = place.path(self.path)
        with opened(path) as file, ExitStack() as further:
            parquet, finer = _parquet(file, path, "ns"), None
            old = [name for name in _in_96_bits(parquet) if name in schema.names]
            if old:
                finer = parquet.iter_batches(_ROWS, columns=old)
                parquet = _parquet(further.enter_context(opened(path)), path, "us")
            held = parquet.schema_arrow
            _check(held, schema, path)
            undeclared = tuple(name for name in held.names if name not in schema.names)
            yield Reading(_batches(parquet, finer, schema, path), undeclared)


def _parquet(file: IO[bytes], path: FilePath, unit: str) -> pq.ParquetFile:
    """The file, its times of 96 bits in a unit: microseconds reach all years, nanoseconds from 1677 to 2262 only."""
    with answering(path), _whole(path):
        # Buffered, and nothing ahead of need: a row group may be as large as the file.
        return pq.ParquetFile(file, buffer_size=_BUFFER, pre_buffer=False, coerce_int96_timestamp_unit=unit)


@contextmanager
def _whole(path: FilePath) -> Iterator[None]:
    """Within this block a file that is no Parquet, or no longer all of it, is refused."""
    try:
        yield
    except pa.ArrowException as error:
        raise SourceError(f"{path}: not a whole Parquet file: {str(error).splitlines()[0]}") from error


def _check(held: pa.Schema, schema: pa.Schema, path: FilePath) -> None:
    times = Counter(held.names)
    for field in schema:
        if not times[field.name]:
            raise SourceError(f'{path}: column "{field.name}" is missing; {did_you_mean(field.name, held.names)}')
        if times[field.name] > 1:
            raise SourceError(f'{path}: column "{field.name}" is there twice')
        found = typed.plain(held.field(field.name).type)
        if not typed.says_the_same(found, field.type):
            raise _changed(path, field, found)


def _in_96_bits(parquet: pq.ParquetFile) -> list[str]:
    """The columns of times as Hive, Impala and Spark write them; none when some are within lists or structs."""
    columns = map(parquet.schema.column, range(len(parquet.schema)))
    found = [column.path for column in columns if column.physical_type == "INT96"]
    return [] if any("." in path for path in found) else found


def _batches(
    parquet: pq.ParquetFile, finer: Iterator[pa.RecordBatch] | None, schema: pa.Schema, path: FilePath
) -> Iterator[Batch]:
    """The rows. `finer` are columns of times once more, in nanoseconds."""
    row = 1
    batches = parquet.iter_batches(_ROWS, columns=schema.names)
    while True:
        with answering(path), _whole(path):
            batch, fine = next(batches, None), next(finer, None) if finer else None
        if batch is None:
            return
        for values, field in zip(fine.columns, fine.schema, strict=True) if fine else ():
            if not _are_whole(batch.column(field.name), values):
                raise _changed(path, schema.field(field.name), field.type)
        yield _batch(batch.select(schema.names), pa.arange(row, row + batch.num_rows), schema, path)
        row += batch.num_rows


def _are_whole(micros: pa.Array, nanos: pa.Array) -> bool:
    """Whether microseconds say all that nanoseconds do, as far as those reach: beyond, they are of another year."""
    micros = micros.cast(pa.int64())
    reached = pc.less_equal(pc.abs(micros), _REACH)
    same = pc.equal(pc.multiply(pc.if_else(reached, micros, 0), 1000), nanos.cast(pa.int64()))
    return bool(pc.all(pc.or_(same, pc.invert(reached)), min_count=0).as_py())


def _batch(batch: pa.RecordBatch, numbers: pa.Array, schema: pa.Schema, path: FilePath) -> Batch:
    columns = [_column(values, field, path) for values, field in zip(batch.columns, schema, strict=True)]
    return typed.batch_of(pa.RecordBatch.from_arrays(columns, schema.names), numbers, schema)


def _column(values: pa.Array, field: pa.Field, path: FilePath) -> pa.Array:
    """The column in the declared type; texts as texts, to be cast cell by cell."""
    exact = typed.exactly(values, field.type)
    if exact is None:
        raise _changed(path, field, typed.plain(values.type))
    return exact


def _changed(path: FilePath, field: pa.Field, found: pa.DataType) -> SourceError:
    return SourceError(f'{path}: column "{field.name}" is {found}, expected {field.type}')
