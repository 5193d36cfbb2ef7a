"""Policies and endorsements in two models (made up, see data/insurer): files of the host, and the policy service."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

from assets.contexts.policy.endorsements import ENDORSEMENT_EVENTS, endorsements
from assets.contexts.policy.policies import POLICY_EVENTS, POLICY_TEAM, policies
from pipelines.declarations import Context, Daily

context = Context(
    "policy",
    description="What the insurer has promised to whom",
    owner=POLICY_TEAM,
    partitioning=Daily(date(2026, 3, 20), last=date(2026, 4, 2)),
    entities=(policies, endorsements),
    event_types=(*POLICY_EVENTS, *ENDORSEMENT_EVENTS),
    root=Path(os.environ.get("COEXIST_INSURER_WORLD") or "data/insurer/world"),
)
