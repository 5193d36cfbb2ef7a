"""Purging: what in the lake only makes runs faster, and of which partitions nobody waits for a run any more.

Rows kept unpacked, digests, and what earlier runs leave for later ones are made from snapshots, are large, and hold
personal data a second time. Without them a run takes longer and finds the same. Snapshots, findings and all that BI
reads stay.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from pipelines import sifting, unpacked
from pipelines.declarations import Side
from pipelines.lake import Address, Lake
from pipelines.sifting import carrying

_SNAPSHOTS = tuple(map(str, Side))
_TABLES = (*sifting.STAGES, *carrying.STAGES)


class Dispensable(NamedTuple):
    """Something that may go: a table, or only the unpacked rows beside it; `size` is in bytes."""

    address: Address
    is_unpacked_only: bool
    size: int


def dispensable(lake: Lake, *, keep: int = 1) -> list[Dispensable]:
    """What may go of all partitions but, for each table of each entity, the `keep` latest ones."""
    tables = (_table(lake, address) for stage in _TABLES for address in _outlived(lake, stage, keep))
    beside = (_beside(lake, address) for stage in _SNAPSHOTS for address in _outlived(lake, stage, keep))
    return sorted([*tables, *(found for found in beside if found.size)], key=lambda found: str(found.address))


def purge(lake: Lake, found: Sequence[Dispensable]) -> None:
    """Let it go. What is gone by now is no error; a run of such a partition that is under way may fail."""
    for one in found:
        if one.is_unpacked_only:
            unpacked.delete(_here(lake, one.address))
        else:
            lake.remove(one.address)


def _outlived(lake: Lake, stage: str, keep: int) -> Iterator[Address]:
    for _, held in groupby(lake.addresses(stage), key=lambda address: (address.context, address.entity)):
        partitions = list(held)  # in order
        yield from partitions[: max(len(partitions) - keep, 0)]


def _table(lake: Lake, address: Address) -> Dispensable:
    manifest = lake.manifest(address)
    size = (manifest.size if manifest else 0) + unpacked.size(_here(lake, address))
    return Dispensable(address, is_unpacked_only=False, size=size)


def _beside(lake: Lake, address: Address) -> Dispensable:
    return Dispensable(address, is_unpacked_only=True, size=unpacked.size(_here(lake, address)))


def _here(lake: Lake, address: Address) -> Path:
    """Where a table's file is on this machine, if it is there; nothing is fetched for it."""
    return lake.root / address.file
