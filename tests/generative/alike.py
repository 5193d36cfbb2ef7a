"""Whether what the engine says and what the oracle says are the same: values by meaning, NaN like NaN, doubles to the last digits."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

import pyarrow as pa

NEARLY = 1e-12  # a sum of doubles may differ in its last bit with the order of its terms


def alike(seen: object, expected: object) -> bool:
    if isinstance(seen, float) and isinstance(expected, float):
        if math.isnan(seen) or math.isnan(expected):
            return math.isnan(seen) and math.isnan(expected)
        return math.isclose(seen, expected, rel_tol=NEARLY, abs_tol=0.0)
    if isinstance(seen, pa.MonthDayNano):
        return seen.months == 0 and timedelta(seen.days, microseconds=seen.nanoseconds / 1000) == expected
    if isinstance(seen, bool) is not isinstance(expected, bool):
        return False
    return seen == expected


def same_rows(seen: Iterable[object], expected: Iterable[object]) -> None:
    """Assert that both hold the same rows, however often each, in any order."""
    there, due = Counter(seen), Counter(expected)
    assert there - due == Counter(), "the engine says what the oracle does not"
    assert due - there == Counter(), "the oracle says what the engine does not"
