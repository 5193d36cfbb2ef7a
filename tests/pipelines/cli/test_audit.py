"""`coexist audit` on the banks: counts only, a table for BI, and no value of any bank."""

import duckdb
import pytest


@pytest.mark.slow
def test_the_banks_are_put_to_the_test(coexist, own_lake):
    said = coexist("audit", "--entity", "banks", "--lake", own_lake, "--json")

    (audited,) = said.document["audits"]
    assert (said.code, audited["sound"], audited["business_date"]) == (0, True, "2026-09-07")
    assert {row["reason"] for row in audited["rows"]} >= {
        "duplicate_key",
        "no_evidence",
        "truncated",
        "behind_within_lag",
    }
    assert all(row["planted"] == row["correct"] == row["found"] for row in audited["rows"])
    assert {row["reason"] for row in audited["rows"] if not row["planted"]} == {
        cause.partition(": ")[2] for cause in audited["not_planted"]
    }
    assert {row["noise_findings"] for row in audited["rows"]} == {0}
    assert min(row["noise_pairs"] for row in audited["rows"]) > 3_000
    with duckdb.connect(str(own_lake / "catalog.duckdb"), read_only=True) as connection:
        told = connection.sql("SELECT business_date, sum(planted) AS n FROM audits GROUP BY business_date").fetchall()
    assert [(str(day), int(n)) for day, n in told] == [
        ("2026-09-07", sum(row["planted"] for row in audited["rows"]))
    ]  # fmt: skip


@pytest.mark.slow
def test_what_people_see_holds_no_value_of_a_bank(coexist, own_lake):
    said = coexist("audit", "--context", "banks", "--date", "2026-06-08", "--seed", "2", "--lake", own_lake)

    assert said.code == 0, said.out
    assert "noise floor: 0 findings" in said.out
    with duckdb.connect(str(own_lake / "catalog.duckdb"), read_only=True) as connection:
        names = connection.sql("SELECT DISTINCT expected FROM discrepancies WHERE expected IS NOT NULL").fetchall()
    assert not [name for (name,) in names if name in said.out]


def test_nothing_to_audit(coexist, tmp_path):
    said = coexist("audit", "--lake", tmp_path / "empty", "--json")

    assert (said.code, said.document["error"]["family"]) == (3, "SourceError")


def test_a_date_that_was_never_judged_names_the_nearest(coexist, lake):
    said = coexist("audit", "--entity", "banks", "--date", "2026-06-07", "--lake", lake, "--json")

    assert said.code == 2
    assert 'did you mean "2026-06-08"?' in said.document["error"]["message"]


def test_nothing_to_audit_says_what_to_do(coexist, tmp_path):
    said = coexist("audit", "--lake", tmp_path / "empty")

    assert said.code == 3
    assert "run coexist reconcile" in said.err
