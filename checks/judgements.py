"""Models of the tables that judge findings as a whole: rules over entities, histories, concentrations, audits.

Part of `outputs`, which lists the models of all tables.
"""

from __future__ import annotations

import polars as pl
from pandera.polars import DataFrameModel, Field, PolarsData, dataframe_check

from checks.choices import CRITICALITIES, SIDES, VERDICTS


class SemanticRules(DataFrameModel):
    """One row per semantic rule and side."""

    context: pl.String
    entity: pl.String
    rule: pl.String
    side: pl.String = Field(isin=SIDES)
    over: pl.String
    condition: pl.String
    checked: pl.Int64 = Field(ge=0)
    violated: pl.Int64 = Field(ge=0)
    undecided: pl.Int64 = Field(ge=0)
    violation_rate: pl.Float64 = Field(ge=0.0, le=1.0, nullable=True)  # missing: nothing could be decided
    limit: pl.Float64 = Field(ge=0.0, le=1.0)
    verdict: pl.String = Field(isin=VERDICTS)
    not_measured_because: pl.String = Field(nullable=True)  # missing: it was evaluated
    criticality: pl.String = Field(isin=CRITICALITIES)
    owner: pl.String
    run_id: pl.String

    @dataframe_check
    @classmethod
    def the_rate_is_that_of_the_counts(cls, data: PolarsData) -> pl.LazyFrame:
        """violation_rate is violated / checked, and missing exactly when nothing could be decided."""
        rate = pl.when(pl.col("checked") > 0).then(pl.col("violated") / pl.col("checked"))
        return data.lazyframe.select(rate.eq_missing(pl.col("violation_rate")))
