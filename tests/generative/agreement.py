"""That the product's outcome is the oracle's answer, part by part, so that a disagreement shows where it begins."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import astuple

from pipelines import comparison as product
from pipelines.declarations import Entity
from tests.generative.alike import alike, same_rows
from tests.generative.naive.classification import identity
from tests.generative.naive.comparison import raw_as_read
from tests.generative.naive.linkage import Finding, Pair
from tests.generative.naive.surroundings import Surroundings
from tests.generative.oracle import Answer
from tests.generative.stages import Outcome
from tests.generative.strategies.worlds import World

# What the product calls the verdicts that the oracle tells apart in words.
STAMPED = ("context", "entity", "translation_version", "legacy_contract_version", "service_contract_version", "run_id")
NOT_ASKED = (*STAMPED, "discrepancy_id", "first_seen", "last_seen", "limit", "legacy_rejected", "service_rejected")


def agree(world: World, outcome: Outcome, answer: Answer) -> None:
    """Assert it."""
    same_rows(outcome.links, answer.links)
    same_rows([Pair(*row.values()) for row in outcome.pairs], answer.linked.pairs)
    same_rows([Finding(*row.values()) for row in outcome.findings], answer.linked.findings)
    assert outcome.row_verdicts == dict(answer.linked.row_verdicts)
    _verdicts(outcome, answer)
    _differences(world.entity, world.around, outcome, answer)
    _witnesses(outcome, answer)
    same_rows(
        [(row["legacy_key"], row["field"], row["rule"], row["reason"]) for row in outcome.untranslatable],
        answer.untranslatable,
    )
    for name, measured in answer.measures.items():
        assert {key: outcome.measures[name][key] for key in measured} == measured, name
    discrepancies(world, outcome.discrepancies, answer)
    judged(outcome.judged, answer)


def _verdicts(outcome: Outcome, answer: Answer) -> None:
    seen = {(row["legacy_key"], row["service_key"]): row for row in outcome.compared}
    assert seen.keys() == answer.verdicts.keys()
    for keys, verdicts in answer.verdicts.items():
        for name, verdict in verdicts.items():
            assert product.Verdict(seen[keys][f"verdict {name}"]).name.lower() == verdict, (keys, name)


def _differences(entity: Entity, around: Surroundings, outcome: Outcome, answer: Answer) -> None:
    fields = {field.name: field for field in entity.fields}
    seen = {(row["legacy_key"], row["service_key"], row["field"]): row for row in outcome.differences}
    assert len(seen) == len(outcome.differences)
    assert seen.keys() == {(each.legacy_key, each.service_key, each.field) for each in answer.differences}
    for due in answer.differences:
        row = seen[due.legacy_key, due.service_key, due.field]
        for name in ("system_of_record", "expected", "actual", "delta"):
            assert alike(row[name], getattr(due, name)), (due, row)
        assert raw_as_read(row["legacy_raw"], fields[due.field], around) == due.legacy_raw
        assert row["failure"] == (due.failure.reason if due.failure else None)
        assert row["failed_rule"] == (due.failure.rule if due.failure else None)


def _witnesses(outcome: Outcome, answer: Answer) -> None:
    seen = {
        (row["legacy_key"], row["service_key"], row["field"]): tuple(
            row[name] for name in ("witness", "moved_on", "ended_us", "caught_up", "strayed", "departed", "returned")
        )
        for row in outcome.witnesses
    }
    assert len(seen) == len(outcome.witnesses)
    assert seen == {key: astuple(due) for key, due in answer.witnesses.items()}


def discrepancies(world: World, rows: Iterable[Mapping[str, object]], answer: Answer) -> None:
    """Assert that the table of discrepancies holds what is due, and tells its rows apart."""
    rows = list(rows)
    assert len({row["discrepancy_id"] for row in rows}) == len(rows), "two findings share an id"
    fields = {field.name: field for field in world.entity.fields}
    seen = {identity(row): row for row in rows}
    due = {each.identity: each for each in answer.discrepancies}
    assert len(due) == len(answer.discrepancies), "the oracle's own findings are told apart"
    assert seen.keys() == due.keys()
    for key, row in seen.items():
        for name, value in due[key].as_row().items():
            found = row[name]
            if name == "legacy_raw" and row["field"] is not None:
                found = raw_as_read(found, fields[row["field"]], world.around)
            if name == "evidence":
                found, value = json.loads(found), json.loads(value)
            assert alike(found, value), (name, row, due[key])


def judged(tables: Mapping[str, list[dict[str, object]]], answer: Answer) -> None:
    """Assert that drift, linkage and lag say what is due."""
    due = {"drift": answer.drift, "linkage": [answer.linkage], "lag": [answer.lag]}
    for name, rows in due.items():
        assert len(tables[name]) == len(rows)
        for seen, expected in zip(tables[name], rows, strict=True):
            for column, value in expected.items():
                assert alike(seen[column], value), (name, column, seen, expected)
