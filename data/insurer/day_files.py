"""A file a day, written in stretches: rows of many ids and all days are worked out at once, then dealt out to the days.

Memory is bounded by the stretch. Within a file rows are in the order of ids (events: of recording) of each stretch.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from data.insurer.clock import Clock

ROWS_AT_ONCE = 400_000


def stretches(ids: int, days: int) -> Iterator[tuple[int, int]]:
    """First and next-to-last id of each stretch."""
    length = max(1_000, ROWS_AT_ONCE // days)
    for first in range(0, ids, length):
        yield first, min(ids, first + length)


class Format(Protocol):
    """How one day's rows are appended to its file."""

    suffix: str

    def append(self, con: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
        """Write the first or further rows."""

    def close(self) -> None:
        """Finish all files."""


@dataclass
class Csv:
    """CSV with a header, in UTF-8."""

    delimiter: str = ","
    suffix: str = "csv"

    def append(self, con: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
        """Write the rows aside and append them."""
        first = not path.exists()
        options = f"FORMAT csv, DELIMITER '{self.delimiter}', HEADER {first}"
        _append_file(con, query, options, path, "utf-8")

    def close(self) -> None:
        """Nothing is kept open."""


@dataclass
class Lines:
    """One column of text, a line a row, in an old encoding with one byte a character."""

    encoding: str
    suffix: str = "txt"

    def append(self, con: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
        """Write the rows aside and append them."""
        options = "FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\\x01'"
        _append_file(con, query, options, path, self.encoding)

    def close(self) -> None:
        """Nothing is kept open."""


@dataclass
class Parquet:
    """Parquet, a row group a stretch."""

    suffix: str = "parquet"
    writers: dict[Path, pq.ParquetWriter] = field(default_factory=dict)

    def append(self, con: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
        """Write a row group."""
        rows: pa.Table = con.sql(query).to_arrow_table()
        if path not in self.writers:
            self.writers[path] = pq.ParquetWriter(path, rows.schema, compression="zstd")
        self.writers[path].write_table(rows)

    def close(self) -> None:
        """Write the footers."""
        for writer in self.writers.values():
            writer.close()


@dataclass
class DayFiles:
    """The files of one kind, a file a day."""

    folder: Path
    clock: Clock
    format: Format
    rows: dict[int, int] = field(default_factory=dict)

    def deal(self, con: duckdb.DuckDBPyConnection, columns: Mapping[str, str], query: str, order: str) -> None:
        """Append a query's rows, which have a column `day`, to the days' files; only `columns` are written."""
        self.folder.mkdir(parents=True, exist_ok=True)
        con.execute(f"CREATE OR REPLACE TEMP TABLE dealt AS {query}")
        for day, count in con.execute("SELECT day, count(*) FROM dealt GROUP BY day").fetchall():
            self.rows[day] = self.rows.get(day, 0) + count
        listed = ", ".join(columns.values())
        for day in range(self.clock.days):
            path = self.folder / f"{self.clock.day(day)}.{self.format.suffix}"
            self.format.append(con, f"SELECT {listed} FROM dealt WHERE day = {day} ORDER BY {order}", path)

    def close(self) -> None:
        """Finish the files."""
        self.format.close()


def copy(con: duckdb.DuckDBPyConnection, query: str, path: Path, options: str) -> None:
    """Write a query's rows to a file of their own."""
    con.execute(f"COPY ({query}) TO '{path}' ({options})")


def _append_file(con: duckdb.DuckDBPyConnection, query: str, options: str, path: Path, encoding: str) -> None:
    """The engine writes UTF-8, aside when something is to be appended or in another encoding."""
    if encoding == "utf-8" and not path.exists():
        return copy(con, query, path, options)
    aside = path.with_suffix(".aside")
    copy(con, query, aside, options)
    with aside.open(encoding="utf-8", newline="") as written, path.open("a", encoding=encoding, newline="") as file:
        shutil.copyfileobj(written, file)
    return aside.unlink()
