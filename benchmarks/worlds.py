"""The benchmark's data: two Parquet models of one entity with fields of mixed types and a known number of differences.

Every value is a function of row and field, so any size is written in one streaming pass. With drift 0.01 exactly the
rows whose number is divisible by 100 differ, each in one field.
"""

from __future__ import annotations

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


def field_names(fields: int) -> list[str]:
    """The names of so many fields, kinds taking turns: integer_0, amount_1, ..."""
    kinds = list(KINDS)
    return [f"{kinds[n % len(kinds)]}_{n}" for n in range(fields)]


def differences(rows: int, drift: float) -> int:
    """How many rows differ."""
    return 0 if not drift else (rows + round(1 / drift) - 1) // round(1 / drift)


def write(folder: Path, rows: int, fields: int, drift: float, *, shuffled: bool = False) -> tuple[Path, Path]:
    """Write legacy.parquet and service.parquet. The service's rows come in another order when shuffled."""
    folder.mkdir(parents=True, exist_ok=True)
    names = field_names(fields)
    values = [KINDS[name.split("_")[0]].format(n=n) for n, name in enumerate(names)]
    changed = [
        _changed(name, value, n, fields, drift) for n, (name, value) in enumerate(zip(names, values, strict=True))
    ]
    files = folder / "legacy.parquet", folder / "service.parquet"
    for file, columns in zip(files, (values, changed), strict=True):
        listed = ", ".join(f"{value} AS {name}" for name, value in zip(names, columns, strict=True))
        order = "ORDER BY hash(id)" if shuffled and columns is changed else ""
        with duckdb.connect(config={"memory_limit": "4GB", "threads": 2}) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute(
                f"COPY (SELECT id, {listed} FROM (SELECT CAST(range AS BIGINT) AS id FROM range({rows})) {order}) "
                f"TO '{file}' (FORMAT parquet, COMPRESSION zstd)"
            )
    return files


def _changed(name: str, value: str, n: int, fields: int, drift: float) -> str:
    """The service's value: every 1/drift-th row differs, in the fields by turns."""
    if not drift:
        return value
    every = round(1 / drift)
    change = CHANGES[name.split("_", maxsplit=1)[0]].format(value=f"({value})")
    return f"CASE WHEN id % {every} = 0 AND (id // {every}) % {fields} = {n} THEN {change} ELSE {value} END"
