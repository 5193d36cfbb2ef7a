"""Re-running a partition with the same inputs writes the same bytes: every data page but those of the run's id."""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from assets.contexts.banks import context
from pipelines.job import Job
from pipelines.lake import Address, Lake, Manifest
from pipelines.reconciliation import reconcile

DATE = "2026-06-08"
TABLES = ("discrepancies", "drift", "linkage", "lag", "untranslatable")


def run(root: Path) -> tuple[Lake, dict[str, Manifest]]:
    lake = Lake(root)
    return lake, reconcile(Job(context, context.entities[0], DATE, lake))


def pages(file: Path) -> dict[str, list[bytes]]:
    """The bytes of every column as they stand in the file, row group by row group."""
    content, metadata = file.read_bytes(), pq.read_metadata(file)
    found: dict[str, list[bytes]] = {}
    for group in range(metadata.num_row_groups):
        for number in range(metadata.num_columns):
            column = metadata.row_group(group).column(number)
            begin = column.dictionary_page_offset or column.data_page_offset
            found.setdefault(column.path_in_schema, []).append(content[begin : begin + column.total_compressed_size])
    return found


def test_a_second_run_on_other_threads_writes_the_same_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COEXIST_VERIFY", "1")  # else what was found would stand
    monkeypatch.setenv("COEXIST_THREADS", "1")
    lake, first = run(tmp_path)
    before = {table: pages(lake.file(Address("banks", "banks", table, DATE))) for table in TABLES}

    monkeypatch.setenv("COEXIST_THREADS", "4")
    _, second = run(tmp_path)

    after = {table: pages(lake.file(Address("banks", "banks", table, DATE))) for table in TABLES}
    assert {table: manifest.digest for table, manifest in second.items()} == {
        table: manifest.digest for table, manifest in first.items()
    }
    assert first["drift"].run_id != second["drift"].run_id
    for table in TABLES:
        changed = {name for name, content in after[table].items() if content != before[table][name]}
        assert changed <= {"run_id"}, table


@pytest.mark.parametrize("table", TABLES)
def test_every_reader_reads_every_table(tmp_path: Path, table: str) -> None:
    lake, written = run(tmp_path)
    folder, rows = lake.root / "banks" / "banks" / table, written[table].rows

    assert duckdb.sql(f"SELECT business_date FROM '{folder}/**/*.parquet'").pl().height == rows
    assert pl.read_parquet(f"{folder}/**/*.parquet", hive_partitioning=True).height == rows
    assert ds.dataset(folder, partitioning="hive").to_table().num_rows == rows
