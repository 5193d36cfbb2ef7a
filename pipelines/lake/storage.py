"""How tables are kept in Parquet: which columns get a dictionary, and how pages are compressed.

A dictionary that nearly every row adds to costs more than all else about writing, and makes the file larger. Which
columns repeat themselves is seen from a table's first rows, so that equal rows are written alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

RESULTS = "zstd"  # tables for people and their tools: small, and read by everything
WORKING = "lz4"  # what is read again by every comparison: rows can be picked out at a third of the cost
HASHES = "none"  # what no compression makes smaller, and every comparison reads as a whole
_SAMPLE = 4_096  # rows
_COUNTED = (
    pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_integer, pa.types.is_floating,
    pa.types.is_decimal128, pa.types.is_date, pa.types.is_timestamp,
)  # fmt: skip
_REPEATED = 8  # times that a value occurs on average, for its column to get a dictionary


@dataclass(frozen=True)
class Kept:
    """What is said about keeping a table: columns that are no part of its content, how pages are compressed.

    And the rows from which on it is kept unpacked as well; None when it is not.
    """

    volatile: tuple[str, ...]
    compression: str
    unpacked_from: int | None


def peek(stretches: Iterable[pa.RecordBatch]) -> tuple[list[str], Iterator[pa.RecordBatch]]:
    """Which columns repeat themselves in the first stretch, and all stretches: here none is held any longer."""
    rest = iter(stretches)
    first = next(rest, None)
    return ([], rest) if first is None else (_repeating(first), chain([first], rest))


def writer(path: Path, schema: pa.Schema, repeating: list[str], compression: str) -> pq.ParquetWriter:
    """The writer of a table in which these columns repeat themselves."""
    return pq.ParquetWriter(path, schema, compression=compression, use_dictionary=repeating or False)


def _repeating(rows: pa.RecordBatch) -> list[str]:
    sample = rows.slice(0, _SAMPLE)
    return [name for name in rows.schema.names if _repeats(sample.column(name))]


def _repeats(values: pa.Array) -> bool:
    if not any(is_kind(values.type) for is_kind in _COUNTED):
        return False
    return bool(pc.count_distinct(values, mode="all").as_py() * _REPEATED <= len(values))
