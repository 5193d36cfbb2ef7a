"""Gates, each on evidence that is seen at a glance; days of observation against plain counting, with Hypothesis."""

from dataclasses import replace
from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandera.polars import DataFrameModel

from pipelines.declarations import (
    Capability,
    Csv,
    Entity,
    Exact,
    Field,
    Holder,
    NaturalKey,
    Owner,
    Phase,
    Same,
    Side,
    Slice,
)
from pipelines.gates import Proof, Status, Window, pass_through

OWNER = Owner("Team")
DAYS = ("2026-01-01", "2026-01-02", "2026-01-03")
WINDOW = Window(date(2026, 1, 1), date(2026, 1, 4))
CAPABILITY = Capability("c", ("e",), description="C", owner=OWNER, steady_for=timedelta(days=3))


class Model(DataFrameModel):
    """Both sides alike."""

    id: pl.String
    a: pl.String
    b: pl.String


_HOLDER = Holder(source=Csv("{date}.csv"), contract=Model, key=("id",))
LED = Entity(
    "e",
    description="E",
    owner=OWNER,
    legacy=_HOLDER,
    service=_HOLDER,
    identity=NaturalKey((Same("id"),), (Same("id"),)),
    fields=(Field("a", Same("a"), Exact()), Field("b", Same("b"), Exact())),
    phase=Phase.SERVICE_LEADS,
    system_of_record=Side.SERVICE,
)


def rows(verdicts, **of):
    """A row a day with these verdicts."""
    return [of | {"business_date": day, "verdict": verdict} for day, verdict in zip(DAYS, verdicts, strict=True)]


GOOD = {
    "drift": [*rows(["met"] * 3, field="a"), *rows(["met", "not_measured", "warned"], field="b")],
    "linkage": rows(["met"] * 3),
    "lag": rows(["not_measured", "met", "met"]),
    "semantic_rules": [*rows(["met"] * 3, rule="r", side="service"), *rows(["breached"] * 3, rule="r", side="legacy")],
}
CAUSES = [{"business_date": DAYS[2], "type": "stale_replica", "reason": "behind_within_lag", "findings": 4}]
PROOF = Proof("x.e", LED, ["r"], {day: date.fromisoformat(day) + timedelta(days=1) for day in DAYS}, DAYS, GOOD, CAUSES)


def passed(*proofs, capability=CAPABILITY, window=WINDOW):
    return {gate.name: gate for gate in pass_through(capability, proofs, window)}


def judged(table, *found):
    """The good proof with other rows in one table."""
    return replace(PROOF, judged=GOOD | {table: [row for part in found for row in part]})


def said(gate):
    return (gate.status, gate.measured, gate.required, list(gate.evidence))


def test_where_nothing_is_missing_all_gates_are_met():
    gates = passed(PROOF)

    assert {gate.status for gate in gates.values()} == {Status.MET}
    assert {name: (gate.measured, gate.required, gate.unit) for name, gate in gates.items()} == {
        "phase": (1, 1, "entity"),
        "ownership": (2, 2, "field"),
        "observation": (3, 3, "day"),
        "drift": (2, 2, "field"),
        "linkage": (1, 1, "entity"),
        "lag": (1, 1, "entity"),
        "semantic_rules": (1, 1, "rule"),
        "explanation": (4, 4, "discrepancy"),
        "one_writer": (1, 1, "entity"),
    }


@pytest.mark.parametrize(
    ("phase", "status"),
    [
        (Phase.LEGACY_ONLY, Status.NOT_MET),
        (Phase.SHADOW, Status.NOT_MET),
        (Phase.PARALLEL_RUN, Status.NOT_MET),
        (Phase.SERVICE_LEADS, Status.MET),
        (Phase.DECOMMISSIONED, Status.MET),
    ],
)
def test_the_service_leads_all_entities(phase, status):
    gate = passed(PROOF, replace(PROOF, path="x.f", entity=replace(LED, phase=phase)))["phase"]

    assert (gate.status, gate.required) == (status, 2)
    assert list(gate.evidence) == ([] if status is Status.MET else [{"entity": "x.f", "phase": phase.value}])


@pytest.mark.parametrize(
    ("entity", "missing"),
    [
        (replace(LED, system_of_record=Side.LEGACY), ["a", "b"]),
        (replace(LED, slices=(Slice("old", "a = 'x'", Side.LEGACY),)), ["a", "b"]),
        (replace(LED, slices=(Slice("new", "a = 'x'", Side.SERVICE),)), []),
        (replace(LED, fields=(replace(LED.fields[0], system_of_record=Side.LEGACY), LED.fields[1])), ["a"]),
        (
            replace(
                LED,
                system_of_record=Side.LEGACY,
                fields=(replace(LED.fields[0], system_of_record=Side.SERVICE), LED.fields[1]),
            ),
            ["b"],
        ),
    ],
)
def test_the_service_is_right_about_every_field_of_every_row(entity, missing):
    gate = passed(replace(PROOF, entity=entity))["ownership"]

    assert (gate.measured, gate.required) == (2 - len(missing), 2)
    assert list(gate.evidence) == [{"entity": "x.e", "field": name} for name in missing]


def test_a_field_that_was_breached_once_is_missing():
    found = judged("drift", rows(["breached", "met", "breached"], field="a"), rows(["met"] * 3, field="b"))

    assert said(passed(found)["drift"]) == (
        Status.NOT_MET, 1, 2,
        [{"entity": "x.e", "field": "a", "breached": 2, "first": DAYS[0], "last": DAYS[2]}],
    )  # fmt: skip


def test_a_field_that_was_never_measured_is_missing():
    found = judged("drift", rows(["not_measured"] * 3, field="a"))

    assert said(passed(found)["drift"]) == (
        Status.NOT_MET, 0, 2,
        [
            {"entity": "x.e", "field": "a", "never_measured_in": 3},
            {"entity": "x.e", "field": "b", "never_measured_in": 0},
        ],
    )  # fmt: skip


def test_what_was_judged_of_a_field_that_is_declared_no_more_does_not_count():
    found = judged("drift", GOOD["drift"], rows(["breached"] * 3, field="gone"))

    assert passed(found)["drift"].status is Status.MET


@pytest.mark.parametrize("table", ["linkage", "lag"])
def test_an_entity_whose_level_was_breached_is_missing(table):
    gate = passed(judged(table, rows(["met", "breached", "met"])))[table]

    assert said(gate) == (
        Status.NOT_MET, 0, 1, [{"entity": "x.e", "breached": 1, "first": DAYS[1], "last": DAYS[1]}],
    )  # fmt: skip


def test_linkage_has_to_be_measured_and_lag_has_not():
    assert passed(judged("linkage", rows(["not_measured"] * 3)))["linkage"].status is Status.NOT_MET
    assert passed(judged("lag", rows(["not_measured"] * 3)))["lag"].status is Status.MET


def test_a_rule_that_the_service_broke_or_that_was_never_measured_is_missing():
    found = judged("semantic_rules", rows(["met", "met", "breached"], rule="r", side="service"))
    gate = passed(replace(found, rules=["r", "s"]))["semantic_rules"]

    assert said(gate) == (
        Status.NOT_MET, 0, 2,
        [
            {"entity": "x.e", "rule": "r", "breached": 1, "first": DAYS[2], "last": DAYS[2]},
            {"entity": "x.e", "rule": "s", "never_measured_in": 0},
        ],
    )  # fmt: skip


def test_what_is_unexplained_on_the_last_date_is_missing():
    unexplained = {"type": "unexplained", "reason": "no_evidence"}
    causes = [
        *CAUSES,
        unexplained | {"business_date": DAYS[0], "findings": 100},
        unexplained | {"business_date": DAYS[2], "findings": 3},
    ]

    assert said(passed(replace(PROOF, causes=causes))["explanation"]) == (
        Status.NOT_MET, 4, 7, [{"entity": "x.e", "business_date": DAYS[2], "findings": 3}],
    )  # fmt: skip


def test_what_was_written_where_it_is_not_owned_is_missing_whenever_it_was():
    written = {"type": "semantic_contradiction", "reason": "written_by_replica"}
    causes = [written | {"business_date": day, "findings": 2} for day in DAYS[:2]]

    assert said(passed(replace(PROOF, causes=causes))["one_writer"]) == (
        Status.NOT_MET, 0, 1, [{"entity": "x.e", "findings": 4, "first": DAYS[0], "last": DAYS[1]}],
    )  # fmt: skip


def test_results_are_asked_for_only_when_every_entity_has_some():
    unseen = replace(PROOF, path="x.f", reconciled=(), judged=dict.fromkeys(GOOD, ()), causes=())
    gates = passed(PROOF, unseen)

    assert [name for name, gate in gates.items() if gate.status is Status.NOT_MEASURED] == [
        "drift", "linkage", "lag", "semantic_rules", "explanation", "one_writer",
    ]  # fmt: skip
    assert said(gates["drift"]) == (Status.NOT_MEASURED, 0, 0, [{"entity": "x.f"}])
    assert said(gates["observation"]) == (
        Status.NOT_MET, 0, 3, [{"entity": "x.f", "days": 0, "partitions_missing": list(DAYS)}],
    )  # fmt: skip


lengths = st.lists(st.tuples(st.integers(1, 40), st.booleans()), max_size=8)


@given(begins=st.dates(date(2026, 1, 1), date(2026, 3, 1)), lengths=lengths, days=st.integers(1, 60))
def test_days_of_observation_are_those_in_a_partition_that_is_there(begins, lengths, days):
    """Against plain counting of days, for partitions of any length."""
    spans, reconciled, seen, start = {}, [], set(), begins
    for length, is_there in lengths:
        end = start + timedelta(days=length)
        spans[start.isoformat()] = end
        if is_there:
            reconciled.append(start.isoformat())
            seen |= {start + timedelta(days=n) for n in range(length)}
        start = end
    wanted = {start - timedelta(days=n + 1) for n in range(days)}
    window = Window(start - timedelta(days=days), start)
    within = {key: end for key, end in spans.items() if window.shared(date.fromisoformat(key), end)}
    proof = replace(PROOF, spans=within, reconciled=[key for key in reconciled if key in within])

    gate = passed(proof, capability=replace(CAPABILITY, steady_for=timedelta(days=days)), window=window)["observation"]

    assert (gate.measured, gate.required) == (len(seen & wanted), days)
    assert (gate.status is Status.MET) == (wanted <= seen)
