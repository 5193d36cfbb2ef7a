"""Contracts of the claims context: the claims file of the host, and the service with its projection of policies."""

from __future__ import annotations

from typing import Annotated

import polars as pl
from pandera.polars import DataFrameModel, Field


class LegacyClaim(DataFrameModel):
    """One row per claim, with what the policy said at the instant of loss."""

    CLAIM_NO: pl.Int64 = Field(gt=0, description="Number of the claim")
    BRANCH: pl.String = Field(description="Branch of the policy")
    POLICY_NO: pl.String = Field(description="Number of the policy within the branch")
    SUFFIX: pl.String = Field(description="Which of the policies under that number")
    CLAIMANT_NO: pl.String = Field(description="Party who claims")
    LOSS_TS: pl.String = Field(description="When the loss happened, wall time in Berlin")
    REPORT_TS: pl.String = Field(description="When it was reported, wall time in Berlin")
    LOSS_DT: pl.Int64 = Field(description="Local date of the loss, YYYYMMDD")
    CLOSED_DT: pl.Int64 = Field(description="Day on which the claim was closed, YYYYMMDD; 0 none")
    CAUSE: pl.String = Field(description="Cause of the loss: FE, WA, ST, EB, VK")
    STATUS: pl.Int64 = Field(description="1 open, 2 in review, 3 settled, 9 rejected")
    RESERVE: pl.String = Field(description="Reserve in euros, as text with two digits")
    PAID_CT: pl.Int64 = Field(description="Paid so far, in cents")
    RECOV_CT: pl.Int64 = Field(nullable=True, description="Recovered from others, in cents")
    POL_STAT: pl.String = Field(description="Status code of the policy at the instant of loss")
    SUM_AT_LOSS_CT: pl.Int64 = Field(description="Sum insured at the instant of loss, in hundredths of its currency")
    CURR_AT_LOSS: pl.String = Field(description="Currency of that sum")
    HOLDER_AT_LOSS: pl.String = Field(description="Party who held the policy at the instant of loss")
    ADJUSTER: pl.String = Field(nullable=True, description="Adjuster in charge, upper case")
    LOSS_STREET: pl.String = Field(nullable=True, description="Street where it happened")
    LOSS_CITY: pl.String = Field(nullable=True, description="City where it happened")
    POLICE_IND: pl.String = Field(description="Whether the police took it up: J, N")
    LAST_CHG_TS: pl.String = Field(description="Last change of the row, wall time in Berlin")
    ARCHIVE_BOX: pl.String = Field(nullable=True, description="Box of the paper file")

    class Config:
        """Version of the published model."""

        metadata = {"version": "1"}  # noqa: RUF012 (Pandera's own protocol)


class ServiceClaim(DataFrameModel):
    """One row per claim, with the policy as its events had told by the instant of loss."""

    claim_number: pl.String = Field(description="Number of the claim: CLM-0004711")
    policy_id: pl.String = Field(description="Policy under which is claimed")
    claimant_id: pl.String = Field(description="Party who claims")
    loss_at: Annotated[pl.Datetime, "us", "UTC"] = Field(description="When the loss happened")
    reported_at: Annotated[pl.Datetime, "us", "UTC"] = Field(description="When it was reported")
    loss_date: pl.Date = Field(description="Local date of the loss")
    closed_date: pl.Date = Field(nullable=True, description="Day on which the claim was closed")
    cause: pl.String = Field(description="Cause of the loss")
    status: pl.String = Field(description="OPEN, IN_REVIEW, SETTLED or REJECTED")
    reserve: Annotated[pl.Decimal, 12, 2] = Field(ge=0, description="Reserve in euros")
    paid_amount: Annotated[pl.Decimal, 12, 2] = Field(description="Paid so far, in euros")
    recovered_amount: Annotated[pl.Decimal, 12, 2] = Field(nullable=True, description="Recovered from others, in euros")
    net_paid: Annotated[pl.Decimal, 12, 2] = Field(description="Paid less recovered, in euros")
    policy_status_at_loss: pl.String = Field(description="Underwriting status of the policy at the instant of loss")
    sum_insured_at_loss: Annotated[pl.Decimal, 14, 2] = Field(
        description="Sum insured at the instant of loss, in euros"
    )
    policyholder_at_loss: pl.String = Field(description="Party who held the policy at the instant of loss")
    adjuster: pl.String = Field(nullable=True, description="Adjuster in charge")
    loss_location: pl.String = Field(nullable=True, description="Where it happened")
    has_police_report: pl.Boolean = Field(description="Whether the police took it up")
    created_by: pl.String = Field(description="What wrote the row first")
    version: pl.Int32 = Field(description="Number of the row's version")
    updated_at: Annotated[pl.Datetime, "us", "UTC"] = Field(description="Last change of the row")

    class Config:
        """Version of the published model."""

        metadata = {"version": "1"}  # noqa: RUF012 (Pandera's own protocol)
