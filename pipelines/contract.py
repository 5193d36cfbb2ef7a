"""Contracts: what a Pandera model says about one side's rows, and which rows of a batch keep it.

A contract judges, it never repairs: types are exact when rows come here, and failing rows are kept apart with the check
they failed. Duplicate keys are `linkage`'s; what a field means to the other side is the translation's.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import hashlib
import inspect
import json
import textwrap
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from pandera.dtypes import immutable
from pandera.engines import polars_engine
from pandera.errors import SchemaDefinitionError, SchemaError, SchemaErrors, SchemaInitError
from pandera.polars import Check, Column, DataFrameModel, DataFrameSchema

from pipelines.errors import DeclarationError, Problem
from pipelines.sources.source import REJECTED
from pipelines.sources.text import first_of, json_rows, nothing_rejected
from pipelines.types import INT128

_SIMPLE: dict[Any, pa.DataType] = {
    pl.String: pa.string(), pl.Boolean: pa.bool_(), pl.Float64: pa.float64(), pl.Date: pa.date32(),
    pl.Int8: pa.int8(), pl.Int16: pa.int16(), pl.Int32: pa.int32(), pl.Int64: pa.int64(),
    pl.UInt8: pa.uint8(), pl.UInt16: pa.uint16(), pl.UInt32: pa.uint32(), pl.UInt64: pa.uint64(),
    pl.Int128: INT128, pl.Float32: pa.float32(), pl.Binary: pa.binary(), pl.Time: pa.time64("us"),
    pl.Enum: pa.string(),
}  # fmt: skip
_COMPOSED = ("Decimal(precision, scale)", 'Datetime("us" or "ms", zone or None)', 'Duration("us")', "List", "Struct")
_WIDEST = 38  # digits of a decimal128, which a Decimal without a precision means
_SHOWN = 300  # characters of a check in a reason: an isin() of a thousand codes helps nobody
_NO_CHANGES = "a contract judges rows, it does not change them: no parser, coerce, default or drop_invalid_rows"
_NOT_UNIQUE = "unique is not judged here, batch by batch: duplicate keys are found by the linkage"


@dataclass(frozen=True)
class Validated:
    """The rows of a batch that keep the contract, and the others (`REJECTED`), each with the first check it failed."""

    valid: pa.RecordBatch
    rejected: pa.RecordBatch


@dataclass(frozen=True)
class _Failure:
    """One check that failed somewhere in a batch, and in which rows."""

    check: str
    field: str | None
    reason: str
    failed: pa.BooleanArray


def schema_of(contract: type[DataFrameModel]) -> pa.Schema:
    """The Arrow schema of the contract's columns, in their order, with descriptions."""
    return pa.schema([
        pa.field(name, _arrow(column.dtype.type), nullable=bool(column.nullable), metadata=_metadata(column))
        for name, column in contract.to_schema().columns.items()
    ])  # fmt: skip


@lru_cache(maxsize=1024)
def version_of(contract: type[DataFrameModel]) -> str:
    """The declared version (else 1) and a digest of all it demands: a change shows even under an old version."""
    schema = contract.to_schema()
    declared = (getattr(contract.__config__, "metadata", None) or {}).get("version", "1")
    columns = [
        [name, str(column.dtype), bool(column.nullable), *map(_demand, column.checks)]
        for name, column in schema.columns.items()
    ]
    demands = json.dumps([columns, [*map(_demand, schema.checks)], _own_code(contract)])
    return f"{declared}+{hashlib.sha256(demands.encode()).hexdigest()[:8]}"


def descriptions_of(contract: type[DataFrameModel]) -> dict[str, str]:
    """What each column means, where the contract says so."""
    columns = contract.to_schema().columns
    return {name: column.description for name, column in columns.items() if column.description}


def nullable_columns_of(contract: type[DataFrameModel]) -> frozenset[str]:
    """The columns that may be missing in a row."""
    return frozenset(name for name, column in contract.to_schema().columns.items() if column.nullable)


def problems_of(contract: type[DataFrameModel]) -> list[str]:
    """What a contract says that cannot be kept; empty for a usable one."""
    try:
        schema = contract.to_schema()
    except (TypeError, ValueError, AttributeError, SchemaInitError, SchemaDefinitionError) as error:
        return [f"not a usable Pandera model: {str(error).splitlines()[0]}"]
    found = [f"{name}: {problem}" for name, column in schema.columns.items() for problem in _column_problems(column)]
    if schema.parsers or schema.coerce or schema.drop_invalid_rows:
        found.append(_NO_CHANGES)
    if schema.unique:
        found.append(_NOT_UNIQUE)
    return found if schema.columns else ["it has no columns"]


def validate(contract: type[DataFrameModel], batch: pa.RecordBatch, row_numbers: pa.Array) -> Validated:
    """Rows that keep the contract and rows that do not."""
    failures = [*_missing(contract, batch), *_strangers(contract, batch), *_failed_checks(contract, batch)]
    if not failures:
        return Validated(batch, nothing_rejected())
    # Of several failed checks the first one counts: later ones often fail only because of it.
    first = first_of([failure.failed for failure in failures])
    failed = pc.is_valid(first)
    texts = [
        pa.array([getattr(failure, what) for failure in failures], pa.string()).take(first.drop_null())
        for what in ("check", "field", "reason")
    ]
    columns = [row_numbers.filter(failed), *texts, json_rows(batch.filter(failed))]
    return Validated(batch.filter(pc.invert(failed)), pa.RecordBatch.from_arrays(columns, schema=REJECTED))


def _missing(contract: type[DataFrameModel], batch: pa.RecordBatch) -> list[_Failure]:
    """Missing values where the contract wants one. Ours, because Pandera takes NaN for missing."""
    optional = nullable_columns_of(contract)
    return [
        _Failure("not_nullable", name, "a value is required", pc.is_null(column))
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
        if name not in optional and column.null_count
    ]


def _strangers(contract: type[DataFrameModel], batch: pa.RecordBatch) -> list[_Failure]:
    """Texts that are no words of an enumeration."""
    found = []
    for name, words in _vocabularies(contract).items():
        known = pc.is_in(batch.column(name), pa.array([*words, None], pa.string()))
        if known.false_count:
            found.append(_Failure("enumeration", name, _shortened(f"one of {', '.join(words)}"), pc.invert(known)))
    return found


def _failed_checks(contract: type[DataFrameModel], batch: pa.RecordBatch) -> list[_Failure]:
    if not batch.num_rows:
        return []  # nothing to judge; and no verdict per row to tell from a verdict on the table
    held = [column.storage if column.type == INT128 else column for column in batch.columns]
    frame = pl.DataFrame(pa.RecordBatch.from_arrays(held, batch.schema.names))
    frame = frame.with_columns(pl.col(name).cast(pl.Int128) for name in _beyond_arrow(contract))
    failed: list[SchemaError] = []
    try:
        _checks_of(contract).validate(frame, lazy=True)
    except SchemaErrors as errors:
        failed = errors.schema_errors
    # Not within the handler: Pandera's error quotes values, and would be shown as the context of ours.
    return [_failure(contract, error, batch) for error in failed]


def _failure(contract: type[DataFrameModel], error: SchemaError, batch: pa.RecordBatch) -> _Failure:
    name = str(getattr(error.check, "name", None) or error.check or error.reason_code)
    verdicts = error.check_output
    if not isinstance(verdicts, pl.DataFrame) or verdicts.height != batch.num_rows:
        # The check itself broke, or it judges the whole table, of which this batch is only a part.
        problem = Problem(_file_of(contract), f"{contract.__name__}.{name}", "the check does not judge row by row")
        raise DeclarationError([problem])
    failed = pc.invert(verdicts.to_series(0).fill_null(value=True).to_arrow())
    field = error.schema.name if error.schema is not None and error.schema.name in batch.schema.names else None
    reason = str(getattr(error.check, "error", None) or name)
    return _Failure(name, field, _shortened(reason), failed)


def _shortened(reason: str) -> str:
    return reason if len(reason) <= _SHOWN else reason[:_SHOWN] + "..."


@lru_cache(maxsize=1024)
def _checks_of(contract: type[DataFrameModel]) -> DataFrameSchema:
    """The contract's checks alone: types are exact by now, missing values are `_missing`'s."""
    schema = copy.deepcopy(contract.to_schema())
    for column in schema.columns.values():
        column.nullable = True
        if isinstance(column.dtype.type, pl.Enum):
            column.dtype = pl.String  # its words are `_strangers`'
    return schema


@lru_cache(maxsize=1024)
def _vocabularies(contract: type[DataFrameModel]) -> dict[str, tuple[str, ...]]:
    """The words of each enumeration."""
    columns = contract.to_schema().columns
    kinds = {name: column.dtype.type for name, column in columns.items()}
    return {name: tuple(kind.categories) for name, kind in kinds.items() if isinstance(kind, pl.Enum)}


@lru_cache(maxsize=1024)
def _beyond_arrow(contract: type[DataFrameModel]) -> tuple[str, ...]:
    """The columns that Polars holds in a type that Arrow does not have."""
    columns = contract.to_schema().columns
    return tuple(name for name, column in columns.items() if column.dtype.type == pl.Int128)


@polars_engine.Engine.register_dtype(equivalents=["int128", pl.Int128])
@immutable
class _Int128(polars_engine.DataType):
    """The integer of 128 bits, which Pandera does not know yet."""

    type = pl.Int128


def _arrow(dtype: object) -> pa.DataType:
    """The Arrow type of a Polars type; TypeError for one that contracts cannot use."""
    if isinstance(dtype, pl.Decimal):
        return pa.decimal128(dtype.precision or _WIDEST, dtype.scale)
    if isinstance(dtype, pl.Datetime) and dtype.time_unit in {"us", "ms"}:
        return pa.timestamp(dtype.time_unit, tz=dtype.time_zone)
    if isinstance(dtype, pl.Duration) and dtype.time_unit == "us":
        return pa.duration("us")
    if isinstance(dtype, pl.List):
        return pa.list_(_inner(dtype.inner))
    if isinstance(dtype, pl.Struct):
        return pa.struct([(part.name, _inner(part.dtype)) for part in dtype.fields])
    found = _SIMPLE.get(dtype if isinstance(dtype, type) else type(dtype))
    if found is None:
        valid = ", ".join([*sorted(map(str, _SIMPLE)), *_COMPOSED])
        raise TypeError(f"type {dtype} cannot be used in a contract; valid: {valid}")
    return found


def _inner(dtype: object) -> pa.DataType:
    """The Arrow type of what stands in a list or struct: one that means the same there as by itself."""
    kind = _arrow(dtype)
    if kind == INT128 or pa.types.is_duration(kind) or isinstance(dtype, pl.Enum):
        raise TypeError(f"{dtype} cannot be part of a list or struct: use String, or a column of its own")
    return kind


def _column_problems(column: Column) -> list[str]:
    found = []
    try:
        _arrow(column.dtype.type if column.dtype else None)
    except TypeError as error:
        found.append(str(error))
    if not column.required:
        found.append("a column of a contract is always there; nullable=True allows missing values")
    if column.regex:
        found.append("columns are named one by one, not by a pattern")
    if column.unique:
        found.append(_NOT_UNIQUE)
    if column.parsers or column.coerce or column.default is not None:
        found.append(_NO_CHANGES)
    return found


def _metadata(column: Column) -> dict[str, str] | None:
    return {"description": column.description} if column.description else None


def _demand(check: Check) -> list[str]:
    return [str(check.name), repr(sorted((check.statistics or {}).items())), str(check.error or "")]


def _own_code(contract: type[DataFrameModel]) -> list[str]:
    """The code of the checks that the user wrote, however it is laid out."""
    methods = (member for base in contract.__mro__ for member in vars(base).values() if isinstance(member, classmethod))
    found = []
    for method in methods:
        if method.__func__.__module__.split(".")[0] not in _NOT_THE_USERS:
            with contextlib.suppress(OSError):  # no source at hand, as in an interactive session
                found.append(ast.unparse(ast.parse(textwrap.dedent(inspect.getsource(method.__func__)))))
    return found


_NOT_THE_USERS = ("pandera", "typing")  # what every contract inherits


def _file_of(contract: type[DataFrameModel]) -> str:
    return getattr(inspect.getmodule(contract), "__file__", None) or contract.__module__
