"""`coexist publish`: the catalogue for BI, made anew on this machine from whatever is in the lake."""

from __future__ import annotations

from rich.text import Text

from pipelines import catalog
from pipelines.cli import words
from pipelines.cli.options import AsJson, LakePath, lake_at
from pipelines.cli.screen import Screen
from pipelines.errors import SourceError


def publish(*, lake: LakePath = None, as_json: AsJson = False) -> None:
    """Make the catalogue for BI of everything in the lake; from object storage, bring what it shows to this machine.

    Needs no declarations, and changes nothing in the lake but the catalogue. Reconciling does this, too.
    """
    screen, store = Screen.opened(as_json=as_json), lake_at(lake)
    judged = store.addresses("drift")
    if not judged:
        raise SourceError(f"there is nothing judged in the lake {store}: run coexist reconcile first")
    with screen.waiting(f"making the catalogue of {store}"):
        path = catalog.build(store)
    screen.emit({"exit_code": 0, "catalog": str(path), "partitions": len(judged)})
    screen.show(Text.assemble((str(path), "bold"), f" shows {words.plural(len(judged), 'judged partition')}."))
