"""Rows kept unpacked are those of the Parquet file beside them, of this writing of it and of no other."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import places, unpacked
from pipelines.errors import IntegrityError
from pipelines.lake import Address, Lake
from pipelines.lake.content import ROWS_PER_STRETCH
from pipelines.types import INT128

ADDRESS = Address("policy", "policies", "legacy", "2026-03-20")
ROWS = 1_000
GROUP = 130  # rows
VALUES: dict[str, tuple[pa.DataType, list[Any]]] = {
    "text": (pa.string(), ["", "é", None]),
    "flag": (pa.bool_(), [True, None, False]),
    "huge": (INT128, [str(2**127 - 1), None, "-1"]),
    "large": (pa.uint64(), [2**64 - 1, None, 0]),
    "amount": (pa.decimal128(38, 2), [Decimal("-0.01"), None]),
    "ratio": (pa.float64(), [0.5, None, float("inf")]),
    "day": (pa.date32(), [date(1, 1, 1), None]),
    "hour": (pa.time64("us"), [time(23, 59, 59, 999_999), None]),
    "moment": (pa.timestamp("us", "UTC"), [datetime(1, 1, 1, tzinfo=UTC), None]),
    "there": (pa.timestamp("ms", "Europe/Paris"), [1, None]),
    "delay": (pa.duration("us"), [timedelta(microseconds=-1), None]),
    "bytes": (pa.binary(), [b"\xff", None, b""]),
    "items": (pa.list_(pa.struct([("a", pa.string())])), [[{"a": "x"}, None], None, []]),
    "parts": (pa.struct([("a", pa.list_(pa.int64()))]), [{"a": [1, None]}, None, {"a": None}]),
    "nothing": (pa.string(), [None]),
}


def rows_of(*, count: int = ROWS, shift: int = 0) -> pa.Table:
    """Rows of all types; another `shift`, other rows."""
    columns = {name: column(kind, values, count, shift) for name, (kind, values) in VALUES.items()}
    return pa.table({"number": pa.array(range(shift, count + shift), pa.int64()), **columns})


def column(kind: pa.DataType, values: Sequence[Any], count: int, shift: int) -> pa.Array:
    repeated = [values[(place + shift) % len(values)] for place in range(count)]
    if kind == INT128:
        return pa.ExtensionArray.from_storage(kind, pa.array(repeated, pa.string()))
    return pa.array(repeated, kind)


def write(lake: Lake, rows: pa.Table, least: int | None = 0) -> Path:
    with pytest.MonkeyPatch.context() as patch, lake.transaction("run") as transaction:
        patch.setattr("pipelines.lake.content.ROWS_PER_STRETCH", GROUP)
        transaction.write(ADDRESS, rows, unpacked_from=least)
    return lake.file(ADDRESS)


def beside(file: Path) -> Path:
    return file.with_suffix(".arrow")


def picked(file: Path, at: list[int]) -> pa.Table:
    """Rows at places, each with what is known of its place."""
    known = pa.table({"known": [f"row {place}" for place in at], "position": pa.array(at, pa.int64())})
    return places.rows_at(file, known).read_all()


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The same rows kept unpacked, and not."""
    files = [write(Lake(tmp_path_factory.mktemp("lake")), rows_of(), least) for least in (0, None)]
    assert [unpacked.beside(file) is not None for file in files] == [True, False]
    return files[0], files[1]


@given(at=st.sets(st.integers(0, ROWS - 1) | st.sampled_from([0, GROUP - 1, GROUP, ROWS - 1])).map(sorted))
def test_rows_are_the_same_from_either_file(both: tuple[Path, Path], at: list[int]) -> None:
    of_unpacked, of_packed = (picked(file, at) for file in both)

    assert of_unpacked.schema.equals(of_packed.schema, check_metadata=True)
    assert of_unpacked.to_pylist() == of_packed.to_pylist()
    every = rows_of().to_pylist()
    assert [(row["number"], row["text"], row["items"]) for row in of_unpacked.to_pylist()] == [
        (every[place]["number"], every[place]["text"], every[place]["items"]) for place in at
    ]
    assert of_unpacked["known"].to_pylist() == [f"row {place}" for place in at]


@pytest.mark.parametrize("at", [range(ROWS), range(GROUP, 2 * GROUP), range(5, 300), range(0, ROWS, 2), []])
def test_so_are_rows_that_stand_side_by_side(both: tuple[Path, Path], at: Sequence[int]) -> None:
    of_unpacked, of_packed = (picked(file, list(at)) for file in both)

    assert of_unpacked.to_pylist() == of_packed.to_pylist()
    assert of_unpacked["number"].to_pylist() == list(at)


@given(first=st.integers(0, ROWS), count=st.integers(0, ROWS + 5))
def test_a_stretch_is_a_slice_of_the_table(both: tuple[Path, Path], first: int, count: int) -> None:
    rows = unpacked.beside(both[0])

    assert rows is not None
    found = pa.Table.from_batches(rows.stretch(first, count), rows.file.schema)
    assert found.cast(rows_of().schema) == rows_of().slice(first, count)


@given(first=st.integers(0, ROWS), count=st.integers(0, ROWS + 5))
def test_rows_read_along_are_the_same_from_either_file(both: tuple[Path, Path], first: int, count: int) -> None:
    of_unpacked, of_packed = (places.along(file)(first, count) for file in both)

    assert of_unpacked.schema == of_packed.schema
    assert of_unpacked.equals(of_packed)
    assert of_unpacked["number"].to_list() == list(range(first, min(first + count, ROWS)))


def test_rows_read_along_stay_when_the_next_ones_are_read(both: tuple[Path, Path]) -> None:
    along = places.along(both[0])
    stretches = [along(first, GROUP // 2) for first in range(0, ROWS, GROUP // 2)]

    assert pl.concat(stretches).equals(places.along(both[1])(0, ROWS))


def test_texts_that_are_not_kept_as_views_are_looked_at_as_well(lake: Lake) -> None:
    """As versions before kept them."""
    file = write(lake, rows_of())
    now, along = picked(file, [0, 7, 999]), places.along(file)(0, ROWS)
    rows = unpacked.beside(file)
    assert rows is not None
    before = pa.Table.from_batches(rows.as_packed(rows_of().schema), rows_of().schema)
    assert before != pa.Table.from_batches(rows.stretch(0, ROWS), rows.file.schema)

    aside = file.with_name("aside")  # what is being looked at must not be written over
    with pa.ipc.new_file(str(aside), before.schema, metadata=rows.file.metadata) as writer:
        writer.write_table(before, max_chunksize=GROUP)
    aside.rename(beside(file))

    assert picked(file, [0, 7, 999]) == now
    assert places.along(file)(0, ROWS).equals(along)


def test_only_tables_of_so_many_rows_are_kept_unpacked(lake: Lake) -> None:
    assert not beside(write(lake, rows_of(count=9), least=10)).exists()
    assert beside(write(lake, rows_of(count=10), least=10)).exists()
    assert not beside(write(lake, rows_of(count=10), least=None)).exists()
    assert picked(lake.file(ADDRESS), [3, 9])["number"].to_pylist() == [3, 9]


def test_a_table_without_rows(lake: Lake) -> None:
    assert picked(write(lake, rows_of(count=0)), []).num_rows == 0
    assert unpacked.beside(lake.file(ADDRESS)) is not None


def test_it_may_be_deleted_at_any_time(lake: Lake) -> None:
    before = picked(write(lake, rows_of()), [1, 999])

    beside(lake.file(ADDRESS)).unlink()

    assert picked(lake.file(ADDRESS), [1, 999]).to_pylist() == before.to_pylist()


@pytest.mark.parametrize("shift", [0, 1])
def test_one_of_another_writing_of_the_table_is_not_looked_at(lake: Lake, tmp_path: Path, shift: int) -> None:
    shutil.copy(beside(write(lake, rows_of())), tmp_path / "old.arrow")
    file = write(lake, rows_of(shift=shift))

    shutil.copy(tmp_path / "old.arrow", beside(file))

    assert unpacked.beside(file) is None
    assert picked(file, [0, 500])["number"].to_pylist() == [shift, 500 + shift]


def test_nor_one_beside_a_file_that_was_put_there_by_hand(lake: Lake) -> None:
    file = write(lake, rows_of())

    pq.write_table(rows_of(shift=7), file)

    assert picked(file, [0])["number"].to_pylist() == [7]


@pytest.mark.parametrize("length", [0, 7, 5_000, -1])
def test_nor_one_that_is_not_whole(lake: Lake, length: int) -> None:
    file = write(lake, rows_of())

    beside(file).write_bytes(beside(file).read_bytes()[:length])

    assert unpacked.beside(file) is None
    assert picked(file, [0, 999])["number"].to_pylist() == [0, 999]


def test_a_write_that_fails_leaves_what_was_there(lake: Lake) -> None:
    file = write(lake, rows_of())

    def some() -> Iterator[pa.RecordBatch]:
        yield from rows_of(shift=5).to_batches()
        raise KeyError

    def write_some() -> None:
        with lake.transaction("run 2") as transaction:
            reader = pa.RecordBatchReader.from_batches(rows_of().schema, some())
            transaction.write(ADDRESS, reader, unpacked_from=0)

    with pytest.raises(KeyError):
        write_some()
    assert unpacked.beside(file) is not None
    assert picked(file, [0])["number"].to_pylist() == [0]
    assert list((lake.root / ".aside").iterdir()) == []


def test_values_that_have_changed_are_found_when_a_table_is_verified(lake: Lake) -> None:
    file = write(lake, pa.table({"text": ["some text that is found again"] * 3}))
    lake.verify(ADDRESS, thorough=True)

    beside(file).write_bytes(beside(file).read_bytes().replace(b"some text", b"else text"))

    with pytest.raises(IntegrityError, match=r"legacy\.parquet has other rows unpacked beside it"):
        lake.verify(ADDRESS, thorough=True)


def test_how_many_rows_are_worth_it_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COEXIST_SIEVE_FROM", raising=False)
    assert 2 < unpacked.worthwhile() < ROWS_PER_STRETCH
    monkeypatch.setenv("COEXIST_SIEVE_FROM", "2")
    assert unpacked.worthwhile() == 2
