"""The benchmark's data: two Parquet models of one entity with fields of mixed types and a known number of differences.

Every value is a function of row and field, so any size is written in one streaming pass. With drift 0.01 exactly the
rows whose number is divisible by 100 differ, each in one field.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

KINDS = {
    "integer": "CAST(hash(id, {n}) % 1000000 AS BIGINT)",
    "amount": "CAST(CAST(hash(id, {n}) % 100000000 AS BIGINT) * 0.01 AS DECIMAL(14,2))",
    "code": "'C' || CAST(hash(id, {n}) % 40 AS VARCHAR)",
    "name": "'Name ' || CAST(hash(id, {n}) % 5000000 AS VARCHAR)",
    "day": "DATE '2000-01-01' + CAST(hash(id, {n}) % 9000 AS INTEGER)",
    "moment": "make_timestamptz(CAST(1500000000000000 + hash(id, {n}) % 200000000000000 AS BIGINT))",
    "flag": "hash(id, {n}) % 2 = 0",
    "ratio": "CAST(hash(id, {n}) % 1000003 AS DOUBLE) / 7",
}
CHANGES = {
    "integer": "{value} + 1",
    "amount": "CAST({value} + 0.01 AS DECIMAL(14,2))",
    "code": "'X' || {value}",
    "name": "{value} || ' '",
    "day": "{value} + 1",
    "moment": "{value} + INTERVAL 1 SECOND",
    "flag": "NOT {value}",
    "ratio": "{value} + 0.5",
}
# How a legacy system writes the same down, for the world that is translated: codes of its own, texts with blanks.
OLD_SPELLINGS = {
    "integer": "CAST({value} AS VARCHAR)",
    "code": "lower({value}) || '  '",
    "name": "'  ' || {value} || ' '",
    "day": "strftime({value}, '%Y%m%d')",
    "amount": "CAST({value} AS VARCHAR)",
}


@dataclass(frozen=True)
class World:
    """How large, how different, and in what order and words the two sides are."""

    rows: int
    fields: int = 16
    drift: float = 0.01
    shuffled: bool = False  # the service's rows in another order
    spelt_as_of_old: int = 0  # so many legacy columns written as an old system writes them
    touched: int = 0  # one row in so many says something else, on both sides, than in the world without

    @property
    def differences(self) -> int:
        """How many rows differ."""
        return 0 if not self.drift else (self.rows + self.every - 1) // self.every

    @property
    def every(self) -> int:
        """One row in so many differs."""
        return round(1 / self.drift)

    @property
    def names(self) -> list[str]:
        """The fields, kinds taking turns: integer_0, amount_1, ..."""
        kinds = list(KINDS)
        return [f"{kinds[n % len(kinds)]}_{n}" for n in range(self.fields)]

    @property
    def old(self) -> list[str]:
        """The fields that legacy writes in its own way."""
        return [name for name in self.names if kind_of(name) in OLD_SPELLINGS][: self.spelt_as_of_old]


def kind_of(name: str) -> str:
    """The kind of a field, from its name."""
    return name.split("_", maxsplit=1)[0]


def write(folder: Path, world: World) -> None:
    """Write legacy.parquet, service.parquet and links.parquet, which leads from the one's keys to the other's."""
    folder.mkdir(parents=True, exist_ok=True)
    values = {name: KINDS[kind_of(name)].format(n=n) for n, name in enumerate(world.names)}
    if world.touched:
        first = world.names[0]
        values[first] = f"({values[first]} + CASE WHEN id % {world.touched} = 1 THEN 1000000 ELSE 0 END)"
    legacy = {name: _as_of_old(name, value) if name in world.old else value for name, value in values.items()}
    service = {name: _changed(world, n, value) for n, (name, value) in enumerate(values.items())}
    rows = f"(SELECT CAST(range AS BIGINT) AS id FROM range({world.rows}))"
    _copy(f"SELECT id, {_listed(legacy)} FROM {rows}", folder / "legacy.parquet")
    order = "ORDER BY hash(id)" if world.shuffled else ""
    _copy(f"SELECT id, {_listed(service)} FROM {rows} {order}", folder / "service.parquet")
    _copy(f"SELECT id AS legacy_id, id AS service_id FROM {rows}", folder / "links.parquet")


def _listed(columns: dict[str, str]) -> str:
    return ", ".join(f"{value} AS {name}" for name, value in columns.items())


def _copy(query: str, file: Path) -> None:
    with duckdb.connect(config={"memory_limit": "4GB", "threads": 2}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"COPY ({query}) TO '{file}' (FORMAT parquet, COMPRESSION zstd)")


def _as_of_old(name: str, value: str) -> str:
    return OLD_SPELLINGS[kind_of(name)].format(value=f"({value})")


def _changed(world: World, n: int, value: str) -> str:
    """The service's value: every so many rows one differs, in the fields by turns."""
    if not world.drift:
        return value
    change = CHANGES[kind_of(world.names[n])].format(value=f"({value})")
    hit = f"id % {world.every} = 0 AND (id // {world.every}) % {world.fields} = {n}"
    return f"CASE WHEN {hit} THEN {change} ELSE {value} END"
