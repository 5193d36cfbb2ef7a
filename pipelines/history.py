"""History: earlier states of the system of record as witnesses. Only the pairs in question are read from it.

A replica that shows what the system of record *was* is stale, not wrong. This stage says for which differences that is
proved, by which partition, and when the state that the replica still shows had ended. It judges nothing.
"""

from __future__ import annotations

from datetime import date

import pyarrow as pa

from pipelines import comparison, translation
from pipelines.declarations import Entity, Holder, Side
from pipelines.engine import Engine
from pipelines.expressions import literal, quote
from pipelines.rows import live, row_key
from pipelines.rules.rule import value_of


def witness(engine: Engine, entity: Entity, side: Side, partitions: list[str], *, into: str) -> None:
    """Find past states of the system of record `side` that the replica still shows.

    `partitions` are the keys in the relation `<side> history` (raw rows with `__partition`), oldest first, the present one
    last. Makes `into` (legacy_key, service_key, field, witness, moved_on, ended_us): the latest partition in which the
    field agreed with the replica of today, the first one after it, and when the state ended (microseconds since 1970).
    """
    keys = f"{side}_key"
    engine.materialise(f"{side} questions", _questions(side))
    past = f"{side} past"
    engine.materialise(
        past,
        f"SELECT h.* FROM {quote(f'{side} history')} AS h WHERE {row_key(_holder(entity, side))} IN (SELECT {keys} FROM {quote(f'{side} questions')})",
    )
    translated, service = _both_sides(engine, entity, side, past)
    agreed = f"{side} agreements"
    comparison.agreements(
        engine, entity, pairs=f"{side} questions", translated=translated, service=service, into=agreed
    )
    engine.register(f"{side} calendar", _calendar(partitions))
    engine.materialise(into, _witnesses(entity, side, agreed, past))


def nothing(engine: Engine, *, into: str) -> None:
    """Make `into` an empty relation of witnesses, for a side with no past to ask."""
    engine.register(into, _EMPTY)


_EMPTY = pa.schema([
    ("legacy_key", pa.string()), ("service_key", pa.string()), ("field", pa.string()), ("witness", pa.string()),
    ("moved_on", pa.string()), ("ended_us", pa.int64()),
]).empty_table()  # fmt: skip


def _questions(side: Side) -> str:
    return (
        "SELECT DISTINCT s.legacy_key, s.service_key, s.compared, s.link_primary FROM suspects AS s JOIN differences AS d "
        f"ON d.legacy_key = s.legacy_key AND d.service_key = s.service_key WHERE d.system_of_record = {literal(side)}"
    )


def _both_sides(engine: Engine, entity: Entity, side: Side, past: str) -> tuple[str, str]:
    """The relations to compare: the past of one side, the present of the other."""
    if side is Side.LEGACY:
        translation.translate(engine, entity, rows=past, into="translated past")
        return "translated past", "service rows"
    engine.view("service past rows", f"SELECT {row_key(entity.service)} AS service_key, p.* FROM {quote(past)} AS p WHERE {live(entity.service)}")
    return "translated", "service past rows"


def _calendar(partitions: list[str]) -> pa.Table:
    """Each partition with the next one, and its first instant."""
    starts = [
        int(date.fromisoformat(key).toordinal() - date(1970, 1, 1).toordinal()) * 86_400_000_000
        for key in partitions[1:]
    ]
    return pa.table(
        {"partition_key": partitions[:-1], "moved_on": partitions[1:], "start_us": pa.array(starts, pa.int64())}
    )


def _witnesses(entity: Entity, side: Side, agreed: str, past: str) -> str:
    """The latest agreeing partition of each difference; its state ended when the row changed after it, at the latest then."""
    holder = _holder(entity, side)
    changed = f"epoch_us({value_of(holder.changed_at)})" if holder.changed_at else "CAST(NULL AS BIGINT)"
    changes = f"SELECT {row_key(holder)} AS row_key, __partition, MAX({changed}) AS changed_us FROM {quote(past)} GROUP BY {row_key(holder)}, __partition"
    latest = (
        "SELECT a.legacy_key, a.service_key, a.field, MAX(a.partition_key) AS witness "
        f"FROM {quote(agreed)} AS a JOIN differences AS d ON d.legacy_key = a.legacy_key AND d.service_key = a.service_key "
        f"AND d.field = a.field WHERE d.system_of_record = {literal(side)} GROUP BY a.legacy_key, a.service_key, a.field"
    )
    return (
        f"SELECT l.legacy_key, l.service_key, l.field, l.witness, c.moved_on, "
        f"GREATEST(COALESCE(h.changed_us, c.start_us), c.start_us) AS ended_us FROM ({latest}) AS l "
        f"JOIN {quote(f'{side} calendar')} AS c ON c.partition_key = l.witness "
        f"LEFT JOIN ({changes}) AS h ON h.row_key = l.{side}_key AND h.__partition = c.moved_on"
    )


def _holder(entity: Entity, side: Side) -> Holder:
    return entity.legacy if side is Side.LEGACY else entity.service
