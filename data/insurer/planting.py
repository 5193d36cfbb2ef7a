"""Which rows get which plant, and on which days: at most one plant a row, so that no two explain the same difference.

Table `plants`: entity, id, plan (number of the planting within its entity), act, first and last day (`d1`, `d2`), the change it is
about (`k`), and the partner of plants on pairs of rows. Table `plans` says how the ledger calls them.
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
PLANTS = pa.schema({
    "entity": pa.string(), "id": pa.int64(), "plan": pa.int32(), "act": pa.string(), "d1": pa.int32(), "d2": pa.int32(),
    "k": pa.int32(), "partner": pa.int64(),
})  # fmt: skip
SECOND = {True: "second_service", False: "second_legacy"}


@dataclass(frozen=True)
class Row:
    """A row that may be planted on."""

    id: int
    s1: int
    born: int | None
    died: int | None


def prepare(con: duckdb.DuckDBPyConnection) -> None:
    """Empty tables."""
    con.execute("CREATE TABLE plants (entity TEXT, id BIGINT, plan INTEGER, act TEXT, d1 INTEGER, d2 INTEGER, k INTEGER, partner BIGINT)")
    con.execute("CREATE TABLE plans (entity TEXT, plan INTEGER, act TEXT, type TEXT, reason TEXT, note TEXT)")
    con.execute("CREATE TABLE plan_fields (entity TEXT, plan INTEGER, field TEXT)")


def plant(con: duckdb.DuckDBPyConnection, model: Model, size: int) -> None:
    """Choose rows for every planting of an entity, in order: earlier ones take first."""
    _describe(con, model)
    con.execute(f"CREATE OR REPLACE TEMP TABLE eligible AS {_eligible(model, 'TRUE', sample=True)}")
    taken: set[int] = set()
    found: list[dict[str, object]] = []
    for number, planting in enumerate(model.plantings):
        rows = _candidates(con, model, number, planting, size, taken)
        taken.update(row.id for row in rows)
        found.extend(_plants(model, number, planting, rows))
    chosen = pa.Table.from_pylist(found, schema=PLANTS)  # noqa: F841 (read by name)
    con.execute("INSERT INTO plants SELECT * FROM chosen")


def _describe(con: duckdb.DuckDBPyConnection, model: Model) -> None:
    """Enter the plans of an entity."""
    plans = [f"({text(model.entity)}, {number}, '{planting.act}', '{planting.type}', '{planting.reason}', {text(planting.note)})"
             for number, planting in enumerate(model.plantings)]  # fmt: skip
    fields = [f"({text(model.entity)}, {number}, '{field}')" for number, planting in enumerate(model.plantings) for field in planting.fields]
    con.execute(f"INSERT INTO plans VALUES {', '.join(plans)}")
    con.execute(f"INSERT INTO plan_fields VALUES {', '.join(fields)}")


def _eligible(model: Model, where: str, *, sample: bool) -> str:
    """Rows with their facts as the window begins: all, or of large entities a sample."""
    at_start = dict.fromkeys(("v", "ga", "gb", "gc", *model.more_versions), "0")
    view = adding({"digital": model.digital, "second": "0", **at_start}, f"({lives.relation(model, lives.everybody(model))})")
    share = min(1.0, SAMPLE / model.ids) if sample else 1.0
    drawn = f"{model.life.chance.number('sample', 1_000_000)} < {int(share * 1_000_000)}"
    return f"SELECT * FROM ({adding(model.facts, f'(SELECT * FROM ({view}) WHERE {drawn} AND NOT {model.members})')}) WHERE {where}"


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


def _candidates(
    con: duckdb.DuckDBPyConnection, model: Model, number: int, planting: Planting, size: int, taken: set[int]
) -> list[Row]:
    suits = f"{pools(model)[planting.pool]} AND ({planting.where})"
    source = f"({_eligible(model, suits, sample=False)})" if planting.every else f"eligible WHERE {suits}"
    count = max(planting.count, min(MOST, planting.count * size // PER_ROWS)) * (2 if planting.pool == "pairs" else 1)
    limit = "" if planting.every else f"LIMIT {count + len(taken)}"
    order = model.life.chance.raw(f"plan {number}")
    found = con.execute(f"SELECT id, s1, born, died FROM {source} ORDER BY {order}, id {limit}").fetchall()
    free = [Row(*row) for row in found if row[0] not in taken]
    return free if planting.every else free[:count]


def _plants(model: Model, number: int, planting: Planting, rows: list[Row]) -> Iterator[dict[str, object]]:
    if planting.every and rows:
        span = _span(model, number, planting, rows[0])
        yield from (_plant(model, number, planting.act, row, span) for row in rows)
    elif planting.pool == "pairs":
        for first, second in zip(rows[::2], rows[1::2], strict=False):
            span = _span(model, number, planting, first)
            yield _plant(model, number, planting.act, first, span)
            yield _plant(model, number, SECOND[model.link is not None], second, span, partner=first.id)
    else:
        yield from (_plant(model, number, planting.act, row, _span(model, number, planting, row)) for row in rows)


def _plant(model: Model, number: int, act: str, row: Row, span: tuple[int, int], partner: int | None = None) -> dict[str, object]:
    first, last = span
    return {"entity": model.entity, "id": row.id, "plan": number, "act": act, "d1": first, "d2": last, "k": 1, "partner": partner}


def _span(model: Model, number: int, planting: Planting, row: Row) -> tuple[int, int]:
    """First and last day: some begin on day one, most later; some heal, the others last."""
    last = model.life.clock.last
    chance = random.Random(f"{model.life.chance.seed}/{model.entity}/{number}/{row.id}")  # noqa: S311 (not for secrets)
    if planting.always or planting.act in ("lost_event", "silent_change", "late_event"):
        return 0, last
    changed = next(second // DAY for second in (row.born, row.died, row.s1) if second is not None)
    match planting.act:
        case "never_arrived" | "deleted_silently":
            return changed, last
        case "pending" | "not_deleted":
            return changed, min(last, changed + chance.randint(1, 3))
        case "frozen":
            return changed, min(last, changed + chance.randint(2, 5))
        case "regressed" | "reborn":
            first = changed + chance.randint(2, 3)
            return first, chance.choice((last, min(last, first + chance.randint(1, 4))))
    first = 0 if chance.random() < 0.1 else chance.randint(1, max(1, last - 1))
    return min(first, last), chance.choice((last, min(last, first + chance.randint(0, 6))))
