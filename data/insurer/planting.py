"""Which rows get which plant, and on which days: at most one plant a row, so that no two explain the same difference.

Table `plants`: entity, id, plan (number of the planting within its entity), act, first and last day (`d1`, `d2`), the
change it is about (`k`), and the partner of plants on pairs of rows. Table `plans` says how the ledger calls them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from data.insurer import lives
from data.insurer.clock import DAY
from data.insurer.model import Model, Planting
from data.insurer.sql import adding, text

SAMPLE = 200_000  # rows of an entity looked at, the rare codes apart
MOST = 500  # rows of one planting, however large the world
PER_ROWS = 2_000  # one planting's `count` for so many policies
FEWEST = 3  # rows that show a pattern, where one planting takes every row there is: in fewer nobody can see it
PLANTS = pa.schema({
    "entity": pa.string(), "id": pa.int64(), "plan": pa.int32(), "act": pa.string(), "d1": pa.int32(), "d2": pa.int32(),
    "k": pa.int32(), "partner": pa.int64(),
})  # fmt: skip
ON_DAY_ONE = 0.1  # share of plants that begin on the first day
SECOND = {True: "second_service", False: "second_legacy"}


@dataclass(frozen=True)
class Row:
    """A row that may be planted on."""

    id: int
    s1: int
    born: int | None
    died: int | None


@dataclass(frozen=True)
class Plan:
    """A planting of an entity, by its number."""

    model: Model
    number: int
    planting: Planting


def prepare(con: duckdb.DuckDBPyConnection) -> None:
    """Empty tables."""
    con.execute(
        "CREATE TABLE plants (entity TEXT, id BIGINT, plan INTEGER, act TEXT, d1 INTEGER, d2 INTEGER, "
        "k INTEGER, partner BIGINT)"
    )
    con.execute("CREATE TABLE plans (entity TEXT, plan INTEGER, act TEXT, type TEXT, reason TEXT, note TEXT)")
    con.execute("CREATE TABLE plan_fields (entity TEXT, plan INTEGER, field TEXT)")


def plant(con: duckdb.DuckDBPyConnection, model: Model, size: int) -> None:
    """Choose rows for every planting of an entity, in order: earlier ones take first."""
    _describe(con, model)
    con.execute(f"CREATE OR REPLACE TEMP TABLE eligible AS {_eligible(model, 'TRUE', sample=True)}")
    taken: set[int] = set()
    found: list[dict[str, object]] = []
    for number, planting in enumerate(model.plantings):
        plan = Plan(model, number, planting)
        rows = _free(con, plan, size, taken)
        taken.update(row.id for row in rows)
        found.extend(_plants(plan, rows))
    chosen = pa.Table.from_pylist(found, schema=PLANTS)  # noqa: F841 (read by name)
    con.execute("INSERT INTO plants SELECT * FROM chosen")


def _describe(con: duckdb.DuckDBPyConnection, model: Model) -> None:
    """Enter the plans of an entity."""
    plans = [
        f"({text(model.entity)}, {number}, '{plan.act}', '{plan.type}', '{plan.reason}', {text(plan.note)})"
        for number, plan in enumerate(model.plantings)
    ]
    fields = [
        f"({text(model.entity)}, {number}, '{field}')"
        for number, planting in enumerate(model.plantings)
        for field in planting.fields
    ]
    con.execute(f"INSERT INTO plans VALUES {', '.join(plans)}")
    con.execute(f"INSERT INTO plan_fields VALUES {', '.join(fields)}")


def _eligible(model: Model, where: str, *, sample: bool) -> str:
    """Rows with their facts as the window begins: all, or of large entities a sample."""
    at_start = dict.fromkeys(("v", "ga", "gb", "gc", *model.more_versions), "0")
    view = adding(
        {"digital": model.digital, "second": "0", **at_start}, f"({lives.relation(model, lives.everybody(model))})"
    )
    share = min(1.0, SAMPLE / model.ids) if sample else 1.0
    drawn = f"{model.life.chance.number('sample', 1_000_000)} < {int(share * 1_000_000)}"
    looked_at = f"(SELECT * FROM ({view}) WHERE {drawn} AND NOT {model.members})"
    return f"SELECT * FROM ({adding(model.facts, looked_at)}) WHERE {where}"


def pools(model: Model) -> dict[str, str]:
    """Rows that suit a kind of planting, by name."""
    regular, total, last = model.life.regular, model.life.total, model.life.clock.last
    reserved, steady = f"id >= {regular} AND id < {total}", "born IS NULL AND died IS NULL"
    moves = " AND ".join(f"(n < {k} OR {lives.calm(f's{k}')})" for k in (1, 2, 3))
    moving = f"id < {regular} AND n > 0 AND {moves} AND s1 // {DAY} BETWEEN 1 AND {last - 3}"
    return {
        "steady": f"{reserved} AND {steady}",
        "pairs": f"{reserved} AND {steady}",
        "born": f"born // {DAY} BETWEEN 1 AND {last - 2} AND {lives.calm('born')}",
        "died": f"died // {DAY} BETWEEN 1 AND {last - 3} AND {lives.calm('died')}",
        "quiet": f"id < {regular} AND n = 0 AND NOT digital",
        "rare": f"id < {regular} AND n = 0",
        "digital": f"id < {regular} AND n = 0 AND digital",
        "moving": moving,
        "moving_twice": f"{moving} AND n > 1 AND c1 = c2 AND s2 % {DAY} > 7200 AND s2 // {DAY} < {last}",
    }


def _free(con: duckdb.DuckDBPyConnection, plan: Plan, size: int, taken: set[int]) -> list[Row]:
    """Rows for a planting: all that qualify unless they are too few, or as many as suit the size of the world."""
    if plan.planting.every:
        every = [row for row in _candidates(con, plan, None) if row.id not in taken]
        return every if len(every) >= FEWEST else []
    count = max(plan.planting.count, min(MOST, plan.planting.count * size // PER_ROWS))
    wanted = 2 * count if plan.planting.pool == "pairs" else count
    return [row for row in _candidates(con, plan, wanted + len(taken)) if row.id not in taken][:wanted]


def _candidates(con: duckdb.DuckDBPyConnection, plan: Plan, limit: int | None) -> list[Row]:
    suits = f"{pools(plan.model)[plan.planting.pool]} AND ({plan.planting.where}) AND {_stands_alone(plan)}"
    source = f"({_eligible(plan.model, suits, sample=False)})" if limit is None else f"eligible WHERE {suits}"
    order = plan.model.life.chance.raw(f"plan {plan.number}")
    at_most = "" if limit is None else f"LIMIT {limit}"
    found = con.execute(f"SELECT id, s1, born, died FROM {source} ORDER BY {order}, id {at_most}").fetchall()
    return [Row(*row) for row in found]


def _stands_alone(plan: Plan) -> str:
    """Condition: no other row loses its counterpart with this one, as rows do that were merged into a rejected one."""
    merges = plan.model.merges
    if merges is None or not plan.planting.act.startswith("rejected"):
        return "TRUE"
    merged = f"range({merges.first}, {merges.first + merges.count}) AS merged(id)"
    return f"id NOT IN (SELECT {merges.survivor} FROM {merged})"


def _plants(plan: Plan, rows: list[Row]) -> Iterator[dict[str, object]]:
    if plan.planting.every and rows:
        span = _span(plan, rows[0])
        yield from (_plant(plan, row, span) for row in rows)
    elif plan.planting.pool == "pairs":
        for first, second in zip(rows[::2], rows[1::2], strict=False):
            span = _span(plan, first)
            yield _plant(plan, first, span)
            yield _plant(plan, second, span) | {"act": SECOND[plan.model.link is not None], "partner": first.id}
    else:
        yield from (_plant(plan, row, _span(plan, row)) for row in rows)


def _plant(plan: Plan, row: Row, span: tuple[int, int]) -> dict[str, object]:
    own = {"entity": plan.model.entity, "id": row.id, "plan": plan.number, "act": plan.planting.act}
    return own | {"d1": span[0], "d2": span[1], "k": 1, "partner": None}


def _span(plan: Plan, row: Row) -> tuple[int, int]:
    """First and last day: some begin on day one, most later; some heal, the others last."""
    last, life, act = plan.model.life.clock.last, plan.model.life, plan.planting.act
    chance = random.Random(f"{life.chance.seed}/{plan.model.entity}/{plan.number}/{row.id}")  # noqa: S311 (no secret)
    if plan.planting.always or act in {"lost_event", "silent_change", "late_event"}:
        return 0, last
    changed = next(second // DAY for second in (row.born, row.died, row.s1) if second is not None)
    match act:
        case "never_arrived" | "deleted_silently":
            return changed, last
        case "pending" | "not_deleted":
            return changed, min(last, changed + chance.randint(1, 3))
        case "frozen":
            return changed, min(last, changed + chance.randint(2, 5))
        case "regressed" | "reborn":
            first = changed + chance.randint(2, 3)
            return first, chance.choice((last, min(last, first + chance.randint(1, 4))))
    first = min(last, 0 if chance.random() < ON_DAY_ONE else chance.randint(1, max(1, last - 1)))
    return first, chance.choice((last, min(last, first + chance.randint(0, 6))))
