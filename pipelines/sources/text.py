"""Texts into declared types, exactly: a text that is no such value makes its row unreadable; nothing is rounded.

Shared by all sources that hold texts. What a type accepts is said once, in plain Python (`_PARSERS`). Whole columns
take Arrow's casts instead wherever those succeed: they accept less, and guards see to the little they accept beyond.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.sources import parsing
from pipelines.sources.source import REJECTED, Batch
from pipelines.types import INT128

_TRUTHS = dict.fromkeys(("true", "t", "1", "yes", "y"), True) | dict.fromkeys(("false", "f", "0", "no", "n"), False)
_INTEGER = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"(?P<sign>[+-]?)(?=\.?[0-9])(?P<whole>[0-9]*)(\.(?P<fraction>[0-9]*))?")
_FLOAT = re.compile(r"[+-]?(?=\.?[0-9])[0-9]*(\.[0-9]*)?([eE][+-]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIMESTAMP = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"([T ](?P<hour>[01][0-9]|2[0-3])(:(?P<minute>[0-9]{2})(:(?P<second>[0-9]{2})(\.(?P<fraction>[0-9]{1,6})0*)?)?)?"
    r"(?P<zone>Z|[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?)?)?"  # Python takes an offset of 60 minutes for an hour
)
_CALENDAR = range(*(pa.scalar(day).cast(pa.timestamp("us")).value for day in (date.min, date.max)))
_MICROSECONDS = {"ms": 1_000, "us": 1}
_DIGITS = 38  # of the longest decimal, with those that its scale adds
_LONGEST_INTEGER = 20  # digits of the largest 64-bit number; Python refuses to convert very long ones


def cast(texts: pa.RecordBatch, row_numbers: pa.Array, schema: pa.Schema, null_texts: tuple[str, ...]) -> Batch:
    """Rows of the schema from columns of texts; rows with a text that does not fit come back unreadable.

    Columns that are of the declared type already are taken as they are.
    """
    columns, misfits = [], []
    for field in schema:
        values, failed = _column(texts.column(field.name), field.type, null_texts)
        columns.append(values)
        if failed is not None:
            misfits.append((field, failed))
    rows = pa.RecordBatch.from_arrays(columns, schema=schema)
    if not misfits:
        return Batch(rows, row_numbers, nothing_rejected())
    first = first_of([failed for _, failed in misfits])
    failed = pc.is_valid(first)
    names = pa.array([field.name for field, _ in misfits], pa.string()).take(first.drop_null())
    reasons = pa.array([f"expected {field.type}" for field, _ in misfits], pa.string()).take(first.drop_null())
    checks = pa.repeat(pa.scalar("type"), len(names))
    raw = json_rows(texts.select(schema.names).filter(failed))
    unreadable = pa.RecordBatch.from_arrays([row_numbers.filter(failed), checks, names, reasons, raw], schema=REJECTED)
    readable = pc.invert(failed)
    return Batch(rows.filter(readable), row_numbers.filter(readable), unreadable)


def first_of(failed: list[pa.BooleanArray]) -> pa.Int32Array:
    """For each row the index of the first column of verdicts that says it failed; missing when none does."""
    first = pa.nulls(len(failed[0]), pa.int32())
    for index in reversed(range(len(failed))):
        first = pc.if_else(failed[index], pa.scalar(index, pa.int32()), first)
    return first


def json_rows(rows: pa.RecordBatch) -> pa.StringArray:
    """Each row as a JSON object of texts; missing values are null."""
    # By Arrow and not by way of Python values: those have no year 0 and none after 9999.
    texts = [texts_of(column) for column in rows.columns]
    quoted = [["null" if text is None else encode_basestring(text) for text in column] for column in texts]
    # A template: half a file may be rejected, and an encoder for each row costs four times as much.
    names = (encode_basestring(name).replace("%", "%%") for name in rows.schema.names)
    template = "{" + ", ".join(f"{name}: %s" for name in names) + "}"
    return pa.array([template % row for row in zip(*quoted, strict=True)], pa.string())


def texts_of(column: pa.Array) -> list[str | None]:
    """Each value of a column as a text for people."""
    if pa.types.is_binary(column.type):
        return [None if value is None else value.hex() for value in column.to_pylist()]
    if pa.types.is_nested(column.type):
        return [
            None if value is None else json.dumps(value, ensure_ascii=False, default=str)
            for value in column.to_pylist()
        ]
    held = column.storage if column.type == INT128 else column
    found: list[str | None] = held.cast(pa.string()).to_pylist()
    return found


def nothing_rejected() -> pa.RecordBatch:
    """No unreadable or rejected rows."""
    return pa.RecordBatch.from_pylist([], schema=REJECTED)


def in_row_order(*unreadable: pa.RecordBatch) -> pa.RecordBatch:
    """Unreadable rows of one stretch that were found for different reasons, in the order of the source."""
    together = pa.Table.from_batches(unreadable, REJECTED)
    return together.sort_by("row_number").combine_chunks().to_batches()[0] if together.num_rows else nothing_rejected()


def _column(texts: pa.Array, kind: pa.DataType, null_texts: tuple[str, ...]) -> tuple[pa.Array, pa.Array | None]:
    """The column's values, and which cells are no such values (None when all are)."""
    if not pa.types.is_string(texts.type):
        return texts, None  # not text: of its type already
    for text in null_texts:
        missing = pc.equal(texts, text)
        if missing.true_count:
            texts = pc.if_else(missing, pa.scalar(None, pa.string()), texts)
    if pa.types.is_string(kind):
        return texts, None
    values = _whole_column(texts, kind)
    return (values, None) if values is not None else _cell_by_cell(texts, kind)


def _whole_column(texts: pa.Array, kind: pa.DataType) -> pa.Array | None:
    """The column by Arrow's cast; None when a cell does not fit, or may be one that Arrow reads and we do not."""
    if _family(kind) in _OUR_OWN:
        return None
    if _holds_any(texts, _BEYOND.get(_family(kind), ())) or (pa.types.is_decimal(kind) and _may_overflow(texts, kind)):
        return None
    try:
        values = texts.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None
    if pa.types.is_floating(kind) and not pc.all(pc.is_finite(values), min_count=0).as_py():
        return None  # too large a number becomes infinite
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return values if _in_calendar(values) else None
    return values


def _may_overflow(texts: pa.Array, kind: pa.DataType) -> bool:
    """Whether a text may have more digits than Arrow's cast to decimals holds: it makes another number of it then."""
    longest = pc.max(pc.binary_length(texts)).as_py()
    return longest is not None and longest + kind.scale > _DIGITS


def _in_calendar(values: pa.Array) -> bool:
    """Whether all are of the years 1 to 9999: Arrow reads a year 0, and an offset can lead beyond either end.

    The last day itself goes the slow way, so that the border needs no arithmetic.
    """
    extremes = pc.min_max(values)
    if not extremes["min"].is_valid:
        return True
    return all(extremes[end].cast(pa.timestamp("us")).value in _CALENDAR for end in ("min", "max"))


def _cell_by_cell(texts: pa.Array, kind: pa.DataType) -> tuple[pa.Array, pa.Array | None]:
    """The column by our own parser, which is asked once for each distinct text."""
    distinct = texts.dictionary_encode()
    parse = _PARSERS[_family(kind)]
    parsed = [parse(text, kind) for text in distinct.dictionary.to_pylist()]
    values = pa.array(parsed, kind).take(distinct.indices)
    failed = pc.and_(pc.is_valid(texts), pc.is_null(values))
    return values, failed if failed.true_count else None


def _holds_any(texts: pa.Array, letters: tuple[bytes, ...]) -> bool:
    data = texts.buffers()[2]
    return data is not None and any(letter in data.to_pybytes() for letter in letters)


def _family(kind: pa.DataType) -> str:
    """The kind of type, which decides how its texts are read; TypeError for one that no text can be."""
    if kind == INT128:
        return "int128"
    for name in _FAMILIES:
        if getattr(pa.types, f"is_{name}")(kind):
            return name
    raise TypeError(f"no text can be read as {kind}")


def _integer(text: str, kind: pa.DataType) -> int | None:
    if not _INTEGER.fullmatch(text) or len(text.lstrip("+-0")) > _LONGEST_INTEGER:
        return None
    signed, value = pa.types.is_signed_integer(kind), int(text)
    low, high = (-(1 << kind.bit_width - 1), 1 << kind.bit_width - 1) if signed else (0, 1 << kind.bit_width)
    return value if low <= value < high else None


def _decimal(text: str, kind: pa.DataType) -> Decimal | None:
    found = _DECIMAL.fullmatch(text)
    if not found:
        return None
    whole, fraction = found["whole"].lstrip("0"), (found["fraction"] or "").rstrip("0")
    if len(whole) > kind.precision - kind.scale or len(fraction) > kind.scale:
        return None
    return Decimal(f"{found['sign']}{whole or '0'}.{fraction}")  # no zero behind the point: it would be a 39th digit


def _floating(text: str, kind: pa.DataType) -> float | None:
    if _NOT_FINITE.fullmatch(text):
        return float(text)
    if not _FLOAT.fullmatch(text):
        return None
    # In the precision that is declared: the nearest double may be halfway between two numbers of single precision.
    value: float = pa.scalar(text.removeprefix("+")).cast(kind).as_py()
    return value if math.isfinite(value) else None


def _boolean(text: str, _: pa.DataType) -> bool | None:
    return _TRUTHS.get(text.lower()) if text.isascii() else None


def _date(text: str, _: pa.DataType) -> date | None:
    try:
        return date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        return None


def _timestamp(text: str, kind: pa.DataType) -> datetime | None:
    found = _TIMESTAMP.fullmatch(text)
    if not found or bool(found["zone"]) != (kind.tz is not None):
        return None
    clock = ":".join(found[part] or "00" for part in ("hour", "minute", "second"))
    try:
        fraction = (found["fraction"] or "").ljust(6, "0")
        value = datetime.fromisoformat(f"{found['day']}T{clock}.{fraction}{found['zone'] or ''}")
        held = value.astimezone(UTC) if value.tzinfo else value
    except (ValueError, OverflowError):
        return None
    return None if held.microsecond % _MICROSECONDS[kind.unit] else held


def _parser(kind: pa.DataType) -> parsing.Parser:
    return _PARSERS[_family(kind)]


_PARSERS: dict[str, Callable[[str, pa.DataType], Any]] = {
    "integer": _integer, "decimal": _decimal, "floating": _floating, "boolean": _boolean, "date32": _date,
    "timestamp": _timestamp, "int128": parsing.int128, "time64": parsing.time_of_day, "duration": parsing.duration,
    "binary": parsing.binary, "list": parsing.nested(_parser), "struct": parsing.nested(_parser),
}  # fmt: skip
_FAMILIES = tuple(name for name in _PARSERS if name != "int128")
_OUR_OWN = ("time64", "duration", "binary", "list", "struct", "int128")  # Arrow has no cast, or reads something else
# Letters of spellings that Arrow's casts accept and we do not: hexadecimal integers, decimals with an exponent.
_BEYOND = {"integer": (b"x", b"X"), "decimal": (b"e", b"E")}
