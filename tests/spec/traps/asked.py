"""What the product says of a trap, by the public path, in the words of the battery."""

from __future__ import annotations

from pathlib import Path

from pipelines.declarations import Field, Same
from tests.spec.given import Given, reconciled, rows
from tests.spec.tables import table
from tests.spec.traps.trap import Trap, Truth


def found(trap: Trap, folder: Path) -> Truth:
    """Reconcile both tables in a folder, and read what came of it."""
    legacy, service = table(trap.legacy), table(trap.service)
    fields = [name for name in service.schema.names if name not in trap.key]
    given = Given(
        legacy,
        service,
        key=trap.key,
        identity=trap.identity,
        rules=tuple(Field(name, Same(name), trap.comparator(name), missing=trap.missing) for name in fields),
    )
    job = reconciled(given, folder)
    (linkage,) = rows(job, "linkage")
    cells = {(str(row["legacy_key"]), str(row["field"])) for row in rows(job, "discrepancies") if row["field"]}
    matched = {side: int(str(linkage[f"{side}_matched"])) for side in ("legacy", "service")}
    return Truth(
        same=matched["legacy"] - len({key for key, _ in cells}),
        cells=frozenset(cells),
        legacy_only=legacy.num_rows - matched["legacy"],
        service_only=service.num_rows - matched["service"],
    )
