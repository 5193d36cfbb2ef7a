"""Files in object storage by URL (`s3://`, `gs://`, `az://`), through Arrow's file systems.

What reads and writes Parquet reads and writes there too, without another library. Credentials and endpoints are each
cloud's own: environment variables and files, never part of a URL. What files hold is not known here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import IO

from pyarrow import fs

_URL = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
_ALMOST = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*):(?!//)", re.IGNORECASE)
_SECONDS = 20.0  # until a server that does not answer is given up
_TRIES = 3


def is_url(name: str) -> bool:
    """Whether a declared path is a URL rather than the path of a local file."""
    return _URL.fullmatch(name) is not None


def url_problem(url: str) -> str:
    """Why a URL cannot be read; empty when it can. A secret in it is not repeated."""
    found, almost = _URL.fullmatch(url), _ALMOST.match(url)
    if almost and almost["scheme"] in _FILE_SYSTEMS:
        return f"a URL begins with {almost['scheme']}://"
    if not found:
        return ""
    if found["scheme"] not in _FILE_SYSTEMS:
        return f'"{found["scheme"]}" is no object storage'
    if "@" in found["rest"].partition("/")[0] or "?" in found["rest"]:
        return "a URL holds no credentials or options: they come from the environment"
    if not all(found["rest"].partition("/")[::2]):
        return "a URL names a bucket and a file in it"
    return ""


def schemes() -> Iterable[str]:
    """The kinds of object storage there are."""
    return _FILE_SYSTEMS.keys()


@dataclass(frozen=True)
class Remote:
    """A file in object storage. Behaves like a path as far as sources care: it can be opened, and said."""

    url: str

    def __str__(self) -> str:
        return self.url

    def open(self, mode: str = "rb") -> IO[bytes]:
        """The file for reading; FileNotFoundError when there is none, OSError when the storage does not answer."""
        if mode != "rb":
            raise ValueError(f"files in object storage are read as bytes, not in mode {mode}")
        files, path = located(self.url)
        opened: IO[bytes] = files.open_input_file(path)
        return opened


def located(url: str) -> tuple[fs.FileSystem, str]:
    """The file system that a URL means, and the path in it; OSError when it means none."""
    found = _URL.fullmatch(url)
    if found is None or url_problem(url):
        raise OSError(url_problem(url) or f"{url} is no URL")
    return file_system(found["scheme"]), found["rest"]


def trouble(error: OSError) -> tuple[str, bool]:
    """What object storage says is wrong, in short, and whether it may pass. Arrow's own message tells requests."""
    told = " ".join(str(error).split())
    for sign, why, transient in _TROUBLES:
        if sign in told:
            return why, transient
    return told.partition(" Detail:")[0][:200], False


@lru_cache(maxsize=8)
def file_system(scheme: str) -> fs.FileSystem:
    """The file system of a scheme, with whatever credentials the environment gives."""
    return _FILE_SYSTEMS[scheme]()


def _s3() -> fs.FileSystem:
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    found = _URL.fullmatch(endpoint)
    return fs.S3FileSystem(
        endpoint_override=found["rest"] if found else None,
        scheme=found["scheme"] if found else "https",
        connect_timeout=_SECONDS,
        request_timeout=_SECONDS,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=_TRIES),
    )


def _gcs() -> fs.FileSystem:
    patience = timedelta(seconds=_SECONDS)
    found = _URL.fullmatch(os.environ.get("STORAGE_EMULATOR_HOST", ""))
    if not found:
        return fs.GcsFileSystem(retry_time_limit=patience)
    elsewhere = {"scheme": found["scheme"], "endpoint_override": found["rest"].rstrip("/")}
    return fs.GcsFileSystem(anonymous=True, project_id="-", retry_time_limit=patience, **elsewhere)


def _azure() -> fs.FileSystem:
    account, key = os.environ.get("AZURE_STORAGE_ACCOUNT", ""), os.environ.get("AZURE_STORAGE_KEY")
    found = _URL.fullmatch(os.environ.get("AZURE_STORAGE_ENDPOINT", ""))
    if not found:
        return fs.AzureFileSystem(account_name=account, account_key=key)
    place, scheme = found["rest"].rstrip("/"), found["scheme"]
    return fs.AzureFileSystem(
        account_name=account, account_key=key,
        blob_storage_authority=place, blob_storage_scheme=scheme,
        dfs_storage_authority=place, dfs_storage_scheme=scheme,
    )  # fmt: skip


_FILE_SYSTEMS: dict[str, Callable[[], fs.FileSystem]] = {"s3": _s3, "gs": _gcs, "az": _azure}
# What Arrow's file systems say, and what it means. The first that occurs counts; a status has a blank before it, or the
# number of a port would be taken for one.
_TROUBLES = (
    ("ACCESS_DENIED", "access denied", False), (" 403", "access denied", False),
    ("INVALID_ACCESS_KEY", "the storage does not know the access key", False),
    ("SIGNATURE_DOES_NOT_MATCH", "the secret key is wrong", False),
    ("NO_SUCH_BUCKET", "there is no such bucket", False), ("NETWORK_CONNECTION", "the storage does not answer", True),
    ("timed out", "the storage does not answer in time", True), ("SLOW_DOWN", "the storage asks to slow down", True),
    ("INTERNAL_FAILURE", "the storage failed", True), ("SERVICE_UNAVAILABLE", "the storage is not available", True),
    ("HTTP response code 5", "the storage failed", True), ("HTTP status 5", "the storage failed", True),
)  # fmt: skip
