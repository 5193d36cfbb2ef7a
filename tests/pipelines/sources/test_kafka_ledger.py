"""The ledger: what is read for a date, when dates come in order, again or between others, and what is an error."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import SourceError
from pipelines.sources.kafka import ledger
from pipelines.sources.kafka.ledger import Stretch

D1, D2, D3 = "2026-03-01", "2026-03-02", "2026-03-03"


def read(extent, noted, date, *, whole=False):
    return ledger.stretches("t", extent, noted, date, whole=whole)


def noting(**offsets):
    return {"topic": "t", "offsets": {name[1:]: list(span) for name, span in offsets.items()}, "messages": 1}


@pytest.mark.parametrize(
    ("extent", "noted", "date", "expected"),
    [
        ({0: (0, 10), 1: (4, 6)}, {}, D1, [Stretch(0, 0, 10), Stretch(1, 4, 6)]),
        ({0: (0, 15)}, {D1: noting(p0=(0, 10))}, D2, [Stretch(0, 10, 15)]),
        ({0: (0, 15)}, {D1: noting(p0=(0, 10))}, D1, [Stretch(0, 0, 10)]),
        ({0: (0, 15)}, {D1: noting(p0=(0, 10)), D3: noting(p0=(10, 12))}, D2, [Stretch(0, 10, 10)]),
        ({0: (0, 15)}, {D2: noting(p0=(3, 10))}, D1, [Stretch(0, 0, 3)]),
        ({0: (0, 15), 1: (0, 2)}, {D1: noting(p0=(0, 10))}, D2, [Stretch(0, 10, 15), Stretch(1, 0, 2)]),
        ({0: (9, 15)}, {D1: noting(p0=(0, 10))}, D2, [Stretch(0, 10, 15)]),
        ({0: (0, 15)}, {D1: {**noting(p0=(0, 10)), "topic": "other"}}, D2, [Stretch(0, 0, 15)]),
    ],
)
def test_what_is_read_for_a_date(extent, noted, date, expected):
    assert read(extent, noted, date) == expected


def test_a_state_is_read_from_the_beginning():
    noted = {D1: noting(p0=(0, 10))}

    assert read({0: (0, 15)}, noted, D2, whole=True) == [Stretch(0, 0, 15)]
    assert read({0: (0, 15)}, noted, D1, whole=True) == [Stretch(0, 0, 10)]


@pytest.mark.parametrize(
    ("extent", "date", "whole", "message"),
    [
        ({0: (12, 15)}, D2, False, "partition 0: offsets 10 to 11 are gone: the log was cut off and begins at 12"),
        ({0: (12, 15)}, D1, False, "offsets 0 to 9 are gone"),
        ({0: (1, 15)}, D2, True, "offsets 0 to 0 are gone"),
        ({0: (0, 9)}, D1, False, "the log ends at 9, before 10 that was read: it was made anew"),
        ({0: (0, 9)}, D2, False, "the log ends at 9, before 10 that was read: it was made anew"),
        ({1: (0, 9)}, D1, False, "topic t has no partition 0 any more"),
    ],
)
def test_what_the_log_no_longer_has_is_an_error(extent, date, whole, message):
    with pytest.raises(SourceError, match=message) as refused:
        read(extent, {D1: noting(p0=(0, 10))}, date, whole=whole)

    assert not refused.value.transient


@given(
    first=st.integers(0, 5),
    steps=st.lists(st.tuples(st.sampled_from([D1, D2, D3, "2026-03-04"]), st.integers(0, 4)), max_size=12),
)
def test_every_message_is_read_for_one_date_whatever_the_order_of_dates(first, steps):
    end, noted, read_at = first, {}, {}
    for date, more in steps:
        end += more
        found = read({0: (first, end)}, noted, date)
        assert read_at.setdefault(date, found) == found
        noted[date] = ledger.note("t", found, 0)

    spans = sorted((stretch.low, stretch.high) for found in read_at.values() for stretch in found)
    spans = [(low, high) for low, high in spans if low < high]
    assert all(one[1] == other[0] for one, other in itertools.pairwise(spans))
    assert not spans or spans[0][0] == first
