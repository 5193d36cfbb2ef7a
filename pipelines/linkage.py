"""Linkage: which rows of both sides belong together through the identity map, and a verdict for every row that does not.

Every row of both sides gets exactly one verdict, so that rows balance; every link that cannot be used and every row
without a partner becomes a finding. Comparing the values of linked rows is `comparison`'s; why a partner is missing
(lost event, pending, ...) is `classification`'s.
"""

from __future__ import annotations

from pipelines.declarations import Cardinality, Entity, Holder, Side
from pipelines.engine import Engine
from pipelines.expressions import literal, quote
from pipelines.identity import valid_on
from pipelines.rows import deleted, in_scope, row_key, shown_key

ROW_STATES = ("out_of_scope", "deleted", "null_key", "duplicate")  # verdicts a row gets by itself, before any link
LINK_STATES = ("matched", "ambiguous", "only")  # verdicts a live row gets from its links

_SINGLE_SERVICE = {Cardinality.ONE_TO_ONE, Cardinality.MANY_TO_ONE}  # a legacy key has at most one service counterpart
_SINGLE_LEGACY = {Cardinality.ONE_TO_ONE, Cardinality.ONE_TO_MANY}


def link(engine: Engine, entity: Entity, *, on: str, links: str) -> None:
    """Link the relations `legacy` and `service` (raw rows) through the relation `links` (`identity.SCHEMA`) as of a day.

    Makes:
    `pairs` (legacy_key, service_key, link_primary, compared): linked rows; merged ones are not compared;
    `linkage findings` (legacy_key, service_key, side, reason, rows): what could not be linked, and why;
    `row verdicts` (side, verdict, rows): every row of both sides counted once.
    """
    for side, holder in ((Side.LEGACY, entity.legacy), (Side.SERVICE, entity.service)):
        engine.materialise(f"{side} keys", _keys(side, holder))
    engine.materialise("valid links", _valid_links(links, on))
    engine.materialise("judged links", _judged_links(entity.identity.cardinality))
    engine.materialise("pairs", _pairs())
    for side in Side:
        engine.materialise(f"{side} verdicts", _live_verdicts(side))
    engine.materialise("linkage findings", " UNION ALL ".join(_findings()))
    engine.materialise("row verdicts", " UNION ALL ".join(_row_verdicts(side) for side in Side))


def _keys(side: Side, holder: Holder) -> str:
    """One row per key and state: key text, how it is shown, the state of its rows, and how many there are."""
    shown = shown_key(holder)
    state = (
        f"CASE WHEN NOT {in_scope(holder)} THEN 'out_of_scope' WHEN {deleted(holder)} THEN 'deleted' "
        f"WHEN {row_key(holder)} IS NULL THEN 'null_key' ELSE 'live' END"
    )
    rows = f"SELECT {row_key(holder)} AS row_key, {shown} AS shown, {state} AS state FROM {side}"
    return (
        "SELECT row_key, shown, CASE WHEN state = 'live' AND COUNT(*) > 1 THEN 'duplicate' ELSE state END AS state, "
        f"COUNT(*) AS n FROM ({rows}) AS r GROUP BY row_key, shown, state"
    )


def _valid_links(links: str, on: str) -> str:
    return (
        "SELECT legacy_key, service_key, MAX(confidence) AS confidence, MAX(CASE WHEN is_primary THEN 1 ELSE 0 END) = 1 AS is_primary, "
        "MIN(CASE WHEN is_merged THEN 1 ELSE 0 END) = 1 AS is_merged, MAX(problem) AS problem "
        f"FROM {quote(links)} WHERE {valid_on(on)} GROUP BY legacy_key, service_key"
    )


def _judged_links(cardinality: Cardinality) -> str:
    """Each valid link with the states of its ends (the liveliest when a key has rows in several) and its own verdict."""
    crowded = [
        f"COUNT(*) FILTER (WHERE NOT is_merged) OVER (PARTITION BY {side}_key) > 1"
        for side, single in (("legacy", cardinality in _SINGLE_SERVICE), ("service", cardinality in _SINGLE_LEGACY))
        if single
    ]
    crowds = " OR ".join(crowded) or "FALSE"
    counted = f'SELECT v.*, NOT is_merged AND ({crowds}) AS is_crowded FROM "valid links" AS v'
    # One uncertain link makes the whole crowd a matter of choice; only certain links can violate a cardinality.
    unsure = "MIN(confidence) OVER (PARTITION BY legacy_key) < 1 OR MIN(confidence) OVER (PARTITION BY service_key) < 1"
    verdict = (
        f"CASE WHEN problem IS NOT NULL THEN 'ambiguous' WHEN is_crowded AND ({unsure}) THEN 'ambiguous' "
        "WHEN is_crowded THEN 'cardinality_violated' ELSE 'good' END"
    )
    judged = f"SELECT c.*, {verdict} AS verdict FROM ({counted}) AS c"
    return (
        f"SELECT j.*, l.state AS legacy_state, s.state AS service_state FROM ({judged}) AS j "
        f"LEFT JOIN ({_liveliest(Side.LEGACY)}) AS l ON l.row_key = j.legacy_key "
        f"LEFT JOIN ({_liveliest(Side.SERVICE)}) AS s ON s.row_key = j.service_key"
    )


def _liveliest(side: Side) -> str:
    order = ("live", "duplicate", "deleted", "out_of_scope")
    ranks = " ".join(f"WHEN '{state}' THEN {rank}" for rank, state in enumerate(order))
    back = " ".join(f"WHEN {rank} THEN '{state}'" for rank, state in enumerate(order))
    return (
        f"SELECT row_key, CASE MIN(CASE state {ranks} END) {back} END AS state "
        f'FROM "{side} keys" WHERE row_key IS NOT NULL GROUP BY row_key'
    )


def _pairs() -> str:
    return (
        'SELECT legacy_key, service_key, is_primary AS link_primary, NOT is_merged AS compared FROM "judged links" '
        "WHERE verdict = 'good' AND legacy_state = 'live' AND service_state = 'live'"
    )


def _live_verdicts(side: Side) -> str:
    """Every live key of a side once, with the best verdict its links give it."""
    other = f"{side.other}_state"
    verdict = (
        "CASE WHEN MAX(CASE WHEN verdict <> 'good' THEN 1 ELSE 0 END) = 1 THEN 'ambiguous' "
        f"WHEN MAX(CASE WHEN {other} = 'live' THEN 1 ELSE 0 END) = 1 THEN 'matched' "
        f"WHEN MAX(CASE WHEN {other} = 'duplicate' THEN 1 ELSE 0 END) = 1 THEN 'ambiguous' ELSE 'only' END"
    )
    linked = f"SELECT {side}_key AS row_key, {verdict} AS verdict FROM \"judged links\" WHERE {side}_state = 'live' GROUP BY {side}_key"
    return (
        f"SELECT k.row_key, COALESCE(v.verdict, 'only') AS verdict, v.row_key IS NOT NULL AS linked "
        f"FROM \"{side} keys\" AS k LEFT JOIN ({linked}) AS v ON v.row_key = k.row_key WHERE k.state = 'live'"
    )


def _findings() -> list[str]:
    columns = "legacy_key, service_key, {side} AS side, {reason} AS reason, {rows} AS n"
    both = columns.format(side="CAST(NULL AS VARCHAR)", reason="verdict", rows="CAST(1 AS BIGINT)")
    found = [
        f"SELECT {both} FROM \"judged links\" WHERE verdict <> 'good' AND (legacy_state = 'live' OR service_state = 'live')"
    ]
    for side in Side:
        found += [_one_ended(side, columns), _unlinked(side), _unusable(side, "null_key"), _duplicates(side)]
    return found


def _one_ended(side: Side, columns: str) -> str:
    """Usable links of which only this side's end is a live row. A merged legacy key may rightly be gone."""
    other = f"{side.other}_state"
    reason = f"CASE {other} WHEN 'out_of_scope' THEN 'out_of_scope' WHEN 'deleted' THEN 'counterpart_deleted' ELSE 'dangling' END"
    merged_away = " AND NOT is_merged" if side is Side.SERVICE else ""
    selected = columns.format(side=literal(side), reason=reason, rows="CAST(1 AS BIGINT)")
    return (
        f"SELECT {selected} FROM \"judged links\" WHERE verdict = 'good' AND {side}_state = 'live' "
        f"AND COALESCE({other}, 'absent') NOT IN ('live', 'duplicate'){merged_away}"
    )


def _unlinked(side: Side) -> str:
    return f"SELECT {_keys_of(side, 'row_key')}, {literal(side)} AS side, 'unmapped' AS reason, CAST(1 AS BIGINT) AS n FROM \"{side} verdicts\" WHERE NOT linked"


def _unusable(side: Side, state: str) -> str:
    return (
        f"SELECT {_keys_of(side, 'shown')}, {literal(side)} AS side, {literal(state)} AS reason, n "
        f'FROM "{side} keys" WHERE state = {literal(state)}'
    )


def _duplicates(side: Side) -> str:
    """Keys that occur more than once, with their counterpart when the identity map names just one."""
    counterpart = (
        f"SELECT {side}_key AS row_key, CASE WHEN COUNT(*) = 1 THEN MIN({side.other}_key) END AS other_key "
        f'FROM "judged links" GROUP BY {side}_key'
    )
    keys = f"k.row_key AS {side}_key, c.other_key AS {side.other}_key"
    ordered = keys if side is Side.LEGACY else f"c.other_key AS {side.other}_key, k.row_key AS {side}_key"
    return (
        f"SELECT {ordered}, {literal(side)} AS side, 'duplicate_key' AS reason, k.n FROM \"{side} keys\" AS k "
        f"LEFT JOIN ({counterpart}) AS c ON c.row_key = k.row_key WHERE k.state = 'duplicate'"
    )


def _keys_of(side: Side, column: str) -> str:
    own, none = f"{column} AS {side}_key", f"CAST(NULL AS VARCHAR) AS {side.other}_key"
    return f"{own}, {none}" if side is Side.LEGACY else f"{none}, {own}"


def _row_verdicts(side: Side) -> str:
    return (
        f"SELECT {literal(side)} AS side, state AS verdict, SUM(n) AS n FROM \"{side} keys\" WHERE state <> 'live' GROUP BY state "
        f'UNION ALL SELECT {literal(side)} AS side, verdict, COUNT(*) AS n FROM "{side} verdicts" GROUP BY verdict'
    )
