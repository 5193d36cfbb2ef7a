"""Testimony: what the event log says about differing values. Only events of the keys in question are read.

An event tells a value as of its number. What was told, in which order it was recorded, and what is missing in between
proves why a replica shows what it shows. Comes after `history`, whose witnesses say when a state ended where no event
does; rows without a counterpart are `absence`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from pipelines.causes import PROOFS, Deadline, cause, told
from pipelines.comparison import Verdict, agree, differing
from pipelines.declarations import Entity, EventLog, Field, Numbering, Side
from pipelines.engine import Engine
from pipelines.expressions import literal, quote
from pipelines.readings import if_read, member, read_text
from pipelines.rows import live, row_key
from pipelines.rules.rule import value_of

TELLS = "e.effect NOT IN ('deletes', 'notes')"  # what else is in such events says nothing of the row


@dataclass(frozen=True)
class Coverage:
    """What of the log is in view: without a break since which partition, and whether that is its very beginning."""

    since: str | None = None
    from_its_beginning: bool = False


def hear(engine: Engine, log: EventLog, coverage: Coverage, *, asked: str) -> None:
    """Make `heard` of the relation `event history` (`events.SCHEMA` and `__partition`): events of the keys `asked` for.

    `asked` is a relation of keys (`row_key`). Each event is heard once (a number twice is one event), with its place
    in the order of numbers (`place`) and of recording (`arrival`), per key, and how many numbers are missing before it.
    Makes `heard again` of numbers read before, and `log gaps` (partition_key, missing) where partitions are counted.
    """
    per_key = log.numbering is Numbering.PER_KEY
    number = "legacy_key, sequence" if per_key else "legacy_key, __partition, sequence"
    order = "sequence" if per_key else "__partition, sequence"
    engine.materialise(
        "all heard",
        f"""
        SELECT h.*, ROW_NUMBER() OVER (PARTITION BY {number} ORDER BY recorded_time, __partition, position) AS repeated,
            ROW_NUMBER() OVER (PARTITION BY {number} ORDER BY __partition, recorded_time, position) AS read_again
        FROM "event history" AS h WHERE h.legacy_key IN (SELECT k.row_key FROM {quote(asked)} AS k)
        """,
    )
    engine.view("heard again", 'SELECT * FROM "all heard" WHERE read_again > 1')
    engine.materialise(
        "heard",
        f"""
        SELECT o.*, {_missing(log, coverage) if per_key else "CAST(0 AS BIGINT)"} AS missing
        FROM (
            SELECT e.*, epoch_us(event_time) AS event_us, epoch_us(recorded_time) AS recorded_us,
                ROW_NUMBER() OVER (PARTITION BY legacy_key ORDER BY {order}) AS place,
                ROW_NUMBER() OVER (PARTITION BY legacy_key ORDER BY recorded_time, __partition, position) AS arrival,
                LAG(sequence) OVER (PARTITION BY legacy_key ORDER BY {order}) AS sequence_before,
                LAG(epoch_us(event_time)) OVER (PARTITION BY legacy_key ORDER BY {order}) AS before_us
            FROM "all heard" AS e
            WHERE repeated = 1
        ) AS o
        """,
    )
    engine.materialise("log gaps", _NO_GAPS if per_key else _log_gaps(log))


def _missing(log: EventLog, coverage: Coverage) -> str:
    """How many numbers are missing before an event; before the first one, if the log is there from its beginning."""
    older = log.older_rows_at
    first = "sequence - 1" if older is None else f"sequence - {older + 1}"
    known = coverage.from_its_beginning and older is not None
    before = f"CASE effect WHEN 'creates' THEN sequence - {log.first_number} ELSE {first} END" if known else "0"
    return f"CASE WHEN sequence_before IS NULL THEN {before} ELSE sequence - sequence_before - 1 END"


_NO_GAPS = "SELECT CAST(NULL AS VARCHAR) AS partition_key, CAST(NULL AS BIGINT) AS missing WHERE FALSE"


def _log_gaps(log: EventLog) -> str:
    """Numbers that are missing in a partition, those before its first event too."""
    before = f"COALESCE(LAG(sequence) OVER (PARTITION BY __partition ORDER BY sequence), {log.first_number - 1})"
    return f"""
        SELECT __partition AS partition_key, SUM(sequence - sequence_before - 1) AS missing
        FROM (
            SELECT __partition, sequence, {before} AS sequence_before
            FROM (SELECT DISTINCT __partition, sequence FROM "event history") AS numbers
        ) AS consecutive
        WHERE sequence > sequence_before + 1
        GROUP BY __partition
    """


def look(engine: Engine, entity: Entity) -> None:
    """Make `written rows` (legacy_key, service_key, legacy_us, service_us): when suspected rows were last written."""
    if entity.legacy.changed_at is None and entity.service.changed_at is None:
        engine.register("written rows", _NEVER_SAID)  # as good as rows of missing times: nobody asks for them otherwise
        return
    engine.materialise("written rows", _written_rows(entity))


_NEVER_SAID = pa.schema([
    ("legacy_key", pa.string()), ("service_key", pa.string()), ("legacy_us", pa.int64()), ("service_us", pa.int64()),
]).empty_table()  # fmt: skip


def deaf(engine: Engine) -> None:
    """Make `heard` and `sayings` empty, where there is no log."""
    engine.register("heard", _SILENCE)
    engine.view("sayings", "SELECT *, legacy_key AS service_key, legacy_key AS field, FALSE AS is_shown FROM heard")


_SILENCE = pa.schema([
    ("legacy_key", pa.string()), ("effect", pa.string()), ("event_us", pa.int64()), ("recorded_us", pa.int64()),
]).empty_table()  # fmt: skip


def prove(engine: Engine, entity: Entity, coverage: Coverage, deadline: Deadline, *, into: str) -> None:
    """Make `into` (`causes.PROOFS`) what events prove of `differences`; nothing where there is no log. Makes `sayings`.

    Needs `heard`, `log gaps`, `witnesses`, and the rows of both sides (`legacy`, `translated`, `service rows`).
    """
    if coverage.since is None:
        engine.register(into, PROOFS.empty_table())
        return
    fields = differing(engine, entity)
    engine.materialise("told values", _told_values(fields, engine.types("service rows")))
    engine.materialise("sayings", " UNION ALL ".join(_sayings(field) for field in fields))
    engine.materialise("accounts", _accounts(coverage.since, deadline))
    engine.materialise(into, _proofs(deadline))


def _told_values(fields: Sequence[Field], types: Mapping[str, str]) -> str:
    """Every event of a suspected pair with, for each field it tells, whether that is what either side says now."""
    columns = ", ".join(_told(field, types[field.name]) for field in fields)
    return f"""
        SELECT p.legacy_key, p.service_key, e.sequence, e.place, e.arrival, e.event_us, e.recorded_us,
            e.__partition AS partition_key, {columns}
        FROM suspects AS p
        JOIN heard AS e ON e.legacy_key = p.legacy_key
        JOIN translated AS t ON t.legacy_key = p.legacy_key
        JOIN "service rows" AS s ON s.service_key = p.service_key
    """


def _told(field: Field, engine_type: str) -> str:
    text, name = member("e.payload", field.name), literal(field.name)
    value = read_text(text, engine_type)
    legacy = if_read(agree(field, f"t.{quote(field.name)}", value), text, value, engine_type)
    service = if_read(agree(field, value, f"s.{quote(field.name)}"), text, value, engine_type)
    return (
        f"{TELLS} AND json_has(e.payload, {name}) AS {quote('tells ' + field.name)}, "
        f"{legacy} AS {quote('legacy ' + field.name)}, {service} AS {quote('service ' + field.name)}"
    )


def _sayings(field: Field) -> str:
    """What events tell of one differing field: is it what is right now, is it what the replica shows."""
    own = {side: quote(f"{side} {field.name}") for side in Side}
    return f"""
        SELECT v.legacy_key, v.service_key, d.field, v.sequence, v.place, v.arrival, v.event_us, v.recorded_us,
            v.partition_key, CASE d.system_of_record WHEN '{Side.LEGACY}' THEN {own[Side.LEGACY]}
                ELSE {own[Side.SERVICE]} END AS is_right,
            CASE d.system_of_record WHEN '{Side.LEGACY}' THEN {own[Side.SERVICE]}
                ELSE {own[Side.LEGACY]} END AS is_shown
        FROM "told values" AS v
        JOIN differences AS d ON d.legacy_key = v.legacy_key AND d.service_key = v.service_key
            AND d.field = {literal(field.name)}
        WHERE {quote("tells " + field.name)} AND d.verdict <> {Verdict.UNTRANSLATABLE:d}
    """


def _written_rows(entity: Entity) -> str:
    """When both rows of a suspected pair say they were last written."""
    legacy, service = (
        f"epoch_us({value_of(holder.changed_at)})" if holder.changed_at is not None else "CAST(NULL AS BIGINT)"
        for holder in (entity.legacy, entity.service)
    )
    return f"""
        SELECT p.legacy_key, p.service_key, l.changed_us AS legacy_us, s.changed_us AS service_us
        FROM suspects AS p
        JOIN (SELECT {row_key(entity.legacy)} AS row_key, {legacy} AS changed_us FROM legacy
            WHERE {live(entity.legacy)}) AS l ON l.row_key = p.legacy_key
        JOIN (SELECT service_key, {service} AS changed_us FROM "service rows") AS s ON s.service_key = p.service_key
    """


def _accounts(since: str, deadline: Deadline) -> str:
    """For each difference what the log told of it last, what of that the replica shows, and what history knows.

    `told_right`: the last event tells what is right, and came, or happened, since the replica's state ended: it may
    have been recorded ahead. `untold`: the log is there for all the time since, tells nothing of it, and nothing that
    cannot be read. A replica that shows what happened after the watermark is ahead: nothing need be told of that.
    """
    written = {"right_us": ("legacy_us", "service_us"), "replica_us": ("service_us", "legacy_us")}
    clocks = ", ".join(
        f"CASE d.system_of_record WHEN '{Side.LEGACY}' THEN r.{legacy} ELSE r.{service} END AS {name}"
        for name, (legacy, service) in written.items()
    )
    told_right = """COALESCE(a.right_place = a.last_place, FALSE)
        AND COALESCE(a.right_partition >= w.moved_on OR a.told_us > c.complete_us OR w.moved_on IS NULL, FALSE)"""
    lately = f"a.shown_place = a.last_place AND a.shown_us <= {deadline.complete_us}"
    last_shown = f"CASE WHEN {lately} THEN a.shown_partition END"
    known = f"COALESCE(w.moved_on, {last_shown}) >= {literal(since)}"
    all_read = "COALESCE(a.unread_us <= COALESCE(c.complete_us, a.shown_us), a.unread_us IS NULL)"
    return f"""
        SELECT d.legacy_key, d.service_key, d.field, w.witness, w.moved_on, {clocks}, a.*,
            c.complete_us, m.complete_us AS moved_us, {told_right} AS told_right,
            NOT ({told_right}) AND COALESCE({known}, FALSE) AND NOT COALESCE(w.departed > w.witness, FALSE)
                AND {all_read} AS untold,
            w.ended_us
        FROM differences AS d
        LEFT JOIN witnesses AS w
            ON w.legacy_key = d.legacy_key AND w.service_key = d.service_key AND w.field = d.field
        LEFT JOIN calendar AS c ON c.side = d.system_of_record AND c.partition_key = w.witness
        LEFT JOIN calendar AS m ON m.side = d.system_of_record AND m.partition_key = w.moved_on
        LEFT JOIN "written rows" AS r ON r.legacy_key = d.legacy_key AND r.service_key = d.service_key
        LEFT JOIN ({_LAST_TOLD}) AS a
            ON a.about_legacy = d.legacy_key AND a.about_service = d.service_key AND a.about = d.field
        WHERE d.verdict <> {Verdict.UNTRANSLATABLE:d}
    """


_PLACES = """
    SELECT legacy_key, service_key, field, MAX(place) AS last_place, MAX(place) FILTER (WHERE is_right) AS right_place,
        MAX(place) FILTER (WHERE is_shown) AS shown_place, MAX(place) FILTER (WHERE NOT is_right) AS wrong_place
    FROM sayings GROUP BY legacy_key, service_key, field
"""
# `started_us`: since when events tell another value than the replica shows; else since when they tell the right one.
_LAST_TOLD = f"""
    SELECT p.legacy_key AS about_legacy, p.service_key AS about_service, p.field AS about, p.last_place, p.right_place,
        p.shown_place,
        MIN(CASE WHEN s.place > COALESCE(p.shown_place, p.wrong_place, 0) THEN s.event_us END) AS started_us,
        MAX(CASE WHEN s.place = p.right_place THEN s.sequence END) AS right_sequence,
        MAX(CASE WHEN s.place = p.right_place THEN s.arrival END) AS right_arrival,
        MAX(CASE WHEN s.place = p.right_place THEN s.partition_key END) AS right_partition,
        MAX(CASE WHEN s.place = p.right_place THEN s.event_us END) AS told_us,
        MAX(CASE WHEN s.place = p.shown_place THEN s.sequence END) AS shown_sequence,
        MAX(CASE WHEN s.place = p.shown_place THEN s.arrival END) AS shown_arrival,
        MAX(CASE WHEN s.place = p.shown_place THEN s.event_us END) AS shown_us,
        MAX(CASE WHEN s.place = p.shown_place THEN s.partition_key END) AS shown_partition,
        MAX(CASE WHEN s.is_right IS NULL THEN s.event_us END) AS unread_us
    FROM ({_PLACES}) AS p
    JOIN sayings AS s ON s.legacy_key = p.legacy_key AND s.service_key = p.service_key AND s.field = p.field
    GROUP BY p.legacy_key, p.service_key, p.field, p.last_place, p.right_place, p.shown_place
"""


def _proofs(deadline: Deadline) -> str:
    """Told and late, told in the wrong order, or not told at all: then since the last event, if no row says later."""
    keys, late = "a.legacy_key, a.service_key, a.field", f"NOT {deadline.allows('started_us')}"
    both_told = told({"event": "right_sequence", "shows_event": "shown_sequence"})
    newer = told({"newer_event": "right_sequence", "older_event": "shown_sequence"})
    without_effect = told({"event_without_effect": "right_sequence"})
    unheard_since = "COALESCE(ended_us, right_us, shown_us)"
    untold = f"untold AND {unheard_since} IS NOT NULL AND NOT {deadline.allows(unheard_since)}"
    gap = told({"missing": "g.missing", "before_event": "g.sequence"}, witness="witness", moved_on="moved_on")
    silent = told({"shows_event": "shown_sequence"}, witness="witness", moved_on="moved_on")
    return f"""
        SELECT {keys}, {cause("stale_replica", "behind_within_lag")}, started_us AS ended_us, {both_told} AS evidence
        FROM accounts AS a WHERE told_right AND {deadline.allows("started_us")}
        UNION ALL
        SELECT {keys}, {cause("out_of_order_update", "older_event_applied_last")}, started_us AS ended_us,
            {newer} AS evidence
        FROM accounts AS a WHERE told_right AND {late} AND shown_arrival > right_arrival
        UNION ALL
        SELECT {keys}, {cause("stale_replica", "behind_beyond_lag")}, started_us AS ended_us, {both_told} AS evidence
        FROM accounts AS a WHERE told_right AND {late} AND shown_arrival < right_arrival
        UNION ALL
        SELECT {keys}, {cause("stale_replica", "behind_beyond_lag")}, started_us AS ended_us,
            {without_effect} AS evidence
        FROM accounts AS a WHERE told_right AND {late} AND shown_place IS NULL AND replica_us < started_us
        UNION ALL
        SELECT {keys}, {cause("missing_event", "sequence_gap")}, {unheard_since} AS ended_us, {gap} AS evidence
        FROM accounts AS a
        JOIN ({_GAPS}) AS g ON g.legacy_key = a.legacy_key AND {_DURING}
        WHERE {untold}
        UNION ALL
        SELECT {keys}, {cause("missing_event", "sequence_gap")}, {unheard_since} AS ended_us,
            {told({"missing_in_partition": "g.missing"}, witness="witness", moved_on="moved_on")} AS evidence
        FROM accounts AS a
        JOIN "log gaps" AS g ON g.partition_key = a.moved_on
        WHERE {untold}
        UNION ALL
        SELECT {keys}, {cause("missing_event", "change_without_event")}, {unheard_since} AS ended_us,
            {silent} AS evidence
        FROM accounts AS a WHERE {untold}
    """


_GAPS = "SELECT legacy_key, sequence, place, missing, event_us, before_us FROM heard WHERE missing > 0"
# Some number is missing between an event before the replica's state had ended and one after it.
_DURING = """
    g.event_us > COALESCE(a.complete_us, 0) AND COALESCE(g.before_us, 0) < COALESCE(a.moved_us, g.event_us)
        AND (a.complete_us IS NOT NULL OR g.place > COALESCE(a.shown_place, 0))
"""
