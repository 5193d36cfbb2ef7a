"""Declarations of identity: how the keys of both sides are known to denote the same thing.

`identity` builds the links these declare; `linkage` judges rows by them.
"""

from __future__ import annotations

from dataclasses import KW_ONLY
from enum import StrEnum

from pipelines.declared import declared
from pipelines.rules import Rule
from pipelines.sources.source import Source


class Cardinality(StrEnum):
    """How many counterparts a key may have, read legacy:service."""

    ONE_TO_ONE = "1:1"
    ONE_TO_MANY = "1:n"
    MANY_TO_ONE = "n:1"
    MANY_TO_MANY = "n:m"

    @property
    def one_service(self) -> bool:
        """Whether a legacy key has at most one service counterpart."""
        return self.value.endswith(":1")

    @property
    def one_legacy(self) -> bool:
        """Whether a service key has at most one legacy counterpart."""
        return self.value.startswith("1:")


@declared
class Merges:
    """Legacy keys merged into others over time, as a table of (merged, survivor) keys; chains are followed to the end.

    Links of a merged key lead to the survivor's counterparts; its row is linked but its values are not compared.
    """

    source: Source
    _: KW_ONLY
    merged: tuple[str, ...]
    survivor: tuple[str, ...]


@declared
class IdentityTable:
    """Links read from a table: columns holding the key of each side, in the order of the holders' keys.

    `valid_from` and `valid_to` (exclusive) are date columns; a missing end is open. `confidence` below 1 makes a link a
    candidate: several candidates are ambiguous, several certain links violate the cardinality. `primary` is a boolean
    column: of several service counterparts the one that references resolve to.
    """

    source: Source
    _: KW_ONLY
    legacy: tuple[str, ...]
    service: tuple[str, ...]
    cardinality: Cardinality = Cardinality.ONE_TO_ONE
    valid_from: str | None = None
    valid_to: str | None = None
    provenance: str | None = None
    confidence: str | None = None
    primary: str | None = None
    merges: Merges | None = None


@declared
class NaturalKey:
    """Links derived from the rows: same business key on both sides after each side's rules brought it to one form.

    Rules of `legacy` read legacy columns, those of `service` service columns, part by part. A key that finds several
    rows on the other side is ambiguous unless the cardinality allows them.
    """

    legacy: tuple[Rule, ...]
    service: tuple[Rule, ...]
    _: KW_ONLY
    cardinality: Cardinality = Cardinality.ONE_TO_ONE


Identity = IdentityTable | NaturalKey
