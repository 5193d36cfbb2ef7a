"""Evidence in words: why a discrepancy has its type and reason, said so that nobody needs to know our names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.cli import words
from pipelines.declarations import Side
from pipelines.explanation import Explanation

_REASONS = {
    "unmapped": "No link of the identity map leads from this {side} row to the other side.",
    "dangling": "The identity map links this {side} row to a row that is not there.",
    "ambiguous": "Several candidates, none of them certain: which rows belong together cannot be told.",
    "cardinality_violated": "There are more certain links than the declared cardinality allows.",
    "duplicate_key": "{rows} rows of {side} have this same key, so none of them can be compared.",
    "null_key": "A part of the key is missing, so the {side} row cannot be linked.",
    "deletion_not_propagated": "{record} deleted this row, {replica} still has it.",
    "written_by_replica": "{replica} deleted this row, although {record} is right about it and still has it.",
    "no_evidence": "Nothing explains it: no earlier state of {record} reads like {replica}, and the rule did not fail.",
}
_FAILURES = {
    "unknown_code": "the code is not in its table",
    "no_such_day": "there is no such day",
    "impossible_date": "there is no such day",
    "unresolved_reference": "the identity map has no single counterpart for it",
}


def in_words(found: Explanation) -> str:
    """One or two sentences."""
    evidence, finding = found.evidence, found.finding
    record = Side(str(finding["system_of_record"]))
    named = {"record": _named(record), "replica": _named(record.other)}
    if "witness" in evidence:
        said = (
            f"{named['replica']} shows what {named['record']} said on {evidence['witness']}; "
            f"{named['record']} had moved on by {evidence['moved_on']}."
        )
        return _sentence(f"{said} {_lag(finding['lag_seconds'], in_flight=bool(finding['in_flight']))}")
    if "failure" in evidence:
        failure = str(evidence["failure"])
        why = _FAILURES.get(failure, failure.replace("_", " "))
        return f'The rule "{evidence.get("rule")}" cannot translate what legacy says: {why}.'
    if "rows" in evidence and "rule" in evidence:
        return _of_rule(evidence)
    template = _REASONS.get(str(finding["reason"]))
    if template is None:
        return _sentence(str(finding["reason"]).replace("_", " ") + ".")
    side = evidence.get("side")
    return _sentence(template.format(side=side or "either side's", rows=evidence.get("rows"), **named))


def _of_rule(evidence: Mapping[str, Any]) -> str:
    sides = " and in ".join(_named(Side(side)) for side in evidence["sides"])
    rows = [f"{row['entity']} {row['key']} ({row['side']})" for row in evidence["rows"]]
    return (
        f'The semantic rule "{evidence["rule"]}" does not hold in {sides}, for these rows together: {", ".join(rows)}.'
    )


def _named(side: Side) -> str:
    return "legacy" if side is Side.LEGACY else "the service"


def _lag(seconds: object, *, in_flight: bool) -> str:
    if seconds is None:
        return ""
    judged = "within the lag allowed, so it counts as in flight" if in_flight else "longer than allowed"
    return f"That is {words.duration(seconds)} behind: {judged}."


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip()
