"""Following: deletions that became something else on the other side than what is declared to follow from them.

A row that its own side deleted must be `gone` from the other side, or `flagged` there, where that is declared. Two
kinds are asked for: rows that are there and marked as deleted, whose links stand today, and rows that left nothing
(`erasures`). Within the lag that is allowed the other side may not be so far yet. Counterparts that are still alive are
`absence`'s.
"""

from __future__ import annotations

import pyarrow as pa

from pipelines.causes import Deadline, spelt, told
from pipelines.declarations import FLAGGED, GONE, Entity, Holder, Side, Tombstone
from pipelines.engine import Engine
from pipelines.expressions import literal, quote
from pipelines.rows import deleted, in_scope, live, row_key
from pipelines.rules.rule import value_of
from pipelines.witnesses import erasures

_FOLLOWED = pa.schema([
    *((name, pa.string()) for name in ("legacy_key", "service_key", "side", "type", "reason")),
    ("in_flight", pa.bool_()), ("lag_seconds", pa.int64()), ("evidence", pa.string()),
])  # fmt: skip


def ask(engine: Engine, entity: Entity) -> None:
    """Make `marked deletions` (side, legacy_key, service_key, became): links from a row that is marked as deleted.

    Only those that became something else than they must. Needs `judged links` (`linkage`), and `<side> rejected rows`
    (`rejections`).
    """
    found = [_marked(entity, side) for side in Side if entity.holder(side).deletion.becomes]
    engine.materialise("marked deletions", " UNION ALL ".join(found) or _NONE_MARKED)


def keys_of(entity: Entity, side: Side) -> str:
    """The query of all keys of a side that are asked about (`row_key`)."""
    marked = f'SELECT {side}_key AS row_key FROM "marked deletions"'
    if not any(erasures.are_sought(entity.holder(each)) for each in Side):
        return marked
    sharing = f"SELECT own_key AS row_key FROM sharers WHERE side = {literal(side)}"
    return f"{marked} UNION ALL SELECT {side}_key AS row_key FROM erasures UNION ALL {sharing}"


def judge(engine: Engine, entity: Entity, deadline: Deadline, *, on: str, into: str) -> None:
    """Make `into` (legacy_key, service_key, side, type, reason, in_flight, lag_seconds, evidence), one row per link.

    `side` is the one that had to follow. Needs what `ask` makes and, where they are sought, `erasures` and `sharers`;
    `<side> past` and `<side> presence` (`history`) of all their keys, `calendar`, `comings and goings` (`absence`),
    `<side> rejected rows`, `links now`, and `dead rows` (`tombstones`).
    """
    found = [_dated(entity, side, on) for side in Side if entity.holder(side).deletion.becomes]
    found += [_erased(entity, side, on) for side in Side if erasures.are_sought(entity.holder(side))]
    if not found:
        engine.register(into, _FOLLOWED.empty_table())
        return
    engine.materialise("deletions otherwise", " UNION ALL ".join(found))
    engine.materialise(into, _judged(entity, deadline))


def _marked(entity: Entity, side: Side) -> str:
    """A link that others of the same side share, who are still there, is theirs."""
    other, wanted = side.other, entity.holder(side).deletion.becomes
    otherwise = {
        GONE: f"{other}_state = 'deleted'",
        FLAGGED: f"{other}_state IS NULL AND NOT j.{other}_key IN ({_refused(entity, other)})",
    }
    shared = f"""
        EXISTS (SELECT 1 FROM "judged links" AS o WHERE o.{other}_key = j.{other}_key AND o.verdict = 'good'
            AND NOT o.is_merged AND o.{side}_state = 'live')
    """
    return f"""
        SELECT {literal(side)} AS side, legacy_key, service_key, {literal(_opposite(wanted))} AS became
        FROM "judged links" AS j
        WHERE verdict = 'good' AND NOT is_merged AND {side}_state = 'deleted' AND {otherwise[wanted]} AND NOT {shared}
    """


_NONE_MARKED = """
    SELECT CAST(NULL AS VARCHAR) AS side, legacy_key, service_key, CAST(NULL AS VARCHAR) AS became
    FROM "judged links" WHERE FALSE
"""


def _dated(entity: Entity, side: Side, on: str) -> str:
    """Marked deletions, with when the row was deleted: as an event tells, or the row itself, or since it was alive."""
    holder = entity.holder(side)
    changed = f"epoch_us({value_of(holder.changed_at)})" if holder.changed_at is not None else "CAST(NULL AS BIGINT)"
    written = f"""
        SELECT {row_key(holder)} AS row_key, MAX({changed}) AS changed_us FROM {quote(f"{side} past")}
        WHERE __partition = {literal(on)} GROUP BY {row_key(holder)}
    """
    return f"""
        SELECT m.side, m.legacy_key, m.service_key, m.became, CAST(NULL AS VARCHAR) AS there,
            {_later("COALESCE(d.died_us, w.changed_us)", "h.there_us")} AS ended_us
        FROM "marked deletions" AS m
        LEFT JOIN "comings and goings" AS d ON d.row_key = m.legacy_key
        LEFT JOIN ({written}) AS w ON w.row_key = m.{side}_key
        LEFT JOIN ({_last_there(side)}) AS h ON h.row_key = m.{side}_key
        WHERE m.side = {literal(side)}
    """


def _erased(entity: Entity, side: Side, on: str) -> str:
    """Erasures that are none to their side's knowing are left out: merged keys, rows refused, no tombstone told."""
    other, holder = side.other, entity.holder(side)
    there = f"SELECT {row_key(holder)} FROM {quote(f'{side} past')} WHERE __partition = {literal(on)}"
    by_event = f"""
        AND e.{side}_key IN (SELECT __dead_key FROM {quote(f"{side} dead rows")} WHERE __dead_in = {literal(on)})
    """
    became = f"""
        CASE WHEN o.row_key IS NULL AND NOT e.{other}_key IN ({_refused(entity, other)}) THEN '{GONE}'
            WHEN o.flagged = 1 AND o.lives = 0 THEN '{FLAGGED}' END
    """
    return f"""
        SELECT e.side, e.legacy_key, e.service_key, {became} AS became, COALESCE(h.last_held, e.told_there) AS there,
            {_later("d.died_us", "h.held_us")} AS ended_us
        FROM erasures AS e
        LEFT JOIN ({_last_held(holder, side)}) AS h ON h.row_key = e.{side}_key
        LEFT JOIN "comings and goings" AS d ON d.row_key = e.legacy_key
        LEFT JOIN ({_states(entity, other, on)}) AS o ON o.row_key = e.{other}_key
        WHERE e.side = {literal(side)} AND COALESCE(h.last_held, e.told_there) IS NOT NULL
            AND {became} = {literal(_opposite(holder.deletion.becomes))}
            AND NOT e.{side}_key IN ({there}) AND NOT e.{side}_key IN ({_refused(entity, side)})
            AND NOT e.legacy_key IN (SELECT legacy_key FROM "links now" WHERE is_merged)
            AND NOT EXISTS ({_still_shared(side, on)})
            {by_event if isinstance(holder.deletion, Tombstone) else ""}
    """


def _still_shared(side: Side, on: str) -> str:
    """Another row of the same side that has this counterpart too, and is alive, whether it is in question or not."""
    return f"""
        SELECT 1 FROM sharers AS s
        JOIN {quote(f"{side} presence")} AS p ON p.row_key = s.own_key AND p.partition_key = {literal(on)}
        WHERE s.side = e.side AND s.legacy_key = e.legacy_key AND s.service_key = e.service_key
    """


def _last_held(holder: Holder, side: Side) -> str:
    """In which earlier partition a row was last there, alive or not, and up to when that is complete."""
    return f"""
        SELECT p.row_key, MAX(c.partition_key) AS last_held, MAX(c.complete_us) AS held_us
        FROM (
            SELECT DISTINCT {row_key(holder)} AS row_key, __partition FROM {quote(f"{side} past")}
            WHERE {in_scope(holder)}
        ) AS p
        JOIN calendar AS c ON c.side = {literal(side)} AND c.partition_key = p.__partition
        GROUP BY p.row_key
    """


def _refused(entity: Entity, side: Side) -> str:
    key = row_key(entity.holder(side))
    return f"SELECT {key} AS row_key FROM {quote(f'{side} rejected rows')} WHERE NOT {key} IS NULL"


def _last_there(side: Side) -> str:
    """In which earlier partition a row was last alive, and up to when that is complete."""
    return f"""
        SELECT p.row_key, MAX(c.partition_key) AS last_there, MAX(c.complete_us) AS there_us
        FROM {quote(f"{side} presence")} AS p
        JOIN calendar AS c ON c.side = {literal(side)} AND c.partition_key = p.partition_key
        GROUP BY p.row_key
    """


def _states(entity: Entity, side: Side, on: str) -> str:
    """What the rows of each key are today: some alive, some there and deleted."""
    holder = entity.holder(side)
    return f"""
        SELECT {row_key(holder)} AS row_key, MAX(CASE WHEN {live(holder)} THEN 1 ELSE 0 END) AS lives,
            MAX(CASE WHEN {in_scope(holder)} AND {deleted(holder)} THEN 1 ELSE 0 END) AS flagged
        FROM {quote(f"{side} past")} WHERE __partition = {literal(on)} GROUP BY {row_key(holder)}
    """


def _judged(entity: Entity, deadline: Deadline) -> str:
    """Each link once: where neither side's deletion became what it must, that of the system of record counts."""
    early, evidence = deadline.allows("ended_us"), told(
        deleted_on="deleted_on", there="there", must_be="must_be", became="became", on="side"
    )  # fmt: skip
    causes = {
        early: spelt("stale_replica", "deletion_not_propagated"),
        f"NOT {early}": spelt("invalid_transformation", "deletion_became_otherwise"),
    }
    lag = f"CASE WHEN {early} THEN whole_seconds({deadline.lag('ended_us')}) END"
    return " UNION ALL ".join(
        f"""
        SELECT legacy_key, service_key, side, {named}, {early} AS in_flight, {lag} AS lag_seconds,
            {evidence} AS evidence
        FROM ({_once(entity)}) AS once WHERE {when}
        """
        for when, named in causes.items()
    )


def _once(entity: Entity) -> str:
    others = " ".join(f"WHEN {literal(side)} THEN {literal(side.other)}" for side in Side)
    return f"""
        SELECT legacy_key, service_key, side AS deleted_on, CASE side {others} END AS side, became, there, ended_us,
            CASE became WHEN '{GONE}' THEN '{FLAGGED}' ELSE '{GONE}' END AS must_be
        FROM (
            SELECT o.*, ROW_NUMBER() OVER (
                PARTITION BY legacy_key, service_key
                ORDER BY CASE side WHEN {literal(entity.system_of_record)} THEN 0 ELSE 1 END, side
            ) AS place
            FROM "deletions otherwise" AS o
        ) AS ranked
        WHERE place = 1
    """


def _later(told_us: str, seen_us: str) -> str:
    """When a row was deleted: not before it was last seen, whatever is told."""
    return f"CASE WHEN COALESCE({told_us} > {seen_us}, {seen_us} IS NULL) THEN {told_us} ELSE {seen_us} END"


def _opposite(wanted: str) -> str:
    return FLAGGED if wanted == GONE else GONE
