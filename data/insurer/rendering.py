"""Both sides' snapshots: what rows hold comes from the entities, what sides see of them from `sight`."""

from __future__ import annotations

from pathlib import Path

import duckdb

from data.insurer import lives, policies, sight
from data.insurer.day_files import Csv, DayFiles, Format, Lines, Parquet, stretches
from data.insurer.model import Model, Side
from data.insurer.sql import select

MEMBER = 10  # copies above this number are members of a household


def write(con: duckdb.DuckDBPyConnection, model: Model, side: Side, folder: Path) -> dict[int, int]:
    """Write one side's snapshots of all days; the number of rows by day."""
    clock = model.life.clock
    files = DayFiles(folder / side / model.entity, clock, _format(model, side))
    columns = _shown(model, side)
    written = _written(model, side, columns)
    for first, end in stretches(model.ids, clock.days):
        rows = sight.seen(model, side, lives.relation(model, copies(model, side, first, end)))
        files.deal(con, written, select({"day": "day", "id": "id", "copy": "copy", **columns}, f"({rows})"), "id, copy")
    files.close()
    return files.rows


def copies(model: Model, side: Side, first: int, end: int) -> str:
    """Ids of a stretch, and again those with several rows: duplicates (copy 1) and members of households."""
    twin = f"entity = '{model.entity}' AND act = 'duplicate_{side}' AND id BETWEEN {first} AND {end - 1}"
    twins = f"SELECT id, 1 AS copy FROM plants WHERE {twin}"
    return f"{lives.ids(first, end)} UNION ALL {twins}{members(model, first, end) if side is Side.SERVICE else ''}"


def members(model: Model, first: int, end: int) -> str:
    """Further counterparts of households: one, or two for every third."""
    if model.members == "FALSE":
        return ""
    rows = f"range({first}, {min(end, model.life.total)}), (VALUES (1), (2)) v(which)"
    others = f"SELECT range AS id, {MEMBER} + which AS copy FROM {rows}"
    return f" UNION ALL SELECT * FROM ({others}) WHERE {model.members} AND (copy = {MEMBER + 1} OR id % 3 = 0)"


def _format(model: Model, side: Side) -> Format:
    if side is Side.SERVICE and model.entity != "brokers":
        return Parquet()
    if side is Side.LEGACY and model.entity == "policies":
        return Lines(policies.ENCODING)
    return Csv(";" if side is Side.LEGACY and model.entity == "parties" else ",")


def _written(model: Model, side: Side, columns: dict[str, str]) -> dict[str, str]:
    """What is written of the columns: one line of text for records of fixed width."""
    named = {name: f'"{name}"' for name in columns}
    return {"line": policies.record(named)} if side is Side.LEGACY and model.entity == "policies" else named


def _shown(model: Model, side: Side) -> dict[str, str]:
    """The side's columns, written differently where a plant says so."""
    columns = dict(model.legacy if side is Side.LEGACY else model.service)
    for number, planting in enumerate(model.plantings):
        for shown in planting.shown:
            if shown.side is side:
                columns[shown.column] = _unless(f"plan = {number} AND on_day", shown.sql, columns[shown.column], side)
    twin, value = model.twins[side]
    columns[twin] = _unless("copy = 1", value, columns[twin], side)
    return columns


def _unless(condition: str, otherwise: str, right: str, side: Side) -> str:
    planted = otherwise.replace("{}", f"({right})")
    if side is Side.LEGACY:  # all text in the file, and not everything planted is a number
        return f"CASE WHEN {condition} THEN CAST({planted} AS VARCHAR) ELSE CAST({right} AS VARCHAR) END"
    return f"CASE WHEN {condition} THEN {planted} ELSE {right} END"
