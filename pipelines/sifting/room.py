"""Room: whether rows can be joined in memory, estimated from what their files say of themselves.

Only economy rests on it: a join that takes more than there is spills to disk, and takes longer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.resources import Resources

_BESIDE = 32  # bytes of a row: its hash, its place in the table, which of its values are missing
_REFERENCE = 16  # bytes of a text or binary value, beside its characters
_WORD = 8


def needed(files: Iterable[Path]) -> int:
    """Bytes that the rows of these Parquet files take when they are held to be joined."""
    return sum(_held(pq.read_metadata(file)) for file in files)


def share(taken: int) -> float:
    """How much of an engine's memory so many bytes are."""
    return taken / Resources().engine_memory


def widest(file: Path) -> int:
    """Bytes that the widest of the columns of this Parquet file takes."""
    held = pq.read_metadata(file)
    return max((_of_column(held, field) for field in held.schema.to_arrow_schema()), default=0)


def _held(file: pq.FileMetaData) -> int:
    return int(file.num_rows * _BESIDE) + sum(_of_column(file, field) for field in file.schema.to_arrow_schema())


def _of_column(file: pq.FileMetaData, field: pa.Field) -> int:
    width = _width(field.type)
    return int(file.num_rows * (width or _REFERENCE)) + (0 if width else sum(_bytes(file, field.name)))


def _width(kind: pa.DataType) -> int | None:
    """Bytes of a value; None where they vary."""
    if pa.types.is_decimal(kind):
        return 2 * _WORD
    return _WORD if pa.types.is_primitive(kind) else None


def _bytes(file: pq.FileMetaData, column: str) -> Iterator[int]:
    for number in range(file.num_row_groups):
        group = file.row_group(number)
        chunks = map(group.column, range(group.num_columns))
        yield sum(chunk.total_uncompressed_size for chunk in chunks if chunk.path_in_schema.split(".")[0] == column)
