"""Types that Arrow or Parquet cannot hold as they are, and in which words they are kept instead.

Integers of 128 bits are kept as their digits: no column type of both Parquet and the engine holds all of them, and a
decimal of 38 digits ends before they do. Durations are kept in Parquet as microseconds. The engine gets both back as
what they are; and decimals without digits before the point with room for one, since it would write 0.19 as .19.
"""

from __future__ import annotations

import pyarrow as pa

from pipelines.expressions import quote


class Int128(pa.ExtensionType):  # type: ignore[misc]
    """An integer of 128 bits, as the digits of a decimal number without leading zeros."""

    def __init__(self) -> None:
        super().__init__(pa.string(), "coexist.int128")

    def __arrow_ext_serialize__(self) -> bytes:
        return b""

    @classmethod
    def __arrow_ext_deserialize__(cls, _storage: pa.DataType, _serialized: bytes) -> Int128:
        return cls()

    def __arrow_ext_scalar_class__(self) -> type[pa.ExtensionScalar]:
        return _Int128Scalar

    def __str__(self) -> str:
        return "int128"


class _Int128Scalar(pa.ExtensionScalar):  # type: ignore[misc]
    """One such integer."""

    def as_py(self, **_: object) -> int | None:
        digits = self.value.as_py() if self.value is not None else None
        return None if digits is None else int(digits)


_MOST_DIGITS = 38  # of a decimal
INT128 = Int128()
pa.register_extension_type(INT128)


def restored(schema: pa.Schema, *, from_parquet: bool) -> str:
    """The select list that gives all columns of a relation of this schema in the types they mean."""
    found = [f"CAST({quote(field.name)} AS HUGEINT) AS {quote(field.name)}" for field in schema if field.type == INT128]
    found += [_cast(field.name, field.type.precision + 1, field.type.scale) for field in _without_whole_part(schema)]
    if from_parquet:
        durations = [field.name for field in schema if pa.types.is_duration(field.type)]
        found += [f"to_microseconds({quote(name)}) AS {quote(name)}" for name in durations]
    return f"* REPLACE ({', '.join(found)})" if found else "*"


def kept(schema: pa.Schema) -> str:
    """The select list that gives all columns of a relation in the types in which they are kept: `restored` undone."""
    found = [f"CAST({quote(field.name)} AS VARCHAR) AS {quote(field.name)}" for field in schema if field.type == INT128]
    found += [_cast(field.name, field.type.precision, field.type.scale) for field in _without_whole_part(schema)]
    durations = [field.name for field in schema if pa.types.is_duration(field.type)]
    found += [f"epoch_us({quote(name)}) AS {quote(name)}" for name in durations]
    return f"* REPLACE ({', '.join(found)})" if found else "*"


def as_kept(schema: pa.Schema) -> pa.Schema:
    """The schema of these columns in the types in which the engine reads them from Parquet."""
    return pa.schema([(field.name, _as_kept(field.type)) for field in schema])


def as_stored(schema: pa.Schema) -> pa.Schema:
    """The schema of these columns with what types of ours are stored as in their place."""
    return pa.schema([(field.name, _as_stored(field.type)) for field in schema])


def _without_whole_part(schema: pa.Schema) -> list[pa.Field]:
    """Columns of decimals that are all below one; of 38 digits there is no room for another."""
    decimals = (field for field in schema if pa.types.is_decimal(field.type))
    return [field for field in decimals if field.type.precision == field.type.scale < _MOST_DIGITS]


def _cast(name: str, precision: int, scale: int) -> str:
    return f"CAST({quote(name)} AS DECIMAL({precision}, {scale})) AS {quote(name)}"


def _as_kept(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", kind.tz)
    return pa.int64() if pa.types.is_duration(kind) else _as_stored(kind)


def _as_stored(kind: pa.DataType) -> pa.DataType:
    return kind.storage_type if isinstance(kind, pa.ExtensionType) else kind
