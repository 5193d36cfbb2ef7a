"""Tables being written: aside first, then visible all together."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.errors import IntegrityError
from pipelines.lake import atomic, storage
from pipelines.lake.content import Digest, stretches
from pipelines.lake.manifest import MANIFEST, PARTITION, Address, Manifest
from pipelines.lake.storage import Kept
from pipelines.unpacked import Copy


@contextmanager
def usable(root: Path) -> Iterator[None]:
    """Within this block the operating system's troubles are the lake's: not writable, not a folder, disk full."""
    try:
        yield
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else str(error)
        raise IntegrityError(f"the lake {root} cannot be used: {why}; $COEXIST_LAKE names another folder") from error


class Transaction:
    """Tables being written aside, for `Lake.transaction` to publish."""

    def __init__(self, root: Path, run_id: str, folder: Path) -> None:
        self._root = root
        self.run_id = run_id
        self._folder = folder
        self.written: dict[Address, Path] = {}  # tables that wait to be visible, and the folders they are in
        self._parts = 0

    def spool(self, schema: pa.Schema) -> Spool:
        """A place for rows that come up while another table is being written; it goes when the transaction ends."""
        return Spool(self._root, self._next_part(), schema)

    def write(  # noqa: PLR0913 (each is one fact of the manifest, named where it is known)
        self,
        address: Address,
        rows: pa.RecordBatchReader | pa.Table,
        *,
        code_version: str = "",
        inputs: Mapping[str, str] | None = None,
        watermark: datetime | None = None,
        notes: Mapping[str, Any] | None = None,
        volatile: Sequence[str] = (),
        compression: str = storage.RESULTS,
        unpacked_from: int | None = None,
    ) -> Manifest:
        """Write one table aside. Rows come in bounded memory; equal rows give equal data pages and an equal digest.

        `compression` is how the table is kept (see `storage`); with `unpacked_from` so many rows it is kept `unpacked`
        as well. `notes` are taken down after the last row, so whoever yields the rows can still fill them in.
        """
        folder = self._next_part()
        path = folder / address.file.name
        now = datetime.now(UTC)
        reader = rows.to_reader() if isinstance(rows, pa.Table) else rows
        with usable(self._root):
            folder.mkdir()
        about = {"run_id": self.run_id, "written_at": now.isoformat(), "code_version": code_version}
        noted = {} if notes is None else notes
        kept = Kept(tuple(volatile), compression, unpacked_from)
        count, digest = self._write_rows(path, reader, kept, lambda: about | {"notes": json.dumps(noted)})
        with usable(self._root):
            manifest = Manifest(
                count, digest, self.run_id, now, code_version, watermark,
                dict(inputs or {}), dict(noted), tuple(volatile), path.stat().st_size,
            )  # fmt: skip
            (folder / MANIFEST).write_text(manifest.as_json(), encoding="utf-8")
            atomic.sync(*folder.iterdir(), folder)
        self.written[address] = folder
        return manifest

    def file(self, address: Address) -> Path:
        """The Parquet file of a table that was written here and is not visible yet."""
        return self.written[address] / address.file.name

    def _next_part(self) -> Path:
        self._parts += 1
        return self._folder / str(self._parts)

    def publish(self) -> None:
        """Make everything written visible; after an error what had been visible is so again."""
        done: list[tuple[Path, Path]] = []
        try:
            with usable(self._root):
                for address, folder in self.written.items():
                    target = self._root / address.folder
                    _refuse_to_bury(address, target)
                    atomic.swap(folder, target)
                    done.append((folder, target))
        except IntegrityError:
            with usable(self._root):
                for folder, target in reversed(done):
                    atomic.swap_back(folder, target)
            raise

    def _write_rows(
        self, path: Path, reader: pa.RecordBatchReader, kept: Kept, about: Callable[[], Mapping[str, str]]
    ) -> tuple[int, str]:
        digest, count = Digest(reader.schema, kept.volatile), 0
        traits, stretched = storage.peek(stretches(reader, reader.schema))
        with ExitStack() as stack:
            with usable(self._root):
                writer = storage.writer(path, reader.schema, traits, kept.compression)
                stack.callback(_abandon, writer)
                copies = [] if kept.unpacked_from is None else [Copy(path, reader.schema, least=kept.unpacked_from)]
            # Only the writing is the lake's: what goes wrong while rows are made is told as it is.
            for stretch in stretched:
                digest.update(stretch)
                count += stretch.num_rows
                with usable(self._root):
                    for each in (writer.write_batch, *(copy.write for copy in copies)):
                        each(stretch)
            with usable(self._root):
                writer.add_key_value_metadata(_file_metadata(reader.schema, about()))
                for copy in copies:
                    writer.add_key_value_metadata(copy.mark)
                    copy.close()
                writer.close()
        return count, digest.text()


class Spool:
    """Rows put by on disk, to be written as a table of their own afterwards."""

    def __init__(self, root: Path, path: Path, schema: pa.Schema) -> None:
        self._root = root
        self._path = path
        self._schema = schema

    @contextmanager
    def filling(self) -> Iterator[Callable[[pa.RecordBatch], None]]:
        """Within this block the yielded function puts rows by."""
        with usable(self._root):
            file = pa.OSFile(str(self._path), "wb")
            stream = pa.ipc.new_stream(file, self._schema)

        def put(batch: pa.RecordBatch) -> None:
            with usable(self._root):
                stream.write_batch(batch)

        try:
            yield put
        finally:
            with usable(self._root):
                stream.close()
                file.close()

    @contextmanager
    def reading(self) -> Iterator[pa.RecordBatchReader]:
        """What was put by."""
        with ExitStack() as stack:
            with usable(self._root):
                file = stack.enter_context(pa.OSFile(str(self._path), "rb"))
                reader = stack.enter_context(pa.ipc.open_stream(file))
            yield reader


def _abandon(writer: pq.ParquetWriter) -> None:
    """Let go of the file; on a full disk the footer cannot be written either, which is known by then."""
    with contextlib.suppress(OSError):
        writer.close()


def _file_metadata(schema: pa.Schema, about: Mapping[str, str]) -> dict[str, str]:
    described = {f.name: f.metadata[b"description"].decode() for f in schema if b"description" in (f.metadata or {})}
    about = {f"coexist.{name}": value for name, value in about.items()}
    return about | {"coexist.columns": json.dumps(described, ensure_ascii=False)}


def _refuse_to_bury(address: Address, target: Path) -> None:
    """A stage has partitions or is one table: putting one over the other would lose tables."""
    if address.partition is None and any(target.glob(f"{PARTITION}*")):
        raise IntegrityError(f"{address}: this stage has partitions; it cannot be written as one table")
    if address.partition is not None and (target.parent / MANIFEST).exists():
        raise IntegrityError(f"{address}: this stage is one table; it cannot be written by partition")
