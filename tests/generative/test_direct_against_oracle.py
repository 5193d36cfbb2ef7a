"""The direct sieve against plain Python: a pair passes when nothing else is linked alike and both rows say the same."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import identity
from pipelines.declarations import Side
from pipelines.sifting import direct
from tests.examples import examples
from tests.generative import sides
from tests.generative.sifted import Remained


@pytest.mark.parametrize("way", sides.WAYS)
def test_what_passes_and_what_remains(way):
    declared = sides.entity(way)

    @settings(max_examples=examples(40))
    @given(
        st.lists(sides.LEGACY, max_size=9),
        st.lists(sides.SERVICE, max_size=5),
        st.just([]) | st.lists(sides.LINK, max_size=6),
        st.sampled_from(["", "copied", "negated"]),
        st.sampled_from([pa.int64(), pa.int16(), pa.string()]),
    )
    def check(legacy, service, links, copied, kind):
        both, known = sides.both_sides(legacy, service, copied), sides.all_links(links)
        remained = Remained()
        tables = dict(zip(Side, (sides.as_table(both[0]), sides.as_table(both[1], kind)), strict=True))
        with sides.prepared(declared, tables, pa.Table.from_pylist(known, identity.SCHEMA)) as (session, _):
            found = direct.sift(session, declared, remained.keep, rows=sum(map(len, both)))
        expected = sides.beyond_doubt(*both, known, way)
        assert found.alike == Counter(mask for *_, mask, same in expected if same)
        for at, side in enumerate(Side):
            left = set(range(len(both[at]))) - {pair[at] for pair in expected if pair[-1]}
            assert remained.positions(side) == sorted(left)
        pairs = sorted((i, j, primary) for i, j, primary, _, same in expected if not same)
        assert remained.known_pairs() == pairs
        assert found.known == len(pairs)

    check()
