"""`coexist recount` on the real change feed of the banks, against plain Python, and what breaks it."""

import csv
import re

import pytest

from tests.pipelines.cli.conftest import ROOT

BANKS = ROOT / "data" / "banks"


def read(name):
    with (BANKS / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def snapshot(date):
    return {row["blz"]: (row["bankName"], row["bic"]) for row in read(f"legacy_banks_{date}.csv")}


def replayed(state, date):
    """The register after the change feed into a date, as anybody would write it down."""
    for event in read(f"change_feed_{date}.csv"):
        if event["op"] == "delete":
            del state[event["blz"]]
        else:
            state[event["blz"]] = (event["bankName"], event["bic"])
    return state


def test_the_real_feed_over_march_makes_exactly_june(coexist, lake):
    said = coexist("recount", "--context", "banks", "--date", "2026-06-08", "--lake", lake, "--json")

    (counted,) = said.document["recounts"]
    assert replayed(snapshot("2026-03-09"), "2026-06-08") == snapshot("2026-06-08")
    assert (said.code, counted["agrees"], counted["findings"]) == (0, True, [])
    assert (counted["base"], counted["business_date"]) == ("2026-03-09", "2026-06-08")
    assert counted["events"] == len(read("change_feed_2026-06-08.csv"))
    assert (counted["rows_then"], counted["rows_now"]) == (len(snapshot("2026-03-09")), len(snapshot("2026-06-08")))


def test_both_feeds_over_march_make_september(coexist, lake):
    said = coexist("recount", "--context", "banks", "--base", "2026-03-09", "--lake", lake)

    assert said.code == 0
    assert re.search(r"banks\.banks  2026-03-09 to 2026-09-07", said.out)
    assert "3,506 rows and 62 events make exactly the 3,507 rows of 2026-09-07" in said.out


@pytest.mark.parametrize("number", [0, 12])
def test_without_one_event_it_disagrees_where_that_event_was_about(coexist, own_banks, tmp_path, number):
    """The first event removes a bank, the other one changes a name."""
    feed = own_banks / "change_feed_2026-06-08.csv"
    head, *lines = feed.read_text(encoding="utf-8").splitlines()
    blz = lines.pop(number).split(",")[2]
    feed.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    before, after = snapshot("2026-03-09").get(blz), snapshot("2026-06-08").get(blz)
    wanted = [(blz, None)] if None in (before, after) else [
        (blz, field) for field, old, new in zip(("name", "bic"), before, after, strict=True) if old != new
    ]  # fmt: skip

    assert coexist("reconcile", "--context", "banks", "--to", "2026-06-08", "--lake", tmp_path / "lake").code == 1
    said = coexist("recount", "--context", "banks", "--lake", tmp_path / "lake", "--json")

    (counted,) = said.document["recounts"]
    assert said.code == 1
    assert [(row["legacy_key"], row["field"]) for row in counted["findings"]] == wanted


def test_nothing_to_recount(coexist, tmp_path, lake):
    empty = coexist("recount", "--lake", tmp_path / "empty", "--json")
    first = coexist("recount", "--context", "banks", "--date", "2026-03-09", "--lake", lake, "--json")
    late = coexist("recount", "--context", "banks", "--base", "2026-09-07", "--lake", lake, "--json")

    assert [said.code for said in (empty, first, late)] == [3, 2, 2]
    assert 'did you mean "2026-06-08"?' in first.document["error"]["message"]
    assert "there are 2026-03-09, 2026-06-08" in late.document["error"]["message"]
