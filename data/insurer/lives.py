"""How a row comes, changes and goes, as SQL over its id: no state, no order.

Columns: `n` changes at the seconds `s1` < `s2` < `s3` of the groups `c1`, `c2`, `c3` (0 to 2); `born` and `died`
(seconds, NULL for outside the window); `delay` (seconds until the replica has a change). What sides see is in `sight`.
"""

from __future__ import annotations

from data.insurer.clock import NEVER
from data.insurer.model import Life, Model
from data.insurer.sql import adding, when

LATEST_CALM_SECOND = 21 * 3600 + 50 * 60  # a change before this time of day is never in flight at midnight
OUT_OF_ORDER_GAP = 1_800
PLANT_COLUMNS = ("plan", "act", "d1", "d2", "k", "partner")


def columns(life: Life, *, of: str = "id", prefix: str = "", act: str = "act") -> dict[str, str]:
    """The life of the row whose id is `of`, changed by how the plant on it acts."""
    chance = life.chance
    named = {
        "n": f"CASE WHEN {of} >= {life.regular} OR {life.settled} THEN 0 ELSE {_how_many(life, of)} END",
        "s3": _second(life, 3, of, prefix),
        "s2": _second(life, 2, of, prefix),
        "s1": when(f"{act} = 'late_event'", f"{prefix}s2 - {OUT_OF_ORDER_GAP}", _second(life, 1, of, prefix)),
        **{f"c{k}": chance.number(f"group of change {k}", 3, of) for k in (1, 2, 3)},
        "delay": f"60 + {chance.number('delay', 7_000, of)}",
    }
    return {f"{prefix}{name}": sql for name, sql in named.items()}


def fates(life: Life) -> dict[str, str]:
    """When a row is born or dies within the window."""
    fate, second = life.chance.number("fate", 100), life.chance.number("second", life.clock.seconds - 43_200)
    in_reserve = f"id >= {life.regular} AND id < {life.total} AND NOT ({life.settled})"
    born, died = life.born_percent, life.born_percent + life.died_percent
    return {
        "born": f"CASE WHEN {in_reserve} AND {fate} < {born} THEN 43200 + {second} END",
        "died": f"CASE WHEN {in_reserve} AND {fate} >= {born} AND {fate} < {died} THEN 43200 + {second} END",
    }


def relation(model: Model, rows: str) -> str:
    """Lives of a relation of ids (`id`, `copy`), each with its plant, if any."""
    plant = ", ".join(f"p.{name}" for name in PLANT_COLUMNS)
    plants = f"(FROM plants WHERE entity = '{model.entity}')"
    planted = f"SELECT ids.id, ids.copy, {plant} FROM ({rows}) ids LEFT JOIN {plants} p ON p.id = ids.id"
    lived = adding({**fates(model.life), **columns(model.life)}, f"({planted})")
    return adding(model.more_life, f"({lived}) lived {model.joins}") if model.more_life else lived


def ids(first: int, end: int) -> str:
    """A stretch of ids."""
    return f"SELECT range AS id, 0 AS copy FROM range({first}, {end})"


def everybody(model: Model) -> str:
    """All ids of an entity."""
    return ids(0, model.ids)


def every_day(model: Model, rows: str) -> str:
    """A relation once for each day (`day`)."""
    return f"({rows}), (SELECT range AS day FROM range({model.life.clock.days}))"


def calm(second: str) -> str:
    """Condition: a change at this second reaches the other side before midnight."""
    return f"{second} % 86400 < {LATEST_CALM_SECOND}"


def _how_many(life: Life, of: str) -> str:
    drawn = life.chance.number("changes", 100, of)
    return f"CASE WHEN {drawn} < 65 THEN 0 WHEN {drawn} < 87 THEN 1 WHEN {drawn} < 96 THEN 2 ELSE 3 END"


def _second(life: Life, change: int, of: str, prefix: str) -> str:
    """Changes fall into equal stretches of the window, so that their order is known."""
    window, part = life.clock.seconds, life.chance.number(f"second of change {change}", 880_000, of)
    second = f"({(change - 1) * window} + (20000 + {part}) * {window} // 1000000) // {prefix}n"
    return f"CASE WHEN {prefix}n >= {change} THEN {second} ELSE {NEVER} END"
