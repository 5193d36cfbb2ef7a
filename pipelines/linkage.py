"""Linkage: which rows of both sides belong together through the identity map, and a verdict on every row.

Every row of both sides gets exactly one verdict, so that rows balance; every link that cannot be used and every row
without a partner becomes a finding. Which of several rows with one key belong together is `pairing`'s, comparing the
values of linked rows `comparison`'s; why a partner is missing (lost event, pending, ...) is `classification`'s.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from pipelines.declarations import Cardinality, Entity, Holder, Side
from pipelines.engine import Engine
from pipelines.expressions import literal, quote
from pipelines.identity import valid_on
from pipelines.rows import deleted, in_scope, row_key, shown_key

_KEYS = pa.schema([("row_key", pa.string()), ("shown", pa.string()), ("n", pa.int64()), ("state", pa.string())])
_JUDGED = pa.schema([
    ("legacy_key", pa.string()), ("service_key", pa.string()), ("confidence", pa.float64()), ("problem", pa.string()),
    ("is_primary", pa.bool_()), ("is_merged", pa.bool_()), ("is_crowded", pa.bool_()), ("is_contested", pa.bool_()),
    ("verdict", pa.string()), ("legacy_state", pa.string()), ("service_state", pa.string()),
])  # fmt: skip
_LINKED = pa.schema([
    ("legacy_key", pa.string()), ("service_key", pa.string()), ("link_primary", pa.bool_()), ("compared", pa.bool_()),
])  # fmt: skip
_FINDINGS = pa.schema([
    ("legacy_key", pa.string()), ("service_key", pa.string()), ("problem", pa.string()), ("side", pa.string()),
    ("reason", pa.string()), ("n", pa.int64()),
])  # fmt: skip
_VERDICTS = pa.schema([("side", pa.string()), ("verdict", pa.string()), ("n", pa.int64())])
_LIVELIEST_FIRST = ("live", "duplicate", "deleted", "out_of_scope")


def link(  # noqa: PLR0913 (which rows through which links, and where to)
    engine: Engine, entity: Entity, *, on: str, links: str, rows: Mapping[Side, str], into: str
) -> None:
    """Link raw rows, the relations of both sides, through `links` (`identity.SCHEMA`) as of a day.

    Makes:
    `into` (legacy_key, service_key, link_primary, compared): linked rows; merged ones are not compared;
    `judged links` (keys, confidence, problem, is_primary, is_merged, verdict, legacy_state, service_state).
    """
    for side in Side:
        engine.materialise(f"{side} keys", _keys(entity.holder(side), rows[side]))
    engine.materialise("valid links", _valid_links(links, on))
    unsure = engine.number('SELECT COUNT(*) FROM "valid links" WHERE confidence < 1') > 0
    engine.materialise("judged links", _judged_links(entity.identity.cardinality, *(_UNSURE if unsure else _SURE)))
    engine.materialise(into, _PAIRS)


def link_nothing(engine: Engine, *, into: str) -> None:
    """Make what `link` does, where no row is there to be linked."""
    for side in Side:
        engine.register(f"{side} keys", _KEYS.empty_table())
    engine.register("judged links", _JUDGED.empty_table())
    engine.register(into, _LINKED.empty_table())


def tell(engine: Engine) -> None:
    """Tell what became of every row, once `pairing.pair` has paired the rows of keys that several rows bear.

    Makes:
    `linkage findings` (legacy_key, service_key, problem, side, reason, n): what could not be linked, and why;
    `row verdicts` (side, verdict, n): every row of both sides counted once.
    """
    if all(engine.is_empty(f"{side} keys") for side in Side):
        engine.register("linkage findings", _FINDINGS.empty_table())
        engine.register("row verdicts", _VERDICTS.empty_table())
        return
    for side in Side:
        engine.materialise(f"{side} verdicts", _live_verdicts(side))
    engine.materialise("linkage findings", " UNION ALL ".join(_findings()))
    engine.materialise("row verdicts", _row_verdicts())


def _keys(holder: Holder, rows: str) -> str:
    """One row per key and state: key text, how it is shown, the state of its rows, and how many there are."""
    return f"""
        SELECT row_key, shown, n,
            CASE WHEN state = 'live' AND n > 1 THEN 'duplicate' ELSE state END AS state
        FROM (
            SELECT row_key, shown, state, COUNT(*) AS n
            FROM (
                SELECT {row_key(holder)} AS row_key, {shown_key(holder)} AS shown,
                    CASE WHEN NOT {in_scope(holder)} THEN 'out_of_scope'
                        WHEN {deleted(holder)} THEN 'deleted'
                        WHEN {row_key(holder)} IS NULL THEN 'null_key'
                        ELSE 'live' END AS state
                FROM {quote(rows)}
            ) AS stated
            GROUP BY row_key, shown, state
        ) AS counted
    """


def _valid_links(links: str, on: str) -> str:
    """Each pair of keys once: primary or with a problem if any of its links is, merged only if all of them are."""
    return f"""
        SELECT legacy_key, service_key, MAX(confidence) AS confidence, MAX(problem) AS problem,
            MAX(CASE WHEN is_primary THEN 1 ELSE 0 END) = 1 AS is_primary,
            MIN(CASE WHEN is_merged THEN 1 ELSE 0 END) = 1 AS is_merged
        FROM {quote(links)}
        WHERE {valid_on(on)}
        GROUP BY legacy_key, service_key
    """


def _judged_links(cardinality: Cardinality, is_unsure: str, is_contested: str) -> str:
    """Each valid link with the state of the rows at its ends and its own verdict.

    Conditions say of a link if it has an end of an uncertain one, and of an uncertain one if it has it with others.
    Several candidates at one end are ambiguous even where several counterparts are allowed. One uncertain link makes a
    crowd, more counterparts than are allowed, a matter of choice; only certain links violate a cardinality.
    """
    return f"""
        SELECT j.*, l.state AS legacy_state, s.state AS service_state
        FROM (
            SELECT c.*,
                CASE WHEN problem IS NOT NULL OR is_contested THEN 'ambiguous'
                    WHEN NOT is_crowded THEN 'good'
                    WHEN {is_unsure} THEN 'ambiguous'
                    ELSE 'cardinality_violated' END AS verdict
            FROM (
                SELECT v.*, NOT is_merged AND ({_crowded(cardinality)}) AS is_crowded,
                    NOT is_merged AND confidence < 1 AND ({is_contested}) AS is_contested
                FROM "valid links" AS v
            ) AS c
        ) AS j
        LEFT JOIN ({_liveliest(Side.LEGACY)}) AS l ON l.row_key = j.legacy_key
        LEFT JOIN ({_liveliest(Side.SERVICE)}) AS s ON s.row_key = j.service_key
    """


def _is_among(side: Side, condition: str, having: str = "") -> str:
    """Condition: this end of the link is one of those that links like this have.

    Such ends are few: sets of them cost a fraction of windows over all links.
    """
    return f'{side}_key IN (SELECT {side}_key FROM "valid links" WHERE {condition} {having})'


def _is_shared(side: Side, condition: str) -> str:
    """Condition: several links like this have this end."""
    return _is_among(side, condition, f"GROUP BY {side}_key HAVING COUNT(*) > 1")


_UNSURE = (
    " OR ".join(_is_among(side, "confidence < 1") for side in Side),
    " OR ".join(_is_shared(side, "NOT is_merged AND confidence < 1") for side in Side),
)
_SURE = ("FALSE", "FALSE")  # where all links are certain


def _crowded(cardinality: Cardinality) -> str:
    """Condition: one end of the link has more counterparts than the cardinality allows."""
    single = {Side.LEGACY: cardinality.one_service, Side.SERVICE: cardinality.one_legacy}
    return " OR ".join(_is_shared(side, "NOT is_merged") for side in Side if single[side]) or "FALSE"


def _liveliest(side: Side) -> str:
    """Each key of a side once, with the liveliest state any of its rows is in."""
    ranks = " ".join(f"WHEN '{state}' THEN {rank}" for rank, state in enumerate(_LIVELIEST_FIRST))
    states = " ".join(f"WHEN {rank} THEN '{state}'" for rank, state in enumerate(_LIVELIEST_FIRST))
    return f"""
        SELECT row_key, CASE MIN(CASE state {ranks} END) {states} END AS state
        FROM "{side} keys" WHERE row_key IS NOT NULL GROUP BY row_key
    """


_PAIRS = """
    SELECT legacy_key, service_key, is_primary AS link_primary, NOT is_merged AS compared
    FROM "judged links"
    WHERE verdict = 'good' AND legacy_state = 'live' AND service_state = 'live'
"""


def _live_verdicts(side: Side) -> str:
    """Every live key of a side once, with the best verdict its links give it."""
    other = f"{side.other}_state"
    return f"""
        SELECT k.row_key, v.row_key IS NOT NULL AS linked,
            CASE WHEN v.verdict = 'contested' AND p.n > 0 THEN 'matched' WHEN v.verdict = 'contested' THEN 'ambiguous'
                ELSE COALESCE(v.verdict, 'only') END AS verdict
        FROM "{side} keys" AS k
        LEFT JOIN "paired rows" AS p ON p.side = {literal(side)} AND p.row_key = k.row_key
        LEFT JOIN (
            SELECT {side}_key AS row_key,
                CASE WHEN MAX(CASE WHEN verdict <> 'good' THEN 1 ELSE 0 END) = 1 THEN 'ambiguous'
                    WHEN MAX(CASE WHEN {other} = 'live' THEN 1 ELSE 0 END) = 1 THEN 'matched'
                    WHEN MAX(CASE WHEN {other} = 'duplicate' THEN 1 ELSE 0 END) = 1 THEN 'contested'
                    ELSE 'only' END AS verdict
            FROM "judged links" WHERE {side}_state = 'live' GROUP BY {side}_key
        ) AS v ON v.row_key = k.row_key
        WHERE k.state = 'live'
    """


def _findings() -> list[str]:
    per_side = (_one_ended, _unlinked, _null_keys, _duplicates)
    return [_UNUSABLE_LINKS, *(finding(side) for side in Side for finding in per_side)]


_UNUSABLE_LINKS = """
    SELECT legacy_key, service_key, problem, CAST(NULL AS VARCHAR) AS side, verdict AS reason, CAST(1 AS BIGINT) AS n
    FROM "judged links"
    WHERE verdict <> 'good' AND (legacy_state = 'live' OR service_state = 'live')
"""


def _one_ended(side: Side) -> str:
    """Usable links of which only this side's end is a live row. A merged legacy key may rightly be gone."""
    other = f"{side.other}_state"
    return f"""
        SELECT {_keys_of(side, f"{side}_key", f"{side.other}_key")}, {literal(side)} AS side,
            CASE {other} WHEN 'out_of_scope' THEN 'out_of_scope' WHEN 'deleted' THEN 'counterpart_deleted'
                ELSE 'dangling' END AS reason,
            CAST(1 AS BIGINT) AS n
        FROM "judged links"
        WHERE verdict = 'good' AND {side}_state = 'live'
            AND COALESCE({other}, 'absent') NOT IN ('live', 'duplicate')
            {"AND NOT is_merged" if side is Side.SERVICE else ""}
    """


def _unlinked(side: Side) -> str:
    return f"""
        SELECT {_keys_of(side, "row_key")}, {literal(side)} AS side, 'unmapped' AS reason, CAST(1 AS BIGINT) AS n
        FROM "{side} verdicts" WHERE NOT linked
    """


def _null_keys(side: Side) -> str:
    return f"""
        SELECT {_keys_of(side, "shown")}, {literal(side)} AS side, 'null_key' AS reason, n
        FROM "{side} keys" WHERE state = 'null_key'
    """


def _duplicates(side: Side) -> str:
    """Rows of a key that several bear, and that found none to say the same; with the key's only counterpart."""
    left = "k.n - COALESCE(p.n, 0)"
    return f"""
        SELECT {_keys_of(side, "k.row_key", "c.other_key")}, {literal(side)} AS side, 'duplicate_key' AS reason,
            {left} AS n
        FROM "{side} keys" AS k
        LEFT JOIN "paired rows" AS p ON p.side = {literal(side)} AND p.row_key = k.row_key
        LEFT JOIN (
            SELECT {side}_key AS row_key, CASE WHEN COUNT(*) = 1 THEN MIN({side.other}_key) END AS other_key
            FROM "judged links" GROUP BY {side}_key
        ) AS c ON c.row_key = k.row_key
        WHERE k.state = 'duplicate' AND {left} > 0
    """


def _keys_of(side: Side, own: str, other: str = "CAST(NULL AS VARCHAR)") -> str:
    """Both keys and the link's problem (none), in the order all findings have."""
    legacy, service = (own, other) if side is Side.LEGACY else (other, own)
    return f"{legacy} AS legacy_key, {service} AS service_key, CAST(NULL AS VARCHAR) AS problem"


def _row_verdicts() -> str:
    counted = " UNION ALL ".join(map(_verdicts_of_rows, Side))
    rows = "CAST(SUM(n) AS BIGINT) AS n"
    return f"SELECT side, verdict, {rows} FROM ({counted}) AS counted WHERE n > 0 GROUP BY side, verdict"


def _verdicts_of_rows(side: Side) -> str:
    """Rows by verdict; those of one key that several bear are matched where they were paired."""
    of_duplicates = f"""
        FROM "{side} keys" AS k
        LEFT JOIN "paired rows" AS p ON p.side = {literal(side)} AND p.row_key = k.row_key
        WHERE k.state = 'duplicate'
    """
    return f"""
        SELECT {literal(side)} AS side, state AS verdict, n
        FROM "{side} keys" WHERE state NOT IN ('live', 'duplicate')
        UNION ALL
        SELECT {literal(side)} AS side, 'duplicate' AS verdict, k.n - COALESCE(p.n, 0) AS n {of_duplicates}
        UNION ALL
        SELECT {literal(side)} AS side, 'matched' AS verdict, COALESCE(p.n, 0) AS n {of_duplicates}
        UNION ALL
        SELECT {literal(side)} AS side, verdict, COUNT(*) AS n
        FROM "{side} verdicts" GROUP BY verdict
    """
