"""The real web server, daemon and run workers: a backfill ends green, its checks show their own day, the UI shows them.

With COEXIST_SCREENSHOTS=docs/images the pictures of the documentation are taken anew.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from pipelines import backfill
from pipelines.lake import Lake
from pipelines.webserver import Server

pytestmark = [pytest.mark.slow, pytest.mark.live]

PARTITIONS = ["2026-03-09", "2026-06-08", "2026-09-07"]
PATIENCE = 600  # seconds for anything to end: CI machines are slow when they are busy
CHECKS = """
query Checks($key: AssetKeyInput!) {
  assetNodeOrError(assetKey: $key) { ... on AssetNode { assetChecksOrError { ... on AssetChecks { checks {
    name
    partitionStatuses { ... on AssetCheckDefaultPartitionStatuses {
      succeededPartitions failedPartitions inProgressPartitions skippedPartitions executionFailedPartitions
    } }
  } } } } }
}
"""
LOCATION = "query Location { repositoriesOrError { ... on RepositoryConnection { nodes { location { name } } } } }"


class Running(Server):
    """The server under test, with its lake."""

    lake: Lake

    def wait_for(self, condition, what):
        end = time.monotonic() + PATIENCE
        while not (found := condition()):
            assert time.monotonic() < end, f"{what} took longer than {PATIENCE} seconds"
            time.sleep(1)
        return found

    def finish(self, backfill_id):
        """The end of a backfill: its status, and its runs by partition."""
        done = self.wait_for(lambda: (s := self.status(backfill_id))["status"] != "REQUESTED" and s, "the backfill")
        runs = {tag["value"]: run for run in done["runs"] for tag in run["tags"] if tag["key"] == "dagster/partition"}
        return done["status"], runs

    def checks(self, *path):
        """The partitions of each check of an asset by what became of it."""
        found = self.ask(CHECKS, key={"path": list(path)})["assetNodeOrError"]["assetChecksOrError"]["checks"]
        return {check["name"]: {k: v for k, v in check["partitionStatuses"].items() if v} for check in found}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(server, process):
    assert process.poll() is None, "dg dev has ended"
    with contextlib.suppress(OSError), urllib.request.urlopen(f"{server.url}/server_info", timeout=5) as it:  # noqa: S310
        return it.status == 200
    return False


@contextlib.contextmanager
def dagster(root, home):
    """`dg dev` as `make ui` starts it, but with its storage and lake in a folder of its own."""
    text = (root / "dagster.yaml").read_text().replace(".dagster/", f"{home}/")
    (home / "dagster.yaml").write_text(text)
    server = Running(f"http://127.0.0.1:{free_port()}")
    command = [
        str(Path(sys.executable).with_name("dg")),
        "dev",
        "--host",
        "127.0.0.1",
        "--port",
        server.url.rpartition(":")[2],
    ]
    environment = os.environ | {"DAGSTER_HOME": str(home), "COEXIST_LAKE": str(home / "lake")}
    with (home / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=root, env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            server.wait_for(lambda: answers(server, process), "dg dev")
            server.wait_for(server.assets, "loading the definitions")
            yield server
        finally:
            process.send_signal(signal.SIGINT)  # to the parent only: it stops the others
            try:
                process.wait(60)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def server(root, tmp_path_factory):
    home = tmp_path_factory.mktemp("dagster")
    with dagster(root, home) as running:
        object.__setattr__(running, "lake", Lake(home / "lake"))
        yield running


@pytest.fixture(scope="module")
def done(server):
    """A backfill of all partitions of the banks, ended."""
    before = backfill.stale(server.url, context="banks")
    launched = backfill.launch(
        server.url, context="banks", partitions=PARTITIONS, tags={"reason": "a test", "requester": "pytest"}
    )
    status, runs = server.finish(launched)
    return before, status, runs


def test_everything_is_missing_at_first(done):
    assert done[0] == PARTITIONS


def test_the_backfill_ends_green(done):
    _, status, runs = done

    assert status == "COMPLETED_SUCCESS"
    assert {partition: run["status"] for partition, run in runs.items()} == dict.fromkeys(PARTITIONS, "SUCCESS")


def test_reason_and_requester_stay_with_every_run(done):
    for run in done[2].values():
        tags = {tag["key"]: tag["value"] for tag in run["tags"]}

        assert (tags["coexist/reason"], tags["coexist/requester"]) == ("a test", "pytest")


def test_each_partition_shows_its_own_checks(server, done):
    assert done[1] == "COMPLETED_SUCCESS"
    first, second, third = PARTITIONS
    assert server.checks("banks", "banks_drift") == {
        "drift": {"succeededPartitions": [third], "failedPartitions": [first, second]},
        "lag": {"succeededPartitions": [first, third], "failedPartitions": [second]},
        "linkage": {"succeededPartitions": [third], "failedPartitions": [first, second]},
        "published_model": {"succeededPartitions": PARTITIONS},
    }
    assert server.checks("banks", "banks_legacy") == {
        name: {"succeededPartitions": PARTITIONS} for name in ("contract", "undeclared_columns")
    }


def test_earlier_partitions_testified_for_later_ones(server, done):
    assert done[1] == "COMPLETED_SUCCESS"
    lake = server.lake
    for partition, earlier in zip(PARTITIONS, ([], PARTITIONS[:1], PARTITIONS[:2]), strict=True):
        (address,) = [a for a in lake.addresses("discrepancies") if a.partition == partition]
        inputs = lake.manifest(address).inputs

        assert [p for p in PARTITIONS if f"banks/banks/legacy/{p}" in inputs] == [*earlier, partition]


def test_nothing_is_stale_after_it(server, done):
    assert done[1] == "COMPLETED_SUCCESS"
    assert backfill.stale(server.url, context="banks") == []
    assert backfill.refresh(server.url, context="banks") is None


def test_the_catalogue_follows_by_itself(server, done):
    assert done[1] == "COMPLETED_SUCCESS"
    server.wait_for((server.lake.root / "catalog.duckdb").exists, "the catalogue")


@pytest.fixture(scope="module")
def page():
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or pytest.fail("this test needs chromium: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 820}, locale="en-GB", timezone_id="UTC")
        page.set_default_timeout(PATIENCE * 100)
        yield page
        browser.close()


@pytest.fixture
def look(server, done, page, root, tmp_path):
    """Opens a page of the UI and takes a picture of it, once these texts are shown."""
    assert done[1] == "COMPLETED_SUCCESS"
    folder = root / os.environ["COEXIST_SCREENSHOTS"] if "COEXIST_SCREENSHOTS" in os.environ else tmp_path

    def picture(name, path, *shown, clicks=(), height=820):
        page.set_viewport_size({"width": 1440, "height": height})
        page.goto(server.url + path)
        for label in clicks:
            page.get_by_text(label, exact=True).last.click()
        for text in shown:
            page.get_by_text(text).first.wait_for()
            page.get_by_text(text).first.scroll_into_view_if_needed()
        page.wait_for_timeout(2500)  # animations
        page.screenshot(path=folder / f"{name}.png")
        return page.inner_text("body")

    return picture


@pytest.mark.browser
class TestPages:
    """What a person sees."""

    def test_the_asset_graph(self, server, look):
        (node,) = server.ask(LOCATION)["repositoriesOrError"]["nodes"]
        text = look(
            "asset-graph",
            f"/locations/{node['location']['name']}/asset-groups/banks/lineage",
            "banks_drift",
            "100% filled",
        )

        assert {f"banks_{stage}" for stage in ("legacy", "service", "identity_map", "discrepancies", "drift")} <= set(
            text.split()
        )

    def test_the_partitions_of_an_asset(self, look):
        text = look("partitions", "/assets/banks/banks_drift?view=partitions&partition=2026-06-08", "drift_rate_worst")

        assert "Materialized (3)" in text
        assert "Missing (0)" in text

    def test_the_checks_of_an_asset(self, look):
        text = look(
            "checks",
            "/assets/banks/banks_drift?view=checks&checkDetail=drift",
            "breached",
            clicks=["Execution history"],
        )

        assert "1 of 2 fields breached: name 0.514% (limit 0.1%)" in text
        assert "Skipped" not in text

    def test_the_drift_of_each_field_is_plotted(self, look):
        text = look(
            "check-plot", "/assets/banks/banks_drift?view=checks&checkDetail=drift", "drift_rate.name", height=1000
        )

        assert "drift_rate.bic" in text

    def test_figures_over_the_partitions(self, look):
        path = "/assets/banks/banks_drift?view=overview"
        text = look("drift-plot", path, "linkage_rate", clicks=["Columns", "Plots"], height=1000)

        assert "drift_rate_worst" in text
