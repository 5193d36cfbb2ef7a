"""Partners against plain Python: rows that share what links them with one row of the other side, and none of their own.

In every order, linked by numbers close together or far apart, by texts and by two parts.
"""

from __future__ import annotations

import random
from collections import Counter

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.declarations import Side
from pipelines.sifting import partners

CLOSE = st.integers(-5, 12)
FAR = st.integers(-(2**63), 2**63 - 1) | st.sampled_from([-(2**63), 0, 1, 2**63 - 1])
LINKS = {
    "close": (st.tuples(CLOSE), [pl.Int64]),
    "short": (st.tuples(st.integers(-128, 127)), [pl.Int8]),
    "without sign": (st.tuples(st.integers(2**64 - 9, 2**64 - 1)), [pl.UInt64]),
    "far": (st.tuples(FAR), [pl.Int64]),
    "text": (st.tuples(st.text("aé\0", max_size=3)), [pl.String]),
    "two parts": (st.tuples(CLOSE, st.text("ab", max_size=1)), [pl.Int64, pl.String]),
}


def places(links):
    """Where the rows stand: every third place is that of a row without a link."""
    return [n + n // 2 for n in range(len(links))]


def frame(links, kinds):
    columns = [pl.Series(f"link {n}", [link[n] for link in links], kind) for n, kind in enumerate(kinds)]
    return pl.DataFrame([pl.Series(partners.PLACE, places(links), pl.get_index_type()), *columns])


def pairs(legacy, service):
    counts = [Counter(links) for links in (legacy, service)]
    of_service = dict(zip(service, places(service), strict=True))
    return [
        (place, of_service[link])
        for link, place in zip(legacy, places(legacy), strict=True)
        if all(of[link] == 1 for of in counts)
    ]


def are_crowded(legacy, service):
    """Whether so many share their links that there are more pairs than rows."""
    of_service = Counter(service)
    return sum(of_service[link] for link in legacy) > min(len(legacy), len(service))


def check(sides, kinds):
    frames = dict(zip(Side, (frame(links, kinds) for links in sides), strict=True))
    found = partners.find(frames, [f"link {n}" for n in range(len(kinds))])
    assert are_crowded(*sides) if found is None else sorted(found.rows()) == pairs(*sides)


@pytest.mark.parametrize("name", LINKS)
def test_partners(name):
    link, kinds = LINKS[name]

    @given(st.data(), st.lists(link, max_size=12), st.lists(link, max_size=3), st.booleans(), st.booleans())
    def check_any(data, legacy, more, unique, ordered):
        service = data.draw(st.permutations(legacy) | st.just(legacy)) + more
        both = [list(dict.fromkeys(links)) if unique else links for links in (legacy, service)]
        check([sorted(links) if ordered else links for links in both], kinds)

    check_any()


@pytest.mark.parametrize("kinds", [[pl.Int64], [pl.String], [pl.Int64, pl.Int64]])
@pytest.mark.parametrize("sparse", [1, 1000])
@pytest.mark.parametrize("shuffled", [False, True])
def test_many_partners(kinds, sparse, shuffled):
    drawn = random.Random(20)  # noqa: S311 (no secret)
    keys = [(n * sparse, n % 7)[: len(kinds)] for n in range(150_000)]
    links = sorted((f"{key[0]:012d}",) if kinds == [pl.String] else key for key in keys)
    sides = [[link for link in links if drawn.random() < share] for share in (0.9, 0.95)]
    sides[0] += sides[0][-2:]
    if shuffled:
        drawn.shuffle(sides[1])
    check(sides, kinds)
