"""What vouches for a finding, on the screen: events, where rows were, an earlier rule, others like it, other rows.

Parts of the sheet of `explained`; each is shown only where there is something to show.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from pipelines.cli import words
from pipelines.cli.figures import Row
from pipelines.cli.narrow import Fitting, Widest
from pipelines.declarations import Side
from pipelines.explanation import Explanation

_STYLES = {"applied": "green", "not applied": "bold red", "in part": "red", "shown": "yellow"}
_SHOWN = {"shown": "still shown", "unknown": "tells no value"}
_PROBLEMS = {
    "duplicate": "recorded twice",
    "out_of_order": "came after a newer one",
    "changed_after_deletion": "changes a row that an event before it deleted",
}


def parts(found: Explanation) -> Iterator[RenderableType]:
    """All that there is, in the order in which one would ask for it."""
    if found.rule_changes or found.steps_then:
        yield title(f"Translation version {found.evidence['version']}", "which made what the service shows")
        yield _older(found)
    if found.alike:
        yield title("Its like", "others of this partition with the same pattern")
        yield Fitting(_alike(found.alike))
    if found.events_of:
        yield title("Events", f"{found.events_of}{'' if found.events else ': none'}")
        if found.events:
            yield Fitting(_events(found))
    yield from _other_rows(found)
    if found.presence:
        yield title("Past", "in which partitions the rows were there")
        yield Fitting(_presence(found.presence))


def _other_rows(found: Explanation) -> Iterator[RenderableType]:
    """The counterpart that was rejected or is gone, and the rows that a semantic rule is about."""
    if found.rejected:
        yield title("Counterpart", "kept apart because it broke its contract")
        yield from map(_rejected, found.rejected)
    if found.counterpart:
        last = found.counterpart
        yield title(
            "Counterpart", f"{last['side']} {last['key']} as of {last['business_date']}, when it was last there"
        )
        yield columns(last["row"])
    for row in found.involved:
        yield title(f"{row['entity']}", f"{row['side']} {row['key']}")
        yield columns(row["row"], row["read"])


def title(name: str, more: str = "") -> Text:
    """The heading of a part."""
    return Text.assemble("\n", (name, "bold"), (f"  {more}", "dim"))


def value(shown: object, style: str = "") -> Text:
    """A value as it is; a missing one is said to be missing."""
    return Text("missing", style="dim italic") if shown is None else Text(plain(shown), style=style)


def plain(shown: object) -> str:
    """A value as text."""
    if shown is None:
        return "-"
    if isinstance(shown, datetime):
        return shown.isoformat(sep=" ").replace("+00:00", "Z")
    return str(shown)


def columns(row: object, involved: object = ()) -> RenderableType:
    """All columns of one row, a few beside each other; those that are `involved` are marked."""
    marked = involved if isinstance(involved, list) else []
    pairs = list(row.items()) if isinstance(row, dict) else []
    return Widest(*(_columns(pairs, marked, abreast) for abreast in (3, 2, 1)))


def _columns(pairs: list[tuple[str, object]], marked: list[object], abreast: int) -> Table:
    table = Table.grid(padding=(0, 2))
    for _ in range(abreast):
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
    height = -(-len(pairs) // abreast)
    for at in range(height):
        cells: list[Text] = []
        for name, shown in pairs[at::height]:
            style = "bold yellow" if name in marked else ""
            cells += [Text(f"  {name}", style=style or "dim"), value(shown, style)]
        table.add_row(*cells)
    return table


def _older(found: Explanation) -> Table:
    """What the earlier rule made, and what of it is another now."""
    table = Table.grid(padding=(0, 2))
    for label, made in found.steps_then:
        table.add_row(Text(f"  -> {label}", style="dim"), value(made))
    for change in found.rule_changes:
        said = Text.assemble(plain(change["then"]), ("  then, now  ", "dim"), plain(change["now"]))
        table.add_row(Text(f"  {change['part']}", style="dim"), said)
    return table


def _alike(rows: Sequence[Row]) -> Table:
    table = _table("legacy key", "service key", "raw", "expected", "actual", "id")
    for row in rows:
        shown = (row[name] for name in ("legacy_key", "service_key", "legacy_raw", "expected", "actual"))
        table.add_row(*map(value, shown), Text(str(row["discrepancy_id"])[:12], style="dim"))
    return table


def _events(found: Explanation) -> Table:
    table = _table("event", "type", "happened", "recorded", "by", "tells", "the replica")
    for event in found.events:
        missing = int(str(event["missing"] or 0))
        if missing:
            table.add_row(
                "",
                Text(
                    f"{words.span('event', int(str(event['sequence'])) - missing, missing)} never came",
                    style="bold red",
                ),
            )
        state = str(event["applied"])
        problems = event["problems"] if isinstance(event["problems"], list) else []
        notes = [_SHOWN.get(state, state), *(_PROBLEMS[problem] for problem in problems if problem in _PROBLEMS)]
        table.add_row(
            str(event["sequence"]), str(event["event_type"]), _moment(event["event_time"]),
            _moment(event["recorded_time"]), plain(event["producer"]), _told(found, event),
            Text(", ".join(notes), style=_STYLES.get(state, "dim")),
        )  # fmt: skip
    return table


def _told(found: Explanation, event: Row) -> Text:
    """The value of the field in question; of other fields only their names."""
    told = event["told"] if isinstance(event["told"], dict) else {}
    about = found.finding["field"]
    if about in told:
        return value(told[about], "bold")
    return Text(", ".join(told) or ("the row is gone" if event["effect"] == "deletes" else ""), style="dim")


def _moment(instant: object) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S}" if isinstance(instant, datetime) else plain(instant)


def _rejected(row: Row) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    table.add_row(Text("  check", style="dim"), Text(f"{row['check']} on {row['field'] or 'the row'}", style="red"))
    table.add_row(Text("  wanted", style="dim"), plain(row["reason"]))
    raw = row["raw"] if isinstance(row["raw"], dict) else {}
    for name, shown in raw.items():
        table.add_row(Text(f"  {name}", style="dim"), value(shown, "red" if name == row["field"] else ""))
    return table


def _presence(days: Sequence[Row]) -> Table:
    """Both sides date by date; dates alike are one line."""
    table = _table("date", "legacy", "service")
    for states, alike in groupby(days, key=lambda day: (_there(day, Side.LEGACY), _there(day, Side.SERVICE))):
        dates = [str(day["business_date"]) for day in alike]
        span = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
        table.add_row(span, *states)
    return table


def _there(day: Row, side: Side) -> Text:
    state, deleted = day.get(side.value), day.get("deleted")
    if state is None:
        return Text("-", style="dim")
    if isinstance(deleted, list) and side in deleted:
        return Text("marked as deleted")
    return Text("there") if state else Text("no row", style="dim")


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold", no_wrap=heading in {"event", "date", "happened", "recorded", "id"})
    return table
