"""Random comparators of every kind, and values to give them: often the same, often nearly so."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pyarrow as pa
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from pipelines import comparators
from pipelines.comparators import Comparator
from pipelines.types import INT128
from tests.generative.naive.comparators import CUSTOM
from tests.generative.strategies import values
from tests.generative.strategies.values import INSTANT, WALL

BERLIN = pa.timestamp("us", tz="Europe/Berlin")
INTEGERS = [pa.int64(), pa.int32(), pa.int16(), pa.int8(), pa.uint64(), pa.uint32(), pa.uint8()]
FLOATS = [pa.float64(), pa.float32()]
INSTANTS, WALLS = [INSTANT, BERLIN, pa.timestamp("ms", tz="UTC")], [WALL, pa.timestamp("ms")]
LISTS = [pa.list_(pa.int64()), pa.list_(pa.int32())]
STRUCTS = [
    pa.struct([("a", pa.int64()), ("b", pa.string())]),
    pa.struct([("b", pa.string()), ("a", pa.int32())]),
]
DECIMALS = [
    pa.decimal128(12, 2),
    pa.decimal128(18, 6),
    pa.decimal128(38, 2),
    pa.decimal128(38, 10),
    pa.decimal128(5, 0),
    pa.decimal128(38, 0),
    pa.decimal128(11, 1),
    pa.decimal128(4, 4),
]


def exact() -> SearchStrategy[Comparator]:
    return st.just(comparators.Exact())


def text() -> SearchStrategy[Comparator]:
    switches = (
        "ignore_case",
        "trim",
        "inner_blanks",
        "nfc",
        "nfkc",
        "ignore_accents",
        "ignore_leading_zeros",
        "ignore_punctuation",
    )
    return st.fixed_dictionaries({switch: st.booleans() for switch in switches}).map(lambda on: comparators.Text(**on))


def amount() -> SearchStrategy[Comparator]:
    slack = st.sampled_from(["0", "0.01", "0.005", "1", "1000000000000", "0.0000001"]).map(Decimal)
    share = st.sampled_from(["0", "0.01", "0.5", "1", "0.000001"]).map(Decimal)
    return st.builds(comparators.Amount, absolute=slack, relative=share)


def floating() -> SearchStrategy[Comparator]:
    return st.builds(
        comparators.Floating,
        absolute=st.sampled_from([0.0, 1e-9, 0.1, 1e300]),
        relative=st.sampled_from([0.0, 1e-12, 0.1, 1.0]),
        ulps=st.sampled_from([0, 0, 1, 3, 1000]),
        single=st.booleans(),
    )


def day() -> SearchStrategy[Comparator]:
    return st.builds(comparators.Day, tolerance_days=st.sampled_from([0, 1, 30]))


def instant() -> SearchStrategy[Comparator]:
    slack = [timedelta(0), timedelta(microseconds=1), timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)]
    steps = [
        timedelta(microseconds=1),
        timedelta(microseconds=7),
        timedelta(milliseconds=1),
        timedelta(seconds=1),
        timedelta(days=1),
    ]
    return st.builds(
        comparators.Instant,
        tolerance=st.sampled_from(slack),
        precision=st.sampled_from(steps),
        rounding=st.sampled_from(comparators.Rounding),
    )


def elapsed() -> SearchStrategy[Comparator]:
    slack = [timedelta(0), timedelta(microseconds=1), timedelta(hours=1)]
    return st.builds(comparators.Elapsed, tolerance=st.sampled_from(slack))


def enumeration() -> SearchStrategy[Comparator]:
    groups = [(("a", "b"),), (("a", "A", ""), ("b", "'")), (("007", "7"), ("NULL", "null", "<null>"))]
    return st.builds(comparators.Enumeration, st.sampled_from(groups))


def items() -> SearchStrategy[Comparator]:
    return st.builds(comparators.Items, st.sampled_from(comparators.Order))


def document() -> SearchStrategy[Comparator]:
    ignored = [
        (), ("$.a",), ("$.a.b", "$.b"), ("$[0]",), ("$.a[*].b",), ("$.c", '$["a"][1]'), ("$[0]", "$[1]", "$[01]"),
        ("$.a[0]", "$.a[1].b", "$.a[2]"),
    ]  # fmt: skip
    return st.builds(comparators.Document, ignore=st.sampled_from(ignored))


def custom() -> SearchStrategy[Comparator]:
    return st.sampled_from(list(CUSTOM))


MAKERS: dict[type[Comparator], Callable[[], SearchStrategy[Comparator]]] = {
    comparators.Exact: exact,
    comparators.Text: text,
    comparators.Amount: amount,
    comparators.Floating: floating,
    comparators.Day: day,
    comparators.Instant: instant,
    comparators.Elapsed: elapsed,
    comparators.Enumeration: enumeration,
    comparators.Items: items,
    comparators.Document: document,
    comparators.Custom: custom,
}


@dataclass(frozen=True)
class Compared:
    """A comparator with the types of the two values it is given."""

    comparator: Comparator
    expected: pa.DataType
    actual: pa.DataType


def counterparts(kind: pa.DataType) -> list[pa.DataType]:
    """The types that values of this type may be compared with."""
    if kind in STRUCTS:
        return STRUCTS
    if kind == INT128:
        return [INT128, *INTEGERS]
    for family in (INTEGERS, DECIMALS, INSTANTS, WALLS, FLOATS, LISTS):
        if kind in family or (family is DECIMALS and pa.types.is_decimal(kind)):
            return family
    return [kind]


def fitting(kind: pa.DataType) -> list[type[Comparator]]:
    """The comparators for values of this type."""
    if pa.types.is_string(kind):
        return [comparators.Exact, comparators.Text, comparators.Enumeration, comparators.Document]
    if pa.types.is_integer(kind):
        return [comparators.Exact, comparators.Amount, *[comparators.Custom] * (kind.bit_width <= 32)]
    if kind == INT128 or pa.types.is_decimal(kind):
        return [comparators.Exact, comparators.Amount]
    if pa.types.is_floating(kind):
        return [comparators.Floating]
    if pa.types.is_date(kind):
        return [comparators.Exact, comparators.Day]
    if pa.types.is_duration(kind):
        return [comparators.Exact, comparators.Elapsed]
    if pa.types.is_list(kind):
        return [comparators.Items]
    if pa.types.is_struct(kind):
        return [comparators.Document]
    return [comparators.Exact, comparators.Instant] if pa.types.is_timestamp(kind) else [comparators.Exact]


def for_type(draw: DrawFn, kind: pa.DataType) -> Compared:
    """A comparator that accepts the type, and a type to compare it with."""
    comparator = draw(MAKERS[draw(st.sampled_from(fitting(kind)))]())
    return Compared(comparator, kind, draw(st.sampled_from(counterparts(kind))))


TYPES = [
    pa.string(), *INTEGERS, *DECIMALS, pa.bool_(), *FLOATS, pa.date32(), *WALLS, *INSTANTS, pa.time64("us"), pa.binary(),
    pa.duration("us"), INT128, *LISTS, *STRUCTS, values.LIST_OF_TEXT, values.LIST_OF_FLOAT,
]  # fmt: skip


@st.composite
def compared(draw: DrawFn) -> Compared:
    return for_type(draw, draw(st.sampled_from(TYPES)))


def near(draw: DrawFn, value: object, kind: pa.DataType) -> object:
    """The value itself, something close to it, or anything; always one that the type can hold."""
    options: list[SearchStrategy[object]] = [values.of_type(kind)]
    if values.fits(value, kind):
        close = [moved for moved in _moved(value) if values.fits(moved, kind)]
        options += [st.just(value)] * 3 + [st.sampled_from(close)] * bool(close)
    return draw(st.one_of(options))


def _moved(value: object) -> list[object]:
    if isinstance(value, bool | bytes | time) or value is None:
        return []
    if isinstance(value, timedelta):
        return [value + timedelta(microseconds=1), -value, value + timedelta(hours=1)]
    if isinstance(value, list):
        return [value[::-1], value + value[:1], value[1:], [*value, None]]
    if isinstance(value, dict):
        return [dict(reversed(value.items())), {**value, "b": None}, {**value, "a": 7}]
    if isinstance(value, str):
        return [
            value.swapcase(),
            f" {value}",
            f"{value} ",
            f"0{value}",
            value.replace("é", "e\u0301"),
            value.replace(" ", "  "),
            f"{value}.",
            *_rewritten(value),
        ]
    if isinstance(value, datetime):
        return _shifted(
            value, [timedelta(microseconds=1), timedelta(seconds=-1), timedelta(hours=1), timedelta(days=-1)]
        )
    if isinstance(value, date):
        return _shifted(value, [timedelta(days=1), timedelta(days=-1), timedelta(days=31)])
    if isinstance(value, float):
        return [value * 1.05, value + 1e-10, -value, math.nextafter(value, math.inf), math.nextafter(value, 0)]
    steps = [Decimal("0.01"), Decimal("-0.005")] if isinstance(value, Decimal) else [1, -1]
    return [value + step for step in steps]


def _rewritten(text: str) -> list[str]:
    """A document in other words."""
    try:
        read = json.loads(text, parse_float=Decimal, parse_constant=str)
        return [
            json.dumps(read, indent=1, sort_keys=True, default=float),
            text.replace("1.0", "1e0"),
        ]
    except ValueError:
        return []


def _shifted(value: date, steps: list[timedelta]) -> list[object]:
    found = []
    for step in steps:
        try:
            found.append(value + step)
        except OverflowError:
            continue
    return found
