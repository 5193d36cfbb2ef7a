"""The lake: immutable Parquet of every stage, each beside a manifest that says what it is and what it was made from.

    <root>/<context>/<entity>/<stage>/business_date=<partition>/<stage>.parquet  and  _manifest.json

Everything of one transaction is written aside and becomes visible when the transaction ends well, or not at all. Which
stages there are, and what is in them, is not known here.
"""

from __future__ import annotations

import os
from pathlib import Path

from pipelines import settings
from pipelines.errors import DeclarationError, Problem
from pipelines.filesystems import is_url, schemes, url_problem
from pipelines.lake.manifest import Address, Manifest
from pipelines.lake.remote import RemoteLake
from pipelines.lake.storage import HASHES, WORKING
from pipelines.lake.store import Lake
from pipelines.lake.transaction import Spool, Transaction

__all__ = ["HASHES", "WORKING", "Address", "Lake", "Manifest", "RemoteLake", "Spool", "Transaction", "lake_in"]


def lake_in(place: str = "") -> Lake:
    """The lake in a folder or at a URL of object storage; without one, that of `$COEXIST_LAKE`, else of `data/lake`.

    Raises DeclarationError for a URL that names no place in object storage; what may be secret in it is not repeated.
    """
    wanted = place or os.environ.get("COEXIST_LAKE") or "data/lake"
    if misspelt := settings.misspelt():
        raise DeclarationError(misspelt)
    problem = url_problem(wanted) or ("" if is_url(wanted) else _folder_problem(Path(wanted)))
    if problem:
        kinds = ", ".join(f"{scheme}://bucket/folder" for scheme in schemes())
        raise DeclarationError([Problem("lake", "COEXIST_LAKE or --lake", problem, f"a folder, or {kinds}")])
    return RemoteLake(wanted) if is_url(wanted) else Lake(Path(wanted))


def _folder_problem(folder: Path) -> str:
    """Why a folder cannot be the lake; empty when it can.

    Arrow takes what begins with a colon's word for a URL. DuckDB takes what follows a question mark for options, and a
    backslash for a slash: it would write the catalogue elsewhere, or not at all.
    """
    if ":" in "".join(folder.parts[:1]):
        return "a folder whose name has a colon is taken for a URL"
    misread = next((character for character in "?\\" if character in str(folder.absolute())), "")
    return f"DuckDB, which reads the catalogue, cannot open a path with {misread} in it" if misread else ""
