"""Values that reconciliations stumble over, by Arrow type; small domains, so that rows collide and agree often."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pyarrow as pa
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from pipelines.types import INT128

INSTANT, WALL = pa.timestamp("us", tz="UTC"), pa.timestamp("us")

TEXTS: Sequence[str] = [
    "", " ", "a", "A", "a ", " a", "b", "B", "ab", "a|b", "|", "\\", "\\N", "\\|", "'", '"', "''", "<null>", "NULL", "null",
    "é", "e\u0301", "É", "straße", "a\u00a0b", "a  b", "a\tb", "\u00a0a\u2003", "a\nb", "a\vb", "0", "00", "007", "7", "0a",
    "é\0a", "e\u0301\0a", "e\u0301\0", "ΟΔΟΣ", "οδο\u03c2", "J\u030c", "\u01f0", "\u017f", "s", "\u0131", "I", "i",
    "a-b", "a.b", "A&B", "😀", "👩‍👩‍👧", "日本", "x" * 3000, "$1", "%s", "{a}", "--", "ﬁ", "O\u2019Neil",
]  # fmt: skip
DOCUMENTS = [
    "{}", "[]", "null", "1", "1.0", "1e0", "10E-1", "-0.0", "0", "true", '"a"', '"\\u0061"', '{"a":1,"b":2}', '{"b":2,"a":1.0}', "[1,2]", "[2,1]",
    '{"a":{"b":1,"c":2}}', '{"a":{"c":2}}', '{"a":[{"b":1},{"b":2,"c":3}]}', '{"a":[{},{"c":3}]}', "[1,]", "{a:1}", "[1, 2 ]", '{"a":null}',
    '{"a":0.1000000000000000055}', '{"a":0.1}', "[9007199254740993]", "[9007199254740992]", '{"":[]}', "[NaN]", '"\\ud800"', '"é"', '"e\u0301"',
    '{"a":[1,2,3]}', '{"a":[7,8,3]}', "[1,2,3]", "[8,9,3]", "[8,2,9]", '{"a":",]"}', '{"x":"1"}', '{"x":1}', "12345678901234567890123456789012345678901234567890", "1e400", '{"$a":1}', '{"a\\"b":1}',
]  # fmt: skip
DURATIONS = [
    timedelta(0),
    timedelta(microseconds=1),
    timedelta(days=1),
    timedelta(hours=24),
    timedelta(seconds=-1),
    timedelta(days=30, hours=5),
]
CLOCK = [time(0), time(12, 30), time(23, 59, 59, 999999), time(0, 0, 0, 1)]
BYTES = [b"", b"\x00", b"a", b"\xff\xfe", b"\\x00", b"a\x00", "é".encode()]
LIST_OF_TEXT, LIST_OF_FLOAT = pa.list_(pa.string()), pa.list_(pa.float64())
INTEGERS = [0, 1, -1, 2, 7, 42, 100, 2**31 - 1, -(2**31), 2**53, 2**53 + 1, 2**53 - 1, 2**63 - 1, -(2**63), 10**18]
FLOATS = [
    0.0,
    -0.0,
    1.0,
    1.5,
    -1.5,
    0.1,
    0.30000000000000004,
    1e-300,
    1e16,
    1.7e308,
    -1.7e308,
    math.inf,
    -math.inf,
    math.nan,
]
DATES = [
    date(1, 1, 1),
    date(1899, 12, 31),
    date(1970, 1, 1),
    date(2024, 2, 28),
    date(2024, 2, 29),
    date(2024, 3, 1),
    date(9999, 12, 31),
]
# Wall times around the changes of several zones' clocks, whole and half hours, forwards and back.
WALL_TIMES = [
    datetime(*parts)  # noqa: DTZ001 (wall time)
    for parts in [
        (2024, 3, 31, 1, 59, 59), (2024, 3, 31, 2, 0), (2024, 3, 31, 2, 30), (2024, 3, 31, 3, 0), (2024, 10, 27, 1, 59, 59),
        (2024, 10, 27, 2, 0), (2024, 10, 27, 2, 30), (2024, 10, 27, 2, 59, 59), (2024, 10, 27, 3, 0), (2024, 10, 27, 3, 30),
        (2024, 4, 7, 1, 15), (2024, 4, 7, 1, 45), (2024, 4, 7, 2, 0), (2024, 4, 7, 2, 15), (2024, 4, 7, 2, 45), (2024, 10, 6, 2, 15),
        (2024, 11, 3, 1, 30), (2024, 3, 10, 2, 30), (2024, 7, 1, 12, 0, 0, 123456), (2024, 1, 1), (1999, 12, 31, 23, 59, 59, 999999),
        (2007, 12, 9, 2, 45), (2007, 12, 9, 3, 15), (2011, 12, 29, 23, 0), (2011, 12, 31, 0, 30),
    ]
]  # fmt: skip
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Antarctica/Troll",
    "America/Caracas",
    "Asia/Kolkata",
]

texts = st.sampled_from(TEXTS) | st.sampled_from(DOCUMENTS) | st.text("aAbB01 |\\'é", max_size=4)


def of_type(kind: pa.DataType) -> SearchStrategy[object]:
    """Values of an Arrow type, never missing."""
    if pa.types.is_string(kind):
        return texts
    if kind == INT128:
        return st.sampled_from(
            [0, 1, -1, 2**53 + 1, 10**38, 2**127 - 1, 2**127 - 2, -(2**127), -(2**127) + 1]
        ) | st.integers(-9, 9)
    if pa.types.is_time(kind) or pa.types.is_duration(kind) or pa.types.is_binary(kind):
        return st.sampled_from(CLOCK if pa.types.is_time(kind) else DURATIONS if pa.types.is_duration(kind) else BYTES)
    if pa.types.is_list(kind):
        return st.lists(or_missing(of_type(kind.value_type)), max_size=3)
    if pa.types.is_struct(kind):
        return st.fixed_dictionaries({part.name: or_missing(of_type(part.type)) for part in kind})
    if pa.types.is_boolean(kind):
        return st.booleans()
    if pa.types.is_integer(kind):
        return _integers(kind)
    if pa.types.is_decimal(kind):
        return _decimals(kind)
    if kind == pa.float32():
        return st.sampled_from([number for number in FLOATS if fits(number, kind)]) | st.floats(width=32)
    if pa.types.is_floating(kind):
        return st.sampled_from(FLOATS) | st.floats(width=64)
    if pa.types.is_date(kind):
        return st.sampled_from(DATES) | st.dates(date(2024, 1, 1), date(2024, 1, 9))
    moments = st.sampled_from(WALL_TIMES) | st.sampled_from([datetime(1, 1, 2), datetime(9999, 12, 30)])  # noqa: DTZ001
    if kind.unit == "ms":
        moments = moments.map(lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000))
    return moments.map(lambda moment: moment.replace(tzinfo=UTC)) if kind.tz else moments


def _integers(kind: pa.DataType) -> SearchStrategy[int]:
    bits = kind.bit_width
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if pa.types.is_signed_integer(kind) else (0, 2**bits - 1)
    known = [number for number in INTEGERS if low <= number <= high]
    return st.sampled_from([low, high, *known]) | st.integers(0, 9)


def _decimals(kind: pa.DataType) -> SearchStrategy[Decimal]:
    unit, whole = Decimal(1).scaleb(-kind.scale), kind.precision - kind.scale
    # From digits: arithmetic would round to the 28 digits of Python's decimal context.
    highest, lowest = (Decimal((sign, (9,) * kind.precision, -kind.scale)) for sign in (0, 1))
    known = [Decimal(0), unit, -unit, highest, lowest] + [Decimal(n) for n in (1, 10, -100) if whole > len(str(abs(n)))]
    return st.sampled_from(known) | st.integers(-999, 999).map(lambda n: max(lowest, min(highest, n * unit)))


def or_missing(values: SearchStrategy[object]) -> SearchStrategy[object]:
    """Now and then nothing."""
    return st.one_of(values, values, values, values, st.none())


def fits(value: object, kind: pa.DataType) -> bool:
    """Whether a column of this type can hold the value as it is."""
    if kind == INT128:
        return isinstance(value, int) and -(2**127) <= value < 2**127
    try:
        held = pa.scalar(value, kind).as_py()
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        return False
    return held == value or value != value  # noqa: PLR0124 (NaN)
