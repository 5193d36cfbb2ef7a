"""Verdicts as Dagster checks: what passes, what warns, what is an error, and what is written beside it."""

from datetime import UTC, datetime

import dagster as dg
import pytest

from checks import asset_checks
from pipelines.declarations import Criticality, ServiceLevel, Side
from pipelines.lake import Manifest
from pipelines.snapshot import Snapshot

PASS, WARN, ERROR = "pass", "warn", "error"


def outcome(result):
    if result.passed:
        return PASS
    return ERROR if result.severity is dg.AssetCheckSeverity.ERROR else WARN


def field(name, verdict, *, rate=0.0, criticality="major"):
    counts = {"compared": 100, "discrepant": round((rate or 0) * 100), "in_flight": 0}
    return {"field": name, "verdict": verdict, "drift_rate": rate, "limit": 0.01, "criticality": criticality} | counts


def rule(name, verdict, criticality="major"):
    counts = {"checked": 9, "violated": 1, "undecided": 0, "not_measured_because": None}
    return {"rule": name, "side": "legacy", "verdict": verdict, "criticality": criticality} | counts


def taken(read, rejected, undeclared=()):
    now = datetime.now(UTC)
    rows = Manifest(read - rejected, "d", "r", now, notes={"rows_in": read, "undeclared": list(undeclared)})
    return Snapshot(rows, Manifest(rejected, "d", "r", now))


class TestDrift:
    @pytest.mark.parametrize(
        ("rows", "expected"),
        [
            pytest.param([field("a", "met")], PASS, id="met"),
            pytest.param([field("a", "met"), field("b", "warned", rate=0.01)], WARN, id="warned"),
            pytest.param([field("a", "breached", rate=0.2)], WARN, id="a major field breached"),
            pytest.param(
                [field("a", "breached", rate=0.2, criticality="critical")], ERROR, id="a critical one breached"
            ),
            pytest.param(
                [field("a", "breached", rate=0.2), field("b", "met", criticality="critical")],
                WARN,
                id="the critical one met",
            ),
            pytest.param([field("a", "warned", rate=0.01, criticality="critical")], WARN, id="the critical one warned"),
            pytest.param([field("a", "not_measured", rate=None)], WARN, id="nothing measured is not green"),
            pytest.param(
                [field("a", "not_measured", rate=None), field("b", "met")], PASS, id="one field without values"
            ),
        ],
    )
    def test_outcome(self, rows, expected):
        assert outcome(asset_checks.of_drift(rows)) == expected

    def test_its_line_names_the_worst_fields_and_counts_the_others(self):
        rows = [
            field(name, "breached", rate=rate) for name, rate in zip("abcde", (0.1, 0.5, 0.3, 0.02, 0.4), strict=True)
        ]

        assert asset_checks.of_drift(rows).description == (
            "5 of 5 fields breached: b 50% (limit 1%), e 40% (limit 1%), c 30% (limit 1%) and 2 more"
        )

    @pytest.mark.parametrize(
        ("verdict", "rate", "told"),
        [
            ("warned", 0.005, "1 of 2 fields warned: a 0.5% (limit 1%)"),
            ("met", 0.0, "met: 2 fields"),
            ("not_measured", None, "met: 2 fields"),
        ],
    )
    def test_its_line_counts_only_the_fields_that_it_is_about(self, verdict, rate, told):
        assert asset_checks.of_drift([field("a", verdict, rate=rate), field("b", "met")]).description == told

    def test_its_table_has_all_fields_the_worst_first(self):
        table = asset_checks.of_drift(
            [field("a", "met"), field("b", "not_measured", rate=None), field("c", "breached", rate=1.0)]
        )
        lines = table.metadata["table"].value.splitlines()

        assert [line.split(" | ")[0] for line in lines[2:]] == ["| c", "| a", "| b"]
        assert lines[-1] == "| b | not_measured | not measured | 1% | 100 | 0 | 0 | major |"

    def test_each_measured_field_has_a_figure(self):
        figures = asset_checks.of_drift([field("a", "met"), field("b", "not_measured", rate=None)]).metadata

        assert [name for name in figures if name != "table"] == ["drift_rate.a"]


class TestRules:
    @pytest.mark.parametrize(
        ("rows", "expected", "told"),
        [
            ([rule("a", "met"), rule("b", "met")], PASS, "met: 2 evaluated"),
            ([rule("a", "met"), rule("b", "not_measured")], WARN, "b in legacy: not measured"),
            ([rule("a", "met"), rule("b", "warned")], WARN, "b in legacy: 1 of 9"),
            ([rule("a", "met", "critical"), rule("b", "breached")], WARN, "b in legacy: 1 of 9"),
            ([rule("a", "not_measured"), rule("b", "breached", "critical")], ERROR,
             "a in legacy: not measured, b in legacy: 1 of 9"),
        ],
    )  # fmt: skip
    def test_outcome(self, rows, expected, told):
        result = asset_checks.of_rules(rows)

        assert (outcome(result), result.description) == (expected, told)


class TestContract:
    @pytest.mark.parametrize(
        ("read", "rejected", "limit", "expected"),
        [
            pytest.param(100, 0, 0.0, PASS, id="all kept"),
            pytest.param(0, 0, 0.0, PASS, id="no rows"),
            pytest.param(100, 1, 0.05, WARN, id="fewer than may be unlinked"),
            pytest.param(100, 10, 0.05, ERROR, id="more than may be unlinked"),
        ],
    )
    def test_outcome(self, read, rejected, limit, expected):
        contract, _ = asset_checks.of_snapshot(taken(read, rejected), [], against=ServiceLevel(limit))

        assert outcome(contract) == expected

    def test_what_was_rejected_is_counted_by_check_and_column(self):
        rejected = [{"check": "isin", "field": "status", "rows": 2}, {"check": "unreadable", "field": None, "rows": 1}]
        contract, _ = asset_checks.of_snapshot(taken(9, 3), rejected, against=ServiceLevel(0.0))

        assert contract.description == "3 of 9 rows rejected"
        assert "| isin | status | 2 |\n| unreadable |  | 1 |" in contract.metadata["table"].value

    def test_undeclared_columns_warn(self):
        _, columns = asset_checks.of_snapshot(taken(1, 0, ["new", "newer"]), [], against=ServiceLevel(0.0))

        assert (outcome(columns), columns.description) == (WARN, "not named by the contract: new, newer")


@pytest.mark.parametrize(
    ("verdict", "rate", "criticality", "expected"),
    [
        ("met", 1.0, Criticality.CRITICAL, PASS),
        ("warned", 0.99, Criticality.CRITICAL, WARN),
        ("breached", 0.5, Criticality.CRITICAL, ERROR),
        ("breached", 0.5, Criticality.MAJOR, WARN),
        ("not_measured", None, Criticality.CRITICAL, WARN),
    ],
)
def test_linkage(verdict, rate, criticality, expected):
    row = {"verdict": verdict, "linkage_rate": rate, "limit": 0.0, "legacy_rows": 4}

    assert outcome(asset_checks.of_linkage(row, criticality)) == expected


@pytest.mark.parametrize(("verdict", "expected"), [("met", PASS), ("breached", WARN), ("not_measured", WARN)])
def test_lag(verdict, expected):
    assert outcome(asset_checks.of_lag({"verdict": verdict, "rows_behind": 3, "rows_in_flight": 1})) == expected


@pytest.mark.parametrize(("matched", "expected"), [(3, PASS), (2, ERROR)])
def test_balance(matched, expected):
    verdicts = [
        {"side": "legacy", "verdict": "matched", "n": matched},
        {"side": "service", "verdict": "matched", "n": 4},
    ]
    result = asset_checks.of_balance(verdicts, {Side.LEGACY: 4, Side.SERVICE: 4}, {Side.LEGACY: 1, Side.SERVICE: 0})

    assert outcome(result) == expected
    assert result.description.startswith(f"legacy: 4 read, {matched + 1} accounted for")


@pytest.mark.parametrize(("broken", "expected"), [({}, PASS), ({"drift.verdict: isin": 2}, ERROR)])
def test_models(broken, expected):
    assert outcome(asset_checks.of_models(broken)) == expected


def test_every_check_of_a_stage_gets_a_result():
    key, partitions = dg.AssetKey(["c", "e_legacy"]), dg.StaticPartitionsDefinition(["2026-01-01"])
    declared = {spec.name for spec in asset_checks.specs(key, "legacy", partitions)}
    given = {result.check_name for result in asset_checks.of_snapshot(taken(1, 0), [], against=ServiceLevel(0.0))}

    assert declared == given
