"""Identity tables, a file a day with all links known by then, and the table of merged parties."""

from __future__ import annotations

from pathlib import Path

import duckdb

from data.insurer import lives, rendering, sight
from data.insurer.clock import DAY
from data.insurer.day_files import Csv, DayFiles, stretches
from data.insurer.model import Model, Side
from data.insurer.population import Population
from data.insurer.sql import adding, select, when

NOT_LINKED = "('never_arrived', 'null_key', 'foreign_tenant', 'second_legacy')"


def write(con: duckdb.DuckDBPyConnection, model: Model, people: Population, folder: Path) -> None:
    """Write the identity tables of an entity, if it has any."""
    if model.link is None:
        return
    clock, columns = model.life.clock, _link(model)
    files = DayFiles(folder / "identity" / model.entity, clock, Csv())
    for first, end in stretches(model.ids, clock.days):
        files.deal(con, {name: name for name in columns}, _links(model, columns, first, end), "id, copy")
    if model.merges:
        _write_merged(con, model, people, files)


def _write_merged(con: duckdb.DuckDBPyConnection, model: Model, people: Population, links: DayFiles) -> None:
    """Links of merged parties, and the table of merges."""
    columns = _links_of_merged(model, people)
    links.deal(
        con, {name: name for name in columns}, select({"day": "day", "id": "id", **columns}, _merged(model)), "id"
    )
    columns = _merges(model, people)
    files = DayFiles(links.folder.with_name("party_merges"), links.clock, Csv())
    files.deal(
        con, {name: name for name in columns}, select({"day": "day", "id": "id", **columns}, _merged(model)), "id"
    )


def _links(model: Model, columns: dict[str, str], first: int, end: int) -> str:
    """Own links of a stretch of rows, once for each day."""
    rows = lives.relation(model, lives.ids(first, end) + rendering.members(model, first, end))
    view = adding(sight.presence(model), lives.every_day(model, rows))
    return select(
        {"day": "day", "id": "id", "copy": "copy", **columns}, f"(SELECT * FROM ({view}) WHERE {_linked(model)})"
    )


def _linked(model: Model) -> str:
    """Condition: the row's own link has been written by this day."""
    arrived = f"(born IS NULL OR born + delay < (day + 1) * {DAY})"
    if model.merges:
        arrived += f" AND (id < {model.merges.first} OR {model.merges.day} >= 0)"
    return (
        f"CASE WHEN act IS NULL THEN {arrived} WHEN act IN {NOT_LINKED} THEN FALSE "
        "WHEN act = 'unmapped' THEN NOT on_day WHEN act = 'second_service' THEN on_day "
        f"WHEN act = 'pending' THEN day > d2 ELSE {arrived} END"
    )


def _link(model: Model) -> dict[str, str]:
    keys, service_column = model.link or (lambda _of: {}, "")
    chance = model.life.chance
    legacy_id = "CASE WHEN act = 'second_service' THEN partner ELSE id END"
    unsure = [str(number) for number, planting in enumerate(model.plantings) if planting.reason == "ambiguous"]
    candidate = f"on_day AND plan IN ({', '.join(unsure)})"
    columns = {
        **keys(f"({legacy_id})"),
        service_column: model.service[service_column] if model.merges else model.service_key("id"),
        "valid_from": _date(model, f"CASE WHEN act = 'pending' THEN d2 + 1 WHEN act = 'second_service' THEN d1 "
                            f"ELSE COALESCE((born + delay) // {DAY}, -100 - {chance.number('linked', 900)}) END"),
        "valid_to": _until(model),
        "provenance": when(candidate, "'name_match'", chance.pick("provenance", ("migration", "api", "manual"))),
        "confidence": when(candidate, when("act = 'candidates'", "'0.62'", "'0.58'"), "'1.00'"),
    }  # fmt: skip
    return columns | ({"is_primary": f"copy <= {rendering.MEMBER}"} if model.merges else {})


def _until(model: Model) -> str:
    """The day a link ended: that of the legacy row's deletion, or of the service's where legacy rows stay."""
    ended = f"died // {DAY}"
    if model.soft is Side.LEGACY:
        ended = f"CASE WHEN act IN {sight.NOT_DELETED} THEN d2 + 1 ELSE (died + delay) // {DAY} END"
    if model.merges:
        ended = f"CASE WHEN id >= {model.merges.first} THEN {model.merges.day} WHEN died IS NOT NULL THEN {ended} END"
    return f"CASE WHEN ({ended}) <= day THEN {_date(model, f'({ended})')} END"


def _date(model: Model, number: str) -> str:
    return f"DATE '{model.life.clock.first_day}' + CAST({number} AS INTEGER)"


def _merged(model: Model) -> str:
    """Ids of the parties merged by each day."""
    first, count, merged_on = (
        (model.merges.first, model.merges.count, model.merges.day) if model.merges else (0, 0, "0")
    )
    rows = lives.every_day(model, f"SELECT range AS id FROM range({first}, {first + count})")
    return f"(SELECT *, {merged_on} AS merged_on FROM {rows} WHERE {merged_on} <= day)"


def _links_of_merged(model: Model, people: Population) -> dict[str, str]:
    return {
        "party_no": people.party_no("id"),
        "party_id": people.party_reference("id"),
        "valid_from": _date(model, "CASE WHEN merged_on < 0 THEN -200 - id % 300 ELSE merged_on END"),
        "valid_to": "NULL",
        "provenance": "'merge'",
        "confidence": "'1.00'",
        "is_primary": "TRUE",
    }


def _merges(model: Model, people: Population) -> dict[str, str]:
    return {
        "from_party_no": people.party_no("id"),
        "into_party_no": people.party_no(people.survivor("id")),
        "merged_on": _date(model, "CASE WHEN merged_on < 0 THEN -200 - id % 300 ELSE merged_on END"),
    }
