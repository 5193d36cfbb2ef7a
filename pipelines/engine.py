"""The engine that runs the plan: DuckDB in memory over Parquet, with bounded memory, spilling to disk.

Everything but file scans is canonical SQL, compiled on the way in; stages know relations by name and never see DuckDB.
One engine serves one reconciliation and is closed with it. Another engine would be another class with these verbs.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import places, settings
from pipelines.errors import IntegrityError, SourceError
from pipelines.expressions import compile_sql, quote
from pipelines.macros import MACROS, definitions
from pipelines.types import as_kept, kept, restored

BATCH_ROWS = 131_072
_ENGINE_SHARE = 0.75
_LIMIT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*")
_UNIT = re.compile(r"([KMGT]?)(i?)B?", re.IGNORECASE)


@dataclass(frozen=True)
class Resources:
    """What a process may use while it reconciles. Memory is a hard limit: what goes beyond it is spilled to disk."""

    memory_limit: str = field(default_factory=lambda: settings.size("COEXIST_MEMORY_LIMIT", "4GB"))
    threads: int = field(default_factory=lambda: settings.whole_number("COEXIST_THREADS", 0) or os.cpu_count() or 1)

    def part(self, share: float) -> Resources:
        """The same threads with a share of the memory. A limit that is no number with a unit is left as it is."""
        said = _LIMIT.fullmatch(self.memory_limit)
        return replace(self, memory_limit=f"{float(said[1]) * share:.3f}{said[2]}") if said else self

    @property
    def engine_memory(self) -> int:
        """Bytes that an engine may fill before it spills; 0 where the limit is no number with a unit."""
        said = _LIMIT.fullmatch(self.memory_limit)
        known = said and _UNIT.fullmatch(said[2])
        if not said or not known:
            return 0
        step = 1024 if known[2] else 1000
        return int(float(said[1]) * _ENGINE_SHARE * step ** " KMGT".index(known[1].upper() or " "))


@contextmanager
def opened(resources: Resources | None = None) -> Iterator[Engine]:
    """An engine for the length of a block; its spill folder goes with it."""
    # The rest of the memory is for rows on their way in and out, and for the sieve.
    wanted = (resources or Resources()).part(_ENGINE_SHARE)
    with tempfile.TemporaryDirectory(prefix="coexist-spill-") as spill:
        connection = duckdb.connect(
            config={
                "memory_limit": wanted.memory_limit,
                "threads": wanted.threads,
                "temp_directory": spill,
            }
        )
        try:
            # Not in `config`: there it is set before the extension that knows zones is loaded, and refused.
            connection.execute("SET TimeZone = 'UTC'")
            # The one takes longer on the wide projections of a plan than all else together, and saves nothing. The
            # other turns a count over a window into a join, for which the rows to be counted are made twice.
            connection.execute("SET disabled_optimizers = 'projection_placement,window_self_join'")
            yield Engine(connection, wanted)
        finally:
            connection.close()


class Engine:
    """Named relations and canonical SQL over them."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, resources: Resources) -> None:
        self._connection = connection
        self._resources = resources
        self._macros: set[str] = set()

    def scan(self, name: str, files: Sequence[Path], *, partitions: Sequence[str] = ()) -> None:
        """A view over Parquet files of one schema; with `partitions`, each file's key stands in `__partition`."""
        if not partitions:
            self._create("VIEW", name, f"SELECT * FROM {_parquet(*files)}")
            return
        parts = [
            f"SELECT *, '{key}' AS __partition FROM {_parquet(file)}"
            for key, file in zip(partitions, files, strict=True)
        ]
        self._create("VIEW", name, " UNION ALL ".join(parts))

    def scan_rows(self, name: str, file: Path, *, adding: str) -> None:
        """A view over one Parquet file with each row's place in it as `__position`, and canonical columns added."""
        positions = f"SELECT *, file_row_number AS __position FROM {_parquet(file, places=True)}"
        self._create("VIEW", f"{name} positions", positions)
        self.view(name, f"SELECT *, {adding} FROM {quote(f'{name} positions')}")

    def scan_places(self, name: str, file: Path, at: pa.Table) -> None:
        """Those rows of one Parquet file that stand at certain places in it (see `places.rows_at`); read once, now.

        `name` has the columns of the file, `<name> placed` what else is known of the places as well.
        """
        self._take_in(name, file, places.rows_at(file, at), "CREATE OR REPLACE TEMP TABLE {} AS")
        columns = ", ".join(map(quote, pq.read_schema(file).names))
        self._create("VIEW", name, f"SELECT {columns} FROM {quote(f'{name} placed')}")

    def add_placed(self, name: str, file: Path, rows: pa.RecordBatchReader) -> None:
        """More rows of the same file to those of `scan_places`, as `places` gives them."""
        self._take_in(name, file, rows, "INSERT INTO {}")

    def placed(self, name: str, file: Path) -> pa.RecordBatchReader:
        """All that `scan_places` found and `add_placed` added, as a stream, in types as they are kept."""
        schema = pq.read_schema(file)
        with _translated_errors():
            rows = self._connection.sql(f"SELECT {kept(schema)} FROM {quote(f'{name} placed')}")
            found = rows.to_arrow_reader(BATCH_ROWS)
        beside = [field for field in found.schema if field.name not in schema.names]
        return found.cast(pa.schema([*as_kept(schema), *beside]))

    def scan_holding(self, name: str, files: Mapping[str, Path], values: pa.Table) -> None:
        """Those rows of Parquet files of one schema that hold one of the `values` in each column there named.

        A stream that is read once; each file's key stands in `__partition`.
        """
        held = f"{name} as kept"
        self._connection.register(held, places.rows_holding(files, values))
        columns = restored(pq.read_schema(next(iter(files.values()))), from_parquet=True)
        self._create("VIEW", name, f"SELECT {columns} FROM {quote(held)}")

    def register(self, name: str, table: pa.Table | pa.RecordBatchReader) -> None:
        """A table of ours, or a stream that is read once, as a relation."""
        columns = restored(table.schema, from_parquet=False)
        held = name if columns == "*" else f"{name} as held"
        self._connection.register(held, table)
        if held != name:
            self._create("VIEW", name, f"SELECT {columns} FROM {quote(held)}")

    @contextmanager
    def lending(self, share: float) -> Iterator[None]:
        """For the length of a block, fill so much less of the memory: it is used outside."""
        self._connection.execute(f"SET memory_limit = '{self._resources.part(1 - share).memory_limit}'")
        try:
            yield
        finally:
            self._connection.execute(f"SET memory_limit = '{self._resources.memory_limit}'")

    def view(self, name: str, sql: str) -> None:
        """A relation computed whenever it is read."""
        self._create("VIEW", name, self._compiled(sql))

    def materialise(self, name: str, sql: str) -> None:
        """A relation computed once, now."""
        self._create("TABLE", name, self._compiled(sql))

    def is_empty(self, relation: str) -> bool:
        """Whether a relation has no rows."""
        return not self.has_more(relation, than=0)

    def has_more(self, relation: str, *, than: int) -> bool:
        """Whether a relation has more than so many rows."""
        with _translated_errors():
            return bool(self._connection.execute(f"SELECT 1 FROM {quote(relation)} LIMIT 1 OFFSET {than}").fetchall())

    def rows(self, sql: str) -> list[dict[str, object]]:
        """All rows of a small result."""
        found: list[dict[str, object]] = self.table(sql).to_pylist()
        return found

    def table(self, sql: str) -> pa.Table:
        """A small result as an Arrow table."""
        with _translated_errors():
            return self._connection.sql(self._compiled(sql)).to_arrow_table()

    def reader(self, sql: str) -> pa.RecordBatchReader:
        """A result of any size as a stream of record batches."""
        with _translated_errors():
            return self._connection.sql(self._compiled(sql)).to_arrow_reader(BATCH_ROWS)

    def types(self, relation: str) -> dict[str, str]:
        """Column names of a relation and their engine types, such as DECIMAL(12,2)."""
        described = self._connection.sql(f"SELECT * FROM {quote(relation)} LIMIT 0")
        return {name: str(kind) for name, kind in zip(described.columns, described.types, strict=True)}

    def _compiled(self, sql: str) -> str:
        """In the engine's own dialect, every macro it calls being defined."""
        compiled = compile_sql(sql)
        for name in MACROS:
            if name not in self._macros and f"{name}(" in compiled:
                self._macros.add(name)
                for definition in definitions(name):
                    self._connection.execute(definition)
        return compiled

    def _take_in(self, name: str, file: Path, rows: pa.RecordBatchReader, where: str) -> None:
        """Read rows of a Parquet file, in types as they are kept, into the table `<name> placed`."""
        columns, picked = restored(pq.read_schema(file), from_parquet=True), f"{name} picked"
        self._connection.register(picked, rows)
        with _translated_errors():
            self._connection.execute(f"{where.format(quote(f'{name} placed'))} SELECT {columns} FROM {quote(picked)}")
        self._connection.unregister(picked)

    def _create(self, what: str, name: str, sql: str) -> None:
        with _translated_errors():
            self._connection.execute(f"CREATE OR REPLACE TEMP {what} {quote(name)} AS {sql}")


def _parquet(*files: Path, places: bool = False) -> str:
    """These files as they are: the partition in their path is not a column of theirs, and may not hide one.

    With `places` each row's place in its file stands in `file_row_number`.
    """
    listed = ", ".join("'" + str(file).replace("'", "''") + "'" for file in files)
    columns = restored(pq.read_schema(files[0]), from_parquet=True)
    return f"(SELECT {columns} FROM read_parquet([{listed}], hive_partitioning = false, file_row_number = {places}))"


@contextmanager
def _translated_errors() -> Iterator[None]:
    """Engine failures that are not our own defects, in the words of the error families."""
    try:
        yield
    except duckdb.IOException as error:
        raise SourceError(f"cannot read the lake: {error}", transient=True) from error
    except duckdb.OutOfMemoryException as error:
        message = f"out of memory or spill space; raise COEXIST_MEMORY_LIMIT or free the temporary folder: {error}"
        raise IntegrityError(message) from error
