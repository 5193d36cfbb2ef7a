"""The battery: all traps, each under a name of its own."""

from __future__ import annotations

from tests.spec.traps.keys import KEYS
from tests.spec.traps.nested import NESTED
from tests.spec.traps.numbers import NUMBERS
from tests.spec.traps.texts import TEXTS
from tests.spec.traps.times import TIMES

BATTERY = (*KEYS, *NUMBERS, *TEXTS, *TIMES, *NESTED)
