"""Parquet files: typed already, so a column holds the declared type, or one that says the same, or the file is refused.

Only texts are judged cell by cell, as in text files. Any other column whose values would lose something, or would mean
something else, has changed its type: that is the whole file's fault and not a row's.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.declared import declared
from pipelines.errors import SourceError, did_you_mean
from pipelines.sources import text
from pipelines.sources.files import FilePath, answering, misfits_of_path, opened
from pipelines.sources.source import REJECTED, Batch, Misfit, Place, Reading, Source

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
        found = _plain(held.field(field.name).type)
        if not _says_the_same(found, field.type):
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
    rows = pa.RecordBatch.from_arrays(columns, schema.names)
    undecodable = {row: name for name in reversed(rows.schema.names) for row in _undecodable(rows.column(name))}
    if not undecodable:
        return text.cast(rows, numbers, schema, ())
    good = pc.invert(pc.is_in(pa.arange(0, rows.num_rows), pa.array(undecodable, pa.int64())))
    cast = text.cast(rows.filter(good), numbers.filter(good), schema, ())
    bad = [
        {"row_number": numbers[row].as_py(), "check": "encoding", "field": name, "reason": "expected valid utf-8"}
        | {"raw": _shown(rows.slice(row, 1))}
        for row, name in undecodable.items()
    ]
    unreadable = text.in_row_order(cast.unreadable, pa.RecordBatch.from_pylist(bad, schema=REJECTED))
    return Batch(cast.rows, cast.row_numbers, unreadable)


def _column(values: pa.Array, field: pa.Field, path: FilePath) -> pa.Array:
    """The column in the declared type; texts as texts, to be cast cell by cell."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    wanted = pa.string() if _is_text(values.type) else field.type
    if values.type == wanted:
        return values
    try:
        cast = values.cast(wanted)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise _changed(path, field, values.type) from error
    # Even the safe cast of an instant to a day drops the time of day.
    if pa.types.is_date(wanted) and not cast.cast(values.type).equals(values):
        raise _changed(path, field, values.type)
    return cast


def _undecodable(values: pa.Array) -> list[int]:
    """Indices of texts that are not valid UTF-8, which Parquet writers promise but do not always keep."""
    if not pa.types.is_string(values.type):
        return []
    try:
        values.cast(pa.binary()).cast(pa.string())
    except pa.ArrowInvalid:
        raws = values.cast(pa.binary()).to_pylist()
        return [row for row, raw in enumerate(raws) if raw is not None and not _decodes(raw)]
    return []


def _decodes(raw: bytes) -> bool:
    return raw.decode(errors="ignore").encode() == raw


def _shown(row: pa.RecordBatch) -> str:
    """One row as a JSON object of texts; bytes that are no text are shown by their escapes."""
    raw = [values.cast(pa.string()).cast(pa.binary())[0].as_py() for values in row.columns]
    texts = [None if value is None else value.decode(errors="backslashreplace") for value in raw]
    return json.dumps(dict(zip(row.schema.names, texts, strict=True)), ensure_ascii=False)


def _changed(path: FilePath, field: pa.Field, found: pa.DataType) -> SourceError:
    return SourceError(f'{path}: column "{field.name}" is {found}, expected {field.type}')


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _is_zoned(kind: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(kind) and kind.tz is not None)


# Between these Arrow's safe casts keep the value or fail (but for days, see `_column`). It has others that change the
# meaning without a word: a number as a day, any number as a truth value, wall time as UTC.
_KEEPING: tuple[tuple[Callable[[pa.DataType], bool], tuple[Callable[[pa.DataType], bool], ...]], ...] = (
    (pa.types.is_integer, (pa.types.is_integer, pa.types.is_decimal, pa.types.is_floating)),
    (pa.types.is_decimal, (pa.types.is_decimal, pa.types.is_integer)),
    (pa.types.is_floating, (pa.types.is_floating, pa.types.is_integer)),
    (pa.types.is_date, (pa.types.is_date, pa.types.is_timestamp)),
    (pa.types.is_timestamp, (pa.types.is_timestamp, pa.types.is_date)),
)


def _says_the_same(found: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether values of the one type can be values of the other; whether these values are shows when they are cast."""
    if found == wanted or _is_text(found) or pa.types.is_null(found):
        return True
    if _is_zoned(found) != _is_zoned(wanted):
        return False
    return any(is_from(found) and any(is_to(wanted) for is_to in to) for is_from, to in _KEEPING)
