"""The event log: every change of the system of record by day of recording, except what plants took out of it."""

from __future__ import annotations

from pathlib import Path

import duckdb

from data.insurer import lives, sight
from data.insurer.clock import DAY, NEVER
from data.insurer.day_files import DayFiles, Parquet, stretches
from data.insurer.model import Kind, Model, Side
from data.insurer.sql import adding, select, text, when

CHANGES, FOLLOW_UP, BORN, DIED, MERGED = (1, 2, 3), 4, 5, 6, 7
FOLLOW_UP_AFTER = LATE_AFTER = 600
SCHEMA_VERSION = "'2'"


def write(con: duckdb.DuckDBPyConnection, model: Model, folder: Path) -> int:
    """Write the events of all days; their number."""
    clock, columns = model.life.clock, _columns(model)
    files = DayFiles(folder / "events" / model.entity, clock, Parquet())
    for first, end in stretches(model.ids, clock.days):
        files.deal(
            con,
            {name: name for name in columns},
            _events(model, columns, first, end),
            "recorded_time, legacy_key, sequence",
        )
    files.close()
    return sum(files.rows.values())


def _events(model: Model, columns: dict[str, str], first: int, end: int) -> str:
    stirred = f"SELECT * FROM ({lives.relation(model, lives.ids(first, end))}) WHERE {_stirs(model)}"
    steps = f"SELECT *, unnest(range(1, {MERGED + 1})) AS step FROM ({stirred})"
    timed = f"SELECT * FROM ({adding(_times(model), f'({steps})')}) WHERE occurred IS NOT NULL"
    facts = adding(model.facts, f"({adding(_view(model), f'({timed})')})")
    return select({"day": f"recorded // {DAY}", **columns}, f"({facts})")


def _stirs(model: Model) -> str:
    """Condition: something happens to the row."""
    merged = f" OR id >= {model.merges.first}" if model.merges else ""
    return f"n > 0 OR born IS NOT NULL OR died IS NOT NULL{merged}"


def _times(model: Model) -> dict[str, str]:
    """When each step occurred (NULL: not at all, or lost to the log) and was recorded, and its number for the row."""
    lost = "act IN ('lost_event', 'silent_change') AND k = step"
    changed = " ".join(
        f"WHEN {k} THEN CASE WHEN s{k} < {NEVER} AND NOT COALESCE({lost}, FALSE) THEN s{k} END" for k in CHANGES
    )
    merged = (
        f"CASE WHEN id >= {model.merges.first} AND {model.merges.day} >= 0 THEN {model.merges.day} * {DAY} + 300 END"
        if model.merges
        else "NULL"
    )
    born, died = (
        when("act IS DISTINCT FROM 'never_arrived'", "born"),
        when("act IS DISTINCT FROM 'deleted_silently'", "died"),
    )
    before = (
        "CASE WHEN act = 'lost_event' AND step > k THEN 1 WHEN act = 'silent_change' AND step > k THEN -1 ELSE 0 END"
    )
    return {
        "occurred": (
            f"CASE step {changed} WHEN {FOLLOW_UP} THEN CASE WHEN act = 'lost_event' THEN s1 + {FOLLOW_UP_AFTER} END "
            f"WHEN {BORN} THEN {born} "
            f"WHEN {DIED} THEN {died} WHEN {MERGED} THEN {merged} END"
        ),
        "recorded": when("act = 'late_event' AND step = 1", f"s2 + {LATE_AFTER}", "occurred + 2 + delay % 50"),
        "sequence": (
            f"CASE WHEN step <= 3 THEN step + 1 + {before} WHEN step = {FOLLOW_UP} THEN k + 2 "
            f"WHEN step = {BORN} THEN 1 ELSE 2 END"
        ),
    }


def _view(model: Model) -> dict[str, str]:
    """The truth as of the step."""
    groups = {name: sight.group_version(group, skip="0") for group, name in enumerate(("ga", "gb", "gc"))}
    return {
        "digital": model.digital,
        "v": "CASE WHEN step <= 3 THEN step ELSE 0 END",
        **groups,
        "what": f"CASE step {' '.join(f'WHEN {k} THEN c{k}' for k in CHANGES)} ELSE step END",
        **model.more_sight(Side.LEGACY),
    }


def _columns(model: Model) -> dict[str, str]:
    clock = model.life.clock
    names = {
        **{place: group.event for place, group in enumerate(model.groups)},
        FOLLOW_UP: model.neutral_event,
        BORN: model.born_event,
        DIED: model.died_event,
        MERGED: "PartyMerged",
    }
    whens = " ".join(f"WHEN {kind} THEN {text(name)}" for kind, name in names.items())
    return {
        "entity": text(model.entity),
        "legacy_key": model.legacy_key("id"),
        "sequence": "CAST(sequence AS BIGINT)",
        "event_time": clock.instant("occurred"),
        "recorded_time": clock.instant("recorded"),
        "event_type": f"CASE what {whens} END",
        "payload": f"CAST({_payload(model)} AS VARCHAR)",
        "producer": f"CASE WHEN digital THEN '{model.entity}-service' ELSE 'legacy-platform' END",
        "schema_version": SCHEMA_VERSION,
    }


def _payload(model: Model) -> str:
    """The changed fields in the service's language; all fields at birth."""
    groups = " ".join(f"WHEN {place} THEN {_json(model, group.fields)}" for place, group in enumerate(model.groups))
    merged = f"WHEN {MERGED} THEN json_object('into', {model.merges.survivor} + 10000)" if model.merges else ""
    return f"CASE what {groups} WHEN {BORN} THEN {_json(model, tuple(model.fields))} {merged} ELSE json_object() END"


def _json(model: Model, fields: tuple[str, ...]) -> str:
    return "json_object(" + ", ".join(f"{text(name)}, {_json_value(model, name)}" for name in fields) + ")"


def _json_value(model: Model, name: str) -> str:
    match model.fields[name]:
        case Kind.AMOUNT | Kind.DATE:
            return f"CAST({name} AS VARCHAR)"
        case Kind.INSTANT:
            return f"strftime(CAST({model.service[name]} AS TIMESTAMPTZ), '%Y-%m-%dT%H:%M:%SZ')"
        case _:
            return name
