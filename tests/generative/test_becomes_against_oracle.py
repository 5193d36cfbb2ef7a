"""What deletions must become against a plain oracle: each pair is followed day by day, as a person would.

Both sides hold, flag or drop the rows of some pairs for a few days, and the log scraps and revives some of them. Which
semantics each side declares, what must follow, how rows are linked, what lag is allowed and whether what passed the sieve
is left out is drawn too.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pipelines import declarations as say
from pipelines.sifting import WAY, Way
from tests.examples import examples
from tests.spec.causes import LOG, QUIET, TYPES
from tests.spec.given import Given, reconciled, rows

DAYS = ("2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04")
THERE, FLAGGED, NOT = "there", "flagged", "not"
GONE = "gone"
SIDES = ("legacy", "service")
OTHER = dict(zip(SIDES, reversed(SIDES), strict=True))
TABLE = say.IdentityTable(say.Csv("links.csv"), legacy=("old",), service=("new",))
KINDS = st.sampled_from(["hard", "soft", "tombstone"])
WANTED = st.sampled_from(["", GONE, FLAGGED, GONE, FLAGGED])
STATE = st.sampled_from([THERE, THERE, FLAGGED, NOT, NOT])
SAID = st.sampled_from([None, None, None, "Scrapped", "Made", "Renamed"])


@dataclass(frozen=True)
class Pair:
    """What each side holds day by day, and what the log says."""

    legacy: tuple[str, ...]
    service: tuple[str, ...]
    said: tuple[str | None, ...]


@dataclass(frozen=True)
class Semantics:
    """How a side deletes, and what must follow on the other one."""

    kind: str
    becomes: str

    def declared(self) -> object:
        made = {
            "hard": say.HardDelete, "soft": lambda becomes: say.SoftDelete("gone", becomes=becomes),
            "tombstone": lambda becomes: say.Tombstone("Scrapped", becomes=becomes),
        }  # fmt: skip
        return made[self.kind](becomes=self.becomes)


@dataclass(frozen=True)
class World:
    """The pairs, and everything that is declared of them."""

    pairs: list[Pair]
    legacy: Semantics
    service: Semantics
    is_natural: bool
    lag_hours: int
    record: str
    sieve: str  # how rows that are beyond doubt are left out; empty: they are not

    def is_sound(self) -> bool:
        """A side without flag and event cannot show that a row is flagged."""
        by_side = {side: getattr(self, side) for side in SIDES}
        return not any(by_side[OTHER[s]].kind == "hard" and by_side[s].becomes == FLAGGED for s in SIDES)


DAILY = st.lists(STATE, min_size=len(DAYS), max_size=len(DAYS)).map(tuple)
PAIR = st.builds(Pair, DAILY, DAILY, st.lists(SAID, min_size=len(DAYS), max_size=len(DAYS)).map(tuple))
STEADY = Pair((THERE,) * len(DAYS), (THERE,) * len(DAYS), (None,) * len(DAYS))  # enough of them to be sifted out
SEMANTICS = st.builds(Semantics, KINDS, WANTED)
WORLDS = st.builds(
    World, st.lists(PAIR, min_size=40, max_size=60).map(lambda pairs: pairs + [STEADY] * len(pairs)), SEMANTICS,
    SEMANTICS, st.booleans(), st.sampled_from([0, 30]), st.sampled_from(SIDES), st.sampled_from(["", *Way]),
).filter(World.is_sound)  # fmt: skip


@dataclass(frozen=True)
class Life:
    """One pair of a world, asked about days."""

    world: World
    pair: Pair

    def kind(self, side: str) -> str:
        return getattr(self.world, side).kind

    def is_held(self, side: str, day: int) -> bool:
        return getattr(self.pair, side)[day] != NOT

    def is_scrapped(self, day: int) -> bool:
        """Whether the last of what was said up to a day of the row's being there is that it is no more."""
        said = [word for word in self.pair.said[: day + 1] if word]
        return bool(said) and said[-1] == "Scrapped"

    def is_linked(self, day: int) -> bool:
        return not self.world.is_natural or (self.is_held("legacy", day) and self.is_held("service", day))

    def was_linked(self, day: int) -> bool:
        return any(self.is_linked(n) for n in range(day + 1))

    def is_dead(self, side: str, day: int) -> bool:
        """Whether an event deleted the row of a side; of the service, the one that bears the same key."""
        return self.kind(side) == "tombstone" and self.is_scrapped(day)

    def state(self, side: str, day: int) -> str:
        if not self.is_held(side, day):
            return GONE
        marked = getattr(self.pair, side)[day] == FLAGGED and self.kind(side) == "soft"
        return FLAGGED if marked or self.is_dead(side, day) else THERE

    def ended(self, side: str, day: int, *, alive: bool) -> datetime | None:
        """When a row was deleted: as an event says, and not before it was last held, or alive."""
        told = [_instant(n) + timedelta(hours=9) for n in range(day + 1) if self.pair.said[n] == "Scrapped"]
        known = [n for n in range(day) if (self.state(side, n) == THERE if alive else self.is_held(side, n))]
        return max([*told[-1:], *(_instant(n + 1) for n in known)], default=None)

    def is_early(self, side: str, day: int, *, alive: bool) -> bool:
        ended = self.ended(side, day, alive=alive)
        return ended is not None and _instant(day + 1) - ended <= timedelta(hours=self.world.lag_hours)


def _instant(day: int) -> datetime:
    return datetime.fromisoformat(DAYS[0]).replace(tzinfo=UTC) + timedelta(days=day)


def wrong_marked(life: Life, side: str, day: int) -> bool:
    """A row that is there and deleted, linked today with one that became something else."""
    wanted, other = getattr(life.world, side).becomes, life.state(OTHER[side], day)
    return bool(
        wanted and life.is_linked(day) and life.state(side, day) == FLAGGED and other == _opposite(wanted)
    )  # fmt: skip


def wrong_erased(life: Life, side: str, upto: int) -> bool:
    """A row that left nothing: followed from the day on which it was first gone."""
    wanted, is_open = getattr(life.world, side).becomes, False
    if not wanted or life.kind(side) == "soft":
        return False
    for day in range(1, upto + 1):
        before = day - 1
        just_gone = life.is_held(side, before) and life.is_linked(before)
        waiting = not life.is_held(side, before) and life.state(OTHER[side], before) == THERE
        asked = just_gone or is_open or (waiting and life.was_linked(before))
        held_once = any(life.is_held(side, n) for n in range(day))
        told = life.kind(side) == "hard" or life.is_dead(side, day)
        is_gone = not life.is_held(side, day)
        is_wrong = life.state(OTHER[side], day) == _opposite(wanted)
        is_open = asked and held_once and told and is_gone and is_wrong
    return is_open


def _opposite(wanted: str) -> str:
    return FLAGGED if wanted == GONE else GONE


def expected(world: World, day: int) -> set[tuple[object, ...]]:
    """Key, who deleted, what must follow, what did, whether that may still become right."""
    found = set()
    for key, pair in enumerate(world.pairs):
        life = Life(world, pair)
        for side in (world.record, OTHER[world.record]):
            marked, erased = wrong_marked(life, side, day), wrong_erased(life, side, day)
            if marked or erased:
                early = life.is_early(side, day, alive=marked)
                wanted = getattr(world, side).becomes
                found.add((str(key), side, wanted, _opposite(wanted), early))
                break
    return found


def told(job, day):
    """The same of what was found."""
    found = set()
    for row in rows(replace(job, partition=DAYS[day]), "discrepancies"):
        evidence = eval(str(row["evidence"]), {"null": None})  # noqa: S307 (our own, and plain)
        if "became" in evidence:
            early = (row["type"], row["reason"]) == ("stale_replica", "deletion_not_propagated")
            assert early or (row["type"], row["reason"]) == ("invalid_transformation", "deletion_became_otherwise")
            assert row["in_flight"] is early
            assert row["legacy_key"] == row["service_key"]
            one = (row["legacy_key"], *(evidence[name] for name in ("deleted_on", "must_be", "became")), early)
            assert one not in found
            found.add(one)
    return found


def holding(world: World, side: str, day: int) -> str:
    lines = [
        f"{key} | Ada | {str(state == FLAGGED).lower()}"
        for key, pair in enumerate(world.pairs)
        if (state := getattr(pair, side)[day]) != NOT
    ]
    return "\n".join(["id | name | gone: bool", *lines])


def log_of(world: World, day: int) -> str:
    lines = [
        f"{key} | {day + 2} | {DAYS[day]}T09:00:00Z | {DAYS[day]}T09:00:01Z | {word} | Ada"
        for key, pair in enumerate(world.pairs)
        if (word := pair.said[day])
    ]
    return "\n".join([QUIET, *lines])


def follow(world: World) -> None:
    things = Given(
        *([holding(world, side, day) for day in range(len(DAYS))] for side in SIDES),
        identity=None if world.is_natural else TABLE,
        tables={f"events_{name}": log_of(world, day) for day, name in enumerate(DAYS)}
        | {"links": "\n".join(["old | new", *(f"{key} | {key}" for key in range(len(world.pairs)))])},
        legacy_holder={"deletion": world.legacy.declared()},
        service_holder={"deletion": world.service.declared()},
        entity={
            "events": LOG, "allowed_lag": timedelta(hours=world.lag_hours), "system_of_record": say.Side(world.record),
        },
        context={"event_types": TYPES},
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("COEXIST_SIEVE_FROM", "1" if world.sieve else "1000000")
        if world.sieve:
            patch.setenv(WAY, world.sieve)
        job = reconciled(things, Path(folder))
        for day in range(len(DAYS)):
            assert told(job, day) == expected(world, day)


QUIETLY = {"phases": (Phase.generate,), "suppress_health_check": list(HealthCheck)}


@given(WORLDS)
@settings(max_examples=examples(3), **QUIETLY)
def test_what_became_of_deletions(world):
    follow(world)


@pytest.mark.long
@given(WORLDS)
@settings(max_examples=60, **QUIETLY)
def test_what_became_of_deletions_in_many_worlds(world):
    follow(world)
