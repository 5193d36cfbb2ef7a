"""Partners: the rows of two sides that share what links them, and share it with no other row, in any order.

From links as frames. Which links leave no doubt, and what becomes of the pairs, is `abreast`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from pipelines.declarations import Side

PLACE = "position"
_SPARSE = 4  # numbers to a row; where links are no sparser, there is room for a list of all numbers between


def find(sides: Mapping[Side, pl.DataFrame], links: Sequence[str]) -> pl.DataFrame | None:
    """The places (legacy, service) of rows that are each other's only partner, by those of one side.

    Of both sides: `position`, ascending, and the links, of the same types, none missing. None where rows share their
    links with so many that there are more pairs than rows.
    """
    legacy, service = (sides[side].select(links) for side in Side)
    if legacy.equals(service) and _are_single(legacy, links):
        return _pairs(*(sides[side][PLACE] for side in Side))
    for listing in _worth_listing(sides, links):
        found = _by_number(sides, links[0], listing)
        if found is not None:
            return found
    return _joined(sides, links)


def marked(places: pl.Series, rows: int) -> pl.Series:
    """Of so many rows, by place, whether they are at one of these places."""
    return pl.repeat(value=False, n=rows, eager=True).scatter(places, values=True)


def unpaired(places: pl.Series, rows: int) -> pl.Series:
    """Of so many rows, the places of those that are at none of these, each said once; mostly there are none."""
    return places.clear() if len(places) == rows else (~marked(places, rows)).arg_true()


def at_ascending(values: pl.Series, places: pl.Series, first: int = 0) -> pl.Series:
    """Of the values from a `first` place on, those at places that ascend; mostly these are all of them."""
    return values if len(places) == len(values) else values.filter(marked(places - first, len(values)))


def _pairs(legacy: pl.Series, service: pl.Series) -> pl.DataFrame:
    return pl.DataFrame([legacy.alias(Side.LEGACY), service.alias(Side.SERVICE)])


def _are_single(rows: pl.DataFrame, links: Sequence[str]) -> bool:
    return _ascend(rows, links) or rows.n_unique(subset=links) == rows.height


def _ascend(rows: pl.DataFrame, links: Sequence[str]) -> bool:
    """Whether each row's link is above that of the row before it, by the first part that is not the same."""
    *parts, last = links
    above = pl.col(last) > pl.col(last).shift()
    for link in reversed(parts):
        this, before = pl.col(link), pl.col(link).shift()
        above = (this > before) | ((this == before) & above)
    return bool(rows.select(above.slice(1).all()).item())


def _are_dense(link: pl.Series) -> bool:
    """Whether rows are linked by numbers, and there is room for all that lie between."""
    if not link.dtype.is_integer() or link.dtype == pl.UInt64 or link.is_empty():
        return False
    low, high = _bounds(link)
    return high - low < _SPARSE * len(link)


def _worth_listing(sides: Mapping[Side, pl.DataFrame], links: Sequence[str]) -> list[Side]:
    """The sides of which a list can be made; first those whose links ascend, for there it costs a fifth."""
    dense = [side for side in (Side.SERVICE, Side.LEGACY) if len(links) == 1 and _are_dense(sides[side][links[0]])]
    return sorted(dense, key=lambda side: not sides[side][links[0]].is_sorted())


def _by_number(sides: Mapping[Side, pl.DataFrame], link: str, listing: Side) -> pl.DataFrame | None:
    """The same by a list of one side's places, where each number has its own; None where some have more."""
    numbers = {side: sides[side][link].cast(pl.Int64) for side in Side}
    low, high = _bounds(numbers[listing])
    listed = _listed(_from(low, numbers[listing]), sides[listing][PLACE], high - low + 1)
    if len(listed) - listed.null_count() < len(numbers[listing]):
        return None
    other = Side.LEGACY if listing is Side.SERVICE else Side.SERVICE
    within = numbers[other].is_between(low, high)
    found = {other: sides[other][PLACE].filter(within), listing: listed[_from(low, numbers[other].filter(within))]}
    # Of the other side a row is looked up once; so it is in one pair at most.
    return _alone(_pairs(*(found[side] for side in Side)).drop_nulls(), {listing: sides[listing]})


def _from(low: int, numbers: pl.Series) -> pl.Series:
    """Where numbers stand in a list of all from this one on, in the type that Polars would bring it to each time."""
    return (numbers - low).cast(pl.get_index_type())


def _bounds(link: pl.Series) -> tuple[int, int]:
    low, high = link.to_frame().select(low=pl.first().min(), high=pl.first().max()).row(0)
    return low, high


def _listed(at: pl.Series, places: pl.Series, length: int) -> pl.Series:
    """A list of places: at each of these numbers the one that is said, else none."""
    nowhere: pl.Series = pl.repeat(None, length, dtype=places.dtype, eager=True)
    return nowhere.scatter(at, places)


def _joined(sides: Mapping[Side, pl.DataFrame], links: Sequence[str]) -> pl.DataFrame | None:
    most = min(rows.height for rows in sides.values())
    legacy, service = (_sorted(sides[side], links).lazy().rename({PLACE: side}) for side in Side)
    pairs = legacy.join(service, on=list(links)).select(map(str, Side))
    found = pairs.head(most + 1).collect(engine="streaming")
    return None if found.height > most else _by_legacy(_alone(found, sides), sides)


def _sorted(rows: pl.DataFrame, links: Sequence[str]) -> pl.DataFrame:
    """The same rows, known to be sorted where they are: then a join merges them, at a fifth of the cost."""
    if len(links) > 1 or not _ascend(rows, links):
        return rows
    return rows.with_columns(pl.col(links).set_sorted())


def _alone(pairs: pl.DataFrame, sides: Mapping[Side, pl.DataFrame]) -> pl.DataFrame:
    """The pairs neither row of which is in another, where rows of these `sides` may be."""
    if all(marked(pairs[side], _end(rows)).sum() == pairs.height for side, rows in sides.items()):
        return pairs
    return pairs.filter(*(pl.col(side).is_unique() for side in Side))


def _by_legacy(pairs: pl.DataFrame, sides: Mapping[Side, pl.DataFrame]) -> pl.DataFrame:
    """Pairs of rows that are in no other, sorted: for less than it costs to compare them."""
    listed = _listed(pairs[Side.LEGACY], pairs[Side.SERVICE], _end(sides[Side.LEGACY]))
    return _pairs(listed.is_not_null().arg_true(), listed.drop_nulls())


def _end(rows: pl.DataFrame) -> int:
    """The place behind the last row."""
    return 0 if rows.is_empty() else int(rows[PLACE][-1]) + 1
