"""A lake in object storage. There is no rename there, so what is visible is decided by objects that appear whole.

    <url>/<context>/<entity>/<stage>/business_date=<partition>/<stage>-<commit>.parquet  and  _manifest.json
    <url>/_commits/<commit>

A manifest names the file it is about, and tells what the table was before. It holds as soon as the mark of its commit
is there, which is put last, once for all tables of a transaction: until then, or for ever when a writer died, the
table is what it was before. Tables are read from a mirror on this machine, where they are fetched to when needed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from uuid import uuid4

from pipelines.errors import IntegrityError
from pipelines.lake import atomic
from pipelines.lake.bucket import Bucket
from pipelines.lake.manifest import MANIFEST, PARTITION, Address, Manifest
from pipelines.lake.store import ASIDE, Lake
from pipelines.lake.transaction import Transaction, usable

_COMMITS = PurePosixPath("_commits")
_HELD = "_object"  # in the mirror, beside a table: the name of the object it is a copy of
_SIDE_BY_SIDE = 16  # manifests asked for at a time
_A_DAY = timedelta(days=1)  # more than a transaction takes
_TRIES = 3  # to get hold of a table that somebody is writing


@dataclass(frozen=True)
class _Version:
    """A table as it was written once: its object, and its manifest as JSON."""

    object: str
    manifest: str


class RemoteLake(Lake):
    """All tables under one URL, and on this machine those of them that were used."""

    def __init__(self, url: str) -> None:
        super().__init__(_mirror_of(url))
        self.url = url.rstrip("/")
        self._bucket = Bucket(self.url)
        self._committed: set[str] = set()  # a mark that was seen once stays

    def __str__(self) -> str:
        return self.url

    def file(self, address: Address) -> Path:
        """The Parquet file of a table on this machine, fetched when it is not there or another one by now."""
        for _ in range(_TRIES):
            version = self._version(address)
            if version is None:
                shutil.rmtree(self.root / address.folder, ignore_errors=True)
                return self.root / address.file
            if self._mirrored(address) == version.object or self._fetch(address, version):
                return self.root / address.file
        raise IntegrityError(f"{address}: its file is not in the lake {self.url}, though its manifest is")

    def manifest(self, address: Address) -> Manifest | None:
        """What the table is; None when there is none."""
        version = self._version(address)
        try:
            return None if version is None else Manifest.from_json(version.manifest)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise IntegrityError(f"{address}: its manifest in the lake {self.url} cannot be read") from error

    def partitions(self, context: str, entity: str, stage: str) -> list[str]:
        """The partitions of a stage that are there, in order."""
        within = PurePosixPath(context, entity, stage)
        found = self._there([address for address in map(_address, self._bucket.names(within)) if address is not None])
        return [address.partition for address in found if address.stage == stage and address.partition is not None]

    def addresses(self, stage: str) -> list[Address]:
        """Every table of a stage that is there, over all contexts and entities, in order."""
        found = map(_address, self._bucket.names(PurePosixPath()))
        return self._there([address for address in found if address is not None and address.stage == stage])

    def remove(self, address: Address) -> None:
        """Take a table away, here and there; whoever fetches it just then may find its object gone."""
        manifest = _place(address, MANIFEST)
        if self._bucket.has(manifest):
            self._bucket.delete(manifest)  # first: a manifest without its object would be an error to whoever reads
        self._sweep(address, set())
        super().remove(address)

    @contextmanager
    def transaction(self, run_id: str) -> Iterator[Transaction]:
        """Tables written in this block become visible together at its end; after an error nothing has changed."""
        with ExitStack() as stack:
            with usable(self.root):
                folder = stack.enter_context(atomic.aside(self.root / ASIDE, run_id))
            transaction = Transaction(self.root, run_id, folder)
            yield transaction
            self._commit(transaction)
            transaction.publish()

    def _commit(self, transaction: Transaction) -> None:
        commit, kept = uuid4().hex, {}
        for address, folder in transaction.written.items():
            version = _Version(f"{address.stage}-{commit}.parquet", (folder / MANIFEST).read_text(encoding="utf-8"))
            self._bucket.send(folder / address.file.name, _place(address, version.object))
            with usable(self.root):
                (folder / _HELD).write_text(version.object, encoding="utf-8")
            before = self._version(address)
            record = {"commit": commit, "new": asdict(version), "old": asdict(before) if before else None}
            self._bucket.put(_place(address, MANIFEST), json.dumps(record, indent=2).encode())
            kept[address] = {version.object, before.object if before else version.object}
        self._bucket.put(_COMMITS / commit, transaction.run_id.encode())
        for address, objects in kept.items():
            with suppress(IntegrityError):  # what is left lying about costs space, and the next writer sweeps again
                self._sweep(address, objects)

    def _sweep(self, address: Address, kept: set[str]) -> None:
        """Delete what neither the table nor the one before it is made of: whoever reads that one still can.

        Only of commits that have their mark, and what is old: the rest may be what somebody is writing just now.
        """
        young = datetime.now(UTC) - _A_DAY
        for name, changed in self._bucket.objects(PurePosixPath(address.folder.as_posix())):
            if name != _place(address, name.name) or name.suffix != ".parquet" or name.name in kept:
                continue
            if changed < young or self._is_committed(name.stem.removeprefix(f"{address.stage}-")):
                self._bucket.delete(name)

    def _version(self, address: Address) -> _Version | None:
        """The table as it is visible now."""
        raw = self._bucket.read(_place(address, MANIFEST))
        if raw is None:
            return None
        try:
            record = json.loads(raw)
            found = record["new"] if self._is_committed(record["commit"]) else record["old"]
            return None if found is None else _Version(**found)
        except (ValueError, TypeError, KeyError) as error:
            raise IntegrityError(f"{address}: its manifest in the lake {self.url} cannot be read") from error

    def _is_committed(self, commit: str) -> bool:
        if commit not in self._committed and self._bucket.has(_COMMITS / commit):
            self._committed.add(commit)
        return commit in self._committed

    def _there(self, addresses: list[Address]) -> list[Address]:
        """Those that are visible, in order."""
        with ThreadPoolExecutor(_SIDE_BY_SIDE) as asking:
            versions = list(asking.map(self._version, addresses))
        found = [address for address, version in zip(addresses, versions, strict=True) if version is not None]
        return sorted(found, key=lambda address: (address.context, address.entity, address.partition or ""))

    def _mirrored(self, address: Address) -> str:
        """Which object the copy on this machine is of; empty when there is none."""
        held = self.root / address.folder / _HELD
        with usable(self.root):
            return held.read_text(encoding="utf-8") if held.exists() else ""

    def _fetch(self, address: Address, version: _Version) -> bool:
        """Bring a table here; False when its object is gone, because it was written anew twice since."""
        with ExitStack() as stack:
            with usable(self.root):
                aside = stack.enter_context(atomic.aside(self.root / ASIDE, "fetch"))
                folder = aside / "table"
                folder.mkdir()
            if not self._bucket.fetch(_place(address, version.object), folder / address.file.name):
                return False
            with usable(self.root):
                (folder / MANIFEST).write_text(version.manifest, encoding="utf-8")
                (folder / _HELD).write_text(version.object, encoding="utf-8")
                atomic.swap(folder, self.root / address.folder)
        return True


def _mirror_of(url: str) -> Path:
    """The folder of this machine where the tables of a lake are that were used."""
    caches = Path(os.environ.get("COEXIST_MIRROR") or Path.home() / ".cache" / "coexist")
    return caches / hashlib.sha256(url.rstrip("/").encode()).hexdigest()[:16]


def _place(address: Address, name: str) -> PurePosixPath:
    return PurePosixPath(address.folder.as_posix()) / name


def _address(name: PurePosixPath) -> Address | None:
    """The table that an object is the manifest of; None when it is none of a table."""
    match name.parts:
        case (context, entity, stage, str(manifest)) if manifest == MANIFEST:
            return Address(context, entity, stage)
        case (context, entity, stage, str(partition), str(manifest)) if manifest == MANIFEST:
            return Address(context, entity, stage, partition.removeprefix(PARTITION))
    return None
