"""Backfills: partitions that a running Dagster shows as stale or missing, and materialising some of them again.

What an asset is made of is the code location's; how the server is asked, `webserver`'s; which partitions a person
meant, the command line's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from graphlib import TopologicalSorter

from pipelines.errors import DeclarationError, Problem, did_you_mean
from pipelines.webserver import Asset, Key, Server, Staleness


def launch(
    url: str,
    *,
    context: str,
    partitions: Sequence[str],
    entity: str | None = None,
    tags: Mapping[str, str] | None = None,
) -> str:
    """Launch a backfill of these partitions of a context, or of one of its entities; its id.

    Identity maps of others that references need come along where they are missing. `tags` (reason, requester) stay with
    every run. Raises DeclarationError for names the server does not know, SourceError when it does not answer.
    """
    server = Server(url)
    assets = server.assets()
    wanted = _wanted(server, _chosen(assets, context, entity), partitions)
    return server.launch(wanted | _missing_upstream(assets, wanted, server), _named(tags or {}))


def refresh(
    url: str,
    *,
    context: str,
    entity: str | None = None,
    partitions: Sequence[str] | None = None,
    tags: Mapping[str, str] | None = None,
) -> str | None:
    """Launch a backfill of what is stale or missing, and of what is made from it; nothing when all is fresh.

    Fresh assets stay as they are: when a limit changed, drift is judged again and no source is read.
    """
    server = Server(url)
    assets = server.assets()
    wanted = _to_refresh(assets, _wanted(server, _chosen(assets, context, entity), partitions), server)
    if not any(wanted.values()):
        return None
    return server.launch(wanted | _missing_upstream(assets, wanted, server), _named(tags or {}))


def stale(url: str, *, context: str, entity: str | None = None, partitions: Sequence[str] | None = None) -> list[str]:
    """The partitions (all that have begun, when none are given) in which anything is stale or missing."""
    server = Server(url)
    wanted = _wanted(server, _chosen(server.assets(), context, entity), partitions)
    return sorted({partition for found in _not_fresh(wanted, server).values() for partition in found})


def _chosen(assets: Mapping[Key, Asset], context: str, entity: str | None) -> list[Key]:
    of_context = [asset for asset in assets.values() if asset.context == context and asset.partitioned]
    if not of_context:
        raise _unknown("context", context, (asset.context for asset in assets.values() if asset.partitioned))
    found = [asset.key for asset in of_context if entity in (None, asset.entity)]
    if not found:
        raise _unknown("entity", str(entity), (asset.entity or "" for asset in of_context))
    return found


def _wanted(server: Server, keys: Sequence[Key], partitions: Sequence[str] | None) -> dict[Key, list[str]]:
    """These partitions of each asset, or all that have begun; every name must be known to some asset."""
    known, today = server.partitions(keys), datetime.now(UTC).date().isoformat()
    names = sorted({name for there in known.values() for name in there})
    for name in partitions or ():
        if name not in names:
            raise _unknown("partition", name, names)
    if partitions is None:
        return {key: [name for name in there if name <= today] for key, there in known.items()}
    return {key: [name for name in there if name in partitions] for key, there in known.items()}


def _unknown(what: str, name: str, valid: Iterable[str]) -> DeclarationError:
    return DeclarationError([Problem(name, what, f"Dagster knows no such {what}", did_you_mean(name, valid))])


def _not_fresh(wanted: Mapping[Key, Sequence[str]], server: Server) -> dict[Key, set[str]]:
    """Of the wanted partitions those that are stale or missing."""
    return _with_status(wanted, server, {Staleness.STALE, Staleness.MISSING})


def _with_status(
    wanted: Mapping[Key, Sequence[str]], server: Server, statuses: Collection[Staleness]
) -> dict[Key, set[str]]:
    """The partitions with such a status. One question for assets with equal partitions: the server wants it so."""
    groups: dict[tuple[str, ...], list[Key]] = {}
    for key, partitions in wanted.items():
        groups.setdefault(tuple(partitions), []).append(key)
    return {
        key: {partition for partition, status in known.items() if status in statuses}
        for partitions, keys in groups.items()
        if partitions
        for key, known in server.staleness(keys, partitions).items()
    }


def _to_refresh(
    assets: Mapping[Key, Asset], wanted: Mapping[Key, Sequence[str]], server: Server
) -> dict[Key, list[str]]:
    """What is stale or missing, and what is made from it."""
    found = _not_fresh(wanted, server)
    for key in _upstream_first(assets, wanted):
        found[key] |= {name for other in assets[key].upstream for name in found.get(other, ()) if name in wanted[key]}
    return {key: sorted(partitions) for key, partitions in found.items()}


def _missing_upstream(
    assets: Mapping[Key, Asset], wanted: Mapping[Key, Sequence[str]], server: Server
) -> dict[Key, list[str]]:
    """What others must have and have not got: their assets upstream of the wanted ones, where they are missing."""
    needed: dict[Key, set[str]] = {}
    for key in reversed(_upstream_first(assets, assets)):
        partitions = {*wanted.get(key, ()), *needed.get(key, ())}
        for other in assets[key].upstream if partitions else ():
            if other not in wanted and assets[other].partitioned:
                needed.setdefault(other, set()).update(partitions)
    there = server.partitions(needed) if needed else {}
    asked = {key: sorted(partitions & set(there[key])) for key, partitions in needed.items()}
    missing = _with_status(asked, server, {Staleness.MISSING})
    return {key: sorted(partitions) for key, partitions in missing.items()}


def _upstream_first(assets: Mapping[Key, Asset], keys: Iterable[Key]) -> list[Key]:
    chosen = set(keys)
    order = TopologicalSorter({key: [other for other in assets[key].upstream if other in chosen] for key in chosen})
    return list(order.static_order())


def _named(tags: Mapping[str, str]) -> dict[str, str]:
    return {name if "/" in name else f"coexist/{name}": value for name, value in tags.items()}
