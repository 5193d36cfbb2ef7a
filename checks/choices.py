"""What the closed vocabularies of the output tables may say, and what follows for other columns."""

from __future__ import annotations

import polars as pl

from pipelines.declarations import Criticality, Side
from pipelines.service_level import Verdict

VERDICTS = [verdict.value for verdict in Verdict]
CRITICALITIES = [criticality.value for criticality in Criticality]
SIDES = [side.value for side in Side]
HEX = r"^[0-9a-f]+$"


def only_with(column: str, value: str, *, there: str) -> pl.Expr:
    """A column says a value in exactly those rows in which another one says something."""
    return (pl.col(column) == value) == pl.col(there).is_not_null()
