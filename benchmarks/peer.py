"""One peer at work, in its own environment: `python -m benchmarks.peer NAME LEGACY SERVICE WHAT`.

Each is used as its documentation says for two Parquet files with the key `id`. WHAT is `count`: only count the rows
that differ; `report`: what a comparison is made for, how many rows differ in each field, and both values of every row
that differs as a Parquet file; or `prepare`: reladiff, which compares tables of databases, gets each file as a table
of a DuckDB database of its own beforehand.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from pathlib import Path

from benchmarks.measured import report

if sys.argv[1] == "datacompy":
    import datacompy
    import polars as pl
elif sys.argv[1] == "diffly":
    import diffly
    import polars as pl
else:
    import duckdb
    import reladiff
    from reladiff import Algorithm

_THREADS = 2


def count_datacompy(legacy: str, service: str) -> int:
    """Rows that both hold and that differ, by PolarsCompare."""
    compare = datacompy.PolarsCompare(pl.read_parquet(legacy), pl.read_parquet(service), join_columns="id")
    return int(compare.intersect_rows.height - compare.count_matching_rows())


def report_datacompy(legacy: str, service: str) -> int:
    """The differing rows with both values of each column, and its own statistics of columns."""
    compare = datacompy.PolarsCompare(pl.read_parquet(legacy), pl.read_parquet(service), join_columns="id")
    differing = compare.all_mismatch(ignore_matching_cols=False)
    differing.write_parquet(_report_beside(legacy))
    counts = {str(column["column"]): int(column["unequal_cnt"]) for column in compare.column_stats}
    return differing.height if sum(counts.values()) else 0


def count_diffly(legacy: str, service: str) -> int:
    """Rows that both hold and that differ, by compare_frames, with no tolerance."""
    return int(_by_diffly(legacy, service).num_rows_joined_unequal())


def report_diffly(legacy: str, service: str) -> int:
    """The differing rows with both values of each column, and the rate of each column."""
    compared = _by_diffly(legacy, service)
    differing = compared.joined_unequal(lazy=False)
    differing.write_parquet(_report_beside(legacy))
    return differing.height if min(compared.fraction_same().values()) < 1 else 0


def _by_diffly(legacy: str, service: str) -> diffly.comparison.DataFrameComparison:
    return diffly.compare_frames(pl.scan_parquet(legacy), pl.scan_parquet(service), primary_key="id", rel_tol=0)


def count_reladiff(legacy: str, service: str) -> int:
    """Keys that differ, by hashing segments of both tables."""
    return len({row[0] for _, row in _by_reladiff(legacy, service)[1]})


def report_reladiff(legacy: str, service: str) -> int:
    """The differing rows of both sides as it yields them; the columns that differ have to be told from these."""
    columns, found = _by_reladiff(legacy, service)
    sides: dict[str, dict[object, tuple[object, ...]]] = {"-": {}, "+": {}}
    for sign, row in found:
        sides[sign][row[0]] = row
    both = sides["-"].keys() & sides["+"].keys()
    counts = Counter(
        name for key in both for name, old, new in zip(columns, sides["-"][key], sides["+"][key], strict=True)
        if old != new
    )  # fmt: skip
    with _report_beside(legacy).with_suffix(".csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["sign", *columns])
        writer.writerows([sign, *row] for sign, row in found)
    duckdb.sql(f"COPY (FROM read_csv('{file.name}', all_varchar = true)) TO '{_report_beside(legacy)}'")
    return len(both) if counts else 0


def _by_reladiff(legacy: str, service: str) -> tuple[list[str], list[tuple[str, tuple[object, ...]]]]:
    with duckdb.connect(str(_database(legacy)), read_only=True) as connection:
        columns = [name for name in connection.table("bench").columns if name != "id"]
    tables = [
        reladiff.connect_to_table({"driver": "duckdb", "filepath": str(database)}, "bench", "id")
        for database in map(_database, (legacy, service))
    ]
    found = reladiff.diff_tables(
        *tables, extra_columns=tuple(columns), algorithm=Algorithm.HASHDIFF, max_threadpool_size=_THREADS
    )
    return ["id", *columns], list(found)


def _report_beside(file: str) -> Path:
    return Path(file).with_name("peer_report.parquet")


def prepare_reladiff(legacy: str, service: str) -> int:
    """Each file as a table of its own database."""
    for file in (legacy, service):
        _database(file).unlink(missing_ok=True)
        with duckdb.connect(str(_database(file))) as connection:
            connection.execute(f"CREATE TABLE bench AS FROM '{file}'")
    return 0


def _database(file: str) -> Path:
    return Path(file).with_suffix(".duckdb")


if __name__ == "__main__":
    name, legacy_file, service_file, what = sys.argv[1:]
    work = globals()[f"{what}_{name}"]
    report(lambda: work(legacy_file, service_file))
