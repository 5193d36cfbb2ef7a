"""Parquet files: typed already, so a column is of the declared type, or one that holds the same values, or the file is refused.

Only texts are judged cell by cell, as in text files; any other type that would lose something is a changed type, which is
the whole file's fault and not a row's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.declared import declared
from pipelines.errors import SourceError, did_you_mean
from pipelines.sources import text
from pipelines.sources.files import answering, opened
from pipelines.sources.source import Batch, Place, Reading, Source

_ROWS = 65_536


@declared
class ParquetFile(Source):
    """A Parquet file. `{date}` in the path is the partition; relative paths start at the context's root."""

    path: str

    def describe(self) -> str:
        return f"Parquet file {self.path}"

    @contextmanager
    def open(self, place: Place, schema: pa.Schema) -> Iterator[Reading]:
        path = place.path(self.path)
        with opened(path) as file, answering(path):
            try:
                # Buffered and not ahead of need: a row group may be as large as the file.
                parquet = pq.ParquetFile(file, buffer_size=1024 * 1024, pre_buffer=False)
            except pa.ArrowInvalid as error:
                raise SourceError(f"{path}: not a whole Parquet file ({str(error).splitlines()[0]})") from error
            held = parquet.schema_arrow
            for name in schema.names:
                if name not in held.names:
                    raise SourceError(f'{path}: column "{name}" is missing; {did_you_mean(name, held.names)}')
            undeclared = tuple(name for name in held.names if name not in schema.names)
            yield Reading(_batches(parquet, schema, path), undeclared)


def _batches(parquet: pq.ParquetFile, schema: pa.Schema, path: Path) -> Iterator[Batch]:
    number = 1
    columns = list(schema.names)
    batches = parquet.iter_batches(_ROWS, columns=columns, use_threads=True)
    while True:
        with answering(path):
            try:
                batch = next(batches, None)
            except pa.ArrowInvalid as error:
                raise SourceError(f"{path}: damaged ({str(error).splitlines()[0]})") from error
        if batch is None:
            return
        yield _batch(batch.select(columns), number, schema, path)
        number += batch.num_rows


def _batch(batch: pa.RecordBatch, number: int, schema: pa.Schema, path: Path) -> Batch:
    numbers = pa.array(range(number, number + batch.num_rows), pa.int64())
    arrays = []
    for field, values in zip(schema, batch.columns, strict=True):
        arrays.append(_cast(values, field, path))
    return text.cast(pa.RecordBatch.from_arrays(arrays, list(schema.names)), numbers, schema, ())


def _cast(values: pa.Array, field: pa.Field, path: Path) -> pa.Array:
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if values.type == field.type:
        return values
    if _is_text(values.type):
        return values.cast(pa.string())
    try:
        return values.cast(field.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise SourceError(f'{path}: column "{field.name}" is {values.type}, expected {field.type}') from error


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))
