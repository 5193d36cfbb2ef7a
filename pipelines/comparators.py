"""Comparators: what "equal" means for a field, each declared, none implicit.

A comparator renders canonical SQL over two values that are both there (`comparison` owns what a missing one means):
whether they are `equal`, whether they differ only `within` the declared tolerance, and by how much (`delta`, a DOUBLE
or nothing). Add a kind here; which rows are compared at all lives in `comparison`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import KW_ONLY
from datetime import timedelta
from decimal import Decimal

from pipelines.declared import declared
from pipelines.rules.text import normalised

INTEGERS = frozenset(
    {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"}
)


class Comparator(ABC):
    """What every kind of comparator answers."""

    @abstractmethod
    def accepts(self, kind: str) -> bool:
        """Whether it compares values of this engine type, such as DECIMAL(12,2)."""

    def canonical(self, value: str) -> str:
        """A value as it is compared."""
        return value

    def equal(self, expected: str, actual: str) -> str:
        """Condition: the two are the same."""
        return f"{self.canonical(expected)} = {self.canonical(actual)}"

    def within(self, expected: str, actual: str) -> str:  # noqa: ARG002 (part of the protocol)
        """Condition: the two differ, but by no more than the declared tolerance."""
        return "FALSE"

    def delta(self, expected: str, actual: str) -> str:  # noqa: ARG002 (part of the protocol)
        """By how much actual exceeds expected, as DOUBLE (seconds for times, days for dates)."""
        return "CAST(NULL AS DOUBLE)"


@declared
class Exact(Comparator):
    """Equal means equal to the last bit: integers, booleans, codes, keys, text; decimals by value (10.10 is 10.1)."""

    def accepts(self, kind: str) -> bool:
        return (
            kind in INTEGERS
            or kind in {"BOOLEAN", "VARCHAR", "DATE", "BLOB"}
            or kind.startswith(("DECIMAL", "TIMESTAMP"))
        )

    def equal(self, expected: str, actual: str) -> str:
        return f"exact_equal({expected}, {actual})"


@declared
class Text(Comparator):
    """Text, equal after the normalisations that are switched on."""

    _: KW_ONLY
    ignore_case: bool = False
    trim: bool = False
    inner_blanks: bool = False
    nfc: bool = False
    ignore_accents: bool = False
    ignore_leading_zeros: bool = False
    ignore_punctuation: bool = False

    def accepts(self, kind: str) -> bool:
        return kind == "VARCHAR"

    def canonical(self, value: str) -> str:
        return normalised(
            value,
            {
                "nfc": self.nfc,
                "strip_accents": self.ignore_accents,
                "keep_alphanumeric": self.ignore_punctuation,
                "squeeze_blanks": self.inner_blanks,
                "trim_blanks": self.trim,
                "strip_zeros": self.ignore_leading_zeros,
                "lower_text": self.ignore_case,
            },
        )


@declared
class Amount(Comparator):
    """Integers and decimals, compared as they are; slack is absolute and/or relative to expected, in decimal."""

    _: KW_ONLY
    absolute: Decimal = Decimal(0)
    relative: Decimal = Decimal(0)

    def accepts(self, kind: str) -> bool:
        return kind in INTEGERS or kind.startswith("DECIMAL")

    def equal(self, expected: str, actual: str) -> str:
        return f"exact_equal({expected}, {actual})"

    def within(self, expected: str, actual: str) -> str:
        slacks = [f"{self.absolute:f}"] if self.absolute else []
        slacks += [f"exact_times(ABS(exact_minus({expected}, 0)), {self.relative:f})"] if self.relative else []
        conditions = [f"exact_at_most(ABS(exact_minus({actual}, {expected})), {slack})" for slack in slacks]
        return " OR ".join(conditions) or "FALSE"

    def delta(self, expected: str, actual: str) -> str:
        # Numbers whose difference has more than 38 digits are far apart: then the doubles' difference says it well.
        return f"COALESCE(as_double(exact_minus({actual}, {expected})), as_double({actual}) - as_double({expected}))"


@declared
class Floating(Comparator):
    """Doubles: NaN equals NaN and nothing else, 0.0 equals -0.0; slack is absolute and/or relative to expected."""

    _: KW_ONLY
    absolute: float = 0.0
    relative: float = 0.0

    def accepts(self, kind: str) -> bool:
        return kind in {"DOUBLE", "FLOAT"}

    def within(self, expected: str, actual: str) -> str:
        # Engines order NaN above every number, so that |NaN - x| <= slack holds, and with infinity * 0 also x <= slack:
        # both values must be finite. Nothing but itself is near infinity.
        slack = f"GREATEST(as_double('{self.absolute!r}'), ABS({expected}) * as_double('{self.relative!r}'))"
        finite = " AND ".join(f"ABS({value}) < as_double('inf')" for value in (expected, actual))
        return f"{finite} AND ABS({actual} - {expected}) <= {slack}"

    def delta(self, expected: str, actual: str) -> str:
        numbers = f"NOT is_not_a_number({expected}) AND NOT is_not_a_number({actual})"
        return f"CASE WHEN {numbers} THEN {actual} - {expected} END"


@declared
class Day(Comparator):
    """Dates, with a tolerance in whole days."""

    _: KW_ONLY
    tolerance_days: int = 0

    def accepts(self, kind: str) -> bool:
        return kind == "DATE"

    def within(self, expected: str, actual: str) -> str:
        return f"ABS(epoch_days({actual}) - epoch_days({expected})) <= {self.tolerance_days}"

    def delta(self, expected: str, actual: str) -> str:
        return f"as_double(epoch_days({actual}) - epoch_days({expected}))"


@declared
class Instant(Comparator):
    """Points in time, whatever zone they are shown in: equal to the microsecond, or within a temporal tolerance."""

    _: KW_ONLY
    tolerance: timedelta = timedelta(0)

    def accepts(self, kind: str) -> bool:
        return kind.startswith("TIMESTAMP")

    def canonical(self, value: str) -> str:
        return f"epoch_us({value})"

    def within(self, expected: str, actual: str) -> str:
        slack = self.tolerance // timedelta(microseconds=1)
        return f"ABS(epoch_us({actual}) - epoch_us({expected})) <= {slack}"

    def delta(self, expected: str, actual: str) -> str:
        return f"as_double(epoch_us({actual}) - epoch_us({expected})) * as_double('1e-6')"
