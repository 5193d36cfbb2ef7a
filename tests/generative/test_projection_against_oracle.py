"""Fields that repeat another entity's: claims keep the policy's name as of an instant, and events of the policy went astray.

The oracle replays each policy's life in plain Python: what was true at the instant of a claim, what the log had told by
then, and what of that can be known at the end of the day.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pipelines import declarations as say
from pipelines.job import Job
from pipelines.lake import Lake
from pipelines.reconciliation import reconcile
from tests.examples import examples
from tests.spec.contracts import contract
from tests.spec.given import FIRST, OWNER, rows
from tests.spec.tables import table

DAYS = ("2026-01-01", "2026-01-02")
LOG = say.EventLog(
    say.Csv("events_{date}.csv"), key=("id",), sequence="no", event_time="at", recorded_time="at", type="what",
    payload={"name": "name"}, older_rows_at=1,
)  # fmt: skip
POLICY, CLAIM = "id | name", "id | policy | at: instant | holder"
LOGGED = "id | no: int | at | what | name"
STEP = 10  # minutes between events


@dataclass(frozen=True)
class Life:
    """A policy that was renamed some times, one of them lost (its number is missing) or silent (it never had one).

    Somebody may have seen it in the end: an event that has a column for the name, and tells nothing.
    """

    policy: str
    renamed: int
    edit: str
    at: int
    is_seen: bool

    def true(self, minute):
        """Its name at a minute of the second day."""
        return self.name(sum(STEP * n < minute for n in range(1, self.renamed + 1)))

    def told(self, minute):
        """Its name as those know it who have only the log."""
        return self.name(max((n for n in self._heard() if STEP * n < minute), default=0))

    def log(self):
        """Every event in the log: its number, its minute, what it is and which name it has."""
        silent = self.at if self.edit == "silent" else self.renamed + 1
        told = [(1 + n - (n > silent), STEP * n, "Renamed", self.name(n)) for n in self._heard()]
        seen = (1 + self.renamed + (self.edit != "silent"), STEP * self.renamed + 1, "Seen", "")
        return told + [seen] * self.is_seen

    def cause(self):
        """Why a claim of the time after, built from the log, is wrong."""
        goes_on = self.renamed > self.at
        if self.edit == "lost" and (goes_on or self.is_seen):
            return "missing_event", "sequence_gap"
        # The log told the older name, or the policy itself still has it.
        if self.at > 1 or not goes_on:
            return "missing_event", "change_without_event"
        return "unexplained", "no_evidence"

    def _heard(self):
        return [n for n in range(1, self.renamed + 1) if self.edit == "none" or n != self.at]

    def name(self, n):
        return f"{self.policy} called {n}"


@dataclass(frozen=True)
class Claim:
    """A claim of a minute; some are simply wrong."""

    life: Life
    minute: int
    is_garbled: bool

    @property
    def right(self):
        return self.life.true(self.minute)

    @property
    def shown(self):
        return f"nobody {self.life.policy} {self.minute}" if self.is_garbled else self.life.told(self.minute)

    @property
    def expected(self):
        return ("unexplained", "no_evidence") if self.is_garbled else self.life.cause()


@st.composite
def lives(draw, policy):
    renamed = draw(st.integers(0, 3))
    edit = draw(st.sampled_from(("none", "lost", "silent") if renamed else ("none",)))
    life = Life(policy, renamed, edit, draw(st.integers(1, renamed)) if edit != "none" else 0, draw(st.booleans()))
    # Where a number is missing, a wrong name may be the lost one: what is garbled could not be told from it.
    garbled = st.sampled_from((False, False, edit != "lost"))
    minutes = draw(st.lists(st.sampled_from([STEP * n + 5 for n in range(renamed + 1)]), unique=True, max_size=3))
    return life, [Claim(life, minute, draw(garbled)) for minute in minutes]


WORLDS = st.integers(4, 10).flatmap(lambda n: st.tuples(*(lives(f"p{number}") for number in range(n))))


def check(world):
    """Reconcile policies and their claims on both days; every claim found must have the cause the oracle says."""
    claims = {f"{c.life.policy}-{c.minute}": c for _, of_life in world for c in of_life}
    with tempfile.TemporaryDirectory() as folder:
        job = _reconciled(Path(folder), [life for life, _ in world], claims)
        found = {row["legacy_key"]: (row["type"], row["reason"]) for row in rows(job, "discrepancies")}
    assert found == {name: claim.expected for name, claim in claims.items() if claim.right != claim.shown}


def _reconciled(folder, lived, claims):
    ends = 24 * 60
    bases = [f"{life.policy} | {life.true(0)}" for life in lived]
    held = {
        "legacy policies": (bases, [f"{life.policy} | {life.true(ends)}" for life in lived]),
        "service policies": (bases, [f"{life.policy} | {life.told(ends)}" for life in lived]),
        "legacy claims": ([], [_claim(name, claim, claim.right) for name, claim in claims.items()]),
        "service claims": ([], [_claim(name, claim, claim.shown) for name, claim in claims.items()]),
    }
    for what, days in held.items():
        for day, lines in zip(DAYS, days, strict=True):
            said = "\n".join([CLAIM if "claims" in what else POLICY, *lines])
            pq.write_table(table(said), folder / f"{what} {day}.parquet")
    log = [
        f"{life.policy} | {number} | {_at(minute)} | {what} | {name}"
        for life in lived
        for number, minute, what, name in life.log()
    ]
    for day, lines in zip(DAYS, ([], log), strict=True):
        pc.write_csv(table("\n".join([LOGGED, *lines])), folder / f"events_{day}.csv")
    context = _context(folder)
    for day in DAYS:
        for entity in context.entities:
            job = Job(context, entity, day, Lake(folder / "lake"))
            reconcile(job)
    return job


def _claim(name, claim, holder):
    return f"{name} | {claim.life.policy} | {_at(claim.minute)} | {holder}"


def _at(minute):
    return f"{DAYS[1]}T{minute // 60:02}:{minute % 60:02}:00Z"


def _context(folder):
    repeats = say.Projection("spec.policies", "name", key=("policy",), as_of="at")
    policies = _entity("policies", POLICY, say.Field("name", say.Same("name"), say.Exact()))
    claims = _entity(
        "claims", CLAIM, say.Field("policy", say.Same("policy"), say.Exact()),
        say.Field("at", say.Same("at"), say.Instant()),
        say.Field("holder", say.Same("holder"), say.Exact(), projects=repeats),
    )  # fmt: skip
    return say.Context(
        "spec", description="Spec", owner=OWNER, partitioning=say.Daily(FIRST), root=folder,
        entities=(replace(policies, events=LOG), claims),
        event_types=(
            say.EventType("Renamed", "policies", "A policy got another name"),
            say.EventType("Seen", "policies", "Somebody looked at it", effect=say.Effect.NOTES),
        ),
    )  # fmt: skip


def _entity(name, head, *fields):
    holders = {
        side: say.Holder(
            source=say.ParquetFile(f"{side} {name} {{date}}.parquet"), key=("id",),
            contract=contract(f"{side}{name}", table(head).schema),
        )
        for side in ("legacy", "service")
    }  # fmt: skip
    same = (say.Same("id"),)
    return say.Entity(
        name,
        description=name,
        owner=OWNER,
        identity=say.NaturalKey(legacy=same, service=same),
        fields=fields,
        **holders,
    )


def test_numbers_that_begin_anew_in_each_partition(tmp_path):
    """The log did tell the new name: as number 1 of the second day, after number 2 of the first."""
    policy, claim = (f"{POLICY}\np | {{}}", f"{CLAIM}\nc | p | {_at(15)} | {{}}")
    held = {
        "legacy policies": [policy.format(name) for name in ("old", "new")],
        "service policies": [policy.format(name) for name in ("old", "new")],
        "legacy claims": [CLAIM, claim.format("new")],
        "service claims": [CLAIM, claim.format("old")],
    }
    for what, days in held.items():
        for day, text in zip(DAYS, days, strict=True):
            pq.write_table(table(text), tmp_path / f"{what} {day}.parquet")
    logs = (
        f"p | 1 | {DAYS[0]}T08:00:00Z | Seen |\np | 2 | {DAYS[0]}T09:00:00Z | Renamed | old",
        (f"p | 1 | {_at(5)} | Renamed | new"),
    )
    for day, lines in zip(DAYS, logs, strict=True):
        pc.write_csv(table(f"{LOGGED}\n{lines}"), tmp_path / f"events_{day}.csv")
    context = _context(tmp_path)
    policies, claims = context.entities
    counted = replace(policies, events=replace(LOG, numbering=say.Numbering.PER_PARTITION, older_rows_at=None))
    for day in DAYS:
        for entity in (counted, claims):
            job = Job(replace(context, entities=(counted, claims)), entity, day, Lake(tmp_path / "lake"))
            reconcile(job)

    assert [(row["type"], row["reason"]) for row in rows(job, "discrepancies")] == [("unexplained", "no_evidence")]


@given(WORLDS)
@settings(max_examples=examples(5), phases=(Phase.generate,))
def test_repeated_fields(world):
    check(world)


@pytest.mark.long
@given(WORLDS)
@settings(max_examples=200)
def test_repeated_fields_at_length(world):
    check(world)
