"""The catalogue: `catalog.duckdb`, views over the lake's tables for BI tools. Built aside and swapped in by rename.

Only views, so that a file stays valid while partitions are replaced, and in DuckDB's old storage format, so that older
clients open it. One view per table over all entities, and one per entity in a schema named like its context.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import uuid4

import duckdb
import pyarrow as pa

from pipelines import chronicle, classification, concentrations, drift, events, lineage, readiness, runs, semantics
from pipelines.audit import figures
from pipelines.declarations import Context, Entity
from pipelines.errors import IntegrityError
from pipelines.expressions import literal, quote
from pipelines.lake import Address, Lake, atomic
from pipelines.lake.store import ASIDE
from pipelines.schemas import descriptions
from pipelines.witnesses import fold

DATED: dict[str, pa.Schema] = {
    "drift": drift.DRIFT_SCHEMA,
    "linkage": drift.LINKAGE_SCHEMA,
    "discrepancies": classification.SCHEMA,
    "discrepancy_history": chronicle.SCHEMA,
    "concentrations": concentrations.SCHEMA,
    "lag": drift.LAG_SCHEMA,
    "event_findings": events.FINDINGS,
    "event_offsets": events.OFFSETS,
    "fold_findings": fold.SCHEMA,
    "semantic_rules": semantics.RESULTS,
    "audits": figures.SCHEMA,
    "readiness": readiness.SCHEMA,
    "runs": runs.SCHEMA,
}
UNDATED: dict[str, pa.Schema] = {"fields": lineage.FIELDS_SCHEMA, "lineage": lineage.LINEAGE_SCHEMA}
FOLDERS = {"discrepancies": ("discrepancies", "violations")}  # tables that are kept in several folders
FILE = "catalog.duckdb"
_STORAGE = "v1.0.0"  # the oldest format still written: clients of DuckDB 1.x read it


def publish(lake: Lake, declared: Sequence[tuple[Context, Entity]]) -> Path:
    """Write the declared fields and their lineage to the lake and build the catalogue anew. Returns its path.

    Raises IntegrityError when the lake cannot be written.
    """
    with lake.transaction(uuid4().hex) as transaction:
        for context, entity in declared:
            transaction.write(Address(context.name, entity.name, "fields"), lineage.fields(context, entity))
            transaction.write(Address(context.name, entity.name, "lineage"), lineage.lineage(context, entity))
    return build(lake)


def build(lake: Lake) -> Path:
    """Build the catalogue of everything in the lake. Readers that have the old one open keep it."""
    final = lake.root / FILE
    try:
        # A machine that has read nothing of a lake elsewhere has no mirror: the folder is made.
        with atomic.aside(lake.root / ASIDE, "catalog") as aside:
            with duckdb.connect() as connection:
                connection.execute(
                    f"ATTACH {literal(str(aside / FILE))} AS catalog_file (STORAGE_VERSION '{_STORAGE}')"
                )
                connection.execute("USE catalog_file")
                connection.begin()  # to write down each of two thousand statements takes as long as they do
                for statement in _statements(lake):
                    connection.execute(statement)
                connection.commit()
                connection.execute("USE memory")
                connection.execute("DETACH catalog_file")
            (aside / FILE).replace(final)
    except (OSError, duckdb.IOException) as error:
        raise IntegrityError(f"cannot write the catalogue {final}: {error}") from error
    return final


def _statements(lake: Lake) -> Iterator[str]:
    for table, schema in (DATED | UNDATED).items():
        addresses = [address for folder in _folders(table) for address in lake.addresses(folder)]
        for address in addresses:
            lake.file(address)  # in object storage: bring it here, where the views look
        yield from _view(quote(table), _select(lake, table, schema, "*/*", empty=not addresses), schema, table)
        for address in {(a.context, a.entity): a for a in addresses}.values():
            yield f"CREATE SCHEMA IF NOT EXISTS {quote(address.context)}"
            name = f"{quote(address.context)}.{quote(f'{address.entity}_{table}')}"
            within = f"{address.context}/{address.entity}"
            yield from _view(name, _select(lake, table, schema, within), schema, table)


def _view(name: str, select: str, schema: pa.Schema, table: str) -> Iterator[str]:
    yield f"CREATE VIEW {name} AS {select}"
    known = descriptions(schema) | ({"business_date": "Partition the row belongs to"} if table in DATED else {})
    for column, description in known.items():
        yield f"COMMENT ON COLUMN {name}.{quote(column)} IS {literal(description)}"


def _select(lake: Lake, table: str, schema: pa.Schema, where: str, *, empty: bool = False) -> str:
    """The rows of a table, its date first; without any files an empty relation of the same shape."""
    columns = ", ".join(quote(name) for name in schema.names)
    if empty:
        dated = "CAST(NULL AS DATE) AS business_date, " if table in DATED else ""
        nothing = ", ".join(f"CAST(NULL AS {_type(field)}) AS {quote(field.name)}" for field in schema)
        return f"SELECT {dated}{nothing} LIMIT 0"
    root = lake.root.resolve()
    place = re.sub(r"[*?[\]]", r"[\g<0>]", str(root))  # no pattern, whatever the lake's folder is called
    if table in UNDATED:
        file = f"{place}/{where}/{table}/{table}.parquet"
        return f"SELECT {columns} FROM read_parquet({literal(file)}, union_by_name = true)"
    files = [f"{where}/{folder}/business_date=*/{folder}.parquet" for folder in _folders(table)]
    there = ", ".join(literal(f"{place}/{pattern}") for pattern in files if any(root.glob(pattern)))
    hive = "hive_partitioning = true, hive_types = {'business_date': DATE}, union_by_name = true"
    return f"SELECT business_date, {columns} FROM read_parquet([{there}], {hive})"


def _folders(table: str) -> tuple[str, ...]:
    return FOLDERS.get(table, (table,))


def _type(field: pa.Field) -> str:
    return _DUCKDB_TYPES[str(field.type)]


_DUCKDB_TYPES = {
    "string": "VARCHAR",
    "int64": "BIGINT",
    "double": "DOUBLE",
    "bool": "BOOLEAN",
    "date32[day]": "DATE",
    "timestamp[us, tz=UTC]": "TIMESTAMPTZ",
}
