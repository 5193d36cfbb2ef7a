"""Single events dropped, delayed, told twice or in the wrong order: the type and reason that a plain simulator expects.

The simulator holds rows as dicts, applies events one by one, and shares no code with the product. A world has many rows,
each with an edit of its own; the real change feed of the banks is edited in one place at a time.
"""

from __future__ import annotations

import csv
import json
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from assets.contexts.banks import context as banks
from pipelines import declarations as say
from pipelines.job import Job
from pipelines.lake import Lake
from pipelines.reconciliation import reconcile
from tests.examples import examples
from tests.spec.given import Given, reconciled, rows

DATA = Path(__file__).parents[2] / "data" / "banks"
FIELDS = ("name", "city")
EDITS = ("none", "drop", "delay", "duplicate", "reorder")
DAYS = ("2026-01-01", "2026-01-02")
HEAD = "id | no: int | at | recorded | what | tells"
LOG = say.EventLog(
    say.Csv("events_{date}.csv"), key=("id",), sequence="no", event_time="at", recorded_time="recorded", type="what",
    payload="tells", older_rows_at=1,
)  # fmt: skip
WORDS = (
    say.EventType("Changed", "things", "Something else is true of it"),
    say.EventType("Made", "things", "It came into being", effect=say.Effect.CREATES),
    say.EventType("Scrapped", "things", "It is no more", effect=say.Effect.DELETES),
)


@dataclass(frozen=True)
class Event:
    """What happened to a row, in which minute it was recorded, and under which number."""

    number: int
    what: str
    tells: dict[str, str]
    recorded: int


@dataclass(frozen=True)
class Life:
    """A row: what it was, what happened to it, and what went wrong with one of its events on the way to the replica."""

    base: dict[str, str] | None
    events: tuple[Event, ...]
    edit: str
    at: int

    @property
    def right(self):
        return applied(self.base, self.events)

    @property
    def log(self):
        """The events as the log has them."""
        edited = list(self.events)
        if self.edit == "drop":
            del edited[self.at]
        elif self.edit == "duplicate":
            edited.append(replace(edited[self.at], recorded=50))
        elif self.edit == "reorder":
            one, other = edited[self.at : self.at + 2]
            edited[self.at : self.at + 2] = [
                replace(one, recorded=other.recorded),
                replace(other, recorded=one.recorded),
            ]
        return edited

    @property
    def replica(self):
        """The replica applies what it hears in the order in which it was recorded, and nothing twice."""
        heard = list(self.events) if self.edit in {"delay", "duplicate"} else self.log
        if self.edit == "delay":
            del heard[self.at]
        return applied(self.base, sorted(heard, key=lambda event: event.recorded))

    def expected(self):
        """Field (None: the row) -> type, reason, and the event that was left out, if it can be told."""
        right, shown = self.right, self.replica
        if right is None or shown is None:
            return {} if right == shown else {None: self._of_row()}
        return {field: self._of_value() for field in FIELDS if right[field] != shown[field]}

    def _of_row(self):
        born = self.replica is None
        if self.edit == "drop":
            return "missing_event", "row_never_arrived" if born else "deletion_without_event", None
        return "stale_replica", "pending_row" if born else "deletion_not_propagated", None

    def _of_value(self):
        last = self.at == len(self.events) - 1
        number = self.events[self.at].number
        return {
            "drop": ("missing_event", "change_without_event" if last else "sequence_gap", None),
            "delay": ("stale_replica", "behind_beyond_lag", number) if last else ("missing_event", "event_not_applied", number),
            "reorder": ("out_of_order_update", "older_event_applied_last", None),
        }[self.edit]  # fmt: skip

    def disorder(self):
        """What is wrong with the log of this row: problem and number."""
        last = self.at == len(self.events) - 1
        number = self.events[self.at].number if self.events else 0
        if self.edit == "drop" and not last:
            return {("sequence_gap", number + 1)}
        return {"duplicate": {("duplicate", number)}, "reorder": {("out_of_order", number)}}.get(self.edit, set())

    def incomplete(self):
        """What the log does not account for: fields, or None for the row."""
        right, told = self.right, applied(self.base, sorted(self.log, key=lambda event: event.number))
        if right is None or told is None:
            return set() if right == told else {None}
        return {field for field in FIELDS if right[field] != told[field]}


def applied(base, events):
    """A row after these events, one after the other."""
    row = dict(base) if base is not None else None
    for event in events:
        row = None if event.what == "Scrapped" else {**(row or {}), **event.tells}
    return row


@st.composite
def lives(draw, name):
    """Values are never the same twice, so that none is right by chance."""
    kind = draw(st.sampled_from(("changed", "changed", "changed", "made", "scrapped")))
    base = None if kind == "made" else {field: f"{field} of {name}" for field in FIELDS}
    if kind == "changed":
        told = draw(st.lists(st.sampled_from((("name",), ("city",), FIELDS)), max_size=4))
        steps = [("Changed", fields) for fields in told]
    else:
        steps = [("Made", FIELDS) if kind == "made" else ("Scrapped", ())]
    first = 1 if kind == "made" else 2
    events = tuple(
        Event(number, what, {field: f"{field} {number} of {name}" for field in fields}, number)
        for number, (what, fields) in enumerate(steps, first)
    )
    edits = [edit for edit in EDITS if events or edit == "none"]
    edit = draw(st.sampled_from([edit for edit in edits if edit != "reorder" or len(events) > 1]))
    at = draw(st.integers(0, len(events) - (2 if edit == "reorder" else 1))) if edit != "none" else 0
    return Life(base, events, edit, at)


WORLDS = st.integers(6, 16).flatmap(lambda n: st.tuples(*(lives(f"k{number:02}") for number in range(n))))


def check(world):
    """Reconcile both days of a world; everything found must be what the simulator says."""
    things = {f"k{number:02}": life for number, life in enumerate(world)}
    with tempfile.TemporaryDirectory() as folder:
        job = reconciled(_given(things), Path(folder))
        findings = rows(job, "discrepancies")
        found = {
            (row["legacy_key"] or row["service_key"], row["field"]): (
                row["type"], row["reason"],
                json.loads(row["evidence"]).get("not_applied") if row["type"] != "out_of_order_update" else None,
            )
            for row in findings
        }  # fmt: skip
        assert len(found) == len(findings)
        assert found == {
            (key, field): cause for key, life in things.items() for field, cause in life.expected().items()
        }
        told = {(row["legacy_key"], row["problem"], row["sequence"]) for row in rows(job, "event_findings")}
        assert told == {(key, *problem) for key, life in things.items() for problem in life.disorder()}
        folded = {(row["legacy_key"], row["field"]) for row in rows(job, "fold_findings")}
        assert folded == {(key, field) for key, life in things.items() for field in life.incomplete()}


def _given(things):
    held = [{key: life.base for key, life in things.items()}, {key: life.right for key, life in things.items()}]
    shown = [held[0], {key: life.replica for key, life in things.items()}]
    log = [line for key, life in things.items() for line in map(_line, [key] * 9, life.log)]
    return Given(
        legacy=[_table(day) for day in held],
        service=[_table(day) for day in shown],
        rules=tuple(say.Field(name, say.Same(name), say.Exact()) for name in FIELDS),
        tables={f"events_{DAYS[0]}": HEAD, f"events_{DAYS[1]}": "\n".join([HEAD, *log])},
        entity={"events": LOG},
        context={"event_types": WORDS},
    )


def _line(key, event):
    at, recorded = (f"2026-01-02T09:{minute:02}:00Z" for minute in (event.number, event.recorded))
    return f"{key} | {event.number} | {at} | {recorded} | {event.what} | '{json.dumps(event.tells)}'"


def _table(day):
    lines = [f"{key} | {row['name']} | {row['city']}" for key, row in day.items() if row is not None]
    return "\n".join(["id | name | city", *lines])


@given(WORLDS)
@settings(max_examples=examples(4), phases=(Phase.generate,))
def test_edited_logs(world):
    check(world)


@pytest.mark.long
@given(WORLDS)
@settings(max_examples=400)
def test_edited_logs_at_length(world):
    check(world)


def read(name):
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


FEED = read("change_feed_2026-06-08.csv")
BEFORE, AFTER = (
    {row["blz"]: row for row in read(f"legacy_banks_{day}.csv") if row["blz"] in {event["blz"] for event in FEED}}
    for day in ("2026-03-09", "2026-06-08")
)


def of_the_feed(edit, number):
    """What the simulator expects of the real feed when one of its events is edited: sort code, field -> cause."""
    blz = FEED[number]["blz"]
    before, after = BEFORE.get(blz), AFTER.get(blz)
    if edit == "duplicate":
        return {}
    dropped = edit == "drop"
    if before is None:
        return {(blz, None): ("missing_event", "row_never_arrived") if dropped else ("stale_replica", "pending_row")}
    if after is None:
        late = ("stale_replica", "deletion_not_propagated")
        return {(blz, None): ("missing_event", "deletion_without_event") if dropped else late}
    # No number is missing before the last one.
    lost = ("missing_event", "change_without_event" if number == len(FEED) - 1 else "sequence_gap")
    changed = [field for field, column in (("name", "bankName"), ("bic", "bic")) if before[column] != after[column]]
    return {(blz, field): lost if dropped else ("stale_replica", "behind_beyond_lag") for field in changed}


@pytest.mark.parametrize("edit", ["drop", "delay", "duplicate"])
@given(number=st.integers(0, len(FEED) - 1))
@settings(max_examples=examples(2), phases=(Phase.generate,))
def test_the_real_feed_edited_in_one_place(edit, number):
    with tempfile.TemporaryDirectory() as folder:
        job = _banks(Path(folder), edit, number)
        found = {
            (row["legacy_key"] or row["service_key"].split("|")[0], row["field"]): (row["type"], row["reason"])
            for row in rows(job, "discrepancies")
        }
        assert found == of_the_feed(edit, number)
        problems = [(row["problem"], row["missing"]) for row in rows(job, "event_findings")]
        gap = [("sequence_gap", 1)] if edit == "drop" and number < len(FEED) - 1 else []
        assert problems == ([("duplicate", None)] if edit == "duplicate" else gap)
        assert bool(rows(job, "fold_findings")) == (edit == "drop")


@given(order=st.permutations(FEED), numbers=st.permutations(range(len(FEED))))
@settings(max_examples=examples(2), phases=(Phase.generate,))
def test_the_real_feed_in_any_other_order(order, numbers):
    """It is about each bank once: neither the order of its lines nor that of its numbers says anything of a bank."""
    feed = [event | {"seq": str(number)} for event, number in zip(order, numbers, strict=True)]
    with tempfile.TemporaryDirectory() as folder:
        job = _reconciled(Path(folder), AFTER, feed)
        assert [rows(job, stage) for stage in ("discrepancies", "event_findings", "fold_findings")] == [[], [], []]


RENAMED = [n for n, event in enumerate(FEED) if BEFORE.get(event["blz"]) and event["op"] == "upsert"]


@pytest.mark.parametrize("is_swapped", [False, True])
@given(number=st.sampled_from(RENAMED))
@settings(max_examples=examples(2), phases=(Phase.generate,))
def test_a_bank_that_the_real_feed_is_about_twice(is_swapped, number):
    """An older event about the bank comes before the real one, or after it; the replica shows what came last."""
    newer = FEED[number] | {"seq": str(len(FEED))}
    older = FEED[number] | {"bankName": "Bank of yesterday"}
    others = [event for place, event in enumerate(FEED) if place != number]
    blz = older["blz"]
    shown = AFTER | {blz: AFTER[blz] | ({"bankName": "Bank of yesterday"} if is_swapped else {})}
    with tempfile.TemporaryDirectory() as folder:
        job = _reconciled(Path(folder), shown, [*others, *([newer, older] if is_swapped else [older, newer])])
        found = [(row["legacy_key"], row["field"], row["type"], row["reason"]) for row in rows(job, "discrepancies")]
        told = [(row["legacy_key"], row["problem"], row["sequence"]) for row in rows(job, "event_findings")]
    if is_swapped:
        assert found == [(blz, "name", "out_of_order_update", "older_event_applied_last")]
        assert told == [(blz, "out_of_order", number)]
    else:
        assert (found, told) == ([], [])


def _banks(folder, edit, number):
    """Both days of the banks that the feed is about; the replica has applied what it heard."""
    untold = edit in {"drop", "delay"}
    blz = FEED[number]["blz"]
    shown = AFTER if not untold else {k: v for k, v in (AFTER | {blz: BEFORE.get(blz)}).items() if v is not None}
    log = [event for place, event in enumerate(FEED) if edit != "drop" or place != number]
    return _reconciled(folder, shown, log + ([FEED[number]] if edit == "duplicate" else []))


def _reconciled(folder, shown, log):
    for day, legacy, service in (("2026-03-09", BEFORE, BEFORE), ("2026-06-08", AFTER, shown)):
        _write(folder / f"legacy_banks_{day}.csv", legacy.values())
        _write(folder / f"new_banks_{day}.csv", map(_of_service, service.values()))
    _write(folder / "change_feed_2026-06-08.csv", log)
    here = replace(banks, root=folder)
    job = Job(here, here.entities[0], "2026-03-09", Lake(folder / "lake"))
    for day in ("2026-03-09", "2026-06-08"):
        job = replace(job, partition=day)
        reconcile(job)
    return job


def _of_service(row):
    said = {"bank_code": row["blz"], "name": row["bankName"], "short_name": row["bankName"], "bic": row["bic"]}
    return said | {"primary": "true", "country_code": "DE", "checksum_algo": "", "source_release": "1"}


def _write(path, lines):
    held = list(lines)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, held[0].keys())
        writer.writeheader()
        writer.writerows(held)
