"""The tables that BI reads, as Pandera models: exact names and types, what may be missing, and what always holds.

Additions are fine, renames are breaking. `business_date` is not here: it is the partition, not a column of the files.
What the columns mean is told by the schemas of the stages that write them; a test holds both together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Annotated

import polars as pl
import pyarrow as pa
from pandera.polars import DataFrameModel, Field, PolarsData, dataframe_check

from checks.choices import CRITICALITIES, HEX, SIDES, VERDICTS, only_with
from checks.event_outputs import EventFindings, EventOffsets, FoldFindings
from checks.judgements import Audits, Concentrations, DiscrepancyHistory, Readiness, SemanticRules
from pipelines import contract
from pipelines.causes import TYPES
from pipelines.declarations import Classification, Phase


class _Judged(DataFrameModel):
    """What drift, linkage and lag have in common: whose they are, what they came to, and by which versions."""

    context: pl.String
    entity: pl.String
    verdict: pl.String = Field(isin=VERDICTS)
    owner: pl.String
    translation_version: pl.String
    legacy_contract_version: pl.String
    service_contract_version: pl.String
    run_id: pl.String


class Drift(_Judged):
    """One row per field of an entity."""

    field: pl.String
    compared: pl.Int64 = Field(ge=0)
    equal: pl.Int64 = Field(ge=0)
    within_tolerance: pl.Int64 = Field(ge=0)
    discrepant: pl.Int64 = Field(ge=0)
    in_flight: pl.Int64 = Field(ge=0)
    key_linkage: pl.Int64 = Field(ge=0)
    missing_event: pl.Int64 = Field(ge=0)
    out_of_order_update: pl.Int64 = Field(ge=0)
    stale_replica: pl.Int64 = Field(ge=0)
    invalid_transformation: pl.Int64 = Field(ge=0)
    semantic_contradiction: pl.Int64 = Field(ge=0)
    unexplained: pl.Int64 = Field(ge=0)
    new: pl.Int64 = Field(ge=0)
    ongoing: pl.Int64 = Field(ge=0)
    reopened: pl.Int64 = Field(ge=0)
    resolved: pl.Int64 = Field(ge=0)
    null_only_legacy: pl.Int64 = Field(ge=0)
    null_only_service: pl.Int64 = Field(ge=0)
    drift_rate: pl.Float64 = Field(ge=0.0, le=1.0, nullable=True)  # missing: nothing was compared
    limit: pl.Float64 = Field(ge=0.0, le=1.0)
    criticality: pl.String = Field(isin=CRITICALITIES)
    system_of_record: pl.String = Field(isin=SIDES)
    abs_delta_p50: pl.Float64 = Field(ge=0.0, nullable=True)  # missing: no discrepancy that can be subtracted
    abs_delta_p95: pl.Float64 = Field(ge=0.0, nullable=True)
    abs_delta_max: pl.Float64 = Field(ge=0.0, nullable=True)

    @dataframe_check
    @classmethod
    def every_pair_is_counted_once(cls, data: PolarsData) -> pl.LazyFrame:
        """Compared pairs are equal, within tolerance, discrepant or in flight."""
        parts = pl.sum_horizontal("equal", "within_tolerance", "discrepant", "in_flight")
        return data.lazyframe.select(pl.col("compared") == parts)

    @dataframe_check
    @classmethod
    def every_finding_has_one_type(cls, data: PolarsData) -> pl.LazyFrame:
        """Discrepancies, in flight or not, add up over the types."""
        return data.lazyframe.select(pl.sum_horizontal("discrepant", "in_flight") == pl.sum_horizontal(*TYPES))

    @dataframe_check
    @classmethod
    def every_finding_has_one_state(cls, data: PolarsData) -> pl.LazyFrame:
        """Discrepancies, in flight or not, are new, ongoing or reopened."""
        there = pl.sum_horizontal("new", "ongoing", "reopened")
        return data.lazyframe.select(pl.sum_horizontal("discrepant", "in_flight") == there)

    @dataframe_check
    @classmethod
    def the_rate_is_that_of_the_counts(cls, data: PolarsData) -> pl.LazyFrame:
        """drift_rate is discrepant / compared, and missing exactly when nothing was compared."""
        rate = pl.when(pl.col("compared") > 0).then(pl.col("discrepant") / pl.col("compared"))
        return data.lazyframe.select(rate.eq_missing(pl.col("drift_rate")))


class Linkage(_Judged):
    """One row per entity: what became of all rows of both sides."""

    legacy_rows: pl.Int64 = Field(ge=0)
    service_rows: pl.Int64 = Field(ge=0)
    matched: pl.Int64 = Field(ge=0)
    legacy_matched: pl.Int64 = Field(ge=0)
    legacy_only: pl.Int64 = Field(ge=0)
    legacy_ambiguous: pl.Int64 = Field(ge=0)
    legacy_duplicate: pl.Int64 = Field(ge=0)
    legacy_null_key: pl.Int64 = Field(ge=0)
    legacy_deleted: pl.Int64 = Field(ge=0)
    legacy_out_of_scope: pl.Int64 = Field(ge=0)
    legacy_rejected: pl.Int64 = Field(ge=0)
    service_matched: pl.Int64 = Field(ge=0)
    service_only: pl.Int64 = Field(ge=0)
    service_ambiguous: pl.Int64 = Field(ge=0)
    service_duplicate: pl.Int64 = Field(ge=0)
    service_null_key: pl.Int64 = Field(ge=0)
    service_deleted: pl.Int64 = Field(ge=0)
    service_out_of_scope: pl.Int64 = Field(ge=0)
    service_rejected: pl.Int64 = Field(ge=0)
    ambiguous: pl.Int64 = Field(ge=0)
    dangling: pl.Int64 = Field(ge=0)
    duplicate: pl.Int64 = Field(ge=0)
    linkage_rate: pl.Float64 = Field(ge=0.0, le=1.0, nullable=True)  # missing: no rows take part
    limit: pl.Float64 = Field(ge=0.0, le=1.0)

    @dataframe_check
    @classmethod
    def rows_balance(cls, data: PolarsData) -> pl.LazyFrame:
        """Every row of either side has exactly one verdict."""
        ends = ("matched", "only", "ambiguous", "duplicate", "null_key", "deleted", "out_of_scope", "rejected")
        sums = [pl.col(f"{side}_rows") == pl.sum_horizontal(*(f"{side}_{end}" for end in ends)) for side in SIDES]
        return data.lazyframe.select(pl.all_horizontal(*sums))


class Lag(_Judged):
    """One row per entity: how far behind the replicas are."""

    lag_p50_seconds: pl.Int64 = Field(ge=0, nullable=True)  # missing: nothing is behind
    lag_p95_seconds: pl.Int64 = Field(ge=0, nullable=True)
    lag_max_seconds: pl.Int64 = Field(ge=0, nullable=True)
    allowed_seconds: pl.Int64 = Field(ge=0)
    rows_in_flight: pl.Int64 = Field(ge=0)
    rows_behind: pl.Int64 = Field(ge=0)

    @dataframe_check
    @classmethod
    def quantiles_ascend(cls, data: PolarsData) -> pl.LazyFrame:
        """The median is at most the 95th percentile, that at most the largest."""
        p50, p95, largest = (pl.col(f"lag_{name}_seconds") for name in ("p50", "p95", "max"))
        return data.lazyframe.select((p50 <= p95) & (p95 <= largest))


class Discrepancies(DataFrameModel):
    """One row per finding."""

    discrepancy_id: pl.String = Field(str_matches=HEX)
    context: pl.String
    entity: pl.String
    legacy_key: pl.String = Field(nullable=True)
    service_key: pl.String = Field(nullable=True)
    field: pl.String = Field(nullable=True)  # missing: about the whole row
    type: pl.String = Field(isin=list(TYPES))
    reason: pl.String
    legacy_raw: pl.String = Field(nullable=True)
    expected: pl.String = Field(nullable=True)
    actual: pl.String = Field(nullable=True)
    delta: pl.Float64 = Field(nullable=True)
    in_flight: pl.Boolean
    lag_seconds: pl.Int64 = Field(ge=0, nullable=True)
    criticality: pl.String = Field(isin=CRITICALITIES)
    owner: pl.String
    system_of_record: pl.String = Field(isin=SIDES)
    first_seen: pl.Date
    last_seen: pl.Date
    evidence: pl.String = Field(str_matches=r"^\{")
    translation_version: pl.String
    run_id: pl.String

    @dataframe_check
    @classmethod
    def one_key_is_there(cls, data: PolarsData) -> pl.LazyFrame:
        """A finding is about a row of at least one side."""
        return data.lazyframe.select(pl.any_horizontal(pl.col("legacy_key", "service_key").is_not_null()))

    @dataframe_check
    @classmethod
    def seen_in_order(cls, data: PolarsData) -> pl.LazyFrame:
        """It was first seen before or when it was last seen."""
        return data.lazyframe.select(pl.col("first_seen") <= pl.col("last_seen"))


class Runs(DataFrameModel):
    """One row per run of an entity and partition."""

    context: pl.String
    entity: pl.String
    run_id: pl.String
    started_at: Annotated[pl.Datetime, "us", "UTC"]
    finished_at: Annotated[pl.Datetime, "us", "UTC"]
    status: pl.String = Field(isin=["done", "failed"])
    verdict: pl.String = Field(isin=VERDICTS)
    error: pl.String = Field(nullable=True)  # missing: it did not fail
    legacy_rows: pl.Int64 = Field(ge=0, nullable=True)  # missing, like all below: it failed before it knew
    service_rows: pl.Int64 = Field(ge=0, nullable=True)
    discrepancies: pl.Int64 = Field(ge=0, nullable=True)
    untranslatable: pl.Int64 = Field(ge=0, nullable=True)
    undeclared_columns: pl.String = Field(nullable=True)
    legacy_digest: pl.String = Field(str_matches=HEX, nullable=True)
    service_digest: pl.String = Field(str_matches=HEX, nullable=True)
    translation_version: pl.String
    legacy_contract_version: pl.String
    service_contract_version: pl.String
    engine: pl.String

    @dataframe_check
    @classmethod
    def ends_after_it_began(cls, data: PolarsData) -> pl.LazyFrame:
        """Time runs forwards."""
        return data.lazyframe.select(pl.col("started_at") <= pl.col("finished_at"))

    @dataframe_check
    @classmethod
    def failed_with_an_error(cls, data: PolarsData) -> pl.LazyFrame:
        """A failed run says why, another has nothing to say."""
        return data.lazyframe.select(only_with("status", "failed", there="error"))


class Fields(DataFrameModel):
    """One row per declared field, and per column left out on purpose: those say why, and nothing below."""

    context: pl.String
    entity: pl.String
    field: pl.String
    disposition: pl.String = Field(isin=["translated", "dropped", "service_only"])
    description: pl.String
    rule: pl.String = Field(nullable=True)
    comparator: pl.String = Field(nullable=True)
    criticality: pl.String = Field(isin=CRITICALITIES, nullable=True)
    limit: pl.Float64 = Field(ge=0.0, le=1.0, nullable=True)
    impact: pl.String = Field(nullable=True)
    classification: pl.String = Field(isin=[kind.value for kind in Classification], nullable=True)
    system_of_record: pl.String = Field(isin=SIDES, nullable=True)
    phase: pl.String = Field(isin=[phase.value for phase in Phase])
    owner: pl.String
    contact: pl.String = Field(nullable=True)
    translation_version: pl.String


class Lineage(DataFrameModel):
    """One row per field and raw legacy column."""

    context: pl.String
    entity: pl.String
    field: pl.String
    legacy_column: pl.String = Field(nullable=True)  # missing: a constant
    rule: pl.String
    expression: pl.String
    through: pl.String = Field(nullable=True)
    translation_version: pl.String
    legacy_contract_version: pl.String
    service_contract_version: pl.String


MODELS: dict[str, type[DataFrameModel]] = {
    "drift": Drift,
    "linkage": Linkage,
    "discrepancies": Discrepancies,
    "lag": Lag,
    "discrepancy_history": DiscrepancyHistory,
    "concentrations": Concentrations,
    "event_findings": EventFindings,
    "event_offsets": EventOffsets,
    "fold_findings": FoldFindings,
    "semantic_rules": SemanticRules,
    "audits": Audits,
    "readiness": Readiness,
    "runs": Runs,
    "fields": Fields,
    "lineage": Lineage,
}


def broken(table: str, batches: Iterable[pa.RecordBatch]) -> Counter[str]:
    """How many rows break which expectation of a table's model; empty when it is kept. Any size will do."""
    found: Counter[str] = Counter()
    for batch in batches:
        numbers = pa.nulls(batch.num_rows, pa.int64())
        rejected = contract.validate(MODELS[table], batch, numbers).rejected.select(["check", "field"]).to_pylist()
        found.update(f"{table}.{row['field'] or '*'}: {row['check']}" for row in rejected)
    return found
