"""The lake as a whole: which tables are there, what they are, and the way to write more of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import unpacked
from pipelines.errors import IntegrityError
from pipelines.lake import atomic
from pipelines.lake.content import Digest, stretches
from pipelines.lake.manifest import MANIFEST, PARTITION, Address, Manifest
from pipelines.lake.transaction import Transaction, usable

ASIDE = ".aside"
_LOOKS = 3  # a table may be replaced between a look at its manifest and one at its file


class Lake:
    """All tables under one folder."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)

    def __str__(self) -> str:
        return str(self.root)

    def file(self, address: Address) -> Path:
        """The Parquet file of a table, if it is there. Raises IntegrityError when it is another file."""
        path = self.root / address.file
        if not any(self._is_as_said(address, path) for _ in range(_LOOKS)):
            raise IntegrityError(f"{address}: {path} is not what was written: delete its folder, run that again")
        return path

    def _is_as_said(self, address: Address, path: Path) -> bool:
        """Whether a file has the size that its manifest says, if one does."""
        manifest = self.manifest(address)
        with usable(self.root):
            return not (manifest and manifest.size) or (path.exists() and path.stat().st_size == manifest.size)

    def manifest(self, address: Address) -> Manifest | None:
        """What the table is; None when there is none."""
        path = self.root / address.folder / MANIFEST
        try:
            with usable(self.root):
                return Manifest.from_json(path.read_text(encoding="utf-8")) if path.exists() else None
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise IntegrityError(f"{address}: {path} is not a readable manifest") from error

    def partitions(self, context: str, entity: str, stage: str) -> list[str]:
        """The partitions of a stage that are there, in order."""
        return _partitions_in(self.root / context / entity / stage)

    def addresses(self, stage: str) -> list[Address]:
        """Every table of a stage that is there, over all contexts and entities, in order."""
        found: list[Address] = []
        for folder in sorted(self.root.glob(f"[!.]*/*/{stage}")):
            context, entity = folder.parts[-3:-1]
            if (folder / MANIFEST).exists():
                found.append(Address(context, entity, stage))
            found += [Address(context, entity, stage, partition) for partition in _partitions_in(folder)]
        return found

    def verify(self, address: Address, *, thorough: bool = False) -> Manifest:
        """The manifest, if the table is as it says: rows and file size; when `thorough` every value, in either file."""
        manifest = self.manifest(address)
        path = self.root / address.file
        if manifest is None:
            raise IntegrityError(f"{address}: there is no manifest beside {path}")
        try:
            held = _held_by(path, manifest.volatile if thorough else None)
        except (OSError, pa.ArrowException) as error:
            raise IntegrityError(f"{address}: {path} cannot be read as Parquet") from error
        for what, found in held.items():
            said = getattr(manifest, what)
            if found != said:
                raise IntegrityError(f"{address}: {path} has {what} {found}, but its manifest says {said}")
        rows, schema = unpacked.beside(path) if thorough else None, pq.read_schema(path)
        if rows and _digest(rows.as_packed(schema), schema, manifest.volatile) != manifest.digest:
            raise IntegrityError(f"{address}: {path} has other rows unpacked beside it; delete the .arrow file")
        return manifest

    def remove(self, address: Address) -> None:
        """Take a table away, all of it in one step; whoever has it open reads on. Nothing where there is none."""
        with usable(self.root), atomic.aside(self.root / ASIDE, "remove") as folder, suppress(FileNotFoundError):
            (self.root / address.folder).rename(folder / "table")

    @contextmanager
    def transaction(self, run_id: str) -> Iterator[Transaction]:
        """Tables written in this block become visible together at its end; after an error nothing has changed."""
        with ExitStack() as stack:
            with usable(self.root):
                folder = stack.enter_context(atomic.aside(self.root / ASIDE, run_id))
            transaction = Transaction(self.root, run_id, folder)
            yield transaction
            transaction.publish()


def _partitions_in(stage: Path) -> list[str]:
    return sorted(path.parent.name.removeprefix(PARTITION) for path in stage.glob(f"{PARTITION}*/{MANIFEST}"))


def _held_by(path: Path, volatile: Sequence[str] | None) -> dict[str, Any]:
    """What a file holds, in the manifest's words; the digest only when it is said which columns are volatile."""
    with pq.ParquetFile(path) as file:
        held: dict[str, Any] = {"rows": file.metadata.num_rows, "size": path.stat().st_size}
        if volatile is not None:
            held["digest"] = _digest(file.iter_batches(), file.schema_arrow, volatile)
        return held


def _digest(rows: Iterable[pa.RecordBatch], schema: pa.Schema, volatile: Sequence[str]) -> str:
    digest = Digest(schema, volatile)
    for stretch in stretches(rows, schema):
        digest.update(stretch)
    return digest.text()
