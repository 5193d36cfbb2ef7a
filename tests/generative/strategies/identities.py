"""Random identities: tables of links with validity, confidence and merges, and natural keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import pyarrow as pa
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from pipelines.declarations import Cardinality, Identity, IdentityTable, Merges, NaturalKey, ParquetFile
from pipelines.rules import Clean, Number, Rule, Same
from tests.generative.strategies.columns import Columns
from tests.generative.strategies.holders import Declared, Key

DAY = date(2024, 1, 5)  # the day that is asked about
TABLE, MERGES = "identity.parquet", "merges.parquet"


@dataclass(frozen=True)
class Identified:
    """An identity with the rows of its tables."""

    identity: Identity
    table: pa.Table | None = None
    merges: pa.Table | None = None


@dataclass(frozen=True)
class Sides:
    """Both holders and their columns so far."""

    legacy: Declared
    service: Declared
    legacy_columns: Columns = field(repr=False)
    service_columns: Columns = field(repr=False)


def declare(draw: DrawFn, sides: Sides) -> Identified:
    return draw(st.sampled_from([from_table, from_table, from_natural_key]))(draw, sides)


def from_table(draw: DrawFn, sides: Sides) -> Identified:
    legacy, service = sides.legacy.key, sides.service.key
    names = {side: tuple(f"{side} {n}" for n in range(len(key.kinds))) for side, key in (("l", legacy), ("s", service))}
    optional = {
        "valid_from": (pa.date32(), _days()),
        "valid_to": (pa.date32(), _days()),
        "provenance": (pa.string(), st.sampled_from(["migration", "clerk", None])),
        "confidence": (pa.float64(), st.sampled_from([1.0, 1.0, 0.9, 0.5, None])),
        "primary": (pa.bool_(), st.sampled_from([True, False, None])),
    }
    given = {name: about for name, about in optional.items() if draw(st.booleans())}
    link = st.tuples(legacy.parts(), service.parts(), *(values for _, values in given.values()))
    links = draw(st.lists(link, min_size=1, max_size=6))
    table = _table(
        [(*one, *other, *more) for one, other, *more in links],
        [*zip(names["l"], legacy.kinds, strict=True), *zip(names["s"], service.kinds, strict=True)]
        + [(name, kind) for name, (kind, _) in given.items()],
    )
    merges, merged = _merges(draw, legacy) if draw(st.booleans()) else (None, None)
    declared = IdentityTable(
        ParquetFile(TABLE),
        legacy=names["l"],
        service=names["s"],
        cardinality=draw(st.sampled_from(Cardinality)),
        merges=merges,
        **{name: name for name in given},
    )
    return Identified(declared, table, merged)


def _merges(draw: DrawFn, key: Key) -> tuple[Merges, pa.Table]:
    """Merges within the few keys there are: chains, cycles and conflicts come by themselves."""
    merged, survivor = (tuple(f"{what} {n}" for n in range(len(key.kinds))) for what in ("merged", "survivor"))
    pairs = draw(st.lists(st.tuples(key.parts(), key.parts()), min_size=1, max_size=4))
    types = [*zip(merged, key.kinds, strict=True), *zip(survivor, key.kinds, strict=True)]
    return Merges(ParquetFile(MERGES), merged=merged, survivor=survivor), _table([(*a, *b) for a, b in pairs], types)


def from_natural_key(draw: DrawFn, sides: Sides) -> Identified:
    parts = draw(st.lists(st.sampled_from(["text", "number"]), min_size=1, max_size=2))
    legacy, service = [], []
    for part in parts:
        text = draw(st.sampled_from([["x", "X", " x", "y"], ["|", "a|", "||"]]))
        if part == "text":
            legacy.append(_text_rule(draw, sides.legacy_columns, text))
            service.append(_text_rule(draw, sides.service_columns, text))
        else:
            legacy.append(Number(sides.legacy_columns.add(pa.string(), st.sampled_from(["1", "01", "2", "?"]))))
            service.append(Same(sides.service_columns.add(pa.int64(), st.sampled_from([1, 2]))))
    return Identified(NaturalKey(tuple(legacy), tuple(service), cardinality=draw(st.sampled_from(Cardinality))))


def _text_rule(draw: DrawFn, columns: Columns, texts: Sequence[str]) -> Rule:
    column = columns.add(pa.string(), st.sampled_from(texts))
    return draw(st.sampled_from([Same(column), Clean(column), Clean(column, case="lower", keep_empty=True)]))


def _days() -> st.SearchStrategy[date | None]:
    return st.sampled_from([None, DAY - timedelta(days=1), DAY, DAY + timedelta(days=1)])


def _table(rows: Sequence[Sequence[object]], types: Sequence[tuple[str, pa.DataType]]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(types)
    arrays = [pa.array(values, kind) for values, (_, kind) in zip(columns, types, strict=True)]
    return pa.Table.from_arrays(arrays, schema=pa.schema(types))
