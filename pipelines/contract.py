"""Contracts: what a Pandera model says about one side's rows, and which rows of a batch keep it.

A contract judges, it never repairs: types are exact already when rows come here, failing rows are kept apart with the check
they failed. Duplicate keys are `linkage`'s; what a field means to the other side is the translation's.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import inspect
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from pandera.api.polars.container import DataFrameSchema
from pandera.errors import SchemaError, SchemaErrors
from pandera.polars import DataFrameModel

from pipelines.errors import DeclarationError, Problem
from pipelines.sources.source import REJECTED
from pipelines.sources.text import json_rows, nothing_rejected

_SIMPLE: dict[Any, pa.DataType] = {
    pl.String: pa.string(), pl.Boolean: pa.bool_(), pl.Float64: pa.float64(), pl.Date: pa.date32(),
    pl.Int8: pa.int8(), pl.Int16: pa.int16(), pl.Int32: pa.int32(), pl.Int64: pa.int64(),
    pl.UInt8: pa.uint8(), pl.UInt16: pa.uint16(), pl.UInt32: pa.uint32(), pl.UInt64: pa.uint64(),
}  # fmt: skip
_SHOWN = 300  # characters of a check's text in a reason: an isin() of a thousand codes helps nobody


@dataclass(frozen=True)
class Validated:
    """The rows of a batch that keep the contract, and the others (`REJECTED`): each once, with the first check it failed."""

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
        pa.field(name, _arrow(column.dtype.type), nullable=bool(column.nullable), metadata=_described(column.description))
        for name, column in contract.to_schema().columns.items()
    ])  # fmt: skip


def version_of(contract: type[DataFrameModel]) -> str:
    """The declared version (else 1) and a digest of everything the contract demands: a changed contract shows, bumped or not."""
    schema = contract.to_schema()
    declared = (contract.Config.metadata or {}).get("version", "1")  # the schema made of the model forgets it
    demands = [
        [name, str(column.dtype), bool(column.nullable), [_identity(check) for check in column.checks]]
        for name, column in schema.columns.items()
    ]
    text = json.dumps([demands, [_identity(check) for check in schema.checks]], default=str)
    return f"{declared}+{hashlib.sha256(text.encode()).hexdigest()[:8]}"


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
    except (TypeError, ValueError, SchemaError, SchemaErrors) as error:
        return [f"not a usable Pandera model: {str(error).splitlines()[0]}"]
    found = [f"{name}: {problem}" for name, column in schema.columns.items() for problem in _column_problems(column)]
    if schema.parsers:
        found.append("a contract judges rows, it does not change them: no parsers")
    if schema.unique:
        found.append("unique is not checked here: duplicate keys are found by the linkage")
    return found


def validate(contract: type[DataFrameModel], batch: pa.RecordBatch, row_numbers: pa.Array) -> Validated:
    """Rows that keep the contract and rows that do not."""
    failures = [*_missing(contract, batch), *_failed_checks(contract, batch)]
    if not failures:
        return Validated(batch, nothing_rejected())
    # Of several failed checks the first one counts: later ones often fail only because of it.
    first = pa.nulls(batch.num_rows, pa.int32())
    for index, failure in reversed(list(enumerate(failures))):
        first = pc.if_else(failure.failed, pa.scalar(index, pa.int32()), first)
    failed = pc.is_valid(first)
    return Validated(batch.filter(pc.invert(failed)), _rejected(batch.filter(failed), row_numbers.filter(failed), first.drop_null(), failures))


def _rejected(rows: pa.RecordBatch, numbers: pa.Array, first: pa.Array, failures: list[_Failure]) -> pa.RecordBatch:
    checks, names, reasons = ([getattr(failure, what) for failure in failures] for what in ("check", "field", "reason"))
    columns = [pa.array(texts, pa.string()).take(first) for texts in (checks, names, reasons)]
    return pa.RecordBatch.from_arrays([numbers, *columns, json_rows(rows)], schema=REJECTED)


def _missing(contract: type[DataFrameModel], batch: pa.RecordBatch) -> list[_Failure]:
    """Missing values where the contract wants one. Ours, not Pandera's: that takes NaN for missing."""
    optional = nullable_columns_of(contract)
    return [
        _Failure("not_nullable", name, "a value is required", pc.is_null(column))
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
        if name not in optional and column.null_count
    ]


def _failed_checks(contract: type[DataFrameModel], batch: pa.RecordBatch) -> list[_Failure]:
    frame = pl.from_arrow(batch)
    try:
        _judging(contract).validate(frame, lazy=True)
    except SchemaErrors as errors:
        return [_failure(contract, error, batch) for error in errors.schema_errors]
    return []


def _failure(contract: type[DataFrameModel], error: SchemaError, batch: pa.RecordBatch) -> _Failure:
    name = str(getattr(error.check, "name", None) or error.check or error.reason_code)
    output = error.check_output
    if not isinstance(output, pl.DataFrame) or output.height != batch.num_rows:
        # Not a verdict per row: the check itself broke, or it looks at the whole table, of which this is only a part.
        raise DeclarationError([Problem(_file(contract), f"{contract.__name__}.{name}", "the check does not judge row by row")])
    passed = output.to_series(0).fill_null(value=True).to_arrow().cast(pa.bool_())
    field = error.schema.name if error.schema is not None and error.schema.name in batch.schema.names else None
    reason = str(getattr(error.check, "error", None) or name)
    return _Failure(name, field, reason[:_SHOWN], pc.invert(passed))


@lru_cache(maxsize=256)
def _judging(contract: type[DataFrameModel]) -> DataFrameSchema:
    """The contract's checks alone: nullability is judged by `_missing`."""
    schema = copy.deepcopy(contract.to_schema())
    for column in schema.columns.values():
        column.nullable = True
        column.coerce = False
    schema.coerce = False
    return schema


def _arrow(dtype: Any) -> pa.DataType:
    """The Arrow type of a Polars type; TypeError for one that contracts cannot use."""
    if isinstance(dtype, pl.Decimal):
        return pa.decimal128(dtype.precision or 38, dtype.scale)
    if isinstance(dtype, pl.Datetime) and dtype.time_unit == "us":
        return pa.timestamp("us", tz=dtype.time_zone)
    found = _SIMPLE.get(dtype if isinstance(dtype, type) else type(dtype))
    if found is None:
        raise TypeError(f"type {dtype} cannot be used in a contract")
    return found


def _column_problems(column: Any) -> list[str]:
    found = []
    try:
        _arrow(column.dtype.type if column.dtype else None)
    except TypeError as error:
        found.append(str(error))
    if not column.required:
        found.append("a column of a contract is always there; use nullable=True for missing values")
    if column.regex:
        found.append("columns are named one by one, not by a pattern")
    if column.unique:
        found.append("unique is not checked here: duplicate keys are found by the linkage")
    if column.parsers or column.default is not None:
        found.append("a contract judges values, it does not change them: no parsers, no default")
    return found


def _described(description: str | None) -> dict[str, str] | None:
    return {"description": description} if description else None


def _identity(check: Any) -> list[str]:
    """What makes a check the same check: its name and figures, and the code of one the user wrote."""
    code = ""
    if not check.statistics:
        with contextlib.suppress(OSError, TypeError):
            code = inspect.getsource(check._check_fn)  # noqa: SLF001 (the only way to the user's function)
    return [str(check.name), repr(sorted((check.statistics or {}).items())), str(check.error or ""), code]


def _file(contract: type[DataFrameModel]) -> str:
    module = inspect.getmodule(contract)
    return getattr(module, "__file__", None) or contract.__module__
