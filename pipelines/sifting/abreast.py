"""Abreast: which rows of both files belong together beyond doubt, what they are asked, and in which order they stand.

Reads the rolls that `enrolment` makes; which rows share a link is `partners`'s. What they say is held against each
other by `lockstep` where both stand in one order, else by `columnwise`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pyarrow.parquet as pq

from pipelines import places
from pipelines.declarations import Entity, Side
from pipelines.engine import Engine
from pipelines.expressions import quote
from pipelines.sameness import is_kept
from pipelines.sifting import partners, roll, room, telling
from pipelines.sifting.enrolment import IN_PART, link_names, plain_links
from pipelines.sifting.sayings import Saying, of_fields
from pipelines.sifting.telling import Telling

_TOLD_AT_MOST = 0.25  # of the memory of an engine, which it takes beside the engine's own
_Rolls = Mapping[Side, pl.DataFrame]


class Walk(NamedTuple):
    """Two sides that can be held against each other as they are.

    `pairs` (legacy and service, their places, by those of one side; failed: a field cannot be translated; is_primary;
    mask of the fields compared) are linked beyond doubt. `told`: by place, what legacy says in other columns than its
    own, and which share of an engine's memory that takes. `tellings`: by column, how others are told in passing; what
    fails there is not among the failed.
    """

    sayings: Sequence[Saying]
    pairs: pl.DataFrame
    told: pl.DataFrame
    told_share: float
    tellings: Mapping[str, Telling]

    @property
    def is_in_one_order(self) -> bool:
        """Whether pairs stand in the service's file in the order in which they stand in legacy's."""
        return all(self.pairs[side].is_sorted() for side in Side)


def walk(engine: Engine, entity: Entity, files: Mapping[Side, Path]) -> Walk | None:
    """How both sides are walked along; None where a link, or what is told, is of a type that is not held here as it is.

    And where links are shared by too many rows, or there is no room for what is told.
    """
    links, sayings = link_names(entity), of_fields(engine, entity, files)
    every = [saying.expected for saying in sayings or [] if saying.is_told]
    in_passing = telling.tellings(engine, entity)
    held = [column for column in every if column not in in_passing]
    told_share = room.share(room.needed([files[Side.LEGACY]])) if held else 0
    if not sayings or told_share > _TOLD_AT_MOST or not _are_kept(engine, [*links, *every]):
        return None
    rolls = _rolls(engine, entity, files, held, in_passing)
    standing = _of_one_type(rolls, links)
    linked = partners.find(standing, links) if standing else None
    if linked is None:
        return None
    return Walk(sayings, _certain(entity, rolls, linked), rolls[Side.LEGACY].select(held), told_share, in_passing)


def _rolls(
    engine: Engine, entity: Entity, files: Mapping[Side, Path], held: Sequence[str], in_passing: Mapping[str, Telling]
) -> _Rolls:
    """Of both rolls, what links rows and what is known of them, and of legacy's what is told there."""
    beforehand = [field for field in entity.fields if roll.value_column(field.name) not in in_passing]
    schemas = {side: pq.read_schema(file) for side, file in files.items()}
    plain = None if held else plain_links(entity, schemas, beforehand)
    if plain:
        return {side: _as_it_stands(files[side], columns) for side, columns in plain.items()}
    known = {side: [*link_names(entity), "live", "failed", *roll.varying(entity, side)] for side in Side}
    return {
        Side.LEGACY: _by_place(engine, IN_PART, [*known[Side.LEGACY], *held]),
        Side.SERVICE: _by_place(engine, "service roll", known[Side.SERVICE]),  # of the service nothing is translated
    }


def _as_it_stands(file: Path, links: Mapping[str, str]) -> pl.DataFrame:
    """The roll of a side that says no more than columns of its file: at a part of what it costs to make it."""
    read = places.columns(file)
    said = pl.DataFrame([read(column).rechunk().alias(link) for link, column in links.items()])
    return said.with_row_index(partners.PLACE).with_columns(live=pl.lit(value=True), failed=pl.lit(value=False))


def _are_kept(engine: Engine, columns: Sequence[str]) -> bool:
    kinds = [engine.types(f"{side} roll") for side in Side]
    return all(is_kept(of[column]) for of in kinds for column in columns if column in of)


def _by_place(engine: Engine, name: str, columns: Sequence[str]) -> pl.DataFrame:
    """These columns of every row on a roll, by `position`: from 0, none left out."""
    rows = pl.DataFrame(engine.table(f"SELECT position, {', '.join(map(quote, columns))} FROM {quote(name)}"))
    rows = rows.cast({partners.PLACE: pl.get_index_type()})
    return rows if rows[partners.PLACE].is_sorted() else rows.sort(partners.PLACE)


def _of_one_type(rolls: _Rolls, links: Sequence[str]) -> dict[Side, pl.DataFrame] | None:
    """The place and the link of every row that has one, of one type; None where none is sure to hold both."""
    kinds = {link: {rows.schema[link] for rows in rolls.values()} for link in links}
    apart = [link for link, held in kinds.items() if len(held) > 1]
    if not all(kind.is_integer() and kind != pl.UInt64 for link in apart for kind in kinds[link]):
        return None
    return {
        side: rows.select(partners.PLACE, *links).drop_nulls().with_columns(pl.col(apart).cast(pl.Int64))
        for side, rows in rolls.items()
    }


def _certain(entity: Entity, rolls: _Rolls, linked: pl.DataFrame) -> pl.DataFrame:
    """Of the pairs linked those of two live rows, with what is known of either."""
    known = {side: rolls[side].select("live", "failed", *roll.varying(entity, side))[linked[side]] for side in Side}
    of_service = known[Side.SERVICE].select(pl.all().name.prefix("service "))
    both = pl.concat([linked, known[Side.LEGACY], of_service], how="horizontal")
    live = [pl.col(column).fill_null(value=False) for column in ("live", "service live")]
    primary = pl.col("is_primary") if roll.through_table(entity, Side.LEGACY) else pl.lit(value=False)
    masks = (
        [pl.col("service mask_primary"), pl.col("service mask_other")] if roll.masked_fields(entity) else [pl.lit(0)]
    )
    mask = pl.when(primary).then(masks[0]).otherwise(masks[-1]).cast(pl.Int64)
    return both.filter(*live).select(*map(str, Side), "failed", is_primary=primary, mask=mask)
