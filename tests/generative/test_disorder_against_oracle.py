"""What is wrong with an event log itself, partition by partition, against an oracle that looks at the numbers one by one."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pipelines import declarations as say
from tests.examples import examples
from tests.spec.causes import LOG, QUIET, TYPES
from tests.spec.given import Given, reconciled, rows

DAYS = ("2026-01-01", "2026-01-02", "2026-01-03")
KEYS = ("a", "b", "c")
OLDER = 1  # the number that rows from before the log are at
THINGS = "id | name\na | Ada"


@dataclass(frozen=True)
class Event:
    """An entry of the log, which begins on the first day."""

    day: int
    key: str
    number: int
    minute: int
    word: str

    @property
    def is_birth(self):
        return self.word == "Made"


def known(log):
    """The events as they were recorded, each once: the same number of a key again is the same event again."""
    first = {}
    for event in by_arrival(log):
        first.setdefault((event.key, event.number), event)
    return list(first.values())


def by_arrival(log):
    return [event for _, _, _, event in sorted((e.minute, e.day, place, e) for place, e in enumerate(log))]


def of_keys(log, day):
    """Problems of one day where each key counts for itself: key, problem, number, how many are missing."""
    seen = [event for event in log if event.day <= day]
    for event in known(seen):
        numbers = {other.number for other in known(seen) if other.key == event.key}
        start = 0 if event.is_birth else OLDER
        before = max((number for number in numbers if number < event.number), default=start)
        lost = event.number - before - 1
        overtaken = any(e.key == event.key and e.number > event.number for e in _before(event, known(seen)))
        if event.day == day and changes_the_dead(event, known(seen), lambda e: e.number):
            yield event.key, "changed_after_deletion", event.number, None
        if event.day == day and lost > 0:
            yield event.key, "sequence_gap", event.number, lost
        if event.day == day and overtaken:
            yield event.key, "out_of_order", event.number, None
    for event in _again(seen):
        if event.day == day:
            yield event.key, "duplicate", event.number, None


def of_days(log, day):
    """The same where the log counts all events of a day together: what is missing is nobody's."""
    seen = [event for event in log if event.day == day]
    numbers = {event.number for event in seen}
    lost = max(numbers, default=0) - len(numbers)
    if lost:
        yield None, "sequence_gap", None, lost
    for event in known(seen):
        if any(e.key == event.key and e.number > event.number for e in _before(event, known(seen))):
            yield event.key, "out_of_order", event.number, None
    for event in _again(seen):
        yield event.key, "duplicate", event.number, None
    # Numbers begin anew each day, and days follow each other.
    so_far = [e for n in range(day + 1) for e in known([e for e in log if e.day == n])]
    for event in so_far:
        if event.day == day and changes_the_dead(event, so_far, lambda e: (e.day, e.number)):
            yield event.key, "changed_after_deletion", event.number, None


def changes_the_dead(event, events, order):
    """Whether an event changes a row, and of what was said before of its being there the last is that it is not."""
    before = sorted((e for e in events if e.key == event.key and order(e) < order(event)), key=order)
    lives = [e.word for e in before if e.word in {"Made", "Scrapped"}]
    return event.word == "Renamed" and lives[-1:] == ["Scrapped"]


def _before(event, events):
    return events[: events.index(event)]


def _again(log):
    """Those whose number was read before: on the same day or an earlier one, however early they were recorded."""
    first = {}
    for event in sorted(log, key=lambda e: (e.day, e.minute)):
        first.setdefault((event.key, event.number), event)
    return [event for event in log if event not in first.values()]


WORDS = st.sampled_from(["Seen", "Renamed", "Renamed", "Scrapped"])
EVENT = st.tuples(st.integers(0, 2), st.sampled_from(KEYS), st.integers(1, 7), WORDS)
# No two entries are alike, so that each can be told from the others.
LOGS = st.lists(EVENT, max_size=14).flatmap(
    lambda drawn: st.permutations(range(len(drawn))).map(
        lambda minutes: [
            Event(*entry, minute, "Made" if entry[2] == 1 else word)
            for (*entry, word), minute in zip(drawn, minutes, strict=True)
        ]
    )
)
COUNTED = {say.Numbering.PER_KEY: of_keys, say.Numbering.PER_PARTITION: of_days}


def check(log, day, numbering):
    """Reconcile the days up to one; what is found of the log on it must be what the oracle says."""
    with tempfile.TemporaryDirectory() as folder:
        job = reconciled(_given(log, numbering, day + 1), Path(folder))
        found = Counter(
            (row["legacy_key"], row["problem"], row["sequence"], row["missing"]) for row in rows(job, "event_findings")
        )
    assert found == Counter(COUNTED[numbering](log, day))


def _given(log, numbering, days):
    tables = {
        f"events_{DAYS[day]}": "\n".join([QUIET, *(_line(event) for event in log if event.day == day)])
        for day in range(days)
    }
    return Given(
        [THINGS] * days, [THINGS] * days, tables=tables, entity={"events": replace(LOG, numbering=numbering)},
        context={"event_types": TYPES},
    )  # fmt: skip


def _line(event):
    at = f"2026-01-0{event.day + 1}T00:{event.number:02}:00Z"
    recorded = f"2026-01-03T12:{event.minute:02}:00Z"
    return f"{event.key} | {event.number} | {at} | {recorded} | {event.word} |"


@pytest.mark.parametrize("numbering", COUNTED, ids=str)
@given(LOGS, st.sampled_from((1, 2)))
@settings(max_examples=examples(3), phases=(Phase.generate,))
def test_what_is_wrong_with_a_log(numbering, log, day):
    check(log, day, numbering)


def test_a_number_that_comes_again_on_a_later_day_is_a_duplicate_however_early_it_was_recorded():
    log = [Event(0, "a", 2, 5, "Renamed"), Event(1, "a", 2, 3, "Renamed")]
    assert ("a", "duplicate", 2, None) in of_keys(log, 1)
    check(log, 1, say.Numbering.PER_KEY)


@pytest.mark.long
@pytest.mark.parametrize("numbering", COUNTED, ids=str)
@given(LOGS, st.sampled_from((1, 2)))
@settings(max_examples=200)
def test_what_is_wrong_with_a_log_at_length(numbering, log, day):
    check(log, day, numbering)
