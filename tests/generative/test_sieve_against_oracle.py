"""The sieve against plain Python: a pair passes when nothing else is linked alike and both rows say the same."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.declarations import Side
from pipelines.sifting import buckets, digests, sieve
from pipelines.sifting.sieve import Digests
from tests.examples import examples
from tests.generative.sifted import Remained

TOP = 2**64 // buckets.COUNT  # lanes so far apart are in buckets of their own
FIRST_LANES = [0, 1, *(bucket * TOP for bucket in range(1, 24)), 900 * TOP]
LANES = st.sampled_from([7, 8])
ROW = st.tuples(
    st.booleans() | st.just(True),  # live
    st.booleans(),  # is_primary
    st.sampled_from(FIRST_LANES),
    LANES | st.just(7),
    st.sampled_from([7, 7, 8, None]),
    LANES,
    st.sampled_from([0, 0, 0, 0, 1, 3]),
    st.sampled_from([0, 0, 0, 0, 2]),
)
SIDE = st.lists(ROW, max_size=14)
COLUMNS = ["live", "is_primary", "match_1", "match_2", "value_1", "value_2", "mask_primary", "mask_other"]


def linked(rows, others):
    """The pairs linked beyond doubt: (of this side, of the other, is it primary, mask, whether both say the same)."""
    alone = [Counter(row["match_1"] for row in side) for side in (rows, others)]
    found = []
    for row in rows:
        for other in others:
            first = row["match_1"]
            same_link = first == other["match_1"] and row["match_2"] == other["match_2"]
            doubtless = row["live"] and other["live"] and all(count[first] == 1 for count in alone)
            said = (row["value_1"], row["value_2"])
            same = None not in said and said == (other["value_1"], other["value_2"])
            if same_link and doubtless:
                mask = other["mask_primary"] if row["is_primary"] else other["mask_other"]
                found.append((row["position"], other["position"], row["is_primary"], mask, same))
    return found


def revived(rows):
    """The same rows, all of them live: what they say is the same, and yet one of them may not pass."""
    return [(True, *said) for _, *said in rows]


def held(rows, file: Path) -> Digests:
    """Digests in the lake, in their order, with their buckets."""
    whole = [{"raw_1": 1, "raw_2": 2, **row} for row in rows]
    table = pa.Table.from_pylist(sorted(whole, key=lambda row: (row["match_1"], row["position"])), digests.PASSING)
    tally = buckets.Tally()
    pq.write_table(tally.watch(table.to_reader(max_chunksize=5)).read_all(), file)
    return Digests(file, tally.table())


@pytest.mark.parametrize(
    ("leap", "at_once", "picking"),
    [(1, 500_000, 10**9), (6, 500_000, 10**9), (10**9, 500_000, 10**9), (10**9, 3, 10**9), (1, 500_000, 1), (1, 3, 1)],
)
def test_what_passes_and_what_remains(leap, at_once, picking):
    @settings(max_examples=examples(120))
    @given(SIDE, SIDE, st.booleans())
    def check(legacy, service, copied):
        both = [
            [{"position": place, **dict(zip(COLUMNS, row, strict=True))} for place, row in enumerate(rows)]
            for rows in (legacy, revived(legacy) + service if copied else service)
        ]
        with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
            patch.setattr(sieve, "WORTH_LEAPING", leap)
            patch.setattr(sieve, "_ROWS_AT_ONCE", at_once)
            patch.setattr(sieve, "_WORTH_PICKING", picking)
            remained = Remained()
            digested = {
                side: held(rows, Path(folder) / f"{side}.parquet") for side, rows in zip(Side, both, strict=True)
            }
            found = sieve.sift(digested, remained.keep)
        expected = linked(*both)
        assert +Counter(found.alike) == Counter(mask for *_, mask, same in expected if same)
        for at, (side, rows) in enumerate(zip(Side, both, strict=True)):
            left = {row["position"] for row in rows} - {pair[at] for pair in expected if pair[-1]}
            assert remained.positions(side) == sorted(left)
        known = sorted(pair[:3] for pair in expected if not pair[-1])
        assert remained.known_pairs() == known
        assert found.known == len(known)

    check()
