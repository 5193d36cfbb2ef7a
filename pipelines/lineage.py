"""Lineage: what is declared, as tables: every field, and from which raw columns by which rules it is made.

Read from the declarations and the syntax trees of their rules, never typed by hand.
"""

from __future__ import annotations

import pyarrow as pa

from pipelines import contract
from pipelines.declarations import Context, Entity, Field
from pipelines.rules.rule import Rule
from pipelines.schemas import column, table_schema

FIELDS_SCHEMA = table_schema(
    column("context", pa.string(), "Bounded context"),
    column("entity", pa.string(), "Business entity"),
    column("field", pa.string(), "Declared field; for dropped columns the legacy column"),
    column("disposition", pa.string(), "translated, dropped (legacy only) or service_only"),
    column("description", pa.string(), "What the field means; for columns left out, why"),
    column("rule", pa.string(), "Kind of translation rule"),
    column("comparator", pa.string(), "Kind of comparator"),
    column("criticality", pa.string(), "critical, major or minor"),
    column("limit", pa.float64(), "Highest drift rate allowed"),
    column("impact", pa.string(), "What a discrepancy does to the business"),
    column("classification", pa.string(), "public, internal or personal"),
    column("system_of_record", pa.string(), "Side that is right, unless a slice says otherwise"),
    column("phase", pa.string(), "Where the migration of the entity stands"),
    column("owner", pa.string(), "Team that answers for the field"),
    column("contact", pa.string(), "How to reach it"),
    column("translation_version", pa.string(), "Declared version of the translation"),
)
LINEAGE_SCHEMA = table_schema(
    column("context", pa.string(), "Bounded context"),
    column("entity", pa.string(), "Business entity"),
    column("field", pa.string(), "Declared field"),
    column("legacy_column", pa.string(), "Raw legacy column the field is made from; missing for constants"),
    column("rule", pa.string(), "Rules applied, innermost first"),
    column("expression", pa.string(), "The whole rule as canonical SQL"),
    column("through", pa.string(), "Entity whose identity map is used; missing when none is"),
    column("translation_version", pa.string(), "Declared version of the translation"),
    column("legacy_contract_version", pa.string(), "Version of the legacy contract"),
    column("service_contract_version", pa.string(), "Version of the service contract"),
)


def fields(context: Context, entity: Entity) -> pa.Table:
    """Every declared field and every column left out on purpose (`FIELDS_SCHEMA`)."""
    common: dict[str, object] = {
        "context": context.name,
        "entity": entity.name,
        "phase": entity.phase.value,
        "translation_version": entity.translation_version,
    }
    left_out = [("dropped", entity.dropped), ("service_only", entity.service_only)]
    rows: list[dict[str, object]] = [common | _field(entity, field) for field in entity.fields]
    rows += [
        common | {"field": name, "disposition": disposition, "description": reason, "owner": entity.owner.team}
        for disposition, columns in left_out
        for name, reason in columns.items()
    ]
    return pa.Table.from_pylist(rows, FIELDS_SCHEMA)


def lineage(context: Context, entity: Entity) -> pa.Table:
    """Every field with each raw column it is made from (`LINEAGE_SCHEMA`)."""
    common = {
        "context": context.name,
        "entity": entity.name,
        "translation_version": entity.translation_version,
        "legacy_contract_version": contract.version_of(entity.legacy.contract),
        "service_contract_version": contract.version_of(entity.service.contract),
    }
    rows = [
        common | {"field": field.name, "legacy_column": name} | _made(field)
        for field in entity.fields
        for name in field.rule.columns() or (None,)
    ]
    return pa.Table.from_pylist(rows, LINEAGE_SCHEMA)


def origin(field: Field) -> str:
    """One line for people: from which raw columns, by which rules."""
    columns = ", ".join(field.rule.columns()) or "nothing"
    return f"from {columns} by {rule_path(field.rule)}"


def rule_path(rule: Rule) -> str:
    """The kinds of rules applied, innermost first."""
    return " > ".join(step.label for step in rule.steps())


def _field(entity: Entity, field: Field) -> dict[str, object]:
    owner, level = field.owner or entity.owner, field.service_level or entity.service_level
    return {
        "field": field.name,
        "disposition": "translated",
        "description": field.description or contract.descriptions_of(entity.service.contract).get(field.name),
        "rule": rule_path(field.rule),
        "comparator": type(field.compare).__name__.lower(),
        "criticality": field.criticality.value,
        "limit": level.limit,
        "impact": field.impact,
        "classification": field.classification.value,
        "system_of_record": (field.system_of_record or entity.system_of_record).value,
        "owner": owner.team,
        "contact": owner.contact,
    }


def _made(field: Field) -> dict[str, object]:
    through = [getattr(reference, "to", None) for reference in field.rule.references()]
    return {
        "rule": rule_path(field.rule),
        "expression": field.rule.value(),
        "through": ", ".join(filter(None, through)) or None,
    }
