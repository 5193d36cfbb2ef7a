"""Keys as text: one canonical spelling for scoped, composite keys of any type.

`policy|000123|01` and `('policy', '000123|01')` must never be confused, so the separator and the escape character are
escaped inside the parts. A key with a missing part denotes nothing: it has no canonical text, only one to show to
people.
"""

from __future__ import annotations

from pipelines.expressions import literal, quote

SEPARATOR = "|"
NO_VALUE = "\\N"  # no escaped part can read like this


def key_text(parts: tuple[str, ...], may_miss: tuple[bool, ...] = ()) -> str:
    r"""Canonical SQL of a key's text from the canonical SQL of its parts' texts; NULL when a part is.

    Parts that `may_miss` are written `\N` when they do: being missing is one of their values.
    """
    allowed = may_miss or (False,) * len(parts)
    return _joined(tuple(_shown(part) if may else _escaped(part) for part, may in zip(parts, allowed, strict=True)))


def shown_key(parts: tuple[str, ...]) -> str:
    """As `key_text` with all parts allowed to miss, so that rows without a key can still be told apart."""
    return _joined(tuple(map(_shown, parts)))


def column_texts(columns: tuple[str, ...]) -> tuple[str, ...]:
    """The texts of raw columns, as parts of a key."""
    return tuple(f"text_of({quote(column)})" for column in columns)


def _escaped(part: str) -> str:
    return f"key_part({part})"


def _shown(part: str) -> str:
    return f"COALESCE({_escaped(part)}, {literal(NO_VALUE)})"


def _joined(parts: tuple[str, ...]) -> str:
    return f" || {literal(SEPARATOR)} || ".join(parts)
