"""What the ledger of an insurer world says of every day, and what the product found, in the same words."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta

from pipelines.declarations import IdentityTable, Side
from pipelines.job import Job
from tests.contexts.world import Reconciled

Cell = tuple[str | None, str | None, str | None]  # legacy key, service key, field (None: the whole row)
Days = dict[tuple[str, str], Counter[Cell]]  # by entity and day
Found = tuple[str, str, Cell]  # entity, day, cell
Cause = tuple[str, str]  # type, reason
BY_RULES = ("rule_violated",)  # found by rules over linked rows, not by comparing cells

Violation = tuple[object, str, object, object, object]

SHOWN = 5  # differences of a kind in a message


def planted(reconciled: Reconciled) -> Days:
    """Every cell that comparing the snapshots of a day must show.

    The product says two things in its own way. The counterpart of a rejected row is still linked, so the finding bears
    both keys where a table links them. And rows out of scope are counted, not found: they are so on purpose.
    """
    found: Days = {}
    for entry in reconciled.ledger:
        if not entry["cells"] or entry["reason"] == "out_of_scope":
            continue
        for day in _days(entry):
            cell = (entry["legacy_key"], entry["service_key"], entry["field"])
            if entry["reason"] == "counterpart_rejected":
                cell = _linked(reconciled, entry["entity"], day, cell)
            found.setdefault((entry["entity"], day), Counter())[cell] += 1
    return found


def discrepancies(reconciled: Reconciled) -> Days:
    """Every cell that the product found."""
    return {
        (job.entity.name, job.partition): Counter(
            (row["legacy_key"], row["service_key"], row["field"]) for row in reconciled.rows(job, "discrepancies")
        )
        for job in reconciled.jobs
    }


def rules_violated(reconciled: Reconciled) -> set[Violation]:
    """Every violation of a semantic rule: entity, day, rule, and both keys of the row it is about."""
    return {
        (entry["entity"], day, entry["note"], entry["legacy_key"], entry["service_key"])
        for entry in reconciled.ledger
        if entry["reason"] == "rule_violated"
        for day in _days(entry)
    }


def violations(reconciled: Reconciled) -> list[Violation]:
    """Every violation that the product found."""
    return [
        (job.entity.name, job.partition, row["rule"], row["legacy_key"], row["service_key"])
        for job in reconciled.jobs
        if reconciled.lake.manifest(job.address("violations"))
        for row in reconciled.rows(job, "violations")
    ]


def rejections(reconciled: Reconciled) -> dict[tuple[str, str, str], Counter[str]]:
    """Keys of the rows that contracts must reject, by entity, day and side."""
    found: dict[tuple[str, str, str], Counter[str]] = {}
    for entry in reconciled.ledger:
        if entry["type"] != "rejected" or entry["reason"] == "counterpart_rejected":
            continue
        side = Side.LEGACY if entry["legacy_key"] is not None else Side.SERVICE
        for day in _days(entry):
            found.setdefault((entry["entity"], day, side), Counter())[entry[f"{side}_key"]] += 1
    return found


def rejected(reconciled: Reconciled) -> dict[tuple[str, str, str], Counter[str]]:
    """Keys of the rows that contracts did reject."""
    found = {
        (job.entity.name, job.partition, side): Counter(
            _key_of(job, side, json.loads(row["raw"])) for row in reconciled.rows(job, f"{side}_rejected")
        )
        for job in reconciled.jobs
        for side in Side
    }
    return {place: keys for place, keys in found.items() if keys}


def differences(expected: Days, found: Days) -> list[str]:
    """The first differences of each kind: entity, field, on which day, and which cell."""
    lines: list[str] = []
    for what, more, less in (("not found", expected, found), ("not planted", found, expected)):
        kinds: dict[tuple[str, str], list[str]] = {}
        for (entity, day), cells in sorted(more.items()):
            for (legacy, service, field), count in (cells - less.get((entity, day), Counter())).items():
                kinds.setdefault((entity, field or "(row)"), []).append(f"{day} {legacy} / {service} x{count}")
        for (entity, field), places in sorted(kinds.items()):
            lines.append(f"{what}: {len(places)} of {entity}.{field}: {'; '.join(places[:SHOWN])}")
    return lines


def _days(entry: dict[str, object]) -> Iterator[str]:
    first, last = entry["first_day"], entry["last_day"]
    assert isinstance(first, date)
    assert isinstance(last, date)
    return ((first + timedelta(days=number)).isoformat() for number in range((last - first).days + 1))


def _linked(reconciled: Reconciled, entity: str, day: str, cell: Cell) -> Cell:
    """The cell with the other key too, if the identity table of the day knows it."""
    job = next(job for job in reconciled.jobs if (job.entity.name, job.partition) == (entity, day))
    table = job.entity.identity
    if not isinstance(table, IdentityTable):
        return cell
    with (reconciled.world / "identity" / entity / f"{day}.csv").open(encoding="utf-8", newline="") as file:
        links = [
            ("|".join(row[name] for name in table.legacy), "|".join(row[name] for name in table.service))
            for row in csv.DictReader(file)
            if row["valid_from"] <= day and (not row["valid_to"] or day < row["valid_to"])
        ]
    legacy, service, field = cell
    (link,) = [link for link in links if legacy == link[0] or service == link[1]]
    return (*link, field)


def _key_of(job: Job, side: Side, raw: dict[str, str]) -> str:
    return "|".join(raw[name].strip() for name in job.holder(side).key)


def causes_planted(reconciled: Reconciled) -> dict[Found, Cause]:
    """Type and reason of every planted cell, on every day, in the product's words.

    That the counterpart broke its contract is a matter of linkage there. Violated rules are not in any cell.
    """
    found: dict[Found, Cause] = {}
    for entry in reconciled.ledger:
        if not entry["cells"] or entry["reason"] == "out_of_scope":
            continue
        rejected = entry["reason"] == "counterpart_rejected"
        cause = ("key_linkage" if rejected else str(entry["type"]), str(entry["reason"]))
        for day in _days(entry):
            cell = (entry["legacy_key"], entry["service_key"], entry["field"])
            if rejected:
                cell = _linked(reconciled, entry["entity"], day, cell)
            found[entry["entity"], day, cell] = cause
    return found


def causes_found(reconciled: Reconciled) -> dict[Found, Cause]:
    """Type and reason of everything the product found."""
    return {
        (job.entity.name, job.partition, (row["legacy_key"], row["service_key"], row["field"])): (
            row["type"],
            row["reason"],
        )
        for job in reconciled.jobs
        for row in reconciled.rows(job, "discrepancies")
        if row["reason"] not in BY_RULES
    }
