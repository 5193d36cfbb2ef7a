"""One peer at work, in its own environment: `python -m benchmarks.peer NAME LEGACY SERVICE [prepare]`.

Each is used as its documentation says for two Parquet files with the key `id`, and only counts the rows that differ;
reladiff, which compares tables of databases, gets each file as a table of a DuckDB database of its own beforehand.
"""

from __future__ import annotations

import sys
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


def with_datacompy(legacy: str, service: str) -> int:
    """Rows that both hold and that differ, by PolarsCompare."""
    compare = datacompy.PolarsCompare(pl.read_parquet(legacy), pl.read_parquet(service), join_columns="id")
    return int(compare.intersect_rows.height - compare.count_matching_rows())


def with_diffly(legacy: str, service: str) -> int:
    """Rows that both hold and that differ, by compare_frames, with no tolerance."""
    compared = diffly.compare_frames(pl.scan_parquet(legacy), pl.scan_parquet(service), primary_key="id", rel_tol=0)
    return int(compared.num_rows_joined_unequal())


def with_reladiff(legacy: str, service: str) -> int:
    """Keys that differ, by hashing segments of both tables."""
    with duckdb.connect(str(_database(legacy)), read_only=True) as connection:
        columns = tuple(name for name in connection.table("bench").columns if name != "id")
    tables = [
        reladiff.connect_to_table({"driver": "duckdb", "filepath": str(database)}, "bench", "id")
        for database in map(_database, (legacy, service))
    ]
    found = reladiff.diff_tables(
        *tables, extra_columns=columns, algorithm=Algorithm.HASHDIFF, max_threadpool_size=_THREADS
    )
    return len({row[0] for _, row in found})


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
    name, legacy_file, service_file, *step = sys.argv[1:]
    work = globals()[f"{'prepare' if step else 'with'}_{name}"]
    report(lambda: work(legacy_file, service_file))
