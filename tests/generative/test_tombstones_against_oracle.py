"""Rows deleted by events against a plain oracle: of what says whether a row is there the highest number counts.

Legacy holds every row on all days and the service none, so every row that is alive must be found, and no other.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pipelines import declarations as say
from tests.examples import examples
from tests.spec.causes import LOG, QUIET, TYPES
from tests.spec.given import Given, reconciled, rows

DAYS = ("2026-01-01", "2026-01-02", "2026-01-03")
WORDS = (
    *TYPES,
    say.EventType("Told", "things", "How it is, all of it", effect=say.Effect.STATES),
    say.EventType("Archived", "things", "Kept elsewhere from now on", effect=say.Effect.DELETES),
)
# Day, word; numbers are dealt to them in any order, so that older events come in on later days too.
TOLD = st.tuples(st.integers(0, 2), st.sampled_from(("Made", "Told", "Scrapped", "Scrapped", "Renamed", "Archived")))
LIFE = st.lists(TOLD, max_size=5).flatmap(lambda told: st.permutations(list(enumerate(told, 1))))
WORLDS = st.lists(LIFE, min_size=8, max_size=14)


def alive(life, day):
    """Whether a row is alive as of a day: nothing scrapped it, or it was made, told of or changed behind that."""
    told = [(number, word) for number, (when, word) in life if when <= day and word != "Archived"]
    return not told or max(told)[1] != "Scrapped"


def table(world, day):
    """The log of a day; the events of a row stand in the order in which they were dealt."""
    lines = [
        f"{key} | {number} | {DAYS[day]}T09:00:00Z | {DAYS[day]}T10:00:00Z | {word} | Ada"
        for key, life in enumerate(world)
        for number, (when, word) in life
        if when == day
    ]
    return "\n".join([QUIET, *lines])


@given(WORLDS)
@settings(max_examples=examples(4), phases=(Phase.generate,))
def test_who_is_dead(world):
    held = "\n".join(["id | name", *(f"{key} | Ada" for key in range(len(world)))])
    things = Given(
        [held] * 3,
        ["id | name"] * 3,
        tables={f"events_{name}": table(world, day) for day, name in enumerate(DAYS)},
        legacy_holder={"deletion": say.Tombstone("Scrapped")},
        entity={"events": LOG, "allowed_lag": timedelta(days=9)},
        context={"event_types": WORDS},
    )
    with tempfile.TemporaryDirectory() as folder:
        job = reconciled(things, Path(folder))
        for day, name in enumerate(DAYS):
            on_it = replace(job, partition=name)
            living = {str(key) for key, life in enumerate(world) if alive(life, day)}
            assert {row["legacy_key"] for row in rows(on_it, "discrepancies")} == living
            (linkage,) = rows(on_it, "linkage")
            assert linkage["legacy_deleted"] == len(world) - len(living)
