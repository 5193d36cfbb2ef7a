"""Retranslation: the translation as an oracle. What earlier versions of the rules would have made of the raw row.

A value that an earlier version of its rule explains was translated with it and never again. Read from the raw legacy
rows in question only; what the rules are is `declarations`', likenesses without a rule are `patterns`'.
"""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from pipelines import comparison, translation
from pipelines.causes import PROOFS, cause, told
from pipelines.comparison import Relations
from pipelines.declarations import Entity, Field, Side
from pipelines.engine import Engine
from pipelines.expressions import literal, quote
from pipelines.rows import row_key

_RULES = pa.schema([("field", pa.string()), ("version", pa.string()), ("rule", pa.string())])


def prove(engine: Engine, entity: Entity, *, into: str) -> None:
    """Make `into` (`causes.PROOFS`) the differences that an earlier translation version explains.

    Of several versions that do, the latest counts. Needs `legacy`, `service rows`, `suspects` and `differences`.
    """
    versions = sorted({version for field in entity.fields for version in field.earlier})
    if not versions:
        engine.register(into, PROOFS.empty_table())
        return
    key = row_key(entity.legacy)
    asked = f"SELECT l.* FROM legacy AS l WHERE {key} IN (SELECT legacy_key FROM suspects)"
    engine.materialise("suspected legacy rows", asked)
    for version in versions:
        _agreements(engine, entity, version)
    engine.register("earlier rules", _rules(entity))
    agreed = [f"SELECT * FROM {quote(_relation(version))}" for version in versions]
    engine.materialise(into, _proofs(" UNION ALL ".join(agreed)))


def _agreements(engine: Engine, entity: Entity, version: str) -> None:
    """The fields that would be equal had this version of their rules been in force, with the version."""
    fields = tuple(_as_of(field, version) for field in entity.fields if version in field.earlier)
    then = replace(entity, fields=fields)
    translated = f"translated by version {version}"
    translation.translate(engine, then, rows="suspected legacy rows", into=translated)
    engine.view(f"{translated}, marked", f"SELECT t.*, {literal(version)} AS __partition FROM {quote(translated)} AS t")
    relations = Relations(pairs="suspects", translated=f"{translated}, marked")
    comparison.agreements(engine, then, comparison.differing(engine, then), relations, into=_relation(version))


def _as_of(field: Field, version: str) -> Field:
    return replace(field, rule=field.earlier[version], earlier={})


def _relation(version: str) -> str:
    return f"agreements with version {version}"


def _rules(entity: Entity) -> pa.Table:
    rows = [
        {"field": field.name, "version": version, "rule": rule.label}
        for field in entity.fields
        for version, rule in field.earlier.items()
    ]
    return pa.Table.from_pylist(rows, _RULES)


def _proofs(agreements: str) -> str:
    """Only where legacy is right: what the service owns is not made by translating."""
    evidence = told(version="r.version", rule="r.rule")
    return f"""
        SELECT d.legacy_key, d.service_key, d.field, {cause("invalid_transformation", "older_translation")},
            CAST(NULL AS BIGINT) AS ended_us, {evidence} AS evidence
        FROM differences AS d
        JOIN (
            SELECT legacy_key, service_key, field, MAX(partition_key) AS version
            FROM ({agreements}) AS agreed GROUP BY legacy_key, service_key, field
        ) AS a ON a.legacy_key = d.legacy_key AND a.service_key = d.service_key AND a.field = d.field
        JOIN "earlier rules" AS r ON r.field = a.field AND r.version = a.version
        WHERE d.system_of_record = {literal(Side.LEGACY)}
    """
