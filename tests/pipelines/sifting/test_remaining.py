"""What remains of a sieve comes back whole, by place, in stretches that are never very long."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import engine
from pipelines.declarations import Side
from pipelines.sifting import remaining
from pipelines.sifting.remaining import LINK_PRIMARY, PAIR, PLACES, POSITION, Remaining

ROWS = 40


@given(
    kept=st.dictionaries(
        st.integers(0, ROWS - 1), st.tuples(st.none() | st.integers(0, 2**64 - 1), st.none() | st.booleans())
    ),
    cut=st.integers(1, 9),
    on_heap=st.integers(1, 12),
    at_once=st.integers(1, 12),
)
def test_it_comes_back_whole_and_ascending(
    kept: dict[int, tuple[int | None, bool | None]], cut: int, on_heap: int, at_once: int
) -> None:
    rows = [{POSITION: place, PAIR: pair, LINK_PRIMARY: primary} for place, (pair, primary) in kept.items()]
    schema = {POSITION: pl.Int64, PAIR: pl.UInt64, LINK_PRIMARY: pl.Boolean}
    with pytest.MonkeyPatch.context() as patch, engine.opened() as session:
        patch.setattr(remaining, "_ON_HEAP", on_heap)
        patch.setattr(remaining, "_AT_ONCE", at_once)
        kept_of_service = Remaining(session)
        for some in pl.DataFrame(rows, schema=schema).iter_slices(cut):
            kept_of_service.keep(Side.SERVICE, some)
        stretches = list(kept_of_service.places(Side.SERVICE, ROWS))
        none = list(kept_of_service.places(Side.LEGACY, ROWS))
    assert [row for some in stretches for row in some.to_pylist()] == [
        {"__bucket": None, **row} for row in sorted(rows, key=lambda row: int(str(row[POSITION])))
    ]
    assert all(some.schema == PLACES for some in stretches)
    assert all(some.num_rows <= min(len(rows), -(-ROWS // (1 + len(rows) // at_once))) for some in stretches)
    assert none == []
