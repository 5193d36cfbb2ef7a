"""Contracts of any columns, for data that a test brings with it."""

from __future__ import annotations

from typing import Annotated

import polars as pl
import pyarrow as pa
from pandera.polars import DataFrameModel, Field

_SIMPLE = {
    "string": pl.String, "bool": pl.Boolean, "double": pl.Float64, "date32[day]": pl.Date,
    "int8": pl.Int8, "int16": pl.Int16, "int32": pl.Int32, "int64": pl.Int64,
    "float": pl.Float32, "binary": pl.Binary, "time64[us]": pl.Time, "int128": pl.Int128,
    "uint8": pl.UInt8, "uint16": pl.UInt16, "uint32": pl.UInt32, "uint64": pl.UInt64,
}  # fmt: skip


def contract(name: str, schema: pa.Schema) -> type[DataFrameModel]:
    """A contract of these columns, whatever they are called, every one of which may be missing."""
    columns = {f"column_{number}": column for number, column in enumerate(schema)}
    annotations = {attribute: _annotation(column.type) for attribute, column in columns.items()}
    fields = {attribute: Field(alias=column.name, nullable=True) for attribute, column in columns.items()}
    return type(name, (DataFrameModel,), {"__annotations__": annotations, "__module__": __name__, **fields})


def _annotation(kind: pa.DataType) -> object:
    if pa.types.is_decimal(kind):
        return Annotated[pl.Decimal, kind.precision, kind.scale]
    if pa.types.is_timestamp(kind):
        return Annotated[pl.Datetime, kind.unit, kind.tz]
    if pa.types.is_duration(kind):
        return Annotated[pl.Duration, kind.unit]
    if pa.types.is_list(kind):
        return Annotated[pl.List, _polars(kind.value_type)]
    if pa.types.is_struct(kind):
        return Annotated[pl.Struct, {part.name: _polars(part.type) for part in kind}]
    return _SIMPLE[str(kind)]


def _polars(kind: pa.DataType) -> pl.DataType:
    return pl.Schema(pa.schema([("part", kind)]))["part"]
