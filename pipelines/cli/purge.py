"""`coexist purge`: disk given back that only earlier partitions' runs would be faster by."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Annotated

import typer
from rich import box
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from pipelines import purging
from pipelines.cli import words
from pipelines.cli.options import AsJson, LakePath, lake_at
from pipelines.cli.screen import Screen
from pipelines.declarations import Side
from pipelines.errors import SourceError
from pipelines.purging import Dispensable

Keep = Annotated[int, typer.Option("--keep", min=0, metavar="N", help="Leave the N latest partitions of each as is.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only tell what would be deleted.")]


def purge(*, keep: Keep = 1, dry_run: DryRun = False, lake: LakePath = None, as_json: AsJson = False) -> None:
    """Delete what only makes runs faster: unpacked rows, digests, and rows at hand of earlier partitions.

    No snapshot and no result goes, and to reconcile such a partition again gives the same, more slowly. Needs no
    declarations. Not while earlier partitions are being reconciled.
    """
    screen, store = Screen.opened(as_json=as_json), lake_at(lake)
    with screen.waiting(f"looking through {store}"):
        if not store.addresses(Side.LEGACY):
            raise SourceError(f"there is nothing in the lake {store}: run coexist reconcile first")
        found = purging.dispensable(store, keep=keep)
        if not dry_run:
            purging.purge(store, found)
    freed = sum(one.size for one in found)
    deleted = [{"table": str(one.address), "unpacked_only": one.is_unpacked_only, "bytes": one.size} for one in found]
    screen.emit({"exit_code": 0, "dry_run": dry_run, "bytes": freed, "deleted": deleted})
    if found:
        screen.show(_table(found))
    said = "would be given back" if dry_run else "given back"
    screen.show(Text(f"{decimal(freed)} {said}, of {words.plural(len(found), 'table')} in {store}"))


def _table(found: Sequence[Dispensable]) -> Table:
    """How much of each kind, by entity."""
    sizes: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for one in found:
        kind = f"{one.address.stage}, unpacked" if one.is_unpacked_only else one.address.stage
        sizes[f"{one.address.context}.{one.address.entity}", kind].update(partitions=1, size=one.size)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("entity")
    table.add_column("what")
    table.add_column("partitions", justify="right")
    table.add_column("size", justify="right")
    for (entity, kind), of in sorted(sizes.items()):
        table.add_row(entity, kind, words.number(of["partitions"]), decimal(of["size"]))
    return table
