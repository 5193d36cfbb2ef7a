"""Picking rows by the parts of their keys against plain Python that spells the key of every row."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import engine, picking
from pipelines.declarations import Holder, ParquetFile
from tests.examples import examples
from tests.spec.contracts import contract

# What could be taken for a separator, an escape, a missing part, a number, or nothing at all.
TEXTS = st.sampled_from(["", "a", "a|b", "|", "\\", "\\N", "a\\|b", "7", "07", " 7", "ä", "\\\\N", "N"]) | st.none()
NUMBERS = st.sampled_from([0, 7, -7, 2**40]) | st.none()
ROWS = st.lists(st.tuples(TEXTS, NUMBERS), max_size=12)


def spelt(row: tuple[str | None, int | None], *, may_miss: bool) -> str | None:
    """The key of a row; None when a part is missing that must not be."""
    parts = [None if part is None else str(part).replace("\\", "\\\\").replace("|", "\\|") for part in row]
    if any(part is None for part in parts[1:]) or (parts[0] is None and not may_miss):
        return None
    return "|".join("\\N" if part is None else part for part in parts)


SCHEMA = pa.schema([("scope", pa.string()), ("no", pa.int64())])


@settings(max_examples=examples(150))
@given(st.lists(ROWS, min_size=1, max_size=3), ROWS, st.booleans())
def test_rows_are_those_whose_key_is_asked_for(partitions, others, may_miss):
    declared = Holder(
        source=ParquetFile("rows.parquet"), contract=contract("Row", SCHEMA), key=("scope", "no"),
        nullable_key=("scope",) if may_miss else (),
    )  # fmt: skip
    keys = [spelt(row, may_miss=may_miss) for rows in partitions for row in [*rows[::2], *others]]
    with engine.opened() as session, TemporaryDirectory() as folder:
        present, *earlier = [pa.Table.from_pylist([dict(zip(SCHEMA.names, row, strict=True)) for row in rows], SCHEMA)
                             for rows in partitions]  # fmt: skip
        files = {
            str(number): _written(table, Path(folder) / f"{number}.parquet") for number, table in enumerate(earlier)
        }
        session.register("rows", present.append_column("__partition", pa.array(["now"] * len(present), pa.string())))
        session.register("asked", pa.table({"row_key": pa.array(keys, pa.string())}))
        picking.pick(session, declared, rows="rows", earlier=files, asked="asked", into="picked")
        found = session.rows("SELECT * FROM picked")

    wanted = {key for key in keys if key is not None}
    assert Counter((row["__partition"], row["scope"], row["no"]) for row in found) == Counter(
        (partition, *row)
        for partition, rows in zip(["now", *files], partitions, strict=True)
        for row in rows
        if spelt(row, may_miss=may_miss) in wanted
    )


def _written(table, file):
    pq.write_table(table, file)
    return file
