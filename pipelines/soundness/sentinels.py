"""Sentinels: values that are declared to say "missing" are values that a side can hold at all."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb

from pipelines.declarations import Field
from pipelines.errors import Problem
from pipelines.expressions import literal, quote
from pipelines.rules import NullIf, Rule
from pipelines.rules.rule import value_of
from pipelines.soundness.asking import Asking, Expression
from pipelines.soundness.spot import Spot


def sentinel_problems(asking: Asking, spot: Spot, field: Field, values: str) -> Iterator[Problem]:
    """Texts that no value of either side is ever shown as; `values` is a relation of both sides' types."""
    kinds = asking.types(values)
    for text in field.missing.sentinels:
        shown = [_shown(asking, text, column, quote(values)) for column in kinds]
        yield from _never_shown(spot, text, shown, " or ".join(dict.fromkeys(kinds.values())))


def null_if_problems(asking: Asking, spot: Spot, rule: Rule, over: str, texts: tuple[str, ...]) -> Iterator[Problem]:
    """The same of texts that a `NullIf` inside a rule takes for missing: of "0" no amount 0.00 ever is.

    The rule is over the relation `over`, to which a run joins columns of `texts`.
    """
    for operand in (operand for operand in rule.inputs() if isinstance(operand, Rule)):
        yield from null_if_problems(asking, spot, operand, over, texts)
    if isinstance(rule, NullIf):
        value = Expression(value_of(rule.of), over, texts)
        for text in rule.sentinels:
            shown = _shown(asking, text, value.sql, value.source)
            yield from _never_shown(spot, text, [shown], asking.type_of(value))


def _never_shown(spot: Spot, text: str, shown: list[str | None], kinds: str) -> Iterator[Problem]:
    if text not in shown:
        told = next(filter(None, shown), None)
        hint = f'this value is shown as "{told}"' if told else "write it as the value is shown"
        yield spot.problem(f'"{text}" is no value of {kinds} as it is shown', hint)


def _shown(asking: Asking, text: str, value: str, source: str) -> str | None:
    """How the value that a text stands for is shown in the type of an expression; None when there is no such value."""
    of_type = f"COALESCE(NULLIF({value}, {value}), {literal(text)})"
    try:
        return str(asking.engine.rows(f"SELECT text_of({of_type}) AS shown FROM {source}")[0]["shown"])
    except duckdb.Error:
        return None
