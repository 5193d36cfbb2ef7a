import duckdb
import pytest


@pytest.fixture
def stale_name(lake):
    """The id of a name that the service had not followed by 2026-06-08."""
    with duckdb.connect(lake / "catalog.duckdb", read_only=True) as catalog:
        rows = catalog.execute(
            "SELECT discrepancy_id, expected, actual FROM discrepancies WHERE reason = 'behind_beyond_lag'"
        )
        return rows.fetchall()[0]


def test_a_stale_name_shows_old_and_new_and_both_dates(coexist, lake, stale_name):
    discrepancy, new, old = stale_name

    said = coexist("explain", discrepancy, "--lake", lake)

    assert said.code == 0
    assert f"expected  {new}" in said.out
    assert f"actual    {old}" in said.out
    assert "The service shows what legacy said on 2026-03-09; legacy had moved on by 2026-06-08." in said.out


@pytest.mark.parametrize("columns", [40, 60, 80, 100])
def test_no_value_is_cut_off_however_narrow_the_screen(coexist, lake, stale_name, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))

    said = coexist("explain", stale_name[0], "--lake", lake)

    assert max(map(len, said.out.splitlines())) <= columns
    assert "…" not in said.out
    whole = "".join(said.out.split())
    for value in (*stale_name[1:], "natural_key", "behind beyond lag", "bankName", "source_release"):
        assert value.replace(" ", "") in whole.replace("│", "")


def test_what_a_person_needs_is_there(coexist, lake, stale_name):
    said = coexist("explain", stale_name[0][:12], "--lake", lake)

    for part in (
        "Payments platform", "payments@bank.example", "major", "Customers see an outdated name", "bankName",
        "short_name", "natural_key", "from bankName by same", "translation 1", "2026-03-09", "91 d behind",
    ):  # fmt: skip
        assert part in said.out


def test_the_document_holds_everything(coexist, lake, stale_name):
    document = coexist("explain", stale_name[0], "--lake", lake, "--json").document

    assert document["finding"]["type"] == "stale_replica"
    assert document["legacy_rows"][0]["bankName"] == stale_name[1]
    assert document["service_rows"][0]["name"] == stale_name[2]
    assert [row["business_date"] for row in document["earlier"]] == ["2026-03-09", "2026-06-08"]
    evidence = dict(document["evidence"])
    assert isinstance(evidence.pop("not_applied"), int)  # the event of the change feed that the service left out
    assert evidence == {"witness": "2026-03-09", "moved_on": "2026-06-08", "not_applied_in": "2026-06-08"}


@pytest.mark.parametrize("reason", ["unmapped", "no_evidence"])
def test_every_kind_of_finding_can_be_explained(coexist, lake, reason):
    with duckdb.connect(lake / "catalog.duckdb", read_only=True) as catalog:
        found = catalog.execute("SELECT discrepancy_id FROM discrepancies WHERE reason = ?", [reason]).fetchall()[0]

    said = coexist("explain", found[0], "--lake", lake)

    assert said.code == 0
    assert {"unmapped": "No link of the identity map", "no_evidence": "Nothing explains it"}[reason] in said.out


def test_an_unknown_id_names_the_nearest(coexist, lake, stale_name):
    wrong = stale_name[0][:8] + "zz"

    said = coexist("explain", wrong, "--lake", lake, "--json")

    assert said.code == 2
    assert f"nearest: {stale_name[0]}" in said.document["error"]["message"]


def test_a_beginning_of_several_lists_them(coexist, lake):
    said = coexist("explain", "", "--lake", lake, "--json")

    assert said.code == 2
    assert "begins several" in said.document["error"]["message"]


def test_an_empty_lake(coexist, tmp_path):
    assert coexist("explain", "abc", "--lake", tmp_path).code == 3
