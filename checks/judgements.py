"""Models of the tables that judge findings as a whole: rules over entities, histories, concentrations, audits.

Part of `outputs`, which lists the models of all tables.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

import polars as pl
from pandera.polars import DataFrameModel, Field, PolarsData, dataframe_check

from checks.choices import CRITICALITIES, HEX, SIDES, VERDICTS, only_with
from pipelines.causes import TYPES
from pipelines.chronicle import STATES
from pipelines.declarations import Phase
from pipelines.gates import Status


class DiscrepancyHistory(DataFrameModel):
    """One row per finding and partition in which it is there, and one for the partition in which it is gone."""

    discrepancy_id: pl.String = Field(str_matches=HEX)
    context: pl.String
    entity: pl.String
    legacy_key: pl.String = Field(nullable=True)
    service_key: pl.String = Field(nullable=True)
    field: pl.String = Field(nullable=True)  # missing: about the whole row
    type: pl.String = Field(isin=list(TYPES))
    reason: pl.String
    in_flight: pl.Boolean
    criticality: pl.String = Field(isin=CRITICALITIES)
    owner: pl.String
    state: pl.String = Field(isin=list(STATES))
    first_seen: pl.Date
    opened: pl.Date
    since: pl.Date
    last_seen: pl.Date
    resolved: pl.Date = Field(nullable=True)  # missing: it is there
    reopened: pl.Int64 = Field(ge=0)
    age_days: pl.Int64 = Field(ge=0)
    run_id: pl.String

    @dataframe_check
    @classmethod
    def lived_in_order(cls, data: PolarsData) -> pl.LazyFrame:
        """First seen, opened again, since, last seen, and only then resolved."""
        days = [pl.col(name) for name in ("first_seen", "opened", "since", "last_seen")]
        ordered = [one <= next_one for one, next_one in pairwise(days)]
        gone = pl.col("resolved").is_null() | (pl.col("last_seen") < pl.col("resolved"))
        return data.lazyframe.select(pl.all_horizontal(*ordered, gone))

    @dataframe_check
    @classmethod
    def is_resolved_when_it_says_so(cls, data: PolarsData) -> pl.LazyFrame:
        """A resolved finding says when, any other does not."""
        return data.lazyframe.select(only_with("state", "resolved", there="resolved"))


class Concentrations(DataFrameModel):
    """One row per case whose findings are concentrated in a segment."""

    context: pl.String
    entity: pl.String
    field: pl.String
    type: pl.String = Field(isin=list(TYPES))
    reason: pl.String
    pattern: pl.String = Field(nullable=True)  # missing: the case shows none
    segment: pl.String
    conditions: pl.String = Field(str_matches=r"^\[")
    findings: pl.Int64 = Field(ge=1)
    inside: pl.Int64 = Field(ge=1)
    share: pl.Float64 = Field(ge=0.0, le=1.0)
    pairs: pl.Int64 = Field(ge=1)
    pairs_inside: pl.Int64 = Field(ge=1)
    lift: pl.Float64 = Field(ge=1.0)
    p_value: pl.Float64 = Field(ge=0.0, le=1.0)
    owner: pl.String
    run_id: pl.String

    @dataframe_check
    @classmethod
    def a_segment_is_part_of_the_whole(cls, data: PolarsData) -> pl.LazyFrame:
        """No more findings inside than there are, nor than pairs inside; no more pairs inside than there are."""
        inside, pairs = pl.col("inside"), pl.col("pairs_inside")
        whole = (inside <= pl.col("findings")) & (inside <= pairs) & (pairs <= pl.col("pairs"))
        return data.lazyframe.select(whole)


class Audits(DataFrameModel):
    """One row per type and reason: what was planted of it in a copy of the partition, and found there."""

    context: pl.String
    entity: pl.String
    type: pl.String = Field(isin=list(TYPES))
    reason: pl.String
    planted: pl.Int64 = Field(ge=0)
    found: pl.Int64 = Field(ge=0)
    correct: pl.Int64 = Field(ge=0)
    detected: pl.Int64 = Field(ge=0)
    recall: pl.Float64 = Field(ge=0.0, le=1.0, nullable=True)  # missing: none was planted
    precision: pl.Float64 = Field(ge=0.0, le=1.0, nullable=True)  # missing: none was found
    taken_for: pl.String = Field(str_matches=r"^\{")
    not_planted_because: pl.String = Field(nullable=True)  # missing: some were planted
    noise_pairs: pl.Int64 = Field(ge=0)
    noise_findings: pl.Int64 = Field(ge=0)
    seed: pl.Int64
    audited_at: Annotated[pl.Datetime, "us", "UTC"]
    run_id: pl.String

    @dataframe_check
    @classmethod
    def what_is_correct_was_planted_and_found(cls, data: PolarsData) -> pl.LazyFrame:
        """Correct ones are among the detected and the found, detected ones among the planted."""
        correct, detected = pl.col("correct"), pl.col("detected")
        within = (correct <= detected) & (correct <= pl.col("found")) & (detected <= pl.col("planted"))
        return data.lazyframe.select(within)


class Readiness(DataFrameModel):
    """One row per capability and gate."""

    context: pl.String
    capability: pl.String
    gate: pl.String
    phase: pl.String = Field(isin=[phase.value for phase in Phase])
    status: pl.String = Field(isin=[status.value for status in Status])
    measured: pl.Int64 = Field(ge=0)
    required: pl.Int64 = Field(ge=0)
    unit: pl.String
    evidence: pl.String = Field(str_matches=r"^\[")
    owner: pl.String
    run_id: pl.String

    @dataframe_check
    @classmethod
    def nothing_is_missing_where_it_is_met(cls, data: PolarsData) -> pl.LazyFrame:
        """A gate is met when all that is required is there, not met when some is not."""
        left, status = pl.col("required") - pl.col("measured"), pl.col("status")
        met, not_met = (status == Status.MET) & (left == 0), (status == Status.NOT_MET) & (left > 0)
        return data.lazyframe.select(met | not_met | ((status == Status.NOT_MEASURED) & (left == 0)))


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
