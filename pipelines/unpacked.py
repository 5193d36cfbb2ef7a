"""Unpacked: the rows of a table once more beside its Parquet file, as they stand in memory, for few to be looked up.

Out of Parquet a row costs all the pages that it is in; here it costs the bytes it is made of. The file is looked at
where it is on disk, and nothing of it is read before. Texts are kept as views, as frames hold them: to make these of
texts costs more than all else about looking at a row. Whoever deletes the file loses nothing but speed. What the rows
mean is not known here.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import settings

_MANY = 100_000  # rows; of a smaller table all are compared as fast as those are found that need it
_MARK = "coexist.unpacked"


def worthwhile() -> int:
    """Rows from which on few of a table's rows are looked for, and it is worth being kept unpacked as well."""
    return settings.whole_number("COEXIST_SIEVE_FROM", _MANY)


class Copy:
    """The unpacked rows of a table that is being written; with fewer rows than `least` there are none in the end.

    `mark` tells this writing of the table from any other: it must stand in the metadata of the Parquet file as well.
    """

    def __init__(self, file: Path, schema: pa.Schema, *, least: int) -> None:
        self.mark = {_MARK: uuid4().hex}
        self._path, self._least, self._rows = _beside(file), least, 0
        self._schema = pa.schema([field.with_type(_viewed(field.type)) for field in schema])
        self._writer = pa.ipc.new_file(str(self._path), self._schema, metadata=self.mark)

    def write(self, stretch: pa.RecordBatch) -> None:
        """Add what is one row group of the Parquet file."""
        self._writer.write_batch(stretch.cast(self._schema))
        self._rows += stretch.num_rows

    def close(self) -> None:
        """Be done."""
        self._writer.close()
        if self._rows < self._least:
            self._path.unlink()


@dataclass(frozen=True)
class Unpacked:
    """The rows of one table, in batches that are the row groups of its Parquet file; `ends` are their ends, in rows."""

    held: mmap.mmap
    file: pa.ipc.RecordBatchFileReader
    ends: pl.Series

    @property
    def count(self) -> int:
        """How many rows there are."""
        return int(self.ends[-1]) if len(self.ends) else 0

    def at(self, places: pl.Series) -> Iterator[pa.RecordBatch]:
        """The rows at places that ascend, batch by batch."""
        begin, first = 0, 0
        for number, (end, cut) in enumerate(zip(self.ends, places.search_sorted(self.ends), strict=True)):
            if cut > begin:
                yield _at(self.file.get_batch(number), places[begin:cut] - first)
                self.let_go()
            begin, first = cut, end

    def stretch(self, first: int, count: int) -> Iterator[pa.RecordBatch]:
        """So many rows from a place on, as long as there are any."""
        last, passed = first + count, 0
        for number, end in enumerate(self.ends):
            if end > first and passed < last:
                begin = max(first - passed, 0)
                yield self.file.get_batch(number).slice(begin, min(last, end) - passed - begin)
            passed = end

    def as_packed(self, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """All rows in the types of the Parquet file beside which they are: in its schema."""
        return (batch.cast(schema) for batch in self.stretch(0, self.count))

    def let_go(self) -> None:
        """Say that what was looked at is not needed any more: until then it counts as memory of this process."""
        self.held.madvise(mmap.MADV_DONTNEED)


def beside(file: Path) -> Unpacked | None:
    """The unpacked rows of the table in a Parquet file; None where there are none of this very writing of it."""
    try:
        with _beside(file).open("rb") as opened:
            held = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
        unpacked = pa.ipc.open_file(pa.BufferReader(pa.py_buffer(held)))
    except (OSError, ValueError):  # it is not there, or not whole
        return None
    packed = pq.read_metadata(file)
    if (packed.metadata or {}).get(_MARK.encode(), b"") != (unpacked.metadata or {}).get(_MARK.encode()):
        return None
    sizes = [packed.row_group(number).num_rows for number in range(packed.num_row_groups)]
    return Unpacked(held, unpacked, pl.Series(sizes, dtype=pl.Int64).cum_sum())


def size(file: Path) -> int:
    """Bytes on disk that the unpacked rows beside a Parquet file take; none where there are none."""
    try:
        return _beside(file).stat().st_size
    except FileNotFoundError:
        return 0


def delete(file: Path) -> None:
    """Let the unpacked rows beside a Parquet file go; whoever looks at them still can."""
    _beside(file).unlink(missing_ok=True)


def _beside(file: Path) -> Path:
    return file.with_suffix(".arrow")


def _at(rows: pa.RecordBatch, places: pl.Series) -> pa.RecordBatch:
    """The rows of a batch at places that ascend; side by side they need not be copied."""
    first, count = places[0], len(places)
    if places[-1] - first + 1 == count:
        return rows.slice(first, count)
    views = [field.name for field in rows.schema if _is_view(field.type)]  # Arrow takes none of these yet
    viewed = pl.DataFrame(rows.select(views))[places].to_arrow(compat_level=pl.CompatLevel.newest())
    taken = rows.drop_columns(views).take(places.to_arrow())
    columns = [viewed[name].chunk(0) if name in views else taken[name] for name in rows.schema.names]
    return pa.RecordBatch.from_arrays(columns, schema=rows.schema)


def _viewed(kind: pa.DataType) -> pa.DataType:
    types = pa.types
    if types.is_string(kind) or types.is_large_string(kind):
        return pa.string_view()
    return pa.binary_view() if types.is_binary(kind) or types.is_large_binary(kind) else kind


def _is_view(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string_view(kind) or pa.types.is_binary_view(kind))
