"""The words every declaration is made of: sides, owners, phases, how much something matters, what missing means.

Small closed vocabularies that all stages share, as the glossary of the design names them. What is declared with them
lives in `declarations`.
"""

from __future__ import annotations

from dataclasses import KW_ONLY
from enum import StrEnum

from pipelines.declared import declared


class Side(StrEnum):
    """The two holders of a business entity."""

    LEGACY = "legacy"
    SERVICE = "service"

    @property
    def other(self) -> Side:
        """The side opposite: the replica when this one is the system of record."""
        return Side.SERVICE if self is Side.LEGACY else Side.LEGACY


class Criticality(StrEnum):
    """How much a discrepancy in a field matters to the business."""

    CRITICAL = "critical"
    MAJOR = "major"
    MINOR = "minor"


class Phase(StrEnum):
    """Where the migration of a capability stands."""

    LEGACY_ONLY = "legacy_only"
    SHADOW = "shadow"
    PARALLEL_RUN = "parallel_run"
    SERVICE_LEADS = "service_leads"
    DECOMMISSIONED = "decommissioned"


class Classification(StrEnum):
    """How a value must be protected."""

    PUBLIC = "public"
    INTERNAL = "internal"
    PERSONAL = "personal"


class MissingMeans(StrEnum):
    """What a missing value on one side says."""

    MISSING = "missing"  # there is none: equal to missing only
    UNKNOWN = "unknown"  # this side does not know: nothing to compare with
    NOT_APPLICABLE = "not_applicable"  # the field has no meaning for this row: nothing to compare with
    NOT_YET_SYNCHRONISED = "not_yet_synchronised"  # the replica has not got it yet: in flight within the allowed lag

    @property
    def leaves_out(self) -> bool:
        """Whether a pair is not compared where only this side's value is missing."""
        return self in {MissingMeans.UNKNOWN, MissingMeans.NOT_APPLICABLE}


class Effect(StrEnum):
    """What a business event does to the row it is about."""

    CREATES = "creates"
    CHANGES = "changes"
    STATES = "states"  # says all of the row, whether it was there or not
    DELETES = "deletes"
    NOTES = "notes"  # nothing of the row changes


class Numbering(StrEnum):
    """What the sequence of an event log counts."""

    PER_KEY = "per_key"
    PER_PARTITION = "per_partition"  # all events of a partition, from the beginning in each


@declared
class Owner:
    """Who answers for something: a team and how to reach it."""

    team: str
    contact: str = ""


@declared
class Missing:
    """What a missing value means on each side, and which values say "missing" on either.

    `sentinels` are values as they are shown: `-1`, `1900-01-01`, `N/A`, `nan`.
    """

    _: KW_ONLY
    legacy: MissingMeans = MissingMeans.MISSING
    service: MissingMeans = MissingMeans.MISSING
    sentinels: tuple[str, ...] = ()


@declared
class ServiceLevel:
    """Limits as rates from 0 to 1: `breached` above `limit`, `warned` above `warn`. Linkage: unlinked rows."""

    limit: float
    warn: float | None = None
