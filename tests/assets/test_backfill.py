"""Backfills as the server is asked for them: what is chosen, what comes along, and what is said when it cannot be.

The server here is a small stand-in that speaks HTTP; the real one is in `test_live`.
"""

import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from dagster_graphql.schema import create_schema
from graphql import parse, validate

from pipelines import backfill, webserver
from pipelines.errors import DeclarationError, SourceError

DAYS = ["2026-01-01", "2026-01-02", "2026-01-03"]
MONTHS = ["2026-01-01"]
FUTURE = "2999-01-01"  # an effective date that is declared already
STAGES = ("legacy", "service", "identity_map", "discrepancies", "drift")
STALE, MISSING, FRESH = "STALE", "MISSING", "FRESH"


class StandIn:
    """The graph of two contexts, sales referring to people; what is stale; and what was ordered."""

    def __init__(self):
        self.statuses = {}  # of (entity_stage, partition); others are fresh
        self.ordered = None
        self.broken = None  # the body to answer with instead

    def keys(self):
        return [(context, f"{entity}_{stage}") for context, entity in ENTITIES for stage in STAGES] + [
            ("coexist", "catalog")
        ]

    def upstream(self, key):
        entity, _, stage = key[1].partition("_")
        needs = {"identity_map": STAGES[:2], "discrepancies": STAGES[:3], "drift": STAGES[3:4]}.get(stage, ())
        found = [(key[0], f"{entity}_{need}") for need in needs]
        if key[1] == "orders_discrepancies":
            found.append(("people", "customers_identity_map"))
        return [k for k in self.keys() if k[1].endswith("_drift")] if key[1] == "catalog" else found

    def partitions(self, key):
        return MONTHS if key[1].startswith("statements") else [*DAYS, FUTURE]

    def assets(self, _):
        nodes = [
            {
                "assetKey": {"path": list(key)},
                "groupName": key[0],
                "isPartitioned": key[1] != "catalog",
                "tags": [{"key": "coexist/entity", "value": key[1].partition("_")[0]}],
                "dependencyKeys": [{"path": list(other)} for other in self.upstream(key)],
            }
            for key in self.keys()
        ]
        return {"assetNodes": nodes}

    def asked(self, variables):
        return [tuple(key["path"]) for key in variables["keys"]]

    def there(self, variables):
        nodes = [{"assetKey": {"path": list(k)}, "partitionKeys": self.partitions(k)} for k in self.asked(variables)]
        return {"assetNodes": nodes}

    def staleness(self, variables):
        return {
            "assetNodes": [
                {
                    "assetKey": {"path": list(key)},
                    "staleStatusByPartition": [self.statuses.get((key[1], p), FRESH) for p in variables["partitions"]],
                }
                for key in self.asked(variables)
            ]
        }

    def launch(self, variables):
        self.ordered = variables["params"]
        return {"launchPartitionBackfill": {"__typename": "LaunchBackfillSuccess", "backfillId": "b1"}}

    def answer(self, question):
        if self.broken is not None:
            return self.broken
        operation = re.match(r"\s*\w+ (\w+)", question["query"])[1]
        answers = {"Assets": self.assets, "Partitions": self.there, "Staleness": self.staleness, "Launch": self.launch}
        return json.dumps({"data": answers[operation](question["variables"])})

    def partitions_ordered(self):
        """The partitions of each asset that were ordered."""
        return {
            item["assetKey"]["path"][1]: [r["start"] for r in item["partitions"]["ranges"] if r["start"] == r["end"]]
            for item in self.ordered["partitionsByAssets"]
        }


ENTITIES = [("people", "customers"), ("sales", "orders"), ("sales", "statements")]
ORDERS = {f"orders_{stage}" for stage in STAGES}


@pytest.fixture
def graph():
    return StandIn()


@pytest.fixture
def url(graph):
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = graph.answer(question).encode()
            self.send_response(400 if b'"errors"' in body else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("name", ["ASSETS", "PARTITIONS", "STALENESS", "LAUNCH", "STATUS"])
def test_the_installed_dagster_understands_every_question(name):
    schema = create_schema().graphql_schema

    assert validate(schema, parse(getattr(webserver, name))) == []


def test_an_entity_is_launched_whole(url, graph):
    assert backfill.launch(url, context="sales", entity="orders", partitions=DAYS[:2]) == "b1"

    assert graph.partitions_ordered() == dict.fromkeys(ORDERS, DAYS[:2])


def test_a_context_is_launched_with_the_partitions_each_entity_has(url, graph):
    backfill.launch(url, context="sales", partitions=DAYS)

    assert graph.partitions_ordered() == dict.fromkeys(ORDERS, DAYS) | {f"statements_{s}": MONTHS for s in STAGES}


def test_identity_maps_of_others_come_along_where_they_are_missing(url, graph):
    graph.statuses |= {("customers_identity_map", day): MISSING for day in DAYS[1:]}
    graph.statuses |= {("customers_service", DAYS[2]): MISSING, ("customers_drift", DAYS[2]): MISSING}
    backfill.launch(url, context="sales", entity="orders", partitions=DAYS)

    ordered = graph.partitions_ordered()
    assert ordered["customers_identity_map"] == DAYS[1:]
    assert ordered["customers_service"] == DAYS[2:]
    assert ordered.keys() - ORDERS == {"customers_identity_map", "customers_service"}


def test_tags_say_whose_they_are(url, graph):
    backfill.launch(url, context="people", partitions=DAYS, tags={"reason": "late file", "other/tag": "x"})

    assert graph.ordered["tags"] == [
        {"key": "coexist/reason", "value": "late file"},
        {"key": "other/tag", "value": "x"},
    ]


@pytest.mark.parametrize(
    ("only", "expected"), [({}, DAYS[:2]), ({"partitions": DAYS[1:]}, DAYS[1:2]), ({"entity": "statements"}, [])]
)
def test_stale_partitions_are_those_with_anything_stale_or_missing(url, graph, only, expected):
    graph.statuses |= {("orders_drift", DAYS[0]): STALE, ("orders_legacy", DAYS[1]): MISSING}

    assert backfill.stale(url, context="sales", **only) == expected


def test_what_has_not_begun_is_not_missing(url, graph):
    graph.statuses |= {("customers_legacy", FUTURE): MISSING, ("customers_legacy", DAYS[0]): MISSING}

    assert backfill.stale(url, context="people") == DAYS[:1]


def test_a_refresh_takes_what_is_stale_and_what_is_made_from_it(url, graph):
    graph.statuses |= {("orders_drift", DAYS[0]): STALE, ("orders_identity_map", DAYS[1]): STALE}

    assert backfill.refresh(url, context="sales") == "b1"
    assert graph.partitions_ordered() == {
        "orders_identity_map": [DAYS[1]],
        "orders_discrepancies": [DAYS[1]],
        "orders_drift": DAYS[:2],
    }


def test_a_refresh_of_what_is_fresh_orders_nothing(url, graph):
    assert backfill.refresh(url, context="sales") is None
    assert graph.ordered is None


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (
            {"context": "sale", "partitions": DAYS},
            'sale: context: Dagster knows no such context (did you mean "sales"?)',
        ),
        ({"context": "sales", "entity": "order", "partitions": DAYS}, 'did you mean "orders"?'),
        ({"context": "people", "partitions": ["2026-01-04"]}, 'did you mean "2026-01-0'),
    ],
)
def test_unknown_names_are_refused_with_the_nearest(url, graph, wanted, says):
    with pytest.raises(DeclarationError, match=re.escape(says)):
        backfill.launch(url, **wanted)

    assert graph.ordered is None


def test_a_server_that_is_not_there_is_named_with_the_way_to_start_it():
    with pytest.raises(
        SourceError, match=r"no Dagster web server answers at http://127\.0\.0\.1:1/.*make ui"
    ) as raised:
        backfill.stale("http://127.0.0.1:1", context="sales")

    assert raised.value.transient


def test_a_server_that_is_busy_is_not_called_absent(url, graph, monkeypatch):
    monkeypatch.setattr(webserver, "_TIMEOUT", 0.2)
    graph.answer = lambda _: time.sleep(1) or "{}"

    with pytest.raises(SourceError, match=r"has not answered within 0\.2 seconds"):
        backfill.stale(url, context="sales")


@pytest.mark.parametrize("body", ["<html>", "[]", "{}", ""])
def test_another_server_is_told_apart(url, graph, body):
    graph.broken = body

    with pytest.raises(SourceError, match="does not answer as a Dagster web server does"):
        backfill.stale(url, context="sales")


def test_a_refused_question_is_told_in_dagsters_words(url, graph):
    graph.broken = json.dumps({"errors": [{"message": "the code location is being loaded"}]})

    with pytest.raises(SourceError, match="cannot answer: the code location is being loaded"):
        backfill.stale(url, context="sales")


def test_a_refused_backfill_is_told_in_dagsters_words(url, graph):
    graph.launch = lambda _: {"launchPartitionBackfill": {"__typename": "UnauthorizedError", "message": "read-only"}}

    with pytest.raises(SourceError, match="refused the backfill: UnauthorizedError: read-only"):
        backfill.launch(url, context="sales", partitions=DAYS)
