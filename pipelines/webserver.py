"""A running Dagster web server: the questions about assets and partitions it answers, and the orders it takes.

Plain GraphQL over HTTP: nothing here needs Dagster installed, and the server may be elsewhere. What to ask and to order
is `backfill`'s.
"""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pipelines.errors import SourceError

URL = "http://127.0.0.1:3000"
_TIMEOUT = 60  # seconds: the first question about stale partitions reads every event of theirs
_ENTITY_TAG = "coexist/entity"

ASSETS = """
query Assets { assetNodes { assetKey { path } groupName isPartitioned tags { key value } dependencyKeys { path } } }
"""
PARTITIONS = """
query Partitions($keys: [AssetKeyInput!]!) { assetNodes(assetKeys: $keys) { assetKey { path } partitionKeys } }
"""
STALENESS = """
query Staleness($keys: [AssetKeyInput!]!, $partitions: [String!]!) {
  assetNodes(assetKeys: $keys) { assetKey { path } staleStatusByPartition(partitions: $partitions) }
}
"""
LAUNCH = """
mutation Launch($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on Error { message }
  }
}
"""
STATUS = """
query Status($id: String!) {
  partitionBackfillOrError(backfillId: $id) {
    __typename
    ... on PartitionBackfill { status runs { id status tags { key value } } }
    ... on Error { message }
  }
}
"""

Key = tuple[str, ...]


class Staleness(StrEnum):
    """What Dagster knows of a partition of an asset."""

    FRESH = "FRESH"
    STALE = "STALE"  # made by another version of the code, or from other data
    MISSING = "MISSING"  # never made


@dataclass(frozen=True)
class Asset:
    """An asset of the running code location, as far as a backfill needs to know it."""

    key: Key
    context: str
    entity: str | None
    partitioned: bool
    upstream: tuple[Key, ...]


@dataclass(frozen=True)
class Server:
    """A running Dagster web server, and the questions and orders it takes."""

    url: str = URL

    def assets(self) -> dict[Key, Asset]:
        """Every asset of every code location."""
        return {asset.key: asset for asset in map(_asset, self.ask(ASSETS)["assetNodes"])}

    def partitions(self, keys: Iterable[Key]) -> dict[Key, list[str]]:
        """The partitions there are of each asset."""
        nodes = self.ask(PARTITIONS, keys=_inputs(keys))["assetNodes"]
        return {_path(node["assetKey"]): node["partitionKeys"] for node in nodes}

    def staleness(self, keys: Iterable[Key], partitions: Sequence[str]) -> dict[Key, dict[str, Staleness]]:
        """What is known of each of these partitions of each asset."""
        nodes = self.ask(STALENESS, keys=_inputs(keys), partitions=list(partitions))["assetNodes"]
        return {
            _path(node["assetKey"]): dict(zip(partitions, map(Staleness, node["staleStatusByPartition"]), strict=True))
            for node in nodes
        }

    def launch(self, wanted: Mapping[Key, Sequence[str]], tags: Mapping[str, str]) -> str:
        """Materialise these partitions of these assets; the id of the backfill."""
        params = {
            "partitionsByAssets": [
                {
                    "assetKey": {"path": list(key)},
                    "partitions": {"ranges": [{"start": p, "end": p} for p in partitions]},
                }
                for key, partitions in wanted.items()
                if partitions
            ],
            "tags": [{"key": key, "value": value} for key, value in tags.items()],
        }
        answer = self.ask(LAUNCH, params=params)["launchPartitionBackfill"]
        if "backfillId" not in answer:
            raise SourceError(f"Dagster at {self.url} refused the backfill: {_reason(answer)}")
        return str(answer["backfillId"])

    def status(self, backfill_id: str) -> dict[str, Any]:
        """How far a backfill is: `status`, and its `runs`."""
        answer: dict[str, Any] = self.ask(STATUS, id=backfill_id)["partitionBackfillOrError"]
        if "status" not in answer:
            raise SourceError(f"Dagster at {self.url} does not know the backfill {backfill_id}: {_reason(answer)}")
        return answer

    def ask(self, query: str, **variables: object) -> dict[str, Any]:
        """The data of an answer. Raises SourceError when there is none."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        answer = _post(f"{self.url.rstrip('/')}/graphql", body)
        if answer.get("errors"):
            raise SourceError(f"Dagster at {self.url} cannot answer: {answer['errors'][0]['message']}")
        return dict(answer["data"])


def _post(address: str, body: bytes) -> dict[str, Any]:
    try:
        request = urllib.request.Request(address, body, {"Content-Type": "application/json"})  # noqa: S310 (the user's choice)
    except ValueError:
        raise SourceError(f'"{address}" is no URL of a Dagster web server, such as {URL}/graphql') from None
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as response:  # noqa: S310
            text = response.read()
    except urllib.error.HTTPError as error:
        text = error.read()  # a refused question is an answer too
    except TimeoutError as error:
        raise SourceError(f"{address} has not answered within {_TIMEOUT} seconds", transient=True) from error
    except (OSError, http.client.HTTPException) as error:
        why = getattr(error, "reason", error)
        message = f"no Dagster web server answers at {address} ({why}); `make ui` starts one"
        raise SourceError(message, transient=True) from error
    try:
        answer = json.loads(text)
    except ValueError as error:
        raise SourceError(f"{address} does not answer as a Dagster web server does") from error
    if not isinstance(answer, dict) or not {"data", "errors"} & answer.keys():
        raise SourceError(f"{address} does not answer as a Dagster web server does")
    return answer


def _asset(node: Mapping[str, Any]) -> Asset:
    tags = {tag["key"]: tag["value"] for tag in node["tags"]}
    upstream = tuple(_path(key) for key in node["dependencyKeys"])
    return Asset(_path(node["assetKey"]), node["groupName"], tags.get(_ENTITY_TAG), node["isPartitioned"], upstream)


def _path(key: Mapping[str, Any]) -> Key:
    return tuple(key["path"])


def _inputs(keys: Iterable[Key]) -> list[dict[str, list[str]]]:
    return [{"path": list(key)} for key in keys]


def _reason(answer: Mapping[str, Any]) -> str:
    return f"{answer['__typename']}: {answer.get('message', 'no reason given')}"
