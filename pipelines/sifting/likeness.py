"""Likeness: how columns of two frames are held against each other so that nothing is called alike that is not.

From the Arrow types of both columns. What `sameness` is to columns in the engine, with fewer types: others cannot be
held against each other here.
"""

from __future__ import annotations

import polars as pl
import pyarrow as pa

_MOST_DIGITS = 38
_BITS = {32: pl.Int32, 64: pl.Int64}


def can_be_held(legacy: pa.DataType, service: pa.DataType) -> bool:
    """Whether values of these types can be held against each other."""
    if legacy == service:
        return not pa.types.is_float16(legacy)
    return all(map(pa.types.is_integer, (legacy, service))) or _have_one_scale(legacy, service)


def are_alike(expected: pl.Series, actual: pl.Series, legacy: pa.DataType, service: pa.DataType) -> pl.Series:
    """By row, never missing: the values of both columns are missing, or they are the same to the last bit."""
    columns = [expected, actual]
    kind = _common(legacy, service)
    if pa.types.is_floating(legacy):  # 0.0 and -0.0 are equal, and not the same
        columns = [column.reinterpret(dtype=_BITS[legacy.bit_width]) for column in columns]
    elif kind:
        columns = [column.cast(kind) for column in columns]
    if any(column.has_nulls() for column in columns):
        return columns[0].eq_missing(columns[1])
    return columns[0] == columns[1]  # at two thirds of the cost


def _common(legacy: pa.DataType, service: pa.DataType) -> pl.DataType | None:
    """The type to bring both to, which holds all of their values as they are; none where they are of one."""
    if legacy == service:
        return None
    return pl.Int128() if pa.types.is_integer(legacy) else pl.Decimal(_MOST_DIGITS, legacy.scale)


def _have_one_scale(legacy: pa.DataType, service: pa.DataType) -> bool:
    return all(map(pa.types.is_decimal128, (legacy, service))) and legacy.scale == service.scale
