"""Concentrations: where the findings of a case are, written to the lake: "98% of these are motor policies of region 7".

A case is what has the same field, type, reason and pattern in one partition. Says which columns may tell a segment: the
keys, and what the declared fields are made from and compared with, but nothing personal and nothing unclassified. What
a segment is, and when one is told, is `segments`'.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pyarrow as pa

from pipelines import comparison, contract, engine, plan, segments
from pipelines.declarations import Classification, Entity, Field, Side
from pipelines.engine import Engine
from pipelines.expressions import literal, quote
from pipelines.job import Job, content_version
from pipelines.lake import Manifest
from pipelines.rows import live, row_key
from pipelines.rules.rule import value_of
from pipelines.schemas import column, table_schema
from pipelines.segments import Feature, Segment

SCHEMA = table_schema(
    column("context", pa.string(), "Bounded context"),
    column("entity", pa.string(), "Business entity"),
    column("field", pa.string(), "Field of the case"),
    column("type", pa.string(), "Type of the case"),
    column("reason", pa.string(), "Reason of the case"),
    column("pattern", pa.string(), "Pattern of the case; missing when it shows none"),
    column("segment", pa.string(), "Where its discrepancies are: one or two conditions, as side.column = value"),
    column("conditions", pa.string(), "The same as JSON: side, column, operator, value"),
    column("findings", pa.int64(), "Discrepancies of the case"),
    column("inside", pa.int64(), "Those in the segment"),
    column("share", pa.float64(), "inside / findings"),
    column("pairs", pa.int64(), "All pairs whose values of this field are compared"),
    column("pairs_inside", pa.int64(), "Those in the segment"),
    column("lift", pa.float64(), "How many times denser the discrepancies are inside than among all pairs"),
    column("p_value", pa.float64(), "Highest probability that chance alone would show any such segment"),
    column("owner", pa.string(), "Team that answers for the field"),
    column("run_id", pa.string(), "Run that wrote this row"),
)
_PATTERN = "split_text(split_text(evidence, '\"pattern\": \"', 2), '\"', 1)"
_FIRST = 20_000  # rows that show whether a column has many values
_CASE = ("field", "type", "reason", "pattern")


def find(job: Job) -> dict[str, Manifest]:
    """Write `concentrations` (SCHEMA) of a judged job. Raises SourceError when its discrepancies are not there."""
    found = job.read("discrepancies")
    with engine.opened() as session, job.lake.transaction(job.run_id) as transaction:
        session.scan("findings", [job.lake.file(job.address("discrepancies"))])
        cases = _cases(session)
        rows = list(_explained(session, job, cases)) if cases else []
        written = transaction.write(
            job.address("concentrations"),
            pa.Table.from_pylist(rows, SCHEMA),
            code_version=content_version(job.comparison_version, job.level_version),
            inputs={str(job.address("discrepancies")): found.digest},
            volatile=("run_id",),
        )
    return {"concentrations": written}


def features(entity: Entity) -> Iterator[Feature]:
    """The columns that may tell a segment, the service's first: of two that say the same, its language is told."""
    schemas = {side: contract.schema_of(entity.holder(side).contract) for side in Side}
    for side in (Side.SERVICE, Side.LEGACY):
        holder = entity.holder(side)
        shown = [*holder.key, *(name for field in entity.fields for name in _columns(field, side)), *entity.segments]
        for name in dict.fromkeys(shown):
            if name in schemas[side].names and name not in _personal(entity, side):
                yield _feature(side, name, schemas[side].field(name).type)
        if holder.changed_at is not None:
            yield Feature(side, "changed", f"text_of(CAST({value_of(holder.changed_at)} AS DATE))", is_day=True)


def _feature(side: Side, name: str, kind: pa.DataType) -> Feature:
    of_time = pa.types.is_date(kind) or pa.types.is_timestamp(kind)
    sql = f"text_of(CAST({quote(name)} AS DATE))" if of_time else f"text_of({quote(name)})"
    return Feature(side, name, sql, is_day=of_time)


def _columns(field: Field, side: Side) -> tuple[str, ...]:
    return field.rule.columns() if side is Side.LEGACY else (field.name,)


def _personal(entity: Entity, side: Side) -> set[str]:
    """The columns of personal fields; what several fields read is personal when one of them is."""
    personal = [field for field in entity.fields if field.classification is Classification.PERSONAL]
    return {name for field in personal for name in _columns(field, side)}


def _cases(session: Engine) -> dict[str, dict[str, object]]:
    """Cases of values with enough findings, by a number as text; makes `numbered cases`."""
    told = f"legacy_key, service_key, field, type, reason, {_PATTERN} AS pattern, system_of_record"
    session.view("cased", f"SELECT {told} FROM findings")
    right = ", ".join(
        f"MAX(CASE WHEN system_of_record = {literal(side)} THEN 1 ELSE 0 END) AS {_right_somewhere(side)}"
        for side in Side
    )
    session.materialise(
        "numbered cases",
        f"""
        SELECT text_of(ROW_NUMBER() OVER (ORDER BY field, type, reason, pattern)) AS "case", c.*
        FROM (
            SELECT {", ".join(_CASE)}, COUNT(*) AS n, {right} FROM cased
            WHERE field IS NOT NULL GROUP BY {", ".join(_CASE)} HAVING COUNT(*) >= {segments.LEAST}
        ) AS c
        """,
    )
    return {str(row.pop("case")): row for row in session.rows('SELECT * FROM "numbered cases"')}


def _right_somewhere(side: Side) -> str:
    return f"{side}_is_right"


def _explained(session: Engine, job: Job, cases: dict[str, dict[str, object]]) -> Iterator[dict[str, object]]:
    entity = job.entity
    plan.link_rows(session, job)
    told = [feature for side in Side for feature in _promising(session, job, side)]
    among = _among(session, job, {str(about["field"]) for about in cases.values()})
    _units(session, told, among)
    same = " AND ".join(f"n.{name} IS NOT DISTINCT FROM f.{name}" for name in _CASE)
    session.materialise(
        "cases", f'SELECT DISTINCT n."case", {_unit("f")} AS unit FROM cased AS f JOIN "numbered cases" AS n ON {same}'
    )
    hidden = {case: _itself(entity, about) for case, about in cases.items()}
    compared = {case: among[name] for case, about in cases.items() if (name := str(about["field"])) in among}
    owners = {field.name: (field.owner or entity.owner).team for field in entity.fields}
    common = {"context": job.context.name, "entity": entity.name, "run_id": job.run_id}
    for case, segment in segments.explain(session, told, hidden, compared).items():
        about = {name: cases[case][name] for name in _CASE}
        yield common | about | _said(segment) | {"owner": owners[str(about["field"])]}


def _promising(session: Engine, job: Job, side: Side) -> Iterator[Feature]:
    """The features of a side but those whose first rows alone have too many values; makes `<side> features`."""
    told = [feature for feature in features(job.entity) if feature.side == side]
    holder = job.holder(side)
    columns = [f"{row_key(holder)} AS __key", *(f"{feature.sql} AS {quote(feature.name)}" for feature in told)]
    session.view(f"{side} features", f"SELECT {', '.join(columns)} FROM {side} WHERE {live(holder)}")
    counts = ", ".join(f"COUNT(DISTINCT {quote(feature.name)}) AS {quote(feature.name)}" for feature in told)
    first = f"(SELECT * FROM {quote(f'{side} features')} LIMIT {_FIRST}) AS first_rows"
    found = session.rows(f"SELECT {counts} FROM {first}")[0] if told else {}
    for feature in told:
        if feature.is_day or int(str(found[feature.name])) <= segments.MOST_VALUES:
            yield feature


def _among(session: Engine, job: Job, names: set[str]) -> dict[str, str]:
    """Of fields that leave pairs out, the column of `pairs looked at` that says of a pair whether it is compared.

    Makes `pairs looked at`, where there are such fields.
    """
    partial = [field for field in job.entity.fields if field.name in names and _leaves_pairs_out(field)]
    if not partial:
        return {}
    plan.translate_rows(session, replace(job, entity=replace(job.entity, fields=tuple(partial))))
    columns = {field.name: quote(f"compared {field.name}") for field in partial}
    judged = [
        f"{comparison.verdict_of(job.entity, field)} <> {comparison.Verdict.NOT_COMPARED:d} AS {columns[field.name]}"
        for field in partial
    ]
    joined = comparison.Relations().joined()
    session.materialise(
        "pairs looked at", f"SELECT p.legacy_key, p.service_key, {', '.join(judged)} FROM {joined} WHERE p.compared"
    )
    return columns


def _leaves_pairs_out(field: Field) -> bool:
    missing = (field.missing.legacy, field.missing.service)
    return field.compared_when is not None or any(means.leaves_out for means in missing)


def _units(session: Engine, told: list[Feature], among: Mapping[str, str]) -> None:
    """Make `units`: every pair that is compared, with the value of each feature, and what `among` names."""
    sides = [f"JOIN {quote(f'{side} features')} AS {side[0]} ON {side[0]}.__key = p.{side}_key" for side in Side]
    shown = "".join(f", {feature.side[0]}.{quote(feature.name)}" for feature in told)
    if among:
        sides.append(f'JOIN "pairs looked at" AS a ON {" AND ".join(f"a.{side}_key = p.{side}_key" for side in Side)}')
        shown += "".join(f", a.{column}" for column in among.values())
    session.materialise(
        "units", f"SELECT {_unit('p')} AS unit{shown} FROM pairs AS p {' '.join(sides)} WHERE p.compared"
    )


def _unit(alias: str) -> str:
    """Both keys as one text, the length of the first before it."""
    return f"text_of(LENGTH({alias}.legacy_key)) || ':' || {alias}.legacy_key || {alias}.service_key"


def _itself(entity: Entity, case: Mapping[str, object]) -> frozenset[str]:
    """What a replica shows of the case's field says nothing about where it is wrong; either may be one, by slices."""
    field = next(field for field in entity.fields if field.name == case["field"])
    replicas = [side.other for side in Side if case[_right_somewhere(side)]]
    return frozenset(f"{replica}.{column}" for replica in replicas for column in _columns(field, replica))


def _said(segment: Segment) -> dict[str, object]:
    conditions = []
    for one in segment.conditions:
        side, name = one.feature.split(".", 1)
        conditions.append({"side": side, "column": name, "operator": one.operator, "value": one.value})
    return {
        "segment": " and ".join(map(str, segment.conditions)),
        "conditions": json.dumps(conditions, ensure_ascii=False),
        "findings": segment.findings,
        "inside": segment.inside,
        "share": segment.inside / segment.findings,
        "pairs": segment.pairs,
        "pairs_inside": segment.pairs_inside,
        "lift": segment.lift,
        "p_value": segment.p_value,
    }
