"""Random holders: keys that collide, may miss or differ in type; rows out of scope and deleted softly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from pipelines.declarations import HardDelete, Holder, Side, SoftDelete
from tests.generative import harness
from tests.generative.naive.surroundings import Meaning, Row
from tests.generative.strategies import values
from tests.generative.strategies.columns import Columns, quoted

KEY_TEXTS = ["a", "b", "a|b", "b|", "|", "\\", "\\N", "", "1", "01", "é", "e\u0301", "a "]
KEY_NUMBERS = [1, 2, 12, -1, 2**53, 2**53 + 1, 2**63 - 1]


@dataclass(frozen=True)
class Key:
    """The parts of a key: their types, the few keys there are, and which parts are missing in some of them."""

    kinds: tuple[pa.DataType, ...]
    known: tuple[tuple[object, ...], ...]

    def parts(self) -> SearchStrategy[tuple[object, ...]]:
        return st.sampled_from(self.known)

    def rows(self) -> SearchStrategy[list[tuple[object, ...]]]:
        """The keys of a side's rows: most there once, some not at all, some twice."""
        counts = st.tuples(*(st.sampled_from([1, 1, 1, 1, 0, 2]) for _ in self.known))
        return counts.map(lambda counts: [parts for parts, n in zip(self.known, counts, strict=True) for _ in range(n)])

    def may_miss(self, number: int) -> bool:
        return any(parts[number] is None for parts in self.known)


@st.composite
def keys(draw: DrawFn) -> Key:
    """One to three parts, and so few keys that rows and links often share one."""
    kinds = draw(st.lists(st.sampled_from([pa.string(), pa.string(), pa.int64(), pa.int32()]), min_size=1, max_size=3))
    parts = []
    for kind in kinds:
        values_of_part = KEY_TEXTS if kind == pa.string() else [n for n in KEY_NUMBERS if values.fits(n, kind)]
        domain = draw(st.lists(st.sampled_from(values_of_part), min_size=2, max_size=3, unique=True))
        parts.append(st.sampled_from([*domain * 3, None]) if draw(st.booleans()) else st.sampled_from(domain))
    return Key(tuple(kinds), tuple(draw(st.lists(st.tuples(*parts), min_size=1, max_size=5, unique=True))))


@dataclass(frozen=True)
class Declared:
    """A holder, its key, and the names of its key columns."""

    holder: Holder
    key: Key
    columns: tuple[str, ...]

    def with_key(self, row: Row, parts: Sequence[object]) -> dict[str, object]:
        return {**row, **dict(zip(self.columns, parts, strict=True))}


def declare(draw: DrawFn, side: Side, key: Key, columns: Columns) -> Declared:
    """A holder of this key, with all it may say about its rows."""
    names = tuple(columns.add(kind, st.nothing()) for kind in key.kinds)
    for name in names:
        del columns.values[name]  # keys are drawn apart, to meet those of links
    nullable = tuple(name for number, name in enumerate(names) if key.may_miss(number) and draw(st.booleans()))
    scope = _condition(draw, columns, usually=True) if draw(st.integers(0, 3)) == 3 else None
    deletion = SoftDelete(_condition(draw, columns, usually=False)) if draw(st.booleans()) else HardDelete()
    return Declared(harness.holder(side, names, nullable_key=nullable, scope=scope, deletion=deletion), key, names)


def _condition(draw: DrawFn, columns: Columns, *, usually: bool) -> str:
    """A condition that usually is one of true and false, and now and then the other, or neither."""
    negated = draw(st.booleans())
    most = usually is not negated
    name = columns.add(pa.bool_(), st.sampled_from([most, most, most, most, not most]))
    sql = f"NOT {quoted(name)}" if negated else quoted(name)
    return columns.meaning(sql, Meaning((name,), lambda row: _not(row[name]) if negated else row[name]))


def _not(truth: bool | None) -> bool | None:
    return None if truth is None else not truth
