"""Readings: JSON objects of texts, written and read: payloads of events, rows that were rejected."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from pipelines.expressions import literal

_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")
_READ = {
    "VARCHAR": "{}", "BOOLEAN": "CAST({} AS BOOLEAN)", "DATE": "to_date({})", "TIME": "to_time({})",
    "TIMESTAMP": "to_wall_time({})", "TIMESTAMP WITH TIME ZONE": "to_instant({})",
    "DOUBLE": "as_double({})", "FLOAT": "as_single(as_double({}))",
    "HUGEINT": "to_whole({})", "UBIGINT": "to_whole({})",
    **dict.fromkeys(("BIGINT", "INTEGER", "SMALLINT", "TINYINT"), "CAST(to_whole({}) AS BIGINT)"),
    **dict.fromkeys(("UINTEGER", "USMALLINT", "UTINYINT"), "CAST(to_whole({}) AS BIGINT)"),
}  # fmt: skip


def read_text(text: str, engine_type: str) -> str:
    """Canonical SQL of a text's value in an engine type; missing when it is none of that type. Nothing is rounded."""
    decimal = _DECIMAL.fullmatch(engine_type)
    return f"to_decimal({text}, {decimal[1]}, {decimal[2]})" if decimal else _READ.get(engine_type, "NULL").format(text)


def if_read(condition: str, text: str, value: str, engine_type: str) -> str:
    """Canonical SQL of a condition about the value that was read of a text: what cannot be read is not missing.

    It is false where the text is no value of that type, and unknown where no texts are read as such (lists, bytes).
    """
    otherwise = "FALSE" if engine_type in _READ or _DECIMAL.fullmatch(engine_type) else "NULL"
    return f"CASE WHEN {value} IS NULL AND NOT {text} IS NULL THEN {otherwise} ELSE {condition} END"


def member(document: str, name: str) -> str:
    """Canonical SQL of the text of a member of a JSON object; missing when it is, or when it is null."""
    return f"json_member({document}, {literal(name)})"


def written(members: Mapping[str, str]) -> str:
    """Canonical SQL of a JSON object of texts, each the canonical SQL of one; a missing one is null."""
    parts = [
        f"{literal(json.dumps(name, ensure_ascii=False) + ': ')} || COALESCE(json_text({text}), 'null')"
        for name, text in members.items()
    ]
    return "'{' || " + " || ', ' || ".join(parts) + " || '}'" if parts else "'{}'"
