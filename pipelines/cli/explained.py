"""One discrepancy on the screen: what it is, why, both rows, the translation, the links, the past, the versions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import groupby

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from pipelines.cli import evidence, remedies, witnesses, words
from pipelines.cli.figures import Row
from pipelines.cli.narrow import Beside, Fitting, Titled
from pipelines.cli.witnesses import plain, title, value
from pipelines.declarations import Entity, Field, Holder, Side, SoftDelete
from pipelines.explanation import Explanation
from pipelines.expressions import columns_of

_LINK_COLUMNS = ("legacy_key", "service_key", "valid_from", "valid_to", "provenance", "confidence")
_NO_ROW = Text("no row", style="dim")


def sheet(found: Explanation, entity: Entity) -> Iterator[RenderableType]:
    """Everything about a finding, from the short answer to the details."""
    about = next((field for field in entity.fields if field.name == found.finding["field"]), None)
    yield _header(found)
    if not found.involved:
        yield title("Rows")
        yield _rows(found, entity, about)
    if found.steps:
        yield title("Translation", found.origin)
        yield _steps(found, about)
    yield title("Links", "" if found.links else "none")
    if found.links:
        yield Fitting(_links(found.links))
    yield from witnesses.parts(found)
    if found.earlier:
        yield title("Past", f"{found.finding['field']} on both sides")
        yield Fitting(_past(found.earlier))
    yield Text(f"\n{_versions(found)}\nrun: {found.finding['run_id']}", style="dim")


def _versions(found: Explanation) -> str:
    """Those of today, by which values are translated here, and that of the run, where it was another."""
    versions = ", ".join(f"{name.removesuffix('_version').replace('_', ' ')} {v}" for name, v in found.versions.items())
    then = found.finding["translation_version"]
    return f"versions: {versions}" + (
        f" (found by translation {then})" if then != found.versions["translation_version"] else ""
    )


def _header(found: Explanation) -> RenderableType:
    finding = found.finding
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    if finding["field"] is not None:
        grid.add_row("expected", value(finding["expected"]))
        grid.add_row("actual", value(finding["actual"]))
    grid.add_row("keys", f"legacy {plain(finding['legacy_key'])}   service {plain(finding['service_key'])}")
    grid.add_row("why", Text(evidence.in_words(found), style="bold"))
    grid.add_row("to do", remedies.of_reason(finding["reason"]))
    if found.concentration:
        grid.add_row("its like", _its_like(found.concentration))
    if found.condition:
        grid.add_row("rule", found.condition)
    if found.impact:
        grid.add_row("impact", found.impact)
    grid.add_row("owner", f"{found.owner}  {found.contact}  ({finding['criticality']})")
    right = "the service" if finding["system_of_record"] == Side.SERVICE else "legacy"
    grid.add_row("right is", right)
    grid.add_row("since", _since(found))
    if found.followed_by:
        grid.add_row("then", _followed_by(found.followed_by))
    grid.add_row("id", Text(str(finding["discrepancy_id"])))
    what = f"{finding['context']}.{finding['entity']}" + (f".{finding['field']}" if finding["field"] else "")
    title = Text.assemble((what, "bold cyan"), "  ", (_kind(finding), "yellow" if finding["in_flight"] else "bold red"))
    return Titled(grid, title)


def _its_like(segment: Row) -> str:
    """Where the findings of the same case are."""
    share, lift = words.percent(segment["share"]), f"{float(str(segment['lift'])):.3g}"
    return f"{share} of {segment['findings']} are in {segment['segment']} ({lift} times as dense as elsewhere)"


def _since(found: Explanation) -> str:
    first, last = str(found.finding["first_seen"]), found.business_date
    flight = ", in flight: within the lag allowed" if found.finding["in_flight"] else ""
    seen = f", last seen {last}" if first != last else ""
    gone = f", gone on {found.resolved}" if found.resolved else ""
    return f"{first}{seen}{gone}{_returns(found)}{flight}"


def _followed_by(finding: Row) -> str:
    """What it became: a finding of another type is another one."""
    return f"{_kind(finding)} ({str(finding['discrepancy_id'])[:12]})"


def _kind(finding: Row) -> str:
    return f"{finding['type']}: {finding['reason']}".replace("_", " ")


def _returns(found: Explanation) -> str:
    """How often it was gone and came back, if it did."""
    times = int(str(found.history.get("reopened", 0)))
    return f", came back {words.plural(times, 'time')} (first seen {found.history['first_seen']})" if times else ""


def _rows(found: Explanation, entity: Entity, about: Field | None) -> RenderableType:
    legacy = about.rule.columns() if about else _of_deletion(entity.legacy)
    service = (about.name,) if about else _of_deletion(entity.service)
    return Beside(
        _row_table(Side.LEGACY, found.legacy_rows, entity.legacy, legacy),
        _row_table(Side.SERVICE, found.service_rows, entity.service, service),
    )


def _of_deletion(holder: Holder) -> tuple[str, ...]:
    """The columns that say whether a row is deleted: what a finding about a whole row is often about."""
    return columns_of(holder.deletion.when) if isinstance(holder.deletion, SoftDelete) else ()


def _row_table(side: Side, rows: Sequence[Row], holder: Holder, involved: Collection[str]) -> RenderableType:
    """The raw rows of one side, a column for each: the key and what is involved first, and marked."""
    if not rows:
        return Text(f"no row in {side}", style="dim")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column(side, style="dim", no_wrap=True)
    for number in range(len(rows)):
        table.add_column("" if len(rows) == 1 else f"row {number + 1}", overflow="fold", max_width=44)
    first = [*holder.key, *(name for name in involved if name not in holder.key)]
    for name in [*first, *(name for name in rows[0] if name not in first)]:
        style = "bold yellow" if name in involved else "bold" if name in holder.key else ""
        table.add_row(Text(name, style=style), *(value(row[name], style) for row in rows))
    return table


def _steps(found: Explanation, about: Field | None) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name in about.rule.columns() if about else ():
        table.add_row(f"  {name}", " / ".join(plain(row[name]) for row in found.legacy_rows))
    for label, made in found.steps:
        failed = made is None and label == found.evidence.get("rule")
        table.add_row(f"  -> {label}", Text("cannot be translated", style="red") if failed else value(made))
    table.add_row("  service has", value(found.finding["actual"]))
    if found.steps[-1][1] != found.finding["expected"]:  # declared otherwise since
        then = found.finding["translation_version"]
        table.add_row(f"  when found, by version {then}", value(found.finding["expected"]))
    return table


def _links(links: Sequence[Row]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in _LINK_COLUMNS:
        table.add_column(name.replace("_", " "), no_wrap=name.endswith("_key"))
    table.add_column("notes")
    for link in links:
        since, until = link["valid_from"] or "always", link["valid_to"] or "open"
        notes = [note for name, note in (("is_primary", "primary"), ("is_merged", "merged")) if link[name]]
        notes += [str(link["problem"]).replace("_", " ")] if link["problem"] else []
        table.add_row(
            str(link["legacy_key"]), str(link["service_key"]), str(since), str(until), str(link["provenance"]),
            f"{link['confidence']:g}", ", ".join(notes),
        )  # fmt: skip
    return table


def _past(earlier: Sequence[Row]) -> Table:
    """Both sides date by date; dates with the same values are one line."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in ("date", "legacy, translated", "", "service"):
        table.add_column(name, overflow="fold", no_wrap=name in {"date", ""})
    for (legacy, service), days in groupby(
        earlier, key=lambda row: (_past_of(row, Side.LEGACY), _past_of(row, Side.SERVICE))
    ):
        dates = [str(day["business_date"]) for day in days]
        sign = Text("=", style="green") if legacy == service else Text("≠", style="red")
        sign = Text("") if _NO_ROW in (legacy, service) else sign
        table.add_row(dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}", legacy, sign, service)
    return table


def _past_of(row: Row, side: Side) -> Text:
    return value(row[side]) if side in row else _NO_ROW
