"""Contracts of the broker context: the region offices' broker file, and the broker service that replaces it."""

from __future__ import annotations

from typing import Annotated

import polars as pl
from pandera.polars import DataFrameModel, Field


class LegacyBroker(DataFrameModel):
    """One row per broker and region: numbers are unique only within the region that gave them."""

    REGION: pl.String = Field(nullable=True, description="Region office that gave the number: N, S, W, E, M")
    BROKER_NO: pl.String = Field(nullable=True, description="Number of the broker within the region, five digits")
    NAME1: pl.String = Field(description="Name of the agency, first line")
    NAME2: pl.String = Field(nullable=True, description="Name of the agency, second line")
    STATUS: pl.String = Field(description="A active, R at rest, G gone")
    LICENCE_NO: pl.String = Field(description="Number in the register of insurance brokers, as typed")
    COMM_BP: pl.Int64 = Field(in_range={"min_value": 0, "max_value": 10_000}, description="Commission in basis points")
    IBAN: pl.String = Field(description="Account for commissions, in groups of four")
    CONTRACT_FROM: pl.Int64 = Field(description="First day of the agency contract, YYYYMMDD")
    CONTRACT_TO: pl.Int64 = Field(description="Last day, YYYYMMDD; 99991231 open, 0 none")
    ZIP: pl.String = Field(description="Postal code of the office")
    CITY: pl.String = Field(description="City of the office")
    PHONE: pl.String = Field(nullable=True, description="Telephone as typed; N/A and ? mean none")
    EMAIL: pl.String = Field(nullable=True, description="E-mail in upper case")
    TIER: pl.Int64 = Field(description="Class of the agency: 1, 2, 3")
    STMT_CYC: pl.String = Field(description="Statements: M monthly, Q quarterly, J yearly")
    PARTY_NO: pl.String = Field(nullable=True, description="The broker's number among the parties")
    SIGNED_TS: pl.String = Field(description="When the contract was signed, DD.MM.YYYY HH:MM in Berlin")
    LAST_CHG_TS: pl.String = Field(description="Last change of the row, wall time in Berlin")
    AREA_MGR: pl.String = Field(nullable=True, description="Initials of the area manager")

    class Config:
        """Version of the published model."""

        metadata = {"version": "1"}  # noqa: RUF012 (Pandera's own protocol)


class ServiceBroker(DataFrameModel):
    """One row per broker, whatever the region."""

    broker_id: pl.String = Field(description="Identifier of the broker")
    region_name: pl.String = Field(description="Region: NORTH, SOUTH, WEST, EAST, CENTRE")
    legal_name: pl.String = Field(description="Name of the agency")
    status: pl.String = Field(description="ACTIVE, SUSPENDED or TERMINATED")
    licence_number: pl.String = Field(description="Number in the register of insurance brokers")
    commission_percent: Annotated[pl.Decimal, 5, 2] = Field(
        ge=0, le=100, description="Commission in percent of premium"
    )
    iban: pl.String = Field(description="Account for commissions")
    contract_start: pl.Date = Field(description="First day of the agency contract")
    contract_end: pl.Date = Field(nullable=True, description="Last day of the agency contract, if it ends")
    postal_code: pl.String = Field(description="Postal code of the office")
    city: pl.String = Field(description="City of the office")
    phone: pl.String = Field(nullable=True, description="Telephone number, digits only, with 00 and country code")
    email: pl.String = Field(nullable=True, str_matches=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", description="E-mail address")
    tier: pl.String = Field(description="Class of the agency: GOLD, SILVER, BRONZE")
    statement_cycle: pl.String = Field(description="How often commission statements go out")
    party_id: pl.String = Field(nullable=True, description="The broker as a party")
    signed_at: Annotated[pl.Datetime, "us", "UTC"] = Field(description="When the agency contract was signed")
    created_by: pl.String = Field(description="What wrote the row first")
    version: pl.Int32 = Field(description="Number of the row's version")
    updated_at: Annotated[pl.Datetime, "us", "UTC"] = Field(description="Last change of the row")

    class Config:
        """Version of the published model."""

        metadata = {"version": "1"}  # noqa: RUF012 (Pandera's own protocol)
