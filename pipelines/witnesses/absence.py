"""Absence: why a row has no counterpart: born lately, deleted lately, never told of, or back from the dead.

Reads which keys were linked before, where their rows were in earlier partitions, and what events say of their coming
and going. Which links cannot be used is `linkage`'s; counterparts that broke their contract are `rejections`'.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.causes import PROOFS, Deadline, cause, told
from pipelines.declarations import Entity, Holder, Side
from pipelines.engine import Engine
from pipelines.expressions import literal, quote, substituted
from pipelines.rows import row_key
from pipelines.rules.rule import value_of


def ask(engine: Engine, entity: Entity) -> None:
    """Make `absences`: findings about a row without counterpart, with the key that it was or is linked to, if any.

    Columns: legacy_key, service_key (as the finding has them), reason, side (of the row that is there), own_key,
    other_key, record (the side that is right about the row). Needs `linkage findings`, `known links` (legacy_key,
    service_key), `translated` and `service rows`.
    """
    engine.materialise("lonely rows", " UNION ALL ".join(_lonely(entity, side) for side in Side))
    engine.materialise(
        "absences",
        """
        SELECT f.legacy_key, f.service_key, f.reason, f.side, f.own_key, f.record,
            COALESCE(f.known_key, CASE f.side WHEN 'legacy' THEN l.service_key ELSE l.legacy_key END) AS other_key
        FROM "lonely rows" AS f
        LEFT JOIN (SELECT DISTINCT legacy_key, service_key FROM "known links") AS l
            ON CASE f.side WHEN 'legacy' THEN l.legacy_key ELSE l.service_key END = f.own_key
        """,
    )


def keys_of(side: Side) -> str:
    """The query of all keys of a side that `absences` are about (`row_key`)."""
    return f"SELECT CASE side WHEN {literal(side)} THEN own_key ELSE other_key END AS row_key FROM absences"


def prove(engine: Engine, entity: Entity, deadline: Deadline, *, since: str | None, into: str) -> None:
    """Make `into` (`causes.PROOFS`) what is proved of `absences`.

    `since` is the first partition from which the event log is there without a break, None where there is none. Needs
    `calendar`, `<side> presence` (`history`), `heard` (`testimony`), and the rows of both sides.
    """
    engine.materialise("comings and goings", _COMINGS_AND_GOINGS)
    if engine.is_empty("absences"):
        engine.register(into, PROOFS.empty_table())
        return
    engine.materialise("lives", " UNION ALL ".join(_lives(entity, side) for side in Side))
    engine.materialise(into, " UNION ALL ".join(_proofs(deadline, since)))


def _lonely(entity: Entity, side: Side) -> str:
    """Rows of a side without a counterpart. Who is right about a row may depend on the row."""
    row = {Side.LEGACY: "translated", Side.SERVICE: '"service rows"'}[side]
    fields = {field.name: f"r.{quote(field.name)}" for field in entity.fields}
    whens = " ".join(
        f"WHEN {substituted(part.when, fields)} THEN {literal(part.system_of_record)}" for part in entity.slices
    )
    record = literal(entity.system_of_record)
    return f"""
        SELECT f.legacy_key, f.service_key, f.reason, f.side, f.{side}_key AS own_key, f.{side.other}_key AS known_key,
            {f"CASE {whens} ELSE {record} END" if whens else record} AS record
        FROM "linkage findings" AS f
        {f"LEFT JOIN {row} AS r ON r.{side}_key = f.{side}_key" if whens else ""}
        WHERE f.side = {literal(side)} AND f.reason IN ('unmapped', 'counterpart_deleted')
    """


# By legacy key: when it last came into being and when it was last deleted, as events tell.
_COMINGS_AND_GOINGS = """
    SELECT legacy_key AS row_key, MAX(CASE WHEN effect = 'creates' THEN event_us END) AS born_us,
        MAX(CASE WHEN effect = 'states' THEN event_us END) AS stated_us,
        MAX(CASE WHEN effect = 'deletes' THEN event_us END) AS died_us
    FROM heard GROUP BY legacy_key
"""


def _lives(entity: Entity, side: Side) -> str:
    """What is known of the lives of a row of `side` and of its counterpart, each as of earlier partitions.

    `last_absent`: the latest earlier partition without the row; `last_there`: the latest one with its counterpart.
    """
    own, other = entity.holder(side), entity.holder(side.other)
    legacy_key = "a.own_key" if side is Side.LEGACY else "a.other_key"
    return f"""
        SELECT a.*, n.last_absent, n.absent_us, n.born_in, o.last_there, o.there_us, o.gone_in, o.is_there_now,
            COALESCE(e.born_us, CASE WHEN n.row_key IS NOT NULL OR b.row_key IS NULL THEN e.stated_us END) AS born_us,
            e.died_us, w.changed_us, x.changed_us AS other_changed_us
        FROM absences AS a
        LEFT JOIN ({_last_absent(side)}) AS n ON n.row_key = a.own_key
        LEFT JOIN ({_last_there(side.other)}) AS o ON o.row_key = a.other_key
        LEFT JOIN ({_been_there(side)}) AS b ON b.row_key = a.own_key
        LEFT JOIN "comings and goings" AS e ON e.row_key = {legacy_key}
        LEFT JOIN ({_clocks(side, own)}) AS w ON w.row_key = a.own_key
        LEFT JOIN ({_clocks(side.other, other)}) AS x ON x.row_key = a.other_key
        WHERE a.side = {literal(side)}
    """


def _last_absent(side: Side) -> str:
    return f"""
        SELECT a.own_key AS row_key, MAX(c.partition_key) AS last_absent, MAX(c.complete_us) AS absent_us,
            MAX(c.moved_on) AS born_in
        FROM (SELECT DISTINCT own_key FROM absences WHERE side = {literal(side)}) AS a
        JOIN calendar AS c ON c.side = {literal(side)}
        LEFT JOIN {quote(f"{side} presence")} AS p ON p.row_key = a.own_key AND p.partition_key = c.partition_key
        WHERE p.row_key IS NULL
        GROUP BY a.own_key
    """


def _been_there(side: Side) -> str:
    """Rows that were there in an earlier partition: what states one of them does not make it."""
    return f"""
        SELECT DISTINCT row_key FROM {quote(f"{side} presence")}
        WHERE partition_key IN (SELECT partition_key FROM calendar WHERE side = {literal(side)})
    """


def _last_there(side: Side) -> str:
    return f"""
        SELECT p.row_key, MAX(c.partition_key) AS last_there, MAX(c.complete_us) AS there_us,
            MAX(c.moved_on) AS gone_in,
            MAX(CASE WHEN c.partition_key IS NULL THEN 1 ELSE 0 END) = 1 AS is_there_now
        FROM {quote(f"{side} presence")} AS p
        LEFT JOIN calendar AS c ON c.side = {literal(side)} AND c.partition_key = p.partition_key
        GROUP BY p.row_key
    """


def _clocks(side: Side, holder: Holder) -> str:
    """When the rows in question were last written, deleted ones too."""
    changed = f"epoch_us({value_of(holder.changed_at)})" if holder.changed_at is not None else "CAST(NULL AS BIGINT)"
    return f"""
        SELECT {row_key(holder)} AS row_key, MAX({changed}) AS changed_us FROM {side}
        WHERE {row_key(holder)} IN ({keys_of(side)}) GROUP BY {row_key(holder)}
    """


def _proofs(deadline: Deadline, since: str | None) -> Iterator[str]:
    yield from _births(deadline, since)
    yield from _deaths(deadline, since)


def _births(deadline: Deadline, since: str | None) -> Iterator[str]:
    """A row that the system of record has got lately, and that the replica has never had, or has deleted itself."""
    due = "COALESCE(born_us, CASE WHEN changed_us > absent_us THEN changed_us END, absent_us)"
    born = "side = record AND (last_absent IS NOT NULL OR born_us IS NOT NULL)"
    new = f"{born} AND COALESCE(last_there <= last_absent, last_there IS NULL) AND NOT COALESCE(is_there_now, FALSE)"
    untold = f"born_us IS NULL AND born_in >= {literal(since)}" if since else "FALSE"
    late_and_untold = f"COALESCE({untold}, FALSE) AND NOT {deadline.allows(due)}"
    evidence = told({"created_us": "born_us"}, absent="last_absent", there="born_in")
    yield _proof(("missing_event", "row_never_arrived"), due, evidence, f"{new} AND {late_and_untold}")
    yield _proof(("stale_replica", "pending_row"), due, evidence, f"{new} AND NOT ({late_and_untold})")
    deleted = "side = record AND reason = 'counterpart_deleted'"
    yield _proof(("semantic_contradiction", "written_by_replica"), "CAST(NULL AS BIGINT)", "'{}'", deleted)


def _deaths(deadline: Deadline, since: str | None) -> Iterator[str]:
    """A row that the system of record has not got any more, and the replica still has, or has again."""
    flagged = "CASE WHEN reason = 'counterpart_deleted' OR NOT COALESCE(is_there_now, FALSE) THEN other_changed_us END"
    ended = f"COALESCE(died_us, {flagged}, there_us)"
    known = f"{ended} IS NOT NULL OR reason = 'counterpart_deleted'"
    gone = f"side <> record AND ({known}) AND NOT COALESCE(is_there_now, FALSE)"
    back = f"COALESCE(absent_us > {ended} AND (last_there IS NULL OR last_absent > last_there), FALSE)"
    seen = f"COALESCE(gone_in >= {literal(since)}, {ended} >= {_start_us(since)})" if since else "FALSE"
    late_and_untold = f"died_us IS NULL AND COALESCE({seen}, FALSE) AND NOT {deadline.allows(ended)}"
    evidence = told({"deleted_us": "died_us"}, other_key="other_key", there="last_there", gone="gone_in")
    again = told({"deleted_us": "died_us"}, other_key="other_key", gone="gone_in", absent="last_absent", back="born_in")
    yield _proof(("semantic_contradiction", "rebirth"), "CAST(NULL AS BIGINT)", again, f"{gone} AND {back}")
    yield _proof(
        ("missing_event", "deletion_without_event"), ended, evidence, f"{gone} AND NOT {back} AND {late_and_untold}"
    )
    yield _proof(
        ("stale_replica", "deletion_not_propagated"),
        ended,
        evidence,
        f"{gone} AND NOT {back} AND NOT ({late_and_untold})",
    )


def _proof(proved: tuple[str, str], ended: str, evidence: str, where: str) -> str:
    return f"""
        SELECT legacy_key, service_key, CAST(NULL AS VARCHAR) AS field, {cause(*proved)}, {ended} AS ended_us,
            {evidence} AS evidence
        FROM lives WHERE {where}
    """


def _start_us(partition: str) -> str:
    """When a partition begins (UTC)."""
    return f"epoch_us(CAST({literal(partition)} AS TIMESTAMP))"
