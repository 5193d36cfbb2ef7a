"""What the closed vocabularies of the output tables may say."""

from __future__ import annotations

from pipelines.declarations import Criticality, Side
from pipelines.service_level import Verdict

VERDICTS = [verdict.value for verdict in Verdict]
CRITICALITIES = [criticality.value for criticality in Criticality]
SIDES = [side.value for side in Side]
HEX = r"^[0-9a-f]+$"
