"""History: earlier states of both sides as witnesses. Only the pairs in question are read from it.

A replica that shows what the system of record *was* is stale, not wrong; one that had the newer value already fell
back. This stage proves what of that snapshots can prove, and when the state that the replica still shows had ended. One
that had the right value, and shows what the system of record never said, was written by itself: that is `ownership`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from pipelines import comparison, picking, tombstones, translation
from pipelines.causes import PROOFS, Deadline, cause, told
from pipelines.comparison import Relations
from pipelines.declarations import Entity, Field, Holder, Side
from pipelines.engine import Engine
from pipelines.expressions import literal, quote
from pipelines.rows import live, row_key
from pipelines.rules.rule import value_of
from pipelines.witnesses import silence

AGREEMENTS = pa.schema([
    ("legacy_key", pa.string()), ("service_key", pa.string()), ("field", pa.string()), ("partition_key", pa.string()),
])  # fmt: skip
_CALENDAR = pa.schema([
    ("side", pa.string()), ("partition_key", pa.string()), ("moved_on", pa.string()), ("complete_us", pa.int64()),
])  # fmt: skip
_WITNESSES = pa.schema([
    ("legacy_key", pa.string()), ("service_key", pa.string()), ("field", pa.string()),
    ("system_of_record", pa.string()), ("witness", pa.string()), ("moved_on", pa.string()), ("ended_us", pa.int64()),
    ("caught_up", pa.string()), ("strayed", pa.string()), ("departed", pa.string()), ("returned", pa.string()),
])  # fmt: skip
_PRESENCE = pa.schema([("row_key", pa.string()), ("partition_key", pa.string())])
_CHANGES = pa.schema([("row_key", pa.string()), ("partition_key", pa.string()), ("changed_us", pa.int64())])


def recall(engine: Engine, entity: Entity, side: Side, *, asked: str, earlier: Mapping[str, Path]) -> None:
    """Find the past states of `side` that agree with what the other side shows now, for every difference.

    Reads the relation `<side> history` (raw rows, with their partition as `__partition`) and the `earlier` snapshots by
    partition, of both only the keys `asked` for (`row_key`). Without earlier ones nothing agrees. Makes
    `<side> agreements` and `<side> departures` (AGREEMENTS: where its own value was another one), `<side> changes`
    (row_key, partition_key, changed_us: when the row of a partition says it last changed), and what `look_back` and
    `silence.keep` make.
    """
    silence.keep(engine, entity, side, earlier)
    if earlier or tombstones.are_declared(entity.holder(side)) or not engine.is_empty(asked):
        look_back(engine, entity, side, asked=asked, earlier=earlier)
    else:
        engine.view(f"{side} past", f"SELECT * FROM {quote(f'{side} history')} WHERE FALSE")
        engine.register(f"{side} presence", _PRESENCE.empty_table())
    if not earlier:
        engine.register(f"{side} agreements", AGREEMENTS.empty_table())
        engine.register(f"{side} departures", AGREEMENTS.empty_table())
        engine.register(f"{side} changes", _CHANGES.empty_table())
        return
    fields, relations = comparison.differing(engine, entity), _past_relations(engine, entity, side)
    comparison.agreements(engine, entity, fields, relations, into=f"{side} agreements")
    _departures(engine, fields, side)
    engine.materialise(f"{side} changes", _changes(entity.holder(side), f"{side} past"))


def look_back(
    engine: Engine, entity: Entity, side: Side, *, asked: str, earlier: Mapping[str, Path] | None = None
) -> None:
    """Make `<side> past`, of `<side> history` and `earlier` snapshots the keys `asked` for, and `<side> presence`.

    `<side> presence` (row_key, partition_key) says where those keys had a live row. Needs what `tombstones.read` makes
    for all these partitions, where rows are deleted by events.
    """
    past, holder = f"{side} past", entity.holder(side)
    told = tombstones.are_declared(holder)
    picked = f"{past} as picked" if told else past
    picking.pick(engine, holder, rows=f"{side} history", asked=asked, into=picked, earlier=earlier)
    if told:
        tombstones.mark(engine, entity, side, rows=picked, into=past, partition="__partition")
    there = f"SELECT DISTINCT {row_key(holder)} AS row_key, __partition AS partition_key FROM {quote(past)}"
    engine.materialise(f"{side} presence", f"{there} WHERE {live(holder)}")


def prove(engine: Engine, partitions: Mapping[Side, Mapping[str, datetime]], deadline: Deadline, *, into: str) -> None:
    """Make `into` (`causes.PROOFS`) what the past proves of `differences`, and `witnesses` what it is proved by.

    `partitions` are those of each side's history with the instant up to which each is complete, oldest first, the
    present one last. `witnesses` has for each difference (legacy_key, service_key, field, system_of_record) the latest
    partition in which the system of record said what the replica says now (witness), the one after (moved_on) and when
    that state ended (ended_us); and the latest one in which the replica said what the system of record says now
    (caught_up), and the one after (strayed); and the latest one in which the replica said something else than now
    (departed), and the one after (returned). Needs what `recall` makes for both sides.
    """
    calendar = _calendar(partitions)
    engine.register("calendar", calendar)
    if not calendar.num_rows:
        engine.register("witnesses", _WITNESSES.empty_table())
        engine.register(into, PROOFS.empty_table())
        return
    engine.materialise("witnesses", _witnesses())
    engine.materialise(into, _proofs(deadline))


def _past_relations(engine: Engine, entity: Entity, side: Side) -> Relations:
    """What to compare: the past of one side with the present of the other."""
    past = quote(f"{side} past")
    if side is Side.LEGACY:
        translation.translate(engine, entity, rows="legacy past", into="translated past")
        return Relations(pairs="suspects", translated="translated past")
    engine.view(
        "service past rows",
        f"SELECT {row_key(entity.service)} AS service_key, p.* FROM {past} AS p WHERE {live(entity.service)}",
    )
    return Relations(pairs="suspects", service="service past rows")


def _departures(engine: Engine, fields: Sequence[Field], side: Side) -> None:
    """Where a side said something else than it says now, field by field that differs now."""
    then, now = _PAST_AND_PRESENT[side]
    columns = ", ".join(_departed(field, side) for field in fields)
    engine.materialise(
        f"{side} then and now",
        f"""
        SELECT p.legacy_key, p.service_key, h.__partition AS partition_key, {columns}
        FROM suspects AS p
        JOIN {quote(then)} AS h ON h.{side}_key = p.{side}_key
        JOIN {quote(now)} AS n ON n.{side}_key = p.{side}_key
        """,
    )
    found = [
        f"""
        SELECT legacy_key, service_key, {literal(field.name)} AS field, partition_key
        FROM {quote(f"{side} then and now")} AS t
        WHERE {quote(f"left {field.name}")} AND {comparison.differs(field, "t")}
        """
        for field in fields
    ]
    engine.materialise(f"{side} departures", " UNION ALL ".join(found))


_PAST_AND_PRESENT = {
    Side.LEGACY: ("translated past", "translated"),
    Side.SERVICE: ("service past rows", "service rows"),
}


def _departed(field: Field, side: Side) -> str:
    translated = f"h.{translation.failure_column(field)} IS NULL AND " if side is Side.LEGACY else ""
    same = comparison.agree(field, f"h.{quote(field.name)}", f"n.{quote(field.name)}")
    return f"{translated}NOT {same} AS {quote(f'left {field.name}')}"


def _changes(holder: Holder, past: str) -> str:
    changed = f"epoch_us({value_of(holder.changed_at)})" if holder.changed_at else "CAST(NULL AS BIGINT)"
    return f"""
        SELECT {row_key(holder)} AS row_key, __partition AS partition_key, MAX({changed}) AS changed_us
        FROM {quote(past)} GROUP BY {row_key(holder)}, __partition
    """


def _calendar(partitions: Mapping[Side, Mapping[str, datetime]]) -> pa.Table:
    """Each partition but the last with the next one, and up to when itself is complete: its states ended later."""
    rows = [
        {
            "side": str(side),
            "partition_key": key,
            "moved_on": following,
            "complete_us": int(end.timestamp()) * 1_000_000,
        }
        for side, instants in partitions.items()
        for (key, end), following in zip(instants.items(), list(instants)[1:], strict=False)
    ]
    return pa.Table.from_pylist(rows, _CALENDAR)


def _witnesses() -> str:
    """The latest agreeing partitions of each difference, of the system of record and of the replica.

    A state ended when the row changed next, if the row says so; in any case not before that partition was complete.
    """
    return f"""
        SELECT d.legacy_key, d.service_key, d.field, d.system_of_record, w.partition_key AS witness, c.moved_on,
            CASE WHEN w.partition_key IS NOT NULL
                THEN GREATEST(COALESCE(h.changed_us, c.complete_us), c.complete_us) END AS ended_us,
            r.partition_key AS caught_up, s.moved_on AS strayed, e.partition_key AS departed, b.moved_on AS returned
        FROM differences AS d
        LEFT JOIN ({_latest("agreements", replica=False)}) AS w
            ON w.legacy_key = d.legacy_key AND w.service_key = d.service_key AND w.field = d.field
                AND w.side = d.system_of_record
        LEFT JOIN calendar AS c ON c.partition_key = w.partition_key AND c.side = d.system_of_record
        LEFT JOIN ({_both_changes()}) AS h
            ON h.side = d.system_of_record AND h.partition_key = c.moved_on
                AND h.row_key = CASE d.system_of_record WHEN 'legacy' THEN d.legacy_key ELSE d.service_key END
        LEFT JOIN ({_latest("agreements", replica=True)}) AS r
            ON r.legacy_key = d.legacy_key AND r.service_key = d.service_key AND r.field = d.field
                AND r.side = d.system_of_record
        LEFT JOIN calendar AS s ON s.partition_key = r.partition_key AND s.side <> d.system_of_record
        LEFT JOIN ({_latest("departures", replica=True)}) AS e
            ON e.legacy_key = d.legacy_key AND e.service_key = d.service_key AND e.field = d.field
                AND e.side = d.system_of_record
        LEFT JOIN calendar AS b ON b.partition_key = e.partition_key AND b.side <> d.system_of_record
        WHERE w.partition_key IS NOT NULL OR r.partition_key IS NOT NULL
    """


def _latest(what: str, *, replica: bool) -> str:
    """The latest agreement or departure of each difference in one side's past; `side` is the system of record then."""
    found = [
        f"""
        SELECT legacy_key, service_key, field, MAX(partition_key) AS partition_key,
            {literal(side.other if replica else side)} AS side
        FROM {silence.told(side, what)}
        WHERE partition_key IN (SELECT partition_key FROM calendar WHERE side = {literal(side)})
        GROUP BY legacy_key, service_key, field
        """
        for side in Side
    ]
    return " UNION ALL ".join(found)


def _both_changes() -> str:
    return " UNION ALL ".join(
        f"SELECT {literal(side)} AS side, x.* FROM {quote(f'{side} changes')} AS x" for side in Side
    )


def _with_their_row(deadline: Deadline) -> str:
    """Fields that fell back with their row: they show what was right in the partition another field fell back to."""
    agreed = " UNION ALL ".join(
        f"SELECT {literal(side)} AS side, x.* FROM {silence.told(side, 'agreements')}" for side in Side
    )
    evidence = told(witness="r.witness", left="r.departed", fell_back="r.returned", with_field="r.field")
    return f"""
        SELECT f.legacy_key, f.service_key, f.field, {cause("out_of_order_update", "regressed_to_older_value")},
            f.ended_us, {evidence} AS evidence
        FROM witnesses AS f
        JOIN witnesses AS r ON r.legacy_key = f.legacy_key AND r.service_key = f.service_key
            AND r.system_of_record = f.system_of_record AND r.departed > r.witness
            AND NOT {deadline.allows("r.ended_us")}
        JOIN ({agreed}) AS a ON a.side = f.system_of_record AND a.legacy_key = f.legacy_key
            AND a.service_key = f.service_key AND a.field = f.field AND a.partition_key = r.witness
        WHERE f.witness IS NOT NULL AND NOT {deadline.allows("f.ended_us")}
            AND NOT COALESCE(f.departed > f.witness, FALSE)
    """


def _proofs(deadline: Deadline) -> str:
    """What witnesses prove.

    Fell back: the replica had left the state it shows now, after that had ended.
    """
    keys, within = "legacy_key, service_key, field", deadline.allows("ended_us")
    late = "witness IS NOT NULL AND NOT"
    stale = told(witness="witness", moved_on="moved_on")
    fallen = told(witness="witness", moved_on="moved_on", left="departed", fell_back="returned")
    return f"""
        SELECT {keys}, {cause("stale_replica", "behind_within_lag")}, ended_us, {stale} AS evidence
        FROM witnesses WHERE witness IS NOT NULL AND {within}
        UNION ALL
        SELECT {keys}, {cause("stale_replica", "behind_beyond_lag")}, ended_us, {stale} AS evidence
        FROM witnesses WHERE {late} {within}
        UNION ALL
        SELECT {keys}, {cause("out_of_order_update", "regressed_to_older_value")}, ended_us, {fallen} AS evidence
        FROM witnesses WHERE {late} {within} AND departed > witness
        UNION ALL
        {_with_their_row(deadline)}
    """
