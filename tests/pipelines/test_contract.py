"""Contracts: what a Pandera model says, and what it says about a batch of rows."""

import json
import traceback
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Optional

import pandera.polars as pandera
import polars as pl
import pyarrow as pa
import pytest
from pandera.engines import polars_engine
from pandera.polars import DataFrameModel, Field

from pipelines import contract
from pipelines.errors import DeclarationError
from pipelines.sources.source import REJECTED


class Policy(DataFrameModel):
    """One row per policy."""

    policy_id: pl.Int64 = Field(ge=1, description="Number of the policy")
    status: pl.String = Field(isin=["ACTIVE", "LAPSED"], description="Where in its life")
    premium: Annotated[polars_engine.Decimal, 12, 2] = Field(nullable=True, ge=0)
    score: pl.Float64 = Field(nullable=True)

    class Config(pandera.DataFrameModel.Config):
        metadata = {"version": "2.1"}  # noqa: RUF012 (Pandera's own protocol)


class EveryType(DataFrameModel):
    text: pl.String
    flag: pl.Boolean
    tiny: pl.Int8
    small: pl.Int16
    middle: pl.Int32
    large: int
    unsigned: pl.UInt64
    ratio: float
    amount: Annotated[polars_engine.Decimal, 12, 2]
    rate: pl.Decimal(9, 6)
    day: pl.Date
    wall: Annotated[polars_engine.DateTime, False, None, "us"]
    instant: pl.Datetime("us", "UTC") = Field(nullable=True, description="When it happened")


def batch_of(model, **columns):
    return pa.RecordBatch.from_pydict(columns, schema=contract.schema_of(model))


def policies(**columns):
    defaults = {
        "policy_id": [1, 2],
        "status": ["ACTIVE", "LAPSED"],
        "premium": [Decimal("1.50"), None],
        "score": [None, 1.5],
    }
    return batch_of(Policy, **(defaults | columns))


def judge(batch, model=Policy):
    """Row numbers that keep the contract, and (row, check, field, reason) of the others."""
    numbers = pa.array(range(11, 11 + batch.num_rows), pa.int64())
    judged = contract.validate(model, batch, numbers)
    assert judged.valid.schema == batch.schema
    assert judged.rejected.schema == REJECTED
    rejected = [tuple(row.values())[:4] for row in judged.rejected.to_pylist()]
    assert judged.valid.num_rows + len(rejected) == batch.num_rows
    return judged.valid, rejected


def test_the_schema_is_arrows_with_descriptions():
    schema = contract.schema_of(EveryType)

    assert [str(field.type) for field in schema] == [
        "string", "bool", "int8", "int16", "int32", "int64", "uint64", "double",
        "decimal128(12, 2)", "decimal128(9, 6)", "date32[day]", "timestamp[us]", "timestamp[us, tz=UTC]",
    ]  # fmt: skip
    assert [field.name for field in schema if field.nullable] == ["instant"]
    assert schema.field("instant").metadata == {b"description": b"When it happened"}
    assert schema.field("day").metadata is None


def test_descriptions_and_nullable_columns():
    assert contract.descriptions_of(Policy) == {"policy_id": "Number of the policy", "status": "Where in its life"}
    assert contract.nullable_columns_of(Policy) == {"premium", "score"}


def test_rows_that_keep_the_contract():
    valid, rejected = judge(policies())

    assert valid.num_rows == 2
    assert rejected == []


def test_values_of_every_type_pass_unchanged():
    noon = datetime(2026, 3, 20, 12)  # noqa: DTZ001 (wall time)
    row = (
        "x",
        True,
        1,
        2,
        3,
        2**53 + 1,
        2**64 - 1,
        0.1,
        Decimal("1.50"),
        Decimal("0.000001"),
        date(2026, 3, 20),
        noon,
        None,
    )
    batch = batch_of(
        EveryType, **{name: [value] for name, value in zip(contract.schema_of(EveryType).names, row, strict=True)}
    )

    valid, rejected = judge(batch, EveryType)

    assert valid.equals(batch)
    assert rejected == []


def test_a_row_is_rejected_once_by_its_first_failed_check():
    valid, rejected = judge(policies(policy_id=[0, 2], status=["DEAD", "GONE"]))

    assert valid.num_rows == 0
    assert rejected == [
        (11, "greater_than_or_equal_to", "policy_id", "greater_than_or_equal_to(1)"),
        (12, "isin", "status", "isin(['ACTIVE', 'LAPSED'])"),
    ]


def test_a_missing_value_where_one_is_required_comes_first():
    _, rejected = judge(policies(policy_id=[0, None], status=[None, "ACTIVE"]))

    assert rejected == [
        (11, "not_nullable", "status", "a value is required"),
        (12, "not_nullable", "policy_id", "a value is required"),
    ]


def test_the_row_is_kept_as_it_was_and_the_reason_does_not_tell_values():
    batch = policies(status=["secret", "ACTIVE"], premium=[Decimal("1.50"), None])
    judged = contract.validate(Policy, batch, pa.array([11, 12]))

    (row,) = judged.rejected.to_pylist()
    assert json.loads(row["raw"]) == {"policy_id": "1", "status": "secret", "premium": "1.50", "score": None}
    assert "secret" not in row["reason"]


def test_nan_is_a_value_and_no_missing_one():
    class Measured(DataFrameModel):
        ratio: pl.Float64

    assert judge(batch_of(Measured, ratio=[float("nan"), 1.0, None]), Measured)[1] == [
        (13, "not_nullable", "ratio", "a value is required")
    ]


def test_checks_ignore_missing_values():
    assert judge(policies(premium=[None, None]))[1] == []


def test_checks_of_ones_own_and_over_several_columns():
    class Period(DataFrameModel):
        start: pl.Date
        end: pl.Date = Field(nullable=True)
        code: pl.String

        @pandera.check("code", error="must end with a digit")
        @classmethod
        def ends_with_digit(cls, data):
            return data.lazyframe.select(pl.col(data.key).str.contains(r"\d$"))

        @pandera.dataframe_check
        @classmethod
        def begins_before_it_ends(cls, data):
            return data.lazyframe.select(pl.col("start") <= pl.col("end"))

    day, later = date(2026, 3, 20), date(2026, 3, 21)
    batch = batch_of(
        Period, start=[day, later, later, day], end=[later, day, None, later], code=["a1", "a1", "a1", "a"]
    )

    assert judge(batch, Period)[1] == [
        (12, "begins_before_it_ends", None, "begins_before_it_ends"),
        (14, "ends_with_digit", "code", "must end with a digit"),
    ]


def test_a_long_reason_is_cut():
    class Coded(DataFrameModel):
        code: pl.String = Field(isin=[f"code {n}" for n in range(1000)])

    ((_, check, _, reason),) = judge(batch_of(Coded, code=["x"]), Coded)[1]

    assert check == "isin"
    assert len(reason) < 310


def test_no_rows_are_no_problem():
    assert judge(policies().slice(0, 0)) == (policies().slice(0, 0), [])


class Broken(DataFrameModel):
    code: pl.String

    @pandera.check("code")
    @classmethod
    def mistaken(cls, data):
        return data.lazyframe.select(pl.col("no such column"))


class Whole(DataFrameModel):
    code: pl.String

    @pandera.dataframe_check
    @classmethod
    def has_at_most_one_row(cls, data):
        return data.lazyframe.select(pl.len() <= 1)


@pytest.mark.parametrize(("model", "check"), [(Broken, "mistaken"), (Whole, "has_at_most_one_row")])
def test_a_check_that_does_not_judge_rows_is_a_wrong_declaration(model, check):
    with pytest.raises(
        DeclarationError, match=f"{model.__name__}.{check}: the check does not judge row by row"
    ) as wrong:
        judge(batch_of(model, code=["x", "y"]), model)
    assert "test_contract.py" in str(wrong.value)


@pytest.mark.parametrize("model", [Broken, Whole])
def test_no_value_is_in_the_errors_behind_an_error(model):
    """They are shown by whoever prints the whole chain: Python itself, and Dagster in its log of events."""
    rows = batch_of(model, code=["Jane Doe", "y"])
    with pytest.raises(DeclarationError) as wrong:
        judge(rows, model)

    assert "Jane Doe" not in "".join(traceback.format_exception(wrong.value))


def test_the_version_is_the_declared_one_and_what_it_demands():
    class Undeclared(DataFrameModel):
        policy_id: pl.Int64

    assert contract.version_of(Policy).startswith("2.1+")
    assert contract.version_of(Undeclared).startswith("1+")
    assert contract.version_of(Policy) == contract.version_of(Policy)


def test_whatever_is_demanded_changes_the_version():
    def model(kind=pl.Int64, name="a", nullable=False, bound=1, code="x"):  # noqa: FBT002 (one knob each)
        class Model(DataFrameModel):
            pass

        Model.__annotations__ = {name: kind}
        setattr(Model, name, Field(nullable=nullable, ge=bound, description=code))
        return type(
            "Model", (DataFrameModel,), {"__annotations__": {name: kind}, name: Field(nullable=nullable, ge=bound)}
        )

    versions = {
        contract.version_of(model(**change))
        for change in ({}, {"kind": pl.Int32}, {"name": "b"}, {"nullable": True}, {"bound": 2})
    }
    assert len(versions) == 5


def test_the_code_of_ones_own_check_is_part_of_the_version():
    class Before(DataFrameModel):
        a: pl.Int64

        @pandera.check("a")
        @classmethod
        def even(cls, data):
            return data.lazyframe.select(pl.col(data.key) % 2 == 0)

    class After(DataFrameModel):
        a: pl.Int64

        @pandera.check("a")
        @classmethod
        def even(cls, data):
            return data.lazyframe.select(pl.col(data.key) % 2 != 1)

    assert contract.version_of(Before) != contract.version_of(After)


def test_a_usable_contract_has_no_problems():
    assert contract.problems_of(Policy) == []
    assert contract.problems_of(EveryType) == []


def test_problems_are_told_all_at_once():
    class Wrong(DataFrameModel):
        listed: pl.List
        precise: pl.Datetime("ns")
        sometimes: Optional[pl.Int64]  # noqa: UP045 (what Pandera looks for)
        single: pl.Int64 = Field(unique=True)
        changed: pl.Int64 = Field(coerce=True)
        named: pl.Int64 = Field(regex=True, alias="n_.*")
        category: pl.Categorical

    found = contract.problems_of(Wrong)

    assert [problem.split(":")[0] for problem in found] == [
        "listed", "precise", "sometimes", "single", "changed", "n_.*", "category",
    ]  # fmt: skip
    assert "type List cannot be used in a contract; valid: Binary, Boolean, Date" in found[0]


def test_a_model_that_is_none_at_all():
    class Nonsense(DataFrameModel):
        amount: complex

    class Empty(DataFrameModel):
        pass

    assert "not a usable Pandera model" in contract.problems_of(Nonsense)[0]
    assert contract.problems_of(Empty) == ["it has no columns"]


def test_instants_pass_unchanged():
    class Event(DataFrameModel):
        at: pl.Datetime("us", "UTC")

    batch = batch_of(Event, at=[datetime(2026, 3, 20, 12, tzinfo=UTC)])

    assert judge(batch, Event)[0].equals(batch)
