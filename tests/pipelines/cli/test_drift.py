"""The figures of the banks are those that plain Python computed (data/banks/expected_banks.csv)."""

import csv
from pathlib import Path

import pytest

EXPECTED = Path(__file__).parents[3] / "data" / "banks" / "expected_banks.csv"
with EXPECTED.open(encoding="utf-8", newline="") as opened:
    EXPECTED_ROWS = {row["partition"]: row for row in csv.DictReader(opened)}


@pytest.fixture
def document(coexist, lake):
    return coexist("drift", "--lake", lake, "--json").document


@pytest.mark.parametrize("date", EXPECTED_ROWS)
def test_linkage_is_as_computed_independently(document, date):
    row = next(row for row in document["linkage"] if row["business_date"] == date)
    expected = EXPECTED_ROWS[date]

    assert [row[name] for name in ("legacy_rows", "service_rows", "matched", "legacy_only", "service_only")] == [
        int(expected[name]) for name in ("legacy_rows", "new_rows", "matched", "legacy_only", "new_only")
    ]


@pytest.mark.parametrize("date", EXPECTED_ROWS)
@pytest.mark.parametrize("field", ["name", "bic"])
def test_mismatches_are_as_computed_independently(document, date, field):
    row = next(row for row in document["drift"] if (row["business_date"], row["field"]) == (date, field))

    assert row["discrepant"] == int(EXPECTED_ROWS[date][f"{field}_mismatch"])
    assert row["compared"] == int(EXPECTED_ROWS[date]["matched"])


@pytest.mark.parametrize("date", EXPECTED_ROWS)
def test_stale_names_are_as_computed_independently(document, date):
    row = next(row for row in document["drift"] if (row["business_date"], row["field"]) == (date, "name"))

    assert row["stale_replica"] == int(EXPECTED_ROWS[date]["name_stale"] or 0)


def test_the_latest_partition_meets_all_levels(coexist, lake):
    said = coexist("drift", "--lake", lake)

    assert said.code == 0
    assert "banks.banks  2026-09-07  Payments platform" in said.out


def test_a_date_with_breaches(coexist, lake):
    said = coexist("drift", "--date", "2026-06-08", "--lake", lake)

    assert said.code == 1
    assert "18 stale" in said.out
    assert "0.514 %" in said.out  # 18 of 3,500


def test_the_trend_up_to_the_latest_of_the_dates(coexist, lake):
    said = coexist("drift", "--field", "name", "--lake", lake)

    assert next(line for line in said.out.splitlines() if line.startswith(" name")).split()[-1] == "▇█·"
    assert "linkage" not in said.out


def test_every_breach(coexist, lake):
    said = coexist("drift", "--breached", "--lake", lake, "--json")

    assert said.code == 1
    assert said.document["breaches"] == 4
    assert {(row["business_date"], row["field"]) for row in said.document["drift"]} == {
        ("2026-03-09", "name"),
        ("2026-03-09", "bic"),
        ("2026-06-08", "name"),
    }
    assert [row["business_date"] for row in said.document["lag"]] == ["2026-06-08"]


def test_every_breach_as_a_table(coexist, lake):
    said = coexist("drift", "--breached", "--lake", lake)

    assert "drift of name" in said.out
    assert "rows behind" in said.out


@pytest.mark.parametrize("columns", [40, 60, 80, 100, 140])
@pytest.mark.parametrize("form", [[], ["--breached"]])
def test_nothing_is_cut_off_however_narrow_the_screen(coexist, lake, monkeypatch, columns, form):
    monkeypatch.setenv("COLUMNS", str(columns))

    said = coexist("drift", *form, "--lake", lake)

    assert max(map(len, said.out.splitlines())) <= columns
    assert "…" not in said.out


def test_a_narrow_screen_tells_rows_as_blocks(coexist, lake, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")

    said = coexist("drift", "--lake", lake)

    assert " name\n   compared 3,505, discrepant 0\n   in flight 0, rate 0 %, limit 0.1 %\n" in said.out


def test_a_context_and_an_entity_of_another(coexist, tmp_path):
    """Both are in the lake, but not together."""
    for place in ("banks/banks", "policy/policies"):
        folder = tmp_path / place / "drift" / "business_date=2026-03-09"
        folder.mkdir(parents=True)
        (folder / "_manifest.json").write_text("{}")
    said = coexist("drift", "--context", "policy", "--entity", "banks", "--lake", tmp_path, "--json")

    assert said.code == 2
    assert "there is no banks in policy" in said.document["error"]["message"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--context", "bank"], 'did you mean "banks"?'),
        (["--entity", "banks.bank"], 'did you mean "banks.banks"?'),
        (["--field", "nam"], 'did you mean "name"?'),
        (["--date", "2026-09-08"], 'did you mean "2026-09-07"?'),
    ],
)
def test_unknown_names_and_dates(coexist, lake, arguments, expected):
    said = coexist("drift", *arguments, "--lake", lake, "--json")

    assert said.code == 2
    assert expected in said.document["error"]["message"]


def test_an_empty_lake_is_no_met_level(coexist, tmp_path):
    said = coexist("drift", "--lake", tmp_path / "empty")

    assert said.code == 3
    assert "run coexist reconcile" in said.err
