"""Models of the tables about event logs that BI reads; `outputs` lists them with all others."""

from __future__ import annotations

from typing import Annotated

import polars as pl
from pandera.api.polars.types import PolarsData
from pandera.polars import DataFrameModel, Field, dataframe_check


class EventOffsets(DataFrameModel):
    """One row per partition of an entity's event log that was read."""

    context: pl.String
    entity: pl.String
    source: pl.String
    first_position: pl.Int64 = Field(ge=1, nullable=True)  # missing, like the last one: the log was empty
    last_position: pl.Int64 = Field(ge=1, nullable=True)
    events: pl.Int64 = Field(ge=0)
    rejected: pl.Int64 = Field(ge=0)
    first_recorded: Annotated[pl.Datetime, "us", "UTC"] = Field(nullable=True)
    last_recorded: Annotated[pl.Datetime, "us", "UTC"] = Field(nullable=True)

    @dataframe_check
    @classmethod
    def read_in_order(cls, data: PolarsData) -> pl.LazyFrame:
        """Places and times run forwards."""
        places = pl.col("first_position") <= pl.col("last_position")
        return data.lazyframe.select(places & (pl.col("first_recorded") <= pl.col("last_recorded")))


class EventFindings(DataFrameModel):
    """One row per event that is out of order, told again, or before which numbers are missing. Empty when healthy."""

    context: pl.String
    entity: pl.String
    legacy_key: pl.String = Field(nullable=True)  # missing: the log counts all events of a partition
    problem: pl.String = Field(isin=["sequence_gap", "duplicate", "out_of_order", "changed_after_deletion"])
    sequence: pl.Int64 = Field(nullable=True)
    missing: pl.Int64 = Field(ge=1, nullable=True)
    event_time: Annotated[pl.Datetime, "us", "UTC"] = Field(nullable=True)
    recorded_time: Annotated[pl.Datetime, "us", "UTC"] = Field(nullable=True)
    happened_after: Annotated[pl.Datetime, "us", "UTC"] = Field(nullable=True)

    @dataframe_check
    @classmethod
    def gaps_are_counted(cls, data: PolarsData) -> pl.LazyFrame:
        """A gap says how many numbers are missing, another problem does not."""
        return data.lazyframe.select((pl.col("problem") == "sequence_gap") == pl.col("missing").is_not_null())


class FoldFindings(DataFrameModel):
    """One row per value or row that the events applied to an earlier snapshot do not come to. Empty when they do."""

    context: pl.String
    entity: pl.String
    legacy_key: pl.String
    field: pl.String = Field(nullable=True)  # missing: the whole row
    problem: pl.String = Field(isin=["not_told", "told_otherwise", "row_not_told", "deletion_not_told"])
    folded_from: pl.String
    sequence: pl.Int64 = Field(nullable=True)
    folded: pl.String = Field(nullable=True)  # missing, like held: a value that is missing
    held: pl.String = Field(nullable=True)

    @dataframe_check
    @classmethod
    def rows_have_no_field(cls, data: PolarsData) -> pl.LazyFrame:
        """What is about the whole row names no field, what is about a value does."""
        of_rows = pl.col("problem").is_in(["row_not_told", "deletion_not_told"])
        return data.lazyframe.select(of_rows == pl.col("field").is_null())
