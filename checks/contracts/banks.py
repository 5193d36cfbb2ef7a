"""Contracts of the bank registry: what both published models promise, whatever they say about a bank."""

from __future__ import annotations

import polars as pl
from pandera.polars import DataFrameModel, Field


class LegacyBank(DataFrameModel):
    """One row per sort code (Bankleitzahl), as the register of the Bundesbank lists them."""

    blz: pl.String = Field(str_matches=r"^\d{8}$", description="Sort code")
    bankName: pl.String = Field(str_length={"min_value": 1}, description="Name of the bank")  # noqa: N815 (their name)
    bic: pl.String = Field(
        nullable=True, str_matches=r"^[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?$", description="BIC; empty when unknown"
    )
    source_release: pl.String = Field(description="Release of the package the row comes from")

    class Config:
        """Version of the published model."""

        metadata = {"version": "2.26"}  # noqa: RUF012 (Pandera's own protocol)


class ServiceBank(DataFrameModel):
    """One row per bank code and BIC; `primary` marks the main row of a bank code."""

    bank_code: pl.String = Field(str_matches=r"^\d{8}$", description="Bank code, the same as the sort code")
    name: pl.String = Field(description="Name of the bank")
    short_name: pl.String = Field(description="Name as printed on forms")
    bic: pl.String = Field(
        nullable=True, str_matches=r"^[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?$", description="BIC; empty when there is none"
    )
    primary: pl.Boolean = Field(description="Whether this is the main row of the bank code")
    country_code: pl.String = Field(isin=["DE"], description="Country of the register")
    checksum_algo: pl.String = Field(nullable=True, description="How account numbers are checked")
    source_release: pl.String = Field(description="Release of the package the row comes from")

    class Config:
        """Version of the published model."""

        metadata = {"version": "2026"}  # noqa: RUF012 (Pandera's own protocol)
