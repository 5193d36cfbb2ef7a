"""Abreast: whether both files stand in the order of what links their rows, and which rows then belong together.

Reads the rolls that `enrolment` makes. Where what links the rows of a side ascends from row to row, no row shares it
with another, and pairs stand in one order on both sides. What they say is `lockstep`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import polars as pl

from pipelines import roll
from pipelines.declarations import Entity, Side
from pipelines.engine import Engine
from pipelines.enrolment import link_names
from pipelines.expressions import quote
from pipelines.sameness import is_kept


class Walk(NamedTuple):
    """Two sides that can be walked along.

    `pairs` (legacy and service, their places, both ascending; failed: a field cannot be translated; is_primary; mask of
    the fields compared) are linked beyond doubt. `told`: other columns of legacy's roll, by place.
    """

    pairs: pl.DataFrame
    told: pl.DataFrame


def walk(engine: Engine, entity: Entity, *, telling: Sequence[str]) -> Walk | None:
    """How both sides are walked along; None where one does not stand in the order of its links.

    And where a link, or what is told, is of a type that is not held here as it is.
    """
    links, rolls = link_names(entity), {}
    if not _are_kept(engine, [*links, *telling]):
        return None
    for side in reversed(Side):  # of the service nothing is translated
        told = telling if side is Side.LEGACY else []
        rolls[side] = _by_place(engine, side, [*links, "live", "failed", *roll.varying(entity, side), *told])
        if not _ascend(rolls[side].select(links).drop_nulls(), links):
            return None
    standing = _of_one_type(rolls, links)
    if not standing:
        return None
    return Walk(_certain(entity, rolls, _linked(standing, links)), rolls[Side.LEGACY].select(telling))


def _are_kept(engine: Engine, columns: Sequence[str]) -> bool:
    kinds = [engine.types(f"{side} roll") for side in Side]
    return all(is_kept(of[column]) for of in kinds for column in columns if column in of)


def _by_place(engine: Engine, side: Side, columns: Sequence[str]) -> pl.DataFrame:
    """These columns of every row on the roll of a side, by `position`: from 0, none left out."""
    rows = pl.DataFrame(engine.table(f'SELECT position, {", ".join(map(quote, columns))} FROM "{side} roll"'))
    return rows if rows["position"].is_sorted() else rows.sort("position")


def _ascend(rows: pl.DataFrame, links: Sequence[str]) -> bool:
    """Whether each row's link is above that of the row before it, by the first part that is not the same."""
    above = pl.lit(value=False)
    for link in reversed(links):
        this, before = pl.col(link), pl.col(link).shift()
        above = (this > before) | ((this == before) & above)
    return bool(rows.select(above.slice(1).all()).item())


def _of_one_type(rolls: Mapping[Side, pl.DataFrame], links: Sequence[str]) -> dict[Side, pl.DataFrame] | None:
    """The place and the link of every row that has one, links of one type; None where none is sure to hold both."""
    kinds = {link: {rows.schema[link] for rows in rolls.values()} for link in links}
    apart = [link for link, held in kinds.items() if len(held) > 1]
    if not all(kind.is_integer() and kind != pl.UInt64 for link in apart for kind in kinds[link]):
        return None
    return {
        side: rows.select(pl.col("position").alias(side), *links)
        .drop_nulls()
        .with_columns(pl.col(apart).cast(pl.Int64))
        for side, rows in rolls.items()
    }


def _linked(standing: Mapping[Side, pl.DataFrame], links: Sequence[str]) -> pl.DataFrame:
    """The places of the rows that share a link. Mostly both sides hold the same."""
    legacy, service = (standing[side] for side in Side)
    if legacy.select(links).equals(service.select(links)):
        return pl.DataFrame([legacy[Side.LEGACY], service[Side.SERVICE]])
    return legacy.join(service, on=links, how="inner", maintain_order="left").select(map(str, Side))


def _certain(entity: Entity, rolls: Mapping[Side, pl.DataFrame], linked: pl.DataFrame) -> pl.DataFrame:
    """Of the pairs linked those of two live rows, with what is known of either."""
    known = {
        side: rolls[side].select(pl.col("live", "failed", *roll.varying(entity, side)).gather(linked[side]))
        for side in Side
    }
    of_service = known[Side.SERVICE].select(pl.all().name.prefix("service "))
    both = pl.concat([linked, known[Side.LEGACY], of_service], how="horizontal")
    live = [pl.col(column).fill_null(value=False) for column in ("live", "service live")]
    primary = pl.col("is_primary") if roll.through_table(entity, Side.LEGACY) else pl.lit(value=False)
    masks = (
        [pl.col("service mask_primary"), pl.col("service mask_other")] if roll.masked_fields(entity) else [pl.lit(0)]
    )
    mask = pl.when(primary).then(masks[0]).otherwise(masks[-1]).cast(pl.Int64)
    return both.filter(*live).select(*map(str, Side), "failed", is_primary=primary, mask=mask)
