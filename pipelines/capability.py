"""A capability: what is taken over from legacy as a whole. Legacy is switched off for all of it, or for none.

What must hold before that is `gates`'; whether it does, is written by `readiness`.
"""

from __future__ import annotations

from dataclasses import KW_ONLY
from datetime import timedelta

from pipelines.declared import Span, declared
from pipelines.words import Owner


@declared
class Capability:
    """Entities that are taken over together, and how long everything must have held before legacy is switched off.

    `entities` are named as in semantic rules: those of the same context by name, of another as `context.entity`.
    """

    name: str
    entities: tuple[str, ...]
    _: KW_ONLY
    description: str
    owner: Owner
    steady_for: Span = timedelta(days=30)
