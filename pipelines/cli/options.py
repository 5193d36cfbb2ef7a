"""Options that several commands share, with one name and one help text each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated

import typer

from pipelines.lake import Lake, lake_in


def parse_date(text: str) -> date:
    """A date as people write it here. Raises BadParameter."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f'"{text}" is no date such as 2026-03-09') from None


def _date_option(name: str, text: str) -> object:
    return typer.Option(name, metavar="DATE", parser=parse_date, help=text)


AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, nothing else there.")]
LakePath = Annotated[
    str | None,
    typer.Option("--lake", envvar="COEXIST_LAKE", metavar="DIR", help="The lake; data/lake when not said otherwise."),
]
ContextNames = Annotated[
    list[str] | None, typer.Option("--context", "-c", metavar="NAME", help="Only this context; may be repeated.")
]
EntityNames = Annotated[
    list[str] | None,
    typer.Option(
        "--entity", "-e", metavar="NAME", help="Only this entity, as entity or context.entity; may be repeated."
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers", "-w", min=1, metavar="N", help="Processes side by side; one per processor if there is much."
    ),
]
OneDate = Annotated[date | None, _date_option("--date", "Only the partition of this date.")]
FirstDate = Annotated[date | None, _date_option("--from", "First date of a range.")]
LastDate = Annotated[date | None, _date_option("--to", "Last date of a range.")]


@dataclass(frozen=True)
class Dates:
    """The dates asked for: one, a range that may be open at either end, or all."""

    first: date | None = None
    last: date | None = None
    exact: bool = False

    @staticmethod
    def of(one: date | None, first: date | None, last: date | None) -> Dates:
        """From the options. Raises BadParameter when they contradict each other."""
        if one and (first or last):
            raise typer.BadParameter("says one date, and --from and --to a range: choose", param_hint="--date")
        if first and last and last < first:
            raise typer.BadParameter(f"{first} is after --to {last}", param_hint="--from")
        return Dates(one, one, exact=True) if one else Dates(first, last)

    def hold(self, partition: str) -> bool:
        """Whether a partition key is among them."""
        day = date.fromisoformat(partition)
        return (self.first is None or day >= self.first) and (self.last is None or day <= self.last)

    def __str__(self) -> str:
        if self.exact:
            return f"--date {self.first}"
        named = (("--from", self.first), ("--to", self.last))
        return " ".join(f"{name} {day}" for name, day in named if day) or "all dates"


def lake_at(place: str | None) -> Lake:
    """The lake that was asked for, a folder or a URL, else the default one."""
    return lake_in(place or "")
