"""Rows whose counterpart broke its contract, told from rows without any, against an oracle that looks at pairs of rows."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pipelines import declarations as say
from tests.examples import examples
from tests.spec.causes import NamedThing
from tests.spec.given import Given, found

GOOD, BAD = "good", "bad"  # a row with a name, and one without, which the contract of its side does not allow
STATES = ((), (GOOD,), (BAD,), (GOOD, BAD), (BAD, BAD))
HOLDER = {"contract": NamedThing}
LINKS = say.IdentityTable(say.Csv("links.csv"), legacy=("old",), service=("new",))


@dataclass(frozen=True)
class Pair:
    """What both sides hold under two keys that belong together, and whether a table says so."""

    legacy: tuple[str, ...]
    service: tuple[str, ...]
    is_linked: bool

    def by_key(self, key):
        """Findings where both keys are the same."""
        if (GOOD in self.legacy) == (GOOD in self.service):
            return []
        other = self.service if GOOD in self.legacy else self.legacy
        reason = "counterpart_rejected" if BAD in other else "unmapped"
        return [(key, None, reason) if GOOD in self.legacy else (None, key, reason)]

    def by_table(self, key):
        """Findings where a link leads from one to the other."""
        old, new = f"old {key}", f"new {key}"
        there = GOOD in self.legacy, GOOD in self.service
        if not self.is_linked:
            return [(old, None, "unmapped")] * there[0] + [(None, new, "unmapped")] * there[1]
        if there[0] == there[1]:
            return []
        other = self.service if there[0] else self.legacy
        return [(old, new, "counterpart_rejected" if BAD in other else "dangling")]


PAIRS = st.lists(
    st.builds(Pair, st.sampled_from(STATES), st.sampled_from(STATES), st.booleans()), min_size=8, max_size=25
)


def by_key(pairs):
    held = {f"k{number}": pair for number, pair in enumerate(pairs)}
    sides = [_table((key, pair.legacy) for key, pair in held.items()), _table((k, p.service) for k, p in held.items())]
    given_ = Given(*sides, legacy_holder=HOLDER, service_holder=HOLDER)
    return given_, [finding for key, pair in held.items() for finding in pair.by_key(key)]


def by_table(pairs):
    held = {f"k{number}": pair for number, pair in enumerate(pairs)}
    sides = (
        _table((f"old {key}", pair.legacy) for key, pair in held.items()),
        _table((f"new {key}", pair.service) for key, pair in held.items()),
    )
    links = "\n".join(["old | new", *(f"old {key} | new {key}" for key, pair in held.items() if pair.is_linked)])
    given_ = Given(*sides, legacy_holder=HOLDER, service_holder=HOLDER, identity=LINKS, tables={"links": links})
    return given_, [finding for key, pair in held.items() for finding in pair.by_table(key)]


def _table(rows):
    lines = [f"{key} | {'Ada' if state == GOOD else ''}" for key, states in rows for state in states]
    return "\n".join(["id | name", *lines])


def check(world):
    held, expected = world
    with tempfile.TemporaryDirectory() as folder:
        findings = [(legacy, service, reason) for legacy, service, _, _, reason in found(held, Path(folder))]
    assert sorted(findings, key=str) == sorted(expected, key=str)


@pytest.mark.parametrize("linked", [by_key, by_table])
@given(PAIRS)
@settings(max_examples=examples(4), phases=(Phase.generate,))
def test_rejected_counterparts(linked, pairs):
    check(linked(pairs))


@pytest.mark.long
@pytest.mark.parametrize("linked", [by_key, by_table])
@given(PAIRS)
@settings(max_examples=300)
def test_rejected_counterparts_at_length(linked, pairs):
    check(linked(pairs))
