"""`coexist readiness` on the banks: what it says, what it leaves in the lake, and what it answers to nonsense."""

import json

import duckdb
import pytest

from checks import outputs
from tests.pipelines.cli.conftest import DATES


def by_gate(said, date):
    return {row["gate"]: row for row in said.document["readiness"] if row["business_date"] == date}


def test_it_tells_gate_by_gate_what_is_missing(coexist, own_lake):
    said = coexist("readiness", "--context", "banks", "--lake", own_lake)

    assert said.code == 1
    assert "banks.bank_directory  2026-09-07  Payments platform  parallel run" in said.out
    assert "not ready: 5 of 9 gates are met" in said.out
    assert "banks.banks.name (1 breach, last 2026-06-08)" in said.out


def test_nothing_is_cut_on_a_narrow_screen(coexist, own_lake, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")

    said = coexist("readiness", "--context", "banks", "--lake", own_lake)

    assert "…" not in said.out
    assert "banks.banks.name" in said.out


def test_all_dates_as_a_document_and_in_the_catalogue(coexist, own_lake):
    said = coexist("readiness", "--context", "banks", "--from", DATES[0], "--lake", own_lake, "--json")

    assert [sorted(by_gate(said, date)) for date in DATES] == [sorted(by_gate(said, DATES[2]))] * 3
    assert by_gate(said, DATES[2])["phase"]["evidence"] == [{"entity": "banks.banks", "phase": "parallel_run"}]
    with duckdb.connect(str(own_lake / "catalog.duckdb"), read_only=True) as catalog:
        written = catalog.sql("SELECT * FROM readiness ORDER BY business_date").to_arrow_table()
    told = [(row["business_date"], row["gate"], row["status"]) for row in said.document["readiness"]]
    assert {(str(row["business_date"]), row["gate"], row["status"]) for row in written.to_pylist()} == set(told)
    assert written.num_rows == len(told) == len(set(told))
    assert outputs.broken("readiness", written.drop_columns("business_date").to_batches()) == {}


def test_breaches_are_those_of_the_drift_table(coexist, own_lake):
    """The window of the second date begins after the first one ends: what was breached then does not count."""
    said = coexist("readiness", "--context", "banks", "--from", DATES[0], "--lake", own_lake, "--json")

    for date in DATES:
        with duckdb.connect(str(own_lake / "catalog.duckdb"), read_only=True) as catalog:
            breached = catalog.execute(
                "SELECT field, max(business_date) FROM drift WHERE verdict = 'breached' AND business_date <= $1"
                " AND business_date >= (SELECT max(d) FROM (VALUES (DATE '2026-03-09'), (DATE '2026-06-08'),"
                " (DATE '2026-09-07')) AS t(d) WHERE d <= $2) GROUP BY field ORDER BY field DESC",
                [date, WINDOW_BEGINS[date]],
            ).fetchall()
        evidence = by_gate(said, date)["drift"]["evidence"]
        assert [(row["field"], row["last"]) for row in evidence] == [(field, str(last)) for field, last in breached]


# Ninety days up to the end of the partition, which is the next date, or one day where there is none.
WINDOW_BEGINS = {"2026-03-09": "2026-03-10", "2026-06-08": "2026-06-09", "2026-09-07": "2026-06-10"}


def test_reconciling_assesses_what_it_reconciled(own_lake):
    files = sorted((own_lake / "banks" / "bank_directory" / "readiness").glob("*/readiness.parquet"))

    assert [file.parent.name for file in files] == [f"business_date={date}" for date in DATES]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--capability", "bank_directry"], 'did you mean "bank_directory"?'),
        (["--context", "party"], "no capability is declared there"),
        (["--context", "banksy"], 'did you mean "banks"?'),
        (["--context", "banks", "--date", "2026-09-08"], 'did you mean "2026-09-07"?'),
    ],
)
def test_nonsense_is_answered_with_the_nearest_valid_choice(coexist, own_lake, arguments, message):
    said = coexist("readiness", *arguments, "--lake", own_lake)

    assert said.code == 2
    assert message in " ".join(said.err.replace("│", " ").split())


def test_of_an_empty_lake_nothing_can_be_told(coexist, tmp_path):
    said = coexist("readiness", "--context", "banks", "--lake", tmp_path / "none")

    assert said.code == 3
    assert "run coexist reconcile" in said.err
    assert "there is nothing judged of banks.bank_directory" in said.err


def test_what_nothing_is_known_of_does_not_hide_the_rest(coexist, own_lake):
    said = coexist("readiness", "--lake", own_lake, "--json")

    assert said.code == 1
    assert {row["capability"] for row in json.loads(said.out)["readiness"]} == {"bank_directory"}
    assert "billing.invoicing" in said.err
