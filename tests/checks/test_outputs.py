"""The models of the tables BI reads: the same columns as the stages write, and rows that cannot be true are found."""

from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from checks import outputs
from pipelines import catalog, contract

TABLES = {**catalog.DATED, **catalog.UNDATED}
_JUDGED = {
    "context": "c",
    "entity": "e",
    "verdict": "met",
    "owner": "o",
    "translation_version": "1",
    "legacy_contract_version": "1",
    "service_contract_version": "1",
    "run_id": "r",
}
_NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SOUND = {
    "drift": _JUDGED
    | {
        "field": "f",
        "compared": 10,
        "equal": 7,
        "within_tolerance": 1,
        "discrepant": 1,
        "in_flight": 1,
        "unexplained": 1,
        "new": 2,
    }
    | {"stale_replica": 1, "drift_rate": 0.1, "limit": 0.0, "criticality": "minor", "system_of_record": "legacy"},
    "linkage": _JUDGED
    | {"legacy_rows": 3, "legacy_matched": 1, "legacy_only": 1, "legacy_rejected": 1, "service_rows": 1}
    | {"service_matched": 1, "matched": 1, "linkage_rate": 0.5, "limit": 0.0},
    "lag": _JUDGED
    | {"lag_p50_seconds": 1, "lag_p95_seconds": 1, "lag_max_seconds": 2, "allowed_seconds": 0, "rows_behind": 2},
    "discrepancy_history": {"discrepancy_id": "0f", "context": "c", "entity": "e", "type": "unexplained"}
    | {"reason": "no_evidence", "in_flight": False, "criticality": "major", "owner": "o", "state": "new", "run_id": "r"}
    | dict.fromkeys(("first_seen", "opened", "since", "last_seen"), date(2026, 1, 1)),
    "concentrations": {"context": "c", "entity": "e", "field": "f", "type": "unexplained", "reason": "no_evidence"}
    | {"segment": "service.a = b", "conditions": "[]", "findings": 20, "inside": 19, "share": 0.95, "pairs": 100}
    | {"pairs_inside": 25, "lift": 3.8, "p_value": 1e-6, "owner": "o", "run_id": "r"},
    "audits": {"context": "c", "entity": "e", "type": "unexplained", "reason": "no_evidence", "planted": 5, "found": 4}
    | {"correct": 3, "detected": 4, "recall": 0.6, "precision": 0.75, "taken_for": "{}", "noise_pairs": 9, "seed": 1}
    | {"audited_at": _NOON, "run_id": "r"},
    "readiness": {"context": "c", "capability": "d", "gate": "phase", "phase": "shadow", "status": "not_met"}
    | {"measured": 1, "required": 2, "unit": "entity", "evidence": "[]", "owner": "o", "run_id": "r"},
    "semantic_rules": {"context": "c", "entity": "e", "rule": "r", "side": "legacy", "over": "c.e", "condition": "TRUE"}
    | {"checked": 4, "violated": 1, "violation_rate": 0.25, "limit": 0.0, "verdict": "breached"}
    | {"criticality": "major", "owner": "o", "run_id": "r"},
    "discrepancies": {"discrepancy_id": "0f", "context": "c", "entity": "e", "legacy_key": "1", "type": "unexplained"}
    | {"reason": "no_evidence", "in_flight": False, "criticality": "major", "owner": "o", "system_of_record": "legacy"}
    | {"first_seen": date(2026, 1, 1), "last_seen": date(2026, 1, 1), "evidence": "{}", "translation_version": "1"}
    | {"run_id": "r"},
    "event_offsets": {"context": "c", "entity": "e", "source": "s", "first_position": 1, "last_position": 2}
    | {"events": 2, "first_recorded": _NOON, "last_recorded": _NOON},
    "event_findings": {"context": "c", "entity": "e", "legacy_key": "1", "problem": "duplicate", "sequence": 2}
    | {"missing": None, "event_time": _NOON, "recorded_time": _NOON},
    "fold_findings": {"context": "c", "entity": "e", "legacy_key": "1", "field": "f", "problem": "not_told"}
    | {"folded_from": "2026-01-01", "sequence": None},
    "runs": {name: value for name, value in _JUDGED.items() if name != "owner"}
    | {"started_at": _NOON, "finished_at": _NOON, "status": "done", "engine": "duckdb 2.0.0"},
    "fields": {"context": "c", "entity": "e", "field": "f", "disposition": "dropped", "description": "why"}
    | {"phase": "shadow", "owner": "o", "translation_version": "1"},
    "lineage": {"context": "c", "entity": "e", "field": "f", "rule": "constant", "expression": "'x'"}
    | dict.fromkeys(("translation_version", "legacy_contract_version", "service_contract_version"), "1"),
}


def batch(table, **changes):
    """A sound row with changes; a count that is not named is zero."""
    row = SOUND[table] | changes
    optional = contract.nullable_columns_of(outputs.MODELS[table])
    values = {
        field.name: [row.get(field.name, None if field.name in optional or field.type != pa.int64() else 0)]
        for field in TABLES[table]
    }
    return pa.record_batch(values, schema=TABLES[table])


@pytest.mark.parametrize("table", TABLES)
def test_a_model_has_the_columns_and_types_of_its_schema(table):
    modelled = {field.name: field.type for field in contract.schema_of(outputs.MODELS[table])}

    assert modelled == {field.name: field.type for field in TABLES[table]}


def test_every_table_has_a_model():
    assert outputs.MODELS.keys() == TABLES.keys()


@pytest.mark.parametrize("table", TABLES)
def test_models_can_be_used_as_contracts(table):
    assert contract.problems_of(outputs.MODELS[table]) == []


@pytest.mark.parametrize("table", TABLES)
def test_a_sound_row_keeps_its_model(table):
    assert outputs.broken(table, [batch(table)]) == {}


@pytest.mark.parametrize(
    ("table", "changes", "expectation"),
    [
        ("drift", {"verdict": "fine"}, "drift.verdict: isin"),
        ("drift", {"criticality": "urgent"}, "drift.criticality: isin"),
        ("drift", {"equal": 8}, "drift.*: every_pair_is_counted_once"),
        ("drift", {"unexplained": 2}, "drift.*: every_finding_has_one_type"),
        ("drift", {"ongoing": 1}, "drift.*: every_finding_has_one_state"),
        ("discrepancy_history", {"opened": date(2026, 1, 2)}, "discrepancy_history.*: lived_in_order"),
        ("discrepancy_history", {"state": "resolved"}, "discrepancy_history.*: is_resolved_when_it_says_so"),
        ("drift", {"drift_rate": 0.2}, "drift.*: the_rate_is_that_of_the_counts"),
        ("drift", {"drift_rate": None}, "drift.*: the_rate_is_that_of_the_counts"),
        ("drift", {"null_only_legacy": -1}, "drift.null_only_legacy: greater_than_or_equal_to"),
        ("drift", {"abs_delta_max": -0.5}, "drift.abs_delta_max: greater_than_or_equal_to"),
        ("linkage", {"legacy_only": 2}, "linkage.*: rows_balance"),
        ("linkage", {"service_rows": 2}, "linkage.*: rows_balance"),
        ("linkage", {"linkage_rate": 1.5}, "linkage.linkage_rate: less_than_or_equal_to"),
        ("lag", {"lag_p50_seconds": 5}, "lag.*: quantiles_ascend"),
        ("lag", {"owner": None}, "lag.owner: not_nullable"),
        ("discrepancies", {"legacy_key": None}, "discrepancies.*: one_key_is_there"),
        ("discrepancies", {"type": "odd"}, "discrepancies.type: isin"),
        ("discrepancies", {"evidence": "none"}, "discrepancies.evidence: str_matches"),
        ("discrepancies", {"last_seen": date(2025, 1, 1)}, "discrepancies.*: seen_in_order"),
        ("concentrations", {"inside": 21}, "concentrations.*: a_segment_is_part_of_the_whole"),
        ("audits", {"correct": 5}, "audits.*: what_is_correct_was_planted_and_found"),
        ("audits", {"recall": 1.5}, "audits.recall: less_than_or_equal_to"),
        ("readiness", {"status": "met"}, "readiness.*: nothing_is_missing_where_it_is_met"),
        ("readiness", {"measured": 2}, "readiness.*: nothing_is_missing_where_it_is_met"),
        ("readiness", {"status": "ready"}, "readiness.status: isin"),
        ("semantic_rules", {"violated": 2}, "semantic_rules.*: the_rate_is_that_of_the_counts"),
        ("semantic_rules", {"side": "both"}, "semantic_rules.side: isin"),
        ("runs", {"error": "it broke"}, "runs.*: failed_with_an_error"),
        ("runs", {"status": "failed"}, "runs.*: failed_with_an_error"),
        ("runs", {"finished_at": datetime(2025, 1, 1, tzinfo=UTC)}, "runs.*: ends_after_it_began"),
        ("fields", {"disposition": "lost"}, "fields.disposition: isin"),
        ("lineage", {"expression": None}, "lineage.expression: not_nullable"),
    ],
)
def test_what_cannot_be_true_is_found(table, changes, expectation):
    assert outputs.broken(table, [batch(table, **changes)]) == {expectation: 1}


def test_nothing_compared_has_no_rate():
    counts = dict.fromkeys(
        ("compared", "equal", "within_tolerance", "discrepant", "in_flight", "unexplained", "new"), 0
    )

    assert outputs.broken("drift", [batch("drift", **counts, stale_replica=0, drift_rate=None)]) == {}


def test_rows_are_counted_over_all_batches():
    wrong = batch("fields", disposition="lost")

    assert outputs.broken("fields", [wrong, batch("fields"), wrong]) == {"fields.disposition: isin": 2}
