"""Typed columns into declared types: which types can say the same, and what a value that cannot be it comes to.

Shared by all sources whose columns have types already. Texts among them are `text`'s, cell by cell. A column whose type
means something else has changed, which is the source's fault and not a row's.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.sources import text
from pipelines.sources.source import REJECTED, Batch
from pipelines.types import INT128

_ANY_INTEGER = pa.decimal128(20, 0)
_EPOCH = date(1970, 1, 1)
_CALENDAR = ((date.min - _EPOCH).days, (date.max - _EPOCH).days)  # days of everything downstream: years 1 to 9999
_A_DAY = {"s": 86_400, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}


def batch_of(rows: pa.RecordBatch, numbers: pa.Array, schema: pa.Schema) -> Batch:
    """Rows of the schema from columns of its types or of texts.

    Rows with a text that is no UTF-8, or not what is declared, come back unreadable.
    """
    undecodable = {row: name for name in reversed(rows.schema.names) for row in _undecodable(rows.column(name))}
    if not undecodable:
        return text.cast(rows, numbers, schema, ())
    good = pc.invert(pc.is_in(pa.arange(0, rows.num_rows), pa.array(undecodable, pa.int64())))
    cast = text.cast(rows.filter(good), numbers.filter(good), schema, ())
    bad = [
        {"row_number": numbers[row].as_py(), "check": "encoding", "field": name, "reason": "expected valid utf-8"}
        | {"raw": _shown(rows.slice(row, 1))}
        for row, name in undecodable.items()
    ]
    unreadable = text.in_row_order(cast.unreadable, pa.RecordBatch.from_pylist(bad, schema=REJECTED))
    return Batch(cast.rows, cast.row_numbers, unreadable)


def exactly(values: pa.Array, wanted: pa.DataType) -> pa.Array | None:
    """The column in the wanted type; None when a value would lose something.

    Texts are left as texts, to be judged cell by cell. So are days and times beyond the calendar, which no column of
    the wanted type is to hold.
    """
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if _is_beyond_calendar(values):
        return values.cast(pa.string())
    # Integers of any width are digits on the way to 128 bits, and read like digits of a text.
    wanted = pa.string() if is_text(values.type) or wanted == INT128 else wanted
    if values.type == wanted:
        return values
    if pa.types.is_integer(values.type) and pa.types.is_decimal(wanted):
        values = values.cast(_ANY_INTEGER)  # else Arrow wants room for the largest one, not for those that are there
    try:
        cast = values.cast(wanted)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None
    return cast if not _may_drop(values.type, wanted) or _kept_all(values, cast) else None


def _is_beyond_calendar(values: pa.Array) -> bool:
    """Whether a column of days or times has one before the year 1 or after 9999."""
    kind = values.type
    if not pa.types.is_date(kind) and not pa.types.is_timestamp(kind):
        return False
    unit = 1 if pa.types.is_date32(kind) else _A_DAY[kind.unit if pa.types.is_timestamp(kind) else "ms"]
    extremes = pc.min_max(values)
    low, high = (extremes[end].value for end in ("min", "max"))
    return low is not None and (low < _CALENDAR[0] * unit or high >= (_CALENDAR[1] + 1) * unit)


def _may_drop(found: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether even a safe cast of Arrow's may lose something: the time of day of an instant, digits of a float."""
    if pa.types.is_floating(found) and pa.types.is_floating(wanted):
        return bool(found.bit_width > wanted.bit_width)
    return bool(pa.types.is_date(wanted) and not is_text(found))


def _kept_all(values: pa.Array, cast: pa.Array) -> bool:
    same = pc.equal(cast.cast(values.type), values)
    if pa.types.is_floating(values.type):
        same = pc.or_(same, pc.is_nan(values))
    return bool(pc.all(same, min_count=0).as_py())


def _undecodable(values: pa.Array) -> list[int]:
    """Indices of values with a text that is not valid UTF-8, which Parquet writers promise but do not always keep."""
    if pa.types.is_list(values.type):
        parents = pc.list_parent_indices(values)
        return [parents[part].as_py() for part in _undecodable(values.flatten())]
    if pa.types.is_struct(values.type):
        return [row for part in values.flatten() for row in _undecodable(part)]
    if not pa.types.is_string(values.type):
        return []
    try:
        values.cast(pa.binary()).cast(pa.string())
    except pa.ArrowInvalid:
        raws = values.cast(pa.binary()).to_pylist()
        return [row for row, raw in enumerate(raws) if raw is not None and not _decodes(raw)]
    return []


def _decodes(raw: bytes) -> bool:
    return raw.decode(errors="ignore").encode() == raw


def _shown(row: pa.RecordBatch) -> str:
    """One row as a JSON object of texts; bytes that are no text are shown by their escapes."""
    texts = [_shown_value(values) for values in row.columns]
    return json.dumps(dict(zip(row.schema.names, texts, strict=True)), ensure_ascii=False)


def _shown_value(values: pa.Array) -> str | None:
    held = values.cast(_of_bytes(values.type))
    if held.type == values.type:
        return text.texts_of(values)[0]
    value: object = held[0].as_py()
    if value is None or isinstance(value, bytes):
        return None if value is None else _readable(value)
    return json.dumps(value, ensure_ascii=False, default=_readable)


def _of_bytes(kind: pa.DataType) -> pa.DataType:
    """The type with bytes wherever it has texts."""
    if pa.types.is_list(kind):
        return pa.list_(kind.value_field.with_type(_of_bytes(kind.value_type)))
    if pa.types.is_struct(kind):
        return pa.struct([part.with_type(_of_bytes(part.type)) for part in kind])
    return pa.binary() if pa.types.is_string(kind) else kind


def _readable(value: object) -> str:
    return value.decode(errors="backslashreplace") if isinstance(value, bytes) else str(value)


def plain(kind: pa.DataType) -> pa.DataType:
    """The type that a dictionary is of; any other type as it is."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def is_text(kind: pa.DataType) -> bool:
    """Whether it is one of the types of text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _is_zoned(kind: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(kind) and kind.tz is not None)


def _is_bytes(kind: pa.DataType) -> bool:
    types = pa.types
    return any(
        is_some(kind)
        for is_some in (types.is_binary, types.is_large_binary, types.is_fixed_size_binary, types.is_binary_view)
    )


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


# Between these Arrow's safe casts keep the value or fail (but for days, see `exactly`). It has others that change the
# meaning without a word: a number as a day, any number as a truth value, wall time as UTC.
_KEEPING: tuple[tuple[Callable[[pa.DataType], bool], tuple[Callable[[pa.DataType], bool], ...]], ...] = (
    (pa.types.is_integer, (pa.types.is_integer, pa.types.is_decimal, pa.types.is_floating)),
    (pa.types.is_decimal, (pa.types.is_decimal, pa.types.is_integer)),
    (pa.types.is_floating, (pa.types.is_floating, pa.types.is_integer)),
    (pa.types.is_date, (pa.types.is_date, pa.types.is_timestamp)),
    (pa.types.is_timestamp, (pa.types.is_timestamp, pa.types.is_date)),
    (pa.types.is_time, (pa.types.is_time,)),
    (pa.types.is_duration, (pa.types.is_duration,)),
    (_is_bytes, (_is_bytes,)),
)


def says_the_same(found: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether values of the one type can be values of the other; whether these values are shows when they are cast."""
    if found == wanted or is_text(found) or pa.types.is_null(found):
        return True
    if wanted == INT128:
        return bool(pa.types.is_integer(found) or pa.types.is_decimal(found))
    if pa.types.is_nested(found) and pa.types.is_nested(wanted):
        return _parts_say_the_same(found, wanted)
    if _is_zoned(found) != _is_zoned(wanted):
        return False
    return any(is_from(found) and any(is_to(wanted) for is_to in to) for is_from, to in _KEEPING)


def _parts_say_the_same(found: pa.DataType, wanted: pa.DataType) -> bool:
    """Likewise for lists by their items, and for structs by their members, whose names and order are the same."""
    if pa.types.is_struct(found) and pa.types.is_struct(wanted):
        same_names = [part.name for part in found] == [part.name for part in wanted]
        return same_names and all(
            _part_says_the_same(held.type, of.type) for held, of in zip(found, wanted, strict=True)
        )
    both = _is_list(found) and pa.types.is_list(wanted)
    return bool(both and _part_says_the_same(found.value_type, wanted.value_type))


def _part_says_the_same(found: pa.DataType, wanted: pa.DataType) -> bool:
    # What parts drop is not looked for: a part that may drop something has changed its type. Texts among them are not
    # read: Arrow would, and takes 0x1F for a number.
    if found == wanted or is_text(found):
        return found == wanted or is_text(wanted)
    return says_the_same(found, wanted) and not _may_drop(found, wanted)
