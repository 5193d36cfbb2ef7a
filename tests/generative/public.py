"""A world in files and a lake: every partition of it reconciled by the public path, and the tables that came of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import identity, reconciliation
from pipelines.declarations import Context, Entity, Side
from pipelines.job import Job
from pipelines.lake import Address, Lake
from pipelines.sifting import WAY, Way
from tests.generative import harness
from tests.generative.naive.classification import Identity
from tests.generative.oracle import Answer, answer
from tests.generative.strategies.identities import MERGES, TABLE
from tests.generative.strategies.rules import REFERRED
from tests.generative.strategies.worlds import World
from tests.spec.contracts import contract

SIEVE = "COEXIST_SIEVE_FROM"
VERIFY = "COEXIST_VERIFY"
TABLES = ("identity_map", "untranslatable", "discrepancies", "drift", "linkage", "lag")


@dataclass(frozen=True)
class Reconciled:
    """The tables of one partition, as rows."""

    partition: str
    tables: dict[str, list[dict[str, object]]]


def reconcile(world: World, root: Path, *, sieve: Way | None = None) -> Iterator[Reconciled]:
    """Every partition in turn, all rows being joined, or only those that remain of a sieve."""
    context, entity = _declared(world, root)
    lake = Lake(root / "lake")
    for partition in world.partitions:
        _write_sources(world, partition, root, lake)
        job = Job(context, entity, partition, lake)
        with _sieve(sieve):
            written = reconciliation.reconcile(job)
        assert reconciliation.find_discrepancies(job)["discrepancies"] == written["discrepancies"], (
            "what stands, stands"
        )
        tables = {name: read(lake, Address(context.name, entity.name, name, partition)).to_pylist() for name in TABLES}
        yield Reconciled(partition, tables)


def answers(world: World) -> Iterator[tuple[Answer, dict[Identity, date]]]:
    """What the oracle says of every partition, and since when each discrepancy has been found without a break."""
    seen: dict[Identity, date] = {}
    right: dict[Identity, object] = {}
    for partition in world.partitions:
        due = answer(world.question(partition))
        now = {each.identity: each.right for each in due.discrepancies}
        # Age restarts when the system of record moves.
        kept = {each: first for each, first in seen.items() if each in now and right[each] == now[each]}
        seen, right = {each: kept.get(each, date.fromisoformat(partition)) for each in now}, now
        yield due, seen


def read(lake: Lake, address: Address) -> pa.Table:
    return pq.ParquetFile(lake.file(address)).read()


def _declared(world: World, root: Path) -> tuple[Context, Entity]:
    schemas = world.rows[world.partitions[0]]
    holders = {
        side: harness.replaced(getattr(world.entity, side), contract=contract(side.name.title(), schemas[side].schema))
        for side in Side
    }
    entity = harness.replaced(world.entity, legacy=holders[Side.LEGACY], service=holders[Side.SERVICE])
    return harness.replaced(harness.context(entity), root=root), entity


def _write_sources(world: World, partition: str, root: Path, lake: Lake) -> None:
    for side, table in world.rows[partition].items():
        pq.write_table(table, root / f"{side}_{partition}.parquet")
    for name, table in ((TABLE, world.identified.table), (MERGES, world.identified.merges)):
        if table is not None:
            pq.write_table(table, root / name)
    context, entity = REFERRED.split(".")
    with lake.transaction("referred") as transaction:
        links = pa.Table.from_pylist([vars(link) for link in world.referred], identity.SCHEMA)
        transaction.write(Address(context, entity, "identity_map", partition), links)


@contextmanager
def _sieve(way: Way | None) -> Iterator[None]:
    """With a sieve, which is otherwise for many rows only, and whatever passes it verified; or without."""
    wanted = {SIEVE: "0", WAY: way, VERIFY: "1"} if way else {SIEVE: str(10**9)}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value
