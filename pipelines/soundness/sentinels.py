"""Sentinels: values that are declared to say "missing" are values that a side can hold at all."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb

from pipelines.declarations import Field
from pipelines.errors import Problem
from pipelines.expressions import literal, quote
from pipelines.soundness.asking import Asking
from pipelines.soundness.spot import Spot


def sentinel_problems(asking: Asking, spot: Spot, field: Field, values: str) -> Iterator[Problem]:
    """Texts that no value of either side is ever shown as; `values` is a relation of both sides' types."""
    kinds = asking.types(values)
    for text in field.missing.sentinels:
        shown = [_shown(asking, text, column, values) for column in kinds]
        if text not in shown:
            told = next(filter(None, shown), None)
            hint = f'this value is shown as "{told}"' if told else "write it as the value is shown"
            message = f'"{text}" is no value of {" or ".join(dict.fromkeys(kinds.values()))} as it is shown'
            yield spot.problem(message, hint)


def _shown(asking: Asking, text: str, column: str, values: str) -> str | None:
    """How the value that a text stands for is shown in a column's type; None when there is no such value."""
    value = f"COALESCE(NULLIF({column}, {column}), {literal(text)})"
    try:
        return str(asking.engine.rows(f"SELECT text_of({value}) AS shown FROM {quote(values)}")[0]["shown"])
    except duckdb.Error:
        return None
