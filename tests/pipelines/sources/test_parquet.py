"""Parquet files as sources: what says the same, what is judged cell by cell, what is refused."""

import json
import math
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.errors import SourceError
from pipelines.sources.parquet import ParquetFile
from pipelines.sources.source import REJECTED, Place

NOON = datetime(2026, 3, 20, 12, 0, 0, 123456)  # noqa: DTZ001 (wall time)
ZONED = NOON.replace(tzinfo=UTC)


def read(folder, schema):
    with ParquetFile("policies-{date}.parquet").open(Place(folder, "2026-03-20"), schema) as reading:
        batches = list(reading.batches)
    rows = pa.Table.from_batches([batch.rows for batch in batches], schema)
    numbers = [number for batch in batches for number in batch.row_numbers.to_pylist()]
    unreadable = pa.Table.from_batches([batch.unreadable for batch in batches], REJECTED).to_pylist()
    return dict(zip(numbers, rows.to_pylist(), strict=True)), unreadable, reading.undeclared


def write(folder, table, **options):
    path = folder / "policies-2026-03-20.parquet"
    pq.write_table(table, path, **options)
    return path


def column(folder, values, kind):
    """One column of a file, read as a type."""
    write(folder, pa.table({"v": values}))
    rows, unreadable, _ = read(folder, pa.schema([("v", kind)]))
    assert unreadable == []
    return [row["v"] for row in rows.values()]


def test_rows_come_in_the_declared_order_with_their_numbers(tmp_path):
    write(tmp_path, pa.table({"b": ["x", None, "z"], "extra": [1, 2, 3], "a": [1, 2, 3]}), row_group_size=2)

    rows, unreadable, undeclared = read(tmp_path, pa.schema([("a", pa.int64()), ("b", pa.string())]))

    assert rows == {1: {"a": 1, "b": "x"}, 2: {"a": 2, "b": None}, 3: {"a": 3, "b": "z"}}
    assert unreadable == []
    assert undeclared == ("extra",)


@pytest.mark.parametrize(
    ("held", "declared", "expected"),
    [
        (pa.array([1, None], pa.int32()), pa.int64(), [1, None]),
        (pa.array([1, 2], pa.int64()), pa.int32(), [1, 2]),
        (pa.array([1, 2], pa.uint32()), pa.int64(), [1, 2]),
        (pa.array([1.0, None], pa.float64()), pa.int64(), [1, None]),
        (pa.array([3, None], pa.int32()), pa.decimal128(12, 2), [Decimal("3.00"), None]),
        (pa.array([3, None], pa.int64()), pa.decimal128(12, 2), [Decimal("3.00"), None]),
        (pa.array([2**64 - 1], pa.uint64()), pa.decimal128(20, 0), [Decimal(2**64 - 1)]),
        (pa.array([b"a", None], pa.binary_view()), pa.binary(), [b"a", None]),
        (pa.array([[1, None], None], pa.list_(pa.int32(), 2)), pa.list_(pa.int64()), [[1, None], None]),
        (pa.array([["a"]], pa.list_(pa.large_string())), pa.list_(pa.string()), [["a"]]),
        (pa.array([Decimal("3.00")], pa.decimal128(12, 2)), pa.int64(), [3]),
        (pa.array([Decimal("3.10")], pa.decimal128(10, 2)), pa.decimal128(12, 2), [Decimal("3.10")]),
        (pa.array([Decimal("3.1000")], pa.decimal128(14, 4)), pa.decimal128(12, 2), [Decimal("3.10")]),
        (pa.array([1.5], pa.float32()), pa.float64(), [1.5]),
        (pa.array([1.5, None, math.inf], pa.float64()), pa.float32(), [1.5, None, math.inf]),
        (pa.array([2**53], pa.int64()), pa.float64(), [2.0**53]),
        (pa.array(["a", None], pa.large_string()), pa.string(), ["a", None]),
        (pa.array(["a", "b", "a"]).dictionary_encode(), pa.string(), ["a", "b", "a"]),
        (pa.array([b"a"], pa.binary()).cast(pa.string()), pa.string(), ["a"]),
        (
            pa.array([NOON.replace(microsecond=123000)], pa.timestamp("ms")),
            pa.timestamp("us"),
            [NOON.replace(microsecond=123000)],
        ),
        (pa.array([NOON], pa.timestamp("ns")), pa.timestamp("us"), [NOON]),
        (pa.array([ZONED], pa.timestamp("us", tz="Europe/Paris")), pa.timestamp("us", tz="UTC"), [ZONED]),
        (pa.array([date(2026, 3, 20)], pa.date32()), pa.timestamp("us"), [datetime(2026, 3, 20)]),  # noqa: DTZ001
        (pa.array([datetime(2026, 3, 20)], pa.timestamp("ns")), pa.date32(), [date(2026, 3, 20)]),  # noqa: DTZ001
        (pa.nulls(2), pa.decimal128(12, 2), [None, None]),
        (pa.array(["7", "8"]), pa.int64(), [7, 8]),
        (pa.array(["1.50"]).dictionary_encode(), pa.decimal128(12, 2), [Decimal("1.50")]),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else str(value),
)
def test_types_that_say_the_same(tmp_path, held, declared, expected):
    assert column(tmp_path, held, declared) == expected


@pytest.mark.parametrize(
    ("held", "declared"),
    [
        (pa.array([2**40], pa.int64()), pa.int32()),
        (pa.array([1.5], pa.float64()), pa.int64()),
        (pa.array([-1], pa.int64()), pa.uint64()),
        (pa.array([0.5, 0.1], pa.float64()), pa.float32()),
        (pa.array([1e300], pa.float64()), pa.float32()),
        (pa.array([[0.5]], pa.list_(pa.field("element", pa.float64()))), pa.list_(pa.float32())),
        (pa.array([{"at": NOON}], pa.struct([("at", pa.timestamp("us"))])), pa.struct([("at", pa.date32())])),
        (pa.array([2**53 + 1], pa.int64()), pa.float64()),
        (pa.array([1.5], pa.float64()), pa.decimal128(12, 2)),
        (pa.array([Decimal("1.005")], pa.decimal128(12, 3)), pa.decimal128(12, 2)),
        (pa.array([Decimal(12345678901)], pa.decimal128(11, 0)), pa.decimal128(12, 2)),
        (pa.array([Decimal("1.5")], pa.decimal128(12, 1)), pa.float64()),
        (pa.array([NOON], pa.timestamp("us")), pa.timestamp("us", tz="UTC")),
        (pa.array([ZONED], pa.timestamp("us", tz="UTC")), pa.timestamp("us")),
        (pa.array([1_000_000_001], pa.timestamp("ns")), pa.timestamp("us")),
        (pa.array([NOON], pa.timestamp("us")), pa.date32()),
        (pa.array([5], pa.int64()), pa.bool_()),
        (pa.array([True]), pa.int64()),
        (pa.array([20_000], pa.int32()), pa.date32()),
        (pa.array([20_000], pa.int64()), pa.timestamp("us")),
        (pa.array([7], pa.int64()), pa.string()),
        (pa.array([[7]], pa.list_(pa.field("element", pa.int64()))), pa.int64()),
        (pa.array([10**10], pa.int64()), pa.decimal128(11, 2)),
        (pa.array([["0x1F"]], pa.list_(pa.field("element", pa.string()))), pa.list_(pa.int64())),
        (pa.array([["6162"]], pa.list_(pa.field("element", pa.string()))), pa.list_(pa.binary())),
        (pa.array([{"x": "1e400"}], pa.struct([("x", pa.string())])), pa.struct([("x", pa.float64())])),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else str(value),
)
def test_a_changed_type_is_the_files_fault(tmp_path, held, declared):
    path = write(tmp_path, pa.table({"v": held}))

    with pytest.raises(SourceError) as refused:
        read(tmp_path, pa.schema([("v", declared)]))

    assert f'{path}: column "v" is {held.type}, expected {declared}' in str(refused.value)
    assert not refused.value.transient


def test_times_of_96_bits_are_of_all_years(tmp_path):
    """As Spark writes them by default; within nanoseconds of 64 bits the year 9999 has no room."""
    times = [datetime(9999, 12, 31, 23, 59, 59, 999999), NOON, None, datetime(1, 1, 1), datetime(1969, 12, 31)]  # noqa: DTZ001
    table = pa.table({"at": pa.array(times, pa.timestamp("us")), "id": [1, 2, 3, 4, 5]})
    write(tmp_path, table, use_deprecated_int96_timestamps=True)

    rows, unreadable, _ = read(tmp_path, pa.schema([("id", pa.int64()), ("at", pa.timestamp("us"))]))

    assert [row["at"] for row in rows.values()] == times
    assert unreadable == []


def test_times_of_96_bits_that_have_nanoseconds(tmp_path):
    path = write(
        tmp_path, pa.table({"at": pa.array([1000, 1001], pa.timestamp("ns"))}), use_deprecated_int96_timestamps=True
    )

    with pytest.raises(SourceError, match=re.escape(f'{path}: column "at" is timestamp[ns], expected timestamp[us]')):
        read(tmp_path, pa.schema([("at", pa.timestamp("us"))]))


@pytest.mark.parametrize(
    ("held", "declared"),
    [
        (pa.array([2**62], pa.timestamp("ms")), pa.timestamp("us")),
        (pa.array([2**62], pa.timestamp("ms")), pa.timestamp("ms")),
        (pa.array([-(2**62)], pa.timestamp("ms", tz="UTC")), pa.timestamp("us", tz="UTC")),
        (pa.array([253_402_300_800_000_000], pa.timestamp("us", tz="Europe/Paris")), pa.timestamp("us", tz="UTC")),
        (pa.array([-62_135_596_800_000_001], pa.timestamp("us")), pa.timestamp("us")),
        (pa.array([2**63 - 1], pa.timestamp("us")), pa.timestamp("us")),  # what the engine takes for infinity
        (pa.array([2**31 - 1], pa.date32()), pa.date32()),
        (pa.array([-719_163], pa.date32()), pa.date32()),
        (pa.array([2_932_897], pa.date32()), pa.timestamp("us")),
        (pa.array([2_932_897 * 86_400_000], pa.date64()), pa.date32()),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else str(value),
)
def test_a_time_beyond_the_calendar_costs_its_row(tmp_path, held, declared):
    first, last = (pa.array([day], pa.date32()).cast(held.type) for day in (date(1, 1, 2), date(9999, 12, 31)))
    write(tmp_path, pa.table({"v": pa.concat_arrays([first, held, last, pa.nulls(1, held.type)])}))

    rows, unreadable, _ = read(tmp_path, pa.schema([("v", declared)]))

    assert [row["v"] and str(row["v"])[:10] for row in rows.values()] == ["0001-01-02", "9999-12-31", None]
    assert [(row["row_number"], row["check"], row["field"], row["reason"]) for row in unreadable] == [
        (2, "type", "v", f"expected {declared}")
    ]


def test_texts_are_judged_cell_by_cell(tmp_path):
    write(tmp_path, pa.table({"id": ["1", "x", "3"], "v": ["1.5", "2", "3.005"]}))

    rows, unreadable, _ = read(tmp_path, pa.schema([("id", pa.int64()), ("v", pa.decimal128(9, 2))]))

    assert rows == {1: {"id": 1, "v": Decimal("1.50")}}
    assert [(row["row_number"], row["check"], row["field"]) for row in unreadable] == [
        (2, "type", "id"),
        (3, "type", "v"),
    ]
    assert json.loads(unreadable[0]["raw"]) == {"id": "x", "v": "2"}


def test_texts_that_are_no_utf_8(tmp_path):
    damaged = pa.Array.from_buffers(pa.string(), 3, pa.array([b"a", b"\xff\xfe", b"c"]).buffers())
    write(tmp_path, pa.table({"id": [1, 2, 3], "v": damaged}))

    rows, unreadable, _ = read(tmp_path, pa.schema([("id", pa.int64()), ("v", pa.string())]))

    assert rows == {1: {"id": 1, "v": "a"}, 3: {"id": 3, "v": "c"}}
    assert unreadable == [
        {
            "row_number": 2,
            "check": "encoding",
            "field": "v",
            "reason": "expected valid utf-8",
            "raw": '{"id": "2", "v": "\\\\xff\\\\xfe"}',
        }
    ]


def test_texts_within_lists_and_structs_that_are_no_utf_8(tmp_path):
    damaged = pa.Array.from_buffers(pa.string(), 4, pa.array([b"a", b"\xff\xfe", b"c", b"\xff"]).buffers())
    lists = pa.ListArray.from_arrays([0, None, 0, 2, 4], damaged)
    structs = pa.StructArray.from_arrays([damaged, pa.array([1, 2, 3, 4])], ["x", "y"])
    write(tmp_path, pa.table({"v": lists, "w": structs}))
    schema = pa.schema([("v", pa.list_(pa.string())), ("w", pa.struct([("x", pa.string()), ("y", pa.int64())]))])

    rows, unreadable, _ = read(tmp_path, schema)

    assert rows == {1: {"v": [], "w": {"x": "a", "y": 1}}}
    assert [(row["row_number"], row["check"], row["field"]) for row in unreadable] == [
        (2, "encoding", "w"),
        (3, "encoding", "v"),
        (4, "encoding", "v"),
    ]
    assert json.loads(unreadable[1]["raw"]) == {"v": '["a", "\\\\xff\\\\xfe"]', "w": '{"x": "c", "y": 3}'}


def test_a_missing_column_is_named_with_its_nearest(tmp_path):
    write(tmp_path, pa.table({"polcy_id": [1]}))

    with pytest.raises(SourceError, match='column "policy_id" is missing; did you mean "polcy_id"'):
        read(tmp_path, pa.schema([("policy_id", pa.int64())]))


def test_a_column_that_is_there_twice(tmp_path):
    write(tmp_path, pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["v", "v"]))

    with pytest.raises(SourceError, match='column "v" is there twice'):
        read(tmp_path, pa.schema([("v", pa.int64())]))


@pytest.mark.parametrize("kept", [0, 3, 100, -1, -8, -2000])
def test_a_truncated_file(tmp_path, kept):
    path = write(tmp_path, pa.table({"v": list(range(5000))}))
    path.write_bytes(path.read_bytes()[:kept])

    with pytest.raises(
        SourceError, match=r"policies-2026-03-20.parquet: (not a whole Parquet file|the file is empty)"
    ) as refused:
        read(tmp_path, pa.schema([("v", pa.int64())]))
    assert not refused.value.transient


def test_a_file_damaged_in_the_middle(tmp_path):
    path = write(
        tmp_path,
        pa.table({"v": [f"value {n * 7919 % 5000}" for n in range(5000)]}),
        compression="zstd",
        use_dictionary=False,
    )
    content = bytearray(path.read_bytes())
    content[200:4000] = bytes(3800)
    path.write_bytes(content)

    with pytest.raises(SourceError, match=r"policies-2026-03-20.parquet"):
        read(tmp_path, pa.schema([("v", pa.string())]))


def test_a_file_of_something_else(tmp_path):
    Path(tmp_path, "policies-2026-03-20.parquet").write_text("id,name\n1,Ann\n")

    with pytest.raises(SourceError, match="not a whole Parquet file"):
        read(tmp_path, pa.schema([("id", pa.int64())]))


def test_a_missing_file(tmp_path):
    with pytest.raises(SourceError, match="there is no such file"):
        read(tmp_path, pa.schema([("id", pa.int64())]))


def test_no_rows(tmp_path):
    write(tmp_path, pa.table({"v": pa.array([], pa.int64())}))

    assert read(tmp_path, pa.schema([("v", pa.int64())])) == ({}, [], ())
