"""The bank registry materialised: each partition's checks and figures are its own, and as they were computed apart."""

import csv

import dagster as dg
import duckdb
import pyarrow.parquet as pq
import pytest

from checks import outputs
from pipelines import catalog

PARTITIONS = ("2026-03-09", "2026-06-08", "2026-09-07")
ERROR, WARN = dg.AssetCheckSeverity.ERROR, dg.AssetCheckSeverity.WARN


def evaluations(location, asset, check):
    """The latest evaluation of a check for each partition."""
    key = dg.AssetCheckKey(dg.AssetKey(["banks", asset]), check)
    records = location.instance.event_log_storage.get_asset_check_execution_history(key, limit=10)
    events = [record.event.dagster_event.asset_check_evaluation_data for record in records]
    return {event.partition: event for event in events}


@pytest.fixture(scope="module")
def expected(root):
    with (root / "data/banks/expected_banks.csv").open() as file:
        return {row["partition"]: row for row in csv.DictReader(file)}


@pytest.mark.parametrize(
    ("partition", "passed", "severity", "says"),
    [
        ("2026-03-09", False, ERROR, "2 of 2 fields breached: bic 0.0286% (limit 0%), name 0.428% (limit 0.1%)"),
        ("2026-06-08", False, WARN, "1 of 2 fields breached: name 0.514% (limit 0.1%)"),
        ("2026-09-07", True, WARN, "met: 2 fields"),
    ],
)
def test_drift_is_checked_for_each_partition(banks, partition, passed, severity, says):
    evaluation = evaluations(banks, "banks_drift", "drift")[partition]

    assert (evaluation.passed, evaluation.severity) == (passed, severity)
    assert set(evaluation.description.split(": ", 1)[1].split(", ")) == set(says.split(": ", 1)[1].split(", "))
    assert evaluation.description.split(":")[0] == says.split(":")[0]


@pytest.mark.parametrize(
    ("asset", "check", "passed"),
    [
        ("banks_legacy", "contract", [True, True, True]),
        ("banks_service", "contract", [True, True, True]),
        ("banks_legacy", "undeclared_columns", [True, True, True]),
        ("banks_discrepancies", "balance", [True, True, True]),
        ("banks_discrepancies", "published_model", [True, True, True]),
        ("banks_drift", "linkage", [False, False, True]),
        ("banks_drift", "lag", [True, False, True]),
        ("banks_drift", "published_model", [True, True, True]),
    ],
)
def test_checks_show_their_own_day(banks, asset, check, passed):
    found = evaluations(banks, asset, check)

    assert [found[partition].passed for partition in PARTITIONS] == passed


def test_figures_are_those_computed_apart(banks, expected):
    drift = banks.materialisations(["banks", "banks_drift"])
    discrepancies = banks.materialisations(["banks", "banks_discrepancies"])
    for partition, row in expected.items():
        figures = {name: entry.value for name, entry in drift[partition].metadata.items()}
        found = {name: entry.value for name, entry in discrepancies[partition].metadata.items()}

        assert found["pairs"] == int(row["matched"])
        assert figures["discrepant"] == int(row["name_mismatch"]) + int(row["bic_mismatch"])
        # Rows on one side only: lately born or deleted ones are late, of the others no more is known.
        one_sided = int(row["legacy_only"]) + int(row["new_only"])
        assert found["stale_replica"] + found["key_linkage"] == int(row["name_stale"] or 0) + one_sided
        assert (found["stale_replica"] > 0) == bool(int(row["name_stale"] or 0))


def test_figures_are_numbers_that_can_be_plotted(banks):
    plotted = {
        "banks_legacy": ["dagster/row_count", "rows_read", "rejected"],
        "banks_discrepancies": ["dagster/row_count", "pairs", "in_flight", "stale_replica", "unexplained"],
        "banks_drift": ["drift_rate_worst", "discrepant", "in_flight", "linkage_rate", "lag_max_seconds"],
    }
    for asset, names in plotted.items():
        for materialisation in banks.materialisations(["banks", asset]).values():
            kinds = {type(materialisation.metadata[name]) for name in names}

            assert kinds <= {dg.IntMetadataValue, dg.FloatMetadataValue}


def test_a_check_plots_each_field(banks):
    metadata = evaluations(banks, "banks_drift", "drift")["2026-06-08"].metadata

    assert metadata["drift_rate.name"].value == pytest.approx(18 / 3500)
    assert metadata["drift_rate.bic"].value == 0.0
    assert "| name | breached | 0.514% | 0.1% | 3500 | 18 | 0 | major |" in metadata["table"].value


def test_which_earlier_snapshots_testified(banks):
    said = {
        p: m.metadata["witnesses"].value for p, m in banks.materialisations(["banks", "banks_discrepancies"]).items()
    }

    assert said["2026-03-09"] == "* legacy: no earlier snapshot in the lake\n* service: no earlier snapshot in the lake"
    assert said["2026-09-07"] == "* legacy: 2026-03-09, 2026-06-08\n* service: 2026-03-09, 2026-06-08"


def test_the_file_it_names_is_there(banks):
    for asset in ("banks_legacy", "banks_identity_map", "banks_discrepancies", "banks_drift"):
        for materialisation in banks.materialisations(["banks", asset]).values():
            file = banks.lake.root / materialisation.metadata["file"].value

            assert pq.ParquetFile(file).metadata.num_rows == materialisation.metadata["dagster/row_count"].value


def test_runs_are_recorded_under_dagsters_run_id(banks):
    for partition, materialisation in banks.materialisations(["banks", "banks_drift"]).items():
        recorded = pq.ParquetFile(
            banks.lake.root / "banks/banks/runs" / f"business_date={partition}" / "runs.parquet"
        ).read()
        ids = {run.run_id for run in banks.instance.get_runs() if run.tags.get("dagster/partition") == partition}

        assert set(recorded["run_id"].to_pylist()) <= ids
        assert recorded["status"].to_pylist() == ["done"]
        assert materialisation.metadata["dagster/row_count"].value == 2


def test_all_tables_keep_the_models_that_bi_reads(banks):
    made = banks.run("__ASSET_JOB", None, asset_selection=[dg.AssetKey(["coexist", "catalog"])])
    assert made.success

    for table in (*catalog.DATED, *catalog.UNDATED):
        for address in banks.lake.addresses(table):
            with pq.ParquetFile(banks.lake.file(address)) as file:
                assert outputs.broken(table, file.iter_batches()) == {}, address
    with duckdb.connect(str(banks.lake.root / "catalog.duckdb"), read_only=True) as connection:
        counted = connection.sql(
            "SELECT business_date, discrepant FROM drift WHERE field = 'name' ORDER BY ALL"
        ).fetchall()
    assert [n for _, n in counted] == [15, 18, 0]
