"""The ledger: every discrepancy of the world with its exact days.

What plants do to single values and links is known; what lag, lost events and frozen rows do is computed from the values
themselves, day by day, and joined to intervals.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from data.insurer import lives, sight
from data.insurer.day_files import copy
from data.insurer.model import Model, Side
from data.insurer.sql import adding, text, when

PLAIN = (
    "value",
    "written",
    "violation",
    "candidates",
    "dangling_service",
    "dangling_legacy",
    "duplicate_legacy",
    "duplicate_service",
)
PROJECTION = {"lost_event": "sequence_gap", "silent_change": "change_without_event"}
GROUP_VERSIONS = ("ga", "gb", "gc")
COLUMNS = "context, entity, type, reason, legacy_key, service_key, field, d1, d2, cells, note"


def prepare(con: duckdb.DuckDBPyConnection) -> None:
    """Empty tables."""
    con.execute(
        "CREATE TABLE findings (context TEXT, entity TEXT, type TEXT, reason TEXT, legacy_key TEXT, service_key TEXT, "
        "field TEXT, d1 INTEGER, d2 INTEGER, cells BOOLEAN, note TEXT)"
    )


def enter(con: duckdb.DuckDBPyConnection, model: Model) -> None:
    """Enter all findings of an entity."""
    _enter_planted(con, model)
    _enter_days(con, model, _presence(model))
    con.execute(f"CREATE OR REPLACE TEMP TABLE apart AS {_apart(model)}")
    _enter_days(con, model, _values(model))


def write(con: duckdb.DuckDBPyConnection, model: Model, folder: Path) -> int:
    """Write the ledger; the number of its rows. Any model of the world will do: it gives the clock."""
    day = f"DATE '{model.life.clock.first_day}' + "
    order = "entity, d1, type, reason, legacy_key, service_key, field, d2"
    numbered = f"format('L{{:07d}}', row_number() OVER (ORDER BY {order}))"
    ordered = (
        f"SELECT {numbered} AS ledger_id, context, entity, type, reason, legacy_key, service_key, field, "
        f"{day}d1 AS first_day, {day}d2 AS last_day, cells, note FROM findings"
    )
    con.execute(f"CREATE TEMP TABLE ledger AS {ordered}")
    for name, options in (("ledger.csv", "FORMAT csv, HEADER"), ("ledger.parquet", "FORMAT parquet, COMPRESSION zstd")):
        copy(con, "FROM ledger ORDER BY ledger_id", folder / name, options)
    counted = con.execute("SELECT count(*) FROM ledger").fetchone()
    return int(counted[0]) if counted else 0


def _enter_planted(con: duckdb.DuckDBPyConnection, model: Model) -> None:
    """Findings known from the plants alone: which keys each act shows, and whether by comparison."""
    legacy, service = model.legacy_key, model.service_key
    shows = [(act, legacy("p.id"), service("p.id"), act != "violation", "l.reason") for act in PLAIN]
    shows += [
        ("unmapped", legacy("p.id"), "NULL", True, "l.reason"),
        ("unmapped", "NULL", service("p.id"), True, "l.reason"),
        ("second_service", legacy("p.partner"), service("p.id"), True, "l.reason"),
        ("foreign_tenant", legacy("p.id"), "NULL", True, "l.reason"),
        ("rejected_legacy", legacy("p.id"), "NULL", False, "l.reason"),
        ("rejected_legacy", "NULL", service("p.id"), True, "'counterpart_rejected'"),
        ("rejected_service", "NULL", service("p.id"), False, "l.reason"),
        ("rejected_service", legacy("p.id"), "NULL", True, "'counterpart_rejected'"),
    ]
    for act, odd in model.odd_keys.items():
        second = act == "second_legacy"
        shows.append(
            (act, odd("p.partner" if second else "p.id"), service("p.partner") if second else "NULL", True, "l.reason")
        )
    found = " UNION ALL ".join(
        f"SELECT {text(model.context)}, p.entity, l.type, {reason}, {legacy_key}, {service_key}, "
        f"f.field, p.d1, p.d2, {cells}, l.note FROM plants p JOIN plans l USING (entity, plan) "
        "LEFT JOIN plan_fields f USING (entity, plan) "
        f"WHERE p.entity = {text(model.entity)} AND p.act = '{act}'"
        for act, legacy_key, service_key, cells, reason in shows
    )
    con.execute(f"INSERT INTO findings {found}")


def _enter_days(con: duckdb.DuckDBPyConnection, model: Model, days: str) -> None:
    """Single days (of `id` and `same`) joined to intervals."""
    same = "id, legacy_shown, service_shown, field, type, reason, note"
    islands = f"SELECT *, day - row_number() OVER (PARTITION BY {same} ORDER BY day) AS island FROM ({days})"
    con.execute(
        f"INSERT INTO findings SELECT {text(model.context)}, {text(model.entity)}, type, reason, "
        f"{when('legacy_shown', model.legacy_key('id'))}, {when('service_shown', model.service_key('id'))}, "
        f"field, min(day), max(day), TRUE, note FROM ({islands}) GROUP BY {same}, island"
    )


def _every_day(model: Model, ids: str) -> str:
    """Lives on every day, with what each side has of them."""
    return adding(sight.presence(model), lives.every_day(model, lives.relation(model, ids)))


def _presence(model: Model) -> str:
    """Rows that came or went on one side only: within the lag unless a plant says otherwise."""
    reserved = f"SELECT range AS id, 0 AS copy FROM range({model.life.regular}, {model.life.total})"
    one_sided = "COALESCE(born, died) IS NOT NULL AND legacy_live <> service_live"
    open_link = f"legacy_live OR {model.soft is Side.LEGACY} AND e.act IS DISTINCT FROM 'reborn'"
    return (
        "SELECT e.id, e.day, CAST(NULL AS TEXT) AS field, COALESCE(l.type, 'stale_replica') AS type, "
        "COALESCE(l.reason, CASE WHEN legacy_live THEN 'pending_row' ELSE 'deletion_not_propagated' END) AS reason, "
        f"{open_link} AS legacy_shown, service_live AS service_shown, COALESCE(l.note, 'within lag') AS note "
        f"FROM (SELECT * FROM ({_every_day(model, reserved)}) WHERE {one_sided}) e "
        f"LEFT JOIN plans l ON l.entity = {text(model.entity)} AND l.plan = e.plan"
    )


def _apart(model: Model) -> str:
    """Rows on days when the two sides do not see the same version."""
    names = (*GROUP_VERSIONS, *model.more_versions)
    both = f"SELECT * FROM ({_every_day(model, lives.everybody(model))}) WHERE legacy_live AND service_live"
    legacy = adding(sight.versions(model, Side.LEGACY), f"({both})")
    renamed = ", ".join(f"{name} AS legacy_{name}" for name in names)
    kept = f"SELECT * EXCLUDE ({', '.join(sight.versions(model, Side.LEGACY))}), {renamed} FROM ({legacy})"
    differ = " OR ".join(f"{name} <> legacy_{name}" for name in names)
    return f"SELECT * FROM ({adding(sight.versions(model, Side.SERVICE), f'({kept})')}) WHERE {differ}"


def _values(model: Model) -> str:
    """Fields whose values differ between what the two sides see."""
    names = (*GROUP_VERSIONS, *model.more_versions)
    fields = (*(name for group in model.groups for name in group.fields), *model.projected_fields)
    seen = ", ".join(f"legacy_{name} AS {name}" for name in names)
    legacy = adding({"second": "0", **model.facts}, f"(SELECT * EXCLUDE ({', '.join(names)}), {seen} FROM apart)")
    service = adding({"second": "0", **model.facts}, "apart")
    differing = ", ".join(f"CASE WHEN a.{name} IS DISTINCT FROM b.{name} THEN '{name}' END" for name in fields)
    projected = f"field IN ({', '.join(map(text, model.projected_fields))})" if model.projected_fields else "FALSE"
    reasons = " ".join(f"WHEN '{act}' THEN '{reason}'" for act, reason in PROJECTION.items())
    reason = when(projected, f"CASE p_act {reasons} END", "COALESCE(reason, 'behind_within_lag')")
    policy_act = "a.p_act" if model.projected_fields else "NULL AS p_act"
    return (
        f"SELECT id, day, field, TRUE AS legacy_shown, TRUE AS service_shown, "
        f"CASE WHEN {projected} THEN 'missing_event' ELSE COALESCE(type, 'stale_replica') END AS type, "
        f"{reason} AS reason, "
        f"CASE WHEN {projected} THEN 'projection of the policy at loss' ELSE COALESCE(note, '') END AS note FROM ("
        f"SELECT a.id, a.day, {policy_act}, l.type, l.reason, l.note, unnest([{differing}]) AS field "
        f"FROM ({legacy}) a JOIN ({service}) b ON a.id = b.id AND a.day = b.day "
        f"LEFT JOIN plans l ON l.entity = {text(model.entity)} AND l.plan = a.plan) WHERE field IS NOT NULL"
    )
