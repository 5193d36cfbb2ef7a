"""Rows at certain places of a file are those that stand there, in every type a contract can declare."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import engine, places, unpacked
from pipelines.types import INT128
from pipelines.unpacked import Copy

VALUES = {
    "text": (pa.string(), ["", "é", None]),
    "flag": (pa.bool_(), [True, None, False]),
    "small": (pa.int8(), [-128, None, 127]),
    "large": (pa.uint64(), [2**64 - 1, None, 0]),
    "huge": (INT128, [2**127 - 1, None, -(2**127)]),
    "amount": (pa.decimal128(38, 2), [Decimal("-0.01"), None, Decimal("9" * 36 + ".99")]),
    "ratio": (pa.float64(), [-0.0, None, float("inf")]),
    "single": (pa.float32(), [0.5, None, -1.5]),
    "day": (pa.date32(), [date(1, 1, 1), None, date(9999, 12, 31)]),
    "hour": (pa.time64("us"), [time(0), None, time(23, 59, 59, 999_999)]),
    "moment": (pa.timestamp("us", "UTC"), [datetime(1, 1, 1, tzinfo=UTC), None, datetime(2026, 7, 1, tzinfo=UTC)]),
    "local": (pa.timestamp("ms"), [-1, None, 1_782_864_000_000]),
    "delay": (pa.duration("us"), [timedelta(microseconds=-1), None, timedelta(days=400)]),
    "bytes": (pa.binary(), [b"\xff", None, b""]),
    "items": (pa.list_(pa.int64()), [[1, None], None, []]),
    "parts": (pa.struct([("a", pa.string())]), [{"a": "x"}, None, {"a": None}]),
}
ROWS = 2_000


@pytest.fixture(scope="module", params=["packed", "unpacked"])
def file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows of all types in many groups, the place of each row in the column `place`."""
    return written(tmp_path_factory.mktemp("places") / "rows.parquet", unpacked_too=request.param == "unpacked")


def written(path: Path, *, unpacked_too: bool, rows: pa.Table | None = None) -> Path:
    """The file of rows in groups of 300; without `rows`, of all types."""
    table = rows or pa.table({"place": list(range(ROWS)), **{name: _column(*of) for name, of in VALUES.items()}})
    copy = Copy(path, table.schema, least=0)
    with pq.ParquetWriter(path, table.schema) as writer:
        for first in range(0, table.num_rows, 300):
            (group,) = table.slice(first, 300).combine_chunks().to_batches()
            writer.write_batch(group)
            copy.write(group)
        writer.add_key_value_metadata(copy.mark)
    copy.close()
    if not unpacked_too:
        path.with_suffix(".arrow").unlink()
    assert bool(unpacked.beside(path)) is unpacked_too
    return path


def _column(kind: pa.DataType, values: list[object]) -> pa.Array:
    return as_column(kind, [values[place % len(values)] for place in range(ROWS)])


def as_column(kind: pa.DataType, values: Sequence[object]) -> pa.Array:
    """Values as a column of a type, one of ours as well."""
    if kind != INT128:
        return pa.array(values, kind)
    return pa.ExtensionArray.from_storage(kind, pa.array([value if value is None else str(value) for value in values]))


@given(at=st.sets(st.integers(0, ROWS - 1)).map(list))
def test_rows_at_places_are_those_that_a_whole_scan_finds_there(file: Path, at: list[int]) -> None:
    with engine.opened() as session:
        positions = pa.array(sorted(at), pa.int64())
        session.hold_places("some", file, pa.schema([("__of", pa.int64())]))
        wanted = pa.table({"position": positions, "__of": positions})
        session.add_placed("some", file, places.rows_at(file, wanted))
        session.scan("every", [file])
        assert session.types("some") == session.types("every")
        found = session.table('SELECT * FROM some ORDER BY "place"')
        every = session.table('SELECT * FROM "every" ORDER BY "place"')
        assert found.to_pylist() == every.take(positions).to_pylist()
        assert not session.rows('SELECT 1 AS one FROM "some placed" WHERE "place" <> __of OR __of IS NULL')


@given(cuts=st.lists(st.integers(0, ROWS), max_size=4).map(sorted))
def test_stretches_that_are_handed_over_are_what_a_whole_scan_finds(file: Path, cuts: list[int]) -> None:
    number = pa.schema([("__of", pa.int64())])
    with engine.opened() as session:
        session.hold_places("some", file, number)
        for first, end in pairwise([0, *cuts, ROWS]):
            rows = places.along(file)(first, end - first)
            numbered = rows.with_columns(pl.int_range(first, end, dtype=pl.Int64).alias("__of"))
            session.add_placed("some", file, places.stream(file, [numbered, numbered.clear()], knowing=number))
        session.scan("every", [file])
        assert session.types("some") == session.types("every")
        found, every = (session.table(f'SELECT * FROM "{of}" ORDER BY "place"') for of in ("some", "every"))
        assert found.to_pylist() == every.to_pylist()
        assert not session.rows('SELECT 1 AS one FROM "some placed" WHERE "place" <> __of OR __of IS NULL')


@given(at=st.sets(st.integers(0, ROWS - 1)).map(sorted))
def test_rows_found_are_those_of_a_stretch(file: Path, at: list[int]) -> None:
    wanted = pl.Series(at, dtype=pl.get_index_type())
    assert places.found(file, wanted).equals(places.along(file)(0, ROWS)[wanted])


def test_columns_are_those_of_a_stretch(file: Path) -> None:
    read, rows = places.columns(file), places.along(file)(0, ROWS)
    for name in rows.columns:
        assert read(name).equals(rows[name])
        assert read(name).dtype == rows.schema[name]
