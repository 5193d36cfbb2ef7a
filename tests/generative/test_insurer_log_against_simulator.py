"""The insurer's own log of claims with single events dropped, delayed, told twice or swapped, against a plain simulator.

A small world is generated once. Of its claims those take part that nothing was planted on and that the simulator, which
holds rows as dicts and applies events one by one, makes exactly as the service's files have them. It shares no code with
the product. Each of them gets an edit of its own; everything else must be found as before.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from data.insurer.generate import DEFAULT_FIRST_DAY, generate
from pipelines import campaign, loading
from pipelines.job import Job
from pipelines.lake import Lake
from tests.examples import examples

DAYS = [DEFAULT_FIRST_DAY + timedelta(days=n) for n in range(4)]
# What happens later is in flight as the last day ends.
CALM = datetime.combine(DAYS[-1], datetime.min.time(), UTC) + timedelta(hours=19)
EDITS = ("drop", "delay", "duplicate", "swap")
MANY = 40


@dataclass(frozen=True)
class Event:
    """An event of a claim; `row` is the event as the log has it."""

    number: int
    what: str
    tells: dict
    row: dict

    @property
    def day(self):
        return self.row["recorded_time"].date()

    def recorded(self, at):
        return replace(self, row=self.row | {"recorded_time": at})


@dataclass(frozen=True)
class Life:
    """A claim as the service has it before its first event and when it is born, and its events by their numbers."""

    number: str
    base: dict | None
    born: dict | None
    events: tuple[Event, ...]

    def on(self, day, heard):
        """The row at the end of a day, of those that applied what they heard in the order of recording."""
        row = dict(self.base) if self.base else None
        for event in sorted(heard, key=lambda event: event.row["recorded_time"]):
            if event.day <= day:
                row = self._after(row, event)
        return row

    def _after(self, row, event):
        if event.what == "ClaimWithdrawn":
            return None
        told = {name: value for name, value in event.tells.items() if row is not None}
        return {**(row or self.born), **told, "updated_at": event.row["recorded_time"]}


@dataclass(frozen=True)
class Edited:
    """A claim with one of its events edited."""

    life: Life
    edit: str
    at: int

    @property
    def log(self):
        events = list(self.life.events)
        if self.edit == "drop":
            del events[self.at]
        elif self.edit == "duplicate":
            events.append(events[self.at].recorded(events[self.at].row["recorded_time"] + timedelta(seconds=1)))
        elif self.edit == "swap":
            one, other = events[self.at : self.at + 2]
            events[self.at] = one.recorded(other.row["recorded_time"])
            events[self.at + 1] = other.recorded(one.row["recorded_time"])
        return events

    def shown(self, day):
        """The replica's row: it hears the log, but for what is delayed, and hears nothing twice."""
        heard = self.life.events if self.edit in {"delay", "duplicate"} else self.log
        return self.life.on(day, [e for n, e in enumerate(heard) if self.edit != "delay" or n != self.at])

    def expected(self):
        """Field (None: the row) -> type and reason on the last day."""
        right, shown = self.life.on(DAYS[-1], self.life.events), self.shown(DAYS[-1])
        if right is None or shown is None:
            return {} if right == shown else {None: self._of_row(is_born=shown is None)}
        return {name: self._of_value() for name in right if name != "updated_at" and right[name] != shown[name]}

    def _of_row(self, *, is_born):
        if self.edit == "drop":
            return "missing_event", "row_never_arrived" if is_born else "deletion_without_event"
        return "stale_replica", "pending_row" if is_born else "deletion_not_propagated"

    def _of_value(self):
        if self.edit == "swap":
            return "out_of_order_update", "older_event_applied_last"
        later = self.life.events[self.at + 1 :]
        if self.edit == "drop":
            return "missing_event", "sequence_gap" if later else "change_without_event"
        row = self.life.on(DAYS[-1], self.life.events[: self.at])
        moved = any(row[name] != value for event in later for name, value in event.tells.items())
        return ("missing_event", "event_not_applied") if moved else ("stale_replica", "behind_beyond_lag")

    def disorder(self):
        """What is wrong with the log of this claim, on any day: problem, number, day."""
        event = self.life.events[self.at]
        following = self.life.events[self.at + 1] if self.at + 1 < len(self.life.events) else None
        if self.edit == "drop":
            return [("sequence_gap", following.number, following.day)] if following else []
        if self.edit == "duplicate":
            return [("duplicate", event.number, self.log[-1].day)]
        if self.edit == "swap":
            # Until the older one comes its number is missing.
            gap = [("sequence_gap", following.number, event.day)] if event.day < following.day else []
            return [*gap, ("out_of_order", event.number, following.day)]
        return []


@dataclass(frozen=True)
class World:
    """The world, what both logs of a claim are, and the lake in which all that claims refer to is prepared."""

    root: Path
    lake: Path
    service: dict[date, list[dict]]
    schemas: tuple[pa.Schema, pa.Schema]
    log: dict[date, list[dict]]
    planted: set[str]
    lives: dict[str, Life]
    cells: Counter


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("insurer")
    generate(folder / "world", seed=11, size=600, days=len(DAYS))
    return read(folder)


def read(folder):
    """The world as dicts; and what the product finds in it, untouched."""
    held = {day: pq.read_table(folder / "world" / "service" / "claims" / f"{day}.parquet") for day in DAYS}
    log = {day: pq.read_table(folder / "world" / "events" / "claims" / f"{day}.parquet") for day in DAYS}
    service = {day: table.to_pylist() for day, table in held.items()}
    events = {day: table.to_pylist() for day, table in log.items()}
    ledger = [
        row for row in pq.read_table(folder / "world" / "ledger.parquet").to_pylist() if row["entity"] == "claims"
    ]
    planted = {row["service_key"] or number(row["legacy_key"]) for row in ledger}
    lives = {life.number: life for life in _lives(service, events, held[DAYS[0]].schema, planted)}
    schemas = held[DAYS[0]].schema, log[DAYS[0]].schema
    cells = found(reconciled(folder / "world", folder / "lake"))
    return World(folder / "world", folder / "lake", service, schemas, events, planted, lives, cells)


def number(legacy_key):
    """A claim's number at the service."""
    return f"CLM-{int(legacy_key):07d}"


def _lives(service, log, schema, planted):
    """Claims to which something happens after the first day, and of which the simulator says what the files say."""
    rows = {day: {row["claim_number"]: row for row in held} for day, held in service.items()}
    events = {}
    for row in (row for held in log.values() for row in held if number(row["legacy_key"]) not in planted):
        tells = {name: typed(value, schema.field(name).type) for name, value in json.loads(row["payload"]).items()}
        events.setdefault(number(row["legacy_key"]), []).append(Event(row["sequence"], row["event_type"], tells, row))
    for claim, told in events.items():
        born = next((rows[day][claim] for day in DAYS if claim in rows[day]), None)
        life = Life(claim, rows[DAYS[0]].get(claim), born, tuple(sorted(told, key=lambda event: event.number)))
        calm = all(event.day > DAYS[0] and event.row["event_time"] < CALM for event in life.events)
        if calm and all(_alike(life.on(day, life.events), rows[day].get(claim)) for day in DAYS):
            yield life


def _alike(simulated, held):
    if simulated is None or held is None:
        return simulated is held
    return all(simulated[name] == value for name, value in held.items() if name not in {"updated_at", "version"})


def typed(value, kind):
    """A value of a payload as the service's file holds it."""
    if value is None:
        return None
    if pa.types.is_decimal(kind):
        return Decimal(value)
    if pa.types.is_date(kind):
        return date.fromisoformat(value)
    return datetime.fromisoformat(value) if pa.types.is_timestamp(kind) else value


def reconciled(root, lake):
    """The jobs of the claims of all days, done."""
    declared = loading.load("assets.contexts")
    portfolio = replace(declared, contexts=tuple(replace(context, root=root) for context in declared.contexts))
    claims = portfolio.entity("claims.claims")
    jobs = [Job(*claims, day.isoformat(), Lake(lake)) for day in DAYS]
    ended = campaign.run(campaign.plan(jobs, portfolio))
    assert [attempt.failure for _, attempt in ended if attempt.failure] == []
    return jobs


def rows(job, stage):
    return pq.read_table(job.lake.file(job.address(stage))).to_pylist()


def found(jobs):
    """Every cell that is found on the last day, by the service's number, with its cause."""
    return Counter(
        (row["service_key"] or number(row["legacy_key"]), row["field"], row["type"], row["reason"])
        for row in rows(jobs[-1], "discrepancies")
    )


def write(world, edited, root):
    """The world with these claims' rows and events in place of what was there; all else is shared."""
    for part in (*world.root.glob("*"), *world.root.glob("service/*"), *world.root.glob("events/*")):
        place = root / part.relative_to(world.root)
        if part.name not in {"service", "events"} and part.relative_to(world.root).parts[-1:] != ("claims",):
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(part)
    (root / "service" / "claims").mkdir()
    (root / "events" / "claims").mkdir()
    log = [event.row for one in edited.values() for event in one.log]
    for day in DAYS:
        held = [row for row in world.service[day] if row["claim_number"] not in edited]
        held += [row for one in edited.values() if (row := one.shown(day)) is not None]
        told = [row for row in world.log[day] if number(row["legacy_key"]) not in edited]
        told += [row for row in log if row["recorded_time"].date() == day]
        told.sort(key=lambda row: row["recorded_time"])
        for kind, lines, schema in zip(("service", "events"), (held, told), world.schemas, strict=True):
            pq.write_table(pa.Table.from_pylist(lines, schema), root / kind / "claims" / f"{day}.parquet")


def edits(lives):
    """A choice of claims, each with an edit that its life has room for."""
    busy = sorted(claim for claim, life in lives.items() if len(life.events) > 1)
    claim = st.one_of(st.sampled_from(busy), st.sampled_from(sorted(lives)))
    one = st.tuples(claim, st.sampled_from(EDITS), st.integers(0, 2))
    return st.lists(one, min_size=MANY // 2, max_size=MANY, unique_by=lambda drawn: drawn[0]).map(
        lambda drawn: {
            claim: Edited(lives[claim], edit, at)
            for claim, edit, at in drawn
            if at + (edit == "swap") < len(lives[claim].events)
        }
    )


def check(world, edited, folder):
    write(world, edited, folder / "world")
    for context in ("party", "policy"):
        shutil.copytree(world.lake / context, folder / "lake" / context)
    jobs = reconciled(folder / "world", folder / "lake")
    others = Counter({cell: n for cell, n in world.cells.items() if cell[0] not in edited})
    expected = Counter((claim, name, *cause) for claim, one in edited.items() for name, cause in one.expected().items())
    assert found(jobs) == others + expected
    told = Counter(
        (number(row["legacy_key"]), row["problem"], row["sequence"], date.fromisoformat(job.partition))
        for job in jobs
        for row in rows(job, "event_findings")
        if number(row["legacy_key"]) in edited
    )
    assert told == Counter((claim, *problem) for claim, one in edited.items() for problem in one.disorder())


@pytest.mark.slow
def test_the_world_has_room_for_every_edit(world):
    lengths = Counter(min(len(life.events), 2) for life in world.lives.values())

    assert lengths[1] > MANY
    assert lengths[2] > MANY // 4
    assert any(life.base is None for life in world.lives.values())
    assert any(life.on(DAYS[-1], life.events) is None for life in world.lives.values())


@pytest.mark.slow
@given(st.data())
@settings(max_examples=examples(1), phases=(Phase.generate,))
def test_the_insurers_log_edited(tmp_path_factory, world, data):
    check(world, data.draw(edits(world.lives)), tmp_path_factory.mktemp("edited"))


@pytest.mark.long
@given(st.data())
@settings(max_examples=40)
def test_the_insurers_log_edited_at_length(tmp_path_factory, world, data):
    check(world, data.draw(edits(world.lives)), tmp_path_factory.mktemp("edited"))
