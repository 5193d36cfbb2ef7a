"""Keys as text: one canonical spelling for scoped, composite keys of any type.

`policy|000123|01` and `('policy', '000123|01')` must never be confused, so the separator and the escape character are
escaped inside the parts. A key with a missing part denotes nothing: it has no canonical text, only one to show to people.
"""

from __future__ import annotations

from pipelines.expressions import literal, quote

SEPARATOR = "|"
NO_VALUE = "\\N"  # how a missing part is shown


def key_text(parts: tuple[str, ...]) -> str:
    """Canonical SQL of a key's text from the canonical SQL of its parts' texts; NULL when any part is."""
    return _joined(tuple(_escaped(part) for part in parts))


def shown_key(parts: tuple[str, ...]) -> str:
    """As `key_text`, but a missing part shows as `\\N`, so that rows without a key can still be told apart."""
    return _joined(tuple(f"COALESCE({_escaped(part)}, {literal(NO_VALUE)})" for part in parts))


def column_texts(columns: tuple[str, ...]) -> tuple[str, ...]:
    """The texts of raw columns, as parts of a key."""
    return tuple(f"text_of({quote(column)})" for column in columns)


def _escaped(part: str) -> str:
    return f"REPLACE(REPLACE({part}, '\\', '\\\\'), {literal(SEPARATOR)}, {literal(chr(92) + SEPARATOR)})"


def _joined(parts: tuple[str, ...]) -> str:
    return f" || {literal(SEPARATOR)} || ".join(parts)
