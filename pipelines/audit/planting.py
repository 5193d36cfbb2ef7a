"""Planting: the damage to be done to a copy, gathered row by row, and done to its files at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines import engine
from pipelines.audit.figures import Finding, Planted
from pipelines.audit.victims import Row, Victim
from pipelines.declarations import Side
from pipelines.expressions import literal
from pipelines.job import Job
from pipelines.lake import Address
from pipelines.rows import row_key


@dataclass
class Damage:
    """What is to be done: by side and partition the rows that take the place of others, and links gone and new.

    `there` is what was found before: what is planted again is not found anew.
    """

    job: Job
    there: Collection[Finding] = ()
    planted: list[Planted] = field(default_factory=list)
    rows: dict[tuple[Side, str], dict[str, list[Row] | Row]] = field(default_factory=dict)
    cut: set[str] = field(default_factory=set)
    links: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)  # of this partition's log, without their places

    def change(self, victim: Victim, side: Side, values: Row, partition: str | None = None) -> None:
        """Other values in some columns of a victim's row, in this partition or an earlier one."""
        self._of(side, partition)[victim.key(side)] = values

    def drop(self, victim: Victim, side: Side, partition: str | None = None) -> None:
        """No row, in this partition or an earlier one."""
        self._of(side, partition)[victim.key(side)] = []

    def add(self, victim: Victim, side: Side, values: Row) -> None:
        """One more row like the victim's, with other values in some columns."""
        self._of(side)[victim.key(side)] = [victim.raw[side], victim.raw[side] | values]

    def repeat(self, victim: Victim, side: Side) -> None:
        """The row twice."""
        self._of(side)[victim.key(side)] = [victim.raw[side]] * 2

    def plant(self, victim: Victim, field_name: str | None, cause: tuple[str, str]) -> None:
        """A discrepancy that must be found now, about both rows of a victim."""
        self.planted.append(Planted(victim.legacy_key, victim.service_key, field_name, *cause))

    def do(self) -> None:
        """Write the damaged files over the copies."""
        for (side, partition), rows in self.rows.items():
            self._write_side(self.job.at(side, partition), side, rows)
        if self.cut or self.links:
            self._write_links()
        if self.events:
            self._write_events()

    def _of(self, side: Side, partition: str | None = None) -> dict[str, list[Row] | Row]:
        return self.rows.setdefault((side, partition or self.job.partition), {})

    def _write_side(self, address: Address, side: Side, rows: dict[str, list[Row] | Row]) -> None:
        file = self.job.lake.file(address)
        keys = _keys(self.job, side, address, rows)
        with pq.ParquetFile(file) as opened:
            table = opened.read()
        hit = pa.array(sorted(keys), pa.int64())
        damaged: list[Row] = []
        for position, row in zip(sorted(keys), table.take(hit).to_pylist(), strict=True):
            done = rows[keys[position]]
            damaged += [row | done] if isinstance(done, dict) else done
        kept = table.filter(pc.invert(pc.is_in(pa.array(range(table.num_rows), pa.int64()), hit)))
        self._write(address, pa.concat_tables([kept, pa.Table.from_pylist(_of_schema(damaged, table), table.schema)]))

    def _write_links(self) -> None:
        address = self.job.address("identity_map")
        with pq.ParquetFile(self.job.lake.file(address)) as opened:
            table = opened.read()
        kept = table.filter(pc.invert(pc.is_in(table["legacy_key"], pa.array(sorted(self.cut), pa.string()))))
        self._write(address, pa.concat_tables([kept, pa.Table.from_pylist(self.links, table.schema)]))

    def _write_events(self) -> None:
        """Behind all that the log tells; a log that counts the events of a partition counts on."""
        address = self.job.address("events")
        with pq.ParquetFile(self.job.lake.file(address)) as opened:
            table = opened.read()
        places, numbers = (pc.max(table[name]).as_py() or 0 for name in ("position", "sequence"))
        told = [
            event | {"position": places + at} | ({} if event["sequence"] else {"sequence": numbers + at})
            for at, event in enumerate(self.events, 1)
        ]
        self._write(address, pa.concat_tables([table, pa.Table.from_pylist(told, table.schema)]))

    def _write(self, address: Address, table: pa.Table) -> None:
        """In place of the copy, with what its manifest said."""
        said = self.job.manifest(address)
        notes = dict(said.notes)
        if "rows_in" in notes:
            notes["rows_in"] = table.num_rows + int(notes["rejected"])
        with self.job.lake.transaction(self.job.run_id) as transaction:
            transaction.write(address, table, code_version=said.code_version, watermark=said.watermark, notes=notes)


def _keys(job: Job, side: Side, address: Address, rows: dict[str, list[Row] | Row]) -> dict[int, str]:
    """Which place in the file holds the row of which key."""
    asked = ", ".join(map(literal, rows))
    with engine.opened() as session:
        session.scan_rows("damaged", job.lake.file(address), adding=f"{row_key(job.holder(side))} AS __key")
        found = session.rows(f"SELECT __position, __key FROM damaged WHERE __key IN ({asked})")
    return {int(str(row["__position"])): str(row["__key"]) for row in found}


def _of_schema(rows: Sequence[Row], table: pa.Table) -> list[Row]:
    return [{name: row[name] for name in table.schema.names} for row in rows]
