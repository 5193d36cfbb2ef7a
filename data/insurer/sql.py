"""Small builders of SQL text. Nothing of the insurer: what is drawn is in `chance`, what is shown in the entities."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_WORD = re.compile(r"[a-z_]\w*")


def text(value: str) -> str:
    """A text literal."""
    return "'" + value.replace("'", "''") + "'"


def when(condition: str, then: str, otherwise: str = "NULL") -> str:
    """One of two values."""
    return f"CASE WHEN {condition} THEN {then} ELSE {otherwise} END"


def decode(column: str, table: Mapping[str, str]) -> str:
    """A code looked up in a table; anything else is NULL."""
    whens = " ".join(f"WHEN {text(code)} THEN {text(meaning)}" for code, meaning in table.items())
    return f"CASE {column} {whens} END"


def encode(column: str, table: Mapping[str, str]) -> str:
    """The code that `table` decodes to the column's value: the inverse of `decode`, the last code wins."""
    return decode(column, {meaning: code for code, meaning in table.items()})


def select(columns: Mapping[str, str], source: str) -> str:
    """A query giving every expression its name."""
    return f"SELECT {', '.join(f'{sql} AS {name}' for name, sql in columns.items())} FROM {source}"


def adding(columns: Mapping[str, str], source: str) -> str:
    """The same, keeping what the source has; columns may use earlier ones.

    Columns that use others come in a query around theirs: the engine would copy the expression into each use otherwise.
    """
    layers: list[dict[str, str]] = []
    depth: dict[str, int] = {}
    for name, sql in columns.items():
        depth[name] = max((depth[word] + 1 for word in set(_WORD.findall(sql)) if word in depth), default=0)
        layers += [{}] if depth[name] == len(layers) else []
        layers[depth[name]][name] = sql
    for layer in layers:
        source = f"(SELECT *, {', '.join(f'{sql} AS {name}' for name, sql in layer.items())} FROM {source})"
    return f"SELECT * FROM {source}"


def listed(words: Iterable[str]) -> str:
    """Words as a list value."""
    return "[" + ", ".join(map(text, words)) + "]"


def yyyymmdd(date: str) -> str:
    """A date as the integer old systems write."""
    return f"(year({date}) * 10000 + month({date}) * 100 + day({date}))"


def yymmdd(date: str) -> str:
    """A date as six digits."""
    return f"strftime({date}, '%y%m%d')"


def cents(amount: str) -> str:
    """An amount as a whole number of hundredths."""
    return f"CAST({amount} * 100 AS BIGINT)"


def euros(hundredths: str, digits: int = 12) -> str:
    """A whole number of hundredths as an amount."""
    return f"CAST(({hundredths}) * 0.01 AS DECIMAL({digits}, 2))"
