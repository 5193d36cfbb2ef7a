"""Evolution: tables that were written under an earlier contract, read by the columns of today.

Columns are found by name. What an earlier table does not hold, or holds as something else, it says nothing of: that is
not the same as saying that it was missing. From the engine's types; files are not known here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_WHOLE = re.compile(r"U?(TINY|SMALL|BIG)?INT(EGER)?|HUGEINT")
_MOST_DIGITS = 38  # of a decimal that can hold both
_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")


def held(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Today's columns that an earlier table holds, in a type whose values are values of today's as they are."""
    return [name for name, kind in now.items() if name in then and _is_held(then[name], kind)]


def _is_held(then: str, now: str) -> bool:
    decimals = [_DECIMAL.fullmatch(kind) for kind in (then, now)]
    if decimals[0] and decimals[1]:
        (digits, scale), (room, places) = (tuple(map(int, found.groups())) for found in decimals if found)
        return scale <= places and max(digits - scale, room - places) + places <= _MOST_DIGITS
    return then == now or all(_WHOLE.fullmatch(kind) for kind in (then, now))
