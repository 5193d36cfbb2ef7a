"""Sources: where the rows of one side come from. One module per kind; `source` holds the protocol they all keep."""

from pipelines.sources.csv import Csv
from pipelines.sources.database import Table
from pipelines.sources.excel import Excel
from pipelines.sources.fixed_width import Column, FixedWidth
from pipelines.sources.json_lines import JsonLines
from pipelines.sources.kafka import Avro, Json, Kafka, Login, SchemaRegistry
from pipelines.sources.layout import Binary, Chars, Packed, Zoned
from pipelines.sources.mainframe import Mainframe
from pipelines.sources.parquet import ParquetFile
from pipelines.sources.postgres import Postgres
from pipelines.sources.relational import SqlDatabase
from pipelines.sources.secret import Env, SecretFile
from pipelines.sources.source import REJECTED, Batch, Place, Reading, Source

__all__ = [
    "REJECTED",
    "Avro",
    "Batch",
    "Binary",
    "Chars",
    "Column",
    "Csv",
    "Env",
    "Excel",
    "FixedWidth",
    "Json",
    "JsonLines",
    "Kafka",
    "Login",
    "Mainframe",
    "Packed",
    "ParquetFile",
    "Place",
    "Postgres",
    "Reading",
    "SchemaRegistry",
    "SecretFile",
    "Source",
    "SqlDatabase",
    "Table",
    "Zoned",
]  # fmt: skip
