"""Contracts of the party context: one legacy table for people in every role, and the party service that replaces it."""

from __future__ import annotations

from typing import Annotated

import polars as pl
from pandera.polars import DataFrameModel, Field


class LegacyParty(DataFrameModel):
    """One row per person, company or household. Deleted rows stay, flagged; merged rows stay too."""

    PARTY_NO: pl.String = Field(str_matches=r"^[0-9]{8}$", description="Number of the party, with leading zeros")
    PARTY_TYPE: pl.String = Field(description="P person, C company, H household")
    NAME: pl.String = Field(description="'Surname, Given', or a company's name; NFC or NFD")
    BIRTH_DT: pl.String = Field(description="Day of birth as YYMMDD, 000000 for none")
    STREET: pl.String = Field(description="Street of the postal address")
    HOUSE_NO: pl.String = Field(nullable=True, description="House number")
    ZIP: pl.String = Field(description="Postal code, with leading zeros")
    CITY: pl.String = Field(description="City of the postal address")
    COUNTRY: pl.String = Field(description="Country as on number plates: D, A, CH, F")
    LANG: pl.Int64 = Field(description="Language of letters: 1 German, 2 English, 3 French")
    EMAIL: pl.String = Field(nullable=True, description="E-mail in upper case; N/A and ? mean none")
    PHONE: pl.String = Field(nullable=True, description="Telephone as typed; N/A and ? mean none")
    ROLES: pl.String = Field(description="Flags by position: P, I, Y, C, B, or - for not in this role")
    RISK_CLS: pl.String = Field(description="Risk class: L, M, H")
    VIP_IND: pl.String = Field(description="Whether a VIP: J, N")
    CREDIT_CT: pl.Int64 = Field(nullable=True, ge=0, description="Credit limit in cents")
    CONSENT_TS: pl.String = Field(nullable=True, description="When consent was given, wall time in Berlin")
    DEL_FLAG: pl.String = Field(nullable=True, description="X for a deleted party")
    LAST_CHG_TS: pl.String = Field(description="Last change of the row, wall time in Berlin")
    BRANCH_USER: pl.String = Field(description="Terminal user who last had the row open")

    class Config:
        """Version of the published model."""

        metadata = {"version": "1"}  # noqa: RUF012 (Pandera's own protocol)


class ServiceParty(DataFrameModel):
    """One row per natural or legal person; the members of a household each have their own."""

    party_id: pl.String = Field(description="Identifier of the party")
    party_kind: pl.String = Field(description="PERSON or COMPANY")
    family_name: pl.String = Field(description="Surname, or the name of a company")
    given_name: pl.String = Field(nullable=True, description="Given name of a person")
    birth_date: pl.Date = Field(nullable=True, description="Day of birth")
    street_address: pl.String = Field(description="Street and house number")
    postal_code: pl.String = Field(description="Postal code")
    city: pl.String = Field(description="City of the postal address")
    country: pl.String = Field(description="Country of the postal address, ISO 3166")
    language: pl.String = Field(description="Language of letters, ISO 639")
    email: pl.String = Field(nullable=True, str_matches=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", description="E-mail address")
    phone: pl.String = Field(nullable=True, description="Telephone number, digits only, with 00 and country code")
    is_policyholder: pl.Boolean = Field(description="Whether the party holds a policy")
    is_insured: pl.Boolean = Field(description="Whether the party is insured under a policy")
    is_payer: pl.Boolean = Field(description="Whether the party pays premiums")
    is_claimant: pl.Boolean = Field(description="Whether the party has made a claim")
    is_broker: pl.Boolean = Field(description="Whether the party is a broker")
    risk_class: pl.String = Field(description="Risk class: LOW, MEDIUM, HIGH")
    is_vip: pl.Boolean = Field(description="Whether the party is looked after as a VIP")
    credit_limit: Annotated[pl.Decimal, 12, 2] = Field(nullable=True, description="Open premiums tolerated, in euros")
    consented_at: Annotated[pl.Datetime, "us", "UTC"] = Field(
        nullable=True, description="When the party consented to electronic letters"
    )
    created_by: pl.String = Field(description="What wrote the row first")
    version: pl.Int32 = Field(description="Number of the row's version")
    updated_at: Annotated[pl.Datetime, "us", "UTC"] = Field(description="Last change of the row")

    class Config:
        """Version of the published model."""

        metadata = {"version": "1"}  # noqa: RUF012 (Pandera's own protocol)
