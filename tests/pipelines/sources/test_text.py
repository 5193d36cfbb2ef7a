"""Texts into declared types: every cell as a plain reading of it says, whichever way the column took."""

import json
import math
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipelines.sources import text

INTEGERS = {
    pa.int8(): (-128, 127),
    pa.int16(): (-32768, 32767),
    pa.int32(): (-(2**31), 2**31 - 1),
    pa.int64(): (-(2**63), 2**63 - 1),
    pa.uint8(): (0, 255),
    pa.uint64(): (0, 2**64 - 1),
}
DECIMALS = [
    pa.decimal128(5, 2), pa.decimal128(12, 2), pa.decimal128(38, 10), pa.decimal128(4, 0), pa.decimal128(3, 3),
    pa.decimal128(38, 0), pa.decimal128(38, 38),
]  # fmt: skip
WALL, INSTANT = pa.timestamp("us"), pa.timestamp("us", tz="UTC")


def cast_column(cells, kind, null_texts=("",)):
    """Values and the indices of unreadable cells."""
    schema = pa.schema([("v", kind)])
    texts = pa.record_batch({"v": pa.array(cells, pa.string())})
    batch = text.cast(texts, pa.array(range(len(cells)), pa.int64()), schema, null_texts)
    assert batch.rows.num_rows + batch.unreadable.num_rows == len(cells)
    return batch.rows.column(0), batch.unreadable.column("row_number").to_pylist()


def cast_one(cell, kind):
    """The one value, or `...` when it is unreadable; a neighbour that is no value of any type changes nothing."""
    values, unreadable = cast_column([cell], kind, null_texts=())
    beside, misfits = cast_column([cell, "no such value"], kind, null_texts=())
    assert (repr(beside.to_pylist()), misfits) == (repr(values.to_pylist()), [*unreadable, 1])
    return ... if unreadable else values[0].as_py()


# The oracle: slow, obvious, and nothing in common with the product's code.


def oracle_integer(cell, low, high):
    digits = cell[1:] if cell[:1] in ("+", "-") else cell
    if not digits or any(c not in "0123456789" for c in digits):
        return ...
    value = 0
    for digit in digits:
        value = value * 10 + int(digit)
    value = -value if cell[0] == "-" else value
    return value if low <= value <= high else ...


def oracle_decimal(cell, precision, scale):
    digits = cell[1:] if cell[:1] in ("+", "-") else cell
    if any(c not in "0123456789." for c in digits) or digits.count(".") > 1 or not digits.strip("."):
        return ...
    whole, _, fraction = digits.partition(".")
    units = int("0" + whole + fraction)
    shift = scale - len(fraction)
    if shift < 0 and units % 10**-shift:
        return ...
    units = units * 10**shift if shift >= 0 else units // 10**-shift
    if units >= 10**precision:
        return ...
    sign = 1 if cell[0] == "-" and units else 0
    return Decimal((sign, tuple(map(int, str(units))), -scale))


def oracle_timestamp(cell, *, zoned):
    for pattern, form in (
        (r"\d{4}-\d\d-\d\d", "%Y-%m-%d"),
        (r"\d{4}-\d\d-\d\d \d\d", "%Y-%m-%d %H"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d", "%Y-%m-%d %H:%M"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "%Y-%m-%d %H:%M:%S"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{1,6}", "%Y-%m-%d %H:%M:%S.%f"),
    ):
        body, offset = split_zone(cell, zoned=zoned)
        if body is not None and re.fullmatch(pattern, body, re.ASCII) and not (zoned and form == "%Y-%m-%d"):
            try:
                value = datetime.strptime(body, form)  # noqa: DTZ007 (the zone is apart)
                return (value - offset).replace(tzinfo=UTC) if zoned else value
            except (ValueError, OverflowError):
                return ...
    return ...


def split_zone(cell, *, zoned):
    """The local part (a blank for T, no zeros beyond microseconds) and the offset; (None, None) when there is none."""
    found = re.fullmatch(r"(.*?)(Z|[+-]\d\d(?::?\d\d)?)?", cell, re.ASCII | re.DOTALL) if ":" in cell or zoned else None
    body, zone = (cell, None) if found is None else (found[1], found[2])
    if "T" in body[10:11]:
        body = body[:10] + " " + body[11:]
    body = re.sub(r"(\.\d{6})0+$", r"\1", body)
    if not zoned:
        return (None, None) if zone else (body, timedelta(0))
    if zone is None:
        return None, None
    if zone == "Z":
        return body, timedelta(0)
    hours, minutes = int(zone[1:3]), int(zone[3:].lstrip(":") or 0)
    if hours > 23 or minutes > 59:
        return None, None
    offset = timedelta(hours=hours, minutes=minutes)
    return body, -offset if zone[0] == "-" else offset


LONG = st.text("0123456789", min_size=36, max_size=60)
number_like = st.one_of(
    st.integers(-(2**65), 2**65).map(str),
    st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**13), max_value=10**13).map(str),
    st.text("0123456789+-.eExX_ ,", max_size=8),
    st.floats().map(str),
    st.builds("{}{}{}".format, st.sampled_from(["", "-"]), LONG, st.sampled_from(["", ".5"])),
)
digits = st.text("0123456789", max_size=3)
time_like = st.builds(
    "{}-{}-{}{}{}:{}:{}{}{}".format,
    st.sampled_from(["2024", "1999", "0001", "0000", "9999", "24"]),
    st.sampled_from(["01", "02", "12", "13", "00", "1"]),
    st.sampled_from(["01", "29", "30", "31", "32", "00"]),
    st.sampled_from([" ", "T", "t", "  ", ""]),
    st.sampled_from(["00", "23", "24", "9"]),
    st.sampled_from(["00", "59", "60"]),
    st.sampled_from(["00", "59", "60"]),
    st.sampled_from(["", ".1", ".123456", ".1234567", ".12345600", ".", ",5"]),
    st.sampled_from(["", "Z", "z", "+00:00", "+0200", "-05", "+14:30", "+24:00", "+02:60", " UTC", " Z", "+1"]),
) | st.builds(
    "{}{}{}".format,
    st.sampled_from(["2024-02-29", "2023-02-29", "0001-01-01", "0000-01-01", "2024-1-1", "20240101", "2024-W01-1"]),
    st.sampled_from(["", " ", "T", " 10", "T10", "T10:30", " 10:30", "T1030"]),
    st.sampled_from(["", "Z", "+02:00", "-02"]),
)


@pytest.mark.parametrize("kind", INTEGERS, ids=str)
@given(cell=number_like)
@example("0x10")
@example("0X1f")
@example("+5")
@example("-0")
@example("1_000")
@example(" 1")
@example("1.0")
@example("٣")
@example("9" * 5000)
def test_integers(kind, cell):
    assert cast_one(cell, kind) == oracle_integer(cell, *INTEGERS[kind])


@pytest.mark.parametrize("kind", DECIMALS, ids=str)
@given(cell=number_like)
@example("1.505")
@example("1.500")
@example("0001.5")
@example("1e3")
@example("1E+3")
@example(".5")
@example("5.")
@example(".")
@example("-0.00")
@example("999.999")
@example("123456789012345678901234567890123456789")
@example("0099999999999999999999999999999999999999.00")  # 38 digits
@example("12345678901234567890123456789012345678901")  # Arrow's cast makes another number of it
def test_decimals_are_never_rounded(kind, cell):
    found = cast_one(cell, kind)

    assert found == oracle_decimal(cell, kind.precision, kind.scale)


@given(
    cell=number_like | st.sampled_from(["nan", "NaN", "-inf", "Infinity", "1e400", "1e-400", "+1.5e+3", "1.e5", "."])
)
def test_doubles(cell):
    found = cast_one(cell, pa.float64())

    if re.fullmatch(r"[+-]?(nan|inf|infinity)", cell, re.IGNORECASE):
        assert repr(found).lstrip("-") == repr(float(cell)).lstrip("-")
    elif re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", cell, re.ASCII) and math.isfinite(float(cell)):
        assert found == float(cell)
    else:
        assert found is ...


def oracle_single(cell):
    """The nearest number of single precision by exact fractions, of two as near the even one; `...` beyond the last."""
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", cell):
        return ...
    exact = abs(Fraction(cell))
    exponent = max(-149, floor_log2(exact) - 23) if exact else -149
    single = round(exact / Fraction(2) ** exponent) * Fraction(2) ** exponent
    return ... if single >= 2**128 else math.copysign(float(single), -1 if cell[0] == "-" else 1)


def floor_log2(number):
    guess = number.numerator.bit_length() - number.denominator.bit_length()
    return guess if Fraction(2) ** guess <= number else guess - 1


@given(cell=number_like.filter(lambda cell: len(cell) < 40))
@example("1e39")
@example("-1e39")
@example("3.4028235677973366e38")
@example("3.4028235677973365e38")
@example("1.00000005960464477540")  # a little more than halfway: not to be told from halfway among doubles
@example("7e-46")
@example("+.5")
def test_singles(cell):
    if not re.fullmatch(r"[+-]?(nan|inf|infinity)", cell, re.IGNORECASE):
        assert repr(cast_one(cell, pa.float32())) == repr(oracle_single(cell))


@given(
    cell=st.sampled_from(
        ["true", "TRUE", "t", "1", "Yes", "y", "false", "F", "0", "no", "N", "2", "", "ja", "tru", "\u017f"]
    )
)
def test_booleans(cell):
    expected = {"true": True, "t": True, "1": True, "yes": True, "y": True}
    expected |= {"false": False, "f": False, "0": False, "no": False, "n": False}

    assert cast_one(cell, pa.bool_()) == expected.get(cell.lower(), ...)


@given(cell=time_like)
@example("2024-02-29")
@example("0000-01-01")
@example("10000-01-01")
def test_dates(cell):
    try:
        expected = date.fromisoformat(cell) if re.fullmatch(r"\d{4}-\d\d-\d\d", cell, re.ASCII) else ...
    except ValueError:
        expected = ...

    assert cast_one(cell, pa.date32()) == expected


@given(cell=time_like)
@example("2024-01-01 00:00:00.1234560")
@example("0000-12-31 12:00:00")
@example("9999-12-31 23:59:59.999999")
@example("2024-01-01 10:00:00+02:00")
def test_wall_times(cell):
    assert cast_one(cell, WALL) == oracle_timestamp(cell, zoned=False)


@given(cell=time_like)
@example("0001-01-01 00:00:00+02:00")
@example("9999-12-31 23:00:00-05:00")
@example("2024-01-01 10:00:00")
@example("2024-01-01 10:00:00+02:60")
@example("2024-01-01 10:00:00+24:00")
def test_instants_need_an_offset(cell):
    found = cast_one(cell, INSTANT)

    assert found == oracle_timestamp(cell, zoned=True)


@given(cell=time_like, zone=st.sampled_from([None, "UTC"]))
@example("2024-01-01 10:00:00.123456", None)
@example("2024-01-01 10:00:00.123400Z", "UTC")
@example("2024-01-01 10:00:00.120000", None)
def test_microseconds_are_not_cut_to_milliseconds(cell, zone):
    exact = oracle_timestamp(cell, zoned=zone is not None)
    expected = ... if exact is ... or exact.microsecond % 1000 else exact

    assert cast_one(cell, pa.timestamp("ms", tz=zone)) == expected


@given(
    cells=st.lists(st.none() | number_like, max_size=20),
    kind=st.sampled_from([*INTEGERS, *DECIMALS, pa.float64(), pa.float32()]),
)
def test_a_column_reads_as_its_cells_do(cells, kind):
    values, unreadable = cast_column(cells, kind)
    one_by_one = [None if cell in (None, "") else cast_one(cell, kind) for cell in cells]

    assert unreadable == [index for index, value in enumerate(one_by_one) if value is ...]
    assert list(map(repr, values.to_pylist())) == [repr(value) for value in one_by_one if value is not ...]


@pytest.mark.parametrize(
    ("cell", "kind", "expected"),
    [
        ("26:30:00", pa.duration("us"), timedelta(hours=26, minutes=30)),
        ("-26:30:00.5", pa.duration("us"), -timedelta(hours=26, minutes=30, seconds=0.5)),
        ("1 day 02:30:00", pa.duration("us"), timedelta(days=1, hours=2, minutes=30)),
        ("-1 day 02:00:00", pa.duration("us"), ...),  # 22 or 26 hours, as databases will have it
        ("-P1DT2H", pa.duration("us"), -timedelta(days=1, hours=2)),
        ("P106751991DT4H0M54.775807S", pa.duration("us"), timedelta(microseconds=2**63 - 1)),
        ("P106751991DT4H0M54.775808S", pa.duration("us"), ...),
        ("P999999999D", pa.duration("us"), ...),
        ('{"x": 1}', pa.struct([("x", pa.int64())]), {"x": 1}),
        ('{"x": 1, "x": 2}', pa.struct([("x", pa.int64())]), ...),
        ('["\\ud83d\\ude00"]', pa.list_(pa.string()), ["😀"]),
        ('["\\ud800"]', pa.list_(pa.string()), ...),
        ('["a", true, 1.10, null]', pa.list_(pa.string()), ["a", "true", "1.10", None]),
        ('{"x": false}', pa.struct([("x", pa.string())]), {"x": "false"}),
    ],
)
def test_types_without_a_common_spelling(cell, kind, expected):
    assert cast_one(cell, kind) == expected


def test_missing_values_are_what_the_declaration_says():
    values, unreadable = cast_column(["", "NULL", "0", None], pa.int64(), null_texts=("", "NULL"))

    assert values.to_pylist() == [None, None, 0, None]
    assert unreadable == []


def test_an_empty_text_is_a_text_when_nothing_says_otherwise():
    assert cast_column(["", "a"], pa.string(), null_texts=())[0].to_pylist() == ["", "a"]


def test_a_row_is_unreadable_once_by_its_first_column():
    schema = pa.schema([("id", pa.int64()), ("amount", pa.decimal128(9, 2)), ("day", pa.date32())])
    texts = pa.record_batch({
        "id": ["1", "x", "3", "4"],
        "amount": ["1.50", "1.505", "1.505", "2"],
        "day": ["2024-01-01", "never", "2024-01-01", None],
    })  # fmt: skip

    batch = text.cast(texts, pa.array([7, 8, 9, 10]), schema, ("",))

    assert batch.row_numbers.to_pylist() == [7, 10]
    assert batch.rows.to_pylist() == [
        {"id": 1, "amount": Decimal("1.50"), "day": date(2024, 1, 1)},
        {"id": 4, "amount": Decimal("2.00"), "day": None},
    ]
    assert batch.unreadable.drop_columns(["raw"]).to_pylist() == [
        {"row_number": 8, "check": "type", "field": "id", "reason": "expected int64"},
        {"row_number": 9, "check": "type", "field": "amount", "reason": "expected decimal128(9, 2)"},
    ]
    assert json.loads(batch.unreadable.column("raw")[0].as_py()) == {"id": "x", "amount": "1.505", "day": "never"}


@given(rows=st.lists(st.tuples(st.none() | st.text(), st.text()), max_size=5), name=st.text(min_size=1))
@example(rows=[("%s", 'a"\\\n')], name='%d"')
def test_rows_are_shown_as_json(rows, name):
    shown = text.json_rows(pa.record_batch({name: [a for a, _ in rows], f"{name}2": [b for _, b in rows]}))

    assert [json.loads(row) for row in shown.to_pylist()] == [{name: a, f"{name}2": b} for a, b in rows]


def test_rows_are_shown_even_where_python_has_no_such_value():
    far = pa.array([2**62], pa.int64()).cast(pa.timestamp("us"))

    assert list(json.loads(text.json_rows(pa.record_batch({"at": far}))[0].as_py())) == ["at"]
