"""Picking: of the raw rows of many partitions those with certain keys, and nothing read twice for it.

A key is asked for as text. Making the text of every row that was ever held costs more than all else, so the text is
taken apart instead, and rows are found by the columns of their key as they are. Keys that cannot be taken apart are few
or none, and are found by their text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pipelines.declarations import Holder
from pipelines.engine import Engine, Era
from pipelines.evolution import held
from pipelines.expressions import literal, quote
from pipelines.keys import SEPARATOR
from pipelines.places import PARTITION
from pipelines.readings import read_text
from pipelines.rows import row_key

_EXACT = (
    "VARCHAR",
    "BIGINT",
    "INTEGER",
    "SMALLINT",
    "TINYINT",
    "DATE",
)  # equal values have equal texts, and only those
_ESCAPE = "\\"  # within a part, or of one that is missing


def pick(  # noqa: PLR0913 (from what, by which keys, into what)
    engine: Engine, holder: Holder, *, rows: str, asked: str, into: str, earlier: Mapping[str, Path] | None = None
) -> None:
    """Make `into` the raw rows of a side whose key is `asked` for (`row_key`).

    They are among `rows` and in the `earlier` files, if any: by partition, which stands in the column `__partition` of
    `rows` as well. Of earlier files the same columns are told, missing where they do not hold them; nothing is where
    they do not hold the key.
    """
    types = engine.types(rows)
    eras = [era for era in engine.eras(earlier or {}) if set(holder.key) <= set(held(era.types, types))]
    exact = all(types[column] in _EXACT for column in holder.key)
    engine.materialise(f"{into} keys", _taken_apart(holder, types, asked) if exact else _as_text(asked))
    odd = engine.number(f"SELECT COUNT(*) FROM {quote(f'{into} keys')} WHERE is_odd")
    found = [_by_columns(holder, each, into) for each in _apart(engine, holder, rows, into, eras) if exact]
    if odd or not exact:
        found.append(_by_text(holder, _together(engine, rows, into, eras), into))
    engine.materialise(into, " UNION ALL ".join(found))


def parts_of(text: str, key: tuple[str, ...], types: Mapping[str, str]) -> list[str]:
    """Canonical SQL of each part of a key as its column holds it, from the text of the whole, without escapes."""
    texts = [f"split_text({text}, {literal(SEPARATOR)}, {place})" for place in range(1, len(key) + 1)]
    return [read_text(part, types[column]) for part, column in zip(texts if len(key) > 1 else [text], key, strict=True)]


def _apart(engine: Engine, holder: Holder, rows: str, into: str, eras: Sequence[Era]) -> list[str]:
    """The relations to find rows in by the columns of their key; of the files only what may be among them is read."""
    if not eras:
        return [rows]
    parts = ", ".join(f"part_{at} AS {quote(name)}" for at, name in zip(_places(holder), holder.key, strict=True))
    wanted = engine.table(f"SELECT {parts} FROM {quote(f'{into} keys')} WHERE NOT is_odd")
    found = [rows]
    for number, era in enumerate(eras):
        engine.scan_holding(f"{into} of era {number}", era.files, wanted)
        found.append(_by_today(engine, rows, era, f"{into} of era {number}"))
    return found


def _together(engine: Engine, rows: str, into: str, eras: Sequence[Era]) -> str:
    """One relation of all rows."""
    if not eras:
        return rows
    every = [rows]
    for number, era in enumerate(eras):
        engine.scan(f"{into} of all era {number}", list(era.files.values()), partitions=list(era.files))
        every.append(_by_today(engine, rows, era, f"{into} of all era {number}"))
    engine.view(f"{into} among", " UNION ALL ".join(f"SELECT * FROM {quote(each)}" for each in every))
    return f"{into} among"


def _by_today(engine: Engine, rows: str, era: Era, relation: str) -> str:
    """The name of the relation of the same earlier rows by the columns of `rows`."""
    now = engine.types(rows)
    by_today = Era(era.files, {**era.types, PARTITION: now[PARTITION]}).columns_of(now)
    engine.view(f"{relation} by today", f"SELECT {by_today} FROM {quote(relation)}")
    return f"{relation} by today"


def _taken_apart(holder: Holder, types: dict[str, str], asked: str) -> str:
    """Every key once, with its parts as the columns hold them; odd is one that has parts which do not say what to."""
    parts = parts_of("row_key", holder.key, types)
    listed = ", ".join(f"{part} AS part_{at}" for at, part in zip(_places(holder), parts, strict=True))
    missing = " OR ".join(f"part_{at} IS NULL" for at in _places(holder))
    return f"""
        SELECT k.*, {missing} OR row_key <> REPLACE(row_key, {literal(_ESCAPE)}, '') AS is_odd
        FROM (SELECT row_key, {listed} FROM (SELECT DISTINCT row_key FROM {quote(asked)}) AS once) AS k
        WHERE row_key IS NOT NULL
    """


def _as_text(asked: str) -> str:
    return f"SELECT DISTINCT row_key, TRUE AS is_odd FROM {quote(asked)} WHERE row_key IS NOT NULL"


def _by_columns(holder: Holder, rows: str, into: str) -> str:
    same = " AND ".join(f"h.{quote(name)} = k.part_{at}" for at, name in zip(_places(holder), holder.key, strict=True))
    return f"SELECT h.* FROM {quote(rows)} AS h JOIN {quote(f'{into} keys')} AS k ON {same} WHERE NOT k.is_odd"


def _by_text(holder: Holder, rows: str, into: str) -> str:
    keys = f"SELECT row_key FROM {quote(f'{into} keys')} WHERE is_odd"
    return f"SELECT h.* FROM {quote(rows)} AS h WHERE {row_key(holder)} IN ({keys})"


def _places(holder: Holder) -> range:
    return range(1, len(holder.key) + 1)
