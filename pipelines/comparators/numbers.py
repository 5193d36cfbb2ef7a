"""Comparing numbers: exact ones in decimal arithmetic, floating ones with NaN and infinity in view."""

from __future__ import annotations

from dataclasses import KW_ONLY
from decimal import Decimal

from pipelines.comparators.comparator import INTEGERS, Comparator
from pipelines.declared import declared

_MOST_DIGITS = 38  # of a decimal


@declared
class Amount(Comparator):
    """Integers and decimals of any scale, compared as they are: nothing passes through floating point.

    `absolute`: slack in the unit of the value. `relative`: slack as a share of the expected value. With both, one of
    them being kept is enough.
    """

    _: KW_ONLY
    absolute: Decimal = Decimal(0)
    relative: Decimal = Decimal(0)

    def accepts(self, kind: str) -> bool:
        return kind in INTEGERS or kind.startswith("DECIMAL")

    def equal(self, expected: str, actual: str) -> str:
        return f"exact_equal({expected}, {actual})"

    def within(self, expected: str, actual: str) -> str:
        distance, whole = f"exact_minus({actual}, {expected})", f"whole_minus({actual}, {expected})"
        found = []
        if self.absolute:
            # Of very large integers no decimal type holds the difference: then the difference of integers does.
            found += [f"exact_at_most(ABS({gap}), {self.absolute:f})" for gap in (distance, whole)]
        if self.relative:
            # Both times whole numbers, so that no more digits than the values have are needed behind the point.
            share, of = self.relative.as_integer_ratio()
            slack = f"exact_times(ABS(exact_minus({expected}, 0)), {share})"
            found.append(f"exact_at_most(exact_times(ABS({distance}), {of}), {slack})")
            if share <= of:
                found.append(f"whole_within({expected}, {actual}, {share}, {of})")
        return " OR ".join(found) or "FALSE"

    def delta(self, expected: str, actual: str) -> str:
        # Numbers whose difference has more than 38 digits are far apart: then the doubles' difference says it well.
        return (
            f"COALESCE(as_double(exact_minus({actual}, {expected})), as_double(whole_minus({actual}, {expected})), "
            f"as_double({actual}) - as_double({expected}))"
        )

    def problems(self) -> list[str]:
        slacks = {"absolute": self.absolute, "relative": self.relative}
        return [*_below_zero(**slacks), *_beyond_decimals(**slacks)]


@declared
class Floating(Comparator):
    """Floating-point numbers: NaN equals NaN and nothing else, 0.0 equals -0.0, nothing but itself is near infinity.

    `absolute`: slack in the unit of the value. `relative`: slack as a share of the expected value. `ulps`: slack as a
    number of steps from one representable number to the next. With several, the largest slack counts. `single`: both
    values are taken in single precision, as a side that holds 32 bits has them.
    """

    _: KW_ONLY
    absolute: float = 0.0
    relative: float = 0.0
    ulps: int = 0
    single: bool = False

    def accepts(self, kind: str) -> bool:
        return kind in {"DOUBLE", "FLOAT"}

    def canonical(self, value: str) -> str:
        return f"as_single({value})" if self.single else f"CAST({value} AS DOUBLE)"

    def equal(self, expected: str, actual: str) -> str:
        same = f"{expected} = {actual}"  # also where single precision has no such number
        return f"{same} OR {super().equal(expected, actual)}" if self.single else same

    def within(self, expected: str, actual: str) -> str:
        # Engines order NaN above every number, so that |NaN - x| <= slack holds, and with infinity * 0 also x <= slack:
        # both values must be finite. Nothing but itself is near infinity.
        wide = [f"CAST({value} AS DOUBLE)" for value in (expected, actual)]
        slack = f"GREATEST(as_double('{self.absolute!r}'), ABS({wide[0]}) * as_double('{self.relative!r}'))"
        finite = " AND ".join(f"ABS({value}) < as_double('inf')" for value in wide)
        near = f"ABS({wide[1]} - {wide[0]}) <= {slack}"
        if self.ulps:
            near = f"({near} OR floats_apart({self.canonical(expected)}, {self.canonical(actual)}) <= {self.ulps})"
        return f"{finite} AND {near}"

    def delta(self, expected: str, actual: str) -> str:
        wide = [f"CAST({value} AS DOUBLE)" for value in (expected, actual)]
        numbers = f"NOT is_not_a_number({wide[0]}) AND NOT is_not_a_number({wide[1]})"
        return f"CASE WHEN {numbers} THEN {wide[1]} - {wide[0]} END"

    def problems(self) -> list[str]:
        return _below_zero(absolute=self.absolute, relative=self.relative, ulps=self.ulps)


def _below_zero(**slacks: Decimal | float) -> list[str]:
    return [f"{name}={slack}: slack is a number from 0" for name, slack in slacks.items() if not slack >= 0]


def _beyond_decimals(**slacks: Decimal) -> list[str]:
    """Slacks that no decimal holds: as a number, or as the whole numbers that a share is made of."""
    kept = {name: max(*slack.as_integer_ratio()) <= 10**_MOST_DIGITS for name, slack in slacks.items()}
    return [
        f"{name}={slacks[name]}: slack is a number of at most {_MOST_DIGITS} digits"
        for name, is_kept in kept.items()
        if not is_kept
    ]
