"""Gates: what a capability was assessed to, for people and as a document."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from pipelines.cli import words
from pipelines.cli.narrow import Fitting
from pipelines.gates import Row, Status
from pipelines.readiness import Assessment

Assessed = Sequence[tuple[Assessment, Sequence[Row]]]
_STYLES = {Status.MET: "green", Status.NOT_MET: "bold red", Status.NOT_MEASURED: "dim"}
_SHOWN = 3  # of what is missing: all of it is in the table


def document(assessed: Assessed) -> list[dict[str, object]]:
    """Every gate of every date, what is missing as a list."""
    return [
        {"business_date": one.partition, **row, "evidence": _evidence(row)} for one, rows in assessed for row in rows
    ]


def report(assessed: Assessed) -> Iterator[RenderableType]:
    """Each capability and date: is it ready, and what is missing."""
    for one, rows in assessed:
        phase, met = str(rows[0]["phase"]).replace("_", " "), sum(row["status"] == Status.MET for row in rows)
        about = f"  {one.partition}  {one.capability.owner.team}  {phase}"
        yield Text.assemble("\n", (one.path, "bold cyan"), (about, "dim"))
        if met == len(rows):
            yield Text(f"ready: all {met} gates are met, legacy may be switched off for it", style="green")
        else:
            yield Text(f"not ready: {met} of {len(rows)} gates are met", style="bold red")
        yield Fitting(_table(rows))


def _table(rows: Iterable[Row]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("gate", "status"):
        table.add_column(name, no_wrap=True)
    for name in ("there", "required"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("what is missing", overflow="fold")
    for row in rows:
        status = Text(str(row["status"]).replace("_", " "), style=_STYLES[Status(str(row["status"]))])
        required = words.plural(int(str(row["required"])), str(row["unit"]))
        gate = str(row["gate"]).replace("_", " ")
        table.add_row(gate, status, words.number(row["measured"]), required, _missing(_evidence(row)))
    return table


def _evidence(row: Row) -> list[dict[str, str | int]]:
    found: list[dict[str, str | int]] = json.loads(str(row["evidence"]))
    return found


def _missing(evidence: Sequence[Mapping[str, str | int]]) -> str:
    shown = ", ".join(map(_said, evidence[:_SHOWN]))
    left = len(evidence) - _SHOWN
    return f"{shown} and {left:,} more" if left > 0 else shown


def _said(one: Mapping[str, str | int]) -> str:
    """One thing that is missing, in words."""
    name = ".".join(str(one[part]) for part in ("entity", "field", "rule") if part in one)
    if "breached" in one:
        return f"{name} ({words.plural(int(one['breached']), 'breach')}, last {one['last']})"
    if "never_measured_in" in one:
        return f"{name} (never measured)"
    if "days" in one:
        return f"{name} ({words.plural(int(one['days']), 'day')})"
    if "findings" in one:
        return f"{name} ({words.plural(int(one['findings']), 'finding')})"
    return f"{name} ({str(one['phase']).replace('_', ' ')})" if "phase" in one else name
