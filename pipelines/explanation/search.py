"""Which finding is meant: found in the lake by its id, or by how that begins."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from pipelines import classification, engine
from pipelines.engine import Engine
from pipelines.errors import SourceError
from pipelines.expressions import literal, quote
from pipelines.lake import Address, Lake

Row = dict[str, object]
FOUND = ("discrepancies", "violations")


def ids(lake: Lake, beginning: str, *, most: int = 5) -> list[str]:
    """Ids of discrepancies that begin like this; when none does, those that begin most like it."""
    addresses = _found(lake)
    if not addresses:
        return []
    with engine.opened() as session:
        _read_findings(session, lake, addresses)
        near = [
            str(row["discrepancy_id"])
            for there, order in ((">=", ""), ("<", "DESC"))
            for row in session.rows(
                f"SELECT DISTINCT discrepancy_id FROM found WHERE discrepancy_id {there} {literal(beginning)} "
                f"ORDER BY discrepancy_id {order} LIMIT {most}"
            )
        ]
    fitting = [found for found in near if found.startswith(beginning)]
    return fitting or sorted(near, key=lambda found: -_shared(found, beginning))[:most]


def find(lake: Lake, discrepancy_id: str) -> tuple[str, Row] | None:
    """The partition in which a discrepancy was last found and its row; the id may be shortened as long as it is unique.

    Raises SourceError when a shortened id fits several discrepancies.
    """
    addresses = _found(lake)
    if not addresses:
        return None
    with engine.opened() as session:
        _read_findings(session, lake, addresses)
        rows = session.rows(
            f"SELECT * FROM found WHERE SUBSTRING(discrepancy_id, 1, {len(discrepancy_id)}) = {literal(discrepancy_id)}"
        )
    ids = sorted({str(row["discrepancy_id"]) for row in rows})
    if len(ids) > 1:
        raise SourceError(f'"{discrepancy_id}" fits {len(ids)} discrepancies: {", ".join(ids[:5])}')
    latest = max(rows, key=lambda row: str(row["__partition"]), default=None)
    return (str(latest.pop("__partition")), latest) if latest else None


def _found(lake: Lake) -> list[Address]:
    """The tables of all findings, those of semantic rules among them."""
    return [address for stage in FOUND for address in lake.addresses(stage)]


def _read_findings(session: Engine, lake: Lake, addresses: Sequence[Address]) -> None:
    """Make `found` (the columns of discrepancies, and `__partition`) all findings of these tables."""
    stages = list(dict.fromkeys(address.stage for address in addresses))
    for stage in stages:
        of_stage = [address for address in addresses if address.stage == stage]
        partitions = [str(address.partition) for address in of_stage]
        session.scan(f"all {stage}", [lake.file(address) for address in of_stage], partitions=partitions)
    columns = ", ".join((*classification.SCHEMA.names, "__partition"))
    session.view("found", " UNION ALL ".join(f"SELECT {columns} FROM {quote(f'all {stage}')}" for stage in stages))


def _shared(one: str, other: str) -> int:
    """How many characters two texts begin with in common."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
