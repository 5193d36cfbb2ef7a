"""What a raw row is for its side: in scope or not, deleted or there. The declared conditions as canonical SQL."""

from __future__ import annotations

from pipelines.declarations import Holder, SoftDelete


def in_scope(holder: Holder) -> str:
    """Condition: the row takes part at all. A condition that is neither true nor false leaves it out."""
    return f"COALESCE({holder.scope}, FALSE)" if holder.scope else "TRUE"


def deleted(holder: Holder) -> str:
    """Condition: the row is there but marked as deleted."""
    return f"COALESCE({holder.deletion.when}, FALSE)" if isinstance(holder.deletion, SoftDelete) else "FALSE"
