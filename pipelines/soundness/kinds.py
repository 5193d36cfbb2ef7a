"""Kinds of engine types: which may meet in a comparison, and which rule leads from one kind to another."""

from __future__ import annotations

import re

from pipelines.comparators import INTEGERS

INSTANT = "TIMESTAMP WITH TIME ZONE"

_RULES = {
    ("text", "integer"): "Number(...) reads an integer from text",
    ("text", "decimal"): "Number(..., scale={scale}) reads a decimal from text",
    ("text", "date"): "LegacyDate(...) or ParsedDate(...) reads a date from text",
    ("text", "instant"): 'LocalTime(..., zone="...", format="...") reads an instant from text',
    ("text", "boolean"): 'Decode(..., {{"Y": True, "N": False}}) makes a boolean',
    ("integer", "text"): "Clean(...) makes text",
    ("integer", "decimal"): 'Scale(..., by="1", scale={scale}) makes a decimal (by="0.01" from cents)',
    ("integer", "date"): "LegacyDate(...) reads a date from digits",
    ("integer", "boolean"): 'Decode(..., {{"1": True, "0": False}}) makes a boolean',
    ("decimal", "text"): "Clean(...) makes text",
    ("wall time", "instant"): 'LocalTime(..., zone="...") makes an instant of wall time',
}


def family(kind: str) -> str | None:
    """Types of one family may meet; None is the type of NULL, which meets all."""
    if kind.endswith("[]"):
        return f"list of {family(kind[:-2])}"
    if kind in INTEGERS:
        return "integer"
    if kind.startswith("DECIMAL"):
        return "decimal"
    if kind.startswith("TIMESTAMP"):
        return "instant" if kind == INSTANT else "wall time"
    if kind.startswith("STRUCT"):
        return "struct"
    named = {
        "VARCHAR": "text",
        "DOUBLE": "float",
        "FLOAT": "float",
        "BOOLEAN": "boolean",
        "DATE": "date",
        "TIME": "time of day",
        "INTERVAL": "duration",
        "BLOB": "bytes",
        '"NULL"': None,
    }
    return named.get(kind, kind)


def scale_of(kind: str) -> int:
    """How many digits behind the point values of a type are written with; 0 for all but decimals."""
    digits = re.search(r",\s*(\d+)", kind) if family(kind) == "decimal" else None
    return int(digits[1]) if digits else 0


_OTHERWISE = "use a rule that makes {wanted}, or change the service contract"
# No rule makes lists or structs; as what a column is declared, its JSON is read.
_NESTED = "give the legacy column the service's type in its contract, or make both String: JSON is read either way"


def nearest_rule(made: str, wanted: str) -> str:
    """Which kind of rule helps when one type is made and another wanted."""
    nested = wanted.startswith("STRUCT") or wanted.endswith("]")
    hint = _RULES.get((family(made) or "", family(wanted) or ""), _NESTED if nested else _OTHERWISE)
    return hint.format(scale=scale_of(wanted), wanted=wanted)
