"""Tables: drift of an entity field by field; linkage, lag and semantic rules of all entities, for people."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from pipelines.causes import TYPES
from pipelines.cli import words
from pipelines.cli.figures import TABLES, Figures, Row
from pipelines.cli.narrow import Fitting
from pipelines.service_level import Verdict

_SHOWN_DAYS = 21
_WIDE = 120
_SHORT = {
    "out_of_order_update": "out_of_order", "stale_replica": "stale", "invalid_transformation": "transformation",
    "semantic_contradiction": "contradiction",
}  # fmt: skip


def report(figures: Sequence[Figures]) -> list[RenderableType]:
    """The last partition of each entity: drift, then linkage and lag of all."""
    parts: list[RenderableType] = [DriftTable(one) for one in figures if one.latest("drift")]
    if any(one.latest("linkage") for one in figures):
        parts += [LinkageTable(figures), lag(figures)]
    if any(one.latest("concentrations") for one in figures):
        parts.append(concentrations(figures))
    if any(one.latest("semantic_rules") for one in figures):
        parts.append(rules(figures))
    return parts


class DriftTable:
    """The latest partition of an entity, a row per field, with the trend up to it. Wide screens show more columns."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        wide = options.max_width >= _WIDE
        yield self._heading()
        table = _table("field", *(["criticality"] if wide else []))
        for name in ("compared", "discrepant", "in flight", "rate", "limit"):
            table.add_column(name, justify="right", no_wrap=True)
        table.add_column("verdict", no_wrap=True)
        table.add_column(_trend_title(self._figures.partitions), no_wrap=True)
        if wide:
            table.add_column("types", overflow="fold")
        for row in self._figures.latest("drift"):
            table.add_row(*self._cells(row, wide=wide))
        yield Fitting(table)

    def _heading(self) -> Text:
        latest = self._figures.latest("drift")
        about = latest[0] if latest else {}
        parts = [
            self._figures.partitions[-1],
            str(about.get("owner", "")),
            f"{about.get('system_of_record')} is right",
            f"translation {about.get('translation_version')}",
        ]
        return Text.assemble("\n", (self._figures.path, "bold cyan"), (f"  {'  '.join(filter(None, parts))}", "dim"))

    def _cells(self, row: Row, *, wide: bool) -> list[str | Text]:
        days = self._figures.trend(str(row["field"]))[-_SHOWN_DAYS:]
        cells: list[str | Text] = [
            words.number(row["compared"]),
            _count(row["discrepant"]),
            _count(row["in_flight"]),
            words.percent(row["drift_rate"]),
            words.percent(row["limit"]),
            words.verdict(row["verdict"]),
            words.trend([_rate(day) for day in days], [day and day["verdict"] for day in days]),
        ]
        name: list[str | Text] = [str(row["field"])]
        if wide:
            name.append(Text(str(row["criticality"]), style="dim"))
        return [*name, *cells, *([_types(row)] if wide else [])]


class LinkageTable:
    """Which rows found their counterpart, a line per entity. Narrow screens show the rarer verdicts as one number."""

    _RARE = ("ambiguous", "dangling", "duplicate", "rejected")

    def __init__(self, figures: Sequence[Figures]) -> None:
        self._figures = figures

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        wide = options.max_width >= _WIDE
        table = _table("linkage", *(["date"] if wide else []))
        names = ["legacy", "service", "matched", "legacy\nonly", "service\nonly"]
        for name in [*names, *(self._RARE if wide else ["other"]), "linked"]:
            table.add_column(name, justify="right", no_wrap=True, vertical="bottom")
        table.add_column("verdict", no_wrap=True)
        for one in self._figures:
            for row in one.latest("linkage"):
                table.add_row(one.path, *([one.partitions[-1]] if wide else []), *self._cells(row, wide=wide))
        yield Fitting(table)
        if not wide:
            yield Text(f"other: {', '.join(self._RARE)} (each for itself from {_WIDE} columns on)", style="dim")

    def _cells(self, row: Row, *, wide: bool) -> list[str | Text]:
        rejected = int(str(row["legacy_rejected"])) + int(str(row["service_rejected"]))
        rare = [int(str(row[name])) for name in self._RARE[:-1]] + [rejected]
        return [
            *(words.number(row[name]) for name in ("legacy_rows", "service_rows", "matched")),
            *(_count(row[name]) for name in ("legacy_only", "service_only")),
            *(_count(count) for count in (rare if wide else [sum(rare)])),
            words.percent(row["linkage_rate"]),
            words.verdict(row["verdict"]),
        ]


def lag(figures: Sequence[Figures]) -> Fitting:
    """How far replicas are behind, a line per entity."""
    table = _table("lag")
    for name in ("in flight", "behind", "median", "95 %", "largest", "allowed"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for one in figures:
        for row in one.latest("lag"):
            spans = ("lag_p50_seconds", "lag_p95_seconds", "lag_max_seconds", "allowed_seconds")
            table.add_row(
                one.path, _count(row["rows_in_flight"]), _count(row["rows_behind"]),
                *(words.duration(row[name]) for name in spans), words.verdict(row["verdict"]),
            )  # fmt: skip
    return Fitting(table)


def concentrations(figures: Sequence[Figures]) -> Fitting:
    """Where the discrepancies of a case are, a line per case that is concentrated somewhere."""
    table = _table("concentrated", "field", "case")
    table.add_column("share", justify="right", no_wrap=True)
    table.add_column("of", justify="right", no_wrap=True)
    table.add_column("are", overflow="fold")
    table.add_column("lift", justify="right", no_wrap=True)
    for one in figures:
        for row in one.latest("concentrations"):
            table.add_row(
                one.path, str(row["field"]), str(row["reason"]).replace("_", " "), words.percent(row["share"]),
                words.number(row["findings"]), str(row["segment"]), f"{float(str(row['lift'])):.3g}",
            )  # fmt: skip
    return Fitting(table)


def rules(figures: Sequence[Figures]) -> Fitting:
    """Which semantic rules hold, a line per rule and side."""
    table = _table("semantic rule", "entity", "side")
    for name in ("checked", "violated", "rate", "limit"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for one in figures:
        for row in one.latest("semantic_rules"):
            table.add_row(
                str(row["rule"]), one.path, str(row["side"]), words.number(row["checked"]), _count(row["violated"]),
                words.percent(row["violation_rate"]), words.percent(row["limit"]), words.verdict(row["verdict"]),
            )  # fmt: skip
    return Fitting(table)


def breached(figures: Sequence[Figures]) -> Fitting:
    """Every breached verdict of every partition, the latest first."""
    table = _table("date", "entity", "what")
    for name in ("measured", "limit"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("owner")
    rows = [(name, one, row) for one in figures for name in TABLES for row in one.all(name)]
    for name, one, row in sorted(rows, key=lambda found: str(found[2]["business_date"]), reverse=True):
        if row.get("verdict") == Verdict.BREACHED:
            table.add_row(str(row["business_date"]), one.path, *_breach(name, row), str(row["owner"]))
    return Fitting(table)


def _breach(table: str, row: Row) -> tuple[str, str, str]:
    """What is breached, by how much, and what is allowed."""
    if table == "drift":
        return f"drift of {row['field']}", words.percent(row["drift_rate"]), words.percent(row["limit"])
    if table == "semantic_rules":
        return f"rule {row['rule']} ({row['side']})", words.percent(row["violation_rate"]), words.percent(row["limit"])
    if table == "linkage":
        unlinked = 1 - float(str(row["linkage_rate"]))
        return "unlinked rows", words.percent(unlinked), words.percent(row["limit"])
    return "rows behind", words.number(row["rows_behind"]), words.duration(row["allowed_seconds"])


def _table(*names: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for name in names:
        table.add_column(name, no_wrap=True)
    return table


def _trend_title(partitions: Sequence[str]) -> str:
    shown = min(len(partitions), _SHOWN_DAYS)
    return f"last {shown} of {len(partitions)}" if shown < len(partitions) else words.plural(shown, "date")


def _count(value: object) -> Text:
    """A count of something unwelcome: none is quiet."""
    return Text(words.number(value), style="" if value else "dim")


def _rate(row: Row | None) -> float | None:
    return float(str(row["drift_rate"])) if row and row["drift_rate"] is not None else None


def _types(row: Row) -> Text:
    found = sorted(((int(str(row[name])), name) for name in TYPES if row[name]), reverse=True)
    return Text(", ".join(f"{count:,} {_SHORT.get(name, name).replace('_', ' ')}" for count, name in found))
