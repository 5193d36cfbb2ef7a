"""The direct sieve: pairs that are linked beyond doubt and say the same, found by joining both sides value by value.

For rows of which no digests stand, where `lockstep` and `columnwise` have no room or no type for what they would hold,
or rows share their links with too many: to make digests costs more than this one join. A pair passes on the same
conditions as through `sieve`, but nothing rests on a hash, so there is nothing to verify. Where two values are not
certain to be the same, the pair stays to be looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.declarations import Entity, Side
from pipelines.engine import Engine
from pipelines.expressions import quote
from pipelines.sameness import are_same
from pipelines.sifting import roll
from pipelines.sifting.enrolment import link_names
from pipelines.sifting.passed import Passed
from pipelines.sifting.remaining import LINK_PRIMARY, PAIR, POSITION
from pipelines.sifting.sieve import Keep


def sift(engine: Engine, entity: Entity, keep: Keep, *, rows: int) -> Passed:
    """Hold the rows of both sides, so many together, against each other.

    Needs what `enrolment.enrol` does and makes.
    """
    found = engine.table(_joined(engine, entity, "roll", rows))
    if not _has_crowds(found, rows):
        return _sifted(found, keep, rows)
    crowds = _set_crowds_apart(engine, entity)
    for side in Side:
        keep(side, pl.DataFrame({POSITION: crowds[side]}))
    return _sifted(engine.table(_joined(engine, entity, "roll without crowds", rows)), keep, rows)


def _joined(engine: Engine, entity: Entity, of: str, rows: int) -> str:
    """The query of what passes and what stays, of these relations of both sides, by what is known of the pair.

    Columns: mask (of the fields compared), is_primary, outcome, seen (rows of the join), linked (pairs), differing
    (both places of a pair in one number), legacy and service (places of rows in doubt).
    """
    primary = "l.is_primary" if roll.through_table(entity, Side.LEGACY) else "FALSE"
    mask = f"CASE WHEN {primary} THEN s.mask_primary ELSE s.mask_other END" if roll.masked_fields(entity) else "0"
    both = "l.position IS NOT NULL AND s.position IS NOT NULL"
    linked = " AND ".join(f"l.{link} = s.{link}" for link in _links(entity))
    # Lists of either side's places need not be in one order, and so the places of a pair are one number.
    pair = f"CASE outcome WHEN {_DIFFERS} THEN legacy * {rows} + service END"
    return f"""
        SELECT mask, is_primary, outcome, COUNT(*) AS seen, COUNT(*) FILTER (WHERE is_pair) AS linked,
            listed_where({pair}, outcome = {_DIFFERS}) AS differing,
            listed_where(legacy, outcome = {_IN_DOUBT}) AS legacy,
            listed_where(service, outcome = {_IN_DOUBT}) AS service
        FROM (
            SELECT {mask} AS mask, {primary} AS is_primary, {both} AS is_pair,
                CASE WHEN NOT COALESCE({both} AND l.live AND s.live, FALSE) THEN {_IN_DOUBT}
                    WHEN NOT l.failed AND {" AND ".join(_same(engine, entity))} THEN {_PASSES}
                    ELSE {_DIFFERS} END AS outcome,
                l.position AS legacy, s.position AS service
            FROM "legacy {of}" AS l FULL JOIN "service {of}" AS s ON {linked}
        ) AS joined
        GROUP BY mask, is_primary, outcome
    """


_IN_DOUBT, _DIFFERS, _PASSES = 0, 1, 2  # what comes of the rows of a pair, or of one that is alone


def _same(engine: Engine, entity: Entity) -> list[str]:
    """Conditions, one a field: both values are missing, or the same to the last bit."""
    legacy, service = (engine.types(f"{side} values") for side in Side)
    values = {field.name: quote(roll.value_column(field.name)) for field in entity.fields}
    return [are_same(f"l.{value}", f"s.{value}", legacy[name], service[name]) for name, value in values.items()]


def _has_crowds(found: pa.Table, rows: int) -> bool:
    """Whether several rows of a side share a link: a link between m and n rows makes m * n pairs of m + n rows."""
    seen, linked = (sum(found[count].to_pylist()) for count in ("seen", "linked"))
    return bool(seen != rows - linked)


def _set_crowds_apart(engine: Engine, entity: Entity) -> Mapping[Side, pa.ChunkedArray]:
    """Make `<side> roll without crowds`, of the rows that share their link with none of their side; the others' places.

    Rows of the other side that have such a link are no less in doubt.
    """
    links = ", ".join(_links(entity))
    crowded = (f'SELECT {links} FROM "{side} roll" GROUP BY {links} HAVING COUNT(*) > 1' for side in Side)
    engine.materialise("crowded links", " UNION ALL ".join(crowded))
    same = " AND ".join(f"c.{link} = r.{link}" for link in _links(entity))
    within = f'EXISTS (SELECT 1 FROM "crowded links" AS c WHERE {same})'
    for side in Side:
        engine.view(f"{side} roll without crowds", f'SELECT * FROM "{side} roll" AS r WHERE NOT {within}')
    return {
        side: engine.table(f'SELECT r.position FROM "{side} roll" AS r WHERE {within}')["position"] for side in Side
    }


def _sifted(found: pa.Table, keep: Keep, rows: int) -> Passed:
    alike: Counter[int] = Counter()
    for group in found.select(["mask", "outcome", "seen"]).to_pylist():
        alike[group["mask"]] += group["seen"] if group["outcome"] == _PASSES else 0
    differing = pl.DataFrame(found.select(["is_primary", "differing"])).explode("differing").drop_nulls("differing")
    places = {str(Side.LEGACY): pl.col("differing") // rows, str(Side.SERVICE): pl.col("differing") % rows}
    of_pair = [
        pl.int_range(pl.len(), dtype=pl.UInt64).alias(PAIR),
        pl.col("is_primary").fill_null(value=False).alias(LINK_PRIMARY),
    ]
    for side in Side:
        keep(side, differing.select(places[side].alias(POSITION), *of_pair))
        keep(side, pl.DataFrame({POSITION: pc.drop_null(pc.list_flatten(found[str(side)]))}))
    return Passed(+alike, differing.height)


def _links(entity: Entity) -> list[str]:
    return list(map(quote, link_names(entity)))
