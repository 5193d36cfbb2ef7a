"""Rules on numbers: text to numbers, units, scales and currencies. All exact: what would be rounded fails instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY
from decimal import Decimal
from typing import ClassVar

from pipelines.declared import declared
from pipelines.expressions import literal
from pipelines.rules.rule import Failure, Operand, Rule, text_of, value_of

_MOST_DIGITS = 38  # of a decimal


@declared
class Number(Rule):
    """Text as an exact number: BIGINT when scale is None, else DECIMAL(precision, scale). Nothing is rounded."""

    of: Operand
    _: KW_ONLY
    precision: int = 18
    scale: int | None = None

    reason: ClassVar[str] = "not_a_number"

    def value(self) -> str:
        if self.scale is None:
            return f"to_integer({text_of(self.of)})"
        return _with_whole_part(f"to_decimal({text_of(self.of)}, {self.precision}, {self.scale})", self)


@declared
class Scale(Rule):
    """A number times a constant (cents to euros: by="0.01") as DECIMAL(precision, scale); fails when it would round."""

    of: Operand
    by: Decimal
    _: KW_ONLY
    precision: int = 18
    scale: int = 2

    reason: ClassVar[str] = "does_not_fit"

    def value(self) -> str:
        scaled = f"scale_decimal({value_of(self.of)}, {_factor(self.by)}, {self.precision}, {self.scale})"
        return _with_whole_part(scaled, self)


@declared
class Currency(Rule):
    """An amount converted by a table of rates per currency code, rounded half away from zero to `scale` digits."""

    of: Operand
    currency: Operand
    rates: Mapping[str, Decimal]
    _: KW_ONLY
    precision: int = 18
    scale: int = 2

    reason: ClassVar[str] = "unknown_currency"

    def inputs(self) -> tuple[Operand, ...]:
        return (self.of, self.currency)

    def value(self) -> str:
        whens = " ".join(
            f"WHEN {literal(code)} "
            f"THEN round_decimal({value_of(self.of)}, {_factor(rate)}, {self.precision}, {self.scale})"
            for code, rate in self.rates.items()
        )
        return _with_whole_part(f"CASE {text_of(self.currency)} {whens} END", self)

    def own_failures(self) -> tuple[Failure, ...]:
        known = ", ".join(map(literal, self.rates))
        came_in = f"{value_of(self.of)} IS NOT NULL"
        return (
            Failure(f"{came_in} AND NOT {text_of(self.currency)} IN ({known})", self.reason),
            Failure(f"{came_in} AND {text_of(self.currency)} IS NOT NULL AND {self.value()} IS NULL", "does_not_fit"),
        )

    def problems(self) -> list[str]:
        return [] if self.rates else ["no rates given"]


def _with_whole_part(sql: str, rule: Number | Scale | Currency) -> str:
    """A decimal below one with room for the digit before the point, which it is written with; see `types`."""
    if rule.precision != rule.scale or rule.precision >= _MOST_DIGITS:
        return sql
    return f"CAST({sql} AS DECIMAL({rule.precision + 1}, {rule.scale}))"


def _factor(number: Decimal) -> str:
    """A constant to multiply by, of just the digits it has: integers times an integer would stay within 64 bits."""
    written = f"{number:f}"
    whole, _, fraction = written.lstrip("-").partition(".")
    return f"CAST({literal(written)} AS DECIMAL({len(whole) + len(fraction)}, {len(fraction)}))"
