"""Every cause there is has an example, and what is found and said of it is what the example says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pipelines import causes, explanation, ruling
from pipelines.cli import evidence, sentences
from pipelines.explanation import Explanation
from pipelines.job import Job
from pipelines.portfolio import Portfolio
from tests.spec.causes import ADA, EXAMPLES, QUIET, Example
from tests.spec.given import FIRST, Given, reconciled, rows

BY_RULES = ("semantic_contradiction", "rule_violated")  # not among the causes that comparing can have


def judged(example: Example, folder: Path) -> Job:
    """The job of the last day, semantic rules judged too."""
    logs = {f"events_{FIRST + timedelta(days=n)}": day for n, day in enumerate(example.events)}
    tables = logs | ({"links": example.links} if example.links else {})
    job = reconciled(Given(list(example.legacy), list(example.service), tables=tables, **example.given), folder)
    ruling.rule(job, Portfolio((job.context,), {}).rules_of(job.context, job.entity))
    return job


def explained(example: Example, job: Job) -> Explanation:
    """What is known about the one finding that the example is about."""
    names = ("legacy_key", "service_key", "field")
    wanted = tuple(None if part == "-" else part for part in example.finding)
    stage = "violations" if example.reason == "rule_violated" else "discrepancies"
    (finding,) = [row for row in rows(job, stage) if tuple(row[name] for name in names) == wanted]
    return explanation.explain(job.lake, Portfolio((job.context,), {}), job.partition, finding)


@pytest.fixture(scope="module")
def told_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Example], Explanation]:
    """What is known about the finding of an example as it stands, which is judged once."""
    known: dict[int, Explanation] = {}

    def told(example: Example) -> Explanation:
        number = EXAMPLES.index(example)
        if number not in known:
            known[number] = explained(example, judged(example, tmp_path_factory.mktemp(example.reason)))
        return known[number]

    return told


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.reason)
def test_it_is_found_and_said(example: Example, told_of: Callable[[Example], Explanation]) -> None:
    told = told_of(example)

    assert (told.finding["type"], told.finding["reason"]) == (example.type, example.reason)
    assert evidence.in_words(told) == example.says


def test_every_cause_has_an_example() -> None:
    known = {(row["type"], row["reason"]) for row in causes.precedence().to_pylist()}

    assert {(example.type, example.reason) for example in EXAMPLES} == known | {BY_RULES}


def test_every_cause_can_be_said() -> None:
    """Whatever the evidence: the last sentence of each needs none."""
    said = sentences.read()

    assert said.keys() == {example.reason for example in EXAMPLES}
    assert all(variants[-1][0] == "" for reason, variants in said.items() if reason != "systematic_pattern")


def of(reason: str) -> Example:
    return next(example for example in EXAMPLES if example.reason == reason)


def test_events_in_the_order_of_their_numbers_with_what_became_of_them(
    told_of: Callable[[Example], Explanation],
) -> None:
    told = told_of(of("older_event_applied_last"))

    assert told.events_of == "spec.things 1"
    shown = ("sequence", "event_type", "told", "applied", "problems")
    assert [tuple(event[name] for name in shown) for event in told.events] == [
        (2, "Renamed", {"name": "Ida"}, "shown", ["out_of_order"]),
        (3, "Renamed", {"name": "Eva"}, "not applied", []),
    ]


def test_the_event_that_a_stale_replica_left_out(tmp_path: Path) -> None:
    """One that only notes something has a column for the name too, and tells nothing."""
    renamed = "1 | 2 | 2026-01-02T08:00:00Z | 2026-01-02T08:00:01Z | Renamed | Ida"
    seen = "1 | 3 | 2026-01-02T09:00:00Z | 2026-01-02T09:00:01Z | Seen |"
    example = replace(of("change_without_event"), events=(QUIET, f"{QUIET}\n{renamed}\n{seen}"))
    told = explained(example, judged(example, tmp_path))

    assert (told.finding["reason"], told.evidence["not_applied"]) == ("behind_beyond_lag", 2)
    assert "The service has left out event 2 alone: all others come to what it shows." in evidence.in_words(told)


def test_numbers_that_never_came_are_told_before_the_event_after_them(
    told_of: Callable[[Example], Explanation],
) -> None:
    told = told_of(of("sequence_gap"))

    assert [(event["sequence"], event["missing"], event["applied"]) for event in told.events] == [(3, 1, "unknown")]


def test_what_changed_in_the_rule_since_the_version_that_explains_it(told_of: Callable[[Example], Explanation]) -> None:
    told = told_of(of("older_translation"))

    assert told.steps_then == [("decode", "rouge")]
    assert told.rule_changes == [
        {"part": "decode.table G", "then": "not in the table", "now": "green"},
        {"part": "decode.table R", "then": "rouge", "now": "red"},
    ]


def test_others_with_the_same_pattern(told_of: Callable[[Example], Explanation]) -> None:
    told = told_of(of("systematic_pattern"))

    assert [(row["legacy_key"], row["legacy_raw"], row["actual"]) for row in told.alike] == [
        ("2", "R", "rot"),
        ("3", "R", "rot"),
    ]


def test_the_counterpart_that_is_rejected_or_gone_and_all_rows_of_a_rule(
    told_of: Callable[[Example], Explanation],
) -> None:
    reasons = ("counterpart_rejected", "deletion_not_propagated", "rule_violated")
    rejected, gone, violated = (told_of(of(reason)) for reason in reasons)

    assert [(row["side"], row["check"], row["raw"]) for row in rejected.rejected] == [
        ("service", "not_nullable", {"id": "A", "name": None})
    ]
    assert gone.counterpart == {
        "side": "legacy", "key": "2", "business_date": "2026-01-01", "row": {"id": "2", "name": "Ida"},
    }  # fmt: skip
    assert [(day["legacy"], day["service"]) for day in gone.presence] == [(True, True), (False, True)]
    assert violated.condition == "things.start <= things.end"
    assert [(row["side"], row["row"]["start"], row["read"]) for row in violated.involved] == [
        ("legacy", 9, ["start", "end"]),
        ("service", 9, ["start", "end"]),
    ]


def test_an_event_that_was_recorded_ahead_tells_the_change_it_was_for(tmp_path: Path) -> None:
    """On the second day it is known what will happen on the third; that is no change without an event."""
    renamed = f"{QUIET}\n1 | 2 | 2026-01-03T09:00:00Z | 2026-01-02T09:00:00Z | Renamed | Eva"
    example = replace(
        of("change_without_event"), legacy=(ADA, ADA, "id | name\n1  | Eva"), service=(ADA,) * 3,
        events=(QUIET, renamed, QUIET),
    )  # fmt: skip
    told = explained(example, judged(example, tmp_path))

    assert (told.finding["type"], told.finding["reason"]) == ("stale_replica", "behind_beyond_lag")


@pytest.mark.parametrize("reason", ["behind_beyond_lag", "sequence_gap", "change_without_event", "event_not_applied"])
def test_a_value_is_behind_whatever_made_it_so(reason: str, tmp_path: Path) -> None:
    """That the event is missing says why the replica is late: it is no less late for that."""
    job = judged(of(reason), tmp_path)
    (finding,) = [row for row in rows(job, "discrepancies") if row["reason"] == reason]
    (lag,) = rows(job, "lag")

    assert (lag["verdict"], lag["rows_behind"], lag["rows_in_flight"]) == ("breached", 1, 0)
    assert lag["lag_max_seconds"] == finding["lag_seconds"] is not None
