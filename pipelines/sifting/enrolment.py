"""Enrolment: the rolls of both sides, to be held against each other value by value.

What rows are linked by stands there as it is where both sides hold the same kind of value; what they say, in the
service's language. `direct` joins the rolls, `abreast` walks along them; rolls that are hashed are `digests`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pyarrow as pa

from pipelines.declarations import Entity, Field, Holder, Side
from pipelines.engine import Engine
from pipelines.expressions import quote
from pipelines.rows import always_live, row_key
from pipelines.rules.rule import value_of
from pipelines.sameness import is_one_kind
from pipelines.sifting import roll, telling

IN_PART = "legacy roll in part"


def keyed(entity: Entity, side: Side) -> str:
    """Columns to add to a side's raw rows before they are joined: what they are linked by, and their own key."""
    holder = entity.holder(side)
    if not roll.is_natural(entity):
        return f"{row_key(holder)} AS __row_key"
    added = _business_key(entity, side) | {name: quote(column) for column, name in _own_key(holder).items()}
    return ", ".join(f"{sql} AS {quote(name)}" for name, sql in added.items())


def enrol(engine: Engine, entity: Entity) -> None:
    """Make `<side> roll` (see `roll.call`) of both sides, with `link`, in parts, and IN_PART of legacy.

    Parts are the same in rows that are linked, and missing where there is no link. IN_PART is without the fields that
    `telling` tells. Needs `legacy` and `service`, the raw rows with `__position` and what `keyed` adds; `legacy values`
    and `service values`, the live ones among them in the service's language; and `single links` (see `roll`) of an
    identity table.
    """
    certain = {side: _certain(engine, entity, side) for side in Side}
    for side in Side:
        engine.view(f"{side} roll", _roll(engine, entity, side, certain[side]))
    in_part = telling.without(engine, entity)
    engine.view(IN_PART, _roll(engine, in_part, Side.LEGACY, certain[Side.LEGACY]))


def link_names(entity: Entity) -> list[str]:
    """The columns of the rolls that are the parts of a link."""
    if not roll.is_natural(entity):
        return ["link"]
    return [_link_name(part) for part in _business_key(entity, Side.SERVICE)]


def plain_links(
    entity: Entity, schemas: Mapping[Side, pa.Schema], translated: Iterable[Field]
) -> dict[Side, dict[str, str]] | None:
    """The raw column of each part of the links, on both sides, where these columns say all that the rolls do.

    Then every row that has them all is live, none fails in a field that the rolls translate, and nothing else is known
    of its pair.
    """
    columns = {side: _own_links(entity, side) for side in Side}
    kinds = [[schemas[side].field(column).type for column in columns[side].values()] for side in Side]
    can_fail = any(field.rule.failures() for field in translated)
    varies = any(roll.varying(entity, side) or not always_live(entity.holder(side)) for side in Side)
    if not all(columns.values()) or can_fail or varies or kinds[0] != kinds[1]:
        return None
    return columns if all(pa.types.is_int64(kind) or pa.types.is_string(kind) for kind in kinds[0]) else None


def _own_links(entity: Entity, side: Side) -> dict[str, str]:
    """The raw column of each part of the links, where these are the row's own key; else none."""
    own = {quote(column): column for column in entity.holder(side).key}
    parts = _business_key(entity, side)
    return {_link_name(part): own[sql] for part, sql in parts.items()} if {*own} == {*parts.values()} else {}


def _roll(engine: Engine, entity: Entity, side: Side, certain: str) -> str:
    link = ", ".join(f"{sql} AS {quote(name)}" for name, sql in _links(engine, entity, side).items())
    fields = ", ".join(f"v.{quote(field.name)} AS {quote(roll.value_column(field.name))}" for field in entity.fields)
    entry = roll.Entry(link, certain, fields)
    return roll.call(entity, side, entry, rows=side, values=f"{side} values")


def _links(engine: Engine, entity: Entity, side: Side) -> dict[str, str]:
    """What rows are linked by, part by part: as it is where both sides hold the same kind of value, else as text."""
    if not roll.is_natural(entity):
        (link,) = link_names(entity)
        return {link: "k.service_key" if side is Side.LEGACY else "v.__row_key"}
    legacy, service = (engine.types(each) for each in Side)
    parts = {part: f"v.{quote(part)}" for part in _business_key(entity, side)}
    return {
        _link_name(part): value if is_one_kind(legacy[part], service[part]) else f"text_of({value})"
        for part, value in parts.items()
    }


def _certain(engine: Engine, entity: Entity, side: Side) -> str:
    """Condition: the row has a whole key, and nothing but what it is linked by can make its link doubtful."""
    if not roll.is_natural(entity):
        return "TRUE"  # linked by its own key, and a link is
    own, holder = _own_key(entity.holder(side)), entity.holder(side)
    certain = [f"v.{quote(name)} IS NOT NULL" for column, name in own.items() if column not in holder.nullable_key]
    if not set(_business_key(entity, side).values()) <= set(map(quote, own)):
        # Rows that share their own key may be linked by different business keys.
        certain += _alone(engine, side, list(map(quote, own.values())))
    return " AND ".join(certain) or "TRUE"


def _alone(engine: Engine, side: Side, own: list[str]) -> list[str]:
    """Condition: no other row of the side has the row's own key; none where that is so of all rows."""
    shared, key = f"{side} shared keys", ", ".join(own)
    engine.materialise(shared, f"SELECT {key} FROM {quote(side)} GROUP BY {key} HAVING COUNT(*) > 1")
    if engine.is_empty(shared):
        return []
    same = " AND ".join(f"d.{name} IS NOT DISTINCT FROM v.{name}" for name in own)
    return [f"NOT EXISTS (SELECT 1 FROM {quote(shared)} AS d WHERE {same})"]


def _business_key(entity: Entity, side: Side) -> dict[str, str]:
    """Column added -> canonical SQL, of each part of what rows are linked by."""
    return {f"__link {number}": value_of(rule) for number, rule in enumerate(entity.natural_key(side))}


def _link_name(part: str) -> str:
    return part.removeprefix("__")


def _own_key(holder: Holder) -> dict[str, str]:
    """Raw column -> column added, of each part of a row's own key."""
    return {column: f"__own {number}" for number, column in enumerate(holder.key)}
