"""The engine that runs the plan: DuckDB in memory over Parquet, with bounded memory, spilling to disk.

Everything but file scans is canonical SQL, compiled on the way in; stages know relations by name and never see DuckDB.
One engine serves one reconciliation and is closed with it. Another engine would be another class with these verbs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import evolution, instances, places
from pipelines.errors import IntegrityError, SourceError
from pipelines.expressions import compile_sql, quote
from pipelines.macros import MACROS, definitions
from pipelines.resources import Resources
from pipelines.types import as_kept, kept, restored

BATCH_ROWS = 32_768
_ONE_THREADS = 122_880  # rows: a row group of DuckDB's, which one thread takes as a whole


@contextmanager
def opened(resources: Resources | None = None, *, rows: int | None = None) -> Iterator[Engine]:
    """An engine for the length of a block; its relations go with it.

    When it is known that it reads few `rows`, one thread does all: there is nothing to share out, and to keep others
    waiting costs each statement more than its rows do.
    """
    wanted = resources or Resources()
    threads = 1 if rows is not None and rows <= _ONE_THREADS else wanted.threads
    with instances.lent(wanted, threads=threads) as connection:
        yield Engine(connection, wanted.engine_memory)


@dataclass(frozen=True)
class Era:
    """Parquet files of one schema, by key, and its columns with their engine types."""

    files: Mapping[str, Path]
    types: Mapping[str, str]

    def columns_of(self, now: Mapping[str, str]) -> str:
        """The select list of the columns of `now`: those that are not held are missing."""
        held = evolution.held(self.types, now)
        return ", ".join(quote(name) if name in held else f"NULL AS {quote(name)}" for name in now)


class Engine:
    """Named relations and canonical SQL over them."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, memory: int) -> None:
        self._connection = connection
        self._memory = memory
        self._macros: set[str] = set()
        self._computed: set[str] = set()

    def scan(self, name: str, files: Sequence[Path], *, partitions: Sequence[str] = ()) -> None:
        """A view over Parquet files of one schema; with `partitions`, each file's key stands in `__partition`.

        They may have several schemas then: all are read by the columns of the last, which are missing where they are
        not `evolution.held`.
        """
        if not partitions:
            self._create("VIEW", name, f"SELECT * FROM {_parquet(*files)}")
            return
        columns = self._by_those_of_the_last(files)
        parts = [
            f"SELECT {columns[file]}, '{key}' AS __partition FROM {_parquet(file)}"
            for key, file in zip(partitions, files, strict=True)
        ]
        self._create("VIEW", name, " UNION ALL ".join([parts[-1], *parts[:-1]]))  # the first one's types are given

    def scan_rows(self, name: str, file: Path, *, adding: str) -> None:
        """A view over one Parquet file with each row's place in it as `__position`, and canonical columns added."""
        positions = f"SELECT *, file_row_number AS __position FROM {_parquet(file, places=True)}"
        self._create("VIEW", f"{name} positions", positions)
        self.view(name, f"SELECT *, {adding} FROM {quote(f'{name} positions')}")

    def hold_places(self, name: str, file: Path, knowing: pa.Schema) -> None:
        """Make room for rows of a Parquet file that `add_placed` adds, and for what else is known of their places.

        `name` has the columns of the file, `<name> placed` what is known as well.
        """
        schema = pq.read_schema(file)
        none = pa.schema([*as_kept(schema), *knowing]).empty_table()
        columns, held = restored(schema, from_parquet=True), quote(f"{name} placed")
        self._insert(f"CREATE OR REPLACE TEMP TABLE {held} AS SELECT {columns}", none)
        self._create("VIEW", name, f"SELECT {', '.join(map(quote, schema.names))} FROM {held}")

    def add_placed(self, name: str, file: Path, rows: pa.RecordBatchReader) -> None:
        """Rows of the file, in types as they are kept, with what else is known of their places; read once, now."""
        columns = restored(pq.read_schema(file), from_parquet=True)
        self._insert(f"INSERT INTO {quote(f'{name} placed')} SELECT {columns}", rows)

    def placed(self, name: str, file: Path) -> pa.RecordBatchReader:
        """All that `add_placed` added, as a stream, in types as they are kept."""
        schema = pq.read_schema(file)
        with _translated_errors():
            rows = self._connection.sql(f"SELECT {kept(schema)} FROM {quote(f'{name} placed')}")
            found = rows.to_arrow_reader(BATCH_ROWS)
        beside = [field for field in found.schema if field.name not in schema.names]
        return found.cast(pa.schema([*as_kept(schema), *beside]))

    def eras(self, files: Mapping[str, Path]) -> list[Era]:
        """Parquet files by what they hold: those of one schema, in their order, with its columns and engine types."""
        of_one: dict[tuple[tuple[str, str], ...], dict[str, Path]] = {}
        for key, file in files.items():
            of_one.setdefault(tuple((held.name, str(held.type)) for held in pq.read_schema(file)), {})[key] = file
        return [Era(those, self._types_in(next(iter(those.values())))) for those in of_one.values()]

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
        self._fill(int(self._memory * (1 - share)))
        try:
            yield
        finally:
            self._fill(self._memory)

    def view(self, name: str, sql: str) -> None:
        """A relation computed whenever it is read."""
        self._create("VIEW", name, self._compiled(sql))

    def materialise(self, name: str, sql: str) -> None:
        """A relation computed once, now."""
        self._create("TABLE", name, self._compiled(sql))
        self._computed.add(name)

    def forget(self, *names: str) -> None:
        """Give back the memory of relations that nobody reads again, as far as they were materialised."""
        for name in self._computed.intersection(names):
            self._connection.execute(f"DROP TABLE {quote(name)}")
            self._computed.remove(name)

    def add(self, name: str, rows: pa.Table) -> None:
        """More rows to a relation that was materialised, in its columns."""
        self._insert(f"INSERT INTO {quote(name)} SELECT *", rows)

    def is_empty(self, relation: str) -> bool:
        """Whether a relation has no rows."""
        with _translated_errors():  # without OFFSET, which costs more than all else here even where it is 0
            return not self._connection.execute(f"SELECT 1 FROM {quote(relation)} LIMIT 1").fetchall()

    def has_more(self, relation: str, *, than: int) -> bool:
        """Whether a relation has more than so many rows."""
        with _translated_errors():
            return bool(self._connection.execute(f"SELECT 1 FROM {quote(relation)} LIMIT 1 OFFSET {than}").fetchall())

    def number(self, sql: str) -> int:
        """The one number that a query is for, such as a count."""
        with _translated_errors():
            ((found,),) = self._connection.execute(self._compiled(sql)).fetchall()
        return int(found)

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
        return self.types_of(f"SELECT * FROM {quote(relation)}")

    def types_of(self, sql: str) -> dict[str, str]:
        """The same of a query, which is not run."""
        described = self._connection.execute(f"DESCRIBE {self._compiled(sql)}").fetchall()
        return {name: kind for name, kind, *_ in described}

    def _types_in(self, file: Path) -> dict[str, str]:
        described = self._connection.execute(f"DESCRIBE SELECT * FROM {_parquet(file)}").fetchall()
        return {name: kind for name, kind, *_ in described}

    def _by_those_of_the_last(self, files: Sequence[Path]) -> dict[Path, str]:
        """For each file the select list of the columns that the last one has."""
        eras = self.eras({str(file): file for file in files})
        if len(eras) == 1:
            return dict.fromkeys(files, "*")
        now = next(era.types for era in eras if files[-1] in era.files.values())
        return {file: era.columns_of(now) for era in eras for file in era.files.values()}

    def _compiled(self, sql: str) -> str:
        """In the engine's own dialect, every macro it calls being defined."""
        compiled = compile_sql(sql)
        for name in MACROS:
            if name not in self._macros and f"{name}(" in compiled:
                self._macros.add(name)
                for definition in definitions(name):
                    self._connection.execute(definition)
        return compiled

    def _insert(self, selecting: str, rows: pa.RecordBatchReader | pa.Table) -> None:
        """Run a statement that takes in what it selects from rows of ours."""
        self._connection.register("inserted", rows)
        with _translated_errors():
            self._connection.execute(f"{selecting} FROM inserted")
        self._connection.unregister("inserted")

    def _fill(self, memory: int) -> None:
        self._connection.execute(f"SET memory_limit = '{memory}B'")

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
