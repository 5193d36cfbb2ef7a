"""Verdicts as Dagster checks: which checks a stage's asset has, and what its results come to.

Checks judge and never block: what a breach means for the migration is for people to decide. No value of a row is shown,
only names and counts. The only module of `checks` that knows Dagster.
"""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import dagster as dg

from pipelines.declarations import Criticality, ServiceLevel, Side
from pipelines.service_level import Verdict, judge, worst
from pipelines.snapshot import Snapshot

Row = Mapping[str, Any]
_NAMED = 3  # breached fields named in a check's one line; the table has them all

_OF_SIDE = {
    "contract": "Every row keeps the contract; the others are kept apart, with the check they failed.",
    "undeclared_columns": "The source holds no column that the contract does not name.",
}
_SPECS: dict[str, dict[str, str]] = {
    "legacy": _OF_SIDE,
    "service": _OF_SIDE,
    "discrepancies": {
        "balance": "Every row read on either side is counted exactly once.",
        "published_model": "The tables keep the models that BI relies on (checks/outputs.py).",
    },
    "semantic_rules": {
        "semantic_rules": "Every rule over linked entities holds. An error when a critical one is breached.",
        "published_model": "The tables keep the models that BI relies on (checks/outputs.py).",
    },
    "audits": {
        "audit": "All that was planted in a copy was found for what it is, and nothing else.",
        "published_model": "The tables keep the models that BI relies on (checks/outputs.py).",
    },
    "drift": {
        "drift": "Every field's drift rate is within its limit. An error when a critical field is breached.",
        "linkage": "The rate of rows without a counterpart is within the limit.",
        "lag": "No replica is behind for longer than allowed.",
        "published_model": "The tables keep the models that BI relies on (checks/outputs.py).",
    },
}


def specs(key: dg.AssetKey, stage: str, partitions: dg.PartitionsDefinition[str]) -> list[dg.AssetCheckSpec]:
    """The checks of a stage's asset. Partitioned like it: each day shows its own verdict."""
    with warnings.catch_warnings():
        # Partitioned checks are a preview: we pin Dagster exactly, and nobody needs to read that for each check.
        warnings.filterwarnings("ignore", message="Specifying a partitions_def on an AssetCheckSpec")
        return [
            dg.AssetCheckSpec(name, asset=key, description=description, partitions_def=partitions)
            for name, description in _SPECS.get(stage, {}).items()
        ]


def of_snapshot(taken: Snapshot, rejected: Iterable[Row], *, against: ServiceLevel) -> list[dg.AssetCheckResult]:
    """Contract and columns of one side. Rejected rows cannot be linked: beyond the linkage level they are an error."""
    read, refused = taken.manifest.notes["rows_in"], taken.rejected.rows
    undeclared = taken.manifest.notes["undeclared"]
    verdict = judge(refused / read if read else None, against=against)
    return [
        _result(
            "contract",
            passed=not refused,
            critical=verdict is Verdict.BREACHED,
            says=f"{refused} of {read} rows rejected",
            figures={"rejected": refused},
            table=_markdown(("check", "column", "rows"), [(r["check"], r["field"], r["rows"]) for r in rejected]),
        ),
        _result(
            "undeclared_columns",
            passed=not undeclared,
            says=f"not named by the contract: {', '.join(undeclared)}" if undeclared else "none",
        ),
    ]


def of_balance(verdicts: Iterable[Row], read: Mapping[Side, int], rejected: Mapping[Side, int]) -> dg.AssetCheckResult:
    """The account of all rows, side by side. Rows that do not balance have failed the run before."""
    account = {(row["side"], row["verdict"]): row["n"] for row in verdicts}
    account |= {(side.value, "rejected"): n for side, n in rejected.items()}
    sums = {side: sum(n for (of, _), n in account.items() if of == side) for side in Side}
    return _result(
        "balance",
        passed=all(sums[side] == read[side] for side in Side),
        critical=True,
        says="; ".join(f"{side}: {read[side]} read, {sums[side]} accounted for" for side in Side),
        table=_markdown(("side", "rows", "count"), [(*of, n) for of, n in sorted(account.items())]),
    )


def of_drift(rows: Sequence[Row]) -> dg.AssetCheckResult:
    """All fields in one check, with a figure for each, so that the UI plots them one by one."""
    verdict = worst([Verdict(row["verdict"]) for row in rows])
    off = [row for row in worst_first(rows) if row["verdict"] == verdict]
    named = [f"{row['field']} {_percent(row['drift_rate'])} (limit {_percent(row['limit'])})" for row in off]
    more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    shown = f"{len(off)} of {len(rows)} fields {verdict}: {', '.join(named[:_NAMED])}{more}"
    return _result(
        "drift",
        passed=verdict is Verdict.MET,
        critical=verdict is Verdict.BREACHED and any(row["criticality"] == Criticality.CRITICAL for row in off),
        says=(f"{verdict}: {len(rows)} fields" if verdict is Verdict.MET else shown).replace("_", " "),
        figures={f"drift_rate.{row['field']}": row["drift_rate"] for row in rows},
        table=drift_table(rows),
    )


def of_rules(rows: Sequence[Row]) -> dg.AssetCheckResult:
    """All rules in one check, with a figure for each side of each. Of one that was not evaluated nothing is known."""
    off = [row for row in rows if row["verdict"] != Verdict.MET]
    named = [f"{row['rule']} in {row['side']}: {_violated(row)}" for row in off]
    head = ("rule", "side", "verdict", "checked", "violated", "undecided", "not measured because")
    columns = ("rule", "side", "verdict", "checked", "violated", "undecided", "not_measured_because")
    return _result(
        "semantic_rules",
        passed=not off,
        critical=any(row["verdict"] == Verdict.BREACHED and row["criticality"] == Criticality.CRITICAL for row in off),
        says=", ".join(named) or f"met: {len(rows)} evaluated",
        figures={f"violated.{row['rule']}.{row['side']}": row["violated"] for row in rows},
        table=_markdown(head, [tuple(row[name] for name in columns) for row in rows]),
    )


def _violated(row: Row) -> str:
    return "not measured" if row["verdict"] == Verdict.NOT_MEASURED else f"{row['violated']} of {row['checked']}"


def of_audit(rows: Sequence[Row]) -> dg.AssetCheckResult:
    """Recall and precision of every cause, and the noise floor."""
    wrong = [row for row in rows if not row["planted"] == row["found"] == row["correct"]]
    noise = max((row["noise_findings"] for row in rows), default=0)
    head = ("type", "reason", "planted", "found", "correct", "taken_for", "not_planted_because")
    tried = sum(1 for row in rows if row["planted"])
    return _result(
        "audit",
        passed=not wrong and not noise,
        says=f"{len(wrong)} causes missed or mistaken, {tried} planted; noise floor {noise}",
        figures={"causes_wrong": len(wrong), "noise_findings": noise},
        table=_markdown(head, [tuple(row[name] for name in head) for row in rows]),
    )


def of_linkage(row: Row, criticality: Criticality) -> dg.AssetCheckResult:
    """Whether enough rows have a counterpart."""
    rate = row["linkage_rate"]
    unlinked = None if rate is None else 1 - rate
    return _result(
        "linkage",
        passed=row["verdict"] == Verdict.MET,
        critical=row["verdict"] == Verdict.BREACHED and criticality is Criticality.CRITICAL,
        says=f"{row['verdict']}: {_percent(unlinked)} unlinked (limit {_percent(row['limit'])})".replace("_", " "),
        figures={"unlinked": unlinked},
        table=_markdown(("rows", "count"), _numbers(row)),
    )


def of_lag(row: Row) -> dg.AssetCheckResult:
    """Whether a replica is behind for longer than allowed."""
    return _result(
        "lag",
        passed=row["verdict"] == Verdict.MET,
        says=f"{row['verdict']}: {row['rows_behind']} pairs behind, {row['rows_in_flight']} in flight".replace(
            "_", " "
        ),
        figures={"behind": row["rows_behind"], "in_flight": row["rows_in_flight"]},
        table=_markdown(("what", "value"), _numbers(row)),
    )


def of_models(broken: Mapping[str, int]) -> dg.AssetCheckResult:
    """Whether our own tables are what BI relies on; `broken` counts rows per table, column and check."""
    return _result(
        "published_model",
        passed=not broken,
        critical=True,
        says=f"{len(broken)} expectations broken" if broken else "kept",
        table=_markdown(("expectation", "rows"), list(broken.items())),
    )


def drift_table(rows: Sequence[Row]) -> str:
    """The drift of every field, the worst first, as Markdown."""
    counts = ("compared", "discrepant", "in_flight")
    lines = [
        (
            r["field"],
            r["verdict"],
            _percent(r["drift_rate"]),
            _percent(r["limit"]),
            *(r[n] for n in counts),
            r["criticality"],
        )
        for r in worst_first(rows)
    ]
    return _markdown(("field", "verdict", "drift rate", "limit", *counts, "criticality"), lines) or ""


def worst_first(rows: Sequence[Row]) -> list[Row]:
    """Judged rows by verdict, the gravest first, then by how far they are off."""
    return sorted(
        rows, key=lambda row: (list(Verdict).index(Verdict(row["verdict"])), row["drift_rate"] or 0.0), reverse=True
    )


def _result(  # noqa: PLR0913 (each is a part of what the UI shows, all by name)
    name: str,
    *,
    passed: bool,
    says: str,
    critical: bool = False,
    figures: Mapping[str, float | None] | None = None,
    table: str | None = None,
) -> dg.AssetCheckResult:
    severity = dg.AssetCheckSeverity.ERROR if critical else dg.AssetCheckSeverity.WARN
    metadata: dict[str, Any] = {n: figure for n, figure in (figures or {}).items() if figure is not None}
    if table:
        metadata["table"] = dg.MetadataValue.md(table)
    return dg.AssetCheckResult(check_name=name, passed=passed, severity=severity, description=says, metadata=metadata)


def _numbers(row: Row) -> list[tuple[str, int]]:
    return [(name.replace("_", " "), value) for name, value in row.items() if isinstance(value, int)]


def _markdown(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str | None:
    if not rows:
        return None
    lines = [head, ["---"] * len(head), *(["" if cell is None else str(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _percent(rate: float | None) -> str:
    return "not measured" if rate is None else f"{100 * rate:.3g}%"
