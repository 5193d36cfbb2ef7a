"""The lake: immutable Parquet of every stage, each beside a manifest that says what it is and what it was made from.

    <root>/<context>/<entity>/<stage>/business_date=<partition>/<stage>.parquet  and  _manifest.json

Everything of one transaction is written aside and becomes visible when the transaction ends well, or not at all. Which
stages there are, and what is in them, is not known here.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import atomic
from pipelines.content import Digest, stretches
from pipelines.errors import IntegrityError

MANIFEST = "_manifest.json"  # readers of datasets skip names that begin with an underscore
_PARTITION = "business_date="
_ASIDE = ".aside"


@dataclass(frozen=True)
class Address:
    """Where a stage's table of one partition is; without a partition, the stage's one table."""

    context: str
    entity: str
    stage: str
    partition: str | None = None

    def __str__(self) -> str:
        return "/".join(part for part in (self.context, self.entity, self.stage, self.partition) if part is not None)

    @property
    def folder(self) -> Path:
        """The folder of this table, relative to the lake."""
        stage = Path(self.context, self.entity, self.stage)
        return stage if self.partition is None else stage / f"{_PARTITION}{self.partition}"


@dataclass(frozen=True)
class Manifest:
    """What a table is and what it was made from. `digest` depends on its content only (but for the `volatile` columns)."""

    rows: int
    digest: str
    run_id: str
    written_at: datetime
    code_version: str = ""
    watermark: datetime | None = None
    inputs: dict[str, str] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)
    volatile: tuple[str, ...] = ()
    size: int = 0  # of the file, in bytes

    def as_json(self) -> str:
        """As the file beside the table holds it."""
        values = asdict(self)
        values["written_at"] = self.written_at.isoformat()
        values["watermark"] = self.watermark.isoformat() if self.watermark else None
        return json.dumps(values, indent=2, sort_keys=True) + "\n"

    @staticmethod
    def from_json(text: str) -> Manifest:
        """Read back; ValueError, TypeError or KeyError when it is not a manifest."""
        values = json.loads(text)
        known = {f.name for f in fields(Manifest)}
        values = {name: value for name, value in values.items() if name in known}
        values["written_at"] = datetime.fromisoformat(values["written_at"])
        values["watermark"] = datetime.fromisoformat(values["watermark"]) if values["watermark"] else None
        values["volatile"] = tuple(values["volatile"])
        return Manifest(**values)


class Lake:
    """All tables under one folder."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)

    @staticmethod
    def default() -> Lake:
        """The lake of `$COEXIST_LAKE`, else of `data/lake`."""
        return Lake(Path(os.environ.get("COEXIST_LAKE") or Path("data", "lake")))

    def file(self, address: Address) -> Path:
        """The Parquet file of a table, whether it is there or not."""
        return self.root / address.folder / f"{address.stage}.parquet"

    def manifest(self, address: Address) -> Manifest | None:
        """What the table is; None when there is none."""
        path = self.root / address.folder / MANIFEST
        try:
            return Manifest.from_json(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise IntegrityError(f"{address}: {path} is not a readable manifest") from error
        except OSError as error:
            raise self._unusable(error) from error

    def partitions(self, context: str, entity: str, stage: str) -> list[str]:
        """The partitions of a stage that are there, in order."""
        folder = self.root / context / entity / stage
        return sorted(path.parent.name.removeprefix(_PARTITION) for path in folder.glob(f"{_PARTITION}*/{MANIFEST}"))

    def addresses(self, stage: str) -> list[Address]:
        """Every table of a stage that is there, over all contexts and entities, in order."""
        return [
            Address(folder.parts[-3], folder.parts[-2], stage, partition)
            for folder in sorted(self.root.glob(f"[!.]*/*/{stage}"))
            for partition in self._held(folder)
        ]

    def verify(self, address: Address, *, thorough: bool = False) -> Manifest:
        """The manifest, if the table is as it says: rows and file size, and when `thorough` also the content."""
        manifest = self.manifest(address)
        path = self.file(address)
        if manifest is None:
            raise IntegrityError(f"{address}: no manifest beside {path}")
        try:
            held = _held_by(path, manifest.volatile if thorough else None)
        except (OSError, pa.ArrowException) as error:
            raise IntegrityError(f"{address}: {path} cannot be read as Parquet") from error
        for what, found in held.items():
            if found != getattr(manifest, what):
                raise IntegrityError(f"{address}: {path} has {what} {found}, its manifest says {getattr(manifest, what)}")
        return manifest

    @contextmanager
    def transaction(self, run_id: str) -> Iterator[Transaction]:
        """Tables written in this block become visible together at its end; after an error nothing has changed."""
        try:
            with atomic.aside(self.root / _ASIDE, run_id) as folder:
                transaction = Transaction(self, run_id, folder)
                yield transaction
                transaction.publish()
        except OSError as error:
            raise self._unusable(error) from error

    def _held(self, folder: Path) -> list[str | None]:
        whole: list[str | None] = [None] if (folder / MANIFEST).exists() else []
        return whole + sorted(path.parent.name.removeprefix(_PARTITION) for path in folder.glob(f"{_PARTITION}*/{MANIFEST}"))

    def _unusable(self, error: OSError) -> IntegrityError:
        why = error.strerror or str(error)
        return IntegrityError(f"the lake {self.root} cannot be used: {why}; another folder can be set with $COEXIST_LAKE")


class Transaction:
    """Tables being written aside."""

    def __init__(self, lake: Lake, run_id: str, folder: Path) -> None:
        self._lake = lake
        self._run_id = run_id
        self._folder = folder
        self._written: dict[Address, Path] = {}

    @property
    def scratch(self) -> Path:
        """A folder for what is needed while writing; it goes when the transaction ends."""
        folder = self._folder / "scratch"
        folder.mkdir(exist_ok=True)
        return folder

    def write(
        self,
        address: Address,
        rows: pa.RecordBatchReader | pa.Table,
        *,
        code_version: str = "",
        inputs: Mapping[str, str] | None = None,
        watermark: datetime | None = None,
        notes: Mapping[str, Any] | None = None,
        volatile: Sequence[str] = (),
    ) -> Manifest:
        """Write one table aside. Rows come in bounded memory; equal rows give equal data pages and an equal digest.

        `notes` are taken down after the last row, so whoever yields the rows can still fill them in.
        """
        folder = self._folder / str(len(self._written))
        folder.mkdir()
        path = folder / f"{address.stage}.parquet"
        now = datetime.now(UTC)
        about = {"coexist.run_id": self._run_id, "coexist.written_at": now.isoformat(), "coexist.code_version": code_version}
        count, digest = _write_parquet(path, rows, volatile, about)
        manifest = Manifest(
            count, digest, self._run_id, now, code_version, watermark, dict(inputs or {}), dict(notes or {}), tuple(volatile),
            path.stat().st_size,
        )  # fmt: skip
        (folder / MANIFEST).write_text(manifest.as_json(), encoding="utf-8")
        for file in (path, folder / MANIFEST):
            atomic.sync_file(file)
        atomic.sync_folder(folder)
        self._written[address] = folder
        return manifest

    def publish(self) -> None:
        """Make everything written visible. Called by the lake when the block ends well."""
        done: list[tuple[Path, Path]] = []
        try:
            for address, folder in self._written.items():
                target = self._lake.root / address.folder
                atomic.swap(folder, target)
                done.append((folder, target))
        except OSError:
            for folder, target in reversed(done):
                _undo(folder, target)
            raise


def _write_parquet(
    path: Path, rows: pa.RecordBatchReader | pa.Table, volatile: Sequence[str], about: Mapping[str, str]
) -> tuple[int, str]:
    reader = rows.to_reader() if isinstance(rows, pa.Table) else rows
    schema = reader.schema
    digest, count = Digest(schema, volatile), 0
    descriptions = {f.name: f.metadata[b"description"].decode() for f in schema if b"description" in (f.metadata or {})}
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for stretch in stretches(reader, schema):
            digest.update(stretch)
            writer.write_batch(stretch)
            count += stretch.num_rows
        writer.add_key_value_metadata({**about, "coexist.columns": json.dumps(descriptions, ensure_ascii=False)})
    return count, digest.text()


def _held_by(path: Path, volatile: Sequence[str] | None) -> dict[str, Any]:
    with pq.ParquetFile(path) as file:
        held = {"rows": file.metadata.num_rows, "size": path.stat().st_size}
        if volatile is not None:
            digest = Digest(file.schema_arrow, volatile)
            for stretch in stretches(file.iter_batches(), file.schema_arrow):
                digest.update(stretch)
            held["digest"] = digest.text()
        return held


def _undo(folder: Path, target: Path) -> None:
    if folder.exists():
        atomic.swap(folder, target)
    else:
        target.rename(folder)
