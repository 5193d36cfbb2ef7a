"""Parquet files: typed already, so a column holds the declared type, or one that says the same, or the file is refused.

Only texts are judged cell by cell, as in text files. Any other column whose values would lose something, or would mean
something else, has changed its type: that is the whole file's fault and not a row's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.declared import declared
from pipelines.errors import SourceError, did_you_mean
from pipelines.sources import typed
from pipelines.sources.files import FilePath, answering, misfits_of_path, opened
from pipelines.sources.source import Batch, Misfit, Place, Reading, Source

_ROWS = 65_536
_BUFFER = 1024 * 1024


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
        with opened(path) as file:
            with answering(path), _whole(path):
                # Buffered, and nothing ahead of need: a row group may be as large as the file.
                parquet = pq.ParquetFile(file, buffer_size=_BUFFER, pre_buffer=False)
            held = parquet.schema_arrow
            _check(held, schema, path)
            undeclared = tuple(name for name in held.names if name not in schema.names)
            yield Reading(_batches(parquet, schema, path), undeclared)


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


def _batches(parquet: pq.ParquetFile, schema: pa.Schema, path: FilePath) -> Iterator[Batch]:
    row = 1
    batches = parquet.iter_batches(_ROWS, columns=schema.names)
    while True:
        with answering(path), _whole(path):
            batch = next(batches, None)
        if batch is None:
            return
        yield _batch(batch.select(schema.names), pa.arange(row, row + batch.num_rows), schema, path)
        row += batch.num_rows


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
