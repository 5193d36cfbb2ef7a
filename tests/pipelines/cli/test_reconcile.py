import pyarrow.parquet as pq
import pytest

DATES = ["2026-03-09", "2026-06-08", "2026-09-07"]


def test_all_dates_with_a_breach(reconciled_banks):
    said = (reconciled_banks / "said").read_text(encoding="utf-8")

    assert "3 partitions reconciled, 4 breaches." in said
    assert all(date in said for date in DATES)


def test_one_date_that_meets_all_levels(coexist, tmp_path):
    said = coexist("reconcile", "--entity", "banks.banks", "--date", "2026-09-07", "--lake", tmp_path, "--json")

    assert said.code == 0
    assert [row["business_date"] for row in said.document["reconciled"]] == ["2026-09-07"]
    assert said.document["reconciled"][0]["verdicts"] == {"drift": "met", "linkage": "met", "lag": "met"}
    assert (tmp_path / "catalog.duckdb").exists()


def test_a_range(coexist, tmp_path):
    said = coexist("reconcile", "-c", "banks", "--from", "2026-06-01", "--lake", tmp_path, "--json")

    assert [row["business_date"] for row in said.document["reconciled"]] == DATES[1:]


def test_worker_processes_find_the_same(coexist, lake, tmp_path):
    coexist("reconcile", "-c", "banks", "--workers", 2, "--lake", tmp_path)

    assert digests(tmp_path) == digests(lake)


def digests(folder):
    files = sorted(folder.glob("banks/banks/discrepancies/*/*.parquet"))
    return [pq.read_table(file).drop_columns(["run_id"]).to_pylist() for file in files]


def test_a_failing_source_stops_only_its_partition(coexist, own_banks, tmp_path):
    (own_banks / "new_banks_2026-06-08.csv").unlink()

    said = coexist("reconcile", "-c", "banks", "--lake", tmp_path / "lake", "--json")

    assert said.code == 3
    assert [row["status"] for row in said.document["reconciled"]] == ["done", "failed", "done"]
    assert "new_banks_2026-06-08.csv" in said.document["reconciled"][1]["error"]["message"]


def test_a_failed_run_is_recorded_with_its_reason(coexist, own_banks, tmp_path):
    (own_banks / "legacy_banks_2026-09-07.csv").write_text("", encoding="utf-8")

    said = coexist("reconcile", "-c", "banks", "--date", "2026-09-07", "--lake", tmp_path / "lake")

    run = pq.read_table(tmp_path / "lake/banks/banks/runs/business_date=2026-09-07/runs.parquet").to_pylist()[0]
    assert said.code == 3
    assert run["status"] == "failed"
    assert run["error"] in said.out.replace("\n", " ")


def test_what_refers_to_a_failed_entity_fails_with_it(coexist, tmp_path, monkeypatch):
    monkeypatch.setenv("COEXIST_INSURER_WORLD", str(tmp_path / "nowhere"))

    said = coexist("reconcile", "-c", "broker", "--date", "2026-03-20", "--lake", tmp_path / "lake", "--json")

    assert said.code == 3
    assert said.document["reconciled"][0]["error"]["family"] == "SourceError"


def test_later_partitions_with_another_past_are_named(coexist, own_banks, own_lake):
    source = own_banks / "legacy_banks_2026-03-09.csv"
    source.write_text(source.read_text(encoding="utf-8").replace("Bundesbank", "Bank des Bundes"), encoding="utf-8")

    said = coexist("reconcile", "-c", "banks", "--date", "2026-03-09", "--lake", own_lake)
    document = coexist("reconcile", "-c", "banks", "--date", "2026-03-09", "--lake", own_lake, "--json").document

    assert "coexist reconcile --entity banks.banks --from 2026-06-08 --to 2026-09-07" in said.err
    assert [row["business_date"] for row in document["outdated"]] == DATES[1:]


@pytest.mark.parametrize("table", ["drift", "discrepancy_history"])
def test_a_broken_manifest_elsewhere_is_named_and_the_results_are_told(coexist, own_lake, table):
    manifest = own_lake / f"banks/banks/{table}/business_date=2026-09-07/_manifest.json"
    manifest.write_text("{", encoding="utf-8")

    said = coexist("reconcile", "-c", "banks", "--date", "2026-06-08", "--lake", own_lake, "--json")
    shown = coexist("reconcile", "-c", "banks", "--date", "2026-06-08", "--lake", own_lake)

    assert (said.code, shown.code) == (3, 3)
    assert [(row["business_date"], row["status"]) for row in said.document["reconciled"]] == [("2026-06-08", "done")]
    assert said.document["catalog"] is None
    assert said.document["error"]["family"] == "IntegrityError"
    assert f"{manifest} is not a readable manifest" in said.document["error"]["message"]
    assert "1 partition reconciled" in shown.out
    assert f"Error: banks/banks/{table}/2026-09-07" in shown.err


def test_what_a_capability_is_assessed_by_may_be_broken_as_well(coexist, own_lake):
    manifest = own_lake / "banks/banks/drift/business_date=2026-06-08/_manifest.json"
    manifest.write_text("{", encoding="utf-8")

    said = coexist("reconcile", "-c", "banks", "--date", "2026-09-07", "--lake", own_lake, "--json")

    assert said.code == 3
    assert [(row["business_date"], row["status"]) for row in said.document["reconciled"]] == [("2026-09-07", "done")]
    assert f"{manifest} is not a readable manifest" in said.document["error"]["message"]


def test_the_same_again_makes_nothing_outdated(coexist, own_lake):
    said = coexist("reconcile", "-c", "banks", "--date", "2026-03-09", "--lake", own_lake, "--json")

    assert said.document["outdated"] == []


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--context", "bank"], 'did you mean "banks"?'),
        (["--entity", "banks.bank"], 'did you mean "banks.banks"?'),
        (["-c", "banks", "--date", "2026-06-09"], 'did you mean "2026-06-08"?'),
        (["-c", "banks", "--from", "2026-07-01", "--to", "2026-08-01"], 'did you mean "2026-06-08"?'),
        (["-c", "banks", "--date", "8 June"], '"8 June" is no date such as 2026-03-09'),
        (["--from", "2026-06-08", "--to", "2026-03-09"], "2026-06-08 is after --to 2026-03-09"),
        (["--date", "2026-06-08", "--to", "2026-03-09"], "choose"),
        (["--engine", "spark"], "valid: duckdb"),
        (["-c", "banks", "-e", "parties"], "there is no parties in banks"),
    ],
)
def test_usage_is_refused_with_the_nearest_valid_choice(coexist, tmp_path, arguments, expected):
    said = coexist("reconcile", *arguments, "--lake", tmp_path, "--json")

    assert said.code == 2
    assert expected in said.document["error"]["message"]


def test_an_unusable_lake(coexist, tmp_path):
    (tmp_path / "lake").write_text("a file", encoding="utf-8")

    said = coexist("reconcile", "-c", "banks", "--date", "2026-03-09", "--lake", tmp_path / "lake")

    assert said.code == 3
    assert "COEXIST_LAKE" in said.out + said.err
    assert "Traceback" not in said.err
