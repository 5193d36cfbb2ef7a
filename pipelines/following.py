"""Following: deletions that became something else on the other side than what is declared to follow from them.

A row that its own side says is deleted must be `gone` from the other side, or `flagged` there, where that is declared.
Reads what linkage knows of both ends of a link; of a deletion that left nothing there is nothing to ask. Counterparts
that are still alive are `absence`'s.
"""

from __future__ import annotations

from pipelines.causes import cause, told
from pipelines.declarations import FLAGGED, GONE, Entity, Side
from pipelines.engine import Engine
from pipelines.expressions import literal, quote
from pipelines.rows import row_key


def judge(engine: Engine, entity: Entity, *, into: str) -> None:
    """Make `into` (legacy_key, service_key, side, type, reason, evidence): deletions that became something else.

    `side` is the one that had to follow. Needs `judged links` (`linkage`), and `<side> rejected rows` (`rejections`).
    """
    found = [_followed(entity, side) for side in Side if entity.holder(side).deletion.becomes]
    engine.materialise(into, " UNION ALL ".join(found) or _NOTHING)


def _followed(entity: Entity, side: Side) -> str:
    """Links from a row that is deleted on `side` to one that became something else than it must."""
    other, wanted = side.other, entity.holder(side).deletion.becomes
    key = row_key(entity.holder(other))
    refused = f"SELECT {key} AS row_key FROM {quote(f'{other} rejected rows')} WHERE NOT {key} IS NULL"
    otherwise = {
        GONE: f"{other}_state = 'deleted'",
        FLAGGED: f"{other}_state IS NULL AND NOT {other}_key IN ({refused})",
    }
    became = literal(FLAGGED if wanted == GONE else GONE)
    evidence = told(deleted_on=literal(side), must_be=literal(wanted), became=became, on=literal(other))
    return f"""
        SELECT legacy_key, service_key, {literal(other)} AS side,
            {cause("invalid_transformation", "deletion_became_otherwise")}, {evidence} AS evidence
        FROM "judged links"
        WHERE verdict = 'good' AND NOT is_merged AND {side}_state = 'deleted' AND {otherwise[wanted]}
    """


_NOTHING = """
    SELECT legacy_key, service_key, CAST(NULL AS VARCHAR) AS side, CAST(NULL AS VARCHAR) AS type,
        CAST(NULL AS VARCHAR) AS reason, CAST(NULL AS VARCHAR) AS evidence
    FROM "judged links" WHERE FALSE
"""
