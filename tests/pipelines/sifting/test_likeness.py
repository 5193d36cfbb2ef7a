"""Values are held against each other to the last bit, in every type a contract can declare."""

from __future__ import annotations

import struct
from itertools import product

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines import places
from pipelines.sifting.likeness import are_alike, can_be_held
from tests.pipelines.test_places import VALUES, as_column

NAN = float("nan")
MORE = {
    "ratio": [0.0, -0.0, NAN, 1.5, None],
    "single": [0.0, -0.0, NAN, 1.5, None],
    "text": ["", " ", "e\u0301", "é", "a\0", "a", "x" * 40, "x" * 39 + "y", None],
    "bytes": [b"", b"\0", b"x" * 40, None],
}
NESTED = {"items", "parts"}  # no fields of entities that are sifted
KINDS = {name: (kind, [*values, *MORE.get(name, [])]) for name, (kind, values) in VALUES.items() if name not in NESTED}


def said(value):
    return struct.pack("d", value) if isinstance(value, float) else value


def alike(tmp_path, legacy, service):
    """Whether the values of two columns are alike, as they are read from files."""
    columns = []
    for name, column in {"expected": legacy, "actual": service}.items():
        pq.write_table(pa.table({name: column}), tmp_path / f"{name}.parquet")
        columns.append(places.stretch(tmp_path / f"{name}.parquet", 0, len(column)).collect().to_series())
    return are_alike(*columns, legacy.type, service.type).to_list()


@pytest.mark.parametrize("name", KINDS)
def test_only_what_is_the_same_is_alike(name, tmp_path):
    kind, values = KINDS[name]
    legacy, service = zip(*product(values, values), strict=True)

    assert can_be_held(kind, kind)
    assert alike(tmp_path, as_column(kind, legacy), as_column(kind, service)) == [
        said(one) == said(other) for one, other in zip(legacy, service, strict=True)
    ]


@pytest.mark.parametrize(
    ("legacy", "service", "values"),
    [
        (pa.int8(), pa.int64(), [0, -1, 127, None]),
        (pa.uint64(), pa.int64(), [0, 2**63 - 1, None]),
        (pa.decimal128(5, 2), pa.decimal128(38, 2), ["1.10", "-0.01", None]),
    ],
)
def test_numbers_of_other_widths(legacy, service, values, tmp_path):
    one, other = zip(*product(values, values), strict=True)
    columns = [pa.array(each, pa.string()).cast(kind) if pa.types.is_decimal(kind) else pa.array(each, kind)
               for each, kind in ((one, legacy), (other, service))]  # fmt: skip

    assert can_be_held(legacy, service)
    assert alike(tmp_path, *columns) == [this == that for this, that in zip(one, other, strict=True)]


def test_the_largest_integers_are_not_confused(tmp_path):
    legacy, service = pa.array([2**64 - 1, 2**63, 2**53 + 1], pa.uint64()), pa.array([-1, -(2**63), 2**53], pa.int64())

    assert alike(tmp_path, legacy, service) == [False, False, False]


@pytest.mark.parametrize(
    ("legacy", "service"),
    [
        (pa.float32(), pa.float64()),
        (pa.decimal128(5, 2), pa.decimal128(5, 3)),
        (pa.int64(), pa.decimal128(5, 0)),
        (pa.string(), pa.int64()),
        (pa.timestamp("us"), pa.timestamp("us", "UTC")),
        (pa.timestamp("ms"), pa.timestamp("us")),
        (VALUES["huge"][0], pa.string()),
    ],
)
def test_what_cannot_be_held_against_each_other(legacy, service):
    assert not can_be_held(legacy, service)
    assert not can_be_held(service, legacy)
