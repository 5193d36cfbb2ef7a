"""What likenesses prove: how a value went wrong, read from the difference itself and from all rows alike."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.declarations import Amount, Decode, Exact, Field, Instant, Same
from tests.spec.given import Given, found, reconciled, rows

NAME = (Field("name", Same("name"), Exact()),)


def of(kind: str, right: str, wrong: str, compare: object, folder: Path) -> tuple[object, ...]:
    """Type, reason and evidence of one row with these two values."""
    table = "id | value: {}\n 1 | {}"
    given = Given(
        legacy=table.format(kind, right),
        service=table.format(kind, wrong),
        rules=(Field("value", Same("value"), compare),),
    )
    (finding,) = rows(reconciled(given, folder), "discrepancies")
    return finding["type"], finding["reason"], json.loads(str(finding["evidence"]))


@pytest.mark.parametrize(
    ("difference", "reason", "evidence"),
    [
        (("decimal(12,2)", "12.50", "1250.00", Amount()), "unit_or_scale", {"pattern": "factor", "factor": "100"}),
        (("decimal(12,2)", "12.50", "-12.50", Amount()), "unit_or_scale", {"pattern": "factor", "factor": "-1"}),
        (("text", "DE23 0194 36", "DE23019436", Exact()), "format_only", {"pattern": "format"}),
        (("text", "Assekuranz GmbH", "Assekuranz", Exact()), "truncated", {"pattern": "truncated", "characters": 10}),
        (
            ("instant", "2026-03-01T10:00:07+00:00", "2026-03-01T11:00:07+00:00", Instant()),
            "time_zone_shift",
            {"pattern": "offset", "offset_seconds": 3600.0},
        ),
    ],
)
def test_one_row_is_enough(tmp_path, difference, reason, evidence):
    """No chance would make such a likeness."""
    found_one = of(*difference, tmp_path)
    assert found_one == ("invalid_transformation", reason, evidence | {"rows": 1})


@pytest.mark.parametrize(("right", "wrong"), [("Ab", "A"), ("12", "21"), ("Ada", "Ida")])
def test_what_chance_would_produce_proves_nothing(tmp_path, right, wrong):
    assert of("text", right, wrong, Exact(), tmp_path) == ("unexplained", "no_evidence", {})


def test_large_numbers_that_differ_a_little_are_of_no_other_unit(tmp_path):
    """To ten digits they are the same number, in every row."""
    amounts = "id | amount: decimal(20,2)\n 1 | 99999999999.0{}\n 2 | 88888888888.0{}\n 3 | 77777777777.0{}"
    given = Given(
        legacy=amounts.format(1, 1, 1),
        service=amounts.format(2, 3, 5),
        rules=(Field("amount", Same("amount"), Exact()),),
    )
    assert {finding[4] for finding in found(given, tmp_path)} == {"no_evidence"}


def test_swapped_fields(tmp_path):
    given = Given(
        legacy="id | city | street\n 1 | Lyon | Rue",
        service="id | city | street\n 1 | Rue | Lyon",
        rules=(Field("city", Same("city"), Exact()), Field("street", Same("street"), Exact())),
    )
    swapped = ("invalid_transformation", "swapped_fields")
    assert found(given, tmp_path) == [("1", "1", "city", *swapped), ("1", "1", "street", *swapped)]


def test_the_same_raw_value_shows_the_same_wrong_value(tmp_path):
    """Three rows of four: no accident. Two would be."""
    decode = Decode("code", {"R": "red", "G": "green"})
    given = Given(
        legacy="id | code\n 1 | R\n 2 | R\n 3 | R\n 4 | R\n 5 | G\n 6 | G",
        service="id | colour\n 1 | rot\n 2 | rot\n 3 | rot\n 4 | red\n 5 | grau\n 6 | grau",
        rules=(Field("colour", decode, Exact()),),
    )
    reasons = [finding[4] for finding in found(given, tmp_path)]
    assert reasons == ["systematic_pattern"] * 3 + ["no_evidence"] * 2


def test_older_translation(tmp_path):
    """What version 1 of the rule made of the raw value."""
    now, before = Decode("code", {"R": "red"}), Decode("code", {"R": "rouge"})
    given = Given(
        legacy="id | code\n 1 | R",
        service="id | colour\n 1 | rouge",
        rules=(Field("colour", now, Exact(), earlier={"1": before}),),
        entity={"translation_version": "2"},
    )
    (finding,) = rows(reconciled(given, tmp_path), "discrepancies")
    assert (finding["type"], finding["reason"]) == ("invalid_transformation", "older_translation")
    assert json.loads(str(finding["evidence"])) == {"version": "1", "rule": "decode"}


def test_the_replica_that_fell_back_is_not_merely_late(tmp_path):
    """Legacy moved from Ada to Ida, the service followed, and is back at Ada."""
    ada, ida = "id | name\n 1 | Ada", "id | name\n 1 | Ida"
    given = Given(legacy=[ada, ida, ida], service=[ada, ida, ada], rules=NAME)
    assert found(given, tmp_path) == [("1", "1", "name", "out_of_order_update", "regressed_to_older_value")]


def test_the_replica_that_changed_by_itself(tmp_path):
    ada, ida = "id | name\n 1 | Ada", "id | name\n 1 | Ida"
    given = Given(legacy=[ada, ada], service=[ada, ida], rules=NAME)
    assert found(given, tmp_path) == [("1", "1", "name", "semantic_contradiction", "written_by_replica")]


def test_a_row_that_is_new_is_pending_and_one_that_never_was_linked_is_unmapped(tmp_path):
    both, one = "id | name\n 1 | Ada\n 2 | Ida", "id | name\n 1 | Ada"
    given = Given(legacy=[one, both], service=[one, one], rules=NAME)
    assert found(given, tmp_path) == [("2", None, None, "stale_replica", "pending_row")]


def test_deleted_data_that_comes_back(tmp_path):
    both, one = "id | name\n 1 | Ada\n 2 | Ida", "id | name\n 1 | Ada"
    given = Given(legacy=[both, one, one], service=[both, one, both], rules=NAME)
    assert found(given, tmp_path) == [(None, "2", None, "semantic_contradiction", "rebirth")]
