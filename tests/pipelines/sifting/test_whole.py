"""Columns in one piece are what they were in pieces, in every type a file can have, however the pieces are cut."""

from __future__ import annotations

from itertools import pairwise

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.sifting.whole import Memory
from tests.pipelines.test_places import VALUES

LONG = "longer than what stands beside a reference"
CUTS = st.lists(st.integers(0, 24), max_size=4).map(sorted)


def in_pieces(kind: pa.DataType, values: list[object], cuts: list[int]) -> pl.Series:
    """Values cut at these places, each piece out of the midst of others."""
    some = as_series(kind, values)
    pieces = [pl.concat([some, some[begin:end], some]) for begin, end in pairwise([0, *cuts, len(values)])]
    cut = [piece.rechunk()[len(some) : len(piece) - len(some)] for piece in pieces]
    return pl.concat([some.clear(), *cut], rechunk=False)


def as_series(kind: pa.DataType, values: list[object]) -> pl.Series:
    storage = kind.storage_type if isinstance(kind, pa.ExtensionType) else kind
    texts = [str(value) if pa.types.is_string(storage) and value is not None else value for value in values]
    return pl.Series("said", pa.array(texts, storage))


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("name", [*VALUES, "long"])
def test_columns_in_one_piece(name: str, *, missing: bool) -> None:
    kind, values = (pa.string(), [LONG, "short", None]) if name == "long" else VALUES[name]
    said = [value for value in values if missing or value is not None]

    @given(st.lists(st.lists(st.sampled_from(said), min_size=24, max_size=24), min_size=2, max_size=3), CUTS)
    def check(columns: list[list[object]], cuts: list[int]) -> None:
        memory = Memory(24)
        for column in columns:
            pieces = in_pieces(kind, column, cuts)
            whole = memory.of(pieces)
            assert whole.n_chunks() == 1
            assert whole.dtype == pieces.dtype
            assert whole.equals(as_series(kind, column), check_names=True)

    check()


def test_no_rows() -> None:
    assert Memory(0).of(pl.Series("said", [], pl.Int64)).is_empty()
