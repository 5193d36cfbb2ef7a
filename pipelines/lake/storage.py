"""How tables are kept in Parquet: which columns get a dictionary, which their bounds, how pages are compressed.

A dictionary that nearly every row adds to costs more than all else about writing, and makes the file larger. To find
the bounds of texts costs as much as to write some of them, and where they are in no order it spares no reader anything.
What columns are like is seen from a table's first rows, so that equal rows are written alike.
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
_TEXTS = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
_REPEATED = 8  # times that a value occurs on average, for its column to get a dictionary


@dataclass(frozen=True)
class Kept:
    """What is said about keeping a table: columns that are no part of its content, how pages are compressed.

    And the rows from which on it is kept unpacked as well; None when it is not.
    """

    volatile: tuple[str, ...]
    compression: str
    unpacked_from: int | None


@dataclass(frozen=True)
class Traits:
    """What columns are like: which repeat themselves, and of which the least and the largest value are said."""

    repeating: tuple[str, ...] = ()
    bounded: tuple[str, ...] = ()


def peek(stretches: Iterable[pa.RecordBatch]) -> tuple[Traits, Iterator[pa.RecordBatch]]:
    """What columns are like in the first stretch, and all stretches: here none is held any longer."""
    rest = iter(stretches)
    first = next(rest, None)
    return (Traits(), rest) if first is None else (_traits(first), chain([first], rest))


def writer(path: Path, schema: pa.Schema, traits: Traits, compression: str) -> pq.ParquetWriter:
    """The writer of a table with columns like these."""
    return pq.ParquetWriter(
        path,
        schema,
        compression=compression,
        use_dictionary=list(traits.repeating) or False,
        write_statistics=list(traits.bounded) or False,
    )


def _traits(rows: pa.RecordBatch) -> Traits:
    sample = rows.slice(0, _SAMPLE)
    repeating = tuple(name for name in rows.schema.names if _repeats(sample.column(name)))
    bounded = tuple(name for name in rows.schema.names if name in repeating or _is_bounded(sample.column(name)))
    return Traits(repeating, bounded)


def _repeats(values: pa.Array) -> bool:
    if not any(is_kind(values.type) for is_kind in _COUNTED):
        return False
    return bool(pc.count_distinct(values, mode="all").as_py() * _REPEATED <= len(values))


def _is_bounded(values: pa.Array) -> bool:
    """Whether bounds are worth it: they are of all but texts that come in no order."""
    if not any(is_kind(values.type) for is_kind in _TEXTS):
        return True
    return bool(pc.all(pc.less_equal(values[:-1], values[1:]), min_count=0).as_py())
