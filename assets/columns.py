"""Columns: what each column of an asset means and where it comes from, as the UI's column table.

The open-source UI draws no column lineage, so the origin stands in the description; `lineage` is the table of it.
"""

from collections.abc import Iterator, Mapping

import dagster as dg
import pyarrow as pa

from pipelines import classification, contract, drift, identity
from pipelines.declarations import Classification, Entity, Field, Holder, Side
from pipelines.lineage import origin
from pipelines.schemas import descriptions

_TABLES = {"identity_map": identity.SCHEMA, "discrepancies": classification.SCHEMA, "drift": drift.DRIFT_SCHEMA}


def of_stage(entity: Entity, stage: str) -> dg.TableSchema:
    """The columns of a stage's table."""
    if stage in list(Side):
        return dg.TableSchema(list(_of_side(entity, Side(stage))))
    return of_table(_TABLES[stage])


def of_table(schema: pa.Schema) -> dg.TableSchema:
    """The columns of one of our own tables."""
    meanings = descriptions(schema)
    return dg.TableSchema([_column(field, meanings.get(field.name, ""), {}) for field in schema])


def _of_side(entity: Entity, side: Side) -> Iterator[dg.TableColumn]:
    holder = entity.legacy if side is Side.LEGACY else entity.service
    meanings = contract.descriptions_of(holder.contract)
    roles = _legacy_roles(entity) if side is Side.LEGACY else _service_roles(entity)
    for field in contract.schema_of(holder.contract):
        parts = (meanings.get(field.name, ""), *_key_role(holder, field.name), *roles.get(field.name, ()))
        yield _column(field, "; ".join(filter(None, parts)), _tags(entity, side, field.name))


def _legacy_roles(entity: Entity) -> Mapping[str, tuple[str, ...]]:
    used: dict[str, tuple[str, ...]] = {name: (f"dropped: {reason}",) for name, reason in entity.dropped.items()}
    for field in entity.fields:
        for name in field.rule.columns():
            used[name] = (*used.get(name, ()), f"becomes {field.name}")
    return used


def _service_roles(entity: Entity) -> Mapping[str, tuple[str, ...]]:
    only = {name: (f"service only: {reason}",) for name, reason in entity.service_only.items()}
    return only | {field.name: (f"compared with what comes {origin(field)}",) for field in entity.fields}


def _key_role(holder: Holder, name: str) -> tuple[str, ...]:
    return ("part of the key" if len(holder.key) > 1 else "the key",) if name in holder.key else ()


def _tags(entity: Entity, side: Side, name: str) -> dict[str, str]:
    """How a column must be protected, and how much a discrepancy in it matters."""
    fields = [field for field in entity.fields if name in _columns_of(field, side)]
    personal = any(field.classification is Classification.PERSONAL for field in fields)
    tags = {str(field.criticality): "" for field in fields}
    return tags | ({str(Classification.PERSONAL): ""} if personal else {})


def _columns_of(field: Field, side: Side) -> tuple[str, ...]:
    return tuple(field.rule.columns()) if side is Side.LEGACY else (field.name,)


def _column(field: pa.Field, description: str, tags: Mapping[str, str]) -> dg.TableColumn:
    constraints = dg.TableColumnConstraints(nullable=field.nullable)
    return dg.TableColumn(field.name, str(field.type), description or None, constraints, tags)
