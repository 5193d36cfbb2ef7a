"""`coexist check`: what is declared, or everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from pipelines import loading
from pipelines.cli import words
from pipelines.cli.narrow import Fitting
from pipelines.cli.options import AsJson
from pipelines.cli.screen import Screen
from pipelines.declarations import Context, Entity
from pipelines.portfolio import Portfolio

Row = dict[str, object]
_WIDE = 120


def check(*, as_json: AsJson = False) -> None:
    """Load all declarations: print every problem (exit 2), or what is declared (exit 0).

    The contexts are those of the package named in COEXIST_CONTEXTS, else of assets.contexts.
    """
    screen, portfolio = Screen.opened(as_json=as_json), loading.load()
    entities = [_entity(portfolio, context, entity) for context, entity in portfolio.entities()]
    screen.emit({"exit_code": 0, "contexts": len(portfolio.contexts), "entities": entities})
    fields = sum(int(str(entity["fields"])) for entity in entities)
    counted = (words.plural(len(portfolio.contexts), "context"), words.plural(len(entities), "entity"))
    sound = f"Sound: {counted[0]}, {counted[1]}, {words.plural(fields, 'field')}."
    screen.show(Fitting(_table(entities, wide=screen.out.width >= _WIDE)), Text(sound, style="green"))


def _entity(portfolio: Portfolio, context: Context, entity: Entity) -> Row:
    return {
        "context": context.name,
        "entity": entity.name,
        "description": entity.description,
        "fields": len(entity.fields),
        "left_out": len(entity.dropped) + len(entity.service_only),
        "system_of_record": entity.system_of_record.value,
        "phase": entity.phase.value,
        "owner": entity.owner.team,
        "translation_version": entity.translation_version,
        "file": portfolio.file_of(context),
    }


def _table(entities: Sequence[Row], *, wide: bool) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("entity", style="cyan", no_wrap=True)
    for name in ("fields", "left out"):
        table.add_column(name, justify="right")
    for name in ("right is", "phase", "owner", *(["file"] if wide else [])):
        table.add_column(name, overflow="fold")
    shown = ("fields", "left_out", "system_of_record", "phase", "owner", *(["file"] if wide else []))
    for entity in entities:
        cells = [str(entity[name]).replace("_", " ") if name == "phase" else str(entity[name]) for name in shown]
        table.add_row(f"{entity['context']}.{entity['entity']}", *cells)
    return table
