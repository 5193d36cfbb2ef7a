"""What is said of linked rows whose values differ: stale, untranslatable, or honestly unexplained."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from pipelines.declarations import (
    Combine,
    Csv,
    Decode,
    Exact,
    Field,
    IdentityTable,
    LocalTime,
    Number,
    Reference,
    Side,
    Slice,
    SoftDelete,
)
from tests.spec.given import Given, found, reconciled, rows

ADA = """
    id | name
    1  | Ada
"""
IDA = """
    id | name
    1  | Ida
"""


def test_equal_values_are_no_finding(tmp_path: Path) -> None:
    assert found(Given(legacy=ADA, service=ADA), tmp_path) == []


def test_unexplained(tmp_path: Path) -> None:
    """No earlier state of legacy explains what the service shows: wrong, and nobody pretends to know why."""
    given = Given(legacy=[ADA, ADA], service=[IDA, IDA])
    assert found(given, tmp_path) == [("1", "1", "name", "unexplained", "no_evidence")]


@pytest.mark.parametrize(
    ("allowed", "reason", "in_flight"),
    [(timedelta(days=1), "behind_within_lag", True), (timedelta(hours=1), "behind_beyond_lag", False)],
)
def test_stale_replica(tmp_path: Path, allowed: timedelta, reason: str, *, in_flight: bool) -> None:
    """The service shows what legacy said the day before: behind, and only beyond the allowed lag is that drift."""
    given = Given(legacy=[ADA, IDA], service=[ADA, ADA], entity={"allowed_lag": allowed})
    job = reconciled(given, tmp_path)

    (finding,) = rows(job, "discrepancies")
    assert (finding["type"], finding["reason"], finding["in_flight"]) == ("stale_replica", reason, in_flight)
    assert finding["lag_seconds"] == 86_400
    assert '"witness": "2026-01-01"' in str(finding["evidence"])
    (drift,) = rows(job, "drift")
    assert (drift["in_flight"], drift["discrepant"]) == ((1, 0) if in_flight else (0, 1))


def test_lag_is_measured_from_when_the_row_says_it_changed(tmp_path: Path) -> None:
    table = """
        id | name  | changed
        1  | {}    | {}
    """
    berlin = LocalTime("changed", "Europe/Berlin", format="%Y-%m-%d %H:%M:%S")
    given = Given(
        legacy=[table.format("Ada", "2025-12-01 10:00:00"), table.format("Ida", "2026-01-02 23:30:00")],
        service=[ADA, ADA],
        legacy_holder={"changed_at": berlin},
        entity={"allowed_lag": timedelta(hours=2)},
    )
    (finding,) = rows(reconciled(given, tmp_path), "discrepancies")
    # Changed at 22:30 UTC, and the day's snapshot ends at midnight UTC.
    assert (finding["lag_seconds"], finding["reason"]) == (5400, "behind_within_lag")


def test_the_side_that_is_right_is_asked_for_its_past(tmp_path: Path) -> None:
    """The service owns the slice, so legacy is the replica that is behind."""
    digital = Slice("digital", "name <> ''", Side.SERVICE)
    given = Given(legacy=[ADA, ADA], service=[ADA, IDA], entity={"slices": (digital,)})
    (finding,) = rows(reconciled(given, tmp_path), "discrepancies")
    assert (finding["type"], finding["system_of_record"]) == ("stale_replica", "service")


COLOUR = Field("colour", Decode("code", {"R": "red"}), Exact())


def test_untranslatable(tmp_path: Path) -> None:
    given = Given(
        legacy="""
            id | code
            1  | R
            2  | X
            3  | X
        """,
        service="""
            id | colour
            1  | red
            2  | red
        """,
        rules=(COLOUR,),
    )
    job = reconciled(given, tmp_path)
    findings = [(row["legacy_key"], row["field"], row["type"], row["reason"]) for row in rows(job, "discrepancies")]
    assert findings == [
        ("2", "colour", "invalid_transformation", "untranslatable"),
        ("3", None, "key_linkage", "unmapped"),
    ]
    # What cannot be translated is kept for rows without a counterpart, too.
    kept = [tuple(row.values()) for row in rows(job, "untranslatable")]
    assert kept == [(key, "colour", "X", "decode", "unknown_code") for key in ("2", "3")]


def test_deletion_not_propagated(tmp_path: Path) -> None:
    """Legacy marked the row as deleted, the service still holds it."""
    given = Given(
        legacy="""
            id | name | gone
            1  | Ada  | X
        """,
        service=ADA,
        legacy_holder={"deletion": SoftDelete("gone = 'X'")},
    )
    assert found(given, tmp_path) == [("1", "1", None, "stale_replica", "deletion_not_propagated")]


def test_deleted_by_the_replica(tmp_path: Path) -> None:
    """The side that is not right about the row marked it as deleted."""
    given = Given(
        legacy=ADA,
        service="""
            id | name | gone
            1  | Ada  | X
        """,
        service_holder={"deletion": SoftDelete("gone = 'X'")},
    )
    assert found(given, tmp_path) == [("1", "1", None, "semantic_contradiction", "written_by_replica")]


def test_a_finding_keeps_its_first_day_while_it_lasts(tmp_path: Path) -> None:
    given = Given(legacy=[ADA, ADA, ADA], service=[IDA, IDA, IDA])
    (finding,) = rows(reconciled(given, tmp_path), "discrepancies")
    assert (str(finding["first_seen"]), str(finding["last_seen"])) == ("2026-01-01", "2026-01-03")


def test_half_of_a_value_is_none(tmp_path: Path) -> None:
    """A part that cannot be translated is not left out like a missing one: what is left says something else."""
    rule = Combine(("size", Decode("code", {"R": "red"})))
    given = Given(
        legacy="""
            id | size | code
            1  | big  | R
            2  | big  | X
            3  | big  |
        """,
        service="""
            id | kind
            1  | big red
            2  | big
            3  | big
        """,
        rules=(Field("kind", rule, Exact()),),
    )
    (finding,) = rows(reconciled(given, tmp_path), "discrepancies")
    assert (finding["legacy_key"], finding["reason"]) == ("2", "untranslatable")
    assert (finding["legacy_raw"], finding["expected"], finding["actual"]) == (
        '{"size": "big", "code": "X"}', None, "big",
    )  # fmt: skip


def test_a_reference_is_the_key_of_the_service_as_it_is_held_there(tmp_path: Path) -> None:
    """A bar and a backslash in it, which are escaped in identity maps; a part that keys may lack, and one they lack."""
    given = Given(
        legacy="""
            no | part | of_no | of_part
            1  |      |       |
            1  | a    | 1     |
            1  | b    | 1     | a
            1  | c    | 1     | z
            1  | d    |       | a
        """,
        service=r"""
            id     | parent
            'S|1'  |
            'S\2' | 'S|1'
            S3     | 'S\2'
            S4     |
            S5     |
        """,
        key=("no", "part"),
        service_key=("id",),
        legacy_holder={"nullable_key": ("part",)},
        identity=IdentityTable(Csv("links.csv"), legacy=("no", "part"), service=("id",)),
        tables={
            "links": r"""
                no | part | id
                1  |      | 'S|1'
                1  | a    | 'S\2'
                1  | b    | S3
                1  | c    | S4
                1  | d    | S5
            """
        },
        rules=(Field("parent", Reference("spec.things", ("of_no", "of_part")), Exact()),),
    )
    found = [
        (row["legacy_key"], row["reason"], row["expected"])
        for row in rows(reconciled(given, tmp_path), "discrepancies")
    ]
    assert found == [("1|c", "untranslatable", None)]


def test_a_share_below_one_is_written_with_its_zero(tmp_path: Path) -> None:
    """As text, as a code, as what a rule makes of it, and as it is shown, though its type has no digit there."""
    given = Given(
        legacy="""
            id | share: decimal(4,4) | told
            1  | 0.1900              | 0.19
            2  | -0.0700             | 0.21
        """,
        service="""
            id | text    | code | share: decimal(4,4)
            1  | 0.1900  | full | 0.1900
            2  | -0.0700 | low  | -0.0700
        """,
        rules=(
            Field("text", Combine(("share",)), Exact()),
            Field("code", Decode("share", {"0.1900": "full", "-0.0700": "low"}), Exact()),
            Field("share", Number("told", precision=4, scale=4), Exact()),
        ),
    )
    (finding,) = rows(reconciled(given, tmp_path), "discrepancies")
    assert [finding[name] for name in ("field", "expected", "actual")] == ["share", "0.2100", "-0.0700"]
