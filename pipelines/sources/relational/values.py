"""Python's values, as drivers give them, into declared types.

They are taken as they are where they are of the right kind, else spelled as texts and judged cell by cell, so that a
value that does not fit makes its row unreadable.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pyarrow as pa

from pipelines.sources import text, typed
from pipelines.sources.source import Batch
from pipelines.types import INT128

_DIGITS = 15  # of a decimal, which a binary floating point number holds without doubt
_FAMILIES: tuple[tuple[str, Callable[[pa.DataType], bool]], ...] = (
    ("integer", lambda kind: pa.types.is_integer(kind) or kind == INT128),
    ("decimal", pa.types.is_decimal), ("floating", pa.types.is_floating),
    ("boolean", pa.types.is_boolean), ("date", pa.types.is_date),
    ("instant", lambda kind: pa.types.is_timestamp(kind) and kind.tz is not None),
    ("time", pa.types.is_timestamp), ("clock", pa.types.is_time), ("span", pa.types.is_duration),
    ("bytes", pa.types.is_binary), ("document", pa.types.is_nested),
)  # fmt: skip
# What Arrow takes over exactly, or refuses. It would take a bool for a number, a time for a day, wall time for UTC.
_DIRECT: dict[str, set[type]] = {
    "integer": {int}, "decimal": {Decimal}, "floating": {float}, "boolean": {bool}, "date": {date}, "text": {str},
    "time": {datetime}, "instant": {datetime}, "bytes": {bytes},
}  # fmt: skip


def family_of(kind: pa.DataType) -> str:
    """The family of a declared type."""
    return next((name for name, is_of in _FAMILIES if is_of(kind)), "text")


def batches(rows: Iterable[Sequence[Sequence[Any]]], schema: pa.Schema, universal: frozenset[str]) -> Iterator[Batch]:
    """Lists of rows as batches. Times of `universal` columns are UTC though they do not say so."""
    first = 1
    for some in rows:
        columns = [
            _column(list(values), field.type, is_universal=field.name in universal)
            for field, values in zip(schema, zip(*some, strict=True), strict=True)
        ]
        numbers = pa.arange(first, first + len(some))
        yield text.cast(pa.RecordBatch.from_arrays(columns, schema.names), numbers, schema, ())
        first += len(some)


def _column(values: list[Any], wanted: pa.DataType, *, is_universal: bool) -> pa.Array:
    """The column in the wanted type where all values are of its kind and fit, else as texts."""
    family, kinds = family_of(wanted), set(map(type, values)) - {type(None)}
    if is_universal and datetime in kinds:
        values = [value.replace(tzinfo=UTC) if isinstance(value, datetime) else value for value in values]
    direct = kinds <= _DIRECT.get(family, set()) and wanted != INT128  # which Arrow makes of any text
    if direct and (datetime not in kinds or _all_zoned(values, zoned=family == "instant")):
        # Some value may not fit: which ones is judged cell by cell.
        with contextlib.suppress(pa.ArrowInvalid, OverflowError, UnicodeEncodeError):
            exact = typed.exactly(pa.array(values, _as_given(wanted)), wanted)
            if exact is not None:
                return exact
    spelled = (None if value is None else _spelled(value, family, single=wanted == pa.float32()) for value in values)
    return pa.array(spelled, pa.string())


def _as_given(wanted: pa.DataType) -> pa.DataType:
    """The type in which Python has values of this type: Arrow would round them without a word."""
    if pa.types.is_timestamp(wanted):
        return pa.timestamp("us", wanted.tz)
    return pa.float64() if wanted == pa.float32() else wanted


def _all_zoned(values: list[Any], *, zoned: bool) -> bool:
    return all((value.tzinfo is not None) is zoned for value in values if value is not None)


def _spelled(value: object, family: str, *, single: bool) -> str:
    """A value as text that is one of the family (of single precision) exactly when the value is."""
    if (family == "bytes" and isinstance(value, int)) or (single and not _is_single(value)):
        return f"{value} ({type(value).__name__})"
    if family == "floating" and isinstance(value, int | Decimal):
        same = not isinstance(value, Decimal) and _is_float(value)
        return repr(float(value)) if same else f"{value} ({type(value).__name__})"
    if family == "decimal" and isinstance(value, float):
        digits = len(Decimal(repr(value)).as_tuple().digits)
        return format(Decimal(repr(value)), "f") if digits <= _DIGITS else f"{value} (float)"
    if family == "integer" and isinstance(value, Decimal | float) and _is_whole(value):
        return str(int(value))
    if family == "date" and isinstance(value, datetime) and value.time() == time() and value.tzinfo is None:
        return value.date().isoformat()
    return _plain(value)


def _is_single(value: object) -> bool:
    """Whether single precision holds a number; what is no number is nobody's business here."""
    if not isinstance(value, int | float) or value != value:  # noqa: PLR0124 (what is not a number is not itself)
        return True
    return bool(_is_float(value) and pa.scalar(float(value)).cast(pa.float32()).as_py() == value)


def _is_whole(value: Decimal | float) -> bool:
    try:
        return int(value) == value
    except (ValueError, OverflowError):  # not a number, or infinite
        return False


def _is_float(value: float) -> bool:
    try:
        return float(value) == value
    except OverflowError:
        return False


def _plain(value: object) -> str:
    """A value as text, the same whatever the driver."""
    return next((spell(value) for kinds, spell in _SPELLINGS if isinstance(value, kinds)), repr(value))


def _clock(value: timedelta) -> str:
    """A duration as hours, minutes, seconds: -838:59:59.999999."""
    micros = abs(value) // timedelta(microseconds=1)
    seconds, fraction = divmod(micros, 1_000_000)
    sign = "-" if value < timedelta(0) else ""
    clock = f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{clock}.{fraction:06}" if fraction else clock


# The first of these kinds that a value is of says how it is spelled.
_SPELLINGS: tuple[tuple[type | tuple[type, ...], Callable[[Any], str]], ...] = (
    # A lone surrogate is no character: its escape shows what came.
    (str, lambda value: value.encode("utf-8", "backslashreplace").decode()),
    (bool, lambda value: "true" if value else "false"),
    (Decimal, lambda value: format(value, "f")),
    (datetime, lambda value: value.isoformat(" ")),
    ((date, time), lambda value: value.isoformat()),
    (timedelta, _clock),
    ((bytes, bytearray, memoryview), lambda value: "0x" + bytes(value).hex()),
    ((dict, list), lambda value: json.dumps(value, ensure_ascii=False, default=str)),
    ((int, UUID), str),
)
