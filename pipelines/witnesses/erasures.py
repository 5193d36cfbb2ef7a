"""Erasures: rows that were deleted and left nothing, known by what their side held the last time.

Seeks them only where something is declared to follow from such a deletion. What a side held in the latest earlier
partition and has no more, with its counterparts by the links of that day; and what findings of the time before said
was deleted, so that nothing is forgotten while it is wrong. Whether the counterpart became what it must is
`following`'s.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from pipelines.declarations import Entity, Holder, Side, SoftDelete
from pipelines.engine import Engine
from pipelines.expressions import literal, quote
from pipelines.identity import valid_on
from pipelines.readings import member
from pipelines.rows import in_scope, row_key

FINDINGS = pa.schema([(name, pa.string()) for name in ("legacy_key", "service_key", "field", "reason", "evidence")])
_OF_THE_OTHER_ALONE = (
    "unmapped", "dangling", "counterpart_rejected", "pending_row", "row_never_arrived", "deletion_not_propagated",
    "deletion_without_event", "rebirth", "deletion_became_otherwise",
)  # fmt: skip
_CERTAIN = "NOT is_merged AND problem IS NULL AND confidence = 1"


def are_sought(holder: Holder) -> bool:
    """Whether something must follow from a deletion of this side that may leave nothing."""
    return bool(holder.deletion.becomes) and not isinstance(holder.deletion, SoftDelete)


def seek(engine: Engine, entity: Entity, last: Mapping[Side, str]) -> None:
    """Make `erasures` (side, legacy_key, service_key, told_there): rows of `side` that may be gone, and counterparts.

    `told_there` is the partition in which an earlier finding last knew the row. `last` are the latest earlier
    partitions of those sides that have one; needs of each `<side> then`, `<side> now` (all raw rows) and
    `<side> links then`; `findings before` (FINDINGS) and `links ever`. Keys may be there after all: `picking` tells.
    """
    found = [_vanished(entity.holder(side), side, on) for side, on in last.items()]
    found += [_told(side) for side in Side if are_sought(entity.holder(side))]
    engine.materialise(
        "erasures",
        f"""
        SELECT side, legacy_key, service_key, MAX(told_there) AS told_there
        FROM ({" UNION ALL ".join(found or [_NOTHING])}) AS found GROUP BY side, legacy_key, service_key
        """,
    )


def sharers(engine: Engine, last: Mapping[Side, str], *, into: str) -> None:
    """Make `into` (side, legacy_key, service_key, own_key): erasures whose counterpart was or is linked to others too.

    `own_key` is such another row of the same side. Needs `erasures`, `links now`, and `<side> links then`.
    """
    found = [_shared(side, links) for side in Side for links in ("links now", *_then(last, side))]
    engine.materialise(into, " UNION ALL ".join(found))


def _vanished(holder: Holder, side: Side, on: str) -> str:
    """Links of rows that were there and are not: by the columns of their keys, whose texts would cost far more."""
    same = " AND ".join(
        f"n.{quote(part)} {'IS NOT DISTINCT FROM' if part in holder.nullable_key else '='} t.{quote(part)}"
        for part in holder.key
    )
    gone = f"""
        SELECT {row_key(holder)} AS row_key FROM {quote(f"{side} then")} AS t
        WHERE {in_scope(holder)} AND NOT EXISTS (SELECT 1 FROM {quote(f"{side} now")} AS n WHERE {same})
    """
    return f"""
        SELECT {literal(side)} AS side, l.legacy_key, l.service_key, CAST(NULL AS VARCHAR) AS told_there
        FROM {quote(f"{side} links then")} AS l
        WHERE {_CERTAIN} AND {valid_on(on)} AND l.{side}_key IN (SELECT g.row_key FROM ({gone}) AS g)
    """


def _told(side: Side) -> str:
    """What was found the time before of rows whose counterpart on `side` was not there, however they are known."""
    other = side.other
    about = f"CASE {member('f.evidence', 'side')} WHEN {literal(other)} THEN {literal(side)} END"
    known = f"COALESCE(f.{side}_key, {member('f.evidence', 'other_key')})"
    own = f"COALESCE({known}, l.{side}_key)"
    keys = {side: own, other: f"f.{other}_key"}
    return f"""
        SELECT {literal(side)} AS side, {keys[Side.LEGACY]} AS legacy_key, {keys[Side.SERVICE]} AS service_key,
            {member("f.evidence", "there")} AS told_there
        FROM "findings before" AS f
        LEFT JOIN (SELECT DISTINCT legacy_key, service_key FROM "links ever" WHERE {_CERTAIN}) AS l
            ON l.{other}_key = f.{other}_key AND {known} IS NULL
        WHERE f.field IS NULL AND f.reason IN ({", ".join(map(literal, _OF_THE_OTHER_ALONE))})
            AND COALESCE({member("f.evidence", "deleted_on")}, {about}) = {literal(side)}
            AND {own} IS NOT NULL AND f.{other}_key IS NOT NULL
    """


_NOTHING = """
    SELECT CAST(NULL AS VARCHAR) AS side, CAST(NULL AS VARCHAR) AS legacy_key, CAST(NULL AS VARCHAR) AS service_key,
        CAST(NULL AS VARCHAR) AS told_there
    WHERE FALSE
"""


def _then(last: Mapping[Side, str], side: Side) -> list[str]:
    return [f"{side} links then"] if side in last else []


def _shared(side: Side, links: str) -> str:
    return f"""
        SELECT e.side, e.legacy_key, e.service_key, l.{side}_key AS own_key
        FROM erasures AS e
        JOIN {quote(links)} AS l ON l.{side.other}_key = e.{side.other}_key AND l.{side}_key <> e.{side}_key
        WHERE e.side = {literal(side)} AND {_CERTAIN}
    """
