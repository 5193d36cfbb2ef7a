"""Contracts of the billing context: the invoice file of the collections system, and the billing service."""

from __future__ import annotations

from typing import Annotated

import polars as pl
from pandera.polars import DataFrameModel, Field


class LegacyInvoice(DataFrameModel):
    """One row per invoice; deleted invoices are gone."""

    INV_NO: pl.String = Field(description="Number of the invoice as printed: R-000123/26")
    BRANCH: pl.String = Field(description="Branch of the policy")
    POLICY_NO: pl.String = Field(description="Number of the policy within the branch")
    SUFFIX: pl.String = Field(description="Which of the policies under that number")
    PAYER_NO: pl.String = Field(description="Party who pays")
    INV_DATE: pl.Int64 = Field(description="Day of the invoice, YYYYMMDD")
    DUE_DATE: pl.Int64 = Field(description="Day by which it is to be paid, YYYYMMDD; 0 none")
    PAID_DATE: pl.Int64 = Field(description="Day on which it was paid, YYYYMMDD; 0 none")
    PERIOD_FROM: pl.String = Field(description="First day of the period invoiced, YYMMDD")
    PERIOD_TO: pl.String = Field(description="Last day of the period invoiced, YYMMDD")
    AMOUNT_CT: pl.Int64 = Field(ge=0, description="Amount in cents, tax included")
    TAX_CT: pl.Int64 = Field(description="Insurance tax in cents")
    STATUS: pl.String = Field(description="O open, B paid, S cancelled, W written off")
    DUN_LEVEL: pl.Int64 = Field(description="Reminders sent: 0 to 3")
    PAY_METH: pl.String = Field(description="L direct debit, U transfer, K card, B cash")
    IBAN: pl.String = Field(nullable=True, description="Account to debit, in groups of four")
    PROD_GEN: pl.String = Field(description="Generation of the product: 1 old, 2 new")
    BILL_CYC: pl.String = Field(description="Billing cycle; what it means depends on the generation")
    ISSUED_TS: pl.String = Field(description="When the invoice was issued, wall time in Berlin")
    REMARK: pl.String = Field(nullable=True, description="Free text; N/A and ? mean none")
    LAST_CHG_TS: pl.String = Field(description="Last change of the row, wall time in Berlin")
    PRINT_JOB: pl.String = Field(nullable=True, description="Print job that put it on paper")

    class Config:
        """Version of the published model."""

        metadata = {"version": "1"}  # noqa: RUF012 (Pandera's own protocol)


class ServiceInvoice(DataFrameModel):
    """One row per invoice; deleted invoices stay, flagged."""

    invoice_number: pl.String = Field(description="Number of the invoice, letters and digits only")
    policy_id: pl.String = Field(description="Policy that is invoiced")
    payer_id: pl.String = Field(description="Party who pays")
    invoice_date: pl.Date = Field(description="Day of the invoice")
    due_date: pl.Date = Field(nullable=True, description="Day by which it is to be paid")
    paid_date: pl.Date = Field(nullable=True, description="Day on which it was paid")
    period_start: pl.Date = Field(description="First day of the period invoiced")
    period_end: pl.Date = Field(description="Last day of the period invoiced")
    amount: Annotated[pl.Decimal, 12, 2] = Field(ge=0, description="Amount in euros, tax included")
    tax_amount: Annotated[pl.Decimal, 12, 2] = Field(description="Insurance tax in euros")
    net_amount: Annotated[pl.Decimal, 12, 2] = Field(description="Amount in euros without tax")
    status: pl.String = Field(description="OPEN, PAID, CANCELLED or WRITTEN_OFF")
    dunning_level: pl.Int32 = Field(description="Reminders sent")
    payment_method: pl.String = Field(description="How the payer pays")
    iban: pl.String = Field(nullable=True, description="Account to debit")
    billing_cycle: pl.String = Field(description="How often premiums are invoiced")
    issued_at: Annotated[pl.Datetime, "us", "UTC"] = Field(description="When the invoice was issued")
    remark: pl.String = Field(nullable=True, description="Free text printed on the invoice")
    is_deleted: pl.Boolean = Field(description="Whether the invoice was deleted")
    created_by: pl.String = Field(description="What wrote the row first")
    version: pl.Int32 = Field(description="Number of the row's version")
    updated_at: Annotated[pl.Datetime, "us", "UTC"] = Field(description="Last change of the row")

    class Config:
        """Version of the published model."""

        metadata = {"version": "1"}  # noqa: RUF012 (Pandera's own protocol)
