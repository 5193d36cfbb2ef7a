"""History: earlier states of the system of record as witnesses. Only the pairs in question are read from it.

A replica that shows what the system of record *was* is stale, not wrong. This stage says for which differences that is
proved, by which partition, and when the state that the replica still shows had ended. It judges nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import pyarrow as pa

from pipelines import comparison, translation
from pipelines.comparison import Relations
from pipelines.declarations import Entity, Holder, Side
from pipelines.engine import Engine
from pipelines.expressions import literal, quote
from pipelines.rows import live, row_key
from pipelines.rules.rule import value_of


def witness(engine: Engine, entity: Entity, side: Side, partitions: Mapping[str, datetime], *, into: str) -> None:
    """Find past states of the system of record `side` that the replica still shows.

    `partitions` are those in the relation `<side> history` (raw rows with `__partition`), each with the instant up to
    which it is complete, oldest first, the present one last. Makes `into` (legacy_key, service_key, field, witness,
    moved_on, ended_us): the latest partition in which the field agreed with the replica of today, the first one after
    it, and when the state ended (microseconds since 1970).
    """
    questions, past, agreed = f"{side} questions", f"{side} past", f"{side} agreements"
    engine.materialise(questions, _questions(side))
    engine.materialise(
        past,
        f"""
        SELECT h.* FROM {quote(f"{side} history")} AS h
        WHERE {row_key(_holder(entity, side))} IN (SELECT {side}_key FROM {quote(questions)})
        """,
    )
    comparison.agreements(engine, entity, _past_relations(engine, entity, side), into=agreed)
    engine.register(f"{side} calendar", _calendar(partitions))
    engine.materialise(into, _witnesses(entity, side))


def nothing(engine: Engine, *, into: str) -> None:
    """Make `into` an empty relation of witnesses, for a side with no past to ask."""
    engine.register(into, _EMPTY)


_EMPTY = pa.schema([
    ("legacy_key", pa.string()), ("service_key", pa.string()), ("field", pa.string()), ("witness", pa.string()),
    ("moved_on", pa.string()), ("ended_us", pa.int64()),
]).empty_table()  # fmt: skip


def _questions(side: Side) -> str:
    """The pairs with a difference in a field that this side is right about."""
    return f"""
        SELECT DISTINCT s.legacy_key, s.service_key, s.compared, s.link_primary
        FROM suspects AS s
        JOIN differences AS d ON d.legacy_key = s.legacy_key AND d.service_key = s.service_key
        WHERE d.system_of_record = {literal(side)}
    """


def _past_relations(engine: Engine, entity: Entity, side: Side) -> Relations:
    """What to compare: the past of one side with the present of the other."""
    past, pairs = quote(f"{side} past"), f"{side} questions"
    if side is Side.LEGACY:
        translation.translate(engine, entity, rows="legacy past", into="translated past")
        return Relations(pairs=pairs, translated="translated past")
    engine.view(
        "service past rows",
        f"SELECT {row_key(entity.service)} AS service_key, p.* FROM {past} AS p WHERE {live(entity.service)}",
    )
    return Relations(pairs=pairs, service="service past rows")


def _calendar(partitions: Mapping[str, datetime]) -> pa.Table:
    """Each partition but the last with the next one, and up to when itself is complete: its states ended later."""
    keys, instants = list(partitions), list(partitions.values())
    return pa.table(
        {
            "partition_key": keys[:-1],
            "moved_on": keys[1:],
            "complete_us": pa.array([int(instant.timestamp()) * 1_000_000 for instant in instants[:-1]], pa.int64()),
        }
    )


def _witnesses(entity: Entity, side: Side) -> str:
    """The latest agreeing partition of each difference.

    Its state ended when the row changed next, if the row says so; in any case not before that partition was complete.
    """
    holder = _holder(entity, side)
    changed = f"epoch_us({value_of(holder.changed_at)})" if holder.changed_at else "CAST(NULL AS BIGINT)"
    return f"""
        SELECT w.legacy_key, w.service_key, w.field, w.witness, c.moved_on,
            GREATEST(COALESCE(h.changed_us, c.complete_us), c.complete_us) AS ended_us
        FROM (
            SELECT a.legacy_key, a.service_key, a.field, MAX(a.partition_key) AS witness
            FROM {quote(f"{side} agreements")} AS a
            JOIN differences AS d
                ON d.legacy_key = a.legacy_key AND d.service_key = a.service_key AND d.field = a.field
            WHERE d.system_of_record = {literal(side)}
            GROUP BY a.legacy_key, a.service_key, a.field
        ) AS w
        JOIN {quote(f"{side} calendar")} AS c ON c.partition_key = w.witness
        LEFT JOIN (
            SELECT {row_key(holder)} AS row_key, __partition AS partition_key, MAX({changed}) AS changed_us
            FROM {quote(f"{side} past")}
            GROUP BY {row_key(holder)}, __partition
        ) AS h ON h.row_key = w.{side}_key AND h.partition_key = c.moved_on
    """


def _holder(entity: Entity, side: Side) -> Holder:
    return entity.legacy if side is Side.LEGACY else entity.service
