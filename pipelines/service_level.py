"""Service levels: whether a measured rate is within the declared limit.

Cheap, so that a changed limit is judged again alone.
"""

from __future__ import annotations

from enum import StrEnum

from pipelines.declarations import ServiceLevel


class Verdict(StrEnum):
    """What a measurement comes to against its limit, mildest first."""

    NOT_MEASURED = "not_measured"
    MET = "met"
    WARNED = "warned"
    BREACHED = "breached"


def judge(rate: float | None, *, against: ServiceLevel) -> Verdict:
    """The verdict on a rate of bad cases; a rate that could not be measured is neither met nor breached."""
    if rate is None:
        return Verdict.NOT_MEASURED
    if rate > against.limit:
        return Verdict.BREACHED
    return Verdict.WARNED if against.warn is not None and rate > against.warn else Verdict.MET


def worst(verdicts: list[Verdict]) -> Verdict:
    """The gravest of several verdicts."""
    order = list(Verdict)
    return max(verdicts, key=order.index, default=Verdict.NOT_MEASURED)
