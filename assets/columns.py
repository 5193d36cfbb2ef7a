"""Columns: what each column of an asset means and where it comes from, as the UI's column table.

The open-source UI draws no column lineage, so the origin stands in the description; `lineage` is the table of it.
"""

from collections.abc import Iterable, Mapping, Sequence

import dagster as dg
import pyarrow as pa

from pipelines import classification, contract, drift, events, identity, semantics
from pipelines.audit import figures
from pipelines.declarations import Classification, Entity, Field, Holder, Side
from pipelines.lineage import origin
from pipelines.schemas import descriptions

_TABLES = {
    "events": events.SCHEMA,
    "identity_map": identity.SCHEMA,
    "discrepancies": classification.SCHEMA,
    "semantic_rules": semantics.RESULTS,
    "drift": drift.DRIFT_SCHEMA,
    "audits": figures.SCHEMA,
}


def of_stage(entity: Entity, stage: str) -> dg.TableSchema:
    """The columns of a stage's table."""
    if stage in list(Side):
        return _of_side(entity, Side(stage))
    return of_table(_TABLES[stage])


def of_table(schema: pa.Schema) -> dg.TableSchema:
    """The columns of one of our own tables."""
    meanings = descriptions(schema)
    return dg.TableSchema([_column(field, meanings.get(field.name, ""), {}) for field in schema])


def _of_side(entity: Entity, side: Side) -> dg.TableSchema:
    holder = entity.holder(side)
    meanings = contract.descriptions_of(holder.contract)
    fields, reasons = _used(entity, side), _left_out(entity, side)
    shown = []
    for column in contract.schema_of(holder.contract):
        used = fields.get(column.name, [])
        said = [
            meanings.get(column.name),
            _key_role(holder, column.name),
            *_roles(side, used),
            reasons.get(column.name),
        ]
        shown.append(_column(column, "; ".join(filter(None, said)), _tags(used)))
    return dg.TableSchema(shown)


def _used(entity: Entity, side: Side) -> dict[str, list[Field]]:
    """The fields each column of a side takes part in."""
    found: dict[str, list[Field]] = {}
    for field in entity.fields:
        for name in field.rule.columns() if side is Side.LEGACY else (field.name,):
            found.setdefault(name, []).append(field)
    return found


def _left_out(entity: Entity, side: Side) -> dict[str, str]:
    label, reasons = ("dropped", entity.dropped) if side is Side.LEGACY else ("service only", entity.service_only)
    return {name: f"{label}: {reason}" for name, reason in reasons.items()}


def _roles(side: Side, fields: Iterable[Field]) -> list[str]:
    if side is Side.LEGACY:
        return [f"becomes {field.name}" for field in fields]
    return [f"compared with what comes {origin(field)}" for field in fields]


def _key_role(holder: Holder, name: str) -> str:
    if name not in holder.key:
        return ""
    return "part of the key" if len(holder.key) > 1 else "the key"


def _tags(fields: Sequence[Field]) -> dict[str, str]:
    """How a column must be protected, and how much a discrepancy in it matters."""
    personal = [Classification.PERSONAL] if any(f.classification is Classification.PERSONAL for f in fields) else []
    return {str(tag): "" for tag in (*(field.criticality for field in fields), *personal)}


def _column(field: pa.Field, description: str, tags: Mapping[str, str]) -> dg.TableColumn:
    constraints = dg.TableColumnConstraints(nullable=field.nullable)
    return dg.TableColumn(field.name, str(field.type), description or None, constraints, tags)
