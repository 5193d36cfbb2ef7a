"""Evidence in words: why a discrepancy has its type and reason, said so that nobody needs to know our names.

The sentences themselves are those of `sentences`; what they are filled with is spelled here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from pipelines.cli import sentences, words
from pipelines.declarations import Side
from pipelines.explanation import Explanation

_SENTENCES = sentences.read()
_MOVED = "{replica} shows what {record} said on {witness}; {record} had moved on by {moved_on}."
_PROBLEMS = {"merge_cycle": "a circle of merges", "merge_conflict": "two merges that contradict each other"}
_FAILURES = {
    "unknown_code": "the code is not in its table",
    "no_such_day": "there is no such day",
    "impossible_date": "there is no such day",
    "unresolved_reference": "the identity map has no single counterpart for it",
}


def in_words(found: Explanation) -> str:
    """One to five sentences."""
    variants = _SENTENCES[str(found.finding["reason"])]
    known = _words(found)
    said = next(sentence for needed, sentence in variants if not needed or needed in known)
    told = ". ".join(_begun(sentence.format_map(known)) for sentence in said.split(". "))
    return " ".join(filter(None, (told.strip(), *_left_out(found), *_landed(found), *_lag(found))))


def _words(found: Explanation) -> dict[str, Any]:
    """What the sentences are filled with: the evidence, spelled, and who is who."""
    evidence, finding = found.evidence, found.finding
    record = Side(str(finding["system_of_record"]))
    spelled = {name: _SPELLED[name](value) for name, value in evidence.items() if name in _SPELLED}
    known = {
        name.removesuffix("_us"): _instant(value) if name.endswith("_us") else value for name, value in evidence.items()
    }
    known |= {
        "record": _named(record),
        "replica": _named(record.other),
        "side": evidence.get("side") or "either side's",
    }
    known |= {"copies": words.plural(max(len(found.legacy_rows), len(found.service_rows)), "row")} | spelled
    if found.rejected:  # by natural keys the proof does not know which check it was
        known["check"] = ", ".join(dict.fromkeys(str(row["check"]) for row in found.rejected))
    if "before_event" in evidence:
        missing = int(str(evidence["missing"]))
        known["lost"] = words.span("event", int(str(evidence["before_event"])) - missing, missing)
    known["moved"] = _begun(_MOVED.format_map(known)) if "witness" in evidence and "moved_on" in evidence else ""
    return known


def _rows(value: object) -> str:
    """How many, or which: a semantic rule names them."""
    if isinstance(value, int):
        return words.plural(value, "row")
    named = value if isinstance(value, list) else []
    return ", ".join(f"{row['entity']} {row['key']} ({row['side']})" for row in named)


def _sides(value: object) -> str:
    return " and in ".join(_named(Side(side)) for side in value) if isinstance(value, list) else str(value)


def _later(value: object) -> str:
    seconds = float(str(value))
    return f"{words.duration(abs(seconds))} {'later' if seconds > 0 else 'earlier'}"


def _failure(value: object) -> str:
    return _FAILURES.get(str(value), str(value).replace("_", " "))


def _numbers(value: object) -> str:
    return words.plural(int(str(value)), "number")


_SPELLED: Mapping[str, Any] = {
    "rows": _rows,
    "sides": _sides,
    "missing_in_partition": _numbers,
    "offset_seconds": _later,
    "failure": _failure,
    "problem": lambda value: _PROBLEMS.get(str(value), str(value)),
    "rejected_side": lambda value: _named(Side(str(value))),
    "deleted_on": lambda value: _named(Side(str(value))),
    "on": lambda value: _named(Side(str(value))),
    "offset": lambda value: f"{float(str(value)):+g}",
}


def _named(side: Side) -> str:
    return "legacy" if side is Side.LEGACY else "the service"


def _instant(value: object) -> str:
    return f"{datetime.fromtimestamp(int(str(value)) / 1_000_000, UTC):%Y-%m-%d %H:%M} UTC"


def _begun(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _left_out(found: Explanation) -> Iterator[str]:
    """Which single event a replica that is behind has left out, where that is known beside the cause."""
    number, is_said = found.evidence.get("not_applied"), found.finding["reason"] == "event_not_applied"
    if number is not None and not is_said and found.finding["type"] in {"stale_replica", "missing_event"}:
        replica = _named(Side(str(found.finding["system_of_record"])).other)
        yield _begun(f"{replica} has left out event {number} alone: all others come to what it shows.")


def _landed(found: Explanation) -> Iterator[str]:
    """What was in flight and is still there has not arrived."""
    if "in_flight_in" in found.evidence:
        yield f"On {found.evidence['in_flight_in']} it was in flight, and it has not arrived since."


def _lag(found: Explanation) -> Iterator[str]:
    seconds = found.finding["lag_seconds"]
    if seconds is not None:
        judged = (
            "within the lag allowed, so it counts as in flight" if found.finding["in_flight"] else "longer than allowed"
        )
        yield f"That is {words.duration(seconds)} behind: {judged}."
