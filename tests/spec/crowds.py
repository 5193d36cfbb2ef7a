"""Many cases in one world: each is told of a thing called 1, and the n-th of them is thing n.

Reconciling takes as long for forty things as for one, so that cases which are declared alike share a lake.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from pipelines.job import Job
from tests.spec.given import rows

Days = Sequence[str]  # a table in words for each day


def together(tables: Days) -> str:
    """One table that says of thing n what the n-th one says of thing 1."""
    (head,) = {table.splitlines()[0] for table in tables}
    lines = [
        re.sub(r"^1 ", f"{number} ", line) for number, table in enumerate(tables, 1) for line in table.splitlines()[1:]
    ]
    return "\n".join([head, *lines])


def by_day(cases: Sequence[Days]) -> list[str]:
    """All cases day by day; one that has fewer days than others stays as it was on its last."""
    most = max(map(len, cases))
    return [together([case[min(day, len(case) - 1)] for case in cases]) for day in range(most)]


def findings(job: Job, ends: Sequence[int]) -> list[list[dict[str, object]]]:
    """What was found of each case on its last day, where `ends` says how many days it has."""
    day = [replace(job, partition=f"2026-01-{end:02}") for end in range(1, max(ends) + 1)]
    found = [rows(each, "discrepancies") for each in day]
    things = set(map(str, range(1, len(ends) + 1)))
    assert all(things & {row["legacy_key"], row["service_key"]} for of in found for row in of), "nothing of others"
    return [
        [row for row in found[end - 1] if str(number) in {row["legacy_key"], row["service_key"]}]
        for number, end in enumerate(ends, 1)
    ]


def reasons(job: Job, ends: Sequence[int]) -> list[list[tuple[object, object]]]:
    """Type and reason of what was found of each case on its last day."""
    return [[(row["type"], row["reason"]) for row in of] for of in findings(job, ends)]
