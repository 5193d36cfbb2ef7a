"""Buckets against plain Python: what they count, and that their digests are equal exactly when the rows are."""

from __future__ import annotations

from collections import Counter, defaultdict

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pipelines.sifting import buckets, digests

WIDTH = 2**48
SAID = ("match_1", "match_2", "value_1", "value_2")
LANES = st.sampled_from([0, 1, 7, 2**63, 2**64 - 1])
ROWS = st.lists(
    st.fixed_dictionaries({
        "position": st.integers(0, 5),
        "live": st.booleans(),
        "is_primary": st.booleans(),
        "match_1": st.sampled_from([0, 1, WIDTH - 1, WIDTH, WIDTH + 1, 2**64 - 1]),
        "match_2": LANES,
        "value_1": LANES | st.none(),
        "value_2": LANES | st.none(),
        "mask_primary": st.sampled_from([0, 0, 1]),
        "mask_other": st.sampled_from([0, 0, 2]),
        "raw_1": LANES,
        "raw_2": LANES,
    }),
    max_size=9,
)  # fmt: skip


def tallied(rows, cut):
    """The buckets of rows that come in batches of so many, by number; and what comes out of the other end."""
    tally = buckets.Tally()
    ordered = sorted(rows, key=lambda row: row["match_1"])
    passed = tally.watch(pa.Table.from_pylist(ordered, digests.PASSING).to_reader(max_chunksize=cut)).read_all()
    assert passed.schema == digests.SCHEMA
    assert passed.to_pylist() == [{name: row[name] for name in digests.SCHEMA.names} for row in ordered]
    return {row["bucket"]: row for row in tally.table().to_pylist()}


def due(rows):
    """Number of a bucket -> its rows."""
    found = defaultdict(list)
    for row in sorted(rows, key=lambda row: row["match_1"]):
        found[row["match_1"] // WIDTH].append(row)
    return found


def is_plain(rows):
    alone = len({row["match_1"] for row in rows}) == len(rows)
    return alone and all(
        row["live"] and row["value_1"] is not None and row["mask_primary"] == row["mask_other"] == 0 for row in rows
    )


def told(rows, names):
    return Counter(tuple(row[name] for name in names) for row in rows)


@given(ROWS, st.integers(1, 9))
def test_what_is_counted(rows, cut):
    seen, first = tallied(rows, cut), 0
    assert list(seen) == list(due(rows))
    for number, own in due(rows).items():
        assert (seen[number]["first"], seen[number]["rows"]) == (first, len(own))
        assert seen[number]["is_plain"] is is_plain(own)
        first += len(own)


def exchanged(rows):
    """The same values in the same columns, in other rows."""
    lanes = ["value_1", "value_2", "raw_1", "raw_2"]
    return [row | {name: other[name] for name in lanes} for row, other in zip(rows, rows[1:] + rows[:1], strict=True)]


@given(ROWS, ROWS, st.sampled_from(["other", "same", "other order", "exchanged"]), st.integers(1, 9))
def test_digests_are_equal_exactly_when_the_rows_are(rows, others, way, cut):
    against = {"other": others, "same": rows, "other order": rows[::-1], "exchanged": exchanged(rows)}[way]
    seen = [tallied(rows, 9), tallied(against, cut)]
    due_of = [due(rows), due(against)]
    held = [name for name in digests.PASSING.names if name != "position"]
    for number in seen[0].keys() & seen[1].keys():
        for digest, names in (("said", SAID), ("held", held)):
            same = told(due_of[0][number], names) == told(due_of[1][number], names)
            lanes = [[of[number][f"{digest}_{lane}"] for lane in (1, 2)] for of in seen]
            assert (lanes[0] == lanes[1]) is same
            assert same or all(one != other for one, other in zip(*lanes, strict=True)), "each lane tells"
