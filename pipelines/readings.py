"""Readings: JSON objects of texts, written and read: payloads of events, rows that were rejected."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from pipelines.expressions import literal

_CANONICAL = {
    "VARCHAR": "VARCHAR", "BOOLEAN": "BOOLEAN", "DATE": "DATE", "TIMESTAMP": "TIMESTAMP",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMPTZ",
}  # fmt: skip


def read_text(text: str, engine_type: str) -> str:
    """Canonical SQL of a text's value in an engine type; missing when it is none of that type. Nothing is rounded."""
    decimal = re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", engine_type)
    if decimal:
        return f"to_decimal({text}, {decimal[1]}, {decimal[2]})"
    if engine_type in {"DOUBLE", "FLOAT"}:
        return f"as_double({text})"
    if engine_type in _CANONICAL:
        return text if engine_type == "VARCHAR" else f"CAST({text} AS {_CANONICAL[engine_type]})"
    return f"to_integer({text})" if "INT" in engine_type else "NULL"


def member(document: str, name: str) -> str:
    """Canonical SQL of the text of a member of a JSON object; missing when it is, or when it is null."""
    return f"json_member({document}, {literal(name)})"


def written(members: Mapping[str, str]) -> str:
    """Canonical SQL of a JSON object of texts, each the canonical SQL of one; a missing one is null."""
    parts = [
        f"{literal(json.dumps(name, ensure_ascii=False) + ': ')} || COALESCE(json_text({text}), 'null')"
        for name, text in members.items()
    ]
    return "'{' || " + " || ', ' || ".join(parts) + " || '}'"
