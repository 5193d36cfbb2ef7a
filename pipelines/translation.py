"""Translation, the anti-corruption layer: legacy rows in the service's language, with what failed and why.

Builds relations of canonical SQL from the entity's rules; nothing is read here. A row whose field cannot be translated
stays, with the reason in that field's `failure` column. Kinds of rules live in `rules`, comparing in `comparison`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import pyarrow as pa

from pipelines.declarations import Entity, Field, Reference
from pipelines.engine import Engine
from pipelines.expressions import literal, quote
from pipelines.rows import live, row_key
from pipelines.rules.rule import Rule
from pipelines.schemas import column, table_schema

UNTRANSLATABLE = table_schema(
    column("legacy_key", pa.string(), "Key of the legacy row, canonical text; missing when the row has none"),
    column("field", pa.string(), "Field that could not be translated"),
    column("raw", pa.string(), "Raw legacy value, or a JSON object of several"),
    column("rule", pa.string(), "Kind of rule that failed"),
    column("reason", pa.string(), "Why it failed"),
)

_FEW = 250_000  # rows: below, planning a long query takes longer than running it
_KEY = quote("__key")


def failure_column(field: Field) -> str:
    """The column that holds why a field could not be translated; missing when it could."""
    return quote(f"failure {field.name}")


def raw_column(column: str) -> str:
    """The column that holds a raw legacy value that fields are made from."""
    return quote(f"raw {column}")


def raw_columns(entity: Entity) -> list[str]:
    """The legacy columns that fields are made from and that none of them is, each once."""
    read = dict.fromkeys(column for field in entity.fields for column in field.rule.columns())
    carried = carriers(entity)
    return [column for column in read if column not in carried]


def carriers(entity: Entity) -> dict[str, Field]:
    """The legacy columns that a field is as they are, with that field."""
    return {column: field for field in entity.fields if (column := carried_by(field)) is not None}


def carried_by(field: Field) -> str | None:
    """The legacy column that a field is as it is, if there is one."""
    return next((column for column in field.rule.columns() if field.rule.value() == quote(column)), None)


def failed_rule_column(field: Field) -> str:
    """The column that holds which kind of rule failed."""
    return quote(f"failed rule {field.name}")


def references_of(entity: Entity) -> list[Reference]:
    """The references in an entity's rules, earlier ones included, each once."""
    found = (reference for field in entity.fields for rule in field.rules() for reference in rule.references())
    return list({reference.column: reference for reference in found if isinstance(reference, Reference)}.values())


def identity_relation(entity_path: str) -> str:
    """The name of the relation that resolves legacy keys of `context.entity` to service keys."""
    return f"identity of {entity_path}"


def raw_of(field: Field, held: Callable[[str], str] = quote) -> str:
    """Canonical SQL: the raw legacy values a field is made from, as text; a JSON object of several.

    They are read from raw rows, or wherever else each column is `held` (`raw_column`).
    """
    columns = field.rule.columns()
    if not columns:
        return "CAST(NULL AS VARCHAR)"
    if len(columns) == 1:
        return f"text_of({held(columns[0])})"
    members = [
        f"{literal(_json_name(column))} || COALESCE(json_text(text_of({held(column)})), 'null')" for column in columns
    ]
    return "'{' || " + " || ', ' || ".join(members) + " || '}'"


def translate(engine: Engine, entity: Entity, *, rows: str, into: str) -> None:
    """Make `into` of the legacy relation `rows`: its rows in the service's language.

    Columns: legacy_key, every field by name, `failure <field>` and `failed rule <field>` (missing when translated),
    `raw <column>` of every column that fields are made from, and any column of `rows` beginning with `__`. Needs the
    relation `identity_relation(...)` (legacy_key, service_key) of each entity referred to.
    """
    linked, made = f"{into} with references", f"{into} as made"
    engine.view(linked, _with_references(entity, rows))
    kept = [quote(name) for name in engine.types(rows) if name.startswith("__")]
    columns = [f"{_KEY} AS legacy_key", *kept, *(sql for field in entity.fields for sql in _columns(field))]
    columns += [f"{quote(column)} AS {raw_column(column)}" for column in raw_columns(entity)]
    # Planning these expressions anew for every reader costs more than keeping what they make of few rows.
    make = engine.view if engine.has_more(rows, than=_FEW) else engine.materialise
    judged = _made(entity.fields, linked, f"{row_key(entity.legacy)} AS {_KEY}")
    make(made, f"SELECT {', '.join(columns)} FROM ({judged}) AS judged")
    engine.view(into, f"SELECT m.*, {', '.join(_said_besides(entity))} FROM {quote(made)} AS m")


def said(field: Field, *, rows: str) -> str:
    """The query of what a field becomes, in raw rows that need no reference: its `value`, and whether it `failed`."""
    failed = f"{_failure_number(field)} IS NOT NULL AS failed"
    return f"SELECT {_value_column(field)} AS value, {failed} FROM ({_made([field], rows)}) AS judged"


def untranslatable(engine: Engine, entity: Entity, *, translated: str) -> str:
    """The query of all that could not be translated (UNTRANSLATABLE), linked or not, ordered by key and field."""
    fields, columns = [field for field in entity.fields if field.rule.failures()], ", ".join(UNTRANSLATABLE.names)
    if not fields:
        return f"SELECT {', '.join(f'CAST(NULL AS VARCHAR) AS {name}' for name in UNTRANSLATABLE.names)} WHERE FALSE"
    failed = " OR ".join(f"{failure_column(field)} IS NOT NULL" for field in fields)
    engine.materialise("failing rows", f"SELECT * FROM {quote(translated)} WHERE {failed}")
    cells = [
        f"""
        SELECT legacy_key, {literal(field.name)} AS field, {raw_of(field, raw_column)} AS raw,
            {failed_rule_column(field)} AS rule, {failure_column(field)} AS reason
        FROM "failing rows" WHERE {failure_column(field)} IS NOT NULL
        """
        for field in fields
    ]
    return f"SELECT {columns} FROM ({' UNION ALL '.join(cells)}) AS cells ORDER BY {columns}"


def version(entity: Entity) -> str:
    """What identifies this translation in code versions: declared version and everything the rules render."""
    said = ";".join(f"{field.name}={rendered(field.rule)}" for field in entity.fields)
    return f"{entity.translation_version}:{said}"


def rendered(rule: Rule) -> str:
    """All that a rule comes to: its value and when it has none, with what stands in code tables by now."""
    return repr((rule.value(), rule.failures()))


def _said_besides(entity: Entity) -> Iterator[str]:
    """What need not be kept: raw values that a field is, and the failures of rules that cannot fail."""
    yield from (f"m.{quote(field.name)} AS {raw_column(column)}" for column, field in carriers(entity).items())
    for field in entity.fields:
        if not field.rule.failures():
            yield f"CAST(NULL AS VARCHAR) AS {failure_column(field)}"
            yield f"CAST(NULL AS VARCHAR) AS {failed_rule_column(field)}"


def _with_references(entity: Entity, rows: str) -> str:
    selected, joins = ["l.*"], []
    for number, reference in enumerate(references_of(entity)):
        # Under names that no raw column has: a legacy system may call a column legacy_key.
        known = quote(identity_relation(reference.to))
        selected.append(f"r{number}.__to AS {quote(reference.column)}")
        joins.append(
            f"LEFT JOIN (SELECT legacy_key AS __from, part_of_key(service_key) AS __to FROM {known}) AS r{number} "
            f"ON r{number}.__from = {reference.key()}"
        )
    taking_part = f"(SELECT * FROM {quote(rows)} WHERE {live(entity.legacy)})"
    return f"SELECT {', '.join(selected)} FROM {taking_part} AS l {' '.join(joins)}"


def _made(fields: Iterable[Field], rows: str, *besides: str) -> str:
    """The query of rows with each field's value, the number (from 1) of the first of its failures, and what else.

    What several places read, such as the value in its own conditions of failure, is made once, in a select beneath.
    """
    values, failures, beneath = [], [], _Beneath()
    for field in fields:
        parts = beneath.columns(field.rule)
        values.append(f"{_read(field.rule.value(), parts)} AS {_value_column(field)}")
        failures.append(f"{_first_failure(field, parts)} AS {_failure_number(field)}")
    below = quote(rows)
    for layer in beneath.layers:
        made = ", ".join(f"{sql} AS {column}" for sql, column in layer.items())
        below = f"(SELECT below.*, {made} FROM {below} AS below)"
    valued = f"SELECT made.*, {', '.join([*besides, *values])} FROM {below} AS made"
    return f"SELECT valued.*, {', '.join(failures)} FROM ({valued}) AS valued"


class _Beneath:
    """Parts of rules as columns, in layers: a part that reads another one stands above it."""

    def __init__(self) -> None:
        self.layers: list[dict[str, str]] = []  # SQL -> column

    def columns(self, rule: Rule) -> dict[str, str]:
        """The column of each part of a rule, inner parts first."""
        known: dict[str, str] = {}
        for part in rule.reused():
            sql = _read(part, known)
            if not sql.startswith('"'):  # a column is there already
                known[part] = self._column(sql)
        return known

    def _column(self, sql: str) -> str:
        depth = max((n for n, layer in enumerate(self.layers, 1) if any(c in sql for c in layer.values())), default=0)
        if depth == len(self.layers):
            self.layers.append({})
        return self.layers[depth].setdefault(sql, quote(f"__part {depth} {len(self.layers[depth])}"))


def _read(sql: str, made: dict[str, str]) -> str:
    """An expression that reads what is made already: larger parts first, since they hold the smaller ones."""
    for part, name in reversed(made.items()):
        sql = sql.replace(part, name)
    return sql


def _value_column(field: Field) -> str:
    return quote(f"__value {field.name}")


def _failure_number(field: Field) -> str:
    return quote(f"__failure {field.name}")


def _first_failure(field: Field, parts: dict[str, str]) -> str:
    made = {**parts, field.rule.value(): _value_column(field)}
    whens = [
        f"WHEN {_read(failure.condition, made)} THEN {number}"
        for number, failure in enumerate(field.rule.failures(), start=1)
    ]
    return f"CASE {' '.join(whens)} END" if whens else "CAST(NULL AS INT)"


def _columns(field: Field) -> Iterable[str]:
    yield f"{_value_column(field)} AS {quote(field.name)}"
    if field.rule.failures():
        yield f"{_told(field, 'reason')} AS {failure_column(field)}"
        yield f"{_told(field, 'rule')} AS {failed_rule_column(field)}"


def _told(field: Field, what: str) -> str:
    """What the first failing rule says: its `reason`, or which kind of `rule` it is."""
    whens = " ".join(
        f"WHEN {number} THEN {literal(getattr(failure, what))}"
        for number, failure in enumerate(field.rule.failures(), start=1)
    )
    return f"CASE {_failure_number(field)} {whens} END"


def _json_name(column: str) -> str:
    return '"' + column.replace("\\", "\\\\").replace('"', '\\"') + '": '
