"""Backfills against a server that only takes down what it is asked. The real one is tested with Dagster."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class Dagster(BaseHTTPRequestHandler):
    """Knows one asset; everything is as stale as `status` says."""

    status = "STALE"
    orders = ()

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps({"data": self._answer(asked["query"], asked["variables"])}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def _answer(self, query, variables):
        key = {"path": ["banks", "banks_drift"]}
        if "Launch" in query:
            type(self).orders = (*self.orders, variables["params"])
            return {"launchPartitionBackfill": {"__typename": "LaunchBackfillSuccess", "backfillId": "abcd"}}
        node = {"assetKey": key, "groupName": "banks", "isPartitioned": True, "dependencyKeys": []}
        if "Assets" in query:
            return {"assetNodes": [node | {"tags": [{"key": "coexist/entity", "value": "banks"}]}]}
        if "Partitions" in query:
            return {"assetNodes": [node | {"partitionKeys": ["2026-03-09", "2026-06-08", "2026-09-07"]}]}
        return {"assetNodes": [node | {"staleStatusByPartition": [self.status] * len(variables["partitions"])}]}

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def dagster():
    """The class of a running server's handler, with its address."""
    handler = type("Running", (Dagster,), {"orders": ()})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        handler.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield handler
        server.shutdown()
        thread.join()


def test_a_range_is_launched_with_its_reason_and_the_link_is_printed(coexist, dagster):
    said = coexist(
        "backfill",
        "-c",
        "banks",
        "-e",
        "banks.banks",
        "--from",
        "2026-06-08",
        "--reason",
        "late file",
        "--url",
        dagster.url,
    )

    order = dagster.orders[0]
    assert said.code == 0
    assert f"Launched 2 partitions of banks.banks: {dagster.url}/runs/b/abcd" in said.out
    assert [r["start"] for r in order["partitionsByAssets"][0]["partitions"]["ranges"]] == ["2026-06-08", "2026-09-07"]
    assert {"key": "coexist/reason", "value": "late file"} in order["tags"]


def test_only_what_is_stale(coexist, dagster):
    said = coexist("backfill", "-c", "banks", "--stale", "--url", dagster.url, "--json")

    assert said.document["link"] == f"{dagster.url}/runs/b/abcd"


def test_nothing_is_stale(coexist, dagster):
    dagster.status = "FRESH"

    said = coexist("backfill", "-c", "banks", "--stale", "--url", dagster.url)

    assert (said.code, dagster.orders) == (0, ())
    assert "nothing to do" in said.out


def test_no_server(coexist):
    said = coexist("backfill", "-c", "banks", "--date", "2026-03-09", "--url", "http://127.0.0.1:9")

    assert said.code == 3
    assert "make ui" in said.err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "say which partitions"),
        (["--date", "2026-03-10"], 'did you mean "2026-03-09"?'),
        (["--entity", "bank", "--stale"], 'did you mean "banks"?'),
    ],
)
def test_usage(coexist, arguments, expected):
    said = coexist("backfill", "-c", "banks", *arguments, "--json")

    assert said.code == 2
    assert expected in said.document["error"]["message"]


def test_an_address_that_is_none(coexist):
    said = coexist("backfill", "--context", "banks", "--date", "2026-03-09", "--url", "localhost", "--json")

    assert said.code == 3
    assert "http://127.0.0.1:3000" in said.document["error"]["message"]
