"""How tables are described: Arrow schemas whose columns carry their description into Parquet, catalogue and UI."""

from __future__ import annotations

import pyarrow as pa


def column(name: str, kind: pa.DataType, description: str) -> pa.Field:
    """A column with its description."""
    return pa.field(name, kind, metadata={"description": description})


def table_schema(*columns: pa.Field) -> pa.Schema:
    """A table of such columns."""
    return pa.schema(list(columns))


def descriptions(schema: pa.Schema) -> dict[str, str]:
    """Column descriptions by name; columns without one are left out."""
    described = {field.name: (field.metadata or {}).get(b"description") for field in schema}
    return {name: text.decode() for name, text in described.items() if text}
