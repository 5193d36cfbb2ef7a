"""The roll of a side: every raw row by its place, whether its link is beyond doubt, and what its pair would compare.

What both sieves read: `digests` makes hashes of it, `direct` joins it. What a row is linked by they say themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pipelines.declarations import Entity, NaturalKey, Side
from pipelines.engine import Engine
from pipelines.expressions import quote, substituted
from pipelines.identity import valid_on
from pipelines.rows import always_live, live
from pipelines.translation import failure_column


@dataclass(frozen=True)
class Entry:
    """What is told of each row, as select lists over `v`, the row, and `k`, its link where it has one through a table.

    `link`: what it is linked by; `certain` (a condition): whether its link is beyond doubt; `fields`: what it says;
    `besides`: what else, of every row.
    """

    link: str
    certain: str
    fields: str
    besides: str = ""


def call(entity: Entity, side: Side, entry: Entry, *, rows: str, values: str) -> str:
    """The query of a side's roll, from its raw `rows` and the live `values` among them.

    Columns: position, live (takes part and is certain), those of the link, failed (a field cannot be translated), those
    of `varying`, what is told besides, and those of the fields (`value_column`), which are missing where a row takes no
    part. Legacy rows that are linked through a table need `__row_key` and the relation `single links`.
    """
    holder = entity.holder(side)
    failed = [f"{failure_column(field)} IS NOT NULL" for field in entity.fields] if side is Side.LEGACY else []
    linked = 'LEFT JOIN "single links" AS k ON k.legacy_key = v.__row_key' if through_table(entity, side) else ""
    told = [f"{' OR '.join(failed) or 'FALSE'} AS failed", *_known_of_pair(entity, side), entry.besides, entry.fields]
    taking_part = f"""
        SELECT v.__position AS position, {entry.certain} AS live, {entry.link}, {_listed(told)}
        FROM {quote(values)} AS v {linked}
    """
    if always_live(holder):
        return taking_part
    nothing = ", ".join(f"NULL AS {quote(value_column(field.name))}" for field in entity.fields)
    unknown = {"is_primary": "FALSE", "mask_primary": "0", "mask_other": "0"}
    known = [f"{unknown[name]} AS {name}" for name in varying(entity, side)]
    return f"""
        {taking_part} UNION ALL
        SELECT v.__position AS position, FALSE AS live, {entry.link},
            {_listed(["TRUE AS failed", *known, entry.besides, nothing])}
        FROM (SELECT * FROM {quote(rows)} WHERE NOT ({live(holder)})) AS v {linked}
    """


def value_column(name: str) -> str:
    """The column that holds what a row says in a field: a field may have the name of any other column of the roll."""
    return f"value {name}"


def single_links(engine: Engine, *, links: str, on: str) -> None:
    """Make `single links` (legacy_key, service_key, is_primary): those of an identity map that leave no doubt on a day.

    Usable, and the only ones that day at both of their ends.
    """
    engine.view("links of the day", f"SELECT * FROM {quote(links)} WHERE {valid_on(on)}")
    single = " AND ".join(
        f'{side}_key IN (SELECT {side}_key FROM "links of the day" GROUP BY {side}_key HAVING COUNT(*) = 1)'
        for side in Side
    )
    # Made before rows ask for them: else what it takes to find them, and to look them up, is in memory at once.
    engine.materialise(
        "single links",
        f"""
        SELECT legacy_key, service_key, is_primary FROM "links of the day"
        WHERE NOT is_merged AND problem IS NULL AND {single}
        """,
    )


def is_natural(entity: Entity) -> bool:
    """Whether rows are linked by a business key, not through a table of links."""
    return isinstance(entity.identity, NaturalKey)


def through_table(entity: Entity, side: Side) -> bool:
    """Whether what links the rows of this side stands in a table of links."""
    return side is Side.LEGACY and not is_natural(entity)


def masked_fields(entity: Entity) -> list[str]:
    """The fields that some pairs leave out of the comparison, in the order of their bits in the masks."""
    return [field.name for field in entity.fields if field.compared_when]


def varying(entity: Entity, side: Side) -> list[str]:
    """What a side knows of the pairs of its rows, where that is not the same in every row."""
    if side is Side.LEGACY:
        return [] if is_natural(entity) else ["is_primary"]
    return ["mask_primary", "mask_other"] if masked_fields(entity) else []


def _listed(columns: Iterable[str]) -> str:
    """A select list; of columns some of which are lists, or none."""
    return ", ".join(filter(None, columns))


def _known_of_pair(entity: Entity, side: Side) -> list[str]:
    known = {
        "is_primary": "COALESCE(k.is_primary, FALSE)",
        "mask_primary": _mask(entity, "TRUE"),
        "mask_other": _mask(entity, "FALSE"),
    }
    return [f"{known[name]} AS {name}" for name in varying(entity, side)]


def _mask(entity: Entity, link_primary: str) -> str:
    """A bit for each field that can be left out, set when this service row's pair compares it."""
    conditions = [field.compared_when for field in entity.fields if field.compared_when]
    bits = (
        f"CASE WHEN {substituted(condition, {'link_primary': link_primary})} THEN {1 << bit} ELSE 0 END"
        for bit, condition in enumerate(conditions)
    )
    return " + ".join(bits) or "0"
