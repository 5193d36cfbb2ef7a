"""Every comparator, value by value: equal, within tolerance or different, and by how much."""

from __future__ import annotations

import math
import struct
import unicodedata
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import singledispatch

from pipelines import comparators
from tests.generative.naive import documents, texts

EQUAL, WITHIN, DIFFERENT = "equal", "within_tolerance", "different"


@singledispatch
def judge(comparator: comparators.Comparator, expected: object, actual: object) -> str:
    """The verdict on two values that are both there."""
    raise NotImplementedError(f"the oracle does not know {type(comparator).__name__}")


@singledispatch
def delta(comparator: comparators.Comparator, expected: object, actual: object) -> float | None:
    """By how much the actual value exceeds the expected one; for comparators without a measure, nothing."""
    return None


@judge.register
def _(_: comparators.Exact, expected: object, actual: object) -> str:
    return EQUAL if expected == actual else DIFFERENT


@judge.register
def _(comparator: comparators.Text, expected: str, actual: str) -> str:
    return EQUAL if _normalised(comparator, expected) == _normalised(comparator, actual) else DIFFERENT


def _normalised(comparator: comparators.Text, text: str) -> str:
    text = texts.composed(text) if comparator.nfc else text
    text = unicodedata.normalize("NFKC", text) if comparator.nfkc else text
    text = texts.without_accents(text) if comparator.ignore_accents else text
    text = texts.folded(text) if comparator.ignore_case else text
    text = texts.composed(text) if comparator.nfc or comparator.nfkc else text
    text = texts.alphanumeric(text) if comparator.ignore_punctuation else text
    text = texts.squeezed(text) if comparator.inner_blanks else text
    text = texts.trimmed(text) if comparator.trim else text
    return texts.without_leading_zeros(text) if comparator.ignore_leading_zeros else text


@judge.register
def _(comparator: comparators.Amount, expected: object, actual: object) -> str:
    if expected == actual:
        return EQUAL
    distance = abs(Fraction(actual) - Fraction(expected))
    slack = max(Fraction(comparator.absolute), abs(Fraction(expected)) * Fraction(comparator.relative))
    return WITHIN if distance <= slack else DIFFERENT


@delta.register
def _(_: comparators.Amount, expected: object, actual: object) -> float:
    return float(Fraction(actual) - Fraction(expected))


@judge.register
def _(comparator: comparators.Floating, expected: float, actual: float) -> str:
    if expected == actual or (math.isnan(expected) and math.isnan(actual)):
        return EQUAL
    e, a = (_single(expected), _single(actual)) if comparator.single else (expected, actual)
    if e == a or (math.isnan(e) and math.isnan(a)):
        return EQUAL
    if not math.isfinite(expected) or not math.isfinite(actual):
        return DIFFERENT
    if comparator.ulps and _steps_apart(e, a, single=comparator.single) <= comparator.ulps:
        return WITHIN
    slack = max(comparator.absolute, abs(expected) * comparator.relative)
    return WITHIN if abs(actual - expected) <= slack else DIFFERENT


def _single(number: float) -> float:
    """The nearest number of single precision."""
    try:
        return struct.unpack("f", struct.pack("f", number))[0]
    except OverflowError:
        return math.copysign(math.inf, number)


def _steps_apart(x: float, y: float, *, single: bool) -> int:
    """How many representable numbers on is one from the other."""
    return abs(_place(x, single=single) - _place(y, single=single))


def _place(number: float, *, single: bool) -> int:
    """The number of steps from zero: floats of one sign are ordered as their bits are."""
    bits = (
        struct.unpack("<i", struct.pack("<f", abs(number)))
        if single
        else struct.unpack("<q", struct.pack("<d", abs(number)))
    )
    return int(math.copysign(1, number)) * bits[0]


@delta.register
def _(_: comparators.Floating, expected: float, actual: float) -> float | None:
    return None if math.isnan(expected) or math.isnan(actual) else actual - expected


@judge.register
def _(comparator: comparators.Day, expected: date, actual: date) -> str:
    if expected == actual:
        return EQUAL
    return WITHIN if abs((actual - expected).days) <= comparator.tolerance_days else DIFFERENT


@delta.register
def _(_: comparators.Day, expected: date, actual: date) -> float:
    return float((actual - expected).days)


@judge.register
def _(comparator: comparators.Instant, expected: datetime, actual: datetime) -> str:
    if _kept(comparator, expected) == _kept(comparator, actual):
        return EQUAL
    return WITHIN if abs(actual - expected) <= comparator.tolerance else DIFFERENT


def _kept(comparator: comparators.Instant, moment: datetime) -> int:
    """The step that a moment falls in."""
    step = comparator.precision // timedelta(microseconds=1)
    # Python's floor is towards minus infinity, that is the past.
    half = step // 2 if comparator.rounding is comparators.Rounding.ROUND else 0
    return (microseconds(moment) + half) // step


@delta.register
def _(_: comparators.Instant, expected: datetime, actual: datetime) -> float:
    return (actual - expected).total_seconds()


@judge.register
def _(comparator: comparators.Elapsed, expected: timedelta, actual: timedelta) -> str:
    if expected == actual:
        return EQUAL
    return WITHIN if abs(actual - expected) <= comparator.tolerance else DIFFERENT


@delta.register
def _(_: comparators.Elapsed, expected: timedelta, actual: timedelta) -> float:
    return (actual - expected).total_seconds()


@judge.register
def _(comparator: comparators.Enumeration, expected: str, actual: str) -> str:
    together = any(expected in group and actual in group for group in comparator.same)
    return EQUAL if expected == actual or together else DIFFERENT


@judge.register
def _(comparator: comparators.Items, expected: list[object], actual: list[object]) -> str:
    known = [_Item(item) for item in expected], [_Item(item) for item in actual]
    if comparator.order is comparators.Order.BAG:
        return EQUAL if Counter(known[0]) == Counter(known[1]) else DIFFERENT
    if comparator.order is comparators.Order.SET:
        return EQUAL if set(known[0]) == set(known[1]) else DIFFERENT
    return EQUAL if known[0] == known[1] else DIFFERENT


@dataclass(frozen=True, init=False)
class _Item:
    """An item of a list, with NaN like itself and unlike a missing one."""

    value: object

    def __init__(self, value: object) -> None:
        is_nan = isinstance(value, float) and math.isnan(value)
        object.__setattr__(self, "value", "NaN, not a text" if is_nan else (type(value) is str, value))


@judge.register
def _(comparator: comparators.Document, expected: object, actual: object) -> str:
    return EQUAL if documents.canonical(comparator, expected) == documents.canonical(comparator, actual) else DIFFERENT


@judge.register
def _(comparator: comparators.Custom, expected: object, actual: object) -> str:
    same, near, _ = CUSTOM[comparator]
    if expected == actual or same(expected, actual):
        return EQUAL
    return WITHIN if near and near(expected, actual) else DIFFERENT


@delta.register
def _(comparator: comparators.Custom, expected: object, actual: object) -> float | None:
    distance = CUSTOM[comparator][2]
    return float(distance(expected, actual)) if distance else None


WIDE_E, WIDE_A = (
    "CAST(expected AS DECIMAL(20, 0))",
    "CAST(actual AS DECIMAL(20, 0))",
)  # a result that is too wide for its type is missing
# Comparators in SQL, and what that SQL means.
CUSTOM = {
    comparators.Custom(f"{WIDE_E} = {WIDE_A} + 1"): (lambda e, a: e == a + 1, None, None),
    comparators.Custom(
        f"actual BETWEEN expected AND {WIDE_E} + 2", near="actual > 5", distance=f"{WIDE_A} - {WIDE_E}"
    ): (
        lambda e, a: e <= a <= e + 2,
        lambda _, a: a > 5,
        lambda e, a: a - e,
    ),
}


def microseconds(moment: datetime) -> int:
    """Since 1970."""
    moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
