"""Comparing dates, points in time and durations."""

from __future__ import annotations

from dataclasses import KW_ONLY
from datetime import timedelta
from enum import StrEnum

from pipelines.comparators.comparator import Comparator
from pipelines.declared import Span, declared

_MICROSECOND = timedelta(microseconds=1)


@declared
class Day(Comparator):
    """Dates. `tolerance_days`: slack in whole days."""

    _: KW_ONLY
    tolerance_days: int = 0

    def accepts(self, kind: str) -> bool:
        return kind == "DATE"

    def within(self, expected: str, actual: str) -> str:
        return f"ABS(epoch_days({actual}) - epoch_days({expected})) <= {self.tolerance_days}"

    def delta(self, expected: str, actual: str) -> str:
        return f"as_double(epoch_days({actual}) - epoch_days({expected}))"

    def problems(self) -> list[str]:
        return [] if self.tolerance_days >= 0 else [f"tolerance_days={self.tolerance_days}: slack is a number from 0"]


class Rounding(StrEnum):
    """How a side that keeps less than microseconds gets there."""

    TRUNCATE = "truncate"  # towards the past
    ROUND = "round"  # to the nearest, of two the later one


@declared
class Instant(Comparator):
    """Points in time, whatever zone they are shown in; also timestamps without zone.

    `tolerance`: slack between the two as they are, as a `timedelta`. `precision`: the step that both are brought to
    before they are called equal, as a `timedelta`. `rounding`: how, `Rounding.TRUNCATE` or `Rounding.ROUND`.
    """

    _: KW_ONLY
    tolerance: Span = timedelta(0)
    precision: Span = _MICROSECOND
    rounding: Rounding = Rounding.TRUNCATE

    def accepts(self, kind: str) -> bool:
        return kind.startswith("TIMESTAMP")

    def canonical(self, value: str) -> str:
        step = self.precision // _MICROSECOND
        if step == 1:
            return f"epoch_us({value})"
        half = step // 2 if self.rounding is Rounding.ROUND else 0
        return f"floor_to(epoch_us({value}) + {half}, {step})"

    def within(self, expected: str, actual: str) -> str:
        return f"ABS(epoch_us({actual}) - epoch_us({expected})) <= {self.tolerance // _MICROSECOND}"

    def delta(self, expected: str, actual: str) -> str:
        return _seconds(f"epoch_us({actual}) - epoch_us({expected})")

    def problems(self) -> list[str]:
        found = _below_zero(self.tolerance)
        return found if self.precision >= _MICROSECOND else [*found, "precision is at least one microsecond"]


@declared
class Elapsed(Comparator):
    """Durations, to the microsecond. `tolerance`: slack, as a `timedelta`."""

    _: KW_ONLY
    tolerance: Span = timedelta(0)

    def accepts(self, kind: str) -> bool:
        return kind == "INTERVAL"

    def canonical(self, value: str) -> str:
        return f"elapsed_us({value})"

    def within(self, expected: str, actual: str) -> str:
        return f"ABS(elapsed_us({actual}) - elapsed_us({expected})) <= {self.tolerance // _MICROSECOND}"

    def delta(self, expected: str, actual: str) -> str:
        return _seconds(f"elapsed_us({actual}) - elapsed_us({expected})")

    def problems(self) -> list[str]:
        return _below_zero(self.tolerance)


def _seconds(microseconds: str) -> str:
    """As a double: made of a decimal, since 0.029 is none that a millionth of 29,000 comes to in doubles."""
    return f"as_double(exact_times(CAST({microseconds} AS DECIMAL(19, 0)), 0.000001))"


def _below_zero(tolerance: timedelta) -> list[str]:
    return [] if tolerance >= timedelta(0) else [f"tolerance={tolerance}: slack is a duration from 0"]
