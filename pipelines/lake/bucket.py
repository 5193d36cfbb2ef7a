"""Objects under a URL of object storage: put, read, listed and deleted as wholes. What is in them is not known here.

An object appears whole or not at all: that is all that `remote` builds on. S3 and Google's storage promise it. Azure's
shows an object that is being written as an empty one, so there it is written beside and copied, which is one step.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path, PurePosixPath
from uuid import uuid4

from pyarrow import fs

from pipelines.errors import IntegrityError
from pipelines.filesystems import located, trouble


class Bucket:
    """Everything under one URL."""

    def __init__(self, url: str) -> None:
        self.url = url

    def read(self, name: PurePosixPath) -> bytes | None:
        """What an object holds; None when there is none."""
        with self._answering():
            try:
                with self._files().open_input_stream(self._path(name)) as stream:
                    content: bytes = stream.read()
            except FileNotFoundError:
                return None
        return content

    def has(self, name: PurePosixPath) -> bool:
        """Whether there is such an object."""
        with self._answering():
            return bool(self._files().get_file_info(self._path(name)).type == fs.FileType.File)

    def put(self, name: PurePosixPath, content: bytes) -> None:
        """Put an object, in place of one of the same name."""
        with self._answering(), self._whole(name) as path, self._files().open_output_stream(path) as stream:
            stream.write(content)

    def send(self, file: Path, name: PurePosixPath) -> None:
        """Put a file of this machine."""
        with (
            self._answering(),
            file.open("rb") as source,
            self._files().open_output_stream(self._path(name)) as stream,
        ):
            shutil.copyfileobj(source, stream, _AT_ONCE)

    def fetch(self, name: PurePosixPath, file: Path) -> bool:
        """Bring an object to this machine; False when there is none."""
        with self._answering():
            try:
                with self._files().open_input_stream(self._path(name)) as source, file.open("wb") as target:
                    shutil.copyfileobj(source, target, _AT_ONCE)
            except FileNotFoundError:
                return False
        return True

    def names(self, within: PurePosixPath) -> list[PurePosixPath]:
        """The names of all objects below a place, in order."""
        return [name for name, _ in self.objects(within)]

    def objects(self, within: PurePosixPath) -> list[tuple[PurePosixPath, datetime]]:
        """The same, and when each was put."""
        top = self._path(PurePosixPath())
        selector = fs.FileSelector(self._path(within), allow_not_found=True, recursive=True)
        with self._answering():
            found = self._files().get_file_info(selector)
        files = [info for info in found if info.type == fs.FileType.File]
        return sorted((PurePosixPath(info.path).relative_to(top), info.mtime) for info in files)

    def delete(self, name: PurePosixPath) -> None:
        """Delete an object."""
        with self._answering():
            self._files().delete_file(self._path(name))

    @contextmanager
    def _whole(self, name: PurePosixPath) -> Iterator[str]:
        """Where to write an object so that it appears at its place when it is whole."""
        files, path = self._files(), self._path(name)
        if files.type_name not in _SHOWING_HALVES:
            yield path
            return
        beside = f"{path}.{uuid4().hex}"
        yield beside
        files.copy_file(beside, path)
        files.delete_file(beside)

    def _files(self) -> fs.FileSystem:
        return located(self.url)[0]

    def _path(self, name: PurePosixPath) -> str:
        return str(PurePosixPath(located(self.url)[1]) / name)

    @contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            why, _ = trouble(error)
            raise IntegrityError(f"the lake {self.url} cannot be used: {why}") from error


_AT_ONCE = 8 * 1024 * 1024  # bytes
_SHOWING_HALVES = ("abfs",)  # as Arrow calls Azure's
