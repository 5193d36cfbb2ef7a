"""Contracts of the policy context: the policy file and its endorsements on the host, and the policy service."""

from __future__ import annotations

from typing import Annotated

import polars as pl
from pandera.polars import DataFrameModel, Field


class LegacyPolicy(DataFrameModel):
    """One record per policy, all tenants of the host in one file."""

    BRANCH: pl.String = Field(nullable=True, description="Branch that wrote the policy: N, S, W")
    POLICY_NO: pl.String = Field(nullable=True, description="Number within the branch, seven digits")
    SUFFIX: pl.String = Field(nullable=True, description="Which of the policies under that number")
    MANDANT: pl.String = Field(nullable=True, description="Tenant of the host: 01 the insurer, 99 tests")
    STATUS: pl.String = Field(description="Underwriting and billing status in one code")
    PRODUCT_CD: pl.String = Field(description="Product")
    PRODUCT_GEN: pl.String = Field(description="Generation of the product: 1 old, 2 new")
    BILL_CYC: pl.String = Field(description="Billing cycle; what it means depends on the generation")
    INCEPT: pl.String = Field(description="First day of cover, YYMMDD")
    EXPIRY: pl.String = Field(description="Last day of cover, YYYYMMDD; 99991231 open, 00000000 none")
    PREMIUM_CT: pl.Int64 = Field(ge=0, description="Yearly premium in euro cents")
    CURR: pl.String = Field(description="Currency of the sum insured: EUR, or DEM in old contracts")
    SUM_INS_CT: pl.Int64 = Field(description="Sum insured in hundredths of its currency")
    DEDUCT_CT: pl.Int64 = Field(nullable=True, description="Deductible in euro cents")
    HOLDER_NO: pl.String = Field(description="Party who holds the policy")
    PAYER_NO: pl.String = Field(nullable=True, description="Party who pays, when another one does")
    BROKER_REG: pl.String = Field(nullable=True, description="Region of the broker")
    BROKER_NO: pl.String = Field(nullable=True, description="Number of the broker within the region")
    RISK_STREET: pl.String = Field(nullable=True, description="Street of the risk")
    RISK_ZIP: pl.String = Field(nullable=True, description="Postal code of the risk")
    RISK_CITY: pl.String = Field(nullable=True, description="City of the risk")
    TARIFF: pl.String = Field(description="Tariff, padded with zeros")
    CHANNEL: pl.String = Field(description="Sales channel: AG, MK, ON, BA")
    NCB_YEARS: pl.Int64 = Field(description="Years without a claim")
    ENTRY_TS: pl.String = Field(description="When the policy was entered, YYYYMMDDHHMMSS in Berlin")
    LAST_CHG_TS: pl.String = Field(description="Last change of the record, YYYYMMDDHHMMSS in Berlin")
    CLERK: pl.String = Field(nullable=True, description="Clerk who last had the record open")

    class Config:
        """Version of the published model."""

        metadata = {"version": "1"}  # noqa: RUF012 (Pandera's own protocol)


class ServicePolicy(DataFrameModel):
    """One row per policy of the insurer."""

    policy_id: pl.String = Field(description="Identifier of the policy")
    underwriting_status: pl.String = Field(description="ACTIVE, LAPSED, CANCELLED or PENDING")
    billing_status: pl.String = Field(description="Where dunning of the policy stands")
    product: pl.String = Field(description="Line of insurance")
    product_generation: pl.Int32 = Field(description="Generation of the product")
    billing_cycle: pl.String = Field(description="How often premiums are invoiced")
    inception_date: pl.Date = Field(description="First day of cover")
    expiry_date: pl.Date = Field(nullable=True, description="Last day of cover, if it ends")
    premium: Annotated[pl.Decimal, 12, 2] = Field(ge=0, description="Yearly premium in euros")
    sum_insured: Annotated[pl.Decimal, 14, 2] = Field(description="Sum insured in euros")
    deductible: Annotated[pl.Decimal, 12, 2] = Field(nullable=True, description="Deductible in euros")
    policyholder_id: pl.String = Field(description="Party who holds the policy")
    payer_id: pl.String = Field(nullable=True, description="Party who pays, when another one does")
    broker_id: pl.String = Field(nullable=True, description="Broker who looks after the policy")
    risk_location: pl.String = Field(nullable=True, description="Where the insured risk is")
    tariff: pl.String = Field(description="Tariff")
    sales_channel: pl.String = Field(description="How the policy was sold")
    no_claims_years: pl.Int32 = Field(description="Years without a claim")
    entered_at: Annotated[pl.Datetime, "us", "UTC"] = Field(description="When the policy was entered")
    created_by: pl.String = Field(description="What wrote the row first")
    version: pl.Int32 = Field(description="Number of the row's version")
    updated_at: Annotated[pl.Datetime, "us", "UTC"] = Field(description="Last change of the row")

    class Config:
        """Version of the published model."""

        metadata = {"version": "1"}  # noqa: RUF012 (Pandera's own protocol)


class LegacyEndorsement(DataFrameModel):
    """One row per change of a policy that has a document of its own."""

    BRANCH: pl.String = Field(nullable=True, description="Branch of the policy")
    POLICY_NO: pl.String = Field(nullable=True, description="Number of the policy within the branch")
    SUFFIX: pl.String = Field(nullable=True, description="Which of the policies under that number")
    ENDT_NO: pl.String = Field(nullable=True, description="Number of the endorsement within the policy, three digits")
    ORIGIN: pl.String = Field(description="DIG customer portal, REN renewal, AGT agent")
    ENDT_TYPE: pl.String = Field(description="What changes: 01 to 04")
    EFF_DATE: pl.String = Field(description="Day from which the change holds, DDMMYYYY")
    VALID_TO: pl.Int64 = Field(description="Last day of the change, YYYYMMDD; 99991231 open")
    PREM_DELTA_CT: pl.Int64 = Field(description="Change of the yearly premium in cents, without tax")
    TAX_CT: pl.Int64 = Field(description="Insurance tax on the change in cents")
    NEW_SUM_CT: pl.Int64 = Field(nullable=True, description="New sum insured in cents, when it changes")
    CLAUSE: pl.String = Field(description="Text of the clause, as typed")
    DOC_REF: pl.String = Field(description="Document in the archive, upper case")
    APPROVED: pl.String = Field(description="Whether approved: J, N")
    APPROVER: pl.String = Field(nullable=True, description="Who approved; N/A and ? mean nobody")
    STATE: pl.String = Field(description="E draft, F final, S reversed")
    ENTRY_TS: pl.String = Field(description="When the endorsement was entered, wall time in Berlin")
    PAGES: pl.Int64 = Field(ge=1, description="Pages of the document")
    LAST_CHG_TS: pl.String = Field(description="Last change of the row, wall time in Berlin")
    TERMINAL_ID: pl.String = Field(nullable=True, description="Terminal the endorsement was typed at")

    class Config:
        """Version of the published model."""

        metadata = {"version": "1"}  # noqa: RUF012 (Pandera's own protocol)


class ServiceEndorsement(DataFrameModel):
    """One row per endorsement."""

    endorsement_id: pl.String = Field(description="Identifier of the endorsement")
    policy_id: pl.String = Field(description="Policy that is changed")
    endorsement_number: pl.Int32 = Field(description="Number of the endorsement within the policy")
    origin: pl.String = Field(description="DIGITAL, RENEWAL or AGENT: where the change came from")
    kind: pl.String = Field(description="What changes")
    effective_date: pl.Date = Field(description="Day from which the change holds")
    valid_until: pl.Date = Field(nullable=True, description="Last day of the change, if it ends")
    premium_change: Annotated[pl.Decimal, 12, 2] = Field(
        description="Change of the yearly premium in euros, without tax"
    )
    tax_amount: Annotated[pl.Decimal, 12, 2] = Field(description="Insurance tax on the change in euros")
    gross_change: Annotated[pl.Decimal, 12, 2] = Field(description="Change of the yearly premium in euros, with tax")
    new_sum_insured: Annotated[pl.Decimal, 14, 2] = Field(nullable=True, description="New sum insured in euros")
    clause: pl.String = Field(description="Text of the clause")
    document_reference: pl.String = Field(description="Document in the archive")
    is_approved: pl.Boolean = Field(description="Whether the endorsement is approved")
    approved_by: pl.String = Field(nullable=True, description="Who approved")
    state: pl.String = Field(description="DRAFT, FINAL or REVERSED")
    recorded_at: Annotated[pl.Datetime, "us", "UTC"] = Field(description="When the endorsement was entered")
    page_count: pl.Int32 = Field(ge=1, description="Pages of the document")
    created_by: pl.String = Field(description="What wrote the row first")
    version: pl.Int32 = Field(description="Number of the row's version")
    updated_at: Annotated[pl.Datetime, "us", "UTC"] = Field(description="Last change of the row")

    class Config:
        """Version of the published model."""

        metadata = {"version": "1"}  # noqa: RUF012 (Pandera's own protocol)
