"""Every comparator, value by value: equal, within tolerance or different, and by how much."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import singledispatch

from pipelines import comparators
from tests.generative.naive import texts

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
    text = texts.without_accents(text) if comparator.ignore_accents else text
    text = texts.alphanumeric(text) if comparator.ignore_punctuation else text
    text = texts.squeezed(text) if comparator.inner_blanks else text
    text = texts.trimmed(text) if comparator.trim else text
    text = texts.without_leading_zeros(text) if comparator.ignore_leading_zeros else text
    return texts.lower(text) if comparator.ignore_case else text


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
    if not math.isfinite(expected) or not math.isfinite(actual):
        return DIFFERENT
    slack = max(comparator.absolute, abs(expected) * comparator.relative)
    return WITHIN if abs(actual - expected) <= slack else DIFFERENT


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
    if expected == actual:
        return EQUAL
    return WITHIN if abs(actual - expected) <= comparator.tolerance else DIFFERENT


@delta.register
def _(_: comparators.Instant, expected: datetime, actual: datetime) -> float:
    return (actual - expected) / timedelta(microseconds=1) * 1e-6


def microseconds(moment: datetime) -> int:
    """Since 1970."""
    return (moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
