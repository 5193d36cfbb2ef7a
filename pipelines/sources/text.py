"""Texts into declared types, exactly: a text that is not such a value makes its row unreadable, nothing is rounded or guessed.

Shared by all sources that hold texts. The meaning of each type is `_PARSERS`, plain Python; whole columns go through
Arrow's casts, which accept less and agree with it where they do accept (the guards see to what they would accept beyond).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.sources.source import REJECTED, Batch

_TRUTHS = {"true": True, "t": True, "1": True, "yes": True, "y": True} | {
    "false": False, "f": False, "0": False, "no": False, "n": False
}  # fmt: skip
_INTEGER = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)")
_FLOAT = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIMESTAMP = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"([T ](?P<hour>[0-9]{2})(:(?P<minute>[0-9]{2})(:(?P<second>[0-9]{2})(\.(?P<fraction>[0-9]{1,6})0*)?)?)?)?"
    r"(?P<zone>Z|[+-][0-9]{2}(:?[0-9]{2})?)?"
)


def cast(texts: pa.RecordBatch, row_numbers: pa.Array, schema: pa.Schema, null_texts: tuple[str, ...]) -> Batch:
    """Rows of the schema from columns of texts (or of the declared type already); rows with a text that does not fit come back unreadable."""
    columns, failures = [], []
    for field in schema:
        values, failed = _column(texts.column(field.name), field.type, null_texts)
        columns.append(values)
        if failed is not None:
            failures.append((field, failed))
    rows = pa.RecordBatch.from_arrays(columns, schema=schema)
    if not failures:
        return Batch(rows, row_numbers, nothing_rejected())
    first = pa.nulls(len(row_numbers), pa.int32())
    for index, (_, failed) in reversed(list(enumerate(failures))):
        first = pc.if_else(failed, pa.scalar(index, pa.int32()), first)
    failed = pc.is_valid(first)
    readable = pc.invert(failed)
    raw = json_rows(texts.select(schema.names).filter(failed))
    unreadable = _unreadable(row_numbers.filter(failed), first.drop_null(), [field for field, _ in failures], raw)
    return Batch(rows.filter(readable), row_numbers.filter(readable), unreadable)


def json_rows(rows: pa.RecordBatch) -> pa.StringArray:
    """Each row as a JSON object of texts; missing values are null."""
    listed = rows.to_pylist()
    return pa.array([json.dumps({k: _as_text(v) for k, v in row.items()}, ensure_ascii=False) for row in listed], pa.string())


def nothing_rejected() -> pa.RecordBatch:
    """No unreadable or rejected rows."""
    return pa.RecordBatch.from_pylist([], schema=REJECTED)


def in_row_order(unreadable: pa.Table) -> pa.RecordBatch:
    """Unreadable rows of one stretch that were found for different reasons, in the order of the source."""
    return unreadable.sort_by("row_number").combine_chunks().to_batches()[0] if unreadable.num_rows else nothing_rejected()


def _unreadable(numbers: pa.Array, first: pa.Array, fields: list[pa.Field], raw: pa.Array) -> pa.RecordBatch:
    names = pa.array([field.name for field in fields], pa.string()).take(first)
    reasons = pa.array([f"expected {field.type}" for field in fields], pa.string()).take(first)
    checks = pa.repeat(pa.scalar("type"), len(numbers))
    return pa.RecordBatch.from_arrays([numbers, checks, names, reasons, raw], schema=REJECTED)


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date) else str(value)


def _column(texts: pa.Array, kind: pa.DataType, null_texts: tuple[str, ...]) -> tuple[pa.Array, pa.Array | None]:
    """The column's values, and which cells are not such values (None when all are)."""
    if not pa.types.is_string(texts.type):
        return texts, None  # of its type already
    for text in null_texts:
        texts = pc.if_else(pc.equal(texts, text), pa.scalar(None, pa.string()), texts)
    if pa.types.is_string(kind):
        return texts, None
    values = _fast(texts, kind)
    if values is not None:
        return values, None
    distinct = texts.dictionary_encode()
    parse = _parser(kind)
    parsed = [None if text is None else parse(text, kind) for text in distinct.dictionary.to_pylist()]
    values = pa.array(parsed, kind).take(distinct.indices)
    failed = pc.and_(pc.is_valid(texts), pc.is_null(values))
    return values, failed if pc.any(failed).as_py() else None


def _fast(texts: pa.Array, kind: pa.DataType) -> pa.Array | None:
    """The whole column by Arrow's cast; None when one cell does not fit, or may be read more leniently than we do."""
    try:
        values = texts.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None
    return None if _lenient(texts, values, kind) else values


def _lenient(texts: pa.Array, values: pa.Array, kind: pa.DataType) -> bool:
    if pa.types.is_integer(kind):
        return _contains(texts, "x")
    if pa.types.is_decimal(kind):
        return _contains(texts, "e")
    if pa.types.is_floating(kind):
        return bool(pc.any(pc.invert(pc.is_finite(values))).as_py())
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        # Arrow has a year 0; Python's calendar, SQL's and ours have not.
        earliest = pc.min(values)
        return bool(earliest.is_valid and earliest.cast(pa.timestamp("us")).value < _FIRST_INSTANT)
    return False


def _contains(texts: pa.Array, letter: str) -> bool:
    return bool(pc.any(pc.match_substring(texts, letter, ignore_case=True)).as_py())


def _parser(kind: pa.DataType) -> Callable[[str, pa.DataType], Any]:
    for applies, parse in _PARSERS:
        if applies(kind):
            return parse
    raise TypeError(f"no text can be read as {kind}")


def _integer(text: str, kind: pa.DataType) -> int | None:
    if not _INTEGER.fullmatch(text):
        return None
    bits = kind.bit_width
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1)) if pa.types.is_signed_integer(kind) else (0, 2**bits)
    value = int(text) if len(text.lstrip("+-0")) < 30 else high
    return value if low <= value < high else None


def _decimal(text: str, kind: pa.DataType) -> Decimal | None:
    if not _DECIMAL.fullmatch(text):
        return None
    sign, _, digits = ("-", "", text[1:]) if text[0] == "-" else ("", "", text.lstrip("+"))
    whole, _, fraction = digits.partition(".")
    whole, fraction = whole.lstrip("0"), fraction.rstrip("0")
    fits = len(fraction) <= kind.scale and len(whole) <= kind.precision - kind.scale
    return Decimal(f"{sign}{whole or '0'}.{fraction.ljust(kind.scale, '0') or '0'}") if fits else None


def _float(text: str, _: pa.DataType) -> float | None:
    if _NOT_FINITE.fullmatch(text):
        return float(text)
    if not _FLOAT.fullmatch(text):
        return None
    value = float(text)
    return None if value in (float("inf"), float("-inf")) else value


def _boolean(text: str, _: pa.DataType) -> bool | None:
    return _TRUTHS.get(text.lower()) if text.isascii() else None


def _date(text: str, _: pa.DataType) -> date | None:
    if not _DATE.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _timestamp(text: str, kind: pa.DataType) -> datetime | None:
    found = _TIMESTAMP.fullmatch(text)
    if not found or bool(found["zone"]) != (kind.tz is not None):
        return None
    time = f"{found['hour'] or '00'}:{found['minute'] or '00'}:{found['second'] or '00'}.{(found['fraction'] or '').ljust(6, '0')}"
    zone = (found["zone"] or "").replace("Z", "+00:00")
    try:
        value = datetime.fromisoformat(f"{found['day']}T{time}{zone}")
        return value.astimezone(UTC) if value.tzinfo else value
    except (ValueError, OverflowError):
        return None


_FIRST_INSTANT = pa.scalar(datetime(1, 1, 1), pa.timestamp("us")).value  # noqa: DTZ001 (the calendar's own beginning)
_PARSERS: tuple[tuple[Callable[[pa.DataType], bool], Callable[[str, pa.DataType], Any]], ...] = (
    (pa.types.is_integer, _integer),
    (pa.types.is_decimal, _decimal),
    (pa.types.is_floating, _float),
    (pa.types.is_boolean, _boolean),
    (pa.types.is_date, _date),
    (pa.types.is_timestamp, _timestamp),
)
